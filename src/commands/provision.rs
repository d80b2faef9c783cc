//! `provision`: brings the event's resources to the runbook plus the ledger's open entries.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::change::{self, Basis, Finished};
use crate::cloud::{Approved, CloudError};
use crate::context::{Context, Session};
use crate::error::{Exit, Failure};
use crate::ledger::body::{Body, Claim, Intent, Kind, Outcome, Verdict};
use crate::ledger::view::Change;
use crate::plan::change::empty_intent;
use crate::plan::guard::{self, Finding, Override};
use crate::provision::{self, Action, Applied, Choice, Iac, PartError, Progress, Scene, Step, iac};
use crate::render::{Answer, Sheet};
use crate::ui::Question;

pub(crate) const COMMAND: &str = "provision";

/// Bring the event's resources to the runbook
///
/// Looks at everything the runbook asks for, shows what it would make and change, and does it: IP sets
/// and the web ACL's rules, the key value store and the edge function with its place on the
/// distributions, logs, tables, dashboard and alarms. What the crew has set live and is still open in
/// the ledger (a block, a country, a mode, a rule) is part of what should be there and is never
/// taken back. What is as it should be is left alone, so it can be run again at any time; cut off in the middle,
/// a further run goes on. Things that were there before are changed in the runbook's fields only.
///
/// With --dry-run it changes nothing and exits 3 when something would change.
///
/// Example: onair provision --dry-run
#[derive(Debug, clap::Args)]
pub(crate) struct ProvisionArgs {
    /// Look after these kinds alone, such as function
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    only: Vec<String>,
    /// Leave these kinds as they are
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    skip: Vec<String>,
    /// Print the lines that keep infrastructure-as-code from taking our fields back
    #[arg(long, value_enum, value_name = "TOOL")]
    iac: Option<Tool>,
}

/// A tool that describes infrastructure as code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Tool {
    Terraform,
    Cloudformation,
}

impl From<Tool> for Iac {
    fn from(tool: Tool) -> Self {
        match tool {
            Tool::Terraform => Self::Terraform,
            Tool::Cloudformation => Self::Cloudformation,
        }
    }
}

/// A waiting step, such as a store that becomes ready, takes minutes on AWS; the write itself is
/// bounded by `--timeout`.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_mins(10);

pub(crate) async fn run(args: &ProvisionArgs, context: &Context) -> Result<Answer, Failure> {
    let session = context.session().await?;
    let choice = Choice {
        only: args.only.clone(),
        skip: args.skip.clone(),
    };
    let parts = provision::all();
    check_kinds(&choice, &parts)?;
    let basis = change::basis(&session, false).await?;
    let head = session.head(Some(&basis.state), Some(&basis.operator));
    let scene = scene(&session, &basis);
    let steps = provision::plan(&scene, &parts, &choice)
        .await
        .map_err(|error| failure(&error, false))?;
    let planned = Planned::new(&session, &basis, steps, args.iac.map(Iac::from));
    let text = planned.text(&session, &basis);

    if let Some(mut failure) = planned.refusal(&session, &basis) {
        failure.text = Some(text);
        return Err(failure.with_data(planned.data(false)));
    }
    let pending = planned.is_pending();
    let answer = |data: Value, text: String| {
        let mut answer = Answer::new(COMMAND, data, text)
            .with_head(head.clone())
            .with_sheet(planned.sheet());
        answer.warnings.clone_from(&planned.warnings);
        answer
    };
    if session.options().dry_run {
        let answer = answer(
            planned.data(pending),
            format!("{text}dry run: nothing was changed\n"),
        );
        return Ok(if pending {
            answer.exiting(
                Exit::Difference,
                "difference",
                "a run without --dry-run would change this",
            )
        } else {
            answer
        });
    }
    if !pending {
        settle_cut_off(&session, &basis, COMMAND).await;
        // A rehearsal's own keys: there is nobody to ask, as when it was made.
        let mut seeded = Applied::default();
        seed_keys(&session, &Approved::by_confirmation(), &mut seeded).await;
        if let Some(error) = seeded.errors.first() {
            return Err(failure(error, false));
        }
        return Ok(answer(
            planned.data(false),
            format!("{text}nothing to do: all of it is as it should be\n"),
        ));
    }

    let id = session.runbook.event.id.to_string();
    let question = if planned.level == 2 {
        Question::Typed(id.clone())
    } else {
        Question::Yes
    };
    let asked = session.ui().is_interactive()
        && !session.options().answers.yes
        && session.options().answers.confirm.is_none();
    if asked {
        session.ui().say(text.trim_end());
    }
    let approved = session
        .ui()
        .approve(&question, &session.options().answers, &[id])
        .await
        .map_err(|failure| {
            let mut failure = failure.with_data(planned.data(true));
            if !planned.far_reaching.is_empty() {
                let why = planned.far_reaching.join("; ");
                failure.message = format!("{}: {why}", failure.message);
            }
            if !asked {
                failure.text = Some(text.clone());
            }
            failure
        })?;
    let intent = planned.intent(&session, &basis);
    let writing = session.ui().interrupt().writing();
    let (name, applied, finished) = carry_out(
        &session,
        &basis,
        &scene,
        &parts,
        &planned.steps,
        &intent,
        &approved,
    )
    .await?;
    drop(writing);
    let shown = if asked { String::new() } else { text };
    let mut answer = answer(planned.data(false), shown);
    answer.data["made"] = json!(applied.made);
    complete(&mut answer, &name, &applied, &finished);
    if finished.exit == Exit::Done {
        settle_cut_off(&session, &basis, COMMAND).await;
    }
    Ok(answer)
}

/// Adds to an answer what came of it.
pub(super) fn complete(answer: &mut Answer, name: &str, applied: &Applied, finished: &Finished) {
    answer.data["pending"] = json!(finished.exit == Exit::Partly);
    answer.data["entry"] = json!({ "id": finished.entry().to_string(), "name": name });
    answer.data["outcomes"] = json!(applied.parts);
    answer.changed = applied.changed();
    for part in &applied.parts {
        let mark = match (part.result, part.changed) {
            (Verdict::Applied, true) => "✓ done",
            (Verdict::Applied, false) => "✓ as meant already",
            (Verdict::Partly | Verdict::Failed, _) => "✗ not done",
            (Verdict::Unknown, _) => "? not known",
        };
        let why = part
            .error
            .as_ref()
            .map(|error| format!(": {error}"))
            .unwrap_or_default();
        answer
            .text
            .push_str(&format!("  {mark}: {}{why}\n", part.resource));
    }
    for note in &applied.notes {
        answer.text.push_str(&format!("  note: {note}\n"));
    }
    if finished.exit == Exit::Done {
        answer.text.push_str(&format!("{name} is in the ledger\n"));
        return;
    }
    let (code, message) = match applied.errors.first() {
        Some(error) => {
            let failure = failure(error, applied.changed());
            answer.hints.extend(failure.hints.iter().cloned());
            (failure.code.clone(), error.to_string())
        }
        None => ("failed".to_owned(), "not applied".to_owned()),
    };
    let command = answer.command.clone();
    let done = applied
        .parts
        .iter()
        .filter(|part| part.result == Verdict::Applied)
        .count();
    answer.hints.push(format!(
        "{done} of {} steps are done; `onair {command}` again goes on from there",
        applied.parts.len()
    ));
    answer.exit = finished.exit;
    answer.error = Some((code, message));
}

/// Refuses a kind that there is not.
pub(super) fn check_kinds(
    choice: &Choice,
    parts: &[Box<dyn provision::Part>],
) -> Result<(), Failure> {
    let Some(unknown) = choice.unknown(parts) else {
        if parts.iter().any(|part| choice.takes(part.kind())) {
            return Ok(());
        }
        return Err(Failure::usage("--only and --skip leave nothing to do")
            .hint("name the kinds that are meant in --only alone"));
    };
    let kinds: Vec<&str> = parts.iter().map(|part| part.kind()).collect();
    let mut failure = Failure::usage(format!(
        "there is no kind {:?}",
        crate::event::text::shortened(unknown, 40)
    ))
    .hint(format!("kinds: {}", kinds.join(", ")));
    if let Some(nearest) = crate::event::text::did_you_mean(unknown, kinds) {
        failure = failure.hint(format!("did you mean {nearest}?"));
    }
    Err(failure)
}

pub(super) fn scene<'a>(session: &'a Session, basis: &Basis<'_>) -> Scene<'a> {
    let deadline = basis
        .now
        .saturating_add(session.options().timeout.max(LONGEST_WAIT))
        .unwrap_or(Timestamp::MAX);
    Scene::new(session, basis.view.clone(), deadline)
}

/// The intent to the ledger, the steps, the outcome to the ledger.
async fn carry_out(
    session: &Session,
    basis: &Basis<'_>,
    scene: &Scene<'_>,
    parts: &[Box<dyn provision::Part>],
    steps: &[Step],
    intent: &Intent,
    approved: &Approved,
) -> Result<(String, Applied, Finished), Failure> {
    let (entry, _) = change::write_intent(session, intent, false).await?;
    let handle = match session.ledger.claim_handle(&basis.operator, entry.id).await {
        Ok(handle) => handle,
        Err(error) => {
            tracing::debug!(%error, "no handle");
            None
        }
    };
    let name = handle.unwrap_or_else(|| entry.id.to_string());
    let mut applied = provision::apply(scene, parts, steps, approved, &teller(session)).await;
    if applied.errors.is_empty() {
        seed_keys(session, approved, &mut applied).await;
    }
    let finished = write_outcome(session, &entry.id, &applied, None).await;
    Ok((name, applied, finished))
}

/// Gives a rehearsal's store its keys, also where the run that made the store was cut off before.
async fn seed_keys(session: &Session, approved: &Approved, applied: &mut Applied) {
    if session.sandbox.is_none() {
        return;
    }
    let (runbook, cloud) = (&session.runbook, &session.cloud);
    let put = super::provisioned::put_keys_in(runbook, cloud, approved, &session.clock).await;
    if let Err(failure) = put {
        applied.errors.push(PartError::Other(format!(
            "the rehearsal's signing key is not in the store yet: {}",
            failure.message
        )));
    }
}

/// Shows each step as it begins.
pub(super) fn teller(session: &Session) -> impl Fn(Progress) {
    let ui = session.ui().clone();
    move |progress| match progress {
        Progress::Begun { resource, verb } => {
            if ui.is_interactive() {
                ui.say(&format!("  … {verb} {resource}"));
            }
            tracing::info!(%resource, verb, "begun");
        }
        Progress::Ended {
            resource,
            verb,
            result,
        } => tracing::info!(%resource, verb, ?result, "ended"),
    }
}

/// Writes the outcome down; `at_least` is what is true of the change even when this attempt failed.
pub(super) async fn write_outcome(
    session: &Session,
    intent: &crate::ledger::EntryId,
    applied: &Applied,
    at_least: Option<Verdict>,
) -> Finished {
    let result = match (applied.verdict(), at_least) {
        (Verdict::Failed, Some(at_least)) => at_least,
        (result, _) => result,
    };
    let mut exit = match result {
        Verdict::Applied => Exit::Done,
        Verdict::Partly | Verdict::Unknown => Exit::Partly,
        Verdict::Failed => Exit::Failed,
    };
    for error in &applied.errors {
        let other = failure(error, false).exit;
        exit = match (exit, other) {
            (Exit::Failed, Exit::Refused) => Exit::Refused,
            (exit, other) => exit.or_graver(other),
        };
    }
    let outcome = Outcome {
        intent: *intent,
        result,
        parts: applied.parts.clone(),
        error: applied.errors.first().map(ToString::to_string),
        made: applied.made.clone(),
        removed: applied.removed.clone(),
    };
    let mut warnings = Vec::new();
    if let Err(error) = session
        .ledger
        .append_or_spool(Body::Outcome(outcome.clone()))
        .await
    {
        warnings.push(format!(
            "the outcome could not be written to the ledger ({error}); a further run finds it out again"
        ));
    }
    Finished::of(outcome, exit, *intent, warnings)
}

/// Says in the ledger that earlier runs of `command` that were cut off are finished by this one.
pub(super) async fn settle_cut_off(session: &Session, basis: &Basis<'_>, command: &str) {
    for change in basis.view.cut_off(basis.now) {
        if change.intent().command != command {
            continue;
        }
        let outcome = Outcome {
            intent: *change.id(),
            result: Verdict::Applied,
            parts: Vec::new(),
            error: None,
            made: Vec::new(),
            removed: Vec::new(),
        };
        if let Err(error) = session.ledger.append_or_spool(Body::Outcome(outcome)).await {
            tracing::warn!(%error, "an earlier run could not be marked as finished");
        }
    }
}

/// Whether a change is this command's or `teardown`'s: what only they can finish.
pub(crate) fn is_provisioning(change: &Change) -> bool {
    let command = change.intent().command.as_str();
    command == COMMAND || command == super::teardown::COMMAND
}

/// Finishes a run that was cut off: plans anew, and carries out what is left.
pub(super) async fn carry_on(
    session: &Session,
    basis: &Basis<'_>,
    approved: &Approved,
    change: &Change,
) -> Result<Finished, Failure> {
    if change.intent().command == super::teardown::COMMAND {
        return super::teardown::carry_on(session, basis, approved, change).await;
    }
    let given_up = change.intent().overrides.iter();
    if basis.state.is_live()
        && !given_up
            .into_iter()
            .any(|one| one == Override::BreakGlass.name())
    {
        return Err(live_refusal());
    }
    let parts = provision::all();
    let scene = scene(session, basis);
    let steps = provision::plan(&scene, &parts, &Choice::default())
        .await
        .map_err(|error| failure(&error, false))?;
    // Only what the entry meant: what the runbook has since come to ask for is a run of its own.
    let meant: Vec<Step> = steps
        .into_iter()
        .filter(|step| {
            step.action != Action::Create
                || change
                    .intent()
                    .makes
                    .contains(&Claim::new(step.kind, &step.name))
        })
        .collect();
    let mut applied = provision::apply(&scene, &parts, &meant, approved, &teller(session)).await;
    if applied.errors.is_empty() {
        seed_keys(session, approved, &mut applied).await;
    }
    let at_least = at_least(change);
    Ok(write_outcome(session, change.id(), &applied, Some(at_least)).await)
}

/// What is true of a change whatever a further attempt comes to.
pub(super) fn at_least(change: &Change) -> Verdict {
    let landed = change
        .outcomes()
        .flat_map(|outcome| &outcome.parts)
        .any(|part| part.result == Verdict::Applied);
    if landed {
        Verdict::Partly
    } else {
        Verdict::Unknown
    }
}

/// The plan with what the guards say of it.
struct Planned {
    steps: Vec<Step>,
    findings: Vec<Finding>,
    warnings: Vec<String>,
    level: u8,
    /// What makes it level 2.
    far_reaching: Vec<String>,
    iac: Option<Iac>,
}

impl Planned {
    fn new(session: &Session, basis: &Basis<'_>, steps: Vec<Step>, iac: Option<Iac>) -> Self {
        let mut warnings = Vec::new();
        let mut far_reaching = Vec::new();
        for neighbor in &basis.neighbors {
            let shared: Vec<&str> = neighbor
                .distributions
                .iter()
                .chain(&neighbor.web_acl)
                .filter(|shared| {
                    steps
                        .iter()
                        .any(|step| step.action.is_pending() && step.touches.contains(shared))
                })
                .map(String::as_str)
                .collect();
            if shared.is_empty() {
                continue;
            }
            let live = if neighbor.live {
                ", which is in its window NOW"
            } else {
                ""
            };
            let also = format!(
                "{} also serves event {}{live}",
                shared.join(" and "),
                neighbor.event
            );
            // As preflight has it: another event counts while it is on.
            if neighbor.live {
                far_reaching.push(also.clone());
            }
            warnings.push(also);
        }
        let creates = steps
            .iter()
            .filter(|step| step.action == Action::Create)
            .count();
        if basis.state.closed_at.is_some() && creates > 0 {
            let again = format!(
                "{} is closed: this makes {creates} resources for it again, and they cost until a teardown",
                session.runbook.event.id
            );
            far_reaching.push(again.clone());
            warnings.push(again);
        }
        if !session.elsewhere.is_empty() {
            let other = format!(
                "{} is outside its window, and {} is in it now",
                session.runbook.event.id,
                session.elsewhere.join(", ")
            );
            far_reaching.push(other.clone());
            warnings.push(other);
        }
        warnings.extend(iac::warnings(&steps));
        let mut findings = Vec::new();
        let current = session
            .runbook
            .phases
            .iter()
            .find(|one| one.phase == basis.state.phase);
        findings.extend(current.and_then(|one| guard::phase(COMMAND, one.phase, &one.allow)));
        if findings.is_empty() && basis.state.is_live() {
            findings.push(Finding {
                code: "guard.phase",
                message: "the event is live, and `provision` changes what viewers pass through"
                    .to_owned(),
                hint: None,
                lifted_by: Some(Override::BreakGlass),
            });
        }
        Self {
            steps,
            findings,
            warnings,
            level: if far_reaching.is_empty() { 1 } else { 2 },
            far_reaching,
            iac,
        }
    }

    fn is_pending(&self) -> bool {
        self.steps.iter().any(|step| step.action.is_pending())
    }

    fn count(&self, action: Action) -> usize {
        let of = self.steps.iter().filter(|step| step.action == action);
        of.count()
    }

    fn summary(&self) -> String {
        let mut words = Vec::new();
        for action in [Action::Create, Action::Change, Action::Remove, Action::Keep] {
            let count = self.count(action);
            if count > 0 {
                words.push(format!("{} {count}", action.word()));
            }
        }
        let refused = self.count(Action::Refused);
        if refused > 0 {
            words.push(format!("{refused} in the way"));
        }
        if words.is_empty() {
            words.push("the runbook asks for nothing to be made".to_owned());
        }
        format!("PROVISION: {}", words.join(" · "))
    }

    fn data(&self, pending: bool) -> Value {
        json!({
            "pending": pending,
            "summary": self.summary(),
            "level": self.level,
            "counts": {
                "create": self.count(Action::Create),
                "change": self.count(Action::Change),
                "keep": self.count(Action::Keep),
                "remove": self.count(Action::Remove),
                "refused": self.count(Action::Refused),
            },
            "steps": self.steps,
            "iac": self.iac.map(|tool| iac::lines(&self.steps, tool)),
        })
    }

    fn sheet(&self) -> Sheet {
        let mut sheet = Sheet::new(&["action", "kind", "name", "field", "from", "to", "note"]);
        // First of all rows, so that a table in a CI summary says what it comes to.
        let blank = String::new;
        sheet.push([
            "summary".to_owned(),
            blank(),
            blank(),
            blank(),
            blank(),
            blank(),
            self.summary(),
        ]);
        for step in &self.steps {
            let row = |field: &str, from: &Option<String>, to: &Option<String>| {
                [
                    step.action.word().to_owned(),
                    step.kind.to_owned(),
                    step.name.clone(),
                    field.to_owned(),
                    from.clone().unwrap_or_default(),
                    to.clone().unwrap_or_default(),
                    step.note.clone().unwrap_or_default(),
                ]
            };
            if step.changes.is_empty() {
                sheet.push(row("", &None, &None));
            }
            for change in &step.changes {
                sheet.push(row(&change.field, &change.from, &change.to));
            }
        }
        sheet
    }

    fn text(&self, session: &Session, basis: &Basis<'_>) -> String {
        let mut text = super::header(session, &basis.state, Some(&basis.operator));
        text.push_str(&format!("{}\n", self.summary()));
        for step in self.steps.iter().filter(|step| step.action != Action::Keep) {
            text.push_str(&format!("  {:<7} {}", step.action.word(), step.resource()));
            if let Some(costs) = &step.costs {
                text.push_str(&format!(" · {costs}"));
            }
            text.push('\n');
            for change in &step.changes {
                let line = change.to_string();
                text.push_str(&format!(
                    "            {}\n",
                    crate::event::text::printable(&line)
                ));
            }
            if let Some(note) = &step.note {
                text.push_str(&format!("            {note}\n"));
            }
        }
        let kept: Vec<String> = self
            .steps
            .iter()
            .filter(|step| step.action == Action::Keep)
            .map(Step::resource)
            .collect();
        if !kept.is_empty() {
            text.push_str(&format!("  as it should be: {}\n", kept.join(", ")));
        }
        for warning in &self.warnings {
            text.push_str(&format!("  warning: {warning}\n"));
        }
        if let Some(tool) = self.iac {
            text.push('\n');
            text.push_str(&iac::lines(&self.steps, tool));
        }
        text
    }

    /// Why it does not go ahead, if it does not.
    fn refusal(&self, session: &Session, basis: &Basis<'_>) -> Option<Failure> {
        let refused: Vec<&Step> = self
            .steps
            .iter()
            .filter(|step| step.action == Action::Refused)
            .collect();
        if let Some(first) = refused.first() {
            let mut failure = Failure::refused(
                "guard.foreign",
                format!(
                    "{}: {}",
                    first.resource(),
                    first.note.as_deref().unwrap_or("cannot be done")
                ),
            );
            for other in &refused[1..] {
                failure.causes.push(format!(
                    "{}: {}",
                    other.resource(),
                    other.note.as_deref().unwrap_or("cannot be done")
                ));
            }
            return Some(failure.hint(format!(
                "mend it or the runbook; the rest without it: onair provision --skip {}",
                first.kind
            )));
        }
        if !self.is_pending() || session.options().dry_run {
            return None;
        }
        let given_up = &session.options().overrides;
        let standing = self
            .findings
            .iter()
            .find(|finding| finding.lifted_by.is_none_or(|one| !given_up.contains(&one)));
        if let Some(finding) = standing {
            let mut failure = Failure::refused(finding.code, &finding.message);
            failure.hints.extend(finding.hint.clone());
            if let Some(flag) = finding.lifted_by {
                failure = failure.hint(format!("to do it all the same: {} -m REASON", flag.flag()));
            }
            return Some(failure);
        }
        if !self.findings.is_empty() && session.options().reason.is_none() {
            return Some(
                Failure::refused(
                    "guard.reason",
                    format!(
                        "`{COMMAND}` in phase {} gives up a guard, and the ledger keeps why",
                        basis.state.phase
                    ),
                )
                .hint("add the reason: -m TEXT"),
            );
        }
        None
    }

    fn intent(&self, session: &Session, basis: &Basis<'_>) -> Intent {
        let mut intent = empty_intent(COMMAND, &self.summary(), Kind::Change, basis.now);
        intent.reason.clone_from(&session.options().reason);
        let used = self.findings.iter().filter_map(|finding| finding.lifted_by);
        intent.overrides = used.map(|one| one.name().to_owned()).collect();
        intent.makes = self
            .steps
            .iter()
            .filter(|step| step.action.is_pending() && step.claims)
            .map(|step| Claim::new(step.kind, &step.name))
            .collect();
        intent
    }
}

fn live_refusal() -> Failure {
    Failure::refused(
        "guard.phase",
        "the event is live, and `provision` changes what viewers pass through",
    )
    .hint("to do it all the same: onair provision --break-glass -m REASON")
}

/// A part's error at the command's edge.
pub(super) fn failure(error: &PartError, changed: bool) -> Failure {
    let mut failure = match error {
        PartError::Cloud(error @ CloudError::Conflict { .. }) => Failure::from(error.clone())
            .hint("somebody else wrote at the same time; look again: onair provision --dry-run"),
        PartError::Cloud(error) => Failure::from(error.clone()),
        PartError::Moved { .. } => Failure::new(Exit::Conflict, "conflict", error)
            .hint("look at what it would do now: onair provision --dry-run"),
        PartError::Refused { hint, .. } => Failure::refused("guard.foreign", error).hint(hint),
        PartError::NotReady { .. } => Failure::new(Exit::Partly, "not-ready", error)
            .hint("run it again in some minutes; it goes on from there"),
        PartError::Interrupted => Failure::interrupted(),
        PartError::Other(_) => Failure::failed("failed", error),
    };
    failure.changed = changed;
    failure
}
