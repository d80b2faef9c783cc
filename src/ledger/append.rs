//! Reading and appending: the chain of this run, in the store or, while that is away, in the spool.

use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;

use super::entry::{Draft, Entry, EntryId, FORMAT, Hash256, RunId};
use super::handles::KnownHandles;
use super::records::{self, Known, Records};
use super::spool::{Spool, SpoolError};
use super::store::{Key, Store, StoreError, StoreErrorKind, WRITE_BOUND};
use crate::clock::Clock;

/// Where a ledger is and who writes to it.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// Where the entries are.
    pub(crate) store: Store,
    /// Where entries wait while the store is away: a local folder for this event and target alone.
    pub(crate) spool: PathBuf,
    /// Where copies of remote stores' entries are kept.
    pub(crate) cache: Option<PathBuf>,
    /// The event's id.
    pub(crate) event: String,
    /// Who acts.
    pub(crate) operator: String,
    /// The target that is acted on.
    pub(crate) target: String,
    /// Tells the time.
    pub(crate) clock: Clock,
}

/// One event's ledger, as this run of the program reads and continues it.
#[derive(Debug)]
pub(crate) struct Ledger<B> {
    pub(super) options: Options,
    pub(super) spool: Spool,
    pub(super) cache: Option<PathBuf>,
    pub(super) handles: RefCell<KnownHandles>,
    known: RefCell<Known<B>>,
    /// What the last read found, with what this run appended since.
    latest: RefCell<Option<Latest>>,
    run: Mutex<Run>,
}

/// What a new run has to know of the ledger.
#[derive(Debug, Clone, Default)]
struct Latest {
    heads: Vec<Hash256>,
    /// The last entry; what is appended sorts after it.
    last: Option<EntryId>,
    /// The newest format seen, when it is newer than ours.
    newer: Option<u32>,
}

/// The chain that this run makes.
#[derive(Debug)]
struct Run {
    id: RunId,
    next: u32,
    last: Option<Hash256>,
    last_id: Option<EntryId>,
    last_at: Timestamp,
    /// Why this run writes to the spool, once it does.
    spooling: Option<String>,
    /// What it wrote there.
    spooled: Vec<Key>,
}

impl Run {
    fn new(now: Timestamp) -> Self {
        Self {
            id: RunId::new(now),
            next: 0,
            last: None,
            last_id: None,
            last_at: now,
            spooling: None,
            spooled: Vec::new(),
        }
    }

    fn advance<B>(&mut self, entry: &Entry<B>) {
        self.next = entry.sequence + 1;
        self.last = Some(entry.hash);
        self.last_id = Some(entry.id);
        self.last_at = entry.at;
    }
}

/// Why nothing was appended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AppendError {
    /// A newer program has written here; this one could misread what it writes about.
    #[error("append to a ledger that was written by a newer onair (format {format})")]
    Newer {
        /// Its format number.
        format: u32,
    },
    /// Earlier entries of this run are still in the spool, and the chain's order is kept.
    #[error("append before the spooled entries of this run are in the store: {reason}")]
    BehindSpool {
        /// Why they could not be uploaded.
        reason: String,
    },
    /// The body cannot be JSON.
    #[error("write the entry as JSON")]
    Body(#[from] serde_json::Error),
    /// The store did not take it. After a time-out it may still be there, then as the last entry
    /// of a chain that this run does not continue.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Neither did the local spool.
    #[error(transparent)]
    Spool(#[from] SpoolError),
}

/// Where an entry went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Where {
    /// The store has it.
    Store,
    /// Only this machine has it, until a sync.
    Spool {
        /// Why the store does not.
        reason: String,
    },
}

impl<B: Serialize + DeserializeOwned + Clone> Ledger<B> {
    /// The ledger of `options`. Nothing is read or made yet.
    pub(crate) fn open(options: Options) -> Self {
        // Each store has its own part of the cache: an event's may be moved elsewhere.
        let store = Hash256::of(options.store.name().as_bytes()).to_string();
        Self {
            cache: options.cache.as_ref().map(|cache| cache.join(store)),
            spool: Spool::new(options.spool.clone()),
            handles: RefCell::default(),
            known: RefCell::default(),
            latest: RefCell::default(),
            run: Mutex::new(Run::new(options.clock.now())),
            options,
        }
    }

    /// All entries. Only what is new since the last call is fetched.
    pub(crate) async fn read(&self) -> Result<Records<B>, StoreError> {
        let options = &self.options;
        let cache = self.cache.as_deref();
        let records = records::read(&options.store, cache, &self.spool, &self.known).await?;
        self.latest.replace(Some(Latest {
            heads: records.heads(),
            last: records.entries.last().map(|entry| entry.id),
            newer: records.newer.iter().map(|newer| newer.format).max(),
        }));
        Ok(records)
    }

    /// What this process has read so far and what is in the spool: for going on while the store is away.
    pub(crate) fn read_local(&self) -> Records<B> {
        records::local(&self.spool, &self.known)
    }

    /// All entries, every one fetched from the store again: for proving that none was altered.
    pub(crate) async fn read_anew(&self) -> Result<Records<B>, StoreError> {
        let nothing = RefCell::default();
        records::read(&self.options.store, None, &self.spool, &nothing).await
    }

    /// Appends an entry to the store, or fails.
    ///
    /// # Errors
    /// See [`AppendError`]. A run whose append failed goes on as a new chain, because the entry
    /// may have landed without an answer.
    pub(crate) async fn append(&self, body: B) -> Result<Arc<Entry<B>>, AppendError> {
        let mut run = self.run.lock().await;
        if run.spooling.is_some() {
            self.upload().await?;
            self.settle(&mut run);
            if let Some(reason) = run.spooling.clone() {
                return Err(AppendError::BehindSpool { reason });
            }
        }
        if self.latest.borrow().is_none() {
            self.read().await?;
        }
        let (entry, bytes) = self.draft(&run, body)?.seal()?;
        match self.create(&entry.key(), bytes).await {
            Ok(()) => Ok(self.appended(&mut run, entry)),
            Err(error) => {
                *run = Run::new(self.options.clock.now());
                Err(error.into())
            }
        }
    }

    /// Appends an entry to the store or, when that takes more than 2 s or fails, to the spool on
    /// this machine. Once spooled, later entries of this run go there at once, until a sync.
    ///
    /// # Errors
    /// When the ledger is a newer program's, or the spool cannot be written, either.
    pub(crate) async fn append_or_spool(
        &self,
        body: B,
    ) -> Result<(Arc<Entry<B>>, Where), AppendError> {
        let mut run = self.run.lock().await;
        if run.spooling.is_none() && self.latest.borrow().is_none() {
            run.spooling = match tokio::time::timeout(WRITE_BOUND, self.read()).await {
                Ok(Ok(_)) => None,
                Ok(Err(error)) => Some(error.kind.to_string()),
                Err(_) => Some(StoreErrorKind::TimedOut.to_string()),
            };
        }
        let (entry, bytes) = self.draft(&run, body)?.seal()?;
        if run.spooling.is_none() {
            match self.create(&entry.key(), bytes.clone()).await {
                Ok(()) => return Ok((self.appended(&mut run, entry), Where::Store)),
                Err(error) => run.spooling = Some(error.kind.to_string()),
            }
        }
        let reason = run.spooling.clone().unwrap_or_default();
        self.spool.keep(&entry.key(), &bytes)?;
        run.spooled.push(entry.key());
        run.advance(&entry);
        Ok((Arc::new(entry), Where::Spool { reason }))
    }

    /// Whether this run writes to the spool.
    pub(super) async fn is_spooling(&self) -> bool {
        self.run.lock().await.spooling.is_some()
    }

    /// Lets this run write to the store again, if all it spooled is there.
    pub(super) async fn end_spooling(&self) {
        self.settle(&mut *self.run.lock().await);
    }

    fn settle(&self, run: &mut Run) {
        run.spooled.retain(|key| self.spool.holds(key));
        if run.spooled.is_empty() {
            run.spooling = None;
        }
    }

    /// Creates an object; that it is already there with the same bytes is what an earlier attempt
    /// of ours left.
    pub(super) async fn create(&self, key: &Key, bytes: Vec<u8>) -> Result<(), StoreError> {
        match self.options.store.create(key, bytes.clone()).await {
            Err(error) if error.kind == StoreErrorKind::AlreadyExists => {
                match self.options.store.get(key).await {
                    Ok(Some(there)) if there == bytes => Ok(()),
                    _ => Err(error),
                }
            }
            outcome => outcome,
        }
    }

    fn draft(&self, run: &Run, body: B) -> Result<Draft<B>, AppendError> {
        let latest = self.latest.borrow();
        if let Some(format) = latest.as_ref().and_then(|latest| latest.newer) {
            return Err(AppendError::Newer { format });
        }
        let heads = match &*latest {
            Some(latest) if run.next == 0 => latest.heads.clone(),
            _ => Vec::new(),
        };
        let at = self.options.clock.now().max(run.last_at);
        let last = run
            .last_id
            .max(latest.as_ref().and_then(|latest| latest.last));
        Ok(Draft {
            format: FORMAT,
            id: EntryId::new(at, last),
            at,
            event: self.options.event.clone(),
            operator: self.options.operator.clone(),
            target: self.options.target.clone(),
            run: run.id,
            sequence: run.next,
            previous: run.last,
            heads,
            body,
        })
    }

    /// Takes note of an entry that the store has.
    fn appended(&self, run: &mut Run, entry: Entry<B>) -> Arc<Entry<B>> {
        run.advance(&entry);
        if let Some(latest) = &mut *self.latest.borrow_mut() {
            let named =
                |head: &Hash256| entry.previous == Some(*head) || entry.heads.contains(head);
            latest.heads.retain(|head| !named(head));
            latest.heads.push(entry.hash);
        }
        let entry = Arc::new(entry);
        self.known.borrow_mut().add(Arc::clone(&entry));
        entry
    }
}
