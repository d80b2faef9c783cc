//! Runs Trino's SQL over logs on this machine: one text for Athena and for here.
//!
//! [`Engine`] is a session: tables are registered, then queries run. Log objects are read by
//! `onair-logs` straight into Arrow arrays of the columns that a query needs (`requests`, `waf`); Trino's
//! functions are registered under their own names (`functions`); tables as a Glue catalog describes
//! them are for the embedded cloud's Athena (`hive`). DataFusion does the rest.

mod batches;
mod cache;
mod dialect;
mod distinct;
mod engine;
mod error;
mod explain;
mod functions;
pub mod hive;
mod log;
mod logs;
mod memory;
mod objects;
mod own_strings;
mod parquet;
mod reader;
mod table;
#[cfg(test)]
mod tests;
mod values;

pub use cache::{Cache, Size};
pub use dialect::{Uses, uses};
pub use engine::{Engine, Ran, Settings};
pub use error::EngineError;
pub use logs::{Logs, Read};
pub use objects::{Folder, Object, Objects};
