//! `onair geo …`: named by the effect, undone without touching what is not ours.

use serde_json::{Value, json};

use crate::harness::{Desk, Run};

fn desk() -> Desk {
    let desk = Desk::new().rehearsing();
    desk.onair(&["sandbox", "reset", "--rates", "off"])
        .expect_success();
    desk
}

fn countries(desk: &Desk) -> Vec<Value> {
    let run = desk
        .onair(&["-o", "json", "geo", "status"])
        .expect_success();
    let distributions = run.json()["data"]["distributions"].clone();
    distributions
        .as_array()
        .into_iter()
        .flatten()
        .map(|one| one["countries"].clone())
        .collect()
}

#[track_caller]
fn refused(run: &Run, code: i32, error: &str) {
    assert_eq!(run.code, code, "{run}");
    assert_eq!(run.json()["error"]["code"], error, "{run}");
    assert_eq!(run.json()["changed"], false, "{run}");
}

#[test]
fn a_country_that_does_not_exist_is_answered_with_the_nearest() {
    let run = desk().onair(&["-o", "json", "geo", "block", "UK", "--confirm", "cup-final"]);
    refused(&run, 2, "value.malformed");
    assert!(
        run.json()["error"]["message"]
            .as_str()
            .is_some_and(|text| text.contains("GB")),
        "{run}"
    );
}

#[test]
fn any_country_needs_its_name_typed() {
    let desk = desk();
    refused(
        &desk.onair(&["-o", "json", "geo", "block", "IT", "--yes"]),
        4,
        "confirmation.missing",
    );
    refused(
        &desk.onair(&["-o", "json", "geo", "block", "IT", "--confirm", "Spain"]),
        4,
        "confirmation.wrong",
    );
    desk.onair(&["geo", "block", "IT", "--confirm", "Italy"])
        .expect_success();
}

#[test]
fn blocking_under_an_allow_list_takes_the_country_off_and_undo_puts_it_back() {
    let desk = desk();
    let before = countries(&desk);
    desk.onair(&["geo", "block", "IT", "--confirm", "Italy"])
        .expect_success();
    for list in countries(&desk) {
        assert!(
            !list
                .as_array()
                .is_some_and(|list| list.contains(&json!("IT"))),
            "{list}"
        );
    }
    desk.onair(&["undo", "--yes"]).expect_success();
    assert_eq!(countries(&desk), before);
}

#[test]
fn a_never_block_country_needs_its_override() {
    let desk = desk();
    refused(
        &desk.onair(&["-o", "json", "geo", "block", "AT", "--confirm", "Austria"]),
        4,
        "guard.never-block",
    );
    desk.onair(&[
        "geo",
        "block",
        "AT",
        "--confirm",
        "Austria",
        "--allow-never-block",
        "--allow-audience",
        "-m",
        "court order",
    ])
    .expect_success();
}

#[test]
fn an_allow_list_never_becomes_empty() {
    let desk = Desk::new();
    desk.edit_runbook(
        "countries = [\"DACH\", \"BENELUX\", \"NORDICS\", \"LI\", \"IT\", \"CZ\", \"SI\"]",
        "countries = [\"IT\"]",
    );
    desk.edit_runbook("never-block = [\"AT\", \"DE\"]", "never-block = []");
    // The window, too, would leave nobody.
    desk.edit_runbook(
        "countries = [\"IT\"]\n\n[waf]",
        "countries = [\"FR\"]\n\n[waf]",
    );
    let desk = desk.rehearsing();
    let run = desk.onair(&["-o", "json", "geo", "block", "IT", "--confirm", "Italy"]);
    refused(&run, 4, "guard.empty-allow-list");
}

#[test]
fn what_was_blocked_before_us_stays_blocked_after_our_end() {
    let desk = desk();
    // France is outside the rights: already refused, and so nothing of ours.
    let run = desk
        .onair(&["-o", "json", "geo", "block", "FR", "--confirm", "France"])
        .expect_success();
    assert_eq!(run.json()["changed"], false, "{run}");
    let before = countries(&desk);
    desk.onair(&["geo", "unblock", "FR", "--confirm", "France"])
        .expect_success();
    desk.onair(&["undo", "--yes"]).expect_success();
    assert_eq!(countries(&desk), before);
}

#[test]
fn reset_goes_to_the_runbook_and_undo_comes_back() {
    let desk = desk();
    let planned = countries(&desk);
    desk.onair(&["geo", "block", "IT", "--confirm", "Italy"])
        .expect_success();
    let blocked = countries(&desk);
    desk.onair(&["geo", "reset", "--to", "runbook", "--confirm", "cup-final"])
        .expect_success();
    assert_eq!(countries(&desk), planned);
    desk.onair(&["undo", "--yes"]).expect_success();
    assert_eq!(countries(&desk), blocked);
}

#[test]
fn one_distribution_failing_leaves_the_other_done_and_exits_6() {
    let desk = desk();
    desk.onair(&[
        "sandbox",
        "reset",
        "--keep",
        "--fault",
        "error503:cloudfront.UpdateDistribution:nth=2,count=all",
    ])
    .expect_success();
    let run = desk
        .onair(&[
            "-o",
            "json",
            "geo",
            "block",
            "IT",
            "--confirm",
            "Italy",
            "--timeout",
            "1s",
        ])
        .expect_code(6);
    let results: Vec<Value> = run.json()["data"]["outcomes"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|one| one["result"].clone())
        .collect();
    assert_eq!(results[0], "applied", "{run}");
    assert_ne!(results[1], "applied", "{run}");
    assert_eq!(run.json()["changed"], true);
}

#[test]
fn a_lost_answer_after_the_write_is_reported_as_done_once() {
    let desk = desk();
    desk.onair(&[
        "sandbox",
        "reset",
        "--keep",
        "--fault",
        "lost-answer:cloudfront.UpdateDistribution",
    ])
    .expect_success();
    let run = desk
        .onair(&["-o", "json", "geo", "block", "IT", "--confirm", "Italy"])
        .expect_success();
    for outcome in run.json()["data"]["outcomes"]
        .as_array()
        .into_iter()
        .flatten()
    {
        assert_eq!(outcome["changed"], true, "{run}");
    }
}

#[test]
fn only_the_named_distribution_changes() {
    let desk = desk();
    desk.onair(&["geo", "block", "IT", "-d", "backup", "--confirm", "Italy"])
        .expect_success();
    let lists = countries(&desk);
    assert!(
        lists[0]
            .as_array()
            .is_some_and(|list| list.contains(&json!("IT")))
    );
    assert!(
        !lists[1]
            .as_array()
            .is_some_and(|list| list.contains(&json!("IT")))
    );
}

#[test]
fn the_plan_says_how_much_of_the_forecast_it_concerns() {
    let desk = desk();
    let run = desk
        .onair(&["-o", "json", "geo", "block", "IT", "--dry-run"])
        .expect_code(3);
    let value = &run.json()["data"]["values"][0];
    assert_eq!(value["forecast-percent"], 3.5, "{run}");
    assert!(run.stdout.contains("3.5% of forecast"), "{run}");
    // 85% of the viewers are on the main distribution.
    let run = desk
        .onair(&["geo", "block", "NL", "-d", "main", "--dry-run"])
        .expect_code(4);
    assert!(run.to_string().contains("5.1% of forecast"), "{run}");
}

#[test]
fn a_country_above_the_audience_cap_needs_its_override() {
    let desk = desk();
    let netherlands = [
        "-o",
        "json",
        "geo",
        "block",
        "NL",
        "--confirm",
        "Netherlands",
    ];
    refused(&desk.onair(&netherlands), 4, "guard.audience");
    let forced = [&netherlands[..], &["--allow-audience", "-m", "rights lost"]].concat();
    desk.onair(&forced).expect_success();
    // Who is refused already is not shut out once more.
    let again = desk.onair(&netherlands);
    assert_ne!(again.json()["error"]["code"], "guard.audience", "{again}");
}

/// Moves the embedded cloud's clock and tends once.
fn tend_at(desk: &Desk, at: &str) -> Value {
    desk.onair(&["sandbox", "reset", "--keep", "--at", at])
        .expect_success();
    let run = desk
        .onair(&["-o", "json", "tend", "--once"])
        .expect_success();
    run.json()["data"]["actions"].clone()
}

fn window(desk: &Desk) -> Value {
    let run = desk
        .onair(&["-o", "json", "geo", "status"])
        .expect_success();
    run.json()["data"]["windows"][0].clone()
}

#[test]
fn a_window_is_opened_once_whoever_tends_and_closes_by_itself() {
    let desk = desk();
    let before = countries(&desk);
    assert_eq!(tend_at(&desk, "ko+1h"), json!([]));
    assert_eq!(window(&desk)["state"], "upcoming");

    desk.onair(&["sandbox", "reset", "--keep", "--at", "ko+155m"])
        .expect_success();
    let status = desk.onair(&["status", "--check"]).expect_code(3);
    assert!(status.stdout.contains("should be open since"), "{status}");
    desk.onair(&["tend", "--dry-run"]).expect_code(3);
    let opened = tend_at(&desk, "ko+156m");
    assert_eq!(opened[0]["action"], "opened", "{opened}");
    assert_eq!(opened[0]["changed"], true, "{opened}");
    assert_eq!(window(&desk)["state"], "open");
    assert_ne!(countries(&desk), before);
    assert_eq!(tend_at(&desk.as_operator("sam"), "ko+157m"), json!([]));

    let closed = tend_at(&desk, "end+61m");
    assert_eq!(closed[0]["action"], "ended", "{closed}");
    assert_eq!(countries(&desk), before);
    assert_eq!(window(&desk)["state"], "over");
}

#[test]
fn a_window_that_was_taken_back_stays_back() {
    let desk = desk();
    let before = countries(&desk);
    let opened = tend_at(&desk, "ko+155m");
    let entry = opened[0]["entry"].as_str().expect("it was opened");
    desk.onair(&["undo", entry, "--yes"]).expect_success();
    assert_eq!(countries(&desk), before);
    assert_eq!(tend_at(&desk, "ko+160m"), json!([]));
    assert_eq!(window(&desk)["state"], "taken-back");
}

/// CZ is blocked for a time, and meanwhile loses its rights in the runbook, too.
fn blocked_and_then_out_of_the_runbook() -> Desk {
    let desk = desk();
    desk.onair(&["geo", "block", "CZ", "--confirm", "Czechia", "--for", "30m"])
        .expect_success();
    desk.edit_runbook(r#""IT", "CZ", "SI""#, r#""IT", "SI""#);
    desk
}

fn serves_czechia(desk: &Desk) -> bool {
    countries(desk).iter().any(|list| {
        list.as_array()
            .is_some_and(|list| list.contains(&json!("CZ")))
    })
}

#[test]
fn an_end_goes_to_what_the_runbook_says_by_then() {
    let desk = blocked_and_then_out_of_the_runbook();
    desk.onair(&["sandbox", "reset", "--keep", "--at", "doors-23h"])
        .expect_success();
    let run = desk.onair(&["tend", "--once"]).expect_success();
    assert!(run.stdout.contains("CZ on main stays closed"), "{run}");
    assert!(!serves_czechia(&desk), "{run}");
    let again = desk.onair(&["tend", "--once"]).expect_success();
    assert!(!again.stdout.contains("CZ"), "the entry has ended: {again}");
}

#[test]
fn an_undo_goes_to_what_the_runbook_says_now() {
    let desk = blocked_and_then_out_of_the_runbook();
    let run = desk.onair(&["undo", "--yes"]).expect_success();
    let said = format!("{}{}", run.stdout, run.stderr);
    assert!(said.contains("CZ on main stays closed"), "{run}");
    assert!(!serves_czechia(&desk));
}
