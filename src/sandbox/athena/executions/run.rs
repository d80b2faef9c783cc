//! The SQL itself: tables from the embedded Glue catalog over the embedded S3, on the engine that
//! local queries run on.

use jiff::Timestamp;
use onair_logs::value::{ResultColumn, Value};

use super::{Execution, Outcome, World, sheet};

/// What came of the SQL.
struct Found {
    columns: Vec<ResultColumn>,
    rows: Vec<Vec<Value>>,
    scanned: u64,
}

/// Why nothing came of it.
struct Fault {
    /// Of Athena's error catalog; none: it was cancelled.
    kind: Option<i32>,
    reason: String,
    scanned: u64,
}

impl Fault {
    fn new(kind: i32, reason: impl Into<String>) -> Self {
        Self {
            kind: Some(kind),
            reason: reason.into(),
            scanned: 0,
        }
    }
}

/// Runs a query and leaves its result in the bucket.
pub(super) fn run(
    execution: &Execution,
    region: &str,
    now: Timestamp,
    world: &mut World<'_>,
) -> Outcome {
    let found = match work(execution, region, world) {
        Ok(found) => found,
        Err(Fault {
            kind: Some(kind),
            reason,
            scanned,
        }) => return Outcome::failed(now, kind, reason, scanned),
        Err(Fault {
            kind: None,
            reason,
            scanned,
        }) => return Outcome::cancelled(now, &reason, scanned),
    };
    let names = found.columns.iter().map(|column| Some(column.name.clone()));
    let mut rows: Vec<Vec<Option<String>>> = vec![names.collect()];
    rows.extend(
        found
            .rows
            .iter()
            .map(|row| row.iter().map(text).collect::<Vec<_>>()),
    );
    let place = execution.output.trim_start_matches("s3://");
    let (bucket, key) = place.split_once('/').unwrap_or((place, ""));
    let body = sheet::written(&rows);
    if !world.buckets.deliver(bucket, key, body.as_bytes(), now) {
        let reason = format!("The S3 location {} cannot be written", execution.output);
        return Outcome::failed(now, 401, reason, found.scanned);
    }
    world.wrote = true;
    Outcome {
        state: "SUCCEEDED".to_owned(),
        completed: now,
        reason: None,
        error: None,
        scanned: found.scanned,
        columns: found
            .columns
            .iter()
            .map(|column| {
                let base = column.kind.split('(').next().unwrap_or_default();
                (column.name.clone(), base.to_owned())
            })
            .collect(),
        reused: false,
    }
}

/// A value as Athena writes it; none for NULL.
fn text(value: &Value) -> Option<String> {
    let inner = |value: &Value| text(value).unwrap_or_else(|| "null".to_owned());
    Some(match value {
        Value::Null => return None,
        Value::Boolean(value) => value.to_string(),
        Value::Integer(value) => value.to_string(),
        Value::Double(value) => double(*value),
        Value::Text(value) => value.clone(),
        Value::Timestamp(value) => value.strftime("%Y-%m-%d %H:%M:%S%.3f").to_string(),
        Value::Date(value) => value.to_string(),
        Value::List(values) => {
            let values: Vec<String> = values.iter().map(inner).collect();
            format!("[{}]", values.join(", "))
        }
        Value::Map(pairs) => {
            let pairs: Vec<String> = pairs
                .iter()
                .map(|(key, value)| format!("{}={}", inner(key), inner(value)))
                .collect();
            format!("{{{}}}", pairs.join(", "))
        }
    })
}

/// A double as Java writes it.
fn double(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        let sign = if value < 0.0 { "-" } else { "" };
        return format!("{sign}Infinity");
    }
    if value == 0.0 || (1e-3..1e7).contains(&value.abs()) {
        return format!("{value:?}");
    }
    let text = format!("{value:E}");
    let (digits, exponent) = text.split_once('E').unwrap_or((&text, "0"));
    let point = if digits.contains('.') { "" } else { ".0" };
    format!("{digits}{point}E{exponent}")
}

#[cfg(not(feature = "engine"))]
fn work(_: &Execution, _: &str, _: &mut World<'_>) -> Result<Found, Fault> {
    Err(Fault::new(
        9999,
        "this build of onair has no query engine, so its embedded Athena runs no SQL: build it with \
         the feature `engine`",
    ))
}

#[cfg(feature = "engine")]
use with_engine::work;

#[cfg(feature = "engine")]
mod with_engine {
    use std::collections::BTreeMap;
    use std::io;
    use std::sync::Arc;
    use std::sync::mpsc::{Sender, channel};

    use onair_engine::hive::{HiveTable, Storage, Tally, Trouble};
    use onair_engine::{Engine, EngineError, Ran, Settings};
    use onair_logs::value::Value;

    use super::{Execution, Fault, Found, World};
    use crate::sandbox::athena::executions::literals;
    use crate::sandbox::s3::Content;

    /// What one query may hold in memory.
    const MEMORY: usize = 512 << 20;
    /// Rows that a result has at most: it is kept in the state.
    const MOST_ROWS: usize = 200_000;

    pub(super) fn work(
        execution: &Execution,
        region: &str,
        world: &mut World<'_>,
    ) -> Result<Found, Fault> {
        let first = execution
            .text
            .split_whitespace()
            .find(|word| !word.is_empty())
            .unwrap_or_default()
            .trim_start_matches('(')
            .to_ascii_lowercase();
        if [
            "create", "drop", "alter", "insert", "msck", "show", "describe", "unload", "delete",
            "merge", "update",
        ]
        .contains(&first.as_str())
        {
            return Err(Fault::new(
                1003,
                format!("NOT_SUPPORTED: the embedded Athena runs queries alone, not {first}"),
            ));
        }
        let parameters = execution
            .parameters
            .iter()
            .map(|text| {
                literals::value(text).ok_or_else(|| {
                    Fault::new(
                        1100,
                        format!("INVALID_PARAMETER_USAGE: the parameter {text} is no literal"),
                    )
                })
            })
            .collect::<Result<Vec<_>, _>>()?;
        let tally = Tally::limited(execution.cutoff);
        let tables = described(execution, region, world);
        let ran = asked(execution, &parameters, tables, world, &tally);
        let scanned = tally.bytes();
        let ran = ran.map_err(|error| Fault {
            scanned,
            ..fault(&error, tally.trouble())
        })?;
        if ran.rows.len() > MOST_ROWS {
            return Err(Fault::new(
                5,
                format!("the embedded Athena keeps results of {MOST_ROWS} rows at most"),
            ));
        }
        Ok(Found {
            columns: ran.columns,
            rows: ran.rows,
            scanned,
        })
    }

    /// The tables that the text may name.
    fn described(execution: &Execution, region: &str, world: &World<'_>) -> Vec<HiveTable> {
        let text = execution.text.to_lowercase();
        let tables = world.catalog.tables(region);
        tables
            .filter(|(_, name, _)| text.contains(name))
            .map(|(database, name, input)| described_table(database, name, input))
            .collect()
    }

    /// The members of `TableInput` as the engine takes them.
    fn described_table(
        database: &str,
        name: &str,
        input: &serde_json::Map<String, serde_json::Value>,
    ) -> HiveTable {
        let empty = serde_json::Value::Null;
        let member = |name: &str| input.get(name).unwrap_or(&empty);
        let storage = member("StorageDescriptor");
        let columns = |list: &serde_json::Value| {
            let list = list.as_array().into_iter().flatten();
            list.map(|column| {
                let text = |name: &str| column[name].as_str().unwrap_or_default().to_lowercase();
                (text("Name"), text("Type"))
            })
            .collect()
        };
        let texts = |map: &serde_json::Value| {
            let map = map.as_object().into_iter().flatten();
            map.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
                .collect::<BTreeMap<_, _>>()
        };
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        HiveTable {
            database: database.to_owned(),
            name: name.to_owned(),
            columns: columns(&storage["Columns"]),
            partition_keys: columns(member("PartitionKeys")),
            location: text(&storage["Location"]),
            serde: text(&storage["SerdeInfo"]["SerializationLibrary"]),
            serde_parameters: texts(&storage["SerdeInfo"]["Parameters"]),
            parameters: texts(member("Parameters")),
        }
    }

    /// Asks the engine, on a thread of its own, and serves what it reads from here, where the state is.
    fn asked(
        execution: &Execution,
        parameters: &[Value],
        tables: Vec<HiveTable>,
        world: &mut World<'_>,
        tally: &Tally,
    ) -> Result<Ran, EngineError> {
        let internal = |error: &dyn std::fmt::Display| EngineError::Internal(error.to_string());
        let spill = tempfile::tempdir().map_err(|error| internal(&error))?;
        let engine = Engine::new(Settings {
            memory: MEMORY,
            spill: spill.path().to_owned(),
            threads: 0,
            cache: None,
            cache_limit: 0,
        })?;
        let (sender, receiver) = channel();
        let storage: Arc<dyn Storage> = Arc::new(Asking(sender.clone()));
        let mut unusable = Vec::new();
        for table in tables {
            let name = table.name.clone();
            let is_default = execution.database.as_deref() == Some(table.database.as_str());
            if let Err(trouble) =
                engine.add_hive(table, is_default, Arc::clone(&storage), tally.clone())
            {
                unusable.push(format!("table {name}: {trouble}"));
            }
        }
        let ran = std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut done = Done(Some(sender), None);
                let runtime = tokio::runtime::Builder::new_current_thread().build();
                done.1 = Some(match runtime {
                    Ok(runtime) => runtime.block_on(engine.run(&execution.text, parameters)),
                    Err(error) => Err(EngineError::Internal(error.to_string())),
                });
            });
            loop {
                match receiver.recv() {
                    Ok(Ask::List(bucket, prefix, reply)) => {
                        drop(reply.send(list(world, &bucket, &prefix)));
                    }
                    Ok(Ask::Read(bucket, key, reply)) => {
                        drop(reply.send(content(world, &bucket, &key)));
                    }
                    Ok(Ask::Done(ran)) => return *ran,
                    Err(error) => return Err(internal(&error)),
                }
            }
        });
        ran.map_err(|error| match (error, unusable.is_empty()) {
            (EngineError::Query { message, at }, false) => EngineError::Query {
                message: format!("{message} ({})", unusable.join("; ")),
                at,
            },
            (error, _) => error,
        })
    }

    /// In Athena's words and numbers.
    fn fault(error: &EngineError, trouble: Option<Trouble>) -> Fault {
        match trouble {
            Some(Trouble::Cutoff { .. }) => {
                return Fault {
                    kind: None,
                    reason: "Query cancelled! : Bytes scanned limit was exceeded".to_owned(),
                    scanned: 0,
                };
            }
            Some(trouble @ Trouble::BadData { .. }) => {
                return Fault::new(1200, format!("HIVE_BAD_DATA: {trouble}"));
            }
            Some(trouble @ Trouble::Storage { .. }) => {
                return Fault::new(1306, format!("HIVE_FILESYSTEM_ERROR: {trouble}"));
            }
            Some(trouble @ Trouble::Table(_)) => {
                return Fault::new(1004, format!("HIVE_INVALID_METADATA: {trouble}"));
            }
            None => {}
        }
        match error {
            EngineError::Query { message, at } => {
                let place = at.map_or_else(String::new, |(line, column)| {
                    format!("line {line}:{column}: ")
                });
                let lower = message.to_lowercase();
                let (kind, word) = if lower.contains("table") {
                    (1110, "TABLE_NOT_FOUND")
                } else if lower.contains("column") || lower.contains("field") {
                    (1004, "COLUMN_NOT_FOUND")
                } else if lower.contains("function") {
                    (1006, "FUNCTION_NOT_FOUND")
                } else {
                    (1006, "SYNTAX_ERROR")
                };
                Fault::new(kind, format!("{word}: {place}{message}"))
            }
            EngineError::Memory { .. } => Fault::new(5, format!("EXCEEDED_MEMORY_LIMIT: {error}")),
            other => Fault::new(9999, format!("GENERIC_INTERNAL_ERROR: {other}")),
        }
    }

    /// What the engine's threads ask of the thread that has the state.
    enum Ask {
        List(String, String, Sender<io::Result<Vec<(String, u64)>>>),
        Read(String, String, Sender<io::Result<Content>>),
        Done(Box<Result<Ran, EngineError>>),
    }

    /// Tells the end, also that of a thread that panics.
    struct Done(Option<Sender<Ask>>, Option<Result<Ran, EngineError>>);

    impl Drop for Done {
        fn drop(&mut self) {
            let ran = self.1.take().unwrap_or_else(|| {
                Err(EngineError::Internal(
                    "the query's thread panicked".to_owned(),
                ))
            });
            if let Some(sender) = self.0.take() {
                // Nobody waits any more only when the whole query is over.
                drop(sender.send(Ask::Done(Box::new(ran))));
            }
        }
    }

    /// The embedded S3, as a thread of the engine reaches it.
    #[derive(Debug)]
    struct Asking(Sender<Ask>);

    impl Asking {
        fn ask<T>(&self, make: impl FnOnce(Sender<io::Result<T>>) -> Ask) -> io::Result<T> {
            let over = |()| io::Error::new(io::ErrorKind::Interrupted, "the query is over");
            let (reply, answer) = channel();
            self.0.send(make(reply)).map_err(|_| over(()))?;
            answer.recv().map_err(|_| over(()))?
        }
    }

    impl Storage for Asking {
        fn list(&self, bucket: &str, prefix: &str) -> io::Result<Vec<(String, u64)>> {
            self.ask(|reply| Ask::List(bucket.to_owned(), prefix.to_owned(), reply))
        }

        fn read(&self, bucket: &str, key: &str) -> io::Result<Vec<u8>> {
            match self.ask(|reply| Ask::Read(bucket.to_owned(), key.to_owned(), reply))? {
                Content::Bytes(bytes) => Ok(bytes),
                Content::File(path) => std::fs::read(path),
            }
        }
    }

    /// Logs are delivered when somebody looks: here, folder by folder.
    fn list(world: &mut World<'_>, bucket: &str, prefix: &str) -> io::Result<Vec<(String, u64)>> {
        world.wrote |= (world.deliver)(world.buckets, bucket, prefix);
        if !world.buckets.has(bucket) {
            return Err(io::Error::new(
                io::ErrorKind::NotFound,
                format!("The specified bucket does not exist: {bucket}"),
            ));
        }
        let keys = world.buckets.keys_below(bucket, prefix).into_iter();
        Ok(keys
            .filter_map(|key| {
                let (size, _) = world.buckets.content_of(bucket, &key)?;
                Some((key, size))
            })
            .collect())
    }

    fn content(world: &World<'_>, bucket: &str, key: &str) -> io::Result<Content> {
        let content = world.buckets.content_of(bucket, key);
        content
            .map(|(_, content)| content)
            .ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_are_written_as_java_does() {
        for (value, expected) in [
            (0.0, "0.0"),
            (1.5, "1.5"),
            (-100.0, "-100.0"),
            (0.001, "0.001"),
            (0.000_12, "1.2E-4"),
            (12_345_678.0, "1.2345678E7"),
            (1e10, "1.0E10"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(double(value), expected);
        }
    }
}
