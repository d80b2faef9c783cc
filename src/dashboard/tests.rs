//! The dashboards of the worked runbook and of the templates hold to CloudWatch's rules, whatever the
//! runbook and the ledger say.

use std::path::Path;

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::Value;

use super::alarms::alarms;
use super::body::{Drawing, body, to_text};
use super::marks::{Mark, MarkKind, marks};
use super::merge::{Edits, compare};
use super::validate::{COLUMNS, MOST_METRICS, MOST_WIDGETS, validate};
use crate::ledger::clock::EventState;
use crate::ledger::view::View;
use crate::runbook::{Dashboard, Panel, Runbook, load};

const PANELS: [Panel; 6] = [
    Panel::Ingest,
    Panel::Encode,
    Panel::Package,
    Panel::Delivery,
    Panel::Security,
    Panel::Ads,
];

fn runbook(name: &str) -> Runbook {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    load(&path)
        .unwrap_or_else(|error| panic!("{name}: {error}"))
        .runbook
}

fn dashboard() -> Dashboard {
    Dashboard {
        name: "onair-x".to_owned(),
        panels: PANELS.to_vec(),
        alarms: true,
        topic: None,
    }
}

fn state(runbook: &Runbook) -> EventState {
    let planned: Vec<_> = runbook
        .phases
        .iter()
        .map(|phase| (phase.phase, phase.from))
        .collect();
    EventState::at(
        &runbook.event.times(),
        &planned,
        &View::default(),
        runbook.event.starts,
    )
}

fn drawn(runbook: &Runbook, dashboard: &Dashboard, marks: &[Mark]) -> Value {
    let state = state(runbook);
    body(Drawing {
        runbook,
        dashboard,
        state: &state,
        marks,
    })
}

fn assert_sound(body: &Value) {
    let text = to_text(body);
    let findings = validate(&text);
    assert_eq!(findings.errors, []);
    assert_eq!(findings.warnings, []);
    let widgets = body["widgets"].as_array().unwrap();
    assert!(widgets.len() <= MOST_WIDGETS);
    let rows: usize = widgets
        .iter()
        .filter_map(|widget| widget["properties"]["metrics"].as_array())
        .map(Vec::len)
        .sum();
    assert!(rows <= MOST_METRICS, "{rows}");
    let read: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(&read, body, "the text is the body");
    let again = compare(Some(&read), body, Edits::Keep);
    assert!(!again.is_pending && again.differences.is_empty());
    let place = |widget: &Value, name: &str| widget[name].as_u64().unwrap();
    for (index, one) in widgets.iter().enumerate() {
        assert!(place(one, "x") + place(one, "width") <= COLUMNS);
        for other in &widgets[index + 1..] {
            let apart = |at: &str, size: &str| {
                place(one, at) + place(one, size) <= place(other, at)
                    || place(other, at) + place(other, size) <= place(one, at)
            };
            assert!(apart("x", "width") || apart("y", "height"), "{one} {other}");
        }
    }
}

#[test]
fn the_bodies_of_the_runbook_and_the_templates_are_valid() {
    let worked = runbook("runbooks/cup-final.toml");
    let section = worked
        .dashboard
        .clone()
        .expect("the worked runbook has a dashboard");
    let body = drawn(&worked, &section, &[]);
    assert_sound(&body);
    let text = body.to_string();
    for region in ["us-east-1", "eu-central-1"] {
        assert!(text.contains(region), "{region}");
    }
    for name in [
        "global-concert",
        "pay-per-view-fight",
        "regional-sports-home-game",
    ] {
        let template = runbook(&format!("event-templates/{name}.toml"));
        let section = template
            .dashboard
            .clone()
            .expect("each template has a dashboard");
        assert_sound(&drawn(&template, &section, &[]));
    }
}

#[test]
fn alarms_have_names_of_their_own_and_a_topic_of_their_region() {
    let runbook = runbook("runbooks/cup-final.toml");
    let mut dashboard = dashboard();
    dashboard.topic = Some(crate::runbook::resolved::Arn(
        "arn:aws:sns:us-east-1:111122223333:crew".to_owned(),
    ));
    let made = alarms(&runbook, &dashboard);
    assert!(made.len() > 8, "{}", made.len());
    for (index, alarm) in made.iter().enumerate() {
        assert!(alarm.name.starts_with("onair-cup-final-"));
        assert!(!made[..index].iter().any(|other| other.name == alarm.name));
        assert_eq!(alarm.actions.is_empty(), alarm.region != "us-east-1");
        assert!(alarm.description.len() < 1_024);
        assert!(alarm.datapoints <= alarm.evaluation_periods);
    }
    dashboard.alarms = false;
    assert_eq!(alarms(&runbook, &dashboard), []);
}

#[test]
fn the_events_own_times_are_marked() {
    let runbook = runbook("runbooks/cup-final.toml");
    let marks = marks("KO", &View::default(), &state(&runbook));
    let labels: Vec<&str> = marks.iter().map(|mark| mark.label.as_str()).collect();
    assert_eq!(labels, ["doors", "KO", "end"]);
    assert_sound(&drawn(&runbook, &dashboard(), &marks));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_runbook_and_ledger_make_a_valid_body(
        copies in 0_usize..60,
        name in ".{0,60}",
        title in ".{0,60}",
        label in ".{0,90}",
        count in 0_usize..40,
        panels in proptest::sample::subsequence(PANELS.to_vec(), 0..6),
        has_tokens in any::<bool>(),
        has_forecast in any::<bool>(),
    ) {
        let mut runbook = runbook("runbooks/cup-final.toml");
        runbook.event.name = title;
        let first = runbook.distributions[0].clone();
        for index in 0..copies {
            let mut copy = first.clone();
            copy.id = format!("E{index}");
            copy.name.clone_from(&name);
            runbook.distributions.push(copy);
            if let Some(flow) = runbook.workflow.flows.first().cloned() {
                runbook.workflow.flows.push(flow);
            }
            runbook.workflow.channels.extend(runbook.workflow.channels.first().cloned());
            runbook.workflow.endpoints.extend(runbook.workflow.endpoints.first().cloned());
            runbook.workflow.ads.extend(runbook.workflow.ads.first().cloned());
        }
        if !has_tokens {
            runbook.tokens = None;
        }
        if !has_forecast {
            runbook.forecast = None;
        }
        let marks: Vec<Mark> = (0..count)
            .map(|index| Mark {
                at: Timestamp::from_second(1_781_461_800 + i64::try_from(index).unwrap()).unwrap(),
                label: label.clone(),
                kind: if index % 2 == 0 { MarkKind::Event } else { MarkKind::Action },
            })
            .collect();
        let section = Dashboard { panels, ..dashboard() };
        assert_sound(&drawn(&runbook, &section, &marks));
    }
}
