//! Gauges and big numbers.

use serde_json::Value;

use super::canvas::{Align, Area, Canvas, DIM, EDGE, TEXT, arc, color, round};
use super::data::Curve;

/// A dial: a half ring in the colors of its target, and a needle.
pub(super) fn gauge(canvas: &Canvas<'_>, area: Area, properties: &Value, curves: &[Curve]) {
    let axis = &properties["yAxis"]["left"];
    let (least, most) = (
        axis["min"].as_f64().unwrap_or(0.0),
        axis["max"].as_f64().unwrap_or(1.0),
    );
    let part = |value: f64| ((value - least) / (most - least)).clamp(0.0, 1.0);
    let inner = area.less(14, 30, 14, 34);
    let radius = f64::from((inner.width / 2).min(inner.height - 6));
    let center = (inner.x + inner.width / 2, inner.bottom());
    ring(canvas, center, radius, 0.0, 1.0, EDGE);
    let bands = properties["annotations"]["horizontal"].as_array();
    for band in bands.into_iter().flatten() {
        let (from, to, of) = match band {
            Value::Array(pair) => (&pair[0]["value"], &pair[1]["value"], &pair[0]),
            one if one["fill"] == "above" => (&one["value"], &axis["max"], one),
            one => (&axis["min"], &one["value"], one),
        };
        let bounds = (from.as_f64(), to.as_f64());
        let paint = of["color"].as_str().and_then(color);
        if let ((Some(from), Some(to)), Some(paint)) = (bounds, paint) {
            ring(canvas, center, radius, part(from), part(to), paint);
        }
    }
    let curve = curves.first();
    let value = curve.and_then(Curve::last);
    if let Some(value) = value {
        let at = part(value);
        let tip = arc(center, radius * 0.93, at, at)[0];
        canvas.line(vec![center, tip], TEXT, 3);
        canvas.dot(center, 5, TEXT);
    }
    let shown = value.map_or_else(|| "no data".to_owned(), figure);
    let label = curve.map_or("", |curve| curve.label.as_str());
    canvas.text(&shown, (center.0, center.1 + 16), 19, TEXT, Align::Center);
    canvas.text(
        label,
        (area.right() - 8, area.y + 14),
        11,
        DIM,
        Align::Right,
    );
    canvas.text(
        &figure(least),
        (inner.x, center.1 + 16),
        11,
        DIM,
        Align::Left,
    );
    canvas.text(
        &figure(most),
        (inner.right(), center.1 + 16),
        11,
        DIM,
        Align::Right,
    );
}

fn ring(
    canvas: &Canvas<'_>,
    center: (i32, i32),
    radius: f64,
    from: f64,
    to: f64,
    paint: plotters::style::RGBColor,
) {
    if to > from {
        let mut points = arc(center, radius, from, to);
        points.extend(arc(center, radius * 0.76, to, from));
        canvas.polygon(points, paint, 0.9);
    }
}

/// Big numbers above the line of their last hours.
pub(super) fn numbers(canvas: &Canvas<'_>, area: Area, curves: &[Curve]) {
    let inner = area.less(10, 28, 10, 8);
    let count = i32::try_from(curves.len().max(1)).unwrap_or(1);
    let width = inner.width / count;
    if curves.is_empty() {
        canvas.text("no data", (inner.x, inner.y + 14), 16, DIM, Align::Left);
    }
    let mut x = inner.x;
    for curve in curves {
        let shown = curve.last().map_or_else(|| "no data".to_owned(), figure);
        canvas.text(&shown, (x, inner.y + 14), 28, TEXT, Align::Left);
        canvas.text(&curve.label, (x, inner.y + 36), 12, DIM, Align::Left);
        let most = curve
            .points
            .iter()
            .map(|(_, value)| *value)
            .fold(f64::MIN_POSITIVE, f64::max);
        let bottom = inner.bottom();
        let high = f64::from((inner.height - 48).max(6));
        let last = f64::from(u32::try_from(curve.points.len().max(2) - 1).unwrap_or(1));
        let line: Vec<(i32, i32)> = curve
            .points
            .iter()
            .zip(0_u32..)
            .map(|((_, value), index)| {
                (
                    x + round(f64::from(width - 8) * f64::from(index) / last),
                    bottom - round(high * value / most),
                )
            })
            .collect();
        let mut ground = line.clone();
        if let (Some(first), Some(end)) = (line.first(), line.last()) {
            ground.extend([(end.0, bottom), (first.0, bottom)]);
        }
        let blue = color("#1f77b4").unwrap_or(TEXT);
        canvas.polygon(ground, blue, 0.25);
        canvas.line(line, blue, 2);
        x += width;
    }
}

/// A number in a few characters: `97.8`, `0.03`, `1.24 M`.
pub(super) fn figure(value: f64) -> String {
    let (scaled, unit) = match value.abs() {
        large if large >= 1e12 => (value / 1e12, " T"),
        large if large >= 1e9 => (value / 1e9, " G"),
        large if large >= 1e6 => (value / 1e6, " M"),
        large if large >= 1e4 => (value / 1e3, " k"),
        _ => (value, ""),
    };
    let digits = match scaled.abs() {
        large if large >= 100.0 => 0,
        middle if middle >= 10.0 => 1,
        _ => 2,
    };
    let text = format!("{scaled:.digits$}");
    let text = if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        &text
    };
    format!("{text}{unit}")
}
