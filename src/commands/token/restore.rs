//! `onair token restore`: lets in again who was revoked, whoever revoked them.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::json;

use super::values::{self, Given, Reader, Refusal, Subject, TokenValueArgs};
use crate::commands::change::{self, Basis, Intention, Needs, Seen};
use crate::context::Context;
use crate::error::Failure;
use crate::event::text::shortened;
use crate::ledger::body::{Kind, Part, What};
use crate::ledger::view::{Change, Standing, View};
use crate::plan::change::{Draft, empty_intent};
use crate::plan::guard::LEVEL_0_VALUES;
use crate::plan::keys::foreign_values;
use crate::render::Answer;

/// Lift revocations, whoever made them
///
/// Values are as for revoke, or an entry such as jess-7 for all that it revoked. Of a whole token,
/// every claim that is revoked is lifted. A key that is not in the ledger is someone else's: it is
/// named, and asked about, before it is removed.
///
/// Example: onair token restore sub:8841
#[derive(Debug, clap::Args)]
pub(crate) struct RestoreArgs {
    #[command(flatten)]
    values: TokenValueArgs,
}

pub(super) async fn restore(args: &RestoreArgs, context: &Context) -> Result<Answer, Failure> {
    if context.options.lasting.is_some() || context.options.until.is_some() {
        return Err(
            Failure::usage("a restore has no end: --for and --until are for revoke")
                .hint("revoke again later, or with a shorter end: onair revoke … --until TIME"),
        );
    }
    let given = args.values.read(context)?;
    let session = context.session().await?;
    super::tokens_of(&session)?;
    let reader = Reader::new(&session.runbook, args.values.by.as_deref())?;
    let advice = values::advice(&given, &reader);
    if let Some(advice) = advice
        && context.ui.is_json()
    {
        context.ui.warn(advice);
    }
    let by_claim = args.values.by.is_some();
    let wanted = given
        .into_iter()
        .map(|given| Wanted {
            entry: (!by_claim && is_entry_name(&given.text)).then(|| given.text.trim().to_owned()),
            meaning: reader.all(&given.text),
            given,
        })
        .collect();
    change::run(&session, &Restore { wanted, advice }).await
}

/// Whether a text can be the name of a ledger entry: `jess-7`, or a ULID.
fn is_entry_name(text: &str) -> bool {
    let text = text.trim();
    let handle = text.rsplit_once('-').is_some_and(|(who, number)| {
        !who.is_empty()
            && who.len() <= 24
            && who
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && (1..=6).contains(&number.len())
            && number.bytes().all(|byte| byte.is_ascii_digit())
    });
    handle || (text.len() == 26 && text.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// One value: an entry's name if the ledger has it, else what it means as a token or claim.
struct Wanted {
    given: Given,
    entry: Option<String>,
    meaning: Result<Vec<Subject>, Refusal>,
}

struct Restore {
    wanted: Vec<Wanted>,
    advice: Option<&'static str>,
}

impl Restore {
    /// The keys that are meant, each once; a value that means nothing refuses them all.
    fn subjects(&self, view: &View) -> Result<Vec<Subject>, Failure> {
        let mut subjects = Vec::new();
        let mut bad: Vec<(&Given, Refusal)> = Vec::new();
        for wanted in &self.wanted {
            if let Some(change) = wanted.entry.as_deref().and_then(|name| view.find(name)) {
                match subjects_of(change) {
                    found if found.is_empty() => bad.push((
                        &wanted.given,
                        Refusal {
                            code: "entry.other",
                            reason: format!(
                                "{} revoked nothing: {}",
                                change.name(),
                                change.intent().summary
                            ),
                            hint: Some(format!("onair undo {}", change.name())),
                        },
                    )),
                    found => subjects.extend(found),
                }
                continue;
            }
            match (&wanted.meaning, &wanted.entry) {
                (Ok(found), _) => subjects.extend(found.iter().cloned()),
                (Err(_), Some(name)) => bad.push((
                    &wanted.given,
                    Refusal {
                        code: "entry.unknown",
                        reason: format!(
                            "there is no change `{name}` in this event's ledger, and it is no token"
                        ),
                        hint: Some("`onair token list` shows what is revoked".to_owned()),
                    },
                )),
                (Err(refusal), None) => bad.push((&wanted.given, refusal.clone())),
            }
        }
        if !bad.is_empty() {
            return Err(values::refused(&bad, self.wanted.len()));
        }
        let mut seen = HashSet::new();
        subjects.retain(|subject| seen.insert(subject.key.clone()));
        Ok(subjects)
    }
}

/// Names a colleague's change with its reason.
fn whose(change: &Change) -> String {
    let reason = change.intent().reason.as_deref();
    let reason = shortened(reason.unwrap_or("no reason given"), 200);
    format!("{} is {}'s: {reason}", change.name(), change.operator())
}

fn subjects_of(change: &Change) -> Vec<Subject> {
    let asks = change.intent().opens.keys.iter();
    asks.map(|ask| Subject {
        claim: ask.claim.clone(),
        key: ask.key.clone(),
        shown: ask.shown.clone(),
        digest: None,
        expires: None,
    })
    .collect()
}

impl Intention for Restore {
    fn command(&self) -> &'static str {
        "token restore"
    }

    fn goes_on_without_store(&self) -> bool {
        false
    }

    fn needs(&self, basis: &Basis<'_>) -> Result<Needs, Failure> {
        Ok(Needs {
            keys: self
                .subjects(&basis.view)?
                .into_iter()
                .map(|subject| subject.key)
                .collect(),
            ..Needs::default()
        })
    }

    fn draft(&self, basis: &Basis<'_>, seen: &Seen) -> Result<Draft, Failure> {
        let subjects = self.subjects(&basis.view)?;
        let present: BTreeMap<String, String> = seen
            .store
            .as_ref()
            .map(|store| store.values.clone())
            .unwrap_or_default();
        let by_key: HashMap<&str, &Subject> =
            subjects.iter().map(|one| (one.key.as_str(), one)).collect();
        let mut intent = empty_intent(self.command(), "", Kind::Change, basis.now);
        let mut notes = Vec::new();
        let mut warnings: Vec<String> = self.advice.into_iter().map(str::to_owned).collect();
        let mut named = Vec::new();
        let mut level = 0;
        let theirs = foreign_values(&basis.view);
        let mut ours: HashSet<&str> = HashSet::new();
        let mut lifted: HashSet<&str> = HashSet::new();
        for change in basis.view.open() {
            let asks = basis.view.keys(change);
            let mut keys = Vec::new();
            for (ask, _) in asks
                .iter()
                .filter(|(_, standing)| *standing != Standing::Closing)
            {
                if let Some((key, _)) = by_key.get_key_value(ask.key.as_str()) {
                    ours.insert(key);
                    lifted.insert(key);
                    keys.push(ask.key.clone());
                }
            }
            if keys.is_empty() {
                continue;
            }
            named.push(change.name());
            if change.operator() != basis.operator {
                level = 1;
                notes.push(whose(change));
            }
            let what = if keys.len() == change.intent().opens.keys.len() {
                What::All
            } else {
                What::Keys(keys)
            };
            intent.closes.push(Part {
                entry: *change.id(),
                what,
            });
        }
        for subject in &subjects {
            let Some(value) = present.get(&subject.key).filter(|_| {
                let key = subject.key.as_str();
                !ours.contains(key) || theirs.contains_key(key)
            }) else {
                continue;
            };
            level = 1;
            lifted.insert(&subject.key);
            intent.takes.keys.push((subject.key.clone(), value.clone()));
            if warnings.len() < LEVEL_0_VALUES {
                warnings.push(format!(
                    "{} {} is not in the ledger: someone else put it in {}",
                    subject.claim,
                    subject.shown,
                    basis.session.store_name()?
                ));
            }
        }
        if lifted.len() > LEVEL_0_VALUES {
            level = 1;
        }
        // A token may be revoked by one of its claims only: the others are not worth a word.
        let meant: Vec<Subject> = subjects
            .iter()
            .filter(|one| lifted.contains(one.key.as_str()))
            .cloned()
            .collect();
        let shown = if meant.is_empty() { &subjects } else { &meant };
        intent.summary = format!("RESTORE {}", values::some_of(shown));
        let mut headline = intent.summary.clone();
        if !named.is_empty() {
            headline.push_str(&format!(" · lifts {}", named.join(", ")));
        }
        let values = subjects
            .iter()
            .map(|one| {
                let was = lifted.contains(one.key.as_str());
                json!({ "claim": one.claim, "value": one.shown, "key": one.key, "token-digest": one.digest, "was-revoked": was })
            })
            .collect();
        let nothing = lifted.is_empty();
        let mut draft = Draft::new(intent, headline);
        draft.level = level;
        draft.values = values;
        draft.notes = notes;
        draft.warnings = warnings;
        if nothing {
            draft.nothing_to_do = Some("none of it is revoked".to_owned());
        } else {
            for one in subjects
                .iter()
                .filter(|one| one.digest.is_none() && !lifted.contains(one.key.as_str()))
                .take(LEVEL_0_VALUES)
            {
                draft
                    .notes
                    .push(format!("{} {} is not revoked", one.claim, one.shown));
            }
        }
        Ok(draft)
    }
}

#[cfg(test)]
mod tests {
    use super::is_entry_name;

    #[test]
    fn entries_are_told_from_tokens_by_their_look() {
        for name in ["jess-7", "o-brien-12", "01K8ZC3V9QW6Q5R4T3Y2X1W0VZ"] {
            assert!(is_entry_name(name), "{name}");
        }
        for text in [
            "sub:8841",
            "8841",
            "-7",
            "Jess-7",
            "eyJhbGciOi",
            "jess-1234567",
        ] {
            assert!(!is_entry_name(text), "{text}");
        }
    }
}
