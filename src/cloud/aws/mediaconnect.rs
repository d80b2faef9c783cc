//! MediaConnect: flows and what they carry. API 2018-11-14, REST JSON.

#![expect(
    clippy::struct_field_names,
    reason = "fields of answers are named as the service names them"
)]

use jiff::Timestamp;
use serde::Deserialize;

use super::Cloud;
use super::plain::{Plain, PlainRequest, segment};
use crate::cloud::CloudError;
use crate::cloud::media::{FlowContent, FlowFailover, FlowSource, FlowStatus, MediaFlow};
use crate::runbook::Arn;

impl Cloud {
    /// Reads a flow.
    pub(crate) async fn media_flow(&self, arn: &Arn) -> Result<MediaFlow, CloudError> {
        let call = self.reading("mediaconnect.DescribeFlow", format!("flow {}", arn.id()));
        let path = format!("/v1/flows/{}", segment(&arn.0));
        let request = PlainRequest::get(Plain::MediaConnect, arn.region(), path);
        let answer: Described = self.ask_json(&call, request).await?;
        let flow = call.required(answer.flow, "flow")?;
        // `sources` has all of them; an answer without it has the one in `source`.
        let sources = match flow.sources {
            Some(sources) if !sources.is_empty() => sources,
            _ => flow.source.into_iter().collect(),
        };
        Ok(MediaFlow {
            arn: call.required(flow.flow_arn, "flowArn")?,
            name: flow.name.unwrap_or_default(),
            status: FlowStatus::parse(&call.required(flow.status, "status")?),
            sources: sources.into_iter().map(Source::into_value).collect(),
            failover: flow.source_failover_config.map(|one| FlowFailover {
                enabled: one.state.as_deref() == Some("ENABLED"),
                mode: one.failover_mode,
                recovery_window_ms: one.recovery_window,
                primary: one.source_priority.and_then(|one| one.primary_source),
            }),
            maintenance: flow
                .maintenance
                .and_then(super::medialive::Wire::into_value),
            errors: answer.messages.map_or_else(Vec::new, |one| one.errors),
            outputs: flow
                .outputs
                .iter()
                .filter(|one| one.output_status.as_deref() != Some("DISABLED"))
                .count(),
        })
    }

    /// Reads what a flow's source carries.
    pub(crate) async fn media_flow_content(&self, arn: &Arn) -> Result<FlowContent, CloudError> {
        let call = self.reading(
            "mediaconnect.DescribeFlowSourceMetadata",
            format!("flow {}", arn.id()),
        );
        let path = format!("/v1/flows/{}/source-metadata", segment(&arn.0));
        let request = PlainRequest::get(Plain::MediaConnect, arn.region(), path);
        let answer: Content = self.ask_json(&call, request).await?;
        let programs = answer
            .transport_media_info
            .map_or_else(Vec::new, |info| info.programs);
        Ok(FlowContent {
            at: answer.timestamp,
            streams: programs
                .into_iter()
                .flat_map(|program| program.streams)
                .map(|stream| (stream.stream_type, stream.codec))
                .collect(),
            messages: answer
                .messages
                .into_iter()
                .map(|one| format!("{}: {}", one.code, one.message))
                .collect(),
        })
    }
}

#[derive(Deserialize)]
struct Described {
    flow: Option<Flow>,
    messages: Option<Messages>,
}

#[derive(Deserialize)]
struct Messages {
    #[serde(default)]
    errors: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Flow {
    flow_arn: Option<String>,
    name: Option<String>,
    status: Option<String>,
    source: Option<Source>,
    sources: Option<Vec<Source>>,
    source_failover_config: Option<Failover>,
    maintenance: Option<super::medialive::Wire>,
    #[serde(default)]
    outputs: Vec<Output>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Output {
    output_status: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Failover {
    state: Option<String>,
    failover_mode: Option<String>,
    recovery_window: Option<u32>,
    source_priority: Option<Priority>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Priority {
    primary_source: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Source {
    source_arn: Option<String>,
    name: Option<String>,
    decryption: Option<serde::de::IgnoredAny>,
    router_integration_transit_decryption: Option<serde::de::IgnoredAny>,
    entitlement_arn: Option<String>,
    transport: Option<Transport>,
    whitelist_cidr: Option<String>,
    peer_ip_address: Option<String>,
}

impl Source {
    fn into_value(self) -> FlowSource {
        let transport = self.transport.unwrap_or_default();
        let mut allowed = transport.cidr_allow_list;
        allowed.extend(
            self.whitelist_cidr
                .filter(|one| !allowed.contains(one))
                .into_iter()
                .collect::<Vec<_>>(),
        );
        FlowSource {
            arn: self.source_arn.unwrap_or_default(),
            name: self.name.unwrap_or_default(),
            // Entitled content stays on AWS's network; its protocol is not told.
            protocol: transport
                .protocol
                .filter(|_| self.entitlement_arn.is_none()),
            min_latency_ms: transport.min_latency,
            encrypted: self.decryption.is_some()
                || self.router_integration_transit_decryption.is_some(),
            allowed,
            peer: self.peer_ip_address,
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Transport {
    protocol: Option<String>,
    min_latency: Option<u32>,
    cidr_allow_list: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Content {
    timestamp: Option<Timestamp>,
    transport_media_info: Option<MediaInfo>,
    #[serde(default)]
    messages: Vec<Message>,
}

#[derive(Deserialize)]
struct MediaInfo {
    #[serde(default)]
    programs: Vec<Program>,
}

#[derive(Deserialize)]
struct Program {
    #[serde(default)]
    streams: Vec<Stream>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stream {
    #[serde(default)]
    stream_type: String,
    codec: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}
