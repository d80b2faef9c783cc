//! MediaLive: channels, their alerts and inputs. API 2017-10-14, REST JSON.

#![expect(
    clippy::struct_field_names,
    reason = "fields of answers are named as the service names them"
)]

use jiff::Timestamp;
use jiff::civil::Weekday;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::Cloud;
use super::plain::{Plain, PlainRequest, segment};
use crate::cloud::CloudError;
use crate::cloud::media::{
    Channel, ChannelAlert, ChannelInput, ChannelState, Maintenance, MediaInput, Packager,
};
use crate::runbook::Arn;

impl Cloud {
    /// Reads a channel.
    pub(crate) async fn media_channel(&self, arn: &Arn) -> Result<Channel, CloudError> {
        let id = arn.id();
        let call = self.reading("medialive.DescribeChannel", format!("channel {id}"));
        let path = format!("/prod/channels/{}", segment(id));
        let request = PlainRequest::get(Plain::MediaLive, arn.region(), path);
        let answer: Described = self.ask_json(&call, request).await?;
        let state = call.required(answer.state, "state")?;
        let encoder = answer.encoder_settings.unwrap_or_default();
        let packagers = answer
            .destinations
            .into_iter()
            .flat_map(|one| one.media_package_settings)
            .filter_map(|one| {
                Some(Packager {
                    region: one.media_package_region_name,
                    group: one.channel_group?,
                    channel: one.channel_name?,
                })
            })
            .collect();
        Ok(Channel {
            id: answer.id.unwrap_or_else(|| id.to_owned()),
            name: answer.name.unwrap_or_default(),
            state: ChannelState::parse(&state),
            standard: answer.channel_class.as_deref().and_then(is_standard),
            pipelines_running: answer.pipelines_running_count.unwrap_or_default(),
            pipelines: answer
                .pipeline_details
                .into_iter()
                .map(|one| {
                    let id = one.pipeline_id.unwrap_or_default();
                    (id, one.active_input_attachment_name)
                })
                .collect(),
            inputs: answer
                .input_attachments
                .into_iter()
                .map(|one| ChannelInput {
                    id: one.input_id.unwrap_or_default(),
                    name: one.input_attachment_name.unwrap_or_default(),
                    secondary: one
                        .automatic_input_failover_settings
                        .and_then(|one| one.secondary_input_id),
                })
                .collect(),
            timecode: encoder.timecode_config.and_then(|one| one.source),
            locking: encoder
                .global_configuration
                .and_then(|one| one.output_locking_mode),
            output_groups: encoder.output_groups.len(),
            cmaf_groups: encoder
                .output_groups
                .into_iter()
                .filter_map(|group| {
                    let settings = group.output_group_settings?;
                    let additional = if let Some(cmaf) = settings.cmaf_ingest_group_settings {
                        cmaf.additional_destinations.len()
                    } else {
                        // MediaPackage groups with v2 settings send CMAF ingest, too.
                        let package = settings.media_package_group_settings?;
                        let v2 = package.mediapackage_v2_group_settings?;
                        v2.additional_destinations.len()
                    };
                    Some((group.name.unwrap_or_default(), 1 + additional))
                })
                .collect(),
            packagers,
            maintenance: answer.maintenance.and_then(Wire::into_value),
            log_level: answer.log_level,
        })
    }

    /// Lists the alerts of a channel that are set.
    pub(crate) async fn media_channel_alerts(
        &self,
        arn: &Arn,
    ) -> Result<Vec<ChannelAlert>, CloudError> {
        let id = arn.id();
        let call = self.reading("medialive.ListAlerts", format!("channel {id}"));
        let mut alerts = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let mut path = format!("/prod/channels/{}/alerts?stateFilter=SET", segment(id));
            if let Some(token) = &token {
                path.push_str("&nextToken=");
                path.push_str(&segment(token));
            }
            let request = PlainRequest::get(Plain::MediaLive, arn.region(), path);
            let answer: Alerts = self.ask_json(&call, request).await?;
            alerts.extend(answer.alerts.into_iter().map(|one| ChannelAlert {
                kind: one.alert_type.unwrap_or_default(),
                message: one.message.unwrap_or_default(),
                pipeline: one.pipeline_id,
            }));
            token = call.next_page(token.as_deref(), answer.next_token.as_deref())?;
            if token.is_none() {
                return Ok(alerts);
            }
        }
    }

    /// Reads an input.
    pub(crate) async fn media_input(
        &self,
        region: &str,
        id: &str,
    ) -> Result<MediaInput, CloudError> {
        let call = self.reading("medialive.DescribeInput", format!("input {id}"));
        let path = format!("/prod/inputs/{}", segment(id));
        let request = PlainRequest::get(Plain::MediaLive, region, path);
        let answer: Input = self.ask_json(&call, request).await?;
        Ok(MediaInput {
            id: answer.id.unwrap_or_else(|| id.to_owned()),
            name: answer.name.unwrap_or_default(),
            state: call.required(answer.state, "state")?,
            kind: answer.kind.unwrap_or_default(),
            standard: answer.input_class.as_deref().and_then(is_standard),
            flows: answer
                .media_connect_flows
                .into_iter()
                .filter_map(|one| one.flow_arn)
                .collect(),
        })
    }
}

fn is_standard(class: &str) -> Option<bool> {
    match class {
        "STANDARD" => Some(true),
        "SINGLE_PIPELINE" => Some(false),
        _ => None,
    }
}

/// A maintenance window; MediaConnect and MediaLive spell the day and the hour's name differently.
#[derive(Deserialize)]
pub(super) struct Wire {
    #[serde(rename = "maintenanceDay")]
    day: Option<String>,
    #[serde(rename = "maintenanceStartHour", alias = "maintenanceStartTime")]
    hour: Option<String>,
    #[serde(rename = "maintenanceScheduledDate")]
    scheduled: Option<String>,
}

impl Wire {
    pub(super) fn into_value(self) -> Option<Maintenance> {
        let day = match self.day?.to_ascii_lowercase().as_str() {
            "monday" => Weekday::Monday,
            "tuesday" => Weekday::Tuesday,
            "wednesday" => Weekday::Wednesday,
            "thursday" => Weekday::Thursday,
            "friday" => Weekday::Friday,
            "saturday" => Weekday::Saturday,
            "sunday" => Weekday::Sunday,
            _ => return None,
        };
        let hour = self.hour?;
        let hour: i8 = hour.split(':').next()?.parse().ok()?;
        Some(Maintenance {
            day,
            hour: (0..24).contains(&hour).then_some(hour)?,
            scheduled: self
                .scheduled
                .and_then(|text| text.parse::<Timestamp>().ok()),
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Described {
    id: Option<String>,
    name: Option<String>,
    state: Option<String>,
    channel_class: Option<String>,
    pipelines_running_count: Option<u32>,
    #[serde(default)]
    pipeline_details: Vec<Pipeline>,
    #[serde(default)]
    input_attachments: Vec<Attachment>,
    #[serde(default)]
    destinations: Vec<Destination>,
    encoder_settings: Option<Encoder>,
    maintenance: Option<Wire>,
    log_level: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pipeline {
    pipeline_id: Option<String>,
    active_input_attachment_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attachment {
    input_id: Option<String>,
    input_attachment_name: Option<String>,
    automatic_input_failover_settings: Option<InputFailover>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct InputFailover {
    secondary_input_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Destination {
    #[serde(default)]
    media_package_settings: Vec<PackageDestination>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PackageDestination {
    channel_group: Option<String>,
    channel_name: Option<String>,
    media_package_region_name: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Encoder {
    timecode_config: Option<Timecode>,
    global_configuration: Option<Global>,
    output_groups: Vec<OutputGroup>,
}

#[derive(Deserialize)]
struct Timecode {
    source: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Global {
    output_locking_mode: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OutputGroup {
    name: Option<String>,
    output_group_settings: Option<GroupSettings>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GroupSettings {
    cmaf_ingest_group_settings: Option<Destinations>,
    media_package_group_settings: Option<PackageGroup>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Destinations {
    #[serde(default)]
    additional_destinations: Vec<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PackageGroup {
    mediapackage_v2_group_settings: Option<Destinations>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Alerts {
    #[serde(default)]
    alerts: Vec<Alert>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Alert {
    alert_type: Option<String>,
    message: Option<String>,
    pipeline_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    id: Option<String>,
    name: Option<String>,
    state: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    input_class: Option<String>,
    #[serde(default)]
    media_connect_flows: Vec<InputFlow>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct InputFlow {
    flow_arn: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_of_a_maintenance_window_are_read() {
        for text in [
            r#"{"maintenanceDay":"Sunday","maintenanceStartHour":"17:00"}"#,
            r#"{"maintenanceDay":"SUNDAY","maintenanceStartTime":"17:00"}"#,
        ] {
            let wire: Wire = serde_json::from_str(text).unwrap();
            let read = wire.into_value().unwrap();
            assert_eq!((read.day, read.hour), (Weekday::Sunday, 17));
        }
        let odd = r#"{"maintenanceDay":"Someday","maintenanceStartTime":"99:00"}"#;
        let wire: Wire = serde_json::from_str(odd).unwrap();
        assert!(wire.into_value().is_none());
    }
}
