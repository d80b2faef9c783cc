//! The runbook's geo windows against the ledger: which are open, which should be. Pure.
//!
//! A window is opened by whoever tends, with an entry of its own that ends when the window does. One
//! entry is all it ever gets: a window that the crew took back stays back. Moving a window in the
//! runbook makes another of it.

use jiff::Timestamp;

use crate::ledger::body::{Access, CountryAsk, End, Intent, Kind};
use crate::ledger::view::{Change, Progress, View};
use crate::plan::change::empty_intent;
use crate::runbook::model::GeoMode;
use crate::runbook::{GeoWindow, Runbook};

/// How a window stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Its time has not come.
    Upcoming,
    /// Its time has come, and nobody has opened it.
    Due,
    Open,
    /// It was opened, and the crew took it back before its end.
    TakenBack,
    /// Its time is over.
    Over,
    /// Its time is over, and nobody had opened it.
    Missed,
}

impl Standing {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Upcoming => "upcoming",
            Self::Due => "due",
            Self::Open => "open",
            Self::TakenBack => "taken-back",
            Self::Over => "over",
            Self::Missed => "missed",
        }
    }
}

/// The name that a window's entry carries: the window and its times.
pub(crate) fn key(window: &GeoWindow) -> String {
    format!("{}|{}|{}", window.name, window.from, window.until)
}

/// The entry that opened the window, unless it failed before it changed anything.
pub(crate) fn opened<'a>(view: &'a View, window: &GeoWindow) -> Option<&'a Change> {
    let key = key(window);
    view.changes().iter().find(|change| {
        change.intent().window.as_deref() == Some(&key) && change.progress() != Progress::Void
    })
}

/// How the window stands at `now`.
pub(crate) fn standing(view: &View, window: &GeoWindow, now: Timestamp) -> Standing {
    match opened(view, window) {
        Some(change) if view.open().any(|open| open.id() == change.id()) => Standing::Open,
        Some(_) if now < window.until => Standing::TakenBack,
        Some(_) => Standing::Over,
        None if now < window.from => Standing::Upcoming,
        None if now < window.until => Standing::Due,
        None => Standing::Missed,
    }
}

/// The windows that should be open and are not.
pub(crate) fn due<'a>(view: &View, runbook: &'a Runbook, now: Timestamp) -> Vec<&'a GeoWindow> {
    let windows = runbook.geo.iter().flat_map(|geo| &geo.windows);
    windows
        .filter(|window| standing(view, window, now) == Standing::Due)
        .collect()
}

/// The intent that opens a window on every distribution.
pub(crate) fn opening(runbook: &Runbook, window: &GeoWindow, now: Timestamp) -> Intent {
    let (verb, wanted) = match window.mode {
        GeoMode::Allow => ("UNBLOCK", Access::Allowed),
        GeoMode::Block => ("BLOCK", Access::Blocked),
    };
    let codes: Vec<&str> = window.countries.iter().map(|one| one.code()).collect();
    let name = crate::event::text::shortened(&window.name, 60);
    let summary = format!("WINDOW {name}: {verb} {}", codes.join(" "));
    let mut intent = empty_intent("tend", &summary, Kind::Change, now);
    intent.reason = Some("a window of the runbook".to_owned());
    intent.end = End::At(window.until);
    intent.window = Some(key(window));
    for distribution in &runbook.distributions {
        for country in &window.countries {
            intent.opens.countries.push(CountryAsk {
                distribution: distribution.id.clone(),
                country: *country,
                wanted,
                already: false,
            });
        }
    }
    intent
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::runbook::load::parse;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn cup_final() -> Runbook {
        let text = include_str!("../../runbooks/cup-final.toml");
        parse(text, Path::new("runbooks/cup-final.toml"))
            .unwrap()
            .runbook
    }

    #[test]
    fn a_window_is_opened_once() {
        let runbook = cup_final();
        let window = &runbook.geo.as_ref().unwrap().windows[0];
        let view = View::default();
        let before = window.from - jiff::SignedDuration::from_secs(1);
        assert_eq!(standing(&view, window, before), Standing::Upcoming);
        assert_eq!(standing(&view, window, window.from), Standing::Due);
        assert_eq!(standing(&view, window, window.until), Standing::Missed);
        assert_eq!(due(&view, &runbook, window.from).len(), 1);

        let intent = opening(&runbook, window, window.from);
        let (view, _) = view.with_draft(&intent, window.from, "sam");
        assert_eq!(standing(&view, window, window.from), Standing::Open);
        assert_eq!(due(&view, &runbook, window.from).len(), 0);
    }

    #[test]
    fn a_moved_window_is_another() {
        let runbook = cup_final();
        let window = &runbook.geo.as_ref().unwrap().windows[0];
        let intent = opening(&runbook, window, window.from);
        let (view, _) = View::default().with_draft(&intent, window.from, "sam");
        let moved = GeoWindow {
            until: at("2026-06-14T22:00:00Z"),
            ..window.clone()
        };
        assert_eq!(standing(&view, &moved, window.from), Standing::Due);
    }
}
