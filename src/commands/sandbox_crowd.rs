//! The viewers of a fresh embedded cloud, made from a runbook: few, but spread as its forecast says.

use crate::runbook::Runbook;
use crate::runbook::model::GeoMode;
use crate::sandbox::crowd::{Crowd, VIEWERS};

/// Minutes that a session lasts, about.
const STAY: u32 = 100;
/// Milliseconds of a segment where the forecast does not say.
const SEGMENT: u32 = 4000;
/// Where viewers without rights would be, most curious first.
const CURIOUS: [&str; 8] = ["GB", "US", "PL", "FR", "BR", "TR", "RO", "IN"];
/// Of them, so many try.
const TRY: usize = 5;

/// The viewers of the runbook's event.
pub(super) fn crowd(runbook: &Runbook) -> Crowd {
    let forecast = runbook.forecast.as_ref();
    let mut ladder: Vec<u32> = forecast.map_or_else(
        || vec![800, 3000, 6000],
        |forecast| {
            let rungs = forecast.ladder.iter();
            rungs.map(|rung| whole(rung.megabits * 1000.0)).collect()
        },
    );
    ladder.sort_unstable();
    Crowd {
        seed: 1,
        viewers: VIEWERS,
        segment: forecast.map_or(SEGMENT, |forecast| whole(forecast.segment_seconds * 1000.0)),
        stay: STAY,
        ladder,
        countries: countries(runbook),
        without_rights: without_rights(runbook),
        folder: folder(runbook),
        domains: runbook
            .distributions
            .iter()
            .map(|one| one.domain.clone())
            .collect(),
    }
}

/// As the forecast has them; else those with rights, alike.
fn countries(runbook: &Runbook) -> Vec<(String, f64)> {
    let forecast = runbook.forecast.iter();
    let foreseen: Vec<(String, f64)> = forecast
        .flat_map(|forecast| &forecast.countries)
        .map(|(country, percent)| (country.to_string(), percent / 100.0))
        .collect();
    if !foreseen.is_empty() {
        return foreseen;
    }
    let refused = without_rights(runbook);
    let served = runbook
        .geo
        .iter()
        .filter(|geo| geo.mode == GeoMode::Allow)
        .flat_map(|geo| &geo.countries)
        .map(ToString::to_string);
    let anywhere = ["DE", "US", "GB", "FR", "NL"].map(str::to_owned);
    let mut found: Vec<String> = served.take(8).collect();
    if found.is_empty() {
        found = anywhere
            .into_iter()
            .filter(|code| !refused.contains(code))
            .collect();
    }
    found.into_iter().map(|code| (code, 1.0)).collect()
}

fn without_rights(runbook: &Runbook) -> Vec<String> {
    let Some(geo) = &runbook.geo else {
        return Vec::new();
    };
    let named: Vec<String> = geo.countries.iter().map(ToString::to_string).collect();
    match geo.mode {
        GeoMode::Allow => CURIOUS
            .map(str::to_owned)
            .into_iter()
            .filter(|code| !named.contains(code))
            .take(TRY)
            .collect(),
        GeoMode::Block => named.into_iter().take(TRY).collect(),
    }
}

/// Where the main distribution's manifest is.
fn folder(runbook: &Runbook) -> String {
    runbook
        .distributions
        .first()
        .and_then(|one| {
            one.samples
                .manifest
                .as_deref()
                .or(one.samples.dash.as_deref())
        })
        .and_then(|path| path.rsplit_once('/'))
        .map_or_else(
            || format!("/{}", runbook.event.id),
            |(folder, _)| folder.to_owned(),
        )
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "bitrates and lengths of a sound runbook are positive and small"
)]
fn whole(value: f64) -> u32 {
    value.round() as u32
}
