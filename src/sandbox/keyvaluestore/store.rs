//! One key value store: its items, its version, and what of it has reached each edge.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::sandbox::seed::letters;
use crate::sandbox::service::Delay;

/// A store. Every change goes through [`Store::write`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Store {
    pub(crate) created: Timestamp,
    pub(crate) modified: Timestamp,
    pub(crate) etag: String,
    /// Counts the writes, for the next version.
    sequence: u64,
    /// When it may be used; none for a seeded one.
    creation: Option<Delay>,
    pub(crate) items: BTreeMap<String, String>,
    /// Bytes of all keys and values.
    pub(crate) size: usize,
    /// Writes that some edge may not have yet, oldest first.
    log: Vec<Write>,
}

/// How to undo a write, for edges that do not have it yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Write {
    at: Timestamp,
    delay: Delay,
    /// What the written keys had before.
    before: Vec<(String, Option<String>)>,
}

impl Store {
    /// An empty store that is ready once `creation` has passed.
    pub(crate) fn new(arn: &str, now: Timestamp, creation: Option<Delay>) -> Self {
        Self {
            created: now,
            modified: now,
            etag: etag(arn, now, 0),
            sequence: 0,
            creation,
            items: BTreeMap::new(),
            size: 0,
            log: Vec::new(),
        }
    }

    /// A store that every edge has with these items.
    pub(crate) fn seeded(arn: &str, items: &BTreeMap<String, String>, now: Timestamp) -> Self {
        Self {
            size: items
                .iter()
                .map(|(key, value)| key.len() + value.len())
                .sum(),
            items: items.clone(),
            ..Self::new(arn, now, None)
        }
    }

    /// Says whether the store may be written, read by functions and deleted.
    pub(crate) fn is_ready(&self, now: Timestamp) -> bool {
        self.creation
            .is_none_or(|delay| delay.has_arrived(self.created, 1.0, now))
    }

    /// Returns the bytes that all keys and values would have after these changes.
    pub(crate) fn size_after(&self, changes: &BTreeMap<String, Option<String>>) -> usize {
        changes.iter().fold(self.size, |size, (key, value)| {
            let bytes = |value: &String| key.len() + value.len();
            size + value.as_ref().map_or(0, bytes) - self.items.get(key).map_or(0, bytes)
        })
    }

    /// Puts the keys that have a value, deletes the others, and goes on to the next version.
    pub(crate) fn write(
        &mut self,
        arn: &str,
        changes: BTreeMap<String, Option<String>>,
        now: Timestamp,
        delay: Delay,
    ) {
        self.size = self.size_after(&changes);
        let mut before = Vec::with_capacity(changes.len());
        for (key, value) in changes {
            let former = match value {
                Some(value) => self.items.insert(key.clone(), value),
                None => self.items.remove(&key),
            };
            before.push((key, former));
        }
        self.log.push(Write {
            at: now,
            delay,
            before,
        });
        // What every edge has need not be undone for any.
        let everywhere = self.arrived(1.0, now);
        self.log.drain(..everywhere);
        self.sequence += 1;
        self.modified = now;
        self.etag = etag(arn, self.created, self.sequence);
    }

    /// Returns how many writes of the log are at the edge with this share of the skew; they arrive
    /// in order.
    fn arrived(&self, fraction: f64, now: Timestamp) -> usize {
        self.log
            .iter()
            .rposition(|write| write.delay.has_arrived(write.at, fraction, now))
            .map_or(0, |newest| newest + 1)
    }

    /// Returns what the edge with this share of the skew (0 to 1) has now.
    #[cfg(test)]
    pub(crate) fn items_at(&self, fraction: f64, now: Timestamp) -> BTreeMap<String, String> {
        let mut items = self.items.clone();
        for write in self.log[self.arrived(fraction, now)..].iter().rev() {
            for (key, former) in &write.before {
                match former {
                    Some(value) => items.insert(key.clone(), value.clone()),
                    None => items.remove(key),
                };
            }
        }
        items
    }

    /// Returns one value as the edge with this share of the skew (0 to 1) has it now.
    pub(crate) fn item_at(&self, key: &str, fraction: f64, now: Timestamp) -> Option<&str> {
        // The first write of this key that the edge lacks knows what the edge still has.
        self.log[self.arrived(fraction, now)..]
            .iter()
            .flat_map(|write| &write.before)
            .find(|(written, _)| written == key)
            .map_or_else(
                || self.items.get(key).map(String::as_str),
                |(_, former)| former.as_deref(),
            )
    }

    #[cfg(test)]
    pub(crate) fn log_length(&self) -> usize {
        self.log.len()
    }
}

/// Versions look like AWS's, and differ from those of the control plane.
fn etag(arn: &str, created: Timestamp, sequence: u64) -> String {
    let which = format!("{created}/{sequence}");
    format!("E{}", letters("items-etag", arn, &which, 13))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn change(key: &str, value: Option<&str>) -> BTreeMap<String, Option<String>> {
        BTreeMap::from([(key.to_owned(), value.map(str::to_owned))])
    }

    #[test]
    fn edges_get_writes_one_after_the_other() {
        let delay = Delay::seconds(10, 10);
        let mut store = Store::seeded("arn", &BTreeMap::new(), at(0));
        store.write("arn", change("k", Some("1")), at(100), delay);
        store.write("arn", change("k", Some("2")), at(104), delay);
        store.write("arn", change("k", None), at(108), delay);
        for (fraction, second, expected) in [
            (0.0, 109, None),
            (0.0, 110, Some("1")),
            (0.0, 114, Some("2")),
            (0.0, 118, None),
            (1.0, 119, None),
            (1.0, 120, Some("1")),
            (1.0, 124, Some("2")),
            (1.0, 128, None),
        ] {
            let value = store.item_at("k", fraction, at(second));
            assert_eq!(value, expected, "{fraction} {second}");
            let items = store.items_at(fraction, at(second));
            assert_eq!(items.get("k").map(String::as_str), expected);
        }
    }

    #[test]
    fn forgets_writes_that_every_edge_has() {
        let mut store = Store::seeded("arn", &BTreeMap::new(), at(0));
        for second in 1..=1000 {
            let key = second.to_string();
            store.write(
                "arn",
                change(&key, Some("v")),
                at(second),
                Delay::seconds(5, 5),
            );
        }
        assert!(store.log_length() <= 10, "{}", store.log_length());
        assert_eq!(store.items_at(1.0, at(1000)).len(), 990);
        assert_eq!(store.items_at(0.0, at(1000)).len(), 995);
    }
}
