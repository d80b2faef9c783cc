//! Who did what, when, in which order: the event's append-only record.
//!
//! One immutable JSON object an entry, so that any number of operators append without conflict.
//! [`Ledger`] reads and appends; [`store`] is where the objects are kept, [`entry`] their envelope,
//! [`spool`] what could not be stored yet, [`handles`] the names that can be said over a radio,
//! [`chain`] the proof that nothing was altered or lost. What an entry means is its body, `B`:
//! nothing here looks into it. [`turn`] is about taking turns on one machine.

mod append;
pub(crate) mod chain;
pub(crate) mod entry;
mod folder;
mod handles;
mod heartbeat;
mod records;
pub(crate) mod s3;
mod spool;
pub(crate) mod store;
#[cfg(test)]
mod tests;
pub(crate) mod turn;

#[expect(unused_imports, reason = "the commands that use them come next")]
pub(crate) use self::{
    append::{AppendError, Ledger, Options, Where},
    entry::{Entry, EntryId, Hash256, RunId},
    handles::Handles,
    heartbeat::Beat,
    records::{Corrupt, Records},
    s3::S3Options,
    spool::SyncReport,
    store::{Key, Store, StoreError, StoreErrorKind},
};
