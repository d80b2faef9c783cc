//! Metric alarms: checked when they are put, and judged when they are described.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::engine::{self, Asked};
use super::input::{self, Input};
use super::wire::{Refusal, time};
use super::{Context, Reply, State};
use crate::cloud::metrics::{Metric, MetricQuery, MetricSource};

/// Alarms of one page.
const PAGE: usize = 100;
/// Alarms that one call deletes.
const MOST_DELETED: usize = 100;
/// Metrics of an alarm with math.
const MOST_METRICS: usize = 10;
/// Actions of each kind.
const MOST_ACTIONS: usize = 5;
const COMPARISONS: [&str; 7] = [
    "GreaterThanOrEqualToThreshold",
    "GreaterThanThreshold",
    "LessThanThreshold",
    "LessThanOrEqualToThreshold",
    "LessThanLowerOrGreaterThanUpperThreshold",
    "LessThanLowerThreshold",
    "GreaterThanUpperThreshold",
];

/// A stored alarm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Alarm {
    /// The members of the request as the answer has them.
    settings: Map<String, Value>,
    configured: Timestamp,
}

pub(super) fn put(context: &Context<'_>, state: &mut State, input: &Input) -> Reply {
    let name = input.required("AlarmName")?.to_owned();
    if name.chars().count() > 255 {
        return Err(Refusal::validation(
            "AlarmName must be 255 characters at most.",
        ));
    }
    let mut settings = Map::new();
    let mut keep = |member: &str, value: Option<Value>| {
        if let Some(value) = value {
            settings.insert(member.to_owned(), value);
        }
    };
    for member in [
        "AlarmDescription",
        "Unit",
        "EvaluateLowSampleCountPercentile",
        "ThresholdMetricId",
    ] {
        keep(member, input.text(member).map(Value::from));
    }
    keep(
        "ActionsEnabled",
        Some(Value::from(input.flag("ActionsEnabled").unwrap_or(true))),
    );
    for member in ["OKActions", "AlarmActions", "InsufficientDataActions"] {
        let actions = input.texts(member);
        check_actions(context, &actions)?;
        keep(member, Some(Value::from(actions)));
    }
    let comparison = input.required("ComparisonOperator")?;
    if !COMPARISONS.contains(&comparison) {
        return Err(Refusal::validation(format!(
            "The value {comparison} for parameter ComparisonOperator is not supported."
        )));
    }
    keep("ComparisonOperator", Some(comparison.into()));
    let periods = input
        .integer("EvaluationPeriods")
        .filter(|periods| *periods >= 1)
        .ok_or_else(|| Refusal::validation("EvaluationPeriods must be 1 or more."))?;
    keep("EvaluationPeriods", Some(periods.into()));
    if let Some(points) = input.integer("DatapointsToAlarm") {
        if !(1..=periods).contains(&points) {
            return Err(Refusal::validation(
                "DatapointsToAlarm must be from 1 to EvaluationPeriods.",
            ));
        }
        keep("DatapointsToAlarm", Some(points.into()));
    }
    let threshold = input.number("Threshold");
    if threshold.is_none() && !input.has("ThresholdMetricId") {
        return Err(Refusal::missing("Threshold"));
    }
    keep("Threshold", threshold.map(Value::from));
    let missing = input.text("TreatMissingData").unwrap_or("missing");
    if !["breaching", "notBreaching", "ignore", "missing"].contains(&missing) {
        return Err(Refusal::validation(format!(
            "The value {missing} for parameter TreatMissingData is not supported."
        )));
    }
    keep("TreatMissingData", Some(missing.into()));
    let watched = watched(input, periods)?;
    settings.extend(watched);
    let arn = context.alarm_arn(&name);
    let alarm = Alarm {
        settings,
        configured: context.call.now,
    };
    let alarms = state.alarms.entry(context.region.to_owned()).or_default();
    if alarms.insert(name, alarm).is_none() {
        state.tags.insert(arn, input.tags().into_iter().collect());
    }
    Ok((json!({}), true))
}

/// The metric, or the math, of a request.
fn watched(input: &Input, periods: i64) -> Result<Map<String, Value>, Refusal> {
    let mut settings = Map::new();
    if input.has("Metrics") {
        if input.has("MetricName") || input.has("Statistic") || input.has("Period") {
            return Err(Refusal::combination(
                "Metrics must not be used with MetricName, Statistic or Period.",
            ));
        }
        let queries = input.queries("Metrics")?;
        let metrics = queries
            .iter()
            .filter(|query| matches!(query.source, MetricSource::Statistic { .. }));
        if metrics.count() > MOST_METRICS {
            return Err(Refusal::validation(format!(
                "An alarm can have {MOST_METRICS} metrics at most."
            )));
        }
        if queries.iter().filter(|query| query.is_returned).count() != 1 {
            return Err(Refusal::validation(
                "Exactly one element of the metrics list should return data.",
            ));
        }
        if queries.iter().any(|query| matches!(&query.source, MetricSource::Expression { text } if text.contains("SEARCH"))) {
            return Err(Refusal::validation("SEARCH is not supported on metric alarms."));
        }
        settings.insert(
            "Metrics".to_owned(),
            queries.iter().map(query_json).collect(),
        );
        return Ok(settings);
    }
    let metric = input.metric();
    if metric.namespace.is_empty() || metric.name.is_empty() {
        return Err(Refusal::missing("MetricName"));
    }
    let period = input::period(input.integer("Period"))?;
    if !matches!(period, 10 | 20 | 30) && period % 60 != 0 {
        return Err(Refusal::validation(
            "Period must be 10, 20, 30 or a multiple of 60.",
        ));
    }
    if i64::from(period) * periods > 7 * 86_400 {
        return Err(Refusal::validation(
            "Metrics cannot be checked across more than a week (EvaluationPeriods * Period must be <= 604800).",
        ));
    }
    match (input.text("Statistic"), input.text("ExtendedStatistic")) {
        (Some(plain), None)
            if ["SampleCount", "Average", "Sum", "Minimum", "Maximum"].contains(&plain) =>
        {
            settings.insert("Statistic".to_owned(), plain.into());
        }
        (None, Some(extended)) => {
            settings.insert(
                "ExtendedStatistic".to_owned(),
                input::statistic(extended)?.into(),
            );
        }
        _ => {
            return Err(Refusal::validation(
                "Exactly one of Statistic and ExtendedStatistic must be given.",
            ));
        }
    }
    settings.insert("Namespace".to_owned(), metric.namespace.as_str().into());
    settings.insert("MetricName".to_owned(), metric.name.as_str().into());
    settings.insert("Dimensions".to_owned(), dimensions_json(&metric));
    settings.insert("Period".to_owned(), period.into());
    Ok(settings)
}

fn dimensions_json(metric: &Metric) -> Value {
    metric
        .dimensions
        .iter()
        .map(|(name, value)| json!({ "Name": name, "Value": value }))
        .collect()
}

fn query_json(query: &MetricQuery) -> Value {
    let mut value = json!({ "Id": query.id, "ReturnData": query.is_returned });
    if let Some(label) = &query.label {
        value["Label"] = label.as_str().into();
    }
    match &query.source {
        MetricSource::Statistic {
            metric,
            statistic,
            period,
        } => {
            value["MetricStat"] = json!({
                "Metric": {
                    "Namespace": metric.namespace,
                    "MetricName": metric.name,
                    "Dimensions": dimensions_json(metric),
                },
                "Period": period,
                "Stat": statistic,
            });
        }
        MetricSource::Expression { text } => value["Expression"] = text.as_str().into(),
    }
    value
}

/// An SNS topic must be in the alarm's region.
fn check_actions(context: &Context<'_>, actions: &[String]) -> Result<(), Refusal> {
    if actions.len() > MOST_ACTIONS {
        return Err(Refusal::validation(format!(
            "An alarm can have {MOST_ACTIONS} actions of a kind at most."
        )));
    }
    for action in actions {
        let mut parts = action.split(':');
        let is_arn = parts.next() == Some("arn");
        let service = parts.nth(1);
        let region = parts.next();
        if !is_arn {
            return Err(Refusal::validation(format!("Invalid arn syntax: {action}")));
        }
        if service == Some("sns") && region != Some(context.region) {
            return Err(Refusal::validation(format!(
                "Invalid region {} specified. Only {} is supported.",
                region.unwrap_or_default(),
                context.region
            )));
        }
    }
    Ok(())
}

pub(super) fn describe(context: &Context<'_>, state: &State, input: &Input) -> Reply {
    let names = input.texts("AlarmNames");
    let prefix = input.text("AlarmNamePrefix");
    if prefix.is_some() && !names.is_empty() {
        return Err(Refusal::combination(
            "AlarmNamePrefix must not be used with AlarmNames.",
        ));
    }
    let page = match input.integer("MaxRecords") {
        None => PAGE,
        Some(most) => usize::try_from(most)
            .ok()
            .filter(|most| (1..=PAGE).contains(most))
            .ok_or_else(|| Refusal::validation("MaxRecords must be from 1 to 100."))?,
    };
    let kinds = input.texts("AlarmTypes");
    let wants = |kind: &str| kinds.is_empty() || kinds.iter().any(|one| one == kind);
    let after = input.text("NextToken");
    let found = state
        .alarms
        .get(context.region)
        .into_iter()
        .flatten()
        .filter(|_| wants("MetricAlarm"))
        .filter(|(name, _)| names.is_empty() || names.contains(name))
        .filter(|(name, _)| prefix.is_none_or(|prefix| name.starts_with(prefix)))
        .filter(|(name, _)| after.is_none_or(|after| name.as_str() > after));
    let mut alarms = Vec::new();
    let mut next = None;
    for (name, alarm) in found {
        let value = alarm_json(context, state, name, alarm)?;
        let asked = input.text("StateValue");
        if asked.is_some_and(|asked| value["StateValue"] != asked) {
            continue;
        }
        if alarms.len() == page {
            next = alarms.last().map(|last: &Value| last["AlarmName"].clone());
            break;
        }
        alarms.push(value);
    }
    let mut output = json!({ "MetricAlarms": alarms, "CompositeAlarms": [], "LogAlarms": [] });
    if let Some(next) = next {
        output["NextToken"] = next;
    }
    Ok((output, false))
}

fn alarm_json(
    context: &Context<'_>,
    state: &State,
    name: &str,
    alarm: &Alarm,
) -> Result<Value, Refusal> {
    let (word, reason) = judge(context, state, alarm)?;
    let mut value = Map::new();
    value.insert("AlarmName".to_owned(), name.into());
    value.insert("AlarmArn".to_owned(), context.alarm_arn(name).into());
    value.insert(
        "AlarmConfigurationUpdatedTimestamp".to_owned(),
        time(alarm.configured),
    );
    value.insert("StateValue".to_owned(), word.into());
    value.insert("StateReason".to_owned(), reason.into());
    value.insert("StateUpdatedTimestamp".to_owned(), time(alarm.configured));
    value.extend(alarm.settings.clone());
    if let Some(threshold) = value.get("Threshold").and_then(Value::as_f64) {
        // A whole number would be written as an integer.
        value.insert("Threshold".to_owned(), Value::from(threshold));
    }
    Ok(Value::Object(value))
}

/// What the alarm says of the last datapoints.
fn judge(
    context: &Context<'_>,
    state: &State,
    alarm: &Alarm,
) -> Result<(&'static str, String), Refusal> {
    let settings = Input::new(alarm.settings.clone());
    let queries = if settings.has("Metrics") {
        settings.queries("Metrics")?
    } else {
        let statistic = settings
            .text("Statistic")
            .or(settings.text("ExtendedStatistic"));
        vec![MetricQuery {
            id: "m".to_owned(),
            source: MetricSource::Statistic {
                metric: settings.metric(),
                statistic: statistic.unwrap_or("Average").to_owned(),
                period: input::period(settings.integer("Period"))?,
            },
            label: None,
            is_returned: true,
        }]
    };
    let period = queries.iter().find_map(|query| match query.source {
        MetricSource::Statistic { period, .. } => Some(i64::from(period)),
        MetricSource::Expression { .. } => None,
    });
    let period = period.unwrap_or(60).max(60);
    let periods = settings.integer("EvaluationPeriods").unwrap_or(1);
    let needed = settings.integer("DatapointsToAlarm").unwrap_or(periods);
    // The period that is running is not judged.
    let end = context.call.now.as_second().div_euclid(period) * period;
    let to = Timestamp::from_second(end).unwrap_or(context.call.now);
    let from = to
        .saturating_sub(SignedDuration::from_secs(period * periods))
        .unwrap_or(to);
    let asked = Asked {
        region: context.region,
        queries: &queries,
        from,
        to,
        now: context.call.now,
    };
    let answer = engine::answer(context.world(state), asked).map_err(Refusal::validation)?;
    let values: Vec<f64> = answer
        .into_iter()
        .next()
        .into_iter()
        .flat_map(|series| series.points)
        .map(|(_, value)| value)
        .collect();
    let threshold = settings.number("Threshold").unwrap_or_default();
    let breaches = |value: &f64| match settings.text("ComparisonOperator") {
        Some("GreaterThanOrEqualToThreshold") => *value >= threshold,
        Some("LessThanThreshold") => *value < threshold,
        Some("LessThanOrEqualToThreshold") => *value <= threshold,
        _ => *value > threshold,
    };
    let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    let breaching = count(values.iter().filter(|value| breaches(value)).count());
    let absent = periods - count(values.len());
    let missing = settings.text("TreatMissingData").unwrap_or("missing");
    let breaching = breaching + if missing == "breaching" { absent } else { 0 };
    let words = format!("{breaching} of the last {periods} datapoints are beyond {threshold}");
    Ok(
        if values.is_empty() && matches!(missing, "missing" | "ignore") {
            ("INSUFFICIENT_DATA", "No datapoints yet".to_owned())
        } else if breaching >= needed {
            ("ALARM", words)
        } else {
            ("OK", words)
        },
    )
}

pub(super) fn delete(context: &Context<'_>, state: &mut State, input: &Input) -> Reply {
    let names = input.texts("AlarmNames");
    if names.is_empty() || names.len() > MOST_DELETED {
        return Err(Refusal::validation(format!(
            "AlarmNames must have 1 to {MOST_DELETED} members."
        )));
    }
    let alarms = state.alarms.entry(context.region.to_owned()).or_default();
    if !names.iter().any(|name| alarms.contains_key(name)) {
        return Err(Refusal::new(
            404,
            "ResourceNotFound",
            "ResourceNotFound",
            format!("Unknown alarm: {}", names[0]),
        ));
    }
    for name in &names {
        alarms.remove(name);
        state.tags.remove(&context.alarm_arn(name));
    }
    Ok((json!({}), true))
}

impl State {
    /// Whether an ARN is an alarm's that is there.
    pub(super) fn has_alarm(&self, arn: &str) -> bool {
        let mut parts = arn.splitn(7, ':');
        let region = parts.nth(3).unwrap_or_default();
        let name = parts.nth(2).unwrap_or_default();
        self.alarms
            .get(region)
            .is_some_and(|alarms| alarms.contains_key(name))
    }
}
