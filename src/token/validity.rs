//! A token against the clock.

use jiff::Timestamp;

use super::Token;

/// What a token's own times say at one moment. Facts, not errors: an expired token can be revoked, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Within its times; `until` is `None` for a token without an end.
    Valid { until: Option<Timestamp> },
    /// `nbf` is still to come.
    NotYetValid { from: Timestamp },
    /// `exp` has been reached: at that very second a token is no longer accepted (RFC 7519, 4.1.4).
    Expired { at: Timestamp },
    /// Opaque: it has no times that we can read.
    Unknown,
}

impl Token {
    pub(crate) fn state(&self, now: Timestamp) -> State {
        if self.algorithm.is_none() {
            return State::Unknown;
        }
        match (self.not_before, self.expires) {
            (_, Some(at)) if now >= at => State::Expired { at },
            (Some(from), _) if now < from => State::NotYetValid { from },
            (_, until) => State::Valid { until },
        }
    }
}
