//! The ledger as its users see it: chains, spool, sync, handles, in real folders.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::append::AppendError;
use super::chain::verify;
use super::entry::{Draft, ENTRIES, FORMAT, RunId};
use super::records::CorruptReason;
use super::spool::SyncReport;
use super::store::{Key, StoreErrorKind};
use super::*;
use crate::clock::Clock;

struct Place {
    folder: TempDir,
    clock: Clock,
}

impl Place {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            clock: Clock::manual("2026-07-11T19:00:00Z".parse().unwrap()),
        }
    }

    fn store(&self) -> Store {
        Store::folder(&self.folder.path().join("ledger"))
    }

    fn away() -> Store {
        Store::away(StoreErrorKind::Unreachable)
    }

    fn open(&self, store: Store) -> Ledger<Value> {
        open_at(self.folder.path(), store, self.clock.clone())
    }

    fn here(&self) -> Ledger<Value> {
        self.open(self.store())
    }

    fn entry_file(&self, key: &Key) -> std::path::PathBuf {
        self.folder.path().join("ledger").join(key.as_str())
    }
}

fn open_at(folder: &Path, store: Store, clock: Clock) -> Ledger<Value> {
    Ledger::open(Options {
        store,
        spool: folder.join("spool"),
        cache: None,
        event: "cup-final".into(),
        operator: "Jess".into(),
        target: "rehearsal".into(),
        clock,
    })
}

#[tokio::test]
async fn a_run_is_one_chain_and_a_new_run_names_what_it_saw() {
    let place = Place::new();
    let first = place.here();
    assert!(first.read().await.unwrap().entries.is_empty());
    let one = first.append(json!(1)).await.unwrap();
    let two = first.append(json!(2)).await.unwrap();
    let three = place.here().append(json!(3)).await.unwrap();
    assert_eq!((one.sequence, one.previous, &one.heads), (0, None, &vec![]));
    assert_eq!((two.sequence, two.previous), (1, Some(one.hash)));
    assert_eq!((three.sequence, &three.heads), (0, &vec![two.hash]));

    let records = first.read().await.unwrap();
    assert_eq!(records.entries, [one, Arc::clone(&two), three]);
    assert_eq!(verify(&records), []);
    assert_eq!(verify(&place.here().read_anew().await.unwrap()), []);
}

#[tokio::test]
async fn one_corrupt_entry_hides_no_other() {
    let place = Place::new();
    let ledger = place.here();
    let one = ledger.append(json!(1)).await.unwrap();
    let two = ledger.append(json!(2)).await.unwrap();
    let torn = &place.entry_file(&one.key());
    std::fs::write(torn, "torn").unwrap();
    std::fs::write(torn.with_file_name("README.txt"), "hello").unwrap();
    let records = place.here().read().await.unwrap();
    assert_eq!(records.entries, [two]);
    assert_eq!(records.corrupt.len(), 2);
    assert_eq!(records.corrupt[0].key, one.key());
    let expected = "the entry is cut short, or is not an entry";
    assert_eq!(records.corrupt[0].reason.to_string(), expected);
    assert!(matches!(records.corrupt[0].reason, CorruptReason::Bad(_)));
    // The run that read the entry before still has it, and sees from afresh that it is gone.
    assert_eq!(ledger.read().await.unwrap().entries.len(), 2);
    assert_eq!(verify(&ledger.read_anew().await.unwrap()).len(), 3);
}

#[tokio::test]
async fn nothing_is_appended_to_a_newer_ledger() {
    let place = Place::new();
    let at = place.clock.now();
    let (entry, bytes) = Draft {
        format: FORMAT + 1,
        id: EntryId::new(at, None),
        at,
        event: "cup-final".into(),
        operator: "Jess".into(),
        target: "rehearsal".into(),
        run: RunId::new(at),
        sequence: 0,
        previous: None,
        heads: Vec::new(),
        body: json!("later"),
    }
    .seal()
    .unwrap();
    place.store().create(&entry.key(), bytes).await.unwrap();

    let ledger = place.here();
    let error = ledger.append(json!(1)).await.unwrap_err();
    insta::assert_snapshot!(error, @"append to a ledger that was written by a newer onair (format 2)");
    assert!(ledger.append_or_spool(json!(1)).await.is_err());
    let records = ledger.read().await.unwrap();
    assert_eq!(records.newer.len(), 1);
    assert!(records.spooled.is_empty());
}

#[tokio::test]
async fn a_store_that_is_away_leaves_the_entry_in_the_spool_and_sync_repairs() {
    let place = Place::new();
    let earlier = place.here().append(json!("earlier")).await.unwrap();

    let offline = place.open(Place::away());
    assert!(offline.append(json!(0)).await.is_err());
    let (one, at) = offline.append_or_spool(json!(1)).await.unwrap();
    let reason = "the store cannot be reached".to_owned();
    assert_eq!(at, Where::Spool { reason });
    let (two, _) = offline.append_or_spool(json!(2)).await.unwrap();
    assert_eq!(two.previous, Some(one.hash));
    assert!(matches!(
        offline.append(json!(3)).await,
        Err(AppendError::BehindSpool { .. })
    ));
    assert_eq!(offline.claim_handle("Jess", one.id).await.unwrap(), None);

    let online = place.here();
    let records = online.read().await.unwrap();
    assert_eq!(records.entries.len(), 3);
    assert_eq!(records.spooled, [one.id, two.id].into());
    assert_eq!(
        records.heads(),
        [earlier.hash],
        "others cannot see the spool"
    );

    let report = online.sync().await.unwrap();
    assert_eq!(report.uploaded, [one.id, two.id]);
    assert_eq!(report.handles, [(one.id, "jess-1".to_owned())]);
    assert!(report.failed.is_empty());
    assert_eq!(online.sync().await.unwrap(), SyncReport::default());
    let records = online.read().await.unwrap();
    assert!(records.spooled.is_empty());
    assert_eq!(verify(&records), []);
    assert_eq!(online.handles().await.unwrap().of(one.id), Some("jess-1"));
}

#[tokio::test]
async fn a_run_goes_back_to_the_store_after_a_sync() {
    let place = Place::new();
    let blocked = place.folder.path().join("ledger");
    std::fs::write(&blocked, "a file in the folder's place").unwrap();
    let ledger = place.here();
    let (one, at) = ledger.append_or_spool(json!(1)).await.unwrap();
    assert!(matches!(at, Where::Spool { .. }));
    std::fs::remove_file(&blocked).unwrap();
    // Once spooled, a run keeps its order and does not try again by itself ...
    let (two, at) = ledger.append_or_spool(json!(2)).await.unwrap();
    assert!(matches!(at, Where::Spool { .. }));
    // ... unless it has to.
    let three = ledger.append(json!(3)).await.unwrap();
    assert_eq!(three.previous, Some(two.hash));
    let records = ledger.read().await.unwrap();
    assert_eq!(records.entries, [one, two, three]);
    assert!(records.spooled.is_empty());
    assert_eq!(verify(&records), []);
}

#[tokio::test]
async fn an_entry_that_landed_without_an_answer_is_not_stored_twice() {
    let place = Place::new();
    let offline = place.open(Place::away());
    let (one, _) = offline.append_or_spool(json!(1)).await.unwrap();
    let waiting = offline.spool.entries().unwrap();
    let (key, bytes) = waiting[0].clone();
    place.store().create(&key, bytes).await.unwrap();

    let online = place.here();
    assert!(online.read().await.unwrap().spooled.is_empty());
    let report = online.sync().await.unwrap();
    assert_eq!(
        (report.uploaded, report.already_there),
        (vec![], vec![one.id])
    );
    assert_eq!(online.read().await.unwrap().entries.len(), 1);
}

#[tokio::test]
async fn a_failed_append_does_not_fork_its_run() {
    let place = Place::new();
    let ledger = place.here();
    let one = ledger.append(json!(1)).await.unwrap();
    // In the place of the entries' folder there is a file: the next append fails.
    let entries = place.folder.path().join("ledger/entries");
    let aside = place.folder.path().join("aside");
    std::fs::rename(&entries, &aside).unwrap();
    std::fs::write(&entries, "").unwrap();
    assert!(ledger.append(json!(2)).await.is_err());
    std::fs::remove_file(&entries).unwrap();
    std::fs::rename(&aside, &entries).unwrap();
    let three = ledger.append(json!(3)).await.unwrap();
    assert_ne!(three.run, one.run);
    assert_eq!((three.sequence, &three.heads), (0, &vec![one.hash]));
    assert_eq!(verify(&ledger.read().await.unwrap()), []);
}

#[tokio::test]
async fn another_events_spooled_entry_is_not_uploaded() {
    let place = Place::new();
    let ours = place.open(Place::away()).options.clone();
    let other = Ledger::open(Options {
        event: "derby".into(),
        ..ours
    });
    other.append_or_spool(json!(1)).await.unwrap();
    let report = place.here().sync().await.unwrap();
    assert_eq!(report.failed.len(), 1);
    assert_eq!(report.failed[0].1, "the entry is of derby on rehearsal");
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

#[test]
fn many_writers_lose_nothing_and_share_no_handle() {
    let place = Place::new();
    let writers = 16;
    std::thread::scope(|scope| {
        for _ in 0..writers {
            scope.spawn(|| {
                let ledger = open_at(place.folder.path(), place.store(), Clock::system());
                block_on(async {
                    for number in 0..3 {
                        let entry = ledger.append(json!(number)).await.unwrap();
                        let handle = ledger.claim_handle("jess", entry.id).await.unwrap();
                        assert!(handle.is_some());
                    }
                });
            });
        }
    });
    block_on(async {
        let ledger = place.here();
        let records = ledger.read().await.unwrap();
        assert_eq!(records.entries.len(), 3 * writers);
        assert_eq!(verify(&records), []);
        let handles = ledger.handles().await.unwrap();
        for entry in &records.entries {
            assert!(handles.of(entry.id).is_some());
        }
        for number in 1..=3 * writers {
            let name = format!("jess-{number}");
            assert!(handles.iter().any(|(_, handle)| handle == name));
        }
    });
}

#[tokio::test]
async fn the_last_heartbeat_is_kept() {
    let place = Place::new();
    let ledger = place.here();
    assert_eq!(ledger.last_heartbeat().await.unwrap(), None);
    let mut beat = Beat {
        at: place.clock.now(),
        operator: "jess".into(),
        process: "desk-3:4711".into(),
        next: None,
    };
    ledger.heartbeat(&beat).await.unwrap();
    place.clock.wait(Duration::from_mins(1)).await;
    beat.at = place.clock.now();
    ledger.heartbeat(&beat).await.unwrap();
    assert_eq!(ledger.last_heartbeat().await.unwrap(), Some(beat));
}

#[tokio::test]
async fn two_syncs_at_once_upload_each_entry_once() {
    let place = Place::new();
    let offline = place.open(Place::away());
    for number in 0..4 {
        let (entry, _) = offline.append_or_spool(json!(number)).await.unwrap();
        offline.claim_handle("Jess", entry.id).await.unwrap();
    }
    let [one, two] = [(); 2].map(|()| {
        let folder = place.folder.path();
        open_at(folder, place.store(), Clock::system())
    });
    let (one, two) = futures_util::future::join(one.sync(), two.sync()).await;
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!(one.uploaded.len() + two.uploaded.len(), 4);
    assert_eq!(one.handles.len() + two.handles.len(), 4);
    assert!(one.failed.is_empty() && two.failed.is_empty());
    let handles = place.here().handles().await.unwrap();
    assert_eq!(handles.iter().count(), 4);
}

#[tokio::test]
async fn a_remote_entry_is_fetched_once_a_machine() {
    let place = Place::new();
    let entry = place.here().append(json!(1)).await.unwrap();
    let bytes = std::fs::read(place.entry_file(&entry.key())).unwrap();

    let server = wiremock::MockServer::start().await;
    let listing = format!(
        "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>event/{}</Key>\
         <Size>{}</Size><LastModified>2026-07-11T19:00:00.000Z</LastModified></Contents>\
         </ListBucketResult>",
        entry.key(),
        bytes.len(),
    );
    let list = wiremock::Mock::given(wiremock::matchers::path("/bucket"))
        .respond_with(wiremock::ResponseTemplate::new(200).set_body_string(listing));
    server.register(list).await;
    let path = format!("/bucket/event/{}", entry.key());
    let answer = wiremock::ResponseTemplate::new(200)
        .set_body_bytes(bytes)
        .insert_header("last-modified", "Sat, 11 Jul 2026 19:00:00 GMT")
        .insert_header("etag", "\"1\"");
    // Once for the first reader, once for the one whose cached copy is torn.
    let get = wiremock::Mock::given(wiremock::matchers::path(path))
        .respond_with(answer)
        .expect(2);
    server.register(get).await;

    let read = async || {
        let options = S3Options {
            bucket: "bucket".into(),
            prefix: "event".into(),
            region: "eu-central-1".into(),
            endpoint: Some(server.uri()),
            allow_http: true,
            path_style: true,
            credentials: None,
            connector: None,
        };
        let options = Options {
            cache: Some(place.folder.path().join("cache")),
            ..place.open(Store::s3(&options).unwrap()).options.clone()
        };
        let ledger = Ledger::<Value>::open(options);
        let entries = ledger.read().await.unwrap().entries;
        (entries, ledger.cache.clone().unwrap())
    };
    let (first, cache) = read().await;
    assert_eq!(first, [Arc::clone(&entry)]);
    assert_eq!(read().await.0, first);
    std::fs::write(cache.join(entry.key().as_str()), "torn").unwrap();
    assert_eq!(read().await.0, first);
}

/// Keeps the key layout that other tools may list by.
#[tokio::test]
async fn entries_lie_under_their_time() {
    let place = Place::new();
    let one = place.here().append(json!(1)).await.unwrap();
    let listed = place.store().list(ENTRIES).await.unwrap();
    assert_eq!(listed, [one.key()]);
    assert!(
        listed[0]
            .as_str()
            .starts_with("entries/20260711T190000000Z-")
    );
}
