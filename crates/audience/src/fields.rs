//! The fields of `CloudFront`'s logs, and what each holds of a request, as it is logged.

use std::io::Write as _;
use std::net::IpAddr;

use crate::devices::Telling;
use crate::encode::{base64, date, escaped, guid, number, seconds, time_of_day};
use crate::random::mix;
use crate::request::{Agent, Cmcd, Request};

macro_rules! fields {
    ($($variant:ident = $name:literal),+ $(,)?) => {
        /// A field of a log, of whatever kind.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Field {
            $(#[doc = concat!("`", $name, "`")] $variant),+
        }

        impl Field {
            /// The field of this name; none when no log has one.
            pub fn named(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$variant),)+
                    _ => None,
                }
            }

            /// Its name.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name),+
                }
            }
        }
    };
}

fields! {
    Date = "date", Time = "time", Edge = "x-edge-location", Bytes = "sc-bytes", Address = "c-ip",
    Method = "cs-method", StandardHost = "cs(Host)", Stem = "cs-uri-stem", Status = "sc-status",
    StandardReferer = "cs(Referer)", StandardAgent = "cs(User-Agent)", Query = "cs-uri-query",
    StandardCookie = "cs(Cookie)", Result = "x-edge-result-type", Id = "x-edge-request-id",
    HostHeader = "x-host-header", Protocol = "cs-protocol", RequestBytes = "cs-bytes",
    Taken = "time-taken", Forwarded = "x-forwarded-for", TlsProtocol = "ssl-protocol",
    TlsCipher = "ssl-cipher", ResponseResult = "x-edge-response-result-type",
    ProtocolVersion = "cs-protocol-version", FleStatus = "fle-status",
    FleFields = "fle-encrypted-fields", Port = "c-port", FirstByte = "time-to-first-byte",
    DetailedResult = "x-edge-detailed-result-type", ContentType = "sc-content-type",
    ContentLength = "sc-content-len", RangeStart = "sc-range-start", RangeEnd = "sc-range-end",
    Milliseconds = "timestamp(ms)", OriginFirstByte = "origin-fbl", OriginLastByte = "origin-lbl",
    Network = "asn", Country = "c-country", Pattern = "cache-behavior-path-pattern",
    Connection = "connection-id", RequestNote = "viewer-request-log-data",
    ResponseNote = "viewer-response-log-data",
    Timestamp = "timestamp", ServerAddress = "s-ip", Host = "cs-host", AddressVersion = "c-ip-version",
    UserAgent = "cs-user-agent", Referer = "cs-referer", Cookie = "cs-cookie",
    AcceptEncoding = "cs-accept-encoding", Accept = "cs-accept", Headers = "cs-headers",
    HeaderNames = "cs-header-names", HeaderCount = "cs-headers-count",
    Distribution = "primary-distribution-id", DistributionName = "primary-distribution-dns-name",
    Bitrate = "cmcd-encoded-bitrate", Buffer = "cmcd-buffer-length",
    Starved = "cmcd-buffer-starvation", Content = "cmcd-content-id",
    Duration = "cmcd-object-duration", Deadline = "cmcd-deadline",
    Throughput = "cmcd-measured-throughput", Next = "cmcd-next-object-request",
    NextRange = "cmcd-next-range-request", ObjectType = "cmcd-object-type",
    Rate = "cmcd-playback-rate", RequestedThroughput = "cmcd-requested-maximum-throughput",
    Format = "cmcd-streaming-format", Session = "cmcd-session-id", StreamType = "cmcd-stream-type",
    Startup = "cmcd-startup", TopBitrate = "cmcd-top-bitrate", Version = "cmcd-version",
    OriginHost = "r-host", OriginReason = "sr-reason", Quality = "x-edge-mqcs",
    Tenant = "distribution-tenant-id",
}

use Field as F;

/// Which log a value is for: two names mean another thing in each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Log {
    /// Standard logs, both versions.
    Standard,
    /// Real-time logs.
    Realtime,
}

const NOTHING: &[u8] = b"-";

/// Appends what a field holds of a request; `-` where it holds nothing.
pub fn write_value(out: &mut Vec<u8>, field: Field, request: &Request<'_>, log: Log) {
    let text = |out: &mut Vec<u8>, text: &str| out.extend_from_slice(text.as_bytes());
    let optional = |out: &mut Vec<u8>, value: Option<u64>| match value {
        Some(value) => number(out, value),
        None => out.extend_from_slice(NOTHING),
    };
    let cmcd_number = |out: &mut Vec<u8>, value: &dyn Fn(&Cmcd<'_>) -> Option<u32>| {
        optional(out, request.cmcd.as_ref().and_then(value).map(u64::from));
    };
    match field {
        F::Date => date(out, request.at.div_euclid(86_400_000)),
        F::Time => time_of_day(out, request.at.rem_euclid(86_400_000) / 1000),
        F::Edge => text(out, request.edge),
        F::Bytes => number(out, request.bytes),
        F::Address => write_address(out, request.address),
        F::Method => text(out, request.method),
        F::StandardHost | F::DistributionName => write_domain(out, request.distribution),
        F::HostHeader => match log {
            Log::Standard => write_host(out, request),
            Log::Realtime => write_domain(out, request.distribution),
        },
        F::Host => write_host(out, request),
        F::Stem => {
            request.object.write_path(out);
            // Real-time logs have the query string here as well.
            if log == Log::Realtime && has_query(request) {
                out.push(b'?');
                write_query(out, request);
            }
        }
        F::Status => match request.status {
            0 => text(out, "000"),
            status => number(out, u64::from(status)),
        },
        F::StandardReferer | F::Referer => {
            if request.has_referer {
                text(out, "https://");
                text(out, request.host);
                text(out, "/watch");
            } else {
                out.extend_from_slice(NOTHING);
            }
        }
        F::StandardAgent | F::UserAgent => write_agent(out, request.agent),
        F::Query => {
            if has_query(request) {
                write_query(out, request);
            } else {
                out.extend_from_slice(NOTHING);
            }
        }
        F::Result => text(out, request.result),
        F::ResponseResult => text(out, request.response_result),
        F::DetailedResult => text(out, request.detailed_result),
        F::Id => {
            for part in 0..5 {
                base64(out, mix(&[request.id, part]));
            }
            base64(out, mix(&[request.id, 5]));
            out.truncate(out.len() - 6);
            text(out, "==");
        }
        F::Protocol => text(out, "https"),
        F::RequestBytes => number(out, request.request_bytes),
        F::Taken => seconds(out, request.taken),
        F::FirstByte => seconds(out, request.first_byte),
        F::TlsProtocol => text(out, "TLSv1.3"),
        F::TlsCipher => text(out, "TLS_AES_128_GCM_SHA256"),
        F::ProtocolVersion => text(out, request.protocol_version),
        F::Port => number(out, u64::from(request.port)),
        F::ContentType => match request.content_length {
            Some(_) => text(out, request.object.media_type()),
            None => out.extend_from_slice(NOTHING),
        },
        F::ContentLength => optional(out, request.content_length),
        F::Milliseconds => number(out, u64::try_from(request.at).unwrap_or_default()),
        F::Timestamp => seconds(out, u64::try_from(request.at).unwrap_or_default()),
        F::OriginFirstByte => match request.origin {
            Some(origin) => seconds(out, origin.first_byte),
            None => out.extend_from_slice(NOTHING),
        },
        F::OriginLastByte => match request.origin {
            Some(origin) => seconds(out, origin.last_byte),
            None => out.extend_from_slice(NOTHING),
        },
        F::Network => number(out, u64::from(request.network)),
        F::Country => text(out, request.country),
        F::Pattern => match request.object.pattern() {
            "" => text(out, "*"),
            pattern => {
                text(out, request.object.folder);
                text(out, pattern);
            }
        },
        F::Connection => {
            base64(out, mix(&[request.connection, 1]));
            base64(out, mix(&[request.connection, 2]));
        }
        F::RequestNote => match request.note {
            None => out.extend_from_slice(NOTHING),
            Some(note) => {
                match note.refused {
                    None => text(out, "1.allow.ok.enforce"),
                    Some(reason) => {
                        text(out, "1.deny.");
                        text(out, reason);
                        text(out, ".enforce");
                    }
                }
                for key in note.keys {
                    out.push(b'.');
                    for part in 0..3 {
                        base64(out, mix(&[key, part]));
                    }
                    out.truncate(out.len() - 8);
                }
            }
        },
        F::ServerAddress => text(out, "192.0.2.1"),
        F::AddressVersion => text(
            out,
            match request.address {
                IpAddr::V4(_) => "IPv4",
                IpAddr::V6(_) => "IPv6",
            },
        ),
        F::AcceptEncoding => text(out, "gzip"),
        F::Accept => text(out, "*/*"),
        F::Headers => write_headers(out, request),
        F::HeaderNames => {
            text(out, "host%0Auser-agent%0Aaccept%0Aaccept-encoding%0A");
            if speaks_in_headers(request) {
                text(
                    out,
                    "cmcd-object%0Acmcd-request%0Acmcd-session%0Acmcd-status%0A",
                );
            }
        }
        F::HeaderCount => number(out, if speaks_in_headers(request) { 8 } else { 4 }),
        F::Distribution => text(out, request.distribution),
        F::Bitrate => cmcd_number(out, &|cmcd| cmcd.bitrate),
        F::Buffer => cmcd_number(out, &|cmcd| cmcd.buffer),
        F::Duration => cmcd_number(out, &|cmcd| cmcd.duration),
        F::Throughput => cmcd_number(out, &|cmcd| cmcd.throughput),
        F::RequestedThroughput => cmcd_number(out, &|cmcd| cmcd.requested_throughput),
        F::TopBitrate => cmcd_number(out, &|cmcd| cmcd.top_bitrate),
        F::Version => cmcd_number(out, &|cmcd| {
            (cmcd.telling == Telling::QueryTwo).then_some(2)
        }),
        F::Starved => match request.cmcd {
            Some(cmcd) if cmcd.starved => text(out, "true"),
            _ => out.extend_from_slice(NOTHING),
        },
        F::Startup => match request.cmcd {
            Some(cmcd) if cmcd.startup => text(out, "true"),
            _ => out.extend_from_slice(NOTHING),
        },
        F::Content => match request.cmcd {
            Some(cmcd) => text(out, cmcd.content),
            None => out.extend_from_slice(NOTHING),
        },
        F::Next => match request.cmcd.and_then(|cmcd| cmcd.next) {
            Some(next) => next.write_name(out),
            None => out.extend_from_slice(NOTHING),
        },
        F::ObjectType => text(out, request.cmcd.map_or("-", |cmcd| cmcd.object_type)),
        F::Format => text(out, request.cmcd.map_or("-", |cmcd| cmcd.format)),
        F::StreamType => text(out, request.cmcd.map_or("-", |_| "l")),
        F::Session => match request.cmcd {
            Some(cmcd) => guid(out, cmcd.session),
            None => out.extend_from_slice(NOTHING),
        },
        F::OriginHost => text(out, request.origin.map_or("-", |origin| origin.host)),
        F::OriginReason => match request.origin.and_then(|origin| origin.failover) {
            Some(status) => {
                text(out, "Failover:");
                number(out, u64::from(status));
            }
            None => out.extend_from_slice(NOTHING),
        },
        F::Quality => optional(out, request.origin.map(|origin| u64::from(origin.quality))),
        F::StandardCookie
        | F::Cookie
        | F::Forwarded
        | F::FleStatus
        | F::FleFields
        | F::RangeStart
        | F::RangeEnd
        | F::ResponseNote
        | F::Deadline
        | F::NextRange
        | F::Rate
        | F::Tenant => out.extend_from_slice(NOTHING),
    }
}

/// Appends the distribution's own domain, which is made of its id.
pub(crate) fn write_domain(out: &mut Vec<u8>, distribution: &str) {
    out.push(b'd');
    let label = distribution.strip_prefix('E').unwrap_or(distribution);
    out.extend(label.bytes().map(|byte| byte.to_ascii_lowercase()));
    out.extend_from_slice(b".cloudfront.net");
}

/// Appends the host that was asked for.
fn write_host(out: &mut Vec<u8>, request: &Request<'_>) {
    if request.by_own_name {
        write_domain(out, request.distribution);
    } else {
        out.extend_from_slice(request.host.as_bytes());
    }
}

fn write_address(out: &mut Vec<u8>, address: IpAddr) {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            for (place, octet) in [a, b, c, d].into_iter().enumerate() {
                if place > 0 {
                    out.push(b'.');
                }
                number(out, u64::from(octet));
            }
        }
        // Writing to a vector does not fail.
        IpAddr::V6(address) => write!(out, "{address}").unwrap_or_default(),
    }
}

fn write_agent(out: &mut Vec<u8>, agent: Agent) {
    match agent {
        Agent::Device(device) => out.extend_from_slice(device.logged_agent.as_bytes()),
        Agent::Raw(b"") => out.extend_from_slice(NOTHING),
        Agent::Raw(agent) => escaped(out, agent),
    }
}

fn speaks_in_headers(request: &Request<'_>) -> bool {
    request
        .cmcd
        .is_some_and(|cmcd| cmcd.telling == Telling::Headers)
}

fn has_query(request: &Request<'_>) -> bool {
    request.argument.is_some()
        || request
            .cmcd
            .is_some_and(|cmcd| matches!(cmcd.telling, Telling::QueryOne | Telling::QueryTwo))
}

fn write_query(out: &mut Vec<u8>, request: &Request<'_>) {
    if let Some(argument) = request.argument {
        escaped(out, argument);
    }
    if let Some(cmcd) = &request.cmcd {
        if request.argument.is_some() {
            out.push(b'&');
        }
        out.extend_from_slice(b"CMCD=");
        crate::cmcd::write(out, cmcd, &crate::cmcd::QUERY, crate::cmcd::Part::All);
    }
}

/// Names and values, a line each, percent-encoded; at most 800 bytes in the service, which these are not.
fn write_headers(out: &mut Vec<u8>, request: &Request<'_>) {
    let begin = out.len();
    out.extend_from_slice(b"host:");
    write_host(out, request);
    out.extend_from_slice(b"%0Auser-agent:");
    write_agent(out, request.agent);
    out.extend_from_slice(b"%0Aaccept:*/*%0Aaccept-encoding:gzip%0A");
    if let Some(cmcd) = request.cmcd.filter(|_| speaks_in_headers(request)) {
        use crate::cmcd::Part;
        for (name, part) in [
            ("cmcd-object:", Part::Object),
            ("cmcd-request:", Part::Request),
            ("cmcd-session:", Part::Session),
            ("cmcd-status:", Part::Status),
        ] {
            out.extend_from_slice(name.as_bytes());
            crate::cmcd::write(out, &cmcd, &crate::cmcd::HEADER, part);
            out.extend_from_slice(b"%0A");
        }
    }
    out.truncate(out.len().min(begin + 800));
}
