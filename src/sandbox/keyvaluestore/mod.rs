//! The data plane of CloudFront KeyValueStore: REST-JSON, API version 2022-07-26.
//!
//! Facts are from the service's model and the CloudFront Developer Guide; where AWS's behavior is
//! not known, the harsher reading is taken: puts and deletes count together, a stale version is a
//! conflict, and a store can't be written before it is ready. Which stores there are and what they
//! are called is left to `super::cloudfront`.

mod calls;
mod store;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use self::store::Store;
use super::service::Delay;

pub(crate) use self::calls::{handle, operation};

/// The items of all stores of the account, by ARN.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Stores(BTreeMap<String, Store>);

impl Stores {
    /// Adds an empty store that is ready once `delay` has passed whole.
    pub(crate) fn create(&mut self, arn: &str, now: Timestamp, delay: Delay) {
        self.0
            .insert(arn.to_owned(), Store::new(arn, now, Some(delay)));
    }

    /// Adds a store that is ready and that every edge has with these items.
    pub(crate) fn seed(&mut self, arn: &str, items: &BTreeMap<String, String>, now: Timestamp) {
        self.0
            .insert(arn.to_owned(), Store::seeded(arn, items, now));
    }

    /// Forgets a store.
    pub(crate) fn remove(&mut self, arn: &str) {
        self.0.remove(arn);
    }

    /// Says whether there is such a store and it may be used.
    pub(crate) fn is_ready(&self, arn: &str, now: Timestamp) -> bool {
        self.0.get(arn).is_some_and(|store| store.is_ready(now))
    }

    /// Returns the ARNs and numbers of items of all stores.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (&str, usize)> {
        self.0
            .iter()
            .map(|(arn, store)| (arn.as_str(), store.items.len()))
    }

    /// Returns what the edge with this share of the skew (0 to 1) has of a store now; nothing for
    /// an unknown store.
    #[cfg(test)]
    pub(crate) fn edge_items(
        &self,
        arn: &str,
        fraction: f64,
        now: Timestamp,
    ) -> BTreeMap<String, String> {
        self.0
            .get(arn)
            .map(|store| store.items_at(fraction, now))
            .unwrap_or_default()
    }

    /// Returns one value as the edge with this share of the skew (0 to 1) has it now, without
    /// copying the store.
    pub(crate) fn edge_item(
        &self,
        arn: &str,
        key: &str,
        fraction: f64,
        now: Timestamp,
    ) -> Option<&str> {
        self.0.get(arn)?.item_at(key, fraction, now)
    }
}
