//! Trino's functions, under their own names and with their own meaning.
//!
//! A query may call these and no others (`names`): what is not Trino's would run here and fail on
//! Athena. Functions whose name has a `$` are what the dialect rewrites casts and literals to; no
//! query can name them.

mod addresses;
mod aggregates;
mod arrays;
mod casts;
mod digests;
mod formats;
mod iso8601;
mod json;
mod lambdas;
mod maps;
mod names;
mod numbers;
mod patterns;
mod scalar;
mod texts;
mod times;
pub(crate) mod types;
mod urls;

use std::sync::Arc;

use datafusion::execution::FunctionRegistry;
use datafusion::execution::context::SessionContext;
use datafusion::logical_expr::ScalarUDF;

pub(crate) use names::{distance, is_known, nearest};

use crate::error::EngineError;

/// A session's functions become Trino's.
///
/// # Errors
/// A function of ours cannot be registered: a fault of the engine.
pub(crate) fn register(context: &SessionContext) -> Result<(), EngineError> {
    let fault =
        |error: datafusion::error::DataFusionError| EngineError::Internal(error.to_string());
    let state = context.state_ref();
    let mut state = state.write();
    for function in scalars() {
        state.register_udf(Arc::new(function)).map_err(fault)?;
    }
    for function in aggregates::functions() {
        state.register_udaf(Arc::new(function)).map_err(fault)?;
    }
    for function in lambdas::functions() {
        state
            .register_higher_order_function(function)
            .map_err(fault)?;
    }
    Ok(())
}

fn scalars() -> Vec<ScalarUDF> {
    [
        addresses::functions(),
        arrays::functions(),
        casts::functions(),
        digests::functions(),
        formats::functions(),
        json::functions(),
        maps::functions(),
        numbers::functions(),
        patterns::functions(),
        texts::functions(),
        times::functions(),
        urls::functions(),
    ]
    .concat()
}

/// A length or a place as `bigint`.
fn number_of(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
