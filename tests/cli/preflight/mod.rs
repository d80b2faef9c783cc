//! `onair preflight`: a fresh rehearsal is a GO, and each fault turns exactly the checks it should.

use std::collections::BTreeMap;

use serde_json::Value;

use super::harness::{Desk, Run};

/// What `sandbox set` is given: a service, a place, a value.
type Change = &'static [&'static str];

/// A fault, the changes that make it, and the checks that it turns. `@MANIFEST@` is the id of the
/// playlists' cache policy, `@CERT@` the main distribution's certificate.
const FAULTS: &[(&str, &[Change], &[&str])] = &[
    (
        "the clock is off",
        &[&["settings", "/skew-seconds", "600"]],
        &["identity.clock"],
    ),
    (
        "a permission is missing",
        &[&["iam", "/denied/-", "\"wafv2:UpdateIPSet\""]],
        &["identity.permissions"],
    ),
    (
        "a distribution is disabled",
        &[&["distribution", "E1CUPFINAL0001/Enabled", "false"]],
        &[
            "distribution.enabled",
            "playback.ads",
            "playback.dash",
            "playback.key",
            "playback.manifest",
        ],
    ),
    (
        "a staging distribution is named",
        &[&["distribution", "E1CUPFINAL0001/Staging", "true"]],
        &["distribution.staging"],
    ),
    (
        "the alias is another",
        &[&[
            "distribution",
            "E1CUPFINAL0001/Aliases/Items/CNAME",
            "other.example.com",
        ]],
        &[
            "distribution.alias",
            "distribution.dns",
            "playback.ads",
            "playback.dash",
            "playback.key",
            "playback.manifest",
        ],
    ),
    (
        "the name leads elsewhere",
        &[&["settings", "/names/live.example.com", "\"203.0.113.9\""]],
        &["distribution.dns"],
    ),
    (
        "the name leads nowhere",
        &[&["settings", "/names/live.example.com", "\"nowhere\""]],
        &["distribution.dns"],
    ),
    (
        "TLS 1.0 is taken",
        &[&[
            "distribution",
            "E1CUPFINAL0001/ViewerCertificate/MinimumProtocolVersion",
            "TLSv1",
        ]],
        &["distribution.tls"],
    ),
    (
        "HTTP/1.1 only",
        &[&["distribution", "E1CUPFINAL0001/HttpVersion", "http1.1"]],
        &["distribution.http-versions"],
    ),
    (
        "IPv6 is off",
        &[&["distribution", "E1CUPFINAL0001/IsIPV6Enabled", "false"]],
        &["distribution.ipv6"],
    ),
    (
        "plain HTTP is served",
        &[&[
            "distribution",
            "E1CUPFINAL0001/CacheBehaviors/Items/CacheBehavior[PathPattern=*.m4s]/ViewerProtocolPolicy",
            "allow-all",
        ]],
        &["distribution.https"],
    ),
    (
        "no web ACL",
        &[&["distribution", "E1CUPFINAL0001/WebACLId", ""]],
        &["distribution.web-acl"],
    ),
    (
        "a country too many is let in",
        &[&[
            "distribution",
            "E1CUPFINAL0001/Restrictions/GeoRestriction/Items/Location[2]",
            "US",
        ]],
        &["distribution.geo"],
    ),
    (
        "additional metrics are off",
        &[&[
            "cloudfront",
            "/distributions/E1CUPFINAL0001/realtime_metrics",
            "null",
        ]],
        &["distribution.metrics"],
    ),
    (
        "the manifests' behavior is gone",
        &[&[
            "distribution",
            "E1CUPFINAL0001/CacheBehaviors/Items/CacheBehavior[PathPattern=*.m3u8]/PathPattern",
            "*.m3u",
        ]],
        &[
            "caching.behavior",
            "caching.manifest-default",
            "function.associated",
            "logs.realtime-attached",
        ],
    ),
    (
        "manifests are held",
        &[
            &["cloudfront", "/beside/cache-policies/@MANIFEST@/min", "10"],
            &["cloudfront", "/beside/cache-policies/@MANIFEST@/max", "20"],
        ],
        &["caching.manifest-ttl"],
    ),
    (
        "manifests stay for a day",
        &[
            &[
                "cloudfront",
                "/beside/cache-policies/@MANIFEST@/default",
                "86400",
            ],
            &[
                "cloudfront",
                "/beside/cache-policies/@MANIFEST@/max",
                "86400",
            ],
        ],
        &["caching.manifest-default"],
    ),
    (
        "segments are not cached",
        &[&[
            "distribution",
            "E1CUPFINAL0001/CacheBehaviors/Items/CacheBehavior[PathPattern=*.m4s]/CachePolicyId",
            "4135ea2d-6df8-44a3-9df3-4b5a84be39ad",
        ]],
        &["caching.segment-ttl"],
    ),
    (
        "errors are kept",
        &[&[
            "distribution",
            "E1CUPFINAL0001/CustomErrorResponses/Items/CustomErrorResponse[ErrorCode=404]/ErrorCachingMinTTL",
            "60",
        ]],
        &["caching.errors"],
    ),
    (
        "CMCD splits the cache",
        &[&[
            "cloudfront",
            "/beside/cache-policies/@MANIFEST@/query-names/-",
            "\"CMCD\"",
        ]],
        &["caching.cmcd"],
    ),
    (
        "the token splits the cache",
        &[&[
            "cloudfront",
            "/beside/cache-policies/@MANIFEST@/query-names/-",
            "\"token\"",
        ]],
        &["caching.token"],
    ),
    (
        "the user agent splits the cache",
        &[&[
            "cloudfront",
            "/beside/cache-policies/@MANIFEST@/headers/-",
            "\"User-Agent\"",
        ]],
        &["caching.headers"],
    ),
    (
        "manifests are not compressed",
        &[&[
            "distribution",
            "E1CUPFINAL0001/CacheBehaviors/Items/CacheBehavior[PathPattern=*.m3u8]/Compress",
            "false",
        ]],
        &["caching.compression"],
    ),
    (
        "ad manifests are cached",
        &[&[
            "distribution",
            "E1CUPFINAL0001/CacheBehaviors/Items/CacheBehavior[PathPattern=/cup-final/ads/*]/CachePolicyId",
            "658327ea-f89d-4fab-a63d-7e88639e58f6",
        ]],
        &["caching.ad-manifest"],
    ),
    (
        "the viewer's Host goes to the origin",
        &[&[
            "distribution",
            "E1CUPFINAL0001/CacheBehaviors/Items/CacheBehavior[PathPattern=*.m4s]/OriginRequestPolicyId",
            "216adef6-5c7f-47e4-b989-5492eafa07d3",
        ]],
        &["caching.origin-request"],
    ),
    (
        "no shield",
        &[&[
            "distribution",
            "E1CUPFINAL0001/Origins/Items/Origin[1]/OriginShield",
            "<Enabled>false</Enabled>",
        ]],
        &["origin.shield"],
    ),
    (
        "the shield is far away",
        &[&[
            "distribution",
            "E1CUPFINAL0001/Origins/Items/Origin[1]/OriginShield/OriginShieldRegion",
            "us-east-1",
        ]],
        &["origin.shield"],
    ),
    (
        "members are swapped",
        &[&[
            "distribution",
            "E1CUPFINAL0001/OriginGroups/Items/OriginGroup/Members/Items",
            "<OriginGroupMember><OriginId>package-b</OriginId></OriginGroupMember><OriginGroupMember><OriginId>package-a</OriginId></OriginGroupMember>",
        ]],
        &["origin.groups"],
    ),
    (
        "a failover code is missing",
        &[&[
            "distribution",
            "E1CUPFINAL0001/OriginGroups/Items/OriginGroup/FailoverCriteria/StatusCodes",
            "<Quantity>1</Quantity><Items><StatusCode>500</StatusCode></Items>",
        ]],
        &["origin.failover-codes"],
    ),
    (
        "an origin may hang",
        &[&[
            "distribution",
            "E1CUPFINAL0001/Origins/Items/Origin[2]/CustomOriginConfig/OriginReadTimeout",
            "30",
        ]],
        &["origin.budget"],
    ),
    (
        "media quality is off",
        &[&[
            "distribution",
            "E1CUPFINAL0001/OriginGroups/Items/OriginGroup/SelectionCriteria",
            "default",
        ]],
        &["origin.media-quality"],
    ),
    (
        "an origin is open",
        &[&[
            "distribution",
            "E1CUPFINAL0001/Origins/Items/Origin[1]/OriginAccessControlId",
            "",
        ]],
        &["origin.access"],
    ),
    (
        "the origin is asked by plain HTTP",
        &[&[
            "distribution",
            "E1CUPFINAL0001/Origins/Items/Origin[1]/CustomOriginConfig/OriginProtocolPolicy",
            "http-only",
        ]],
        &["origin.https"],
    ),
    (
        "the function is off the segments",
        &[&[
            "distribution",
            "E1CUPFINAL0001/CacheBehaviors/Items/CacheBehavior[PathPattern=*.m4s]/FunctionAssociations",
            "<Quantity>0</Quantity>",
        ]],
        &["function.associated"],
    ),
    (
        "the role trusts somebody else",
        &[&["iam", "/roles/onair-realtime-logs", "\"{}\""]],
        &["logs.role"],
    ),
    (
        "the role is gone",
        &[&["iam", "/roles/onair-realtime-logs", "--remove"]],
        &["logs.role"],
    ),
    (
        "a certificate is revoked",
        &[&["acm", "/certificates/@CERT@/status", "\"REVOKED\""]],
        &["distribution.certificate"],
    ),
    (
        "a certificate ends too early",
        &[&[
            "acm",
            "/certificates/@CERT@/not-after",
            "\"2026-06-14T20:00:00Z\"",
        ]],
        &["distribution.certificate"],
    ),
    (
        "logs are delivered of one distribution alone",
        &[&["logs", "/sources/onair-cup-final-backup", "--remove"]],
        &["logs.delivery"],
    ),
    (
        "logs come in another format",
        &[&[
            "logs",
            "/destinations/onair-cup-final-access/format",
            "\"json\"",
        ]],
        &["logs.format"],
    ),
    (
        "the log service may not write",
        &[&["s3", "/buckets/example-cup-final-logs/policy", "null"]],
        &["logs.bucket-policy"],
    ),
    (
        "a field of the real-time logs is missing",
        &[&[
            "cloudfront",
            "/realtime_logs/onair-cup-final-realtime/fields/0",
            "--remove",
        ]],
        &["logs.realtime-config"],
    ),
    (
        "the segments write no real-time logs",
        &[&[
            "distribution",
            "E1CUPFINAL0001/CacheBehaviors/Items/CacheBehavior[PathPattern=*.m4s]/RealtimeLogConfigArn",
            "",
        ]],
        &["logs.realtime-attached"],
    ),
    (
        "the stream is gone",
        &[&[
            "kinesis",
            "/regions/us-east-1/onair-cup-final-realtime",
            "--remove",
        ]],
        &["logs.stream"],
    ),
    (
        "the stream is too small",
        &[&[
            "kinesis",
            "/regions/us-east-1/onair-cup-final-realtime/shards",
            "10",
        ]],
        &["logs.shards"],
    ),
    (
        "the tables' database is gone",
        &[&["glue", "/regions/eu-central-1/cup_final", "--remove"]],
        &["athena.database", "athena.tables"],
    ),
    (
        "a table is gone",
        &[&[
            "glue",
            "/regions/eu-central-1/cup_final/tables/realtime",
            "--remove",
        ]],
        &["athena.tables"],
    ),
    (
        "the last hour of the day is not found",
        &[&[
            "glue",
            "/regions/eu-central-1/cup_final/tables/access/input/Parameters/projection.hour.range",
            "\"00,22\"",
        ]],
        &["athena.columns", "athena.hours"],
    ),
    (
        "the workgroup is off",
        &[&[
            "athena",
            "/regions/eu-central-1/workgroups/onair-cup-final/enabled",
            "false",
        ]],
        &["athena.workgroup"],
    ),
    (
        "queries may scan a petabyte",
        &[&[
            "athena",
            "/regions/eu-central-1/workgroups/onair-cup-final/configuration/BytesScannedCutoffPerQuery",
            "1000000000000000",
        ]],
        &["athena.scan-limit"],
    ),
    (
        "results go elsewhere",
        &[&[
            "athena",
            "/regions/eu-central-1/workgroups/onair-cup-final/configuration/ResultConfiguration/OutputLocation",
            "\"s3://example-elsewhere/\"",
        ]],
        &["athena.output"],
    ),
    (
        "the dashboard is gone",
        &[&["cloudwatch", "/dashboards/onair-cup-final", "--remove"]],
        &["dashboard.present"],
    ),
    (
        "an alarm is gone",
        &[&[
            "cloudwatch",
            "/alarms/us-east-1/onair-cup-final-FunctionExecutionErrors",
            "--remove",
        ]],
        &["alarms.present"],
    ),
    (
        "an alarm is laxer",
        &[&[
            "cloudwatch",
            "/alarms/us-east-1/onair-cup-final-FunctionComputeUtilization/settings/Threshold",
            "100.0",
        ]],
        &["alarms.equal"],
    ),
    (
        "the gate lets everybody in",
        &[&[
            "cloudfront",
            "/functions/onair-cup-final-gate/live/code",
            "\"function handler(event) { return event.request; }\"",
        ]],
        &[
            "function.published",
            "playback.key",
            "tokens.code",
            "tokens.selftest",
        ],
    ),
];

/// Faults whose checks are warnings; all others are errors.
const WARNINGS: &[&str] = &[
    "caching.behavior",
    "caching.compression",
    "caching.headers",
    "caching.manifest-default",
    "caching.segment-ttl",
    "distribution.http-versions",
    "distribution.https",
    "distribution.ipv6",
    "distribution.metrics",
    "distribution.tls",
];

/// A rehearsal that was provisioned, for others to be copied from.
fn provisioned() -> Desk {
    let desk = Desk::new();
    let run = desk.onair(&["-e", "cup-final", "sandbox", "show"]);
    assert_eq!(run.code, 0, "{run}");
    desk
}

/// The same in a folder of its own.
fn copy_of(desk: &Desk) -> Desk {
    let copy = Desk::new();
    let from = desk.path("runbooks/.onair/rehearsal/cup-final/cloud");
    for entry in std::fs::read_dir(from).expect("the embedded cloud's state is as it is written") {
        let entry = entry.expect("the embedded cloud's state is as it is written");
        let name = entry
            .file_name()
            .into_string()
            .expect("the embedded cloud's state is as it is written");
        let content =
            std::fs::read(entry.path()).expect("the embedded cloud's state is as it is written");
        copy.write(
            &format!("runbooks/.onair/rehearsal/cup-final/cloud/{name}"),
            content,
        );
    }
    copy
}

/// A part of the embedded cloud's state, by the name of its file.
fn part(desk: &Desk, name: &str) -> Value {
    let folder = desk.path("runbooks/.onair/rehearsal/cup-final/cloud");
    let file = std::fs::read_dir(folder)
        .expect("the embedded cloud's state is there")
        .map(|entry| {
            entry
                .expect("the embedded cloud's state is as it is written")
                .path()
        })
        .find(|path| {
            let file = path
                .file_name()
                .expect("the embedded cloud's state is as it is written")
                .to_string_lossy();
            file.starts_with(&format!("{name}."))
        })
        .expect("the embedded cloud's state is there");
    serde_json::from_slice(
        &std::fs::read(file).expect("the embedded cloud's state is as it is written"),
    )
    .expect("the embedded cloud's state is as it is written")
}

fn preflight(desk: &Desk, more: &[&str]) -> Run {
    let mut arguments = vec!["--rehearsal", "-e", "cup-final", "preflight"];
    arguments.extend(more);
    desk.onair(&arguments)
}

/// Severity by id of what fails or could not be asked.
fn turned(run: &Run) -> BTreeMap<String, String> {
    let answer: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run}"));
    let checks = answer["data"]["checks"]
        .as_array()
        .expect("the embedded cloud's state is as it is written");
    checks
        .iter()
        .filter(|check| check["status"] == "fail" || check["status"] == "could-not-ask")
        .map(|check| {
            let word = |key: &str| {
                check[key]
                    .as_str()
                    .expect("the embedded cloud's state is as it is written")
                    .to_owned()
            };
            (word("id"), word("severity"))
        })
        .collect()
}

#[test]
fn each_fault_turns_exactly_the_checks_it_should() {
    let desk = provisioned();
    let policies = &part(&desk, "cloudfront")["beside"]["cache-policies"];
    let manifest = policies.as_object().unwrap().keys().next().unwrap();
    let certificates = part(&desk, "acm")["certificates"].clone();
    let certificate = certificates
        .as_object()
        .unwrap()
        .iter()
        .find(|(_, one)| one["names"][0] == "live.example.com")
        .map(|(arn, _)| arn.replace('/', "~1"))
        .unwrap();
    let next = std::sync::atomic::AtomicUsize::new(0);
    let wrong = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    let Some((fault, changes, expected)) = FAULTS.get(at) else {
                        return;
                    };
                    let desk = copy_of(&desk);
                    for change in *changes {
                        let words: Vec<String> = change
                            .iter()
                            .map(|word| {
                                word.replace("@MANIFEST@", manifest)
                                    .replace("@CERT@", &certificate)
                            })
                            .collect();
                        let mut arguments = vec!["-e", "cup-final", "sandbox", "set"];
                        arguments.extend(words.iter().map(String::as_str));
                        let run = desk.onair(&arguments);
                        assert_eq!(run.code, 0, "{fault}: {run}");
                    }
                    let run = preflight(&desk, &["--for-phase", "rehearsal", "-o", "json"]);
                    let expected: BTreeMap<String, String> = expected
                        .iter()
                        .map(|id| {
                            let severity = if WARNINGS.contains(id) {
                                "warning"
                            } else {
                                "error"
                            };
                            ((*id).to_owned(), severity.to_owned())
                        })
                        .collect();
                    let found = turned(&run);
                    let exit = if expected.values().any(|one| one == "error") {
                        3
                    } else {
                        0
                    };
                    if found != expected || run.code != exit {
                        wrong
                            .lock()
                            .unwrap()
                            .push(format!("{fault}: {found:?}, exit {}", run.code));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_fresh_rehearsal_is_a_go_and_asks_nothing_twice() {
    let desk = provisioned();
    let before = calls(&desk);
    let run = preflight(&desk, &[]);
    assert_eq!(run.code, 0, "{run}");
    assert_eq!(run.stdout.lines().next(), Some("GO with 1 waiver"));
    let after = calls(&desk);
    let asked = |operation: &str| {
        after.get(operation).copied().unwrap_or_default()
            - before.get(operation).copied().unwrap_or_default()
    };
    for (operation, resources) in [
        ("cloudfront.GetDistributionConfig", 2),
        ("cloudfront.GetDistribution", 2),
        ("cloudfront.GetOriginAccessControl", 1),
        ("cloudfront.DescribeFunction", 1),
        ("wafv2.GetWebACL", 1),
        ("wafv2.GetIPSet", 2),
        ("sts.GetCallerIdentity", 1),
    ] {
        assert_eq!(asked(operation), resources, "{operation}");
    }
}

/// The calls that the embedded cloud has counted.
fn calls(desk: &Desk) -> BTreeMap<String, u64> {
    let run = desk.onair(&["-e", "cup-final", "sandbox", "show", "-o", "json"]);
    serde_json::from_value(run.json()["data"]["calls"].clone()).expect("calls are counted by name")
}

#[test]
fn what_could_not_be_asked_is_not_wrong_and_no_go() {
    let desk = provisioned();
    let fault = "unreachable:acm.DescribeCertificate";
    let run = desk.onair(&[
        "-e",
        "cup-final",
        "sandbox",
        "reset",
        "--keep",
        "--fault",
        fault,
    ]);
    assert_eq!(run.code, 0, "{run}");
    let only = ["--only", "distribution.certificate"];
    let run = preflight(&desk, &only);
    assert_eq!(run.code, 3, "{run}");
    assert_eq!(
        run.stdout.lines().next(),
        Some("NO-GO: 1 could not be asked")
    );
    let run = preflight(
        &desk,
        &[&only[..], &["--allow-unknown", "distribution.*"]].concat(),
    );
    assert_eq!((run.code, run.stdout.lines().next()), (0, Some("GO")));
}

#[test]
fn the_last_run_is_compared_with() {
    let desk = provisioned();
    let since = |desk: &Desk| {
        let run = preflight(desk, &["--since-last", "-o", "json"]);
        let answer: Value = serde_json::from_str(&run.stdout).unwrap();
        answer["data"]["since-last"].clone()
    };
    let set = |value: &str| {
        let place = "E1CUPFINAL0001/Enabled";
        let run = desk.onair(&[
            "-e",
            "cup-final",
            "sandbox",
            "set",
            "distribution",
            place,
            value,
        ]);
        assert_eq!(run.code, 0, "{run}");
    };
    assert_eq!(since(&desk)["at"], Value::Null);
    set("false");
    assert_eq!(
        since(&desk)["new"],
        serde_json::json!(["distribution.enabled"])
    );
    assert_eq!(
        since(&desk)["still-failing"],
        serde_json::json!(["distribution.enabled"])
    );
    set("true");
    assert_eq!(
        since(&desk)["fixed"],
        serde_json::json!(["distribution.enabled"])
    );
}

#[test]
fn an_expired_waiver_accepts_nothing() {
    let desk = provisioned();
    desk.edit_runbook(
        "was raised to 1 Tbps\"\nowner = \"noor\"\nexpires = \"end\"",
        "was raised to 1 Tbps\"\nowner = \"noor\"\nexpires = \"doors-10d\"",
    );
    let run = preflight(&desk, &["--only", "forecast.bandwidth,event.waivers"]);
    assert_eq!(run.code, 3, "{run}");
    assert_eq!(run.stdout.lines().next(), Some("NO-GO: 1"));
    assert!(run.stdout.contains("the waiver of noor expired"), "{run}");
}

#[test]
fn reports_for_ci_name_every_check() {
    let desk = provisioned();
    let run = preflight(&desk, &["--junit", "out.xml", "-o", "markdown"]);
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stdout.starts_with("## ✅ GO with 1 waiver"), "{run}");
    let report = desk.read("out.xml");
    let listed = desk.onair(&["preflight", "--list", "-o", "json"]);
    let listed: Value = serde_json::from_str(&listed.stdout).unwrap();
    for check in listed["data"]["checks"].as_array().unwrap() {
        let name = format!("name=\"{}: ", check["id"].as_str().unwrap());
        assert!(report.contains(&name), "{name}");
    }
    assert!(report.contains("failures=\"0\" errors=\"0\""), "{report}");
}

#[test]
fn a_pattern_that_names_no_check_is_answered() {
    let run = Desk::new().onair(&["preflight", "--list", "--only", "origin.shelid"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("did you mean origin.shield?"), "{run}");
}
