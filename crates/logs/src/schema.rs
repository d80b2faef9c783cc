//! The one logical schema. Whatever kind of log a request was written to, and in whatever format, it
//! is read as a row of these columns, so that a query does not care. What a source lacks is NULL.
//!
//! Names are those of CloudFront's Parquet files and of AWS's table definitions, but for the two that
//! swap their meaning between standard and real-time logs: `viewer_host` and `distribution_host`.

/// What values a column has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Text.
    Text,
    /// 64 bits, signed.
    Integer,
    /// 64 bits, floating.
    Double,
    /// True or false.
    Boolean,
    /// UTC, without a zone, to the millisecond: Trino's `timestamp(3)`.
    Timestamp,
}

/// Where a column's value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A field of the logs.
    Field {
        /// Its name in standard logs, both versions; empty: they lack it.
        standard: &'static str,
        /// Its name in real-time logs; empty: they lack it.
        realtime: &'static str,
    },
    /// A key of Common Media Client Data (CTA-5004, CTA-5004-B). Real-time logs may have a field for
    /// it; else it is found in the query string, or in the headers where they are logged.
    Cmcd {
        /// The key, such as `sid`.
        key: &'static str,
        /// The field of real-time logs; empty: there is none, as for the keys of version 2.
        realtime: &'static str,
    },
    /// Follows from other fields, by a rule that the column's text tells.
    Derived,
}

/// A column of the logical schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// As queries name it.
    pub name: &'static str,
    /// What values it has.
    pub kind: Kind,
    /// Where they come from.
    pub origin: Origin,
    /// One line, with the unit.
    pub about: &'static str,
}

const fn field(
    name: &'static str,
    kind: Kind,
    standard: &'static str,
    realtime: &'static str,
    about: &'static str,
) -> Column {
    Column {
        name,
        kind,
        origin: Origin::Field { standard, realtime },
        about,
    }
}

const fn cmcd(
    name: &'static str,
    kind: Kind,
    key: &'static str,
    realtime: &'static str,
    about: &'static str,
) -> Column {
    Column {
        name,
        kind,
        origin: Origin::Cmcd { key, realtime },
        about,
    }
}

const fn derived(name: &'static str, kind: Kind, about: &'static str) -> Column {
    Column {
        name,
        kind,
        origin: Origin::Derived,
        about,
    }
}

use Kind::{Boolean, Double, Integer, Text, Timestamp};

/// All columns of the table `requests`, in the order of `SELECT *`.
pub const REQUESTS: &[Column] = &[
    derived(
        "at",
        Timestamp,
        "when the response finished, UTC: `timestamp(ms)` where it is logged, else `date` and `time`; in real-time logs `timestamp`",
    ),
    derived(
        "distribution_id",
        Text,
        "the distribution: `primary-distribution-id`, else from the object's path or name",
    ),
    field(
        "x_edge_location",
        Text,
        "x-edge-location",
        "x-edge-location",
        "the edge that answered, such as VIE50-C1",
    ),
    field(
        "c_ip",
        Text,
        "c-ip",
        "c-ip",
        "the viewer's address, IPv4 or IPv6",
    ),
    field("c_port", Integer, "c-port", "c-port", "the viewer's port"),
    field(
        "c_country",
        Text,
        "c-country",
        "c-country",
        "the viewer's country, ISO 3166-1 alpha-2",
    ),
    field(
        "asn",
        Integer,
        "asn",
        "asn",
        "the viewer's network, its autonomous system number",
    ),
    field("c_ip_version", Text, "", "c-ip-version", "IPv4 or IPv6"),
    field(
        "cs_method",
        Text,
        "cs-method",
        "cs-method",
        "the request's method",
    ),
    field(
        "cs_protocol",
        Text,
        "cs-protocol",
        "cs-protocol",
        "http, https, ws, wss or grpcs",
    ),
    field(
        "cs_protocol_version",
        Text,
        "cs-protocol-version",
        "cs-protocol-version",
        "such as HTTP/2.0",
    ),
    field(
        "viewer_host",
        Text,
        "x-host-header",
        "cs-host",
        "the host that the viewer asked for",
    ),
    field(
        "distribution_host",
        Text,
        "cs(Host)",
        "x-host-header",
        "the distribution's own domain",
    ),
    derived(
        "cs_uri_stem",
        Text,
        "the path, as logged, without the query (real-time logs join the two)",
    ),
    derived(
        "cs_uri_query",
        Text,
        "the query string, as logged: percent-encoded at least once",
    ),
    derived(
        "object_kind",
        Text,
        "by the path's ending: manifest, segment, init, key, caption or other",
    ),
    field(
        "sc_status",
        Integer,
        "sc-status",
        "sc-status",
        "the status; 0: the viewer left before the answer",
    ),
    field(
        "sc_bytes",
        Integer,
        "sc-bytes",
        "sc-bytes",
        "bytes to the viewer, headers included",
    ),
    field(
        "cs_bytes",
        Integer,
        "cs-bytes",
        "cs-bytes",
        "bytes from the viewer",
    ),
    field(
        "sc_content_type",
        Text,
        "sc-content-type",
        "sc-content-type",
        "the answer's media type",
    ),
    field(
        "sc_content_len",
        Integer,
        "sc-content-len",
        "sc-content-len",
        "the answer's Content-Length, bytes",
    ),
    field(
        "sc_range_start",
        Integer,
        "sc-range-start",
        "sc-range-start",
        "the range's first byte",
    ),
    field(
        "sc_range_end",
        Integer,
        "sc-range-end",
        "sc-range-end",
        "the range's last byte",
    ),
    field(
        "x_edge_result_type",
        Text,
        "x-edge-result-type",
        "x-edge-result-type",
        "Hit, RefreshHit, Miss, Error …, after the last byte",
    ),
    field(
        "x_edge_response_result_type",
        Text,
        "x-edge-response-result-type",
        "x-edge-response-result-type",
        "the same before the answer was sent",
    ),
    field(
        "x_edge_detailed_result_type",
        Text,
        "x-edge-detailed-result-type",
        "x-edge-detailed-result-type",
        "the cause of an error, or OriginShieldHit",
    ),
    field(
        "x_edge_request_id",
        Text,
        "x-edge-request-id",
        "x-edge-request-id",
        "the request's id, as in x-amz-cf-id",
    ),
    derived(
        "is_hit",
        Boolean,
        "the origin was spared: Hit or RefreshHit before sending, or OriginShieldHit",
    ),
    derived(
        "is_abandoned",
        Boolean,
        "the viewer hung up: status 0, or a result of Error under an answer that was none",
    ),
    field(
        "time_taken",
        Double,
        "time-taken",
        "time-taken",
        "from the request's last byte to the answer's last, seconds",
    ),
    field(
        "time_to_first_byte",
        Double,
        "time-to-first-byte",
        "time-to-first-byte",
        "to the answer's first byte, seconds",
    ),
    field(
        "origin_fbl",
        Double,
        "origin-fbl",
        "origin-fbl",
        "first-byte latency between CloudFront and the origin, seconds",
    ),
    field(
        "origin_lbl",
        Double,
        "origin-lbl",
        "origin-lbl",
        "last-byte latency between CloudFront and the origin, seconds",
    ),
    field(
        "cs_referer",
        Text,
        "cs(Referer)",
        "cs-referer",
        "the Referer, decoded",
    ),
    field(
        "cs_user_agent",
        Text,
        "cs(User-Agent)",
        "cs-user-agent",
        "the User-Agent, decoded",
    ),
    field(
        "cs_cookie",
        Text,
        "cs(Cookie)",
        "cs-cookie",
        "cookies, where they are logged",
    ),
    field(
        "x_forwarded_for",
        Text,
        "x-forwarded-for",
        "x-forwarded-for",
        "the address behind a proxy, or a list",
    ),
    field(
        "ssl_protocol",
        Text,
        "ssl-protocol",
        "ssl-protocol",
        "such as TLSv1.3",
    ),
    field(
        "ssl_cipher",
        Text,
        "ssl-cipher",
        "ssl-cipher",
        "the cipher suite",
    ),
    field(
        "fle_status",
        Text,
        "fle-status",
        "fle-status",
        "field-level encryption",
    ),
    field(
        "fle_encrypted_fields",
        Integer,
        "fle-encrypted-fields",
        "fle-encrypted-fields",
        "how many fields were encrypted",
    ),
    field(
        "cache_behavior_path_pattern",
        Text,
        "cache-behavior-path-pattern",
        "cache-behavior-path-pattern",
        "which behavior served it",
    ),
    field("s_ip", Text, "", "s-ip", "the edge server's address"),
    field(
        "cs_accept_encoding",
        Text,
        "",
        "cs-accept-encoding",
        "the header Accept-Encoding",
    ),
    field("cs_accept", Text, "", "cs-accept", "the header Accept"),
    field(
        "cs_headers",
        Text,
        "",
        "cs-headers",
        "the request's headers, at most 800 bytes of them",
    ),
    field(
        "cs_header_names",
        Text,
        "",
        "cs-header-names",
        "their names, at most 800 bytes",
    ),
    field(
        "cs_headers_count",
        Integer,
        "",
        "cs-headers-count",
        "how many there were",
    ),
    field("r_host", Text, "", "r-host", "the origin that was asked"),
    field(
        "sr_reason",
        Text,
        "",
        "sr-reason",
        "why the second origin was asked: Failover:<code> or MediaQuality",
    ),
    field(
        "x_edge_mqcs",
        Integer,
        "",
        "x-edge-mqcs",
        "media quality score, 0 to 100",
    ),
    field(
        "distribution_tenant_id",
        Text,
        "",
        "distribution-tenant-id",
        "the tenant",
    ),
    field(
        "connection_id",
        Text,
        "connection-id",
        "connection-id",
        "the viewer's connection",
    ),
    field(
        "viewer_request_log_data",
        Text,
        "viewer-request-log-data",
        "viewer-request-log-data",
        "what the function logged: keyed digests of the revocation keys",
    ),
    field(
        "viewer_response_log_data",
        Text,
        "viewer-response-log-data",
        "viewer-response-log-data",
        "what the viewer-response function logged",
    ),
    cmcd(
        "cmcd_encoded_bitrate",
        Integer,
        "br",
        "cmcd-encoded-bitrate",
        "encoded bitrate, kbit/s; of a list of version 2 the video's, else the highest",
    ),
    cmcd(
        "cmcd_buffer_length",
        Integer,
        "bl",
        "cmcd-buffer-length",
        "buffer, ms",
    ),
    cmcd(
        "cmcd_buffer_starvation",
        Boolean,
        "bs",
        "cmcd-buffer-starvation",
        "the player starved since its last request",
    ),
    cmcd("cmcd_content_id", Text, "cid", "cmcd-content-id", "content"),
    cmcd(
        "cmcd_object_duration",
        Integer,
        "d",
        "cmcd-object-duration",
        "the object's duration, ms",
    ),
    cmcd(
        "cmcd_deadline",
        Integer,
        "dl",
        "cmcd-deadline",
        "time left until the buffer runs dry, ms",
    ),
    cmcd(
        "cmcd_measured_throughput",
        Integer,
        "mtp",
        "cmcd-measured-throughput",
        "throughput as the player measured it, kbit/s",
    ),
    cmcd(
        "cmcd_next_object_request",
        Text,
        "nor",
        "cmcd-next-object-request",
        "the path that will be asked for next",
    ),
    cmcd(
        "cmcd_next_range_request",
        Text,
        "nrr",
        "cmcd-next-range-request",
        "the range that will be asked for next",
    ),
    cmcd(
        "cmcd_object_type",
        Text,
        "ot",
        "cmcd-object-type",
        "m manifest, a audio, v video, av muxed, i init, c captions, tt timed text, k key, o other",
    ),
    cmcd(
        "cmcd_playback_rate",
        Double,
        "pr",
        "cmcd-playback-rate",
        "1 is real time, 0 stopped",
    ),
    cmcd(
        "cmcd_requested_maximum_throughput",
        Integer,
        "rtp",
        "cmcd-requested-maximum-throughput",
        "the most that the player wants, kbit/s",
    ),
    cmcd(
        "cmcd_streaming_format",
        Text,
        "sf",
        "cmcd-streaming-format",
        "d DASH, h HLS, s Smooth, o other",
    ),
    cmcd(
        "cmcd_session_id",
        Text,
        "sid",
        "cmcd-session-id",
        "the playback session",
    ),
    cmcd(
        "cmcd_stream_type",
        Text,
        "st",
        "cmcd-stream-type",
        "v on demand, l live, ll low latency",
    ),
    cmcd(
        "cmcd_startup",
        Boolean,
        "su",
        "cmcd-startup",
        "needed urgently: startup, seeking or recovery",
    ),
    cmcd(
        "cmcd_top_bitrate",
        Integer,
        "tb",
        "cmcd-top-bitrate",
        "the highest bitrate on offer, kbit/s",
    ),
    cmcd(
        "cmcd_version",
        Integer,
        "v",
        "cmcd-version",
        "1 where CMCD came without it",
    ),
    cmcd(
        "cmcd_target_buffer",
        Integer,
        "tbl",
        "",
        "buffer aimed at, ms (version 2)",
    ),
    cmcd(
        "cmcd_starvation_count",
        Integer,
        "bsa",
        "",
        "times starved so far (version 2)",
    ),
    cmcd(
        "cmcd_starvation_ms",
        Integer,
        "bsd",
        "",
        "how long the last starvation was, ms; the sum of a list (version 2)",
    ),
    cmcd(
        "cmcd_starvation_total_ms",
        Integer,
        "bsda",
        "",
        "starved so far, ms (version 2)",
    ),
    cmcd(
        "cmcd_dropped_frames",
        Integer,
        "dfa",
        "",
        "frames dropped so far (version 2)",
    ),
    cmcd(
        "cmcd_error_codes",
        Text,
        "ec",
        "",
        "the player's error codes, comma between (version 2)",
    ),
    cmcd(
        "cmcd_live_latency",
        Integer,
        "ltc",
        "",
        "behind live, ms (version 2)",
    ),
    cmcd(
        "cmcd_media_start_delay",
        Integer,
        "msd",
        "",
        "from the wish to play to the first frame, ms (version 2)",
    ),
    cmcd(
        "cmcd_playhead_bitrate",
        Integer,
        "pb",
        "",
        "bitrate on the screen, kbit/s (version 2)",
    ),
    cmcd(
        "cmcd_playhead_time",
        Integer,
        "pt",
        "",
        "playhead, ms (version 2)",
    ),
    cmcd(
        "cmcd_sequence_number",
        Integer,
        "sn",
        "",
        "count of the session's requests (version 2)",
    ),
    cmcd(
        "cmcd_state",
        Text,
        "sta",
        "",
        "s starting, p playing, k seeking, r rebuffering, a paused, w waiting, e ended, f failed, q quit, d preloading (version 2)",
    ),
    cmcd(
        "cmcd_cdn",
        Text,
        "cdn",
        "",
        "the delivery network that the player chose (version 2)",
    ),
    cmcd(
        "cmcd_backgrounded",
        Boolean,
        "bg",
        "",
        "the player is in the background (version 2)",
    ),
];

/// The place of a column in [`REQUESTS`].
pub fn position(name: &str) -> Option<usize> {
    REQUESTS.iter().position(|column| column.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_told() {
        for (place, column) in REQUESTS.iter().enumerate() {
            assert_eq!(position(column.name), Some(place));
            assert!(!column.about.is_empty());
        }
    }
}
