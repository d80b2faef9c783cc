//! When the event is: its times, and the window in which its id need not be typed.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// The event's times. `ends` is the planned end unless the crew has extended the event.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct EventTimes {
    /// Kickoff.
    pub(crate) starts: Timestamp,
    pub(crate) ends: Timestamp,
    /// When viewers are let in; not after `starts`.
    pub(crate) doors: Timestamp,
    /// How much earlier than doors and later than the end the event's window reaches.
    pub(crate) grace: SignedDuration,
    /// The zone in which times without an offset are read and in which all are shown.
    pub(crate) zone: TimeZone,
}

impl EventTimes {
    /// When the window opens: doors less the grace.
    pub(crate) fn opens(&self) -> Timestamp {
        self.doors
            .saturating_sub(self.grace)
            .unwrap_or(Timestamp::MIN)
    }

    /// When the window closes: the end and the grace.
    pub(crate) fn closes(&self) -> Timestamp {
        self.ends
            .saturating_add(self.grace)
            .unwrap_or(Timestamp::MAX)
    }

    /// Whether the event's window holds `now`, its first and last instant included.
    pub(crate) fn holds(&self, now: Timestamp) -> bool {
        (self.opens()..=self.closes()).contains(&now)
    }

    /// How far `now` is past the end, if it is.
    pub(crate) fn overtime(&self, now: Timestamp) -> Option<SignedDuration> {
        (now > self.ends).then(|| now.duration_since(self.ends))
    }

    /// The same event, ending at `ends` instead.
    pub(crate) fn ending(&self, ends: Timestamp) -> Self {
        Self {
            ends,
            ..self.clone()
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A match in Vienna at 20:30 summer time, doors an hour earlier, three hours long.
    pub(crate) fn vienna() -> EventTimes {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        EventTimes {
            starts: at("2026-06-14T18:30:00Z"),
            ends: at("2026-06-14T21:30:00Z"),
            doors: at("2026-06-14T17:30:00Z"),
            grace: SignedDuration::from_hours(2),
            zone: TimeZone::get("Europe/Vienna").unwrap(),
        }
    }

    #[test]
    fn the_window_reaches_from_doors_to_end_with_grace() {
        let times = vienna();
        let holds = |text: &str| times.holds(text.parse().unwrap());
        assert!(!holds("2026-06-14T15:29:59Z"));
        assert!(holds("2026-06-14T15:30:00Z"));
        assert!(holds("2026-06-14T23:30:00Z"));
        assert!(!holds("2026-06-14T23:30:01Z"));
    }

    #[test]
    fn overtime_counts_from_the_end_the_crew_set() {
        let times = vienna();
        let now = "2026-06-14T21:40:00Z".parse().unwrap();
        assert_eq!(times.overtime(now), Some(SignedDuration::from_mins(10)));
        assert_eq!(times.ending(now).overtime(now), None);
    }
}
