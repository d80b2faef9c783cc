//! Hand edits, foreign widgets, and what a run does about them.

use serde_json::{Value, json};

use super::{Comparison, Edits, Kind, compare, sign};

fn chart(title: &str, y: u32) -> Value {
    json!({
        "type": "metric", "x": 0, "y": y, "width": 24, "height": 6,
        "properties": {
            "title": title, "region": "us-east-1", "metrics": [["a", "b"]],
            "annotations": { "vertical": [{ "value": "2026-06-14T18:30:00Z", "label": "onair KO" }] },
        },
    })
}

fn made(charts: &[&str]) -> Value {
    let mut widgets = vec![json!({
        "type": "text", "x": 0, "y": 0, "width": 24, "height": 3,
        "properties": { "markdown": "# Cup Final\n\ntonight" },
    })];
    let places = (3..).step_by(6);
    widgets.extend(charts.iter().zip(places).map(|(title, y)| chart(title, y)));
    let mut body = json!({ "start": "-PT3H", "widgets": widgets });
    sign(&mut body);
    body
}

/// The widgets that differ, and how.
fn kinds(comparison: &Comparison) -> Vec<(&str, Kind)> {
    comparison
        .differences
        .iter()
        .map(|one| (one.widget.as_str(), one.kind))
        .collect()
}

fn titles(body: &Value) -> Vec<&str> {
    let widgets = body["widgets"].as_array().unwrap().iter();
    widgets
        .filter_map(|widget| widget["properties"]["title"].as_str())
        .collect()
}

#[test]
fn what_was_made_and_not_touched_does_not_differ() {
    let body = made(&["one", "two"]);
    let comparison = compare(Some(&body), &body, Edits::Keep);
    assert_eq!(kinds(&comparison), []);
    assert!(!comparison.is_pending && !comparison.marks_behind && comparison.has_record);
}

#[test]
fn a_hand_edit_is_kept_while_the_runbook_moves_on() {
    let mut stored = made(&["one", "two"]);
    stored["widgets"][1]["properties"]["metrics"] = json!([["mine", "b"]]);
    let mut wanted = made(&["one", "two", "three"]);
    wanted["widgets"][2]["properties"]["region"] = json!("eu-west-1");
    sign(&mut wanted);
    let comparison = compare(Some(&stored), &wanted, Edits::Keep);
    assert_eq!(
        kinds(&comparison),
        [
            ("one", Kind::Edited),
            ("two", Kind::Outdated),
            ("three", Kind::Missing)
        ]
    );
    assert_eq!(
        comparison.differences[0].fields[0].path,
        "properties/metrics/0/0"
    );
    let merged = &comparison.merged;
    assert_eq!(merged["widgets"][1]["properties"]["metrics"][0][0], "mine");
    assert_eq!(merged["widgets"][2]["properties"]["region"], "eu-west-1");

    let after = compare(Some(merged), &wanted, Edits::Keep);
    assert_eq!(kinds(&after), [("one", Kind::Edited)]);
    assert!(
        !after.is_pending,
        "applied once, there is nothing left to apply"
    );

    let discarded = compare(Some(merged), &wanted, Edits::Discard);
    assert!(discarded.is_pending);
    assert_eq!(discarded.merged, wanted);
}

#[test]
fn what_a_hand_removed_stays_away_until_edits_are_discarded() {
    let mut stored = made(&["one", "two"]);
    stored["widgets"].as_array_mut().unwrap().remove(1);
    let wanted = made(&["one", "two"]);
    let kept = compare(Some(&stored), &wanted, Edits::Keep);
    assert_eq!(kinds(&kept), [("one", Kind::Deleted)]);
    assert!(!kept.is_pending);
    let discarded = compare(Some(&stored), &wanted, Edits::Discard);
    assert_eq!(titles(&discarded.merged), ["one", "two"]);
}

#[test]
fn somebodys_own_widget_is_kept_below_ours() {
    let mut stored = made(&["one"]);
    stored["widgets"]
        .as_array_mut()
        .unwrap()
        .push(chart("mine", 9));
    let wanted = made(&["one", "two"]);
    let comparison = compare(Some(&stored), &wanted, Edits::Discard);
    assert!(kinds(&comparison).contains(&("mine", Kind::Foreign)));
    let last = comparison.merged["widgets"]
        .as_array()
        .unwrap()
        .last()
        .unwrap();
    assert_eq!(
        (&last["properties"]["title"], &last["y"]),
        (&json!("mine"), &json!(15))
    );
    let again = compare(Some(&comparison.merged), &wanted, Edits::Keep);
    assert!(!again.is_pending);
}

#[test]
fn what_the_runbook_drops_goes_unless_a_hand_touched_it() {
    let stored = made(&["one", "two"]);
    let wanted = made(&["one"]);
    let comparison = compare(Some(&stored), &wanted, Edits::Keep);
    assert_eq!(kinds(&comparison), [("two", Kind::Obsolete)]);
    assert_eq!(titles(&comparison.merged), ["one"]);

    let mut edited = stored;
    edited["widgets"][2]["height"] = json!(9);
    let comparison = compare(Some(&edited), &wanted, Edits::Keep);
    assert_eq!(kinds(&comparison), [("two", Kind::Foreign)]);
    assert_eq!(titles(&comparison.merged), ["one", "two"]);
}

#[test]
fn annotations_of_ours_are_no_edit_and_those_of_others_stay() {
    let mut stored = made(&["one"]);
    let lines = &mut stored["widgets"][1]["properties"]["annotations"]["vertical"];
    *lines = json!([{ "value": "2026-06-14T19:00:00Z", "label": "onair old" }, { "value": "2026-06-14T19:10:00Z", "label": "goal" }]);
    let comparison = compare(Some(&stored), &made(&["one"]), Edits::Keep);
    assert_eq!(
        kinds(&comparison),
        [("one", Kind::Edited)],
        "the goal is a hand's"
    );
    let labels: Vec<&str> =
        comparison.merged["widgets"][1]["properties"]["annotations"]["vertical"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|line| line["label"].as_str())
            .collect();
    assert_eq!(labels, ["goal", "onair KO"]);
    assert!(!comparison.is_pending && comparison.marks_behind);
}

#[test]
fn a_dashboard_that_onair_did_not_make_is_not_overwritten() {
    let stored = json!({ "widgets": [chart("one", 0)] });
    let comparison = compare(Some(&stored), &made(&["one", "two"]), Edits::Keep);
    assert!(!comparison.has_record);
    assert!(kinds(&comparison).contains(&("one", Kind::Edited)));
    assert!(kinds(&comparison).contains(&("two", Kind::Missing)));
}

#[test]
fn without_a_dashboard_everything_is_missing() {
    let wanted = made(&["one"]);
    let comparison = compare(None, &wanted, Edits::Keep);
    assert!(comparison.is_pending);
    assert_eq!(comparison.merged, wanted);
}
