//! A request as a player makes it, and what came back.

use std::time::Duration;

/// What to fetch.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Fetch {
    /// An `http` or `https` address. It may hold a token: it is shown nowhere.
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    /// Bytes of a body at most.
    pub(crate) limit: usize,
    /// The limit for the whole request; nothing is retried.
    pub(crate) timeout: Duration,
}

impl std::fmt::Debug for Fetch {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Fetch")
            .field("limit", &self.limit)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// The answer, whatever its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fetched {
    pub(crate) status: u16,
    /// Names in lower case, in the order in which they came.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Fetched {
    /// The value of the first header of this name (lower case).
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}
