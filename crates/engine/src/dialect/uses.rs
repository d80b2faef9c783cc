//! What a statement uses, so that a catalog can be held to what means the same on each engine.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, Function, Ident, LambdaFunction, ObjectName, OneOrManyWithParens, Query,
    Statement, Value as Literal, ValueWithSpan, Visit, Visitor,
};

use super::{messages, parse};
use crate::error::EngineError;
use crate::functions;

/// What a query names, each once, in lower case and in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Uses {
    /// Functions that it calls.
    pub functions: BTreeSet<String>,
    /// Tables that it reads, as written; those that it defines itself are left out.
    pub tables: BTreeSet<String>,
    /// Names that can be columns: all identifiers of expressions. Aliases that are named again are
    /// among them.
    pub columns: BTreeSet<String>,
    /// Numbers such as `100.0` that are reckoned with: decimals on Athena, whose divisions have few
    /// digits, and doubles here. `1e2` is a double on both.
    pub decimals: BTreeSet<String>,
}

/// Reads what a query uses.
///
/// # Errors
/// The text is no query.
pub fn uses(text: &str) -> Result<Uses, EngineError> {
    Ok(of(&parse::query(text)?))
}

/// What a parsed query uses.
pub(super) fn of(statement: &Statement) -> Uses {
    let mut reader = Reader::default();
    let _flow: ControlFlow<()> = statement.visit(&mut reader);
    let mut uses = reader.uses;
    for name in &reader.defined {
        uses.tables.remove(name);
    }
    for name in &reader.parameters {
        uses.columns.remove(name);
    }
    uses
}

/// Refuses functions that are not Trino's, or that are not here.
pub(super) fn known(uses: &Uses) -> Result<(), EngineError> {
    for name in &uses.functions {
        if !functions::is_known(name) {
            let hint = functions::nearest(name)
                .map(|nearest| format!("; did you mean {nearest}?"))
                .unwrap_or_default();
            return Err(messages::plain(format!(
                "there is no function {name}{hint}"
            )));
        }
    }
    Ok(())
}

#[derive(Default)]
struct Reader {
    uses: Uses,
    defined: BTreeSet<String>,
    parameters: BTreeSet<String>,
}

impl Reader {
    fn column(&mut self, name: &Ident) {
        self.uses.columns.insert(name.value.to_lowercase());
    }

    fn function(&mut self, name: &str) {
        self.uses.functions.insert(name.to_owned());
    }

    fn decimal(&mut self, operand: &Expr) {
        match operand {
            Expr::Nested(inner) | Expr::UnaryOp { expr: inner, .. } => self.decimal(inner),
            Expr::Value(ValueWithSpan {
                value: Literal::Number(digits, _),
                ..
            }) if digits.contains('.') && !digits.contains(['e', 'E']) => {
                self.uses.decimals.insert(digits.clone());
            }
            _ => {}
        }
    }

    fn lambda(&mut self, lambda: &LambdaFunction) {
        let parameters = match &lambda.params {
            OneOrManyWithParens::One(parameter) => std::slice::from_ref(parameter),
            OneOrManyWithParens::Many(parameters) => parameters,
        };
        for parameter in parameters {
            self.parameters.insert(parameter.name.value.to_lowercase());
        }
    }
}

fn is_arithmetic(operator: &BinaryOperator) -> bool {
    matches!(
        operator,
        BinaryOperator::Plus
            | BinaryOperator::Minus
            | BinaryOperator::Multiply
            | BinaryOperator::Divide
            | BinaryOperator::Modulo
    )
}

fn written(name: &ObjectName) -> String {
    name.0
        .iter()
        .map(|part| {
            part.as_ident()
                .map_or_else(|| part.to_string(), |ident| ident.value.clone())
        })
        .collect::<Vec<_>>()
        .join(".")
        .to_lowercase()
}

impl Visitor for Reader {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        for table in query.with.iter().flat_map(|with| &with.cte_tables) {
            self.defined.insert(table.alias.name.value.to_lowercase());
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<()> {
        self.uses.tables.insert(written(relation));
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
        match expression {
            Expr::Identifier(name) => self.column(name),
            Expr::CompoundIdentifier(names) => {
                if let Some(name) = names.last() {
                    self.column(name);
                }
            }
            Expr::Function(Function { name, .. }) => {
                self.uses.functions.insert(written(name));
            }
            // What has a grammar of its own is a function all the same.
            Expr::Ceil { .. } => self.function("ceil"),
            Expr::Floor { .. } => self.function("floor"),
            Expr::Substring { .. } => self.function("substr"),
            Expr::Trim { .. } => self.function("trim"),
            Expr::Position { .. } => self.function("strpos"),
            Expr::AtTimeZone { .. } => self.function("at_timezone"),
            Expr::Extract { field, .. } => self.function(&field.to_string().to_lowercase()),
            Expr::Lambda(lambda) => self.lambda(lambda),
            Expr::BinaryOp { left, op, right } if is_arithmetic(op) => {
                self.decimal(left);
                self.decimal(right);
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}
