//! Canary tokens: short-lived ones of ours, for requests that show what the gate does with a viewer's.
//! Made with the key that the runbook names, or in a rehearsal with the embedded cloud's throwaway key.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

use crate::context::Session;
use crate::edge::{Home, ViewerRequest};
use crate::runbook::{GeoMode, KeySource, Runbook, TokenFormat, TokenSource, Tokens};
use crate::token::{
    ClaimValue, Format, Key, KeyError, KeySet, MintError, MintRequest, Token, keys_key, mint,
};

/// How long a canary lives.
const LIFETIME: SignedDuration = SignedDuration::from_mins(5);
/// Bytes of a file with a key at most.
const KEY_LIMIT: u64 = 64 * 1024;
/// How the prover calls itself.
const USER_AGENT: &str = "onair-canary";

/// A key to sign with, and its id where it has one.
pub(crate) struct Signer {
    pub(crate) key_id: Option<String>,
    pub(crate) key: Key,
}

/// Where a canary goes in a request: not the path, of which every address of a playlist would need one.
pub(crate) fn place(tokens: &Tokens) -> Option<&TokenSource> {
    let mut places = tokens.gate.sources.iter();
    places.find(|place| **place != TokenSource::Path)
}

/// The format of the event's tokens, where we can make some.
pub(crate) fn format(tokens: &Tokens) -> Option<Format> {
    match tokens.format {
        TokenFormat::Jwt => Some(Format::Jwt),
        TokenFormat::Cat => Some(Format::Cat),
        TokenFormat::Opaque => None,
    }
}

/// A token with these claims, and values for the others that the edge insists on from a viewer who
/// calls itself `agent`.
pub(crate) fn token(
    runbook: &Runbook,
    format: Format,
    signer: &Signer,
    mut claims: Vec<(String, ClaimValue)>,
    agent: &str,
    now: Timestamp,
) -> Result<SecretString, MintError> {
    if format == Format::Jwt {
        let others = bound(runbook, agent).into_iter();
        let missing: Vec<_> = others
            .filter(|(name, _)| claims.iter().all(|(known, _)| known != name))
            .collect();
        claims.extend(missing);
    }
    let request = MintRequest {
        format,
        claims,
        lifetime: LIFETIME,
        key_id: signer.key_id.clone(),
    };
    mint(&request, &signer.key, now)
}

/// Values for the claims that the edge insists on, as wide as they may be.
fn bound(runbook: &Runbook, agent: &str) -> Vec<(String, ClaimValue)> {
    let Some(tokens) = &runbook.tokens else {
        return Vec::new();
    };
    let gate = &tokens.gate;
    let text = |text: &str| ClaimValue::Text(text.to_owned());
    let list = |texts: Vec<&str>| ClaimValue::List(texts.into_iter().map(text).collect());
    let mut countries: Vec<&str> = Vec::new();
    if let Some(geo) = &runbook.geo {
        let allowed = geo.countries.iter().filter(|_| geo.mode == GeoMode::Allow);
        let known = allowed.chain(&geo.never_block);
        countries.extend(known.map(|country| country.code()));
    }
    let forecast = runbook.forecast.iter();
    let expected = forecast.flat_map(|forecast| &forecast.countries);
    countries.extend(expected.map(|(country, _)| country.code()));
    countries.sort_unstable();
    countries.dedup();
    let agent = URL_SAFE_NO_PAD.encode(Sha256::digest(agent));
    [
        (&gate.path_claim, text("/")),
        (&gate.country_claim, list(countries)),
        (&gate.network_claim, list(vec!["0.0.0.0/0", "::/0"])),
        (&gate.user_agent_claim, text(&agent)),
    ]
    .into_iter()
    .filter_map(|(claim, value)| Some((claim.clone()?, value)))
    .collect()
}

/// The key that the runbook names, where this machine has it.
pub(crate) fn named_key(session: &Session, tokens: &Tokens) -> Result<Option<Signer>, KeyError> {
    let environment = &session.context.environment;
    let text = match &tokens.key {
        Some(KeySource::Env(name)) => environment.get(name).map(str::to_owned),
        Some(KeySource::File(file)) => {
            let small = std::fs::metadata(file).is_ok_and(|found| found.len() <= KEY_LIMIT);
            small.then(|| std::fs::read_to_string(file).ok()).flatten()
        }
        Some(KeySource::Secret(_)) | None => None,
    };
    let Some(text) = text.map(SecretString::from) else {
        return Ok(None);
    };
    let key = Key::from_text(&text)?;
    Ok(Some(Signer { key_id: None, key }))
}

/// The current key of a rehearsal's store; it opens nothing real.
pub(crate) fn throwaway(keys: &KeySet) -> Result<Option<Signer>, KeyError> {
    let Some((id, key)) = keys.current() else {
        return Ok(None);
    };
    Ok(Some(Signer {
        key_id: Some(id.to_owned()),
        key: key.key()?,
    }))
}

/// Whatever key is at hand; none where there is none that can be used.
pub(crate) async fn signer(session: &Session, tokens: &Tokens) -> Option<Signer> {
    if session.sandbox.is_none() {
        return named_key(session, tokens).ok().flatten();
    }
    let store = crate::observe::find_store(&session.cloud, &tokens.store).await;
    let name = keys_key(session.runbook.event.id.as_str());
    let read = session.cloud.store_item(&store.ok()?.arn, &name).await;
    let keys = KeySet::parse(&SecretString::from(read.ok()??)).ok()?;
    throwaway(&keys).ok().flatten()
}

/// A request for `path` by a viewer at home whose token is looked up under the revocation key `key`;
/// none where no such token can be made: the key holds a digest, or the claim is not ours to set.
pub(crate) fn revocable(
    runbook: &Runbook,
    signer: &Signer,
    key: &str,
    path: &str,
    now: Timestamp,
) -> Option<ViewerRequest> {
    let tokens = runbook.tokens.as_ref()?;
    let (place, format) = (place(tokens)?, format(tokens)?);
    let mut parts = key.splitn(3, ':');
    let event = runbook.event.id.as_str();
    if parts.next() != Some(event) {
        return None;
    }
    let (claim, value) = (parts.next()?, parts.next()?);
    let claims = vec![(claim.to_owned(), ClaimValue::Text(value.to_owned()))];
    let whole = token(runbook, format, signer, claims, USER_AGENT, now).ok()?;
    // The rule of the keys stands in one place: the token's own keys say whether this is one.
    let read = Token::parse_as(&whole, format).ok()?;
    let found = read.revocation_keys(event, &[claim]);
    let fits = found.iter().any(|one| {
        one.key
            .as_ref()
            .is_some_and(|found| found.to_string() == key)
    });
    if !fits {
        return None;
    }
    let mut request = ViewerRequest::new(path, now);
    request.user_agent = Some(USER_AGENT.to_owned());
    if let Some(home) = runbook.geo.as_ref().and_then(Home::of) {
        request.country = Some(home.country.code().to_owned());
        request.region = home.region;
        request.metro = home.metro;
    }
    let whole = whole.expose_secret();
    match place {
        TokenSource::Query(name) => request.path.push_str(&format!("?{name}={whole}")),
        TokenSource::Cookie(name) => {
            let cookie = format!("{name}={whole}");
            request.headers.insert("cookie".to_owned(), cookie);
        }
        TokenSource::Header(name) => {
            request.headers.insert(name.clone(), whole.to_owned());
        }
        TokenSource::Path => return None,
    }
    Some(request)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use super::*;
    use crate::edge::{engine, event, gate};
    use crate::runbook::load::parse;
    use crate::token::RevocationKey;

    fn now() -> Timestamp {
        "2026-06-14T19:00:00Z".parse().unwrap()
    }

    /// The status that the gate answers to the canary of this revocation key, with or without the key
    /// in the store; none: it lets it pass.
    fn gate_says(claim: &str, value: &str, revoked: bool) -> Option<u64> {
        let text = include_str!("../runbooks/cup-final.toml");
        let runbook = parse(text, Path::new("runbooks/cup-final.toml"))
            .unwrap()
            .runbook;
        let stored = KeySet::for_rehearsal(now());
        let signer = throwaway(&KeySet::parse(&stored).unwrap())
            .unwrap()
            .unwrap();
        let key = RevocationKey::new("cup-final", claim, value).to_string();
        let request = revocable(&runbook, &signer, &key, "/cup-final/master.m3u8", now())?;
        let mut items =
            BTreeMap::from([(keys_key("cup-final"), stored.expose_secret().to_owned())]);
        if revoked {
            items.insert(key, "9999999999".to_owned());
        }
        let asked = event::viewer_request(&request, "live.example.com");
        let code = gate::render(&runbook);
        match engine::run(&code, &asked, &items, now()).unwrap().output {
            engine::Output::Request(_) => Some(200),
            engine::Output::Response(response) => response["statusCode"].as_u64(),
        }
    }

    #[test]
    fn the_gate_lets_a_canary_pass_and_refuses_a_revoked_one() {
        for claim in ["sub", "sid", "jti"] {
            assert_eq!(gate_says(claim, "8841", false), Some(200), "{claim}");
            assert_eq!(gate_says(claim, "8841", true), Some(403), "{claim}");
        }
    }

    #[test]
    fn of_a_digest_no_canary_is_made() {
        assert_eq!(gate_says("sub", "a value with blanks", true), None);
        assert_eq!(gate_says("token", "eyJ.whole.token", true), None);
    }
}
