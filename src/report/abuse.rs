//! Who looks like a re-streamer or shares an account, and what the crew did about it. Pure.

use std::net::IpAddr;

use super::gathered::Gathered;
use super::model::{Suspect, SuspectKind};
use super::table::{Row, Table};
use super::timeline::{Entry, EntryKind, Outcome};

/// Suspects of a kind that are shown; the tables hold all.
const MOST: usize = 10;

/// The suspects, sessions first, then tokens, then addresses, each in the order of its query.
pub(crate) fn suspects(gathered: &Gathered) -> Vec<Suspect> {
    let kinds = [
        (SuspectKind::Session, "shared-sessions", "sid"),
        (SuspectKind::Token, "shared-tokens", "digest"),
        (SuspectKind::Address, "top-addresses", "address"),
    ];
    let mut suspects = Vec::new();
    for (kind, query, key) in kinds {
        let rows = gathered.table(query).into_iter().flat_map(Table::rows);
        suspects.extend(
            rows.filter_map(|row| suspect(gathered, kind, key, row))
                .take(MOST),
        );
    }
    suspects
}

fn suspect(gathered: &Gathered, kind: SuspectKind, key: &str, row: Row<'_>) -> Option<Suspect> {
    let value = row.text(key)?;
    let actions = gathered
        .timeline
        .iter()
        .filter(|entry| entry.kind == EntryKind::Change && entry.outcome != Outcome::Failed)
        .filter(|entry| kept_out(entry, kind, &value))
        .filter_map(|entry| {
            let name = entry.name.as_ref()?;
            Some(match &entry.undone_by {
                Some(undoer) => format!("{name} (taken back by {undoer})"),
                None => name.clone(),
            })
        })
        .collect();
    Some(Suspect {
        kind,
        requests: row.number("requests"),
        addresses: row.number("addresses"),
        networks: row.number("networks"),
        countries: row.number("countries"),
        bytes: row.number("gigabytes").map(|gigabytes| gigabytes * 1e9),
        actions,
        value,
    })
}

/// Whether a change of the ledger kept this one out.
fn kept_out(entry: &Entry, kind: SuspectKind, value: &str) -> bool {
    match kind {
        SuspectKind::Address => value.parse::<IpAddr>().is_ok_and(|address| {
            entry
                .prefixes
                .iter()
                .any(|prefix| prefix.covers_address(address))
        }),
        // A digest stands for what was revoked only where it is the token's own.
        SuspectKind::Session | SuspectKind::Token => {
            entry.keys.iter().any(|(_, shown)| shown == value)
        }
    }
}
