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

/// What the parser says ends in " at Line: 3, Column: 14" where it knows.
pub(super) fn from_parser(error: &ParserError) -> EngineError {
    let message = match error {
        ParserError::TokenizerError(message) | ParserError::ParserError(message) => message.clone(),
        ParserError::RecursionLimitExceeded => "it is nested too deeply".to_owned(),
    };
    let Some((words, place)) = message.split_once(" at Line: ") else {
        return plain(message);
    };
    let place = place
        .split_once(", Column: ")
        .and_then(|(line, column)| Some((line.parse().ok()?, column.parse().ok()?)));
    EngineError::Query {
        message: words.to_owned(),
        at: place,
    }
}
