//! What a ledger entry says: the intent before a change, its outcome after it, the proof, and the
//! event's clock. These types mirror the live ones on purpose: they are read years later by other
//! versions, so a field is only ever added, with a default.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::entry::EntryId;
use crate::event::cidr::Cidr;
use crate::event::country::Country;
use crate::event::phase::Phase;

/// The body of one ledger entry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Body {
    /// Written before anything is changed.
    Intent(Box<Intent>),
    /// What came of an intent; a later one for the same intent stands.
    Outcome(Outcome),
    /// What showed, or did not show, that viewers feel the change.
    Proof(Proof),
    /// The crew moved the event's clock.
    Clock(ClockChange),
    /// A test token was made; the cloud was not touched.
    Minted(Minted),
    /// A rehearsal's account was made with these resources in it, as `provision` makes them.
    Seeded(Seeded),
}

/// What a rehearsal's account holds of ours from the start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Seeded {
    pub(crate) made: Vec<Made>,
}

/// A test token by what may be known of it: never the token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Minted {
    /// `jwt` or `cat`.
    pub(crate) format: String,
    /// base64url of SHA-256 of the token.
    pub(crate) digest: String,
    /// Names and values, safe to show.
    pub(crate) claims: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) key_id: Option<String>,
    pub(crate) expires: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
}

/// What an operator meant, in terms that can be replayed on any state of the cloud.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Intent {
    /// The command as in `--help`, such as `ip block`.
    pub(crate) command: String,
    /// The effect in words, safe to print.
    pub(crate) summary: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// When what this opens ends by itself.
    pub(crate) end: End,
    /// Past this, and without an outcome, the intent was cut off and is resumed.
    pub(crate) deadline: Timestamp,
    /// Guards that were overridden, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) overrides: Vec<String>,
    /// The entry that this one takes back: from then on it stands as if it had never been.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) undoes: Option<EntryId>,
    /// Why the intent exists.
    pub(crate) kind: Kind,
    #[serde(default, skip_serializing_if = "Asks::is_empty")]
    pub(crate) opens: Asks,
    /// Parts of earlier entries that end with this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) closes: Vec<Part>,
    /// What no entry explains and the operator removes by name, or an undo puts back.
    #[serde(default, skip_serializing_if = "Drift::is_empty")]
    pub(crate) takes: Drift,
    #[serde(default, skip_serializing_if = "Drift::is_empty")]
    pub(crate) gives: Drift,
    /// Whether adjacent prefixes were to be merged.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) merge: bool,
    /// Geo restriction set as a whole, by `geo reset` and its undo.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) geo_reset: Vec<GeoReset>,
    /// Resources that `provision` makes with this intent: from here on they are ours, if they exist.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) makes: Vec<Claim>,
    /// Resources of ours that `teardown` removes with this intent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) removes: Vec<Claim>,
    /// The runbook's window that this opens, by name and times, so that it is opened once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) window: Option<String>,
}

/// A resource by its kind and name, such as `ip-set` and `onair-cup-final-block-v4`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Claim {
    pub(crate) kind: String,
    pub(crate) name: String,
}

impl Claim {
    pub(crate) fn new(kind: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            kind: kind.into(),
            name: name.into(),
        }
    }

    /// As outcomes name it.
    pub(crate) fn resource(&self) -> String {
        format!("{} {}", self.kind, self.name)
    }
}

/// A resource that exists because of us.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Made {
    pub(crate) kind: String,
    pub(crate) name: String,
    /// ARN or id, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
    /// The tags it was made with; none where the API has no tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) tags: Vec<(String, String)>,
}

impl Intent {
    /// Whether it changes nothing that an undo could take back: it draws or provisions.
    pub(crate) fn is_upkeep(&self) -> bool {
        let command = self.command.split(' ').next().unwrap_or_default();
        matches!(command, "dashboard" | "provision" | "teardown")
    }

    /// Whether it rotates signing keys, which goes forward only.
    pub(crate) fn rotates_keys(&self) -> bool {
        self.command.starts_with("token keys ")
    }
}

/// Why an intent exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// An operator's own change.
    Change,
    /// An operator took an earlier entry back.
    Undo,
    /// An entry's end came.
    End,
}

/// When an entry ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum End {
    /// Never; an operator lifts it.
    Never,
    /// With the event: when the crew closes it, however long overtime lasts.
    Event,
    /// At this time.
    At(Timestamp),
}

/// What an entry asks for while it is open.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Asks {
    /// Prefixes that the IP sets hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) prefixes: Vec<Cidr>,
    /// Those of them that were in the set already and that nothing of ours explained: someone
    /// else's, which our end leaves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) already_there: Vec<Cidr>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) countries: Vec<CountryAsk>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) keys: Vec<KeyAsk>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) rules: Vec<RuleAsk>,
    /// Settings of the edge in the key value store, such as the gate's mode.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) settings: Vec<SettingAsk>,
}

impl Asks {
    pub(crate) fn is_empty(&self) -> bool {
        self.prefixes.is_empty()
            && self.countries.is_empty()
            && self.keys.is_empty()
            && self.rules.is_empty()
            && self.settings.is_empty()
    }
}

/// One setting of the edge: the value that a key of the store has while the entry is open. Never a
/// secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct SettingAsk {
    pub(crate) key: String,
    pub(crate) value: String,
    /// What was there before, and returns with its end; none where nothing was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) before: Option<String>,
}

/// One country on one distribution, by the effect on viewers.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct CountryAsk {
    /// The distribution's id at CloudFront.
    pub(crate) distribution: String,
    pub(crate) country: Country,
    pub(crate) wanted: Access,
    /// It was so before: its end leaves it so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) already: bool,
}

/// Whether viewers of a country are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Access {
    Blocked,
    Allowed,
}

impl Access {
    pub(crate) fn opposite(self) -> Self {
        match self {
            Self::Blocked => Self::Allowed,
            Self::Allowed => Self::Blocked,
        }
    }
}

/// One revocation key in the key value store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct KeyAsk {
    pub(crate) key: String,
    /// The claim it was made from, such as `sub`.
    pub(crate) claim: String,
    /// The claim's value, shortened, or the digest that stands for a whole token.
    pub(crate) shown: String,
    /// The value that was there already and that nothing of ours explained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) already_there: Option<String>,
}

/// One rule of a web ACL that counts or blocks for a time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct RuleAsk {
    /// The web ACL's name.
    pub(crate) web_acl: String,
    /// The rule's name, unique in its web ACL.
    pub(crate) rule: String,
    pub(crate) wanted: RuleMove,
    /// The rule's action before any entry asked for another, in WAF's wire form, such as
    /// `{"Action":{"Block":{}}}`: it comes back when no entry asks any more.
    pub(crate) before: serde_json::Value,
}

/// What a rule does with what it matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum RuleMove {
    /// It only counts.
    Count,
    /// It blocks; a managed list does what its own rules say.
    Block,
}

impl RuleMove {
    /// The word that commands, plans and JSON use.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Block => "block",
        }
    }

    /// What a rule does that is moved so: "it counts".
    pub(crate) fn verb(self) -> &'static str {
        match self {
            Self::Count => "counts",
            Self::Block => "blocks",
        }
    }
}

/// All or some of what an earlier entry asks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Part {
    pub(crate) entry: EntryId,
    pub(crate) what: What,
}

/// Which of an entry's asks are meant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum What {
    All,
    /// Addresses: prefixes are cut by these, and so split where needed.
    Prefixes(Vec<Cidr>),
    /// These countries, on the distributions that the entry names.
    Countries(Vec<Country>),
    Keys(Vec<String>),
}

/// Elements that are not ours, removed or put back by name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Drift {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) prefixes: Vec<Cidr>,
    /// Keys with the value they had.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) keys: Vec<(String, String)>,
}

impl Drift {
    pub(crate) fn is_empty(&self) -> bool {
        self.prefixes.is_empty() && self.keys.is_empty()
    }
}

/// The whole geo restriction of one distribution, before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct GeoReset {
    pub(crate) distribution: String,
    pub(crate) before: GeoState,
    pub(crate) after: GeoState,
}

/// A geo restriction as the ledger keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct GeoState {
    pub(crate) mode: GeoMode,
    pub(crate) countries: Vec<Country>,
}

/// CloudFront's three kinds of geo restriction, named by their effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum GeoMode {
    /// Everybody is served.
    None,
    /// Only the listed countries are served.
    Allow,
    /// The listed countries are refused.
    Block,
}

/// What came of an intent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Outcome {
    pub(crate) intent: EntryId,
    pub(crate) result: Verdict,
    /// One for each resource the intent touches.
    pub(crate) parts: Vec<PartOutcome>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
    /// What `provision` made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) made: Vec<Made>,
    /// What `teardown` removed, or found gone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) removed: Vec<Claim>,
}

/// How far an intent got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Verdict {
    /// The cloud is as meant.
    Applied,
    /// Some resources are as meant, others are not yet: `ledger resume` finishes it.
    Partly,
    /// Nothing was changed and nothing will be.
    Failed,
    /// A write was sent and neither its answer nor a re-read could tell.
    Unknown,
}

/// How far an intent got on one resource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct PartOutcome {
    /// What was touched, such as `ip-set onair-cup-final-block-v4` or `distribution E2…`.
    pub(crate) resource: String,
    pub(crate) result: Verdict,
    /// Whether this run wrote, or found it as meant.
    pub(crate) changed: bool,
    /// Update calls made.
    pub(crate) writes: u32,
    /// Elements present after and not before, and the other way round, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) added: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) removed: Vec<String>,
    /// Prefixes sent that stand for several adjacent ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) merged: Vec<Cidr>,
    /// Prefixes that turned out, between the intent and the write, to be someone else's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) already_there: Vec<Cidr>,
    /// SHA-256 of the whole resource before and after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) before: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) after: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
}

impl PartOutcome {
    /// As meant already; the caller says what else is true.
    pub(crate) fn of(resource: &str) -> Self {
        Self {
            resource: resource.to_owned(),
            result: Verdict::Applied,
            changed: false,
            writes: 0,
            added: Vec::new(),
            removed: Vec::new(),
            merged: Vec::new(),
            already_there: Vec::new(),
            before: None,
            after: None,
            error: None,
        }
    }
}

/// Whether viewers feel a change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Proof {
    pub(crate) intent: EntryId,
    pub(crate) kind: ProofKind,
    pub(crate) state: ProofState,
    /// Seconds from the accepted write to this proof.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) seconds: Option<f64>,
    /// What was asked and what it said, in words.
    pub(crate) evidence: String,
}

/// How a change can be shown to be felt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ProofKind {
    Probe,
    Traffic,
    Rollout,
}

/// What the proof says; only `Proved` is green.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ProofState {
    Proved,
    NotYet,
    NoTraffic,
    Unavailable,
}

/// One move of the event's clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ClockChange {
    /// The event now ends at this time.
    Extend {
        ends: Timestamp,
        reason: Option<String>,
    },
    /// The event is in this phase until the crew says otherwise.
    Phase {
        phase: Phase,
        reason: Option<String>,
    },
    /// The event is over; nothing temporary is left.
    Close { reason: Option<String> },
}
