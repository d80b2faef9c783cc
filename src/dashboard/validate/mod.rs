//! What CloudWatch accepts as a dashboard's body (CloudWatch API reference, "Dashboard body structure
//! and syntax"), checked here before anything is sent, and by the embedded cloud as the service would.
//!
//! An error keeps the dashboard from being stored; after a warning it is stored and a widget may not
//! show. Which of the two the service makes of an unknown property is not documented: a warning here.

mod metric;

pub(crate) use metric::{is_id, is_statistic, whole};

use serde_json::{Map, Value};

use crate::cloud::metrics::BodyMessage;

/// Widgets that a dashboard may have.
pub(crate) const MOST_WIDGETS: usize = 500;
/// Metrics that a widget may have.
pub(crate) const MOST_METRICS_A_WIDGET: usize = 500;
/// Metrics that a dashboard may have, those used only in math included (`CloudWatch` quotas, 2023).
pub(crate) const MOST_METRICS: usize = 2_500;
/// The grid's columns.
pub(crate) const COLUMNS: u64 = 24;
/// Rows that a widget may be high.
const MOST_HEIGHT: u64 = 1_000;
/// No document says how large a body may be; this is well over what 500 widgets need.
const MOST_BYTES: usize = 1_000_000;
/// Variables that a dashboard may have.
const MOST_VARIABLES: usize = 25;
/// Alarms of an alarm widget.
const MOST_ALARMS: usize = 100;

/// What is wrong with a body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Findings {
    /// Any of these keeps the dashboard from being stored.
    pub(crate) errors: Vec<BodyMessage>,
    pub(crate) warnings: Vec<BodyMessage>,
}

impl Findings {
    fn error(&mut self, path: &str, message: impl Into<String>) {
        self.errors.push(BodyMessage {
            path: path.to_owned(),
            message: message.into(),
        });
    }

    fn warn(&mut self, path: &str, message: impl Into<String>) {
        self.warnings.push(BodyMessage {
            path: path.to_owned(),
            message: message.into(),
        });
    }

    /// Says so when a member is not one of these words.
    fn one_of(&mut self, object: &Map<String, Value>, path: &str, member: &str, words: &[&str]) {
        if let Some(value) = object.get(member)
            && !value.as_str().is_some_and(|word| words.contains(&word))
        {
            self.error(
                &format!("{path}/{member}"),
                format!(
                    "Should be equal to one of the allowed values: {}",
                    words.join(", ")
                ),
            );
        }
    }

    /// Says so when a member is there and is not text of at most `limit` characters.
    fn text(&mut self, object: &Map<String, Value>, path: &str, member: &str, limit: usize) {
        match object.get(member) {
            None => {}
            Some(Value::String(text)) if text.chars().count() <= limit => {}
            Some(Value::String(_)) => self.error(
                &format!("{path}/{member}"),
                format!("Should NOT be longer than {limit} characters"),
            ),
            Some(_) => self.error(&format!("{path}/{member}"), "Should be string"),
        }
    }

    fn boolean(&mut self, object: &Map<String, Value>, path: &str, member: &str) {
        if object.get(member).is_some_and(|value| !value.is_boolean()) {
            self.error(&format!("{path}/{member}"), "Should be boolean");
        }
    }

    fn number(&mut self, object: &Map<String, Value>, path: &str, member: &str) {
        if object.get(member).is_some_and(|value| !value.is_number()) {
            self.error(&format!("{path}/{member}"), "Should be number");
        }
    }

    /// Warns of members that the reference does not name.
    fn known(&mut self, object: &Map<String, Value>, path: &str, known: &[&str]) {
        for name in object.keys().filter(|name| !known.contains(&name.as_str())) {
            self.warn(
                &format!("{path}/{name}"),
                "Should NOT have additional properties",
            );
        }
    }

    /// A required object member.
    fn object<'a>(
        &mut self,
        object: &'a Map<String, Value>,
        path: &str,
        member: &str,
    ) -> Option<&'a Map<String, Value>> {
        match object.get(member) {
            Some(Value::Object(inner)) => Some(inner),
            Some(_) => {
                self.error(&format!("{path}/{member}"), "Should be object");
                None
            }
            None => {
                self.error(path, format!("Should have required property '{member}'"));
                None
            }
        }
    }
}

/// Checks a body.
pub(crate) fn validate(body: &str) -> Findings {
    let mut findings = Findings::default();
    if body.len() > MOST_BYTES {
        findings.error("", format!("Should NOT be larger than {MOST_BYTES} bytes"));
        return findings;
    }
    match serde_json::from_str(body) {
        Ok(Value::Object(body)) => check_body(&mut findings, &body),
        Ok(_) => findings.error("", "The dashboard body must be a JSON object"),
        Err(error) => findings.error("", format!("The dashboard body is not JSON: {error}")),
    }
    findings
}

fn check_body(findings: &mut Findings, body: &Map<String, Value>) {
    findings.known(
        body,
        "",
        &["widgets", "variables", "start", "end", "periodOverride"],
    );
    findings.one_of(body, "", "periodOverride", &["auto", "inherit"]);
    for member in ["start", "end"] {
        match body.get(member) {
            None => {}
            Some(Value::String(text)) if is_time(text) => {}
            Some(_) => findings.error(
                &format!("/{member}"),
                "Should be a duration such as -PT6H or an ISO 8601 time",
            ),
        }
    }
    if body.contains_key("end") && !body.contains_key("start") {
        findings.error("/end", "Should have property 'start' when 'end' is present");
    }
    match body.get("variables") {
        None => {}
        Some(Value::Array(variables)) => check_variables(findings, variables),
        Some(_) => findings.error("/variables", "Should be array"),
    }
    let widgets = match body.get("widgets") {
        Some(Value::Array(widgets)) => widgets,
        Some(_) => return findings.error("/widgets", "Should be array"),
        None => return findings.error("", "Should have required property 'widgets'"),
    };
    if widgets.len() > MOST_WIDGETS {
        findings.error(
            "/widgets",
            format!("Should NOT have more than {MOST_WIDGETS} items"),
        );
    }
    let mut metrics = 0;
    for (index, widget) in widgets.iter().enumerate() {
        metrics += check_widget(findings, &format!("/widgets/{index}"), widget);
    }
    if metrics > MOST_METRICS {
        findings.error(
            "/widgets",
            format!("Should NOT have more than {MOST_METRICS} metrics in all, but has {metrics}"),
        );
    }
}

/// `-PT6H`, `-P7D`, or an ISO 8601 time.
fn is_time(text: &str) -> bool {
    match text.strip_prefix('-') {
        Some(duration) => duration.starts_with('P') && duration.parse::<jiff::Span>().is_ok(),
        None => is_moment(text),
    }
}

/// An ISO 8601 time.
fn is_moment(text: &str) -> bool {
    text.parse::<jiff::Timestamp>().is_ok()
}

fn check_variables(findings: &mut Findings, variables: &[Value]) {
    if variables.len() > MOST_VARIABLES {
        findings.error(
            "/variables",
            format!("Should NOT have more than {MOST_VARIABLES} items"),
        );
    }
    for (index, variable) in variables.iter().enumerate() {
        let path = format!("/variables/{index}");
        let Value::Object(variable) = variable else {
            findings.error(&path, "Should be object");
            continue;
        };
        for member in ["type", "id", "inputType"] {
            if !variable.contains_key(member) {
                findings.error(&path, format!("Should have required property '{member}'"));
            }
        }
        findings.one_of(variable, &path, "type", &["property", "pattern"]);
        findings.one_of(variable, &path, "inputType", &["input", "select", "radio"]);
        findings.text(variable, &path, "id", 32);
        findings.text(variable, &path, "label", 30);
        findings.text(variable, &path, "search", 2_048);
        if let Some(values) = variable.get("values") {
            match values.as_array().map(Vec::len) {
                Some(1..=500) => {}
                _ => findings.error(
                    &format!("{path}/values"),
                    "Should be an array of 1 to 500 items",
                ),
            }
        }
    }
}

/// Checks one widget, and returns how many metrics it has.
fn check_widget(findings: &mut Findings, path: &str, widget: &Value) -> usize {
    let Value::Object(widget) = widget else {
        findings.error(path, "Should be object");
        return 0;
    };
    findings.known(
        widget,
        path,
        &["type", "x", "y", "width", "height", "properties"],
    );
    check_place(findings, path, widget);
    let Some(kind) = widget.get("type") else {
        findings.error(path, "Should have required property 'type'");
        return 0;
    };
    let Some(properties) = findings.object(widget, path, "properties") else {
        return 0;
    };
    let inner = format!("{path}/properties");
    match kind.as_str() {
        Some("metric") => return metric::check(findings, &inner, properties),
        Some("text") => check_text(findings, &inner, properties),
        Some("log") => check_log(findings, &inner, properties),
        Some("alarm") => check_alarms(findings, &inner, properties),
        // What these hold is the console's affair; other people's widgets of the kind are kept.
        Some("explorer" | "custom") => {}
        _ => findings.error(
            &format!("{path}/type"),
            "Should be equal to one of the allowed values: metric, text, log, alarm, explorer",
        ),
    }
    0
}

fn check_place(findings: &mut Findings, path: &str, widget: &Map<String, Value>) {
    let mut within = |member: &str, least: u64, most: u64| match widget.get(member) {
        None => None,
        Some(value) => match value.as_u64() {
            Some(number) if (least..=most).contains(&number) => Some(number),
            _ => {
                findings.error(
                    &format!("{path}/{member}"),
                    format!("Should be an integer from {least} to {most}"),
                );
                None
            }
        },
    };
    let x = within("x", 0, COLUMNS - 1);
    within("y", 0, u64::from(u32::MAX));
    let width = within("width", 1, COLUMNS);
    within("height", 1, MOST_HEIGHT);
    if widget.contains_key("x") != widget.contains_key("y") {
        findings.error(path, "Should have both 'x' and 'y', or neither");
    }
    if let (Some(x), Some(width)) = (x, width)
        && x + width > COLUMNS
    {
        findings.warn(
            &format!("{path}/width"),
            format!("The widget reaches past column {COLUMNS}"),
        );
    }
}

fn check_text(findings: &mut Findings, path: &str, properties: &Map<String, Value>) {
    findings.known(properties, path, &["markdown", "background"]);
    match properties.get("markdown") {
        Some(Value::String(_)) => {}
        Some(_) => findings.error(&format!("{path}/markdown"), "Should be string"),
        None => findings.error(path, "Should have required property 'markdown'"),
    }
    findings.one_of(properties, path, "background", &["solid", "transparent"]);
}

fn check_log(findings: &mut Findings, path: &str, properties: &Map<String, Value>) {
    if !properties.contains_key("region") {
        findings.error(path, "Should have required property 'region'");
    }
    match properties.get("query") {
        Some(Value::String(query)) if query.trim_start().starts_with("SOURCE ") => {}
        Some(_) => findings.error(
            &format!("{path}/query"),
            "Should begin with SOURCE and a log group",
        ),
        None => findings.error(path, "Should have required property 'query'"),
    }
    findings.one_of(
        properties,
        path,
        "view",
        &["table", "timeSeries", "bar", "pie"],
    );
}

fn check_alarms(findings: &mut Findings, path: &str, properties: &Map<String, Value>) {
    findings.known(properties, path, &["alarms", "sortBy", "states", "title"]);
    match properties.get("alarms") {
        Some(Value::Array(alarms)) if (1..=MOST_ALARMS).contains(&alarms.len()) => {
            for (index, alarm) in alarms.iter().enumerate() {
                if !alarm.as_str().is_some_and(is_alarm_arn) {
                    findings.error(
                        &format!("{path}/alarms/{index}"),
                        "Should be the ARN of an alarm",
                    );
                }
            }
        }
        Some(Value::Array(_)) => findings.error(
            &format!("{path}/alarms"),
            format!("Should have 1 to {MOST_ALARMS} items"),
        ),
        Some(_) => findings.error(&format!("{path}/alarms"), "Should be array"),
        None => findings.error(path, "Should have required property 'alarms'"),
    }
    findings.one_of(
        properties,
        path,
        "sortBy",
        &["default", "stateUpdatedTimestamp", "timestamp"],
    );
    if let Some(states) = properties.get("states") {
        let words = ["ALARM", "OK", "INSUFFICIENT_DATA"];
        let known = states.as_array().is_some_and(|states| {
            states
                .iter()
                .all(|state| state.as_str().is_some_and(|state| words.contains(&state)))
        });
        if !known {
            findings.error(
                &format!("{path}/states"),
                format!("Should be an array of {}", words.join(", ")),
            );
        }
    }
}

/// `arn:aws:cloudwatch:REGION:ACCOUNT:alarm:NAME`
fn is_alarm_arn(text: &str) -> bool {
    let mut parts = text.splitn(7, ':');
    parts.next() == Some("arn")
        && parts
            .next()
            .is_some_and(|partition| partition.starts_with("aws"))
        && parts.next() == Some("cloudwatch")
        && parts.next().is_some_and(|region| !region.is_empty())
        && parts.next().is_some_and(|account| account.len() == 12)
        && parts.next() == Some("alarm")
        && parts.next().is_some_and(|name| !name.is_empty())
}

#[cfg(test)]
mod tests;
