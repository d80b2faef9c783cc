//! `onair report`: from log files here, on the rehearsal's ledger and metrics.

use crate::harness::Desk;

const FIELDS: &str = "#Version: 1.0\n#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type cs-protocol-version fle-status fle-encrypted-fields c-port time-to-first-byte x-edge-detailed-result-type sc-content-type sc-content-len sc-range-start sc-range-end\n";

/// What a viewer calls itself who means ill.
const AGENT: &str = "%3C/td%3E%3Cscript%3Ealert(1)%3C/script%3E%1B%5B2J=1+1";

/// One line of the standard log.
fn line(minute: u32, session: u32, status: u16, result: &str) -> String {
    let sid = format!(
        "CMCD=br%253D4000%252Cd%253D4000%252Cot%253Dv%252Csid%253D%2522session-{session}%2522"
    );
    format!(
        "2026-06-14\t{:02}:{:02}:{:02}\tVIE50-C1\t2000000\t192.0.2.{session}\tGET\td1.cloudfront.net\t/cup-final/1080p/s{minute}.m4s\t{status}\t-\t{AGENT}\t{sid}\t-\t{result}\tid{minute}x{session}==\tlive.example.com\thttps\t300\t0.2\t-\tTLSv1.3\tTLS_AES_128_GCM_SHA256\t{result}\tHTTP/2.0\t-\t-\t443\t0.1\t{result}\tvideo/mp4\t2000000\t-\t-\n",
        18 + (30 + minute) / 60,
        (30 + minute) % 60,
        session % 60,
    )
}

/// A rehearsal after the event, with a folder of logs of twenty minutes and five viewers.
fn desk() -> Desk {
    let desk = Desk::new().rehearsing();
    desk.onair(&["sandbox", "reset", "--at", "end+3h"])
        .expect_success();
    let mut text = FIELDS.to_owned();
    for minute in 0..20 {
        for session in 1..=5 {
            text.push_str(&line(minute, session, 200, "Hit"));
        }
        text.push_str(&line(minute, 6, 403, "Error"));
    }
    text.push_str("this is no line of a log\n");
    desk.write("logs/E1CUPFINAL0001.2026-06-14-18.abcd.txt", text);
    desk
}

#[test]
fn a_report_of_files_here_is_whole() {
    let desk = desk();
    desk.onair(&["block", "192.0.2.3", "-m", "re-stream", "--yes"])
        .expect_success();
    let run = desk
        .onair(&[
            "-o",
            "json",
            "report",
            "cup-final",
            "--local",
            "logs",
            "--offline",
            "--lesson",
            "book a second encoder",
        ])
        .expect_success();
    let data = &run.json()["data"];
    assert_eq!(data["report"], "reports/cup-final");
    assert_eq!(data["provisional"], true);
    assert_eq!(data["summary"]["requests"], 120.0, "{data}");
    assert_eq!(data["summary"]["peak-viewers"], 5.0, "{data}");
    let page = desk.read("reports/cup-final/index.html");
    assert!(
        page.contains("Cup Final 2026") && page.contains("PROVISIONAL"),
        "{page}"
    );
    assert!(!page.contains("<script"), "a viewer's agent is text");
    assert!(!page.contains('\u{1b}'));
    assert!(page.contains("1 line could not be read"), "{page}");
    let markdown = desk.read("reports/cup-final/report.md");
    assert!(markdown.contains("192.0.2.3") && markdown.contains("book a second encoder"));
    let summary: serde_json::Value =
        serde_json::from_str(&desk.read("reports/cup-final/summary.json")).expect("JSON");
    assert_eq!(summary["schema"], "onair-summary/1");
    for line in desk.read("reports/cup-final/tables/devices.csv").lines() {
        assert!(!line.starts_with('='), "{line}");
    }
    // Again over itself, and against itself.
    desk.onair(&["report", "cup-final", "--local", "logs", "--offline"])
        .expect_success();
    desk.onair(&["compare", "cup-final", "cup-final"])
        .expect_success();
}

#[test]
fn who_sends_no_cmcd_is_a_viewer_and_a_health_probe_is_none() {
    let desk = Desk::new().rehearsing();
    desk.onair(&["sandbox", "reset", "--at", "end+3h"])
        .expect_success();
    let without = |line: String| {
        let start = line.find("CMCD=").expect("CMCD");
        let end = start + line[start..].find('\t').expect("a next field");
        format!("{}-{}", &line[..start], &line[end..])
    };
    let mut text = FIELDS.to_owned();
    for minute in 0..12 {
        // The probe's address has every minute; no player sends CMCD in the last two.
        let probe = without(line(minute, 9, 200, "Hit"));
        text.push_str(&probe.replace(&format!("1080p/s{minute}.m4s"), "health"));
        if minute < 10 {
            text.push_str(&line(minute, 1, 200, "Hit"));
            text.push_str(&without(line(minute, 2, 200, "Hit")));
            // Another device at home.
            text.push_str(&without(line(minute, 2, 200, "Hit")).replace(AGENT, "TV"));
        }
    }
    desk.write("logs/E1CUPFINAL0001.2026-06-14-18.abcd.txt", text);
    let run = desk
        .onair(&[
            "-o",
            "json",
            "report",
            "cup-final",
            "--local",
            "logs",
            "--offline",
        ])
        .expect_success();
    let summary = &run.json()["data"]["summary"];
    assert_eq!(summary["peak-viewers"], 3.0, "{summary}");
    assert_eq!(summary["mean-viewers"], 2.5, "{summary}");
    assert_eq!(summary["viewer-hours"], 0.5, "{summary}");
    let peak = desk
        .onair(&[
            "-o",
            "csv",
            "query",
            "run",
            "peak-audience",
            "--local",
            "logs",
        ])
        .expect_success();
    let counted: Vec<&str> = peak
        .stdout
        .lines()
        .skip(1)
        .filter_map(|row| row.split(',').next())
        .collect();
    assert_eq!(
        counted,
        ["viewers", "sessions", "without session"],
        "{peak}"
    );
    assert!(peak.stdout.contains("viewers,3,"), "{peak}");
}

#[test]
fn a_final_report_needs_all_logs() {
    let desk = desk();
    let arguments = [
        "-o",
        "json",
        "report",
        "cup-final",
        "--local",
        "logs",
        "--final",
    ];
    let run = desk.onair(&arguments).expect_code(3);
    let answer = run.json();
    assert_eq!(answer["error"]["code"], "report.provisional");
    assert!(
        answer["data"]["completeness"]["percent"]
            .as_f64()
            .is_some_and(|percent| percent < 99.0),
        "{answer}"
    );
    assert!(!desk.path("reports").exists(), "nothing was written");
    let offline = [&arguments[..], &["--offline"]].concat();
    desk.onair(&offline).expect_code(3);
    let accepted = [&offline[..], &["--accept-unknown"]].concat();
    desk.onair(&accepted).expect_success();
}

#[test]
fn a_folder_of_something_else_is_never_touched() {
    let desk = desk();
    desk.write("mine/notes.txt", "mine");
    let arguments = [
        "report",
        "cup-final",
        "--local",
        "logs",
        "--offline",
        "--out",
        "mine",
    ];
    let run = desk.onair(&arguments).expect_code(4);
    assert!(run.stderr.contains("notes.txt"), "{run}");
    assert_eq!(desk.read("mine/notes.txt"), "mine");
    let moved = [&arguments[..], &["--move-aside"]].concat();
    desk.onair(&moved).expect_success();
    assert_eq!(desk.read("mine.1/notes.txt"), "mine");
    assert!(desk.path("mine/index.html").exists());
}

#[test]
fn an_event_that_has_not_begun_has_no_report() {
    let desk = Desk::new().rehearsing();
    desk.write("logs/x.txt", "");
    let run = desk
        .onair(&["report", "cup-final", "--local", "logs", "--offline"])
        .expect_code(4);
    assert!(run.stderr.contains("has not begun"), "{run}");
    desk.onair(&["-e", "derby", "report", "cup-final"])
        .expect_code(2);
    desk.onair(&["report", "cup-final", "--price", "gold=1"])
        .expect_code(2);
}
