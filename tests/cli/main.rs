//! The whole binary, as people and scripts run it: one file of tests per command.

mod front_door;
mod generated;
mod geo;
mod harness;
mod ip;
mod ledger;
mod preflight_media;
mod rule;
mod runbook;
mod status;
mod target;
mod token;
mod why;
