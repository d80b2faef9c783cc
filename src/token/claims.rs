//! What a token says: names and typed values in the token's own order, the same for JWT and CAT.

use std::fmt;

use jiff::Timestamp;

use super::error::{Part, TokenError};
use crate::event::text;

/// One value of a claim or header field. Text is as the token has it: renderers escape it
/// (`event::text`), or use [`ClaimValue::readable`].
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ClaimValue {
    Null,
    Bool(bool),
    Integer(i128),
    Float(f64),
    Text(String),
    Bytes(Vec<u8>),
    List(Vec<ClaimValue>),
    /// Keys that CBOR has as integers are their names where known, else decimal.
    Map(Vec<(String, ClaimValue)>),
}

/// The largest integer that JavaScript, and so the edge function, holds exactly: 2^53 - 1.
const LARGEST_SAFE_INTEGER: i128 = (1 << 53) - 1;

impl ClaimValue {
    /// The one text that stands for this value in a revocation key, or `None` where the edge function
    /// could not make the same text: text is itself, an integer within ±(2^53 - 1) is decimal (a JSON
    /// number such as `1.0` is an integer, as in JavaScript), a byte string is lower-case hex.
    pub(crate) fn text_form(&self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.clone()),
            Self::Integer(number) => is_safe(*number).then(|| number.to_string()),
            Self::Float(number) => whole(*number)
                .filter(|n| is_safe(*n))
                .map(|n| n.to_string()),
            Self::Bytes(bytes) => Some(hex::encode(bytes)),
            Self::Null | Self::Bool(_) | Self::List(_) | Self::Map(_) => None,
        }
    }

    /// One line for people: printable, values that look like tokens shortened.
    pub(crate) fn readable(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Bool(value) => value.to_string(),
            Self::Integer(value) => value.to_string(),
            Self::Float(value) => value.to_string(),
            Self::Text(value) => text::printable(&without_token(value)).into_owned(),
            Self::Bytes(value) => hex::encode(value),
            Self::List(values) => {
                let shown: Vec<_> = values.iter().map(Self::readable).collect();
                format!("[{}]", shown.join(", "))
            }
            Self::Map(entries) => {
                let shown: Vec<_> = entries
                    .iter()
                    .map(|(key, value)| format!("{}: {}", text::printable(key), value.readable()))
                    .collect();
                format!("{{{}}}", shown.join(", "))
            }
        }
    }

    /// For `-o json`: byte strings as hex, integers that JSON readers would round as text, values that
    /// look like tokens shortened.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        use serde_json::Value;
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(*value),
            Self::Integer(value) => match i64::try_from(*value) {
                Ok(small) if is_safe(*value) => Value::from(small),
                _ => Value::from(value.to_string()),
            },
            Self::Float(value) => Value::from(*value),
            Self::Text(value) => Value::from(without_token(value)),
            Self::Bytes(value) => Value::from(hex::encode(value)),
            Self::List(values) => values.iter().map(Self::to_json).collect(),
            Self::Map(entries) => entries
                .iter()
                .map(|(key, value)| (key.clone(), value.to_json()))
                .collect(),
        }
    }

    /// Seconds since 1970, rounded up, so that a lifetime is never shown shorter than it is.
    fn time(&self, claim: &str) -> Result<Timestamp, TokenError> {
        let seconds = match self {
            Self::Integer(number) => i64::try_from(*number).ok(),
            Self::Float(number) => whole(number.ceil()).and_then(|n| i64::try_from(n).ok()),
            _ => {
                return Err(TokenError::NotANumber {
                    claim: claim.to_owned(),
                });
            }
        };
        seconds
            .and_then(|seconds| Timestamp::from_second(seconds).ok())
            .ok_or_else(|| TokenError::TimeOutOfRange {
                claim: claim.to_owned(),
            })
    }
}

impl From<&str> for ClaimValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

fn is_safe(number: i128) -> bool {
    (-LARGEST_SAFE_INTEGER..=LARGEST_SAFE_INTEGER).contains(&number)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the range is checked before the cast"
)]
fn whole(number: f64) -> Option<i128> {
    (number.fract() == 0.0 && number.abs() < 1e18).then_some(number as i128)
}

/// Some issuers put a token into a token. What is shown of it can't be used.
fn without_token(value: &str) -> String {
    let compact = value.starts_with("eyJ") && value.matches('.').count() >= 2;
    let cose = ["2D3Q", "2D3R", "2D3S", "0YR", "0oR"]
        .iter()
        .any(|start| value.starts_with(start));
    let long_code = value.len() > 96
        && value
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.+/=".contains(&byte));
    if compact || (cose && value.len() > 48) || long_code {
        let start: String = value.chars().take(8).collect();
        format!("{start}… ({} bytes, looks like a token)", value.len())
    } else {
        value.to_owned()
    }
}

/// A claim: its name, and for a CAT the number that stands for it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Claim {
    pub(crate) name: String,
    pub(crate) label: Option<i64>,
    pub(crate) value: ClaimValue,
}

/// All claims of a token, in its order, each name once.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Claims(Vec<Claim>);

/// The token does not have the claim that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the token has no claim `{asked}` (it has: {})", if have.is_empty() { "none".to_owned() } else { have.join(", ") })]
pub(crate) struct NoSuchClaim {
    pub(crate) asked: String,
    /// Printable names, in the token's order.
    pub(crate) have: Vec<String>,
}

impl Claims {
    /// Refuses a claim that is there twice: readers differ in which one they take.
    pub(super) fn new(claims: Vec<Claim>) -> Result<Self, TokenError> {
        refuse_duplicates(
            Part::Payload,
            claims.iter().map(|claim| claim.name.as_str()),
        )?;
        Ok(Self(claims))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Claim> {
        self.0.iter()
    }

    /// By name or, for a CAT, by number (`7` is `cti`).
    pub(crate) fn get(&self, asked: &str) -> Result<&ClaimValue, NoSuchClaim> {
        let number = asked.parse::<i64>().ok();
        self.0
            .iter()
            .find(|claim| claim.name == asked)
            .or_else(|| {
                self.0
                    .iter()
                    .find(|claim| number.is_some() && claim.label == number)
            })
            .map(|claim| &claim.value)
            .ok_or_else(|| NoSuchClaim {
                asked: text::shortened(asked, 80),
                have: self
                    .0
                    .iter()
                    .map(|claim| text::shortened(&claim.name, 80))
                    .collect(),
            })
    }

    /// The time in `name`, `None` when the claim is absent.
    pub(super) fn time(&self, name: &str) -> Result<Option<Timestamp>, TokenError> {
        self.get(name)
            .ok()
            .map(|value| value.time(name))
            .transpose()
    }
}

pub(super) fn refuse_duplicates<'a>(
    part: Part,
    names: impl Iterator<Item = &'a str>,
) -> Result<(), TokenError> {
    let mut seen = std::collections::HashSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(TokenError::Duplicate {
                part,
                name: text::shortened(name, 80),
            });
        }
    }
    Ok(())
}

/// JSON objects keep their order and their duplicates here; [`Claims::new`] refuses the latter.
impl<'de> serde::Deserialize<'de> for ClaimValue {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = ClaimValue;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON value")
            }
            fn visit_unit<E>(self) -> Result<ClaimValue, E> {
                Ok(ClaimValue::Null)
            }
            fn visit_bool<E>(self, value: bool) -> Result<ClaimValue, E> {
                Ok(ClaimValue::Bool(value))
            }
            fn visit_i64<E>(self, value: i64) -> Result<ClaimValue, E> {
                Ok(ClaimValue::Integer(value.into()))
            }
            fn visit_u64<E>(self, value: u64) -> Result<ClaimValue, E> {
                Ok(ClaimValue::Integer(value.into()))
            }
            fn visit_f64<E>(self, value: f64) -> Result<ClaimValue, E> {
                Ok(ClaimValue::Float(value))
            }
            fn visit_str<E>(self, value: &str) -> Result<ClaimValue, E> {
                Ok(ClaimValue::Text(value.to_owned()))
            }
            fn visit_seq<A: serde::de::SeqAccess<'de>>(
                self,
                mut items: A,
            ) -> Result<ClaimValue, A::Error> {
                let mut list = Vec::new();
                while let Some(item) = items.next_element()? {
                    list.push(item);
                }
                Ok(ClaimValue::List(list))
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut entries: A,
            ) -> Result<ClaimValue, A::Error> {
                let mut map = Vec::new();
                while let Some(entry) = entries.next_entry()? {
                    map.push(entry);
                }
                Ok(ClaimValue::Map(map))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(value: &str) -> Option<String> {
        serde_json::from_str::<ClaimValue>(value)
            .unwrap()
            .text_form()
    }

    #[test]
    fn integers_have_the_text_that_javascript_gives_them() {
        assert_eq!(number("8841").as_deref(), Some("8841"));
        assert_eq!(number("1.0").as_deref(), Some("1"));
        assert_eq!(number("-0.0").as_deref(), Some("0"));
        assert_eq!(
            number("9007199254740991").as_deref(),
            Some("9007199254740991")
        );
        assert_eq!(number("9007199254740992"), None);
        assert_eq!(number("1.5"), None);
        assert_eq!(number("true"), None);
    }

    #[test]
    fn a_token_inside_a_claim_is_not_shown() {
        let inner = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJlLW9mLWl0";
        let value = ClaimValue::from(inner);
        assert_eq!(value.readable(), "eyJhbGci… (57 bytes, looks like a token)");
        assert!(!value.to_json().to_string().contains("c2lnbmF0"));
        assert_eq!(ClaimValue::from("user-8841").readable(), "user-8841");
    }

    #[test]
    fn missing_claims_are_answered_with_those_there() {
        let claims = Claims::new(vec![Claim {
            name: "cti".into(),
            label: Some(7),
            value: ClaimValue::Bytes(vec![1, 2]),
        }])
        .unwrap();
        assert_eq!(claims.get("7"), Ok(&ClaimValue::Bytes(vec![1, 2])));
        assert_eq!(
            claims.get("sub").unwrap_err().to_string(),
            "the token has no claim `sub` (it has: cti)"
        );
    }
}
