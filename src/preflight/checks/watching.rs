//! The dashboard and the alarms, as provisioning would make them.

use crate::event::phase::Phase;
use crate::preflight::{Check, Facts, Outcome, Severity, Verdict, asking};
use crate::provision::{Action, Step};

const DASHBOARD: &str = "dashboard";
const ALARM: &str = "alarm";

/// Steps that one line of evidence names.
const NAMED: usize = 3;

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "dashboard.present",
        title: "the dashboard is there",
        severity: Severity::Error,
        from: Phase::Setup,
        source: "cloudwatch.GetDashboard",
        run: asking!(dashboard_present),
    },
    Check {
        id: "dashboard.equal",
        title: "the dashboard shows what the runbook asks for",
        severity: Severity::Warning,
        from: Phase::Rehearsal,
        source: "cloudwatch.GetDashboard against the body of `onair dashboard render`",
        run: asking!(dashboard_equal),
    },
    Check {
        id: "alarms.present",
        title: "every alarm is there",
        severity: Severity::Error,
        from: Phase::Setup,
        source: "cloudwatch.DescribeAlarms, in each region",
        run: asking!(alarms_present),
    },
    Check {
        id: "alarms.equal",
        title: "the alarms watch what the runbook's targets say",
        severity: Severity::Error,
        from: Phase::Rehearsal,
        source: "cloudwatch.DescribeAlarms against [targets] and [forecast]",
        run: asking!(alarms_equal),
    },
];

async fn dashboard_present(facts: &Facts<'_>) -> Outcome {
    let steps = facts.planned(DASHBOARD).await?;
    Ok(present(&steps, "the runbook has no [dashboard]"))
}

async fn dashboard_equal(facts: &Facts<'_>) -> Outcome {
    let steps = facts.planned(DASHBOARD).await?;
    Ok(equal(&steps, "the runbook has no [dashboard]"))
}

async fn alarms_present(facts: &Facts<'_>) -> Outcome {
    let steps = facts.planned(ALARM).await?;
    Ok(present(&steps, "the runbook asks for no alarms"))
}

async fn alarms_equal(facts: &Facts<'_>) -> Outcome {
    let steps = facts.planned(ALARM).await?;
    Ok(equal(&steps, "the runbook asks for no alarms"))
}

/// Whether all that provisioning would make is there; `nothing` says why it would make nothing.
pub(super) fn present(steps: &[Step], nothing: &str) -> Verdict {
    let missing = |step: &&Step| {
        step.action == Action::Create
            || (step.action == Action::Refused && step.fingerprint.is_empty())
    };
    of(steps, missing, "not there", nothing)
}

/// Whether all that is there is as provisioning would leave it. What is not there, [`present`] tells.
pub(super) fn equal(steps: &[Step], nothing: &str) -> Verdict {
    let there: Vec<Step> = steps
        .iter()
        .filter(|step| !step.fingerprint.is_empty())
        .cloned()
        .collect();
    of(
        &there,
        |step| step.action != Action::Keep,
        "not as the runbook has it",
        nothing,
    )
}

fn of(steps: &[Step], wrong: impl Fn(&&Step) -> bool, what: &str, nothing: &str) -> Verdict {
    let found: Vec<&Step> = steps.iter().filter(wrong).collect();
    let Some(first) = found.first() else {
        return match steps {
            [] => Verdict::not_applicable(nothing),
            [one] => Verdict::pass(one.name.clone()),
            many => Verdict::pass(format!("all {}", many.len())),
        };
    };
    let mut words: Vec<String> = found
        .iter()
        .take(NAMED)
        .map(|step| told(step, what))
        .collect();
    if found.len() > NAMED {
        words.push(format!("and {} more", found.len() - NAMED));
    }
    let fix = match (&first.action, &first.note) {
        (Action::Refused, Some(note)) => note.clone(),
        _ => format!("onair provision --only {}", first.kind),
    };
    Verdict::fail(words.join("; "), fix)
}

fn told(step: &Step, what: &str) -> String {
    let changes: Vec<String> = step.changes.iter().map(ToString::to_string).collect();
    match (changes.as_slice(), &step.action) {
        ([], Action::Remove) => format!("{} is left over", step.resource()),
        ([], _) => format!("{} is {what}", step.resource()),
        (changes, _) => format!("{}: {}", step.resource(), changes.join(", ")),
    }
}
