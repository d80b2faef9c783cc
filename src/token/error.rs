//! Why a text is not a token that we can read: one variant a reason, with the place where known.
//! Messages quote names and positions, never the token.

use super::format::Format;

/// Which dot-separated part of a JWT an error is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Header,
    Payload,
    Signature,
    /// A Common Access Token is one text without parts.
    Whole,
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Header => "header",
            Self::Payload => "payload",
            Self::Signature => "signature",
            Self::Whole => "token",
        })
    }
}

/// The exact reason for which a text is refused. All positions count bytes from 0.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TokenError {
    #[error("the token is empty")]
    Empty,
    #[error("{bytes} bytes are too many for a token (the limit is {limit})")]
    TooLarge { bytes: usize, limit: usize },
    #[error("the text is too short for a token ({bytes} bytes)")]
    TooShort { bytes: usize },
    #[error("a character that no token has is at byte {position}")]
    BadCharacter { position: usize },
    #[error("no token was found in the {place}")]
    NothingIn { place: &'static str },
    #[error("{count} tokens were found in the {place}; give the one that is meant")]
    Several { count: usize, place: &'static str },
    #[error("the token is {found}, and the event's tokens are {expected}")]
    WrongFormat { expected: Format, found: Format },
    #[error("the token is cut off: its {part} is missing")]
    MissingPart { part: Part },
    #[error("the token has {count} dot-separated parts; a JWT has 3")]
    TooManyParts { count: usize },
    #[error("the token is encrypted ({kind}); what it says cannot be read without its key")]
    Encrypted { kind: &'static str },
    #[error("the token is in the JSON serialization; players carry the compact one")]
    JsonSerialization,
    #[error("the {part} is not base64url: bad character at byte {position}")]
    BadBase64 { part: Part, position: usize },
    #[error("the {part} is cut off: {length} base64url characters cannot be whole")]
    TruncatedBase64 { part: Part, length: usize },
    #[error("the {part} is not base64url as it must be written: unused bits or padding at its end")]
    UncanonicalBase64 { part: Part },
    #[error("the {part} is not JSON: unexpected text at byte {position}")]
    NotJson { part: Part, position: usize },
    #[error("the {part}'s JSON is cut off after {length} bytes")]
    TruncatedJson { part: Part, length: usize },
    #[error("the {part} is not CBOR: unexpected byte at {position}")]
    NotCbor { part: Part, position: usize },
    #[error("the {part}'s CBOR is cut off after {length} bytes")]
    TruncatedCbor { part: Part, length: usize },
    #[error("the {part} is nested too deeply (the limit is {limit})")]
    TooDeep { part: Part, limit: usize },
    #[error("bytes follow the end of the token at {position}")]
    TrailingBytes { position: usize },
    #[error("the COSE structure is not one of a token: {reason}")]
    BadCose { reason: &'static str },
    #[error("the COSE structure is {kind}; a token is COSE_Mac0 (17) or COSE_Sign1 (18)")]
    OtherCose { kind: &'static str },
    #[error("the {part} is not a map")]
    NotAMap { part: Part },
    #[error("the {part} has `{name}` twice")]
    Duplicate { part: Part, name: String },
    #[error("the token names no algorithm")]
    NoAlgorithm,
    #[error("the token is unsecured (`alg` is none)")]
    AlgorithmNone,
    #[error("the algorithm `{name}` is not known")]
    UnknownAlgorithm { name: String },
    #[error("the signature has {found} bytes; {algorithm} makes {expected}")]
    SignatureLength {
        algorithm: &'static str,
        expected: usize,
        found: usize,
    },
    #[error("the claim `{claim}` is not a number")]
    NotANumber { claim: String },
    #[error("the claim `{claim}` is not a time that can be")]
    TimeOutOfRange { claim: String },
}
