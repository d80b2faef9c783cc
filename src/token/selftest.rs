//! The matrix that shows what the gate does: one row for each way in which a viewer gets in or is kept
//! out. The rows follow from the runbook alone; who runs them (the embedded engine, `TestFunction`)
//! is the caller's choice.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{
    ClaimValue, Format, Key, KeySet, MintRequest, RevocationKey, Token, keys_key, log_key_key,
    mint, mode_key,
};
use crate::edge::ViewerRequest;
use crate::edge::engine::{self, Output, RunError};
use crate::edge::event;
use crate::runbook::{GeoMode, Runbook, TokenFormat, TokenMode, TokenSource, Tokens};

/// What a row wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// The request goes on, without the token in its query or path.
    Passes,
    /// A refusal with this status; the reason where there is but one.
    Refused(u16, Option<&'static str>),
}

impl std::fmt::Display for Wanted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Passes => f.write_str("passes"),
            Self::Refused(status, None) => write!(f, "{status}"),
            Self::Refused(status, Some(reason)) => write!(f, "{status} {reason}"),
        }
    }
}

/// How a row came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Right,
    Wrong,
    /// The row could not be asked; that is never wrong.
    Unknown,
}

/// One row of the matrix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    /// Stable, in kebab case: `expired`, `revoked-sub`.
    pub(crate) id: String,
    /// What is tried, in words.
    pub(crate) name: String,
    pub(crate) wanted: String,
    /// What came, or why it could not be asked.
    pub(crate) got: String,
    pub(crate) verdict: Verdict,
    /// Percent of the compute time, where it was said.
    pub(crate) utilization: Option<u8>,
}

/// A row to be run.
pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) wanted: Wanted,
    /// The event for the function, or why there is none. It holds a token: not to be shown.
    pub(crate) event: Result<Value, String>,
    /// Items of the store that this row needs beside the settings.
    pub(crate) items: BTreeMap<String, String>,
    /// The mode that this row needs.
    pub(crate) mode: TokenMode,
    /// What must not be in the request that goes on.
    secret: Option<SecretString>,
}

/// Who signs the tokens of the matrix.
pub(crate) struct Signer<'a> {
    pub(crate) kid: Option<&'a str>,
    pub(crate) key: &'a Key,
}

/// Runs the matrix in the embedded engine: `code` with a scratch store and scratch keys. Without
/// `[tokens]` there are no rows.
pub(crate) fn run(runbook: &Runbook, code: &str, now: Timestamp) -> Vec<Row> {
    let event = runbook.event.id.as_str();
    let Some(scratch) = Scratch::new(now) else {
        return Vec::new();
    };
    let signer = Signer {
        kid: Some("current"),
        key: &scratch.current,
    };
    let mut cases = cases(runbook, Some(&signer), now);
    cases.extend(rotation(runbook, &scratch, now));
    cases
        .into_iter()
        .map(|case| {
            let mut items = case.items.clone();
            let mode = crate::edge::gate::mode_word(case.mode);
            items.insert(mode_key(event), mode.to_owned());
            items.insert(keys_key(event), scratch.keys.expose_secret().to_owned());
            items.insert(log_key_key(event), "c2VsZnRlc3QtbG9nLWtleQ".to_owned());
            let ran = case
                .event
                .as_ref()
                .map_err(Clone::clone)
                .map(|event| engine::run(code, event, &items, now));
            match ran {
                Err(why) => case.row(Err(why), None),
                Ok(Err(error)) => case.row(Ok(Err(error)), None),
                Ok(Ok(ran)) => case.row(Ok(Ok(ran.output)), Some(ran.utilization)),
            }
        })
        .collect()
}

impl Case {
    /// The row of what came.
    pub(crate) fn row(
        &self,
        got: Result<Result<Output, RunError>, String>,
        utilization: Option<u8>,
    ) -> Row {
        let (got, verdict) = match got {
            Err(why) => (why, Verdict::Unknown),
            Ok(Err(error)) => (error.to_string(), Verdict::Wrong),
            Ok(Ok(output)) => self.judge(&output),
        };
        Row {
            id: self.id.clone(),
            name: self.name.clone(),
            wanted: self.wanted.to_string(),
            got,
            verdict,
            utilization,
        }
    }

    fn judge(&self, output: &Output) -> (String, Verdict) {
        let verdict = |right: bool| {
            if right {
                Verdict::Right
            } else {
                Verdict::Wrong
            }
        };
        match output {
            Output::Request(request) => {
                let left = self.secret.as_ref().is_some_and(|token| {
                    let fields = json!([request["querystring"], request["uri"]]).to_string();
                    fields.contains(token.expose_secret())
                });
                if left {
                    let got = "passes, and the token goes on with it".to_owned();
                    return (got, Verdict::Wrong);
                }
                ("passes".to_owned(), verdict(self.wanted == Wanted::Passes))
            }
            Output::Response(_) => {
                let status = output.status().unwrap_or_default();
                let reason = output.header("x-onair-gate").unwrap_or_default();
                let stored = output.header("cache-control") != Some("no-store");
                let right = match self.wanted {
                    Wanted::Passes => false,
                    Wanted::Refused(wanted, why) => {
                        wanted == status && why.is_none_or(|why| why == reason) && !stored
                    }
                };
                let stored = if stored { " without no-store" } else { "" };
                (format!("{status} {reason}{stored}"), verdict(right))
            }
        }
    }
}

/// Keys of the matrix's own: they open nothing anywhere.
struct Scratch {
    current: Key,
    previous: Key,
    next: Key,
    keys: SecretString,
}

impl Scratch {
    fn new(now: Timestamp) -> Option<Self> {
        let key =
            |name: &str| Key::secret(Sha256::digest(format!("onair/selftest/{name}")).to_vec());
        let (current, previous, next) = (
            key("current").ok()?,
            key("previous").ok()?,
            key("next").ok()?,
        );
        let mut keys = KeySet::default();
        keys.add("previous", &previous, now).ok()?;
        keys.add("current", &current, now).ok()?;
        keys.promote("current", now).ok()?;
        keys.add("next", &next, now).ok()?;
        Some(Self {
            keys: keys.to_value().ok()?,
            current,
            previous,
            next,
        })
    }
}

/// The viewer that everything is granted to, and what a valid token says.
struct Model<'a> {
    runbook: &'a Runbook,
    tokens: &'a Tokens,
    signer: Option<&'a Signer<'a>>,
    now: Timestamp,
    country: String,
    region: String,
    metro: String,
}

const VIEWER: &str = "198.51.100.23";
const NETWORK: &str = "198.51.100.0/24";
const STRANGER: &str = "203.0.113.77";
const AGENT: &str = "onair-selftest/1";
const PATH: &str = "/onair-selftest/live/index.m3u8";
const PREFIX: &str = "/onair-selftest/live/";
const ELSEWHERE: &str = "/onair-selftest/other/index.m3u8";

/// The rows that a runbook calls for, with tokens that `signer` makes. Without one, rows that need a
/// token have no event.
pub(crate) fn cases(runbook: &Runbook, signer: Option<&Signer<'_>>, now: Timestamp) -> Vec<Case> {
    let Some(tokens) = &runbook.tokens else {
        return Vec::new();
    };
    let model = Model::new(runbook, tokens, signer, now);
    let mut cases = Vec::new();
    model.entry(&mut cases);
    if tokens.format != TokenFormat::Opaque {
        model.proof(&mut cases);
        model.binding(&mut cases);
    }
    model.rights(&mut cases);
    model.revocation(&mut cases);
    model.modes(&mut cases);
    cases
}

/// The rows about keys in their states, which only a store with such keys can answer.
fn rotation(runbook: &Runbook, scratch: &Scratch, now: Timestamp) -> Vec<Case> {
    let Some(tokens) = &runbook.tokens else {
        return Vec::new();
    };
    if tokens.format == TokenFormat::Opaque {
        return Vec::new();
    }
    [
        (
            "previous-key",
            "signed with the previous key",
            "previous",
            &scratch.previous,
            Wanted::Passes,
        ),
        (
            "next-key",
            "signed with the next key",
            "next",
            &scratch.next,
            Wanted::Passes,
        ),
        (
            "wrong-key",
            "signed with another key under the current one's id",
            "current",
            &scratch.next,
            Wanted::Refused(401, None),
        ),
    ]
    .into_iter()
    .map(|(id, name, kid, key, wanted)| {
        let signer = Signer {
            kid: Some(kid),
            key,
        };
        let model = Model::new(runbook, tokens, Some(&signer), now);
        model.case(id, name, wanted, model.token(&[], now))
    })
    .collect()
}

impl<'a> Model<'a> {
    fn new(
        runbook: &'a Runbook,
        tokens: &'a Tokens,
        signer: Option<&'a Signer<'a>>,
        now: Timestamp,
    ) -> Self {
        let geo = runbook.geo.as_ref();
        let rule = geo.and_then(|geo| geo.states.first());
        let metros = geo.and_then(|geo| geo.metros.as_ref());
        let country = match (rule, metros, geo) {
            (Some(rule), _, _) => rule.country.code(),
            (None, Some(_), _) => "US",
            (None, None, Some(geo)) if geo.mode == GeoMode::Allow => {
                geo.countries.first().map_or("DE", |country| country.code())
            }
            _ => "DE",
        };
        let inside = |mode: GeoMode, codes: &[String]| match mode {
            GeoMode::Allow => codes.first().cloned().unwrap_or_default(),
            GeoMode::Block => "00".to_owned(),
        };
        Self {
            country: country.to_owned(),
            region: rule.map_or_else(String::new, |rule| inside(rule.mode, &rule.states)),
            metro: metros.map_or_else(String::new, |metros| inside(metros.mode, &metros.codes)),
            runbook,
            tokens,
            signer,
            now,
        }
    }

    fn format(&self) -> Format {
        match self.tokens.format {
            TokenFormat::Jwt => Format::Jwt,
            TokenFormat::Cat => Format::Cat,
            TokenFormat::Opaque => Format::Opaque,
        }
    }

    /// The claims of a token that is good for the model viewer.
    fn claims(&self) -> Vec<(String, ClaimValue)> {
        let gate = &self.tokens.gate;
        let text = |value: &str| ClaimValue::Text(value.to_owned());
        let mut claims: Vec<(String, ClaimValue)> = Vec::new();
        for claim in &self.tokens.revocation_keys {
            let known = claims.iter().any(|(name, _)| name == claim);
            let mintable = self.format() == Format::Jwt || super::cat_label(claim).is_some();
            if !known && mintable && !matches!(claim.as_str(), "token" | "exp" | "iat" | "nbf") {
                claims.push((claim.clone(), text(&value_of(claim))));
            }
        }
        if self.format() == Format::Cat {
            let prefix = ClaimValue::Map(vec![("prefix".to_owned(), text(PREFIX))]);
            claims.push((
                "catu".to_owned(),
                ClaimValue::Map(vec![("path".to_owned(), prefix)]),
            ));
            claims.push((
                "catgeoiso3166".to_owned(),
                ClaimValue::List(vec![text(&self.country)]),
            ));
            claims.push(("catnip".to_owned(), ClaimValue::List(vec![text(NETWORK)])));
            return claims;
        }
        let agent = URL_SAFE_NO_PAD.encode(Sha256::digest(AGENT));
        let bound = [
            (&gate.path_claim, PREFIX),
            (&gate.country_claim, self.country.as_str()),
            (&gate.network_claim, NETWORK),
            (&gate.user_agent_claim, agent.as_str()),
        ];
        for (claim, value) in bound {
            if let Some(claim) = claim {
                claims.retain(|(name, _)| name != claim);
                claims.push((claim.clone(), text(value)));
            }
        }
        claims
    }

    /// A token made at `at` with more claims than the valid one's.
    fn token(&self, more: &[(&str, ClaimValue)], at: Timestamp) -> Result<SecretString, String> {
        if self.tokens.format == TokenFormat::Opaque {
            return Ok("onair-selftest-opaque-token".to_owned().into());
        }
        let Some(signer) = self.signer else {
            return Err("needs a signing key that is at hand".to_owned());
        };
        let mut claims = self.claims();
        for (name, value) in more {
            claims.retain(|(known, _)| known != name);
            claims.push(((*name).to_owned(), value.clone()));
        }
        let request = MintRequest {
            format: self.format(),
            claims,
            lifetime: SignedDuration::from_mins(5),
            key_id: signer.kid.map(str::to_owned),
        };
        mint(&request, signer.key, at).map_err(|error| error.to_string())
    }

    fn viewer(&self, path: &str) -> ViewerRequest {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        ViewerRequest {
            address: VIEWER.parse().ok(),
            country: some(&self.country),
            region: some(&self.region),
            metro: some(&self.metro),
            user_agent: Some(AGENT.to_owned()),
            ..ViewerRequest::new(path, self.now)
        }
    }

    fn domain(&self) -> &str {
        self.runbook
            .distributions
            .first()
            .map_or("example.cloudfront.net", |one| one.domain.as_str())
    }

    fn case(
        &self,
        id: &str,
        name: &str,
        wanted: Wanted,
        token: Result<SecretString, String>,
    ) -> Case {
        self.case_of(id, name, wanted, token, |_| {})
    }

    /// A case whose request is changed before it goes out.
    fn case_of(
        &self,
        id: &str,
        name: &str,
        wanted: Wanted,
        token: Result<SecretString, String>,
        change: impl FnOnce(&mut ViewerRequest),
    ) -> Case {
        let mut request = self.viewer(PATH);
        change(&mut request);
        let source = self.tokens.gate.sources.first();
        let event = token.as_ref().map_err(Clone::clone).map(|token| {
            if let Some(source) = source {
                carry(&mut request, source, token.expose_secret());
            }
            event::viewer_request(&request, self.domain())
        });
        Case {
            id: id.to_owned(),
            name: name.to_owned(),
            wanted,
            event,
            items: BTreeMap::new(),
            mode: TokenMode::Enforce,
            secret: token.ok(),
        }
    }

    fn without_token(&self, id: &str, name: &str, wanted: Wanted, path: &str) -> Case {
        Case {
            id: id.to_owned(),
            name: name.to_owned(),
            wanted,
            event: Ok(event::viewer_request(&self.viewer(path), self.domain())),
            items: BTreeMap::new(),
            mode: TokenMode::Enforce,
            secret: None,
        }
    }

    /// With and without a token, from each place where players put it.
    fn entry(&self, cases: &mut Vec<Case>) {
        for source in &self.tokens.gate.sources {
            let (id, place) = match source {
                TokenSource::Path => ("path".to_owned(), "the path".to_owned()),
                TokenSource::Query(name) => {
                    (format!("query-{name}"), format!("query parameter {name}"))
                }
                TokenSource::Cookie(name) => (format!("cookie-{name}"), format!("cookie {name}")),
                TokenSource::Header(name) => (format!("header-{name}"), format!("header {name}")),
            };
            let token = self.token(&[], self.now);
            let event = token.as_ref().map_err(Clone::clone).map(|token| {
                let mut request = self.viewer(PATH);
                carry(&mut request, source, token.expose_secret());
                event::viewer_request(&request, self.domain())
            });
            cases.push(Case {
                event,
                ..self.case(
                    &format!("valid-{id}"),
                    &format!("a valid token in {place}"),
                    Wanted::Passes,
                    token,
                )
            });
        }
        cases.push(self.without_token(
            "no-token",
            "no token",
            Wanted::Refused(401, Some("no-token")),
            PATH,
        ));
        if let Some(open) = self.tokens.gate.open_paths.first() {
            let path = format!("{open}x");
            let name = "no token on an open path";
            cases.push(self.without_token("open-path", name, Wanted::Passes, &path));
        }
    }

    /// Who made the token, unchanged, and from when until when.
    fn proof(&self, cases: &mut Vec<Case>) {
        let leeway = SignedDuration::from_secs(self.tokens.gate.leeway_seconds.into());
        let before = self.now - SignedDuration::from_mins(10) - leeway;
        cases.push(self.case(
            "expired",
            "an expired token",
            Wanted::Refused(401, Some("expired")),
            self.token(&[], before),
        ));
        let later = self.now.as_second() + 600 + leeway.as_secs();
        cases.push(self.case(
            "not-yet-valid",
            "a token that is not valid yet",
            Wanted::Refused(401, Some("not-yet-valid")),
            self.token(&[("nbf", ClaimValue::Integer(later.into()))], self.now),
        ));
        let valid = self.token(&[], self.now);
        let altered = |last: bool| {
            valid
                .as_ref()
                .map_err(Clone::clone)
                .map(|token| altered(token, self.format(), last))
        };
        cases.push(self.case(
            "altered-signature",
            "a token with an altered signature",
            Wanted::Refused(401, None),
            altered(true),
        ));
        cases.push(self.case(
            "altered-payload",
            "a token with an altered claim",
            Wanted::Refused(401, None),
            altered(false),
        ));
        let stranger = self.signer.map(|signer| Signer {
            kid: Some("onair-selftest-nobody"),
            key: signer.key,
        });
        let model = Model::new(self.runbook, self.tokens, stranger.as_ref(), self.now);
        cases.push(self.case(
            "unknown-key",
            "a token whose key id nobody knows",
            Wanted::Refused(401, None),
            model.token(&[], self.now),
        ));
        if self.format() == Format::Jwt {
            let unsigned = valid.map(|token| {
                let payload = token.expose_secret().split('.').nth(1).unwrap_or_default();
                let header = URL_SAFE_NO_PAD.encode(br#"{"alg":"none"}"#);
                format!("{header}.{payload}.AA").into()
            });
            cases.push(self.case(
                "unsigned",
                "a token with the algorithm `none`",
                Wanted::Refused(401, Some("algorithm")),
                unsigned,
            ));
        }
    }

    /// What the token is good for, and for whom.
    fn binding(&self, cases: &mut Vec<Case>) {
        let gate = &self.tokens.gate;
        let cat = self.format() == Format::Cat;
        let valid = || self.token(&[], self.now);
        if cat || gate.path_claim.is_some() {
            cases.push(self.case_of(
                "wrong-path",
                "a token for another path",
                Wanted::Refused(403, Some("path")),
                valid(),
                |request| ELSEWHERE.clone_into(&mut request.path),
            ));
        }
        if cat || gate.country_claim.is_some() {
            let claim = gate.country_claim.as_deref().filter(|_| !cat);
            let other = ClaimValue::List(vec![ClaimValue::from("ZZ")]);
            cases.push(self.case(
                "wrong-country",
                "a token for another country",
                Wanted::Refused(451, Some("country")),
                self.token(&[(claim.unwrap_or("catgeoiso3166"), other)], self.now),
            ));
        }
        if cat || gate.network_claim.is_some() {
            cases.push(self.case_of(
                "shared-network",
                "a shared token, from another network",
                Wanted::Refused(403, Some("network")),
                valid(),
                |request| request.address = STRANGER.parse().ok(),
            ));
        }
        if !cat && gate.user_agent_claim.is_some() {
            cases.push(self.case_of(
                "shared-user-agent",
                "a shared token, from another user agent",
                Wanted::Refused(403, Some("user-agent")),
                valid(),
                |request| request.user_agent = Some("another/1".to_owned()),
            ));
        }
    }

    /// The runbook's states and metro areas.
    fn rights(&self, cases: &mut Vec<Case>) {
        let Some(geo) = &self.runbook.geo else { return };
        let outside = |mode: GeoMode, codes: &[String]| match mode {
            GeoMode::Allow => "00".to_owned(),
            GeoMode::Block => codes.first().cloned().unwrap_or_default(),
        };
        for rule in &geo.states {
            let state = outside(rule.mode, &rule.states);
            let country = rule.country.code();
            cases.push(self.case_of(
                &format!("wrong-state-{}", country.to_lowercase()),
                &format!("a viewer in a state of {country} without rights"),
                Wanted::Refused(451, Some("state")),
                self.token(&[], self.now),
                |request| {
                    request.country = Some(country.to_owned());
                    request.region = Some(state);
                },
            ));
        }
        if let Some(metros) = &geo.metros {
            let metro = outside(metros.mode, &metros.codes);
            let region = geo
                .states
                .iter()
                .find(|rule| rule.country.code() == "US")
                .map(|rule| match rule.mode {
                    GeoMode::Allow => rule.states.first().cloned().unwrap_or_default(),
                    GeoMode::Block => "00".to_owned(),
                });
            cases.push(self.case_of(
                "wrong-metro",
                "a viewer in a metro area without rights",
                Wanted::Refused(451, Some("metro")),
                self.token(&[], self.now),
                |request| {
                    request.country = Some("US".to_owned());
                    request.region = region;
                    request.metro = Some(metro);
                },
            ));
        }
    }

    /// Each way in which `token revoke` could have revoked the valid token.
    fn revocation(&self, cases: &mut Vec<Case>) {
        let event = self.runbook.event.id.as_str();
        let claims = match self.tokens.format {
            TokenFormat::Opaque => vec!["token".to_owned()],
            TokenFormat::Jwt | TokenFormat::Cat => self.tokens.revocation_keys.clone(),
        };
        let later = (self.now.as_second() + 3600).to_string();
        let past = (self.now.as_second() - 1).to_string();
        for (claim, index) in claims.iter().zip(0..) {
            let token = self.token(&[], self.now);
            let key = token.as_ref().map_err(Clone::clone).and_then(|token| {
                let read =
                    Token::parse_as(token, self.format()).map_err(|error| error.to_string())?;
                let found: Option<RevocationKey> =
                    read.revocation_keys(event, &[claim]).remove(0).key;
                found.ok_or_else(|| "test tokens cannot carry this claim".to_owned())
            });
            let (token, key) = match (token, key) {
                (Ok(token), Ok(key)) => (Ok(token), Some(key)),
                (_, Err(why)) | (Err(why), _) => (Err(why), None),
            };
            let again = || match &token {
                Ok(_) => self.token(&[], self.now),
                Err(why) => Err(why.clone()),
            };
            let with = |case: Case, value: &str| Case {
                items: key
                    .iter()
                    .map(|key| (key.as_str().to_owned(), value.to_owned()))
                    .collect(),
                ..case
            };
            let refused = Wanted::Refused(403, Some("revoked"));
            let id = format!("revoked-{claim}");
            let name = format!("a token revoked by {claim}");
            cases.push(with(
                self.case(&id, &name, refused.clone(), again()),
                &later,
            ));
            if index == 0 {
                let name = "a revocation past its end";
                cases.push(with(
                    self.case("revoked-past-its-end", name, Wanted::Passes, again()),
                    &past,
                ));
                let name = "a revocation whose end is no time";
                cases.push(with(
                    self.case("revoked-malformed", name, refused, again()),
                    "soon",
                ));
            }
        }
    }

    fn modes(&self, cases: &mut Vec<Case>) {
        for (mode, id, name) in [
            (TokenMode::Off, "mode-off", "no token while the mode is off"),
            (TokenMode::Log, "mode-log", "no token while the mode is log"),
        ] {
            cases.push(Case {
                mode,
                ..self.without_token(id, name, Wanted::Passes, PATH)
            });
        }
    }
}

/// A claim's value in test tokens; a CAT's `cti` is hexadecimal.
fn value_of(claim: &str) -> String {
    if claim == "cti" {
        "5e1f7e57".to_owned()
    } else {
        format!("onair-selftest-{claim}")
    }
}

/// Puts a token where players do.
pub(crate) fn carry(request: &mut ViewerRequest, source: &TokenSource, token: &str) {
    match source {
        TokenSource::Path => request.path = format!("/{token}{}", request.path),
        TokenSource::Query(name) => {
            let joint = if request.path.contains('?') { '&' } else { '?' };
            request.path = format!("{}{joint}{name}={token}", request.path);
        }
        TokenSource::Cookie(name) => {
            request
                .headers
                .insert("cookie".to_owned(), format!("{name}={token}"));
        }
        TokenSource::Header(name) => {
            let value = if name.eq_ignore_ascii_case("authorization") {
                format!("Bearer {token}")
            } else {
                token.to_owned()
            };
            request.headers.insert(name.to_ascii_lowercase(), value);
        }
    }
}

/// The token with one bit turned in its signature, or in its claims.
fn altered(token: &SecretString, format: Format, signature: bool) -> SecretString {
    let text = token.expose_secret();
    let turned = |encoded: &str, from_end: usize| {
        let mut bytes = URL_SAFE_NO_PAD.decode(encoded).unwrap_or_default();
        let at = bytes.len().saturating_sub(from_end);
        if let Some(byte) = bytes.get_mut(at) {
            *byte ^= 1;
        }
        URL_SAFE_NO_PAD.encode(bytes)
    };
    if format == Format::Cat {
        // The MAC is the last 32 bytes; before it is the one byte that says so, and `exp` before that.
        return turned(text, if signature { 1 } else { 36 }).into();
    }
    let mut parts: Vec<String> = text.split('.').map(str::to_owned).collect();
    let last = parts.len().saturating_sub(1);
    let index = if signature {
        last
    } else {
        last.saturating_sub(1)
    };
    if let Some(part) = parts.get_mut(index) {
        // Not the closing brace: the payload stays JSON, and says something else.
        *part = turned(part, if signature { 1 } else { 2 });
    }
    parts.join(".").into()
}
