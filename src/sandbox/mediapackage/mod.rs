//! The embedded cloud's MediaPackage v2: channels, origin endpoints and their policies, read only.
//! API 2022-12-25.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::media::{SeedMedia, arn, ok, refused, segments};
use super::seed::letters;
use super::service::{Answer, Call};

/// What MediaPackage holds, by region, channel group and channel: two regions may have the same
/// names, and must for failover by media quality.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    regions: BTreeMap<String, BTreeMap<String, BTreeMap<String, Channel>>>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Channel {
    /// As `GetChannel` answers it.
    channel: Value,
    endpoints: BTreeMap<String, Endpoint>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Endpoint {
    /// As `GetOriginEndpoint` answers it.
    endpoint: Value,
    /// As `GetOriginEndpointPolicy` answers it; null: there is none.
    policy: Value,
}

impl State {
    /// Adds the origin endpoints of a workflow and their channels: CMAF ingest with media quality,
    /// errors forced, open to the distributions alone.
    pub(super) fn seed(&mut self, seed: &SeedMedia) {
        for endpoint in &seed.endpoints {
            let (region, account, resource) = arn(endpoint);
            let parts: Vec<&str> = resource.split('/').collect();
            let [_, group, _, channel, _, name] = parts[..] else {
                continue;
            };
            let held = self
                .regions
                .entry(region.to_owned())
                .or_default()
                .entry(group.to_owned())
                .or_default()
                .entry(channel.to_owned())
                .or_insert_with(|| Channel {
                    channel: seeded_channel(seed, region, account, group, channel),
                    endpoints: BTreeMap::new(),
                });
            let made = Endpoint {
                endpoint: seeded_endpoint(seed, endpoint, [group, channel, name]),
                policy: json!({
                    "ChannelGroupName": group,
                    "ChannelName": channel,
                    "OriginEndpointName": name,
                    "Policy": policy(endpoint, &seed.distributions),
                }),
            };
            held.endpoints.insert(name.to_owned(), made);
        }
    }
}

/// When everything was made: a month before doors, epoch seconds.
fn made(seed: &SeedMedia) -> i64 {
    seed.doors.as_second() - 30 * 86_400
}

fn seeded_channel(
    seed: &SeedMedia,
    region: &str,
    account: &str,
    group: &str,
    channel: &str,
) -> Value {
    let label = host_label(account, region, group);
    let ingest = |id: u32| {
        json!({
            "Id": id.to_string(),
            "Url": format!(
                "https://{label}-{id}.ingest.{label}.mediapackagev2.{region}.amazonaws.com/in/v1/{group}/{id}/{channel}/index"
            ),
        })
    };
    json!({
        "Arn": format!("arn:aws:mediapackagev2:{region}:{account}:channelGroup/{group}/channel/{channel}"),
        "ChannelName": channel,
        "ChannelGroupName": group,
        "CreatedAt": made(seed),
        "ModifiedAt": made(seed),
        "Description": seed.event,
        "IngestEndpoints": [ingest(1), ingest(2)],
        "InputType": "CMAF",
        "InputSwitchConfiguration": {"MQCSInputSwitching": true},
        "OutputHeaderConfiguration": {"PublishMQCS": true},
        "OutputLockingMode": "EPOCH_LOCKED",
        "ETag": letters("etag", account, channel, 16).to_lowercase(),
        "Tags": {},
    })
}

/// The label that a channel group's host names begin with; it is made of the group alone.
fn host_label(account: &str, region: &str, group: &str) -> String {
    letters("channel-group", account, &format!("{region}/{group}"), 6).to_lowercase()
}

fn seeded_endpoint(seed: &SeedMedia, endpoint: &str, [group, channel, name]: [&str; 3]) -> Value {
    let (region, account, _) = arn(endpoint);
    let label = host_label(account, region, group);
    let url = |file: &str| {
        format!(
            "https://{label}.egress.{label}.mediapackagev2.{region}.amazonaws.com/out/v1/{group}/{channel}/{name}/{file}"
        )
    };
    json!({
        "Arn": endpoint,
        "ChannelGroupName": group,
        "ChannelName": channel,
        "OriginEndpointName": name,
        "ContainerType": "CMAF",
        "Segment": {
            "SegmentDurationSeconds": seed.segment_seconds,
            "SegmentName": "segment",
            "Encryption": {
                "EncryptionMethod": {"CmafEncryptionMethod": "CBCS"},
                "KeyRotationIntervalSeconds": 3600,
                "SpekeKeyProvider": {
                    "EncryptionContractConfiguration": {
                        "PresetSpeke20Audio": "SHARED", "PresetSpeke20Video": "SHARED",
                    },
                    "ResourceId": seed.event,
                    "DrmSystems": ["FAIRPLAY", "WIDEVINE", "PLAYREADY"],
                    "RoleArn": format!("arn:aws:iam::{account}:role/mediapackage-speke"),
                    "Url": "https://speke.example.com/v2",
                },
            },
        },
        "CreatedAt": made(seed),
        "ModifiedAt": made(seed),
        "Description": seed.event,
        "StartoverWindowSeconds": 7200,
        "HlsManifests": [{
            "ManifestName": "master",
            "Url": url("master.m3u8"),
            "ChildManifestName": "index",
            "ManifestWindowSeconds": 60,
            "ProgramDateTimeIntervalSeconds": 1,
        }],
        "LowLatencyHlsManifests": [],
        "DashManifests": [{
            "ManifestName": "manifest",
            "Url": url("manifest.mpd"),
            "ManifestWindowSeconds": 60,
            "MinUpdatePeriodSeconds": 2,
            "MinBufferTimeSeconds": 8,
            "SuggestedPresentationDelaySeconds": 12,
            "SegmentTemplateFormat": "NUMBER_WITH_TIMELINE",
        }],
        "MssManifests": [],
        "ForceEndpointErrorConfiguration": {
            "EndpointErrorConditions": ["STALE_MANIFEST", "INCOMPLETE_MANIFEST", "MISSING_DRM_KEY", "SLATE_INPUT"],
        },
        "UriSeparator": "UNDERSCORE",
        "ETag": letters("etag", account, name, 16).to_lowercase(),
        "Tags": {},
    })
}

/// Lets these distributions alone read, media quality included.
fn policy(endpoint: &str, distributions: &[String]) -> String {
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "AllowCloudFront",
            "Effect": "Allow",
            "Principal": {"Service": "cloudfront.amazonaws.com"},
            "Action": ["mediapackagev2:GetObject", "mediapackagev2:GetHeadObject"],
            "Resource": endpoint,
            "Condition": {"StringEquals": {"AWS:SourceArn": distributions}},
        }],
    })
    .to_string()
}

/// The operation that a call is for.
pub(super) fn operation(call: &Call<'_>) -> Option<&'static str> {
    let parts = segments(call);
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    match (call.method.as_str(), parts.as_slice()) {
        ("GET", ["channelGroup", _, "channel", _]) => Some("GetChannel"),
        ("GET", ["channelGroup", _, "channel", _, "originEndpoint", _]) => {
            Some("GetOriginEndpoint")
        }
        (
            "GET",
            [
                "channelGroup",
                _,
                "channel",
                _,
                "originEndpoint",
                _,
                "policy",
            ],
        ) => Some("GetOriginEndpointPolicy"),
        _ => None,
    }
}

/// Answers a call whose operation is known.
pub(super) fn handle(call: &Call<'_>, state: &mut State) -> Answer {
    let parts = segments(call);
    let named = |index: usize| parts.get(index).map_or("", String::as_str);
    let (group, channel, endpoint) = (named(1), named(3), named(5));
    let missing = |kind: &str| {
        let message = format!("{kind} does not exist");
        let mut answer = refused(call, 404, "ResourceNotFoundException", &message);
        // This service alone spells the member in upper case.
        answer.body = json!({ "Message": message }).to_string().into_bytes();
        answer
    };
    let groups = call.region.and_then(|region| state.regions.get(region));
    let Some(channels) = groups.and_then(|groups| groups.get(group)) else {
        return missing("Channel group");
    };
    let Some(held) = channels.get(channel) else {
        return missing("Channel");
    };
    match operation(call) {
        Some("GetChannel") => ok(call, &held.channel),
        Some(operation) => match held.endpoints.get(endpoint) {
            None => missing("Origin endpoint"),
            Some(held) if operation == "GetOriginEndpoint" => ok(call, &held.endpoint),
            Some(held) if held.policy.is_null() => missing("Origin endpoint policy"),
            Some(held) => ok(call, &held.policy),
        },
        None => missing("Resource"),
    }
}
