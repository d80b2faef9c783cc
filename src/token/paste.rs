//! The token inside what people paste: a URL from a player, a header from a log, a quoted string.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use secrecy::SecretString;

use super::error::TokenError;
use super::parse::is_structured;

/// Where in the pasted text the token was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The text is the token.
    Alone,
    Header,
    Cookie,
    Query,
    Path,
}

pub(super) struct Picked<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) place: Place,
}

/// The name that CTA-5007 gives to header, cookie and query argument.
const CAT_NAME: &str = "cta-common-access-token";
/// Query arguments whose value is taken as a token even when nothing can be read from it.
const QUERY_NAMES: [&str; 6] = [
    CAT_NAME,
    "token",
    "access_token",
    "jwt",
    "cat",
    "auth_token",
];

/// Finds the one token in `pasted`. Nothing is guessed: several candidates are an error.
pub(super) fn pick(pasted: &str) -> Result<Picked<'_>, TokenError> {
    let text = pasted
        .trim()
        .trim_matches(|c| matches!(c, '"' | '\'' | '`' | '“' | '”' | '<' | '>'))
        .trim();
    if let Some((name, value)) = text.split_once(':')
        && let Some(picked) = header(name.trim(), value.trim())
    {
        return picked;
    }
    if let Some(token) = after_word(text, "bearer") {
        return Ok(found(token, Place::Header));
    }
    if text.contains("://") || text.starts_with('/') {
        return url(text);
    }
    // A cookie or a query argument without what was around it.
    if let Some((name, _)) = text.split_once('=')
        && (is_token_name(name) || text.contains(';'))
    {
        return cookies(text);
    }
    Ok(found(text, Place::Alone))
}

/// The token in `pasted` as it is written, for who puts it into a request; none where there is not one.
pub(crate) fn whole(pasted: &str) -> Option<SecretString> {
    let picked = pick(pasted).ok()?;
    Some(picked.text.into_owned().into())
}

fn header<'a>(name: &str, value: &'a str) -> Option<Result<Picked<'a>, TokenError>> {
    if name.eq_ignore_ascii_case("authorization") {
        Some(Ok(found(
            after_word(value, "bearer").unwrap_or(value),
            Place::Header,
        )))
    } else if name.eq_ignore_ascii_case(CAT_NAME) {
        Some(Ok(found(value, Place::Header)))
    } else if name.eq_ignore_ascii_case("cookie") || name.eq_ignore_ascii_case("set-cookie") {
        Some(cookies(value))
    } else {
        None
    }
}

fn cookies(text: &str) -> Result<Picked<'_>, TokenError> {
    let pairs = text
        .split(';')
        .filter_map(|pair| pair.trim().split_once('='));
    one_of(pairs, Place::Cookie, "cookies")
}

fn url(text: &str) -> Result<Picked<'_>, TokenError> {
    let without_fragment = text.split('#').next().unwrap_or(text);
    let (address, query) = without_fragment
        .split_once('?')
        .unwrap_or((without_fragment, ""));
    let path = match address.split_once("://") {
        Some((_, rest)) => rest.split_once('/').map_or("", |(_, path)| path),
        None => address,
    };
    let in_query = one_of(
        query.split('&').filter_map(|pair| pair.split_once('=')),
        Place::Query,
        "URL",
    );
    if !matches!(in_query, Err(TokenError::NothingIn { .. })) {
        return in_query;
    }
    let segments: Vec<_> = path
        .split('/')
        .map(decoded)
        .filter(|segment| is_structured(segment))
        .collect();
    only(segments, Place::Path, "URL")
}

fn one_of<'a>(
    pairs: impl Iterator<Item = (&'a str, &'a str)>,
    place: Place,
    whose: &'static str,
) -> Result<Picked<'a>, TokenError> {
    let mut named = Vec::new();
    let mut structured = Vec::new();
    for (name, value) in pairs {
        let value = decoded(value.trim_matches('"'));
        if is_token_name(name) && !value.is_empty() {
            named.push(value);
        } else if is_structured(&value) {
            structured.push(value);
        }
    }
    let candidates = if named.is_empty() { structured } else { named };
    only(candidates, place, whose)
}

fn only<'a>(
    mut candidates: Vec<Cow<'a, str>>,
    place: Place,
    whose: &'static str,
) -> Result<Picked<'a>, TokenError> {
    candidates.sort();
    candidates.dedup();
    match candidates.len() {
        0 => Err(TokenError::NothingIn { place: whose }),
        1 => Ok(Picked {
            text: candidates.remove(0),
            place,
        }),
        count => Err(TokenError::Several {
            count,
            place: whose,
        }),
    }
}

fn is_token_name(name: &str) -> bool {
    QUERY_NAMES
        .iter()
        .any(|known| name.trim().eq_ignore_ascii_case(known))
}

/// Percent-decoded where that gives text. A plus sign stays: standard base64 has it.
fn decoded(text: &str) -> Cow<'_, str> {
    percent_decode_str(text)
        .decode_utf8()
        .unwrap_or(Cow::Borrowed(text))
}

fn after_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let (first, rest) = text.split_once(char::is_whitespace)?;
    first.eq_ignore_ascii_case(word).then(|| rest.trim())
}

fn found(text: &str, place: Place) -> Picked<'_> {
    Picked {
        text: Cow::Borrowed(text),
        place,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JWT: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln";

    fn picked(pasted: &str) -> (String, Place) {
        let picked = pick(pasted).map_err(|error| error.to_string()).unwrap();
        (picked.text.into_owned(), picked.place)
    }

    #[test]
    fn finds_the_token_in_what_people_paste() {
        for (pasted, place) in [
            (format!("  \"{JWT}\"\n"), Place::Alone),
            (format!("Authorization: Bearer {JWT}"), Place::Header),
            (format!("bearer {JWT}"), Place::Header),
            (format!("Cookie: a=b; session={JWT}; c=d"), Place::Cookie),
            (format!("CTA-Common-Access-Token={JWT}"), Place::Cookie),
            (format!("cta-common-access-token: {JWT}"), Place::Header),
            (
                format!("https://live.example/a.m3u8?x=1&jwt={JWT}#t"),
                Place::Query,
            ),
            (
                format!("https://live.example/{JWT}/hls/a.m3u8"),
                Place::Path,
            ),
            (format!("/a9Xk_2/hls/seg.ts?anything={JWT}"), Place::Query),
        ] {
            assert_eq!(picked(&pasted), (JWT.to_owned(), place), "{place:?}");
        }
    }

    #[test]
    fn takes_an_opaque_token_from_a_named_query_argument_only() {
        let (text, _) = picked("https://live.example/a.m3u8?v=1&token=k3%2Fj2h4g5");
        assert_eq!(text, "k3/j2h4g5");
        assert_eq!(
            pick("https://live.example/a.m3u8?v=1").err(),
            Some(TokenError::NothingIn { place: "URL" })
        );
    }

    #[test]
    fn does_not_choose_between_two_tokens() {
        let pasted = format!("https://live.example/?a={JWT}&b={JWT}x");
        assert_eq!(
            pick(&pasted).err(),
            Some(TokenError::Several {
                count: 2,
                place: "URL"
            })
        );
    }
}
