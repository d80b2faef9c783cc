//! COSE around a CWT (RFC 9052): Mac0 and Sign1, tagged or bare, and what their MAC or signature covers.
//!
//! Also the dot-joined `header.payload.mac` that one CAT library writes instead: CBOR in each part,
//! and the MAC over the text of the first two.

use coset::cbor::value::Value;

use super::cat;
use super::claims::{ClaimValue, Claims, refuse_duplicates};
use super::encoding::{base64url, cbor, to_cbor};
use super::error::{Part, TokenError};
use super::format::Algorithm;

pub(super) const MAC0: u64 = 17;
const SIGN1: u64 = 18;
pub(super) const CWT: u64 = 61;
/// The dot-joined form's own number for HMAC with SHA-256; in COSE it means a key wrap.
const DOT_JOINED_HS256: i64 = -4;

/// A COSE token taken apart. Holds the signature, so it has no `Debug`.
pub(super) struct Cose {
    pub(super) header: Vec<(String, ClaimValue)>,
    pub(super) algorithm: Algorithm,
    pub(super) key_id: Option<Vec<u8>>,
    pub(super) claims: Claims,
    /// Claims were hex text instead of CBOR, as early versions of a library wrote them.
    pub(super) claims_as_hex: bool,
    pub(super) signed: Vec<u8>,
    pub(super) signature: Vec<u8>,
}

/// Whether bytes begin as a COSE token or one of its relatives does; says nothing about the rest.
pub(super) fn begins(bytes: &[u8]) -> bool {
    matches!(
        bytes,
        [0xd8, 0x3d, 0xd0..=0xd2, ..]
            | [0xd8, 0x3d, 0xd8, 0x60..=0x62, ..]
            | [0xd8, 0x60..=0x62, 0x83 | 0x84, ..]
            | [0xd0, 0x83, ..]
            | [0xd1 | 0xd2, 0x84, ..]
    )
}

/// Whether bytes are a whole COSE array without a tag.
pub(super) fn is_untagged(bytes: &[u8]) -> bool {
    matches!(bytes, [0x84, 0x40..=0x5b, ..])
        && matches!(
            cbor(Part::Whole, bytes),
            Ok(Value::Array(items)) if matches!(
                items[..],
                [Value::Bytes(_), Value::Map(_), Value::Bytes(_), Value::Bytes(_)]
            )
        )
}

impl Cose {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, TokenError> {
        let mut value = cbor(Part::Whole, bytes)?;
        let mut kind = None;
        while let Value::Tag(tag, inner) = value {
            match tag {
                CWT if kind.is_none() => {}
                MAC0 | SIGN1 if kind.is_none() => kind = Some(tag),
                16 | 96 => {
                    return Err(TokenError::Encrypted {
                        kind: "COSE_Encrypt",
                    });
                }
                97 => return Err(TokenError::OtherCose { kind: "COSE_Mac" }),
                98 => return Err(TokenError::OtherCose { kind: "COSE_Sign" }),
                _ => {
                    return Err(TokenError::OtherCose {
                        kind: "another tag",
                    });
                }
            }
            value = *inner;
        }
        let Value::Array(items) = value else {
            return Err(bad("it is not an array"));
        };
        let Ok([protected, unprotected, payload, signature]) = <[Value; 4]>::try_from(items) else {
            return Err(bad("it does not have four items"));
        };
        let (Value::Bytes(protected), Value::Map(unprotected), Value::Bytes(signature)) =
            (protected, unprotected, signature)
        else {
            return Err(bad("an item has the wrong type"));
        };
        let payload = match payload {
            Value::Bytes(_) => payload,
            // Early versions of a library wrote the claims as text: the hex form of the CBOR.
            Value::Text(ref text) if text.bytes().all(|byte| byte.is_ascii_hexdigit()) => payload,
            Value::Null => return Err(bad("its claims are kept elsewhere (detached)")),
            _ => return Err(bad("an item has the wrong type")),
        };
        let fields = Header::read(&protected, unprotected)?;
        let number = fields.algorithm.ok_or(TokenError::NoAlgorithm)?;
        let algorithm = Algorithm::from_cose(number).ok_or_else(|| unknown(number))?;
        let is_mac = kind.map_or(algorithm.is_symmetric(), |kind| kind == MAC0);
        if is_mac != algorithm.is_symmetric() {
            return Err(bad("its algorithm does not fit Mac0 or Sign1"));
        }
        if signature.is_empty() {
            return Err(TokenError::MissingPart {
                part: Part::Signature,
            });
        }
        check_length(algorithm, &signature)?;
        let (claims, claims_as_hex) = match &payload {
            Value::Bytes(bytes) => claims(bytes)?,
            other => claims(other.as_text().unwrap_or_default().as_bytes())?,
        };
        let context = if is_mac { "MAC0" } else { "Signature1" };
        Ok(Self {
            header: fields.shown,
            algorithm,
            key_id: fields.key_id,
            claims,
            claims_as_hex,
            signed: signed(context, &protected, payload),
            signature,
        })
    }

    /// The dot-joined form. Call when [`is_dot_joined`] said so.
    pub(super) fn read_dot_joined(token: &str) -> Result<Self, TokenError> {
        let parts: Vec<&str> = token.split('.').collect();
        let [header, payload, signature] = parts[..] else {
            return Err(TokenError::MissingPart {
                part: if parts.len() < 2 {
                    Part::Payload
                } else {
                    Part::Signature
                },
            });
        };
        let fields = Header::read(&base64url(Part::Header, header)?, Vec::new())?;
        let algorithm = match fields.algorithm.ok_or(TokenError::NoAlgorithm)? {
            DOT_JOINED_HS256 => Algorithm::Hs256,
            number => Algorithm::from_cose(number).ok_or_else(|| unknown(number))?,
        };
        let (claims, claims_as_hex) = claims(&base64url(Part::Payload, payload)?)?;
        if signature.is_empty() {
            return Err(TokenError::MissingPart {
                part: Part::Signature,
            });
        }
        let signature_bytes = base64url(Part::Signature, signature)?;
        check_length(algorithm, &signature_bytes)?;
        Ok(Self {
            header: fields.shown,
            algorithm,
            key_id: fields.key_id,
            claims,
            claims_as_hex,
            signed: format!("{header}.{payload}").into_bytes(),
            signature: signature_bytes,
        })
    }
}

/// Whether a text is dot-joined and its first part a CBOR map that names an algorithm.
pub(super) fn is_dot_joined(token: &str) -> bool {
    token.split_once('.').is_some_and(|(header, _)| {
        base64url(Part::Header, header)
            .and_then(|bytes| Header::read(&bytes, Vec::new()))
            .is_ok_and(|fields| fields.algorithm.is_some())
    })
}

/// What a MAC or signature covers (RFC 9052, sections 4.4 and 6.3), without external data.
pub(super) fn signed(context: &str, protected: &[u8], payload: Value) -> Vec<u8> {
    to_cbor(&Value::Array(vec![
        Value::from(context),
        Value::Bytes(protected.to_vec()),
        Value::Bytes(Vec::new()),
        payload,
    ]))
}

struct Header {
    algorithm: Option<i64>,
    key_id: Option<Vec<u8>>,
    shown: Vec<(String, ClaimValue)>,
}

impl Header {
    fn read(protected: &[u8], unprotected: Vec<(Value, Value)>) -> Result<Self, TokenError> {
        let entries = if protected.is_empty() {
            Vec::new()
        } else {
            match cat::untagged(cbor(Part::Header, protected)?) {
                Value::Map(entries) => entries,
                _ => return Err(TokenError::NotAMap { part: Part::Header }),
            }
        };
        // Only the protected bucket is covered by the MAC: an algorithm outside it is not believed.
        let algorithm = find(&entries, 1).and_then(cat::integer);
        let all: Vec<_> = entries.into_iter().chain(unprotected).collect();
        let key_id = match find(&all, 4) {
            Some(Value::Bytes(bytes)) => Some(bytes.clone()),
            _ => None,
        };
        let shown: Vec<_> = all
            .into_iter()
            .map(|(key, value)| (header_name(&key), shown(&key, value)))
            .collect();
        refuse_duplicates(Part::Header, shown.iter().map(|field| field.0.as_str()))?;
        Ok(Self {
            algorithm,
            key_id,
            shown,
        })
    }
}

/// One library writes labels as text (`"4"`); readers of its tokens must cope.
fn find(entries: &[(Value, Value)], label: i64) -> Option<&Value> {
    entries
        .iter()
        .find(|(key, _)| {
            cat::integer(key) == Some(label) || key.as_text() == Some(&label.to_string())
        })
        .map(|entry| &entry.1)
}

fn header_name(key: &Value) -> String {
    let number = cat::integer(key).or_else(|| key.as_text().and_then(|text| text.parse().ok()));
    match (number, key) {
        (Some(1), _) => "alg".to_owned(),
        (Some(2), _) => "crit".to_owned(),
        (Some(3), _) => "content-type".to_owned(),
        (Some(4), _) => "kid".to_owned(),
        (Some(16), _) => "typ".to_owned(),
        (_, Value::Text(text)) => text.clone(),
        (_, other) => cat::plain(other.clone()).readable(),
    }
}

fn shown(key: &Value, value: Value) -> ClaimValue {
    let value = cat::plain(value);
    match (header_name(key).as_str(), &value) {
        ("kid", ClaimValue::Bytes(bytes)) => ClaimValue::Text(super::key_id_text(bytes)),
        ("alg", ClaimValue::Integer(number)) => i64::try_from(*number)
            .ok()
            .and_then(Algorithm::from_cose)
            .map_or(value, |algorithm| ClaimValue::from(algorithm.name())),
        _ => value,
    }
}

fn claims(payload: &[u8]) -> Result<(Claims, bool), TokenError> {
    if payload.len() > 2
        && payload.iter().all(u8::is_ascii_hexdigit)
        && let Ok(bytes) = hex::decode(payload)
    {
        return Ok((cat::claims(cbor(Part::Payload, &bytes)?)?, true));
    }
    match cbor(Part::Payload, payload)? {
        Value::Tag(16..=18 | 96..=98, _) => Err(TokenError::OtherCose {
            kind: "nested in another one",
        }),
        value => Ok((cat::claims(value)?, false)),
    }
}

fn check_length(algorithm: Algorithm, signature: &[u8]) -> Result<(), TokenError> {
    match algorithm.signature_length() {
        Some(expected) if expected != signature.len() => Err(TokenError::SignatureLength {
            algorithm: algorithm.name(),
            expected,
            found: signature.len(),
        }),
        _ => Ok(()),
    }
}

fn bad(reason: &'static str) -> TokenError {
    TokenError::BadCose { reason }
}

fn unknown(number: i64) -> TokenError {
    TokenError::UnknownAlgorithm {
        name: number.to_string(),
    }
}
