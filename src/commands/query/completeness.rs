//! Whether all logs are there: the window's rows, held against the requests that CloudWatch counted.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use onair_logs::value::Value;
use serde_json::{Value as Json, json};

use crate::commands::report::account;
use crate::context::Session;
use crate::error::Failure;
use crate::event::time;
use crate::query::{self, Answered, Asked, QueryEngine, Window};
use crate::report::{Completeness, Counted, Counts};

/// The query whose rows are counted.
const COUNTING: &str = "rows-by-minute";

/// How much of the window's logs is there, and what it took to know.
pub(super) struct Found {
    pub(super) completeness: Completeness,
    /// Bytes scanned and dollars, beside the query's own.
    pub(super) scanned: u64,
    pub(super) cost: f64,
}

/// Counts rows by one more query, unless the one that ran was that, and asks CloudWatch.
pub(super) async fn find(
    session: &Session,
    engine: &dyn QueryEngine,
    asked: &Asked,
    answered: &Answered,
) -> Result<Option<Found>, Failure> {
    let Some(window) = asked.window.and_then(|window| whole(window, session)) else {
        return Ok(None);
    };
    let counting;
    let (rows, scanned, cost) = if asked.name == COUNTING && asked.most_rows.is_none() {
        (answered, 0, 0.0)
    } else {
        let Some(query) = query::all()
            .into_iter()
            .find(|query| query.name == COUNTING)
        else {
            return Ok(None);
        };
        let question = Asked {
            name: query.name.clone(),
            text: query.statement().to_owned(),
            parameters: Vec::new(),
            window: Some(window),
            most_rows: None,
            ..asked.clone()
        };
        counting = engine
            .run(&question, session.context.ui.interrupt())
            .await?;
        let (scanned, cost) = (counting.scanned_bytes, counting.cost);
        (
            &counting,
            scanned.unwrap_or_default(),
            cost.unwrap_or_default(),
        )
    };
    let counted = account::counted(session, window.from, window.until).await;
    Ok(Some(Found {
        completeness: Completeness::of(&counts(rows, window), &counted_in(counted, window)),
        scanned,
        cost,
    }))
}

/// The minutes that are wholly in the window and over: of others neither side has all.
fn whole(window: Window, session: &Session) -> Option<Window> {
    let up = |at: Timestamp| -at.as_second().saturating_neg().div_euclid(60) * 60;
    let down = |at: Timestamp| at.as_second().div_euclid(60) * 60;
    let window = Window {
        from: Timestamp::from_second(up(window.from)).ok()?,
        until: Timestamp::from_second(down(window.until.min(session.clock.now()))).ok()?,
    };
    (window.from < window.until).then_some(window)
}

fn counts(answered: &Answered, window: Window) -> Counts {
    let mut counts = Counts::new();
    for row in &answered.rows {
        if let [
            Value::Timestamp(minute),
            Value::Text(distribution),
            Value::Integer(requests),
            ..,
        ] = row.as_slice()
            && let Ok(at) = minute.to_zoned(TimeZone::UTC)
            && (window.from..window.until).contains(&at.timestamp())
        {
            #[expect(clippy::cast_precision_loss, reason = "a share of them is what counts")]
            let requests = *requests as f64;
            counts.insert((distribution.clone(), at.timestamp()), requests);
        }
    }
    counts
}

/// Without the periods that reach out of the window.
fn counted_in(counted: Counted, window: Window) -> Counted {
    match counted {
        Counted::Known { mut counts, period } => {
            counts.retain(|(_, at), _| {
                *at >= window.from && at.as_second() + period <= window.until.as_second()
            });
            Counted::Known { counts, period }
        }
        unknown @ Counted::Unknown(_) => unknown,
    }
}

/// For scripts.
pub(super) fn data(found: Option<&Completeness>, rows: Option<u64>) -> Json {
    let Some(found) = found else {
        return json!({
            "rows": rows,
            "requests": null,
            "percent": null,
            "missing-minutes": [],
        });
    };
    let missing: Vec<Json> = found
        .missing
        .iter()
        .map(|one| {
            json!({
                "distribution": one.distribution,
                "at": one.at.to_string(),
                "seconds": one.seconds,
                "rows": one.rows,
                "requests": one.requests,
            })
        })
        .collect();
    json!({
        "rows": found.rows,
        "requests": found.requests,
        "percent": found.percent,
        "missing-minutes": missing,
    })
}

/// Spans that a line of words names, the worst.
const GAPS_TOLD: usize = 3;

/// For people; nothing where enough is there.
pub(super) fn words(found: &Completeness, zone: &TimeZone) -> Option<String> {
    if found.is_enough() {
        return None;
    }
    let Some(percent) = found.percent else {
        let why = found.unknown.as_deref().unwrap_or("nobody counted");
        return Some(format!("how complete the logs are is not known: {why}"));
    };
    let gaps = found.worst_gaps();
    let mut told: Vec<String> = gaps
        .iter()
        .take(GAPS_TOLD)
        .map(|(from, until, missing)| {
            format!(
                "{missing} of {} to {}",
                time::local(*from, zone),
                time::local(*until, zone)
            )
        })
        .collect();
    if gaps.len() > GAPS_TOLD {
        told.push(format!("and in {} other spans", gaps.len() - GAPS_TOLD));
    }
    Some(format!(
        "PROVISIONAL: the logs have {percent:.1}% of the requests that CloudWatch counted; missing: {}",
        told.join(", ")
    ))
}
