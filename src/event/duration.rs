//! How long: durations as people write and read them, and the two that are words, `event` and
//! `forever`.

use std::fmt;
use std::str::FromStr;

use jiff::SignedDuration;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::event::text::shortened;

/// Longer than any event: beyond this a duration is a slip of the finger.
const LONGEST: SignedDuration = SignedDuration::from_hours(24 * 366 * 10);

/// Why a text is not a duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DurationError {
    #[error("`{0}` is not a duration such as 90s, 15m, 2h 30m or 1d")]
    Malformed(String),
    #[error("`{0}` has no unit; write {0}s, {0}m, {0}h or {0}d")]
    NoUnit(String),
    #[error("`{0}` is longer than ten years")]
    TooLong(String),
    #[error("`{0}` is no time at all")]
    Zero(String),
    #[error("`{0}` is not a short time such as 400ms, 1.92s or 2m")]
    Short(String),
}

/// Parses a duration of weeks, days (24 h), hours, minutes and seconds: `15m`, `2h 30m`, `1d12h`,
/// `90s`, `5 min`.
pub(crate) fn parse_duration(text: &str) -> Result<SignedDuration, DurationError> {
    let trimmed = text.trim();
    let shown = || shortened(trimmed, 40);
    let malformed = || DurationError::Malformed(shown());
    if trimmed.is_empty() || trimmed.len() > 64 {
        return Err(malformed());
    }
    if trimmed.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(DurationError::NoUnit(shown()));
    }
    let mut rest = trimmed;
    let mut seconds: i64 = 0;
    let mut smallest = i64::MAX;
    while !rest.is_empty() {
        let digits = rest
            .find(|character: char| !character.is_ascii_digit())
            .ok_or_else(malformed)?;
        let amount: i64 = match rest[..digits].parse() {
            Ok(amount) => amount,
            Err(_) if digits == 0 => return Err(malformed()),
            Err(_) => return Err(DurationError::TooLong(shown())),
        };
        rest = rest[digits..].trim_start();
        let letters = rest
            .find(|character: char| !character.is_ascii_alphabetic())
            .unwrap_or(rest.len());
        let unit = unit_seconds(&rest[..letters]).ok_or_else(malformed)?;
        // Each unit once, the larger first: `5m 2h` is more likely a slip than meant.
        if unit >= smallest {
            return Err(malformed());
        }
        smallest = unit;
        rest = rest[letters..].trim_start();
        seconds = amount
            .checked_mul(unit)
            .and_then(|part| seconds.checked_add(part))
            .ok_or_else(|| DurationError::TooLong(shown()))?;
    }
    let duration = SignedDuration::from_secs(seconds);
    if duration > LONGEST {
        return Err(DurationError::TooLong(shown()));
    }
    Ok(duration)
}

/// Parses a short time in milliseconds, a fraction of a unit allowed: `400ms`, `1.92s`, `2m`. At
/// most an hour; zero is refused.
pub(crate) fn parse_milliseconds(text: &str) -> Result<u32, DurationError> {
    let text = text.trim();
    let error = || DurationError::Short(shortened(text, 40));
    let letters = text
        .find(|character: char| character.is_ascii_alphabetic())
        .ok_or_else(error)?;
    let (number, unit) = text.split_at(letters);
    let unit: u64 = match unit.to_ascii_lowercase().as_str() {
        "ms" => 1,
        "s" => 1_000,
        "m" | "min" => 60_000,
        _ => return Err(error()),
    };
    let (whole, fraction) = number
        .trim_end()
        .split_once('.')
        .unwrap_or((number.trim_end(), ""));
    let digits = format!("{whole}{fraction}");
    let scale = 10_u64.pow(u32::try_from(fraction.len().min(6)).unwrap_or(6));
    if whole.is_empty()
        || fraction.len() > 6
        || whole.len() > 9
        || !digits.bytes().all(|byte| byte.is_ascii_digit())
    {
        return Err(error());
    }
    let scaled = digits.parse::<u64>().map_err(|_| error())? * unit;
    if scaled == 0 {
        return Err(DurationError::Zero(shortened(text, 40)));
    }
    if !scaled.is_multiple_of(scale) || scaled / scale > 3_600_000 {
        return Err(error());
    }
    u32::try_from(scaled / scale).map_err(|_| error())
}

/// Writes a short time the way [`parse_milliseconds`] reads it: `400ms`, `4s`.
pub(crate) fn short(milliseconds: u32) -> String {
    if milliseconds.is_multiple_of(1_000) {
        format!("{}s", milliseconds / 1_000)
    } else {
        format!("{milliseconds}ms")
    }
}

fn unit_seconds(unit: &str) -> Option<i64> {
    Some(match unit.to_ascii_lowercase().as_str() {
        "w" | "week" | "weeks" => 7 * 86_400,
        "d" | "day" | "days" => 86_400,
        "h" | "hour" | "hours" => 3_600,
        "m" | "min" | "mins" | "minute" | "minutes" => 60,
        "s" | "sec" | "secs" | "second" | "seconds" => 1,
        _ => return None,
    })
}

/// Writes a duration the way [`parse_duration`] reads it, without loss to the second: `2h 30m`.
pub(crate) fn compact(duration: SignedDuration) -> String {
    parts(duration, ["d", "h", "m", "s"], "", usize::MAX)
}

/// Writes a duration for people, its two largest units: `3 min 40 s`, `2 h`, `1 d 4 h`.
pub(crate) fn human(duration: SignedDuration) -> String {
    parts(duration, ["d", "h", "min", "s"], " ", 2)
}

fn parts(duration: SignedDuration, units: [&str; 4], gap: &str, most: usize) -> String {
    let seconds = duration.as_secs().unsigned_abs();
    let amounts = [
        seconds / 86_400,
        seconds / 3_600 % 24,
        seconds / 60 % 60,
        seconds % 60,
    ];
    let first = amounts
        .iter()
        .position(|amount| *amount > 0)
        .unwrap_or(amounts.len() - 1);
    let shown: Vec<String> = amounts
        .iter()
        .zip(units)
        .skip(first)
        .take(most)
        .filter(|(amount, _)| **amount > 0 || seconds == 0)
        .map(|(amount, unit)| format!("{amount}{gap}{unit}"))
        .collect();
    let sign = if duration.is_negative() && seconds > 0 {
        "-"
    } else {
        ""
    };
    format!("{sign}{}", shown.join(" "))
}

/// How long a measure is meant to last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lasting {
    /// A fixed time, more than zero.
    For(SignedDuration),
    /// Until the event ends, whenever that turns out to be.
    Event,
    /// Without an end.
    Forever,
}

impl Lasting {
    /// Parses a duration, `event` or `forever`.
    pub(crate) fn parse(text: &str) -> Result<Self, DurationError> {
        match text.trim().to_ascii_lowercase().as_str() {
            "event" => return Ok(Self::Event),
            "forever" => return Ok(Self::Forever),
            _ => {}
        }
        let duration = parse_duration(text)?;
        if duration.is_zero() {
            return Err(DurationError::Zero(shortened(text.trim(), 40)));
        }
        Ok(Self::For(duration))
    }
}

impl fmt::Display for Lasting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::For(duration) => f.write_str(&compact(*duration)),
            Self::Event => f.write_str("event"),
            Self::Forever => f.write_str("forever"),
        }
    }
}

impl FromStr for Lasting {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, DurationError> {
        Self::parse(text)
    }
}

impl Serialize for Lasting {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Lasting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn short_times_are_read_and_written() {
        for (text, milliseconds, written) in [
            ("400ms", 400, "400ms"),
            ("1.92s", 1_920, "1920ms"),
            ("4 s", 4_000, "4s"),
            ("1.5m", 90_000, "90s"),
        ] {
            assert_eq!(parse_milliseconds(text), Ok(milliseconds), "{text}");
            assert_eq!(short(milliseconds), written);
        }
        for bad in [
            "", "4", "s", ".5s", "0.0001s", "0s", "2h", "61m", "-1s", "1..2s", "é",
        ] {
            assert!(parse_milliseconds(bad).is_err(), "{bad}");
        }
    }

    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_what_people_write() {
        for (text, seconds) in [
            ("15m", 900),
            ("2h 30m", 9_000),
            ("2h30m", 9_000),
            ("90s", 90),
            ("5 min", 300),
            ("1d", 86_400),
            ("1 week 1 day", 8 * 86_400),
            ("0s", 0),
        ] {
            assert_eq!(
                parse_duration(text),
                Ok(SignedDuration::from_secs(seconds)),
                "{text}"
            );
        }
    }

    #[test]
    fn refuses_the_rest_with_a_reason() {
        insta::assert_snapshot!(parse_duration("15").unwrap_err(), @"`15` has no unit; write 15s, 15m, 15h or 15d");
        insta::assert_snapshot!(parse_duration("soon").unwrap_err(), @"`soon` is not a duration such as 90s, 15m, 2h 30m or 1d");
        insta::assert_snapshot!(parse_duration("9999999999h").unwrap_err(), @"`9999999999h` is longer than ten years");
        insta::assert_snapshot!(Lasting::parse("0m").unwrap_err(), @"`0m` is no time at all");
        for text in [
            "",
            "-5m",
            "5m 2h",
            "5m 5m",
            "1.5h",
            "5x",
            "5m é",
            "99999999999999999999s",
        ] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn writes_for_people() {
        let of = SignedDuration::from_secs;
        assert_eq!(human(of(220)), "3 min 40 s");
        assert_eq!(human(of(7_200)), "2 h");
        assert_eq!(human(of(7_205)), "2 h");
        assert_eq!(human(of(100_800)), "1 d 4 h");
        assert_eq!(human(of(0)), "0 s");
        assert_eq!(human(of(-90)), "-1 min 30 s");
        assert_eq!(compact(of(9_000)), "2h 30m");
        assert_eq!(compact(of(7_205)), "2h 5s");
    }

    proptest! {
        #[test]
        fn compact_reads_back(seconds in 0i64..100_000_000) {
            let duration = SignedDuration::from_secs(seconds);
            prop_assert_eq!(parse_duration(&compact(duration)), Ok(duration));
        }
    }
}
