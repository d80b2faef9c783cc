//! Parts and encodings of URLs. <https://trino.io/docs/current/functions/url.html>

use std::borrow::Cow;

use datafusion::arrow::array::ArrayRef;
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::ScalarUDF;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::scalar::Takes::Text;
use super::scalar::{Call, Scalar, bigint, text};

/// The functions of this file.
pub(super) fn functions() -> Vec<ScalarUDF> {
    const ONE: &[&[super::scalar::Takes]] = &[&[Text]];
    vec![
        Scalar::new("url_decode", ONE, text, decode),
        Scalar::new("url_encode", ONE, text, encode),
        Scalar::new("url_extract_protocol", ONE, text, |call| {
            part(call, |url| Cow::Borrowed(url.scheme))
        }),
        Scalar::new("url_extract_host", ONE, text, |call| {
            part(call, |url| Cow::Borrowed(url.host))
        }),
        Scalar::new("url_extract_path", ONE, text, |call| {
            part(call, |url| lenient(url.path))
        }),
        Scalar::new("url_extract_query", ONE, text, |call| {
            part(call, |url| lenient(url.query.unwrap_or_default()))
        }),
        Scalar::new("url_extract_fragment", ONE, text, |call| {
            part(call, |url| lenient(url.fragment))
        }),
        Scalar::new("url_extract_port", ONE, bigint, port),
        Scalar::new("url_extract_parameter", &[&[Text, Text]], text, parameter),
    ]
    .into_iter()
    .map(Scalar::into_function)
    .collect()
}

/// Decodes as an HTML form is: `+` is a space, a `%` without two hexadecimal digits is an error, and
/// bytes that are no UTF-8 become U+FFFD.
fn decoded(text: &str) -> Result<Cow<'_, str>> {
    let bytes = text.as_bytes();
    let Some(first) = bytes.iter().position(|byte| matches!(byte, b'+' | b'%')) else {
        return Ok(Cow::Borrowed(text));
    };
    let mut out = Vec::with_capacity(bytes.len());
    out.extend_from_slice(&bytes[..first]);
    let mut rest = &bytes[first..];
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'+' => out.push(b' '),
            b'%' => {
                let digits = after
                    .get(..2)
                    .and_then(|two| Some((hexadecimal(two[0])? << 4) | hexadecimal(two[1])?));
                let Some(value) = digits else {
                    return exec_err!(
                        "url_decode: a % without two hexadecimal digits; try(url_decode(…)) gives NULL"
                    );
                };
                out.push(value);
                rest = &after[2..];
            }
            other => out.push(*other),
        }
    }
    Ok(Cow::Owned(match String::from_utf8(out) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    }))
}

fn hexadecimal(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

fn decode(call: &Call<'_>) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    let encoded = |text: Option<&str>| {
        text.is_some_and(|text| text.bytes().any(|byte| matches!(byte, b'+' | b'%')))
    };
    if !texts.constant && !texts.array.iter().any(encoded) {
        return Ok(std::sync::Arc::new(texts.array));
    }
    call.each_text(|row| texts.get(row).map(decoded).transpose())
}

/// What a form leaves as it is, apart from letters, digits and the space.
const FORM: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'*')
    .remove(b' ');

fn encode(call: &Call<'_>) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    call.each_text(|row| {
        Ok(texts.get(row).map(|text| {
            let encoded: Cow<'_, str> = utf8_percent_encode(text, FORM).into();
            if encoded.contains(' ') {
                Cow::Owned(encoded.replace(' ', "+"))
            } else {
                encoded
            }
        }))
    })
}

/// The parts of a URL, as written. What is not there is empty, as Trino gives it.
#[derive(Debug, Default, PartialEq)]
struct Url<'a> {
    scheme: &'a str,
    host: &'a str,
    port: Option<i64>,
    path: &'a str,
    query: Option<&'a str>,
    fragment: &'a str,
}

/// Splits a URL by RFC 3986, appendix B; none where it is no URL: a character that must be encoded,
/// a bad `%`. Trino has NULL then.
fn url(text: &str) -> Option<Url<'_>> {
    let bytes = text.as_bytes();
    let is_clean = bytes.iter().enumerate().all(|(place, byte)| match byte {
        b'%' => bytes
            .get(place + 1..place + 3)
            .is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit)),
        0..=0x20 | 0x7f | b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' => false,
        _ => true,
    });
    if !is_clean || text.is_empty() {
        return None;
    }
    let (rest, fragment) = text.split_once('#').unwrap_or((text, ""));
    if fragment.contains('#') {
        return None;
    }
    let (rest, query) = match rest.split_once('?') {
        Some((rest, query)) => (rest, Some(query)),
        None => (rest, None),
    };
    let (scheme, rest) = match rest.find([':', '/']) {
        Some(place) if rest.as_bytes()[place] == b':' => {
            let scheme = &rest[..place];
            let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                && scheme
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
            if !is_scheme {
                return None;
            }
            (scheme, &rest[place + 1..])
        }
        _ => ("", rest),
    };
    let (authority, path) = match rest.strip_prefix("//") {
        Some(rest) => rest.split_at(rest.find('/').unwrap_or(rest.len())),
        None => ("", rest),
    };
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    // The address of IPv6 has colons of its own, in brackets.
    let colon = host
        .rfind(':')
        .filter(|place| host.rfind(']').is_none_or(|bracket| bracket < *place));
    let (host, port) = match colon {
        Some(place) => (&host[..place], host[place + 1..].parse().ok()),
        None => (host, None),
    };
    Some(Url {
        scheme,
        host,
        port,
        path,
        query,
        fragment,
    })
}

/// A part with its escapes decoded; a `+` stays one.
fn lenient(part: &str) -> Cow<'_, str> {
    percent_encoding::percent_decode_str(part).decode_utf8_lossy()
}

fn part(call: &Call<'_>, take: fn(Url<'_>) -> Cow<'_, str>) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    call.each_text(|row| Ok(texts.get(row).and_then(url).map(take)))
}

fn port(call: &Call<'_>) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    call.each_integer(|row| Ok(texts.get(row).and_then(url).and_then(|url| url.port)))
}

fn parameter(call: &Call<'_>) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    let names = call.texts(1)?;
    call.each_text(|row| {
        let (Some(url), Some(name)) = (texts.get(row).and_then(url), names.get(row)) else {
            return Ok(None);
        };
        let Some(query) = url.query else {
            return Ok(None);
        };
        for pair in query.split('&') {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            if key == name {
                return decoded(value).map(Some);
            }
        }
        Ok(None)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_is_copied_where_nothing_is_encoded() {
        assert!(matches!(decoded("sid=abc").unwrap(), Cow::Borrowed(_)));
    }

    proptest! {
        #[test]
        fn what_is_encoded_decodes_to_itself(text in "\\PC*") {
            let encoded = utf8_percent_encode(&text, FORM).to_string().replace(' ', "+");
            prop_assert_eq!(decoded(&encoded).unwrap(), text);
        }

        #[test]
        fn no_text_breaks_the_reader(text in "(http://)?[a-z:/?#@%\\[\\]&=é \\.0-9]*") {
            url(&text);
        }
    }
}
