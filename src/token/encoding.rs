//! base64url and CBOR read strictly: one text for one value, errors with the part and the position.

use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use base64::{DecodeError, Engine as _};
use coset::cbor::{de, value::Value};

use super::error::{Part, TokenError};

/// Depth at which CBOR is refused. A CAT needs about 6; the parser's own stack allows far more.
pub(super) const CBOR_DEPTH: usize = 32;

/// The bytes of a JWT part: base64url without padding, unused bits zero (RFC 7515, section 2).
pub(super) fn base64url(part: Part, text: &str) -> Result<Vec<u8>, TokenError> {
    URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|error| refused(part, text, &error))
}

/// The bytes of a Common Access Token. Libraries write it in either alphabet, with or without padding.
pub(super) fn base64_of_either_kind(text: &str) -> Result<Vec<u8>, TokenError> {
    let bare = text.trim_end_matches('=');
    if text.len() - bare.len() > 2 {
        return Err(TokenError::UncanonicalBase64 { part: Part::Whole });
    }
    let engine = if bare.contains(['+', '/']) {
        &STANDARD_NO_PAD
    } else {
        &URL_SAFE_NO_PAD
    };
    engine
        .decode(bare)
        .map_err(|error| refused(Part::Whole, bare, &error))
}

pub(super) fn to_base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn refused(part: Part, text: &str, error: &DecodeError) -> TokenError {
    match *error {
        DecodeError::InvalidByte(position, _) => TokenError::BadBase64 { part, position },
        DecodeError::InvalidLength(_) => TokenError::TruncatedBase64 {
            part,
            length: text.len(),
        },
        _ => TokenError::UncanonicalBase64 { part },
    }
}

/// One CBOR item that takes all of `bytes`.
pub(super) fn cbor(part: Part, bytes: &[u8]) -> Result<Value, TokenError> {
    let mut rest = bytes;
    let value =
        de::from_reader_with_recursion_limit(&mut rest, CBOR_DEPTH).map_err(
            |error| match error {
                de::Error::Io(_) => TokenError::TruncatedCbor {
                    part,
                    length: bytes.len(),
                },
                de::Error::Syntax(position) => TokenError::NotCbor { part, position },
                de::Error::Semantic(position, _) => TokenError::NotCbor {
                    part,
                    position: position.unwrap_or(0),
                },
                de::Error::RecursionLimitExceeded => TokenError::TooDeep {
                    part,
                    limit: CBOR_DEPTH,
                },
            },
        )?;
    if rest.is_empty() {
        Ok(value)
    } else {
        Err(TokenError::TrailingBytes {
            position: bytes.len() - rest.len(),
        })
    }
}

pub(super) fn to_cbor(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    coset::cbor::into_writer(value, &mut bytes).expect("a Vec takes every write");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_where_base64url_ends_being_base64url() {
        assert_eq!(
            base64url(Part::Payload, "ab?d"),
            Err(TokenError::BadBase64 {
                part: Part::Payload,
                position: 2
            })
        );
        assert_eq!(
            base64url(Part::Payload, "abcde"),
            Err(TokenError::TruncatedBase64 {
                part: Part::Payload,
                length: 5
            })
        );
        assert_eq!(
            base64url(Part::Payload, "AB"),
            Err(TokenError::UncanonicalBase64 {
                part: Part::Payload
            })
        );
        assert!(base64url(Part::Payload, "AA==").is_err());
    }

    #[test]
    fn reads_padded_standard_base64_of_a_cat() {
        assert_eq!(base64_of_either_kind("+/8="), Ok(vec![0xfb, 0xff]));
        assert_eq!(base64_of_either_kind("-_8"), Ok(vec![0xfb, 0xff]));
        assert!(base64_of_either_kind("+_8=").is_err());
    }

    #[test]
    fn stops_at_a_depth_bomb() {
        let bomb = vec![0x81; 16_000];
        assert_eq!(
            cbor(Part::Whole, &bomb),
            Err(TokenError::TooDeep {
                part: Part::Whole,
                limit: CBOR_DEPTH
            })
        );
    }

    #[test]
    fn stops_at_a_length_that_is_not_there() {
        let promised = [0x5b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
        assert!(matches!(
            cbor(Part::Whole, &promised),
            Err(TokenError::TruncatedCbor { .. })
        ));
    }

    #[test]
    fn names_the_first_byte_too_many() {
        assert_eq!(
            cbor(Part::Whole, &[0x01, 0x02]),
            Err(TokenError::TrailingBytes { position: 1 })
        );
    }
}
