//! Functions: their stages, limits and users.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{ACCOUNT, Account, etag, outcome, request, root, text};
use crate::sandbox::seed::store_arn;

const CODE: &str = "function handler(event) { return event.request; }";

fn create(account: &Account, name: &str, code: &str, runtime: &str, stores: &[&str]) -> String {
    let answer = account.send(
        "POST",
        "function",
        "",
        &body("CreateFunctionRequest", name, code, runtime, stores),
    );
    outcome(&answer).1
}

fn body(root: &str, name: &str, code: &str, runtime: &str, stores: &[&str]) -> String {
    let number = stores.len();
    let associations = stores
        .iter()
        .map(|arn| format!("<KeyValueStoreAssociation><KeyValueStoreARN>{arn}</KeyValueStoreARN></KeyValueStoreAssociation>"))
        .collect::<Vec<_>>()
.concat();
    let code = STANDARD.encode(code);
    request(
        root,
        &format!(
            "<Name>{name}</Name><FunctionConfig><Comment>c</Comment><Runtime>{runtime}</Runtime>\
             <KeyValueStoreAssociations><Quantity>{number}</Quantity><Items>{associations}</Items></KeyValueStoreAssociations>\
             </FunctionConfig><FunctionCode>{code}</FunctionCode>"
        ),
    )
}

#[test]
fn a_function_goes_from_development_to_live() {
    let account = Account::seeded();
    let store = store_arn(ACCOUNT, "revoked");
    assert_eq!(
        create(&account, "f", CODE, "cloudfront-js-2.0", &[&store]),
        ""
    );
    let described = account.get("function/f/describe");
    assert_eq!(root(&described).text_of("Status"), Some("UNPUBLISHED"));
    assert!(text(&described).contains(&store));
    assert_eq!(account.get("function/f/describe?Stage=LIVE").status, 404);
    let first = etag(&described);
    assert_eq!(
        account
            .send("POST", "function/f/publish", &first, "")
            .status,
        200
    );
    let updated = account.send(
        "PUT",
        "function/f",
        &first,
        &body(
            "UpdateFunctionRequest",
            "f",
            "changed",
            "cloudfront-js-2.0",
            &[],
        ),
    );
    assert_eq!(outcome(&updated), (200, String::new()));
    assert_eq!(updated.header("ETtag"), updated.header("ETag"));
    assert_eq!(text(&account.get("function/f")), "changed");
    let live = account.get("function/f?Stage=LIVE");
    assert_eq!((text(&live).as_str(), etag(&live)), (CODE, first.clone()));
    assert_eq!(
        live.header("content-type"),
        Some("application/octet-stream")
    );
    let stale = account.send("POST", "function/f/publish", &first, "");
    assert_eq!(outcome(&stale), (412, "PreconditionFailed".to_owned()));
    assert_eq!(
        outcome(&account.send("DELETE", "function/f", "", "")).1,
        "InvalidIfMatchVersion"
    );
    assert_eq!(
        account
            .send("DELETE", "function/f", &etag(&updated), "")
            .status,
        204
    );
    assert_eq!(
        outcome(&account.get("function/f")),
        (404, "NoSuchFunctionExists".to_owned())
    );
}

#[test]
fn refuses_functions_that_cloudfront_refuses() {
    let account = Account::seeded();
    let store = store_arn(ACCOUNT, "revoked");
    let store = store.as_str();
    let unknown = store_arn(ACCOUNT, "unknown");
    let unknown = unknown.as_str();
    let largest = "x".repeat(10 * 1024);
    let too_large = format!("{largest}x");
    let long_name = "n".repeat(65);
    for (name, code, runtime, stores, expected) in [
        (
            "guard",
            CODE,
            "cloudfront-js-2.0",
            [].as_slice(),
            "FunctionAlreadyExists",
        ),
        ("a.b", CODE, "cloudfront-js-2.0", &[], "InvalidArgument"),
        ("", CODE, "cloudfront-js-2.0", &[], "InvalidArgument"),
        (
            &long_name,
            CODE,
            "cloudfront-js-2.0",
            &[],
            "InvalidArgument",
        ),
        ("f", "", "cloudfront-js-2.0", &[], "InvalidArgument"),
        (
            "f",
            &too_large,
            "cloudfront-js-2.0",
            &[],
            "FunctionSizeLimitExceeded",
        ),
        ("f", CODE, "cloudfront-js-3.0", &[], "InvalidArgument"),
        ("f", CODE, "cloudfront-js-1.0", &[store], "InvalidArgument"),
        (
            "f",
            CODE,
            "cloudfront-js-2.0",
            &[unknown],
            "InvalidArgument",
        ),
        (
            "f",
            CODE,
            "cloudfront-js-2.0",
            &[store, store],
            "InvalidArgument",
        ),
        ("f", &largest, "cloudfront-js-2.0", &[store], ""),
    ] {
        assert_eq!(
            create(&account, name, code, runtime, stores),
            expected,
            "{name} {runtime}"
        );
    }
}

#[test]
fn a_store_serves_ten_functions_and_an_account_has_a_hundred() {
    let account = Account::seeded();
    let store = store_arn(ACCOUNT, "revoked");
    for number in 1..10 {
        assert_eq!(
            create(
                &account,
                &format!("f{number}"),
                CODE,
                "cloudfront-js-2.0",
                &[&store]
            ),
            ""
        );
    }
    assert_eq!(
        create(&account, "f10", CODE, "cloudfront-js-2.0", &[&store]),
        "InvalidArgument"
    );
    for number in 10..100 {
        assert_eq!(
            create(
                &account,
                &format!("f{number}"),
                CODE,
                "cloudfront-js-2.0",
                &[]
            ),
            ""
        );
    }
    assert_eq!(
        create(&account, "f100", CODE, "cloudfront-js-2.0", &[]),
        "TooManyFunctions"
    );
}

#[test]
fn what_is_in_use_stays() {
    let account = Account::seeded();
    let function = etag(&account.get("function/guard/describe"));
    let answer = account.send("DELETE", "function/guard", &function, "");
    assert_eq!(outcome(&answer), (409, "FunctionInUse".to_owned()));
    let store = etag(&account.get("key-value-store/revoked"));
    let answer = account.send("DELETE", "key-value-store/revoked", &store, "");
    assert_eq!(
        outcome(&answer),
        (409, "CannotDeleteEntityWhileInUse".to_owned())
    );
    let stores = account.state.borrow().edge_stores("E1", 1.0, account.now());
    assert_eq!(
        stores.into_iter().collect::<Vec<_>>(),
        [store_arn(ACCOUNT, "revoked")]
    );
}

#[test]
fn lists_each_stage() {
    let account = Account::seeded();
    create(&account, "f", CODE, "cloudfront-js-2.0", &[]);
    let count = |query: &str| {
        root(&account.get(&format!("function{query}")))
            .items()
            .len()
    };
    assert_eq!(count(""), 3);
    assert_eq!(count("?Stage=LIVE"), 1);
    assert_eq!(count("?Stage=DEVELOPMENT"), 2);
    assert_eq!(count("?Stage=DEVELOPMENT&MaxItems=1&Marker=f"), 1);
    assert_eq!(
        outcome(&account.get("function?Stage=live")).1,
        "InvalidArgument"
    );
}

#[test]
fn a_test_runs_the_stage_on_the_event() {
    let account = Account::seeded();
    let refusing = "function handler(event) { console.log('asked'); return { statusCode: 403 }; }";
    create(&account, "f", refusing, "cloudfront-js-2.0", &[]);
    let version = etag(&account.get("function/f/describe"));
    let ask = |version: &str, stage: &str, event: &str| {
        let content = format!(
            "<EventObject>{}</EventObject><Stage>{stage}</Stage>",
            STANDARD.encode(event)
        );
        let body = request("TestFunctionRequest", &content);
        account.send("POST", "function/f/test", version, &body)
    };
    let event = r#"{"viewer":{"ip":"192.0.2.1"},"request":{"method":"GET","uri":"/a"}}"#;
    let answer = ask(&version, "DEVELOPMENT", event);
    assert_eq!(answer.status, 200);
    let result = root(&answer);
    let output = result.text_of("FunctionOutput").unwrap();
    assert!(output.contains(r#""statusCode":403"#), "{output}");
    assert!(text(&answer).contains("<member>asked</member>"));
    assert_eq!(
        outcome(&ask(&version, "LIVE", event)).1,
        "NoSuchFunctionExists"
    );
    assert_eq!(
        outcome(&ask("E2STALE", "DEVELOPMENT", event)).1,
        "InvalidIfMatchVersion"
    );
    let large = "x".repeat(41_000);
    for bad in ["{}", large.as_str()] {
        let refused = ask(&version, "DEVELOPMENT", bad);
        assert_eq!(outcome(&refused).1, "InvalidArgument");
    }
}
