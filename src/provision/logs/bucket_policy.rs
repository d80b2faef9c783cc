//! The statement of the log bucket's policy that lets the log service write the event's access logs.
//! The one that the service adds by itself fits its own default path alone.

use async_trait::async_trait;
use serde_json::Value;

use super::{made, not_now, there, words};
use crate::cloud::Approved;
use crate::plan::log_delivery;
use crate::provision::{
    Action, Difference, Done, Owned, Part, PartError, Scene, Stage, Step, fingerprint,
};
use crate::runbook::AccessLogs;

const KIND: &str = "bucket-policy";

pub(super) struct BucketPolicyPart;

/// A bucket's region and policy.
struct Observed {
    region: String,
    policy: Option<String>,
}

#[async_trait(?Send)]
impl Part for BucketPolicyPart {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn stage(&self) -> Stage {
        Stage::Ground
    }

    async fn plan(&self, scene: &Scene<'_>) -> Result<Vec<Step>, PartError> {
        let Some(logs) = &scene.runbook.logs.access else {
            return Ok(Vec::new());
        };
        let observed = observe(scene, logs).await?;
        Ok(vec![step(scene, logs, observed.as_ref())])
    }

    async fn carry_out(
        &self,
        scene: &Scene<'_>,
        planned: &Step,
        approved: &Approved,
    ) -> Result<Done, PartError> {
        let Some(logs) = &scene.runbook.logs.access else {
            return Ok(Done::unchanged());
        };
        let observed = observe(scene, logs).await?;
        let now = step(scene, logs, observed.as_ref());
        let Some(observed) = observed else {
            return Err(not_now(&now));
        };
        match now.action {
            Action::Keep => return Ok(Done::unchanged()),
            Action::Refused => return Err(not_now(&now)),
            _ => scene.check_unmoved(planned, &now.fingerprint, || words(&now))?,
        }
        let wanted = wanted(scene, logs);
        write(scene, &logs.bucket, &observed, Some(wanted), approved).await?;
        if now.claims {
            return Ok(Done::made(1, made(scene, planned, None)));
        }
        Ok(Done::changed(1))
    }

    async fn owned(&self, scene: &Scene<'_>) -> Result<Vec<Owned>, PartError> {
        let Some(logs) = &scene.runbook.logs.access else {
            return Ok(Vec::new());
        };
        let Some(observed) = observe(scene, logs).await? else {
            return Ok(Vec::new());
        };
        let event = &scene.runbook.event.id;
        let statement = log_delivery::find_statement(observed.policy.as_deref(), event);
        Ok(match statement {
            Ok(Some(_)) => vec![Owned::new(KIND, &logs.bucket, true)],
            Ok(None) | Err(_) => Vec::new(),
        })
    }

    async fn remove(
        &self,
        scene: &Scene<'_>,
        owned: &Owned,
        approved: &Approved,
    ) -> Result<(), PartError> {
        let Some(logs) = &scene.runbook.logs.access else {
            return Ok(());
        };
        let event = &scene.runbook.event.id;
        let Some(observed) = observe(scene, logs).await? else {
            return Ok(());
        };
        match log_delivery::find_statement(observed.policy.as_deref(), event) {
            Ok(Some(_)) => write(scene, &owned.name, &observed, None, approved).await,
            Ok(None) | Err(_) => Ok(()),
        }
    }
}

async fn observe(scene: &Scene<'_>, logs: &AccessLogs) -> Result<Option<Observed>, PartError> {
    let Some(region) = there(scene.cloud.bucket_region(&logs.bucket).await)? else {
        return Ok(None);
    };
    let policy = scene.cloud.bucket_policy(&region, &logs.bucket).await?;
    Ok(Some(Observed { region, policy }))
}

fn wanted(scene: &Scene<'_>, logs: &AccessLogs) -> Value {
    log_delivery::statement(&scene.runbook.event.id, logs, &scene.account)
}

fn step(scene: &Scene<'_>, logs: &AccessLogs, observed: Option<&Observed>) -> Step {
    let bucket = logs.bucket.as_str();
    let Some(observed) = observed else {
        let region = &scene.runbook.aws.region;
        return Step::refused(
            KIND,
            bucket,
            format!(
                "the bucket is not there, and onair makes none: aws s3 mb s3://{bucket} --region {region}"
            ),
        );
    };
    let event = &scene.runbook.event.id;
    let found = match log_delivery::find_statement(observed.policy.as_deref(), event) {
        Ok(found) => found,
        Err(error) => return Step::refused(KIND, bucket, error.to_string()),
    };
    let wanted = wanted(scene, logs);
    let is_new = found.is_none();
    let mut changes = Vec::new();
    if found.as_ref() != Some(&wanted) {
        changes.push(Difference::new(
            format!("Statement.{}", log_delivery::statement_id(event)),
            found.map(|found| found.to_string()),
            Some(wanted.to_string()),
        ));
    }
    let observed = observed.policy.as_deref().unwrap_or_default();
    Step {
        // What is made is the statement: the bucket and the rest of its policy are not ours.
        claims: is_new,
        ..Step::existing(KIND, bucket, changes, fingerprint(observed))
    }
}

/// Puts the policy with the event's statement, or without. S3 has no locking for policies: it is
/// read right before.
async fn write(
    scene: &Scene<'_>,
    bucket: &str,
    observed: &Observed,
    statement: Option<Value>,
    approved: &Approved,
) -> Result<(), PartError> {
    let event = &scene.runbook.event.id;
    let policy = log_delivery::with_statement(observed.policy.as_deref(), event, statement)
        .map_err(|error| PartError::Other(format!("bucket {bucket}: {error}")))?;
    match policy {
        Some(policy) => {
            scene
                .cloud
                .put_bucket_policy(approved, &observed.region, bucket, &policy)
                .await?;
        }
        None => {
            scene
                .cloud
                .delete_bucket_policy(approved, &observed.region, bucket)
                .await?;
        }
    }
    Ok(())
}
