//! `onair rule …`: one rule of the web ACL between count and block, for a time.

use serde_json::{Value, json};

use crate::harness::{Desk, Run};

const BLOCK: &str = "onair-cup-final-block-v4";

fn desk() -> Desk {
    let desk = Desk::new().rehearsing();
    desk.onair(&["sandbox", "reset", "--rates", "off"])
        .expect_success();
    desk
}

fn rules(desk: &Desk) -> Value {
    let run = desk.onair(&["-o", "json", "rule", "list"]).expect_success();
    run.json()["data"]["rules"].clone()
}

fn rule(desk: &Desk, name: &str) -> Value {
    let all = rules(desk);
    let mut found = all.as_array().into_iter().flatten();
    found
        .rfind(|rule| rule["name"] == name)
        .cloned()
        .unwrap_or_else(|| panic!("no rule {name}: {all}"))
}

#[track_caller]
fn refused(run: &Run, code: i32, error: &str) {
    assert_eq!(run.code, code, "{run}");
    assert_eq!(run.json()["error"]["code"], error, "{run}");
    assert_eq!(run.json()["changed"], false, "{run}");
}

#[test]
fn the_list_says_what_each_rule_does_and_what_is_expected() {
    let found = rule(&desk(), BLOCK);
    assert_eq!(found["action"], "block");
    assert_eq!(found["owner"], "event");
    assert_eq!(found["expected"], "block");
    assert_eq!(found["move"], Value::Null);
    assert_eq!(found["sampled-matches"], 0);
}

#[test]
fn a_rule_counts_for_a_time_and_undo_puts_it_back() {
    let desk = desk();
    let preview = desk.onair(&["-o", "json", "rule", "count", "block-v4", "--dry-run"]);
    assert_eq!(preview.code, 3, "{preview}");
    assert_eq!(rule(&desk, BLOCK)["action"], "block");

    let run = desk
        .onair(&[
            "-o",
            "json",
            "rule",
            "count",
            "block-v4",
            "--for",
            "30m",
            "--yes",
            "-m",
            "a stadium",
        ])
        .expect_success();
    assert_eq!(run.json()["changed"], true);
    let step = &run.json()["data"]["steps"][0];
    assert_eq!(
        step["rules"],
        json!([{"rule": BLOCK, "from": "block", "to": "count"}])
    );
    let found = rule(&desk, BLOCK);
    assert_eq!(found["action"], "count");
    assert_eq!(found["move"]["entry"], "jess-1");
    assert_eq!(found["move"]["back-to"], "block");
    assert_eq!(found["move"]["reason"], "a stadium");

    // Again: it does so already, and as long.
    let again = desk
        .onair(&[
            "-o", "json", "rule", "count", BLOCK, "--for", "10m", "--yes",
        ])
        .expect_success();
    assert_eq!(again.json()["changed"], false);

    desk.onair(&["undo", "--yes"]).expect_success();
    let found = rule(&desk, BLOCK);
    assert_eq!(
        (&found["action"], &found["move"]),
        (&json!("block"), &Value::Null)
    );
}

#[test]
fn tend_carries_the_end_out_and_the_newest_of_two_holds_until_then() {
    let desk = desk();
    desk.onair(&["rule", "count", BLOCK, "--for", "2h", "--yes"])
        .expect_success();
    let tom = desk.as_operator("tom");
    tom.onair(&["rule", "block", BLOCK, "--for", "30m", "--confirm", BLOCK])
        .expect_success();
    assert_eq!(rule(&desk, BLOCK)["action"], "block");
    let at = |time: &str| {
        desk.onair(&["sandbox", "reset", "--keep", "--at", time])
            .expect_success();
        desk.onair(&["tend", "--once"]).expect_success();
        rule(&desk, BLOCK)
    };
    // The rehearsal begins a day before doors, which open 90 minutes before kickoff.
    let found = at("doors-23h");
    assert_eq!(
        found["action"], "count",
        "tom's has ended, jess's still stands: {found}"
    );
    assert_eq!(found["move"]["entry"], "jess-1");
    let found = at("doors-21h");
    assert_eq!(
        (&found["action"], &found["move"]),
        (&json!("block"), &Value::Null)
    );
}

#[test]
fn blocking_by_a_rule_asks_for_its_name_or_the_event() {
    let desk = desk();
    desk.onair(&["rule", "count", BLOCK, "--yes"])
        .expect_success();
    refused(
        &desk.onair(&["-o", "json", "rule", "block", BLOCK, "--yes"]),
        4,
        "confirmation.missing",
    );
    refused(
        &desk.onair(&["-o", "json", "rule", "block", BLOCK, "--confirm", "rate"]),
        4,
        "confirmation.wrong",
    );
    desk.onair(&["rule", "block", BLOCK, "--confirm", "cup-final"])
        .expect_success();
    assert_eq!(rule(&desk, BLOCK)["action"], "block");
}

#[test]
fn an_unknown_rule_is_answered_with_the_nearest() {
    let desk = desk();
    let run = desk.onair(&["-o", "json", "rule", "count", "blok-v4", "--yes"]);
    refused(&run, 2, "rule.unknown");
    let message = run.json()["error"]["message"].clone();
    assert!(
        message
            .as_str()
            .is_some_and(|text| text.contains("did you mean")),
        "{run}"
    );
}

#[test]
fn a_conflict_is_read_again_and_a_lost_answer_is_found_to_be_ours() {
    for fault in [
        "conflict:wafv2.UpdateWebACL",
        "lost-answer:wafv2.UpdateWebACL",
    ] {
        let desk = desk();
        desk.onair(&["sandbox", "reset", "--rates", "off", "--fault", fault])
            .expect_success();
        let run = desk
            .onair(&["-o", "json", "rule", "count", BLOCK, "--yes"])
            .expect_success();
        assert_eq!(run.json()["changed"], true, "{fault}: {run}");
        assert_eq!(rule(&desk, BLOCK)["action"], "count", "{fault}");
        desk.onair(&["undo", "--yes"]).expect_success();
        assert_eq!(rule(&desk, BLOCK)["action"], "block", "{fault}");
    }
}

#[test]
fn the_ledger_and_the_events_close_know_a_moved_rule() {
    let desk = desk();
    desk.onair(&["rule", "count", BLOCK, "--yes"])
        .expect_success();
    let shown = desk.onair(&["ledger", "show", "jess-1"]).expect_success();
    assert!(shown.stdout.contains("count, before it block"), "{shown}");
    desk.onair(&["event", "close", "--yes"]).expect_success();
    assert_eq!(rule(&desk, BLOCK)["action"], "block");
}

#[test]
fn a_rule_of_a_web_acl_that_serves_another_event_asks_more() {
    let desk = desk();
    let other = desk
        .read("runbooks/cup-final.toml")
        .replace("id = \"cup-final\"", "id = \"semi-final\"")
        .replace("E1CUPFINAL", "E2SEMI0000");
    desk.write("runbooks/semi-final.toml", other);
    let desk = desk.always(&["-e", "cup-final"]);
    let run = desk.onair(&["-o", "json", "rule", "count", BLOCK, "--yes"]);
    refused(&run, 4, "confirmation.missing");
    let plan = desk.onair(&["rule", "count", BLOCK, "--yes"]);
    assert!(
        plan.to_string().contains("also serves event semi-final"),
        "{plan}"
    );
    desk.onair(&["rule", "count", BLOCK, "--confirm", "cup-final"])
        .expect_success();
}

#[test]
fn letting_the_blocklist_count_is_said_loudly_and_yes_is_enough() {
    let desk = desk();
    let run = desk.onair(&["-o", "json", "rule", "count", "block-v4", "--yes"]);
    let answer = run.expect_success().json();
    let warnings = answer["warnings"].to_string();
    assert!(warnings.contains("EVERYBODY WHO IS BLOCKED"), "{warnings}");
    assert!(warnings.contains("onair rule block block-v4"), "{warnings}");

    let rate = desk.onair(&["rule", "count", "rate"]).expect_success();
    assert!(
        rate.stdout.contains("onair-cup-final-rate counts already"),
        "{rate}"
    );
    assert!(!rate.to_string().contains("EVERYBODY"), "{rate}");
    assert!(!rate.stdout.contains("what it blocks now"), "{rate}");
}

#[test]
fn an_undo_gives_a_rule_what_the_runbook_says_now() {
    let desk = Desk::new().rehearsing();
    desk.edit_runbook(r#"blocklist = "block""#, r#"blocklist = "count""#);
    desk.onair(&["sandbox", "reset", "--rates", "off"])
        .expect_success();
    assert_eq!(rule(&desk, BLOCK)["action"], "count");
    desk.onair(&["rule", "block", "block-v4", "--confirm", "cup-final"])
        .expect_success();
    desk.edit_runbook(r#"blocklist = "count""#, r#"blocklist = "block""#);
    let run = desk.onair(&["undo", "--yes"]).expect_success();
    let said = format!("{}{}", run.stdout, run.stderr);
    assert!(said.contains("as the runbook says now"), "{run}");
    let found = rule(&desk, BLOCK);
    assert_eq!(
        (&found["action"], &found["move"]),
        (&json!("block"), &Value::Null)
    );
}
