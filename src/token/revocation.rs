//! How a revocation is written into the key value store: the one rule that this tool and the edge
//! function follow.
//!
//! # The key
//!
//! `EVENT:CLAIM:VALUE`, three fields joined by `:` (U+003A). VALUE starts from the claim's **text form**:
//!
//! | claim value | text form | in JavaScript |
//! |---|---|---|
//! | text | itself | `v` |
//! | number | decimal integer; only integers from -(2^53 - 1) to 2^53 - 1 | `Number.isSafeInteger(v)`, then `String(v)` |
//! | CBOR byte string (such as `cti`) | two lower-case hexadecimal digits a byte | `Buffer.from(v).toString('hex')` |
//! | anything else | none: such a claim cannot revoke | |
//!
//! A field is written **plain** when every character is one of `A-Z a-z 0-9 - . _ ~ @` and its length
//! is at least 1 and at most: 64 for EVENT and CLAIM; for VALUE, what leaves the whole key at 512 bytes
//! or fewer. (Those characters are one byte each, so `length` counts bytes.) Any other field is written
//! as its **digest**: the seven characters `sha256=`, then the 43 characters of base64url, without
//! padding, of the SHA-256 of the field's text in UTF-8. For a text longer than VALUE's room the
//! length of the fields *as written* counts. As `=` and `:` are not plain, no value can imitate a digest
//! or another claim's key.
//!
//! In JavaScript (edge functions, runtime 2.0):
//! `/^[A-Za-z0-9._~@-]+$/.test(t) && t.length <= room ? t : 'sha256=' + crypto.createHash('sha256').update(t).digest('base64url')`
//! with `room` 64, 64, and `512 - event.length - claim.length - 2`.
//!
//! A **whole token** is `EVENT:token:` and always the digest of the token's text as the viewer sends it
//! (after percent-decoding; with a session id in front where there is one); VALUE of the claim name `token`
//! is never plain. A **session id** in front of
//! a JWT is the claim `session` where the token has no claim of that name.
//!
//! # The value
//!
//! The end of the revocation: seconds since `1970-01-01T00:00:00Z` in decimal, 1 to 15 digits, nothing
//! else (`/^[0-9]{1,15}$/`). The viewer is refused while `now < end`; after it the key says nothing.
//! A value that is not of this form refuses: the harsher reading.
//!
//! Keys of 512 bytes and values of 1 KB are the store's limits. The plain characters
//! need no escape in JSON; those beyond RFC 3986's unreserved ones (`@`, and the `:`) are escaped in the
//! path of the store's API by every client alike.

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::encoding::to_base64url;
use super::{ClaimValue, Token};
use crate::event::text;

/// Most bytes of a key in a key value store.
const KEY_BYTES: usize = 512;
/// Most bytes of EVENT and of CLAIM in plain form.
const NAME_BYTES: usize = 64;
/// Most characters of a value shown to people.
const SHOWN_CHARACTERS: usize = 80;
/// The claim name under which whole tokens are revoked.
const WHOLE_TOKEN: &str = "token";
/// The claim name of a session id in front of a token.
const SESSION: &str = "session";

/// A key of the key value store that revokes, by the rule above.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RevocationKey(String);

impl RevocationKey {
    /// The key for a claim's text form; for the claim `token`, the whole token's text.
    pub(crate) fn new(event: &str, claim: &str, value: &str) -> Self {
        if claim == WHOLE_TOKEN {
            return Self::for_token(event, &digest(value));
        }
        let event = field(event, NAME_BYTES);
        let claim = field(claim, NAME_BYTES);
        let room = KEY_BYTES - event.len() - claim.len() - 2;
        Self(format!("{event}:{claim}:{}", field(value, room)))
    }

    /// The key for a claim's value; `None` for a value without a text form.
    pub(crate) fn for_claim(event: &str, claim: &str, value: &ClaimValue) -> Option<Self> {
        Some(Self::new(event, claim, &value.text_form()?))
    }

    /// The key for a whole token, from [`Token::digest`].
    pub(crate) fn for_token(event: &str, digest: &str) -> Self {
        Self(format!(
            "{}:{WHOLE_TOKEN}:sha256={digest}",
            field(event, NAME_BYTES)
        ))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// What the edge function is given to make keys with: everything before VALUE, and the most bytes of a
    /// plain VALUE; none for the whole token, whose VALUE is always a digest.
    pub(crate) fn parts(event: &str, claim: &str) -> (String, usize) {
        let event = field(event, NAME_BYTES);
        if claim == WHOLE_TOKEN {
            return (format!("{event}:{WHOLE_TOKEN}:"), 0);
        }
        let claim = field(claim, NAME_BYTES);
        let room = KEY_BYTES - event.len() - claim.len() - 2;
        (format!("{event}:{claim}:"), room)
    }

    /// An event's id as keys begin with it.
    pub(crate) fn event_field(event: &str) -> String {
        field(event, NAME_BYTES)
    }

    /// The beginning of all keys of an event: what a listing of the store is filtered by.
    pub(crate) fn prefix(event: &str) -> String {
        format!("{}:", field(event, NAME_BYTES))
    }
}

impl std::fmt::Display for RevocationKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

fn field(text: &str, room: usize) -> String {
    let plain = (1..=room).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~@".contains(&byte));
    if plain {
        text.to_owned()
    } else {
        format!("sha256={}", digest(text))
    }
}

fn digest(text: &str) -> String {
    to_base64url(&Sha256::digest(text))
}

/// The store's value for a revocation that ends at `end`. A part of a second counts as a whole one, so
/// that a revocation never ends early. `Timestamp::MAX` serves for one without an end.
pub(crate) fn revocation_value(end: Timestamp) -> String {
    let part = i64::from(end.subsec_nanosecond() > 0);
    end.as_second().saturating_add(part).max(0).to_string()
}

/// Whether a key with this value refuses a viewer at `now`.
pub(crate) fn is_revoked(value: &str, now: Timestamp) -> bool {
    let well_formed =
        (1..=15).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_digit());
    match value.parse::<i64>() {
        Ok(end) if well_formed => now.as_second() < end,
        _ => true,
    }
}

/// One way to revoke a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Revocable {
    pub(crate) claim: String,
    /// `None` when the token lacks the claim or its value has no text form; `display` says which.
    pub(crate) key: Option<RevocationKey>,
    /// The value, printable and at most 80 characters; for the whole token its digest.
    pub(crate) display: String,
}

impl Token {
    /// The keys by which an event could revoke this token, for each of `claims` in their order. The name
    /// `token` stands for the whole token, `session` for a session id in front of it.
    pub(crate) fn revocation_keys(
        &self,
        event: &str,
        claims: &[impl AsRef<str>],
    ) -> Vec<Revocable> {
        claims
            .iter()
            .map(|claim| self.revocable(event, claim.as_ref()))
            .collect()
    }

    fn revocable(&self, event: &str, claim: &str) -> Revocable {
        if claim == WHOLE_TOKEN {
            return Revocable {
                claim: claim.to_owned(),
                key: Some(RevocationKey::for_token(event, self.digest())),
                display: format!("sha256={}", self.digest()),
            };
        }
        let session = (claim == SESSION)
            .then(|| self.session().map(ClaimValue::from))
            .flatten();
        let (key, display) = match self.claim(claim).ok().or(session.as_ref()) {
            None => (None, "no such claim".to_owned()),
            Some(value) => match RevocationKey::for_claim(event, claim, value) {
                None => (None, "not a text, an integer or a byte string".to_owned()),
                key => (key, text::shortened(&value.readable(), SHOWN_CHARACTERS)),
            },
        };
        Revocable {
            claim: claim.to_owned(),
            key,
            display,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn writes_a_plain_value_as_it_is() {
        assert_eq!(
            RevocationKey::new("cup-final", "sub", "user_8841@example.com").as_str(),
            "cup-final:sub:user_8841@example.com"
        );
    }

    #[test]
    fn writes_a_digest_of_what_needs_escaping() {
        assert_eq!(
            RevocationKey::new("cup-final", "sub", "user:1").as_str(),
            "cup-final:sub:sha256=q8Oke4rRi4VcaH2cosYJHucxLbVWMCGUKletqInIezQ"
        );
        assert_eq!(
            RevocationKey::new("e", "c", "").as_str(),
            "e:c:sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"
        );
    }

    #[test]
    fn takes_the_text_form_of_numbers_and_bytes() {
        let key = |value: ClaimValue| RevocationKey::for_claim("e", "cti", &value);
        let text = |value| key(value).map(|key| key.as_str().to_owned());
        assert_eq!(text(ClaimValue::Integer(-7)).as_deref(), Some("e:cti:-7"));
        let bytes = ClaimValue::Bytes(vec![0x0b, 0x71]);
        assert_eq!(text(bytes).as_deref(), Some("e:cti:0b71"));
        assert_eq!(text(ClaimValue::List(Vec::new())), None);
    }

    #[test]
    fn never_writes_a_whole_token_as_it_is() {
        let key = RevocationKey::new("e", "token", "opaque-token-1");
        assert_eq!(
            key,
            RevocationKey::for_token("e", &digest("opaque-token-1"))
        );
        assert!(!key.as_str().contains("opaque"));
        let token = Token::read("opaque-token-1", None).unwrap();
        assert_eq!(token.revocation_keys("e", &["token"])[0].key, Some(key));
    }

    #[test]
    fn fills_the_key_to_its_last_byte() {
        let room = KEY_BYTES - "e:c:".len();
        let fits = RevocationKey::new("e", "c", &"x".repeat(room));
        assert_eq!(fits.as_str().len(), KEY_BYTES);
        let over = RevocationKey::new("e", "c", &"x".repeat(room + 1));
        assert!(over.as_str().starts_with("e:c:sha256="));
    }

    #[test]
    fn a_claim_name_from_outside_cannot_reach_into_the_value() {
        let key = RevocationKey::new("e", "https://example.com/plan:x", "gold");
        assert!(key.as_str().starts_with("e:sha256="));
        assert!(key.as_str().ends_with(":gold"));
    }

    #[test]
    fn a_value_refuses_until_its_end_and_no_longer() {
        let end: Timestamp = "2026-07-19T21:00:00Z".parse().unwrap();
        let value = revocation_value(end);
        assert_eq!(value, "1784494800");
        assert!(is_revoked(&value, end - jiff::SignedDuration::from_secs(1)));
        assert!(!is_revoked(&value, end));
        assert_eq!(
            revocation_value(end + jiff::SignedDuration::from_millis(1)),
            "1784494801"
        );
    }

    #[test]
    fn a_value_that_is_no_time_refuses() {
        let now: Timestamp = "2026-07-19T21:00:00Z".parse().unwrap();
        for value in [
            "",
            "soon",
            "-1",
            "+1",
            " 1",
            "1.5",
            "0x10",
            "1000000000000000",
        ] {
            assert!(is_revoked(value, now), "{value:?}");
        }
        assert!(!is_revoked("0", now));
        assert!(is_revoked(&revocation_value(Timestamp::MAX), now));
    }

    proptest! {
        #[test]
        fn keys_always_fit_and_never_need_escaping(event in any::<String>(), claim in any::<String>(), value in ".{0,600}") {
            let key = RevocationKey::new(&event, &claim, &value);
            prop_assert!(key.as_str().len() <= KEY_BYTES);
            prop_assert!(key.as_str().bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~@:=".contains(&b)));
            prop_assert_eq!(key.as_str().matches(':').count(), 2);
        }

        #[test]
        fn different_claims_have_different_keys(
            a in ("[a-c:=@/]{0,3}", "[a-c:=@/]{0,3}", "[a-c:=@/]{0,3}"),
            b in ("[a-c:=@/]{0,3}", "[a-c:=@/]{0,3}", "[a-c:=@/]{0,3}"),
        ) {
            let key = |t: &(String, String, String)| RevocationKey::new(&t.0, &t.1, &t.2);
            prop_assert_eq!(key(&a) == key(&b), a == b);
        }

        #[test]
        fn no_value_imitates_a_digest(value in any::<String>(), other in any::<String>()) {
            let digest = field(&other, 0);
            let written = RevocationKey::new("e", "c", &digest);
            prop_assert_ne!(written.as_str(), format!("e:c:{digest}"));
            let key = RevocationKey::new("e", "c", &value);
            let plain = key.as_str().strip_prefix("e:c:").unwrap();
            prop_assert_eq!(plain.starts_with("sha256="), plain != value);
        }
    }
}
