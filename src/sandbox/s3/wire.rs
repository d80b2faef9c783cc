//! S3's REST: what a request is for, and the forms of its answers.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::sandbox::route::header;
use crate::sandbox::service::{Answer, Call};

/// Left as they are in keys that a list encodes.
const KEY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'*')
    .remove(b'/');

/// Why a call is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    status: u16,
    code: &'static str,
    text: String,
    /// The bucket's region, for who asked in another.
    region: Option<String>,
}

pub(super) type Reply = Result<Answer, Refusal>;

impl Refusal {
    pub(super) fn new(status: u16, code: &'static str, text: impl Into<String>) -> Self {
        Self {
            status,
            code,
            text: text.into(),
            region: None,
        }
    }

    /// The bucket is in `region`, and this is not where it was asked for.
    pub(super) fn elsewhere(region: &str) -> Self {
        Self {
            region: Some(region.to_owned()),
            ..Self::new(
                301,
                "PermanentRedirect",
                "The bucket you are attempting to access must be addressed using the specified \
                 endpoint. Please send all future requests to this endpoint.",
            )
        }
    }

    pub(super) fn answer(&self, call: &Call<'_>) -> Answer {
        let mut headers = headers(call, "application/xml");
        if let Some(region) = &self.region {
            headers.push(("x-amz-bucket-region", region.clone()));
        }
        Answer {
            status: self.status,
            headers,
            body: format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{}</Code><Message>{}</Message>\
                 <RequestId>{}</RequestId></Error>",
                self.code,
                quick_xml::escape::escape(&self.text),
                call.request_id
            )
            .into_bytes(),
            changed: false,
        }
    }
}

/// An answer with an XML document; `name` is its root.
pub(super) fn document(call: &Call<'_>, name: &str, inner: &str) -> Answer {
    Answer {
        status: 200,
        headers: headers(call, "application/xml"),
        body: format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <{name} xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{inner}</{name}>"
        )
        .into_bytes(),
        changed: false,
    }
}

/// An answer without a document.
pub(super) fn bare(call: &Call<'_>, status: u16, changed: bool) -> Answer {
    Answer {
        status,
        headers: vec![("x-amz-request-id", call.request_id.to_owned())],
        body: Vec::new(),
        changed,
    }
}

pub(super) fn headers(call: &Call<'_>, content_type: &str) -> Vec<(&'static str, String)> {
    vec![
        ("x-amz-request-id", call.request_id.to_owned()),
        ("content-type", content_type.to_owned()),
    ]
}

/// An element with this text.
pub(super) fn element(name: &str, text: &str) -> String {
    format!("<{name}>{}</{name}>", quick_xml::escape::escape(text))
}

/// A key as a list with `encoding-type=url` has it.
pub(super) fn encoded(key: &str) -> String {
    utf8_percent_encode(key, KEY).to_string()
}

/// A request, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    method: http::Method,
    /// Empty for the account's own list.
    pub(super) bucket: String,
    /// Decoded; empty for the bucket itself.
    pub(super) key: String,
    query: Vec<(String, String)>,
}

impl Request {
    pub(super) fn read(call: &Call<'_>) -> Self {
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let path = call.path.strip_prefix('/').unwrap_or(call.path);
        let host = header(call.headers, "host").unwrap_or_default();
        // `bucket.s3.region.amazonaws.com`, else the bucket is in the path.
        let (bucket, key) = match host.split_once(".s3.") {
            Some((bucket, rest)) if rest.contains("amazonaws.com") => (bucket, path),
            _ => path.split_once('/').unwrap_or((path, "")),
        };
        let query = call
            .query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                (decoded(name), decoded(&value.replace('+', " ")))
            })
            .collect();
        Self {
            method: call.method.clone(),
            bucket: decoded(bucket),
            key: decoded(key),
            query,
        }
    }

    /// The value of a query argument; empty for one without.
    pub(super) fn argument(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    pub(super) fn operation(&self) -> Option<&'static str> {
        let has = |name| self.argument(name).is_some();
        let method = self.method.as_str();
        if self.bucket.is_empty() {
            return (method == "GET").then_some("ListBuckets");
        }
        if !self.key.is_empty() {
            // Parts, tags, ACLs, versions and the like are not here.
            let plain = self.query.iter().all(|(name, _)| name == "x-id");
            return match method {
                _ if !plain => None,
                "GET" => Some("GetObject"),
                "HEAD" => Some("HeadObject"),
                "PUT" => Some("PutObject"),
                "DELETE" => Some("DeleteObject"),
                _ => None,
            };
        }
        match method {
            "GET" if has("location") => Some("GetBucketLocation"),
            "GET" if has("policy") => Some("GetBucketPolicy"),
            "PUT" if has("policy") => Some("PutBucketPolicy"),
            "DELETE" if has("policy") => Some("DeleteBucketPolicy"),
            "GET" if self.argument("list-type") == Some("2") => Some("ListObjectsV2"),
            "HEAD" if self.query.is_empty() => Some("HeadBucket"),
            "PUT" if self.query.is_empty() => Some("CreateBucket"),
            "DELETE" if self.query.is_empty() => Some("DeleteBucket"),
            _ => None,
        }
    }
}
