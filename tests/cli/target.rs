//! Which event and which target: nothing real is ever hit by mistake.

use crate::harness::Desk;

#[test]
fn another_account_is_refused_before_anything_changes() {
    let desk = Desk::new();
    let served = desk.sandbox_serve();
    let desk = desk.against(&served.url);
    // Its ARNs name the account, too.
    desk.edit_runbook("111122223333", "999988887777");
    let run = desk
        .onair(&["-o", "json", "block", "20.1.1.1", "--yes"])
        .expect_code(4);
    assert_eq!(run.json()["error"]["code"], "guard.account", "{run}");
}

#[test]
fn without_credentials_it_says_what_to_do() {
    let desk = Desk::new()
        .fake_env("AWS_EC2_METADATA_DISABLED", "true")
        .fake_env("ONAIR_ADDRESS_URL", "none")
        .as_operator("jess");
    let run = desk
        .onair(&[
            "-e",
            "cup-final",
            "-o",
            "json",
            "block",
            "20.1.1.1",
            "--yes",
        ])
        .expect_code(1);
    assert_eq!(run.json()["error"]["code"], "aws.no-credentials", "{run}");
    assert!(
        run.json()["error"]["hint"]
            .as_str()
            .is_some_and(|hint| hint.contains("--rehearsal")),
        "{run}"
    );
}

#[test]
fn a_dead_endpoint_is_unreachable_and_nothing_changed() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let url = format!(
        "http://{}",
        listener.local_addr().expect("it has an address")
    );
    drop(listener);
    let run = Desk::new()
        .against(&url)
        .onair(&["-o", "json", "block", "20.1.1.1", "--yes"])
        .expect_code(1);
    assert_eq!(run.json()["error"]["code"], "aws.unreachable", "{run}");
    assert_eq!(run.json()["changed"], false);
}

#[test]
fn a_live_shell_refuses_a_left_over_endpoint_and_a_rehearsal() {
    let desk = Desk::new()
        .fake_env("ONAIR_TARGET", "live")
        .fake_env("ONAIR_EVENT", "cup-final");
    let run = desk
        .fake_env("AWS_ENDPOINT_URL_WAFV2", "http://127.0.0.1:9")
        .onair(&["-o", "json", "block", "20.1.1.1", "--yes"])
        .expect_code(4);
    assert_eq!(run.json()["error"]["code"], "target.shell", "{run}");
    assert!(
        run.json()["error"]["message"]
            .as_str()
            .is_some_and(|text| text.contains("AWS_ENDPOINT_URL_WAFV2")),
        "{run}"
    );
    let run = desk
        .onair(&["-o", "json", "--rehearsal", "ip", "list"])
        .expect_code(4);
    assert_eq!(run.json()["error"]["code"], "target.shell", "{run}");
}

#[test]
fn an_endpoint_run_never_writes_to_the_real_ledger() {
    let desk = Desk::new();
    let served = desk.sandbox_serve();
    let run = desk
        .against(&served.url)
        .onair(&["block", "20.1.1.1", "--yes"])
        .expect_success();
    assert!(
        run.stdout.starts_with("ENDPOINT http://127.0.0.1:"),
        "{run}"
    );
    assert!(!desk.path("runbooks/.onair/cup-final").exists());
}

#[test]
fn the_key_value_store_works_at_a_loopback_endpoint_without_a_hosts_line() {
    let desk = Desk::new();
    let served = desk.sandbox_serve();
    let run = desk
        .against(&served.url)
        .onair(&["-o", "json", "revoke", "--by", "sub", "8841", "--yes"])
        .expect_success();
    assert_eq!(run.json()["changed"], true, "{run}");
}

#[test]
fn an_event_outside_its_window_needs_its_id_typed_while_another_is_on_air() {
    let desk = Desk::new();
    let other = desk
        .read("runbooks/cup-final.toml")
        .replace("cup-final", "other-game")
        .replace("2026-06-14", "2026-06-20");
    desk.write("runbooks/other-game.toml", other);
    let served = desk.sandbox_serve();
    let desk = desk
        .against(&served.url)
        .always(&["--now", "2026-06-20T19:00:00Z"]);
    let run = desk
        .onair(&["-o", "json", "block", "20.1.1.1", "--yes"])
        .expect_code(4);
    assert_eq!(run.json()["error"]["code"], "confirmation.missing", "{run}");
    desk.onair(&["block", "20.1.1.1", "--confirm", "cup-final"])
        .expect_success();
}

#[test]
fn no_event_and_two_events_in_their_window_are_listed() {
    let desk = Desk::new();
    let run = desk
        .always(&["--now", "2026-01-01T00:00:00Z"])
        .onair(&["-o", "json", "ip", "list"])
        .expect_code(2);
    assert_eq!(run.json()["error"]["code"], "event", "{run}");
    assert_eq!(
        run.json()["data"]["events"][0]["event"],
        "cup-final",
        "{run}"
    );
    let other = desk
        .read("runbooks/cup-final.toml")
        .replace("cup-final", "other-game");
    desk.write("runbooks/other-game.toml", other);
    let run = desk
        .always(&["--now", "2026-06-14T19:00:00Z"])
        .onair(&["-o", "json", "ip", "list"])
        .expect_code(2);
    assert_eq!(
        run.json()["data"]["events"].as_array().map(Vec::len),
        Some(2),
        "{run}"
    );
}

#[test]
fn elements_that_no_sdk_knows_survive_a_geo_block() {
    // The served cloud keeps the document as a client sent it; this one holds a member of the future.
    let desk = Desk::new();
    let rehearsing = desk.rehearsing();
    rehearsing
        .onair(&["sandbox", "reset", "--rates", "off"])
        .expect_success();
    let state = desk
        .files()
        .into_iter()
        .find(|path| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with("cloudfront."))
        })
        .expect("the cloud keeps its distributions");
    let text = std::fs::read_to_string(&state).expect("it is text");
    let future = "<FutureThing kind=\\\"x\\\"><Depth>7</Depth></FutureThing></DistributionConfig>";
    assert!(
        text.contains("</DistributionConfig>"),
        "the document is kept as XML"
    );
    std::fs::write(&state, text.replace("</DistributionConfig>", future))
        .expect("it can be written");
    rehearsing
        .onair(&["geo", "block", "IT", "--confirm", "Italy"])
        .expect_success();
    let after: String = desk
        .files()
        .into_iter()
        .filter(|path| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with("cloudfront."))
        })
        .map(|path| std::fs::read_to_string(path).expect("it is text"))
        .collect();
    assert_eq!(
        after.matches("<Depth>7</Depth>").count(),
        2,
        "both distributions keep it"
    );
}

#[test]
fn a_closed_pipe_ends_quietly() {
    use std::io::Read;
    let desk = Desk::new().rehearsing();
    let mut child = desk
        .command(&["ip", "status"])
        .spawn()
        .expect("the binary can be run");
    drop(child.stdout.take());
    drop(child.stdin.take());
    let mut talk = String::new();
    child
        .stderr
        .take()
        .expect("a pipe")
        .read_to_string(&mut talk)
        .expect("text");
    let status = child.wait().expect("it ends");
    assert!(!talk.contains("panicked"), "{talk}");
    assert_eq!(status.code(), Some(0), "{talk}");
}

#[test]
fn rehearse_proves_every_step_from_anywhere() {
    let desk = Desk::new();
    let run = desk.onair(&["-o", "json", "rehearse"]).expect_success();
    let steps = run.json()["data"]["steps"].clone();
    assert_eq!(steps.as_array().map(Vec::len), Some(6), "{run}");
    for step in steps.as_array().into_iter().flatten() {
        assert_eq!(step["proved"], true, "{step}");
    }
    assert!(
        !desk.path("runbooks/.onair").exists(),
        "nothing is left behind"
    );
}
