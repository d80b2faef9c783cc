//! A query's result from Athena's pages: the row of names taken off, cells by their column's type.

use jiff::civil::{Date, DateTime};
use onair_logs::value::{ResultColumn, Value};

use crate::cloud::QueryPage;

/// What was read so far.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Table {
    pub(super) columns: Vec<ResultColumn>,
    pub(super) rows: Vec<Vec<Value>>,
    begun: bool,
}

impl Table {
    /// Adds the next page. The first row of the first is dropped when it is the columns' names, as it
    /// is for a SELECT; that is long-standing and documented nowhere.
    pub(super) fn add(&mut self, page: QueryPage) {
        let first = !std::mem::replace(&mut self.begun, true);
        if first {
            self.columns = page
                .columns
                .iter()
                .map(|(name, kind)| ResultColumn {
                    name: name.clone(),
                    kind: trinos(kind),
                })
                .collect();
        }
        let is_head = |row: &[Option<String>]| {
            row.len() == page.columns.len()
                && row
                    .iter()
                    .zip(&page.columns)
                    .all(|(cell, (name, _))| cell.as_deref() == Some(name))
        };
        let skipped = usize::from(first && page.rows.first().is_some_and(|row| is_head(row)));
        let width = self.columns.len();
        for row in page.rows.into_iter().skip(skipped) {
            let mut values: Vec<Value> = row
                .into_iter()
                .zip(&self.columns)
                .map(|(cell, column)| value(cell, &column.kind))
                .collect();
            // Cells at the end may be left out.
            values.resize(width, Value::Null);
            self.rows.push(values);
        }
    }
}

/// Trino's name of a type; Athena says `timestamp` where Trino says `timestamp(3)`.
fn trinos(kind: &str) -> String {
    match kind {
        "timestamp" => "timestamp(3)".to_owned(),
        "float" => "real".to_owned(),
        other => other.to_owned(),
    }
}

/// A cell. One that does not read as its type stays a text, which nobody has to guess.
fn value(cell: Option<String>, kind: &str) -> Value {
    let Some(text) = cell else {
        return Value::Null;
    };
    let read = match kind.split('(').next().unwrap_or_default() {
        "boolean" => text.parse().ok().map(Value::Boolean),
        "tinyint" | "smallint" | "integer" | "int" | "bigint" => {
            text.parse().ok().map(Value::Integer)
        }
        "real" | "double" | "decimal" => double(&text).map(Value::Double),
        "date" => text.parse::<Date>().ok().map(Value::Date),
        "timestamp" => text.parse::<DateTime>().ok().map(Value::Timestamp),
        _ => None,
    };
    read.unwrap_or(Value::Text(text))
}

/// Java's words for what is no number are Rust's, too.
fn double(text: &str) -> Option<f64> {
    text.parse().ok()
}
