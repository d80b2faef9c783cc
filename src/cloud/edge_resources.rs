//! CloudFront's resources beside distributions, as the port reads and writes them.

use jiff::Timestamp;

/// The two stages of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FunctionStage {
    /// What was sent last.
    Development,
    /// What runs at the edges.
    Live,
}

/// A function's configuration in one stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EdgeFunction {
    pub(crate) name: String,
    pub(crate) arn: String,
    /// `UNPUBLISHED`, `UNASSOCIATED`, `DEPLOYED` …
    pub(crate) status: String,
    pub(crate) comment: String,
    /// Such as `cloudfront-js-2.0`.
    pub(crate) runtime: String,
    /// ARNs of the key value stores it reads; CloudFront allows one.
    pub(crate) stores: Vec<String>,
    /// When this stage last changed.
    pub(crate) modified: Option<Timestamp>,
}

/// What a function should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FunctionCode {
    pub(crate) name: String,
    pub(crate) comment: String,
    /// The ARN of the key value store it reads.
    pub(crate) store: Option<String>,
    pub(crate) code: Vec<u8>,
}

impl FunctionCode {
    /// The only runtime that has key value stores.
    pub(crate) const RUNTIME: &str = "cloudfront-js-2.0";
}

/// A real-time log configuration with its one Kinesis stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RealtimeLogConfig {
    pub(crate) name: String,
    /// Empty for one that is still to be made.
    pub(crate) arn: String,
    /// Percent of the requests, 1 to 100.
    pub(crate) sampling: u8,
    /// In delivery order.
    pub(crate) fields: Vec<String>,
    pub(crate) stream_arn: String,
    pub(crate) role_arn: String,
}
