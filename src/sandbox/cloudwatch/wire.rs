//! CloudWatch's three protocols: Smithy RPC v2 CBOR (the Rust SDK, newer boto3), JSON 1.0 (boto3) and
//! Query (older command lines). The operations see JSON values alone.

use base64::Engine as _;
use ciborium::Value as Cbor;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::sandbox::service::{Answer, Call};

/// In paths and in `X-Amz-Target`.
const SERVICE: &str = "GraniteServiceVersion20100801";
const NAMESPACE: &str = "http://monitoring.amazonaws.com/doc/2010-08-01/";
/// Marks a time in an answer: each protocol writes it in its own way.
const TIME: &str = "$time";

/// How a call was written, and so its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Cbor,
    Json,
    Query,
}

/// Why a call is refused.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    /// The shape's name in the model.
    pub(super) shape: &'static str,
    /// The code that clients of the older protocol know, and that SDKs show.
    pub(super) code: &'static str,
    pub(super) message: String,
    /// Members beside the message.
    pub(super) members: Vec<(&'static str, Value)>,
}

impl Refusal {
    pub(super) fn new(
        status: u16,
        shape: &'static str,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self {
            status,
            shape,
            code,
            message: message.into(),
            members: Vec::new(),
        }
    }

    /// A parameter that is not valid.
    pub(super) fn value(message: impl Into<String>) -> Self {
        Self::new(
            400,
            "InvalidParameterValueException",
            "InvalidParameterValue",
            message,
        )
    }

    /// Two parameters that do not go together.
    pub(super) fn combination(message: impl Into<String>) -> Self {
        Self::new(
            400,
            "InvalidParameterCombinationException",
            "InvalidParameterCombination",
            message,
        )
    }

    pub(super) fn missing(name: &str) -> Self {
        Self::new(
            400,
            "MissingRequiredParameterException",
            "MissingParameter",
            format!("The parameter {name} is required."),
        )
    }

    /// What the front of the service says before an operation looks at the request.
    pub(super) fn validation(message: impl Into<String>) -> Self {
        Self::new(400, "ValidationError", "ValidationError", message)
    }
}

/// The time for an answer.
pub(super) fn time(at: Timestamp) -> Value {
    json!({ TIME: at.as_second() })
}

/// The protocol and the operation's name.
pub(super) fn read_operation<'a>(call: &'a Call<'_>) -> Option<(Form, &'a str)> {
    let header = |name| call.headers.get(name)?.to_str().ok();
    if header("smithy-protocol") == Some("rpc-v2-cbor") {
        let (_, rest) = call.path.split_once(SERVICE)?;
        return Some((Form::Cbor, rest.strip_prefix("/operation/")?));
    }
    if let Some(target) = header("x-amz-target") {
        let (service, operation) = target.split_once('.')?;
        return (service == SERVICE).then_some((Form::Json, operation));
    }
    let action = crate::sandbox::sts::action(call.body)
        .or_else(|| crate::sandbox::sts::action(call.query.as_bytes()))?;
    Some((Form::Query, action))
}

/// The parameters of a call.
pub(super) fn read_input(form: Form, call: &Call<'_>) -> Result<Map<String, Value>, Refusal> {
    let malformed = |reason: String| {
        Refusal::new(
            400,
            "SerializationException",
            "SerializationException",
            reason,
        )
    };
    let value = match form {
        Form::Json | Form::Cbor if call.body.is_empty() => json!({}),
        Form::Json => {
            serde_json::from_slice(call.body).map_err(|error| malformed(error.to_string()))?
        }
        Form::Cbor => {
            let value: Cbor =
                ciborium::from_reader(call.body).map_err(|error| malformed(error.to_string()))?;
            from_cbor(value)
        }
        Form::Query => {
            let form = if call.body.is_empty() {
                call.query.as_bytes()
            } else {
                call.body
            };
            from_form(&String::from_utf8_lossy(form))
        }
    };
    match value {
        Value::Object(members) => Ok(members),
        _ => Err(malformed("the request is not a structure".to_owned())),
    }
}

fn from_cbor(value: Cbor) -> Value {
    match value {
        Cbor::Integer(number) => i64::try_from(number).map_or(Value::Null, Value::from),
        Cbor::Bytes(bytes) => base64::engine::general_purpose::STANDARD
            .encode(bytes)
            .into(),
        Cbor::Float(number) => Value::from(number),
        Cbor::Text(text) => Value::from(text),
        Cbor::Bool(flag) => Value::from(flag),
        // Tag 1 is a time in seconds; the parameters that are times know it.
        Cbor::Tag(_, inner) => from_cbor(*inner),
        Cbor::Array(items) => items.into_iter().map(from_cbor).collect(),
        Cbor::Map(members) => members
            .into_iter()
            .filter_map(|(name, value)| Some((name.into_text().ok()?, from_cbor(value))))
            .collect(),
        _ => Value::Null,
    }
}

fn to_cbor(value: &Value) -> Cbor {
    match value {
        Value::Null => Cbor::Null,
        Value::Bool(flag) => Cbor::Bool(*flag),
        Value::Number(number) => match number.as_i64() {
            Some(number) => Cbor::Integer(number.into()),
            None => Cbor::Float(number.as_f64().unwrap_or_default()),
        },
        Value::String(text) => Cbor::Text(text.clone()),
        Value::Array(items) => Cbor::Array(items.iter().map(to_cbor).collect()),
        Value::Object(members) => match members.get(TIME) {
            Some(seconds) => Cbor::Tag(
                1,
                Box::new(Cbor::Integer(seconds.as_i64().unwrap_or_default().into())),
            ),
            None => Cbor::Map(
                members
                    .iter()
                    .map(|(name, value)| (Cbor::Text(name.clone()), to_cbor(value)))
                    .collect(),
            ),
        },
    }
}

/// `A.member.1.B=x` to `{"A": [{"B": "x"}]}`; all values are text.
fn from_form(form: &str) -> Value {
    let mut root = Value::Object(Map::new());
    for pair in form.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let decoded = |text: &str| {
            let text = text.replace('+', " ");
            percent_encoding::percent_decode_str(&text)
                .decode_utf8_lossy()
                .into_owned()
        };
        let name = decoded(name);
        let mut at = &mut root;
        for part in name.split('.').filter(|part| *part != "member") {
            at = if let Ok(number @ 1..=1_000) = part.parse::<usize>() {
                if !at.is_array() {
                    *at = Value::Array(Vec::new());
                }
                let items = at.as_array_mut().expect("it was just made an array");
                while items.len() < number {
                    items.push(Value::Object(Map::new()));
                }
                &mut items[number - 1]
            } else {
                if !at.is_object() {
                    *at = Value::Object(Map::new());
                }
                at.as_object_mut()
                    .expect("it was just made an object")
                    .entry(part)
                    .or_insert_with(|| Value::Object(Map::new()))
            };
        }
        *at = Value::from(decoded(value));
    }
    root
}

/// A successful answer.
pub(super) fn found(form: Form, call: &Call<'_>, operation: &str, output: &Value) -> Answer {
    let body = match form {
        Form::Cbor => cbor_bytes(&to_cbor(output)),
        Form::Json => plain_times(output).to_string().into_bytes(),
        Form::Query => {
            let mut xml = format!("<{operation}Response xmlns=\"{NAMESPACE}\"><{operation}Result>");
            write_xml(&mut xml, output);
            xml.push_str(&format!(
                "</{operation}Result><ResponseMetadata><RequestId>{}</RequestId></ResponseMetadata></{operation}Response>",
                call.request_id
            ));
            xml.into_bytes()
        }
    };
    Answer {
        status: 200,
        headers: headers(form, call),
        body,
        changed: false,
    }
}

/// A refusal.
pub(super) fn refused(form: Form, call: &Call<'_>, refusal: &Refusal) -> Answer {
    let fault = if refusal.status < 500 {
        "Sender"
    } else {
        "Receiver"
    };
    let mut members = Map::new();
    members.insert(
        "__type".to_owned(),
        format!("com.amazonaws.cloudwatch#{}", refusal.shape).into(),
    );
    // One shape of the model has no message.
    if refusal.shape != "ResourceNotFoundException" {
        members.insert("message".to_owned(), refusal.message.as_str().into());
    }
    let more = refusal.members.iter();
    members.extend(more.map(|(name, value)| ((*name).to_owned(), value.clone())));
    let value = Value::Object(members);
    let mut headers = headers(form, call);
    headers.push(("x-amzn-query-error", format!("{};{fault}", refusal.code)));
    let body = match form {
        Form::Cbor => cbor_bytes(&to_cbor(&value)),
        Form::Json => value.to_string().into_bytes(),
        Form::Query => {
            let mut inner = String::new();
            for (name, value) in &refusal.members {
                inner.push_str(&format!("<{name}>"));
                write_xml(&mut inner, value);
                inner.push_str(&format!("</{name}>"));
            }
            format!(
                "<ErrorResponse xmlns=\"{NAMESPACE}\"><Error><Type>{fault}</Type><Code>{}</Code><Message>{}</Message>{inner}</Error><RequestId>{}</RequestId></ErrorResponse>",
                refusal.code,
                quick_xml::escape::escape(&refusal.message),
                call.request_id
            )
            .into_bytes()
        }
    };
    Answer {
        status: refusal.status,
        headers,
        body,
        changed: false,
    }
}

/// A refusal that came before the service, in JSON, in the protocol of the call.
pub(super) fn translated(call: &Call<'_>, answer: Answer) -> Answer {
    let Some((form, _)) = read_operation(call) else {
        return answer;
    };
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let text = |name: &str| {
        body.get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let code = text("__type");
    let members = Map::from_iter([
        ("__type".to_owned(), Value::from(code.clone())),
        ("message".to_owned(), Value::from(text("message"))),
    ]);
    let mut headers = headers(form, call);
    headers.push(("x-amzn-query-error", format!("{code};Sender")));
    let body = match form {
        Form::Json => return answer,
        Form::Cbor => cbor_bytes(&to_cbor(&Value::Object(members))),
        Form::Query => format!(
            "<ErrorResponse xmlns=\"{NAMESPACE}\"><Error><Type>Sender</Type><Code>{code}</Code><Message>{}</Message></Error><RequestId>{}</RequestId></ErrorResponse>",
            quick_xml::escape::escape(text("message")),
            call.request_id
        )
        .into_bytes(),
    };
    Answer {
        headers,
        body,
        ..answer
    }
}

fn headers(form: Form, call: &Call<'_>) -> Vec<(&'static str, String)> {
    let kind = match form {
        Form::Cbor => "application/cbor",
        Form::Json => "application/x-amz-json-1.0",
        Form::Query => "text/xml",
    };
    let mut headers = vec![
        ("x-amzn-requestid", call.request_id.to_owned()),
        ("content-type", kind.to_owned()),
    ];
    if form == Form::Cbor {
        headers.push(("smithy-protocol", "rpc-v2-cbor".to_owned()));
    }
    headers
}

fn cbor_bytes(value: &Cbor) -> Vec<u8> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).expect("a value can be written to memory");
    bytes
}

/// The same with times as seconds.
fn plain_times(value: &Value) -> Value {
    match value {
        Value::Object(members) => match members.get(TIME) {
            Some(seconds) => seconds.clone(),
            None => members
                .iter()
                .map(|(name, value)| (name.clone(), plain_times(value)))
                .collect(),
        },
        Value::Array(items) => items.iter().map(plain_times).collect(),
        other => other.clone(),
    }
}

fn write_xml(xml: &mut String, value: &Value) {
    match value {
        Value::Null => {}
        Value::Array(items) => {
            for item in items {
                xml.push_str("<member>");
                write_xml(xml, item);
                xml.push_str("</member>");
            }
        }
        Value::Object(members) => {
            if let Some(seconds) = members.get(TIME) {
                let at = Timestamp::from_second(seconds.as_i64().unwrap_or_default());
                xml.push_str(&at.unwrap_or_default().to_string());
                return;
            }
            for (name, value) in members.iter().filter(|(_, value)| !value.is_null()) {
                xml.push_str(&format!("<{name}>"));
                write_xml(xml, value);
                xml.push_str(&format!("</{name}>"));
            }
        }
        Value::String(text) => xml.push_str(&quick_xml::escape::escape(text.as_str())),
        other => xml.push_str(&other.to_string()),
    }
}
