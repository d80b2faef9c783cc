//! AWS WAF's logs: JSON, an object each request. Of the headers, Host and User-Agent alone are read:
//! others may hold tokens.

use std::io::Read;
use std::ops::ControlFlow;

use memchr::memmem;
use serde_json::{Map, Value};

use crate::fields;
use crate::lines::{self, Line};
use crate::scan::{Scan, Scanned, Sink};
use crate::schema::{Kind, WAF};
use crate::time;

/// Whether a line begins a record of WAF's logs. A text of a viewer cannot make it one: within texts
/// quotes are escaped, and after a text that is all of it comes no colon.
pub(crate) fn is_record(line: &[u8]) -> bool {
    const KEY: &[u8] = b"\"httpRequest\"";
    line.first() == Some(&b'{')
        && memmem::find_iter(line, KEY)
            .any(|at| line[at + KEY.len()..].trim_ascii_start().first() == Some(&b':'))
}

/// Whether a line is of CloudFront's logs: a head, fields with tabs between, or an object of other keys.
fn is_of_cloudfront(line: &[u8]) -> bool {
    match line.first() {
        Some(b'#') => true,
        Some(b'{') => !is_record(line) && line.ends_with(b"}"),
        _ => line.contains(&b'\t'),
    }
}

/// Reads an object of WAF's logs, gzip or not. [`Scan::columns`] are places in [`WAF`]; of the rest the
/// window alone counts. One of CloudFront's logs is left, see [`Scanned::is_other`].
///
/// # Errors
/// The object cannot be read at all. What is wrong with its content is told in [`Scanned`].
pub fn scan(object: impl Read, asked: &Scan, sink: &mut impl Sink) -> std::io::Result<Scanned> {
    let window = asked
        .window
        .map(|(from, until)| (time::milliseconds(from), time::milliseconds(until)));
    let mut scanned = Scanned::default();
    let mut number = 0;
    let mut has_begun = false;
    let ended = lines::each(object, |line: Line<'_>| {
        number += 1;
        if line.is_too_long {
            scanned.note_bad(number, "the line is longer than 1 MiB", line.text);
            return ControlFlow::Continue(());
        }
        let text = line.text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line.text);
        if text.trim_ascii().is_empty() {
            scanned.skipped += 1;
            return ControlFlow::Continue(());
        }
        if !std::mem::replace(&mut has_begun, true) && is_of_cloudfront(text) {
            scanned.is_other = true;
            return ControlFlow::Break(());
        }
        // A stream may put several objects into one line.
        for record in serde_json::Deserializer::from_slice(text).into_iter::<Value>() {
            let Ok(record) = record else {
                scanned.note_bad(number, "JSON: it cannot be read", text);
                break;
            };
            let Some(request) = record.get("httpRequest").and_then(Value::as_object) else {
                scanned.note_bad(number, "no record of AWS WAF: it has no httpRequest", text);
                continue;
            };
            let Some(at) = record.get("timestamp").and_then(moment) else {
                scanned.note_bad(number, "its timestamp cannot be read", text);
                continue;
            };
            if window.is_some_and(|(from, until)| at < from || at >= until) {
                scanned.outside += 1;
                continue;
            }
            for (slot, column) in asked.columns.iter().enumerate() {
                match WAF.get(*column) {
                    Some(column) if column.kind == Kind::Timestamp => sink.timestamp(slot, at),
                    Some(column) => tell(sink, slot, cell(column.name, &record, request)),
                    None => sink.null(slot),
                }
            }
            scanned.rows += 1;
            sink.end_row()?;
        }
        ControlFlow::Continue(())
    })?;
    scanned.bytes = ended.bytes;
    scanned.truncated = ended.truncated;
    Ok(scanned)
}

fn moment(timestamp: &Value) -> Option<i64> {
    match timestamp {
        Value::String(text) => time::epoch(text.as_bytes()),
        number => time::epoch(number.to_string().as_bytes()),
    }
}

enum Cell<'a> {
    Nothing,
    Text(&'a str),
    Joined(String),
    Integer(i64),
    Boolean(bool),
}

fn tell(sink: &mut impl Sink, slot: usize, cell: Cell<'_>) {
    match cell {
        Cell::Nothing | Cell::Text("" | "-") => sink.null(slot),
        Cell::Text(text) => sink.text(slot, text),
        Cell::Joined(text) if text.is_empty() => sink.null(slot),
        Cell::Joined(text) => sink.text(slot, &text),
        Cell::Integer(integer) => sink.integer(slot, integer),
        Cell::Boolean(boolean) => sink.boolean(slot, boolean),
    }
}

fn cell<'a>(name: &str, record: &'a Value, request: &'a Map<String, Value>) -> Cell<'a> {
    let text = |value: Option<&'a Value>| {
        value
            .and_then(Value::as_str)
            .map_or(Cell::Nothing, Cell::Text)
    };
    let of_record = |key: &str| text(record.get(key));
    let of_request = |key: &str| text(request.get(key));
    let integer = |key: &str| {
        record
            .get(key)
            .and_then(Value::as_i64)
            .map_or(Cell::Nothing, Cell::Integer)
    };
    match name {
        "action" => of_record("action"),
        "web_acl_id" => of_record("webaclId"),
        "terminating_rule" => of_record("terminatingRuleId"),
        "terminating_rule_type" => of_record("terminatingRuleType"),
        "rule_group" => text(deciding_group(record).and_then(|group| group.get("ruleGroupId"))),
        "rule_in_group" => text(
            deciding_group(record).and_then(|group| group.get("terminatingRule")?.get("ruleId")),
        ),
        "is_rate_based" => match record.get("terminatingRuleType").and_then(Value::as_str) {
            Some(kind) => Cell::Boolean(kind == "RATE_BASED"),
            None => Cell::Nothing,
        },
        "rate_limits" => Cell::Joined(joined(record, "rateBasedRuleList", "rateBasedRuleName")),
        "counting_rules" => Cell::Joined(counting_rules(record)),
        "labels" => Cell::Joined(joined(record, "labels", "name")),
        "response_code_sent" => integer("responseCodeSent"),
        "source_name" => of_record("httpSourceName"),
        "distribution_id" => match record.get("httpSourceId").and_then(Value::as_str) {
            // An ARN where it is no CloudFront distribution, and of some it is one too.
            Some(id) => {
                let id = id.rsplit('/').next().unwrap_or(id);
                if fields::is_distribution(id) {
                    Cell::Text(id)
                } else {
                    Cell::Nothing
                }
            }
            None => Cell::Nothing,
        },
        "distribution_tenant_id" => of_record("cfDistributionTenantId"),
        "c_ip" => of_request("clientIp"),
        "c_country" => of_request("country"),
        "asn" => integer("clientAsn"),
        "cs_method" => of_request("httpMethod"),
        "viewer_host" => match of_request("host") {
            Cell::Nothing => text(header(request, "host")),
            host => host,
        },
        "cs_uri_stem" => of_request("uri"),
        "cs_uri_query" => of_request("args"),
        "cs_protocol_version" => of_request("httpVersion"),
        "cs_user_agent" => text(header(request, "user-agent")),
        "x_edge_request_id" => of_request("requestId"),
        "ja3" => of_record("ja3Fingerprint"),
        "ja4" => of_record("ja4Fingerprint"),
        _ => Cell::Nothing,
    }
}

fn members<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value
        .get(key)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// The group whose rule decided.
fn deciding_group(record: &Value) -> Option<&Value> {
    let decided = |group: &&Value| {
        group
            .get("terminatingRule")
            .is_some_and(|rule| !rule.is_null())
    };
    members(record, "ruleGroupList").iter().find(decided)
}

fn texts<'a>(members: &'a [Value], key: &str) -> impl Iterator<Item = &'a str> {
    members
        .iter()
        .filter_map(move |member| member.get(key)?.as_str())
}

fn joined(record: &Value, list: &str, key: &str) -> String {
    texts(members(record, list), key)
        .collect::<Vec<_>>()
        .join(",")
}

fn counting_rules(record: &Value) -> String {
    let of_groups = members(record, "ruleGroupList")
        .iter()
        .flat_map(|group| texts(members(group, "nonTerminatingMatchingRules"), "ruleId"));
    texts(members(record, "nonTerminatingMatchingRules"), "ruleId")
        .chain(of_groups)
        .collect::<Vec<_>>()
        .join(",")
}

fn header<'a>(request: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let headers = request.get("headers")?.as_array()?;
    let is_it = |header: &&Value| {
        let found = header.get("name").and_then(Value::as_str);
        found.is_some_and(|found| found.eq_ignore_ascii_case(name))
    };
    headers.iter().find(is_it)?.get("value")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::collect::Collected;
    use crate::value::Value as Told;

    fn record() -> Value {
        json!({
            "timestamp": 1_781_456_401_250_i64,
            "formatVersion": 1,
            "webaclId": "arn:aws:wafv2:us-east-1:123456789012:global/webacl/cup/1",
            "terminatingRuleId": "managed",
            "terminatingRuleType": "MANAGED_RULE_GROUP",
            "action": "BLOCK",
            "httpSourceName": "CF",
            "httpSourceId": "E2KG6TMBAL2PBU",
            "ruleGroupList": [
                {"ruleGroupId": "first", "terminatingRule": null,
                 "nonTerminatingMatchingRules": [{"ruleId": "seen", "action": "COUNT"}]},
                {"ruleGroupId": "second", "terminatingRule": {"ruleId": "tor", "action": "BLOCK"}},
            ],
            "rateBasedRuleList": [{"rateBasedRuleName": "per-address", "maxRateAllowed": 100}],
            "nonTerminatingMatchingRules": [{"ruleId": "watch", "action": "COUNT"}],
            "responseCodeSent": 451,
            "labels": [{"name": "a:b"}, {"name": "c"}],
            "ja3Fingerprint": "f79b", "ja4Fingerprint": "t13d",
            "clientAsn": 64_500,
            "httpRequest": {
                "clientIp": "192.0.2.1", "country": "AT", "uri": "/cup/1.m4s", "args": "",
                "httpVersion": "HTTP/2.0", "httpMethod": "GET", "requestId": "abc==",
                "headers": [
                    {"name": "Host", "value": "live.example.com"},
                    {"name": "authorization", "value": "Bearer secret"},
                    {"name": "User-Agent", "value": "curl"},
                ],
            },
        })
    }

    fn everything() -> Scan {
        Scan {
            columns: (0..WAF.len()).collect(),
            ..Scan::default()
        }
    }

    fn read(text: &str, asked: &Scan) -> (Scanned, Vec<Vec<Told>>) {
        let mut sink = Collected::default();
        let scanned = scan(text.as_bytes(), asked, &mut sink).unwrap();
        (scanned, sink.rows)
    }

    #[test]
    fn a_record_is_a_row() {
        let (scanned, rows) = read(&format!("{}\n", record()), &everything());
        assert_eq!((scanned.rows, scanned.bad), (1, 0));
        let text = |text: &str| Told::Text(text.to_owned());
        for (name, expected) in [
            (
                "at",
                Told::Timestamp("2026-06-14T17:00:01.25".parse().unwrap()),
            ),
            ("action", text("BLOCK")),
            ("terminating_rule", text("managed")),
            ("rule_group", text("second")),
            ("rule_in_group", text("tor")),
            ("is_rate_based", Told::Boolean(false)),
            ("rate_limits", text("per-address")),
            ("counting_rules", text("watch,seen")),
            ("labels", text("a:b,c")),
            ("response_code_sent", Told::Integer(451)),
            ("distribution_id", text("E2KG6TMBAL2PBU")),
            ("c_ip", text("192.0.2.1")),
            ("asn", Told::Integer(64_500)),
            ("viewer_host", text("live.example.com")),
            ("cs_uri_query", Told::Null),
            ("cs_user_agent", text("curl")),
            ("x_edge_request_id", text("abc==")),
            ("ja4", text("t13d")),
        ] {
            let place = WAF.iter().position(|column| column.name == name).unwrap();
            assert_eq!(rows[0][place], expected, "{name}");
        }
        assert!(!format!("{rows:?}").contains("secret"));
    }

    #[test]
    fn what_is_no_record_is_a_bad_line_and_the_window_holds() {
        let one = record().to_string();
        let text = format!("{one}{one}\n\n{{\"a\":1}}\nodd\n{one}");
        let (scanned, rows) = read(&text, &everything());
        assert_eq!((rows.len(), scanned.bad, scanned.skipped), (3, 2, 1));
        assert_eq!(scanned.samples[0].line, 3);
        let window = Some((
            "2026-06-14T17:01".parse().unwrap(),
            "2026-06-14T18:00".parse().unwrap(),
        ));
        let (scanned, rows) = read(
            &text,
            &Scan {
                window,
                ..everything()
            },
        );
        assert_eq!((rows.len(), scanned.outside), (0, 3));
    }

    fn requests(text: &str) -> Scanned {
        let asked = Scan {
            columns: vec![0],
            ..Scan::default()
        };
        crate::scan::scan(text.as_bytes(), "", &asked, &mut Collected::default()).unwrap()
    }

    #[test]
    fn each_reader_leaves_the_other_ones_objects() {
        let record = record().to_string();
        let scanned = requests(&format!("{record}\n{record}\n"));
        assert!(scanned.is_other);
        assert_eq!((scanned.rows, scanned.bad), (0, 0));
        // After lines of its own a record is a bad line.
        let own = r#"{"date":"2026-06-14","time":"17:00:01","c-ip":"192.0.2.1"}"#;
        let scanned = requests(&format!("{own}\n{record}\n"));
        assert_eq!((scanned.is_other, scanned.rows, scanned.bad), (false, 1, 1));
        assert_eq!(
            scanned.samples[0].reason,
            "a record of AWS WAF's logs, which is no request of CloudFront's"
        );
        for text in [own, "#Version: 1.0", "2026-06-14\t17:00:01\tVIE50"] {
            let (scanned, rows) = read(&format!("\n{text}\n{record}\n"), &everything());
            assert!(scanned.is_other, "{text}");
            assert_eq!((rows.len(), scanned.bad), (0, 0), "{text}");
        }
        let (scanned, rows) = read(&format!("odd\n{record}\n"), &everything());
        assert_eq!((scanned.is_other, rows.len(), scanned.bad), (false, 1, 1));
    }

    #[test]
    fn a_viewers_text_makes_no_object_another_ones() {
        for agent in [
            r#""httpRequest": {"#,
            "httpRequest",
            r#"","httpRequest":{}"#,
        ] {
            let line = json!({"date": "2026-06-14", "time": "17:00:01", "cs(User-Agent)": agent});
            let scanned = requests(&line.to_string());
            assert_eq!((scanned.is_other, scanned.rows), (false, 1), "{agent}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(text in r#"[\[\]{}"a:,0-9\n ]{0,80}"#) {
            let wrapped = format!(r#"{{"timestamp":1,"httpRequest":{{"headers":{text}}},"labels":{text}}}"#);
            for text in [text, wrapped] {
                scan(text.as_bytes(), &everything(), &mut Collected::default()).unwrap();
            }
        }
    }
}
