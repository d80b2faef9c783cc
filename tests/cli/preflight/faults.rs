//! The faults of an event, what makes each, and the checks that it turns.

/// What `sandbox set` is given: a service, a place, a value.
pub(super) type Change = &'static [&'static str];

/// A fault, the changes that make it, and the checks that it turns. `@MANIFEST@` is the id of the
/// playlists' cache policy, `@CERT@` the main distribution's certificate, `@STORE@` the key value store.
pub(super) const FAULTS: &[(&str, &[Change], &[&str])] = &[
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
    (
        "the gate was switched off by hand",
        &[&["keyvaluestore", "/@STORE@/items/cup-final::mode", "\"off\""]],
        &["playback.key", "tokens.mode"],
    ),
    (
        "the gate's mode is no mode",
        &[&[
            "keyvaluestore",
            "/@STORE@/items/cup-final::mode",
            "\"maybe\"",
        ]],
        &["tokens.mode"],
    ),
    (
        "the signing keys are gone",
        &[&[
            "keyvaluestore",
            "/@STORE@/items/cup-final::keys",
            "--remove",
        ]],
        &["tokens.keys"],
    ),
    (
        "no signing key is current",
        &[&["keyvaluestore", "/@STORE@/items/cup-final::keys", "\"{}\""]],
        &["tokens.keys"],
    ),
    (
        "the dashboard was emptied by hand",
        &[&[
            "cloudwatch",
            "/dashboards/onair-cup-final/body",
            "\"{\\\"widgets\\\":[]}\"",
        ]],
        &["dashboard.equal"],
    ),
    (
        "the real-time logs carry no CMCD",
        &[&[
            "cloudfront",
            "/realtime_logs/onair-cup-final-realtime/fields",
            "[\"timestamp\", \"c-ip\", \"sc-status\"]",
        ]],
        &["logs.cmcd", "logs.realtime-config"],
    ),
];

/// Faults whose checks are warnings; all others are errors.
pub(super) const WARNINGS: &[&str] = &[
    "caching.behavior",
    "caching.compression",
    "caching.headers",
    "caching.manifest-default",
    "caching.segment-ttl",
    "dashboard.equal",
    "distribution.http-versions",
    "distribution.https",
    "distribution.ipv6",
    "distribution.metrics",
    "distribution.tls",
    "logs.cmcd",
];
