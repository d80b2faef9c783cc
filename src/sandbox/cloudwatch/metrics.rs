//! Reading metrics: `GetMetricData` with math and pages, the older `GetMetricStatistics`, and the list.

use serde_json::{Value, json};

use super::engine::{self, Asked};
use super::input::{self, Input};
use super::wire::{Refusal, time};
use super::{Context, Reply, State};
use crate::cloud::metrics::{Metric, MetricQuery, MetricSource};

/// Queries of one request.
const MOST_QUERIES: usize = 500;
/// Datapoints of one answer.
const MOST_POINTS: usize = 100_800;
/// Metrics of one page of a list.
const METRICS_A_PAGE: usize = 500;
/// Datapoints of one answer of `GetMetricStatistics`.
const MOST_STATISTICS: i64 = 1_440;

pub(super) fn data(context: &Context<'_>, state: &State, input: &Input) -> Reply {
    let queries = input.queries("MetricDataQueries")?;
    if queries.is_empty() || queries.len() > MOST_QUERIES {
        return Err(Refusal::validation(format!(
            "The collection MetricDataQueries must have a size from 1 to {MOST_QUERIES}."
        )));
    }
    let (from, to) = (input.time("StartTime")?, input.time("EndTime")?);
    if from >= to {
        return Err(Refusal::validation(
            "The parameter StartTime must be less than the parameter EndTime.",
        ));
    }
    let newest_first = match input.text("ScanBy") {
        None | Some("TimestampDescending") => true,
        Some("TimestampAscending") => false,
        Some(other) => {
            return Err(Refusal::validation(format!(
                "The value {other} for parameter ScanBy is not supported."
            )));
        }
    };
    let asked = Asked {
        region: context.region,
        queries: &queries,
        from,
        to,
        now: context.call.now,
    };
    let all = engine::answer(context.world(state), asked).map_err(Refusal::validation)?;
    let most = input
        .integer("MaxDatapoints")
        .and_then(|most| usize::try_from(most).ok())
        .filter(|most| *most > 0)
        .unwrap_or(MOST_POINTS)
        .min(MOST_POINTS);
    let (first, skipped) = match input.text("NextToken") {
        None => (0, 0),
        Some(token) => read_token(token, all.len()).ok_or_else(|| {
            Refusal::new(
                400,
                "InvalidNextToken",
                "InvalidNextToken",
                "The next token specified is invalid.",
            )
        })?,
    };
    let mut room = most;
    let mut results = Vec::new();
    let mut next = None;
    for (index, series) in all.iter().enumerate().skip(first) {
        let skipped = if index == first { skipped } else { 0 };
        let mut points = series.points.clone();
        if newest_first {
            points.reverse();
        }
        let rest = points.split_off(skipped.min(points.len()));
        if room == 0 && !rest.is_empty() {
            next = Some(format!("{index}:{skipped}"));
            break;
        }
        let taken = rest.len().min(room);
        room -= taken;
        let is_partial = taken < rest.len();
        results.push(json!({
            "Id": series.id,
            "Label": series.label,
            "Timestamps": rest[..taken].iter().map(|(at, _)| time(*at)).collect::<Vec<_>>(),
            "Values": rest[..taken].iter().map(|(_, value)| *value).collect::<Vec<f64>>(),
            "StatusCode": if is_partial { "PartialData" } else { "Complete" },
        }));
        if is_partial {
            next = Some(format!("{index}:{}", skipped + taken));
            break;
        }
    }
    let mut output = json!({ "MetricDataResults": results, "Messages": [] });
    if let Some(next) = next {
        output["NextToken"] = Value::from(next);
    }
    Ok((output, false))
}

/// `SERIES:POINTS` of what was answered already.
fn read_token(token: &str, series: usize) -> Option<(usize, usize)> {
    let (index, skipped) = token.split_once(':')?;
    let index: usize = index.parse().ok().filter(|index| *index < series)?;
    Some((index, skipped.parse().ok()?))
}

pub(super) fn statistics(context: &Context<'_>, state: &State, input: &Input) -> Reply {
    let metric = input.metric();
    if metric.namespace.is_empty() || metric.name.is_empty() {
        return Err(Refusal::missing("MetricName"));
    }
    let (from, to) = (input.time("StartTime")?, input.time("EndTime")?);
    let period = input::period(input.integer("Period"))?;
    if from >= to {
        return Err(Refusal::combination(
            "The parameter StartTime must be less than the parameter EndTime.",
        ));
    }
    let count = to.duration_since(from).as_secs() / i64::from(period);
    if count > MOST_STATISTICS {
        return Err(Refusal::combination(format!(
            "You have requested up to {count} datapoints, which exceeds the limit of {MOST_STATISTICS}."
        )));
    }
    let names: Vec<String> =
        [input.texts("Statistics"), input.texts("ExtendedStatistics")].concat();
    if names.is_empty() {
        return Err(Refusal::missing("Statistics"));
    }
    let mut points: std::collections::BTreeMap<i64, Value> = std::collections::BTreeMap::new();
    for (index, name) in names.iter().enumerate() {
        let queries = [MetricQuery {
            id: format!("m{index}"),
            source: MetricSource::Statistic {
                metric: metric.clone(),
                statistic: input::statistic(name)?.to_owned(),
                period,
            },
            label: None,
            is_returned: true,
        }];
        let asked = Asked {
            region: context.region,
            queries: &queries,
            from,
            to,
            now: context.call.now,
        };
        let answer = engine::answer(context.world(state), asked).map_err(Refusal::validation)?;
        for (at, value) in answer.into_iter().flat_map(|series| series.points) {
            let point = points
                .entry(at.as_second())
                .or_insert_with(|| json!({ "Timestamp": time(at), "Unit": "None" }));
            if name.starts_with('p') {
                point["ExtendedStatistics"][name] = Value::from(value);
            } else {
                point[name] = Value::from(value);
            }
        }
    }
    let points: Vec<Value> = points.into_values().collect();
    Ok((json!({ "Label": metric.name, "Datapoints": points }), false))
}

pub(super) fn list(context: &Context<'_>, state: &State, input: &Input) -> Reply {
    let wanted: Vec<(String, Option<String>)> = input
        .structures("Dimensions")
        .iter()
        .filter_map(|one| {
            let value = one.text("Value").map(str::to_owned);
            Some((one.text("Name")?.to_owned(), value))
        })
        .collect();
    let matches = |metric: &Metric| {
        input
            .text("Namespace")
            .is_none_or(|namespace| namespace == metric.namespace)
            && input
                .text("MetricName")
                .is_none_or(|name| name == metric.name)
            && wanted.iter().all(|(name, value)| {
                metric.dimensions.iter().any(|(known, has)| {
                    known == name && value.as_ref().is_none_or(|value| value == has)
                })
            })
    };
    let found: Vec<Metric> = context
        .world(state)
        .catalog(context.region)
        .into_iter()
        .filter(matches)
        .collect();
    let start: usize = match input.text("NextToken") {
        None => 0,
        Some(token) => token
            .parse()
            .map_err(|_| Refusal::value("The next token specified is invalid."))?,
    };
    let page: Vec<Value> = found
        .iter()
        .skip(start)
        .take(METRICS_A_PAGE)
        .map(|metric| {
            let dimensions: Vec<Value> = metric
                .dimensions
                .iter()
                .map(|(name, value)| json!({ "Name": name, "Value": value }))
                .collect();
            json!({ "Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": dimensions })
        })
        .collect();
    let end = start + page.len();
    let mut output = json!({ "Metrics": page });
    if end < found.len() {
        output["NextToken"] = Value::from(end.to_string());
    }
    Ok((output, false))
}
