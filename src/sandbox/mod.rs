//! The embedded cloud: an AWS-compatible account inside the process, for rehearsals and tests. The
//! real SDK clients, the AWS CLI and boto3 work against it, and it refuses what AWS refuses.

pub(crate) mod cloudfront;
pub(crate) mod keyvaluestore;
pub(crate) mod seed;
pub(crate) mod service;
