//! The audience and the workflow that the simulated metrics are about. Numbers follow from what is
//! asked and when alone, so that a rehearsal looks the same each time.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::sandbox::crowd::Crowd;

/// Who watches, through what.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Audience {
    pub(crate) doors: Timestamp,
    pub(crate) starts: Timestamp,
    pub(crate) ends: Timestamp,
    /// At the peak.
    pub(crate) viewers: f64,
    pub(crate) bits_per_viewer: f64,
    /// A second.
    pub(crate) requests_per_viewer: f64,
    /// Ids, and the part (0 to 1) of the viewers that each serves.
    pub(crate) distributions: Vec<(String, f64)>,
    /// The edge functions' names.
    pub(crate) functions: Vec<String>,
    /// The web ACLs' metric names, and those of their rules.
    pub(crate) web_acls: Vec<(String, Vec<String>)>,
    pub(crate) flows: Vec<Regional>,
    pub(crate) channels: Vec<Regional>,
    pub(crate) endpoints: Vec<Endpoint>,
    pub(crate) ads: Vec<Regional>,
    pub(crate) streams: Vec<Regional>,
    /// Viewers whose every request is made, so that CloudFront's metrics are counts of them. None:
    /// the metrics are curves, as of an audience of the full size.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) crowd: Option<Crowd>,
}

/// Something with a name, or an ARN, in a region.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Regional {
    pub(crate) region: String,
    pub(crate) name: String,
}

/// A MediaPackage v2 origin endpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Endpoint {
    pub(crate) region: String,
    pub(crate) group: String,
    pub(crate) channel: String,
    pub(crate) name: String,
}

impl Audience {
    /// The viewers at a time, as a part (0 to 1) of the peak.
    pub(crate) fn present(&self, at: Timestamp) -> f64 {
        onair_audience::present(self.doors, self.starts, self.ends, at)
    }

    /// Whether the workflow is on air: from two hours before doors to half an hour after the end.
    pub(crate) fn is_on_air(&self, at: Timestamp) -> bool {
        let hours = |from: Timestamp| at.duration_since(from).as_secs_f64() / 3600.0;
        hours(self.doors) >= -2.0 && hours(self.ends) < 0.5
    }
}

/// A number from 0 to 1 that follows from a text and a count, and looks random.
pub(super) fn noise(of: &str, count: i64) -> f64 {
    let mut state = 0xcbf2_9ce4_8422_2325_u64;
    for byte in of.bytes().chain(count.to_le_bytes()) {
        state = (state ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    // The last bytes have hardly been mixed yet.
    state ^= state >> 32;
    state = state.wrapping_mul(0xd6e8_feb8_6659_fd93);
    state ^= state >> 32;
    let upper = u32::try_from(state >> 32).unwrap_or(u32::MAX);
    f64::from(upper) / f64::from(u32::MAX)
}

/// [`noise`] that changes slowly: over `minutes` it goes from one value to the next.
pub(super) fn drift(of: &str, minute: i64, minutes: i64) -> f64 {
    let step = minute.div_euclid(minutes);
    let part = f64::from(i32::try_from(minute.rem_euclid(minutes)).unwrap_or(0))
        / f64::from(i32::try_from(minutes).unwrap_or(1));
    let smooth = part * part * (3.0 - 2.0 * part);
    noise(of, step) * (1.0 - smooth) + noise(of, step + 1) * smooth
}
