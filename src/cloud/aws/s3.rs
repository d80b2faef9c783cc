//! S3: where buckets are, their policies, and what lies in them. Path-style addresses, so that the
//! same requests go to AWS and to a loopback port.

use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use quick_xml::Reader;
use quick_xml::events::Event;

use super::Cloud;
use super::call::Call;
use super::plain::{Plain, PlainRequest};
use crate::cloud::{Approved, CloudError, ObjectSummary};

/// Answers where any bucket is, whatever its region.
const FIRST_REGION: &str = "us-east-1";

/// Left as they are in a query.
const ARGUMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');
/// Left as they are in a path.
const KEY: &AsciiSet = &ARGUMENT.remove(b'/');

/// Pages of one prefix that are read for its newest object: 5,000 objects.
const NEWEST_PAGES: usize = 5;

impl Cloud {
    /// Finds out a bucket's region, and so that it is there.
    pub(crate) async fn bucket_region(&self, bucket: &str) -> Result<String, CloudError> {
        let call = self.reading("s3.GetBucketLocation", named(bucket));
        let path = format!("{}?location", path(bucket, ""));
        let request = PlainRequest::get(Plain::S3, FIRST_REGION, path);
        let body = self.ask(&call, request).await?;
        let fields = fields(&call, &body)?;
        let text = fields
            .iter()
            .find(|(path, _)| path.ends_with("LocationConstraint"))
            .map(|(_, text)| text.as_str());
        Ok(match text {
            None | Some("") => FIRST_REGION.to_owned(),
            // The name that the oldest European buckets have.
            Some("EU") => "eu-west-1".to_owned(),
            Some(region) => region.to_owned(),
        })
    }

    /// Reads a bucket's policy; none where it has none.
    pub(crate) async fn bucket_policy(
        &self,
        region: &str,
        bucket: &str,
    ) -> Result<Option<String>, CloudError> {
        let call = self.reading("s3.GetBucketPolicy", named(bucket));
        let path = format!("{}?policy", path(bucket, ""));
        let request = PlainRequest::get(Plain::S3, region, path);
        match self.ask(&call, request).await {
            Ok(body) => String::from_utf8(body.to_vec())
                .map(Some)
                .map_err(|_| call.unreadable("the policy is not text")),
            // The bucket's own absence is found out by `bucket_region`.
            Err(CloudError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Replaces a bucket's policy whole; S3 has no locking for it.
    pub(crate) async fn put_bucket_policy(
        &self,
        _approved: &Approved,
        region: &str,
        bucket: &str,
        policy: &str,
    ) -> Result<(), CloudError> {
        let call = self.writing("s3.PutBucketPolicy", named(bucket));
        let request = PlainRequest {
            method: "PUT",
            headers: vec![("content-type", "application/json".to_owned())],
            body: policy.as_bytes().to_vec(),
            ..PlainRequest::get(Plain::S3, region, format!("{}?policy", path(bucket, "")))
        };
        self.ask(&call, request).await.map(drop)
    }

    /// Removes a bucket's policy.
    pub(crate) async fn delete_bucket_policy(
        &self,
        _approved: &Approved,
        region: &str,
        bucket: &str,
    ) -> Result<(), CloudError> {
        let call = self.writing("s3.DeleteBucketPolicy", named(bucket));
        let request = PlainRequest {
            method: "DELETE",
            ..PlainRequest::get(Plain::S3, region, format!("{}?policy", path(bucket, "")))
        };
        self.ask(&call, request).await.map(drop)
    }

    /// Finds the newest object below the first of `prefixes` that has any, so that the caller goes
    /// from the latest hour's folder backwards and no bucket is listed whole. Of a folder with more
    /// than 5,000 objects the first 5,000 are looked at.
    pub(crate) async fn newest_object(
        &self,
        region: &str,
        bucket: &str,
        prefixes: &[String],
    ) -> Result<Option<ObjectSummary>, CloudError> {
        for prefix in prefixes {
            let mut token: Option<String> = None;
            let mut newest: Option<ObjectSummary> = None;
            for _ in 0..NEWEST_PAGES {
                let (objects, next) = self
                    .object_page(region, bucket, prefix, token.as_deref())
                    .await?;
                newest = objects
                    .into_iter()
                    .chain(newest)
                    .max_by_key(|object| object.modified);
                token = next;
                if token.is_none() {
                    break;
                }
            }
            if newest.is_some() {
                return Ok(newest);
            }
        }
        Ok(None)
    }

    /// All objects below `prefix`, as far as `pages` go (a page has 1,000), and whether these are all.
    pub(crate) async fn objects_below(
        &self,
        region: &str,
        bucket: &str,
        prefix: &str,
        pages: usize,
    ) -> Result<(Vec<ObjectSummary>, bool), CloudError> {
        let mut objects = Vec::new();
        let mut token: Option<String> = None;
        for _ in 0..pages {
            let (page, next) = self
                .object_page(region, bucket, prefix, token.as_deref())
                .await?;
            objects.extend(page);
            token = next;
            if token.is_none() {
                return Ok((objects, true));
            }
        }
        Ok((objects, false))
    }

    #[cfg_attr(
        not(feature = "engine"),
        expect(dead_code, reason = "what the local engine asks for")
    )]
    /// A part of an object: at most `length` bytes from `start` on, and whether it is the last.
    pub(crate) async fn object_part(
        &self,
        region: &str,
        bucket: &str,
        key: &str,
        start: u64,
        length: u64,
    ) -> Result<(bytes::Bytes, bool), CloudError> {
        let call = self.reading("s3.GetObject", format!("s3://{bucket}/{key}"));
        let end = start.saturating_add(length).saturating_sub(1);
        let request = PlainRequest {
            headers: vec![("range", format!("bytes={start}-{end}"))],
            ..PlainRequest::get(Plain::S3, region, path(bucket, key))
        };
        match self.ask(&call, request).await {
            Ok(body) => {
                let size = u64::try_from(body.len()).unwrap_or(u64::MAX);
                if size <= length {
                    return Ok((body, size < length));
                }
                // Whoever answered knows no ranges.
                let start = usize::try_from(start).unwrap_or(usize::MAX).min(body.len());
                Ok((body.slice(start..), true))
            }
            // It ended where this part would begin.
            Err(CloudError::Refused { service_code, .. })
                if start > 0 && service_code == "InvalidRange" =>
            {
                Ok((bytes::Bytes::new(), true))
            }
            Err(error) => Err(error),
        }
    }

    /// One page of a bucket's objects below `prefix`, and the token of the next.
    async fn object_page(
        &self,
        region: &str,
        bucket: &str,
        prefix: &str,
        token: Option<&str>,
    ) -> Result<(Vec<ObjectSummary>, Option<String>), CloudError> {
        let call = self.reading("s3.ListObjectsV2", named(bucket));
        // In the order that signatures want.
        let mut query = String::new();
        if let Some(token) = token {
            query.push_str(&format!(
                "continuation-token={}&",
                utf8_percent_encode(token, ARGUMENT)
            ));
        }
        query.push_str(&format!(
            "list-type=2&prefix={}",
            utf8_percent_encode(prefix, ARGUMENT)
        ));
        let request = PlainRequest::get(Plain::S3, region, format!("{}?{query}", path(bucket, "")));
        let body = self.ask(&call, request).await?;
        let mut objects: Vec<ObjectSummary> = Vec::new();
        let mut next = None;
        let wrong = || call.unreadable("a list of objects with a value that is none");
        for (path, text) in fields(&call, &body)? {
            match path.as_str() {
                "ListBucketResult/NextContinuationToken" => next = Some(text),
                "ListBucketResult/Contents/Key" => objects.push(ObjectSummary {
                    key: text,
                    size: 0,
                    modified: Timestamp::UNIX_EPOCH,
                }),
                "ListBucketResult/Contents/Size" => {
                    objects.last_mut().ok_or_else(wrong)?.size =
                        text.parse().map_err(|_| wrong())?;
                }
                "ListBucketResult/Contents/LastModified" => {
                    objects.last_mut().ok_or_else(wrong)?.modified =
                        text.parse().map_err(|_| wrong())?;
                }
                _ => {}
            }
        }
        let next = call.next_page(token, next.as_deref())?;
        Ok((objects, next))
    }
}

fn named(bucket: &str) -> String {
    format!("bucket {bucket}")
}

fn path(bucket: &str, key: &str) -> String {
    format!("/{bucket}/{}", utf8_percent_encode(key, KEY))
        .trim_end_matches('/')
        .to_owned()
}

/// The texts of a small XML document with the names that lead to them, in order.
fn fields(call: &Call, body: &[u8]) -> Result<Vec<(String, String)>, CloudError> {
    let wrong = |error: &dyn std::fmt::Display| call.unreadable(&error.to_string());
    let text = std::str::from_utf8(body).map_err(|error| wrong(&error))?;
    let mut reader = Reader::from_str(text);
    let mut path: Vec<String> = Vec::new();
    let mut value = String::new();
    let mut fields = Vec::new();
    loop {
        match reader.read_event().map_err(|error| wrong(&error))? {
            Event::Start(start) => {
                let name = start.local_name();
                path.push(name.as_ref().to_owned());
                value.clear();
            }
            Event::Text(piece) => {
                value.push_str(&piece);
            }
            Event::GeneralRef(reference) => {
                let entity = format!("&{};", &*reference);
                value.push_str(
                    &quick_xml::escape::unescape(&entity).map_err(|error| wrong(&error))?,
                );
            }
            Event::End(_) => {
                fields.push((path.join("/"), std::mem::take(&mut value)));
                path.pop();
            }
            Event::Eof => return Ok(fields),
            _ => {}
        }
    }
}
