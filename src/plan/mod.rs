//! What to do, decided without touching anything: intents, per-resource plans, guards.
//! Everything here is a pure function of values.

pub(crate) mod change;
pub(crate) mod cloudfront_ranges;
pub(crate) mod geo;
pub(crate) mod guard;
pub(crate) mod ip_set;
pub(crate) mod keys;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod rule_laws;
pub(crate) mod rules;
pub(crate) mod web_acl;
