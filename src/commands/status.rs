//! `onair status`: the event on one screen, with a verdict that is never green without evidence.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};

use crate::cloud::{CloudError, Distribution, DistributionStatus};
use crate::context::{Context, Session};
use crate::edge::gate::mode_word;
use crate::error::{Exit, Failure};
use crate::event::cidr::Family;
use crate::event::country::Country;
use crate::event::duration::human;
use crate::event::text::printable;
use crate::event::time;
use crate::layers::{self, Reading, Subject};
use crate::ledger::body::{Access, End, GeoMode, GeoState, Kind};
use crate::ledger::clock::EventState;
use crate::ledger::view::{Change, Progress, Standing, View};
use crate::ledger::{Beat, ReadLedger};
use crate::observe::{self, ObserveError, ObservedSet, ObservedStore};
use crate::plan::change::Touched;
use crate::plan::ip_set::{Demand, SET_LIMIT, plan_set};
use crate::plan::keys::STORE_LIMIT_BYTES;
use crate::plan::windows;
use crate::render::{Answer, Sheet};
use crate::runbook::TokenMode;

/// Somebody tends while the last sign of life is younger than this.
const TENDED: SignedDuration = SignedDuration::from_mins(3);
/// A window that opens within this is worth a word.
const WINDOW_AHEAD: SignedDuration = SignedDuration::from_mins(30);
/// A set or a store fuller than this, in percent, is worth a word.
const NEARLY_FULL: usize = 90;
/// Codes, entries and prefixes named in a message.
const MOST_NAMED: usize = 5;

/// Show the event on one screen, with a verdict
///
/// The first line after the header is OK, or ATTENTION with the number of reasons; each reason comes
/// with what to type. What could not be asked counts as a reason. With --check the exit code is 3
/// unless the verdict is OK.
///
/// Example: onair status --check
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Exit with 3 unless everything is as it should be
    #[arg(long)]
    check: bool,
}

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    Ok,
    Attention,
    CouldNotAsk,
}

impl State {
    fn mark(self) -> &'static str {
        match self {
            Self::Ok => "✓ ok",
            Self::Attention => "✗ attention",
            Self::CouldNotAsk => "? could not ask",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Check {
    id: String,
    state: State,
    message: String,
    /// What to type.
    fix: Option<String>,
}

impl Check {
    fn new(id: impl Into<String>, state: State, message: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            state,
            message: message.into(),
            fix: None,
        }
    }

    fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }

    fn could_not_ask(id: impl Into<String>, error: impl std::fmt::Display) -> Self {
        Self::new(id, State::CouldNotAsk, error.to_string()).fix("onair status -v")
    }
}

/// Everything that is read, side by side.
struct Seen {
    account: Result<(), Failure>,
    beat: Result<Option<Beat>, String>,
    distributions: Vec<Result<Distribution, CloudError>>,
    reading: Reading,
    sets: Vec<(Family, String, Result<ObservedSet, ObserveError>)>,
    store: Option<(String, Result<ObservedStore, ObserveError>)>,
}

pub(crate) async fn run(args: &Args, context: &Context) -> Result<Answer, Failure> {
    let session = context.session().await?;
    let (ledger, ledger_error) = match session.read_ledger().await {
        Ok(read) => (read, None),
        Err(failure) => {
            let cause = failure.causes.first().unwrap_or(&failure.message).clone();
            (local(&session), Some(cause))
        }
    };
    let view = &ledger.view;
    let state = session.state(view);
    let now = session.clock.now();
    let seen = see(&session, view).await;

    let mut checks = vec![
        clock_check(&session, &state, now),
        account_check(&seen.account),
    ];
    for (subject, distribution) in seen.reading.distributions.iter().zip(&seen.distributions) {
        checks.push(distribution_check(
            &session,
            view,
            subject,
            distribution,
            now,
        ));
        checks.push(geo_check(&session, view, subject));
        checks.extend(web_acl_check(&session, &seen.reading, subject));
    }
    checks.extend(
        seen.sets
            .iter()
            .map(|(family, name, set)| set_check(view, *family, name, set)),
    );
    checks.extend(
        seen.store
            .iter()
            .map(|(name, store)| store_check(&session, view, name, store)),
    );
    checks.extend(mode_check(&session, view, &state, &seen));
    checks.push(entries_check(&session, view, &state, now));
    checks.extend(cut_off_checks(view, now));
    checks.push(tend_check(view, &seen.beat, now));
    checks.extend(window_checks(&session, view, &seen.beat, now));
    checks.extend(ledger_checks(&ledger, ledger_error.as_deref()));
    checks.extend(neighbor_checks(&session));
    Ok(answer(&session, &state, view, now, &checks, args.check))
}

/// What this machine has of the ledger while its store is away.
fn local(session: &Session) -> ReadLedger {
    ReadLedger {
        view: crate::ledger::read_local(&session.ledger),
        corrupt: Vec::new(),
        newer: 0,
        spooled: 0,
    }
}

async fn see(session: &Session, view: &View) -> Seen {
    let named: Vec<(String, String)> = session
        .runbook
        .distributions
        .iter()
        .map(|one| (one.name.clone(), one.id.clone()))
        .collect();
    let beat = async {
        session
            .ledger
            .last_heartbeat()
            .await
            .map_err(|error| error.to_string())
    };
    let distributions = join_all(named.iter().map(|(_, id)| session.cloud.distribution(id)));
    let reading = layers::read(&session.cloud, &named, None);
    let sets = read_sets(session);
    let store = read_store(session, view);
    let (account, beat, distributions, reading, sets, store) = futures_util::join!(
        session.check_account(),
        beat,
        distributions,
        reading,
        sets,
        store
    );
    Seen {
        account,
        beat,
        distributions,
        reading,
        sets,
        store,
    }
}

/// Each IP set by itself: one that cannot be read does not hide the other.
async fn read_sets(session: &Session) -> Vec<(Family, String, Result<ObservedSet, ObserveError>)> {
    let Ok(names) = session.sets() else {
        return Vec::new();
    };
    let listed = match session.cloud.ip_sets().await {
        Ok(listed) => listed,
        Err(error) => {
            return names
                .into_iter()
                .map(|(family, name)| (family, name, Err(error.clone().into())))
                .collect();
        }
    };
    let read = names.into_iter().map(|(family, name)| {
        let id = listed
            .iter()
            .find(|set| set.name == name)
            .map(|set| set.id.clone());
        async move {
            let set = match id {
                Some(id) => observe::ip_set(&session.cloud, &name, &id).await,
                None => Err(ObserveError::NoSuchSet {
                    name: name.clone(),
                    scope: "scope CLOUDFRONT",
                }),
            };
            (family, name, set)
        }
    });
    join_all(read).await
}

async fn read_store(
    session: &Session,
    view: &View,
) -> Option<(String, Result<ObservedStore, ObserveError>)> {
    let name = session.store_name().ok()?.to_owned();
    let mut keys: Vec<String> = crate::plan::keys::standing_keys(view).into_keys().collect();
    keys.push(crate::token::mode_key(session.runbook.event.id.as_str()));
    let read = async {
        let found = observe::find_store(&session.cloud, &name).await?;
        observe::store(&session.cloud, &found.arn, &keys).await
    };
    let read = read.await;
    Some((name, read))
}

fn clock_check(session: &Session, state: &EventState, now: Timestamp) -> Check {
    let zone = &session.runbook.event.zone;
    let by = if state.phase_by_crew {
        " (set by the crew)"
    } else {
        ""
    };
    let mut message = format!(
        "phase {}{by}, ends {}",
        state.phase,
        time::local(state.times.ends, zone)
    );
    if state.times.ends != state.planned_end {
        message.push_str(&format!(
            ", planned {}",
            time::local(state.planned_end, zone)
        ));
    }
    if let Some(closed) = state.closed_at {
        message = format!("closed by the crew at {}", time::local(closed, zone));
    } else if let Some(over) = state.overtime(now) {
        message.push_str(&format!(
            "; OVERTIME {}: nothing ends by it (onair event extend 30m, or onair event close)",
            human(over)
        ));
    }
    let mut check = Check::new("clock", State::Ok, message);
    if !session.elsewhere.is_empty() {
        check.state = State::Attention;
        check.message.push_str(&format!(
            "; this event is outside its window, while {} is inside",
            session.elsewhere.join(", ")
        ));
        check.fix = session
            .elsewhere
            .first()
            .map(|other| format!("onair -e {other} status"));
    }
    check
}

fn account_check(account: &Result<(), Failure>) -> Check {
    match account {
        Ok(()) => Check::new(
            "account",
            State::Ok,
            "the credentials are for the runbook's account",
        ),
        Err(failure) if failure.code == "guard.account" => {
            Check::new("account", State::Attention, &failure.message)
                .fix("onair --profile NAME status")
        }
        Err(failure) => Check::could_not_ask("account", &failure.message),
    }
}

/// The last geo roll-out that was proved.
fn last_rollout(view: &View) -> Option<SignedDuration> {
    let seconds = view.changes().iter().rev().find_map(|change| {
        let intent = change.intent();
        let geo = !intent.opens.countries.is_empty() || !intent.geo_reset.is_empty();
        change.proof().filter(|_| geo)?.seconds
    })?;
    SignedDuration::try_from_secs_f64(seconds).ok()
}

fn distribution_check(
    session: &Session,
    view: &View,
    subject: &Subject,
    read: &Result<Distribution, CloudError>,
    now: Timestamp,
) -> Check {
    let id = format!("distribution:{}", subject.name);
    let read = match read {
        Ok(read) => read,
        Err(error) => return Check::could_not_ask(id, error),
    };
    if !read.enabled {
        return Check::new(
            id,
            State::Attention,
            format!("{} is disabled: nobody is served", subject.id),
        )
        .fix(format!(
            "aws cloudfront get-distribution --id {}",
            subject.id
        ));
    }
    match read.status {
        DistributionStatus::Deployed => Check::new(
            id,
            State::Ok,
            format!(
                "deployed, changed last {}",
                time::local(read.last_modified, &session.runbook.event.zone)
            ),
        ),
        DistributionStatus::InProgress => {
            let since = now.duration_since(read.last_modified);
            let left = match last_rollout(view) {
                None => "no roll-out was proved before, it takes minutes".to_owned(),
                Some(last) if last > since => format!(
                    "about {} left by the last one ({})",
                    human(last - since),
                    human(last)
                ),
                Some(last) => format!("longer than the last one ({})", human(last)),
            };
            Check::new(
                id,
                State::Attention,
                format!("rolling out since {}: {left}", human(since)),
            )
            .fix("onair status")
        }
    }
}

/// Which countries are decided otherwise than the runbook and the open entries say.
fn geo_check(session: &Session, view: &View, subject: &Subject) -> Check {
    let id = format!("geo:{}", subject.name);
    let restriction = match subject
        .document
        .as_ref()
        .map(crate::cloud::DistributionDocument::geo)
    {
        Ok(Ok(restriction)) => restriction,
        Ok(Err(error)) => return Check::could_not_ask(id, error),
        Err(error) => return Check::could_not_ask(id, error),
    };
    let observed = GeoState {
        mode: match restriction.kind {
            crate::cloud::GeoKind::None => GeoMode::None,
            crate::cloud::GeoKind::Allow => GeoMode::Allow,
            crate::cloud::GeoKind::Block => GeoMode::Block,
        },
        countries: restriction
            .countries
            .iter()
            .filter_map(|code| Country::parse(code).ok())
            .collect(),
    };
    let mut asked: BTreeMap<Country, Access> = BTreeMap::new();
    for change in view.open() {
        for (ask, standing) in view.countries(change) {
            if ask.distribution == subject.id && standing != Standing::Closing {
                asked.insert(ask.country, ask.wanted);
            }
        }
    }
    let wanted = |country: Country| match (asked.get(&country), &session.runbook.geo) {
        (Some(access), _) => Some(*access),
        (None, Some(geo)) if geo.blocks(country) => Some(Access::Blocked),
        (None, Some(_)) => Some(Access::Allowed),
        (None, None) => None,
    };
    let wrong: Vec<(Country, Access)> = Country::all()
        .map(|country| (country, observed.access(country)))
        .filter(|(country, access)| wanted(*country).is_some_and(|wanted| wanted != *access))
        .collect();
    if wrong.is_empty() {
        let open = if asked.is_empty() {
            String::new()
        } else {
            format!(", with {} by open changes", codes(asked.keys().copied()))
        };
        return Check::new(
            id,
            State::Ok,
            format!(
                "as the runbook and the ledger say{open}: {}",
                super::geo::state_words(&observed)
            ),
        );
    }
    let side = |access: Access| {
        codes(
            wrong
                .iter()
                .filter(|(_, one)| *one == access)
                .map(|(country, _)| *country),
        )
    };
    let (refused, served) = (side(Access::Blocked), side(Access::Allowed));
    let mut words = Vec::new();
    if !refused.is_empty() {
        words.push(format!("{refused} refused"));
    }
    if !served.is_empty() {
        words.push(format!("{served} served"));
    }
    // A change of ours that is not finished here explains a difference before any stranger does.
    let unfinished = view.changes().iter().find(|change| {
        change.progress() == Progress::InFlight
            && Touched::by(view, change.intent())
                .distributions
                .contains(&subject.id)
    });
    if let Some(change) = unfinished {
        let name = change.name();
        let message = format!("{}: {name} is not finished here", words.join(" and "));
        return Check::new(id, State::Attention, message)
            .fix(format!("onair ledger resume {name}"));
    }
    let message = format!(
        "{}, and neither the runbook nor the ledger says so: someone else changed it",
        words.join(" and ")
    );
    let fix = match wrong.as_slice() {
        [(country, Access::Blocked)] => format!("onair geo unblock {country}"),
        [(country, Access::Allowed)] => format!("onair geo block {country}"),
        _ => "onair geo reset --to runbook".to_owned(),
    };
    Check::new(id, State::Attention, message).fix(fix)
}

fn codes(countries: impl Iterator<Item = Country>) -> String {
    let all: Vec<&str> = countries.map(Country::code).collect();
    if all.len() > 12 {
        format!("{} countries", all.len())
    } else {
        all.join(" ")
    }
}

/// Whether the distribution's web ACL blocks by the event's IP sets: without that, `block` does nothing.
fn web_acl_check(session: &Session, reading: &Reading, subject: &Subject) -> Option<Check> {
    let waf = session.runbook.waf.as_ref()?;
    let id = format!("web-acl:{}", subject.name);
    if let Err(error) = &subject.document {
        return Some(Check::could_not_ask(id, error));
    }
    let acl = match subject
        .web_acl
        .as_ref()
        .map(|arn| reading.web_acls.get(arn))
    {
        None => {
            return Some(
                Check::new(
                    id,
                    State::Attention,
                    "no web ACL: blocked addresses are served",
                )
                .fix(format!("associate {} with {}", waf.web_acl, subject.id)),
            );
        }
        Some(Some(Ok(acl))) => acl,
        Some(Some(Err(error))) => return Some(Check::could_not_ask(id, error)),
        Some(None) => return Some(Check::could_not_ask(id, "the web ACL was not read")),
    };
    let missing: Vec<&str> = [waf.ip_set_v4.as_str(), waf.ip_set_v6.as_str()]
        .into_iter()
        .filter(|name| layers::lookup(acl, name) != layers::Lookup::Blocks)
        .collect();
    Some(if missing.is_empty() {
        Check::new(
            id,
            State::Ok,
            format!("{} blocks by both IP sets", acl.name),
        )
    } else {
        let message = format!(
            "no rule of {} blocks by {}: addresses in it are served",
            acl.name,
            missing.join(" and ")
        );
        Check::new(id, State::Attention, message)
            .fix(format!("add a blocking rule for it to {}", acl.name))
    })
}

fn set_check(
    view: &View,
    family: Family,
    name: &str,
    read: &Result<ObservedSet, ObserveError>,
) -> Check {
    let id = format!("ip-set:{name}");
    let set = match read {
        Ok(set) => set,
        Err(error @ ObserveError::NoSuchSet { .. }) => {
            return Check::new(id, State::Attention, error.to_string()).fix("onair runbook show");
        }
        Err(error) => return Check::could_not_ask(id, error),
    };
    let held = set.addresses.len() + set.unread.len();
    let plan = match plan_set(&set.addresses, &Demand::of(view, None, family), family) {
        Ok(plan) => plan,
        Err(error) => {
            let message = format!(
                "the ledger asks for {} addresses, and {SET_LIMIT} fit",
                error.needed
            );
            return Check::new(id, State::Attention, message).fix("onair ip list");
        }
    };
    let foreign = if plan.foreign.is_empty() {
        String::new()
    } else {
        let some: Vec<String> = plan
            .foreign
            .iter()
            .take(MOST_NAMED)
            .map(ToString::to_string)
            .collect();
        let more = if plan.foreign.len() > MOST_NAMED {
            " …"
        } else {
            ""
        };
        format!(
            ", {} not in the ledger: {}{more}",
            plan.foreign.len(),
            some.join(" ")
        )
    };
    let message = format!(
        "{held} of {SET_LIMIT} addresses, {} ours{foreign}",
        set.addresses.len() - plan.foreign.len().min(set.addresses.len())
    );
    if !plan.missing.is_empty() {
        let some: Vec<String> = plan
            .missing
            .iter()
            .take(MOST_NAMED)
            .map(ToString::to_string)
            .collect();
        let message = format!(
            "{message}, {} missing that the ledger says are blocked: {}",
            plan.missing.len(),
            some.join(" ")
        );
        return Check::new(id, State::Attention, message)
            .fix(format!("onair why {}", plan.missing[0]));
    }
    if held * 100 >= SET_LIMIT * NEARLY_FULL {
        return Check::new(id, State::Attention, format!("{message}: nearly full"))
            .fix("onair tend --once");
    }
    Check::new(id, State::Ok, message)
}

fn store_check(
    session: &Session,
    view: &View,
    name: &str,
    read: &Result<ObservedStore, ObserveError>,
) -> Check {
    let id = format!("key-value-store:{name}");
    let store = match read {
        Ok(store) => store,
        Err(error @ ObserveError::NoSuchStore(_)) => {
            return Check::new(id, State::Attention, error.to_string()).fix("onair runbook show");
        }
        Err(error) => return Check::could_not_ask(id, error),
    };
    let now = session.clock.now();
    let mut missing: Vec<String> = Vec::new();
    let mut ours = 0;
    for change in view.open() {
        for (ask, standing) in view.keys(change) {
            let stands = store
                .values
                .get(&ask.key)
                .is_some_and(|value| crate::token::is_revoked(value, now));
            let over = view.ends_at(change).is_some_and(|end| end <= now);
            ours += usize::from(store.values.contains_key(&ask.key));
            if standing == Standing::Open && !stands && !over {
                missing.push(format!("{} {}", ask.claim, printable(&ask.shown)));
            }
        }
    }
    let message = format!(
        "{} keys, {ours} ours, {} KB of {} KB",
        store.items,
        store.bytes / 1024,
        STORE_LIMIT_BYTES / 1024
    );
    if let Some(first) = missing.first() {
        let message = format!(
            "{message}, {} missing that the ledger says are revoked: {first}",
            missing.len()
        );
        let fix = match first.split_once(' ') {
            Some((claim, value)) if claim != "token" && !value.contains(['…', ' ']) => {
                format!("onair why {claim}:{value}")
            }
            _ => "onair token list".to_owned(),
        };
        return Check::new(id, State::Attention, message).fix(fix);
    }
    if store.bytes * 100 >= STORE_LIMIT_BYTES * NEARLY_FULL as u64 {
        return Check::new(id, State::Attention, format!("{message}: nearly full"))
            .fix("onair tend --once");
    }
    Check::new(id, State::Ok, message)
}

/// What the gate does where that is not what the runbook says. A store that could not be read has its
/// own check.
fn mode_check(session: &Session, view: &View, state: &EventState, seen: &Seen) -> Option<Check> {
    let tokens = session.runbook.tokens.as_ref()?;
    let store = seen.store.as_ref()?.1.as_ref().ok()?;
    let key = crate::token::mode_key(session.runbook.event.id.as_str());
    let stored = store.values.get(&key).map(String::as_str);
    let found = super::token::mode::in_force(session, state, view, tokens, stored);
    if found.mode == found.runbook {
        return None;
    }
    let word = mode_word(found.mode);
    let runbook = mode_word(found.runbook);
    let felt = match found.mode {
        TokenMode::Off => ": no token is looked at, revoked or not",
        TokenMode::Log => ": nobody is refused, revocations are not felt",
        TokenMode::Enforce => "",
    };
    let message = format!(
        "the gate's mode is {word}{felt}; {}; the runbook says {runbook}",
        found.whose
    );
    let is_meant = found.mode == TokenMode::Enforce && found.change.is_some();
    let level = if is_meant {
        State::Ok
    } else {
        State::Attention
    };
    Some(Check::new("token-mode", level, message).fix(format!("onair token mode {runbook}")))
}

/// The open change that ends first, with its end.
fn next_end(view: &View, now: Timestamp) -> Option<(&Change, Timestamp)> {
    view.open()
        .filter_map(|change| Some((change, view.ends_at(change)?)))
        .filter(|(_, end)| *end > now)
        .min_by_key(|(_, end)| *end)
}

fn entries_check(session: &Session, view: &View, state: &EventState, now: Timestamp) -> Check {
    let open = view.open().count();
    let with_event = view
        .open()
        .filter(|change| change.intent().end == End::Event)
        .count();
    let mut message = format!("{open} open change{}", if open == 1 { "" } else { "s" });
    if with_event > 0 {
        message.push_str(&format!(", {with_event} until the event is closed"));
    }
    if let Some((change, end)) = next_end(view, now) {
        let until = super::until_words(session, state, End::At(end));
        message.push_str(&format!(
            "; next to end: {} in {}, {until} ({})",
            change.name(),
            human(end.duration_since(now)),
            printable(&change.intent().summary)
        ));
    }
    let last = view
        .changes()
        .iter()
        .rev()
        .find(|change| change.intent().kind == Kind::Change);
    if let Some(last) = last {
        message.push_str(&format!(
            "; last change {} by {} {} ago",
            last.name(),
            last.operator(),
            human(now.duration_since(last.at()))
        ));
    }
    Check::new("entries", State::Ok, message)
}

fn cut_off_checks(view: &View, now: Timestamp) -> Vec<Check> {
    let cut = view.cut_off(now);
    if cut.is_empty() {
        let running: Vec<String> = view
            .changes()
            .iter()
            .filter(|change| change.progress() == Progress::InFlight)
            .map(Change::name)
            .collect();
        let message = if running.is_empty() {
            "no change was cut off".to_owned()
        } else {
            format!(
                "no change was cut off; on its way now: {}",
                running.join(", ")
            )
        };
        return vec![Check::new("cut-off", State::Ok, message)];
    }
    cut.into_iter()
        .map(|change| {
            let message = format!(
                "{} by {} was cut off: {}",
                change.name(),
                change.operator(),
                printable(&change.intent().summary)
            );
            Check::new(
                format!("cut-off:{}", change.name()),
                State::Attention,
                message,
            )
            .fix(format!("onair ledger resume {}", change.name()))
        })
        .collect()
}

/// Whether somebody carries out what ends. A revocation ends by itself at the edge.
/// A word on each window that is open or near.
fn window_checks(
    session: &Session,
    view: &View,
    beat: &Result<Option<Beat>, String>,
    now: Timestamp,
) -> Vec<Check> {
    let zone = &session.runbook.event.zone;
    let beat = beat.as_ref().ok().and_then(Option::as_ref);
    let tended = beat.is_some_and(|beat| now.duration_since(beat.at) <= TENDED);
    let windows = session.runbook.geo.iter().flat_map(|geo| &geo.windows);
    windows
        .filter_map(|window| {
            let name = printable(&window.name);
            let (from, until) = (
                time::local(window.from, zone),
                time::local(window.until, zone),
            );
            let standing = windows::standing(view, window, now);
            let near = window.from.duration_since(now) <= WINDOW_AHEAD;
            let (state, message) = match standing {
                windows::Standing::Due => (
                    State::Attention,
                    format!("window {name} should be open since {from}, and nobody has opened it"),
                ),
                windows::Standing::Open => {
                    (State::Ok, format!("window {name} is open until {until}"))
                }
                windows::Standing::Upcoming if near && tended => {
                    (State::Ok, format!("window {name} opens at {from}"))
                }
                windows::Standing::Upcoming if near => (
                    State::Attention,
                    format!("window {name} opens at {from}, and nobody tends"),
                ),
                _ => return None,
            };
            let check = Check::new(format!("window:{}", window.name), state, message);
            Some(match state {
                State::Attention => check.fix("onair tend"),
                _ => check,
            })
        })
        .collect()
}

fn tend_check(view: &View, beat: &Result<Option<Beat>, String>, now: Timestamp) -> Check {
    let beat = match beat {
        Ok(beat) => beat.as_ref(),
        Err(error) => return Check::could_not_ask("tend", error),
    };
    let last = match beat {
        Some(beat) => format!(
            "last sign of life {} ago, by {}",
            human(now.duration_since(beat.at)),
            printable(&beat.operator)
        ),
        None => "no sign of life so far".to_owned(),
    };
    let tended = beat.is_some_and(|beat| now.duration_since(beat.at) <= TENDED);
    let ends = |change: &&Change| {
        let opens = &change.intent().opens;
        view.ends_at(change).is_some()
            && !(opens.prefixes.is_empty() && opens.countries.is_empty() && opens.rules.is_empty())
    };
    let waiting = view.open().filter(ends).count();
    let due = view
        .due(now)
        .into_iter()
        .filter(|change| ends(change))
        .count();
    match (tended, due, waiting) {
        (true, 0, _) => Check::new("tend", State::Ok, format!("tended: {last}")),
        (_, 1.., _) => {
            let plural = if due == 1 { " is" } else { "s are" };
            Check::new(
                "tend",
                State::Attention,
                format!("{due} change{plural} past the end and still there; {last}"),
            )
            .fix("onair tend --once")
        }
        (false, 0, 0) => Check::new(
            "tend",
            State::Ok,
            format!("nobody tends, and nothing has an end that needs it; {last}"),
        ),
        (false, 0, _) => Check::new(
            "tend",
            State::Attention,
            format!(
                "nobody tends, and {waiting} open change{} an end; {last}",
                if waiting == 1 { " has" } else { "s have" }
            ),
        )
        .fix("onair tend"),
    }
}

fn ledger_checks(ledger: &ReadLedger, error: Option<&str>) -> Vec<Check> {
    let mut checks = Vec::new();
    if let Some(error) = error {
        checks.push(Check::could_not_ask(
            "ledger",
            format!("the store could not be read ({error}); what this machine has is shown"),
        ));
    } else if ledger.corrupt.is_empty() {
        let changes = ledger.view.changes().len();
        let plural = if changes == 1 { "" } else { "s" };
        checks.push(Check::new(
            "ledger",
            State::Ok,
            format!("{changes} change{plural}, every entry readable"),
        ));
    }
    for corrupt in ledger.corrupt.iter().take(MOST_NAMED) {
        let message = format!("entry {} is unreadable: {}", corrupt.key, corrupt.reason);
        checks.push(
            Check::new("ledger", State::Attention, printable(&message).into_owned())
                .fix("onair ledger verify"),
        );
    }
    if ledger.corrupt.len() > MOST_NAMED {
        let message = format!(
            "and {} more entries are unreadable",
            ledger.corrupt.len() - MOST_NAMED
        );
        checks.push(Check::new("ledger", State::Attention, message).fix("onair ledger verify"));
    }
    if ledger.newer > 0 {
        let message = format!(
            "{} entries were written by a newer onair, and are not counted here",
            ledger.newer
        );
        checks.push(Check::new("ledger-format", State::Attention, message).fix("onair --version"));
    }
    if ledger.spooled > 0 {
        let message = format!("{} entries are on this machine only", ledger.spooled);
        checks.push(Check::new("spool", State::Attention, message).fix("onair ledger sync"));
    }
    checks
}

fn neighbor_checks(session: &Session) -> Vec<Check> {
    session
        .neighbors()
        .into_iter()
        .map(|neighbor| {
            let shared: Vec<&str> = neighbor
                .distributions
                .iter()
                .map(String::as_str)
                .chain(neighbor.web_acl.as_deref())
                .collect();
            let live = if neighbor.live {
                ", which is in its window NOW"
            } else {
                ""
            };
            Check::new(
                format!("neighbor:{}", neighbor.event),
                State::Ok,
                format!(
                    "{} also serves event {}{live}",
                    shared.join(" and "),
                    neighbor.event
                ),
            )
        })
        .collect()
}

fn answer(
    session: &Session,
    state: &EventState,
    view: &View,
    now: Timestamp,
    checks: &[Check],
    strict: bool,
) -> Answer {
    let reasons: Vec<&Check> = checks
        .iter()
        .filter(|check| check.state != State::Ok)
        .collect();
    let verdict = if reasons.is_empty() {
        "OK".to_owned()
    } else {
        format!("ATTENTION: {}", reasons.len())
    };
    let mut text = super::header(session, state, None);
    let style = if reasons.is_empty() {
        crate::ui::GOOD
    } else {
        crate::ui::BAD
    };
    text.push_str(&format!("{style}{verdict}{style:#}\n"));
    for check in &reasons {
        let fix = check
            .fix
            .as_ref()
            .map(|fix| format!(" → {}{fix}{:#}", crate::ui::HINT, crate::ui::HINT))
            .unwrap_or_default();
        text.push_str(&format!(
            "  {} {}: {}{fix}\n",
            check.state.mark(),
            check.id,
            check.message
        ));
    }
    let overtime = state.overtime(now);
    for check in checks.iter().filter(|check| check.state == State::Ok) {
        let amber = overtime.is_some() && check.id == "clock";
        if amber {
            text.push_str(&format!(
                "  {}! {}: {}{:#}\n",
                crate::ui::WARN,
                check.id,
                check.message,
                crate::ui::WARN
            ));
        } else {
            text.push_str(&format!(
                "  {} {}: {}\n",
                check.state.mark(),
                check.id,
                check.message
            ));
        }
    }
    let mut sheet = Sheet::new(&["check", "state", "message", "fix"]);
    for check in checks {
        let state = serde_json::to_value(check.state)
            .ok()
            .and_then(|value| value.as_str().map(str::to_owned))
            .unwrap_or_default();
        sheet.push([
            check.id.clone(),
            state,
            check.message.clone(),
            check.fix.clone().unwrap_or_default(),
        ]);
    }
    let data = json!({
        "verdict": if reasons.is_empty() { "ok" } else { "attention" },
        "attention": reasons.len(),
        "checks": checks,
        "clock": clock_json(session, state, now),
        "entries": view.open().map(|change| entry_json(view, change)).collect::<Vec<_>>(),
    });
    let answer = Answer::new("status", data, text)
        .with_head(session.head(Some(state), None))
        .with_sheet(sheet);
    if strict && !reasons.is_empty() {
        answer.exiting(Exit::Difference, "check.failed", &verdict)
    } else {
        answer
    }
}

fn clock_json(session: &Session, state: &EventState, now: Timestamp) -> Value {
    json!({
        "now": now.to_string(),
        "since-kickoff": time::since_kickoff(now, session.runbook.event.starts, &session.runbook.event.kickoff_label),
        "ends": state.times.ends.to_string(),
        "planned-end": state.planned_end.to_string(),
        "overtime-seconds": state.overtime(now).map(|over| over.as_secs()),
        "closed-at": state.closed_at.map(|at| at.to_string()),
        "set-by-crew": state.phase_by_crew,
    })
}

fn entry_json(view: &View, change: &Change) -> Value {
    json!({
        "entry": change.name(),
        "id": change.id().to_string(),
        "summary": change.intent().summary,
        "operator": change.operator(),
        "at": change.at().to_string(),
        "reason": change.intent().reason,
        "until": super::end_value(change.intent().end),
        "ends-at": view.ends_at(change).map(|end| end.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn beat(second: i64) -> Beat {
        Beat {
            at: at(second),
            operator: "sam".to_owned(),
            process: "1".to_owned(),
            next: None,
        }
    }

    #[test]
    fn nobody_needs_to_tend_what_has_no_end() {
        let view = View::default();
        assert_eq!(tend_check(&view, &Ok(None), at(1_000)).state, State::Ok);
        assert_eq!(
            tend_check(&view, &Ok(Some(beat(990))), at(1_000)).state,
            State::Ok
        );
        assert_eq!(
            tend_check(&view, &Err("denied".to_owned()), at(1_000)).state,
            State::CouldNotAsk
        );
    }

    #[test]
    fn an_unreadable_entry_and_a_spooled_one_call_for_attention() {
        let ledger = ReadLedger {
            view: View::default(),
            corrupt: Vec::new(),
            newer: 1,
            spooled: 2,
        };
        let checks = ledger_checks(&ledger, None);
        let states: Vec<_> = checks
            .iter()
            .map(|check| (check.id.as_str(), check.state))
            .collect();
        assert_eq!(
            states,
            [
                ("ledger", State::Ok),
                ("ledger-format", State::Attention),
                ("spool", State::Attention)
            ]
        );
        assert_eq!(
            ledger_checks(&ledger, Some("away"))[0].state,
            State::CouldNotAsk
        );
    }

    #[test]
    fn a_set_that_could_not_be_read_is_neither_right_nor_wrong() {
        let error = Err(ObserveError::Document {
            id: "x".to_owned(),
            message: "y".to_owned(),
        });
        assert_eq!(
            set_check(&View::default(), Family::V4, "s", &error).state,
            State::CouldNotAsk
        );
        let none = Err(ObserveError::NoSuchSet {
            name: "s".to_owned(),
            scope: "scope CLOUDFRONT",
        });
        assert_eq!(
            set_check(&View::default(), Family::V4, "s", &none).state,
            State::Attention
        );
    }
}
