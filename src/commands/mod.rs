//! One file per command: its arguments, whose doc comments are the help, and `run`. Glue only:
//! what is decided is decided in `plan`, what is shown is shown by `render` and `ui`.

mod carried;
pub(crate) mod change;
pub(crate) mod compare;
pub(crate) mod complete;
pub(crate) mod dashboard;
pub(crate) mod event;
pub(crate) mod geo;
pub(crate) mod iam_policy;
pub(crate) mod ip;
pub(crate) mod ledger;
pub(crate) mod man;
pub(crate) mod new;
pub(crate) mod preflight;
pub(crate) mod provision;
mod provisioned;
pub(crate) mod query;
pub(crate) mod rehearse;
pub(crate) mod report;
pub(crate) mod rule;
pub(crate) mod runbook;
pub(crate) mod sandbox;
mod sandbox_crowd;
mod sandbox_media;
pub(crate) mod status;
pub(crate) mod teardown;
pub(crate) mod tend;
pub(crate) mod token;
pub(crate) mod undo;
mod values;
pub(crate) mod why;
pub(crate) mod window;

use serde_json::{Value, json};

use crate::cli::Command;
use crate::cloud::Target;
use crate::context::{Context, Session};
use crate::error::Failure;
use crate::event::duration::{Lasting, human};
use crate::event::time;
use crate::ledger::body::End;
use crate::ledger::clock::EventState;
use crate::render::Answer;
use crate::ui::WARN;

use change::Basis;

/// Runs the command and answers with its one value.
pub(crate) async fn run(command: &Command, context: &Context) -> Result<Answer, Failure> {
    match command {
        Command::Block(args) => ip::block(args, context).await,
        Command::Compare(args) => compare::run(args, context),
        Command::Completions(args) => complete::run(args),
        Command::Dashboard(command) => dashboard::run(command, context).await,
        Command::Event(command) => event::run(command, context).await,
        Command::Geo(command) => geo::run(command, context).await,
        Command::IamPolicy(args) => iam_policy::run(args, context),
        Command::Ip(command) => ip::run(command, context).await,
        Command::Ledger(command) => ledger::run(command, context).await,
        Command::Man(args) => man::run(args),
        Command::New(args) => new::run(args, context),
        Command::Preflight(args) => preflight::run(args, context).await,
        Command::Provision(args) => provision::run(args, context).await,
        Command::Query(command) => query::run(command, context).await,
        Command::Rehearse(args) => rehearse::run(args, context).await,
        Command::Report(args) => report::run(args, context).await,
        Command::Revoke(args) => token::revoke(args, context).await,
        Command::Rule(command) => rule::run(command, context).await,
        Command::Runbook(command) => runbook::run(command, context),
        Command::Sandbox(command) => sandbox::run(command, context).await,
        Command::Status(args) => status::run(args, context).await,
        Command::Teardown(args) => teardown::run(args, context).await,
        Command::Tend(args) => tend::run(args, context).await,
        Command::Token(command) => token::run(command, context).await,
        Command::Unblock(args) => ip::unblock(args, context).await,
        Command::Undo(args) => undo::run(args, context).await,
        Command::Why(args) => why::run(args, context).await,
    }
}

/// The command's name as in the contract, for answers and failures.
pub(crate) fn name(command: &Command) -> &'static str {
    match command {
        Command::Block(_) => "ip block",
        Command::Compare(_) => "compare",
        Command::Completions(_) => "completions",
        Command::Dashboard(command) => dashboard::name(command),
        Command::Event(command) => event::name(command),
        Command::Geo(command) => match command {
            geo::GeoCommand::Block(_) => "geo block",
            geo::GeoCommand::Reset(_) => "geo reset",
            geo::GeoCommand::Status(_) => "geo status",
            geo::GeoCommand::Unblock(_) => "geo unblock",
        },
        Command::IamPolicy(_) => "iam-policy",
        Command::Ip(command) => match command {
            ip::IpCommand::Block(_) => "ip block",
            ip::IpCommand::Export(_) => "ip export",
            ip::IpCommand::Import(_) => "ip import",
            ip::IpCommand::List(_) => "ip list",
            ip::IpCommand::Status(_) => "ip status",
            ip::IpCommand::Unblock(_) => "ip unblock",
        },
        Command::Ledger(command) => ledger::name(command),
        Command::Man(_) => "man",
        Command::New(_) => "new",
        Command::Preflight(_) => "preflight",
        Command::Provision(_) => provision::COMMAND,
        Command::Query(command) => query::name(command),
        Command::Rehearse(_) => "rehearse",
        Command::Report(_) => "report",
        Command::Revoke(_) => "token revoke",
        Command::Rule(command) => rule::name(command),
        Command::Runbook(command) => runbook::name(command),
        Command::Sandbox(command) => sandbox::name(command),
        Command::Status(_) => "status",
        Command::Teardown(_) => teardown::COMMAND,
        Command::Tend(_) => "tend",
        Command::Token(command) => token::name(command),
        Command::Unblock(_) => "ip unblock",
        Command::Undo(_) => "ledger undo",
        Command::Why(_) => "why",
    }
}

/// The line that every plan and result begins with.
pub(crate) fn header(session: &Session, state: &EventState, operator: Option<&str>) -> String {
    let target = match &session.target {
        Target::Live => "LIVE".to_owned(),
        Target::Endpoint(urls) => format!("ENDPOINT {}", urls.first().unwrap_or("(custom)")),
        Target::Rehearsal => "REHEARSAL".to_owned(),
    };
    let event = &session.runbook.event;
    let now = session.clock.now();
    let clock = time::since_kickoff(now, event.starts, &event.kickoff_label);
    // Past its planned end the event goes on, and the line says so where everybody looks.
    let clock = match state.overtime(now) {
        Some(over) => format!("{WARN}{clock} OVERTIME {}{WARN:#}", human(over)),
        None => clock,
    };
    let account = session
        .known_caller()
        .map_or(session.runbook.aws.account.as_str(), |caller| {
            caller.account.as_str()
        });
    let digits = &account[account.len().saturating_sub(4)..];
    let profile = session
        .options()
        .profile
        .as_deref()
        .or(session.runbook.aws.profile.as_deref())
        .map(|profile| format!("{profile} "))
        .unwrap_or_default();
    let distributions = session.runbook.distributions.len();
    let plural = if distributions == 1 { "" } else { "s" };
    let mut line = format!(
        "{target} {} · {clock} · account {profile}…{digits} · {distributions} distribution{plural}",
        event.id
    );
    if let Some(operator) = operator {
        line.push_str(&format!(" · you: {operator}"));
    }
    line.push('\n');
    line
}

/// When a change ends: the options' word, or the default. Says whether it was asked for.
pub(crate) fn end_of(
    session: &Session,
    basis: &Basis<'_>,
    default: Lasting,
) -> Result<(End, bool), Failure> {
    let options = session.options();
    if let Some(until) = &options.until {
        let at = until
            .resolve(&basis.state.times, basis.now)
            .map_err(|error| Failure::usage("--until is not usable").because(error))?;
        if at <= basis.now {
            return Err(Failure::usage(format!(
                "--until {} is in the past; it is {} now",
                time::local(at, &session.runbook.event.zone),
                time::local(basis.now, &session.runbook.event.zone)
            )));
        }
        return Ok((End::At(at), true));
    }
    let (lasting, asked) = match options.lasting {
        Some(lasting) => (lasting, true),
        None => (default, false),
    };
    let end = match lasting {
        Lasting::Event => End::Event,
        Lasting::Forever => End::Never,
        Lasting::For(duration) => {
            let at = basis
                .now
                .saturating_add(duration)
                .map_err(|_| Failure::usage("--for reaches too far"))?;
            End::At(at)
        }
    };
    Ok((end, asked))
}

/// An end in words: `until 22:45 CEST (20:45 UTC)`.
pub(crate) fn until_words(session: &Session, state: &EventState, end: End) -> String {
    let zone = &session.runbook.event.zone;
    match end {
        End::Never => "without an end".to_owned(),
        End::Event => format!(
            "until the event ends (planned {})",
            time::local(state.times.ends, zone)
        ),
        End::At(at) => format!("until {} ({})", time::local(at, zone), time::utc(at)),
    }
}

/// An end for JSON: a time, `event`, or null.
pub(crate) fn end_value(end: End) -> Value {
    match end {
        End::Never => Value::Null,
        End::Event => json!("event"),
        End::At(at) => json!(at.to_string()),
    }
}
