//! The token that a player of ours shows: short-lived, made with the runbook's key, or in a
//! rehearsal with the embedded cloud's throwaway key. Where none is at hand the edge refuses, and
//! the checks say "could not ask".

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::SignedDuration;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

use crate::edge::Home;
use crate::preflight::{Facts, Gap};
use crate::runbook::model::TokenSource;
use crate::runbook::{Gate, GeoMode, KeySource, TokenFormat, Tokens};
use crate::sandbox::viewer;
use crate::token::{ClaimValue, Format, Key, KeySet, MintRequest, keys_key, mint};

/// How our player calls itself.
pub(super) const USER_AGENT: &str = "onair-preflight";
/// How long the token lives.
const LIFETIME: SignedDuration = SignedDuration::from_mins(5);
/// Bytes of a file with a key at most.
const KEY_LIMIT: u64 = 64 * 1024;

/// Who asks, and what lets them in. It has no `Debug`: the token is a secret while it lives.
#[derive(Default)]
pub(super) struct Pass {
    token: Option<(TokenSource, SecretString)>,
    /// Where a rehearsal's player is; at a real edge the address tells.
    place: Option<Home>,
}

impl Pass {
    /// The same player without a token.
    pub(super) fn without_token(facts: &Facts<'_>) -> Self {
        Self {
            token: None,
            place: at_home(facts),
        }
    }

    /// Whether it shows a token.
    pub(super) fn has_token(&self) -> bool {
        self.token.is_some()
    }

    /// The address with the token, where the query is its place.
    pub(super) fn on(&self, url: &str) -> String {
        match &self.token {
            Some((TokenSource::Query(name), token)) => {
                let mark = if url.contains('?') { '&' } else { '?' };
                format!("{url}{mark}{name}={}", token.expose_secret())
            }
            _ => url.to_owned(),
        }
    }

    /// The headers with the token, where that is its place, and with the country.
    pub(super) fn headers(&self) -> Vec<(String, String)> {
        let mut headers = Vec::new();
        if let Some((place, token)) = &self.token {
            let token = token.expose_secret();
            match place {
                TokenSource::Cookie(name) => {
                    headers.push(("cookie".to_owned(), format!("{name}={token}")));
                }
                TokenSource::Header(name) => headers.push((name.clone(), token.to_owned())),
                TokenSource::Path | TokenSource::Query(_) => {}
            }
        }
        if let Some(place) = &self.place {
            let mut is_in = |name: &str, value: &str| {
                headers.push((name.to_owned(), value.to_owned()));
            };
            is_in(viewer::COUNTRY, place.country.code());
            if let Some(region) = &place.region {
                is_in(viewer::REGION, region);
            }
            if let Some(metro) = &place.metro {
                is_in(viewer::METRO, metro);
            }
        }
        headers
    }
}

/// A place with rights, for a player of a rehearsal.
fn at_home(facts: &Facts<'_>) -> Option<Home> {
    facts.session.sandbox.as_ref()?;
    Home::of(facts.runbook.geo.as_ref()?)
}

/// The player of ours, with a token where the event has some and a key is at hand.
pub(super) async fn pass(facts: &Facts<'_>) -> Result<Pass, Gap> {
    Ok(Pass {
        token: token(facts).await?,
        ..Pass::without_token(facts)
    })
}

/// A token and where the edge looks for it.
async fn token(facts: &Facts<'_>) -> Result<Option<(TokenSource, SecretString)>, Gap> {
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
    let Some((key_id, key)) = key(facts, tokens).await? else {
        return Ok(None);
    };
    let mut claims = vec![(
        "sub".to_owned(),
        ClaimValue::Text("onair-preflight".to_owned()),
    )];
    if format == Format::Jwt {
        claims.extend(bound(facts, &tokens.gate));
    }
    let request = MintRequest {
        format,
        claims,
        lifetime: LIFETIME,
        key_id,
    };
    let token = mint(&request, &key, facts.now).map_err(|error| unusable(&error))?;
    Ok(Some((place.clone(), token)))
}

/// Values for the claims that the edge insists on, as wide as they may be: what the token opens is
/// tried elsewhere.
fn bound(facts: &Facts<'_>, gate: &Gate) -> Vec<(String, ClaimValue)> {
    let text = |text: &str| ClaimValue::Text(text.to_owned());
    let list = |texts: Vec<&str>| ClaimValue::List(texts.into_iter().map(text).collect());
    let mut countries: Vec<&str> = Vec::new();
    if let Some(geo) = &facts.runbook.geo {
        let allowed = geo.countries.iter().filter(|_| geo.mode == GeoMode::Allow);
        let known = allowed.chain(&geo.never_block);
        countries.extend(known.map(|country| country.code()));
    }
    let forecast = facts.runbook.forecast.iter();
    let expected = forecast.flat_map(|forecast| &forecast.countries);
    countries.extend(expected.map(|(country, _)| country.code()));
    countries.sort_unstable();
    countries.dedup();
    let agent = URL_SAFE_NO_PAD.encode(Sha256::digest(USER_AGENT));
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

/// The signing key's id, where it has one, and the key.
async fn key(facts: &Facts<'_>, tokens: &Tokens) -> Result<Option<(Option<String>, Key)>, Gap> {
    if facts.session.sandbox.is_some() {
        return throwaway(facts).await;
    }
    let environment = &facts.session.context.environment;
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
    let key = Key::from_text(&text).map_err(|error| unusable(&error))?;
    Ok(Some((None, key)))
}

/// The key that a rehearsal's edges check tokens with, out of its key value store. Without one nobody
/// is let in: of that another check speaks.
async fn throwaway(facts: &Facts<'_>) -> Result<Option<(Option<String>, Key)>, Gap> {
    let none = || Gap::Absent("no signing key is current, so no player is let in".to_owned());
    let name = keys_key(facts.runbook.event.id.as_str());
    let read = facts.store_secret(&name).await?;
    let Some(text) = &*read else {
        return Err(none());
    };
    let keys = KeySet::parse(text).map_err(|error| unusable(&error))?;
    let (id, key) = keys.current().ok_or_else(none)?;
    let key = key.key().map_err(|error| unusable(&error))?;
    Ok(Some((Some(id.to_owned()), key)))
}

fn unusable(error: &dyn std::fmt::Display) -> Gap {
    Gap::Unknown(format!(
        "no token can be made with the key at hand: {error}"
    ))
}
