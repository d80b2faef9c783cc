//! The real binary over the collected token vectors of others: each is inspected, or refused with
//! the right reason. The folder is named by `ONAIR_SHARED_DATA`; without it these tests fail, so that
//! nobody takes them for passed.

#[path = "../cli/harness.rs"]
#[expect(dead_code, reason = "the command tests use the rest of it")]
mod harness;
mod tokens;
