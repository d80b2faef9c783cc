//! A hand-made event, hostile viewers among its audience, and what every form makes of it.

use std::path::Path;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use onair_logs::value::Value;

use super::completeness::{Counted, Counts};
use super::gathered::{AlarmSpan, EventFacts, Gathered, RightsTable, SourceFacts};
use super::model::Report;
use super::table::Table;
use super::table::tests::table;
use super::timeline::{Entry, EntryKind, Outcome};
use super::{Account, Prices, files, html, markdown, report};
use crate::runbook::{Targets, Waiver};

/// What a viewer sends who means ill: markup, a script, a formula, a terminal's orders.
const HOSTILE: &str =
    "</td></table><script>alert(1)</script>|`=HYPERLINK(\"http://x\")\u{1b}[2J\u{202e}\n# h";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn civil(at: Timestamp) -> DateTime {
    at.to_zoned(TimeZone::UTC).datetime()
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// Kickoff 18:30, end 21:30 UTC, a curve with a dip at half-time.
fn minutes() -> Vec<(Timestamp, f64)> {
    let doors = at("2026-06-14T17:00:00Z");
    (0..285)
        .map(|minute| {
            let x = f64::from(minute);
            let rise = 1.0 / (1.0 + (-(x - 75.0) / 12.0).exp());
            let fall = 1.0 / (1.0 + ((x - 268.0) / 5.0).exp());
            let half_time = 1.0 - 0.12 * (-((x - 143.0) / 7.0).powi(2)).exp();
            let wobble = 1.0 + 0.02 * (x / 3.0).sin();
            (
                doors + SignedDuration::from_mins(minute.into()),
                (150_000.0 * rise * fall * half_time * wobble).round(),
            )
        })
        .collect()
}

fn entry(at: Timestamp, name: &str, what: &str, why: &str) -> Entry {
    Entry {
        at,
        name: Some(name.to_owned()),
        operator: name.split('-').next().unwrap_or_default().to_owned(),
        command: "ip block".to_owned(),
        what: what.to_owned(),
        why: Some(why.to_owned()),
        outcome: Outcome::Applied,
        proof: Some("proved".to_owned()),
        seconds: Some(41.0),
        kind: EntryKind::Change,
        overrides: Vec::new(),
        undone_by: None,
        is_drawn: true,
        prefixes: Vec::new(),
        keys: Vec::new(),
    }
}

fn event_tables() -> Vec<Table> {
    let mut delivery = Vec::new();
    let mut audience = Vec::new();
    let mut playback = Vec::new();
    for (minute, viewers) in minutes() {
        let requests = (viewers * 45.0).round();
        let x = f64::from(i32::try_from(minute.as_second().rem_euclid(86_400)).unwrap()) / 60.0;
        let incident = (-((x - 1_160.0) / 4.0).powi(2)).exp();
        delivery.push(vec![
            Value::Timestamp(civil(minute)),
            text("E1CUPFINAL0001"),
            Value::Double(requests),
            Value::Double(requests * 700_000.0),
            Value::Double((requests * 0.985).round()),
            Value::Double((requests * (0.955 - 0.05 * incident)).round()),
            Value::Double((requests * (0.006 + 0.002 * (x / 9.0).sin())).round()),
            Value::Double((requests * (0.0004 + 0.05 * incident)).round()),
            Value::Double((180.0 + 25.0 * (x / 11.0).sin() + 420.0 * incident).round()),
        ]);
        audience.push(vec![
            Value::Timestamp(civil(minute)),
            Value::Double(viewers),
            Value::Double(viewers * 0.93),
        ]);
        playback.push(vec![
            Value::Timestamp(civil(minute)),
            Value::Double(0.15 + 1.9 * incident),
            Value::Double((4_100.0 + 90.0 * (x / 14.0).cos() - 900.0 * incident).round()),
        ]);
    }
    vec![
        table(
            "event-minutes",
            &[
                "minute",
                "distribution_id",
                "requests",
                "bytes",
                "served",
                "hits",
                "errors_4xx",
                "errors_5xx",
                "first_byte_p95_ms",
            ],
            delivery,
        ),
        table(
            "audience-by-minute",
            &["minute", "viewers", "addresses"],
            audience,
        ),
        table(
            "playback-by-minute",
            &["minute", "starved_percent", "mean_kilobits"],
            playback,
        ),
        table(
            "event-experience",
            &[
                "viewers",
                "kept_out",
                "never_started",
                "starved_viewers",
                "starved_percent",
                "mean_kilobits",
                "startup_p50_ms",
                "startup_p95_ms",
            ],
            vec![vec![
                Value::Integer(412_733),
                Value::Integer(1_904),
                Value::Integer(3_871),
                Value::Integer(20_312),
                Value::Double(0.21),
                Value::Integer(4_096),
                Value::Integer(812),
                Value::Integer(2_240),
            ]],
        ),
        table(
            "shared-sessions",
            &[
                "sid",
                "addresses",
                "networks",
                "countries",
                "requests",
                "gigabytes",
            ],
            vec![
                vec![
                    text("6f1c0d4e-0b1d-4c57-9d4e-1f4b52f7c001"),
                    Value::Integer(214),
                    Value::Integer(61),
                    Value::Integer(17),
                    Value::Integer(48_211),
                    Value::Double(61.0),
                ],
                vec![
                    text(HOSTILE),
                    Value::Integer(9),
                    Value::Integer(2),
                    Value::Integer(1),
                    Value::Integer(900),
                    Value::Null,
                ],
            ],
        ),
        table(
            "top-addresses",
            &["address", "requests", "gigabytes"],
            vec![vec![
                text("198.51.100.77"),
                Value::Integer(181_004),
                Value::Double(240.0),
            ]],
        ),
        table(
            "rights-by-country",
            &["country", "has_rights", "requests", "served", "geo_blocked"],
            vec![
                vec![
                    text("AT"),
                    Value::Boolean(true),
                    Value::Integer(900_000),
                    Value::Integer(899_000),
                    Value::Integer(1_000),
                ],
                vec![
                    text("US"),
                    Value::Boolean(false),
                    Value::Integer(7_204),
                    Value::Integer(0),
                    Value::Integer(7_204),
                ],
            ],
        ),
        table(
            "devices",
            &["agent", "requests"],
            vec![
                vec![text(HOSTILE), Value::Integer(3)],
                vec![text("=1+1"), Value::Integer(2)],
            ],
        ),
        table(
            "edges",
            &["location", "edge", "requests"],
            vec![
                vec![text("VIE50-C1"), text("other"), Value::Integer(900)],
                vec![text("FRA60-P4"), text("embedded"), Value::Integer(100)],
            ],
        ),
    ]
}

fn gathered() -> Gathered {
    let tables = event_tables();
    let mut counts = Counts::new();
    for row in tables[0].rows() {
        let key = ("E1CUPFINAL0001".to_owned(), row.at("minute").unwrap());
        counts.insert(key, row.number("requests").unwrap());
    }
    let mut block = entry(
        at("2026-06-14T19:21:00Z"),
        "jess-7",
        "block 198.51.100.0/24",
        "re-stream",
    );
    block.prefixes = vec!["198.51.100.0/24".parse().unwrap()];
    let mut revoke = entry(
        at("2026-06-14T19:22:30Z"),
        "sam-3",
        "revoke sid 6f1c0d4e",
        HOSTILE,
    );
    revoke.keys = vec![(
        "sid".to_owned(),
        "6f1c0d4e-0b1d-4c57-9d4e-1f4b52f7c001".to_owned(),
    )];
    let mut wide = entry(
        at("2026-06-14T20:40:00Z"),
        "noor-2",
        "block Norway (NO)",
        "rights",
    );
    wide.overrides = vec!["audience".to_owned()];
    Gathered {
        event: EventFacts {
            id: "cup-final".to_owned(),
            name: "Cup Final 2026".to_owned(),
            target: "live".to_owned(),
            doors: at("2026-06-14T17:00:00Z"),
            kickoff: at("2026-06-14T18:30:00Z"),
            kickoff_label: "KO".to_owned(),
            ends: at("2026-06-14T21:30:00Z"),
            planned_end: at("2026-06-14T21:30:00Z"),
            closed: Some(at("2026-06-14T22:05:00Z")),
            from: at("2026-06-14T14:00:00Z"),
            until: at("2026-06-15T00:30:00Z"),
            zone: TimeZone::get("Europe/Vienna").unwrap(),
            made: at("2026-06-15T08:00:00Z"),
            maker: Some("jess".to_owned()),
            distributions: vec![("E1CUPFINAL0001".to_owned(), "main".to_owned())],
            rights: vec!["AT".to_owned(), "DE".to_owned()],
        },
        source: SourceFacts {
            engine: "athena".to_owned(),
            place: "cup_final.access".to_owned(),
            queries: 9,
            objects: Some(412),
            bad_lines: 3,
            bad_objects: vec![("E1.2026-06-14-18.def.gz".to_owned(), 3)],
            truncated: vec![(
                "E1.2026-06-14-19.abc.gz".to_owned(),
                "it ends early".to_owned(),
            )],
            scanned_bytes: Some(18_000_000_000),
        },
        tables,
        rights: Vec::new(),
        gaps: Vec::new(),
        counted: Counted::Known { counts, period: 60 },
        invocations: None,
        has_ledger: true,
        timeline: vec![block, revoke, wide],
        alarms: vec![AlarmSpan {
            alarm: "onair-cup-final-errors-5xx".to_owned(),
            from: at("2026-06-14T19:17:00Z"),
            until: Some(at("2026-06-14T19:29:00Z")),
        }],
        targets: Targets::default(),
        expected_viewers: Some(180_000.0),
        waivers: vec![Waiver {
            check: "workflow.drm-license".to_owned(),
            reason: "tried on devices".to_owned(),
            owner: "noor".to_owned(),
            expires: at("2026-06-14T21:30:00Z"),
        }],
        preflight_failures: Vec::new(),
        lessons: vec!["book a second encoder".to_owned()],
        prices: Prices::default(),
    }
}

fn account() -> Account {
    Account {
        origin_latency_ms: Some(212.0),
        function_utilization: Some(31.0),
        has_function: true,
        has_waf: true,
        realtime_percent: Some(100.0),
    }
}

/// The event of these tests, reported.
pub(crate) fn told() -> Report {
    report(gathered(), account())
}

#[test]
fn the_verdict_names_what_missed() {
    let report = told();
    assert!(!report.provisional);
    let missed: Vec<&str> = report
        .verdict
        .goals
        .iter()
        .filter(|goal| goal.kept == super::Kept::Missed)
        .map(|goal| goal.name.as_str())
        .collect();
    assert_eq!(missed, ["errors-5xx"], "{:?}", report.verdict);
    assert_eq!(
        report.verdict.headline,
        "6 of 7 targets met, 1 missed; nothing was served out of rights"
    );
    let lessons: Vec<&str> = report
        .lessons
        .iter()
        .map(|lesson| lesson.from.word())
        .collect();
    assert_eq!(
        lessons,
        ["from the crew", "target", "guard", "waiver"],
        "{:?}",
        report.lessons
    );
}

#[test]
fn every_target_stands_there_measured_or_not() {
    let report = report(gathered(), Account::default());
    let goals = &report.verdict.goals;
    let targets: Vec<&str> = goals
        .iter()
        .filter(|goal| goal.is_target)
        .map(|goal| goal.name.as_str())
        .collect();
    assert_eq!(
        targets,
        [
            "cache-hit-ratio",
            "errors-4xx",
            "errors-5xx",
            "time-to-first-byte",
            "rebuffering",
            "origin-latency",
            "function-utilization",
        ]
    );
    assert_eq!(
        report.verdict.headline,
        "4 of 7 targets met, 1 missed, 2 not known; nothing was served out of rights"
    );
    let function = goals
        .iter()
        .find(|goal| goal.name == "function-utilization")
        .unwrap();
    assert_eq!(function.kept, super::Kept::Unknown);
    assert!(function.note.contains("no edge function"));
}

#[test]
fn an_action_is_found_for_whom_it_kept_out() {
    let report = told();
    let actions: Vec<&[String]> = report
        .suspects
        .iter()
        .map(|suspect| suspect.actions.as_slice())
        .collect();
    assert_eq!(actions[0], ["sam-3"]);
    assert_eq!(actions[1], <[String; 0]>::default());
    assert_eq!(actions[2], ["jess-7"]);
}

#[test]
fn no_form_lets_a_viewer_speak() {
    let report = told();
    for (name, content) in files(&report) {
        let is = |ending: &str| {
            Path::new(&name)
                .extension()
                .is_some_and(|end| end == ending)
        };
        assert!(!content.contains('\u{1b}'), "{name} holds an escape");
        assert!(!content.contains('\u{202e}') || is("json"), "{name}");
        if !is("json") && !is("csv") {
            assert!(!content.contains("<script"), "{name} holds a script");
            assert!(!content.contains("</table><script"), "{name}");
        }
        if is("csv") {
            for line in content.lines() {
                let begins = |sign: char| line.starts_with(sign);
                assert!(!['=', '+', '@'].into_iter().any(begins), "{name}: {line}");
            }
        }
        if is("md") {
            // A viewer's line end is no heading.
            assert!(!content.contains("\n# h"), "{name}");
            assert!(!content.contains("|`="), "{name}");
        }
    }
}

#[test]
fn the_page_needs_nothing_from_anywhere() {
    let page = html::page(&told());
    for outside in [
        "src=", "@import", "url(", "<link", "<script", "<iframe", "<form",
    ] {
        assert!(!page.contains(outside), "{outside}");
    }
    let links: Vec<&str> = page
        .match_indices("href=\"")
        .map(|(place, _)| &page[place + 6..place + 7])
        .collect();
    assert!(!links.is_empty() && links.iter().all(|first| *first == "#"));
    assert!(page.contains("default-src &#39;none&#39;"));
    assert!(page.contains("lang=\"en\""));
    assert_eq!(page.matches("<h1>").count(), 1);
    assert_eq!(
        page.matches("role=\"img\"").count(),
        page.matches("aria-label=\"Audience").count() * 7,
        "every picture is told"
    );
    // Each anchor of the contents is there.
    for place in page.match_indices("href=\"#") {
        let id = page[place.0 + 7..].split('"').next().unwrap();
        assert!(page.contains(&format!("id=\"{id}\"")), "{id}");
    }
}

#[test]
fn the_words_at_the_end_of_a_row_get_a_line_on_a_phone() {
    let page = html::page(&told());
    let (before, _) = page
        .split_once("<caption>What the runbook promised")
        .expect("the targets have a table");
    assert!(before.ends_with("<table class=\"wordy\">"), "{before}");
    // What ends in figures stays a table.
    assert!(page.contains("<table><caption>"));
}

#[test]
fn the_same_event_gives_the_same_bytes() {
    assert_eq!(files(&told()), files(&told()));
}

#[test]
fn too_few_rows_make_it_provisional() {
    let mut gathered = gathered();
    let rows = &mut gathered.tables[0].rows;
    rows.drain(100..110);
    let report = report(gathered, account());
    assert!(report.provisional);
    let page = html::page(&report);
    assert!(page.contains("PROVISIONAL"));
    assert!(page.contains("logs are missing"));
    assert!(markdown::page(&report).contains("PROVISIONAL"));
}

#[test]
fn a_window_of_rights_that_nobody_opened_is_no_green() {
    let mut gathered = gathered();
    let columns = ["country", "has_rights", "requests", "served"];
    let rows = |italy: bool| {
        vec![
            vec![
                text("AT"),
                Value::Boolean(true),
                Value::Integer(1000),
                Value::Integer(990),
            ],
            vec![
                text("IT"),
                Value::Boolean(italy),
                Value::Integer(50),
                Value::Integer(40),
            ],
        ]
    };
    let span = |from: &str, until: &str, open: &[&str], italy: bool| RightsTable {
        from: at(from),
        until: at(until),
        open: open.iter().map(|name| (*name).to_owned()).collect(),
        table: table("rights-by-country", &columns, rows(italy)),
    };
    gathered
        .tables
        .retain(|table| table.name != "rights-by-country");
    gathered
        .tables
        .push(table("rights-by-country", &columns, rows(true)));
    gathered.rights = vec![
        span("2026-06-14T14:00:00Z", "2026-06-14T21:00:00Z", &[], true),
        span(
            "2026-06-14T21:00:00Z",
            "2026-06-15T00:30:00Z",
            &["ceremony"],
            false,
        ),
    ];
    let report = report(gathered, account());
    assert_eq!(report.rights.served, Some(40.0));
    assert_eq!(report.rights.offenders, [("IT".to_owned(), 40.0)]);
    assert_eq!(report.rights.windows[0].name, "ceremony");
    assert!(
        report
            .verdict
            .headline
            .contains("were served out of rights")
    );
    let page = markdown::page(&report);
    assert!(
        page.contains("40 requests were served to countries without rights in it"),
        "{page}"
    );
}

#[test]
fn a_ledger_that_could_not_be_read_is_not_an_empty_one() {
    let mut gathered = gathered();
    gathered.has_ledger = false;
    gathered.timeline.clear();
    let page = markdown::page(&report(gathered, account()));
    assert!(page.contains("the ledger could not be read"), "{page}");
    assert!(!page.contains("holds nothing of this event"));
    assert!(!page.contains("the ledger names 0"));
}

#[test]
fn an_event_without_logs_is_still_a_report() {
    let mut gathered = gathered();
    gathered.tables.clear();
    gathered.timeline.clear();
    gathered.alarms.clear();
    gathered.counted = Counted::Unknown("nobody was asked".to_owned());
    let report = report(gathered, Account::default());
    assert!(report.provisional);
    assert_eq!(report.verdict.kept, super::Kept::Unknown);
    assert!(html::page(&report).contains("nobody was asked"));
    assert!(!html::page(&report).contains("NaN"));
}

#[test]
fn what_was_not_read_is_told_with_its_place() {
    let page = markdown::page(&told());
    assert!(
        page.contains(
            "3 lines could not be read and are in no figure (E1.2026-06-14-18.def.gz 3)."
        ),
        "{page}"
    );
    assert!(page.contains("E1.2026-06-14-19.abc.gz was not read whole: it ends early."));
}

#[test]
fn what_the_logs_lack_is_no_empty_table() {
    let mut gathered = gathered();
    let mut failovers = table("origin-failovers", &["minute", "reason"], Vec::new());
    failovers.unknown = Some("the access logs lack sr_reason".to_owned());
    gathered.tables.push(failovers);
    let report = report(gathered, account());
    for form in [html::page(&report), markdown::page(&report)] {
        assert!(
            form.contains("(origin-failovers): not known: the access logs lack sr"),
            "{form}"
        );
    }
    let files = files(&report);
    assert!(!files.iter().any(|(name, _)| name.contains("failovers.csv")));
    assert!(files.iter().any(|(name, _)| name.contains("edges.csv")));
}

#[test]
fn commands_in_markdown_are_code() {
    let mut gathered = gathered();
    gathered.event.closed = None;
    let page = markdown::page(&report(gathered, account()));
    assert!(page.contains("`onair event close` proves"), "{page}");
    assert!(!page.contains("\\`onair"), "{page}");
}

#[test]
fn the_first_byte_is_the_whole_windows() {
    let mut gathered = gathered();
    let columns = gathered.tables[0].columns.len();
    let mut whole = vec![Value::Null; columns];
    whole[columns - 1] = Value::Integer(67);
    gathered.tables[0].rows.push(whole);
    let requests = told().summary.value(super::Measure::Requests);
    let report = report(gathered, account());
    assert_eq!(
        report.summary.value(super::Measure::FirstByteP95),
        Some(67.0)
    );
    assert_eq!(report.summary.value(super::Measure::Requests), requests);
}

#[test]
fn a_part_of_the_event_is_named_a_part() {
    let whole = told();
    assert!(!whole.event.is_part());
    assert!(html::page(&whole).contains("the whole event"));
    let mut gathered = gathered();
    gathered.event.from = at("2026-06-14T19:00:00Z");
    let part = report(gathered, account());
    assert_eq!(part.summary.is_part(), Some(true));
    for form in [html::page(&part), markdown::page(&part)] {
        assert!(form.contains("startup looks shorter"));
        assert!(form.contains("A PART of the event"), "{form}");
        assert!(form.contains("2026-06-14 21:00:00 CEST"), "{form}");
        assert!(!form.contains("minutes from kickoff to the end"), "{form}");
    }
    let words = part.summary.about(super::Measure::MeanViewers);
    assert!(words.contains("this window"), "{words}");
    let summary = serde_json::to_value(&part.summary).unwrap();
    assert_eq!(summary["window"]["is-part"], true);
    assert_eq!(summary["window"]["from"], "2026-06-14T19:00:00Z");
}

#[test]
fn the_summary_outlives_the_logs() {
    let report = told();
    let text = serde_json::to_string(&report.summary).unwrap();
    let again: super::Summary = serde_json::from_str(&text).unwrap();
    assert_eq!(again.minutes.len(), report.summary.minutes.len());
    // Numbers are read back to the last bit but one.
    let digits = |summary: &super::Summary| -> Vec<String> {
        let minutes = summary.minutes.iter().map(|minute| format!("{minute:.9?}"));
        let figures = summary.figures.iter().map(|figure| format!("{figure:.9?}"));
        minutes.chain(figures).collect()
    };
    assert_eq!(digits(&again), digits(&report.summary));
    assert_eq!(again.lessons, report.summary.lessons);
}

#[test]
fn the_summary_in_a_spreadsheet_has_bare_numbers() {
    let csv = super::summary_sheet(&told()).csv();
    for line in [
        "peak-viewers,152996,,",
        "requests,1291378050,,",
        "rebuffering,0.21,%,",
        "bitrate,4096000,bit/s,",
        "startup,812,ms,",
    ] {
        assert!(csv.contains(&format!("\r\n{line}")), "{line}\n{csv}");
    }
}
