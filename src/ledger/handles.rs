//! Names of entries that can be said over a radio: `jess-7`, the operator and a counter.
//!
//! A handle is claimed by creating `handles/<operator>-<n>`, whose content is the entry's id: the
//! store lets only one of many do that.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::append::{AppendError, Ledger};
use super::entry::EntryId;
use super::records;
use super::store::{Key, StoreError, StoreErrorKind};

/// The folder of the windows' claims within a store.
const WINDOWS: &str = "windows/";

/// A claim this old, with no entry to show for it, was left by a process that died.
const STALE_CLAIM: SignedDuration = SignedDuration::from_mins(2);

/// The folder of the handles within a store.
const HANDLES: &str = "handles/";

/// The handles that were read, by the key that claims each.
pub(super) type KnownHandles = BTreeMap<Key, EntryId>;

/// Which handle names which entry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Handles {
    by_entry: BTreeMap<EntryId, String>,
}

impl Handles {
    /// The handle of `entry`, if it has one yet.
    pub(crate) fn of(&self, entry: EntryId) -> Option<&str> {
        self.by_entry.get(&entry).map(String::as_str)
    }

    /// All of them, by entry and so by time.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (EntryId, &str)> {
        self.by_entry
            .iter()
            .map(|(entry, handle)| (*entry, handle.as_str()))
    }
}

/// The operator's name as a handle can have it: lower-case letters, digits, `.`, `_` and `-`.
fn speakable(operator: &str) -> String {
    let plain = |letter: char| match letter.to_ascii_lowercase() {
        kept @ ('a'..='z' | '0'..='9' | '.' | '_') => kept,
        _ => '-',
    };
    let name: String = operator.chars().map(plain).collect();
    match name.trim_matches(['-', '.']) {
        "" => "operator".to_owned(),
        trimmed => trimmed.to_owned(),
    }
}

/// The counter of `key`, when it claims a handle of `name`.
fn counter(key: &Key, name: &str) -> Option<u32> {
    let (operator, counter) = key.file_name().rsplit_once('-')?;
    (operator == name).then(|| counter.parse().ok())?
}

impl<B: Serialize + DeserializeOwned + Clone> Ledger<B> {
    /// Claims the operator's next handle for `entry`. `None` when the store is away: `sync` claims
    /// it then.
    ///
    /// # Errors
    /// When the wish for a handle cannot be kept, either.
    pub(crate) async fn claim_handle(
        &self,
        operator: &str,
        entry: EntryId,
    ) -> Result<Option<String>, AppendError> {
        if !self.is_spooling().await
            && let Ok(handle) = self.claim_now(operator, entry).await
        {
            return Ok(Some(handle));
        }
        self.spool.wish(entry, operator)?;
        Ok(None)
    }

    /// Claims the opening of a window, so that one of several who tend opens it. True for the one
    /// who may, and again once a claim is stale.
    pub(crate) async fn claim_window(
        &self,
        name: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let digest = hex::encode(Sha256::digest(name.as_bytes()));
        let key = Key::new(format!("{WINDOWS}{digest}"));
        match self.create(&key, now.to_string().into_bytes()).await {
            Ok(()) => Ok(true),
            Err(error) if error.kind == StoreErrorKind::AlreadyExists => {
                let claimed = self.options.store.get(&key).await?;
                let at = claimed
                    .and_then(|bytes| std::str::from_utf8(&bytes).ok()?.parse::<Timestamp>().ok());
                Ok(at.is_none_or(|at| now.duration_since(at) > STALE_CLAIM))
            }
            Err(error) => Err(error),
        }
    }

    /// Claims a handle in the store.
    pub(super) async fn claim_now(
        &self,
        operator: &str,
        entry: EntryId,
    ) -> Result<String, StoreError> {
        let name = speakable(operator);
        let taken = self.options.store.list(HANDLES).await?;
        let highest = taken.iter().filter_map(|key| counter(key, &name)).max();
        let mut next = highest.unwrap_or(0) + 1;
        loop {
            let handle = format!("{name}-{next}");
            let key = Key::new(format!("{HANDLES}{handle}"));
            match self.create(&key, entry.to_string().into_bytes()).await {
                Ok(()) => return Ok(handle),
                // Somebody was faster; each of them takes one number, so this ends.
                Err(error) if error.kind == StoreErrorKind::AlreadyExists => next += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// All handles. Only what is new since the last call is fetched.
    pub(crate) async fn handles(&self) -> Result<Handles, StoreError> {
        let keys = self.options.store.list(HANDLES).await?;
        let new = {
            let known = self.handles.borrow();
            let new = keys.iter().filter(|key| !known.contains_key(key));
            new.cloned().collect()
        };
        let id = |bytes: &[u8]| std::str::from_utf8(bytes).ok()?.parse::<EntryId>().ok();
        let cache = self.cache.as_deref();
        let whole = |bytes: &[u8]| id(bytes).is_some();
        let fetched = records::fetch(&self.options.store, cache, new, whole).await;
        let mut known = self.handles.borrow_mut();
        for (key, bytes) in fetched {
            // A handle that cannot be read names nothing; its entry is still found by id.
            if let Some(entry) = bytes.ok().and_then(|bytes| id(&bytes)) {
                known.insert(key, entry);
            }
        }
        let mut handles = Handles::default();
        for key in &keys {
            if let Some(entry) = known.get(key) {
                handles
                    .by_entry
                    .entry(*entry)
                    .or_insert_with(|| key.file_name().to_owned());
            }
        }
        Ok(handles)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_get_names_that_can_be_said_and_stored() {
        for (operator, name) in [
            ("jess", "jess"),
            ("Jess", "jess"),
            ("jess@desk 3", "jess-desk-3"),
            ("../..", "operator"),
            ("", "operator"),
        ] {
            assert_eq!(speakable(operator), name);
        }
    }

    #[test]
    fn an_operator_whose_name_ends_in_a_number_counts_alone() {
        let key = Key::new("handles/jess-2-7".to_owned());
        assert_eq!(counter(&key, "jess-2"), Some(7));
        assert_eq!(counter(&key, "jess"), None);
    }
}
