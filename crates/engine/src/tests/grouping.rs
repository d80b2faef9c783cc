//! Two levels of grouping give what one gives.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray,
};
use datafusion::catalog::MemTable;
use datafusion::execution::SessionStateBuilder;
use datafusion::optimizer::Optimizer;
use datafusion::prelude::{SessionConfig, SessionContext};
use onair_logs::value::Value;
use proptest::prelude::*;

use crate::distinct::TwoLevelGrouping;
use crate::values;

/// A row: two keys, two values, a filter, a double with few digits.
type Row = (
    Option<u8>,
    Option<u8>,
    Option<i8>,
    Option<i8>,
    Option<bool>,
    Option<i8>,
);

fn table(rows: &[Row]) -> RecordBatch {
    let letters = |value: Option<u8>| value.map(|value| format!("value-that-is-long-{value}"));
    let columns: Vec<(&str, ArrayRef)> = vec![
        (
            "k",
            Arc::new(
                rows.iter()
                    .map(|row| letters(row.0))
                    .collect::<StringArray>(),
            ),
        ),
        (
            "l",
            Arc::new(
                rows.iter()
                    .map(|row| row.1.map(i64::from))
                    .collect::<Int64Array>(),
            ),
        ),
        (
            "x",
            Arc::new(
                rows.iter()
                    .map(|row| row.2.map(i64::from))
                    .collect::<Int64Array>(),
            ),
        ),
        (
            "y",
            Arc::new(
                rows.iter()
                    .map(|row| row.3.map(i64::from))
                    .collect::<Int64Array>(),
            ),
        ),
        (
            "p",
            Arc::new(rows.iter().map(|row| row.4).collect::<BooleanArray>()),
        ),
        (
            "d",
            Arc::new(
                rows.iter()
                    .map(|row| row.5.map(|value| f64::from(value) / 4.0))
                    .collect::<Float64Array>(),
            ),
        ),
    ];
    RecordBatch::try_from_iter_with_nullable(
        columns
            .into_iter()
            .map(|(name, column)| (name, column, true)),
    )
    .unwrap()
}

/// Rows of a query under the rules, and whether the plan has a distinct aggregate left.
fn ran(batch: &RecordBatch, text: &str, with_rule: bool) -> (Vec<Vec<Value>>, bool) {
    let mut rules = Optimizer::new().rules;
    rules.retain(|rule| rule.name() != "single_distinct_aggregation_to_group_by");
    if with_rule {
        rules.push(Arc::new(TwoLevelGrouping));
    }
    let state = SessionStateBuilder::new()
        .with_config(
            SessionConfig::new()
                .with_target_partitions(2)
                .with_batch_size(3),
        )
        .with_default_features()
        .with_optimizer_rules(rules)
        .build();
    let context = SessionContext::new_with_state(state);
    let middle = batch.num_rows() / 2;
    let halves = vec![
        vec![batch.slice(0, middle)],
        vec![batch.slice(middle, batch.num_rows() - middle)],
    ];
    let table = MemTable::try_new(batch.schema(), halves).unwrap();
    context.register_table("t", Arc::new(table)).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .unwrap();
    runtime.block_on(async {
        let plan = context
            .sql(text)
            .await
            .unwrap()
            .into_optimized_plan()
            .unwrap();
        let has_distinct = plan.display_indent().to_string().contains("DISTINCT ");
        let frame = context.execute_logical_plan(plan).await.unwrap();
        let mut rows = Vec::new();
        for batch in frame.collect().await.unwrap() {
            let columns: Vec<Vec<Value>> = batch
                .columns()
                .iter()
                .map(|column| values::column(column).unwrap())
                .collect();
            for row in 0..batch.num_rows() {
                rows.push(columns.iter().map(|column| column[row].clone()).collect());
            }
        }
        rows.sort_by_key(|row: &Vec<Value>| format!("{row:?}"));
        (rows, has_distinct)
    })
}

const AGGREGATES: [&str; 16] = [
    "count(DISTINCT x)",
    "count(DISTINCT x) FILTER (WHERE p)",
    "count(DISTINCT x) FILTER (WHERE y > 0)",
    "sum(DISTINCT x)",
    "min(DISTINCT x)",
    "count(*)",
    "count(y)",
    "count(*) FILTER (WHERE p)",
    "sum(y)",
    "sum(y) FILTER (WHERE p)",
    "min(d)",
    "max(k)",
    "avg(d)",
    "avg(y) FILTER (WHERE NOT p)",
    "bool_and(p)",
    "bool_or(p)",
];

const KEYS: [&str; 5] = ["", "k", "l", "k, l", "l % 2, x"];

fn row() -> impl Strategy<Value = Row> {
    (
        proptest::option::of(0..3_u8),
        proptest::option::of(0..4_u8),
        proptest::option::of(-2..4_i8),
        proptest::option::of(-9..9_i8),
        proptest::option::of(any::<bool>()),
        proptest::option::of(-8..8_i8),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn rows_are_the_same_with_and_without_the_rule(
        rows in proptest::collection::vec(row(), 0..40),
        keys in proptest::sample::select(&KEYS[..]),
        picked in proptest::sample::subsequence(AGGREGATES.to_vec(), 1..6),
    ) {
        let batch = table(&rows);
        let mut listed: Vec<String> = picked.iter().map(|one| (*one).to_owned()).collect();
        listed.insert(0, "count(DISTINCT x)".to_owned());
        let listed: Vec<String> = listed
            .iter()
            .enumerate()
            .map(|(place, one)| format!("{one} AS a{place}"))
            .collect();
        let listed = listed.join(", ");
        let text = if keys.is_empty() {
            format!("SELECT {listed} FROM t")
        } else {
            format!("SELECT {keys}, {listed} FROM t GROUP BY {keys}")
        };
        let (one, _) = ran(&batch, &text, false);
        let (two, has_distinct) = ran(&batch, &text, true);
        prop_assert!(!has_distinct, "{} was not rewritten", text);
        prop_assert_eq!(one, two, "{}", text);
    }
}

#[test]
fn what_cannot_be_put_together_is_left_alone() {
    let batch = table(&[(Some(1), Some(1), Some(1), Some(1), Some(true), Some(1))]);
    for text in [
        "SELECT count(DISTINCT x), count(DISTINCT y) FROM t",
        "SELECT count(DISTINCT x), array_agg(y) FROM t",
        "SELECT count(DISTINCT x), stddev(d) FROM t",
        "SELECT k, count(DISTINCT x), sum(y) FROM t GROUP BY ROLLUP (k)",
    ] {
        let (one, _) = ran(&batch, text, false);
        let (two, has_distinct) = ran(&batch, text, true);
        assert!(has_distinct, "{text}");
        assert_eq!(one, two, "{text}");
    }
}

#[test]
fn names_and_types_stay_as_they_were() {
    let batch = table(&[(Some(1), Some(1), Some(1), Some(1), Some(true), Some(1))]);
    let context = SessionContext::new_with_state(
        SessionStateBuilder::new()
            .with_default_features()
            .with_optimizer_rules(vec![Arc::new(TwoLevelGrouping)])
            .build(),
    );
    context.register_batch("t", batch).unwrap();
    let text = "SELECT t.k, count(DISTINCT x), sum(y), avg(d), count(*) FROM t GROUP BY t.k";
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        let plan = context.sql(text).await.unwrap().into_unoptimized_plan();
        let optimized = context.state().optimize(&plan).unwrap();
        plan.schema()
            .has_equivalent_names_and_types(optimized.schema())
            .unwrap();
    });
}
