//! The embedded cloud: an AWS-compatible account inside the process, for rehearsals and tests. The
//! real SDK clients, the AWS CLI and boto3 work against it, and it refuses what AWS refuses.
//!
//! `account` is what others use; `dispatch` brings a request to its service; `state` keeps it all
//! in a folder that processes share. One module for each AWS service, which sees parsed calls alone.

mod account;
mod acm;
mod athena;
mod chunked;
pub(crate) mod cloudfront;
pub(crate) mod cloudwatch;
pub(crate) mod crowd;
mod dispatch;
mod dns;
mod edges;
mod edit;
mod faults;
mod glue;
mod iam;
mod ids;
mod json;
pub(crate) mod keyvaluestore;
mod kinesis;
mod logs;
pub(crate) mod media;
mod mediaconnect;
mod medialive;
mod mediapackage;
mod mediatailor;
pub(crate) mod origin;
mod problem;
mod rates;
mod route;
mod s3;
pub(crate) mod seed;
mod server;
pub(crate) mod service;
mod settings;
mod state;
mod sts;
#[cfg(test)]
mod tests;
mod transport;
pub(crate) mod viewer;
mod wafv2;

pub(crate) use account::{Reset, Sandbox};
pub(crate) use faults::Directive;
pub(crate) use server::serve;
pub(crate) use settings::Settings;
pub(crate) use state::StateError;
