//! What deliveries write to buckets: an object for every ten minutes of the last hour, made when
//! somebody looks. Text formats hold one row of a monitoring probe; a Parquet object has the
//! format's magic bytes alone, since nothing reads it yet.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde_json::{Map, Value};

use super::{Delivery, State};
use crate::sandbox::s3;
use crate::sandbox::seed::letters;

/// How long after its time an object arrives.
const LATE: SignedDuration = SignedDuration::from_mins(5);
/// How much one object covers, and how many are kept up.
const SLOT_SECONDS: i64 = 600;
const SLOTS: i64 = 6;

/// Writes what is due; says whether anything was written.
pub(in crate::sandbox) fn deliver(
    state: &State,
    buckets: &mut s3::State,
    account: &str,
    now: Timestamp,
) -> bool {
    if state.stalled {
        return false;
    }
    let mut wrote = false;
    for delivery in state.deliveries.values() {
        let Some(destination) = state.destinations.get(&delivery.destination) else {
            continue;
        };
        let Some(place) = destination.resource.strip_prefix("arn:aws:s3:::") else {
            continue;
        };
        let Some(source) = state.sources.get(&delivery.source) else {
            continue;
        };
        let distribution = source.resource.rsplit('/').next().unwrap_or_default();
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        let format = destination.format.as_deref().unwrap_or("json");
        for end in slots(now, delivery.created) {
            let folder = path(delivery, prefix, distribution, account, end);
            let stamp = end.as_second().to_string();
            let unique = letters("log object", distribution, &stamp, 8).to_lowercase();
            let hour = end.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d-%H");
            let kind = if format == "parquet" { "parquet" } else { "gz" };
            let key = format!("{folder}/{distribution}.{hour}.{unique}.{kind}");
            if buckets.has_object(bucket, &key) || !buckets.allows_delivery(bucket, &key) {
                continue;
            }
            let body = content(delivery, format, end);
            wrote |= buckets.deliver(bucket, &key, &body, end.saturating_add(LATE).unwrap_or(now));
        }
    }
    wrote
}

/// The ends of the slots whose objects have arrived.
fn slots(now: Timestamp, created: Timestamp) -> impl Iterator<Item = Timestamp> {
    let arrived = now.saturating_sub(LATE).unwrap_or(now).as_second();
    let last = arrived - arrived.rem_euclid(SLOT_SECONDS);
    (0..SLOTS)
        .filter_map(move |back| Timestamp::from_second(last - back * SLOT_SECONDS).ok())
        .filter(move |end| *end > created)
}

/// The folder of an object, without a slash at its ends.
fn path(
    delivery: &Delivery,
    prefix: &str,
    distribution: &str,
    account: &str,
    at: Timestamp,
) -> String {
    // Without a prefix of its own a bucket gets one that names the account.
    let base = if prefix.is_empty() {
        let account = if delivery.hive {
            format!("aws-account-id={account}")
        } else {
            account.to_owned()
        };
        format!("AWSLogs/{account}/CloudFront")
    } else {
        prefix.trim_matches('/').to_owned()
    };
    let at = at.to_zoned(TimeZone::UTC);
    let mut suffix = delivery.suffix.clone().unwrap_or_default();
    for (variable, name, value) in [
        (
            "{DistributionId}",
            "DistributionId",
            distribution.to_owned(),
        ),
        (
            "{distributionid}",
            "distributionid",
            distribution.to_owned(),
        ),
        ("{accountid}", "accountid", account.to_owned()),
        ("{yyyy}", "year", at.strftime("%Y").to_string()),
        ("{MM}", "month", at.strftime("%m").to_string()),
        ("{dd}", "day", at.strftime("%d").to_string()),
        ("{HH}", "hour", at.strftime("%H").to_string()),
    ] {
        let value = if delivery.hive {
            format!("{name}={value}")
        } else {
            value
        };
        suffix = suffix.replace(variable, &value);
    }
    format!("{base}/{}", suffix.trim_matches('/'))
}

fn content(delivery: &Delivery, format: &str, at: Timestamp) -> Vec<u8> {
    let values: Vec<String> = delivery
        .fields
        .iter()
        .map(|field| value(field, at))
        .collect();
    let text = match format {
        "parquet" => return b"PAR1PAR1".to_vec(),
        "json" => {
            let row: Map<String, Value> = delivery
                .fields
                .iter()
                .cloned()
                .zip(values.into_iter().map(Value::from))
                .collect();
            format!("{}\n", Value::Object(row))
        }
        _ => {
            let delimiter = delivery.delimiter.as_deref().unwrap_or("\t");
            let head = if format == "w3c" {
                format!("#Version: 1.0\n#Fields: {}\n", delivery.fields.join(" "))
            } else {
                String::new()
            };
            format!("{head}{}\n", values.join(delimiter))
        }
    };
    gzip(text.as_bytes())
}

/// A probe's request, as the field shows it.
fn value(field: &str, at: Timestamp) -> String {
    let utc = at.to_zoned(TimeZone::UTC);
    match field {
        "date" => utc.strftime("%Y-%m-%d").to_string(),
        "time" => utc.strftime("%H:%M:%S").to_string(),
        "timestamp(ms)" => at.as_millisecond().to_string(),
        "x-edge-location" => "VIE50-C1".to_owned(),
        "c-ip" => "198.51.100.20".to_owned(),
        "c-country" => "AT".to_owned(),
        "asn" => "64500".to_owned(),
        "cs-method" => "GET".to_owned(),
        "cs-uri-stem" => "/health".to_owned(),
        "sc-status" => "200".to_owned(),
        "cs-protocol" => "https".to_owned(),
        "cs-protocol-version" => "HTTP/2.0".to_owned(),
        "cs(User-Agent)" => "onair-probe".to_owned(),
        "x-edge-result-type" | "x-edge-response-result-type" | "x-edge-detailed-result-type" => {
            "Hit".to_owned()
        }
        "sc-bytes" => "412".to_owned(),
        "cs-bytes" => "88".to_owned(),
        "time-taken" | "time-to-first-byte" => "0.001".to_owned(),
        "c-port" => "443".to_owned(),
        _ => "-".to_owned(),
    }
}

/// RFC 1952 with one stored block: a file of this size gains nothing from compression.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    let bytes = &bytes[..usize::from(length)];
    let mut file = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff, 1];
    file.extend(length.to_le_bytes());
    file.extend((!length).to_le_bytes());
    file.extend(bytes);
    file.extend(crc32(bytes).to_le_bytes());
    file.extend(u32::from(length).to_le_bytes());
    file
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery(hive: bool) -> Delivery {
        Delivery {
            source: "s".to_owned(),
            destination: "d".to_owned(),
            fields: vec!["date".to_owned(), "sc-status".to_owned()],
            delimiter: Some("\t".to_owned()),
            suffix: Some("{DistributionId}/{yyyy}/{MM}/{dd}/{HH}".to_owned()),
            hive,
            tags: std::collections::BTreeMap::new(),
            created: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn objects_lie_where_the_suffix_says() {
        let at = "2026-06-14T07:40:00Z".parse().unwrap();
        for (hive, prefix, expected) in [
            (false, "access", "access/E1/2026/06/14/07"),
            (
                false,
                "",
                "AWSLogs/111122223333/CloudFront/E1/2026/06/14/07",
            ),
            (
                true,
                "access",
                "access/DistributionId=E1/year=2026/month=06/day=14/hour=07",
            ),
        ] {
            let path = path(&delivery(hive), prefix, "E1", "111122223333", at);
            assert_eq!(path, expected);
        }
    }

    #[test]
    fn an_hour_of_slots_is_there_and_none_from_before_the_delivery() {
        let now = "2026-06-14T07:44:00Z".parse().unwrap();
        let ends = |created: &str| -> Vec<String> {
            slots(now, created.parse().unwrap())
                .map(|end| end.strftime("%H:%M").to_string())
                .collect()
        };
        assert_eq!(
            ends("2026-01-01T00:00:00Z"),
            ["07:30", "07:20", "07:10", "07:00", "06:50", "06:40"]
        );
        assert_eq!(ends("2026-06-14T07:20:00Z"), ["07:30"]);
    }

    #[test]
    fn checksums_are_those_of_the_format() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }
}
