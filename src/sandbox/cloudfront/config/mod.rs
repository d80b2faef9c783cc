//! Checks a distribution's configuration as CloudFront does before it takes one, and reads from it
//! what the rest of the service needs. The document itself is kept as sent; members that a create
//! may leave out are filled in by `defaults`.

mod audience;
mod behaviors;
mod check;
mod origins;

pub(crate) use self::audience::existing_web_acl;
pub(crate) use self::check::{check, integer, parse};
use super::rollout::Gate;

/// Which rules of requirement hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Demand {
    Create,
    Update,
}

/// What a configuration may refer to.
pub(crate) struct Surroundings<'a> {
    /// By ARN.
    pub(crate) web_acl_exists: &'a dyn Fn(&str) -> bool,
    /// By ARN; only published functions may be associated.
    pub(crate) function_is_published: &'a dyn Fn(&str) -> bool,
    /// Lower-case alternate domain names of all other distributions.
    pub(crate) alias_is_taken: &'a dyn Fn(&str) -> bool,
}

/// What the service needs to know of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) caller_reference: String,
    pub(crate) staging: bool,
    /// Lower case.
    pub(crate) aliases: Vec<String>,
    pub(crate) gate: Gate,
}
