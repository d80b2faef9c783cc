//! The table `requests` over log objects: [`onair_logs::schema::REQUESTS`], read as asked for.

use std::sync::Arc;

use jiff::civil::DateTime;
use onair_logs::scan::Scanned;

use crate::objects::Objects;

/// What the table reads.
#[derive(Debug, Clone)]
pub struct RequestsTable {
    /// Where the objects are.
    pub objects: Arc<dyn Objects>,
    /// From, and until (exclusive), UTC; rows outside are not in the table.
    pub window: Option<(DateTime, DateTime)>,
    /// The fields of lines without a head, in their order; empty: told by their number.
    pub fields: Vec<String>,
}

/// What reading came to, object by object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Read {
    /// Name, and what was found.
    pub objects: Vec<(String, Scanned)>,
    /// Objects that were taken from the cache instead.
    pub cached: u64,
}
