//! `onair event …`: the event's clock, as the crew has set it. Its moves are ledger entries, seen by
//! every operator at once.

use std::collections::{BTreeMap, HashMap};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::carried::{self, Carried, Tally, Target};
use super::change::{self, Basis};
use super::{geo, ledger};
use crate::cloud::Approved;
use crate::context::{Context, Session};
use crate::error::{Exit, Failure};
use crate::event::duration::{compact, human, parse_duration};
use crate::event::phase::Phase;
use crate::event::text::{printable, shortened};
use crate::event::time;
use crate::ledger::EntryId;
use crate::ledger::body::{Body, ClockChange, End};
use crate::ledger::clock::EventState;
use crate::ledger::view::{Change, Progress, Standing, View};
use crate::observe;
use crate::plan::ip_set::{Demand, plan_set};
use crate::plan::keys::standing_keys;
use crate::render::{Answer, Sheet};
use crate::token::RevocationKey;
use crate::ui::Question;

/// Show and move the event's clock: its end, its phase, its close
#[derive(Debug, clap::Subcommand)]
pub(crate) enum EventCommand {
    Close(CloseArgs),
    Extend(ExtendArgs),
    Phase(PhaseArgs),
    Status(StatusArgs),
}

/// End what ends with the event, and prove that nothing temporary is left
///
/// Every block, country and revocation that ends with the event ends now. Then the cloud is read
/// back: entries with a later end or none, and addresses, keys and countries that the ledger does
/// not explain are listed, with exit 3. `onair event phase live` opens the event again.
///
/// Example: onair event close --yes
#[derive(Debug, clap::Args)]
pub(crate) struct CloseArgs {}

/// Let the event end later
///
/// Counted from the end that the crew last agreed on. Nothing needs it: overtime refuses nothing
/// and ends nothing.
///
/// Example: onair event extend 30m -m "penalties"
#[derive(Debug, clap::Args)]
pub(crate) struct ExtendArgs {
    /// How much later: 15m, 1h 30m
    #[arg(value_name = "DUR", value_parser = duration)]
    by: SignedDuration,
}

/// Say which phase the event is in
///
/// The live phase ends only by this or by `event close`. A phase before live holds until the
/// runbook's next one begins.
///
/// Example: onair event phase cooldown -m "final whistle"
#[derive(Debug, clap::Args)]
pub(crate) struct PhaseArgs {
    /// setup, rehearsal, freeze, live, cooldown or post
    #[arg(value_name = "NAME", value_parser = phase_name)]
    name: Phase,
}

/// Show where the event stands, and who moved its clock
///
/// Example: onair event status
#[derive(Debug, clap::Args)]
pub(crate) struct StatusArgs {}

fn duration(text: &str) -> Result<SignedDuration, String> {
    parse_duration(text).map_err(|error| error.to_string())
}

fn phase_name(text: &str) -> Result<Phase, String> {
    text.parse::<Phase>().map_err(|error| error.to_string())
}

pub(crate) fn name(command: &EventCommand) -> &'static str {
    match command {
        EventCommand::Close(_) => "event close",
        EventCommand::Extend(_) => "event extend",
        EventCommand::Phase(_) => "event phase",
        EventCommand::Status(_) => "event status",
    }
}

pub(crate) async fn run(command: &EventCommand, context: &Context) -> Result<Answer, Failure> {
    let session = context.session().await?;
    match command {
        EventCommand::Close(_) => close(&session).await,
        EventCommand::Extend(args) => extend(&session, args.by).await,
        EventCommand::Phase(args) => phase(&session, args.name).await,
        EventCommand::Status(_) => status(&session).await,
    }
}

/// The clock for JSON.
fn clock_data(session: &Session, view: &View, state: &EventState, now: Timestamp) -> Value {
    let moves: Vec<Value> = view
        .clock()
        .iter()
        .map(|moved| {
            json!({
                "id": moved.id().to_string(),
                "at": moved.at().to_string(),
                "operator": moved.operator(),
                "summary": ledger::clock_words(session, moved.change()),
                "change": moved.change(),
                "reason": ledger::clock_reason(moved.change()),
            })
        })
        .collect();
    json!({
        "phase": state.phase,
        "phase-set-by": if state.phase_by_crew { "crew" } else { "runbook" },
        "now": now.to_string(),
        "doors": state.times.doors.to_string(),
        "starts": state.times.starts.to_string(),
        "ends": state.times.ends.to_string(),
        "planned-end": state.planned_end.to_string(),
        "overtime-seconds": state.overtime(now).map(|over| over.as_secs()),
        "closed-at": state.closed_at.map(|at| at.to_string()),
        "moves": moves,
    })
}

async fn status(session: &Session) -> Result<Answer, Failure> {
    let read = session.read_ledger().await?;
    let view = &read.view;
    let state = session.state(view);
    let now = session.clock.now();
    let zone = &session.runbook.event.zone;
    let mut sheet = Sheet::new(&["what", "when", "note"]);
    let beside = |at: Timestamp| {
        let distance = human(now.duration_since(at).abs());
        if at <= now {
            format!("{distance} ago")
        } else {
            format!("in {distance}")
        }
    };
    sheet.push(["now".to_owned(), time::local(now, zone), time::utc(now)]);
    sheet.push([
        "doors".to_owned(),
        time::local(state.times.doors, zone),
        beside(state.times.doors),
    ]);
    sheet.push([
        "start".to_owned(),
        time::local(state.times.starts, zone),
        beside(state.times.starts),
    ]);
    let moved = if state.times.ends == state.planned_end {
        String::new()
    } else {
        format!(
            " · the runbook says {}",
            time::local(state.planned_end, zone)
        )
    };
    sheet.push([
        "end".to_owned(),
        time::local(state.times.ends, zone),
        format!("{}{moved}", beside(state.times.ends)),
    ]);
    let by = if state.phase_by_crew {
        "set by the crew"
    } else {
        "by the runbook"
    };
    sheet.push(["phase".to_owned(), state.phase.to_string(), by.to_owned()]);
    if let Some(over) = state.overtime(now) {
        sheet.push([
            "overtime".to_owned(),
            human(over),
            "ends nothing and refuses nothing; `onair event extend` or `event close`".to_owned(),
        ]);
    }
    if let Some(at) = state.closed_at {
        sheet.push([
            "closed".to_owned(),
            time::local(at, zone),
            "`onair event phase live` opens it again".to_owned(),
        ]);
    }
    for moved in view.clock() {
        let reason = ledger::clock_reason(moved.change())
            .map(|reason| format!(": {reason}"))
            .unwrap_or_default();
        sheet.push([
            ledger::clock_words(session, moved.change()),
            time::local(moved.at(), zone),
            format!("by {}{reason}", moved.operator()),
        ]);
    }
    let open = view.open().count();
    let text = format!(
        "{}{}{open} open entries in the ledger\n",
        super::header(session, &state, None),
        sheet.table(session.ui().width())
    );
    let mut data = clock_data(session, view, &state, now);
    data["open-entries"] = json!(open);
    let mut answer = Answer::new("event status", data, text)
        .with_head(session.head(Some(&state), None))
        .with_sheet(sheet);
    if !read.corrupt.is_empty() {
        answer.warnings.push(format!(
            "{} of the ledger cannot be read; `onair ledger list` names them",
            if read.corrupt.len() == 1 {
                "1 entry".to_owned()
            } else {
                format!("{} entries", read.corrupt.len())
            }
        ));
    }
    Ok(answer)
}

/// What moving the clock needs: the ledger and who acts, and nothing of the cloud.
struct Desk {
    view: View,
    state: EventState,
    operator: String,
    now: Timestamp,
}

async fn desk(session: &Session) -> Result<Desk, Failure> {
    let (read, operator) = futures_util::join!(session.read_ledger(), session.operator());
    let read = read?;
    Ok(Desk {
        state: session.state(&read.view),
        operator: operator?,
        now: session.clock.now(),
        view: read.view,
    })
}

/// One move of the clock, before it is agreed to.
struct Move {
    command: &'static str,
    change: ClockChange,
    effect: String,
    question: Question,
}

/// What came of asking.
enum Moved {
    /// The clock has moved; the entry's id and the plan's text, where it has not been shown yet.
    Yes(EntryId, String, Approved),
    /// A dry run: this is all there is to say.
    Dry(Answer),
}

/// Shows the move, asks, and writes it down.
async fn make(session: &Session, desk: &Desk, moving: Move) -> Result<Moved, Failure> {
    let text = format!(
        "{}{}",
        super::header(session, &desk.state, Some(&desk.operator)),
        moving.effect
    );
    let head = session.head(Some(&desk.state), Some(&desk.operator));
    let options = session.options();
    let pending = json!({ "pending": true, "change": moving.change, "effect": moving.effect.lines().collect::<Vec<_>>() });
    if options.dry_run {
        let answer = Answer::new(
            moving.command,
            pending,
            format!("{text}dry run: nothing was changed\n"),
        )
        .with_head(head);
        return Ok(Moved::Dry(answer.exiting(
            Exit::Difference,
            "difference",
            "a run without --dry-run would change this",
        )));
    }
    let asks =
        session.ui().is_interactive() && !options.answers.yes && options.answers.confirm.is_none();
    if asks {
        session.ui().say(&text);
    }
    let approved = session
        .ui()
        .approve(&moving.question, &options.answers, &[])
        .await
        .map_err(|failure| {
            let mut failure = failure.with_data(pending);
            failure.text = (!asks).then(|| text.clone());
            failure
        })?;
    let entry = session
        .ledger
        .append(Body::Clock(moving.change))
        .await
        .map_err(|error| {
            Failure::failed(
                "ledger.write",
                "write to the ledger; the event's clock was not moved",
            )
            .caused_by(&error)
            .hint("check the ledger's store, then run it again")
        })?;
    Ok(Moved::Yes(
        entry.id,
        if asks { String::new() } else { text },
        approved,
    ))
}

fn nothing_to_do(session: &Session, desk: &Desk, command: &str, why: &str) -> Answer {
    let text = format!(
        "{}nothing to do: {why}\n",
        super::header(session, &desk.state, Some(&desk.operator))
    );
    let mut data = clock_data(session, &desk.view, &desk.state, desk.now);
    data["pending"] = json!(false);
    Answer::new(command, data, text)
        .with_head(session.head(Some(&desk.state), Some(&desk.operator)))
}

/// The answer after the clock has moved.
async fn moved(
    session: &Session,
    desk: &Desk,
    command: &str,
    id: EntryId,
    mut text: String,
) -> Result<Answer, Failure> {
    let view = session.read_ledger().await?.view;
    let state = session.state(&view);
    let mut data = clock_data(session, &view, &state, session.clock.now());
    data["pending"] = json!(false);
    data["entry"] = json!({ "id": id.to_string(), "name": null });
    text.push_str("✓ in the ledger, for every operator at once\n");
    Ok(
        Answer::new(command, data, text)
            .with_head(session.head(Some(&state), Some(&desk.operator))),
    )
}

async fn extend(session: &Session, by: SignedDuration) -> Result<Answer, Failure> {
    let zone = &session.runbook.event.zone;
    if by <= SignedDuration::ZERO {
        return Err(Failure::usage("the event is extended by more than nothing")
            .hint("onair event extend 15m"));
    }
    let desk = desk(session).await?;
    if let Some(at) = desk.state.closed_at {
        return Err(Failure::refused(
            "event.closed",
            format!("the event was closed at {}", time::local(at, zone)),
        )
        .hint("open it again first: onair event phase live"));
    }
    let too_far = || Failure::usage("the event cannot reach that far");
    let ends = desk
        .state
        .times
        .ends
        .checked_add(by)
        .map_err(|_| too_far())?;
    if ends.duration_since(desk.state.times.starts) > SignedDuration::from_hours(24 * 30) {
        return Err(too_far().hint("an event lasts 30 days at most; more needs another runbook"));
    }
    if ends <= desk.now {
        let over = desk.now.duration_since(desk.state.times.ends);
        let enough = over.saturating_add(SignedDuration::from_mins(15));
        let minutes = SignedDuration::from_mins(enough.as_mins());
        return Err(Failure::usage(format!(
            "{} later would still be in the past: the event is {} over its end",
            compact(by),
            human(over)
        ))
        .hint(format!("onair event extend '{}'", compact(minutes))));
    }
    let following: Vec<&Change> = desk
        .view
        .open()
        .filter(|change| change.intent().end == End::Event)
        .collect();
    let effect = format!(
        "EXTEND by {} · the end moves from {} to {} ({})\n  {} open entries end with the event, whenever the crew closes it\n",
        compact(by),
        time::local(desk.state.times.ends, zone),
        time::local(ends, zone),
        time::utc(ends),
        following.len()
    );
    let moving = Move {
        command: "event extend",
        change: ClockChange::Extend {
            ends,
            reason: session.options().reason.clone(),
        },
        effect,
        question: Question::Enter,
    };
    let (id, text, approved) = match make(session, &desk, moving).await? {
        Moved::Yes(id, text, approved) => (id, text, approved),
        Moved::Dry(answer) => return Ok(answer),
    };
    let mut answer = moved(session, &desk, "event extend", id, text).await?;
    match lengthen(session, &approved).await {
        Ok(tally) => {
            for one in &tally.carried {
                answer.text.push_str(&format!("  {}\n", one.line()));
            }
            answer.data["rewritten"] =
                json!(tally.carried.iter().map(Carried::data).collect::<Vec<_>>());
            answer.changed = tally.changed();
            let (exit, code, message) = tally.exit();
            if exit != Exit::Done {
                answer = answer.exiting(exit, &code, &message);
            }
        }
        Err(failure) => {
            answer.warnings.push(format!(
                "the event's revocations could not be looked at ({}); they hold for 24 h past the earlier end: run `onair event extend` again before that",
                failure.message
            ));
        }
    }
    Ok(answer)
}

/// Rewrites the revocations that end with the event where the new end comes close to what is stored.
async fn lengthen(session: &Session, approved: &Approved) -> Result<Tally, Failure> {
    let mut tally = Tally::default();
    let view = session.read_ledger().await?.view;
    let follow: Vec<&Change> = view
        .open()
        .filter(|change| {
            change.intent().end == End::Event && change.progress() == Progress::Settled
        })
        .filter(|change| {
            view.keys(change)
                .iter()
                .any(|(_, standing)| *standing == Standing::Open)
        })
        .collect();
    if follow.is_empty() {
        return Ok(tally);
    }
    let keys: Vec<String> = follow
        .iter()
        .flat_map(|change| view.keys(change))
        .map(|(ask, _)| ask.key.clone())
        .collect();
    let found = observe::find_store(&session.cloud, session.store_name()?).await?;
    let stored = observe::store(&session.cloud, &found.arn, &keys)
        .await?
        .values;
    let day = SignedDuration::from_hours(24);
    let enough = session
        .state(&view)
        .times
        .ends
        .saturating_add(day)
        .unwrap_or(Timestamp::MAX)
        .as_second();
    let short: HashMap<&str, bool> = stored
        .iter()
        .map(|(key, value)| {
            (
                key.as_str(),
                value.parse::<i64>().is_ok_and(|value| value < enough),
            )
        })
        .collect();
    let basis = change::basis(session, false).await?;
    for change in follow {
        let short = view
            .keys(change)
            .iter()
            .any(|(ask, _)| short.get(ask.key.as_str()).copied().unwrap_or(false));
        if !short {
            continue;
        }
        match carried::extend(session, &basis, approved, change).await {
            Ok(one) => tally.carried.push(one),
            Err(failure) => {
                tally.failure.get_or_insert(failure);
            }
        }
    }
    Ok(tally)
}

async fn phase(session: &Session, name: Phase) -> Result<Answer, Failure> {
    let desk = desk(session).await?;
    if desk.state.phase == name && desk.state.closed_at.is_none() {
        return Ok(nothing_to_do(
            session,
            &desk,
            "event phase",
            &format!("the event is in phase {name} already"),
        ));
    }
    let mut effect = format!("PHASE {} → {name}\n", desk.state.phase);
    let leaves_live = desk.state.phase == Phase::Live;
    if let Some(at) = desk.state.closed_at {
        effect.push_str(&format!(
            "  opens the event again, which was closed at {}; what ended with it stays ended\n",
            time::local(at, &session.runbook.event.zone)
        ));
    }
    if leaves_live {
        let early = desk.state.times.ends > desk.now;
        if early {
            effect.push_str(&format!(
                "  the event is planned to last for another {}\n",
                human(desk.state.times.ends.duration_since(desk.now))
            ));
        }
        effect
            .push_str("  nothing ends by it; `onair event close` ends what ends with the event\n");
    }
    let asks_more = leaves_live || desk.state.closed_at.is_some();
    let moving = Move {
        command: "event phase",
        change: ClockChange::Phase {
            phase: name,
            reason: session.options().reason.clone(),
        },
        effect,
        question: if asks_more {
            Question::Yes
        } else {
            Question::Enter
        },
    };
    match make(session, &desk, moving).await? {
        Moved::Yes(id, text, _) => moved(session, &desk, "event phase", id, text).await,
        Moved::Dry(answer) => Ok(answer),
    }
}

async fn close(session: &Session) -> Result<Answer, Failure> {
    let basis = change::basis(session, false).await?;
    let zone = &session.runbook.event.zone;
    let already = basis.state.closed_at;
    let with_event: Vec<&Change> = basis
        .view
        .changes()
        .iter()
        .filter(|change| change.intent().end == End::Event && basis.view.does_something(change))
        .collect();
    let due: Vec<&Change> = basis.view.due(basis.now);
    let ends: Vec<Target> = with_event
        .iter()
        .chain(
            due.iter()
                .filter(|change| change.intent().end != End::Event),
        )
        .map(|change| Target::of(change))
        .collect();
    let mut effect = format!(
        "CLOSE {} · ends {} entries\n",
        session.runbook.event.id,
        ends.len()
    );
    for target in ends.iter().take(10) {
        effect.push_str(&format!(
            "  ends {}: {}\n",
            target.name,
            printable(&target.summary)
        ));
    }
    if ends.len() > 10 {
        effect.push_str(&format!("  and {} more\n", ends.len() - 10));
    }
    if basis.state.phase <= Phase::Live && basis.state.times.ends > basis.now {
        effect.push_str(&format!(
            "  it is planned to last until {}\n",
            time::local(basis.state.times.ends, zone)
        ));
    }
    let mut text = String::new();
    let mut tally = Tally::default();
    let mut id = None;
    if already.is_none() || !ends.is_empty() {
        let desk = Desk {
            view: basis.view.clone(),
            state: basis.state.clone(),
            operator: basis.operator.clone(),
            now: basis.now,
        };
        let moving = Move {
            command: "event close",
            change: ClockChange::Close {
                reason: session.options().reason.clone(),
            },
            effect,
            question: Question::Yes,
        };
        match make(session, &desk, moving).await? {
            Moved::Dry(answer) => return Ok(answer),
            Moved::Yes(entry, shown, approved) => {
                text = shown;
                id = Some(entry);
                // What it ends was on the screen.
                let after = change::basis(session, false).await?;
                let due = after.view.due(session.clock.now());
                tally = carried::end(session, &after, &approved, "event close", &due).await;
            }
        }
    } else if let Some(at) = already {
        text = super::header(session, &basis.state, Some(&basis.operator));
        text.push_str(&format!("closed already, at {}\n", time::local(at, zone)));
    }
    for one in &tally.carried {
        text.push_str(&format!("{}\n", one.line()));
    }
    let after = change::basis(session, false).await?;
    let left = leftovers(session, &after).await;
    let mut sheet = Sheet::new(&["left over", "what", "why"]);
    for one in &left {
        sheet.push([one.kind.to_owned(), one.what.clone(), one.why.clone()]);
    }
    if left.is_empty() {
        text.push_str("✓ closed · the cloud was read back: nothing temporary is left\n");
    } else {
        text.push_str(&format!(
            "closed, with {} left over:\n{}",
            left.len(),
            sheet.table(session.ui().width())
        ));
    }
    let mut data = clock_data(session, &after.view, &after.state, session.clock.now());
    data["pending"] = json!(false);
    data["entry"] = json!(id.map(|id| json!({ "id": id.to_string(), "name": null })));
    data["ended"] = json!(tally.carried.iter().map(Carried::data).collect::<Vec<_>>());
    data["leftovers"] = json!(left.iter().map(Leftover::data).collect::<Vec<_>>());
    let mut answer = Answer::new("event close", data, text)
        .with_head(session.head(Some(&after.state), Some(&after.operator)))
        .with_sheet(sheet);
    answer.changed = tally.changed();
    let (exit, code, message) = tally.exit();
    Ok(if exit != Exit::Done {
        answer.exiting(exit, &code, &message)
    } else if left.is_empty() {
        answer
    } else {
        answer.exiting(
            Exit::Difference,
            "difference",
            &format!("{} left over after the close", left.len()),
        )
    })
}

/// Something that is still there after the close.
struct Leftover {
    /// `entry`, `unfinished`, `left-behind`, `drift` or `unread`.
    kind: &'static str,
    what: String,
    why: String,
    /// What to type next.
    next: Option<String>,
    entry: Option<Target>,
}

impl Leftover {
    fn new(kind: &'static str, what: impl Into<String>, why: impl Into<String>) -> Self {
        Self {
            kind,
            what: what.into(),
            why: why.into(),
            next: None,
            entry: None,
        }
    }

    fn unread(what: &str, failure: &Failure) -> Self {
        Self::new(
            "unread",
            what,
            format!("it could not be read: {}", failure.message),
        )
    }

    fn data(&self) -> Value {
        json!({
            "kind": self.kind,
            "what": self.what,
            "why": self.why,
            "next": self.next,
            "entry": self.entry.as_ref().map(Target::data),
        })
    }
}

/// What is left of the event that should not be, by the ledger and by the cloud as it is now.
async fn leftovers(session: &Session, basis: &Basis<'_>) -> Vec<Leftover> {
    let mut left = Vec::new();
    for change in basis.view.changes() {
        let unfinished =
            change.progress() == Progress::InFlight && basis.view.undone_by(change).is_none();
        if !unfinished && !basis.view.does_something(change) {
            continue;
        }
        // What was lifted for good is not temporary.
        if !unfinished && change.intent().opens.is_empty() && change.intent().end == End::Never {
            continue;
        }
        let why = if unfinished {
            ledger::standing(&basis.view, change, basis.now)
        } else {
            super::until_words(session, &basis.state, change.intent().end)
        };
        let kind = if unfinished { "unfinished" } else { "entry" };
        let verb = if unfinished { "ledger resume" } else { "undo" };
        left.push(Leftover {
            next: Some(format!("onair {verb} {}", change.name())),
            entry: Some(Target::of(change)),
            ..Leftover::new(
                kind,
                format!("{}: {}", change.name(), printable(&change.intent().summary)),
                why,
            )
        });
    }
    let (sets, keys, countries) = futures_util::join!(
        sets_left(session, &basis.view),
        keys_left(session, &basis.view),
        countries_left(session, &basis.view)
    );
    left.extend(sets.unwrap_or_else(|failure| vec![Leftover::unread("the IP sets", &failure)]));
    left.extend(
        keys.unwrap_or_else(|failure| vec![Leftover::unread("the key value store", &failure)]),
    );
    left.extend(countries);
    left
}

async fn sets_left(session: &Session, view: &View) -> Result<Vec<Leftover>, Failure> {
    if session.runbook.waf.is_none() {
        return Ok(Vec::new());
    }
    let sets = observe::ip_sets(&session.cloud, &session.sets()?).await?;
    let mut left = Vec::new();
    for (family, set) in &sets {
        let demand = Demand::of(view, None, *family);
        let foreign = match plan_set(&set.addresses, &demand, *family) {
            Ok(plan) => plan.foreign,
            Err(_) => set.addresses.clone(),
        };
        for element in foreign {
            let ours = view.changes().iter().any(|change| {
                change.progress() != Progress::Void
                    && change.intent().opens.prefixes.contains(&element)
                    && !change.already_there().contains(&element)
            });
            let what = format!("{element} in {}", set.identity.name);
            left.push(Leftover {
                next: Some(format!("onair unblock {element}")),
                ..if ours {
                    Leftover::new(
                        "left-behind",
                        what,
                        "its entry has ended, and it is still there",
                    )
                } else {
                    Leftover::new("drift", what, "not in the ledger: someone else's")
                }
            });
        }
        for text in &set.unread {
            left.push(Leftover::new(
                "drift",
                format!("{} in {}", shortened(text, 60), set.identity.name),
                "not in the ledger: someone else's",
            ));
        }
    }
    Ok(left)
}

async fn keys_left(session: &Session, view: &View) -> Result<Vec<Leftover>, Failure> {
    if session.runbook.tokens.is_none() {
        return Ok(Vec::new());
    }
    let found = observe::find_store(&session.cloud, session.store_name()?).await?;
    let items: BTreeMap<String, String> = session
        .cloud
        .store_items(&found.arn)
        .await
        .map_err(Failure::from)?;
    let asked = standing_keys(view);
    let prefix = RevocationKey::prefix(session.runbook.event.id.as_str());
    let ours: Vec<&str> = view
        .changes()
        .iter()
        .filter(|change| change.progress() != Progress::Void)
        .flat_map(|change| &change.intent().opens.keys)
        .filter(|ask| ask.already_there.is_none())
        .map(|ask| ask.key.as_str())
        .collect();
    Ok(items
        .keys()
        .filter(|key| {
            key.starts_with(&prefix)
                && !asked.contains_key(*key)
                && !crate::token::is_setting(session.runbook.event.id.as_str(), key)
        })
        .map(|key| {
            let what = format!("key {}", shortened(key, 100));
            if ours.contains(&key.as_str()) {
                Leftover::new(
                    "left-behind",
                    what,
                    "its entry has ended, and it is still there",
                )
            } else {
                Leftover::new("drift", what, "not in the ledger: someone else's")
            }
        })
        .collect())
}

/// Distributions whose countries are not the runbook's although no open entry explains that.
async fn countries_left(session: &Session, view: &View) -> Vec<Leftover> {
    let Ok(planned) = geo::runbook_state(session) else {
        return Vec::new();
    };
    let ids: Vec<String> = session
        .runbook
        .distributions
        .iter()
        .map(|one| one.id.clone())
        .collect();
    let observed = observe::distributions(&session.cloud, &ids).await;
    let explained = |id: &str| {
        view.open().any(|change| {
            view.countries(change)
                .iter()
                .any(|(ask, _)| ask.distribution == id)
        })
    };
    let mut left = Vec::new();
    for one in &session.runbook.distributions {
        match observed.get(&one.id) {
            Some(Ok(read)) => {
                let mut now = read.geo.clone();
                now.countries.sort_unstable();
                if now != planned && !explained(&one.id) {
                    left.push(Leftover {
                        next: Some(format!(
                            "onair geo reset --to runbook --distribution {}",
                            one.name
                        )),
                        ..Leftover::new(
                            "drift",
                            format!("distribution {}: {}", one.name, geo::state_words(&now)),
                            "not as the runbook says, and not by an open entry",
                        )
                    });
                }
            }
            Some(Err(error)) => left.push(Leftover::unread(
                &format!("distribution {}", one.name),
                &Failure::from(error.clone()),
            )),
            None => {}
        }
    }
    left
}
