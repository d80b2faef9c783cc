//! `onair token mode|keys|selftest`: the gate at the edge, changed without a redeploy.

use serde_json::{Value, json};

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

/// The check of the gate's mode, judged for a phase, and the run's exit code.
fn mode_check(desk: &Desk, phase: &str) -> (Value, i32) {
    let run = desk.onair(&[
        "-o",
        "json",
        "preflight",
        "--only",
        "tokens.mode",
        "--for-phase",
        phase,
    ]);
    (run.json()["data"]["checks"][0].clone(), run.code)
}

#[test]
fn a_gate_that_was_switched_off_is_a_warning_and_no_go_when_live() {
    let desk = desk();
    assert_eq!(mode_check(&desk, "live").0["status"], "pass");
    let off = desk
        .onair(&["token", "mode", "off", "--yes", "-m", "players fail"])
        .expect_success();
    assert!(off.to_string().contains("NOBODY IS REFUSED"), "{off}");
    let (check, code) = mode_check(&desk, "freeze");
    assert_eq!(
        (&check["status"], &check["severity"], code),
        (&json!("fail"), &json!("warning"), 0),
        "{check}"
    );
    let (check, code) = mode_check(&desk, "live");
    assert_eq!(
        (&check["status"], &check["severity"], code),
        (&json!("fail"), &json!("error"), 3),
        "{check}"
    );
    let evidence = check["evidence"].as_str().unwrap_or_default();
    assert!(
        evidence.contains("off instead of enforce: jess (jess-1)"),
        "{check}"
    );
    assert_eq!(
        check["fix"],
        "onair undo jess-1, or onair token mode enforce"
    );
    desk.onair(&["undo", "jess-1", "--yes"]).expect_success();
    assert_eq!(mode_check(&desk, "live").0["status"], "pass");
}

#[test]
fn a_key_that_is_no_new_one_is_refused_and_what_is_missing_is_named() {
    let desk = desk();
    desk.write("b.key", SECRET);
    let add =
        |kid: &str| desk.onair(&["token", "keys", "add", kid, "--key-file", "b.key", "--yes"]);
    add("b").expect_success();
    let again = add("c").expect_code(4);
    assert!(
        again.stderr.contains("in the store already, as key `b`"),
        "{again}"
    );

    let empty = desk.onair(&["token", "keys", "add", "d"]).expect_code(2);
    assert!(empty.stderr.contains("standard input was empty"), "{empty}");
    assert!(
        empty.stderr.contains("onair token keys add d --key-env"),
        "{empty}"
    );

    desk.write("d.key", "fedcba9876543210fedcba9876543210");
    let unconfirmed = desk
        .onair(&["token", "keys", "add", "d", "--key-file", "d.key"])
        .expect_code(4);
    assert!(
        unconfirmed
            .stderr
            .contains("ADD signing key d as the next one"),
        "the plan is shown: {unconfirmed}"
    );
    let absent = ["token", "selftest", "--key-file", "/nonexistent"];
    let absent = desk.onair(&absent).expect_code(2);
    assert!(absent.stderr.contains("/nonexistent"), "{absent}");
}

#[test]
fn a_rehearsals_key_is_as_old_as_the_rehearsal() {
    let desk = desk();
    let run = desk.onair(&["-o", "json", "token", "keys", "status"]);
    let since = run.expect_success().json()["data"]["keys"][0]["since"].clone();
    // A day before doors, which open 90 minutes before kickoff.
    let since = since.as_str().expect("it is known").to_owned();
    assert!(since.starts_with("2026-06-13T17:00:"), "{since}");
}

#[test]
fn undo_passes_over_a_rotation_of_keys() {
    let desk = desk();
    desk.onair(&["block", "192.0.2.7", "--for", "2h", "--yes"])
        .expect_success();
    desk.write("b.key", SECRET);
    let add = ["token", "keys", "add", "b", "--key-file", "b.key", "--yes"];
    desk.onair(&add).expect_success();
    let undone = desk.onair(&["undo", "--yes"]).expect_success();
    assert!(undone.stdout.contains("UNDO jess-1"), "{undone}");
    assert!(undone.stdout.contains("passed over"), "{undone}");
    assert!(
        undone.stdout.contains("jess-2 (ADD signing key b"),
        "{undone}"
    );
    let nothing = desk.onair(&["undo", "--yes"]).expect_code(2);
    assert!(
        nothing.stderr.contains("nothing that could be taken back"),
        "{nothing}"
    );
}

/// The proof of a change of mode or rule.
fn proof(desk: &Desk, arguments: &[&str]) -> (Value, String) {
    let all = [&["-o", "json"][..], arguments, &["--verify"]].concat();
    let proof = desk.onair(&all).expect_success().json()["data"]["proof"].clone();
    let evidence = proof["evidence"].as_str().unwrap_or_default().to_owned();
    (proof["state"].clone(), evidence)
}

#[test]
fn a_mode_is_proved_by_a_request_without_a_token_and_a_rule_is_read_back() {
    let desk = desk();
    let (state, evidence) = proof(&desk, &["token", "mode", "off", "--yes"]);
    assert_eq!(state, "proved", "{evidence}");
    assert!(
        evidence.contains("let a request without a token pass"),
        "{evidence}"
    );
    let enforce = ["token", "mode", "enforce", "--confirm", "cup-final"];
    let (state, evidence) = proof(&desk, &enforce);
    assert_eq!(state, "proved", "{evidence}");
    assert!(
        evidence.contains("refuse a request without a token"),
        "{evidence}"
    );

    // WAF's word is known, and what the edges have is not: never green.
    let block = ["rule", "block", "rate", "--confirm", "cup-final"];
    let (state, evidence) = proof(&desk, &block);
    assert_eq!(state, "unavailable", "{evidence}");
    assert!(
        evidence.contains("per WAF, onair-cup-final-rate blocks"),
        "{evidence}"
    );
    let (_, evidence) = proof(&desk, &["undo", "--yes"]);
    assert!(
        evidence.contains("per WAF, onair-cup-final-rate counts"),
        "{evidence}"
    );
}

#[test]
fn a_revocation_is_proved_by_a_token_that_the_gate_itself_reads() {
    let desk = desk();
    let revoke = ["token", "revoke", "--by", "sub", "8841", "--yes"];
    let (state, evidence) = proof(&desk, &revoke);
    assert_eq!(state, "proved", "{evidence}");
    let (state, evidence) = proof(&desk, &["undo", "--yes"]);
    assert_eq!(state, "proved", "{evidence}");
    assert!(evidence.contains("let 1 restored key pass"), "{evidence}");
}
