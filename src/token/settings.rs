//! What the key value store holds beside revocations: the mode of the gate, the signing keys, the log key.
//! Their names begin with `EVENT::`; a revocation's claim is never empty, so that none begins so.

use std::hash::BuildHasher as _;

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::encoding::{base64url, to_base64url};
use super::{Key, KeyError, Part, RevocationKey};

/// Most bytes of a value in the store (aws-facts section 2, CFDG quotas).
const VALUE_BYTES: usize = 1024;
/// Shortest secret: RFC 7518, 3.2 asks for 32 bytes; issuers that are in use have shorter ones.
const SHORTEST_SECRET: usize = 16;
/// Longest: one KiB must hold the keys of a whole rotation.
const LONGEST_SECRET: usize = 128;
const LONGEST_KEY_ID: usize = 64;

/// Where the mode is: `off`, `log` or `enforce`.
pub(crate) fn mode_key(event: &str) -> String {
    format!("{}::mode", RevocationKey::event_field(event))
}

/// Where the signing keys are: a [`KeySet`] as JSON.
pub(crate) fn keys_key(event: &str) -> String {
    format!("{}::keys", RevocationKey::event_field(event))
}

/// Where the key of the log digests is, in base64url.
pub(crate) fn log_key_key(event: &str) -> String {
    format!("{}::log-key", RevocationKey::event_field(event))
}

/// A new key of 32 bytes in base64url. Its 128 bits of randomness are the system's, by way of the seeds
/// that hash maps get: enough for digests in logs and for rehearsals, never to sign for real viewers.
pub(crate) fn random_key() -> String {
    let seeds = std::hash::RandomState::new();
    let mut hasher = Sha256::new();
    for part in 0..4u8 {
        hasher.update(seeds.hash_one(part).to_le_bytes());
    }
    to_base64url(&hasher.finalize())
}

/// Whether a key of the store is one of these and so no revocation.
pub(crate) fn is_setting(event: &str, key: &str) -> bool {
    key.strip_prefix(&RevocationKey::event_field(event))
        .is_some_and(|rest| rest.starts_with("::"))
}

/// What a signing key is used for. All but retired ones let tokens pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum KeyState {
    /// The issuer signs with it.
    Current,
    /// The issuer will.
    Next,
    /// The issuer did; its last tokens are still out.
    Previous,
    /// Tokens made with it are refused.
    Retired,
}

impl KeyState {
    /// The state in one word.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Next => "next",
            Self::Previous => "previous",
            Self::Retired => "retired",
        }
    }
}

/// One signing key.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct SigningKey {
    /// base64url.
    #[serde(rename = "k")]
    secret: String,
    pub(crate) state: KeyState,
    /// Seconds since 1970 at which it came to this state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) since: Option<i64>,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey")
            .field("state", &self.state)
            .field("fingerprint", &self.fingerprint())
            .finish_non_exhaustive()
    }
}

impl PartialEq for SigningKey {
    fn eq(&self, other: &Self) -> bool {
        self.fingerprint() == other.fingerprint() && self.state == other.state
    }
}

impl SigningKey {
    /// Eight characters of a digest of the secret: enough to compare two places by.
    pub(crate) fn fingerprint(&self) -> String {
        let digest = Sha256::digest(format!("onair/signing-key/{}", self.secret));
        hex::encode(digest)[..8].to_owned()
    }

    /// The key as one to mint and to verify with.
    pub(crate) fn key(&self) -> Result<Key, KeyError> {
        let bytes =
            base64url(Part::Whole, &self.secret).map_err(|_| KeyError::Member { member: "k" })?;
        Key::secret(bytes)
    }
}

/// Why a change of the keys makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeySetError {
    #[error("the store's keys are not as onair writes them")]
    Malformed,
    #[error("a key id is 1 to {LONGEST_KEY_ID} letters, digits, `-`, `_` or `.`")]
    KeyId,
    #[error("there is a key `{0}` already")]
    Exists(String),
    #[error("this secret is in the store already, as key `{0}`; a rotation needs a new one")]
    SameSecret(String),
    #[error("there is no key `{0}`")]
    Unknown(String),
    #[error("the secret has {0} bytes; it takes {SHORTEST_SECRET} to {LONGEST_SECRET}")]
    SecretLength(usize),
    #[error("the key is a public one; the edge checks shared secrets (HS256) alone")]
    PublicKey,
    #[error("`{kid}` is {state}; only {wanted} can do this")]
    WrongState {
        kid: String,
        state: &'static str,
        wanted: &'static str,
    },
    #[error(
        "the keys would take {0} bytes of the {VALUE_BYTES} that a value holds; retire one and add again"
    )]
    TooLarge(usize),
}

/// The signing keys by their ids, in order of id.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct KeySet(std::collections::BTreeMap<String, SigningKey>);

impl KeySet {
    /// Reads the store's value.
    pub(crate) fn parse(text: &SecretString) -> Result<Self, KeySetError> {
        serde_json::from_str(text.expose_secret()).map_err(|_| KeySetError::Malformed)
    }

    /// The store's value with one random current key, `rehearsal-1`: it opens nothing real.
    pub(crate) fn for_rehearsal(since: Timestamp) -> SecretString {
        let key = SigningKey {
            secret: random_key(),
            state: KeyState::Current,
            since: Some(since.as_second()),
        };
        let keys = Self(std::collections::BTreeMap::from([(
            "rehearsal-1".to_owned(),
            key,
        )]));
        keys.to_value()
            .expect("one key of 32 bytes fits into a value")
    }

    /// The store's value.
    pub(crate) fn to_value(&self) -> Result<SecretString, KeySetError> {
        let text = serde_json::to_string(self).map_err(|_| KeySetError::Malformed)?;
        if text.len() > VALUE_BYTES {
            return Err(KeySetError::TooLarge(text.len()));
        }
        Ok(text.into())
    }

    /// The keys with their ids.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &SigningKey)> {
        self.0.iter().map(|(kid, key)| (kid.as_str(), key))
    }

    /// The key that the issuer signs with now.
    pub(crate) fn current(&self) -> Option<(&str, &SigningKey)> {
        self.iter().find(|(_, key)| key.state == KeyState::Current)
    }

    /// The id under which a key is.
    pub(crate) fn id_of(&self, key: &Key) -> Option<&str> {
        let secret = to_base64url(key.secret_bytes()?);
        let found = self.iter().find(|(_, known)| known.secret == secret);
        found.map(|(kid, _)| kid)
    }

    /// Adds a key: the next one, or the current one where there is none.
    pub(crate) fn add(
        &mut self,
        kid: &str,
        key: &Key,
        now: Timestamp,
    ) -> Result<KeyState, KeySetError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if kid.is_empty() || kid.len() > LONGEST_KEY_ID || !kid.bytes().all(plain) {
            return Err(KeySetError::KeyId);
        }
        if self.0.contains_key(kid) {
            return Err(KeySetError::Exists(kid.to_owned()));
        }
        let secret = key.secret_bytes().ok_or(KeySetError::PublicKey)?;
        if !(SHORTEST_SECRET..=LONGEST_SECRET).contains(&secret.len()) {
            return Err(KeySetError::SecretLength(secret.len()));
        }
        if let Some(known) = self.id_of(key) {
            return Err(KeySetError::SameSecret(known.to_owned()));
        }
        let state = if self.current().is_some() {
            KeyState::Next
        } else {
            KeyState::Current
        };
        let key = SigningKey {
            secret: to_base64url(secret),
            state,
            since: Some(now.as_second()),
        };
        self.0.insert(kid.to_owned(), key);
        Ok(state)
    }

    /// Makes the next key the current one, and the current one the previous one; an older previous one
    /// is retired.
    pub(crate) fn promote(&mut self, kid: &str, now: Timestamp) -> Result<(), KeySetError> {
        self.expect(kid, KeyState::Next, "the next key")?;
        for (id, key) in &mut self.0 {
            let state = match key.state {
                _ if id == kid => KeyState::Current,
                KeyState::Current => KeyState::Previous,
                other => other,
            };
            if state != key.state {
                key.state = state;
                key.since = Some(now.as_second());
            }
        }
        Ok(())
    }

    /// Takes a previous or next key out of use: its secret goes.
    pub(crate) fn retire(&mut self, kid: &str) -> Result<(), KeySetError> {
        match self.0.get(kid).map(|key| key.state) {
            None => Err(KeySetError::Unknown(kid.to_owned())),
            Some(KeyState::Current) => Err(KeySetError::WrongState {
                kid: kid.to_owned(),
                state: KeyState::Current.word(),
                wanted: "a previous or next key",
            }),
            Some(_) => {
                self.0.remove(kid);
                Ok(())
            }
        }
    }

    fn expect(&self, kid: &str, state: KeyState, wanted: &'static str) -> Result<(), KeySetError> {
        match self.0.get(kid) {
            None => Err(KeySetError::Unknown(kid.to_owned())),
            Some(key) if key.state == state => Ok(()),
            Some(key) => Err(KeySetError::WrongState {
                kid: kid.to_owned(),
                state: key.state.word(),
                wanted,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> Key {
        Key::secret(vec![byte; 32]).unwrap()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn settings_are_told_from_revocations() {
        assert!(is_setting("cup", &mode_key("cup")));
        assert!(is_setting("cup", &keys_key("cup")));
        assert!(is_setting("cup", &log_key_key("cup")));
        for claim in ["", "sub", ":", "mode"] {
            let revocation = RevocationKey::new("cup", claim, "8841");
            assert!(!is_setting("cup", revocation.as_str()), "{revocation}");
        }
    }

    #[test]
    fn keys_rotate_with_an_overlap() {
        let mut keys = KeySet::default();
        assert_eq!(keys.add("a", &key(1), at(1)), Ok(KeyState::Current));
        assert_eq!(keys.add("b", &key(2), at(2)), Ok(KeyState::Next));
        keys.promote("b", at(3)).unwrap();
        let states: Vec<_> = keys.iter().map(|(kid, key)| (kid, key.state)).collect();
        assert_eq!(
            states,
            [("a", KeyState::Previous), ("b", KeyState::Current)]
        );
        assert!(keys.retire("b").is_err());
        keys.retire("a").unwrap();
        assert_eq!(keys.iter().count(), 1);
        assert!(keys.promote("b", at(4)).is_err());
    }

    #[test]
    fn a_set_survives_the_store_and_shows_no_secret() {
        let mut keys = KeySet::default();
        keys.add("a", &key(1), at(1)).unwrap();
        let value = keys.to_value().unwrap();
        assert_eq!(KeySet::parse(&value), Ok(keys.clone()));
        let shown = format!("{keys:?}");
        assert!(!shown.contains("AQEBAQ"), "{shown}");
        assert_eq!(keys.iter().next().unwrap().1.fingerprint().len(), 8);
    }

    #[test]
    fn refuses_what_the_store_or_the_edge_cannot_hold() {
        let mut keys = KeySet::default();
        let short = Key::secret(vec![1; 15]).unwrap();
        assert_eq!(
            keys.add("a", &short, at(1)),
            Err(KeySetError::SecretLength(15))
        );
        assert_eq!(keys.add("a b", &key(1), at(1)), Err(KeySetError::KeyId));
        for index in 0..20u8 {
            let _state = keys.add(&format!("key-{index}"), &key(index + 1), at(1));
        }
        assert!(matches!(keys.to_value(), Err(KeySetError::TooLarge(_))));
    }
}
