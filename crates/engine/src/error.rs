//! Why a query did not run.

/// Why a query did not run.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The text is no SQL, or names what is not there. Line and column count from 1, where known.
    #[error("{}{message}", place(*at))]
    Query {
        /// In words, without the place.
        message: String,
        /// Where in the text.
        at: Option<(u64, u64)>,
    },
    /// It needs more memory than it may have, and spilling did not help.
    #[error("the query needs more memory than the {limit} MB it may have")]
    Memory {
        /// Megabytes.
        limit: u64,
    },
    /// A log object or the spill folder could not be read or written.
    #[error("{name}: {source}")]
    Object {
        /// Which.
        name: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It was asked to stop.
    #[error("the query was stopped")]
    Stopped,
    /// The engine failed in a way that is not the query's fault.
    #[error("the engine failed: {0}")]
    Internal(String),
}

fn place(at: Option<(u64, u64)>) -> String {
    match at {
        Some((line, column)) => format!("line {line}, column {column}: "),
        None => String::new(),
    }
}
