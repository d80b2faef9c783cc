//! Common Media Client Data (CTA-5004, CTA-5004-B) in SQL: found in the query string, decoded, and its
//! keys taken out by regular expressions.

use onair_logs::schema::{Column, Kind};

use super::{Cells, Table, decoded_twice, integer};

/// A key of CMCD: the field that real-time logs have for it, else from the query string.
pub(super) fn expression(
    table: &Table,
    column: &Column,
    key: &str,
    realtime: &str,
    cells: &mut Cells<'_>,
) -> Option<String> {
    let field = match table.source {
        super::Source::Access => None,
        super::Source::Realtime => cells.field(realtime).map(|cell| cell.as_kind(column.kind)),
    };
    let found = of_query(table, column, key, cells);
    match (field, found) {
        (Some(field), Some(found)) => Some(format!("coalesce({field}, {found})")),
        (field, found) => field.or(found),
    }
}

fn of_query(table: &Table, column: &Column, key: &str, cells: &mut Cells<'_>) -> Option<String> {
    list(table, cells)?;
    Some(match (column.name, column.kind) {
        ("cmcd_version", _) => {
            format!(
                "CASE WHEN \"cmcd\" IS NOT NULL THEN coalesce({}, 1) END",
                number(key, Kind::Integer)
            )
        }
        ("cmcd_starvation_ms", _) => sum(key),
        (_, Kind::Boolean) => flag(key),
        (_, Kind::Integer) => coalesce(&number(key, Kind::Integer), &of_list(key)),
        (_, Kind::Double) => number(key, Kind::Double),
        (_, Kind::Text | Kind::Timestamp) => words(key),
    })
}

/// Puts `cmcd` among the inner cells: the value of the argument `CMCD`, decoded.
fn list(table: &Table, cells: &mut Cells<'_>) -> Option<()> {
    // It is made beside the cells, so from the table's own columns.
    let own = cells.field("cs-uri-query").map(|cell| cell.name);
    let path = match table.source {
        super::Source::Access => None,
        super::Source::Realtime => cells.field("cs-uri-stem").map(|cell| cell.name),
    };
    let query = match (own, path) {
        (Some(own), Some(path)) => {
            format!("coalesce(nullif(nullif({own}, '-'), ''), split_part({path}, '?', 2))")
        }
        (Some(own), None) => own,
        (None, Some(path)) => format!("split_part({path}, '?', 2)"),
        (None, None) => return None,
    };
    let argument = format!("split_part(split_part('&' || {query}, '&CMCD=', 2), '&', 1)");
    cells.make("cmcd", format!("nullif({}, '')", decoded_twice(&argument)));
    Some(())
}

fn coalesce(first: &str, second: &str) -> String {
    format!("coalesce({first}, {second})")
}

/// A text in quotes, its escapes undone, or one without.
fn words(key: &str) -> String {
    format!(
        r#"coalesce(regexp_replace(regexp_extract("cmcd", '(?:^|,)\s*{key}="((?:[^"\\]|\\.)*)"', 1), '\\(.)', '$1'), regexp_extract("cmcd", '(?:^|,)\s*{key}=([^",]+)', 1))"#
    )
}

fn number(key: &str, kind: Kind) -> String {
    let digits = format!(r#"regexp_extract("cmcd", '(?:^|,)\s*{key}=([0-9.-]+)\s*(?:,|$)', 1)"#);
    match kind {
        Kind::Double => super::double(&digits),
        _ => integer(&digits),
    }
}

/// Of an inner list such as `(5000;v 128;a)` the video's number, else the highest.
fn of_list(key: &str) -> String {
    let list = inner(key);
    let video = format!(r"regexp_extract({list}, '([0-9]+)(?:\.0*)?;v(?: |;|$)', 1)");
    format!(
        "coalesce(try_cast({video} AS bigint), array_max(try_cast(split({}, ' ') AS array(bigint))))",
        bare(&list)
    )
}

/// Of an inner list the sum of its first eight numbers; of a number itself.
fn sum(key: &str) -> String {
    let list = bare(&inner(key));
    let parts: Vec<String> = (1..=8)
        .map(|place| format!("coalesce(try_cast(split_part({list}, ' ', {place}) AS bigint), 0)"))
        .collect();
    format!(
        "coalesce({}, CASE WHEN {list} IS NOT NULL THEN {} END)",
        number(key, Kind::Integer),
        parts.join(" + ")
    )
}

/// What is between the brackets of an inner list.
fn inner(key: &str) -> String {
    format!(r#"regexp_extract("cmcd", '(?:^|,)\s*{key}=\(([^)]*)\)', 1)"#)
}

/// An inner list without the parameters of its members.
fn bare(list: &str) -> String {
    format!("regexp_replace({list}, ';[^ ]*', '')")
}

/// True where the key stands alone or is said to be true, false where it is said to be false.
fn flag(key: &str) -> String {
    format!(
        r#"CASE WHEN regexp_like("cmcd", '(?:^|,)\s*{key}(?:=(?:true|1|\?1))?\s*(?:,|$)') THEN true WHEN "cmcd" IS NOT NULL THEN false END"#
    )
}
