//! The dashboard as the runbook and the ledger have it: a header, gauges, panels in the runbook's order.
//!
//! The header's last line is a link reference that Markdown does not show. It holds a digest of each
//! widget as it was made, so that a later run tells what people changed by hand since.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::alarms::alarms;
use super::console;
use super::marks::{Mark, MarkKind, times_line};
use super::merge;
use super::panels;
use super::widget::{Marks, Widget, text};
use crate::event::text::{printable, shortened};
use crate::ledger::clock::EventState;
use crate::runbook::{Dashboard, Runbook};

/// The grid's columns.
const COLUMNS: u32 = 24;
/// Alarms that fit in the widget.
const MOST_ALARMS: usize = 100;

/// All that the dashboard is made of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Drawing<'a> {
    pub(crate) runbook: &'a Runbook,
    pub(crate) dashboard: &'a Dashboard,
    /// The event's clock, as the crew has set it.
    pub(crate) state: &'a EventState,
    pub(crate) marks: &'a [Mark],
}

/// The body as it should be.
pub(crate) fn body(drawing: Drawing<'_>) -> Value {
    let Drawing {
        runbook, dashboard, ..
    } = drawing;
    let mut placed = Placed::default();
    placed.put(text(&header(drawing), 3));
    placed.line(panels::gauges(runbook));
    let mut numbers = panels::numbers(runbook);
    if let Some(alarms) = alarm_widget(drawing, &numbers) {
        numbers.push(alarms);
    }
    placed.line(numbers);
    for panel in &dashboard.panels {
        placed.line(panels::panel(*panel, runbook));
    }
    let mut body = json!({
        "start": "-PT3H",
        "periodOverride": "inherit",
        "widgets": placed.widgets(drawing.marks),
    });
    merge::sign(&mut body);
    body
}

/// The text to send: one widget a line, so that a person can read it.
pub(crate) fn to_text(body: &Value) -> String {
    let Value::Object(members) = body else {
        return body.to_string();
    };
    let mut parts = Vec::new();
    for (name, value) in members {
        let text = match value {
            Value::Array(items) if name == "widgets" => {
                let lines: Vec<String> = items.iter().map(|item| format!("  {item}")).collect();
                format!("[\n{}\n ]", lines.join(",\n"))
            }
            other => other.to_string(),
        };
        parts.push(format!(" {}: {text}", Value::from(name.as_str())));
    }
    format!("{{\n{}\n}}", parts.join(",\n"))
}

fn header(drawing: Drawing<'_>) -> String {
    let Drawing { runbook, state, .. } = drawing;
    let event = &runbook.event;
    let links: Vec<String> = runbook
        .distributions
        .iter()
        .take(6)
        .map(|one| {
            format!(
                "[{} {}]({})",
                markdown(&one.name),
                markdown(&one.id),
                console::distribution_url(&one.id)
            )
        })
        .collect();
    format!(
        "# {}\n\n**{}** · {}\n\n{} · gauges: green within the runbook's target, amber near it, red beyond · made by onair: `onair -e {} dashboard apply` redraws it and keeps what you change by hand",
        markdown(&event.name),
        event.id,
        times_line(&markdown(&event.kickoff_label), state, &event.zone),
        links.join(" · "),
        event.id,
    )
}

/// Text from the runbook that Markdown takes for text.
fn markdown(text: &str) -> String {
    let mut safe = String::new();
    for character in shortened(&printable(text), 120).chars() {
        if "\\`*_[]<>#|".contains(character) {
            safe.push('\\');
        }
        safe.push(if character == '\n' { ' ' } else { character });
    }
    safe
}

/// The alarms' states, in what room the numbers leave.
fn alarm_widget(drawing: Drawing<'_>, beside: &[Widget]) -> Option<Widget> {
    let used: u32 = beside.iter().map(|widget| widget.width).sum();
    let account = &drawing.runbook.aws.account;
    let arns: Vec<Value> = alarms(drawing.runbook, drawing.dashboard)
        .iter()
        .take(MOST_ALARMS)
        .map(|alarm| {
            Value::from(format!(
                "arn:aws:cloudwatch:{}:{account}:alarm:{}",
                alarm.region, alarm.name
            ))
        })
        .collect();
    if arns.is_empty() {
        return None;
    }
    Some(Widget {
        width: COLUMNS.saturating_sub(used).max(4),
        height: 4,
        value: json!({
            "type": "alarm",
            "properties": { "title": "Alarms", "alarms": arns },
        }),
        marks: Marks::None,
    })
}

/// Widgets with their places, filled line by line.
#[derive(Default)]
struct Placed {
    widgets: Vec<(u32, u32, Widget)>,
    x: u32,
    y: u32,
    /// The height of the line that is being filled.
    height: u32,
}

impl Placed {
    fn put(&mut self, widget: Widget) {
        if self.x + widget.width > COLUMNS {
            self.end_line();
        }
        self.height = self.height.max(widget.height);
        let (x, y) = (self.x, self.y);
        self.x += widget.width;
        self.widgets.push((x, y, widget));
    }

    /// Puts widgets on lines of their own.
    fn line(&mut self, widgets: Vec<Widget>) {
        self.end_line();
        for widget in widgets {
            self.put(widget);
        }
        self.end_line();
    }

    fn end_line(&mut self) {
        self.x = 0;
        self.y += self.height;
        self.height = 0;
    }

    fn widgets(self, marks: &[Mark]) -> Vec<Value> {
        let mut titles: HashSet<String> = HashSet::new();
        self.widgets
            .into_iter()
            .map(|(x, y, widget)| {
                let mut members = Map::new();
                let mut value = widget.value;
                name_once(&mut value, &mut titles);
                annotate(&mut value, widget.marks, marks);
                members.insert("type".to_owned(), value["type"].take());
                for (name, number) in [
                    ("x", x),
                    ("y", y),
                    ("width", widget.width),
                    ("height", widget.height),
                ] {
                    members.insert(name.to_owned(), number.into());
                }
                members.insert("properties".to_owned(), value["properties"].take());
                Value::Object(members)
            })
            .collect()
    }
}

/// A title names its widget in comparisons, so each is there once.
fn name_once(widget: &mut Value, titles: &mut HashSet<String>) {
    let Some(title) = widget["properties"]["title"].as_str().map(str::to_owned) else {
        return;
    };
    let mut unique = title.clone();
    let mut count = 1;
    while !titles.insert(unique.clone()) {
        count += 1;
        unique = format!("{title} ({count})");
    }
    widget["properties"]["title"] = unique.into();
}

fn annotate(widget: &mut Value, wanted: Marks, marks: &[Mark]) {
    let shown: Vec<Value> = marks
        .iter()
        .filter(|mark| match wanted {
            Marks::None => false,
            Marks::Event => mark.kind == MarkKind::Event,
            Marks::All => true,
        })
        .map(Mark::annotation)
        .collect();
    if !shown.is_empty() {
        widget["properties"]["annotations"]["vertical"] = shown.into();
    }
}
