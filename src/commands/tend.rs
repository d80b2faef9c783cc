//! `onair tend`: carries out what has expired and finishes what was cut off, without asking.

use std::collections::HashMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::carried::{self, Carried, Deed, Tally, Target};
use super::change;
use crate::context::{Context, Session};
use crate::error::{Exit, Failure};
use crate::event::duration::human;
use crate::event::time;
use crate::ledger::view::{Change, View};
use crate::ledger::{Beat, EntryId};
use crate::plan::windows;
use crate::render::{Answer, Sheet};

/// How often it looks.
const EVERY: Duration = Duration::from_secs(15);

/// What failed is tried again after this, doubled each time, and at the latest after the other.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(15);
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(30);

/// End what has expired and finish what was cut off
///
/// Starting it is the order to do so: it never asks. It ends addresses, countries and revocations
/// whose time has come, however many in one update, opens and closes the runbook's geo windows, and
/// leaves a heartbeat that `status` shows. It looks every 15 s until Ctrl-C. What ends with the event ends when the crew closes it.
///
/// Example: onair tend, or from a scheduler: onair tend --once
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Look once and end
    #[arg(long)]
    once: bool,
}

pub(crate) async fn run(args: &Args, context: &Context) -> Result<Answer, Failure> {
    let session = context.session().await?;
    if session.options().dry_run {
        return preview(&session).await;
    }
    if args.once {
        once(&session).await
    } else {
        on_and_on(session, context).await
    }
}

/// What would be done now.
async fn preview(session: &Session) -> Result<Answer, Failure> {
    let basis = change::basis(session, false).await?;
    let due: Vec<Target> = basis
        .view
        .due(basis.now)
        .into_iter()
        .map(Target::of)
        .collect();
    let cut_off: Vec<Target> = basis
        .view
        .cut_off(basis.now)
        .into_iter()
        .filter(|change| !super::provision::is_provisioning(change))
        .map(Target::of)
        .collect();
    let mut text = super::header(session, &basis.state, Some(&basis.operator));
    let mut sheet = Sheet::new(&["action", "entry", "summary"]);
    for (word, targets) in [("finish", &cut_off), ("end", &due)] {
        for target in targets {
            text.push_str(&format!("{word} {}: {}\n", target.name, target.summary));
            sheet.push([word.to_owned(), target.name.clone(), target.summary.clone()]);
        }
    }
    let opening = windows::due(&basis.view, &session.runbook, basis.now);
    for window in &opening {
        let summary = windows::opening(&session.runbook, window, basis.now).summary;
        text.push_str(&format!("open {summary}\n"));
        sheet.push(["open".to_owned(), String::new(), summary]);
    }
    let pending = !due.is_empty() || !cut_off.is_empty() || !opening.is_empty();
    text.push_str(if pending {
        "dry run: nothing was changed\n"
    } else {
        "nothing is due\n"
    });
    let data = json!({
        "pending": pending,
        "due": due.iter().map(Target::data).collect::<Vec<_>>(),
        "cut-off": cut_off.iter().map(Target::data).collect::<Vec<_>>(),
        "windows": opening.iter().map(|window| json!({ "name": window.name })).collect::<Vec<_>>(),
        "next": next_end(&basis.view, basis.now).map(|at| at.to_string()),
    });
    let answer = Answer::new("tend", data, text)
        .with_head(session.head(Some(&basis.state), Some(&basis.operator)))
        .with_sheet(sheet);
    Ok(if pending {
        answer.exiting(
            Exit::Difference,
            "difference",
            "a run without --dry-run would carry this out",
        )
    } else {
        answer
    })
}

async fn once(session: &Session) -> Result<Answer, Failure> {
    let tick = tick(session, &mut Patience::default(), None).await?;
    let mut text = tick.head.clone();
    let mut sheet = Sheet::new(&["action", "entry", "result"]);
    for one in &tick.tally.carried {
        text.push_str(&format!("{}\n", one.line()));
        let data = one.data();
        let word = |key: &str| data[key].as_str().unwrap_or_default().to_owned();
        sheet.push([word("action"), one.name.clone(), word("result")]);
    }
    if tick.tally.carried.is_empty() {
        text.push_str("nothing is due");
        match tick.next {
            Some(at) => text.push_str(&format!(
                " · next {}\n",
                time::local(at, &session.runbook.event.zone)
            )),
            None => text.push('\n'),
        }
    }
    let (exit, code, message) = tick.tally.exit();
    let mut answer = Answer::new("tend", tick.data(), text).with_sheet(sheet);
    answer.head = session.head(None, Some(&tick.operator));
    answer.head.phase = Some(tick.phase);
    answer.changed = tick.tally.changed();
    answer.warnings = tick.warnings;
    if exit != Exit::Done {
        answer = answer.exiting(exit, &code, &message);
    }
    Ok(answer)
}

/// Looks once and carries out what is due; says how many entries ended by it.
pub(crate) async fn sweep(session: &Session) -> Result<usize, Failure> {
    let tick = tick(session, &mut Patience::default(), None).await?;
    let carried = tick.tally.carried.iter();
    Ok(carried.filter(|one| one.deed == Deed::Ended).count())
}

async fn on_and_on(mut session: Session, context: &Context) -> Result<Answer, Failure> {
    let ui = context.ui.clone();
    let interrupt = ui.interrupt().clone();
    // Ctrl-C is the way to stop it, so it is no failure: the writing mark keeps `main` from leaving.
    let writing = interrupt.writing();
    ui.say(&format!(
        "tending {} every {} s · Ctrl-C stops it",
        session.runbook.event.id,
        EVERY.as_secs()
    ));
    let mut patience = Patience::default();
    let mut deeds = 0;
    let mut troubled = false;
    loop {
        match tick(&session, &mut patience, Some(EVERY)).await {
            Ok(tick) => {
                deeds += tick.tally.carried.len();
                for warning in &tick.warnings {
                    ui.warn(warning);
                }
                for one in &tick.tally.carried {
                    tell(&session, one);
                }
                if let Some(failure) = tick
                    .tally
                    .failure
                    .filter(|failure| failure.exit != Exit::Interrupted)
                {
                    tell_failure(&session, &failure);
                } else if troubled {
                    ui.say("tending again");
                }
                troubled = false;
            }
            Err(failure) => {
                // The same trouble is told once, not every 15 s.
                if !troubled {
                    tell_failure(&session, &failure);
                }
                troubled = true;
            }
        }
        tokio::select! {
            () = interrupt.requested() => break,
            () = session.clock.wait(EVERY) => {}
        }
        if session.sandbox.is_some()
            && let Ok(anew) = context.session().await
        {
            // The embedded cloud's clock may have been moved by another process.
            session = anew;
        }
    }
    drop(writing);
    let mut answer = Answer::new(
        "tend",
        json!({ "actions": deeds }),
        format!("stopped · {deeds} carried out\n"),
    );
    answer.head = context.head();
    answer.streamed = true;
    Ok(answer)
}

fn tell(session: &Session, one: &Carried) {
    let now = session.clock.now();
    if session.ui().is_json() {
        let mut line = one.data();
        line["at"] = json!(now.to_string());
        session.ui().answer(&format!("{line}\n"));
    } else {
        let at = time::local_clock(now, &session.runbook.event.zone);
        session.ui().answer(&format!("{at} {}\n", one.line()));
    }
}

fn tell_failure(session: &Session, failure: &Failure) {
    if session.ui().is_json() {
        let line = json!({
            "at": session.clock.now().to_string(),
            "action": "failed",
            "error": { "code": failure.code, "message": failure.message },
        });
        session.ui().answer(&format!("{line}\n"));
    } else {
        session.ui().fail(failure);
    }
}

/// One look.
struct Tick {
    head: String,
    phase: String,
    operator: String,
    at: Timestamp,
    tally: Tally,
    warnings: Vec<String>,
    /// When the next end comes, or the next window.
    next: Option<Timestamp>,
}

impl Tick {
    fn data(&self) -> Value {
        json!({
            "actions": self.tally.carried.iter().map(Carried::data).collect::<Vec<_>>(),
            "at": self.at.to_string(),
            "next": self.next.map(|at| at.to_string()),
        })
    }
}

/// Looks once: finishes what was cut off, ends what is due, leaves a sign of life.
async fn tick(
    session: &Session,
    patience: &mut Patience,
    every: Option<Duration>,
) -> Result<Tick, Failure> {
    let approved = session.ui().standing_order();
    let mut basis = change::basis(session, false).await?;
    let head = super::header(session, &basis.state, Some(&basis.operator));
    let mut tally = Tally::default();
    let mut cut_off: Vec<&Change> = basis.view.cut_off(basis.now);
    // Making and removing resources is finished by a person: `ledger resume`, or another run.
    cut_off.retain(|change| !super::provision::is_provisioning(change));
    for change in cut_off {
        if session.ui().interrupt().is_requested() || !patience.allows(change.id(), basis.now) {
            continue;
        }
        match carried::resume(session, &basis, &approved, change).await {
            Ok(one) => {
                patience.note(&one, basis.now);
                tally.carried.push(one);
            }
            Err(failure) => {
                patience.failed(*change.id(), basis.now);
                tally.failure.get_or_insert(failure);
            }
        }
    }
    if !tally.carried.is_empty() {
        basis = change::basis(session, false).await?;
    }
    let due: Vec<&Change> = basis
        .view
        .due(basis.now)
        .into_iter()
        .filter(|change| patience.allows(change.id(), basis.now))
        .collect();
    let ended = carried::end(session, &basis, &approved, "tend", &due).await;
    for one in &ended.carried {
        patience.note(one, basis.now);
    }
    tally.extend(ended);
    tally.extend(carried::open_windows(session, &basis, &approved).await);
    let mut warnings = Vec::new();
    let at = session.clock.now();
    let beat = Beat {
        at,
        operator: basis.operator.clone(),
        process: format!("process {}", std::process::id()),
        next: every.and_then(|every| at.checked_add(every).ok()),
    };
    if let Err(error) = session.ledger.heartbeat(&beat).await {
        warnings.push(format!("the heartbeat could not be left: {error}"));
    }
    Ok(Tick {
        head,
        phase: basis.state.phase.to_string(),
        operator: basis.operator.clone(),
        at,
        next: next_end(&basis.view, basis.now)
            .into_iter()
            .chain(next_window(session, basis.now))
            .min(),
        tally,
        warnings,
    })
}

/// When the next window of the runbook opens.
fn next_window(session: &Session, now: Timestamp) -> Option<Timestamp> {
    let windows = session.runbook.geo.iter().flat_map(|geo| &geo.windows);
    windows
        .map(|window| window.from)
        .filter(|from| *from > now)
        .min()
}

/// When the next change ends by itself.
fn next_end(view: &View, now: Timestamp) -> Option<Timestamp> {
    view.changes()
        .iter()
        .filter_map(|change| {
            view.ends_at(change)
                .filter(|end| *end > now && view.does_something(change))
        })
        .min()
}

/// What failed is not tried at every look: each try leaves entries in the ledger.
#[derive(Debug, Default)]
struct Patience(HashMap<EntryId, (SignedDuration, Timestamp)>);

impl Patience {
    fn allows(&self, id: &EntryId, now: Timestamp) -> bool {
        self.0
            .get(id)
            .is_none_or(|(_, not_before)| now >= *not_before)
    }

    fn note(&mut self, one: &Carried, now: Timestamp) {
        let about = one.ends.iter().map(|target| target.id).chain([one.id]);
        for id in about {
            if one.is_done() {
                self.0.remove(&id);
            } else {
                self.failed(id, now);
            }
        }
    }

    fn failed(&mut self, id: EntryId, now: Timestamp) {
        let pause = self
            .0
            .get(&id)
            .map_or(FIRST_PAUSE, |(pause, _)| (*pause * 2).min(LONGEST_PAUSE));
        tracing::info!(entry = %id, pause = human(pause), "tried again later");
        let not_before = now.saturating_add(pause).unwrap_or(Timestamp::MAX);
        self.0.insert(id, (pause, not_before));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_is_tried_ever_more_rarely() {
        let mut patience = Patience::default();
        let now: Timestamp = "2026-06-14T19:00:00Z".parse().unwrap();
        let id = EntryId::new(now, None);
        assert!(patience.allows(&id, now));
        patience.failed(id, now);
        assert!(!patience.allows(&id, now + SignedDuration::from_secs(14)));
        assert!(patience.allows(&id, now + SignedDuration::from_secs(15)));
        for _ in 0..20 {
            patience.failed(id, now);
        }
        assert!(!patience.allows(&id, now + SignedDuration::from_mins(29)));
        assert!(patience.allows(&id, now + SignedDuration::from_mins(30)));
    }
}
