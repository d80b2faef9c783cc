//! Versions of resources, and the condition that a write carries.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::answers::Refusal;
use crate::sandbox::seed::letters;
use crate::sandbox::service::Call;

/// Former versions that are told from ones that never were.
const REMEMBERED: usize = 100;

/// A resource's version now and, as far as remembered, before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ETag {
    current: String,
    former: VecDeque<String>,
}

impl ETag {
    /// The first version of the resource of this ARN; `sequence` never repeats in an account.
    pub(crate) fn first(resource: &str, sequence: u64) -> Self {
        Self {
            current: new_etag(resource, sequence),
            former: VecDeque::new(),
        }
    }

    pub(crate) fn current(&self) -> &str {
        &self.current
    }

    /// Goes on to another version, as every write does, also one that alters nothing.
    pub(crate) fn advance(&mut self, resource: &str, sequence: u64) {
        let next = new_etag(resource, sequence);
        self.former
            .push_front(std::mem::replace(&mut self.current, next));
        self.former.truncate(REMEMBERED);
    }

    /// Checks a write's `If-Match`: absent or never a version of this resource is
    /// `InvalidIfMatchVersion`, a version of the past `PreconditionFailed`.
    pub(crate) fn check(&self, call: &Call<'_>) -> Result<(), Refusal> {
        let given = call
            .headers
            .get(http::header::IF_MATCH)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        if given == self.current {
            Ok(())
        } else if self.former.iter().any(|former| former == given) {
            Err(Refusal::new(
                "PreconditionFailed",
                "The request failed because it didn't meet the preconditions in one or more request-header fields.",
            ))
        } else {
            Err(Refusal::new(
                "InvalidIfMatchVersion",
                "The If-Match version is missing or not valid for the resource.",
            ))
        }
    }
}

/// `E` and 13 upper-case letters and digits, as AWS's look.
pub(crate) fn new_etag(resource: &str, sequence: u64) -> String {
    format!("E{}", letters("etag", resource, &sequence.to_string(), 13))
}
