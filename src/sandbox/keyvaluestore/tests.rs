//! Tests of the data plane as its clients see it.

use std::collections::BTreeMap;

use http::{HeaderMap, Method};
use jiff::{SignedDuration, Timestamp};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Stores, handle, operation};
use crate::sandbox::seed::store_arn;
use crate::sandbox::service::{Answer, Call, Delay, Rollout};

const ACCOUNT: &str = "111122223333";

struct Account {
    stores: Stores,
    now: Timestamp,
    arn: String,
    rollout: Rollout,
}

impl Account {
    fn with(items: &[(&str, &str)]) -> Self {
        let arn = store_arn(ACCOUNT, "revoked");
        let items = items
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        let now = "2026-06-01T18:00:00.25Z".parse().unwrap();
        let mut stores = Stores::default();
        stores.seed(&arn, &items, now);
        Self {
            stores,
            now,
            arn,
            rollout: Rollout::IMMEDIATE,
        }
    }

    /// Sends to the path below the store, with the query.
    fn send(&mut self, method: &str, below: &str, etag: &str, body: &Value) -> (u16, Answer) {
        let arn = self.arn.clone();
        self.send_to(&arn, method, below, etag, body)
    }

    fn send_to(
        &mut self,
        arn: &str,
        method: &str,
        below: &str,
        etag: &str,
        body: &Value,
    ) -> (u16, Answer) {
        let before = self.stores.clone();
        let method: Method = method.parse().unwrap();
        let (below, query) = below.split_once('?').unwrap_or((below, ""));
        let path = format!(
            "/key-value-stores/{}{below}",
            utf8_percent_encode(arn, NON_ALPHANUMERIC)
        );
        let mut headers = HeaderMap::new();
        if !etag.is_empty() {
            headers.insert("If-Match", etag.parse().unwrap());
        }
        let body = body.to_string();
        let call = Call {
            method: &method,
            path: &path,
            query,
            headers: &headers,
            body: body.as_bytes(),
            now: self.now,
            account: ACCOUNT,
            region: None,
            request_id: "request-1",
            rollout: self.rollout,
        };
        assert!(operation(&call).is_some(), "{method} {path}");
        let answer = handle(&call, &mut self.stores);
        assert_eq!(answer.changed, before != self.stores);
        (answer.status, answer)
    }

    fn etag(&self) -> String {
        self.stores.0[&self.arn].etag.clone()
    }

    fn update(&mut self, puts: &[(&str, &str)], deletes: &[&str]) -> (u16, Answer) {
        let puts: Vec<Value> = puts
            .iter()
            .map(|(key, value)| json!({ "Key": key, "Value": value }))
            .collect();
        let deletes: Vec<Value> = deletes.iter().map(|key| json!({ "Key": key })).collect();
        let etag = self.etag();
        self.send(
            "POST",
            "/keys",
            &etag,
            &json!({ "Puts": puts, "Deletes": deletes }),
        )
    }

    fn items(&self) -> &BTreeMap<String, String> {
        &self.stores.0[&self.arn].items
    }
}

fn body(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap()
}

fn error((status, answer): &(u16, Answer)) -> (u16, String) {
    let name = answer.header("x-amzn-errortype").unwrap_or_default();
    assert!(name.is_empty() || body(answer)["Message"].is_string());
    (*status, name.to_owned())
}

#[test]
fn describes_with_a_version_and_times_in_seconds() {
    let mut account = Account::with(&[("k", "vv")]);
    let (status, answer) = account.send("GET", "", "", &Value::Null);
    assert_eq!(status, 200);
    assert_eq!(answer.header("etag"), Some(account.etag().as_str()));
    let described = body(&answer);
    assert_eq!(described["ItemCount"], 1);
    assert_eq!(described["TotalSizeInBytes"], 3);
    assert_eq!(described["KvsARN"], account.arn);
    assert_eq!(described["Created"], 1_780_336_800.25);
    assert_eq!(described["Status"], "READY");
}

#[test]
fn each_write_needs_the_version_and_gives_the_next() {
    let mut account = Account::with(&[]);
    let first = account.etag();
    let put = json!({ "Value": "v" });
    assert_eq!(
        error(&account.send("PUT", "/keys/a%2Fb%20c", "", &put)),
        (400, "ValidationException".to_owned())
    );
    let (status, answer) = account.send("PUT", "/keys/a%2Fb%20c", &first, &put);
    assert_eq!(
        (status, body(&answer)["ItemCount"].as_u64()),
        (200, Some(1))
    );
    let second = answer.header("etag").unwrap().to_owned();
    assert_eq!(account.items()["a/b c"], "v");
    for stale in [first.as_str(), "ECONTROLPLANE1"] {
        let refused = account.send("DELETE", "/keys/a%2Fb%20c", stale, &Value::Null);
        assert_eq!(error(&refused), (409, "ConflictException".to_owned()));
    }
    let (status, answer) = account.send("PUT", "/keys/a%2Fb%20c", &second, &put);
    assert_eq!(status, 200);
    let third = answer.header("etag").unwrap().to_owned();
    assert!(
        first != second && second != third,
        "also a write that alters nothing"
    );
    assert_eq!(
        account
            .send("DELETE", "/keys/a%2Fb%20c", &third, &Value::Null)
            .0,
        200
    );
    let etag = account.etag();
    let missing = account.send("DELETE", "/keys/a%2Fb%20c", &etag, &Value::Null);
    assert_eq!(
        error(&missing),
        (404, "ResourceNotFoundException".to_owned())
    );
    let missing = account.send("GET", "/keys/a%2Fb%20c", "", &Value::Null);
    assert_eq!(
        error(&missing),
        (404, "ResourceNotFoundException".to_owned())
    );
}

#[test]
fn names_of_stores_are_checked() {
    let mut account = Account::with(&[]);
    let own = account.arn.clone();
    for (arn, expected) in [
        (
            own.replace(ACCOUNT, "999999999999"),
            (403, "AccessDeniedException"),
        ),
        (
            store_arn(ACCOUNT, "unknown"),
            (404, "ResourceNotFoundException"),
        ),
        (
            own.replace("cloudfront::", "cloudfront:us-east-1:"),
            (400, "ValidationException"),
        ),
        (
            own[..own.len() - 1].to_owned(),
            (400, "ValidationException"),
        ),
        ("revoked".to_owned(), (400, "ValidationException")),
        // Encoded twice: still encoded after decoding once.
        (own.replace('/', "%2F"), (400, "ValidationException")),
    ] {
        let answer = account.send_to(&arn, "GET", "", "", &Value::Null);
        assert_eq!(error(&answer), (expected.0, expected.1.to_owned()), "{arn}");
    }
}

#[test]
fn a_batch_is_all_or_nothing_and_within_the_limits() {
    let mut account = Account::with(&[("a", "1"), ("b", "2")]);
    let long_key = "k".repeat(512);
    let too_long_key = format!("{long_key}k");
    let long_value = "v".repeat(1024);
    let too_long_value = format!("{long_value}v");
    let keys: Vec<String> = (0..50).map(|number| format!("n{number}")).collect();
    let fifty: Vec<(&str, &str)> = keys.iter().map(|key| (key.as_str(), "x")).collect();
    let invalid = (400, "ValidationException".to_owned());
    for (puts, deletes) in [
        (vec![("c", "3"), ("", "4")], vec![]),
        (vec![("c", "3"), (too_long_key.as_str(), "4")], vec![]),
        (vec![("c", "3"), ("d", too_long_value.as_str())], vec![]),
        (vec![("c", "3"), ("c", "3")], vec![]),
        (vec![("a", "3")], vec!["a"]),
        (vec![("c", "3")], vec!["a", "a"]),
        (vec![("c", "3")], vec![""]),
        (fifty.clone(), vec!["a"]),
        (vec![], vec![]),
    ] {
        let before = account.items().clone();
        let refused = account.update(&puts, &deletes);
        assert_eq!(error(&refused), invalid);
        assert_eq!(account.items(), &before);
    }
    let etag = account.etag();
    for body in [
        json!([]),
        json!({"Puts": 1}),
        json!({"Puts": [{"Key": "a"}]}),
    ] {
        let refused = account.send("POST", "/keys", &etag, &body);
        assert_eq!(error(&refused), invalid, "{body}");
    }
    assert_eq!(account.update(&fifty, &[]).0, 200);
    assert_eq!(account.update(&[(&long_key, &long_value)], &["a"]).0, 200);
    assert_eq!(account.update(&[], &["not-there"]).0, 200);
    assert_eq!(account.items().len(), 52);
}

#[test]
fn a_store_holds_five_megabytes() {
    let value = "v".repeat(1024);
    let key = |number: usize| format!("{number:0512}");
    let full: Vec<String> = (0..5 * 1024 * 1024 / 1536).map(key).collect();
    let items: Vec<(&str, &str)> = full
        .iter()
        .map(|key| (key.as_str(), value.as_str()))
        .collect();
    let mut account = Account::with(&items);
    let refused = account.update(&[(&"k".repeat(512), &value)], &[]);
    assert_eq!(
        error(&refused),
        (402, "ServiceQuotaExceededException".to_owned())
    );
    let room = 5 * 1024 * 1024 - items.len() * 1536;
    assert_eq!(account.update(&[("k", &value[..room - 1])], &[]).0, 200);
    assert_eq!(error(&account.update(&[("l", "")], &[])).0, 402);
    assert_eq!(account.update(&[("l", &value)], &[&key(0)]).0, 200);
}

#[test]
fn lists_in_pages_without_a_version() {
    let keys: Vec<String> = (0..25).map(|number| format!("k{number:02}")).collect();
    let items: Vec<(&str, &str)> = keys.iter().map(|key| (key.as_str(), "v")).collect();
    let mut account = Account::with(&items);
    let mut token = String::new();
    let mut seen = Vec::new();
    loop {
        let (status, answer) = account.send("GET", &format!("/keys{token}"), "", &Value::Null);
        assert_eq!(status, 200);
        assert_eq!(answer.header("etag"), None);
        let page = body(&answer);
        let items = page["Items"].as_array().unwrap();
        assert!(items.len() <= 10);
        seen.extend(
            items
                .iter()
                .map(|item| item["Key"].as_str().unwrap().to_owned()),
        );
        match page["NextToken"].as_str() {
            Some(next) => token = format!("?NextToken={next}"),
            None => break,
        }
    }
    assert_eq!(seen, keys);
    for (query, status) in [
        ("?MaxResults=0", 400),
        ("?MaxResults=51", 400),
        ("?MaxResults=50", 200),
        ("?NextToken=no", 400),
    ] {
        assert_eq!(
            account
                .send("GET", &format!("/keys{query}"), "", &Value::Null)
                .0,
            status
        );
    }
}

#[test]
fn a_store_that_is_not_ready_takes_no_writes() {
    let mut account = Account::with(&[]);
    let arn = account.arn.clone();
    account
        .stores
        .create(&arn, account.now, Delay::seconds(5, 10));
    assert_eq!(error(&account.update(&[("a", "1")], &[])).0, 409);
    account.now += SignedDuration::from_secs(15);
    assert_eq!(account.update(&[("a", "1")], &[]).0, 200);
}

#[test]
fn edges_follow_the_roll_out() {
    let mut account = Account::with(&[("a", "1")]);
    account.rollout.store = Delay::seconds(5, 10);
    let arn = account.arn.clone();
    account.update(&[("b", "2")], &["a"]);
    account.now += SignedDuration::from_secs(5);
    let items = |fraction| account.stores.edge_items(&arn, fraction, account.now);
    assert_eq!(
        items(0.0),
        BTreeMap::from([("b".to_owned(), "2".to_owned())])
    );
    assert_eq!(
        items(1.0),
        BTreeMap::from([("a".to_owned(), "1".to_owned())])
    );
    assert_eq!(
        account.stores.edge_item(&arn, "a", 1.0, account.now),
        Some("1")
    );
    assert_eq!(account.stores.edge_item(&arn, "a", 0.0, account.now), None);
}

proptest! {
    /// Any chain of batches leaves what a plain map would hold, and every edge in the end has it.
    #[test]
    fn chained_batches_equal_a_plain_map(
        batches in prop::collection::vec(
            (prop::collection::btree_map("[a-f]", prop::option::of("[x-z]{0,3}"), 1..6), 0..20_i64),
            1..12,
        ),
        fraction in 0.0..=1.0_f64,
    ) {
        let mut account = Account::with(&[]);
        account.rollout.store = Delay::seconds(5, 10);
        let arn = account.arn.clone();
        let mut model: BTreeMap<String, String> = BTreeMap::new();
        let mut history = vec![(account.now, model.clone())];
        for (batch, pause) in batches {
            let puts: Vec<(&str, &str)> = batch
                .iter()
                .filter_map(|(key, value)| Some((key.as_str(), value.as_deref()?)))
                .collect();
            let deletes: Vec<&str> = batch
                .iter()
                .filter(|(_, value)| value.is_none())
                .map(|(key, _)| key.as_str())
                .collect();
            let (status, answer) = account.update(&puts, &deletes);
            prop_assert_eq!(status, 200);
            for (key, value) in batch.clone() {
                match value {
                    Some(value) => model.insert(key, value),
                    None => model.remove(&key),
                };
            }
            history.push((account.now, model.clone()));
            prop_assert_eq!(account.items(), &model);
            let size: usize = model.iter().map(|(key, value)| key.len() + value.len()).sum();
            prop_assert_eq!(body(&answer)["TotalSizeInBytes"].as_u64(), Some(size as u64));
            account.now += SignedDuration::from_secs(pause);
            let (_, at_edge) = history
                .iter()
                .enumerate()
                .rfind(|(number, (at, _))| {
                    *number == 0
                        || account.rollout.store.has_arrived(*at, fraction, account.now)
                })
                .map(|(_, state)| state)
                .unwrap();
            prop_assert_eq!(&account.stores.edge_items(&arn, fraction, account.now), at_edge);
            for key in ["a", "c", "f"] {
                prop_assert_eq!(
                    account.stores.edge_item(&arn, key, fraction, account.now),
                    at_edge.get(key).map(String::as_str)
                );
            }
        }
        account.now += SignedDuration::from_secs(15);
        prop_assert_eq!(&account.stores.edge_items(&arn, 1.0, account.now), &model);
    }
}
