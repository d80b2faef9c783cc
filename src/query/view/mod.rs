//! The table `requests` as a SELECT over a table of the Glue catalog: the logical columns, typed, of the
//! requests of a window.
//!
//! What this says in SQL, `onair-logs` says in code for files: tests hold the two together. Three things it
//! does not do: it looks for CMCD neither in logged headers nor in its JSON form, and a viewer who puts a
//! comma and a key into a quoted text of their CMCD makes it read that key from there.

mod cmcd;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, ToSpan};
use onair_logs::schema::{Column, Kind, Origin, REQUESTS};
use onair_logs::value::Value;

use super::port::{Asked, Source, Window};
use super::text::{self, TextError, identifier, literal};
use crate::cloud::TableDefinition;
use crate::plan::log_table::{self, TableScene};
use crate::runbook::Runbook;

/// A table over logs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Table {
    pub(crate) database: String,
    pub(crate) source: Source,
    pub(crate) definition: TableDefinition,
}

impl Table {
    /// The table that the runbook has for a source; none: these logs are not kept.
    pub(crate) fn of(runbook: &Runbook, source: Source) -> Option<Self> {
        let athena = runbook.athena.as_ref()?;
        let access = runbook.logs.access.as_ref()?;
        let scene = TableScene::of(runbook);
        let definition = match source {
            Source::Access => log_table::access(&scene, &athena.access_table, access),
            Source::Realtime => {
                let realtime = runbook.logs.realtime.as_ref()?;
                log_table::realtime(
                    &scene,
                    &athena.realtime_table,
                    &access.bucket,
                    &realtime.fields,
                )
            }
        };
        Some(Self {
            database: athena.database.clone(),
            source,
            definition,
        })
    }

    /// Whether it can say anything of a logical column.
    pub(crate) fn has(&self, column: &str) -> bool {
        onair_logs::schema::Table::Requests
            .position(column)
            .is_some_and(|place| expression(self, &REQUESTS[place], &mut Cells::of(self)).is_some())
    }
}

/// A query with the table in front of it: what Athena is sent. The placeholders stay in their order.
pub(crate) fn whole(asked: &Asked, table: &Table, window: Window) -> Result<String, TextError> {
    with_view(&asked.text, table, window)
}

/// A text with the table in front of it. Columns that the text does not name are left out, since Athena
/// is paid by what it reads.
pub(crate) fn with_view(text: &str, table: &Table, window: Window) -> Result<String, TextError> {
    let columns = super::catalog::columns(text);
    text::with_requests(text, &select(table, &columns, window))
}

/// The SELECT of some columns of the requests of a window.
pub(crate) fn select(table: &Table, columns: &[&str], window: Window) -> String {
    let mut cells = Cells::of(table);
    let mut chosen: Vec<String> = REQUESTS
        .iter()
        .filter(|column| columns.contains(&column.name))
        .map(|column| {
            let made = expression(table, column, &mut cells);
            let made = made.unwrap_or_else(|| format!("CAST(NULL AS {})", type_name(column.kind)));
            format!("    {made} AS {}", identifier(column.name))
        })
        .collect();
    if chosen.is_empty() {
        chosen.push("    1 AS \"one\"".to_owned());
    }
    let at = moment(table);
    let mut inner = vec![format!("        {at} AS \"at\"")];
    inner.extend(cells.selected());
    let (from, until) = window.civil();
    format!(
        "SELECT\n{}\nFROM (\n    SELECT\n{}\n    FROM {}.{}\n    WHERE {}\n) AS line\n\
         WHERE \"at\" >= {} AND \"at\" < {}",
        chosen.join(",\n"),
        inner.join(",\n"),
        identifier(&table.database),
        identifier(&table.definition.name),
        hours(window),
        literal(&Value::Timestamp(from)),
        literal(&Value::Timestamp(until)),
    )
}

/// The partitions of a window: an object's hour is the one in which its requests were completed, and
/// a request that began at the window's end may be an hour later.
fn hours(window: Window) -> String {
    let Window { from, until } = window;
    let last = until
        .checked_add(SignedDuration::from_hours(1))
        .unwrap_or(until)
        .max(from)
        .to_zoned(TimeZone::UTC);
    let first = from.to_zoned(TimeZone::UTC);
    let mut days = Vec::new();
    let mut day = first.date();
    while day <= last.date() {
        let mut condition = format!(
            "year = {} AND month = {} AND day = {}",
            day.year(),
            day.month(),
            day.day()
        );
        if day == first.date() && first.hour() > 0 {
            condition.push_str(&format!(" AND hour >= {}", first.hour()));
        }
        if day == last.date() && last.hour() < 23 {
            condition.push_str(&format!(" AND hour <= {}", last.hour()));
        }
        days.push(format!("({condition})"));
        match day.checked_add(1.day()) {
            Ok(next) => day = next,
            Err(_) => break,
        }
    }
    match &days[..] {
        [one] => one.clone(),
        several => format!("({})", several.join(" OR ")),
    }
}

/// A type's name in Trino.
pub(crate) fn type_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "varchar",
        Kind::Integer => "bigint",
        Kind::Double => "double",
        Kind::Boolean => "boolean",
        Kind::Timestamp => "timestamp(3)",
    }
}

/// The table's own columns that are needed, with `-` and nothing as NULL.
struct Cells<'a> {
    table: &'a Table,
    used: Vec<(String, String)>,
}

impl<'a> Cells<'a> {
    fn of(table: &'a Table) -> Self {
        Self {
            table,
            used: Vec::new(),
        }
    }

    /// The cell of a log field; none: the table has no such column.
    fn field(&mut self, field: &str) -> Option<Cell> {
        if field.is_empty() {
            return None;
        }
        self.column(&log_table::column_name(field))
    }

    fn column(&mut self, name: &str) -> Option<Cell> {
        let definition = &self.table.definition;
        let mut columns = definition.columns.iter().chain(&definition.partition_keys);
        let found = columns.find(|column| column.name == name)?;
        let quoted = identifier(name);
        let is_text = found.kind == "string";
        let value = if is_text {
            format!("nullif(nullif({quoted}, '-'), '')")
        } else {
            quoted.clone()
        };
        self.make(name, value);
        Some(Cell {
            name: quoted,
            is_text,
        })
    }

    /// A value that several columns are made from.
    fn make(&mut self, name: &str, value: String) {
        if !self.used.iter().any(|(known, _)| known == name) {
            self.used.push((name.to_owned(), value));
        }
    }

    fn selected(&self) -> Vec<String> {
        self.used
            .iter()
            .map(|(name, value)| format!("        {value} AS {}", identifier(name)))
            .collect()
    }
}

/// A column of the inner SELECT.
struct Cell {
    /// In quotes.
    name: String,
    is_text: bool,
}

impl Cell {
    fn as_kind(&self, kind: Kind) -> String {
        let name = &self.name;
        match (kind, self.is_text) {
            (Kind::Text, true) | (Kind::Double | Kind::Timestamp, false) => name.clone(),
            (Kind::Integer, false) => format!("CAST({name} AS bigint)"),
            (Kind::Text, false) => format!("CAST({name} AS varchar)"),
            (Kind::Integer, true) => integer(name),
            (Kind::Double, true) => double(name),
            (Kind::Boolean, _) => format!(
                "CASE WHEN {name} IN ('true', '1', '?1') THEN true WHEN {name} IN ('false', '0', '?0') THEN false END"
            ),
            (Kind::Timestamp, true) => format!("try_cast({name} AS timestamp(3))"),
        }
    }
}

/// The first of several that is not NULL.
fn coalesce(ways: &[String]) -> String {
    match ways {
        [one] => one.clone(),
        several => format!("coalesce({})", several.join(", ")),
    }
}

/// Whole numbers, also those with a fraction of zero.
fn integer(text: &str) -> String {
    format!(r"try_cast(regexp_extract({text}, '^(-?[0-9]+)(?:\.0*)?$', 1) AS bigint)")
}

/// Finite numbers: what Trino reads of words such as `NaN` is none.
fn double(text: &str) -> String {
    format!("try_cast(regexp_extract({text}, '^[0-9.eE+-]+$') AS double)")
}

/// Percent-decoding that never fails and takes no `+` for a blank: Trino's own does both. The plus
/// signs are put away first, so that one can mark what is to be decoded.
fn decoded(text: &str) -> String {
    format!(
        "url_decode(replace(replace(regexp_replace(replace({text}, '+', '%2B'), '%([0-9A-Fa-f]{{2}})', '+$1'), '%', '%25'), '+', '%'))"
    )
}

/// CloudFront encodes what it logs, so that what came encoded is so twice.
fn decoded_twice(text: &str) -> String {
    decoded(&decoded(text))
}

/// When the request was, of the table's own columns.
fn moment(table: &Table) -> String {
    let has = |name: &str| {
        table
            .definition
            .columns
            .iter()
            .find(|column| column.name == name)
    };
    let epoch = |name: &str| {
        has(name).map(|column| {
            let name = identifier(name);
            let seconds = if column.kind == "string" {
                double(&name)
            } else {
                name
            };
            // As milliseconds, 1e11 is 1973; as seconds, it is the year 5138.
            format!(
                "date_add('millisecond', CAST(round({seconds} * CASE WHEN {seconds} >= 1e11 THEN 1e0 ELSE 1e3 END) AS bigint), TIMESTAMP '1970-01-01 00:00:00.000')"
            )
        })
    };
    let civil = (has("date").is_some() && has("time").is_some())
        .then(|| "try_cast(\"date\" || ' ' || \"time\" AS timestamp(3))".to_owned());
    let found = match table.source {
        Source::Realtime => epoch("timestamp"),
        Source::Access => match (epoch("timestamp_ms"), civil) {
            (Some(epoch), Some(civil)) => Some(format!("coalesce({epoch}, {civil})")),
            (epoch, civil) => epoch.or(civil),
        },
    };
    found.unwrap_or_else(|| "CAST(NULL AS timestamp(3))".to_owned())
}

/// A logical column of the inner SELECT's; none: the table says nothing of it.
fn expression(table: &Table, column: &Column, cells: &mut Cells<'_>) -> Option<String> {
    match column.origin {
        Origin::Field { standard, realtime } => {
            let field = match table.source {
                Source::Access => standard,
                Source::Realtime => realtime,
            };
            let cell = cells.field(field)?;
            Some(match column.name {
                "cs_user_agent" | "cs_referer" => decoded_twice(&cell.as_kind(Kind::Text)),
                _ => cell.as_kind(column.kind),
            })
        }
        Origin::Cmcd { key, realtime } => cmcd::expression(table, column, key, realtime, cells),
        Origin::Derived => derived(table, column.name, cells),
    }
}

fn derived(table: &Table, name: &str, cells: &mut Cells<'_>) -> Option<String> {
    match name {
        "at" => Some("\"at\"".to_owned()),
        "distribution_id" => {
            let cell = cells
                .field("primary-distribution-id")
                .or_else(|| cells.column("distributionid"))?;
            Some(cell.as_kind(Kind::Text))
        }
        "cs_uri_stem" => path(table, cells),
        "cs_uri_query" => query(table, cells),
        "object_kind" => {
            let path = format!("lower({})", path(table, cells)?);
            Some(format!(
                r"CASE WHEN {path} IS NULL THEN NULL WHEN regexp_like({path}, '\.(m3u8|mpd)$') THEN 'manifest' WHEN regexp_like({path}, '\.(vtt|webvtt|srt|ttml|dfxp|imsc|cmft)$') THEN 'caption' WHEN regexp_like({path}, '\.key$') THEN 'key' WHEN regexp_like({path}, '\.cmfi$|\.m4i$|init[^/]*\.{SEGMENT}$') THEN 'init' WHEN regexp_like({path}, '\.{SEGMENT}$') THEN 'segment' ELSE 'other' END"
            ))
        }
        "is_hit" => {
            let [response, result, detailed] = results(cells);
            Some(format!(
                "CASE WHEN coalesce({response}, {result}, {detailed}) IS NOT NULL THEN coalesce(coalesce({response}, {result}) IN ('Hit', 'RefreshHit'), false) OR coalesce({detailed} = 'OriginShieldHit', false) END"
            ))
        }
        "is_abandoned" => {
            let [response, result, _] = results(cells);
            let status = cells
                .field("sc-status")
                .map_or("CAST(NULL AS bigint)".to_owned(), |cell| {
                    cell.as_kind(Kind::Integer)
                });
            Some(format!(
                "CASE WHEN coalesce({result}, {response}, CAST({status} AS varchar)) IS NOT NULL THEN coalesce({status} = 0, false) OR coalesce({result} = 'Error' AND coalesce({response} <> 'Error', {status} < 400), false) END"
            ))
        }
        _ => None,
    }
}

const SEGMENT: &str = "(ts|m4s|mp4|m4v|m4a|m4f|cmfv|cmfa|aac|ac3|ec3|mp3|webm|dash|m2ts)";

/// The result before sending, the one after, and the detailed one.
fn results(cells: &mut Cells<'_>) -> [String; 3] {
    [
        "x-edge-response-result-type",
        "x-edge-result-type",
        "x-edge-detailed-result-type",
    ]
    .map(|field| {
        cells
            .field(field)
            .map_or("CAST(NULL AS varchar)".to_owned(), |cell| cell.name)
    })
}

fn path(table: &Table, cells: &mut Cells<'_>) -> Option<String> {
    let cell = cells.field("cs-uri-stem")?;
    Some(match table.source {
        Source::Access => cell.name,
        // Real-time logs join path and query.
        Source::Realtime => format!("split_part({}, '?', 1)", cell.name),
    })
}

fn query(table: &Table, cells: &mut Cells<'_>) -> Option<String> {
    let own = cells.field("cs-uri-query").map(|cell| cell.name);
    let joined = match table.source {
        Source::Access => None,
        Source::Realtime => cells.field("cs-uri-stem").map(|cell| {
            format!(
                "CASE WHEN strpos({0}, '?') > 0 THEN nullif(substr({0}, strpos({0}, '?') + 1), '') END",
                cell.name
            )
        }),
    };
    match (own, joined) {
        (Some(own), Some(joined)) => Some(format!("coalesce({own}, {joined})")),
        (own, joined) => own.or(joined),
    }
}

#[cfg(test)]
mod tests;
