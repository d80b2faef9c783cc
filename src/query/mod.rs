//! The queries over an event's logs: SQL in Trino's dialect, kept as files in
//! `event-templates/queries` or beside the runbook, and the engines that run them behind one port.
//!
//! Every text reads one table, `requests` ([`onair_logs::schema`]), which holds the requests of the
//! window. The engine on this machine has it as a table; for Athena it is a [`view`] that is put in
//! front of the text.

pub(crate) mod athena;
pub(crate) mod catalog;
#[cfg(feature = "engine")]
pub(crate) mod local;
pub(crate) mod named;
pub(crate) mod parameters;
#[cfg(feature = "engine")]
pub(crate) mod place;
pub(crate) mod port;
pub(crate) mod text;
pub(crate) mod view;

pub(crate) use catalog::{CatalogQuery, all};
pub(crate) use port::{Answered, Asked, QueryEngine, Source, Window};
