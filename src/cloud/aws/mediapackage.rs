//! MediaPackage v2: channels and origin endpoints. API 2022-12-25, REST JSON.

#![expect(
    clippy::struct_field_names,
    reason = "fields of answers are named as the service names them"
)]

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::Cloud;
use super::plain::{Plain, PlainRequest, segment};
use crate::cloud::CloudError;
use crate::cloud::media::{
    EndpointManifest, EndpointPolicy, ManifestKind, OriginEndpoint, PackageChannel,
};
use crate::runbook::Arn;

/// The names in `channelGroup/GROUP/channel/CHANNEL/originEndpoint/ENDPOINT`.
fn names(arn: &Arn) -> Option<[&str; 3]> {
    let mut parts = arn.resource().split('/');
    let mut named = |kind: &str| {
        let found = parts.next()? == kind;
        parts.next().filter(|name| found && !name.is_empty())
    };
    Some([
        named("channelGroup")?,
        named("channel")?,
        named("originEndpoint")?,
    ])
}

impl Cloud {
    /// Reads the channel of an origin endpoint, by the endpoint's ARN.
    pub(crate) async fn package_channel(
        &self,
        endpoint: &Arn,
    ) -> Result<PackageChannel, CloudError> {
        let path = channel_path(endpoint)?;
        let call = self.reading("mediapackagev2.GetChannel", of(endpoint, "channel of"));
        let request = PlainRequest::get(Plain::MediaPackage, endpoint.region(), path + "/");
        let answer: Channel = self.ask_json(&call, request).await?;
        let switching = answer.input_switch_configuration.unwrap_or_default();
        Ok(PackageChannel {
            arn: call.required(answer.arn, "Arn")?,
            input_type: answer.input_type,
            ingest_endpoints: answer.ingest_endpoints.len(),
            quality_switching: switching.mqcs_input_switching.unwrap_or_default(),
            publishes_quality: answer
                .output_header_configuration
                .is_some_and(|one| one.publish_mqcs == Some(true)),
            locking: answer.output_locking_mode,
        })
    }

    /// Reads an origin endpoint.
    pub(crate) async fn origin_endpoint(
        &self,
        endpoint: &Arn,
    ) -> Result<OriginEndpoint, CloudError> {
        let path = endpoint_path(endpoint)?;
        let call = self.reading(
            "mediapackagev2.GetOriginEndpoint",
            of(endpoint, "origin endpoint"),
        );
        let request = PlainRequest::get(Plain::MediaPackage, endpoint.region(), path);
        let answer: Endpoint = self.ask_json(&call, request).await?;
        let manifests = [
            (ManifestKind::Hls, answer.hls_manifests),
            (
                ManifestKind::LowLatencyHls,
                answer.low_latency_hls_manifests,
            ),
            (ManifestKind::Dash, answer.dash_manifests),
            (ManifestKind::Mss, answer.mss_manifests),
        ]
        .into_iter()
        .flat_map(|(kind, list)| {
            list.unwrap_or_default()
                .into_iter()
                .map(move |one| EndpointManifest {
                    kind,
                    name: one.manifest_name.unwrap_or_default(),
                    url: one.url.unwrap_or_default(),
                    date_time_seconds: one.program_date_time_interval_seconds,
                    window_seconds: one.manifest_window_seconds,
                })
        })
        .collect();
        let segment = answer.segment.unwrap_or_default();
        Ok(OriginEndpoint {
            arn: call.required(answer.arn, "Arn")?,
            container: answer.container_type.unwrap_or_default(),
            manifests,
            segment_seconds: segment.segment_duration_seconds,
            startover_seconds: answer.startover_window_seconds.unwrap_or_default(),
            drm_systems: segment
                .encryption
                .and_then(|one| one.speke_key_provider)
                .map_or_else(Vec::new, |one| one.drm_systems),
            forced_errors: answer
                .force_endpoint_error_configuration
                .map_or_else(Vec::new, |one| one.endpoint_error_conditions),
        })
    }

    /// Reads who may ask an origin endpoint; one without a policy is not found.
    pub(crate) async fn origin_endpoint_policy(
        &self,
        endpoint: &Arn,
    ) -> Result<EndpointPolicy, CloudError> {
        let path = endpoint_path(endpoint)? + "/policy";
        let call = self.reading(
            "mediapackagev2.GetOriginEndpointPolicy",
            of(endpoint, "policy of"),
        );
        let request = PlainRequest::get(Plain::MediaPackage, endpoint.region(), path);
        let answer: Policy = self.ask_json(&call, request).await?;
        Ok(EndpointPolicy {
            document: call.required(answer.policy, "Policy")?,
            cdn_authorization: answer.cdn_auth_configuration.is_some(),
        })
    }
}

fn of(endpoint: &Arn, what: &str) -> String {
    format!("{what} {} in {}", endpoint.resource(), endpoint.region())
}

fn channel_path(endpoint: &Arn) -> Result<String, CloudError> {
    let [group, channel, _] = names(endpoint).ok_or_else(|| malformed(endpoint))?;
    let (group, channel) = (segment(group), segment(channel));
    Ok(format!("/channelGroup/{group}/channel/{channel}"))
}

fn endpoint_path(endpoint: &Arn) -> Result<String, CloudError> {
    let [.., name] = names(endpoint).ok_or_else(|| malformed(endpoint))?;
    let channel = channel_path(endpoint)?;
    Ok(format!("{channel}/originEndpoint/{}", segment(name)))
}

fn malformed(endpoint: &Arn) -> CloudError {
    CloudError::Refused {
        operation: "mediapackagev2.GetOriginEndpoint".to_owned(),
        service_code: "InvalidArn".to_owned(),
        message: format!("{} names no origin endpoint", endpoint.0),
        may_need: None,
        request_id: None,
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Channel {
    arn: Option<String>,
    input_type: Option<String>,
    #[serde(default)]
    ingest_endpoints: Vec<IgnoredAny>,
    input_switch_configuration: Option<Switching>,
    output_header_configuration: Option<OutputHeaders>,
    output_locking_mode: Option<String>,
}

#[derive(Default, Deserialize)]
struct Switching {
    #[serde(rename = "MQCSInputSwitching")]
    mqcs_input_switching: Option<bool>,
}

#[derive(Deserialize)]
struct OutputHeaders {
    #[serde(rename = "PublishMQCS")]
    publish_mqcs: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Endpoint {
    arn: Option<String>,
    container_type: Option<String>,
    segment: Option<Segment>,
    startover_window_seconds: Option<u32>,
    hls_manifests: Option<Vec<Manifest>>,
    low_latency_hls_manifests: Option<Vec<Manifest>>,
    dash_manifests: Option<Vec<Manifest>>,
    mss_manifests: Option<Vec<Manifest>>,
    force_endpoint_error_configuration: Option<ForcedErrors>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Segment {
    segment_duration_seconds: Option<u32>,
    encryption: Option<Encryption>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Encryption {
    speke_key_provider: Option<KeyProvider>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct KeyProvider {
    #[serde(default)]
    drm_systems: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Manifest {
    manifest_name: Option<String>,
    url: Option<String>,
    program_date_time_interval_seconds: Option<u32>,
    manifest_window_seconds: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ForcedErrors {
    #[serde(default)]
    endpoint_error_conditions: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Policy {
    policy: Option<String>,
    cdn_auth_configuration: Option<IgnoredAny>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoints_names_come_from_its_arn() {
        let arn = |resource: &str| Arn(format!("arn:aws:mediapackagev2:eu-west-1:1:{resource}"));
        let good = arn("channelGroup/g/channel/c/originEndpoint/e");
        assert_eq!(names(&good), Some(["g", "c", "e"]));
        for bad in ["channelGroup/g/channel/c", "channel/c/channelGroup/g", "x"] {
            assert_eq!(names(&arn(bad)), None, "{bad}");
        }
    }
}
