//! The token that a player of ours shows: short-lived, made with the runbook's key, or in a
//! rehearsal with the embedded cloud's throwaway key. Where none is at hand the edge refuses, and
//! the checks say "could not ask".

use secrecy::{ExposeSecret as _, SecretString};

use crate::canary::{self, Signer};
use crate::edge::Home;
use crate::preflight::{Facts, Gap};
use crate::runbook::TokenSource;
use crate::sandbox::viewer;
use crate::token::{ClaimValue, KeySet, keys_key};

/// How our player calls itself.
pub(super) const USER_AGENT: &str = "onair-preflight";
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
    let (Some(place), Some(format)) = (canary::place(tokens), canary::format(tokens)) else {
        return Ok(None);
    };
    let signer = if facts.session.sandbox.is_some() {
        Some(throwaway(facts).await?)
    } else {
        canary::named_key(facts.session, tokens).map_err(|error| unusable(&error))?
    };
    let Some(signer) = signer else {
        return Ok(None);
    };
    let name = ClaimValue::Text("onair-preflight".to_owned());
    let claims = vec![("sub".to_owned(), name)];
    let token = canary::token(
        facts.runbook,
        format,
        &signer,
        claims,
        USER_AGENT,
        facts.now,
    );
    let token = token.map_err(|error| unusable(&error))?;
    Ok(Some((place.clone(), token)))
}

/// The key that a rehearsal's edges check tokens with, out of its key value store. Without one nobody
/// is let in: of that another check speaks.
async fn throwaway(facts: &Facts<'_>) -> Result<Signer, Gap> {
    let none = || Gap::Absent("no signing key is current, so no player is let in".to_owned());
    let name = keys_key(facts.runbook.event.id.as_str());
    let read = facts.store_secret(&name).await?;
    let Some(text) = &*read else {
        return Err(none());
    };
    let keys = KeySet::parse(text).map_err(|error| unusable(&error))?;
    let signer = canary::throwaway(&keys).map_err(|error| unusable(&error))?;
    signer.ok_or_else(none)
}

fn unusable(error: &dyn std::fmt::Display) -> Gap {
    Gap::Unknown(format!(
        "no token can be made with the key at hand: {error}"
    ))
}
