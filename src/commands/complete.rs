//! `onair completions`, and what the shell asks while the operator types: events, templates and the
//! changes that could be taken back. Only files here are read; AWS is never asked.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use clap_complete::CompletionCandidate;
use clap_complete::env::{Bash, Elvish, EnvCompleter, Fish, Powershell, Zsh};
use jiff::Timestamp;
use serde_json::json;

use crate::clock::Clock;
use crate::context::Environment;
use crate::error::Failure;
use crate::event::text::{printable, shortened};
use crate::event::time;
use crate::ledger::body::{Body, Kind};
use crate::ledger::view::{Progress, View};
use crate::ledger::{self, Ledger, Store};
use crate::render::Answer;
use crate::runbook::template::TEMPLATES;
use crate::runbook::{LedgerStore, Runbook, load, source};

/// How many changes are offered, newest first.
const OFFERED: usize = 50;

/// Where runbooks are looked for.
const RUNBOOKS: &str = "runbooks";

/// Print the completion script of a shell
///
/// The script asks onair itself, so that it completes event ids and the changes that could be undone,
/// too. It reads files only and never asks AWS.
///
/// Example: onair completions bash > ~/.local/share/bash-completion/completions/onair
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// The shells that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Shell {
    Bash,
    Elvish,
    Fish,
    Powershell,
    Zsh,
}

pub(crate) fn run(args: &Args) -> Result<Answer, Failure> {
    let script = script(args.shell)
        .map_err(|error| Failure::failed("completions", "make the script").caused_by(&error))?;
    let completer = completer(args.shell);
    let data = json!({ "shell": completer.name(), "script": script });
    Ok(Answer::new("completions", data, script))
}

fn completer(shell: Shell) -> &'static dyn EnvCompleter {
    match shell {
        Shell::Bash => &Bash,
        Shell::Elvish => &Elvish,
        Shell::Fish => &Fish,
        Shell::Powershell => &Powershell,
        Shell::Zsh => &Zsh,
    }
}

fn script(shell: Shell) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    completer(shell).write_registration("COMPLETE", "onair", "onair", "onair", &mut bytes)?;
    let mut script = String::from_utf8_lossy(&bytes).trim().to_owned();
    if shell == Shell::Zsh {
        // As a file of $fpath the script runs when completion is first asked for: answer then, too.
        script.push_str("\n\nif [ \"$funcstack[1]\" = \"_onair\" ]; then\n    _clap_dynamic_completer_onair \"$@\"\nfi");
    }
    script.push('\n');
    Ok(script)
}

/// Event ids of the runbooks here.
pub(crate) fn events(typed: &OsStr) -> Vec<CompletionCandidate> {
    let typed = typed.to_string_lossy();
    source::discover(Path::new(RUNBOOKS))
        .into_iter()
        .filter(|found| found.id.starts_with(typed.as_ref()))
        .map(|found| {
            let help = match &found.times {
                Ok(times) => format!("starts {}", time::local(times.starts, &times.zone)),
                Err(_) => "not sound: onair runbook check".to_owned(),
            };
            CompletionCandidate::new(found.id).help(Some(help.into()))
        })
        .collect()
}

/// The templates that `new` starts from.
pub(crate) fn templates(typed: &OsStr) -> Vec<CompletionCandidate> {
    let typed = typed.to_string_lossy();
    TEMPLATES
        .iter()
        .filter(|template| template.name.starts_with(typed.as_ref()))
        .map(|template| CompletionCandidate::new(template.name).help(Some(template.summary.into())))
        .collect()
}

/// The queries that come with onair.
pub(crate) fn queries(typed: &OsStr) -> Vec<CompletionCandidate> {
    let typed = typed.to_string_lossy();
    crate::query::all()
        .into_iter()
        .filter(|query| query.name.starts_with(typed.as_ref()))
        .map(|query| CompletionCandidate::new(query.name).help(Some(query.purpose.into())))
        .collect()
}

/// Changes that could be taken back, newest first.
pub(crate) fn entries(typed: &OsStr) -> Vec<CompletionCandidate> {
    let words: Vec<String> = std::env::args_os()
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let asked = Asked::read(&words, &Environment::of_process());
    let Some(view) = asked
        .runbook(Clock::system().now())
        .and_then(|runbook| read(&asked, &runbook))
    else {
        return Vec::new();
    };
    candidates(&view, &typed.to_string_lossy())
}

fn candidates(view: &View, typed: &str) -> Vec<CompletionCandidate> {
    view.changes()
        .iter()
        .rev()
        .filter(|change| change.intent().kind != Kind::End && change.progress() != Progress::Void)
        .filter(|change| view.undone_by(change).is_none())
        .filter(|change| change.name().starts_with(typed))
        .take(OFFERED)
        .enumerate()
        .map(|(order, change)| {
            let summary = shortened(&printable(&change.intent().summary), 60);
            CompletionCandidate::new(change.name())
                .help(Some(summary.into()))
                .display_order(Some(order))
        })
        .collect()
}

/// What the words typed so far say about event and target.
#[derive(Debug, Default, PartialEq, Eq)]
struct Asked {
    select: source::Select,
    rehearsal: bool,
    endpoint: bool,
}

impl Asked {
    /// Reads the command line, which follows `--` when the shell asks.
    fn read(words: &[String], environment: &Environment) -> Self {
        let typed = words
            .iter()
            .position(|word| word == "--")
            .map_or(words, |at| &words[at + 1..]);
        let value = |short: &str, long: &str| {
            typed.iter().enumerate().find_map(|(index, word)| {
                if word == short || word == long {
                    return typed.get(index + 1).cloned();
                }
                let joined = word
                    .strip_prefix(long)
                    .and_then(|rest| rest.strip_prefix('='));
                let attached = word.strip_prefix(short).filter(|_| !word.starts_with("--"));
                joined
                    .or(attached)
                    .map(|value| value.trim_start_matches('=').to_owned())
            })
        };
        let rehearsal = typed.iter().any(|word| word == "--rehearsal")
            || environment.get("ONAIR_TARGET") == Some("rehearsal");
        let endpoint = typed.iter().any(|word| word.starts_with("--endpoint-url"))
            || environment.get("AWS_ENDPOINT_URL").is_some();
        Self {
            select: source::Select {
                file: value("-r", "--runbook").map(PathBuf::from),
                event: value("-e", "--event"),
                env_event: environment.get("ONAIR_EVENT").map(str::to_owned),
                any_time: true,
            },
            rehearsal,
            endpoint,
        }
    }

    fn runbook(&self, now: Timestamp) -> Option<Runbook> {
        // A file that is named is loaded alone; the others need not be read for that.
        if let Some(file) = &self.select.file {
            return load(file).ok().map(|loaded| loaded.runbook);
        }
        let chosen = source::choose(&self.select, Path::new(RUNBOOKS), now).ok()?;
        Some(chosen.loaded.runbook)
    }

    /// The folder that has this target's entries: the ledger itself, or what this machine has seen
    /// of a bucket.
    fn ledger(&self, runbook: &Runbook) -> PathBuf {
        let own = runbook.folder().join(".onair");
        let id = runbook.event.id.as_str();
        match (&runbook.ledger.store, self.rehearsal, self.endpoint) {
            (_, true, _) => own.join("rehearsal").join(id).join("ledger"),
            (_, false, true) => own.join("endpoint").join(id).join("ledger"),
            (LedgerStore::Folder(folder), false, false) => folder.clone(),
            (LedgerStore::S3 { .. }, false, false) => own.join("local").join(id).join("cache"),
        }
    }
}

fn read(asked: &Asked, runbook: &Runbook) -> Option<View> {
    let folder = asked.ledger(runbook);
    let ledger = Ledger::<Body>::open(ledger::Options {
        store: Store::folder(&folder),
        spool: folder.join("spool"),
        cache: None,
        event: runbook.event.id.to_string(),
        operator: String::new(),
        target: String::new(),
        clock: Clock::system(),
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .ok()?;
    runtime
        .block_on(ledger::read_all(&ledger))
        .ok()
        .map(|read| read.view)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(line: &str) -> Asked {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        Asked::read(&words, &Environment::default())
    }

    #[test]
    fn the_words_so_far_say_which_ledger_is_meant() {
        let plain = asked("onair -- onair undo j");
        assert_eq!((plain.rehearsal, plain.select.event), (false, None));
        let rehearsal = asked("onair -- onair undo --rehearsal -e cup-final j");
        assert!(rehearsal.rehearsal);
        assert_eq!(rehearsal.select.event.as_deref(), Some("cup-final"));
        assert_eq!(
            asked("onair -- onair --event=gala undo")
                .select
                .event
                .as_deref(),
            Some("gala")
        );
        assert_eq!(
            asked("onair -- onair -egala undo").select.event.as_deref(),
            Some("gala")
        );
        assert_eq!(
            asked("onair -- onair -r a/b.toml undo").select.file,
            Some(PathBuf::from("a/b.toml"))
        );
        assert!(asked("onair -- onair --endpoint-url http://127.0.0.1:1 undo").endpoint);
    }

    #[test]
    fn each_target_has_a_folder_of_its_own() {
        let text = include_str!("../../runbooks/cup-final.toml");
        let runbook = crate::runbook::load::parse(text, Path::new("runbooks/cup-final.toml"))
            .unwrap()
            .runbook;
        let folder = |line: &str| asked(line).ledger(&runbook).display().to_string();
        assert_eq!(
            folder("onair -- onair undo --rehearsal"),
            "runbooks/.onair/rehearsal/cup-final/ledger"
        );
        assert_eq!(
            folder("onair -- onair undo"),
            "runbooks/.onair/local/cup-final/cache"
        );
        assert_eq!(
            folder("onair -- onair undo --endpoint-url u"),
            "runbooks/.onair/endpoint/cup-final/ledger"
        );
    }

    #[test]
    fn events_and_templates_are_offered_by_what_was_typed() {
        let ids: Vec<_> = events(OsStr::new("cup"))
            .iter()
            .map(|one| one.get_value().to_owned())
            .collect();
        assert_eq!(ids, ["cup-final"]);
        assert_eq!(templates(OsStr::new("g")).len(), 1);
    }
}
