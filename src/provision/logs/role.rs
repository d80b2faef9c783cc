//! The role that CloudFront writes the real-time logs with. It is the account's: only looked at, never
//! made, changed or removed. Without it CloudFront takes no real-time log configuration.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{not_now, there};
use crate::cloud::{Approved, Role};
use crate::provision::{Action, Done, Owned, Part, PartError, Scene, Stage, Step, fingerprint};
use crate::runbook::RealtimeLogs;

const KIND: &str = "role";
/// Who takes the role (CloudFront Developer Guide, "Real-time logs": the IAM role).
const SERVICE: &str = "cloudfront.amazonaws.com";

pub(super) struct RolePart;

#[async_trait(?Send)]
impl Part for RolePart {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn stage(&self) -> Stage {
        Stage::Ground
    }

    async fn plan(&self, scene: &Scene<'_>) -> Result<Vec<Step>, PartError> {
        let Some(logs) = &scene.runbook.logs.realtime else {
            return Ok(Vec::new());
        };
        let role = there(scene.cloud.role(logs.role.id()).await)?;
        Ok(vec![step(logs, &scene.account, role.as_ref())])
    }

    async fn carry_out(
        &self,
        scene: &Scene<'_>,
        planned: &Step,
        _approved: &Approved,
    ) -> Result<Done, PartError> {
        if planned.action == Action::Keep {
            return Ok(Done::unchanged());
        }
        let steps = self.plan(scene).await?;
        match steps.first() {
            Some(now) if now.action != Action::Keep => Err(not_now(now)),
            _ => Ok(Done::unchanged()),
        }
    }

    async fn owned(&self, _scene: &Scene<'_>) -> Result<Vec<Owned>, PartError> {
        Ok(Vec::new())
    }

    async fn remove(
        &self,
        _scene: &Scene<'_>,
        _owned: &Owned,
        _approved: &Approved,
    ) -> Result<(), PartError> {
        Ok(())
    }
}

fn step(logs: &RealtimeLogs, account: &str, role: Option<&Role>) -> Step {
    let name = logs.role.id();
    let how = format!(
        "trust policy {}, permissions policy {}",
        trust(account),
        permissions(logs, account)
    );
    match role {
        None => Step::refused(
            KIND,
            name,
            format!("the role is not there, and onair makes none: {how}"),
        ),
        Some(role) if role.arn != logs.role.0 => Step::refused(
            KIND,
            name,
            format!(
                "the role is {}, not what [logs.realtime] role says: write it so",
                role.arn
            ),
        ),
        Some(role) if !is_trusting(&role.trust) => Step::refused(
            KIND,
            name,
            format!("the role does not trust {SERVICE}: {how}"),
        ),
        Some(role) => Step::existing(KIND, name, Vec::new(), fingerprint(&role.trust)),
    }
}

/// Whether a statement lets CloudFront take the role. Conditions are not judged.
fn is_trusting(policy: &str) -> bool {
    let Ok(policy) = serde_json::from_str::<Value>(policy) else {
        return false;
    };
    let holds = |value: &Value, wanted: &[&str]| {
        some_of(value).any(|one| one.as_str().is_some_and(|one| wanted.contains(&one)))
    };
    some_of(&policy["Statement"]).any(|statement| {
        statement["Effect"] == "Allow"
            && holds(&statement["Principal"]["Service"], &[SERVICE])
            && holds(&statement["Action"], &["sts:AssumeRole", "sts:*", "*"])
    })
}

/// The values of a list, or the one value that stands for a list of one.
fn some_of(value: &Value) -> impl Iterator<Item = &Value> {
    match value {
        Value::Array(values) => values.as_slice(),
        one => std::slice::from_ref(one),
    }
    .iter()
}

fn trust(account: &str) -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "Service": SERVICE },
            "Action": "sts:AssumeRole",
            "Condition": { "StringEquals": { "aws:SourceAccount": account } },
        }],
    })
}

fn permissions(logs: &RealtimeLogs, account: &str) -> Value {
    let (region, stream) = (&logs.region, &logs.stream);
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Action": [
                "kinesis:DescribeStreamSummary",
                "kinesis:DescribeStream",
                "kinesis:PutRecord",
                "kinesis:PutRecords",
            ],
            "Resource": format!("arn:aws:kinesis:{region}:{account}:stream/{stream}"),
        }],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_trusted_by_what_its_policy_says_and_not_by_a_mention() {
        assert!(is_trusting(&trust("111122223333").to_string()));
        let list = r#"{"Statement": {"Effect": "Allow", "Action": ["sts:AssumeRole"],
            "Principal": {"Service": ["ec2.amazonaws.com", "cloudfront.amazonaws.com"]}}}"#;
        assert!(is_trusting(list));
        for policy in [
            r#"{"Statement": [{"Effect": "Deny", "Action": "sts:AssumeRole", "Principal": {"Service": "cloudfront.amazonaws.com"}}]}"#,
            r#"{"Statement": [{"Effect": "Allow", "Action": "sts:TagSession", "Principal": {"Service": "cloudfront.amazonaws.com"}}]}"#,
            r#"{"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "firehose.amazonaws.com"}}]}"#,
            "cloudfront.amazonaws.com",
        ] {
            assert!(!is_trusting(policy), "{policy}");
        }
    }
}
