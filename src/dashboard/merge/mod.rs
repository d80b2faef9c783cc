//! The stored dashboard against the one that should be, by widget and in three ways: what was made
//! the last time, what is there, what is wanted. What a hand changed since is kept unless it is to be
//! discarded; widgets that are somebody's own are always kept, below ours.

mod fields;

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value};

pub(crate) use fields::Field;

use super::marks::PREFIX;
use crate::ledger::entry::{Hash256, canonical};

/// Begins the header's line that Markdown does not show.
const MARKER: &str = "[onair]: # \"1 ";
/// Hex digits of a digest: enough to notice an edit, short enough for a hundred widgets.
const DIGITS: usize = 8;
/// Stands for what is beside the widgets.
const WHOLE: &str = "(the dashboard itself)";

/// What is done with changes made by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Edits {
    Keep,
    Discard,
}

/// How a widget differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// It is wanted and not there.
    Missing,
    /// The runbook, or onair, has moved on since it was made.
    Outdated,
    /// It was made, and is no more wanted.
    Obsolete,
    /// Changed by hand since it was made.
    Edited,
    /// Removed by hand since it was made.
    Deleted,
    /// Somebody's own.
    Foreign,
}

/// One widget that differs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Difference {
    /// Its title.
    pub(crate) widget: String,
    pub(crate) kind: Kind,
    /// What applying does about it: something, or nothing.
    pub(crate) is_pending: bool,
    pub(crate) fields: Vec<Field>,
}

/// The outcome of a comparison.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Comparison {
    pub(crate) differences: Vec<Difference>,
    /// What to send.
    pub(crate) merged: Value,
    /// Whether what is stored differs from `merged` in more than our annotations.
    pub(crate) is_pending: bool,
    /// Whether our annotations are behind the ledger.
    pub(crate) marks_behind: bool,
    /// Whether the stored dashboard says how it was made, so that edits can be told.
    pub(crate) has_record: bool,
}

/// Adds the line that says how each widget was made.
pub(super) fn sign(body: &mut Value) {
    let record: Vec<String> = pieces(body)
        .iter()
        .map(|(key, piece)| format!("{}:{}", short(key.as_bytes()), digest(piece)))
        .collect();
    let line = format!("\n\n{MARKER}{}\"", record.join(" "));
    if let Some(Value::Array(widgets)) = body.get_mut("widgets")
        && let Some(header) = widgets.iter_mut().find_map(markdown_mut)
    {
        header.truncate(unsigned(header).len());
        header.push_str(&line);
    }
}

fn markdown_mut(widget: &mut Value) -> Option<&mut String> {
    match widget.get_mut("properties")?.get_mut("markdown")? {
        Value::String(text) => Some(text),
        _ => None,
    }
}

/// A text without the line.
fn unsigned(markdown: &str) -> &str {
    markdown
        .find(MARKER)
        .map_or(markdown, |at| markdown[..at].trim_end())
}

/// The record in a stored dashboard: digests by key.
fn record(body: &Value) -> Option<HashMap<String, String>> {
    let widgets = body.get("widgets")?.as_array()?;
    let line = widgets.iter().find_map(|widget| {
        let text = widget.get("properties")?.get("markdown")?.as_str()?;
        let (_, rest) = text.split_once(MARKER)?;
        rest.split_once('"').map(|(line, _)| line)
    })?;
    let pairs = line.split(' ').filter_map(|pair| pair.split_once(':'));
    Some(
        pairs
            .map(|(key, digest)| (key.to_owned(), digest.to_owned()))
            .collect(),
    )
}

/// What names a widget: its title, or a text's first line.
fn key(widget: &Value) -> Option<String> {
    let properties = widget.get("properties")?;
    let title = properties.get("title").and_then(Value::as_str);
    let first = || properties.get("markdown")?.as_str()?.lines().next();
    title
        .or_else(first)
        .map(str::to_owned)
        .filter(|key| !key.is_empty())
}

/// The widgets that have a name, each the first of its name, and what is beside them.
fn pieces(body: &Value) -> Vec<(String, Value)> {
    let mut pieces = vec![(WHOLE.to_owned(), whole(body))];
    for widget in body
        .get("widgets")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        if let Some(key) = key(widget)
            && !pieces.iter().any(|(known, _)| *known == key)
        {
            pieces.push((key, widget.clone()));
        }
    }
    pieces
}

/// All but the widgets.
fn whole(body: &Value) -> Value {
    let members = body.as_object().into_iter().flatten();
    members
        .filter(|(name, _)| *name != "widgets")
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

fn short(bytes: &[u8]) -> String {
    let mut text = Hash256::of(bytes).to_string();
    text.truncate(DIGITS);
    text
}

fn digest(piece: &Value) -> String {
    short(canonical(&bare(piece)).as_bytes())
}

/// A widget without our annotations and without the record: what is compared.
fn bare(piece: &Value) -> Value {
    let mut bare = piece.clone();
    if let Some(text) = markdown_mut(&mut bare) {
        let length = unsigned(text).len();
        text.truncate(length);
    }
    set_marks(&mut bare, &[]);
    bare
}

fn is_ours(annotation: &Value) -> bool {
    annotation
        .get("label")
        .and_then(Value::as_str)
        .is_some_and(|label| label.starts_with(PREFIX))
}

/// Our annotations of a widget.
fn own_marks(widget: &Value) -> Vec<Value> {
    let lines = widget.pointer("/properties/annotations/vertical");
    let lines = lines.and_then(Value::as_array).into_iter().flatten();
    lines.filter(|line| is_ours(line)).cloned().collect()
}

/// Puts these in the place of our annotations; others stay.
fn set_marks(widget: &mut Value, marks: &[Value]) {
    let Some(Value::Object(properties)) = widget.get_mut("properties") else {
        return;
    };
    let annotations = properties.get_mut("annotations");
    let annotations = match annotations {
        Some(Value::Object(annotations)) => annotations,
        Some(_) => return,
        None if marks.is_empty() => return,
        None => properties
            .entry("annotations")
            .or_insert_with(|| Value::Object(Map::new()))
            .as_object_mut()
            .expect("it was just made an object"),
    };
    let mut lines: Vec<Value> = match annotations.get("vertical") {
        Some(Value::Array(lines)) => lines
            .iter()
            .filter(|line| !is_ours(line))
            .cloned()
            .collect(),
        Some(_) => return,
        None => Vec::new(),
    };
    lines.extend_from_slice(marks);
    if lines.is_empty() {
        annotations.remove("vertical");
    } else {
        annotations.insert("vertical".to_owned(), Value::Array(lines));
    }
    if annotations.is_empty() {
        properties.remove("annotations");
    }
}

/// Compares what is stored, if anything is, with what is wanted.
pub(crate) fn compare(stored: Option<&Value>, wanted: &Value, edits: Edits) -> Comparison {
    let empty = Value::Object(Map::new());
    let current = stored.unwrap_or(&empty);
    let record = record(current);
    let mut merge = Merge {
        made: record.clone().unwrap_or_default(),
        edits,
        differences: Vec::new(),
    };
    let there: BTreeMap<String, Value> = pieces(current).into_iter().collect();
    let mut members = whole(wanted);
    let mut widgets = Vec::new();
    for (key, want) in pieces(wanted) {
        let have = there.get(&key).filter(|_| stored.is_some());
        if let Some(merged) = merge.one(&key, have, &want) {
            if key == WHOLE {
                members = merged;
            } else {
                widgets.push(merged);
            }
        }
    }
    let foreign = merge.others(current, wanted);
    let foreign = below(foreign, wanted);
    let mut merged = members;
    // The record is of what is wanted now, whatever is kept.
    resign(&mut widgets, wanted);
    widgets.extend(foreign);
    merged["widgets"] = Value::Array(widgets);
    let same =
        |change: fn(&Value) -> Value| canonical(&change(current)) == canonical(&change(&merged));
    let is_pending = stored.is_none() || !same(without_marks);
    Comparison {
        is_pending,
        marks_behind: !is_pending && !same(Value::clone),
        has_record: record.is_some(),
        differences: merge.differences,
        merged,
    }
}

/// A body without our annotations.
fn without_marks(body: &Value) -> Value {
    let mut bare = body.clone();
    for widget in bare
        .get_mut("widgets")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        set_marks(widget, &[]);
    }
    bare
}

/// Puts the record of `wanted` into the first text, or into a text of its own where none is left.
fn resign(widgets: &mut [Value], wanted: &Value) {
    let line = wanted
        .get("widgets")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .find_map(|widget| {
            let text = widget.get("properties")?.get("markdown")?.as_str()?;
            text.find(MARKER).map(|at| text[at..].to_owned())
        });
    let Some(line) = line else {
        return;
    };
    if let Some(header) = widgets.iter_mut().find_map(markdown_mut) {
        let length = unsigned(header).len();
        header.truncate(length);
        header.push_str(&format!("\n\n{line}"));
    }
}

struct Merge {
    /// Digests as they were made, by the key's digest.
    made: HashMap<String, String>,
    edits: Edits,
    differences: Vec<Difference>,
}

impl Merge {
    fn say(&mut self, widget: &str, kind: Kind, is_pending: bool, fields: Vec<Field>) {
        self.differences.push(Difference {
            widget: widget.to_owned(),
            kind,
            is_pending,
            fields,
        });
    }

    /// What becomes of a wanted widget.
    fn one(&mut self, key: &str, have: Option<&Value>, want: &Value) -> Option<Value> {
        let made = self.made.get(&short(key.as_bytes())).cloned();
        let discard = self.edits == Edits::Discard;
        let Some(have) = have else {
            let is_deleted = made.is_some();
            let kind = if is_deleted {
                Kind::Deleted
            } else {
                Kind::Missing
            };
            let adds = !is_deleted || discard;
            self.say(key, kind, adds, Vec::new());
            return adds.then(|| want.clone());
        };
        let is = digest(have);
        if is == digest(want) {
            let mut kept = have.clone();
            set_marks(&mut kept, &own_marks(want));
            return Some(kept);
        }
        let fields = fields::differences(&bare(have), &bare(want));
        if made.as_deref() == Some(is.as_str()) {
            self.say(key, Kind::Outdated, true, fields);
            return Some(want.clone());
        }
        self.say(key, Kind::Edited, discard, fields);
        if discard {
            return Some(want.clone());
        }
        let mut kept = have.clone();
        set_marks(&mut kept, &own_marks(want));
        Some(kept)
    }

    /// The stored widgets that are none of the wanted ones, less those that we made and nobody
    /// touched since.
    fn others(&mut self, current: &Value, wanted: &Value) -> Vec<Value> {
        let mut open: Vec<String> = pieces(wanted).into_iter().map(|(key, _)| key).collect();
        let mut kept = Vec::new();
        for widget in current
            .get("widgets")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let key = key(widget);
            if let Some(key) = &key
                && let Some(index) = open.iter().position(|one| one == key)
            {
                // A second widget of the name is a copy that somebody made.
                open.swap_remove(index);
                continue;
            }
            let shown = key
                .clone()
                .unwrap_or_else(|| "a widget without a title".to_owned());
            let made = key.and_then(|key| self.made.get(&short(key.as_bytes())).cloned());
            match made {
                Some(made) if made == digest(widget) => {
                    self.say(&shown, Kind::Obsolete, true, Vec::new());
                }
                _ => {
                    self.say(&shown, Kind::Foreign, false, Vec::new());
                    kept.push(widget.clone());
                }
            }
        }
        kept
    }
}

/// A widget's place: x, y, width, height. CloudWatch's defaults stand for what is not said.
fn place(widget: &Value) -> (u64, u64, u64, u64) {
    let number = |name: &str, default| widget.get(name).and_then(Value::as_u64).unwrap_or(default);
    (
        number("x", 0),
        number("y", 0),
        number("width", 6),
        number("height", 6),
    )
}

/// Moves the foreign widgets down, all alike, when one of them would lie on one of ours.
fn below(mut foreign: Vec<Value>, wanted: &Value) -> Vec<Value> {
    let ours: Vec<_> = wanted
        .get("widgets")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(place)
        .collect();
    let overlaps = |widget: &Value| {
        let (x, y, width, height) = place(widget);
        ours.iter().any(|(left, top, wide, high)| {
            x < left + wide && *left < x + width && y < top + high && *top < y + height
        })
    };
    if foreign.iter().any(overlaps) {
        let bottom = ours
            .iter()
            .map(|(_, y, _, height)| y + height)
            .max()
            .unwrap_or(0);
        let top = foreign
            .iter()
            .map(|widget| place(widget).1)
            .min()
            .unwrap_or(0);
        let down = bottom.saturating_sub(top);
        for widget in &mut foreign {
            // Without a place CloudWatch finds one.
            if widget.get("y").is_some() {
                widget["y"] = (place(widget).1 + down).into();
            }
        }
    }
    foreign
}

#[cfg(test)]
mod tests;
