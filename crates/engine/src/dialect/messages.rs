//! Errors of the parser in our words, with their place in the text.

use datafusion::sql::sqlparser::parser::ParserError;
use datafusion::sql::sqlparser::tokenizer::Location;

use crate::error::EngineError;

/// An error without a place.
pub(super) fn plain(message: impl Into<String>) -> EngineError {
    EngineError::Query {
        message: message.into(),
        at: None,
    }
}

/// An error at a place; line 0 means that it is not known.
pub(super) fn at(message: impl Into<String>, place: Location) -> EngineError {
    EngineError::Query {
        message: message.into(),
        at: (place.line > 0).then_some((place.line, place.column)),
    }
}

/// What the parser says ends in " at Line: 3, Column: 14" where it knows; where the text ended too
/// soon, its end is the place.
pub(super) fn from_parser(error: &ParserError, text: &str) -> EngineError {
    let message = match error {
        ParserError::TokenizerError(message) | ParserError::ParserError(message) => message.clone(),
        ParserError::RecursionLimitExceeded => "it is nested too deeply".to_owned(),
    };
    if let Some((words, place)) = message.split_once(" at Line: ") {
        let place = place
            .split_once(", Column: ")
            .and_then(|(line, column)| Some((line.parse().ok()?, column.parse().ok()?)));
        return EngineError::Query {
            message: words.to_owned(),
            at: place,
        };
    }
    match message.strip_suffix("EOF") {
        Some(words) => EngineError::Query {
            message: format!("{words}the end of the text"),
            at: Some(end(text)),
        },
        None => plain(message),
    }
}

fn end(text: &str) -> (u64, u64) {
    let text = text.trim_end();
    let last = text.rsplit('\n').next().unwrap_or_default();
    let place = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    (
        place(text.matches('\n').count() + 1),
        place(last.chars().count() + 1),
    )
}
