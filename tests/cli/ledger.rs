//! The ledger and the event's clock through the real binary.

use crate::harness::Desk;

fn desk() -> Desk {
    let desk = Desk::new().rehearsing();
    desk.onair(&["sandbox", "reset", "--at", "ko+20m", "--rates", "off"])
        .expect_success();
    desk
}

fn moved(desk: &Desk, at: &str) {
    desk.onair(&["sandbox", "reset", "--keep", "--at", at])
        .expect_success();
}

fn blocked(desk: &Desk) -> Vec<String> {
    let run = desk.onair(&["ip", "export", "-o", "json"]).expect_success();
    let entries = run.json()["data"]["entries"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    entries
        .iter()
        .filter_map(|entry| entry["prefix"].as_str().map(str::to_owned))
        .collect()
}

#[test]
fn two_operators_take_each_others_changes_back_when_asked_only() {
    let jess = desk();
    let sam = jess.as_operator("sam");
    jess.onair(&["block", "198.18.7.9", "-m", "re-streamer", "--yes"])
        .expect_success();
    sam.onair(&["block", "198.18.7.10", "--yes"])
        .expect_success();
    let refused = sam.onair(&["undo", "jess-1"]).expect_code(4);
    assert!(refused.stderr.contains("jess"), "{}", refused.stderr);
    assert!(refused.stderr.contains("re-streamer"), "{}", refused.stderr);
    jess.onair(&["undo", "sam-1"]).expect_code(4);
    assert_eq!(blocked(&jess).len(), 2);
    sam.onair(&["undo", "jess-1", "--yes"]).expect_success();
    jess.onair(&["undo", "sam-1", "--yes"]).expect_success();
    assert_eq!(blocked(&jess), Vec::<String>::new());
    let list = jess
        .onair(&["ledger", "list", "-o", "json"])
        .expect_success()
        .json();
    assert_eq!(list["data"]["entries"][0]["state"], "taken back by sam-2");
    jess.onair(&["ledger", "verify"]).expect_success();
}

#[test]
fn overtime_expires_nothing_and_close_ends_what_follows_the_event() {
    let desk = desk();
    desk.onair(&["block", "198.18.7.9", "--yes"])
        .expect_success();
    moved(&desk, "end+5h");
    desk.onair(&["tend", "--once"]).expect_success();
    assert_eq!(blocked(&desk), ["198.18.7.9/32"]);
    let status = desk
        .onair(&["event", "status", "-o", "json"])
        .expect_success()
        .json();
    assert_eq!(status["data"]["phase"], "live");
    desk.onair(&["event", "close"]).expect_code(4);
    desk.onair(&["event", "close", "--yes"]).expect_success();
    assert_eq!(blocked(&desk), Vec::<String>::new());
}

#[test]
fn close_lists_what_is_left_over() {
    let desk = desk();
    desk.onair(&["block", "198.18.7.9", "--for", "9h", "--yes"])
        .expect_success();
    let close = desk
        .onair(&["event", "close", "--yes", "-o", "json"])
        .expect_code(3)
        .json();
    assert_eq!(close["error"]["code"], "difference");
    assert_eq!(close["data"]["leftovers"][0]["entry"]["entry"], "jess-1");
}

#[test]
fn an_end_comes_with_tend() {
    let desk = desk();
    desk.onair(&["block", "198.18.7.9", "--for", "30m", "--yes"])
        .expect_success();
    desk.onair(&["block", "198.18.7.10", "198.18.7.9", "--for", "2h", "--yes"])
        .expect_success();
    moved(&desk, "ko+51m");
    desk.onair(&["tend", "--once", "--dry-run"]).expect_code(3);
    let tended = desk
        .onair(&["tend", "--once", "-o", "json"])
        .expect_success()
        .json();
    assert_eq!(tended["data"]["actions"][0]["ends"][0]["entry"], "jess-1");
    assert_eq!(blocked(&desk).len(), 2);
    moved(&desk, "ko+3h");
    desk.onair(&["tend", "--once"]).expect_success();
    assert_eq!(blocked(&desk), Vec::<String>::new());
}

#[test]
fn a_corrupt_entry_is_named_and_the_rest_is_readable() {
    let desk = desk();
    desk.onair(&["block", "198.18.7.9", "--yes"])
        .expect_success();
    let folder = ".onair/rehearsal/cup-final/ledger/entries";
    let found = [folder.to_owned(), format!("runbooks/{folder}")];
    let folder = found
        .iter()
        .find(|one| desk.path(one).is_dir())
        .expect("the ledger has a folder");
    let path = format!("{folder}/20260614T185000Z-01KV3QG904GYV8VXMN21ASPMX6.json");
    desk.write(&path, "{not json");
    let list = desk
        .onair(&["ledger", "list", "-o", "json"])
        .expect_success()
        .json();
    assert_eq!(list["data"]["entries"][0]["entry"], "jess-1");
    assert!(
        list["warnings"][0]
            .as_str()
            .is_some_and(|text| text.contains("01KV3QG904GYV8VXMN21ASPMX6"))
    );
    desk.onair(&["ledger", "verify"]).expect_code(3);
}

#[test]
fn a_block_goes_on_while_the_store_is_away_and_sync_uploads_it() {
    let desk = desk();
    desk.onair(&["block", "198.18.7.9", "--yes"])
        .expect_success();
    let found = [
        ".onair/rehearsal/cup-final/ledger",
        "runbooks/.onair/rehearsal/cup-final/ledger",
    ];
    let ledger = found
        .iter()
        .map(|one| desk.path(one))
        .find(|one| one.is_dir())
        .expect("the ledger has a folder");
    let aside = ledger.with_file_name("aside");
    std::fs::rename(&ledger, &aside).expect("folders can be renamed");
    std::fs::write(&ledger, "in the way").expect("files can be written");
    let away = desk
        .onair(&["block", "198.18.7.10", "--yes"])
        .expect_success();
    assert!(away.stderr.contains("ledger sync"), "{}", away.stderr);
    desk.onair(&["geo", "unblock", "FR", "--confirm", "France"])
        .expect_code(1);
    desk.onair(&["ledger", "sync"]).expect_code(1);
    std::fs::remove_file(&ledger).expect("files can be removed");
    std::fs::rename(&aside, &ledger).expect("folders can be renamed");
    let synced = desk
        .onair(&["ledger", "sync", "-o", "json"])
        .expect_success()
        .json();
    assert_eq!(synced["data"]["handles"][0]["entry"], "jess-2");
    assert_eq!(blocked(&desk).len(), 2);
    desk.onair(&["undo", "jess-2", "--yes"]).expect_success();
    assert_eq!(blocked(&desk), ["198.18.7.9/32"]);
}

#[test]
fn closing_ends_what_was_made_at_the_same_instant() {
    let desk = Desk::new().rehearsing();
    desk.onair(&["sandbox", "reset", "--rates", "off"])
        .expect_success();
    // Each run begins at the same time, so that a later one may write an earlier time.
    let at = desk.always(&["--now", "2026-06-14T18:30:00Z"]);
    at.onair(&["block", "192.0.2.7", "--yes"]).expect_success();
    let closed = at.onair(&["event", "close", "--yes"]).expect_success();
    assert!(
        closed.stdout.contains("nothing temporary is left"),
        "{closed}"
    );
}
