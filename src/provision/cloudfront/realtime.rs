//! The real-time log configuration: which fields of which share of the requests go to which stream.
//! It has no tags and no version to write under.

use async_trait::async_trait;

use super::{MOST_TRIES, distribution_with, every, if_there, is_in_use};
use crate::cloud::{Approved, CloudError, RealtimeLogConfig};
use crate::provision::{
    Difference, Done, Made, Managed, Owned, Part, PartError, Scene, Stage, Step, fingerprint,
};
use crate::runbook::RealtimeLogs;

const KIND: &str = "realtime-log-config";
const COSTS: &str = "a fee for each log line, while it is attached";

pub(crate) struct RealtimeLogPart;

/// The ARN that a configuration of this name has: it holds no random part.
pub(super) fn arn(scene: &Scene<'_>, name: &str) -> String {
    format!(
        "arn:aws:cloudfront::{}:realtime-log-config/{name}",
        scene.account
    )
}

/// The configuration that the runbook asks for; its ARN stays empty.
pub(crate) fn wanted(account: &str, logs: &RealtimeLogs) -> RealtimeLogConfig {
    RealtimeLogConfig {
        name: logs.config.clone(),
        arn: String::new(),
        sampling: logs.sampling,
        fields: logs.fields.clone(),
        stream_arn: format!(
            "arn:aws:kinesis:{}:{}:stream/{}",
            logs.region, account, logs.stream
        ),
        role_arn: logs.role.0.clone(),
    }
}

/// What differs in what provisioning looks after.
pub(crate) fn differences(now: &RealtimeLogConfig, wanted: &RealtimeLogConfig) -> Vec<Difference> {
    let mut changes = Vec::new();
    let sampling = (now.sampling, wanted.sampling);
    Difference::between(
        &mut changes,
        "SamplingRate",
        Some(&sampling.0),
        Some(&sampling.1),
    );
    let missing = |of: &[String], than: &[String]| -> Vec<String> {
        of.iter()
            .filter(|one| !than.contains(one))
            .cloned()
            .collect()
    };
    if now.fields != wanted.fields {
        let lost = missing(&now.fields, &wanted.fields);
        let added = missing(&wanted.fields, &now.fields);
        let words = |sign: &str, fields: &[String]| -> Vec<String> {
            fields
                .iter()
                .map(|field| format!("{sign}{field}"))
                .collect()
        };
        let how = [words("+", &added), words("-", &lost)].concat().join(" ");
        let to = format!("{} fields {how}", wanted.fields.len());
        let from = format!("{} fields", now.fields.len());
        changes.push(Difference::new("Fields", Some(from), Some(to)));
    }
    Difference::between(
        &mut changes,
        "StreamARN",
        Some(&now.stream_arn),
        Some(&wanted.stream_arn),
    );
    Difference::between(
        &mut changes,
        "RoleARN",
        Some(&now.role_arn),
        Some(&wanted.role_arn),
    );
    changes
}

fn fingerprint_of(config: &RealtimeLogConfig) -> String {
    fingerprint(format!("{config:?}"))
}

#[async_trait(?Send)]
impl Part for RealtimeLogPart {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn stage(&self) -> Stage {
        Stage::Built
    }

    async fn plan(&self, scene: &Scene<'_>) -> Result<Vec<Step>, PartError> {
        let Some(logs) = &scene.runbook.logs.realtime else {
            return Ok(Vec::new());
        };
        let now = if_there(scene.cloud.realtime_log_config(&logs.config).await)?;
        let Some(now) = now else {
            return Ok(vec![Step::create(KIND, &logs.config).costing(COSTS)]);
        };
        let changes = differences(&now, &wanted(&scene.account, logs));
        let mut step = Step::existing(KIND, &logs.config, changes, fingerprint_of(&now));
        if step.action.is_pending() && !scene.claims(KIND, &logs.config) {
            step = step.managed(Managed {
                by: None,
                terraform_type: "aws_cloudfront_realtime_log_config",
                terraform_ignore: ["sampling_rate", "fields", "endpoint"]
                    .map(str::to_owned)
                    .to_vec(),
                import_id: now.arn,
                cloudformation_type: "AWS::CloudFront::RealtimeLogConfig",
                cloudformation_properties: ["SamplingRate", "Fields", "EndPoints"]
                    .map(str::to_owned)
                    .to_vec(),
            });
        }
        Ok(vec![step])
    }

    async fn carry_out(
        &self,
        scene: &Scene<'_>,
        step: &Step,
        approved: &Approved,
    ) -> Result<Done, PartError> {
        let Some(logs) = &scene.runbook.logs.realtime else {
            return Ok(Done::unchanged());
        };
        let wanted = wanted(&scene.account, logs);
        let now = if_there(scene.cloud.realtime_log_config(&logs.config).await)?;
        let Some(now) = now else {
            let arn = scene
                .cloud
                .create_realtime_log_config(approved, &wanted)
                .await?;
            let made = Made {
                kind: KIND.to_owned(),
                name: wanted.name,
                id: Some(arn),
                tags: Vec::new(),
            };
            return Ok(Done::made(1, made));
        };
        let changes = differences(&now, &wanted);
        if changes.is_empty() {
            return Ok(Done::unchanged());
        }
        scene.check_unmoved(step, &fingerprint_of(&now), || {
            let changes: Vec<String> = changes.iter().map(Difference::as_found).collect();
            changes.join("; ")
        })?;
        scene
            .cloud
            .update_realtime_log_config(approved, &wanted)
            .await?;
        Ok(Done::changed(1))
    }

    async fn owned(&self, scene: &Scene<'_>) -> Result<Vec<Owned>, PartError> {
        let configs = scene.cloud.realtime_log_configs().await?;
        Ok(configs
            .into_iter()
            .filter_map(|config| {
                let marked = config.name.starts_with(&scene.prefix());
                (marked || scene.claims(KIND, &config.name)).then(|| {
                    Owned::new(KIND, &config.name, marked)
                        .with_id(config.arn)
                        .costing(COSTS)
                })
            })
            .collect())
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
                let deleted = scene
                    .cloud
                    .delete_realtime_log_config(approved, &owned.name);
                match deleted.await {
                    Ok(()) | Err(CloudError::NotFound { .. }) => Ok(None),
                    Err(error) if is_in_use(&error) && tries < MOST_TRIES => {
                        Ok(Some(error.to_string()))
                    }
                    Err(error) => Err(error.into()),
                }
            })
            .await
    }
}
