//! The three protocols, asked by hand; the SDK's client asks in `crate::sandbox::tests`.

use std::collections::BTreeSet;

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::{Value, json};

use super::{State, handle};
use crate::sandbox::service::{Answer, Call, Rollout};

fn ask(state: &mut State, path: &str, headers: &[(&'static str, &str)], body: &[u8]) -> Answer {
    let headers: HeaderMap = headers
        .iter()
        .map(|(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_str(value).unwrap(),
            )
        })
        .collect();
    let call = Call {
        method: &Method::POST,
        path,
        query: "",
        headers: &headers,
        body,
        now: "2026-06-14T19:00:30Z".parse().unwrap(),
        account: "111122223333",
        region: Some("us-east-1"),
        request_id: "request-1",
        rollout: Rollout::IMMEDIATE,
    };
    assert!(super::operation(&call).is_some(), "{path}");
    handle(&call, state, &BTreeSet::new())
}

fn json_call(state: &mut State, operation: &str, body: &Value) -> (u16, Value) {
    let target = format!("GraniteServiceVersion20100801.{operation}");
    let answer = ask(
        state,
        "/",
        &[("x-amz-target", &target)],
        body.to_string().as_bytes(),
    );
    (answer.status, serde_json::from_slice(&answer.body).unwrap())
}

const BODY: &str = r##"{ "widgets": [ {"type":"text","properties":{"markdown":"# é & <x>"}} ] }"##;

#[test]
fn a_dashboard_comes_back_byte_for_byte_in_every_protocol() {
    let mut state = State::default();
    let put = json!({ "DashboardName": "onair-x", "DashboardBody": BODY });
    assert_eq!(json_call(&mut state, "PutDashboard", &put).0, 200);
    let (_, read) = json_call(
        &mut state,
        "GetDashboard",
        &json!({ "DashboardName": "onair-x" }),
    );
    assert_eq!(read["DashboardBody"], BODY);

    let mut request = Vec::new();
    ciborium::into_writer(
        &ciborium::Value::Map(vec![("DashboardName".into(), "onair-x".into())]),
        &mut request,
    )
    .unwrap();
    let path = "/service/GraniteServiceVersion20100801/operation/GetDashboard";
    let answer = ask(
        &mut state,
        path,
        &[("smithy-protocol", "rpc-v2-cbor")],
        &request,
    );
    let read: ciborium::Value = ciborium::from_reader(answer.body.as_slice()).unwrap();
    let body = read
        .into_map()
        .unwrap()
        .into_iter()
        .find(|(name, _)| name.as_text() == Some("DashboardBody"));
    assert_eq!(body.unwrap().1.as_text(), Some(BODY));

    let form = b"Action=GetDashboard&Version=2010-08-01&DashboardName=onair-x";
    let answer = ask(&mut state, "/", &[], form);
    let text = String::from_utf8(answer.body).unwrap();
    assert!(text.contains("# é &amp; &lt;x&gt;"), "{text}");
}

#[test]
fn a_body_that_is_not_valid_is_refused_with_where_and_why() {
    let mut state = State::default();
    let put = json!({ "DashboardName": "x", "DashboardBody": r#"{"widgets":[{"type":"text","properties":{}}]}"# });
    let (status, refusal) = json_call(&mut state, "PutDashboard", &put);
    assert_eq!(status, 400);
    assert_eq!(
        refusal["__type"],
        "com.amazonaws.cloudwatch#DashboardInvalidInputError"
    );
    assert_eq!(
        refusal["dashboardValidationMessages"],
        json!([{ "DataPath": "/widgets/0/properties", "Message": "Should have required property 'markdown'" }])
    );
    let (status, _) = json_call(&mut state, "GetDashboard", &json!({ "DashboardName": "x" }));
    assert_eq!(status, 404);
}

#[test]
fn one_missing_dashboard_keeps_all_from_being_deleted() {
    let mut state = State::default();
    json_call(
        &mut state,
        "PutDashboard",
        &json!({ "DashboardName": "a", "DashboardBody": BODY }),
    );
    let (status, _) = json_call(
        &mut state,
        "DeleteDashboards",
        &json!({ "DashboardNames": ["a", "b"] }),
    );
    assert_eq!(status, 404);
    assert_eq!(
        json_call(&mut state, "GetDashboard", &json!({ "DashboardName": "a" })).0,
        200
    );
    assert_eq!(
        json_call(
            &mut state,
            "DeleteDashboards",
            &json!({ "DashboardNames": ["a"] })
        )
        .0,
        200
    );
}

#[test]
fn an_alarms_topic_must_be_in_its_region() {
    let mut state = State::default();
    let mut alarm = json!({
        "AlarmName": "a", "Namespace": "AWS/CloudFront", "MetricName": "5xxErrorRate",
        "Dimensions": [{ "Name": "DistributionId", "Value": "E1" }, { "Name": "Region", "Value": "Global" }],
        "Statistic": "Average", "Period": 60, "EvaluationPeriods": 3, "DatapointsToAlarm": 2,
        "Threshold": 1, "ComparisonOperator": "GreaterThanThreshold", "TreatMissingData": "notBreaching",
        "AlarmActions": ["arn:aws:sns:eu-west-1:111122223333:crew"],
    });
    let (status, _) = json_call(&mut state, "PutMetricAlarm", &alarm);
    assert_eq!(status, 400);
    alarm["AlarmActions"] = json!(["arn:aws:sns:us-east-1:111122223333:crew"]);
    assert_eq!(json_call(&mut state, "PutMetricAlarm", &alarm).0, 200);
    let (_, read) = json_call(
        &mut state,
        "DescribeAlarms",
        &json!({ "AlarmNamePrefix": "a" }),
    );
    assert_eq!(read["MetricAlarms"][0]["StateValue"], "OK");
    assert_eq!(read["MetricAlarms"][0]["Threshold"], json!(1.0));
}
