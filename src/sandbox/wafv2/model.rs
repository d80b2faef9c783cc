//! What AWS WAF holds for scope CLOUDFRONT, and what of it each edge has already got.

use std::collections::{BTreeMap, HashSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::event::cidr::{Cidr, Family};
use crate::sandbox::ids::random_uuid;
use crate::sandbox::service::Delay;

/// The state of the service.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Waf {
    /// By id.
    pub(super) ip_sets: BTreeMap<String, IpSet>,
    /// By id.
    pub(super) web_acls: BTreeMap<String, WebAcl>,
    /// Deleted sets that an edge may still ask, by ARN.
    pub(super) departed: BTreeMap<String, IpSet>,
    /// By ARN.
    pub(super) tags: BTreeMap<String, BTreeMap<String, String>>,
}

/// An IP set.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct IpSet {
    pub(super) name: String,
    pub(super) id: String,
    pub(super) arn: String,
    pub(super) description: String,
    pub(super) family: Family,
    pub(super) lock_token: String,
    pub(super) addresses: Addresses,
    /// Changes that are not at every edge yet, oldest first.
    changes: Vec<SetChange>,
}

/// Canonical prefixes, kept as one text: sets of 10,000 are read and written with every call.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Addresses(String);

impl Addresses {
    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split_ascii_whitespace()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T: AsRef<str>> FromIterator<T> for Addresses {
    fn from_iter<I: IntoIterator<Item = T>>(addresses: I) -> Self {
        let mut text = String::new();
        for address in addresses {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(address.as_ref());
        }
        Self(text)
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct SetChange {
    at: Timestamp,
    added: Addresses,
    removed: Addresses,
}

/// A web ACL, its rules as the client sent them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct WebAcl {
    pub(super) name: String,
    pub(super) id: String,
    pub(super) arn: String,
    pub(super) lock_token: String,
    pub(super) capacity: u64,
    /// `DefaultAction`, `Rules`, `VisibilityConfig`, `Description` and the other members of the
    /// API's structure that a client sets.
    pub(super) document: Map<String, Value>,
    /// Earlier documents that an edge may still have, oldest first.
    earlier: Vec<Earlier>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Earlier {
    /// Valid until then, plus the roll-out; none before the ACL was made.
    until: Timestamp,
    document: Option<Map<String, Value>>,
}

impl IpSet {
    pub(super) fn new(name: &str, id: String, arn: String, family: Family) -> Self {
        Self {
            name: name.to_owned(),
            id,
            arn,
            description: String::new(),
            family,
            lock_token: random_uuid(),
            addresses: Addresses::default(),
            changes: Vec::new(),
        }
    }

    /// Replaces the addresses, remembers what changed until it is everywhere, and gives out a new
    /// lock token, even when nothing changed.
    pub(super) fn replace(&mut self, addresses: Addresses, now: Timestamp, delay: Delay) {
        let (added, removed) = {
            let before: HashSet<&str> = self.addresses.iter().collect();
            let after: HashSet<&str> = addresses.iter().collect();
            let added: Addresses = addresses
                .iter()
                .filter(|one| !before.contains(one))
                .collect();
            let removed: Addresses = self
                .addresses
                .iter()
                .filter(|one| !after.contains(one))
                .collect();
            (added, removed)
        };
        self.changes
            .retain(|change| !settled(change.at, now, delay));
        if !(added.is_empty() && removed.is_empty()) {
            self.changes.push(SetChange {
                at: now,
                added,
                removed,
            });
        }
        self.addresses = addresses;
        self.lock_token = random_uuid();
    }

    /// The addresses without roll-out, as in a seed.
    pub(super) fn settle(&mut self, addresses: Addresses) {
        self.addresses = addresses;
        self.changes.clear();
    }

    /// The addresses that an edge has: the current ones, without the changes still on their way.
    pub(super) fn at_edge(&self, fraction: f64, now: Timestamp, delay: Delay) -> Vec<Cidr> {
        let on_their_way = |change: &&SetChange| !delay.has_arrived(change.at, fraction, now);
        if !self.changes.iter().any(|change| on_their_way(&change)) {
            return self
                .addresses
                .iter()
                .filter_map(|one| one.parse().ok())
                .collect();
        }
        let mut held: HashSet<&str> = self.addresses.iter().collect();
        for change in self.changes.iter().rev().filter(on_their_way) {
            for address in change.added.iter() {
                held.remove(address);
            }
            held.extend(change.removed.iter());
        }
        held.into_iter()
            .filter_map(|address| address.parse().ok())
            .collect()
    }
}

impl WebAcl {
    pub(super) fn new(name: &str, id: String, arn: String) -> Self {
        Self {
            name: name.to_owned(),
            id,
            arn,
            lock_token: random_uuid(),
            capacity: 0,
            document: Map::new(),
            earlier: Vec::new(),
        }
    }

    /// Replaces the document and gives out a new lock token.
    pub(super) fn replace(
        &mut self,
        document: Map<String, Value>,
        capacity: u64,
        now: Timestamp,
        delay: Delay,
    ) {
        self.earlier
            .retain(|earlier| !settled(earlier.until, now, delay));
        let before = std::mem::replace(&mut self.document, document);
        self.earlier.push(Earlier {
            until: now,
            document: (!before.is_empty()).then_some(before),
        });
        self.capacity = capacity;
        self.lock_token = random_uuid();
    }

    /// The document without roll-out, as in a seed.
    pub(super) fn settle(&mut self, document: Map<String, Value>, capacity: u64) {
        self.document = document;
        self.capacity = capacity;
        self.earlier.clear();
    }

    /// The document that an edge has; none when it has not heard of the ACL yet.
    pub(super) fn at_edge(
        &self,
        fraction: f64,
        now: Timestamp,
        delay: Delay,
    ) -> Option<&Map<String, Value>> {
        self.earlier
            .iter()
            .find(|earlier| !delay.has_arrived(earlier.until, fraction, now))
            .map_or(Some(&self.document), |earlier| earlier.document.as_ref())
    }
}

/// A change this old is at every edge, whatever the roll-out was when it was made.
fn settled(at: Timestamp, now: Timestamp, delay: Delay) -> bool {
    delay.has_arrived(at, 1.0, now) && now.duration_since(at) > SignedDuration::from_mins(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(prefixes: &[Cidr]) -> Vec<String> {
        let mut texts: Vec<_> = prefixes.iter().map(ToString::to_string).collect();
        texts.sort();
        texts
    }

    #[test]
    fn edges_get_changes_one_after_the_other() {
        let delay = Delay::seconds(10, 20);
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut set = IpSet::new("s", random_uuid(), "arn".to_owned(), Family::V4);
        set.settle(Addresses::from_iter(["192.0.2.1/32"]));
        set.replace(
            Addresses::from_iter(["192.0.2.1/32", "192.0.2.2/32"]),
            at(100),
            delay,
        );
        set.replace(Addresses::from_iter(["192.0.2.2/32"]), at(105), delay);
        for (fraction, now, expected) in [
            (0.0, 109, vec!["192.0.2.1/32"]),
            (0.0, 110, vec!["192.0.2.1/32", "192.0.2.2/32"]),
            (0.0, 115, vec!["192.0.2.2/32"]),
            (1.0, 129, vec!["192.0.2.1/32"]),
            (1.0, 135, vec!["192.0.2.2/32"]),
        ] {
            assert_eq!(
                texts(&set.at_edge(fraction, at(now), delay)),
                expected,
                "{fraction} {now}"
            );
        }
    }

    #[test]
    fn old_changes_are_forgotten() {
        let delay = Delay::seconds(10, 20);
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut set = IpSet::new("s", random_uuid(), "arn".to_owned(), Family::V4);
        for round in 0..50 {
            let address = format!("192.0.2.{round}/32");
            set.replace(Addresses::from_iter([address]), at(round * 3600), delay);
        }
        assert_eq!(set.changes.len(), 1);
    }

    #[test]
    fn an_unchanged_set_gets_a_random_uuid() {
        let mut set = IpSet::new("s", random_uuid(), "arn".to_owned(), Family::V4);
        let before = set.lock_token.clone();
        set.replace(
            Addresses::default(),
            Timestamp::UNIX_EPOCH,
            Delay::default(),
        );
        assert_ne!(set.lock_token, before);
        assert_eq!(set.lock_token.len(), 36);
    }
}
