//! What is drawn over the curves: kickoff and end, the crew's moves of the clock, and our actions.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::event::text::{printable, shortened};
use crate::event::time;
use crate::ledger::body::{ClockChange, Kind};
use crate::ledger::clock::EventState;
use crate::ledger::view::{Progress, View};

/// Our actions that are drawn, the newest: more would hide the curves.
const MOST_ACTIONS: usize = 20;
/// Characters of an annotation's label.
const LABEL_LIMIT: usize = 70;
/// Begins the labels of our annotations, so that a hand's own are told from them.
pub(crate) const PREFIX: &str = "onair ";

/// One line down the charts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) at: Timestamp,
    /// Safe to show.
    pub(crate) label: String,
    pub(crate) kind: MarkKind,
}

/// What a mark is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MarkKind {
    /// The event's own times, drawn on every chart.
    Event,
    /// What the crew did, drawn where viewers feel it.
    Action,
}

impl Mark {
    /// The vertical annotation of a widget.
    pub(super) fn annotation(&self) -> Value {
        let color = match self.kind {
            MarkKind::Event => "#7f7f7f",
            MarkKind::Action => "#9467bd",
        };
        json!({ "value": self.at.to_string(), "label": format!("{PREFIX}{}", self.label), "color": color })
    }
}

/// The marks of an event, oldest first.
pub(crate) fn marks(kickoff_label: &str, view: &View, state: &EventState) -> Vec<Mark> {
    let event = |at, label: String| Mark {
        at: whole_second(at),
        label,
        kind: MarkKind::Event,
    };
    let mut marks = vec![
        event(state.times.doors, "doors".to_owned()),
        event(state.times.starts, kickoff_label.to_owned()),
        event(state.times.ends, "end".to_owned()),
    ];
    for moved in view.clock() {
        let what = match moved.change() {
            ClockChange::Extend { .. } => continue,
            ClockChange::Phase { phase, .. } => format!("phase {phase}"),
            ClockChange::Close { .. } => "closed".to_owned(),
        };
        marks.push(event(
            moved.at(),
            label(&format!("{what} ({})", moved.operator())),
        ));
    }
    let mut actions: Vec<Mark> = view
        .changes()
        .iter()
        .filter(|change| change.intent().kind != Kind::End)
        .filter(|change| change.progress() != Progress::Void)
        .filter(|change| !change.intent().is_upkeep())
        .map(|change| Mark {
            at: whole_second(change.at()),
            label: label(&format!("{} {}", change.name(), change.intent().summary)),
            kind: MarkKind::Action,
        })
        .collect();
    let old = actions.len().saturating_sub(MOST_ACTIONS);
    marks.extend(actions.drain(..).skip(old));
    marks.sort_by(|one, other| {
        one.at
            .cmp(&other.at)
            .then_with(|| one.label.cmp(&other.label))
    });
    marks
}

fn label(text: &str) -> String {
    shortened(&printable(text), LABEL_LIMIT)
}

/// CloudWatch draws to the minute at best.
fn whole_second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

/// The times of the event in one line, for the header.
pub(super) fn times_line(kickoff_label: &str, state: &EventState, zone: &TimeZone) -> String {
    let clock = |at: Timestamp| {
        let local = at.to_zoned(zone.clone());
        local.strftime("%H:%M").to_string()
    };
    let day = state.times.starts.to_zoned(zone.clone());
    format!(
        "{} · doors {} · **{kickoff_label} {}** · end {} · {}",
        day.strftime("%A, %-d %B %Y"),
        clock(state.times.doors),
        clock(state.times.starts),
        clock(state.times.ends),
        time::zone_name(zone)
    )
}
