//! A query's result as the report reads it: by the columns' names, so that a column that a query
//! lacks is simply not known.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use onair_logs::value::{ResultColumn, Value};

use crate::render::Sheet;

/// The rows of one query, or of a section of the report. Cells may hold viewers' text.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Table {
    /// The query's name: also the name of its CSV file.
    pub(crate) name: String,
    /// One line on what it shows.
    pub(crate) purpose: String,
    /// What to know beside, such as columns that the logs lack.
    pub(crate) notes: Vec<String>,
    /// Why it says nothing: what it is about is not in these logs.
    pub(crate) unknown: Option<String>,
    pub(crate) columns: Vec<ResultColumn>,
    pub(crate) rows: Vec<Vec<Value>>,
}

/// One row of a table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row<'a> {
    table: &'a Table,
    cells: &'a [Value],
}

impl Table {
    /// All rows.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|cells| Row { table: self, cells })
    }

    /// The same as text, for CSV, Markdown and HTML, each of which escapes it in its own way.
    pub(crate) fn sheet(&self) -> Sheet {
        Sheet {
            columns: self
                .columns
                .iter()
                .map(|column| column.name.clone())
                .collect(),
            rows: self
                .rows
                .iter()
                .map(|cells| cells.iter().map(cell).collect())
                .collect(),
        }
    }
}

impl Row<'_> {
    fn value(&self, column: &str) -> Option<&Value> {
        let place = self
            .table
            .columns
            .iter()
            .position(|known| known.name == column)?;
        self.cells.get(place)
    }

    /// A number of any kind.
    pub(crate) fn number(&self, column: &str) -> Option<f64> {
        match self.value(column)? {
            #[expect(
                clippy::cast_precision_loss,
                reason = "counts and bytes of an event are fewer than 2^53"
            )]
            Value::Integer(number) => Some(*number as f64),
            Value::Double(number) => Some(*number).filter(|number| number.is_finite()),
            _ => None,
        }
    }

    /// True or false.
    pub(crate) fn boolean(&self, column: &str) -> Option<bool> {
        match self.value(column)? {
            Value::Boolean(yes) => Some(*yes),
            _ => None,
        }
    }

    /// Text as it came: escape it for where it goes.
    pub(crate) fn text(&self, column: &str) -> Option<String> {
        match self.value(column)? {
            Value::Null => None,
            Value::Text(text) => Some(text.clone()),
            other => Some(cell(other)),
        }
    }

    /// A point in time; the logs' are UTC.
    pub(crate) fn at(&self, column: &str) -> Option<Timestamp> {
        match self.value(column)? {
            Value::Timestamp(at) => at
                .to_zoned(TimeZone::UTC)
                .ok()
                .map(|zoned| zoned.timestamp()),
            _ => None,
        }
    }
}

/// A value as plain text; NULL is empty. Times are the logs', UTC, and say so.
pub(crate) fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Boolean(yes) => yes.to_string(),
        Value::Integer(number) => number.to_string(),
        Value::Double(number) => number.to_string(),
        Value::Text(text) => text.clone(),
        Value::Timestamp(at) => at.strftime("%Y-%m-%d %H:%M:%S%.fZ").to_string(),
        Value::Date(date) => date.to_string(),
        Value::List(values) => {
            let cells: Vec<String> = values.iter().map(cell).collect();
            cells.join(" ")
        }
        Value::Map(pairs) => {
            let cells: Vec<String> = pairs
                .iter()
                .map(|(key, value)| format!("{}={}", cell(key), cell(value)))
                .collect();
            cells.join(" ")
        }
    }
}

/// A value for JSON: numbers stay numbers, times are written as in the logs, with Z.
pub(crate) fn json(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Boolean(yes) => (*yes).into(),
        Value::Integer(number) => (*number).into(),
        Value::Double(number) => (*number).into(),
        Value::List(values) => values.iter().map(json).collect(),
        Value::Map(pairs) => pairs
            .iter()
            .map(|(key, value)| (cell(key), json(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        other => cell(other).into(),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A table typed in a test: names, then rows.
    pub(crate) fn table(name: &str, columns: &[&str], rows: Vec<Vec<Value>>) -> Table {
        Table {
            name: name.to_owned(),
            purpose: format!("{name}, for a test"),
            notes: Vec::new(),
            unknown: None,
            columns: columns
                .iter()
                .map(|column| ResultColumn {
                    name: (*column).to_owned(),
                    kind: "varchar".to_owned(),
                })
                .collect(),
            rows,
        }
    }

    #[test]
    fn what_a_query_lacks_is_not_known() {
        let table = table(
            "countries",
            &["country", "requests"],
            vec![
                vec![Value::Text("AT".to_owned()), Value::Integer(7)],
                vec![Value::Null, Value::Double(2.5)],
            ],
        );
        let rows: Vec<Row<'_>> = table.rows().collect();
        assert_eq!(rows[0].text("country").as_deref(), Some("AT"));
        assert_eq!(rows[1].text("country"), None);
        assert_eq!(rows[1].number("requests"), Some(2.5));
        assert_eq!(rows[0].number("gigabytes"), None);
    }

    #[test]
    fn times_of_the_logs_say_that_they_are_utc() {
        let at = |text: &str| cell(&Value::Timestamp(text.parse().unwrap()));
        assert_eq!(at("2026-06-14T17:48:00.189"), "2026-06-14 17:48:00.189Z");
        assert_eq!(at("2026-06-14T17:48:00"), "2026-06-14 17:48:00Z");
    }

    #[test]
    fn hostile_cells_are_harmless_as_csv() {
        let table = table(
            "devices",
            &["agent"],
            vec![
                vec![Value::Text("=HYPERLINK(\"http://x\")".to_owned())],
                vec![Value::Text("\t=1+1".to_owned())],
                vec![Value::Text("\r@x".to_owned())],
            ],
        );
        let csv = table.sheet().csv();
        let lines: Vec<&str> = csv.lines().skip(1).collect();
        assert_eq!(lines[0], "\"'=HYPERLINK(\"\"http://x\"\")\"");
        assert_eq!(lines[1], "'\\t=1+1");
        assert_eq!(lines[2], "'\\r@x");
    }
}
