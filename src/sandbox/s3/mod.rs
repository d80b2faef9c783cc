//! The embedded cloud's S3, API 2006-03-01: buckets, their policies and small objects, as much as
//! logs, query results and checks need.

mod blobs;
mod buckets;
mod objects;
mod policy;
mod wire;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::service::{Answer, Call};
use blobs::{Blob, Blobs};
use wire::Request;

pub(super) use blobs::forget;

/// What S3 holds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) buckets: BTreeMap<String, Bucket>,
    /// Where big objects are, told with every call.
    #[serde(skip)]
    blobs: Blobs,
}

/// A bucket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Bucket {
    pub(super) region: String,
    pub(super) created: Timestamp,
    /// As it was put.
    pub(super) policy: Option<String>,
    pub(super) objects: BTreeMap<String, Object>,
}

/// An object, held whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Object {
    pub(super) modified: Timestamp,
    /// In Base64; empty when the bytes are in a file.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    body: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    blob: Option<Blob>,
    content_type: Option<String>,
}

impl Object {
    fn new(body: &[u8], content_type: Option<String>, modified: Timestamp) -> Self {
        Self {
            modified,
            body: STANDARD.encode(body),
            blob: None,
            content_type,
        }
    }

    /// None when the file that has them is gone.
    fn bytes(&self, blobs: &Blobs) -> Option<Vec<u8>> {
        match &self.blob {
            Some(blob) => blobs.read(blob),
            None => Some(STANDARD.decode(&self.body).unwrap_or_default()),
        }
    }

    fn size(&self) -> usize {
        match &self.blob {
            Some(blob) => blob.size,
            None => STANDARD.decode(&self.body).map_or(0, |body| body.len()),
        }
    }

    /// Of the form of S3's, and no MD5: clients may not rely on that.
    fn etag(&self) -> String {
        let digest = match &self.blob {
            Some(blob) => blob.digest.clone(),
            None => hex::encode(Sha256::digest(
                STANDARD.decode(&self.body).unwrap_or_default(),
            )),
        };
        format!("\"{}\"", &digest[..32])
    }
}

/// The bytes of an object, or the file that has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Content {
    Bytes(Vec<u8>),
    File(PathBuf),
}

impl State {
    /// Tells where this state's folder is, beside which the bytes of big objects are.
    pub(super) fn at(&mut self, folder: &Path) -> &mut Self {
        self.blobs = Blobs::beside(folder);
        self
    }

    pub(super) fn has(&self, bucket: &str) -> bool {
        self.buckets.contains_key(bucket)
    }

    /// Makes a bucket that the account has from the start.
    pub(super) fn plant(&mut self, bucket: &str, region: &str, now: Timestamp) {
        self.buckets.entry(bucket.to_owned()).or_insert(Bucket {
            region: region.to_owned(),
            created: now,
            policy: None,
            objects: BTreeMap::new(),
        });
    }

    pub(super) fn has_object(&self, bucket: &str, key: &str) -> bool {
        self.buckets
            .get(bucket)
            .is_some_and(|bucket| bucket.objects.contains_key(key))
    }

    #[cfg_attr(
        not(feature = "engine"),
        expect(dead_code, reason = "what the embedded Athena reads for its engine")
    )]
    /// The keys of a bucket that begin with `prefix`.
    pub(super) fn keys_below(&self, bucket: &str, prefix: &str) -> Vec<String> {
        let objects = self.buckets.get(bucket).map(|held| &held.objects);
        let keys = objects.into_iter().flat_map(BTreeMap::keys);
        keys.filter(|key| key.starts_with(prefix))
            .cloned()
            .collect()
    }

    /// An object's content.
    pub(super) fn bytes_of(&self, bucket: &str, key: &str) -> Option<Vec<u8>> {
        let object = self.buckets.get(bucket)?.objects.get(key)?;
        object.bytes(&self.blobs)
    }

    #[cfg_attr(
        not(feature = "engine"),
        expect(dead_code, reason = "what the embedded Athena reads for its engine")
    )]
    /// Where an object's bytes are, and how many: for who reads them later.
    pub(super) fn content_of(&self, bucket: &str, key: &str) -> Option<(u64, Content)> {
        let object = self.buckets.get(bucket)?.objects.get(key)?;
        let size = u64::try_from(object.size()).unwrap_or(u64::MAX);
        let content = match &object.blob {
            Some(blob) => Content::File(self.blobs.path(blob)?),
            None => Content::Bytes(object.bytes(&self.blobs)?),
        };
        Some((size, content))
    }

    /// Whether the log delivery service may put this object; a missing bucket takes nothing.
    pub(super) fn allows_delivery(&self, bucket: &str, key: &str) -> bool {
        self.buckets
            .get(bucket)
            .and_then(|held| held.policy.as_deref())
            .is_some_and(|policy| policy::allows_delivery(policy, bucket, key))
    }

    /// Puts an object of a log delivery; says whether there was a bucket for it.
    pub(super) fn deliver(&mut self, bucket: &str, key: &str, body: &[u8], at: Timestamp) -> bool {
        let Some(held) = self.buckets.get_mut(bucket) else {
            return false;
        };
        let object = match self.blobs.keep(body) {
            Some(blob) => Object {
                modified: at,
                body: String::new(),
                blob: Some(blob),
                content_type: None,
            },
            None => Object::new(body, None, at),
        };
        held.objects.insert(key.to_owned(), object);
        true
    }

    /// Adds to the policy of a bucket what the log service adds for its own default path.
    pub(super) fn allow_default_delivery(&mut self, place: &str, account: &str) {
        let name = place.split('/').next().unwrap_or_default();
        if let Some(bucket) = self.buckets.get_mut(name) {
            bucket.policy = Some(policy::with_default_delivery(
                bucket.policy.as_deref(),
                place,
                account,
            ));
        }
    }
}

/// The operation that a call is for.
pub(super) fn operation(call: &Call<'_>) -> Option<&'static str> {
    Request::read(call).operation()
}

/// The bucket and the beginning of the keys that a call looks at; none: it looks at no object.
pub(super) fn looked_at(call: &Call<'_>) -> Option<(String, String)> {
    let request = Request::read(call);
    match request.operation()? {
        "ListObjectsV2" => {
            let prefix = request.argument("prefix").unwrap_or_default().to_owned();
            Some((request.bucket, prefix))
        }
        "GetObject" | "HeadObject" => Some((request.bucket, request.key)),
        _ => None,
    }
}

/// Answers a call whose operation is known.
pub(super) fn handle(call: &Call<'_>, state: &mut State) -> Answer {
    let request = Request::read(call);
    let reply = match request.operation().unwrap_or_default() {
        "ListBuckets" => buckets::list(call, state, &request),
        "CreateBucket" => buckets::create(call, state, &request),
        "DeleteBucket" => buckets::delete(call, state, &request),
        "HeadBucket" => buckets::head(call, state, &request),
        "GetBucketLocation" => buckets::location(call, state, &request),
        "GetBucketPolicy" => buckets::get_policy(call, state, &request),
        "PutBucketPolicy" => buckets::put_policy(call, state, &request),
        "DeleteBucketPolicy" => buckets::delete_policy(call, state, &request),
        "ListObjectsV2" => objects::list(call, state, &request),
        "GetObject" | "HeadObject" => objects::get(call, state, &request),
        "PutObject" => objects::put(call, state, &request),
        "DeleteObject" => objects::delete(call, state, &request),
        _ => Err(wire::Refusal::new(
            405,
            "MethodNotAllowed",
            "The specified method is not allowed against this resource.",
        )),
    };
    let mut answer = reply.unwrap_or_else(|refusal| refusal.answer(call));
    if call.method == http::Method::HEAD {
        answer.body.clear();
    }
    answer
}
