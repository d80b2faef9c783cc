//! What the revocation keys of a change should be in the key value store, and the update calls that
//! bring them there. Only the keys that the change names are ever touched.

use std::collections::{BTreeMap, HashMap};

use crate::ledger::body::{End, What};
use crate::ledger::entry::EntryId;
use crate::ledger::view::{Change, Progress, Standing, View};

/// One `UpdateKeys` call takes this many keys (aws-facts section 2, CFDG quotas); whether puts and
/// deletes count together is not documented, so they do.
pub(crate) const KEYS_PER_CALL: usize = 50;

/// The store holds this many bytes (aws-facts section 2, CFDG quotas).
pub(crate) const STORE_LIMIT_BYTES: u64 = 5 * 1024 * 1024;

/// What the change wants of each key it names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct KeyWish {
    /// The value wanted, or none for a key that goes.
    pub(crate) keys: BTreeMap<String, Option<String>>,
    /// A colleague's opposite change of one of the keys is on its way: these are written anyway.
    must_write: Vec<String>,
}

/// The update calls to make.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct KeyPlan {
    pub(crate) puts: Vec<(String, String)>,
    pub(crate) deletes: Vec<String>,
}

/// One `UpdateKeys` call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Batch {
    pub(crate) puts: Vec<(String, String)>,
    pub(crate) deletes: Vec<String>,
}

impl KeyWish {
    /// What the change `own` of the ledger means. `value` turns an end into the stored value.
    pub(crate) fn of(view: &View, own: &EntryId, value: &dyn Fn(End) -> String) -> Self {
        let Some(change) = view.get(own) else {
            return Self::default();
        };
        let intent = change.intent();
        let mut named: BTreeMap<String, Option<String>> = BTreeMap::new();
        let mut name = |target: &Change, what: &What| {
            for ask in &target.intent().opens.keys {
                let meant = match what {
                    What::All => true,
                    What::Keys(keys) => keys.contains(&ask.key),
                    What::Prefixes(_) | What::Countries(_) => false,
                };
                if meant {
                    named.insert(ask.key.clone(), ask.already_there.clone());
                }
            }
        };
        name(change, &What::All);
        if let Some(undone) = intent.undoes.as_ref().and_then(|entry| view.get(entry)) {
            name(undone, &What::All);
            for part in &undone.intent().closes {
                if let Some(lifted) = view.get(&part.entry) {
                    name(lifted, &part.what);
                }
            }
        }
        for part in &intent.closes {
            if let Some(target) = view.get(&part.entry) {
                name(target, &part.what);
            }
        }
        let after = view.assuming(own, Progress::Settled);
        let before = view.assuming(own, Progress::Void);
        let asked = standing_keys(&after);
        let theirs = foreign_values(view);
        let in_flight = standing_keys(&before);
        let mut wish = Self::default();
        for (key, already_there) in named {
            let ends = asked.get(&key).map_or(&[][..], Vec::as_slice);
            let open = ends
                .iter()
                .filter(|(_, standing, _)| *standing == Standing::Open);
            let latest = open
                .map(|(end, _, _)| value(*end))
                .max_by_key(|text| text.parse::<i64>().unwrap_or(i64::MAX));
            let opening = ends
                .iter()
                .any(|(_, standing, _)| *standing == Standing::Opening);
            if latest.is_none() && opening {
                // A colleague is revoking it right now: their change decides.
                continue;
            }
            let closing_elsewhere = in_flight.get(&key).is_some_and(|ends| {
                ends.iter()
                    .any(|(_, standing, by)| *standing == Standing::Closing && by != own)
            });
            if latest.is_some() && closing_elsewhere {
                wish.must_write.push(key.clone());
            }
            // What someone else's tool put there is kept when our end comes, and never shortened by us.
            let foreign =
                already_there.or_else(|| theirs.get(key.as_str()).map(|value| (*value).to_owned()));
            wish.keys.insert(key, later(latest, foreign));
        }
        wish.keys.extend(settings(view, &after, change));
        for (key, _) in &intent.takes.keys {
            wish.keys.insert(key.clone(), None);
        }
        for (key, value) in &intent.gives.keys {
            let ours = wish.keys.remove(key).flatten();
            wish.keys
                .insert(key.clone(), later(ours, Some(value.clone())));
        }
        wish
    }
}

/// What the settings that a change names should be: what the latest entry that stands asks for, else what
/// was there before the first of those that ended.
fn settings(view: &View, after: &View, change: &Change) -> Vec<(String, Option<String>)> {
    let intent = change.intent();
    let undone = intent.undoes.as_ref().and_then(|entry| view.get(entry));
    let closed = intent
        .closes
        .iter()
        .filter_map(|part| view.get(&part.entry));
    let mut named: BTreeMap<&str, Option<&str>> = BTreeMap::new();
    for target in closed.chain(undone).chain([change]) {
        for ask in &target.intent().opens.settings {
            named.entry(&ask.key).or_insert(ask.before.as_deref());
        }
    }
    named
        .into_iter()
        .map(|(key, before)| {
            let standing = after.changes().iter().rev().find_map(|other| {
                after
                    .settings(other)
                    .into_iter()
                    .find(|(ask, standing)| ask.key == key && *standing == Standing::Open)
                    .map(|(ask, _)| ask.value.clone())
            });
            let wanted = standing.or_else(|| origin(view, key, before));
            (key.to_owned(), wanted)
        })
        .collect()
}

/// What a setting was before the chain of entries that led to `before`, all of which have ended.
fn origin(view: &View, key: &str, before: Option<&str>) -> Option<String> {
    let mut value = before.map(str::to_owned);
    for change in view.changes().iter().rev() {
        let asks = &change.intent().opens.settings;
        if let Some(ask) = asks.iter().find(|ask| ask.key == key)
            && change.progress() != Progress::Void
            && Some(&ask.value) == value.as_ref()
        {
            value.clone_from(&ask.before);
        }
    }
    value
}

/// The values of keys that were someone else's before any entry asked for them, as far as no
/// operator took them away by name since.
pub(crate) fn foreign_values(view: &View) -> HashMap<&str, &str> {
    let mut foreign = HashMap::new();
    for change in view
        .changes()
        .iter()
        .filter(|change| change.progress() != Progress::Void)
    {
        let intent = change.intent();
        for ask in &intent.opens.keys {
            if let Some(value) = &ask.already_there {
                foreign.insert(ask.key.as_str(), value.as_str());
            }
        }
        for (taken, _) in &intent.takes.keys {
            foreign.remove(taken.as_str());
        }
        for (given, value) in &intent.gives.keys {
            foreign.insert(given.as_str(), value.as_str());
        }
    }
    foreign
}

/// The value that refuses longer; one that is no time refuses for ever.
fn later(ours: Option<String>, theirs: Option<String>) -> Option<String> {
    let rank = |value: &String| value.parse::<i64>().unwrap_or(i64::MAX);
    match (ours, theirs) {
        (Some(ours), Some(theirs)) if rank(&theirs) > rank(&ours) => Some(theirs),
        (Some(ours), _) => Some(ours),
        (None, theirs) => theirs,
    }
}

type Stands = Vec<(End, Standing, EntryId)>;

/// Every key that an entry still asks for, with the ends asked.
pub(crate) fn standing_keys(view: &View) -> HashMap<String, Stands> {
    let mut keys: HashMap<String, Stands> = HashMap::new();
    for change in view.changes() {
        for (ask, standing) in view.keys(change) {
            let stands = keys.entry(ask.key.clone()).or_default();
            stands.push((change.intent().end, standing, *change.id()));
        }
    }
    keys
}

/// Plans the calls for a store in which the named keys now have the values of `observed`.
pub(crate) fn plan_keys(observed: &BTreeMap<String, String>, wish: &KeyWish) -> KeyPlan {
    let mut plan = KeyPlan::default();
    for (key, wanted) in &wish.keys {
        let present = observed.get(key);
        match wanted {
            Some(value) if present != Some(value) || wish.must_write.contains(key) => {
                plan.puts.push((key.clone(), value.clone()));
            }
            None if present.is_some() => plan.deletes.push(key.clone()),
            Some(_) | None => {}
        }
    }
    plan
}

impl KeyPlan {
    pub(crate) fn is_empty(&self) -> bool {
        self.puts.is_empty() && self.deletes.is_empty()
    }

    /// Bytes the store grows by, at most: keys and values of the puts.
    pub(crate) fn bytes(&self) -> u64 {
        self.puts
            .iter()
            .map(|(key, value)| (key.len() + value.len()) as u64)
            .sum()
    }

    /// The calls, fullest first.
    pub(crate) fn batches(&self) -> Vec<Batch> {
        let mut batches: Vec<Batch> = self
            .puts
            .chunks(KEYS_PER_CALL)
            .map(|puts| Batch {
                puts: puts.to_vec(),
                deletes: Vec::new(),
            })
            .collect();
        let mut deletes = self.deletes.as_slice();
        if let Some(last) = batches.last_mut() {
            let room = (KEYS_PER_CALL - last.puts.len()).min(deletes.len());
            last.deletes = deletes[..room].to_vec();
            deletes = &deletes[room..];
        }
        batches.extend(deletes.chunks(KEYS_PER_CALL).map(|deletes| Batch {
            puts: Vec::new(),
            deletes: deletes.to_vec(),
        }));
        batches
    }
}
