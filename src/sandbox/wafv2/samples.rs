//! Sampled requests: what the viewers of the last hours asked, per web ACL and rule.

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::input::{Input, Text};
use super::model::Waf;
use super::refusal::Refusal;
use super::{Context, Reply};

/// How far back samples reach (botocore `wafv2`, `GetSampledRequests`).
const REACH: SignedDuration = SignedDuration::from_hours(3);
/// Samples of one rule: no call asks for more.
const MOST_SAMPLES: usize = 500;

/// The samples of every web ACL and rule.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Samples {
    /// By ARN of the web ACL, a space, and the metric name of the rule.
    by_rule: BTreeMap<String, VecDeque<Sample>>,
}

/// One viewer's request as a rule saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sample {
    pub(crate) at: Timestamp,
    pub(crate) address: String,
    /// `-` when unknown.
    pub(crate) country: String,
    /// Path and query.
    pub(crate) uri: String,
    pub(crate) method: String,
    pub(crate) headers: Vec<(String, String)>,
    /// `ALLOW`, `BLOCK`, `COUNT`, `CAPTCHA` or `CHALLENGE`.
    pub(crate) action: String,
    /// The status that the rule answered; none when it did not.
    pub(crate) status: Option<u16>,
    pub(crate) labels: Vec<String>,
}

impl Samples {
    /// Keeps a sample; the oldest gives way.
    pub(crate) fn record(&mut self, web_acl_arn: &str, metric: &str, sample: Sample) {
        let samples = self
            .by_rule
            .entry(format!("{web_acl_arn} {metric}"))
            .or_default();
        samples.retain(|known| sample.at.duration_since(known.at) <= REACH);
        if samples.len() >= MOST_SAMPLES {
            samples.pop_front();
        }
        samples.push_back(sample);
    }
}

pub(super) fn get(
    context: &Context<'_>,
    state: &Waf,
    samples: &Samples,
    mut input: Input,
) -> Reply {
    let arn = input.required("WebAclArn", Text::Arn);
    let metric = input.required("RuleMetricName", Text::Metric);
    let scope = input.scope();
    let window = input.structure("TimeWindow");
    let most = input.required_number("MaxItems", 1, 500);
    input.finish()?;
    context.check_scope(scope)?;
    let now = context.call.now;
    let (Some(start), Some(end)) = (time(&window["StartTime"]), time(&window["EndTime"])) else {
        return Err(Refusal::new(
            "ValidationException",
            "1 validation error detected: Value null at 'timeWindow.startTime' failed to satisfy \
             constraint: Member must not be null",
        ));
    };
    // An earlier start is set to three hours ago, says the API's documentation.
    let start = start.max(now - REACH);
    if end <= start || end > now + SignedDuration::from_mins(5) {
        return Err(Refusal::parameter(
            "EXPIRE_TIMESTAMP",
            window["EndTime"].to_string(),
            "The time window is not within the last three hours.",
        ));
    }
    if !state.web_acls.values().any(|acl| acl.arn == arn) {
        return Err(Refusal::nonexistent());
    }
    let most = usize::try_from(most).unwrap_or(MOST_SAMPLES);
    let found: Vec<&Sample> = samples
        .by_rule
        .get(&format!("{arn} {metric}"))
        .into_iter()
        .flatten()
        .filter(|sample| (start..=end).contains(&sample.at))
        .collect();
    let newest = &found[found.len().saturating_sub(most)..];
    context.found(&json!({
        "SampledRequests": newest.iter().map(|sample| wire(sample)).collect::<Vec<_>>(),
        "PopulationSize": found.len(),
        "TimeWindow": {"StartTime": seconds(start), "EndTime": seconds(end)},
    }))
}

fn wire(sample: &Sample) -> Value {
    let headers: Vec<Value> = sample
        .headers
        .iter()
        .map(|(name, value)| json!({"Name": name, "Value": value}))
        .collect();
    let mut wire = json!({
        "Request": {
            "ClientIP": sample.address,
            "Country": sample.country,
            "URI": sample.uri,
            "Method": sample.method,
            "HTTPVersion": "HTTP/2.0",
            "Headers": headers,
        },
        "Weight": 1,
        "Timestamp": seconds(sample.at),
        "Action": sample.action,
        "Labels": sample.labels.iter().map(|label| json!({"Name": label})).collect::<Vec<_>>(),
    });
    if let Some(status) = sample.status {
        wire["ResponseCodeSent"] = status.into();
    }
    wire
}

/// JSON 1.1 writes times as seconds.
fn seconds(time: Timestamp) -> f64 {
    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds since 1970 fit in 53 bits for 285,000 years"
    )]
    let milliseconds = time.as_millisecond() as f64;
    milliseconds / 1_000.0
}

fn time(value: &Value) -> Option<Timestamp> {
    if let Some(text) = value.as_str() {
        return text.parse().ok();
    }
    let duration = SignedDuration::try_from_secs_f64(value.as_f64()?).ok()?;
    Timestamp::UNIX_EPOCH.checked_add(duration).ok()
}
