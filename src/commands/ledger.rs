//! ledger (to come)

use crate::context::Context;
use crate::error::Failure;
use crate::render::Answer;

/// Read and mend the ledger
#[derive(Debug, clap::Subcommand)]
pub(crate) enum LedgerCommand {
    Undo(super::undo::Args),
}

pub(crate) fn name(command: &LedgerCommand) -> &'static str {
    match command {
        LedgerCommand::Undo(_) => "ledger undo",
    }
}

pub(crate) async fn run(command: &LedgerCommand, context: &Context) -> Result<Answer, Failure> {
    match command {
        LedgerCommand::Undo(args) => super::undo::run(args, context).await,
    }
}
