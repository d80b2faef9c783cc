//! Checks the finer parts of `[geo]`: states, metros, and windows.

use crate::event::country::Country;
use crate::event::text::shortened;
use crate::runbook::check::event::{anchors, time};
use crate::runbook::check::viewers::{countries, sorted};
use crate::runbook::check::{Notes, unique};
use crate::runbook::model::{GeoMode, GeoSection, GeoWindowSection, MetrosSection, StatesSection};
use crate::runbook::note::Problem;
use crate::runbook::resolved::{Event, Geo, GeoWindow, MetroRights, StateRights};

pub(super) fn states(sections: &[StatesSection], notes: &mut Notes) -> Vec<StateRights> {
    let mut rights: Vec<StateRights> = Vec::new();
    for (section, index) in sections.iter().zip(0..) {
        let path = |key: &str| format!("geo.states[{index}].{key}");
        if section.states.is_empty() {
            notes.error(path("states"), Problem::Empty);
        }
        let country = notes.take(
            path("country"),
            Country::parse(&section.country),
            Problem::Country,
        );
        let Some(country) = country else { continue };
        if rights.iter().any(|known| known.country == country) {
            let name = country.to_string();
            let what = "country";
            notes.error(path("country"), Problem::Duplicate { what, name });
        }
        let mut states: Vec<String> = section
            .states
            .iter()
            .zip(0..)
            .map(|(text, number)| state(text, country, path(&format!("states[{number}]")), notes))
            .collect();
        states.sort_unstable();
        states.dedup();
        rights.push(StateRights {
            country,
            mode: section.mode,
            states,
        });
    }
    rights
}

/// The code without its country: `MA` of `us-ma`.
fn state(text: &str, country: Country, path: String, notes: &mut Notes) -> String {
    let written = text.trim().to_ascii_uppercase();
    let code = match written.split_once('-') {
        Some((of, code)) if of == country.code() => code,
        Some(_) => {
            let found = shortened(text, 40);
            notes.error(path, Problem::StateElsewhere { found, country });
            return written;
        }
        None => &written,
    };
    let is_code = (1..=3).contains(&code.len())
        && code
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    if !is_code {
        notes.error(path, Problem::State(shortened(text, 40)));
    }
    code.to_owned()
}

pub(super) fn metros(section: &MetrosSection, notes: &mut Notes) -> MetroRights {
    if section.codes.is_empty() {
        notes.error("geo.metros.codes", Problem::Empty);
    }
    for (code, index) in section.codes.iter().zip(0..) {
        if code.len() != 3 || !code.bytes().all(|byte| byte.is_ascii_digit()) {
            let path = format!("geo.metros.codes[{index}]");
            notes.error(path, Problem::Metro(shortened(code, 40)));
        }
    }
    let mut codes = section.codes.clone();
    codes.sort_unstable();
    codes.dedup();
    MetroRights {
        mode: section.mode,
        codes,
    }
}

/// The windows in order of their start. Without a sound event their times cannot be placed.
pub(super) fn windows(
    sections: &[GeoWindowSection],
    event: Option<&Event>,
    notes: &mut Notes,
) -> Vec<GeoWindow> {
    let names = sections.iter().zip(0..);
    let names =
        names.map(|(section, index)| (format!("geo.windows[{index}].name"), section.name.as_str()));
    unique("window", names, notes);
    let mut windows: Vec<GeoWindow> = Vec::new();
    for (section, index) in sections.iter().zip(0..) {
        let path = |key: &str| format!("geo.windows[{index}].{key}");
        if section.name.trim().is_empty() {
            notes.error(path("name"), Problem::Empty);
        }
        if section.countries.is_empty() {
            notes.error(path("countries"), Problem::Empty);
        }
        let listed = countries(&path("countries"), &section.countries, notes);
        let Some(event) = event else { continue };
        let anchors = anchors(event);
        let from = time(&path("from"), &section.from, anchors, notes);
        let until = time(&path("until"), &section.until, anchors, notes);
        let (Some(from), Some(until), Some(listed)) = (from, until, listed) else {
            continue;
        };
        let times = event.times();
        let (opens, closes) = (times.opens(), times.closes());
        if until <= from {
            notes.error(path("until"), Problem::WindowOrder { from, until });
        } else if from < opens {
            notes.error(path("from"), Problem::WindowOutside { opens, closes });
        } else if until > closes {
            notes.error(path("until"), Problem::WindowOutside { opens, closes });
        }
        let window = GeoWindow {
            name: section.name.clone(),
            from,
            until,
            mode: section.mode,
            countries: sorted(&listed),
        };
        for other in &windows {
            let disagreed = window
                .countries
                .iter()
                .find(|country| other.countries.contains(country))
                .filter(|_| window.mode != other.mode && from < other.until && other.from < until);
            if let Some(country) = disagreed {
                let country = *country;
                let other = shortened(&other.name, 60);
                notes.error(
                    path("countries"),
                    Problem::WindowsDisagree { country, other },
                );
            }
        }
        windows.push(window);
    }
    windows.sort_by_key(|window| window.from);
    windows
}

/// What states and windows say, held against the list of countries.
pub(super) fn against_the_list(geo: &Geo, section: &GeoSection, notes: &mut Notes) {
    for (states, index) in geo.states.iter().zip(0..) {
        if geo.blocks(states.country) {
            let path = format!("geo.states[{index}].country");
            notes.warning(path, Problem::StatesOfBlocked(states.country));
        }
    }
    for window in &geo.windows {
        if window.mode == GeoMode::Allow {
            continue;
        }
        let written = section.windows.iter().flatten();
        let index = written
            .zip(0..)
            .find(|(written, _)| written.name == window.name)
            .map_or(0, |(_, index)| index);
        let path = format!("geo.windows[{index}].countries");
        for country in &window.countries {
            if geo.never_block.contains(country) {
                let country = *country;
                notes.error(path.clone(), Problem::NeverBlockBlocked { country });
            }
        }
        let leaves_nobody = geo.mode == GeoMode::Allow
            && geo
                .countries
                .iter()
                .all(|country| window.countries.contains(country));
        if leaves_nobody {
            notes.error(path, Problem::AllowNobody);
        }
    }
}
