//! What has to be carried and where it comes from: `[forecast]`, `[origins]`, `[workflow]`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The audience that capacity checks and the share of a country are computed from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct ForecastSection {
    /// Viewers watching at the same time at the peak.
    pub(crate) peak_viewers: u32,
    /// The length of a segment, such as `4s` or `1920ms`.
    pub(crate) segment: String,
    /// Requests of one viewer in each segment's time: video, audio and manifests; by default 3.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) requests_per_segment: Option<f64>,
    /// The renditions and how the viewers spread over them.
    pub(crate) ladder: Vec<RungSection>,
    /// Percent of the viewers by country code; the rest is elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) countries: Option<BTreeMap<String, f64>>,
    /// Percent of the viewers by distribution name; by default all on the main one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) distributions: Option<BTreeMap<String, f64>>,
    /// Revocations expected in the event; by default 1,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) revocations: Option<u32>,
    /// What the ad decision server was agreed to take, in requests a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ad_requests_per_second: Option<u32>,
    /// The time over which the viewers' ad requests of one break spread; by default 10s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ad_break_spread: Option<String>,
}

/// One rendition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct RungSection {
    /// What the crew calls it, such as `1080p`.
    pub(crate) name: String,
    /// Megabits a second, audio included.
    pub(crate) megabits: f64,
    /// Percent of the viewers; all shares add up to 100.
    pub(crate) share: f64,
}

/// What the distributions' origins should be like.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct OriginsSection {
    /// The region in which Origin Shield is expected; without it none is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) shield_region: Option<String>,
    /// How the origins are kept from everybody but CloudFront: `oac` (the default), `vpc`, `open`,
    /// or `{ secret-header = "NAME" }`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) access: Option<AccessSection>,
    /// How long CloudFront may spend on an origin, attempts and timeouts together, before players
    /// stall; by default 8s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) budget: Option<String>,
    /// https:// URLs straight at an origin, which must refuse.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) direct_probes: Option<Vec<String>>,
    /// The origin groups.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) groups: Option<Vec<OriginGroupSection>>,
}

/// How the origins are kept from everybody but CloudFront.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum AccessSection {
    /// A word.
    Word(AccessWord),
    /// A header that only CloudFront sends.
    Header(SecretHeaderSection),
}

/// How the origins are closed, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum AccessWord {
    /// By origin access control: signed requests.
    Oac,
    /// They are VPC origins.
    Vpc,
    /// They are not closed.
    Open,
}

/// A header that only CloudFront sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct SecretHeaderSection {
    /// The header's name; its value is a secret and never stands here.
    pub(crate) secret_header: String,
}

/// An origin group of the distributions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct OriginGroupSection {
    /// Its id in the distribution.
    pub(crate) id: String,
    /// The id of the origin that is asked first; by default whichever it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) primary: Option<String>,
    /// The id of the origin that is asked when the first fails; by default whichever it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) secondary: Option<String>,
    /// The HTTP statuses that send a request to the second origin, out of 400, 403, 404, 416, 429,
    /// 500, 502, 503, 504; by default the last four.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) failover_codes: Option<Vec<u32>>,
    /// Whether CloudFront chooses by media quality score; by default false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) media_quality: Option<bool>,
}

/// The live workflow in front of CloudFront.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct WorkflowSection {
    /// The MediaConnect flows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) flows: Option<Vec<FlowSection>>,
    /// The MediaLive channels, each by ARN, or by id when it is in the runbook's region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) channels: Option<Vec<String>>,
    /// The MediaPackage v2 origin endpoints, each by ARN, or as `GROUP/CHANNEL/ENDPOINT` when it is
    /// in the runbook's region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) endpoints: Option<Vec<String>>,
    /// The MediaTailor playback configurations, each by ARN, or by name when it is in the runbook's
    /// region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ads: Option<Vec<String>>,
    /// An https:// URL of the DRM license server that should answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) drm_probe: Option<String>,
}

/// A MediaConnect flow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct FlowSection {
    /// Its ARN.
    pub(crate) arn: String,
    /// The least SRT latency that the path needs, such as `400ms`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) min_latency: Option<String>,
    /// Whether its sources must be encrypted; by default true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) encrypted: Option<bool>,
    /// How many sources it should have, 1 or 2; by default 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sources: Option<u32>,
}
