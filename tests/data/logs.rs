//! Logs of others, read with the number of rows that the folder's README gives; and CMCD as players
//! sent it. What in them is wrong, and what is odd and right, is named here.

use std::path::PathBuf;

use onair_logs::cmcd::Cmcd;
use onair_logs::collect::Collected;
use onair_logs::scan::{Scan, Scanned, scan};
use onair_logs::schema::{self, REQUESTS, WAF};
use onair_logs::value::Value;
use onair_logs::waf;

fn folder() -> PathBuf {
    std::env::var_os("ONAIR_SHARED_DATA")
        .expect("ONAIR_SHARED_DATA names the folder of real data")
        .into()
}

fn content(path: &str) -> Vec<u8> {
    let path = folder().join(path);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All columns of a file.
fn read(name: &str) -> (Scanned, Vec<Vec<Value>>) {
    let content = content(&format!("cloudfront-logs/{name}"));
    let asked = Scan {
        columns: (0..REQUESTS.len()).collect(),
        ..Scan::default()
    };
    let mut sink = Collected::default();
    let scanned = scan(&content[..], name, &asked, &mut sink).expect("a slice can be read");
    assert_eq!(scanned.bytes, content.len() as u64);
    (scanned, sink.rows)
}

fn value<'a>(row: &'a [Value], column: &str) -> &'a Value {
    let place = schema::Table::Requests
        .position(column)
        .unwrap_or_else(|| panic!("no column {column}"));
    &row[place]
}

fn text(row: &[Value], column: &str) -> String {
    match value(row, column) {
        Value::Text(text) => text.clone(),
        other => panic!("{column}: {other:?}"),
    }
}

#[test]
fn every_file_has_its_rows() {
    // Name, rows, lines that begin with `#`. No file has a line that cannot be read.
    let files = [
        ("E1Z5N5X273TPT1.2026-04-04-12.27178cb4.gz", 3, 0),
        ("E2KG6TMBAL2PBU.2021-01-23-13.23aaa605.gz", 1, 2),
        ("asaaki-33f-xff-lists-2019.log", 6, 2),
        ("aws-log-parser-33f-2019.log", 6, 2),
        ("binx-26f-2018.txt", 1, 2),
        ("centralized-logging-33f-2023.log.gz", 2, 2),
        ("node-parser-realtime-40f-2020.txt", 1, 2),
        ("node-parser-web-24f-2014.txt", 2, 2),
        ("realtime-monitoring-record-40f-2020.json", 1, 0),
        ("rkalla-12f-2011-100.gz", 100, 2),
        (
            "waf-security-automations-E3HXCM7PFRG6HT.2023-04-24-21.d740d76b.gz",
            152,
            1,
        ),
        ("waf-security-automations-access-log-sample.gz", 28_949, 0),
    ];
    let mut there: Vec<String> = std::fs::read_dir(folder().join("cloudfront-logs"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    there.sort();
    assert_eq!(there, files.map(|(name, _, _)| name));
    for (name, rows, skipped) in files {
        let (scanned, found) = read(name);
        assert_eq!(scanned.samples, [], "{name}");
        assert_eq!(scanned.truncated, None, "{name}");
        assert_eq!((scanned.rows, scanned.skipped), (rows, skipped), "{name}");
        for row in found {
            assert!(matches!(value(&row, "at"), Value::Timestamp(_)), "{name}");
            assert!(
                matches!(value(&row, "sc_status"), Value::Integer(0 | 100..600)),
                "{name}"
            );
            assert!(
                matches!(value(&row, "sc_bytes"), Value::Integer(_)),
                "{name}"
            );
        }
    }
}

#[test]
fn version_2_json_has_countries_and_typed_values() {
    let (_, rows) = read("E1Z5N5X273TPT1.2026-04-04-12.27178cb4.gz");
    assert_eq!(text(&rows[0], "c_country"), "US");
    assert_eq!(text(&rows[0], "distribution_id"), "E1Z5N5X273TPT1");
    assert_eq!(text(&rows[0], "viewer_host"), "post-tenebras-lire.net");
    assert_eq!(value(&rows[0], "sc_status"), &Value::Integer(304));
    assert_eq!(value(&rows[0], "time_taken"), &Value::Double(0.001));
    assert!(text(&rows[0], "cs_user_agent").starts_with("Feedly/1.0 (+http://www.feedly.com/"));
    assert_eq!(value(&rows[0], "cs_uri_query"), &Value::Null);
}

#[test]
fn user_agents_are_decoded_whether_encoded_twice_once_or_not() {
    for (name, agent) in [
        (
            "node-parser-web-24f-2014.txt",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 10_2_1 like Mac OS X)",
        ),
        (
            "rkalla-12f-2011-100.gz",
            "Mozilla/5.0 (X11; U; Linux i686; en-US)",
        ),
        (
            "centralized-logging-33f-2023.log.gz",
            "Mozilla/5.0 (iPad; CPU iPad OS 12_4_8 like Mac OS X)",
        ),
    ] {
        let (_, rows) = read(name);
        assert!(text(&rows[0], "cs_user_agent").starts_with(agent), "{name}");
    }
}

#[test]
fn odd_values_are_null_or_kept_and_no_reason_to_drop_a_row() {
    let (_, rows) = read("centralized-logging-33f-2023.log.gz");
    // 570129.76: no whole number. " -": no number either.
    assert_eq!(value(&rows[0], "sc_content_len"), &Value::Null);
    assert_eq!(value(&rows[0], "fle_encrypted_fields"), &Value::Null);
    assert_eq!(text(&rows[0], "cs_protocol"), "ws");

    let (_, rows) = read("waf-security-automations-E3HXCM7PFRG6HT.2023-04-24-21.d740d76b.gz");
    assert_eq!(text(&rows[0], "c_ip"), "x.x.x.x");
    assert_eq!(value(&rows[0], "x_edge_result_type"), &Value::Null);

    // Status 000: the viewer left before the answer.
    let (_, rows) = read("waf-security-automations-access-log-sample.gz");
    let left = |row: &&Vec<Value>| value(row, "sc_status") == &Value::Integer(0);
    let abandoned = |row: &&Vec<Value>| value(row, "is_abandoned") == &Value::Boolean(true);
    assert_eq!(rows.iter().filter(left).count(), 1751);
    assert_eq!(rows.iter().filter(abandoned).count(), 1751);

    let (_, rows) = read("asaaki-33f-xff-lists-2019.log");
    assert_eq!(
        text(&rows[1], "x_forwarded_for"),
        "1.2.3.4, 5.6.7.8, 9.10.11.12"
    );
    assert!(text(&rows[2], "x_forwarded_for").contains(r"\x20"));
    assert_eq!(
        text(&rows[3], "x_edge_detailed_result_type"),
        "OriginDnsError"
    );
}

#[test]
fn real_time_lines_are_told_from_standard_ones() {
    let (_, rows) = read("node-parser-realtime-40f-2020.txt");
    let row = &rows[0];
    assert_eq!(
        value(row, "at"),
        &Value::Timestamp("2020-12-07T20:52:01.541".parse().unwrap())
    );
    assert_eq!(text(row, "cs_uri_stem"), "/i");
    assert!(text(row, "cs_uri_query").starts_with("stm=1607374321563&e=pp&url=http%253A"));
    assert_eq!(text(row, "c_ip_version"), "IPv4");
    assert_eq!(value(row, "cs_headers_count"), &Value::Integer(8));
    // There is a `sid` in the query string, and no CMCD.
    assert_eq!(value(row, "cmcd_session_id"), &Value::Null);

    let (_, rows) = read("realtime-monitoring-record-40f-2020.json");
    assert_eq!(
        value(&rows[0], "at"),
        &Value::Timestamp("2020-10-14T03:38:58.145".parse().unwrap())
    );
    assert!(text(&rows[0], "cs_headers").starts_with("host:somehost123.cloudfront.net\n"));
}

#[test]
fn a_waf_log_is_read_and_its_tokens_are_not() {
    let content = content("waf-logs/centralized-logging-waf.log");
    let asked = Scan {
        columns: (0..WAF.len()).collect(),
        ..Scan::default()
    };
    let mut sink = Collected::default();
    let scanned = waf::scan(&content[..], &asked, &mut sink).unwrap();
    assert_eq!((scanned.rows, scanned.bad), (2, 0), "{:?}", scanned.samples);
    let place = |name: &str| WAF.iter().position(|column| column.name == name).unwrap();
    assert_eq!(
        sink.rows[0][place("action")],
        Value::Text("ALLOW".to_owned())
    );
    assert_eq!(
        sink.rows[0][place("c_country")],
        Value::Text("CN".to_owned())
    );
    assert_eq!(
        sink.rows[0][place("cs_uri_stem")],
        Value::Text("/graphql".to_owned())
    );
    let all = format!("{:?}", sink.rows);
    assert!(!all.contains("eyJ"), "a token of the header Authorization");
    // To the reader of requests it is another table's object, and nothing in it is bad.
    let asked = Scan {
        columns: vec![0],
        ..Scan::default()
    };
    let scanned = scan(&content[..], "", &asked, &mut Collected::default()).unwrap();
    assert!(scanned.is_other);
    assert_eq!((scanned.rows, scanned.bad), (0, 0));
}

#[test]
fn cmcd_of_a_player_is_read_from_each_url() {
    let urls = String::from_utf8(content("cmcd/cmcd-validator-queries.txt")).unwrap();
    let mut sessions = Vec::new();
    for url in urls.lines() {
        let query = url.split_once('?').map_or("", |(_, query)| query);
        let cmcd = Cmcd::of_query(query).unwrap_or_else(|| panic!("no CMCD in {url}"));
        assert!(!cmcd.items().is_empty(), "{url}");
        // As CloudFront would log it, it is the same.
        let logged = Cmcd::of_query(&query.replace('%', "%25")).unwrap();
        assert_eq!(cmcd.text("sid"), logged.text("sid"), "{url}");
        assert_eq!(cmcd.integer("br"), logged.integer("br"), "{url}");
        sessions.extend(cmcd.text("sid"));
    }
    assert_eq!(urls.lines().count(), 20);
    assert!(sessions.len() >= 10 && sessions.iter().all(|session| !session.is_empty()));
    let json = String::from_utf8(content("cmcd/cmcd-validator-json.txt")).unwrap();
    for line in json.lines() {
        assert!(
            Cmcd::of_json(line).is_some_and(|cmcd| !cmcd.items().is_empty()),
            "{line}"
        );
    }
    assert_eq!(json.lines().count(), 9);
}

#[test]
fn cmcd_vectors_come_to_what_they_say() {
    let vectors: serde_json::Value =
        serde_json::from_slice(&content("cmcd/cml-cmcd-vectors.json")).unwrap();
    let list = |name: &str| {
        vectors[name]
            .as_str()
            .unwrap_or_else(|| panic!("no {name}"))
    };
    for name in [
        "CMCD_STRING_V1",
        "CMCD_STRING_REQUEST",
        "CMCD_STRING_EVENT",
        "CMCD_STRING_RESPONSE",
    ] {
        assert_eq!(Cmcd::parse(list(name)).to_list(), list(name), "{name}");
    }
    // However it travels, it says the same.
    let request = Cmcd::parse(list("CMCD_STRING_REQUEST"));
    let query = Cmcd::of_query(list("CMCD_QUERY")).unwrap();
    let headers = vectors["CMCD_HEADERS"].as_object().unwrap();
    let headers = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str().unwrap()));
    let headers = Cmcd::of_headers(headers).unwrap();
    let expected = vectors["CMCD_OUTPUT_REQUEST"].as_object().unwrap();
    for cmcd in [&request, &query, &headers] {
        assert_eq!(cmcd.items().len(), expected.len());
        for (key, value) in expected {
            let value = match value {
                serde_json::Value::Array(members) if members.len() == 1 => &members[0],
                value => value,
            };
            match value {
                serde_json::Value::Bool(true) => assert!(cmcd.boolean(key), "{key}"),
                serde_json::Value::Number(number) => {
                    assert_eq!(cmcd.integer(key), number.as_i64(), "{key}");
                }
                serde_json::Value::String(text) => {
                    assert_eq!(cmcd.text(key).as_ref(), Some(text), "{key}");
                }
                serde_json::Value::Array(_) => {
                    assert_eq!(cmcd.text(key).as_deref(), Some("ERR001,ERR002"), "{key}");
                }
                other => panic!("{key}: {other}"),
            }
        }
    }
}
