//! What the audience writes, `onair-logs` reads as what it was, in every format.

use std::collections::BTreeMap;

use onair_audience::{
    Agent, Field, Log, REALTIME, Request, STANDARD, Scene, Telling, VERSION_TWO, write_head,
    write_json, write_line,
};
use onair_logs::collect::Collected;
use onair_logs::scan::{Scan, scan};
use onair_logs::schema::{REQUESTS, Table};
use onair_logs::value::Value;

/// Some minutes in which everything happens: kickoff, the slow network, the failing origin.
fn requests(scene: &Scene) -> Vec<Request<'_>> {
    let start = Scene::minute_of(scene.starts);
    [0, 1, 15, 38, 40, 68, 69, 70, 101]
        .into_iter()
        .flat_map(|offset| {
            scene
                .distributions
                .iter()
                .flat_map(move |(id, _, _)| scene.minute(start + offset, id))
        })
        .collect()
}

fn read(text: &[u8], name: &str, fields: &[Field]) -> Vec<BTreeMap<&'static str, Value>> {
    let asked = Scan {
        columns: (0..REQUESTS.len()).collect(),
        fields: fields.iter().map(|field| field.name().to_owned()).collect(),
        ..Scan::default()
    };
    let mut rows = Collected::default();
    let scanned = scan(text, name, &asked, &mut rows).expect("bytes in memory can be read");
    assert_eq!(
        (scanned.bad, scanned.truncated),
        (0, None),
        "{:?}",
        scanned.samples
    );
    rows.rows
        .into_iter()
        .map(|row| REQUESTS.iter().map(|column| column.name).zip(row).collect())
        .collect()
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "reads like the value that it makes"
)]
fn text(value: impl ToString) -> Value {
    Value::Text(value.to_string())
}

fn number(value: impl TryInto<i64>) -> Value {
    value.try_into().map_or(Value::Null, Value::Integer)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "milliseconds of a request are few"
)]
fn seconds(milliseconds: u64) -> Value {
    Value::Double(milliseconds as f64 / 1000.0)
}

/// What all formats have.
fn expected(request: &Request<'_>) -> Vec<(&'static str, Value)> {
    let agent = match request.agent {
        Agent::Device(device) => text(device.user_agent),
        Agent::Raw(agent) => text(String::from_utf8_lossy(agent)),
    };
    vec![
        ("x_edge_location", text(request.edge)),
        ("c_ip", text(request.address)),
        ("c_port", number(request.port)),
        ("cs_method", text(request.method)),
        ("sc_status", number(request.status)),
        ("sc_bytes", number(request.bytes)),
        ("cs_bytes", number(request.request_bytes)),
        ("x_edge_result_type", text(request.result)),
        ("x_edge_response_result_type", text(request.response_result)),
        ("x_edge_detailed_result_type", text(request.detailed_result)),
        ("time_taken", seconds(request.taken)),
        ("time_to_first_byte", seconds(request.first_byte)),
        ("cs_user_agent", agent),
    ]
}

/// What is in the query string, for players that speak there.
fn spoken(request: &Request<'_>) -> Vec<(&'static str, Value)> {
    let Some(cmcd) = request.cmcd else {
        return vec![];
    };
    let optional = |value: Option<u32>| value.map_or(Value::Null, number);
    let flag = |row: bool| Value::Boolean(row);
    let mut values = vec![
        ("cmcd_encoded_bitrate", optional(cmcd.bitrate)),
        ("cmcd_buffer_length", optional(cmcd.buffer)),
        ("cmcd_object_duration", optional(cmcd.duration)),
        ("cmcd_measured_throughput", optional(cmcd.throughput)),
        ("cmcd_top_bitrate", optional(cmcd.top_bitrate)),
        ("cmcd_object_type", text(cmcd.object_type)),
        ("cmcd_content_id", text(cmcd.content)),
        ("cmcd_streaming_format", text(cmcd.format)),
        ("cmcd_stream_type", text("l")),
    ];
    if cmcd.starved {
        values.push(("cmcd_buffer_starvation", flag(true)));
    }
    if cmcd.startup {
        values.push(("cmcd_startup", flag(true)));
    }
    if cmcd.telling == Telling::QueryTwo && matches!(cmcd.object_type, "v" | "av") {
        values.push(("cmcd_version", number(2)));
        values.push(("cmcd_live_latency", number(cmcd.two.latency)));
        values.push(("cmcd_dropped_frames", number(cmcd.two.dropped_frames)));
        values.push(("cmcd_playhead_time", number(cmcd.two.playhead)));
        values.push(("cmcd_sequence_number", number(cmcd.two.sequence)));
        values.push(("cmcd_state", text(cmcd.two.state)));
        values.push(("cmcd_starvation_ms", optional(cmcd.two.starvation)));
    }
    values
}

fn check(
    row: &BTreeMap<&'static str, Value>,
    request: &Request<'_>,
    values: Vec<(&'static str, Value)>,
) {
    for (column, value) in values {
        assert_eq!(row[column], value, "{column} of {request:?}");
        assert!(Table::Requests.position(column).is_some());
    }
}

#[test]
fn standard_lines_are_read_as_the_requests_they_are_of() {
    let scene = Scene::example(3, 24);
    let requests = requests(&scene);
    let mut lines = Vec::new();
    write_head(&mut lines, &STANDARD);
    for request in &requests {
        write_line(&mut lines, &STANDARD, "\t", request, Log::Standard);
    }
    let rows = read(&lines, "E1CUPFINAL0001.2026-06-14-18.0a1b2c3d.gz", &[]);
    assert_eq!(rows.len(), requests.len());
    for (row, request) in rows.iter().zip(&requests) {
        check(row, request, expected(request));
        let by_own_name = row["viewer_host"] == row["distribution_host"];
        assert_eq!(by_own_name, request.by_own_name, "{request:?}");
        let in_query = request
            .cmcd
            .is_some_and(|cmcd| cmcd.telling != Telling::Headers);
        if in_query {
            check(row, request, spoken(request));
        } else if request.argument.is_none() {
            assert_eq!(row["cmcd_session_id"], Value::Null);
        }
        let Value::Timestamp(at) = &row["at"] else {
            panic!("{request:?}");
        };
        let at = at.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp();
        assert_eq!(at.as_second(), request.at / 1000);
    }
}

#[test]
fn version_two_is_read_in_json_and_in_text() {
    let scene = Scene::example(4, 24);
    let requests = requests(&scene);
    let (mut json, mut lines) = (Vec::new(), Vec::new());
    write_head(&mut lines, &VERSION_TWO);
    for request in &requests {
        write_json(&mut json, &VERSION_TWO, request);
        write_line(&mut lines, &VERSION_TWO, "\t", request, Log::Standard);
    }
    let name = "access/E1CUPFINAL0001/2026/06/14/18/E1CUPFINAL0001.2026-06-14-18.0a1b2c3d.gz";
    let rows = read(&json, name, &[]);
    assert_eq!(rows, read(&lines, name, &[]));
    assert_eq!(rows.len(), requests.len());
    for (row, request) in rows.iter().zip(&requests) {
        check(row, request, expected(request));
        check(
            row,
            request,
            vec![
                ("c_country", text(request.country)),
                ("asn", number(request.network)),
                (
                    "origin_fbl",
                    request
                        .origin
                        .map_or(Value::Null, |origin| seconds(origin.first_byte)),
                ),
            ],
        );
        assert_eq!(
            row["viewer_request_log_data"] == Value::Null,
            request.note.is_none()
        );
    }
}

#[test]
fn realtime_lines_have_everything_besides() {
    let scene = Scene::example(5, 24);
    let requests = requests(&scene);
    let mut lines = Vec::new();
    for request in &requests {
        write_line(&mut lines, &REALTIME, "\t", request, Log::Realtime);
    }
    let rows = read(&lines, "realtime/cup-final/2026/06/14/18/x.gz", &REALTIME);
    assert_eq!(rows.len(), requests.len());
    for (row, request) in rows.iter().zip(&requests) {
        check(row, request, expected(request));
        check(row, request, spoken(request));
        check(
            row,
            request,
            vec![
                ("distribution_id", text(request.distribution)),
                (
                    "r_host",
                    request
                        .origin
                        .map_or(Value::Null, |origin| text(origin.host)),
                ),
            ],
        );
        let failover = request.origin.and_then(|origin| origin.failover);
        assert_eq!(
            row["sr_reason"],
            failover.map_or(Value::Null, |status| text(format!("Failover:{status}")))
        );
    }
}
