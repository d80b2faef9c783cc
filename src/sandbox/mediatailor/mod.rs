//! The embedded cloud's MediaTailor: playback configurations and prefetch schedules, read only.
//! API 2018-04-23.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::media::{SeedMedia, arn, is_here, last, ok, page, parameter, refused, segments};
use super::seed::letters;
use super::service::{Answer, Call};

/// Schedules of one page at most, per the API's `MaxResults`.
const PAGE: usize = 100;

/// What MediaTailor holds, by the configuration's name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    /// As `GetPlaybackConfiguration` answers them.
    configurations: BTreeMap<String, Value>,
    /// As `ListPrefetchSchedules` answers them.
    schedules: BTreeMap<String, Vec<Value>>,
    /// As `ListAlerts` answers them.
    #[serde(default)]
    alerts: BTreeMap<String, Vec<Value>>,
}

impl State {
    /// Adds the playback configurations of a workflow, with one schedule from doors to the end.
    pub(super) fn seed(&mut self, seed: &SeedMedia) {
        for configuration in &seed.ads {
            let (region, account, _) = arn(configuration);
            let name = last(configuration);
            let label = letters("mediatailor", account, name, 32).to_lowercase();
            let host = format!("https://{label}.mediatailor.{region}.amazonaws.com");
            let cdn = &seed.cdn;
            self.configurations.insert(
                name.to_owned(),
                json!({
                    "Name": name,
                    "PlaybackConfigurationArn": configuration,
                    "AdDecisionServerUrl": "https://ads.example.com/vast?session=[session.id]",
                    "VideoContentSourceUrl": format!("https://{cdn}/{}", seed.event),
                    "SlateAdUrl": format!("https://{cdn}/slate/slate.mp4"),
                    "CdnConfiguration": {
                        "AdSegmentUrlPrefix": format!("https://{cdn}/ad-segments"),
                        "ContentSegmentUrlPrefix": format!("https://{cdn}/{}", seed.event),
                    },
                    "AvailSuppression": {"Mode": "BEHIND_LIVE_EDGE", "Value": "00:00:30", "FillPolicy": "PARTIAL_AVAIL"},
                    "Bumper": {},
                    "ConfigurationAliases": {},
                    "DashConfiguration": {
                        "ManifestEndpointPrefix": format!("{host}/v1/dash/{label}/{name}/"),
                        "MpdLocation": "EMT_DEFAULT",
                        "OriginManifestType": "MULTI_PERIOD",
                    },
                    "HlsConfiguration": {"ManifestEndpointPrefix": format!("{host}/v1/master/{label}/{name}/")},
                    "InsertionMode": "STITCHED_ONLY",
                    "LivePreRollConfiguration": {},
                    "LogConfiguration": {"PercentEnabled": 100, "EnabledLoggingStrategies": ["LEGACY_CLOUDWATCH"]},
                    "ManifestProcessingRules": {"AdMarkerPassthrough": {"Enabled": false}},
                    "PersonalizationThresholdSeconds": 8,
                    "PlaybackEndpointPrefix": host,
                    "SessionInitializationEndpointPrefix": format!("{host}/v1/session/{label}/{name}/"),
                    "tags": {},
                }),
            );
            let (from, until) = (seed.doors.as_second(), seed.closes.as_second());
            self.schedules.insert(
                name.to_owned(),
                vec![json!({
                    "Arn": format!("arn:aws:mediatailor:{region}:{account}:prefetchSchedule/{name}/breaks"),
                    "Name": "breaks",
                    "PlaybackConfigurationName": name,
                    "ScheduleType": "SINGLE",
                    "Retrieval": {"StartTime": from, "EndTime": until},
                    "Consumption": {"StartTime": from, "EndTime": until},
                })],
            );
        }
    }
}

/// The operation that a call is for.
pub(super) fn operation(call: &Call<'_>) -> Option<&'static str> {
    let parts = segments(call);
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    match (call.method.as_str(), parts.as_slice()) {
        ("GET", ["playbackConfiguration", _]) => Some("GetPlaybackConfiguration"),
        ("POST", ["prefetchSchedule", _]) => Some("ListPrefetchSchedules"),
        ("GET", ["alerts"]) => Some("ListAlerts"),
        _ => None,
    }
}

/// Answers a call whose operation is known.
pub(super) fn handle(call: &Call<'_>, state: &mut State) -> Answer {
    if operation(call) == Some("ListAlerts") {
        return list_alerts(call, state);
    }
    let parts = segments(call);
    let name = parts.get(1).map_or("", String::as_str);
    let known = state.configurations.get(name).filter(|known| {
        let arn = known
            .get("PlaybackConfigurationArn")
            .and_then(Value::as_str);
        arn.is_some_and(|arn| is_here(call, arn))
    });
    let Some(known) = known else {
        // The service's model has one exception alone, of status 400; the SDKs' unmodeled 404 is
        // what is commonly seen.
        let message = format!("Could not find configuration with name {name}");
        return refused(call, 404, "NotFoundException", &message);
    };
    if operation(call) == Some("GetPlaybackConfiguration") {
        return ok(call, known);
    }
    list_schedules(
        call,
        state.schedules.get(name).map_or(&[][..], Vec::as_slice),
    )
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Asked {
    max_results: Option<usize>,
    next_token: Option<String>,
    schedule_type: Option<String>,
}

fn list_alerts(call: &Call<'_>, state: &State) -> Answer {
    let bad = |message: &str| refused(call, 400, "BadRequestException", message);
    let Some(resource) = parameter(call, "resourceArn") else {
        return bad("resourceArn is missing.");
    };
    let most = match parameter(call, "maxResults").map(|text| text.parse::<usize>()) {
        None => PAGE,
        Some(Ok(most @ 1..=PAGE)) => most,
        Some(_) => return bad("MaxResults must be between 1 and 100."),
    };
    // Of what it does not have it has no alerts: the API knows no other answer.
    let none = Vec::new();
    let known = state.alerts.get(last(&resource));
    let alerts = known.filter(|_| is_here(call, &resource)).unwrap_or(&none);
    let token = parameter(call, "nextToken");
    let Some((items, next)) = page(alerts, most, token.as_deref()) else {
        return bad("NextToken is invalid.");
    };
    let mut answer = json!({ "Items": items });
    if let Some(next) = next {
        answer["NextToken"] = json!(next);
    }
    ok(call, &answer)
}

fn list_schedules(call: &Call<'_>, schedules: &[Value]) -> Answer {
    let bad = |message: &str| refused(call, 400, "BadRequestException", message);
    let body: &[u8] = if call.body.is_empty() {
        b"{}"
    } else {
        call.body
    };
    let Ok(asked) = serde_json::from_slice::<Asked>(body) else {
        return bad("The request body could not be read.");
    };
    let most = match asked.max_results {
        None => PAGE,
        Some(most @ 1..=PAGE) => most,
        Some(_) => return bad("MaxResults must be between 1 and 100."),
    };
    // Without a type, single schedules alone are listed.
    let wanted = asked.schedule_type.as_deref().unwrap_or("SINGLE");
    if !matches!(wanted, "SINGLE" | "RECURRING" | "ALL") {
        return bad("ScheduleType must be SINGLE, RECURRING or ALL.");
    }
    let listed: Vec<Value> = schedules
        .iter()
        .filter(|one| {
            wanted == "ALL" || one.get("ScheduleType").and_then(Value::as_str) == Some(wanted)
        })
        .cloned()
        .collect();
    let Some((items, next)) = page(&listed, most, asked.next_token.as_deref()) else {
        return bad("NextToken is invalid.");
    };
    let mut answer = json!({ "Items": items });
    if let Some(next) = next {
        answer["NextToken"] = json!(next);
    }
    ok(call, &answer)
}
