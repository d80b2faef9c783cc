//! The runbook as written in TOML. Doc comments here are the JSON Schema's descriptions.
//!
//! Values stay texts: `check` and `load` parse them, so that all problems are found at once.

mod evidence;
mod supply;
mod viewers;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::event::phase::Phase;

pub(crate) use evidence::{
    AccessLogsSection, AthenaSection, DashboardSection, LogFormat, LogsSection, Panel,
    QueriesSection, RealtimeLogsSection, TablesSection, TargetsSection, WaiverSection,
};
pub(crate) use supply::{
    AccessSection, AccessWord, FlowSection, ForecastSection, OriginGroupSection, OriginsSection,
    RungSection, SecretHeaderSection, WorkflowSection,
};
pub(crate) use viewers::{
    GateSection, GeoWindowSection, ManagedRulesSection, MetrosSection, RateSection, RuleAction,
    StatesSection, TokenSource,
};

/// An onair runbook: everything that belongs to one live-streaming event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(title = "onair runbook")]
pub(crate) struct File {
    /// The version of this file's format: 1.
    pub(crate) format: u32,
    /// The event and its times.
    pub(crate) event: EventSection,
    /// The account that the event runs in.
    pub(crate) aws: AwsSection,
    /// The CloudFront distributions that serve the event, the first being the main one.
    pub(crate) distributions: Vec<DistributionSection>,
    /// Which countries may watch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) geo: Option<GeoSection>,
    /// The web ACL and the event's blocklists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) waf: Option<WafSection>,
    /// The viewers' tokens and their revocation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tokens: Option<TokensSection>,
    /// Where the record of every change is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ledger: Option<LedgerSection>,
    /// From when each phase runs and what may be changed in it; without any, the usual ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) phases: Option<Vec<PhaseSection>>,
    /// The audience that capacity checks are computed from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) forecast: Option<ForecastSection>,
    /// What the distributions' origins should be like.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) origins: Option<OriginsSection>,
    /// The live workflow in front of CloudFront.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) workflow: Option<WorkflowSection>,
    /// Which logs are kept, and where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) logs: Option<LogsSection>,
    /// Where queries run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) athena: Option<AthenaSection>,
    /// The event's own queries, beside those that come with onair.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) queries: Option<QueriesSection>,
    /// The event's CloudWatch dashboard and alarms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) dashboard: Option<DashboardSection>,
    /// What good looks like.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) targets: Option<TargetsSection>,
    /// Risks that somebody accepted for a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) waivers: Option<Vec<WaiverSection>>,
}

/// The event and its times.
///
/// Times are RFC 3339 (`2026-06-14T20:30:00+02:00`) or local time in the event's zone
/// (`2026-06-14 20:30`); all but `starts` may be relative (`ko-90m`, `ko+3h`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct EventSection {
    /// The slug that tags and names everything the event owns: lower-case letters, digits and
    /// hyphens, at most 31.
    pub(crate) id: String,
    /// The event's name for people.
    pub(crate) name: String,
    /// When it starts (kickoff, `ko`).
    pub(crate) starts: String,
    /// When it is planned to end (`end`).
    pub(crate) ends: String,
    /// When viewers are let in; by default at `starts`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) doors: Option<String>,
    /// How long before doors and after the end the event still counts as the current one; by
    /// default 2h.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) grace: Option<String>,
    /// The event's time zone, an IANA name such as `Europe/Vienna`.
    pub(crate) zone: String,
    /// What relative times are labeled with, `KO` by default: `KO+20:14`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) kickoff_label: Option<String>,
    /// Who is on shift, by the names that they act under.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) operators: Option<Vec<String>>,
}

/// The account that the event runs in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct AwsSection {
    /// The account's 12 digits, in quotes; any other account is refused.
    pub(crate) account: String,
    /// The profile of the AWS configuration to use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) profile: Option<String>,
    /// The home region of the event's regional resources; CloudFront and its WAF are always asked
    /// in us-east-1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) region: Option<String>,
}

/// A CloudFront distribution.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct DistributionSection {
    /// What the crew calls it.
    pub(crate) name: String,
    /// CloudFront's id, such as `E2QWRUHAPOMQZL`.
    pub(crate) id: String,
    /// The host name that viewers use.
    pub(crate) domain: String,
    /// What it serves; by default video.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) role: Option<Role>,
    /// Paths that checks and probes ask for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) samples: Option<SamplesSection>,
}

/// What a distribution serves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Role {
    /// Manifests and segments.
    #[default]
    Video,
    /// The same as the first, through another path.
    Backup,
    /// Ads and their manifests.
    Ads,
    /// Decryption keys and licenses.
    Keys,
    /// Web pages and players.
    Site,
}

/// Paths that checks and probes ask for, each beginning with `/`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct SamplesSection {
    /// A manifest or playlist.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) manifest: Option<String>,
    /// A DASH manifest, where `manifest` is HLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) dash: Option<String>,
    /// A media segment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) segment: Option<String>,
    /// A decryption key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<String>,
    /// A manifest with ads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ad_manifest: Option<String>,
}

/// Which countries may watch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct GeoSection {
    /// Whether `countries` are those let in or those kept out.
    pub(crate) mode: GeoMode,
    /// ISO 3166-1 codes, English names, or groups: EU, EEA, EFTA, DACH, BENELUX, NORDICS, BALTICS,
    /// GCC, ANZ, USMCA, LATAM.
    pub(crate) countries: Vec<String>,
    /// Countries that no command may block without an override.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) never_block: Option<Vec<String>>,
    /// States with or without rights, enforced by rules of the web ACL and by the edge function.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) states: Option<Vec<StatesSection>>,
    /// Metro areas with or without rights, enforced by the edge function.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) metros: Option<MetrosSection>,
    /// Times in which countries are blocked, or let in, other than the list says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) windows: Option<Vec<GeoWindowSection>>,
}

/// How the list of countries is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum GeoMode {
    /// Only the listed countries may watch.
    Allow,
    /// All but the listed countries may watch.
    Block,
}

/// The web ACL and the event's blocklists.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct WafSection {
    /// The web ACL's name (scope CLOUDFRONT).
    pub(crate) web_acl: String,
    /// The IPv4 blocklist's name; by default `onair-EVENT-block-v4`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ip_set_v4: Option<String>,
    /// The IPv6 blocklist's name; by default `onair-EVENT-block-v6`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ip_set_v6: Option<String>,
    /// Networks that no command may block without an override.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) never_block: Option<Vec<NeverBlockSection>>,
    /// The shortest IPv4 prefix that may be blocked without an override; by default 16.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) widest_v4: Option<u32>,
    /// The shortest IPv6 prefix that may be blocked without an override; by default 32.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) widest_v6: Option<u32>,
    /// How long a block lasts when nothing else is said: a duration, `event` (the default) or
    /// `forever`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) default_duration: Option<String>,
    /// The percentage of the audience that one change may shut out without an override.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) audience_cap: Option<f64>,
    /// What the blocklist's rule does; by default block. Count tries it out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) blocklist: Option<RuleAction>,
    /// AWS's managed rule groups that the web ACL should have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) managed: Option<Vec<ManagedRulesSection>>,
    /// A limit of the requests of one address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rate: Option<RateSection>,
}

/// A network that must not be blocked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct NeverBlockSection {
    /// Whose it is.
    pub(crate) name: String,
    /// An address or prefix such as `203.0.113.0/24`.
    pub(crate) cidr: String,
}

/// The viewers' tokens and their revocation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct TokensSection {
    /// The tokens' format.
    pub(crate) format: TokenFormat,
    /// The claims by which a token can be revoked, all looked up at the edge, such as
    /// `["sub", "sid", "jti"]`; for opaque tokens leave it out: the token's digest is the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) revocation_keys: Option<Vec<String>>,
    /// The name of the KeyValueStore; by default `onair-EVENT-revocations`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) store: Option<String>,
    /// The name of the CloudFront function; by default `onair-EVENT-gate`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) function: Option<String>,
    /// What the function does with a token it would refuse; by default enforce.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) mode: Option<TokenMode>,
    /// How long a revocation lasts when nothing else is said: a duration, `event` (the default) or
    /// `forever`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) default_duration: Option<String>,
    /// Where the signing key lives; the key itself never stands in a runbook.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<KeyReference>,
    /// What the edge function checks besides signature, expiry and revocation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) gate: Option<GateSection>,
}

/// The viewers' tokens' format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum TokenFormat {
    /// JSON Web Tokens.
    Jwt,
    /// Common Access Tokens (CTA-5007).
    Cat,
    /// Texts that only their issuer can read.
    Opaque,
}

/// What the edge does with a token it would refuse.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum TokenMode {
    /// Tokens are not looked at.
    Off,
    /// A refusal is logged, the request is served.
    Log,
    /// The request is refused.
    #[default]
    Enforce,
}

/// Where a secret lives; exactly one of the members.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct KeyReference {
    /// An environment variable's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) env: Option<String>,
    /// A file, relative to the runbook.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) file: Option<String>,
    /// The ARN of a Secrets Manager secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) secret: Option<String>,
}

/// Where the record of every change is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct LedgerSection {
    /// A folder, relative to the runbook, or `s3://bucket/prefix`; by default `.onair/EVENT/`.
    pub(crate) store: String,
}

/// A phase: from when it runs and what may be changed in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct PhaseSection {
    /// Which phase.
    pub(crate) name: Phase,
    /// From when, such as `doors-24h`, `ko-1h` or `end+30m`. The live phase ends by command alone.
    pub(crate) from: String,
    /// The commands that may change things, such as `ip` or `geo block`, or `["all"]`; by default
    /// all, in freeze and live all but provision and teardown. Looking is always allowed, and so
    /// are `ip block`, `token revoke`, `ledger undo`, `token mode` and `origin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) allow: Option<Vec<String>>,
    /// Whether a command that is not allowed may still run with a reason, on the record; by
    /// default true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) break_glass: Option<bool>,
}
