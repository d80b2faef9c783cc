//! What the engines have in common: Athena in the account, and the engine on this machine.

use async_trait::async_trait;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use onair_logs::scan::BadLine;
use onair_logs::value::{ResultColumn, Value};

use crate::error::Failure;
use crate::ui::Interrupt;

/// The logs that a query reads, all as the table `requests`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Source {
    /// The access logs.
    #[default]
    Access,
    /// The real-time logs.
    Realtime,
}

impl Source {
    /// As options and answers name it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Realtime => "realtime",
        }
    }
}

/// The time that a query is about; `requests` holds the requests of it and no others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) from: Timestamp,
    /// Exclusive.
    pub(crate) until: Timestamp,
}

impl Window {
    /// Both ends as the logs have times: UTC, without a zone.
    pub(crate) fn civil(self) -> (DateTime, DateTime) {
        (civil(self.from), civil(self.until))
    }
}

/// A time as the logs have it: UTC, without a zone.
pub(crate) fn civil(at: Timestamp) -> DateTime {
    at.to_zoned(TimeZone::UTC).datetime()
}

/// A query that is ready to run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Asked {
    /// What to call it in progress and errors: a name of the catalog, or `sql`.
    pub(crate) name: String,
    /// One SELECT in Trino's dialect over `requests`, which it does not define itself: the local engine
    /// has it as a table, and for Athena [`super::view`] makes it and
    /// [`super::text::with_requests`] puts it in front. Each `?` takes the next of `parameters`.
    pub(crate) text: String,
    pub(crate) parameters: Vec<Value>,
    /// None, for files on this machine alone: whatever they hold.
    pub(crate) window: Option<Window>,
    pub(crate) source: Source,
    /// No more rows than these are fetched.
    pub(crate) most_rows: Option<usize>,
}

/// A log object that was not read whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BadObject {
    pub(crate) name: String,
    /// Lines that could not be read.
    pub(crate) bad: u64,
    /// The first of them.
    pub(crate) samples: Vec<BadLine>,
    /// Why it ended before its end, or could not be read at all.
    pub(crate) truncated: Option<String>,
}

/// What a query gave.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answered {
    pub(crate) columns: Vec<ResultColumn>,
    /// Each as long as `columns`.
    pub(crate) rows: Vec<Vec<Value>>,
    /// There are more rows than were asked for.
    pub(crate) truncated: bool,
    /// `athena` or `local`.
    pub(crate) engine: &'static str,
    /// Bytes read of the logs as they lie there; none where nobody counted.
    pub(crate) scanned_bytes: Option<u64>,
    /// Rows of the logs that were in the window.
    pub(crate) rows_read: Option<u64>,
    /// Log objects that were read.
    pub(crate) objects_read: Option<u64>,
    /// Those of them with lines that could not be read, or that ended before their end.
    pub(crate) bad: Vec<BadObject>,
    /// Athena's id of the query.
    pub(crate) execution: Option<String>,
    /// An earlier result was used again.
    pub(crate) reused: bool,
    pub(crate) elapsed: SignedDuration,
    /// US dollars at list prices, estimated.
    pub(crate) cost: Option<f64>,
    /// What the reader should know beside: shown as warnings.
    pub(crate) notes: Vec<String>,
}

/// Something that runs queries over the event's logs.
#[async_trait(?Send)]
pub(crate) trait QueryEngine {
    /// Runs a query to its end. When `stop` is heard, or the future is dropped, the query is stopped where
    /// it runs.
    async fn run(&self, asked: &Asked, stop: &Interrupt) -> Result<Answered, Failure>;

    /// Says which texts will come, so that the logs are read once for all of them where that saves
    /// reading them again.
    fn announce(&self, texts: &[&str]) {
        let _ = texts;
    }
}
