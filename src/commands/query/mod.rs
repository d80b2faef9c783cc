//! `onair query …`: the catalog over the event's logs, on Athena or on this machine.

mod cache;
mod completeness;
mod list;
pub(super) mod place;
mod run;
mod show;
mod subject;

use crate::context::Context;
use crate::error::Failure;
use crate::render::Answer;

/// Ask the event's logs: named queries, on Athena or on this machine
///
/// One SQL text, in Trino's dialect, runs on both. It reads one table, `requests`: a row for each request
/// of the window, whatever kind of log it was written to.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum QueryCommand {
    Cache(cache::CacheArgs),
    List(list::ListArgs),
    Run(run::RunArgs),
    Show(show::ShowArgs),
}

pub(crate) fn name(command: &QueryCommand) -> &'static str {
    match command {
        QueryCommand::Cache(_) => cache::COMMAND,
        QueryCommand::List(_) => list::COMMAND,
        QueryCommand::Run(_) => run::COMMAND,
        QueryCommand::Show(_) => show::COMMAND,
    }
}

pub(crate) async fn run(command: &QueryCommand, context: &Context) -> Result<Answer, Failure> {
    match command {
        QueryCommand::Cache(args) => cache::run(args, context),
        QueryCommand::List(args) => list::run(args, context),
        QueryCommand::Run(args) => run::run(args, context).await,
        QueryCommand::Show(args) => show::run(args, context).await,
    }
}
