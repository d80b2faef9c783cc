//! JWS in its compact form (RFC 7515), and the four-part variant of "Secure Media Delivery" that puts
//! a session id in front. Structure only: what is signed, by which algorithm; `verify` checks it.

use super::claims::{Claim, ClaimValue, Claims, refuse_duplicates};
use super::encoding::base64url;
use super::error::{Part, TokenError};
use super::format::Algorithm;
use crate::event::text;

/// A compact JWS taken apart. Holds the signature, so it has no `Debug`.
pub(super) struct Jws<'a> {
    pub(super) session: Option<&'a str>,
    pub(super) header: Vec<(String, ClaimValue)>,
    pub(super) algorithm: Algorithm,
    payload: Vec<u8>,
    /// `header.payload` as given: what the signature covers.
    pub(super) signed: &'a str,
    pub(super) signature: Vec<u8>,
}

impl<'a> Jws<'a> {
    pub(super) fn read(token: &'a str) -> Result<Self, TokenError> {
        let parts: Vec<&str> = token.splitn(7, '.').collect();
        let (session, header, payload, signature) = match parts[..] {
            [_] => {
                return Err(TokenError::MissingPart {
                    part: Part::Payload,
                });
            }
            [_, _] => {
                return Err(TokenError::MissingPart {
                    part: Part::Signature,
                });
            }
            [header, payload, signature] => (None, header, payload, signature),
            [session, header, payload, signature]
                if is_session(session) && !is_header(session) && is_header(header) =>
            {
                (Some(session), header, payload, signature)
            }
            [_, _, _, _, _] => return Err(TokenError::Encrypted { kind: "JWE" }),
            _ => {
                return Err(TokenError::TooManyParts {
                    count: token.split('.').count(),
                });
            }
        };
        if header.is_empty() {
            return Err(TokenError::MissingPart { part: Part::Header });
        }
        let fields = object(Part::Header, &base64url(Part::Header, header)?)?;
        let algorithm = algorithm(&fields)?;
        let payload_bytes = base64url(Part::Payload, payload)?;
        if signature.is_empty() {
            return Err(TokenError::MissingPart {
                part: Part::Signature,
            });
        }
        let signature_bytes = base64url(Part::Signature, signature)?;
        if let Some(expected) = algorithm.signature_length()
            && signature_bytes.len() != expected
        {
            return Err(TokenError::SignatureLength {
                algorithm: algorithm.name(),
                expected,
                found: signature_bytes.len(),
            });
        }
        let start = session.map_or(0, |session| session.len() + 1);
        Ok(Self {
            session,
            header: fields,
            algorithm,
            payload: payload_bytes,
            signed: &token[start..start + header.len() + 1 + payload.len()],
            signature: signature_bytes,
        })
    }

    pub(super) fn claims(&self) -> Result<Claims, TokenError> {
        if self.payload.is_empty() {
            return Err(TokenError::MissingPart {
                part: Part::Payload,
            });
        }
        let claims = object(Part::Payload, &self.payload)?
            .into_iter()
            .map(|(name, value)| Claim {
                name,
                label: None,
                value,
            })
            .collect();
        Claims::new(claims)
    }
}

/// Whether a dot-separated part can be the header of a JWT: base64url of a JSON object.
pub(super) fn is_header(part: &str) -> bool {
    // `{"` and `{ ` and `{` with a line end are the only starts that encoders write.
    part.starts_with("eyJ")
        || base64url(Part::Header, part)
            .is_ok_and(|bytes| bytes.first() == Some(&b'{') && object(Part::Header, &bytes).is_ok())
}

/// Session ids are a path segment's first part: letters, digits, `-` and `_`.
fn is_session(part: &str) -> bool {
    (1..=128).contains(&part.len())
        && part
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

fn object(part: Part, bytes: &[u8]) -> Result<Vec<(String, ClaimValue)>, TokenError> {
    let value = serde_json::from_slice(bytes).map_err(|error| not_json(part, bytes, &error))?;
    let ClaimValue::Map(fields) = value else {
        return Err(TokenError::NotAMap { part });
    };
    refuse_duplicates(part, fields.iter().map(|field| field.0.as_str()))?;
    Ok(fields)
}

fn not_json(part: Part, bytes: &[u8], error: &serde_json::Error) -> TokenError {
    if error.is_eof() {
        return TokenError::TruncatedJson {
            part,
            length: bytes.len(),
        };
    }
    // serde_json counts lines and columns from 1, and column 0 is the line end itself.
    let before: usize = bytes
        .split_inclusive(|byte| *byte == b'\n')
        .take(error.line().saturating_sub(1))
        .map(<[u8]>::len)
        .sum();
    // serde_json's nesting limit; the crate exports neither the number nor a kind for it.
    if error.to_string().starts_with("recursion limit exceeded") {
        return TokenError::TooDeep { part, limit: 128 };
    }
    TokenError::NotJson {
        part,
        position: before + error.column().saturating_sub(1),
    }
}

fn algorithm(header: &[(String, ClaimValue)]) -> Result<Algorithm, TokenError> {
    let Some((_, ClaimValue::Text(name))) = header.iter().find(|field| field.0 == "alg") else {
        return Err(TokenError::NoAlgorithm);
    };
    if header.iter().any(|field| field.0 == "enc") {
        return Err(TokenError::Encrypted { kind: "JWE" });
    }
    if name.eq_ignore_ascii_case("none") {
        return Err(TokenError::AlgorithmNone);
    }
    Algorithm::from_jose(name).ok_or_else(|| TokenError::UnknownAlgorithm {
        name: text::shortened(name, 40),
    })
}
