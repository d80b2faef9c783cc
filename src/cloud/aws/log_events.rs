//! CloudWatch Logs: what a log group holds, through Logs Insights or event by event.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Cloud;
use super::plain::{Plain, PlainRequest};
use crate::cloud::{CloudError, LogEvent};

/// Events that a page has at most, per the API.
const PAGE: u32 = 10_000;

impl Cloud {
    /// Starts a query of Logs Insights for the messages of a time, oldest first. Its ends are whole
    /// seconds, and both belong to it. Returns its id.
    pub(crate) async fn start_log_query(
        &self,
        region: &str,
        group: &str,
        from: Timestamp,
        until: Timestamp,
        most: usize,
    ) -> Result<String, CloudError> {
        let call = self.reading("logs.StartQuery", format!("log group {group}"));
        let body = json!({
            "logGroupName": group,
            "startTime": from.as_second(),
            "endTime": until.as_second(),
            "limit": most,
            "queryString": format!("fields @timestamp, @message | sort @timestamp asc | limit {most}"),
        });
        let request = PlainRequest::json(Plain::Logs, region, &call, &body);
        let answer: Started = self.ask_json(&call, request).await?;
        call.required(answer.query_id, "queryId")
    }

    /// The rows of a query of Logs Insights; none while it runs.
    pub(crate) async fn log_query_results(
        &self,
        region: &str,
        id: &str,
    ) -> Result<Option<Vec<LogEvent>>, CloudError> {
        let call = self.reading("logs.GetQueryResults", format!("query {id}"));
        let body = json!({"queryId": id});
        let request = PlainRequest::json(Plain::Logs, region, &call, &body);
        let answer: Results = self.ask_json(&call, request).await?;
        match answer.status.as_str() {
            "Complete" => {}
            "Scheduled" | "Running" | "Unknown" => return Ok(None),
            other => {
                return Err(call.unreadable(&format!("the query ended as {other}")));
            }
        }
        let rows = answer.results.into_iter();
        rows.map(|row| {
            let (mut at, mut message) = (None, None);
            for cell in row {
                match cell.field.as_str() {
                    "@timestamp" => at = cell.value.and_then(|text| moment(&text)),
                    "@message" => message = cell.value,
                    _ => {}
                }
            }
            Ok(LogEvent {
                at: call.required(at, "@timestamp")?,
                message: message.unwrap_or_default(),
            })
        })
        .collect::<Result<_, _>>()
        .map(Some)
    }

    /// Stops a query of Logs Insights.
    pub(crate) async fn stop_log_query(&self, region: &str, id: &str) -> Result<(), CloudError> {
        let call = self.reading("logs.StopQuery", format!("query {id}"));
        let body = json!({"queryId": id});
        let request = PlainRequest::json(Plain::Logs, region, &call, &body);
        self.ask(&call, request).await.map(drop)
    }

    /// All events of a time, oldest first.
    pub(crate) async fn log_events(
        &self,
        region: &str,
        group: &str,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<LogEvent>, CloudError> {
        let mut events = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let call = self.reading("logs.FilterLogEvents", format!("log group {group}"));
            let mut body = json!({
                "logGroupName": group,
                "startTime": from.as_millisecond(),
                "endTime": until.as_millisecond(),
                "limit": PAGE,
            });
            if let Some(token) = &token {
                body["nextToken"] = Value::from(token.as_str());
            }
            let request = PlainRequest::json(Plain::Logs, region, &call, &body);
            let page: Page = self.ask_json(&call, request).await?;
            for event in page.events {
                let at = Timestamp::from_millisecond(event.timestamp)
                    .map_err(|error| call.unreadable(&error.to_string()))?;
                events.push(LogEvent {
                    at,
                    message: event.message,
                });
            }
            token = call.next_page(token.as_deref(), page.next_token.as_deref())?;
            if token.is_none() {
                events.sort_by_key(|event| event.at);
                return Ok(events);
            }
        }
    }
}

/// `2026-06-14 17:00:00.123`, in UTC.
fn moment(text: &str) -> Option<Timestamp> {
    let civil: jiff::civil::DateTime = text.parse().ok()?;
    let zoned = civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(zoned.timestamp())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Started {
    query_id: Option<String>,
}

#[derive(Deserialize)]
struct Results {
    #[serde(default)]
    status: String,
    #[serde(default)]
    results: Vec<Vec<Cell>>,
}

#[derive(Deserialize)]
struct Cell {
    #[serde(default)]
    field: String,
    value: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    #[serde(default)]
    events: Vec<Event>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
struct Event {
    #[serde(default)]
    timestamp: i64,
    #[serde(default)]
    message: String,
}
