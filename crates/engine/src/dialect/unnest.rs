//! `UNNEST`, also of columns of the tables before it, with ordinality, and of maps.
//!
//! `FROM t CROSS JOIN UNNEST(t.a) AS u (x)` becomes a nested join on the parsed statement, so that
//! the planner here sees what is on the left of it.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Column, DFSchema, Result, TableReference, UnnestOptions, plan_err};
use datafusion::logical_expr::planner::{
    PlannedRelation, RelationPlanner, RelationPlannerContext, RelationPlanning,
};
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, expr};
use datafusion::sql::sqlparser::ast::{
    Expr as Written, Join, JoinConstraint, JoinOperator, TableAlias, TableFactor, TableWithJoins,
    Value as Literal, ValueWithSpan,
};

/// Puts each join with an UNNEST, together with all before it, into a join of its own. Commas before
/// an UNNEST are such joins as well.
pub(super) fn nest(from: &mut Vec<TableWithJoins>) {
    let mut merged: Vec<TableWithJoins> = Vec::new();
    for table in from.drain(..) {
        match merged.last_mut() {
            Some(left) if matches!(table.relation, TableFactor::UNNEST { .. }) => {
                left.joins.push(Join {
                    relation: table.relation,
                    global: false,
                    join_operator: JoinOperator::CrossJoin(JoinConstraint::None),
                });
                left.joins.extend(table.joins);
            }
            _ => merged.push(table),
        }
    }
    *from = merged;
    for table in from {
        let joins = std::mem::take(&mut table.joins);
        for join in joins {
            let is_unnest = matches!(join.relation, TableFactor::UNNEST { .. });
            table.joins.push(join);
            if is_unnest {
                let inner = TableWithJoins {
                    relation: table.relation.clone(),
                    joins: std::mem::take(&mut table.joins),
                };
                table.relation = TableFactor::NestedJoin {
                    table_with_joins: Box::new(inner),
                    alias: None,
                };
            }
        }
    }
}

/// Plans what [`nest`] made.
#[derive(Debug)]
pub(super) struct Planner;

impl RelationPlanner for Planner {
    fn plan_relation(
        &self,
        relation: TableFactor,
        context: &mut dyn RelationPlannerContext,
    ) -> Result<RelationPlanning> {
        match relation {
            TableFactor::NestedJoin {
                mut table_with_joins,
                alias: None,
            } if matches!(
                table_with_joins.joins.last(),
                Some(Join {
                    relation: TableFactor::UNNEST { .. },
                    ..
                })
            ) =>
            {
                let Some(join) = table_with_joins.joins.pop() else {
                    return plan_err!("a join was to be there");
                };
                let keeps_all = match &join.join_operator {
                    JoinOperator::CrossJoin(JoinConstraint::None) => false,
                    JoinOperator::LeftOuter(constraint) | JoinOperator::Left(constraint)
                        if is_true(constraint) =>
                    {
                        true
                    }
                    JoinOperator::Inner(constraint) | JoinOperator::Join(constraint)
                        if is_true(constraint) =>
                    {
                        false
                    }
                    _ => {
                        return plan_err!(
                            "UNNEST is joined as CROSS JOIN UNNEST(…), or LEFT JOIN UNNEST(…) ON TRUE"
                        );
                    }
                };
                let left = if table_with_joins.joins.is_empty() {
                    context.plan(table_with_joins.relation)?
                } else {
                    context.plan(TableFactor::NestedJoin {
                        table_with_joins,
                        alias: None,
                    })?
                };
                unnested(left, join.relation, keeps_all, context)
            }
            relation @ TableFactor::UNNEST { .. } => unnested(
                LogicalPlanBuilder::empty(true).build()?,
                relation,
                false,
                context,
            ),
            other => Ok(RelationPlanning::Original(Box::new(other))),
        }
    }
}

fn is_true(constraint: &JoinConstraint) -> bool {
    matches!(
        constraint,
        JoinConstraint::On(Written::Value(ValueWithSpan {
            value: Literal::Boolean(true),
            ..
        }))
    )
}

fn function(context: &dyn RelationPlannerContext, name: &str, argument: Expr) -> Result<Expr> {
    let Some(function) = context.context_provider().get_function_meta(name) else {
        return plan_err!("the function {name} is not there");
    };
    Ok(Expr::ScalarFunction(expr::ScalarFunction::new_udf(
        function,
        vec![argument],
    )))
}

fn unnested(
    left: LogicalPlan,
    relation: TableFactor,
    keeps_all: bool,
    context: &mut dyn RelationPlannerContext,
) -> Result<RelationPlanning> {
    let TableFactor::UNNEST {
        alias,
        array_exprs,
        with_ordinality,
        ..
    } = relation
    else {
        return plan_err!("UNNEST was to be there");
    };
    let schema: DFSchema = left.schema().as_ref().clone();
    let mut lists: Vec<Expr> = Vec::new();
    for written in array_exprs {
        let array = context.sql_to_expr(written, &schema)?;
        match array.get_type(&schema)? {
            DataType::Map(..) => {
                lists.push(function(context, "map_keys", array.clone())?);
                lists.push(function(context, "map_values", array)?);
            }
            DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..) => {
                lists.push(array);
            }
            _ => return plan_err!("UNNEST takes an array or a map"),
        }
    }
    let Some(first) = lists.first().cloned() else {
        return plan_err!("UNNEST takes an array or a map");
    };
    if with_ordinality {
        lists.push(function(context, "$places", first)?);
    }
    if keeps_all {
        // An empty array has a row as well, and only NULL keeps one.
        lists = lists
            .into_iter()
            .map(|list| function(context, "$unless_empty", list))
            .collect::<Result<_>>()?;
    }
    let names = names(alias.as_ref(), lists.len(), with_ordinality, context)?;
    let table = alias.map(|alias| context.normalize_ident(alias.name));
    // Names of its own until the lists are taken apart, so that they are not those of the left.
    let inner: Vec<String> = (0..lists.len())
        .map(|place| format!("$unnest{place}"))
        .collect();
    let before = left.schema().columns();
    let projected = before
        .iter()
        .cloned()
        .map(Expr::Column)
        .chain(
            lists
                .into_iter()
                .zip(&inner)
                .map(|(list, name)| list.alias(name)),
        )
        .collect::<Vec<_>>();
    let options = UnnestOptions::new().with_preserve_nulls(keeps_all);
    let plan = LogicalPlanBuilder::from(left)
        .project(projected)?
        .unnest_columns_with_options(inner.iter().map(Column::from_name).collect(), options)?
        .project(
            before
                .into_iter()
                .map(Expr::Column)
                .chain(inner.iter().zip(names).map(|(inner, name)| {
                    Expr::Column(Column::from_name(inner))
                        .alias_qualified(table.clone().map(TableReference::bare), name)
                })),
        )?
        .build()?;
    Ok(RelationPlanning::Planned(Box::new(PlannedRelation::new(
        plan, None,
    ))))
}

fn names(
    alias: Option<&TableAlias>,
    count: usize,
    with_ordinality: bool,
    context: &dyn RelationPlannerContext,
) -> Result<Vec<String>> {
    let given: Vec<String> = alias
        .iter()
        .flat_map(|alias| &alias.columns)
        .map(|column| context.normalize_ident(column.name.clone()))
        .collect();
    if !given.is_empty() && given.len() != count {
        return plan_err!(
            "UNNEST has {count} columns, but {} names{}",
            given.len(),
            if with_ordinality {
                " (the ordinality is the last)"
            } else {
                ""
            }
        );
    }
    if given.is_empty() {
        return Ok((0..count).map(|place| format!("_col{place}")).collect());
    }
    Ok(given)
}
