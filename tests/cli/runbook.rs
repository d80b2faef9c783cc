//! `runbook` and `new`: bad runbooks are named to the line, no event is guessed, nothing is
//! overwritten.

use crate::harness::Desk;

/// Inside cup-final's window.
const DURING: &str = "2026-06-14T19:00:00Z";

#[test]
fn an_unknown_key_and_a_wrong_type_are_both_named_with_line_and_caret() {
    let desk = Desk::new();
    desk.edit_runbook("web-acl =", "web-alc =");
    desk.edit_runbook("audience-cap = 5 ", "audience-cap = \"5\" ");
    let run = desk.onair(&["runbook", "check"]).expect_code(2);
    for expected in [
        "unknown key `web-alc`",
        "did you mean `web-acl`?",
        "waf.audience-cap: expected",
        "--> runbooks/cup-final.toml:",
        "^^^",
    ] {
        assert!(run.stdout.contains(expected), "{expected} is not in\n{run}");
    }
    let answer = desk
        .onair(&["-o", "json", "runbook", "check"])
        .expect_code(2)
        .json();
    assert_eq!(answer["error"]["code"], "runbook");
    let problems = answer["data"]["runbooks"][0]["problems"]
        .as_array()
        .expect("a list")
        .clone();
    assert!(problems.len() >= 2, "{problems:?}");
    assert!(
        problems
            .iter()
            .all(|problem| problem["line"].as_u64() > Some(0))
    );
}

#[test]
fn a_command_that_changes_things_refuses_a_bad_runbook_in_the_same_words() {
    let desk = Desk::new().rehearsing();
    desk.edit_runbook("zone = \"Europe/Vienna\"", "zone = \"Europe/Wien\"");
    let run = desk
        .onair(&["-e", "cup-final", "block", "192.0.2.7", "--yes"])
        .expect_code(2);
    assert!(run.stderr.contains("runbooks/cup-final.toml"), "{run}");
    assert!(run.stderr.contains("Europe/Wien"), "{run}");
}

#[test]
fn a_secret_written_into_a_runbook_is_not_repeated() {
    let desk = Desk::new();
    desk.edit_runbook(
        "key = { env = \"CUP_FINAL_SIGNING_KEY\" }",
        "key = \"hunter2-hunter2\"",
    );
    for arguments in [
        &["runbook", "check"][..],
        &["-o", "json", "runbook", "check"],
    ] {
        let run = desk.onair(arguments).expect_code(2);
        assert!(!run.to_string().contains("hunter2"), "{run}");
    }
}

#[test]
fn without_an_event_in_its_window_the_events_are_listed() {
    let desk = Desk::new();
    let run = desk
        .onair(&["--now", "2026-01-01T00:00:00Z", "runbook", "show"])
        .expect_code(2);
    assert!(
        run.stderr.contains("no event is in its window now"),
        "{run}"
    );
    assert!(run.stderr.contains("cup-final: window"), "{run}");
}

#[test]
fn with_two_events_in_their_window_neither_is_guessed() {
    let desk = Desk::new();
    desk.onair(&["new", "derby", "--from", "cup-final"])
        .expect_success();
    let run = desk
        .onair(&["--now", DURING, "-o", "json", "runbook", "show"])
        .expect_code(2);
    let answer = run.json();
    assert_eq!(answer["error"]["code"], "event");
    assert_eq!(answer["data"]["events"].as_array().map(Vec::len), Some(2));
    let named = desk
        .onair(&["--now", DURING, "-e", "derby", "runbook", "show"])
        .expect_success();
    assert!(named.stdout.contains("id = \"derby\""), "{named}");
}

#[test]
fn what_show_prints_is_a_runbook_that_loads_to_the_same() {
    let desk = Desk::new();
    let shown = desk
        .onair(&["-e", "cup-final", "runbook", "show"])
        .expect_success()
        .stdout;
    desk.write("again/cup-final.toml", &shown);
    let again = desk
        .onair(&["-r", "again/cup-final.toml", "runbook", "show"])
        .expect_success()
        .stdout;
    let body = |text: &str| text.split_once('\n').expect("a first line").1.to_owned();
    assert_eq!(body(&shown), body(&again));
}

#[test]
fn the_schema_is_the_checked_in_one() {
    let run = Desk::new().onair(&["runbook", "schema"]).expect_success();
    assert!(
        run.stdout == include_str!("../../schema/runbook.schema.json"),
        "regenerate it: onair runbook schema > schema/runbook.schema.json"
    );
}

#[test]
fn a_warning_fails_the_check_only_when_denied() {
    let desk = Desk::new();
    desk.edit_runbook("203.0.113.0/24", "203.0.113.7/24");
    let run = desk.onair(&["runbook", "check"]).expect_success();
    assert!(
        run.stdout.contains("203.0.113.7/24 has host bits set"),
        "{run}"
    );
    let denied = desk
        .onair(&["-o", "json", "runbook", "check", "--deny-warnings"])
        .expect_code(3)
        .json();
    assert_eq!(denied["error"]["code"], "check.failed");
}

#[test]
fn a_new_event_is_sound_and_says_what_to_do_next() {
    let desk = Desk::new();
    for template in [
        "global-concert",
        "pay-per-view-fight",
        "regional-sports-home-game",
    ] {
        let id = format!("x-{template}");
        let arguments = [
            "new",
            &id,
            "--template",
            template,
            "--starts",
            "2027-03-06 15:00",
        ];
        let run = desk.onair(&arguments).expect_success();
        assert!(run.stdout.contains("next:"), "{run}");
        desk.onair(&["runbook", "check", &format!("runbooks/{id}.toml")])
            .expect_success();
    }
}

#[test]
fn a_runbook_is_never_overwritten() {
    let desk = Desk::new();
    let before = desk.read("runbooks/cup-final.toml");
    let run = desk
        .onair(&["new", "cup-final", "--template", "global-concert"])
        .expect_code(4);
    assert!(run.stderr.contains("is there already"), "{run}");
    assert_eq!(desk.read("runbooks/cup-final.toml"), before);
}

#[test]
fn an_unknown_template_is_answered_with_the_nearest_and_the_list() {
    let desk = Desk::new();
    let run = desk
        .onair(&["new", "gala", "--template", "global-concrt"])
        .expect_code(2);
    assert!(
        run.stderr.contains("did you mean `global-concert`?"),
        "{run}"
    );
    let none = desk
        .onair(&["-o", "json", "new", "gala"])
        .expect_code(2)
        .json();
    assert_eq!(none["data"]["templates"].as_array().map(Vec::len), Some(3));
}

#[test]
fn a_dry_run_of_new_writes_nothing() {
    let desk = Desk::new();
    desk.onair(&["--dry-run", "new", "gala", "--template", "global-concert"])
        .expect_code(3);
    assert!(!desk.path("runbooks/gala.toml").exists());
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let desk = Desk::new();
    // A file where the folder should be: refused for root, too, for whom no folder is read-only.
    std::fs::rename(desk.path("runbooks"), desk.path("earlier")).expect("it can be renamed");
    desk.write("runbooks", "not a folder");
    let arguments = ["new", "gala", "--from", "earlier/cup-final.toml"];
    let run = desk.onair(&arguments).expect_code(1);
    assert!(run.stderr.contains("runbooks/gala.toml"), "{run}");
    assert!(run.stderr.contains("hint:"), "{run}");
}

#[test]
fn a_read_only_folder_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let desk = Desk::new();
    let folder = desk.path("runbooks");
    let set = |mode| {
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(mode))
            .expect("ours to set");
    };
    set(0o555);
    let writable_all_the_same = std::fs::write(folder.join(".probe"), "").is_ok();
    let run = desk.onair(&["new", "gala", "--template", "global-concert"]);
    set(0o755);
    if writable_all_the_same {
        // Root writes anywhere.
        run.expect_success();
    } else {
        let run = run.expect_code(1);
        assert!(run.stderr.contains("make runbooks/ writable"), "{run}");
        assert!(!desk.path("runbooks/gala.toml").exists());
    }
}

#[test]
fn every_template_can_be_rehearsed_as_it_comes() {
    let desk = Desk::new();
    for template in [
        "global-concert",
        "pay-per-view-fight",
        "regional-sports-home-game",
    ] {
        let id = format!("x-{template}");
        desk.onair(&["new", &id, "--template", template])
            .expect_success();
        let run = desk.onair(&["rehearse", &format!("runbooks/{id}.toml")]);
        assert!(!run.stdout.contains("NOT PROVED"), "{run}");
        run.expect_success();
    }
}

#[test]
fn every_template_passes_its_preflight_and_needs_no_provisioning() {
    let desk = Desk::new().always(&["--rehearsal"]);
    for (template, line, more) in [
        ("global-concert", "GO with 2 waivers", &[][..]),
        // It begins on the day before, when playback is judged already; its edges ask for a token.
        (
            "pay-per-view-fight",
            "GO with 2 waivers",
            &["--allow-unknown", "playback.*"][..],
        ),
        ("regional-sports-home-game", "GO", &[][..]),
    ] {
        let id = format!("y-{template}");
        desk.onair(&["new", &id, "--template", template])
            .expect_success();
        let mut words = vec!["-e", &id, "preflight"];
        words.extend(more);
        let run = desk.onair(&words).expect_success();
        assert!(
            run.stdout.lines().any(|shown| shown.starts_with(line)),
            "{run}"
        );
        desk.onair(&["-e", &id, "provision", "--dry-run"])
            .expect_success();
    }
}

#[test]
fn what_an_earlier_event_only_used_is_copied_as_it_is_and_its_waivers_are_not_taken_over() {
    let desk = Desk::new();
    let run = desk
        .onair(&["new", "derby", "--from", "cup-final"])
        .expect_success();
    for words in [
        "note: workflow.drm-license is not waived: noor accepted it for cup-final",
        "waf.web-acl = cup-final-viewers",
        "distributions.samples.manifest = /cup-final/master.m3u8",
    ] {
        assert!(run.stdout.contains(words), "{words}: {run}");
    }
    let text = desk.read("runbooks/derby.toml");
    assert!(text.contains("web-acl = \"cup-final-viewers\""), "{text}");
    assert!(text.contains("name = \"onair-derby\""), "{text}");
    assert!(text.contains("\n# [[waivers]]\n"), "{text}");
    desk.onair(&["runbook", "check", "runbooks/derby.toml"])
        .expect_success();
}

#[test]
fn an_event_that_is_over_and_placeholders_are_mentioned() {
    let desk = Desk::new();
    let check = |now: &str| {
        let arguments = ["--now", now, "runbook", "check", "--deny-warnings"];
        desk.onair(&arguments).expect_code(3).stderr
    };
    let before = check("2026-06-01T00:00:00Z");
    assert!(!before.contains("is over"), "{before}");
    assert!(
        before.contains("aws.account 111122223333, domain live.example.com"),
        "{before}"
    );
    let after = check("2026-06-16T21:30:00Z");
    assert!(
        after.contains("cup-final is over: it ended 2 d ago"),
        "{after}"
    );
}

#[test]
fn a_waiver_of_a_check_that_there_is_not_is_a_warning() {
    let desk = Desk::new();
    let text = desk.read("runbooks/cup-final.toml");
    desk.write(
        "runbooks/cup-final.toml",
        format!(
            "{text}\n[[waivers]]\ncheck = \"origin.shielded\"\nreason = \"r\"\nowner = \"noor\"\nexpires = \"end+1h\"\n"
        ),
    );
    let run = desk.onair(&["runbook", "check"]).expect_success();
    assert!(
        run.stderr.contains("no check origin.shielded to waive"),
        "{run}"
    );
    desk.onair(&["runbook", "check", "--deny-warnings"])
        .expect_code(3);
}
