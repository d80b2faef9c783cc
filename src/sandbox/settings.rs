//! How the embedded cloud behaves, apart from faults: rates, latency, roll-out, who is asking.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::service::Rollout;

/// The embedded cloud's settings; kept in its state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(crate) struct Settings {
    /// AWS's call quotas are enforced.
    pub(crate) rates: bool,
    /// How long every answer takes.
    pub(crate) latency: Duration,
    pub(crate) rollout: Rollout,
    /// The session name of the caller's role, which names the operator.
    pub(crate) session: String,
    /// The caller's own public address, as address look-ups answer it.
    pub(crate) own_address: IpAddr,
    /// Where names lead that do not lead to CloudFront; a value that is no address: nowhere.
    pub(crate) names: BTreeMap<String, String>,
    /// Seconds by which the services' clock is ahead of the caller's.
    pub(crate) skew_seconds: i64,
    /// Seconds that every query in Athena or Logs Insights runs, beyond what it takes.
    pub(crate) query_seconds: u64,
    /// Every request is counted by what it says, too, so that a test can find what is asked twice.
    pub(crate) record_requests: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            rates: true,
            latency: Duration::ZERO,
            rollout: Rollout::default(),
            session: "rehearsal".to_owned(),
            own_address: IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7)),
            names: BTreeMap::new(),
            skew_seconds: 0,
            query_seconds: 0,
            record_requests: false,
        }
    }
}
