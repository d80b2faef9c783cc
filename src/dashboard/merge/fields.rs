//! What differs between two widgets, member by member.

use serde::Serialize;
use serde_json::Value;

use crate::event::text::{printable, shortened};

/// Members of one widget that are listed.
const MOST_FIELDS: usize = 12;
/// Characters of a value.
const VALUE_LIMIT: usize = 80;

/// One member that differs. A side that lacks it is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Field {
    /// Such as `properties/title`.
    pub(crate) path: String,
    /// JSON, shortened.
    pub(crate) stored: Option<String>,
    pub(crate) wanted: Option<String>,
}

/// The members in which two widgets differ, the first dozen.
pub(super) fn differences(stored: &Value, wanted: &Value) -> Vec<Field> {
    let mut fields = Vec::new();
    walk("", Some(stored), Some(wanted), &mut fields);
    fields.truncate(MOST_FIELDS);
    fields
}

fn walk(path: &str, stored: Option<&Value>, wanted: Option<&Value>, fields: &mut Vec<Field>) {
    let below = |name: &str| {
        if path.is_empty() {
            name.to_owned()
        } else {
            format!("{path}/{name}")
        }
    };
    match (stored, wanted) {
        (Some(one), Some(other)) if one == other => {}
        (Some(Value::Object(one)), Some(Value::Object(other))) => {
            for (name, value) in one {
                walk(&below(name), Some(value), other.get(name), fields);
            }
            for (name, value) in other.iter().filter(|(name, _)| !one.contains_key(*name)) {
                walk(&below(name), None, Some(value), fields);
            }
        }
        (Some(Value::Array(one)), Some(Value::Array(other))) if one.len() == other.len() => {
            for (index, (one, other)) in one.iter().zip(other).enumerate() {
                walk(&below(&index.to_string()), Some(one), Some(other), fields);
            }
        }
        _ => fields.push(Field {
            path: printable(path).into_owned(),
            stored: stored.map(shown),
            wanted: wanted.map(shown),
        }),
    }
}

fn shown(value: &Value) -> String {
    shortened(&printable(&value.to_string()), VALUE_LIMIT)
}
