//! The charts: one time axis for all of them, with the event's times, the crew's actions, alarms and
//! missing logs drawn on it. Each is drawn twice, wide and narrow, so that its text keeps its size on
//! a phone. Pure: a report in, SVG out.

mod canvas;
mod scale;

use jiff::Timestamp;
use plotters::style::RGBColor;

use super::figures::{Unit, known};
use super::model::{MarkKind, Report};
use super::summary::{Measure, Minute};
use crate::event::text::shortened;
use crate::event::time;
use canvas::{
    ACTION, ALARM, AXIS, Align, BLUE, Canvas, GRID, MISSING, ON_ACTION, ORANGE, TARGET, TEXT, pixel,
};
use scale::Values;

/// A chart, drawn.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Chart {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    /// What it shows, in words.
    pub(crate) about: String,
    /// The same for who cannot see it.
    pub(crate) told: String,
    /// The curves' names, with the class of their color, where there are several.
    pub(crate) legend: Vec<(&'static str, &'static str)>,
    /// SVG for wide pages.
    pub(crate) wide: String,
    /// SVG for phones.
    pub(crate) narrow: String,
}

/// A curve of a chart.
struct Curve {
    label: &'static str,
    color: RGBColor,
    class: &'static str,
    points: Vec<(Timestamp, Option<f64>)>,
}

/// What a chart is made of.
struct Plan {
    id: &'static str,
    title: &'static str,
    about: &'static str,
    unit: Unit,
    curves: Vec<Curve>,
    target: Option<f64>,
    from_zero: bool,
    ceiling: Option<f64>,
    filled: bool,
}

/// A picture's measures, pixels.
#[derive(Clone, Copy)]
struct Frame {
    width: i32,
    height: i32,
    left: i32,
    right: i32,
    top: i32,
    bottom: i32,
    text: i32,
    /// Times side by side.
    times: usize,
}

const WIDE: Frame = Frame {
    width: 960,
    height: 250,
    left: 78,
    right: 18,
    top: 44,
    bottom: 26,
    text: 12,
    times: 12,
};

const NARROW: Frame = Frame {
    width: 400,
    height: 250,
    left: 74,
    right: 12,
    top: 44,
    bottom: 26,
    text: 12,
    times: 5,
};

/// All charts of the report; none where there are no minutes.
pub(crate) fn charts(report: &Report) -> Vec<Chart> {
    if report.summary.minutes.is_empty() {
        return Vec::new();
    }
    plans(report)
        .into_iter()
        .filter(|plan| {
            plan.curves
                .iter()
                .any(|curve| curve.points.iter().any(|(_, value)| value.is_some()))
        })
        .map(|plan| draw(report, &plan))
        .collect()
}

fn plans(report: &Report) -> Vec<Plan> {
    let minutes = &report.summary.minutes;
    let limit = |name: &str| {
        report
            .verdict
            .goals
            .iter()
            .find(|goal| goal.name == name)
            .map(|goal| goal.limit)
    };
    let curve = |label, color, class, value: &dyn Fn(&Minute) -> Option<f64>| Curve {
        label,
        color,
        class,
        points: minutes
            .iter()
            .map(|minute| (minute.at, value(minute)))
            .collect(),
    };
    let one = |value: &dyn Fn(&Minute) -> Option<f64>| vec![curve("", BLUE, "one", value)];
    let plan = |id, title, about, unit, curves| Plan {
        id,
        title,
        about,
        unit,
        curves,
        target: None,
        from_zero: true,
        ceiling: None,
        filled: false,
    };
    vec![
        Plan {
            filled: true,
            ..plan(
                "audience",
                "Audience",
                "viewers in each minute",
                Unit::Count,
                one(&|minute| minute.viewers),
            )
        },
        Plan {
            filled: true,
            ..plan(
                "throughput",
                "Throughput",
                "bits a second to viewers",
                Unit::BitsPerSecond,
                one(&|minute| Some(minute.bytes * 8.0 / 60.0)),
            )
        },
        plan(
            "bitrate",
            "Bitrate",
            "mean encoded bitrate that players asked for",
            Unit::BitsPerSecond,
            one(&|minute| minute.value(Measure::Bitrate)),
        ),
        Plan {
            target: limit(Measure::HitPercent.name()),
            from_zero: false,
            ceiling: Some(100.0),
            ..plan(
                "hits",
                "Cache hit ratio",
                "requests that spared the origin",
                Unit::Percent,
                one(&|minute| minute.hit_percent),
            )
        },
        plan(
            "errors",
            "Errors",
            "of all requests",
            Unit::Percent,
            vec![
                curve("4xx", BLUE, "one", &|minute| minute.percent_4xx),
                curve("5xx", ORANGE, "two", &|minute| minute.percent_5xx),
            ],
        ),
        Plan {
            target: limit(Measure::FirstByteP95.name()),
            ..plan(
                "first-byte",
                "Time to first byte",
                "95% of the requests were faster",
                Unit::Milliseconds,
                one(&|minute| minute.first_byte_p95_ms),
            )
        },
        Plan {
            target: limit(Measure::Starved.name()),
            ..plan(
                "rebuffering",
                "Rebuffering",
                "video segments asked for after the player had run dry",
                Unit::Percent,
                one(&|minute| minute.starved_percent),
            )
        },
    ]
}

/// The shared time axis: from doors to the end, or as far as there is traffic worth drawing.
fn axis(report: &Report) -> (Timestamp, Timestamp) {
    let minutes = &report.summary.minutes;
    let peak = minutes
        .iter()
        .map(|minute| minute.requests)
        .fold(0.0, f64::max);
    let mut busy = minutes
        .iter()
        .filter(|minute| minute.requests >= peak * 0.02)
        .map(|minute| minute.at);
    let first = busy.next().unwrap_or(report.event.doors);
    let last = busy.next_back().unwrap_or(first);
    let from = first.min(report.event.doors).max(report.event.from);
    let until = last.max(report.event.ends).min(report.event.until);
    if until > from {
        (from, until)
    } else {
        (report.event.from, report.event.until)
    }
}

fn draw(report: &Report, plan: &Plan) -> Chart {
    let mut about = plan.about.to_owned();
    if let Some(target) = plan.target {
        about.push_str(&format!(
            "; the dashed line is the target, {}",
            known(Some(target), plan.unit)
        ));
    }
    Chart {
        id: plan.id,
        title: plan.title,
        told: told(report, plan),
        about,
        legend: plan
            .curves
            .iter()
            .filter(|curve| !curve.label.is_empty())
            .map(|curve| (curve.label, curve.class))
            .collect(),
        wide: picture(report, plan, WIDE),
        narrow: picture(report, plan, NARROW),
    }
}

/// The chart in a sentence a curve.
fn told(report: &Report, plan: &Plan) -> String {
    let zone = &report.event.zone;
    let mut text = format!("{} ({}).", plan.title, plan.about);
    for curve in &plan.curves {
        let values: Vec<(Timestamp, f64)> = curve
            .points
            .iter()
            .filter_map(|(at, value)| Some((*at, (*value)?)))
            .collect();
        let highest = values
            .iter()
            .copied()
            .reduce(|one, other| if other.1 > one.1 { other } else { one });
        let lowest = values
            .iter()
            .copied()
            .min_by(|one, other| one.1.total_cmp(&other.1));
        if let (Some(highest), Some(lowest)) = (highest, lowest) {
            let label = if curve.label.is_empty() {
                String::new()
            } else {
                format!("{}: ", curve.label)
            };
            text.push_str(&format!(
                " {label}highest {} at {}, lowest {} at {}.",
                known(Some(highest.1), plan.unit),
                time::local_clock(highest.0, zone),
                known(Some(lowest.1), plan.unit),
                time::local_clock(lowest.0, zone),
            ));
        }
    }
    text
}

/// Where times and values are on the picture.
#[derive(Clone, Copy)]
struct Plot {
    frame: Frame,
    from: Timestamp,
    until: Timestamp,
    values: Values,
}

impl Plot {
    fn right(&self) -> i32 {
        self.frame.width - self.frame.right
    }

    fn bottom(&self) -> i32 {
        self.frame.height - self.frame.bottom
    }

    #[expect(clippy::cast_precision_loss, reason = "seconds of an event")]
    fn x(&self, at: Timestamp) -> i32 {
        let span = (self.until.as_second() - self.from.as_second()).max(1) as f64;
        let part = (at.as_second() - self.from.as_second()) as f64 / span;
        let width = f64::from(self.right() - self.frame.left);
        self.frame.left + pixel(width * part.clamp(0.0, 1.0))
    }

    fn y(&self, value: f64) -> i32 {
        let height = f64::from(self.bottom() - self.frame.top);
        self.bottom() - pixel(height * self.values.part(value))
    }
}

fn picture(report: &Report, plan: &Plan, frame: Frame) -> String {
    let (from, until) = axis(report);
    let shown = plan
        .curves
        .iter()
        .flat_map(|curve| &curve.points)
        .filter(|(at, _)| (from..=until).contains(at))
        .filter_map(|(_, value)| *value)
        .chain(plan.target);
    let values = Values::of(shown, plan.from_zero, plan.ceiling);
    let plot = Plot {
        frame,
        from,
        until,
        values,
    };
    let mut svg = String::new();
    let canvas = Canvas::new(
        &mut svg,
        frame.width.unsigned_abs(),
        frame.height.unsigned_abs(),
    );
    spans(&canvas, report, &plot);
    grid(&canvas, report, plan, &plot);
    if let Some(target) = plan.target {
        target_line(&canvas, &plot, target);
    }
    for curve in &plan.curves {
        let rise = if plan.filled { 0.16 } else { 0.0 };
        for piece in pieces(&curve.points, &plot) {
            if rise > 0.0
                && let (Some(first), Some(last)) = (piece.first(), piece.last())
            {
                let mut ground = piece.clone();
                ground.extend([(last.0, plot.bottom()), (first.0, plot.bottom())]);
                canvas.area(ground, curve.color, rise);
            }
            match piece[..] {
                [alone] => canvas.dot(alone, 2, curve.color),
                _ => canvas.line(piece, curve.color, 2),
            }
        }
    }
    marks(&canvas, report, &plot);
    canvas.finish();
    svg
}

/// Minutes apart from which a curve is broken: what is between was not measured.
const BREAK: i64 = 180;

/// The curve's pixels, broken where minutes are missing.
fn pieces(points: &[(Timestamp, Option<f64>)], plot: &Plot) -> Vec<Vec<(i32, i32)>> {
    let mut pieces: Vec<Vec<(i32, i32)>> = Vec::new();
    let mut last: Option<Timestamp> = None;
    for (at, value) in points {
        if *at < plot.from || *at > plot.until {
            continue;
        }
        let Some(value) = value else {
            continue;
        };
        let near = last.is_some_and(|last| at.as_second() - last.as_second() <= BREAK);
        let point = (plot.x(*at), plot.y(*value));
        match pieces.last_mut() {
            Some(piece) if near => piece.push(point),
            _ => pieces.push(vec![point]),
        }
        last = Some(*at);
    }
    pieces
}

/// Times in which an alarm stood, and of which logs are missing.
fn spans(canvas: &Canvas<'_>, report: &Report, plot: &Plot) {
    let inside = |from: Timestamp, until: Timestamp| {
        (until > plot.from && from < plot.until).then(|| {
            let (left, right) = (plot.x(from), plot.x(until));
            (left, right.max(left + 2))
        })
    };
    for (from, until) in report.completeness.gaps() {
        if let Some((left, right)) = inside(from, until) {
            canvas.rectangle(
                (left, plot.frame.top),
                (right, plot.bottom()),
                MISSING,
                0.28,
            );
        }
    }
    for span in &report.alarms {
        if let Some((left, right)) = inside(span.from, span.until.unwrap_or(plot.until)) {
            canvas.rectangle((left, plot.frame.top), (right, plot.bottom()), ALARM, 0.05);
            canvas.rectangle(
                (left, plot.bottom() - 4),
                (right, plot.bottom()),
                ALARM,
                0.85,
            );
        }
    }
}

fn grid(canvas: &Canvas<'_>, report: &Report, plan: &Plan, plot: &Plot) {
    let frame = plot.frame;
    for value in plot.values.lines() {
        let y = plot.y(value);
        canvas.line(vec![(frame.left, y), (plot.right(), y)], GRID, 1);
        let label = scale::label(value, plot.values.step, plan.unit);
        canvas.text(&label, (frame.left - 7, y), frame.text, TEXT, Align::Right);
    }
    for (at, label) in scale::times(plot.from, plot.until, &report.event.zone, frame.times) {
        let x = plot.x(at);
        canvas.line(vec![(x, plot.bottom()), (x, plot.bottom() + 4)], AXIS, 1);
        // A label that would be cut by the picture's edge is left out.
        if x > frame.left - 20 && x < frame.width - 16 {
            canvas.text(
                &label,
                (x, plot.bottom() + 15),
                frame.text,
                TEXT,
                Align::Center,
            );
        }
    }
}

fn target_line(canvas: &Canvas<'_>, plot: &Plot, target: f64) {
    let y = plot.y(target);
    let mut x = plot.frame.left;
    while x < plot.right() {
        let end = (x + 7).min(plot.right());
        canvas.line(vec![(x, y), (end, y)], TARGET, 2);
        x += 12;
    }
}

/// The event's own times as words, the crew's actions as numbers that the list below the charts
/// explains. Actions that would stand on one another share a badge.
fn marks(canvas: &Canvas<'_>, report: &Report, plot: &Plot) {
    const WORD: i32 = 7;
    let visible = |at: Timestamp| (plot.from..=plot.until).contains(&at);
    let mut taken = i32::MIN;
    for mark in &report.marks {
        if !visible(mark.at) || mark.kind == MarkKind::Action {
            continue;
        }
        let x = plot.x(mark.at);
        canvas.line(vec![(x, plot.frame.top), (x, plot.bottom())], AXIS, 1);
        let label = shortened(&mark.label, 22);
        let letters = i32::try_from(label.chars().count()).unwrap_or(22);
        let half = letters * WORD / 2;
        let center = x.clamp(half + 2, plot.frame.width - half - 2);
        if center - half > taken {
            canvas.text(&label, (center, 10), plot.frame.text, TEXT, Align::Center);
            taken = center + half + 4;
        }
    }
    let mut badges: Vec<(i32, usize, usize)> = Vec::new();
    for (number, at) in numbered(report) {
        if !visible(at) {
            continue;
        }
        let x = plot.x(at);
        canvas.line(vec![(x, plot.frame.top), (x, plot.bottom())], ACTION, 1);
        match badges.last_mut() {
            Some(last) if x - last.0 < 30 => last.2 = number,
            _ => badges.push((x, number, number)),
        }
    }
    for (x, first, last) in badges {
        let label = if first == last {
            first.to_string()
        } else {
            format!("{first}–{last}")
        };
        let half = 6 + 7 * i32::try_from(label.chars().count()).unwrap_or(1) / 2;
        let center = x.clamp(half + 1, plot.frame.width - half - 1);
        canvas.rectangle((center - half, 22), (center + half, 39), ACTION, 1.0);
        canvas.text(&label, (center, 30), 11, ON_ACTION, Align::Center);
    }
}

/// The crew's actions with the numbers by which the charts name them.
pub(crate) fn numbered(report: &Report) -> Vec<(usize, Timestamp)> {
    report
        .marks
        .iter()
        .filter(|mark| mark.kind == MarkKind::Action)
        .enumerate()
        .map(|(index, mark)| (index + 1, mark.at))
        .collect()
}
