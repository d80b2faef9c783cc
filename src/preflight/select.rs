//! Which checks are meant: patterns such as `origin.*` over their ids.

use super::Check;
use crate::event::text::did_you_mean;

/// A pattern that no check's id fits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "no check is named `{pattern}`{}",
    nearest.map(|id| format!("; did you mean {id}?")).unwrap_or_default()
)]
pub(crate) struct PatternError {
    pattern: String,
    nearest: Option<&'static str>,
}

/// Patterns, each of which fits at least one check.
#[derive(Debug, Clone, Default)]
pub(crate) struct Patterns(Vec<String>);

impl Patterns {
    /// Takes ids, groups (`origin`) and ids with stars (`origin.*`).
    pub(crate) fn new(patterns: &[String], checks: &[Check]) -> Result<Self, PatternError> {
        for pattern in patterns {
            if !checks.iter().any(|check| fits(pattern, check)) {
                return Err(PatternError {
                    pattern: crate::event::text::shortened(pattern, 60),
                    nearest: did_you_mean(pattern, checks.iter().map(|check| check.id)),
                });
            }
        }
        Ok(Self(patterns.to_vec()))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn holds(&self, check: &Check) -> bool {
        self.0.iter().any(|pattern| fits(pattern, check))
    }
}

fn fits(pattern: &str, check: &Check) -> bool {
    pattern == check.group() || super::paths::matches_stars(pattern, check.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::phase::Phase;
    use crate::preflight::{Severity, Verdict};

    fn check(id: &'static str) -> Check {
        Check {
            id,
            title: "t",
            severity: Severity::Error,
            from: Phase::Setup,
            source: "s",
            run: |_| Box::pin(async { Ok(Verdict::pass("")) }),
        }
    }

    #[test]
    fn ids_groups_and_stars_select() {
        let checks = [
            check("origin.shield"),
            check("origins.x"),
            check("waf.rate"),
        ];
        let held = |pattern: &str| {
            let patterns = Patterns::new(&[pattern.to_owned()], &checks).unwrap();
            checks
                .iter()
                .filter(|check| patterns.holds(check))
                .map(|check| check.id)
                .collect::<Vec<_>>()
        };
        assert_eq!(held("origin.*"), ["origin.shield"]);
        assert_eq!(held("origin"), ["origin.shield"]);
        assert_eq!(held("*.r*"), ["waf.rate"]);
        assert_eq!(held("*"), ["origin.shield", "origins.x", "waf.rate"]);
        let error = Patterns::new(&["origin.shelid".to_owned()], &checks).unwrap_err();
        insta::assert_snapshot!(error, @"no check is named `origin.shelid`; did you mean origin.shield?");
    }
}
