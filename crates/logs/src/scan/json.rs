//! JSON: version 2's lines, an object each, keys as the fields are named and values as text; and
//! documents that are indented or put into an array.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use serde_core::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use crate::row::{Became, Rows};
use crate::scan::{Scan, Sink};

/// More keys than logs have fields are not kept apart.
const MOST_KEYS: usize = 512;

/// Objects whose keys are a log's fields.
#[derive(Debug, Default)]
pub(super) struct Objects {
    /// The fields seen so far, and what they are read as.
    names: Vec<String>,
    rows: Option<Rows>,
    /// Place of each field's name, as it is spelled.
    places: HashMap<String, usize>,
    /// Slot of each place, where it is needed.
    slots: Vec<Option<usize>>,
    /// The keys of the last object: the next one mostly has the same, in the same order.
    order: Vec<(String, usize)>,
    cells: Vec<Option<(usize, usize)>>,
    /// The wanted values of the object at hand.
    values: Vec<u8>,
    has_new: bool,
}

impl Objects {
    /// Whether their keys are the fields of real-time logs.
    pub(super) fn is_realtime(&self) -> bool {
        self.rows.as_ref().is_some_and(Rows::is_realtime)
    }

    /// One object.
    pub(super) fn read(
        &mut self,
        text: &[u8],
        (object, asked): (&str, &Scan),
        sink: &mut impl Sink,
    ) -> Result<Became, String> {
        let is_alike = self.take_alike(text);
        if !is_alike {
            self.take(text)?;
        }
        if self.has_new {
            self.has_new = false;
            let rows = Rows::new(&self.names, object, asked);
            self.slots = vec![None; self.names.len()];
            for (slot, place) in rows.needed().iter().enumerate() {
                self.slots[*place] = Some(slot);
            }
            self.rows = Some(rows);
            self.take(text)?;
        }
        let Some(rows) = &mut self.rows else {
            return Err("JSON: an object without keys".to_owned());
        };
        if self.places.contains_key("httpRequest") {
            return Err(
                "a record of AWS WAF's logs, which is no request of CloudFront's".to_owned(),
            );
        }
        let cells = &self.cells;
        let values = if is_alike { text } else { &self.values };
        let cell = |slot: usize| cells[slot].map(|(from, to)| &values[from..to]);
        Ok(rows.row(cell, sink))
    }

    /// Notes where the wanted values are in an object that is written as the one before: the same keys
    /// in the same order, texts without escapes, no blanks. Nearly all are, and no parser is needed for
    /// them. Otherwise it is none of these.
    fn take_alike(&mut self, text: &[u8]) -> bool {
        let Some(mut at) = text.starts_with(b"{").then_some(1) else {
            return false;
        };
        // JSON has no bare control characters in texts. The lowest byte is found many at a time.
        let lowest = text.iter().fold(u8::MAX, |lowest, byte| lowest.min(*byte));
        if self.order.is_empty() || lowest < b' ' {
            return false;
        }
        let needed = self.rows.as_ref().map_or(0, |rows| rows.needed().len());
        self.cells.clear();
        self.cells.resize(needed, None);
        let last = self.order.len() - 1;
        for (place_in_order, (key, place)) in self.order.iter().enumerate() {
            let Some(value) = text[at..]
                .strip_prefix(b"\"")
                .and_then(|rest| rest.strip_prefix(key.as_bytes()))
                .and_then(|rest| rest.strip_prefix(b"\":\""))
            else {
                return false;
            };
            let from = text.len() - value.len();
            let Some(length) = memchr::memchr2(b'"', b'\\', value) else {
                return false;
            };
            let to = from + length;
            let after = if place_in_order == last { b'}' } else { b',' };
            if text[to] != b'"' || text.get(to + 1) != Some(&after) {
                return false;
            }
            at = to + 2;
            if let Some(slot) = self.slots.get(*place).copied().flatten() {
                self.cells[slot] = Some((from, to));
            }
        }
        at == text.len()
    }

    /// Takes the wanted values out of an object.
    fn take(&mut self, text: &[u8]) -> Result<(), String> {
        match self.parse(text) {
            Err(error) if error.is_syntax() && std::str::from_utf8(text).is_err() => {
                let text = String::from_utf8_lossy(text);
                self.parse(text.as_bytes())
                    .map_err(|error| unreadable(&error))
            }
            other => other.map_err(|error| unreadable(&error)),
        }
    }

    fn parse(&mut self, text: &[u8]) -> serde_json::Result<()> {
        self.values.clear();
        self.cells.clear();
        let needed = self.rows.as_ref().map_or(0, |rows| rows.needed().len());
        self.cells.resize(needed, None);
        let mut json = serde_json::Deserializer::from_slice(text);
        json.deserialize_map(Members(self))?;
        json.end()
    }

    /// The slot of a key's value, where it is needed.
    fn slot(&mut self, key: &str, place_in_order: usize) -> Option<usize> {
        if let Some((known, place)) = self.order.get(place_in_order)
            && known == key
        {
            return self.slots.get(*place).copied().flatten();
        }
        let place = match self.places.get(key) {
            Some(place) => *place,
            None if self.names.len() >= MOST_KEYS => return None,
            None => {
                self.places.insert(key.to_owned(), self.names.len());
                self.names.push(key.to_owned());
                self.has_new = true;
                self.names.len() - 1
            }
        };
        self.order.truncate(place_in_order);
        if self.order.len() == place_in_order {
            self.order.push((key.to_owned(), place));
        }
        self.slots.get(place).copied().flatten()
    }
}

/// Serde's words without the position, which is in a line that is shown anyway.
fn unreadable(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        serde_json::error::Category::Eof => "it ends too early",
        serde_json::error::Category::Data => "it is no object of fields",
        _ => "it cannot be read",
    };
    format!("JSON: {what}, column {}", error.column())
}

struct Members<'a>(&'a mut Objects);

impl<'de> Visitor<'de> for Members<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object of log fields")
    }

    fn visit_map<Map: MapAccess<'de>>(self, mut map: Map) -> Result<(), Map::Error> {
        let mut place = 0;
        while let Some(slot) = map.next_key_seed(Key(self.0, place))? {
            place += 1;
            match slot {
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
                Some(slot) => {
                    let from = self.0.values.len();
                    let has_value = map.next_value_seed(Text(&mut self.0.values))?;
                    self.0.cells[slot] = has_value.then_some((from, self.0.values.len()));
                }
            }
        }
        self.0.order.truncate(place);
        Ok(())
    }
}

/// A key, looked up where it stands.
struct Key<'a>(&'a mut Objects, usize);

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = Option<usize>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a field's name")
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.0.slot(key, self.1))
    }
}

/// A value as the text that a text log would have, at the end of what is there; whether it has one.
struct Text<'a>(&'a mut Vec<u8>);

impl<'de> DeserializeSeed<'de> for Text<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Text<'_> {
    type Value = bool;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a field's value")
    }

    fn visit_str<E>(self, value: &str) -> Result<bool, E> {
        self.0.extend_from_slice(value.as_bytes());
        Ok(true)
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_bool<E>(self, value: bool) -> Result<bool, E> {
        self.0.extend_from_slice(value.to_string().as_bytes());
        Ok(true)
    }

    fn visit_i64<E>(self, value: i64) -> Result<bool, E> {
        self.0.extend_from_slice(value.to_string().as_bytes());
        Ok(true)
    }

    fn visit_u64<E>(self, value: u64) -> Result<bool, E> {
        self.0.extend_from_slice(value.to_string().as_bytes());
        Ok(true)
    }

    fn visit_f64<E>(self, value: f64) -> Result<bool, E> {
        self.0.extend_from_slice(value.to_string().as_bytes());
        Ok(true)
    }

    /// Headers, as some keep them: a list of names, or of objects with name and value.
    fn visit_seq<Seq: SeqAccess<'de>>(self, mut members: Seq) -> Result<bool, Seq::Error> {
        while let Some(member) = members.next_element::<Value>()? {
            self.0.extend_from_slice(line_of(&member).as_bytes());
            self.0.push(b'\n');
        }
        Ok(true)
    }

    fn visit_map<Map: MapAccess<'de>>(self, mut map: Map) -> Result<bool, Map::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(false)
    }
}

fn line_of(member: &Value) -> Cow<'_, str> {
    let text = |name: &str| {
        let value = member.get(name).or_else(|| member.get(name.to_lowercase()));
        value.and_then(Value::as_str)
    };
    match (member, text("Name"), text("Value")) {
        (Value::String(text), _, _) => Cow::Borrowed(text),
        (_, Some(name), Some(value)) => Cow::Owned(format!("{name}:{value}")),
        _ => Cow::Owned(member.to_string()),
    }
}
