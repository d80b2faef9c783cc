//! Parquet objects, columns by name. Of an object, the wanted columns' pages count as read.

use std::sync::Arc;

use bytes::Bytes;
use datafusion::arrow::array::{ArrayRef, new_null_array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::parquet::arrow::ProjectionMask;
use datafusion::parquet::arrow::arrow_reader::{
    ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};

use super::provider::BATCH;

/// A Parquet object that is being read.
pub(super) struct Columnar {
    batches: ParquetRecordBatchReader,
    /// For each wanted column, its place in the batches; none: the object lacks it.
    places: Vec<Option<usize>>,
    kinds: Vec<DataType>,
    /// Bytes that the wanted columns take in the object, and its tail.
    pub(super) scanned: u64,
}

/// The length of the tail that every reader begins with: the metadata's length and the magic.
const TAIL: u64 = 8;

impl Columnar {
    pub(super) fn open(bytes: Vec<u8>, names: &[&str], kinds: &[DataType]) -> Result<Self, String> {
        let bytes = Bytes::from(bytes);
        let footer = footer_length(&bytes);
        let builder = ParquetRecordBatchReaderBuilder::try_new(bytes)
            .map_err(|error| format!("it is no Parquet file: {error}"))?;
        let schema = Arc::clone(builder.schema());
        let found: Vec<Option<usize>> = names
            .iter()
            .map(|name| {
                let mut fields = schema.fields().iter();
                fields.position(|field| field.name().eq_ignore_ascii_case(name))
            })
            .collect();
        for ((place, name), kind) in found.iter().zip(names).zip(kinds) {
            if let Some(place) = place {
                let field = schema.field(*place);
                if !fits(field.data_type(), kind) {
                    return Err(format!(
                        "the column {name} is {} there and {kind} in the table",
                        field.data_type()
                    ));
                }
            }
        }
        let mut roots: Vec<usize> = found.iter().flatten().copied().collect();
        roots.sort_unstable();
        roots.dedup();
        let descriptor = builder.parquet_schema();
        let mut scanned = TAIL + footer;
        for group in builder.metadata().row_groups() {
            for (leaf, column) in group.columns().iter().enumerate() {
                if roots.contains(&descriptor.get_column_root_idx(leaf)) {
                    scanned += u64::try_from(column.compressed_size()).unwrap_or_default();
                }
            }
        }
        let places = found
            .iter()
            .map(|place| place.and_then(|place| roots.binary_search(&place).ok()))
            .collect();
        let mask = ProjectionMask::roots(descriptor, roots);
        let batches = builder
            .with_projection(mask)
            .with_batch_size(BATCH)
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self {
            batches,
            places,
            kinds: kinds.to_vec(),
            scanned,
        })
    }

    /// The wanted columns of the next rows, and how many rows these are.
    pub(super) fn next_batch(&mut self) -> Result<Option<(Vec<ArrayRef>, usize)>, String> {
        let Some(batch) = self.batches.next() else {
            return Ok(None);
        };
        let batch = batch.map_err(|error| error.to_string())?;
        let rows = batch.num_rows();
        let columns = self.places.iter().zip(&self.kinds);
        columns
            .map(|(place, kind)| match place {
                None => Ok(new_null_array(kind, rows)),
                Some(place) => cast(batch.column(*place), kind).map_err(|error| error.to_string()),
            })
            .collect::<Result<Vec<_>, _>>()
            .map(|columns| Some((columns, rows)))
    }
}

/// Whether Athena would read a file's column as the table's: it converts no text to numbers.
fn fits(file: &DataType, table: &DataType) -> bool {
    let is_text = |kind: &DataType| {
        matches!(
            kind,
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Binary
        )
    };
    match table {
        DataType::Utf8View => is_text(file),
        table if table.is_integer() => file.is_integer(),
        table if table.is_floating() => file.is_floating(),
        table => file == table,
    }
}

/// The length that the last bytes of a file tell.
fn footer_length(bytes: &Bytes) -> u64 {
    let Some(start) = bytes.len().checked_sub(8) else {
        return 0;
    };
    let length = bytes[start..start + 4].try_into().map(u32::from_le_bytes);
    length.map_or(0, u64::from)
}
