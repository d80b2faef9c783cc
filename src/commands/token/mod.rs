//! `onair token …`: viewer tokens read, made for tests, revoked and let in again; the gate's mode, its
//! signing keys, and a test of it.
//!
//! A whole token is a credential: it is read through [`values`], stands in no plan, no ledger entry
//! and no error, and its digest or a claim stands for it. The one exception is what `mint` prints.

mod inspect;
mod keys;
mod list;
mod mint;
pub(crate) mod mode;
mod restore;
mod revoke;
pub(crate) mod selftest;
mod signing_key;
mod values;

use crate::context::{Context, Session};
use crate::error::Failure;
use crate::render::Answer;
use crate::runbook::{Runbook, TokenFormat, Tokens};
use crate::token::Format;

pub(crate) use revoke::{RevokeArgs, revoke, revoke_of};

/// Inspect, make, revoke and restore viewer tokens
#[derive(Debug, clap::Subcommand)]
pub(crate) enum TokenCommand {
    Inspect(inspect::InspectArgs),
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    List(list::ListArgs),
    Mint(mint::MintArgs),
    Mode(mode::ModeArgs),
    Restore(restore::RestoreArgs),
    Revoke(RevokeArgs),
    Selftest(selftest::SelftestArgs),
}

/// The command's name as in the contract.
pub(crate) fn name(command: &TokenCommand) -> &'static str {
    match command {
        TokenCommand::Inspect(_) => "token inspect",
        TokenCommand::Keys(command) => keys::name(command),
        TokenCommand::List(_) => "token list",
        TokenCommand::Mint(_) => "token mint",
        TokenCommand::Mode(_) => "token mode",
        TokenCommand::Restore(_) => "token restore",
        TokenCommand::Revoke(_) => "token revoke",
        TokenCommand::Selftest(_) => "token selftest",
    }
}

pub(crate) async fn run(command: &TokenCommand, context: &Context) -> Result<Answer, Failure> {
    match command {
        TokenCommand::Inspect(args) => inspect::inspect(args, context).await,
        TokenCommand::Keys(command) => keys::run(command, context).await,
        TokenCommand::List(args) => list::list(args, &context.session().await?).await,
        TokenCommand::Mint(args) => mint::mint(args, context).await,
        TokenCommand::Mode(args) => mode::run(args, context).await,
        TokenCommand::Restore(args) => restore::restore(args, context).await,
        TokenCommand::Revoke(args) => revoke(args, context).await,
        TokenCommand::Selftest(args) => selftest::run(args, context).await,
    }
}

/// The runbook's word for a kind of token, as the reader of tokens knows it.
fn format_of(tokens: &Tokens) -> Format {
    match tokens.format {
        TokenFormat::Jwt => Format::Jwt,
        TokenFormat::Cat => Format::Cat,
        TokenFormat::Opaque => Format::Opaque,
    }
}

/// The claims that the edge looks up, in the runbook's order; the whole token where it is opaque.
pub(crate) fn claims_of(tokens: &Tokens) -> Vec<String> {
    match tokens.format {
        TokenFormat::Opaque => vec![values::WHOLE_TOKEN.to_owned()],
        TokenFormat::Jwt | TokenFormat::Cat => tokens.revocation_keys.clone(),
    }
}

/// The runbook's `[tokens]`, or what to do without it.
fn tokens_of(session: &Session) -> Result<&Tokens, Failure> {
    session.store_name()?;
    section(&session.runbook)
}

fn section(runbook: &Runbook) -> Result<&Tokens, Failure> {
    runbook.tokens.as_ref().ok_or_else(|| {
        Failure::usage("the runbook has no [tokens] section")
            .hint("add [tokens]; `onair runbook schema` tells what it holds")
    })
}
