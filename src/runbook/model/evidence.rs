//! What is recorded and what it is held against: `[logs]`, `[athena]`, `[queries]`, `[dashboard]`,
//! `[targets]`, `[[waivers]]`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which logs are kept, and where.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct LogsSection {
    /// Access logs of every distribution (standard logging v2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) access: Option<AccessLogsSection>,
    /// Real-time logs to a Kinesis data stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) realtime: Option<RealtimeLogsSection>,
}

/// Access logs of every distribution.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct AccessLogsSection {
    /// Where they go: `s3://bucket/prefix`; the bucket's name has no dots.
    pub(crate) store: String,
    /// The objects' format, which cannot be changed later; by default parquet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) format: Option<LogFormat>,
}

/// Real-time logs to a Kinesis data stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct RealtimeLogsSection {
    /// The stream's name; by default `onair-EVENT-realtime`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stream: Option<String>,
    /// The stream's region; by default us-east-1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) region: Option<String>,
    /// The name of the real-time log configuration; by default `onair-EVENT-realtime`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) config: Option<String>,
    /// The ARN of the role that CloudFront writes with.
    pub(crate) role: String,
    /// Percent of the requests, 1 to 100; by default 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sampling: Option<u32>,
    /// Fields by name, or the groups `default`, `cmcd` and `all`; by default `["default", "cmcd"]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fields: Option<Vec<String>>,
}

/// Where queries run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct AthenaSection {
    /// The workgroup; by default `onair-EVENT`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) workgroup: Option<String>,
    /// The database; by default the event's id with underscores.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) database: Option<String>,
    /// The tables' names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tables: Option<TablesSection>,
    /// Where results go, `s3://bucket/prefix`; by default where the workgroup says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) output: Option<String>,
    /// What one query may scan, such as `200 GB` (the default).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_scan: Option<String>,
}

/// The names of the tables that queries read.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct TablesSection {
    /// The access logs; by default `access`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) access: Option<String>,
    /// The real-time logs; by default `realtime`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) realtime: Option<String>,
}

/// The event's own queries, beside those that come with onair.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct QueriesSection {
    /// A folder of `.sql` files, relative to the runbook, each with a head as `onair query show` has
    /// it; one takes the place of onair's query of its name.
    pub(crate) folder: String,
}

/// The event's CloudWatch dashboard and alarms.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct DashboardSection {
    /// The dashboard's name; by default `onair-EVENT`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    /// What it shows, in this order; by default everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) panels: Option<Vec<Panel>>,
    /// Whether alarms watch the targets; by default true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) alarms: Option<bool>,
    /// The ARN of the SNS topic in us-east-1 that alarms go to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) topic: Option<String>,
}

/// What good looks like.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct TargetsSection {
    /// Percent of the requests that the cache answers, at least; by default 95.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cache_hit_ratio: Option<f64>,
    /// Percent of the requests answered 4xx, at most; by default 2.
    #[serde(rename = "errors-4xx", skip_serializing_if = "Option::is_none")]
    pub(crate) errors_4xx: Option<f64>,
    /// Percent of the requests answered 5xx, at most; by default 0.1.
    #[serde(rename = "errors-5xx", skip_serializing_if = "Option::is_none")]
    pub(crate) errors_5xx: Option<f64>,
    /// The time to first byte at the 95th percentile, at most; by default 400ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) time_to_first_byte: Option<String>,
    /// The origin's latency at the 90th percentile, at most; by default 500ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) origin_latency: Option<String>,
    /// Percent of the playing time spent waiting, at most; by default 0.5.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rebuffering: Option<f64>,
    /// Percent of its allowed time that the edge function takes, at most; by default 70.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) function_utilization: Option<f64>,
}

/// A risk that somebody accepted for a time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct WaiverSection {
    /// The id of a check of `preflight`, such as `origin.shield`.
    pub(crate) check: String,
    /// Why the risk is taken.
    pub(crate) reason: String,
    /// Who takes it.
    pub(crate) owner: String,
    /// Until when, such as `end` or `2026-06-15 12:00`.
    pub(crate) expires: String,
}

/// The format of the access logs' objects.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum LogFormat {
    /// Apache Parquet, billed by CloudFront.
    #[default]
    Parquet,
    /// One JSON object a line.
    Json,
    /// W3C extended log format with a `#Fields` line.
    W3c,
}

/// A part of the dashboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Panel {
    /// MediaConnect: contribution over SRT.
    Ingest,
    /// MediaLive.
    Encode,
    /// MediaPackage.
    Package,
    /// CloudFront.
    Delivery,
    /// AWS WAF and the edge function.
    Security,
    /// MediaTailor.
    Ads,
}
