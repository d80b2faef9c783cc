//! `CAST` where Trino's result is not Arrow's: to text, and from doubles to integers.
//! <https://trino.io/docs/current/functions/conversion.html>
//!
//! Where the source makes no difference the functions simplify to DataFusion's own cast, so that
//! its optimizer sees through them.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringViewArray};
use datafusion::arrow::compute::{self, CastOptions};
use datafusion::arrow::datatypes::{DataType, Float64Type, TimeUnit};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{Cast, Expr, ScalarUDF, TryCast};

use super::scalar::Takes::{Any, Bigint};
use super::scalar::{ADDRESS, Call, JSON, Scalar, bigint, boolean, double, is_text, text};
use super::{addresses, json, times};

/// The functions of this file.
pub(super) fn functions() -> Vec<ScalarUDF> {
    vec![
        Scalar::new("$varchar", &[&[Any], &[Any, Bigint]], text, varchar)
            .simplifying(varchar_simplified),
        Scalar::new(
            "$distinguished",
            &[&[Any]],
            distinguished_type,
            distinguished,
        )
        .simplifying(distinguished_simplified),
        Scalar::new("$varchar_of", &[&[Any]], text, |call| {
            Ok(compute::cast(&call.array(0)?, &DataType::Utf8View)?)
        }),
        Scalar::new("$bigint", &[&[Any]], bigint, |call| integer(call, true))
            .simplifying(|args, info| simplified(args, info, &DataType::Int64, false)),
        Scalar::new("$try_bigint", &[&[Any]], bigint, |call| {
            integer(call, false)
        })
        .simplifying(|args, info| simplified(args, info, &DataType::Int64, true)),
        Scalar::new("$integer", &[&[Any]], int32, |call| integer(call, true))
            .simplifying(|args, info| simplified(args, info, &DataType::Int32, false)),
        Scalar::new("$try_integer", &[&[Any]], int32, |call| {
            integer(call, false)
        })
        .simplifying(|args, info| simplified(args, info, &DataType::Int32, true)),
        Scalar::new("$double", &[&[Any]], double, |call| other(call, true))
            .simplifying(|args, info| simplified(args, info, &DataType::Float64, false)),
        Scalar::new("$try_double", &[&[Any]], double, |call| other(call, false))
            .simplifying(|args, info| simplified(args, info, &DataType::Float64, true)),
        Scalar::new("$boolean", &[&[Any]], boolean, |call| truth(call, true)),
        Scalar::new("$try_boolean", &[&[Any]], boolean, |call| {
            truth(call, false)
        }),
    ]
    .into_iter()
    .map(Scalar::into_function)
    .collect()
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of Scalar::new")]
fn int32(_: &[DataType], _: &[Option<&ScalarValue>]) -> Result<DataType> {
    Ok(DataType::Int32)
}

/// The plain cast, for all sources that Arrow treats as Trino does.
fn simplified(
    args: &[Expr],
    info: &SimplifyContext,
    to: &DataType,
    tries: bool,
) -> Result<Option<Expr>> {
    let [value] = args else {
        return Ok(None);
    };
    let from = info.get_data_type(value)?;
    // Integers and booleans alone: text has to be told in our words where it is no number.
    if !(from.is_integer() || (*to == DataType::Float64 && from.is_numeric())) {
        return Ok(None);
    }
    let value = Box::new(value.clone());
    Ok(Some(if tries {
        Expr::TryCast(TryCast::new(value, to.clone()))
    } else {
        Expr::Cast(Cast::new(value, to.clone()))
    }))
}

/// Doubles by their bits, all else as it is: DataFusion's estimate of distinct values has none of
/// doubles.
fn distinguished(call: &Call<'_>) -> Result<ArrayRef> {
    let array = call.array(0)?;
    if !array.data_type().is_floating() {
        return Ok(array);
    }
    let numbers = super::scalar::as_doubles(&array)?;
    call.each_integer(|row| {
        Ok(numbers.is_valid(row).then(|| {
            let number = numbers.value(row);
            // Zero is zero with either sign, and NaN is NaN.
            let bits = if number == 0.0 {
                0
            } else if number.is_nan() {
                f64::NAN.to_bits()
            } else {
                number.to_bits()
            };
            bits.cast_signed()
        }))
    })
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of Scalar::new")]
fn distinguished_type(given: &[DataType], _: &[Option<&ScalarValue>]) -> Result<DataType> {
    Ok(match given.first() {
        Some(kind) if kind.is_floating() => DataType::Int64,
        Some(kind) => kind.clone(),
        None => DataType::Null,
    })
}

fn distinguished_simplified(args: &[Expr], info: &SimplifyContext) -> Result<Option<Expr>> {
    match args {
        [value] if !info.get_data_type(value)?.is_floating() => Ok(Some(value.clone())),
        _ => Ok(None),
    }
}

fn varchar_simplified(args: &[Expr], info: &SimplifyContext) -> Result<Option<Expr>> {
    match args {
        [value] if info.get_data_type(value)? == DataType::Utf8View => Ok(Some(value.clone())),
        _ => Ok(None),
    }
}

fn varchar(call: &Call<'_>) -> Result<ArrayRef> {
    let texts = to_text(&call.array(0)?)?;
    if call.len() == 1 {
        return Ok(Arc::new(texts));
    }
    // varchar(n) cuts after n characters.
    let limits = call.integers(1)?;
    call.each_text(|row| {
        let limit = usize::try_from(limits.get(row).unwrap_or(0)).unwrap_or(0);
        Ok(texts.is_valid(row).then(|| {
            let text = texts.value(row);
            text.char_indices()
                .nth(limit)
                .map_or(text, |(place, _)| &text[..place])
        }))
    })
}

/// Any column as Trino writes it.
pub(super) fn to_text(array: &ArrayRef) -> Result<StringViewArray> {
    let each = |row: &dyn Fn(usize) -> String| -> StringViewArray {
        (0..array.len())
            .map(|place| array.is_valid(place).then(|| row(place)))
            .collect()
    };
    Ok(match array.data_type() {
        kind if is_text(kind) => compute::cast(array, &DataType::Utf8View)?
            .as_string_view()
            .clone(),
        DataType::Float64 | DataType::Float32 => {
            let numbers = compute::cast(array, &DataType::Float64)?;
            let numbers = numbers.as_primitive::<Float64Type>();
            each(&|place| scientific(numbers.value(place)))
        }
        DataType::Boolean => {
            let truths = array.as_boolean();
            each(&|place| truths.value(place).to_string())
        }
        DataType::Timestamp(..) | DataType::Date32 => {
            let times = times::Times::of(array, false)?;
            each(&|place| times.written(place))
        }
        kind if *kind == ADDRESS => {
            let addresses = array.as_fixed_size_binary();
            each(&|place| addresses::written(addresses.value(place)))
        }
        kind if *kind == JSON => {
            let texts = array.as_string::<i64>();
            (0..array.len())
                .map(|place| {
                    if array.is_null(place) {
                        return Ok(None);
                    }
                    match json::scalar(texts.value(place)) {
                        Some(text) => Ok(text),
                        None => {
                            exec_err!("json of an array or an object is no varchar: json_format")
                        }
                    }
                })
                .collect::<Result<StringViewArray>>()?
        }
        kind if kind.is_numeric() => compute::cast(array, &DataType::Utf8View)?
            .as_string_view()
            .clone(),
        DataType::Null => compute::cast(array, &DataType::Utf8View)?
            .as_string_view()
            .clone(),
        other => {
            return exec_err!("{} cannot be cast to varchar", super::types::name(other));
        }
    })
}

/// A double as Java's pattern 0.0###################E0 writes it, which is Trino's.
pub(super) fn scientific(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        }
        .to_owned();
    }
    let written = format!("{number:e}");
    let (digits, exponent) = written.split_once('e').unwrap_or((&written, "0"));
    let point = if digits.contains('.') { "" } else { ".0" };
    format!("{digits}{point}E{exponent}")
}

fn invalid(text: &str, to: &str) -> datafusion::error::DataFusionError {
    datafusion::common::exec_datafusion_err!("{text:?} cannot be cast to {to}; try_cast gives NULL")
}

/// Doubles and decimals are rounded, half up; text must be a whole number.
fn integer(call: &Call<'_>, strict: bool) -> Result<ArrayRef> {
    let array = call.array(0)?;
    let to = call.returns;
    let name = super::types::name(to);
    let options = CastOptions {
        safe: !strict,
        ..CastOptions::default()
    };
    let wide: ArrayRef = match array.data_type() {
        kind if is_text(kind) || *kind == JSON => {
            let texts = to_text(&array)?;
            call.each_integer(|row| {
                if texts.is_null(row) {
                    return Ok(None);
                }
                let text = texts.value(row);
                match text.parse() {
                    Ok(number) => Ok(Some(number)),
                    Err(_) if *array.data_type() == JSON && number(text).is_some() => {
                        Ok(number(text).and_then(whole))
                    }
                    Err(_) if strict => Err(invalid(text, &name)),
                    Err(_) => Ok(None),
                }
            })?
        }
        kind if kind.is_floating()
            || matches!(
                kind,
                DataType::Decimal32(..) | DataType::Decimal64(..) | DataType::Decimal128(..)
            ) =>
        {
            let numbers = super::scalar::as_doubles(&array)?;
            call.each_integer(|row| {
                if numbers.is_null(row) {
                    return Ok(None);
                }
                let number = numbers.value(row);
                match whole(number) {
                    None if strict => Err(invalid(&scientific(number), &name)),
                    whole => Ok(whole),
                }
            })?
        }
        kind if kind.is_integer() || matches!(kind, DataType::Boolean | DataType::Null) => array,
        other => {
            return exec_err!("{} cannot be cast to {name}", super::types::name(other));
        }
    };
    Ok(compute::cast_with_options(&wide, to, &options)?)
}

/// A double as Java reads it: spaces around it do not matter, `NaN` and `Infinity` are so written.
fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    let is_named = matches!(text, "NaN" | "Infinity" | "+Infinity" | "-Infinity");
    let is_plain = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+' | b'e' | b'E'));
    if is_named || is_plain {
        text.parse().ok()
    } else {
        None
    }
}

/// 2^63 as a double; the range of i64 in doubles is [-2^63, 2^63).
const LIMIT: f64 = 9_223_372_036_854_775_808.0;

/// Rounded half up; none: it is not in the range of 64 bits.
fn whole(number: f64) -> Option<i64> {
    let rounded = (number + 0.5).floor();
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
    (-LIMIT..LIMIT).contains(&rounded).then_some(rounded as i64)
}

fn other(call: &Call<'_>, strict: bool) -> Result<ArrayRef> {
    let array = call.array(0)?;
    let kind = array.data_type();
    if is_text(kind) || *kind == JSON {
        let texts = to_text(&array)?;
        return call.each_double(|row| {
            if texts.is_null(row) {
                return Ok(None);
            }
            let text = texts.value(row);
            match number(text) {
                Some(number) => Ok(Some(number)),
                None if strict => Err(invalid(text, "double")),
                None => Ok(None),
            }
        });
    }
    if kind.is_numeric() || matches!(kind, DataType::Boolean | DataType::Null) {
        return Ok(compute::cast(&array, call.returns)?);
    }
    exec_err!("{} cannot be cast to double", super::types::name(kind))
}

fn truth(call: &Call<'_>, strict: bool) -> Result<ArrayRef> {
    let array = call.array(0)?;
    let kind = array.data_type();
    if is_text(kind) || *kind == JSON {
        let texts = to_text(&array)?;
        return call.each_boolean(|row| {
            if texts.is_null(row) {
                return Ok(None);
            }
            let text = texts.value(row);
            match text.to_ascii_lowercase().as_str() {
                "t" | "true" | "1" => Ok(Some(true)),
                "f" | "false" | "0" => Ok(Some(false)),
                _ if strict => Err(invalid(text, "boolean")),
                _ => Ok(None),
            }
        });
    }
    if kind.is_numeric() || matches!(kind, DataType::Boolean | DataType::Null) {
        return Ok(compute::cast(&array, call.returns)?);
    }
    exec_err!("{} cannot be cast to boolean", super::types::name(kind))
}

/// The unit of a timestamp with so many digits of a second's fraction.
pub(super) fn unit_of(digits: usize) -> TimeUnit {
    match digits {
        0..=3 => TimeUnit::Millisecond,
        4..=6 => TimeUnit::Microsecond,
        _ => TimeUnit::Nanosecond,
    }
}
