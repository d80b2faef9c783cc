//! `onair dashboard apply`: bring the stored dashboard to the runbook, keeping what hands changed.
//!
//! CloudWatch replaces a dashboard whole and knows no version, so the body is read again right before
//! it is written: when it is not what was shown, nothing is written.

use serde_json::json;

use super::diff;
use super::{Wanted, stored, wanted};
use crate::cloud::Approved;
use crate::cloud::metrics::{BodyMessage, PutDashboard};
use crate::commands::change::{self, Basis, Finished};
use crate::context::Session;
use crate::dashboard::body::to_text;
use crate::dashboard::console::dashboard_url;
use crate::dashboard::merge::{self, Comparison, Edits};
use crate::dashboard::validate::validate;
use crate::error::{Exit, Failure};
use crate::ledger::EntryId;
use crate::ledger::body::{Body, Claim, Intent, Kind, Made, Outcome, PartOutcome, Verdict};
use crate::ledger::entry::Hash256;
use crate::ledger::view::Change;
use crate::plan::change::empty_intent;
use crate::plan::guard;
use crate::render::Answer;
use crate::ui::Question;

const COMMAND: &str = "dashboard apply";
/// The kind in the ledger's claims, as provisioning has it.
const KIND: &str = "dashboard";

/// Bring the stored dashboard to the runbook and the ledger
///
/// Widgets that somebody changed or removed by hand stay as they are, and other people's widgets stay,
/// below ours. The crew's latest actions are drawn as annotations. When the dashboard changes between
/// the plan and the write, nothing is written: exit 5.
///
/// Example: onair dashboard apply --yes
#[derive(Debug, clap::Args)]
pub(crate) struct ApplyArgs {
    /// Undo what was changed by hand in the widgets that onair made
    #[arg(long)]
    discard_edits: bool,
}

pub(super) async fn run(args: &ApplyArgs, session: &Session) -> Result<Answer, Failure> {
    let basis = change::basis(session, false).await?;
    let wanted = wanted(session, &basis.view, &basis.state)?;
    let before = stored(&session.cloud, &wanted.name).await?;
    let edits = if args.discard_edits {
        Edits::Discard
    } else {
        Edits::Keep
    };
    let comparison = merge::compare(before.as_ref().map(|(_, value)| value), &wanted.body, edits);
    let head = session.head(Some(&basis.state), Some(&basis.operator));
    let mut text = format!(
        "{}{}",
        crate::commands::header(session, &basis.state, Some(&basis.operator)),
        diff::words(&wanted.name, before.is_some(), &comparison)
    );
    let data = diff::data(&wanted.name, &comparison);
    let pending = comparison.is_pending || comparison.marks_behind;
    let answer = |data, text| {
        Answer::new(COMMAND, data, text)
            .with_head(head.clone())
            .with_sheet(diff::sheet(&comparison))
    };
    if !pending {
        text.push_str("nothing to do\n");
        return Ok(answer(data, text));
    }
    let body = to_text(&comparison.merged);
    check_here(&body).map_err(|failure| failure.with_data(data.clone()))?;
    let overrides = guard_phase(session, &basis).map_err(|mut failure| {
        failure.text = Some(text.clone());
        failure.with_data(data.clone())
    })?;
    if session.options().dry_run {
        text.push_str("dry run: nothing was changed\n");
        return Ok(answer(data, text).exiting(
            Exit::Difference,
            "difference",
            "a run without --dry-run would change this",
        ));
    }
    let discards = args.discard_edits && diff::has_edits(&comparison);
    let question = if discards {
        Question::Yes
    } else {
        Question::Enter
    };
    let asked = session.ui().is_interactive()
        && !session.options().answers.yes
        && session.options().answers.confirm.is_none();
    if asked {
        session.ui().say(text.trim_end());
    }
    let id = session.runbook.event.id.to_string();
    let approved = session
        .ui()
        .approve(&question, &session.options().answers, &[id])
        .await
        .map_err(|failure| {
            let mut failure = failure.with_data(data.clone());
            if !asked {
                failure.text = Some(text.clone());
            }
            failure
        })?;
    if asked {
        text = String::new();
    }

    let writing = session.ui().interrupt().writing();
    let mut intent = intent(session, &basis, &wanted, &comparison, before.is_none());
    intent.overrides = overrides;
    let (entry, _) = change::write_intent(session, &intent, false).await?;
    let handle = match session.ledger.claim_handle(&basis.operator, entry.id).await {
        Ok(handle) => handle,
        Err(error) => {
            tracing::debug!(%error, "no handle");
            None
        }
    };
    let name = handle.unwrap_or_else(|| entry.id.to_string());
    let old = before.as_ref().map(|(text, _)| text.as_str());
    let drawn = draw(session, &approved, &wanted.name, old, &body).await;
    let finished = write_outcome(session, &entry.id, &wanted.name, old, &body, &drawn).await;
    drop(writing);
    let mut answer = answer(data, text);
    answer.data["entry"] = json!({ "id": entry.id.to_string(), "name": name });
    answer.data["outcomes"] = json!(finished.outcome.parts);
    answer.data["url"] = json!(dashboard_url(&wanted.name));
    match drawn {
        Ok(drawn) => {
            answer.changed = true;
            answer.data["pending"] = json!(false);
            answer.warnings.extend(drawn.warnings.iter().map(said));
            answer.text.push_str(&format!(
                "✓ dashboard {} is stored, read back as sent · {name} is in the ledger\n{}\n",
                wanted.name,
                dashboard_url(&wanted.name)
            ));
            Ok(answer)
        }
        Err(failure) => Err(failure.with_data(answer.data)),
    }
}

fn said(message: &BodyMessage) -> String {
    format!("CloudWatch says of {}: {}", message.path, message.message)
}

/// Refuses here what CloudWatch would refuse, with all it is about.
fn check_here(body: &str) -> Result<(), Failure> {
    let findings = validate(body);
    let Some(first) = findings.errors.first() else {
        return Ok(());
    };
    let mut failure = Failure::failed(
        "dashboard.invalid",
        format!(
            "the dashboard is not valid: {} at {}",
            first.message, first.path
        ),
    );
    for error in &findings.errors[1..] {
        failure
            .causes
            .push(format!("{} at {}", error.message, error.path));
    }
    Err(failure.hint("onair dashboard render"))
}

/// Refuses what the phase does not allow; returns the overrides that were used.
fn guard_phase(session: &Session, basis: &Basis<'_>) -> Result<Vec<String>, Failure> {
    let mut phases = session.runbook.phases.iter();
    let Some(current) = phases.find(|one| one.phase == basis.state.phase) else {
        return Ok(Vec::new());
    };
    let Some(finding) = guard::phase(COMMAND, current.phase, &current.allow) else {
        return Ok(Vec::new());
    };
    let lifted = finding
        .lifted_by
        .filter(|one| session.options().overrides.contains(one));
    match lifted {
        None => {
            let mut failure = Failure::refused(finding.code, &finding.message);
            failure.hints.extend(finding.hint);
            if let Some(one) = finding.lifted_by {
                failure = failure.hint(format!("to do it all the same: {} -m REASON", one.flag()));
            }
            Err(failure)
        }
        Some(_) if session.options().reason.is_none() => Err(Failure::refused(
            "guard.reason",
            format!("`{COMMAND}` gives up a guard, and the ledger keeps why"),
        )
        .hint("add the reason: -m TEXT")),
        Some(one) => Ok(vec![one.name().to_owned()]),
    }
}

fn intent(
    session: &Session,
    basis: &Basis<'_>,
    wanted: &Wanted,
    comparison: &Comparison,
    is_new: bool,
) -> Intent {
    let changes = comparison
        .differences
        .iter()
        .filter(|one| one.is_pending)
        .count();
    let what = if is_new {
        "MAKE".to_owned()
    } else if changes == 0 {
        "ANNOTATE".to_owned()
    } else {
        let plural = if changes == 1 { "" } else { "s" };
        format!("UPDATE {changes} widget{plural} of")
    };
    let summary = format!("{what} dashboard {}", wanted.name);
    let mut intent = empty_intent(COMMAND, &summary, Kind::Change, basis.now);
    intent.reason.clone_from(&session.options().reason);
    if is_new {
        intent.makes.push(Claim::new(KIND, wanted.name.as_str()));
    }
    intent
}

/// A dashboard that was stored.
struct Drawn {
    warnings: Vec<BodyMessage>,
}

/// Stores `body` where `before` is still what is there, and reads it back.
async fn draw(
    session: &Session,
    approved: &Approved,
    name: &str,
    before: Option<&str>,
    body: &str,
) -> Result<Drawn, Failure> {
    let now = stored(&session.cloud, name).await?;
    if now.as_ref().map(|(text, _)| text.as_str()) != before {
        return Err(moved(name));
    }
    let tags = tags(session);
    let tags: Vec<(&str, &str)> = tags
        .iter()
        .map(|(key, value)| (*key, value.as_str()))
        .collect();
    let warnings = match session
        .cloud
        .put_dashboard(approved, name, body, &tags)
        .await
    {
        Ok(PutDashboard::Saved { warnings }) => warnings,
        Ok(PutDashboard::Invalid { message, problems }) => {
            let mut failure = Failure::failed(
                "dashboard.invalid",
                format!("CloudWatch refused the dashboard: {message}"),
            );
            failure.causes.extend(problems.iter().map(said));
            return Err(failure);
        }
        // Its answer was lost, perhaps; what is there now tells.
        Err(error) if error.may_have_landed() => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    let after = stored(&session.cloud, name).await.map_err(|mut failure| {
        failure.exit = Exit::Partly;
        failure.changed = true;
        failure
    })?;
    if after.is_some_and(|(text, _)| text == body) {
        Ok(Drawn { warnings })
    } else {
        Err(moved(name))
    }
}

fn moved(name: &str) -> Failure {
    let mut failure = Failure::new(
        Exit::Conflict,
        "conflict",
        format!("dashboard {name} changed since it was compared; nothing was written over it"),
    );
    failure.retryable = true;
    failure.hint("see what moved: onair dashboard diff")
}

/// What marks a dashboard that we make as the event's.
fn tags(session: &Session) -> [(&'static str, String); 2] {
    [
        ("onair:event", session.runbook.event.id.to_string()),
        ("onair:owner", "onair".to_owned()),
    ]
}

async fn write_outcome(
    session: &Session,
    intent: &EntryId,
    name: &str,
    before: Option<&str>,
    body: &str,
    drawn: &Result<Drawn, Failure>,
) -> Finished {
    let (result, exit) = match drawn {
        Ok(_) => (Verdict::Applied, Exit::Done),
        Err(failure) if failure.exit == Exit::Partly => (Verdict::Unknown, Exit::Partly),
        Err(failure) => (Verdict::Failed, failure.exit),
    };
    let digest = |text: &str| Hash256::of(text.as_bytes()).to_string();
    let error = drawn.as_ref().err().map(ToString::to_string);
    let part = PartOutcome {
        result,
        changed: drawn.is_ok(),
        writes: u32::from(drawn.is_ok()),
        before: before.map(digest),
        after: drawn.as_ref().ok().map(|_| digest(body)),
        error: error.clone(),
        ..PartOutcome::of(&format!("{KIND} {name}"))
    };
    let made = Made {
        kind: KIND.to_owned(),
        name: name.to_owned(),
        id: None,
        tags: tags(session)
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect(),
    };
    let outcome = Outcome {
        intent: *intent,
        result,
        parts: vec![part],
        error,
        made: (before.is_none() && drawn.is_ok())
            .then_some(made)
            .into_iter()
            .collect(),
        removed: Vec::new(),
    };
    let mut warnings = Vec::new();
    if let Err(error) = session
        .ledger
        .append_or_spool(Body::Outcome(outcome.clone()))
        .await
    {
        warnings.push(format!(
            "the outcome could not be written to the ledger ({error})"
        ));
    }
    Finished::of(outcome, exit, *intent, warnings)
}

/// Whether a change of the ledger is one of this command's.
pub(crate) fn is_drawing(change: &Change) -> bool {
    change.intent().command == COMMAND
}

/// Finishes a run of this command that was cut off: draws what is wanted now, and keeps edits.
pub(crate) async fn carry_on(
    session: &Session,
    basis: &Basis<'_>,
    approved: &Approved,
    change: &Change,
) -> Result<Finished, Failure> {
    let wanted = wanted(session, &basis.view, &basis.state)?;
    let before = stored(&session.cloud, &wanted.name).await?;
    let comparison = merge::compare(
        before.as_ref().map(|(_, value)| value),
        &wanted.body,
        Edits::Keep,
    );
    let body = to_text(&comparison.merged);
    let old = before.as_ref().map(|(text, _)| text.as_str());
    let drawn = if comparison.is_pending || comparison.marks_behind {
        check_here(&body)?;
        draw(session, approved, &wanted.name, old, &body).await
    } else {
        Ok(Drawn {
            warnings: Vec::new(),
        })
    };
    Ok(write_outcome(session, change.id(), &wanted.name, old, &body, &drawn).await)
}
