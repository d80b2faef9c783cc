//! The embedded cloud's Kinesis, API 2013-12-02: data streams as the control plane has them.
//! Records are left to others.

mod streams;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::json::{self, Dialect, Members, Regional, Reply};
use super::service::{Answer, Call};

/// Goes before the operation in `X-Amz-Target`.
const TARGET: &str = "Kinesis_20131202";

const OPERATIONS: [&str; 9] = [
    "AddTagsToStream",
    "CreateStream",
    "DeleteStream",
    "DescribeStreamSummary",
    "ListStreams",
    "ListTagsForStream",
    "RemoveTagsFromStream",
    "UpdateShardCount",
    "UpdateStreamMode",
];

const DIALECT: Dialect = Dialect {
    invalid: "ValidationException",
    message: "message",
};

/// What Kinesis holds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    /// By name, in each region.
    pub(super) regions: Regional<BTreeMap<String, Stream>>,
}

/// A data stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Stream {
    pub(super) created: Timestamp,
    pub(super) on_demand: bool,
    pub(super) shards: u32,
    pub(super) retention_hours: u32,
    pub(super) tags: BTreeMap<String, String>,
    /// What it is busy with, and until when.
    pub(super) busy: Option<(Busy, Timestamp)>,
    /// When it was last given another number of shards or another mode.
    #[serde(default)]
    pub(super) reshards: Vec<Timestamp>,
    #[serde(default)]
    pub(super) mode_changes: Vec<Timestamp>,
}

/// What a stream that is not `ACTIVE` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Busy {
    Creating,
    Updating,
    Deleting,
}

/// The operation that a call is for.
pub(super) fn operation(call: &Call<'_>) -> Option<&'static str> {
    json::operation(call, TARGET, &OPERATIONS)
}

/// Answers a call whose operation is known.
pub(super) fn handle(call: &Call<'_>, state: &mut State) -> Answer {
    reply(call, state).unwrap_or_else(|refusal| refusal.answer(call))
}

fn reply(call: &Call<'_>, state: &mut State) -> Reply {
    let input = Members::parse(call.body, DIALECT)?;
    let streams = state.regions.of(call);
    streams::settle(streams, call.now);
    match operation(call).unwrap_or_default() {
        "AddTagsToStream" => streams::tag(call, streams, &input),
        "CreateStream" => streams::create(call, streams, &input),
        "DeleteStream" => streams::delete(call, streams, &input),
        "DescribeStreamSummary" => streams::describe(call, streams, &input),
        "ListStreams" => streams::list(call, streams, &input),
        "ListTagsForStream" => streams::list_tags(call, streams, &input),
        "RemoveTagsFromStream" => streams::untag(call, streams, &input),
        "UpdateShardCount" => streams::reshard(call, streams, &input),
        "UpdateStreamMode" => streams::set_mode(call, streams, &input),
        other => Err(DIALECT.refuse("UnknownOperationException", other)),
    }
}
