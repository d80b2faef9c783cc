//! Columns as they grow, from texts: what does not read as the column's type is NULL.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BooleanBuilder, Float32Builder, Float64Builder, Int8Builder, Int16Builder,
    Int32Builder, Int64Builder, StringViewBuilder,
};
use datafusion::arrow::datatypes::DataType;

use super::Trouble;

/// The engine's type for one of Hive's.
pub(super) fn data_type(column: &str, kind: &str) -> Result<DataType, Trouble> {
    let kind = kind.trim().to_ascii_lowercase();
    let name = kind.split('(').next().unwrap_or_default();
    Ok(match name {
        "string" | "varchar" | "char" => DataType::Utf8View,
        "tinyint" => DataType::Int8,
        "smallint" => DataType::Int16,
        "int" | "integer" => DataType::Int32,
        "bigint" => DataType::Int64,
        "float" => DataType::Float32,
        "double" => DataType::Float64,
        "boolean" => DataType::Boolean,
        _ => {
            return Err(Trouble::Table(format!(
                "column {column}: the type {kind} is not known here"
            )));
        }
    })
}

/// One column of a batch.
#[derive(Debug)]
pub(super) enum Cells {
    Text(StringViewBuilder),
    Tiny(Int8Builder),
    Small(Int16Builder),
    Integer(Int32Builder),
    Big(Int64Builder),
    Float(Float32Builder),
    Double(Float64Builder),
    Boolean(BooleanBuilder),
}

impl Cells {
    /// A column of a type that [`data_type`] gives.
    pub(super) fn new(kind: &DataType) -> Self {
        match kind {
            DataType::Int8 => Self::Tiny(Int8Builder::new()),
            DataType::Int16 => Self::Small(Int16Builder::new()),
            DataType::Int32 => Self::Integer(Int32Builder::new()),
            DataType::Int64 => Self::Big(Int64Builder::new()),
            DataType::Float32 => Self::Float(Float32Builder::new()),
            DataType::Float64 => Self::Double(Float64Builder::new()),
            DataType::Boolean => Self::Boolean(BooleanBuilder::new()),
            _ => Self::Text(StringViewBuilder::new()),
        }
    }

    pub(super) fn push(&mut self, text: Option<&str>) {
        match self {
            Self::Text(cells) => cells.append_option(text),
            Self::Tiny(cells) => cells.append_option(text.and_then(|text| text.parse().ok())),
            Self::Small(cells) => cells.append_option(text.and_then(|text| text.parse().ok())),
            Self::Integer(cells) => cells.append_option(text.and_then(|text| text.parse().ok())),
            Self::Big(cells) => cells.append_option(text.and_then(|text| text.parse().ok())),
            Self::Float(cells) => cells.append_option(text.and_then(|text| text.parse().ok())),
            Self::Double(cells) => cells.append_option(text.and_then(|text| text.parse().ok())),
            Self::Boolean(cells) => cells.append_option(text.and_then(|text| {
                if text.eq_ignore_ascii_case("true") {
                    Some(true)
                } else if text.eq_ignore_ascii_case("false") {
                    Some(false)
                } else {
                    None
                }
            })),
        }
    }

    /// The column; what comes after begins anew.
    pub(super) fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Text(cells) => Arc::new(cells.finish()),
            Self::Tiny(cells) => Arc::new(cells.finish()),
            Self::Small(cells) => Arc::new(cells.finish()),
            Self::Integer(cells) => Arc::new(cells.finish()),
            Self::Big(cells) => Arc::new(cells.finish()),
            Self::Float(cells) => Arc::new(cells.finish()),
            Self::Double(cells) => Arc::new(cells.finish()),
            Self::Boolean(cells) => Arc::new(cells.finish()),
        }
    }
}
