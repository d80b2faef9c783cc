//! What each edge serves while a distribution's change spreads.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::edge::GeoRestriction;
use crate::sandbox::service::Delay;

/// The part of a configuration that decides whether a viewer gets in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Gate {
    /// A disabled distribution serves nobody.
    pub(crate) enabled: bool,
    pub(crate) geo: GeoRestriction,
    /// ARN of the web ACL.
    pub(crate) web_acl: Option<String>,
    /// ARNs of the functions of any behavior.
    pub(crate) functions: BTreeSet<String>,
}

/// The gates that some edge may still hold, oldest first; never empty of what is newest.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct RolloutLog(Vec<Version>);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Version {
    /// When and how slowly it spreads; none for what every edge has.
    spreading: Option<(Timestamp, Delay)>,
    gate: Gate,
}

impl Version {
    fn is_at(&self, fraction: f64, now: Timestamp) -> bool {
        self.spreading
            .is_none_or(|(at, delay)| delay.has_arrived(at, fraction, now))
    }
}

impl RolloutLog {
    /// A log of a gate that every edge has held for ever.
    pub(crate) fn settled(gate: Gate) -> Self {
        Self(vec![Version {
            spreading: None,
            gate,
        }])
    }

    /// Adds a change made now, and forgets what no edge holds any more.
    pub(crate) fn push(&mut self, gate: Gate, now: Timestamp, delay: Delay) {
        self.0.push(Version {
            spreading: Some((now, delay)),
            gate,
        });
        if let Some(everywhere) = self.0.iter().rposition(|version| version.is_at(1.0, now)) {
            self.0.drain(..everywhere);
            self.0[0].spreading = None;
        }
    }

    /// The newest gate that the edge with this share of the skew holds; none before the first.
    /// Changes arrive in the order in which they were made.
    pub(crate) fn at_edge(&self, fraction: f64, now: Timestamp) -> Option<&Gate> {
        self.0
            .iter()
            .rfind(|version| version.is_at(fraction, now))
            .map(|version| &version.gate)
    }

    /// The gates that some edge still holds, or may hold.
    pub(crate) fn somewhere(&self, now: Timestamp) -> impl Iterator<Item = &Gate> {
        let everywhere = self.0.iter().rposition(|version| version.is_at(1.0, now));
        self.0[everywhere.unwrap_or(0)..]
            .iter()
            .map(|version| &version.gate)
    }

    /// Says whether every edge holds the newest gate.
    pub(crate) fn is_deployed(&self, now: Timestamp) -> bool {
        self.0.last().is_none_or(|newest| newest.is_at(1.0, now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(acl: &str) -> Gate {
        Gate {
            enabled: true,
            geo: GeoRestriction::default(),
            web_acl: Some(acl.to_owned()),
            functions: BTreeSet::new(),
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn edges_switch_one_after_the_other() {
        let delay = Delay::seconds(10, 10);
        let mut log = RolloutLog::settled(gate("one"));
        log.push(gate("two"), at(100), delay);
        log.push(gate("three"), at(104), delay);
        for (fraction, second, expected) in [
            (0.0, 109, "one"),
            (0.0, 110, "two"),
            (0.0, 114, "three"),
            (1.0, 114, "one"),
            (1.0, 120, "two"),
            (1.0, 124, "three"),
        ] {
            let held = log.at_edge(fraction, at(second)).unwrap();
            assert_eq!(
                held.web_acl.as_deref(),
                Some(expected),
                "{fraction} {second}"
            );
        }
        assert!(!log.is_deployed(at(123)));
        assert!(log.is_deployed(at(124)));
    }

    #[test]
    fn forgets_what_no_edge_holds() {
        let mut log = RolloutLog::settled(gate("0"));
        for second in 1..1000 {
            log.push(gate(&second.to_string()), at(second), Delay::seconds(3, 2));
        }
        assert!(log.0.len() <= 6, "{}", log.0.len());
        assert!(log.at_edge(1.0, at(0)).is_some());
    }

    #[test]
    fn a_new_distribution_is_nowhere_at_first() {
        let mut log = RolloutLog::default();
        log.push(gate("one"), at(0), Delay::seconds(5, 0));
        assert_eq!(log.at_edge(0.0, at(4)), None);
        assert_eq!(log.at_edge(0.0, at(5)), Some(&gate("one")));
    }
}
