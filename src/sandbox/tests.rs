//! The whole embedded cloud, asked by the real SDK clients.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_credential_types::Credentials;
use aws_sdk_wafv2::error::ProvideErrorMetadata;
use aws_sdk_wafv2::types::{IpAddressVersion, Scope, TimeWindow};
use aws_types::SdkConfig;
use aws_types::region::Region;
use bytes::Bytes;
use jiff::Timestamp;

use super::seed::{
    Seed, SeedDistribution, SeedFunction, SeedIpSet, SeedManagedRule, SeedRateRule, SeedStore,
    SeedWebAcl, ip_set_arn, store_arn,
};
use super::service::{Delay, Rollout};
use super::{Directive, Reset, Sandbox, Settings};
use crate::clock::Clock;
use crate::edge::{GeoKind, GeoRestriction, Layer, Outcome, ViewerRequest};
use crate::event::cidr::Family;

const ACCOUNT: &str = "111122223333";
const DOMAIN: &str = "d111111abcdef8.cloudfront.net";
const SET: &str = "cup-final-v4";

struct Cloud {
    sandbox: Sandbox,
    clock: Clock,
    _folder: tempfile::TempDir,
}

fn seed() -> Seed {
    Seed {
        account: ACCOUNT.to_owned(),
        distributions: vec![SeedDistribution {
            id: "E1EXAMPLE00001".to_owned(),
            name: "main".to_owned(),
            domain: DOMAIN.to_owned(),
            aliases: vec!["live.example.com".to_owned()],
            web_acl: Some("cup-final".to_owned()),
            geo: GeoRestriction {
                kind: GeoKind::Block,
                countries: ["KP".to_owned()].into(),
            },
            behaviors: vec!["/live/*".to_owned()],
            function: Some("viewer-request".to_owned()),
            ..SeedDistribution::default()
        }],
        web_acls: vec![SeedWebAcl {
            name: "cup-final".to_owned(),
            blocklists: vec![SET.to_owned()],
            managed: vec![SeedManagedRule {
                group: "AWSManagedRulesAnonymousIpList".to_owned(),
                counts: true,
                ..SeedManagedRule::default()
            }],
            rate: Some(SeedRateRule {
                name: "rate".to_owned(),
                limit: 3000,
                counts: false,
            }),
        }],
        ip_sets: vec![SeedIpSet {
            name: SET.to_owned(),
            family: Family::V4,
            addresses: vec!["198.51.100.0/24".parse().unwrap()],
        }],
        stores: vec![SeedStore {
            name: "revoked".to_owned(),
            items: BTreeMap::from([("sub:8841".to_owned(), "4102444800".to_owned())]),
        }],
        functions: vec![SeedFunction {
            name: "viewer-request".to_owned(),
            store: Some("revoked".to_owned()),
            code: String::new(),
        }],
        ..Seed::default()
    }
}

/// A seeded cloud without rates and roll-out, on a clock moved by hand.
fn cloud() -> Cloud {
    cloud_with(Settings {
        rates: false,
        rollout: Rollout::IMMEDIATE,
        ..Settings::default()
    })
}

fn cloud_with(settings: Settings) -> Cloud {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::manual("2026-06-11T18:00:00Z".parse().unwrap());
    let sandbox = Sandbox::open(folder.path(), clock.clone()).unwrap();
    sandbox
        .reset(&seed(), &Reset { at: None, settings })
        .unwrap();
    Cloud {
        sandbox,
        clock,
        _folder: folder,
    }
}

impl Cloud {
    fn config(&self) -> SdkConfig {
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(
                aws_credential_types::provider::SharedCredentialsProvider::new(Credentials::new(
                    "AKIDEXAMPLE",
                    "not-a-secret",
                    None,
                    None,
                    "test",
                )),
            )
            .http_client(self.sandbox.http_client())
            .retry_config(aws_config::retry::RetryConfig::disabled())
            .build()
    }

    fn waf(&self) -> aws_sdk_wafv2::Client {
        aws_sdk_wafv2::Client::new(&self.config())
    }

    async fn set(&self) -> aws_sdk_wafv2::operation::get_ip_set::GetIpSetOutput {
        let arn = ip_set_arn(ACCOUNT, SET);
        self.waf()
            .get_ip_set()
            .name(SET)
            .scope(Scope::Cloudfront)
            .id(arn.rsplit('/').next().unwrap())
            .send()
            .await
            .unwrap()
    }

    /// Replaces the set's addresses; returns the error's code.
    async fn update_set(&self, token: &str, addresses: &[&str]) -> Result<String, String> {
        let arn = ip_set_arn(ACCOUNT, SET);
        self.waf()
            .update_ip_set()
            .name(SET)
            .scope(Scope::Cloudfront)
            .id(arn.rsplit('/').next().unwrap())
            .lock_token(token)
            .set_addresses(Some(addresses.iter().map(ToString::to_string).collect()))
            .send()
            .await
            .map(|answer| answer.next_lock_token().unwrap().to_owned())
            .map_err(|error| error.code().unwrap_or("no code").to_owned())
    }

    async fn view(&self, headers: &[(&str, &str)]) -> (u16, String) {
        let mut request = http::Request::builder().uri(format!("http://{DOMAIN}/live/a.m3u8"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = self
            .sandbox
            .handle(request.body(Bytes::new()).unwrap())
            .await
            .unwrap();
        let by = answer.header("x-onair-decided-by").unwrap_or_default();
        (answer.status, by.to_owned())
    }

    fn direct(&self, words: &str) {
        let directive: Directive = words.parse().unwrap();
        self.sandbox.direct(directive).unwrap();
    }
}

#[tokio::test]
async fn the_caller_is_a_session_of_the_rehearsals_role() {
    let cloud = cloud();
    let identity = aws_sdk_sts::Client::new(&cloud.config())
        .get_caller_identity()
        .send()
        .await
        .unwrap();
    assert_eq!(identity.account(), Some(ACCOUNT));
    assert_eq!(
        identity.arn(),
        Some("arn:aws:sts::111122223333:assumed-role/onair-rehearsal/rehearsal")
    );
}

#[tokio::test]
async fn an_ip_set_is_replaced_under_its_lock_token() {
    let cloud = cloud();
    let before = cloud.set().await;
    let set = before.ip_set().unwrap();
    assert_eq!(set.addresses(), ["198.51.100.0/24"]);
    assert_eq!(set.ip_address_version(), &IpAddressVersion::Ipv4);
    let token = before.lock_token().unwrap();
    let next = cloud.update_set(token, &["192.0.2.7/32"]).await.unwrap();
    assert_eq!(
        cloud.set().await.ip_set().unwrap().addresses(),
        ["192.0.2.7/32"]
    );
    assert_eq!(
        cloud.update_set(token, &[]).await.unwrap_err(),
        "WAFOptimisticLockException"
    );
    assert!(cloud.update_set(&next, &[]).await.is_ok());
    assert_eq!(cloud.sandbox.calls().unwrap()["wafv2.UpdateIPSet"], 3);
}

#[tokio::test]
async fn impossible_addresses_are_named() {
    let cloud = cloud();
    let token = cloud.set().await.lock_token().unwrap().to_owned();
    for address in ["0.0.0.0/0", "192.0.2.1/24", "192.0.2.1", "2001:db8::/32"] {
        assert_eq!(
            cloud.update_set(&token, &[address]).await.unwrap_err(),
            "WAFInvalidParameterException",
            "{address}"
        );
    }
    assert_eq!(cloud.set().await.lock_token(), Some(token.as_str()));
}

#[tokio::test]
async fn waf_writes_once_a_second() {
    let cloud = cloud_with(Settings {
        rollout: Rollout::IMMEDIATE,
        ..Settings::default()
    });
    let token = cloud.set().await.lock_token().unwrap().to_owned();
    let token = cloud.update_set(&token, &[]).await.unwrap();
    assert_eq!(
        cloud.update_set(&token, &[]).await.unwrap_err(),
        "ThrottlingException"
    );
    cloud.clock.wait(Duration::from_secs(1)).await;
    assert!(cloud.update_set(&token, &[]).await.is_ok());
}

#[tokio::test]
async fn an_answer_gets_lost_after_the_write_landed() {
    let cloud = cloud();
    cloud.direct("lost-answer:wafv2.UpdateIPSet");
    let token = cloud.set().await.lock_token().unwrap().to_owned();
    let lost = cloud
        .waf()
        .update_ip_set()
        .name(SET)
        .scope(Scope::Cloudfront)
        .id(ip_set_arn(ACCOUNT, SET).rsplit('/').next().unwrap())
        .lock_token(&token)
        .addresses("192.0.2.7/32")
        .send()
        .await
        .unwrap_err();
    assert!(
        matches!(&lost, aws_sdk_wafv2::error::SdkError::DispatchFailure(failure) if failure.is_io()),
        "{lost:?}"
    );
    let after = cloud.set().await;
    assert_eq!(after.ip_set().unwrap().addresses(), ["192.0.2.7/32"]);
    assert_ne!(after.lock_token(), Some(token.as_str()));
}

#[tokio::test]
async fn faults_hit_the_calls_they_name_and_nothing_lands() {
    let cloud = cloud();
    let token = cloud.set().await.lock_token().unwrap().to_owned();
    for (words, code) in [
        ("throttle:wafv2.UpdateIPSet", "ThrottlingException"),
        ("conflict:wafv2.UpdateIPSet", "WAFOptimisticLockException"),
        ("error500:wafv2.UpdateIPSet", "WAFInternalErrorException"),
    ] {
        cloud.sandbox.clear_faults().unwrap();
        cloud.direct(words);
        assert_eq!(
            cloud.update_set(&token, &[]).await.unwrap_err(),
            code,
            "{words}"
        );
    }
    assert!(cloud.update_set(&token, &[]).await.is_ok());
}

#[tokio::test]
async fn a_blocked_viewer_is_refused_edge_by_edge_and_sampled() {
    let cloud = cloud_with(Settings {
        rates: false,
        rollout: Rollout {
            waf: Delay::seconds(10, 20),
            ..Rollout::IMMEDIATE
        },
        ..Settings::default()
    });
    let token = cloud.set().await.lock_token().unwrap().to_owned();
    cloud.update_set(&token, &["203.0.113.9/32"]).await.unwrap();
    let viewer = [("x-onair-viewer", "203.0.113.9"), ("x-onair-country", "AT")];
    let at = |edge| [viewer[0], viewer[1], ("x-onair-edge", edge)];
    assert_eq!(cloud.view(&at("FRA")).await, (200, "origin".to_owned()));
    cloud.clock.wait(Duration::from_secs(10)).await;
    assert_eq!(cloud.view(&at("FRA")).await, (403, format!("waf {SET}")));
    assert_eq!(cloud.view(&at("GRU")).await.0, 200);
    cloud.clock.wait(Duration::from_secs(20)).await;
    assert_eq!(cloud.view(&at("GRU")).await.0, 403);

    let now = cloud.clock.now();
    let seconds = aws_smithy_types::DateTime::from_secs;
    let samples = cloud
        .waf()
        .get_sampled_requests()
        .web_acl_arn(super::seed::web_acl_arn(ACCOUNT, "cup-final"))
        .rule_metric_name(SET)
        .scope(Scope::Cloudfront)
        .max_items(500)
        .time_window(
            TimeWindow::builder()
                .start_time(seconds(now.as_second() - 6 * 3600))
                .end_time(seconds(now.as_second()))
                .build()
                .unwrap(),
        )
        .send()
        .await
        .unwrap();
    let addresses: Vec<_> = samples
        .sampled_requests()
        .iter()
        .map(|sample| sample.request().unwrap().client_ip().unwrap())
        .collect();
    assert_eq!(addresses, ["203.0.113.9", "203.0.113.9"]);
}

#[tokio::test]
async fn viewers_meet_geo_restriction_and_revocations() {
    let cloud = cloud();
    let revoked = ("x-onair-revocation-keys", "sid:1, sub:8841");
    for (headers, expected) in [
        (vec![("x-onair-country", "KP")], (403, "geo")),
        (vec![("x-onair-country", "AT")], (200, "origin")),
        (
            vec![("x-onair-country", "AT"), revoked],
            (403, "revocation"),
        ),
        (
            vec![("x-onair-viewer", "198.51.100.1")],
            (403, "waf cup-final-v4"),
        ),
    ] {
        let (status, by) = cloud.view(&headers).await;
        assert_eq!((status, by.as_str()), expected, "{headers:?}");
    }
    let request = ViewerRequest {
        revocation_keys: vec!["sub:8841".to_owned()],
        ..ViewerRequest::new("/", Timestamp::UNIX_EPOCH)
    };
    let decisions = cloud.sandbox.ask_edges("E1EXAMPLE00001", &request).unwrap();
    assert_eq!(decisions.len(), 8);
    for (edge, decision) in decisions {
        assert_eq!(decision.outcome(), Outcome::Refused(403), "{edge}");
        assert_eq!(
            decision.refusal().unwrap().layer,
            Layer::Revocation,
            "{edge}"
        );
    }
}

#[tokio::test]
async fn a_revocation_travels_from_the_store_to_the_edge() {
    let cloud = cloud();
    let client = aws_sdk_cloudfrontkeyvaluestore::Client::new(&cloud.config());
    let arn = store_arn(ACCOUNT, "revoked");
    let etag = client
        .describe_key_value_store()
        .kvs_arn(&arn)
        .send()
        .await
        .unwrap()
        .e_tag()
        .to_owned();
    client
        .put_key()
        .kvs_arn(&arn)
        .key("sub:1")
        .value("4102444800")
        .if_match(etag)
        .send()
        .await
        .unwrap();
    let (status, by) = cloud.view(&[("x-onair-revocation-keys", "sub:1")]).await;
    assert_eq!((status, by.as_str()), (403, "revocation"));
}

#[tokio::test]
async fn a_web_acl_in_use_stays() {
    let cloud = cloud();
    let arn = super::seed::web_acl_arn(ACCOUNT, "cup-final");
    let id = arn.rsplit('/').next().unwrap();
    let found = cloud
        .waf()
        .get_web_acl()
        .name("cup-final")
        .scope(Scope::Cloudfront)
        .id(id)
        .send()
        .await
        .unwrap();
    let acl = found.web_acl().unwrap();
    assert_eq!((acl.capacity(), acl.rules().len()), (53, 3));
    let error = cloud
        .waf()
        .delete_web_acl()
        .name("cup-final")
        .scope(Scope::Cloudfront)
        .id(id)
        .lock_token(found.lock_token().unwrap())
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some("WAFAssociatedItemException"));
}

#[tokio::test]
async fn a_distribution_is_read_through_the_sdk() {
    let cloud = cloud();
    let client = aws_sdk_cloudfront::Client::new(&cloud.config());
    let found = client
        .get_distribution_config()
        .id("E1EXAMPLE00001")
        .send()
        .await
        .unwrap();
    let config = found.distribution_config().unwrap();
    let acl = super::seed::web_acl_arn(ACCOUNT, "cup-final");
    assert_eq!(config.web_acl_id(), Some(acl.as_str()));
    assert!(found.e_tag().is_some());
}

#[tokio::test]
async fn a_reset_moves_the_clock_and_forgets_everything() {
    let cloud = cloud();
    cloud.direct("unreachable");
    let kickoff: Timestamp = "2026-07-19T19:00:00Z".parse().unwrap();
    let empty = Seed {
        account: ACCOUNT.to_owned(),
        ..Seed::default()
    };
    let reset = Reset {
        at: Some(kickoff),
        ..Reset::default()
    };
    cloud.sandbox.reset(&empty, &reset).unwrap();
    assert_eq!(cloud.sandbox.now().unwrap(), kickoff);
    let shown = cloud.sandbox.show().unwrap();
    assert!(shown.distributions.is_empty() && shown.ip_sets.is_empty() && shown.faults.is_empty());
    cloud.clock.wait(Duration::from_secs(5)).await;
    let later = kickoff + jiff::SignedDuration::from_secs(5);
    assert_eq!(cloud.sandbox.now().unwrap(), later);
}

#[tokio::test]
async fn a_call_without_credentials_or_with_others_is_refused() {
    let cloud = cloud();
    let v4 = |scope: &str| {
        format!("AWS4-HMAC-SHA256 Credential=A/20260101/{scope}/aws4_request, Signature=0")
    };
    for (authorization, status, code) in [
        (None, 403, "MissingAuthenticationTokenException"),
        (Some(v4("us-east-1/sts")), 403, "InvalidSignatureException"),
        (
            Some(v4("eu-west-1/wafv2")),
            400,
            "WAFInvalidParameterException",
        ),
        (Some(v4("us-east-1/wafv2")), 200, "IPSets"),
    ] {
        let mut request = http::Request::post("http://127.0.0.1:4566/")
            .header("x-amz-target", "AWSWAF_20190729.ListIPSets");
        if let Some(authorization) = &authorization {
            request = request.header("authorization", authorization);
        }
        let body = Bytes::from_static(br#"{"Scope": "CLOUDFRONT"}"#);
        let answer = cloud
            .sandbox
            .handle(request.body(body).unwrap())
            .await
            .unwrap();
        assert_eq!(answer.status, status, "{authorization:?}");
        let body = String::from_utf8(answer.body.clone()).unwrap();
        assert!(body.contains(code), "{authorization:?}: {body}");
        assert!(answer.header("x-amzn-requestid").is_some());
    }
}

#[tokio::test]
async fn the_sdk_reads_metrics_and_alarms_of_the_simulated_event() {
    use aws_sdk_cloudwatch::types as sdk;
    let mut seed = seed();
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    seed.audience = super::cloudwatch::Audience {
        doors: at("2026-06-14T17:00:00Z"),
        starts: at("2026-06-14T18:30:00Z"),
        ends: at("2026-06-14T21:30:00Z"),
        viewers: 100_000.0,
        bits_per_viewer: 4e6,
        requests_per_viewer: 0.5,
        distributions: vec![("E1EXAMPLE00001".to_owned(), 1.0)],
        ..super::cloudwatch::Audience::default()
    };
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::manual(at("2026-06-14T19:00:00Z"));
    let sandbox = Sandbox::open(folder.path(), clock.clone()).unwrap();
    sandbox.reset(&seed, &Reset::default()).unwrap();
    let cloud = Cloud {
        sandbox,
        clock,
        _folder: folder,
    };
    let client = aws_sdk_cloudwatch::Client::new(&cloud.config());
    let metric = sdk::Metric::builder()
        .namespace("AWS/CloudFront")
        .metric_name("BytesDownloaded")
        .dimensions(
            sdk::Dimension::builder()
                .name("DistributionId")
                .value("E1EXAMPLE00001")
                .build(),
        )
        .dimensions(
            sdk::Dimension::builder()
                .name("Region")
                .value("Global")
                .build(),
        )
        .build();
    let stat = sdk::MetricStat::builder()
        .metric(metric)
        .period(60)
        .stat("Sum")
        .build();
    let data = client
        .get_metric_data()
        .metric_data_queries(
            sdk::MetricDataQuery::builder()
                .id("m1")
                .metric_stat(stat)
                .return_data(false)
                .build(),
        )
        .metric_data_queries(
            sdk::MetricDataQuery::builder()
                .id("e1")
                .expression("m1*8/PERIOD(m1)/1000000000")
                .build(),
        )
        .start_time(aws_smithy_types::DateTime::from_secs(
            at("2026-06-14T18:50:00Z").as_second(),
        ))
        .end_time(aws_smithy_types::DateTime::from_secs(
            at("2026-06-14T19:10:00Z").as_second(),
        ))
        .send()
        .await
        .unwrap();
    let series = &data.metric_data_results()[0];
    assert_eq!(series.values().len(), 10, "nothing of the future");
    assert!(
        series
            .values()
            .iter()
            .all(|gigabits| (350.0..420.0).contains(gigabits))
    );

    client
        .put_metric_alarm()
        .alarm_name("5xx")
        .namespace("AWS/CloudFront")
        .metric_name("5xxErrorRate")
        .dimensions(
            sdk::Dimension::builder()
                .name("DistributionId")
                .value("E1EXAMPLE00001")
                .build(),
        )
        .dimensions(
            sdk::Dimension::builder()
                .name("Region")
                .value("Global")
                .build(),
        )
        .statistic(sdk::Statistic::Average)
        .period(60)
        .evaluation_periods(3)
        .threshold(0.001)
        .comparison_operator(sdk::ComparisonOperator::GreaterThanThreshold)
        .send()
        .await
        .unwrap();
    let read = client.describe_alarms().send().await.unwrap();
    let alarm = &read.metric_alarms()[0];
    assert_eq!(alarm.state_value(), Some(&sdk::StateValue::Alarm));
    assert_eq!(alarm.threshold(), Some(0.001));
}

#[tokio::test]
async fn the_sdk_gets_the_validation_messages_of_a_dashboard() {
    use aws_sdk_cloudwatch::operation::put_dashboard::PutDashboardError;
    let cloud = cloud();
    let client = aws_sdk_cloudwatch::Client::new(&cloud.config());
    let error = client
        .put_dashboard()
        .dashboard_name("x")
        .dashboard_body(r#"{"widgets":[{"type":"clock","properties":{}}]}"#)
        .send()
        .await
        .unwrap_err();
    let PutDashboardError::DashboardInvalidInputError(refusal) = error.into_service_error() else {
        panic!("it is refused for its body");
    };
    assert_eq!(
        refusal.dashboard_validation_messages()[0].data_path(),
        Some("/widgets/0/type")
    );
}
