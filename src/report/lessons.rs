//! What to do better: drawn from the report, and what somebody adds. They are kept in the summary, and
//! `new --from` writes them into the next runbook. Pure.

use super::completeness::Completeness;
use super::figures::{Unit, figure, known};
use super::gathered::Gathered;
use super::goals::{Kept, Verdict};
use super::model::{Lesson, LessonFrom};
use super::summary::{Measure, Summary};
use super::timeline::{EntryKind, Outcome};
use crate::event::text::{printable, shortened};

/// More than this part beside the forecast is worth a word.
const FAR_FROM_FORECAST: f64 = 0.25;

/// The lessons, what the crew wrote first.
pub(crate) fn lessons(
    gathered: &Gathered,
    summary: &Summary,
    verdict: &Verdict,
    completeness: &Completeness,
) -> Vec<Lesson> {
    let mut lessons = Vec::new();
    let mut add = |from: LessonFrom, text: String| {
        lessons.push(Lesson {
            text: shortened(&printable(&text), 300),
            from,
        });
    };
    for text in &gathered.lessons {
        add(LessonFrom::Crew, text.clone());
    }
    for goal in &verdict.goals {
        if goal.kept == Kept::Missed {
            add(
                LessonFrom::Target,
                format!(
                    "{} was {}, and {} was promised",
                    goal.title,
                    known(goal.value, goal.unit),
                    goal.limit_words()
                ),
            );
        }
    }
    for entry in &gathered.timeline {
        let name = entry.name.as_deref().unwrap_or("a move of the clock");
        if matches!(entry.outcome, Outcome::Partly | Outcome::Unknown) {
            add(
                LessonFrom::Action,
                format!(
                    "{name} ({}) ended {}: see `onair ledger show {name}`",
                    entry.command,
                    entry.outcome.word()
                ),
            );
        }
        if entry.kind == EntryKind::Change && entry.undone_by.is_some() {
            add(
                LessonFrom::Action,
                format!(
                    "{name} ({}) was taken back by {}",
                    entry.what,
                    entry.undone_by.as_deref().unwrap_or_default()
                ),
            );
        }
        if !entry.overrides.is_empty() {
            add(
                LessonFrom::Guard,
                format!(
                    "{name} gave up a guard: {}{}",
                    entry.overrides.join(", "),
                    entry
                        .why
                        .as_deref()
                        .map(|why| format!(" (“{why}”)"))
                        .unwrap_or_default()
                ),
            );
        }
    }
    for waiver in &gathered.waivers {
        add(
            LessonFrom::Waiver,
            format!(
                "{} was waived by {}: {}",
                waiver.check, waiver.owner, waiver.reason
            ),
        );
    }
    if !gathered.preflight_failures.is_empty() {
        add(
            LessonFrom::Preflight,
            format!(
                "preflight failed when it last ran here: {}",
                gathered.preflight_failures.join(", ")
            ),
        );
    }
    if let (Some(expected), Some(peak)) = (
        gathered.expected_viewers.filter(|viewers| *viewers > 0.0),
        summary.value(Measure::PeakViewers),
    ) && gathered.event.target != "rehearsal"
        && (peak / expected - 1.0).abs() > FAR_FROM_FORECAST
    {
        add(
            LessonFrom::Forecast,
            format!(
                "{} viewers at the peak, and {} were expected",
                figure(peak, Unit::Count),
                figure(expected, Unit::Count)
            ),
        );
    }
    if completeness.percent.is_some() && !completeness.is_enough() {
        add(
            LessonFrom::Logs,
            format!(
                "{} of the requests are in the logs; make the report again when all have arrived",
                known(completeness.percent, Unit::Percent)
            ),
        );
    }
    lessons
}
