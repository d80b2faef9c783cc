//! From queries to data: buckets of the simulated minutes, SEARCH over what exists, math over both.
//! Pure, so that the embedded cloud and the picture of a dashboard draw the same lines.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;

use super::curves::{World, aggregate};
use super::math::{self, Line, Source, Value};
use super::search::Search;
use crate::cloud::metrics::{Completeness, Metric, MetricQuery, MetricSource, Series};

/// The period where no metric of a request says one, in seconds.
const DEFAULT_PERIOD: i64 = 60;

/// What is asked, and of when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) region: &'a str,
    pub(crate) queries: &'a [MetricQuery],
    pub(crate) from: Timestamp,
    /// Not included.
    pub(crate) to: Timestamp,
    /// After this there is no data yet.
    pub(crate) now: Timestamp,
}

/// Answers the queries that are returned, in their order. An array gives several series of one id.
///
/// # Errors
/// When an expression is wrong, with its id.
pub(crate) fn answer(world: World<'_>, asked: Asked<'_>) -> Result<Vec<Series>, String> {
    let mut request = Request {
        catalog: world.catalog(asked.region),
        world,
        asked,
        step: step(asked.queries),
        open: HashSet::new(),
    };
    let mut series = Vec::new();
    for query in asked.queries.iter().filter(|query| query.is_returned) {
        let value = request
            .value(query)
            .map_err(|reason| format!("Error in expression '{}': {reason}", query.id))?;
        let lines = match value {
            Value::Line(line) => vec![(default_label(query), line)],
            Value::Lines(lines) => lines,
            Value::Number(_) => {
                return Err(format!(
                    "Error in expression '{}': it comes to a number, not to a time series",
                    query.id
                ));
            }
        };
        let several = lines.len() > 1;
        for (label, line) in lines {
            let label = match &query.label {
                Some(asked) if several && !label.is_empty() => format!("{asked} {label}"),
                Some(asked) => asked.clone(),
                None => label,
            };
            series.push(Series {
                id: query.id.clone(),
                label,
                points: line
                    .into_iter()
                    .filter_map(|(second, value)| {
                        Some((Timestamp::from_second(second).ok()?, value))
                    })
                    .collect(),
                completeness: Completeness::Complete,
            });
        }
    }
    Ok(series)
}

fn default_label(query: &MetricQuery) -> String {
    match &query.source {
        MetricSource::Statistic { metric, .. } => metric.name.clone(),
        MetricSource::Expression { .. } => query.id.clone(),
    }
}

/// The shortest period of the metrics.
fn step(queries: &[MetricQuery]) -> i64 {
    queries
        .iter()
        .filter_map(|query| match query.source {
            MetricSource::Statistic { period, .. } => Some(i64::from(period).max(1)),
            MetricSource::Expression { .. } => None,
        })
        .min()
        .unwrap_or(DEFAULT_PERIOD)
}

struct Request<'a> {
    world: World<'a>,
    asked: Asked<'a>,
    catalog: Vec<Metric>,
    step: i64,
    /// Ids that are being worked out, to notice a circle.
    open: HashSet<String>,
}

impl Request<'_> {
    fn value(&mut self, query: &MetricQuery) -> Result<Value, String> {
        match &query.source {
            MetricSource::Statistic {
                metric,
                statistic,
                period,
            } => {
                let line = if self.world.has(self.asked.region, metric) {
                    self.bucketed(metric, statistic, i64::from(*period).max(1))
                } else {
                    Line::new()
                };
                Ok(Value::Line(line))
            }
            MetricSource::Expression { text } => {
                if !self.open.insert(query.id.clone()) {
                    return Err(format!("'{}' asks for itself", query.id));
                }
                let value = math::evaluate(text, self);
                self.open.remove(&query.id);
                value
            }
        }
    }

    /// The buckets of a metric: each has the minutes of its period that are over.
    fn bucketed(&self, metric: &Metric, statistic: &str, period: i64) -> Line {
        let mut line = Line::new();
        for bucket in buckets(self.asked, period) {
            let minutes: Vec<f64> = (bucket.div_euclid(60)..(bucket + period + 59).div_euclid(60))
                .filter_map(|minute| Timestamp::from_second(minute * 60).ok())
                .filter(|minute| *minute < self.asked.now)
                .filter_map(|minute| self.world.minute(metric, minute))
                .collect();
            if let Some(value) = aggregate(statistic, &minutes) {
                line.insert(bucket, value);
            }
        }
        line
    }
}

/// The starts of the periods between `from`, rounded down, and `to`, that have begun.
fn buckets(asked: Asked<'_>, period: i64) -> impl Iterator<Item = i64> {
    let first = asked.from.as_second().div_euclid(period) * period;
    let end = asked.to.as_second().min(asked.now.as_second());
    let length = usize::try_from(period).unwrap_or(usize::MAX);
    (first..end).step_by(length)
}

impl Source for Request<'_> {
    fn line(&mut self, id: &str) -> Result<Value, String> {
        let query = self
            .asked
            .queries
            .iter()
            .find(|query| query.id == id)
            .ok_or_else(|| format!("there is no '{id}'"))?;
        self.value(query)
    }

    fn metrics(&mut self) -> Result<Vec<(String, Line)>, String> {
        let mut lines = Vec::new();
        for query in self.asked.queries {
            if let MetricSource::Statistic { .. } = query.source
                && let Value::Line(line) = self.value(query)?
            {
                let label = query.label.clone().unwrap_or_else(|| default_label(query));
                lines.push((label, line));
            }
        }
        Ok(lines)
    }

    fn search(&mut self, text: &str, statistic: &str, period: Option<i64>) -> Vec<(String, Line)> {
        let search = Search::parse(text);
        let found: Vec<Metric> = self
            .catalog
            .iter()
            .filter(|metric| search.finds(metric))
            .cloned()
            .collect();
        let label = labels(&found);
        found
            .iter()
            .zip(label)
            .map(|(metric, label)| {
                let line = self.bucketed(metric, statistic, period.unwrap_or(self.step).max(1));
                (label, line)
            })
            .filter(|(_, line)| !line.is_empty())
            .collect()
    }

    fn period(&self, id: &str) -> f64 {
        let own = self
            .asked
            .queries
            .iter()
            .find_map(|query| match query.source {
                MetricSource::Statistic { period, .. } if query.id == id => Some(f64::from(period)),
                _ => None,
            });
        let step = f64::from(i32::try_from(self.step).unwrap_or(i32::MAX));
        own.unwrap_or(step)
    }

    fn times(&self) -> Vec<i64> {
        buckets(self.asked, self.step).collect()
    }
}

/// What tells the found metrics apart: the dimensions in which they differ.
fn labels(found: &[Metric]) -> Vec<String> {
    let mut values: BTreeMap<&str, HashSet<&str>> = BTreeMap::new();
    for (name, value) in found.iter().flat_map(|metric| &metric.dimensions) {
        values.entry(name).or_default().insert(value);
    }
    found
        .iter()
        .map(|metric| {
            let telling: Vec<&str> = metric
                .dimensions
                .iter()
                .filter(|(name, _)| values[name.as_str()].len() > 1)
                .map(|(_, value)| value.as_str())
                .collect();
            if telling.is_empty() {
                metric.name.clone()
            } else {
                telling.join(" ")
            }
        })
        .collect()
}
