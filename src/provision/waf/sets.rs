//! The blocklist's IP sets, one a family. What they hold is the ledger's business, not provisioning's.

use std::collections::BTreeSet;

use async_trait::async_trait;

use super::super::{
    Done, Iac, Made, Managed, Owned, Part, PartError, Scene, Stage, Step, fingerprint,
};
use super::{DELETIONS, SETTLING, WRITE_INTERVAL, pairs, section};
use crate::cloud::{Approved, CloudError, IpSetFamily, IpSetSummary};
use crate::event::cidr::{Cidr, Family};
use crate::plan::ip_set::Demand;

const KIND: &str = "ip-set";
const COSTS: &str = "nothing by itself; 100 sets an account";

pub(crate) struct IpSets;

fn wanted(scene: &Scene<'_>) -> Vec<(Family, String)> {
    section(scene)
        .into_iter()
        .flat_map(|waf| {
            [Family::V4, Family::V6].map(|family| (family, waf.ip_set(family).to_owned()))
        })
        .collect()
}

fn description(scene: &Scene<'_>, family: Family) -> String {
    format!("onair: {} blocklist of {}", family, scene.event())
}

async fn find(scene: &Scene<'_>, name: &str) -> Result<Option<IpSetSummary>, CloudError> {
    let sets = scene.cloud.ip_sets().await?;
    Ok(sets.into_iter().find(|set| set.name == name))
}

#[async_trait(?Send)]
impl Part for IpSets {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn stage(&self) -> Stage {
        Stage::Ground
    }

    async fn plan(&self, scene: &Scene<'_>) -> Result<Vec<Step>, PartError> {
        let wanted = wanted(scene);
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let listed = scene.cloud.ip_sets().await?;
        let mut steps = Vec::new();
        for (family, name) in wanted {
            let Some(found) = listed.iter().find(|set| set.name == name) else {
                steps.push(Step::create(KIND, name).costing(COSTS));
                continue;
            };
            let set = scene.cloud.ip_set(&name, &found.id).await?.value;
            if set.family != family_of(family) {
                steps.push(Step::refused(
                    KIND,
                    name,
                    format!(
                        "it is there for the other address family, which WAF cannot change; name another in the runbook's ip-set-{}",
                        if family == Family::V4 { "v4" } else { "v6" }
                    ),
                ));
                continue;
            }
            let tags = scene.cloud.waf_tags(&set.arn).await?;
            let mut step = Step::existing(KIND, name.clone(), Vec::new(), fingerprint(&set.id));
            if !scene.marks(pairs(&tags)) {
                step = step.managed(Managed {
                    by: Iac::of(pairs(&tags), set.description.as_deref().unwrap_or_default()),
                    terraform_type: "aws_wafv2_ip_set",
                    terraform_ignore: vec!["addresses".to_owned()],
                    import_id: format!("{}/{name}/CLOUDFRONT", set.id),
                    cloudformation_type: "AWS::WAFv2::IPSet",
                    cloudformation_properties: vec!["Addresses".to_owned()],
                });
            }
            steps.push(step);
        }
        Ok(steps)
    }

    async fn carry_out(
        &self,
        scene: &Scene<'_>,
        step: &Step,
        approved: &Approved,
    ) -> Result<Done, PartError> {
        if find(scene, &step.name).await?.is_some() {
            return Ok(Done::unchanged());
        }
        let family = wanted(scene)
            .into_iter()
            .find(|(_, name)| *name == step.name)
            .map(|(family, _)| family)
            .ok_or_else(|| PartError::Other(format!("{} is not the runbook's", step.name)))?;
        scene.pace("wafv2-create-ip-set", WRITE_INTERVAL).await;
        let tags = scene.tags();
        let made = scene
            .cloud
            .create_ip_set(
                approved,
                &step.name,
                family_of(family),
                &description(scene, family),
                &tags,
            )
            .await?;
        Ok(Done::made(
            1,
            Made {
                kind: KIND.to_owned(),
                name: made.name,
                id: Some(made.arn),
                tags,
            },
        ))
    }

    async fn owned(&self, scene: &Scene<'_>) -> Result<Vec<Owned>, PartError> {
        let mut names: BTreeSet<String> = wanted(scene).into_iter().map(|(_, name)| name).collect();
        let claimed = scene.view.claims();
        names.extend(
            claimed
                .iter()
                .filter(|claim| claim.kind == KIND)
                .map(|claim| claim.name.clone()),
        );
        let prefix = scene.prefix();
        let mut owned = Vec::new();
        for set in scene.cloud.ip_sets().await? {
            if !names.contains(&set.name) && !set.name.starts_with(&prefix) {
                continue;
            }
            let tags = scene.cloud.waf_tags(&set.arn).await?;
            let marked = scene.marks(pairs(&tags));
            if !marked && !set.name.starts_with(&prefix) {
                continue;
            }
            let read = scene.cloud.ip_set(&set.name, &set.id).await?.value;
            owned.push(Owned {
                costs: Some(COSTS.to_owned()),
                kept_because: held_by_others(scene, &read.addresses),
                ..Owned::new(KIND, set.name, marked).with_id(set.arn)
            });
        }
        Ok(owned)
    }

    async fn holder(&self, scene: &Scene<'_>, owned: &Owned) -> Result<Option<Owned>, PartError> {
        let (Some(waf), Some(arn)) = (&scene.runbook.waf, &owned.id) else {
            return Ok(None);
        };
        let Some(acl) = super::observed(scene, &waf.web_acl).await? else {
            return Ok(None);
        };
        let rules = acl.document.json["Rules"].as_array().into_iter().flatten();
        let mut holding = rules.filter(|rule| rule.to_string().contains(arn.as_str()));
        let name = holding.next().and_then(|rule| rule["Name"].as_str());
        Ok(name.map(|name| Owned::new("web-acl-rule", name, true)))
    }

    async fn remove(
        &self,
        scene: &Scene<'_>,
        owned: &Owned,
        approved: &Approved,
    ) -> Result<(), PartError> {
        for attempt in 1.. {
            let Some(found) = find(scene, &owned.name).await? else {
                return Ok(());
            };
            let set = match scene.cloud.ip_set(&found.name, &found.id).await {
                Ok(set) => set,
                Err(CloudError::NotFound { .. }) => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            scene.pace("wafv2-delete-ip-set", WRITE_INTERVAL).await;
            let deleted = scene
                .cloud
                .delete_ip_set(approved, &set.value.identity(), &set.version)
                .await;
            match deleted {
                Ok(()) | Err(CloudError::NotFound { .. }) => return Ok(()),
                // WAF goes on taking a set for used for some seconds after the rule is gone.
                Err(CloudError::Refused { service_code, .. })
                    if service_code == "WAFAssociatedItemException"
                        && attempt < DELETIONS
                        && !scene.interrupt.is_requested() =>
                {
                    scene.clock.wait(SETTLING).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
        unreachable!("the loop ends with an answer")
    }
}

fn family_of(family: Family) -> IpSetFamily {
    match family {
        Family::V4 => IpSetFamily::V4,
        Family::V6 => IpSetFamily::V6,
    }
}

/// Why a set stays: addresses that no ledger entry explains are someone else's.
fn held_by_others(scene: &Scene<'_>, addresses: &[String]) -> Option<String> {
    let [v4, v6] = [Family::V4, Family::V6].map(|family| Demand::of(&scene.view, None, family));
    let foreign = addresses
        .iter()
        .filter(|text| {
            text.parse::<Cidr>()
                .map_or(true, |cidr| !v4.explains(cidr) && !v6.explains(cidr))
        })
        .count();
    (foreign > 0).then(|| {
        format!("it holds {foreign} addresses that are not in the ledger: onair ip list shows them")
    })
}
