//! token (to come)

use crate::context::Context;
use crate::error::Failure;
use crate::render::Answer;

/// Stub
#[derive(Debug, clap::Subcommand)]
pub(crate) enum TokenCommand {
    List,
}

/// Stub
#[derive(Debug, clap::Args)]
pub(crate) struct RevokeArgs {}

pub(crate) fn name(_: &TokenCommand) -> &'static str {
    "token list"
}

pub(crate) async fn revoke(_: &RevokeArgs, context: &Context) -> Result<Answer, Failure> {
    drop(context.session().await?);
    Err(Failure::failed("stub", "stub"))
}

pub(crate) async fn run(_: &TokenCommand, context: &Context) -> Result<Answer, Failure> {
    drop(context.session().await?);
    Err(Failure::failed("stub", "stub"))
}

pub(crate) fn revoke_of(_: &crate::runbook::Runbook, _: &str, _: &str) -> super::undo::Undo {
    super::undo::Undo::last()
}
