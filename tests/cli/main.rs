//! The whole binary, as people and scripts run it: one file of tests per command.

mod harness;
mod status;
mod why;
