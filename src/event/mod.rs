//! The words of the domain, parsed once and valid for ever: addresses, countries, times, phases.
//! No I/O here, and no knowledge of AWS.

pub(crate) mod cidr;
pub(crate) mod text;
