//! new (to come)

use crate::context::Context;
use crate::error::Failure;
use crate::render::Answer;

/// Stub
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_: &Args, _: &Context) -> Result<Answer, Failure> {
    Err(Failure::failed("stub", "stub"))
}
