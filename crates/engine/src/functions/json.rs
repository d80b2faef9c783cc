//! Functions of JSON. <https://trino.io/docs/current/functions/json.html>

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, LargeStringArray, MapArray};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, exec_datafusion_err, exec_err};
use datafusion::logical_expr::ScalarUDF;
use serde_json::Value;

use super::scalar::Takes::{Any, Bigint, Json, Text};
use super::scalar::{Call, JSON, Scalar, as_doubles, as_integers, bigint, boolean, is_text, text};
use super::{casts, number_of};

/// The functions of this file.
pub(super) fn functions() -> Vec<ScalarUDF> {
    vec![
        Scalar::new(
            "json_extract_scalar",
            &[&[Json, Text]],
            text,
            extract_scalar,
        ),
        Scalar::new("json_extract", &[&[Json, Text]], json, extract),
        Scalar::new("json_parse", &[&[Text]], json, parse),
        Scalar::new("json_format", &[&[Json]], text, format),
        Scalar::new("json_array_length", &[&[Json]], bigint, array_length),
        Scalar::new("json_array_get", &[&[Json, Bigint]], json, array_get),
        Scalar::new(
            "json_array_contains",
            &[&[Json, Any]],
            boolean,
            array_contains,
        ),
        Scalar::new("json_size", &[&[Json, Text]], bigint, size),
        Scalar::new("is_json_scalar", &[&[Json]], boolean, is_scalar),
        Scalar::new("$json", &[&[Any]], json, from_value),
    ]
    .into_iter()
    .map(Scalar::into_function)
    .collect()
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of Scalar::new")]
fn json(_: &[DataType], _: &[Option<&ScalarValue>]) -> Result<DataType> {
    Ok(JSON)
}

/// Compact, the keys of objects sorted: whichever way serde keeps them.
fn written(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(written).collect();
            format!("[{}]", items.join(","))
        }
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(key, _)| key.as_str());
            let fields: Vec<String> = fields
                .into_iter()
                .map(|(key, value)| format!("{}:{}", Value::from(key.as_str()), written(value)))
                .collect();
            format!("{{{}}}", fields.join(","))
        }
        plain => plain.to_string(),
    }
}

/// A scalar as text; NULL for `null`, and none where it is an array or an object.
#[expect(clippy::option_option, reason = "NULL is not the same as no scalar")]
pub(super) fn scalar(text: &str) -> Option<Option<String>> {
    match serde_json::from_str(text).ok()? {
        Value::Null => Some(None),
        Value::Bool(truth) => Some(Some(truth.to_string())),
        Value::Number(number) => Some(Some(number.to_string())),
        Value::String(text) => Some(Some(text)),
        Value::Array(_) | Value::Object(_) => None,
    }
}

/// A step of a path.
#[derive(Debug, PartialEq)]
enum Step {
    Key(String),
    Place(usize),
}

/// `$.key`, `$["key"]` and `$[0]`, as many as there are.
fn path(text: &str) -> Result<Vec<Step>> {
    let invalid = || exec_datafusion_err!("{text:?} is no JSON path: write $.key[0] or $[\"key\"]");
    let mut rest = text.strip_prefix('$').unwrap_or(text);
    let mut steps = Vec::new();
    if !text.starts_with('$') {
        // Trino takes a path without its root as if it began with "$.".
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        if end == 0 {
            return Err(invalid());
        }
        steps.push(Step::Key(rest[..end].to_owned()));
        rest = &rest[end..];
    }
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            if end == 0 || after.starts_with('*') {
                return Err(invalid());
            }
            steps.push(Step::Key(after[..end].to_owned()));
            rest = &after[end..];
        } else if let Some(after) = rest.strip_prefix('[') {
            let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''));
            if let Some(quote) = quote {
                let (key, after) = after[1..].split_once(quote).ok_or_else(invalid)?;
                steps.push(Step::Key(key.to_owned()));
                rest = after.strip_prefix(']').ok_or_else(invalid)?;
            } else {
                let (place, after) = after.split_once(']').ok_or_else(invalid)?;
                steps.push(match place.parse() {
                    Ok(place) => Step::Place(place),
                    Err(_) if place.contains('*') || place.is_empty() => return Err(invalid()),
                    Err(_) => Step::Key(place.to_owned()),
                });
                rest = after;
            }
        } else {
            return Err(invalid());
        }
    }
    Ok(steps)
}

fn walk(mut value: Value, steps: &[Step]) -> Option<Value> {
    for step in steps {
        value = match (step, value) {
            (Step::Key(key), Value::Object(mut fields)) => fields.remove(key)?,
            (Step::Place(place), Value::Array(mut items)) if *place < items.len() => {
                items.swap_remove(*place)
            }
            (Step::Place(place), Value::Object(mut fields)) => fields.remove(&place.to_string())?,
            _ => return None,
        };
    }
    Some(value)
}

/// What is at a path of each row; none: NULL, no JSON, or nothing there.
struct Found {
    values: super::scalar::Rows<datafusion::arrow::array::StringViewArray>,
    paths: super::scalar::Rows<datafusion::arrow::array::StringViewArray>,
    same: Option<Vec<Step>>,
}

impl Found {
    fn new(call: &Call<'_>) -> Result<Self> {
        let paths = call.texts(1)?;
        let same = paths.same().map(path).transpose()?;
        Ok(Self {
            values: call.jsons(0)?,
            paths,
            same,
        })
    }

    fn get(&self, row: usize) -> Result<Option<Value>> {
        let (Some(value), Some(steps)) = (self.values.get(row), self.paths.get(row)) else {
            return Ok(None);
        };
        let Ok(value) = serde_json::from_str(value) else {
            return Ok(None);
        };
        match &self.same {
            Some(steps) => Ok(walk(value, steps)),
            None => Ok(walk(value, &path(steps)?)),
        }
    }
}

fn extract_scalar(call: &Call<'_>) -> Result<ArrayRef> {
    let found = Found::new(call)?;
    call.each_text(|row| {
        Ok(match found.get(row)? {
            Some(Value::String(text)) => Some(text),
            Some(Value::Bool(truth)) => Some(truth.to_string()),
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => None,
        })
    })
}

fn each_json(
    call: &Call<'_>,
    row: impl FnMut(usize) -> Result<Option<String>>,
) -> Result<ArrayRef> {
    let values = (0..call.rows).map(row).collect::<Result<Vec<_>>>()?;
    Ok(Arc::new(LargeStringArray::from(values)))
}

fn extract(call: &Call<'_>) -> Result<ArrayRef> {
    let found = Found::new(call)?;
    each_json(call, |row| Ok(found.get(row)?.map(|value| written(&value))))
}

fn parse(call: &Call<'_>) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    each_json(call, |row| {
        texts
            .get(row)
            .map(|text| {
                serde_json::from_str(text)
                    .map(|value| written(&value))
                    .map_err(|_| exec_datafusion_err!("json_parse: the text is no JSON"))
            })
            .transpose()
    })
}

fn format(call: &Call<'_>) -> Result<ArrayRef> {
    let values = call.jsons(0)?;
    call.each_text(|row| {
        Ok(values.get(row).map(|text| {
            serde_json::from_str(text).map_or_else(|_| text.to_owned(), |value| written(&value))
        }))
    })
}

fn items(text: Option<&str>) -> Option<Vec<Value>> {
    match serde_json::from_str(text?) {
        Ok(Value::Array(items)) => Some(items),
        _ => None,
    }
}

fn array_length(call: &Call<'_>) -> Result<ArrayRef> {
    let values = call.jsons(0)?;
    call.each_integer(|row| Ok(items(values.get(row)).map(|items| number_of(items.len()))))
}

/// Counts from 0, or from the end where negative.
fn array_get(call: &Call<'_>) -> Result<ArrayRef> {
    let (values, places) = (call.jsons(0)?, call.integers(1)?);
    each_json(call, |row| {
        let (Some(items), Some(place)) = (items(values.get(row)), places.get(row)) else {
            return Ok(None);
        };
        let place = if place < 0 {
            number_of(items.len()) + place
        } else {
            place
        };
        Ok(usize::try_from(place)
            .ok()
            .and_then(|place| items.get(place))
            .map(written))
    })
}

fn array_contains(call: &Call<'_>) -> Result<ArrayRef> {
    let values = call.jsons(0)?;
    let wanted = call.array(1)?;
    call.each_boolean(|row| {
        let Some(items) = items(values.get(row)) else {
            return Ok(None);
        };
        if wanted.is_null(row) {
            return Ok(None);
        }
        let wanted = value_of(&wanted, row)?;
        Ok(Some(items.iter().any(|item| match (item, &wanted) {
            (Value::Number(left), Value::Number(right)) => left.as_f64() == right.as_f64(),
            (left, right) => left == right,
        })))
    })
}

fn size(call: &Call<'_>) -> Result<ArrayRef> {
    let found = Found::new(call)?;
    call.each_integer(|row| {
        Ok(found.get(row)?.map(|value| match value {
            Value::Array(items) => number_of(items.len()),
            Value::Object(fields) => number_of(fields.len()),
            _ => 0,
        }))
    })
}

fn is_scalar(call: &Call<'_>) -> Result<ArrayRef> {
    let values = call.jsons(0)?;
    call.each_boolean(|row| {
        values
            .get(row)
            .map(|text| match serde_json::from_str(text) {
                Ok(Value::Array(_) | Value::Object(_)) => Ok(false),
                Ok(_) => Ok(true),
                Err(_) => exec_err!("is_json_scalar: the text is no JSON"),
            })
            .transpose()
    })
}

/// `CAST(x AS json)`.
fn from_value(call: &Call<'_>) -> Result<ArrayRef> {
    let array = call.array(0)?;
    if *array.data_type() == JSON {
        return Ok(array);
    }
    each_json(call, |row| {
        if array.is_null(row) {
            return Ok(None);
        }
        value_of(&array, row).map(|value| Some(written(&value)))
    })
}

/// A value of any type as JSON.
fn value_of(array: &ArrayRef, row: usize) -> Result<Value> {
    if array.is_null(row) {
        return Ok(Value::Null);
    }
    let one = array.slice(row, 1);
    Ok(match array.data_type() {
        DataType::Boolean => Value::Bool(one.as_boolean().value(0)),
        kind if kind.is_integer() => Value::from(as_integers(&one)?.value(0)),
        kind if kind.is_numeric() => Value::from(as_doubles(&one)?.value(0)),
        DataType::List(_) => {
            let list = one.as_list::<i32>().value(0);
            Value::Array(
                (0..list.len())
                    .map(|place| value_of(&list, place))
                    .collect::<Result<_>>()?,
            )
        }
        DataType::Map(..) => {
            let map: &MapArray = one.as_map();
            let entries = map.value(0);
            let keys = casts::to_text(entries.column(0))?;
            let mut fields = serde_json::Map::new();
            for place in 0..entries.len() {
                fields.insert(
                    keys.value(place).to_owned(),
                    value_of(entries.column(1), place)?,
                );
            }
            Value::Object(fields)
        }
        DataType::Struct(fields) => {
            let row = one.as_struct();
            let mut object = serde_json::Map::new();
            for (field, column) in fields.iter().zip(row.columns()) {
                object.insert(field.name().clone(), value_of(column, 0)?);
            }
            Value::Object(object)
        }
        kind if *kind == JSON => serde_json::from_str(one.as_string::<i64>().value(0))
            .map_err(|_| exec_datafusion_err!("json that cannot be read"))?,
        kind if is_text(kind) => Value::from(casts::to_text(&one)?.value(0)),
        _ => Value::from(casts::to_text(&one)?.value(0)),
    })
}
