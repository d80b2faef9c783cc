//! The queries over an event's logs: SQL in Trino's dialect, kept as files in
//! `event-templates/queries`, and what fills them in.

mod catalog;
mod fill;
pub(crate) mod port;
pub(crate) mod text;

pub(crate) use catalog::{CatalogQuery, all};
pub(crate) use fill::{Scope, fill};
pub(crate) use port::{Answered, Asked, BadObject, QueryEngine, Source, Window};
