//! Functions of numbers. <https://trino.io/docs/current/functions/math.html>

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Float64Array, Int64Array};
use datafusion::arrow::compute;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, exec_datafusion_err, exec_err};
use datafusion::logical_expr::ScalarUDF;

use super::number_of;
use super::scalar::Takes::{Bigint, Double, List, Number, Text};
use super::scalar::{
    Call, Parameters, Run, Scalar, as_doubles, as_integers, bigint, boolean, double, text,
};

/// The functions of this file.
pub(super) fn functions() -> Vec<ScalarUDF> {
    const ONE: &[Parameters] = &[&[Double]];
    const BOTH: &[Parameters] = &[&[Bigint, Bigint]];
    let plain: [(&'static str, Run); 17] = [
        ("sqrt", |call| each(call, f64::sqrt)),
        ("cbrt", |call| each(call, f64::cbrt)),
        ("exp", |call| each(call, f64::exp)),
        ("ln", |call| each(call, f64::ln)),
        ("log2", |call| each(call, f64::log2)),
        ("log10", |call| each(call, f64::log10)),
        ("sin", |call| each(call, f64::sin)),
        ("cos", |call| each(call, f64::cos)),
        ("tan", |call| each(call, f64::tan)),
        ("asin", |call| each(call, f64::asin)),
        ("acos", |call| each(call, f64::acos)),
        ("atan", |call| each(call, f64::atan)),
        ("sinh", |call| each(call, f64::sinh)),
        ("cosh", |call| each(call, f64::cosh)),
        ("tanh", |call| each(call, f64::tanh)),
        ("degrees", |call| each(call, f64::to_degrees)),
        ("radians", |call| each(call, f64::to_radians)),
    ];
    let mut all: Vec<Scalar> = plain
        .into_iter()
        .map(|(name, run)| Scalar::new(name, ONE, double, run))
        .collect();
    all.extend([
        Scalar::new("pi", &[&[]], double, |call| {
            same(call, std::f64::consts::PI)
        }),
        Scalar::new("e", &[&[]], double, |call| same(call, std::f64::consts::E)),
        Scalar::new("nan", &[&[]], double, |call| same(call, f64::NAN)),
        Scalar::new("infinity", &[&[]], double, |call| same(call, f64::INFINITY)),
        Scalar::new("is_nan", ONE, boolean, |call| test(call, f64::is_nan)),
        Scalar::new("is_finite", ONE, boolean, |call| test(call, f64::is_finite)),
        Scalar::new("is_infinite", ONE, boolean, |call| {
            test(call, f64::is_infinite)
        }),
        Scalar::new("log", &[&[Double, Double]], double, |call| {
            two(call, |base, number| number.ln() / base.ln())
        }),
        Scalar::new("atan2", &[&[Double, Double]], double, |call| {
            two(call, f64::atan2)
        }),
        Scalar::new("power", &[&[Double, Double]], double, |call| {
            two(call, f64::powf)
        }),
        Scalar::new("pow", &[&[Double, Double]], double, |call| {
            two(call, f64::powf)
        }),
        Scalar::new("abs", &[&[Number]], same_number, |call| {
            number(call, i64::checked_abs, f64::abs)
        }),
        Scalar::new("sign", &[&[Number]], same_number, |call| {
            number(
                call,
                |n| Some(n.signum()),
                |n| {
                    if n == 0.0 || n.is_nan() {
                        n
                    } else {
                        n.signum()
                    }
                },
            )
        }),
        Scalar::new("floor", &[&[Number]], same_number, |call| {
            number(call, Some, f64::floor)
        }),
        Scalar::new("ceil", &[&[Number]], same_number, |call| {
            number(call, Some, f64::ceil)
        }),
        Scalar::new("ceiling", &[&[Number]], same_number, |call| {
            number(call, Some, f64::ceil)
        }),
        Scalar::new("round", &[&[Number], &[Number, Bigint]], same_number, round),
        Scalar::new(
            "truncate",
            &[&[Number], &[Number, Bigint]],
            same_number,
            truncate,
        ),
        Scalar::new("bitwise_and", BOTH, bigint, |call| {
            bits(call, |a, b| Some(a & b))
        }),
        Scalar::new("bitwise_or", BOTH, bigint, |call| {
            bits(call, |a, b| Some(a | b))
        }),
        Scalar::new("bitwise_xor", BOTH, bigint, |call| {
            bits(call, |a, b| Some(a ^ b))
        }),
        Scalar::new("bitwise_left_shift", BOTH, bigint, |call| {
            bits(call, |a, by| {
                shift(by).map(|by| a.checked_shl(by).unwrap_or(0))
            })
        }),
        Scalar::new("bitwise_right_shift", BOTH, bigint, |call| {
            bits(call, |a, by| {
                shift(by).map(|by| a.cast_unsigned().checked_shr(by).unwrap_or(0).cast_signed())
            })
        }),
        Scalar::new("bitwise_right_shift_arithmetic", BOTH, bigint, |call| {
            bits(call, |a, by| {
                shift(by).map(|by| a.checked_shr(by).unwrap_or(a.signum().min(0)))
            })
        }),
        Scalar::new("bitwise_not", &[&[Bigint]], bigint, |call| {
            let numbers = call.integers(0)?;
            call.each_integer(|row| Ok(numbers.get(row).map(|number| !number)))
        }),
        Scalar::new("bit_count", BOTH, bigint, bit_count),
        Scalar::new("from_base", &[&[Text, Bigint]], bigint, from_base),
        Scalar::new("to_base", BOTH, text, to_base),
        Scalar::new(
            "width_bucket",
            &[&[Double, Double, Double, Bigint], &[Double, List]],
            bigint,
            width_bucket,
        ),
    ]);
    all.into_iter().map(Scalar::into_function).collect()
}

/// Integers and doubles keep their type; decimals become doubles.
#[expect(clippy::unnecessary_wraps, reason = "the shape of Scalar::new")]
fn same_number(given: &[DataType], _: &[Option<&ScalarValue>]) -> Result<DataType> {
    Ok(match given.first() {
        Some(integer) if integer.is_integer() => DataType::Int64,
        _ => DataType::Float64,
    })
}

fn each(call: &Call<'_>, function: fn(f64) -> f64) -> Result<ArrayRef> {
    let numbers = call.doubles(0)?;
    call.each_double(|row| Ok(numbers.get(row).map(function)))
}

fn test(call: &Call<'_>, function: fn(f64) -> bool) -> Result<ArrayRef> {
    let numbers = call.doubles(0)?;
    call.each_boolean(|row| Ok(numbers.get(row).map(function)))
}

fn two(call: &Call<'_>, function: fn(f64, f64) -> f64) -> Result<ArrayRef> {
    let (left, right) = (call.doubles(0)?, call.doubles(1)?);
    call.each_double(|row| {
        Ok(left
            .get(row)
            .zip(right.get(row))
            .map(|(l, r)| function(l, r)))
    })
}

fn same(call: &Call<'_>, number: f64) -> Result<ArrayRef> {
    call.each_double(|_| Ok(Some(number)))
}

/// A column of integers or of doubles, whichever it is.
enum Numbers {
    Integers(Int64Array),
    Doubles(Float64Array),
}

fn numbers(call: &Call<'_>) -> Result<Numbers> {
    let array = call.array(0)?;
    if array.data_type().is_integer() {
        as_integers(&array).map(Numbers::Integers)
    } else {
        as_doubles(&array).map(Numbers::Doubles)
    }
}

fn number(
    call: &Call<'_>,
    integer: fn(i64) -> Option<i64>,
    double: fn(f64) -> f64,
) -> Result<ArrayRef> {
    match numbers(call)? {
        Numbers::Integers(array) => {
            let values = array
                .iter()
                .map(|number| {
                    number
                        .map(|number| {
                            integer(number)
                                .ok_or_else(|| exec_datafusion_err!("{number} is out of range"))
                        })
                        .transpose()
                })
                .collect::<Result<Vec<_>>>()?;
            Ok(Arc::new(Int64Array::from(values)))
        }
        Numbers::Doubles(array) => Ok(Arc::new(compute::unary::<
            _,
            _,
            datafusion::arrow::datatypes::Float64Type,
        >(&array, double))),
    }
}

/// Half away from zero, as Trino rounds.
fn round(call: &Call<'_>) -> Result<ArrayRef> {
    to_digits(call, f64::round, |number, unit| {
        let half = unit / 2;
        let rest = number % unit;
        let down = number - rest;
        if rest.abs() < half {
            Some(down)
        } else {
            down.checked_add(unit * rest.signum())
        }
    })
}

fn truncate(call: &Call<'_>) -> Result<ArrayRef> {
    to_digits(call, f64::trunc, |number, unit| {
        Some(number - number % unit)
    })
}

/// To a number of digits behind the point, or before it where negative.
fn to_digits(
    call: &Call<'_>,
    double: fn(f64) -> f64,
    integer: fn(i64, i64) -> Option<i64>,
) -> Result<ArrayRef> {
    let digits = (call.len() > 1).then(|| call.integers(1)).transpose()?;
    let digits = |row| match &digits {
        None => Some(0),
        Some(digits) => digits.get(row),
    };
    match numbers(call)? {
        Numbers::Integers(array) => call.each_integer(|row| {
            let (Some(number), Some(digits)) = (value(&array, row), digits(row)) else {
                return Ok(None);
            };
            if digits >= 0 {
                return Ok(Some(number));
            }
            let unit = u32::try_from(-digits)
                .ok()
                .and_then(|digits| 10_i64.checked_pow(digits));
            match unit {
                None => Ok(Some(0)),
                Some(unit) => integer(number, unit)
                    .map(Some)
                    .ok_or_else(|| exec_datafusion_err!("{number} is out of range")),
            }
        }),
        Numbers::Doubles(array) => call.each_double(|row| {
            let (Some(number), Some(digits)) = (value(&array, row), digits(row)) else {
                return Ok(None);
            };
            if digits == 0 || !number.is_finite() {
                return Ok(Some(double(number)));
            }
            let factor = 10_f64.powi(i32::try_from(digits).unwrap_or(i32::MAX));
            let scaled = double(number * factor) / factor;
            // Beyond what a double can scale it has no such digits.
            Ok(Some(if scaled.is_finite() { scaled } else { number }))
        }),
    }
}

fn value<T: datafusion::arrow::datatypes::ArrowPrimitiveType>(
    array: &datafusion::arrow::array::PrimitiveArray<T>,
    row: usize,
) -> Option<T::Native> {
    use datafusion::arrow::array::Array;
    array.is_valid(row).then(|| array.value(row))
}

fn bits(call: &Call<'_>, function: fn(i64, i64) -> Option<i64>) -> Result<ArrayRef> {
    let (left, right) = (call.integers(0)?, call.integers(1)?);
    call.each_integer(|row| match (left.get(row), right.get(row)) {
        (Some(left), Some(right)) => function(left, right)
            .map(Some)
            .ok_or_else(|| exec_datafusion_err!("a shift by {right} bits")),
        _ => Ok(None),
    })
}

fn shift(by: i64) -> Option<u32> {
    u32::try_from(by).ok()
}

/// The ones of a number in so many bits.
fn bit_count(call: &Call<'_>) -> Result<ArrayRef> {
    let (numbers, widths) = (call.integers(0)?, call.integers(1)?);
    call.each_integer(|row| {
        let (Some(number), Some(width)) = (numbers.get(row), widths.get(row)) else {
            return Ok(None);
        };
        if !(2..=64).contains(&width) {
            return exec_err!("bit_count counts in 2 to 64 bits, not {width}");
        }
        let limit = 1_i128 << (width - 1);
        if !(-limit..limit).contains(&i128::from(number)) {
            return exec_err!("{number} does not fit into {width} bits");
        }
        let mask = if width == 64 {
            u64::MAX
        } else {
            (1 << width) - 1
        };
        Ok(Some(i64::from(
            (number.cast_unsigned() & mask).count_ones(),
        )))
    })
}

fn radix(radix: i64) -> Result<u32> {
    u32::try_from(radix)
        .ok()
        .filter(|radix| (2..=36).contains(radix))
        .ok_or_else(|| exec_datafusion_err!("a base is 2 to 36, not {radix}"))
}

fn from_base(call: &Call<'_>) -> Result<ArrayRef> {
    let (texts, bases) = (call.texts(0)?, call.integers(1)?);
    call.each_integer(|row| {
        let (Some(text), Some(base)) = (texts.get(row), bases.get(row)) else {
            return Ok(None);
        };
        i64::from_str_radix(text, radix(base)?)
            .map(Some)
            .map_err(|_| exec_datafusion_err!("{text:?} is no number of base {base}"))
    })
}

fn to_base(call: &Call<'_>) -> Result<ArrayRef> {
    let (numbers, bases) = (call.integers(0)?, call.integers(1)?);
    call.each_text(|row| {
        let (Some(number), Some(base)) = (numbers.get(row), bases.get(row)) else {
            return Ok(None);
        };
        let base = radix(base)?;
        let mut rest = number.unsigned_abs();
        let mut digits = Vec::new();
        loop {
            let digit = u32::try_from(rest % u64::from(base)).unwrap_or(0);
            digits.push(char::from_digit(digit, base).unwrap_or('0'));
            rest /= u64::from(base);
            if rest == 0 {
                break;
            }
        }
        if number < 0 {
            digits.push('-');
        }
        Ok(Some(digits.into_iter().rev().collect::<String>()))
    })
}

fn width_bucket(call: &Call<'_>) -> Result<ArrayRef> {
    let numbers = call.doubles(0)?;
    if call.len() == 2 {
        let lists = call.lists(1)?;
        return call.each_integer(|row| {
            let (Some(number), Some(list)) = (numbers.get(row), lists.get(row)) else {
                return Ok(None);
            };
            let bins = as_doubles(&list)?;
            if number.is_nan() || bins.values().is_empty() {
                return exec_err!("width_bucket takes a number, and one bin at least");
            }
            Ok(Some(number_of(
                bins.values().partition_point(|bin| *bin <= number),
            )))
        });
    }
    let (lows, highs, counts) = (call.doubles(1)?, call.doubles(2)?, call.integers(3)?);
    call.each_integer(|row| {
        let (Some(number), Some(low), Some(high), Some(count)) = (
            numbers.get(row),
            lows.get(row),
            highs.get(row),
            counts.get(row),
        ) else {
            return Ok(None);
        };
        #[expect(clippy::float_cmp, reason = "bounds that are the same have no width")]
        let is_flat = low == high;
        if count <= 0 || is_flat || !low.is_finite() || !high.is_finite() || number.is_nan() {
            return exec_err!("width_bucket takes two different bounds and one bucket at least");
        }
        let (lower, upper) = (low.min(high), low.max(high));
        let bucket = if number < lower {
            0
        } else if number >= upper {
            count + 1
        } else {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_precision_loss,
                reason = "between 0 and the count of buckets"
            )]
            let bucket = (count as f64 * (number - lower) / (upper - lower)) as i64 + 1;
            bucket
        };
        Ok(Some(if low > high {
            count + 1 - bucket
        } else {
            bucket
        }))
    })
}
