//! The words of the domain, parsed once and valid for ever: addresses, countries, times, phases.
//! No I/O here, and no knowledge of AWS.

pub(crate) mod bytes;
pub(crate) mod cidr;
pub(crate) mod country;
mod country_table;
pub(crate) mod duration;
pub(crate) mod import;
pub(crate) mod input;
pub(crate) mod log_field;
pub(crate) mod name;
pub(crate) mod phase;
pub(crate) mod text;
pub(crate) mod time;
pub(crate) mod window;
