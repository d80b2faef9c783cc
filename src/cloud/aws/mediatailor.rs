//! MediaTailor: playback configurations and prefetch schedules. API 2018-04-23, REST JSON.

#![expect(
    clippy::struct_field_names,
    reason = "fields of answers are named as the service names them"
)]

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::Cloud;
use super::plain::{Plain, PlainRequest, segment};
use crate::cloud::CloudError;
use crate::cloud::media::{AdAlert, AdConfiguration, PrefetchSchedule};
use crate::runbook::Arn;

impl Cloud {
    /// Reads a playback configuration.
    pub(crate) async fn ad_configuration(&self, arn: &Arn) -> Result<AdConfiguration, CloudError> {
        let name = arn.id();
        let what = format!("playback configuration {name}");
        let call = self.reading("mediatailor.GetPlaybackConfiguration", what);
        let path = format!("/playbackConfiguration/{}", segment(name));
        let request = PlainRequest::get(Plain::MediaTailor, arn.region(), path);
        let answer: Configuration = self.ask_json(&call, request).await?;
        let cdn = answer.cdn_configuration.unwrap_or_default();
        Ok(AdConfiguration {
            name: call.required(answer.name, "Name")?,
            content_source: filled(answer.video_content_source_url),
            decision_server: filled(answer.ad_decision_server_url),
            slate: filled(answer.slate_ad_url),
            ad_segment_prefix: filled(cdn.ad_segment_url_prefix),
            content_segment_prefix: filled(cdn.content_segment_url_prefix),
            log_percent: answer
                .log_configuration
                .and_then(|one| one.percent_enabled)
                .unwrap_or_default(),
            suppression: answer.avail_suppression.and_then(|one| one.mode),
            personalization_threshold_seconds: answer.personalization_threshold_seconds,
        })
    }

    /// Lists what the service says is wrong with a playback configuration.
    pub(crate) async fn ad_alerts(&self, arn: &Arn) -> Result<Vec<AdAlert>, CloudError> {
        let what = format!("playback configuration {}", arn.id());
        let call = self.reading("mediatailor.ListAlerts", what);
        let mut alerts = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let mut path = format!("/alerts?resourceArn={}", segment(&arn.0));
            if let Some(token) = &token {
                path.push_str("&nextToken=");
                path.push_str(&segment(token));
            }
            let request = PlainRequest::get(Plain::MediaTailor, arn.region(), path);
            let answer: Alerts = self.ask_json(&call, request).await?;
            alerts.extend(answer.items.into_iter().map(|one| AdAlert {
                code: one.alert_code.unwrap_or_default(),
                message: one.alert_message.unwrap_or_default(),
            }));
            token = call.next_page(token.as_deref(), answer.next_token.as_deref())?;
            if token.is_none() {
                return Ok(alerts);
            }
        }
    }

    /// Lists the prefetch schedules of a playback configuration, single and recurring.
    pub(crate) async fn prefetch_schedules(
        &self,
        arn: &Arn,
    ) -> Result<Vec<PrefetchSchedule>, CloudError> {
        let name = arn.id();
        let what = format!("playback configuration {name}");
        let call = self.reading("mediatailor.ListPrefetchSchedules", what);
        let mut schedules = Vec::new();
        let mut token: Option<String> = None;
        loop {
            // The list is asked for with a POST, and yet changes nothing.
            let mut body = json!({ "ScheduleType": "ALL", "MaxResults": 100 });
            if let Some(token) = &token {
                body["NextToken"] = json!(token);
            }
            let request = PlainRequest {
                service: Plain::MediaTailor,
                region: arn.region().to_owned(),
                method: "POST",
                path: format!("/prefetchSchedule/{}", segment(name)),
                headers: vec![("content-type", "application/json".to_owned())],
                body: body.to_string().into_bytes(),
            };
            let answer: Schedules = self.ask_json(&call, request).await?;
            for one in answer.items {
                let recurring = one.recurring_prefetch_configuration;
                let is_recurring = recurring.is_some();
                let times = call.required(
                    recurring.or(one.consumption),
                    "Consumption or RecurringPrefetchConfiguration",
                )?;
                schedules.push(PrefetchSchedule {
                    name: one.name.unwrap_or_default(),
                    from: times.start_time.and_then(instant),
                    until: call.required(times.end_time.and_then(instant), "EndTime")?,
                    recurring: is_recurring,
                });
            }
            token = call.next_page(token.as_deref(), answer.next_token.as_deref())?;
            if token.is_none() {
                return Ok(schedules);
            }
        }
    }
}

/// MediaTailor answers an empty text for what was taken away.
fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

/// Epoch seconds with a fraction.
fn instant(seconds: f64) -> Option<Timestamp> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "saturates; checked by jiff"
    )]
    let milliseconds = (seconds * 1000.0).round() as i64;
    Timestamp::from_millisecond(milliseconds).ok()
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Configuration {
    name: Option<String>,
    video_content_source_url: Option<String>,
    ad_decision_server_url: Option<String>,
    slate_ad_url: Option<String>,
    cdn_configuration: Option<Cdn>,
    log_configuration: Option<Log>,
    avail_suppression: Option<Suppression>,
    personalization_threshold_seconds: Option<u32>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Cdn {
    ad_segment_url_prefix: Option<String>,
    content_segment_url_prefix: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Log {
    percent_enabled: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Suppression {
    mode: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Alerts {
    #[serde(default)]
    items: Vec<Alert>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Alert {
    alert_code: Option<String>,
    alert_message: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Schedules {
    #[serde(default)]
    items: Vec<Schedule>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Schedule {
    name: Option<String>,
    consumption: Option<Times>,
    recurring_prefetch_configuration: Option<Times>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Times {
    start_time: Option<f64>,
    end_time: Option<f64>,
}
