//! The values of queries that run in Athena. Free of any SDK type.

/// A query to start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct QueryStart<'a> {
    pub(crate) text: &'a str,
    /// A Trino literal for each `?` of the text.
    pub(crate) parameters: &'a [String],
    pub(crate) workgroup: &'a str,
    pub(crate) database: &'a str,
    /// `s3://bucket/prefix/` for the results; none: the workgroup's.
    pub(crate) output: Option<&'a str>,
    /// The same token with the same text starts no second query; 32 to 128 characters.
    pub(crate) token: &'a str,
    /// An earlier result may be used when it is no older than this, in minutes.
    pub(crate) reuse_minutes: Option<i32>,
}

/// Where a query stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum QueryState {
    Queued,
    Running,
    Succeeded,
    Failed,
    Cancelled,
}

impl QueryState {
    /// Whether it has come to its end.
    pub(crate) fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

/// A query that was started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct QueryExecution {
    pub(crate) state: QueryState,
    /// Athena's words for a query that did not succeed.
    pub(crate) reason: Option<String>,
    /// Of a failed one, the number of the error catalog and whether the same query may succeed later.
    pub(crate) error: Option<(i32, bool)>,
    /// Bytes read of the logs so far.
    pub(crate) scanned: Option<u64>,
    /// Milliseconds.
    pub(crate) queued: Option<u64>,
    /// Milliseconds.
    pub(crate) engine: Option<u64>,
    pub(crate) reused: bool,
}

/// A page of a query's result.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct QueryPage {
    /// Name and type, of Athena's own spelling.
    pub(crate) columns: Vec<(String, String)>,
    /// The first page's first row repeats the names.
    pub(crate) rows: Vec<Vec<Option<String>>>,
    pub(crate) next: Option<String>,
}
