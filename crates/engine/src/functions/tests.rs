//! Trino's functions through a real session: what its documentation promises.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch, StringViewArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::datasource::MemTable;
use datafusion::prelude::{SessionConfig, SessionContext};
use onair_logs::value::Value;

use super::casts;
use crate::dialect;
use crate::error::EngineError;

pub(crate) fn session(partitions: usize) -> SessionContext {
    let context =
        SessionContext::new_with_config(SessionConfig::new().with_target_partitions(partitions));
    super::register(&context).unwrap();
    context
}

/// Every row, column by column, as text; NULL as it stands.
pub(crate) fn run_with(
    context: &SessionContext,
    text: &str,
    parameters: &[Value],
) -> Result<Vec<Vec<String>>, String> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .unwrap()
        .block_on(async {
            let plan = dialect::plan(context, text, parameters)
                .await
                .map_err(|error: EngineError| error.to_string())?;
            let batches = context
                .execute_logical_plan(plan)
                .await
                .map_err(|error| error.to_string())?
                .collect()
                .await
                .map_err(|error| error.to_string())?;
            let mut rows = Vec::new();
            for batch in &batches {
                for row in 0..batch.num_rows() {
                    rows.push(
                        batch
                            .columns()
                            .iter()
                            .map(|column| shown(column, row))
                            .collect(),
                    );
                }
            }
            Ok(rows)
        })
}

pub(crate) fn run(context: &SessionContext, text: &str) -> Result<Vec<Vec<String>>, String> {
    run_with(context, text, &[])
}

fn shown(column: &ArrayRef, row: usize) -> String {
    if column.is_null(row) {
        return "NULL".to_owned();
    }
    if let Ok(texts) = casts::to_text(&column.slice(row, 1)) {
        // JSON's null is no NULL.
        return texts.iter().next().flatten().unwrap_or("null").to_owned();
    }
    let options = FormatOptions::default().with_null("NULL");
    ArrayFormatter::try_new(column.as_ref(), &options)
        .unwrap()
        .value(row)
        .to_string()
}

#[test]
fn first() {
    let context = session(2);
    for text in [
        "SELECT 1",
        "SELECT url_decode('a%20b')",
        "SELECT try(1/0)",
        "SELECT hour(TIMESTAMP '2026-06-14 17:00:00')",
        "SELECT x FROM UNNEST(ARRAY[1,2]) AS t(x)",
    ] {
        println!("{text} => {:?}", run(&context, text));
    }
    let _unused: (
        Arc<MemTable>,
        RecordBatch,
        StringViewArray,
        DataType,
        Field,
        Schema,
    );
}
