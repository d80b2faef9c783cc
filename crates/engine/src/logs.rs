//! What a table of logs is read from, and what reading came to.

use std::sync::Arc;

use jiff::civil::DateTime;
use onair_logs::scan::Scanned;
use onair_logs::schema::Table;

use crate::objects::Objects;

/// The logs of a table. The place is listed once, when a query first needs it; queries of one
/// session thus see the same objects. Those of another table are passed over.
#[derive(Debug, Clone)]
pub struct Logs {
    /// Which table they are read as.
    pub table: Table,
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
    /// Name, and what was found, in the order of names. An object that could not be opened at all is
    /// here, too: with no rows, and the reason in [`Scanned::truncated`].
    pub objects: Vec<(String, Scanned)>,
    /// Objects of another table's logs, which were passed over.
    pub others: u64,
    /// Objects that were taken from the cache instead.
    pub cached: u64,
    /// Columns that were read and had no value in any row: what the source lacks.
    pub without_values: Vec<&'static str>,
}

impl Read {
    /// Rows that the table had.
    pub fn rows(&self) -> u64 {
        self.objects.iter().map(|(_, found)| found.rows).sum()
    }

    /// Lines that could not be read.
    pub fn bad(&self) -> u64 {
        self.objects.iter().map(|(_, found)| found.bad).sum()
    }

    /// Bytes of the objects as they lie there.
    pub fn bytes(&self) -> u64 {
        self.objects.iter().map(|(_, found)| found.bytes).sum()
    }
}
