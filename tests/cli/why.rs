//! `onair why`, and the proof that a change asks for.

use serde_json::Value;

use crate::harness::Desk;

/// A rehearsal in the live phase whose changes reach all edges at once.
fn live() -> Desk {
    live_with(&[])
}

fn live_with(faults: &[&str]) -> Desk {
    let desk = Desk::new().rehearsing();
    let mut arguments = vec!["sandbox", "reset", "--at", "ko+20m", "--rates", "off"];
    let all = ["rollout=0s", "rollout-skew=0s"];
    for fault in all.iter().chain(faults) {
        arguments.extend(["--fault", fault]);
    }
    desk.onair(&arguments).expect_success();
    desk
}

fn why(desk: &Desk, arguments: &[&str]) -> Value {
    let mut all = vec!["-o", "json", "why"];
    all.extend(arguments);
    desk.onair(&all).expect_success().json()
}

fn layer<'a>(answer: &'a Value, layer: &str) -> &'a Value {
    let layers = answer["data"]["distributions"][0]["layers"]
        .as_array()
        .expect("layers are a list");
    layers
        .iter()
        .find(|one| one["layer"] == layer)
        .unwrap_or_else(|| panic!("no layer {layer} in {answer:#}"))
}

#[test]
fn names_the_change_that_blocks_an_address_and_the_command_that_lifts_it() {
    let desk = live();
    desk.onair(&["block", "192.0.2.7", "--yes", "-m", "re-stream"])
        .expect_success();
    let answer = why(&desk, &["192.0.2.7", "--country", "AT"]);
    let data = &answer["data"];
    assert_eq!(data["kind"], "address");
    assert_eq!(data["distributions"].as_array().map(Vec::len), Some(2));
    assert_eq!(data["distributions"][0]["decision"], "refused");
    assert_eq!(data["distributions"][0]["refused-by"], "waf");
    assert_eq!(layer(&answer, "geo")["state"], "allowed");
    assert_eq!(layer(&answer, "function")["state"], "not-evaluated");
    assert_eq!(data["entries"][0]["entry"], "jess-1");
    assert_eq!(data["entries"][0]["reason"], "re-stream");
    assert_eq!(data["entries"][0]["until"], "event");
    assert_eq!(data["hits"]["state"], "unknown");
    assert_eq!(data["lift"], "onair unblock 192.0.2.7");

    desk.onair(&["unblock", "192.0.2.7", "--yes"])
        .expect_success();
    let data = &why(&desk, &["192.0.2.7", "--country", "AT"])["data"];
    assert_eq!(data["distributions"][0]["decision"], "served");
    assert_eq!(data["entries"].as_array().map(Vec::len), Some(0));
    assert_eq!(data["lift"], Value::Null);
}

#[test]
fn a_country_is_kept_out_by_the_runbook_or_by_a_change() {
    let desk = live();
    let answer = why(&desk, &["US"]);
    assert_eq!(layer(&answer, "geo")["state"], "refused");
    assert!(
        answer["data"]["drift"][0]
            .as_str()
            .is_some_and(|words| words.contains("not in the rights"))
    );
    assert_eq!(answer["data"]["lift"], "onair geo unblock US");

    desk.onair(&["geo", "block", "CZ", "--confirm", "CZ"])
        .expect_success();
    let answer = why(&desk, &["Czechia"]);
    assert_eq!(answer["data"]["distributions"][0]["refused-by"], "geo");
    assert_eq!(answer["data"]["entries"][0]["entry"], "jess-1");
    assert_eq!(answer["data"]["lift"], "onair geo unblock CZ");
}

#[test]
fn what_could_not_be_read_is_never_called_allowed() {
    let desk = live();
    desk.onair(&["block", "192.0.2.7", "--yes"])
        .expect_success();
    desk.onair(&[
        "sandbox",
        "reset",
        "--keep",
        "--fault",
        "error500:wafv2.GetIPSet:nth=1,count=all",
    ])
    .expect_success();
    let answer = why(&desk, &["192.0.2.7", "--country", "AT"]);
    assert_eq!(answer["data"]["distributions"][0]["decision"], "unknown");
    assert_eq!(layer(&answer, "waf")["state"], "could-not-ask");
    assert_eq!(answer["data"]["entries"][0]["entry"], "jess-1");
}

#[test]
fn a_claim_that_is_not_revoked_and_a_change_are_explained() {
    let desk = live();
    let answer = why(&desk, &["sub:8841"]);
    assert_eq!(answer["data"]["kind"], "claim");
    assert_eq!(layer(&answer, "revocation")["state"], "allowed");
    assert_eq!(answer["data"]["hits"]["state"], "unknown");

    desk.onair(&["block", "192.0.2.7", "--yes"])
        .expect_success();
    let answer = why(&desk, &["jess-1"]);
    assert_eq!(answer["data"]["kind"], "entry");
    assert_eq!(answer["data"]["lift"], "onair undo jess-1");
}

#[test]
fn a_log_line_and_a_url_name_the_viewer_and_the_distribution() {
    let desk = live();
    desk.onair(&["block", "192.0.2.7", "--yes"])
        .expect_success();
    let fields = [
        "2026-06-14",
        "18:50:01",
        "VIE50-C1",
        "512",
        "192.0.2.7",
        "GET",
        "d111.cloudfront.net",
        "/cup-final/master.m3u8",
        "403",
        "-",
        "player/1.0",
        "-",
        "-",
        "Error",
        "id==",
        "live.example.com",
        "https",
        "100",
        "0.001",
    ];
    let run = desk
        .onair_with_input(&["-o", "json", "why", "-"], fields.join("\t"))
        .expect_success()
        .json();
    assert_eq!(run["data"]["kind"], "log-line");
    assert_eq!(
        run["data"]["distributions"].as_array().map(Vec::len),
        Some(1)
    );
    assert_eq!(run["data"]["distributions"][0]["refused-by"], "waf");

    let url = why(
        &desk,
        &[
            "https://live-backup.example.com/x.m3u8",
            "--address",
            "192.0.2.7",
            "--country",
            "AT",
        ],
    );
    assert_eq!(url["data"]["distributions"][0]["name"], "backup");
    assert_eq!(url["data"]["lift"], "onair unblock 192.0.2.7");
}

#[test]
fn a_token_is_looked_up_and_never_repeated() {
    let desk = live();
    // {"alg":"HS256"} . {"sub":"8841"} . a signature that nobody checks here
    let token =
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI4ODQxIn0.c2lnbmF0dXJlLW9mLW5vYm9keS0zMi1ieXRlcy14eXo";
    let hidden = desk
        .onair_with_input(&["-o", "json", "why", "-"], token)
        .expect_success();
    assert_eq!(hidden.json()["data"]["kind"], "token");
    assert_eq!(hidden.json()["warnings"].as_array().map(Vec::len), Some(0));
    let open = desk.onair(&["why", token]).expect_success();
    assert!(open.stderr.contains("onair why -"), "{open}");
    let cut = desk.onair(&["why", &token[..50]]).expect_code(2);
    for run in [hidden, open, cut] {
        assert!(!run.to_string().contains(&token[..40]), "{run}");
    }
}

#[test]
fn what_is_nothing_known_is_a_usage_error_with_something_to_type() {
    let desk = live();
    for (what, words) in [
        ("300.1.1.1", "is not an address"),
        ("Austra", "onair why AT (Austria)"),
        ("::ffff:192.0.2.7", "write 192.0.2.7 instead"),
        (
            "https://elsewhere.example.org/x",
            "not one of the event's distributions",
        ),
        ("jess-9", "no change `jess-9`"),
    ] {
        let run = desk.onair(&["why", what]).expect_code(2);
        assert!(run.stderr.contains(words), "{run}");
    }
}

#[test]
fn a_change_is_proved_when_every_edge_has_it_and_not_before() {
    let desk = live();
    let proved = desk
        .onair(&["-o", "json", "block", "192.0.2.7", "--yes", "--verify"])
        .expect_success()
        .json();
    assert_eq!(proved["data"]["proof"]["state"], "proved");
    assert_eq!(proved["data"]["proof"]["kind"], "rollout");
    let undone = desk
        .onair(&["-o", "json", "undo", "--yes", "--verify"])
        .expect_success()
        .json();
    assert_eq!(undone["data"]["proof"]["state"], "proved");

    desk.onair(&["sandbox", "reset", "--keep", "--fault", "rollout=300s"])
        .expect_success();
    let run = desk
        .onair(&[
            "-o",
            "json",
            "geo",
            "block",
            "CZ",
            "--confirm",
            "CZ",
            "--verify",
        ])
        .expect_code(7)
        .json();
    assert_eq!(run["data"]["proof"]["state"], "not-yet");
    assert_eq!(run["error"]["code"], "not-yet");
    assert_eq!(run["changed"], true);
    assert!(
        run["data"]["proof"]["evidence"]
            .as_str()
            .is_some_and(|words| words.starts_with("0 of 8 edges")),
        "{run:#}"
    );
}

#[test]
fn what_the_ledger_does_not_explain_is_called_someone_elses() {
    let desk = live();
    desk.onair(&["block", "192.0.2.7", "--yes"])
        .expect_success();
    let ledger = desk
        .files()
        .into_iter()
        .find_map(|path| {
            path.ancestors()
                .find(|one| one.ends_with("ledger"))
                .map(std::path::Path::to_path_buf)
        })
        .expect("there is a ledger");
    std::fs::remove_dir_all(ledger).expect("the ledger can be removed");
    let data = &why(&desk, &["192.0.2.7", "--country", "AT"])["data"];
    assert_eq!(data["distributions"][0]["decision"], "refused");
    assert_eq!(data["entries"].as_array().map(Vec::len), Some(0));
    assert!(
        data["drift"][0]
            .as_str()
            .is_some_and(|words| words.contains("not in the ledger"))
    );
    assert_eq!(data["lift"], "onair unblock 192.0.2.7");
}

#[test]
fn a_revoked_claim_is_refused_and_comes_back_by_the_command_named() {
    let desk = live();
    desk.onair(&["revoke", "--by", "sub", "8841", "--yes"])
        .expect_success();
    let answer = why(&desk, &["sub:8841"]);
    assert_eq!(layer(&answer, "revocation")["state"], "refused");
    assert_eq!(answer["data"]["entries"][0]["entry"], "jess-1");
    assert_eq!(answer["data"]["lift"], "onair token restore --by sub 8841");
    desk.onair(&["token", "restore", "--by", "sub", "8841", "--yes"])
        .expect_success();
    let answer = why(&desk, &["sub:8841"]);
    assert_eq!(layer(&answer, "revocation")["state"], "allowed");
}

/// A token for these claims, signed with a key that was made the current one.
fn minted(desk: &Desk, claims: &[&str]) -> String {
    let mut all = vec!["token", "mint", "--key-file", "next.key"];
    for claim in claims {
        all.extend(["--claim", claim]);
    }
    desk.onair(&all).expect_success().stdout.trim().to_owned()
}

fn with_key() -> Desk {
    let desk = live();
    desk.write("next.key", "0123456789abcdef0123456789abcdef");
    let add = [
        "token",
        "keys",
        "add",
        "b",
        "--key-file",
        "next.key",
        "--yes",
    ];
    desk.onair(&add).expect_success();
    desk
}

fn why_hidden(desk: &Desk, token: &str, more: &[&str]) -> Value {
    let mut all = vec!["-o", "json", "why", "-"];
    all.extend(more);
    let run = desk.onair_with_input(&all, token.to_owned());
    let run = run.expect_success();
    assert!(!run.stdout.contains(token), "the token is shown: {run}");
    run.json()
}

const VIEWER: [&str; 2] = ["path=/cup-final/", "geo=AT"];

#[test]
fn a_token_is_judged_by_the_gate_itself() {
    let desk = with_key();
    let good = minted(&desk, &["sub=8841", VIEWER[0], VIEWER[1]]);
    let answer = why_hidden(&desk, &good, &["--country", "AT"]);
    let gate = layer(&answer, "function");
    assert_eq!(gate["state"], "allowed", "{answer:#}");
    assert!(
        gate["reason"].as_str().unwrap().contains("the live code"),
        "{gate}"
    );
    // Where the viewer is unknown the claim on it is, too; and that is no refusal.
    let answer = why_hidden(&desk, &good, &[]);
    assert_eq!(layer(&answer, "function")["state"], "not-evaluated");

    let altered = format!("{}AAAA", &good[..good.len() - 4]);
    let answer = why_hidden(&desk, &altered, &["--country", "AT"]);
    let gate = layer(&answer, "function");
    assert_eq!(gate["state"], "refused", "{answer:#}");
    assert_eq!(gate["status"], 401);
    assert!(gate["reason"].as_str().unwrap().starts_with("signature"));
    assert_eq!(answer["data"]["lift"], Value::Null);

    let elsewhere = format!("https://live.example.com/other/a.m3u8?token={good}");
    let run = desk
        .onair(&["-o", "json", "why", &elsewhere, "--country", "AT"])
        .expect_success();
    assert!(!run.stdout.contains(&good), "{run}");
    let answer = run.json();
    let gate = layer(&answer, "function");
    assert_eq!(gate["status"], 403, "{answer:#}");
    assert!(gate["reason"].as_str().unwrap().starts_with("path"));
}

#[test]
fn a_revoked_token_is_not_felt_while_the_gate_only_logs() {
    let desk = with_key();
    let token = minted(&desk, &["sub=8841", VIEWER[0], VIEWER[1]]);
    desk.onair(&["revoke", "--by", "sub", "8841", "--yes"])
        .expect_success();
    let answer = why_hidden(&desk, &token, &["--country", "AT"]);
    assert_eq!(layer(&answer, "function")["state"], "allowed");
    assert_eq!(layer(&answer, "revocation")["state"], "refused");
    assert_eq!(answer["data"]["lift"], "onair token restore --by sub 8841");

    for (mode, words) in [("log", "the gate only logs"), ("off", "the gate is off")] {
        desk.onair(&["token", "mode", mode, "--for", "10m", "--yes"])
            .expect_success();
        for answer in [
            why_hidden(&desk, &token, &["--country", "AT"]),
            why(&desk, &["sub:8841", "--country", "AT"]),
        ] {
            let revocation = layer(&answer, "revocation");
            assert_eq!(revocation["state"], "counted", "{answer:#}");
            assert!(revocation["reason"].as_str().unwrap().contains(words));
            assert_eq!(answer["data"]["distributions"][0]["decision"], "served");
            let note = answer["data"]["notes"][0].as_str().unwrap();
            assert!(
                note.contains(&format!("mode is {mode}, set by jess")),
                "{note}"
            );
            assert_eq!(answer["data"]["lift"], "onair token restore --by sub 8841");
        }
    }
}

#[test]
fn without_the_live_code_the_runbooks_code_is_run_and_called_so() {
    let desk = with_key();
    let token = minted(&desk, &["sub=8841", VIEWER[0], VIEWER[1]]);
    desk.onair(&[
        "sandbox",
        "reset",
        "--keep",
        "--fault",
        "error500:cloudfront.GetFunction:nth=1,count=all",
    ])
    .expect_success();
    let answer = why_hidden(&desk, &token, &["--country", "AT"]);
    let gate = layer(&answer, "function");
    assert_eq!(gate["state"], "allowed", "{answer:#}");
    assert!(
        gate["reason"]
            .as_str()
            .unwrap()
            .contains("this runbook's code")
    );
}
