//! Holds a TOML document against the schema: unknown keys, wrong types, missing keys and unknown
//! words, all of them at once, each with its place.
//!
//! Broken parts are left out, or stood in for where the model needs a value, so that the values of
//! the sound parts can be checked in the same go.

use std::collections::HashMap;
use std::ops::Range;

use serde_json::{Map, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::event::text::{did_you_mean, shortened};
use crate::runbook::note::{Note, Problem};

/// A document that fits the model, and what had to be noted to make it fit.
#[derive(Debug)]
pub(crate) struct Structured {
    pub(crate) value: Value,
    pub(crate) notes: Vec<Note>,
    places: Places,
}

/// Where each path stands in the source, and which paths hold stand-ins.
#[derive(Debug, Default)]
struct Places {
    spans: HashMap<String, Range<usize>>,
    stand_ins: Vec<String>,
}

/// Parses a document and holds it against the schema.
pub(crate) fn structure(source: &str, schema: &Value) -> Structured {
    let (document, errors) = DeTable::parse_recoverable(source);
    if !errors.is_empty() {
        let notes = errors
            .iter()
            .map(|error| {
                Note::error("", Problem::Syntax(error.message().to_owned()))
                    .placed(source, error.span().unwrap_or(0..0))
            })
            .collect();
        return Structured {
            value: Value::Null,
            notes,
            places: Places::default(),
        };
    }
    let mut walk = Walk {
        source,
        notes: Vec::new(),
        places: Places::default(),
    };
    let value = walk.table(document.get_ref(), schema, "", 0..0);
    Structured {
        value,
        notes: walk.notes,
        places: walk.places,
    }
}

impl Structured {
    /// Adds the notes of a check, each put in its place; those about stand-ins are dropped, as
    /// what they stand in for has been noted already.
    pub(crate) fn add(&mut self, source: &str, notes: Vec<Note>) {
        for note in notes {
            let is_stand_in = self.places.stand_ins.iter().any(|path| {
                note.path
                    .strip_prefix(path.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
            });
            if !is_stand_in {
                let span = self.places.nearest(&note.path);
                self.notes.push(note.placed(source, span));
            }
        }
    }
}

impl Places {
    /// The place of a path, or of the innermost part of it that the document has.
    fn nearest(&self, path: &str) -> Range<usize> {
        let mut path = path;
        loop {
            if let Some(span) = self.spans.get(path) {
                return span.clone();
            }
            match path.rfind(['.', '[']) {
                Some(end) => path = &path[..end],
                None => return 0..0,
            }
        }
    }
}

struct Walk<'a> {
    source: &'a str,
    notes: Vec<Note>,
    places: Places,
}

impl Walk<'_> {
    fn table(
        &mut self,
        table: &DeTable<'_>,
        schema: &Value,
        path: &str,
        span: Range<usize>,
    ) -> Value {
        let empty = Map::new();
        let known = schema["properties"].as_object().unwrap_or(&empty);
        let mut members = Map::new();
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            let path = joined(path, name);
            // A map takes any key; what it may be is for the checks.
            let any = Some(&schema["additionalProperties"]).filter(|any| any.is_object());
            let Some(schema) = known.get(name).or(any) else {
                let nearest = did_you_mean(name, known.keys().map(String::as_str));
                let note = Note::error(&path, Problem::UnknownKey(shortened(name, 60)))
                    .nearest(nearest)
                    .placed(self.source, key.span());
                self.notes.push(note);
                continue;
            };
            if let Some(value) = self.value(value, schema, &path) {
                members.insert(name.to_owned(), value);
            } else {
                self.places.stand_ins.push(path);
            }
        }
        for name in required(schema) {
            if members.contains_key(name) {
                continue;
            }
            let member_path = joined(path, name);
            if !self.places.stand_ins.contains(&member_path) {
                let note = Note::error(path, Problem::Missing(name.to_owned()))
                    .placed(self.source, span.clone());
                self.notes.push(note);
                self.places.stand_ins.push(member_path);
            }
            members.insert(name.to_owned(), stand_in(&known[name]));
        }
        Value::Object(members)
    }

    /// The value as JSON, or none when it does not fit; then that has been noted.
    fn value(&mut self, value: &Spanned<DeValue<'_>>, schema: &Value, path: &str) -> Option<Value> {
        let span = value.span();
        self.places.spans.insert(path.to_owned(), span.clone());
        let schema = alternative(schema, matches!(value.get_ref(), DeValue::Table(_)));
        let words = words(schema);
        let found = match (value.get_ref(), kind(schema)) {
            (DeValue::String(text), "string") => {
                if words.is_empty() || words.contains(&text.as_ref()) {
                    return Some(Value::String(text.clone().into_owned()));
                }
                let note = Note::error(
                    path,
                    Problem::NotOneOf {
                        found: shortened(text, 60),
                        allowed: words.iter().map(|word| (*word).to_owned()).collect(),
                    },
                )
                .nearest(did_you_mean(text, words))
                .placed(self.source, span);
                self.notes.push(note);
                return None;
            }
            // A bare TOML date and time is as good as one in quotes.
            (DeValue::Datetime(datetime), "string") if words.is_empty() => {
                return Some(Value::String(datetime.to_string()));
            }
            (DeValue::Integer(integer), "integer") => {
                let number = u32::from_str_radix(integer.as_str(), integer.radix());
                match number {
                    Ok(number) => return Some(Value::from(number)),
                    Err(_) => "a number out of range",
                }
            }
            (DeValue::Integer(integer), "number") => {
                return i64::from_str_radix(integer.as_str(), integer.radix())
                    .ok()
                    .map(Value::from);
            }
            (DeValue::Float(float), "number") => {
                match float
                    .as_str()
                    .parse::<f64>()
                    .ok()
                    .and_then(serde_json::Number::from_f64)
                {
                    Some(number) => return Some(Value::Number(number)),
                    None => "a number out of range",
                }
            }
            (DeValue::Boolean(boolean), "boolean") => return Some(Value::Bool(*boolean)),
            (DeValue::Table(table), "object") => {
                return Some(self.table(table, schema, path, span));
            }
            (DeValue::Array(elements), "array") => {
                let mut values = Vec::new();
                for (element, index) in elements.iter().zip(0..) {
                    let path = format!("{path}[{index}]");
                    let value = self.value(element, &schema["items"], &path);
                    // A stand-in keeps the later elements' numbers right.
                    values.push(value.unwrap_or_else(|| {
                        self.places.stand_ins.push(path);
                        stand_in(&schema["items"])
                    }));
                }
                return Some(Value::Array(values));
            }
            (DeValue::String(_), _) => "a text",
            (DeValue::Integer(_) | DeValue::Float(_), _) => "a number",
            (DeValue::Boolean(_), _) => "true or false",
            (DeValue::Datetime(_), _) => "a date",
            (DeValue::Table(_), _) => "a table",
            (DeValue::Array(_), _) => "a list",
        };
        let problem = if path == "tokens.key" {
            Problem::Plaintext
        } else {
            Problem::WrongType {
                expected: expected(schema),
                found,
            }
        };
        self.notes
            .push(Note::error(path, problem).placed(self.source, span));
        None
    }
}

fn joined(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

fn required(schema: &Value) -> Vec<&str> {
    schema["required"]
        .as_array()
        .map(|names| names.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default()
}

/// Of a schema that takes a word or a table: the one that fits what was found.
fn alternative(schema: &Value, is_table: bool) -> &Value {
    let choices = schema["anyOf"].as_array();
    choices
        .and_then(|choices| {
            choices
                .iter()
                .find(|choice| (kind(choice) == "object") == is_table)
        })
        .unwrap_or(schema)
}

/// The schema's type; a choice among words is a string.
fn kind(schema: &Value) -> &str {
    schema["type"].as_str().unwrap_or("string")
}

/// The words that a string may be, or none when it may be any.
fn words(schema: &Value) -> Vec<&str> {
    let listed = schema["enum"].as_array().into_iter().flatten();
    let described = schema["oneOf"].as_array().into_iter().flatten();
    let constants = described.map(|choice| &choice["const"]);
    listed.chain(constants).filter_map(Value::as_str).collect()
}

fn expected(schema: &Value) -> &'static str {
    match kind(schema) {
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "true or false",
        "object" => "a table",
        "array" => "a list",
        _ => "a text in quotes",
    }
}

/// A value of the right type, to stand where the document has none.
fn stand_in(schema: &Value) -> Value {
    let schema = alternative(schema, false);
    match kind(schema) {
        "integer" | "number" => Value::from(0),
        "boolean" => Value::Bool(false),
        "array" => Value::Array(Vec::new()),
        "object" => Value::Object(
            required(schema)
                .into_iter()
                .map(|name| (name.to_owned(), stand_in(&schema["properties"][name])))
                .collect(),
        ),
        _ => Value::from(words(schema).first().copied().unwrap_or_default()),
    }
}
