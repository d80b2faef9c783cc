//! `onair ledger …`: who did what, when and why; taking it back; finishing what was cut off;
//! uploading what is on this machine only; proving that nothing was altered.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::carried::{self, Carried, Tally, Target};
use super::change::{self, Basis};
use crate::context::{Context, Session};
use crate::error::{Exit, Failure};
use crate::event::duration::{human, parse_duration};
use crate::event::text::{printable, shortened};
use crate::event::time::{self, When};
use crate::ledger::body::{Body, Claim, ClockChange, End, Kind, Minted, Verdict};
use crate::ledger::chain;
use crate::ledger::clock::EventState;
use crate::ledger::view::{Change, ClockEntry, Progress, View};
use crate::ledger::{Entry, ReadLedger};
use crate::render::{Answer, Sheet};
use crate::ui::Question;

/// Show, take back and mend what is in the event's ledger
#[derive(Debug, clap::Subcommand)]
pub(crate) enum LedgerCommand {
    List(ListArgs),
    Resume(ResumeArgs),
    Show(ShowArgs),
    Sync(SyncArgs),
    Undo(super::undo::Args),
    Verify(VerifyArgs),
}

/// List who did what, newest last
///
/// Example: onair ledger list --by jess --since ko
#[derive(Debug, clap::Args)]
pub(crate) struct ListArgs {
    /// Only what this operator did
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// Only what still stands
    #[arg(long)]
    open: bool,
    /// Only what came after this: 2h (ago), 20:30, ko, ko+15m, RFC 3339
    #[arg(long, value_name = "TIME", value_parser = since)]
    since: Option<Since>,
    /// Only the newest so many
    #[arg(long, value_name = "NUMBER")]
    limit: Option<usize>,
}

/// Show everything about one change
///
/// What was meant, what came of it on each resource, the proof, what took it back. With -o json
/// also the entries as they are stored, with their hashes.
///
/// Example: onair ledger show jess-7
#[derive(Debug, clap::Args)]
pub(crate) struct ShowArgs {
    /// The change's id, such as jess-7, or an entry's ULID
    #[arg(value_name = "ID", add = clap_complete::ArgValueCompleter::new(super::complete::entries))]
    id: String,
}

/// Finish what a crash, a lost connection or a conflict cut off
///
/// The cloud is read again and brought to what was meant; what is as meant already is left alone.
/// With an ID it does not wait for the change's deadline: be sure that no other process is at it.
///
/// Example: onair ledger resume --yes, or: onair ledger resume jess-7
#[derive(Debug, clap::Args)]
pub(crate) struct ResumeArgs {
    /// The change's id; without it, everything that was cut off
    #[arg(value_name = "ID", add = clap_complete::ArgValueCompleter::new(super::complete::entries))]
    id: Option<String>,
}

/// Upload what could not be written to the ledger's store
///
/// Entries that were kept on this machine while the store was away go there, and get the ids that
/// can be said over a radio.
///
/// Example: onair ledger sync
#[derive(Debug, clap::Args)]
pub(crate) struct SyncArgs {}

/// Prove that no entry was altered or lost
///
/// Every entry is fetched again, and held against its own seal and against what later entries say
/// of it. Exit 3 when something is not as it was written.
///
/// Example: onair ledger verify
#[derive(Debug, clap::Args)]
pub(crate) struct VerifyArgs {}

/// From when on: so long ago, or a point in time.
#[derive(Debug, Clone)]
enum Since {
    Ago(jiff::SignedDuration),
    At(When),
}

fn since(text: &str) -> Result<Since, String> {
    if let Ok(duration) = parse_duration(text) {
        return Ok(Since::Ago(duration));
    }
    When::parse(text)
        .map(Since::At)
        .map_err(|error| error.to_string())
}

impl Since {
    fn resolve(&self, state: &EventState, now: Timestamp) -> Result<Timestamp, Failure> {
        match self {
            Self::Ago(duration) => Ok(now.saturating_sub(*duration).unwrap_or(Timestamp::MIN)),
            Self::At(when) => {
                let at = when
                    .resolve(&state.times, now)
                    .map_err(|error| Failure::usage("--since is not usable").because(error))?;
                // A time of day is placed at its next coming; here the last one is meant.
                let day = jiff::SignedDuration::from_hours(24);
                Ok(match when {
                    When::TimeOfDay(_) if at > now => {
                        at.saturating_sub(day).unwrap_or(Timestamp::MIN)
                    }
                    _ => at,
                })
            }
        }
    }
}

pub(crate) fn name(command: &LedgerCommand) -> &'static str {
    match command {
        LedgerCommand::List(_) => "ledger list",
        LedgerCommand::Resume(_) => "ledger resume",
        LedgerCommand::Show(_) => "ledger show",
        LedgerCommand::Sync(_) => "ledger sync",
        LedgerCommand::Undo(_) => "ledger undo",
        LedgerCommand::Verify(_) => "ledger verify",
    }
}

pub(crate) async fn run(command: &LedgerCommand, context: &Context) -> Result<Answer, Failure> {
    match command {
        LedgerCommand::List(args) => list(args, &context.session().await?).await,
        LedgerCommand::Resume(args) => resume(args, &context.session().await?).await,
        LedgerCommand::Show(args) => show(args, &context.session().await?).await,
        LedgerCommand::Sync(_) => sync(&context.session().await?).await,
        LedgerCommand::Undo(args) => super::undo::run(args, context).await,
        LedgerCommand::Verify(_) => verify(&context.session().await?).await,
    }
}

/// What is wrong with the ledger as a whole, for warnings.
fn troubles(read: &ReadLedger) -> Vec<String> {
    let mut warnings: Vec<String> = read
        .corrupt
        .iter()
        .map(|corrupt| {
            let reason = corrupt.reason.to_string();
            format!(
                "entry {} is unreadable and left out: {}",
                printable(&corrupt.key.to_string()),
                shortened(&reason, 200)
            )
        })
        .collect();
    if read.newer > 0 {
        let entries = if read.newer == 1 {
            "1 entry was".to_owned()
        } else {
            format!("{} entries were", read.newer)
        };
        warnings.push(format!(
            "{entries} written by a newer onair and left out; update this one"
        ));
    }
    if read.spooled > 0 {
        warnings.push(format!(
            "{} on this machine only; `onair ledger sync` uploads",
            entries(read.spooled)
        ));
    }
    warnings
}

fn entries(number: usize) -> String {
    if number == 1 {
        "1 entry is".to_owned()
    } else {
        format!("{number} entries are")
    }
}

/// Where a change stands, in one or a few words.
pub(crate) fn standing(view: &View, change: &Change, now: Timestamp) -> String {
    if let Some(undoer) = view.undone_by(change) {
        let word = match (undoer.intent().kind, undoer.progress()) {
            (Kind::End, Progress::Settled) => "ended by",
            (Kind::End, _) => "being ended by",
            (_, Progress::Settled) => "taken back by",
            (_, _) => "being taken back by",
        };
        return format!("{word} {}", undoer.name());
    }
    match (
        change.progress(),
        change.outcome().map(|outcome| outcome.result),
    ) {
        (Progress::Void, _) => "failed".to_owned(),
        (Progress::InFlight, Some(Verdict::Partly)) => "partly".to_owned(),
        (Progress::InFlight, Some(_)) => "not known".to_owned(),
        (Progress::InFlight, None) if change.is_cut_off(now) => "cut off".to_owned(),
        (Progress::InFlight, None) => "running".to_owned(),
        (Progress::Settled, _) if view.is_open(change) => "open".to_owned(),
        (Progress::Settled, _) => "done".to_owned(),
    }
}

/// What was done to the clock, in words.
pub(crate) fn clock_words(session: &Session, change: &ClockChange) -> String {
    match change {
        ClockChange::Extend { ends, .. } => format!(
            "EXTEND to {}",
            time::local(*ends, &session.runbook.event.zone)
        ),
        ClockChange::Phase { phase, .. } => format!("PHASE {phase}"),
        ClockChange::Close { .. } => "CLOSE the event".to_owned(),
    }
}

pub(crate) fn clock_reason(change: &ClockChange) -> Option<&str> {
    match change {
        ClockChange::Extend { reason, .. }
        | ClockChange::Phase { reason, .. }
        | ClockChange::Close { reason } => reason.as_deref(),
    }
}

fn clock_command(change: &ClockChange) -> &'static str {
    match change {
        ClockChange::Extend { .. } => "event extend",
        ClockChange::Phase { .. } => "event phase",
        ClockChange::Close { .. } => "event close",
    }
}

/// One line of the list.
struct Line {
    at: Timestamp,
    operator: String,
    open: bool,
    data: Value,
    row: [String; 7],
}

impl Line {
    fn of_change(
        session: &Session,
        view: &View,
        state: &EventState,
        change: &Change,
        now: Timestamp,
    ) -> Self {
        let intent = change.intent();
        let stands = standing(view, change, now);
        let shown = if change.spooled {
            format!("{stands} (this machine only)")
        } else {
            stands.clone()
        };
        let zone = &session.runbook.event.zone;
        let until = match intent.end {
            End::At(at) => time::local(at, zone),
            _ if intent.opens.is_empty() => String::new(),
            End::Event => format!(
                "the event ends ({})",
                time::local_clock(state.times.ends, zone)
            ),
            End::Never => "no end".to_owned(),
        };
        Self {
            at: change.at(),
            operator: change.operator().to_owned(),
            open: view.is_open(change),
            data: json!({
                "entry": change.name(),
                "id": change.id().to_string(),
                "at": change.at().to_string(),
                "operator": change.operator(),
                "command": intent.command,
                "summary": intent.summary,
                "kind": intent.kind,
                "until": super::end_value(intent.end),
                "state": stands,
                "open": view.is_open(change),
                "undone-by": view.undone_by(change).map(Change::name),
                "reason": intent.reason,
                "overrides": intent.overrides,
                "spooled": change.spooled,
            }),
            row: [
                change.name(),
                time::local(change.at(), zone),
                change.operator().to_owned(),
                intent.summary.clone(),
                until,
                shown,
                intent.reason.clone().unwrap_or_default(),
            ],
        }
    }

    fn of_minted(session: &Session, entry: &Entry<Body>, minted: &Minted) -> Self {
        let claims: Vec<String> = minted
            .claims
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let words = format!("MINT {} test token {}", minted.format, claims.join(" "));
        Self {
            at: entry.at,
            operator: entry.operator.clone(),
            open: false,
            data: json!({
                "entry": entry.id.to_string(),
                "id": entry.id.to_string(),
                "at": entry.at.to_string(),
                "operator": entry.operator,
                "command": "token mint",
                "summary": words,
                "kind": "minted",
                "until": minted.expires.to_string(),
                "state": "done",
                "open": false,
                "undone-by": null,
                "reason": minted.reason,
                "overrides": [],
                "digest": minted.digest,
            }),
            row: [
                "—".to_owned(),
                time::local(entry.at, &session.runbook.event.zone),
                entry.operator.clone(),
                words,
                time::local(minted.expires, &session.runbook.event.zone),
                "done".to_owned(),
                minted.reason.clone().unwrap_or_default(),
            ],
        }
    }

    fn of_clock(session: &Session, moved: &ClockEntry) -> Self {
        let words = clock_words(session, moved.change());
        let reason = clock_reason(moved.change()).map(str::to_owned);
        let shown = if moved.spooled {
            "done (this machine only)"
        } else {
            "done"
        };
        Self {
            at: moved.at(),
            operator: moved.operator().to_owned(),
            open: false,
            data: json!({
                "entry": moved.id().to_string(),
                "id": moved.id().to_string(),
                "at": moved.at().to_string(),
                "operator": moved.operator(),
                "command": clock_command(moved.change()),
                "summary": words,
                "kind": "clock",
                "until": null,
                "state": "done",
                "open": false,
                "undone-by": null,
                "reason": reason,
                "overrides": [],
                "spooled": moved.spooled,
            }),
            row: [
                "—".to_owned(),
                time::local(moved.at(), &session.runbook.event.zone),
                moved.operator().to_owned(),
                words,
                String::new(),
                shown.to_owned(),
                reason.unwrap_or_default(),
            ],
        }
    }
}

async fn list(args: &ListArgs, session: &Session) -> Result<Answer, Failure> {
    let read = session.read_ledger().await?;
    let view = &read.view;
    let state = session.state(view);
    let now = session.clock.now();
    let from = args
        .since
        .as_ref()
        .map(|since| since.resolve(&state, now))
        .transpose()?;
    let by = args.by.as_ref().map(|by| by.to_lowercase());
    let mut lines: Vec<Line> = view
        .changes()
        .iter()
        .map(|change| Line::of_change(session, view, &state, change, now))
        .chain(
            view.clock()
                .iter()
                .map(|moved| Line::of_clock(session, moved)),
        )
        .chain(
            view.minted()
                .map(|(entry, minted)| Line::of_minted(session, entry, minted)),
        )
        .filter(|line| from.is_none_or(|from| line.at >= from))
        .filter(|line| by.as_ref().is_none_or(|by| *by == line.operator))
        .filter(|line| line.open || !args.open)
        .collect();
    lines.sort_by_key(|line| line.at);
    let older = args
        .limit
        .map_or(0, |limit| lines.len().saturating_sub(limit));
    let mut sheet = Sheet::new(&["entry", "when", "who", "what", "until", "state", "reason"]);
    let mut list = Vec::new();
    for line in lines.into_iter().skip(older) {
        list.push(line.data);
        sheet.push(line.row);
    }
    let mut text = super::header(session, &state, None);
    if sheet.is_empty() {
        let filtered = args.open || args.by.is_some() || args.since.is_some();
        text.push_str(if filtered {
            "nothing in the ledger matches\n"
        } else {
            "the ledger is empty\n"
        });
    } else {
        if older > 0 {
            text.push_str(&format!("{older} older left out\n"));
        }
        text.push_str(&sheet.table(session.ui().width()));
    }
    let data = json!({
        "entries": list,
        "older": older,
        "corrupt": corrupt(&read),
        "newer": read.newer,
        "spooled": read.spooled,
    });
    let mut answer = Answer::new("ledger list", data, text)
        .with_head(session.head(Some(&state), None))
        .with_sheet(sheet);
    answer.warnings = troubles(&read);
    Ok(answer)
}

fn corrupt(read: &ReadLedger) -> Vec<Value> {
    read.corrupt
        .iter()
        .map(|corrupt| json!({ "key": corrupt.key.to_string(), "reason": corrupt.reason.to_string() }))
        .collect()
}

/// The entry of that name is not there.
fn unknown(id: &str) -> Failure {
    let shown = shortened(id, 60);
    Failure::new(
        Exit::Usage,
        "entry.unknown",
        format!("there is no change `{shown}` in this event's ledger"),
    )
    .hint("`onair ledger list` shows them")
}

async fn show(args: &ShowArgs, session: &Session) -> Result<Answer, Failure> {
    let read = session.read_ledger().await?;
    let view = &read.view;
    let state = session.state(view);
    let mut answer = if let Some(change) = view.find(&args.id) {
        show_change(session, view, &state, change)
    } else {
        let moved = view
            .clock()
            .iter()
            .find(|moved| moved.id().to_string().eq_ignore_ascii_case(args.id.trim()));
        show_clock(session, &state, moved.ok_or_else(|| unknown(&args.id))?)
    };
    answer.head = session.head(Some(&state), None);
    answer.warnings = troubles(&read);
    Ok(answer)
}

fn stored(entry: &Entry<Body>) -> Value {
    serde_json::to_value(entry).unwrap_or_default()
}

fn show_clock(session: &Session, state: &EventState, moved: &ClockEntry) -> Answer {
    let line = Line::of_clock(session, moved);
    let mut text = super::header(session, state, None);
    let at = time::local(moved.at(), &session.runbook.event.zone);
    text.push_str(&format!(
        "{} · {} · {at} ({})\n",
        line.row[3],
        moved.operator(),
        time::utc(moved.at())
    ));
    if let Some(reason) = clock_reason(moved.change()) {
        text.push_str(&format!("  reason: {}\n", printable(reason)));
    }
    text.push_str(&format!("  id: {}\n", moved.id()));
    let mut sheet = Sheet::new(&["entry", "when", "who", "what", "until", "state", "reason"]);
    let mut data = line.data;
    data["stored"] = json!([stored(moved.entry())]);
    sheet.push(line.row);
    Answer::new("ledger show", data, text).with_sheet(sheet)
}

fn show_change(session: &Session, view: &View, state: &EventState, change: &Change) -> Answer {
    let zone = &session.runbook.event.zone;
    let now = session.clock.now();
    let intent = change.intent();
    let line = Line::of_change(session, view, state, change, now);
    let ended_by: Vec<&Change> = view.closed_by(change);
    let mut text = super::header(session, state, None);
    text.push_str(&format!(
        "{}: {}\n",
        change.name(),
        printable(&intent.summary)
    ));
    let mut say =
        |label: &str, words: &str| text.push_str(&format!("  {label}: {}\n", printable(words)));
    say("state", &line.row[5]);
    say(
        "by",
        &format!("{} on {}", change.operator(), change.entry().target),
    );
    say(
        "when",
        &format!(
            "{} ({})",
            time::local(change.at(), zone),
            time::utc(change.at())
        ),
    );
    say("command", &intent.command);
    if let Some(reason) = &intent.reason {
        say("reason", reason);
    }
    if !intent.overrides.is_empty() {
        say("guards given up", &intent.overrides.join(" "));
    }
    if !line.row[4].is_empty() {
        say("until", &line.row[4]);
    }
    asks(view, change, &mut say);
    if let Some(undone) = intent.undoes.as_ref().and_then(|id| view.get(id)) {
        say(
            "takes back",
            &format!("{}: {}", undone.name(), undone.intent().summary),
        );
    }
    for part in &intent.closes {
        if let Some(closed) = view.get(&part.entry) {
            say(
                "ends",
                &format!("{}: {}", closed.name(), closed.intent().summary),
            );
        }
    }
    if let Some(undoer) = view.undone_by(change) {
        let word = if undoer.intent().kind == Kind::End {
            "ended"
        } else {
            "taken back"
        };
        say(
            word,
            &format!(
                "by {} ({}) at {}",
                undoer.operator(),
                undoer.name(),
                time::local(undoer.at(), zone)
            ),
        );
    }
    for by in &ended_by {
        say(
            "ended, all or part",
            &format!(
                "by {} ({}): {}",
                by.operator(),
                by.name(),
                by.intent().summary
            ),
        );
    }
    let mut sheet = Sheet::new(&[
        "attempt", "resource", "result", "changed", "writes", "added", "removed", "before",
        "after", "error",
    ]);
    for (number, outcome) in change.outcomes().enumerate() {
        for part in &outcome.parts {
            let result = format!("{:?}", part.result).to_lowercase();
            let how = if part.changed {
                "changed by this run"
            } else {
                "found so"
            };
            say(
                &format!("outcome {}", number + 1),
                &format!(
                    "{} · {result} · {how} · {} update calls",
                    part.resource, part.writes
                ),
            );
            if !part.added.is_empty() {
                say("  added", &shortened(&part.added.join(" "), 400));
            }
            if !part.removed.is_empty() {
                say("  removed", &shortened(&part.removed.join(" "), 400));
            }
            if let (Some(before), Some(after)) = (&part.before, &part.after) {
                say(
                    "  whole resource",
                    &format!("{before:.12}… → {after:.12}… (SHA-256)"),
                );
            }
            if let Some(error) = &part.error {
                say("  error", error);
            }
            sheet.push([
                (number + 1).to_string(),
                part.resource.clone(),
                result,
                part.changed.to_string(),
                part.writes.to_string(),
                part.added.join(" "),
                part.removed.join(" "),
                part.before.clone().unwrap_or_default(),
                part.after.clone().unwrap_or_default(),
                part.error.clone().unwrap_or_default(),
            ]);
        }
    }
    if let Some(proof) = change.proof() {
        say(
            "proof",
            &format!("{:?}: {}", proof.state, proof.evidence).to_lowercase(),
        );
    }
    say("id", &change.id().to_string());
    say("hash", &change.entry().hash.to_string());
    let mut data = line.data;
    data["intent"] = json!(intent);
    data["outcomes"] = json!(change.outcomes().collect::<Vec<_>>());
    data["proof"] = json!(change.proof());
    data["ended-by"] = json!(
        ended_by
            .iter()
            .map(|by| Target::of(by).data())
            .collect::<Vec<_>>()
    );
    data["hash"] = json!(change.entry().hash);
    data["stored"] = json!(
        std::iter::once(change.entry())
            .chain(change.later_entries())
            .map(stored)
            .collect::<Vec<_>>()
    );
    Answer::new("ledger show", data, text).with_sheet(sheet)
}

/// What the change asks for, and what of it stands.
fn asks(view: &View, change: &Change, say: &mut impl FnMut(&str, &str)) {
    let opens = &change.intent().opens;
    if !opens.prefixes.is_empty() {
        let all: Vec<String> = opens.prefixes.iter().map(ToString::to_string).collect();
        say("addresses", &shortened(&all.join(" "), 400));
        let standing = view.pieces(change).len();
        say("  still asked for", &format!("{standing} of {}", all.len()));
        let foreign = change.already_there();
        if !foreign.is_empty() {
            let foreign: Vec<String> = foreign.iter().map(ToString::to_string).collect();
            say(
                "  there before, and left at the end",
                &shortened(&foreign.join(" "), 400),
            );
        }
    }
    for ask in &opens.countries {
        let wanted = format!("{:?}", ask.wanted).to_lowercase();
        let already = if ask.already { " (was so before)" } else { "" };
        say(
            "country",
            &format!("{} {wanted} on {}{already}", ask.country, ask.distribution),
        );
    }
    if !opens.keys.is_empty() {
        let all: Vec<String> = opens
            .keys
            .iter()
            .map(|ask| format!("{}:{}", ask.claim, ask.shown))
            .collect();
        say("revocations", &shortened(&all.join(" "), 400));
    }
    let intent = change.intent();
    for (word, claims) in [("makes", &intent.makes), ("removes", &intent.removes)] {
        if !claims.is_empty() {
            let all: Vec<String> = claims.iter().map(Claim::resource).collect();
            say(word, &shortened(&all.join(", "), 800));
        }
    }
    for ask in &opens.rules {
        say(
            "rule",
            &format!(
                "{} of {}: {}, before it {}",
                printable(&ask.rule),
                ask.web_acl,
                ask.wanted.word(),
                crate::plan::rules::word_of(&ask.before)
            ),
        );
    }
    for ask in &opens.settings {
        let before = ask.before.as_deref().unwrap_or("nothing");
        say(
            "setting",
            &format!("{} = {}, before: {before}", ask.key, ask.value),
        );
    }
}

async fn resume(args: &ResumeArgs, session: &Session) -> Result<Answer, Failure> {
    let basis = change::basis(session, false).await?;
    let mut warnings = Vec::new();
    let chosen: Vec<&Change> = match &args.id {
        None => basis.view.cut_off(basis.now),
        Some(id) => {
            let change = basis.view.find(id).ok_or_else(|| unknown(id))?;
            if change.progress() != Progress::InFlight || basis.view.undone_by(change).is_some() {
                let words = standing(&basis.view, change, basis.now);
                return Ok(nothing_to_resume(
                    session,
                    &basis,
                    &format!("{} is not cut off: {words}", change.name()),
                ));
            }
            if !change.is_cut_off(basis.now) {
                let left = change.intent().deadline.duration_since(basis.now);
                warnings.push(format!(
                    "{} may still be carried out by the process that began it; it counts as cut off in {}",
                    change.name(),
                    human(left)
                ));
            }
            vec![change]
        }
    };
    if chosen.is_empty() {
        let running: Vec<String> = basis
            .view
            .changes()
            .iter()
            .filter(|change| change.progress() == Progress::InFlight)
            .map(Change::name)
            .collect();
        let why = if running.is_empty() {
            "nothing was cut off".to_owned()
        } else {
            format!(
                "nothing counts as cut off yet; on its way: {0} (if its process is gone: onair ledger resume {0})",
                running.join(", ")
            )
        };
        return Ok(nothing_to_resume(session, &basis, &why));
    }
    let targets: Vec<Value> = chosen
        .iter()
        .map(|change| Target::of(change).data())
        .collect();
    let mut text = super::header(session, &basis.state, Some(&basis.operator));
    for change in &chosen {
        let ago = human(basis.now.duration_since(change.at()));
        let words = standing(&basis.view, change, basis.now);
        text.push_str(&format!(
            "RESUME {}: {} · by {} {ago} ago · {words}\n",
            change.name(),
            printable(&change.intent().summary),
            change.operator()
        ));
        for resource in change::resources_of(session, &basis.view, change)? {
            text.push_str(&format!("  {resource}\n"));
        }
    }
    for warning in &warnings {
        text.push_str(&format!("  warning: {warning}\n"));
    }
    let head = session.head(Some(&basis.state), Some(&basis.operator));
    let pending = json!({ "pending": true, "entries": targets });
    if session.options().dry_run {
        let mut answer = Answer::new(
            "ledger resume",
            pending,
            format!("{text}dry run: nothing was changed\n"),
        )
        .with_head(head);
        answer.warnings = warnings;
        return Ok(answer.exiting(
            Exit::Difference,
            "difference",
            "a run without --dry-run would finish this",
        ));
    }
    let asks = session.ui().is_interactive()
        && !session.options().answers.yes
        && session.options().answers.confirm.is_none();
    if asks {
        session.ui().say(&text);
    }
    let approved = session
        .ui()
        .approve(&Question::Yes, &session.options().answers, &[])
        .await
        .map_err(|failure| {
            let mut failure = failure.with_data(pending);
            failure.text = (!asks).then(|| text.clone());
            failure
        })?;
    let mut tally = Tally::default();
    for change in chosen {
        if session.ui().interrupt().is_requested() {
            tally.failure = Some(Failure::interrupted());
            break;
        }
        match carried::resume(session, &basis, &approved, change).await {
            Ok(one) => tally.carried.push(one),
            Err(failure) => {
                tally.failure.get_or_insert(failure);
            }
        }
    }
    let mut text = if asks { String::new() } else { text };
    let mut sheet = Sheet::new(&["entry", "resource", "result", "changed", "writes"]);
    for one in &tally.carried {
        text.push_str(&one.finished.words(&one.name));
        for part in &one.finished.outcome.parts {
            sheet.push([
                one.name.clone(),
                part.resource.clone(),
                format!("{:?}", part.result).to_lowercase(),
                part.changed.to_string(),
                part.writes.to_string(),
            ]);
        }
    }
    let (exit, code, message) = tally.exit();
    let data = json!({
        "pending": exit != Exit::Done,
        "entries": tally.carried.iter().map(Carried::data).collect::<Vec<_>>(),
    });
    let mut answer = Answer::new("ledger resume", data, text)
        .with_head(head)
        .with_sheet(sheet);
    answer.changed = tally.changed();
    answer.warnings = warnings;
    if exit != Exit::Done {
        answer = answer.exiting(exit, &code, &message);
    }
    Ok(answer)
}

fn nothing_to_resume(session: &Session, basis: &Basis<'_>, why: &str) -> Answer {
    let header = super::header(session, &basis.state, Some(&basis.operator));
    Answer::new(
        "ledger resume",
        json!({ "pending": false, "entries": [] }),
        format!("{header}nothing to resume: {why}\n"),
    )
    .with_head(session.head(Some(&basis.state), Some(&basis.operator)))
}

async fn sync(session: &Session) -> Result<Answer, Failure> {
    let report = session.ledger.sync().await.map_err(|error| {
        Failure::failed("ledger.spool", "use the spool on this machine")
            .caused_by(&error)
            .hint("check the permissions of the .onair folder beside the runbooks")
    })?;
    let handle = |id| {
        report
            .handles
            .iter()
            .find(|(entry, _)| *entry == id)
            .map(|(_, handle)| handle.clone())
    };
    let mut text = String::new();
    let mut sheet = Sheet::new(&["entry", "id", "result"]);
    let mut uploaded = Vec::new();
    for id in &report.uploaded {
        let name = handle(*id);
        uploaded.push(json!({ "id": id.to_string(), "entry": name }));
        sheet.push([
            name.unwrap_or_default(),
            id.to_string(),
            "uploaded".to_owned(),
        ]);
    }
    let there: Vec<String> = report
        .already_there
        .iter()
        .map(ToString::to_string)
        .collect();
    for id in &there {
        sheet.push([String::new(), id.clone(), "already there".to_owned()]);
    }
    let failed: Vec<Value> = report
        .failed
        .iter()
        .map(|(key, reason)| json!({ "key": key.to_string(), "reason": reason }))
        .collect();
    for (key, reason) in &report.failed {
        sheet.push([String::new(), key.to_string(), format!("waits: {reason}")]);
        text.push_str(&format!("  waits: {key}: {reason}\n"));
    }
    match report.uploaded.len() {
        0 if report.handles.is_empty() => {}
        number => text.push_str(&format!("{number} uploaded\n")),
    }
    for (entry, handle) in &report.handles {
        text.push_str(&format!("  {handle} is {entry}\n"));
    }
    if !there.is_empty() {
        text.push_str(&format!("{} were there already\n", there.len()));
    }
    if text.is_empty() {
        text.push_str("nothing to upload: the ledger's store has everything\n");
    }
    let handles: Vec<Value> = report
        .handles
        .iter()
        .map(|(entry, handle)| json!({ "id": entry.to_string(), "entry": handle }))
        .collect();
    let data = json!({
        "uploaded": uploaded,
        "already-there": there,
        "handles": handles,
        "failed": failed,
    });
    let answer = Answer::new("ledger sync", data, text)
        .with_head(session.head(None, None))
        .with_sheet(sheet);
    Ok(match report.failed.first() {
        None => answer,
        Some((_, reason)) => {
            let message = format!(
                "{} could not be uploaded yet ({reason}); they are safe on this machine: run `onair ledger sync` again",
                report.failed.len()
            );
            answer.exiting(Exit::Failed, "ledger.write", &message)
        }
    })
}

async fn verify(session: &Session) -> Result<Answer, Failure> {
    let records = session.ledger.read_anew().await.map_err(|error| {
        Failure::failed("ledger.read", "read the ledger")
            .caused_by(&error)
            .hint("check the ledger's store, then run it again")
    })?;
    let mut sheet = Sheet::new(&["finding", "where", "what"]);
    let mut findings = Vec::new();
    for finding in chain::verify(&records) {
        let (kind, place, words) = finding_words(&finding);
        findings.push(json!({ "kind": kind, "where": place, "message": words }));
        sheet.push([kind.to_owned(), place, words]);
    }
    let total = records.entries.len() - records.spooled.len();
    let mut text = format!(
        "{total} entries in the store · {} on this machine only\n",
        records.spooled.len()
    );
    let data = json!({
        "entries": total,
        "spooled": records.spooled.len(),
        "newer": records.newer.len(),
        "findings": findings,
    });
    if findings.is_empty() {
        text.push_str(
            "✓ every entry is as it was written, and none that another names is missing\n",
        );
    } else {
        text.push_str(&sheet.table(session.ui().width()));
    }
    let mut answer = Answer::new("ledger verify", data, text)
        .with_head(session.head(None, None))
        .with_sheet(sheet);
    if !records.newer.is_empty() {
        answer.warnings.push(format!(
            "{} written by a newer onair: their seals were not looked into; update this one",
            entries(records.newer.len())
        ));
    }
    Ok(if findings.is_empty() {
        answer
    } else {
        let message = format!(
            "{} in the ledger not as written",
            if findings.len() == 1 {
                "1 thing is".to_owned()
            } else {
                format!("{} things are", findings.len())
            }
        );
        answer.exiting(Exit::Difference, "check.failed", &message)
    })
}

fn finding_words(finding: &chain::Finding) -> (&'static str, String, String) {
    match finding {
        chain::Finding::Altered { key, reason } => (
            "altered",
            printable(&key.to_string()).into_owned(),
            shortened(&reason.to_string(), 200),
        ),
        chain::Finding::Missing { hash, named_by } => (
            "missing",
            named_by.to_string(),
            format!("it names an entry with the hash {hash:.16}… that is not there"),
        ),
        chain::Finding::Broken { run, entry } => (
            "broken",
            entry.to_string(),
            format!("it does not continue its run {run}"),
        ),
        chain::Finding::Forked {
            run,
            sequence,
            entries: [one, other],
        } => (
            "forked",
            one.to_string(),
            format!("it and {other} claim the same place, {sequence}, in the run {run}"),
        ),
    }
}
