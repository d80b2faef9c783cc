//! Layouts, delimiters, kinds of logs, columns.

use super::*;
use crate::collect::named;

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
fn lines_of_a_stream_are_read_one_by_one() {
    let asked = Scan {
        columns: vec![schema::Table::Requests.position("c_ip").unwrap()],
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
    let named: Vec<_> = named(&asked.columns, sink.rows.remove(0)).collect();
    assert_eq!(named, [("c_ip", words("192.0.2.1"))]);
    assert_eq!(reader.scanned().samples[0].line, 2);
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
