//! What can go wrong at the command's edge: one `Failure` with its exit code, its causes and what
//! to type next. Modules below have small error types of their own, which become this one.

use std::fmt;
use std::ops::{Deref, DerefMut};

use serde_json::Value;

/// Exit codes that scripts rely on (the contract's section 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// Done, or nothing to do.
    Done,
    /// Failed; nothing was changed.
    Failed,
    /// The command line or the runbook is not valid.
    Usage,
    /// A check failed or a difference was found.
    Difference,
    /// A guard refused, or the confirmation is missing.
    Refused,
    /// A conflict or throttling outlasted the timeout, or a saved plan's state moved.
    Conflict,
    /// Some of it was applied; `ledger resume` finishes it.
    Partly,
    /// Applied, and what it should refuse is still served.
    NotYet,
    /// Ctrl-C.
    Interrupted,
}

impl Exit {
    /// The process's exit code.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Difference => 3,
            Self::Refused => 4,
            Self::Conflict => 5,
            Self::Partly => 6,
            Self::NotYet => 7,
            Self::Interrupted => 130,
        }
    }

    /// The graver of two, in the order 130, 6, 7, 5, 1 and then the rest.
    pub(crate) fn or_graver(self, other: Self) -> Self {
        let rank = |exit: Self| match exit {
            Self::Interrupted => 8,
            Self::Partly => 7,
            Self::NotYet => 6,
            Self::Conflict => 5,
            Self::Failed => 4,
            Self::Refused => 3,
            Self::Usage => 2,
            Self::Difference => 1,
            Self::Done => 0,
        };
        if rank(self) >= rank(other) {
            self
        } else {
            other
        }
    }
}

/// Why a command did not do what was asked. Boxed, so that results stay small.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Failure(Box<Details>);

/// What a failure holds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Details {
    pub(crate) exit: Exit,
    /// A stable name for scripts, such as `guard.never-block`.
    pub(crate) code: String,
    /// What went wrong, as a sentence fragment that names the thing and the place.
    pub(crate) message: String,
    /// The chain below it, outermost first.
    pub(crate) causes: Vec<String>,
    /// Things to type or check next.
    pub(crate) hints: Vec<String>,
    /// Whether the same command may work in a moment.
    pub(crate) retryable: bool,
    /// AWS's id of the request that failed.
    pub(crate) request_id: Option<String>,
    /// Whether the cloud was changed all the same.
    pub(crate) changed: bool,
    /// What the JSON answer carries as `data`: the plan, where there is one.
    pub(crate) data: Option<Value>,
    /// What the text answer shows before the error: the plan, where there is one.
    pub(crate) text: Option<String>,
}

impl Deref for Failure {
    type Target = Details;

    fn deref(&self) -> &Details {
        &self.0
    }
}

impl DerefMut for Failure {
    fn deref_mut(&mut self) -> &mut Details {
        &mut self.0
    }
}

impl Failure {
    pub(crate) fn new(exit: Exit, code: impl Into<String>, message: impl fmt::Display) -> Self {
        Self(Box::new(Details {
            exit,
            code: code.into(),
            message: message.to_string(),
            causes: Vec::new(),
            hints: Vec::new(),
            retryable: false,
            request_id: None,
            changed: false,
            data: None,
            text: None,
        }))
    }

    /// The command line or a value in it is not valid.
    pub(crate) fn usage(message: impl fmt::Display) -> Self {
        Self::new(Exit::Usage, "usage", message)
    }

    /// Something failed and nothing was changed.
    pub(crate) fn failed(code: impl Into<String>, message: impl fmt::Display) -> Self {
        Self::new(Exit::Failed, code, message)
    }

    /// A guard says no.
    pub(crate) fn refused(code: impl Into<String>, message: impl fmt::Display) -> Self {
        Self::new(Exit::Refused, code, message)
    }

    pub(crate) fn interrupted() -> Self {
        Self::new(
            Exit::Interrupted,
            "interrupted",
            "interrupted; nothing was changed",
        )
    }

    #[must_use]
    pub(crate) fn hint(mut self, hint: impl fmt::Display) -> Self {
        self.hints.push(hint.to_string());
        self
    }

    #[must_use]
    pub(crate) fn because(mut self, cause: impl fmt::Display) -> Self {
        self.causes.push(cause.to_string());
        self
    }

    /// Adds `error` and everything below it as causes.
    #[must_use]
    pub(crate) fn caused_by(mut self, error: &dyn std::error::Error) -> Self {
        self.causes.push(error.to_string());
        let mut source = error.source();
        while let Some(error) = source {
            self.causes.push(error.to_string());
            source = error.source();
        }
        self
    }

    #[must_use]
    pub(crate) fn with_data(mut self, data: Value) -> Self {
        self.data = Some(data);
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_graver_exit_wins_in_the_contracts_order() {
        let order = [
            Exit::Interrupted,
            Exit::Partly,
            Exit::NotYet,
            Exit::Conflict,
            Exit::Failed,
            Exit::Done,
        ];
        for pair in order.windows(2) {
            assert_eq!(pair[0].or_graver(pair[1]), pair[0]);
            assert_eq!(pair[1].or_graver(pair[0]), pair[0]);
        }
    }
}
