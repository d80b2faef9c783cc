//! Rows as they are read, gathered into Arrow batches of the columns asked for.

use std::ops::ControlFlow;
use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BooleanBuilder, Float64Builder, Int64Builder, RecordBatch, RecordBatchOptions,
    StringViewBuilder, TimestampMillisecondBuilder,
};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use onair_logs::scan::Sink;
use onair_logs::schema::{Column, Kind};

/// Rows of a batch: DataFusion's own default.
pub(crate) const ROWS: usize = 8192;

/// A batch also ends after so many bytes of text: lines of a megabyte are read, too.
const BYTES: usize = 4 << 20;

/// Arrow's type for a kind of values.
fn data_type(kind: Kind) -> DataType {
    match kind {
        Kind::Text => DataType::Utf8View,
        Kind::Integer => DataType::Int64,
        Kind::Double => DataType::Float64,
        Kind::Boolean => DataType::Boolean,
        Kind::Timestamp => DataType::Timestamp(TimeUnit::Millisecond, None),
    }
}

/// Arrow's schema of columns; every column may be NULL.
pub(crate) fn schema<'a>(columns: impl IntoIterator<Item = &'a Column>) -> SchemaRef {
    let fields: Vec<Field> = columns
        .into_iter()
        .map(|column| Field::new(column.name, data_type(column.kind), true))
        .collect();
    Arc::new(Schema::new(fields))
}

#[derive(Debug)]
enum Builder {
    Text(StringViewBuilder),
    Integer(Int64Builder),
    Double(Float64Builder),
    Boolean(BooleanBuilder),
    Timestamp(TimestampMillisecondBuilder),
}

impl Builder {
    fn of(kind: &DataType) -> Self {
        match kind {
            DataType::Int64 => Self::Integer(Int64Builder::with_capacity(ROWS)),
            DataType::Float64 => Self::Double(Float64Builder::with_capacity(ROWS)),
            DataType::Boolean => Self::Boolean(BooleanBuilder::with_capacity(ROWS)),
            DataType::Timestamp(_, _) => {
                Self::Timestamp(TimestampMillisecondBuilder::with_capacity(ROWS))
            }
            _ => Self::Text(StringViewBuilder::with_capacity(ROWS)),
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Text(builder) => Arc::new(builder.finish()),
            Self::Integer(builder) => Arc::new(builder.finish()),
            Self::Double(builder) => Arc::new(builder.finish()),
            Self::Boolean(builder) => Arc::new(builder.finish()),
            Self::Timestamp(builder) => Arc::new(builder.finish()),
        }
    }

    fn null(&mut self) {
        match self {
            Self::Text(builder) => builder.append_null(),
            Self::Integer(builder) => builder.append_null(),
            Self::Double(builder) => builder.append_null(),
            Self::Boolean(builder) => builder.append_null(),
            Self::Timestamp(builder) => builder.append_null(),
        }
    }
}

/// A sink that hands over a batch whenever enough rows are there.
pub(crate) struct Batches<'a> {
    schema: SchemaRef,
    builders: Vec<Builder>,
    rows: usize,
    bytes: usize,
    whole: u64,
    give: &'a mut dyn FnMut(RecordBatch) -> ControlFlow<()>,
}

impl<'a> Batches<'a> {
    /// Batches of `schema`, which [`schema`] made, to `give`. Its slots are the schema's fields.
    pub(crate) fn new(
        schema: SchemaRef,
        give: &'a mut dyn FnMut(RecordBatch) -> ControlFlow<()>,
    ) -> Self {
        Self {
            builders: schema
                .fields()
                .iter()
                .map(|field| Builder::of(field.data_type()))
                .collect(),
            schema,
            rows: 0,
            bytes: 0,
            whole: 0,
            give,
        }
    }

    /// Rows that were told so far.
    pub(crate) fn told(&self) -> u64 {
        self.whole
    }

    /// Hands over what is there yet.
    pub(crate) fn flush(&mut self) -> ControlFlow<()> {
        if self.rows == 0 {
            return ControlFlow::Continue(());
        }
        let columns = self.builders.iter_mut().map(Builder::finish).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        let batch = RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)
            .expect("a reader tells each slot of a row once");
        self.rows = 0;
        self.bytes = 0;
        (self.give)(batch)
    }
}

impl Sink for Batches<'_> {
    fn null(&mut self, slot: usize) {
        self.builders[slot].null();
    }

    fn text(&mut self, slot: usize, value: &str) {
        match &mut self.builders[slot] {
            Builder::Text(builder) => {
                self.bytes += value.len();
                builder.append_value(value);
            }
            other => other.null(),
        }
    }

    fn integer(&mut self, slot: usize, value: i64) {
        match &mut self.builders[slot] {
            Builder::Integer(builder) => builder.append_value(value),
            other => other.null(),
        }
    }

    fn double(&mut self, slot: usize, value: f64) {
        match &mut self.builders[slot] {
            Builder::Double(builder) => builder.append_value(value),
            other => other.null(),
        }
    }

    fn boolean(&mut self, slot: usize, value: bool) {
        match &mut self.builders[slot] {
            Builder::Boolean(builder) => builder.append_value(value),
            other => other.null(),
        }
    }

    fn timestamp(&mut self, slot: usize, milliseconds: i64) {
        match &mut self.builders[slot] {
            Builder::Timestamp(builder) => builder.append_value(milliseconds),
            other => other.null(),
        }
    }

    fn end_row(&mut self) -> ControlFlow<()> {
        self.rows += 1;
        self.whole += 1;
        if self.rows >= ROWS || self.bytes >= BYTES {
            return self.flush();
        }
        ControlFlow::Continue(())
    }
}
