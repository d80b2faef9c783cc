//! The real binary over real data: published blocklists are imported, the token vectors of others are
//! inspected or refused with the right reason; and the readers of logs over logs that others had. The
//! folder is named by `ONAIR_SHARED_DATA`; without it these tests fail, so that nobody takes them for
//! passed.

mod blocklists;
#[path = "../cli/harness.rs"]
#[expect(dead_code, reason = "the command tests use the rest of it")]
mod harness;
mod logs;
mod tokens;
