//! What DataFusion reads differently, rewritten on the parsed statement: expressions and clauses.
//! Calls of functions are in `calls`, `UNNEST` in `unnest`.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    AccessExpr, BinaryOperator, CastKind, CeilFloorKind, CharacterLength, DataType, DateTimeField,
    ExactNumberInfo, Expr, Ident, LimitClause, Query, Select, SelectItem, SetExpr, Statement,
    Subscript, TableFactor, TimezoneInfo, TrimWhereField, TypedString, Value as Literal,
    ValueWithSpan, VisitMut, VisitorMut,
};

use super::calls::{self, call, number};
use super::{messages, unnest};
use crate::error::EngineError;

/// Rewrites a statement from Trino's meaning to DataFusion's.
pub(super) fn rewrite(statement: &mut Statement) -> Result<(), EngineError> {
    if let Statement::Query(query) = statement {
        name_columns(&mut query.body);
    }
    match statement.visit(&mut Rewriter) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(error),
    }
}

type Flow = ControlFlow<EngineError>;

fn refuse(message: impl Into<String>) -> Flow {
    ControlFlow::Break(messages::plain(message))
}

/// Columns without a name are `_col0`, `_col1` and so on, by their place, as Trino has them.
fn name_columns(body: &mut SetExpr) {
    match body {
        SetExpr::Select(select) => name_items(select),
        SetExpr::Query(query) => name_columns(&mut query.body),
        SetExpr::SetOperation { left, .. } => name_columns(left),
        _ => {}
    }
}

fn name_items(select: &mut Select) {
    for (place, item) in select.projection.iter_mut().enumerate() {
        match item {
            SelectItem::UnnamedExpr(Expr::Identifier(_) | Expr::CompoundIdentifier(_))
            | SelectItem::ExprWithAlias { .. }
            | SelectItem::ExprWithAliases { .. } => {}
            // After a wildcard the place is not known here.
            SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..) => break,
            SelectItem::UnnamedExpr(Expr::CompoundFieldAccess { access_chain, .. })
                if matches!(access_chain.last(), Some(AccessExpr::Dot(_))) => {}
            SelectItem::UnnamedExpr(expression) => {
                *item = SelectItem::ExprWithAlias {
                    expr: expression.clone(),
                    alias: Ident::new(format!("_col{place}")),
                };
            }
        }
    }
}

struct Rewriter;

impl VisitorMut for Rewriter {
    type Break = EngineError;

    fn pre_visit_query(&mut self, query: &mut Query) -> Flow {
        if query.for_clause.is_some()
            || query.settings.is_some()
            || query.format_clause.is_some()
            || !query.locks.is_empty()
            || !query.pipe_operators.is_empty()
        {
            return refuse("the query ends in a clause that Trino does not have");
        }
        // FETCH FIRST n ROWS ONLY is LIMIT n.
        if let Some(fetch) = query.fetch.take() {
            if fetch.with_ties || fetch.percent {
                return refuse("FETCH FIRST … WITH TIES is not supported: write ROWS ONLY");
            }
            let quantity = fetch.quantity.unwrap_or_else(|| number("1"));
            match &mut query.limit_clause {
                None => {
                    query.limit_clause = Some(LimitClause::LimitOffset {
                        limit: Some(quantity),
                        offset: None,
                        limit_by: Vec::new(),
                    });
                }
                Some(LimitClause::LimitOffset { limit, .. }) if limit.is_none() => {
                    *limit = Some(quantity);
                }
                Some(_) => return refuse("LIMIT and FETCH FIRST are the same: write one of them"),
            }
        }
        match &query.limit_clause {
            Some(LimitClause::OffsetCommaLimit { .. }) => {
                refuse("write OFFSET … LIMIT … instead of LIMIT …, …")
            }
            _ => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> Flow {
        let has_foreign = select.top.is_some()
            || select.into.is_some()
            || select.prewhere.is_some()
            || select.qualify.is_some()
            || select.exclude.is_some()
            || !select.connect_by.is_empty()
            || !select.lateral_views.is_empty()
            || !select.cluster_by.is_empty()
            || !select.distribute_by.is_empty()
            || !select.sort_by.is_empty();
        if has_foreign {
            return refuse("the SELECT has a clause that Trino does not have");
        }
        unnest::nest(&mut select.from);
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> Flow {
        match factor {
            TableFactor::Table {
                args: None, name, ..
            } => {
                if name.0.iter().all(|part| part.as_ident().is_some()) {
                    ControlFlow::Continue(())
                } else {
                    refuse("a table is named by identifiers alone")
                }
            }
            TableFactor::Derived { .. }
            | TableFactor::NestedJoin { .. }
            | TableFactor::UNNEST { .. } => ControlFlow::Continue(()),
            TableFactor::Table { name, .. } | TableFactor::Function { name, .. } => {
                refuse(format!("there is no table function {name}"))
            }
            _ => refuse("FROM takes tables, queries in parentheses and UNNEST"),
        }
    }

    fn post_visit_expr(&mut self, expression: &mut Expr) -> Flow {
        match rewritten(expression) {
            Ok(Some(new)) => *expression = new,
            Ok(None) => {}
            Err(error) => return ControlFlow::Break(error),
        }
        ControlFlow::Continue(())
    }
}

/// What an expression becomes; none: it stays.
fn rewritten(expression: &mut Expr) -> Result<Option<Expr>, EngineError> {
    Ok(Some(match expression {
        Expr::Function(function) => return calls::rewritten(function),
        Expr::Cast {
            kind,
            expr,
            data_type,
            ..
        } => return cast(kind, (**expr).clone(), data_type),
        Expr::TypedString(literal) => return typed(literal),
        Expr::AtTimeZone {
            timestamp,
            time_zone,
        } => call(
            "at_timezone",
            vec![(**timestamp).clone(), (**time_zone).clone()],
        ),
        Expr::Extract { field, expr, .. } => {
            let name = field.to_string().to_ascii_lowercase();
            if !EXTRACTED.contains(&name.as_str()) {
                return Err(messages::plain(format!(
                    "EXTRACT({field} FROM …) is not supported: {}",
                    EXTRACTED.join(", ")
                )));
            }
            call(&name, vec![(**expr).clone()])
        }
        Expr::Ceil {
            expr,
            field: CeilFloorKind::DateTimeField(DateTimeField::NoDateTime),
        } => call("ceil", vec![(**expr).clone()]),
        Expr::Floor {
            expr,
            field: CeilFloorKind::DateTimeField(DateTimeField::NoDateTime),
        } => call("floor", vec![(**expr).clone()]),
        Expr::Position { expr, r#in } => call("strpos", vec![(**r#in).clone(), (**expr).clone()]),
        Expr::Substring {
            expr,
            substring_from,
            substring_for,
            ..
        } => {
            let from = substring_from
                .as_deref()
                .cloned()
                .unwrap_or_else(|| number("1"));
            let mut arguments = vec![(**expr).clone(), from];
            arguments.extend(substring_for.as_deref().cloned());
            call("substr", arguments)
        }
        Expr::Trim {
            trim_where,
            trim_what,
            expr,
            trim_characters,
        } => {
            let name = match trim_where {
                Some(TrimWhereField::Leading) => "ltrim",
                Some(TrimWhereField::Trailing) => "rtrim",
                Some(TrimWhereField::Both) | None => "trim",
            };
            let mut arguments = vec![(**expr).clone()];
            arguments.extend(trim_what.as_deref().cloned());
            arguments.extend(trim_characters.iter().flatten().cloned());
            call(name, arguments)
        }
        Expr::CompoundFieldAccess { root, access_chain } => {
            return subscripts((**root).clone(), access_chain);
        }
        Expr::BinaryOp { op, .. } if !is_operator(op) => {
            return Err(messages::plain(format!("Trino has no operator {op}")));
        }
        Expr::Like {
            negated,
            any: false,
            expr,
            pattern,
            escape_char,
        } => Expr::Like {
            negated: *negated,
            any: false,
            expr: expr.clone(),
            pattern: Box::new(like_pattern(pattern, escape_char.as_ref())?),
            escape_char: None,
        },
        Expr::ILike { .. } => {
            return Err(messages::plain(
                "Trino has no ILIKE: write lower(x) LIKE '…'",
            ));
        }
        Expr::RLike { .. } | Expr::SimilarTo { .. } => {
            return Err(messages::plain("write regexp_like(text, pattern)"));
        }
        Expr::Array(array) if !array.named => {
            return Err(messages::plain("write ARRAY[…] for an array"));
        }
        Expr::Dictionary(_) | Expr::Map(_) | Expr::Struct { .. } => {
            return Err(messages::plain("write map(ARRAY[…], ARRAY[…]) for a map"));
        }
        _ => return Ok(None),
    }))
}

/// What EXTRACT takes; each is a function too.
const EXTRACTED: [&str; 16] = [
    "year",
    "quarter",
    "month",
    "week",
    "day",
    "day_of_month",
    "day_of_week",
    "dow",
    "day_of_year",
    "doy",
    "year_of_week",
    "yow",
    "hour",
    "minute",
    "second",
    "millisecond",
];

fn is_operator(operator: &BinaryOperator) -> bool {
    use BinaryOperator as Is;
    matches!(
        operator,
        Is::Plus
            | Is::Minus
            | Is::Multiply
            | Is::Divide
            | Is::Modulo
            | Is::StringConcat
            | Is::Gt
            | Is::Lt
            | Is::GtEq
            | Is::LtEq
            | Is::Eq
            | Is::NotEq
            | Is::And
            | Is::Or
    )
}

/// `a[1]` counts from 1, `m['k']` is a map's; what is not there is an error.
fn subscripts(root: Expr, chain: &[AccessExpr]) -> Result<Option<Expr>, EngineError> {
    if chain
        .iter()
        .all(|access| matches!(access, AccessExpr::Dot(_)))
    {
        return Ok(None);
    }
    let mut expression = root;
    for access in chain {
        expression = match access {
            AccessExpr::Subscript(Subscript::Index { index }) => {
                call("$subscript", vec![expression, index.clone()])
            }
            AccessExpr::Subscript(Subscript::Slice { .. }) => {
                return Err(messages::plain("write slice(array, start, length)"));
            }
            dot @ AccessExpr::Dot(_) => Expr::CompoundFieldAccess {
                root: Box::new(expression),
                access_chain: vec![dot.clone()],
            },
        };
    }
    Ok(Some(expression))
}

/// DataFusion's LIKE has `\` for its escape, always; Trino's has none but what ESCAPE names.
fn like_pattern(pattern: &Expr, escape: Option<&ValueWithSpan>) -> Result<Expr, EngineError> {
    let escape = match escape.map(|escape| &escape.value) {
        None => None,
        Some(Literal::SingleQuotedString(text)) if text.chars().count() == 1 => text.chars().next(),
        Some(_) => return Err(messages::plain("ESCAPE takes one character")),
    };
    let text = |text: String| Expr::Value(ValueWithSpan::from(Literal::SingleQuotedString(text)));
    let Expr::Value(ValueWithSpan {
        value: Literal::SingleQuotedString(written),
        ..
    }) = pattern
    else {
        if escape.is_some() {
            return Err(messages::plain(
                "LIKE … ESCAPE takes a pattern that is written as a literal here",
            ));
        }
        let doubled = vec![
            pattern.clone(),
            text(r"\".to_owned()),
            text(r"\\".to_owned()),
        ];
        return Ok(call("replace", doubled));
    };
    let mut out = String::with_capacity(written.len());
    let mut characters = written.chars();
    while let Some(character) = characters.next() {
        let (plain, is_escaped) = if Some(character) == escape {
            match characters.next() {
                Some(next) if matches!(next, '%' | '_') || Some(next) == escape => (next, true),
                _ => {
                    return Err(messages::plain(
                        "in LIKE, the escape stands before %, _ or itself",
                    ));
                }
            }
        } else {
            (character, false)
        };
        if plain == '\\' || (is_escaped && matches!(plain, '%' | '_')) {
            out.push('\\');
        }
        out.push(plain);
    }
    Ok(text(out))
}

fn cast(kind: &CastKind, value: Expr, data_type: &DataType) -> Result<Option<Expr>, EngineError> {
    let tries = match kind {
        CastKind::Cast => "",
        CastKind::TryCast => "try_",
        _ => {
            return Err(messages::plain(format!(
                "write CAST(… AS {data_type}) instead of ::{data_type}"
            )));
        }
    };
    let named = |name: &str| call(&format!("${tries}{name}"), vec![value.clone()]);
    let length = |length: &Option<CharacterLength>| match length {
        Some(CharacterLength::IntegerLength { length, .. }) => Some(length.to_string()),
        _ => None,
    };
    Ok(Some(match data_type {
        DataType::Varchar(size) | DataType::CharacterVarying(size) => {
            let mut arguments = vec![value];
            arguments.extend(length(size).map(|length| number(&length)));
            call("$varchar", arguments)
        }
        DataType::BigInt(None) => named("bigint"),
        DataType::Int(None)
        | DataType::Integer(None)
        | DataType::SmallInt(None)
        | DataType::TinyInt(None) => named("integer"),
        DataType::Double(ExactNumberInfo::None) | DataType::DoublePrecision | DataType::Real => {
            named("double")
        }
        DataType::Boolean => named("boolean"),
        DataType::Date => named("date"),
        DataType::Timestamp(digits, zone) => {
            let digits = digits.unwrap_or(3);
            let code = match zone {
                TimezoneInfo::None | TimezoneInfo::WithoutTimeZone => number(&digits.to_string()),
                TimezoneInfo::WithTimeZone | TimezoneInfo::Tz => {
                    calls::negative(&(digits + 1).to_string())
                }
            };
            call(&format!("${tries}to_timestamp"), vec![value, code])
        }
        DataType::JSON => call("$json", vec![value]),
        DataType::Decimal(_)
        | DataType::Dec(_)
        | DataType::Interval { .. }
        | DataType::Time(..) => {
            return Ok(None);
        }
        DataType::Array(_) => return Ok(None),
        DataType::Custom(name, _) if name.to_string().eq_ignore_ascii_case("ipaddress") => {
            named("address")
        }
        other => {
            return Err(messages::plain(format!(
                "CAST to {other} is not supported: varchar, bigint, integer, double, decimal, boolean, date, timestamp, json, ipaddress"
            )));
        }
    }))
}

/// `TIMESTAMP '…'` is as precise as it is written; other typed literals are casts.
fn typed(literal: &TypedString) -> Result<Option<Expr>, EngineError> {
    let text = Expr::Value(literal.value.clone());
    match &literal.data_type {
        DataType::Timestamp(None, TimezoneInfo::None) => {
            if !matches!(
                &literal.value,
                ValueWithSpan {
                    value: Literal::SingleQuotedString(_),
                    ..
                }
            ) {
                return Err(messages::plain("write TIMESTAMP '2026-06-14 17:00:00'"));
            }
            Ok(Some(call("$timestamp", vec![text])))
        }
        DataType::JSON => Ok(Some(call("json_parse", vec![text]))),
        DataType::Time(..) => Ok(None),
        other => Ok(cast(&CastKind::Cast, text, other)?),
    }
}
