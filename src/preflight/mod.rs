//! Preflight: would the event work tonight? Every check of its whole path, asked at once.
//!
//! A [`Check`] is data and one small async function over [`Facts`], which reads each resource at
//! most once however many checks need it. What a check found is a [`Verdict`]; whether that
//! counts now (phase, waivers) is judged apart, in `judge`, without asking anything. `run` lets
//! all checks run side by side. A resource that could not be read is never called wrong: that is
//! [`Gap::Unknown`], and becomes [`Verdict::CouldNotAsk`].

pub(crate) mod checks;
pub(crate) mod facts;
pub(crate) mod fetches;
pub(crate) mod history;
pub(crate) mod judge;
pub(crate) mod junit;
pub(crate) mod markdown;
pub(crate) mod paths;
pub(crate) mod reads;
pub(crate) mod run;
pub(crate) mod select;

pub(crate) use facts::Facts;
use futures_util::future::LocalBoxFuture;
use serde::Serialize;

use crate::event::phase::Phase;

/// How grave it is when a check fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Severity {
    /// Viewers would notice, or the crew could not act: NO-GO.
    Error,
    /// Worth mending; the event can go on.
    Warning,
}

impl Severity {
    /// The word as shown and in JSON.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// One thing that must be right, and how to find out.
#[derive(Clone, Copy)]
pub(crate) struct Check {
    /// Stable: `group.name`, such as `origin.shield`. Waivers and scripts name it.
    pub(crate) id: &'static str,
    /// What is true when it passes, as a short clause.
    pub(crate) title: &'static str,
    /// What a failure means.
    pub(crate) severity: Severity,
    /// Counts from this phase on; before it a failure is not yet due.
    pub(crate) from: Phase,
    /// Where the fact comes from: the API call, and the document that gives the limit.
    pub(crate) source: &'static str,
    /// Finds out. Written with [`asking`].
    pub(crate) run: for<'a> fn(&'a Facts<'a>) -> LocalBoxFuture<'a, Outcome>,
}

impl Check {
    /// What stands before the first dot of the id.
    pub(crate) fn group(&self) -> &'static str {
        self.id.split('.').next().unwrap_or(self.id)
    }
}

impl std::fmt::Debug for Check {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.id)
    }
}

/// Makes a check's `run` out of an `async fn(&Facts<'_>) -> Outcome`.
macro_rules! asking {
    ($function:path) => {
        |facts| Box::pin($function(facts))
    };
}
pub(crate) use asking;

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is right.
    Pass { evidence: String },
    /// It is wrong.
    Fail {
        /// What was seen, and what was expected.
        evidence: String,
        /// A command, or a line to change.
        fix: String,
    },
    /// It is as somebody chose, and a risk: a warning, and as grave as the check from a phase on.
    Risk {
        evidence: String,
        fix: String,
        grave_from: Phase,
    },
    /// The facts could not be had: nothing is known.
    CouldNotAsk { why: String },
    /// The event has nothing of that kind.
    NotApplicable { why: String },
}

impl Verdict {
    pub(crate) fn pass(evidence: impl Into<String>) -> Self {
        Self::Pass {
            evidence: evidence.into(),
        }
    }

    pub(crate) fn fail(evidence: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::Fail {
            evidence: evidence.into(),
            fix: fix.into(),
        }
    }

    pub(crate) fn not_applicable(why: impl Into<String>) -> Self {
        Self::NotApplicable { why: why.into() }
    }

    pub(crate) fn could_not_ask(why: impl Into<String>) -> Self {
        Self::CouldNotAsk { why: why.into() }
    }

    /// One verdict out of those of several resources: wrong when one is wrong, unknown when one is
    /// unknown, right when at least one is right. `nothing` says why there were none.
    pub(crate) fn across(verdicts: impl IntoIterator<Item = Self>, nothing: &str) -> Self {
        let (mut passed, mut failed, mut fixes, mut unknown, mut idle) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for verdict in verdicts {
            match verdict {
                Self::Pass { evidence } => passed.push(evidence),
                Self::Fail { evidence, fix } | Self::Risk { evidence, fix, .. } => {
                    failed.push(evidence);
                    if !fixes.contains(&fix) {
                        fixes.push(fix);
                    }
                }
                Self::CouldNotAsk { why } => unknown.push(why),
                Self::NotApplicable { why } => idle.push(why),
            }
        }
        for list in [&mut passed, &mut failed, &mut unknown, &mut idle] {
            let mut seen = std::collections::HashSet::new();
            list.retain(|one| seen.insert(one.clone()));
        }
        if !failed.is_empty() {
            Self::fail(failed.join("; "), fixes.join("; "))
        } else if !unknown.is_empty() {
            Self::could_not_ask(unknown.join("; "))
        } else if !passed.is_empty() {
            Self::pass(passed.join("; "))
        } else if !idle.is_empty() {
            Self::not_applicable(idle.join("; "))
        } else {
            Self::not_applicable(nothing)
        }
    }
}

/// Why a fact is not at hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Gap {
    /// The cloud says that there is no such thing. Whose job it is to report that fails; for all
    /// other checks nothing is there to judge.
    Absent(String),
    /// It could not be asked, or not understood.
    Unknown(String),
}

impl From<Gap> for Verdict {
    fn from(gap: Gap) -> Self {
        match gap {
            Gap::Absent(why) => Self::NotApplicable { why },
            Gap::Unknown(why) => Self::CouldNotAsk { why },
        }
    }
}

/// What a check's function returns: `?` on a missing fact ends it as "could not ask" or, for a
/// resource that is not there, "not applicable".
pub(crate) type Outcome = Result<Verdict, Gap>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_well_formed() {
        let mut seen = std::collections::BTreeSet::new();
        for check in checks::all() {
            assert!(seen.insert(check.id), "{} is there twice", check.id);
            let (group, name) = check.id.split_once('.').expect("group.name");
            for part in [group, name] {
                assert!(
                    !part.is_empty()
                        && part.chars().all(|one| one.is_ascii_lowercase()
                            || one.is_ascii_digit()
                            || one == '-'),
                    "{}",
                    check.id
                );
            }
            assert!(!check.source.is_empty() && !check.title.is_empty());
            assert!(!check.title.ends_with('.'), "{}", check.title);
        }
    }

    #[test]
    fn one_wrong_resource_makes_the_whole_wrong_and_an_unknown_one_unknown() {
        let pass = || Verdict::pass("a is fine");
        let fail = || Verdict::fail("b is off", "mend b");
        let unknown = || Verdict::could_not_ask("c is silent");
        assert_eq!(Verdict::across([pass(), unknown(), fail()], ""), fail());
        assert_eq!(Verdict::across([pass(), unknown()], ""), unknown());
        assert_eq!(
            Verdict::across([pass(), Verdict::not_applicable("d")], ""),
            pass()
        );
        assert_eq!(
            Verdict::across([], "nothing"),
            Verdict::not_applicable("nothing")
        );
    }
}
