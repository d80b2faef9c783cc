//! `onair status`: the verdict and its exit codes.

use serde_json::Value;

use crate::harness::Desk;

fn live() -> Desk {
    let desk = Desk::new().rehearsing();
    let arguments = [
        "sandbox",
        "reset",
        "--at",
        "ko+20m",
        "--rates",
        "off",
        "--fault",
        "rollout=0s",
        "--fault",
        "rollout-skew=0s",
    ];
    desk.onair(&arguments).expect_success();
    desk
}

fn check<'a>(answer: &'a Value, id: &str) -> &'a Value {
    let checks = answer["data"]["checks"]
        .as_array()
        .expect("checks are a list");
    checks
        .iter()
        .find(|check| check["id"] == id)
        .unwrap_or_else(|| panic!("no check {id} in {answer:#}"))
}

#[test]
fn a_provisioned_event_is_ok() {
    let desk = live();
    let run = desk.onair(&["status", "--check"]).expect_success();
    assert_eq!(run.stdout.lines().nth(1), Some("OK"), "{run}");
}

#[test]
fn an_end_that_nobody_tends_calls_for_attention() {
    let desk = live();
    desk.onair(&["block", "192.0.2.7", "--yes", "--for", "2h"])
        .expect_success();
    let run = desk.onair(&["status", "--check"]).expect_code(3);
    assert_eq!(run.stdout.lines().nth(1), Some("ATTENTION: 1"), "{run}");
    let answer = desk
        .onair(&["-o", "json", "status", "--check"])
        .expect_code(3)
        .json();
    assert_eq!(answer["error"]["code"], "check.failed");
    assert_eq!(check(&answer, "tend")["fix"], "onair tend");
    desk.onair(&["status"]).expect_success();
}

#[test]
fn what_could_not_be_asked_is_neither_ok_nor_wrong() {
    let desk = live();
    desk.onair(&[
        "sandbox",
        "reset",
        "--keep",
        "--fault",
        "error500:wafv2.GetIPSet:nth=1,count=all",
    ])
    .expect_success();
    let answer = desk
        .onair(&["-o", "json", "status", "--check"])
        .expect_code(3)
        .json();
    assert_eq!(
        check(&answer, "ip-set:onair-cup-final-block-v4")["state"],
        "could-not-ask"
    );
    assert_eq!(check(&answer, "geo:main")["state"], "ok");
}

#[test]
fn a_roll_out_on_its_way_is_shown_until_it_is_deployed() {
    let desk = live();
    desk.onair(&["sandbox", "reset", "--keep", "--fault", "rollout=300s"])
        .expect_success();
    desk.onair(&["geo", "block", "CZ", "--confirm", "CZ"])
        .expect_success();
    let answer = desk
        .onair(&["-o", "json", "status"])
        .expect_success()
        .json();
    let rolling = check(&answer, "distribution:main");
    assert_eq!(rolling["state"], "attention");
    assert!(
        rolling["message"]
            .as_str()
            .is_some_and(|words| words.starts_with("rolling out since"))
    );
    assert_eq!(check(&answer, "geo:main")["state"], "ok");
}

#[test]
fn overtime_is_shown_and_nothing_fails_by_it() {
    let desk = live();
    desk.onair(&["sandbox", "reset", "--keep", "--at", "end+12m"])
        .expect_success();
    // The runbook's window is open by now.
    desk.onair(&["tend", "--once", "--no-verify"])
        .expect_success();
    desk.onair(&["sandbox", "reset", "--keep", "--at", "end+25m"])
        .expect_success();
    desk.onair(&["tend", "--once"]).expect_success();
    let run = desk.onair(&["status", "--check"]).expect_success();
    assert!(run.stdout.contains("OVERTIME"), "{run}");
}

#[test]
fn an_unreadable_ledger_entry_is_named() {
    let desk = live();
    desk.onair(&["block", "192.0.2.7", "--yes"])
        .expect_success();
    let entry = desk
        .files()
        .into_iter()
        .find(|path| path.to_string_lossy().contains("/ledger/entries/"))
        .expect("the ledger has an entry");
    std::fs::write(entry, "{").expect("the entry can be spoiled");
    let answer = desk
        .onair(&["-o", "json", "status", "--check"])
        .expect_code(3)
        .json();
    assert_eq!(check(&answer, "ledger")["fix"], "onair ledger verify");
}

#[test]
fn a_difference_left_by_our_own_unfinished_change_names_it() {
    let desk = Desk::new().rehearsing();
    desk.onair(&["sandbox", "reset", "--rates", "off"])
        .expect_success();
    desk.onair(&[
        "sandbox",
        "reset",
        "--keep",
        "--fault",
        "error503:cloudfront.UpdateDistribution:nth=2,count=all",
    ])
    .expect_success();
    desk.onair(&[
        "geo",
        "block",
        "IT",
        "--confirm",
        "Italy",
        "--timeout",
        "1s",
    ])
    .expect_code(6);
    let status = desk.onair(&["-o", "json", "status"]).expect_success();
    let checks = status.json()["data"]["checks"].clone();
    let geo = checks
        .as_array()
        .into_iter()
        .flatten()
        .find(|check| check["id"] == "geo:backup")
        .expect("the distribution is checked")
        .clone();
    assert_eq!(geo["state"], "attention", "{status}");
    assert_eq!(geo["fix"], "onair ledger resume jess-1", "{status}");
}
