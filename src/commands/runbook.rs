//! `onair runbook …`: validates runbooks, shows one with its defaults, prints the JSON Schema.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::context::Context;
use crate::error::{Exit, Failure};
use crate::event::duration::human;
use crate::event::text::{did_you_mean, printable};
use crate::event::time;
use crate::preflight;
use crate::render::{Answer, Sheet};
use crate::runbook::{
    LoadError, Loaded, Note, Runbook, Severity, load, render_notes, schema, source, template,
};

/// Check, show and describe runbooks
#[derive(Debug, clap::Subcommand)]
pub(crate) enum RunbookCommand {
    Check(CheckArgs),
    Schema(SchemaArgs),
    Show(ShowArgs),
}

/// Find every mistake in a runbook, with line and caret
///
/// Without a file or an event it checks all of runbooks/. Unknown keys, wrong types, values that are
/// not what they should be and times that contradict each other are all named at once. Nothing is
/// asked from AWS. Exit 2 when a runbook is unsound, 3 for any warning with --deny-warnings: also for
/// placeholders and waivers of checks that there are not, but not for an event that is over.
///
/// Example: onair runbook check runbooks/cup-final.toml --deny-warnings
#[derive(Debug, clap::Args)]
pub(crate) struct CheckArgs {
    /// Runbook files
    #[arg(value_name = "FILE", conflicts_with_all = ["runbook", "event"])]
    files: Vec<PathBuf>,
    /// Warnings count as a failed check
    #[arg(long)]
    deny_warnings: bool,
}

/// Print the runbook with every default filled in
///
/// What is printed is a runbook, too: groups of countries are expanded, relative times are placed.
///
/// Example: onair runbook show -e cup-final
#[derive(Debug, clap::Args)]
pub(crate) struct ShowArgs {}

/// Print the JSON Schema of runbooks, for editors
///
/// Example: onair runbook schema > schema/runbook.schema.json
#[derive(Debug, clap::Args)]
pub(crate) struct SchemaArgs {}

/// The command's name as in the contract.
pub(crate) fn name(command: &RunbookCommand) -> &'static str {
    match command {
        RunbookCommand::Check(_) => "runbook check",
        RunbookCommand::Schema(_) => "runbook schema",
        RunbookCommand::Show(_) => "runbook show",
    }
}

pub(crate) fn run(command: &RunbookCommand, context: &Context) -> Result<Answer, Failure> {
    match command {
        RunbookCommand::Check(args) => check(args, context),
        RunbookCommand::Schema(_) => Ok(print_schema()),
        RunbookCommand::Show(_) => show(context),
    }
}

fn print_schema() -> Answer {
    let data = json!({ "schema": schema::schema() });
    Answer::new("runbook schema", data, schema::schema_text())
}

fn show(context: &Context) -> Result<Answer, Failure> {
    let loaded = context.chosen()?.loaded;
    let runbook = &loaded.runbook;
    let path = runbook.path.display().to_string();
    let value = serde_json::to_value(runbook)
        .map_err(|error| Failure::failed("runbook.show", "show the runbook").caused_by(&error))?;
    let mut sheet = Sheet::new(&["key", "value"]);
    flatten("", &value, &mut sheet);
    let data = json!({ "path": path, "digest": runbook.digest, "runbook": value });
    let text = format!(
        "# {} with every default; {} in UTC\n{}",
        printable(&path),
        time::utc(runbook.event.starts),
        runbook.to_toml()
    );
    let mut answer = Answer::new("runbook show", data, text).with_sheet(sheet);
    answer.head.event = Some(runbook.event.id.to_string());
    answer.head.account = Some(runbook.aws.account.clone());
    answer.warnings = warnings(&loaded.notes);
    Ok(answer)
}

/// One row for each value, named by its path.
fn flatten(path: &str, value: &Value, sheet: &mut Sheet) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                let dot = if path.is_empty() { "" } else { "." };
                flatten(&format!("{path}{dot}{key}"), member, sheet);
            }
        }
        Value::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                flatten(&format!("{path}[{index}]"), element, sheet);
            }
        }
        Value::String(text) => sheet.push([path.to_owned(), text.clone()]),
        other => sheet.push([path.to_owned(), other.to_string()]),
    }
}

/// One file, checked.
struct Checked {
    path: String,
    result: Result<Loaded, LoadError>,
}

impl Checked {
    fn of(path: &Path) -> Self {
        Self {
            path: path.display().to_string(),
            result: load(path),
        }
    }

    fn event(&self) -> Option<&str> {
        let loaded = self.result.as_ref().ok()?;
        Some(loaded.runbook.event.id.as_str())
    }

    fn notes(&self) -> &[Note] {
        match &self.result {
            Ok(loaded) => &loaded.notes,
            Err(error) => error.notes(),
        }
    }

    fn text(&self) -> String {
        let path = printable(&self.path);
        match &self.result {
            Ok(loaded) if loaded.notes.is_empty() => {
                let event = &loaded.runbook.event;
                let starts = time::local(event.starts, &event.zone);
                format!("✓ sound: {path} · {} · starts {starts}\n", event.id)
            }
            Ok(loaded) => format!(
                "✓ sound, with warnings: {path}\n\n{}",
                render_notes(&loaded.notes, &loaded.text, &self.path)
            ),
            Err(error) => format!("✗ {error}\n\n{}", with_end(&error.details())),
        }
    }

    fn data(&self) -> Value {
        let digest = self
            .result
            .as_ref()
            .ok()
            .map(|loaded| loaded.runbook.digest.clone());
        let reason = match &self.result {
            Err(LoadError::Unreadable { source, .. }) => Some(source.to_string()),
            _ => None,
        };
        json!({
            "path": self.path,
            "event": self.event(),
            "sound": self.result.is_ok(),
            "digest": digest,
            "unreadable": reason,
            "problems": self.notes(),
        })
    }
}

fn with_end(text: &str) -> String {
    format!("{}\n", text.trim_end())
}

fn check(args: &CheckArgs, context: &Context) -> Result<Answer, Failure> {
    let checked: Vec<Checked> = meant(args, context)?
        .iter()
        .map(|path| Checked::of(path))
        .collect();
    let unsound = checked.iter().filter(|one| one.result.is_err()).count();
    let twice = same_event_twice(&checked);
    let mut odd = twice.len()
        + checked
            .iter()
            .map(|one| warnings(one.notes()).len())
            .sum::<usize>();

    let mut sheet = Sheet::new(&[
        "file", "severity", "line", "column", "key", "message", "nearest",
    ]);
    for one in &checked {
        if let Err(LoadError::Unreadable { source, .. }) = &one.result {
            let blank = String::new;
            let message = source.to_string();
            sheet.push([
                one.path.clone(),
                "error".to_owned(),
                blank(),
                blank(),
                blank(),
                message,
                blank(),
            ]);
        }
        for note in one.notes() {
            let severity = match note.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            };
            sheet.push([
                one.path.clone(),
                severity.to_owned(),
                note.line.to_string(),
                note.column.to_string(),
                note.path.clone(),
                note.problem.to_string(),
                note.nearest.clone().unwrap_or_default(),
            ]);
        }
    }
    let text: String = checked.iter().map(Checked::text).collect();
    let runbooks: Vec<Value> = checked.iter().map(Checked::data).collect();
    let mut answer =
        Answer::new("runbook check", json!({ "runbooks": runbooks }), text).with_sheet(sheet);
    if let [only] = checked.as_slice() {
        answer.head.event = only.event().map(str::to_owned);
    }
    answer.warnings = twice;
    let now = context.world_clock().now();
    for one in checked.iter().filter_map(|one| one.result.as_ref().ok()) {
        answer.warnings.extend(over(&one.runbook, now));
        let counting = placeholders(&one.runbook)
            .into_iter()
            .chain(waived_in_vain(&one.runbook));
        for warning in counting {
            odd += 1;
            answer.warnings.push(warning);
        }
    }
    let all = counted(checked.len(), "runbook");
    if unsound > 0 {
        let message = format!("{unsound} of {all} cannot be used");
        return Ok(answer.exiting(Exit::Usage, "runbook", &message));
    }
    if args.deny_warnings && odd > 0 {
        let message = format!("{} in {all}", counted(odd, "warning"));
        answer
            .text
            .push_str(&format!("✗ {message}, and --deny-warnings is on\n"));
        return Ok(answer.exiting(Exit::Difference, "check.failed", &message));
    }
    Ok(answer)
}

/// An event that is over. Told, and no mistake: --deny-warnings lets it pass, or no pipeline could keep
/// the runbooks of its past.
fn over(runbook: &Runbook, now: Timestamp) -> Option<String> {
    let event = &runbook.event;
    (event.ends < now).then(|| {
        format!(
            "{} is over: it ended {} ago, at {}",
            event.id,
            human(now.duration_since(event.ends)),
            time::local(event.ends, &event.zone)
        )
    })
}

/// What the templates had, and is still there: nobody can run it.
fn placeholders(runbook: &Runbook) -> Option<String> {
    let mut placeholders = Vec::new();
    if runbook.aws.account == template::PLACEHOLDER_ACCOUNT {
        placeholders.push(format!("aws.account {}", runbook.aws.account));
    }
    for one in &runbook.distributions {
        if one.id.starts_with(template::PLACEHOLDER_DISTRIBUTION) {
            placeholders.push(format!("distribution {}", one.id));
        }
        if is_reserved(&one.domain) {
            placeholders.push(format!("domain {}", one.domain));
        }
    }
    (!placeholders.is_empty()).then(|| {
        format!(
            "{} has placeholders: {}",
            runbook.event.id,
            placeholders.join(", ")
        )
    })
}

/// Waivers of checks that there are not: nothing is waived by them.
fn waived_in_vain(runbook: &Runbook) -> Vec<String> {
    let known: Vec<&str> = preflight::checks::all()
        .iter()
        .map(|check| check.id)
        .collect();
    runbook
        .waivers
        .iter()
        .filter(|waiver| !known.contains(&waiver.check.as_str()))
        .map(|waiver| {
            let nearest = did_you_mean(&waiver.check, known.iter().copied())
                .map(|name| format!(", did you mean {name}?"))
                .unwrap_or_default();
            format!(
                "{}: there is no check {} to waive{nearest}; `onair preflight --list` names them",
                runbook.event.id, waiver.check
            )
        })
        .collect()
}

/// Whether a name is kept for documents, so that nobody can serve it (RFC 2606, RFC 6761).
fn is_reserved(domain: &str) -> bool {
    let domain = domain.trim_end_matches('.').to_ascii_lowercase();
    [
        "example",
        "example.com",
        "example.net",
        "example.org",
        "test",
        "invalid",
    ]
    .iter()
    .any(|name| domain == *name || domain.ends_with(&format!(".{name}")))
}

/// The files that were named, the event's that was named, else all that are here.
fn meant(args: &CheckArgs, context: &Context) -> Result<Vec<PathBuf>, Failure> {
    if !args.files.is_empty() {
        return Ok(args.files.clone());
    }
    if let Some(file) = &context.options.runbook {
        return Ok(vec![file.clone()]);
    }
    let folder = context.runbooks();
    let event = context.options.event.as_ref().map(ToString::to_string);
    let named = event.or_else(|| context.environment.get("ONAIR_EVENT").map(str::to_owned));
    if let Some(id) = named {
        return match source::find(&folder, &id) {
            Some(path) => Ok(vec![path]),
            // The choice says which events there are.
            None => context
                .chosen()
                .map(|chosen| vec![chosen.loaded.runbook.path]),
        };
    }
    let found: Vec<PathBuf> = source::discover(&folder)
        .into_iter()
        .map(|one| one.path)
        .collect();
    if found.is_empty() {
        return Err(
            Failure::usage(format!("there is no runbook in {}/", folder.display()))
                .hint("`onair new EVENT` lists the templates to start from"),
        );
    }
    Ok(found)
}

/// Events that more than one file is about: `--event` could then mean either.
fn same_event_twice(checked: &[Checked]) -> Vec<String> {
    let mut found = Vec::new();
    for (index, one) in checked.iter().enumerate() {
        let earlier = checked[..index]
            .iter()
            .find(|earlier| one.event().is_some() && earlier.event() == one.event());
        if let (Some(earlier), Some(id)) = (earlier, one.event()) {
            let (first, second) = (printable(&earlier.path), printable(&one.path));
            found.push(format!(
                "{first} and {second} are both about the event {id}"
            ));
        }
    }
    found
}

fn warnings(notes: &[Note]) -> Vec<String> {
    notes
        .iter()
        .filter(|note| note.severity == Severity::Warning)
        .map(|note| {
            format!(
                "line {}: {}: {}",
                note.line,
                printable(&note.path),
                note.problem
            )
        })
        .collect()
}

fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(text: &str) -> Checked {
        let path = Path::new("runbooks/x.toml");
        Checked {
            path: path.display().to_string(),
            result: crate::runbook::load::parse(text, path),
        }
    }

    #[test]
    fn a_sound_runbook_is_one_line_and_an_unsound_one_names_every_problem() {
        let cup = include_str!("../../runbooks/cup-final.toml");
        insta::assert_snapshot!(checked(cup).text(), @"✓ sound: runbooks/x.toml · cup-final · starts 2026-06-14 20:30:00 CEST");
        let broken = cup
            .replace("web-acl", "web-alc")
            .replace("widest-v4 = 16", "widest-v4 = \"16\"");
        let text = checked(&broken).text();
        assert!(
            text.starts_with("✗ runbooks/x.toml is not a sound runbook: "),
            "{text}"
        );
        assert!(text.contains("unknown key `web-alc`"), "{text}");
        assert!(text.contains("did you mean `web-acl`?"), "{text}");
        assert!(text.contains("waf.widest-v4: expected"), "{text}");
    }

    #[test]
    fn two_files_about_one_event_are_named() {
        let cup = include_str!("../../runbooks/cup-final.toml");
        let mut other = checked(cup);
        other.path = "runbooks/y.toml".to_owned();
        assert_eq!(
            same_event_twice(&[checked(cup), other]),
            ["runbooks/x.toml and runbooks/y.toml are both about the event cup-final"]
        );
    }

    #[test]
    fn every_value_has_its_own_row() {
        let mut sheet = Sheet::new(&["key", "value"]);
        flatten(
            "",
            &json!({ "a": { "b": ["x", 2] }, "c": null }),
            &mut sheet,
        );
        assert_eq!(
            sheet.rows,
            [["a.b[0]", "x"], ["a.b[1]", "2"], ["c", "null"]]
        );
    }
}
