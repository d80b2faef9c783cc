//! The queries of a report, run on whichever engine there is.

use futures_util::stream::{self, StreamExt};
use jiff::Timestamp;

use crate::commands::query::place::{self, LocalAsked};
use crate::context::Session;
use crate::error::{Exit, Failure};
use crate::query::parameters::{self, Moment};
use crate::query::{Answered, Asked, CatalogQuery, QueryEngine, Source, Window, all, named, text};
use crate::report::{SourceFacts, Table};

/// Queries that Athena runs at a time; the engine here uses all cores for one.
const SIDE_BY_SIDE: usize = 4;

/// Without these there is no report.
const NEEDED: &[&str] = &["event-minutes"];

/// What else a report asks, in the order of its sections.
const ASKED: &[&str] = &[
    "event-minutes",
    "audience-by-minute",
    "playback-by-minute",
    "event-experience",
    "bitrate-ladder",
    "rebuffering-by-network",
    "startup",
    "exits-before-start",
    "devices",
    "cache-by-kind",
    "errors-by-cause",
    "first-byte-by-edge",
    "first-byte-by-country",
    "first-byte-by-network",
    "origin-failovers",
    "ad-manifests",
    "fault-window",
    "shared-sessions",
    "shared-tokens",
    "top-addresses",
    "direct-to-origin",
    "rights-by-country",
    "edges",
    "cost-drivers",
];

/// What the logs said.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub(super) source: SourceFacts,
    pub(super) tables: Vec<Table>,
    pub(super) gaps: Vec<String>,
}

/// Runs every query of the report over the window.
pub(super) async fn read(
    local: Option<&str>,
    session: &Session,
    source: Source,
    window: Window,
) -> Result<Read, Failure> {
    let engine = open(local, session, source, window)?;
    let queries = all();
    let chosen: Vec<&CatalogQuery> = ASKED
        .iter()
        .filter_map(|name| queries.iter().find(|query| query.name == *name))
        .collect();
    let texts: Vec<&str> = chosen.iter().map(|query| query.statement()).collect();
    engine.announce(&texts);
    let mut read = Read {
        source: SourceFacts {
            place: local.map_or_else(|| format!("the {} logs", source.name()), str::to_owned),
            ..SourceFacts::default()
        },
        ..Read::default()
    };
    let progress = session.ui().progress(chosen.len() as u64, "queries");
    let asked: Vec<Asked> = chosen
        .iter()
        .map(|query| asked(query, session, source, window))
        .collect::<Result<_, Failure>>()?;
    let side_by_side = if local.is_some() { 1 } else { SIDE_BY_SIDE };
    let stop = session.ui().interrupt();
    let mut answers = stream::iter(&asked)
        .map(|asked| engine.run(asked, stop))
        .buffered(side_by_side);
    for (done, query) in (1..).zip(chosen) {
        let Some(answered) = answers.next().await else {
            break;
        };
        match answered {
            Ok(answered) => read.take(query, answered),
            Err(failure)
                if failure.exit == Exit::Interrupted || NEEDED.contains(&query.name.as_str()) =>
            {
                return Err(failure);
            }
            Err(failure) => read.gaps.push(gap(query, &failure)),
        }
        progress.set(done);
    }
    Ok(read)
}

/// A query bound to the window and its defaults.
fn asked(
    query: &CatalogQuery,
    session: &Session,
    source: Source,
    window: Window,
) -> Result<Asked, Failure> {
    let times = session.runbook.event.times();
    let now = session.clock.now();
    let place = |moment: &Moment| -> Result<Timestamp, String> {
        match moment {
            Moment::Time(when) => when.resolve(&times, now).map_err(|error| error.to_string()),
            Moment::Action(name) => Err(format!("{name} is no time")),
        }
    };
    let mut values = parameters::values(&query.parameters, &[], place)
        .map_err(|why| Failure::usage(format!("{}: {why}", query.name)))?;
    parameters::put_rights(&mut values, Some(&session.runbook));
    let bound = text::bind(query.statement(), |name| {
        named::value_of(name, &values, window)
    })
    .map_err(|error| Failure::usage(format!("the query {}", query.name)).because(error))?;
    Ok(Asked {
        name: query.name.clone(),
        text: bound.text,
        parameters: bound.parameters,
        window: Some(window),
        source,
        most_rows: None,
    })
}

impl Read {
    fn take(&mut self, query: &CatalogQuery, answered: Answered) {
        let source = &mut self.source;
        source.queries += 1;
        answered.engine.clone_into(&mut source.engine);
        // Only what Athena scans is paid for; the engine here reads its columns once, or from its cache.
        if let Some(bytes) = answered
            .scanned_bytes
            .filter(|_| answered.engine == "athena")
        {
            *source.scanned_bytes.get_or_insert(0) += bytes;
        }
        if source.objects.is_none() {
            source.objects = answered.objects_read;
        }
        // Every query reads the same objects: the worst of them counts, and not their sum.
        let bad: u64 = answered.bad.iter().map(|object| object.bad).sum();
        source.bad_lines = source.bad_lines.max(bad);
        for object in answered.bad {
            if let Some(why) = object.truncated
                && !source
                    .truncated
                    .iter()
                    .any(|(known, _)| *known == object.name)
            {
                source.truncated.push((object.name, why));
            }
        }
        let mut notes = answered.notes;
        if NEEDED.contains(&query.name.as_str()) {
            self.gaps.extend(notes.drain(..).map(|note| note + "."));
        }
        self.tables.push(Table {
            name: query.name.clone(),
            purpose: query.purpose.clone(),
            notes,
            columns: answered.columns,
            rows: answered.rows,
        });
    }
}

fn gap(query: &CatalogQuery, failure: &Failure) -> String {
    let mut text = format!("The query {} did not run: {failure}", query.name);
    if let Some(cause) = failure.causes.first() {
        text.push_str(&format!(": {cause}"));
    }
    crate::event::text::shortened(&text, 300)
}

/// The engine that the command line asks for.
fn open<'a>(
    local: Option<&str>,
    session: &'a Session,
    source: Source,
    window: Window,
) -> Result<Box<dyn QueryEngine + 'a>, Failure> {
    match local {
        None => place::athena(session, None),
        Some(local) => {
            let asked = LocalAsked {
                place: local,
                memory: None,
                caches: true,
                source,
                window: Some(window),
            };
            let runbook = Some(&session.runbook);
            let clock = session.clock.clone();
            place::local(&asked, &session.context, Some(session), runbook, clock)
        }
    }
}
