//! `onair query show`: a query's text, as it is kept or as an engine gets it.

use serde_json::json;

use super::subject;
use crate::commands::window::Times;
use crate::context::Context;
use crate::error::Failure;
use crate::event::time::When;
use crate::query::parameters::Given;
use crate::query::view::{self, Table};
use crate::query::{CatalogQuery, Source, named};
use crate::render::{Answer, Head, Sheet};

pub(super) const COMMAND: &str = "query show";

/// Show a query's text
///
/// As it is kept; with --bound with its parameters' values in it; with --engine athena also with the table
/// `requests` in front of it, made from the event's own: what Athena is sent, ready to run elsewhere.
/// Nothing is asked from AWS.
///
/// Example: onair query show top-addresses, or: onair query show countries --engine athena --bound
#[derive(Debug, clap::Args)]
pub(crate) struct ShowArgs {
    /// The query, or @FILE
    #[arg(value_name = "NAME", add = clap_complete::ArgValueCompleter::new(crate::commands::complete::queries))]
    name: String,
    /// As which engine gets it
    #[arg(long, value_enum)]
    engine: Option<EngineArgument>,
    /// Put the parameters' values in
    #[arg(long)]
    bound: bool,
    /// A parameter's value
    #[arg(short = 'p', long = "parameter", value_name = "NAME=VALUE", value_parser = Given::parse, requires = "bound")]
    parameters: Vec<Given>,
    /// Over which logs; by default over those that the query is about
    #[arg(long, value_enum)]
    source: Option<SourceArgument>,
    /// From when on: ko+15m, 22:45, RFC 3339; by default the event's doors less its grace
    #[arg(long, value_name = "TIME", value_parser = when)]
    since: Option<When>,
}

/// An engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum EngineArgument {
    /// Athena in the event's account
    Athena,
    /// The engine on this machine
    Local,
}

/// A kind of logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum SourceArgument {
    /// The access logs
    Access,
    /// The real-time logs
    Realtime,
}

impl From<SourceArgument> for Source {
    fn from(argument: SourceArgument) -> Self {
        match argument {
            SourceArgument::Access => Self::Access,
            SourceArgument::Realtime => Self::Realtime,
        }
    }
}

pub(super) fn when(text: &str) -> Result<When, String> {
    When::parse(text).map_err(|error| error.to_string())
}

pub(super) async fn run(args: &ShowArgs, context: &Context) -> Result<Answer, Failure> {
    let runbook = subject::runbook(context)?;
    let query = subject::of(Some(&args.name), None, runbook.as_ref())?;
    let session = if subject::names_an_action(&query, &args.parameters) {
        Some(context.session().await?)
    } else {
        None
    };
    let ledger = match &session {
        Some(session) => Some(session.read_ledger().await?.view),
        None => None,
    };
    let times = Times {
        event: runbook.as_ref().map(|runbook| runbook.event.times()),
        ledger: ledger.as_ref(),
        now: session.as_ref().map_or_else(
            || context.world_clock().now(),
            |session| session.clock.now(),
        ),
    };
    let window = times.window(args.since.as_ref(), &context.options)?;
    let mut sql = query.statement().to_owned();
    if args.bound {
        let ready = subject::ready(&query, &args.parameters, &times, window, runbook.as_ref())?;
        sql = subject::inline(&query, &ready, window)?;
    }
    if args.engine == Some(EngineArgument::Athena) {
        let runbook = runbook.as_ref().ok_or_else(|| {
            Failure::usage("the table's name is the event's, and no event is chosen").hint("-e ID")
        })?;
        let source = args
            .source
            .map_or_else(|| named::source_of(&query), Source::from);
        let table = Table::of(runbook, source).ok_or_else(|| no_table(runbook, source))?;
        let window = window.unwrap_or_else(|| named::window_of(runbook));
        sql = view::with_view(&sql, &table, window).map_err(Failure::usage)?;
    }
    let text = if args.bound || args.engine.is_some() {
        format!("{sql}\n")
    } else {
        explained(&query)
    };
    let mut data = super::list::described(&query);
    data["text"] = json!(sql);
    let mut sheet = Sheet::new(&["name", "text"]);
    sheet.push([query.name.clone(), sql]);
    let head = Head {
        event: runbook.map(|runbook| runbook.event.id.to_string()),
        ..Head::default()
    };
    Ok(Answer::new(COMMAND, data, text)
        .with_head(head)
        .with_sheet(sheet))
}

/// The file whole, and what it needs.
fn explained(query: &CatalogQuery) -> String {
    let mut text = query.text.trim_end().to_owned();
    text.push('\n');
    for need in &query.needs {
        text.push_str(&format!("-- It says something only of {}.\n", need.words()));
    }
    text
}

/// These logs are not kept.
pub(super) fn no_table(runbook: &crate::runbook::Runbook, source: Source) -> Failure {
    let section = match source {
        Source::Access => "[logs.access] and [athena]",
        Source::Realtime => "[logs.access], [logs.realtime] and [athena]",
    };
    Failure::usage(format!(
        "the event keeps no {} logs that Athena could read",
        source.name()
    ))
    .hint(format!("it needs {section} in {}", runbook.path.display()))
    .hint("or read files on this machine: --local PATH")
}
