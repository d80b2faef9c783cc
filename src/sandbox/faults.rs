//! Faults to rehearse with: throttles, conflicts, server errors, lost answers, no connection, a
//! crash of the caller. Also
//! the words in which people ask for them and for slower roll-out, latency and lifted rates.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::settings::Settings;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum FaultKind {
    /// The call is refused as too frequent.
    Throttle,
    /// A write is refused as if someone else had written since the read.
    Conflict,
    /// The service answers with this 5xx status and does nothing.
    Error(u16),
    /// The write lands, the connection breaks before the answer.
    LostAnswer,
    /// No connection; nothing lands.
    Unreachable,
    /// The process that calls dies before the call lands. Served on a port, where the caller is
    /// another process, the connection breaks instead.
    CrashBefore,
    /// The process that calls dies after the call landed.
    CrashAfter,
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Throttle => f.write_str("throttle"),
            Self::Conflict => f.write_str("conflict"),
            Self::Error(status) => write!(f, "error{status}"),
            Self::LostAnswer => f.write_str("lost-answer"),
            Self::Unreachable => f.write_str("unreachable"),
            Self::CrashBefore => f.write_str("crash-before"),
            Self::CrashAfter => f.write_str("crash-after"),
        }
    }
}

/// A fault that waits for its calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Fault {
    pub(crate) kind: FaultKind,
    /// Which calls, as `service.Operation`; `*` stands for any text.
    pub(crate) operation: String,
    /// The first matching call that is hit, counted from 1.
    pub(crate) nth: u64,
    /// How many matching calls are hit from there; none: all.
    pub(crate) count: Option<u64>,
    /// Matching calls so far.
    #[serde(default)]
    seen: u64,
}

impl Fault {
    /// A fault that hits the first call of `operation`.
    pub(crate) fn new(kind: FaultKind, operation: &str) -> Self {
        Self {
            kind,
            operation: operation.to_owned(),
            nth: 1,
            count: Some(1),
            seen: 0,
        }
    }

    /// Says whether this call is hit, and counts it.
    fn hits(&mut self, operation: &str) -> bool {
        if !matches(&self.operation, operation) {
            return false;
        }
        self.seen += 1;
        self.seen >= self.nth && self.count.is_none_or(|count| self.seen - self.nth < count)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:nth={}", self.kind, self.operation, self.nth)?;
        match self.count {
            Some(1) => Ok(()),
            Some(count) => write!(f, ",count={count}"),
            None => f.write_str(",count=all"),
        }
    }
}

/// Shows `operation` to every fault, so that each counts, and returns the first that hits it.
pub(super) fn first_hit(faults: &mut [Fault], operation: &str) -> Option<FaultKind> {
    let mut hit = None;
    for fault in faults {
        if fault.hits(operation) && hit.is_none() {
            hit = Some(fault.kind);
        }
    }
    hit
}

/// One word of a rehearsal's script: a fault, or a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Directive {
    Fault(Fault),
    /// Every answer takes this long.
    Latency(Duration),
    /// How long any change takes to reach the first edge.
    Rollout(Duration),
    /// How much longer it takes to reach the last one.
    RolloutSkew(Duration),
    /// AWS's call quotas on or off.
    Rates(bool),
}

impl Directive {
    /// Applies a setting; a fault is left to the caller.
    pub(crate) fn set(&self, settings: &mut Settings) {
        let rollout = &mut settings.rollout;
        let delays = [
            &mut rollout.distribution,
            &mut rollout.waf,
            &mut rollout.store,
        ];
        match self {
            Self::Fault(_) => {}
            Self::Latency(latency) => settings.latency = *latency,
            Self::Rollout(base) => delays.into_iter().for_each(|delay| delay.base = *base),
            Self::RolloutSkew(skew) => delays.into_iter().for_each(|delay| delay.skew = *skew),
            Self::Rates(rates) => settings.rates = *rates,
        }
    }
}

/// Why a text is not a directive.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DirectiveError {
    #[error(
        "`{0}` is not a fault or setting; known: throttle:OPERATION, conflict:OPERATION, \
         error500:OPERATION, lost-answer:OPERATION, crash-before:OPERATION, crash-after:OPERATION \
         (each with :nth=N,count=N), unreachable, \
         latency=200ms, rollout=30s, rollout-skew=10s, rates=on|off"
    )]
    Unknown(String),
    #[error("`{0}` names no operation; write it as SERVICE.OPERATION, such as wafv2.UpdateIPSet")]
    NoOperation(String),
    #[error("`{0}` is not a duration such as 200ms or 30s")]
    Duration(String),
    #[error("`{0}` is not an option of a fault; known: nth=N, count=N, count=all")]
    Option(String),
}

impl FromStr for Directive {
    type Err = DirectiveError;

    fn from_str(text: &str) -> Result<Self, DirectiveError> {
        if let Some((name, value)) = text.split_once('=')
            && !name.contains(':')
        {
            return match (name, value) {
                ("latency", _) => duration(value).map(Self::Latency),
                ("rollout", _) => duration(value).map(Self::Rollout),
                ("rollout-skew", _) => duration(value).map(Self::RolloutSkew),
                ("rates", "on") => Ok(Self::Rates(true)),
                ("rates", "off") => Ok(Self::Rates(false)),
                _ => Err(DirectiveError::Unknown(text.to_owned())),
            };
        }
        let mut parts = text.splitn(3, ':');
        let kind = kind(parts.next().unwrap_or_default())
            .ok_or_else(|| DirectiveError::Unknown(text.to_owned()))?;
        let operation = match parts.next() {
            Some(operation) if !operation.is_empty() => operation,
            None if kind == FaultKind::Unreachable => "*",
            _ => return Err(DirectiveError::NoOperation(text.to_owned())),
        };
        if operation != "*" && !operation.contains('.') {
            return Err(DirectiveError::NoOperation(text.to_owned()));
        }
        let mut fault = Fault::new(kind, operation);
        if kind == FaultKind::Unreachable {
            fault.count = None;
        }
        for option in parts.next().into_iter().flat_map(|rest| rest.split(',')) {
            let wrong = || DirectiveError::Option(option.to_owned());
            match option.split_once('=').ok_or_else(wrong)? {
                ("nth", nth) => {
                    fault.nth = nth.parse().ok().filter(|nth| *nth > 0).ok_or_else(wrong)?;
                }
                ("count", "all") => fault.count = None,
                ("count", count) => fault.count = Some(count.parse().map_err(|_| wrong())?),
                _ => return Err(wrong()),
            }
        }
        Ok(Self::Fault(fault))
    }
}

fn kind(word: &str) -> Option<FaultKind> {
    match word {
        "throttle" => Some(FaultKind::Throttle),
        "conflict" => Some(FaultKind::Conflict),
        "lost-answer" => Some(FaultKind::LostAnswer),
        "unreachable" => Some(FaultKind::Unreachable),
        "crash-before" => Some(FaultKind::CrashBefore),
        "crash-after" => Some(FaultKind::CrashAfter),
        _ => word
            .strip_prefix("error")?
            .parse()
            .ok()
            .filter(|status| (500..600).contains(status))
            .map(FaultKind::Error),
    }
}

fn duration(text: &str) -> Result<Duration, DirectiveError> {
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    text.parse::<SignedDuration>()
        .ok()
        .and_then(|duration| Duration::try_from(duration).ok())
        .ok_or_else(|| DirectiveError::Duration(text.to_owned()))
}

/// Matches a text against a pattern in which `*` stands for any text.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|text| {
            text.char_indices()
                .map(|(at, _)| at)
                .chain([text.len()])
                .any(|at| matches(rest, &text[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hits(words: &str, calls: &[&str]) -> Vec<bool> {
        let Directive::Fault(fault) = words.parse().unwrap() else {
            panic!("{words} is a setting")
        };
        let mut faults = [fault];
        calls
            .iter()
            .map(|call| first_hit(&mut faults, call).is_some())
            .collect()
    }

    #[test]
    fn hits_the_nth_matching_call_and_as_many_as_asked() {
        let calls = [
            "wafv2.UpdateIPSet",
            "wafv2.GetIPSet",
            "wafv2.UpdateIPSet",
            "wafv2.UpdateIPSet",
        ];
        for (words, expected) in [
            ("throttle:wafv2.UpdateIPSet", [true, false, false, false]),
            (
                "throttle:wafv2.UpdateIPSet:nth=2",
                [false, false, true, false],
            ),
            (
                "throttle:wafv2.UpdateIPSet:nth=2,count=2",
                [false, false, true, true],
            ),
            ("throttle:wafv2.*:count=all", [true, true, true, true]),
            ("throttle:*:nth=3", [false, false, true, false]),
            ("throttle:cloudfront.*", [false, false, false, false]),
            ("unreachable", [true, true, true, true]),
            ("error503:*.Update*:count=2", [true, false, true, false]),
        ] {
            assert_eq!(hits(words, &calls), expected, "{words}");
        }
    }

    #[test]
    fn words_round_trip() {
        for words in [
            "lost-answer:wafv2.UpdateIPSet:nth=1",
            "error500:cloudfront.*:nth=2,count=3",
            "unreachable:*:nth=1,count=all",
            "crash-before:cloudfront.UpdateDistribution:nth=2",
            "crash-after:*:nth=5",
        ] {
            let Ok(Directive::Fault(fault)) = words.parse() else {
                panic!("{words} is not a fault")
            };
            assert_eq!(fault.to_string(), words);
        }
    }

    #[test]
    fn settings_are_set() {
        let mut settings = Settings::default();
        for words in [
            "latency=200ms",
            "rollout=30s",
            "rollout-skew=0",
            "rates=off",
        ] {
            words.parse::<Directive>().unwrap().set(&mut settings);
        }
        assert_eq!(settings.latency, Duration::from_millis(200));
        assert_eq!(settings.rollout.waf.base, Duration::from_secs(30));
        assert_eq!(settings.rollout.distribution.skew, Duration::ZERO);
        assert!(!settings.rates);
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        for (words, error) in [
            (
                "thrrottle:wafv2.*",
                DirectiveError::Unknown("thrrottle:wafv2.*".to_owned()),
            ),
            (
                "error404:wafv2.*",
                DirectiveError::Unknown("error404:wafv2.*".to_owned()),
            ),
            (
                "throttle",
                DirectiveError::NoOperation("throttle".to_owned()),
            ),
            (
                "throttle:UpdateIPSet",
                DirectiveError::NoOperation("throttle:UpdateIPSet".to_owned()),
            ),
            ("latency=soon", DirectiveError::Duration("soon".to_owned())),
            ("rollout=-5s", DirectiveError::Duration("-5s".to_owned())),
            (
                "throttle:wafv2.*:nth=0",
                DirectiveError::Option("nth=0".to_owned()),
            ),
            (
                "rates=some",
                DirectiveError::Unknown("rates=some".to_owned()),
            ),
        ] {
            assert_eq!(words.parse::<Directive>(), Err(error), "{words}");
        }
    }
}
