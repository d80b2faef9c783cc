//! The gate's matrix in the embedded engine, for each format; its size; the language it is written in; and
//! that it looks up the very keys that `token revoke` writes.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use jiff::Timestamp;
use secrecy::ExposeSecret as _;

use super::*;
use crate::edge::{ViewerRequest, engine, event};
use crate::runbook::{MetroRights, StateRights};
use crate::token::selftest::{self, Verdict};
use crate::token::{
    ClaimValue, Format, Key, KeySet, MintRequest, Token, keys_key, log_digest, log_key_key, mint,
    mode_key, revocation_value,
};

const FORMATS: [TokenFormat; 3] = [TokenFormat::Jwt, TokenFormat::Cat, TokenFormat::Opaque];

fn now() -> Timestamp {
    "2026-07-19T20:00:00Z".parse().unwrap()
}

fn runbook(format: TokenFormat) -> Runbook {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("runbooks/cup-final.toml");
    let mut runbook = crate::runbook::load(&path).unwrap().runbook;
    let tokens = runbook.tokens.as_mut().unwrap();
    tokens.format = format;
    tokens.mode = TokenMode::Enforce;
    tokens.revocation_keys = match format {
        TokenFormat::Jwt => vec![
            "sub".to_owned(),
            "sid".to_owned(),
            "jti".to_owned(),
            "token".to_owned(),
        ],
        TokenFormat::Cat => vec!["sub".to_owned(), "cti".to_owned()],
        TokenFormat::Opaque => Vec::new(),
    };
    // Each test names the bindings that it is about.
    tokens.gate.path_claim = None;
    tokens.gate.country_claim = None;
    runbook
}

/// Everything that a runbook can ask of the gate.
fn full(format: TokenFormat) -> Runbook {
    let mut runbook = runbook(format);
    let tokens = runbook.tokens.as_mut().unwrap();
    tokens.gate.sources = vec![
        TokenSource::Path,
        TokenSource::Query("token".to_owned()),
        TokenSource::Cookie("session".to_owned()),
        TokenSource::Header("authorization".to_owned()),
    ];
    if format == TokenFormat::Jwt {
        tokens.gate.path_claim = Some("paths".to_owned());
        tokens.gate.country_claim = Some("countries".to_owned());
        tokens.gate.network_claim = Some("net".to_owned());
        tokens.gate.user_agent_claim = Some("ua".to_owned());
    }
    tokens.gate.open_paths = vec!["/posters/".to_owned()];
    let geo = runbook.geo.as_mut().unwrap();
    geo.states = vec![
        StateRights {
            country: "US".parse().unwrap(),
            mode: GeoMode::Block,
            states: ["MA", "NH", "VT"].map(str::to_owned).to_vec(),
        },
        StateRights {
            country: "CA".parse().unwrap(),
            mode: GeoMode::Allow,
            states: vec!["ON".to_owned()],
        },
    ];
    geo.metros = Some(MetroRights {
        mode: GeoMode::Block,
        codes: vec!["506".to_owned()],
    });
    runbook
}

fn table(rows: &[selftest::Row]) -> String {
    rows.iter().fold(String::new(), |mut table, row| {
        let _fits = writeln!(
            table,
            "{:?} {}: wanted {}, got {} ({:?} %)",
            row.verdict, row.id, row.wanted, row.got, row.utilization
        );
        table
    })
}

#[test]
fn the_matrix_passes_for_each_format() {
    for format in FORMATS {
        for runbook in [runbook(format), full(format)] {
            let rows = selftest::run(&runbook, &render(&runbook), now());
            assert!(
                rows.iter().all(|row| row.verdict == Verdict::Right),
                "{format:?}\n{}",
                table(&rows)
            );
            let least = if format == TokenFormat::Opaque { 6 } else { 15 };
            assert!(rows.len() >= least, "{format:?}\n{}", table(&rows));
        }
    }
}

#[test]
fn a_gate_that_lets_everyone_pass_fails_the_matrix() {
    let runbook = full(TokenFormat::Jwt);
    let open = "function handler(event) { return event.request; }";
    let rows = selftest::run(&runbook, open, now());
    let wrong = rows.iter().filter(|row| row.verdict == Verdict::Wrong);
    assert!(wrong.count() >= 15, "{}", table(&rows));
}

#[test]
fn the_code_fits_with_all_that_a_runbook_can_ask() {
    for format in FORMATS {
        let code = render(&full(format));
        assert!(
            code.len() <= LARGEST_CODE,
            "{format:?}: {} bytes",
            code.len()
        );
        assert_eq!(code, render(&full(format)));
    }
}

#[test]
fn without_tokens_every_request_passes() {
    let mut runbook = runbook(TokenFormat::Jwt);
    runbook.tokens = None;
    let request = ViewerRequest::new("/a", now());
    let event = event::viewer_request(&request, "d1.cloudfront.net");
    let ran = engine::run(&render(&runbook), &event, &BTreeMap::new(), now()).unwrap();
    assert_eq!(ran.output.status(), None);
}

/// What runtime 2.0 does not have, or is not known to have (CloudFront Developer Guide, "JavaScript
/// runtime 2.0 features": ES 5.1, and of later versions only what is listed).
#[test]
fn the_source_keeps_to_the_language_of_the_runtime() {
    let code = cut(
        SOURCE,
        &[
            "jwt",
            "cat",
            "opaque",
            "signed",
            "rights",
            "open",
            "pathsource",
            "path",
            "country",
            "network",
            "agent",
        ],
    );
    for refused in [
        "class ",
        "?.",
        "??",
        "...",
        " of ",
        "catch {",
        "eval(",
        "setTimeout",
        "Promise",
        "(?<",
        "new Function",
        "yield",
        "import(",
        "BigInt",
        "#",
        "=> ({ ",
        "&&=",
        "||=",
        "**",
        "require(",
        "TextDecoder",
        "TextEncoder",
        "structuredClone",
        "fetch(",
        "label:",
        "get ",
        "set ",
        ".at(",
        ".flat",
        ".matchAll",
        "Symbol",
        "WeakMap",
        "Proxy",
        "Reflect",
        "const [",
        "const {",
        "let [",
        "let {",
        "var ",
        "async (",
        "async function(",
    ] {
        assert!(!code.contains(refused), "`{refused}` in the gate's source");
    }
    for line in code
        .lines()
        .filter(|line| line.contains("function ") || line.contains("=>"))
    {
        let parameters = line.split(['(', ')']).nth(1).unwrap_or_default();
        assert!(!parameters.contains('='), "a default parameter: {line}");
    }
    let imports: Vec<&str> = code
        .lines()
        .filter(|line| line.starts_with("import "))
        .collect();
    assert_eq!(
        imports,
        [
            "import cf from 'cloudfront';",
            "import crypto from 'crypto';"
        ]
    );
}

/// A store with one key, and a gate that enforces.
struct Edge {
    runbook: Runbook,
    code: String,
    items: BTreeMap<String, String>,
    key: Key,
}

impl Edge {
    fn new(runbook: Runbook) -> Self {
        let key = Key::secret(vec![7; 32]).unwrap();
        let mut keys = KeySet::default();
        keys.add("k1", &key, now()).unwrap();
        let event = runbook.event.id.as_str();
        let items = BTreeMap::from([
            (mode_key(event), "enforce".to_owned()),
            (
                keys_key(event),
                keys.to_value().unwrap().expose_secret().to_owned(),
            ),
            (log_key_key(event), "bG9nIGtleQ".to_owned()),
        ]);
        Self {
            code: render(&runbook),
            runbook,
            items,
            key,
        }
    }

    fn mint(&self, claims: &[(&str, ClaimValue)]) -> String {
        let format = match self.runbook.tokens.as_ref().unwrap().format {
            TokenFormat::Cat => Format::Cat,
            _ => Format::Jwt,
        };
        let request = MintRequest {
            format,
            claims: claims
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone()))
                .collect(),
            lifetime: jiff::SignedDuration::from_mins(5),
            key_id: Some("k1".to_owned()),
        };
        mint(&request, &self.key, now())
            .unwrap()
            .expose_secret()
            .to_owned()
    }

    fn ask(&self, token: &str) -> engine::Ran {
        let path = format!("/live/index.m3u8?token={token}");
        let request = ViewerRequest::new(&path, now());
        let event = event::viewer_request(&request, "d1.cloudfront.net");
        engine::run(&self.code, &event, &self.items, now()).unwrap()
    }
}

/// The test behind "the key that `token revoke` writes is the key that the function looks up".
#[test]
fn what_token_revoke_writes_is_what_the_gate_looks_up() {
    let hard = ["8841", "user:1/ä b", "x".repeat(600).leak(), "", "sha256=x"];
    for format in FORMATS {
        let claims: &[&str] = match format {
            TokenFormat::Jwt => &["sub", "sid", "jti", "token"],
            TokenFormat::Cat => &["sub", "cti"],
            TokenFormat::Opaque => &["token"],
        };
        for (claim, value) in claims
            .iter()
            .flat_map(|claim| hard.iter().map(move |value| (*claim, *value)))
        {
            let mut edge = Edge::new(runbook(format));
            let token = match (format, claim) {
                (TokenFormat::Opaque, _) => {
                    format!("opaque-token-{}", hex::encode(&value[..value.len().min(9)]))
                }
                (_, "token") => edge.mint(&[]),
                (_, "cti") => edge.mint(&[(
                    "cti",
                    ClaimValue::Text(hex::encode(&value[..value.len().min(200)])),
                )]),
                _ if format == TokenFormat::Cat && value.len() > 500 => continue,
                _ => edge.mint(&[(claim, ClaimValue::from(value))]),
            };
            assert_eq!(edge.ask(&token).output.status(), None, "{format:?} {claim}");
            let read = Token::read(&token, None).unwrap();
            let way = read
                .revocation_keys(edge.runbook.event.id.as_str(), &[claim])
                .remove(0);
            let key = way.key.unwrap();
            let end = revocation_value(now() + jiff::SignedDuration::from_mins(1));
            edge.items.insert(key.as_str().to_owned(), end);
            let ran = edge.ask(&token);
            assert_eq!(ran.output.status(), Some(403), "{format:?} {claim} {value}");
            assert_eq!(ran.output.header("x-onair-gate"), Some("revoked"));
            // The log row leads to the very same key.
            let digest = log_digest(b"log key", &key);
            let custom = ran.custom.unwrap();
            assert!(custom.split('.').any(|part| part == digest), "{custom}");
            assert!(custom.starts_with("1.deny.revoked.enforce."), "{custom}");
        }
    }
}

#[test]
fn no_token_with_one_bit_changed_gets_in() {
    for format in [TokenFormat::Jwt, TokenFormat::Cat] {
        let edge = Edge::new(runbook(format));
        let token = edge.mint(&[("sub", ClaimValue::from("8841"))]);
        assert_eq!(edge.ask(&token).output.status(), None, "{format:?}");
        for at in 0..token.len() {
            // Every second bit keeps the test short; over both formats and all characters none is left out.
            for bit in (at % 2..7).step_by(2) {
                let mut bytes = token.clone().into_bytes();
                bytes[at] ^= 1 << bit;
                let Ok(altered) = String::from_utf8(bytes) else {
                    continue;
                };
                if altered.contains(['&', '#', '%', '\0']) {
                    continue;
                }
                let status = edge.ask(&altered).output.status();
                assert_eq!(status, Some(401), "{format:?}: byte {at}, bit {bit}");
            }
        }
    }
}

#[test]
fn a_store_that_cannot_be_read_lets_no_unproved_token_in() {
    let edge = Edge::new(runbook(TokenFormat::Jwt));
    let token = edge.mint(&[]);
    let request = ViewerRequest::new(&format!("/a?token={token}"), now());
    let event = event::viewer_request(&request, "d1.cloudfront.net");
    let away = |_: &str| Err("the store is away".to_owned());
    let ran = engine::run(&edge.code, &event, &away, now()).unwrap();
    assert_eq!(ran.output.header("x-onair-gate"), Some("no-keys"));
    let event_id = edge.runbook.event.id.to_string();
    let settings_only = |key: &str| {
        if crate::token::is_setting(&event_id, key) {
            Ok(edge.items.get(key).cloned())
        } else {
            Err("the store is away".to_owned())
        }
    };
    let token = edge.mint(&[("sub", ClaimValue::from("8841"))]);
    let request = ViewerRequest::new(&format!("/a?token={token}"), now());
    let event = event::viewer_request(&request, "d1.cloudfront.net");
    let ran = engine::run(&edge.code, &event, &settings_only, now()).unwrap();
    assert_eq!(ran.output.status(), None);
    assert!(ran.custom.unwrap().starts_with("1.allow.unread.enforce"));
}
