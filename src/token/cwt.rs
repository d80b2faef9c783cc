//! `cf.cwt.validateToken` of the edge's runtime: `COSE_Mac0` with HS256 and nothing else, the claims with
//! all labels as text, and no claim checked (CloudFront Developer Guide, "CWT support").
//!
//! Where the guide is silent this is the harsher reading: HS256/64 is refused, so are bytes after the
//! end and labels that stand twice. Tags inside the claims are dropped.

use coset::cbor::value::Value;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::json;
use sha2::Sha256;

use super::encoding::cbor;
use super::error::Part;
use super::{Algorithm, cat, cose};

/// Most bytes of a token (CloudFront Developer Guide, "CWT support").
const MOST_BYTES: usize = 1024;

/// Why the runtime would not take a token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CwtError {
    #[error("the token is larger than 1 KB")]
    TooLarge,
    #[error("the token is not a tagged COSE_Mac0 structure")]
    Structure,
    #[error("the token's algorithm is not HS256")]
    Algorithm,
    #[error("the token's MAC does not fit")]
    Mac,
}

/// Checks the MAC; returns the headers and claims as JSON in which bytes are `{"$bytes": hex}`.
pub(crate) fn validate_cwt(bytes: &[u8], key: &[u8]) -> Result<serde_json::Value, CwtError> {
    if bytes.len() > MOST_BYTES {
        return Err(CwtError::TooLarge);
    }
    let mut value = cbor(Part::Whole, bytes).map_err(|_| CwtError::Structure)?;
    if let Value::Tag(cose::CWT, inner) = value {
        value = *inner;
    }
    let Value::Tag(cose::MAC0, inner) = value else {
        return Err(CwtError::Structure);
    };
    let Value::Array(items) = *inner else {
        return Err(CwtError::Structure);
    };
    let Ok(
        [
            Value::Bytes(protected),
            Value::Map(unprotected),
            payload @ Value::Bytes(_),
            Value::Bytes(mac),
        ],
    ) = <[Value; 4]>::try_from(items)
    else {
        return Err(CwtError::Structure);
    };
    let Ok(Value::Map(header)) = cbor(Part::Header, &protected).map(cat::untagged) else {
        return Err(CwtError::Structure);
    };
    let algorithm = header
        .iter()
        .find(|(label, _)| cat::integer(label) == Some(1))
        .and_then(|(_, algorithm)| cat::integer(algorithm));
    if algorithm != Some(Algorithm::Hs256.cose_number()) {
        return Err(CwtError::Algorithm);
    }
    let mut expected = <Hmac<Sha256>>::new_from_slice(key).expect("HMAC takes any key length");
    expected.update(&cose::signed("MAC0", &protected, payload.clone()));
    expected.verify_slice(&mac).map_err(|_| CwtError::Mac)?;
    let claims = payload
        .as_bytes()
        .and_then(|bytes| cbor(Part::Payload, bytes).ok())
        .map(cat::untagged);
    let Some(Value::Map(claims)) = claims else {
        return Err(CwtError::Structure);
    };
    // RFC 9052, 3.1: a key id is bytes.
    let is_key_id = |label: &Value| cat::integer(label) == Some(4) || label.as_text() == Some("4");
    let entries = header.iter().chain(&unprotected);
    if entries
        .filter(|(label, _)| is_key_id(label))
        .any(|(_, id)| !id.is_bytes())
    {
        return Err(CwtError::Structure);
    }
    Ok(json!({
        "protectedHeaders": map(header)?,
        "unprotectedHeaders": map(unprotected)?,
        "payload": map(claims)?,
    }))
}

fn map(entries: Vec<(Value, Value)>) -> Result<serde_json::Value, CwtError> {
    let mut members = serde_json::Map::new();
    for (label, value) in entries {
        let label = match label {
            Value::Text(text) => text,
            Value::Integer(number) => i128::from(number).to_string(),
            _ => return Err(CwtError::Structure),
        };
        if members.insert(label, json_of(value)?).is_some() {
            return Err(CwtError::Structure);
        }
    }
    Ok(members.into())
}

fn json_of(value: Value) -> Result<serde_json::Value, CwtError> {
    Ok(match value {
        Value::Integer(number) => {
            let number = i128::from(number);
            i64::try_from(number).map_or_else(|_| json!(number.to_string()), |small| json!(small))
        }
        Value::Bytes(bytes) => json!({ "$bytes": hex::encode(bytes) }),
        Value::Float(number) => json!(number),
        Value::Text(text) => json!(text),
        Value::Bool(value) => json!(value),
        Value::Array(values) => values
            .into_iter()
            .map(json_of)
            .collect::<Result<Vec<_>, _>>()?
            .into(),
        Value::Map(entries) => map(entries)?,
        Value::Tag(_, inner) => json_of(*inner)?,
        _ => serde_json::Value::Null,
    })
}
