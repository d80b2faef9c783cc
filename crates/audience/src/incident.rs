//! What goes wrong in every event, so that there is something to find: an origin that fails, a network
//! that is too slow, a device that drops frames.

use jiff::Timestamp;

use crate::Scene;
use crate::places;

/// What is wrong in a minute.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Trouble {
    /// The first origin fails.
    pub(crate) origin: bool,
    /// The network, by its number, in which everything is slow.
    pub(crate) network: Option<u32>,
    /// Players of version 2 report errors.
    pub(crate) players: bool,
    /// Ads are asked for.
    pub(crate) is_break: bool,
    /// How much of the rush at kickoff there is.
    pub(crate) rush: f64,
}

/// Minutes after kickoff, from and until.
const ORIGIN: (i64, i64) = (67, 71);
const NETWORK: (i64, i64) = (36, 45);
const PLAYERS: (i64, i64) = (100, 110);

/// Ads come in the first two minutes of each quarter of an hour.
const BREAK: (i64, i64) = (15, 2);

impl Trouble {
    pub(crate) fn of(scene: &Scene, minute: i64) -> Self {
        let since = minute - Scene::minute_of(scene.starts);
        let within = |(from, until): (i64, i64)| (from..until).contains(&since);
        let at = Timestamp::from_second(minute * 60).unwrap_or(scene.starts);
        let is_on = at >= scene.doors && at < scene.ends;
        let biggest = scene
            .countries
            .iter()
            .max_by(|one, other| one.1.total_cmp(&other.1));
        Self {
            origin: is_on && within(ORIGIN),
            network: biggest
                .filter(|_| is_on && within(NETWORK))
                .map(|(country, _)| places::network(country, 0)),
            players: is_on && within(PLAYERS),
            is_break: is_on && minute.rem_euclid(BREAK.0) < BREAK.1,
            rush: crate::rush(scene.starts, at),
        }
    }
}
