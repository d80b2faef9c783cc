//! Parameters take the places of `?` as values of the parsed statement. No text is pasted, so that
//! what a value holds can't become part of the query.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    CastKind, DataType, ExactNumberInfo, Expr, Statement, TimezoneInfo, TypedString, UnaryOperator,
    Value as Literal, ValueWithSpan, VisitMut, VisitorMut,
};
use onair_logs::value::Value;

use super::messages;
use crate::error::EngineError;

/// Puts parameters in for `$1`, `$2` and so on.
pub(super) fn bind(statement: &mut Statement, parameters: &[Value]) -> Result<(), EngineError> {
    let mut binder = Binder {
        parameters,
        used: vec![false; parameters.len()],
    };
    if let ControlFlow::Break(error) = statement.visit(&mut binder) {
        return Err(error);
    }
    let used = binder.used.iter().filter(|used| **used).count();
    if used < parameters.len() {
        return Err(messages::plain(format!(
            "{} parameters for {used} places",
            parameters.len()
        )));
    }
    Ok(())
}

struct Binder<'a> {
    parameters: &'a [Value],
    used: Vec<bool>,
}

impl VisitorMut for Binder<'_> {
    type Break = EngineError;

    fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<EngineError> {
        let Expr::Value(ValueWithSpan {
            value: Literal::Placeholder(name),
            span,
        }) = expression
        else {
            return ControlFlow::Continue(());
        };
        let number: usize = name.trim_start_matches('$').parse().unwrap_or(0);
        let Some(value) = number
            .checked_sub(1)
            .and_then(|index| self.parameters.get(index))
        else {
            return ControlFlow::Break(messages::at(
                format!(
                    "no value for the parameter ? number {number}: there are {}",
                    self.parameters.len()
                ),
                span.start,
            ));
        };
        self.used[number - 1] = true;
        match literal(value) {
            Some(value) => *expression = value,
            None => {
                return ControlFlow::Break(messages::at(
                    format!(
                        "the value of parameter {number} has no place in a query: it is a list or a map"
                    ),
                    span.start,
                ));
            }
        }
        ControlFlow::Continue(())
    }
}

fn value(value: Literal) -> Expr {
    Expr::Value(ValueWithSpan::from(value))
}

fn text(text: String) -> Expr {
    value(Literal::SingleQuotedString(text))
}

fn cast(text_of: String, data_type: DataType) -> Expr {
    Expr::Cast {
        kind: CastKind::Cast,
        expr: Box::new(text(text_of)),
        data_type,
        array: false,
        format: None,
    }
}

fn typed(data_type: DataType, written: String) -> Expr {
    Expr::TypedString(TypedString {
        data_type,
        value: ValueWithSpan::from(Literal::SingleQuotedString(written)),
        uses_odbc_syntax: false,
    })
}

/// A value as an expression of its type; lists and maps have none.
fn literal(given: &Value) -> Option<Expr> {
    Some(match given {
        Value::Null => value(Literal::Null),
        Value::Boolean(yes) => value(Literal::Boolean(*yes)),
        Value::Integer(number) if *number == i64::MIN => {
            cast(number.to_string(), DataType::BigInt(None))
        }
        Value::Integer(number) => {
            let digits = value(Literal::Number(number.unsigned_abs().to_string(), false));
            if *number < 0 {
                Expr::Nested(Box::new(Expr::UnaryOp {
                    op: UnaryOperator::Minus,
                    expr: Box::new(digits),
                }))
            } else {
                digits
            }
        }
        Value::Double(number) => cast(number.to_string(), DataType::Double(ExactNumberInfo::None)),
        Value::Text(words) => text(words.clone()),
        Value::Timestamp(at) => typed(
            DataType::Timestamp(None, TimezoneInfo::None),
            at.strftime("%Y-%m-%d %H:%M:%S%.f").to_string(),
        ),
        Value::Date(day) => typed(DataType::Date, day.to_string()),
        Value::List(_) | Value::Map(_) => return None,
    })
}
