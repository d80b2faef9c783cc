//! Which runbook a command works with: the one named, else the one whose window holds now.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::event::text::{did_you_mean, printable};
use crate::event::time::local;
use crate::event::window::EventTimes;
use crate::runbook::load::{LoadError, Loaded, load};

/// How the caller named the event, strongest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Select {
    /// `--runbook FILE`
    pub(crate) file: Option<PathBuf>,
    /// `--event ID`
    pub(crate) event: Option<String>,
    /// `ONAIR_EVENT`
    pub(crate) env_event: Option<String>,
    /// Windows do not matter, as in a rehearsal: the only runbook there is will do.
    pub(crate) any_time: bool,
}

/// The runbook to work with.
#[derive(Debug)]
pub(crate) struct Chosen {
    pub(crate) loaded: Loaded,
    /// Whether the chosen event's window, as planned, holds now.
    pub(crate) in_window: bool,
    /// The ids of other events of the folder whose window holds now: when the chosen one is
    /// outside its own, a change then needs its id typed.
    pub(crate) others_in_window: Vec<String>,
}

/// A file of the folder, and what is known of it.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub(crate) path: PathBuf,
    /// The event's id, or the file's name when the file is not sound.
    pub(crate) id: String,
    /// The event's times, or why the runbook cannot be used.
    pub(crate) times: Result<EventTimes, String>,
}

impl Candidate {
    fn holds(&self, now: Timestamp) -> bool {
        self.times.as_ref().is_ok_and(|times| times.holds(now))
    }
}

/// Why no runbook is chosen. The message ends with the list to choose from.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChooseError {
    #[error(
        "no event is in its window now; name one with --event or --runbook{}",
        listed(list)
    )]
    NoneInWindow { list: Vec<Candidate> },
    #[error(
        "several events are in their window now; name one with --event{}",
        listed(list)
    )]
    SeveralInWindow { list: Vec<Candidate> },
    #[error(
        "there is no event `{}`{}{}",
        printable(id),
        nearest.as_ref().map(|id| format!("; did you mean `{id}`?")).unwrap_or_default(),
        listed(list)
    )]
    UnknownEvent {
        id: String,
        nearest: Option<String>,
        list: Vec<Candidate>,
    },
    #[error(transparent)]
    Load(#[from] LoadError),
}

impl ChooseError {
    /// What there is to choose from.
    pub(crate) fn list(&self) -> &[Candidate] {
        match self {
            Self::NoneInWindow { list }
            | Self::SeveralInWindow { list }
            | Self::UnknownEvent { list, .. } => list,
            Self::Load(_) => &[],
        }
    }
}

fn listed(list: &[Candidate]) -> String {
    if list.is_empty() {
        return "; there are no runbooks here (`onair new` makes one)".to_owned();
    }
    let mut text = String::new();
    for candidate in list {
        let id = printable(&candidate.id);
        let line = match &candidate.times {
            Ok(times) => format!(
                "{id}: window {} to {}",
                local(times.opens(), &times.zone),
                local(times.closes(), &times.zone)
            ),
            Err(reason) => format!("{id}: {}", printable(reason)),
        };
        write!(text, "\n  {line}").expect("a String takes all text");
    }
    text
}

/// Every runbook of a folder in order of name, the unusable ones included; none if there is no
/// such folder.
pub(crate) fn discover(folder: &Path) -> Vec<Candidate> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "toml")
        })
        .collect();
    paths.sort();
    paths.into_iter().map(candidate).collect()
}

fn candidate(path: PathBuf) -> Candidate {
    let (id, times) = match load(&path) {
        Ok(loaded) => (
            loaded.runbook.event.id.to_string(),
            Ok(loaded.runbook.event.times()),
        ),
        Err(error) => {
            let stem = path.file_stem().unwrap_or_default();
            (stem.to_string_lossy().into_owned(), Err(error.to_string()))
        }
    };
    Candidate { path, id, times }
}

/// The file of an event in a folder: the runbook that has this id, else the file named so.
pub(crate) fn find(folder: &Path, id: &str) -> Option<PathBuf> {
    find_in(&discover(folder), id)
}

fn find_in(candidates: &[Candidate], id: &str) -> Option<PathBuf> {
    let sound = candidates
        .iter()
        .find(|candidate| candidate.id == id && candidate.times.is_ok());
    sound
        .or_else(|| candidates.iter().find(|candidate| candidate.id == id))
        .map(|candidate| candidate.path.clone())
}

/// Chooses the runbook: the file named, the event named, the environment's event, the single one
/// of `folder` whose window holds `now`.
pub(crate) fn choose(
    select: &Select,
    folder: &Path,
    now: Timestamp,
) -> Result<Chosen, ChooseError> {
    let list = discover(folder);
    let given = |id: &Option<String>| id.clone().filter(|id| !id.is_empty());
    let event = given(&select.event).or_else(|| given(&select.env_event));
    let path = match (&select.file, event) {
        (Some(file), _) => file.clone(),
        (None, Some(id)) => match find_in(&list, &id) {
            Some(path) => path,
            None => return Err(unknown_event(id, list)),
        },
        (None, None) => {
            let only_one = select.any_time && list.len() == 1;
            let mut inside = list
                .iter()
                .filter(|candidate| only_one || candidate.holds(now));
            match (inside.next(), inside.next()) {
                (Some(only), None) => only.path.clone(),
                (None, _) => return Err(ChooseError::NoneInWindow { list }),
                (Some(_), Some(_)) => return Err(ChooseError::SeveralInWindow { list }),
            }
        }
    };
    let loaded = load(&path)?;
    let chosen_id = loaded.runbook.event.id.as_str();
    let others_in_window = list
        .iter()
        .filter(|candidate| candidate.holds(now) && candidate.id != chosen_id)
        .map(|candidate| candidate.id.clone())
        .collect();
    Ok(Chosen {
        in_window: loaded.runbook.event.times().holds(now),
        loaded,
        others_in_window,
    })
}

fn unknown_event(id: String, list: Vec<Candidate>) -> ChooseError {
    let ids = list.iter().map(|candidate| candidate.id.as_str());
    ChooseError::UnknownEvent {
        nearest: did_you_mean(&id, ids).map(str::to_owned),
        id,
        list,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runbook::load::tests::MINIMAL;

    fn folder(events: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (id, starts) in events {
            let text = MINIMAL
                .replace("id = \"cup\"", &format!("id = \"{id}\""))
                .replace("2026-06-14 20:30", starts);
            std::fs::write(folder.path().join(format!("{id}.toml")), text).unwrap();
        }
        folder
    }

    fn chosen(folder: &Path, select: &Select, now: &str) -> String {
        match choose(select, folder, now.parse().unwrap()) {
            Ok(chosen) => format!(
                "{}, in window {}, others {:?}",
                chosen.loaded.runbook.event.id, chosen.in_window, chosen.others_in_window
            ),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn the_single_event_in_its_window_is_chosen() {
        let folder = folder(&[("cup", "2026-06-14 20:30"), ("gala", "2026-07-01 20:00")]);
        let none = Select::default();
        assert_eq!(
            chosen(folder.path(), &none, "2026-06-14T18:30:00Z"),
            "cup, in window true, others []"
        );
        insta::assert_snapshot!(chosen(folder.path(), &none, "2026-06-20T18:30:00Z"), @r##"
        no event is in its window now; name one with --event or --runbook
          cup: window 2026-06-14 18:30:00 CEST to 2026-06-15 01:30:00 CEST
          gala: window 2026-07-01 18:00:00 CEST to 2026-07-02 01:00:00 CEST
        "##);
    }

    #[test]
    fn what_is_named_wins_and_others_in_their_window_are_told() {
        let folder = folder(&[("cup", "2026-06-14 20:30"), ("gala", "2026-07-01 20:00")]);
        let select = Select {
            event: Some("gala".to_owned()),
            env_event: Some("cup".to_owned()),
            file: None,
            any_time: false,
        };
        let now = "2026-06-14T18:30:00Z";
        assert_eq!(
            chosen(folder.path(), &select, now),
            "gala, in window false, others [\"cup\"]"
        );
        let file = Select {
            file: Some(folder.path().join("cup.toml")),
            ..select
        };
        assert_eq!(
            chosen(folder.path(), &file, now),
            "cup, in window true, others []"
        );
        let environment = Select {
            env_event: Some("gala".to_owned()),
            ..Select::default()
        };
        assert!(chosen(folder.path(), &environment, now).starts_with("gala, "));
        let typo = Select {
            event: Some("gaal".to_owned()),
            ..Select::default()
        };
        assert!(
            chosen(folder.path(), &typo, now)
                .starts_with("there is no event `gaal`; did you mean `gala`?")
        );
    }

    #[test]
    fn two_in_their_window_and_none_at_all_are_refused() {
        let folder = folder(&[("cup", "2026-06-14 20:30"), ("gala", "2026-06-14 20:00")]);
        std::fs::write(folder.path().join("torn.toml"), "format = ").unwrap();
        let none = Select::default();
        insta::assert_snapshot!(
            chosen(folder.path(), &none, "2026-06-14T18:30:00Z").replace(&folder.path().display().to_string(), "DIR"), @r##"
        several events are in their window now; name one with --event
          cup: window 2026-06-14 18:30:00 CEST to 2026-06-15 01:30:00 CEST
          gala: window 2026-06-14 18:00:00 CEST to 2026-06-15 01:00:00 CEST
          torn: DIR/torn.toml is not a sound runbook: 1 error
        "##);
        insta::assert_snapshot!(chosen(Path::new("nowhere"), &none, "2026-06-14T18:30:00Z"), @r#"no event is in its window now; name one with --event or --runbook; there are no runbooks here (`onair new` makes one)"#);
    }
}
