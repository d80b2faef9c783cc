//! When: points in time as operators write them (absolute, local to the event, or relative to it),
//! and as they read them.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp, ToSpan};

use crate::event::duration::{DurationError, compact, parse_duration};
use crate::event::text::shortened;
use crate::event::window::EventTimes;

/// A point of the event that other times can be counted from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anchor {
    /// The start, `ko`.
    Kickoff,
    End,
    Doors,
    Now,
}

/// A point in time as written, not yet placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum When {
    /// RFC 3339, with its offset.
    Absolute(Timestamp),
    /// A date and time in the event's zone.
    Local(DateTime),
    /// The next such time of day in the event's zone.
    TimeOfDay(Time),
    /// So much after (or before) a point of the event.
    Relative(Anchor, SignedDuration),
}

/// Why a text is not a time, or cannot be placed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WhenError {
    #[error(
        "`{0}` is not a time; write 2026-06-14T20:30:00+02:00, `2026-06-14 20:30`, 20:30, ko+15m, end-10m, doors, +2h or now"
    )]
    Malformed(String),
    #[error("`{0}` is a date without a time of day; write `{0} 20:30`")]
    DateOnly(String),
    #[error(transparent)]
    Offset(#[from] DurationError),
    #[error(
        "{local} does not exist in {zone}: the clocks go forward over it; write the time with an offset"
    )]
    Gap { local: DateTime, zone: String },
    #[error("{local} happens twice in {zone}: write {first} or {second}")]
    Fold {
        local: DateTime,
        zone: String,
        first: String,
        second: String,
    },
    #[error("`{0}` is not usable here; write a date and time")]
    Unanchored(When),
    #[error("`{0}` lies outside the years that can be told")]
    OutOfRange(When),
}

/// The known points that times are placed by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Anchors<'a> {
    pub(crate) starts: Option<Timestamp>,
    pub(crate) ends: Option<Timestamp>,
    pub(crate) doors: Option<Timestamp>,
    pub(crate) now: Option<Timestamp>,
    pub(crate) zone: &'a TimeZone,
}

impl When {
    /// Parses a time as written; it is placed by [`When::resolve`].
    pub(crate) fn parse(text: &str) -> Result<Self, WhenError> {
        let text = text.trim();
        if text.len() > 64 {
            return Err(WhenError::Malformed(shortened(text, 60)));
        }
        if let Some(relative) = parse_relative(text) {
            return relative;
        }
        if let Ok(absolute) = text.parse::<Timestamp>() {
            return Ok(Self::Absolute(absolute));
        }
        let malformed = || WhenError::Malformed(shortened(text, 60));
        if text.parse::<Date>().is_ok() && text.len() == 10 {
            return Err(WhenError::DateOnly(text.to_owned()));
        }
        if let Some((date, time)) = text.split_once([' ', 'T', 't'])
            && let Ok(date) = date.parse::<Date>()
        {
            let time = parse_time(time.trim()).ok_or_else(malformed)?;
            return Ok(Self::Local(date.to_datetime(time)));
        }
        parse_time(text).map(Self::TimeOfDay).ok_or_else(malformed)
    }

    /// Places the time for an event, at `now`.
    pub(crate) fn resolve(
        &self,
        times: &EventTimes,
        now: Timestamp,
    ) -> Result<Timestamp, WhenError> {
        self.place(Anchors {
            starts: Some(times.starts),
            ends: Some(times.ends),
            doors: Some(times.doors),
            now: Some(now),
            zone: &times.zone,
        })
    }

    /// Places a time that is looked back at: a time of day is the event's, else the last that has been.
    pub(crate) fn resolve_back(
        &self,
        times: &EventTimes,
        now: Timestamp,
    ) -> Result<Timestamp, WhenError> {
        let Self::TimeOfDay(time) = self else {
            return self.resolve(times, now);
        };
        let starts = times.starts.to_zoned(times.zone.clone()).date();
        let near = [0, -1, 1]
            .into_iter()
            .filter_map(|days| starts.checked_add(days.days()).ok())
            .map(|date| place_local(date.to_datetime(*time), &times.zone))
            .collect::<Result<Vec<_>, _>>()?;
        near.into_iter()
            .find(|placed| times.holds(*placed))
            .map_or_else(|| self.last(&times.zone, now), Ok)
    }

    /// Places the time by the clock alone; a time of day is the last that has been.
    pub(crate) fn last(&self, zone: &TimeZone, now: Timestamp) -> Result<Timestamp, WhenError> {
        let placed = self.place(Anchors {
            starts: None,
            ends: None,
            doors: None,
            now: Some(now),
            zone,
        })?;
        match self {
            Self::TimeOfDay(time) if placed > now => {
                let day = now.to_zoned(zone.clone()).date();
                let today = place_local(day.to_datetime(*time), zone)?;
                if today <= now {
                    return Ok(today);
                }
                let before = day
                    .checked_sub(1.day())
                    .map_err(|_| WhenError::OutOfRange(self.clone()))?;
                place_local(before.to_datetime(*time), zone)
            }
            _ => Ok(placed),
        }
    }

    /// Places the end of what began at `from`: a time of day is the first one after it.
    pub(crate) fn resolve_after(
        &self,
        from: Timestamp,
        zone: &TimeZone,
    ) -> Result<Timestamp, WhenError> {
        self.place(Anchors {
            starts: None,
            ends: None,
            doors: None,
            now: Some(from),
            zone,
        })
    }

    /// Places the time by the points that are known so far.
    pub(crate) fn place(&self, anchors: Anchors<'_>) -> Result<Timestamp, WhenError> {
        match self {
            Self::Absolute(timestamp) => Ok(*timestamp),
            Self::Local(local) => place_local(*local, anchors.zone),
            Self::TimeOfDay(time) => {
                let now = anchors
                    .now
                    .ok_or_else(|| WhenError::Unanchored(self.clone()))?;
                let today = now.to_zoned(anchors.zone.clone()).date();
                let placed = place_local(today.to_datetime(*time), anchors.zone)?;
                if placed > now {
                    return Ok(placed);
                }
                let tomorrow = today
                    .checked_add(1.day())
                    .map_err(|_| WhenError::OutOfRange(self.clone()))?;
                place_local(tomorrow.to_datetime(*time), anchors.zone)
            }
            Self::Relative(anchor, offset) => match anchor {
                Anchor::Kickoff => anchors.starts,
                Anchor::End => anchors.ends,
                Anchor::Doors => anchors.doors,
                Anchor::Now => anchors.now,
            }
            .ok_or_else(|| WhenError::Unanchored(self.clone()))?
            .checked_add(*offset)
            .map_err(|_| WhenError::OutOfRange(self.clone())),
        }
    }
}

fn place_local(local: DateTime, zone: &TimeZone) -> Result<Timestamp, WhenError> {
    let ambiguous = zone.to_ambiguous_timestamp(local);
    let name = || zone_name(zone);
    match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { .. } => {}
        AmbiguousOffset::Gap { .. } => {
            return Err(WhenError::Gap {
                local,
                zone: name(),
            });
        }
        AmbiguousOffset::Fold { before, after } => {
            return Err(WhenError::Fold {
                local,
                zone: name(),
                first: format!("{local}{}", rfc_offset(before)),
                second: format!("{local}{}", rfc_offset(after)),
            });
        }
    }
    ambiguous
        .unambiguous()
        .map_err(|_| WhenError::OutOfRange(When::Local(local)))
}

/// `ko+15m`, `end-10m`, `doors`, `+2h`, `now`; none when the text is of another kind.
fn parse_relative(text: &str) -> Option<Result<When, WhenError>> {
    let word_ends = text
        .find(|character: char| !character.is_ascii_alphabetic())
        .unwrap_or(text.len());
    let (word, rest) = text.split_at(word_ends);
    let rest = rest.trim();
    let anchor = match word.to_ascii_lowercase().as_str() {
        "ko" | "kickoff" | "start" | "starts" => Anchor::Kickoff,
        "end" | "ends" => Anchor::End,
        "doors" => Anchor::Doors,
        "now" => Anchor::Now,
        "" if rest.starts_with(['+', '-']) => Anchor::Now,
        _ => return None,
    };
    if rest.is_empty() {
        return Some(Ok(When::Relative(anchor, SignedDuration::ZERO)));
    }
    let offset = match (rest.strip_prefix('+'), rest.strip_prefix('-')) {
        (Some(later), _) => parse_offset(later),
        (_, Some(earlier)) => parse_offset(earlier).map(|offset| -offset),
        _ => return Some(Err(WhenError::Malformed(shortened(text, 60)))),
    };
    Some(
        offset
            .map(|offset| When::Relative(anchor, offset))
            .map_err(WhenError::Offset),
    )
}

/// A duration, or the shape in which relative times are shown: `20:14`, `1:20:14`, `1d 02:10`.
fn parse_offset(text: &str) -> Result<SignedDuration, DurationError> {
    let shown = clock_offset(text.trim());
    shown.map_or_else(|| parse_duration(text), Ok)
}

fn clock_offset(text: &str) -> Option<SignedDuration> {
    let number = |part: &str| -> Option<i64> {
        (!part.is_empty() && part.len() <= 5 && part.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| part.parse().ok())?
    };
    let below_sixty = |part: &str| number(part).filter(|value| part.len() == 2 && *value < 60);
    if let Some((days, clock)) = text.split_once("d ") {
        let (hours, minutes) = clock.split_once(':')?;
        let hours = number(days)? * 24 + number(hours).filter(|hours| *hours < 24)?;
        return Some(SignedDuration::from_mins(
            hours * 60 + below_sixty(minutes)?,
        ));
    }
    let fields: Vec<&str> = text.split(':').collect();
    let seconds = match fields.as_slice() {
        [minutes, seconds] => number(minutes)? * 60 + below_sixty(seconds)?,
        [hours, minutes, seconds] => {
            number(hours)? * 3_600 + below_sixty(minutes)? * 60 + below_sixty(seconds)?
        }
        _ => return None,
    };
    Some(SignedDuration::from_secs(seconds))
}

/// `20:30` or `20:30:15`, nothing looser.
fn parse_time(text: &str) -> Option<Time> {
    let fields: Vec<&str> = text.split(':').collect();
    let well_formed = matches!(fields.len(), 2 | 3)
        && fields.iter().all(|field| {
            matches!(field.len(), 1 | 2) && field.bytes().all(|byte| byte.is_ascii_digit())
        })
        && fields[1..].iter().all(|field| field.len() == 2);
    if !well_formed {
        return None;
    }
    let field = |index: usize| -> i8 {
        fields
            .get(index)
            .and_then(|field| field.parse().ok())
            .unwrap_or(0)
    };
    Time::new(field(0), field(1), field(2), 0).ok()
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absolute(timestamp) => timestamp.fmt(f),
            Self::Local(local) => write!(f, "{}", local.strftime("%Y-%m-%d %H:%M:%S")),
            Self::TimeOfDay(time) => write!(f, "{}", time.strftime("%H:%M:%S")),
            Self::Relative(anchor, offset) => {
                f.write_str(match anchor {
                    Anchor::Kickoff => "ko",
                    Anchor::End => "end",
                    Anchor::Doors => "doors",
                    Anchor::Now => "now",
                })?;
                if offset.is_zero() {
                    return Ok(());
                }
                let sign = if offset.is_negative() { '-' } else { '+' };
                write!(f, "{sign}{}", compact(offset.abs()))
            }
        }
    }
}

impl FromStr for When {
    type Err = WhenError;

    fn from_str(text: &str) -> Result<Self, WhenError> {
        Self::parse(text)
    }
}

/// A zone's IANA name, or its offset when it has none.
pub(crate) fn zone_name(zone: &TimeZone) -> String {
    zone.iana_name().map_or_else(
        || zone.to_offset(Timestamp::UNIX_EPOCH).to_string(),
        str::to_owned,
    )
}

fn rfc_offset(offset: jiff::tz::Offset) -> String {
    let minutes = offset.seconds() / 60;
    let sign = if minutes < 0 { '-' } else { '+' };
    format!("{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
}

/// Shows a time in the event's zone, to the second: `2026-06-14 20:30:00 CEST`.
pub(crate) fn local(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone())
        .strftime("%Y-%m-%d %H:%M:%S %Z")
        .to_string()
}

/// Shows only the time of day in the event's zone: `20:30:00`.
pub(crate) fn local_clock(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%H:%M:%S").to_string()
}

/// Writes a time in RFC 3339 with the offset of the event's zone, whole seconds.
pub(crate) fn rfc3339(at: Timestamp, zone: &TimeZone) -> String {
    let zoned = at.to_zoned(zone.clone());
    format!(
        "{}{}",
        zoned.strftime("%Y-%m-%dT%H:%M:%S"),
        rfc_offset(zoned.offset())
    )
}

/// Shows a time in UTC, whole seconds: `2026-06-14T18:30:00Z`.
pub(crate) fn utc(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Shows a time as the crew says it, counted from kickoff: `KO+20:14` (minutes and seconds),
/// `KO+1:20:14` from an hour on, `KO-1d 02:10` (hours and minutes) from a day on.
pub(crate) fn since_kickoff(at: Timestamp, starts: Timestamp, label: &str) -> String {
    let offset = at.as_second() - starts.as_second();
    let sign = if offset < 0 { '-' } else { '+' };
    let seconds = offset.unsigned_abs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    let clock = if days > 0 {
        format!("{days}d {hours:02}:{minutes:02}")
    } else if hours > 0 {
        format!("{hours}:{minutes:02}:{:02}", seconds % 60)
    } else {
        format!("{minutes:02}:{:02}", seconds % 60)
    };
    format!("{label}{sign}{clock}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::window::tests::vienna;
    use proptest::prelude::*;

    fn resolved(text: &str, now: &str) -> String {
        match When::parse(text).and_then(|when| when.resolve(&vienna(), now.parse().unwrap())) {
            Ok(timestamp) => timestamp.to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn places_every_form() {
        let now = "2026-06-14T18:40:00Z";
        for (text, expected) in [
            ("2026-06-14T20:30:00+02:00", "2026-06-14T18:30:00Z"),
            ("2026-06-14T18:30:00Z", "2026-06-14T18:30:00Z"),
            ("2026-06-14 20:30", "2026-06-14T18:30:00Z"),
            ("2026-06-14T20:30:15", "2026-06-14T18:30:15Z"),
            ("20:30", "2026-06-15T18:30:00Z"),
            ("20:41", "2026-06-14T18:41:00Z"),
            ("20:40:15", "2026-06-14T18:40:15Z"),
            ("ko", "2026-06-14T18:30:00Z"),
            ("KO+15m", "2026-06-14T18:45:00Z"),
            ("ko + 15m", "2026-06-14T18:45:00Z"),
            ("ko+20:14", "2026-06-14T18:50:14Z"),
            ("ko+1:20:14", "2026-06-14T19:50:14Z"),
            ("KO-1d 02:10", "2026-06-13T16:20:00Z"),
            ("end-10m", "2026-06-14T21:20:00Z"),
            ("doors", "2026-06-14T17:30:00Z"),
            ("+2h", "2026-06-14T20:40:00Z"),
            ("-5m", "2026-06-14T18:35:00Z"),
            ("now", "2026-06-14T18:40:00Z"),
        ] {
            assert_eq!(resolved(text, now), expected, "{text}");
        }
    }

    #[test]
    fn times_of_day_that_are_looked_back_at_are_the_events() {
        let back = |text: &str, now: &str| {
            let when = When::parse(text).unwrap();
            when.resolve_back(&vienna(), now.parse().unwrap())
                .unwrap()
                .to_string()
        };
        // The morning after, and months later.
        for now in ["2026-06-15T00:30:00Z", "2026-11-23T10:00:00Z"] {
            assert_eq!(back("22:45", now), "2026-06-14T20:45:00Z");
            assert_eq!(back("ko+15m", now), "2026-06-14T18:45:00Z");
        }
        // No time of the event: the last that has been.
        assert_eq!(
            back("11:00", "2026-06-20T10:00:00Z"),
            "2026-06-20T09:00:00Z"
        );
        assert_eq!(
            back("13:00", "2026-06-20T10:00:00Z"),
            "2026-06-19T11:00:00Z"
        );
        let until = When::parse("00:30").unwrap();
        let from = "2026-06-14T20:45:00Z".parse().unwrap();
        let end = until.resolve_after(from, &vienna().zone).unwrap();
        assert_eq!(end.to_string(), "2026-06-14T22:30:00Z");
    }

    #[test]
    fn answers_what_is_no_time() {
        let now = "2026-06-14T18:40:00Z";
        insta::assert_snapshot!(resolved("tonight", now), @"`tonight` is not a time; write 2026-06-14T20:30:00+02:00, `2026-06-14 20:30`, 20:30, ko+15m, end-10m, doors, +2h or now");
        insta::assert_snapshot!(resolved("2026-06-14", now), @"`2026-06-14` is a date without a time of day; write `2026-06-14 20:30`");
        insta::assert_snapshot!(resolved("ko+15", now), @"`15` has no unit; write 15s, 15m, 15h or 15d");
        for text in [
            "",
            "24:00",
            "20:3",
            "20",
            "ko15m",
            "koala",
            "2026-02-30 10:00",
            "20:30pm",
        ] {
            assert!(When::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn refuses_to_guess_when_the_clocks_change() {
        let now = "2026-03-01T00:00:00Z";
        insta::assert_snapshot!(resolved("2026-03-29 02:30", now), @"2026-03-29T02:30:00 does not exist in Europe/Vienna: the clocks go forward over it; write the time with an offset");
        insta::assert_snapshot!(resolved("2026-10-25 02:30", now), @"2026-10-25T02:30:00 happens twice in Europe/Vienna: write 2026-10-25T02:30:00+02:00 or 2026-10-25T02:30:00+01:00");
        assert_eq!(
            resolved("2026-10-25T02:30:00+01:00", now),
            "2026-10-25T01:30:00Z"
        );
    }

    #[test]
    fn shows_times_as_the_crew_says_them() {
        let times = vienna();
        let shown = |text: &str| since_kickoff(text.parse().unwrap(), times.starts, "KO");
        assert_eq!(shown("2026-06-14T18:50:14Z"), "KO+20:14");
        assert_eq!(shown("2026-06-14T18:29:59Z"), "KO-00:01");
        assert_eq!(shown("2026-06-14T19:50:14Z"), "KO+1:20:14");
        assert_eq!(shown("2026-06-13T16:20:00Z"), "KO-1d 02:10");
        assert_eq!(local(times.starts, &times.zone), "2026-06-14 20:30:00 CEST");
        assert_eq!(local_clock(times.starts, &times.zone), "20:30:00");
        assert_eq!(
            rfc3339(times.starts, &times.zone),
            "2026-06-14T20:30:00+02:00"
        );
        assert_eq!(utc(times.starts), "2026-06-14T18:30:00Z");
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back(offset in -86_399i64..86_400) {
            let times = vienna();
            let at = times.starts + SignedDuration::from_secs(offset);
            let shown = since_kickoff(at, times.starts, "KO");
            prop_assert_eq!(When::parse(&shown).unwrap().resolve(&times, times.starts).unwrap(), at);
        }

        #[test]
        fn any_text_is_answered(text in any::<String>()) {
            if let Ok(when) = When::parse(&text) {
                let _answer = when.resolve(&vienna(), vienna().starts);
            }
        }
    }
}
