//! Operations on tables.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{
    DIALECT, Database, Table, catalog_name, check_parameters, copied, exists, missing, page,
};
use crate::sandbox::json::{self, Members, Refusal, Reply, changed, found};
use crate::sandbox::service::Call;

type Databases = BTreeMap<String, Database>;

const MEMBERS: [&str; 10] = [
    "Description",
    "Owner",
    "LastAccessTime",
    "LastAnalyzedTime",
    "Retention",
    "StorageDescriptor",
    "PartitionKeys",
    "ViewOriginalText",
    "TableType",
    "Parameters",
];

pub(super) fn create(call: &Call<'_>, databases: &mut Databases, input: &Members) -> Reply {
    let (name, input) = read(input, databases)?;
    let database = database(databases, &input.0)?;
    if database.tables.contains_key(&name) {
        return Err(exists("Table"));
    }
    database.tables.insert(
        name,
        Table {
            created: call.now,
            updated: call.now,
            version: 1,
            input: input.1,
        },
    );
    changed(call, &json!({}))
}

/// Replaces the whole of `TableInput`. With `VersionId`, only when that is the current version.
pub(super) fn update(call: &Call<'_>, databases: &mut Databases, input: &Members) -> Reply {
    let version = input.optional_text("VersionId", 1..=255)?;
    let (name, content) = read(input, databases)?;
    let table = database(databases, &content.0)?
        .tables
        .get_mut(&name)
        .ok_or_else(|| missing("Table", &name))?;
    if version.is_some_and(|version| version != table.version.to_string()) {
        return Err(DIALECT.refuse(
            "ConcurrentModificationException",
            "Update table failed due to concurrent modifications.",
        ));
    }
    table.version += 1;
    table.updated = call.now;
    table.input = content.1;
    changed(call, &json!({}))
}

pub(super) fn get(call: &Call<'_>, databases: &mut Databases, input: &Members) -> Reply {
    let (in_database, name) = named(input)?;
    let table = database(databases, &in_database)?
        .tables
        .get(&name)
        .ok_or_else(|| missing("Table", &name))?;
    let shown = show(call, &in_database, &name, table);
    found(call, &json!({"Table": shown}))
}

pub(super) fn list(call: &Call<'_>, databases: &mut Databases, input: &Members) -> Reply {
    let name = catalog_name(input, "DatabaseName")?;
    let items = database(databases, &name)?
        .tables
        .iter()
        .map(|(table_name, table)| (table_name.clone(), show(call, &name, table_name, table)));
    page(call, input, "TableList", items)
}

pub(super) fn delete(call: &Call<'_>, databases: &mut Databases, input: &Members) -> Reply {
    let (in_database, name) = named(input)?;
    database(databases, &in_database)?
        .tables
        .remove(&name)
        .ok_or_else(|| missing("Table", &name))?;
    changed(call, &json!({}))
}

fn named(input: &Members) -> Result<(String, String), Refusal> {
    Ok((
        catalog_name(input, "DatabaseName")?,
        catalog_name(input, "Name")?,
    ))
}

/// A table's name and its members.
type NamedTable = (String, Map<String, Value>);

/// The table's name, and its database with the members of `TableInput`.
fn read(input: &Members, databases: &Databases) -> Result<(String, NamedTable), Refusal> {
    let in_database = catalog_name(input, "DatabaseName")?;
    let content = input
        .structure("TableInput")?
        .ok_or_else(|| input.missing("tableInput"))?;
    let name = catalog_name(&content, "Name")?;
    if !databases.contains_key(&in_database) {
        return Err(missing("Database", &in_database));
    }
    check_parameters(&content)?;
    if let Some(storage) = content.structure("StorageDescriptor")? {
        columns(&storage, "Columns")?;
        storage.optional_text("Location", 0..=2056)?;
        if let Some(serde) = storage.structure("SerdeInfo")? {
            check_parameters(&serde)?;
        }
    }
    columns(&content, "PartitionKeys")?;
    Ok((name, (in_database, copied(&content, &MEMBERS))))
}

/// Refuses columns without a name, or two of one name.
fn columns(input: &Members, member: &str) -> Result<(), Refusal> {
    let mut seen = Vec::new();
    for column in input
        .raw(member)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let name = column["Name"].as_str().unwrap_or_default().to_lowercase();
        if name.is_empty() {
            return Err(DIALECT.invalid(format!("A member of {member} has no name.")));
        }
        if seen.contains(&name) {
            return Err(DIALECT.invalid(format!("Column {name} is there twice in {member}.")));
        }
        seen.push(name);
    }
    Ok(())
}

fn database<'a>(databases: &'a mut Databases, name: &str) -> Result<&'a mut Database, Refusal> {
    databases
        .get_mut(name)
        .ok_or_else(|| missing("Database", name))
}

fn show(call: &Call<'_>, database: &str, name: &str, table: &Table) -> Value {
    let mut shown = Value::Object(table.input.clone());
    shown["Name"] = name.into();
    shown["DatabaseName"] = database.into();
    shown["CreateTime"] = json::time(table.created);
    shown["UpdateTime"] = json::time(table.updated);
    shown["CreatedBy"] = format!("arn:aws:sts::{}:assumed-role/rehearsal", call.account).into();
    shown["IsRegisteredWithLakeFormation"] = false.into();
    shown["CatalogId"] = call.account.into();
    shown["VersionId"] = table.version.to_string().into();
    shown
}
