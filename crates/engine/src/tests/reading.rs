//! Rows of the table are those that the readers give.

use std::fs;
use std::fs::File;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch, StringArray};
use datafusion::parquet::arrow::ArrowWriter;
use onair_logs::collect::Collected;
use onair_logs::scan::{Scan, scan};
use onair_logs::schema::{REQUESTS, Table};

use super::*;
use crate::log::Log;

#[test]
fn the_table_has_the_rows_that_the_readers_collect() {
    let desk = Desk::new();
    desk.write("a.gz", &lines(0..9000));
    desk.write("sub/b.gz", &lines(9000..9003));
    let engine = desk.engine(desk.settings());
    let ran = run(&engine, "SELECT * FROM requests ORDER BY sc_bytes").unwrap();
    let mut expected = Vec::new();
    for name in ["a.gz", "sub/b.gz"] {
        let asked = Scan {
            columns: (0..REQUESTS.len()).collect(),
            ..Scan::default()
        };
        let mut sink = Collected::default();
        scan(
            File::open(desk.logs().join(name)).unwrap(),
            name,
            &asked,
            &mut sink,
        )
        .unwrap();
        expected.extend(sink.rows);
    }
    let bytes = Table::Requests.position("sc_bytes").unwrap();
    expected.sort_by_key(|row| match &row[bytes] {
        Value::Integer(bytes) => *bytes,
        other => panic!("{other:?}"),
    });
    assert_eq!(ran.rows.len(), 9003);
    assert_eq!(ran.rows, expected);
    let names: Vec<&str> = ran
        .columns
        .iter()
        .map(|column| column.name.as_str())
        .collect();
    let all: Vec<&str> = REQUESTS.iter().map(|column| column.name).collect();
    assert_eq!(names, all);
    assert_eq!(ran.read.rows(), 9003);
    assert_eq!(ran.read.bad(), 0);
    assert!(ran.read.without_values.contains(&"asn"));
    assert!(!ran.read.without_values.contains(&"c_ip"));
}

#[test]
fn rows_outside_of_the_window_are_not_in_the_table() {
    let desk = Desk::new();
    desk.write("a.gz", &lines(0..120));
    let engine = desk.engine_of(
        desk.settings(),
        Some(("2026-06-14T17:10:00", "2026-06-14T17:12:00")),
    );
    let ran = run(
        &engine,
        "SELECT minute(at) AS m, count(*) AS n FROM requests GROUP BY 1 ORDER BY 1",
    );
    // `minute` belongs to the functions; without it the window is shown by a count alone.
    if let Ok(ran) = ran {
        assert_eq!(
            ran.rows,
            [[integer(10), integer(2)], [integer(11), integer(2)]]
        );
    }
    let ran = run(&engine, "SELECT count(*) AS n FROM requests").unwrap();
    assert_eq!(ran.rows, [[integer(4)]]);
    assert_eq!(ran.read.objects[0].1.outside, 116);
}

#[test]
fn only_the_columns_that_a_query_needs_are_converted() {
    let desk = Desk::new();
    desk.write("a.gz", &lines(0..10));
    let engine = desk.engine(desk.settings());
    let converted = |text: &str| {
        let log = Arc::new(Log::default());
        waited(engine.logged(text, &[], &log)).unwrap();
        log.converted()
    };
    assert_eq!(
        converted("SELECT c_ip, sum(sc_bytes) FROM requests GROUP BY c_ip"),
        [["c_ip", "sc_bytes"]]
    );
    assert_eq!(converted("SELECT count(*) FROM requests"), [[""; 0]]);
}

#[test]
fn hostile_text_comes_through_as_it_is() {
    let desk = Desk::new();
    let agents = [
        "<script>alert(1)</script>",
        "=HYPERLINK(\"http://x\")",
        "\u{1b}[31mred\u{1b}[0m",
        "'; DROP TABLE requests; --",
        "nul\u{0}byte",
    ];
    let written: Vec<String> = agents
        .iter()
        .enumerate()
        .map(|(number, agent)| line(number).replace("player/1", agent))
        .collect();
    desk.write("a.gz", &written);
    let engine = desk.engine(desk.cached());
    for _ in 0..2 {
        let found = rows(
            &engine,
            "SELECT cs_user_agent FROM requests ORDER BY sc_bytes",
        );
        let expected: Vec<Vec<Value>> = agents.iter().map(|agent| vec![text(agent)]).collect();
        assert_eq!(found, expected);
    }
}

#[test]
fn a_parquet_object_has_the_rows_of_its_text() {
    let desk = Desk::new();
    let written = lines(0..5000);
    desk.write("E2EXAMPLE12345/a.gz", &written);
    let engine = desk.engine(desk.settings());
    let query = "SELECT * FROM requests ORDER BY sc_bytes";
    let of_text = rows(&engine, query);

    let names: Vec<String> = FIELDS
        .split_whitespace()
        .map(|field| {
            field
                .to_lowercase()
                .replace(['(', '-'], "_")
                .replace(')', "")
        })
        .collect();
    let columns: Vec<(&str, ArrayRef)> = names
        .iter()
        .enumerate()
        .map(|(place, name)| {
            let values = written.iter().map(|line| line.split('\t').nth(place));
            let values: ArrayRef = Arc::new(values.collect::<StringArray>());
            (name.as_str(), values)
        })
        .chain([(
            "a_field_of_next_year",
            Arc::new(StringArray::from(vec!["x"; written.len()])) as ArrayRef,
        )])
        .collect();
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    fs::remove_file(desk.logs().join("E2EXAMPLE12345/a.gz")).unwrap();
    let file = File::create(desk.logs().join("E2EXAMPLE12345/a.parquet")).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();

    let engine = desk.engine(desk.settings());
    let of_parquet = run(&engine, query).unwrap();
    assert_eq!(of_parquet.rows, of_text);
    assert_eq!(of_parquet.read.objects[0].1.rows, 5000);
    let window = Some(("2026-06-14T17:10:00", "2026-06-14T17:11:00"));
    let engine = desk.engine_of(desk.settings(), window);
    let ran = run(&engine, "SELECT count(*) FROM requests").unwrap();
    assert_eq!(ran.rows, [[integer(84)]]);
    assert_eq!(ran.read.objects[0].1.outside, 4916);
}

#[test]
fn what_cannot_be_read_is_named() {
    let desk = Desk::new();
    desk.write("a.gz", &lines(0..10));
    fs::write(desk.logs().join("b.parquet"), b"PAR1 but nothing more").unwrap();
    let whole = gzip(format!("#Fields: {FIELDS}\n{}\n", lines(0..4000).join("\n")).as_bytes());
    fs::write(desk.logs().join("c.gz"), &whole[..whole.len() / 2]).unwrap();
    desk.write("d.gz", &["not\ta\trow".to_owned(), line(1)]);
    let engine = desk.engine(desk.settings());
    let ran = run(&engine, "SELECT count(*) FROM requests").unwrap();
    let found = |name: &str| {
        let (_, found) = ran
            .read
            .objects
            .iter()
            .find(|(found, _)| found == name)
            .unwrap();
        found.clone()
    };
    assert_eq!(found("a.gz").rows, 10);
    assert!(found("b.parquet").truncated.is_some());
    assert!(found("c.gz").truncated.is_some());
    assert!(found("c.gz").rows > 0);
    assert_eq!((found("d.gz").bad, found("d.gz").rows), (1, 1));
    assert_eq!(
        ran.rows,
        [[integer(i64::try_from(ran.read.rows()).unwrap())]]
    );

    let nowhere = Engine::new(desk.settings()).unwrap();
    nowhere
        .add_logs("requests", table(&desk.path("nowhere"), None))
        .unwrap();
    let error = run(&nowhere, "SELECT count(*) FROM requests").unwrap_err();
    assert!(matches!(error, EngineError::Object { .. }), "{error}");
}

#[test]
fn nothing_is_read_beyond_a_limit() {
    let desk = Desk::new();
    for number in 0..20 {
        desk.write(&format!("{number:02}.gz"), &lines(0..9000));
    }
    let engine = desk.engine(desk.settings());
    let ran = run(&engine, "SELECT c_ip FROM requests LIMIT 5").unwrap();
    assert_eq!(ran.rows.len(), 5);
    assert!(ran.read.objects.len() < 20, "{}", ran.read.objects.len());
}

/// A record of AWS WAF's logs, blocked by a rule.
fn blocked(number: usize, rule: &str) -> String {
    format!(
        r#"{{"timestamp":{},"action":"BLOCK","terminatingRuleId":"{rule}","httpSourceId":"E2KG6TMBAL2PBU","httpRequest":{{"clientIp":"10.0.0.{number}","country":"AT","uri":"/a","requestId":"r{number}"}}}}"#,
        1_781_456_401_000_u64 + number as u64
    )
}

#[test]
fn a_folder_of_both_has_both_tables_and_each_reads_its_own() {
    let desk = Desk::new();
    desk.write("a.gz", &lines(0..30));
    let records: Vec<String> = (0..5)
        .map(|number| blocked(number, ["leech", "geo"][number % 2]))
        .collect();
    fs::write(
        desk.logs().join("waf.log.gz"),
        gzip(records.join("\n").as_bytes()),
    )
    .unwrap();
    let text_of_rules = "SELECT terminating_rule, count(*) FROM waf GROUP BY 1 ORDER BY 1";
    // Twice each: the second time from the kept columns.
    for _ in 0..2 {
        let engine = desk.engine(desk.cached());
        let ran = run(&engine, text_of_rules).unwrap();
        assert_eq!(
            ran.rows,
            [[text("geo"), integer(2)], [text("leech"), integer(3)],]
        );
        assert_eq!((ran.read.objects.len(), ran.read.others), (1, 1));
        let ran = run(&engine, "SELECT count(*), min(c_ip) FROM requests").unwrap();
        assert_eq!(ran.rows, [[integer(30), text("10.0.0.0")]]);
        assert_eq!((ran.read.objects.len(), ran.read.others), (1, 1));
        assert_eq!(ran.read.bad(), 0);
    }
    // As one query, twice over each.
    let engine = desk.engine(desk.settings());
    let ran = run(
        &engine,
        "SELECT count(*) FROM waf w JOIN requests r ON w.c_ip = r.c_ip WHERE w.c_ip IN (SELECT c_ip FROM waf) \
         AND r.c_ip IN (SELECT c_ip FROM requests)",
    )
    .unwrap();
    assert_eq!((ran.read.objects.len(), ran.read.others), (2, 0));
    let expected: i64 = (0..30)
        .filter(|number| number % 7 == 0 && number % 11 < 5)
        .count()
        .try_into()
        .unwrap();
    assert_eq!(ran.rows, [[integer(expected)]]);
}

#[test]
fn errors_name_what_is_near_and_where() {
    let desk = Desk::new();
    desk.write("a.gz", &lines(0..1));
    let engine = desk.engine(desk.settings());
    let error = run(&engine, "SELECT sc_byte FROM requests").unwrap_err();
    assert!(error.to_string().contains("sc_bytes"), "{error}");
    let error = run(&engine, "SELECT c_ip FROM requests\nWHERE )").unwrap_err();
    let EngineError::Query { at, .. } = &error else {
        panic!("{error}");
    };
    assert_eq!(at.map(|(line, _)| line), Some(2), "{error}");
    let error = run(&engine, "SELECT 1 / 0 FROM requests").unwrap_err();
    assert!(error.to_string().to_lowercase().contains("zero"), "{error}");
}
