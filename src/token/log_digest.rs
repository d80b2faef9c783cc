//! What stands for a viewer in the edge's logs: a keyed digest of each revocation key, so that a log row
//! leads to the key to revoke, and nobody without the log key can tell who a row is about.

#![cfg_attr(
    not(test),
    expect(
        dead_code,
        reason = "the log commands, which come later, look rows up by it"
    )
)]

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::RevocationKey;
use super::encoding::to_base64url;

/// Characters kept of the digest: 132 bits.
const CHARACTERS: usize = 22;

/// The digest that the edge function logs for a revocation key: HMAC with SHA-256 under the event's log
/// key (`EVENT::log-key`, its bytes), in base64url, its first 22 characters.
pub(crate) fn log_digest(log_key: &[u8], key: &RevocationKey) -> String {
    let mut mac = <Hmac<Sha256>>::new_from_slice(log_key).expect("HMAC takes any key length");
    mac.update(key.as_str().as_bytes());
    let mut text = to_base64url(&mac.finalize().into_bytes());
    text.truncate(CHARACTERS);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_short_keyed_and_differ_by_claim() {
        let key = RevocationKey::new("cup-final", "sub", "8841");
        let digest = log_digest(b"log key", &key);
        assert_eq!(digest.len(), CHARACTERS);
        assert_ne!(digest, log_digest(b"another", &key));
        let other = RevocationKey::new("cup-final", "sid", "8841");
        assert_ne!(digest, log_digest(b"log key", &other));
    }
}
