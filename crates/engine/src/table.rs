//! A table of logs as DataFusion sees it: a share of the objects for each core, read on threads
//! that may wait, so that the query's own threads never do.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchReceiverStreamBuilder;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use onair_logs::schema::Table;
use tokio::sync::OnceCell;
use tokio::sync::mpsc::Sender;
use tokio::task::JoinSet;

use crate::batches;
use crate::cache::Cache;
use crate::error::EngineError;
use crate::log::Log;
use crate::logs::Logs;
use crate::objects::Object;
use crate::reader::Reader;

/// Batches that a reader may be ahead of its query.
const AHEAD: usize = 2;

/// Log objects as a table.
#[derive(Debug)]
pub(crate) struct LogTable {
    source: Logs,
    schema: SchemaRef,
    listed: OnceCell<Arc<[Object]>>,
    threads: usize,
    cache: Mutex<Option<Arc<Cache>>>,
}

impl LogTable {
    pub(crate) fn new(source: Logs, threads: usize, cache: Option<Arc<Cache>>) -> Self {
        Self {
            schema: batches::schema(source.table.columns()),
            source,
            listed: OnceCell::new(),
            threads,
            cache: Mutex::new(cache),
        }
    }

    /// What its columns are.
    pub(crate) fn table(&self) -> Table {
        self.source.table
    }

    /// Where rows are taken from and put, if anywhere.
    pub(crate) fn cache(&self) -> Option<Arc<Cache>> {
        self.cache
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// From now on rows are taken from there.
    pub(crate) fn set_cache(&self, cache: Arc<Cache>) {
        *self.cache.lock().unwrap_or_else(PoisonError::into_inner) = Some(cache);
    }

    /// The objects, listed once, the largest first: the last one to be read should be a short one.
    async fn objects(&self) -> Result<Arc<[Object]>> {
        let list = async || {
            let place = self.source.objects.clone();
            let listed = tokio::task::spawn_blocking(move || place.list())
                .await
                .map_err(|panic| DataFusionError::ExecutionJoin(Box::new(panic)))?;
            let mut objects = listed.map_err(|source| {
                DataFusionError::External(Box::new(EngineError::Object {
                    name: self.source.objects.place(),
                    source,
                }))
            })?;
            objects.sort_by(|one, other| (other.size, &one.name).cmp(&(one.size, &other.name)));
            Ok::<_, DataFusionError>(Arc::from(objects))
        };
        Ok(self.listed.get_or_try_init(list).await?.clone())
    }

    /// A pass over all objects for `columns`, places in the table's.
    pub(crate) async fn pass(&self, columns: Vec<usize>) -> Result<Arc<Pass>> {
        let objects = self.objects().await?;
        Ok(Arc::new(Pass {
            reader: Reader::new(self.source.clone(), columns, self.cache()),
            objects,
            taken: Mutex::new(Vec::new()),
        }))
    }

    /// Reads columns of all objects into the cache, where they are not there yet.
    pub(crate) async fn warm(&self, columns: Vec<usize>, log: Arc<Log>) -> Result<()> {
        let pass = self.pass(columns).await?;
        let wanted = Wanted(Arc::new(AtomicBool::new(true)));
        let mut readers = JoinSet::new();
        for _ in 0..self.threads {
            let (pass, log, wanted) = (pass.clone(), log.clone(), wanted.0.clone());
            readers.spawn_blocking(move || pass.warm(&log, &|| wanted.load(Ordering::Relaxed)));
        }
        while let Some(ended) = readers.join_next().await {
            ended.map_err(|panic| DataFusionError::ExecutionJoin(Box::new(panic)))?;
        }
        Ok(())
    }
}

#[async_trait]
impl TableProvider for LogTable {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let columns: Vec<usize> = match projection {
            Some(projection) => projection.clone(),
            None => (0..self.table().columns().len()).collect(),
        };
        let pass = self.pass(columns).await?;
        let shares = (0..self.threads)
            .map(|_| {
                Arc::new(Share {
                    pass: pass.clone(),
                    runs: AtomicUsize::new(0),
                }) as Arc<dyn PartitionStream>
            })
            .collect();
        Ok(Arc::new(StreamingTableExec::try_new(
            pass.reader.schema().clone(),
            shares,
            None,
            [],
            false,
            limit,
        )?))
    }
}

/// One reading of all objects, shared by several threads.
#[derive(Debug)]
pub(crate) struct Pass {
    reader: Reader,
    objects: Arc<[Object]>,
    /// Objects taken so far, for each time that the plan is executed: a recursive query does so again
    /// and again.
    taken: Mutex<Vec<Arc<AtomicUsize>>>,
}

impl Pass {
    /// Reads objects that nobody else has taken until there are none, or nobody wants more.
    /// Must be called where waiting is allowed.
    pub(crate) fn read(
        &self,
        run: usize,
        log: &Log,
        is_wanted: &(dyn Fn() -> bool + Sync),
        give: &mut dyn FnMut(RecordBatch) -> ControlFlow<()>,
    ) {
        let taken = self.taken(run);
        while let Some(object) = self.objects.get(taken.fetch_add(1, Ordering::Relaxed)) {
            if !is_wanted() || self.reader.read(object, log, is_wanted, give).is_break() {
                break;
            }
        }
    }

    /// Reads objects into the cache, as [`Pass::read`] does for a query.
    fn warm(&self, log: &Log, is_wanted: &(dyn Fn() -> bool + Sync)) {
        let taken = self.taken(0);
        while let Some(object) = self.objects.get(taken.fetch_add(1, Ordering::Relaxed)) {
            if !is_wanted() || self.reader.warm(object, log, is_wanted).is_break() {
                break;
            }
        }
    }

    fn taken(&self, run: usize) -> Arc<AtomicUsize> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        while taken.len() <= run {
            taken.push(Arc::default());
        }
        taken[run].clone()
    }
}

/// Says no as soon as it is dropped.
struct Wanted(Arc<AtomicBool>);

impl Drop for Wanted {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

/// One of the threads that read.
#[derive(Debug)]
struct Share {
    pass: Arc<Pass>,
    runs: AtomicUsize,
}

impl PartitionStream for Share {
    fn schema(&self) -> &SchemaRef {
        self.pass.reader.schema()
    }

    fn execute(&self, context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let run = self.runs.fetch_add(1, Ordering::Relaxed);
        let log = context.session_config().get_extension().unwrap_or_default();
        let pass = self.pass.clone();
        let mut stream = RecordBatchReceiverStreamBuilder::new(self.schema().clone(), AHEAD);
        let sender = stream.tx();
        stream.spawn_blocking(move || {
            feed(&pass, run, &log, &sender);
            Ok(())
        });
        stream.build()
    }
}

fn feed(pass: &Pass, run: usize, log: &Log, sender: &Sender<Result<RecordBatch>>) {
    let is_wanted = || !sender.is_closed();
    pass.read(
        run,
        log,
        &is_wanted,
        &mut |batch| match sender.blocking_send(Ok(batch)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        },
    );
}
