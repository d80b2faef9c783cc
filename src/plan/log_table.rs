//! The tables over the event's logs, as the Glue catalog holds them. Pure; where a sample of AWS's
//! would lead astray, a comment says so (facts in the Athena User Guide and the CloudFront
//! Developer Guide).
//!
//! Both tables name a column as its log field, in lower case with `_` for what is no letter, so that
//! one SQL text fits every format.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::log_delivery::{self, FIELDS};
use crate::cloud::{Column, TableDefinition};
use crate::runbook::model::LogFormat;
use crate::runbook::{AccessLogs, Runbook};

/// Which event a table is for; the other half of our mark is the ledger's.
pub(crate) const EVENT_PARAMETER: &str = "onair:event";

/// What tables are made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TableScene<'a> {
    pub(crate) event: &'a str,
    pub(crate) account: &'a str,
    /// Ids, in the runbook's order.
    pub(crate) distributions: Vec<&'a str>,
    /// The event with its grace.
    pub(crate) from: Timestamp,
    pub(crate) until: Timestamp,
}

impl<'a> TableScene<'a> {
    /// As the runbook has it.
    pub(crate) fn of(runbook: &'a Runbook) -> Self {
        let event = &runbook.event;
        let distributions = runbook.distributions.iter();
        Self {
            event: event.id.as_str(),
            account: &runbook.aws.account,
            distributions: distributions.map(|one| one.id.as_str()).collect(),
            from: event
                .doors
                .saturating_sub(event.grace)
                .unwrap_or(event.doors),
            until: event.ends.saturating_add(event.grace).unwrap_or(event.ends),
        }
    }
}

/// The table over the access logs.
pub(crate) fn access(scene: &TableScene<'_>, name: &str, logs: &AccessLogs) -> TableDefinition {
    let place = format!(
        "s3://{}/{}",
        logs.bucket,
        log_delivery::base(logs, scene.account)
    );
    // Every value is a text in all three formats: in Parquet the files' own columns are, and a table
    // that says otherwise cannot be read. Queries cast.
    let columns = FIELDS
        .iter()
        .map(|field| Column {
            name: column_name(field),
            kind: "string".to_owned(),
        })
        .collect();
    let mut parameters = projection(scene);
    parameters.insert(
        "projection.distributionid.type".to_owned(),
        "enum".to_owned(),
    );
    parameters.insert(
        "projection.distributionid.values".to_owned(),
        scene.distributions.join(","),
    );
    parameters.insert(
        "storage.location.template".to_owned(),
        format!("{place}/${{distributionid}}/${{year}}/${{month}}/${{day}}/${{hour}}/"),
    );
    let mut partition_keys = vec![Column {
        name: "distributionid".to_owned(),
        kind: "string".to_owned(),
    }];
    partition_keys.extend(hours());
    let form = match logs.format {
        LogFormat::Parquet => Form::parquet(),
        LogFormat::Json => Form::json(&FIELDS),
        LogFormat::W3c => {
            // The head is one line or two: `#Fields:`, and in the legacy form `#Version:` before
            // it. With one line skipped no row of data is ever lost; a second one becomes a row
            // whose date begins with `#`, which queries leave out.
            parameters.insert("skip.header.line.count".to_owned(), "1".to_owned());
            Form::tabs()
        }
    };
    TableDefinition {
        name: name.to_owned(),
        description: format!("Access logs of {}, standard logging v2", scene.event),
        columns,
        partition_keys,
        location: format!("{place}/"),
        input_format: form.input.to_owned(),
        output_format: form.output.to_owned(),
        serde: form.serde.to_owned(),
        serde_parameters: form.parameters,
        parameters,
    }
}

/// The table over real-time logs that a delivery stream keeps in the bucket, below `realtime/`, one
/// folder an hour in UTC. `fields` are in CloudFront's delivery order.
pub(crate) fn realtime(
    scene: &TableScene<'_>,
    name: &str,
    bucket: &str,
    fields: &[String],
) -> TableDefinition {
    let place = format!("s3://{bucket}/realtime/{}", scene.event);
    let columns = fields
        .iter()
        .map(|field| Column {
            name: column_name(field),
            kind: realtime_type(field).to_owned(),
        })
        .collect();
    let mut parameters = projection(scene);
    // No header is skipped: a stream writes none, and AWS's sample loses two rows of each file.
    parameters.insert(
        "storage.location.template".to_owned(),
        format!("{place}/${{year}}/${{month}}/${{day}}/${{hour}}/"),
    );
    let form = Form::tabs();
    TableDefinition {
        name: name.to_owned(),
        description: format!("Real-time logs of {}", scene.event),
        columns,
        partition_keys: hours().to_vec(),
        location: format!("{place}/"),
        input_format: form.input.to_owned(),
        output_format: form.output.to_owned(),
        serde: form.serde.to_owned(),
        serde_parameters: form.parameters,
        parameters,
    }
}

/// The column of a log field: `cs(User-Agent)` is `cs_user_agent`, as in CloudFront's Parquet files.
/// That `timestamp(ms)` is `timestamp_ms` there is expected and not documented.
pub(crate) fn column_name(field: &str) -> String {
    let mut name = String::new();
    for character in field.chars() {
        if character.is_ascii_alphanumeric() {
            name.push(character.to_ascii_lowercase());
        } else if !name.ends_with('_') {
            name.push('_');
        }
    }
    name.trim_end_matches('_').to_owned()
}

/// The type of a real-time field. `-` reads as NULL where it is a number.
fn realtime_type(field: &str) -> &'static str {
    match field {
        // Seconds with decimals: AWS's sample has BIGINT, which reads them all as NULL.
        "timestamp" | "time-to-first-byte" | "time-taken" | "origin-fbl" | "origin-lbl"
        | "cmcd-playback-rate" => "double",
        "sc-status"
        | "c-port"
        | "cs-headers-count"
        | "fle-encrypted-fields"
        | "x-edge-mqcs"
        | "cmcd-version" => "int",
        "sc-bytes"
        | "cs-bytes"
        | "sc-content-len"
        | "sc-range-start"
        | "sc-range-end"
        | "asn"
        | "cmcd-encoded-bitrate"
        | "cmcd-buffer-length"
        | "cmcd-object-duration"
        | "cmcd-deadline"
        | "cmcd-measured-throughput"
        | "cmcd-requested-maximum-throughput"
        | "cmcd-top-bitrate" => "bigint",
        _ => "string",
    }
}

fn hours() -> [Column; 4] {
    ["year", "month", "day", "hour"].map(|name| Column {
        name: name.to_owned(),
        kind: "int".to_owned(),
    })
}

/// The projection of the hours, so that no partition is ever added by hand.
fn projection(scene: &TableScene<'_>) -> BTreeMap<String, String> {
    let year = |at: Timestamp| at.to_zoned(TimeZone::UTC).year();
    let years = format!("{},{}", year(scene.from), year(scene.until));
    let mut parameters = BTreeMap::from([
        ("EXTERNAL", "TRUE".to_owned()),
        ("projection.enabled", "true".to_owned()),
        ("projection.year.type", "integer".to_owned()),
        ("projection.year.range", years),
        (EVENT_PARAMETER, scene.event.to_owned()),
    ]);
    for (part, range) in [
        ("month", "1,12"),
        ("day", "1,31"),
        // All of the day. AWS's Parquet sample has 01,12, which hides half of it.
        ("hour", "0,23"),
    ] {
        let [kind, ranges, digits] = match part {
            "month" => [
                "projection.month.type",
                "projection.month.range",
                "projection.month.digits",
            ],
            "day" => [
                "projection.day.type",
                "projection.day.range",
                "projection.day.digits",
            ],
            _ => [
                "projection.hour.type",
                "projection.hour.range",
                "projection.hour.digits",
            ],
        };
        let range = range
            .split(',')
            .map(|bound| format!("{bound:0>2}"))
            .collect::<Vec<_>>()
            .join(",");
        parameters.insert(kind, "integer".to_owned());
        parameters.insert(ranges, range);
        parameters.insert(digits, "2".to_owned());
    }
    parameters
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
}

/// How a table's files are read.
struct Form {
    input: &'static str,
    output: &'static str,
    serde: &'static str,
    parameters: BTreeMap<String, String>,
}

const TEXT_INPUT: &str = "org.apache.hadoop.mapred.TextInputFormat";
const TEXT_OUTPUT: &str = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat";

impl Form {
    fn parquet() -> Self {
        Self {
            input: "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
            output: "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
            serde: "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
            parameters: BTreeMap::from([("serialization.format".to_owned(), "1".to_owned())]),
        }
    }

    /// Keys are the fields' names, which the reader folds to lower case; where a column is named
    /// otherwise, a mapping says from which key it is.
    fn json(fields: &[&str]) -> Self {
        let mut parameters = BTreeMap::from([
            ("case.insensitive".to_owned(), "true".to_owned()),
            ("ignore.malformed.json".to_owned(), "true".to_owned()),
        ]);
        for field in fields {
            let (column, key) = (column_name(field), field.to_lowercase());
            if column != key {
                parameters.insert(format!("mapping.{column}"), key);
            }
        }
        Self {
            input: TEXT_INPUT,
            output: TEXT_OUTPUT,
            serde: "org.openx.data.jsonserde.JsonSerDe",
            parameters,
        }
    }

    fn tabs() -> Self {
        Self {
            input: TEXT_INPUT,
            output: TEXT_OUTPUT,
            serde: "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
            parameters: BTreeMap::from([
                ("field.delim".to_owned(), "\t".to_owned()),
                ("serialization.format".to_owned(), "\t".to_owned()),
            ]),
        }
    }
}

/// A table as `CREATE EXTERNAL TABLE` would say it, to read and to compare.
#[cfg(test)]
pub(crate) fn ddl(database: &str, table: &TableDefinition) -> String {
    let columns = |columns: &[Column]| {
        let columns = columns.iter();
        columns
            .map(|column| format!("  `{}` {}", column.name, column.kind.to_uppercase()))
            .collect::<Vec<_>>()
            .join(",\n")
    };
    let properties = |map: &BTreeMap<String, String>| {
        let entries = map.iter();
        entries
            .map(|(key, value)| format!("  '{key}' = '{}'", value.escape_default()))
            .collect::<Vec<_>>()
            .join(",\n")
    };
    format!(
        "CREATE EXTERNAL TABLE `{database}`.`{}` (\n{}\n)\nPARTITIONED BY (\n{}\n)\n\
         ROW FORMAT SERDE '{}'\nWITH SERDEPROPERTIES (\n{}\n)\n\
         STORED AS INPUTFORMAT '{}'\nOUTPUTFORMAT '{}'\nLOCATION '{}'\nTBLPROPERTIES (\n{}\n)\n",
        table.name,
        columns(&table.columns),
        columns(&table.partition_keys),
        table.serde,
        properties(&table.serde_parameters),
        table.input_format,
        table.output_format,
        table.location,
        properties(&table.parameters),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scene() -> TableScene<'static> {
        TableScene {
            event: "cup-final",
            account: "111122223333",
            distributions: vec!["E1", "E2"],
            from: "2026-06-14T14:00:00Z".parse().unwrap(),
            until: "2026-06-15T00:30:00Z".parse().unwrap(),
        }
    }

    fn logs(format: LogFormat) -> AccessLogs {
        AccessLogs {
            bucket: "logs".to_owned(),
            prefix: "access".to_owned(),
            format,
        }
    }

    #[test]
    fn fields_become_the_columns_of_cloudfronts_parquet() {
        for (field, column) in [
            ("cs(User-Agent)", "cs_user_agent"),
            ("cs(Referer)", "cs_referer"),
            ("x-edge-location", "x_edge_location"),
            ("timestamp(ms)", "timestamp_ms"),
            ("date", "date"),
        ] {
            assert_eq!(column_name(field), column);
        }
    }

    #[test]
    fn every_hour_of_the_day_is_projected() {
        let table = access(&scene(), "access", &logs(LogFormat::Parquet));
        assert_eq!(table.parameters["projection.hour.range"], "00,23");
        assert_eq!(
            table.parameters["projection.distributionid.values"],
            "E1,E2"
        );
        assert_eq!(table.parameters["projection.year.range"], "2026,2026");
    }

    #[test]
    fn the_formats_differ_in_how_they_are_read_alone() {
        let parquet = access(&scene(), "access", &logs(LogFormat::Parquet));
        for format in [LogFormat::Json, LogFormat::W3c] {
            let table = access(&scene(), "access", &logs(format));
            assert_eq!(table.columns, parquet.columns);
            assert_eq!(table.partition_keys, parquet.partition_keys);
            assert_ne!(table.serde, parquet.serde);
        }
        let json = access(&scene(), "access", &logs(LogFormat::Json));
        assert_eq!(
            json.serde_parameters["mapping.cs_user_agent"],
            "cs(user-agent)"
        );
        assert!(!json.serde_parameters.contains_key("mapping.date"));
    }

    #[test]
    fn a_bucket_without_a_prefix_gets_the_services_own() {
        let logs = AccessLogs {
            prefix: String::new(),
            ..logs(LogFormat::Parquet)
        };
        let table = access(&scene(), "access", &logs);
        assert_eq!(table.location, "s3://logs/AWSLogs/111122223333/CloudFront/");
    }

    #[test]
    fn real_time_columns_have_types_that_keep_the_values() {
        let fields = [
            "timestamp",
            "c-ip",
            "s-ip",
            "sc-status",
            "time-taken",
            "asn",
            "cmcd-session-id",
        ];
        let table = realtime(&scene(), "realtime", "logs", &fields.map(str::to_owned));
        insta::assert_snapshot!(ddl("cup_final", &table), @r"
        CREATE EXTERNAL TABLE `cup_final`.`realtime` (
          `timestamp` DOUBLE,
          `c_ip` STRING,
          `s_ip` STRING,
          `sc_status` INT,
          `time_taken` DOUBLE,
          `asn` BIGINT,
          `cmcd_session_id` STRING
        )
        PARTITIONED BY (
          `year` INT,
          `month` INT,
          `day` INT,
          `hour` INT
        )
        ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe'
        WITH SERDEPROPERTIES (
          'field.delim' = '\t',
          'serialization.format' = '\t'
        )
        STORED AS INPUTFORMAT 'org.apache.hadoop.mapred.TextInputFormat'
        OUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'
        LOCATION 's3://logs/realtime/cup-final/'
        TBLPROPERTIES (
          'EXTERNAL' = 'TRUE',
          'onair:event' = 'cup-final',
          'projection.day.digits' = '2',
          'projection.day.range' = '01,31',
          'projection.day.type' = 'integer',
          'projection.enabled' = 'true',
          'projection.hour.digits' = '2',
          'projection.hour.range' = '00,23',
          'projection.hour.type' = 'integer',
          'projection.month.digits' = '2',
          'projection.month.range' = '01,12',
          'projection.month.type' = 'integer',
          'projection.year.range' = '2026,2026',
          'projection.year.type' = 'integer',
          'storage.location.template' = 's3://logs/realtime/cup-final/${year}/${month}/${day}/${hour}/'
        )
        ");
    }

    #[test]
    fn the_access_table_in_parquet() {
        let mut table = access(&scene(), "access", &logs(LogFormat::Parquet));
        table.columns.truncate(3);
        insta::assert_snapshot!(ddl("cup_final", &table), @r"
        CREATE EXTERNAL TABLE `cup_final`.`access` (
          `date` STRING,
          `time` STRING,
          `x_edge_location` STRING
        )
        PARTITIONED BY (
          `distributionid` STRING,
          `year` INT,
          `month` INT,
          `day` INT,
          `hour` INT
        )
        ROW FORMAT SERDE 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe'
        WITH SERDEPROPERTIES (
          'serialization.format' = '1'
        )
        STORED AS INPUTFORMAT 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat'
        OUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat'
        LOCATION 's3://logs/access/'
        TBLPROPERTIES (
          'EXTERNAL' = 'TRUE',
          'onair:event' = 'cup-final',
          'projection.day.digits' = '2',
          'projection.day.range' = '01,31',
          'projection.day.type' = 'integer',
          'projection.distributionid.type' = 'enum',
          'projection.distributionid.values' = 'E1,E2',
          'projection.enabled' = 'true',
          'projection.hour.digits' = '2',
          'projection.hour.range' = '00,23',
          'projection.hour.type' = 'integer',
          'projection.month.digits' = '2',
          'projection.month.range' = '01,12',
          'projection.month.type' = 'integer',
          'projection.year.range' = '2026,2026',
          'projection.year.type' = 'integer',
          'storage.location.template' = 's3://logs/access/${distributionid}/${year}/${month}/${day}/${hour}/'
        )
        ");
    }
}
