//! A Hive table as the engine asks for it: choose partitions, list their objects, read rows.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{DFSchema, DataFusionError, Result, ScalarValue};
use datafusion::execution::TaskContext;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use datafusion::physical_plan::{ExecutionPlan, SendableRecordBatchStream};

use super::cells::{Cells, data_type};
use super::json::OpenX;
use super::parquet::Columnar;
use super::projection::{Partition, common_location, partitions};
use super::text::{LazySimple, Lines, head_lines, unpacked};
use super::{HiveTable, Storage, Tally, Trouble, place};

/// Rows a batch has at most.
pub(super) const BATCH: usize = 8192;

/// More partitions than these are found in one list of all.
const MOST_LISTS: usize = 500;

const LAZY_SIMPLE: &str = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe";
const OPENX_JSON: &str = "org.openx.data.jsonserde.JsonSerDe";
const PARQUET: &str = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe";

/// How rows are read.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Serde {
    Lazy(LazySimple),
    Json(OpenX),
    Parquet,
}

#[derive(Debug)]
pub(super) struct Provider {
    table: Arc<HiveTable>,
    serde: Serde,
    /// The columns, then the partition columns.
    schema: SchemaRef,
    storage: Arc<dyn Storage>,
    tally: Tally,
}

impl Provider {
    pub(super) fn new(
        table: HiveTable,
        storage: Arc<dyn Storage>,
        tally: Tally,
    ) -> std::result::Result<Self, Trouble> {
        let serde = match table.serde.as_str() {
            LAZY_SIMPLE => Serde::Lazy(LazySimple::new(&table.serde_parameters)),
            OPENX_JSON => Serde::Json(OpenX::new(&table.serde_parameters)),
            PARQUET => Serde::Parquet,
            other => {
                return Err(Trouble::Table(format!(
                    "the SerDe {other} is not known here"
                )));
            }
        };
        let fields = table.columns.iter().chain(&table.partition_keys);
        let fields = fields
            .map(|(name, kind)| Ok(Field::new(name, data_type(name, kind)?, true)))
            .collect::<std::result::Result<Vec<_>, Trouble>>()?;
        Ok(Self {
            table: Arc::new(table),
            serde,
            schema: Arc::new(Schema::new(fields)),
            storage,
            tally,
        })
    }

    fn is_of_partitions(&self, filter: &Expr) -> bool {
        let keys = &self.table.partition_keys;
        let columns = filter.column_refs();
        !columns.is_empty()
            && !filter.is_volatile()
            && columns
                .iter()
                .all(|column| keys.iter().any(|(key, _)| *key == column.name))
    }

    /// The partitions that may hold rows which pass `filters`.
    fn chosen(&self, state: &dyn Session, filters: &[Expr]) -> Result<Vec<Partition>> {
        let all = partitions(&self.table).map_err(|trouble| self.failure(trouble))?;
        let filters: Vec<&Expr> = filters
            .iter()
            .filter(|filter| self.is_of_partitions(filter))
            .collect();
        if filters.is_empty() || all.is_empty() {
            return Ok(all);
        }
        let keys = &self.schema.fields()[self.table.columns.len()..];
        let schema = Arc::new(Schema::new(keys.to_vec()));
        let columns = keys
            .iter()
            .enumerate()
            .map(|(at, field)| {
                let mut cells = Cells::new(field.data_type());
                for partition in &all {
                    cells.push(Some(&partition.values[at]));
                }
                cells.finish()
            })
            .collect();
        let candidates = RecordBatch::try_new(Arc::clone(&schema), columns)?;
        let names = DFSchema::try_from(schema)?;
        let mut kept = vec![true; all.len()];
        for filter in filters {
            let physical = state.create_physical_expr(filter.clone(), &names)?;
            let passes = physical.evaluate(&candidates)?.into_array(all.len())?;
            let passes = passes
                .as_boolean_opt()
                .ok_or_else(|| DataFusionError::Internal("a condition is no boolean".to_owned()))?;
            for (at, kept) in kept.iter_mut().enumerate() {
                *kept &= passes.is_valid(at) && passes.value(at);
            }
        }
        let mut kept = kept.into_iter();
        Ok(all
            .into_iter()
            .filter(|_| kept.next().unwrap_or_default())
            .collect())
    }

    /// The objects of these partitions.
    fn objects(&self, chosen: Vec<Partition>) -> std::result::Result<Vec<Piece>, Trouble> {
        if chosen.is_empty() {
            return Ok(Vec::new());
        }
        let common = common_location(&self.table);
        let (bucket, prefix) = place(&common)?;
        let mut folders: HashMap<String, Arc<Vec<String>>> = HashMap::new();
        let mut prefixes = Vec::new();
        for partition in chosen {
            let (_, folder) = place(&partition.location)?;
            prefixes.push(folder.to_owned());
            folders.insert(folder.to_owned(), Arc::new(partition.values));
        }
        if prefixes.len() > MOST_LISTS {
            prefixes = vec![prefix.to_owned()];
        }
        let mut listed = Vec::new();
        for prefix in prefixes {
            let found = self.storage.list(bucket, &prefix);
            listed.extend(found.map_err(|error| Trouble::Storage {
                place: format!("s3://{bucket}/{prefix}"),
                reason: error.to_string(),
            })?);
        }
        let mut pieces = Vec::new();
        for (key, size) in listed {
            let name = key.rsplit('/').next().unwrap_or_default();
            // Hive takes these for somebody's scratch files.
            if size == 0 || name.is_empty() || name.starts_with(['_', '.']) {
                continue;
            }
            // The folder, or one above it.
            let ends = key.match_indices('/').map(|(at, _)| at + 1).rev();
            let values = ends
                .chain([0])
                .find_map(|end| folders.get(&key[..end]).cloned());
            if let Some(values) = values {
                pieces.push(Piece {
                    bucket: bucket.to_owned(),
                    key,
                    size,
                    values,
                });
            }
        }
        Ok(pieces)
    }

    fn failure(&self, trouble: Trouble) -> DataFusionError {
        DataFusionError::External(Box::new(self.tally.note(trouble)))
    }
}

#[async_trait]
impl TableProvider for Provider {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    /// Conditions on partitions choose partitions; the engine tests them once more.
    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(filters
            .iter()
            .map(|filter| {
                if self.is_of_partitions(filter) {
                    TableProviderFilterPushDown::Inexact
                } else {
                    TableProviderFilterPushDown::Unsupported
                }
            })
            .collect())
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let chosen = self.chosen(state, filters)?;
        let pieces = self
            .objects(chosen)
            .map_err(|trouble| self.failure(trouble))?;
        let all = (0..self.schema.fields().len()).collect();
        let reader = Arc::new(Reader::new(self, projection.unwrap_or(&all))?);
        let shares = state
            .config()
            .target_partitions()
            .clamp(1, pieces.len().max(1));
        let mut streams: Vec<Share> = (0..shares)
            .map(|_| Share {
                reader: Arc::clone(&reader),
                pieces: Vec::new(),
            })
            .collect();
        for (at, piece) in pieces.into_iter().enumerate() {
            streams[at % shares].pieces.push(piece);
        }
        let streams = streams
            .into_iter()
            .map(|share| Arc::new(share) as Arc<dyn PartitionStream>)
            .collect();
        let schema = Arc::clone(&reader.schema);
        Ok(Arc::new(StreamingTableExec::try_new(
            schema,
            streams,
            None,
            Vec::new(),
            false,
            None,
        )?))
    }
}

/// An object of a chosen partition.
#[derive(Debug, Clone)]
struct Piece {
    bucket: String,
    key: String,
    size: u64,
    /// The texts of the partition's columns.
    values: Arc<Vec<String>>,
}

/// The objects that one thread reads.
#[derive(Debug)]
struct Share {
    reader: Arc<Reader>,
    pieces: Vec<Piece>,
}

impl PartitionStream for Share {
    fn schema(&self) -> &SchemaRef {
        &self.reader.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let batches = Batches {
            reader: Arc::clone(&self.reader),
            pieces: self.pieces.clone().into_iter(),
            open: None,
            failed: false,
        };
        Box::pin(RecordBatchStreamAdapter::new(
            Arc::clone(&self.reader.schema),
            futures_util::stream::iter(batches),
        ))
    }
}

/// What is wanted of each object, and how it is got.
#[derive(Debug)]
pub(super) struct Reader {
    table: Arc<HiveTable>,
    serde: Serde,
    /// Of the batches.
    schema: SchemaRef,
    /// The wanted columns of the data, by their place in the table; rising.
    data: Vec<usize>,
    /// Their types.
    kinds: Vec<DataType>,
    /// Where each column of a batch comes from.
    slots: Vec<Slot>,
    storage: Arc<dyn Storage>,
    tally: Tally,
}

#[derive(Debug, Clone, Copy)]
enum Slot {
    /// A place in [`Reader::data`].
    Data(usize),
    /// A partition column.
    Partition(usize),
}

impl Reader {
    fn new(provider: &Provider, projection: &[usize]) -> Result<Self> {
        let columns = provider.table.columns.len();
        let mut data: Vec<usize> = projection
            .iter()
            .copied()
            .filter(|place| *place < columns)
            .collect();
        data.sort_unstable();
        data.dedup();
        let slots = projection
            .iter()
            .map(|place| match data.binary_search(place) {
                Ok(slot) => Slot::Data(slot),
                Err(_) => Slot::Partition(place - columns),
            })
            .collect();
        let kinds = data
            .iter()
            .map(|place| provider.schema.field(*place).data_type().clone())
            .collect();
        Ok(Self {
            table: Arc::clone(&provider.table),
            serde: provider.serde.clone(),
            schema: Arc::new(provider.schema.project(projection)?),
            data,
            kinds,
            slots,
            storage: Arc::clone(&provider.storage),
            tally: provider.tally.clone(),
        })
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        let columns = &self.table.columns;
        self.data.iter().map(|place| columns[*place].0.as_str())
    }

    fn open(&self, piece: Piece) -> std::result::Result<Open, Trouble> {
        let bad = |reason: String| Trouble::BadData {
            object: format!("s3://{}/{}", piece.bucket, piece.key),
            reason,
        };
        // Text is read whole whatever is wanted of it: its size is known before it is touched.
        if self.serde != Serde::Parquet {
            self.tally.count(piece.size)?;
        }
        let bytes = self
            .storage
            .read(&piece.bucket, &piece.key)
            .map_err(|error| Trouble::Storage {
                place: format!("s3://{}/{}", piece.bucket, piece.key),
                reason: error.to_string(),
            })?;
        self.tally.count_object();
        let source = match &self.serde {
            Serde::Parquet => {
                let names: Vec<&str> = self.names().collect();
                let columnar = Columnar::open(bytes, &names, &self.kinds).map_err(bad)?;
                self.tally.count(columnar.scanned)?;
                Source::Parquet(Box::new(columnar))
            }
            Serde::Lazy(_) => {
                let text = unpacked(&piece.key, bytes).map_err(bad)?;
                Source::Lines(Lines::new(text, head_lines(&self.table)))
            }
            Serde::Json(serde) => {
                let text = unpacked(&piece.key, bytes).map_err(bad)?;
                let keys = self.names().map(|name| serde.key(name).to_owned());
                Source::Json(Lines::new(text, head_lines(&self.table)), keys.collect())
            }
        };
        Ok(Open { piece, source })
    }

    /// The next batch of an object; none at its end.
    fn next(&self, open: &mut Open) -> std::result::Result<Option<RecordBatch>, Trouble> {
        let Open { piece, source } = open;
        let bad = |reason: String| Trouble::BadData {
            object: format!("s3://{}/{}", piece.bucket, piece.key),
            reason,
        };
        let mut cells: Vec<Cells> = self.kinds.iter().map(Cells::new).collect();
        let mut rows = 0;
        let columns = match source {
            Source::Parquet(columnar) => match columnar.next_batch().map_err(bad)? {
                None => return Ok(None),
                Some((columns, count)) => {
                    rows = count;
                    columns
                }
            },
            Source::Lines(lines) => {
                let Serde::Lazy(serde) = &self.serde else {
                    return Ok(None);
                };
                while rows < BATCH
                    && let Some(line) = lines.next_line()
                {
                    serde.read(line, &self.data, &mut Row(&mut cells));
                    rows += 1;
                }
                cells.iter_mut().map(Cells::finish).collect()
            }
            Source::Json(lines, keys) => {
                let Serde::Json(serde) = &self.serde else {
                    return Ok(None);
                };
                while rows < BATCH
                    && let Some(line) = lines.next_line()
                {
                    serde.read(line, keys, &mut Row(&mut cells)).map_err(bad)?;
                    rows += 1;
                }
                cells.iter_mut().map(Cells::finish).collect()
            }
        };
        if rows == 0 {
            return Ok(None);
        }
        self.batch(&columns, rows, &piece.values)
            .map(Some)
            .map_err(|error| bad(error.to_string()))
    }

    fn batch(&self, data: &[ArrayRef], rows: usize, values: &[String]) -> Result<RecordBatch> {
        let mut constants: BTreeMap<usize, ArrayRef> = BTreeMap::new();
        let mut columns = Vec::with_capacity(self.slots.len());
        for (slot, field) in self.slots.iter().zip(self.schema.fields()) {
            columns.push(match slot {
                Slot::Data(place) => Arc::clone(&data[*place]),
                Slot::Partition(place) => {
                    if !constants.contains_key(place) {
                        let mut cells = Cells::new(field.data_type());
                        cells.push(values.get(*place).map(String::as_str));
                        let one = ScalarValue::try_from_array(&cells.finish(), 0)?;
                        constants.insert(*place, one.to_array_of_size(rows)?);
                    }
                    Arc::clone(&constants[place])
                }
            });
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(RecordBatch::try_new_with_options(
            Arc::clone(&self.schema),
            columns,
            &options,
        )?)
    }
}

/// A row on its way into the columns.
pub(super) struct Row<'a>(&'a mut [Cells]);

impl Row<'_> {
    /// The value of the column that is `slot`th of those wanted.
    pub(super) fn push(&mut self, slot: usize, text: Option<&str>) {
        self.0[slot].push(text);
    }
}

/// An object that is being read.
struct Open {
    piece: Piece,
    source: Source,
}

enum Source {
    Lines(Lines),
    /// With the key of each wanted column.
    Json(Lines, Vec<String>),
    Parquet(Box<Columnar>),
}

/// One thread's batches, object after object.
struct Batches {
    reader: Arc<Reader>,
    pieces: std::vec::IntoIter<Piece>,
    open: Option<Open>,
    failed: bool,
}

impl Batches {
    fn advance(&mut self) -> std::result::Result<Option<RecordBatch>, Trouble> {
        loop {
            if let Some(open) = &mut self.open {
                if let Some(batch) = self.reader.next(open)? {
                    return Ok(Some(batch));
                }
                self.open = None;
            }
            let Some(piece) = self.pieces.next() else {
                return Ok(None);
            };
            self.open = Some(self.reader.open(piece)?);
        }
    }
}

impl Iterator for Batches {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let batch = self.advance().map_err(|trouble| {
            self.failed = true;
            let trouble = self.reader.tally.note(trouble);
            DataFusionError::External(Box::new(trouble))
        });
        batch.transpose()
    }
}
