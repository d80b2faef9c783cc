//! What the entries add up to: which changes stand, what each still asks for, which are due to end,
//! what the event's clock says. Pure: entries in, answers out.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::body::{
    Body, Claim, ClockChange, CountryAsk, End, Intent, KeyAsk, Kind, Minted, Outcome, Proof,
    RuleAsk, SettingAsk, Verdict, What,
};
use super::entry::{Draft, Entry, EntryId, FORMAT, RunId};
use crate::event::cidr::{Cidr, CidrIndex, cut};

/// Every change of the ledger in order, with what came of it. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct View {
    inner: Arc<Inner>,
    /// One change looked at as if it were settled, or had never been: how a plan sees before and after.
    assumed: Option<(EntryId, Progress)>,
}

#[derive(Debug, Default)]
struct Inner {
    changes: Vec<Change>,
    clock: Vec<ClockEntry>,
    minted: Vec<Arc<Entry<Body>>>,
    /// What a rehearsal began with.
    seeded: BTreeSet<Claim>,
    by_id: HashMap<EntryId, usize>,
    /// For each change, the later changes that close part of it, in order.
    closes: HashMap<EntryId, Vec<(usize, What)>>,
    /// For each change, the later changes that take it back, in order.
    undoers: HashMap<EntryId, Vec<usize>>,
}

/// One intent with its outcome and proof.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    entry: Arc<Entry<Body>>,
    /// The id said over a radio; none while the entry is only in the local spool.
    pub(crate) handle: Option<String>,
    pub(crate) spooled: bool,
    /// What came of it, attempt by attempt; the last one stands.
    outcomes: Vec<Arc<Entry<Body>>>,
    proof: Option<Arc<Entry<Body>>>,
}

/// One move of the event's clock.
#[derive(Debug, Clone)]
pub(crate) struct ClockEntry {
    entry: Arc<Entry<Body>>,
    pub(crate) spooled: bool,
}

impl ClockEntry {
    pub(crate) fn id(&self) -> &EntryId {
        &self.entry.id
    }

    pub(crate) fn at(&self) -> Timestamp {
        self.entry.at
    }

    pub(crate) fn operator(&self) -> &str {
        &self.entry.operator
    }

    /// The ledger entry as it is stored.
    pub(crate) fn entry(&self) -> &Entry<Body> {
        &self.entry
    }

    pub(crate) fn change(&self) -> &ClockChange {
        match &self.entry.body {
            Body::Clock(change) => change,
            _ => unreachable!("a move of the clock is made from such an entry only"),
        }
    }
}

/// How far a change is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// Applied, as its outcome says.
    Settled,
    /// Written down and not finished: on its way, or cut off.
    InFlight,
    /// It failed before it changed anything.
    Void,
}

/// How a piece of what an entry asks for stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Asked for, and applied.
    Open,
    /// Asked for by a change that is still on its way.
    Opening,
    /// A change on its way ends it.
    Closing,
}

/// One prefix that an entry asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) cidr: Cidr,
    pub(crate) standing: Standing,
    /// It was someone else's already: our end leaves it.
    pub(crate) already_there: bool,
}

/// Whether a change counts, given what later ones take it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    Full,
    /// A change on its way takes it back.
    Fading,
    /// A change on its way brings it back.
    Returning,
    None,
}

impl Change {
    pub(crate) fn id(&self) -> &EntryId {
        &self.entry.id
    }

    pub(crate) fn at(&self) -> Timestamp {
        self.entry.at
    }

    pub(crate) fn operator(&self) -> &str {
        &self.entry.operator
    }

    pub(crate) fn intent(&self) -> &Intent {
        match &self.entry.body {
            Body::Intent(intent) => intent,
            _ => unreachable!("a change is made from an intent only"),
        }
    }

    /// The id to show: the handle, or the end of the ULID while there is none.
    pub(crate) fn name(&self) -> String {
        self.handle
            .clone()
            .unwrap_or_else(|| self.entry.id.to_string())
    }

    /// What came of it, so far.
    pub(crate) fn outcome(&self) -> Option<&Outcome> {
        self.outcomes().next_back()
    }

    /// What came of each attempt, oldest first.
    pub(crate) fn outcomes(&self) -> impl DoubleEndedIterator<Item = &Outcome> {
        self.outcomes.iter().filter_map(|entry| match &entry.body {
            Body::Outcome(outcome) => Some(outcome),
            _ => None,
        })
    }

    /// The entries that tell what came of it, as they are stored.
    pub(crate) fn later_entries(&self) -> impl Iterator<Item = &Entry<Body>> {
        self.outcomes.iter().chain(&self.proof).map(Arc::as_ref)
    }

    pub(crate) fn proof(&self) -> Option<&Proof> {
        match self.proof.as_ref().map(|entry| &entry.body) {
            Some(Body::Proof(proof)) => Some(proof),
            _ => None,
        }
    }

    /// The ledger entry as it is stored.
    pub(crate) fn entry(&self) -> &Entry<Body> {
        &self.entry
    }

    pub(crate) fn progress(&self) -> Progress {
        match self.outcome().map(|outcome| outcome.result) {
            Some(Verdict::Applied) => Progress::Settled,
            Some(Verdict::Failed) => Progress::Void,
            Some(Verdict::Partly | Verdict::Unknown) | None => Progress::InFlight,
        }
    }

    /// Whether the change was cut off: it has no final outcome and its deadline has passed, or it
    /// was left partly done.
    pub(crate) fn is_cut_off(&self, now: Timestamp) -> bool {
        match self.outcome().map(|outcome| outcome.result) {
            Some(Verdict::Applied | Verdict::Failed) => false,
            Some(Verdict::Partly | Verdict::Unknown) => true,
            None => now > self.intent().deadline,
        }
    }

    /// Whether the last attempt at a resource that it meant to make failed, so that nothing of ours is
    /// there. Without a word on it, it may be.
    fn failed_at(&self, claim: &Claim) -> bool {
        let resource = claim.resource();
        self.outcomes()
            .flat_map(|outcome| &outcome.parts)
            .rfind(|part| part.resource == resource)
            .is_some_and(|part| part.result == Verdict::Failed)
    }

    /// Prefixes that were someone else's already.
    pub(crate) fn already_there(&self) -> HashSet<Cidr> {
        let found_late = self
            .outcomes()
            .flat_map(|outcome| &outcome.parts)
            .flat_map(|part| &part.already_there);
        self.intent()
            .opens
            .already_there
            .iter()
            .chain(found_late)
            .copied()
            .collect()
    }
}

impl View {
    /// Reads `entries`, oldest first. `handles` names those that got their handle at a later sync;
    /// `spooled` are those that are on this machine only.
    pub(crate) fn build(
        entries: impl IntoIterator<Item = Arc<Entry<Body>>>,
        handles: &HashMap<EntryId, String>,
        spooled: &HashSet<EntryId>,
    ) -> Self {
        let mut inner = Inner::default();
        let mut late: Vec<Arc<Entry<Body>>> = Vec::new();
        for entry in entries {
            match &entry.body {
                Body::Intent(_) => {
                    let id = entry.id;
                    inner.by_id.insert(id, inner.changes.len());
                    inner.changes.push(Change {
                        handle: handles.get(&id).cloned(),
                        spooled: spooled.contains(&id),
                        outcomes: Vec::new(),
                        proof: None,
                        entry,
                    });
                }
                Body::Clock(_) => inner.clock.push(ClockEntry {
                    spooled: spooled.contains(&entry.id),
                    entry,
                }),
                // An outcome can sort before its intent when two machines' clocks differ.
                Body::Outcome(_) | Body::Proof(_) => late.push(entry),
                // It opens and closes nothing.
                Body::Minted(_) => inner.minted.push(entry),
                Body::Seeded(seeded) => {
                    let made = seeded.made.iter();
                    inner
                        .seeded
                        .extend(made.map(|made| Claim::new(&made.kind, &made.name)));
                }
            }
        }
        for entry in late {
            let intent = match &entry.body {
                Body::Outcome(outcome) => &outcome.intent,
                Body::Proof(proof) => &proof.intent,
                Body::Intent(_) | Body::Clock(_) | Body::Minted(_) | Body::Seeded(_) => continue,
            };
            if let Some(index) = inner.by_id.get(intent) {
                let change = &mut inner.changes[*index];
                match &entry.body {
                    Body::Proof(_) => change.proof = Some(entry),
                    _ => change.outcomes.push(entry),
                }
            }
        }
        for (index, change) in inner.changes.iter().enumerate() {
            let intent = change.intent();
            if let Some(undone) = &intent.undoes {
                inner.undoers.entry(*undone).or_default().push(index);
            }
            for part in &intent.closes {
                let closes = inner.closes.entry(part.entry).or_default();
                closes.push((index, part.what.clone()));
            }
        }
        Self {
            inner: Arc::new(inner),
            assumed: None,
        }
    }

    /// The same ledger with an intent that is not written down yet, and the id it goes by here.
    pub(crate) fn with_draft(
        &self,
        intent: &Intent,
        now: Timestamp,
        operator: &str,
    ) -> (Self, EntryId) {
        let last = self.inner.changes.last().map(|change| *change.id());
        let id = EntryId::new(now, last);
        let draft = Draft {
            format: FORMAT,
            id,
            at: now,
            event: String::new(),
            operator: operator.to_owned(),
            target: String::new(),
            run: RunId::new(now),
            sequence: 0,
            previous: None,
            heads: Vec::new(),
            body: Body::Intent(Box::new(intent.clone())),
        };
        let (entry, _) = draft.seal().expect("an intent has text keys only");
        let handles = self
            .inner
            .changes
            .iter()
            .filter_map(|change| Some((*change.id(), change.handle.clone()?)))
            .collect();
        let spooled = self
            .inner
            .changes
            .iter()
            .filter(|change| change.spooled)
            .map(|change| *change.id())
            .collect();
        let clock = self
            .inner
            .clock
            .iter()
            .map(|moved| Arc::clone(&moved.entry));
        let entries = self.entries().chain(clock).chain([Arc::new(entry)]);
        (Self::build(entries, &handles, &spooled), id)
    }

    /// The entries that the changes are made of.
    fn entries(&self) -> impl Iterator<Item = Arc<Entry<Body>>> {
        self.inner.changes.iter().flat_map(|change| {
            let late = change.outcomes.iter().chain(&change.proof);
            std::iter::once(&change.entry).chain(late).cloned()
        })
    }

    /// The same ledger with the change `id` looked at as if it had got this far.
    pub(crate) fn assuming(&self, id: &EntryId, progress: Progress) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            assumed: Some((*id, progress)),
        }
    }

    /// Every change, oldest first.
    pub(crate) fn changes(&self) -> &[Change] {
        &self.inner.changes
    }

    /// Every test token that was made, oldest first.
    pub(crate) fn minted(&self) -> impl Iterator<Item = (&Entry<Body>, &Minted)> {
        self.inner
            .minted
            .iter()
            .filter_map(|entry| match &entry.body {
                Body::Minted(minted) => Some((entry.as_ref(), minted)),
                _ => None,
            })
    }

    /// The resources that are ours by the ledger: made by a change that counts, or about to be, and
    /// not removed since.
    pub(crate) fn claims(&self) -> BTreeSet<Claim> {
        let mut claims = self.inner.seeded.clone();
        for change in &self.inner.changes {
            if self.progress(change) != Progress::Void {
                let made = change.intent().makes.iter();
                claims.extend(made.filter(|claim| !change.failed_at(claim)).cloned());
            }
            for removed in change.outcomes().flat_map(|outcome| &outcome.removed) {
                claims.remove(removed);
            }
        }
        claims
    }

    /// Every move of the event's clock, oldest first.
    pub(crate) fn clock(&self) -> &[ClockEntry] {
        &self.inner.clock
    }

    fn progress(&self, change: &Change) -> Progress {
        match &self.assumed {
            Some((id, progress)) if id == change.id() => *progress,
            _ => change.progress(),
        }
    }

    fn effect(&self, change: &Change) -> Effect {
        let Some(undoers) = self.inner.undoers.get(change.id()) else {
            return Effect::Full;
        };
        for undoer in undoers.iter().rev() {
            let undoer = &self.inner.changes[*undoer];
            match (self.progress(undoer), self.effect(undoer)) {
                (Progress::Void, _) | (_, Effect::None) => {}
                (Progress::Settled, Effect::Full) => return Effect::None,
                (Progress::InFlight, Effect::Full) | (_, Effect::Returning) => {
                    return Effect::Fading;
                }
                (_, Effect::Fading) => return Effect::Returning,
            }
        }
        Effect::Full
    }

    /// How what `change` opened stands before others close parts of it.
    fn start(&self, change: &Change) -> Option<Standing> {
        match (self.progress(change), self.effect(change)) {
            (Progress::Void, _) | (_, Effect::None) => None,
            (_, Effect::Fading) => Some(Standing::Closing),
            (_, Effect::Returning) | (Progress::InFlight, Effect::Full) => Some(Standing::Opening),
            (Progress::Settled, Effect::Full) => Some(Standing::Open),
        }
    }

    /// What later changes close of `change`: whether the close is settled, on its way in, or on its way out.
    fn closes_of(&self, change: &Change) -> impl Iterator<Item = (Closing, &What)> {
        self.inner
            .closes
            .get(change.id())
            .into_iter()
            .flatten()
            .filter_map(|(by, what)| {
                let by = &self.inner.changes[*by];
                let closing = match (self.progress(by), self.effect(by)) {
                    (Progress::Void, _) | (_, Effect::None) => return None,
                    (_, Effect::Fading) => Closing::Leaving,
                    (_, Effect::Returning) | (Progress::InFlight, Effect::Full) => Closing::Coming,
                    (Progress::Settled, Effect::Full) => Closing::Done,
                };
                Some((closing, what))
            })
    }

    /// The change with this handle or ULID; a unique start of a ULID of eight or more characters will do.
    pub(crate) fn find(&self, name: &str) -> Option<&Change> {
        let wanted = name.trim();
        self.inner
            .changes
            .iter()
            .find(|change| change.handle.as_deref() == Some(wanted))
            .or_else(|| {
                let upper = wanted.to_ascii_uppercase();
                let mut found = self.inner.changes.iter().filter(|change| {
                    upper.len() >= 8 && change.id().to_string().starts_with(&upper)
                });
                let first = found.next()?;
                found.next().is_none().then_some(first)
            })
    }

    pub(crate) fn get(&self, id: &EntryId) -> Option<&Change> {
        self.inner
            .by_id
            .get(id)
            .map(|index| &self.inner.changes[*index])
    }

    /// The prefixes that `change` still asks for.
    pub(crate) fn pieces(&self, change: &Change) -> Vec<Piece> {
        let values = &change.intent().opens.prefixes;
        if values.is_empty() {
            return Vec::new();
        }
        let Some(start) = self.start(change) else {
            return Vec::new();
        };
        let already_there = change.already_there();
        let mut pieces: Vec<(Cidr, Standing)> =
            values.iter().map(|value| (*value, start)).collect();
        for (closing, what) in self.closes_of(change) {
            let holes: &[Cidr] = match what {
                What::All => values,
                What::Prefixes(prefixes) => prefixes,
                What::Countries(_) | What::Keys(_) => continue,
            };
            pieces = close(&pieces, holes, closing);
        }
        pieces
            .into_iter()
            .map(|(cidr, standing)| Piece {
                cidr,
                standing,
                already_there: already_there.contains(&cidr),
            })
            .collect()
    }

    /// The countries that `change` still asks for.
    pub(crate) fn countries<'a>(&'a self, change: &'a Change) -> Vec<(&'a CountryAsk, Standing)> {
        self.discrete(
            change,
            &change.intent().opens.countries,
            |ask, what| match what {
                What::All => true,
                What::Countries(countries) => countries.contains(&ask.country),
                What::Prefixes(_) | What::Keys(_) => false,
            },
        )
    }

    /// The keys that `change` still asks for.
    pub(crate) fn keys<'a>(&'a self, change: &'a Change) -> Vec<(&'a KeyAsk, Standing)> {
        self.discrete(
            change,
            &change.intent().opens.keys,
            |ask, what| match what {
                What::All => true,
                What::Keys(keys) => keys.contains(&ask.key),
                What::Prefixes(_) | What::Countries(_) => false,
            },
        )
    }

    /// The rules of web ACLs that `change` still asks for.
    pub(crate) fn rules<'a>(&'a self, change: &'a Change) -> Vec<(&'a RuleAsk, Standing)> {
        self.discrete(change, &change.intent().opens.rules, |_, what| {
            matches!(what, What::All)
        })
    }

    /// The settings of the edge that `change` still asks for.
    pub(crate) fn settings<'a>(&'a self, change: &'a Change) -> Vec<(&'a SettingAsk, Standing)> {
        self.discrete(
            change,
            &change.intent().opens.settings,
            |ask, what| match what {
                What::All => true,
                What::Keys(keys) => keys.contains(&ask.key),
                What::Prefixes(_) | What::Countries(_) => false,
            },
        )
    }

    fn discrete<'a, T>(
        &'a self,
        change: &'a Change,
        asks: &'a [T],
        meant: impl Fn(&T, &What) -> bool,
    ) -> Vec<(&'a T, Standing)> {
        if asks.is_empty() {
            return Vec::new();
        }
        let Some(start) = self.start(change) else {
            return Vec::new();
        };
        let closes: Vec<_> = self.closes_of(change).collect();
        asks.iter()
            .filter_map(|ask| {
                let mut standing = start;
                for (closing, what) in &closes {
                    if !meant(ask, what) {
                        continue;
                    }
                    standing = match closing {
                        Closing::Done => return None,
                        Closing::Coming => Standing::Closing,
                        Closing::Leaving => Standing::Opening,
                    };
                }
                Some((ask, standing))
            })
            .collect()
    }

    /// Whether anything that `change` opened still stands.
    pub(crate) fn is_open(&self, change: &Change) -> bool {
        let closing = |standing: &Standing| *standing != Standing::Closing;
        let opens = &change.intent().opens;
        (!opens.prefixes.is_empty()
            && self
                .pieces(change)
                .iter()
                .any(|piece| closing(&piece.standing)))
            || self
                .countries(change)
                .iter()
                .any(|(_, standing)| closing(standing))
            || self
                .keys(change)
                .iter()
                .any(|(_, standing)| closing(standing))
            || self
                .rules(change)
                .iter()
                .any(|(_, standing)| closing(standing))
            || self
                .settings(change)
                .iter()
                .any(|(_, standing)| closing(standing))
    }

    /// The changes whose opened asks still stand, oldest first.
    pub(crate) fn open(&self) -> impl Iterator<Item = &Change> {
        self.inner
            .changes
            .iter()
            .filter(|change| self.is_open(change))
    }

    /// The undo that took `change` back, or is about to.
    pub(crate) fn undone_by(&self, change: &Change) -> Option<&Change> {
        let undoers = self.inner.undoers.get(change.id())?;
        undoers
            .iter()
            .rev()
            .map(|index| &self.inner.changes[*index])
            .find(|undoer| {
                self.progress(undoer) != Progress::Void
                    && matches!(self.effect(undoer), Effect::Full | Effect::Returning)
            })
    }

    /// The changes that end `change`, all or part of it, oldest first.
    pub(crate) fn closed_by(&self, change: &Change) -> Vec<&Change> {
        let closes = self.inner.closes.get(change.id()).into_iter().flatten();
        closes
            .map(|(by, _)| &self.inner.changes[*by])
            .filter(|by| by.progress() != Progress::Void && self.effect(by) != Effect::None)
            .collect()
    }

    /// The crew's closing of the event, unless it opened it again since.
    fn closing(&self) -> Option<&ClockEntry> {
        let last = self
            .inner
            .clock
            .iter()
            .rev()
            .find(|moved| !matches!(moved.change(), ClockChange::Extend { .. }))?;
        matches!(last.change(), ClockChange::Close { .. }).then_some(last)
    }

    /// When `change` ends by itself, as far as that is a time: ends derived from the event's come
    /// only when the crew closes it. What is opened after that stands until it is closed again.
    pub(crate) fn ends_at(&self, change: &Change) -> Option<Timestamp> {
        match change.intent().end {
            End::Never => None,
            End::At(at) => Some(at),
            // By their ids, which sort after all that their writer had seen: clocks may stand still, or
            // be behind a colleague's.
            End::Event => {
                let closing = self.closing().filter(|closing| closing.id() > change.id());
                closing.map(ClockEntry::at)
            }
        }
    }

    /// The changes whose end has come and that still do something.
    pub(crate) fn due(&self, now: Timestamp) -> Vec<&Change> {
        self.inner
            .changes
            .iter()
            .filter(|change| self.ends_at(change).is_some_and(|end| end <= now))
            .filter(|change| self.does_something(change))
            .collect()
    }

    /// Whether `change` would leave something behind if it did not end: what it opened is open, or
    /// what it only lifted for a time is still lifted.
    pub(crate) fn does_something(&self, change: &Change) -> bool {
        if change.progress() == Progress::Void {
            return false;
        }
        if self.is_open(change) {
            return true;
        }
        let intent = change.intent();
        let only_lifts = intent.opens.is_empty()
            && (!intent.closes.is_empty()
                || !intent.takes.is_empty()
                || !intent.geo_reset.is_empty());
        only_lifts
            && intent.kind == Kind::Change
            && matches!(self.effect(change), Effect::Full | Effect::Returning)
    }

    /// The changes that a crash, a lost connection or a conflict cut off.
    pub(crate) fn cut_off(&self, now: Timestamp) -> Vec<&Change> {
        self.inner
            .changes
            .iter()
            .filter(|change| change.is_cut_off(now))
            .filter(|change| self.undone_by(change).is_none())
            .collect()
    }

    /// What `operator` changed last and could take back.
    pub(crate) fn last_by(&self, operator: &str) -> Option<&Change> {
        self.inner.changes.iter().rev().find(|change| {
            change.operator() == operator
                && change.intent().kind == Kind::Change
                // What it opened may have ended already: then there is nothing to take back.
                && (change.intent().opens.is_empty() || self.is_open(change))
                // A dashboard or a provisioning takes nothing from viewers that an undo could return.
                && !change.intent().is_upkeep()
                && !change.intent().rotates_keys()
                && change.progress() != Progress::Void
                && self.undone_by(change).is_none()
        })
    }

    /// The changes after `change`, by others, that touch the same addresses, countries or keys.
    pub(crate) fn touched_since(&self, change: &Change) -> Vec<&Change> {
        let position = self.inner.by_id[change.id()];
        self.inner.changes[position + 1..]
            .iter()
            .filter(|later| later.operator() != change.operator())
            .filter(|later| later.progress() != Progress::Void)
            .filter(|later| self.touch(change, later))
            .collect()
    }

    fn touch(&self, one: &Change, other: &Change) -> bool {
        let (one, other) = (self.subjects(one), self.subjects(other));
        one.countries
            .iter()
            .any(|country| other.countries.contains(country))
            || one.keys.iter().any(|key| other.keys.contains(key))
            || one.rules.iter().any(|rule| other.rules.contains(rule))
            || {
                let index = CidrIndex::new(one.prefixes);
                other
                    .prefixes
                    .iter()
                    .any(|prefix| index.overlapping(*prefix).is_some())
            }
    }

    fn subjects(&self, change: &Change) -> Subjects {
        let intent = change.intent();
        let mut subjects = match intent.undoes.as_ref().and_then(|undone| self.get(undone)) {
            Some(undone) => self.subjects(undone),
            None => Subjects::default(),
        };
        subjects.add_opens(intent);
        subjects.prefixes.extend(&intent.takes.prefixes);
        subjects.prefixes.extend(&intent.gives.prefixes);
        for (key, _) in intent.takes.keys.iter().chain(&intent.gives.keys) {
            subjects.keys.insert(key.clone());
        }
        for reset in &intent.geo_reset {
            for country in reset.before.countries.iter().chain(&reset.after.countries) {
                subjects.countries.insert(country.to_string());
            }
        }
        for part in &intent.closes {
            match &part.what {
                What::All => {
                    if let Some(target) = self.get(&part.entry) {
                        subjects.add_opens(target.intent());
                    }
                }
                What::Prefixes(prefixes) => subjects.prefixes.extend(prefixes),
                What::Countries(countries) => {
                    subjects
                        .countries
                        .extend(countries.iter().map(ToString::to_string));
                }
                What::Keys(keys) => subjects.keys.extend(keys.iter().cloned()),
            }
        }
        subjects
    }
}

#[derive(Debug, Default)]
struct Subjects {
    prefixes: Vec<Cidr>,
    countries: HashSet<String>,
    keys: HashSet<String>,
    /// Web ACL and rule.
    rules: HashSet<(String, String)>,
}

impl Subjects {
    fn add_opens(&mut self, intent: &Intent) {
        self.prefixes.extend(&intent.opens.prefixes);
        self.countries.extend(
            intent
                .opens
                .countries
                .iter()
                .map(|ask| ask.country.to_string()),
        );
        self.keys
            .extend(intent.opens.keys.iter().map(|ask| ask.key.clone()));
        self.rules.extend(
            intent
                .opens
                .rules
                .iter()
                .map(|ask| (ask.web_acl.clone(), ask.rule.clone())),
        );
        self.keys
            .extend(intent.opens.settings.iter().map(|ask| ask.key.clone()));
    }
}

/// How far a change that closes part of another is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Closing {
    Done,
    Coming,
    Leaving,
}

/// Cuts `holes` out of the pieces. While the cut is on its way, the whole piece is what may stand
/// in the set, and so are the parts that will be left of it.
fn close(pieces: &[(Cidr, Standing)], holes: &[Cidr], closing: Closing) -> Vec<(Cidr, Standing)> {
    let index = CidrIndex::new(holes.iter().copied());
    let mut rest = Vec::with_capacity(pieces.len());
    for (piece, standing) in pieces {
        if index.overlapping(*piece).is_none() {
            rest.push((*piece, *standing));
            continue;
        }
        match closing {
            Closing::Done => {}
            Closing::Coming => rest.push((*piece, Standing::Closing)),
            Closing::Leaving => rest.push((*piece, Standing::Opening)),
        }
        if index.covering(*piece).is_none() {
            let inside: Vec<Cidr> = holes
                .iter()
                .copied()
                .filter(|hole| piece.covers(*hole))
                .collect();
            rest.extend(
                cut(*piece, &inside)
                    .into_iter()
                    .map(|left| (left, *standing)),
            );
        }
    }
    rest
}
