use std::time::Duration;

use super::testing::{Canned, json_error, scripted, xml_error};
use crate::clock::Clock;
use crate::cloud::{
    Approved, Cloud, CloudError, ConnectOptions, DistributionDocument, EndpointUrls, GeoKind,
    GeoRestriction, IpSetIdentity, Probe, Target,
};

const STORE: &str =
    "arn:aws:cloudfront::111122223333:key-value-store/11111111-2222-3333-4444-555555555555";

const DOCUMENT: &str = "<?xml version=\"1.0\"?>\n<DistributionConfig xmlns=\"http://cloudfront.amazonaws.com/doc/2020-05-31/\"><CallerReference>r</CallerReference><NotYetKnown a='1'/><Comment>c</Comment><Enabled>true</Enabled></DistributionConfig>";

const UPDATED: &str = "<Distribution><Id>E1</Id></Distribution>";

fn set() -> IpSetIdentity {
    IpSetIdentity {
        name: "block-v4".to_owned(),
        id: "1".to_owned(),
        description: None,
    }
}

fn answer(body: &str) -> Canned {
    Canned::Answer(200, vec![], body.to_owned())
}

async fn update_set(answers: Vec<Canned>) -> (Result<String, CloudError>, Vec<(String, u32)>) {
    let (cloud, _script) = scripted(answers).await;
    let approved = Approved::by_confirmation();
    let result = cloud.update_ip_set(&approved, &set(), &[], "t1").await;
    (result, cloud.calls())
}

#[tokio::test]
async fn returns_a_document_byte_for_byte_and_sends_the_edited_one() {
    let (cloud, script) = scripted([
        Canned::Answer(200, vec![("etag", "V1")], DOCUMENT.to_owned()),
        Canned::Broken,
        Canned::Answer(200, vec![("etag", "V2")], UPDATED.to_owned()),
    ])
    .await;
    let read = cloud.distribution_document("E1").await.unwrap();
    assert_eq!(read.value.bytes(), DOCUMENT.as_bytes());
    assert_eq!(read.version, "V1");
    let wanted = GeoRestriction {
        kind: GeoKind::Block,
        countries: vec!["AT".to_owned()],
    };
    let edited = read.value.with_geo(&wanted).unwrap();
    let next = cloud
        .update_distribution(&Approved::by_confirmation(), "E1", &edited, "V1")
        .await
        .unwrap();
    assert_eq!(next, "V2");
    let seen = script.seen();
    for put in &seen[1..] {
        assert_eq!(put.method, "PUT");
        assert_eq!(put.header("if-match"), Some("V1"));
        assert_eq!(put.body.as_bytes(), edited.bytes());
        assert_eq!(
            put.header("content-length"),
            Some(edited.bytes().len().to_string().as_str())
        );
    }
    assert_eq!(
        cloud.calls(),
        [
            ("cloudfront.GetDistributionConfig".to_owned(), 1),
            ("cloudfront.UpdateDistribution".to_owned(), 2)
        ]
    );
}

#[tokio::test]
async fn a_conflict_on_the_first_attempt_is_someone_elses() {
    for (status, code) in [(412, "PreconditionFailed"), (400, "InvalidIfMatchVersion")] {
        let (cloud, _script) = scripted([xml_error(status, code, "no")]).await;
        let document = DistributionDocument::new(DOCUMENT);
        let error = cloud
            .update_distribution(&Approved::by_confirmation(), "E1", &document, "V1")
            .await
            .unwrap_err();
        assert_eq!(error.code(), "conflict");
        assert!(!error.may_have_landed());
        assert_eq!(error.request_id(), Some("request-1"));
    }
}

#[tokio::test]
async fn a_conflict_after_a_lost_answer_may_be_our_own_write() {
    let conflict = || json_error(400, "WAFOptimisticLockException", "changed");
    for (first, ambiguous) in [
        (Canned::Broken, true),
        (json_error(500, "WAFInternalErrorException", "oh"), true),
        (Canned::NoConnection, false),
        (
            json_error(400, "ThrottlingException", "Rate exceeded"),
            false,
        ),
    ] {
        let (result, calls) = update_set(vec![first.clone(), conflict()]).await;
        let error = result.unwrap_err();
        assert_eq!(error.code(), "conflict", "{first:?}: {error}");
        assert_eq!(error.may_have_landed(), ambiguous, "{first:?}");
        assert_eq!(calls, [("wafv2.UpdateIPSet".to_owned(), 2)]);
    }
}

#[tokio::test]
async fn tells_a_lost_write_from_one_that_was_never_sent() {
    let (lost, _) = update_set(vec![Canned::Broken; 3]).await;
    assert_eq!(lost.unwrap_err().code(), "lost");
    let (unsent, _) = update_set(vec![Canned::NoConnection; 3]).await;
    let unsent = unsent.unwrap_err();
    assert_eq!(unsent.code(), "unreachable");
    assert!(
        unsent.to_string().contains("wafv2.us-east-1.amazonaws.com"),
        "{unsent}"
    );
    let (garbled, _) = update_set(vec![answer("{"), answer("{"), answer("{")]).await;
    assert_eq!(garbled.unwrap_err().code(), "lost");
}

#[tokio::test]
async fn maps_each_code_to_what_the_caller_does_next() {
    let cases = [
        ("ThrottlingException", 400, "throttled"),
        ("WAFNonexistentItemException", 400, "not-found"),
        ("AccessDeniedException", 400, "denied"),
        ("WAFLimitsExceededException", 400, "limit"),
        ("WAFInvalidOperationException", 400, "refused"),
        ("WAFInternalErrorException", 500, "server"),
        ("ExpiredTokenException", 400, "no-credentials"),
    ];
    for (code, status, expected) in cases {
        let (result, _) = update_set(vec![json_error(status, code, "text"); 3]).await;
        assert_eq!(result.unwrap_err().code(), expected, "{code}");
    }
}

#[tokio::test]
async fn says_what_waf_found_wrong_with_a_parameter() {
    let body = r#"{"__type":"WAFInvalidParameterException","message":"Error reason: bad","Field":"IP_ADDRESS","Parameter":"0.0.0.0/0","Reason":"not \u001b[31mvalid"}"#;
    let (result, _) = update_set(vec![Canned::Answer(400, vec![], body.to_owned())]).await;
    insta::assert_snapshot!(
        result.unwrap_err(),
        @r"wafv2.UpdateIPSet: refused (WAFInvalidParameterException): Error reason: bad; reason not \u{1b}[31mvalid; field IP_ADDRESS; parameter 0.0.0.0/0"
    );
}

#[tokio::test]
async fn never_repeats_what_a_refused_signature_echoes() {
    let text = "canonical string: x-amz-security-token:SECRET";
    let (cloud, _script) = scripted([xml_error(403, "SignatureDoesNotMatch", text)]).await;
    let error = cloud.distribution("E1").await.unwrap_err();
    insta::assert_snapshot!(error, @"no usable AWS credentials: cloudfront.GetDistribution did not accept them (SignatureDoesNotMatch)");
}

#[tokio::test]
async fn names_the_missing_permission() {
    let (cloud, _script) = scripted([
        xml_error(403, "AccessDenied", "no"),
        xml_error(400, "InvalidWebACLId", "unable to verify read permissions"),
        xml_error(404, "NoSuchDistribution", "no"),
    ])
    .await;
    let error = cloud.distribution("E1").await.unwrap_err();
    assert!(
        matches!(&error, CloudError::Denied { action, .. } if action == "cloudfront:GetDistribution"),
        "{error:?}"
    );
    let error = cloud.distribution("E1").await.unwrap_err();
    assert!(
        matches!(&error, CloudError::Refused { may_need: Some(action), .. } if action == "wafv2:GetWebACL"),
        "{error:?}"
    );
    let error = cloud.distribution("E1").await.unwrap_err();
    assert!(error.to_string().contains("distribution E1 not found"));
}

#[tokio::test]
async fn takes_a_stale_store_version_for_a_conflict_whatever_its_code() {
    let approved = Approved::by_confirmation();
    for (status, code, text, expected) in [
        (409, "ConflictException", "x", "conflict"),
        (
            400,
            "ValidationException",
            "the ETag is not the current one",
            "conflict",
        ),
        (400, "ValidationException", "key too long", "refused"),
        (402, "ServiceQuotaExceededException", "full", "limit"),
    ] {
        let (cloud, script) = scripted([json_error(status, code, text)]).await;
        let error = cloud
            .update_store(&approved, STORE, "V1", &[("k".into(), "v".into())], &[])
            .await
            .unwrap_err();
        assert_eq!(error.code(), expected, "{code} {text}");
        let seen = script.seen();
        assert!(
            seen[0]
                .uri
                .starts_with("https://111122223333.cloudfront-kvs.global.api.aws/")
        );
        let authorization = seen[0].header("authorization").unwrap();
        assert!(
            authorization.starts_with("AWS4-ECDSA-P256-SHA256 "),
            "{authorization}"
        );
    }
}

#[tokio::test]
async fn reads_all_pages_and_stops_when_a_marker_repeats() {
    let page = |marker: &str, name: &str| {
        answer(&format!(
            r#"{{"NextMarker":"{marker}","IPSets":[{{"Name":"{name}","Id":"1","ARN":"a"}}]}}"#
        ))
    };
    let last = || answer(r#"{"IPSets":[]}"#);
    let (cloud, script) = scripted([page("m1", "a"), page("m2", "b"), last()]).await;
    let names: Vec<String> = cloud
        .ip_sets()
        .await
        .unwrap()
        .into_iter()
        .map(|set| set.name)
        .collect();
    assert_eq!(names, ["a", "b"]);
    assert!(script.seen()[2].body.contains(r#""NextMarker":"m2""#));
    let (cloud, _script) = scripted([page("m1", "a"), page("m1", "b")]).await;
    assert_eq!(cloud.ip_sets().await.unwrap_err().code(), "unreadable");
}

#[tokio::test]
async fn shows_web_acl_rules_that_the_sdk_does_not_know() {
    let body = r#"{"LockToken":"t","WebACL":{"Name":"w","Id":"1","ARN":"a","DefaultAction":{"Allow":{}},"VisibilityConfig":{"SampledRequestsEnabled":true,"CloudWatchMetricsEnabled":true,"MetricName":"m"},"Rules":[{"Name":"new","Priority":0,"Statement":{"NotYetKnownStatement":{"Depth":3}},"VisibilityConfig":{"SampledRequestsEnabled":true,"CloudWatchMetricsEnabled":true,"MetricName":"n"}}]}}"#;
    let (cloud, _script) = scripted([answer(body)]).await;
    let acl = cloud.web_acl("w", "1").await.unwrap();
    assert_eq!(acl.version, "t");
    let depth = acl
        .value
        .json
        .pointer("/Rules/0/Statement/NotYetKnownStatement/Depth");
    assert_eq!(depth, Some(&serde_json::json!(3)));
}

#[tokio::test]
async fn repeats_a_description_only_when_there_is_one() {
    let done = || answer(r#"{"NextLockToken":"t2"}"#);
    let (cloud, script) = scripted([done(), done()]).await;
    let approved = Approved::by_confirmation();
    for description in [None, Some("ours".to_owned())] {
        let set = IpSetIdentity {
            description,
            ..set()
        };
        let next = cloud
            .update_ip_set(&approved, &set, &[], "t1")
            .await
            .unwrap();
        assert_eq!(next, "t2");
    }
    let bodies: Vec<serde_json::Value> = script
        .seen()
        .iter()
        .map(|seen| serde_json::from_str(&seen.body).unwrap())
        .collect();
    assert_eq!(bodies[0].get("Description"), None);
    assert_eq!(bodies[0]["Addresses"], serde_json::json!([]));
    assert_eq!(bodies[1]["Description"], "ours");
}

#[tokio::test]
async fn probes_through_the_same_client_and_hides_the_path() {
    let probe = |url: &str| Probe {
        url: url.to_owned(),
        headers: vec![("x-test".to_owned(), "1".to_owned())],
        timeout: Duration::from_secs(1),
    };
    let (cloud, script) = scripted([
        Canned::Answer(403, vec![("X-Cache", "Error")], "198.51.100.7\n".to_owned()),
        Canned::NoConnection,
    ])
    .await;
    let url = "https://d1.cloudfront.net/live/a.m3u8?t=TOKEN";
    let answer = cloud.probe(probe(url)).await.unwrap();
    assert_eq!(answer.status, 403);
    assert_eq!(answer.address(), Some([198, 51, 100, 7].into()));
    let seen = &script.seen()[0];
    assert_eq!((seen.uri.as_str(), seen.header("x-test")), (url, Some("1")));
    assert_eq!(seen.header("authorization"), None);
    let error = cloud.probe(probe(url)).await.unwrap_err();
    assert_eq!(error.code(), "unreachable");
    assert!(!format!("{error} {error:?}").contains("TOKEN"));
    for bad in ["ftp://a/", "no url", "/path"] {
        assert_eq!(cloud.probe(probe(bad)).await.unwrap_err().code(), "refused");
    }
}

#[tokio::test]
async fn reaches_a_store_at_a_loopback_endpoint() {
    let server = wiremock::MockServer::start().await;
    let body =
        serde_json::json!({"ItemCount": 3, "TotalSizeInBytes": 42, "KvsARN": STORE, "Created": 0});
    wiremock::Mock::given(wiremock::matchers::method("GET"))
        .respond_with(
            wiremock::ResponseTemplate::new(200)
                .insert_header("etag", "V1")
                .set_body_json(body),
        )
        .mount(&server)
        .await;
    let port = server.address().port();
    for host in ["127.0.0.1", "localhost"] {
        let urls = EndpointUrls {
            general: Some(format!("http://{host}:{port}")),
            ..EndpointUrls::default()
        };
        let cloud = super::connect::with_dummy_credentials(
            &ConnectOptions::new(Target::Endpoint(urls)),
            Clock::system(),
        );
        let store = cloud.store(STORE).await.unwrap();
        assert_eq!((store.value.items, store.value.bytes), (3, 42));
        assert_eq!(store.version, "V1");
    }
    let requests = server.received_requests().await.unwrap();
    let host = requests[0].headers["host"].to_str().unwrap();
    assert_eq!(host, format!("111122223333.127.0.0.1:{port}"));
}

#[test]
fn shows_nothing_of_its_clients() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let (cloud, _script) = runtime.block_on(scripted([]));
    assert_eq!(format!("{cloud:?}"), "Cloud { .. }");
    let _cloud: &Cloud = &cloud;
}

#[tokio::test]
async fn a_rehearsal_without_its_cloud_reaches_nothing() {
    let options = ConnectOptions {
        first_pause: Duration::ZERO,
        ..ConnectOptions::new(Target::Rehearsal)
    };
    let cloud = Cloud::connect(options, Clock::system()).await.unwrap();
    assert_eq!(cloud.caller().await.unwrap_err().code(), "unreachable");
}
