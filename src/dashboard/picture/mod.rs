//! A picture of a dashboard: its body on the console's grid, with the curves that the embedded cloud
//! simulates. Pure, and the same each time for the same runbook and ledger.

mod canvas;
mod chart;
mod data;
mod dial;

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use self::canvas::{Align, Area, Canvas, DIM, EDGE, PANEL, TEXT};
use self::data::Simulation;
use super::audience::audience;
use crate::ledger::clock::EventState;
use crate::runbook::Runbook;

/// Pixels of a column and of a row of the grid.
const COLUMN: i32 = 58;
const ROW: i32 = 34;
const MARGIN: i32 = 14;
/// Between widgets.
const GAP: i32 = 3;
/// The picture shows this moment of the event.
const AFTER_KICKOFF: SignedDuration = SignedDuration::from_mins(50);
/// And so much before it.
const SPAN: SignedDuration = SignedDuration::from_hours(3);

/// Draws the body as an SVG.
pub(crate) fn svg(runbook: &Runbook, state: &EventState, body: &Value) -> String {
    let audience = audience(runbook);
    let additional: BTreeSet<String> = audience
        .distributions
        .iter()
        .map(|(id, _)| id.clone())
        .collect();
    let now = state
        .times
        .starts
        .checked_add(AFTER_KICKOFF)
        .unwrap_or(Timestamp::MAX);
    let simulation = Simulation {
        audience: &audience,
        additional: &additional,
        from: now.checked_sub(SPAN).unwrap_or(Timestamp::MIN),
        now,
    };
    let widgets: Vec<&Value> = body["widgets"].as_array().into_iter().flatten().collect();
    let rows = widgets
        .iter()
        .map(|widget| number(widget, "y") + number(widget, "height"))
        .max()
        .unwrap_or(1);
    let width = 24 * COLUMN + 2 * MARGIN;
    let height = rows * ROW + 2 * MARGIN;
    let mut text = String::new();
    let canvas = Canvas::new(&mut text, width.unsigned_abs(), height.unsigned_abs());
    let zone = &runbook.event.zone;
    let prefix = super::alarms::prefix(runbook);
    for widget in widgets {
        let area = Area {
            x: MARGIN + number(widget, "x") * COLUMN,
            y: MARGIN + number(widget, "y") * ROW,
            width: number(widget, "width") * COLUMN,
            height: number(widget, "height") * ROW,
        };
        let area = area.less(GAP, GAP, GAP, GAP);
        let properties = &widget["properties"];
        match (widget["type"].as_str(), properties["view"].as_str()) {
            (Some("text"), _) => words(&canvas, area, properties),
            (Some("alarm"), _) => {
                panel(&canvas, area, properties);
                alarms(&canvas, area, properties, &prefix);
            }
            (Some("metric"), Some("gauge")) => {
                panel(&canvas, area, properties);
                dial::gauge(&canvas, area, properties, &simulation.curves(properties));
            }
            (Some("metric"), Some("singleValue")) => {
                panel(&canvas, area, properties);
                dial::numbers(&canvas, area, &simulation.curves(properties));
            }
            (Some("metric"), _) => {
                panel(&canvas, area, properties);
                let curves = simulation.curves(properties);
                let frame = chart::Frame {
                    area,
                    from: simulation.from,
                    to: now,
                    zone,
                };
                chart::chart(&canvas, frame, properties, &curves);
            }
            _ => panel(&canvas, area, properties),
        }
    }
    canvas.finish();
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

fn number(widget: &Value, name: &str) -> i32 {
    widget[name]
        .as_i64()
        .and_then(|number| i32::try_from(number).ok())
        .unwrap_or(0)
}

/// The ground of a widget, and its title.
fn panel(canvas: &Canvas<'_>, area: Area, properties: &Value) {
    canvas.fill(area, PANEL);
    canvas.frame(area, EDGE);
    let title = properties["title"].as_str().unwrap_or_default();
    let room = usize::try_from((area.width - 16) / 7).unwrap_or(0);
    let title = crate::event::text::shortened(title, room);
    canvas.text(&title, (area.x + 9, area.y + 14), 13, TEXT, Align::Left);
}

/// Markdown, as far as the dashboard uses it.
fn words(canvas: &Canvas<'_>, area: Area, properties: &Value) {
    let markdown = properties["markdown"].as_str().unwrap_or_default();
    let mut y = area.y + 18;
    for line in markdown.lines() {
        if line.trim().is_empty() || line.starts_with("[onair]:") {
            continue;
        }
        let (text, size, color, step) = if let Some(heading) = line.strip_prefix("## ") {
            (heading, 16, TEXT, 20)
        } else if let Some(heading) = line.strip_prefix("# ") {
            (heading, 25, TEXT, 30)
        } else {
            (line, 13, DIM, 22)
        };
        let text = shown(text);
        let room = usize::try_from(area.width / (size / 2).max(1)).unwrap_or(0);
        let text = crate::event::text::shortened(&text, room);
        canvas.text(&text, (area.x + 6, y), size, color, Align::Left);
        y += step;
    }
}

/// Text without its marks: links by their names, no stars and no backslashes.
fn shown(markdown: &str) -> String {
    let mut text = String::new();
    let mut rest = markdown;
    while let Some(first) = rest.chars().next() {
        rest = &rest[first.len_utf8()..];
        match first {
            '\\' => {
                if let Some(kept) = rest.chars().next() {
                    text.push(kept);
                    rest = &rest[kept.len_utf8()..];
                }
            }
            '*' | '`' | '[' => {}
            ']' => {
                if let Some((_, after)) = rest.strip_prefix('(').and_then(|url| url.split_once(')'))
                {
                    rest = after;
                }
            }
            other => text.push(other),
        }
    }
    text
}

/// The alarms as lamps: all are well in the picture.
fn alarms(canvas: &Canvas<'_>, area: Area, properties: &Value, prefix: &str) {
    let names: Vec<&str> = properties["alarms"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .filter_map(|arn| arn.splitn(7, ':').nth(6))
        .collect();
    let inner = area.less(12, 30, 8, 8);
    let rows = (inner.height / 18).max(1);
    let wide = 168;
    let columns = (inner.width / wide).max(1);
    let room = usize::try_from(rows * columns).unwrap_or(0);
    let mut place = (0, 0);
    for name in names.iter().take(room) {
        let at = (inner.x + place.0 * wide + 4, inner.y + place.1 * 18 + 6);
        let green = canvas::color("#2ca02c").unwrap_or(TEXT);
        canvas.dot(at, 4, green);
        let short = name.strip_prefix(prefix).unwrap_or(name);
        let short = crate::event::text::shortened(short, 24);
        canvas.text(&short, (at.0 + 10, at.1), 11, DIM, Align::Left);
        place.1 += 1;
        if place.1 == rows {
            place = (place.0 + 1, 0);
        }
    }
}
