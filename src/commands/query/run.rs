//! `onair query run`: asks the logs and shows the rows.

use onair_logs::value::Value;
use serde_json::{Value as Json, json};

use super::completeness;
use super::place::{self, LocalAsked};
use super::show::{SourceArgument, no_table, when};
use super::subject::{self, Ready};
use crate::commands::window::Times;
use crate::context::{Context, Session};
use crate::error::{Exit, Failure};
use crate::event::bytes::{parse_bytes, short_bytes};
use crate::event::text::{printable, shortened};
use crate::event::time::{self, When};
use crate::event::window::EventTimes;
use crate::ledger::view::View;
use crate::query::parameters::Given;
use crate::query::text;
use crate::query::view::Table;
use crate::query::{Answered, Asked, CatalogQuery, QueryEngine, Source, Window, named};
use crate::render::{Answer, Head, ResultRows};
use crate::report::Completeness;
use crate::runbook::Runbook;
use crate::ui::{DIM, WARN};

pub(super) const COMMAND: &str = "query run";

/// A table for people is cut after so many rows.
const MOST_SHOWN: usize = 10_000;
/// Bad lines that are shown in the text.
const SAMPLES_SHOWN: usize = 3;

/// Run a query over the event's logs
///
/// On Athena in the event's account (where one small query more counts the rows, to tell how complete the
/// logs are), or with --local on this machine, over files or folders of CloudFront
/// logs of any kind and format. Without a runbook --local works, too, and reads all that is there;
/// --source realtime then says how real-time lines without a head are laid out. Nothing is asked from AWS for files on this
/// machine.
///
/// NAME is a query of `onair query list`, or @FILE; --sql takes a text. A text is one SELECT in Trino's
/// dialect over the table `requests`; it may have parameters as :name, which -p gives. With --local it may
/// read AWS WAF's logs, too, as the table `waf` (`onair query list --columns waf`).
///
/// Example: onair query run top-addresses --since ko --until ko+30m, or: onair query run countries --local ./logs
#[derive(Debug, clap::Args)]
pub(crate) struct RunArgs {
    /// The query, or @FILE
    #[arg(value_name = "NAME", conflicts_with = "sql", add = clap_complete::ArgValueCompleter::new(crate::commands::complete::queries))]
    name: Option<String>,
    /// Run this text instead
    #[arg(long, value_name = "TEXT")]
    sql: Option<String>,
    /// A parameter's value
    #[arg(short = 'p', long = "parameter", value_name = "NAME=VALUE", value_parser = Given::parse)]
    parameters: Vec<Given>,
    #[expect(clippy::doc_markdown, reason = "help, shown as it stands")]
    /// Read these logs on this machine: a file, a folder, s3://bucket/prefix or logs://GROUP
    #[arg(long, value_name = "PLACE")]
    local: Option<String>,
    /// Which logs to ask; by default those that the query is about
    #[arg(long, value_enum)]
    source: Option<SourceArgument>,
    /// From when on: ko+15m, 22:45, RFC 3339; by default the event's doors less its grace. --until, or --for, is the other end
    #[arg(long, value_name = "TIME", value_parser = when)]
    since: Option<When>,
    /// Give up no more than this many rows
    #[arg(long, value_name = "N")]
    rows: Option<usize>,
    /// Refuse to scan more on Athena; by default what the runbook says
    #[arg(long, value_name = "BYTES", value_parser = bytes, conflicts_with = "local")]
    max_scan: Option<u64>,
    /// What the local engine may hold in memory before it spills; by default 512 MiB
    #[arg(long, value_name = "BYTES", value_parser = bytes, requires = "local")]
    memory: Option<u64>,
    /// Keep no columns of the logs on this machine for the next query
    #[arg(long, requires = "local")]
    no_cache: bool,
    /// Exit 3 unless at least 99% of the requests that CloudWatch counted are in the logs
    #[arg(long = "final")]
    is_final: bool,
}

fn bytes(text: &str) -> Result<u64, String> {
    parse_bytes(text).map_err(|error| error.to_string())
}

pub(super) async fn run(args: &RunArgs, context: &Context) -> Result<Answer, Failure> {
    let local = args.local.as_deref().map(|place| LocalAsked {
        place,
        memory: args.memory,
        caches: !args.no_cache,
        source: Source::default(),
        window: None,
    });
    let runbook = match &local {
        Some(_) => subject::runbook(context)?,
        None => Some(context.chosen()?.loaded.runbook),
    };
    let query = subject::of(args.name.as_deref(), args.sql.as_deref(), runbook.as_ref())?;
    let source = args
        .source
        .map_or_else(|| named::source_of(&query), Source::from);
    let local = local.map(|local| LocalAsked { source, ..local });
    let asks_aws = local.as_ref().is_none_or(LocalAsked::is_remote)
        || subject::names_an_action(&query, &args.parameters);
    let session = if asks_aws {
        Some(context.session().await?)
    } else {
        None
    };
    let ledger = match &session {
        Some(session) => Some(session.read_ledger().await?.view),
        None => None,
    };
    let times = Times {
        event: times_of(session.as_ref(), ledger.as_ref(), runbook.as_ref()),
        ledger: ledger.as_ref(),
        now: place::now(context, session.as_ref()),
    };
    let window = times.window(args.since.as_ref(), &context.options)?;
    let local = local.map(|local| LocalAsked { window, ..local });
    let ready = subject::ready(&query, &args.parameters, &times, window, runbook.as_ref())?;
    let mut warnings = ready.warnings.clone();
    let engine: Box<dyn QueryEngine + '_> = match (&local, &session) {
        (Some(local), _) => {
            let clock = place::clock(context, session.as_ref());
            place::local(local, context, session.as_ref(), runbook.as_ref(), clock)?
        }
        (None, Some(session)) => {
            let table = Table::of(&session.runbook, source)
                .ok_or_else(|| no_table(&session.runbook, source))?;
            warnings.extend(lacking(&query, &table));
            warnings.extend(unnarrowed(&query));
            place::athena(session, args.max_scan)?
        }
        (None, None) => return Err(Failure::usage("no event is chosen").hint("-e ID")),
    };
    let asked = Asked {
        name: query.name.clone(),
        text: ready.bound.text.clone(),
        parameters: ready.bound.parameters.clone(),
        window,
        source,
        most_rows: args.rows,
    };
    let mut answered = engine.run(&asked, context.ui.interrupt()).await?;
    let found = match (&local, &session) {
        (None, Some(session)) => {
            match completeness::find(session, engine.as_ref(), &asked, &answered).await {
                Ok(found) => found,
                Err(failure) if failure.exit == Exit::Interrupted => return Err(failure),
                // The rows are there: what is not known of them costs nobody the answer.
                Err(failure) => {
                    warnings.push(format!(
                        "how complete the logs are is not known: {}",
                        failure.message
                    ));
                    None
                }
            }
        }
        _ => None,
    };
    if let Some(found) = &found {
        answered.scanned_bytes = answered.scanned_bytes.map(|bytes| bytes + found.scanned);
        answered.cost = answered.cost.map(|cost| cost + found.cost);
    }
    let complete = found.map(|found| found.completeness);
    if let (Some(found), Some(session)) = (&complete, &session) {
        warnings.extend(completeness::words(found, &session.runbook.event.zone));
    }
    warnings.extend(answered.notes.clone());
    let shown = Shown {
        query: &query,
        ready: &ready,
        place: args.local.as_deref(),
        source,
        window,
        answered: &answered,
        runbook: runbook.as_ref(),
        complete: complete.as_ref(),
    };
    let head = head(session.as_ref(), ledger.as_ref(), runbook.as_ref());
    let mut answer = shown.answer(context, session.as_ref(), ledger.as_ref());
    answer = answer.with_head(head);
    warnings.extend(shown.cut(args.rows));
    warnings.extend(unread(&answered));
    if args.is_final && !complete.as_ref().is_some_and(Completeness::is_enough) {
        let why = match complete.as_ref().and_then(|found| found.percent) {
            Some(percent) => format!(
                "the logs have {percent:.1}% of the requests that CloudWatch counted, and a final answer needs 99%"
            ),
            None => "how complete the logs are is not known".to_owned(),
        };
        warnings.push(format!("--final: {why}"));
        answer.warnings = warnings;
        return Ok(answer.exiting(Exit::Difference, "check.failed", &why));
    }
    answer.warnings = warnings;
    Ok(answer)
}

/// The event's times, as the crew has moved them.
fn times_of(
    session: Option<&Session>,
    ledger: Option<&View>,
    runbook: Option<&Runbook>,
) -> Option<EventTimes> {
    match (session, ledger) {
        (Some(session), Some(view)) => Some(session.state(view).times),
        _ => runbook.map(|runbook| runbook.event.times()),
    }
}

/// For files, neither the target nor the account has anything to do with the answer.
fn head(session: Option<&Session>, ledger: Option<&View>, runbook: Option<&Runbook>) -> Head {
    match (session, ledger) {
        (Some(session), Some(view)) => session.head(Some(&session.state(view)), None),
        _ => Head {
            event: runbook.map(|runbook| runbook.event.id.to_string()),
            ..Head::default()
        },
    }
}

/// Tables of the account are read as they are.
fn unnarrowed(query: &CatalogQuery) -> Option<String> {
    let narrowed = text::has_name(&query.text, "requests").unwrap_or(true);
    (!narrowed).then(|| {
        "the text does not read `requests`: its tables are read as they are, of all times"
            .to_owned()
    })
}

/// The columns that the query reads and the table lacks.
fn lacking(query: &CatalogQuery, table: &Table) -> Option<String> {
    let columns: Vec<&str> = query
        .columns()
        .into_iter()
        .filter(|column| !table.has(column))
        .collect();
    (!columns.is_empty()).then(|| {
        let needs: Vec<&str> = query.needs.iter().map(|need| need.words()).collect();
        let needs = if needs.is_empty() {
            String::new()
        } else {
            format!("; the query is about {}", needs.join(" and "))
        };
        format!(
            "the {} logs lack {}, which is NULL{needs}",
            table.source.name(),
            columns.join(", ")
        )
    })
}

/// How many lines were no rows.
fn bad_lines(answered: &Answered) -> Option<String> {
    let bad: u64 = answered.bad.iter().map(|one| one.bad).sum();
    let plural = if bad == 1 { "" } else { "s" };
    (bad > 0).then(|| format!("{bad} line{plural} could not be read"))
}

/// What the answer does not have, in the words of its text: CSV and Markdown have the rows alone.
fn unread(answered: &Answered) -> Vec<String> {
    let ended = answered.bad.iter().filter_map(|object| {
        let why = object.truncated.as_ref()?;
        Some(format!(
            "{} was not read to its end: {}",
            printable(&object.name),
            printable(why)
        ))
    });
    bad_lines(answered).into_iter().chain(ended).collect()
}

/// What there is to show.
struct Shown<'a> {
    query: &'a CatalogQuery,
    ready: &'a Ready,
    place: Option<&'a str>,
    source: Source,
    window: Option<Window>,
    answered: &'a Answered,
    runbook: Option<&'a Runbook>,
    complete: Option<&'a Completeness>,
}

impl Shown<'_> {
    fn answer(
        &self,
        context: &Context,
        session: Option<&Session>,
        ledger: Option<&View>,
    ) -> Answer {
        let answered = self.answered;
        let rows = ResultRows {
            columns: &answered.columns,
            rows: &answered.rows,
        };
        let mut text = match (session, ledger) {
            (Some(session), Some(view)) => {
                crate::commands::header(session, &session.state(view), None)
            }
            _ => String::new(),
        };
        text.push_str(&self.about());
        if answered.rows.is_empty() {
            text.push_str(&format!("no rows: {}\n", self.looked_at()));
        } else {
            text.push_str(&rows.table(context.ui.answer_width(), MOST_SHOWN));
        }
        text.push_str(&self.footer());
        Answer::new(COMMAND, self.data(&rows), text).with_sheet(rows.sheet())
    }

    /// What is asked, and of when.
    fn about(&self) -> String {
        let values: Vec<String> = self
            .ready
            .values
            .iter()
            .map(|(name, value)| format!("{name}={}", words(value)))
            .collect();
        let values = if values.is_empty() {
            String::new()
        } else {
            format!(" · {}", values.join(" · "))
        };
        format!(
            "{}{values} · {}\n",
            printable(&self.query.name),
            self.window_words()
        )
    }

    fn window_words(&self) -> String {
        let Some(window) = self.window else {
            return "all times".to_owned();
        };
        match self.runbook {
            Some(runbook) => {
                let zone = &runbook.event.zone;
                format!(
                    "{} to {}",
                    time::local(window.from, zone),
                    time::local(window.until, zone)
                )
            }
            None => format!("{} to {}", time::utc(window.from), time::utc(window.until)),
        }
    }

    fn looked_at(&self) -> String {
        let answered = self.answered;
        let place = self.place.map_or_else(
            || format!("the {} logs", self.source.name()),
            |place| shortened(place, 200),
        );
        match (answered.rows_read, answered.objects_read) {
            (Some(rows), Some(objects)) => format!(
                "{rows} requests in {objects} log objects of {place}, {}, hold none that it asks for",
                self.window_words()
            ),
            _ => format!(
                "{place}, {}, hold none that it asks for",
                self.window_words()
            ),
        }
    }

    /// What it took, and what is wrong with it.
    fn footer(&self) -> String {
        let answered = self.answered;
        let mut parts = vec![format!(
            "{} row{}",
            answered.rows.len(),
            if answered.rows.len() == 1 { "" } else { "s" }
        )];
        if let (Some(rows), Some(objects)) = (answered.rows_read, answered.objects_read) {
            let plural = |count: u64| if count == 1 { "" } else { "s" };
            parts.push(format!(
                "{rows} request{} read of {objects} object{}",
                plural(rows),
                plural(objects)
            ));
        }
        if let Some(bytes) = answered.scanned_bytes {
            parts.push(format!("{} scanned", short_bytes(bytes)));
        }
        if let Some(cost) = answered.cost {
            parts.push(format!("about ${cost:.4} at list price"));
        }
        if answered.reused {
            parts.push("an earlier result".to_owned());
        }
        if let Some(execution) = &answered.execution {
            parts.push(printable(execution).into_owned());
        }
        let mut text = format!("{DIM}{} · {}{DIM:#}\n", answered.engine, parts.join(" · "));
        if let Some(words) = bad_lines(answered) {
            text.push_str(&format!("{WARN}{words}{WARN:#}\n"));
        }
        for (object, sample) in self.samples().take(SAMPLES_SHOWN) {
            text.push_str(&format!(
                "  {}:{} {}: {}\n",
                printable(object),
                sample.line,
                printable(&sample.reason),
                shortened(&sample.excerpt, 80)
            ));
        }
        for object in &answered.bad {
            if let Some(why) = &object.truncated {
                text.push_str(&format!(
                    "{WARN}{} was not read to its end: {}{WARN:#}\n",
                    printable(&object.name),
                    printable(why)
                ));
            }
        }
        text
    }

    fn samples(&self) -> impl Iterator<Item = (&str, &onair_logs::scan::BadLine)> {
        self.answered.bad.iter().flat_map(|object| {
            object
                .samples
                .iter()
                .map(|line| (object.name.as_str(), line))
        })
    }

    /// What the answer leaves out.
    fn cut(&self, asked: Option<usize>) -> Option<String> {
        let rows = self.answered.rows.len();
        if self.answered.truncated {
            return Some(format!(
                "there are more than {rows} rows; without --rows all are there"
            ));
        }
        (rows > MOST_SHOWN && asked.is_none()).then(|| {
            format!("of {rows} rows {MOST_SHOWN} are shown; -o csv or -o json has all of them")
        })
    }

    fn data(&self, rows: &ResultRows<'_>) -> Json {
        let answered = self.answered;
        let parameters: serde_json::Map<String, Json> = self
            .ready
            .values
            .iter()
            .map(|(name, value)| (name.clone(), json!(words(value))))
            .collect();
        let samples: Vec<Json> = self
            .samples()
            .map(|(object, line)| {
                json!({
                    "object": object,
                    "line": line.line,
                    "reason": line.reason,
                    "excerpt": line.excerpt,
                })
            })
            .collect();
        let truncated: Vec<Json> = answered
            .bad
            .iter()
            .filter_map(|object| {
                let why = object.truncated.as_ref()?;
                Some(json!({ "object": object.name, "why": why }))
            })
            .collect();
        json!({
            "query": self.query.name,
            "parameters": parameters,
            "engine": answered.engine,
            "source": self.source.name(),
            "window": self.window.map(|window| json!({
                "from": window.from.to_string(),
                "until": window.until.to_string(),
            })),
            "columns": rows.json_columns(),
            "rows": rows.json(),
            "truncated": answered.truncated,
            "completeness": completeness::data(self.complete, answered.rows_read),
            "scanned-bytes": answered.scanned_bytes,
            "cost-usd": answered.cost,
            "reused": answered.reused,
            "read": {
                "objects": answered.objects_read,
                "rows": answered.rows_read,
                "bad-lines": answered.bad.iter().map(|one| one.bad).sum::<u64>(),
                "truncated": truncated,
                "samples": samples,
            },
            "execution-id": answered.execution,
            "elapsed-ms": i64::try_from(answered.elapsed.as_millis()).ok(),
        })
    }
}

/// A parameter's value, as it would be given.
fn words(value: &Value) -> String {
    match value {
        Value::Text(text) => shortened(text, 60),
        Value::Timestamp(at) => format!("{}Z", at.strftime("%Y-%m-%dT%H:%M:%S")),
        Value::Integer(value) => value.to_string(),
        Value::Double(value) => value.to_string(),
        Value::Boolean(value) => value.to_string(),
        _ => String::new(),
    }
}
