//! Counts distinct values in two levels of grouping.
//!
//! `count(DISTINCT x)` for each group keeps a set for each group: gigabytes, for the sessions of each
//! address. To group by the keys and `x` first, and then by the keys, needs one table of groups, which
//! spills. DataFusion does so where `sum`, `min` and `max` are the only other aggregates; this rule
//! does it beside all that can be put together from parts: `count`, `avg`, `bool_and` and `bool_or`,
//! and with `FILTER`.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, Result};
use datafusion::functions::core::expr_fn::coalesce;
use datafusion::functions_aggregate::bool_and_or::bool_or_udaf;
use datafusion::functions_aggregate::count::count_udaf;
use datafusion::functions_aggregate::sum::sum_udaf;
use datafusion::logical_expr::expr::{AggregateFunction, AggregateFunctionParams};
use datafusion::logical_expr::{
    Aggregate, AggregateUDF, Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, cast, lit,
};
use datafusion::optimizer::optimizer::ApplyOrder;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};

/// The rule; see the module.
#[derive(Debug)]
pub(crate) struct TwoLevelGrouping;

impl OptimizerRule for TwoLevelGrouping {
    fn name(&self) -> &'static str {
        "two_level_grouping"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        _config: &dyn OptimizerConfig,
    ) -> Result<Transformed<LogicalPlan>> {
        let LogicalPlan::Aggregate(aggregate) = plan else {
            return Ok(Transformed::no(plan));
        };
        match levels(&aggregate)? {
            Some(two) => Ok(Transformed::yes(two)),
            None => Ok(Transformed::no(LogicalPlan::Aggregate(aggregate))),
        }
    }
}

/// How an aggregate comes of the groups of the first level.
struct Parts {
    /// Of the first level, with their names.
    inner: Vec<Expr>,
    /// Of the second level, with their names.
    outer: Vec<Expr>,
    /// What puts the second level's together, by their names.
    whole: Expr,
}

fn levels(aggregate: &Aggregate) -> Result<Option<LogicalPlan>> {
    let is_plain = |expr: &Expr| !matches!(expr, Expr::GroupingSet(_));
    if !aggregate.group_expr.iter().all(is_plain) {
        return Ok(None);
    }
    let Some(value) = distinct_value(&aggregate.aggr_expr) else {
        return Ok(None);
    };
    let keys = aggregate.group_expr.len();
    let mut inner_groups: Vec<Expr> = aggregate
        .group_expr
        .iter()
        .enumerate()
        .map(|(place, expr)| expr.clone().alias(key(place)))
        .collect();
    inner_groups.push(value.alias(VALUE));
    let mut inner = Vec::new();
    let mut outer = Vec::new();
    let mut wholes = Vec::new();
    for (place, expr) in aggregate.aggr_expr.iter().enumerate() {
        let kind = expr.get_type(aggregate.input.schema())?;
        let Some(parts) = parts(expr, place, &kind) else {
            return Ok(None);
        };
        inner.extend(parts.inner);
        outer.extend(parts.outer);
        wholes.push((parts.whole, kind));
    }
    let first = LogicalPlanBuilder::from(aggregate.input.clone())
        .aggregate(inner_groups, inner)?
        .build()?;
    let second = LogicalPlanBuilder::from(first)
        .aggregate((0..keys).map(|place| column(&key(place))), outer)?
        .build()?;
    let mut columns = Vec::new();
    for place in 0..keys {
        let (qualifier, field) = aggregate.schema.qualified_field(place);
        columns.push(column(&key(place)).alias_qualified(qualifier.cloned(), field.name()));
    }
    for (place, (whole, kind)) in wholes.into_iter().enumerate() {
        let (qualifier, field) = aggregate.schema.qualified_field(keys + place);
        let whole = if whole.get_type(second.schema())? == kind {
            whole
        } else {
            cast(whole, kind)
        };
        columns.push(whole.alias_qualified(qualifier.cloned(), field.name()));
    }
    Ok(Some(
        LogicalPlanBuilder::from(second).project(columns)?.build()?,
    ))
}

// Names of columns between the levels. No query can write them without quotes.

/// The value whose distinct ones are counted.
const VALUE: &str = "__distinct";

/// A key of the groups.
fn key(place: usize) -> String {
    format!("__key_{place}")
}

/// A part of an aggregate in a level.
fn part_name(level: &str, place: usize, part: &str) -> String {
    format!("__{level}_{place}_{part}")
}

fn column(name: &str) -> Expr {
    Expr::Column(Column::new_unqualified(name))
}

/// The value whose distinct ones are counted, if that is the same in all of the aggregates.
fn distinct_value(aggregates: &[Expr]) -> Option<Expr> {
    let mut found: Option<&Expr> = None;
    for expr in aggregates {
        let Expr::AggregateFunction(AggregateFunction { params, .. }) = expr else {
            return None;
        };
        if !params.distinct {
            continue;
        }
        let [value] = &params.args[..] else {
            return None;
        };
        match found {
            Some(known) if known != value => return None,
            _ => found = Some(value),
        }
    }
    found.cloned()
}

fn aggregate(function: Arc<AggregateUDF>, argument: Expr, filter: Option<Expr>) -> Expr {
    Expr::AggregateFunction(AggregateFunction::new_udf(
        function,
        vec![argument],
        false,
        filter.map(Box::new),
        vec![],
        None,
    ))
}

/// How to make an aggregate of parts, if it can be.
fn parts(expr: &Expr, place: usize, kind: &DataType) -> Option<Parts> {
    let Expr::AggregateFunction(AggregateFunction { func, params }) = expr else {
        return None;
    };
    let AggregateFunctionParams {
        args,
        distinct,
        filter,
        order_by,
        null_treatment: None,
    } = params
    else {
        return None;
    };
    if !order_by.is_empty() {
        return None;
    }
    let filter = filter.as_deref().cloned();
    let name = func.name();
    let result = part_name("outer", place, name);
    if *distinct {
        if !matches!(name, "count" | "sum" | "min" | "max" | "avg") {
            return None;
        }
        // A value counts if it came with the filter's yes at least once.
        let (inner, filter) = match filter {
            Some(filter) => {
                let seen = part_name("inner", place, "seen");
                let any = aggregate(bool_or_udaf(), filter, None).alias(&seen);
                (vec![any], Some(column(&seen)))
            }
            None => (vec![], None),
        };
        return Some(Parts {
            inner,
            outer: vec![aggregate(func.clone(), column(VALUE), filter).alias(&result)],
            whole: column(&result),
        });
    }
    let part = part_name("inner", place, name);
    match name {
        "count" => {
            let counted = Expr::AggregateFunction(AggregateFunction::new_udf(
                func.clone(),
                args.clone(),
                false,
                filter.map(Box::new),
                vec![],
                None,
            ));
            Some(Parts {
                inner: vec![counted.alias(&part)],
                outer: vec![aggregate(sum_udaf(), column(&part), None).alias(&result)],
                // Without any rows there is no group to sum, and the count is 0.
                whole: coalesce(vec![column(&result), lit(0_i64)]),
            })
        }
        "sum" | "min" | "max" | "bool_and" | "bool_or" => {
            let [argument] = &args[..] else {
                return None;
            };
            Some(Parts {
                inner: vec![aggregate(func.clone(), argument.clone(), filter).alias(&part)],
                outer: vec![aggregate(func.clone(), column(&part), None).alias(&result)],
                whole: column(&result),
            })
        }
        "avg" if *kind == DataType::Float64 => {
            let [argument] = &args[..] else {
                return None;
            };
            let argument = cast(argument.clone(), DataType::Float64);
            let (sums, counts) = (
                part_name("inner", place, "sum"),
                part_name("inner", place, "count"),
            );
            let (sum, count) = (
                part_name("outer", place, "sum"),
                part_name("outer", place, "count"),
            );
            Some(Parts {
                inner: vec![
                    aggregate(sum_udaf(), argument.clone(), filter.clone()).alias(&sums),
                    aggregate(count_udaf(), argument, filter).alias(&counts),
                ],
                outer: vec![
                    aggregate(sum_udaf(), column(&sums), None).alias(&sum),
                    aggregate(sum_udaf(), column(&counts), None).alias(&count),
                ],
                // Without a value the sum is NULL, and so is what it is divided.
                whole: column(&sum) / cast(column(&count), DataType::Float64),
            })
        }
        _ => None,
    }
}
