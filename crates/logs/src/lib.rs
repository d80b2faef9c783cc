//! CloudFront's and AWS WAF's logs, in every format they come in, read as one table.
//!
//! [`schema`] is what a query sees. [`scan`](scan::scan) reads an object into a [`Sink`](scan::Sink)
//! that keeps only the columns asked for. It needs no query engine: the engine's tables, the tail of
//! the real-time logs and the tests all read through it.
//!
//! From the object inwards: `lines` unpacks and cuts, [`scan`] tells what a line is, [`row`] turns its
//! fields into columns. What comes as fields already (Parquet) enters at [`row`].

pub mod cmcd;
pub mod collect;
pub mod decode;
pub mod fields;
mod lines;
mod number;
pub mod row;
pub mod rules;
pub mod scan;
pub mod schema;
mod time;
pub mod value;
pub mod waf;
