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
    insta::assert_snapshot!(text, @r#"
    WITH requests AS (
    SELECT
        "c_country" AS "c_country"
    FROM (
        SELECT
            coalesce(date_add('millisecond', CAST(round(try_cast(regexp_extract("timestamp_ms", '^[0-9.eE+-]+$') AS double) * CASE WHEN try_cast(regexp_extract("timestamp_ms", '^[0-9.eE+-]+$') AS double) >= 1e11 THEN 1e0 ELSE 1e3 END) AS bigint), TIMESTAMP '1970-01-01 00:00:00.000'), try_cast("date" || ' ' || "time" AS timestamp(3))) AS "at",
            nullif(nullif("c_country", '-'), '') AS "c_country"
        FROM "cup_final"."access"
        WHERE (year = 2026 AND month = 6 AND day = 14 AND hour >= 17 AND hour <= 22)
    ) AS line
    WHERE "at" >= TIMESTAMP '2026-06-14 17:00:00' AND "at" < TIMESTAMP '2026-06-14 21:30:00'
    )
    SELECT c_country, count(*) FROM requests GROUP BY c_country
    "#);
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
    insta::assert_snapshot!(view(Source::Access), @r#"
    SELECT
        "x_host_header" AS "viewer_host",
        CAST(NULL AS varchar) AS "sr_reason",
        coalesce(CASE WHEN regexp_like("cmcd", '(?:^|,)\s*bs\s*(?:=\s*(?:true|1|\?1))?\s*(?:,|$)') THEN true END, CASE WHEN "cmcd" IS NOT NULL THEN false END) AS "cmcd_buffer_starvation",
        coalesce(regexp_replace(regexp_extract("cmcd", '(?:^|,)\s*sid\s*=\s*"((?:[^"\\]|\\.)*)"', 1), '\\(.)', '$1'), regexp_extract("cmcd", '(?:^|,)\s*sid\s*=\s*([^",(\s](?:[^",]*[^",\s])?)\s*(?:,|$)', 1), replace(replace(regexp_replace(regexp_extract("cmcd", '(?:^|,)\s*sid\s*=\s*\(([^)]*)\)', 1), ';[^ ]*', ''), '"', ''), ' ', ',')) AS "cmcd_session_id"
    FROM (
        SELECT
            coalesce(date_add('millisecond', CAST(round(try_cast(regexp_extract("timestamp_ms", '^[0-9.eE+-]+$') AS double) * CASE WHEN try_cast(regexp_extract("timestamp_ms", '^[0-9.eE+-]+$') AS double) >= 1e11 THEN 1e0 ELSE 1e3 END) AS bigint), TIMESTAMP '1970-01-01 00:00:00.000'), try_cast("date" || ' ' || "time" AS timestamp(3))) AS "at",
            nullif(nullif("x_host_header", '-'), '') AS "x_host_header",
            nullif(nullif("cs_uri_query", '-'), '') AS "cs_uri_query",
            url_decode(replace(replace(regexp_replace(replace(url_decode(replace(replace(regexp_replace(replace(regexp_extract("cs_uri_query", '(?:^|&)CMCD=([^&]*)', 1), '+', '%2B'), '%([0-9A-Fa-f]{2})', '+$1'), '%', '%25'), '+', '%')), '+', '%2B'), '%([0-9A-Fa-f]{2})', '+$1'), '%', '%25'), '+', '%')) AS "cmcd"
        FROM "cup_final"."access"
        WHERE (year = 2026 AND month = 6 AND day = 14 AND hour >= 17 AND hour <= 22)
    ) AS line
    WHERE "at" >= TIMESTAMP '2026-06-14 17:00:00' AND "at" < TIMESTAMP '2026-06-14 21:30:00'
    "#);
    let realtime = view(Source::Realtime);
    for part in [
        "    \"cs_host\" AS \"viewer_host\"",
        "    coalesce(\"cmcd_session_id\", coalesce(regexp_replace(",
        "coalesce(CASE WHEN \"cmcd_buffer_starvation\" IN ('true', '1', '?1', 'bs') THEN true",
        "CAST(round(\"timestamp\" * CASE WHEN \"timestamp\" >= 1e11 THEN 1e0 ELSE 1e3 END) AS bigint)",
    ] {
        assert!(realtime.contains(part), "{part}\n{realtime}");
    }
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
