//! The simulated metrics: which there are, and what each says for a minute. A live event's curves,
//! plausible and always the same; a dimension that does not exist has no data, as on AWS.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::audience::{Audience, drift, noise};
use crate::cloud::metrics::Metric;
use crate::sandbox::crowd::Tally;

/// CloudFront's and WAF's metrics are here alone.
const GLOBAL: &str = "us-east-1";

const CLOUDFRONT: [&str; 6] = [
    "Requests",
    "BytesDownloaded",
    "BytesUploaded",
    "TotalErrorRate",
    "4xxErrorRate",
    "5xxErrorRate",
];
/// Only with a monitoring subscription.
const ADDITIONAL: [&str; 8] = [
    "CacheHitRate",
    "OriginLatency",
    "401ErrorRate",
    "403ErrorRate",
    "404ErrorRate",
    "502ErrorRate",
    "503ErrorRate",
    "504ErrorRate",
];
const FUNCTION: [&str; 2] = ["FunctionInvocations", "FunctionComputeUtilization"];
const WAF: [&str; 3] = ["AllowedRequests", "BlockedRequests", "CountedRequests"];
const FLOW: [&str; 9] = [
    "SourceConnected",
    "SourceBitRate",
    "SourceNotRecoveredPackets",
    "SourceDroppedPackets",
    "SourceRecoveredPackets",
    "SourceARQRecovered",
    "SourceARQRequests",
    "SourceRoundTripTime",
    "SourcePacketLossPercent",
];
const CHANNEL: [&str; 9] = [
    "ActiveAlerts",
    "InputVideoFrameRate",
    "InputLossSeconds",
    "NetworkIn",
    "FillMsec",
    "DroppedFrames",
    "SvqTime",
    "PipelinesLocked",
    "ChannelInputErrorSeconds",
];
const OUTPUT_GROUP: [&str; 5] = [
    "ActiveOutputs",
    "NetworkOut",
    "Output4xxErrors",
    "Output5xxErrors",
    "MinMQCS",
];
const EGRESS: [&str; 3] = ["EgressBytes", "EgressRequestCount", "EgressResponseTime"];
const INGRESS: [&str; 4] = [
    "IngressBytes",
    "IngressRequestCount",
    "IngressResponseTime",
    "IngressMQCS",
];
const ADS: [&str; 9] = [
    "AdDecisionServer.Ads",
    "AdDecisionServer.Errors",
    "AdDecisionServer.FillRate",
    "AdDecisionServer.Latency",
    "AdDecisionServer.Timeouts",
    "Avail.FillRate",
    "GetManifest.Errors",
    "GetManifest.Latency",
    "Requests",
];
const STREAM: [&str; 4] = [
    "IncomingRecords",
    "IncomingBytes",
    "WriteProvisionedThroughputExceeded",
    "GetRecords.IteratorAgeMilliseconds",
];
/// What a channel's one output group is called.
const GROUP_NAME: &str = "package";

/// What the curves are about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct World<'a> {
    pub(crate) audience: &'a Audience,
    /// Ids of the distributions that have a monitoring subscription.
    pub(crate) additional: &'a BTreeSet<String>,
    /// Counts that stand in the place of CloudFront's curves.
    pub(crate) tally: Option<&'a Tally>,
}

impl World<'_> {
    /// The metrics that exist in a region.
    pub(crate) fn catalog(&self, region: &str) -> Vec<Metric> {
        let mut found = Vec::new();
        if region == GLOBAL {
            self.global(&mut found);
        }
        self.regional(region, &mut found);
        found
    }

    fn global(&self, found: &mut Vec<Metric>) {
        for (id, _) in &self.audience.distributions {
            let dimensions = [("DistributionId", id.as_str()), ("Region", "Global")];
            add(found, "AWS/CloudFront", &CLOUDFRONT, &dimensions);
            if self.additional.contains(id) {
                add(found, "AWS/CloudFront", &ADDITIONAL, &dimensions);
            }
        }
        for name in &self.audience.functions {
            let dimensions = [("FunctionName", name.as_str()), ("Region", "Global")];
            add(found, "AWS/CloudFront", &FUNCTION, &dimensions);
        }
        for (acl, rules) in &self.audience.web_acls {
            let all = ["ALL", "Default_Action"];
            for rule in all.into_iter().chain(rules.iter().map(String::as_str)) {
                add(found, "AWS/WAFV2", &WAF, &[("WebACL", acl), ("Rule", rule)]);
            }
        }
    }

    fn regional(&self, region: &str, found: &mut Vec<Metric>) {
        let audience = self.audience;
        for flow in audience.flows.iter().filter(|one| one.region == region) {
            add(found, "AWS/MediaConnect", &FLOW, &[("FlowARN", &flow.name)]);
        }
        for channel in audience.channels.iter().filter(|one| one.region == region) {
            for pipeline in ["0", "1"] {
                let of = [("ChannelId", channel.name.as_str()), ("Pipeline", pipeline)];
                add(found, "AWS/MediaLive", &CHANNEL, &of);
                let group = [of[0], ("OutputGroupName", GROUP_NAME), of[1]];
                add(found, "AWS/MediaLive", &OUTPUT_GROUP, &group);
            }
        }
        for one in audience.endpoints.iter().filter(|one| one.region == region) {
            let channel = [
                ("ChannelGroup", one.group.as_str()),
                ("Channel", one.channel.as_str()),
            ];
            let endpoint = [channel[0], channel[1], ("OriginEndpoint", &one.name)];
            add(found, "AWS/MediaPackage", &EGRESS, &endpoint);
            for status in ["2xx", "4xx", "5xx"] {
                let of = [
                    endpoint[0],
                    endpoint[1],
                    endpoint[2],
                    ("StatusCode", status),
                ];
                add(found, "AWS/MediaPackage", &EGRESS, &of);
            }
            for ingest in ["1", "2"] {
                let of = [channel[0], channel[1], ("IngestEndpoint", ingest)];
                add(found, "AWS/MediaPackage", &INGRESS, &of);
            }
        }
        for one in audience.ads.iter().filter(|one| one.region == region) {
            add(
                found,
                "AWS/MediaTailor",
                &ADS,
                &[("ConfigurationName", &one.name)],
            );
        }
        for one in audience.streams.iter().filter(|one| one.region == region) {
            add(found, "AWS/Kinesis", &STREAM, &[("StreamName", &one.name)]);
        }
    }

    /// Whether a metric with exactly these dimensions exists in a region. Their order is no matter.
    pub(crate) fn has(&self, region: &str, metric: &Metric) -> bool {
        self.catalog(region)
            .iter()
            .any(|known| is_same(known, metric))
    }

    /// One minute's value of a metric that exists; none where AWS would publish nothing.
    pub(crate) fn minute(&self, metric: &Metric, at: Timestamp) -> Option<f64> {
        let minute = at.as_second().div_euclid(60);
        let key = key(metric);
        let slow = |minutes| drift(&key, minute, minutes);
        let fast = noise(&key, minute);
        let name = metric.name.as_str();
        match metric.namespace.as_str() {
            "AWS/CloudFront" => self.cloudfront(metric, at, fast, slow(12)),
            "AWS/WAFV2" => self.waf(metric, at, fast, slow(20)),
            "AWS/Kinesis" => {
                let requests = self.requests(at) * (0.99 + 0.02 * fast);
                match name {
                    // One percent of the requests, one record of some 800 bytes each.
                    "IncomingRecords" => Some((requests * 0.01).round()),
                    "IncomingBytes" => Some((requests * 8.0).round()),
                    "GetRecords.IteratorAgeMilliseconds" => Some((fast * 300.0).round()),
                    _ => None,
                }
            }
            _ if !self.audience.is_on_air(at) => None,
            "AWS/MediaConnect" => Some(flow(name, fast, slow(9))),
            "AWS/MediaLive" => Some(channel(name, fast, slow(15))),
            "AWS/MediaPackage" => Some(self.package(metric, at, fast, slow(15))),
            "AWS/MediaTailor" => Some(self.ads(name, at, fast, slow(15))),
            _ => None,
        }
    }

    /// Requests a minute of all viewers.
    fn requests(&self, at: Timestamp) -> f64 {
        if let Some(tally) = self.tally {
            return tally.requests(at);
        }
        let audience = self.audience;
        audience.viewers * audience.present(at) * audience.requests_per_viewer * 60.0
    }

    fn cloudfront(&self, metric: &Metric, at: Timestamp, fast: f64, slow: f64) -> Option<f64> {
        let id = dimension(metric, "DistributionId");
        if let Some(tally) = self.tally
            && metric.name != "FunctionComputeUtilization"
        {
            return tally.cloudfront(&metric.name, id, at);
        }
        let part = self
            .audience
            .distributions
            .iter()
            .find(|(known, _)| Some(known.as_str()) == id)
            .map_or(1.0, |(_, part)| *part);
        let viewers = self.audience.viewers * self.audience.present(at) * part;
        let requests = viewers * self.audience.requests_per_viewer * 60.0 * (0.99 + 0.02 * fast);
        if requests < 0.5 {
            return None;
        }
        // Everyone comes at once at kickoff: the caches are cold and the origin feels it.
        let rush = onair_audience::rush(self.audience.starts, at);
        let bytes = viewers * self.audience.bits_per_viewer / 8.0 * 60.0;
        let (errors_4xx, errors_5xx) = (
            0.45 + 0.5 * slow + 0.1 * fast,
            0.012 + 0.02 * slow + 0.09 * rush,
        );
        Some(match metric.name.as_str() {
            "Requests" | "FunctionInvocations" => requests.round(),
            "BytesDownloaded" => (bytes * (0.985 + 0.03 * fast)).round(),
            "BytesUploaded" => (requests * 38.0).round(),
            "TotalErrorRate" => errors_4xx + errors_5xx,
            "4xxErrorRate" => errors_4xx,
            "5xxErrorRate" => errors_5xx,
            "CacheHitRate" => 98.3 - 1.1 * slow - 0.2 * fast - 4.0 * rush,
            "OriginLatency" => 105.0 + 60.0 * slow + 15.0 * fast + 130.0 * rush,
            "401ErrorRate" => errors_4xx * 0.18,
            "403ErrorRate" => errors_4xx * 0.55,
            "404ErrorRate" => errors_4xx * 0.25,
            "502ErrorRate" => errors_5xx * 0.3,
            "503ErrorRate" => errors_5xx * 0.15,
            "504ErrorRate" => errors_5xx * 0.55,
            "FunctionComputeUtilization" => 24.0 + 7.0 * slow + 3.0 * fast,
            _ => return None,
        })
    }

    fn waf(&self, metric: &Metric, at: Timestamp, fast: f64, slow: f64) -> Option<f64> {
        let requests = self.requests(at);
        let rule = dimension(metric, "Rule").unwrap_or_default();
        let share = 0.000_4 + 0.000_8 * slow;
        let value = match (metric.name.as_str(), rule) {
            ("AllowedRequests", "ALL" | "Default_Action") => requests * (1.0 - share),
            ("BlockedRequests", "ALL") => requests * share,
            ("BlockedRequests", rule) if rule != "Default_Action" => {
                requests * share * 0.3 * (0.5 + fast)
            }
            ("CountedRequests", rule) if rule.starts_with("AWSManaged") => {
                requests * 0.002 * (0.5 + slow)
            }
            _ => 0.0,
        };
        // WAF publishes what is not zero.
        let value = value.round();
        (value > 0.0).then_some(value)
    }

    fn package(&self, metric: &Metric, at: Timestamp, fast: f64, slow: f64) -> f64 {
        // What the shield lets through: one viewer in some thousands.
        let requests = 900.0 + self.requests(at) * 0.000_2;
        let status = dimension(metric, "StatusCode");
        match (metric.name.as_str(), status) {
            ("EgressRequestCount", Some("4xx")) => (requests * 0.002 * slow).round(),
            ("EgressRequestCount" | "EgressBytes", Some("5xx")) => 0.0,
            ("EgressRequestCount", _) => (requests * (0.98 + 0.04 * fast)).round(),
            ("EgressBytes", _) => (requests * 1_450_000.0 * (0.97 + 0.06 * fast)).round(),
            ("EgressResponseTime", _) => 28.0 + 12.0 * slow + 6.0 * fast,
            ("IngressBytes", _) => (60.0 * 5_200_000.0 * (0.98 + 0.04 * fast)).round(),
            ("IngressRequestCount", _) => 240.0,
            ("IngressResponseTime", _) => 11.0 + 4.0 * fast,
            ("IngressMQCS", _) => (97.0 + 3.0 * slow).round(),
            _ => 0.0,
        }
    }

    fn ads(&self, name: &str, at: Timestamp, fast: f64, slow: f64) -> f64 {
        // A break of two minutes every quarter of an hour.
        let minute = at.as_second().div_euclid(60);
        let in_break = minute.rem_euclid(15) < 2;
        let viewers = self.audience.viewers * self.audience.present(at);
        match name {
            "Requests" => (self.requests(at) * 0.25).round(),
            "AdDecisionServer.Ads" if in_break => (viewers * 2.0).round(),
            "AdDecisionServer.Errors" if in_break => (viewers * 0.000_2 * fast).round(),
            "AdDecisionServer.Timeouts" if in_break => (viewers * 0.000_4 * fast).round(),
            "AdDecisionServer.FillRate" | "Avail.FillRate" => 88.0 + 9.0 * slow,
            "AdDecisionServer.Latency" => 140.0 + 70.0 * slow + if in_break { 90.0 } else { 0.0 },
            "GetManifest.Latency" => 38.0 + 14.0 * slow,
            _ => 0.0,
        }
    }
}

fn flow(name: &str, fast: f64, slow: f64) -> f64 {
    let dropped = (18.0 + 60.0 * slow * fast).round();
    match name {
        "SourceConnected" => 1.0,
        "SourceBitRate" => 20_400_000.0 + 300_000.0 * fast,
        "SourceDroppedPackets"
        | "SourceRecoveredPackets"
        | "SourceARQRecovered"
        | "SourceARQRequests" => dropped,
        "SourceRoundTripTime" => 34.0 + 9.0 * slow + 3.0 * fast,
        "SourcePacketLossPercent" => dropped / 1_100.0,
        _ => 0.0,
    }
}

fn channel(name: &str, fast: f64, slow: f64) -> f64 {
    match name {
        "InputVideoFrameRate" => 50.0,
        "NetworkIn" => 20.6 + 0.3 * fast,
        "NetworkOut" => 41.0 + 0.8 * fast,
        "SvqTime" => 6.0 + 9.0 * slow + 2.0 * fast,
        "PipelinesLocked" => 1.0,
        "ActiveOutputs" => 6.0,
        "MinMQCS" => (97.0 + 3.0 * slow).round(),
        _ => 0.0,
    }
}

fn add(found: &mut Vec<Metric>, namespace: &str, names: &[&str], dimensions: &[(&str, &str)]) {
    found.extend(
        names
            .iter()
            .map(|name| Metric::new(namespace, name, dimensions)),
    );
}

fn dimension<'a>(metric: &'a Metric, name: &str) -> Option<&'a str> {
    metric
        .dimensions
        .iter()
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.as_str())
}

/// Whether two name the same metric, in whatever order their dimensions are.
pub(crate) fn is_same(one: &Metric, other: &Metric) -> bool {
    one.namespace == other.namespace
        && one.name == other.name
        && one.dimensions.len() == other.dimensions.len()
        && one
            .dimensions
            .iter()
            .all(|dimension| other.dimensions.contains(dimension))
}

/// The namespace and the dimensions, sorted: metrics of one thing drift together.
fn key(metric: &Metric) -> String {
    let mut values: Vec<String> = metric
        .dimensions
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    values.sort();
    format!("{} {}", metric.namespace, values.join(" "))
}

/// What a statistic makes of the minutes of a period; none of no minutes.
pub(crate) fn aggregate(statistic: &str, minutes: &[f64]) -> Option<f64> {
    if minutes.is_empty() {
        return None;
    }
    let sum: f64 = minutes.iter().sum();
    let count = f64::from(u32::try_from(minutes.len()).unwrap_or(u32::MAX));
    let most = minutes.iter().copied().fold(f64::MIN, f64::max);
    let least = minutes.iter().copied().fold(f64::MAX, f64::min);
    Some(match statistic {
        "Sum" => sum,
        "Maximum" => most,
        "Minimum" => least,
        "SampleCount" => count,
        // A minute's value stands for its median: the tail is longer than the head.
        _ => match statistic
            .strip_prefix('p')
            .and_then(|text| text.parse::<f64>().ok())
        {
            Some(percentile) => sum / count * tail(percentile),
            None => sum / count,
        },
    })
}

/// What a percentile is of a minute's one value.
pub(in crate::sandbox) fn tail(percentile: f64) -> f64 {
    0.6 + 0.8 * (percentile / 100.0).powi(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_question_has_the_same_answer() {
        let audience = Audience {
            viewers: 100_000.0,
            requests_per_viewer: 0.5,
            bits_per_viewer: 4e6,
            distributions: vec![("E1".to_owned(), 1.0)],
            starts: "2026-06-14T18:30:00Z".parse().unwrap(),
            doors: "2026-06-14T17:00:00Z".parse().unwrap(),
            ends: "2026-06-14T21:30:00Z".parse().unwrap(),
            ..Audience::default()
        };
        let world = World {
            audience: &audience,
            additional: &BTreeSet::new(),
            tally: None,
        };
        let of = |dimensions: &[(&str, &str)]| {
            Metric::new("AWS/CloudFront", "BytesDownloaded", dimensions)
        };
        let known = of(&[("Region", "Global"), ("DistributionId", "E1")]);
        assert!(world.has("us-east-1", &known));
        assert!(!world.has("eu-central-1", &known));
        assert!(!world.has("us-east-1", &of(&[("DistributionId", "E1")])));
        let at: Timestamp = "2026-06-14T19:00:00Z".parse().unwrap();
        let bytes = world.minute(&known, at).unwrap();
        assert_eq!(world.minute(&known, at), Some(bytes));
        // 100,000 viewers at 4 Mbps are 400 Gbps.
        let gigabits = bytes * 8.0 / 60.0 / 1e9;
        assert!((370.0..410.0).contains(&gigabits), "{gigabits}");
    }
}
