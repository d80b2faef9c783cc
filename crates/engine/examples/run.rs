//! Runs one query over log files: what the benchmark measures.
//!
//! `run [--memory MB] [--threads N] [--cache FOLDER] [--spill FOLDER] [--repeat N] PLACE SQL`
//!
//! Rows go to standard output, tab-separated; what was read to standard error.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use onair_engine::{Engine, Folder, RequestsTable, Settings};
use onair_logs::value::Value;

fn main() -> ExitCode {
    match told(std::env::args().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing is left to do where standard error is closed.
            drop(writeln!(io::stderr(), "{error}"));
            ExitCode::FAILURE
        }
    }
}

fn told(mut arguments: impl Iterator<Item = String>) -> Result<(), Box<dyn std::error::Error>> {
    let mut settings = Settings {
        memory: 512 << 20,
        spill: std::env::temp_dir().join("onair-engine-run"),
        threads: 0,
        cache: None,
        cache_limit: 10 << 30,
    };
    let mut repeat = 1;
    let mut words = Vec::new();
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} takes a value"));
        match argument.as_str() {
            "--memory" => settings.memory = value()?.parse::<usize>()? << 20,
            "--threads" => settings.threads = value()?.parse()?,
            "--cache" => settings.cache = Some(PathBuf::from(value()?)),
            "--spill" => settings.spill = PathBuf::from(value()?),
            "--repeat" => repeat = value()?.parse()?,
            _ => words.push(argument),
        }
    }
    let [place, text] = &words[..] else {
        return Err("give a place and a query".into());
    };
    let engine = Engine::new(settings)?;
    engine.add_requests(
        "requests",
        RequestsTable {
            objects: Arc::new(Folder(PathBuf::from(place))),
            window: None,
            fields: vec![],
        },
    )?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    for _ in 0..repeat {
        let ran = runtime.block_on(engine.run(text, &[]))?;
        let mut out = io::BufWriter::new(io::stdout().lock());
        for row in &ran.rows {
            let cells: Vec<String> = row.iter().map(shown).collect();
            writeln!(out, "{}", cells.join("\t"))?;
        }
        out.flush()?;
        writeln!(
            io::stderr(),
            "{} rows of {} objects, {} bad lines, {} from the cache",
            ran.read.rows(),
            ran.read.objects.len(),
            ran.read.bad(),
            ran.read.cached
        )?;
    }
    Ok(())
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Boolean(value) => value.to_string(),
        Value::Integer(value) => value.to_string(),
        Value::Double(value) => value.to_string(),
        Value::Text(value) => value.escape_debug().to_string(),
        Value::Timestamp(value) => value.to_string(),
        Value::Date(value) => value.to_string(),
        other => format!("{other:?}"),
    }
}
