//! `token inspect` over `tokens/`: Common Access Tokens of three libraries, the examples of RFC 7515,
//! 7519, 7520 and 8392, Quicr's dot-joined form, and Wycheproof's JWS vectors.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::harness::{Desk, Run};

/// What becomes of a vector.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    /// Exit 0: read, and the key made it.
    Verified,
    /// Exit 0: read; there was no key, or none that this tool can use.
    Read,
    /// Exit 3: the key did not make it.
    Wrong,
    /// Exit 3: the key asked for cannot check it.
    Unchecked,
    /// Exit 2, with the reason.
    Refused(String),
}

fn file(name: &str) -> Value {
    let folder = std::env::var_os("ONAIR_SHARED_DATA")
        .expect("ONAIR_SHARED_DATA names the folder of the shared data");
    let path = PathBuf::from(folder).join("tokens").join(name);
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn text(value: &Value) -> &str {
    value
        .as_str()
        .unwrap_or_else(|| panic!("not a text: {value}"))
}

fn bytes(hex: &Value) -> Vec<u8> {
    hex::decode(text(hex)).unwrap_or_else(|error| panic!("{hex}: {error}"))
}

fn shared_key(secret: &[u8]) -> Value {
    json!({ "kty": "oct", "k": URL_SAFE_NO_PAD.encode(secret) })
}

fn curve_key(x: &[u8], y: &[u8]) -> Value {
    json!({ "kty": "EC", "crv": "P-256", "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y) })
}

/// A desk whose event has tokens of this format.
fn desk(format: &str) -> Desk {
    let desk = Desk::new().rehearsing();
    if format == "jwt" {
        return desk;
    }
    desk.edit_runbook("format = \"jwt\"", &format!("format = \"{format}\""));
    // Claims of JWTs: Common Access Tokens have their own, and opaque ones none.
    for line in [
        "path-claim = \"path\"                # the path prefix that a token is good for\n",
        "country-claim = \"geo\"\n",
    ] {
        desk.edit_runbook(line, "");
    }
    desk.onair(&["runbook", "check"]).expect_success();
    desk
}

fn inspect(desk: &Desk, token: &str, key: Option<&Value>) -> (Outcome, Run) {
    let mut arguments = vec!["-o", "json", "token", "inspect", "-"];
    if let Some(key) = key {
        desk.write("key.json", key.to_string());
        arguments.extend(["--key-file", "key.json"]);
    }
    let run = desk.onair_with_input(&arguments, token);
    let answer = run.json();
    let state = text_or(&answer["data"]["verification"]["state"]);
    let outcome = match (run.code, state.as_str()) {
        (0, "verified") => Outcome::Verified,
        (0, _) => Outcome::Read,
        (3, "wrong") => Outcome::Wrong,
        (3, _) => Outcome::Unchecked,
        (2, _) if answer["error"]["code"] == "token.malformed" => {
            Outcome::Refused(text_or(&answer["error"]["message"]))
        }
        (code, _) => panic!("exit {code}: {run}"),
    };
    let parts: Vec<&str> = token.split('.').filter(|part| part.len() > 20).collect();
    for part in parts {
        assert!(
            !run.stdout.contains(part) && !run.stderr.contains(part),
            "part of the token is shown: {run}"
        );
    }
    (outcome, run)
}

fn text_or(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[track_caller]
fn assert_refused(outcome: &Outcome, reason: &str, what: &str) {
    assert!(
        matches!(outcome, Outcome::Refused(why) if why.contains(reason)),
        "{what}: {outcome:?}, not `{reason}`"
    );
}

#[test]
fn common_access_tokens_are_read_and_verified() {
    let desk = desk("cat");
    let vectors = file("cat-tokens.json");
    for vector in vectors.as_array().expect("a list") {
        let what = text(&vector["source"]);
        let key = shared_key(&bytes(&vector["hs256_key_hex"]));
        let (outcome, run) = inspect(&desk, text(&vector["token"]), Some(&key));
        assert_eq!(outcome, Outcome::Verified, "{what}: {run}");
        let answer = run.json();
        assert_eq!(answer["data"]["format"], "cat");
        let claims = answer["data"]["claims"].as_array().expect("a list").len();
        assert!(claims > 0, "{what}: {run}");
        let wrong = shared_key(b"another key, which did not make it");
        assert_eq!(
            inspect(&desk, text(&vector["token"]), Some(&wrong)).0,
            Outcome::Wrong,
            "{what}"
        );
    }
}

#[test]
fn the_examples_of_rfc_8392_are_read_or_refused_as_what_they_are() {
    let desk = desk("cat");
    let signed = file("cwt-rfc8392-A_3.json");
    let key = &signed["input"]["sign0"]["key"];
    let key = curve_key(&bytes(&key["x_hex"]), &bytes(&key["y_hex"]));
    let (outcome, run) = inspect(&desk, text(&signed["output"]["cbor"]), Some(&key));
    assert_eq!(outcome, Outcome::Verified, "{run}");
    assert_eq!(run.json()["data"]["algorithm"], "ES256");

    let maced = file("cwt-rfc8392-A_4.json");
    let key = shared_key(&bytes(
        &maced["input"]["mac0"]["recipients"][0]["key"]["k_hex"],
    ));
    let (outcome, run) = inspect(&desk, text(&maced["output"]["cbor"]), Some(&key));
    assert_eq!(outcome, Outcome::Verified, "{run}");
    assert_eq!(run.json()["data"]["algorithm"], "HS256/64");

    let encrypted = file("cwt-rfc8392-A_6.json");
    let (outcome, _) = inspect(&desk, text(&encrypted["output"]["cbor"]), None);
    assert_refused(&outcome, "encrypted (COSE_Encrypt", "A.6");
}

#[test]
fn the_examples_of_rfc_7515_and_7519_are_read_and_the_unsecured_one_is_refused() {
    let desk = desk("jwt");
    for vector in file("rfc7515-rfc7519-jwt.json").as_array().expect("a list") {
        let what = text(&vector["name"]);
        let key = (!vector["jwk"].is_null()).then_some(&vector["jwk"]);
        let (outcome, run) = inspect(&desk, text(&vector["jwt"]), key);
        match vector["valid"].as_bool() {
            Some(true) => {
                assert_eq!(outcome, Outcome::Verified, "{what}: {run}");
                assert_eq!(run.json()["data"]["state"], "expired", "{what}");
            }
            _ => assert_refused(&outcome, "`alg` is none", what),
        }
    }
}

#[test]
fn the_signed_prose_of_rfc_7520_is_no_token_of_claims() {
    let desk = desk("jwt");
    for name in [
        "jose-cookbook-4_1.rsa_v15_signature.json",
        "jose-cookbook-4_3.ecdsa_signature.json",
        "jose-cookbook-4_4.hmac-sha2_integrity_protection.json",
    ] {
        let vector = file(name);
        let (outcome, _) = inspect(
            &desk,
            text(&vector["output"]["compact"]),
            Some(&vector["input"]["key"]),
        );
        assert_refused(&outcome, "the payload is not JSON", name);
        for form in ["json", "json_flat"] {
            if !vector["output"][form].is_null() {
                let (outcome, _) = inspect(&desk, &vector["output"][form].to_string(), None);
                assert_refused(&outcome, "JSON serialization", name);
            }
        }
    }
}

#[test]
fn quicrs_dot_joined_tokens_are_read_with_a_warning() {
    let desk = desk("cat");
    for vector in file("quicr-token_structure.json")["vectors"]
        .as_array()
        .expect("a list")
    {
        let what = text(&vector["id"]);
        let key = match vector.get("key_hex") {
            Some(key) => shared_key(&bytes(key)),
            None => curve_key(
                &bytes(&vector["public_key_x_hex"]),
                &bytes(&vector["public_key_y_hex"]),
            ),
        };
        let (outcome, run) = inspect(&desk, text(&vector["token"]), Some(&key));
        assert_eq!(outcome, Outcome::Verified, "{what}: {run}");
        assert!(
            run.json()["warnings"]
                .to_string()
                .contains("parts joined by dots"),
            "{what}: {run}"
        );
    }
}

#[test]
fn claims_without_a_mac_are_no_token() {
    let desk = desk("cat");
    for vector in file("quicr-cbor_encoding.json")["vectors"]
        .as_array()
        .expect("a list")
    {
        let (outcome, _) = inspect(&desk, text(&vector["payload_cbor_hex"]), None);
        assert_refused(&outcome, "claims alone", text(&vector["id"]));
    }
}

/// Wycheproof signs the word `foo` and the like, which is no set of claims: as tokens all of them are
/// refused, most by their form and the rest by that payload. What their signatures are worth is
/// tested where signatures are checked, in `src/token/tests.rs`.
#[test]
fn wycheproofs_vectors_are_refused_each_with_a_reason() {
    let desk = desk("jwt");
    let mut seen = 0;
    for group in file("wycheproof-json-web-signature.json")["testGroups"]
        .as_array()
        .expect("a list")
    {
        for vector in group["tests"].as_array().expect("a list") {
            let what = format!("tcId {} {}", vector["tcId"], vector["comment"]);
            let token = match &vector["jws"] {
                Value::String(token) => token.clone(),
                other => other.to_string(),
            };
            let (outcome, run) = inspect(&desk, &token, None);
            let Outcome::Refused(reason) = &outcome else {
                panic!("{what}: {run}");
            };
            let flags = vector["flags"].to_string();
            if vector["result"] == "valid" {
                // Two of them have characters in the header that lenient readers skip.
                let payload =
                    reason.contains("payload is not") || reason.contains("payload is missing");
                assert!(
                    payload || reason.contains("is not base64url"),
                    "{what}: {reason}"
                );
            } else if flags.contains("AlgIsNone") {
                assert!(
                    reason.contains("none") || reason.contains("missing"),
                    "{what}: {reason}"
                );
            } else if flags.contains("JsonSerialization") {
                assert!(reason.contains("JSON serialization"), "{what}: {reason}");
            }
            seen += 1;
        }
    }
    assert_eq!(seen, 401);
}
