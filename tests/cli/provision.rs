//! `onair provision` and `onair teardown`: made once, kept, told apart from hand edits, taken down.

use serde_json::Value;

use crate::harness::{Desk, Run};

/// A desk on what the runbook presumes, with roll-outs that take no time.
fn bare(faults: &[&str]) -> Desk {
    let desk = Desk::new().rehearsing().as_operator("jess");
    let mut arguments = vec!["sandbox", "reset", "--bare", "--rates", "off"];
    for fault in ["rollout=0s", "rollout-skew=0s"].iter().chain(faults) {
        arguments.extend(["--fault", *fault]);
    }
    desk.onair(&arguments).expect_success();
    desk
}

fn steps(run: &Run, action: &str) -> Vec<String> {
    let json = run.json();
    let steps = json["data"]["steps"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    steps
        .iter()
        .filter(|step| step["action"] == action)
        .map(|step| format!("{} {}", text(&step["kind"]), text(&step["name"])))
        .collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[test]
fn a_fresh_rehearsal_is_provisioned() {
    let desk = Desk::new().rehearsing().as_operator("jess");
    let run = desk
        .onair(&["-o", "json", "provision", "--dry-run"])
        .expect_success();
    assert_eq!(run.json()["data"]["pending"], false, "{run}");
    assert!(!steps(&run, "keep").is_empty(), "{run}");
    desk.onair(&["teardown", "--leftovers"]).expect_code(3);
}

#[test]
fn provision_makes_all_of_it_and_teardown_removes_it() {
    let desk = bare(&[]);
    let planned = desk
        .onair(&["-o", "json", "provision", "--dry-run"])
        .expect_code(3);
    assert_eq!(planned.json()["error"]["code"], "difference");
    assert!(
        steps(&planned, "create").contains(&"function onair-cup-final-gate".to_owned()),
        "{planned}"
    );
    let refused = desk.onair(&["-o", "json", "provision"]).expect_code(4);
    assert_eq!(refused.json()["changed"], false, "{refused}");
    let made = desk
        .onair(&["-o", "json", "provision", "--yes"])
        .expect_success();
    assert_eq!(made.json()["changed"], true);
    assert_eq!(made.json()["data"]["entry"]["name"], "jess-1", "{made}");
    let again = desk
        .onair(&["-o", "json", "provision", "--dry-run"])
        .expect_success();
    assert_eq!(again.json()["data"]["counts"]["change"], 0, "{again}");
    desk.onair(&["-o", "json", "undo", "jess-1", "--yes"])
        .expect_code(4);
    desk.onair(&["-o", "json", "teardown", "--yes"])
        .expect_code(4);
    desk.onair(&["-o", "json", "teardown", "--confirm", "cup-final"])
        .expect_success();
    let left = desk
        .onair(&["-o", "json", "teardown", "--leftovers"])
        .expect_success();
    assert_eq!(
        left.json()["data"]["resources"],
        serde_json::json!([]),
        "{left}"
    );
    desk.onair(&["teardown", "--confirm", "cup-final"])
        .expect_success();
}

#[test]
fn a_run_that_dies_at_a_write_is_finished_by_the_next() {
    for fault in [
        "crash-after:wafv2.CreateIPSet",
        "crash-after:wafv2.UpdateWebACL",
        "crash-after:cloudfront.CreateKeyValueStore",
        "crash-after:cloudfront.CreateFunction",
        "crash-before:cloudfront.PublishFunction",
        "crash-after:cloudfront.CreateMonitoringSubscription",
        "crash-after:cloudfront.UpdateDistribution",
        "crash-before:cloudfront.UpdateDistribution:nth=2",
    ] {
        let desk = bare(&[fault]);
        let died = desk.onair(&["provision", "--yes"]);
        assert_ne!(died.code, 0, "{fault}: {died}");
        desk.onair(&["provision", "--yes"]).expect_success();
        desk.onair(&["provision", "--dry-run"]).expect_success();
        // All of it is ours, also what the first run made before it died.
        desk.onair(&["teardown", "--confirm", "cup-final"])
            .expect_success();
        desk.onair(&["teardown", "--leftovers"]).expect_success();
    }
}

#[test]
fn what_was_set_live_still_stands_after_provision() {
    let desk = bare(&[]);
    desk.onair(&["provision", "--yes"]).expect_success();
    desk.onair(&["event", "phase", "live", "--yes"])
        .expect_success();
    desk.onair(&["block", "192.0.2.7", "--for", "2h", "--yes"])
        .expect_success();
    desk.onair(&["geo", "block", "SI", "--confirm", "Slovenia"])
        .expect_success();
    desk.onair(&["provision", "--dry-run"]).expect_success();
    let geo = desk
        .onair(&["-o", "json", "geo", "status"])
        .expect_success();
    assert!(
        !geo.json()["data"]["distributions"]
            .to_string()
            .contains("\"SI\""),
        "{geo}"
    );
    desk.onair(&["teardown", "--confirm", "cup-final"])
        .expect_code(4);
}

#[test]
fn in_phase_live_it_needs_break_glass_with_a_reason() {
    let desk = bare(&[]);
    desk.onair(&["event", "phase", "live", "--yes"])
        .expect_success();
    let run = desk
        .onair(&["-o", "json", "provision", "--yes"])
        .expect_code(4);
    assert_eq!(run.json()["error"]["code"], "guard.phase", "{run}");
    let run = desk
        .onair(&["-o", "json", "provision", "--yes", "--break-glass"])
        .expect_code(4);
    assert_eq!(run.json()["error"]["code"], "guard.reason", "{run}");
    desk.onair(&["provision", "--yes", "--break-glass", "-m", "late start"])
        .expect_success();
}

#[test]
fn kinds_are_checked_and_the_lines_for_terraform_printed() {
    let desk = bare(&[]);
    let run = desk
        .onair(&["provision", "--only", "functoin", "--dry-run"])
        .expect_code(2);
    assert!(run.stderr.contains("function"), "{run}");
    let run = desk
        .onair(&["provision", "--dry-run", "--iac", "terraform"])
        .expect_code(3);
    assert!(run.stdout.contains("ignore_changes"), "{run}");
}

#[test]
fn each_foreign_resource_is_listed_once_for_terraform_also_when_nothing_is_pending() {
    let desk = bare(&[]);
    desk.onair(&["provision", "--yes"]).expect_success();
    let run = desk
        .onair(&["provision", "--dry-run", "--iac", "terraform"])
        .expect_success();
    let count = |words: &str| run.stdout.matches(words).count();
    assert_eq!(count("to = aws_cloudfront_distribution."), 2, "{run}");
    assert_eq!(count("to = aws_wafv2_web_acl."), 1, "{run}");
}

#[test]
fn what_is_in_use_is_not_waited_for_but_refused_with_the_way_out() {
    let desk = bare(&[]);
    desk.onair(&["provision", "--yes"]).expect_success();
    for (only, holder) in [
        ("function", "distribution"),
        ("key-value-store", "function"),
        ("realtime-log-config", "distribution"),
        ("ip-set", "web-acl-rule"),
    ] {
        let run = desk
            .onair(&["teardown", "--only", only, "--confirm", "cup-final"])
            .expect_code(4);
        assert!(run.stderr.contains("is in use by"), "{run}");
        let way_out = format!("onair teardown --only {only},{holder}");
        assert!(run.stderr.contains(&way_out), "{run}");
    }
    let both = ["teardown", "--only", "function,distribution"];
    desk.onair(&[&both[..], &["--confirm", "cup-final"]].concat())
        .expect_success();
}

#[test]
fn a_choice_that_leaves_nothing_is_a_usage_error() {
    let desk = bare(&[]);
    for command in ["provision", "teardown"] {
        let run = desk
            .onair(&[command, "--only", "function", "--skip", "function"])
            .expect_code(2);
        assert!(run.stderr.contains("leave nothing to do"), "{run}");
    }
}

#[test]
fn tables_say_what_the_plan_comes_to() {
    let desk = Desk::new().rehearsing();
    for format in ["markdown", "csv"] {
        let run = desk
            .onair(&["-o", format, "provision", "--dry-run"])
            .expect_success();
        assert!(run.stdout.contains("PROVISION: keep"), "{run}");
    }
}

#[test]
fn a_store_whose_run_was_cut_off_gets_its_key_from_the_next() {
    let desk = bare(&[]);
    desk.onair(&["provision", "--only", "key-value-store", "--yes"])
        .expect_success();
    desk.onair(&["provision", "--yes"]).expect_success();
    let keys = desk.onair(&["token", "keys", "status"]).expect_success();
    assert!(keys.stdout.contains("rehearsal-1"), "{keys}");
}

#[test]
fn a_closed_event_is_made_again_only_when_its_name_is_typed() {
    let desk = bare(&[]);
    // Closed, with nothing there to look through.
    desk.onair(&["event", "close", "--yes"]).expect_code(3);
    let run = desk.onair(&["-o", "json", "provision", "--yes"]);
    assert_eq!(run.code, 4, "{run}");
    let message = run.json()["error"]["message"].to_string();
    assert!(message.contains("cup-final is closed"), "{message}");
    desk.onair(&["provision", "--confirm", "cup-final"])
        .expect_success();
}

#[test]
fn another_event_counts_only_while_it_is_on() {
    let desk = bare(&[]);
    let other = desk
        .read("runbooks/cup-final.toml")
        .replace("id = \"cup-final\"", "id = \"semi-final\"")
        .replace("2026-06-", "2028-06-");
    desk.write("runbooks/semi-final.toml", other);
    let desk = desk.always(&["-e", "cup-final"]);
    let run = desk.onair(&["provision", "--yes"]).expect_success();
    assert!(
        run.to_string().contains("also serves event semi-final"),
        "{run}"
    );
}
