//! What the binary generates of itself: completion scripts, what the shell is offered, manual pages,
//! help; and that its streams behave.

use std::process::{Command, Stdio};

use crate::harness::Desk;

#[test]
fn the_kept_completion_scripts_are_the_printed_ones() {
    let desk = Desk::new();
    let kept = [
        (
            "bash",
            "onair.bash",
            include_str!("../../completions/onair.bash"),
        ),
        ("zsh", "_onair", include_str!("../../completions/_onair")),
        (
            "fish",
            "onair.fish",
            include_str!("../../completions/onair.fish"),
        ),
    ];
    for (shell, file, content) in kept {
        let run = desk.onair(&["completions", shell]).expect_success();
        assert!(
            run.stdout == content,
            "regenerate it: onair completions {shell} > completions/{file}"
        );
    }
}

/// What bash is offered for the last of these words.
fn offered(desk: &Desk, words: &[&str]) -> Vec<String> {
    let index = (words.len() - 1).to_string();
    let desk = desk
        .fake_env("COMPLETE", "bash")
        .fake_env("_CLAP_COMPLETE_INDEX", &index)
        .fake_env("_CLAP_COMPLETE_COMP_TYPE", "9")
        .fake_env("_CLAP_COMPLETE_SPACE", "true")
        .fake_env("_CLAP_IFS", "\n");
    let mut arguments = vec!["--"];
    arguments.extend(words);
    let run = desk.onair(&arguments).expect_success();
    run.stdout
        .lines()
        .map(|line| line.trim().to_owned())
        .collect()
}

#[test]
fn the_shell_is_offered_commands_events_and_templates() {
    let desk = Desk::new();
    assert_eq!(offered(&desk, &["onair", "unbl"]), ["unblock"]);
    assert_eq!(offered(&desk, &["onair", "-e", "cu"]), ["cup-final"]);
    assert_eq!(
        offered(&desk, &["onair", "new", "x", "--template", "pay"]),
        ["pay-per-view-fight"]
    );
    assert_eq!(
        offered(&desk, &["onair", "new", "x", "--from", "cup"]),
        ["cup-final"]
    );
}

#[test]
fn undo_is_offered_what_is_open_in_the_ledger_that_is_meant() {
    let desk = Desk::new();
    let rehearsal = desk.rehearsing();
    for address in ["192.0.2.7", "192.0.2.8"] {
        rehearsal
            .onair(&["block", address, "--yes"])
            .expect_success();
    }
    rehearsal
        .onair(&["undo", "jess-1", "--yes"])
        .expect_success();
    let words = ["onair", "--rehearsal", "-e", "cup-final", "undo", "jess-"];
    let offered_in_rehearsal = offered(&desk, &words);
    assert!(
        offered_in_rehearsal.contains(&"jess-2".to_owned()),
        "{offered_in_rehearsal:?}"
    );
    assert!(
        !offered_in_rehearsal.contains(&"jess-1".to_owned()),
        "{offered_in_rehearsal:?}"
    );
    let live = offered(&desk, &["onair", "-e", "cup-final", "undo", "jess-"]);
    assert!(live.iter().all(|one| one != "jess-2"), "{live:?}");
}

#[test]
fn every_command_has_a_manual_page() {
    let desk = Desk::new();
    desk.onair(&["man", "--out", "pages"]).expect_success();
    for page in [
        "onair.1",
        "onair-block.1",
        "onair-ip-block.1",
        "onair-runbook-check.1",
    ] {
        assert!(
            desk.read(&format!("pages/{page}")).contains(".SH NAME"),
            "{page}"
        );
    }
    let printed = desk.onair(&["man", "ip", "block"]).expect_success().stdout;
    assert_eq!(printed, desk.read("pages/onair-ip-block.1"));
    let run = desk.onair(&["man", "ip", "blokc"]).expect_code(2);
    assert!(run.stderr.contains("did you mean `block`?"), "{run}");
}

#[test]
fn help_is_there_in_all_its_forms() {
    let desk = Desk::new();
    let long = desk.onair(&["help", "ip", "block"]).expect_success();
    assert!(long.stdout.contains("Example: onair block"), "{long}");
    assert_eq!(
        long.stdout,
        desk.onair(&["ip", "block", "--help"])
            .expect_success()
            .stdout
    );
    let short = desk.onair(&["ip", "block", "-h"]).expect_success();
    assert!(
        short.stdout.lines().count() < 45,
        "-h is one screen\n{short}"
    );
    assert!(!short.stdout.contains("--allow-never-block"), "{short}");
    let bare = desk.onair(&[]).expect_code(2);
    assert!(bare.stderr.contains("Usage: onair"), "{bare}");
}

#[test]
fn usage_errors_are_json_when_json_was_asked_for() {
    let desk = Desk::new();
    for arguments in [
        &["-o", "json", "ip", "blokc"][..],
        &["blokc", "--output=json"],
        &["-ojson", "block"],
        &["-o", "json", "runbook", "check", "--deny-warning"],
        &["-o", "json", "-e", "Cup Final", "runbook", "show"],
        &["-o", "json", "--for", "2 parsecs", "block", "192.0.2.7"],
    ] {
        let run = desk.onair(arguments).expect_code(2);
        let answer = run.json();
        assert_eq!(answer["schema"], "onair/1", "{run}");
        assert_eq!(answer["ok"], false, "{run}");
        assert_eq!(answer["changed"], false, "{run}");
        assert_eq!(answer["error"]["code"], "usage", "{run}");
        assert!(
            answer["error"]["message"]
                .as_str()
                .is_some_and(|text| !text.is_empty()),
            "{run}"
        );
    }
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let desk = Desk::new();
    for arguments in [
        &["runbook", "schema"][..],
        &["--help"],
        &["-o", "json", "runbook", "schema"],
        &["-o", "csv", "-e", "cup-final", "runbook", "show"],
        &["--rehearsal", "ip", "list"],
    ] {
        let mut child = desk
            .command(arguments)
            .spawn()
            .expect("the binary can be run");
        drop(child.stdin.take());
        // The reader goes before the first byte comes.
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("it ends");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}\n{stderr}");
        assert!(!stderr.contains("panicked"), "{arguments:?}\n{stderr}");
    }
}

#[test]
fn the_bash_script_is_valid_bash() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/completions/onair.bash");
    let status = Command::new("bash")
        .args(["-n", script])
        .stdin(Stdio::null())
        .status();
    // Without bash there is nothing to try it with.
    if let Ok(status) = status {
        assert!(status.success());
    }
}
