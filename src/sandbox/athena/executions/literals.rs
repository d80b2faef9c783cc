//! Trino's literals, as execution parameters must be: nothing else is taken, no expression above all.

use jiff::civil::{Date, DateTime, Time};
use onair_logs::value::Value;

/// The value of a literal; none for any other text.
pub(super) fn value(text: &str) -> Option<Value> {
    let text = text.trim();
    let lower = text.to_ascii_lowercase();
    match lower.as_str() {
        "null" => return Some(Value::Null),
        "true" => return Some(Value::Boolean(true)),
        "false" => return Some(Value::Boolean(false)),
        _ => {}
    }
    if text.starts_with('\'') {
        return unquoted(text).map(Value::Text);
    }
    let typed = |word: &str| {
        lower
            .starts_with(word)
            .then(|| unquoted(text[word.len()..].trim_start()))
            .flatten()
    };
    if let Some(inner) = typed("timestamp") {
        return timestamp(&inner).map(Value::Timestamp);
    }
    if let Some(inner) = typed("date") {
        return inner.parse::<Date>().ok().map(Value::Date);
    }
    let is_number = text.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first))
        && text
            .chars()
            .all(|one| one.is_ascii_digit() || "+-.eE".contains(one));
    if !is_number {
        return None;
    }
    if let Ok(integer) = text.parse() {
        return Some(Value::Integer(integer));
    }
    text.parse().ok().map(Value::Double)
}

/// A text in single quotes, which are doubled inside.
fn unquoted(text: &str) -> Option<String> {
    let inner = text.strip_prefix('\'')?.strip_suffix('\'')?;
    let halves = inner.replace("''", "");
    (!halves.contains('\'')).then(|| inner.replace("''", "'"))
}

/// `2026-06-14 17:00:00`, with or without a fraction, a time at all, or ` UTC`.
fn timestamp(text: &str) -> Option<DateTime> {
    let text = text.trim_end_matches(" UTC");
    match text.parse::<Date>() {
        Ok(date) if !text.contains([' ', ':']) => Some(date.to_datetime(Time::midnight())),
        _ => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_read_and_nothing_else() {
        let at: DateTime = "2026-06-14T17:00:00".parse().unwrap();
        for (text, expected) in [
            ("'it''s'", Some(Value::Text("it's".to_owned()))),
            ("''", Some(Value::Text(String::new()))),
            ("12", Some(Value::Integer(12))),
            ("-7", Some(Value::Integer(-7))),
            ("1e2", Some(Value::Double(100.0))),
            ("TRUE", Some(Value::Boolean(true))),
            (
                "TIMESTAMP '2026-06-14 17:00:00'",
                Some(Value::Timestamp(at)),
            ),
            (
                "timestamp '2026-06-14 17:00:00 UTC'",
                Some(Value::Timestamp(at)),
            ),
            ("NULL", Some(Value::Null)),
            ("'a' OR 'b'", None),
            ("'a", None),
            ("current_timestamp", None),
            ("1; DROP TABLE x", None),
            ("(SELECT 1)", None),
            ("nan", None),
        ] {
            assert_eq!(value(text), expected, "{text}");
        }
    }
}
