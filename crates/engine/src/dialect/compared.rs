//! Refuses what Trino refuses and DataFusion would convert without a word: text that is compared, or
//! reckoned, with a number or a time. Such a query would run here and fail on Athena.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, Result, plan_err};
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Between, BinaryExpr, Expr, ExprSchemable, LogicalPlan, Operator};

use crate::functions::types;

/// Checks all expressions of a plan, before DataFusion brings their types together.
pub(super) fn check(plan: &LogicalPlan) -> Result<()> {
    plan.apply_with_subqueries(|node| {
        let schema = merge_schema(&node.inputs());
        if let LogicalPlan::Join(join) = node {
            for (left, right) in &join.on {
                pair("=", left, right, &schema)?;
            }
        }
        node.apply_expressions(|expression| {
            expression.apply(|expression| {
                one(expression, &schema)?;
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    Ok(())
}

fn one(expression: &Expr, schema: &DFSchema) -> Result<()> {
    match expression {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
            if !matches!(op, Operator::And | Operator::Or) {
                pair(&op.to_string(), left, right, schema)?;
            }
            if *op == Operator::StringConcat {
                joined(left, schema)?;
                joined(right, schema)?;
            }
            Ok(())
        }
        Expr::Between(Between {
            expr, low, high, ..
        }) => {
            pair("BETWEEN", expr, low, schema)?;
            pair("BETWEEN", expr, high, schema)
        }
        Expr::InList(list) => list
            .list
            .iter()
            .try_for_each(|value| pair("IN", &list.expr, value, schema)),
        _ => Ok(()),
    }
}

fn is_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::Utf8View)
}

fn is_other(data_type: &DataType) -> bool {
    data_type.is_numeric()
        || data_type.is_temporal()
        || matches!(
            data_type,
            DataType::Boolean | DataType::Interval(_) | DataType::FixedSizeBinary(_)
        )
}

fn pair(operator: &str, left: &Expr, right: &Expr, schema: &DFSchema) -> Result<()> {
    // Where a type is not known yet, DataFusion finds out, and says so.
    let (Ok(left), Ok(right)) = (left.get_type(schema), right.get_type(schema)) else {
        return Ok(());
    };
    if (is_text(&left) && is_other(&right)) || (is_other(&left) && is_text(&right)) {
        return plan_err!(
            "{operator} takes {} and {}: CAST one of them",
            types::name(&left),
            types::name(&right)
        );
    }
    Ok(())
}

/// `||` joins texts, arrays and bytes alone.
fn joined(value: &Expr, schema: &DFSchema) -> Result<()> {
    match value.get_type(schema) {
        Ok(data_type) if is_other(&data_type) => plan_err!(
            "|| takes varchar, not {}: CAST(… AS varchar)",
            types::name(&data_type)
        ),
        _ => Ok(()),
    }
}
