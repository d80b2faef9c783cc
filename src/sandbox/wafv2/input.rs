//! Reads a call's JSON members and checks them against the API's model (botocore `wafv2`,
//! 2019-07-29): what is required, how long, of which characters. All problems are reported at
//! once, as AWS does; members that the model does not know are ignored.

use serde_json::{Map, Value};

use super::refusal::Refusal;

/// The members of one call.
#[derive(Debug)]
pub(super) struct Input {
    members: Map<String, Value>,
    problems: Vec<String>,
    wrong_type: Option<String>,
}

/// What a text member may be.
#[derive(Debug, Clone, Copy)]
pub(super) enum Text {
    Name,
    Description,
    /// A UUID: ids and lock tokens.
    Id,
    Arn,
    Metric,
    Marker,
    Vendor,
}

impl Text {
    /// Longest, shortest, pattern as the model writes it, whether a text follows it.
    fn rules(self) -> (usize, usize, &'static str, fn(&str) -> bool) {
        match self {
            Self::Name => (128, 1, r"^[\w\-]+$", is_name),
            Self::Vendor => (128, 1, r".*\S.*", is_not_blank),
            Self::Description => (
                256,
                1,
                r"^[\w+=:#@/\-,\.][\w+=:#@/\-,\.\s]+[\w+=:#@/\-,\.]$",
                is_description,
            ),
            Self::Id => (
                36,
                1,
                "^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$",
                is_uuid,
            ),
            Self::Arn => (2048, 20, r".*\S.*", is_not_blank),
            Self::Metric => (255, 1, r"^[\w#:\.\-/]+$", is_metric),
            Self::Marker => (256, 1, r".*\S.*", is_not_blank),
        }
    }
}

impl Input {
    /// Reads a call's body; an empty one has no members.
    pub(super) fn parse(body: &[u8]) -> Result<Self, Refusal> {
        let members = if body.is_empty() {
            Map::new()
        } else {
            serde_json::from_slice(body)
                .map_err(|error| Refusal::new("SerializationException", error.to_string()))?
        };
        Ok(Self {
            members,
            problems: Vec::new(),
            wrong_type: None,
        })
    }

    /// A text that must be there; empty when it is not, which [`Input::finish`] reports.
    pub(super) fn required(&mut self, name: &'static str, text: Text) -> String {
        self.optional(name, text).unwrap_or_else(|| {
            self.missing(name);
            String::new()
        })
    }

    pub(super) fn optional(&mut self, name: &'static str, text: Text) -> Option<String> {
        let value = match self.members.get(name)? {
            Value::Null => return None,
            Value::String(value) => value.clone(),
            _ => {
                self.wrong_type(name, "string");
                return Some(String::new());
            }
        };
        let (longest, shortest, pattern, follows) = text.rules();
        let length = value.chars().count();
        if length > longest {
            self.problem(
                name,
                &value,
                &format!("Member must have length less than or equal to {longest}"),
            );
        } else if length < shortest {
            self.problem(
                name,
                &value,
                &format!("Member must have length greater than or equal to {shortest}"),
            );
        }
        if !follows(&value) {
            self.problem(
                name,
                &value,
                &format!("Member must satisfy regular expression pattern: {pattern}"),
            );
        }
        Some(value)
    }

    /// One of a few words that must be there.
    pub(super) fn word(&mut self, name: &'static str, words: &[&'static str]) -> &'static str {
        let value = match self.members.get(name) {
            Some(Value::String(value)) => value.clone(),
            None | Some(Value::Null) => {
                self.missing(name);
                return "";
            }
            Some(_) => {
                self.wrong_type(name, "string");
                return "";
            }
        };
        let found = words.iter().copied().find(|word| *word == value);
        if found.is_none() {
            let known = words.join(", ");
            self.problem(
                name,
                &value,
                &format!("Member must satisfy enum value set: [{known}]"),
            );
        }
        found.unwrap_or_default()
    }

    /// `CLOUDFRONT` or `REGIONAL`.
    pub(super) fn scope(&mut self) -> &'static str {
        self.word("Scope", &["REGIONAL", "CLOUDFRONT"])
    }

    /// A whole number within bounds.
    pub(super) fn number(&mut self, name: &'static str, least: u64, most: u64) -> Option<u64> {
        let value = match self.members.get(name)? {
            Value::Null => return None,
            value => value.clone(),
        };
        let Some(number) = value.as_i64() else {
            self.wrong_type(name, "integer");
            return None;
        };
        match u64::try_from(number) {
            Ok(number) if number < least => {
                self.below(name, &value, least);
                None
            }
            Ok(number) if number > most => {
                self.problem(
                    name,
                    &value.to_string(),
                    &format!("Member must have value less than or equal to {most}"),
                );
                None
            }
            Ok(number) => Some(number),
            Err(_) => {
                self.below(name, &value, least);
                None
            }
        }
    }

    /// A whole number that must be there; zero when it is not, which [`Input::finish`] reports.
    pub(super) fn required_number(&mut self, name: &'static str, least: u64, most: u64) -> u64 {
        if self.members.get(name).is_none_or(Value::is_null) {
            self.missing(name);
        }
        self.number(name, least, most).unwrap_or_default()
    }

    /// A list of texts that must be there; it may be empty.
    pub(super) fn texts(&mut self, name: &'static str) -> Vec<String> {
        let Some(items) = self.list(name) else {
            return Vec::new();
        };
        let texts: Option<Vec<String>> = items
            .iter()
            .map(|item| item.as_str().map(str::to_owned))
            .collect();
        texts.unwrap_or_else(|| {
            self.wrong_type(name, "list of strings");
            Vec::new()
        })
    }

    /// A list that must be there.
    pub(super) fn list(&mut self, name: &'static str) -> Option<Vec<Value>> {
        match self.members.remove(name) {
            Some(Value::Array(items)) => Some(items),
            None | Some(Value::Null) => {
                self.missing(name);
                None
            }
            Some(_) => {
                self.wrong_type(name, "list");
                None
            }
        }
    }

    /// A structure that must be there.
    pub(super) fn structure(&mut self, name: &'static str) -> Value {
        match self.members.remove(name) {
            Some(value @ Value::Object(_)) => value,
            None | Some(Value::Null) => {
                self.missing(name);
                Value::Null
            }
            Some(_) => {
                self.wrong_type(name, "structure");
                Value::Null
            }
        }
    }

    /// Any value, unchecked.
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.members.remove(name).filter(|value| !value.is_null())
    }

    /// Says that a member that must be there is not.
    fn missing(&mut self, name: &str) {
        let member = member(name);
        self.problems.push(format!(
            "Value null at '{member}' failed to satisfy constraint: Member must not be null"
        ));
    }

    /// Refuses the call when any member was wrong.
    pub(super) fn finish(&mut self) -> Result<(), Refusal> {
        if let Some(wrong) = self.wrong_type.take() {
            return Err(Refusal::new("SerializationException", wrong));
        }
        match self.problems.len() {
            0 => Ok(()),
            count => Err(Refusal::new(
                "ValidationException",
                format!(
                    "{count} validation error{} detected: {}",
                    if count == 1 { "" } else { "s" },
                    self.problems.join("; ")
                ),
            )),
        }
    }

    fn below(&mut self, name: &str, value: &Value, least: u64) {
        self.problem(
            name,
            &value.to_string(),
            &format!("Member must have value greater than or equal to {least}"),
        );
    }

    fn problem(&mut self, name: &str, value: &str, constraint: &str) {
        let member = member(name);
        self.problems.push(format!(
            "Value '{value}' at '{member}' failed to satisfy constraint: {constraint}"
        ));
    }

    fn wrong_type(&mut self, name: &str, expected: &str) {
        self.wrong_type = Some(format!("{name} is not a {expected}"));
    }
}

/// A member's name as validation errors write it.
fn member(name: &str) -> String {
    let mut letters = name.chars();
    letters
        .next()
        .map(|first| first.to_lowercase().chain(letters).collect())
        .unwrap_or_default()
}

fn is_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|letter| is_word(letter) || letter == '-')
}

pub(super) fn is_metric(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|letter| is_word(letter) || "#:.-/".contains(letter))
}

fn is_description(text: &str) -> bool {
    let inner = |letter: char| is_word(letter) || "+=:#@/-,.".contains(letter);
    text.chars().count() >= 3
        && text.starts_with(inner)
        && text.ends_with(inner)
        && text
            .chars()
            .all(|letter| inner(letter) || letter.is_ascii_whitespace())
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        })
}

fn is_not_blank(text: &str) -> bool {
    text.chars().any(|letter| !letter.is_whitespace())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn input(members: &Value) -> Input {
        Input::parse(members.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn reports_every_problem_at_once() {
        let mut input = input(&json!({"Name": "no spaces", "Scope": "cloudfront", "Limit": 0}));
        input.required("Name", Text::Name);
        input.required("LockToken", Text::Id);
        input.scope();
        input.number("Limit", 1, 100);
        let answer = input.finish().unwrap_err().answer("r");
        insta::assert_snapshot!(String::from_utf8(answer.body).unwrap(), @r#"{"__type":"ValidationException","message":"4 validation errors detected: Value 'no spaces' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[\\w\\-]+$; Value null at 'lockToken' failed to satisfy constraint: Member must not be null; Value 'cloudfront' at 'scope' failed to satisfy constraint: Member must satisfy enum value set: [REGIONAL, CLOUDFRONT]; Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1"}"#);
    }

    #[test]
    fn a_description_has_three_characters_or_more_and_no_blank_ends() {
        for (text, right) in [
            ("abc", true),
            ("Who: ops@example.com, why #4", true),
            ("ab", false),
            ("", false),
            (" abc", false),
            ("abc ", false),
            ("what?", false),
        ] {
            let mut input = input(&json!({"Description": text}));
            input.optional("Description", Text::Description);
            assert_eq!(input.finish().is_ok(), right, "{text:?}");
        }
    }

    #[test]
    fn another_type_is_not_read() {
        let mut input = input(&json!({"Addresses": [1]}));
        input.texts("Addresses");
        assert_eq!(input.finish().unwrap_err().code(), "SerializationException");
        assert_eq!(
            Input::parse(b"[1]").unwrap_err().code(),
            "SerializationException"
        );
    }
}
