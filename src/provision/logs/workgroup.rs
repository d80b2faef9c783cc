//! The Athena workgroup. One named `onair-…` is made and kept as the runbook says; any other is
//! somebody's, and only looked at.

use async_trait::async_trait;

use super::{gone, is_marked, made, not_now, tags, there, words};
use crate::cloud::{Approved, CloudError, Tags, WorkGroup};
use crate::provision::{
    Action, Difference, Done, Owned, Part, PartError, Scene, Stage, Step, fingerprint,
};

const KIND: &str = "workgroup";

pub(super) struct WorkgroupPart;

struct Observed {
    workgroup: WorkGroup,
    tags: Tags,
}

#[async_trait(?Send)]
impl Part for WorkgroupPart {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn stage(&self) -> Stage {
        Stage::Ground
    }

    async fn plan(&self, scene: &Scene<'_>) -> Result<Vec<Step>, PartError> {
        let Some(wanted) = wanted(scene) else {
            return Ok(Vec::new());
        };
        let observed = observe(scene, &wanted.name).await?;
        Ok(vec![step(scene, &wanted, observed.as_ref())])
    }

    async fn carry_out(
        &self,
        scene: &Scene<'_>,
        planned: &Step,
        approved: &Approved,
    ) -> Result<Done, PartError> {
        let Some(wanted) = wanted(scene) else {
            return Ok(Done::unchanged());
        };
        let observed = observe(scene, &wanted.name).await?;
        let now = step(scene, &wanted, observed.as_ref());
        match now.action {
            Action::Keep => return Ok(Done::unchanged()),
            Action::Refused => return Err(not_now(&now)),
            _ => scene.check_unmoved(planned, &now.fingerprint, || words(&now))?,
        }
        if observed.is_some() {
            scene.cloud.update_workgroup(approved, &wanted).await?;
            return Ok(Done::changed(1));
        }
        let description = format!("Queries of {}; made by onair", scene.event());
        scene
            .cloud
            .create_workgroup(approved, &wanted, &description, &tags(scene))
            .await?;
        Ok(Done::made(
            1,
            made(scene, planned, Some(arn(scene, &wanted.name))),
        ))
    }

    async fn owned(&self, scene: &Scene<'_>) -> Result<Vec<Owned>, PartError> {
        let Some(wanted) = wanted(scene) else {
            return Ok(Vec::new());
        };
        let Some(observed) = observe(scene, &wanted.name).await? else {
            return Ok(Vec::new());
        };
        let is_marked = is_marked(scene, &observed.tags);
        Ok(if is_marked || scene.claims(KIND, &wanted.name) {
            let id = arn(scene, &wanted.name);
            vec![Owned::new(KIND, wanted.name, is_marked).with_id(id)]
        } else {
            Vec::new()
        })
    }

    async fn remove(
        &self,
        scene: &Scene<'_>,
        owned: &Owned,
        approved: &Approved,
    ) -> Result<(), PartError> {
        gone(scene.cloud.delete_workgroup(approved, &owned.name).await)?;
        Ok(())
    }
}

fn wanted(scene: &Scene<'_>) -> Option<WorkGroup> {
    let athena = scene.runbook.athena.as_ref()?;
    Some(WorkGroup {
        name: athena.workgroup.clone(),
        enabled: true,
        scan_limit: Some(athena.max_scan),
        output: athena.output.clone(),
        enforced: true,
    })
}

fn arn(scene: &Scene<'_>, name: &str) -> String {
    let region = &scene.runbook.aws.region;
    format!("arn:aws:athena:{region}:{}:workgroup/{name}", scene.account)
}

async fn observe(scene: &Scene<'_>, name: &str) -> Result<Option<Observed>, CloudError> {
    let Some(workgroup) = there(scene.cloud.workgroup(name).await)? else {
        return Ok(None);
    };
    // Tags say only whether a workgroup of ours is ours.
    let tags = if is_ours_by_name(name) {
        there(scene.cloud.workgroup_tags(&arn(scene, name)).await)?.unwrap_or_default()
    } else {
        Tags::new()
    };
    Ok(Some(Observed { workgroup, tags }))
}

fn is_ours_by_name(name: &str) -> bool {
    name.starts_with("onair-")
}

fn step(scene: &Scene<'_>, wanted: &WorkGroup, observed: Option<&Observed>) -> Step {
    let name = wanted.name.as_str();
    let Some(Observed { workgroup, tags }) = observed else {
        return if is_ours_by_name(name) {
            Step::create(KIND, name)
        } else {
            Step::refused(
                KIND,
                name,
                "it is not there, and onair makes workgroups named onair-… alone: make it, or name \
                 another in [athena] workgroup",
            )
        };
    };
    let print = fingerprint(format!("{workgroup:?}"));
    if !is_marked(scene, tags) && !scene.claims(KIND, name) {
        let step = Step::existing(KIND, name, Vec::new(), print);
        let limit = wanted.scan_limit.unwrap_or(u64::MAX);
        return match workgroup.scan_limit {
            None => step.noting("adopted; it has no limit on what a query may scan"),
            Some(has) if has > limit => step.noting(format!(
                "adopted; a query may scan {has} bytes, more than the runbook's {limit}"
            )),
            Some(_) => step.noting("adopted: it was not made by onair"),
        };
    }
    let mut changes = Vec::new();
    Difference::between(
        &mut changes,
        "BytesScannedCutoffPerQuery",
        workgroup.scan_limit.as_ref(),
        wanted.scan_limit.as_ref(),
    );
    if wanted.output.is_some() {
        Difference::between(
            &mut changes,
            "OutputLocation",
            workgroup.output.as_ref(),
            wanted.output.as_ref(),
        );
    }
    Difference::between(
        &mut changes,
        "EnforceWorkGroupConfiguration",
        Some(&workgroup.enforced),
        Some(&wanted.enforced),
    );
    Difference::between(
        &mut changes,
        "enabled",
        Some(&workgroup.enabled),
        Some(&wanted.enabled),
    );
    Step::existing(KIND, name, changes, print)
}
