//! Reads one query, and refuses all else.

use std::any::TypeId;

use datafusion::sql::sqlparser::ast::{
    CastKind, DataType, Expr, Ident, ObjectName, Query, SetExpr, Statement, Value as Literal,
    ValueWithSpan,
};
use datafusion::sql::sqlparser::dialect::{Dialect, GenericDialect};
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};

use super::messages;
use crate::error::EngineError;

/// Trino's way of writing SQL, as far as the parser must know.
#[derive(Debug)]
pub(super) struct Trino;

impl Dialect for Trino {
    // The parser allows some syntax, UNNEST among it, to the dialects that it knows alone.
    fn dialect(&self) -> TypeId {
        TypeId::of::<GenericDialect>()
    }

    fn is_delimited_identifier_start(&self, character: char) -> bool {
        character == '"'
    }

    fn is_identifier_start(&self, character: char) -> bool {
        character.is_ascii_alphabetic() || character == '_'
    }

    fn is_identifier_part(&self, character: char) -> bool {
        character.is_ascii_alphanumeric() || character == '_'
    }

    fn supports_filter_during_aggregation(&self) -> bool {
        true
    }

    fn supports_window_clause_named_window_reference(&self) -> bool {
        true
    }

    fn supports_window_function_null_treatment_arg(&self) -> bool {
        true
    }

    fn supports_within_after_array_aggregation(&self) -> bool {
        true
    }

    fn supports_group_by_expr(&self) -> bool {
        true
    }

    fn supports_lambda_functions(&self) -> bool {
        true
    }

    // EXTRACT(DAY_OF_WEEK FROM x)
    fn allow_extract_custom(&self) -> bool {
        true
    }

    fn supports_unicode_string_literal(&self) -> bool {
        true
    }

    // IPADDRESS '192.0.2.1', which the parser does not know for a type.
    fn parse_prefix(&self, parser: &mut Parser<'_>) -> Option<Result<Expr, ParserError>> {
        let is_address = matches!(
            &parser.peek_token_ref().token,
            Token::Word(word) if word.quote_style.is_none()
                && word.value.eq_ignore_ascii_case("ipaddress")
        );
        let Token::SingleQuotedString(text) = parser.peek_nth_token(1).token else {
            return None;
        };
        if !is_address {
            return None;
        }
        parser.advance_token();
        parser.advance_token();
        Some(Ok(Expr::Cast {
            kind: CastKind::Cast,
            expr: Box::new(Expr::Value(ValueWithSpan::from(
                Literal::SingleQuotedString(text),
            ))),
            data_type: DataType::Custom(ObjectName::from(Ident::new("ipaddress")), Vec::new()),
            array: false,
            format: None,
        }))
    }

    fn supports_values_as_table_factor(&self) -> bool {
        false
    }

    fn supports_parens_around_table_factor(&self) -> bool {
        true
    }
}

/// The one query of a text. Its `?` are numbered: `$1`, `$2` and so on, in their order in the text.
pub(super) fn query(text: &str) -> Result<Statement, EngineError> {
    let mut tokens = Tokenizer::new(&Trino, text)
        .tokenize_with_location()
        .map_err(|error| messages::from_parser(&ParserError::from(error), text))?;
    let mut count = 0;
    for token in &mut tokens {
        if let Token::Placeholder(name) = &mut token.token {
            if name != "?" {
                return Err(messages::at(
                    format!("{name} is no parameter: write ?"),
                    token.span.start,
                ));
            }
            count += 1;
            *name = format!("${count}");
        }
        // Trino does not tell names apart by case, quoted or not.
        if let Token::Word(word) = &mut token.token
            && word.quote_style.is_some()
        {
            if word.value.contains('$') {
                return Err(messages::at(
                    format!("{} is no name here", word.value),
                    token.span.start,
                ));
            }
            word.value = word.value.to_lowercase();
        }
    }
    let mut parser = Parser::new(&Trino).with_tokens_with_locations(tokens);
    let mut statements = parser
        .parse_statements()
        .map_err(|error| messages::from_parser(&error, text))?;
    match statements.len() {
        1 => {}
        0 => return Err(messages::plain("there is no query in the text")),
        more => {
            return Err(messages::plain(format!(
                "one query at a time: the text has {more} statements"
            )));
        }
    }
    let statement = statements.remove(0);
    match &statement {
        Statement::Query(query) => only_reads(query)?,
        _ => {
            return Err(messages::plain(
                "only queries run here: SELECT, WITH … SELECT or VALUES",
            ));
        }
    }
    Ok(statement)
}

fn only_reads(query: &Query) -> Result<(), EngineError> {
    fn body(set: &SetExpr) -> bool {
        match set {
            SetExpr::Select(_) | SetExpr::Values(_) | SetExpr::Table(_) => true,
            SetExpr::Query(query) => body(&query.body),
            SetExpr::SetOperation { left, right, .. } => body(left) && body(right),
            _ => false,
        }
    }
    if body(&query.body) {
        Ok(())
    } else {
        Err(messages::plain(
            "only queries run here: SELECT, WITH … SELECT or VALUES",
        ))
    }
}
