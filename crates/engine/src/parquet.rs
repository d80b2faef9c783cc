//! CloudFront's Parquet objects: every field a text, `-` for none, names as `cs_user_agent`. Their
//! rows go the same way as those of text, so that a value is the same whatever it was written as.
//! CloudFront Developer Guide, "Standard logging (v2)"; Athena's table for it has all columns text.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringViewArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::parquet::arrow::ProjectionMask;
use datafusion::parquet::arrow::arrow_reader::{
    ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use datafusion::parquet::errors::ParquetError;
use onair_logs::row::{Became, Rows};
use onair_logs::scan::{Scan, Scanned};

use crate::batches::{Batches, ROWS};

/// Reads a Parquet object. Its end is needed first, so it is copied to a temporary file.
///
/// # Errors
/// It cannot be read, or is no Parquet in the end.
pub(crate) fn scan(
    mut object: impl Read,
    name: &str,
    asked: &Scan,
    sink: &mut Batches<'_>,
    is_wanted: &(dyn Fn() -> bool + Sync),
) -> io::Result<Scanned> {
    let mut copy = tempfile::tempfile()?;
    io::copy(&mut object, &mut copy)?;
    copy.seek(SeekFrom::Start(0))?;
    let mut found = Scanned::default();
    match rows(copy, name, asked, sink, is_wanted, &mut found) {
        Ok(()) => Ok(found),
        Err(error) if found.rows + found.outside + found.bad == 0 => {
            Err(io::Error::new(io::ErrorKind::InvalidData, words(&error)))
        }
        Err(error) => {
            found.truncated = Some(words(&error));
            Ok(found)
        }
    }
}

fn rows(
    file: File,
    name: &str,
    asked: &Scan,
    sink: &mut Batches<'_>,
    is_wanted: &(dyn Fn() -> bool + Sync),
    found: &mut Scanned,
) -> Result<(), ParquetError> {
    // What another writer says of Arrow's types is left out: the columns are texts.
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(file, options)?;
    let names: Vec<String> = builder
        .schema()
        .fields()
        .iter()
        .map(|field| field.name().clone())
        .collect();
    let mut reading = Rows::new(&names, name, asked);
    let needed = reading.needed().to_vec();
    let mask = ProjectionMask::roots(builder.parquet_schema(), needed.iter().copied());
    let batches = builder
        .with_projection(mask)
        .with_batch_size(ROWS)
        .build()?;
    // The reader gives columns in the order of the file.
    let mut in_file = needed.clone();
    in_file.sort_unstable();
    let order: Vec<usize> = needed
        .iter()
        .map(|place| {
            in_file
                .binary_search(place)
                .expect("the same places in another order")
        })
        .collect();
    let mut line = 0;
    for batch in batches {
        let batch = batch?;
        let columns = texts(&batch, &order)?;
        for row in 0..batch.num_rows() {
            line += 1;
            let cell = |slot: usize| {
                let column: &StringViewArray = &columns[slot];
                column.is_valid(row).then(|| column.value(row).as_bytes())
            };
            match reading.row(cell, sink) {
                Became::Row(flow) => {
                    found.rows += 1;
                    if flow.is_break() {
                        return Ok(());
                    }
                }
                Became::Outside => found.outside += 1,
                Became::Bad(reason) => {
                    found.note_bad(line, reason, shown(&columns, row).as_bytes());
                }
            }
        }
        if !is_wanted() {
            return Ok(());
        }
    }
    Ok(())
}

/// The needed columns as texts, whatever a writer made of them.
fn texts(batch: &RecordBatch, order: &[usize]) -> Result<Vec<StringViewArray>, ParquetError> {
    order
        .iter()
        .map(|place| {
            let column: &ArrayRef = batch.column(*place);
            // Bytes that are no UTF-8 become NULL in the cast; the rest of the row stays.
            let text = cast(column, &DataType::Utf8View)?;
            Ok(text.as_string_view().clone())
        })
        .collect()
}

/// A row as a line of text, for those who are told that it is bad.
fn shown(columns: &[StringViewArray], row: usize) -> String {
    let cells: Vec<&str> = columns
        .iter()
        .map(|column| {
            if column.is_valid(row) {
                column.value(row)
            } else {
                "-"
            }
        })
        .collect();
    cells.join("\t")
}

fn words(error: &ParquetError) -> String {
    let text = error.to_string();
    let text = text.strip_prefix("Parquet error: ").unwrap_or(&text);
    format!("it is damaged: {text}")
}
