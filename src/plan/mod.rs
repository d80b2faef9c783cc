//! What to do, decided without touching anything: intents, per-resource plans, guards.
//! Everything here is a pure function of values.

pub(crate) mod audience;
pub(crate) mod change;
pub(crate) mod cloudfront_ranges;
pub(crate) mod geo;
pub(crate) mod guard;
pub(crate) mod ip_set;
pub(crate) mod keys;
#[cfg(test)]
mod laws;
pub(crate) mod log_delivery;
pub(crate) mod log_table;
pub(crate) mod meant;
#[cfg(test)]
mod rule_laws;
pub(crate) mod rules;
pub(crate) mod shards;
pub(crate) mod web_acl;
pub(crate) mod windows;
