//! The ledger as a story: who did what, when, why, and whether viewers felt it. Pure.

use jiff::Timestamp;
use serde::Serialize;

use crate::event::cidr::Cidr;
use crate::event::text::{printable, shortened};
use crate::ledger::body::{ClockChange, Kind, ProofState, Verdict};
use crate::ledger::view::{Change, View};

/// Characters of a summary; thousands of addresses in one block are one line all the same.
const LONGEST: usize = 240;

/// One thing that the crew did. All text is safe to show, and still to be escaped for where it goes.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Entry {
    pub(crate) at: Timestamp,
    /// The id said over a radio, such as `jess-7`; of a move of the clock none.
    pub(crate) name: Option<String>,
    pub(crate) operator: String,
    pub(crate) command: String,
    pub(crate) what: String,
    pub(crate) why: Option<String>,
    pub(crate) outcome: Outcome,
    /// Whether it is felt, in words; none: nothing was proved or disproved.
    pub(crate) proof: Option<String>,
    /// Seconds from the accepted write to the proof.
    pub(crate) seconds: Option<f64>,
    pub(crate) kind: EntryKind,
    /// Guards that were overridden.
    pub(crate) overrides: Vec<String>,
    /// The change that took it back.
    pub(crate) undone_by: Option<String>,
    /// Drawn on the charts: it is what viewers may have felt.
    pub(crate) is_drawn: bool,
    /// What it kept out, to find who did something about a suspect.
    #[serde(skip)]
    pub(crate) prefixes: Vec<Cidr>,
    /// Claim and shown value of what it revoked.
    #[serde(skip)]
    pub(crate) keys: Vec<(String, String)>,
}

/// What kind of entry it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum EntryKind {
    /// An operator's change.
    Change,
    /// An operator took one back.
    Undo,
    /// Its end came.
    End,
    /// The event's clock was moved.
    Clock,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Outcome {
    Applied,
    Partly,
    Failed,
    /// Cut off, or neither answer nor re-read could tell.
    Unknown,
}

impl Outcome {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Partly => "partly applied",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }
}

/// Everything that the ledger holds, oldest first.
pub(crate) fn timeline(view: &View) -> Vec<Entry> {
    let mut entries: Vec<Entry> = view
        .changes()
        .iter()
        .map(|change| of_change(view, change))
        .collect();
    entries.extend(view.clock().iter().map(|moved| {
        let (command, what, why) = match moved.change() {
            ClockChange::Extend { ends, reason } => {
                ("event extend", format!("the event ends at {ends}"), reason)
            }
            ClockChange::Phase { phase, reason } => {
                ("event phase", format!("phase {phase}"), reason)
            }
            ClockChange::Close { reason } => {
                ("event close", "the event is closed".to_owned(), reason)
            }
        };
        Entry {
            at: moved.at(),
            name: None,
            operator: line(moved.operator()),
            command: command.to_owned(),
            what,
            why: why.as_deref().map(line),
            outcome: Outcome::Applied,
            proof: None,
            seconds: None,
            kind: EntryKind::Clock,
            overrides: Vec::new(),
            undone_by: None,
            is_drawn: true,
            prefixes: Vec::new(),
            keys: Vec::new(),
        }
    }));
    entries.sort_by(|one, other| {
        one.at
            .cmp(&other.at)
            .then_with(|| one.name.cmp(&other.name))
    });
    entries
}

fn of_change(view: &View, change: &Change) -> Entry {
    let intent = change.intent();
    let outcome = match change.outcome().map(|outcome| outcome.result) {
        Some(Verdict::Applied) => Outcome::Applied,
        Some(Verdict::Partly) => Outcome::Partly,
        Some(Verdict::Failed) => Outcome::Failed,
        Some(Verdict::Unknown) | None => Outcome::Unknown,
    };
    let proof = change.proof();
    let state = proof.map(|proof| match proof.state {
        ProofState::Proved => "proved",
        ProofState::NotYet => "not yet",
        ProofState::NoTraffic => "no traffic",
        ProofState::Unavailable => "unavailable",
    });
    let kind = match intent.kind {
        Kind::Change => EntryKind::Change,
        Kind::Undo => EntryKind::Undo,
        Kind::End => EntryKind::End,
    };
    Entry {
        at: change.at(),
        name: Some(line(&change.name())),
        operator: line(change.operator()),
        command: line(&intent.command),
        what: line(&intent.summary),
        why: intent.reason.as_deref().map(line),
        outcome,
        proof: state.map(str::to_owned),
        seconds: proof.and_then(|proof| proof.seconds),
        kind,
        overrides: intent.overrides.iter().map(|one| line(one)).collect(),
        undone_by: view.undone_by(change).map(|undoer| line(&undoer.name())),
        is_drawn: outcome != Outcome::Failed && kind != EntryKind::End && !intent.is_upkeep(),
        prefixes: intent.opens.prefixes.clone(),
        keys: intent
            .opens
            .keys
            .iter()
            .map(|key| (key.claim.clone(), key.shown.clone()))
            .collect(),
    }
}

fn line(text: &str) -> String {
    shortened(&printable(text), LONGEST)
}
