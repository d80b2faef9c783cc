//! runbook (to come)

use crate::context::Context;
use crate::error::Failure;
use crate::render::Answer;

/// Stub
#[derive(Debug, clap::Subcommand)]
pub(crate) enum RunbookCommand {
    Schema,
}

pub(crate) fn name(_: &RunbookCommand) -> &'static str {
    "runbook schema"
}

pub(crate) fn run(_: &RunbookCommand, _: &Context) -> Result<Answer, Failure> {
    Err(Failure::failed("stub", "stub"))
}
