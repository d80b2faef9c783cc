//! The web ACL itself: made only where the runbook names one of the event's own and it is missing.
//! One that is there, whoever made it, is left as it is but for the event's rules.

use async_trait::async_trait;
use serde_json::json;

use super::super::{Done, Made, Owned, Part, PartError, Scene, Stage, Step, fingerprint};
use super::{DELETIONS, SETTLING, WRITE_INTERVAL, managed_acl, observed, pairs, section};
use crate::cloud::{Approved, CloudError, WebAclSummary};
use crate::plan::web_acl::visibility;

const KIND: &str = "web-acl";
const COSTS: &str = "a monthly fee, one for each rule, and one for each request";

pub(crate) struct WebAcl;

#[async_trait(?Send)]
impl Part for WebAcl {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn stage(&self) -> Stage {
        Stage::Ground
    }

    async fn plan(&self, scene: &Scene<'_>) -> Result<Vec<Step>, PartError> {
        let Some(waf) = section(scene) else {
            return Ok(Vec::new());
        };
        let name = waf.web_acl.as_str();
        let step = match observed(scene, name).await? {
            Some(acl) => {
                let tags = scene.cloud.waf_tags(&acl.document.arn).await?;
                let step = Step::existing(KIND, name, Vec::new(), fingerprint(acl.document.id()));
                if scene.marks(pairs(&tags)) {
                    step.costing(COSTS)
                } else {
                    step.managed(managed_acl(&acl, &tags))
                }
            }
            None if name.starts_with(&scene.prefix()) => Step::create(KIND, name).costing(COSTS),
            None => Step::refused(
                KIND,
                name,
                format!(
                    "there is no web ACL of this name (scope CLOUDFRONT); make it, or name one that begins with {} in the runbook: that one provision makes",
                    scene.prefix()
                ),
            ),
        };
        Ok(vec![step])
    }

    async fn carry_out(
        &self,
        scene: &Scene<'_>,
        step: &Step,
        approved: &Approved,
    ) -> Result<Done, PartError> {
        if observed(scene, &step.name).await?.is_some() {
            return Ok(Done::unchanged());
        }
        scene.pace("wafv2-create-web-acl", WRITE_INTERVAL).await;
        let tags = scene.tags();
        let document = json!({"Rules": [], "VisibilityConfig": visibility(&step.name)});
        let description = format!("onair: viewers of {}", scene.event());
        let made = scene
            .cloud
            .create_web_acl(approved, &step.name, &description, &document, &tags)
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
        let prefix = scene.prefix();
        let claimed = scene.view.claims();
        let mut owned = Vec::new();
        for acl in scene.cloud.web_acls().await? {
            let ours = claimed
                .iter()
                .any(|claim| claim.kind == KIND && claim.name == acl.name);
            if !ours && !acl.name.starts_with(&prefix) {
                continue;
            }
            let tags = scene.cloud.waf_tags(&acl.arn).await?;
            let owned_acl = Owned::new(KIND, acl.name, scene.marks(pairs(&tags)));
            owned.push(owned_acl.with_id(acl.arn).costing(COSTS));
        }
        Ok(owned)
    }

    async fn holder(&self, scene: &Scene<'_>, owned: &Owned) -> Result<Option<Owned>, PartError> {
        super::super::cloudfront::distribution_with(scene, owned).await
    }

    async fn remove(
        &self,
        scene: &Scene<'_>,
        owned: &Owned,
        approved: &Approved,
    ) -> Result<(), PartError> {
        for attempt in 1.. {
            let Some(acl) = observed(scene, &owned.name).await? else {
                return Ok(());
            };
            scene.pace("wafv2-delete-web-acl", WRITE_INTERVAL).await;
            let summary = WebAclSummary {
                name: acl.document.name.clone(),
                id: acl.document.id().to_owned(),
                arn: acl.document.arn.clone(),
            };
            let deleted = scene
                .cloud
                .delete_web_acl(approved, &summary, &acl.lock_token)
                .await;
            match deleted {
                Ok(()) | Err(CloudError::NotFound { .. }) => return Ok(()),
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
