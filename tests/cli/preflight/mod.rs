//! `onair preflight`: a fresh rehearsal is a GO, and each fault turns exactly the checks it should.

mod faults;

use std::collections::BTreeMap;

use serde_json::Value;

use super::harness::{Desk, Run};
use faults::{FAULTS, WARNINGS};

/// A rehearsal that was provisioned, for others to be copied from.
fn provisioned() -> Desk {
    let desk = Desk::new();
    let run = desk.onair(&["-e", "cup-final", "sandbox", "show"]);
    assert_eq!(run.code, 0, "{run}");
    desk
}

/// The same in a folder of its own.
fn copy_of(desk: &Desk) -> Desk {
    let copy = Desk::new();
    let from = desk.path("runbooks/.onair/rehearsal/cup-final/cloud");
    for entry in std::fs::read_dir(from).expect("the embedded cloud's state is as it is written") {
        let entry = entry.expect("the embedded cloud's state is as it is written");
        let name = entry
            .file_name()
            .into_string()
            .expect("the embedded cloud's state is as it is written");
        let content =
            std::fs::read(entry.path()).expect("the embedded cloud's state is as it is written");
        copy.write(
            &format!("runbooks/.onair/rehearsal/cup-final/cloud/{name}"),
            content,
        );
    }
    copy
}

/// A part of the embedded cloud's state, by the name of its file.
fn part(desk: &Desk, name: &str) -> Value {
    part_of(desk, "cup-final", name)
}

/// The same of another event.
fn part_of(desk: &Desk, event: &str, name: &str) -> Value {
    let folder = desk.path(&format!("runbooks/.onair/rehearsal/{event}/cloud"));
    let file = std::fs::read_dir(folder)
        .expect("the embedded cloud's state is there")
        .map(|entry| {
            entry
                .expect("the embedded cloud's state is as it is written")
                .path()
        })
        .find(|path| {
            let file = path
                .file_name()
                .expect("the embedded cloud's state is as it is written")
                .to_string_lossy();
            file.starts_with(&format!("{name}."))
        })
        .expect("the embedded cloud's state is there");
    serde_json::from_slice(
        &std::fs::read(file).expect("the embedded cloud's state is as it is written"),
    )
    .expect("the embedded cloud's state is as it is written")
}

fn preflight(desk: &Desk, more: &[&str]) -> Run {
    let mut arguments = vec!["--rehearsal", "-e", "cup-final", "preflight"];
    arguments.extend(more);
    desk.onair(&arguments)
}

/// Severity by id of what fails or could not be asked.
fn turned(run: &Run) -> BTreeMap<String, String> {
    let answer: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run}"));
    let checks = answer["data"]["checks"]
        .as_array()
        .expect("the embedded cloud's state is as it is written");
    checks
        .iter()
        .filter(|check| check["status"] == "fail" || check["status"] == "could-not-ask")
        .map(|check| {
            let word = |key: &str| {
                check[key]
                    .as_str()
                    .expect("the embedded cloud's state is as it is written")
                    .to_owned()
            };
            (word("id"), word("severity"))
        })
        .collect()
}

#[test]
fn each_fault_turns_exactly_the_checks_it_should() {
    let desk = provisioned();
    let policies = &part(&desk, "cloudfront")["beside"]["cache-policies"];
    let manifest = policies.as_object().unwrap().keys().next().unwrap();
    let certificates = part(&desk, "acm")["certificates"].clone();
    let certificate = certificates
        .as_object()
        .unwrap()
        .iter()
        .find(|(_, one)| one["names"][0] == "live.example.com")
        .map(|(arn, _)| arn.replace('/', "~1"))
        .unwrap();
    let stores = part(&desk, "keyvaluestore");
    let store = stores.as_object().unwrap().keys().next().unwrap();
    let store = store.replace('/', "~1");
    let next = std::sync::atomic::AtomicUsize::new(0);
    let wrong = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    let Some((fault, changes, expected)) = FAULTS.get(at) else {
                        return;
                    };
                    let desk = copy_of(&desk);
                    for change in *changes {
                        let words: Vec<String> = change
                            .iter()
                            .map(|word| {
                                word.replace("@MANIFEST@", manifest)
                                    .replace("@CERT@", &certificate)
                                    .replace("@STORE@", &store)
                            })
                            .collect();
                        let mut arguments = vec!["-e", "cup-final", "sandbox", "set"];
                        arguments.extend(words.iter().map(String::as_str));
                        let run = desk.onair(&arguments);
                        assert_eq!(run.code, 0, "{fault}: {run}");
                    }
                    let run = preflight(&desk, &["--for-phase", "rehearsal", "-o", "json"]);
                    let expected: BTreeMap<String, String> = expected
                        .iter()
                        .map(|id| {
                            let severity = if WARNINGS.contains(id) {
                                "warning"
                            } else {
                                "error"
                            };
                            ((*id).to_owned(), severity.to_owned())
                        })
                        .collect();
                    let found = turned(&run);
                    let exit = if expected.values().any(|one| one == "error") {
                        3
                    } else {
                        0
                    };
                    if found != expected || run.code != exit {
                        wrong
                            .lock()
                            .unwrap()
                            .push(format!("{fault}: {found:?}, exit {}", run.code));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_fresh_rehearsal_is_a_go_and_asks_nothing_twice() {
    let desk = provisioned();
    desk.onair(&[
        "-e",
        "cup-final",
        "sandbox",
        "set",
        "settings",
        "/record-requests",
        "true",
    ])
    .expect_success();
    let before = calls(&desk);
    let run = preflight(&desk, &[]);
    assert_eq!(run.code, 0, "{run}");
    assert_eq!(run.stdout.lines().next(), Some("GO with 1 waiver"));
    let after = calls(&desk);
    let twice: Vec<String> = asked_twice(&desk);
    assert!(twice.is_empty(), "{}", twice.join(", "));
    let asked = |operation: &str| {
        after.get(operation).copied().unwrap_or_default()
            - before.get(operation).copied().unwrap_or_default()
    };
    for (operation, resources) in [
        ("cloudfront.GetDistributionConfig", 2),
        ("cloudfront.GetDistribution", 2),
        ("cloudfront.GetOriginAccessControl", 1),
        ("cloudfront.DescribeFunction", 1),
        ("wafv2.GetWebACL", 1),
        ("wafv2.GetIPSet", 2),
        ("sts.GetCallerIdentity", 1),
    ] {
        assert_eq!(asked(operation), resources, "{operation}");
    }
}

/// Every request that the embedded cloud was asked more than once since it records them: the operation,
/// a digest of host, address and body, and how often.
fn asked_twice(desk: &Desk) -> Vec<String> {
    let index = part(desk, "index");
    let requests: BTreeMap<String, u64> =
        serde_json::from_value(index["requests"].clone()).expect("requests are counted");
    assert!(requests.len() > 60, "{} are too few", requests.len());
    requests
        .into_iter()
        .filter(|(_, count)| *count > 1)
        .map(|(request, count)| format!("{request}: {count}"))
        .collect()
}

/// The calls that the embedded cloud has counted.
fn calls(desk: &Desk) -> BTreeMap<String, u64> {
    let run = desk.onair(&["-e", "cup-final", "sandbox", "show", "-o", "json"]);
    serde_json::from_value(run.json()["data"]["calls"].clone()).expect("calls are counted by name")
}

#[test]
fn what_could_not_be_asked_is_not_wrong_and_no_go() {
    let desk = provisioned();
    let fault = "unreachable:acm.DescribeCertificate";
    let run = desk.onair(&[
        "-e",
        "cup-final",
        "sandbox",
        "reset",
        "--keep",
        "--fault",
        fault,
    ]);
    assert_eq!(run.code, 0, "{run}");
    let only = ["--only", "distribution.certificate"];
    let run = preflight(&desk, &only);
    assert_eq!(run.code, 3, "{run}");
    assert_eq!(
        run.stdout.lines().next(),
        Some("NO-GO: 1 could not be asked")
    );
    let run = preflight(
        &desk,
        &[&only[..], &["--allow-unknown", "distribution.*"]].concat(),
    );
    assert_eq!((run.code, run.stdout.lines().next()), (0, Some("GO")));
}

#[test]
fn the_last_run_is_compared_with() {
    let desk = provisioned();
    let since = |desk: &Desk| {
        let run = preflight(desk, &["--since-last", "-o", "json"]);
        let answer: Value = serde_json::from_str(&run.stdout).unwrap();
        answer["data"]["since-last"].clone()
    };
    let set = |value: &str| {
        let place = "E1CUPFINAL0001/Enabled";
        let run = desk.onair(&[
            "-e",
            "cup-final",
            "sandbox",
            "set",
            "distribution",
            place,
            value,
        ]);
        assert_eq!(run.code, 0, "{run}");
    };
    assert_eq!(since(&desk)["at"], Value::Null);
    set("false");
    assert_eq!(
        since(&desk)["new"],
        serde_json::json!(["distribution.enabled"])
    );
    assert_eq!(
        since(&desk)["still-failing"],
        serde_json::json!(["distribution.enabled"])
    );
    set("true");
    assert_eq!(
        since(&desk)["fixed"],
        serde_json::json!(["distribution.enabled"])
    );
}

#[test]
fn an_expired_waiver_accepts_nothing() {
    let desk = provisioned();
    desk.edit_runbook(
        "was raised to 1 Tbps\"\nowner = \"noor\"\nexpires = \"end\"",
        "was raised to 1 Tbps\"\nowner = \"noor\"\nexpires = \"doors-10d\"",
    );
    let run = preflight(&desk, &["--only", "forecast.bandwidth,event.waivers"]);
    assert_eq!(run.code, 3, "{run}");
    assert_eq!(run.stdout.lines().next(), Some("NO-GO: 1"));
    assert!(run.stdout.contains("the waiver of noor expired"), "{run}");
}

#[test]
fn reports_for_ci_name_every_check() {
    let desk = provisioned();
    let run = preflight(&desk, &["--junit", "out.xml", "-o", "markdown"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stdout.starts_with("## ✅ GO with 1 waiver"), "{run}");
    let report = desk.read("out.xml");
    let listed = desk.onair(&["preflight", "--list", "-o", "json"]);
    let listed: Value = serde_json::from_str(&listed.stdout).unwrap();
    for check in listed["data"]["checks"].as_array().unwrap() {
        let name = format!("name=\"{}: ", check["id"].as_str().unwrap());
        assert!(report.contains(&name), "{name}");
    }
    assert!(report.contains("failures=\"0\" errors=\"0\""), "{report}");
}

#[test]
fn a_pattern_that_names_no_check_is_answered() {
    let run = Desk::new().onair(&["preflight", "--list", "--only", "origin.shelid"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("did you mean origin.shield?"), "{run}");
}

const REGIONAL: &str = include_str!("../../../event-templates/regional-sports-home-game.toml");

/// A rehearsal of the template whose rights are by state and metro area.
fn regional() -> Desk {
    let desk = Desk::new().always(&["-e", "regional-sports-home-game"]);
    desk.write("runbooks/regional-sports-home-game.toml", REGIONAL);
    desk
}

#[test]
fn a_player_with_rights_by_state_is_let_in() {
    let desk = regional();
    let tending = desk.onair(&["--rehearsal", "tend", "--once"]);
    assert_eq!(tending.code, 0, "{tending}");
    let run = desk.onair(&["--rehearsal", "preflight", "--for-phase", "live"]);
    assert_eq!(run.code, 0, "{run}");
    assert_eq!(run.stdout.lines().next(), Some("GO"));
}

#[test]
fn each_fault_of_the_states_rules_turns_their_check_and_no_other() {
    let faults: &[(&str, &[&str], &[&str])] = &[
        (
            "the rule that keeps states out only counts",
            &["Rules/@RIGHTS@/Action", "{\"Count\":{}}"],
            &["waf.states"],
        ),
        (
            "the rule that keeps states out is gone",
            &["Rules/@RIGHTS@", "--remove"],
            &["waf.states"],
        ),
        (
            "another state is let in",
            &[
                "Rules/@RIGHTS@/Statement/AndStatement/Statements/1/NotStatement/Statement/OrStatement/Statements/0/LabelMatchStatement/Key",
                "awswaf:clientip:geo:region:US-TX",
            ],
            &["waf.states"],
        ),
    ];
    for (name, change, expected) in faults {
        let desk = regional();
        desk.onair(&["sandbox", "show"]).expect_success();
        let waf = part_of(&desk, "regional-sports-home-game", "wafv2");
        let (id, acl) = waf["web_acls"].as_object().unwrap().iter().next().unwrap();
        let rules = acl["document"]["Rules"].as_array().unwrap();
        let rights = rules.iter().position(|rule| {
            let name = rule["Name"].as_str().unwrap_or_default();
            name.starts_with("onair-regional-sports-home-game-rights-US")
        });
        let rights = rights.expect("there is a rule of the rights").to_string();
        let place = change[0].replace("@RIGHTS@", &rights);
        let place = format!("/web_acls/{id}/document/{place}");
        desk.onair(&["sandbox", "set", "wafv2", &place, change[1]])
            .expect_success();
        let run = desk.onair(&[
            "--rehearsal",
            "preflight",
            "--for-phase",
            "rehearsal",
            "-o",
            "json",
        ]);
        let found: Vec<String> = turned(&run).into_keys().collect();
        assert_eq!(found, *expected, "{name}: {run}");
        assert_eq!(run.code, 3, "{name}: {run}");
    }
}

#[test]
fn a_report_that_cannot_be_written_does_not_lose_the_verdict() {
    let desk = provisioned();
    let only = [
        "--only",
        "origin.shield",
        "--junit",
        "no/such/folder/out.xml",
    ];
    let run = preflight(&desk, &only);
    assert_eq!(run.code, 1, "{run}");
    assert_eq!(run.stdout.lines().next(), Some("GO"), "{run}");
    assert!(run.stderr.contains("no/such/folder/out.xml"), "{run}");
}

#[test]
fn quiet_says_the_verdict_alone() {
    let run = Desk::new().onair(&[
        "-q",
        "--rehearsal",
        "-e",
        "cup-final",
        "preflight",
        "--only",
        "origin.*",
    ]);
    assert_eq!((run.code, run.stdout.as_str()), (0, "GO\n"), "{run}");
}

#[test]
fn what_changed_since_the_last_run_stands_before_the_details() {
    let desk = provisioned();
    let only = ["--only", "origin.shield", "--since-last"];
    preflight(&desk, &only);
    let run = preflight(&desk, &only);
    let line = run.stdout.lines().nth(3).unwrap_or_default();
    assert!(line.starts_with("since 2026-06-13"), "{run}");
}
