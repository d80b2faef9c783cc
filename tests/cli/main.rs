//! The whole binary, as people and scripts run it: one file of tests per command.

mod athena;
mod compare;
mod dashboard;
mod front_door;
mod gate;
mod generated;
mod geo;
mod harness;
mod iam_policy;
mod ip;
mod ledger;
mod preflight;
mod preflight_media;
mod provision;
mod query;
mod report;
mod rule;
mod runbook;
mod status;
mod target;
mod token;
mod why;
