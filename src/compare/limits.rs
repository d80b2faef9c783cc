//! How much worse a figure may get before the comparison fails.

use std::collections::BTreeMap;

use crate::event::text::{did_you_mean, shortened};
use crate::report::{Better, Measure};

/// How much worse is allowed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Limit {
    /// Percent of the first event's figure.
    Relative(f64),
    /// In the figure's own unit.
    Absolute(f64),
}

impl Limit {
    /// The same in the figure's own unit.
    pub(super) fn amount(self, of: f64) -> f64 {
        match self {
            Self::Relative(percent) => (of * percent / 100.0).abs(),
            Self::Absolute(amount) => amount,
        }
    }
}

/// The limits by measure; a measure without one must not get worse at all.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Limits(BTreeMap<Measure, Limit>);

/// A limit that cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LimitError {
    #[error("`{0}` is no limit: write NAME=10% or NAME=0.05, how much worse it may get")]
    Malformed(String),
    #[error("`{name}` is no figure that can get worse{}", nearest.as_ref().map(|name| format!("; did you mean {name}?")).unwrap_or_default())]
    Unknown {
        name: String,
        nearest: Option<String>,
    },
}

impl Limits {
    /// Takes `NAME=10%` or `NAME=0.05`; a sign before the number is allowed, and says nothing.
    pub(crate) fn set(&mut self, given: &str) -> Result<(), LimitError> {
        let malformed = || LimitError::Malformed(shortened(given, 60));
        let (name, amount) = given.split_once('=').ok_or_else(malformed)?;
        let name = name.trim();
        let judged = || {
            Measure::ALL
                .into_iter()
                .filter(|measure| measure.better() != Better::Neither)
        };
        let Some(measure) = judged().find(|measure| measure.name() == name) else {
            return Err(LimitError::Unknown {
                nearest: did_you_mean(name, judged().map(Measure::name)).map(str::to_owned),
                name: shortened(name, 60),
            });
        };
        let amount = amount.trim();
        let number = |text: &str| {
            text.trim()
                .parse::<f64>()
                .ok()
                .filter(|number| number.is_finite())
                .map(f64::abs)
                .ok_or_else(malformed)
        };
        let limit = match amount.strip_suffix('%') {
            Some(percent) => Limit::Relative(number(percent)?),
            None => Limit::Absolute(number(amount)?),
        };
        self.0.insert(measure, limit);
        Ok(())
    }

    pub(super) fn of(&self, measure: Measure) -> Option<Limit> {
        self.0.get(&measure).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_in_both_forms() {
        let mut limits = Limits::default();
        limits.set("errors-5xx=+10%").unwrap();
        limits.set("time-to-first-byte=25").unwrap();
        let of = |measure| limits.of(measure).unwrap().amount(200.0);
        let is = |measure, amount: f64| (of(measure) - amount).abs() < 1e-9;
        assert!(is(Measure::Percent5xx, 20.0));
        assert!(is(Measure::FirstByteP95, 25.0));
    }

    #[test]
    fn what_is_no_limit_says_so() {
        let message = |given: &str| Limits::default().set(given).unwrap_err().to_string();
        assert!(message("errors-5xx").contains("write NAME=10%"));
        assert!(message("error-5xx=1").contains("did you mean errors-5xx?"));
        assert!(message("requests=1").contains("no figure that can get worse"));
        assert!(message("errors-5xx=nan").contains("is no limit"));
    }
}
