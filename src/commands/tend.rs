//! tend (to come)

use crate::context::Context;
use crate::error::Failure;
use crate::render::Answer;

/// Stub
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) async fn run(_: &Args, context: &Context) -> Result<Answer, Failure> {
    drop(context.session().await?);
    Err(Failure::failed("stub", "stub"))
}

pub(crate) async fn sweep(_: &crate::context::Session) -> Result<usize, Failure> {
    Ok(0)
}
