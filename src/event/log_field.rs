//! The fields of CloudFront's real-time logs.

/// Every field, in the order of delivery, which is always this one whatever was configured.
/// Developer Guide, "Real-time logs"; aws-facts, section 1.8.
pub(crate) const REALTIME_FIELDS: [&str; 71] = [
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

/// What finding abusers and judging delivery needs, and little more: a record costs by its bytes.
/// Cookies and query strings are left out, where tokens may be (`cs-uri-stem` has the query anyway,
/// for CMCD).
const DEFAULT: &[&str] = &[
    "timestamp",
    "c-ip",
    "time-to-first-byte",
    "sc-status",
    "sc-bytes",
    "cs-method",
    "cs-host",
    "cs-uri-stem",
    "x-edge-location",
    "x-edge-request-id",
    "x-host-header",
    "time-taken",
    "cs-protocol-version",
    "cs-user-agent",
    "cs-referer",
    "x-edge-result-type",
    "sc-content-type",
    "sc-content-len",
    "x-edge-detailed-result-type",
    "c-country",
    "cache-behavior-path-pattern",
    "primary-distribution-id",
    "origin-fbl",
    "origin-lbl",
    "asn",
    "r-host",
    "sr-reason",
    "x-edge-mqcs",
    "viewer-request-log-data",
];

/// The groups that stand for several fields.
pub(crate) const GROUPS: [&str; 3] = ["default", "cmcd", "all"];

/// The fields that a name stands for: a group's, or the field itself; none when there is no such.
pub(crate) fn expand(name: &str) -> Option<Vec<&'static str>> {
    let all = REALTIME_FIELDS.iter().copied();
    match name {
        "default" => Some(DEFAULT.to_vec()),
        "cmcd" => Some(all.filter(|field| field.starts_with("cmcd-")).collect()),
        "all" => Some(all.collect()),
        _ => all
            .into_iter()
            .find(|field| *field == name)
            .map(|field| vec![field]),
    }
}

/// The fields each once and in the order of delivery.
pub(crate) fn ordered(fields: &[&str]) -> Vec<String> {
    REALTIME_FIELDS
        .iter()
        .filter(|field| fields.contains(field))
        .map(|field| (*field).to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_hold_fields_that_there_are() {
        for field in DEFAULT {
            assert!(REALTIME_FIELDS.contains(field), "{field}");
        }
        assert_eq!(expand("cmcd").map(|fields| fields.len()), Some(18));
        assert_eq!(expand("all").map(|fields| fields.len()), Some(71));
        assert_eq!(expand("cmcd-nothing"), None);
    }

    #[test]
    fn the_order_is_that_of_delivery() {
        let fields = ordered(&["asn", "c-ip", "timestamp", "c-ip"]);
        assert_eq!(fields, ["timestamp", "c-ip", "asn"]);
    }
}
