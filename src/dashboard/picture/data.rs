//! A widget's rows as queries, answered by the embedded cloud's curves.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;

use crate::cloud::metrics::{Metric, MetricQuery, MetricSource, Series};
use crate::dashboard::validate::whole;
use crate::sandbox::cloudwatch::Audience;
use crate::sandbox::cloudwatch::curves::World;
use crate::sandbox::cloudwatch::engine::{self, Asked};

/// One line of a chart, or one number.
#[derive(Debug, Clone)]
pub(super) struct Curve {
    pub(super) label: String,
    /// As the row asks for it.
    pub(super) color: Option<String>,
    pub(super) is_right: bool,
    pub(super) points: Vec<(Timestamp, f64)>,
}

impl Curve {
    pub(super) fn last(&self) -> Option<f64> {
        self.points.last().map(|(_, value)| *value)
    }
}

/// What is simulated, and when.
pub(super) struct Simulation<'a> {
    pub(super) audience: &'a Audience,
    pub(super) additional: &'a BTreeSet<String>,
    pub(super) from: Timestamp,
    pub(super) now: Timestamp,
}

/// How a row wants to look.
struct Look {
    id: String,
    color: Option<String>,
    is_right: bool,
}

impl Simulation<'_> {
    /// The curves of a metric widget. One that cannot be worked out has none.
    pub(super) fn curves(&self, properties: &Value) -> Vec<Curve> {
        let (queries, looks) = rows(properties);
        let asked = Asked {
            region: properties["region"].as_str().unwrap_or_default(),
            queries: &queries,
            from: self.from,
            to: self.now,
            now: self.now,
        };
        let world = World {
            audience: self.audience,
            additional: self.additional,
            tally: None,
        };
        let series = engine::answer(world, asked).unwrap_or_default();
        series
            .into_iter()
            .map(|one| {
                let look = looks.iter().find(|look| look.id == one.id);
                let Series { label, points, .. } = one;
                Curve {
                    label,
                    color: look.and_then(|look| look.color.clone()),
                    is_right: look.is_some_and(|look| look.is_right),
                    points,
                }
            })
            .collect()
    }
}

fn rows(properties: &Value) -> (Vec<MetricQuery>, Vec<Look>) {
    let mut queries = Vec::new();
    let mut looks = Vec::new();
    let mut above: Vec<&str> = Vec::new();
    let rows = properties["metrics"].as_array().into_iter().flatten();
    for (index, row) in rows.enumerate() {
        let cells: Vec<&str> = row
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let none = Value::Null;
        let options = row
            .as_array()
            .and_then(|cells| cells.last())
            .filter(|last| last.is_object())
            .unwrap_or(&none);
        let text = |name: &str| options[name].as_str().or(properties[name].as_str());
        let source = if let Some(expression) = options["expression"].as_str() {
            MetricSource::Expression {
                text: expression.to_owned(),
            }
        } else {
            let Ok(names) = whole(&cells, &above) else {
                continue;
            };
            above = names;
            let dimensions: Vec<(&str, &str)> = above[2..]
                .chunks(2)
                .map(|pair| (pair[0], pair[1]))
                .collect();
            MetricSource::Statistic {
                metric: Metric::new(above[0], above[1], &dimensions),
                statistic: text("stat").unwrap_or("Average").to_owned(),
                period: 60,
            }
        };
        let id = options["id"]
            .as_str()
            .map_or_else(|| format!("row{index}"), str::to_owned);
        looks.push(Look {
            id: id.clone(),
            color: options["color"].as_str().map(str::to_owned),
            is_right: options["yAxis"] == "right",
        });
        queries.push(MetricQuery {
            id,
            source,
            label: options["label"].as_str().map(str::to_owned),
            is_returned: options["visible"] != false,
        });
    }
    (queries, looks)
}
