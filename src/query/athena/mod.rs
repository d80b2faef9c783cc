//! Queries in Athena: the table `requests` is put in front of the text as a view over the event's
//! table, the query is started under a token, followed to its end, and read page by page.
//!
//! Whatever ends the wait before the query has ended (Ctrl-C, an error, more read than it may) stops
//! the query in the service, too.

mod estimate;
mod results;
#[cfg(test)]
mod tests;
mod trouble;

use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use ulid::Ulid;

use super::port::{Answered, Asked, QueryEngine, Window};
use super::{text, view};
use crate::clock::Clock;
use crate::cloud::{Cloud, CloudError, QueryExecution, QueryStart, QueryState};
use crate::error::Failure;
use crate::event::bytes::{exact_bytes, short_bytes};
use crate::runbook::{self, Runbook};
use crate::ui::{Interrupt, Progress, Ui};

/// The pause before a query is looked at for the first time; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Log objects arrive up to a day late (CloudFront Developer Guide); from then on a result stays true.
const LATE: SignedDuration = SignedDuration::from_hours(24);
/// The oldest result that Athena can use again, in minutes: a week.
const OLDEST_RESULT: i64 = 10_080;

/// Times that a call is made again when no answer comes, beyond the SDK's own attempts.
const MORE_TRIES: u32 = 5;

/// US dollars for 10^12 bytes scanned, and the least that a query is billed for: list prices of most
/// regions, not verified.
const DOLLARS_PER_TERABYTE: f64 = 5.0;
const LEAST_BILLED: u64 = 10_000_000;

/// Athena in the runbook's account.
pub(crate) struct Athena<'a> {
    runbook: &'a Runbook,
    settings: &'a runbook::Athena,
    cloud: &'a Cloud,
    clock: &'a Clock,
    ui: &'a Ui,
    /// Bytes that a query may scan.
    max_scan: u64,
}

impl<'a> Athena<'a> {
    /// Makes the engine of a runbook; without `max_scan` a query may scan what the runbook allows.
    pub(crate) fn new(
        runbook: &'a Runbook,
        cloud: &'a Cloud,
        clock: &'a Clock,
        ui: &'a Ui,
        max_scan: Option<u64>,
    ) -> Result<Self, Failure> {
        let Some(settings) = &runbook.athena else {
            return Err(Failure::usage("the runbook has no [athena], so there is nowhere to ask")
                .hint("write `[athena]` into the runbook, or add `--local PATH` to read log files here"));
        };
        Ok(Self {
            runbook,
            settings,
            cloud,
            clock,
            ui,
            max_scan: max_scan.unwrap_or(settings.max_scan),
        })
    }

    /// The event with its grace, where the question says nothing else.
    fn window(&self, asked: &Asked) -> Window {
        let event = &self.runbook.event;
        asked.window.unwrap_or_else(|| Window {
            from: event
                .doors
                .saturating_sub(event.grace)
                .unwrap_or(event.doors),
            until: event.ends.saturating_add(event.grace).unwrap_or(event.ends),
        })
    }

    /// How old a result may be that is used again, in minutes; none while logs may still arrive.
    fn reuse(&self, window: Window) -> Option<i32> {
        let settled = window.until.saturating_add(LATE).ok()?;
        let age = self.clock.now().duration_since(settled).as_secs() / 60;
        let minutes = i32::try_from(age.min(OLDEST_RESULT)).ok()?;
        (minutes > 0).then_some(minutes)
    }

    /// Starts the query. When no answer comes it is asked for again under the same token, so that
    /// none is left running that nobody knows of.
    async fn start(&self, query: &QueryStart<'_>) -> Result<String, Failure> {
        let id = self
            .insist("start the query", || self.cloud.start_query(query))
            .await;
        id.map_err(|error| trouble::of_start(error, self.settings))
    }

    /// Makes a call again while what fails is the network or the service.
    async fn insist<T, F: Future<Output = Result<T, CloudError>>>(
        &self,
        what: &str,
        call: impl Fn() -> F,
    ) -> Result<T, CloudError> {
        let mut pause = FIRST_PAUSE;
        let mut tries = 0;
        loop {
            match call().await {
                Err(error) if error.is_retryable() && tries < MORE_TRIES => {
                    tries += 1;
                    tracing::info!(%error, tries, "trying again to {what}");
                    self.clock.wait(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                done => return done,
            }
        }
    }

    /// Waits until the query has ended.
    async fn follow(
        &self,
        id: &str,
        started: Timestamp,
        stop: &Interrupt,
        progress: &Progress,
    ) -> Result<QueryExecution, Failure> {
        let mut pause = FIRST_PAUSE;
        loop {
            tokio::select! {
                biased;
                () = stop.requested() => return Err(trouble::interrupted(id)),
                () = self.clock.wait(pause) => {}
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
            let found = self
                .insist("see how the query is", || self.cloud.query_execution(id))
                .await?;
            let scanned = found.scanned.unwrap_or_default();
            if found.state.is_final() {
                return Ok(found);
            }
            if scanned > self.max_scan {
                return Err(trouble::over_the_limit(id, scanned, self.max_scan));
            }
            let seconds = self.clock.now().duration_since(started).as_secs();
            progress.say(&match found.state {
                QueryState::Queued => format!("Athena: queued, {seconds} s"),
                _ if scanned > 0 => {
                    format!(
                        "Athena: running, {seconds} s, {} scanned",
                        short_bytes(scanned)
                    )
                }
                _ => format!("Athena: running, {seconds} s"),
            });
        }
    }

    /// Stops the query and sees to it that it has stopped.
    async fn stop(&self, id: &str) -> Result<(), CloudError> {
        self.insist("stop the query", || self.cloud.stop_query(id))
            .await?;
        let mut pause = FIRST_PAUSE;
        for _ in 0..=MORE_TRIES {
            let found = self
                .insist("see that the query has stopped", || {
                    self.cloud.query_execution(id)
                })
                .await?;
            if found.state.is_final() {
                return Ok(());
            }
            self.clock.wait(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        Err(CloudError::Unreadable {
            operation: "athena.StopQueryExecution".to_owned(),
            message: "the query is still there".to_owned(),
        })
    }

    /// The whole result, or as many rows as were asked for; and whether there are more.
    async fn read(
        &self,
        id: &str,
        most: Option<usize>,
        stop: &Interrupt,
    ) -> Result<(results::Table, bool), Failure> {
        let mut table = results::Table::default();
        let mut token: Option<String> = None;
        loop {
            let page = tokio::select! {
                biased;
                () = stop.requested() => return Err(trouble::interrupted(id)),
                // A page is asked for again by its token: rows are neither lost nor read twice.
                page = self.insist("read the result", || self.cloud.query_page(id, token.as_deref())) => page?,
            };
            token.clone_from(&page.next);
            table.add(page);
            let enough = most.is_some_and(|most| table.rows.len() > most);
            if enough || token.is_none() {
                let more = enough || token.is_some();
                table.rows.truncate(most.unwrap_or(usize::MAX));
                return Ok((table, more));
            }
        }
    }

    /// The failure, once the query is stopped; with what to type where it could not be.
    async fn stopped(&self, id: &str, failure: Failure) -> Failure {
        match self.stop(id).await {
            Ok(()) => failure,
            Err(error) => failure
                .because(format!("the query could not be stopped: {error}"))
                .hint(format!(
                    "aws athena stop-query-execution --query-execution-id {id}"
                )),
        }
    }

    /// From the query's end to its rows.
    async fn answer(
        &self,
        id: &str,
        ended: &QueryExecution,
        asked: &Asked,
        stop: &Interrupt,
    ) -> Result<Answered, Failure> {
        if ended.state != QueryState::Succeeded {
            return Err(trouble::of_end(
                id,
                ended,
                asked,
                self.settings,
                self.max_scan,
            ));
        }
        let (table, truncated) = self.read(id, asked.most_rows, stop).await?;
        let mut notes = Vec::new();
        if let Some(scanned) = ended.scanned.filter(|scanned| *scanned > self.max_scan) {
            notes.push(format!(
                "the query scanned {}, more than the {} it may: Athena told so only at its end",
                short_bytes(scanned),
                exact_bytes(self.max_scan)
            ));
        }
        Ok(Answered {
            columns: table.columns,
            rows: table.rows,
            truncated,
            engine: "athena",
            scanned_bytes: ended.scanned,
            rows_read: None,
            objects_read: None,
            bad: Vec::new(),
            execution: Some(id.to_owned()),
            reused: ended.reused,
            elapsed: SignedDuration::ZERO,
            cost: ended.scanned.map(|scanned| cost(scanned, ended.reused)),
            notes,
        })
    }
}

#[async_trait(?Send)]
impl QueryEngine for Athena<'_> {
    async fn run(&self, asked: &Asked, stop: &Interrupt) -> Result<Answered, Failure> {
        let window = self.window(asked);
        let Some(table) = view::Table::of(self.runbook, asked.source) else {
            return Err(trouble::no_table(asked.source));
        };
        let text = view::whole(asked, &table, window)
            .map_err(|error| Failure::usage(format!("the query cannot be run: {error}")))?;
        let parameters: Vec<String> = asked.parameters.iter().map(text::literal).collect();
        let mut notes = Vec::new();
        match estimate::of(self, &table, window).await {
            Ok(estimate) => {
                if let Some(refusal) = estimate.refusal(self.max_scan) {
                    return Err(refusal);
                }
                if self.max_scan < LEAST_BILLED {
                    return Err(estimate::below_the_least(self.max_scan));
                }
                notes.extend(estimate.note(self.max_scan));
            }
            // The query is watched as it runs, and the workgroup has a limit of its own.
            Err(error) => notes.push(format!(
                "what the query scans was not known before it started ({error}); workgroup {}'s limit held",
                self.settings.workgroup
            )),
        }
        let started = self.clock.now();
        let token = token(started);
        let query = QueryStart {
            text: &text,
            parameters: &parameters,
            workgroup: &self.settings.workgroup,
            database: &self.settings.database,
            output: self.settings.output.as_deref(),
            token: &token,
            reuse_minutes: self.reuse(window),
        };
        // From here a Ctrl-C is ours to answer: first the query is stopped.
        let writing = stop.writing();
        let id = self.start(&query).await?;
        let abandoned = Abandoned::new(self.cloud, &id);
        let progress = self.ui.activity("Athena: queued");
        let ended = match self.follow(&id, started, stop, &progress).await {
            Ok(ended) => ended,
            Err(failure) => {
                let failure = self.stopped(&id, failure).await;
                abandoned.disarm();
                return Err(failure);
            }
        };
        abandoned.disarm();
        drop(writing);
        tracing::info!(
            id,
            state = ?ended.state,
            queued_milliseconds = ended.queued,
            engine_milliseconds = ended.engine,
            scanned_bytes = ended.scanned,
            reused = ended.reused,
            "the query has ended"
        );
        progress.say("Athena: reading the result");
        let mut answered = self.answer(&id, &ended, asked, stop).await?;
        answered.elapsed = self.clock.now().duration_since(started);
        answered.notes.splice(0..0, notes);
        Ok(answered)
    }
}

/// Stops a query whose waiter was dropped, as far as the process still lives.
struct Abandoned {
    cloud: Cloud,
    id: Option<String>,
}

impl Abandoned {
    fn new(cloud: &Cloud, id: &str) -> Self {
        Self {
            cloud: cloud.clone(),
            id: Some(id.to_owned()),
        }
    }

    fn disarm(mut self) {
        self.id = None;
    }
}

impl Drop for Abandoned {
    fn drop(&mut self) {
        if let (Some(id), Ok(runtime)) = (self.id.take(), tokio::runtime::Handle::try_current()) {
            let cloud = self.cloud.clone();
            // Nobody is left to tell whether it worked.
            drop(runtime.spawn(async move { cloud.stop_query(&id).await }));
        }
    }
}

/// A token that no other query has.
fn token(now: Timestamp) -> String {
    let milliseconds = u64::try_from(now.as_millisecond()).unwrap_or_default();
    format!(
        "onair-query-{}",
        Ulid::from_parts(milliseconds, fastrand::u128(..))
    )
}

/// What a query costs at list prices, in US dollars.
fn cost(scanned: u64, reused: bool) -> f64 {
    if reused {
        return 0.0;
    }
    #[expect(clippy::cast_precision_loss, reason = "an estimate in dollars")]
    let billed = scanned.max(LEAST_BILLED) as f64;
    billed / 1e12 * DOLLARS_PER_TERABYTE
}
