//! Whether a key made a token. The times are not looked at here: see `validity`.

use hmac::{Hmac, KeyInit as _, Mac as _};
use jsonwebtoken::DecodingKey;
use secrecy::{ExposeSecret as _, SecretSlice, SecretString};
use sha2::{Sha256, Sha384, Sha512};

use super::encoding::to_base64url;
use super::format::Algorithm;
use super::{ClaimValue, Token};

/// What a key says about a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// This key made this token, unchanged.
    Verified,
    /// Another key made it, or it was changed since.
    Wrong,
    /// The key is not one for this token's algorithm, so that it proves nothing; the text says why.
    OtherKind(&'static str),
    /// This tool cannot check such tokens; the text says why.
    Unsupported(&'static str),
}

/// A key to check with: a shared secret, or a public key.
pub(crate) struct Key {
    material: Material,
    /// The one algorithm that the key's own description allows.
    only: Option<String>,
}

enum Material {
    Secret(SecretSlice<u8>),
    Rsa(DecodingKey),
    /// The curve is known from a JWK alone.
    Elliptic(Option<Curve>, DecodingKey),
    Edwards(DecodingKey),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Curve {
    P256,
    P384,
}

/// Why a text is not a key that tokens can be checked with. Never quotes the key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeyError {
    #[error("the key is empty")]
    Empty,
    #[error("the key is not JSON")]
    NotJson,
    #[error("the key is not a PEM public key for RSA, EC or Ed25519")]
    NotPem,
    #[error("the key's `{member}` is missing or malformed")]
    Member { member: &'static str },
    #[error("the key is for something else than checking signatures (`{member}`)")]
    OtherUse { member: &'static str },
    #[error("keys of this type or curve are not supported")]
    Unsupported,
}

impl Key {
    /// A shared secret as it is: the bytes that the issuer gives to HMAC.
    pub(crate) fn secret(bytes: Vec<u8>) -> Result<Self, KeyError> {
        if bytes.is_empty() {
            return Err(KeyError::Empty);
        }
        Ok(Self {
            material: Material::Secret(bytes.into()),
            only: None,
        })
    }

    /// A PEM public key, a JWK (RFC 7517), or else the text itself as a shared secret.
    pub(crate) fn from_text(text: &SecretString) -> Result<Self, KeyError> {
        let trimmed = text.expose_secret().trim();
        if trimmed.starts_with('{') {
            Self::from_jwk(trimmed)
        } else if trimmed.starts_with("-----BEGIN") {
            Self::from_pem(trimmed)
        } else {
            Self::secret(trimmed.as_bytes().to_vec())
        }
    }

    pub(crate) fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let bytes = pem.as_bytes();
        let material = DecodingKey::from_rsa_pem(bytes)
            .map(Material::Rsa)
            .or_else(|_| DecodingKey::from_ec_pem(bytes).map(|key| Material::Elliptic(None, key)))
            .or_else(|_| DecodingKey::from_ed_pem(bytes).map(Material::Edwards))
            .map_err(|_| KeyError::NotPem)?;
        Ok(Self {
            material,
            only: None,
        })
    }

    /// A JWK. Its `use`, `key_ops` and `alg` are obeyed: a key for encryption checks nothing.
    pub(crate) fn from_jwk(text: &str) -> Result<Self, KeyError> {
        let jwk: serde_json::Value = serde_json::from_str(text).map_err(|_| KeyError::NotJson)?;
        let member = |member: &'static str| {
            jwk.get(member)
                .and_then(serde_json::Value::as_str)
                .ok_or(KeyError::Member { member })
        };
        if member("use").is_ok_and(|purpose| purpose != "sig") {
            return Err(KeyError::OtherUse { member: "use" });
        }
        if let Some(operations) = jwk.get("key_ops").and_then(serde_json::Value::as_array)
            && !operations.iter().any(|operation| operation == "verify")
        {
            return Err(KeyError::OtherUse { member: "key_ops" });
        }
        let malformed = |member| move |_| KeyError::Member { member };
        let material = match member("kty")? {
            "oct" => {
                let bytes = super::encoding::base64url(super::Part::Whole, member("k")?)
                    .map_err(|_| KeyError::Member { member: "k" })?;
                if bytes.is_empty() {
                    return Err(KeyError::Empty);
                }
                Material::Secret(bytes.into())
            }
            "RSA" => Material::Rsa(
                DecodingKey::from_rsa_components(member("n")?, member("e")?)
                    .map_err(malformed("n"))?,
            ),
            "EC" => {
                let curve = match member("crv")? {
                    "P-256" => Curve::P256,
                    "P-384" => Curve::P384,
                    _ => return Err(KeyError::Unsupported),
                };
                let key = DecodingKey::from_ec_components(member("x")?, member("y")?)
                    .map_err(malformed("x"))?;
                Material::Elliptic(Some(curve), key)
            }
            "OKP" if member("crv")? == "Ed25519" => Material::Edwards(
                DecodingKey::from_ed_components(member("x")?).map_err(malformed("x"))?,
            ),
            _ => return Err(KeyError::Unsupported),
        };
        Ok(Self {
            material,
            only: member("alg").ok().map(str::to_owned),
        })
    }

    /// The shared secret, for minting.
    pub(super) fn secret_bytes(&self) -> Option<&[u8]> {
        match &self.material {
            Material::Secret(bytes) => Some(bytes.expose_secret()),
            _ => None,
        }
    }

    pub(super) fn check(&self, algorithm: Algorithm, signed: &[u8], signature: &[u8]) -> Verdict {
        if self
            .only
            .as_deref()
            .is_some_and(|only| only != algorithm.name())
        {
            return Verdict::OtherKind("the key is for another algorithm");
        }
        let Some(public_algorithm) = public(algorithm) else {
            return match &self.material {
                Material::Secret(secret) if algorithm.is_symmetric() => {
                    hmac(algorithm, secret.expose_secret(), signed, signature)
                }
                _ if algorithm.is_symmetric() => {
                    Verdict::OtherKind("the token needs a shared secret, and this is a public key")
                }
                _ => Verdict::Unsupported("ES512 (curve P-521)"),
            };
        };
        let key = match (&self.material, algorithm) {
            (Material::Secret(_), _) => {
                return Verdict::OtherKind(
                    "the token needs a public key, and this is a shared secret",
                );
            }
            (
                Material::Rsa(key),
                Algorithm::Rs256
                | Algorithm::Rs384
                | Algorithm::Rs512
                | Algorithm::Ps256
                | Algorithm::Ps384
                | Algorithm::Ps512,
            )
            | (Material::Elliptic(None | Some(Curve::P256), key), Algorithm::Es256)
            | (Material::Elliptic(None | Some(Curve::P384), key), Algorithm::Es384)
            | (Material::Edwards(key), Algorithm::EdDsa) => key,
            _ => return Verdict::OtherKind("the key is of another type or curve"),
        };
        match jsonwebtoken::crypto::verify(&to_base64url(signature), signed, key, public_algorithm)
        {
            Ok(true) => Verdict::Verified,
            // An error here is a signature that is not even well-formed for the key.
            Ok(false) | Err(_) => Verdict::Wrong,
        }
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").finish_non_exhaustive()
    }
}

impl Token {
    /// Whether `key` made this token. HMAC, RSA, ES256, ES384 and Ed25519 are supported.
    pub(crate) fn verify(&self, key: &Key) -> Verdict {
        let Some(algorithm) = self.algorithm else {
            return Verdict::Unsupported("an opaque token has no signature");
        };
        // RFC 7515, 4.1.11 and RFC 9052, 3.1: who does not know a critical field must not accept.
        if self
            .header
            .iter()
            .any(|field| field.0 == "crit" && field.1 != ClaimValue::Null)
        {
            return Verdict::Unsupported("the header has critical fields");
        }
        key.check(algorithm, &self.signed, &self.signature)
    }
}

/// HMAC of `signed`, compared in constant time.
fn hmac(algorithm: Algorithm, secret: &[u8], signed: &[u8], signature: &[u8]) -> Verdict {
    macro_rules! matches_with {
        ($hash:ty, $verify:ident) => {{
            let mut mac = <Hmac<$hash>>::new_from_slice(secret).expect("HMAC takes any key length");
            mac.update(signed);
            mac.$verify(signature).is_ok()
        }};
    }
    let matches = match algorithm {
        Algorithm::Hs256Of64 => {
            signature.len() == 8 && matches_with!(Sha256, verify_truncated_left)
        }
        Algorithm::Hs256 => matches_with!(Sha256, verify_slice),
        Algorithm::Hs384 => matches_with!(Sha384, verify_slice),
        Algorithm::Hs512 => matches_with!(Sha512, verify_slice),
        _ => return Verdict::Unsupported("not an HMAC"),
    };
    if matches {
        Verdict::Verified
    } else {
        Verdict::Wrong
    }
}

/// The name that the signature library has for an algorithm with a public key.
fn public(algorithm: Algorithm) -> Option<jsonwebtoken::Algorithm> {
    use jsonwebtoken::Algorithm as Public;
    Some(match algorithm {
        Algorithm::Rs256 => Public::RS256,
        Algorithm::Rs384 => Public::RS384,
        Algorithm::Rs512 => Public::RS512,
        Algorithm::Ps256 => Public::PS256,
        Algorithm::Ps384 => Public::PS384,
        Algorithm::Ps512 => Public::PS512,
        Algorithm::Es256 => Public::ES256,
        Algorithm::Es384 => Public::ES384,
        Algorithm::EdDsa => Public::EdDSA,
        Algorithm::Hs256Of64
        | Algorithm::Hs256
        | Algorithm::Hs384
        | Algorithm::Hs512
        | Algorithm::Es512 => return None,
    })
}
