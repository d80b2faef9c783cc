//! `onair dashboard`: what CloudWatch would store, what differs, what a hand changed, and the picture.

use crate::harness::Desk;

/// The stored body, by way of the loopback API.
fn desk() -> Desk {
    Desk::new().rehearsing()
}

#[test]
fn the_body_is_json_and_names_the_event() {
    let desk = desk();
    let run = desk.onair(&["dashboard", "render"]).expect_success();
    let body: serde_json::Value = serde_json::from_str(&run.stdout).expect("the body is JSON");
    let header = body["widgets"][0]["properties"]["markdown"].as_str();
    assert!(header.is_some_and(|text| text.contains("Cup Final 2026")));
    let data = desk.onair(&["-o", "json", "dashboard", "render"]).json();
    assert_eq!(data["data"]["problems"], serde_json::json!([]));
    assert_eq!(data["data"]["body"], body);
}

#[test]
fn apply_stores_it_once_and_diff_is_empty_afterward() {
    let desk = desk();
    desk.onair(&["sandbox", "reset", "--bare"]).expect_success();
    let diff = desk.onair(&["dashboard", "diff"]);
    assert_eq!(diff.code, 3, "{}", diff.stderr);
    assert!(diff.stdout.contains("is not there"), "{}", diff.stdout);
    let dry = desk.onair(&["dashboard", "apply", "--dry-run"]);
    assert_eq!(dry.code, 3);
    let refused = desk.onair(&["dashboard", "apply"]);
    assert_eq!(refused.code, 4, "nothing is stored without a word");
    let applied = desk
        .onair(&["-o", "json", "dashboard", "apply", "--yes"])
        .json();
    assert_eq!(applied["changed"], true, "{applied}");
    desk.onair(&["dashboard", "diff"]).expect_success();
    let again = desk
        .onair(&["-o", "json", "dashboard", "apply", "--yes"])
        .json();
    assert_eq!(
        (&again["ok"], &again["changed"]),
        (&true.into(), &false.into())
    );
}

#[test]
fn a_block_is_drawn_and_no_undo_takes_the_drawing_for_a_change() {
    let desk = desk();
    desk.onair(&["dashboard", "apply", "--yes"]);
    desk.onair(&[
        "block",
        "192.0.2.7",
        "--for",
        "2h",
        "-m",
        "re-stream",
        "--yes",
    ])
    .expect_success();
    let diff = desk.onair(&["-o", "json", "dashboard", "diff"]);
    assert_eq!(diff.code, 3);
    assert_eq!(diff.json()["data"]["annotations-behind"], true);
    desk.onair(&["dashboard", "apply", "--yes"])
        .expect_success();
    let body = desk.onair(&["dashboard", "render"]).expect_success().stdout;
    assert!(body.contains("192.0.2.7"), "{body}");
    desk.onair(&["dashboard", "diff"]).expect_success();
    let undone = desk.onair(&["undo", "--yes"]).expect_success();
    assert!(undone.stdout.contains("192.0.2.7"), "{}", undone.stdout);
}

#[test]
fn a_dashboard_that_moves_meanwhile_is_not_overwritten() {
    let desk = desk();
    desk.onair(&["sandbox", "reset", "--bare"]).expect_success();
    // The first read, the second read, then the write; a conflict of the service's own.
    desk.onair(&[
        "sandbox",
        "reset",
        "--bare",
        "--fault",
        "conflict:cloudwatch.PutDashboard",
    ])
    .expect_success();
    let run = desk.onair(&["-o", "json", "dashboard", "apply", "--yes"]);
    assert_eq!(run.code, 5, "{}", run.stdout);
    assert_eq!(run.json()["error"]["code"], "aws.conflict");
    desk.onair(&["dashboard", "apply", "--yes"])
        .expect_success();
}

#[test]
fn a_lost_answer_is_found_out_by_reading() {
    let desk = desk();
    desk.onair(&[
        "sandbox",
        "reset",
        "--bare",
        "--fault",
        "lost-answer:cloudwatch.PutDashboard",
    ])
    .expect_success();
    desk.onair(&["dashboard", "apply", "--yes"])
        .expect_success();
    desk.onair(&["dashboard", "diff"]).expect_success();
}

#[test]
fn open_prints_the_address_and_opens_nothing_in_rehearsal() {
    let run = desk().onair(&["-o", "json", "dashboard", "open"]).json();
    assert_eq!(run["data"]["opened"], false);
    let url = run["data"]["url"].as_str().expect("there is an address");
    assert!(
        url.ends_with("#dashboards/dashboard/onair-cup-final"),
        "{url}"
    );
}

#[test]
fn a_runbook_without_a_dashboard_is_told_what_to_add() {
    let desk = desk();
    let text = desk.read("runbooks/cup-final.toml");
    let start = text
        .find("[dashboard]")
        .expect("the worked runbook has one");
    let end = start
        + text[start + 1..]
            .find("\n[")
            .map_or(text.len() - start, |at| at + 2);
    desk.write(
        "runbooks/cup-final.toml",
        format!("{}{}", &text[..start], &text[end..]),
    );
    let run = desk.onair(&["dashboard", "diff"]);
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert!(run.stderr.contains("[dashboard]"), "{}", run.stderr);
}

#[test]
fn the_picture_in_the_documents_is_the_one_that_is_drawn() {
    let desk = desk();
    desk.onair(&["dashboard", "render", "--picture", "drawn.svg"])
        .expect_success();
    let drawn = desk.read("drawn.svg");
    assert!(
        drawn.starts_with("<svg"),
        "{}",
        &drawn[..80.min(drawn.len())]
    );
    assert!(
        drawn == include_str!("../../docs/dashboard.svg"),
        "draw it again: onair --rehearsal -e cup-final dashboard render --picture docs/dashboard.svg"
    );
}

#[test]
fn a_picture_that_would_be_no_svg_is_refused() {
    let desk = desk();
    let run = desk
        .onair(&["dashboard", "render", "--picture", "d.png"])
        .expect_code(2);
    assert!(run.stderr.contains("--picture d.svg"), "{run}");
    assert!(!desk.path("d.png").exists());
}
