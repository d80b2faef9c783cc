//! Partition projection: which partitions a table has by its properties, and where they lie. From
//! the Athena User Guide, "Partition projection with Amazon Athena".

use std::collections::BTreeMap;

use super::{HiveTable, Trouble};

/// More are not made: a table with so many would be a mistake.
const MOST: usize = 1_000_000;

/// A partition: the texts of its columns, and where its objects are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Partition {
    pub(super) values: Vec<String>,
    /// `s3://BUCKET/PREFIX/`, with the slash.
    pub(super) location: String,
}

/// All partitions of a table. One without partition columns is a single partition; one that has
/// them and no projection has none, as long as nobody adds any to the catalog.
pub(super) fn partitions(table: &HiveTable) -> Result<Vec<Partition>, Trouble> {
    if table.partition_keys.is_empty() {
        return Ok(vec![Partition {
            values: Vec::new(),
            location: with_slash(&table.location),
        }]);
    }
    let enabled = table.parameters.get("projection.enabled");
    if enabled.is_none_or(|enabled| !enabled.eq_ignore_ascii_case("true")) {
        return Ok(Vec::new());
    }
    let mut all: Vec<Vec<String>> = vec![Vec::new()];
    for (key, _) in &table.partition_keys {
        let values = values(table, key)?;
        if all.len().saturating_mul(values.len()) > MOST {
            return Err(Trouble::Table(format!(
                "table {} projects more than {MOST} partitions",
                table.name
            )));
        }
        all = all
            .iter()
            .flat_map(|before| {
                values.iter().map(move |value| {
                    let mut partition = before.clone();
                    partition.push(value.clone());
                    partition
                })
            })
            .collect();
    }
    let template = table.parameters.get("storage.location.template");
    Ok(all
        .into_iter()
        .map(|values| Partition {
            location: location(table, template, &values),
            values,
        })
        .collect())
}

/// Where the keys of all partitions begin.
pub(super) fn common_location(table: &HiveTable) -> String {
    match table.parameters.get("storage.location.template") {
        Some(template) if !table.partition_keys.is_empty() => {
            let fixed = template.split("${").next().unwrap_or_default();
            // Up to the last whole folder: a value may begin in the middle of a name.
            let end = fixed.rfind('/').map_or(0, |at| at + 1);
            fixed[..end].to_owned()
        }
        _ => with_slash(&table.location),
    }
}

fn location(table: &HiveTable, template: Option<&String>, values: &[String]) -> String {
    let keys = table.partition_keys.iter().map(|(key, _)| key);
    let pairs: BTreeMap<&String, &String> = keys.zip(values).collect();
    if let Some(template) = template {
        let mut location = template.clone();
        for (key, value) in pairs {
            location = location.replace(&format!("${{{key}}}"), value);
        }
        return with_slash(&location);
    }
    // Hive's own layout.
    let mut location = with_slash(&table.location);
    for ((key, _), value) in table.partition_keys.iter().zip(values) {
        location.push_str(&format!("{key}={value}/"));
    }
    location
}

/// The values of one partition column.
fn values(table: &HiveTable, key: &str) -> Result<Vec<String>, Trouble> {
    let property = |name: &str| {
        let name = format!("projection.{key}.{name}");
        table.parameters.get(&name).map(String::as_str)
    };
    let wrong = |what: &str| {
        Trouble::Table(format!(
            "table {}: projection.{key}.{what} is missing or not understood",
            table.name
        ))
    };
    match property("type").unwrap_or_default() {
        "enum" => Ok(property("values")
            .ok_or_else(|| wrong("values"))?
            .split(',')
            .map(|value| value.trim().to_owned())
            .collect()),
        "integer" => {
            let (first, last) = property("range")
                .and_then(|range| range.split_once(','))
                .and_then(|(first, last)| {
                    let first: i64 = first.trim().parse().ok()?;
                    Some((first, last.trim().parse::<i64>().ok()?))
                })
                .filter(|(first, last)| first <= last)
                .ok_or_else(|| wrong("range"))?;
            let step = match property("interval") {
                None => 1,
                Some(text) => text
                    .parse()
                    .ok()
                    .filter(|step| *step > 0)
                    .ok_or_else(|| wrong("interval"))?,
            };
            let digits: usize = match property("digits") {
                None => 0,
                Some(text) => text.parse().map_err(|_| wrong("digits"))?,
            };
            let mut values = Vec::new();
            let mut value = first;
            while value <= last && values.len() < MOST {
                values.push(format!("{value:0digits$}"));
                value += step;
            }
            Ok(values)
        }
        _ => Err(wrong("type")),
    }
}

fn with_slash(location: &str) -> String {
    if location.ends_with('/') {
        location.to_owned()
    } else {
        format!("{location}/")
    }
}
