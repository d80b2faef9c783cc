//! The whole binary, as people and scripts run it: one file of tests per command.

mod front_door;
mod gate;
mod generated;
mod geo;
mod harness;
mod ip;
mod ledger;
mod runbook;
mod status;
mod target;
mod token;
mod why;
