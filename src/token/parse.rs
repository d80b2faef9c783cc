//! From a text to a [`Token`]: which kind it is, and the exact reason when it is none.

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use super::claims::{ClaimValue, Claims};
use super::cose::{self, Cose};
use super::encoding::{base64_of_either_kind, cbor, to_base64url};
use super::error::{Part, TokenError};
use super::jws::{self, Jws};
use super::paste::{self, Place};
use super::{Form, Format, Token};

/// Longest input that is looked at, in bytes. The edge takes requests of 20 KB with all their headers, and
/// URLs of 8 KB; a viewer's token is far shorter.
pub(crate) const MAX_TOKEN_BYTES: usize = 16 * 1024;
/// A text shorter than this is no credential.
const MIN_OPAQUE_BYTES: usize = 8;

/// What a text looks like before it is read.
enum Shape {
    Jws,
    Cose(Result<Vec<u8>, TokenError>),
    DotJoinedCwt,
    Opaque,
}

impl Shape {
    fn format(&self) -> Format {
        match self {
            Self::Jws => Format::Jwt,
            Self::Cose(_) | Self::DotJoinedCwt => Format::Cat,
            Self::Opaque => Format::Opaque,
        }
    }
}

impl Token {
    /// Reads what someone pasted: a token alone, or one inside quotes, a URL, or a header.
    pub(crate) fn parse(pasted: &SecretString) -> Result<Self, TokenError> {
        Self::read(pasted.expose_secret(), None)
    }

    /// [`Token::parse`] where the event's format is known; a token of another one is refused by name.
    pub(crate) fn parse_as(pasted: &SecretString, expected: Format) -> Result<Self, TokenError> {
        Self::read(pasted.expose_secret(), Some(expected))
    }

    /// The same from plain text; `expected` as in [`Token::parse_as`].
    pub(crate) fn read(pasted: &str, expected: Option<Format>) -> Result<Self, TokenError> {
        if pasted.len() > MAX_TOKEN_BYTES {
            return Err(TokenError::TooLarge {
                bytes: pasted.len(),
                limit: MAX_TOKEN_BYTES,
            });
        }
        let picked = paste::pick(pasted)?;
        Self::read_alone(&picked.text, picked.place, expected)
    }

    fn read_alone(text: &str, place: Place, expected: Option<Format>) -> Result<Self, TokenError> {
        if text.is_empty() {
            return Err(TokenError::Empty);
        }
        if text.starts_with('{') {
            return Err(TokenError::JsonSerialization);
        }
        if let Some(position) = text.bytes().position(|byte| !byte.is_ascii_graphic()) {
            return Err(TokenError::BadCharacter { position });
        }
        let shape = shape(text);
        let found = shape.format();
        match expected {
            None => {}
            Some(expected) if expected == found => {}
            // Dots and no JWT header: of what should be a JWT, say which part is wrong.
            Some(Format::Jwt) if found == Format::Opaque && text.contains('.') => {
                return jwt(text, place);
            }
            Some(Format::Cat) if found == Format::Opaque && is_claims_alone(text) => {
                return Err(TokenError::BadCose {
                    reason: "it is claims alone, without a MAC or signature",
                });
            }
            // What only resembles a JWT or a CAT may be an opaque token after all.
            Some(Format::Opaque) if by_shape(text, place, shape).is_err() => {
                return opaque(text, place);
            }
            Some(expected) => return Err(TokenError::WrongFormat { expected, found }),
        }
        by_shape(text, place, self::shape(text))
    }
}

fn by_shape(text: &str, place: Place, shape: Shape) -> Result<Token, TokenError> {
    match shape {
        Shape::Jws => jwt(text, place),
        Shape::Cose(bytes) => cat(text, place, Form::Cose, Cose::read(&bytes?)?),
        Shape::DotJoinedCwt => cat(
            text,
            place,
            Form::DotJoinedCwt,
            Cose::read_dot_joined(text)?,
        ),
        Shape::Opaque => opaque(text, place),
    }
}

/// Whether a text is, by its look, a JWT or a CAT: finds one among other texts, and catches one that is
/// given where a claim's value should be (which would end up in the store and the ledger).
pub(crate) fn is_structured(text: &str) -> bool {
    !matches!(shape(text), Shape::Opaque)
}

/// A CBOR map in hex or base64: what a CAT's payload is by itself.
fn is_claims_alone(text: &str) -> bool {
    hex::decode(text)
        .ok()
        .or_else(|| base64_of_either_kind(text).ok())
        .and_then(|bytes| cbor(Part::Whole, &bytes).ok())
        .is_some_and(|value| value.is_map())
}

fn shape(text: &str) -> Shape {
    if !text.is_ascii() {
        return Shape::Opaque;
    }
    if let Some((first, rest)) = text.split_once('.') {
        if cose::is_dot_joined(text) {
            return Shape::DotJoinedCwt;
        }
        let second = rest.split('.').next().unwrap_or_default();
        let parts = text.split('.').count();
        let headless = first.is_empty() && parts == 3;
        if jws::is_header(first) || headless || (parts == 4 && jws::is_header(second)) {
            return Shape::Jws;
        }
        return Shape::Opaque;
    }
    if jws::is_header(text) {
        return Shape::Jws;
    }
    if let Ok(bytes) = hex::decode(text)
        && (cose::begins(&bytes) || cose::is_untagged(&bytes))
    {
        return Shape::Cose(Ok(bytes));
    }
    let start = &text[..text.len().min(8) & !3];
    let begins = base64_of_either_kind(start).is_ok_and(|bytes| cose::begins(&bytes));
    match base64_of_either_kind(text) {
        whole if begins => Shape::Cose(whole),
        Ok(bytes) if cose::is_untagged(&bytes) => Shape::Cose(Ok(bytes)),
        _ => Shape::Opaque,
    }
}

fn jwt(text: &str, place: Place) -> Result<Token, TokenError> {
    let jws = Jws::read(text)?;
    let claims = jws.claims()?;
    let key_id = jws.header.iter().find_map(|field| match field {
        (name, ClaimValue::Text(value)) if name == "kid" => Some(value.clone()),
        _ => None,
    });
    let form = if jws.session.is_some() {
        Form::JwsWithSession
    } else {
        Form::Jws
    };
    Ok(Token {
        session: jws.session.map(str::to_owned),
        algorithm: Some(jws.algorithm),
        key_id,
        header: jws.header,
        signed: jws.signed.as_bytes().to_vec(),
        signature: jws.signature,
        ..with_claims(text, place, form, claims)?
    })
}

fn cat(text: &str, place: Place, form: Form, cose: Cose) -> Result<Token, TokenError> {
    Ok(Token {
        algorithm: Some(cose.algorithm),
        key_id: cose.key_id.as_deref().map(super::key_id_text),
        header: cose.header,
        claims_as_hex: cose.claims_as_hex,
        signed: cose.signed,
        signature: cose.signature,
        ..with_claims(text, place, form, cose.claims)?
    })
}

fn opaque(text: &str, place: Place) -> Result<Token, TokenError> {
    if text.len() < MIN_OPAQUE_BYTES {
        return Err(TokenError::TooShort { bytes: text.len() });
    }
    with_claims(text, place, Form::Opaque, Claims::default())
}

fn with_claims(text: &str, place: Place, form: Form, claims: Claims) -> Result<Token, TokenError> {
    Ok(Token {
        digest: to_base64url(&Sha256::digest(text)),
        form,
        place,
        session: None,
        algorithm: None,
        key_id: None,
        header: Vec::new(),
        claims_as_hex: false,
        issued: claims.time("iat")?,
        not_before: claims.time("nbf")?,
        expires: claims.time("exp")?,
        claims,
        signed: Vec::new(),
        signature: Vec::new(),
    })
}
