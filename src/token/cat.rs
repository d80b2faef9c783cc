//! The vocabulary of Common Access Tokens: claim numbers, and names for the numbers inside claims.
//!
//! Numbers 1 to 8 are RFC 8392 and RFC 8747, 282 and 308 to 323 CTA-5007 (labels agree in five
//! independent implementations). Unknown numbers keep their decimal form.

use coset::cbor::value::Value;

use super::claims::{Claim, ClaimValue, Claims};
use super::error::{Part, TokenError};

const CLAIMS: [(i64, &str); 25] = [
    (1, "iss"),
    (2, "sub"),
    (3, "aud"),
    (4, "exp"),
    (5, "nbf"),
    (6, "iat"),
    (CTI, "cti"),
    (8, "cnf"),
    (282, "geohash"),
    (308, "catreplay"),
    (309, "catpor"),
    (310, "catv"),
    (311, "catnip"),
    (CATU, "catu"),
    (313, "catm"),
    (314, "catalpn"),
    (315, "cath"),
    (316, "catgeoiso3166"),
    (317, "catgeocoord"),
    (318, "catgeoalt"),
    (319, "cattpk"),
    (320, "catifdata"),
    (321, "catdpop"),
    (322, "catif"),
    (CATR, "catr"),
];
/// The token id, a byte string.
pub(super) const CTI: i64 = 7;
const CATNIP: i64 = 311;
const CATU: i64 = 312;
const CATH: i64 = 315;
const CATIF: i64 = 322;
const CATR: i64 = 323;

const CATU_PARTS: [(i64, &str); 9] = [
    (0, "scheme"),
    (1, "host"),
    (2, "port"),
    (3, "path"),
    (4, "query"),
    (5, "parent-path"),
    (6, "filename"),
    (7, "stem"),
    (8, "extension"),
];
const MATCHES: [(i64, &str); 7] = [
    (0, "exact"),
    (1, "prefix"),
    (2, "suffix"),
    (3, "contains"),
    (4, "regex"),
    (-1, "sha256"),
    (-2, "sha512-256"),
];
const RENEWAL: [(i64, &str); 8] = [
    (0, "type"),
    (1, "expadd"),
    (2, "deadline"),
    (3, "cookie-name"),
    (4, "header-name"),
    (5, "cookie-params"),
    (6, "header-params"),
    (7, "status-code"),
];

/// CBOR tags that only say how to store what they hold, or that RFC 8392 asks to leave out:
/// 259 (a map with any keys), 1 (epoch time), 61 (CWT).
const TRANSPARENT_TAGS: [u64; 3] = [259, 1, 61];
/// RFC 9164: an IPv4 address or prefix, and the IPv6 one.
const IPV4_TAG: u64 = 52;
const IPV6_TAG: u64 = 54;

/// The claims of a CWT payload.
pub(super) fn claims(payload: Value) -> Result<Claims, TokenError> {
    let Value::Map(entries) = untagged(payload) else {
        return Err(TokenError::NotAMap {
            part: Part::Payload,
        });
    };
    let mut claims = Vec::with_capacity(entries.len());
    for (key, value) in entries {
        let label = integer(&key);
        let value = match label {
            Some(label) => inside(label, value),
            None => plain(value),
        };
        claims.push(Claim {
            name: name_in(&CLAIMS, key),
            label,
            value,
        });
    }
    Claims::new(claims)
}

/// The number of a claim by its name or its decimal form.
pub(crate) fn label(name: &str) -> Option<i64> {
    CLAIMS
        .iter()
        .find(|claim| claim.1 == name)
        .map(|claim| claim.0)
        .or_else(|| name.parse().ok())
}

/// A claim's value as CBOR: the reverse of what reading makes of it, for minting.
pub(super) fn to_cbor(label: i64, value: &ClaimValue) -> Value {
    match (label, value) {
        (CATU, ClaimValue::Map(parts)) => Value::Map(
            parts
                .iter()
                .map(|(part, matches)| (numbered(&CATU_PARTS, part), keyed(&MATCHES, matches)))
                .collect(),
        ),
        (CATH, ClaimValue::Map(headers)) => Value::Map(
            headers
                .iter()
                .map(|(name, matches)| (Value::from(name.as_str()), keyed(&MATCHES, matches)))
                .collect(),
        ),
        (CATR, settings) => keyed(&RENEWAL, settings),
        (CATIF, actions) => keyed(&CLAIMS, actions),
        _ => keyed(&[], value),
    }
}

fn keyed(names: &[(i64, &str)], value: &ClaimValue) -> Value {
    match value {
        ClaimValue::Null => Value::Null,
        ClaimValue::Bool(value) => Value::Bool(*value),
        ClaimValue::Integer(value) => coset::cbor::value::Integer::try_from(*value)
            .map_or_else(|_| Value::from(value.to_string()), Value::Integer),
        ClaimValue::Float(value) => Value::Float(*value),
        ClaimValue::Text(value) => Value::from(value.as_str()),
        ClaimValue::Bytes(value) => Value::Bytes(value.clone()),
        ClaimValue::List(values) => {
            Value::Array(values.iter().map(|value| keyed(&[], value)).collect())
        }
        ClaimValue::Map(entries) => Value::Map(
            entries
                .iter()
                .map(|(key, value)| (numbered(names, key), keyed(&[], value)))
                .collect(),
        ),
    }
}

fn numbered(names: &[(i64, &str)], key: &str) -> Value {
    names
        .iter()
        .find(|name| name.1 == key)
        .map(|name| name.0)
        .or_else(|| key.parse().ok())
        .map_or_else(|| Value::from(key), Value::from)
}

fn inside(label: i64, value: Value) -> ClaimValue {
    match label {
        CATU => map_of(value, &CATU_PARTS, |matches| {
            map_of(matches, &MATCHES, plain)
        }),
        CATH => map_of(value, &[], |matches| map_of(matches, &MATCHES, plain)),
        CATR => map_of(value, &RENEWAL, plain),
        CATIF => map_of(value, &CLAIMS, plain),
        CATNIP => match untagged(value) {
            Value::Array(networks) => ClaimValue::List(networks.into_iter().map(network).collect()),
            other => network(other),
        },
        _ => plain(value),
    }
}

/// An entry of `catnip`: a prefix of RFC 9164, or a number, which is an autonomous system.
fn network(value: Value) -> ClaimValue {
    let text = match &value {
        Value::Integer(number) => Some(format!("AS{}", i128::from(*number))),
        Value::Tag(IPV4_TAG, inner) => address::<4>(inner),
        Value::Tag(IPV6_TAG, inner) => address::<16>(inner),
        _ => None,
    };
    text.map_or_else(|| plain(value), ClaimValue::Text)
}

/// RFC 9164, section 3: the bytes of an address, or `[length, bytes]` with trailing zeros left out.
fn address<const BYTES: usize>(value: &Value) -> Option<String> {
    let (length, given) = match value {
        Value::Bytes(bytes) => (None, bytes),
        Value::Array(pair) => match &pair[..] {
            [Value::Integer(length), Value::Bytes(bytes)] => {
                (Some(u8::try_from(i128::from(*length)).ok()?), bytes)
            }
            _ => return None,
        },
        _ => return None,
    };
    if given.len() > BYTES || (length.is_none() && given.len() != BYTES) {
        return None;
    }
    let mut whole = [0; 16];
    whole[..given.len()].copy_from_slice(given);
    let address: std::net::IpAddr = if BYTES == 4 {
        <[u8; 4]>::try_from(&whole[..4]).ok()?.into()
    } else {
        whole.into()
    };
    Some(length.map_or_else(
        || address.to_string(),
        |length| format!("{address}/{length}"),
    ))
}

fn map_of(
    value: Value,
    names: &[(i64, &str)],
    convert: impl Fn(Value) -> ClaimValue,
) -> ClaimValue {
    match untagged(value) {
        Value::Map(entries) => ClaimValue::Map(
            entries
                .into_iter()
                .map(|(key, value)| (name_in(names, key), convert(value)))
                .collect(),
        ),
        other => plain(other),
    }
}

pub(super) fn plain(value: Value) -> ClaimValue {
    match value {
        Value::Integer(number) => ClaimValue::Integer(number.into()),
        Value::Bytes(bytes) => ClaimValue::Bytes(bytes),
        Value::Float(number) => ClaimValue::Float(number),
        Value::Text(text) => ClaimValue::Text(text),
        Value::Bool(value) => ClaimValue::Bool(value),
        Value::Array(values) => ClaimValue::List(values.into_iter().map(plain).collect()),
        Value::Map(_) => map_of(value, &[], plain),
        Value::Tag(tag, inner) if TRANSPARENT_TAGS.contains(&tag) => plain(*inner),
        Value::Tag(tag, inner) => ClaimValue::Map(vec![(format!("tag {tag}"), plain(*inner))]),
        // `Null`, and the simple values that the parser may learn one day.
        _ => ClaimValue::Null,
    }
}

pub(super) fn untagged(mut value: Value) -> Value {
    while let Value::Tag(tag, inner) = value {
        if !TRANSPARENT_TAGS.contains(&tag) {
            return Value::Tag(tag, inner);
        }
        value = *inner;
    }
    value
}

pub(super) fn integer(value: &Value) -> Option<i64> {
    value.as_integer().and_then(|number| number.try_into().ok())
}

fn name_in(names: &[(i64, &str)], key: Value) -> String {
    if let Some(number) = integer(&key) {
        return names
            .iter()
            .find(|name| name.0 == number)
            .map_or_else(|| number.to_string(), |name| name.1.to_owned());
    }
    match key {
        Value::Text(text) => text,
        other => plain(other).readable(),
    }
}
