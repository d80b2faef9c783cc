//! Pages to rows, prices, words, and which folders a window has.

use jiff::civil::DateTime;
use onair_logs::value::Value;

use super::results::Table;
use super::*;
use crate::cloud::QueryPage;
use crate::error::Exit;
use crate::query::port::Source;

fn page(columns: &[(&str, &str)], rows: &[&[Option<&str>]]) -> QueryPage {
    QueryPage {
        columns: columns
            .iter()
            .map(|(name, kind)| ((*name).to_owned(), (*kind).to_owned()))
            .collect(),
        rows: rows
            .iter()
            .map(|row| row.iter().map(|cell| cell.map(str::to_owned)).collect())
            .collect(),
        next: None,
    }
}

#[test]
fn cells_are_read_by_their_columns_type() {
    let columns = [
        ("minute", "timestamp"),
        ("requests", "bigint"),
        ("share", "double"),
        ("live", "boolean"),
        ("words", "varchar"),
        ("odd", "bigint"),
    ];
    let mut table = Table::default();
    table.add(page(
        &columns,
        &[
            &[
                Some("minute"),
                Some("requests"),
                Some("share"),
                Some("live"),
                Some("words"),
                Some("odd"),
            ],
            &[
                Some("2026-06-14 17:00:00.000"),
                Some("12"),
                Some("1.0E7"),
                Some("true"),
                Some(""),
                Some("many"),
            ],
            &[None, None, Some("NaN"), None],
        ],
    ));
    let at: DateTime = "2026-06-14T17:00:00".parse().unwrap();
    assert_eq!(
        table.rows[0],
        [
            Value::Timestamp(at),
            Value::Integer(12),
            Value::Double(1e7),
            Value::Boolean(true),
            Value::Text(String::new()),
            Value::Text("many".to_owned()),
        ]
    );
    assert!(matches!(&table.rows[1][2], Value::Double(value) if value.is_nan()));
    assert_eq!(table.rows[1][3..], [Value::Null, Value::Null, Value::Null]);
    assert_eq!(table.columns[0].kind, "timestamp(3)");
}

#[test]
fn only_names_in_the_first_row_of_the_first_page_are_dropped() {
    let columns = [("a", "varchar"), ("b", "varchar")];
    let head: &[Option<&str>] = &[Some("a"), Some("b")];
    let row: &[Option<&str>] = &[Some("a"), None];
    let mut table = Table::default();
    table.add(page(&columns, &[head, head, row]));
    table.add(page(&columns, &[head]));
    assert_eq!(table.rows.len(), 3);
    // No SELECT: no names come.
    let mut table = Table::default();
    table.add(page(&columns, &[row]));
    assert_eq!(table.rows.len(), 1);
}

#[test]
fn a_token_is_of_the_length_that_athena_takes_and_no_two_are_alike() {
    let (one, other) = (token(Timestamp::UNIX_EPOCH), token(Timestamp::UNIX_EPOCH));
    assert!((32..=128).contains(&one.len()), "{one}");
    assert_ne!(one, other);
}

#[test]
fn ten_megabytes_are_the_least_that_is_billed() {
    for (scanned, reused, dollars) in [
        (1_000_000_000_000, false, 5.0),
        (0, false, 0.000_05),
        (10_000_000, false, 0.000_05),
        (1_000_000_000_000, true, 0.0),
    ] {
        let difference = cost(scanned, reused) - dollars;
        assert!(difference.abs() < 1e-9, "{scanned} {difference}");
    }
}

#[test]
fn what_would_be_scanned_is_refused_only_where_it_is_known() {
    let exact = estimate::Estimate {
        bytes: 300_000_000_000,
        is_upper_bound: false,
    };
    let refusal = exact.refusal(200_000_000_000).unwrap();
    assert_eq!(
        (refusal.exit, refusal.code.as_str()),
        (Exit::Refused, "guard.max-scan")
    );
    assert!(refusal.message.contains("300 GB"), "{}", refusal.message);
    assert!(
        refusal.hints[0].contains("--max-scan '300 GB'"),
        "{:?}",
        refusal.hints
    );
    assert_eq!(exact.refusal(300_000_000_000), None);
    let bound = estimate::Estimate {
        is_upper_bound: true,
        ..exact
    };
    assert_eq!(bound.refusal(200_000_000_000), None);
    assert!(bound.note(200_000_000_000).is_some());
    assert_eq!(bound.note(300_000_000_000), None);
}

fn ended(kind: i32, reason: &str) -> QueryExecution {
    QueryExecution {
        state: QueryState::Failed,
        reason: Some(reason.to_owned()),
        error: Some((kind, false)),
        scanned: Some(12_000_000),
        queued: None,
        engine: None,
        reused: false,
    }
}

#[test]
fn failures_say_what_to_type_next() {
    let settings = runbook::Athena {
        workgroup: "onair-cup".to_owned(),
        database: "cup".to_owned(),
        access_table: "access".to_owned(),
        realtime_table: "realtime".to_owned(),
        output: None,
        max_scan: 10_000_000,
    };
    let asked = Asked {
        name: "countries".to_owned(),
        text: String::new(),
        parameters: Vec::new(),
        window: None,
        source: Source::Access,
        most_rows: None,
    };
    for (kind, reason, code, exit, hint) in [
        (
            1004,
            "COLUMN_NOT_FOUND: line 12:8: Column 'cip' cannot be resolved",
            "query.failed",
            Exit::Failed,
            "c_ip",
        ),
        (
            1110,
            "TABLE_NOT_FOUND: line 1:1",
            "query.failed",
            Exit::Failed,
            "onair provision",
        ),
        (
            1501,
            "Access Denied (Service: S3)",
            "query.failed",
            Exit::Failed,
            "iam-policy",
        ),
        (
            1306,
            "bucket",
            "query.failed",
            Exit::Failed,
            "athena.output",
        ),
        (5, "exhausted", "query.failed", Exit::Failed, "--since"),
        (
            0,
            "Query cancelled! : Bytes scanned limit was exceeded",
            "guard.max-scan",
            Exit::Refused,
            "max-scan",
        ),
    ] {
        let failure = trouble::of_end("q1", &ended(kind, reason), &asked, &settings, 10_000_000);
        assert_eq!(
            (failure.code.as_str(), failure.exit),
            (code, exit),
            "{reason}"
        );
        assert!(
            failure.hints[0].contains(hint),
            "{reason}: {:?}",
            failure.hints
        );
    }
}
