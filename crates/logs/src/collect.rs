//! A sink that keeps rows as values: for tests, and wherever a few rows are enough.

use std::ops::ControlFlow;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::scan::Sink;
use crate::schema::REQUESTS;
use crate::value::Value;

/// Keeps rows as [`Value`]s.
#[derive(Debug, Clone, Default)]
pub struct Collected {
    /// The rows that are whole.
    pub rows: Vec<Vec<Value>>,
    /// Breaks off after so many rows; none: never.
    pub limit: Option<usize>,
    row: Vec<Value>,
}

impl Collected {
    /// Keeps so many rows at most.
    pub fn at_most(limit: usize) -> Self {
        Self {
            limit: Some(limit),
            ..Self::default()
        }
    }

    fn set(&mut self, slot: usize, value: Value) {
        if self.row.len() <= slot {
            self.row.resize(slot + 1, Value::Null);
        }
        self.row[slot] = value;
    }
}

/// A row's values with the names of their columns, which are places in [`REQUESTS`].
pub fn named(columns: &[usize], row: Vec<Value>) -> impl Iterator<Item = (&'static str, Value)> {
    let names: Vec<&str> = columns
        .iter()
        .map(|column| REQUESTS.get(*column).map_or("", |column| column.name))
        .collect();
    names.into_iter().zip(row)
}

impl Sink for Collected {
    fn null(&mut self, slot: usize) {
        self.set(slot, Value::Null);
    }

    fn text(&mut self, slot: usize, value: &str) {
        self.set(slot, Value::Text(value.to_owned()));
    }

    fn integer(&mut self, slot: usize, value: i64) {
        self.set(slot, Value::Integer(value));
    }

    fn double(&mut self, slot: usize, value: f64) {
        self.set(slot, Value::Double(value));
    }

    fn boolean(&mut self, slot: usize, value: bool) {
        self.set(slot, Value::Boolean(value));
    }

    fn timestamp(&mut self, slot: usize, milliseconds: i64) {
        let value = Timestamp::from_millisecond(milliseconds).map_or(Value::Null, |timestamp| {
            Value::Timestamp(TimeZone::UTC.to_datetime(timestamp))
        });
        self.set(slot, value);
    }

    fn end_row(&mut self) -> ControlFlow<()> {
        self.rows.push(std::mem::take(&mut self.row));
        match self.limit {
            Some(limit) if self.rows.len() >= limit => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    }
}
