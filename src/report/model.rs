//! The report as one value: everything in it is decided, and every form is rendered from it alone.

use jiff::Timestamp;
use serde::Serialize;
use serde::ser::{SerializeSeq, Serializer};

use super::completeness::Completeness;
use super::cost::Cost;
use super::gathered::{AlarmSpan, EventFacts, SourceFacts};
use super::goals::Verdict;
use super::summary::Summary;
use super::table::{Table, json};
use super::timeline::Entry;

/// The schema of `report.json`. Within it fields are added, never renamed.
pub(crate) const SCHEMA: &str = "onair-report/1";

/// An event, told.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Report {
    pub(crate) schema: &'static str,
    pub(crate) event: EventFacts,
    pub(crate) source: SourceFacts,
    pub(crate) completeness: Completeness,
    /// Less than 99% of the requests were read, or nobody knows how many.
    pub(crate) provisional: bool,
    pub(crate) verdict: Verdict,
    pub(crate) summary: Summary,
    /// Viewers at the peak as the runbook expected them.
    pub(crate) expected_viewers: Option<f64>,
    /// What is drawn on the charts' time axis, oldest first.
    pub(crate) marks: Vec<Mark>,
    pub(crate) alarms: Vec<AlarmSpan>,
    pub(crate) suspects: Vec<Suspect>,
    pub(crate) experience: Experience,
    pub(crate) rights: Rights,
    pub(crate) edges: Edges,
    pub(crate) cost: Cost,
    /// Whether the ledger could be read.
    pub(crate) has_ledger: bool,
    pub(crate) timeline: Vec<Entry>,
    pub(crate) lessons: Vec<Lesson>,
    /// What could not be told, and why.
    pub(crate) gaps: Vec<String>,
    #[serde(serialize_with = "tables")]
    pub(crate) tables: Vec<Table>,
}

/// One line down the charts.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Mark {
    pub(crate) at: Timestamp,
    /// Short: it stands on the chart.
    pub(crate) label: String,
    pub(crate) kind: MarkKind,
}

/// What a mark is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum MarkKind {
    /// Doors, kickoff, end.
    Event,
    /// The crew moved the clock.
    Phase,
    /// The crew changed something that viewers may feel.
    Action,
}

/// Somebody who looks like a re-streamer or a shared account, and what was done.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Suspect {
    pub(crate) kind: SuspectKind,
    /// The session, digest or address, as it came.
    pub(crate) value: String,
    pub(crate) requests: Option<f64>,
    pub(crate) addresses: Option<f64>,
    pub(crate) networks: Option<f64>,
    pub(crate) countries: Option<f64>,
    pub(crate) bytes: Option<f64>,
    /// The ledger's changes that kept it out, by name.
    pub(crate) actions: Vec<String>,
}

/// What kind of suspect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SuspectKind {
    /// A playback session on many addresses.
    Session,
    /// A token, by its digest, on many addresses.
    Token,
    /// An address that took much.
    Address,
}

impl SuspectKind {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Token => "token",
            Self::Address => "address",
        }
    }
}

/// What viewers felt, without those who were kept out.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Experience {
    /// Playback sessions, and pairs of address and user agent from which no session is known.
    pub(crate) viewers: Option<f64>,
    /// Of them left out here: refused by geo, WAF, function or rights.
    pub(crate) kept_out: Option<f64>,
    /// Of the rest, without one video segment.
    pub(crate) never_started: Option<f64>,
    /// Of the rest, whose player ran dry at least once.
    pub(crate) starved_viewers: Option<f64>,
    /// Video segments asked for after the player had run dry, percent.
    pub(crate) starved_percent: Option<f64>,
    /// The same as counts, and of how many.
    pub(crate) starved_segments: Option<f64>,
    pub(crate) video_segments: Option<f64>,
    /// Mean bitrate, bits a second.
    pub(crate) bitrate: Option<f64>,
    /// From the first request to the first video segment, milliseconds.
    pub(crate) startup_p50_ms: Option<f64>,
    pub(crate) startup_p95_ms: Option<f64>,
}

/// Whether only countries with rights were served.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Rights {
    /// Whether the runbook says who has rights.
    pub(crate) is_known: bool,
    /// Requests served out of rights; it must be 0.
    pub(crate) served: Option<f64>,
    /// Requests refused out of rights.
    pub(crate) refused: Option<f64>,
    /// The countries behind `served`, worst first.
    pub(crate) offenders: Vec<(String, f64)>,
    /// The runbook's windows of rights within the report's, and what was served out of rights in each.
    pub(crate) windows: Vec<RightsWindow>,
}

/// A time in which the runbook lets countries in, or keeps them out, that it does not otherwise.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct RightsWindow {
    pub(crate) name: String,
    pub(crate) from: Timestamp,
    pub(crate) until: Timestamp,
    /// Requests served to countries without rights in it.
    pub(crate) served: f64,
}

/// Which edges answered.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Edges {
    /// Kind and percent of the requests.
    pub(crate) shares: Vec<(String, f64)>,
    /// How many edges answered.
    pub(crate) locations: Option<f64>,
}

/// Something to do better.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Lesson {
    pub(crate) text: String,
    /// Why it is one.
    pub(crate) from: LessonFrom,
}

/// Where a lesson comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum LessonFrom {
    /// Somebody wrote it.
    Crew,
    Target,
    Action,
    Guard,
    Waiver,
    Preflight,
    Logs,
    Forecast,
}

impl LessonFrom {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Crew => "from the crew",
            Self::Target => "target",
            Self::Action => "ledger",
            Self::Guard => "guard",
            Self::Waiver => "waiver",
            Self::Preflight => "preflight",
            Self::Logs => "logs",
            Self::Forecast => "forecast",
        }
    }
}

fn tables<S: Serializer>(tables: &[Table], serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    #[serde(rename_all = "kebab-case")]
    struct Shown<'a> {
        name: &'a str,
        purpose: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        unknown: Option<&'a str>,
        columns: Vec<&'a str>,
        rows: Vec<Vec<serde_json::Value>>,
    }
    let mut sequence = serializer.serialize_seq(Some(tables.len()))?;
    for table in tables {
        sequence.serialize_element(&Shown {
            name: &table.name,
            purpose: &table.purpose,
            unknown: table.unknown.as_deref(),
            columns: table
                .columns
                .iter()
                .map(|column| column.name.as_str())
                .collect(),
            rows: table
                .rows
                .iter()
                .map(|row| row.iter().map(json).collect())
                .collect(),
        })?;
    }
    sequence.end()
}
