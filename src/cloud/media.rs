//! The values of the live workflow, as far as checks look at them: what MediaConnect, MediaLive,
//! MediaPackage v2 and MediaTailor say of their resources.
//!
//! States that this version does not know keep their text: a new state of AWS's must show as
//! what it is, and never as healthy.

use jiff::Timestamp;
use jiff::civil::Weekday;

/// A weekly time at which AWS may restart a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Maintenance {
    pub(crate) day: Weekday,
    /// The full hour it begins at, UTC, 0 to 23; it lasts about two hours.
    pub(crate) hour: i8,
    /// When the next one was set for, where one is.
    pub(crate) scheduled: Option<Timestamp>,
}

/// A MediaConnect flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MediaFlow {
    pub(crate) arn: String,
    pub(crate) name: String,
    pub(crate) status: FlowStatus,
    /// In the service's order; the first is the one that it was made with.
    pub(crate) sources: Vec<FlowSource>,
    pub(crate) failover: Option<FlowFailover>,
    pub(crate) maintenance: Option<Maintenance>,
    /// What the service reports as wrong with the flow.
    pub(crate) errors: Vec<String>,
    /// Outputs that are switched on.
    pub(crate) outputs: usize,
}

/// The state of a flow; it carries video in one of them alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FlowStatus {
    Active,
    Standby,
    /// On its way from one state to another, or in error, or unknown to this version.
    Other(String),
}

impl FlowStatus {
    pub(crate) fn parse(text: &str) -> Self {
        match text {
            "ACTIVE" => Self::Active,
            "STANDBY" => Self::Standby,
            other => Self::Other(other.to_owned()),
        }
    }

    /// The service's word.
    pub(crate) fn word(&self) -> &str {
        match self {
            Self::Active => "ACTIVE",
            Self::Standby => "STANDBY",
            Self::Other(word) => word,
        }
    }
}

/// Where a flow's video comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FlowSource {
    pub(crate) arn: String,
    pub(crate) name: String,
    /// `srt-listener`, `srt-caller`, `rist` …; none for entitlements and bridges.
    pub(crate) protocol: Option<String>,
    /// Milliseconds, as the transport was set up: SRT and RIST.
    pub(crate) min_latency_ms: Option<u32>,
    /// Its content is encrypted on the way.
    pub(crate) encrypted: bool,
    /// Who may send: CIDR texts.
    pub(crate) allowed: Vec<String>,
    /// The sender's address while it is connected (SRT and RIST alone).
    pub(crate) peer: Option<String>,
}

/// What a flow with two sources does when one fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FlowFailover {
    pub(crate) enabled: bool,
    /// `MERGE` or `FAILOVER`.
    pub(crate) mode: Option<String>,
    pub(crate) recovery_window_ms: Option<u32>,
    pub(crate) primary: Option<String>,
}

/// What a flow's source carries at the moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FlowContent {
    pub(crate) at: Option<Timestamp>,
    /// `Video`, `Audio` …, with the codec.
    pub(crate) streams: Vec<(String, Option<String>)>,
    /// What the service found wrong with the stream.
    pub(crate) messages: Vec<String>,
}

/// A MediaLive channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Channel {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) state: ChannelState,
    /// Two pipelines; none when the class is unknown.
    pub(crate) standard: Option<bool>,
    pub(crate) pipelines_running: u32,
    /// The active input of each pipeline, by the pipeline's id.
    pub(crate) pipelines: Vec<(String, Option<String>)>,
    pub(crate) inputs: Vec<ChannelInput>,
    /// `EMBEDDED`, `SYSTEMCLOCK` or `ZEROBASED`.
    pub(crate) timecode: Option<String>,
    /// `EPOCH_LOCKING`, `PIPELINE_LOCKING` or `DISABLED`.
    pub(crate) locking: Option<String>,
    /// Of output groups that send CMAF ingest: name and how many destinations each pipeline has.
    pub(crate) cmaf_groups: Vec<(String, usize)>,
    pub(crate) output_groups: usize,
    /// MediaPackage v2 channels that outputs go to.
    pub(crate) packagers: Vec<Packager>,
    pub(crate) maintenance: Option<Maintenance>,
    /// `ERROR` …, `DISABLED`.
    pub(crate) log_level: Option<String>,
}

/// The state of a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ChannelState {
    Running,
    Idle,
    Other(String),
}

impl ChannelState {
    pub(crate) fn parse(text: &str) -> Self {
        match text {
            "RUNNING" => Self::Running,
            "IDLE" => Self::Idle,
            other => Self::Other(other.to_owned()),
        }
    }

    /// The service's word.
    pub(crate) fn word(&self) -> &str {
        match self {
            Self::Running => "RUNNING",
            Self::Idle => "IDLE",
            Self::Other(word) => word,
        }
    }
}

/// An input as attached to a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChannelInput {
    pub(crate) id: String,
    pub(crate) name: String,
    /// The input that takes over, by automatic input failover.
    pub(crate) secondary: Option<String>,
}

/// Where a channel sends its video to be packaged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Packager {
    /// None: the channel's own region.
    pub(crate) region: Option<String>,
    pub(crate) group: String,
    pub(crate) channel: String,
}

/// An alert of a channel that is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChannelAlert {
    pub(crate) kind: String,
    pub(crate) message: String,
    pub(crate) pipeline: Option<String>,
}

/// A MediaLive input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MediaInput {
    pub(crate) id: String,
    pub(crate) name: String,
    /// `ATTACHED`, `DETACHED` …
    pub(crate) state: String,
    /// `MEDIACONNECT`, `SRT_LISTENER` …
    pub(crate) kind: String,
    /// One source for each pipeline; none when the class is unknown.
    pub(crate) standard: Option<bool>,
    /// ARNs of flows that feed it.
    pub(crate) flows: Vec<String>,
}

/// A MediaPackage v2 channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PackageChannel {
    pub(crate) arn: String,
    /// `HLS`, `CMAF` or `MULTIVIEW`.
    pub(crate) input_type: Option<String>,
    pub(crate) ingest_endpoints: usize,
    /// The better of two inputs is chosen by its media quality score.
    pub(crate) quality_switching: bool,
    /// The score goes out in CMSD headers.
    pub(crate) publishes_quality: bool,
    /// `EPOCH_LOCKED` or `NON_EPOCH_LOCKED`.
    pub(crate) locking: Option<String>,
}

/// A MediaPackage v2 origin endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OriginEndpoint {
    pub(crate) arn: String,
    /// `TS`, `CMAF` or `ISM`.
    pub(crate) container: String,
    pub(crate) manifests: Vec<EndpointManifest>,
    pub(crate) segment_seconds: Option<u32>,
    pub(crate) startover_seconds: u32,
    /// DRM systems; empty: not encrypted.
    pub(crate) drm_systems: Vec<String>,
    /// `STALE_MANIFEST` …: where it answers an error instead, so that CloudFront fails over.
    pub(crate) forced_errors: Vec<String>,
}

/// A manifest of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EndpointManifest {
    pub(crate) kind: ManifestKind,
    pub(crate) name: String,
    pub(crate) url: String,
    /// HLS: seconds between `EXT-X-PROGRAM-DATE-TIME`; none or 0: none are written.
    pub(crate) date_time_seconds: Option<u32>,
    pub(crate) window_seconds: Option<u32>,
}

/// The format of a manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ManifestKind {
    Hls,
    LowLatencyHls,
    Dash,
    Mss,
}

/// Who may ask an origin endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EndpointPolicy {
    /// The policy document, JSON.
    pub(crate) document: String,
    /// Requests must carry a secret header.
    pub(crate) cdn_authorization: bool,
}

/// A MediaTailor playback configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AdConfiguration {
    pub(crate) name: String,
    pub(crate) content_source: Option<String>,
    pub(crate) decision_server: Option<String>,
    pub(crate) slate: Option<String>,
    pub(crate) ad_segment_prefix: Option<String>,
    pub(crate) content_segment_prefix: Option<String>,
    /// Percent of the sessions whose logs are kept.
    pub(crate) log_percent: u32,
    /// `OFF`, `BEHIND_LIVE_EDGE`, `AFTER_LIVE_EDGE`.
    pub(crate) suppression: Option<String>,
    pub(crate) personalization_threshold_seconds: Option<u32>,
}

/// Something that MediaTailor says is wrong with a playback configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AdAlert {
    pub(crate) code: String,
    pub(crate) message: String,
}

/// A time in which MediaTailor fetches ads before breaks need them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PrefetchSchedule {
    pub(crate) name: String,
    /// When ads are used; a recurring schedule's whole time.
    pub(crate) from: Option<Timestamp>,
    pub(crate) until: Timestamp,
    pub(crate) recurring: bool,
}
