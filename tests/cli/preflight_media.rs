//! `onair preflight` on the live workflow and on playback: each fault turns exactly the checks it
//! should, and no other.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::harness::Desk;

const FLOW: &str = "/flows/arn:aws:mediaconnect:eu-central-1:111122223333:flow:1-UVNaUlAFVlVTDgMA-9c1f0b7a5e21:cup-final-stadium/flow";
const CONTENT: &str = "/contents/arn:aws:mediaconnect:eu-central-1:111122223333:flow:1-UVNaUlAFVlVTDgMA-9c1f0b7a5e21:cup-final-stadium";
const CHANNEL: &str = "/channels/1234567";
const PACKAGE: &str = "/regions/eu-west-1/cup-final/main";
const ADS: &str = "/configurations/cup-final";
const MAIN: &str = "/sites/E1CUPFINAL0001";
const BOTH: &str = "/sites/*";

/// What is changed in the embedded cloud's state, and which checks must say so.
struct Fault {
    name: &'static str,
    service: &'static str,
    /// A JSON pointer; `*` stands for every member.
    place: String,
    /// Null removes what is there.
    value: Value,
    fails: &'static [&'static str],
}

fn fault(
    name: &'static str,
    service: &'static str,
    place: String,
    value: Value,
    fails: &'static [&'static str],
) -> Fault {
    Fault {
        name,
        service,
        place,
        value,
        fails,
    }
}

fn contribution() -> Vec<Fault> {
    let connect = "mediaconnect";
    let live = "medialive";
    vec![
        fault(
            "flow at rest",
            connect,
            format!("{FLOW}/status"),
            json!("STANDBY"),
            &["workflow.flow-active"],
        ),
        fault(
            "flow in error",
            connect,
            format!("{FLOW}/status"),
            json!("ERROR"),
            &["workflow.flow-active"],
        ),
        fault(
            "one source silent",
            connect,
            format!("{FLOW}/sources/1/peerIpAddress"),
            Value::Null,
            &["workflow.flow-sources"],
        ),
        fault(
            "one source gone",
            connect,
            format!("{FLOW}/sources/1"),
            Value::Null,
            &["workflow.flow-sources"],
        ),
        fault(
            "no failover",
            connect,
            format!("{FLOW}/sourceFailoverConfig/state"),
            json!("DISABLED"),
            &["workflow.flow-failover"],
        ),
        fault(
            "a source in the clear",
            connect,
            format!("{FLOW}/sources/0/decryption"),
            Value::Null,
            &["workflow.flow-encryption"],
        ),
        fault(
            "latency too low",
            connect,
            format!("{FLOW}/sources/1/transport/minLatency"),
            json!(120),
            &["workflow.flow-latency"],
        ),
        fault(
            "anybody may send",
            connect,
            format!("{FLOW}/sources/0/whitelistCidr"),
            json!("0.0.0.0/0"),
            &["workflow.flow-senders"],
        ),
        fault(
            "no audio",
            connect,
            format!("{CONTENT}/transportMediaInfo/programs/0/streams/1"),
            Value::Null,
            &["workflow.flow-content"],
        ),
        fault(
            "flow restarted in the event",
            connect,
            format!("{FLOW}/maintenance"),
            json!({"maintenanceDay": "Sunday", "maintenanceStartHour": "19:00"}),
            &["workflow.flow-maintenance"],
        ),
        fault(
            "channel idle",
            live,
            format!("{CHANNEL}/state"),
            json!("IDLE"),
            &["workflow.channel-running"],
        ),
        fault(
            "one pipeline",
            live,
            format!("{CHANNEL}/pipelinesRunningCount"),
            json!(1),
            &["workflow.channel-pipelines"],
        ),
        fault(
            "an alert",
            live,
            "/alerts/1234567".to_owned(),
            json!([{"alertType": "Input Signal", "id": "1", "message": "no signal", "pipelineId": "0", "state": "SET"}]),
            &["workflow.channel-alerts"],
        ),
        fault(
            "input detached",
            live,
            "/inputs/12345671/state".to_owned(),
            json!("DETACHED"),
            &["workflow.channel-inputs"],
        ),
        fault(
            "no epoch locking",
            live,
            format!("{CHANNEL}/encoderSettings/globalConfiguration/outputLockingMode"),
            json!("PIPELINE_LOCKING"),
            &["workflow.channel-locking"],
        ),
        fault(
            "time from zero",
            live,
            format!("{CHANNEL}/encoderSettings/timecodeConfig/source"),
            json!("ZEROBASED"),
            &["workflow.channel-locking"],
        ),
        fault(
            "no CMAF ingest",
            live,
            format!("{CHANNEL}/encoderSettings/outputGroups"),
            json!([]),
            &["workflow.channel-outputs"],
        ),
        fault(
            "channel restarted in the event",
            live,
            format!("{CHANNEL}/maintenance"),
            json!({"maintenanceDay": "SUNDAY", "maintenanceStartTime": "19:00"}),
            &["workflow.channel-maintenance"],
        ),
    ]
}

fn packaging() -> Vec<Fault> {
    let package = "mediapackage";
    let tailor = "mediatailor";
    let endpoint = |place: &str| format!("{PACKAGE}/endpoints/hls/endpoint/{place}");
    vec![
        fault("no forced errors", package, endpoint("ForceEndpointErrorConfiguration"), Value::Null, &["workflow.endpoint-errors"]),
        fault("endpoint without times", package, endpoint("HlsManifests/0/ProgramDateTimeIntervalSeconds"), Value::Null, &["workflow.endpoint-manifests"]),
        fault("endpoint gone", package, format!("{PACKAGE}/endpoints/hls"), Value::Null, &["workflow.endpoint-manifests"]),
        fault("other segments", package, endpoint("Segment/SegmentDurationSeconds"), json!(6), &["workflow.endpoint-segments"]),
        fault("nothing kept", package, endpoint("StartoverWindowSeconds"), json!(0), &["workflow.endpoint-startover"]),
        fault("not encrypted", package, endpoint("Segment/Encryption"), Value::Null, &["workflow.endpoint-encryption"]),
        fault("no policy", package, format!("{PACKAGE}/endpoints/hls/policy"), Value::Null, &["workflow.endpoint-policy"]),
        fault(
            "no HEAD for CloudFront",
            package,
            format!("{PACKAGE}/endpoints/hls/policy/Policy"),
            json!(json!({"Statement": [{"Effect": "Allow", "Principal": {"Service": "cloudfront.amazonaws.com"}, "Action": "mediapackagev2:GetObject", "Condition": {"StringLike": {"AWS:SourceArn": "arn:aws:cloudfront::111122223333:*"}}}]}).to_string()),
            &["workflow.endpoint-policy"],
        ),
        fault("score not published", package, format!("{PACKAGE}/channel/OutputHeaderConfiguration/PublishMQCS"), json!(false), &["workflow.media-quality"]),
        fault("HLS ingest", package, format!("{PACKAGE}/channel/InputType"), json!("HLS"), &["workflow.package-ingest"]),
        fault("no slate", tailor, format!("{ADS}/SlateAdUrl"), Value::Null, &["workflow.ads-slate"]),
        fault("ads past the CDN", tailor, format!("{ADS}/CdnConfiguration/AdSegmentUrlPrefix"), json!("https://elsewhere.example.org/ads"), &["workflow.ads-segments"]),
        fault("no ad server", tailor, format!("{ADS}/AdDecisionServerUrl"), json!(""), &["workflow.ads-source"]),
        fault(
            "an alert of MediaTailor",
            tailor,
            "/alerts/cup-final".to_owned(),
            json!([{"AlertCode": "NOT_READY", "AlertMessage": "The ad server is slow", "LastModifiedTime": 1_781_300_000, "RelatedResourceArns": [], "ResourceArn": "arn:aws:mediatailor:eu-central-1:111122223333:playbackConfiguration/cup-final"}]),
            &["workflow.ads-alerts"],
        ),
        fault("no logs of ads", tailor, format!("{ADS}/LogConfiguration/PercentEnabled"), json!(0), &["workflow.ads-logs"]),
        // An hour after kickoff.
        fault("prefetch ends early", tailor, "/schedules/cup-final/0/Consumption/EndTime".to_owned(), json!(1_781_465_400), &["workflow.ads-prefetch"]),
    ]
}

fn playback() -> Vec<Fault> {
    let origin = "origin";
    vec![
        fault(
            "license server down",
            origin,
            "/licenses/drm.example.com".to_owned(),
            json!(503),
            &["workflow.drm-license"],
        ),
        fault(
            "stale",
            origin,
            format!("{BOTH}/behind-seconds"),
            json!(90),
            &["playback.fresh", "playback.dash", "playback.ads"],
        ),
        fault(
            "one distribution stale",
            origin,
            format!("{MAIN}/behind-seconds"),
            json!(90),
            &[
                "playback.fresh",
                "playback.dash",
                "playback.ads",
                "playback.same",
            ],
        ),
        fault(
            "a rendition missing",
            origin,
            format!("{BOTH}/serves/ladder/0"),
            Value::Null,
            &["playback.ladder", "playback.dash"],
        ),
        fault(
            "no date-time",
            origin,
            format!("{BOTH}/date-time"),
            json!(false),
            &["playback.date-time"],
        ),
        fault(
            "segments missing",
            origin,
            format!("{BOTH}/segment-status"),
            json!(404),
            &["playback.segments", "playback.dash", "playback.ads"],
        ),
        fault(
            "target duration",
            origin,
            format!("{BOTH}/target-seconds"),
            json!(10),
            &["playback.durations"],
        ),
        fault(
            "manifest gone",
            origin,
            format!("{BOTH}/manifest-status"),
            json!(404),
            &["playback.manifest", "playback.dash", "playback.ads"],
        ),
        fault(
            "manifests kept",
            origin,
            format!("{BOTH}/manifest-cache"),
            json!("max-age=60"),
            &["playback.manifest-cache"],
        ),
        fault(
            "segments not kept",
            origin,
            format!("{BOTH}/segment-cache"),
            json!("max-age=2"),
            &["playback.segment-cache"],
        ),
        fault(
            "no score",
            origin,
            format!("{BOTH}/serves/quality"),
            Value::Null,
            &["playback.media-quality"],
        ),
        fault(
            "wrong content type",
            origin,
            format!("{BOTH}/manifest-type"),
            json!("text/html"),
            &["playback.content-types"],
        ),
        fault(
            "origin open",
            origin,
            "/direct/*".to_owned(),
            json!(200),
            &["origin.direct"],
        ),
    ]
}

/// The file of a service's state.
fn state(desk: &Desk, service: &str) -> PathBuf {
    let folder = desk.path("runbooks/.onair/rehearsal/cup-final/cloud");
    let index: Value = serde_json::from_slice(
        &std::fs::read(folder.join("index.json")).expect("the index is there"),
    )
    .expect("a rehearsal's state can be read and written");
    let generation = &index["parts"][service];
    folder.join(format!("{service}.{generation}.json"))
}

/// Puts a value at a place, or removes what is there.
fn set(state: &mut Value, place: &[&str], value: &Value) {
    let [first, rest @ ..] = place else {
        *state = value.clone();
        return;
    };
    if *first == "*" {
        for one in state
            .as_object_mut()
            .expect("a star stands for members")
            .values_mut()
        {
            set(one, rest, value);
        }
        return;
    }
    match state {
        Value::Array(list) => {
            let index: usize = first.parse().expect("a position");
            if rest.is_empty() && value.is_null() {
                list.remove(index);
            } else {
                set(&mut list[index], rest, value);
            }
        }
        Value::Object(members) => {
            if rest.is_empty() && value.is_null() {
                assert!(members.remove(*first).is_some(), "{first} is not there");
            } else {
                set(
                    members.entry((*first).to_owned()).or_insert(Value::Null),
                    rest,
                    value,
                );
            }
        }
        other => panic!("{first} leads into {other}"),
    }
}

/// The checks that fail, of those that look at the workflow and at playback.
fn failing(desk: &Desk) -> (BTreeSet<String>, String) {
    let run = desk.onair(&[
        "-o",
        "json",
        "preflight",
        "--for-phase",
        "live",
        "--only",
        "workflow.*,playback.*,origin.direct",
    ]);
    let answer = run.json();
    let checks = answer["data"]["checks"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    assert!(checks.len() > 40, "{run}");
    let failing = checks
        .iter()
        .filter(|check| {
            // An accepted risk is a failure that somebody took.
            matches!(
                check["status"].as_str(),
                Some("fail" | "waived" | "could-not-ask")
            )
        })
        .map(|check| check["id"].as_str().unwrap_or_default().to_owned())
        .collect();
    (failing, run.to_string())
}

fn desk() -> Desk {
    let desk = Desk::new().rehearsing();
    desk.onair(&["sandbox", "reset", "--rates", "off"])
        .expect_success();
    desk
}

#[test]
fn a_fresh_workflow_passes() {
    let (found, run) = failing(&desk());
    assert!(found.is_empty(), "{found:?}\n{run}");
}

#[test]
fn each_fault_of_the_contribution_turns_its_checks_and_no_other() {
    try_out(contribution());
}

#[test]
fn each_fault_of_packaging_and_ads_turns_its_checks_and_no_other() {
    try_out(packaging());
}

#[test]
fn each_fault_of_playback_turns_its_checks_and_no_other() {
    try_out(playback());
}

fn try_out(faults: Vec<Fault>) {
    let desk = desk();
    let mut wrong = Vec::new();
    for fault in faults {
        let file = state(&desk, fault.service);
        let before = std::fs::read(&file).expect("a rehearsal's state can be read and written");
        let mut changed: Value =
            serde_json::from_slice(&before).expect("a rehearsal's state can be read and written");
        let place: Vec<&str> = fault.place.split('/').skip(1).collect();
        set(&mut changed, &place, &fault.value);
        std::fs::write(&file, changed.to_string())
            .expect("a rehearsal's state can be read and written");
        let (found, run) = failing(&desk);
        std::fs::write(&file, &before).expect("a rehearsal's state can be read and written");
        let expected: BTreeSet<String> = fault.fails.iter().map(|&id| id.to_owned()).collect();
        if found != expected {
            wrong.push(format!(
                "{}: {found:?} instead of {expected:?}\n{run}",
                fault.name
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn a_latency_is_held_against_the_round_trip_that_is_measured_while_video_comes() {
    let desk = desk();
    let asked = || {
        let only = ["--only", "workflow.flow-round-trip"];
        let run = desk.onair(&[&["-o", "json", "preflight"][..], &only].concat());
        run.json()["data"]["checks"][0].clone()
    };
    assert_eq!(asked()["status"], "not-applicable", "nothing comes yet");
    desk.onair(&["sandbox", "reset", "--keep", "--at", "ko+30m"])
        .expect_success();
    assert_eq!(asked()["status"], "pass", "{}", asked());
    let place = format!("{FLOW}/sources/1/transport/minLatency");
    desk.onair(&["sandbox", "set", "mediaconnect", &place, "100"])
        .expect_success();
    let found = asked();
    assert_eq!(
        (&found["status"], &found["severity"]),
        (&json!("fail"), &json!("warning")),
        "{found}"
    );
    let fix = found["fix"].as_str().unwrap_or_default();
    assert!(fix.contains("--min-latency"), "{found}");
}
