//! The embedded cloud's MediaLive: channels, alerts and inputs, read only. API 2017-10-14.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::media::{
    SeedMedia, arn, is_here, last, ok, page, parameter, quiet_day, refused, segments,
};
use super::service::{Answer, Call};

/// Alerts of one page at most.
const PAGE: usize = 100;

/// What MediaLive holds, by id.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    /// As `DescribeChannel` answers them.
    channels: BTreeMap<String, Value>,
    /// As `ListAlerts` answers them, by channel.
    alerts: BTreeMap<String, Vec<Value>>,
    /// As `DescribeInput` answers them.
    inputs: BTreeMap<String, Value>,
}

impl State {
    /// Adds the channels of a workflow: two pipelines each, fed by the flows, locked to the epoch,
    /// sending CMAF ingest to every region that packages.
    pub(super) fn seed(&mut self, seed: &SeedMedia) {
        for channel in &seed.channels {
            self.seed_channel(seed, channel);
        }
    }

    fn seed_channel(&mut self, seed: &SeedMedia, channel_arn: &str) {
        let (region, account, _) = arn(channel_arn);
        let id = last(channel_arn);
        let event = &seed.event;
        let input_id = format!("{id}1");
        let input_name = format!("{event}-contribution");
        let flows: Vec<&str> = seed
            .flows
            .iter()
            .map(|flow| flow.arn.as_str())
            .filter(|flow| arn(flow).0 == region)
            .take(2)
            .collect();
        let targets = packagers(seed);
        let destinations: Vec<Value> = targets
            .iter()
            .enumerate()
            .map(|(index, (target, group, name))| {
                let to = |endpoint: u32| {
                    json!({
                        "channelGroup": group, "channelName": name,
                        "channelEndpointId": endpoint.to_string(),
                        "mediaPackageRegionName": target,
                    })
                };
                json!({
                    "id": format!("package-{index}"),
                    "mediaPackageSettings": [to(1), to(2)],
                    "settings": [],
                })
            })
            .collect();
        let groups: Vec<Value> = (0..targets.len()).map(|index| group(seed, index)).collect();
        let pipelines: Vec<Value> = ["0", "1"]
            .iter()
            .map(|pipeline| {
                json!({
                    "pipelineId": pipeline,
                    "activeInputAttachmentName": input_name,
                    "activeInputSwitchActionName": "Initial Channel Input",
                })
            })
            .collect();
        let channel = json!({
            "arn": channel_arn,
            "id": id,
            "name": event,
            "state": "RUNNING",
            "channelClass": "STANDARD",
            "pipelinesRunningCount": 2,
            "pipelineDetails": pipelines,
            "inputAttachments": [{
                "inputId": input_id, "inputAttachmentName": input_name,
                "inputSettings": {"audioSelectors": [], "captionSelectors": []},
            }],
            "inputSpecification": {
                "codec": "AVC", "maximumBitrate": "MAX_50_MBPS", "resolution": "HD",
            },
            "destinations": destinations,
            "encoderSettings": {
                "audioDescriptions": [],
                "videoDescriptions": [],
                "outputGroups": groups,
                "timecodeConfig": {"source": "EMBEDDED", "syncThreshold": 1},
                "globalConfiguration": {
                    "outputLockingMode": "EPOCH_LOCKING",
                    "inputEndAction": "NONE",
                    "outputTimingSource": "INPUT_CLOCK",
                    "supportLowFramerateInputs": "DISABLED",
                },
            },
            "logLevel": "WARNING",
            "maintenance": {
                "maintenanceDay": quiet_day(seed.doors).to_uppercase(),
                "maintenanceStartTime": "03:00",
            },
            "roleArn": format!("arn:aws:iam::{account}:role/MediaLiveAccessRole"),
            "egressEndpoints": [{"sourceIp": "198.51.100.41"}, {"sourceIp": "198.51.100.42"}],
            "tags": {},
        });
        self.channels.insert(id.to_owned(), channel);
        self.alerts.insert(id.to_owned(), Vec::new());
        let input = json!({
            "arn": format!("arn:aws:medialive:{region}:{account}:input:{input_id}"),
            "id": input_id,
            "name": input_name,
            "state": "ATTACHED",
            "type": if flows.is_empty() { "SRT_LISTENER" } else { "MEDIACONNECT" },
            "inputClass": "STANDARD",
            "inputSourceType": "STATIC",
            "attachedChannels": [id],
            "mediaConnectFlows": flows.iter().map(|flow| json!({"flowArn": flow})).collect::<Vec<_>>(),
            "securityGroups": [],
            "tags": {},
        });
        self.inputs.insert(input_id, input);
    }
}

/// Region, channel group and channel of every origin endpoint, each once.
fn packagers(seed: &SeedMedia) -> Vec<(String, String, String)> {
    let mut targets = Vec::new();
    for endpoint in &seed.endpoints {
        let (region, _, resource) = arn(endpoint);
        let parts: Vec<&str> = resource.split('/').collect();
        if let [_, group, _, channel, ..] = parts[..] {
            let target = (region.to_owned(), group.to_owned(), channel.to_owned());
            if !targets.contains(&target) {
                targets.push(target);
            }
        }
    }
    targets
}

fn group(seed: &SeedMedia, index: usize) -> Value {
    json!({
        "name": format!("package-{index}"),
        "outputGroupSettings": {"cmafIngestGroupSettings": {
            "destination": {"destinationRefId": format!("package-{index}")},
            "segmentLength": seed.segment_seconds,
            "segmentLengthUnits": "SECONDS",
            "scte35Type": "SCTE_35_WITHOUT_SEGMENTATION",
        }},
        "outputs": [],
    })
}

/// The operation that a call is for.
pub(super) fn operation(call: &Call<'_>) -> Option<&'static str> {
    let parts = segments(call);
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    match (call.method.as_str(), parts.as_slice()) {
        ("GET", ["prod", "channels", _]) => Some("DescribeChannel"),
        ("GET", ["prod", "channels", _, "alerts"]) => Some("ListAlerts"),
        ("GET", ["prod", "inputs", _]) => Some("DescribeInput"),
        _ => None,
    }
}

/// Answers a call whose operation is known.
pub(super) fn handle(call: &Call<'_>, state: &mut State) -> Answer {
    let parts = segments(call);
    let id = parts.get(2).map_or("", String::as_str);
    let operation = operation(call);
    let known = match operation {
        Some("DescribeInput") => state.inputs.get(id),
        _ => state.channels.get(id),
    };
    let here = known.filter(|known| {
        let arn = known.get("arn").and_then(Value::as_str);
        arn.is_some_and(|arn| is_here(call, arn))
    });
    let Some(known) = here else {
        let kind = match operation {
            Some("DescribeInput") => "Input",
            _ => "Channel",
        };
        let message = format!("{kind} Id {id} not found");
        return refused(call, 404, "NotFoundException", &message);
    };
    if operation != Some("ListAlerts") {
        return ok(call, known);
    }
    let wanted = parameter(call, "stateFilter");
    if !matches!(wanted.as_deref(), None | Some("SET" | "CLEARED")) {
        return refused(call, 400, "BadRequestException", "Invalid stateFilter");
    }
    let most = match parameter(call, "maxResults").map(|text| text.parse::<usize>()) {
        None => PAGE,
        Some(Ok(most @ 1..=1000)) => most.min(PAGE),
        Some(_) => return refused(call, 400, "BadRequestException", "Invalid maxResults"),
    };
    let alerts: Vec<Value> = state
        .alerts
        .get(id)
        .into_iter()
        .flatten()
        .filter(|alert| {
            wanted.is_none() || alert.get("state").and_then(Value::as_str) == wanted.as_deref()
        })
        .cloned()
        .collect();
    let token = parameter(call, "nextToken");
    let Some((alerts, next)) = page(&alerts, most, token.as_deref()) else {
        return refused(call, 400, "BadRequestException", "Invalid nextToken");
    };
    let mut answer = json!({ "alerts": alerts });
    if let Some(next) = next {
        answer["nextToken"] = json!(next);
    }
    ok(call, &answer)
}
