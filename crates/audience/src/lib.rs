//! A simulated audience of a live stream: who watches when, from where, on what; what they ask for
//! and what they get; who re-streams. Seeded: the same [`Scene`] gives the same requests, on any
//! machine, and any minute can be made by itself. The embedded cloud's logs and metrics, the tests
//! and the benchmarks all take their requests from here.

use jiff::Timestamp;

/// The event that is watched.
#[derive(Debug, Clone, PartialEq)]
pub struct Scene {
    /// Another seed gives another audience of the same kind.
    pub seed: u64,
    /// When the doors open.
    pub doors: Timestamp,
    /// Kickoff.
    pub starts: Timestamp,
    /// The end.
    pub ends: Timestamp,
    /// Viewers at the peak.
    pub viewers: u64,
    /// Segment duration, milliseconds.
    pub segment: u32,
    /// The ladder's video bitrates, kbit/s, ascending.
    pub ladder: Vec<u32>,
    /// Countries and their parts (0 to 1) of the audience.
    pub countries: Vec<(String, f64)>,
    /// Countries whose viewers are refused (451 or a geo block).
    pub without_rights: Vec<String>,
    /// Ids, domains, and the part (0 to 1) of the viewers that each serves.
    pub distributions: Vec<(String, String, f64)>,
}
