//! Queries of the catalog as a text that stands alone: parameters at their defaults, the window the
//! event's, the table spelled out. For Athena's named queries, and for whoever runs the text elsewhere.

use jiff::Timestamp;
use onair_logs::value::Value;

use super::catalog::{CatalogQuery, Need};
use super::parameters::{self, Moment};
use super::port::{Source, Window};
use super::text;
use super::view::{self, Table};
use crate::runbook::Runbook;

/// A query as Athena runs it as it stands; none: the runbook keeps no logs that it could read.
pub(crate) fn filled(query: &CatalogQuery, runbook: &Runbook) -> Option<String> {
    let table = Table::of(runbook, source_of(query))?;
    let times = runbook.event.times();
    let place = |moment: &Moment| match moment {
        Moment::Time(when) => when
            .resolve(&times, runbook.event.starts)
            .map_err(|error| error.to_string()),
        Moment::Action(name) => Err(format!("{name} is in no ledger here")),
    };
    let window = window_of(runbook);
    let mut values = parameters::values(&query.parameters, &[], place).ok()?;
    parameters::put_rights(&mut values, Some(runbook), None);
    let bound = text::inline(query.statement(), |name| value_of(name, &values, window)).ok()?;
    let whole = view::with_view(&bound, &table, window).ok()?;
    let mut head = format!("-- {}: {}\n", query.name, query.purpose);
    for line in &query.about {
        head.push_str(&format!("-- {line}\n"));
    }
    Some(head + &whole + "\n")
}

/// The logs that a query is about when nobody says: the access logs, unless it needs the others.
pub(crate) fn source_of(query: &CatalogQuery) -> Source {
    if query.needs.contains(&Need::Realtime) {
        Source::Realtime
    } else {
        Source::Access
    }
}

/// The event's window with its grace.
pub(crate) fn window_of(runbook: &Runbook) -> Window {
    let event = &runbook.event;
    let or = |at: Result<Timestamp, jiff::Error>, else_at| at.unwrap_or(else_at);
    Window {
        from: or(event.doors.checked_sub(event.grace), event.doors),
        until: or(event.ends.checked_add(event.grace), event.ends),
    }
}

/// The value of a parameter, the window's own included.
pub(crate) fn value_of(name: &str, values: &[(String, Value)], window: Window) -> Option<Value> {
    let (from, until) = window.civil();
    match name {
        "since" => Some(Value::Timestamp(from)),
        "until" => Some(Value::Timestamp(until)),
        _ => values
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::all;

    fn runbook() -> Runbook {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("runbooks/cup-final.toml");
        crate::runbook::load(&path).unwrap().runbook
    }

    #[test]
    fn every_query_stands_alone() {
        let runbook = runbook();
        for query in all() {
            let text = filled(&query, &runbook).unwrap();
            assert_eq!(text::parameters(&text), Ok(Vec::new()), "{}", query.name);
            assert!(text::statement(&text).is_ok(), "{}", query.name);
            assert!(text.contains("\"cup_final\"."), "{text}");
            assert!(text.contains("hour >= "), "{text}");
            assert!(text.len() < 200_000, "{}", query.name);
            assert!(!text.contains("'@rights'"), "{text}");
        }
    }
}
