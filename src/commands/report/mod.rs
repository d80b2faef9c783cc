//! `onair report`: the post-mortem. Reads the logs, CloudWatch, the ledger and the runbook; what they
//! come to is computed in `report`, and put into its folder whole.

pub(crate) mod account;
mod logs;

use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::commands::window::Times;
use crate::context::{Context, Session};
use crate::error::{Exit, Failure};
use crate::event::name::EventId;
use crate::event::text::printable;
use crate::event::time::When;
use crate::ledger::view::View;
use crate::preflight::history::Remembered;
use crate::preflight::judge::Status;
use crate::query::{Source, Window};
use crate::render::Answer;
use crate::report::{
    self, EventFacts, Gathered, InTheWay, Kept, Measure, PlaceError, Prices, Report,
    completeness_words, kept, known,
};
use crate::runbook::GeoMode;
use crate::ui::{BAD, GOOD, WARN};

use account::Account;

/// Write the report of an event: what happened, against its targets, with timeline and cost
///
/// Asks the logs (on Athena, or with --local in files here), CloudWatch and the ledger, and writes a
/// folder: index.html (one file, needs nothing from anywhere), report.md, report.json, summary.json
/// (which `onair compare` reads long after the logs are gone) and tables/*.csv.
///
/// A report is PROVISIONAL until 99% of the requests that CloudWatch counted are in the logs, which may
/// take a day; it names the minutes that are missing. --final refuses to write such a report, and one of
/// which nobody knows whether it is complete, too, unless --accept-unknown is given: exit 3.
///
/// An earlier report in the folder is replaced; a folder that holds anything else is refused.
///
/// Example: onair report cup-final --out reports/cup-final --lesson 'book a second encoder'
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The event; as with -e
    #[arg(value_name = "EVENT", add = clap_complete::ArgValueCompleter::new(super::complete::events))]
    id: Option<EventId>,
    /// Folder to write; by default reports/EVENT
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[expect(clippy::doc_markdown, reason = "help, shown as it stands")]
    /// Read these log files instead of asking Athena: a file, a folder, or s3://BUCKET/PREFIX
    #[arg(long, value_name = "PATH")]
    local: Option<String>,
    /// Read the real-time logs instead of the access logs
    #[arg(long)]
    realtime: bool,
    /// Report from here on: ko, 19:00, RFC 3339; by default from doors less the event's grace. --until,
    /// or --for, is the other end
    #[arg(long, value_name = "TIME", value_parser = when)]
    since: Option<When>,
    /// Write nothing unless all logs are there; exit 3 when they are not
    #[arg(long = "final")]
    is_final: bool,
    /// With --final, accept that nobody knows whether all logs are there
    #[arg(long, requires = "is_final")]
    accept_unknown: bool,
    /// Ask no service: without CloudWatch, completeness is unknown
    #[arg(long, requires = "local")]
    offline: bool,
    /// Exit 3 when a target was missed
    #[arg(long)]
    check: bool,
    /// Add a lesson; `onair new NEXT --from EVENT` writes them into the next runbook
    #[arg(long, value_name = "TEXT")]
    lesson: Vec<String>,
    /// Put your own price in a list price's place: egress-gb, https-10k, function-million, waf-million,
    /// realtime-log-million, athena-tb
    #[arg(long, value_name = "NAME=USD")]
    price: Vec<String>,
    /// Rename a folder that is no report to DIR.1 instead of refusing it
    #[arg(long)]
    move_aside: bool,
}

fn when(text: &str) -> Result<When, String> {
    When::parse(text).map_err(|error| error.to_string())
}

pub(crate) async fn run(args: &Args, context: &Context) -> Result<Answer, Failure> {
    let mut prices = Prices::default();
    for given in &args.price {
        prices
            .set(given)
            .map_err(|error| Failure::usage(error).hint("onair report --help"))?;
    }
    let context = of_event(args, context)?;
    let session = context.session().await?;
    let place = args
        .out
        .clone()
        .unwrap_or_else(|| Path::new(kept::REPORTS).join(session.runbook.event.id.to_string()));
    if !args.move_aside {
        report::check(&place).map_err(|error| not_placed(&error))?;
    }
    let report = gather(args, &session, prices).await?;
    if args.is_final {
        refuse_provisional(args, &report)?;
    }
    let files = report::files(&report);
    let in_the_way = if args.move_aside {
        InTheWay::MoveAside
    } else {
        InTheWay::Refuse
    };
    // From here on a Ctrl-C waits: it is a matter of milliseconds.
    let writing = session.ui().interrupt().writing();
    report::place(&place, &files, in_the_way).map_err(|error| not_placed(&error))?;
    let mut answer = answer(args, &session, &report, &place, &files);
    // A comparison finds it here when the report's folder is gone.
    if let Err(error) = kept::keep(&report.summary, &session.local) {
        answer.warnings.push(format!(
            "the summary could not be kept beside the event's files: {error}"
        ));
    }
    drop(writing);
    Ok(answer)
}

/// The context of the event that is named without `-e`.
fn of_event(args: &Args, context: &Context) -> Result<Context, Failure> {
    let mut context = context.clone();
    if let Some(id) = &args.id {
        if let Some(other) = context.options.event.as_ref().filter(|other| *other != id) {
            return Err(Failure::usage(format!(
                "two events are named: {id}, and {other} with -e"
            )));
        }
        // A runbook that is named with -r is looked at all the same: it must be that event's.
        if context.options.runbook.is_none() {
            context.options.event = Some(id.clone());
        }
    }
    Ok(context)
}

async fn gather(args: &Args, session: &Session, prices: Prices) -> Result<Report, Failure> {
    let runbook = &session.runbook;
    if let Some(id) = args.id.as_ref().filter(|id| **id != runbook.event.id) {
        return Err(Failure::usage(format!(
            "{} is the runbook of {}, not of {id}",
            runbook.path.display(),
            runbook.event.id
        )));
    }
    let mut gaps = Vec::new();
    let mut has_ledger = true;
    let view = match session.read_ledger().await {
        Ok(read) => {
            if !read.corrupt.is_empty() {
                gaps.push(format!(
                    "{} entries of the ledger cannot be read: `onair ledger verify`.",
                    read.corrupt.len()
                ));
            }
            read.view
        }
        Err(failure) => {
            has_ledger = false;
            let mut why = failure.to_string();
            if let Some(cause) = failure.causes.first() {
                why.push_str(&format!(": {cause}"));
            }
            gaps.push(format!(
                "The ledger could not be read, so what the crew did is not known: {why}."
            ));
            crate::ledger::read_local(&session.ledger)
        }
    };
    let state = session.state(&view);
    let now = session.clock.now();
    let times = &state.times;
    let placed = Times {
        event: Some(times.clone()),
        ledger: Some(&view),
        now,
    };
    let (from, until) = match placed.window(args.since.as_ref(), session.options())? {
        Some(window) => (window.from, window.until.min(now)),
        None => (times.opens(), times.closes().min(now)),
    };
    if from >= until && args.since.is_some() {
        return Err(Failure::usage("the window is still to come"));
    }
    if until <= from.max(times.doors) {
        return Err(Failure::refused(
            "report.early",
            format!(
                "{} has not begun: doors open {}",
                runbook.event.id,
                crate::event::time::local(times.doors, &runbook.event.zone)
            ),
        )
        .hint("in a rehearsal: onair --rehearsal sandbox reset --at end+3h"));
    }
    let source = if args.realtime || (runbook.logs.access.is_none() && args.local.is_none()) {
        Source::Realtime
    } else {
        Source::Access
    };
    let window = Window { from, until };
    let read = logs::read(args.local.as_deref(), session, source, window).await?;
    let account = if args.offline {
        Account::unasked("it was not asked (--offline)")
    } else {
        account::ask(session, whole_minute(from), whole_minute(until)).await
    };
    gaps.extend(read.gaps);
    gaps.extend(account.gaps.iter().cloned());
    let timeline = report::timeline(&view);
    let gathered = Gathered {
        event: facts(session, &view, from, until),
        source: read.source,
        tables: read.tables,
        rights: read.rights,
        gaps,
        counted: account.counted,
        invocations: account.invocations,
        has_ledger,
        timeline,
        alarms: account.alarms,
        targets: runbook.targets,
        #[expect(clippy::cast_precision_loss, reason = "viewers are fewer than 2^53")]
        expected_viewers: runbook
            .forecast
            .as_ref()
            .map(|forecast| forecast.peak_viewers as f64),
        waivers: runbook.waivers.clone(),
        preflight_failures: preflight_failures(session),
        lessons: args.lesson.clone(),
        prices,
    };
    Ok(report::report(
        gathered,
        report::Account {
            origin_latency_ms: account.origin_latency_ms,
            function_utilization: account.function_utilization,
            has_function: runbook.tokens.is_some(),
            has_waf: runbook.waf.is_some(),
            realtime_percent: runbook
                .logs
                .realtime
                .as_ref()
                .map(|logs| f64::from(logs.sampling)),
        },
    ))
}

/// CloudWatch counts by whole minutes.
fn whole_minute(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second().div_euclid(60) * 60).unwrap_or(at)
}

fn facts(session: &Session, view: &View, from: Timestamp, until: Timestamp) -> EventFacts {
    let runbook = &session.runbook;
    let state = session.state(view);
    EventFacts {
        id: runbook.event.id.to_string(),
        name: runbook.event.name.clone(),
        target: crate::context::target_name(&session.target).to_owned(),
        doors: state.times.doors,
        kickoff: state.times.starts,
        kickoff_label: runbook.event.kickoff_label.clone(),
        ends: state.times.ends,
        planned_end: state.planned_end,
        closed: state.closed_at,
        from,
        until,
        zone: runbook.event.zone.clone(),
        made: session.clock.now(),
        maker: session.head(None, None).operator,
        distributions: runbook
            .distributions
            .iter()
            .map(|one| (one.id.clone(), one.name.clone()))
            .collect(),
        rights: runbook.geo.as_ref().map_or_else(Vec::new, |geo| {
            let sign = match geo.mode {
                GeoMode::Allow => "",
                GeoMode::Block => "!",
            };
            geo.countries
                .iter()
                .map(|country| format!("{sign}{}", country.code()))
                .collect()
        }),
    }
}

/// Checks that failed when `preflight` last ran here, if it was within two weeks.
fn preflight_failures(session: &Session) -> Vec<String> {
    let path = session.local.join("preflight.json");
    let Ok(Some(remembered)) = Remembered::read(&path) else {
        return Vec::new();
    };
    let old =
        session.clock.now().duration_since(remembered.at) > SignedDuration::from_hours(24 * 14);
    remembered
        .statuses
        .into_iter()
        .filter(|(_, status)| !old && *status == Status::Fail)
        .map(|(check, _)| check)
        .collect()
}

fn refuse_provisional(args: &Args, report: &Report) -> Result<(), Failure> {
    if !report.provisional || (report.completeness.percent.is_none() && args.accept_unknown) {
        return Ok(());
    }
    let failure = Failure::new(
        Exit::Difference,
        "report.provisional",
        completeness_words(report),
    )
    .with_data(json!({ "completeness": report.completeness }));
    Err(if report.completeness.percent.is_none() {
        failure.hint("--accept-unknown writes it all the same")
    } else if report.source.is_files() {
        failure.hint(format!(
            "copy the files that {} lacks; without --final the report is written as PROVISIONAL",
            printable(&report.source.place)
        ))
    } else {
        failure.hint(
            "logs arrive for up to a day; without --final the report is written as PROVISIONAL",
        )
    })
}

fn not_placed(error: &PlaceError) -> Failure {
    match error {
        PlaceError::Foreign { .. } => Failure::refused("report.folder", error)
            .hint("--out another folder, or --move-aside to rename this one first"),
        PlaceError::Write { .. } => {
            let mut failure = Failure::failed("report.write", "write the report");
            failure = failure.caused_by(error);
            failure
        }
    }
}

fn answer(
    args: &Args,
    session: &Session,
    report: &Report,
    place: &Path,
    files: &[(String, String)],
) -> Answer {
    let data = json!({
        "report": place.display().to_string(),
        "files": files.iter().map(|(name, content)| json!({
            "path": place.join(name).display().to_string(),
            "bytes": content.len(),
        })).collect::<Vec<_>>(),
        "summary": report.summary.figures.iter().map(|figure| (figure.name.clone(), json!(figure.value))).collect::<serde_json::Map<_, _>>(),
        "completeness": report.completeness,
        "provisional": report.provisional,
        "verdict": report.verdict,
        "window": {
            "from": report.event.from.to_string(),
            "until": report.event.until.to_string(),
            "is-part": report.event.is_part(),
        },
        "gaps": report.gaps,
    });
    let mut answer = Answer::new("report", data, text(session, report, place))
        .with_head(session.head(None, None))
        .with_sheet(report::summary_sheet(report));
    answer.markdown = Some(report::markdown_page(report));
    answer.warnings.extend(
        report
            .gaps
            .iter()
            .map(|gap| gap.trim_end_matches('.').to_owned()),
    );
    if args.check && report.verdict.kept == Kept::Missed {
        answer = answer.exiting(Exit::Difference, "check.failed", &report.verdict.headline);
    }
    answer
}

/// Ten lines, the verdict first.
fn text(session: &Session, report: &Report, place: &Path) -> String {
    let verdict = &report.verdict;
    let style = match verdict.kept {
        Kept::Met => GOOD,
        Kept::Unknown => WARN,
        Kept::Missed => BAD,
    };
    let mut text = format!(
        "{style}{} {}{style:#}\n",
        verdict.kept.sign(),
        verdict.headline
    );
    text.push_str(&format!(
        "{} {} · {}\n",
        report.event.target.to_uppercase(),
        session.runbook.event.id,
        printable(&report.event.name)
    ));
    let window = format!("window {}", report.event.window_words());
    if report.event.is_part() {
        text.push_str(&format!("{WARN}{window}{WARN:#}\n"));
    } else {
        text.push_str(&format!("{window}\n"));
    }
    for goal in verdict.goals.iter().filter(|goal| goal.kept != Kept::Met) {
        text.push_str(&format!(
            "  {} {}: {} ({}){}\n",
            goal.kept.sign(),
            goal.title,
            known(goal.value, goal.unit),
            goal.limit_words(),
            match goal.kept {
                Kept::Unknown => format!(": {}", goal.note),
                _ => String::new(),
            }
        ));
    }
    let words = completeness_words(report);
    if report.provisional {
        text.push_str(&format!("{WARN}{words}{WARN:#}\n"));
    } else {
        text.push_str(&format!("{words}\n"));
    }
    for unread in report.source.unread() {
        text.push_str(&format!("{WARN}{}{WARN:#}\n", printable(&unread)));
    }
    let of = |measure: Measure| known(report.summary.value(measure), measure.unit());
    text.push_str(&format!(
        "{} viewers at the peak · {} watched · {} · {} requests · peak {}\n",
        of(Measure::PeakViewers),
        of(Measure::ViewerHours),
        of(Measure::Bytes),
        of(Measure::Requests),
        of(Measure::PeakBits),
    ));
    let within = report.event.from..report.event.until;
    let actions = report
        .timeline
        .iter()
        .filter(|entry| entry.is_drawn && within.contains(&entry.at))
        .count();
    text.push_str(&format!(
        "{} · {} lessons · about {}\n",
        if report.has_ledger {
            format!("{actions} actions of the crew")
        } else {
            "the crew's actions are not known".to_owned()
        },
        report.lessons.len(),
        of(Measure::Cost)
    ));
    text.push_str(&format!("{}\n", place.join("index.html").display()));
    text
}
