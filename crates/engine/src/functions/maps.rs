//! Functions of maps. <https://trino.io/docs/current/functions/map.html>

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, MapArray, StructArray};
use datafusion::arrow::buffer::{NullBuffer, OffsetBuffer};
use datafusion::arrow::compute;
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::common::{Result, ScalarValue, exec_datafusion_err, exec_err};
use datafusion::logical_expr::ScalarUDF;

use super::arrays::{elements, list_value};
use super::scalar::Takes::{List, Map};
use super::scalar::{Call, Scalar, array_of, as_first, element_of, list_of, map_of};

/// The functions of this file.
pub(super) fn functions() -> Vec<ScalarUDF> {
    vec![
        Scalar::new("map", &[&[], &[List, List]], pair_of_lists, from_lists),
        Scalar::new(
            "map_keys",
            &[&[Map]],
            |given, _| Ok(list_of(types_of(&given[0]).0)),
            |call| parts(call, true),
        ),
        Scalar::new(
            "map_values",
            &[&[Map]],
            |given, _| Ok(list_of(types_of(&given[0]).1)),
            |call| parts(call, false),
        ),
        Scalar::new("map_concat", &[&[Map, Map]], as_first, concat).repeating(),
        Scalar::new("map_entries", &[&[Map]], rows_of_map, entries),
        Scalar::new("map_from_entries", &[&[List]], map_of_rows, from_entries),
    ]
    .into_iter()
    .map(Scalar::into_function)
    .collect()
}

/// The types of keys and values.
pub(super) fn types_of(map: &DataType) -> (DataType, DataType) {
    if let DataType::Map(entries, _) = map
        && let DataType::Struct(fields) = entries.data_type()
        && let [key, value] = fields.as_ref()
    {
        return (key.data_type().clone(), value.data_type().clone());
    }
    (DataType::Null, DataType::Null)
}

/// For [`Scalar::new`]: `map(varchar, varchar)`.
#[expect(clippy::unnecessary_wraps, reason = "the shape of Scalar::new")]
pub(super) fn of_texts(_: &[DataType], _: &[Option<&ScalarValue>]) -> Result<DataType> {
    Ok(map_of(DataType::Utf8View, DataType::Utf8View))
}

/// For [`Scalar::new`]: `map(varchar, array(varchar))`.
#[expect(clippy::unnecessary_wraps, reason = "the shape of Scalar::new")]
pub(super) fn of_text_lists(_: &[DataType], _: &[Option<&ScalarValue>]) -> Result<DataType> {
    Ok(map_of(DataType::Utf8View, list_of(DataType::Utf8View)))
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of Scalar::new")]
fn pair_of_lists(given: &[DataType], _: &[Option<&ScalarValue>]) -> Result<DataType> {
    Ok(match given {
        [keys, values] => map_of(element_of(keys), element_of(values)),
        _ => map_of(DataType::Utf8View, DataType::Utf8View),
    })
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of Scalar::new")]
fn rows_of_map(given: &[DataType], _: &[Option<&ScalarValue>]) -> Result<DataType> {
    let (key, value) = types_of(&given[0]);
    Ok(list_of(DataType::Struct(
        vec![
            Field::new("key", key, true),
            Field::new("value", value, true),
        ]
        .into(),
    )))
}

fn map_of_rows(given: &[DataType], _: &[Option<&ScalarValue>]) -> Result<DataType> {
    match element_of(&given[0]) {
        DataType::Struct(fields) if fields.len() == 2 => Ok(map_of(
            fields[0].data_type().clone(),
            fields[1].data_type().clone(),
        )),
        _ => exec_err!("map_from_entries takes an array of rows of two"),
    }
}

/// A map, entry by entry.
pub(super) type Entries = Vec<(ScalarValue, ScalarValue)>;

/// Maps as a column of a map type.
pub(super) fn map_array(rows: Vec<Option<Entries>>, data_type: &DataType) -> Result<ArrayRef> {
    let DataType::Map(field, sorted) = data_type else {
        return exec_err!("a map was to be made as {data_type}");
    };
    let DataType::Struct(fields) = field.data_type() else {
        return exec_err!("a map was to be made as {data_type}");
    };
    let (key_type, value_type) = types_of(data_type);
    let valid: Vec<bool> = rows.iter().map(Option::is_some).collect();
    let lengths: Vec<usize> = rows
        .iter()
        .map(|row| row.as_ref().map_or(0, Vec::len))
        .collect();
    let (keys, values): (Vec<_>, Vec<_>) = rows.into_iter().flatten().flatten().unzip();
    if keys.iter().any(ScalarValue::is_null) {
        return exec_err!("a key of a map is NULL");
    }
    let entries = StructArray::try_new(
        fields.clone(),
        vec![array_of(keys, &key_type)?, array_of(values, &value_type)?],
        None,
    )?;
    Ok(Arc::new(MapArray::try_new(
        Arc::clone(field),
        OffsetBuffer::from_lengths(lengths),
        entries,
        Some(NullBuffer::from(valid)),
        *sorted,
    )?))
}

fn text(text: &str) -> ScalarValue {
    ScalarValue::Utf8View(Some(text.to_owned()))
}

/// A map of texts for each row.
pub(super) fn each_text_map<'a>(
    rows: usize,
    mut row: impl FnMut(usize) -> Result<Option<Vec<(&'a str, &'a str)>>>,
) -> Result<ArrayRef> {
    let maps = (0..rows)
        .map(|place| {
            Ok(row(place)?.map(|pairs| {
                pairs
                    .into_iter()
                    .map(|(key, value)| (text(key), text(value)))
                    .collect()
            }))
        })
        .collect::<Result<Vec<_>>>()?;
    map_array(maps, &map_of(DataType::Utf8View, DataType::Utf8View))
}

/// A map of lists of texts for each row.
pub(super) fn each_text_multimap<'a>(
    rows: usize,
    mut row: impl FnMut(usize) -> Result<Option<Vec<(&'a str, Vec<&'a str>)>>>,
) -> Result<ArrayRef> {
    let maps = (0..rows)
        .map(|place| {
            row(place)?
                .map(|pairs| {
                    pairs
                        .into_iter()
                        .map(|(key, values)| {
                            let values = values.into_iter().map(text).collect();
                            Ok((
                                text(key),
                                list_value(array_of(values, &DataType::Utf8View)?),
                            ))
                        })
                        .collect::<Result<Entries>>()
                })
                .transpose()
        })
        .collect::<Result<Vec<_>>>()?;
    map_array(
        maps,
        &map_of(DataType::Utf8View, list_of(DataType::Utf8View)),
    )
}

fn from_lists(call: &Call<'_>) -> Result<ArrayRef> {
    if call.len() == 0 {
        return map_array(vec![Some(Vec::new()); call.rows], call.returns);
    }
    let (keys, values) = (call.lists(0)?, call.lists(1)?);
    let maps = (0..call.rows)
        .map(|row| {
            let (Some(keys), Some(values)) = (keys.get(row), values.get(row)) else {
                return Ok(None);
            };
            if keys.len() != values.len() {
                return exec_err!(
                    "map takes as many values as keys: {} and {}",
                    values.len(),
                    keys.len()
                );
            }
            let keys = elements(&keys)?;
            unique(&keys)?;
            Ok(Some(keys.into_iter().zip(elements(&values)?).collect()))
        })
        .collect::<Result<Vec<_>>>()?;
    map_array(maps, call.returns)
}

fn unique(keys: &[ScalarValue]) -> Result<()> {
    let mut seen = std::collections::HashSet::new();
    for key in keys {
        if !seen.insert(key) {
            return exec_err!("the key {key} of a map comes twice");
        }
    }
    Ok(())
}

/// The entries of a row's map; none: NULL.
fn entries_of(map: &MapArray, row: usize) -> Result<Option<Entries>> {
    if map.is_null(row) {
        return Ok(None);
    }
    let entries = map.value(row);
    let keys = elements(entries.column(0))?;
    Ok(Some(
        keys.into_iter().zip(elements(entries.column(1))?).collect(),
    ))
}

fn parts(call: &Call<'_>, keys: bool) -> Result<ArrayRef> {
    let array = call.array(0)?;
    let map = array.as_map();
    call.each_value(|row| {
        if map.is_null(row) {
            return ScalarValue::try_from(call.returns);
        }
        let entries = map.value(row);
        Ok(list_value(Arc::clone(entries.column(usize::from(!keys)))))
    })
}

/// Of a key in several maps, the last one's value.
fn concat(call: &Call<'_>) -> Result<ArrayRef> {
    let maps = (0..call.len())
        .map(|place| call.array(place))
        .collect::<Result<Vec<_>>>()?;
    let rows = (0..call.rows)
        .map(|row| {
            let mut all: Entries = Vec::new();
            for map in &maps {
                let Some(entries) = entries_of(map.as_map(), row)? else {
                    return Ok(None);
                };
                for (key, value) in entries {
                    match all.iter_mut().find(|(other, _)| *other == key) {
                        Some(entry) => entry.1 = value,
                        None => all.push((key, value)),
                    }
                }
            }
            Ok(Some(all))
        })
        .collect::<Result<Vec<_>>>()?;
    map_array(rows, call.returns)
}

fn entries(call: &Call<'_>) -> Result<ArrayRef> {
    let array = call.array(0)?;
    let map = array.as_map();
    let DataType::Struct(fields) = element_of(call.returns) else {
        return exec_err!("map_entries makes rows");
    };
    call.each_value(|row| {
        if map.is_null(row) {
            return ScalarValue::try_from(call.returns);
        }
        let entries = map.value(row);
        let rows = StructArray::try_new(fields.clone(), entries.columns().to_vec(), None)?;
        Ok(list_value(Arc::new(rows)))
    })
}

fn from_entries(call: &Call<'_>) -> Result<ArrayRef> {
    let lists = call.lists(0)?;
    let rows = (0..call.rows)
        .map(|row| {
            let Some(list) = lists.get(row) else {
                return Ok(None);
            };
            let list = list.as_struct();
            let keys = elements(list.column(0))?;
            unique(&keys)?;
            Ok(Some(
                keys.into_iter().zip(elements(list.column(1))?).collect(),
            ))
        })
        .collect::<Result<Vec<_>>>()?;
    map_array(rows, call.returns)
}

/// The value of a key. `strict` is the subscript operator: a key that is not there is an error.
pub(super) fn element(call: &Call<'_>, strict: bool) -> Result<ArrayRef> {
    let array = call.array(0)?;
    let map = array.as_map();
    let key_type = types_of(&call.kind(0)).0;
    let (wanted, constant) = call.column(1)?;
    let wanted = compute::cast(&wanted, &key_type).map_err(|_| {
        exec_datafusion_err!("the keys of the map are {}", super::types::name(&key_type))
    })?;
    call.each_value(|row| {
        let null = || ScalarValue::try_from(call.returns);
        let wanted = ScalarValue::try_from_array(&wanted, if constant { 0 } else { row })?;
        if map.is_null(row) || wanted.is_null() {
            return null();
        }
        let entries = map.value(row);
        let keys = entries.column(0);
        for place in 0..keys.len() {
            if wanted.eq_array(keys, place)? {
                return ScalarValue::try_from_array(entries.column(1), place);
            }
        }
        if strict {
            return exec_err!("the map has no key {wanted}; element_at gives NULL");
        }
        null()
    })
}
