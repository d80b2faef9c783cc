//! Operations on buckets and their policies.

use super::wire::{Refusal, Reply, Request, bare, document, element, headers};
use super::{Bucket, State, policy};
use crate::sandbox::service::{Answer, Call};

/// A bucket policy's longest text (User Guide, "Bucket policies").
const LONGEST_POLICY: usize = 20 * 1024;

/// The region whose buckets have no location constraint.
const FIRST_REGION: &str = "us-east-1";

#[expect(
    clippy::unnecessary_wraps,
    reason = "an arm of operations that may refuse"
)]
pub(super) fn list(call: &Call<'_>, state: &State, request: &Request) -> Reply {
    let prefix = request.argument("prefix").unwrap_or_default();
    let buckets: Vec<String> = state
        .buckets
        .iter()
        .filter(|(name, _)| name.starts_with(prefix))
        .map(|(name, bucket)| {
            format!(
                "<Bucket>{}{}</Bucket>",
                element("Name", name),
                element("CreationDate", &time(bucket.created))
            )
        })
        .collect();
    let owner = element("ID", call.account);
    let inner = format!(
        "<Owner>{owner}</Owner><Buckets>{}</Buckets>",
        buckets.concat()
    );
    Ok(document(call, "ListAllMyBucketsResult", &inner))
}

pub(super) fn create(call: &Call<'_>, state: &mut State, request: &Request) -> Reply {
    let name = request.bucket.as_str();
    let is_letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let fits = (3..=63).contains(&name.len())
        && name.chars().all(|c| is_letter(c) || ".-".contains(c))
        && name.starts_with(is_letter)
        && name.ends_with(is_letter)
        && !name.contains("..");
    if !fits {
        return Err(Refusal::new(
            400,
            "InvalidBucketName",
            "The specified bucket is not valid.",
        ));
    }
    if state.has(name) {
        return Err(Refusal::new(
            409,
            "BucketAlreadyOwnedByYou",
            "Your previous request to create the named bucket succeeded and you already own it.",
        ));
    }
    let signed = call.region.unwrap_or(FIRST_REGION);
    let body = String::from_utf8_lossy(call.body);
    let asked = body
        .split_once("<LocationConstraint>")
        .and_then(|(_, rest)| rest.split_once("</LocationConstraint>"))
        .map(|(region, _)| region.to_owned());
    let region = asked.clone().unwrap_or_else(|| FIRST_REGION.to_owned());
    if region != signed || asked.as_deref() == Some(FIRST_REGION) {
        return Err(Refusal::new(
            400,
            "IllegalLocationConstraintException",
            format!(
                "The {region} location constraint is incompatible for the region specific \
                 endpoint this request was sent to."
            ),
        ));
    }
    state.plant(name, &region, call.now);
    let mut answer = bare(call, 200, true);
    answer.headers.push(("location", format!("/{name}")));
    Ok(answer)
}

pub(super) fn delete(call: &Call<'_>, state: &mut State, request: &Request) -> Reply {
    if !here(call, state, request)?.objects.is_empty() {
        return Err(Refusal::new(
            409,
            "BucketNotEmpty",
            "The bucket you tried to delete is not empty.",
        ));
    }
    state.buckets.remove(&request.bucket);
    Ok(bare(call, 204, true))
}

pub(super) fn head(call: &Call<'_>, state: &State, request: &Request) -> Reply {
    let bucket = here(call, state, request)?;
    let mut answer = bare(call, 200, false);
    answer
        .headers
        .push(("x-amz-bucket-region", bucket.region.clone()));
    Ok(answer)
}

/// Answered in every region.
pub(super) fn location(call: &Call<'_>, state: &State, request: &Request) -> Reply {
    let bucket = known(state, &request.bucket)?;
    let region = match bucket.region.as_str() {
        FIRST_REGION => "",
        other => other,
    };
    Ok(document(
        call,
        "LocationConstraint",
        &quick_xml::escape::escape(region),
    ))
}

pub(super) fn get_policy(call: &Call<'_>, state: &State, request: &Request) -> Reply {
    let bucket = here(call, state, request)?;
    let policy = bucket.policy.as_ref().ok_or_else(|| {
        Refusal::new(
            404,
            "NoSuchBucketPolicy",
            "The bucket policy does not exist",
        )
    })?;
    Ok(Answer {
        status: 200,
        headers: headers(call, "application/json"),
        body: policy.as_bytes().to_vec(),
        changed: false,
    })
}

pub(super) fn put_policy(call: &Call<'_>, state: &mut State, request: &Request) -> Reply {
    here(call, state, request)?;
    let malformed = |text: &str| Refusal::new(400, "MalformedPolicy", text);
    let text = std::str::from_utf8(call.body)
        .map_err(|_| malformed("Policies must be valid JSON and the first byte must be '{'"))?;
    if text.len() > LONGEST_POLICY {
        return Err(malformed(
            "Policy exceeds the maximum allowed document size.",
        ));
    }
    policy::check(text, &request.bucket).map_err(|reason| malformed(&reason))?;
    if let Some(bucket) = state.buckets.get_mut(&request.bucket) {
        bucket.policy = Some(text.to_owned());
    }
    Ok(bare(call, 204, true))
}

pub(super) fn delete_policy(call: &Call<'_>, state: &mut State, request: &Request) -> Reply {
    here(call, state, request)?;
    if let Some(bucket) = state.buckets.get_mut(&request.bucket) {
        bucket.policy = None;
    }
    Ok(bare(call, 204, true))
}

/// The bucket that a request names, asked for in its own region.
pub(super) fn here<'a>(
    call: &Call<'_>,
    state: &'a State,
    request: &Request,
) -> Result<&'a Bucket, Refusal> {
    let bucket = known(state, &request.bucket)?;
    match call.region {
        Some(region) if region != bucket.region => Err(Refusal::elsewhere(&bucket.region)),
        _ => Ok(bucket),
    }
}

fn known<'a>(state: &'a State, name: &str) -> Result<&'a Bucket, Refusal> {
    state
        .buckets
        .get(name)
        .ok_or_else(|| Refusal::new(404, "NoSuchBucket", "The specified bucket does not exist"))
}

/// With milliseconds, as S3 writes it.
pub(super) fn time(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}
