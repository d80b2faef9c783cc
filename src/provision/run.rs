//! Plans all parts side by side, carries their steps out stage by stage, and takes down what was
//! made in the opposite order. Knows no service.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;

use super::step::{Action, Done, Made, Owned, Stage, Step};
use super::{Part, PartError, Scene};
use crate::cloud::{Approved, CloudError};
use crate::ledger::body::{Claim, PartOutcome, Verdict};

/// The kinds that a command is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Choice {
    /// Empty: all.
    pub(crate) only: Vec<String>,
    pub(crate) skip: Vec<String>,
}

impl Choice {
    pub(crate) fn takes(&self, kind: &str) -> bool {
        let named = |list: &[String]| list.iter().any(|one| one == kind);
        (self.only.is_empty() || named(&self.only)) && !named(&self.skip)
    }

    /// The first kind that no part has.
    pub(crate) fn unknown(&self, parts: &[Box<dyn Part>]) -> Option<&str> {
        let known: BTreeSet<&str> = parts.iter().map(|part| part.kind()).collect();
        self.only
            .iter()
            .chain(&self.skip)
            .map(String::as_str)
            .find(|kind| !known.contains(kind))
    }
}

/// Told before and after each step.
#[derive(Debug, Clone)]
pub(crate) enum Progress {
    Begun {
        resource: String,
        verb: &'static str,
    },
    Ended {
        resource: String,
        verb: &'static str,
        result: Verdict,
    },
}

/// What several steps came to.
#[derive(Debug, Default)]
pub(crate) struct Applied {
    pub(crate) parts: Vec<PartOutcome>,
    pub(crate) made: Vec<Made>,
    pub(crate) removed: Vec<Claim>,
    pub(crate) notes: Vec<String>,
    pub(crate) errors: Vec<PartError>,
}

impl Applied {
    pub(crate) fn changed(&self) -> bool {
        self.parts.iter().any(|part| part.changed)
    }

    /// How far all of it got.
    pub(crate) fn verdict(&self) -> Verdict {
        let all = |verdict| self.parts.iter().all(|part| part.result == verdict);
        let any = |verdict| self.parts.iter().any(|part| part.result == verdict);
        if all(Verdict::Applied) && self.errors.is_empty() {
            Verdict::Applied
        } else if any(Verdict::Unknown) && !any(Verdict::Applied) {
            Verdict::Unknown
        } else if self.changed() {
            Verdict::Partly
        } else {
            Verdict::Failed
        }
    }

    fn add(&mut self, other: Self) {
        self.parts.extend(other.parts);
        self.made.extend(other.made);
        self.removed.extend(other.removed);
        self.notes.extend(other.notes);
        self.errors.extend(other.errors);
    }
}

/// Observes everything and says what would be done, in the order of `parts`. A part that could not
/// look fails the whole: half a plan would hide what it does not know.
pub(crate) async fn plan(
    scene: &Scene<'_>,
    parts: &[Box<dyn Part>],
    choice: &Choice,
) -> Result<Vec<Step>, PartError> {
    let chosen = parts.iter().filter(|part| choice.takes(part.kind()));
    let planned = join_all(chosen.map(|part| part.plan(scene))).await;
    let mut steps = Vec::new();
    for one in planned {
        steps.extend(one?);
    }
    Ok(steps)
}

/// Carries the pending steps out. A stage begins when the one before it is done; after a failure the
/// steps of the same stage are still tried, those of later stages are not.
pub(crate) async fn apply(
    scene: &Scene<'_>,
    parts: &[Box<dyn Part>],
    steps: &[Step],
    approved: &Approved,
    tell: &dyn Fn(Progress),
) -> Applied {
    let mut applied = Applied::default();
    for stage in Stage::ALL {
        // What the stage before made is looked up anew.
        scene.forget();
        let failed = stopped_by(&applied.errors, "an earlier stage failed");
        let of_stage = parts.iter().filter(|part| part.stage() == stage);
        let runs = of_stage.map(|part| async move {
            let mut done = Applied::default();
            let pending = steps
                .iter()
                .filter(|step| step.kind == part.kind() && step.action.is_pending());
            for step in pending {
                if let Some(why) = failed {
                    done.parts.push(not_tried(&step.resource(), why));
                } else if scene.interrupt.is_requested() {
                    done.parts.push(not_tried(&step.resource(), "interrupted"));
                    done.errors.push(PartError::Interrupted);
                } else {
                    done.add(carry_out(scene, part.as_ref(), step, approved, tell).await);
                }
            }
            done
        });
        for done in join_all(runs).await {
            applied.add(done);
        }
    }
    applied
}

async fn carry_out(
    scene: &Scene<'_>,
    part: &dyn Part,
    step: &Step,
    approved: &Approved,
    tell: &dyn Fn(Progress),
) -> Applied {
    let resource = step.resource();
    let verb = step.action.word();
    tell(Progress::Begun {
        resource: resource.clone(),
        verb,
    });
    let result = match part.carry_out(scene, step, approved).await {
        Ok(done) => Ok(done),
        Err(PartError::Cloud(error)) if looks_again(&error) => {
            landed(scene, part, step, approved, error).await
        }
        Err(error) => Err(error),
    };
    let mut outcome = PartOutcome::of(&resource);
    let mut applied = Applied::default();
    match result {
        Ok(done) => {
            outcome.changed = done.changed;
            outcome.writes = done.writes;
            if done.changed {
                outcome.added = step.changes.iter().map(ToString::to_string).collect();
            }
            applied.made.extend(done.made);
            applied.notes.extend(done.notes);
            if step.action == Action::Remove {
                applied.removed.push(Claim::new(step.kind, &step.name));
            }
        }
        Err(error) => {
            // Without an answer it may be there: the ledger must not say that it is not.
            outcome.result = match &error {
                PartError::Cloud(error) if error.may_have_landed() => Verdict::Unknown,
                PartError::NotReady { .. } | PartError::Interrupted => Verdict::Unknown,
                _ => Verdict::Failed,
            };
            outcome.error = Some(error.to_string());
            applied.errors.push(error);
        }
    }
    tell(Progress::Ended {
        resource,
        verb,
        result: outcome.result,
    });
    applied.parts.push(outcome);
    applied
}

/// Whether our own write may be behind an error: no answer came, or an attempt before the last one
/// made what the last one then found in its way.
fn looks_again(error: &CloudError) -> bool {
    error.may_have_landed()
        || matches!(error, CloudError::Refused { service_code, .. }
            if service_code.contains("AlreadyExist") || service_code.contains("ResourceInUse")
                || service_code.contains("Duplicate"))
        || matches!(error, CloudError::Conflict { .. })
}

/// Looks whether the step is as meant all the same, and finishes it when its first write landed. Only
/// what carries the event's mark is taken for made by us.
async fn landed(
    scene: &Scene<'_>,
    part: &dyn Part,
    step: &Step,
    approved: &Approved,
    error: CloudError,
) -> Result<Done, PartError> {
    scene.forget();
    let Ok(steps) = part.plan(scene).await else {
        return Err(error.into());
    };
    let Some(now) = steps.into_iter().find(|now| now.name == step.name) else {
        return Err(error.into());
    };
    let made = match step.action {
        Action::Create => {
            let owned = part.owned(scene).await?;
            let found = owned
                .into_iter()
                .find(|one| one.name == step.name && one.marked);
            let Some(found) = found else {
                return Err(error.into());
            };
            Some(Made {
                kind: step.kind.to_owned(),
                name: step.name.clone(),
                id: found.id,
                tags: scene.tags(),
            })
        }
        _ => None,
    };
    let mut done = match now.action {
        Action::Keep => Done::changed(1),
        // Made, and not yet all that it should be: the rest is an ordinary change.
        Action::Change if made.is_some() => part.carry_out(scene, &now, approved).await?,
        _ => return Err(error.into()),
    };
    done.changed = true;
    done.made = done.made.or(made);
    Ok(done)
}

/// Why the later stages are not tried, after these errors: `otherwise` where it was no Ctrl-C.
fn stopped_by(errors: &[PartError], otherwise: &'static str) -> Option<&'static str> {
    let is_interrupt = |error: &PartError| matches!(error, PartError::Interrupted);
    if errors.is_empty() {
        None
    } else if errors.iter().all(is_interrupt) {
        Some("interrupted")
    } else {
        Some(otherwise)
    }
}

fn not_tried(resource: &str, why: &str) -> PartOutcome {
    PartOutcome {
        result: Verdict::Failed,
        error: Some(why.to_owned()),
        ..PartOutcome::of(resource)
    }
}

/// Something that carries the event's mark, and whether teardown takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) owned: Owned,
    pub(crate) stage: Stage,
    /// Why teardown leaves it; none: it goes.
    pub(crate) stays: Option<String>,
}

/// Everything in the account that carries the event's mark, with the verdict of the ledger.
pub(crate) async fn find(
    scene: &Scene<'_>,
    parts: &[Box<dyn Part>],
    choice: &Choice,
) -> Result<Vec<Found>, PartError> {
    let chosen: Vec<&Box<dyn Part>> = parts
        .iter()
        .filter(|part| choice.takes(part.kind()))
        .collect();
    let owned = join_all(chosen.iter().map(|part| part.owned(scene))).await;
    let claims = scene.view.claims();
    let mut found = Vec::new();
    for (part, owned) in chosen.iter().zip(owned) {
        for owned in owned? {
            let claimed = claims.contains(&Claim::new(owned.kind, &owned.name));
            let stays = match (&owned.kept_because, owned.attachment, owned.marked, claimed) {
                (Some(why), ..) => Some(why.clone()),
                (None, true, ..) | (None, false, true, true) => None,
                (None, false, true, false) => Some(
                    "it carries the event's mark, but no ledger entry says that onair made it"
                        .to_owned(),
                ),
                (None, false, false, _) => {
                    Some("it does not carry the event's mark any more".to_owned())
                }
            };
            found.push(Found {
                owned,
                stage: part.stage(),
                stays,
            });
        }
    }
    Ok(found)
}

/// A resource that goes, and what still holds it and was not chosen to go with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Holder {
    pub(crate) held: String,
    pub(crate) by: String,
    /// The holder's kind: named in `--only` it goes, too.
    pub(crate) kind: &'static str,
}

/// What keeps the chosen resources from going, since its kind was left out.
pub(crate) async fn holders(
    scene: &Scene<'_>,
    parts: &[Box<dyn Part>],
    choice: &Choice,
    found: &[Found],
) -> Result<Vec<Holder>, PartError> {
    let mut holders = Vec::new();
    if choice.only.is_empty() && choice.skip.is_empty() {
        return Ok(holders);
    }
    for one in found.iter().filter(|one| one.stays.is_none()) {
        let part = parts.iter().find(|part| part.kind() == one.owned.kind);
        let Some(part) = part else { continue };
        let holder = part.holder(scene, &one.owned).await?;
        holders.extend(
            holder
                .filter(|holder| !choice.takes(holder.kind))
                .map(|holder| Holder {
                    held: one.owned.resource(),
                    by: holder.resource(),
                    kind: holder.kind,
                }),
        );
    }
    Ok(holders)
}

/// Takes down what `find` says goes: attachments first of all, then stage by stage backwards.
pub(crate) async fn take_down(
    scene: &Scene<'_>,
    parts: &[Box<dyn Part>],
    found: &[Found],
    approved: &Approved,
    tell: &dyn Fn(Progress),
) -> Applied {
    let by_kind: BTreeMap<&str, &dyn Part> = parts
        .iter()
        .map(|part| (part.kind(), part.as_ref()))
        .collect();
    let mut applied = Applied::default();
    for stage in Stage::ALL.into_iter().rev() {
        scene.forget();
        let failed = stopped_by(&applied.errors, "what hangs on it is still there");
        let kinds: BTreeSet<&str> = found
            .iter()
            .filter(|one| one.stage == stage && one.stays.is_none())
            .map(|one| one.owned.kind)
            .collect();
        let runs = kinds.into_iter().map(|kind| {
            let part = by_kind[kind];
            async move {
                let mut done = Applied::default();
                for one in found {
                    if one.owned.kind != kind || one.stays.is_some() {
                        continue;
                    }
                    done.add(remove(scene, part, &one.owned, failed, approved, tell).await);
                }
                done
            }
        });
        for done in join_all(runs).await {
            applied.add(done);
        }
    }
    applied
}

async fn remove(
    scene: &Scene<'_>,
    part: &dyn Part,
    owned: &Owned,
    failed: Option<&'static str>,
    approved: &Approved,
    tell: &dyn Fn(Progress),
) -> Applied {
    let resource = owned.resource();
    let verb = if owned.attachment { "detach" } else { "remove" };
    let mut applied = Applied::default();
    if let Some(why) = failed {
        applied.parts.push(not_tried(&resource, why));
        return applied;
    }
    if scene.interrupt.is_requested() {
        applied.parts.push(not_tried(&resource, "interrupted"));
        applied.errors.push(PartError::Interrupted);
        return applied;
    }
    tell(Progress::Begun {
        resource: resource.clone(),
        verb,
    });
    let mut result = part.remove(scene, owned, approved).await;
    if let Err(PartError::Cloud(error)) = &result
        && error.may_have_landed()
    {
        // The answer was lost: what is gone now is gone because of us.
        scene.forget();
        result = match part.owned(scene).await {
            Ok(left) if !left.iter().any(|one| one.name == owned.name) => Ok(()),
            _ => result,
        };
    }
    if matches!(&result, Err(PartError::Cloud(CloudError::NotFound { .. }))) {
        result = Ok(());
    }
    let mut outcome = PartOutcome::of(&resource);
    match result {
        Ok(()) => {
            outcome.changed = true;
            outcome.writes = 1;
            outcome.removed.push(owned.name.clone());
            if !owned.attachment {
                applied.removed.push(Claim::new(owned.kind, &owned.name));
            }
        }
        Err(error) => {
            outcome.result = match &error {
                PartError::Cloud(error) if error.may_have_landed() => Verdict::Unknown,
                PartError::NotReady { .. } | PartError::Interrupted => Verdict::Unknown,
                _ => Verdict::Failed,
            };
            outcome.error = Some(error.to_string());
            applied.errors.push(error);
        }
    }
    tell(Progress::Ended {
        resource,
        verb,
        result: outcome.result,
    });
    applied.parts.push(outcome);
    applied
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_ctrl_c_the_rest_is_called_interrupted_and_not_failed() {
        let other = || PartError::Other("away".to_owned());
        for (errors, expected) in [
            (vec![], None),
            (vec![PartError::Interrupted], Some("interrupted")),
            (
                vec![PartError::Interrupted, PartError::Interrupted],
                Some("interrupted"),
            ),
            (vec![PartError::Interrupted, other()], Some("it failed")),
            (vec![other()], Some("it failed")),
        ] {
            assert_eq!(stopped_by(&errors, "it failed"), expected, "{errors:?}");
        }
    }
}
