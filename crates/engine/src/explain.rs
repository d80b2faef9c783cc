//! DataFusion's errors in words of ours, with the place in the text where it is known.

use datafusion::arrow::error::ArrowError;
use datafusion::common::utils::datafusion_strsim::levenshtein;
use datafusion::common::{Column, SchemaError};
use datafusion::error::DataFusionError;

use crate::error::EngineError;

/// Names that are listed where none of them is near.
const LISTED: usize = 12;

impl From<DataFusionError> for EngineError {
    fn from(error: DataFusionError) -> Self {
        told(error, None)
    }
}

impl EngineError {
    /// Fills in what the error could not know: the memory that the query may have, bytes.
    pub(crate) fn with_memory(self, bytes: usize) -> Self {
        match self {
            Self::Memory { .. } => Self::Memory {
                limit: u64::try_from(bytes / 1_000_000).unwrap_or(u64::MAX),
            },
            other => other,
        }
    }

    /// An error of the query, at a place.
    pub(crate) fn query(message: impl Into<String>, at: Option<(u64, u64)>) -> Self {
        Self::Query {
            message: message.into(),
            at,
        }
    }
}

fn told(error: DataFusionError, at: Option<(u64, u64)>) -> EngineError {
    match error {
        DataFusionError::Diagnostic(diagnostic, inner) => {
            let place = diagnostic
                .span
                .map(|span| (span.start.line, span.start.column))
                .filter(|(line, _)| *line > 0);
            told(*inner, place.or(at))
        }
        DataFusionError::Context(_, inner) => told(*inner, at),
        DataFusionError::Collection(errors) => match errors.into_iter().next() {
            Some(first) => told(first, at),
            None => EngineError::Internal("an empty list of errors".to_owned()),
        },
        DataFusionError::Shared(shared) => match std::sync::Arc::try_unwrap(shared) {
            Ok(inner) => told(inner, at),
            Err(shared) => by_root(&shared, at),
        },
        DataFusionError::External(inner) => match inner.downcast::<EngineError>() {
            Ok(ours) => *ours,
            Err(other) => match other.downcast::<DataFusionError>() {
                Ok(inner) => told(*inner, at),
                Err(other) => EngineError::query(other.to_string(), at),
            },
        },
        DataFusionError::SQL(parser, _) => {
            let (message, place) = parsed(&parser.to_string());
            EngineError::query(message, place.or(at))
        }
        DataFusionError::SchemaError(schema, _) => EngineError::query(of_schema(&schema), at),
        DataFusionError::ResourcesExhausted(message) => exhausted(&message),
        DataFusionError::IoError(source) => EngineError::Object {
            name: "the spill folder".to_owned(),
            source,
        },
        DataFusionError::ArrowError(inner, _) => arrow_told(*inner, at),
        DataFusionError::ParquetError(inner) => EngineError::Object {
            name: "a Parquet object".to_owned(),
            source: std::io::Error::other(inner.to_string()),
        },
        DataFusionError::NotImplemented(message) => {
            EngineError::query(format!("not supported here: {}", plain(&message)), at)
        }
        DataFusionError::Plan(message)
        | DataFusionError::Execution(message)
        | DataFusionError::Configuration(message) => EngineError::query(plain(&message), at),
        DataFusionError::Internal(message) => EngineError::Internal(plain(&message)),
        other => EngineError::Internal(plain(&other.strip_backtrace())),
    }
}

/// An error that several streams hold at once: it cannot be taken apart, only read.
fn by_root(error: &DataFusionError, at: Option<(u64, u64)>) -> EngineError {
    match error.find_root() {
        DataFusionError::ResourcesExhausted(message) => exhausted(message),
        DataFusionError::Internal(message) => EngineError::Internal(plain(message)),
        DataFusionError::IoError(source) => EngineError::Object {
            name: "the spill folder".to_owned(),
            source: std::io::Error::new(source.kind(), source.to_string()),
        },
        root => match root {
            DataFusionError::ArrowError(inner, _) => {
                EngineError::query(plain(&inner.to_string()), at)
            }
            other => EngineError::query(plain(&other.message()), at),
        },
    }
}

fn arrow_told(error: ArrowError, at: Option<(u64, u64)>) -> EngineError {
    match error {
        ArrowError::DivideByZero => EngineError::query("division by zero", at),
        ArrowError::ExternalError(inner) => match inner.downcast::<DataFusionError>() {
            Ok(inner) => told(*inner, at),
            Err(other) => EngineError::query(plain(&other.to_string()), at),
        },
        ArrowError::IoError(_, source) => EngineError::Object {
            name: "the spill folder".to_owned(),
            source,
        },
        ArrowError::MemoryError(message) => exhausted(&message),
        ArrowError::CastError(message)
        | ArrowError::ParseError(message)
        | ArrowError::ComputeError(message)
        | ArrowError::ArithmeticOverflow(message)
        | ArrowError::InvalidArgumentError(message) => EngineError::query(plain(&message), at),
        other => EngineError::query(plain(&other.to_string()), at),
    }
}

/// Memory, or the disk that was to help out.
fn exhausted(message: &str) -> EngineError {
    if message.contains("disk space") {
        EngineError::Object {
            name: "the spill folder".to_owned(),
            source: std::io::Error::new(std::io::ErrorKind::StorageFull, plain(message)),
        }
    } else {
        EngineError::Memory { limit: 0 }
    }
}

/// The parser's message without its place and prefix, and the place.
fn parsed(text: &str) -> (String, Option<(u64, u64)>) {
    let text = text.strip_prefix("sql parser error: ").unwrap_or(text);
    let Some((message, place)) = text.rsplit_once(" at Line: ") else {
        return (lowered(text), None);
    };
    let at = place.split_once(", Column: ").and_then(|(line, column)| {
        let column: String = column.chars().take_while(char::is_ascii_digit).collect();
        Some((line.parse().ok()?, column.parse().ok()?))
    });
    (lowered(message), at)
}

/// What is wrong with a column's name.
pub(crate) fn of_schema(error: &SchemaError) -> String {
    match error {
        SchemaError::FieldNotFound {
            field,
            valid_fields,
        } => no_column(field, valid_fields),
        SchemaError::AmbiguousReference { field } => {
            format!(
                "\"{}\" is in more than one table: write the table before it",
                field.name
            )
        }
        SchemaError::DuplicateQualifiedField { name, .. }
        | SchemaError::DuplicateUnqualifiedField { name } => {
            format!("two columns are named \"{name}\": give one another name with AS")
        }
    }
}

fn no_column(field: &Column, valid: &[Column]) -> String {
    let mut names: Vec<&str> = valid.iter().map(|column| column.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let missing = format!("there is no column \"{}\"", field.name);
    match nearest(&field.name, &names) {
        Some(near) => format!("{missing}; did you mean \"{near}\"?"),
        None if names.is_empty() => missing,
        None => {
            let mut listed = names
                .iter()
                .take(LISTED)
                .copied()
                .collect::<Vec<_>>()
                .join(", ");
            if names.len() > LISTED {
                listed += ", …";
            }
            format!("{missing}; there are {listed}")
        }
    }
}

/// The name that is most likely meant, if one is near enough.
pub(crate) fn nearest<'a>(wanted: &str, names: &[&'a str]) -> Option<&'a str> {
    let wanted = wanted.to_lowercase();
    names
        .iter()
        .map(|name| (levenshtein(&wanted, &name.to_lowercase()), *name))
        .filter(|(distance, name)| distance * 3 <= name.chars().count().max(3))
        .min()
        .map(|(_, name)| name)
}

/// A message without prefixes and requests to report it.
fn plain(message: &str) -> String {
    let mut message = message
        .split("\n\nbacktrace:")
        .next()
        .unwrap_or(message)
        .trim();
    for prefix in [
        "Error during planning: ",
        "Execution error: ",
        "Arrow error: ",
        "Cast error: ",
        "Parser error: ",
        "Compute error: ",
        "Arithmetic overflow: ",
        "Invalid argument error: ",
    ] {
        message = message.strip_prefix(prefix).unwrap_or(message);
    }
    let message = message.trim_end_matches('.');
    lowered(message)
}

/// The first letter small, unless a name begins the message.
fn lowered(message: &str) -> String {
    let mut letters = message.chars();
    match (letters.next(), letters.clone().next()) {
        (Some(first), Some(second)) if first.is_uppercase() && second.is_lowercase() => {
            first.to_lowercase().chain(letters).collect()
        }
        _ => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parsers_message_gives_its_place() {
        assert_eq!(
            parsed("sql parser error: Expected: ), found: EOF at Line: 3, Column: 12"),
            ("expected: ), found: EOF".to_owned(), Some((3, 12)))
        );
        assert_eq!(
            parsed("Recursion limit exceeded"),
            ("recursion limit exceeded".to_owned(), None)
        );
    }

    #[test]
    fn a_near_name_is_offered_and_a_far_one_is_not() {
        let names = ["c_ip", "sc_bytes", "x_edge_location"];
        assert_eq!(nearest("sc_byte", &names), Some("sc_bytes"));
        assert_eq!(nearest("X_EDGE_LOCATON", &names), Some("x_edge_location"));
        assert_eq!(nearest("viewer", &names), None);
    }

    #[test]
    fn what_is_wrapped_is_found() {
        let inner = DataFusionError::ResourcesExhausted("Failed to allocate".to_owned());
        let error = DataFusionError::Context("while sorting".to_owned(), Box::new(inner));
        assert!(matches!(
            EngineError::from(error).with_memory(512_000_000),
            EngineError::Memory { limit: 512 }
        ));
        let ours = DataFusionError::External(Box::new(EngineError::Stopped));
        assert!(matches!(EngineError::from(ours), EngineError::Stopped));
    }
}
