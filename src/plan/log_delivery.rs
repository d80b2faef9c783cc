//! The delivery of access logs to a bucket: which fields, under which path, and the statement of
//! the bucket's policy that lets the log service write there.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::cloud::DeliverySettings;
use crate::event::name::EventId;
use crate::runbook::AccessLogs;
use crate::runbook::model::LogFormat;

/// Below the destination's prefix. Not in Hive's form: the tables' projection names the parts.
const SUFFIX: &str = "{DistributionId}/{yyyy}/{MM}/{dd}/{HH}";

/// Names of sources and destinations are at most as long (botocore `logs`).
const LONGEST_NAME: usize = 60;

/// The fields of the access logs in the order of the table's columns: the 33 of the standard logs,
/// then those that v2 has besides (Developer Guide, standard logging v2).
pub(crate) const FIELDS: [&str; 40] = [
    "date",
    "time",
    "x-edge-location",
    "sc-bytes",
    "c-ip",
    "cs-method",
    "cs(Host)",
    "cs-uri-stem",
    "sc-status",
    "cs(Referer)",
    "cs(User-Agent)",
    "cs-uri-query",
    "cs(Cookie)",
    "x-edge-result-type",
    "x-edge-request-id",
    "x-host-header",
    "cs-protocol",
    "cs-bytes",
    "time-taken",
    "x-forwarded-for",
    "ssl-protocol",
    "ssl-cipher",
    "x-edge-response-result-type",
    "cs-protocol-version",
    "fle-status",
    "fle-encrypted-fields",
    "c-port",
    "time-to-first-byte",
    "x-edge-detailed-result-type",
    "sc-content-type",
    "sc-content-len",
    "sc-range-start",
    "sc-range-end",
    "timestamp(ms)",
    "origin-fbl",
    "origin-lbl",
    "asn",
    "c-country",
    "cache-behavior-path-pattern",
    "viewer-request-log-data",
];

/// The name of the format as the log service has it.
pub(crate) fn format_name(format: LogFormat) -> &'static str {
    match format {
        LogFormat::Parquet => "parquet",
        LogFormat::Json => "json",
        LogFormat::W3c => "w3c",
    }
}

/// How a delivery of these logs is set up.
pub(crate) fn settings(logs: &AccessLogs) -> DeliverySettings {
    DeliverySettings {
        fields: FIELDS.map(str::to_owned).to_vec(),
        suffix: SUFFIX.to_owned(),
        hive: false,
        delimiter: (logs.format == LogFormat::W3c).then(|| "\t".to_owned()),
    }
}

/// The name of the delivery source of a distribution: `onair-EVENT-NAME`.
pub(crate) fn source_name(event: &EventId, distribution: &str) -> String {
    bounded(format!("onair-{event}-{distribution}"))
}

/// The name of the event's one delivery destination.
pub(crate) fn destination_name(event: &EventId) -> String {
    bounded(format!("onair-{event}-access"))
}

/// The place as the log service names it.
pub(crate) fn resource(logs: &AccessLogs) -> String {
    match logs.prefix.as_str() {
        "" => format!("arn:aws:s3:::{}", logs.bucket),
        prefix => format!("arn:aws:s3:::{}/{prefix}", logs.bucket),
    }
}

/// What stands before the suffix in the keys of objects, without a slash at its end: the log service
/// puts a prefix that names the account where the destination has none.
pub(crate) fn base(logs: &AccessLogs, account: &str) -> String {
    match logs.prefix.as_str() {
        "" => format!("AWSLogs/{account}/CloudFront"),
        prefix => prefix.to_owned(),
    }
}

/// The folders of a distribution's last `hours` hours, newest first: where its newest object is.
/// Folders are of the hour in which requests were completed, in UTC.
pub(crate) fn folders(
    logs: &AccessLogs,
    account: &str,
    distribution: &str,
    now: Timestamp,
    hours: i64,
) -> Vec<String> {
    let base = base(logs, account);
    (0..hours)
        .filter_map(|back| now.checked_sub(SignedDuration::from_hours(back)).ok())
        .map(|at| {
            let hour = at
                .to_zoned(TimeZone::UTC)
                .strftime("%Y/%m/%d/%H")
                .to_string();
            format!("{base}/{distribution}/{hour}/")
        })
        .collect()
}

/// The id of the event's statement in the bucket's policy. Ids hold letters and digits alone.
pub(crate) fn statement_id(event: &EventId) -> String {
    let letters = event.as_str().chars().filter(char::is_ascii_alphanumeric);
    let digest = hex::encode(&Sha256::digest(event.as_str())[..3]);
    format!("OnairAccessLogs{}{digest}", letters.collect::<String>())
}

/// The statement that lets the log service write the event's logs.
pub(crate) fn statement(event: &EventId, logs: &AccessLogs, account: &str) -> Value {
    let base = base(logs, account);
    json!({
        "Sid": statement_id(event),
        "Effect": "Allow",
        "Principal": {"Service": "delivery.logs.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": format!("arn:aws:s3:::{}/{base}/*", logs.bucket),
        "Condition": {
            "StringEquals": {
                "s3:x-amz-acl": "bucket-owner-full-control",
                "aws:SourceAccount": account,
            },
            "ArnLike": {
                "aws:SourceArn": format!("arn:aws:logs:us-east-1:{account}:delivery-source:*"),
            },
        },
    })
}

/// A bucket policy that could not be read as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the bucket's policy is not a JSON object with a list of statements")]
pub(crate) struct NotAPolicy;

/// The event's statement in a bucket's policy.
pub(crate) fn find_statement(
    policy: Option<&str>,
    event: &EventId,
) -> Result<Option<Value>, NotAPolicy> {
    let Some(policy) = policy else {
        return Ok(None);
    };
    let (_, statements) = parsed(policy)?;
    let id = statement_id(event);
    Ok(statements.into_iter().find(|one| one["Sid"] == id.as_str()))
}

/// The policy with `statement` in the place of the event's own, and all others as they were. None
/// when nothing is left.
pub(crate) fn with_statement(
    policy: Option<&str>,
    event: &EventId,
    statement: Option<Value>,
) -> Result<Option<String>, NotAPolicy> {
    let (mut document, mut statements) = match policy {
        Some(policy) => parsed(policy)?,
        None => (json!({"Version": "2012-10-17"}), Vec::new()),
    };
    let id = statement_id(event);
    let at = statements.iter().position(|one| one["Sid"] == id.as_str());
    match (at, statement) {
        (Some(at), Some(statement)) => statements[at] = statement,
        (Some(at), None) => {
            statements.remove(at);
        }
        (None, Some(statement)) => statements.push(statement),
        (None, None) => {}
    }
    if statements.is_empty() {
        return Ok(None);
    }
    document["Statement"] = statements.into();
    Ok(Some(document.to_string()))
}

/// The document, and its statements as a list.
fn parsed(policy: &str) -> Result<(Value, Vec<Value>), NotAPolicy> {
    let mut document: Value = serde_json::from_str(policy).map_err(|_| NotAPolicy)?;
    if !document.is_object() {
        return Err(NotAPolicy);
    }
    let statements = match document["Statement"].take() {
        Value::Array(list) => list,
        // One statement may stand without a list around it.
        Value::Object(one) => vec![Value::Object(one)],
        _ => return Err(NotAPolicy),
    };
    Ok((document, statements))
}

/// A name that fits: what is too long ends in a digest of the whole.
fn bounded(name: String) -> String {
    if name.len() <= LONGEST_NAME {
        return name;
    }
    let digest = hex::encode(&Sha256::digest(&name)[..4]);
    // Names are ASCII, as event ids and distribution names are.
    let start: String = name.chars().take(LONGEST_NAME - digest.len() - 1).collect();
    format!("{start}-{digest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: &str) -> EventId {
        EventId::parse(id).unwrap()
    }

    fn logs(prefix: &str) -> AccessLogs {
        AccessLogs {
            bucket: "logs".to_owned(),
            prefix: prefix.to_owned(),
            format: LogFormat::Parquet,
        }
    }

    #[test]
    fn names_fit_the_service() {
        let long = event("a-very-long-name-of-an-event");
        let name = source_name(&long, "main-distribution-of-the-first-day");
        assert_eq!(name.len(), LONGEST_NAME, "{name}");
        let other = source_name(&long, "main-distribution-of-the-second-day");
        assert_ne!(name, other);
        assert_eq!(
            source_name(&event("cup-final"), "main"),
            "onair-cup-final-main"
        );
        assert_ne!(
            statement_id(&event("cup-final")),
            statement_id(&event("cupfinal"))
        );
    }

    #[test]
    fn folders_go_back_over_midnight_in_utc() {
        let now = "2026-06-15T00:30:00Z".parse().unwrap();
        assert_eq!(
            folders(&logs("access"), "111122223333", "E1", now, 2),
            ["access/E1/2026/06/15/00/", "access/E1/2026/06/14/23/"]
        );
        assert_eq!(
            folders(&logs(""), "111122223333", "E1", now, 1),
            ["AWSLogs/111122223333/CloudFront/E1/2026/06/15/00/"]
        );
    }

    #[test]
    fn a_policy_keeps_every_other_statement() {
        let event = event("cup-final");
        let ours = statement(&event, &logs("access"), "111122223333");
        let foreign =
            r#"{"Version":"2008-10-17","Id":"x","Statement":{"Sid":"a","Effect":"Deny"}}"#;
        let with = with_statement(Some(foreign), &event, Some(ours.clone()))
            .unwrap()
            .unwrap();
        assert_eq!(find_statement(Some(&with), &event), Ok(Some(ours.clone())));
        let twice = with_statement(Some(&with), &event, Some(ours.clone())).unwrap();
        assert_eq!(twice.as_deref(), Some(with.as_str()));
        let without = with_statement(Some(&with), &event, None).unwrap().unwrap();
        assert_eq!(
            without,
            r#"{"Version":"2008-10-17","Id":"x","Statement":[{"Sid":"a","Effect":"Deny"}]}"#
        );
        let alone = with_statement(None, &event, Some(ours)).unwrap();
        assert_eq!(with_statement(alone.as_deref(), &event, None), Ok(None));
        assert_eq!(with_statement(Some("[]"), &event, None), Err(NotAPolicy));
    }
}
