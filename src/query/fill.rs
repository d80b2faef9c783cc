//! Fills a query's slots: tables from checked names, times as typed literals, and the hours as a
//! condition on the partitions, so that no more is read than the window needs.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::catalog::CatalogQuery;

/// What a query is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scope<'a> {
    pub(crate) database: &'a str,
    pub(crate) access_table: &'a str,
    pub(crate) realtime_table: &'a str,
    pub(crate) from: Timestamp,
    /// Exclusive.
    pub(crate) until: Timestamp,
}

/// The query as Athena runs it.
pub(crate) fn fill(query: &CatalogQuery, scope: &Scope<'_>) -> String {
    let table = |name: &str| format!("{}.{}", identifier(scope.database), identifier(name));
    query
        .text
        .replace("{{access}}", &table(scope.access_table))
        .replace("{{realtime}}", &table(scope.realtime_table))
        .replace("{{from}}", &literal(scope.from))
        .replace("{{until}}", &literal(scope.until))
        .replace("{{hours}}", &hours(scope.from, scope.until))
}

/// A name in Trino's quotes.
fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn literal(at: Timestamp) -> String {
    let utc = at.to_zoned(TimeZone::UTC);
    format!("TIMESTAMP '{} UTC'", utc.strftime("%Y-%m-%d %H:%M:%S"))
}

/// The partitions of a window: an object's hour is the one in which its requests were completed, and
/// a request that began at the window's end may be an hour later.
fn hours(from: Timestamp, until: Timestamp) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
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
            assert_eq!(hours(at(from), at(until)), expected);
        }
    }

    #[test]
    fn no_slot_is_left_and_names_stay_names() {
        let scope = Scope {
            database: "cup\"final",
            access_table: "access",
            realtime_table: "realtime",
            from: at("2026-06-14T17:00:00Z"),
            until: at("2026-06-14T21:30:00Z"),
        };
        for query in crate::query::all() {
            let text = fill(&query, &scope);
            assert!(!text.contains("{{"), "{text}");
            assert!(text.contains("\"cup\"\"final\"."), "{text}");
            assert!(
                text.contains("TIMESTAMP '2026-06-14 17:00:00 UTC'"),
                "{text}"
            );
        }
    }
}
