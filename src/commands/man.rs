//! man (to come)

use crate::error::Failure;
use crate::render::Answer;

/// Stub
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_: &Args) -> Result<Answer, Failure> {
    Err(Failure::failed("stub", "stub"))
}
