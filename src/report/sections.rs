//! The report's sections as words and tables, in the order in which they are read. HTML and Markdown
//! show the same ones, each escaping in its own way. Pure.

use jiff::Timestamp;

use super::figures::{Unit, figure, grouped, known};
use super::gathered::EventFacts;
use super::goals::Kept;
use super::model::{Report, SuspectKind};
use super::summary::Measure;
use super::table::Table;
use crate::event::time;
use crate::render::Sheet;

/// Rows of a query that a section shows; its CSV file has all.
const MOST_ROWS: usize = 15;

/// A part of the report under one heading.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Section {
    /// Its anchor.
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    pub(crate) words: Vec<String>,
    pub(crate) blocks: Vec<Block>,
}

/// A table with what it shows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Block {
    pub(crate) caption: String,
    pub(crate) sheet: Sheet,
    /// Columns of numbers, by index.
    pub(crate) numbers: Vec<usize>,
    /// What the rows say by themselves, in their order: a sign beside the word. Empty: nothing.
    pub(crate) states: Vec<Kept>,
    /// The query behind it, whose CSV file has all its rows.
    pub(crate) query: Option<String>,
    /// Rows that are not shown.
    pub(crate) hidden: usize,
    /// What to know beside.
    pub(crate) notes: Vec<String>,
}

impl Block {
    fn new(caption: impl Into<String>, columns: &[&str], numbers: &[usize]) -> Self {
        Self {
            caption: caption.into(),
            sheet: Sheet::new(columns),
            numbers: numbers.to_vec(),
            states: Vec::new(),
            query: None,
            hidden: 0,
            notes: Vec::new(),
        }
    }

    /// The first rows of a query's result as it came.
    fn of(table: &Table) -> Self {
        let mut sheet = table.sheet();
        let hidden = sheet.rows.len().saturating_sub(MOST_ROWS);
        sheet.rows.truncate(MOST_ROWS);
        let numbers = (0..sheet.columns.len())
            .filter(|column| is_number(table, *column))
            .collect::<Vec<_>>();
        for row in &mut sheet.rows {
            for column in &numbers {
                if let Some(cell) = row.get_mut(*column) {
                    *cell = short_number(cell);
                }
            }
        }
        for column in &mut sheet.columns {
            *column = column.replace('_', " ");
        }
        Self {
            caption: table.purpose.clone(),
            sheet,
            numbers,
            states: Vec::new(),
            query: Some(table.name.clone()),
            hidden,
            notes: table.notes.clone(),
        }
    }
}

fn is_number(table: &Table, column: usize) -> bool {
    use onair_logs::value::Value;
    let mut cells = table
        .rows
        .iter()
        .filter_map(|row| row.get(column))
        .peekable();
    cells.peek().is_some()
        && cells.all(|cell| matches!(cell, Value::Integer(_) | Value::Double(_) | Value::Null))
}

/// A number of a query with its thousands apart.
fn short_number(cell: &str) -> String {
    match cell.parse::<f64>() {
        Ok(number) if number.is_finite() => {
            let digits = cell
                .split_once('.')
                .filter(|(_, rest)| rest.bytes().all(|byte| byte.is_ascii_digit()))
                .map_or(0, |(_, rest)| rest.trim_end_matches('0').len().min(3));
            grouped(number, digits)
        }
        _ => cell.to_owned(),
    }
}

/// A point in time with the zone, and counted from kickoff: `21:15:04 CEST · KO+45:04`.
pub(crate) fn moment(event: &EventFacts, at: Timestamp) -> String {
    format!(
        "{} · {}",
        time::local(at, &event.zone),
        time::since_kickoff(at, event.kickoff, &event.kickoff_label)
    )
}

/// The reported window, and how times are written beside it.
pub(crate) fn window_words(event: &EventFacts) -> String {
    format!(
        "{}. Times are of {}; what ends in Z is UTC, as the logs have it.",
        event.window_words(),
        time::zone_name(&event.zone)
    )
}

/// All sections.
pub(crate) fn sections(report: &Report) -> Vec<Section> {
    vec![
        targets(report),
        experience(report),
        delivery(report),
        abuse(report),
        rights(report),
        edges(report),
        cost(report),
        timeline(report),
        lessons(report),
        sources(report),
    ]
}

fn targets(report: &Report) -> Section {
    let mut block = Block::new(
        "What the runbook promised, and what was",
        &[
            "target",
            "verdict",
            "measured",
            "promised",
            "how it was measured",
        ],
        &[2, 3],
    );
    for goal in &report.verdict.goals {
        block.sheet.push([
            goal.title.clone(),
            format!("{} {}", goal.kept.sign(), goal.kept.word()),
            known(goal.value, goal.unit),
            goal.limit_words(),
            goal.note.clone(),
        ]);
        block.states.push(goal.kept);
    }
    Section {
        id: "targets",
        title: "Targets",
        words: vec![format!("{}.", report.verdict.headline)],
        blocks: vec![block],
    }
}

const EXPERIENCE: &[&str] = &[
    "bitrate-ladder",
    "rebuffering-by-network",
    "startup",
    "exits-before-start",
    "devices",
];

fn experience(report: &Report) -> Section {
    let found = &report.experience;
    let mut words = Vec::new();
    match (found.viewers, found.kept_out) {
        (Some(viewers), Some(kept_out)) => words.push(format!(
            "Of {} viewers, {} were refused by country, address or token and are left out here. \
             A viewer is a playback session (CMCD), or an address with its user agent from which no session is known.",
            figure(viewers, Unit::Count),
            figure(kept_out, Unit::Count)
        )),
        _ => words.push("The logs do not tell what viewers felt.".to_owned()),
    }
    let mut block = Block::new(
        "What viewers felt",
        &["figure", "value", "how it is measured"],
        &[1],
    );
    let rows = [
        (
            "Started within (median)",
            known(found.startup_p50_ms, Unit::Milliseconds),
            "first request to first video segment",
        ),
        (
            "Started within (95%)",
            known(found.startup_p95_ms, Unit::Milliseconds),
            "first request to first video segment",
        ),
        (
            "Left before the start",
            known(found.never_started, Unit::Count),
            "viewers without one video segment, refused ones left out",
        ),
        (
            "Players that ran dry",
            known(found.starved_viewers, Unit::Count),
            "at least once, as players say (CMCD bs)",
        ),
        (
            "Segments after running dry",
            known(found.starved_percent, Unit::Percent),
            "of the video segments; for how long is not told",
        ),
        (
            "Mean bitrate",
            known(found.bitrate, Unit::BitsPerSecond),
            "weighted by playing time (CMCD br, d)",
        ),
    ];
    for (title, value, about) in rows {
        block
            .sheet
            .push([title.to_owned(), value, about.to_owned()]);
    }
    let mut blocks = vec![block];
    blocks.extend(of_queries(report, EXPERIENCE));
    words.extend(not_known(report, EXPERIENCE));
    if report.event.is_part() {
        words.push(
            "The window cuts off what was before it: of sessions that ran already the start is not seen, and startup looks shorter than it was."
                .to_owned(),
        );
    }
    if blocks
        .iter()
        .any(|block| block.query.as_deref() == Some("exits-before-start"))
    {
        words.push(format!(
            "Exits before start, {}, is of viewers who were not refused, and one video segment is a start. The table exits-before-start has sessions (CMCD) alone, refused ones among them, and asks for two.",
            known(report.summary.value(Measure::StartFailures), Unit::Percent)
        ));
    }
    Section {
        id: "experience",
        title: "Viewer experience",
        words,
        blocks,
    }
}

const DELIVERY: &[&str] = &[
    "cache-by-kind",
    "errors-by-cause",
    "first-byte-by-edge",
    "first-byte-by-country",
    "first-byte-by-network",
    "origin-failovers",
    "ad-manifests",
    "fault-window",
];

fn delivery(report: &Report) -> Section {
    let mut words = vec![
        "A hit spared the origin; Origin Shield's hits count. Viewers who hung up are counted apart: they are no error of the service."
            .to_owned(),
        format!(
            "The cache hit ratio, {}, is of answers under 400 that the viewer stayed for, by kind, too.",
            known(report.summary.value(Measure::HitPercent), Unit::Percent)
        ),
    ];
    words.extend(not_known(report, DELIVERY));
    Section {
        id: "delivery",
        title: "Delivery",
        words,
        blocks: of_queries(report, DELIVERY),
    }
}

fn abuse(report: &Report) -> Section {
    let mut block = Block::new(
        "Sessions and tokens on many addresses, and the addresses that took most",
        &[
            "kind",
            "who",
            "addresses",
            "networks",
            "countries",
            "requests",
            "data",
            "what was done",
        ],
        &[2, 3, 4, 5, 6],
    );
    for suspect in &report.suspects {
        // None of something that everybody has means that the logs do not tell it.
        let count = |value: Option<f64>| {
            value
                .filter(|value| *value > 0.0)
                .map_or_else(String::new, |value| figure(value, Unit::Count))
        };
        let done = match (&suspect.actions[..], suspect.kind) {
            ([], _) if !report.has_ledger => "not known".to_owned(),
            ([], SuspectKind::Address) => "nothing: much is no abuse by itself".to_owned(),
            ([], _) => "nothing in the ledger names it".to_owned(),
            (actions, _) => actions.join(", "),
        };
        block.sheet.push([
            suspect.kind.word().to_owned(),
            suspect.value.clone(),
            count(suspect.addresses),
            count(suspect.networks),
            count(suspect.countries),
            count(suspect.requests),
            suspect
                .bytes
                .map_or_else(String::new, |bytes| figure(bytes, Unit::Bytes)),
            done,
        ]);
    }
    let shared = report
        .suspects
        .iter()
        .filter(|suspect| suspect.kind != SuspectKind::Address);
    let acted = shared
        .clone()
        .filter(|suspect| !suspect.actions.is_empty())
        .count();
    let unknown = not_known(report, &["shared-sessions", "shared-tokens"]);
    let mut words = match shared.count() {
        0 if unknown.len() == 2 => Vec::new(),
        0 => vec!["No session and no token was seen on many addresses.".to_owned()],
        count => vec![format!(
            "Sessions and tokens on many addresses: {count}; {}. A viewer on the move has a few addresses in one or two networks; a re-stream has many.",
            if report.has_ledger {
                format!("the ledger names {acted} of them")
            } else {
                "what was done about them is not known".to_owned()
            }
        )],
    };
    words.extend(unknown);
    let mut blocks = Vec::new();
    if !block.sheet.is_empty() {
        blocks.push(block);
    }
    blocks.extend(of_queries(report, &["direct-to-origin"]));
    Section {
        id: "abuse",
        title: "Abuse, and what was done",
        words,
        blocks,
    }
}

fn rights(report: &Report) -> Section {
    let found = &report.rights;
    let mut words = match (found.is_known, found.served) {
        (false, _) => vec!["The runbook does not say which countries have rights.".to_owned()],
        (true, None) => vec![
            "Not known: the logs do not tell the viewers' countries (field c-country).".to_owned(),
        ],
        (true, Some(0.0)) => vec![format!(
            "No request was served to a country without rights; {} were refused.",
            known(found.refused, Unit::Count)
        )],
        (true, Some(served)) => vec![format!(
            "{} requests were served to countries without rights ({}); {} were refused. It must be none.",
            figure(served, Unit::Count),
            found
                .offenders
                .iter()
                .take(8)
                .map(|(country, count)| format!("{country} {}", figure(*count, Unit::Count)))
                .collect::<Vec<_>>()
                .join(", "),
            known(found.refused, Unit::Count)
        )],
    };
    for window in &found.windows {
        let served = match window.served {
            0.0 => "no request was served to a country without rights in it".to_owned(),
            served => format!(
                "{} requests were served to countries without rights in it",
                figure(served, Unit::Count)
            ),
        };
        words.push(format!(
            "The runbook's window \"{}\", {} to {}: {served}.",
            window.name,
            moment(&report.event, window.from),
            moment(&report.event, window.until),
        ));
    }
    if !found.windows.is_empty() {
        words.push(
            "The table below goes by the runbook's list alone, without these windows.".to_owned(),
        );
    }
    Section {
        id: "rights",
        title: "Rights",
        words,
        blocks: of_queries(report, &["rights-by-country", "countries"]),
    }
}

fn edges(report: &Report) -> Section {
    let mut words = vec![
        "AWS documents no code by which embedded points of presence (inside an operator's network) could be told in logs: the kinds below follow the pattern of the location's code, and are a guess."
            .to_owned(),
    ];
    if report.edges.shares.is_empty() {
        words = vec!["Which edges answered was not asked.".to_owned()];
    }
    let mut block = Block::new(
        "Which edges answered",
        &["kind of edge", "share of the requests"],
        &[1],
    );
    for (kind, percent) in &report.edges.shares {
        block
            .sheet
            .push([kind.clone(), figure(*percent, Unit::Percent)]);
    }
    let mut blocks = Vec::new();
    if !block.sheet.is_empty() {
        blocks.push(block);
    }
    blocks.extend(of_queries(report, &["edges"]));
    Section {
        id: "edges",
        title: "Edges",
        words,
        blocks,
    }
}

fn cost(report: &Report) -> Section {
    let mut block = Block::new(
        "Estimated at these prices",
        &[
            "what",
            "amount",
            "price",
            "USD each",
            "USD",
            "what the price is for",
        ],
        &[1, 3, 4],
    );
    for line in &report.cost.lines {
        let own = if line.is_own { " (own)" } else { "" };
        block.sheet.push([
            line.what.clone(),
            line.amount.clone(),
            format!("{}{own}", line.price),
            grouped(line.unit_price, 3),
            grouped(line.dollars, 2),
            line.about.clone(),
        ]);
    }
    let total = report.cost.total.map_or_else(
        || "not known".to_owned(),
        |total| figure(total, Unit::Dollars),
    );
    Section {
        id: "cost",
        title: "Cost",
        words: vec![format!(
            "About {total}, an estimate. Prices are on-demand list prices, not verified (checked against no price list and no invoice); tiers, regions, commitments, Origin Shield, encoding and packaging are left out. `--price NAME=USD` puts your own in."
        )],
        blocks: if block.sheet.is_empty() {
            Vec::new()
        } else {
            vec![block]
        },
    }
}

fn timeline(report: &Report) -> Section {
    let mut block = Block::new(
        "From the ledger, oldest first",
        &[
            "when",
            "who",
            "id",
            "what",
            "why",
            "outcome",
            "felt by viewers",
        ],
        &[],
    );
    for entry in &report.timeline {
        let mut what = entry.what.clone();
        if let Some(undoer) = &entry.undone_by {
            what.push_str(&format!(" (taken back by {undoer})"));
        }
        let seconds = entry
            .seconds
            .map(|seconds| format!(" after {} s", grouped(seconds, 0)))
            .unwrap_or_default();
        block.sheet.push([
            moment(&report.event, entry.at),
            entry.operator.clone(),
            entry.name.clone().unwrap_or_default(),
            what,
            entry.why.clone().unwrap_or_default(),
            entry.outcome.word().to_owned(),
            entry
                .proof
                .as_ref()
                .map(|proof| format!("{proof}{seconds}"))
                .unwrap_or_default(),
        ]);
    }
    let mut words = vec![if !report.has_ledger {
        "Not known: the ledger could not be read.".to_owned()
    } else if report.timeline.is_empty() {
        "The ledger holds nothing of this event.".to_owned()
    } else {
        format!("{} entries.", report.timeline.len())
    }];
    let is_over = report.event.made >= report.event.ends;
    if report.event.closed.is_none() && report.has_ledger && is_over {
        words.push(
            "The event is not closed: `onair event close` proves that nothing temporary is left."
                .to_owned(),
        );
    }
    let mut blocks = Vec::new();
    if !block.sheet.is_empty() {
        blocks.push(block);
    }
    let mut alarms = Block::new(
        "Alarms, by their metrics: when the threshold was passed by the alarm's own rule",
        &["alarm", "from", "until"],
        &[],
    );
    for span in &report.alarms {
        alarms.sheet.push([
            span.alarm.clone(),
            moment(&report.event, span.from),
            span.until.map_or_else(
                || "past the window's end".to_owned(),
                |until| moment(&report.event, until),
            ),
        ]);
    }
    if !alarms.sheet.is_empty() {
        blocks.push(alarms);
    }
    Section {
        id: "timeline",
        title: "Timeline",
        words,
        blocks,
    }
}

fn lessons(report: &Report) -> Section {
    let mut block = Block::new(
        "`onair new NEXT --from THIS` writes them into the next runbook",
        &["lesson", "from"],
        &[],
    );
    for lesson in &report.lessons {
        block
            .sheet
            .push([lesson.text.clone(), lesson.from.word().to_owned()]);
    }
    let words = if report.lessons.is_empty() {
        vec!["None was drawn. `--lesson TEXT` adds one.".to_owned()]
    } else {
        Vec::new()
    };
    Section {
        id: "lessons",
        title: "Lessons",
        words,
        blocks: if block.sheet.is_empty() {
            Vec::new()
        } else {
            vec![block]
        },
    }
}

fn sources(report: &Report) -> Section {
    let source = &report.source;
    let mut words = vec![completeness_words(report)];
    words.push(format!(
        "Read with the {} engine from {}: {} queries{}{}.",
        source.engine,
        source.place,
        source.queries,
        source
            .objects
            .map(|objects| format!(" over {} log objects", grouped_count(objects)))
            .unwrap_or_default(),
        source
            .scanned_bytes
            .map(|bytes| {
                #[expect(clippy::cast_precision_loss, reason = "bytes fewer than 2^53")]
                let bytes = bytes as f64;
                format!(", {} scanned", figure(bytes, Unit::Bytes))
            })
            .unwrap_or_default()
    ));
    words.extend(source.unread());
    words.extend(report.gaps.iter().cloned());
    let mut blocks = Vec::new();
    let gaps = report.completeness.worst_gaps();
    if !gaps.is_empty() {
        let mut block = Block::new(
            "Minutes of which less than 99% was read, the worst first",
            &["from", "until", "missing requests"],
            &[2],
        );
        block.hidden = gaps.len().saturating_sub(MOST_ROWS);
        for (from, until, missing) in gaps.into_iter().take(MOST_ROWS) {
            block.sheet.push([
                moment(&report.event, from),
                moment(&report.event, until),
                figure(missing, Unit::Count),
            ]);
        }
        blocks.push(block);
    }
    let mut tables = Block::new(
        "Tables beside this page",
        &["file", "what it shows", "rows"],
        &[2],
    );
    for table in &report.tables {
        tables.sheet.push([
            format!("tables/{}.csv", table.name),
            table.purpose.clone(),
            if table.unknown.is_some() {
                "not known".to_owned()
            } else {
                table.rows.len().to_string()
            },
        ]);
    }
    if !tables.sheet.is_empty() {
        blocks.push(tables);
    }
    Section {
        id: "sources",
        title: "Where this comes from",
        words,
        blocks,
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts fewer than 2^53")]
fn grouped_count(number: u64) -> String {
    grouped(number as f64, 0)
}

/// How much of the logs was read, in a sentence.
pub(crate) fn completeness_words(report: &Report) -> String {
    let found = &report.completeness;
    let rows = figure(found.rows, Unit::Count);
    match (found.percent, found.requests) {
        (Some(percent), Some(requests)) => {
            let shown = figure(percent, Unit::Percent);
            let requests = figure(requests, Unit::Count);
            if found.is_enough() {
                format!(
                    "Complete: {rows} rows of {requests} requests that CloudWatch counted ({shown})."
                )
            } else {
                let advice = if report.source.is_files() {
                    "Were all the files copied?"
                } else {
                    "Logs arrive for up to a day; make the report again then."
                };
                format!(
                    "PROVISIONAL: {rows} rows of {requests} requests that CloudWatch counted ({shown}). {advice}"
                )
            }
        }
        _ => format!(
            "PROVISIONAL: {rows} rows were read, and nobody knows of how many: {}.",
            found
                .unknown
                .as_deref()
                .unwrap_or("CloudWatch was not asked")
        ),
    }
}

fn of_queries(report: &Report, names: &[&str]) -> Vec<Block> {
    names
        .iter()
        .filter_map(|name| report.tables.iter().find(|table| table.name == *name))
        .filter(|table| !table.rows.is_empty() && table.unknown.is_none())
        .map(Block::of)
        .collect()
}

/// What queries would tell of other logs.
fn not_known(report: &Report, names: &[&str]) -> Vec<String> {
    names
        .iter()
        .filter_map(|name| report.tables.iter().find(|table| table.name == *name))
        .filter_map(|table| {
            let why = table.unknown.as_ref()?;
            Some(format!(
                "{} ({}): not known: {why}.",
                table.purpose, table.name
            ))
        })
        .collect()
}

/// The measures on the first screen.
pub(crate) const TILES: &[Measure] = &[
    Measure::PeakViewers,
    Measure::ViewerHours,
    Measure::Bytes,
    Measure::PeakBits,
    Measure::HitPercent,
    Measure::Percent5xx,
    Measure::FirstByteP95,
    Measure::Starved,
    Measure::Bitrate,
    Measure::Cost,
];

/// The ledger's entries for a spreadsheet.
pub(crate) fn timeline_sheet(report: &Report) -> Sheet {
    let mut sheet = Sheet::new(&[
        "at",
        "from kickoff",
        "operator",
        "id",
        "command",
        "what",
        "why",
        "outcome",
        "proof",
        "seconds",
        "overrides",
        "taken back by",
    ]);
    for entry in &report.timeline {
        sheet.push([
            time::utc(entry.at),
            time::since_kickoff(entry.at, report.event.kickoff, &report.event.kickoff_label),
            entry.operator.clone(),
            entry.name.clone().unwrap_or_default(),
            entry.command.clone(),
            entry.what.clone(),
            entry.why.clone().unwrap_or_default(),
            entry.outcome.word().to_owned(),
            entry.proof.clone().unwrap_or_default(),
            entry
                .seconds
                .map_or_else(String::new, |seconds| seconds.to_string()),
            entry.overrides.join(" "),
            entry.undone_by.clone().unwrap_or_default(),
        ]);
    }
    sheet
}

/// The figures for a spreadsheet: bare numbers.
pub(crate) fn summary_sheet(report: &Report) -> Sheet {
    let mut sheet = Sheet::new(&["figure", "value", "unit", "how it is measured"]);
    for figure in &report.summary.figures {
        let measure = Measure::named(&figure.name);
        sheet.push([
            figure.name.clone(),
            figure
                .value
                .map_or_else(String::new, |value| value.to_string()),
            unit_word(figure.unit).to_owned(),
            measure
                .map_or("", |measure| report.summary.about(measure))
                .to_owned(),
        ]);
    }
    sheet
}

/// A unit as a column of a spreadsheet has it.
pub(crate) fn unit_word(unit: Unit) -> &'static str {
    match unit {
        Unit::Count | Unit::Rate => "",
        Unit::Percent => "%",
        Unit::Milliseconds => "ms",
        Unit::Bytes => "bytes",
        Unit::BitsPerSecond => "bit/s",
        Unit::Dollars | Unit::SmallDollars => "USD",
        Unit::Hours => "h",
    }
}
