//! The session: settings, tables, queries.

use std::path::PathBuf;

use onair_logs::value::{ResultColumn, Value};

use crate::error::EngineError;
use crate::requests::{Read, RequestsTable};

/// How an engine works.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What grouping and sorting may hold in memory, bytes; beyond it they spill.
    pub memory: usize,
    /// Where they spill to.
    pub spill: PathBuf,
    /// Objects read side by side; 0: one a core.
    pub threads: usize,
    /// Where selected columns are kept as Parquet for the next query; none: nowhere.
    pub cache: Option<PathBuf>,
    /// The most that the cache may hold, bytes.
    pub cache_limit: u64,
}

/// A session of the embedded engine.
#[derive(Debug)]
pub struct Engine {
    settings: Settings,
}

/// What a query gave.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ran {
    /// Name and Trino's type.
    pub columns: Vec<ResultColumn>,
    /// Each as long as `columns`.
    pub rows: Vec<Vec<Value>>,
    /// What was read for it.
    pub read: Read,
}

impl Engine {
    /// Begins a session.
    ///
    /// # Errors
    /// The spill folder cannot be made.
    pub fn new(settings: Settings) -> Result<Self, EngineError> {
        Ok(Self { settings })
    }

    /// Puts log objects in as a table of the logical schema.
    ///
    /// # Errors
    /// The objects cannot be listed.
    pub fn add_requests(&self, name: &str, table: RequestsTable) -> Result<(), EngineError> {
        let _ = (name, table, &self.settings);
        Err(EngineError::Internal("not there yet".to_owned()))
    }

    /// Runs one `SELECT` in Trino's dialect. Each `?` of the text takes the next of `parameters`.
    /// Dropping the future stops it.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub async fn run(&self, text: &str, parameters: &[Value]) -> Result<Ran, EngineError> {
        let _ = (text, parameters, &self.settings);
        Err(EngineError::Internal("not there yet".to_owned()))
    }
}
