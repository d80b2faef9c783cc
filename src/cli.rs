//! The command line: the root of it, the options that every command takes, and one enum line per
//! command. What the options mean is decided in `context.rs` and in the commands.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::{SignedDuration, Timestamp};

use crate::commands;
use crate::event::duration::{Lasting, parse_duration};
use crate::event::name::EventId;
use crate::event::time::When;

const EXIT_CODES: &str = "\
Exit codes:
  0 done, or nothing to do      5 a conflict outlasted the timeout, nothing changed
  1 failed, nothing changed     6 partly applied: onair ledger resume
  2 usage, or a bad runbook     7 applied, not felt by viewers yet
  3 a check or difference       130 interrupted
  4 refused, or not confirmed

Environment:
  ONAIR_OPERATOR     your name in the ledger and in ids such as jess-7
  ONAIR_EVENT        the event, where -e and -r do not say
  ONAIR_TARGET       live or rehearsal: the other is refused
  ONAIR_ADDRESS_URL  answers this machine's public address; none asks nobody";

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
#[command(after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options that every command takes, before or after its name.
#[derive(Debug, Clone, Args)]
pub(crate) struct Global {
    /// Work with this runbook
    #[arg(
        short,
        long,
        global = true,
        value_name = "FILE",
        help_heading = "Event and target"
    )]
    pub(crate) runbook: Option<PathBuf>,
    /// Work with this event: its runbook is runbooks/ID.toml
    #[arg(short, long, global = true, value_name = "ID", help_heading = "Event and target", conflicts_with = "runbook",
        add = clap_complete::ArgValueCompleter::new(crate::commands::complete::events))]
    pub(crate) event: Option<EventId>,
    /// Rehearse: use the embedded cloud; no network, no credentials, nothing real
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
    /// Use this profile of the AWS configuration
    #[arg(
        long,
        global = true,
        value_name = "NAME",
        help_heading = "Event and target"
    )]
    pub(crate) profile: Option<String>,

    /// Form of the answer
    #[arg(short, long, global = true, value_enum, default_value_t = Output::Table, help_heading = "Output")]
    pub(crate) output: Output,
    /// Say nothing but the answer and errors
    #[arg(short, long, global = true, help_heading = "Output")]
    pub(crate) quiet: bool,
    /// Say more: AWS calls and their number; -vv and -vvv for logs
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = "Output")]
    pub(crate) verbose: u8,
    /// Color the output
    #[arg(long, global = true, hide_short_help = true, value_enum, default_value_t = ColorChoice::Auto, help_heading = "Output")]
    pub(crate) color: ColorChoice,

    /// Show what would change, change nothing; exit 3 when something would
    #[arg(long, global = true, help_heading = "Changes")]
    pub(crate) dry_run: bool,
    /// Go without asking; not enough for far-reaching changes
    #[arg(long, global = true, help_heading = "Changes")]
    pub(crate) yes: bool,
    /// Go without asking, for a far-reaching change: the country or event id that it asks to be typed
    #[arg(long, global = true, value_name = "VALUE", help_heading = "Changes")]
    pub(crate) confirm: Option<String>,
    /// End the change by itself after this long: 30m, 2h, event, forever
    #[arg(long = "for", global = true, value_name = "DUR", value_parser = lasting, help_heading = "Changes", conflicts_with = "until")]
    pub(crate) lasting: Option<Lasting>,
    /// End the change by itself at this time: 22:45, ko+90m, end, RFC 3339
    #[arg(long, global = true, value_name = "TIME", value_parser = when, help_heading = "Changes")]
    pub(crate) until: Option<When>,
    /// Say why; it is kept in the ledger
    #[arg(
        short = 'm',
        long,
        global = true,
        value_name = "TEXT",
        help_heading = "Changes"
    )]
    pub(crate) reason: Option<String>,
    /// Wait until the change is rolled out: up to 2 hours for distributions, 10 minutes for other things
    #[arg(
        long,
        global = true,
        help_heading = "Changes",
        overrides_with = "no_wait"
    )]
    pub(crate) wait: bool,
    /// Do not wait (the default without a terminal)
    #[arg(long, global = true, help_heading = "Changes", overrides_with = "wait")]
    pub(crate) no_wait: bool,
    /// Prove that viewers feel the change
    #[arg(
        long,
        global = true,
        help_heading = "Changes",
        overrides_with = "no_verify"
    )]
    pub(crate) verify: bool,
    /// Do not prove it (the default without a terminal)
    #[arg(
        long,
        global = true,
        help_heading = "Changes",
        overrides_with = "verify"
    )]
    pub(crate) no_verify: bool,
    /// Try for this long to get a write accepted
    #[arg(long, global = true, value_name = "DUR", hide_short_help = true, value_parser = duration, default_value = "60s", help_heading = "Changes")]
    pub(crate) timeout: SignedDuration,

    /// Block what the runbook says never to block
    #[arg(
        long,
        global = true,
        hide_short_help = true,
        help_heading = "Guards to give up (each needs -m)"
    )]
    pub(crate) allow_never_block: bool,
    /// Block this very machine's public address
    #[arg(
        long,
        global = true,
        hide_short_help = true,
        help_heading = "Guards to give up (each needs -m)"
    )]
    pub(crate) allow_own_address: bool,
    /// Block CloudFront's own ranges
    #[arg(
        long,
        global = true,
        hide_short_help = true,
        help_heading = "Guards to give up (each needs -m)"
    )]
    pub(crate) allow_cloudfront_range: bool,
    /// Block more at once than the runbook's widest prefix
    #[arg(
        long,
        global = true,
        hide_short_help = true,
        help_heading = "Guards to give up (each needs -m)"
    )]
    pub(crate) allow_wide_prefix: bool,
    /// Shut out more of the forecast's audience than the runbook's cap
    #[arg(
        long,
        global = true,
        hide_short_help = true,
        help_heading = "Guards to give up (each needs -m)"
    )]
    pub(crate) allow_audience: bool,
    /// Do what the current phase does not allow
    #[arg(
        long,
        global = true,
        hide_short_help = true,
        help_heading = "Guards to give up (each needs -m)"
    )]
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

/// Every command, in alphabetical order; `display_order` is that of the help: what is typed in the
/// night first, then what it is short for, what runs beside it, and what comes before the event.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    #[command(display_order = 1)]
    Block(commands::ip::BlockArgs),
    #[command(display_order = 15)]
    Compare(commands::compare::Args),
    #[command(display_order = 17)]
    Completions(commands::complete::Args),
    #[command(subcommand, display_order = 14)]
    Dashboard(commands::dashboard::DashboardCommand),
    #[command(subcommand, display_order = 10)]
    Event(commands::event::EventCommand),
    #[command(subcommand, display_order = 8)]
    Geo(commands::geo::GeoCommand),
    #[command(display_order = 17)]
    IamPolicy(commands::iam_policy::Args),
    #[command(subcommand, display_order = 7)]
    Ip(commands::ip::IpCommand),
    #[command(subcommand, display_order = 11)]
    Ledger(commands::ledger::LedgerCommand),
    #[command(display_order = 18)]
    Man(commands::man::Args),
    #[command(display_order = 13)]
    New(commands::new::Args),
    #[command(display_order = 14)]
    Preflight(commands::preflight::Args),
    #[command(display_order = 13)]
    Provision(commands::provision::ProvisionArgs),
    #[command(subcommand, display_order = 14)]
    Query(commands::query::QueryCommand),
    #[command(display_order = 15)]
    Rehearse(commands::rehearse::Args),
    #[command(display_order = 15)]
    Report(commands::report::Args),
    #[command(display_order = 3)]
    Revoke(commands::token::RevokeArgs),
    #[command(subcommand, display_order = 9)]
    Rule(commands::rule::RuleCommand),
    #[command(subcommand, display_order = 14)]
    Runbook(commands::runbook::RunbookCommand),
    #[command(subcommand, display_order = 16)]
    Sandbox(commands::sandbox::SandboxCommand),
    #[command(display_order = 6)]
    Status(commands::status::Args),
    #[command(display_order = 13)]
    Teardown(commands::teardown::TeardownArgs),
    #[command(display_order = 12)]
    Tend(commands::tend::Args),
    #[command(subcommand, display_order = 9)]
    Token(commands::token::TokenCommand),
    #[command(display_order = 2)]
    Unblock(commands::ip::UnblockArgs),
    #[command(display_order = 4)]
    Undo(commands::undo::Args),
    #[command(display_order = 5)]
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
