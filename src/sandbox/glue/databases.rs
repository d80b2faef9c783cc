//! Operations on databases.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{DIALECT, Database, catalog_name, check_parameters, copied, exists, missing, page};
use crate::sandbox::json::{self, Members, Refusal, Reply, changed, found};
use crate::sandbox::service::Call;

type Databases = BTreeMap<String, Database>;

const MEMBERS: [&str; 3] = ["Description", "LocationUri", "Parameters"];

pub(super) fn create(call: &Call<'_>, databases: &mut Databases, input: &Members) -> Reply {
    let (name, input) = read(input)?;
    if databases.contains_key(&name) {
        return Err(exists("Database"));
    }
    databases.insert(
        name,
        Database {
            created: call.now,
            input,
            tables: BTreeMap::new(),
        },
    );
    changed(call, &json!({}))
}

/// Replaces the whole of `DatabaseInput`, which the caller sends back.
pub(super) fn update(call: &Call<'_>, databases: &mut Databases, input: &Members) -> Reply {
    let name = catalog_name(input, "Name")?;
    let (renamed, content) = read(input)?;
    let database = databases
        .get_mut(&name)
        .ok_or_else(|| missing("Database", &name))?;
    if renamed != name {
        return Err(DIALECT.invalid("A database cannot be renamed."));
    }
    database.input = content;
    changed(call, &json!({}))
}

pub(super) fn get(call: &Call<'_>, databases: &Databases, input: &Members) -> Reply {
    let name = catalog_name(input, "Name")?;
    let database = databases
        .get(&name)
        .ok_or_else(|| missing("Database", &name))?;
    found(call, &json!({"Database": show(call, &name, database)}))
}

pub(super) fn list(call: &Call<'_>, databases: &Databases, input: &Members) -> Reply {
    let items = databases
        .iter()
        .map(|(name, database)| (name.clone(), show(call, name, database)));
    page(call, input, "DatabaseList", items)
}

/// Takes the tables along, as the service does.
pub(super) fn delete(call: &Call<'_>, databases: &mut Databases, input: &Members) -> Reply {
    let name = catalog_name(input, "Name")?;
    databases
        .remove(&name)
        .ok_or_else(|| missing("Database", &name))?;
    changed(call, &json!({}))
}

fn read(input: &Members) -> Result<(String, Map<String, Value>), Refusal> {
    let content = input
        .structure("DatabaseInput")?
        .ok_or_else(|| input.missing("databaseInput"))?;
    check_parameters(&content)?;
    content.optional_text("Description", 0..=2048)?;
    content.optional_text("LocationUri", 1..=1024)?;
    Ok((catalog_name(&content, "Name")?, copied(&content, &MEMBERS)))
}

fn show(call: &Call<'_>, name: &str, database: &Database) -> Value {
    let mut shown = Value::Object(database.input.clone());
    shown["Name"] = name.into();
    shown["CreateTime"] = json::time(database.created);
    shown["CatalogId"] = call.account.into();
    shown["CreateTableDefaultPermissions"] = json!([{
        "Principal": {"DataLakePrincipalIdentifier": "IAM_ALLOWED_PRINCIPALS"},
        "Permissions": ["ALL"],
    }]);
    shown
}
