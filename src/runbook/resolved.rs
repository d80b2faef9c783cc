//! The runbook as the rest of onair uses it: every value parsed, every default filled in.

use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::event::cidr::{Cidr, Family};
use crate::event::country::Country;
use crate::event::duration::Lasting;
use crate::event::name::EventId;
use crate::event::phase::Phase;
use crate::event::window::EventTimes;
use crate::runbook::model::{self, GeoMode, Role, TokenFormat, TokenMode};

/// A sound runbook. It serializes in the shape of the file, defaults included.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Runbook {
    pub(crate) event: Event,
    pub(crate) aws: Aws,
    /// At least one; the first is the main one.
    pub(crate) distributions: Vec<Distribution>,
    pub(crate) geo: Option<Geo>,
    pub(crate) waf: Option<Waf>,
    pub(crate) tokens: Option<Tokens>,
    pub(crate) ledger: Ledger,
    /// In order of time, at least one.
    pub(crate) phases: Vec<PhaseStart>,
    pub(crate) forecast: Option<Forecast>,
    pub(crate) origins: Option<Origins>,
    pub(crate) workflow: Workflow,
    pub(crate) logs: Logs,
    pub(crate) athena: Option<Athena>,
    /// The folder of the event's own queries.
    pub(crate) queries: Option<PathBuf>,
    pub(crate) dashboard: Option<Dashboard>,
    pub(crate) targets: Targets,
    pub(crate) waivers: Vec<Waiver>,
    /// The file it was loaded from.
    pub(crate) path: PathBuf,
    /// SHA-256 of the file's text, in hex.
    pub(crate) digest: String,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Event {
    pub(crate) id: EventId,
    pub(crate) name: String,
    pub(crate) starts: Timestamp,
    /// As planned; the crew may have extended the event since.
    pub(crate) ends: Timestamp,
    pub(crate) doors: Timestamp,
    pub(crate) grace: SignedDuration,
    pub(crate) zone: TimeZone,
    /// What relative times are labeled with: `KO`.
    pub(crate) kickoff_label: String,
    pub(crate) operators: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Aws {
    /// 12 digits.
    pub(crate) account: String,
    pub(crate) profile: Option<String>,
    /// The home region of regional resources; CloudFront's own are in us-east-1.
    pub(crate) region: String,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Distribution {
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) domain: String,
    pub(crate) role: Role,
    pub(crate) samples: Samples,
}

/// Paths that checks and probes ask for.
pub(crate) type Samples = model::SamplesSection;

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Geo {
    pub(crate) mode: GeoMode,
    /// Groups expanded, in order of code, each once.
    pub(crate) countries: Vec<Country>,
    pub(crate) never_block: Vec<Country>,
    /// States with or without rights, enforced by label rules of the web ACL and by the function.
    pub(crate) states: Vec<StateRights>,
    /// Metro areas with or without rights (US), enforced by the function alone.
    pub(crate) metros: Option<MetroRights>,
    /// Countries that change for a time, in order of their start.
    pub(crate) windows: Vec<GeoWindow>,
}

/// The rights in the subdivisions of one country.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StateRights {
    pub(crate) country: Country,
    pub(crate) mode: GeoMode,
    /// ISO 3166-2 codes without the country: `MA` of `US-MA`; sorted, each once, at least one.
    pub(crate) states: Vec<String>,
}

/// Rights by Nielsen metro code, as CloudFront's viewer header has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MetroRights {
    pub(crate) mode: GeoMode,
    /// Three digits each; sorted, each once, at least one.
    pub(crate) codes: Vec<String>,
}

/// A time in which countries are blocked, or let in, other than the list says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GeoWindow {
    pub(crate) name: String,
    pub(crate) from: Timestamp,
    pub(crate) until: Timestamp,
    /// Whether the countries are let in or kept out while the window is open.
    pub(crate) mode: GeoMode,
    pub(crate) countries: Vec<Country>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Waf {
    /// The web ACL's name.
    pub(crate) web_acl: String,
    pub(crate) ip_set_v4: String,
    pub(crate) ip_set_v6: String,
    pub(crate) never_block: Vec<NeverBlock>,
    /// The shortest prefix length that needs no override.
    pub(crate) widest_v4: u8,
    pub(crate) widest_v6: u8,
    pub(crate) default_duration: Lasting,
    pub(crate) audience_cap: Option<Percent>,
    /// What the blocklist's rule does: block, or count while it is tried out.
    pub(crate) blocklist: RuleAction,
    /// AWS's managed rule groups that the web ACL should have.
    pub(crate) managed: Vec<ManagedRules>,
    pub(crate) rate: Option<RateRule>,
}

/// What a rule of the web ACL does with what it matches.
pub(crate) type RuleAction = model::RuleAction;

/// One of AWS's managed rule groups, such as `AWSManagedRulesAnonymousIpList`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ManagedRules {
    pub(crate) group: String,
    pub(crate) action: RuleAction,
}

/// A rule that limits the requests of one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RateRule {
    /// Requests of one address in `window`; 10 to 2,000,000,000.
    pub(crate) limit: u64,
    /// 60, 120, 300 or 600 seconds.
    pub(crate) window_seconds: u32,
    pub(crate) action: RuleAction,
}

/// A network that no command may block without an override.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NeverBlock {
    pub(crate) name: String,
    pub(crate) cidr: Cidr,
}

/// More than 0 and at most 100.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub(crate) struct Percent(pub(crate) f64);

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tokens {
    pub(crate) format: TokenFormat,
    /// The claims that are looked up at the edge; none for opaque tokens.
    pub(crate) revocation_keys: Vec<String>,
    /// The KeyValueStore's name.
    pub(crate) store: String,
    /// The CloudFront function's name.
    pub(crate) function: String,
    pub(crate) mode: TokenMode,
    pub(crate) default_duration: Lasting,
    pub(crate) key: Option<KeySource>,
    pub(crate) gate: Gate,
}

/// What the edge function checks besides signature, expiry and revocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Gate {
    /// Where players send the token, tried in this order.
    pub(crate) sources: Vec<TokenSource>,
    /// The claim (JWT) with the path prefix that the token is good for; CATs carry `catu`.
    pub(crate) path_claim: Option<String>,
    /// The claim (JWT) with the countries that the token is good for; CATs carry `catgeoiso3166`.
    pub(crate) country_claim: Option<String>,
    /// The claim (JWT) with the network that the token is bound to; CATs carry `catnip`.
    pub(crate) network_claim: Option<String>,
    /// The claim (JWT) with the SHA-256 (base64url) of the user agent that it is bound to.
    pub(crate) user_agent_claim: Option<String>,
    /// Path prefixes that need no token.
    pub(crate) open_paths: Vec<String>,
    /// Seconds by which the edges' clocks may differ from the issuer's.
    pub(crate) leeway_seconds: u32,
}

/// Where a token may be in a request.
pub(crate) type TokenSource = model::TokenSource;

/// Where the signing key lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeySource {
    /// An environment variable.
    Env(String),
    /// A file; relative names have been joined to the runbook's folder.
    File(PathBuf),
    /// A Secrets Manager ARN.
    Secret(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ledger {
    pub(crate) store: LedgerStore,
}

/// Where the ledger's entries are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LedgerStore {
    /// A folder; relative names have been joined to the runbook's folder.
    Folder(PathBuf),
    /// `prefix` has no slash at either end, and may be empty.
    S3 { bucket: String, prefix: String },
}

/// From when a phase runs, and what may be changed in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PhaseStart {
    pub(crate) phase: Phase,
    pub(crate) from: Timestamp,
    pub(crate) allow: Allowed,
    /// Whether what is not allowed may still be done with a reason.
    pub(crate) break_glass: bool,
}

/// The commands that may change things in a phase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Allowed {
    All,
    /// Full names (`geo block`), or first words (`geo`) for all that begin so.
    Listed(Vec<String>),
}

/// What protects the event is never refused because of time.
const ALWAYS: &[&str] = &[
    "ip block",
    "token revoke",
    "ledger undo",
    "token mode",
    "origin",
];

impl Allowed {
    /// Whether a command that changes things may run, by its full name such as `ip block`.
    pub(crate) fn permits(&self, command: &str) -> bool {
        let command = full_name(command);
        let matches = |listed: &str| {
            command
                .strip_prefix(full_name(listed))
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        };
        match self {
            Self::All => true,
            Self::Listed(listed) => {
                ALWAYS.iter().any(|always| matches(always))
                    || listed.iter().any(|listed| matches(listed))
            }
        }
    }
}

/// The full name of a short verb.
fn full_name(command: &str) -> &str {
    match command {
        "block" => "ip block",
        "unblock" => "ip unblock",
        "revoke" => "token revoke",
        "undo" => "ledger undo",
        other => other,
    }
}

/// The audience that capacity is computed from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Forecast {
    /// Viewers watching at the same time at the peak.
    pub(crate) peak_viewers: u64,
    /// Seconds of a segment.
    pub(crate) segment_seconds: f64,
    /// Requests of one viewer for each segment's time: video, audio, and manifests.
    pub(crate) requests_per_segment: f64,
    /// At least one, with the highest bitrate first; the shares add up to 100.
    pub(crate) ladder: Vec<Rung>,
    /// Percent of the viewers by country; the rest is elsewhere.
    pub(crate) countries: Vec<(Country, f64)>,
    /// Percent of the viewers by distribution name; all on the main one by default.
    pub(crate) distributions: Vec<(String, f64)>,
    /// Revocations expected in the event.
    pub(crate) revocations: u64,
    /// What the ad decision server was agreed to take, in requests a second.
    pub(crate) ad_requests_per_second: Option<u64>,
    /// Seconds over which viewers' ad requests of one break spread.
    pub(crate) ad_break_spread_seconds: f64,
}

/// One rendition of the ladder.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rung {
    pub(crate) name: String,
    /// Megabits a second, audio included.
    pub(crate) megabits: f64,
    /// Percent of the viewers.
    pub(crate) share: f64,
}

impl Forecast {
    /// Bits a second of one viewer, on average over the ladder.
    pub(crate) fn bits_per_viewer(&self) -> f64 {
        self.ladder
            .iter()
            .map(|rung| rung.megabits * 1e6 * rung.share / 100.0)
            .sum()
    }

    /// Requests a second of one viewer.
    pub(crate) fn requests_per_viewer(&self) -> f64 {
        self.requests_per_segment / self.segment_seconds
    }

    /// The part (0 to 1) of the viewers that a distribution of this name serves.
    pub(crate) fn part_of(&self, distribution: &str) -> f64 {
        self.distributions
            .iter()
            .find(|(name, _)| name == distribution)
            .map_or(0.0, |(_, percent)| percent / 100.0)
    }

    /// The percentage of the viewers in a country; none when the forecast does not name it.
    pub(crate) fn share_of(&self, country: Country) -> Option<f64> {
        self.countries
            .iter()
            .find(|(known, _)| *known == country)
            .map(|(_, percent)| *percent)
    }
}

/// What the distributions' origins should be like.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Origins {
    /// The region of Origin Shield; none: not expected.
    pub(crate) shield_region: Option<String>,
    pub(crate) groups: Vec<OriginGroup>,
    pub(crate) access: OriginAccess,
    /// Seconds that CloudFront may spend on an origin before players stall.
    pub(crate) budget_seconds: f64,
    /// URLs straight at an origin that must refuse.
    pub(crate) direct_probes: Vec<String>,
}

/// An origin group by its id in the distributions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OriginGroup {
    pub(crate) id: String,
    /// Ids of origins; none: whatever is there.
    pub(crate) primary: Option<String>,
    pub(crate) secondary: Option<String>,
    /// HTTP statuses that go to the secondary, sorted.
    pub(crate) failover_codes: Vec<u16>,
    /// Whether CloudFront chooses by media quality score.
    pub(crate) media_quality: bool,
}

/// How the origins are kept from everybody but CloudFront.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum OriginAccess {
    Open,
    Oac,
    Vpc,
    /// A header of this name, whose value is a secret.
    SecretHeader(String),
}

/// The live workflow, each by ARN; empty lists where it has none.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Workflow {
    pub(crate) flows: Vec<Flow>,
    /// MediaLive channels.
    pub(crate) channels: Vec<Arn>,
    /// MediaPackage v2 origin endpoints: `…:channelGroup/G/channel/C/originEndpoint/E`.
    pub(crate) endpoints: Vec<Arn>,
    /// MediaTailor playback configurations.
    pub(crate) ads: Vec<Arn>,
    /// A DRM license server's URL that should answer.
    pub(crate) drm_probe: Option<String>,
}

/// A MediaConnect flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Flow {
    pub(crate) arn: Arn,
    /// The least SRT latency that the path needs, in milliseconds.
    pub(crate) min_latency_ms: Option<u32>,
    /// Whether its sources must be encrypted.
    pub(crate) encrypted: bool,
    /// How many sources it should have.
    pub(crate) sources: u32,
}

/// An Amazon Resource Name, checked to have its six parts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Arn(pub(crate) String);

impl Arn {
    fn part(&self, index: usize) -> &str {
        self.0.splitn(6, ':').nth(index).unwrap_or_default()
    }

    /// The region, empty for global resources.
    pub(crate) fn region(&self) -> &str {
        self.part(3)
    }

    /// What follows the account.
    pub(crate) fn resource(&self) -> &str {
        self.part(5)
    }

    /// What follows the last `/` or `:`.
    pub(crate) fn id(&self) -> &str {
        self.0.rsplit(['/', ':']).next().unwrap_or_default()
    }
}

/// Which logs are kept, and where.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Logs {
    pub(crate) access: Option<AccessLogs>,
    pub(crate) realtime: Option<RealtimeLogs>,
}

/// Standard logging (v2) of every distribution to a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AccessLogs {
    pub(crate) bucket: String,
    /// Without slashes at its ends; may be empty.
    pub(crate) prefix: String,
    pub(crate) format: LogFormat,
}

/// The format of the access logs' objects.
pub(crate) type LogFormat = model::LogFormat;

/// Real-time logs to a Kinesis data stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RealtimeLogs {
    /// The stream's name; by default `onair-EVENT-realtime`.
    pub(crate) stream: String,
    pub(crate) region: String,
    /// The name of the real-time log configuration; by default `onair-EVENT-realtime`.
    pub(crate) config: String,
    /// The role that CloudFront writes with.
    pub(crate) role: Arn,
    /// Percent of the requests, 1 to 100.
    pub(crate) sampling: u8,
    /// In CloudFront's delivery order.
    pub(crate) fields: Vec<String>,
}

/// Where queries run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Athena {
    pub(crate) workgroup: String,
    pub(crate) database: String,
    /// The tables' names; by default `access` and `realtime`.
    pub(crate) access_table: String,
    pub(crate) realtime_table: String,
    /// `s3://bucket/prefix/` for results; none: the workgroup's.
    pub(crate) output: Option<String>,
    /// Bytes that one query may scan.
    pub(crate) max_scan: u64,
}

/// The event's CloudWatch dashboard and alarms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dashboard {
    /// By default `onair-EVENT`.
    pub(crate) name: String,
    /// In this order on the screen.
    pub(crate) panels: Vec<Panel>,
    pub(crate) alarms: bool,
    /// The SNS topic (us-east-1) that alarms go to.
    pub(crate) topic: Option<Arn>,
}

/// A part of the dashboard.
pub(crate) type Panel = model::Panel;

/// What good looks like; defaults are filled in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Targets {
    /// Percent, at least.
    pub(crate) cache_hit_ratio: f64,
    /// Percent of the requests, at most.
    pub(crate) errors_4xx: f64,
    pub(crate) errors_5xx: f64,
    /// Milliseconds at the 95th percentile, at most.
    pub(crate) time_to_first_byte_ms: f64,
    /// Milliseconds at the 90th percentile, at most.
    pub(crate) origin_latency_ms: f64,
    /// Percent of the playing time, at most.
    pub(crate) rebuffering: f64,
    /// Percent of the allowed compute time of the edge function, at most.
    pub(crate) function_utilization: f64,
}

impl Default for Targets {
    fn default() -> Self {
        Self {
            cache_hit_ratio: 95.0,
            errors_4xx: 2.0,
            errors_5xx: 0.1,
            time_to_first_byte_ms: 400.0,
            origin_latency_ms: 500.0,
            rebuffering: 0.5,
            function_utilization: 70.0,
        }
    }
}

/// A risk that somebody accepted for a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Waiver {
    /// The id of a check of `preflight`, such as `origin.shield`.
    pub(crate) check: String,
    pub(crate) reason: String,
    pub(crate) owner: String,
    pub(crate) expires: Timestamp,
}

impl Event {
    /// The event's times as planned.
    pub(crate) fn times(&self) -> EventTimes {
        EventTimes {
            starts: self.starts,
            ends: self.ends,
            doors: self.doors,
            grace: self.grace,
            zone: self.zone.clone(),
        }
    }
}

impl Geo {
    /// Whether a viewer from `country` is kept out as the runbook has it.
    pub(crate) fn blocks(&self, country: Country) -> bool {
        let listed = self.countries.contains(&country);
        match self.mode {
            GeoMode::Allow => !listed,
            GeoMode::Block => listed,
        }
    }
}

impl Waf {
    /// The blocklist's name for a family.
    pub(crate) fn ip_set(&self, family: Family) -> &str {
        match family {
            Family::V4 => &self.ip_set_v4,
            Family::V6 => &self.ip_set_v6,
        }
    }
}

impl Runbook {
    /// The folder that the runbook is in.
    pub(crate) fn folder(&self) -> &Path {
        folder_of(&self.path)
    }
}

/// The folder of a file; the current one for a bare name.
pub(super) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_protects_the_event_is_always_permitted() {
        let allowed = Allowed::Listed(vec!["geo".to_owned(), "unblock".to_owned()]);
        for command in [
            "ip block",
            "block",
            "undo",
            "token mode",
            "origin prefer",
            "geo block",
            "ip unblock",
        ] {
            assert!(allowed.permits(command), "{command}");
        }
        for command in ["provision", "geofence", "ip import", "ip blocker", "token"] {
            assert!(!allowed.permits(command), "{command}");
        }
        assert!(Allowed::All.permits("provision"));
    }
}
