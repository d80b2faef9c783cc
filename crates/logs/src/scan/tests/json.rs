//! JSON: lines, documents, and what is wrong in them.

use super::*;

#[test]
fn json_lines_have_fields_by_name() {
    let text = concat!(
        r#"{"date":"2026-06-14","time":"17:00:01","sc-status":"304","cs(Host)":"d1.example","cs(User-Agent)":"Feedly/1.0%20(+http)","cs-uri-query":"-","c-country":"US"}"#,
        "\n",
        "\r\n",
        r#"{"c-country":"AT","sc-status":200,"time":"17:00:02","date":"2026-06-14","asn":"64500","cs(User-Agent)":"a\"\u00e4\\"}"#,
        "\n",
    );
    let (scanned, rows) = read(
        text.as_bytes(),
        &[
            "at",
            "sc_status",
            "cs_user_agent",
            "c_country",
            "asn",
            "cs_uri_query",
        ],
    );
    assert_eq!(
        (scanned.bad, scanned.skipped),
        (0, 1),
        "{:?}",
        scanned.samples
    );
    assert_eq!(
        rows,
        [
            [
                time("2026-06-14T17:00:01"),
                Value::Integer(304),
                words("Feedly/1.0 (+http)"),
                words("US"),
                Value::Null,
                Value::Null
            ],
            [
                time("2026-06-14T17:00:02"),
                Value::Integer(200),
                words("a\"ä\\"),
                words("AT"),
                Value::Integer(64_500),
                Value::Null
            ],
        ]
    );
}

#[test]
fn an_object_like_the_one_before_is_read_as_any_other() {
    let first = r#"{"date":"2026-06-14","time":"17:00:01","cs-uri-stem":"/a","sc-status":"200"}"#;
    for (second, expected) in [
        (
            r#"{"date":"2026-06-14","time":"17:00:01","cs-uri-stem":"/b","sc-status":"-"}"#,
            Some(words("/b")),
        ),
        (
            r#"{"date":"2026-06-14","time":"17:00:01","cs-uri-stem":"/\"b","sc-status":"200"}"#,
            Some(words("/\"b")),
        ),
        (
            r#"{"date":"2026-06-14","time":"17:00:01","cs-uri-stem":null,"sc-status":200}"#,
            Some(Value::Null),
        ),
        (
            r#"{"date":"2026-06-14","time":"17:00:01","cs-uri-stem":"/b"}"#,
            Some(words("/b")),
        ),
        (
            r#"{"date":"2026-06-14","time":"17:00:01","cs-uri-stem":"/b","sc-status":"200","asn":"1"}"#,
            Some(words("/b")),
        ),
        (
            r#"{"time":"17:00:01","date":"2026-06-14","cs-uri-stem":"/b","sc-status":"200"}"#,
            Some(words("/b")),
        ),
        (
            r#"{"date": "2026-06-14","time":"17:00:01","cs-uri-stem":"/b","sc-status":"200"} "#,
            Some(words("/b")),
        ),
        (
            r#"{"date":"2026-06-14","time":"17:00:01","cs-uri-stem":"/b","sc-status":"200"},"#,
            None,
        ),
        (
            r#"{"date":"2026-06-14","time":"17:00:01","cs-uri-stem":"/b","sc-status":"200""#,
            None,
        ),
        (
            r#"{"date":"2026-06-14","time":"17:00:01","cs-uri-stem":"/b","sc-status":"200"#,
            None,
        ),
        (
            "{\"date\":\"2026-06-14\",\"time\":\"17:00:01\",\"cs-uri-stem\":\"/\t\",\"sc-status\":\"200\"}",
            None,
        ),
    ] {
        let (scanned, rows) = read(
            format!("{first}\n{second}\n{first}").as_bytes(),
            &["cs_uri_stem"],
        );
        assert_eq!(scanned.bad, u64::from(expected.is_none()), "{second}");
        let stems: Vec<Value> = rows.into_iter().flatten().collect();
        let all = [Some(words("/a")), expected, Some(words("/a"))];
        assert_eq!(
            stems,
            all.into_iter().flatten().collect::<Vec<_>>(),
            "{second}"
        );
    }
}

#[test]
fn objects_that_a_stream_put_into_one_line_are_rows_each() {
    let one = r#"{"date":"2026-06-14","time":"17:00:01","cs-uri-query":"a}{b","sc-status":"200"}"#;
    let (scanned, rows) = read(
        format!("{one}{one}\n{one}\n{one}{{\"da").as_bytes(),
        &["cs_uri_query"],
    );
    assert_eq!(rows, vec![[words("a}{b")]; 4]);
    assert_eq!((scanned.bad, scanned.samples[0].line), (1, 3));
}

#[test]
fn json_that_is_wrong_is_a_bad_line_each() {
    let good = r#"{"date":"2026-06-14","time":"17:00:01","sc-status":"304"}"#;
    for (bad, reason) in [
        ("{", "JSON: it ends too early, column 1"),
        (
            r#"{"date":"2026-06-14""#,
            "JSON: it ends too early, column 20",
        ),
        (
            r#"{"date":"2026-06-14"} x"#,
            "JSON: it cannot be read, column 23",
        ),
        (r#"{"sc-status":"200"}"#, "its date or time cannot be read"),
        (
            r#"{"date":["2026-06-14"],"time":"17:00:01"}"#,
            "its date or time cannot be read",
        ),
    ] {
        let (scanned, rows) = read(format!("{good}\n{bad}\n{good}").as_bytes(), &["sc_status"]);
        assert_eq!((scanned.bad, rows.len()), (1, 2), "{bad}");
        assert_eq!(
            scanned.samples[0],
            BadLine {
                line: 2,
                reason: reason.to_owned(),
                excerpt: bad.to_owned()
            }
        );
    }
}

#[test]
fn a_json_document_is_cut_into_its_objects() {
    let document = r#"{
    "timestamp": 1602646738.145,
    "cs-uri-stem": "/a}.jpg",
    "sc-status": 200,
    "cs-headers": [
        {"Name": "host", "Value": "live.example.com"},
        {"Name": "CMCD-Session", "Value": "sid=\"s-1\""}
    ],
    "cs-header-names": ["host", "CMCD-Session"]
}"#;
    let columns = [
        "at",
        "sc_status",
        "cs_uri_stem",
        "cs_header_names",
        "cmcd_session_id",
    ];
    let expected = [
        time("2020-10-14T03:38:58.145"),
        Value::Integer(200),
        words("/a}.jpg"),
        words("host\nCMCD-Session\n"),
        words("s-1"),
    ];
    let (scanned, rows) = read(document.as_bytes(), &columns);
    assert_eq!((scanned.bad, scanned.skipped), (0, 0));
    assert_eq!(rows, std::slice::from_ref(&expected));
    let (scanned, rows) = read(format!("[{document},{document}, 7]\n").as_bytes(), &columns);
    assert_eq!(rows, [expected.clone(), expected]);
    assert_eq!(scanned.samples[0].reason, "JSON: it is no object of fields");
    let (scanned, _) = read(&document.as_bytes()[..200], &columns);
    assert_eq!((scanned.rows, scanned.bad), (0, 1));
}
