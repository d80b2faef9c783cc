//! The event's CloudWatch dashboard and alarms, made from the runbook.
//!
//! Pure: `body` says what the dashboard should be, `merge` holds that against what is stored and keeps
//! what people changed by hand, `alarms` says what should ring, `validate` knows CloudWatch's rules,
//! and `picture` draws a body with simulated data. Reading and writing is the commands' affair.

pub(crate) mod alarms;
pub(crate) mod audience;
pub(crate) mod body;
pub(crate) mod console;
pub(crate) mod marks;
pub(crate) mod merge;
mod panels;
pub(crate) mod picture;
pub(crate) mod validate;
mod widget;

#[cfg(test)]
mod tests;
