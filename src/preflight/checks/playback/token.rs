//! The token that a player of ours shows: short-lived, made with the runbook's key, or in a
//! rehearsal with the embedded cloud's throwaway key. Where none is at hand the edge refuses, and
//! the checks say "could not ask".

use jiff::SignedDuration;
use secrecy::{ExposeSecret as _, SecretString};

use crate::preflight::{Facts, Gap};
use crate::runbook::model::TokenSource;
use crate::runbook::{KeySource, TokenFormat, Tokens};
use crate::token::{ClaimValue, Format, Key, MintRequest, keys_key, mint};

/// How long the token lives.
const LIFETIME: SignedDuration = SignedDuration::from_mins(5);
/// Bytes of a file with a key at most.
const KEY_LIMIT: u64 = 64 * 1024;

/// What lets a player in. It has no `Debug`: it is a secret while it lives.
pub(super) struct Pass {
    place: TokenSource,
    token: SecretString,
}

impl Pass {
    /// The address with the token, where the query is its place.
    pub(super) fn on(&self, url: &str) -> String {
        match &self.place {
            TokenSource::Query(name) => {
                let mark = if url.contains('?') { '&' } else { '?' };
                format!("{url}{mark}{name}={}", self.token.expose_secret())
            }
            _ => url.to_owned(),
        }
    }

    /// The header with the token, where that is its place.
    pub(super) fn header(&self) -> Option<(String, String)> {
        let token = self.token.expose_secret();
        match &self.place {
            TokenSource::Cookie(name) => Some(("cookie".to_owned(), format!("{name}={token}"))),
            TokenSource::Header(name) => Some((name.clone(), token.to_owned())),
            TokenSource::Path | TokenSource::Query(_) => None,
        }
    }
}

/// A pass; none when the event has no tokens, or no key is at hand.
pub(super) async fn pass(facts: &Facts<'_>) -> Result<Option<Pass>, Gap> {
    let Some(tokens) = &facts.runbook.tokens else {
        return Ok(None);
    };
    // A token in the path would have to be in every address of every playlist.
    let mut places = tokens.gate.sources.iter();
    let Some(place) = places.find(|place| **place != TokenSource::Path) else {
        return Ok(None);
    };
    let format = match tokens.format {
        TokenFormat::Jwt => Format::Jwt,
        TokenFormat::Cat => Format::Cat,
        TokenFormat::Opaque => return Ok(None),
    };
    let Some((key_id, text)) = key(facts, tokens).await? else {
        return Ok(None);
    };
    let unusable = |error: &dyn std::fmt::Display| {
        Gap::Unknown(format!(
            "no token can be made with the key at hand: {error}"
        ))
    };
    let key = Key::from_text(&text).map_err(|error| unusable(&error))?;
    let mut claims = vec![(
        "sub".to_owned(),
        ClaimValue::Text("onair-preflight".to_owned()),
    )];
    if let Some(claim) = tokens
        .gate
        .path_claim
        .as_ref()
        .filter(|_| format == Format::Jwt)
    {
        claims.push((claim.clone(), ClaimValue::Text("/".to_owned())));
    }
    let request = MintRequest {
        format,
        claims,
        lifetime: LIFETIME,
        key_id,
    };
    let token = mint(&request, &key, facts.now).map_err(|error| unusable(&error))?;
    Ok(Some(Pass {
        place: place.clone(),
        token,
    }))
}

/// The signing key's id, where it has one, and the key.
async fn key(
    facts: &Facts<'_>,
    tokens: &Tokens,
) -> Result<Option<(Option<String>, SecretString)>, Gap> {
    if facts.session.sandbox.is_some() {
        return throwaway(facts).await;
    }
    Ok(match &tokens.key {
        Some(KeySource::Env(name)) => facts
            .session
            .context
            .environment
            .get(name)
            .map(|text| (None, SecretString::from(text.to_owned()))),
        Some(KeySource::File(file)) => {
            let small = std::fs::metadata(file).is_ok_and(|found| found.len() <= KEY_LIMIT);
            let text = small.then(|| std::fs::read_to_string(file).ok()).flatten();
            text.map(|text| (None, SecretString::from(text)))
        }
        Some(KeySource::Secret(_)) | None => None,
    })
}

/// The key that a rehearsal's edges check tokens with, out of its key value store.
async fn throwaway(facts: &Facts<'_>) -> Result<Option<(Option<String>, SecretString)>, Gap> {
    let read = facts
        .store_secret(&keys_key(facts.runbook.event.id.as_str()))
        .await?;
    let Some(text) = &*read else {
        return Ok(None);
    };
    let keys: serde_json::Value = serde_json::from_str(text.expose_secret()).unwrap_or_default();
    let current = keys.as_object().into_iter().flatten();
    Ok(current
        .filter(|(_, key)| key["state"] == "current")
        .find_map(|(id, key)| {
            let secret = key["k"].as_str()?;
            let jwk = serde_json::json!({ "kty": "oct", "k": secret, "alg": "HS256" });
            Some((Some(id.clone()), SecretString::from(jwk.to_string())))
        }))
}
