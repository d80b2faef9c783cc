//! What reading comes to while a query runs, kept by all its readers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use datafusion::arrow::array::RecordBatch;
use onair_logs::scan::Scanned;

use crate::logs::Read;

/// Kept for one query. It goes with the query's task context as an extension.
#[derive(Debug, Default)]
pub(crate) struct Log {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    objects: BTreeMap<String, Scanned>,
    cached: BTreeSet<String>,
    /// Objects of another table's logs.
    others: BTreeSet<String>,
    /// Columns read, and whether a value was seen in them.
    columns: BTreeMap<&'static str, bool>,
    /// Columns that readers were asked to convert from text, in the order of asking.
    #[cfg(test)]
    converted: Vec<Vec<&'static str>>,
    unopened: Option<(String, std::io::ErrorKind, String)>,
    opened: bool,
}

impl Log {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An object was read to its end, or as far as it was wanted.
    pub(crate) fn object(&self, name: &str, scanned: Scanned, is_cached: bool) {
        let mut kept = self.kept();
        kept.opened = true;
        if is_cached {
            kept.cached.insert(name.to_owned());
        }
        kept.objects.insert(name.to_owned(), scanned);
    }

    /// An object could not be opened.
    pub(crate) fn unopened(&self, name: &str, size: u64, error: &std::io::Error) {
        let mut kept = self.kept();
        let scanned = Scanned {
            truncated: Some(format!("it could not be opened: {error}")),
            bytes: size,
            ..Scanned::default()
        };
        kept.objects.insert(name.to_owned(), scanned);
        kept.unopened
            .get_or_insert_with(|| (name.to_owned(), error.kind(), error.to_string()));
    }

    /// An object is of another table's logs.
    pub(crate) fn other(&self, name: &str) {
        let mut kept = self.kept();
        kept.opened = true;
        kept.others.insert(name.to_owned());
    }

    /// A batch of these columns of an object goes to the query, which may not want the rest.
    pub(crate) fn batch(&self, name: &str, columns: &[&'static str], batch: &RecordBatch) {
        let mut kept = self.kept();
        kept.opened = true;
        let rows = batch.num_rows() as u64;
        if let Some(found) = kept.objects.get_mut(name) {
            found.rows += rows;
        } else {
            let found = Scanned {
                rows,
                ..Scanned::default()
            };
            kept.objects.insert(name.to_owned(), found);
        }
        for (column, array) in columns.iter().zip(batch.columns()) {
            let has_value = array.null_count() < array.len();
            *kept.columns.entry(column).or_default() |= has_value;
        }
    }

    /// A reader converts these columns.
    #[cfg(test)]
    pub(crate) fn converts(&self, columns: &[&'static str]) {
        self.kept().converted.push(columns.to_vec());
    }

    /// What the readers were asked to convert.
    #[cfg(test)]
    pub(crate) fn converted(&self) -> Vec<Vec<&'static str>> {
        self.kept().converted.clone()
    }

    /// The first object that could not be opened, if none at all could.
    pub(crate) fn nothing_opened(&self) -> Option<(String, std::io::Error)> {
        let kept = self.kept();
        let (name, kind, message) = kept.unopened.clone()?;
        (!kept.opened).then(|| (name, std::io::Error::new(kind, message)))
    }

    /// What it came to.
    pub(crate) fn read(&self) -> Read {
        let kept = self.kept();
        let has_rows = kept.objects.values().any(|found| found.rows > 0);
        Read {
            objects: kept
                .objects
                .iter()
                .map(|(name, scanned)| (name.clone(), scanned.clone()))
                .collect(),
            // A query of two tables may read an object as the one and pass it over as the other.
            others: kept
                .others
                .iter()
                .filter(|name| !kept.objects.contains_key(*name))
                .count() as u64,
            cached: kept.cached.len() as u64,
            without_values: kept
                .columns
                .iter()
                .filter(|(_, has_value)| has_rows && !**has_value)
                .map(|(column, _)| *column)
                .collect(),
        }
    }
}
