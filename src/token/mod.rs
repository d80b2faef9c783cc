//! Viewer tokens, read without a key: what they are, what they say, until when, and by which keys of
//! the key value store they are revoked. Pure; asking for a paste, reading files and writing to the
//! store are others' work.
//!
//! A whole token is a credential. It is kept in one place ([`Token`]'s text), never shown: `Debug` and
//! `Display` name the format and the digest. Nothing here believes a token either: [`Token::verify`]
//! says whether a key made it, everything else is what the token claims.

mod cat;
mod claims;
mod cose;
mod cwt;
mod encoding;
mod error;
mod format;
mod jws;
mod log_digest;
mod mint;
mod parse;
mod paste;
mod revocation;
pub(crate) mod selftest;
mod settings;
#[cfg(test)]
mod tests;
mod validity;
mod verify;

use jiff::Timestamp;

pub(crate) use cat::label as cat_label;
pub(crate) use claims::{Claim, ClaimValue, Claims, NoSuchClaim};
pub(crate) use cwt::validate_cwt;
pub(crate) use error::{Part, TokenError};
pub(crate) use format::{Algorithm, Format};
#[cfg_attr(
    not(test),
    expect(unused_imports, reason = "the log commands, which come later, use it")
)]
pub(crate) use log_digest::log_digest;
pub(crate) use mint::{DEFAULT_LIFETIME, MintError, MintRequest, mint};
pub(crate) use parse::{MAX_TOKEN_BYTES, is_structured};
pub(crate) use paste::{Place, whole};
pub(crate) use revocation::{Revocable, RevocationKey, is_revoked, revocation_value};
pub(crate) use settings::{
    KeySet, KeyState, is_setting, keys_key, log_key_key, mode_key, random_key,
};
pub(crate) use validity::State;
pub(crate) use verify::{Key, KeyError, Verdict};

/// How the text is built, finer than [`Format`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// `header.payload.signature`.
    Jws,
    /// `session.header.payload.signature`, as "Secure Media Delivery at the Edge" puts it into the path.
    JwsWithSession,
    /// `COSE_Mac0` or `COSE_Sign1` in base64 or hex.
    Cose,
    /// `header.payload.mac`, CBOR in each: no edge function can check it.
    DotJoinedCwt,
    Opaque,
}

/// A token that was read. What it says is unproven until [`Token::verify`].
#[derive(Clone)]
pub(crate) struct Token {
    digest: String,
    form: Form,
    place: Place,
    session: Option<String>,
    algorithm: Option<Algorithm>,
    key_id: Option<String>,
    header: Vec<(String, ClaimValue)>,
    claims: Claims,
    claims_as_hex: bool,
    issued: Option<Timestamp>,
    not_before: Option<Timestamp>,
    expires: Option<Timestamp>,
    signed: Vec<u8>,
    signature: Vec<u8>,
}

impl Token {
    pub(crate) fn format(&self) -> Format {
        match self.form {
            Form::Jws | Form::JwsWithSession => Format::Jwt,
            Form::Cose | Form::DotJoinedCwt => Format::Cat,
            Form::Opaque => Format::Opaque,
        }
    }

    pub(crate) fn form(&self) -> Form {
        self.form
    }

    /// Where in the pasted text the token was.
    pub(crate) fn place(&self) -> Place {
        self.place
    }

    /// The session id in front of the token ([`Form::JwsWithSession`]); not covered by the signature.
    pub(crate) fn session(&self) -> Option<&str> {
        self.session.as_deref()
    }

    /// `None` for an opaque token.
    pub(crate) fn algorithm(&self) -> Option<Algorithm> {
        self.algorithm
    }

    /// JWT: `kid` as given. CAT: its bytes as text where they are UTF-8, else hex.
    pub(crate) fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    pub(crate) fn header(&self) -> &[(String, ClaimValue)] {
        &self.header
    }

    pub(crate) fn claims(&self) -> &Claims {
        &self.claims
    }

    /// A claim by name or, for a CAT, by number.
    pub(crate) fn claim(&self, name: &str) -> Result<&ClaimValue, NoSuchClaim> {
        self.claims.get(name)
    }

    /// The CAT's claims were hex text instead of CBOR (early versions of a library wrote them so).
    pub(crate) fn claims_as_hex(&self) -> bool {
        self.claims_as_hex
    }

    pub(crate) fn issued(&self) -> Option<Timestamp> {
        self.issued
    }

    pub(crate) fn not_before(&self) -> Option<Timestamp> {
        self.not_before
    }

    pub(crate) fn expires(&self) -> Option<Timestamp> {
        self.expires
    }

    /// base64url of SHA-256 of the token as given: what stands for the whole token in outputs.
    pub(crate) fn digest(&self) -> &str {
        &self.digest
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Token")
            .field("form", &self.form)
            .field("digest", &self.digest)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Display for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} token sha256={}", self.format(), self.digest)
    }
}

/// A key id's bytes as text where they are text.
fn key_id_text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.chars().any(char::is_control) => text.to_owned(),
        _ => hex::encode(bytes),
    }
}
