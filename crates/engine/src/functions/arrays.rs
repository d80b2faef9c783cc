//! Functions of arrays, places and membership. <https://trino.io/docs/current/functions/array.html>

use std::cmp::Ordering;
use std::collections::HashSet;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, ListArray, MapArray, UInt64Array};
use datafusion::arrow::compute;
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::common::utils::SingleRowListArrayBuilder;
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::ScalarUDF;

use super::scalar::Takes::{Address, Any, Bigint, List, Map, Text, Time};
use super::scalar::{Call, Scalar, array_of, as_first, bigint, boolean, element_of, list_of, text};
use super::{addresses, casts, number_of};

/// The functions of this file.
pub(super) fn functions() -> Vec<ScalarUDF> {
    vec![
        Scalar::new("cardinality", &[&[List], &[Map]], bigint, cardinality),
        Scalar::new(
            "element_at",
            &[&[List, Bigint], &[Map, Any]],
            item,
            |call| element(call, false),
        ),
        Scalar::new(
            "$subscript",
            &[&[List, Bigint], &[Map, Any]],
            item,
            |call| element(call, true),
        ),
        Scalar::new(
            "contains",
            &[&[List, Any], &[Text, Address]],
            boolean,
            contains,
        ),
        Scalar::new("array_position", &[&[List, Any]], bigint, array_position),
        Scalar::new("array_distinct", &[&[List]], as_first, |call| {
            change(call, |list, _| distinct(list))
        }),
        Scalar::new("array_sort", &[&[List]], as_first, |call| {
            change(call, |mut list, _| {
                list.sort_by(nulls_last);
                list
            })
        }),
        Scalar::new("array_union", &[&[List, List]], as_first, |call| {
            change(call, |mut list, other| {
                list.extend(other);
                distinct(list)
            })
        }),
        Scalar::new("array_intersect", &[&[List, List]], as_first, |call| {
            change(call, |list, other| {
                let other: HashSet<_> = other.into_iter().collect();
                distinct(list)
                    .into_iter()
                    .filter(|value| other.contains(value))
                    .collect()
            })
        }),
        Scalar::new("array_except", &[&[List, List]], as_first, |call| {
            change(call, |list, other| {
                let other: HashSet<_> = other.into_iter().collect();
                distinct(list)
                    .into_iter()
                    .filter(|value| !other.contains(value))
                    .collect()
            })
        }),
        Scalar::new("array_remove", &[&[List, Any]], as_first, array_remove),
        Scalar::new("arrays_overlap", &[&[List, List]], boolean, overlap),
        Scalar::new("array_max", &[&[List]], item, |call| {
            extreme(call, Ordering::Greater)
        }),
        Scalar::new("array_min", &[&[List]], item, |call| {
            extreme(call, Ordering::Less)
        }),
        Scalar::new("array_first", &[&[List]], item, |call| end(call, true)),
        Scalar::new("array_last", &[&[List]], item, |call| end(call, false)),
        Scalar::new(
            "array_join",
            &[&[List, Text], &[List, Text, Text]],
            text,
            join,
        ),
        Scalar::new("slice", &[&[List, Bigint, Bigint]], as_first, slice),
        Scalar::new("trim_array", &[&[List, Bigint]], as_first, trim),
        Scalar::new("flatten", &[&[List]], item, flatten),
        Scalar::new("repeat", &[&[Any, Bigint]], repeated, repeat),
        Scalar::new("$unless_empty", &[&[List]], as_first, |call| {
            let lists = call.lists(0)?;
            call.each_value(|row| match lists.get(row) {
                Some(list) if !list.is_empty() => Ok(list_value(list)),
                _ => ScalarValue::try_from(call.returns),
            })
        }),
        Scalar::new(
            "$places",
            &[&[List]],
            |_, _| Ok(list_of(DataType::Int64)),
            places,
        ),
        Scalar::new(
            "sequence",
            &[
                &[Bigint, Bigint],
                &[Bigint, Bigint, Bigint],
                &[Time, Time],
                &[Time, Time, Any],
            ],
            repeated,
            sequence,
        ),
    ]
    .into_iter()
    .map(Scalar::into_function)
    .collect()
}

/// One list as a value.
pub(super) fn list_value(values: ArrayRef) -> ScalarValue {
    SingleRowListArrayBuilder::new(values).build_list_scalar()
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of Scalar::new")]
fn item(given: &[DataType], _: &[Option<&ScalarValue>]) -> Result<DataType> {
    Ok(match given.first() {
        Some(DataType::Map(..)) => super::maps::types_of(&given[0]).1,
        Some(list) => element_of(list),
        None => DataType::Null,
    })
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of Scalar::new")]
fn repeated(given: &[DataType], _: &[Option<&ScalarValue>]) -> Result<DataType> {
    Ok(list_of(given.first().cloned().unwrap_or(DataType::Null)))
}

/// The elements of a list, one by one.
pub(super) fn elements(list: &ArrayRef) -> Result<Vec<ScalarValue>> {
    (0..list.len())
        .map(|place| ScalarValue::try_from_array(list, place))
        .collect()
}

fn nulls_last(left: &ScalarValue, right: &ScalarValue) -> Ordering {
    match (left.is_null(), right.is_null()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) => left.partial_cmp(right).unwrap_or(Ordering::Equal),
    }
}

fn distinct(list: Vec<ScalarValue>) -> Vec<ScalarValue> {
    let mut seen = HashSet::new();
    list.into_iter()
        .filter(|value| seen.insert(value.clone()))
        .collect()
}

/// A list from one or two lists; NULL where one of them is.
fn change(
    call: &Call<'_>,
    change: fn(Vec<ScalarValue>, Vec<ScalarValue>) -> Vec<ScalarValue>,
) -> Result<ArrayRef> {
    let kind = element_of(call.returns);
    let lists = call.lists(0)?;
    let others = (call.len() > 1).then(|| call.lists(1)).transpose()?;
    call.each_value(|row| {
        let other = match &others {
            None => Some(None),
            Some(others) => others.get(row).map(Some),
        };
        let (Some(list), Some(other)) = (lists.get(row), other) else {
            return ScalarValue::try_from(call.returns);
        };
        let other = match other {
            None => Vec::new(),
            Some(other) => elements(&compute::cast(&other, &kind)?)?,
        };
        let values = change(elements(&list)?, other);
        Ok(list_value(array_of(values, &kind)?))
    })
}

fn cardinality(call: &Call<'_>) -> Result<ArrayRef> {
    let array = call.array(0)?;
    if let Some(map) = array.as_any().downcast_ref::<MapArray>() {
        return call
            .each_integer(|row| Ok(map.is_valid(row).then(|| i64::from(map.value_length(row)))));
    }
    let list = array.as_list::<i32>();
    call.each_integer(|row| {
        Ok(list
            .is_valid(row)
            .then(|| i64::from(list.value_length(row))))
    })
}

/// `strict` is the subscript operator: what is not there is an error, else NULL.
fn element(call: &Call<'_>, strict: bool) -> Result<ArrayRef> {
    if matches!(call.kind(0), DataType::Map(..)) {
        return super::maps::element(call, strict);
    }
    let array = call.array(0)?;
    let list: &ListArray = array.as_list();
    let places = call.integers(1)?;
    let mut indices = Vec::with_capacity(call.rows);
    for row in 0..call.rows {
        let (Some(place), true) = (places.get(row), list.is_valid(row)) else {
            indices.push(None);
            continue;
        };
        let length = i64::from(list.value_length(row));
        if place == 0 {
            return exec_err!("arrays count from 1: there is no element 0");
        }
        let from_start = if place < 0 { length + place } else { place - 1 };
        if strict && (place < 0 || place > length) {
            return exec_err!(
                "the array has {length} elements, not element {place}; element_at gives NULL"
            );
        }
        let start = i64::from(list.value_offsets()[row]);
        indices.push(
            (0..length)
                .contains(&from_start)
                .then(|| u64::try_from(start + from_start).unwrap_or(0)),
        );
    }
    Ok(compute::take(
        list.values(),
        &UInt64Array::from(indices),
        None,
    )?)
}

/// Of a list, or of an address in a network. A NULL in the list leaves the answer open.
fn contains(call: &Call<'_>) -> Result<ArrayRef> {
    if !matches!(call.kind(0), DataType::List(_)) {
        return addresses::contains(call);
    }
    let lists = call.lists(0)?;
    let kind = element_of(&call.kind(0));
    let (wanted, constant) = call.column(1)?;
    let wanted = compute::cast(&wanted, &kind)?;
    call.each_boolean(|row| {
        let wanted = ScalarValue::try_from_array(&wanted, if constant { 0 } else { row })?;
        let Some(list) = lists.get(row).filter(|_| !wanted.is_null()) else {
            return Ok(None);
        };
        let list = elements(&list)?;
        Ok(if list.contains(&wanted) {
            Some(true)
        } else if list.iter().any(ScalarValue::is_null) {
            None
        } else {
            Some(false)
        })
    })
}

fn array_position(call: &Call<'_>) -> Result<ArrayRef> {
    let lists = call.lists(0)?;
    let wanted = compute::cast(&call.array(1)?, &element_of(&call.kind(0)))?;
    call.each_integer(|row| {
        let wanted = ScalarValue::try_from_array(&wanted, row)?;
        let Some(list) = lists.get(row).filter(|_| !wanted.is_null()) else {
            return Ok(None);
        };
        Ok(Some(
            elements(&list)?
                .iter()
                .position(|value| *value == wanted)
                .map_or(0, |place| number_of(place + 1)),
        ))
    })
}

fn array_remove(call: &Call<'_>) -> Result<ArrayRef> {
    let kind = element_of(call.returns);
    let lists = call.lists(0)?;
    let wanted = compute::cast(&call.array(1)?, &kind)?;
    call.each_value(|row| {
        let wanted = ScalarValue::try_from_array(&wanted, row)?;
        let Some(list) = lists.get(row).filter(|_| !wanted.is_null()) else {
            return ScalarValue::try_from(call.returns);
        };
        let mut values = elements(&list)?;
        values.retain(|value| *value != wanted);
        Ok(list_value(array_of(values, &kind)?))
    })
}

/// NULL where nothing is shared but a list holds a NULL.
fn overlap(call: &Call<'_>) -> Result<ArrayRef> {
    let (left, right) = (call.lists(0)?, call.lists(1)?);
    let kind = element_of(&call.kind(0));
    call.each_boolean(|row| {
        let (Some(left), Some(right)) = (left.get(row), right.get(row)) else {
            return Ok(None);
        };
        let left = elements(&left)?;
        let right = elements(&compute::cast(&right, &kind)?)?;
        let shared = left
            .iter()
            .any(|value| !value.is_null() && right.contains(value));
        let open = left.iter().chain(&right).any(ScalarValue::is_null)
            && !left.is_empty()
            && !right.is_empty();
        Ok(if shared {
            Some(true)
        } else if open {
            None
        } else {
            Some(false)
        })
    })
}

/// NULL where any element is, and of an empty list.
fn extreme(call: &Call<'_>, wanted: Ordering) -> Result<ArrayRef> {
    let lists = call.lists(0)?;
    call.each_value(|row| {
        let null = || ScalarValue::try_from(call.returns);
        let Some(list) = lists.get(row) else {
            return null();
        };
        let mut best: Option<ScalarValue> = None;
        for value in elements(&list)? {
            if value.is_null() {
                return null();
            }
            if best
                .as_ref()
                .is_none_or(|best| value.partial_cmp(best) == Some(wanted))
            {
                best = Some(value);
            }
        }
        best.map_or_else(null, Ok)
    })
}

fn end(call: &Call<'_>, first: bool) -> Result<ArrayRef> {
    let lists = call.lists(0)?;
    call.each_value(|row| match lists.get(row).filter(|list| !list.is_empty()) {
        None => ScalarValue::try_from(call.returns),
        Some(list) => ScalarValue::try_from_array(&list, if first { 0 } else { list.len() - 1 }),
    })
}

/// What is NULL is left out, or replaced.
fn join(call: &Call<'_>) -> Result<ArrayRef> {
    let (lists, by) = (call.lists(0)?, call.texts(1)?);
    let instead = (call.len() > 2).then(|| call.texts(2)).transpose()?;
    call.each_text(|row| {
        let (Some(list), Some(by)) = (lists.get(row), by.get(row)) else {
            return Ok(None);
        };
        let list = casts::to_text(&list)?;
        let instead = instead.as_ref().and_then(|instead| instead.get(row));
        let parts: Vec<&str> = list.iter().filter_map(|part| part.or(instead)).collect();
        Ok(Some(parts.join(by)))
    })
}

fn slice(call: &Call<'_>) -> Result<ArrayRef> {
    let (lists, starts, lengths) = (call.lists(0)?, call.integers(1)?, call.integers(2)?);
    call.each_value(|row| {
        let (Some(list), Some(start), Some(length)) =
            (lists.get(row), starts.get(row), lengths.get(row))
        else {
            return ScalarValue::try_from(call.returns);
        };
        if start == 0 || length < 0 {
            return exec_err!("slice counts from 1 (or -1), and takes a length of 0 or more");
        }
        let count = number_of(list.len());
        let from = if start > 0 { start - 1 } else { count + start };
        if !(0..count).contains(&from) {
            return Ok(list_value(list.slice(0, 0)));
        }
        let length = length.min(count - from);
        let place = |number: i64| usize::try_from(number).unwrap_or(0);
        Ok(list_value(list.slice(place(from), place(length))))
    })
}

fn trim(call: &Call<'_>) -> Result<ArrayRef> {
    let (lists, counts) = (call.lists(0)?, call.integers(1)?);
    call.each_value(|row| {
        let (Some(list), Some(count)) = (lists.get(row), counts.get(row)) else {
            return ScalarValue::try_from(call.returns);
        };
        let left = usize::try_from(count)
            .ok()
            .and_then(|count| list.len().checked_sub(count));
        if let Some(left) = left {
            Ok(list_value(list.slice(0, left)))
        } else {
            exec_err!("trim_array cannot take {count} of {} elements", list.len())
        }
    })
}

fn flatten(call: &Call<'_>) -> Result<ArrayRef> {
    let lists = call.lists(0)?;
    if !matches!(element_of(&call.kind(0)), DataType::List(_)) {
        return exec_err!("flatten takes an array of arrays");
    }
    let kind = element_of(call.returns);
    call.each_value(|row| {
        let Some(list) = lists.get(row) else {
            return ScalarValue::try_from(call.returns);
        };
        let inner = list.as_list::<i32>();
        let mut values = Vec::new();
        for place in (0..inner.len()).filter(|place| inner.is_valid(*place)) {
            values.extend(elements(&inner.value(place))?);
        }
        Ok(list_value(array_of(values, &kind)?))
    })
}

/// The most elements that a function makes, as in Trino.
pub(super) const MADE: i64 = 10_000;

fn repeat(call: &Call<'_>) -> Result<ArrayRef> {
    let counts = call.integers(1)?;
    let values = call.array(0)?;
    let kind = element_of(call.returns);
    call.each_value(|row| {
        let Some(count) = counts.get(row) else {
            return ScalarValue::try_from(call.returns);
        };
        if count > MADE {
            return exec_err!("repeat makes {MADE} elements at most");
        }
        let value = ScalarValue::try_from_array(&values, row)?;
        let count = usize::try_from(count).unwrap_or(0);
        Ok(list_value(array_of(vec![value; count], &kind)?))
    })
}

fn sequence(call: &Call<'_>) -> Result<ArrayRef> {
    if call.kind(0) != DataType::Int64 {
        return super::times::sequence(call);
    }
    let (starts, ends) = (call.integers(0)?, call.integers(1)?);
    let steps = (call.len() > 2).then(|| call.integers(2)).transpose()?;
    call.each_value(|row| {
        let (Some(start), Some(end)) = (starts.get(row), ends.get(row)) else {
            return ScalarValue::try_from(call.returns);
        };
        let step = match &steps {
            None => Some(if start <= end { 1 } else { -1 }),
            Some(steps) => steps.get(row),
        };
        let Some(step) = step else {
            return ScalarValue::try_from(call.returns);
        };
        let values = stepped(start, end, step)?;
        Ok(list_value(Arc::new(
            datafusion::arrow::array::PrimitiveArray::<Int64Type>::from(values),
        )))
    })
}

/// The places of a list's elements, from 1.
fn places(call: &Call<'_>) -> Result<ArrayRef> {
    let lists = call.lists(0)?;
    call.each_value(|row| match lists.get(row) {
        None => ScalarValue::try_from(call.returns),
        Some(list) => Ok(list_value(Arc::new(
            datafusion::arrow::array::PrimitiveArray::<Int64Type>::from_iter_values(
                1..=number_of(list.len()),
            ),
        ))),
    })
}

/// From a number until another, both in it.
fn stepped(start: i64, end: i64, step: i64) -> Result<Vec<i64>> {
    if step == 0 || (end > start && step < 0) || (end < start && step > 0) {
        return exec_err!("a sequence from {start} to {end} does not get there by {step}");
    }
    let count = (i128::from(end) - i128::from(start)) / i128::from(step) + 1;
    if count > i128::from(MADE) {
        return exec_err!("sequence makes {MADE} elements at most, not {count}");
    }
    Ok((0..i64::try_from(count).unwrap_or(0))
        .map(|place| start + place * step)
        .collect())
}

/// The elements from the last to the first.
pub(super) fn reverse(call: &Call<'_>) -> Result<ArrayRef> {
    change(call, |mut list, _| {
        list.reverse();
        list
    })
}

/// All elements of all lists; NULL where a list is.
pub(super) fn concat(call: &Call<'_>) -> Result<ArrayRef> {
    let kind = element_of(call.returns);
    let lists = (0..call.len())
        .map(|place| call.lists(place))
        .collect::<Result<Vec<_>>>()?;
    call.each_value(|row| {
        let Some(parts) = lists
            .iter()
            .map(|list| list.get(row))
            .collect::<Option<Vec<_>>>()
        else {
            return ScalarValue::try_from(call.returns);
        };
        let mut values = Vec::new();
        for part in parts {
            values.extend(elements(&compute::cast(&part, &kind)?)?);
        }
        Ok(list_value(array_of(values, &kind)?))
    })
}
