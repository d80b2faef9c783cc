//! When an alarm's metric was beyond its threshold, by the alarm's own rule: so many of the last so
//! many periods. CloudWatch's own history is not asked: it is kept for two weeks only. Pure.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::gathered::AlarmSpan;
use crate::cloud::metrics::{AlarmRule, Comparison, MissingData, Watched};

/// Seconds of a period of the alarm's data.
pub(crate) fn period(rule: &AlarmRule) -> i64 {
    use crate::cloud::metrics::MetricSource;
    match &rule.watched {
        Watched::Metric { period, .. } => i64::from(*period),
        Watched::Math(queries) => queries
            .iter()
            .find_map(|query| match &query.source {
                MetricSource::Statistic { period, .. } => Some(i64::from(*period)),
                MetricSource::Expression { .. } => None,
            })
            .unwrap_or(60),
    }
    .max(1)
}

/// The times in which the alarm would stand, between `from` and `until`.
pub(crate) fn spans(
    rule: &AlarmRule,
    points: &[(Timestamp, f64)],
    from: Timestamp,
    until: Timestamp,
) -> Vec<AlarmSpan> {
    let period = period(rule);
    let known: BTreeMap<i64, f64> = points
        .iter()
        .map(|(at, value)| (at.as_second().div_euclid(period), *value))
        .collect();
    let first = from.as_second().div_euclid(period);
    let last = until.as_second().div_euclid(period);
    let wanted = usize::try_from(rule.datapoints.max(1)).unwrap_or(1);
    let looked_at = i64::from(rule.evaluation_periods.max(1));
    let mut spans: Vec<AlarmSpan> = Vec::new();
    let mut stands = false;
    for index in first..last {
        let beyond = (index - looked_at + 1..=index)
            .filter(|one| match known.get(one) {
                Some(value) => is_beyond(rule, *value),
                None => rule.missing == MissingData::Breaching && *one >= first,
            })
            .count();
        let now = match (known.get(&index), rule.missing) {
            (None, MissingData::Ignore) => stands,
            _ => beyond >= wanted,
        };
        let end_of_period = Timestamp::from_second((index + 1) * period).unwrap_or(until);
        match (stands, now) {
            (false, true) => spans.push(AlarmSpan {
                alarm: rule.name.clone(),
                from: end_of_period,
                until: None,
            }),
            (true, false) => {
                if let Some(span) = spans.last_mut() {
                    span.until = Some(end_of_period);
                }
            }
            _ => {}
        }
        stands = now;
    }
    // What began with the window's last period has no length.
    spans.retain(|span| {
        span.until.is_some() || until.duration_since(span.from) > SignedDuration::ZERO
    });
    spans
}

fn is_beyond(rule: &AlarmRule, value: f64) -> bool {
    match rule.comparison {
        Comparison::GreaterThan => value > rule.threshold,
        Comparison::GreaterOrEqual => value >= rule.threshold,
        Comparison::LessThan => value < rule.threshold,
        Comparison::LessOrEqual => value <= rule.threshold,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::metrics::Metric;

    fn minute(index: i64) -> Timestamp {
        Timestamp::from_second(1_781_458_200 + 60 * index).unwrap()
    }

    fn rule(datapoints: u32, evaluation_periods: u32, missing: MissingData) -> AlarmRule {
        AlarmRule {
            name: "errors".to_owned(),
            region: "us-east-1".to_owned(),
            description: String::new(),
            watched: Watched::Metric {
                metric: Metric::new("AWS/CloudFront", "5xxErrorRate", &[]),
                statistic: "Average".to_owned(),
                period: 60,
            },
            comparison: Comparison::GreaterThan,
            threshold: 1.0,
            datapoints,
            evaluation_periods,
            missing,
            actions: Vec::new(),
        }
    }

    fn found(rule: &AlarmRule, values: &[f64]) -> Vec<(Timestamp, Option<Timestamp>)> {
        let points: Vec<(Timestamp, f64)> = (0..).map(minute).zip(values.iter().copied()).collect();
        spans(rule, &points, minute(0), minute(10))
            .into_iter()
            .map(|span| (span.from, span.until))
            .collect()
    }

    #[test]
    fn two_of_three_periods_make_an_alarm() {
        let rule = rule(2, 3, MissingData::NotBreaching);
        let values = [0.0, 5.0, 0.0, 5.0, 5.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        assert_eq!(found(&rule, &values), vec![(minute(4), Some(minute(7)))]);
        assert_eq!(found(&rule, &[0.0, 5.0, 0.0, 0.0, 5.0]), vec![]);
    }

    #[test]
    fn an_alarm_can_outlast_the_window() {
        let rule = rule(1, 1, MissingData::NotBreaching);
        let values = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 5.0, 5.0, 5.0];
        assert_eq!(found(&rule, &values), vec![(minute(8), None)]);
    }

    #[test]
    fn silence_counts_as_the_rule_says() {
        let silent = [0.0, 0.0];
        assert_eq!(
            found(&rule(1, 1, MissingData::NotBreaching), &silent),
            vec![]
        );
        assert_eq!(
            found(&rule(1, 1, MissingData::Breaching), &silent),
            vec![(minute(3), None)]
        );
    }
}
