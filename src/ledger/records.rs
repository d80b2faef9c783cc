//! What a ledger holds, read so that one bad object never hides the others.
//!
//! Entries are immutable, so each is fetched once a process; from S3 once a machine, through a
//! cache whose files are believed only if their seal holds.

use std::collections::{BTreeMap, BTreeSet, btree_map};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use serde::de::DeserializeOwned;

use super::entry::{self, BadEntry, ENTRIES, Entry, EntryId, Hash256, Newer, Parsed};
use super::folder;
use super::spool::Spool;
use super::store::{Key, Store, StoreError};

/// All that could be read, and what could not.
#[derive(Debug, Clone)]
pub(crate) struct Records<B> {
    /// Every entry, the spooled ones among them, sorted by id and so by time.
    pub(crate) entries: Vec<Arc<Entry<B>>>,
    /// Those that only this machine has: written while the store was away.
    pub(crate) spooled: BTreeSet<EntryId>,
    /// Objects that are not the entry they should be.
    pub(crate) corrupt: Vec<Corrupt>,
    /// Entries of a newer format; nothing is appended while there are any.
    pub(crate) newer: Vec<Newer>,
}

/// An object among the entries that could not be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Corrupt {
    /// Where it is.
    pub(crate) key: Key,
    /// What is wrong with it.
    pub(crate) reason: CorruptReason,
}

/// Why an object could not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CorruptReason {
    /// Its bytes are wrong.
    #[error(transparent)]
    Bad(#[from] BadEntry),
    /// The store listed it and then would not give it.
    #[error("the entry could not be read: {0}")]
    Unread(String),
}

impl<B> Default for Records<B> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            spooled: BTreeSet::new(),
            corrupt: Vec::new(),
            newer: Vec::new(),
        }
    }
}

impl<B> Records<B> {
    /// The newest entries: those in the store that no other entry names. A new run names them, so
    /// that their loss would show. Spooled ones are left out: nobody else can see them yet.
    pub(crate) fn heads(&self) -> Vec<Hash256> {
        let named: BTreeSet<_> = self
            .entries
            .iter()
            .flat_map(|entry| entry.heads.iter().chain(&entry.previous))
            .collect();
        self.entries
            .iter()
            .filter(|entry| !self.spooled.contains(&entry.id) && !named.contains(&entry.hash))
            .map(|entry| entry.hash)
            .collect()
    }
}

/// What was read before, by key.
#[derive(Debug)]
pub(super) struct Known<B> {
    objects: BTreeMap<Key, Object<B>>,
}

#[derive(Debug, Clone)]
enum Object<B> {
    Entry(Arc<Entry<B>>),
    Newer(Newer),
}

impl<B> Default for Known<B> {
    fn default() -> Self {
        Self {
            objects: BTreeMap::new(),
        }
    }
}

impl<B: DeserializeOwned> Known<B> {
    /// Which of `keys` have to be fetched.
    pub(super) fn unknown(&self, keys: &[Key]) -> Vec<Key> {
        let new = |key: &&Key| !self.objects.contains_key(key);
        keys.iter().filter(new).cloned().collect()
    }

    /// Takes in an entry that this run wrote.
    pub(super) fn add(&mut self, entry: Arc<Entry<B>>) {
        self.objects.insert(entry.key(), Object::Entry(entry));
    }

    /// Takes in what was fetched; what was wrong with the rest.
    pub(super) fn take_in(&mut self, fetched: Vec<(Key, Fetched)>) -> Vec<Corrupt> {
        let mut corrupt = Vec::new();
        for (key, bytes) in fetched {
            let parsed = bytes.and_then(|bytes| Ok(entry::parse(&key, &bytes)?));
            match parsed {
                Ok(parsed) => {
                    self.objects.insert(key, parsed.into());
                }
                Err(reason) => corrupt.push(Corrupt { key, reason }),
            }
        }
        corrupt.sort_unstable_by(|one, other| one.key.cmp(&other.key));
        corrupt
    }

    /// What is under `keys`, as far as it is known, and what the spool holds besides.
    pub(super) fn records(
        &self,
        keys: &[Key],
        spooled: Vec<(Key, Vec<u8>)>,
        corrupt: Vec<Corrupt>,
    ) -> Records<B> {
        let mut records = Records {
            corrupt,
            ..Records::default()
        };
        let mut entries = BTreeMap::new();
        for object in keys.iter().filter_map(|key| self.objects.get(key)) {
            match object {
                Object::Entry(entry) => {
                    entries.insert(entry.id, Arc::clone(entry));
                }
                Object::Newer(newer) => records.newer.push(newer.clone()),
            }
        }
        for (key, bytes) in spooled {
            match entry::parse(&key, &bytes) {
                Ok(Parsed::Entry(entry)) => {
                    // Uploaded, and not yet removed from the spool: not ours alone any more.
                    if let btree_map::Entry::Vacant(place) = entries.entry(entry.id) {
                        records.spooled.insert(entry.id);
                        place.insert(Arc::new(entry));
                    }
                }
                Ok(Parsed::Newer(newer)) => records.newer.push(newer),
                Err(bad) => records.corrupt.push(Corrupt {
                    key,
                    reason: bad.into(),
                }),
            }
        }
        records.entries = entries.into_values().collect();
        records
    }
}

impl<B> From<Parsed<B>> for Object<B> {
    fn from(parsed: Parsed<B>) -> Self {
        match parsed {
            Parsed::Entry(entry) => Self::Entry(Arc::new(entry)),
            Parsed::Newer(newer) => Self::Newer(newer),
        }
    }
}

/// The bytes of one object, or why there are none.
pub(super) type Fetched = Result<Bytes, CorruptReason>;

/// The objects of `keys`, from the cache where it has what `whole` accepts, else from the store.
pub(super) async fn fetch(
    store: &Store,
    cache: Option<&Path>,
    keys: Vec<Key>,
    whole: impl Fn(&[u8]) -> bool,
) -> Vec<(Key, Fetched)> {
    let cache = cache.filter(|_| store.is_remote());
    let mut fetched = Vec::new();
    let mut missing = Vec::new();
    for key in keys {
        let cached = cache.and_then(|cache| folder::read(&cache.join(key.as_str())).ok()?);
        match cached.filter(|bytes| whole(bytes)) {
            Some(bytes) => fetched.push((key, Ok(bytes.into()))),
            None => missing.push(key),
        }
    }
    for (key, got) in store.get_all(missing).await {
        let bytes = match got {
            Ok(Some(bytes)) => Ok(bytes),
            Ok(None) => Err(CorruptReason::Unread("it is not there any more".into())),
            Err(error) => Err(CorruptReason::Unread(error.kind.to_string())),
        };
        if let (Some(cache), Ok(bytes)) = (cache, &bytes)
            && whole(bytes)
        {
            // A cache that cannot be written costs time, nothing else.
            folder::replace(&cache.join(key.as_str()), bytes).ok();
        }
        fetched.push((key, bytes));
    }
    fetched
}

/// What is known already, and the spool.
pub(super) fn local<B: DeserializeOwned>(
    spool: &Spool,
    known: &std::cell::RefCell<Known<B>>,
) -> Records<B> {
    let spooled = spool.entries().unwrap_or_default();
    let known = known.borrow();
    let keys: Vec<Key> = known.objects.keys().cloned().collect();
    known.records(&keys, spooled, Vec::new())
}

/// The entries of a store and the spool beside it; `known` spares what was read before.
pub(super) async fn read<B: DeserializeOwned>(
    store: &Store,
    cache: Option<&Path>,
    spool: &Spool,
    known: &std::cell::RefCell<Known<B>>,
) -> Result<Records<B>, StoreError> {
    // The spool first: what `sync` moves meanwhile is then seen twice rather than not at all.
    let spooled = spool.entries().unwrap_or_default();
    let keys = store.list(ENTRIES).await?;
    let new = known.borrow().unknown(&keys);
    let fetched = fetch(store, cache, new, |bytes| entry::seal_of(bytes).is_ok()).await;
    let mut known = known.borrow_mut();
    let corrupt = known.take_in(fetched);
    Ok(known.records(&keys, spooled, corrupt))
}
