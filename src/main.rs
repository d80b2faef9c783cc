//! onair runs a live-streaming event on Amazon CloudFront.
//!
//! `main` parses the command line, builds the context, runs the command, prints its one value and
//! ends the process. Everything else is in the modules below; ARCHITECTURE.md has the map.

mod clock;
mod cloud;
mod edge;
mod event;
mod ledger;
mod runbook;
mod sandbox;
mod token;

fn main() {}
