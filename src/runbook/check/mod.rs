//! What is wrong with the values of a runbook, all of it, without I/O. A value is parsed where it
//! is checked, so a runbook without errors comes out resolved.

mod arn;
mod event;
mod evidence;
mod gate;
mod rights;
mod supply;
mod viewers;
mod web_acl;

use std::collections::HashSet;
use std::path::Path;

use crate::event::text::{did_you_mean, shortened};
use crate::runbook::model::{AwsSection, DistributionSection, File, LedgerSection};
use crate::runbook::note::{Note, Problem, Severity};
use crate::runbook::resolved::{Aws, Distribution, Event, Ledger, LedgerStore, Runbook, folder_of};

/// Checks a runbook's values. The runbook is there exactly if no note is an error.
pub(crate) fn check(file: &File, path: &Path, digest: &str) -> (Option<Runbook>, Vec<Note>) {
    let mut notes = Notes::default();
    if file.format != 1 {
        notes.error("format", Problem::Format(file.format));
    }
    let event = event::event(&file.event, &mut notes);
    // Names are derived from the id even if it is wrong, so that the rest can be checked.
    let id = file.event.id.as_str();
    let aws = aws(&file.aws, &mut notes);
    let distributions = distributions(&file.distributions, &mut notes);
    // A section that is there and broken is none as well, but then an error has been noted.
    let geo = file
        .geo
        .as_ref()
        .and_then(|geo| viewers::geo(geo, event.as_ref(), &mut notes));
    let waf = file
        .waf
        .as_ref()
        .and_then(|waf| viewers::waf(waf, id, &mut notes));
    let tokens = file
        .tokens
        .as_ref()
        .and_then(|tokens| viewers::tokens(tokens, id, folder_of(path), &mut notes));
    let ledger = ledger(file.ledger.as_ref(), id, path, event.as_ref(), &mut notes);
    let phases = event
        .as_ref()
        .map(|event| event::phases(file.phases.as_deref(), event, &mut notes));
    let forecast = file
        .forecast
        .as_ref()
        .and_then(|forecast| supply::forecast(forecast, &distributions, &mut notes));
    let origins = file
        .origins
        .as_ref()
        .and_then(|origins| supply::origins(origins, &mut notes));
    let workflow = file
        .workflow
        .as_ref()
        .map(|workflow| supply::workflow(workflow, &aws, &mut notes))
        .unwrap_or_default();
    let logs = file
        .logs
        .as_ref()
        .map(|logs| evidence::logs(logs, id, &aws, &mut notes))
        .unwrap_or_default();
    let athena = file
        .athena
        .as_ref()
        .and_then(|athena| evidence::athena(athena, id, &mut notes));
    let queries = file
        .queries
        .as_ref()
        .map(|queries| evidence::queries(queries, folder_of(path), &mut notes));
    let dashboard = file
        .dashboard
        .as_ref()
        .map(|dashboard| evidence::dashboard(dashboard, id, &aws, &mut notes));
    let targets = evidence::targets(file.targets.as_ref(), &mut notes);
    let waivers = evidence::waivers(
        file.waivers.as_deref().unwrap_or_default(),
        event.as_ref(),
        &mut notes,
    );
    let notes = notes.0;
    if notes.iter().any(|note| note.severity == Severity::Error) {
        return (None, notes);
    }
    let runbook = event.zip(phases).map(|(event, phases)| Runbook {
        event,
        aws,
        distributions,
        geo,
        waf,
        tokens,
        ledger,
        phases,
        forecast,
        origins,
        workflow,
        logs,
        athena,
        queries,
        dashboard,
        targets,
        waivers,
        path: path.to_owned(),
        digest: digest.to_owned(),
    });
    (runbook, notes)
}

#[cfg(test)]
mod tests;

/// The notes so far.
#[derive(Debug, Default)]
struct Notes(Vec<Note>);

impl Notes {
    fn error(&mut self, path: impl Into<String>, problem: Problem) {
        self.0.push(Note::error(path, problem));
    }

    fn warning(&mut self, path: impl Into<String>, problem: Problem) {
        self.0.push(Note::warning(path, problem));
    }

    /// The value, or none with its error noted.
    fn take<T, E>(
        &mut self,
        path: impl Into<String>,
        result: Result<T, E>,
        problem: impl FnOnce(E) -> Problem,
    ) -> Option<T> {
        result
            .map_err(|error| self.error(path, problem(error)))
            .ok()
    }
}

/// The percentages of a table by name: each more than 0, and not more than all together.
fn percentages<'a>(
    path: &str,
    shares: impl Iterator<Item = (&'a String, &'a f64)>,
    notes: &mut Notes,
) -> f64 {
    let mut sum = 0.0;
    for (name, share) in shares {
        if !is_percentage(*share) {
            notes.error(format!("{path}.{name}"), Problem::Percentage);
        }
        sum += share;
    }
    if sum > 100.0 + ROUNDING {
        notes.error(path, Problem::SharesTooMuch(sum));
    }
    sum
}

/// By how much shares may miss 100% because each was rounded.
const ROUNDING: f64 = 0.5;

fn is_percentage(value: f64) -> bool {
    value > 0.0 && value <= 100.0
}

/// An `https://` URL with a host and nothing that could confuse who asks it.
fn https_url(path: String, url: &str, notes: &mut Notes) {
    let host = url.strip_prefix("https://").map(|rest| {
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        authority.split(':').next().unwrap_or_default()
    });
    let is_plain = url.len() <= 2_048 && url.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_plain || !host.is_some_and(is_host_name) {
        notes.error(path, Problem::Url(shortened(url, 80)));
    }
}

fn region(path: &str, region: &str, notes: &mut Notes) {
    let parts: Vec<&str> = region.split('-').collect();
    let is_region = parts.len() >= 3
        && parts.iter().enumerate().all(|(index, part)| {
            let last = index + 1 == parts.len();
            !part.is_empty()
                && part.bytes().all(|byte| {
                    if last {
                        byte.is_ascii_digit()
                    } else {
                        byte.is_ascii_lowercase()
                    }
                })
        });
    if !is_region {
        notes.error(path, Problem::Region(shortened(region, 40)));
    }
}

/// The names of a list, those that stand there again noted.
fn unique<'a>(
    what: &'static str,
    names: impl Iterator<Item = (String, &'a str)>,
    notes: &mut Notes,
) {
    let mut seen = HashSet::new();
    for (path, name) in names {
        if !seen.insert(name) {
            let name = shortened(name, 60);
            notes.error(path, Problem::Duplicate { what, name });
        }
    }
}

/// A name that WAF and CloudFront take for IP sets, functions and stores.
fn aws_name(name: &str, longest: usize, path: &str, notes: &mut Notes) {
    let is_name = !name.is_empty()
        && name.len() <= longest
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    if !is_name {
        notes.error(path, Problem::AwsName(shortened(name, 80), longest));
    }
}

fn aws(section: &AwsSection, notes: &mut Notes) -> Aws {
    let account = &section.account;
    if account.len() != 12 || !account.bytes().all(|byte| byte.is_ascii_digit()) {
        notes.error("aws.account", Problem::Account);
    }
    Aws {
        account: account.clone(),
        profile: section.profile.clone(),
        region: section
            .region
            .clone()
            .unwrap_or_else(|| "us-east-1".to_owned()),
    }
}

fn distributions(sections: &[DistributionSection], notes: &mut Notes) -> Vec<Distribution> {
    if sections.is_empty() {
        notes.error("distributions", Problem::Empty);
    }
    let mut names = HashSet::new();
    let mut ids = HashSet::new();
    for (section, index) in sections.iter().zip(0..) {
        let path = |key: &str| format!("distributions[{index}].{key}");
        let mut unique = |seen: &mut HashSet<String>, key: &str, what, name: &str| {
            if !seen.insert(name.to_owned()) {
                let name = shortened(name, 60);
                notes.error(path(key), Problem::Duplicate { what, name });
            }
        };
        unique(&mut names, "name", "distribution name", &section.name);
        unique(&mut ids, "id", "distribution id", &section.id);
        if !is_distribution_id(&section.id) {
            let id = shortened(&section.id, 40);
            notes.warning(path("id"), Problem::DistributionId(id));
        }
        if !is_host_name(&section.domain) {
            let domain = shortened(&section.domain, 80);
            notes.error(path("domain"), Problem::Domain(domain));
        }
        let samples = section.samples.clone().unwrap_or_default();
        for (key, sample) in [
            ("manifest", samples.manifest),
            ("dash", samples.dash),
            ("segment", samples.segment),
            ("key", samples.key),
            ("ad-manifest", samples.ad_manifest),
        ] {
            if sample.is_some_and(|sample| !sample.starts_with('/')) {
                notes.error(path(&format!("samples.{key}")), Problem::SamplePath);
            }
        }
    }
    sections
        .iter()
        .map(|section| Distribution {
            name: section.name.clone(),
            id: section.id.clone(),
            domain: section.domain.clone(),
            role: section.role.unwrap_or_default(),
            samples: section.samples.clone().unwrap_or_default(),
        })
        .collect()
}

fn is_distribution_id(id: &str) -> bool {
    id.len() >= 11
        && id.starts_with('E')
        && id
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

fn is_host_name(name: &str) -> bool {
    name.len() <= 253
        && name.contains('.')
        && name.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        })
}

fn ledger(
    section: Option<&LedgerSection>,
    id: &str,
    path: &Path,
    event: Option<&Event>,
    notes: &mut Notes,
) -> Ledger {
    let folder = folder_of(path);
    let store = match section.map(|section| section.store.as_str()) {
        None => LedgerStore::Folder(folder.join(".onair").join(id)),
        Some(store) => match store.split_once("://") {
            Some(("s3", rest)) if !rest.trim_matches('/').is_empty() => {
                let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
                LedgerStore::S3 {
                    bucket: bucket.to_owned(),
                    prefix: prefix.trim_matches('/').to_owned(),
                }
            }
            None if !store.is_empty() => LedgerStore::Folder(folder.join(store)),
            _ => {
                notes.error("ledger.store", Problem::Store);
                LedgerStore::Folder(folder.to_owned())
            }
        },
    };
    let is_crew = event.is_some_and(|event| event.operators.len() > 1);
    if is_crew && matches!(store, LedgerStore::Folder(_)) {
        notes.warning("ledger", Problem::LocalLedger);
    }
    Ledger { store }
}

/// The first words of the commands that change things.
const CHANGING: &[&str] = &[
    "all",
    "apply",
    "block",
    "dashboard",
    "event",
    "geo",
    "ip",
    "ledger",
    "origin",
    "play",
    "provision",
    "revoke",
    "rule",
    "teardown",
    "tend",
    "token",
    "unblock",
    "undo",
];

fn command(text: &str, path: String, notes: &mut Notes) {
    let word = text.split(' ').next().unwrap_or_default();
    if !CHANGING.contains(&word) {
        let nearest = did_you_mean(word, CHANGING.iter().copied());
        let problem = Problem::UnknownCommand(shortened(text, 60));
        notes.0.push(Note::warning(path, problem).nearest(nearest));
    }
}
