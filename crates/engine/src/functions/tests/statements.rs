//! Whole statements: what Trino's grammar and rules give, what is refused, and what errors say.

use jiff::civil::{date, datetime};
use onair_logs::value::Value;

use super::aggregates::seen;
use super::{batches, run, run_with};
use crate::dialect::uses;

/// Rows are split by `;`, columns by `,`.
const STATEMENTS: &[(&str, &str)] = &[
    ("SELECT n FROM seen ORDER BY n LIMIT 2", "1;2"),
    ("SELECT n FROM seen ORDER BY n DESC LIMIT 2", "5;4"),
    (
        "SELECT n FROM seen ORDER BY n DESC OFFSET 4",
        "1;NULL;NULL;NULL",
    ),
    ("SELECT n FROM seen ORDER BY n NULLS FIRST LIMIT 1", "NULL"),
    (
        "SELECT n FROM seen ORDER BY n OFFSET 1 ROWS FETCH FIRST 2 ROWS ONLY",
        "2;3",
    ),
    ("SELECT n FROM seen ORDER BY n OFFSET 3 LIMIT 1", "4"),
    (
        "SELECT g, count(*) FROM seen GROUP BY 1 ORDER BY 2 DESC",
        "all,6;none,2",
    ),
    (
        "SELECT g, s, sum(n) FROM seen WHERE n IS NOT NULL GROUP BY GROUPING SETS ((g), (s), ()) ORDER BY g, s",
        "all,NULL,15;NULL,a,4;NULL,b,6;NULL,c,5;NULL,NULL,15",
    ),
    (
        "SELECT g, grouping(g), count(*) FROM seen GROUP BY ROLLUP (g) ORDER BY g",
        "all,0,6;none,0,2;NULL,1,8",
    ),
    (
        "SELECT x FROM (VALUES (1), (2)) AS t (x) ORDER BY x DESC",
        "2;1",
    ),
    ("VALUES (1, 'a')", "1,a"),
    (
        "SELECT try(CAST(if(n = 3, 'x', CAST(n AS varchar)) AS bigint)) AS v, count(*) FROM seen WHERE n IS NOT NULL GROUP BY 1 ORDER BY 1",
        "1,1;2,1;4,1;5,1;NULL,1",
    ),
    (
        "SELECT count_if(try(CAST(s AS bigint)) IS NULL), sum(try(10 / (n - 3))) FROM seen",
        "8,0",
    ),
    (
        "SELECT n, try(6 / (n - 1)), if(n > 1, 6 / (n - 1)) FROM seen WHERE n < 4 ORDER BY n",
        "1,NULL,NULL;2,6,6;3,3,3",
    ),
    ("SELECT n FROM seen WHERE try(6 / (n - 1)) = 6", "2"),
    (
        "WITH t AS (SELECT 1 AS x) SELECT x FROM t UNION ALL SELECT 2 ORDER BY x",
        "1;2",
    ),
    ("SELECT x FROM UNNEST(ARRAY[1, 2]) AS t (x)", "1;2"),
    (
        "SELECT x, o FROM UNNEST(ARRAY['a', 'b']) WITH ORDINALITY AS t (x, o)",
        "a,1;b,2",
    ),
    (
        "SELECT x, y FROM UNNEST(ARRAY[1, 2], ARRAY['a']) AS t (x, y)",
        "1,a;2,NULL",
    ),
    (
        "SELECT k, v FROM UNNEST(map(ARRAY['a', 'b'], ARRAY[1, 2])) AS t (k, v)",
        "a,1;b,2",
    ),
    (
        "SELECT t.id, u.x FROM (VALUES (1, ARRAY[10, 20]), (2, ARRAY[30])) AS t (id, a) CROSS JOIN UNNEST(t.a) AS u (x) ORDER BY x",
        "1,10;1,20;2,30",
    ),
    (
        "SELECT id, x, o FROM (VALUES (1, 'a b'), (2, 'c')) AS t (id, s), UNNEST(split(s, ' ')) WITH ORDINALITY AS u (x, o) ORDER BY id, o",
        "1,a,1;1,b,2;2,c,1",
    ),
    (
        "SELECT id, x FROM (VALUES (1, ARRAY[10]), (2, slice(ARRAY[1], 1, 0))) AS t (id, a) LEFT JOIN UNNEST(a) AS u (x) ON TRUE ORDER BY id",
        "1,10;2,NULL",
    ),
    (
        "SELECT g, s, count(*) FROM seen CROSS JOIN UNNEST(ARRAY[s]) AS u (t) JOIN (VALUES ('a')) AS v (w) ON t = w GROUP BY 1, 2",
        "all,a,2",
    ),
    (
        "SELECT n, rank() OVER (ORDER BY s), dense_rank() OVER (ORDER BY s), row_number() OVER (ORDER BY n), ntile(2) OVER (ORDER BY n) FROM seen WHERE n < 4 ORDER BY n",
        "1,1,1,1,1;2,3,2,2,1;3,1,1,3,2",
    ),
    (
        "SELECT n, lag(n) OVER (ORDER BY n), lead(n, 1, 0) OVER (ORDER BY n), first_value(n) OVER (ORDER BY n), sum(n) OVER (ORDER BY n ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM seen WHERE n < 4 ORDER BY n",
        "1,NULL,2,1,1;2,1,3,1,3;3,2,0,1,5",
    ),
    (
        "SELECT n, last_value(n) OVER (ORDER BY n), nth_value(n, 2) OVER (ORDER BY n ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING), cume_dist() OVER (ORDER BY n), percent_rank() OVER (ORDER BY n) FROM seen WHERE n < 3 ORDER BY n",
        "1,1,2,5.0E-1,0.0E0;2,2,2,1.0E0,1.0E0",
    ),
    (
        "SELECT n, max_by(s, n) OVER (ORDER BY n), count_if(n > 1) OVER (ORDER BY n) FROM seen WHERE n < 3 ORDER BY n",
        "1,a,0;2,b,1",
    ),
    (
        "SELECT n FROM seen WHERE n > (SELECT avg(n) FROM seen) ORDER BY n",
        "4;5",
    ),
    ("SELECT n FROM seen WHERE s IN (SELECT 'c')", "5"),
    ("SELECT count(*) FROM seen a JOIN seen b ON a.n = b.n", "5"),
    ("SELECT count(*) FROM seen a JOIN seen b USING (n)", "5"),
    (
        "SELECT DISTINCT s FROM seen WHERE n IS NOT NULL ORDER BY s",
        "a;b;c",
    ),
    ("SELECT s FROM seen WHERE n < 3 EXCEPT SELECT 'a'", "b"),
    (
        "SELECT \"N\", \"date\" FROM (SELECT n, 1 AS \"Date\" FROM seen) WHERE n = 1",
        "1,1",
    ),
    ("SELECT sum(n) FROM seen HAVING count(*) > 1", "15"),
    (
        "SELECT date_trunc('minute', at) AS minute, count(*) FROM seen WHERE at >= TIMESTAMP '1970-01-01 00:00:02' AND at < TIMESTAMP '1970-01-01 00:00:04' GROUP BY date_trunc('minute', at) ORDER BY minute",
        "1970-01-01 00:00:00.000,2",
    ),
    (
        "SELECT count(*) FROM seen WHERE at BETWEEN from_unixtime(2) AND from_unixtime(3)",
        "2",
    ),
    (
        "SELECT date_diff('second', from_unixtime(0), max(at)) FROM seen",
        "5",
    ),
    (
        "SELECT to_milliseconds(max(at) - min(at)) FROM seen",
        "4000",
    ),
    ("SELECT ROW(1, 'a') IS NULL", "false"),
    (
        "SELECT max_by(n, at) FROM seen -- a remark; not a statement",
        "5",
    ),
    ("SELECT 'it''s; -- no remark'", "it's; -- no remark"),
    (
        "SELECT current_timestamp > TIMESTAMP '2020-01-01 00:00:00 UTC', sum(if(n > 2, 1, 0)) FROM seen;",
        "true,3",
    ),
];

pub(super) fn texts() -> impl Iterator<Item = String> {
    STATEMENTS.iter().map(|(text, _)| (*text).to_owned())
}

fn joined(rows: &[Vec<String>]) -> String {
    rows.iter()
        .map(|row| row.join(","))
        .collect::<Vec<_>>()
        .join(";")
}

#[test]
fn runs_statements_as_trino_does() {
    let mut wrong = Vec::new();
    for partitions in [1, 4] {
        let context = seen(partitions);
        for (text, expected) in STATEMENTS {
            let found = run(&context, text).map(|rows| joined(&rows));
            if found.as_deref() != Ok(*expected) {
                wrong.push(format!("{text}\n  is {expected}\n not {found:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn binds_values_of_each_type_in_the_order_of_the_text() {
    let context = seen(1);
    let hostile = "'; DROP TABLE seen; --? \" \\ ? :x";
    let rows = run_with(
        &context,
        "SELECT ?, ?, ?, ?, ?, ?, typeof(?), length(?) FROM seen WHERE n > ? -- ?\n ORDER BY n OFFSET ? LIMIT ?",
        &[
            Value::Text(hostile.to_owned()),
            Value::Integer(-7),
            Value::Integer(i64::MIN),
            Value::Double(0.1),
            Value::Timestamp(datetime(2026, 6, 14, 17, 0, 0, 500_000_000)),
            Value::Null,
            Value::Date(date(2026, 6, 14)),
            Value::Text("?".to_owned()),
            Value::Integer(1),
            Value::Integer(2),
            Value::Integer(1),
        ],
    );
    assert_eq!(
        rows.map(|rows| joined(&rows)).unwrap(),
        format!("{hostile},-7,-9223372036854775808,1.0E-1,2026-06-14 17:00:00.500,NULL,date,1")
    );
    assert!(run_with(&context, "SELECT ?", &[]).is_err());
    assert!(run_with(&context, "SELECT 1", &[Value::Null]).is_err());
    assert!(run_with(&context, "SELECT ?", &[Value::List(Vec::new())]).is_err());
    assert!(run_with(&context, "SELECT $1", &[Value::Null]).is_err());
    assert!(run_with(&context, "SELECT :x", &[Value::Null]).is_err());
}

#[test]
fn columns_without_a_name_are_named_by_their_place() {
    let context = seen(1);
    let names = |text: &str| -> Vec<String> {
        let batch = batches(&context, text, &[]).unwrap().remove(0);
        batch
            .schema()
            .fields()
            .iter()
            .map(|field| field.name().clone())
            .collect()
    };
    assert_eq!(
        names("SELECT n, count(*), 1 AS one, count(*) FROM seen GROUP BY n ORDER BY count(*)"),
        ["n", "_col1", "one", "_col3"]
    );
}

/// Nothing but a query of the session's tables comes through.
#[test]
fn reads_nothing_off_the_session() {
    let context = seen(1);
    for text in [
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM \"/etc/passwd\"",
        "SELECT * FROM \"/etc/hostname.csv\"",
        "SELECT * FROM \"file:///etc/passwd\"",
        "SELECT * FROM \"s3://bucket/key.parquet\"",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM parquet_metadata('/tmp/x.parquet')",
        "SELECT * FROM TABLE(generate_series(1, 3))",
        "SELECT * FROM generate_series(1, 3)",
        "SELECT * FROM LATERAL read_text('/etc/passwd')",
        "SELECT read_text('/etc/passwd')",
        "SELECT input_file_name()",
        "SELECT version()",
        "SELECT \"$bigint\"('1')",
        "SELECT arrow_cast(1, 'Utf8')",
        "CREATE TABLE x AS SELECT 1",
        "CREATE EXTERNAL TABLE x STORED AS CSV LOCATION '/etc/passwd'",
        "CREATE VIEW x AS SELECT 1",
        "INSERT INTO seen SELECT * FROM seen",
        "WITH t AS (SELECT 1) INSERT INTO seen SELECT 1",
        "COPY seen TO '/tmp/x.csv'",
        "COPY (SELECT 1) TO '/tmp/x.csv'",
        "DROP TABLE seen",
        "DELETE FROM seen",
        "UPDATE seen SET n = 1",
        "SET datafusion.execution.batch_size = 1",
        "SHOW TABLES",
        "EXPLAIN SELECT 1",
        "EXPLAIN ANALYZE SELECT 1",
        "PREPARE x AS SELECT 1",
        "SELECT 1; SELECT 2",
        "SELECT 1; DROP TABLE seen",
        "SELECT * INTO x FROM seen",
        "SELECT n::varchar FROM seen",
        "SELECT n FROM seen FOR UPDATE",
        "SELECT n FROM seen |> WHERE n > 1",
        "SELECT [1, 2]",
        "SELECT s ILIKE 'A' FROM seen",
        "SELECT s ~ 'a' FROM seen",
        "SELECT n FROM seen QUALIFY n > 1",
        "",
        "-- nothing",
    ] {
        assert!(run(&context, text).is_err(), "{text}");
    }
    // What it refused is not there either.
    assert_eq!(run(&context, "SELECT count(*) FROM seen").unwrap(), [["8"]]);
}

#[test]
fn errors_name_what_was_meant() {
    let context = seen(1);
    for (text, expected) in [
        (
            "SELECT median(n) FROM seen",
            "there is no function median; did you mean approx_percentile(x, 0.5)?",
        ),
        (
            "SELECT aprox_distinct(n) FROM seen",
            "there is no function aprox_distinct; did you mean approx_distinct?",
        ),
        (
            "SELECT url_decode(n) FROM seen",
            "url_decode(bigint) is not there: it is url_decode(varchar)",
        ),
        (
            "SELECT n FROM sean",
            "there is no table sean; did you mean seen?",
        ),
        ("SELECT m FROM seen", "m"),
        (
            "SELECT url_decode('%')",
            "url_decode: a % without two hexadecimal digits; try(url_decode(…)) gives NULL",
        ),
        ("SELECT regexp_like(s, '(') FROM seen", "unclosed group"),
        (
            "SELECT CAST(s AS bigint) FROM seen",
            "cannot be cast to bigint; try_cast gives NULL",
        ),
        ("SELECT n FROM seen WHERE", "Expected"),
        (
            "SELECT rank() FROM seen",
            "rank is called as rank(…) OVER (…)",
        ),
        (
            "SELECT date_trunc('minit', at) FROM seen",
            "\"minit\" is no unit of time",
        ),
    ] {
        let message = run(&context, text).unwrap_err();
        assert!(message.contains(expected), "{text}: {message}");
    }
}

/// Trino converts no text on its own: what would fail on Athena fails here.
#[test]
fn text_is_not_compared_with_numbers_or_times() {
    let context = seen(1);
    for text in [
        "SELECT n FROM seen WHERE n = '1'",
        "SELECT n FROM seen WHERE '1' < n",
        "SELECT n FROM seen WHERE at > '1970-01-01'",
        "SELECT n FROM seen WHERE s IN (1, 2)",
        "SELECT n FROM seen WHERE n BETWEEN '1' AND '2'",
        "SELECT n + '1' FROM seen",
        "SELECT n || 'a' FROM seen",
        "SELECT 'a' || n FROM seen",
        "SELECT a.n FROM seen a JOIN seen b ON a.n = b.s",
        "SELECT n FROM seen WHERE n IN (SELECT 1 WHERE 1 = 'a')",
        "SELECT count_if(s = 1) FROM seen",
        "SELECT transform(ARRAY[1], x -> x = 'a') FROM seen",
    ] {
        assert!(run(&context, text).is_err(), "{text}");
    }
    let message = run(&context, "SELECT n FROM seen WHERE n = '1'").unwrap_err();
    assert_eq!(message, "= takes bigint and varchar: CAST one of them");
    for text in [
        "SELECT n FROM seen WHERE n = NULL OR s = NULL",
        "SELECT n FROM seen WHERE n = 1e0 AND at > DATE '1970-01-01'",
        "SELECT s || NULL FROM seen",
    ] {
        assert!(run(&context, text).is_ok(), "{text}");
    }
}

#[test]
fn tells_what_a_statement_uses() {
    let found = uses(
        "WITH q AS (SELECT url_decode(Cs_Uri_Query) AS x FROM requests)
         SELECT count_if(q.x = 'count(y)'), transform(ARRAY[1], z -> z) FROM q, db.other WHERE 100.0 * 1e1 > 1e2 - (-2.5) AND approx_percentile(x, 0.95) > 3.5",
    )
    .unwrap();
    let names = |set: &std::collections::BTreeSet<String>| {
        set.iter().cloned().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        names(&found.functions),
        "approx_percentile count_if transform url_decode"
    );
    assert_eq!(names(&found.tables), "db.other requests");
    assert_eq!(names(&found.columns), "cs_uri_query x");
    assert_eq!(names(&found.decimals), "100.0 2.5");
}
