//! The embedded cloud's MediaConnect: flows and what they carry, read only. API 2018-11-14.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::media::{SeedFlow, arn, is_here, last, ok, quiet_day, refused, segments};
use super::service::{Answer, Call};

/// What MediaConnect holds, by flow ARN.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    /// As `DescribeFlow` answers them, with `messages` beside the flow.
    flows: BTreeMap<String, Value>,
    /// As `DescribeFlowSourceMetadata` answers them; the time is added when asked.
    contents: BTreeMap<String, Value>,
}

impl State {
    /// Adds an active flow with SRT sources, encrypted, two of them merged.
    pub(super) fn seed(&mut self, seed: &SeedFlow, event: &str, doors: Timestamp) {
        let (region, account, _) = arn(&seed.arn);
        let name = last(&seed.arn);
        let sources: Vec<Value> = (0..seed.sources.max(1))
            .map(|index| source(seed, event, region, account, index))
            .collect();
        let mut flow = json!({
            "flowArn": seed.arn,
            "name": name,
            "description": format!("{event}: contribution"),
            "availabilityZone": format!("{region}a"),
            "egressIp": "198.51.100.21",
            "status": "ACTIVE",
            "entitlements": [],
            "outputs": [{
                "name": "encoder",
                "outputArn": format!("arn:aws:mediaconnect:{region}:{account}:output:1-{name}:encoder"),
                "mediaLiveInputArn": format!("arn:aws:medialive:{region}:{account}:input:{name}"),
                "outputStatus": "ENABLED",
            }],
            "source": sources[0],
            "sources": sources,
            "maintenance": {"maintenanceDay": quiet_day(doors), "maintenanceStartHour": "03:00"},
            "sourceMonitoringConfig": {"thumbnailState": "ENABLED"},
            "flowSize": "MEDIUM",
        });
        if seed.sources > 1 {
            flow["sourceFailoverConfig"] = json!({
                "state": "ENABLED", "failoverMode": "MERGE", "recoveryWindow": 200,
            });
        }
        let described = json!({ "flow": flow, "messages": { "errors": [] } });
        self.flows.insert(seed.arn.clone(), described);
        let content = json!({
            "flowArn": seed.arn,
            "messages": [],
            "transportMediaInfo": {"programs": [{
                "pcrPid": 256, "programNumber": 1, "programPid": 4096, "programName": event,
                "streams": [
                    {"pid": 256, "streamType": "Video", "codec": "H.264", "frameRate": "50/1",
                     "frameResolution": {"frameWidth": 1920, "frameHeight": 1080}},
                    {"pid": 257, "streamType": "Audio", "codec": "AAC", "channels": 2,
                     "sampleRate": 48000, "sampleSize": 16},
                ],
            }]},
        });
        self.contents.insert(seed.arn.clone(), content);
    }
}

fn source(seed: &SeedFlow, event: &str, region: &str, account: &str, index: u32) -> Value {
    let side = ["a", "b", "c", "d"].get(index as usize).unwrap_or(&"z");
    let name = format!("{event}-{side}");
    json!({
        "name": name,
        "sourceArn": format!("arn:aws:mediaconnect:{region}:{account}:source:1-{}:{name}", last(&seed.arn)),
        "description": format!("path {side}"),
        "decryption": {
            "keyType": "srt-password",
            "roleArn": format!("arn:aws:iam::{account}:role/mediaconnect-secrets"),
            "secretArn": format!("arn:aws:secretsmanager:{region}:{account}:secret:{event}-srt"),
        },
        "ingestIp": format!("198.51.100.{}", 31 + index),
        "ingestPort": 5000 + index,
        // Documentation addresses: the sender in the stadium.
        "peerIpAddress": format!("203.0.113.{}", 31 + index),
        "whitelistCidr": "203.0.113.0/24",
        "transport": {
            "protocol": "srt-listener",
            "minLatency": seed.latency,
            "maxLatency": 2000,
            "maxBitrate": 40_000_000,
            "cidrAllowList": ["203.0.113.0/24"],
        },
    })
}

/// The operation that a call is for.
pub(super) fn operation(call: &Call<'_>) -> Option<&'static str> {
    let parts = segments(call);
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    match (call.method.as_str(), parts.as_slice()) {
        ("GET", ["v1", "flows", _]) => Some("DescribeFlow"),
        ("GET", ["v1", "flows", _, "source-metadata"]) => Some("DescribeFlowSourceMetadata"),
        _ => None,
    }
}

/// Answers a call whose operation is known.
pub(super) fn handle(call: &Call<'_>, state: &mut State) -> Answer {
    let parts = segments(call);
    let name = parts.get(2).map_or("", String::as_str);
    let is_arn = name.starts_with("arn:aws:mediaconnect:") && name.contains(":flow:");
    if !is_arn {
        return refused(call, 400, "BadRequestException", "Invalid flow ARN.");
    }
    let (Some(flow), Some(content), true) = (
        state.flows.get(name),
        state.contents.get(name),
        is_here(call, name),
    ) else {
        let message = format!("Flow {name} not found.");
        return refused(call, 404, "NotFoundException", &message);
    };
    if operation(call) == Some("DescribeFlow") {
        return ok(call, flow);
    }
    if flow.pointer("/flow/status").and_then(Value::as_str) != Some("ACTIVE") {
        // UNVERIFIED what AWS answers for a flow at rest; this is the harsher of the two readings.
        let message = "The flow must be active to describe its source metadata.";
        return refused(call, 400, "BadRequestException", message);
    }
    let mut content = content.clone();
    if let Some(members) = content.as_object_mut() {
        members
            .entry("timestamp")
            .or_insert_with(|| json!(call.now.round(jiff::Unit::Second).unwrap_or(call.now)));
    }
    ok(call, &content)
}
