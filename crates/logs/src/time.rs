//! When a request was: `date` and `time`, `timestamp(ms)`, or the `timestamp` of real-time logs.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::number;

const DAY: i64 = 86_400_000;

/// Milliseconds since 1970 of a time that is UTC. The first and the last day that can be written are
/// before and after all others.
pub(crate) fn milliseconds(time: DateTime) -> i64 {
    let beyond = if time.year() < 0 { i64::MIN } else { i64::MAX };
    TimeZone::UTC
        .to_timestamp(time)
        .map_or(beyond, Timestamp::as_millisecond)
}

/// Reads `YYYY-MM-DD` and `HH:MM:SS`. The last date is kept: nearly all rows of an object share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Clock {
    date: [u8; 10],
    midnight: i64,
}

impl Clock {
    /// Milliseconds since 1970; None: no date, or no time.
    pub(crate) fn read(&mut self, date: &[u8], time: &[u8]) -> Option<i64> {
        if date != self.date {
            let text: [u8; 10] = date.try_into().ok()?;
            self.midnight = midnight(text)?;
            self.date = text;
        }
        let [h, hh, b':', m, mm, b':', s, ss] = *time else {
            return None;
        };
        let (hours, minutes, seconds) = (two(h, hh)?, two(m, mm)?, two(s, ss)?);
        // A leap second is the next minute's first.
        if hours > 23 || minutes > 59 || seconds > 60 {
            return None;
        }
        Some(self.midnight + (hours * 3600 + minutes * 60 + seconds) * 1000)
    }
}

fn midnight(date: [u8; 10]) -> Option<i64> {
    let [c, cc, y, yy, b'-', m, mm, b'-', d, dd] = date else {
        return None;
    };
    let year = two(c, cc)? * 100 + two(y, yy)?;
    let date = jiff::civil::Date::new(
        i16::try_from(year).ok()?,
        i8::try_from(two(m, mm)?).ok()?,
        i8::try_from(two(d, dd)?).ok()?,
    )
    .ok()?;
    Some(milliseconds(date.into()))
}

fn two(tens: u8, ones: u8) -> Option<i64> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens <= 9 && ones <= 9).then(|| i64::from(tens) * 10 + i64::from(ones))
}

/// Reads seconds since 1970 with a fraction (real-time logs), or milliseconds (`timestamp(ms)`): told
/// apart by size, since no document says which unit the first has; rounded to the millisecond. ISO 8601
/// is read as well.
pub(crate) fn epoch(text: &[u8]) -> Option<i64> {
    let point = text.iter().position(|byte| *byte == b'.');
    let (whole, fraction) = match point {
        Some(point) => (&text[..point], &text[point + 1..]),
        None => (text, &[][..]),
    };
    let all_digits = |text: &[u8]| text.iter().all(u8::is_ascii_digit);
    if whole.is_empty() || whole.len() > 15 || !all_digits(whole) || !all_digits(fraction) {
        return iso(text);
    }
    let whole = number::integer(whole)?;
    let digit = |place: usize| {
        fraction
            .get(place)
            .map_or(0, |digit| i64::from(digit - b'0'))
    };
    // As milliseconds this is 1973, as seconds the year 5138.
    if whole >= 100_000_000_000 {
        return in_range(whole + digit(0) / 5);
    }
    let thousandths = digit(0) * 100 + digit(1) * 10 + digit(2) + digit(3) / 5;
    in_range(whole * 1000 + thousandths)
}

fn iso(text: &[u8]) -> Option<i64> {
    if text.len() < 19 || text.len() > 35 {
        return None;
    }
    let text = std::str::from_utf8(text).ok()?;
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        return Some(timestamp.as_millisecond());
    }
    text.parse::<DateTime>().ok().map(milliseconds)
}

/// Years that both the engine and Athena have: to the end of 9999.
fn in_range(milliseconds: i64) -> Option<i64> {
    (milliseconds < 2_932_896 * DAY).then_some(milliseconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> i64 {
        milliseconds(text.parse().unwrap())
    }

    #[test]
    fn dates_and_times_of_the_fixed_form_are_read() {
        let mut clock = Clock::default();
        for (date, time) in [
            ("2026-06-14", "17:00:00"),
            ("2026-06-14", "23:59:59"),
            ("2024-02-29", "00:00:00"),
            ("1970-01-01", "00:00:01"),
        ] {
            let read = clock.read(date.as_bytes(), time.as_bytes());
            assert_eq!(read, Some(at(&format!("{date}T{time}"))));
        }
        for (date, time) in [
            ("2026-02-29", "00:00:00"),
            ("2026-13-01", "00:00:00"),
            ("2026-6-14", "00:00:00"),
            ("2026/06/14", "00:00:00"),
            ("-", "00:00:00"),
            ("", ""),
            ("2026-06-14", "24:00:00"),
            ("2026-06-14", "1:00:00"),
            ("2026-06-14", "01-00-00"),
            ("2026-06-14", "-"),
            ("\0\0\0\0\0\0\0\0\0\0", "00:00:00"),
        ] {
            assert_eq!(
                clock.read(date.as_bytes(), time.as_bytes()),
                None,
                "{date} {time}"
            );
        }
    }

    #[test]
    fn a_bad_date_leaves_the_last_good_one_as_it_was() {
        let mut clock = Clock::default();
        let good = clock.read(b"2026-06-14", b"17:00:00");
        assert_eq!(clock.read(b"2026-99-14", b"17:00:00"), None);
        assert_eq!(clock.read(b"2026-06-14", b"17:00:00"), good);
    }

    #[test]
    fn epochs_are_seconds_or_milliseconds() {
        for (text, expected) in [
            ("1607374321.541", Some(1_607_374_321_541)),
            ("1607374321.5", Some(1_607_374_321_500)),
            ("1607374321.5414", Some(1_607_374_321_541)),
            ("1607374321.5415", Some(1_607_374_321_542)),
            ("1607374321.9999", Some(1_607_374_322_000)),
            ("1607374321", Some(1_607_374_321_000)),
            ("1607374321541", Some(1_607_374_321_541)),
            ("1607374321541.7", Some(1_607_374_321_542)),
            ("2020-12-07T20:52:01Z", Some(1_607_374_321_000)),
            ("2020-12-07T20:52:01.541", Some(1_607_374_321_541)),
            ("-", None),
            ("", None),
            ("-5", None),
            (".5", None),
            ("999999999999999", None),
            ("16073743215419999999", None),
            ("yesterday at about noon", None),
        ] {
            assert_eq!(epoch(text.as_bytes()), expected, "{text}");
        }
    }
}
