//! The fields of the logs: their order, and one spelling for the many that they come in.

/// Standard logs, in the order of their first version. The older layouts of 12, 19, 24 and 26 fields
/// are its beginnings. CloudFront Developer Guide, "Standard logging reference".
pub const STANDARD: [&str; 33] = [
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
];

/// What version 2 of standard logging offers beyond [`STANDARD`]. CloudFront Developer Guide,
/// "Standard logging (v2)", and its history.
pub const VERSION_2: [&str; 9] = [
    "timestamp(ms)",
    "origin-fbl",
    "origin-lbl",
    "asn",
    "c-country",
    "cache-behavior-path-pattern",
    "connection-id",
    "viewer-request-log-data",
    "viewer-response-log-data",
];

/// Real-time logs, in the order of delivery, which is this whatever was configured. CloudFront
/// Developer Guide, "Real-time logs".
pub const REALTIME: [&str; 71] = [
    "timestamp",
    "c-ip",
    "s-ip",
    "time-to-first-byte",
    "sc-status",
    "sc-bytes",
    "cs-method",
    "cs-protocol",
    "cs-host",
    "cs-uri-stem",
    "cs-bytes",
    "x-edge-location",
    "x-edge-request-id",
    "x-host-header",
    "time-taken",
    "cs-protocol-version",
    "c-ip-version",
    "cs-user-agent",
    "cs-referer",
    "cs-cookie",
    "cs-uri-query",
    "x-edge-response-result-type",
    "x-forwarded-for",
    "ssl-protocol",
    "ssl-cipher",
    "x-edge-result-type",
    "fle-encrypted-fields",
    "fle-status",
    "sc-content-type",
    "sc-content-len",
    "sc-range-start",
    "sc-range-end",
    "c-port",
    "x-edge-detailed-result-type",
    "c-country",
    "cs-accept-encoding",
    "cs-accept",
    "cache-behavior-path-pattern",
    "cs-headers",
    "cs-header-names",
    "cs-headers-count",
    "primary-distribution-id",
    "primary-distribution-dns-name",
    "origin-fbl",
    "origin-lbl",
    "asn",
    "cmcd-encoded-bitrate",
    "cmcd-buffer-length",
    "cmcd-buffer-starvation",
    "cmcd-content-id",
    "cmcd-object-duration",
    "cmcd-deadline",
    "cmcd-measured-throughput",
    "cmcd-next-object-request",
    "cmcd-next-range-request",
    "cmcd-object-type",
    "cmcd-playback-rate",
    "cmcd-requested-maximum-throughput",
    "cmcd-streaming-format",
    "cmcd-session-id",
    "cmcd-stream-type",
    "cmcd-startup",
    "cmcd-top-bitrate",
    "cmcd-version",
    "r-host",
    "sr-reason",
    "x-edge-mqcs",
    "distribution-tenant-id",
    "connection-id",
    "viewer-request-log-data",
    "viewer-response-log-data",
];

/// The layout of a line that nothing declares, by the number of its fields. Real-time logs of all
/// fields had 69 before the functions' log data.
pub fn layout(count: usize) -> Option<&'static [&'static str]> {
    match count {
        12 | 19 | 24 | 26 | 33 => STANDARD.get(..count),
        69 | 71 => REALTIME.get(..count),
        _ => None,
    }
}

/// One spelling of a field's name: lower case, `cs(User-Agent)` and Parquet's `cs_user_agent` as
/// `cs-user-agent`, `timestamp(ms)` as `timestamp-ms`, `cs_referrer` (so in AWS's table for text logs)
/// as `cs-referer`.
pub fn canonical(name: &str) -> String {
    let mut spelled = String::with_capacity(name.len());
    for character in name.trim().chars() {
        match character {
            ')' => {}
            '(' | '_' => spelled.push('-'),
            other => spelled.push(other.to_ascii_lowercase()),
        }
    }
    if spelled == "cs-referrer" {
        spelled.truncate("cs-refer".len());
        spelled.push_str("er");
    }
    spelled
}

/// The field behind a column of CloudFront's Parquet files or of AWS's table definitions, by the name
/// that standard logs have for it; None: no field that is known here.
pub fn field_of_parquet_column(column: &str) -> Option<&'static str> {
    let wanted = canonical(column);
    STANDARD
        .iter()
        .chain(&VERSION_2)
        .find(|field| canonical(field) == wanted)
        .copied()
}

/// Whether these are fields of real-time logs. Two names swap their meaning between the kinds, and a
/// real-time path has the query string in it, so that the kind must be known.
pub fn are_realtime<Name: AsRef<str>>(names: &[Name]) -> bool {
    let names: Vec<String> = names.iter().map(|name| canonical(name.as_ref())).collect();
    let has = |name: &str| names.iter().any(|found| found == name);
    if has("timestamp") {
        return true;
    }
    if has("date") || has("time") || has("timestamp-ms") {
        return false;
    }
    let standard: Vec<String> = STANDARD
        .iter()
        .chain(&VERSION_2)
        .map(|field| canonical(field))
        .collect();
    names
        .iter()
        .any(|name| !standard.contains(name) && REALTIME.contains(&name.as_str()))
}

/// The distribution that an object's path tells of: a folder `distributionid=E…` or `E…`, else the
/// name of a standard log's object, `E….YYYY-MM-DD-HH.<unique>.gz`.
pub fn distribution_of(object: &str) -> Option<String> {
    let mut parts: Vec<&str> = object.split('/').collect();
    let name = parts.pop()?;
    let of_folder = parts
        .iter()
        .rev()
        .map(|folder| folder.rsplit_once('=').map_or(*folder, |(_, value)| value))
        .find(|folder| is_distribution(folder));
    let of_name = name
        .split('.')
        .next()
        .filter(|first| is_distribution(first));
    of_folder.or(of_name).map(str::to_owned)
}

/// Whether a text looks like a distribution's id, such as `E2KG6TMBAL2PBU`.
pub fn is_distribution(text: &str) -> bool {
    (12..=16).contains(&text.len())
        && text.starts_with('E')
        && text
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Origin, REQUESTS};

    #[test]
    fn spellings_come_down_to_one() {
        for (name, expected) in [
            ("cs(User-Agent)", "cs-user-agent"),
            ("cs(user-agent)", "cs-user-agent"),
            ("cs_user_agent", "cs-user-agent"),
            ("cs-user-agent", "cs-user-agent"),
            ("CS(Referer)", "cs-referer"),
            ("cs_referrer", "cs-referer"),
            ("timestamp(ms)", "timestamp-ms"),
            ("timestamp_ms", "timestamp-ms"),
            ("c-country", "c-country"),
        ] {
            assert_eq!(canonical(name), expected, "{name}");
        }
    }

    #[test]
    fn parquet_columns_have_their_fields() {
        assert_eq!(field_of_parquet_column("cs_host"), Some("cs(Host)"));
        assert_eq!(field_of_parquet_column("cs_referrer"), Some("cs(Referer)"));
        assert_eq!(
            field_of_parquet_column("timestamp_ms"),
            Some("timestamp(ms)")
        );
        assert_eq!(
            field_of_parquet_column("sc_range_end"),
            Some("sc-range-end")
        );
        assert_eq!(field_of_parquet_column("year"), None);
    }

    #[test]
    fn kinds_are_told_by_names() {
        assert!(are_realtime(&["timestamp", "c-ip"]));
        assert!(are_realtime(&["c-ip", "s-ip"]));
        assert!(are_realtime(&REALTIME));
        assert!(!are_realtime(&STANDARD));
        assert!(!are_realtime(&["timestamp(ms)", "cs-uri-stem"]));
        assert!(!are_realtime(&["c-ip", "cs(Host)"]));
    }

    #[test]
    fn every_field_of_the_schema_is_a_field_of_the_logs() {
        let standard: Vec<&str> = STANDARD.iter().chain(&VERSION_2).copied().collect();
        for column in REQUESTS {
            let (in_standard, in_realtime) = match column.origin {
                Origin::Field { standard, realtime } => (standard, realtime),
                Origin::Cmcd { realtime, .. } => ("", realtime),
                Origin::Derived => continue,
            };
            assert!(
                in_standard.is_empty() || standard.contains(&in_standard),
                "{in_standard}"
            );
            assert!(
                in_realtime.is_empty() || REALTIME.contains(&in_realtime),
                "{in_realtime}"
            );
        }
    }

    #[test]
    fn paths_tell_the_distribution() {
        for (object, expected) in [
            (
                "logs/E2KG6TMBAL2PBU.2021-01-23-13.23aaa605.gz",
                Some("E2KG6TMBAL2PBU"),
            ),
            (
                "AWSLogs/123456789012/CloudFront/E2KG6TMBAL2PBU/2026/06/14/17/a.gz",
                Some("E2KG6TMBAL2PBU"),
            ),
            (
                "cf/distributionid=E2KG6TMBAL2PBU/year=2026/E1Z5N5X273TPT1.2026.gz",
                Some("E2KG6TMBAL2PBU"),
            ),
            ("EVENT/a.gz", None),
            ("access.log", None),
            ("", None),
        ] {
            assert_eq!(distribution_of(object).as_deref(), expected, "{object}");
        }
    }
}
