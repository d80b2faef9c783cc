//! What a report is made of, before anything is computed: results of queries, CloudWatch's counts,
//! the ledger's story, the runbook's promises. Everything in it was read; nothing in it is judged.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::completeness::Counted;
use super::cost::Prices;
use super::table::Table;
use super::timeline::Entry;
use crate::event::time;
use crate::runbook::{Targets, Waiver};

/// Everything that was read for a report.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Gathered {
    pub(crate) event: EventFacts,
    pub(crate) source: SourceFacts,
    /// By query, in the order in which they ran.
    pub(crate) tables: Vec<Table>,
    /// The same table of rights by country for each time in which the rights were the same; empty where
    /// they were so all along.
    pub(crate) rights: Vec<RightsTable>,
    /// Sources that could not be read, each in one sentence.
    pub(crate) gaps: Vec<String>,
    /// CloudWatch's `Requests`.
    pub(crate) counted: Counted,
    /// CloudWatch's `FunctionInvocations` over the window.
    pub(crate) invocations: Option<f64>,
    /// Whether the ledger could be read.
    pub(crate) has_ledger: bool,
    /// What the crew did, oldest first; empty, with a gap, where the ledger could not be read.
    pub(crate) timeline: Vec<Entry>,
    pub(crate) alarms: Vec<AlarmSpan>,
    pub(crate) targets: Targets,
    /// Viewers at the peak as the runbook expected them.
    pub(crate) expected_viewers: Option<f64>,
    pub(crate) waivers: Vec<Waiver>,
    /// Checks of `preflight` that failed when it last ran here.
    pub(crate) preflight_failures: Vec<String>,
    /// What the command line adds to the lessons.
    pub(crate) lessons: Vec<String>,
    pub(crate) prices: Prices,
}

/// Which countries asked for what while the same ones had rights.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RightsTable {
    pub(crate) from: Timestamp,
    pub(crate) until: Timestamp,
    /// The runbook's windows that were open, by name.
    pub(crate) open: Vec<String>,
    pub(crate) table: Table,
}

/// The event and the window that is reported.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct EventFacts {
    pub(crate) id: String,
    pub(crate) name: String,
    /// `live`, `endpoint` or `rehearsal`.
    pub(crate) target: String,
    pub(crate) doors: Timestamp,
    pub(crate) kickoff: Timestamp,
    /// What relative times are labeled with: `KO`.
    pub(crate) kickoff_label: String,
    /// The end that the crew last agreed on.
    pub(crate) ends: Timestamp,
    /// The end as the runbook has it.
    pub(crate) planned_end: Timestamp,
    /// When the crew closed the event.
    pub(crate) closed: Option<Timestamp>,
    /// The reported window.
    pub(crate) from: Timestamp,
    /// Exclusive.
    pub(crate) until: Timestamp,
    #[serde(serialize_with = "zone_name")]
    pub(crate) zone: TimeZone,
    /// When the report was made.
    pub(crate) made: Timestamp,
    /// By whom; none: not known.
    pub(crate) maker: Option<String>,
    /// Ids and names.
    pub(crate) distributions: Vec<(String, String)>,
    /// Countries with rights, for reading; empty: the runbook does not say.
    pub(crate) rights: Vec<String>,
}

fn zone_name<S: serde::Serializer>(zone: &TimeZone, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&crate::event::time::zone_name(zone))
}

/// Where the figures come from.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct SourceFacts {
    /// `athena` or `local`.
    pub(crate) engine: String,
    /// The table or the folder.
    pub(crate) place: String,
    pub(crate) queries: u64,
    /// Log objects read; none where nobody counted.
    pub(crate) objects: Option<u64>,
    pub(crate) bad_lines: u64,
    /// Objects that hold them, with how many.
    pub(crate) bad_objects: Vec<(String, u64)>,
    /// Objects that ended before their end or could not be read, with why.
    pub(crate) truncated: Vec<(String, String)>,
    /// By Athena, for all queries together.
    pub(crate) scanned_bytes: Option<u64>,
}

impl SourceFacts {
    /// Whether it is files on this machine: no more of them will arrive by themselves.
    pub(crate) fn is_files(&self) -> bool {
        let is_remote = ["s3://", "logs://", "cwl:"]
            .iter()
            .any(|scheme| self.place.starts_with(scheme));
        self.engine == "local" && !is_remote
    }

    /// What was not read, each in a sentence: lines, and objects that end before their end.
    pub(crate) fn unread(&self) -> Vec<String> {
        let mut unread = Vec::new();
        if self.bad_lines > 0 {
            let lines = if self.bad_lines == 1 {
                "1 line could not be read and is".to_owned()
            } else {
                format!("{} lines could not be read and are", self.bad_lines)
            };
            let most = 5;
            let mut places: Vec<String> = self
                .bad_objects
                .iter()
                .take(most)
                .map(|(name, lines)| format!("{name} {lines}"))
                .collect();
            if self.bad_objects.len() > most {
                places.push(format!("and {} more", self.bad_objects.len() - most));
            }
            let places = if places.is_empty() {
                String::new()
            } else {
                format!(" ({})", places.join(", "))
            };
            unread.push(format!("{lines} in no figure{places}."));
        }
        for (name, why) in self.truncated.iter().take(5) {
            unread.push(format!("{name} was not read whole: {why}."));
        }
        if self.truncated.len() > 5 {
            unread.push(format!(
                "{} more objects were not read whole.",
                self.truncated.len() - 5
            ));
        }
        unread
    }
}

/// A time in which an alarm's metric was beyond its threshold.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct AlarmSpan {
    pub(crate) alarm: String,
    pub(crate) from: Timestamp,
    /// None: it lasts to the end of the window.
    pub(crate) until: Option<Timestamp>,
}

impl EventFacts {
    /// Whether less than doors to end is reported.
    pub(crate) fn is_part(&self) -> bool {
        self.from > self.doors || self.until < self.ends
    }

    /// The reported window in words, with the zone.
    pub(crate) fn window_words(&self) -> String {
        format!(
            "{} to {}: {}",
            time::local(self.from, &self.zone),
            time::local(self.until, &self.zone),
            if self.is_part() {
                "A PART of the event"
            } else {
                "the whole event"
            }
        )
    }
}

impl Gathered {
    /// The result of a query; none: it did not run.
    pub(crate) fn table(&self, name: &str) -> Option<&Table> {
        self.tables.iter().find(|table| table.name == name)
    }
}
