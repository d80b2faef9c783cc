//! The queries of a report, run on whichever engine there is.

use futures_util::stream::{self, StreamExt};
use jiff::Timestamp;

use crate::commands::query::place::{self, LocalAsked};
use crate::context::Session;
use crate::error::{Exit, Failure};
use crate::query::catalog::Need;
use crate::query::parameters::{self, Moment};
use crate::query::{
    Answered, Asked, CatalogQuery, QueryEngine, Source, Window, all, named, text, view,
};
use crate::report::{RightsTable, SourceFacts, Table};

/// Queries that Athena runs at a time; the engine here uses all cores for one.
const SIDE_BY_SIDE: usize = 4;

/// By which the rights are judged.
const RIGHTS: &str = "rights-by-country";

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
    pub(super) rights: Vec<RightsTable>,
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
    // Files here tell by themselves what they lack.
    let table = match local {
        None => view::Table::of(&session.runbook, source),
        Some(_) => None,
    };
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
            Ok(answered) => read.take(query, answered, source, table.as_ref()),
            Err(failure)
                if failure.exit == Exit::Interrupted || NEEDED.contains(&query.name.as_str()) =>
            {
                return Err(failure);
            }
            Err(failure) => read.gaps.push(gap(query, &failure)),
        }
        progress.set(done);
    }
    drop(answers);
    read.ask_rights(engine.as_ref(), session, source, window)
        .await?;
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
    parameters::put_rights(&mut values, Some(&session.runbook), Some(window));
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
    /// Where the runbook lets countries in or keeps them out for a time, asks for each such time apart.
    async fn ask_rights(
        &mut self,
        engine: &dyn QueryEngine,
        session: &Session,
        source: Source,
        window: Window,
    ) -> Result<(), Failure> {
        let spans = parameters::timed_rights(&session.runbook, window);
        let is_known = self.tables.iter().any(|table| table.name == RIGHTS);
        if !is_known || spans.iter().all(|span| span.open.is_empty()) {
            return Ok(());
        }
        let queries = all();
        let Some(query) = queries.iter().find(|query| query.name == RIGHTS) else {
            return Ok(());
        };
        for span in spans {
            // Bound to a span, the query's rights are those of the span.
            let asked = asked(query, session, source, span.time)?;
            match engine.run(&asked, session.ui().interrupt()).await {
                Ok(answered) => {
                    self.source.queries += 1;
                    if let Some(bytes) = answered
                        .scanned_bytes
                        .filter(|_| answered.engine == "athena")
                    {
                        *self.source.scanned_bytes.get_or_insert(0) += bytes;
                    }
                    self.rights.push(RightsTable {
                        from: span.time.from,
                        until: span.time.until,
                        open: span.open,
                        table: Table {
                            name: query.name.clone(),
                            purpose: query.purpose.clone(),
                            notes: Vec::new(),
                            unknown: None,
                            columns: answered.columns,
                            rows: answered.rows,
                        },
                    });
                }
                Err(failure) if failure.exit == Exit::Interrupted => return Err(failure),
                Err(failure) => {
                    // What is known of some of the time is not what was kept all the time.
                    self.rights.clear();
                    self.tables.retain(|table| table.name != RIGHTS);
                    self.gaps.push(gap(query, &failure));
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn take(
        &mut self,
        query: &CatalogQuery,
        answered: Answered,
        asked: Source,
        table: Option<&view::Table>,
    ) {
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
        if bad > source.bad_lines {
            source.bad_lines = bad;
            source.bad_objects = answered
                .bad
                .iter()
                .filter(|object| object.bad > 0)
                .map(|object| (object.name.clone(), object.bad))
                .collect();
        }
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
        let unknown = not_known(query, asked, table, &notes);
        self.tables.push(Table {
            name: query.name.clone(),
            purpose: query.purpose.clone(),
            notes,
            unknown,
            columns: answered.columns,
            rows: answered.rows,
        });
    }
}

/// Why a query says nothing over these logs: they lack what it is about.
fn not_known(
    query: &CatalogQuery,
    source: Source,
    table: Option<&view::Table>,
    notes: &[String],
) -> Option<String> {
    let columns = query.columns();
    let needed: Vec<(Need, &str)> = query
        .needs
        .iter()
        .flat_map(|need| holding(*need).iter().map(move |column| (*need, *column)))
        .filter(|(_, column)| columns.contains(column))
        .collect();
    let nothing_in = |column: &str| {
        notes
            .iter()
            .flat_map(|note| note.split([' ', ',']))
            .any(|word| word == column)
    };
    let lacks = |need: Need, column: &str| match (table, need) {
        (Some(table), _) => !table.has(column),
        // An event without failovers leaves it empty where it is logged.
        (None, Need::Realtime) => source == Source::Access,
        (None, _) => nothing_in(column),
    };
    let lacking: Vec<(Need, &str)> = needed
        .into_iter()
        .filter(|(need, column)| lacks(*need, column))
        .collect();
    let (first, _) = lacking.first()?;
    let columns: Vec<&str> = lacking.iter().map(|(_, column)| *column).collect();
    Some(format!(
        "the {} logs lack {}; it takes {}",
        source.name(),
        columns.join(", "),
        first.words().replace("--source realtime", "--realtime")
    ))
}

/// The columns by which a need shows.
fn holding(need: Need) -> &'static [&'static str] {
    match need {
        Need::Cmcd | Need::Cmcd2 => &["cmcd_session_id", "cmcd_object_type"],
        Need::Realtime => &["sr_reason", "r_host"],
        Need::Country => &["c_country"],
        Need::Network => &["asn"],
        Need::Token => &["viewer_request_log_data"],
        Need::Origin => &["origin_fbl"],
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

#[cfg(test)]
mod tests {
    use super::*;

    fn query(name: &str) -> CatalogQuery {
        let known = all().into_iter().find(|query| query.name == name);
        known.expect("it is shipped")
    }

    #[test]
    fn what_the_logs_lack_is_not_known_and_what_did_not_happen_is() {
        let failovers = query("origin-failovers");
        let why = not_known(&failovers, Source::Access, None, &[]).expect("a reason");
        assert!(why.starts_with("the access logs lack sr_reason"), "{why}");
        assert!(why.contains("--realtime"), "{why}");
        let empty = ["the logs have nothing in sr_reason, which is NULL".to_owned()];
        assert_eq!(not_known(&failovers, Source::Realtime, None, &empty), None);
        let networks = query("first-byte-by-network");
        let without = ["the logs have nothing in asn, which is NULL".to_owned()];
        assert!(not_known(&networks, Source::Access, None, &without).is_some());
        assert_eq!(not_known(&networks, Source::Access, None, &[]), None);
        assert_eq!(
            not_known(&query("edges"), Source::Access, None, &without),
            None
        );
    }
}
