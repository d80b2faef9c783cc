//! `teardown`: removes what `provision` made for the event, and nothing else.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::change::{self, Basis, Finished};
use super::provision::{
    at_least, check_kinds, complete, failure, settle_cut_off, teller, write_outcome,
};
use crate::cloud::Approved;
use crate::context::{Context, Session};
use crate::error::{Exit, Failure};
use crate::event::text::printable;
use crate::ledger::body::{Claim, Kind};
use crate::ledger::view::Change;
use crate::plan::change::empty_intent;
use crate::plan::guard::{self};
use crate::provision::{self, Choice, Found, Holder, Scene};
use crate::render::{Answer, Sheet};
use crate::ui::Question;

pub(crate) const COMMAND: &str = "teardown";

/// Remove what provision made for the event
///
/// Takes the edge function, web ACL and log configuration off the distributions, waits until that is
/// rolled out, then deletes what onair made: what carries the event's mark (its tags, or its name where
/// AWS has no tags) and is in the ledger as made by onair. Anything else stays, distributions and what
/// others made among them. Refused while the event is live. It can be run again at any time; cut off in the middle, a
/// further run goes on. --timeout bounds each write; a roll-out is waited for up to 45 minutes, and said every 15 s.
///
/// Example: onair teardown --leftovers
#[derive(Debug, clap::Args)]
pub(crate) struct TeardownArgs {
    /// List what the event still has, what it costs, and why teardown leaves it; change nothing
    #[arg(long)]
    leftovers: bool,
    /// Take down these kinds alone
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    only: Vec<String>,
    /// Leave these kinds
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    skip: Vec<String>,
}

/// A distribution is rolled out within minutes, most of the time; AWS's own waiter gives up after 35.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_mins(45);

pub(crate) async fn run(args: &TeardownArgs, context: &Context) -> Result<Answer, Failure> {
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
    let found = provision::find(&scene, &parts, &choice)
        .await
        .map_err(|error| failure(&error, false))?;
    let header = super::header(&session, &basis.state, Some(&basis.operator));
    if args.leftovers {
        return Ok(leftovers(&header, &found).with_head(head));
    }
    let going: Vec<&Found> = found.iter().filter(|one| one.stays.is_none()).collect();
    let summary = format!(
        "TEAR DOWN {}: {} of {} things that carry its mark",
        session.runbook.event.id,
        going.len(),
        found.len()
    );
    let mut text = format!("{header}{summary}\n");
    for one in &found {
        text.push_str(&line(one));
    }
    let data = |pending: bool| {
        json!({
            "pending": pending,
            "summary": summary,
            "level": 2,
            "resources": found.iter().map(element).collect::<Vec<_>>(),
        })
    };
    let answer = |pending: bool, text: String| {
        Answer::new(COMMAND, data(pending), text)
            .with_head(head.clone())
            .with_sheet(sheet(&found))
    };
    if let Some(mut failure) = refusal(&session, &basis)
        && !going.is_empty()
    {
        failure.text = Some(text);
        return Err(failure.with_data(data(false)));
    }
    if going.is_empty() {
        settle_cut_off(&session, &basis, COMMAND).await;
        return Ok(answer(
            false,
            format!("{text}nothing to do: nothing is left that onair made\n"),
        ));
    }
    let holders = provision::holders(&scene, &parts, &choice, &found)
        .await
        .map_err(|error| failure(&error, false))?;
    if let Some(mut failure) = held(&choice, &holders) {
        failure.text = Some(text);
        return Err(failure.with_data(data(false)));
    }
    if session.options().dry_run {
        return Ok(
            answer(true, format!("{text}dry run: nothing was changed\n")).exiting(
                Exit::Difference,
                "difference",
                "a run without --dry-run would remove this",
            ),
        );
    }
    let id = session.runbook.event.id.to_string();
    let asked = session.ui().is_interactive() && session.options().answers.confirm.is_none();
    if asked {
        session.ui().say(text.trim_end());
    }
    let approved = session
        .ui()
        .approve(
            &Question::Typed(id.clone()),
            &session.options().answers,
            &[id],
        )
        .await
        .map_err(|failure| {
            let mut failure = failure.with_data(data(true));
            if !asked {
                failure.text = Some(text.clone());
            }
            failure
        })?;

    let writing = session.ui().interrupt().writing();
    let mut intent = empty_intent(COMMAND, &summary, Kind::Change, basis.now);
    intent.reason.clone_from(&session.options().reason);
    intent.removes = going
        .iter()
        .filter(|one| !one.owned.attachment)
        .map(|one| Claim::new(one.owned.kind, &one.owned.name))
        .collect();
    let (entry, _) = change::write_intent(&session, &intent, false).await?;
    let handle = session
        .ledger
        .claim_handle(&basis.operator, entry.id)
        .await
        .unwrap_or_default();
    let name = handle.unwrap_or_else(|| entry.id.to_string());
    let applied = provision::take_down(&scene, &parts, &found, &approved, &teller(&session)).await;
    let finished = write_outcome(&session, &entry.id, &applied, None).await;
    drop(writing);
    let mut answer = answer(false, if asked { String::new() } else { text });
    answer.data["removed"] = json!(applied.removed);
    complete(&mut answer, &name, &applied, &finished);
    if finished.exit == Exit::Done {
        settle_cut_off(&session, &basis, COMMAND).await;
    }
    Ok(answer)
}

/// Finishes a teardown that was cut off.
pub(super) async fn carry_on(
    session: &Session,
    basis: &Basis<'_>,
    approved: &Approved,
    change: &Change,
) -> Result<Finished, Failure> {
    if let Some(failure) = refusal(session, basis) {
        return Err(failure);
    }
    let parts = provision::all();
    let scene = scene(session, basis);
    let mut found = provision::find(&scene, &parts, &Choice::default())
        .await
        .map_err(|error| failure(&error, false))?;
    found.retain(|one| {
        let claim = Claim::new(one.owned.kind, &one.owned.name);
        one.owned.attachment || change.intent().removes.contains(&claim)
    });
    let applied = provision::take_down(&scene, &parts, &found, approved, &teller(session)).await;
    Ok(write_outcome(session, change.id(), &applied, Some(at_least(change))).await)
}

fn scene<'a>(session: &'a Session, basis: &Basis<'_>) -> Scene<'a> {
    let deadline = basis.now.saturating_add(LONGEST_WAIT);
    Scene::new(
        session,
        basis.view.clone(),
        deadline.unwrap_or(Timestamp::MAX),
    )
}

/// Live is refused whatever is given; another phase as the runbook says.
fn refusal(session: &Session, basis: &Basis<'_>) -> Option<Failure> {
    if basis.state.is_live() {
        return Some(
            Failure::refused(
                "guard.phase",
                "the event is live; teardown would let everybody in and leave nobody watching",
            )
            .hint("when it is over: onair event close, or onair event phase cooldown"),
        );
    }
    let current = session
        .runbook
        .phases
        .iter()
        .find(|one| one.phase == basis.state.phase)?;
    let finding = guard::phase(COMMAND, current.phase, &current.allow)?;
    let lifted = finding
        .lifted_by
        .is_some_and(|one| session.options().overrides.contains(&one));
    if lifted && session.options().reason.is_some() {
        return None;
    }
    let mut failure = Failure::refused(finding.code, &finding.message);
    failure.hints.extend(finding.hint);
    Some(failure.hint("to do it all the same: --break-glass -m REASON"))
}

/// What is still referred to cannot be deleted, and waiting does not help.
fn held(choice: &Choice, holders: &[Holder]) -> Option<Failure> {
    let first = holders.first()?;
    let mut failure = Failure::refused(
        "guard.in-use",
        format!(
            "{} is in use by {}, which this run leaves as it is",
            first.held, first.by
        ),
    );
    for other in &holders[1..] {
        let line = format!("{} is in use by {}", other.held, other.by);
        if !failure.causes.contains(&line) {
            failure.causes.push(line);
        }
    }
    let mut kinds = choice.only.clone();
    for holder in holders {
        if !kinds.iter().any(|kind| kind == holder.kind) {
            kinds.push(holder.kind.to_owned());
        }
    }
    Some(failure.hint(if choice.only.is_empty() {
        format!("leave {} out of --skip", first.kind)
    } else {
        format!("onair teardown --only {}", kinds.join(","))
    }))
}

fn leftovers(header: &str, found: &[Found]) -> Answer {
    let resources: Vec<Value> = found.iter().map(element).collect();
    let costing = found.iter().filter(|one| one.owned.costs.is_some()).count();
    let data = json!({ "resources": resources, "costing": costing });
    if found.is_empty() {
        let text = format!("{header}nothing is left that carries the event's mark\n");
        return Answer::new("teardown", data, text);
    }
    let mut text = format!(
        "{header}LEFT: {} thing{}, {costing} of which cost money while they exist\n",
        found.len(),
        if found.len() == 1 { "" } else { "s" }
    );
    for one in found {
        text.push_str(&line(one));
    }
    let goes = found.iter().any(|one| one.stays.is_none());
    let mut answer = Answer::new(COMMAND, data, text)
        .with_sheet(sheet(found))
        .exiting(
            Exit::Difference,
            "difference",
            "the event still has resources",
        );
    if goes {
        answer
            .hints
            .push("onair teardown removes what onair made".to_owned());
    }
    answer
}

fn line(found: &Found) -> String {
    let owned = &found.owned;
    let verb = match (&found.stays, owned.attachment) {
        (Some(_), _) => "stays",
        (None, true) => "detach",
        (None, false) => "remove",
    };
    let costs = owned
        .costs
        .as_ref()
        .map(|costs| format!(" · {costs}"))
        .unwrap_or_default();
    let resource = owned.resource();
    let mut line = format!("  {verb:<7} {}{costs}\n", printable(&resource));
    if let Some(why) = &found.stays {
        line.push_str(&format!("            {why}\n"));
    }
    line
}

fn element(found: &Found) -> Value {
    json!({
        "kind": found.owned.kind,
        "name": found.owned.name,
        "id": found.owned.id,
        "costs": found.owned.costs,
        "attachment": found.owned.attachment,
        "goes": found.stays.is_none(),
        "stays-because": found.stays,
    })
}

fn sheet(found: &[Found]) -> Sheet {
    let mut sheet = Sheet::new(&["kind", "name", "id", "costs", "stays-because"]);
    for one in found {
        sheet.push([
            one.owned.kind.to_owned(),
            one.owned.name.clone(),
            one.owned.id.clone().unwrap_or_default(),
            one.owned.costs.clone().unwrap_or_default(),
            one.stays.clone().unwrap_or_default(),
        ]);
    }
    sheet
}
