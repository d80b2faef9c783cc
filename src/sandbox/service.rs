//! What the embedded cloud's core and its services say to each other: a parsed call in, an answer
//! out. Signing, routing, rates, faults and saving are the core's; the services know none of it.
//!
//! A service module offers `operation(&Call) -> Option<&'static str>` (which operation is this, for
//! rates, faults and counts; `None` when the service has no such operation) and
//! `handle(&Call, &mut State, ..) -> Answer`.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// One request to a service, already routed and authenticated.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) method: &'a http::Method,
    /// As sent: still percent-encoded, without the query.
    pub(crate) path: &'a str,
    /// As sent, without the question mark; empty when there is none.
    pub(crate) query: &'a str,
    pub(crate) headers: &'a http::HeaderMap,
    /// Decoded from any transfer encoding.
    pub(crate) body: &'a [u8],
    /// The embedded cloud's time.
    pub(crate) now: Timestamp,
    /// The account that the state belongs to, 12 digits.
    pub(crate) account: &'a str,
    /// The region of the credential scope; none for SigV4A.
    pub(crate) region: Option<&'a str>,
    /// What the answer carries as its request id.
    pub(crate) request_id: &'a str,
    pub(crate) rollout: Rollout,
}

/// How long changes take to reach the edges, by what is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rollout {
    pub(crate) distribution: Delay,
    pub(crate) waf: Delay,
    pub(crate) store: Delay,
}

/// An edge has a change `base + skew * fraction` after it was made; each edge has its own fraction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Delay {
    pub(crate) base: Duration,
    pub(crate) skew: Duration,
}

impl Delay {
    /// A delay of whole seconds.
    pub(crate) const fn seconds(base: u64, skew: u64) -> Self {
        Self {
            base: Duration::from_secs(base),
            skew: Duration::from_secs(skew),
        }
    }

    /// How long the edge with `fraction` (0 to 1) waits for a change.
    pub(crate) fn at(self, fraction: f64) -> Duration {
        self.base + self.skew.mul_f64(fraction.clamp(0.0, 1.0))
    }

    /// Says whether a change of `changed_at` is at the edge with `fraction` by `now`.
    pub(crate) fn has_arrived(self, changed_at: Timestamp, fraction: f64, now: Timestamp) -> bool {
        SignedDuration::try_from(self.at(fraction))
            .ok()
            .and_then(|delay| changed_at.checked_add(delay).ok())
            .is_some_and(|arrival| arrival <= now)
    }
}

impl Default for Rollout {
    /// Of the order of what is commonly observed; AWS promises no figure.
    fn default() -> Self {
        Self {
            distribution: Delay::seconds(180, 120),
            waf: Delay::seconds(15, 30),
            store: Delay::seconds(5, 10),
        }
    }
}

impl Rollout {
    /// Changes are everywhere at once.
    pub(crate) const IMMEDIATE: Self = Self {
        distribution: Delay::seconds(0, 0),
        waf: Delay::seconds(0, 0),
        store: Delay::seconds(0, 0),
    };
}

/// What a service answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    /// The service's state is another than before and must be saved.
    pub(crate) changed: bool,
}

#[cfg(test)]
impl Answer {
    /// The value of the first header of this name, in any case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_arrives_after_base_and_the_edges_share_of_the_skew() {
        let delay = Delay::seconds(10, 20);
        let changed_at = Timestamp::UNIX_EPOCH;
        let after = |seconds| Timestamp::from_second(seconds).unwrap();
        for (fraction, seconds, arrived) in [
            (0.0, 9, false),
            (0.0, 10, true),
            (0.5, 19, false),
            (0.5, 20, true),
            (1.0, 29, false),
            (1.0, 30, true),
            (7.0, 30, true),
        ] {
            assert_eq!(
                delay.has_arrived(changed_at, fraction, after(seconds)),
                arrived,
                "{fraction} {seconds}"
            );
        }
    }
}
