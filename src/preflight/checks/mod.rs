//! The checks, one file a group. Each is a few lines: read, compare, say what was seen and what
//! mends it.

mod analysis;
mod caching;
mod distribution;
mod event;
mod forecast;
mod gate;
mod identity;
mod logs;
mod origin;
mod playback;
mod tokens;
mod waf;
mod watching;
mod workflow;

use super::Check;

/// All checks, in the order in which they are shown.
pub(crate) fn all() -> Vec<Check> {
    [
        identity::CHECKS,
        event::CHECKS,
        distribution::CHECKS,
        caching::CHECKS,
        origin::CHECKS,
        waf::CHECKS,
        tokens::CHECKS,
        gate::CHECKS,
        forecast::CHECKS,
        logs::CHECKS,
        analysis::CHECKS,
        watching::CHECKS,
        &workflow::checks(),
        playback::CHECKS,
    ]
    .concat()
}
