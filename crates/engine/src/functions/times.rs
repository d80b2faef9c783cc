//! Functions of dates and timestamps. <https://trino.io/docs/current/functions/datetime.html>
//!
//! A `timestamp with time zone` has one zone for a whole column here, so that a text's own offset is
//! kept as an instant, in UTC. A plain timestamp is read as UTC where a zone is needed, as Athena's
//! session zone is UTC.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, PrimitiveArray, TimestampMicrosecondArray,
    TimestampMillisecondArray, TimestampNanosecondArray, TimestampSecondArray,
};
use datafusion::arrow::compute;
use datafusion::arrow::datatypes::{DataType, Date32Type, Int64Type, TimeUnit};
use datafusion::common::{Result, ScalarValue, exec_datafusion_err, exec_err, plan_err};
use datafusion::logical_expr::ScalarUDF;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan};

use super::scalar::Takes::{Any, Bigint, Double, Literal, Text, Time};
use super::scalar::{
    Call, MILLISECONDS, Run, Scalar, as_first, bigint, double, milliseconds_in, text,
};
use super::{casts, iso8601};

/// The functions of this file.
pub(super) fn functions() -> Vec<ScalarUDF> {
    let parts: [(&'static str, Run); 17] = [
        ("year", |call| part(call, |at| at.year().into())),
        ("quarter", |call| {
            part(call, |at| (i64::from(at.month()) + 2) / 3)
        }),
        ("month", |call| part(call, |at| at.month().into())),
        ("week", |call| {
            part(call, |at| at.date().iso_week_date().week().into())
        }),
        ("week_of_year", |call| {
            part(call, |at| at.date().iso_week_date().week().into())
        }),
        ("year_of_week", |call| {
            part(call, |at| at.date().iso_week_date().year().into())
        }),
        ("yow", |call| {
            part(call, |at| at.date().iso_week_date().year().into())
        }),
        ("day", |call| part(call, |at| at.day().into())),
        ("day_of_month", |call| part(call, |at| at.day().into())),
        ("day_of_week", |call| {
            part(call, |at| at.weekday().to_monday_one_offset().into())
        }),
        ("dow", |call| {
            part(call, |at| at.weekday().to_monday_one_offset().into())
        }),
        ("day_of_year", |call| {
            part(call, |at| at.day_of_year().into())
        }),
        ("doy", |call| part(call, |at| at.day_of_year().into())),
        ("hour", |call| part(call, |at| at.hour().into())),
        ("minute", |call| part(call, |at| at.minute().into())),
        ("second", |call| part(call, |at| at.second().into())),
        ("millisecond", |call| {
            part(call, |at| at.millisecond().into())
        }),
    ];
    let mut all: Vec<Scalar> = parts
        .into_iter()
        .map(|(name, run)| Scalar::new(name, &[&[Time]], bigint, run))
        .collect();
    all.extend([
        Scalar::new("date_trunc", &[&[Text, Time]], second, trunc),
        Scalar::new("date_add", &[&[Text, Bigint, Time]], third, add),
        Scalar::new("date_diff", &[&[Text, Time, Time]], bigint, diff),
        Scalar::new("last_day_of_month", &[&[Time]], date, last_day),
        Scalar::new("$date", &[&[Time], &[Text]], date, |call| {
            to_date(call, true)
        }),
        Scalar::new("$try_date", &[&[Time], &[Text]], date, |call| {
            to_date(call, false)
        }),
        Scalar::new(
            "from_unixtime",
            &[&[Double], &[Double, Literal]],
            unixtime,
            from_unixtime,
        ),
        Scalar::new("to_unixtime", &[&[Time]], double, to_unixtime),
        Scalar::new(
            "from_iso8601_timestamp",
            &[&[Text]],
            |_, _| Ok(milliseconds_in("UTC")),
            from_iso8601,
        ),
        Scalar::new("from_iso8601_date", &[&[Text]], date, from_iso8601_date),
        Scalar::new("to_iso8601", &[&[Time]], text, to_iso8601),
        Scalar::new("at_timezone", &[&[Time, Literal]], in_zone, at_timezone),
        Scalar::new("with_timezone", &[&[Time, Literal]], in_zone, with_timezone),
        Scalar::new("$timestamp", &[&[Literal]], literal, |call| {
            parsed(call, true)
        }),
        Scalar::new(
            "$to_timestamp",
            &[&[Time, Bigint], &[Text, Bigint]],
            cast_type,
            |call| to_timestamp(call, true),
        ),
        Scalar::new(
            "$try_to_timestamp",
            &[&[Time, Bigint], &[Text, Bigint]],
            cast_type,
            |call| to_timestamp(call, false),
        ),
        Scalar::new("to_milliseconds", &[&[Any]], bigint, to_milliseconds),
    ]);
    all.into_iter().map(Scalar::into_function).collect()
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of Scalar::new")]
fn date(_: &[DataType], _: &[Option<&ScalarValue>]) -> Result<DataType> {
    Ok(DataType::Date32)
}

fn second(given: &[DataType], scalars: &[Option<&ScalarValue>]) -> Result<DataType> {
    as_first(given.get(1..).unwrap_or_default(), scalars)
}

fn third(given: &[DataType], scalars: &[Option<&ScalarValue>]) -> Result<DataType> {
    as_first(given.get(2..).unwrap_or_default(), scalars)
}

fn words<'a>(scalars: &'a [Option<&'a ScalarValue>], place: usize) -> Option<&'a str> {
    scalars
        .get(place)
        .copied()
        .flatten()
        .and_then(|value| value.try_as_str().flatten())
}

fn unixtime(given: &[DataType], scalars: &[Option<&ScalarValue>]) -> Result<DataType> {
    if given.len() == 1 {
        return Ok(milliseconds_in("UTC"));
    }
    let Some(zone) = words(scalars, 1) else {
        return plan_err!("the zone of from_unixtime must be written as a literal here");
    };
    Ok(milliseconds_in(zone))
}

/// A timestamp of the first argument's precision, in the zone that the second names.
fn in_zone(given: &[DataType], scalars: &[Option<&ScalarValue>]) -> Result<DataType> {
    let unit = match given.first() {
        Some(DataType::Timestamp(unit, _)) => *unit,
        _ => TimeUnit::Millisecond,
    };
    let Some(name) = words(scalars, 1) else {
        return plan_err!("a time zone must be written as a literal here");
    };
    zone(name)?;
    Ok(DataType::Timestamp(unit, Some(name.into())))
}

/// Of the literal: as precise as it is written, in the zone that it names.
fn literal(_: &[DataType], scalars: &[Option<&ScalarValue>]) -> Result<DataType> {
    let Some(text) = words(scalars, 0) else {
        return Ok(MILLISECONDS);
    };
    let (_, digits, zone) = read(text)?;
    Ok(DataType::Timestamp(
        casts::unit_of(digits),
        zone.map(|(name, _)| name.into()),
    ))
}

/// Of `CAST(x AS timestamp(n) [with time zone])`: n, or -n-1 with a zone.
#[expect(clippy::unnecessary_wraps, reason = "the shape of Scalar::new")]
fn cast_type(given: &[DataType], scalars: &[Option<&ScalarValue>]) -> Result<DataType> {
    let number = match scalars.get(1).copied().flatten() {
        Some(ScalarValue::Int64(Some(number))) => *number,
        _ => 3,
    };
    let digits = if number < 0 { -number - 1 } else { number };
    let unit = casts::unit_of(usize::try_from(digits).unwrap_or(3));
    let zone = match given.first() {
        _ if number >= 0 => None,
        Some(DataType::Timestamp(_, Some(zone))) => Some(Arc::clone(zone)),
        _ => Some("UTC".into()),
    };
    Ok(DataType::Timestamp(unit, zone))
}

/// A time zone by its name, or an offset such as `+02:00`.
pub(super) fn zone(name: &str) -> Result<TimeZone> {
    if matches!(name, "UTC" | "Z" | "GMT" | "UT" | "z") {
        return Ok(TimeZone::UTC);
    }
    if let Some(offset) = iso8601::offset(name) {
        return Ok(TimeZone::fixed(offset));
    }
    TimeZone::get(name).map_err(|_| exec_datafusion_err!("there is no time zone {name:?}"))
}

/// A column of dates or timestamps.
pub(super) struct Times {
    kind: DataType,
    zone: Option<TimeZone>,
    /// Days, or units since 1970 in UTC (without a zone: as the clock shows them).
    values: Int64Array,
    constant: bool,
}

const DAY: i64 = 86_400;

fn per_second(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    }
}

impl Times {
    /// Reads a column; a constant has one row for all.
    pub(super) fn of(array: &ArrayRef, constant: bool) -> Result<Self> {
        let zone = match array.data_type() {
            DataType::Timestamp(_, Some(name)) => Some(zone(name)?),
            _ => None,
        };
        let values = match array.data_type() {
            DataType::Date32 => {
                compute::cast(&compute::cast(array, &DataType::Int32)?, &DataType::Int64)?
            }
            DataType::Timestamp(..) => compute::cast(array, &DataType::Int64)?,
            other => return exec_err!("{} is no time", super::types::name(other)),
        };
        Ok(Self {
            kind: array.data_type().clone(),
            zone,
            values: values.as_primitive::<Int64Type>().clone(),
            constant,
        })
    }

    fn new(call: &Call<'_>, place: usize) -> Result<Self> {
        let (array, constant) = call.column(place)?;
        Self::of(&array, constant)
    }

    fn raw(&self, row: usize) -> Option<i64> {
        let row = if self.constant { 0 } else { row };
        self.values.is_valid(row).then(|| self.values.value(row))
    }

    /// Units of a second that a timestamp counts; none: it counts days.
    fn scale(&self) -> Option<i64> {
        match self.kind {
            DataType::Timestamp(unit, _) => Some(per_second(unit)),
            _ => None,
        }
    }

    /// Nanoseconds since 1970; a plain time as if in UTC.
    fn nanoseconds(&self, row: usize) -> Option<i128> {
        let raw = i128::from(self.raw(row)?);
        Some(match self.scale() {
            Some(scale) => raw * i128::from(1_000_000_000 / scale),
            None => raw * i128::from(DAY) * 1_000_000_000,
        })
    }

    /// As the clock of its zone shows it.
    pub(super) fn civil(&self, row: usize) -> Result<Option<DateTime>> {
        let Some(nanoseconds) = self.nanoseconds(row) else {
            return Ok(None);
        };
        let at = Timestamp::from_nanosecond(nanoseconds)
            .map_err(|_| exec_datafusion_err!("a time out of range"))?;
        Ok(Some(match &self.zone {
            Some(zone) => zone.to_datetime(at),
            None => TimeZone::UTC.to_datetime(at),
        }))
    }

    /// A clock's time as the column would hold it.
    fn hold(&self, at: DateTime) -> Result<i64> {
        held(at, &self.kind, self.zone.as_ref())
    }

    /// The zone's name.
    pub(super) fn zone_name(&self) -> Option<&str> {
        match &self.kind {
            DataType::Timestamp(_, Some(name)) => Some(name),
            _ => None,
        }
    }

    /// The zone.
    pub(super) fn zone(&self) -> Option<&TimeZone> {
        self.zone.as_ref()
    }

    /// As Trino writes it: `2001-08-22 03:04:05.321`.
    pub(super) fn written(&self, row: usize) -> String {
        let Ok(Some(at)) = self.civil(row) else {
            return String::new();
        };
        let date = at.date();
        let Some(scale) = self.scale() else {
            return date.to_string();
        };
        let digits = match scale {
            1 => 0,
            1_000 => 3,
            1_000_000 => 6,
            _ => 9,
        };
        let time = at.time();
        let mut text = format!(
            "{date} {:02}:{:02}:{:02}",
            time.hour(),
            time.minute(),
            time.second()
        );
        if digits > 0 {
            let fraction = format!("{:09}", time.subsec_nanosecond());
            text.push('.');
            text.push_str(&fraction[..digits]);
        }
        if let Some(zone) = self.zone_name() {
            text.push(' ');
            text.push_str(zone);
        }
        text
    }

    /// Raw values as a column of the same type.
    fn column(&self, values: Vec<Option<i64>>) -> Result<ArrayRef> {
        column(values, &self.kind)
    }
}

/// A clock's time in a zone, as a column of a type holds it.
fn held(at: DateTime, kind: &DataType, zone: Option<&TimeZone>) -> Result<i64> {
    let out_of_range = || exec_datafusion_err!("a time out of range");
    let utc = TimeZone::UTC;
    let instant = zone
        .unwrap_or(&utc)
        .to_ambiguous_timestamp(at)
        .compatible()
        .map_err(|_| out_of_range())?;
    match kind {
        DataType::Timestamp(unit, _) => {
            let nanoseconds = instant.as_nanosecond();
            let unit = i128::from(1_000_000_000 / per_second(*unit));
            i64::try_from(nanoseconds.div_euclid(unit)).map_err(|_| out_of_range())
        }
        _ => Ok(instant.as_second().div_euclid(DAY)),
    }
}

/// Raw values as a column of a type.
#[expect(
    clippy::unnecessary_wraps,
    reason = "the last word of functions that can fail"
)]
fn column(values: Vec<Option<i64>>, kind: &DataType) -> Result<ArrayRef> {
    Ok(of_raw(Int64Array::from(values), kind))
}

fn of_raw(array: Int64Array, kind: &DataType) -> ArrayRef {
    if let DataType::Timestamp(unit, zone) = kind {
        let zone = zone.clone();
        let (_, values, nulls) = array.into_parts();
        match unit {
            TimeUnit::Second => {
                Arc::new(TimestampSecondArray::new(values, nulls).with_timezone_opt(zone))
            }
            TimeUnit::Millisecond => {
                Arc::new(TimestampMillisecondArray::new(values, nulls).with_timezone_opt(zone))
            }
            TimeUnit::Microsecond => {
                Arc::new(TimestampMicrosecondArray::new(values, nulls).with_timezone_opt(zone))
            }
            TimeUnit::Nanosecond => {
                Arc::new(TimestampNanosecondArray::new(values, nulls).with_timezone_opt(zone))
            }
        }
    } else {
        let days: PrimitiveArray<Date32Type> = array
            .iter()
            .map(|day| day.and_then(|day| i32::try_from(day).ok()))
            .collect();
        Arc::new(days)
    }
}

/// A column of `timestamp(3) with time zone` in UTC, or of another type, from instants.
pub(super) fn instants(values: Vec<Option<Timestamp>>, kind: &DataType) -> Result<ArrayRef> {
    let values = values
        .into_iter()
        .map(|at| {
            at.map(|at| held(TimeZone::UTC.to_datetime(at), kind, None))
                .transpose()
        })
        .collect::<Result<Vec<_>>>()?;
    column(values, kind)
}

fn part(call: &Call<'_>, part: fn(DateTime) -> i64) -> Result<ArrayRef> {
    let times = Times::new(call, 0)?;
    call.each_integer(|row| Ok(times.civil(row)?.map(part)))
}

/// Trino's units of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Millisecond,
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

impl Unit {
    fn parse(name: &str) -> Result<Self> {
        Ok(match name.to_ascii_lowercase().as_str() {
            "millisecond" => Self::Millisecond,
            "second" => Self::Second,
            "minute" => Self::Minute,
            "hour" => Self::Hour,
            "day" => Self::Day,
            "week" => Self::Week,
            "month" => Self::Month,
            "quarter" => Self::Quarter,
            "year" => Self::Year,
            _ => {
                return exec_err!(
                    "{name:?} is no unit of time: millisecond, second, minute, hour, day, week, month, quarter, year"
                );
            }
        })
    }

    /// Milliseconds, where it is always as long.
    fn milliseconds(self) -> Option<i64> {
        Some(match self {
            Self::Millisecond => 1,
            Self::Second => 1_000,
            Self::Minute => 60_000,
            Self::Hour => 3_600_000,
            _ => return None,
        })
    }

    fn spans(self, count: i64) -> Option<Span> {
        let span = Span::new();
        match self {
            Self::Millisecond => span.try_milliseconds(count),
            Self::Second => span.try_seconds(count),
            Self::Minute => span.try_minutes(count),
            Self::Hour => span.try_hours(count),
            Self::Day => span.try_days(count),
            Self::Week => span.try_weeks(count),
            Self::Month => span.try_months(count),
            Self::Quarter => span.try_months(count.checked_mul(3)?),
            Self::Year => span.try_years(count),
        }
        .ok()
    }
}

fn begin(unit: Unit, at: DateTime) -> DateTime {
    let date = at.date();
    let midnight = |date: Date| date.at(0, 0, 0, 0);
    let first = |month: i8| midnight(Date::new(date.year(), month, 1).unwrap_or(date));
    match unit {
        Unit::Millisecond | Unit::Second | Unit::Minute | Unit::Hour => {
            let time = at.time();
            let (hour, mut minute, mut second) = (time.hour(), time.minute(), time.second());
            let mut nanosecond = time.subsec_nanosecond() / 1_000_000 * 1_000_000;
            if unit != Unit::Millisecond {
                nanosecond = 0;
            }
            if matches!(unit, Unit::Minute | Unit::Hour) {
                second = 0;
            }
            if unit == Unit::Hour {
                minute = 0;
            }
            date.at(hour, minute, second, nanosecond)
        }
        Unit::Day => midnight(date),
        Unit::Week => {
            let back = i64::from(date.weekday().to_monday_zero_offset());
            midnight(date.checked_sub(back.days()).unwrap_or(date))
        }
        Unit::Month => first(date.month()),
        Unit::Quarter => first((date.month() - 1) / 3 * 3 + 1),
        Unit::Year => first(1),
    }
}

fn trunc(call: &Call<'_>) -> Result<ArrayRef> {
    let units = call.texts(0)?;
    let times = Times::new(call, 1)?;
    // By far the most asked for: by minute, without a zone, where a division does it.
    if let (Some(unit), None, Some(scale)) = (units.same(), &times.zone, times.scale()) {
        let unit = Unit::parse(unit)?;
        let milliseconds = match unit {
            Unit::Day => Some(DAY * 1_000),
            other => other.milliseconds(),
        };
        if let Some(step) = milliseconds
            .map(|unit| unit * scale / 1_000)
            .filter(|s| *s > 0)
        {
            let truncated: Int64Array =
                compute::unary(&times.values, |value| value - value.rem_euclid(step));
            let truncated = if times.constant {
                Int64Array::from(vec![truncated.iter().next().flatten(); call.rows])
            } else {
                truncated
            };
            return Ok(of_raw(truncated, &times.kind));
        }
    }
    let values = (0..call.rows)
        .map(|row| {
            let (Some(unit), Some(at)) = (units.get(row), times.civil(row)?) else {
                return Ok(None);
            };
            let unit = Unit::parse(unit)?;
            times.hold(begin(unit, at)).map(Some)
        })
        .collect::<Result<Vec<_>>>()?;
    times.column(values)
}

fn add(call: &Call<'_>) -> Result<ArrayRef> {
    let (units, counts, times) = (call.texts(0)?, call.integers(1)?, Times::new(call, 2)?);
    let values = (0..call.rows)
        .map(|row| {
            let (Some(unit), Some(count), Some(at)) =
                (units.get(row), counts.get(row), times.civil(row)?)
            else {
                return Ok(None);
            };
            let unit = Unit::parse(unit)?;
            let out_of_range = || exec_datafusion_err!("date_add: out of range");
            if let (Some(milliseconds), Some(scale)) = (unit.milliseconds(), times.scale()) {
                // Of the time line, not of the clock.
                let Some(raw) = times.raw(row) else {
                    return Ok(None);
                };
                let step = i128::from(milliseconds) * i128::from(scale) / 1_000;
                return i64::try_from(i128::from(raw) + i128::from(count) * step)
                    .map(Some)
                    .map_err(|_| out_of_range());
            }
            if times.scale().is_none() && unit.milliseconds().is_some() {
                return exec_err!(
                    "a date has no {}s to add",
                    units.get(row).unwrap_or_default()
                );
            }
            let span = unit.spans(count).ok_or_else(out_of_range)?;
            times
                .hold(at.checked_add(span).map_err(|_| out_of_range())?)
                .map(Some)
        })
        .collect::<Result<Vec<_>>>()?;
    times.column(values)
}

/// Whole units between two times, towards zero.
fn diff(call: &Call<'_>) -> Result<ArrayRef> {
    let units = call.texts(0)?;
    let (from, until) = (Times::new(call, 1)?, Times::new(call, 2)?);
    call.each_integer(|row| {
        let (Some(unit), Some(from), Some(until)) = (
            units.get(row),
            from.civil_in(row, until.zone())?,
            until.civil(row)?,
        ) else {
            return Ok(None);
        };
        Ok(Some(between(Unit::parse(unit)?, from, until)))
    })
}

impl Times {
    /// As a clock shows it that another column goes by, where this one has no zone of its own.
    fn civil_in(&self, row: usize, other: Option<&TimeZone>) -> Result<Option<DateTime>> {
        let (Some(_), Some(other)) = (self.zone.as_ref(), other) else {
            return self.civil(row);
        };
        let Some(nanoseconds) = self.nanoseconds(row) else {
            return Ok(None);
        };
        let at = Timestamp::from_nanosecond(nanoseconds)
            .map_err(|_| exec_datafusion_err!("a time out of range"))?;
        Ok(Some(other.to_datetime(at)))
    }
}

fn between(unit: Unit, from: DateTime, until: DateTime) -> i64 {
    let nanoseconds = |at: DateTime| {
        TimeZone::UTC
            .to_ambiguous_timestamp(at)
            .compatible()
            .map_or(0, Timestamp::as_nanosecond)
    };
    let long = nanoseconds(until) - nanoseconds(from);
    let of = |unit: i128| i64::try_from(long / unit).unwrap_or(0);
    let months = || {
        let count = (i64::from(until.year()) - i64::from(from.year())) * 12
            + i64::from(until.month())
            - i64::from(from.month());
        // A month is complete once adding it does not go beyond.
        let reached = |count: i64| from.checked_add(count.months()).unwrap_or(from);
        if count > 0 && reached(count) > until {
            count - 1
        } else if count < 0 && reached(count) < until {
            count + 1
        } else {
            count
        }
    };
    match unit {
        Unit::Day => of(i128::from(DAY) * 1_000_000_000),
        Unit::Week => of(i128::from(DAY) * 7_000_000_000),
        Unit::Month => months(),
        Unit::Quarter => months() / 3,
        Unit::Year => months() / 12,
        short => of(i128::from(short.milliseconds().unwrap_or(1)) * 1_000_000),
    }
}

fn last_day(call: &Call<'_>) -> Result<ArrayRef> {
    let times = Times::new(call, 0)?;
    let values = (0..call.rows)
        .map(|row| {
            times
                .civil(row)?
                .map(|at| {
                    held(
                        at.date().last_of_month().at(0, 0, 0, 0),
                        &DataType::Date32,
                        None,
                    )
                })
                .transpose()
        })
        .collect::<Result<Vec<_>>>()?;
    column(values, &DataType::Date32)
}

fn to_date(call: &Call<'_>, strict: bool) -> Result<ArrayRef> {
    let dates: Vec<Option<DateTime>> = if call.kind(0) == DataType::Utf8View {
        let texts = call.texts(0)?;
        (0..call.rows)
            .map(|row| {
                let Some(text) = texts.get(row) else {
                    return Ok(None);
                };
                match text.trim().parse::<Date>() {
                    Ok(date) if text.trim().len() == 10 => Ok(Some(date.at(0, 0, 0, 0))),
                    _ if strict => {
                        exec_err!("{text:?} cannot be cast to date; try_cast gives NULL")
                    }
                    _ => Ok(None),
                }
            })
            .collect::<Result<_>>()?
    } else {
        let times = Times::new(call, 0)?;
        (0..call.rows)
            .map(|row| times.civil(row))
            .collect::<Result<_>>()?
    };
    let values = dates
        .into_iter()
        .map(|at| {
            at.map(|at| held(at.date().at(0, 0, 0, 0), &DataType::Date32, None))
                .transpose()
        })
        .collect::<Result<Vec<_>>>()?;
    column(values, &DataType::Date32)
}

fn from_unixtime(call: &Call<'_>) -> Result<ArrayRef> {
    let numbers = call.doubles(0)?;
    let values = (0..call.rows)
        .map(|row| {
            let Some(seconds) = numbers.get(row) else {
                return Ok(None);
            };
            let milliseconds = (seconds * 1_000.0).round();
            // jiff's range is the years -9999 to 9999.
            if !(-377_705_116_800_000.0..=253_402_207_200_000.0).contains(&milliseconds) {
                return exec_err!("from_unixtime: {seconds} is out of range");
            }
            #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
            let milliseconds = milliseconds as i64;
            Ok(Some(milliseconds))
        })
        .collect::<Result<Vec<_>>>()?;
    column(values, call.returns)
}

fn to_unixtime(call: &Call<'_>) -> Result<ArrayRef> {
    let times = Times::new(call, 0)?;
    #[expect(
        clippy::cast_precision_loss,
        reason = "a double holds microseconds of today's seconds"
    )]
    call.each_double(|row| {
        Ok(times
            .nanoseconds(row)
            .map(|nanoseconds| (nanoseconds / 1_000) as f64 / 1e6))
    })
}

fn from_iso8601(call: &Call<'_>) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    let values = (0..call.rows)
        .map(|row| {
            texts
                .get(row)
                .map(|text| {
                    iso8601::timestamp(text).ok_or_else(|| {
                        exec_datafusion_err!("{text:?} is no time of ISO 8601; try(…) gives NULL")
                    })
                })
                .transpose()
        })
        .collect::<Result<Vec<_>>>()?;
    column(values, call.returns)
}

fn from_iso8601_date(call: &Call<'_>) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    let values = (0..call.rows)
        .map(|row| {
            let Some(text) = texts.get(row) else {
                return Ok(None);
            };
            if let Some(date) = iso8601::date(text) {
                held(date.at(0, 0, 0, 0), &DataType::Date32, None).map(Some)
            } else {
                exec_err!("{text:?} is no date of ISO 8601; try(…) gives NULL")
            }
        })
        .collect::<Result<Vec<_>>>()?;
    column(values, call.returns)
}

fn to_iso8601(call: &Call<'_>) -> Result<ArrayRef> {
    let times = Times::new(call, 0)?;
    call.each_text(|row| {
        let Some(at) = times.civil(row)? else {
            return Ok(None);
        };
        let written = times.written(row);
        let Some(zone) = times.zone() else {
            return Ok(Some(written.replace(' ', "T")));
        };
        let offset = zone
            .to_ambiguous_timestamp(at)
            .compatible()
            .map_or(jiff::tz::Offset::UTC, |at| zone.to_offset(at));
        let plain = written.rsplit_once(' ').map_or("", |(plain, _)| plain);
        let offset = if offset.is_zero() {
            "Z".to_owned()
        } else {
            iso8601::written_offset(offset)
        };
        Ok(Some(format!("{}{offset}", plain.replace(' ', "T"))))
    })
}

/// The same instant on another clock.
fn at_timezone(call: &Call<'_>) -> Result<ArrayRef> {
    let times = Times::new(call, 0)?;
    let values = (0..call.rows)
        .map(|row| match times.scale() {
            Some(_) => times.raw(row),
            None => times.raw(row).map(|day| day * DAY * 1_000),
        })
        .collect();
    column(values, call.returns)
}

/// The same clock time in another zone.
fn with_timezone(call: &Call<'_>) -> Result<ArrayRef> {
    let times = Times::new(call, 0)?;
    let zone = match call.returns {
        DataType::Timestamp(_, Some(name)) => zone(name)?,
        _ => TimeZone::UTC,
    };
    let values = (0..call.rows)
        .map(|row| {
            times
                .civil(row)?
                .map(|at| held(at, call.returns, Some(&zone)))
                .transpose()
        })
        .collect::<Result<Vec<_>>>()?;
    column(values, call.returns)
}

/// What a clock shows, digits of its second's fraction, and its zone by name.
type Read = (DateTime, usize, Option<(String, TimeZone)>);

/// A timestamp as Trino writes one, `2001-08-22 03:04:05.321 Europe/Vienna`: what its clock shows,
/// digits of the fraction, and its zone.
fn read(text: &str) -> Result<Read> {
    let invalid = || exec_datafusion_err!("{text:?} is no timestamp: write 2026-06-14 17:00:00");
    let trimmed = text.trim();
    let (date, rest) = trimmed
        .split_once([' ', 'T'])
        .map_or((trimmed, ""), |(date, rest)| (date, rest.trim_start()));
    let date: Date = date.parse().map_err(|_| invalid())?;
    let end = rest
        .find(|c: char| !(c.is_ascii_digit() || c == ':' || c == '.'))
        .unwrap_or(rest.len());
    let (clock, zone_name) = rest.split_at(end);
    let zone_name = zone_name.trim();
    let (time, digits) = iso8601::clock(clock).ok_or_else(invalid)?;
    let zone = if zone_name.is_empty() {
        None
    } else {
        Some((zone_name.to_owned(), zone(zone_name)?))
    };
    Ok((date.to_datetime(time), digits, zone))
}

fn parsed(call: &Call<'_>, strict: bool) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    // With a zone in the type, plain text is of that zone.
    let home = match call.returns {
        DataType::Timestamp(_, Some(name)) => Some(zone(name)?),
        _ => None,
    };
    let values = (0..call.rows)
        .map(|row| {
            let Some(text) = texts.get(row) else {
                return Ok(None);
            };
            match read(text) {
                Ok((at, _, zone)) => {
                    let zone = zone.map(|(_, zone)| zone).or_else(|| home.clone());
                    held(at, call.returns, zone.as_ref()).map(Some)
                }
                Err(error) if strict => Err(error),
                Err(_) => Ok(None),
            }
        })
        .collect::<Result<Vec<_>>>()?;
    column(values, call.returns)
}

fn to_timestamp(call: &Call<'_>, strict: bool) -> Result<ArrayRef> {
    if super::scalar::is_text(&call.kind(0)) {
        return parsed(call, strict);
    }
    let times = Times::new(call, 0)?;
    let with_zone = matches!(call.returns, DataType::Timestamp(_, Some(_)));
    let values = (0..call.rows)
        .map(|row| {
            if with_zone {
                let Some(nanoseconds) = times.nanoseconds(row) else {
                    return Ok(None);
                };
                let at = Timestamp::from_nanosecond(nanoseconds)
                    .map_err(|_| exec_datafusion_err!("a time out of range"))?;
                return held(TimeZone::UTC.to_datetime(at), call.returns, None).map(Some);
            }
            times
                .civil(row)?
                .map(|at| held(at, call.returns, None))
                .transpose()
        })
        .collect::<Result<Vec<_>>>()?;
    column(values, call.returns)
}

/// From a time until another by an interval, both in it; of dates by a day.
pub(super) fn sequence(call: &Call<'_>) -> Result<ArrayRef> {
    let (starts, ends) = (Times::new(call, 0)?, Times::new(call, 1)?);
    let steps = if call.len() > 2 {
        Some(call.array(2)?)
    } else {
        None
    };
    call.each_value(|row| {
        let (Some(start), Some(end)) = (starts.civil(row)?, ends.civil(row)?) else {
            return ScalarValue::try_from(call.returns);
        };
        let step = match &steps {
            None if starts.scale().is_none() => Span::new().days(if start <= end { 1 } else { -1 }),
            None => return exec_err!("sequence of timestamps takes an interval for its step"),
            Some(steps) => match ScalarValue::try_from_array(steps, row)? {
                ScalarValue::IntervalMonthDayNano(Some(step)) => Span::new()
                    .try_months(step.months)
                    .and_then(|span| span.try_days(step.days))
                    .and_then(|span| span.try_nanoseconds(step.nanoseconds))
                    .map_err(|_| exec_datafusion_err!("a step out of range"))?,
                ScalarValue::IntervalMonthDayNano(None) => {
                    return ScalarValue::try_from(call.returns);
                }
                _ => return exec_err!("the step of a sequence of times is an interval"),
            },
        };
        let forwards = step.signum() > 0;
        if step.is_zero() || (start < end) != forwards && start != end {
            return exec_err!("the sequence does not get to its end by its step");
        }
        let mut values = Vec::new();
        // From the start each time: a month after 31 January is not a month before 31 March.
        for count in 0_i64.. {
            let at = step
                .checked_mul(count)
                .and_then(|span| start.checked_add(span))
                .map_err(|_| exec_datafusion_err!("a time out of range"))?;
            if (forwards && at > end) || (!forwards && at < end) {
                break;
            }
            if count >= super::arrays::MADE {
                return exec_err!("sequence makes {} elements at most", super::arrays::MADE);
            }
            values.push(Some(starts.hold(at)?));
        }
        Ok(super::arrays::list_value(starts.column(values)?))
    })
}

/// Of the difference of two timestamps.
fn to_milliseconds(call: &Call<'_>) -> Result<ArrayRef> {
    let array = call.array(0)?;
    let DataType::Duration(_) = array.data_type() else {
        return exec_err!("to_milliseconds takes the difference of two timestamps");
    };
    let array = compute::cast(&array, &DataType::Duration(TimeUnit::Millisecond))?;
    Ok(compute::cast(&array, &DataType::Int64)?)
}
