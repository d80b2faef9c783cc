//! Queries as they run: started, followed, stopped, read. The SQL itself runs when somebody looks at
//! a query whose time has come, on the engine that also runs local queries (`run`).

mod calls;
#[cfg_attr(
    not(feature = "engine"),
    expect(dead_code, reason = "what the embedded Athena reads for its engine")
)]
mod literals;
mod run;
mod sheet;

pub(super) use calls::{get, get_many, list, results, start, stop};

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::Region;
use crate::sandbox::{glue, s3};

/// How long every query waits for its turn.
const QUEUED: SignedDuration = SignedDuration::from_millis(200);

/// What queries need of the rest of the account.
#[cfg_attr(
    not(feature = "engine"),
    expect(dead_code, reason = "what the embedded Athena reads for its engine")
)]
pub(in crate::sandbox) struct World<'a> {
    pub(in crate::sandbox) catalog: &'a glue::State,
    pub(in crate::sandbox) buckets: &'a mut s3::State,
    /// Puts the logs that are due below a place of a bucket there; says whether there were any.
    pub(in crate::sandbox) deliver: &'a dyn Fn(&mut s3::State, &str, &str) -> bool,
    /// How long each query runs, beyond what it takes.
    pub(in crate::sandbox) slow: Duration,
    /// Whether anything was put into a bucket.
    pub(in crate::sandbox) wrote: bool,
}

/// A query.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::sandbox) struct Execution {
    pub(super) text: String,
    pub(super) parameters: Vec<String>,
    pub(super) workgroup: String,
    pub(super) database: Option<String>,
    pub(super) catalog: Option<String>,
    /// `s3://bucket/prefix/id.csv`
    pub(super) output: String,
    /// The token that it was started with: the same call again starts no second one.
    pub(super) token: Option<String>,
    /// An earlier result may be used when it is no older, in minutes.
    pub(super) reuse_minutes: Option<i64>,
    /// Bytes that it may scan.
    pub(super) cutoff: Option<u64>,
    pub(super) submitted: Timestamp,
    /// When it is to be done, unless it is stopped.
    pub(super) due: Timestamp,
    pub(super) outcome: Option<Outcome>,
}

/// How a query ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::sandbox) struct Outcome {
    /// `SUCCEEDED`, `FAILED` or `CANCELLED`.
    pub(super) state: String,
    pub(super) completed: Timestamp,
    pub(super) reason: Option<String>,
    /// Category and type of Athena's error catalog, and whether it may go better next time.
    pub(super) error: Option<(i32, i32, bool)>,
    pub(super) scanned: u64,
    /// Name and type.
    pub(super) columns: Vec<(String, String)>,
    pub(super) reused: bool,
}

impl Outcome {
    fn failed(completed: Timestamp, kind: i32, reason: String, scanned: u64) -> Self {
        let category = match kind {
            // What is the caller's to mend.
            1000..=1399 | 1500..=1599 => 2,
            _ => 1,
        };
        Self {
            state: "FAILED".to_owned(),
            completed,
            reason: Some(reason),
            error: Some((category, kind, category == 1)),
            scanned,
            columns: Vec::new(),
            reused: false,
        }
    }

    fn cancelled(completed: Timestamp, reason: &str, scanned: u64) -> Self {
        Self {
            state: "CANCELLED".to_owned(),
            reason: Some(reason.to_owned()),
            error: None,
            ..Self::failed(completed, 1014, String::new(), scanned)
        }
    }
}

impl Execution {
    /// The state's name at a time.
    fn state(&self, now: Timestamp) -> &str {
        match &self.outcome {
            Some(outcome) => &outcome.state,
            None if now < self.starts() => "QUEUED",
            None => "RUNNING",
        }
    }

    /// Whether its SQL is to be run now.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        self.outcome.is_none() && self.due <= now
    }

    /// When its turn comes.
    fn starts(&self) -> Timestamp {
        self.submitted
            .saturating_add(QUEUED)
            .unwrap_or(self.submitted)
    }
}

/// Runs what is due; says whether anything was.
pub(super) fn advance(
    region: &mut Region,
    name: &str,
    now: Timestamp,
    world: &mut World<'_>,
) -> bool {
    let due: Vec<String> = region
        .executions
        .iter()
        .filter(|(_, execution)| execution.is_due(now))
        .map(|(id, _)| id.clone())
        .collect();
    for id in &due {
        let outcome = match earlier(&region.executions, id, now) {
            Some((output, outcome)) => {
                if let Some(execution) = region.executions.get_mut(id) {
                    execution.output = output;
                }
                outcome
            }
            None => run::run(&region.executions[id], name, now, world),
        };
        if let Some(execution) = region.executions.get_mut(id) {
            execution.outcome = Some(outcome);
        }
    }
    !due.is_empty()
}

/// The result of the same query that may be used again: where it is, and what it was.
fn earlier(
    executions: &BTreeMap<String, Execution>,
    id: &str,
    now: Timestamp,
) -> Option<(String, Outcome)> {
    let asked = executions.get(id)?;
    let age = SignedDuration::from_mins(asked.reuse_minutes?);
    let (found, outcome) = executions
        .values()
        .filter(|known| {
            known.text == asked.text
                && known.parameters == asked.parameters
                && known.workgroup == asked.workgroup
                && known.database == asked.database
        })
        .filter_map(|known| Some((known, known.outcome.as_ref()?)))
        .filter(|(_, outcome)| {
            outcome.state == "SUCCEEDED" && now.duration_since(outcome.completed) <= age
        })
        .max_by_key(|(_, outcome)| outcome.completed)?;
    let outcome = Outcome {
        completed: now,
        scanned: 0,
        reused: true,
        ..outcome.clone()
    };
    Some((found.output.clone(), outcome))
}
