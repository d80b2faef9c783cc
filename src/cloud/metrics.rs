//! CloudWatch in our words: dashboards, metrics and alarms, as the port takes and gives them.

use jiff::Timestamp;
use serde::Serialize;

/// The most alarms that CloudWatch deletes in one call (API reference, `DeleteAlarms`).
pub(crate) const ALARMS_A_CALL: usize = 100;

/// One metric of one thing.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Metric {
    /// Such as `AWS/CloudFront`.
    pub(crate) namespace: String,
    pub(crate) name: String,
    /// Names and values, in the order in which they are shown.
    pub(crate) dimensions: Vec<(String, String)>,
}

impl Metric {
    pub(crate) fn new(namespace: &str, name: &str, dimensions: &[(&str, &str)]) -> Self {
        Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            dimensions: dimensions
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        }
    }
}

/// One line of data to read, or to watch.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct MetricQuery {
    /// Begins with a small letter, then letters, digits and `_`; once in a request.
    pub(crate) id: String,
    pub(crate) source: MetricSource,
    pub(crate) label: Option<String>,
    /// Whether the answer holds it, or it only serves an expression.
    pub(crate) is_returned: bool,
}

/// Where a line of data comes from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum MetricSource {
    Statistic {
        metric: Metric,
        /// `Sum`, `Average`, `Maximum`, `Minimum`, `SampleCount`, or a percentile such as `p90`.
        statistic: String,
        /// Seconds; a multiple of 60 for the metrics of CloudFront and WAF.
        period: u32,
    },
    /// Metric math over other queries of the request.
    Expression { text: String },
}

/// The data of one query.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Series {
    /// The query's.
    pub(crate) id: String,
    pub(crate) label: String,
    /// Oldest first. Empty means that CloudWatch has none: a metric that is zero or a dimension that
    /// does not exist look the same.
    pub(crate) points: Vec<(Timestamp, f64)>,
    pub(crate) completeness: Completeness,
}

/// Whether a series holds all there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Completeness {
    Complete,
    /// More may come; ask again later.
    Partial,
    /// CloudWatch could not or may not read it; its own status code.
    Failed(String),
}

/// A dashboard as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredDashboard {
    pub(crate) arn: String,
    /// The JSON text, byte for byte.
    pub(crate) body: String,
}

/// One dashboard of the account, without its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DashboardSummary {
    pub(crate) name: String,
    pub(crate) arn: String,
    pub(crate) modified: Option<Timestamp>,
    /// Bytes of the body.
    pub(crate) size: Option<i64>,
}

/// Something that CloudWatch, or the check here that does the same, says about a body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct BodyMessage {
    /// Where in the body, such as `/widgets/3/properties/region`.
    pub(crate) path: String,
    pub(crate) message: String,
}

/// What became of a body that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PutDashboard {
    /// It is stored; some widgets may not show, as the warnings say.
    Saved { warnings: Vec<BodyMessage> },
    /// It is not valid, and nothing was changed.
    Invalid {
        message: String,
        problems: Vec<BodyMessage>,
    },
}

/// What an alarm watches and when it goes off.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AlarmRule {
    pub(crate) name: String,
    /// Where the alarm is; its metric is there, too.
    pub(crate) region: String,
    pub(crate) description: String,
    pub(crate) watched: Watched,
    pub(crate) comparison: Comparison,
    pub(crate) threshold: f64,
    /// How many of the last `evaluation_periods` must be beyond the threshold.
    pub(crate) datapoints: u32,
    pub(crate) evaluation_periods: u32,
    pub(crate) missing: MissingData,
    /// ARNs, told when it goes off and when it is over.
    pub(crate) actions: Vec<String>,
}

/// What an alarm looks at.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Watched {
    Metric {
        metric: Metric,
        statistic: String,
        /// Seconds.
        period: u32,
    },
    /// Queries of which one is returned: the expression that is compared.
    Math(Vec<MetricQuery>),
}

/// How an alarm compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    GreaterThan,
    GreaterOrEqual,
    LessThan,
    LessOrEqual,
}

/// What an alarm takes a missing datapoint for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MissingData {
    Breaching,
    NotBreaching,
    Ignore,
    Missing,
}

/// An alarm as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Alarm {
    pub(crate) arn: String,
    pub(crate) rule: AlarmRule,
    pub(crate) state: AlarmState,
    /// Whether its actions are on.
    pub(crate) actions_enabled: bool,
}

/// What an alarm says now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum AlarmState {
    Ok,
    Alarm,
    /// No data yet, or the alarm is new.
    Insufficient,
}
