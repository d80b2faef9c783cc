//! Who did what, when, in which order: the event's append-only record.
//!
//! One immutable JSON object an entry, so that any number of operators append without conflict.
//! [`Ledger`] reads and appends; [`store`] is where the objects are kept, [`entry`] their envelope,
//! [`spool`] what could not be stored yet, [`handles`] the names that can be said over a radio,
//! [`chain`] the proof that nothing was altered or lost. What an entry means is its body, `B`:
//! nothing here looks into it. [`turn`] is about taking turns on one machine.

mod append;
pub(crate) mod body;
pub(crate) mod chain;
pub(crate) mod clock;
pub(crate) mod entry;
mod folder;
mod handles;
mod heartbeat;
mod records;
pub(crate) mod s3;
pub(crate) mod sightings;
mod spool;
pub(crate) mod store;
#[cfg(test)]
mod tests;
pub(crate) mod turn;
pub(crate) mod view;

pub(crate) use self::{
    append::{Ledger, Options, Where},
    entry::{Entry, EntryId},
    heartbeat::Beat,
    records::{Corrupt, Records},
    s3::S3Options,
    store::{Store, StoreError},
};

use std::collections::{HashMap, HashSet};

use body::Body;
use view::View;

/// The ledger as the commands see it.
#[derive(Debug, Clone)]
pub(crate) struct ReadLedger {
    pub(crate) view: View,
    pub(crate) corrupt: Vec<Corrupt>,
    /// How many entries a newer onair wrote.
    pub(crate) newer: usize,
    /// How many entries are on this machine only.
    pub(crate) spooled: usize,
}

/// Reads everything, with the handles.
///
/// # Errors
/// When the store cannot be read; an unreadable entry is no error.
pub(crate) async fn read_all(ledger: &Ledger<Body>) -> Result<ReadLedger, StoreError> {
    let records = ledger.read().await?;
    let handles = ledger.handles().await?;
    let handles = handles
        .iter()
        .map(|(id, handle)| (id, handle.to_owned()))
        .collect();
    Ok(together(records, &handles))
}

/// Reads everything but the handles: what plans need, in fewer calls. While this run writes to the
/// spool because the store is away, what this machine has must do.
///
/// # Errors
/// When the store cannot be read.
pub(crate) async fn read_view(ledger: &Ledger<Body>) -> Result<ReadLedger, StoreError> {
    if ledger.is_spooling().await {
        return Ok(together(ledger.read_local(), &HashMap::new()));
    }
    Ok(together(ledger.read().await?, &HashMap::new()))
}

/// What this machine has, while the store is away.
pub(crate) fn read_local(ledger: &Ledger<Body>) -> View {
    together(ledger.read_local(), &HashMap::new()).view
}

fn together(records: Records<Body>, handles: &HashMap<EntryId, String>) -> ReadLedger {
    let spooled: HashSet<EntryId> = records.spooled.iter().copied().collect();
    ReadLedger {
        view: View::build(records.entries, handles, &spooled),
        corrupt: records.corrupt,
        newer: records.newer.len(),
        spooled: spooled.len(),
    }
}
