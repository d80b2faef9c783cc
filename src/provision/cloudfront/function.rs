//! The edge function: its code, its store, and that what is published is what was sent.

use async_trait::async_trait;
use futures_util::join;

use super::store::wait_until_ready;
use super::{MOST_TRIES, distribution_with, every, function_arn, if_there, is_in_use, may_be_ours};
use crate::cloud::{Approved, CloudError, FunctionCode, FunctionStage};
use crate::edge::gate;
use crate::provision::{
    Action, Difference, Done, Made, Managed, Owned, Part, PartError, Scene, Stage, Step,
    fingerprint,
};
use crate::runbook::{Runbook, Tokens};

const KIND: &str = "function";

pub(crate) struct FunctionPart;

/// A function as it is in its two stages.
struct Observed {
    etag: String,
    stores: Vec<String>,
    runtime: String,
    code: Vec<u8>,
    live: Option<Live>,
}

#[derive(PartialEq)]
struct Live {
    stores: Vec<String>,
    code: Vec<u8>,
}

impl Observed {
    fn fingerprint(&self) -> String {
        let live = self.live.as_ref().map(|live| fingerprint(&live.code));
        fingerprint(format!("{} {live:?}", self.etag))
    }

    /// What differs from `code` reading `store` (none: the store is still to be made).
    fn differences(&self, code: &[u8], store: Option<&str>) -> Vec<Difference> {
        let mut changes = Vec::new();
        let short = |code: &[u8]| format!("{} bytes, {}", code.len(), fingerprint(code));
        if self.code != code {
            changes.push(Difference::new(
                "FunctionCode",
                Some(short(&self.code)),
                Some(short(code)),
            ));
        }
        if self.runtime != FunctionCode::RUNTIME {
            changes.push(Difference::new(
                "Runtime",
                Some(self.runtime.clone()),
                Some(FunctionCode::RUNTIME),
            ));
        }
        if self.stores.first().map(String::as_str) != store || store.is_none() {
            changes.push(Difference::new(
                "KeyValueStoreAssociations",
                self.stores.first().cloned(),
                Some(store.unwrap_or("made by this run").to_owned()),
            ));
        }
        let is_live = self.live.as_ref().is_some_and(|live| {
            live.code == code && live.stores.first().map(String::as_str) == store
        });
        if !is_live {
            let from = self.live.as_ref().map(|live| short(&live.code));
            changes.push(Difference::new("LIVE", from, Some(short(code))));
        }
        changes
    }

    /// Whether it is one of ours by its first line, whatever its version.
    fn is_gate(&self) -> bool {
        String::from_utf8_lossy(&self.code)
            .lines()
            .any(|line| line.contains("onair"))
    }
}

/// The function's code for this runbook.
fn code(runbook: &Runbook) -> Vec<u8> {
    gate::render(runbook).into_bytes()
}

async fn observe(scene: &Scene<'_>, name: &str) -> Result<Option<Observed>, PartError> {
    let cloud = scene.cloud;
    let (development, code, live, live_code) = join!(
        cloud.function(name, FunctionStage::Development),
        cloud.function_code(name, FunctionStage::Development),
        cloud.function(name, FunctionStage::Live),
        cloud.function_code(name, FunctionStage::Live),
    );
    let Some(development) = if_there(development)? else {
        return Ok(None);
    };
    let live = match (if_there(live)?, if_there(live_code)?) {
        (Some(live), Some(code)) => Some(Live {
            stores: live.value.stores,
            code,
        }),
        _ => None,
    };
    Ok(Some(Observed {
        etag: development.version,
        stores: development.value.stores,
        runtime: development.value.runtime,
        code: code?,
        live,
    }))
}

async fn is_marked(scene: &Scene<'_>, name: &str) -> Result<bool, PartError> {
    let tags = if_there(
        scene
            .cloud
            .cloudfront_tags(&function_arn(scene, name))
            .await,
    )?;
    let tags = tags.unwrap_or_default();
    Ok(scene.marks(tags.iter().map(|(key, value)| (&**key, &**value))))
}

fn managed(name: &str) -> Managed {
    Managed {
        by: None,
        terraform_type: "aws_cloudfront_function",
        terraform_ignore: ["code", "key_value_store_associations", "publish"]
            .map(str::to_owned)
            .to_vec(),
        import_id: name.to_owned(),
        cloudformation_type: "AWS::CloudFront::Function",
        cloudformation_properties: ["FunctionCode", "FunctionConfig", "AutoPublish"]
            .map(str::to_owned)
            .to_vec(),
    }
}

#[async_trait(?Send)]
impl Part for FunctionPart {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn stage(&self) -> Stage {
        Stage::Built
    }

    async fn plan(&self, scene: &Scene<'_>) -> Result<Vec<Step>, PartError> {
        let Some(tokens) = &scene.runbook.tokens else {
            return Ok(Vec::new());
        };
        let name = &tokens.function;
        let (observed, stores) = join!(observe(scene, name), scene.stores());
        let (observed, stores) = (observed?, stores?);
        let code = code(scene.runbook);
        let Some(observed) = observed else {
            return Ok(vec![Step::create(KIND, name)]);
        };
        let store = stores.iter().find(|store| store.name == tokens.store);
        let changes = observed.differences(&code, store.map(|store| store.arn.as_str()));
        let ours = changes.is_empty()
            || observed.is_gate()
            || scene.claims(KIND, name)
            || is_marked(scene, name).await?;
        if !ours {
            return Ok(vec![Step::refused(
                KIND,
                name,
                "a function of this name is there, and it is not onair's: name another in tokens.function",
            )]);
        }
        let mut step = Step::existing(KIND, name, changes, observed.fingerprint());
        if step.action == Action::Change && !scene.claims(KIND, name) {
            step = step.managed(managed(name));
        }
        Ok(vec![step])
    }

    async fn carry_out(
        &self,
        scene: &Scene<'_>,
        step: &Step,
        approved: &Approved,
    ) -> Result<Done, PartError> {
        let Some(tokens) = &scene.runbook.tokens else {
            return Ok(Done::unchanged());
        };
        let store = wait_until_ready(scene, &tokens.store, None).await?;
        let wanted = wanted(scene, tokens, store);
        let cloud = scene.cloud;
        let Some(observed) = observe(scene, &step.name).await? else {
            if step.action != Action::Create {
                return Err(PartError::Moved {
                    resource: step.resource(),
                    moved: "it is gone".to_owned(),
                });
            }
            let made = cloud
                .create_function(approved, &wanted, &scene.tags())
                .await?;
            cloud
                .publish_function(approved, &step.name, &made.version)
                .await?;
            let made = Made {
                kind: KIND.to_owned(),
                name: step.name.clone(),
                id: Some(made.value.arn),
                tags: scene.tags(),
            };
            return Ok(Done::made(2, made));
        };
        let changes = observed.differences(&wanted.code, wanted.store.as_deref());
        if changes.is_empty() {
            return Ok(Done::unchanged());
        }
        scene.check_unmoved(step, &observed.fingerprint(), || {
            let changes: Vec<String> = changes.iter().map(Difference::as_found).collect();
            changes.join("; ")
        })?;
        let mut writes = 0;
        let sent = changes.iter().any(|change| change.field != "LIVE");
        if sent {
            cloud
                .update_function(approved, &wanted, &observed.etag)
                .await?;
            writes += 1;
        }
        let version = if sent {
            let read = cloud.function(&step.name, FunctionStage::Development);
            read.await?.version
        } else {
            observed.etag
        };
        cloud
            .publish_function(approved, &step.name, &version)
            .await?;
        Ok(Done::changed(writes + 1))
    }

    async fn owned(&self, scene: &Scene<'_>) -> Result<Vec<Owned>, PartError> {
        let tokens = scene.runbook.tokens.as_ref();
        let in_runbook = tokens.map(|one| one.function.as_str());
        let mut owned = Vec::new();
        for function in scene.cloud.functions().await? {
            if !may_be_ours(scene, KIND, &function.name, in_runbook) {
                continue;
            }
            let marked = is_marked(scene, &function.name).await?;
            if marked || scene.claims(KIND, &function.name) {
                owned.push(Owned::new(KIND, &function.name, marked).with_id(&function.arn));
            }
        }
        Ok(owned)
    }

    async fn holder(&self, scene: &Scene<'_>, owned: &Owned) -> Result<Option<Owned>, PartError> {
        distribution_with(scene, owned).await
    }

    async fn remove(
        &self,
        scene: &Scene<'_>,
        owned: &Owned,
        approved: &Approved,
    ) -> Result<(), PartError> {
        let mut tries = 0;
        scene
            .wait_until(&owned.resource(), every(scene), async || {
                tries += 1;
                let read = scene
                    .cloud
                    .function(&owned.name, FunctionStage::Development);
                let Some(found) = if_there(read.await)? else {
                    return Ok(None);
                };
                let deleted = scene
                    .cloud
                    .delete_function(approved, &owned.name, &found.version);
                match deleted.await {
                    Ok(()) | Err(CloudError::NotFound { .. }) => Ok(None),
                    // Taken off the distributions, and not yet at every edge.
                    Err(error) if is_in_use(&error) && tries < MOST_TRIES => {
                        Ok(Some(error.to_string()))
                    }
                    Err(error) => Err(error.into()),
                }
            })
            .await
    }
}

fn wanted(scene: &Scene<'_>, tokens: &Tokens, store: String) -> FunctionCode {
    let comment = format!("onair: who may watch {}", scene.event());
    FunctionCode {
        name: tokens.function.clone(),
        comment: comment.chars().take(128).collect(),
        store: Some(store),
        code: code(scene.runbook),
    }
}
