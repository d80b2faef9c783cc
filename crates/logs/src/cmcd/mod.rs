//! Common Media Client Data: what a player says of itself with each request, CTA-5004 and CTA-5004-B.
//!
//! [`Cmcd`] is the whole of it, from whichever way it came: a query argument, four headers, JSON.
//! Reading logs goes past it: [`Seeker`] finds one key where it stands, and rows read several keys in
//! one pass. Of a key that is there twice, the first counts.

pub(crate) mod list;
mod logged;
#[cfg(test)]
mod tests;

pub(crate) use logged::of_headers;
pub use logged::{Seeker, Sought, argument};
use logged::{is_header, of_query};

use self::list::Reduced;
use crate::number;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Data {
    /// A key alone is true.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// Any other number.
    Decimal(f64),
    /// What stood in quotes.
    Text(String),
    /// What did not: a token such as `v`, or a text whose quotes are missing.
    Token(String),
    /// An inner list (version 2): members, and the tokens that identify them (`5000;v`).
    List(Vec<(Data, Option<String>)>),
}

impl Data {
    fn of_member(member: &[u8]) -> Self {
        let plain = || String::from_utf8_lossy(&list::unescaped(member)).into_owned();
        match member {
            [b'"', ..] => Self::Text(plain()),
            b"?1" => Self::Boolean(true),
            b"?0" => Self::Boolean(false),
            _ => match (number::integer(member), number::double(member)) {
                (Some(integer), _) => Self::Integer(integer),
                (None, Some(decimal)) => Self::Decimal(decimal),
                (None, None) => Self::Token(plain()),
            },
        }
    }

    fn of_value(value: Option<&[u8]>) -> Self {
        let Some(value) = value else {
            return Self::Boolean(true);
        };
        if !value.starts_with(b"(") {
            return Self::of_member(value);
        }
        let member = |member| {
            let (value, parameters) = list::parameters(member);
            let identifier =
                (!parameters.is_empty()).then(|| String::from_utf8_lossy(parameters).into_owned());
            (Self::of_member(value), identifier)
        };
        Self::List(list::members(value).map(member).collect())
    }

    fn of_json(value: serde_json::Value) -> Option<Self> {
        use serde_json::Value;
        Some(match value {
            Value::Null | Value::Object(_) => return None,
            Value::Bool(boolean) => Self::Boolean(boolean),
            Value::Number(number) => match number.as_i64() {
                Some(integer) => Self::Integer(integer),
                None => Self::Decimal(number.as_f64()?),
            },
            Value::String(text) => Self::Text(text),
            Value::Array(members) => Self::List(
                members
                    .into_iter()
                    .filter_map(|member| Some((Self::of_json(member)?, None)))
                    .collect(),
            ),
        })
    }

    /// As it would be written in a list.
    fn written(&self) -> Option<String> {
        let quoted = |text: &str| {
            let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
            format!("\"{escaped}\"")
        };
        Some(match self {
            Self::Boolean(true) => return None,
            Self::Boolean(false) => "?0".to_owned(),
            Self::Integer(integer) => integer.to_string(),
            Self::Decimal(decimal) => decimal.to_string(),
            Self::Text(text) => quoted(text),
            Self::Token(token) => token.clone(),
            Self::List(members) => {
                let member = |(data, identifier): &(Self, Option<String>)| {
                    let written = data.written().unwrap_or_else(|| "?1".to_owned());
                    match identifier {
                        Some(identifier) => format!("{written};{identifier}"),
                        None => written,
                    }
                };
                let members: Vec<String> = members.iter().map(member).collect();
                format!("({})", members.join(" "))
            }
        })
    }
}

/// Keys and values, in the order that they came in.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cmcd {
    items: Vec<(String, Data)>,
}

impl Cmcd {
    /// Of a list that is decoded, such as `bl=5000,br=200,bs,sid="a"`. What cannot be made out is kept
    /// as a token, so that nothing is lost.
    pub fn parse(text: &str) -> Self {
        Self::of_list(text.as_bytes())
    }

    /// Of a query string, logged or not: its argument `CMCD`, encoded up to twice. None: it has none.
    pub fn of_query(query: &str) -> Option<Self> {
        let mut decoded = Vec::new();
        of_query(query.as_bytes(), &mut Vec::new(), &mut decoded).then(|| {
            let as_json = decoded
                .starts_with(b"{")
                .then(|| Self::of_json(&String::from_utf8_lossy(&decoded)));
            as_json.flatten().unwrap_or_else(|| Self::of_list(&decoded))
        })
    }

    /// Of a request's headers, names in any case. None: none of the four is there.
    pub fn of_headers<'a>(headers: impl IntoIterator<Item = (&'a str, &'a str)>) -> Option<Self> {
        let lists: Vec<&str> = headers
            .into_iter()
            .filter(|(name, _)| is_header(name.as_bytes()))
            .map(|(_, list)| list)
            .collect();
        (!lists.is_empty()).then(|| Self::parse(&lists.join(",")))
    }

    /// Of the field `cs-headers` of real-time logs. None: none of the four headers is in it.
    pub fn of_logged_headers(field: &str) -> Option<Self> {
        let mut decoded = Vec::new();
        of_headers(field.as_bytes(), &mut Vec::new(), &mut decoded).then(|| Self::of_list(&decoded))
    }

    /// Of the JSON form. None: it is no JSON object.
    pub fn of_json(text: &str) -> Option<Self> {
        let serde_json::Value::Object(members) = serde_json::from_str(text).ok()? else {
            return None;
        };
        let items = members
            .into_iter()
            .filter_map(|(key, value)| Some((key, Data::of_json(value)?)))
            .collect();
        Some(Self { items })
    }

    fn of_list(text: &[u8]) -> Self {
        let items = list::items(text)
            .map(|item| {
                let key = String::from_utf8_lossy(item.key).into_owned();
                (key, Data::of_value(item.value))
            })
            .collect();
        Self { items }
    }

    /// All of them; keys with a hyphen are somebody's own.
    pub fn items(&self) -> &[(String, Data)] {
        &self.items
    }

    /// A value.
    pub fn get(&self, key: &str) -> Option<&Data> {
        let item = self.items.iter().find(|(name, _)| name == key);
        item.map(|(_, data)| data)
    }

    /// A whole number; of a list the video's, else the highest.
    pub fn integer(&self, key: &str) -> Option<i64> {
        list::integer(self.get(key)?.written()?.as_bytes(), Reduced::Video)
    }

    /// A number; of a list the video's, else the highest.
    pub fn decimal(&self, key: &str) -> Option<f64> {
        list::double(self.get(key)?.written()?.as_bytes(), Reduced::Video)
    }

    /// A text or a token; of a list all, with commas between.
    pub fn text(&self, key: &str) -> Option<String> {
        let written = self.get(key)?.written()?;
        Some(String::from_utf8_lossy(&list::text(written.as_bytes())).into_owned())
    }

    /// True or false. False is written by leaving the key out, so that a key that is not there is
    /// false.
    pub fn boolean(&self, key: &str) -> bool {
        self.get(key)
            .is_some_and(|data| *data == Data::Boolean(true))
    }

    /// The version; 1 is written by leaving it out.
    pub fn version(&self) -> i64 {
        self.integer("v").unwrap_or(1)
    }

    /// As a list, keys in their order, not encoded.
    pub fn to_list(&self) -> String {
        let item = |(key, data): &(String, Data)| match data.written() {
            Some(value) => format!("{key}={value}"),
            None => key.clone(),
        };
        self.items.iter().map(item).collect::<Vec<_>>().join(",")
    }
}
