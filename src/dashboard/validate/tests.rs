//! One body for each class of mistake.

use serde_json::{Value, json};

use super::validate;

/// The path of the first error of a body with this one widget.
fn first_error(widget: &Value) -> Option<String> {
    let body = json!({ "widgets": [widget] }).to_string();
    let findings = validate(&body);
    findings.errors.first().map(|error| error.path.clone())
}

fn metric(change: impl FnOnce(&mut Value)) -> Value {
    let mut widget = json!({
        "type": "metric", "x": 0, "y": 0, "width": 6, "height": 6,
        "properties": {
            "region": "us-east-1",
            "view": "timeSeries",
            "metrics": [
                ["AWS/CloudFront", "Requests", "DistributionId", "E1", "Region", "Global", { "id": "m1", "stat": "Sum" }],
                [".", "BytesDownloaded", ".", ".", ".", ".", { "id": "m2" }],
                ["...", "Local"],
                [{ "expression": "m2*8/PERIOD(m2)", "id": "e1" }],
            ],
        },
    });
    change(&mut widget);
    widget
}

#[test]
fn a_sound_body_has_no_findings() {
    let body = json!({
        "start": "-PT6H", "periodOverride": "inherit",
        "widgets": [
            metric(|_| {}),
            { "type": "text", "properties": { "markdown": "# x", "background": "transparent" } },
            { "type": "log", "properties": { "query": "SOURCE 'g' | fields @message", "region": "us-east-1" } },
            { "type": "alarm", "properties": { "alarms": ["arn:aws:cloudwatch:us-east-1:111122223333:alarm:a:b"] } },
        ],
    });
    assert_eq!(validate(&body.to_string()), super::Findings::default());
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table of mistakes")]
fn every_class_of_mistake_is_found_where_it_is() {
    let properties = |widget: &mut Value, member: &str, value: Value| {
        widget["properties"][member] = value;
    };
    for (widget, path) in [
        (json!("x"), "/widgets/0"),
        (json!({ "properties": {} }), "/widgets/0"),
        (json!({ "type": "metric" }), "/widgets/0"),
        (
            json!({ "type": "clock", "properties": {} }),
            "/widgets/0/type",
        ),
        (metric(|one| one["x"] = json!(24)), "/widgets/0/x"),
        (metric(|one| one["width"] = json!(25)), "/widgets/0/width"),
        (metric(|one| one["height"] = json!(0)), "/widgets/0/height"),
        (
            metric(|one| {
                one.as_object_mut().unwrap().remove("y");
            }),
            "/widgets/0",
        ),
        (
            metric(|one| properties(one, "region", json!(7))),
            "/widgets/0/properties/region",
        ),
        (
            metric(|one| {
                one["properties"].as_object_mut().unwrap().remove("region");
            }),
            "/widgets/0/properties",
        ),
        (
            metric(|one| properties(one, "view", json!("dial"))),
            "/widgets/0/properties/view",
        ),
        (
            metric(|one| properties(one, "view", json!("gauge"))),
            "/widgets/0/properties",
        ),
        (
            metric(|one| properties(one, "period", json!(90))),
            "/widgets/0/properties/period",
        ),
        (
            metric(|one| properties(one, "stat", json!("Mean"))),
            "/widgets/0/properties/stat",
        ),
        (
            metric(|one| properties(one, "legend", json!({ "position": "top" }))),
            "/widgets/0/properties/legend/position",
        ),
        (
            metric(|one| properties(one, "timezone", json!("CET"))),
            "/widgets/0/properties/timezone",
        ),
        (
            metric(|one| properties(one, "metrics", json!([["AWS/CloudFront"]]))),
            "/widgets/0/properties/metrics/0",
        ),
        (
            metric(|one| properties(one, "metrics", json!([["a", "b", "c"]]))),
            "/widgets/0/properties/metrics/0",
        ),
        (
            metric(|one| properties(one, "metrics", json!([[".", "b"]]))),
            "/widgets/0/properties/metrics/0",
        ),
        (
            metric(|one| properties(one, "metrics", json!([["a", "b", { "id": "M1" }]]))),
            "/widgets/0/properties/metrics/0/2/id",
        ),
        (
            metric(|one| {
                properties(
                    one,
                    "metrics",
                    json!([["a", "b", { "id": "m" }], ["a", "c", { "id": "m" }]]),
                );
            }),
            "/widgets/0/properties/metrics/1",
        ),
        (
            metric(|one| properties(one, "metrics", json!([["a", "b", { "expression": "m1" }]]))),
            "/widgets/0/properties/metrics/0",
        ),
        (
            metric(|one| {
                properties(
                    one,
                    "metrics",
                    json!([[{ "expression": "SELECT 1" }], [{ "expression": "SELECT 2" }]]),
                );
            }),
            "/widgets/0/properties/metrics",
        ),
        (
            metric(|one| properties(one, "metrics", Value::from(vec![json!(["a", "b"]); 501]))),
            "/widgets/0/properties/metrics",
        ),
        (
            metric(|one| {
                properties(
                    one,
                    "annotations",
                    json!({ "alarms": ["arn:aws:cloudwatch:us-east-1:111122223333:alarm:a"] }),
                );
            }),
            "/widgets/0/properties",
        ),
        (
            metric(|one| {
                properties(
                    one,
                    "annotations",
                    json!({ "horizontal": [{ "label": "x" }] }),
                );
            }),
            "/widgets/0/properties/annotations/horizontal/0/value",
        ),
        (
            metric(|one| {
                properties(
                    one,
                    "annotations",
                    json!({ "horizontal": [{ "value": 1, "fill": "before" }] }),
                );
            }),
            "/widgets/0/properties/annotations/horizontal/0/fill",
        ),
        (
            metric(|one| {
                properties(
                    one,
                    "annotations",
                    json!({ "vertical": [{ "value": "kickoff" }] }),
                );
            }),
            "/widgets/0/properties/annotations/vertical/0/value",
        ),
        (
            metric(|one| {
                properties(
                    one,
                    "annotations",
                    json!({ "vertical": [[{ "value": "2026-06-14T18:30:00Z", "color": "red" }, { "value": "2026-06-14T18:30:00Z" }]] }),
                );
            }),
            "/widgets/0/properties/annotations/vertical/0/0/color",
        ),
        (
            json!({ "type": "text", "properties": {} }),
            "/widgets/0/properties",
        ),
        (
            json!({ "type": "text", "properties": { "markdown": "", "background": "red" } }),
            "/widgets/0/properties/background",
        ),
        (
            json!({ "type": "log", "properties": { "query": "fields x", "region": "us-east-1" } }),
            "/widgets/0/properties/query",
        ),
        (
            json!({ "type": "alarm", "properties": { "alarms": [] } }),
            "/widgets/0/properties/alarms",
        ),
        (
            json!({ "type": "alarm", "properties": { "alarms": ["a"] } }),
            "/widgets/0/properties/alarms/0",
        ),
        (
            json!({ "type": "alarm", "properties": { "alarms": ["arn:aws:cloudwatch:us-east-1:111122223333:alarm:a"], "states": ["RED"] } }),
            "/widgets/0/properties/states",
        ),
    ] {
        assert_eq!(first_error(&widget).as_deref(), Some(path), "{widget}");
    }
}

#[test]
fn whole_bodies_are_held_to_their_rules() {
    let many = json!({ "widgets": vec![json!({ "type": "text", "properties": { "markdown": "" } }); 501] });
    let rows = Value::from(vec![json!(["a", "b"]); 500]);
    let metrics =
        json!({ "widgets": vec![metric(|one| one["properties"]["metrics"] = rows.clone()); 6] });
    for (body, path) in [
        ("{".to_owned(), ""),
        ("[]".to_owned(), ""),
        ("{}".to_owned(), ""),
        (r#"{"widgets": 1}"#.to_owned(), "/widgets"),
        (
            r#"{"widgets": [], "start": "yesterday"}"#.to_owned(),
            "/start",
        ),
        (
            r#"{"widgets": [], "end": "2026-06-14T18:30:00Z"}"#.to_owned(),
            "/end",
        ),
        (
            r#"{"widgets": [], "periodOverride": "no"}"#.to_owned(),
            "/periodOverride",
        ),
        (
            r#"{"widgets": [], "variables": [{"type": "property"}]}"#.to_owned(),
            "/variables/0",
        ),
        (many.to_string(), "/widgets"),
        (metrics.to_string(), "/widgets"),
    ] {
        let findings = validate(&body);
        assert_eq!(
            findings.errors.first().map(|error| error.path.as_str()),
            Some(path),
            "{}",
            &body[..body.len().min(80)]
        );
    }
}

#[test]
fn an_unknown_property_is_a_warning() {
    let findings = validate(
        &json!({ "widgets": [metric(|one| one["properties"]["colour"] = json!(1))] }).to_string(),
    );
    assert!(findings.errors.is_empty());
    assert_eq!(findings.warnings[0].path, "/widgets/0/properties/colour");
}
