//! The key value store of revocations, keys and mode. What it holds is not provision's: an existing
//! store is left as it is.

use async_trait::async_trait;

use super::{MOST_TRIES, every, if_there, is_in_use, may_be_ours};
use crate::cloud::{Approved, CloudError, FunctionStage, StoreSummary};
use crate::provision::{Action, Done, Made, Owned, Part, PartError, Scene, Stage, Step};

const KIND: &str = "key-value-store";

pub(crate) struct StorePart;

#[async_trait(?Send)]
impl Part for StorePart {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn stage(&self) -> Stage {
        Stage::Ground
    }

    async fn plan(&self, scene: &Scene<'_>) -> Result<Vec<Step>, PartError> {
        let Some(tokens) = &scene.runbook.tokens else {
            return Ok(Vec::new());
        };
        let stores = scene.stores().await?;
        let step = match stores.iter().find(|store| store.name == tokens.store) {
            None => Step::create(KIND, &tokens.store)
                .noting("empty; `onair token keys add` puts the first signing key in"),
            Some(store) if store.status.contains("FAIL") => Step::refused(
                KIND,
                &tokens.store,
                format!(
                    "its status is {}; delete it, and run this again",
                    store.status
                ),
            ),
            Some(store) => Step::existing(KIND, &tokens.store, Vec::new(), store.arn.clone()),
        };
        Ok(vec![step])
    }

    async fn carry_out(
        &self,
        scene: &Scene<'_>,
        step: &Step,
        approved: &Approved,
    ) -> Result<Done, PartError> {
        if step.action != Action::Create {
            return Ok(Done::unchanged());
        }
        let comment = format!("onair: revocations and keys of {}", scene.event());
        let comment: String = comment.chars().take(128).collect();
        let made = scene
            .cloud
            .create_store(approved, &step.name, &comment, &scene.tags())
            .await?;
        scene.forget_stores();
        wait_until_ready(scene, &step.name, Some(made.clone())).await?;
        Ok(Done::made(
            1,
            Made {
                kind: KIND.to_owned(),
                name: made.name,
                id: Some(made.arn),
                tags: scene.tags(),
            },
        ))
    }

    async fn owned(&self, scene: &Scene<'_>) -> Result<Vec<Owned>, PartError> {
        let in_runbook = scene.runbook.tokens.as_ref().map(|one| one.store.as_str());
        let mut owned = Vec::new();
        for store in scene.cloud.stores().await? {
            if !may_be_ours(scene, KIND, &store.name, in_runbook) {
                continue;
            }
            let Some(tags) = if_there(scene.cloud.cloudfront_tags(&store.arn).await)? else {
                continue;
            };
            let marked = scene.marks(tags.iter().map(|(key, value)| (&**key, &**value)));
            if marked || scene.claims(KIND, &store.name) {
                owned.push(Owned::new(KIND, &store.name, marked).with_id(&store.arn));
            }
        }
        Ok(owned)
    }

    async fn holder(&self, scene: &Scene<'_>, owned: &Owned) -> Result<Option<Owned>, PartError> {
        let (Some(tokens), Some(arn)) = (&scene.runbook.tokens, &owned.id) else {
            return Ok(None);
        };
        for stage in [FunctionStage::Live, FunctionStage::Development] {
            let read = scene.cloud.function(&tokens.function, stage).await;
            if if_there(read)?.is_some_and(|found| found.value.stores.contains(arn)) {
                return Ok(Some(Owned::new("function", &tokens.function, true)));
            }
        }
        Ok(None)
    }

    async fn remove(
        &self,
        scene: &Scene<'_>,
        owned: &Owned,
        approved: &Approved,
    ) -> Result<(), PartError> {
        scene.forget_stores();
        let mut tries = 0;
        scene
            .wait_until(&owned.resource(), every(scene), async || {
                tries += 1;
                let Some(found) = if_there(scene.cloud.store_named(&owned.name).await)? else {
                    return Ok(None);
                };
                let deleted = scene
                    .cloud
                    .delete_store(approved, &owned.name, &found.version)
                    .await;
                match deleted {
                    Ok(()) => Ok(None),
                    Err(error) if is_in_use(&error) && tries < MOST_TRIES => {
                        Ok(Some(error.to_string()))
                    }
                    Err(error) => Err(error.into()),
                }
            })
            .await
    }
}

/// Waits until the store can be used; `known` is what was read of it just now. Returns its ARN.
pub(super) async fn wait_until_ready(
    scene: &Scene<'_>,
    name: &str,
    known: Option<StoreSummary>,
) -> Result<String, PartError> {
    let mut known = known;
    let mut arn = String::new();
    let resource = format!("{KIND} {name}");
    scene
        .wait_until(&resource, every(scene), async || {
            let store = match known.take() {
                Some(store) => store,
                None => scene.cloud.store_named(name).await?.value,
            };
            arn.clone_from(&store.arn);
            Ok((store.status != "READY").then_some(store.status))
        })
        .await
        .map_err(|error| match error {
            PartError::Cloud(CloudError::NotFound { .. }) => PartError::refused(
                format!("{resource} is not there"),
                "make it first: onair provision --only key-value-store",
            ),
            other => other,
        })?;
    scene.forget_stores();
    Ok(arn)
}
