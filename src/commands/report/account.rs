//! What CloudWatch knows of the event: requests by minute, for completeness; the origins' latency; how
//! often the edge function ran; when alarms' thresholds were passed. Each that cannot be had is a gap
//! of the report, told in it, and no failure.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::cloud::metrics::{Completeness, Metric, MetricQuery, MetricSource, Series, Watched};
use crate::context::Session;
use crate::dashboard::alarms::{prefix, regions};
use crate::report::{AlarmSpan, Counted, Counts, alarm_spans};

const CLOUDFRONT: &str = "AWS/CloudFront";

/// How long CloudWatch keeps datapoints of a period: days, seconds (CloudWatch user guide, "Metrics retention").
const KEPT: [(i64, u32); 2] = [(15, 60), (63, 300)];
const LONGEST_PERIOD: u32 = 3_600;

/// What CloudWatch said.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) counted: Counted,
    /// The 90th percentile of each distribution's origin latency, weighted by its requests.
    pub(super) origin_latency_ms: Option<f64>,
    pub(super) invocations: Option<f64>,
    /// The highest average of the edge function's compute utilization, percent.
    pub(super) function_utilization: Option<f64>,
    pub(super) alarms: Vec<AlarmSpan>,
    pub(super) gaps: Vec<String>,
}

impl Account {
    /// Nobody was asked, and why.
    pub(super) fn unasked(why: &str) -> Self {
        Self {
            counted: Counted::Unknown(why.to_owned()),
            origin_latency_ms: None,
            invocations: None,
            function_utilization: None,
            alarms: Vec::new(),
            gaps: vec![format!("CloudWatch: {why}.")],
        }
    }
}

/// Asks CloudWatch about the window.
pub(super) async fn ask(session: &Session, from: Timestamp, until: Timestamp) -> Account {
    let period = period(session.clock.now().duration_since(from));
    let queries = queries(session, period);
    let read = session.cloud.metric_data(None, &queries, from, until).await;
    let mut account = match read {
        Ok(series) => read_series(session, &series, period),
        Err(error) => Account::unasked(&one_line(&error)),
    };
    if matches!(account.counted, Counted::Known { .. }) {
        if period == KEPT[0].1 {
            alarms(session, from, until, &mut account).await;
        } else {
            account
                .gaps
                .push("Alarms: CloudWatch keeps their data by minute for 15 days.".to_owned());
        }
    }
    account
}

/// How many requests CloudWatch counted in the window, for whoever holds rows against them.
pub(crate) async fn counted(session: &Session, from: Timestamp, until: Timestamp) -> Counted {
    let period = period(session.clock.now().duration_since(from));
    let mut queries = queries(session, period);
    queries.retain(|query| query.id.starts_with("requests"));
    match session.cloud.metric_data(None, &queries, from, until).await {
        Ok(series) => read_series(session, &series, period).counted,
        Err(error) => Counted::Unknown(one_line(&error)),
    }
}

/// The finest period that CloudWatch still has of so long ago, seconds.
fn period(ago: SignedDuration) -> u32 {
    KEPT.into_iter()
        .find(|(days, _)| ago < SignedDuration::from_hours(days * 24))
        .map_or(LONGEST_PERIOD, |(_, period)| period)
}

fn queries(session: &Session, period: u32) -> Vec<MetricQuery> {
    let statistic = |id: String, metric: Metric, statistic: &str| MetricQuery {
        id,
        source: MetricSource::Statistic {
            metric,
            statistic: statistic.to_owned(),
            period,
        },
        label: None,
        is_returned: true,
    };
    let mut queries = Vec::new();
    for (index, distribution) in session.runbook.distributions.iter().enumerate() {
        let of = |name: &str| {
            let dimensions = [
                ("DistributionId", distribution.id.as_str()),
                ("Region", "Global"),
            ];
            Metric::new(CLOUDFRONT, name, &dimensions)
        };
        queries.push(statistic(format!("requests{index}"), of("Requests"), "Sum"));
        queries.push(statistic(
            format!("origin{index}"),
            of("OriginLatency"),
            "p90",
        ));
    }
    if let Some(tokens) = &session.runbook.tokens {
        let dimensions = [
            ("FunctionName", tokens.function.as_str()),
            ("Region", "Global"),
        ];
        queries.push(statistic(
            "invocations".to_owned(),
            Metric::new(CLOUDFRONT, "FunctionInvocations", &dimensions),
            "Sum",
        ));
        queries.push(statistic(
            "utilization".to_owned(),
            Metric::new(CLOUDFRONT, "FunctionComputeUtilization", &dimensions),
            "Average",
        ));
    }
    queries
}

fn read_series(session: &Session, series: &[Series], period: u32) -> Account {
    let mut counts = Counts::new();
    let mut gaps = Vec::new();
    let (mut latency, mut weight) = (0.0, 0.0);
    for (index, distribution) in session.runbook.distributions.iter().enumerate() {
        let requests = find(series, &format!("requests{index}"));
        let mut by_period = BTreeMap::new();
        for (at, value) in requests.map_or(&[][..], |one| &one.points) {
            counts.insert((distribution.id.clone(), *at), *value);
            by_period.insert(*at, *value);
        }
        if let Some(Completeness::Failed(why)) = requests.map(|one| &one.completeness) {
            gaps.push(format!(
                "CloudWatch's requests of {}: {why}.",
                distribution.name
            ));
        }
        for (at, value) in
            find(series, &format!("origin{index}")).map_or(&[][..], |one| &one.points)
        {
            let requests = by_period.get(at).copied().unwrap_or(0.0);
            latency += value * requests;
            weight += requests;
        }
    }
    let invocations = find(series, "invocations")
        .filter(|one| !one.points.is_empty())
        .map(|one| one.points.iter().map(|(_, value)| value).sum());
    let function_utilization = find(series, "utilization").and_then(|one| {
        let averages = one.points.iter().map(|(_, average)| *average);
        averages.reduce(f64::max)
    });
    let counted = if gaps.is_empty() {
        Counted::Known {
            counts,
            period: period.into(),
        }
    } else {
        Counted::Unknown("CloudWatch did not give all of its counts".to_owned())
    };
    Account {
        counted,
        origin_latency_ms: (weight > 0.0).then(|| latency / weight),
        invocations,
        function_utilization,
        alarms: Vec::new(),
        gaps,
    }
}

fn find<'a>(series: &'a [Series], id: &str) -> Option<&'a Series> {
    series.iter().find(|one| one.id == id)
}

/// When the event's alarms would have stood, by the data of their metrics.
async fn alarms(session: &Session, from: Timestamp, until: Timestamp, account: &mut Account) {
    for region in regions(&session.runbook) {
        let found = session
            .cloud
            .alarms(&region, &prefix(&session.runbook))
            .await;
        let found = match found {
            Ok(found) => found,
            Err(error) => {
                account
                    .gaps
                    .push(format!("Alarms of {region}: {}.", one_line(&error)));
                continue;
            }
        };
        for alarm in found {
            let queries = match &alarm.rule.watched {
                Watched::Math(queries) => queries.clone(),
                Watched::Metric {
                    metric,
                    statistic,
                    period,
                } => vec![MetricQuery {
                    id: "watched".to_owned(),
                    source: MetricSource::Statistic {
                        metric: metric.clone(),
                        statistic: statistic.clone(),
                        period: *period,
                    },
                    label: None,
                    is_returned: true,
                }],
            };
            match session
                .cloud
                .metric_data(Some(&region), &queries, from, until)
                .await
            {
                Ok(series) => {
                    let points = series.first().map_or(&[][..], |one| &one.points);
                    let spans = alarm_spans(&alarm.rule, points, from, until);
                    account.alarms.extend(spans);
                }
                Err(error) => {
                    account
                        .gaps
                        .push(format!("Alarm {}: {}.", alarm.rule.name, one_line(&error)));
                }
            }
        }
    }
    account
        .alarms
        .sort_by(|one, other| (one.from, &one.alarm).cmp(&(other.from, &other.alarm)));
}

fn one_line(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(&format!(": {error}"));
        source = error.source();
    }
    crate::event::text::shortened(&text, 300)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn older_windows_have_longer_periods() {
        let days = |days: i64| period(SignedDuration::from_hours(24 * days));
        assert_eq!([days(1), days(20), days(100)], [60, 300, 3_600]);
    }
}
