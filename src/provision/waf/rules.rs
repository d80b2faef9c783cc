//! The event's rules in the web ACL. Each rule is a step of its own, so that each is claimed and
//! shown by name; the first that is carried out writes all of them in one update.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;

use super::super::{
    Difference, Done, Made, Owned, Part, PartError, Scene, Stage, Step, fingerprint,
};
use super::{WRITE_INTERVAL, managed_acl, observed, pairs, section};
use crate::cloud::{Approved, CloudError};
use crate::event::cidr::Family;
use crate::observe::ObservedAcl;
use crate::plan::rules::open_moves;
use crate::plan::web_acl::{
    AclPlan, Basis, CAPACITY_LIMIT, ChangeKind, RuleChange, Served, WantedRule, plan_acl, served,
    wanted_rules, without_ours,
};
use crate::runbook::Waf;

const KIND: &str = "web-acl-rule";
const RIGHTS_NOTE: &str = "viewers outside these states get 403 from WAF, whose custom responses do not take the edge function's 451";
const COSTS: &str = "a monthly fee for each rule; some managed lists one for each request";

/// Stands in an ARN for the id of an IP set that an earlier stage is about to make.
const NOT_MADE_YET: &str = "made-by-this-run";

pub(crate) struct Rules;

/// The web ACL and what it should hold.
struct Held {
    acl: ObservedAcl,
    wanted: Vec<WantedRule>,
    plan: AclPlan,
    /// Whether both IP sets are there, so that WAF can check the rules.
    complete: bool,
}

async fn look(scene: &Scene<'_>, waf: &Waf) -> Result<Option<Held>, PartError> {
    let (acl, sets) = futures_util::join!(observed(scene, &waf.web_acl), scene.cloud.ip_sets());
    let Some(acl) = acl? else {
        return Ok(None);
    };
    let listed = sets?;
    let arns: BTreeMap<Family, String> = [Family::V4, Family::V6]
        .into_iter()
        .map(|family| {
            let name = waf.ip_set(family);
            let arn = listed
                .iter()
                .find(|set| set.name == name)
                .map_or_else(|| arn_to_be(scene, name), |set| set.arn.clone());
            (family, arn)
        })
        .collect();
    let wanted = wanted(scene, waf, &arns);
    let plan = plan_acl(&acl.document.json, &basis(scene, waf, &wanted));
    let complete = !arns.values().any(|arn| arn.ends_with(NOT_MADE_YET));
    Ok(Some(Held {
        acl,
        wanted,
        plan,
        complete,
    }))
}

fn arn_to_be(scene: &Scene<'_>, name: &str) -> String {
    format!(
        "arn:aws:wafv2:us-east-1:{}:global/ipset/{name}/{NOT_MADE_YET}",
        scene.account
    )
}

fn wanted(scene: &Scene<'_>, waf: &Waf, arns: &BTreeMap<Family, String>) -> Vec<WantedRule> {
    let states = scene
        .runbook
        .geo
        .as_ref()
        .map_or(&[][..], |geo| &geo.states);
    wanted_rules(scene.event(), waf, states, arns)
}

fn basis<'a>(scene: &Scene<'_>, waf: &Waf, wanted: &'a [WantedRule]) -> Basis<'a> {
    Basis {
        prefix: scene.prefix(),
        wanted,
        moves: open_moves(&scene.view, &waf.web_acl)
            .into_iter()
            .map(|(rule, (ask, _))| (rule, ask.wanted))
            .collect(),
        made: claimed(scene),
    }
}

/// Names of the rules that the ledger says we made.
fn claimed(scene: &Scene<'_>) -> BTreeSet<String> {
    scene
        .view
        .claims()
        .into_iter()
        .filter(|claim| claim.kind == KIND)
        .map(|claim| claim.name)
        .collect()
}

#[async_trait(?Send)]
impl Part for Rules {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn stage(&self) -> Stage {
        Stage::Built
    }

    async fn plan(&self, scene: &Scene<'_>) -> Result<Vec<Step>, PartError> {
        let Some(waf) = section(scene) else {
            return Ok(Vec::new());
        };
        let Some(held) = look(scene, waf).await? else {
            return Ok(unmade(scene, waf));
        };
        let token = fingerprint(&held.acl.lock_token);
        let tags = scene.cloud.waf_tags(&held.acl.document.arn).await?;
        let managed = (!scene.marks(pairs(&tags))).then(|| managed_acl(&held.acl, &tags));
        let mut notes = held.plan.notes.clone();
        let too_large = too_large(scene, &held, &mut notes).await?;
        let mut steps: Vec<Step> = Vec::new();
        for change in &held.plan.changes {
            let mut step = step_of(change, &token).touching(&waf.web_acl);
            step.managed.clone_from(&managed);
            if let Some(why) = &too_large {
                step = Step::refused(KIND, change.rule.clone(), why.clone());
            }
            steps.push(step);
        }
        for wanted in &held.wanted {
            let name = match served(&held.acl.document.json, wanted) {
                Served::Ours => &wanted.name,
                Served::Adopted(name) => &name.clone(),
                Served::Missing => continue,
            };
            if !steps.iter().any(|step| step.name == *name) {
                let mut step = Step::existing(KIND, name, Vec::new(), token.clone());
                step = step.touching(&waf.web_acl);
                step.managed.clone_from(&managed);
                steps.push(step);
            }
        }
        if let Some(first) = steps.first_mut()
            && first.note.is_none()
            && !notes.is_empty()
        {
            first.note = Some(notes.join("; "));
        }
        Ok(steps)
    }

    async fn carry_out(
        &self,
        scene: &Scene<'_>,
        step: &Step,
        approved: &Approved,
    ) -> Result<Done, PartError> {
        let waf = section(scene)
            .ok_or_else(|| PartError::Other("the runbook has no [waf]".to_owned()))?;
        let held = look(scene, waf).await?.ok_or_else(|| {
            PartError::refused(
                format!("there is no web ACL named {}", waf.web_acl),
                "onair provision --dry-run",
            )
        })?;
        let pending = held
            .plan
            .changes
            .iter()
            .find(|change| change.rule == step.name);
        let made = Made {
            kind: KIND.to_owned(),
            name: step.name.clone(),
            id: Some(held.acl.document.arn.clone()),
            tags: Vec::new(),
        };
        let creates = step.claims.then_some(made);
        let Some(pending) = pending else {
            // An earlier step of this run wrote all rules at once.
            return Ok(Done {
                made: creates,
                ..Done::unchanged()
            });
        };
        // A web ACL that an earlier stage made was not there when the plan was.
        if !step.fingerprint.is_empty() {
            let moved = || {
                let fields: Vec<&str> = pending
                    .differences
                    .iter()
                    .map(|difference| difference.field)
                    .collect();
                format!(
                    "web ACL {} was written by somebody else; {} of {} still differ",
                    waf.web_acl,
                    fields.join(", "),
                    step.name
                )
            };
            scene.check_unmoved(step, &fingerprint(&held.acl.lock_token), moved)?;
        }
        scene.pace("wafv2-update-web-acl", WRITE_INTERVAL).await;
        let mut document = held.acl.document.clone();
        document.json = held.plan.after;
        let written = scene
            .cloud
            .update_web_acl(approved, &document, &held.acl.lock_token)
            .await;
        match written {
            Ok(_) => Ok(Done {
                made: creates,
                ..Done::changed(1)
            }),
            // WAF may not know a set yet that was made a moment ago; the runner's next try does.
            Err(error @ CloudError::Conflict { .. }) => Err(PartError::Moved {
                resource: format!("web-acl {}", waf.web_acl),
                moved: error.to_string(),
            }),
            Err(error) => Err(error.into()),
        }
    }

    async fn owned(&self, scene: &Scene<'_>) -> Result<Vec<Owned>, PartError> {
        let Some(waf) = section(scene) else {
            return Ok(Vec::new());
        };
        let Some(acl) = observed(scene, &waf.web_acl).await? else {
            return Ok(Vec::new());
        };
        let prefix = scene.prefix();
        let rules = acl.document.json["Rules"].as_array().into_iter().flatten();
        Ok(rules
            .filter_map(|rule| rule["Name"].as_str())
            .filter(|name| name.starts_with(&prefix))
            .map(|name| {
                Owned::new(KIND, name, true)
                    .with_id(acl.document.arn.clone())
                    .costing(COSTS)
            })
            .collect())
    }

    async fn remove(
        &self,
        scene: &Scene<'_>,
        owned: &Owned,
        approved: &Approved,
    ) -> Result<(), PartError> {
        let Some(waf) = section(scene) else {
            return Ok(());
        };
        let Some(acl) = observed(scene, &waf.web_acl).await? else {
            return Ok(());
        };
        // All that the ledger says we made goes with one update; the calls after it find nothing.
        let mut basis = basis(scene, waf, &[]);
        basis.made.insert(owned.name.clone());
        let plan = without_ours(&acl.document.json, &basis);
        if !plan.changes_something() {
            return Ok(());
        }
        scene.pace("wafv2-update-web-acl", WRITE_INTERVAL).await;
        let mut document = acl.document.clone();
        document.json = plan.after;
        scene
            .cloud
            .update_web_acl(approved, &document, &acl.lock_token)
            .await?;
        Ok(())
    }
}

/// The steps of a web ACL that an earlier stage makes.
fn unmade(scene: &Scene<'_>, waf: &Waf) -> Vec<Step> {
    let arns = [Family::V4, Family::V6]
        .into_iter()
        .map(|family| (family, arn_to_be(scene, waf.ip_set(family))))
        .collect();
    let can_be_made = waf.web_acl.starts_with(&scene.prefix());
    wanted(scene, waf, &arns)
        .into_iter()
        .map(|rule| {
            if can_be_made {
                Step::create(KIND, rule.name).costing(COSTS)
            } else {
                Step::refused(
                    KIND,
                    rule.name,
                    format!("there is no web ACL named {}", waf.web_acl),
                )
            }
        })
        .collect()
}

fn step_of(change: &RuleChange, token: &str) -> Step {
    let differences: Vec<Difference> = change
        .differences
        .iter()
        .map(|one| {
            let given = |text: &str| (text != "(none)").then(|| text.to_owned());
            Difference::new(
                format!("{}.{}", change.rule, one.field),
                given(&one.from),
                given(&one.to),
            )
        })
        .collect();
    let name = change.rule.clone();
    match change.kind {
        ChangeKind::Create => Step {
            changes: differences,
            fingerprint: token.to_owned(),
            note: change
                .rule
                .contains("-rights-")
                .then(|| RIGHTS_NOTE.to_owned()),
            ..Step::create(KIND, name).costing(COSTS)
        },
        ChangeKind::Change => Step::existing(KIND, name, differences, token.to_owned()),
        ChangeKind::Renumber => Step::existing(KIND, name, differences, token.to_owned())
            .noting("not onair's: only its number changes, its order among the others does not"),
        ChangeKind::Remove => Step {
            action: super::super::Action::Remove,
            ..Step::existing(KIND, name, differences, token.to_owned())
        },
    }
}

/// Why the rules do not fit, if they do not; WAF is asked where only it knows what they cost.
async fn too_large(
    scene: &Scene<'_>,
    held: &Held,
    notes: &mut Vec<String>,
) -> Result<Option<String>, PartError> {
    if !held.plan.changes_something() {
        return Ok(None);
    }
    let needed = match held.plan.capacity.1 {
        Some(needed) => Some(needed),
        None if held.complete => {
            let rules = held.plan.after["Rules"].as_array();
            match scene
                .cloud
                .check_capacity(rules.map_or(&[], Vec::as_slice))
                .await
            {
                Ok(needed) => Some(needed),
                // Rules of kinds that only an update may name; the update will tell.
                Err(error @ CloudError::Refused { .. }) => {
                    notes.push(format!("what the rules cost is not known: {error}"));
                    None
                }
                Err(error) => return Err(error.into()),
            }
        }
        None => None,
    };
    Ok(needed.filter(|needed| *needed > CAPACITY_LIMIT).map(|needed| {
        format!(
            "the web ACL would need {needed} WCU, {} more than the {CAPACITY_LIMIT} that it may have; drop a managed list or a rule",
            needed - CAPACITY_LIMIT
        )
    }))
}
