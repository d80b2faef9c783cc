//! `onair undo`: takes a change back, with only our own fields touched.

use jiff::SignedDuration;
use serde_json::json;

use super::change::{self, Basis, Intention, Needs, Seen};
use crate::context::Context;
use crate::error::{Exit, Failure};
use crate::event::duration::human;
use crate::ledger::body::{Drift, GeoReset, Intent, Kind};
use crate::ledger::view::{Change, Progress};
use crate::plan::change::{Draft, Touched, empty_intent};
use crate::render::Answer;

/// An undo without an id is taken for granted while the change is younger than this.
const FRESH: SignedDuration = SignedDuration::from_mins(15);

/// Take a change back: my last one, or the one named
///
/// What other open entries ask for stays, and so does what colleagues changed since. It asks, with
/// both shown, when the change is a colleague's, older than 15 minutes, or has been changed since.
///
/// Example: onair undo, or: onair undo jess-7
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The change's id, such as jess-7
    #[arg(value_name = "ID", add = clap_complete::ArgValueCompleter::new(super::complete::entries))]
    id: Option<String>,
}

pub(crate) async fn run(args: &Args, context: &Context) -> Result<Answer, Failure> {
    let session = context.session().await?;
    change::run(
        &session,
        &Undo {
            id: args.id.clone(),
        },
    )
    .await
}

pub(crate) struct Undo {
    id: Option<String>,
}

impl Undo {
    /// The operator's own last change.
    pub(crate) fn last() -> Self {
        Self { id: None }
    }

    fn target<'a>(&self, basis: &'a Basis<'_>) -> Result<&'a Change, Failure> {
        let found = match &self.id {
            Some(id) => basis.view.find(id).ok_or_else(|| {
                Failure::new(
                    Exit::Usage,
                    "entry.unknown",
                    format!("there is no change `{id}` in this event's ledger"),
                )
                .hint("`onair ledger list` shows them")
            })?,
            None => basis.view.last_by(&basis.operator).ok_or_else(|| {
                Failure::new(
                    Exit::Usage,
                    "entry.none",
                    format!(
                        "{} has changed nothing that could be taken back",
                        basis.operator
                    ),
                )
                .hint("a colleague's change: onair undo ID; `onair ledger list` shows them")
            })?,
        };
        Ok(found)
    }
}

/// The intent that takes `target` back.
pub(crate) fn taking_back(target: &Change, empty: Intent) -> Intent {
    let intent = target.intent();
    let reversed = intent.geo_reset.iter().map(|reset| GeoReset {
        distribution: reset.distribution.clone(),
        before: reset.after.clone(),
        after: reset.before.clone(),
    });
    Intent {
        undoes: Some(*target.id()),
        gives: intent.takes.clone(),
        takes: Drift {
            prefixes: intent.gives.prefixes.clone(),
            keys: intent.gives.keys.clone(),
        },
        geo_reset: reversed.collect(),
        ..empty
    }
}

/// The operator's own changes since `target` that no undo takes back, and why.
fn passed_over(basis: &Basis<'_>, target: &Change) -> Option<String> {
    let since: Vec<String> = basis
        .view
        .changes()
        .iter()
        .filter(|change| change.operator() == basis.operator && change.at() > target.at())
        .filter(|change| change.intent().kind == Kind::Change)
        .filter(|change| change.intent().rotates_keys() || change.intent().is_upkeep())
        .map(|change| format!("{} ({})", change.name(), change.intent().summary))
        .collect();
    (!since.is_empty()).then(|| {
        format!(
            "passed over, since an undo takes back neither keys, dashboards nor resources: {}",
            since.join(", ")
        )
    })
}

impl Intention for Undo {
    fn command(&self) -> &'static str {
        "ledger undo"
    }

    fn goes_on_without_store(&self) -> bool {
        true
    }

    fn needs(&self, basis: &Basis<'_>) -> Result<Needs, Failure> {
        let target = self.target(basis)?;
        if super::provision::is_provisioning(target) {
            return Err(Failure::refused(
                "undo.provision",
                format!(
                    "{} made or removed resources, and that is not taken back by an undo",
                    target.name()
                ),
            )
            .hint("what it made goes with `onair teardown`; what it removed comes back with `onair provision`"));
        }
        let touched = Touched::by(&basis.view, target.intent());
        Ok(Needs {
            families: touched.families.into_iter().collect(),
            distributions: touched.distributions.into_iter().collect(),
            keys: touched.keys.into_iter().collect(),
            web_acls: touched.web_acls.into_iter().collect(),
            ..Needs::default()
        })
    }

    fn draft(&self, basis: &Basis<'_>, seen: &Seen) -> Result<Draft, Failure> {
        let target = self.target(basis)?;
        let intent = target.intent();
        let summary = format!("UNDO {}: {}", target.name(), intent.summary);
        let undo = taking_back(
            target,
            empty_intent("ledger undo", &summary, Kind::Undo, basis.now),
        );
        let age = basis.now.duration_since(target.at());
        let since = basis.view.touched_since(target);
        let turns_keys = intent.rotates_keys();
        let headline = format!("{summary} · by {} {} ago", target.operator(), human(age));
        let mut draft = Draft::new(undo, headline);
        draft.values = vec![
            json!({ "entry": target.name(), "summary": intent.summary, "operator": target.operator() }),
        ];
        if turns_keys {
            draft.nothing_to_do = Some(
                "signing keys are rotated forward, not taken back: `onair token keys status` shows them".to_owned(),
            );
            return Ok(draft);
        }
        if let Some(undoer) = basis.view.undone_by(target) {
            draft.nothing_to_do = Some(format!(
                "{} was taken back already, by {} ({})",
                target.name(),
                undoer.operator(),
                undoer.name()
            ));
            return Ok(draft);
        }
        if !intent.opens.is_empty() && !basis.view.is_open(target) {
            draft.nothing_to_do = Some(format!("{} has ended already", target.name()));
            return Ok(draft);
        }
        if self.id.is_none() {
            draft.notes.extend(passed_over(basis, target));
        }
        let moved = basis
            .view
            .clock()
            .iter()
            .rfind(|entry| entry.operator() == basis.operator && entry.at() > target.at());
        if let Some(moved) = moved
            && self.id.is_none()
        {
            draft.level = 1;
            draft.effect.push(format!(
                "  you have since moved the event's clock ({} ago), which undo does not take back",
                human(basis.now.duration_since(moved.at()))
            ));
        }
        if target.progress() == Progress::Void {
            draft.nothing_to_do = Some(format!("{} changed nothing", target.name()));
            return Ok(draft);
        }
        if target.operator() != basis.operator {
            draft.level = 1;
            draft.effect.push(format!(
                "  it is {}'s: {}",
                target.operator(),
                intent.reason.as_deref().unwrap_or("no reason given")
            ));
        }
        if self.id.is_none() && age > FRESH {
            draft.level = 1;
            draft.effect.push(format!("  it is {} old", human(age)));
        }
        for later in since.iter().take(5) {
            draft.level = 1;
            draft.effect.push(format!(
                "  {} has since changed the same: {} ({}, {} ago)",
                later.operator(),
                later.intent().summary,
                later.name(),
                human(basis.now.duration_since(later.at()))
            ));
        }
        for reset in &draft.intent.geo_reset {
            if let Some(Ok(observed)) = seen.distributions.get(&reset.distribution)
                && super::geo::state_words(&observed.geo) != super::geo::state_words(&reset.before)
            {
                draft.level = 1;
                draft.warnings.push(format!(
                    "{} has been changed since the reset and goes back to {} as a whole",
                    reset.distribution,
                    super::geo::state_words(&reset.after)
                ));
            }
        }
        Ok(draft)
    }
}
