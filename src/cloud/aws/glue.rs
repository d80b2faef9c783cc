//! The Glue Data Catalog: databases and external tables. A table is updated by editing what was
//! read, so that members that are not ours go back as they came.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Cloud;
use super::plain::{Plain, PlainRequest};
use crate::cloud::{Approved, CatalogDatabase, CatalogTable, CloudError, Column, TableDefinition};

/// The members of `TableInput`; the others of a `Table` are the service's own.
const TABLE_INPUT: [&str; 12] = [
    "Name",
    "Description",
    "Owner",
    "LastAccessTime",
    "LastAnalyzedTime",
    "Retention",
    "StorageDescriptor",
    "PartitionKeys",
    "ViewOriginalText",
    "ViewExpandedText",
    "TableType",
    "Parameters",
];

impl Cloud {
    /// Reads a database's description and parameters.
    pub(crate) async fn catalog_database(
        &self,
        region: &str,
        name: &str,
    ) -> Result<CatalogDatabase, CloudError> {
        let call = self.reading("glue.GetDatabase", format!("database {name}"));
        let request = PlainRequest::json(Plain::Glue, region, &call, &json!({"Name": name}));
        let answer: GetDatabase = self.ask_json(&call, request).await?;
        Ok(CatalogDatabase {
            name: answer.database.name,
            description: answer.database.description,
            parameters: answer.database.parameters,
        })
    }

    /// Makes a database.
    pub(crate) async fn create_catalog_database(
        &self,
        _approved: &Approved,
        region: &str,
        database: &CatalogDatabase,
    ) -> Result<(), CloudError> {
        let call = self.writing("glue.CreateDatabase", format!("database {}", database.name));
        let body = json!({"DatabaseInput": {
            "Name": database.name,
            "Description": database.description.clone().unwrap_or_default(),
            "Parameters": database.parameters,
        }});
        let request = PlainRequest::json(Plain::Glue, region, &call, &body);
        self.ask(&call, request).await.map(drop)
    }

    /// Deletes a database, and whatever tables it still has.
    pub(crate) async fn delete_catalog_database(
        &self,
        _approved: &Approved,
        region: &str,
        name: &str,
    ) -> Result<(), CloudError> {
        let call = self.writing("glue.DeleteDatabase", format!("database {name}"));
        let request = PlainRequest::json(Plain::Glue, region, &call, &json!({"Name": name}));
        self.ask(&call, request).await.map(drop)
    }

    /// Lists the names of a database's tables.
    pub(crate) async fn catalog_tables(
        &self,
        region: &str,
        database: &str,
    ) -> Result<Vec<CatalogTable>, CloudError> {
        let mut tables = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let call = self.reading("glue.GetTables", format!("database {database}"));
            let mut body = json!({"DatabaseName": database});
            if let Some(token) = &token {
                body["NextToken"] = token.as_str().into();
            }
            let request = PlainRequest::json(Plain::Glue, region, &call, &body);
            let page: TablePage = self.ask_json(&call, request).await?;
            tables.extend(page.table_list.into_iter().map(read));
            token = call.next_page(token.as_deref(), page.next_token.as_deref())?;
            if token.is_none() {
                return Ok(tables);
            }
        }
    }

    /// Reads a table.
    pub(crate) async fn catalog_table(
        &self,
        region: &str,
        database: &str,
        name: &str,
    ) -> Result<CatalogTable, CloudError> {
        let call = self.reading("glue.GetTable", format!("table {database}.{name}"));
        let body = json!({"DatabaseName": database, "Name": name});
        let request = PlainRequest::json(Plain::Glue, region, &call, &body);
        let answer: GetTable = self.ask_json(&call, request).await?;
        Ok(read(answer.table))
    }

    /// Makes a table.
    pub(crate) async fn create_catalog_table(
        &self,
        _approved: &Approved,
        region: &str,
        database: &str,
        definition: &TableDefinition,
    ) -> Result<(), CloudError> {
        let name = &definition.name;
        let call = self.writing("glue.CreateTable", format!("table {database}.{name}"));
        let input = edited(Value::Object(Map::new()), definition);
        let body = json!({"DatabaseName": database, "TableInput": input});
        let request = PlainRequest::json(Plain::Glue, region, &call, &body);
        self.ask(&call, request).await.map(drop)
    }

    /// Brings a table to `definition`, if it still is as it was read.
    pub(crate) async fn update_catalog_table(
        &self,
        _approved: &Approved,
        region: &str,
        database: &str,
        before: &CatalogTable,
        definition: &TableDefinition,
    ) -> Result<(), CloudError> {
        let name = &definition.name;
        let call = self.writing("glue.UpdateTable", format!("table {database}.{name}"));
        let input = edited(before.raw.clone(), definition);
        let mut body = json!({"DatabaseName": database, "TableInput": input});
        if let Some(version) = &before.version {
            body["VersionId"] = version.as_str().into();
        }
        let request = PlainRequest::json(Plain::Glue, region, &call, &body);
        self.ask(&call, request).await.map(drop)
    }

    /// Deletes a table; the objects that it describes stay.
    pub(crate) async fn delete_catalog_table(
        &self,
        _approved: &Approved,
        region: &str,
        database: &str,
        name: &str,
    ) -> Result<(), CloudError> {
        let call = self.writing("glue.DeleteTable", format!("table {database}.{name}"));
        let body = json!({"DatabaseName": database, "Name": name});
        let request = PlainRequest::json(Plain::Glue, region, &call, &body);
        self.ask(&call, request).await.map(drop)
    }
}

/// The table's members as `TableInput` takes them, with ours in place. Parameters of other keys stay.
fn edited(mut table: Value, definition: &TableDefinition) -> Value {
    if let Some(members) = table.as_object_mut() {
        members.retain(|name, _| TABLE_INPUT.contains(&name.as_str()));
    }
    let columns = |columns: &[Column]| -> Value {
        let columns = columns.iter();
        columns
            .map(|column| json!({"Name": column.name, "Type": column.kind}))
            .collect()
    };
    table["Name"] = definition.name.as_str().into();
    table["Description"] = definition.description.as_str().into();
    table["TableType"] = "EXTERNAL_TABLE".into();
    table["PartitionKeys"] = columns(&definition.partition_keys);
    for (key, value) in &definition.parameters {
        table["Parameters"][key] = value.as_str().into();
    }
    let storage = &mut table["StorageDescriptor"];
    storage["Columns"] = columns(&definition.columns);
    storage["Location"] = definition.location.as_str().into();
    storage["InputFormat"] = definition.input_format.as_str().into();
    storage["OutputFormat"] = definition.output_format.as_str().into();
    storage["SerdeInfo"]["SerializationLibrary"] = definition.serde.as_str().into();
    storage["SerdeInfo"]["Parameters"] = json!(definition.serde_parameters);
    table
}

fn read(raw: Value) -> CatalogTable {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let columns = |value: &Value| -> Vec<Column> {
        let list = value.as_array().into_iter().flatten();
        list.map(|column| Column {
            name: text(&column["Name"]),
            kind: text(&column["Type"]),
        })
        .collect()
    };
    let map = |value: &Value| -> BTreeMap<String, String> {
        let entries = value.as_object().into_iter().flatten();
        entries
            .map(|(key, value)| (key.clone(), text(value)))
            .collect()
    };
    let storage = &raw["StorageDescriptor"];
    CatalogTable {
        definition: TableDefinition {
            name: text(&raw["Name"]),
            description: text(&raw["Description"]),
            columns: columns(&storage["Columns"]),
            partition_keys: columns(&raw["PartitionKeys"]),
            location: text(&storage["Location"]),
            input_format: text(&storage["InputFormat"]),
            output_format: text(&storage["OutputFormat"]),
            serde: text(&storage["SerdeInfo"]["SerializationLibrary"]),
            serde_parameters: map(&storage["SerdeInfo"]["Parameters"]),
            parameters: map(&raw["Parameters"]),
        },
        version: raw["VersionId"].as_str().map(str::to_owned),
        raw,
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetDatabase {
    database: WireDatabase,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireDatabase {
    name: String,
    description: Option<String>,
    #[serde(default)]
    parameters: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetTable {
    table: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TablePage {
    #[serde(default)]
    table_list: Vec<Value>,
    next_token: Option<String>,
}
