//! Common Media Client Data (CTA-5004, CTA-5004-B) in SQL: found in the query string, decoded, and its
//! keys taken out by regular expressions.

use onair_logs::schema::{Column, Kind, Origin, REQUESTS};

use super::{Cells, Table, coalesce, decoded_twice, integer};
use crate::query::port::Source;

/// What stands before a key.
const BEFORE: &str = r"(?:^|,)\s*";
/// What stands after a value.
const AFTER: &str = r"\s*(?:,|$)";
/// Members of an inner list that are looked at: a ladder's video and audio, the starvations since the
/// last request.
const MEMBERS: usize = 6;

/// A key of CMCD: the field that real-time logs have for it, else from the query string.
pub(super) fn expression(
    table: &Table,
    column: &Column,
    key: &str,
    realtime: &str,
    cells: &mut Cells<'_>,
) -> Option<String> {
    let mut ways = Vec::new();
    if table.source == Source::Realtime
        && let Some(cell) = cells.field(realtime)
    {
        ways.push(if column.kind == Kind::Boolean {
            let name = cell.name;
            format!(
                "CASE WHEN {name} IN ('true', '1', '?1', '{key}') THEN true WHEN {name} IN ('false', '0', '?0') THEN false END"
            )
        } else {
            cell.as_kind(column.kind)
        });
    }
    if list(table, cells).is_some() {
        ways.push(of_query(column, key));
    }
    // A flag that is false is not sent, and version 1 is not told: what counts is that anything is.
    if let Some(absent) = absent(column) {
        let fields = all_fields(table, cells);
        if !fields.is_empty() {
            ways.push(format!(
                "CASE WHEN {} IS NOT NULL THEN {absent} END",
                coalesce(&fields)
            ));
        }
    }
    (!ways.is_empty()).then(|| coalesce(&ways))
}

fn of_query(column: &Column, key: &str) -> String {
    let found = match (key, column.kind) {
        ("bsd", _) => coalesce(&[number(key, Kind::Integer), sum(key)]),
        (_, Kind::Boolean) => flag(key),
        (_, Kind::Integer) => coalesce(&[number(key, Kind::Integer), of_list(key)]),
        (_, Kind::Double) => number(key, Kind::Double),
        (_, Kind::Text | Kind::Timestamp) => words(key),
    };
    match absent(column) {
        Some(absent) => {
            format!("coalesce({found}, CASE WHEN \"cmcd\" IS NOT NULL THEN {absent} END)")
        }
        None => found,
    }
}

/// What a key says by not being there.
fn absent(column: &Column) -> Option<&'static str> {
    match (column.name, column.kind) {
        ("cmcd_version", _) => Some("1"),
        (_, Kind::Boolean) => Some("false"),
        _ => None,
    }
}

/// All fields of CMCD that the table has, as texts.
fn all_fields(table: &Table, cells: &mut Cells<'_>) -> Vec<String> {
    if table.source == Source::Access {
        return Vec::new();
    }
    REQUESTS
        .iter()
        .filter_map(|column| match column.origin {
            Origin::Cmcd { realtime, .. } => cells.field(realtime),
            _ => None,
        })
        .map(|cell| cell.as_kind(Kind::Text))
        .collect()
}

/// Puts `cmcd` among the inner cells: the value of the argument `CMCD`, decoded.
fn list(table: &Table, cells: &mut Cells<'_>) -> Option<()> {
    // It is made beside the other cells, so from the table's own columns.
    let own = cells.field("cs-uri-query").map(|cell| cell.name);
    let path = match table.source {
        Source::Access => None,
        Source::Realtime => cells.field("cs-uri-stem").map(|cell| cell.name),
    };
    let query = match (own, path) {
        (Some(own), Some(path)) => {
            format!("coalesce(nullif(nullif({own}, '-'), ''), split_part({path}, '?', 2))")
        }
        (Some(own), None) => own,
        (None, Some(path)) => format!("split_part({path}, '?', 2)"),
        (None, None) => return None,
    };
    let argument = format!("regexp_extract({query}, '(?:^|&)CMCD=([^&]*)', 1)");
    cells.make("cmcd", decoded_twice(&argument));
    Some(())
}

/// What `pattern` has in its brackets, behind the key.
fn taken(key: &str, pattern: &str) -> String {
    format!(r#"regexp_extract("cmcd", '{BEFORE}{key}\s*=\s*{pattern}', 1)"#)
}

/// A text in quotes, its escapes undone; one without quotes; of a list all, with commas between.
fn words(key: &str) -> String {
    let quoted = taken(key, r#""((?:[^"\\]|\\.)*)""#);
    let bare = taken(key, &format!(r#"([^",(\s](?:[^",]*[^",\s])?){AFTER}"#));
    coalesce(&[
        format!(r"regexp_replace({quoted}, '\\(.)', '$1')"),
        bare,
        format!("replace(replace({}, '\"', ''), ' ', ',')", members(key)),
    ])
}

fn number(key: &str, kind: Kind) -> String {
    let digits = taken(key, &format!(r#""?([0-9.eE+-]+)"?(?:;[^,]*)?{AFTER}"#));
    match kind {
        Kind::Double => format!("try_cast({digits} AS double)"),
        _ => integer(&digits),
    }
}

/// Of an inner list such as `(5000;v 128;a)` the video's number, else the highest.
fn of_list(key: &str) -> String {
    let video = format!(
        r#"regexp_extract({}, '(?:^|\s)"?(-?[0-9]+)(?:\.0*)?"?(?:;[^\s;]*)*;v(?:;|\s|$)', 1)"#,
        inner(key)
    );
    let each: Vec<String> = (1..=MEMBERS)
        .map(|place| format!("coalesce({}, -1)", member(key, place)))
        .collect();
    coalesce(&[
        format!("try_cast({video} AS bigint)"),
        format!("nullif(greatest({}), -1)", each.join(", ")),
    ])
}

/// Of an inner list the sum of its numbers.
fn sum(key: &str) -> String {
    let each: Vec<String> = (1..=MEMBERS)
        .map(|place| format!("coalesce({}, 0)", member(key, place)))
        .collect();
    format!(
        "CASE WHEN {} IS NOT NULL THEN {} END",
        inner(key),
        each.join(" + ")
    )
}

fn member(key: &str, place: usize) -> String {
    format!(
        "try_cast(split_part({}, ' ', {place}) AS bigint)",
        members(key)
    )
}

/// What is between the brackets of an inner list.
fn inner(key: &str) -> String {
    taken(key, r"\(([^)]*)\)")
}

/// The same without the parameters of its members.
fn members(key: &str) -> String {
    format!(r"regexp_replace({}, ';[^ ]*', '')", inner(key))
}

/// True where the key stands alone or is said to be true.
fn flag(key: &str) -> String {
    format!(
        r#"CASE WHEN regexp_like("cmcd", '{BEFORE}{key}\s*(?:=\s*(?:true|1|\?1))?{AFTER}') THEN true END"#
    )
}
