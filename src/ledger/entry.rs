//! One entry of the ledger: its envelope, its canonical bytes and the hash that seals them.
//!
//! What an entry *means* is its body, which is somebody else's type. This file knows who wrote it,
//! when, in which run, and how to tell that not one byte has changed since.
//!
//! An entry is stored as canonical JSON (keys sorted at every depth, no white space) with the
//! member `hash` last: the SHA-256 of the same text without that member. The seal is checked on
//! the stored bytes, so that no number or string can change by being parsed and written again.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use sha2::{Digest, Sha256};
use ulid::Ulid;

use super::store::Key;

/// The entry format this program writes. It reads entries of a newer one, as far as they can be
/// read, but then appends nothing.
pub(crate) const FORMAT: u32 = 1;

/// The folder of the entries within a store.
pub(crate) const ENTRIES: &str = "entries/";

/// How the hash is attached to the canonical text of the rest, in place of its closing brace.
const HASH_MEMBER: &str = ",\"hash\":\"";

/// Names one entry for ever: a ULID, sorted by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct EntryId(Ulid);

/// Names one run of the program: the entries of a run are one hash chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RunId(Ulid);

/// The SHA-256 that seals an entry, shown as 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Hash256([u8; 32]);

/// A text that is not an identifier or a hash of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("read `{text}` as {what}")]
pub(crate) struct NotAnId {
    text: String,
    what: &'static str,
}

/// A new ULID at `at`; the random part keeps two writers of one millisecond apart.
fn ulid_at(at: Timestamp) -> Ulid {
    Ulid::from_parts(
        u64::try_from(at.as_millisecond()).unwrap_or(0),
        fastrand::u128(..),
    )
}

impl EntryId {
    /// A new id at `at` that sorts after `after`, which its writer has seen: also within one
    /// millisecond, and when the other's clock is ahead. Two writers who saw the same entry still
    /// get different ids, hence the random step.
    pub(crate) fn new(at: Timestamp, after: Option<Self>) -> Self {
        let fresh = ulid_at(at);
        let Some(Self(last)) = after.filter(|last| fresh <= last.0) else {
            return Self(fresh);
        };
        let random = last.random() + fastrand::u128(1..=1 << 56);
        if random >> Ulid::RAND_BITS == 0 {
            Self(Ulid::from_parts(last.timestamp_ms(), random))
        } else {
            Self(Ulid::from_parts(last.timestamp_ms() + 1, fresh.random()))
        }
    }
}

impl RunId {
    /// A new id for a run that starts at `at`.
    pub(crate) fn new(at: Timestamp) -> Self {
        Self(ulid_at(at))
    }
}

macro_rules! ulid_text {
    ($name:ident, $what:literal) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.0.array_to_str(&mut [0; ulid::ULID_LEN]))
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                Ulid::from_string(text).map($name).map_err(|_| NotAnId {
                    text: text.to_owned(),
                    what: $what,
                })
            }
        }

        text_serde!($name);
    };
}

macro_rules! text_serde {
    ($name:ident) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(D::Error::custom)
            }
        }
    };
}

ulid_text!(EntryId, "the id of an entry");
ulid_text!(RunId, "the id of a run");
text_serde!(Hash256);

impl Hash256 {
    /// The hash of `bytes`.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

impl fmt::Display for Hash256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&hex::encode(self.0))
    }
}

impl fmt::Debug for Hash256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Hash256 {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let mut bytes = [0; 32];
        let lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
        match hex::decode_to_slice(text, &mut bytes) {
            Ok(()) if lower => Ok(Self(bytes)),
            _ => Err(NotAnId {
                text: text.to_owned(),
                what: "a SHA-256",
            }),
        }
    }
}

/// One immutable entry. `B` says what happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Entry<B> {
    /// The entry format, [`FORMAT`] for what this program writes.
    pub(crate) format: u32,
    /// The entry's id; entries sort by it.
    pub(crate) id: EntryId,
    /// When it was written, by the writer's clock; never earlier than the run's entry before it.
    pub(crate) at: Timestamp,
    /// The event's id.
    pub(crate) event: String,
    /// Who acted.
    pub(crate) operator: String,
    /// The target that was acted on: live, an endpoint, a rehearsal.
    pub(crate) target: String,
    /// The run of the program that wrote it.
    pub(crate) run: RunId,
    /// Its place in that run, from 0.
    pub(crate) sequence: u32,
    /// The hash of the run's entry before it; none for the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) previous: Option<Hash256>,
    /// On a run's first entry: the newest entries that the run saw and that nothing named yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) heads: Vec<Hash256>,
    /// What happened.
    pub(crate) body: B,
    /// Seals all of the above.
    pub(crate) hash: Hash256,
}

/// An entry before it has its hash.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Draft<B> {
    pub(crate) format: u32,
    pub(crate) id: EntryId,
    pub(crate) at: Timestamp,
    pub(crate) event: String,
    pub(crate) operator: String,
    pub(crate) target: String,
    pub(crate) run: RunId,
    pub(crate) sequence: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) previous: Option<Hash256>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) heads: Vec<Hash256>,
    pub(crate) body: B,
}

impl<B: Serialize> Draft<B> {
    /// The finished entry and the bytes to store.
    ///
    /// # Errors
    /// When the body cannot be JSON (a map whose keys are not text).
    pub(crate) fn seal(self) -> Result<(Entry<B>, Vec<u8>), serde_json::Error> {
        let mut text = canonical(&serde_json::to_value(&self)?);
        let hash = Hash256::of(text.as_bytes());
        text.pop();
        text.push_str(HASH_MEMBER);
        text.push_str(&hash.to_string());
        text.push_str("\"}");
        let entry = Entry {
            format: self.format,
            id: self.id,
            at: self.at,
            event: self.event,
            operator: self.operator,
            target: self.target,
            run: self.run,
            sequence: self.sequence,
            previous: self.previous,
            heads: self.heads,
            body: self.body,
            hash,
        };
        Ok((entry, text.into_bytes()))
    }
}

impl<B> Entry<B> {
    /// Where the entry is stored, so that keys sort by time and can be read by people.
    pub(crate) fn key(&self) -> Key {
        key(self.at, self.id)
    }
}

/// The key of the entry `id` of `at`: `entries/20260711T190501123Z-<ULID>.json`.
pub(crate) fn key(at: Timestamp, id: EntryId) -> Key {
    Key::new(format!(
        "{ENTRIES}{}-{id}.json",
        at.strftime("%Y%m%dT%H%M%S%3fZ")
    ))
}

/// Why the bytes under an entry's key are not that entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadEntry {
    /// Not one byte of it is there: a write that a power cut ended, never acknowledged.
    #[error("the entry is empty")]
    Empty,
    /// There is no hash at its end.
    #[error("the entry is cut short, or is not an entry")]
    Unsealed,
    /// The hash is not that of the rest.
    #[error("the entry was altered: its hash is not that of its content")]
    Altered,
    /// Sealed, but not in this program's shape.
    #[error("the entry cannot be understood: {0}")]
    Shape(String),
    /// A sealed entry under another one's key.
    #[error("the entry stands under a key that is not its own")]
    WrongKey,
}

/// What the bytes under an entry's key turned out to be.
#[derive(Debug)]
pub(crate) enum Parsed<B> {
    /// An entry that this program understands.
    Entry(Entry<B>),
    /// One of a newer format.
    Newer(Newer),
}

/// An entry of a newer format, kept as it is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Newer {
    /// Where it is stored.
    pub(crate) key: Key,
    /// Its format number.
    pub(crate) format: u32,
    /// Its hash.
    pub(crate) hash: Hash256,
    /// All of it, as JSON.
    pub(crate) value: Value,
}

/// The one member that every format has.
#[derive(Deserialize)]
struct Header {
    format: u32,
}

/// Checks the seal of `bytes`, found under `key`, and reads them.
pub(crate) fn parse<B: DeserializeOwned>(key: &Key, bytes: &[u8]) -> Result<Parsed<B>, BadEntry> {
    let hash = seal_of(bytes)?;
    let shape = |error: serde_json::Error| BadEntry::Shape(error.to_string());
    let header: Header = serde_json::from_slice(bytes).map_err(shape)?;
    if header.format > FORMAT {
        return Ok(Parsed::Newer(Newer {
            key: key.clone(),
            format: header.format,
            hash,
            value: serde_json::from_slice(bytes).map_err(shape)?,
        }));
    }
    let entry: Entry<B> = serde_json::from_slice(bytes).map_err(shape)?;
    if entry.key() != *key {
        return Err(BadEntry::WrongKey);
    }
    Ok(Parsed::Entry(entry))
}

/// The hash at the end of `bytes`, when it is that of the rest.
pub(crate) fn seal_of(bytes: &[u8]) -> Result<Hash256, BadEntry> {
    if bytes.is_empty() {
        return Err(BadEntry::Empty);
    }
    // 64 hex digits, the closing quote and the closing brace.
    let split = bytes.len().checked_sub(66).ok_or(BadEntry::Unsealed)?;
    let (rest, tail) = bytes.split_at(split);
    let content = rest
        .strip_suffix(HASH_MEMBER.as_bytes())
        .ok_or(BadEntry::Unsealed)?;
    let digits = tail.strip_suffix(b"\"}").ok_or(BadEntry::Unsealed)?;
    let hash: Hash256 = std::str::from_utf8(digits)
        .ok()
        .and_then(|text| text.parse().ok())
        .ok_or(BadEntry::Unsealed)?;
    let mut hasher = Sha256::new();
    hasher.update(content);
    hasher.update(b"}");
    let actual: [u8; 32] = hasher.finalize().into();
    if actual == hash.0 {
        Ok(hash)
    } else {
        Err(BadEntry::Altered)
    }
}

/// `value` as JSON with the keys of every object sorted (by their UTF-8 bytes) and no white space.
pub(crate) fn canonical(value: &Value) -> String {
    let mut text = String::new();
    write_canonical(value, &mut text);
    text
}

fn write_canonical(value: &Value, text: &mut String) {
    match value {
        Value::Object(members) => {
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_unstable_by_key(|(name, _)| name.as_str());
            text.push('{');
            for (index, (name, member)) in sorted.into_iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                text.push_str(&Value::from(name.as_str()).to_string());
                text.push(':');
                write_canonical(member, text);
            }
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write_canonical(item, text);
            }
            text.push(']');
        }
        plain => text.push_str(&plain.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn draft(body: Value) -> Draft<Value> {
        let at: Timestamp = "2026-07-11T19:05:01.123456Z".parse().unwrap();
        Draft {
            format: FORMAT,
            id: "01K01GE703X1BTQ6KPZTCTXXGE".parse().unwrap(),
            at,
            event: "cup-final".into(),
            operator: "jess".into(),
            target: "rehearsal".into(),
            run: "01K01GE6ZZX1BTQ6KPZTCTXXGE".parse().unwrap(),
            sequence: 0,
            previous: None,
            heads: vec![],
            body,
        }
    }

    #[test]
    fn the_stored_form_is_canonical_and_ends_with_its_hash() {
        let (entry, bytes) = draft(json!({"b": [1, {"z": 1.5, "a": "é\n"}], "a": null}))
            .seal()
            .unwrap();
        insta::assert_snapshot!(String::from_utf8(bytes.clone()).unwrap(), @r#"{"at":"2026-07-11T19:05:01.123456Z","body":{"a":null,"b":[1,{"a":"é\n","z":1.5}]},"event":"cup-final","format":1,"id":"01K01GE703X1BTQ6KPZTCTXXGE","operator":"jess","run":"01K01GE6ZZX1BTQ6KPZTCTXXGE","sequence":0,"target":"rehearsal","hash":"cf2932ad5daf8d601b8b0a39dba6e2c93ce9b28f3764e9cddaabf2553a5d698d"}"#);
        let Parsed::Entry(read) = parse::<Value>(&entry.key(), &bytes).unwrap() else {
            panic!("of this format");
        };
        assert_eq!(read, entry);
    }

    #[test]
    fn keys_carry_the_time_to_the_millisecond() {
        let (entry, _) = draft(json!({})).seal().unwrap();
        assert_eq!(
            entry.key().as_str(),
            "entries/20260711T190501123Z-01K01GE703X1BTQ6KPZTCTXXGE.json"
        );
    }

    #[test]
    fn ids_grow_within_one_instant() {
        let at = Timestamp::UNIX_EPOCH;
        let first = EntryId::new(at, None);
        let second = EntryId::new(at, Some(first));
        assert!(second > first);
        assert_ne!(second, EntryId::new(at, Some(first)));
        let last = EntryId(Ulid::from_parts(0, (1 << Ulid::RAND_BITS) - 1));
        assert!(EntryId::new(at, Some(last)) > last);
    }

    #[test]
    fn a_newer_format_is_kept_and_not_understood() {
        let mut newer = draft(json!({"future": true}));
        newer.format = FORMAT + 1;
        let (entry, bytes) = newer.seal().unwrap();
        let Parsed::Newer(kept) = parse::<()>(&entry.key(), &bytes).unwrap() else {
            panic!("of a newer format");
        };
        assert_eq!(kept.format, FORMAT + 1);
        assert_eq!(kept.value["body"]["future"], true);
    }

    #[test]
    fn says_what_is_wrong_with_the_bytes() {
        let (entry, bytes) = draft(json!({"a": 1})).seal().unwrap();
        let reason = |bytes: &[u8]| parse::<Value>(&entry.key(), bytes).unwrap_err();
        assert_eq!(reason(b""), BadEntry::Empty);
        assert_eq!(reason(b"{}"), BadEntry::Unsealed);
        assert_eq!(reason(&bytes[..bytes.len() - 3]), BadEntry::Unsealed);
        let altered = String::from_utf8(bytes.clone())
            .unwrap()
            .replace("jess", "mika");
        assert_eq!(reason(altered.as_bytes()), BadEntry::Altered);
        let elsewhere = Key::new("entries/x.json".into());
        assert_eq!(
            parse::<Value>(&elsewhere, &bytes).unwrap_err(),
            BadEntry::WrongKey
        );
    }
}
