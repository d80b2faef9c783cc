//! The embedded cloud's Athena, API 2017-05-18: workgroups, named queries, and queries that run.

mod executions;
mod named_queries;
mod tags;
mod workgroups;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::json::{self, Dialect, Members, Regional, Reply};
use super::service::{Answer, Call};
use executions::Execution;
pub(super) use executions::World;

/// Goes before the operation in `X-Amz-Target`.
const TARGET: &str = "AmazonAthena";

const OPERATIONS: [&str; 20] = [
    "BatchGetNamedQuery",
    "BatchGetQueryExecution",
    "CreateNamedQuery",
    "CreateWorkGroup",
    "DeleteNamedQuery",
    "DeleteWorkGroup",
    "GetNamedQuery",
    "GetQueryExecution",
    "GetQueryResults",
    "GetWorkGroup",
    "ListNamedQueries",
    "ListQueryExecutions",
    "ListTagsForResource",
    "ListWorkGroups",
    "StartQueryExecution",
    "StopQueryExecution",
    "TagResource",
    "UntagResource",
    "UpdateNamedQuery",
    "UpdateWorkGroup",
];

const DIALECT: Dialect = Dialect {
    invalid: "InvalidRequestException",
    message: "Message",
};

/// Every account has it in every region.
const PRIMARY: &str = "primary";

/// What Athena holds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) regions: Regional<Region>,
}

/// What Athena holds in one region.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Region {
    /// By name.
    pub(super) workgroups: BTreeMap<String, WorkGroup>,
    /// By id.
    pub(super) queries: BTreeMap<String, NamedQuery>,
    /// By id.
    #[serde(default)]
    pub(super) executions: BTreeMap<String, Execution>,
}

impl Default for Region {
    fn default() -> Self {
        let primary = WorkGroup {
            created: None,
            enabled: true,
            description: None,
            configuration: workgroups::initial(),
            tags: BTreeMap::new(),
        };
        Self {
            workgroups: BTreeMap::from([(PRIMARY.to_owned(), primary)]),
            queries: BTreeMap::new(),
            executions: BTreeMap::new(),
        }
    }
}

/// A workgroup.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct WorkGroup {
    /// None: always there.
    pub(super) created: Option<Timestamp>,
    pub(super) enabled: bool,
    pub(super) description: Option<String>,
    /// The members of `WorkGroupConfiguration`.
    pub(super) configuration: Value,
    pub(super) tags: BTreeMap<String, String>,
}

/// A named query.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct NamedQuery {
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) database: String,
    pub(super) text: String,
    pub(super) workgroup: String,
    /// The token that it was created with: the same call again makes no second one.
    pub(super) token: Option<String>,
}

/// The operation that a call is for.
pub(super) fn operation(call: &Call<'_>) -> Option<&'static str> {
    json::operation(call, TARGET, &OPERATIONS)
}

/// Answers a call whose operation is known.
pub(super) fn handle(call: &Call<'_>, state: &mut State, world: &mut World<'_>) -> Answer {
    reply(call, state, world).unwrap_or_else(|refusal| refusal.answer(call))
}

fn reply(call: &Call<'_>, state: &mut State, world: &mut World<'_>) -> Reply {
    let input = Members::parse(call.body, DIALECT)?;
    let name = call.region.unwrap_or("us-east-1");
    let region = state.regions.of(call);
    match operation(call).unwrap_or_default() {
        "BatchGetNamedQuery" => named_queries::get_many(call, region, &input),
        "BatchGetQueryExecution" => executions::get_many(call, region, name, &input, world),
        "CreateNamedQuery" => named_queries::create(call, region, &input),
        "CreateWorkGroup" => workgroups::create(call, region, &input),
        "DeleteNamedQuery" => named_queries::delete(call, region, &input),
        "DeleteWorkGroup" => workgroups::delete(call, region, &input),
        "GetNamedQuery" => named_queries::get(call, region, &input),
        "GetQueryExecution" => executions::get(call, region, name, &input, world),
        "GetQueryResults" => executions::results(call, region, name, &input, world),
        "GetWorkGroup" => workgroups::get(call, region, &input),
        "ListNamedQueries" => named_queries::list(call, region, &input),
        "ListQueryExecutions" => executions::list(call, region, &input),
        "ListTagsForResource" => tags::list(call, region, &input),
        "ListWorkGroups" => workgroups::list(call, region, &input),
        "StartQueryExecution" => executions::start(call, region, &input, world),
        "StopQueryExecution" => executions::stop(call, region, &input),
        "TagResource" => tags::tag(call, region, &input),
        "UntagResource" => tags::untag(call, region, &input),
        "UpdateNamedQuery" => named_queries::update(call, region, &input),
        "UpdateWorkGroup" => workgroups::update(call, region, &input),
        other => Err(DIALECT.refuse("UnknownOperationException", other)),
    }
}

fn workgroup_name(input: &Members, member: &str) -> Result<String, json::Refusal> {
    input.name(member, 1..=128, "[a-zA-Z0-9._-]{1,128}", |character| {
        character.is_ascii_alphanumeric() || "._-".contains(character)
    })
}

/// Athena has one error for whatever is wrong, also for what is not there.
fn missing(name: &str) -> json::Refusal {
    DIALECT.invalid(format!("{name} is not found."))
}

fn missing_workgroup() -> json::Refusal {
    DIALECT.invalid("WorkGroup is not found.")
}

/// The list's page size and token.
fn paging(input: &Members) -> Result<(usize, Option<String>), json::Refusal> {
    let limit = input
        .number("MaxResults", 0..=50)?
        .filter(|limit| *limit > 0);
    let token = input.optional_text("NextToken", 1..=1024)?;
    Ok((usize::try_from(limit.unwrap_or(50)).unwrap_or(50), token))
}
