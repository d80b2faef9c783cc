//! Curves over time: axes, target lines, annotations, legend.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use plotters::style::RGBColor;
use serde_json::Value;

use super::canvas::{Align, Area, Canvas, DIM, EDGE, Point, TEXT, color, round};
use super::data::Curve;
use super::dial::figure;
use crate::event::text::shortened;

/// The colors of curves that ask for none.
const CYCLE: [&str; 8] = [
    "#1f77b4", "#ff7f0e", "#2ca02c", "#9467bd", "#17becf", "#e377c2", "#bcbd22", "#d62728",
];

/// Where and when.
#[derive(Clone, Copy)]
pub(super) struct Frame<'a> {
    pub(super) area: Area,
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    pub(super) zone: &'a TimeZone,
}

/// The plot with its scales.
struct Plot {
    area: Area,
    from: Timestamp,
    seconds: f64,
    left: (f64, f64),
    right: (f64, f64),
}

impl Plot {
    fn x(&self, at: Timestamp) -> i32 {
        let part = at.duration_since(self.from).as_secs_f64() / self.seconds;
        self.area.x + round(f64::from(self.area.width) * part)
    }

    fn y(&self, value: f64, is_right: bool) -> i32 {
        let (least, most) = if is_right { self.right } else { self.left };
        let part = ((value - least) / (most - least)).clamp(0.0, 1.0);
        self.area.bottom() - round(f64::from(self.area.height) * part)
    }
}

/// Draws a chart.
pub(super) fn chart(canvas: &Canvas<'_>, frame: Frame<'_>, properties: &Value, curves: &[Curve]) {
    let stacked = properties["stacked"] == true;
    let curves = if stacked {
        pile(curves)
    } else {
        curves.to_vec()
    };
    let axes = &properties["yAxis"];
    let has_right = curves.iter().any(|curve| curve.is_right);
    let floor = axes["left"]["min"].as_f64().unwrap_or(0.0);
    let target = target(properties);
    let highest = |is_right: bool| {
        curves
            .iter()
            .filter(|curve| curve.is_right == is_right)
            .flat_map(|curve| &curve.points)
            .map(|(_, value)| *value)
            .fold(f64::MIN, f64::max)
    };
    // A target far above the curves is left out of the scale, so that the curves keep their shape.
    let top = highest(false);
    let top = match target {
        Some((value, _)) if value < top * 2.5 => top.max(value),
        _ => top,
    };
    let is_share = properties["yAxis"]["left"]["label"]
        .as_str()
        .is_some_and(|unit| unit.starts_with('%'))
        && floor > 0.0;
    let plot = Plot {
        area: frame.area.less(46, 30, if has_right { 44 } else { 12 }, 44),
        from: frame.from,
        seconds: frame.to.duration_since(frame.from).as_secs_f64().max(1.0),
        left: (floor, if is_share { 100.0 } else { nice(top, floor) }),
        right: (0.0, nice(highest(true), 0.0)),
    };
    grid(canvas, &plot, frame, axes, has_right);
    if let Some((value, below)) = target {
        target_line(canvas, &plot, value, below);
    }
    if curves.iter().all(|curve| curve.points.is_empty()) {
        let middle = (
            plot.area.x + plot.area.width / 2,
            plot.area.y + plot.area.height / 2,
        );
        canvas.text("nothing to report", middle, 12, DIM, Align::Center);
    }
    let paints: Vec<RGBColor> = curves
        .iter()
        .zip(CYCLE.iter().cycle())
        .map(|(curve, cycled)| {
            let asked = curve.color.as_deref().and_then(color);
            asked.or_else(|| color(cycled)).unwrap_or(TEXT)
        })
        .collect();
    for (curve, paint) in curves.iter().zip(&paints).rev() {
        let line: Vec<Point> = curve
            .points
            .iter()
            .map(|(at, value)| (plot.x(*at), plot.y(*value, curve.is_right)))
            .collect();
        if stacked {
            let mut ground = line.clone();
            if let (Some(first), Some(end)) = (line.first(), line.last()) {
                ground.extend([(end.0, plot.area.bottom()), (first.0, plot.area.bottom())]);
            }
            canvas.polygon(ground, *paint, 0.35);
        }
        canvas.line(line, *paint, 2);
    }
    annotations(canvas, &plot, frame, properties);
    legend(canvas, frame.area, &curves, &paints);
}

/// Each curve on top of those before it.
fn pile(curves: &[Curve]) -> Vec<Curve> {
    let mut sums: std::collections::BTreeMap<Timestamp, f64> = std::collections::BTreeMap::new();
    curves
        .iter()
        .map(|curve| {
            let mut piled = curve.clone();
            for (at, value) in &mut piled.points {
                let sum = sums.entry(*at).or_default();
                *sum += *value;
                *value = *sum;
            }
            piled
        })
        .collect()
}

/// A round number at or above `value`.
fn nice(value: f64, floor: f64) -> f64 {
    if value <= floor {
        return floor + 1.0;
    }
    let range = (value - floor) * 1.08;
    let scale = 10_f64.powf(range.log10().floor());
    let steps = [1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0];
    let step = steps.into_iter().find(|step| range <= step * scale);
    floor + step.unwrap_or(10.0) * scale
}

/// The value of the target, and whether below it is bad.
fn target(properties: &Value) -> Option<(f64, bool)> {
    let line = &properties["annotations"]["horizontal"][0];
    Some((line["value"].as_f64()?, line["fill"] == "below"))
}

fn target_line(canvas: &Canvas<'_>, plot: &Plot, value: f64, below: bool) {
    let (least, most) = plot.left;
    if !(least..=most).contains(&value) {
        return;
    }
    let red = color("#d13212").unwrap_or(TEXT);
    let y = plot.y(value, false);
    let (top, bottom) = if below {
        (y, plot.area.bottom())
    } else {
        (plot.area.y, y)
    };
    let area = Area {
        y: top,
        height: bottom - top,
        ..plot.area
    };
    canvas.polygon(
        vec![
            (area.x, area.y),
            (area.right(), area.y),
            (area.right(), area.bottom()),
            (area.x, area.bottom()),
        ],
        red,
        0.10,
    );
    canvas.line(vec![(area.x, y), (area.right(), y)], red, 1);
}

fn grid(canvas: &Canvas<'_>, plot: &Plot, frame: Frame<'_>, axes: &Value, has_right: bool) {
    let area = plot.area;
    for step in 0..=4 {
        let part = f64::from(step) / 4.0;
        let y = area.bottom() - round(f64::from(area.height) * part);
        canvas.line(vec![(area.x, y), (area.right(), y)], EDGE, 1);
        let at = |(least, most): (f64, f64)| figure(least + (most - least) * part);
        canvas.text(&at(plot.left), (area.x - 6, y), 10, DIM, Align::Right);
        if has_right {
            canvas.text(&at(plot.right), (area.right() + 6, y), 10, DIM, Align::Left);
        }
    }
    let unit = |side: &str| axes[side]["label"].as_str().unwrap_or_default().to_owned();
    canvas.text(
        &unit("left"),
        (frame.area.right() - 8, frame.area.y + 14),
        10,
        DIM,
        Align::Right,
    );
    // Whole half hours.
    let half = 1_800;
    let first = frame.from.as_second().div_euclid(half) * half + half;
    let times = (first..frame.to.as_second()).step_by(1_800);
    for second in times {
        let Ok(at) = Timestamp::from_second(second) else {
            continue;
        };
        let x = plot.x(at);
        canvas.line(vec![(x, area.bottom()), (x, area.bottom() + 3)], DIM, 1);
        let local = at.to_zoned(frame.zone.clone());
        let text = local.strftime("%H:%M").to_string();
        canvas.text(&text, (x, area.bottom() + 10), 10, DIM, Align::Center);
    }
}

fn annotations(canvas: &Canvas<'_>, plot: &Plot, frame: Frame<'_>, properties: &Value) {
    let lines = properties["annotations"]["vertical"].as_array();
    for line in lines.into_iter().flatten() {
        let Some(at) = line["value"]
            .as_str()
            .and_then(|text| text.parse::<Timestamp>().ok())
        else {
            continue;
        };
        if at < frame.from || at > frame.to {
            continue;
        }
        let paint = line["color"].as_str().and_then(color).unwrap_or(DIM);
        let x = plot.x(at);
        canvas.line(vec![(x, plot.area.y), (x, plot.area.bottom())], paint, 1);
        let label = line["label"].as_str().unwrap_or_default();
        let label = label
            .strip_prefix(crate::dashboard::marks::PREFIX)
            .unwrap_or(label);
        canvas.text(
            &shortened(label, 22),
            (x + 3, plot.area.y + 6),
            10,
            paint,
            Align::Left,
        );
    }
}

fn legend(canvas: &Canvas<'_>, area: Area, curves: &[Curve], paints: &[RGBColor]) {
    let mut x = area.x + 12;
    let y = area.bottom() - 12;
    for (curve, paint) in curves.iter().zip(paints) {
        let label = shortened(&curve.label, 26);
        let width = 22 + 6 * i32::try_from(label.chars().count()).unwrap_or(0);
        if x + width > area.right() - 8 {
            canvas.text("…", (x, y), 11, DIM, Align::Left);
            return;
        }
        canvas.fill(
            Area {
                x,
                y: y - 3,
                width: 9,
                height: 6,
            },
            *paint,
        );
        canvas.text(&label, (x + 13, y), 11, DIM, Align::Left);
        x += width;
    }
}
