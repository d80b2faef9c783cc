//! `onair compare`: by summaries alone, with what is noise and what is allowed.

use serde_json::{Value, json};

use crate::harness::Desk;

/// The summary of a three-hour event with so many percent of 5xx, as a report leaves it.
fn summary(event: &str, errors: f64) -> Value {
    let minutes: Vec<Value> = (0..180)
        .map(|minute: u32| {
            let at = format!("2026-06-14T{:02}:{:02}:00Z", 18 + minute / 60, minute % 60);
            json!({
                "at": at, "requests": 45_000.0, "bytes": 3e10, "viewers": 1_000.0,
                "hit-percent": 97.0, "percent-4xx": 0.5, "percent-5xx": errors,
                "first-byte-p95-ms": 200.0, "starved-percent": 0.1, "kilobits": 4_000.0,
            })
        })
        .collect();
    let figure =
        |name: &str, value: f64, unit: &str| json!({ "name": name, "value": value, "unit": unit });
    json!({
        "schema": "onair-summary/1", "event": event, "name": format!("The {event}"), "target": "live",
        "from": "2026-06-14T15:00:00Z", "until": "2026-06-15T00:00:00Z",
        "kickoff": "2026-06-14T18:00:00Z", "ends": "2026-06-14T21:00:00Z",
        "made": "2026-06-15T08:00:00Z", "provisional": false, "completeness": 100.0,
        "figures": [
            figure("peak-viewers", 1_000.0, "count"),
            figure("cache-hit-ratio", 97.0, "percent"),
            figure("errors-5xx", errors, "percent"),
        ],
        "minutes": minutes, "lessons": [],
    })
}

fn desk() -> Desk {
    let desk = Desk::new();
    for (event, errors) in [("first", 0.04), ("second", 0.09)] {
        desk.write(
            &format!("reports/{event}/summary.json"),
            summary(event, errors).to_string(),
        );
    }
    desk
}

#[test]
fn what_got_worse_is_named_and_is_exit_3() {
    let desk = desk();
    let run = desk
        .onair(&["-o", "json", "compare", "first", "second"])
        .expect_code(3);
    let answer = run.json();
    assert_eq!(answer["data"]["verdict"], "worse");
    assert_eq!(answer["data"]["beyond-limits"], true);
    assert_eq!(answer["error"]["code"], "difference");
    let figures = answer["data"]["figures"].as_array().expect("figures");
    let of = |name: &str| figures.iter().find(|one| one["name"] == name).expect("it");
    assert_eq!(of("errors-5xx")["verdict"], "worse");
    assert_eq!(of("cache-hit-ratio")["verdict"], "same");
    assert_eq!(of("startup")["verdict"], "not-comparable");
    assert_eq!(of("peak-viewers")["verdict"], Value::Null);
    desk.onair(&["compare", "second", "first"]).expect_success();
}

#[test]
fn a_limit_allows_it() {
    let desk = desk();
    let limits = ["--limit", "errors-5xx=0.1"];
    let run = desk
        .onair(&[&["compare", "first", "reports/second"][..], &limits].concat())
        .expect_success();
    assert!(
        run.stdout.starts_with("✗ worse: 1 worse (errors-5xx)"),
        "{run}"
    );
    assert!(run.stdout.contains("How it is decided:"), "{run}");
    let page = desk
        .onair(&[
            "-o",
            "markdown",
            "compare",
            "first",
            "second",
            "--limit",
            "errors-5xx=200%",
        ])
        .expect_success();
    assert!(
        page.stdout.starts_with("# The first → The second"),
        "{page}"
    );
}

#[test]
fn a_pair_of_which_nothing_can_be_compared_is_no_success() {
    let desk = desk();
    let mut empty = summary("empty", 0.0);
    empty["figures"] = json!([]);
    empty["minutes"] = json!([]);
    desk.write("reports/empty/summary.json", empty.to_string());
    for (a, b) in [("first", "empty"), ("empty", "first"), ("empty", "empty")] {
        let run = desk.onair(&["compare", a, b]).expect_code(3);
        assert!(run.stdout.contains("nothing could be compared"), "{run}");
    }
}

#[test]
fn what_is_not_there_says_how_to_get_it() {
    let desk = desk();
    let run = desk.onair(&["compare", "first", "third"]).expect_code(2);
    assert!(run.stderr.contains("reports/third/summary.json"), "{run}");
    assert!(run.stderr.contains("onair report third"), "{run}");
    let wrong = desk
        .onair(&["compare", "first", "second", "--limit", "error-5xx=1%"])
        .expect_code(2);
    assert!(wrong.stderr.contains("did you mean errors-5xx?"), "{wrong}");
    desk.write(
        "reports/third/summary.json",
        "{\"schema\":\"onair-summary/9\"}",
    );
    desk.onair(&["compare", "first", "third"]).expect_code(2);
}

#[test]
fn lessons_go_into_the_next_runbook() {
    let desk = desk();
    let mut kept = summary("cup-final", 0.04);
    kept["lessons"] = json!(["book a second encoder", "\u{1b}[2J\n[evil]\nformat = 2"]);
    desk.write("reports/cup-final/summary.json", kept.to_string());
    desk.onair(&[
        "new",
        "cup-next",
        "--from",
        "cup-final",
        "--starts",
        "2027-06-12 20:30",
    ])
    .expect_success();
    let text = desk.read("runbooks/cup-next.toml");
    assert!(
        text.contains("# Lessons of cup-final, from its report:"),
        "{text}"
    );
    assert!(text.contains("# - book a second encoder\n"), "{text}");
    assert!(
        !text.contains("\n[evil]"),
        "a lesson stays a comment: {text}"
    );
    desk.onair(&["-e", "cup-next", "runbook", "check"])
        .expect_success();
}
