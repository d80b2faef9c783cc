//! What `TestFunction` is asked for and says.

/// What a function did with an event, as CloudFront tells it. It may hold a token: not to be shown.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct TestAnswer {
    /// Percent of the allowed compute time.
    pub(crate) utilization: Option<u8>,
    /// Why the function failed; empty when it did not.
    pub(crate) error: String,
    /// JSON with a `request` or a `response`.
    pub(crate) output: String,
}
