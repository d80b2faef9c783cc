//! The queries over an event's logs: SQL in Trino's dialect, kept as files in
//! `event-templates/queries`, and what fills them in.

mod catalog;
mod fill;

pub(crate) use catalog::{CatalogQuery, Source, all};
pub(crate) use fill::{Scope, fill};
