//! The command line: the root of it, the options that every command takes, and one enum line per
//! command. What the options mean is decided in `context.rs` and in the commands.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::{SignedDuration, Timestamp};

use crate::commands;
use crate::event::duration::{Lasting, parse_duration};
use crate::event::name::EventId;
use crate::event::time::When;

/// Run a live-streaming event on Amazon CloudFront, safely
///
/// onair blocks re-streamers, changes geo rights and revokes viewer tokens in seconds, without ever
/// losing a colleague's change, and takes back in one word what it did. A runbook, one TOML file an
/// event, says what belongs to the event. Try it without an AWS account: `onair rehearse`.
#[derive(Debug, Parser)]
#[command(
    name = "onair",
    version,
    max_term_width = 110,
    arg_required_else_help = true
)]
#[command(
    after_help = "Exit codes: 0 done · 1 failed, nothing changed · 2 usage · 3 a difference or a failed check · \
4 refused or not confirmed · 5 a conflict outlasted the timeout · 6 partly applied · 7 applied, not felt yet · 130 interrupted"
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options that every command takes, before or after its name.
#[derive(Debug, Clone, Args)]
pub(crate) struct Global {
    /// Runbook file
    #[arg(
        short,
        long,
        global = true,
        value_name = "FILE",
        help_heading = "Event and target"
    )]
    pub(crate) runbook: Option<PathBuf>,
    /// Event id: its runbook is runbooks/ID.toml
    #[arg(short, long, global = true, value_name = "ID", help_heading = "Event and target", conflicts_with = "runbook",
        add = clap_complete::ArgValueCompleter::new(crate::commands::complete::events))]
    pub(crate) event: Option<EventId>,
    /// Use the embedded cloud: no network, no credentials, nothing real
    #[arg(long, global = true, help_heading = "Event and target")]
    pub(crate) rehearsal: bool,
    /// Talk to this address instead of AWS; never shown as LIVE
    #[arg(
        long,
        global = true,
        value_name = "URL",
        help_heading = "Event and target",
        conflicts_with = "rehearsal"
    )]
    pub(crate) endpoint_url: Option<String>,
    /// AWS profile
    #[arg(
        long,
        global = true,
        value_name = "NAME",
        help_heading = "Event and target"
    )]
    pub(crate) profile: Option<String>,

    /// How to print the answer
    #[arg(short, long, global = true, value_enum, default_value_t = Output::Table, help_heading = "Output")]
    pub(crate) output: Output,
    /// Say nothing but the answer and errors
    #[arg(short, long, global = true, help_heading = "Output")]
    pub(crate) quiet: bool,
    /// Say more: AWS calls and their number; -vv and -vvv for logs
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = "Output")]
    pub(crate) verbose: u8,
    /// When to color
    #[arg(long, global = true, value_enum, default_value_t = ColorChoice::Auto, help_heading = "Output")]
    pub(crate) color: ColorChoice,

    /// Show what would change, change nothing; exit 3 when something would
    #[arg(long, global = true, help_heading = "Changes")]
    pub(crate) dry_run: bool,
    /// Go without asking (levels 0 and 1)
    #[arg(long, global = true, help_heading = "Changes")]
    pub(crate) yes: bool,
    /// The value that a far-reaching change asks to be typed (level 2)
    #[arg(long, global = true, value_name = "VALUE", help_heading = "Changes")]
    pub(crate) confirm: Option<String>,
    /// End it after this time: 30m, 2h, event, forever
    #[arg(long = "for", global = true, value_name = "DUR", value_parser = lasting, help_heading = "Changes", conflicts_with = "until")]
    pub(crate) lasting: Option<Lasting>,
    /// End it at this time: 22:45, ko+90m, end, RFC 3339
    #[arg(long, global = true, value_name = "TIME", value_parser = when, help_heading = "Changes")]
    pub(crate) until: Option<When>,
    /// Why: kept in the ledger
    #[arg(
        short = 'm',
        long,
        global = true,
        value_name = "TEXT",
        help_heading = "Changes"
    )]
    pub(crate) reason: Option<String>,
    /// Wait for the roll-out
    #[arg(
        long,
        global = true,
        help_heading = "Changes",
        overrides_with = "no_wait"
    )]
    pub(crate) wait: bool,
    /// Do not wait for the roll-out
    #[arg(long, global = true, help_heading = "Changes", overrides_with = "wait")]
    pub(crate) no_wait: bool,
    /// Prove that viewers feel it
    #[arg(
        long,
        global = true,
        help_heading = "Changes",
        overrides_with = "no_verify"
    )]
    pub(crate) verify: bool,
    /// Do not prove that viewers feel it
    #[arg(
        long,
        global = true,
        help_heading = "Changes",
        overrides_with = "verify"
    )]
    pub(crate) no_verify: bool,
    /// How long to try to get a write accepted
    #[arg(long, global = true, value_name = "DUR", value_parser = duration, default_value = "60s", help_heading = "Changes")]
    pub(crate) timeout: SignedDuration,

    /// Block what the runbook says never to block
    #[arg(long, global = true, help_heading = "Guards to give up (with -m)")]
    pub(crate) allow_never_block: bool,
    /// Block this very machine's public address
    #[arg(long, global = true, help_heading = "Guards to give up (with -m)")]
    pub(crate) allow_own_address: bool,
    /// Block CloudFront's own ranges
    #[arg(long, global = true, help_heading = "Guards to give up (with -m)")]
    pub(crate) allow_cloudfront_range: bool,
    /// Block more at once than the runbook's widest prefix
    #[arg(long, global = true, help_heading = "Guards to give up (with -m)")]
    pub(crate) allow_wide_prefix: bool,
    /// Do what the current phase does not allow
    #[arg(long, global = true, help_heading = "Guards to give up (with -m)")]
    pub(crate) break_glass: bool,

    /// Pretend that it is this time, for tests
    #[arg(long, global = true, hide = true, value_name = "TIME")]
    pub(crate) now: Option<Timestamp>,
}

/// How the answer is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// Text for people
    Table,
    /// One JSON document (schema onair/1)
    Json,
    /// Comma-separated values
    Csv,
    /// A Markdown table
    Markdown,
}

/// When to color.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorChoice {
    Auto,
    Always,
    Never,
}

/// Every command, in alphabetical order.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Block(commands::ip::BlockArgs),
    Completions(commands::complete::Args),
    #[command(subcommand)]
    Event(commands::event::EventCommand),
    #[command(subcommand)]
    Geo(commands::geo::GeoCommand),
    #[command(subcommand)]
    Ip(commands::ip::IpCommand),
    #[command(subcommand)]
    Ledger(commands::ledger::LedgerCommand),
    Man(commands::man::Args),
    New(commands::new::Args),
    Rehearse(commands::rehearse::Args),
    Revoke(commands::token::RevokeArgs),
    #[command(subcommand)]
    Runbook(commands::runbook::RunbookCommand),
    #[command(subcommand)]
    Sandbox(commands::sandbox::SandboxCommand),
    Status(commands::status::Args),
    Tend(commands::tend::Args),
    #[command(subcommand)]
    Token(commands::token::TokenCommand),
    Unblock(commands::ip::UnblockArgs),
    Undo(commands::undo::Args),
    Why(commands::why::Args),
}

fn lasting(text: &str) -> Result<Lasting, String> {
    Lasting::parse(text).map_err(|error| error.to_string())
}

fn when(text: &str) -> Result<When, String> {
    When::parse(text).map_err(|error| error.to_string())
}

fn duration(text: &str) -> Result<SignedDuration, String> {
    parse_duration(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
