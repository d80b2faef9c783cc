//! `org.openx.data.jsonserde.JsonSerDe`: an object a line, columns by key.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::provider::Row;

/// Reads rows of JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OpenX {
    /// Keys are folded to lower case before they are looked for.
    folds: bool,
    /// A line that is no object is a row of NULLs instead of an error.
    ignores_malformed: bool,
    /// The key of each column that is not named as its key.
    mapping: BTreeMap<String, String>,
}

impl OpenX {
    pub(super) fn new(settings: &BTreeMap<String, String>) -> Self {
        let is = |name: &str, default: bool| {
            settings
                .get(name)
                .map_or(default, |value| value.eq_ignore_ascii_case("true"))
        };
        Self {
            folds: is("case.insensitive", true),
            ignores_malformed: is("ignore.malformed.json", false),
            mapping: settings
                .iter()
                .filter_map(|(key, value)| {
                    Some((key.strip_prefix("mapping.")?.to_owned(), value.clone()))
                })
                .collect(),
        }
    }

    /// The key that a column is read from.
    pub(super) fn key<'a>(&'a self, column: &'a str) -> &'a str {
        self.mapping.get(column).map_or(column, String::as_str)
    }

    /// Hands over the values of `keys`.
    pub(super) fn read(
        &self,
        line: &[u8],
        keys: &[String],
        row: &mut Row<'_>,
    ) -> Result<(), String> {
        let members: Map<String, Value> = match serde_json::from_slice(line) {
            Ok(members) => members,
            Err(_) if self.ignores_malformed => Map::new(),
            Err(error) => return Err(format!("a row is not a valid JSON object: {error}")),
        };
        let folded: BTreeMap<String, &Value> = members
            .iter()
            .map(|(key, value)| {
                let key = if self.folds {
                    key.to_lowercase()
                } else {
                    key.clone()
                };
                (key, value)
            })
            .collect();
        for (slot, key) in keys.iter().enumerate() {
            match folded.get(key) {
                None | Some(Value::Null) => row.push(slot, None),
                Some(Value::String(text)) => row.push(slot, Some(text)),
                Some(other) => row.push(slot, Some(&other.to_string())),
            }
        }
        Ok(())
    }
}
