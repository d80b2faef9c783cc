//! Tables over made-up buckets, asked through a plain session.

use std::io::Write;

use datafusion::arrow::array::{RecordBatch, StringArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::execution::context::SessionContext;
use datafusion::parquet::arrow::ArrowWriter;

use super::*;

#[derive(Debug, Default)]
struct Buckets(BTreeMap<String, Vec<u8>>);

impl Buckets {
    fn with(mut self, key: &str, body: impl AsRef<[u8]>) -> Self {
        self.0.insert(key.to_owned(), body.as_ref().to_vec());
        self
    }
}

impl Storage for Buckets {
    fn list(&self, bucket: &str, prefix: &str) -> io::Result<Vec<(String, u64)>> {
        let start = format!("{bucket}/{prefix}");
        Ok(self
            .0
            .iter()
            .filter(|(key, _)| key.starts_with(&start))
            .map(|(key, body)| (key[bucket.len() + 1..].to_owned(), body.len() as u64))
            .collect())
    }

    fn read(&self, bucket: &str, key: &str) -> io::Result<Vec<u8>> {
        let body = self.0.get(&format!("{bucket}/{key}"));
        body.cloned()
            .ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn map(list: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs(list).into_iter().collect()
}

const LAZY: &str = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe";
const OPENX: &str = "org.openx.data.jsonserde.JsonSerDe";
const PARQUET: &str = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe";

/// A table by hour, as provisioning makes them.
fn by_hour(serde: &str, columns: &[(&str, &str)]) -> HiveTable {
    HiveTable {
        database: "cup".to_owned(),
        name: "access".to_owned(),
        columns: pairs(columns),
        partition_keys: pairs(&[
            ("distributionid", "string"),
            ("day", "int"),
            ("hour", "int"),
        ]),
        location: "s3://logs/access/".to_owned(),
        serde: serde.to_owned(),
        serde_parameters: map(&[("field.delim", "\t")]),
        parameters: map(&[
            ("projection.enabled", "true"),
            ("projection.distributionid.type", "enum"),
            ("projection.distributionid.values", "E1,E2"),
            ("projection.day.type", "integer"),
            ("projection.day.range", "13,15"),
            ("projection.day.digits", "2"),
            ("projection.hour.type", "integer"),
            ("projection.hour.range", "00,23"),
            ("projection.hour.digits", "2"),
            (
                "storage.location.template",
                "s3://logs/access/${distributionid}/${day}/${hour}/",
            ),
        ]),
    }
}

async fn ask(
    table: HiveTable,
    buckets: Buckets,
    tally: &Tally,
    sql: &str,
) -> Result<String, String> {
    let context = SessionContext::new();
    let provider =
        provider(table, Arc::new(buckets), tally.clone()).map_err(|error| error.to_string())?;
    context.register_table("access", provider).unwrap();
    let batches = context.sql(sql).await.unwrap().collect().await;
    let batches = batches.map_err(|error| error.to_string())?;
    Ok(pretty_format_batches(&batches).unwrap().to_string())
}

#[tokio::test]
async fn delimited_rows_are_read_by_place_and_by_type() {
    let text = "#head\n2026-06-14\t200\t1.5\ttrue\textra\n-\t-\t-\t-\r\n\\N\t7\n\t+8\tx\tFALSE";
    let table = by_hour(
        LAZY,
        &[
            ("date", "string"),
            ("status", "int"),
            ("taken", "double"),
            ("is_live", "boolean"),
        ],
    );
    let mut table = table;
    table
        .parameters
        .insert("skip.header.line.count".to_owned(), "1".to_owned());
    let buckets = Buckets::default().with("logs/access/E1/14/07/a.gz", gzip(text));
    let rows = ask(
        table,
        buckets,
        &Tally::default(),
        "SELECT is_live, hour, status, taken, date, distributionid FROM access",
    )
    .await;
    insta_like(
        &rows.unwrap(),
        &[
            "| is_live | hour | status | taken | date       | distributionid |",
            "| true    | 7    | 200    | 1.5   | 2026-06-14 | E1             |",
            "|         | 7    |        |       | -          | E1             |",
            "|         | 7    | 7      |       |            | E1             |",
            "| false   | 7    | 8      |       |            | E1             |",
        ],
    );
}

#[tokio::test]
async fn json_rows_are_read_by_key_in_any_case() {
    let text = concat!(
        "{\"DATE\":\"2026-06-14\",\"cs(User-Agent)\":\"a\\tb\",\"sc-status\":200}\n",
        "not json\n",
        "{\"date\":null,\"nested\":{\"a\":1},\"cs(user-agent)\":\"-\"}\n",
    );
    let mut table = by_hour(
        OPENX,
        &[
            ("date", "string"),
            ("cs_user_agent", "string"),
            ("sc_status", "bigint"),
            ("nested", "string"),
        ],
    );
    table.serde_parameters = map(&[
        ("case.insensitive", "true"),
        ("ignore.malformed.json", "true"),
        ("mapping.cs_user_agent", "cs(user-agent)"),
        ("mapping.sc_status", "sc-status"),
    ]);
    let buckets = || Buckets::default().with("logs/access/E2/13/23/a.gz", gzip(text));
    let sql = "SELECT * FROM access";
    let rows = ask(table.clone(), buckets(), &Tally::default(), sql).await;
    insta_like(
        &rows.unwrap(),
        &[
            "| date       | cs_user_agent | sc_status | nested  | distributionid | day | hour |",
            "| 2026-06-14 | a\tb           | 200       |         | E2             | 13  | 23   |",
            "|            |               |           |         | E2             | 13  | 23   |",
            "|            | -             |           | {\"a\":1} | E2             | 13  | 23   |",
        ],
    );
    table.serde_parameters.remove("ignore.malformed.json");
    let tally = Tally::default();
    let refused = ask(table, buckets(), &tally, sql).await.unwrap_err();
    assert!(refused.contains("not a valid JSON object"), "{refused}");
    assert!(matches!(tally.trouble(), Some(Trouble::BadData { .. })));
}

/// A file of two text columns.
fn parquet(rows: &[(&str, &str)]) -> Vec<u8> {
    let schema = Arc::new(Schema::new(vec![
        Field::new("c_ip", DataType::Utf8, true),
        Field::new("cs_uri_query", DataType::Utf8, true),
    ]));
    let column = |pick: fn(&(&str, &str)) -> String| {
        Arc::new(
            rows.iter()
                .map(|row| Some(pick(row)))
                .collect::<StringArray>(),
        )
    };
    let batch = RecordBatch::try_new(
        Arc::clone(&schema),
        vec![
            column(|row| row.0.to_owned()),
            column(|row| row.1.to_owned()),
        ],
    );
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, schema, None).unwrap();
    writer.write(&batch.unwrap()).unwrap();
    writer.close().unwrap();
    bytes
}

#[tokio::test]
async fn parquet_counts_only_what_is_asked_for() {
    let long = "x".repeat(4000);
    let body = parquet(&[("10.0.0.1", &long), ("-", "-")]);
    let size = body.len() as u64;
    let table = by_hour(
        PARQUET,
        &[
            ("cs_uri_query", "string"),
            ("missing", "string"),
            ("C_IP", "string"),
        ],
    );
    let buckets = || Buckets::default().with("logs/access/E1/14/07/a.parquet", body.clone());
    let tally = Tally::default();
    let rows = ask(
        table.clone(),
        buckets(),
        &tally,
        "SELECT \"C_IP\", missing, hour FROM access",
    );
    insta_like(
        &rows.await.unwrap(),
        &[
            "| C_IP     | missing | hour |",
            "| 10.0.0.1 |         | 7    |",
            "| -        |         | 7    |",
        ],
    );
    let narrow = tally.bytes();
    assert!(narrow > 0 && narrow < size, "{narrow} of {size}");
    let tally = Tally::default();
    let count = ask(
        table.clone(),
        buckets(),
        &tally,
        "SELECT count(*) AS n FROM access",
    );
    insta_like(&count.await.unwrap(), &["| n |", "| 2 |"]);
    assert!(tally.bytes() < narrow);

    let mut wrong = table;
    wrong.columns[0].1 = "bigint".to_owned();
    let tally = Tally::default();
    let refused = ask(wrong, buckets(), &tally, "SELECT cs_uri_query FROM access").await;
    assert!(refused.unwrap_err().contains("cs_uri_query is Utf8"));
}

#[tokio::test]
async fn conditions_on_partitions_choose_objects() {
    let buckets = || {
        let mut buckets = Buckets::default();
        for distribution in ["E1", "E2", "E3"] {
            for day in 13..=15 {
                for hour in [0, 7, 23] {
                    let key = format!("logs/access/{distribution}/{day}/{hour:02}/a.txt");
                    buckets = buckets.with(&key, format!("{distribution} {day} {hour}\n"));
                }
            }
        }
        // Scratch files, and what lies beside the partitions.
        buckets
            .with("logs/access/E1/14/07/_temporary", "no\n")
            .with("logs/access/E1/14/07/.hidden", "no\n")
            .with("logs/access/E1/14/07/empty.txt", "")
            .with("logs/access/readme.txt", "no\n")
    };
    for (condition, objects) in [
        ("true", 18),
        ("distributionid = 'E1'", 9),
        ("distributionid = 'E3'", 0),
        ("day = 14 AND hour BETWEEN 1 AND 22", 2),
        ("(day = 13 AND hour >= 7) OR (day = 14 AND hour <= 0)", 6),
        ("day IN (13, 15) AND distributionid IN ('E2')", 6),
        // Said of the data as well: only the partition's half chooses.
        ("day = 14 AND text LIKE 'E1%'", 6),
        // Of both at once: chooses nothing.
        ("day = 14 OR text = 'E1 13 0'", 18),
        ("cast(day as varchar) = '14'", 6),
    ] {
        let tally = Tally::default();
        let table = by_hour(LAZY, &[("text", "string")]);
        let sql = format!("SELECT count(*) FROM access WHERE {condition}");
        ask(table, buckets(), &tally, &sql).await.unwrap();
        assert_eq!(tally.objects(), objects, "{condition}");
    }
}

#[tokio::test]
async fn a_query_stops_at_its_limit() {
    let buckets = Buckets::default()
        .with("logs/access/E1/14/07/a.txt", "x\n".repeat(600))
        .with("logs/access/E1/14/08/a.txt", "x\n".repeat(600));
    let tally = Tally::limited(Some(2000));
    let table = by_hour(LAZY, &[("text", "string")]);
    let refused = ask(table, buckets, &tally, "SELECT count(text) FROM access").await;
    assert!(refused.unwrap_err().contains("more than 2000 bytes"));
    assert_eq!(tally.trouble(), Some(Trouble::Cutoff { limit: 2000 }));
}

#[tokio::test]
async fn a_damaged_gzip_fails_the_query_and_is_named() {
    let mut body = gzip(&"row\n".repeat(1000));
    body.truncate(body.len() / 2);
    let buckets = Buckets::default().with("logs/access/E1/14/07/a.gz", body);
    let tally = Tally::default();
    let table = by_hour(LAZY, &[("text", "string")]);
    let refused = ask(table, buckets, &tally, "SELECT * FROM access").await;
    assert!(
        refused
            .unwrap_err()
            .contains("s3://logs/access/E1/14/07/a.gz")
    );
}

#[test]
fn partitions_follow_the_projection() {
    let mut table = by_hour(LAZY, &[]);
    let all = projection::partitions(&table).unwrap();
    assert_eq!(all.len(), 2 * 3 * 24);
    assert_eq!(all[7].values, ["E1", "13", "07"]);
    assert_eq!(all[7].location, "s3://logs/access/E1/13/07/");
    assert_eq!(projection::common_location(&table), "s3://logs/access/");

    for (property, value) in [
        ("projection.day.range", "15,13"),
        ("projection.day.range", "NOW-1DAYS,NOW"),
        ("projection.day.type", "date"),
        ("projection.day.digits", "two"),
        ("projection.hour.interval", "0"),
    ] {
        let mut table = table.clone();
        table
            .parameters
            .insert(property.to_owned(), value.to_owned());
        assert!(
            projection::partitions(&table).is_err(),
            "{property} {value}"
        );
    }
    // Nobody added any to the catalog.
    table.parameters.remove("projection.enabled");
    assert!(projection::partitions(&table).unwrap().is_empty());
    table.partition_keys.clear();
    assert_eq!(projection::partitions(&table).unwrap().len(), 1);
}

#[test]
fn what_is_not_known_is_refused_when_the_table_is_made() {
    let make = |table| {
        let made = provider(table, Arc::new(Buckets::default()), Tally::default());
        made.unwrap_err().to_string()
    };
    let unknown = by_hour("org.example.SerDe", &[]);
    assert!(make(unknown).contains("org.example.SerDe"));
    let unknown = by_hour(LAZY, &[("a", "struct<b:int>")]);
    assert!(make(unknown).contains("struct<b"));
}

/// The lines of a printed table that are not rules.
#[track_caller]
fn insta_like(shown: &str, expected: &[&str]) {
    let lines: Vec<&str> = shown.lines().filter(|line| line.starts_with('|')).collect();
    assert_eq!(lines, expected, "{shown}");
}
