//! Trino's aggregates that DataFusion lacks. <https://trino.io/docs/current/functions/aggregate.html>
//!
//! Those that it has under another name or in another form are rewritten in `dialect::calls`.

mod digest;
mod pairs;
mod percentile;

use datafusion::logical_expr::AggregateUDF;

/// The functions of this folder.
pub(super) fn functions() -> Vec<AggregateUDF> {
    let mut all = pairs::functions();
    all.push(AggregateUDF::new_from_impl(percentile::Percentile::new()));
    all
}
