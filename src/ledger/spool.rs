//! Entries that wait on this machine for a store that is away, and their upload.
//!
//! The files are the very bytes that the store would have got, so uploading one twice, or from two
//! processes at once, does nothing the second time.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::append::Ledger;
use super::entry::{self, ENTRIES, EntryId, Parsed};
use super::folder;
use super::store::{Key, StoreErrorKind};
use super::turn::Turn;

/// Where the spool keeps which entries want a handle.
const WISHES: &str = "wishes";

/// How long a sync waits for another one on this machine. Past that it goes on: uploads are safe
/// to do twice, and only a handle might be claimed for nothing.
const SYNC_TURN: Duration = Duration::from_secs(10);

/// The spool could not be used.
#[derive(Debug, thiserror::Error)]
#[error("{doing} the spool {path}")]
pub(crate) struct SpoolError {
    doing: &'static str,
    path: PathBuf,
    source: io::Error,
}

/// The spool's folder.
#[derive(Debug)]
pub(super) struct Spool {
    folder: PathBuf,
}

impl Spool {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Keeps an entry, durably.
    pub(super) fn keep(&self, key: &Key, bytes: &[u8]) -> Result<(), SpoolError> {
        let kept = folder::create(&self.folder.join(key.as_str()), bytes);
        self.wrap("write to", kept)
    }

    /// The waiting entries in the order of their writing.
    pub(super) fn entries(&self) -> Result<Vec<(Key, Vec<u8>)>, SpoolError> {
        let mut entries = Vec::new();
        let names = folder::names(&self.folder.join(ENTRIES));
        for name in self.wrap("read", names)? {
            let key = Key::new(format!("{ENTRIES}{name}"));
            // One that is gone has been uploaded meanwhile.
            let read = folder::read(&self.folder.join(key.as_str()));
            if let Some(bytes) = self.wrap("read", read)? {
                entries.push((key, bytes));
            }
        }
        Ok(entries)
    }

    /// Whether the entry still waits.
    pub(super) fn holds(&self, key: &Key) -> bool {
        self.folder.join(key.as_str()).exists()
    }

    /// Lets an uploaded entry go.
    fn remove(&self, key: &Key) -> Result<(), SpoolError> {
        let removed = folder::remove_if_there(&self.folder.join(key.as_str()));
        self.wrap("remove an uploaded entry from", removed)
    }

    /// Remembers that `entry` wants a handle of `operator`.
    pub(super) fn wish(&self, entry: EntryId, operator: &str) -> Result<(), SpoolError> {
        let path = self.folder.join(WISHES).join(entry.to_string());
        match folder::create(&path, operator.as_bytes()) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            kept => self.wrap("write to", kept),
        }
    }

    /// The entries that want a handle, and whose.
    fn wishes(&self) -> Result<Vec<(EntryId, String)>, SpoolError> {
        let folder = self.folder.join(WISHES);
        let mut wishes = Vec::new();
        for name in self.wrap("read", folder::names(&folder))? {
            let read = self.wrap("read", folder::read(&folder.join(&name)))?;
            if let (Ok(entry), Some(Ok(operator))) = (name.parse(), read.map(String::from_utf8)) {
                wishes.push((entry, operator));
            }
        }
        Ok(wishes)
    }

    fn grant(&self, entry: EntryId) -> Result<(), SpoolError> {
        let path = self.folder.join(WISHES).join(entry.to_string());
        self.wrap(
            "remove a claimed handle from",
            folder::remove_if_there(&path),
        )
    }

    fn wrap<T>(&self, doing: &'static str, outcome: io::Result<T>) -> Result<T, SpoolError> {
        outcome.map_err(|source| SpoolError {
            doing,
            path: self.folder.clone(),
            source,
        })
    }
}

/// What a sync did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SyncReport {
    /// Entries that the store has now and had not.
    pub(crate) uploaded: Vec<EntryId>,
    /// Entries that it already had.
    pub(crate) already_there: Vec<EntryId>,
    /// Handles claimed for entries that had to wait for theirs.
    pub(crate) handles: Vec<(EntryId, String)>,
    /// What still waits, and why.
    pub(crate) failed: Vec<(Key, String)>,
}

impl<B: Serialize + DeserializeOwned + Clone> Ledger<B> {
    /// Uploads what is in the spool, of any run of this event and target on this machine.
    ///
    /// # Errors
    /// When the spool itself cannot be used. What the store refuses is in the report.
    pub(crate) async fn sync(&self) -> Result<SyncReport, SpoolError> {
        let report = self.upload().await?;
        self.end_spooling().await;
        Ok(report)
    }

    /// [`Ledger::sync`] without a word to this run.
    pub(super) async fn upload(&self) -> Result<SyncReport, SpoolError> {
        let mut report = SyncReport::default();
        let waiting = self.spool.entries()?;
        let wishes = self.spool.wishes()?;
        if waiting.is_empty() && wishes.is_empty() {
            return Ok(report);
        }
        let turns = self.spool.folder().join(".turns");
        let turn = Turn::take(&turns, "sync", SYNC_TURN, &self.options.clock).await;
        for (key, bytes) in self.spool.entries()? {
            let id = match self.check(&key, &bytes) {
                Ok(id) => id,
                Err(reason) => {
                    report.failed.push((key, reason));
                    continue;
                }
            };
            match self.options.store.create(&key, bytes.clone()).await {
                Ok(()) => report.uploaded.push(id),
                Err(error) if error.kind == StoreErrorKind::AlreadyExists => {
                    match self.options.store.get(&key).await {
                        Ok(Some(there)) if there == bytes => report.already_there.push(id),
                        _ => {
                            report.failed.push((key, error.kind.to_string()));
                            continue;
                        }
                    }
                }
                Err(error) => {
                    // The rest would have to wait as long, and must not overtake this one.
                    report.failed.push((key, error.kind.to_string()));
                    return Ok(report);
                }
            }
            self.spool.remove(&key)?;
        }
        for (entry, operator) in self.spool.wishes()? {
            let Ok(handles) = self.handles().await else {
                break;
            };
            if handles.of(entry).is_none() {
                match self.claim_now(&operator, entry).await {
                    Ok(handle) => report.handles.push((entry, handle)),
                    Err(_) => break,
                }
            }
            self.spool.grant(entry)?;
        }
        drop(turn);
        Ok(report)
    }

    /// The id of a spooled entry that is whole and belongs in this ledger.
    fn check(&self, key: &Key, bytes: &[u8]) -> Result<EntryId, String> {
        match entry::parse::<Value>(key, bytes) {
            Ok(Parsed::Entry(entry)) => {
                let ours = (&self.options.event, &self.options.target);
                if (&entry.event, &entry.target) == ours {
                    Ok(entry.id)
                } else {
                    Err(format!(
                        "the entry is of {} on {}",
                        entry.event, entry.target
                    ))
                }
            }
            Ok(Parsed::Newer(newer)) => Err(format!(
                "written by a newer onair (format {})",
                newer.format
            )),
            Err(bad) => Err(bad.to_string()),
        }
    }
}
