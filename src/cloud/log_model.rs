//! The values of the services that logs go through and are asked in: Kinesis, CloudWatch Logs
//! deliveries, S3, the Glue catalog and Athena. Free of any SDK type.

use std::collections::BTreeMap;

use jiff::Timestamp;

/// Tags by key.
pub(crate) type Tags = BTreeMap<String, String>;

/// A Kinesis data stream, per `DescribeStreamSummary`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stream {
    pub(crate) name: String,
    pub(crate) arn: String,
    /// `CREATING`, `ACTIVE`, `UPDATING` or `DELETING`.
    pub(crate) status: String,
    /// Capacity grows by itself; else it is the open shards'.
    pub(crate) on_demand: bool,
    pub(crate) open_shards: u32,
    pub(crate) retention_hours: u32,
}

impl Stream {
    /// Whether it takes changes and records.
    pub(crate) fn is_active(&self) -> bool {
        self.status == "ACTIVE"
    }
}

/// What logs: a distribution, by its ARN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DeliverySource {
    pub(crate) name: String,
    pub(crate) arn: String,
    pub(crate) resources: Vec<String>,
    /// `ACCESS_LOGS`.
    pub(crate) log_type: String,
    pub(crate) tags: Tags,
}

/// Where logs go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DeliveryDestination {
    pub(crate) name: String,
    pub(crate) arn: String,
    /// `S3`, `CWL` or `FH`.
    pub(crate) kind: String,
    /// `parquet`, `json`, `w3c`, `plain` or `raw`; cannot be changed.
    pub(crate) format: Option<String>,
    /// For S3 the bucket with its prefix, `arn:aws:s3:::BUCKET/PREFIX`.
    pub(crate) resource: String,
    pub(crate) tags: Tags,
}

/// A source joined with a destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Delivery {
    pub(crate) id: String,
    pub(crate) arn: String,
    /// The source's name.
    pub(crate) source: String,
    /// The destination's ARN.
    pub(crate) destination: String,
    /// In the order of the columns.
    pub(crate) fields: Vec<String>,
    /// The path below the destination's prefix, with variables.
    pub(crate) suffix: Option<String>,
    /// `year=2026/…` rather than `2026/…`.
    pub(crate) hive: bool,
    pub(crate) tags: Tags,
}

/// What a delivery is made with, or brought to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DeliverySettings {
    pub(crate) fields: Vec<String>,
    pub(crate) suffix: String,
    pub(crate) hive: bool,
    /// Only for the formats that have one.
    pub(crate) delimiter: Option<String>,
}

/// An object of a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ObjectSummary {
    pub(crate) key: String,
    /// Bytes.
    pub(crate) size: u64,
    pub(crate) modified: Timestamp,
}

/// An event of a log group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogEvent {
    pub(crate) at: Timestamp,
    pub(crate) message: String,
}

/// A database of the catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CatalogDatabase {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) parameters: BTreeMap<String, String>,
}

/// A table as the catalog has it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CatalogTable {
    pub(crate) definition: TableDefinition,
    /// Sent back with an update, so that nobody's is lost.
    pub(crate) version: Option<String>,
    /// The answer whole: what is not in the definition goes back as it came.
    pub(crate) raw: serde_json::Value,
}

/// What makes an external table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TableDefinition {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) columns: Vec<Column>,
    pub(crate) partition_keys: Vec<Column>,
    /// `s3://BUCKET/PREFIX/`
    pub(crate) location: String,
    pub(crate) input_format: String,
    pub(crate) output_format: String,
    /// The class that reads the rows, and its settings.
    pub(crate) serde: String,
    pub(crate) serde_parameters: BTreeMap<String, String>,
    /// `TBLPROPERTIES`.
    pub(crate) parameters: BTreeMap<String, String>,
}

/// A column, with its Hive type in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: String,
}

/// An Athena workgroup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WorkGroup {
    pub(crate) name: String,
    pub(crate) enabled: bool,
    /// Bytes that one query may scan; none: no limit.
    pub(crate) scan_limit: Option<u64>,
    /// `s3://…` for results.
    pub(crate) output: Option<String>,
    /// Whether a query's own settings are overridden by these.
    pub(crate) enforced: bool,
}

/// A query that Athena keeps under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NamedQuery {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) database: String,
    pub(crate) text: String,
}
