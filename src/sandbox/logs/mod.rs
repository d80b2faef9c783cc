//! The embedded cloud's CloudWatch Logs, API 2014-03-28: the vended log deliveries of CloudFront
//! (standard logging v2), which are set up here and in us-east-1 alone. `deliver` writes what a
//! delivery would.

mod content;
mod deliver;
mod deliveries;
mod destinations;
mod flow;
mod groups;
mod parquet;
mod sources;
mod stream;
mod tags;
mod templates;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use onair_audience::Scene;
use serde::{Deserialize, Serialize};

use super::json::{self, Dialect, Members, Reply};
use super::s3;
use super::service::{Answer, Call};
use flow::Flow;
use groups::Groups;

pub(super) use deliver::{Occasion, deliver};

/// Goes before the operation in `X-Amz-Target`.
const TARGET: &str = "Logs_20140328";

const OPERATIONS: [&str; 26] = [
    "CreateDelivery",
    "CreateLogGroup",
    "CreateLogStream",
    "DeleteDelivery",
    "DeleteDeliveryDestination",
    "DeleteDeliverySource",
    "DeleteLogGroup",
    "DescribeConfigurationTemplates",
    "DescribeDeliveries",
    "DescribeDeliveryDestinations",
    "DescribeDeliverySources",
    "DescribeLogGroups",
    "FilterLogEvents",
    "GetDelivery",
    "GetDeliveryDestination",
    "GetDeliverySource",
    "GetQueryResults",
    "ListTagsForResource",
    "PutDeliveryDestination",
    "PutDeliverySource",
    "PutLogEvents",
    "StartQuery",
    "StopQuery",
    "TagResource",
    "UntagResource",
    "UpdateDeliveryConfiguration",
];

/// The model's errors of deliveries have no members, but the service sends its reason all the same.
const DIALECT: Dialect = Dialect {
    invalid: "ValidationException",
    message: "message",
};

/// What CloudWatch Logs holds of deliveries.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct State {
    /// By name.
    pub(super) sources: BTreeMap<String, Source>,
    /// By name.
    pub(super) destinations: BTreeMap<String, Destination>,
    /// By id.
    pub(super) deliveries: BTreeMap<String, Delivery>,
    /// Log groups, and what they hold.
    #[serde(default)]
    pub(super) groups: Groups,
    /// Nothing is delivered, as when the service is late.
    #[serde(default)]
    pub(super) stalled: bool,
    /// Ends of ten minutes whose objects come late: so many minutes after them.
    #[serde(default)]
    pub(super) late: BTreeMap<Timestamp, i64>,
    /// Ends of ten minutes whose objects never come.
    #[serde(default)]
    pub(super) missing: BTreeSet<Timestamp>,
}

/// What logs: a distribution.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Source {
    /// The distribution's ARN.
    pub(super) resource: String,
    pub(super) log_type: String,
    pub(super) tags: BTreeMap<String, String>,
}

/// Where logs go.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Destination {
    /// `S3`, `CWL` or `FH`.
    pub(super) kind: String,
    /// The bucket with its prefix, the log group or the stream, as an ARN.
    pub(super) resource: String,
    pub(super) format: Option<String>,
    pub(super) tags: BTreeMap<String, String>,
}

/// A source joined with a destination.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Delivery {
    /// The source's name.
    pub(super) source: String,
    /// The destination's name.
    pub(super) destination: String,
    pub(super) fields: Vec<String>,
    pub(super) delimiter: Option<String>,
    pub(super) suffix: Option<String>,
    pub(super) hive: bool,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) created: Timestamp,
}

impl State {
    /// Makes everything older than it is.
    pub(super) fn age(&mut self, by: jiff::SignedDuration) {
        for delivery in self.deliveries.values_mut() {
            delivery.created = delivery
                .created
                .saturating_sub(by)
                .unwrap_or(delivery.created);
        }
    }
}

/// The operation that a call is for.
pub(super) fn operation(call: &Call<'_>) -> Option<&'static str> {
    json::operation(call, TARGET, &OPERATIONS)
}

/// Answers a call whose operation is known. `is_distribution` says whether an ARN is one of the
/// account's distributions; buckets get the policy that a new delivery asks for; requests to the
/// scene's distributions are the events of groups that they are delivered to.
pub(super) fn handle(
    call: &Call<'_>,
    state: &mut State,
    buckets: &mut s3::State,
    scene: &Scene,
    query_seconds: u64,
    is_distribution: &dyn Fn(&str) -> bool,
) -> Answer {
    reply(call, state, buckets, scene, query_seconds, is_distribution)
        .unwrap_or_else(|refusal| refusal.answer(call))
}

fn reply(
    call: &Call<'_>,
    state: &mut State,
    buckets: &mut s3::State,
    scene: &Scene,
    query_seconds: u64,
    is_distribution: &dyn Fn(&str) -> bool,
) -> Reply {
    let input = Members::parse(call.body, DIALECT)?;
    match operation(call).unwrap_or_default() {
        "CreateDelivery" => deliveries::create(call, state, buckets, &input),
        "CreateLogGroup" => state.groups.create(call, &input),
        "CreateLogStream" => state.groups.create_stream(call, &input),
        "DeleteDelivery" => deliveries::delete(call, state, &input),
        "DeleteDeliveryDestination" => destinations::delete(call, state, &input),
        "DeleteDeliverySource" => sources::delete(call, state, &input),
        "DeleteLogGroup" => state.groups.delete(call, &input),
        "DescribeConfigurationTemplates" => templates::describe(call, &input),
        "DescribeDeliveries" => deliveries::list(call, state, &input),
        "DescribeDeliveryDestinations" => destinations::list(call, state, &input),
        "DescribeDeliverySources" => sources::list(call, state, &input),
        "DescribeLogGroups" => state.groups.describe(call, &input),
        "FilterLogEvents" => {
            let flow = Flow::new(state, scene, call.now);
            state.groups.filter(call, &input, &flow)
        }
        "GetDelivery" => deliveries::get(call, state, &input),
        "GetDeliveryDestination" => destinations::get(call, state, &input),
        "GetDeliverySource" => sources::get(call, state, &input),
        "GetQueryResults" => {
            let flow = Flow::new(state, scene, call.now);
            state.groups.results(call, &input, &flow)
        }
        "ListTagsForResource" => tags::list(call, state, &input),
        "PutDeliveryDestination" => destinations::put(call, state, buckets, &input),
        "PutDeliverySource" => sources::put(call, state, is_distribution, &input),
        "PutLogEvents" => state.groups.put(call, &input),
        "StartQuery" => state.groups.start(call, &input, query_seconds),
        "StopQuery" => state.groups.stop(call, &input),
        "TagResource" => tags::tag(call, state, &input),
        "UntagResource" => tags::untag(call, state, &input),
        "UpdateDeliveryConfiguration" => deliveries::update(call, state, &input),
        other => Err(DIALECT.refuse("UnknownOperationException", other)),
    }
}

/// The names of sources and destinations: 1 to 60 of `[\w-]`.
fn delivery_name(input: &Members, member: &str) -> Result<String, json::Refusal> {
    input.name(member, 1..=60, r"[\w-]*", |character| {
        character.is_ascii_alphanumeric() || "_-".contains(character)
    })
}

fn missing(what: &str) -> json::Refusal {
    DIALECT.refuse(
        "ResourceNotFoundException",
        format!("Requested {what} does not exist in this account."),
    )
}

fn arn(call: &Call<'_>, kind: &str, name: &str) -> String {
    format!("arn:aws:logs:us-east-1:{}:{kind}:{name}", call.account)
}

/// Entries a page of a list has, at most and by default.
const PAGE: i64 = 50;

/// A page of a list under `member`.
fn page(
    call: &Call<'_>,
    input: &Members,
    member: &str,
    items: impl Iterator<Item = (String, serde_json::Value)>,
) -> Reply {
    let limit = input.number("limit", 1..=PAGE)?.unwrap_or(PAGE);
    let token = input.optional_text("nextToken", 1..=4096)?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let (page, next) = json::page(items, token.as_deref(), limit, DIALECT)?;
    let mut answer = serde_json::json!({ member: page });
    if let Some(next) = next {
        answer["nextToken"] = next.into();
    }
    json::found(call, &answer)
}
