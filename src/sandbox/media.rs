//! What the embedded cloud's four media services share: what a fresh live workflow is made of,
//! paths with names in them, and answers in JSON.
//!
//! Each service keeps its resources as the JSON that it answers, so that any member can be set to
//! rehearse a fault.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::origin::SeedSite;
use super::service::{Answer, Call};

/// A healthy live workflow.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct SeedMedia {
    /// Names what has no name in an ARN.
    pub(crate) event: String,
    pub(crate) flows: Vec<SeedFlow>,
    /// ARNs of channels.
    pub(crate) channels: Vec<String>,
    /// ARNs of origin endpoints.
    pub(crate) endpoints: Vec<String>,
    /// ARNs of playback configurations.
    pub(crate) ads: Vec<String>,
    /// ARNs of the distributions that may ask the origin endpoints.
    pub(crate) distributions: Vec<String>,
    /// The main distribution's domain.
    pub(crate) cdn: String,
    /// When viewers are let in, and when everything is over.
    pub(crate) doors: Timestamp,
    pub(crate) closes: Timestamp,
    /// Whole seconds of a segment.
    pub(crate) segment_seconds: u32,
    /// What the distributions serve, by distribution id.
    pub(crate) sites: Vec<(String, SeedSite)>,
    /// Hosts of origins that refuse whoever is not CloudFront.
    pub(crate) origin_hosts: Vec<String>,
    /// The host of the DRM license server.
    pub(crate) drm_host: Option<String>,
}

/// A flow with SRT sources.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct SeedFlow {
    pub(crate) arn: String,
    pub(crate) sources: u32,
    /// Milliseconds.
    pub(crate) latency: u32,
}

/// A day of the week on which nothing is on: three days after doors.
pub(super) fn quiet_day(doors: Timestamp) -> &'static str {
    use jiff::civil::Weekday;
    let day = doors.to_zoned(jiff::tz::TimeZone::UTC).weekday();
    match day.wrapping_add(3) {
        Weekday::Monday => "Monday",
        Weekday::Tuesday => "Tuesday",
        Weekday::Wednesday => "Wednesday",
        Weekday::Thursday => "Thursday",
        Weekday::Friday => "Friday",
        Weekday::Saturday => "Saturday",
        Weekday::Sunday => "Sunday",
    }
}

/// The parts of an ARN: region, account, resource.
pub(super) fn arn(arn: &str) -> (&str, &str, &str) {
    let mut parts = arn.splitn(6, ':').skip(3);
    let mut next = || parts.next().unwrap_or_default();
    (next(), next(), next())
}

/// What follows the last slash or colon.
pub(super) fn last(arn: &str) -> &str {
    arn.rsplit(['/', ':']).next().unwrap_or_default()
}

/// The percent-decoded segments of a call's path, without empty ones.
pub(super) fn segments(call: &Call<'_>) -> Vec<String> {
    call.path
        .split('/')
        .filter(|part| !part.is_empty())
        .map(|part| {
            percent_encoding::percent_decode_str(part)
                .decode_utf8_lossy()
                .into_owned()
        })
        .collect()
}

/// The percent-decoded value of a query parameter.
pub(super) fn parameter(call: &Call<'_>, name: &str) -> Option<String> {
    call.query.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        (key == name).then(|| {
            percent_encoding::percent_decode_str(value)
                .decode_utf8_lossy()
                .into_owned()
        })
    })
}

/// One page of a list from a token that is the position to go on from; none for a bad token.
pub(super) fn page(
    all: &[Value],
    most: usize,
    token: Option<&str>,
) -> Option<(Vec<Value>, Option<String>)> {
    let start: usize = token.map_or(Some(0), |token| token.parse().ok())?;
    if start > all.len() {
        return None;
    }
    let end = all.len().min(start.saturating_add(most));
    let next = (end < all.len()).then(|| end.to_string());
    Some((all[start..end].to_vec(), next))
}

/// Whether the call's region is that of a resource; a call without one (SigV4A) is for none.
pub(super) fn is_here(call: &Call<'_>, resource: &str) -> bool {
    call.region == Some(arn(resource).0)
}

/// A successful answer.
pub(super) fn ok(call: &Call<'_>, body: &Value) -> Answer {
    Answer {
        status: 200,
        headers: vec![
            ("x-amzn-requestid", call.request_id.to_owned()),
            ("content-type", "application/json".to_owned()),
        ],
        body: body.to_string().into_bytes(),
        changed: false,
    }
}

/// A refusal. The media services spell the text's member in lower case.
pub(super) fn refused(call: &Call<'_>, status: u16, code: &str, message: &str) -> Answer {
    Answer {
        status,
        headers: vec![
            ("x-amzn-requestid", call.request_id.to_owned()),
            ("x-amzn-errortype", code.to_owned()),
            ("content-type", "application/json".to_owned()),
        ],
        body: json!({ "message": message }).to_string().into_bytes(),
        changed: false,
    }
}
