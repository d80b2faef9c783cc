//! Widgets as JSON: the few kinds that the dashboard uses, so that panels read as lists of lines.

use serde_json::{Map, Value, json};

/// Where CloudFront's and WAF's metrics are.
pub(super) const GLOBAL: &str = "us-east-1";

const GREEN: &str = "#2ca02c";
const AMBER: &str = "#ff9900";
const RED: &str = "#d13212";

/// The period of every line: CloudFront's metrics come by the minute.
pub(super) const PERIOD: u32 = 60;

/// One row of a metric widget.
#[derive(Debug, Clone)]
pub(super) struct Row {
    names: Vec<String>,
    options: Map<String, Value>,
}

impl Row {
    /// A metric with its dimensions, names and values in turn.
    pub(super) fn metric(namespace: &str, name: &str, dimensions: &[(&str, &str)]) -> Self {
        let mut names = vec![namespace.to_owned(), name.to_owned()];
        for (name, value) in dimensions {
            names.push((*name).to_owned());
            names.push((*value).to_owned());
        }
        Self {
            names,
            options: Map::new(),
        }
    }

    pub(super) fn expression(text: &str) -> Self {
        Self {
            names: Vec::new(),
            options: Map::from_iter([("expression".to_owned(), Value::from(text))]),
        }
    }

    fn with(mut self, option: &str, value: impl Into<Value>) -> Self {
        self.options.insert(option.to_owned(), value.into());
        self
    }

    pub(super) fn id(self, id: &str) -> Self {
        self.with("id", id)
    }

    pub(super) fn label(self, label: &str) -> Self {
        self.with("label", label)
    }

    pub(super) fn stat(self, stat: &str) -> Self {
        self.with("stat", stat)
    }

    pub(super) fn color(self, color: &str) -> Self {
        self.with("color", color)
    }

    /// Only used by expressions.
    pub(super) fn hidden(self) -> Self {
        self.with("visible", false)
    }

    pub(super) fn right(self) -> Self {
        self.with("yAxis", "right")
    }

    fn json(self) -> Value {
        let mut cells: Vec<Value> = self.names.into_iter().map(Value::from).collect();
        if !self.options.is_empty() {
            cells.push(Value::Object(self.options));
        }
        Value::Array(cells)
    }
}

/// Which side of a target is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Good {
    Above,
    Below,
}

/// A target, and where it turns from good to bad.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Target {
    pub(super) good: Good,
    pub(super) value: f64,
    /// Beyond this it is red; between the two, amber.
    pub(super) red: f64,
}

impl Target {
    /// At most `value`; red from twice that.
    pub(super) fn at_most(value: f64) -> Self {
        Self {
            good: Good::Below,
            value,
            red: value * 2.0,
        }
    }

    /// At least `value` percent; red when half as much again is missing.
    pub(super) fn at_least_percent(value: f64) -> Self {
        Self {
            good: Good::Above,
            value,
            red: (value - (100.0 - value) / 2.0).max(value / 2.0),
        }
    }

    /// The line of a chart.
    fn line(self) -> Value {
        let (label, fill) = match self.good {
            Good::Above => ("target: at least", "below"),
            Good::Below => ("target: at most", "above"),
        };
        json!([{ "label": format!("{label} {}", plain(self.value)), "value": self.value, "color": RED, "fill": fill }])
    }

    /// The colored parts of a dial.
    fn bands(self) -> Value {
        let band = |from: f64, to: f64, color: &str| json!([{ "value": from, "color": color }, { "value": to, "color": color }]);
        match self.good {
            Good::Above => json!([
                { "value": self.value, "color": GREEN, "fill": "above" },
                band(self.red, self.value, AMBER),
                { "value": self.red, "color": RED, "fill": "below" },
            ]),
            Good::Below => json!([
                { "value": self.value, "color": GREEN, "fill": "below" },
                band(self.value, self.red, AMBER),
                { "value": self.red, "color": RED, "fill": "above" },
            ]),
        }
    }
}

/// A number without zeros that say nothing.
fn plain(number: f64) -> String {
    let text = format!("{number:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A widget that has no place yet.
#[derive(Debug, Clone)]
pub(super) struct Widget {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) value: Value,
    /// Whether the event's times, and our actions, are drawn over it.
    pub(super) marks: Marks,
}

/// Which marks a widget has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Marks {
    None,
    Event,
    All,
}

fn rows(rows: Vec<Row>) -> Value {
    rows.into_iter().map(Row::json).collect()
}

/// Markdown.
pub(super) fn text(markdown: &str, height: u32) -> Widget {
    Widget {
        width: 24,
        height,
        value: json!({
            "type": "text",
            "properties": { "markdown": markdown, "background": "transparent" },
        }),
        marks: Marks::None,
    }
}

/// A dial from `least` to `most`, colored by a target.
pub(super) fn gauge(
    title: &str,
    metrics: Vec<Row>,
    (least, most): (f64, f64),
    target: Target,
) -> Widget {
    Widget {
        width: 4,
        height: 5,
        value: json!({
            "type": "metric",
            "properties": {
                "title": title,
                "region": GLOBAL,
                "view": "gauge",
                "period": PERIOD,
                "stat": "Average",
                "metrics": rows(metrics),
                "yAxis": { "left": { "min": least, "max": most } },
                "annotations": { "horizontal": target.bands() },
            },
        }),
        marks: Marks::None,
    }
}

/// Big numbers, each with its last hours as a line below.
pub(super) fn number(title: &str, region: &str, metrics: Vec<Row>) -> Widget {
    Widget {
        width: 4,
        height: 4,
        value: json!({
            "type": "metric",
            "properties": {
                "title": title,
                "region": region,
                "view": "singleValue",
                "sparkline": true,
                "period": PERIOD,
                "stat": "Sum",
                "metrics": rows(metrics),
            },
        }),
        marks: Marks::None,
    }
}

/// Curves over time.
pub(super) struct Chart {
    pub(super) title: String,
    pub(super) region: String,
    pub(super) unit: &'static str,
    pub(super) stat: &'static str,
    pub(super) rows: Vec<Row>,
    pub(super) target: Option<Target>,
    pub(super) stacked: bool,
    /// Where the left axis begins.
    pub(super) least: f64,
    pub(super) marks: Marks,
    /// The right axis, where one is used.
    pub(super) right: Option<&'static str>,
}

impl Chart {
    pub(super) fn new(title: impl Into<String>, region: &str, unit: &'static str) -> Self {
        Self {
            title: title.into(),
            region: region.to_owned(),
            unit,
            stat: "Sum",
            rows: Vec::new(),
            target: None,
            stacked: false,
            least: 0.0,
            marks: Marks::Event,
            right: None,
        }
    }

    pub(super) fn widget(self) -> Widget {
        let mut axes =
            json!({ "left": { "min": self.least, "label": self.unit, "showUnits": false } });
        if let Some(right) = self.right {
            axes["right"] = json!({ "min": 0, "label": right, "showUnits": false });
        }
        let mut properties = json!({
            "title": self.title,
            "region": self.region,
            "view": "timeSeries",
            "stacked": self.stacked,
            "period": PERIOD,
            "stat": self.stat,
            "metrics": rows(self.rows),
            "yAxis": axes,
            "legend": { "position": "bottom" },
        });
        if let Some(target) = self.target {
            properties["annotations"] = json!({ "horizontal": target.line() });
        }
        Widget {
            width: 8,
            height: 6,
            value: json!({ "type": "metric", "properties": properties }),
            marks: self.marks,
        }
    }
}
