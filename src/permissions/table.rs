//! Who may do what, as data. Actions and the resources they take are from AWS's Service
//! Authorization Reference; what is called is known from this code, and a test counts it.

use super::Role::{self, Analyst, Ci, Operator};
use super::place::Place;

/// Actions that go together, and who needs them for what.
#[derive(Debug)]
pub(super) struct Row {
    /// The statement's id: letters and digits.
    pub(super) sid: &'static str,
    pub(super) actions: &'static [&'static str],
    pub(super) place: Place,
    pub(super) roles: &'static [Role],
    /// The commands that call them, as in `--help`.
    pub(super) commands: &'static [&'static str],
    /// The service that the action hands something to: the condition `iam:PassedToService`.
    pub(super) passed_to: Option<&'static str>,
}

const NO_RESOURCE: &str = "the action takes no resource";
const LISTS: &str = "lists take no resource";

const EVERYBODY: &[Role] = &[Operator, Ci, Analyst];
const CREW: &[Role] = &[Operator, Ci];

const fn row(
    sid: &'static str,
    actions: &'static [&'static str],
    place: Place,
    roles: &'static [Role],
    commands: &'static [&'static str],
) -> Row {
    Row {
        sid,
        actions,
        place,
        roles,
        commands,
        passed_to: None,
    }
}

pub(super) const TABLE: &[Row] = &[
    // What is there: every look begins with these.
    row(
        "ReadDistributions",
        &[
            "cloudfront:GetDistribution",
            "cloudfront:GetDistributionConfig",
        ],
        Place::Distributions,
        EVERYBODY,
        &["status", "why", "geo", "provision", "preflight"],
    ),
    row(
        "ReadRules",
        &["wafv2:GetWebACL", "wafv2:GetSampledRequests"],
        Place::WebAcl,
        EVERYBODY,
        &[
            "why",
            "status",
            "ip",
            "geo",
            "rule",
            "provision",
            "preflight",
        ],
    ),
    row(
        "ReadBlocklists",
        &["wafv2:GetIPSet"],
        Place::IpSets,
        EVERYBODY,
        &["ip", "status", "why", "provision", "preflight"],
    ),
    row(
        "ListRules",
        &["wafv2:ListIPSets", "wafv2:ListWebACLs"],
        Place::AnyForWaf(LISTS),
        EVERYBODY,
        &["ip", "status", "why", "rule", "provision", "preflight"],
    ),
    row(
        "ListStores",
        &["cloudfront:ListKeyValueStores"],
        Place::AnyForTokens(LISTS),
        EVERYBODY,
        &["token", "status", "why", "provision", "preflight"],
    ),
    row(
        "ReadRevocations",
        &[
            "cloudfront-keyvaluestore:DescribeKeyValueStore",
            "cloudfront-keyvaluestore:GetKey",
            "cloudfront-keyvaluestore:ListKeys",
        ],
        Place::Stores,
        EVERYBODY,
        &["token", "status", "why", "preflight"],
    ),
    row(
        "ReadLedger",
        &["s3:GetObject"],
        Place::LedgerObjects,
        EVERYBODY,
        &["every command that asks AWS"],
    ),
    row(
        "ListLedger",
        &["s3:ListBucket"],
        Place::LedgerBucket,
        EVERYBODY,
        &["every command that asks AWS"],
    ),
    row(
        "ReadDashboard",
        &["cloudwatch:GetDashboard"],
        Place::Dashboard,
        EVERYBODY,
        &["dashboard", "preflight", "provision"],
    ),
    // The night's changes.
    row(
        "WriteLedger",
        &["s3:PutObject"],
        Place::LedgerObjects,
        CREW,
        &["every change"],
    ),
    row(
        "ChangeDistributions",
        &["cloudfront:UpdateDistribution"],
        Place::Distributions,
        CREW,
        &[
            "geo block",
            "geo unblock",
            "geo reset",
            "tend",
            "provision",
            "teardown",
        ],
    ),
    row(
        "ChangeBlocklists",
        &["wafv2:UpdateIPSet"],
        Place::IpSets,
        &[Operator],
        &["ip block", "ip unblock", "ip import", "ledger undo", "tend"],
    ),
    row(
        "ChangeRules",
        &["wafv2:UpdateWebACL"],
        Place::WebAclRules,
        CREW,
        &["rule count", "rule block", "provision", "teardown"],
    ),
    row(
        "ChangeRevocations",
        &["cloudfront-keyvaluestore:UpdateKeys"],
        Place::Stores,
        CREW,
        &[
            "token revoke",
            "token restore",
            "token mode",
            "token keys",
            "provision",
        ],
    ),
    row(
        "TestFunction",
        &["cloudfront:DescribeFunction", "cloudfront:TestFunction"],
        Place::Function,
        &[Operator],
        &["token selftest --on aws"],
    ),
    row(
        "ChangeDashboard",
        &["cloudwatch:PutDashboard"],
        Place::Dashboard,
        CREW,
        &["dashboard apply", "provision"],
    ),
    // Before the event: the checks.
    row(
        "CheckFunction",
        &["cloudfront:DescribeFunction", "cloudfront:GetFunction"],
        Place::Function,
        CREW,
        &["preflight", "provision", "why"],
    ),
    row(
        "CheckStore",
        &["cloudfront:DescribeKeyValueStore"],
        Place::Stores,
        CREW,
        &["preflight", "provision"],
    ),
    row(
        "CheckRealtimeConfig",
        &["cloudfront:GetRealtimeLogConfig"],
        Place::RealtimeConfig,
        CREW,
        &["preflight", "provision"],
    ),
    row(
        "CheckPolicies",
        &[
            "cloudfront:GetCachePolicy",
            "cloudfront:GetContinuousDeploymentPolicy",
            "cloudfront:GetOriginAccessControl",
            "cloudfront:GetOriginRequestPolicy",
            "cloudfront:GetResponseHeadersPolicy",
            "cloudfront:GetVpcOrigin",
        ],
        Place::Policies,
        CREW,
        &["preflight"],
    ),
    row(
        "CheckMetrics",
        &["cloudfront:GetMonitoringSubscription"],
        Place::Any(NO_RESOURCE),
        CREW,
        &["preflight", "provision"],
    ),
    row(
        "CheckNeighbors",
        &["cloudfront:ListDistributionsByWebACLId"],
        Place::AnyForWaf(LISTS),
        CREW,
        &["preflight"],
    ),
    row(
        "CheckCertificates",
        &["acm:DescribeCertificate"],
        Place::Certificates,
        CREW,
        &["preflight"],
    ),
    row(
        "CheckPermissions",
        &["iam:SimulatePrincipalPolicy"],
        Place::Any("the caller's own role or user, whoever runs it"),
        CREW,
        &["preflight"],
    ),
    row(
        "CheckRole",
        &["iam:GetRole"],
        Place::RealtimeRole,
        CREW,
        &["preflight"],
    ),
    row(
        "CheckStream",
        &["kinesis:DescribeStreamSummary"],
        Place::Stream,
        CREW,
        &["preflight", "provision"],
    ),
    row(
        "CheckDeliveries",
        &[
            "logs:DescribeDeliveries",
            "logs:DescribeDeliveryDestinations",
            "logs:DescribeDeliverySources",
        ],
        Place::AnyForAccessLogs(LISTS),
        CREW,
        &["preflight", "provision"],
    ),
    row(
        "CheckLogBucket",
        &[
            "s3:GetBucketLocation",
            "s3:GetBucketPolicy",
            "s3:ListBucket",
        ],
        Place::LogBucket,
        CREW,
        &["preflight", "provision"],
    ),
    row(
        "CheckWorkgroup",
        &["athena:GetWorkGroup"],
        Place::Workgroup,
        EVERYBODY,
        &["preflight", "provision", "query run"],
    ),
    row(
        "CheckTables",
        &["glue:GetDatabase", "glue:GetTable"],
        Place::Catalog,
        EVERYBODY,
        &["preflight", "provision", "query run"],
    ),
    row(
        "CheckAlarms",
        &["cloudwatch:DescribeAlarms"],
        Place::AnyForDashboard("a list of alarms by prefix takes no narrower resource"),
        CREW,
        &["preflight", "provision"],
    ),
    row(
        "ReadMetrics",
        &["cloudwatch:GetMetricData"],
        Place::Any(NO_RESOURCE),
        EVERYBODY,
        &["preflight", "report"],
    ),
    row(
        "CheckFlows",
        &[
            "mediaconnect:DescribeFlow",
            "mediaconnect:DescribeFlowSourceMetadata",
        ],
        Place::Flows,
        CREW,
        &["preflight"],
    ),
    row(
        "CheckChannels",
        &["medialive:DescribeChannel"],
        Place::Channels,
        CREW,
        &["preflight"],
    ),
    row(
        "CheckInputs",
        &["medialive:DescribeInput"],
        Place::Inputs,
        CREW,
        &["preflight"],
    ),
    row(
        "CheckAlerts",
        &["medialive:ListAlerts"],
        Place::AnyForChannels(NO_RESOURCE),
        CREW,
        &["preflight"],
    ),
    row(
        "CheckEndpoints",
        &[
            "mediapackagev2:GetChannel",
            "mediapackagev2:GetOriginEndpoint",
            "mediapackagev2:GetOriginEndpointPolicy",
        ],
        Place::Endpoints,
        CREW,
        &["preflight"],
    ),
    row(
        "CheckAds",
        &[
            "mediatailor:GetPlaybackConfiguration",
            "mediatailor:ListPrefetchSchedules",
        ],
        Place::Ads,
        CREW,
        &["preflight"],
    ),
    // What a pipeline makes and takes down again.
    row(
        "MakeBlocklists",
        &[
            "wafv2:CreateIPSet",
            "wafv2:DeleteIPSet",
            "wafv2:ListTagsForResource",
            "wafv2:TagResource",
        ],
        Place::IpSets,
        &[Ci],
        &["provision", "teardown"],
    ),
    row(
        "MakeFunction",
        &[
            "cloudfront:DeleteFunction",
            "cloudfront:PublishFunction",
            "cloudfront:UpdateFunction",
        ],
        Place::Function,
        &[Ci],
        &["provision", "teardown"],
    ),
    row(
        "MakeStore",
        &["cloudfront:DeleteKeyValueStore"],
        Place::Stores,
        &[Ci],
        &["teardown"],
    ),
    row(
        "MakeEdge",
        &[
            "cloudfront:CreateFunction",
            "cloudfront:CreateKeyValueStore",
        ],
        Place::AnyForTokens("what is made has no ARN yet, and the action takes none"),
        &[Ci],
        &["provision"],
    ),
    row(
        "MakeMetrics",
        &[
            "cloudfront:CreateMonitoringSubscription",
            "cloudfront:DeleteMonitoringSubscription",
        ],
        Place::Any(NO_RESOURCE),
        &[Ci],
        &["provision", "teardown"],
    ),
    row(
        "MakeRealtimeConfig",
        &[
            "cloudfront:DeleteRealtimeLogConfig",
            "cloudfront:UpdateRealtimeLogConfig",
        ],
        Place::RealtimeConfig,
        &[Ci],
        &["provision", "teardown"],
    ),
    row(
        "CreateRealtimeConfig",
        &["cloudfront:CreateRealtimeLogConfig"],
        Place::AnyForRealtimeLogs("what is made has no ARN yet, and the action takes none"),
        &[Ci],
        &["provision"],
    ),
    Row {
        passed_to: Some("cloudfront.amazonaws.com"),
        ..row(
            "PassRealtimeRole",
            &["iam:PassRole"],
            Place::RealtimeRole,
            &[Ci],
            &["provision"],
        )
    },
    row(
        "MakeStream",
        &[
            "kinesis:AddTagsToStream",
            "kinesis:CreateStream",
            "kinesis:DeleteStream",
            "kinesis:ListTagsForStream",
        ],
        Place::Stream,
        &[Ci],
        &["provision", "teardown"],
    ),
    row(
        "SizeStream",
        &["kinesis:UpdateShardCount", "kinesis:UpdateStreamMode"],
        Place::AnyForRealtimeLogs(NO_RESOURCE),
        &[Ci],
        &["provision"],
    ),
    row(
        "MakeDeliveries",
        &[
            "logs:CreateDelivery",
            "logs:DeleteDelivery",
            "logs:DeleteDeliveryDestination",
            "logs:DeleteDeliverySource",
            "logs:PutDeliveryDestination",
            "logs:PutDeliverySource",
            "logs:TagResource",
            "logs:UpdateDeliveryConfiguration",
        ],
        Place::Deliveries,
        &[Ci],
        &["provision", "teardown"],
    ),
    row(
        "AllowDeliveries",
        &["cloudfront:AllowVendedLogDeliveryForResource"],
        Place::Distributions,
        &[Ci],
        &["provision"],
    ),
    row(
        "OpenLogBucket",
        &["s3:PutBucketPolicy"],
        Place::LogBucket,
        &[Ci],
        &["provision", "teardown"],
    ),
    row(
        "MakeWorkgroup",
        &[
            "athena:BatchGetNamedQuery",
            "athena:CreateNamedQuery",
            "athena:CreateWorkGroup",
            "athena:DeleteNamedQuery",
            "athena:DeleteWorkGroup",
            "athena:ListNamedQueries",
            "athena:ListTagsForResource",
            "athena:TagResource",
            "athena:UpdateNamedQuery",
            "athena:UpdateWorkGroup",
        ],
        Place::Workgroup,
        &[Ci],
        &["provision", "teardown"],
    ),
    row(
        "MakeTables",
        &[
            "glue:CreateDatabase",
            "glue:CreateTable",
            "glue:DeleteDatabase",
            "glue:DeleteTable",
            "glue:GetTables",
            "glue:UpdateTable",
        ],
        Place::Catalog,
        &[Ci],
        &["provision", "teardown"],
    ),
    row(
        "MakeDashboard",
        &["cloudwatch:DeleteDashboards"],
        Place::Dashboard,
        &[Ci],
        &["teardown"],
    ),
    row(
        "MakeAlarms",
        &[
            "cloudwatch:DeleteAlarms",
            "cloudwatch:ListTagsForResource",
            "cloudwatch:PutMetricAlarm",
            "cloudwatch:TagResource",
        ],
        Place::Alarms,
        &[Ci],
        &["provision", "teardown"],
    ),
    row(
        "FindLeftovers",
        &[
            "cloudfront:ListFunctions",
            "cloudfront:ListRealtimeLogConfigs",
        ],
        Place::Any(LISTS),
        &[Ci],
        &["provision", "teardown --leftovers"],
    ),
    // After the event: queries.
    row(
        "RunQueries",
        &[
            "athena:GetQueryExecution",
            "athena:GetQueryResults",
            "athena:StartQueryExecution",
            "athena:StopQueryExecution",
        ],
        Place::Workgroup,
        &[Analyst],
        &["query run", "report"],
    ),
    row(
        "ReadPartitions",
        &["glue:GetPartitions"],
        Place::Catalog,
        &[Analyst],
        &["query run", "report"],
    ),
    row(
        "ReadLogs",
        &["s3:GetObject"],
        Place::LogObjects,
        &[Analyst],
        &["query run", "report"],
    ),
    row(
        "ListLogs",
        &["s3:GetBucketLocation", "s3:ListBucket"],
        Place::LogBucket,
        &[Analyst],
        &["query run", "report"],
    ),
    row(
        "KeepResults",
        &[
            "s3:AbortMultipartUpload",
            "s3:GetObject",
            "s3:ListMultipartUploadParts",
            "s3:PutObject",
        ],
        Place::ResultObjects,
        &[Analyst],
        &["query run", "report"],
    ),
    row(
        "ListResults",
        &[
            "s3:GetBucketLocation",
            "s3:ListBucket",
            "s3:ListBucketMultipartUploads",
        ],
        Place::ResultBucket,
        &[Analyst],
        &["query run", "report"],
    ),
];
