//! The engine as a whole: tables over small logs made here, queries over them.

mod caching;
mod grouping;
mod limits;
mod reading;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use onair_logs::schema::Table;
use onair_logs::value::Value;

use crate::{Engine, EngineError, Folder, Logs, Ran, Settings};

/// The fields of the logs made here.
const FIELDS: &str = "date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem \
                      sc-status cs(User-Agent) cs-uri-query x-edge-response-result-type \
                      time-to-first-byte";

/// A folder for logs, one for spilling, one for a cache.
struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("logs")).unwrap();
        Self { folder }
    }

    fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    fn logs(&self) -> PathBuf {
        self.path("logs")
    }

    /// An object with these lines below a head.
    fn write(&self, name: &str, lines: &[String]) {
        let mut text = format!("#Version: 1.0\n#Fields: {FIELDS}\n");
        for line in lines {
            text.push_str(line);
            text.push('\n');
        }
        let path = self.logs().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, gzip(text.as_bytes())).unwrap();
    }

    fn settings(&self) -> Settings {
        Settings {
            memory: 256 << 20,
            spill: self.path("spill"),
            threads: 2,
            cache: None,
            cache_limit: 1 << 30,
        }
    }

    fn cached(&self) -> Settings {
        Settings {
            cache: Some(self.path("cache")),
            ..self.settings()
        }
    }

    fn engine(&self, settings: Settings) -> Engine {
        self.engine_of(settings, None)
    }

    fn engine_of(&self, settings: Settings, window: Option<(&str, &str)>) -> Engine {
        let engine = Engine::new(settings).unwrap();
        let window = window.map(|(from, until)| (from.parse().unwrap(), until.parse().unwrap()));
        for kind in Table::ALL {
            let logs = Logs {
                table: kind,
                ..table(&self.logs(), window)
            };
            engine.add_logs(kind.name(), logs).unwrap();
        }
        engine
    }
}

fn table(folder: &Path, window: Option<(jiff::civil::DateTime, jiff::civil::DateTime)>) -> Logs {
    Logs {
        table: Table::Requests,
        objects: Arc::new(Folder(folder.to_owned())),
        window,
        fields: vec![],
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Waits for a query as the command line does: on a runtime of one thread.
fn waited<Answer>(future: impl Future<Output = Answer>) -> Answer {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

fn run(engine: &Engine, text: &str) -> Result<Ran, EngineError> {
    waited(engine.run(text, &[]))
}

fn rows(engine: &Engine, text: &str) -> Vec<Vec<Value>> {
    run(engine, text)
        .unwrap_or_else(|error| panic!("{text}: {error}"))
        .rows
}

fn line(number: usize) -> String {
    let minute = number % 60;
    let edge = ["VIE50-C1", "FRA56-P3", "-"][number % 3];
    let status = if number.is_multiple_of(10) {
        "404"
    } else {
        "200"
    };
    format!(
        "2026-06-14\t17:{minute:02}:{:02}\t{edge}\t{}\t10.0.{}.{}\tGET\td111.cloudfront.net\t/live/seg{number}.m4s\t{status}\tplayer/1\tCMCD=sid%3D%22{}%22\tHit\t0.0{}",
        number % 60,
        1000 + number,
        number % 7,
        number % 11,
        number % 13,
        number % 10,
    )
}

fn lines(numbers: std::ops::Range<usize>) -> Vec<String> {
    numbers.map(line).collect()
}

fn integer(value: i64) -> Value {
    Value::Integer(value)
}

fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}
