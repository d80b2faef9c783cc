//! `onair query`: the catalog over log files on this machine. Athena's side is in `athena.rs`, and the
//! catalog's rows against another engine's in `tests/three_engines`.

use std::io::Write;

use serde_json::Value;

use crate::harness::{Desk, Run};

const FIELDS: &str = "date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type cs-protocol-version fle-status fle-encrypted-fields c-port time-to-first-byte x-edge-detailed-result-type sc-content-type sc-content-len sc-range-start sc-range-end";

/// A row of the 33 fields: its time, and what is set.
fn row(time: &str, set: &[(&str, &str)]) -> String {
    let cells: Vec<&str> = FIELDS
        .split(' ')
        .map(|field| match field {
            "date" => "2026-06-14",
            "time" => time,
            _ => set
                .iter()
                .find(|(name, _)| *name == field)
                .map_or("-", |(_, value)| value),
        })
        .collect();
    cells.join("\t")
}

/// A viewer's segment, with CMCD as the log has it: encoded twice.
fn segment(time: &str, address: &str, sid: &str) -> String {
    let query = format!(
        "CMCD=bl%253D4000%252Cbr%253D6000%252Cd%253D4000%252Cmtp%253D25000%252Cot%253Dv%252Csid%253D%2522{sid}%2522"
    );
    row(
        time,
        &[
            ("x-edge-location", "VIE50-C1"),
            ("sc-bytes", "1500000"),
            ("c-ip", address),
            ("cs-uri-stem", "/cup-final/1080p/segment-000001.m4s"),
            ("sc-status", "200"),
            ("cs-uri-query", &query),
            ("x-edge-result-type", "Hit"),
            ("x-edge-response-result-type", "Hit"),
            ("x-edge-detailed-result-type", "Hit"),
            ("time-taken", "0.120"),
            ("time-to-first-byte", "0.020"),
        ],
    )
}

fn zipped(lines: &[String]) -> Vec<u8> {
    let head = format!("#Version: 1.0\n#Fields: {FIELDS}\n");
    let mut zip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    zip.write_all(head.as_bytes()).expect("memory takes all");
    for line in lines {
        zip.write_all(line.as_bytes()).expect("memory takes all");
        zip.write_all(b"\n").expect("memory takes all");
    }
    zip.finish().expect("memory takes all")
}

const OBJECT: &str = "logs/E1CUPFINAL0001.2026-06-14-18.aaaa.gz";

/// A desk with one log object: three addresses of one session, a viewer of their own, an error.
fn desk() -> Desk {
    let desk = Desk::new();
    desk.write(
        OBJECT,
        zipped(&[
            segment("18:30:01", "192.0.2.1", "shared"),
            segment("18:30:02", "192.0.2.2", "shared"),
            segment("18:31:03", "192.0.2.3", "shared"),
            segment("18:31:04", "198.51.100.7", "alone"),
            row(
                "18:31:05",
                &[
                    ("c-ip", "198.51.100.7"),
                    ("cs-uri-stem", "/cup-final/master.m3u8"),
                    ("sc-status", "502"),
                    (
                        "cs(User-Agent)",
                        "=HYPERLINK(%22http://x%22)%1B[31m|%3Cb%3E",
                    ),
                    ("x-edge-result-type", "Error"),
                    ("x-edge-response-result-type", "Error"),
                    ("x-edge-detailed-result-type", "OriginConnectError"),
                ],
            ),
        ]),
    );
    desk
}

fn local(desk: &Desk, arguments: &[&str]) -> Run {
    let mut all = vec!["query", "run", "--local", "logs"];
    all.extend(arguments);
    desk.onair(&all)
}

fn data(run: &Run) -> Value {
    run.json()["data"].clone()
}

#[test]
fn a_query_over_files_needs_neither_aws_nor_an_event() {
    let desk = desk();
    let run = local(&desk, &["shared-sessions", "-o", "json"]).expect_success();
    let document = run.json();
    assert_eq!(document["target"], Value::Null);
    assert_eq!(document["account"], Value::Null);
    assert_eq!(document["command"], "query run");
    let data = &document["data"];
    assert_eq!(data["engine"], "local");
    assert_eq!(data["rows"].as_array().map(Vec::len), Some(1));
    assert_eq!(data["rows"][0]["sid"], "shared");
    assert_eq!(data["rows"][0]["addresses"], 3);
    assert_eq!(data["rows"][0]["first_seen"], "2026-06-14T18:30:01Z");
    assert_eq!(data["columns"][1]["name"], "addresses");
    assert_eq!(data["columns"][1]["type"], "bigint");
    assert_eq!(data["read"]["objects"], 1);
    assert_eq!(data["read"]["rows"], 5);
    assert_eq!(data["completeness"]["percent"], Value::Null);
    assert_eq!(data["window"], Value::Null);
    // The layout has neither countries nor networks.
    let warnings = document["warnings"].to_string();
    assert!(warnings.contains("c_country"), "{warnings}");
}

#[test]
fn parameters_and_the_window_narrow_it() {
    let desk = desk();
    let rows = |arguments: &[&str]| {
        let mut all = vec!["-o", "json"];
        all.extend(arguments);
        data(&local(&desk, &all).expect_success())["rows"].clone()
    };
    assert_eq!(
        rows(&["shared-sessions", "-p", "addresses=4"]),
        serde_json::json!([])
    );
    // Kickoff is at 18:30 UTC.
    let first = rows(&[
        "rows-by-minute",
        "-e",
        "cup-final",
        "--since",
        "ko",
        "--until",
        "ko+1m",
    ]);
    assert_eq!(first.as_array().map(Vec::len), Some(1));
    assert_eq!(first[0]["requests"], 2);
    assert_eq!(first[0]["distribution_id"], "E1CUPFINAL0001");
    let since = rows(&["rows-by-minute", "--since", "2026-06-14T18:31:00Z"]);
    assert_eq!(since[0]["requests"], 3);
    let lasting = rows(&[
        "rows-by-minute",
        "--since",
        "2026-06-14T18:30:00Z",
        "--for",
        "1m",
    ]);
    assert_eq!(lasting[0]["requests"], 2);
    assert_eq!(lasting.as_array().map(Vec::len), Some(1));
    for endless in [["--for", "forever"], ["--for", "30m"]] {
        local(&desk, &["rows-by-minute", endless[0], endless[1]]).expect_code(2);
    }
    let outside = local(
        &desk,
        &[
            "rows-by-minute",
            "-e",
            "cup-final",
            "--since",
            "ko+2h",
            "--until",
            "ko+3h",
        ],
    )
    .expect_success();
    assert!(outside.stdout.contains("no rows"), "{outside}");
    assert!(
        outside.stderr.contains("outside of the window"),
        "{outside}"
    );
}

#[test]
fn the_columns_that_queries_read_are_listed() {
    let desk = Desk::new();
    let listed = desk.onair(&["-o", "json", "query", "list", "--columns"]);
    let answer = listed.expect_success().json();
    let columns = answer["data"]["columns"].as_array().expect("a list");
    let sid = columns
        .iter()
        .find(|column| column["name"] == "cmcd_session_id");
    assert_eq!(sid.expect("a column")["type"], "varchar");
    let listed = desk.onair(&["-o", "json", "query", "list", "--columns", "waf"]);
    let answer = listed.expect_success().json();
    assert_eq!(answer["data"]["table"], "waf");
    let listed = desk
        .onair(&["query", "list", "--columns", "wafs"])
        .expect_code(2);
    assert!(listed.stderr.contains("requests and waf"), "{listed}");
}

#[test]
fn the_logs_of_aws_waf_are_a_table_of_their_own() {
    let desk = desk();
    let record = r#"{"timestamp":1781461800000,"action":"BLOCK","terminatingRuleId":"leech","httpRequest":{"clientIp":"192.0.2.9","country":"AT"}}"#;
    desk.write("logs/waf/a.log", format!("{record}\n{record}\n"));
    let blocked = local(
        &desk,
        &[
            "-o",
            "json",
            "--sql",
            "SELECT terminating_rule AS rule, count(*) AS requests FROM waf GROUP BY 1",
        ],
    );
    let answer = blocked.expect_success().json();
    assert_eq!(
        answer["data"]["rows"],
        serde_json::json!([{"rule": "leech", "requests": 2}])
    );
    let requests = local(
        &desk,
        &[
            "-o",
            "json",
            "--sql",
            "SELECT count(*) AS requests FROM requests",
        ],
    );
    let answer = requests.expect_success().json();
    assert_eq!(answer["data"]["read"]["bad-lines"], 0, "{answer}");
    assert_eq!(answer["data"]["rows"][0]["requests"], 5);
    let alone = desk.onair(&[
        "-o",
        "json",
        "query",
        "run",
        "--sql",
        "SELECT count(*) AS n FROM requests",
        "--local",
        "logs/waf",
    ]);
    let answer = alone.expect_success().json();
    let warnings = answer["warnings"].to_string();
    assert!(warnings.contains("`waf` has AWS WAF's"), "{warnings}");
}

#[test]
fn lines_that_cannot_be_read_are_told_beside_every_form() {
    let desk = desk();
    desk.write("logs/bad.log", "no log line at all\n");
    for form in ["table", "csv", "markdown"] {
        let run = local(&desk, &["-o", form, "rows-by-minute"]).expect_success();
        let told = format!("{}{}", run.stdout, run.stderr);
        assert_eq!(told.matches("1 line could not be read").count(), 1, "{run}");
    }
    let last = local(&desk, &["rows-by-minute", "--final"]).expect_code(3);
    assert!(last.stderr.contains("--final: how complete"), "{last}");
    let bare = local(&desk, &["--sql", "SELECT 1 AS one"]).expect_success();
    assert!(!bare.stderr.contains("no log objects"), "{bare}");
}

#[test]
fn logs_of_two_kinds_in_one_place_count_twice_and_the_answer_says_so() {
    let desk = desk();
    desk.write(
        "logs/realtime.log",
        "#Fields: timestamp c-ip sc-status cs-uri-stem\n1781461800.000\t192.0.2.9\t200\t/a\n",
    );
    let answer = local(&desk, &["countries"]).expect_success();
    assert!(answer.stderr.contains("counts twice"), "{answer}");
}

#[test]
fn a_full_disk_is_told() {
    let desk = Desk::new();
    let full = std::fs::File::create("/dev/full").expect("Linux has it");
    let output = desk
        .command(&["-o", "csv", "query", "list"])
        .stdout(full)
        .output()
        .expect("it starts");
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("could not be written"), "{told}");
}

#[test]
fn what_is_mistyped_is_told() {
    let desk = desk();
    for (arguments, expected) in [
        (&["shared-session"][..], "did you mean `shared-sessions`?"),
        (
            &["shared-sessions", "-p", "adresses=4"],
            "did you mean `addresses`?",
        ),
        (
            &["shared-sessions", "-p", "addresses=many"],
            "`many` is no integer",
        ),
        (&["--sql", "DROP TABLE requests"], "not `DROP`"),
        (&["--sql", "SELECT 1; SELECT 2"], "only one statement"),
        (&["--sql", "SELECT c_ipp FROM requests"], "c_ip"),
        (&["--sql", "SELECT * FROM requestz"], "requests"),
        (&["--sql", "SELECT :x"], "`:x` has no value: -p x=VALUE"),
        (&["@gone.sql"], "gone.sql cannot be used"),
        (&[], "there is no query to run"),
        (&["countries", "--since", "ko"], "`ko` is not usable here"),
    ] {
        let run = local(&desk, arguments).expect_code(2);
        assert!(run.stderr.contains(expected), "{expected}\n{run}");
    }
    let nowhere = desk
        .onair(&["query", "run", "countries", "--local", "gone"])
        .expect_code(2);
    assert!(nowhere.stderr.contains("there is no gone"), "{nowhere}");
}

#[test]
fn a_value_stays_a_value() {
    let desk = desk();
    for sid in ["' OR '1'='1", "x'; DROP TABLE requests --", "shared' --"] {
        let given = format!("sid={sid}");
        let run = local(&desk, &["viewer-journey", "-p", &given, "-o", "json"]).expect_success();
        assert_eq!(data(&run)["rows"], serde_json::json!([]), "{run}");
        let shown = desk
            .onair(&[
                "query",
                "show",
                "viewer-journey",
                "-e",
                "cup-final",
                "--bound",
                "--engine",
                "athena",
                "-p",
                &given,
            ])
            .expect_success();
        let literal = format!("'{}'", sid.replace('\'', "''"));
        assert!(shown.stdout.contains(&literal), "{shown}");
    }
}

#[test]
fn a_text_of_ones_own_runs_with_parameters_and_from_a_file() {
    let desk = desk();
    let run = local(
        &desk,
        &[
            "--sql",
            "SELECT c_ip, count(*) AS n FROM requests WHERE sc_status = :status AND c_ip <> :ip GROUP BY c_ip ORDER BY c_ip",
            "-p",
            "status=200",
            "-p",
            "ip=192.0.2.1",
            "-o",
            "csv",
        ],
    )
    .expect_success();
    assert_eq!(
        run.stdout,
        "c_ip,n\r\n192.0.2.2,1\r\n192.0.2.3,1\r\n198.51.100.7,1\r\n"
    );
    desk.write("mine.sql", "SELECT count(*) AS n FROM requests;\n");
    let run = local(&desk, &["@mine.sql", "-o", "json"]).expect_success();
    assert_eq!(data(&run)["query"], "mine");
    assert_eq!(data(&run)["rows"][0]["n"], 5);
}

#[test]
fn what_viewers_send_is_harmless_in_every_form() {
    let desk = desk();
    let sql = "SELECT cs_user_agent FROM requests WHERE cs_user_agent IS NOT NULL";
    let form = |form: &str| {
        local(&desk, &["--sql", sql, "-o", form])
            .expect_success()
            .stdout
    };
    let agent = "=HYPERLINK(\"http://x\")\u{1b}[31m|<b>";
    let json: Value = serde_json::from_str(&form("json")).expect("it is JSON");
    assert_eq!(json["data"]["rows"][0]["cs_user_agent"], agent);
    let csv = form("csv");
    assert!(csv.contains("\"'=HYPERLINK("), "{csv}");
    let markdown = form("markdown");
    assert!(markdown.contains("\\|&lt;b&gt;"), "{markdown}");
    for text in [csv, markdown, form("table")] {
        assert!(!text.contains('\u{1b}'), "{text:?}");
    }
}

#[test]
fn bad_lines_and_cut_objects_are_told() {
    let desk = desk();
    let whole = zipped(&[
        segment("18:32:01", "192.0.2.9", "late"),
        "not\ta\trow".to_owned(),
        segment("18:32:02", "192.0.2.9", "late"),
    ]);
    desk.write("logs/E1CUPFINAL0001.2026-06-14-18.bbbb.gz", &whole);
    desk.write(
        "logs/E1CUPFINAL0001.2026-06-14-18.cccc.gz",
        &whole[..whole.len() - 20],
    );
    let run = local(&desk, &["rows-by-minute", "-o", "json"]).expect_success();
    let read = &data(&run)["read"];
    assert_eq!(read["objects"], 3);
    assert!(
        read["bad-lines"].as_u64().is_some_and(|bad| bad >= 1),
        "{read}"
    );
    assert_eq!(read["samples"][0]["line"], 4);
    assert_eq!(read["samples"][0]["excerpt"], "not\ta\trow");
    assert_eq!(read["truncated"].as_array().map(Vec::len), Some(1));
    let text = local(&desk, &["rows-by-minute"]).expect_success();
    assert!(text.stdout.contains("could not be read"), "{text}");
    assert!(text.stdout.contains("bbbb.gz:4"), "{text}");
    assert!(text.stdout.contains("was not read to its end"), "{text}");
}

#[test]
fn rows_are_cut_only_when_that_is_asked_for_and_told() {
    let desk = desk();
    let sql = "SELECT c_ip FROM requests ORDER BY c_ip";
    let run = local(&desk, &["--sql", sql, "--rows", "2", "-o", "json"]).expect_success();
    assert_eq!(data(&run)["rows"].as_array().map(Vec::len), Some(2));
    assert_eq!(data(&run)["truncated"], true);
    assert!(
        run.json()["warnings"]
            .to_string()
            .contains("more than 2 rows")
    );
    let all = local(&desk, &["--sql", sql, "-o", "json"]).expect_success();
    assert_eq!(data(&all)["rows"].as_array().map(Vec::len), Some(5));
    assert_eq!(data(&all)["truncated"], false);
}

#[test]
fn the_catalog_is_listed_and_shown_and_the_runbooks_own_come_with_it() {
    let desk = desk();
    let listed = data(
        &desk
            .onair(&["query", "list", "-o", "json"])
            .expect_success(),
    );
    let queries = listed["queries"].as_array().expect("a list");
    assert!(queries.len() >= 25, "{}", queries.len());
    assert!(queries.iter().all(|query| query["origin"] == "onair"));

    desk.edit_runbook(
        "[dashboard]",
        "[queries]\nfolder = \"../own\"\n\n[dashboard]",
    );
    desk.write(
        "own/goals.sql",
        "-- name: goals\n-- purpose: Requests from so many bytes on\n-- parameter: least integer = 10 -- bytes\n\
         SELECT count(*) AS n FROM requests WHERE sc_bytes >= :least\n",
    );
    let shown = desk
        .onair(&[
            "-e",
            "cup-final",
            "query",
            "show",
            "goals",
            "--bound",
            "-p",
            "least=7",
        ])
        .expect_success();
    assert!(shown.stdout.contains("sc_bytes >= 7"), "{shown}");
    let text = desk
        .onair(&["-e", "cup-final", "query", "list"])
        .expect_success();
    assert!(text.stdout.contains("goals · the runbook's own"), "{text}");
    let run = local(&desk, &["goals", "-e", "cup-final", "-o", "json"]).expect_success();
    assert_eq!(data(&run)["rows"][0]["n"], 4);

    desk.write("own/broken.sql", "-- name: broken\nSELECT 1\n");
    let broken = desk
        .onair(&["-e", "cup-final", "query", "list"])
        .expect_code(2);
    assert!(broken.stderr.contains("broken.sql"), "{broken}");
}

#[test]
fn what_athena_is_sent_has_the_hours_and_the_literals() {
    let desk = desk();
    let shown = desk
        .onair(&[
            "-e",
            "cup-final",
            "query",
            "show",
            "countries",
            "--engine",
            "athena",
            "--since",
            "ko",
            "--until",
            "ko+30m",
        ])
        .expect_success();
    for part in [
        "WITH requests AS (",
        "FROM \"cup_final\".\"access\"",
        "year = 2026 AND month = 6 AND day = 14 AND hour >= 18 AND hour <= 20",
        "\"at\" >= TIMESTAMP '2026-06-14 18:30:00' AND \"at\" < TIMESTAMP '2026-06-14 19:00:00'",
    ] {
        assert!(shown.stdout.contains(part), "{part}\n{shown}");
    }
    assert!(!shown.stdout.contains("cs_user_agent"), "{shown}");
}

#[test]
fn kept_columns_give_the_same_rows_and_can_be_dropped() {
    let desk = desk();
    let rows = |more: &[&str]| {
        let mut all = vec!["top-addresses", "-o", "json"];
        all.extend(more);
        data(&local(&desk, &all).expect_success())["rows"].clone()
    };
    let first = rows(&[]);
    assert_eq!(rows(&[]), first);
    assert_eq!(rows(&["--no-cache"]), first);
    desk.onair(&["query", "cache", "--clear"]).expect_success();
    let empty = data(
        &desk
            .onair(&["query", "cache", "-o", "json"])
            .expect_success(),
    );
    assert_eq!(empty["files"], 0);
    assert_eq!(rows(&[]), first);
}

#[test]
fn final_is_not_said_of_what_nobody_counted() {
    let desk = desk();
    let run = local(&desk, &["rows-by-minute", "--final", "-o", "json"]).expect_code(3);
    assert_eq!(run.json()["error"]["code"], "check.failed");
    assert_eq!(data(&run)["rows"].as_array().map(Vec::len), Some(2));
}
