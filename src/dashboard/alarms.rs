//! What should ring, from the runbook's targets. Each alarm is in its metric's region, where alone it
//! can be, and tells the topic only where that is in the same region, as CloudWatch demands.

use crate::cloud::metrics::{
    AlarmRule, Comparison, Metric, MetricQuery, MetricSource, MissingData, Watched,
};
use crate::runbook::{Dashboard, Runbook};

/// Where CloudFront's metrics are.
const GLOBAL: &str = "us-east-1";
/// Seconds of a datapoint.
const PERIOD: u32 = 60;
/// With fewer requests a minute a rate in percent says nothing: one error is much.
const FEW_REQUESTS: u32 = 600;
/// Characters of an alarm's name, per the API.
const NAME_LIMIT: usize = 255;

/// The alarms of the event, by region and name; none when the runbook does not ask for them.
pub(crate) fn alarms(runbook: &Runbook, dashboard: &Dashboard) -> Vec<AlarmRule> {
    if !dashboard.alarms {
        return Vec::new();
    }
    let mut maker = Maker {
        runbook,
        dashboard,
        made: Vec::new(),
    };
    maker.delivery();
    maker.security();
    maker.workflow();
    let mut made = maker.made;
    made.sort_by(|one, other| (&one.region, &one.name).cmp(&(&other.region, &other.name)));
    made.dedup_by(|one, other| one.region == other.region && one.name == other.name);
    made
}

/// The regions that the event's alarms can be in, for finding those that are no more wanted.
pub(crate) fn regions(runbook: &Runbook) -> Vec<String> {
    let workflow = &runbook.workflow;
    let arns = workflow
        .flows
        .iter()
        .map(|flow| &flow.arn)
        .chain(&workflow.channels)
        .chain(&workflow.endpoints)
        .chain(&workflow.ads);
    let mut regions: Vec<String> = arns.map(|arn| arn.region().to_owned()).collect();
    regions.extend(runbook.logs.realtime.iter().map(|logs| logs.region.clone()));
    regions.push(GLOBAL.to_owned());
    regions.retain(|region| !region.is_empty());
    regions.sort();
    regions.dedup();
    regions
}

/// What the names of an event's alarms begin with.
pub(crate) fn prefix(runbook: &Runbook) -> String {
    format!("onair-{}-", runbook.event.id)
}

struct Maker<'a> {
    runbook: &'a Runbook,
    dashboard: &'a Dashboard,
    made: Vec<AlarmRule>,
}

/// When an alarm goes off.
#[derive(Clone, Copy)]
struct Trigger {
    comparison: Comparison,
    threshold: f64,
    /// So many of so many minutes.
    datapoints: u32,
    of: u32,
    missing: MissingData,
}

/// One of a distribution's rates.
#[derive(Clone, Copy)]
struct Rate {
    metric: &'static str,
    statistic: &'static str,
    /// What it is, for people.
    words: &'static str,
    comparison: Comparison,
    threshold: f64,
}

impl Maker<'_> {
    fn add(
        &mut self,
        name: &str,
        region: &str,
        description: String,
        watched: Watched,
        trigger: Trigger,
    ) {
        let topic = self.dashboard.topic.as_ref();
        let mut name = format!("{}{}", prefix(self.runbook), slug(name));
        name.truncate(NAME_LIMIT);
        self.made.push(AlarmRule {
            name,
            region: region.to_owned(),
            description,
            watched,
            comparison: trigger.comparison,
            threshold: trigger.threshold,
            datapoints: trigger.datapoints,
            evaluation_periods: trigger.of,
            missing: trigger.missing,
            actions: topic
                .filter(|topic| topic.region() == region)
                .map(|topic| topic.0.clone())
                .into_iter()
                .collect(),
        });
    }

    /// A rate of one distribution, judged only when there are requests enough. CloudFront publishes
    /// nothing for a distribution that nobody asks, which is no fault: missing is not breaching.
    fn rate(&mut self, of: (&str, &str), rate: Rate) {
        let (id, name) = of;
        let Rate {
            metric,
            statistic,
            words,
            comparison,
            threshold,
        } = rate;
        let dimensions = [("DistributionId", id), ("Region", "Global")];
        let calm = if comparison == Comparison::LessThan {
            "100"
        } else {
            "0"
        };
        let query = |id: &str, metric: &str, statistic: &str| MetricQuery {
            id: id.to_owned(),
            source: MetricSource::Statistic {
                metric: Metric::new("AWS/CloudFront", metric, &dimensions),
                statistic: statistic.to_owned(),
                period: PERIOD,
            },
            label: None,
            is_returned: false,
        };
        let watched = Watched::Math(vec![
            query("v", metric, statistic),
            query("r", "Requests", "Sum"),
            MetricQuery {
                id: "judged".to_owned(),
                source: MetricSource::Expression {
                    text: format!("IF(FILL(r,0) > {FEW_REQUESTS}, v, {calm})"),
                },
                label: Some(format!("{metric} of {name}")),
                is_returned: true,
            },
        ]);
        let trigger = Trigger {
            comparison,
            threshold,
            datapoints: 3,
            of: 5,
            missing: MissingData::NotBreaching,
        };
        let description = format!(
            "{words} of distribution {name} ({id}) beyond the runbook's target {threshold}, while it has over {FEW_REQUESTS} requests a minute."
        );
        self.add(
            &format!("{name}-{metric}"),
            GLOBAL,
            description,
            watched,
            trigger,
        );
    }

    fn delivery(&mut self) {
        let targets = self.runbook.targets;
        for one in &self.runbook.distributions {
            let (id, name) = (one.id.as_str(), one.name.as_str());
            let over = |metric, statistic, words, threshold| Rate {
                metric,
                statistic,
                words,
                comparison: Comparison::GreaterThan,
                threshold,
            };
            let hit_ratio = Rate {
                comparison: Comparison::LessThan,
                ..over(
                    "CacheHitRate",
                    "Average",
                    "Cache hit ratio",
                    targets.cache_hit_ratio,
                )
            };
            for rate in [
                over("5xxErrorRate", "Average", "5xx errors", targets.errors_5xx),
                over("4xxErrorRate", "Average", "4xx errors", targets.errors_4xx),
                hit_ratio,
                over(
                    "OriginLatency",
                    "p90",
                    "Origin latency (ms, p90)",
                    targets.origin_latency_ms,
                ),
            ] {
                self.rate((id, name), rate);
            }
        }
    }

    /// Counts and levels whose absence means that nothing happened.
    fn simple(
        &mut self,
        name: &str,
        region: &str,
        description: String,
        metric: Metric,
        statistic: &str,
        trigger: Trigger,
    ) {
        let watched = Watched::Metric {
            metric,
            statistic: statistic.to_owned(),
            period: PERIOD,
        };
        self.add(name, region, description, watched, trigger);
    }

    fn security(&mut self) {
        // Errors are published when there are some, and only then.
        let any = |threshold| Trigger {
            comparison: Comparison::GreaterThan,
            threshold,
            datapoints: 2,
            of: 3,
            missing: MissingData::NotBreaching,
        };
        if let Some(tokens) = &self.runbook.tokens {
            let name = tokens.function.as_str();
            let of = [("FunctionName", name), ("Region", "Global")];
            for (metric, words) in [
                ("FunctionExecutionErrors", "The edge function fails"),
                (
                    "FunctionValidationErrors",
                    "The edge function answers what CloudFront cannot use",
                ),
                ("FunctionThrottles", "The edge function is throttled"),
            ] {
                let text = format!("{words}: viewers get errors from {name}.");
                self.simple(
                    metric,
                    GLOBAL,
                    text,
                    Metric::new("AWS/CloudFront", metric, &of),
                    "Sum",
                    any(0.0),
                );
            }
            let limit = self.runbook.targets.function_utilization;
            let text = format!(
                "The edge function {name} uses over {limit}% of the compute it may; at 100% it is throttled."
            );
            let metric = "FunctionComputeUtilization";
            self.simple(
                metric,
                GLOBAL,
                text,
                Metric::new("AWS/CloudFront", metric, &of),
                "Average",
                any(limit),
            );
        }
        if let Some(realtime) = &self.runbook.logs.realtime {
            let metric = Metric::new(
                "AWS/Kinesis",
                "WriteProvisionedThroughputExceeded",
                &[("StreamName", realtime.stream.as_str())],
            );
            let text = format!(
                "Real-time log records are dropped: stream {} needs more shards.",
                realtime.stream
            );
            self.simple(
                "realtime-logs-dropped",
                &realtime.region,
                text,
                metric,
                "Sum",
                any(0.0),
            );
        }
    }

    fn workflow(&mut self) {
        let trigger = |comparison, threshold, missing| Trigger {
            comparison,
            threshold,
            datapoints: 2,
            of: 3,
            missing,
        };
        let workflow = &self.runbook.workflow;
        for flow in &workflow.flows {
            let (region, id) = (flow.arn.region(), flow.arn.id());
            let of = [("FlowARN", flow.arn.0.as_str())];
            let metric = |name| Metric::new("AWS/MediaConnect", name, &of);
            self.simple(
                &format!("{id}-not-recovered"),
                region,
                format!("Packets of flow {id} are lost for good: the picture breaks."),
                metric("SourceNotRecoveredPackets"),
                "Sum",
                // A flow that does not run has no packets to lose.
                trigger(Comparison::GreaterThan, 0.0, MissingData::NotBreaching),
            );
            self.simple(
                &format!("{id}-disconnected"),
                region,
                format!("A source of flow {id} is not connected."),
                metric("SourceConnected"),
                "Minimum",
                // A stopped flow is not known to be fine, and between events it is no alarm either.
                trigger(Comparison::LessThan, 1.0, MissingData::Missing),
            );
        }
        for channel in &workflow.channels {
            let (region, id) = (channel.region(), channel.id());
            for pipeline in ["0", "1"] {
                let metric = Metric::new(
                    "AWS/MediaLive",
                    "ActiveAlerts",
                    &[("ChannelId", id), ("Pipeline", pipeline)],
                );
                self.simple(
                    &format!("{id}-pipeline-{pipeline}-alerts"),
                    region,
                    format!("MediaLive channel {id}, pipeline {pipeline}, has active alerts."),
                    metric,
                    "Maximum",
                    // A channel that does not run publishes nothing: unknown, as above.
                    trigger(Comparison::GreaterThan, 0.0, MissingData::Missing),
                );
            }
        }
        for ads in &workflow.ads {
            let (region, id) = (ads.region(), ads.id());
            let metric = Metric::new(
                "AWS/MediaTailor",
                "AdDecisionServer.FillRate",
                &[("ConfigurationName", id)],
            );
            self.simple(
                &format!("{id}-ads-unfilled"),
                region,
                format!("Less than half of the ad time of {id} is filled: the ad server fails or is late."),
                metric,
                "Average",
                // Between breaks nothing is asked.
                trigger(Comparison::LessThan, 50.0, MissingData::NotBreaching),
            );
        }
    }
}

/// Letters, digits and dashes.
fn slug(text: &str) -> String {
    text.chars()
        .map(|character| {
            if character.is_ascii_alphanumeric() {
                character
            } else {
                '-'
            }
        })
        .collect()
}
