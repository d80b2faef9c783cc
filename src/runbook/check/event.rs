//! Checks `[event]` and `[[phases]]`: times in their order.

use jiff::SignedDuration;
use jiff::tz::TimeZone;

use crate::event::duration::parse_duration;
use crate::event::name::EventId;
use crate::event::phase::Phase;
use crate::event::text::{did_you_mean, shortened};
use crate::event::time::{Anchor, Anchors, When, WhenError};
use crate::runbook::check::{Notes, command};
use crate::runbook::model::{EventSection, PhaseSection};
use crate::runbook::note::{Note, Problem};
use crate::runbook::resolved::{Allowed, Event, PhaseStart};

/// How long the window reaches beyond the event unless the runbook says otherwise.
const DEFAULT_GRACE: SignedDuration = SignedDuration::from_hours(2);

pub(super) fn event(section: &EventSection, notes: &mut Notes) -> Option<Event> {
    let id = notes.take("event.id", EventId::parse(&section.id), Problem::EventId);
    if section.name.trim().is_empty() {
        notes.error("event.name", Problem::Empty);
    }
    let grace = section
        .grace
        .as_deref()
        .map_or(Some(DEFAULT_GRACE), |grace| {
            notes.take("event.grace", parse_duration(grace), Problem::Duration)
        });
    let operators = section.operators.clone().unwrap_or_default();
    for (operator, index) in operators.iter().zip(0..) {
        if operators[..index].contains(operator) {
            let problem = Problem::Duplicate {
                what: "operator",
                name: shortened(operator, 60),
            };
            notes.error(format!("event.operators[{index}]"), problem);
        }
    }
    let zone = zone(&section.zone, notes);
    // Without the zone, times in it cannot be placed, and nothing more can be said of them.
    let zone = zone?;
    let noted = notes.0.len();
    let mut anchors = Anchors {
        starts: None,
        ends: None,
        doors: None,
        now: None,
        zone: &zone,
    };
    let starts = time("event.starts", &section.starts, anchors, notes);
    anchors.starts = starts;
    let ends = time("event.ends", &section.ends, anchors, notes);
    let doors = section
        .doors
        .as_deref()
        .map_or(starts, |doors| time("event.doors", doors, anchors, notes));
    if let (Some(starts), Some(ends)) = (starts, ends)
        && ends <= starts
    {
        notes.error("event.ends", Problem::EndsBeforeStart { starts, ends });
    }
    if let (Some(starts), Some(doors)) = (starts, doors)
        && doors > starts
    {
        notes.error("event.doors", Problem::DoorsAfterStart { starts, doors });
    }
    if notes.0.len() > noted {
        // Phases counted from times in the wrong order would only echo what has been said.
        return None;
    }
    Some(Event {
        id: id?,
        name: section.name.clone(),
        starts: starts?,
        ends: ends?,
        doors: doors?,
        grace: grace?,
        operators,
        kickoff_label: section
            .kickoff_label
            .clone()
            .unwrap_or_else(|| "KO".to_owned()),
        zone,
    })
}

fn zone(name: &str, notes: &mut Notes) -> Option<TimeZone> {
    if let Ok(zone) = TimeZone::get(name) {
        return Some(zone);
    }
    let known: Vec<String> = jiff::tz::db()
        .available()
        .map(|name| name.to_string())
        .collect();
    // A city alone, as people say it, is nearer than any spelling.
    let city = known
        .iter()
        .find(|zone| {
            zone.rsplit('/')
                .next()
                .is_some_and(|city| city.eq_ignore_ascii_case(name))
        })
        .map(String::as_str);
    let nearest = city.or_else(|| did_you_mean(name, known.iter().map(String::as_str)));
    notes
        .0
        .push(Note::error("event.zone", Problem::Zone(shortened(name, 60))).nearest(nearest));
    None
}

/// A time placed by what is known so far. A time relative to one that is broken itself is none,
/// without a note of its own.
pub(super) fn time(
    path: &str,
    text: &str,
    anchors: Anchors<'_>,
    notes: &mut Notes,
) -> Option<jiff::Timestamp> {
    let when = notes.take(path, When::parse(text), Problem::When)?;
    match when.place(anchors) {
        Ok(time) => Some(time),
        Err(WhenError::Unanchored(When::Relative(Anchor::Kickoff, _)))
            if path != "event.starts" =>
        {
            None
        }
        Err(WhenError::Unanchored(When::Relative(anchor, _)))
            if path == "event.starts" && anchor != Anchor::Now =>
        {
            notes.error(path, Problem::RelativeStart);
            None
        }
        Err(error) => {
            notes.error(path, Problem::When(error));
            None
        }
    }
}

/// The points of a sound event that other sections' times are counted from.
pub(super) fn anchors(event: &Event) -> Anchors<'_> {
    Anchors {
        starts: Some(event.starts),
        ends: Some(event.ends),
        doors: Some(event.doors),
        now: None,
        zone: &event.zone,
    }
}

pub(super) fn phases(
    sections: Option<&[PhaseSection]>,
    event: &Event,
    notes: &mut Notes,
) -> Vec<PhaseStart> {
    let anchors = anchors(event);
    let usual = usual_phases();
    let sections = match sections {
        Some(sections) if !sections.is_empty() => sections,
        _ => &usual,
    };
    let mut starts: Vec<PhaseStart> = Vec::new();
    for (section, index) in sections.iter().zip(0..) {
        let path = |key: &str| format!("phases[{index}].{key}");
        let phase = section.name;
        if let Some(listed) = &section.allow {
            for (text, number) in listed.iter().zip(0..) {
                command(text, path(&format!("allow[{number}]")), notes);
            }
        }
        if starts.iter().any(|start| start.phase == phase) {
            let name = phase.to_string();
            notes.error(
                path("name"),
                Problem::Duplicate {
                    what: "phase",
                    name,
                },
            );
            continue;
        }
        let Some(from) = time(&path("from"), &section.from, anchors, notes) else {
            continue;
        };
        let overlapped = starts.iter().find(|start| {
            (start.phase < phase && start.from >= from)
                || (start.phase > phase && start.from <= from)
        });
        if let Some(start) = overlapped {
            let (earlier, later, at) = if start.phase < phase {
                (start.phase, phase, from)
            } else {
                (phase, start.phase, start.from)
            };
            notes.error(path("from"), Problem::PhasesOverlap { earlier, later, at });
        }
        starts.push(PhaseStart {
            phase,
            from,
            allow: allowed(section),
            break_glass: section.break_glass.unwrap_or(true),
        });
    }
    starts.sort_by_key(|start| start.phase);
    starts
}

fn allowed(section: &PhaseSection) -> Allowed {
    match &section.allow {
        Some(listed) if listed.iter().any(|command| command == "all") => Allowed::All,
        Some(listed) => Allowed::Listed(listed.clone()),
        None if matches!(section.name, Phase::Freeze | Phase::Live) => Allowed::Listed(
            [
                "apply",
                "dashboard",
                "event",
                "geo",
                "ip",
                "ledger",
                "origin",
                "play",
                "rule",
                "tend",
                "token",
            ]
            .map(str::to_owned)
            .to_vec(),
        ),
        None => Allowed::All,
    }
}

/// The phases of an event whose runbook names none.
fn usual_phases() -> Vec<PhaseSection> {
    [
        (Phase::Setup, "doors-30d"),
        (Phase::Freeze, "doors-2h"),
        (Phase::Live, "doors"),
        (Phase::Cooldown, "end"),
        (Phase::Post, "end+1d"),
    ]
    .map(|(name, from)| PhaseSection {
        name,
        from: from.to_owned(),
        allow: None,
        break_glass: None,
    })
    .to_vec()
}
