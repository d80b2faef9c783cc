//! Times as ISO 8601 writes them.

use jiff::civil::{Date, ISOWeekDate, Time, Weekday};
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, ToSpan};

fn number(text: &str) -> Option<i32> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())?
}

/// A calendar date, a week's day (`2020-W10-1`) or a year's day (`2020-123`); what is left out is the
/// first.
pub(super) fn date(text: &str) -> Option<Date> {
    if !text.is_ascii() || text.len() < 4 {
        return None;
    }
    let year = i16::try_from(number(&text[..4])?).ok()?;
    let rest = &text[4..];
    if rest.is_empty() {
        return Date::new(year, 1, 1).ok();
    }
    let rest = rest.strip_prefix('-')?;
    if let Some(week) = rest.strip_prefix('W') {
        let (week, day) = week.split_once('-').unwrap_or((week, "1"));
        let day = Weekday::from_monday_one_offset(i8::try_from(number(day)?).ok()?).ok()?;
        let week = i8::try_from(number(week)?).ok()?;
        return Some(ISOWeekDate::new(year, week, day).ok()?.date());
    }
    if rest.len() == 3 {
        let day = number(rest)?;
        let date = Date::new(year, 1, 1)
            .ok()?
            .checked_add((day - 1).days())
            .ok()?;
        return (day > 0 && date.year() == year).then_some(date);
    }
    let (month, day) = rest.split_once('-').unwrap_or((rest, "1"));
    let small = |text| i8::try_from(number(text)?).ok();
    Date::new(year, small(month)?, small(day)?).ok()
}

/// `17:00:05.123`, minutes, seconds and fraction may be left out; with how many digits of a
/// fraction.
pub(super) fn clock(text: &str) -> Option<(Time, usize)> {
    if text.is_empty() {
        return Some((Time::midnight(), 0));
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if text.contains('.') && (fraction.is_empty() || fraction.len() > 12) {
        return None;
    }
    let mut parts = whole.split(':');
    let mut next = || match parts.next() {
        None => Some(0),
        Some(part) if part.len() <= 2 && !part.is_empty() => i8::try_from(number(part)?).ok(),
        Some(_) => None,
    };
    let (hour, minute, second) = (next()?, next()?, next()?);
    if parts.next().is_some() {
        return None;
    }
    let digits = fraction.len();
    let nanosecond = if fraction.is_empty() {
        0
    } else {
        number(&format!("{fraction:0<9}")[..9])?
    };
    number(&fraction[..fraction.len().min(9)]).or(if fraction.is_empty() {
        Some(0)
    } else {
        None
    })?;
    Some((
        Time::new(hour, minute, second, nanosecond).ok()?,
        digits.min(9),
    ))
}

/// `Z`, `+02:00`, `+0200` or `+02`.
pub(super) fn offset(text: &str) -> Option<Offset> {
    if matches!(text, "Z" | "z") {
        return Some(Offset::UTC);
    }
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let digits = rest.replace(':', "");
    let (hours, minutes) = match digits.len() {
        1 | 2 => (number(&digits)?, 0),
        4 => (number(digits.get(..2)?)?, number(digits.get(2..)?)?),
        _ => return None,
    };
    (minutes < 60).then_some(())?;
    Offset::from_seconds(sign * (hours * 3_600 + minutes * 60)).ok()
}

/// An offset as `+02:00`.
pub(super) fn written_offset(offset: Offset) -> String {
    let seconds = offset.seconds();
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.abs() / 60;
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

/// Milliseconds since 1970 of a time, in UTC where it has no offset.
pub(super) fn timestamp(text: &str) -> Option<i64> {
    if !text.is_ascii() {
        return None;
    }
    let (day, rest) = text.split_once('T').unwrap_or((text, ""));
    if rest.is_empty() && text.contains('T') {
        return None;
    }
    let day = date(day)?;
    let end = rest.find(['Z', 'z', '+', '-']).unwrap_or(rest.len());
    let (time, zone) = rest.split_at(end);
    let (time, _) = clock(time)?;
    let zone = if zone.is_empty() {
        Offset::UTC
    } else {
        offset(zone)?
    };
    let at: Timestamp = TimeZone::fixed(zone)
        .to_ambiguous_timestamp(day.to_datetime(time))
        .compatible()
        .ok()?;
    Some(
        at.as_nanosecond()
            .div_euclid(1_000_000)
            .try_into()
            .unwrap_or(0),
    )
}
