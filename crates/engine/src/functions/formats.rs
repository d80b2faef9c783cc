//! Times by a pattern: MySQL's for `date_format` and `date_parse`, Joda's for `format_datetime` and
//! `parse_datetime`. <https://trino.io/docs/current/functions/datetime.html#mysql-date-functions>
//!
//! Both are read into the same pieces, which write and parse.

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, exec_datafusion_err, exec_err};
use datafusion::logical_expr::ScalarUDF;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime, ISOWeekDate, Time, Weekday};
use jiff::tz::{Offset, TimeZone};

use super::iso8601;
use super::scalar::Takes::{Text, Time as Moment};
use super::scalar::{Call, MILLISECONDS, Scalar, milliseconds_in, text};
use super::times::{Times, instants};

/// The functions of this file.
pub(super) fn functions() -> Vec<ScalarUDF> {
    vec![
        Scalar::new("date_format", &[&[Moment, Text]], text, |call| {
            format(call, mysql)
        }),
        Scalar::new("format_datetime", &[&[Moment, Text]], text, |call| {
            format(call, joda)
        }),
        Scalar::new(
            "date_parse",
            &[&[Text, Text]],
            |_, _| Ok(MILLISECONDS),
            |call| parse(call, mysql),
        ),
        Scalar::new(
            "parse_datetime",
            &[&[Text, Text]],
            |_, _| Ok(milliseconds_in("UTC")),
            |call| parse(call, joda),
        ),
    ]
    .into_iter()
    .map(Scalar::into_function)
    .collect()
}

/// What a pattern asks for; `usize` is the least number of digits.
#[derive(Debug, Clone, PartialEq)]
enum Piece {
    Text(String),
    Year(usize),
    /// The last two digits; 70 and above are of the last century.
    ShortYear,
    WeekYear(usize),
    Week(usize),
    Month(usize),
    MonthName,
    ShortMonthName,
    Day(usize),
    DayOfYear(usize),
    DayOfWeek,
    DayName,
    ShortDayName,
    /// 0 to 23.
    Hour(usize),
    /// 1 to 24.
    ClockHour(usize),
    /// 1 to 12.
    HalfHour(usize),
    /// 0 to 11.
    HourOfHalf(usize),
    Minute(usize),
    Second(usize),
    /// So many digits.
    Fraction(usize),
    HalfDay,
    Offset {
        colon: bool,
    },
    ZoneName,
    Era,
}

use Piece::{
    ClockHour, Day, DayName, DayOfWeek, DayOfYear, Era, Fraction, HalfDay, HalfHour, Hour,
    HourOfHalf, Minute, Month, MonthName, Second, ShortDayName, ShortMonthName, ShortYear, Week,
    WeekYear, Year, ZoneName,
};

/// MySQL's patterns: `%Y-%m-%d %H:%i:%s`.
fn mysql(pattern: &str) -> Result<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut rest = pattern.chars();
    while let Some(character) = rest.next() {
        if character != '%' {
            push(&mut pieces, character);
            continue;
        }
        let clock = |hour: Piece| {
            vec![
                hour,
                Piece::Text(":".to_owned()),
                Minute(2),
                Piece::Text(":".to_owned()),
                Second(2),
            ]
        };
        let piece = match rest.next() {
            Some('a') => ShortDayName,
            Some('b') => ShortMonthName,
            Some('c') => Month(1),
            Some('d') => Day(2),
            Some('e') => Day(1),
            Some('f') => Fraction(6),
            Some('H') => Hour(2),
            Some('h' | 'I') => HalfHour(2),
            Some('i') => Minute(2),
            Some('j') => DayOfYear(3),
            Some('k') => Hour(1),
            Some('l') => HalfHour(1),
            Some('M') => MonthName,
            Some('m') => Month(2),
            Some('p') => HalfDay,
            Some('r') => {
                pieces.extend(clock(HalfHour(2)));
                push(&mut pieces, ' ');
                HalfDay
            }
            Some('S' | 's') => Second(2),
            Some('T') => {
                pieces.extend(clock(Hour(2)));
                continue;
            }
            Some('v') => Week(2),
            Some('W') => DayName,
            Some('x') => WeekYear(4),
            Some('Y') => Year(4),
            Some('y') => ShortYear,
            Some(unsupported @ ('D' | 'U' | 'u' | 'V' | 'w' | 'X')) => {
                return exec_err!("%{unsupported} is not supported in a date format, as in Trino");
            }
            Some(other) => {
                push(&mut pieces, other);
                continue;
            }
            None => return exec_err!("the date format {pattern:?} ends in %"),
        };
        pieces.push(piece);
    }
    Ok(pieces)
}

/// Joda's patterns: `yyyy-MM-dd'T'HH:mm:ss.SSSZZ`.
fn joda(pattern: &str) -> Result<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut rest = pattern.chars().peekable();
    while let Some(character) = rest.next() {
        if character == '\'' {
            if rest.next_if_eq(&'\'').is_some() {
                push(&mut pieces, '\'');
                continue;
            }
            loop {
                match rest.next() {
                    None => return exec_err!("the pattern {pattern:?} has an open quote"),
                    Some('\'') if rest.next_if_eq(&'\'').is_some() => push(&mut pieces, '\''),
                    Some('\'') => break,
                    Some(other) => push(&mut pieces, other),
                }
            }
            continue;
        }
        if !character.is_ascii_alphabetic() {
            push(&mut pieces, character);
            continue;
        }
        let mut count = 1;
        while rest.next_if_eq(&character).is_some() {
            count += 1;
        }
        pieces.push(match (character, count) {
            ('y' | 'Y', 2) => ShortYear,
            ('y' | 'Y', _) => Year(count),
            ('x', _) => WeekYear(count),
            ('w', _) => Week(count),
            ('M', 1 | 2) => Month(count),
            ('M', 3) => ShortMonthName,
            ('M', _) => MonthName,
            ('d', _) => Day(count),
            ('D', _) => DayOfYear(count),
            ('e', _) => DayOfWeek,
            ('E', 1..=3) => ShortDayName,
            ('E', _) => DayName,
            ('a', _) => HalfDay,
            ('H', _) => Hour(count),
            ('k', _) => ClockHour(count),
            ('h', _) => HalfHour(count),
            ('K', _) => HourOfHalf(count),
            ('m', _) => Minute(count),
            ('s', _) => Second(count),
            ('S', 1..=9) => Fraction(count),
            ('Z', 1) => Piece::Offset { colon: false },
            ('Z', 2) => Piece::Offset { colon: true },
            ('Z' | 'z', _) => ZoneName,
            ('G', _) => Era,
            _ => {
                return exec_err!("the letter {character} means nothing in a pattern: quote it");
            }
        });
    }
    Ok(pieces)
}

fn push(pieces: &mut Vec<Piece>, character: char) {
    if let Some(Piece::Text(text)) = pieces.last_mut() {
        text.push(character);
    } else {
        pieces.push(Piece::Text(character.to_string()));
    }
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const DAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];

fn month_name(date: Date) -> &'static str {
    MONTHS[usize::try_from(date.month() - 1).unwrap_or(0)]
}

fn day_name(date: Date) -> &'static str {
    DAYS[usize::try_from(date.weekday().to_monday_zero_offset()).unwrap_or(0)]
}

fn format(call: &Call<'_>, read: fn(&str) -> Result<Vec<Piece>>) -> Result<ArrayRef> {
    let (array, constant) = call.column(0)?;
    let times = Times::of(&array, constant)?;
    let patterns = call.texts(1)?;
    let same = patterns.same().map(read).transpose()?;
    let utc = TimeZone::UTC;
    call.each_text(|row| {
        let (Some(at), Some(pattern)) = (times.civil(row)?, patterns.get(row)) else {
            return Ok(None);
        };
        let name = times.zone_name().unwrap_or("UTC");
        let zone = times.zone().unwrap_or(&utc);
        Ok(Some(match &same {
            Some(pieces) => written(pieces, at, zone, name),
            None => written(&read(pattern)?, at, zone, name),
        }))
    })
}

fn written(pieces: &[Piece], at: DateTime, zone: &TimeZone, name: &str) -> String {
    use std::fmt::Write;

    let date = at.date();
    let half = |hour: i8| (hour + 11) % 12 + 1;
    let mut out = String::new();
    for piece in pieces {
        // Writing to a String does not fail.
        let _ok = match piece {
            Piece::Text(text) => out.write_str(text),
            Year(digits) => write!(out, "{:0digits$}", at.year()),
            ShortYear => write!(out, "{:02}", at.year().rem_euclid(100)),
            WeekYear(2) => write!(out, "{:02}", date.iso_week_date().year().rem_euclid(100)),
            WeekYear(digits) => write!(out, "{:0digits$}", date.iso_week_date().year()),
            Week(digits) => write!(out, "{:0digits$}", date.iso_week_date().week()),
            Month(digits) => write!(out, "{:0digits$}", at.month()),
            MonthName => out.write_str(month_name(date)),
            ShortMonthName => out.write_str(&month_name(date)[..3]),
            Day(digits) => write!(out, "{:0digits$}", at.day()),
            DayOfYear(digits) => write!(out, "{:0digits$}", at.day_of_year()),
            DayOfWeek => write!(out, "{}", date.weekday().to_monday_one_offset()),
            DayName => out.write_str(day_name(date)),
            ShortDayName => out.write_str(&day_name(date)[..3]),
            Hour(digits) => write!(out, "{:0digits$}", at.hour()),
            ClockHour(digits) => {
                let hour = if at.hour() == 0 { 24 } else { at.hour() };
                write!(out, "{hour:0digits$}")
            }
            HalfHour(digits) => write!(out, "{:0digits$}", half(at.hour())),
            HourOfHalf(digits) => write!(out, "{:0digits$}", at.hour() % 12),
            Minute(digits) => write!(out, "{:0digits$}", at.minute()),
            Second(digits) => write!(out, "{:0digits$}", at.second()),
            Fraction(digits) => {
                let fraction = format!("{:09}", at.time().subsec_nanosecond());
                out.write_str(&fraction[..*digits])
            }
            HalfDay => out.write_str(if at.hour() < 12 { "AM" } else { "PM" }),
            Piece::Offset { colon } => {
                let offset = zone
                    .to_ambiguous_timestamp(at)
                    .compatible()
                    .map_or(Offset::UTC, |at| zone.to_offset(at));
                let text = iso8601::written_offset(offset);
                out.write_str(&if *colon { text } else { text.replace(':', "") })
            }
            ZoneName => out.write_str(name),
            Era => out.write_str(if at.year() > 0 { "AD" } else { "BC" }),
        };
    }
    out
}

fn parse(call: &Call<'_>, read: fn(&str) -> Result<Vec<Piece>>) -> Result<ArrayRef> {
    let (texts, patterns) = (call.texts(0)?, call.texts(1)?);
    let same = patterns.same().map(read).transpose()?;
    let values = (0..call.rows)
        .map(|row| {
            let (Some(text), Some(pattern)) = (texts.get(row), patterns.get(row)) else {
                return Ok(None);
            };
            let found = match &same {
                Some(pieces) => found(pieces, text),
                None => found(&read(pattern)?, text),
            };
            found.map(Some).ok_or_else(|| {
                exec_datafusion_err!("{text:?} is not of the format {pattern:?}; try(…) gives NULL")
            })
        })
        .collect::<Result<Vec<_>>>()?;
    let kind: &DataType = call.returns;
    instants(values, kind)
}

/// What has been read of a time so far.
#[derive(Default)]
struct Fields {
    year: Option<i64>,
    week_year: Option<i64>,
    week: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    day_of_year: Option<i64>,
    day_of_week: Option<i64>,
    hour: Option<i64>,
    half_hour: Option<i64>,
    afternoon: Option<bool>,
    minute: i64,
    second: i64,
    nanosecond: i64,
    zone: Option<TimeZone>,
}

/// Digits at the start, as many as there are up to a limit.
fn digits(text: &str, most: usize) -> Option<(i64, usize, &str)> {
    let end = text
        .bytes()
        .take(most)
        .take_while(u8::is_ascii_digit)
        .count();
    let number = text[..end].parse().ok()?;
    Some((number, end, &text[end..]))
}

/// One of several names at the start, in whichever case; its place from 1.
fn named<'t>(text: &'t str, names: &[&str], short: bool) -> Option<(i64, &'t str)> {
    names.iter().zip(1..).find_map(|(name, number)| {
        let name = if short { &name[..3] } else { name };
        let start = text.get(..name.len())?;
        start
            .eq_ignore_ascii_case(name)
            .then(|| (number, &text[name.len()..]))
    })
}

fn found(pieces: &[Piece], text: &str) -> Option<Timestamp> {
    let mut fields = Fields::default();
    let mut rest = text;
    for (place, piece) in pieces.iter().enumerate() {
        // Where digits follow without anything between, a field takes no more than its own.
        let tight = matches!(pieces.get(place + 1), Some(next) if is_number(next));
        let mut number = |own: usize, most: usize| {
            let (number, _, after) = digits(rest, if tight { own } else { most })?;
            rest = after;
            Some(number)
        };
        match piece {
            Piece::Text(text) => rest = rest.strip_prefix(text.as_str())?,
            Year(own) => fields.year = Some(number(*own, 9)?),
            ShortYear => {
                let year = number(2, 2)?;
                fields.year = Some(if year >= 70 { 1900 } else { 2000 } + year);
            }
            WeekYear(own) => fields.week_year = Some(number(*own, 9)?),
            Week(own) => fields.week = Some(number(*own, 2)?),
            Month(own) => fields.month = Some(number(*own, 2)?),
            MonthName | ShortMonthName => {
                let (month, after) =
                    named(rest, &MONTHS, false).or_else(|| named(rest, &MONTHS, true))?;
                fields.month = Some(month);
                rest = after;
            }
            Day(own) => fields.day = Some(number(*own, 2)?),
            DayOfYear(own) => fields.day_of_year = Some(number(*own, 3)?),
            DayOfWeek => fields.day_of_week = Some(number(1, 1)?),
            DayName | ShortDayName => {
                let (_, after) = named(rest, &DAYS, false).or_else(|| named(rest, &DAYS, true))?;
                rest = after;
            }
            Hour(own) => fields.hour = Some(number(*own, 2)?),
            ClockHour(own) => fields.hour = Some(number(*own, 2)? % 24),
            HalfHour(own) => fields.half_hour = Some(number(*own, 2)? % 12),
            HourOfHalf(own) => fields.half_hour = Some(number(*own, 2)?),
            Minute(own) => fields.minute = number(*own, 2)?,
            Second(own) => fields.second = number(*own, 2)?,
            Fraction(_) => {
                let (value, count, after) = digits(rest, 9)?;
                let scale = 10_i64.pow(u32::try_from(9 - count).ok()?);
                fields.nanosecond = value * scale;
                rest = after;
            }
            HalfDay => {
                let (half, after) = rest.split_at_checked(2)?;
                fields.afternoon = Some(match half.to_ascii_uppercase().as_str() {
                    "AM" => false,
                    "PM" => true,
                    _ => return None,
                });
                rest = after;
            }
            Piece::Offset { .. } => {
                let end = rest
                    .find(|c: char| !(c.is_ascii_digit() || matches!(c, '+' | '-' | ':' | 'Z')))
                    .unwrap_or(rest.len());
                fields.zone = Some(TimeZone::fixed(iso8601::offset(&rest[..end])?));
                rest = &rest[end..];
            }
            ZoneName => {
                let end = rest
                    .find(|c: char| {
                        !(c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '+' | '-' | ':'))
                    })
                    .unwrap_or(rest.len());
                fields.zone = Some(super::times::zone(&rest[..end]).ok()?);
                rest = &rest[end..];
            }
            Era => rest = rest.get(2..)?,
        }
    }
    if rest.is_empty() { fields.time() } else { None }
}

fn is_number(piece: &Piece) -> bool {
    !matches!(
        piece,
        Piece::Text(_)
            | MonthName
            | ShortMonthName
            | DayName
            | ShortDayName
            | HalfDay
            | Piece::Offset { .. }
            | ZoneName
            | Era
    )
}

impl Fields {
    fn time(self) -> Option<Timestamp> {
        let small = |number: i64| i8::try_from(number).ok();
        let year = |number: i64| i16::try_from(number).ok();
        let date = if let (Some(week_year), Some(week)) = (self.week_year, self.week) {
            let day =
                Weekday::from_monday_one_offset(small(self.day_of_week.unwrap_or(1))?).ok()?;
            ISOWeekDate::new(year(week_year)?, small(week)?, day)
                .ok()?
                .date()
        } else if let Some(day) = self.day_of_year {
            let first = Date::new(year(self.year.unwrap_or(1970))?, 1, 1).ok()?;
            let date = first
                .checked_add(jiff::Span::new().try_days(day - 1).ok()?)
                .ok()?;
            (day > 0 && date.year() == first.year()).then_some(date)?
        } else {
            Date::new(
                year(self.year.unwrap_or(1970))?,
                small(self.month.unwrap_or(1))?,
                small(self.day.unwrap_or(1))?,
            )
            .ok()?
        };
        let hour = match (self.hour, self.half_hour, self.afternoon) {
            (Some(hour), ..) => hour,
            (None, Some(hour), afternoon) => hour + if afternoon == Some(true) { 12 } else { 0 },
            (None, None, Some(true)) => 12,
            (None, None, _) => 0,
        };
        let time = Time::new(
            small(hour)?,
            small(self.minute)?,
            small(self.second)?,
            i32::try_from(self.nanosecond).ok()?,
        )
        .ok()?;
        self.zone
            .unwrap_or(TimeZone::UTC)
            .to_ambiguous_timestamp(date.to_datetime(time))
            .compatible()
            .ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read_again(second in -2_000_000_000_i64..4_000_000_000, millisecond in 0_i64..1000) {
            let at = Timestamp::from_millisecond(second * 1_000 + millisecond).unwrap();
            let civil = TimeZone::UTC.to_datetime(at);
            for pieces in [
                mysql("%Y-%m-%d %H:%i:%s.%f").unwrap(),
                mysql("%M %e, %Y %h.%i.%s %p %f").unwrap(),
                mysql("%Y%j%T%f").unwrap(),
                joda("yyyyMMddHHmmssSSS").unwrap(),
                joda("EEEE, d MMM yyyy KK:mm:ss a SSS ZZ").unwrap(),
                joda("xxxx-'W'ww-e HH:mm:ss.SSSZ").unwrap(),
            ] {
                let text = written(&pieces, civil, &TimeZone::UTC, "UTC");
                prop_assert_eq!(found(&pieces, &text), Some(at), "{}", text);
            }
        }

        #[test]
        fn no_text_breaks_the_reader(pattern in "[%a-zA-Z' :-]*", text in "\\PC*") {
            for read in [mysql, joda] {
                if let Ok(pieces) = read(&pattern) {
                    found(&pieces, &text);
                }
            }
        }
    }
}
