//! From verdicts to the answer: what counts now, what was accepted, and whether it is a GO. Pure.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Check, Severity, Verdict};
use crate::event::phase::Phase;
use crate::runbook::Waiver;

/// Where a check stands in this run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Status {
    Pass,
    Fail,
    /// It fails, and somebody accepted that for now.
    Waived,
    /// It does not pass, and need not before a later phase.
    NotYetDue,
    /// Nothing is known.
    CouldNotAsk,
    /// The event has nothing of that kind.
    NotApplicable,
}

impl Status {
    /// The word as shown and in JSON.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Waived => "waived",
            Self::NotYetDue => "not-yet-due",
            Self::CouldNotAsk => "could-not-ask",
            Self::NotApplicable => "not-applicable",
        }
    }
}

/// A check with what it found and what that means now.
#[derive(Debug, Clone)]
pub(crate) struct Finding {
    pub(crate) check: Check,
    pub(crate) status: Status,
    /// What was seen, or why nothing was.
    pub(crate) evidence: String,
    /// When it is wrong: what to type or change; when it could not be asked: how to go on.
    pub(crate) fix: Option<String>,
    /// The waiver that names the check, also an expired one.
    pub(crate) waiver: Option<Waiver>,
    /// The command line says that not knowing this is fine.
    pub(crate) unknown_is_allowed: bool,
    /// How long it took to find out.
    pub(crate) seconds: f64,
}

impl Finding {
    /// Whether it stands in the way of a GO.
    pub(crate) fn blocks(&self) -> bool {
        self.fails_as(Severity::Error) || self.is_unknown()
    }

    /// Whether it fails with this severity.
    pub(crate) fn fails_as(&self, severity: Severity) -> bool {
        self.status == Status::Fail && self.check.severity == severity
    }

    /// Whether nothing is known of it and that was not accepted.
    pub(crate) fn is_unknown(&self) -> bool {
        self.status == Status::CouldNotAsk && !self.unknown_is_allowed
    }
}

/// What a verdict is judged by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bench<'a> {
    pub(crate) phase: Phase,
    pub(crate) now: Timestamp,
    pub(crate) waivers: &'a [Waiver],
}

impl Bench<'_> {
    /// Says what a verdict means in this phase and with these waivers.
    pub(crate) fn judge(
        &self,
        mut check: Check,
        mut verdict: Verdict,
        unknown_is_allowed: bool,
        seconds: f64,
    ) -> Finding {
        if let Verdict::Risk {
            evidence,
            fix,
            grave_from,
        } = verdict
        {
            if self.phase < grave_from {
                check.severity = Severity::Warning;
            }
            verdict = Verdict::Fail { evidence, fix };
        }
        let waiver = self
            .waivers
            .iter()
            .filter(|waiver| waiver.check == check.id)
            .max_by_key(|waiver| waiver.expires)
            .cloned();
        let is_due = self.phase >= check.from;
        let holds = waiver
            .as_ref()
            .is_some_and(|waiver| waiver.expires > self.now);
        let (status, mut evidence, fix) = match verdict {
            Verdict::Pass { evidence } => (Status::Pass, evidence, None),
            Verdict::Fail { evidence, fix } | Verdict::Risk { evidence, fix, .. } => {
                let status = match (is_due, holds) {
                    (false, _) => Status::NotYetDue,
                    (true, true) => Status::Waived,
                    (true, false) => Status::Fail,
                };
                (status, evidence, Some(fix))
            }
            Verdict::CouldNotAsk { why } if is_due => {
                let fix = format!(
                    "ask again, or go without knowing: onair preflight --allow-unknown {}",
                    check.id
                );
                (Status::CouldNotAsk, why, Some(fix))
            }
            Verdict::CouldNotAsk { why } => (Status::NotYetDue, why, None),
            Verdict::NotApplicable { why } => (Status::NotApplicable, why, None),
        };
        if let Some(waiver) = &waiver
            && status == Status::Fail
        {
            evidence.push_str(&format!(
                " (the waiver of {} expired at {})",
                waiver.owner, waiver.expires
            ));
        }
        Finding {
            check,
            status,
            evidence,
            fix,
            waiver,
            unknown_is_allowed,
            seconds,
        }
    }
}

/// How many there are of what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Tally {
    /// Failing with severity error.
    pub(crate) errors: usize,
    /// Failing with severity warning.
    pub(crate) warnings: usize,
    /// Unknown, and not accepted on the command line.
    pub(crate) unknown: usize,
    pub(crate) waived: usize,
    pub(crate) passed: usize,
    pub(crate) not_yet_due: usize,
    pub(crate) not_applicable: usize,
}

impl Tally {
    pub(crate) fn of(findings: &[Finding]) -> Self {
        let count =
            |test: &dyn Fn(&Finding) -> bool| findings.iter().filter(|one| test(one)).count();
        let with = |status| count(&|one: &Finding| one.status == status);
        Self {
            errors: count(&|one| one.fails_as(Severity::Error)),
            warnings: count(&|one| one.fails_as(Severity::Warning)),
            unknown: count(&Finding::is_unknown),
            waived: with(Status::Waived),
            passed: with(Status::Pass),
            not_yet_due: with(Status::NotYetDue),
            not_applicable: with(Status::NotApplicable),
        }
    }

    /// Whether nothing stands in the way.
    pub(crate) fn is_go(self) -> bool {
        self.errors == 0 && self.unknown == 0
    }

    /// The first line of the answer: `GO`, `GO with 2 waivers`, `NO-GO: 3`. What could not be asked
    /// is not counted as wrong, and is not a GO either.
    pub(crate) fn headline(self) -> String {
        match (self.errors, self.unknown, self.waived) {
            (0, 0, 0) => "GO".to_owned(),
            (0, 0, 1) => "GO with 1 waiver".to_owned(),
            (0, 0, waived) => format!("GO with {waived} waivers"),
            (0, unknown, _) => format!("NO-GO: {unknown} could not be asked"),
            (errors, 0, _) => format!("NO-GO: {errors}"),
            (errors, unknown, _) => format!("NO-GO: {errors}, and {unknown} could not be asked"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(severity: Severity, from: Phase) -> Check {
        Check {
            id: "origin.shield",
            title: "Origin Shield is on",
            severity,
            from,
            source: "test",
            run: |_| Box::pin(async { Ok(Verdict::pass("")) }),
        }
    }

    fn waiver(expires: &str) -> Waiver {
        Waiver {
            check: "origin.shield".to_owned(),
            reason: "single region".to_owned(),
            owner: "jess".to_owned(),
            expires: expires.parse().unwrap(),
        }
    }

    fn status(verdict: Verdict, phase: Phase, waivers: &[Waiver]) -> Status {
        let bench = Bench {
            phase,
            now: "2026-06-14T12:00:00Z".parse().unwrap(),
            waivers,
        };
        bench
            .judge(
                check(Severity::Error, Phase::Rehearsal),
                verdict,
                false,
                0.0,
            )
            .status
    }

    #[test]
    fn a_failure_counts_from_its_phase_unless_somebody_accepted_it() {
        let fail = || Verdict::fail("off", "switch it on");
        let valid = [waiver("2026-06-15T00:00:00Z")];
        let expired = [waiver("2026-06-14T11:59:59Z")];
        for (verdict, phase, waivers, expected) in [
            (fail(), Phase::Setup, &[][..], Status::NotYetDue),
            (fail(), Phase::Rehearsal, &[][..], Status::Fail),
            (fail(), Phase::Live, &valid[..], Status::Waived),
            (fail(), Phase::Live, &expired[..], Status::Fail),
            (
                Verdict::could_not_ask("?"),
                Phase::Setup,
                &[][..],
                Status::NotYetDue,
            ),
            (
                Verdict::could_not_ask("?"),
                Phase::Live,
                &valid[..],
                Status::CouldNotAsk,
            ),
            (Verdict::pass("on"), Phase::Setup, &valid[..], Status::Pass),
        ] {
            assert_eq!(
                status(verdict.clone(), phase, waivers),
                expected,
                "{verdict:?}"
            );
        }
    }

    #[test]
    fn a_risk_is_a_warning_until_its_phase() {
        for (phase, severity) in [
            (Phase::Rehearsal, Severity::Warning),
            (Phase::Freeze, Severity::Warning),
            (Phase::Live, Severity::Error),
            (Phase::Cooldown, Severity::Error),
        ] {
            let bench = Bench {
                phase,
                now: Timestamp::UNIX_EPOCH,
                waivers: &[],
            };
            let risk = Verdict::Risk {
                evidence: "off".to_owned(),
                fix: "on".to_owned(),
                grave_from: Phase::Live,
            };
            let check = check(Severity::Error, Phase::Setup);
            let finding = bench.judge(check, risk, false, 0.0);
            assert!(finding.fails_as(severity), "{phase}: {finding:?}");
        }
    }

    #[test]
    fn an_expired_waiver_is_named() {
        let bench = Bench {
            phase: Phase::Live,
            now: "2026-06-14T12:00:00Z".parse().unwrap(),
            waivers: &[waiver("2026-06-14T11:00:00Z")],
        };
        let finding = bench.judge(
            check(Severity::Error, Phase::Setup),
            Verdict::fail("off", "switch it on"),
            false,
            0.0,
        );
        assert!(
            finding.evidence.contains("waiver of jess expired"),
            "{finding:?}"
        );
    }

    #[test]
    fn only_errors_and_the_unknown_stand_in_the_way() {
        let bench = Bench {
            phase: Phase::Live,
            now: Timestamp::UNIX_EPOCH,
            waivers: &[],
        };
        let judge = |severity, verdict, allowed| {
            bench.judge(check(severity, Phase::Setup), verdict, allowed, 0.0)
        };
        let fail = || Verdict::fail("off", "on");
        let unknown = || Verdict::could_not_ask("silent");
        for (findings, headline, is_go) in [
            (vec![], "GO", true),
            (vec![judge(Severity::Warning, fail(), false)], "GO", true),
            (vec![judge(Severity::Error, unknown(), true)], "GO", true),
            (
                vec![judge(Severity::Error, fail(), false)],
                "NO-GO: 1",
                false,
            ),
            (
                vec![judge(Severity::Warning, unknown(), false)],
                "NO-GO: 1 could not be asked",
                false,
            ),
            (
                vec![
                    judge(Severity::Error, fail(), false),
                    judge(Severity::Error, unknown(), false),
                ],
                "NO-GO: 1, and 1 could not be asked",
                false,
            ),
        ] {
            let tally = Tally::of(&findings);
            assert_eq!(
                (tally.headline().as_str(), tally.is_go()),
                (headline, is_go)
            );
            assert_eq!(findings.iter().any(Finding::blocks), !is_go);
        }
    }
}
