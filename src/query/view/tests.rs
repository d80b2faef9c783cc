use super::*;

fn window(from: &str, until: &str) -> Window {
    Window {
        from: from.parse().unwrap(),
        until: until.parse().unwrap(),
    }
}

fn event() -> Window {
    window("2026-06-14T17:00:00Z", "2026-06-14T21:30:00Z")
}

fn runbook() -> Runbook {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("runbooks/cup-final.toml");
    crate::runbook::load(&path).unwrap().runbook
}

fn table(source: Source) -> Table {
    Table::of(&runbook(), source).unwrap()
}

#[test]
fn hours_cover_the_window_and_one_more() {
    for (from, until, expected) in [
        (
            "2026-06-14T17:00:00Z",
            "2026-06-14T21:30:00Z",
            "(year = 2026 AND month = 6 AND day = 14 AND hour >= 17 AND hour <= 22)",
        ),
        (
            "2026-06-14T17:00:00Z",
            "2026-06-14T23:10:00Z",
            "((year = 2026 AND month = 6 AND day = 14 AND hour >= 17) OR \
             (year = 2026 AND month = 6 AND day = 15 AND hour <= 0))",
        ),
        (
            "2026-06-30T00:00:00Z",
            "2026-06-30T22:00:00Z",
            "(year = 2026 AND month = 6 AND day = 30)",
        ),
    ] {
        assert_eq!(hours(window(from, until)), expected);
    }
}

#[test]
fn the_view_reads_what_the_query_names() {
    let text = with_view(
        "SELECT c_country, count(*) FROM requests GROUP BY c_country",
        &table(Source::Access),
        event(),
    )
    .unwrap();
    insta::assert_snapshot!(text, @"");
}

#[test]
fn what_a_source_lacks_is_null_and_the_hosts_swap() {
    let view = |source| {
        select(
            &table(source),
            &[
                "viewer_host",
                "sr_reason",
                "cmcd_session_id",
                "cmcd_buffer_starvation",
            ],
            event(),
        )
    };
    insta::assert_snapshot!(view(Source::Access), @"");
    insta::assert_snapshot!(view(Source::Realtime), @"");
}

#[test]
fn every_column_has_its_type_and_no_text_leaves_its_quotes() {
    let all: Vec<&str> = REQUESTS.iter().map(|column| column.name).collect();
    for source in [Source::Access, Source::Realtime] {
        let view = select(&table(source), &all, event());
        assert!(text::statement(&view).is_ok());
        for column in REQUESTS {
            assert!(
                view.contains(&format!(" AS \"{}\"", column.name)),
                "{}",
                column.name
            );
        }
    }
}

#[test]
fn names_stay_names() {
    let mut table = table(Source::Access);
    table.database = "cup\"final; DROP".to_owned();
    let view = select(&table, &["at"], event());
    assert!(view.contains("\"cup\"\"final; DROP\".\"access\""), "{view}");
}
