//! `onair revoke`: keys in the key value store that the edge function looks up, each with its end.

use std::collections::{HashMap, HashSet};

use serde_json::json;

use super::values::{self, Reader, Refusal, Subject, TokenValueArgs};
use crate::commands::change::{self, Basis, Intention, Needs, Seen};
use crate::commands::ip::rank;
use crate::context::Context;
use crate::error::Failure;
use crate::event::duration::human;
use crate::ledger::body::{End, KeyAsk, Kind, Part, What};
use crate::ledger::view::{Change, Standing};
use crate::plan::change::{Draft, empty_intent};
use crate::plan::guard::LEVEL_0_VALUES;
use crate::render::Answer;
use crate::runbook::{Runbook, TokenMode};

/// Revoke viewers' tokens, whole or by a claim such as sub
///
/// A token is revoked by the first claim of tokens.revocation-keys that it has: every session with
/// that claim is refused at the edge until the end (the runbook's default, or --for and --until).
/// --by takes another claim, or its values directly. Revoking again extends; onair undo takes it back.
///
/// Example: onair revoke sub:8841 --for 2h -m "shared account", or: onair revoke - (hidden paste)
#[derive(Debug, clap::Args)]
pub(crate) struct RevokeArgs {
    #[command(flatten)]
    values: TokenValueArgs,
}

pub(crate) async fn revoke(args: &RevokeArgs, context: &Context) -> Result<Answer, Failure> {
    let given = args.values.read(context)?;
    let session = context.session().await?;
    super::tokens_of(&session)?;
    let reader = Reader::new(&session.runbook, args.values.by.as_deref())?;
    let advice = values::advice(&given, &reader);
    let mut subjects: Vec<Subject> = Vec::new();
    let mut bad: Vec<(&values::Given, Refusal)> = Vec::new();
    let mut seen = HashSet::new();
    let mut duplicates = 0;
    for one in &given {
        match reader.first(&one.text) {
            Ok(subject) if seen.insert(subject.key.clone()) => subjects.push(subject),
            Ok(_) => duplicates += 1,
            Err(refusal) => bad.push((one, refusal)),
        }
    }
    if let Some(advice) = advice
        && (!bad.is_empty() || context.ui.is_json())
    {
        context.ui.warn(advice);
    }
    if !bad.is_empty() {
        return Err(values::refused(&bad, given.len()));
    }
    let revoke = Revoke {
        subjects,
        duplicates,
        advice,
        chosen: args.values.by.is_some(),
    };
    change::run(&session, &revoke).await
}

/// A revocation of one claim value.
pub(crate) fn revoke_of(runbook: &Runbook, claim: &str, value: &str) -> Revoke {
    Revoke {
        subjects: vec![Subject::of_value(runbook.event.id.as_str(), claim, value)],
        duplicates: 0,
        advice: None,
        chosen: true,
    }
}

/// Revocation of tokens and claim values.
pub(crate) struct Revoke {
    /// Each key once.
    subjects: Vec<Subject>,
    duplicates: usize,
    advice: Option<&'static str>,
    /// Whether the claim was chosen with `--by`.
    chosen: bool,
}

impl Intention for Revoke {
    fn command(&self) -> &'static str {
        "token revoke"
    }

    fn goes_on_without_store(&self) -> bool {
        true
    }

    fn needs(&self, basis: &Basis<'_>) -> Result<Needs, Failure> {
        super::tokens_of(basis.session)?;
        Ok(Needs {
            keys: self
                .subjects
                .iter()
                .map(|subject| subject.key.clone())
                .collect(),
            ..Needs::default()
        })
    }

    fn draft(&self, basis: &Basis<'_>, _: &Seen) -> Result<Draft, Failure> {
        let session = basis.session;
        let tokens = super::tokens_of(session)?;
        let (end, explicit) = crate::commands::end_of(session, basis, tokens.default_duration)?;
        let summary = format!("REVOKE {}", values::some_of(&self.subjects));
        let mut intent = empty_intent(self.command(), &summary, Kind::Change, basis.now);
        intent.end = end;
        intent.opens.keys = self
            .subjects
            .iter()
            .map(|subject| KeyAsk {
                key: subject.key.clone(),
                claim: subject.claim.clone(),
                shown: subject.shown.clone(),
                already_there: None,
            })
            .collect();
        let until = crate::commands::until_words(session, &basis.state, end);
        let mut draft = Draft::new(intent, format!("{summary} · {until}"));
        let few = self.subjects.len() <= LEVEL_0_VALUES;
        draft.level = u8::from(!few || end == End::Never);
        draft.values = self
            .subjects
            .iter()
            .map(|one| json!({ "claim": one.claim, "value": one.shown, "key": one.key, "token-digest": one.digest }))
            .collect();
        draft.warnings.extend(self.advice.map(str::to_owned));
        self.note_claims(&super::claims_of(tokens), tokens.mode, &mut draft);
        self.note_values(basis, &mut draft);
        self.note_entries(basis, &mut draft, explicit);
        Ok(draft)
    }
}

impl Revoke {
    /// Says by which claims, how far they reach, and whether the edge looks at them at all.
    fn note_claims(&self, checked: &[String], mode: TokenMode, draft: &mut Draft) {
        let mut by: Vec<(&str, usize)> = Vec::new();
        for subject in &self.subjects {
            match by.iter_mut().find(|(claim, _)| *claim == subject.claim) {
                Some((_, count)) => *count += 1,
                None => by.push((&subject.claim, 1)),
            }
        }
        let from_tokens = self
            .subjects
            .iter()
            .any(|one| one.digest.is_some() && one.claim != values::WHOLE_TOKEN);
        let claims: Vec<String> = by
            .iter()
            .map(|(claim, count)| {
                if by.len() > 1 {
                    format!("{claim} ({count})")
                } else {
                    (*claim).to_owned()
                }
            })
            .collect();
        let chosen = if from_tokens && !self.chosen {
            format!(
                " (the first of {} that the token has; --by picks another)",
                checked.join(", ")
            )
        } else {
            String::new()
        };
        let reach = if by.iter().all(|(claim, _)| *claim == values::WHOLE_TOKEN) {
            "refuses exactly these tokens"
        } else {
            "refuses every session with it; how many that is, is unknown"
        };
        draft
            .effect
            .push(format!("  by {}{chosen}: {reach}", claims.join(", ")));
        for (claim, _) in by {
            if !checked.iter().any(|one| one == claim) {
                draft.warnings.push(format!(
                    "the edge does NOT look up `{claim}`: tokens.revocation-keys has {}; this refuses nobody until `{claim}` is added and provisioned",
                    checked.join(", ")
                ));
            }
        }
        match mode {
            TokenMode::Off => draft.warnings.push(
                "tokens.mode is off: the edge looks at no token, so this refuses nobody yet"
                    .to_owned(),
            ),
            TokenMode::Log => draft.warnings.push(
                "tokens.mode is log: the edge notes a revoked token and serves it all the same"
                    .to_owned(),
            ),
            TokenMode::Enforce => {}
        }
    }

    fn note_values(&self, basis: &Basis<'_>, draft: &mut Draft) {
        if self.duplicates > 0 {
            draft.notes.push(format!(
                "{} more values name a claim that is among them already",
                self.duplicates
            ));
        }
        let expired: Vec<&Subject> = self
            .subjects
            .iter()
            .filter(|one| one.expires.is_some_and(|at| at <= basis.now))
            .collect();
        match expired.as_slice() {
            [] => {}
            [one] => {
                let ago = one
                    .expires
                    .map(|at| human(basis.now.duration_since(at)))
                    .unwrap_or_default();
                draft.notes.push(format!(
                    "the token of {} {} expired {ago} ago; other tokens with it are refused all the same",
                    one.claim, one.shown
                ));
            }
            many => draft
                .notes
                .push(format!("{} of the tokens have expired already", many.len())),
        }
    }

    /// Holds the keys against open entries: what is revoked already, and until when.
    fn note_entries(&self, basis: &Basis<'_>, draft: &mut Draft, explicit: bool) {
        let mut standing: HashMap<&str, Vec<&Change>> = HashMap::new();
        for change in basis.view.open() {
            for (ask, state) in basis.view.keys(change) {
                if state == Standing::Open {
                    standing.entry(&ask.key).or_default().push(change);
                }
            }
        }
        let few = self.subjects.len() <= LEVEL_0_VALUES;
        let shortens = explicit && basis.session.options().until.is_some();
        let wanted = rank(draft.intent.end);
        let mut already = 0;
        let mut sooner: Vec<(&Change, Vec<String>)> = Vec::new();
        for subject in &self.subjects {
            let Some(changes) = standing.get(subject.key.as_str()) else {
                continue;
            };
            let Some(longest) = changes
                .iter()
                .max_by_key(|change| rank(change.intent().end))
            else {
                continue;
            };
            let words = format!("{} {}", subject.claim, subject.shown);
            let lasts = rank(longest.intent().end);
            if lasts > wanted && shortens {
                for change in changes {
                    match sooner.iter_mut().find(|(one, _)| one.id() == change.id()) {
                        Some((_, keys)) => keys.push(subject.key.clone()),
                        None => sooner.push((change, vec![subject.key.clone()])),
                    }
                }
                if few {
                    draft.notes.push(format!(
                        "{words} ends sooner than {} had it",
                        longest.name()
                    ));
                }
            } else if lasts >= wanted {
                already += 1;
                let until =
                    crate::commands::until_words(basis.session, &basis.state, longest.intent().end);
                if few {
                    draft.notes.push(format!(
                        "{words} is revoked already by {}, {until}",
                        longest.name()
                    ));
                }
            } else if few {
                draft.notes.push(format!(
                    "{words} is revoked already by {}; this extends it",
                    longest.name()
                ));
            }
        }
        draft.intent.closes = sooner
            .into_iter()
            .map(|(change, keys)| Part {
                entry: *change.id(),
                what: What::Keys(keys),
            })
            .collect();
        if already == self.subjects.len() {
            draft.nothing_to_do =
                Some("all of it is revoked already, and for at least as long".to_owned());
        } else if already > 0 && !few {
            draft.notes.push(format!(
                "{already} of them are revoked already for at least as long"
            ));
        }
    }
}
