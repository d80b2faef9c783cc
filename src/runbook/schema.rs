//! The runbook's JSON Schema, made from `model`: for editors, and for `structure`, which holds a
//! document against it.

use schemars::generate::SchemaSettings;
use serde_json::Value;

use crate::runbook::model::File;

/// The schema with every definition in place, so that it can be walked without references.
pub(crate) fn schema() -> Value {
    let settings = SchemaSettings::draft2020_12()
        .for_deserialize()
        .with(|settings| settings.inline_subschemas = true);
    let mut schema = settings
        .into_generator()
        .into_root_schema_for::<File>()
        .to_value();
    without_null(&mut schema);
    schema
}

/// The schema as the text of `schema/runbook.schema.json`.
pub(crate) fn schema_text() -> String {
    let mut text =
        serde_json::to_string_pretty(&schema()).expect("a JSON value can always be written");
    text.push('\n');
    text
}

/// Takes out what stands for an absent `Option`: TOML has no null.
fn without_null(schema: &mut Value) {
    match schema {
        Value::Array(elements) => elements.iter_mut().for_each(without_null),
        Value::Object(members) => {
            members.values_mut().for_each(without_null);
            if members.get("default").is_some_and(Value::is_null) {
                members.shift_remove("default");
            }
            if let Some(Value::Array(types)) = members.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    members.insert("type".to_owned(), only);
                }
            }
            if let Some(Value::Array(choices)) = members.get_mut("anyOf") {
                choices.retain(|choice| choice["type"] != "null");
                if let [Value::Object(only)] = choices.as_slice() {
                    let only = only.clone();
                    members.shift_remove("anyOf");
                    for (key, value) in only {
                        members.entry(key).or_insert(value);
                    }
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checked_in_schema_is_the_generated_one() {
        assert!(
            include_str!("../../schema/runbook.schema.json") == schema_text(),
            "regenerate it: onair runbook schema > schema/runbook.schema.json"
        );
    }

    #[test]
    fn every_key_is_described_and_no_null_is_left() {
        fn walk(schema: &Value, path: &str) {
            if let Some(properties) = schema["properties"].as_object() {
                for (key, property) in properties {
                    let path = format!("{path}.{key}");
                    assert!(property["description"].is_string(), "{path}");
                    walk(property, &path);
                    walk(&property["items"], &path);
                }
            }
        }
        let schema = schema();
        walk(&schema, "");
        assert!(!schema.to_string().contains("null"));
        assert!(!schema.to_string().contains("$ref"));
    }
}
