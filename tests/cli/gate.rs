//! `onair token mode|keys|selftest`: the gate at the edge, changed without a redeploy.

use serde_json::Value;

use crate::harness::Desk;

const SECRET: &str = "0123456789abcdef0123456789abcdef";

fn desk() -> Desk {
    let desk = Desk::new().rehearsing();
    desk.onair(&["sandbox", "reset", "--rates", "off"])
        .expect_success();
    desk
}

fn mode(desk: &Desk) -> Value {
    let run = desk.onair(&["-o", "json", "token", "mode"]);
    run.expect_success().json()["data"]["mode"].clone()
}

#[test]
fn a_mode_is_set_undone_and_shown_with_whose_it_is() {
    let desk = desk();
    assert_eq!(mode(&desk), "enforce");
    desk.onair(&["token", "mode", "log", "--for", "30m", "--yes"])
        .expect_success();
    assert_eq!(mode(&desk), "log");
    let refused = desk.onair(&["token", "mode", "enforce", "--yes"]);
    assert_eq!(refused.code, 4, "{refused}");
    desk.onair(&["token", "mode", "enforce", "--confirm", "cup-final"])
        .expect_success();
    assert_eq!(mode(&desk), "enforce");
    desk.onair(&["undo", "--yes"]).expect_success();
    assert_eq!(mode(&desk), "log");
    desk.onair(&["undo", "--yes"]).expect_success();
    assert_eq!(mode(&desk), "enforce");
    // Settings are no revocations.
    let listed = desk.onair(&["-o", "json", "token", "list"]);
    let listed = listed.expect_success().json();
    assert_eq!(listed["data"]["not-in-the-ledger"], 0);
}

#[test]
fn a_dry_run_of_a_mode_says_what_would_change() {
    let desk = desk();
    let run = desk.onair(&["-o", "json", "token", "mode", "off", "--dry-run"]);
    assert_eq!(run.code, 3, "{run}");
    assert_eq!(run.json()["changed"], false);
    assert_eq!(mode(&desk), "enforce");
}

#[test]
fn keys_rotate_with_an_overlap_and_are_shown_nowhere() {
    let desk = desk();
    desk.write("next.key", SECRET);
    let add = [
        "token",
        "keys",
        "add",
        "b",
        "--key-file",
        "next.key",
        "--yes",
    ];
    let added = desk.onair(&add).expect_success();
    let again = desk.onair(&add);
    assert_eq!(again.code, 4, "{again}");
    let promoted = desk.onair(&["token", "keys", "promote", "b", "--yes"]);
    let promoted = promoted.expect_success();
    let refused = desk.onair(&["token", "keys", "retire", "b", "--confirm", "cup-final"]);
    assert_eq!(refused.code, 4, "the current key stays: {refused}");
    let retired = desk.onair(&[
        "token",
        "keys",
        "retire",
        "rehearsal-1",
        "--confirm",
        "cup-final",
    ]);
    let retired = retired.expect_success();
    let status = desk.onair(&["-o", "json", "token", "keys", "status"]);
    let status = status.expect_success();
    let keys = status.json()["data"]["keys"].clone();
    assert_eq!(keys.as_array().map(Vec::len), Some(1), "{keys}");
    assert_eq!(keys[0]["kid"], "b");
    assert_eq!(keys[0]["state"], "current");
    for run in [added, promoted, retired, status] {
        assert!(
            !format!("{}{}", run.stdout, run.stderr).contains(SECRET),
            "{run}"
        );
    }
}

#[test]
fn the_selftest_passes_here_and_on_the_embedded_cloud() {
    let desk = desk();
    for place in ["here", "aws"] {
        let run = desk.onair(&["-o", "json", "token", "selftest", "--on", place]);
        let data = run.expect_success().json()["data"].clone();
        assert_eq!(data["wrong"], 0, "{data}");
        assert!(data["right"].as_u64() >= Some(9), "{data}");
    }
    let run = desk.onair(&["token", "selftest"]).expect_success();
    assert!(!run.stdout.contains("eyJ"), "no token is shown: {run}");
}

#[test]
fn a_mode_for_a_while_is_shown_by_status_and_taken_back_by_tend_and_by_undo() {
    let desk = desk();
    let check = || {
        let run = desk.onair(&["-o", "json", "status"]).expect_success();
        let checks = run.json()["data"]["checks"].clone();
        let checks = checks.as_array().expect("checks are a list").clone();
        checks.into_iter().find(|one| one["id"] == "token-mode")
    };
    let log = ["token", "mode", "log", "--for", "10m", "--yes"];
    assert_eq!(check(), None);
    desk.onair(&log).expect_success();
    let shown = check().expect("status shows the mode");
    assert_eq!(shown["state"], "attention");
    assert_eq!(shown["fix"], "onair token mode enforce");
    let message = shown["message"].as_str().unwrap_or_default();
    for words in ["mode is log", "jess", "until"] {
        assert!(message.contains(words), "{message}");
    }
    desk.onair(&["sandbox", "reset", "--keep", "--at", "doors-23h"])
        .expect_success();
    desk.onair(&["tend", "--once"]).expect_success();
    assert_eq!(mode(&desk), "enforce");
    assert_eq!(check(), None);

    desk.onair(&log).expect_success();
    assert_eq!(mode(&desk), "log");
    desk.onair(&["undo", "--yes"]).expect_success();
    assert_eq!(mode(&desk), "enforce");
}
