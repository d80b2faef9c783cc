//! Tables as a Glue catalog describes them, over objects of a bucket: for the embedded cloud's Athena.
//!
//! A table's partitions are projected as its properties say, a query's conditions on the partition
//! columns choose among them (`projection`), and what is left is read as the table's `SerDe` reads
//! it (`text`, `json`, `parquet`). Bytes are counted the way that Athena bills them: objects whole,
//! of Parquet the columns that the query needs.

mod cells;
mod json;
mod parquet;
mod projection;
mod provider;
#[cfg(test)]
mod tests;
mod text;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::catalog::{MemorySchemaProvider, TableProvider};
use datafusion::common::TableReference;

use crate::engine::Engine;

/// The name that Athena has for the Glue catalog.
const CATALOG: &str = "awsdatacatalog";

/// A table of a Glue catalog.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HiveTable {
    /// The database that it is in.
    pub database: String,
    /// Its name.
    pub name: String,
    /// Name and Hive type of each column, such as `bigint`.
    pub columns: Vec<(String, String)>,
    /// The same of the partition columns, which come after the others.
    pub partition_keys: Vec<(String, String)>,
    /// `s3://BUCKET/PREFIX/`
    pub location: String,
    /// The class that reads rows.
    pub serde: String,
    /// The class's settings.
    pub serde_parameters: BTreeMap<String, String>,
    /// The table's properties, partition projection among them.
    pub parameters: BTreeMap<String, String>,
}

/// Buckets that tables lie in.
pub trait Storage: Debug + Send + Sync {
    /// Key and size in bytes of all objects of a bucket whose keys begin with `prefix`.
    ///
    /// # Errors
    /// There is no such bucket, or it cannot be read.
    fn list(&self, bucket: &str, prefix: &str) -> io::Result<Vec<(String, u64)>>;

    /// An object whole.
    ///
    /// # Errors
    /// It is gone or cannot be read.
    fn read(&self, bucket: &str, key: &str) -> io::Result<Vec<u8>>;
}

/// What went wrong while tables were read; the query's own error says it in other words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// More was read than a query may.
    #[error("the query scanned more than {limit} bytes")]
    Cutoff {
        /// Bytes that it may read.
        limit: u64,
    },
    /// The table's properties are not understood.
    #[error("{0}")]
    Table(String),
    /// An object is not what the table says.
    #[error("{object}: {reason}")]
    BadData {
        /// `s3://BUCKET/KEY`
        object: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The bucket or an object cannot be read.
    #[error("{place}: {reason}")]
    Storage {
        /// `s3://…`
        place: String,
        /// Why not.
        reason: String,
    },
}

/// What a query has read of all its tables; clones count together.
#[derive(Debug, Clone, Default)]
pub struct Tally(Arc<TallyState>);

#[derive(Debug, Default)]
struct TallyState {
    bytes: AtomicU64,
    objects: AtomicU64,
    limit: Option<u64>,
    trouble: Mutex<Option<Trouble>>,
}

impl Tally {
    /// Counts, and stops the query when it has read more than `limit` bytes.
    #[must_use]
    pub fn limited(limit: Option<u64>) -> Self {
        Self(Arc::new(TallyState {
            limit,
            ..TallyState::default()
        }))
    }

    /// Bytes read so far.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.0.bytes.load(Ordering::Relaxed)
    }

    /// Objects read so far.
    #[must_use]
    pub fn objects(&self) -> u64 {
        self.0.objects.load(Ordering::Relaxed)
    }

    /// The first thing that went wrong.
    #[must_use]
    pub fn trouble(&self) -> Option<Trouble> {
        let trouble = self.0.trouble.lock();
        trouble.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Counts what is about to be read.
    fn count(&self, bytes: u64) -> Result<(), Trouble> {
        let before = self.0.bytes.fetch_add(bytes, Ordering::Relaxed);
        match self.0.limit {
            Some(limit) if before.saturating_add(bytes) > limit => {
                Err(self.note(Trouble::Cutoff { limit }))
            }
            _ => Ok(()),
        }
    }

    fn count_object(&self) {
        self.0.objects.fetch_add(1, Ordering::Relaxed);
    }

    /// Keeps the first trouble, which is the cause of those after it.
    fn note(&self, trouble: Trouble) -> Trouble {
        let mut first = self.0.trouble.lock();
        let first = first.as_deref_mut();
        if let Ok(first) = first {
            first.get_or_insert_with(|| trouble.clone());
        }
        trouble
    }
}

impl Engine {
    /// Puts a table in, as `DATABASE.NAME`; one of the default database also as `NAME` alone.
    ///
    /// # Errors
    /// A type or a `SerDe` that is not known here.
    pub fn add_hive(
        &self,
        table: HiveTable,
        is_default: bool,
        storage: Arc<dyn Storage>,
        tally: Tally,
    ) -> Result<(), Trouble> {
        let (database, name) = (table.database.clone(), table.name.clone());
        let provider = provider(table, storage, tally)?;
        let refused = |error: &dyn std::fmt::Display| Trouble::Table(error.to_string());
        let context = self.context();
        let default = context
            .state()
            .config_options()
            .catalog
            .default_catalog
            .clone();
        let catalog = context
            .catalog(&default)
            .ok_or_else(|| refused(&"there is no catalog"))?;
        if catalog.schema(&database).is_none() {
            catalog
                .register_schema(&database, Arc::new(MemorySchemaProvider::new()))
                .map_err(|error| refused(&error))?;
        }
        // Athena's own name of the catalog, for texts that spell it out.
        if context.catalog(CATALOG).is_none() {
            context.register_catalog(CATALOG, catalog);
        }
        let place = TableReference::partial(database, name.clone());
        context
            .register_table(place, Arc::clone(&provider))
            .map_err(|error| refused(&error))?;
        if is_default {
            context
                .register_table(TableReference::bare(name), provider)
                .map_err(|error| refused(&error))?;
        }
        Ok(())
    }
}

/// The table as the engine reads it.
///
/// # Errors
/// A type, a `SerDe` or a projection that is not known here.
fn provider(
    table: HiveTable,
    storage: Arc<dyn Storage>,
    tally: Tally,
) -> Result<Arc<dyn TableProvider>, Trouble> {
    Ok(Arc::new(provider::Provider::new(table, storage, tally)?))
}

/// Bucket and key, or the beginning of keys, of `s3://BUCKET/KEY`.
fn place(location: &str) -> Result<(&str, &str), Trouble> {
    location
        .strip_prefix("s3://")
        .map(|rest| rest.split_once('/').unwrap_or((rest, "")))
        .filter(|(bucket, _)| !bucket.is_empty())
        .ok_or_else(|| Trouble::Table(format!("the location `{location}` is not in S3")))
}
