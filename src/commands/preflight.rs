//! `onair preflight`: every check of the event's whole path, and the one line that sums it up.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::context::{Context, Session};
use crate::error::{Exit, Failure};
use crate::event::duration::parse_duration;
use crate::event::phase::Phase;
use crate::event::text::printable;
use crate::event::time;
use crate::preflight::checks;
use crate::preflight::history::{Changes, Remembered};
use crate::preflight::judge::{Bench, Finding, Status, Tally};
use crate::preflight::select::Patterns;
use crate::preflight::{Check, Facts, Gap, Severity, junit, markdown, run as runner};
use crate::render::{Answer, Sheet};
use crate::ui::{BAD, GOOD, HINT, STRONG, WARN};

/// What an earlier run is remembered in, beside the event's local files.
const REMEMBERED: &str = "preflight.json";

/// Check the event's whole path: would it work tonight?
///
/// Every check runs at once; each resource is read once. The first line is GO, GO with 2 waivers, or
/// NO-GO: 3, followed by what mends each. Only failures of severity error make a NO-GO; what could
/// not be asked is never called wrong, but it is no GO either (--allow-unknown accepts it). Exit 3
/// when it is no GO. With --quiet the first line is all that is said.
///
/// Example: onair preflight --for-phase live --junit preflight.xml
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Judge as if the event were in this phase
    #[arg(long, value_name = "PHASE")]
    for_phase: Option<Phase>,
    /// Run only these checks: ids, groups, or patterns such as origin.*
    #[arg(long, value_name = "CHECK", value_delimiter = ',')]
    only: Vec<String>,
    /// Leave these checks out
    #[arg(long, value_name = "CHECK", value_delimiter = ',')]
    skip: Vec<String>,
    /// Go all the same when these could not be asked
    #[arg(long, value_name = "CHECK", value_delimiter = ',')]
    allow_unknown: Vec<String>,
    /// List the checks and ask nothing
    #[arg(long)]
    list: bool,
    /// Write a JUnit report to this file, too
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Say what is new, fixed or still failing since the last run here, or since an earlier JSON answer
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    #[expect(
        clippy::option_option,
        reason = "how clap says: not given, given, given with a file"
    )]
    since_last: Option<Option<PathBuf>>,
    /// Give up on a check after this long; it could not be asked, then
    #[arg(long, value_name = "DUR", value_parser = duration, default_value = "8s")]
    check_timeout: SignedDuration,
}

fn duration(text: &str) -> Result<SignedDuration, String> {
    let duration = parse_duration(text).map_err(|error| error.to_string())?;
    if duration.is_positive() {
        Ok(duration)
    } else {
        Err("it must be longer than nothing".to_owned())
    }
}

pub(crate) async fn run(args: &Args, context: &Context) -> Result<Answer, Failure> {
    let checks = chosen(args)?;
    if args.list {
        return Ok(list(&checks, context));
    }
    let allowed = patterns(&args.allow_unknown, "--allow-unknown")?;
    let session = context.session().await?;
    let facts = gather(&session).await;
    let found = ask(args, &session, &facts, &checks).await?;
    let phase = args.for_phase.unwrap_or(facts.state.phase);
    let bench = Bench {
        phase,
        now: facts.now,
        waivers: &session.runbook.waivers,
    };
    let findings: Vec<Finding> = found
        .into_iter()
        .map(|found| {
            let unknown_is_allowed = allowed.holds(&found.check);
            bench.judge(
                found.check,
                found.verdict,
                unknown_is_allowed,
                found.seconds,
            )
        })
        .collect();
    let mut warnings = Vec::new();
    let changes = remember(args, &session, &facts, &findings, &mut warnings)?;
    let report = match &args.junit {
        Some(file) => write_report(file, &facts, &findings),
        None => Ok(()),
    };
    let mut answer = answer(&facts, phase, &findings, changes.as_ref(), warnings);
    if let Err(failure) = report {
        // The verdict is worth more than its report: it is shown all the same.
        answer.warnings.push(format!(
            "{}: {}",
            failure.message,
            failure.causes.join(": ")
        ));
        answer.exit = answer.exit.or_graver(failure.exit);
        answer.error = Some((failure.code.clone(), failure.message.clone()));
    }
    Ok(answer)
}

/// The checks that the command line asks for.
fn chosen(args: &Args) -> Result<Vec<Check>, Failure> {
    let only = patterns(&args.only, "--only")?;
    let skip = patterns(&args.skip, "--skip")?;
    let mut checks = checks::all();
    checks.retain(|check| (only.is_empty() || only.holds(check)) && !skip.holds(check));
    if checks.is_empty() {
        return Err(Failure::usage("--only and --skip leave no check to run")
            .hint("onair preflight --list"));
    }
    Ok(checks)
}

fn patterns(given: &[String], option: &str) -> Result<Patterns, Failure> {
    Patterns::new(given, &checks::all()).map_err(|error| {
        Failure::usage(format!("{option} names no check"))
            .because(error)
            .hint("onair preflight --list")
    })
}

/// What all checks share; a ledger that cannot be read is a finding, not a failure.
async fn gather(session: &Session) -> Facts<'_> {
    let (ledger, caller) = tokio::join!(session.read_ledger(), session.caller());
    let caller = caller
        .cloned()
        .map_err(|failure| Gap::Unknown(failure.message.clone()));
    let ledger = ledger.map_err(|failure| {
        let mut why = failure.message.clone();
        for cause in &failure.causes {
            why.push_str(": ");
            why.push_str(cause);
        }
        why
    });
    let state = match &ledger {
        Ok(read) => session.state(&read.view),
        Err(_) => session.state(&crate::ledger::read_local(&session.ledger)),
    };
    Facts::new(session, state, ledger, caller)
}

async fn ask(
    args: &Args,
    session: &Session,
    facts: &Facts<'_>,
    checks: &[Check],
) -> Result<Vec<runner::Found>, Failure> {
    let limit = args.check_timeout.min(session.options().timeout);
    let limit = Duration::try_from(limit)
        .map_err(|_| Failure::usage("--check-timeout must not be negative"))?;
    let progress = session.ui().progress(checks.len() as u64, "checks");
    Ok(runner::run(checks, facts, limit, |done| progress.set(done)).await)
}

/// Compares with the earlier run, where that is asked for, and keeps this one for the next time.
fn remember(
    args: &Args,
    session: &Session,
    facts: &Facts<'_>,
    findings: &[Finding],
    warnings: &mut Vec<String>,
) -> Result<Option<Changes>, Failure> {
    let own = session.local.join(REMEMBERED);
    let unreadable = |error: crate::preflight::history::HistoryError| {
        Failure::usage("--since-last needs an earlier run").because(error)
    };
    // What cannot be read of our own is no reason not to run: it is made anew.
    let kept = Remembered::read(&own).unwrap_or_default();
    let changes = match &args.since_last {
        None => None,
        Some(None) => {
            if kept.is_none() {
                warnings.push(
                    "no earlier run is known here; the next one compares with this".to_owned(),
                );
            }
            Some(
                kept.as_ref()
                    .map(|kept| kept.changes(findings))
                    .unwrap_or_default(),
            )
        }
        Some(Some(file)) => {
            let earlier = Remembered::read(file).map_err(unreadable)?.ok_or_else(|| {
                Failure::usage(format!("{} is not there", file.display()))
                    .hint("an earlier `onair preflight -o json` writes it")
            })?;
            Some(earlier.changes(findings))
        }
    };
    if let Err(error) = Remembered::of(findings, facts.now, kept.as_ref()).write(&own) {
        warnings.push(format!(
            "this run could not be kept for --since-last: {error}"
        ));
    }
    Ok(changes)
}

fn write_report(file: &Path, facts: &Facts<'_>, findings: &[Finding]) -> Result<(), Failure> {
    let suite = format!("onair preflight {}", facts.runbook.event.id);
    std::fs::write(file, junit::report(&suite, findings)).map_err(|error| {
        Failure::failed(
            "preflight.junit",
            format!("{} could not be written", file.display()),
        )
        .because(error)
    })
}

fn answer(
    facts: &Facts<'_>,
    phase: Phase,
    findings: &[Finding],
    changes: Option<&Changes>,
    warnings: Vec<String>,
) -> Answer {
    let session = facts.session;
    let tally = Tally::of(findings);
    let head = super::header(session, &facts.state, None);
    let judged = judged_for(facts, phase);
    let text = text(facts, &head, &judged, findings, changes);
    let line = format!("{}{judged}", anstream::adapter::strip_str(&head));
    let page = markdown::page(facts.runbook.event.id.as_str(), &line, findings);
    let mut sheet = Sheet::new(&["check", "severity", "status", "what was seen", "fix"]);
    for finding in findings {
        sheet.push([
            finding.check.id.to_owned(),
            finding.check.severity.name().to_owned(),
            finding.status.name().to_owned(),
            finding.evidence.clone(),
            finding.fix.clone().unwrap_or_default(),
        ]);
    }
    let data = json!({
        "verdict": if tally.is_go() { "go" } else { "no-go" },
        "headline": tally.headline(),
        "at": facts.now.to_string(),
        "for-phase": phase.name(),
        "counts": tally,
        "reads": facts.count(),
        "since-last": changes,
        "checks": findings.iter().map(element).collect::<Vec<_>>(),
    });
    let mut answer = Answer::new("preflight", data, text)
        .with_head(session.head(Some(&facts.state), None))
        .with_sheet(sheet);
    answer.markdown = Some(page);
    answer.warnings = warnings;
    if !tally.is_go() {
        answer = answer.exiting(Exit::Difference, "check.failed", &tally.headline());
        answer.hints = findings
            .iter()
            .filter(|finding| finding.fails_as(Severity::Error))
            .filter_map(|finding| finding.fix.clone())
            .collect();
    }
    answer
}

/// A check in the JSON answer.
fn element(finding: &Finding) -> Value {
    let check = &finding.check;
    let waiver = finding.waiver.as_ref().map(|waiver| {
        json!({
            "reason": waiver.reason,
            "owner": waiver.owner,
            "expires": waiver.expires.to_string(),
        })
    });
    json!({
        "id": check.id,
        "title": check.title,
        "severity": check.severity,
        "status": finding.status,
        "evidence": finding.evidence,
        "fix": finding.fix,
        "source": check.source,
        "from-phase": check.from.name(),
        "seconds": (finding.seconds * 1000.0).round() / 1000.0,
        "waiver": waiver,
        "unknown-allowed": finding.unknown_is_allowed,
    })
}

fn judged_for(facts: &Facts<'_>, phase: Phase) -> String {
    if phase == facts.state.phase {
        format!("judged for phase {phase}\n")
    } else {
        format!(
            "judged as if in phase {phase} (it is {} now)\n",
            facts.state.phase
        )
    }
}

fn text(
    facts: &Facts<'_>,
    head: &str,
    judged: &str,
    findings: &[Finding],
    changes: Option<&Changes>,
) -> String {
    let tally = Tally::of(findings);
    let style = if tally.is_go() { GOOD } else { BAD };
    let mut text = format!("{style}{}{style:#}\n", tally.headline());
    if facts.session.ui().is_quiet() {
        return text;
    }
    text.push_str(head);
    text.push_str(judged);
    if let Some(changes) = changes {
        text.push_str(&since(changes, facts));
    }
    let zone = &facts.runbook.event.zone;
    let with = |test: &dyn Fn(&Finding) -> bool| -> Vec<&Finding> {
        findings.iter().filter(|one| test(one)).collect()
    };
    for finding in with(&|one| one.fails_as(Severity::Error)) {
        text.push_str(&format!("\n{BAD}✗ fail{BAD:#} {}", detail(finding)));
    }
    for finding in with(&Finding::is_unknown) {
        text.push_str(&format!(
            "\n{WARN}? could not ask{WARN:#} {}",
            detail(finding)
        ));
    }
    for finding in with(&|one| one.fails_as(Severity::Warning)) {
        text.push_str(&format!("\n{WARN}! warning{WARN:#} {}", detail(finding)));
    }
    for finding in with(&|one| one.status == Status::Waived) {
        text.push_str(&format!("\n{WARN}~ waived{WARN:#} {}", detail(finding)));
        if let Some(waiver) = &finding.waiver {
            text.push_str(&format!(
                "  accepted by {} until {}: {}\n",
                printable(&waiver.owner),
                time::local(waiver.expires, zone),
                printable(&waiver.reason)
            ));
        }
    }
    let rest = with(&|one| !one.blocks() && !matches!(one.status, Status::Fail | Status::Waived));
    if !rest.is_empty() {
        let mut sheet = Sheet::new(&["check", "status", "what was seen"]);
        for finding in rest {
            sheet.push([
                finding.check.id.to_owned(),
                finding.status.name().to_owned(),
                finding.evidence.clone(),
            ]);
        }
        text.push('\n');
        text.push_str(&sheet.table(facts.session.ui().width()));
    }
    text.push_str(&format!(
        "\n{} passed · {} failed · {} warnings · {} waived · {} could not be asked · {} not yet due · {} not applicable\n",
        tally.passed,
        tally.errors,
        tally.warnings,
        tally.waived,
        tally.unknown,
        tally.not_yet_due,
        tally.not_applicable
    ));
    text
}

/// One check with what was seen and what mends it.
fn detail(finding: &Finding) -> String {
    let mut text = format!(
        "{STRONG}{}{STRONG:#} {}\n  {}\n",
        finding.check.id,
        finding.check.title,
        printable(&finding.evidence)
    );
    if let Some(fix) = &finding.fix {
        text.push_str(&format!("  {HINT}fix:{HINT:#} {}\n", printable(fix)));
    }
    text
}

fn since(changes: &Changes, facts: &Facts<'_>) -> String {
    let Some(at) = changes.at else {
        return String::new();
    };
    let words = |ids: &[String]| {
        if ids.is_empty() {
            "none".to_owned()
        } else {
            ids.join(", ")
        }
    };
    format!(
        "since {}: new {} · fixed {} · still failing {}\n",
        time::local(at, &facts.runbook.event.zone),
        words(&changes.new),
        words(&changes.fixed),
        words(&changes.still_failing)
    )
}

/// The checks there are, without asking anybody.
fn list(checks: &[Check], context: &Context) -> Answer {
    let mut sheet = Sheet::new(&["check", "severity", "from phase", "what is true", "source"]);
    for check in checks {
        sheet.push([
            check.id.to_owned(),
            check.severity.name().to_owned(),
            check.from.name().to_owned(),
            check.title.to_owned(),
            check.source.to_owned(),
        ]);
    }
    let elements: Vec<Value> = checks
        .iter()
        .map(|check| {
            json!({
                "id": check.id,
                "title": check.title,
                "severity": check.severity,
                "from-phase": check.from.name(),
                "source": check.source,
            })
        })
        .collect();
    let text = format!(
        "{}\n{} checks\n",
        sheet.table(context.ui.width()),
        checks.len()
    );
    Answer::new("preflight", json!({ "checks": elements }), text).with_sheet(sheet)
}
