//! From Trino's SQL to a plan: what DataFusion reads differently is rewritten on the parsed
//! statement, and nothing but a query comes through.
//!
//! Limits, where a query of Trino's runs otherwise here: names are folded to lower case, quoted or
//! not, in results as well; `100.0` is a double and not a decimal ([`Uses::decimals`] finds it);
//! `real` is a double and `smallint` and `tinyint` are integers; regular expressions have no
//! look-around; `TABLE t`, `VALUES 1, 2` without parentheses, `MATCH_RECOGNIZE` and the JSON functions
//! of the SQL standard are not read.

mod bind;
mod calls;
mod compared;
mod messages;
mod parse;
mod rewrite;
mod tables;
mod unnest;
mod uses;

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::error::DataFusionError;
use datafusion::execution::context::SessionContext;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use datafusion::sql::parser::Statement as PlannedStatement;
use onair_logs::value::Value;

pub use uses::{Uses, uses};

use crate::error::EngineError;

/// Plans one query in Trino's dialect. Each `?` of the text takes the next of `parameters`, as a
/// value of its type. The session's functions must be [`crate::functions::register`]'s.
///
/// # Errors
/// The text is no query, there are more or fewer parameters than `?`, or a name is not there.
pub(crate) async fn plan(
    context: &SessionContext,
    text: &str,
    parameters: &[Value],
) -> Result<LogicalPlan, EngineError> {
    let mut statement = parse::query(text)?;
    uses::known(&uses::of(&statement))?;
    tables::known(context, &statement)?;
    bind::bind(&mut statement, parameters)?;
    rewrite::rewrite(&mut statement)?;
    let mut state = context.state();
    state.register_relation_planner(Arc::new(unnest::Planner))?;
    let options = state.config_mut().options_mut();
    // Trino has NULL last, whichever way it sorts.
    "nulls_last".clone_into(&mut options.sql_parser.default_null_ordering);
    options.sql_parser.collect_spans = true;
    let plan = state
        .statement_to_plan(PlannedStatement::Statement(Box::new(statement)))
        .await?;
    compared::check(&plan)?;
    Ok(shown(context, plan)?)
}

/// Columns of types that a result has no value for become the text that Trino shows: addresses, and
/// times of another zone than UTC.
fn shown(context: &SessionContext, plan: LogicalPlan) -> Result<LogicalPlan, DataFusionError> {
    let is_foreign = |data_type: &DataType| match data_type {
        DataType::FixedSizeBinary(16) => true,
        DataType::Timestamp(_, Some(zone)) => zone.as_ref() != "UTC",
        _ => false,
    };
    let schema = Arc::clone(plan.schema());
    if !schema
        .fields()
        .iter()
        .any(|field| is_foreign(field.data_type()))
    {
        return Ok(plan);
    }
    let state = context.state_ref();
    let Some(text) = state.read().scalar_functions().get("$varchar").cloned() else {
        return Ok(plan);
    };
    let columns = schema
        .columns()
        .into_iter()
        .zip(schema.fields())
        .map(|(column, field)| {
            if !is_foreign(field.data_type()) {
                return Expr::Column(column);
            }
            let name = column.name.clone();
            let relation = column.relation.clone();
            Expr::ScalarFunction(ScalarFunction::new_udf(
                Arc::clone(&text),
                vec![Expr::Column(column)],
            ))
            .alias_qualified(relation, name)
        });
    LogicalPlanBuilder::from(plan)
        .project(columns.collect::<Vec<_>>())?
        .build()
}
