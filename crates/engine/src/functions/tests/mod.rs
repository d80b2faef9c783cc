//! Trino's functions through a real session: what its documentation promises.

mod aggregates;
mod promised;
mod statements;

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, RecordBatch, new_null_array};
use datafusion::arrow::compute;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::datasource::MemTable;
use datafusion::prelude::{SessionConfig, SessionContext};
use onair_logs::value::Value;

use super::casts;
use super::names::KNOWN;
use crate::dialect;
use crate::error::EngineError;

pub(crate) fn session(partitions: usize) -> SessionContext {
    let context =
        SessionContext::new_with_config(SessionConfig::new().with_target_partitions(partitions));
    super::register(&context).unwrap();
    context
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .unwrap()
        .block_on(future)
}

fn batches(
    context: &SessionContext,
    text: &str,
    parameters: &[Value],
) -> Result<Vec<RecordBatch>, String> {
    wait(async {
        let plan = dialect::plan(context, text, parameters)
            .await
            .map_err(|error: EngineError| error.to_string())?;
        context
            .execute_logical_plan(plan)
            .await
            .map_err(|error| error.to_string())?
            .collect()
            .await
            .map_err(|error| error.to_string())
    })
}

/// Every row, column by column, as text; NULL as it stands.
pub(crate) fn run_with(
    context: &SessionContext,
    text: &str,
    parameters: &[Value],
) -> Result<Vec<Vec<String>>, String> {
    let mut rows = Vec::new();
    for batch in batches(context, text, parameters)? {
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
}

pub(crate) fn run(context: &SessionContext, text: &str) -> Result<Vec<Vec<String>>, String> {
    run_with(context, text, &[])
}

fn shown(column: &ArrayRef, row: usize) -> String {
    if column.is_null(row) || column.data_type().is_null() {
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

/// Takes the braces off: what was in them, and the text with each replaced.
fn braces(text: &str) -> (Vec<String>, String, String) {
    let (mut inside, mut literal, mut columns) = (Vec::new(), String::new(), String::new());
    let mut rest = text;
    while let Some(start) = opening(rest) {
        let end = closing(&rest[start..]) + start;
        let value = &rest[start + 1..end];
        literal += &rest[..start];
        literal += value;
        columns += &rest[..start];
        columns += &format!("c{}", inside.len());
        inside.push(value.to_owned());
        rest = &rest[end + 1..];
    }
    (inside, literal + rest, columns + rest)
}

fn opening(text: &str) -> Option<usize> {
    let mut quoted = false;
    text.char_indices().find_map(|(place, character)| {
        quoted ^= character == '\'';
        (character == '{' && !quoted).then_some(place)
    })
}

fn closing(text: &str) -> usize {
    let mut quoted = false;
    text.char_indices()
        .find_map(|(place, character)| {
            quoted ^= character == '\'';
            (character == '}' && !quoted).then_some(place)
        })
        .unwrap()
}

/// A table of a row of NULL and two rows of the values, in two batches.
fn given(context: &SessionContext, values: &[String]) -> Result<(), String> {
    let columns: Vec<String> = values
        .iter()
        .enumerate()
        .map(|(place, value)| format!("{value} AS c{place}"))
        .collect();
    let one = batches(context, &format!("SELECT {}", columns.join(", ")), &[])?.remove(0);
    let nulls: Vec<ArrayRef> = one
        .columns()
        .iter()
        .map(|column| new_null_array(column.data_type(), 1))
        .collect();
    let schema = Arc::new(datafusion::arrow::datatypes::Schema::new(
        one.schema()
            .fields()
            .iter()
            .map(|field| field.as_ref().clone().with_nullable(true))
            .collect::<Vec<_>>(),
    ));
    let one = RecordBatch::try_new(Arc::clone(&schema), one.columns().to_vec()).unwrap();
    let nulls = RecordBatch::try_new(Arc::clone(&schema), nulls).unwrap();
    let two = compute::concat_batches(&schema, [&nulls, &one]).unwrap();
    let table = MemTable::try_new(schema, vec![vec![two, one]]).unwrap();
    context.deregister_table("given").unwrap();
    context.register_table("given", Arc::new(table)).unwrap();
    Ok(())
}

#[test]
fn gives_what_trino_promises() {
    let context = session(1);
    let mut wrong = Vec::new();
    let mut count = 0;
    for (page, rows) in promised::PROMISED {
        for (text, expected) in *rows {
            count += 1;
            let (values, literal, columns) = braces(text);
            let found = run(&context, &format!("SELECT {literal}"));
            if found != Ok(vec![vec![(*expected).to_owned()]]) {
                wrong.push(format!("{page}: {literal} is {expected}, not {found:?}"));
                continue;
            }
            if values.is_empty() {
                continue;
            }
            let found = given(&context, &values)
                .and_then(|()| run(&context, &format!("SELECT {columns} FROM given")));
            let expected = vec![(*expected).to_owned()];
            match found {
                Ok(rows) if rows.len() == 3 && rows[1] == expected && rows[2] == expected => {}
                found => wrong.push(format!(
                    "{page}: {columns} of {values:?} is {expected:?}, not {found:?}"
                )),
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {count}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(count >= 150, "{count}");
}

/// A name that is promised and never tried would be a guess.
#[test]
fn every_known_function_is_tried() {
    let mut tried: BTreeSet<String> = BTreeSet::new();
    let texts = promised::PROMISED
        .iter()
        .flat_map(|(_, rows)| rows.iter())
        .map(|(text, _)| format!("SELECT {}", braces(text).1))
        .chain(aggregates::texts())
        .chain(statements::texts());
    for text in texts {
        tried.extend(dialect::uses(&text).unwrap().functions);
    }
    let untried: Vec<_> = KNOWN
        .iter()
        .filter(|name| !tried.contains(**name))
        .collect();
    assert!(untried.is_empty(), "{untried:?}");
}
