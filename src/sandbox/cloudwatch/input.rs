//! Parameters of a call, as any of the protocols carries them: in Query everything is text.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::wire::Refusal;
use crate::cloud::metrics::{Metric, MetricQuery, MetricSource};
use crate::dashboard::validate::{is_id, is_statistic};

/// Characters of an expression.
const EXPRESSION_LIMIT: usize = 2_048;

/// The members of a request, or of a structure in it.
#[derive(Debug, Clone, Default)]
pub(super) struct Input(Map<String, Value>);

impl Input {
    pub(super) fn new(members: Map<String, Value>) -> Self {
        Self(members)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|value| !value.is_null())
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    pub(super) fn required(&self, name: &str) -> Result<&str, Refusal> {
        self.text(name)
            .filter(|text| !text.is_empty())
            .ok_or_else(|| Refusal::missing(name))
    }

    pub(super) fn number(&self, name: &str) -> Option<f64> {
        match self.0.get(name)? {
            Value::String(text) => text.parse().ok(),
            value => value.as_f64(),
        }
    }

    pub(super) fn integer(&self, name: &str) -> Option<i64> {
        match self.0.get(name)? {
            Value::String(text) => text.parse().ok(),
            value => value.as_i64(),
        }
    }

    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        match self.0.get(name)? {
            Value::String(text) => text.parse().ok(),
            value => value.as_bool(),
        }
    }

    /// A time: seconds, or ISO 8601.
    pub(super) fn time(&self, name: &str) -> Result<Timestamp, Refusal> {
        let value = self.0.get(name).ok_or_else(|| Refusal::missing(name))?;
        #[expect(clippy::cast_possible_truncation, reason = "seconds of our era")]
        let read = match value {
            Value::String(text) => text.parse().ok(),
            value => value
                .as_f64()
                .and_then(|seconds| Timestamp::from_second(seconds as i64).ok()),
        };
        read.ok_or_else(|| Refusal::value(format!("The parameter {name} is not a time.")))
    }

    pub(super) fn texts(&self, name: &str) -> Vec<String> {
        let items = self.0.get(name).and_then(Value::as_array);
        items
            .into_iter()
            .flatten()
            .filter_map(|item| item.as_str().map(str::to_owned))
            .collect()
    }

    pub(super) fn structures(&self, name: &str) -> Vec<Self> {
        let items = self.0.get(name).and_then(Value::as_array);
        items
            .into_iter()
            .flatten()
            .filter_map(|item| item.as_object().cloned().map(Self))
            .collect()
    }

    pub(super) fn structure(&self, name: &str) -> Option<Self> {
        self.0.get(name)?.as_object().cloned().map(Self)
    }

    /// The tags of `Tags`.
    pub(super) fn tags(&self) -> Vec<(String, String)> {
        self.structures("Tags")
            .iter()
            .filter_map(|tag| Some((tag.text("Key")?.to_owned(), tag.text("Value")?.to_owned())))
            .collect()
    }

    /// The metric that `Namespace`, `MetricName` and `Dimensions` name.
    pub(super) fn metric(&self) -> Metric {
        Metric {
            namespace: self.text("Namespace").unwrap_or_default().to_owned(),
            name: self.text("MetricName").unwrap_or_default().to_owned(),
            dimensions: self
                .structures("Dimensions")
                .iter()
                .map(|one| {
                    let text = |name| one.text(name).unwrap_or_default().to_owned();
                    (text("Name"), text("Value"))
                })
                .collect(),
        }
    }

    /// The queries of a member.
    pub(super) fn queries(&self, name: &str) -> Result<Vec<MetricQuery>, Refusal> {
        let mut queries: Vec<MetricQuery> = Vec::new();
        for one in self.structures(name) {
            let query = one.query()?;
            if queries.iter().any(|known| known.id == query.id) {
                return Err(Refusal::validation(format!(
                    "The value '{}' for parameter {name}.Id is not unique.",
                    query.id
                )));
            }
            queries.push(query);
        }
        Ok(queries)
    }

    fn query(&self) -> Result<MetricQuery, Refusal> {
        let id = self.required("Id")?;
        if !is_id(id) {
            return Err(Refusal::validation(format!(
                "The value '{id}' for parameter MetricDataQueries.member.Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$."
            )));
        }
        let source = match (self.structure("MetricStat"), self.text("Expression")) {
            (Some(stat), None) => {
                let metric = stat
                    .structure("Metric")
                    .ok_or_else(|| Refusal::missing("MetricStat.Metric"))?
                    .metric();
                if metric.namespace.is_empty() || metric.name.is_empty() {
                    return Err(Refusal::missing("MetricStat.Metric.MetricName"));
                }
                MetricSource::Statistic {
                    metric,
                    statistic: statistic(stat.required("Stat")?)?.to_owned(),
                    period: period(stat.integer("Period"))?,
                }
            }
            (None, Some(text)) if text.len() <= EXPRESSION_LIMIT && !text.is_empty() => {
                MetricSource::Expression {
                    text: text.to_owned(),
                }
            }
            (None, Some(_)) => {
                return Err(Refusal::validation(format!(
                    "The parameter Expression must be 1 to {EXPRESSION_LIMIT} characters long."
                )));
            }
            _ => {
                return Err(Refusal::validation(
                    "Exactly one of the parameters MetricStat and Expression must be given.",
                ));
            }
        };
        Ok(MetricQuery {
            id: id.to_owned(),
            source,
            label: self.text("Label").map(str::to_owned),
            is_returned: self.flag("ReturnData").unwrap_or(true),
        })
    }
}

/// A statistic's name.
pub(super) fn statistic(text: &str) -> Result<&str, Refusal> {
    if is_statistic(text) {
        Ok(text)
    } else {
        Err(Refusal::validation(format!(
            "The value {text} for parameter Stat is not supported."
        )))
    }
}

/// Seconds of a datapoint: 1, 5, 10, 20, 30 or a multiple of 60.
pub(super) fn period(seconds: Option<i64>) -> Result<u32, Refusal> {
    seconds
        .filter(|seconds| {
            matches!(seconds, 1 | 5 | 10 | 20 | 30) || (*seconds > 0 && seconds % 60 == 0)
        })
        .and_then(|seconds| u32::try_from(seconds).ok())
        .ok_or_else(|| {
            Refusal::validation(
                "The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60.",
            )
        })
}
