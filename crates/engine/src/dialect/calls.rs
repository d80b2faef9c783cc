//! Calls of functions that DataFusion has under another name, or in another form.

use datafusion::sql::sqlparser::ast::helpers::attached_token::AttachedToken;
use datafusion::sql::sqlparser::ast::{
    Array, BinaryOperator, CaseWhen, CastKind, DataType, Expr, Function, FunctionArg,
    FunctionArgExpr, FunctionArgumentClause, FunctionArgumentList, FunctionArguments, Ident,
    LambdaFunction, LambdaFunctionParameter, LambdaSyntax, ObjectName, OneOrManyWithParens,
    OrderByExpr, OrderByOptions, UnaryOperator, Value as Literal, ValueWithSpan,
};

use super::messages;
use crate::error::EngineError;

/// A call of a function.
pub(super) fn call(name: &str, arguments: Vec<Expr>) -> Expr {
    Expr::Function(Function {
        name: named(name),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args: arguments.into_iter().map(unnamed).collect(),
            clauses: Vec::new(),
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}

/// A number as written.
pub(super) fn number(digits: &str) -> Expr {
    Expr::Value(ValueWithSpan::from(Literal::Number(
        digits.to_owned(),
        false,
    )))
}

/// A number below zero.
pub(super) fn negative(digits: &str) -> Expr {
    Expr::UnaryOp {
        op: UnaryOperator::Minus,
        expr: Box::new(number(digits)),
    }
}

fn named(name: &str) -> ObjectName {
    ObjectName::from(Ident::with_quote('"', name))
}

fn unnamed(argument: Expr) -> FunctionArg {
    FunctionArg::Unnamed(FunctionArgExpr::Expr(argument))
}

fn null() -> Expr {
    Expr::Value(ValueWithSpan::from(Literal::Null))
}

fn is_null(expression: Expr) -> Expr {
    Expr::IsNull(Box::new(Expr::Nested(Box::new(expression))))
}

fn case(conditions: Vec<(Expr, Expr)>, otherwise: Option<Expr>) -> Expr {
    Expr::Case {
        case_token: AttachedToken::empty(),
        end_token: AttachedToken::empty(),
        operand: None,
        conditions: conditions
            .into_iter()
            .map(|(condition, result)| CaseWhen { condition, result })
            .collect(),
        else_result: otherwise.map(Box::new),
    }
}

fn bigint(expression: Expr) -> Expr {
    Expr::Cast {
        kind: CastKind::Cast,
        expr: Box::new(expression),
        data_type: DataType::BigInt(None),
        array: false,
        format: None,
    }
}

fn lambda(parameter: &str, body: Expr) -> Expr {
    Expr::Lambda(LambdaFunction {
        params: OneOrManyWithParens::One(LambdaFunctionParameter {
            name: Ident::with_quote('"', parameter),
            data_type: None,
        }),
        body: Box::new(body),
        syntax: LambdaSyntax::Arrow,
    })
}

/// The arguments where all are expressions; none: `*`, or named ones.
fn expressions(function: &Function) -> Option<Vec<Expr>> {
    match &function.args {
        FunctionArguments::None => Some(Vec::new()),
        FunctionArguments::Subquery(_) => None,
        FunctionArguments::List(list) => list
            .args
            .iter()
            .map(|argument| match argument {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(expression)) => Some(expression.clone()),
                _ => None,
            })
            .collect(),
    }
}

fn wrong(name: &str, form: &str) -> EngineError {
    messages::plain(format!("{name} is called as {form}"))
}

/// The same call, with its FILTER and OVER, under another name and with other arguments.
fn renamed(function: &Function, name: &str, arguments: Option<Vec<Expr>>) -> Function {
    let mut function = function.clone();
    function.name = named(name);
    if let (Some(arguments), FunctionArguments::List(list)) = (arguments, &mut function.args) {
        list.args = arguments.into_iter().map(unnamed).collect();
    }
    function
}

/// Functions of windows alone.
const OF_WINDOWS: [&str; 11] = [
    "cume_dist",
    "dense_rank",
    "first_value",
    "lag",
    "last_value",
    "lead",
    "nth_value",
    "ntile",
    "percent_rank",
    "rank",
    "row_number",
];

/// What a call becomes; none: it stays.
pub(super) fn rewritten(function: &Function) -> Result<Option<Expr>, EngineError> {
    let name = function.name.to_string().replace('"', "").to_lowercase();
    let arguments = expressions(function);
    let given = arguments.as_deref();
    if OF_WINDOWS.contains(&name.as_str()) && function.over.is_none() {
        return Err(wrong(&name, &format!("{name}(…) OVER (…)")));
    }
    let again = |name: &str| Expr::Function(renamed(function, name, None));
    let with = |name: &str, arguments| Expr::Function(renamed(function, name, Some(arguments)));
    Ok(Some(match (name.as_str(), given) {
        ("if", Some([condition, then])) => case(vec![(condition.clone(), then.clone())], None),
        ("if", Some([condition, then, otherwise])) => case(
            vec![(condition.clone(), then.clone())],
            Some(otherwise.clone()),
        ),
        ("if", _) => return Err(wrong("if", "if(condition, value[, value])")),
        ("try", Some([expression])) => call(
            "$try",
            vec![number("0"), lambda("$unused", expression.clone())],
        ),
        ("try", _) => return Err(wrong("try", "try(expression)")),
        ("count_if", Some([condition])) => with(
            "count",
            vec![case(vec![(condition.clone(), number("1"))], None)],
        ),
        ("count_if", _) => return Err(wrong("count_if", "count_if(condition)")),
        ("max_by" | "min_by", Some([value, by])) if function.over.is_none() => {
            extreme(function, name == "max_by", value, by)
        }
        ("max_by", _) => again("$max_by"),
        ("min_by", _) => again("$min_by"),
        ("arbitrary", _) => again("any_value"),
        ("approx_distinct", Some([value] | [value, _])) => bigint(with(
            "approx_distinct",
            vec![call("$distinguished", vec![value.clone()])],
        )),
        ("every", _) => again("bool_and"),
        ("variance", _) => again("var_samp"),
        ("bitwise_and_agg", _) => again("bit_and"),
        ("bitwise_or_agg", _) => again("bit_or"),
        ("bitwise_xor_agg", _) => again("bit_xor"),
        ("geometric_mean", Some([value])) => call(
            "exp",
            vec![with("avg", vec![call("ln", vec![value.clone()])])],
        ),
        ("listagg", Some([value])) => listed(function, value, text("")),
        ("listagg", Some([value, separator])) => listed(function, value, separator.clone()),
        ("mod", Some([left, right])) => Expr::Nested(Box::new(Expr::BinaryOp {
            left: Box::new(Expr::Nested(Box::new(left.clone()))),
            op: BinaryOperator::Modulo,
            right: Box::new(Expr::Nested(Box::new(right.clone()))),
        })),
        ("date", Some([value])) => call("$date", vec![value.clone()]),
        ("now" | "current_timestamp", _) => call(
            "$to_timestamp",
            vec![call("now", Vec::new()), negative("4")],
        ),
        ("localtimestamp", _) => call("$to_timestamp", vec![call("now", Vec::new()), number("3")]),
        ("current_timezone", _) => text("UTC"),
        ("rand", _) => again("random"),
        ("map", Some([])) => call("map", vec![array(Vec::new()), array(Vec::new())]),
        ("row", _) => again("struct"),
        ("greatest" | "least", Some(values)) if !values.is_empty() => {
            let any = values
                .iter()
                .map(|value| is_null(value.clone()))
                .reduce(|left, right| Expr::BinaryOp {
                    left: Box::new(left),
                    op: BinaryOperator::Or,
                    right: Box::new(right),
                })
                .unwrap_or_else(null);
            case(vec![(any, null())], Some(again(&name)))
        }
        ("rank" | "dense_rank" | "row_number" | "ntile", _) => bigint(again(&name)),
        ("reduce", Some([list, start, step, Expr::Lambda(finish)])) => {
            let reduced = call("$reduce", vec![list.clone(), start.clone(), step.clone()]);
            let one = array(vec![reduced]);
            call(
                "$subscript",
                vec![
                    call("transform", vec![one, Expr::Lambda(finish.clone())]),
                    number("1"),
                ],
            )
        }
        ("reduce", _) => {
            return Err(wrong(
                "reduce",
                "reduce(array, start, (state, x) -> state, state -> result)",
            ));
        }
        _ => return Ok(None),
    }))
}

fn array(elements: Vec<Expr>) -> Expr {
    Expr::Array(Array {
        elem: elements,
        named: true,
    })
}

fn text(text: &str) -> Expr {
    Expr::Value(ValueWithSpan::from(Literal::SingleQuotedString(
        text.to_owned(),
    )))
}

fn ordered(expression: Expr, ascending: bool) -> OrderByExpr {
    OrderByExpr {
        expr: expression,
        options: OrderByOptions {
            asc: Some(ascending),
            nulls_first: Some(false),
        },
        with_fill: None,
    }
}

fn ordering(function: &mut Function, order: Vec<OrderByExpr>) {
    if let FunctionArguments::List(list) = &mut function.args {
        list.clauses
            .retain(|clause| !matches!(clause, FunctionArgumentClause::OnOverflow(_)));
        if !order.is_empty() {
            list.clauses.push(FunctionArgumentClause::OrderBy(order));
        }
    }
}

/// `max_by(x, y)` is the first x by y downwards, of rows that have a y.
fn extreme(function: &Function, greatest: bool, value: &Expr, by: &Expr) -> Expr {
    let mut first = renamed(function, "first_value", Some(vec![value.clone()]));
    ordering(&mut first, vec![ordered(by.clone(), !greatest)]);
    let has_key = Expr::IsNotNull(Box::new(Expr::Nested(Box::new(by.clone()))));
    first.filter = Some(Box::new(match first.filter.take() {
        None => has_key,
        Some(filter) => Expr::BinaryOp {
            left: Box::new(Expr::Nested(filter)),
            op: BinaryOperator::And,
            right: Box::new(has_key),
        },
    }));
    Expr::Function(first)
}

/// `listagg(x, separator) WITHIN GROUP (ORDER BY …)`.
fn listed(function: &Function, value: &Expr, separator: Expr) -> Expr {
    let mut all = renamed(
        function,
        "string_agg",
        Some(vec![call("$varchar", vec![value.clone()]), separator]),
    );
    let order = std::mem::take(&mut all.within_group);
    ordering(&mut all, order);
    call("$varchar_of", vec![Expr::Function(all)])
}
