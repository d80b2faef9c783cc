//! event (to come)

use crate::context::Context;
use crate::error::Failure;
use crate::render::Answer;

/// The event clock
#[derive(Debug, clap::Subcommand)]
pub(crate) enum EventCommand {
    Status,
}

pub(crate) fn name(_: &EventCommand) -> &'static str {
    "event status"
}

pub(crate) async fn run(_: &EventCommand, context: &Context) -> Result<Answer, Failure> {
    let session = context.session().await?;
    drop(session);
    Err(Failure::failed("stub", "stub"))
}
