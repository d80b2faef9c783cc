//! The session: settings, tables, queries.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use datafusion::catalog::default_table_source::source_as_provider;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::{SessionStateBuilder, TaskContext};
use datafusion::logical_expr::LogicalPlan;
use datafusion::optimizer::Optimizer;
use datafusion::physical_plan::execute_stream;
use datafusion::prelude::{SessionConfig, SessionContext};
use futures_util::StreamExt;
use onair_logs::schema::Table;
use onair_logs::value::{ResultColumn, Value};
use tokio::runtime::Runtime;
use tokio::task::AbortHandle;

use crate::cache::Cache;
use crate::distinct::TwoLevelGrouping;
use crate::error::EngineError;
use crate::log::Log;
use crate::logs::{Logs, Read};
use crate::memory::Pool;
use crate::own_strings::BelowFirstRows;
use crate::table::LogTable;
use crate::{batches, dialect, explain, functions, values};

/// The planner goes down into a query as deep as it is nested.
const STACK: usize = 16 << 20;

/// Bytes of the pool that there are for each row of a batch.
const A_ROW: usize = 16 << 10;

/// How an engine works.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What grouping, sorting and the result may hold in memory, bytes; beyond it they spill.
    pub memory: usize,
    /// Where they spill to.
    pub spill: PathBuf,
    /// Objects read side by side; 0: one a core.
    pub threads: usize,
    /// Where selected columns are kept as Parquet for the next query; none: nowhere.
    pub cache: Option<PathBuf>,
    /// The most that the cache may hold, bytes.
    pub cache_limit: u64,
}

/// A session of the embedded engine.
///
/// Queries run on threads of its own, so that it can be used from any runtime. To drop it stops them.
pub struct Engine {
    settings: Settings,
    threads: usize,
    context: SessionContext,
    cache: Option<Arc<Cache>>,
    tables: Mutex<BTreeMap<String, Arc<LogTable>>>,
    scratch: Mutex<Option<Arc<Scratch>>>,
    runtime: Option<Runtime>,
}

/// A cache for the session alone, for what one query or report reads more than once.
#[derive(Debug)]
struct Scratch {
    cache: Arc<Cache>,
    _folder: tempfile::TempDir,
}

/// What a query gave.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ran {
    /// Name and Trino's type.
    pub columns: Vec<ResultColumn>,
    /// Each as long as `columns`.
    pub rows: Vec<Vec<Value>>,
    /// What was read for it.
    pub read: Read,
}

impl Engine {
    /// Begins a session.
    ///
    /// # Errors
    /// The folders for spilling and for the cache cannot be made.
    pub fn new(settings: Settings) -> Result<Self, EngineError> {
        let in_folder = |folder: &PathBuf| {
            let name = folder.to_string_lossy().into_owned();
            |source| EngineError::Object { name, source }
        };
        std::fs::create_dir_all(&settings.spill).map_err(in_folder(&settings.spill))?;
        let cache = match &settings.cache {
            Some(folder) => Some(Arc::new(
                Cache::new(folder, settings.cache_limit).map_err(in_folder(folder))?,
            )),
            None => None,
        };
        let threads = match settings.threads {
            0 => std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
            threads => threads,
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(threads)
            .thread_name("onair-engine")
            .thread_stack_size(STACK)
            .build()
            .map_err(|error| EngineError::Internal(error.to_string()))?;
        let context = context(&settings, threads)?;
        functions::register(&context)?;
        Ok(Self {
            settings,
            threads,
            context,
            cache,
            tables: Mutex::default(),
            scratch: Mutex::default(),
            runtime: Some(runtime),
        })
    }

    /// Puts log objects in as a table. They are listed when a query first needs them.
    ///
    /// # Errors
    /// The name is taken.
    pub fn add_logs(&self, name: &str, logs: Logs) -> Result<(), EngineError> {
        let scratch = self
            .lock(&self.scratch)
            .as_ref()
            .map(|scratch| scratch.cache.clone());
        let cache = self.cache.clone().or(scratch);
        let table = Arc::new(LogTable::new(logs, self.threads, cache));
        let taken = self.context.register_table(name, table.clone())?;
        if taken.is_some() {
            return Err(EngineError::query(
                format!("there is a table \"{name}\" already"),
                None,
            ));
        }
        self.lock(&self.tables).insert(name.to_owned(), table);
        Ok(())
    }

    /// Reads columns of a table ahead, so that the queries after it do not go through the text again:
    /// in one pass, into the cache, or, where the settings name none, into a folder that goes with the
    /// session. A report calls this once with all columns of its queries.
    ///
    /// Dropping the future stops it; what was read by then stays.
    ///
    /// # Errors
    /// There is no such table or column, or the objects cannot be listed.
    pub async fn warm(&self, table: &str, columns: &[&str]) -> Result<Read, EngineError> {
        let found = self.lock(&self.tables).get(table).cloned();
        let Some(found) = found else {
            return Err(EngineError::query(
                format!("there is no table \"{table}\""),
                None,
            ));
        };
        let places = columns
            .iter()
            .map(|name| {
                found.table().position(name).ok_or_else(|| {
                    let all = found.table().columns().iter();
                    let names: Vec<&str> = all.map(|column| column.name).collect();
                    let near = explain::nearest(name, &names)
                        .map(|near| format!("; did you mean \"{near}\"?"));
                    EngineError::query(
                        format!("there is no column \"{name}\"{}", near.unwrap_or_default()),
                        None,
                    )
                })
            })
            .collect::<Result<BTreeSet<usize>, EngineError>>()?;
        self.with_cache(&found)?;
        let log = Arc::new(Log::default());
        let kept = log.clone();
        let warmed = found.clone();
        self.apart(async move { Ok(warmed.warm(places.into_iter().collect(), kept).await?) })
            .await?;
        if let Some(cache) = found.cache() {
            cache.trim();
        }
        read(&log)
    }

    /// Runs one `SELECT` in Trino's dialect. Each `?` of the text takes the next of `parameters`.
    /// Dropping the future stops it.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub async fn run(&self, text: &str, parameters: &[Value]) -> Result<Ran, EngineError> {
        let log = Arc::new(Log::default());
        self.logged(text, parameters, &log).await
    }

    /// Runs a query that tells its reading to `log`.
    pub(crate) async fn logged(
        &self,
        text: &str,
        parameters: &[Value],
        log: &Arc<Log>,
    ) -> Result<Ran, EngineError> {
        let context = self.query_context(log);
        let planned = {
            let (context, text) = (context.clone(), text.to_owned());
            let parameters = parameters.to_vec();
            self.apart(async move {
                let plan = dialect::plan(&context, &text, &parameters).await?;
                Ok(context.state().optimize(&plan)?)
            })
            .await?
        };
        for (table, columns) in repeated(&planned)? {
            self.warm(&table, &columns).await?;
        }
        let mut ran = self
            .apart(async move { collected(&context, &planned).await })
            .await?;
        for table in self.lock(&self.tables).values() {
            if let Some(cache) = table.cache() {
                cache.trim();
            }
        }
        ran.read = read(log)?;
        Ok(ran)
    }

    /// The cache, for its size and for clearing it.
    pub fn cache(&self) -> Option<&Cache> {
        self.cache.as_deref()
    }

    /// The session, where other kinds of tables are put in.
    pub(crate) fn context(&self) -> &SessionContext {
        &self.context
    }

    /// The session with a query's own log.
    fn query_context(&self, log: &Arc<Log>) -> SessionContext {
        let mut state = self.context().state();
        state.config_mut().set_extension(log.clone());
        SessionContext::new_with_state(state)
    }

    /// Gives a table a cache if it has none.
    fn with_cache(&self, table: &LogTable) -> Result<(), EngineError> {
        if table.cache().is_some() {
            return Ok(());
        }
        let mut scratch = self.lock(&self.scratch);
        let scratch = match &mut *scratch {
            Some(scratch) => scratch,
            none => {
                let folder = tempfile::Builder::new()
                    .prefix("onair-columns-")
                    .tempdir_in(&self.settings.spill)
                    .map_err(|source| EngineError::Object {
                        name: self.settings.spill.to_string_lossy().into_owned(),
                        source,
                    })?;
                none.insert(Arc::new(Scratch {
                    cache: Arc::new(Cache::filled_by_warming(folder.path().to_owned())),
                    _folder: folder,
                }))
            }
        };
        table.set_cache(scratch.cache.clone());
        Ok(())
    }

    /// Runs a task on the engine's own threads. It is aborted when this future is dropped.
    async fn apart<Answer: Send + 'static>(
        &self,
        task: impl Future<Output = Result<Answer, EngineError>> + Send + 'static,
    ) -> Result<Answer, EngineError> {
        let runtime = self.runtime.as_ref().expect("taken in drop alone");
        let running = runtime.spawn(task);
        let _aborting = Aborting(running.abort_handle());
        match running.await {
            Ok(answer) => answer.map_err(|error| error.with_memory(self.settings.memory)),
            Err(ended) => Err(panicked(ended)),
        }
    }

    fn lock<'a, Inner>(&self, mutex: &'a Mutex<Inner>) -> MutexGuard<'a, Inner> {
        mutex.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Engine")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // To wait for its threads here would block whoever drops it, maybe within another runtime.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

struct Aborting(AbortHandle);

impl Drop for Aborting {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn panicked(ended: tokio::task::JoinError) -> EngineError {
    let Ok(panic) = ended.try_into_panic() else {
        return EngineError::Stopped;
    };
    let words = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("a panic without words");
    EngineError::Internal(words.to_owned())
}

fn context(settings: &Settings, threads: usize) -> Result<SessionContext, EngineError> {
    let disk = DiskManagerBuilder::default()
        .with_mode(DiskManagerMode::Directories(vec![settings.spill.clone()]));
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(Pool::new(settings.memory)))
        .with_disk_manager_builder(disk)
        .build_arc()?;
    // Each operator holds a few batches; in a small pool they must be small for the work to fit in.
    let rows = (settings.memory / threads / A_ROW).clamp(256, batches::ROWS);
    let mut config = SessionConfig::new()
        .with_target_partitions(threads)
        .with_batch_size(rows)
        .with_information_schema(false);
    // A sort sets this aside to merge what it spilled; the default is more than a small pool has.
    let aside = (settings.memory / (8 * threads)).min(10 << 20);
    config.options_mut().execution.sort_spill_reservation_bytes = aside;
    config.options_mut().sql_parser.collect_spans = true;
    let state = SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(runtime)
        .with_default_features()
        .with_optimizer_rules(rules())
        .with_physical_optimizer_rule(Arc::new(BelowFirstRows))
        .build();
    Ok(SessionContext::new_with_state(state))
}

/// DataFusion's rules with ours behind the one of the same kind.
fn rules() -> Vec<Arc<dyn datafusion::optimizer::OptimizerRule + Send + Sync>> {
    let mut rules = Optimizer::new().rules;
    let place = rules
        .iter()
        .position(|rule| rule.name() == "single_distinct_aggregation_to_group_by")
        .map_or(rules.len(), |place| place + 1);
    rules.insert(place, Arc::new(TwoLevelGrouping));
    rules
}

/// Tables of logs that a plan reads more than once, each with all columns that it needs: to read them
/// ahead is to go through the text once.
fn repeated(plan: &LogicalPlan) -> Result<Vec<(String, Vec<&'static str>)>, EngineError> {
    let mut scans: BTreeMap<String, (Table, usize, BTreeSet<usize>)> = BTreeMap::new();
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node
            && let Ok(provider) = source_as_provider(&scan.source)
            && let Some(logs) = provider.downcast_ref::<LogTable>()
        {
            let (_, times, columns) = scans
                .entry(scan.table_name.table().to_owned())
                .or_insert_with(|| (logs.table(), 0, BTreeSet::new()));
            *times += 1;
            match &scan.projection {
                Some(projection) => columns.extend(projection),
                None => columns.extend(0..logs.table().columns().len()),
            }
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(scans
        .into_iter()
        .filter(|(_, (_, times, _))| *times > 1)
        .map(|(name, (table, _, columns))| {
            let names = columns
                .iter()
                .map(|column| table.columns()[*column].name)
                .collect();
            (name, names)
        })
        .collect())
}

/// Runs an optimized plan and keeps its rows as values, as far as memory allows.
async fn collected(context: &SessionContext, plan: &LogicalPlan) -> Result<Ran, EngineError> {
    let state = context.state();
    let physical = state
        .query_planner()
        .create_physical_plan(plan, &state)
        .await?;
    let columns = plan
        .schema()
        .fields()
        .iter()
        .map(|field| ResultColumn {
            name: field.name().clone(),
            kind: values::kind(field.data_type()),
        })
        .collect();
    let task = Arc::new(TaskContext::from(&state));
    let result = MemoryConsumer::new("result").register(task.memory_pool());
    let mut stream = execute_stream(physical, task)?;
    let mut rows = Vec::new();
    while let Some(batch) = stream.next().await {
        let batch = batch?;
        let cells = batch.num_rows() * batch.num_columns();
        result.try_grow(batch.get_array_memory_size() + cells * size_of::<Value>())?;
        let mut columns = batch
            .columns()
            .iter()
            .map(|column| Ok(values::column(column)?.into_iter()))
            .collect::<Result<Vec<_>, EngineError>>()?;
        for _ in 0..batch.num_rows() {
            rows.push(
                columns
                    .iter_mut()
                    .map(|column| column.next().unwrap_or(Value::Null))
                    .collect(),
            );
        }
    }
    Ok(Ran {
        columns,
        rows,
        read: Read::default(),
    })
}

/// What was read; an error if there were objects and none could be opened.
fn read(log: &Log) -> Result<Read, EngineError> {
    match log.nothing_opened() {
        Some((name, source)) => Err(EngineError::Object { name, source }),
        None => Ok(log.read()),
    }
}
