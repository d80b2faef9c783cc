//! Shell completions (to come)

use std::ffi::OsStr;

use clap_complete::CompletionCandidate;

use crate::error::Failure;
use crate::render::Answer;

/// Stub
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_: &Args) -> Result<Answer, Failure> {
    Err(Failure::failed("stub", "stub"))
}

/// Event ids of the runbooks here.
pub(crate) fn events(_: &OsStr) -> Vec<CompletionCandidate> {
    Vec::new()
}

/// Changes that could be taken back.
pub(crate) fn entries(_: &OsStr) -> Vec<CompletionCandidate> {
    Vec::new()
}
