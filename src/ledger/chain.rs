//! Proof that nothing was altered or lost, as far as later entries can tell.
//!
//! Every entry seals its own bytes, names its run's entry before it and, first in its run, the
//! newest entries it saw. So an altered entry is found by itself, and a missing one by whoever
//! named it. Only entries that nothing names yet can vanish unseen. Pure.

use std::collections::BTreeMap;

use super::entry::{Entry, EntryId, Hash256, RunId};
use super::records::{CorruptReason, Records};
use super::store::Key;

/// Something that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Finding {
    /// The object at `key` is not the entry that was written there.
    Altered {
        /// Where it is.
        key: Key,
        /// How that shows.
        reason: CorruptReason,
    },
    /// An entry that another names is not there, or is not the one it named.
    Missing {
        /// Its hash.
        hash: Hash256,
        /// Who names it.
        named_by: EntryId,
    },
    /// A run's entries do not follow each other: `entry` does not continue its run.
    Broken {
        /// The run.
        run: RunId,
        /// The entry that does not fit.
        entry: EntryId,
    },
    /// Two entries claim the same place in a run.
    Forked {
        /// The run.
        run: RunId,
        /// The place.
        sequence: u32,
        /// The two.
        entries: [EntryId; 2],
    },
}

/// Everything about `records` that shows that entries were altered or lost; empty when all is well.
pub(crate) fn verify<B>(records: &Records<B>) -> Vec<Finding> {
    let mut findings: Vec<_> = records
        .corrupt
        .iter()
        .map(|corrupt| Finding::Altered {
            key: corrupt.key.clone(),
            reason: corrupt.reason.clone(),
        })
        .collect();
    // Entries of a newer format are known by hash alone; what follows one of them is believed.
    let mut known: BTreeMap<Hash256, Option<&Entry<B>>> = BTreeMap::new();
    for newer in &records.newer {
        known.insert(newer.hash, None);
    }
    for entry in &records.entries {
        known.insert(entry.hash, Some(entry.as_ref()));
    }
    let mut places: BTreeMap<(RunId, u32), EntryId> = BTreeMap::new();
    for entry in &records.entries {
        for named in entry.heads.iter().chain(&entry.previous) {
            if !known.contains_key(named) {
                findings.push(Finding::Missing {
                    hash: *named,
                    named_by: entry.id,
                });
            }
        }
        let before = entry.previous.and_then(|hash| known.get(&hash).copied());
        let follows = match before.flatten() {
            Some(before) => {
                before.run == entry.run && before.sequence.checked_add(1) == Some(entry.sequence)
            }
            // Missing ones are reported above.
            None => entry.previous.is_some() == (entry.sequence > 0),
        };
        if !follows {
            findings.push(Finding::Broken {
                run: entry.run,
                entry: entry.id,
            });
        }
        if let Some(other) = places.insert((entry.run, entry.sequence), entry.id) {
            findings.push(Finding::Forked {
                run: entry.run,
                sequence: entry.sequence,
                entries: [other, entry.id],
            });
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::sync::Arc;

    use jiff::Timestamp;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::ledger::entry::{Draft, FORMAT};
    use crate::ledger::records::{Known, Records};

    /// A ledger of several runs that take turns, as stored objects. `turns` are run numbers; a
    /// run's first entry names the heads of that moment.
    fn written(turns: &[u8]) -> Vec<(Key, Vec<u8>)> {
        let mut runs: BTreeMap<u8, (RunId, u32, Hash256)> = BTreeMap::new();
        let mut records = Records::default();
        let mut objects = Vec::new();
        for (second, turn) in (0_i64..).zip(turns) {
            let at = Timestamp::from_second(1_800_000_000 + second).unwrap();
            let before = runs.get(turn).copied();
            let (entry, bytes) = Draft {
                format: FORMAT,
                id: EntryId::new(at, None),
                at,
                event: "cup-final".into(),
                operator: "jess".into(),
                target: "rehearsal".into(),
                run: before.map_or_else(|| RunId::new(at), |(run, ..)| run),
                sequence: before.map_or(0, |(_, last, _)| last + 1),
                previous: before.map(|(.., hash)| hash),
                heads: before.map_or_else(|| records.heads(), |_| Vec::new()),
                body: json!({"second": second, "share": 0.1}),
            }
            .seal()
            .unwrap();
            runs.insert(*turn, (entry.run, entry.sequence, entry.hash));
            objects.push((entry.key(), bytes));
            records.entries.push(Arc::new(entry));
        }
        objects
    }

    fn read(objects: &[(Key, Vec<u8>)]) -> Records<Value> {
        let known = RefCell::new(Known::default());
        let keys: Vec<_> = objects.iter().map(|(key, _)| key.clone()).collect();
        let fetched = objects
            .iter()
            .map(|(key, bytes)| (key.clone(), Ok(bytes.clone().into())))
            .collect();
        let corrupt = known.borrow_mut().take_in(fetched);
        known.into_inner().records(&keys, Vec::new(), corrupt)
    }

    proptest! {
        #[test]
        fn an_untouched_ledger_has_no_findings(turns in prop::collection::vec(0_u8..4, 0..12)) {
            prop_assert_eq!(verify(&read(&written(&turns))), []);
        }

        #[test]
        fn altering_any_byte_of_any_entry_is_found(
            turns in prop::collection::vec(0_u8..4, 1..8),
            entry: prop::sample::Index,
            byte: prop::sample::Index,
            flip in 1_u8..,
        ) {
            let mut objects = written(&turns);
            let (key, bytes) = entry.get_mut(&mut objects);
            let key = key.clone();
            let byte = byte.index(bytes.len());
            bytes[byte] ^= flip;
            let findings = verify(&read(&objects));
            let found = findings.iter().any(
                |finding| matches!(finding, Finding::Altered { key: at, .. } if *at == key),
            );
            prop_assert!(found, "{:?}", findings);
        }

        #[test]
        fn removing_any_entry_that_another_names_is_found(
            turns in prop::collection::vec(0_u8..4, 2..12),
            entry: prop::sample::Index,
        ) {
            let mut objects = written(&turns);
            let whole = read(&objects);
            let removed = entry.index(objects.len());
            let hash = whole.entries[removed].hash;
            prop_assume!(!whole.heads().contains(&hash));
            objects.remove(removed);
            let findings = verify(&read(&objects));
            let found = findings.iter().any(
                |finding| matches!(finding, Finding::Missing { hash: missing, .. } if *missing == hash),
            );
            prop_assert!(found, "{:?}", findings);
        }

        #[test]
        fn the_entry_written_last_before_a_new_run_is_always_named(
            turns in prop::collection::vec(0_u8..4, 1..8),
        ) {
            let last = written(&turns).len() - 1;
            let mut more = turns.clone();
            more.push(9);
            let records = read(&written(&more));
            prop_assert_eq!(records.heads().len(), 1);
            prop_assert!(!records.heads().contains(&records.entries[last].hash));
        }
    }

    #[test]
    fn an_entry_replaced_by_a_resealed_one_is_found() {
        let mut objects = written(&[0, 0]);
        let original = read(&objects).entries[0].clone();
        let (forged, bytes) = Draft {
            format: FORMAT,
            id: original.id,
            at: original.at,
            event: original.event.clone(),
            operator: "somebody-else".into(),
            target: original.target.clone(),
            run: original.run,
            sequence: 0,
            previous: None,
            heads: Vec::new(),
            body: original.body.clone(),
        }
        .seal()
        .unwrap();
        objects[0] = (forged.key(), bytes);
        let records = read(&objects);
        let expected = Finding::Missing {
            hash: original.hash,
            named_by: records.entries[1].id,
        };
        assert_eq!(verify(&records), [expected]);
    }

    #[test]
    fn two_entries_in_one_place_are_a_fork() {
        let mut objects = written(&[0, 0]);
        let entries = read(&objects).entries;
        let at = entries[1]
            .at
            .checked_add(std::time::Duration::from_secs(9))
            .unwrap();
        let (twin, bytes) = Draft {
            format: FORMAT,
            id: EntryId::new(at, None),
            at,
            event: entries[1].event.clone(),
            operator: entries[1].operator.clone(),
            target: entries[1].target.clone(),
            run: entries[1].run,
            sequence: 1,
            previous: entries[1].previous,
            heads: Vec::new(),
            body: json!("other"),
        }
        .seal()
        .unwrap();
        objects.push((twin.key(), bytes));
        let expected = Finding::Forked {
            run: twin.run,
            sequence: 1,
            entries: [entries[1].id, twin.id],
        };
        assert_eq!(verify(&read(&objects)), [expected]);
    }
}
