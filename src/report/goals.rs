//! The runbook's targets, held against what was measured: met, missed, or not known. Pure.

use serde::Serialize;

use super::figures::{Unit, figure};
use super::summary::{Measure, Summary};
use crate::runbook::Targets;

/// Whether a promise was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kept {
    Met,
    /// Nobody measured it.
    Unknown,
    Missed,
}

impl Kept {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Unknown => "not known",
            Self::Missed => "missed",
        }
    }

    /// Reads without color, too.
    pub(crate) fn sign(self) -> &'static str {
        match self {
            Self::Met => "✓",
            Self::Unknown => "?",
            Self::Missed => "✗",
        }
    }
}

/// One promise.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Goal {
    /// As `[targets]` names it.
    pub(crate) name: String,
    pub(crate) title: String,
    /// A target of the runbook; else it is judged beside them.
    pub(crate) is_target: bool,
    pub(crate) kept: Kept,
    pub(crate) value: Option<f64>,
    /// At most this, or at least, as `at_most` says.
    pub(crate) limit: f64,
    pub(crate) at_most: bool,
    pub(crate) unit: Unit,
    /// How it was measured, or why it was not.
    pub(crate) note: String,
}

impl Goal {
    /// `at most 0.1%`.
    pub(crate) fn limit_words(&self) -> String {
        let side = if self.at_most { "at most" } else { "at least" };
        format!("{side} {}", figure(self.limit, self.unit))
    }
}

/// The verdict over all promises.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Verdict {
    pub(crate) kept: Kept,
    /// Such as `5 of 6 targets met, 1 missed`.
    pub(crate) headline: String,
    pub(crate) goals: Vec<Goal>,
}

/// Requests served to viewers out of rights; the runbook need not say that none are wanted.
pub(crate) const RIGHTS: &str = "out-of-rights";

/// The edge function's share of the compute it may take.
pub(crate) const FUNCTION: &str = "function-utilization";

/// What was measured beside the summary.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Beside {
    /// The 90th percentile of the origins' latency, milliseconds.
    pub(crate) origin_latency_ms: Option<f64>,
    /// The highest average of the edge function's compute utilization, percent.
    pub(crate) function_utilization: Option<f64>,
    /// Whether the runbook has an edge function.
    pub(crate) has_function: bool,
    /// Requests served out of rights; none: not known, or nobody has rights.
    pub(crate) out_of_rights: Option<f64>,
    /// Whether the runbook says who has rights.
    pub(crate) has_rights: bool,
}

/// Judges every target.
pub(crate) fn judge(targets: &Targets, summary: &Summary, beside: Beside) -> Verdict {
    let of = |measure: Measure, limit: f64, at_most: bool| {
        let value = summary.value(measure);
        goal(
            measure.name(),
            measure.title(),
            value,
            limit,
            at_most,
            measure.unit(),
            if value.is_some() {
                summary.about(measure)
            } else {
                "the logs do not tell it"
            },
        )
    };
    let mut goals = vec![
        of(Measure::HitPercent, targets.cache_hit_ratio, false),
        of(Measure::Percent4xx, targets.errors_4xx, true),
        of(Measure::Percent5xx, targets.errors_5xx, true),
        of(Measure::FirstByteP95, targets.time_to_first_byte_ms, true),
        of(Measure::Starved, targets.rebuffering, true),
        goal(
            "origin-latency",
            "Origin latency, p90",
            beside.origin_latency_ms,
            targets.origin_latency_ms,
            true,
            Unit::Milliseconds,
            if beside.origin_latency_ms.is_some() {
                "CloudWatch's OriginLatency, weighted by requests"
            } else {
                "CloudWatch was not asked or does not have it"
            },
        ),
        goal(
            FUNCTION,
            "Compute of the edge function",
            beside.function_utilization,
            targets.function_utilization,
            true,
            Unit::Percent,
            match (beside.function_utilization, beside.has_function) {
                (Some(_), _) => "CloudWatch's FunctionComputeUtilization, its highest average",
                (None, true) => "CloudWatch was not asked or does not have it",
                (None, false) => "the runbook has no edge function ([tokens])",
            },
        ),
    ];
    if beside.has_rights {
        goals.push(goal(
            RIGHTS,
            "Requests served out of rights",
            beside.out_of_rights,
            0.0,
            true,
            Unit::Count,
            "answers under 400 to countries without rights, by the logs' country",
        ));
    }
    let count = |kept: Kept| {
        goals
            .iter()
            .filter(|goal| goal.is_target && goal.kept == kept)
            .count()
    };
    let (met, missed, unknown) = (count(Kept::Met), count(Kept::Missed), count(Kept::Unknown));
    let kept = goals
        .iter()
        .map(|goal| goal.kept)
        .max()
        .unwrap_or(Kept::Unknown);
    let mut headline = format!("{met} of {} targets met", met + missed + unknown);
    for (number, word) in [(missed, "missed"), (unknown, "not known")] {
        if number > 0 {
            headline.push_str(&format!(", {number} {word}"));
        }
    }
    let beside = goals.iter().find(|goal| !goal.is_target);
    headline.push_str(match beside.map(|goal| goal.kept) {
        None => "",
        Some(Kept::Met) => "; nothing was served out of rights",
        Some(Kept::Missed) => "; requests were served out of rights",
        Some(Kept::Unknown) => "; whether rights were kept is not known",
    });
    Verdict {
        kept,
        headline,
        goals,
    }
}

fn goal(
    name: &str,
    title: &str,
    value: Option<f64>,
    limit: f64,
    at_most: bool,
    unit: Unit,
    note: &str,
) -> Goal {
    let kept = match value {
        None => Kept::Unknown,
        Some(value) if at_most && value <= limit => Kept::Met,
        Some(value) if !at_most && value >= limit => Kept::Met,
        Some(_) => Kept::Missed,
    };
    Goal {
        name: name.to_owned(),
        title: title.to_owned(),
        is_target: name != RIGHTS,
        kept,
        value,
        limit,
        at_most,
        unit,
        note: note.to_owned(),
    }
}
