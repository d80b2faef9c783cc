//! From Trino's SQL to a plan: what DataFusion reads differently is rewritten on the parsed
//! statement, and nothing but a query comes through.

mod bind;
mod calls;
mod messages;
mod parse;
mod rewrite;
mod unnest;
mod uses;

use datafusion::execution::context::SessionContext;
use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::parser::Statement as PlannedStatement;
use onair_logs::value::Value;

pub use uses::{Uses, uses};

use crate::error::EngineError;

/// Plans one query in Trino's dialect. Each `?` of the text takes the next of `parameters`, as a
/// value of its type.
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
    bind::bind(&mut statement, parameters)?;
    rewrite::rewrite(&mut statement)?;
    let mut state = context.state();
    state
        .register_relation_planner(std::sync::Arc::new(unnest::Planner))
        .map_err(|error| messages::from_planner(&error))?;
    let options = state.config_mut().options_mut();
    // Trino has NULL last, whichever way it sorts.
    "nulls_last".clone_into(&mut options.sql_parser.default_null_ordering);
    options.sql_parser.collect_spans = true;
    state
        .statement_to_plan(PlannedStatement::Statement(Box::new(statement)))
        .await
        .map_err(|error| messages::from_planner(&error))
}
