//! Operations on objects.

use super::buckets::{here, time};
use super::wire::{Refusal, Reply, Request, bare, document, element, encoded, headers};
use super::{Object, State};
use crate::sandbox::route::header;
use crate::sandbox::service::{Answer, Call};

/// Entries a page of a list has, at most and by default.
const PAGE: usize = 1000;

pub(super) fn list(call: &Call<'_>, state: &State, request: &Request) -> Reply {
    let bucket = here(call, state, request)?;
    let prefix = request.argument("prefix").unwrap_or_default();
    let delimiter = request
        .argument("delimiter")
        .filter(|text| !text.is_empty());
    let wants_encoding = request.argument("encoding-type") == Some("url");
    let limit = match request.argument("max-keys") {
        None => PAGE,
        Some(text) => text
            .parse::<usize>()
            .map_err(|_| Refusal::new(400, "InvalidArgument", "max-keys is not a number"))?
            .min(PAGE),
    };
    let token = match request.argument("continuation-token") {
        None => None,
        Some(token) => Some(
            hex::decode(token)
                .ok()
                .and_then(|bytes| String::from_utf8(bytes).ok())
                .ok_or_else(|| {
                    Refusal::new(
                        400,
                        "InvalidArgument",
                        "The continuation token provided is incorrect",
                    )
                })?,
        ),
    };
    let after = token
        .as_deref()
        .or_else(|| request.argument("start-after"))
        .unwrap_or_default();
    let shown = |key: &str| {
        if wants_encoding {
            encoded(key)
        } else {
            key.to_owned()
        }
    };
    let mut contents = String::new();
    let mut folders = String::new();
    let mut count = 0;
    let mut last = String::new();
    let mut is_truncated = false;
    for (key, object) in &bucket.objects {
        let Some(rest) = key.strip_prefix(prefix) else {
            continue;
        };
        // A folder stands for all keys below it, and comes once.
        let folder = delimiter
            .and_then(|delimiter| rest.find(delimiter).map(|at| at + delimiter.len()))
            .map(|length| &key[..prefix.len() + length]);
        let entry = folder.unwrap_or(key);
        if entry <= after || entry == last {
            continue;
        }
        if count == limit {
            is_truncated = true;
            break;
        }
        entry.clone_into(&mut last);
        count += 1;
        if folder.is_some() {
            let inner = element("Prefix", &shown(entry));
            folders.push_str(&format!("<CommonPrefixes>{inner}</CommonPrefixes>"));
        } else {
            contents.push_str(&format!(
                "<Contents>{}{}{}{}{}</Contents>",
                element("Key", &shown(key)),
                element("LastModified", &time(object.modified)),
                element("ETag", &object.etag()),
                element("Size", &object.size().to_string()),
                element("StorageClass", "STANDARD"),
            ));
        }
    }
    let mut inner = format!(
        "{}{}{}{}{}",
        element("Name", &request.bucket),
        element("Prefix", &shown(prefix)),
        element("KeyCount", &count.to_string()),
        element("MaxKeys", &limit.to_string()),
        element("IsTruncated", if is_truncated { "true" } else { "false" }),
    );
    if let Some(delimiter) = delimiter {
        inner.push_str(&element("Delimiter", &shown(delimiter)));
    }
    if wants_encoding {
        inner.push_str(&element("EncodingType", "url"));
    }
    if let Some(start) = request.argument("start-after") {
        inner.push_str(&element("StartAfter", &shown(start)));
    }
    if is_truncated {
        inner.push_str(&element("NextContinuationToken", &hex::encode(&last)));
    }
    inner.push_str(&contents);
    inner.push_str(&folders);
    Ok(document(call, "ListBucketResult", &inner))
}

/// The first and the last byte of `bytes=A-B`, `bytes=A-` or `bytes=-N`; none for what S3 ignores.
fn range(text: &str, size: usize) -> Option<Result<(usize, usize), Refusal>> {
    let (start, end) = text.strip_prefix("bytes=")?.split_once('-')?;
    let (start, end) = match (start.parse::<usize>(), end.parse::<usize>()) {
        (Ok(start), Ok(end)) if start <= end => (start, end),
        (Ok(start), _) if end.is_empty() => (start, usize::MAX),
        (_, Ok(last)) if start.is_empty() => (size.saturating_sub(last), usize::MAX),
        _ => return None,
    };
    Some(if start < size {
        Ok((start, end.min(size - 1)))
    } else {
        Err(Refusal::new(
            416,
            "InvalidRange",
            "The requested range is not satisfiable",
        ))
    })
}

/// Also for `HEAD`, whose body the caller drops.
pub(super) fn get(call: &Call<'_>, state: &State, request: &Request) -> Reply {
    let bucket = here(call, state, request)?;
    let object = bucket
        .objects
        .get(&request.key)
        .ok_or_else(|| Refusal::new(404, "NoSuchKey", "The specified key does not exist."))?;
    let body = object.bytes(&state.blobs).ok_or_else(|| {
        Refusal::new(
            500,
            "InternalError",
            "We encountered an internal error. Please try again.",
        )
    })?;
    let content_type = object
        .content_type
        .as_deref()
        .unwrap_or("binary/octet-stream");
    let mut headers = headers(call, content_type);
    headers.push(("etag", object.etag()));
    headers.push((
        "last-modified",
        object
            .modified
            .strftime("%a, %d %b %Y %H:%M:%S GMT")
            .to_string(),
    ));
    headers.push(("accept-ranges", "bytes".to_owned()));
    let asked = header(call.headers, "range").and_then(|text| range(text, body.len()));
    let (status, body) = match asked.transpose()? {
        None => (200, body),
        Some((start, end)) => {
            headers.push((
                "content-range",
                format!("bytes {start}-{end}/{}", body.len()),
            ));
            (206, body[start..=end].to_vec())
        }
    };
    if call.method == http::Method::HEAD {
        headers.push(("content-length", body.len().to_string()));
    }
    Ok(Answer {
        status,
        headers,
        body,
        changed: false,
    })
}

pub(super) fn put(call: &Call<'_>, state: &mut State, request: &Request) -> Reply {
    let held = here(call, state, request)?.objects.get(&request.key);
    let failed = || {
        Refusal::new(
            412,
            "PreconditionFailed",
            "At least one of the pre-conditions you specified did not hold",
        )
    };
    if header(call.headers, "if-none-match") == Some("*") && held.is_some() {
        return Err(failed());
    }
    if let Some(wanted) = header(call.headers, "if-match")
        && held.is_none_or(|object| object.etag().trim_matches('"') != wanted.trim_matches('"'))
    {
        return Err(failed());
    }
    let content_type = header(call.headers, "content-type").map(str::to_owned);
    let object = Object::new(call.body, content_type, call.now);
    let etag = object.etag();
    if let Some(bucket) = state.buckets.get_mut(&request.bucket) {
        bucket.objects.insert(request.key.clone(), object);
    }
    let mut answer = bare(call, 200, true);
    answer.headers.push(("etag", etag));
    Ok(answer)
}

/// Deleting what is not there succeeds.
pub(super) fn delete(call: &Call<'_>, state: &mut State, request: &Request) -> Reply {
    here(call, state, request)?;
    let removed = state
        .buckets
        .get_mut(&request.bucket)
        .and_then(|bucket| bucket.objects.remove(&request.key));
    Ok(bare(call, 204, removed.is_some()))
}
