//! Lines of every form, and what they come to. Rows of real files are in the main crate's
//! `tests/data`.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;

use super::*;
use crate::collect::Collected;
use crate::fields::{REALTIME, STANDARD, VERSION_2};
use crate::schema;
use crate::value::Value;

/// Reads `columns` of an object.
fn read(object: &[u8], columns: &[&str]) -> (Scanned, Vec<Vec<Value>>) {
    read_as(object, columns, Scan::default())
}

fn read_as(object: &[u8], columns: &[&str], mut asked: Scan) -> (Scanned, Vec<Vec<Value>>) {
    asked.columns = columns
        .iter()
        .map(|name| schema::position(name).unwrap_or_else(|| panic!("no column {name}")))
        .collect();
    let mut sink = Collected::default();
    let name = "logs/E2KG6TMBAL2PBU.2026-06-14-17.aaaa.gz";
    let scanned = scan(object, name, &asked, &mut sink).unwrap();
    assert_eq!(scanned.rows, sink.rows.len() as u64);
    (scanned, sink.rows)
}

/// Reads one column of an object that has nothing wrong.
fn column(object: &[u8], name: &str) -> Vec<Value> {
    let (scanned, rows) = read(object, &[name]);
    assert_eq!(
        (scanned.bad, scanned.truncated),
        (0, None),
        "{:?}",
        scanned.samples
    );
    rows.into_iter().flatten().collect()
}

fn words(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn time(text: &str) -> Value {
    Value::Timestamp(text.parse().unwrap())
}

const AT: [(&str, &str); 2] = [("date", "2026-06-14"), ("time", "17:00:01")];

/// A line of `names`: a date, what is set, `-` else.
fn line(names: &[&str], delimiter: &str, set: &[(&str, &str)]) -> String {
    for (name, _) in set {
        assert!(names.contains(name), "no field {name}");
    }
    let realtime = [("timestamp", "1781456401.250")];
    let value = |name: &&str| {
        let mut all = set.iter().chain(&AT).chain(&realtime);
        all.find(|(known, _)| known == name)
            .map_or("-", |(_, value)| value)
    };
    names.iter().map(value).collect::<Vec<_>>().join(delimiter)
}

/// A line of the 33 fields.
fn standard(set: &[(&str, &str)]) -> String {
    line(&STANDARD, "\t", set)
}

fn realtime(set: &[(&str, &str)]) -> String {
    line(&REALTIME, "\t", set)
}

fn packed(text: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(text).unwrap();
    gzip.finish().unwrap()
}

#[test]
fn a_standard_line_is_a_row_of_typed_values() {
    let line = standard(&[
        ("x-edge-location", "VIE50-C1"),
        ("sc-status", "200"),
        ("sc-bytes", "1045.0"),
        ("sc-content-len", "570129.76"),
        ("time-taken", "0.034"),
        ("cs(Host)", "d111111abcdef8.cloudfront.net"),
        ("x-host-header", "live.example.com"),
        ("cs-uri-stem", "/cup/init.mp4"),
        ("cs(User-Agent)", "Mozilla/5.0%2520(X11)"),
        ("cs(Referer)", "https://example.com/%C3%A4+b"),
        ("x-edge-response-result-type", "Hit"),
        ("x-edge-result-type", "Error"),
    ]);
    let expected = [
        ("at", time("2026-06-14T17:00:01")),
        ("distribution_id", words("E2KG6TMBAL2PBU")),
        ("x_edge_location", words("VIE50-C1")),
        ("sc_status", Value::Integer(200)),
        ("sc_bytes", Value::Integer(1045)),
        ("sc_content_len", Value::Null),
        ("time_taken", Value::Double(0.034)),
        ("viewer_host", words("live.example.com")),
        ("distribution_host", words("d111111abcdef8.cloudfront.net")),
        ("cs_uri_stem", words("/cup/init.mp4")),
        ("cs_uri_query", Value::Null),
        ("object_kind", words("init")),
        ("cs_user_agent", words("Mozilla/5.0 (X11)")),
        ("cs_referer", words("https://example.com/ä+b")),
        ("is_hit", Value::Boolean(true)),
        ("is_abandoned", Value::Boolean(true)),
        ("c_country", Value::Null),
        ("cs_headers", Value::Null),
        ("cmcd_session_id", Value::Null),
        ("cmcd_buffer_starvation", Value::Null),
    ];
    let (scanned, rows) = read(line.as_bytes(), &expected.clone().map(|(name, _)| name));
    assert_eq!((scanned.rows, scanned.bytes), (1, line.len() as u64));
    for ((name, expected), found) in expected.iter().zip(&rows[0]) {
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn older_layouts_are_told_by_their_number_of_fields() {
    for count in [12, 19, 24, 26, 33] {
        let names = &STANDARD[..count];
        let one = line(names, "\t", &[("sc-status", "404"), ("c-ip", "192.0.2.1")]);
        let declared = format!("#Version: 1.0\n#Fields: {}\n{one}\n", names.join(" "));
        assert_eq!(
            column(one.as_bytes(), "sc_status"),
            [Value::Integer(404)],
            "{count}"
        );
        assert_eq!(
            column(declared.as_bytes(), "c_ip"),
            [words("192.0.2.1")],
            "{count}"
        );
    }
    // Lines of several layouts that nothing declares, one after the other.
    let mixed = format!("{}\n{}\n", line(&STANDARD[..12], "\t", &[]), standard(&[]));
    assert_eq!(column(mixed.as_bytes(), "sc_status").len(), 2);
}

#[test]
fn a_head_declares_any_selection_in_any_order_and_spelling() {
    let names = [
        "sc-status",
        "CS(user-agent)",
        "timestamp(ms)",
        "c-country",
        "cs_host",
        "new-field",
    ];
    let text = format!(
        "#Version: 1.0\n#Fields: {}\n200\tcurl\t1781456401250\tAT\td1.example\tx\n",
        names.join(" ")
    );
    let (_, rows) = read(
        text.as_bytes(),
        &[
            "c_country",
            "at",
            "distribution_host",
            "cs_user_agent",
            "viewer_host",
            "sc_status",
        ],
    );
    let expected = [
        words("AT"),
        time("2026-06-14T17:00:01.25"),
        words("d1.example"),
        words("curl"),
        Value::Null,
        Value::Integer(200),
    ];
    assert_eq!(rows, [expected]);
}

#[test]
fn a_head_may_come_again_and_change() {
    let text = "#Fields: date time sc-status\n2026-06-14\t17:00:00\t200\n#\n# a remark\n\n\
         #Fields: sc-status date time\n404\t2026-06-14\t17:00:00\n";
    let (scanned, rows) = read(text.as_bytes(), &["sc_status"]);
    assert_eq!(rows, [[Value::Integer(200)], [Value::Integer(404)]]);
    assert_eq!((scanned.skipped, scanned.bad), (5, 0));
}

#[test]
fn the_delimiter_is_told_by_the_line() {
    let names = ["date", "time", "c-ip", "cs-uri-stem", "sc-status"];
    for delimiter in ["\t", ",", ";", "|", " ", "::", "||", "\\t", "~~~~~"] {
        let head = format!("#Fields: {}\n", names.join(" "));
        let one = line(&names, delimiter, &[("sc-status", "200")]);
        let text = format!("{head}{one}\n{one}");
        assert_eq!(
            column(text.as_bytes(), "sc_status"),
            [Value::Integer(200), Value::Integer(200)],
            "{delimiter:?}"
        );
        // Declared by the caller instead.
        let asked = Scan {
            fields: names.map(str::to_owned).to_vec(),
            ..Scan::default()
        };
        let (scanned, rows) = read_as(one.as_bytes(), &["sc_status"], asked);
        assert_eq!(
            (scanned.bad, rows),
            (0, vec![vec![Value::Integer(200)]]),
            "{delimiter:?}"
        );
    }
    let without_date = "#Fields: c-ip sc-status\n192.0.2.1,200\n192.0.2.1,200\n";
    assert_eq!(column(without_date.as_bytes(), "sc_status").len(), 2);
    let first_is_odd = "#Fields: date time sc-status\nodd\n2026-06-14,17:00:00,200\n";
    let (scanned, rows) = read(first_is_odd.as_bytes(), &["sc_status"]);
    assert_eq!((scanned.bad, rows.len()), (1, 1));
}

#[test]
fn real_time_lines_swap_the_hosts_and_join_path_and_query() {
    let line = realtime(&[
        ("cs-host", "live.example.com"),
        ("x-host-header", "d111111abcdef8.cloudfront.net"),
        (
            "cs-uri-stem",
            "/cup/1.m4s?a=b&CMCD=br%253D3200%252Csid%253D%2522s-1%2522",
        ),
        ("primary-distribution-id", "E1Z5N5X273TPT1"),
        ("asn", "64500"),
        ("cmcd-session-id", "s-0"),
        ("cmcd-startup", "true"),
        ("x-edge-mqcs", "97"),
    ]);
    let expected = [
        ("at", time("2026-06-14T17:00:01.25")),
        ("viewer_host", words("live.example.com")),
        ("distribution_host", words("d111111abcdef8.cloudfront.net")),
        ("cs_uri_stem", words("/cup/1.m4s")),
        (
            "cs_uri_query",
            words("a=b&CMCD=br%253D3200%252Csid%253D%2522s-1%2522"),
        ),
        ("object_kind", words("segment")),
        ("distribution_id", words("E1Z5N5X273TPT1")),
        ("asn", Value::Integer(64_500)),
        ("x_edge_mqcs", Value::Integer(97)),
        // The field wins; where it has no value, the query counts.
        ("cmcd_session_id", words("s-0")),
        ("cmcd_encoded_bitrate", Value::Integer(3200)),
        ("cmcd_startup", Value::Boolean(true)),
        ("cmcd_buffer_starvation", Value::Boolean(false)),
        ("cmcd_version", Value::Integer(1)),
    ];
    let (_, rows) = read(line.as_bytes(), &expected.clone().map(|(name, _)| name));
    for ((name, expected), found) in expected.iter().zip(&rows[0]) {
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn a_real_time_configuration_declares_its_fields() {
    let names = ["timestamp", "c-ip", "sc-status", "cs-host"];
    let one = line(
        &names,
        "\t",
        &[("cs-host", "live.example.com"), ("sc-status", "000")],
    );
    let asked = Scan {
        fields: names.map(str::to_owned).to_vec(),
        ..Scan::default()
    };
    let (_, rows) = read_as(one.as_bytes(), &["viewer_host", "sc_status"], asked);
    assert_eq!(rows, [[words("live.example.com"), Value::Integer(0)]]);

    let (scanned, _) = read(one.as_bytes(), &["sc_status"]);
    assert_eq!(
        scanned.samples[0].reason,
        "4 fields, and no #Fields line declares them: only 12, 19, 24, 26, 33 (standard), 69 and 71 (real-time) are known"
    );
}

#[test]
fn where_nothing_tells_the_kind_the_caller_does() {
    let text = b"#Fields: x-host-header c-ip\nlive.example.com\t192.0.2.1\n";
    let viewer = |is_realtime| {
        let asked = Scan {
            is_realtime,
            ..Scan::default()
        };
        read_as(text, &["viewer_host", "distribution_host"], asked)
            .1
            .remove(0)
    };
    assert_eq!(viewer(None), [words("live.example.com"), Value::Null]);
    assert_eq!(viewer(Some(true)), [Value::Null, words("live.example.com")]);
}

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
fn invalid_utf_8_is_replaced_and_the_row_kept() {
    let mut json = br#"{"date":"2026-06-14","time":"17:00:01","cs-uri-stem":"/a"#.to_vec();
    json.extend_from_slice(b"\xff\"}");
    assert_eq!(column(&json, "cs_uri_stem"), [words("/a\u{fffd}")]);
    let mut text = standard(&[("cs-uri-stem", "/a?")]).into_bytes();
    let mark = text.iter().position(|byte| *byte == b'?').unwrap();
    text[mark] = 0xff;
    assert_eq!(column(&text, "cs_uri_stem"), [words("/a\u{fffd}")]);
    // But not where it matters.
    text[0] = 0xff;
    assert_eq!(read(&text, &["cs_uri_stem"]).0.bad, 1);
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

#[test]
fn cmcd_of_the_query_fills_typed_columns() {
    let query = "x=1&CMCD=bg%252Cbl%253D(5000)%252Cbr%253D(128%253Ba%2520200%253Bv)%252Cbs%252Cbsd%253D(2000%2520300)%252Cec%253D(%2522E1%2522%2520%2522E2%2522)%252Cpr%253D1.08%252Csid%253D%2522s-1%2522%252Csta%253Dp%252Cv%253D2&y=2";
    let expected = [
        ("cmcd_encoded_bitrate", Value::Integer(200)),
        ("cmcd_buffer_length", Value::Integer(5000)),
        ("cmcd_buffer_starvation", Value::Boolean(true)),
        ("cmcd_backgrounded", Value::Boolean(true)),
        ("cmcd_startup", Value::Boolean(false)),
        ("cmcd_starvation_ms", Value::Integer(2300)),
        ("cmcd_error_codes", words("E1,E2")),
        ("cmcd_playback_rate", Value::Double(1.08)),
        ("cmcd_session_id", words("s-1")),
        ("cmcd_state", words("p")),
        ("cmcd_version", Value::Integer(2)),
        ("cmcd_content_id", Value::Null),
    ];
    let line = standard(&[("cs-uri-query", query)]);
    let (_, rows) = read(line.as_bytes(), &expected.clone().map(|(name, _)| name));
    for ((name, expected), all) in expected.iter().zip(&rows[0]) {
        assert_eq!(all, expected, "{name}");
        // Alone, it is found by a search.
        assert_eq!(&column(line.as_bytes(), name)[0], expected, "{name}");
    }
    // Encoded once, not at all, as JSON, in headers.
    for line in [
        standard(&[("cs-uri-query", "CMCD=br%3D200%2Csid%3D%22s-1%22")]),
        standard(&[("cs-uri-query", r#"CMCD=br=200,sid="s-1""#)]),
        standard(&[(
            "cs-uri-query",
            "CMCD=%257B%2522br%2522%253A200%252C%2522sid%2522%253A%2522s-1%2522%257D",
        )]),
        realtime(&[(
            "cs-headers",
            "Host:a%0ACMCD-Object:br=200%0ACMCD-Session:sid=%22s-1%22%0A",
        )]),
        realtime(&[("cs-uri-query", "CMCD=br%253D200%252Csid%253D%2522s-1%2522")]),
    ] {
        let (_, rows) = read(
            line.as_bytes(),
            &[
                "cmcd_session_id",
                "cmcd_encoded_bitrate",
                "cmcd_version",
                "cmcd_startup",
            ],
        );
        assert_eq!(
            rows,
            [[
                words("s-1"),
                Value::Integer(200),
                Value::Integer(1),
                Value::Boolean(false)
            ]],
            "{line}"
        );
    }
}

#[test]
fn rows_outside_of_the_window_are_counted_and_left_out() {
    let lines: Vec<String> = ["16:59:59", "17:00:00", "17:59:59", "18:00:00"]
        .iter()
        .map(|time| standard(&[("time", time)]))
        .collect();
    let window = Some((
        "2026-06-14T17:00".parse().unwrap(),
        "2026-06-14T18:00".parse().unwrap(),
    ));
    let asked = Scan {
        window,
        ..Scan::default()
    };
    let (scanned, rows) = read_as(lines.join("\n").as_bytes(), &["at"], asked.clone());
    assert_eq!(scanned.outside, 2);
    assert_eq!(
        rows,
        [[time("2026-06-14T17:00:00")], [time("2026-06-14T17:59:59")]]
    );
    // Without a date nobody can say.
    let (scanned, _) = read_as(b"#Fields: c-ip sc-status\na\tb\n", &["at"], asked);
    assert_eq!(
        scanned.samples[0].reason,
        "its fields have no date, and a window is asked for"
    );
}

#[test]
fn bad_lines_are_counted_and_the_first_are_kept() {
    let good = standard(&[]);
    let long = "x ".repeat(300);
    let undated = standard(&[("date", "2026-13-01")]);
    let text = format!("{good}\n{long}\n{undated}\n{}", "a\tb\n".repeat(30));
    let (scanned, rows) = read(text.as_bytes(), &["at"]);
    assert_eq!(
        (rows.len(), scanned.bad, scanned.samples.len()),
        (1, 32, 20)
    );
    assert_eq!(
        (scanned.samples[0].line, scanned.samples[0].excerpt.len()),
        (2, 200)
    );
    assert_eq!(scanned.samples[1].reason, "its date or time cannot be read");
    let declared = format!("#Fields: {}\n{good}\textra\n", STANDARD.join(" "));
    assert_eq!(
        read(declared.as_bytes(), &["at"]).0.samples[0].reason,
        "34 fields instead of 33"
    );
}

#[test]
fn excerpts_of_bad_lines_show_no_token() {
    let token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ2aWV3ZXIifQ.c2lnbmF0dXJlLW9mLXRoaXM";
    let text = format!("GET /live/{token}/1.m4s\t200\u{1b}\u{ff}");
    let (scanned, _) = read(text.as_bytes(), &["at"]);
    assert_eq!(
        scanned.samples[0].excerpt,
        "GET /live/eyJhbGci…/1.m4s\t200\u{1b}\u{ff}"
    );
    let (scanned, _) = read(&[0xff; 300], &["at"]);
    assert_eq!(scanned.samples[0].excerpt, "\u{fffd}".repeat(66));
}

#[test]
fn ends_of_lines_and_files_come_in_all_forms() {
    let one = standard(&[("sc-range-end", "7")]);
    for text in [
        format!("{one}\n{one}\n"),
        format!("{one}\n{one}"),
        format!("{one}\r\n{one}\r\n"),
        format!("\u{feff}{one}\n\n\n{one}\n"),
        format!("\u{feff}#Fields: {}\r\n{one}\r\n{one}", STANDARD.join("\t")),
    ] {
        assert_eq!(
            column(text.as_bytes(), "sc_range_end"),
            [Value::Integer(7), Value::Integer(7)],
            "{text:?}"
        );
    }
    for text in ["", "\n", "\r\n", "#Version: 1.0\n", "\u{feff}"] {
        let (scanned, rows) = read(text.as_bytes(), &["at"]);
        assert_eq!((scanned.bad, rows.len()), (0, 0), "{text:?}");
    }
}

#[test]
fn a_line_of_more_than_a_mebibyte_is_one_bad_line() {
    let one = standard(&[]);
    for length in [
        lines::LONGEST,
        lines::LONGEST + 1,
        3 * lines::LONGEST,
        9 * lines::LONGEST + 5,
    ] {
        let text = format!("{one}\n{}\n{one}\n", "x".repeat(length));
        let (scanned, rows) = read(text.as_bytes(), &["at"]);
        assert_eq!((rows.len(), scanned.bad), (2, 1), "{length}");
        assert_eq!(scanned.samples[0].line, 2);
    }
    let endless = "x".repeat(5 * lines::LONGEST);
    assert_eq!(read(endless.as_bytes(), &["at"]).0.bad, 1);
}

#[test]
fn gzip_with_several_members_and_padding_is_read_whole() {
    let one = format!("{}\n", standard(&[]));
    let mut object = packed(one.as_bytes());
    object.extend(packed(b""));
    object.extend(packed(one.as_bytes()));
    let (scanned, rows) = read(&object, &["at"]);
    assert_eq!(
        (rows.len(), scanned.truncated, scanned.bytes),
        (2, None, object.len() as u64)
    );
    object.extend([0; 512]);
    let (scanned, rows) = read(&object, &["at"]);
    assert_eq!((rows.len(), scanned.truncated), (2, None));
    object.extend(b"more");
    let (scanned, rows) = read(&object, &["at"]);
    assert_eq!(rows.len(), 2);
    assert_eq!(
        scanned.truncated.as_deref(),
        Some("what follows the gzip is no gzip")
    );
}

#[test]
fn a_gzip_that_is_cut_off_or_damaged_gives_what_it_had() {
    let text: String = (0..5000)
        .map(|row| standard(&[("sc-bytes", &row.to_string())]) + "\n")
        .collect();
    let whole = packed(text.as_bytes());
    let (scanned, rows) = read(&whole[..whole.len() / 2], &["sc_bytes"]);
    assert_eq!(scanned.truncated.as_deref(), Some("the gzip was cut off"));
    assert!(rows.len() > 1000 && rows.len() < 5000, "{}", rows.len());
    assert!(scanned.bad <= 1, "the last line may be half");
    // The trailer alone is missing: all rows are there, and it is said all the same.
    let (scanned, rows) = read(&whole[..whole.len() - 4], &["sc_bytes"]);
    assert_eq!((rows.len(), scanned.truncated.is_some()), (5000, true));
    let mut damaged = whole.clone();
    let middle = damaged.len() / 2;
    damaged[middle..middle + 64].fill(0xff);
    let (scanned, rows) = read(&damaged, &["sc_bytes"]);
    assert!(rows.len() < 5000 || scanned.bad > 0);
    assert!(
        scanned
            .truncated
            .is_some_and(|why| why.starts_with("the gzip is damaged"))
    );
    let (scanned, _) = read(b"PAR1....", &["sc_bytes"]);
    assert!(scanned.truncated.is_some());
}

/// An object that cannot be read past its beginning.
struct Broken<'a>(&'a [u8]);

impl Read for Broken<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(std::io::Error::other("the network is down")),
            read => Ok(read),
        }
    }
}

#[test]
fn an_object_that_cannot_be_read_is_an_error_and_no_truncation() {
    let line = standard(&[]);
    let whole = packed(line.as_bytes());
    for object in [&line.as_bytes()[..50], &whole[..whole.len() - 9], &[][..]] {
        let read = scan(
            Broken(object),
            "",
            &Scan::default(),
            &mut Collected::default(),
        );
        assert_eq!(read.unwrap_err().to_string(), "the network is down");
    }
}

#[test]
fn a_sink_that_breaks_off_ends_the_reading() {
    let text = format!("{}\n", standard(&[])).repeat(50);
    let mut sink = Collected::at_most(7);
    let asked = Scan {
        columns: vec![0],
        ..Scan::default()
    };
    let scanned = scan(text.as_bytes(), "", &asked, &mut sink).unwrap();
    assert_eq!((scanned.rows, sink.rows.len()), (7, 7));
}

#[test]
fn lines_of_a_stream_are_read_one_by_one() {
    let asked = Scan {
        columns: vec![schema::position("c_ip").unwrap()],
        fields: vec!["timestamp".to_owned(), "c-ip".to_owned()],
        ..Scan::default()
    };
    let mut reader = Reader::new("", &asked);
    let mut sink = Collected::default();
    assert!(
        reader
            .line(b"1781456401.250\t192.0.2.1", &mut sink)
            .is_continue()
    );
    assert!(reader.line(b"1781456401.250", &mut sink).is_continue());
    assert_eq!(sink.rows, [[words("192.0.2.1")]]);
    assert_eq!(reader.scanned().samples[0].line, 2);
}

#[test]
fn hostile_text_comes_through_unharmed() {
    let agent = "%1B%5B31m<script>\u{202e}=HYPERLINK('x')|`%00";
    let line = standard(&[("cs(User-Agent)", agent), ("cs-uri-stem", "/\0\u{1b}[2J")]);
    assert_eq!(
        column(line.as_bytes(), "cs_user_agent"),
        [words("\u{1b}[31m<script>\u{202e}=HYPERLINK('x')|`\0")]
    );
    assert_eq!(
        column(line.as_bytes(), "cs_uri_stem"),
        [words("/\0\u{1b}[2J")]
    );
}

/// All columns.
fn everything() -> Scan {
    Scan {
        columns: (0..schema::REQUESTS.len()).collect(),
        ..Scan::default()
    }
}

/// Hands out so many bytes at a time.
struct Pieces<'a>(&'a [u8], Vec<usize>, usize);

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let size = self.1[self.2 % self.1.len()].min(buffer.len());
        self.2 += 1;
        self.0.read(&mut buffer[..size])
    }
}

fn some_line() -> impl Strategy<Value = Vec<u8>> {
    let text = |text: String| text.into_bytes();
    prop_oneof![
        Just(standard(&[(
            "cs-uri-query",
            "CMCD=br%253D1%252Csid%253D%2522a%2522"
        )]))
        .prop_map(text),
        Just(realtime(&[("cmcd-session-id", "a")])).prop_map(text),
        Just(line(&STANDARD[..12], "\t", &[])).prop_map(text),
        Just(r#"{"date":"2026-06-14","time":"17:00:01","sc-status":"200"}"#.to_owned())
            .prop_map(text),
        Just(format!("#Fields: {}", STANDARD.join(" "))).prop_map(text),
        "(#Fields:( [a-z-]{1,6}){0,4})".prop_map(text),
        "[-0-9\t :]{0,60}".prop_map(text),
        r#"[\[{}"a:,\\ ]{0,30}"#.prop_map(text),
        proptest::collection::vec(any::<u8>(), 0..80)
            .prop_map(|bytes| bytes.into_iter().filter(|byte| *byte != b'\n').collect()),
    ]
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let asked = everything();
        scan(&bytes[..], "", &asked, &mut Collected::default()).unwrap();
        let mut gzip = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0];
        gzip.extend(&bytes);
        scan(&gzip[..], "", &asked, &mut Collected::default()).unwrap();
    }

    #[test]
    fn every_line_is_accounted_for(lines in proptest::collection::vec(some_line(), 1..12), window in any::<bool>()) {
        let mut asked = everything();
        if window {
            asked.window = Some(("2026-06-14T17:00".parse().unwrap(), "2026-06-14T17:00:02".parse().unwrap()));
        }
        // A document of JSON is counted by its objects: it is no document behind another line.
        let mut text = b"0\n".to_vec();
        for line in &lines {
            text.extend(line);
            text.push(b'\n');
        }
        let mut sink = Collected::default();
        let scanned = scan(&text[..], "", &asked, &mut sink).unwrap();
        let all = scanned.rows + scanned.outside + scanned.bad + scanned.skipped;
        if lines.iter().any(|line| line.windows(2).any(|pair| pair == b"}{")) {
            // Objects in one line count each.
            prop_assert!(all > lines.len() as u64);
        } else {
            prop_assert_eq!(all, lines.len() as u64 + 1);
        }
        prop_assert!(sink.rows.iter().all(|row| row.len() == asked.columns.len()));
    }

    #[test]
    fn pieces_that_it_comes_in_make_no_difference(
        lines in proptest::collection::vec(some_line(), 0..12),
        sizes in proptest::collection::vec(1_usize..200, 1..6),
        is_packed in any::<bool>(),
    ) {
        let asked = everything();
        let text = lines.join(&b"\n"[..]);
        let object = if is_packed { packed(&text) } else { text };
        let (mut whole, mut pieces) = (Collected::default(), Collected::default());
        let one = scan(&object[..], "", &asked, &mut whole).unwrap();
        let other = scan(Pieces(&object, sizes, 0), "", &asked, &mut pieces).unwrap();
        prop_assert_eq!(one, other);
        prop_assert_eq!(whole.rows, pieces.rows);
    }
}

proptest! {
    // A case reads its lines once for each column.
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_column_is_the_same_alone_and_among_others(lines in proptest::collection::vec(some_line(), 1..8)) {
        let text = lines.join(&b"\n"[..]);
        let all = everything();
        let mut whole = Collected::default();
        scan(&text[..], "", &all, &mut whole).unwrap();
        for column in 0..schema::REQUESTS.len() {
            let mut alone = Collected::default();
            scan(&text[..], "", &Scan { columns: vec![column], ..Scan::default() }, &mut alone).unwrap();
            let expected: Vec<_> = whole.rows.iter().map(|row| vec![row[column].clone()]).collect();
            prop_assert_eq!(alone.rows, expected);
        }
    }
}

#[test]
fn every_field_of_version_2_is_found() {
    let names: Vec<&str> = STANDARD.iter().chain(&VERSION_2).copied().collect();
    let set: Vec<(&str, &str)> = names
        .iter()
        .filter(|name| !["date", "time", "timestamp(ms)"].contains(name))
        .map(|name| (*name, "7"))
        .collect();
    let text = format!(
        "#Fields: {}\n{}\n",
        names.join(" "),
        line(&names, "\t", &set)
    );
    for column in schema::REQUESTS {
        if let schema::Origin::Field { standard, .. } = column.origin
            && !standard.is_empty()
        {
            let (_, rows) = read(text.as_bytes(), &[column.name]);
            assert_ne!(rows[0][0], Value::Null, "{}", column.name);
        }
    }
}
