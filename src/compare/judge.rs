//! The judgment, figure by figure.

use jiff::Timestamp;
use serde::Serialize;

use super::limits::Limits;
use crate::event::time;
use crate::report::{Better, Measure, Summary, Unit};

/// Seconds of a stretch.
const STRETCH: i64 = 600;
/// Stretches that an event needs for its noise to be known.
const FEWEST: usize = 4;
/// Differences below this part of the first event's figure are not worth a word, percent.
const WORTH: f64 = 2.0;
/// What is taken for noise of a figure that has no course over the minutes, percent.
const WITHOUT_COURSE: f64 = 5.0;
/// Standard errors that chance stays within, two-sided, 99 times of a hundred.
const BY_CHANCE: f64 = 2.576;
/// The median absolute deviation of normal noise times this is its standard deviation.
const MAD_TO_DEVIATION: f64 = 1.4826;

/// Two events side by side.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Comparison {
    pub(crate) a: Side,
    pub(crate) b: Side,
    pub(crate) verdict: Verdict,
    /// Such as `2 better, 1 worse (errors-5xx), 6 the same`.
    pub(crate) headline: String,
    /// Whether a figure got worse than is allowed; without a limit nothing is.
    pub(crate) beyond_limits: bool,
    pub(crate) figures: Vec<Compared>,
    /// What makes the two hard to compare.
    pub(crate) cautions: Vec<String>,
}

/// One of the two.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Side {
    pub(crate) event: String,
    pub(crate) name: String,
    pub(crate) target: String,
    pub(crate) kickoff: Timestamp,
    /// The reported window.
    pub(crate) from: Timestamp,
    pub(crate) until: Timestamp,
    /// Whether it is less than the event; none: not known.
    pub(crate) is_part: Option<bool>,
    pub(crate) provisional: bool,
}

/// How the second stands to the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Verdict {
    Better,
    Same,
    Worse,
    NotComparable,
}

impl Verdict {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Same => "same",
            Self::Worse => "worse",
            Self::NotComparable => "not comparable",
        }
    }

    /// Reads without color, too.
    pub(crate) fn sign(self) -> &'static str {
        match self {
            Self::Better => "✓",
            Self::Same => "=",
            Self::Worse => "✗",
            Self::NotComparable => "?",
        }
    }
}

/// One figure of both.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Compared {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) unit: Unit,
    pub(crate) a: Option<f64>,
    pub(crate) b: Option<f64>,
    /// Percent of the first; none where that is 0 or unknown.
    pub(crate) change_percent: Option<f64>,
    /// Differences up to this are noise, in the figure's unit.
    pub(crate) noise: Option<f64>,
    /// None: it follows the audience, and is neither better nor worse.
    pub(crate) verdict: Option<Verdict>,
    /// How much worse it may get, in the figure's unit.
    pub(crate) limit: Option<f64>,
    /// Worse than a limit that was given allows.
    pub(crate) beyond_limit: bool,
    /// Worse than is allowed, by a limit or for want of one.
    pub(crate) is_refused: bool,
}

/// Holds `b` against `a`.
pub(crate) fn compare(a: &Summary, b: &Summary, limits: &Limits) -> Comparison {
    let figures: Vec<Compared> = Measure::ALL
        .into_iter()
        .map(|measure| figure(measure, a, b, limits))
        .collect();
    let named = |verdict: Verdict| -> Vec<&str> {
        figures
            .iter()
            .filter(|figure| figure.verdict == Some(verdict))
            .map(|figure| figure.name.as_str())
            .collect()
    };
    let (better, worse, same) = (
        named(Verdict::Better),
        named(Verdict::Worse),
        named(Verdict::Same),
    );
    let verdict = if !worse.is_empty() {
        Verdict::Worse
    } else if !better.is_empty() {
        Verdict::Better
    } else if !same.is_empty() {
        Verdict::Same
    } else {
        Verdict::NotComparable
    };
    let mut parts = Vec::new();
    for (names, word) in [(&better, "better"), (&worse, "worse")] {
        if !names.is_empty() {
            parts.push(format!("{} {word} ({})", names.len(), names.join(", ")));
        }
    }
    if !same.is_empty() {
        parts.push(format!("{} the same", same.len()));
    }
    let unknown = named(Verdict::NotComparable).len();
    if verdict == Verdict::NotComparable {
        parts.push("nothing could be compared: no figure is known of both".to_owned());
    } else if unknown > 0 {
        parts.push(format!("{unknown} not comparable"));
    }
    Comparison {
        a: side(a),
        b: side(b),
        verdict,
        headline: parts.join(", "),
        beyond_limits: figures.iter().any(|figure| figure.is_refused),
        cautions: cautions(a, b),
        figures,
    }
}

fn side(summary: &Summary) -> Side {
    Side {
        event: summary.event.clone(),
        name: summary.name.clone(),
        target: summary.target.clone(),
        kickoff: summary.kickoff,
        from: summary.from,
        until: summary.until,
        is_part: summary.is_part(),
        provisional: summary.provisional,
    }
}

fn cautions(a: &Summary, b: &Summary) -> Vec<String> {
    let mut cautions = Vec::new();
    for one in [a, b] {
        if one.provisional {
            cautions.push(format!(
                "{} is provisional: its totals will grow",
                one.event
            ));
        }
    }
    let kind = |one: &Summary| match one.is_part() {
        Some(true) => "a part of the event",
        Some(false) => "the whole event",
        None => "a window that an older report does not name",
    };
    let reach = |one: &Summary| {
        [one.from, one.until].map(|at| time::since_kickoff(at, one.kickoff, "kickoff"))
    };
    if a.is_part() != b.is_part() || (a.is_part() == Some(true) && reach(a) != reach(b)) {
        let told = |one: &Summary| {
            let [from, until] = reach(one);
            format!("{} of {} ({from} to {until})", kind(one), one.event)
        };
        cautions.push(format!(
            "the windows differ: {} is held against {}",
            told(b),
            told(a)
        ));
    }
    if a.target != b.target {
        cautions.push(format!(
            "{} was {} and {} was {}",
            a.event, a.target, b.event, b.target
        ));
    }
    if let (Some(one), Some(other)) = (
        a.value(Measure::PeakViewers).filter(|peak| *peak > 0.0),
        b.value(Measure::PeakViewers).filter(|peak| *peak > 0.0),
    ) {
        let ratio = (one / other).max(other / one);
        if ratio > 3.0 {
            cautions.push(format!(
                "one audience was {ratio:.1} times the other: a cache works better for more viewers"
            ));
        }
    }
    cautions
}

fn figure(measure: Measure, a: &Summary, b: &Summary, limits: &Limits) -> Compared {
    let (one, other) = (a.value(measure), b.value(measure));
    let noise = match (one, other) {
        (Some(one), Some(_)) => Some(noise(measure, one, a, b)),
        _ => None,
    };
    let mut compared = Compared {
        name: measure.name().to_owned(),
        title: measure.title().to_owned(),
        unit: measure.unit(),
        a: one,
        b: other,
        change_percent: match (one, other) {
            (Some(one), Some(other)) if one != 0.0 => Some(100.0 * (other - one) / one.abs()),
            _ => None,
        },
        noise,
        verdict: None,
        limit: None,
        beyond_limit: false,
        is_refused: false,
    };
    if measure.better() == Better::Neither {
        return compared;
    }
    let (Some(one), Some(other), Some(noise)) = (one, other, noise) else {
        compared.verdict = Some(Verdict::NotComparable);
        return compared;
    };
    let worse_by = match measure.better() {
        Better::Lower => other - one,
        Better::Higher | Better::Neither => one - other,
    };
    let verdict = if worse_by.abs() <= noise {
        Verdict::Same
    } else if worse_by > 0.0 {
        Verdict::Worse
    } else {
        Verdict::Better
    };
    let limit = limits.of(measure).map(|limit| limit.amount(one));
    compared.verdict = Some(verdict);
    compared.is_refused = verdict == Verdict::Worse && worse_by > limit.unwrap_or(0.0);
    compared.beyond_limit = compared.is_refused && limit.is_some();
    compared.limit = limit;
    compared
}

/// How far apart the two figures would be by chance, in the figure's unit.
fn noise(measure: Measure, figure: f64, a: &Summary, b: &Summary) -> f64 {
    let least = (figure * WORTH / 100.0)
        .abs()
        .max(floor(measure))
        .max(by_chance(measure, a, b));
    match (spread(measure, a), spread(measure, b)) {
        (Some(one), Some(other)) => (2.0 * one.hypot(other)).max(least),
        _ => (figure * WITHOUT_COURSE / 100.0).abs().max(least),
    }
}

/// How far apart the counts behind the two figures may put them by chance, in the figure's unit: two
/// proportions, or two Poisson rates, of one event.
fn by_chance(measure: Measure, a: &Summary, b: &Summary) -> f64 {
    let (Some(one), Some(other)) = (a.counts(measure), b.counts(measure)) else {
        return 0.0;
    };
    if one.of <= 0.0 || other.of <= 0.0 {
        return 0.0;
    }
    let pooled = (one.events + other.events) / (one.of + other.of);
    let (variance, scale) = match measure.unit() {
        Unit::Percent => ((pooled * (1.0 - pooled)).max(0.0), 100.0),
        _ => (pooled, 1.0),
    };
    scale * BY_CHANCE * (variance * (1.0 / one.of + 1.0 / other.of)).sqrt()
}

/// What nobody feels, in the figure's unit.
fn floor(measure: Measure) -> f64 {
    match measure {
        Measure::HitPercent => 0.1,
        Measure::Percent4xx | Measure::Starved | Measure::StartFailures => 0.02,
        Measure::Percent5xx => 0.005,
        Measure::FirstByteP95 => 5.0,
        Measure::StartupP50 => 25.0,
        _ => 0.0,
    }
}

/// The standard error of the mean of an event's stretches; none where there are too few.
fn spread(measure: Measure, summary: &Summary) -> Option<f64> {
    let mut stretches: Vec<(i64, f64, f64)> = Vec::new();
    for minute in &summary.minutes {
        if minute.at < summary.kickoff || minute.at >= summary.ends {
            continue;
        }
        let Some(value) = minute.value(measure) else {
            continue;
        };
        let index = (minute.at.as_second() - summary.kickoff.as_second()).div_euclid(STRETCH);
        match stretches.last_mut() {
            Some((last, sum, count)) if *last == index => {
                *sum += value;
                *count += 1.0;
            }
            _ => stretches.push((index, value, 1.0)),
        }
    }
    if stretches.len() < FEWEST {
        return None;
    }
    let means: Vec<f64> = stretches
        .iter()
        .map(|(_, sum, count)| sum / count)
        .collect();
    let middle = median(means.clone());
    let deviation = median(means.iter().map(|mean| (mean - middle).abs()).collect());
    #[expect(clippy::cast_precision_loss, reason = "stretches of an event")]
    let count = means.len() as f64;
    Some(MAD_TO_DEVIATION * deviation / count.sqrt())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len().is_multiple_of(2) {
        f64::midpoint(values[middle - 1], values[middle])
    } else {
        values[middle]
    }
}

#[cfg(test)]
pub(super) mod tests {
    use jiff::SignedDuration;
    use proptest::prelude::*;

    use super::*;
    use crate::report::{Figure, Minute, Reported, SUMMARY_SCHEMA, Tally};

    /// Three hours whose 5xx errors follow `errors` (percent by minute), with an audience of `viewers`.
    pub(crate) fn event(name: &str, viewers: f64, errors: impl Fn(u32) -> f64) -> Summary {
        let kickoff: Timestamp = "2026-06-14T18:30:00Z".parse().unwrap();
        let minutes: Vec<Minute> = (0..180)
            .map(|index| Minute {
                at: kickoff + SignedDuration::from_mins(index.into()),
                requests: viewers * 45.0,
                bytes: viewers * 3e7,
                viewers: Some(viewers),
                percent_5xx: Some(errors(index)),
                ..Minute::default()
            })
            .collect();
        let mean = (0..180).map(&errors).sum::<f64>() / 180.0;
        let figures = Measure::ALL
            .into_iter()
            .map(|measure| Figure {
                name: measure.name().to_owned(),
                value: match measure {
                    Measure::PeakViewers => Some(viewers),
                    Measure::Percent5xx => Some(mean),
                    Measure::ErrorsPerViewerHour => Some(27.0 * mean),
                    Measure::RequestsPerViewerHour => Some(2_700.0),
                    _ => None,
                },
                unit: measure.unit(),
                counts: None,
            })
            .collect();
        Summary {
            schema: SUMMARY_SCHEMA.to_owned(),
            event: name.to_owned(),
            name: name.to_uppercase(),
            target: "live".to_owned(),
            from: kickoff,
            until: kickoff + SignedDuration::from_hours(3),
            window: None,
            kickoff,
            ends: kickoff + SignedDuration::from_hours(3),
            made: kickoff + SignedDuration::from_hours(9),
            provisional: false,
            completeness: Some(100.0),
            figures,
            minutes,
            lessons: Vec::new(),
        }
    }

    fn wobble(level: f64) -> impl Fn(u32) -> f64 {
        move |index| level * (1.0 + 0.3 * (f64::from(index) / 17.0).sin())
    }

    fn verdict(a: &Summary, b: &Summary) -> Option<Verdict> {
        let compared = compare(a, b, &Limits::default());
        let errors = compared.figures.iter().find(|one| one.name == "errors-5xx");
        errors.and_then(|one| one.verdict)
    }

    #[test]
    fn an_incident_is_no_noise_and_a_wobble_is() {
        let calm = event("a", 1_000.0, wobble(0.05));
        let same = event("b", 1_000.0, wobble(0.0505));
        assert_eq!(verdict(&calm, &same), Some(Verdict::Same));
        let incident = event("c", 1_000.0, |index| {
            wobble(0.05)(index) + if (60..70).contains(&index) { 4.0 } else { 0.0 }
        });
        assert_eq!(verdict(&calm, &incident), Some(Verdict::Worse));
        assert_eq!(verdict(&incident, &calm), Some(Verdict::Better));
    }

    #[test]
    fn a_larger_audience_alone_changes_no_verdict() {
        let small = event("a", 1_000.0, wobble(0.05));
        let large = event("b", 2_000.0, wobble(0.05));
        let compared = compare(&small, &large, &Limits::default());
        assert_eq!(compared.verdict, Verdict::Same, "{compared:?}");
        assert!(!compared.beyond_limits);
    }

    #[test]
    fn a_limit_allows_what_it_says() {
        let a = event("a", 1_000.0, wobble(0.05));
        let b = event("b", 1_000.0, wobble(0.08));
        assert!(compare(&a, &b, &Limits::default()).beyond_limits);
        let mut limits = Limits::default();
        limits.set("errors-5xx=70%").unwrap();
        limits.set("errors-per-viewer-hour=70%").unwrap();
        let compared = compare(&a, &b, &limits);
        assert_eq!(compared.verdict, Verdict::Worse);
        assert!(!compared.beyond_limits);
    }

    /// Puts a figure with its counts into a summary.
    fn counted(summary: &mut Summary, measure: Measure, events: f64, of: f64) {
        let scale = if measure.unit() == Unit::Percent {
            100.0
        } else {
            1.0
        };
        for figure in &mut summary.figures {
            if figure.name == measure.name() {
                figure.value = Some(scale * events / of);
                figure.counts = Some(Tally { events, of });
            }
        }
    }

    fn of_counts(measure: Measure, one: (f64, f64), other: (f64, f64)) -> Option<Verdict> {
        let mut a = event("a", 1_000.0, |_| 0.0);
        let mut b = event("b", 1_000.0, |_| 0.0);
        counted(&mut a, measure, one.0, one.1);
        counted(&mut b, measure, other.0, other.1);
        let compared = compare(&a, &b, &Limits::default());
        let figure = compared
            .figures
            .into_iter()
            .find(|one| one.name == measure.name());
        figure.and_then(|figure| figure.verdict)
    }

    #[test]
    fn what_few_counts_give_by_chance_is_the_same() {
        let exits = |one, other| of_counts(Measure::StartFailures, one, other);
        assert_eq!(exits((2.0, 69.0), (2.0, 64.0)), Some(Verdict::Same));
        assert_eq!(exits((2.0, 69.0), (20.0, 64.0)), Some(Verdict::Worse));
        assert_eq!(
            exits((2_900.0, 100_000.0), (3_300.0, 100_000.0)),
            Some(Verdict::Worse)
        );
        // The same answers, by requests and by hours.
        for measure in [Measure::Percent5xx, Measure::ErrorsPerViewerHour] {
            let of = if measure == Measure::Percent5xx {
                90_000.0
            } else {
                31.0
            };
            let errors = |one, other| of_counts(measure, (one, of), (other, of));
            assert_eq!(errors(80.0, 82.0), Some(Verdict::Same), "{measure:?}");
            assert_eq!(errors(80.0, 108.0), Some(Verdict::Same), "{measure:?}");
            assert_eq!(errors(80.0, 160.0), Some(Verdict::Worse), "{measure:?}");
        }
    }

    #[test]
    fn windows_of_another_kind_are_told() {
        let window = |summary: &Summary, is_part| {
            Some(Reported {
                from: summary.from,
                until: summary.until,
                is_part,
            })
        };
        let mut a = event("a", 1_000.0, wobble(0.05));
        let mut b = event("b", 1_000.0, wobble(0.05));
        a.window = window(&a, false);
        b.window = window(&b, true);
        let compared = compare(&a, &b, &Limits::default());
        assert!(
            compared.cautions[0].contains("a part of the event of b (kickoff"),
            "{:?}",
            compared.cautions
        );
        b.window = window(&b, false);
        assert!(compare(&a, &b, &Limits::default()).cautions.is_empty());
    }

    #[test]
    fn what_one_lacks_is_not_comparable() {
        let a = event("a", 1_000.0, wobble(0.05));
        let compared = compare(&a, &a, &Limits::default());
        let hits = compared
            .figures
            .iter()
            .find(|one| one.name == "cache-hit-ratio")
            .unwrap();
        assert_eq!(hits.verdict, Some(Verdict::NotComparable));
    }

    proptest! {
        #[test]
        fn an_event_is_the_same_as_itself_and_the_judgment_turns(
            one in 0.0..2.0f64,
            other in 0.0..2.0f64,
        ) {
            let a = event("a", 1_000.0, wobble(one));
            let b = event("b", 1_000.0, wobble(other));
            prop_assert_eq!(verdict(&a, &a), Some(Verdict::Same));
            let there = verdict(&a, &b);
            let back = verdict(&b, &a);
            // Only which 2% is meant may differ, so a verdict may fade and never turn over.
            prop_assert!(!(there == Some(Verdict::Worse) && back == Some(Verdict::Worse)));
            prop_assert!(!(there == Some(Verdict::Better) && back == Some(Verdict::Better)));
        }
    }
}
