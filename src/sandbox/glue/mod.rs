//! The embedded cloud's Glue Data Catalog, API 2017-03-31: databases and tables, kept as they were
//! sent. What the tables describe is read by others.

mod databases;
mod tables;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::json::{self, Dialect, Members, Regional, Reply};
use super::service::{Answer, Call};

/// Goes before the operation in `X-Amz-Target`.
const TARGET: &str = "AWSGlue";

const OPERATIONS: [&str; 10] = [
    "CreateDatabase",
    "CreateTable",
    "DeleteDatabase",
    "DeleteTable",
    "GetDatabase",
    "GetDatabases",
    "GetTable",
    "GetTables",
    "UpdateDatabase",
    "UpdateTable",
];

const DIALECT: Dialect = Dialect {
    invalid: "InvalidInputException",
    message: "Message",
};

/// What the catalog holds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    /// Databases by name, in each region.
    pub(super) regions: Regional<BTreeMap<String, Database>>,
}

/// A database and its tables.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Database {
    pub(super) created: Timestamp,
    /// The members of `DatabaseInput`.
    pub(super) input: Map<String, Value>,
    pub(super) tables: BTreeMap<String, Table>,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Table {
    pub(super) created: Timestamp,
    pub(super) updated: Timestamp,
    /// Counts from 1 with each update.
    pub(super) version: u64,
    /// The members of `TableInput`.
    pub(super) input: Map<String, Value>,
}

impl State {
    #[cfg_attr(
        not(feature = "engine"),
        expect(dead_code, reason = "what the embedded Athena reads for its engine")
    )]
    /// All tables of a region: database, name, and the members of `TableInput`.
    pub(super) fn tables(
        &self,
        region: &str,
    ) -> impl Iterator<Item = (&str, &str, &Map<String, Value>)> {
        let databases = self.regions.0.get(region).into_iter().flatten();
        databases.flat_map(|(database, held)| {
            let tables = held.tables.iter();
            tables.map(|(name, table)| (database.as_str(), name.as_str(), &table.input))
        })
    }
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
    if let Some(catalog) = input.optional_text("CatalogId", 1..=255)?
        && catalog != call.account
    {
        return Err(missing("Catalog", &catalog));
    }
    let databases = state.regions.of(call);
    match operation(call).unwrap_or_default() {
        "CreateDatabase" => databases::create(call, databases, &input),
        "CreateTable" => tables::create(call, databases, &input),
        "DeleteDatabase" => databases::delete(call, databases, &input),
        "DeleteTable" => tables::delete(call, databases, &input),
        "GetDatabase" => databases::get(call, databases, &input),
        "GetDatabases" => databases::list(call, databases, &input),
        "GetTable" => tables::get(call, databases, &input),
        "GetTables" => tables::list(call, databases, &input),
        "UpdateDatabase" => databases::update(call, databases, &input),
        "UpdateTable" => tables::update(call, databases, &input),
        other => Err(DIALECT.refuse("UnknownOperationException", other)),
    }
}

fn missing(what: &str, name: &str) -> json::Refusal {
    DIALECT.refuse(
        "EntityNotFoundException",
        format!("{what} {name} not found."),
    )
}

fn exists(what: &str) -> json::Refusal {
    DIALECT.refuse("AlreadyExistsException", format!("{what} already exists."))
}

/// A name of the catalog, folded to lower case as the service does for Hive's sake.
fn catalog_name(input: &Members, member: &str) -> Result<String, json::Refusal> {
    let name = input.name(member, 1..=255, "[\\u0020-\\uD7FF\\t]*", |character| {
        character >= ' ' || character == '\t'
    })?;
    Ok(name.to_lowercase())
}

/// Holds `Parameters` to texts of at most 512,000 bytes.
fn check_parameters(input: &Members) -> Result<(), json::Refusal> {
    for (key, value) in input.map("Parameters")?.iter().flatten() {
        if key.is_empty() || key.chars().count() > 255 || value.len() > 512_000 {
            return Err(DIALECT.invalid(format!("The parameter {key} is not valid.")));
        }
    }
    Ok(())
}

/// Copies the members that `known` names.
fn copied(input: &Members, known: &[&str]) -> Map<String, Value> {
    known
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), input.raw(name)?.clone())))
        .collect()
}

/// A page of a list under `member`.
fn page(
    call: &Call<'_>,
    input: &Members,
    member: &str,
    items: impl Iterator<Item = (String, Value)>,
) -> Reply {
    let limit = input.number("MaxResults", 1..=100)?.unwrap_or(100);
    let token = input.optional_text("NextToken", 0..=4096)?;
    let token = token.filter(|token| !token.is_empty());
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let (page, next) = json::page(items, token.as_deref(), limit, DIALECT)?;
    let mut answer = serde_json::json!({ member: page });
    if let Some(next) = next {
        answer["NextToken"] = next.into();
    }
    json::found(call, &answer)
}
