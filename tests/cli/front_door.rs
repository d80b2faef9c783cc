//! The front door: what the binary answers before any command is chosen, and the harness itself.

use crate::harness::Desk;

#[test]
fn says_its_version() {
    let desk = Desk::new();
    let run = desk.onair(&["--version"]).expect_success();
    assert_eq!(
        run.stdout,
        concat!("onair ", env!("CARGO_PKG_VERSION"), "\n")
    );
}

#[test]
fn a_usage_error_is_json_when_asked() {
    let desk = Desk::new();
    let run = desk.onair(&["-o", "json", "ip", "blokc"]).expect_code(2);
    let answer = run.json();
    assert_eq!(answer["ok"], false);
    assert_eq!(answer["schema"], "onair/1");
}

#[test]
fn two_operators_share_a_rehearsal() {
    let jess = Desk::new().rehearsing();
    let tom = jess.as_operator("tom");
    jess.onair(&["block", "192.0.2.7", "--yes"])
        .expect_success();
    let answer = tom
        .onair(&["-o", "json", "block", "192.0.2.8", "--yes"])
        .expect_success()
        .json();
    assert_eq!(answer["operator"], "tom");
    assert_eq!(answer["target"], "rehearsal");
    assert!(!jess.files().is_empty());
}

#[test]
fn a_served_cloud_is_an_endpoint_and_never_live() {
    let desk = Desk::new();
    let served = desk.sandbox_serve();
    let desk = desk.against(&served.url);
    let answer = desk
        .onair(&["-o", "json", "block", "192.0.2.7", "--yes"])
        .expect_success()
        .json();
    assert_eq!(answer["target"], "endpoint");
    assert_eq!(answer["changed"], true);
}

#[test]
fn values_come_from_standard_input() {
    let desk = Desk::new().rehearsing();
    let input = "# seen by the crew\n192.0.2.7\n192.0.2.9\n";
    let run = desk.onair_with_input(&["-o", "json", "block", "-", "--yes"], input);
    assert_eq!(run.expect_success().json()["changed"], true);
}

#[test]
fn what_varies_is_redacted() {
    let desk = Desk::new();
    let text = format!(
        "{} 01ARZ3NDEKTSV4RRFFQ69G5FAV at 2026-06-14T18:30:00Z on http://127.0.0.1:4599/x",
        desk.path("runbooks").display()
    );
    assert_eq!(
        desk.redact(&text),
        "[FOLDER]/runbooks [ULID] at [TIME] on http://127.0.0.1:[PORT]/x"
    );
    desk.edit_runbook("Cup Final 2026", "Cup Final");
    let run = desk.onair(&["--version"]);
    assert!(run.shown(&desk).starts_with("exit 0\n--- stdout\nonair "));
}

#[test]
fn a_started_process_can_be_killed() {
    let desk = Desk::new();
    let mut child = desk
        .command(&["-e", "cup-final", "sandbox", "serve", "--port", "0"])
        .spawn()
        .expect("the binary can be run");
    assert!(child.try_wait().expect("it can be asked").is_none());
    child.kill().expect("it can be killed");
    let status = child.wait().expect("it ends");
    assert!(!status.success());
}
