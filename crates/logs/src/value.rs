//! The values of tables, as results of queries have them.

use jiff::civil::{Date, DateTime};

/// One value of a result.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// NULL.
    Null,
    /// `boolean`.
    Boolean(bool),
    /// Any integer type.
    Integer(i64),
    /// `double`, `real` or a decimal.
    Double(f64),
    /// `varchar`. It may come from viewers: hostile until escaped for where it goes.
    Text(String),
    /// `timestamp`, UTC.
    Timestamp(DateTime),
    /// `date`.
    Date(Date),
    /// `array`.
    List(Vec<Value>),
    /// `map`, in the order that it came in; a `row` with its fields' names.
    Map(Vec<(Value, Value)>),
}

/// A column of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultColumn {
    /// As the query names it.
    pub name: String,
    /// Trino's type, such as `bigint` or `array(varchar)`.
    pub kind: String,
}
