//! Lines of every form, and what they come to. Rows of real files are in the main crate's
//! `tests/data`.

use super::*;
use crate::collect::Collected;
use crate::schema;
use crate::value::Value;

/// Reads `columns` of an object.
fn read(object: &[u8], columns: &[&str]) -> (Scanned, Vec<Vec<Value>>) {
    read_as(object, columns, Scan::default())
}

fn read_as(object: &[u8], columns: &[&str], mut asked: Scan) -> (Scanned, Vec<Vec<Value>>) {
    asked.columns = columns
        .iter()
        .map(|name| schema::position(name).unwrap_or_else(|| panic!("no column {name}")))
        .collect();
    let mut sink = Collected::default();
    let scanned = scan(
        object,
        "E2KG6TMBAL2PBU.2026-06-14-17.aaaa.gz",
        &asked,
        &mut sink,
    )
    .unwrap();
    assert_eq!(
        scanned.lines,
        scanned.rows + scanned.outside + scanned.bad + scanned.skipped
    );
    assert_eq!(scanned.rows, sink.rows.len() as u64);
    (scanned, sink.rows)
}

fn words(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn time(text: &str) -> Value {
    Value::Timestamp(text.parse().unwrap())
}

/// A line of the 33 fields: those named, `-` else.
fn standard(set: &[(&str, &str)]) -> String {
    line(&crate::fields::STANDARD, "\t", set)
}

fn line(names: &[&str], delimiter: &str, set: &[(&str, &str)]) -> String {
    for (name, _) in set {
        assert!(names.contains(name), "no field {name}");
    }
    let cells: Vec<&str> = names
        .iter()
        .map(|name| {
            set.iter()
                .find(|(set, _)| set == name)
                .map_or("-", |(_, value)| value)
        })
        .collect();
    cells.join(delimiter)
}

const AT: [(&str, &str); 2] = [("date", "2026-06-14"), ("time", "17:00:01")];

fn with_time<'a>(set: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    AT.iter().chain(set).copied().collect()
}

#[test]
fn a_standard_line_is_a_row_of_typed_values() {
    let line = standard(&with_time(&[
        ("x-edge-location", "VIE50-C1"),
        ("sc-status", "200"),
        ("sc-bytes", "1045.0"),
        ("sc-content-len", "570129.76"),
        ("time-taken", "0.034"),
        ("cs(Host)", "d111111abcdef8.cloudfront.net"),
        ("x-host-header", "live.example.com"),
        ("cs-uri-stem", "/cup/init.mp4"),
        ("cs(User-Agent)", "Mozilla/5.0%2520(X11)"),
        ("x-edge-response-result-type", "Hit"),
        ("x-edge-result-type", "Error"),
    ]));
    let (scanned, rows) = read(
        line.as_bytes(),
        &[
            "at",
            "distribution_id",
            "x_edge_location",
            "sc_status",
            "sc_bytes",
            "sc_content_len",
            "time_taken",
            "viewer_host",
            "distribution_host",
            "cs_uri_stem",
            "cs_uri_query",
            "object_kind",
            "cs_user_agent",
            "is_hit",
            "is_abandoned",
            "c_country",
            "cs_headers",
        ],
    );
    assert_eq!(scanned.rows, 1);
    assert_eq!(
        rows[0],
        [
            time("2026-06-14T17:00:01"),
            words("E2KG6TMBAL2PBU"),
            words("VIE50-C1"),
            Value::Integer(200),
            Value::Integer(1045),
            Value::Null,
            Value::Double(0.034),
            words("live.example.com"),
            words("d111111abcdef8.cloudfront.net"),
            words("/cup/init.mp4"),
            Value::Null,
            words("init"),
            words("Mozilla/5.0 (X11)"),
            Value::Boolean(true),
            Value::Boolean(true),
            Value::Null,
            Value::Null,
        ]
    );
}
