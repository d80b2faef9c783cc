//! `onair ip import` of lists as they are published: comments, trailing blanks, both families in
//! one file, ranges, and one of more than 120,000 lines.

use std::path::PathBuf;

use serde_json::Value;

use crate::harness::{Desk, Run};

/// The folder of real data; without it these tests fail, and say so.
fn list(name: &str) -> String {
    let folder = std::env::var_os("ONAIR_SHARED_DATA")
        .expect("ONAIR_SHARED_DATA names the folder of real data");
    let path = PathBuf::from(folder).join("blocklists").join(name);
    let path =
        std::fs::canonicalize(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    path.display().to_string()
}

fn import(name: &str) -> Run {
    let desk = Desk::new().rehearsing();
    desk.onair(&["sandbox", "reset", "--rates", "off"])
        .expect_success();
    // What the lists hold of the runbook's protected, CloudFront's and very wide ranges is not what
    // these tests are about.
    desk.onair(&[
        "-o",
        "json",
        "ip",
        "import",
        &list(name),
        "--dry-run",
        "--allow-cloudfront-range",
        "--allow-never-block",
        "--allow-wide-prefix",
        "--allow-own-address",
        "-m",
        "a real list",
    ])
}

fn numbers(run: &Run) -> Value {
    run.json()["data"]["values"][0].clone()
}

#[test]
fn every_list_is_read_and_split_by_family() {
    let cases = [
        ("spamhaus-drop.txt", 989, 0, 3),
        ("spamhaus-dropv6.txt", 0, 51, 3),
        ("tor-nodes.lst", 5_631, 2_423, 3),
        ("x4bnet-vpn-ipv6.txt", 0, 498, 3),
        ("bitwire-inbound-ipv6.txt", 0, 1_117, 3),
        ("ipcat-datacenters.csv", 7_342, 0, 3),
    ];
    for (name, v4, v6, code) in cases {
        let run = import(name).expect_code(code);
        let numbers = numbers(&run);
        assert_eq!(numbers["ipv4"], v4, "{name}: {numbers}");
        assert_eq!(numbers["ipv6"], v6, "{name}: {numbers}");
        assert_eq!(
            numbers["bad-lines"].as_array().map(Vec::len),
            Some(0),
            "{name}: {numbers}"
        );
    }
}

#[test]
fn a_list_just_over_the_limit_is_refused_with_the_numbers() {
    let run = import("x4bnet-vpn-ipv4.txt").expect_code(4);
    assert_eq!(run.json()["error"]["code"], "guard.capacity");
    assert_eq!(run.json()["data"]["limits"]["needed"], 10_862);
    assert_eq!(run.json()["data"]["limits"]["saved-by-merging"], 0);
}

#[test]
fn a_list_of_120_000_lines_is_planned_and_refused_with_what_merging_saves() {
    let run = import("ipsum.txt").expect_code(4);
    assert_eq!(numbers(&run)["prefixes"], 120_430);
    let limits = run.json()["data"]["limits"].clone();
    assert_eq!(limits["needed"], 120_430, "{limits}");
    assert_eq!(limits["after-merging"], 95_644, "{limits}");
    assert_eq!(limits["saved-by-merging"], 24_786, "{limits}");
    let message = run.json()["error"]["message"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    assert!(message.contains("110430 more than the 10000"), "{message}");
}

#[test]
fn bad_lines_in_a_real_list_are_named_with_their_number() {
    let text = std::fs::read_to_string(list("tor-nodes.lst")).expect("it is text");
    let mut lines: Vec<&str> = text.lines().collect();
    lines.insert(41, "999.1.1.1");
    lines.insert(4_000, "not an address");
    let desk = Desk::new().rehearsing();
    desk.write("messy.txt", lines.join("\n"));
    let run = desk
        .onair(&["-o", "json", "ip", "import", "messy.txt", "--dry-run"])
        .expect_code(3);
    let bad: Vec<Value> = numbers(&run)["bad-lines"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|bad| bad["line"].clone())
        .collect();
    assert_eq!(bad, [42, 4_001], "{run}");
}
