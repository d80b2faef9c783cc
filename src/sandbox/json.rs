//! What the services of the JSON 1.1 protocol have in common: reading the members of a call,
//! refusing, answering, and lists that come in pages.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::service::{Answer, Call};

/// How one service words its refusals.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dialect {
    /// The code for members that are missing or malformed.
    pub(super) invalid: &'static str,
    /// The member that holds the message, or a structure's, as `structure/member`.
    pub(super) message: &'static str,
}

/// Why a call is refused. Services of this protocol answer 400 for whatever the caller did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    code: &'static str,
    text: String,
    message: &'static str,
}

impl Dialect {
    pub(super) fn refuse(self, code: &'static str, text: impl Into<String>) -> Refusal {
        Refusal {
            code,
            text: text.into(),
            message: self.message,
        }
    }

    pub(super) fn invalid(self, text: impl Into<String>) -> Refusal {
        self.refuse(self.invalid, text)
    }
}

impl Refusal {
    pub(super) fn answer(&self, call: &Call<'_>) -> Answer {
        let mut body = Map::new();
        body.insert("__type".to_owned(), self.code.into());
        let text = self.text.as_str();
        match self.message.split_once('/') {
            Some((structure, member)) => {
                body.insert(structure.to_owned(), json!({ member: text }));
            }
            None => {
                body.insert(self.message.to_owned(), text.into());
            }
        }
        answer(400, call, &Value::Object(body), false)
    }
}

/// What an operation comes to.
pub(super) type Reply = Result<Answer, Refusal>;

/// The answer of an operation that found something.
#[expect(
    clippy::unnecessary_wraps,
    reason = "an arm of operations that may refuse"
)]
pub(super) fn found(call: &Call<'_>, body: &Value) -> Reply {
    Ok(answer(200, call, body, false))
}

/// The answer of an operation that changed something.
#[expect(
    clippy::unnecessary_wraps,
    reason = "an arm of operations that may refuse"
)]
pub(super) fn changed(call: &Call<'_>, body: &Value) -> Reply {
    Ok(answer(200, call, body, true))
}

/// The answer of an operation that changed something and has no output.
#[expect(
    clippy::unnecessary_wraps,
    reason = "an arm of operations that may refuse"
)]
pub(super) fn done(call: &Call<'_>) -> Reply {
    let mut answer = answer(200, call, &Value::Null, true);
    answer.body.clear();
    Ok(answer)
}

fn answer(status: u16, call: &Call<'_>, body: &Value, changed: bool) -> Answer {
    Answer {
        status,
        headers: vec![
            ("x-amzn-requestid", call.request_id.to_owned()),
            ("content-type", "application/x-amz-json-1.1".to_owned()),
        ],
        body: body.to_string().into_bytes(),
        changed,
    }
}

/// The operation of `known` that the target header names after `prefix` and a dot.
pub(super) fn operation(
    call: &Call<'_>,
    prefix: &str,
    known: &[&'static str],
) -> Option<&'static str> {
    let target = call.headers.get("x-amz-target")?.to_str().ok()?;
    let name = target.strip_prefix(prefix)?.strip_prefix('.')?;
    known.iter().copied().find(|known| *known == name)
}

/// A time as these services write it: seconds with milliseconds.
pub(super) fn time(at: Timestamp) -> Value {
    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds of this century fit a double exactly"
    )]
    let seconds = at.as_millisecond() as f64 / 1000.0;
    json!(seconds)
}

/// The members of a call, or of a structure within one.
#[derive(Debug, Clone)]
pub(super) struct Members {
    members: Map<String, Value>,
    dialect: Dialect,
}

impl Members {
    /// Reads a call's body; an empty one has no members.
    pub(super) fn parse(body: &[u8], dialect: Dialect) -> Result<Self, Refusal> {
        let members = if body.is_empty() {
            Map::new()
        } else {
            serde_json::from_slice(body)
                .map_err(|error| dialect.refuse("SerializationException", error.to_string()))?
        };
        Ok(Self { members, dialect })
    }

    /// The member as sent; none for a JSON null as well.
    pub(super) fn raw(&self, name: &str) -> Option<&Value> {
        self.members.get(name).filter(|value| !value.is_null())
    }

    /// A text that must be there, of a length within `length`.
    pub(super) fn text(
        &self,
        name: &str,
        length: std::ops::RangeInclusive<usize>,
    ) -> Result<String, Refusal> {
        self.optional_text(name, length)?
            .ok_or_else(|| self.missing(name))
    }

    /// A text, of a length within `length` where it is there.
    pub(super) fn optional_text(
        &self,
        name: &str,
        length: std::ops::RangeInclusive<usize>,
    ) -> Result<Option<String>, Refusal> {
        let Some(value) = self.raw(name) else {
            return Ok(None);
        };
        let text = value
            .as_str()
            .ok_or_else(|| self.wrong_type(name, "a string"))?;
        let characters = text.chars().count();
        if length.contains(&characters) {
            Ok(Some(text.to_owned()))
        } else {
            let (bound, limit) = if characters < *length.start() {
                ("greater", length.start())
            } else {
                ("less", length.end())
            };
            Err(self.constraint(
                name,
                text,
                &format!("Member must have length {bound} than or equal to {limit}"),
            ))
        }
    }

    /// A text whose characters `fits` accepts.
    pub(super) fn name(
        &self,
        name: &str,
        length: std::ops::RangeInclusive<usize>,
        pattern: &str,
        fits: impl Fn(char) -> bool,
    ) -> Result<String, Refusal> {
        let text = self.text(name, length)?;
        if text.chars().all(fits) {
            Ok(text)
        } else {
            Err(self.constraint(
                name,
                &text,
                &format!("Member must satisfy regular expression pattern: {pattern}"),
            ))
        }
    }

    /// One of a few words, where it is there.
    pub(super) fn word(
        &self,
        name: &str,
        words: &[&'static str],
    ) -> Result<Option<&'static str>, Refusal> {
        let Some(text) = self.optional_text(name, 0..=usize::MAX)? else {
            return Ok(None);
        };
        let found = words.iter().copied().find(|word| *word == text);
        found.map(Some).ok_or_else(|| {
            let words = words.join(", ");
            self.constraint(
                name,
                &text,
                &format!("Member must satisfy enum value set: [{words}]"),
            )
        })
    }

    /// A whole number within `range`, where it is there.
    pub(super) fn number(
        &self,
        name: &str,
        range: std::ops::RangeInclusive<i64>,
    ) -> Result<Option<i64>, Refusal> {
        let Some(value) = self.raw(name) else {
            return Ok(None);
        };
        let number = value
            .as_i64()
            .ok_or_else(|| self.wrong_type(name, "a whole number"))?;
        if range.contains(&number) {
            Ok(Some(number))
        } else {
            let (bound, limit) = if number < *range.start() {
                ("greater", range.start())
            } else {
                ("less", range.end())
            };
            Err(self.constraint(
                name,
                &number.to_string(),
                &format!("Member must have value {bound} than or equal to {limit}"),
            ))
        }
    }

    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, Refusal> {
        self.raw(name)
            .map(|value| {
                value
                    .as_bool()
                    .ok_or_else(|| self.wrong_type(name, "a boolean"))
            })
            .transpose()
    }

    pub(super) fn texts(&self, name: &str) -> Result<Option<Vec<String>>, Refusal> {
        let Some(value) = self.raw(name) else {
            return Ok(None);
        };
        let wrong = || self.wrong_type(name, "a list of strings");
        let items = value.as_array().ok_or_else(wrong)?.iter();
        items
            .map(|item| item.as_str().map(str::to_owned).ok_or_else(wrong))
            .collect::<Result<_, _>>()
            .map(Some)
    }

    /// A structure, where it is there.
    pub(super) fn structure(&self, name: &str) -> Result<Option<Self>, Refusal> {
        let Some(value) = self.raw(name) else {
            return Ok(None);
        };
        let members = value
            .as_object()
            .ok_or_else(|| self.wrong_type(name, "a structure"))?;
        Ok(Some(Self {
            members: members.clone(),
            dialect: self.dialect,
        }))
    }

    /// A map of texts, where it is there.
    pub(super) fn map(&self, name: &str) -> Result<Option<BTreeMap<String, String>>, Refusal> {
        let Some(inner) = self.structure(name)? else {
            return Ok(None);
        };
        let entries = inner.members.iter();
        entries
            .map(|(key, value)| {
                let value = value
                    .as_str()
                    .ok_or_else(|| self.wrong_type(name, "a map of strings"))?;
                Ok((key.clone(), value.to_owned()))
            })
            .collect::<Result<_, _>>()
            .map(Some)
    }

    /// Tags as a map, held to the limits that all services have.
    pub(super) fn tags(&self, name: &str) -> Result<Option<BTreeMap<String, String>>, Refusal> {
        let tags = self.map(name)?;
        for (key, value) in tags.iter().flatten() {
            check_tag(key, value, self.dialect)?;
        }
        Ok(tags)
    }

    /// Says which of the members that only some operations know are there.
    pub(super) fn missing(&self, name: &str) -> Refusal {
        self.dialect.invalid(format!(
            "1 validation error detected: Value null at '{name}' failed to satisfy constraint: \
             Member must not be null"
        ))
    }

    fn constraint(&self, name: &str, value: &str, constraint: &str) -> Refusal {
        self.dialect.invalid(format!(
            "1 validation error detected: Value '{value}' at '{name}' failed to satisfy \
             constraint: {constraint}"
        ))
    }

    fn wrong_type(&self, name: &str, wanted: &str) -> Refusal {
        self.dialect
            .refuse("SerializationException", format!("{name} is not {wanted}"))
    }
}

/// Most tags of one resource, in all these services.
pub(super) const MOST_TAGS: usize = 50;

/// Holds a tag to what every service asks of one.
pub(super) fn check_tag(key: &str, value: &str, dialect: Dialect) -> Result<(), Refusal> {
    let fits = (1..=128).contains(&key.chars().count())
        && value.chars().count() <= 256
        && !key.starts_with("aws:")
        && key
            .chars()
            .chain(value.chars())
            .all(|character| character.is_alphanumeric() || " _.:/=+-@".contains(character));
    if fits {
        Ok(())
    } else {
        Err(dialect.invalid(format!("The tag '{key}' is not valid.")))
    }
}

/// One page of `items`, which are sorted by their keys, and the token of the next one.
pub(super) fn page(
    items: impl Iterator<Item = (String, Value)>,
    token: Option<&str>,
    limit: usize,
    dialect: Dialect,
) -> Result<(Vec<Value>, Option<String>), Refusal> {
    let after = token
        .map(|token| {
            hex::decode(token)
                .ok()
                .and_then(|bytes| String::from_utf8(bytes).ok())
                .ok_or_else(|| dialect.invalid("The token is not valid."))
        })
        .transpose()?;
    let mut items = items
        .filter(|(key, _)| after.as_deref().is_none_or(|after| key.as_str() > after))
        .peekable();
    let mut page = Vec::new();
    let mut last = String::new();
    while page.len() < limit
        && let Some((key, item)) = items.next()
    {
        last = key;
        page.push(item);
    }
    let next = items.peek().is_some().then(|| hex::encode(last));
    Ok((page, next))
}

/// What a service holds in each region.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Regional<T>(pub(super) BTreeMap<String, T>);

impl<T> Default for Regional<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T: Default> Regional<T> {
    /// The region that a call is for.
    pub(super) fn of(&mut self, call: &Call<'_>) -> &mut T {
        self.region(call.region.unwrap_or("us-east-1"))
    }

    pub(super) fn region(&mut self, region: &str) -> &mut T {
        self.0.entry(region.to_owned()).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIALECT: Dialect = Dialect {
        invalid: "ValidationException",
        message: "message",
    };

    fn members(value: &Value) -> Members {
        Members::parse(value.to_string().as_bytes(), DIALECT).unwrap()
    }

    #[test]
    fn members_are_held_to_their_constraints() {
        let members = members(&json!({"name": "a b", "count": 7, "null": null, "list": ["x", 1]}));
        let letters = |text: &str| {
            members
                .name(text, 1..=3, "[a-z]+", |c| c.is_ascii_lowercase())
                .map_err(|refusal| refusal.text)
        };
        assert!(letters("name").unwrap_err().contains("regular expression"));
        assert!(letters("null").unwrap_err().contains("must not be null"));
        assert!(letters("count").unwrap_err().contains("not a string"));
        assert_eq!(members.number("count", 1..=7), Ok(Some(7)));
        assert!(members.number("count", 8..=9).is_err());
        assert!(members.number("count", 1..=6).is_err());
        assert!(members.text("name", 4..=9).is_err());
        assert!(members.texts("list").is_err());
        assert!(members.structure("none").unwrap().is_none());
    }

    #[test]
    fn pages_join_to_the_whole_list() {
        let items = || (0..7).map(|number| (format!("k{number}"), json!(number)));
        let mut seen = Vec::new();
        let mut token = None;
        loop {
            let (page, next) = page(items(), token.as_deref(), 3, DIALECT).unwrap();
            seen.extend(page);
            token = next;
            if token.is_none() {
                break;
            }
        }
        assert_eq!(seen, (0..7).map(|number| json!(number)).collect::<Vec<_>>());
        assert!(page(items(), Some("zz"), 3, DIALECT).is_err());
    }
}
