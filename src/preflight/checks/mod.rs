//! The checks, one file a group. Each is a few lines: read, compare, say what was seen and what
//! mends it.

mod identity;
mod workflow;

use super::Check;

/// All checks, in the order in which they are shown.
pub(crate) fn all() -> Vec<Check> {
    [identity::CHECKS.to_vec(), workflow::checks()].concat()
}
