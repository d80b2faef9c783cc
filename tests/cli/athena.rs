//! Queries in Athena, through the real binary and the embedded cloud's Athena, which runs the SQL.

use serde_json::{Value, json};

use crate::harness::{Desk, Run};

/// The first viewers, some fifty requests a minute: more rows than a page has, and soon read.
const WINDOW: [&str; 4] = ["--since", "doors", "--until", "doors+40m"];
/// When they are all in the bucket.
const SOON: &str = "doors+1h";

fn desk(at: &str) -> Desk {
    let desk = Desk::new().rehearsing();
    desk.onair(&["sandbox", "reset", "--rates", "off", "--at", at])
        .expect_success();
    desk
}

fn run(desk: &Desk, arguments: &[&str]) -> Run {
    let words = ["-o", "json", "query", "run"].iter().chain(arguments);
    desk.onair(&words.chain(&WINDOW).copied().collect::<Vec<_>>())
}

fn sql<'a>(text: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut arguments = vec!["--sql", text];
    arguments.extend(more);
    arguments
}

fn calls(desk: &Desk, operation: &str) -> u64 {
    let shown = desk.onair(&["-o", "json", "sandbox", "show"]);
    shown.json()["data"]["calls"][operation]
        .as_u64()
        .unwrap_or_default()
}

#[test]
fn athena_and_this_machine_give_the_same_rows_of_the_same_logs() {
    let desk = desk(SOON);
    // Every column, and more rows than a page of results has.
    let text = "SELECT * FROM requests ORDER BY at, x_edge_request_id LIMIT 2500";
    let athena = run(&desk, &sql(text, &[])).expect_success().json();
    let place = "s3://example-cup-final-logs/access";
    let local = run(&desk, &sql(text, &["--local", place, "--no-cache"]))
        .expect_success()
        .json();
    let (athena, local) = (&athena["data"], &local["data"]);
    assert_eq!(athena["engine"], "athena");
    assert_eq!(local["engine"], "local");
    assert_eq!(athena["columns"], local["columns"]);
    let rows = |data: &Value| data["rows"].as_array().cloned().unwrap_or_default();
    assert!(rows(athena).len() > 1000, "{}", rows(athena).len());
    for (one, other) in rows(athena).iter().zip(&rows(local)) {
        assert_eq!(one, other);
    }
    assert_eq!(rows(athena).len(), rows(local).len());
    assert!(athena["scanned-bytes"].as_u64() > Some(0));
    assert!(athena["cost-usd"].as_f64() >= Some(0.000_05));
    assert!(athena["execution-id"].is_string());
    assert!(calls(&desk, "athena.GetQueryResults") >= 2);
}

#[test]
fn partitions_outside_of_the_window_are_not_scanned() {
    let desk = desk(SOON);
    let text = "SELECT count(c_ip) AS n FROM requests";
    let narrow = run(&desk, &sql(text, &[])).expect_success().json();
    let wide = [
        "-o",
        "json",
        "query",
        "run",
        "--sql",
        text,
        "--since",
        "doors-3h",
        "--until",
        "doors+40m",
    ];
    let wide = desk.onair(&wide).expect_success().json();
    let scanned = |answer: &Value| answer["data"]["scanned-bytes"].as_u64();
    assert!(scanned(&narrow) < scanned(&wide), "{narrow} {wide}");
}

#[test]
fn what_athena_cannot_run_is_told_with_what_to_do() {
    let desk = desk(SOON);
    let refused = run(
        &desk,
        &sql("SELECT no_such_function(c_ip) FROM requests", &[]),
    );
    let refused = refused.expect_code(1).json();
    assert_eq!(refused["error"]["code"], "query.failed", "{refused}");
    desk.onair(&[
        "sandbox",
        "set",
        "glue",
        "/regions/eu-central-1/cup_final/tables/access",
        "--remove",
    ])
    .expect_success();
    let missing = run(&desk, &sql("SELECT count(*) AS n FROM requests", &[]));
    let missing = missing.expect_code(1).json();
    let hint = missing["error"]["hint"].as_str().unwrap_or_default();
    assert!(hint.contains("onair provision"), "{missing}");
}

#[test]
fn more_than_may_be_scanned_is_refused_before_the_query_starts() {
    let desk = Desk::new().rehearsing();
    desk.edit_runbook("format = \"parquet\"", "format = \"json\"");
    desk.onair(&["sandbox", "reset", "--rates", "off", "--at", SOON])
        .expect_success();
    let text = "SELECT count(*) AS n FROM requests";
    let refused = run(&desk, &sql(text, &["--max-scan", "1 kB"]));
    let refused = refused.expect_code(4).json();
    assert_eq!(refused["error"]["code"], "guard.max-scan", "{refused}");
    assert!(
        refused["data"]["would-scan-bytes"].as_u64() > Some(1000),
        "{refused}"
    );
    let hint = refused["error"]["hint"].as_str().unwrap_or_default();
    assert!(hint.contains("--max-scan"), "{refused}");
    assert_eq!(calls(&desk, "athena.StartQueryExecution"), 0);
    let allowed = run(&desk, &sql(text, &["--max-scan", "1 GB"])).expect_success();
    assert!(allowed.json()["data"]["rows"][0]["n"].as_u64() > Some(0));
}

#[test]
fn less_than_athena_ever_counts_is_refused() {
    let desk = desk(SOON);
    let text = "SELECT count(*) AS n FROM requests";
    let refused = run(&desk, &sql(text, &["--max-scan", "1 KB"])).expect_code(4);
    assert_eq!(refused.json()["error"]["code"], "guard.max-scan");
    assert_eq!(calls(&desk, "athena.StartQueryExecution"), 0);
}

#[test]
fn the_workgroups_limit_stops_what_could_not_be_foreseen() {
    let desk = desk(SOON);
    let limit =
        "/regions/eu-central-1/workgroups/onair-cup-final/configuration/BytesScannedCutoffPerQuery";
    desk.onair(&["sandbox", "set", "athena", limit, "1000"])
        .expect_success();
    let stopped = run(&desk, &sql("SELECT count(c_ip) AS n FROM requests", &[]));
    let stopped = stopped.expect_code(4).json();
    assert_eq!(stopped["error"]["code"], "guard.max-scan", "{stopped}");
}

#[test]
fn a_result_is_used_again_only_once_no_log_can_be_late() {
    let text = "SELECT count(*) AS n FROM requests";
    let reused = |desk: &Desk| {
        run(desk, &sql(text, &[])).expect_success();
        let again = run(desk, &sql(text, &[])).expect_success().json();
        again["data"]["reused"].clone()
    };
    assert_eq!(reused(&desk(SOON)), false);
    // A day and more past the window a young result is as good as a new one.
    assert_eq!(reused(&desk("doors+26h")), true);
}

#[test]
fn a_network_that_is_cut_while_pages_are_read_costs_no_row() {
    let desk = desk(SOON);
    let text = "SELECT x_edge_request_id FROM requests ORDER BY 1 LIMIT 2500";
    let whole = run(&desk, &sql(text, &[])).expect_success().json();
    let fault = "unreachable:athena.GetQueryResults:nth=2,count=6";
    desk.onair(&["sandbox", "reset", "--keep", "--fault", fault])
        .expect_success();
    let cut = run(&desk, &sql(text, &[])).expect_success().json();
    assert_eq!(cut["data"]["rows"], whole["data"]["rows"]);
}

#[test]
fn an_answer_lost_at_the_start_starts_no_second_query() {
    let desk = desk(SOON);
    let fault = "lost-answer:athena.StartQueryExecution:nth=1";
    desk.onair(&["sandbox", "reset", "--keep", "--fault", fault])
        .expect_success();
    run(&desk, &sql("SELECT count(*) AS n FROM requests", &[])).expect_success();
    let served = desk.sandbox_serve_with(&[]);
    drop(served);
    // Once more with the same token, and once to count the rows.
    assert_eq!(calls(&desk, "athena.StartQueryExecution"), 3);
    let state = state(&desk, "athena");
    let executions = &state["regions"]["eu-central-1"]["executions"];
    assert_eq!(executions.as_object().map(serde_json::Map::len), Some(2));
}

/// The embedded cloud's state of a service, as it lies in the folder.
fn state(desk: &Desk, service: &str) -> Value {
    let files = desk.files();
    let file = files
        .iter()
        .find(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with(&format!("{service}.")) && name.ends_with(".json")
        })
        .expect("the service has a state");
    let text = std::fs::read_to_string(file).expect("a file can be read");
    serde_json::from_str(&text).unwrap_or(json!(null))
}

#[test]
fn parameters_are_values_whatever_they_hold() {
    let desk = desk(SOON);
    let text = "SELECT :word AS word, count(*) AS n FROM requests WHERE c_ip = :word OR 1 = 1";
    let hostile = "x' OR '1'='1'; DROP TABLE access; --";
    let given = format!("word={hostile}");
    let answer = run(&desk, &sql(text, &["-p", &given]))
        .expect_success()
        .json();
    assert_eq!(answer["data"]["rows"][0]["word"], hostile);
}

#[test]
fn a_log_group_is_read_as_a_bucket_is() {
    let desk = desk(SOON);
    let text = "SELECT count(*) AS n FROM requests";
    let refused = run(
        &desk,
        &sql(text, &["--local", "logs://no/such/group", "--no-cache"]),
    );
    assert_ne!(refused.code, 0, "{refused}");
    let wrong = run(&desk, &sql(text, &["--local", "logs://a?zone=b"]));
    wrong.expect_code(2);
    // The last one began after the window.
    let events: Vec<Value> = [(0, "17:00:00"), (1200, "17:20:00"), (2400, "17:40:00")]
        .into_iter()
        .map(|(second, time)| {
            let at = 1_781_456_400_000_i64 + second * 1000;
            let line = json!({
                "date": "2026-06-14", "time": time, "c-ip": "192.0.2.1", "c-country": "AT",
                "sc-status": "200", "sc-bytes": "1000", "cs-uri-stem": "/cup-final/s1.m4s",
            });
            json!({"at": at, "stream": "access", "message": line.to_string()})
        })
        .collect();
    let group = json!({"created": "2026-06-14T12:00:00Z", "streams": ["access"], "events": events});
    let groups = json!({"/event/logs": group}).to_string();
    desk.onair(&[
        "sandbox",
        "set",
        "logs",
        "/groups/groups/us-east-1",
        &groups,
    ])
    .expect_success();
    let text = "SELECT c_country, count(*) AS n, sum(sc_bytes) AS bytes FROM requests GROUP BY 1";
    let place = "logs:///event/logs?region=us-east-1";
    let answer = run(&desk, &sql(text, &["--local", place, "--no-cache"])).expect_success();
    let data = &answer.json()["data"];
    assert_eq!(
        data["rows"],
        json!([{"c_country": "AT", "n": 2, "bytes": 2000}]),
        "{answer}"
    );
    assert_eq!(data["scanned-bytes"], Value::Null, "{data}");
}

#[test]
fn an_answer_is_provisional_until_the_logs_are_there() {
    // The last minutes' logs are still on their way.
    let desk = desk("doors+40m");
    let text = "SELECT count(*) AS n FROM requests";
    let early = run(&desk, &sql(text, &[])).expect_success().json();
    let warnings = early["warnings"].to_string();
    assert!(warnings.contains("PROVISIONAL"), "{warnings}");
    let refused = run(&desk, &sql(text, &["--final"])).expect_code(3).json();
    assert_eq!(refused["error"]["code"], "check.failed");
    let found = &refused["data"]["completeness"];
    assert!(
        found["percent"]
            .as_f64()
            .is_some_and(|percent| percent < 99.0),
        "{found}"
    );
    assert_ne!(found["missing-minutes"], json!([]), "{found}");
    // The rows are shown all the same.
    assert!(refused["data"]["rows"][0]["n"].as_u64() > Some(0));
    desk.onair(&["sandbox", "reset", "--rates", "off", "--at", SOON])
        .expect_success();
    let whole = run(&desk, &sql(text, &["--final"])).expect_success().json();
    assert_eq!(whole["data"]["completeness"]["percent"], 100.0);
}
