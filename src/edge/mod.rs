//! Would this viewer get in, and which layer says so? Geo restriction, web ACL, function, revocation,
//! in the order that CloudFront asks them. Pure: views and requests in, decisions out. Used to
//! explain, to verify and by the embedded cloud's edges; reading AWS is left to others.
//!
//! `gate` makes the event's edge function from its runbook, and `engine` runs such functions.

pub(crate) mod acl;
mod decide;
pub(crate) mod engine;
pub(crate) mod event;
pub(crate) mod gate;
mod geo;
mod home;
mod matching;
mod request;

pub(crate) use acl::{Action, WebAcl};
pub(crate) use decide::{Decision, Finding, Layer, Outcome, Verdict, decide};
pub(crate) use geo::{GeoKind, GeoRestriction};
pub(crate) use home::Home;
pub(crate) use request::{EdgeView, FunctionAnswer, ViewerRequest};
