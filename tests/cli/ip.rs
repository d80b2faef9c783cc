//! `onair ip …`: what is refused, what is merged, what an end, an undo and an unblock bring back.

use serde_json::json;

use crate::harness::{Desk, Run};

/// A rehearsal without AWS's call rates, so that tests do not wait for them.
fn desk() -> Desk {
    let desk = Desk::new().rehearsing();
    desk.onair(&["sandbox", "reset", "--rates", "off"])
        .expect_success();
    desk
}

fn blocked(desk: &Desk) -> Vec<String> {
    let run = desk.onair(&["ip", "export"]).expect_success();
    run.stdout.lines().map(str::to_owned).collect()
}

#[track_caller]
fn refused(run: &Run, code: i32, error: &str) {
    assert_eq!(run.code, code, "{run}");
    let answer = run.json();
    assert_eq!(answer["ok"], false, "{run}");
    assert_eq!(answer["changed"], false, "{run}");
    assert_eq!(answer["error"]["code"], error, "{run}");
}

#[test]
fn one_value_decides_whether_a_block_is_refused() {
    let desk = desk();
    let cases: &[(&str, i32, &str)] = &[
        ("not-an-address", 2, "value.malformed"),
        ("::ffff:20.1.1.1", 2, "value.malformed"),
        ("0.0.0.0/0", 4, "guard.impossible"),
        ("::/0", 4, "guard.impossible"),
        ("10.0.0.0/4", 4, "guard.wide-prefix"),
        ("203.0.113.7", 4, "guard.never-block"),
        ("203.0.0.0/16", 4, "guard.never-block"),
        ("2001:db8:100:7::/64", 4, "guard.never-block"),
        ("198.51.100.7", 4, "guard.own-address"),
        ("3.10.17.130", 4, "guard.cloudfront-range"),
    ];
    for (value, code, error) in cases {
        refused(
            &desk.onair(&["-o", "json", "block", value, "--yes"]),
            *code,
            error,
        );
    }
    assert_eq!(blocked(&desk), Vec::<String>::new());
}

#[test]
fn a_mapped_address_is_answered_with_the_plain_one() {
    let run = desk()
        .onair(&["block", "::ffff:20.1.1.1", "--yes"])
        .expect_code(2);
    assert!(run.stderr.contains("write 20.1.1.1 instead"), "{run}");
}

#[test]
fn one_bad_value_refuses_all_of_them() {
    let desk = desk();
    let run = desk.onair(&["-o", "json", "block", "20.1.1.1", "20.1.1.300", "--yes"]);
    refused(&run, 2, "value.malformed");
    assert_eq!(blocked(&desk), Vec::<String>::new());
}

#[test]
fn a_guard_gives_way_to_its_own_flag_with_a_reason() {
    let desk = desk();
    let block = [
        "-o",
        "json",
        "block",
        "203.0.113.7",
        "--yes",
        "--allow-never-block",
    ];
    refused(&desk.onair(&block), 4, "guard.reason");
    let mut other = block.to_vec();
    other[5] = "--allow-wide-prefix";
    other.extend(["-m", "why"]);
    refused(&desk.onair(&other), 4, "guard.never-block");
    let mut given = block.to_vec();
    given.extend(["-m", "the steward's own phone re-streams"]);
    desk.onair(&given).expect_success();
    assert_eq!(blocked(&desk), ["203.0.113.7/32"]);
}

#[test]
fn host_bits_are_cleared_and_told() {
    let desk = desk();
    let run = desk
        .onair(&["block", "20.1.1.77/24", "--yes"])
        .expect_success();
    assert!(
        run.stdout
            .contains("20.1.1.77/24 has host bits; it is the network 20.1.1.0/24"),
        "{run}"
    );
    assert_eq!(blocked(&desk), ["20.1.1.0/24"]);
}

#[test]
fn one_ipv6_address_suggests_its_household() {
    let run = desk()
        .onair(&["block", "2a00:1:2:3::5", "--yes"])
        .expect_success();
    assert!(run.stdout.contains("onair block 2a00:1:2:3::/64"), "{run}");
}

#[test]
fn both_families_go_in_one_command() {
    let desk = desk();
    let run = desk
        .onair(&[
            "-o",
            "json",
            "block",
            "20.1.1.1",
            "2a00:1:2:3::/64",
            "--yes",
        ])
        .expect_success();
    assert_eq!(
        run.json()["data"]["outcomes"].as_array().map(Vec::len),
        Some(2),
        "{run}"
    );
    assert_eq!(blocked(&desk), ["20.1.1.1/32", "2a00:1:2:3::/64"]);
}

#[test]
fn without_a_terminal_a_change_needs_its_confirmation() {
    let desk = desk();
    let run = desk.onair(&["-o", "json", "block", "20.1.1.1"]);
    refused(&run, 4, "confirmation.missing");
    assert_eq!(
        run.json()["data"]["steps"][0]["added"],
        json!(["20.1.1.1/32"]),
        "{run}"
    );
    assert_eq!(run.json()["error"]["hint"], "add --yes");
    assert_eq!(blocked(&desk), Vec::<String>::new());
}

#[test]
fn a_dry_run_says_what_would_change_and_changes_nothing() {
    let desk = desk();
    let run = desk
        .onair(&["-o", "json", "block", "20.1.1.1", "--dry-run"])
        .expect_code(3);
    assert_eq!(run.json()["changed"], false);
    assert_eq!(run.json()["data"]["pending"], true);
    assert_eq!(run.json()["error"]["code"], "difference");
    assert_eq!(blocked(&desk), Vec::<String>::new());
    desk.onair(&["block", "20.1.1.1", "--yes"]).expect_success();
    let again = desk
        .onair(&["-o", "json", "block", "20.1.1.1", "--dry-run"])
        .expect_success();
    assert_eq!(again.json()["data"]["pending"], false);
}

#[test]
fn what_a_prefix_covered_returns_when_it_goes() {
    let desk = desk();
    desk.onair(&["block", "20.1.1.7", "--yes"]).expect_success();
    desk.onair(&["block", "20.1.1.0/24", "--yes"])
        .expect_success();
    assert_eq!(blocked(&desk), ["20.1.1.0/24"], "the /32 is not sent twice");
    desk.onair(&["undo", "--yes"]).expect_success();
    assert_eq!(blocked(&desk), ["20.1.1.7/32"]);
}

#[test]
fn unblocking_part_of_a_prefix_splits_it_and_undo_makes_it_whole() {
    let desk = desk();
    desk.onair(&["block", "20.1.1.0/30", "--yes"])
        .expect_success();
    desk.onair(&["unblock", "20.1.1.1", "--yes"])
        .expect_success();
    assert_eq!(blocked(&desk), ["20.1.1.0/32", "20.1.1.2/31"]);
    desk.onair(&["undo", "--yes"]).expect_success();
    assert_eq!(blocked(&desk), ["20.1.1.0/30"]);
}

#[test]
fn merged_prefixes_hold_the_same_addresses_and_split_again() {
    let desk = desk();
    desk.onair(&[
        "block", "20.1.1.0", "20.1.1.1", "20.1.1.4", "--merge", "--yes",
    ])
    .expect_success();
    assert_eq!(blocked(&desk), ["20.1.1.0/31", "20.1.1.4/32"]);
    desk.onair(&["unblock", "20.1.1.0", "--yes"])
        .expect_success();
    assert_eq!(blocked(&desk), ["20.1.1.1/32", "20.1.1.4/32"]);
}

#[test]
fn an_address_stays_while_a_colleague_still_asks_for_it() {
    let jess = desk();
    let tom = jess.as_operator("tom");
    jess.onair(&["block", "20.1.1.7", "--for", "1h", "--yes"])
        .expect_success();
    tom.onair(&["block", "20.1.1.7", "--for", "3h", "--yes"])
        .expect_success();
    jess.onair(&["undo", "--yes"]).expect_success();
    assert_eq!(blocked(&jess), ["20.1.1.7/32"]);
    tom.onair(&["undo", "--yes"]).expect_success();
    assert_eq!(blocked(&jess), Vec::<String>::new());
}

#[test]
fn blocking_again_never_shortens_and_the_same_again_is_nothing() {
    let desk = desk();
    desk.onair(&["block", "20.1.1.7", "--for", "3h", "--yes"])
        .expect_success();
    let shorter = desk
        .onair(&["-o", "json", "block", "20.1.1.7", "--for", "1h", "--yes"])
        .expect_success();
    assert_eq!(shorter.json()["changed"], false);
    assert!(shorter.json()["data"]["entry"].is_null(), "{shorter}");
    let longer = desk
        .onair(&["-o", "json", "block", "20.1.1.7", "--for", "5h", "--yes"])
        .expect_success();
    assert!(
        longer.json()["data"]["entry"]["name"].is_string(),
        "{longer}"
    );
}

#[test]
fn unblocking_what_is_not_blocked_is_nothing_to_do() {
    let run = desk()
        .onair(&["-o", "json", "unblock", "20.1.1.7", "--yes"])
        .expect_success();
    assert_eq!(run.json()["changed"], false);
}

#[test]
fn import_takes_the_good_lines_and_names_the_bad_ones() {
    let desk = desk();
    desk.write(
        "list.txt",
        "# a list as found\n20.1.1.1\tseen 7 times\n20.1.2.9/24 ; host bits\nnonsense here\n\n20.1.1.1\n2a00:1::/48 \n20.1.1.256\n",
    );
    let run = desk
        .onair(&["-o", "json", "ip", "import", "list.txt", "--yes"])
        .expect_success();
    let values = &run.json()["data"]["values"][0];
    assert_eq!(values["prefixes"], 3, "{run}");
    assert_eq!(values["ipv4"], 2, "{run}");
    assert_eq!(values["duplicates"], 1, "{run}");
    assert_eq!(values["normalized"], 1, "{run}");
    let lines: Vec<_> = values["bad-lines"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|bad| bad["line"].clone())
        .collect();
    assert_eq!(lines, [json!(4), json!(8)], "{run}");
    assert_eq!(
        blocked(&desk),
        ["20.1.1.1/32", "20.1.2.0/24", "2a00:1::/48"]
    );
}

#[test]
fn import_reads_csv_ranges_and_json() {
    let desk = desk();
    desk.write(
        "ranges.csv",
        "20.1.1.0,20.1.1.3,Hosting Ltd,https://example.com\n",
    );
    desk.onair(&["ip", "import", "ranges.csv", "--yes"])
        .expect_success();
    desk.write("named.csv", "name,address\n\"a, b\",20.2.1.1\n");
    desk.onair(&["ip", "import", "named.csv", "--column", "address", "--yes"])
        .expect_success();
    desk.write("list.json", "[\"20.3.1.1\"]");
    desk.onair(&["block", "@list.json", "--yes"])
        .expect_success();
    assert_eq!(
        blocked(&desk),
        ["20.1.1.0/30", "20.2.1.1/32", "20.3.1.1/32"]
    );
}

#[test]
fn a_set_that_would_overflow_is_refused_with_the_numbers() {
    let desk = desk();
    // 10,050 neighbors in pairs: merging halves them. Another 10,001 that nothing merges.
    let mergeable = (0..10_050)
        .map(|n| format!("20.{}.{}.{}\n", n / 62_500, (n / 250) % 250, n % 250))
        .collect::<Vec<_>>()
        .concat();
    desk.write("pairs.txt", mergeable);
    let run = desk
        .onair(&["-o", "json", "ip", "import", "pairs.txt", "--dry-run"])
        .expect_code(3);
    assert!(
        run.json()["data"]["steps"][0]["after"]
            .as_u64()
            .is_some_and(|after| after < 10_000),
        "{run}"
    );
    let apart = (0..10_001)
        .map(|n| format!("20.{}.{}.{}\n", n / 16_384, (n / 128) % 128, (n % 128) * 2))
        .collect::<Vec<_>>()
        .concat();
    desk.write("apart.txt", apart);
    let run = desk.onair(&["-o", "json", "ip", "import", "apart.txt", "--yes"]);
    refused(&run, 4, "guard.capacity");
    assert_eq!(run.json()["data"]["limits"]["needed"], 10_001);
    assert_eq!(run.json()["data"]["limits"]["after-merging"], 10_001);
    assert!(
        run.json()["error"]["message"]
            .as_str()
            .is_some_and(|text| text.contains("1 more than the 10000")),
        "{run}"
    );
}

#[test]
fn ten_thousand_addresses_are_one_update_call_a_family() {
    let desk = desk();
    let list = (0..10_000)
        .map(|n| format!("20.{}.{}.{}\n", n / 16_384, (n / 128) % 128, (n % 128) * 2))
        .collect::<Vec<_>>()
        .concat();
    desk.write("list.txt", list + "2a00:1::/48\n");
    desk.onair(&["ip", "import", "list.txt", "--yes"])
        .expect_success();
    let show = desk
        .onair(&["-o", "json", "sandbox", "show"])
        .expect_success();
    assert_eq!(
        show.json()["data"]["calls"]["wafv2.UpdateIPSet"],
        2,
        "{show}"
    );
}

#[test]
fn a_lost_answer_after_the_write_is_reported_as_done_once() {
    let desk = desk();
    desk.onair(&[
        "sandbox",
        "reset",
        "--keep",
        "--fault",
        "lost-answer:wafv2.UpdateIPSet",
    ])
    .expect_success();
    let run = desk
        .onair(&["-o", "json", "block", "20.1.1.7", "--yes"])
        .expect_success();
    assert_eq!(run.json()["changed"], true, "{run}");
    assert_eq!(
        run.json()["data"]["outcomes"][0]["added"],
        json!(["20.1.1.7/32"]),
        "{run}"
    );
    let list = desk.onair(&["-o", "json", "ip", "list"]).expect_success();
    assert_eq!(
        list.json()["data"]["entries"].as_array().map(Vec::len),
        Some(1),
        "{list}"
    );
    assert_eq!(
        list.json()["data"]["entries"][0]["already-there"],
        false,
        "{list}"
    );
    desk.onair(&["undo", "--yes"]).expect_success();
    assert_eq!(blocked(&desk), Vec::<String>::new());
}

#[test]
fn a_conflict_that_outlasts_the_timeout_is_exit_5_and_changes_nothing() {
    let desk = desk();
    desk.onair(&[
        "sandbox",
        "reset",
        "--keep",
        "--fault",
        "conflict:wafv2.UpdateIPSet:count=all",
    ])
    .expect_success();
    let run = desk.onair(&[
        "-o",
        "json",
        "block",
        "20.1.1.7",
        "--yes",
        "--timeout",
        "1s",
    ]);
    refused(&run, 5, "conflict");
    assert_eq!(run.json()["error"]["retryable"], true);
    assert_eq!(blocked(&desk), Vec::<String>::new());
}

#[test]
fn an_unreachable_cloud_is_said_and_changes_nothing() {
    let desk = desk();
    desk.onair(&["sandbox", "reset", "--keep", "--fault", "unreachable"])
        .expect_success();
    let run = desk.onair(&["-o", "json", "block", "20.1.1.7", "--yes"]);
    refused(&run, 1, "aws.unreachable");
}

#[test]
fn hostile_text_never_reaches_the_terminal() {
    let desk = desk();
    let reason = "look\u{1b}[2J\u{202e}here";
    desk.onair(&["block", "20.1.1.7", "--yes", "-m", reason])
        .expect_success();
    for output in ["table", "csv", "markdown"] {
        let run = desk.onair(&["ip", "list", "-o", output]).expect_success();
        assert!(
            !run.stdout.contains('\u{1b}') && !run.stdout.contains('\u{202e}'),
            "{output}: {run}"
        );
    }
}

#[test]
fn a_wrong_value_to_confirm_is_refused_whatever_the_level() {
    let desk = desk();
    let run = desk.onair(&["-o", "json", "block", "20.1.1.7", "--confirm", "nonsense"]);
    refused(&run, 4, "confirmation.wrong");
    desk.onair(&["block", "20.1.1.7", "--confirm", "cup-final"])
        .expect_success();
    let run = desk.onair(&["-o", "json", "undo", "--confirm", "Belgium"]);
    refused(&run, 4, "confirmation.wrong");
    assert_eq!(blocked(&desk), ["20.1.1.7/32"]);
}

#[test]
fn a_dry_run_of_a_reset_keeps_state_and_ledger() {
    let desk = desk();
    desk.onair(&["block", "20.1.1.7", "--yes"]).expect_success();
    desk.onair(&["sandbox", "reset", "--dry-run"])
        .expect_code(3);
    assert_eq!(blocked(&desk), ["20.1.1.7/32"]);
}

#[test]
fn undo_does_not_take_back_what_has_ended() {
    let jess = desk();
    let tom = jess.as_operator("tom");
    jess.onair(&["block", "20.1.1.7", "--yes"]).expect_success();
    tom.onair(&["unblock", "20.1.1.7", "--yes"])
        .expect_success();
    jess.onair(&["undo", "--yes"]).expect_code(2);
    let run = jess
        .onair(&["-o", "json", "undo", "jess-1", "--yes"])
        .expect_success();
    assert!(run.json()["data"]["entry"].is_null(), "{run}");
}

#[test]
fn splitting_a_prefix_is_not_told_as_something_missing() {
    let desk = desk();
    desk.onair(&["block", "20.1.1.0/24", "--yes"])
        .expect_success();
    let run = desk
        .onair(&["unblock", "20.1.1.8", "--yes"])
        .expect_success();
    assert!(run.stdout.contains("narrows jess-1"), "{run}");
    assert!(!run.stdout.contains("missing"), "{run}");
}

#[test]
fn a_block_that_no_rule_looks_up_is_said_not_to_be_felt() {
    let desk = Desk::new().rehearsing();
    desk.edit_runbook(r#"blocklist = "block""#, r#"blocklist = "count""#);
    desk.onair(&["sandbox", "reset", "--rates", "off"])
        .expect_success();
    let run = desk
        .onair(&["block", "198.51.100.9", "--yes"])
        .expect_success();
    assert!(run.stdout.contains("NOT FELT"), "{run}");
    assert!(
        run.stdout
            .contains("addresses in onair-cup-final-block-v4 are served"),
        "{run}"
    );
}
