//! A simulated audience of a live stream: who watches when, from where, on what; what they ask for
//! and what they get; who re-streams. Seeded: the same [`Scene`] gives the same requests, on any
//! machine, and any minute can be made by itself. The embedded cloud's logs and metrics, the tests
//! and the benchmarks all take their requests from here.
//!
//! A viewer has a seat. As many seats are taken as the curve says, the first ones first; who sits
//! there changes from time to time. Everything else follows from numbers that are mixed of the seed,
//! the seat and the segment, so that nothing has to be remembered from minute to minute.

mod answer;
mod cmcd;
mod curve;
mod devices;
mod encode;
mod fields;
mod incident;
mod lines;
mod minute;
mod places;
mod play;
mod random;
mod request;
mod seat;
mod selections;
mod strangers;
mod summary;
#[cfg(test)]
mod tests;

use jiff::Timestamp;

pub use curve::{present, rush};
pub use devices::{Device, Telling};
pub use fields::{Field, Log, write_value};
pub use lines::{write_head, write_json, write_line};
pub use minute::Minute;
pub use request::{Agent, Cmcd, Note, Object, ObjectKind, Origin, Request, Two};
pub use selections::{REALTIME, STANDARD, VERSION_TWO};
pub use summary::{STATUSES, Summary};

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
    /// The folder of everything that is served, without a slash at its end, such as `/cup-final`.
    pub folder: String,
    /// Minutes that a session lasts, about. With 2 there are as many sessions in the logs of few
    /// viewers as else in those of many.
    pub stay: u32,
}

impl Scene {
    /// A cup final in the middle of Europe, which the tests and the benchmarks watch.
    pub fn example(seed: u64, viewers: u64) -> Self {
        let at = |text: &str| text.parse().unwrap_or(Timestamp::UNIX_EPOCH);
        let countries = [
            ("AT", 0.24),
            ("DE", 0.38),
            ("CH", 0.09),
            ("NL", 0.06),
            ("BE", 0.05),
            ("SE", 0.04),
            ("DK", 0.03),
            ("IT", 0.035),
            ("CZ", 0.025),
            ("SI", 0.015),
            ("LU", 0.005),
        ];
        Self {
            seed,
            doors: at("2026-06-14T17:00:00Z"),
            starts: at("2026-06-14T18:30:00Z"),
            ends: at("2026-06-14T21:30:00Z"),
            viewers,
            segment: 4000,
            ladder: vec![900, 2000, 3400, 6200],
            countries: countries
                .map(|(code, part)| (code.to_owned(), part))
                .to_vec(),
            without_rights: ["GB", "US", "PL", "BR", "FR"].map(str::to_owned).to_vec(),
            distributions: vec![
                (
                    "E1CUPFINAL0001".to_owned(),
                    "live.example.com".to_owned(),
                    0.85,
                ),
                (
                    "E1CUPFINAL0002".to_owned(),
                    "live-backup.example.com".to_owned(),
                    0.15,
                ),
            ],
            folder: "/cup-final".to_owned(),
            stay: 100,
        }
    }

    /// The minute, counted from 1970, that a time is in.
    pub fn minute_of(at: Timestamp) -> i64 {
        at.as_second().div_euclid(60)
    }

    /// The requests to a distribution, by its id, that were answered within a minute (counted from
    /// 1970, UTC): viewer by viewer, so not in the order of time.
    pub fn minute<'a>(&'a self, minute: i64, distribution: &str) -> Minute<'a> {
        Minute::new(self, minute, distribution)
    }

    /// How many those are.
    pub fn requests_in(&self, minute: i64, distribution: &str) -> u64 {
        let count = self.minute(minute, distribution).count();
        u64::try_from(count).unwrap_or(u64::MAX)
    }

    /// What the delivery network's metrics say of them.
    pub fn summary(&self, minute: i64, distribution: &str) -> Summary {
        Summary::of(self.minute(minute, distribution))
    }

    /// Seats that are taken in a minute.
    pub(crate) fn seats(&self, minute: i64) -> u64 {
        let at = Timestamp::from_second(minute * 60 + 30).unwrap_or(Timestamp::UNIX_EPOCH);
        let level = present(self.doors, self.starts, self.ends, at);
        random::whole(level * random::float(self.viewers))
    }
}
