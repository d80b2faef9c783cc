//! The metric widget: its rows, its axes and its annotations.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::{Findings, MOST_METRICS_A_WIDGET, is_alarm_arn, is_moment};

/// Members of `properties` that the reference names or the console writes.
const KNOWN: [&str; 21] = [
    "accountId",
    "annotations",
    "end",
    "labels",
    "legend",
    "liveData",
    "metrics",
    "period",
    "region",
    "setPeriodToTimeRange",
    "singleValueFullPrecision",
    "sparkline",
    "stacked",
    "start",
    "stat",
    "table",
    "timezone",
    "title",
    "trend",
    "view",
    "yAxis",
];

/// Options that end a row.
const OPTIONS: [&str; 11] = [
    "accountId",
    "color",
    "expression",
    "id",
    "label",
    "period",
    "region",
    "sparkline",
    "stat",
    "visible",
    "yAxis",
];

/// Dimensions that a metric may have.
const MOST_DIMENSIONS: usize = 30;

/// Checks a metric widget's properties, and returns how many metrics it has.
pub(super) fn check(findings: &mut Findings, path: &str, properties: &Map<String, Value>) -> usize {
    findings.known(properties, path, &KNOWN);
    match properties.get("region") {
        Some(Value::String(region)) if !region.is_empty() => {}
        Some(_) => findings.error(&format!("{path}/region"), "Should be string"),
        None => findings.error(path, "Should have required property 'region'"),
    }
    findings.one_of(
        properties,
        path,
        "view",
        &["timeSeries", "singleValue", "gauge", "bar", "pie", "table"],
    );
    findings.text(properties, path, "title", 255);
    for member in [
        "stacked",
        "liveData",
        "sparkline",
        "setPeriodToTimeRange",
        "trend",
    ] {
        findings.boolean(properties, path, member);
    }
    check_statistic(findings, path, properties);
    check_period(findings, path, properties);
    if let Some(legend) = properties.get("legend") {
        let inner = format!("{path}/legend");
        match legend.as_object() {
            Some(legend) => {
                findings.one_of(legend, &inner, "position", &["right", "bottom", "hidden"]);
            }
            None => findings.error(&inner, "Should be object"),
        }
    }
    if let Some(zone) = properties.get("timezone")
        && !zone.as_str().is_some_and(is_offset)
    {
        findings.error(&format!("{path}/timezone"), "Should be like +0130");
    }
    check_axes(findings, path, properties);
    let has_alarm = check_annotations(findings, path, properties);
    match (properties.get("metrics"), has_alarm) {
        (Some(_), true) => {
            findings.error(
                path,
                "Should have either 'metrics' or an alarm annotation, not both",
            );
            0
        }
        (Some(Value::Array(rows)), false) => {
            check_rows(findings, &format!("{path}/metrics"), rows);
            rows.len()
        }
        (Some(_), false) => {
            findings.error(&format!("{path}/metrics"), "Should be array");
            0
        }
        (None, true) => 1,
        (None, false) => {
            findings.error(
                path,
                "Should have required property 'metrics', or an alarm annotation",
            );
            0
        }
    }
}

fn check_statistic(findings: &mut Findings, path: &str, object: &Map<String, Value>) {
    if let Some(stat) = object.get("stat")
        && !stat.as_str().is_some_and(is_statistic)
    {
        findings.error(
            &format!("{path}/stat"),
            "Should be a statistic such as Average, Sum, Maximum or p90",
        );
    }
}

fn check_period(findings: &mut Findings, path: &str, object: &Map<String, Value>) {
    if let Some(period) = object.get("period")
        && !period
            .as_u64()
            .is_some_and(|period| period > 0 && period.is_multiple_of(60))
    {
        findings.error(&format!("{path}/period"), "Should be a multiple of 60");
    }
}

/// The five words, or letters and a percentile: `p99.9`, `tm90`, `TM(10%:90%)`.
pub(crate) fn is_statistic(text: &str) -> bool {
    if matches!(
        text,
        "Average" | "Maximum" | "Minimum" | "SampleCount" | "Sum" | "IQM"
    ) {
        return true;
    }
    let percentile = ["p", "tm", "wm", "tc", "ts", "pr"]
        .iter()
        .filter_map(|name| text.strip_prefix(name))
        .any(|number| {
            number
                .parse::<f64>()
                .is_ok_and(|number| (0.0..=100.0).contains(&number))
        });
    let range = ["PR", "TM", "WM", "TC", "TS"]
        .iter()
        .filter_map(|name| text.strip_prefix(name))
        .any(|rest| rest.starts_with('(') && rest.ends_with(')') && rest.contains(':'));
    percentile || range
}

/// `+0130`
fn is_offset(text: &str) -> bool {
    let mut bytes = text.bytes();
    matches!(bytes.next(), Some(b'+' | b'-'))
        && text.len() == 5
        && bytes.all(|byte| byte.is_ascii_digit())
}

fn check_axes(findings: &mut Findings, path: &str, properties: &Map<String, Value>) {
    let axes = properties.get("yAxis");
    if let Some(axes) = axes {
        let inner = format!("{path}/yAxis");
        match axes.as_object() {
            None => findings.error(&inner, "Should be object"),
            Some(axes) => {
                findings.known(axes, &inner, &["left", "right"]);
                for side in ["left", "right"] {
                    let path = format!("{inner}/{side}");
                    match axes.get(side) {
                        None => {}
                        Some(Value::Object(axis)) => {
                            findings.known(axis, &path, &["label", "min", "max", "showUnits"]);
                            findings.number(axis, &path, "min");
                            findings.number(axis, &path, "max");
                            findings.boolean(axis, &path, "showUnits");
                        }
                        Some(_) => findings.error(&path, "Should be object"),
                    }
                }
            }
        }
    }
    if properties.get("view").and_then(Value::as_str) == Some("gauge") {
        let bound = |name: &str| {
            let axis = axes?.get("left")?;
            axis.get(name)?.as_f64()
        };
        match (bound("min"), bound("max")) {
            (Some(least), Some(most)) if least < most => {}
            _ => findings.error(
                path,
                "A gauge should have yAxis.left.min and a larger yAxis.left.max",
            ),
        }
    }
}

/// Checks the annotations; says whether one of them is an alarm.
fn check_annotations(findings: &mut Findings, path: &str, properties: &Map<String, Value>) -> bool {
    let path = format!("{path}/annotations");
    let annotations = match properties.get("annotations") {
        None => return false,
        Some(Value::Object(annotations)) => annotations,
        Some(_) => {
            findings.error(&path, "Should be object");
            return false;
        }
    };
    findings.known(annotations, &path, &["alarms", "horizontal", "vertical"]);
    for (member, vertical) in [("horizontal", false), ("vertical", true)] {
        let path = format!("{path}/{member}");
        match annotations.get(member) {
            None => {}
            Some(Value::Array(lines)) => {
                for (index, line) in lines.iter().enumerate() {
                    check_line(findings, &format!("{path}/{index}"), line, vertical);
                }
            }
            Some(_) => findings.error(&path, "Should be array"),
        }
    }
    let Some(alarms) = annotations.get("alarms") else {
        return false;
    };
    let path_alarms = format!("{path}/alarms");
    match alarms.as_array().map(Vec::as_slice) {
        Some([Value::String(arn)]) if is_alarm_arn(arn) => {}
        Some([_]) => findings.error(&path_alarms, "Should be the ARN of an alarm"),
        _ => findings.error(&path_alarms, "Should have exactly 1 item"),
    }
    if annotations.len() > 1 {
        findings.error(&path, "An alarm annotation should be the only annotation");
    }
    true
}

/// One annotation, or two of which the area between is meant.
fn check_line(findings: &mut Findings, path: &str, line: &Value, vertical: bool) {
    match line {
        Value::Array(pair) if pair.len() == 2 => {
            for (index, end) in pair.iter().enumerate() {
                match end {
                    Value::Object(end) => {
                        check_end(findings, &format!("{path}/{index}"), end, vertical);
                    }
                    _ => findings.error(&format!("{path}/{index}"), "Should be object"),
                }
            }
        }
        Value::Object(end) => check_end(findings, path, end, vertical),
        _ => findings.error(path, "Should be an annotation, or a band of two"),
    }
}

fn check_end(findings: &mut Findings, path: &str, end: &Map<String, Value>, vertical: bool) {
    findings.known(
        end,
        path,
        &["color", "fill", "label", "value", "visible", "yAxis"],
    );
    let is_value = |value: &Value| {
        if vertical {
            value.as_str().is_some_and(is_moment)
        } else {
            value.is_number()
        }
    };
    if !end.get("value").is_some_and(is_value) {
        findings.error(
            &format!("{path}/value"),
            if vertical {
                "Should be an ISO 8601 time"
            } else {
                "Should be number"
            },
        );
    }
    let fills: &[&str] = if vertical {
        &["before", "after", "none"]
    } else {
        &["above", "below", "none"]
    };
    findings.one_of(end, path, "fill", fills);
    check_color(findings, path, end);
    findings.boolean(end, path, "visible");
}

fn check_color(findings: &mut Findings, path: &str, object: &Map<String, Value>) {
    if let Some(color) = object.get("color") {
        let is_color = color.as_str().is_some_and(|text| {
            text.strip_prefix('#').is_some_and(|digits| {
                digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
            })
        });
        if !is_color {
            findings.error(&format!("{path}/color"), "Should be like #1f77b4");
        }
    }
}

fn check_rows(findings: &mut Findings, path: &str, rows: &[Value]) {
    if rows.len() > MOST_METRICS_A_WIDGET {
        findings.error(
            path,
            format!("Should NOT have more than {MOST_METRICS_A_WIDGET} items"),
        );
    }
    let mut ids: HashSet<&str> = HashSet::new();
    let mut above: Vec<&str> = Vec::new();
    let mut insights = 0;
    for (index, row) in rows.iter().enumerate() {
        let path = format!("{path}/{index}");
        let Value::Array(cells) = row else {
            findings.error(&path, "Should be array");
            continue;
        };
        let (names, options) = match cells.split_last() {
            Some((Value::Object(options), names)) => (names, Some(options)),
            _ => (cells.as_slice(), None),
        };
        if let Some(options) = options {
            check_options(findings, &format!("{path}/{}", names.len()), options);
            if let Some(id) = options.get("id").and_then(Value::as_str)
                && !ids.insert(id)
            {
                findings.error(&path, format!("The id '{id}' is used twice"));
            }
        }
        if let Some(expression) = options.and_then(|options| options.get("expression")) {
            if !names.is_empty() {
                findings.error(&path, "An expression should stand alone in its row");
            }
            let is_insights = expression
                .as_str()
                .is_some_and(|text| text.trim_start().to_uppercase().starts_with("SELECT "));
            insights += usize::from(is_insights);
            continue;
        }
        let mut texts = Vec::new();
        for (column, name) in names.iter().enumerate() {
            match name.as_str() {
                Some(text) if !text.is_empty() => texts.push(text),
                _ => findings.error(&format!("{path}/{column}"), "Should be string"),
            }
        }
        if texts.len() == names.len() {
            match whole(&texts, &above) {
                Ok(whole) => above = whole,
                Err(message) => findings.error(&path, message),
            }
        }
    }
    if insights > 1 {
        findings.error(path, "Should NOT have more than 1 Metrics Insights query");
    }
}

/// A row with `.` and `...` replaced by what stands above: namespace, name, dimensions.
pub(crate) fn whole<'a>(row: &[&'a str], above: &[&'a str]) -> Result<Vec<&'a str>, String> {
    let mut cells = Vec::new();
    for (index, cell) in row.iter().enumerate() {
        match *cell {
            "..." if index == 0 => {
                let rest = row.len() - 1;
                let kept = above
                    .len()
                    .checked_sub(rest)
                    .filter(|kept| *kept > 0)
                    .ok_or("'...' has nothing above it to repeat")?;
                cells.extend_from_slice(&above[..kept]);
            }
            "." => cells.push(
                *above
                    .get(cells.len())
                    .ok_or("'.' has nothing above it to repeat")?,
            ),
            text => cells.push(text),
        }
    }
    if cells.len() < 2 {
        return Err("Should have a namespace and a metric name".to_owned());
    }
    if !cells.len().is_multiple_of(2) {
        return Err("Should have a value for each dimension".to_owned());
    }
    if cells.len() > 2 + 2 * MOST_DIMENSIONS {
        return Err(format!(
            "Should NOT have more than {MOST_DIMENSIONS} dimensions"
        ));
    }
    Ok(cells)
}

fn check_options(findings: &mut Findings, path: &str, options: &Map<String, Value>) {
    findings.known(options, path, &OPTIONS);
    if let Some(id) = options.get("id")
        && !id.as_str().is_some_and(is_id)
    {
        findings.error(
            &format!("{path}/id"),
            "Should begin with a lowercase letter, then letters, digits and underscores",
        );
    }
    if let Some(expression) = options.get("expression")
        && !expression
            .as_str()
            .is_some_and(|text| (1..=2_048).contains(&text.len()))
    {
        findings.error(
            &format!("{path}/expression"),
            "Should be a text of 1 to 2048 characters",
        );
    }
    findings.one_of(options, path, "yAxis", &["left", "right"]);
    findings.boolean(options, path, "visible");
    findings.text(options, path, "label", 2_048);
    check_statistic(findings, path, options);
    check_period(findings, path, options);
    check_color(findings, path, options);
}

/// An id of a metric or an expression.
pub(crate) fn is_id(text: &str) -> bool {
    text.len() <= 255
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
