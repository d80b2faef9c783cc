//! Why a query in Athena gave no rows, in words, with what to do about it. The numbers are those of
//! Athena's error catalog.

use onair_logs::schema::Table;

use crate::cloud::{CloudError, QueryExecution, QueryState};
use crate::error::{Exit, Failure};
use crate::event::bytes::{exact_bytes, short_bytes};
use crate::event::text::did_you_mean;
use crate::query::port::{Asked, Source};
use crate::query::text;
use crate::runbook;

/// The runbook keeps no such logs.
pub(super) fn no_table(source: Source) -> Failure {
    let (section, option) = match source {
        Source::Access => ("logs.access", ""),
        Source::Realtime => ("logs.realtime", "; `--source access` reads the access logs"),
    };
    Failure::usage(format!(
        "the runbook has no [{section}], so there is no table of these logs"
    ))
    .hint(format!("add [{section}] and run `onair provision`{option}"))
}

/// It was not started.
pub(super) fn of_start(error: CloudError, settings: &runbook::Athena) -> Failure {
    let missing = matches!(&error, CloudError::NotFound { .. });
    let text = error.to_string();
    let failure = Failure::from(error);
    if missing {
        return failure.hint(format!(
            "`onair provision --dry-run` shows whether workgroup {} and database {} are there",
            settings.workgroup, settings.database
        ));
    }
    if text.contains("output") {
        return failure.hint("`onair provision` gives the workgroup a place for results");
    }
    if text.contains("DISABLED") || text.contains("disabled") {
        return failure.hint(format!(
            "aws athena update-work-group --work-group {} --state ENABLED",
            settings.workgroup
        ));
    }
    failure
}

/// Ctrl-C while it ran.
pub(super) fn interrupted(id: &str) -> Failure {
    Failure::new(
        Exit::Interrupted,
        "interrupted",
        format!("interrupted; query {id} was stopped"),
    )
}

/// It reads more than it may, and is still running.
pub(super) fn over_the_limit(id: &str, scanned: u64, limit: u64) -> Failure {
    let mut failure = Failure::refused(
        "guard.max-scan",
        format!(
            "query {id} was stopped: it had scanned {} and may scan {}",
            short_bytes(scanned),
            exact_bytes(limit)
        ),
    )
    .hint(lift(scanned));
    failure.data = Some(serde_json::json!({"scanned-bytes": scanned, "max-scan": limit}));
    failure
}

/// The option that lets a query scan this much.
pub(super) fn lift(bytes: u64) -> String {
    let wanted = bytes.div_ceil(1_000_000_000).max(1);
    format!("a shorter --since and --until reads less; --max-scan '{wanted} GB' lifts the limit")
}

/// What to do about a column that is not there. The text that Athena counts lines in has the table in
/// front of it.
fn column(reason: &str) -> String {
    let quoted = reason.split(['\'', '"']).nth(1).unwrap_or_default();
    let columns = onair_logs::schema::REQUESTS.iter();
    match did_you_mean(quoted, columns.map(|column| column.name)) {
        Some(near) => format!("did you mean {near}? `onair query list --columns` has all of them"),
        None => "`onair query list --columns` has the columns of `requests`".to_owned(),
    }
}

/// It ended without success.
pub(super) fn of_end(
    id: &str,
    ended: &QueryExecution,
    asked: &Asked,
    settings: &runbook::Athena,
    limit: u64,
) -> Failure {
    let reason = ended.reason.as_deref().unwrap_or("Athena gives no reason");
    let reason = reason.trim_end_matches('.');
    if reason.contains("Bytes scanned limit was exceeded") {
        let scanned = ended.scanned.unwrap_or_default();
        return Failure::refused(
            "guard.max-scan",
            format!(
                "Athena stopped query {id} at workgroup {}'s limit, after {}",
                settings.workgroup,
                short_bytes(scanned)
            ),
        )
        .because(reason)
        .hint(format!(
            "a shorter --since and --until reads less; the limit is `athena.max-scan` in the runbook \
             (now {}), which `onair provision` brings to the workgroup",
            exact_bytes(settings.max_scan.max(limit))
        ));
    }
    if ended.state == QueryState::Cancelled {
        return Failure::failed(
            "query.cancelled",
            format!("query {id} was cancelled by somebody else: {reason}"),
        );
    }
    let mut failure = Failure::failed(
        "query.failed",
        format!("Athena could not run {}: {reason}", asked.name),
    )
    .because(format!("query {id}"));
    let (kind, retryable) = ended.error.unwrap_or((0, false));
    failure.retryable = retryable;
    let table = || match asked.source {
        Source::Access => &settings.access_table,
        Source::Realtime => &settings.realtime_table,
    };
    let not_there = ["TABLE_NOT_FOUND", "SCHEMA_NOT_FOUND", "does not exist"]
        .iter()
        .any(|word| reason.contains(word));
    let denied = [
        "Access Denied",
        "AccessDenied",
        "Insufficient permissions",
        "not authorized",
    ]
    .iter()
    .any(|word| reason.contains(word));
    if reason.contains("COLUMN_NOT_FOUND") {
        return failure.hint(column(reason));
    }
    if not_there && text::has_name(&asked.text, Table::Waf.name()).unwrap_or(false) {
        return failure.hint(
            "AWS WAF's logs are read on this machine: --local s3://BUCKET/PREFIX, or a folder",
        );
    }
    match kind {
        _ if denied => failure.hint("onair iam-policy --role analyst"),
        1500 | 1501 => failure.hint("onair iam-policy --role analyst"),
        1110 => failure.hint(format!(
            "`onair provision` makes table {}.{}",
            settings.database,
            table()
        )),
        _ if not_there => failure.hint(format!(
            "`onair provision` makes table {}.{}; `onair query show {}` shows the text",
            settings.database,
            table(),
            asked.name
        )),
        401 | 402 | 1306 => failure.hint(
            "the results could not be written: see `athena.output` in the runbook and the rights on that bucket",
        ),
        1..=8 => failure.hint("ask for less at a time: a shorter --since and --until"),
        206 | 210 => failure.hint("it ran too long: ask for less at a time with --since and --until"),
        1400..=1406 => failure.hint("run the same command again in a minute"),
        _ => failure,
    }
}
