//! The calls of the data plane: what each takes, refuses and answers.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use super::Stores;
use super::store::Store;
use crate::sandbox::service::{Answer, Call};

/// Bytes of a key and a value, and of all items of a store (CloudFront Developer Guide, "Quotas on
/// key value stores"). The service's model allows longer keys; the quota wins.
const LONGEST_KEY: usize = 512;
const LONGEST_VALUE: usize = 1024;
const LARGEST_STORE: usize = 5 * 1024 * 1024;
/// Puts and deletes of one `UpdateKeys`, and its bytes.
const MOST_CHANGES: usize = 50;
const LARGEST_CALL: usize = 3 * 1024 * 1024;
/// Items of a page.
const LARGEST_PAGE: usize = 50;
const DEFAULT_PAGE: usize = 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    DescribeKeyValueStore,
    ListKeys,
    GetKey,
    PutKey,
    DeleteKey,
    UpdateKeys,
}

/// An operation with the store and the key that its path names, percent-decoded once.
#[derive(Debug)]
struct Route {
    operation: Operation,
    arn: String,
    key: String,
}

impl Route {
    fn of(call: &Call<'_>) -> Option<Self> {
        let path = call.path.strip_prefix("/key-value-stores/")?;
        let segments: Vec<&str> = path.split('/').collect();
        let (operation, arn, key) = match (call.method.as_str(), segments.as_slice()) {
            ("GET", [arn]) => (Operation::DescribeKeyValueStore, arn, ""),
            ("GET", [arn, "keys"]) => (Operation::ListKeys, arn, ""),
            ("POST", [arn, "keys"]) => (Operation::UpdateKeys, arn, ""),
            ("GET", [arn, "keys", key]) => (Operation::GetKey, arn, *key),
            ("PUT", [arn, "keys", key]) => (Operation::PutKey, arn, *key),
            ("DELETE", [arn, "keys", key]) => (Operation::DeleteKey, arn, *key),
            _ => return None,
        };
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        Some(Self {
            operation,
            arn: decoded(arn),
            key: decoded(key),
        })
    }
}

/// Why a call is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum Refusal {
    #[error("{0}")]
    Validation(String),
    #[error("{0}")]
    AccessDenied(String),
    #[error("{0}")]
    NotFound(String),
    #[error("{0}")]
    Conflict(String),
    #[error("{0}")]
    Quota(String),
    #[error("there is no such operation")]
    UnknownOperation,
}

impl Refusal {
    fn validation(why: impl Into<String>) -> Self {
        Self::Validation(why.into())
    }

    /// The error's name and HTTP status in the service's model.
    fn kind(&self) -> (&'static str, u16) {
        match self {
            Self::Validation(_) => ("ValidationException", 400),
            Self::AccessDenied(_) => ("AccessDeniedException", 403),
            Self::NotFound(_) => ("ResourceNotFoundException", 404),
            Self::Conflict(_) => ("ConflictException", 409),
            Self::Quota(_) => ("ServiceQuotaExceededException", 402),
            Self::UnknownOperation => ("UnknownOperationException", 404),
        }
    }

    fn answer(&self, call: &Call<'_>) -> Answer {
        let (name, status) = self.kind();
        let mut answer = answer(call, &json!({ "Message": self.to_string() }), None, false);
        answer.status = status;
        answer.headers.push(("x-amzn-ErrorType", name.to_owned()));
        answer
    }
}

fn answer(call: &Call<'_>, body: &Value, etag: Option<&str>, changed: bool) -> Answer {
    let mut headers = vec![
        ("Content-Type", "application/json".to_owned()),
        ("x-amzn-RequestId", call.request_id.to_owned()),
    ];
    headers.extend(etag.map(|etag| ("ETag", etag.to_owned())));
    Answer {
        status: 200,
        headers,
        body: body.to_string().into_bytes(),
        changed,
    }
}

/// Returns the operation that the call asks for; none when the service has no such operation.
pub(crate) fn operation(call: &Call<'_>) -> Option<&'static str> {
    Some(match Route::of(call)?.operation {
        Operation::DescribeKeyValueStore => "DescribeKeyValueStore",
        Operation::ListKeys => "ListKeys",
        Operation::GetKey => "GetKey",
        Operation::PutKey => "PutKey",
        Operation::DeleteKey => "DeleteKey",
        Operation::UpdateKeys => "UpdateKeys",
    })
}

/// Answers a call.
pub(crate) fn handle(call: &Call<'_>, state: &mut Stores) -> Answer {
    respond(call, state).unwrap_or_else(|refusal| refusal.answer(call))
}

fn respond(call: &Call<'_>, state: &mut Stores) -> Result<Answer, Refusal> {
    let route = Route::of(call).ok_or(Refusal::UnknownOperation)?;
    check_arn(&route.arn, call.account)?;
    let store = state
        .0
        .get_mut(&route.arn)
        .ok_or_else(|| Refusal::NotFound(format!("key value store {} not found", route.arn)))?;
    match route.operation {
        Operation::DescribeKeyValueStore => Ok(describe(call, store, &route.arn)),
        Operation::ListKeys => list(call, store),
        Operation::GetKey => get(call, store, &route.key),
        Operation::PutKey => {
            check_condition(call, store)?;
            let body = object(call)?;
            let value = text(&body, "Value")?;
            let changes = BTreeMap::from([checked_put(&route.key, value)?]);
            write(call, store, &route.arn, changes)
        }
        Operation::DeleteKey => {
            check_condition(call, store)?;
            check_key(&route.key)?;
            if !store.items.contains_key(&route.key) {
                return Err(missing_key());
            }
            let changes = BTreeMap::from([(route.key, None)]);
            write(call, store, &route.arn, changes)
        }
        Operation::UpdateKeys => {
            check_condition(call, store)?;
            let changes = changes(call)?;
            write(call, store, &route.arn, changes)
        }
    }
}

/// `arn:aws:cloudfront::<account>:key-value-store/<uuid>`, of this account.
fn check_arn(arn: &str, own_account: &str) -> Result<(), Refusal> {
    let account = arn
        .strip_prefix("arn:aws:cloudfront::")
        .and_then(|rest| rest.split_once(":key-value-store/"))
        .filter(|(account, id)| {
            account.len() == 12
                && account.bytes().all(|byte| byte.is_ascii_digit())
                && id.len() == 36
                && id
                    .bytes()
                    .all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
        })
        .map(|(account, _)| account)
        .ok_or_else(|| Refusal::validation("the KvsARN is not valid"))?;
    if account == own_account {
        Ok(())
    } else {
        Err(Refusal::AccessDenied(
            "the key value store belongs to another account".to_owned(),
        ))
    }
}

/// A write needs the store to be ready, and its version now. Which error AWS gives for a stale
/// version is not documented.
fn check_condition(call: &Call<'_>, store: &Store) -> Result<(), Refusal> {
    let given = call
        .headers
        .get(http::header::IF_MATCH)
        .and_then(|value| value.to_str().ok())
        .filter(|value| !value.is_empty())
        .ok_or_else(|| Refusal::validation("the header If-Match is required"))?;
    if !store.is_ready(call.now) {
        return Err(Refusal::Conflict(
            "the key value store is not ready yet".to_owned(),
        ));
    }
    if given == store.etag {
        Ok(())
    } else {
        Err(Refusal::Conflict(
            "pre-condition failed: the If-Match version is not the current ETag".to_owned(),
        ))
    }
}

fn check_key(key: &str) -> Result<(), Refusal> {
    if key.is_empty() {
        return Err(Refusal::validation("a key is empty"));
    }
    if key.len() > LONGEST_KEY {
        return Err(Refusal::validation(format!(
            "a key has more than {LONGEST_KEY} bytes"
        )));
    }
    Ok(())
}

fn checked_put(key: &str, value: &str) -> Result<(String, Option<String>), Refusal> {
    check_key(key)?;
    if value.len() > LONGEST_VALUE {
        return Err(Refusal::validation(format!(
            "a value has more than {LONGEST_VALUE} bytes"
        )));
    }
    Ok((key.to_owned(), Some(value.to_owned())))
}

fn missing_key() -> Refusal {
    Refusal::NotFound("key not found".to_owned())
}

fn object(call: &Call<'_>) -> Result<Map<String, Value>, Refusal> {
    if call.body.is_empty() {
        return Ok(Map::new());
    }
    serde_json::from_slice(call.body)
        .map_err(|_| Refusal::validation("the body is not a JSON object"))
}

fn text<'a>(object: &'a Map<String, Value>, name: &str) -> Result<&'a str, Refusal> {
    object
        .get(name)
        .and_then(Value::as_str)
        .ok_or_else(|| Refusal::validation(format!("{name} is missing or not a string")))
}

/// Reads `Puts` and `Deletes`; a key stands in one of them, once.
fn changes(call: &Call<'_>) -> Result<BTreeMap<String, Option<String>>, Refusal> {
    if call.body.len() > LARGEST_CALL {
        return Err(Refusal::validation("the call has more than 3 MB"));
    }
    let body = object(call)?;
    let puts = members(&body, "Puts")?;
    let deletes = members(&body, "Deletes")?;
    let number = puts.len() + deletes.len();
    if number == 0 {
        return Err(Refusal::validation("neither Puts nor Deletes are given"));
    }
    if number > MOST_CHANGES {
        return Err(Refusal::validation(format!(
            "{number} keys are more than {MOST_CHANGES}"
        )));
    }
    let mut changes = BTreeMap::new();
    for put in puts {
        let (key, value) = checked_put(text(put, "Key")?, text(put, "Value")?)?;
        changes.insert(key, value);
    }
    for delete in deletes {
        let key = text(delete, "Key")?;
        check_key(key)?;
        changes.insert(key.to_owned(), None);
    }
    if changes.len() < number {
        return Err(Refusal::validation("a key is given more than once"));
    }
    Ok(changes)
}

fn members<'a>(
    object: &'a Map<String, Value>,
    name: &str,
) -> Result<Vec<&'a Map<String, Value>>, Refusal> {
    let not_a_list = || Refusal::validation(format!("{name} is not a list of objects"));
    match object.get(name) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(list) => list
            .as_array()
            .ok_or_else(not_a_list)?
            .iter()
            .map(|item| item.as_object().ok_or_else(not_a_list))
            .collect(),
    }
}

/// Writes all changes or none. Deleting a key that is not there is no error in a batch: the
/// service documents none.
fn write(
    call: &Call<'_>,
    store: &mut Store,
    arn: &str,
    changes: BTreeMap<String, Option<String>>,
) -> Result<Answer, Refusal> {
    let size = store.size_after(&changes);
    if size > LARGEST_STORE && size > store.size {
        return Err(Refusal::Quota(format!(
            "the key value store would have {size} bytes, more than {LARGEST_STORE}"
        )));
    }
    store.write(arn, changes, call.now, call.rollout.store);
    Ok(answer(call, &totals(store), Some(&store.etag), true))
}

fn totals(store: &Store) -> Value {
    json!({ "ItemCount": store.items.len(), "TotalSizeInBytes": store.size })
}

fn describe(call: &Call<'_>, store: &Store, arn: &str) -> Answer {
    let status = if store.is_ready(call.now) {
        "READY"
    } else {
        "PROVISIONING"
    };
    let body = json!({
        "ItemCount": store.items.len(),
        "TotalSizeInBytes": store.size,
        "KvsARN": arn,
        "Created": epoch_seconds(store.created),
        "LastModified": epoch_seconds(store.modified),
        "Status": status,
    });
    answer(call, &body, Some(&store.etag), false)
}

/// The protocol's times are seconds with three decimal places.
fn epoch_seconds(timestamp: jiff::Timestamp) -> f64 {
    timestamp.as_duration().as_millis_f64().trunc() / 1000.0
}

fn get(call: &Call<'_>, store: &Store, key: &str) -> Result<Answer, Refusal> {
    let value = store.items.get(key).ok_or_else(missing_key)?;
    let body = json!({
        "Key": key,
        "Value": value,
        "ItemCount": store.items.len(),
        "TotalSizeInBytes": store.size,
    });
    Ok(answer(call, &body, None, false))
}

/// A page of items in the order of keys. The token names the last key of the page before, so that
/// writes between pages neither repeat nor hide other keys.
fn list(call: &Call<'_>, store: &Store) -> Result<Answer, Refusal> {
    let size = match parameter(call, "MaxResults") {
        None => DEFAULT_PAGE,
        Some(text) => text
            .parse()
            .ok()
            .filter(|size| (1..=LARGEST_PAGE).contains(size))
            .ok_or_else(|| Refusal::validation("MaxResults is not a number from 1 to 50"))?,
    };
    let after = match parameter(call, "NextToken") {
        None => None,
        Some(token) => Some(
            hex::decode(token)
                .ok()
                .and_then(|bytes| String::from_utf8(bytes).ok())
                .ok_or_else(|| Refusal::validation("the NextToken is not valid"))?,
        ),
    };
    let mut rest = store
        .items
        .iter()
        .filter(|(key, _)| after.as_ref().is_none_or(|after| *key > after));
    let page: Vec<_> = rest.by_ref().take(size).collect();
    let items: Vec<Value> = page
        .iter()
        .map(|(key, value)| json!({ "Key": key, "Value": value }))
        .collect();
    let mut body = json!({ "Items": items });
    if let (Some((last, _)), Some(_)) = (page.last(), rest.next()) {
        body["NextToken"] = hex::encode(last).into();
    }
    Ok(answer(call, &body, None, false))
}

fn parameter(call: &Call<'_>, name: &str) -> Option<String> {
    call.query.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        (key == name).then(|| percent_decode_str(value).decode_utf8_lossy().into_owned())
    })
}
