//! CloudFront's and AWS WAF's logs, in every format they come in, read as one table.
//!
//! [`schema`] is what a query sees. [`scan`](scan::scan) reads an object into a [`Sink`](scan::Sink)
//! that keeps only the columns asked for. It needs no query engine: the engine's tables, the tail of
//! the real-time logs and the tests all read through it.

pub mod scan;
pub mod schema;
pub mod value;
