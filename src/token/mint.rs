//! Short-lived test tokens, HS256: a JWT, or a Common Access Token as `cf.cwt` reads it (`COSE_Mac0` in a
//! CWT tag). Equal requests at equal times make equal tokens.

use coset::cbor::value::Value;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use sha2::Sha256;

use super::claims::refuse_duplicates;
use super::encoding::{to_base64url, to_cbor};
use super::{Algorithm, ClaimValue, Format, Key, Part, TokenError, cat, cose};

/// How long a test token lives unless asked otherwise.
pub(crate) const DEFAULT_LIFETIME: SignedDuration = SignedDuration::from_mins(5);
/// Longest life of a test token: it opens the stream to whoever finds it.
pub(crate) const MAX_LIFETIME: SignedDuration = SignedDuration::from_hours(1);

/// What a test token is to say. `iat` and `exp` are added.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct MintRequest {
    pub(crate) format: Format,
    pub(crate) claims: Vec<(String, ClaimValue)>,
    pub(crate) lifetime: SignedDuration,
    pub(crate) key_id: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MintError {
    #[error("opaque tokens are made by their issuer alone")]
    Opaque,
    #[error("a test token lives from one second to one hour")]
    Lifetime,
    #[error("the claim `{name}` is set by the lifetime")]
    Reserved { name: &'static str },
    #[error(transparent)]
    Claims(#[from] TokenError),
    #[error("`{name}` is not the name or the number of a Common Access Token's claim")]
    UnknownClaim { name: String },
    #[error("the claim `cti` of a Common Access Token is bytes, given in hexadecimal")]
    TokenId,
    #[error("test tokens are signed with a shared secret, and this is a public key")]
    PublicKey,
}

/// Makes a test token that begins at `now` (whole seconds).
pub(crate) fn mint(
    request: &MintRequest,
    key: &Key,
    now: Timestamp,
) -> Result<SecretString, MintError> {
    if !(SignedDuration::from_secs(1)..=MAX_LIFETIME).contains(&request.lifetime) {
        return Err(MintError::Lifetime);
    }
    for name in ["iat", "exp"] {
        if request.claims.iter().any(|claim| claim.0 == name) {
            return Err(MintError::Reserved { name });
        }
    }
    let secret = key.secret_bytes().ok_or(MintError::PublicKey)?;
    let issued = now.as_second();
    let mut claims = request.claims.clone();
    claims.push(("iat".to_owned(), ClaimValue::Integer(issued.into())));
    claims.push((
        "exp".to_owned(),
        ClaimValue::Integer((issued + request.lifetime.as_secs()).into()),
    ));
    refuse_duplicates(Part::Payload, claims.iter().map(|claim| claim.0.as_str()))?;
    let token = match request.format {
        Format::Jwt => jwt(&claims, request.key_id.as_deref(), secret),
        Format::Cat => cat_token(&claims, request.key_id.as_deref(), secret)?,
        Format::Opaque => return Err(MintError::Opaque),
    };
    Ok(token.into())
}

fn jwt(claims: &[(String, ClaimValue)], key_id: Option<&str>, secret: &[u8]) -> String {
    let mut header = serde_json::json!({ "alg": "HS256", "typ": "JWT" });
    if let Some(key_id) = key_id {
        header["kid"] = key_id.into();
    }
    let payload: serde_json::Map<_, _> = claims
        .iter()
        .map(|(name, value)| (name.clone(), json(value)))
        .collect();
    let signed = format!(
        "{}.{}",
        to_base64url(header.to_string().as_bytes()),
        to_base64url(serde_json::Value::Object(payload).to_string().as_bytes())
    );
    let mac = hs256(secret, signed.as_bytes());
    format!("{signed}.{}", to_base64url(&mac))
}

/// Exact JSON, unlike [`ClaimValue::to_json`], which is for showing.
fn json(value: &ClaimValue) -> serde_json::Value {
    match value {
        ClaimValue::Text(text) => text.as_str().into(),
        ClaimValue::List(values) => values.iter().map(json).collect(),
        ClaimValue::Map(entries) => entries
            .iter()
            .map(|(key, value)| (key.clone(), json(value)))
            .collect(),
        other => other.to_json(),
    }
}

fn cat_token(
    claims: &[(String, ClaimValue)],
    key_id: Option<&str>,
    secret: &[u8],
) -> Result<String, MintError> {
    let mut entries = Vec::with_capacity(claims.len());
    for (name, value) in claims {
        let label = cat::label(name).ok_or_else(|| MintError::UnknownClaim {
            name: crate::event::text::shortened(name, 80),
        })?;
        let value = match (label, value) {
            (cat::CTI, ClaimValue::Text(text)) => {
                Value::Bytes(hex::decode(text).map_err(|_| MintError::TokenId)?)
            }
            _ => cat::to_cbor(label, value),
        };
        entries.push((Value::from(label), value));
    }
    let protected = to_cbor(&Value::Map(vec![(
        Value::from(1),
        Value::from(Algorithm::Hs256.cose_number()),
    )]));
    let unprotected = key_id
        .map(|key_id| (Value::from(4), Value::Bytes(key_id.as_bytes().to_vec())))
        .into_iter()
        .collect();
    let payload = Value::Bytes(to_cbor(&Value::Map(entries)));
    let mac = hs256(secret, &cose::signed("MAC0", &protected, payload.clone()));
    let message = Value::Array(vec![
        Value::Bytes(protected),
        Value::Map(unprotected),
        payload,
        Value::Bytes(mac),
    ]);
    let tagged = Value::Tag(
        cose::CWT,
        Box::new(Value::Tag(cose::MAC0, Box::new(message))),
    );
    Ok(to_base64url(&to_cbor(&tagged)))
}

fn hs256(secret: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = <Hmac<Sha256>>::new_from_slice(secret).expect("HMAC takes any key length");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}
