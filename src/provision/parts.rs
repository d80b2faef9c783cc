//! The parts that provisioning knows.

use super::{Part, waf};

/// All parts, in the order in which plans show them.
pub(crate) fn all() -> Vec<Box<dyn Part>> {
    vec![
        Box::new(waf::IpSets),
        Box::new(waf::WebAcl),
        Box::new(waf::Rules),
    ]
}
