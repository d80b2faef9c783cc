//! The event's id: the slug that tags and names everything the event owns.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::event::text::shortened;

/// An event's id: lower-case letters, digits and hyphens, at most 31, not starting with a hyphen.
///
/// Short, because it becomes part of names that AWS limits to 64 characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct EventId(String);

/// Why a text cannot be an event's id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not an event id: use 1 to 31 lower-case letters, digits and hyphens, starting with a letter or digit{}",
    suggestion.as_ref().map(|slug| format!("; `{slug}` would do")).unwrap_or_default()
)]
pub(crate) struct EventIdError {
    text: String,
    /// The nearest slug, when the text has anything to make one from.
    pub(crate) suggestion: Option<String>,
}

impl EventId {
    /// Parses a slug `[a-z0-9][a-z0-9-]{0,30}`.
    pub(crate) fn parse(text: &str) -> Result<Self, EventIdError> {
        let is_slug = !text.is_empty()
            && text.len() <= 31
            && !text.starts_with('-')
            && text
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if is_slug {
            return Ok(Self(text.to_owned()));
        }
        Err(EventIdError {
            text: shortened(text, 60),
            suggestion: slug(text),
        })
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Makes the nearest slug of any text, or none if it holds no letter or digit.
fn slug(text: &str) -> Option<String> {
    let mut slug = String::new();
    for character in text.chars() {
        if character.is_ascii_alphanumeric() {
            slug.push(character.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(31);
    let slug = slug.trim_end_matches('-').to_owned();
    (!slug.is_empty()).then_some(slug)
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for EventId {
    type Err = EventIdError;

    fn from_str(text: &str) -> Result<Self, EventIdError> {
        Self::parse(text)
    }
}

impl Serialize for EventId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for EventId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn takes_slugs_and_suggests_one_otherwise() {
        assert_eq!(EventId::parse("cup-final").unwrap().as_str(), "cup-final");
        insta::assert_snapshot!(EventId::parse("Cup Final 2026!").unwrap_err(), @"`Cup Final 2026!` is not an event id: use 1 to 31 lower-case letters, digits and hyphens, starting with a letter or digit; `cup-final-2026` would do");
        for text in ["", "-a", "a_b", "é", &"a".repeat(32), "../x"] {
            assert!(EventId::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_suggestion_is_an_id(text in any::<String>()) {
            if let Err(error) = EventId::parse(&text)
                && let Some(suggestion) = error.suggestion
            {
                prop_assert!(EventId::parse(&suggestion).is_ok(), "{suggestion}");
            }
        }
    }
}
