//! SQL as text, in Trino's dialect: cut into tokens, `:name` bound as `?`, the table `requests` put in
//! front, and values as literals.
//!
//! Nothing is ever pasted: a value becomes a bound parameter, or the one literal token that
//! [`literal`] makes of it.

use std::ops::Range;

use jiff::civil::DateTime;
use onair_logs::value::Value;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Space,
    Comment,
    /// A keyword or an identifier without quotes.
    Word,
    /// An identifier in double quotes.
    Quoted,
    /// A text in single quotes.
    Text,
    Number,
    /// `:name`.
    Parameter,
    /// Any other character.
    Symbol,
}

/// A token: what it is, and where in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) span: Range<usize>,
}

/// Why a text cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TextError {
    #[error("line {line}: {what} that begins here does not end")]
    Unterminated { line: usize, what: &'static str },
    #[error("`:{0}` is not a parameter of this query")]
    UnknownParameter(String),
    #[error("line {line}: `?` has no name; write parameters as :name")]
    Nameless { line: usize },
    #[error("line {line}: only one statement can be run")]
    SeveralStatements { line: usize },
    #[error("only a SELECT (or WITH, or VALUES) can be run, not `{0}`")]
    NoQuery(String),
    #[error("there is no statement")]
    Empty,
}

/// Cuts a text into tokens. Together they are the whole text.
pub(crate) fn tokens(text: &str) -> Result<Vec<Token>, TextError> {
    let mut tokens = Vec::new();
    let mut start = 0;
    while let Some(first) = text[start..].chars().next() {
        let (kind, length) = token(text, start, first)?;
        tokens.push(Token {
            kind,
            span: start..start + length,
        });
        start += length;
    }
    Ok(tokens)
}

fn token(text: &str, start: usize, first: char) -> Result<(Kind, usize), TextError> {
    let rest = &text[start..];
    let run = |belongs: fn(char) -> bool| {
        rest.find(|character: char| !belongs(character))
            .unwrap_or(rest.len())
    };
    let unterminated = |what| TextError::Unterminated {
        line: line_of(text, start),
        what,
    };
    let found = match first {
        _ if first.is_whitespace() => (Kind::Space, run(char::is_whitespace)),
        '-' if rest.starts_with("--") => (
            Kind::Comment,
            rest.find('\n').map_or(rest.len(), |end| end + 1),
        ),
        '/' if rest.starts_with("/*") => {
            let end = rest[2..]
                .find("*/")
                .ok_or_else(|| unterminated("a comment"))?;
            (Kind::Comment, end + 4)
        }
        '\'' => (
            Kind::Text,
            quoted(rest, '\'').ok_or_else(|| unterminated("a text"))?,
        ),
        '"' => (
            Kind::Quoted,
            quoted(rest, '"').ok_or_else(|| unterminated("a name in quotes"))?,
        ),
        'a'..='z' | 'A'..='Z' | '_' => (Kind::Word, run(in_word)),
        '0'..='9' => (Kind::Number, number(rest)),
        ':' if rest[1..].starts_with(|next: char| next.is_ascii_alphabetic() || next == '_') => (
            Kind::Parameter,
            1 + rest[1..]
                .find(|character: char| !in_word(character))
                .unwrap_or(rest.len() - 1),
        ),
        _ => (Kind::Symbol, first.len_utf8()),
    };
    Ok(found)
}

fn in_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

/// The length of what begins with `quote` and ends with one that is not doubled.
fn quoted(rest: &str, quote: char) -> Option<usize> {
    let mut at = 1;
    loop {
        at += rest[at..].find(quote)? + 1;
        if !rest[at..].starts_with(quote) {
            return Some(at);
        }
        at += 1;
    }
}

fn number(rest: &str) -> usize {
    let digits = |from: usize| {
        rest[from..]
            .find(|character: char| !character.is_ascii_digit())
            .unwrap_or(rest.len() - from)
    };
    let mut end = digits(0);
    if rest[end..].starts_with('.') {
        end += 1 + digits(end + 1);
    }
    if rest[end..].starts_with(['e', 'E']) {
        let sign = usize::from(rest[end + 1..].starts_with(['+', '-']));
        let exponent = digits(end + 1 + sign);
        if exponent > 0 {
            end += 1 + sign + exponent;
        }
    }
    end
}

fn line_of(text: &str, at: usize) -> usize {
    1 + text[..at].matches('\n').count()
}

/// The text as one query: comments before it and a semicolon after it are gone.
pub(crate) fn statement(text: &str) -> Result<&str, TextError> {
    let tokens = tokens(text)?;
    let mut meant = tokens
        .iter()
        .filter(|token| !matches!(token.kind, Kind::Space | Kind::Comment));
    let Some(first) = meant.next() else {
        return Err(TextError::Empty);
    };
    let word = text[first.span.clone()].to_ascii_lowercase();
    if !matches!(word.as_str(), "select" | "with" | "values" | "(") {
        let word = crate::event::text::shortened(&text[first.span.clone()], 40);
        return Err(TextError::NoQuery(word));
    }
    let is_end = |token: &Token| token.kind == Kind::Symbol && &text[token.span.clone()] == ";";
    let mut end = first.span.end;
    let mut has_ended = false;
    for token in meant {
        if is_end(token) {
            has_ended = true;
        } else if has_ended {
            return Err(TextError::SeveralStatements {
                line: line_of(text, token.span.start),
            });
        } else {
            end = token.span.end;
        }
    }
    Ok(&text[first.span.start..end])
}

/// The names of the parameters, each once, in the order of their first use.
pub(crate) fn parameters(text: &str) -> Result<Vec<String>, TextError> {
    let mut names: Vec<String> = Vec::new();
    for token in tokens(text)? {
        if token.kind == Kind::Parameter {
            let name = &text[token.span.start + 1..token.span.end];
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
    }
    Ok(names)
}

/// A text with `?` where names were, and the value of each, in order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bound {
    pub(crate) text: String,
    pub(crate) parameters: Vec<Value>,
}

/// Puts `?` for each `:name`; a name that is used twice is bound twice.
pub(crate) fn bind(text: &str, value: impl Fn(&str) -> Option<Value>) -> Result<Bound, TextError> {
    let mut parameters = Vec::new();
    let text = replaced(text, |name| {
        parameters.push(value(name)?);
        Some("?".to_owned())
    })?;
    Ok(Bound { text, parameters })
}

/// Puts the literal of its value for each `:name`: for people who run the text elsewhere.
pub(crate) fn inline(
    text: &str,
    value: impl Fn(&str) -> Option<Value>,
) -> Result<String, TextError> {
    replaced(text, |name| {
        let literal = literal(&value(name)?);
        // `a -:b` must not become a comment.
        Some(if literal.starts_with('-') {
            format!("({literal})")
        } else {
            literal
        })
    })
}

fn replaced(text: &str, mut put: impl FnMut(&str) -> Option<String>) -> Result<String, TextError> {
    let mut whole = String::with_capacity(text.len());
    for token in tokens(text)? {
        let span = &text[token.span.clone()];
        match token.kind {
            Kind::Parameter => {
                let name = &span[1..];
                let put = put(name).ok_or_else(|| TextError::UnknownParameter(name.to_owned()))?;
                whole.push_str(&put);
            }
            Kind::Symbol if span == "?" => {
                return Err(TextError::Nameless {
                    line: line_of(text, token.span.start),
                });
            }
            _ => whole.push_str(span),
        }
    }
    Ok(whole)
}

/// Puts `requests` in front as the first of the query's own tables. `view` is a SELECT.
pub(crate) fn with_requests(text: &str, view: &str) -> Result<String, TextError> {
    let text = statement(text)?;
    let view = view.trim();
    let mut meant = tokens(text)?
        .into_iter()
        .filter(|token| !matches!(token.kind, Kind::Space | Kind::Comment));
    let mut next = || {
        meant
            .next()
            .map(|token| (text[token.span.clone()].to_ascii_lowercase(), token.span))
    };
    let Some((word, span)) = next() else {
        return Err(TextError::Empty);
    };
    if word != "with" {
        return Ok(format!("WITH requests AS (\n{view}\n)\n{text}"));
    }
    let (recursive, after) = match next() {
        Some((word, span)) if word == "recursive" => (" RECURSIVE", span.end),
        _ => ("", span.end),
    };
    Ok(format!(
        "WITH{recursive} requests AS (\n{view}\n),{}",
        &text[after..]
    ))
}

/// Whether a text has a name, as a word or in quotes.
pub(crate) fn has_name(text: &str, name: &str) -> Result<bool, TextError> {
    Ok(tokens(text)?.into_iter().any(|token| {
        let span = &text[token.span.clone()];
        match token.kind {
            Kind::Word => span.eq_ignore_ascii_case(name),
            Kind::Quoted => span[1..span.len() - 1].eq_ignore_ascii_case(name),
            _ => false,
        }
    }))
}

/// Whether a text names a column, or takes all of them: what a view over wide tables need not have, it
/// leaves out.
pub(crate) fn names_column(text: &str, column: &str) -> Result<bool, TextError> {
    let mut before: Option<String> = None;
    for token in tokens(text)? {
        let span = &text[token.span.clone()];
        match token.kind {
            Kind::Space | Kind::Comment => continue,
            Kind::Word if span.eq_ignore_ascii_case(column) => return Ok(true),
            Kind::Quoted if span[1..span.len() - 1].eq_ignore_ascii_case(column) => {
                return Ok(true);
            }
            // A product's and `count(*)`'s star are no columns.
            Kind::Symbol
                if span == "*"
                    && before.as_deref().is_some_and(|before| {
                        matches!(before, "select" | "all" | "distinct" | "," | ".")
                    }) =>
            {
                return Ok(true);
            }
            _ => {}
        }
        before = Some(span.to_ascii_lowercase());
    }
    Ok(false)
}

/// A name in Trino's quotes.
pub(crate) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A value as Trino's literal. The one encoder: of execution parameters, of named queries, of views.
pub(crate) fn literal(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Boolean(value) => value.to_string(),
        // Trino reads the sign apart from the digits, which would not fit without it.
        Value::Integer(i64::MIN) => "-9223372036854775807 - 1".to_owned(),
        Value::Integer(value) => value.to_string(),
        Value::Double(value) if value.is_nan() => "nan()".to_owned(),
        Value::Double(value) if value.is_infinite() && *value > 0.0 => "infinity()".to_owned(),
        Value::Double(value) if value.is_infinite() => "-infinity()".to_owned(),
        Value::Double(value) => format!("{value:e}"),
        Value::Text(text) => format!("'{}'", text.replace('\'', "''")),
        Value::Timestamp(at) => timestamp(*at),
        Value::Date(date) => format!("DATE '{date}'"),
        Value::List(values) => {
            let values: Vec<String> = values.iter().map(literal).collect();
            format!("ARRAY[{}]", values.join(", "))
        }
        Value::Map(entries) => {
            let side = |side: fn(&(Value, Value)) -> &Value| {
                let literals: Vec<String> =
                    entries.iter().map(|entry| literal(side(entry))).collect();
                literals.join(", ")
            };
            format!(
                "map(ARRAY[{}], ARRAY[{}])",
                side(|(key, _)| key),
                side(|(_, value)| value)
            )
        }
    }
}

fn timestamp(at: DateTime) -> String {
    let seconds = at.strftime("%Y-%m-%d %H:%M:%S");
    match at.millisecond() {
        0 => format!("TIMESTAMP '{seconds}'"),
        milliseconds => format!("TIMESTAMP '{seconds}.{milliseconds:03}'"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn kinds(text: &str) -> Vec<(Kind, &str)> {
        tokens(text)
            .unwrap()
            .into_iter()
            .filter(|token| token.kind != Kind::Space)
            .map(|token| (token.kind, &text[token.span]))
            .collect()
    }

    #[test]
    fn names_in_texts_quotes_and_comments_are_no_parameters() {
        let text = "SELECT ':a', \":b\", :c -- :d\n, /* :e */ x, TIMESTAMP '2026-06-14 17:00:00', 'it''s :f'";
        assert_eq!(parameters(text).unwrap(), ["c"]);
        assert_eq!(
            kinds("a.b - 1.5e-3::x"),
            [
                (Kind::Word, "a"),
                (Kind::Symbol, "."),
                (Kind::Word, "b"),
                (Kind::Symbol, "-"),
                (Kind::Number, "1.5e-3"),
                (Kind::Symbol, ":"),
                (Kind::Parameter, ":x"),
            ]
        );
    }

    #[test]
    fn binding_keeps_the_order_and_repeats() {
        let value = |name: &str| match name {
            "a" => Some(Value::Integer(1)),
            "b" => Some(Value::Text("x".to_owned())),
            _ => None,
        };
        let bound = bind("SELECT :b, :a, :b, ':a'", value).unwrap();
        assert_eq!(bound.text, "SELECT ?, ?, ?, ':a'");
        assert_eq!(
            bound.parameters,
            [
                Value::Text("x".to_owned()),
                Value::Integer(1),
                Value::Text("x".to_owned())
            ]
        );
        assert_eq!(
            bind("SELECT :c", value),
            Err(TextError::UnknownParameter("c".to_owned()))
        );
        assert_eq!(
            bind("SELECT\n?", value),
            Err(TextError::Nameless { line: 2 })
        );
        assert_eq!(
            inline("SELECT 3 -:a, :b", value).unwrap(),
            "SELECT 3 -1, 'x'"
        );
        let negative = |_: &str| Some(Value::Integer(-1));
        assert_eq!(inline("SELECT 3 -:a", negative).unwrap(), "SELECT 3 -(-1)");
    }

    #[test]
    fn requests_is_the_first_of_the_querys_tables() {
        for (text, expected) in [
            (
                "-- c\nSELECT 1 FROM requests;\n",
                "WITH requests AS (\nSELECT 2\n)\nSELECT 1 FROM requests",
            ),
            (
                "with a AS (SELECT 1) SELECT * FROM a",
                "WITH requests AS (\nSELECT 2\n), a AS (SELECT 1) SELECT * FROM a",
            ),
            (
                "WITH /* r */ RECURSIVE a AS (SELECT 1) SELECT 1",
                "WITH RECURSIVE requests AS (\nSELECT 2\n), a AS (SELECT 1) SELECT 1",
            ),
        ] {
            assert_eq!(with_requests(text, " SELECT 2 ").unwrap(), expected);
        }
    }

    #[test]
    fn one_query_and_nothing_else() {
        assert_eq!(statement("SELECT 1;;"), Ok("SELECT 1"));
        assert_eq!(statement("SELECT ';' -- ;\n"), Ok("SELECT ';'"));
        assert_eq!(
            statement("SELECT 1;\nDROP TABLE x"),
            Err(TextError::SeveralStatements { line: 2 })
        );
        assert_eq!(
            statement("DROP TABLE x"),
            Err(TextError::NoQuery("DROP".to_owned()))
        );
        assert_eq!(statement(" -- nothing"), Err(TextError::Empty));
        assert_eq!(
            statement("SELECT 'a"),
            Err(TextError::Unterminated {
                line: 1,
                what: "a text"
            })
        );
    }

    #[test]
    fn stars_that_take_all_columns_are_told_from_products() {
        for (text, named) in [
            ("SELECT count(*) FROM requests", false),
            ("SELECT 2 * 3 FROM requests", false),
            ("SELECT * FROM requests", true),
            ("SELECT DISTINCT * FROM requests", true),
            ("SELECT r.* FROM requests r", true),
            ("SELECT C_IP FROM requests", true),
            ("SELECT \"c_ip\" FROM requests", true),
            ("SELECT 'c_ip' FROM requests", false),
        ] {
            assert_eq!(names_column(text, "c_ip"), Ok(named), "{text}");
        }
    }

    #[test]
    fn literals_are_trinos() {
        for (value, expected) in [
            (Value::Text("it's".to_owned()), "'it''s'"),
            (Value::Double(100.0), "1e2"),
            (Value::Double(-0.25), "-2.5e-1"),
            (Value::Integer(-7), "-7"),
            (Value::Boolean(true), "true"),
            (Value::Null, "NULL"),
            (
                Value::Timestamp("2026-06-14T17:00:00".parse().unwrap()),
                "TIMESTAMP '2026-06-14 17:00:00'",
            ),
            (
                Value::Timestamp("2026-06-14T17:00:00.04".parse().unwrap()),
                "TIMESTAMP '2026-06-14 17:00:00.040'",
            ),
            (
                Value::Date("2026-06-14".parse().unwrap()),
                "DATE '2026-06-14'",
            ),
            (
                Value::List(vec![Value::Integer(1), Value::Integer(2)]),
                "ARRAY[1, 2]",
            ),
        ] {
            assert_eq!(literal(&value), expected);
        }
    }

    proptest! {
        #[test]
        fn tokens_are_the_whole_text(text in any::<String>()) {
            if let Ok(tokens) = tokens(&text) {
                let whole: String = tokens.iter().map(|token| &text[token.span.clone()]).collect();
                prop_assert_eq!(whole, text);
            }
        }

        /// Whatever a text holds, its literal is one token, and that token says the same text.
        #[test]
        fn a_text_is_exactly_one_literal(text in r#"(?s)([';:?"\\/*\-]|.){0,40}"#) {
            let literal = literal(&Value::Text(text.clone()));
            let found = tokens(&literal).unwrap();
            prop_assert_eq!(found.len(), 1);
            prop_assert_eq!(found[0].kind, Kind::Text);
            prop_assert_eq!(literal[1..literal.len() - 1].replace("''", "'"), text);
        }

        /// And it stays one among others, so that no value can change what is around it.
        #[test]
        fn a_value_cannot_leave_its_place(text in r#"(?s)([';:?"\\/*\-]|.){0,40}"#) {
            let value = Value::Text(text);
            let whole = inline("SELECT :x, 'b' -- c\nFROM t", |_| Some(value.clone())).unwrap();
            let of = |text: &str| tokens(text).unwrap().into_iter().map(|token| token.kind).collect::<Vec<_>>();
            prop_assert_eq!(of(&whole), of("SELECT 'a', 'b' -- c\nFROM t"));
        }

        #[test]
        fn a_name_is_exactly_one_identifier(name in any::<String>()) {
            let quoted = identifier(&name);
            let found = tokens(&quoted).unwrap();
            prop_assert_eq!(found.len(), 1);
            prop_assert_eq!(found[0].kind, Kind::Quoted);
        }
    }
}
