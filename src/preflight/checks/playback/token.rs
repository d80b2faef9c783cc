//! The token that a player of ours shows. Where the edge asks for one and no key is at hand, the
//! requests are refused, and their checks say "could not ask".

use crate::preflight::{Facts, Gap};

/// A query that lets a player in; none when the event has no tokens, or no key is at hand.
#[expect(
    clippy::unnecessary_wraps,
    reason = "a key that cannot be read is a gap, not the absence of tokens"
)]
pub(super) fn query(_facts: &Facts<'_>) -> Result<Option<String>, Gap> {
    Ok(None)
}
