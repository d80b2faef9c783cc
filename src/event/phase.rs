//! The phases an event goes through, in order.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::event::text::{did_you_mean, shortened};

/// A phase of the event; the order is the order in time.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Phase {
    /// Resources are made and checked.
    Setup,
    /// The crew tries the event out.
    Rehearsal,
    /// Nothing changes any more but what protects the event.
    Freeze,
    /// Viewers are let in.
    Live,
    /// The event is over; viewers and replays trickle out.
    Cooldown,
    /// Reports, and taking things down.
    Post,
}

/// A text that names no phase.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not a phase (setup, rehearsal, freeze, live, cooldown, post){}",
    nearest.map(|phase| format!("; did you mean {phase}?")).unwrap_or_default()
)]
pub(crate) struct PhaseError {
    text: String,
    nearest: Option<Phase>,
}

impl Phase {
    /// All phases in order.
    pub(crate) const ALL: [Self; 6] = [
        Self::Setup,
        Self::Rehearsal,
        Self::Freeze,
        Self::Live,
        Self::Cooldown,
        Self::Post,
    ];

    /// The phase's name as written in runbooks and commands.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Setup => "setup",
            Self::Rehearsal => "rehearsal",
            Self::Freeze => "freeze",
            Self::Live => "live",
            Self::Cooldown => "cooldown",
            Self::Post => "post",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Phase {
    type Err = PhaseError;

    fn from_str(text: &str) -> Result<Self, PhaseError> {
        let wanted = text.trim().to_lowercase();
        let named = |name: &str| Self::ALL.into_iter().find(|phase| phase.name() == name);
        named(&wanted).ok_or_else(|| PhaseError {
            text: shortened(text, 40),
            nearest: did_you_mean(&wanted, Self::ALL.map(Self::name)).and_then(named),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_parse_back_and_typos_are_answered() {
        for phase in Phase::ALL {
            assert_eq!(phase.name().parse(), Ok(phase));
        }
        assert_eq!(" LIVE ".parse(), Ok(Phase::Live));
        insta::assert_snapshot!("freze".parse::<Phase>().unwrap_err(), @"`freze` is not a phase (setup, rehearsal, freeze, live, cooldown, post); did you mean freeze?");
        assert!(Phase::Freeze < Phase::Live);
    }
}
