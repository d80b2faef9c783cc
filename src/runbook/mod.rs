//! The runbook: the file that says what belongs to the event.
//!
//! `model` is the TOML as written, `structure` holds a document against it, `check` finds what is
//! wrong with the values, `load` puts these together and yields a [`Runbook`], whose values are
//! parsed and whose defaults are filled in. `source` chooses which runbook a command works with,
//! and `template` makes new ones. Nothing here asks AWS.

pub(crate) mod check;
pub(crate) mod load;
pub(crate) mod model;
pub(crate) mod note;
pub(crate) mod resolved;
pub(crate) mod schema;
pub(crate) mod source;
mod structure;
pub(crate) mod template;
mod written;

pub(crate) use load::{LoadError, Loaded, load};
pub(crate) use model::{GeoMode, RuleAction, TokenFormat, TokenMode, TokenSource};
pub(crate) use note::{Note, Severity, render_notes};
pub(crate) use resolved::{
    AccessLogs, Allowed, Arn, Athena, Dashboard, Distribution, Flow, Forecast, Geo, GeoWindow,
    KeySource, LedgerStore, OriginAccess, Panel, RealtimeLogs, Runbook, Samples, StateRights,
    Targets, Tokens, Waf, Waiver,
};
#[cfg(test)]
pub(crate) use resolved::{ManagedRules, MetroRights, RateRule, Rung};
