//! The embedded cloud's CloudWatch Logs: vended log deliveries.

use serde::{Deserialize, Serialize};

use super::service::{Answer, Call};

/// What CloudWatch Logs holds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct State {}

/// The operation that a call is for.
pub(super) fn operation(_call: &Call<'_>) -> Option<&'static str> {
    None
}

/// Answers a call whose operation is known.
pub(super) fn handle(_call: &Call<'_>, _state: &mut State) -> Answer {
    Answer {
        status: 501,
        headers: Vec::new(),
        body: Vec::new(),
        changed: false,
    }
}
