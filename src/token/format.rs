//! The kinds of token and their algorithms, by name.

/// What kind of token an event uses, as `tokens.format` in the runbook says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Format {
    /// JWS compact (RFC 7515, RFC 7519), with or without a session id in front.
    Jwt,
    /// CWT as CTA-5007 uses it (RFC 8392, RFC 9052).
    Cat,
    /// A text that only its issuer can read.
    Opaque,
}

impl Format {
    /// The runbook's word: `jwt`, `cat` or `opaque`.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Jwt => "jwt",
            Self::Cat => "cat",
            Self::Opaque => "opaque",
        }
    }
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word())
    }
}

/// The word is not `jwt`, `cat` or `opaque`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a token format is one of jwt, cat, opaque")]
pub(crate) struct UnknownFormat;

impl std::str::FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(word: &str) -> Result<Self, UnknownFormat> {
        [Self::Jwt, Self::Cat, Self::Opaque]
            .into_iter()
            .find(|format| format.word() == word)
            .ok_or(UnknownFormat)
    }
}

/// How a token is secured. Names are those of the IANA registries for JOSE and COSE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Algorithm {
    /// HMAC with SHA-256, its first 8 bytes (COSE 4).
    Hs256Of64,
    Hs256,
    Hs384,
    Hs512,
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
    Es256,
    Es384,
    Es512,
    EdDsa,
}

/// Name, COSE number, and the length of what it makes in bytes where it is always the same.
const ALGORITHMS: [(Algorithm, &str, i64, Option<usize>); 14] = [
    (Algorithm::Hs256Of64, "HS256/64", 4, Some(8)),
    (Algorithm::Hs256, "HS256", 5, Some(32)),
    (Algorithm::Hs384, "HS384", 6, Some(48)),
    (Algorithm::Hs512, "HS512", 7, Some(64)),
    (Algorithm::Rs256, "RS256", -257, None),
    (Algorithm::Rs384, "RS384", -258, None),
    (Algorithm::Rs512, "RS512", -259, None),
    (Algorithm::Ps256, "PS256", -37, None),
    (Algorithm::Ps384, "PS384", -38, None),
    (Algorithm::Ps512, "PS512", -39, None),
    (Algorithm::Es256, "ES256", -7, Some(64)),
    (Algorithm::Es384, "ES384", -35, Some(96)),
    (Algorithm::Es512, "ES512", -36, Some(132)),
    // Ed25519 makes 64 bytes and Ed448 114, both under this name.
    (Algorithm::EdDsa, "EdDSA", -8, None),
];

impl Algorithm {
    fn row(self) -> &'static (Self, &'static str, i64, Option<usize>) {
        ALGORITHMS
            .iter()
            .find(|row| row.0 == self)
            .expect("the table has every algorithm")
    }

    pub(crate) fn name(self) -> &'static str {
        self.row().1
    }

    /// Bytes of the MAC or signature, where the algorithm fixes them.
    pub(super) fn signature_length(self) -> Option<usize> {
        self.row().3
    }

    pub(super) fn cose_number(self) -> i64 {
        self.row().2
    }

    /// The algorithm of a JOSE `alg`. HS256/64 exists in COSE alone.
    pub(super) fn from_jose(name: &str) -> Option<Self> {
        let row = ALGORITHMS.iter().find(|row| row.1 == name)?;
        (row.0 != Self::Hs256Of64).then_some(row.0)
    }

    pub(super) fn from_cose(number: i64) -> Option<Self> {
        Some(ALGORITHMS.iter().find(|row| row.2 == number)?.0)
    }

    /// Whether one shared secret both makes and checks it.
    pub(crate) fn is_symmetric(self) -> bool {
        matches!(
            self,
            Self::Hs256Of64 | Self::Hs256 | Self::Hs384 | Self::Hs512
        )
    }
}

impl std::fmt::Display for Algorithm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
