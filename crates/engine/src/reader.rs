//! Reads one object: from the cache, or as Parquet or text, keeping what the cache wants.

use std::io::{self, Read};
use std::ops::ControlFlow;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use onair_logs::scan::{Scan, Scanned};
use onair_logs::schema::{Column, Table};

use crate::batches::{self, Batches};
use crate::cache::{Cache, Shelf, Writing};
use crate::log::Log;
use crate::logs::Logs;
use crate::objects::Object;
use crate::parquet;

/// Parquet's first bytes.
const PARQUET: &[u8] = b"PAR1";

/// Reads objects of one table for certain columns.
#[derive(Debug)]
pub(crate) struct Reader {
    source: Logs,
    columns: Vec<usize>,
    /// What these are called.
    names: Vec<&'static str>,
    schema: SchemaRef,
    shelf: Option<Shelf>,
}

impl Reader {
    /// For `columns`, places in the table's.
    pub(crate) fn new(source: Logs, columns: Vec<usize>, cache: Option<Arc<Cache>>) -> Self {
        let shelf = cache.map(|cache| Shelf::new(cache, &source));
        let all: &'static [Column] = source.table.columns();
        Self {
            schema: batches::schema(columns.iter().map(|column| &all[*column])),
            names: columns.iter().map(|column| all[*column].name).collect(),
            source,
            columns,
            shelf,
        }
    }

    /// Of the batches.
    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Reads an object, hands its rows over in batches and tells the log what was found. To break off
    /// is to want no more of any object.
    pub(crate) fn read(
        &self,
        object: &Object,
        log: &Log,
        is_wanted: &(dyn Fn() -> bool + Sync),
        give: &mut dyn FnMut(RecordBatch) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let give = &mut |batch: RecordBatch| {
            log.batch(&object.name, &self.names, &batch);
            give(batch)
        };
        let mut given = 0;
        if let Some(shelf) = &self.shelf
            && let Some(kept) = shelf.find(object, &self.columns)
        {
            let mut flow = ControlFlow::Continue(());
            let counted = &mut |batch: RecordBatch| {
                given += batch.num_rows();
                flow = give(batch);
                flow
            };
            if let Ok(scanned) = kept.read(&self.columns, &self.schema, counted) {
                log.object(&object.name, scanned, true);
                return flow;
            }
            // Damaged: what it gave was right, for pages are whole or not there. The rest comes from
            // the object itself, whose rows are in the same order.
        }
        let mut rest = given;
        let behind = &mut |batch: RecordBatch| {
            let batch = if rest == 0 {
                batch
            } else {
                let skipped = rest.min(batch.num_rows());
                rest -= skipped;
                batch.slice(skipped, batch.num_rows() - skipped)
            };
            if batch.num_rows() == 0 {
                return ControlFlow::Continue(());
            }
            give(batch)
        };
        let keeping = self
            .shelf
            .as_ref()
            .filter(|shelf| shelf.is_filled_by_queries())
            .and_then(|shelf| shelf.write(object, &self.columns));
        self.unkept(object, keeping, log, is_wanted, behind)
    }

    /// Reads an object into the cache, unless it is there. To break off is to want no more.
    pub(crate) fn warm(
        &self,
        object: &Object,
        log: &Log,
        is_wanted: &(dyn Fn() -> bool + Sync),
    ) -> ControlFlow<()> {
        let Some(shelf) = &self.shelf else {
            return ControlFlow::Break(());
        };
        if let Some(kept) = shelf.find(object, &self.columns) {
            log.object(&object.name, kept.into_scanned(), true);
            return ControlFlow::Continue(());
        }
        match shelf.write(object, &self.columns) {
            Some(keeping) => self.unkept(object, Some(keeping), log, is_wanted, &mut |_| {
                ControlFlow::Continue(())
            }),
            // A folder that cannot be written to: the queries will read the objects themselves.
            None => ControlFlow::Break(()),
        }
    }

    /// Reads the object itself.
    fn unkept(
        &self,
        object: &Object,
        mut keeping: Option<Writing>,
        log: &Log,
        is_wanted: &(dyn Fn() -> bool + Sync),
        give: &mut dyn FnMut(RecordBatch) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let opened = match self.source.objects.open(&object.name) {
            Ok(opened) => opened,
            Err(error) => {
                log.unopened(&object.name, object.size, &error);
                return ControlFlow::Continue(());
            }
        };
        let columns = keeping
            .as_ref()
            .map_or(&self.columns[..], |keeping| keeping.columns())
            .to_vec();
        let schema = keeping
            .as_ref()
            .map_or_else(|| self.schema.clone(), |keeping| keeping.schema().clone());
        #[cfg(test)]
        log.converts(&schema_names(self.source.table, &columns));
        let places: Option<Vec<usize>> = keeping.is_some().then(|| {
            self.columns
                .iter()
                .map(|column| {
                    columns
                        .iter()
                        .position(|read| read == column)
                        .expect("what is kept has all columns that are asked for")
                })
                .collect()
        });
        let asked = Scan {
            columns,
            window: self.source.window,
            fields: self.source.fields.clone(),
            is_realtime: None,
            distribution: None,
        };
        let mut flow = ControlFlow::Continue(());
        let mut hand_over = |batch: RecordBatch| {
            let batch = match &places {
                Some(places) => {
                    if let Some(writing) = &mut keeping
                        && !writing.write(&batch)
                    {
                        keeping = None;
                    }
                    batch.project(places).expect("places of its own columns")
                }
                None => batch,
            };
            flow = give(batch);
            flow
        };
        let mut sink = Batches::new(schema, &mut hand_over);
        let input = Watched {
            inner: opened,
            is_wanted,
        };
        let found = scanned(
            input,
            object,
            self.source.table,
            &asked,
            &mut sink,
            is_wanted,
        );
        let told = sink.told();
        if sink.flush().is_break() {
            flow = ControlFlow::Break(());
        }
        if !is_wanted() {
            return ControlFlow::Break(());
        }
        let found = match found {
            Ok(found) if found.is_other => {
                log.other(&object.name);
                return flow;
            }
            Ok(mut found) => {
                found.bytes = object.size;
                found
            }
            Err(error) if told == 0 => {
                log.unopened(&object.name, object.size, &error);
                return flow;
            }
            Err(error) => Scanned {
                rows: told,
                truncated: Some(error.to_string()),
                bytes: object.size,
                ..Scanned::default()
            },
        };
        if let Some(keeping) = keeping
            && flow.is_continue()
            && found.truncated.is_none()
        {
            keeping.keep(&found, self.source.window);
        }
        log.object(&object.name, found, false);
        flow
    }
}

#[cfg(test)]
fn schema_names(table: Table, columns: &[usize]) -> Vec<&'static str> {
    let names = columns.iter().map(|column| table.columns()[*column].name);
    names.collect()
}

/// Reads what the first bytes say that it is.
fn scanned(
    mut input: impl Read,
    object: &Object,
    table: Table,
    asked: &Scan,
    sink: &mut Batches<'_>,
    is_wanted: &(dyn Fn() -> bool + Sync),
) -> io::Result<Scanned> {
    let mut first = Vec::with_capacity(PARQUET.len());
    input
        .by_ref()
        .take(PARQUET.len() as u64)
        .read_to_end(&mut first)?;
    match (table, first == PARQUET) {
        (Table::Requests, true) => {
            parquet::scan(first.chain(input), &object.name, asked, sink, is_wanted)
        }
        (Table::Requests, false) => {
            let whole = io::Cursor::new(first).chain(input);
            onair_logs::scan::scan(whole, &object.name, asked, sink)
        }
        // AWS WAF writes no Parquet.
        (Table::Waf, true) => Ok(Scanned {
            is_other: true,
            ..Scanned::default()
        }),
        (Table::Waf, false) => {
            onair_logs::waf::scan(io::Cursor::new(first).chain(input), asked, sink)
        }
    }
}

/// An object that ends in an error as soon as nobody wants its rows: a reader may be far from the
/// next batch, as where a window leaves nothing over.
struct Watched<'a> {
    inner: Box<dyn Read + Send>,
    is_wanted: &'a (dyn Fn() -> bool + Sync),
}

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if (self.is_wanted)() {
            self.inner.read(buffer)
        } else {
            Err(io::Error::other("nobody wants more of it"))
        }
    }
}
