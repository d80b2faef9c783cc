//! Logs that were delivered to CloudWatch Logs, read through Logs Insights: the window in slices of
//! ten minutes, each halved until it has fewer rows than one query gives. Where Insights may not be
//! used, `FilterLogEvents` reads the slice.
//!
//! A slice is an object to the engine; its lines are the messages, in the order of their times.

use std::fmt::Debug;
use std::io::{self, Cursor, Read};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use onair_engine::{Object, Objects};

use super::Bridge;
use super::running::Running;
use crate::cloud::{CloudError, LogEvent};
use crate::query::port::Window;

/// One object.
const SLICE: SignedDuration = SignedDuration::from_mins(10);
/// The narrowest that a slice is cut: the service's times are whole seconds.
const NARROWEST: SignedDuration = SignedDuration::from_secs(1);
/// Rows that one query of Logs Insights gives at most.
pub(super) const MOST_ROWS: usize = 10_000;
/// Insights reports at the earliest after this long; the pause doubles up to the other.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(4);
/// Log files come up to a day late.
const LATE: SignedDuration = SignedDuration::from_hours(24);

/// A log group.
#[derive(Debug)]
pub(crate) struct LogGroup {
    source: Source,
    window: Window,
}

#[derive(Debug, Clone)]
struct Source {
    bridge: Bridge,
    region: String,
    name: String,
    running: Running,
}

impl LogGroup {
    pub(super) fn new(
        bridge: Bridge,
        region: String,
        name: &str,
        window: Window,
        running: Running,
    ) -> Self {
        Self {
            source: Source {
                bridge,
                region,
                name: name.to_owned(),
                running,
            },
            window,
        }
    }
}

impl Objects for LogGroup {
    fn list(&self) -> io::Result<Vec<Object>> {
        let now = self.source.bridge.clock.now();
        let mut objects = Vec::new();
        let mut from = self.window.from;
        while from < self.window.until {
            let next = from.saturating_add(SLICE).unwrap_or(self.window.until);
            let until = next.min(self.window.until);
            let settled = until.saturating_add(LATE).unwrap_or(until) <= now;
            objects.push(Object {
                name: format!("{from}/{until}"),
                // Not known, and not nothing.
                size: 1,
                // What may still grow is new each time it is read.
                modified: if settled { until } else { now },
            });
            from = until;
        }
        Ok(objects)
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn Read + Send>> {
        let wrong = || io::Error::new(io::ErrorKind::NotFound, format!("no slice {name}"));
        let (from, until) = name.split_once('/').ok_or_else(wrong)?;
        let from: Timestamp = from.parse().map_err(|_| wrong())?;
        let until: Timestamp = until.parse().map_err(|_| wrong())?;
        let source = self.source.clone();
        let bridge = source.bridge.clone();
        let text = bridge.ask(async move { source.slice(from, until).await })?;
        Ok(Box::new(Cursor::new(text)))
    }

    fn place(&self) -> String {
        format!("logs://{}?region={}", self.source.name, self.source.region)
    }
}

impl Source {
    /// The messages of a slice, a line each.
    async fn slice(&self, from: Timestamp, until: Timestamp) -> Result<Vec<u8>, CloudError> {
        let mut text = Vec::new();
        // The later half waits while the earlier one is cut.
        let mut waiting = vec![(from, until)];
        while let Some((from, until)) = waiting.pop() {
            let events = match self.asked(from, until).await {
                Ok(events) if events.len() < MOST_ROWS => events,
                Ok(_) if until.duration_since(from) > NARROWEST => {
                    let middle = middle(from, until);
                    waiting.push((middle, until));
                    waiting.push((from, middle));
                    continue;
                }
                // A second with more rows than a query gives, or no right to ask queries.
                Ok(_) | Err(CloudError::Denied { .. } | CloudError::Refused { .. }) => {
                    self.filtered(from, until).await?
                }
                Err(error) => return Err(error),
            };
            for event in events {
                text.extend(event.message.trim_end().as_bytes());
                text.push(b'\n');
            }
        }
        Ok(text)
    }

    /// By Logs Insights.
    async fn asked(&self, from: Timestamp, until: Timestamp) -> Result<Vec<LogEvent>, CloudError> {
        let cloud = &self.bridge.cloud;
        let starting = cloud.start_log_query(&self.region, &self.name, from, until, MOST_ROWS);
        let id = self.running.started(starting).await?;
        let mut pause = FIRST_PAUSE;
        let found = loop {
            match cloud.log_query_results(&self.region, &id).await {
                Ok(Some(events)) => break Ok(events),
                Ok(None) => {}
                Err(error) => break Err(error),
            }
            self.bridge.clock.wait(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        };
        self.running.ended(&id);
        // A full answer stays full: its rows are counted.
        found.map(|events| {
            if events.len() < MOST_ROWS {
                within(events, from, until)
            } else {
                events
            }
        })
    }

    /// By reading all events of the slice.
    async fn filtered(
        &self,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<LogEvent>, CloudError> {
        let events = self
            .bridge
            .cloud
            .log_events(&self.region, &self.name, from, until)
            .await?;
        Ok(within(events, from, until))
    }
}

/// The events of a slice: the service's ends are whole seconds, and both belong to its range.
fn within(mut events: Vec<LogEvent>, from: Timestamp, until: Timestamp) -> Vec<LogEvent> {
    events.retain(|event| from <= event.at && event.at < until);
    events
}

/// The whole second in the middle.
fn middle(from: Timestamp, until: Timestamp) -> Timestamp {
    let half = until.duration_since(from).as_secs() / 2;
    from.saturating_add(SignedDuration::from_secs(half.max(1)))
        .unwrap_or(until)
}
