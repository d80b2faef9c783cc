//! Logs, and what reads them.

use crate::event::phase::Phase;
use crate::preflight::{Check, Facts, Gap, Outcome, Severity, Verdict, asking};

pub(super) const CHECKS: &[Check] = &[Check {
    id: "logs.role",
    title: "CloudFront may take the role that real-time logs are written with",
    severity: Severity::Error,
    from: Phase::Setup,
    source: "iam.GetRole: the trust policy",
    run: asking!(role),
}];

async fn role(facts: &Facts<'_>) -> Outcome {
    let Some(realtime) = &facts.runbook.logs.realtime else {
        return Ok(Verdict::not_applicable(
            "the runbook has no [logs.realtime]",
        ));
    };
    let name = realtime.role.id();
    match facts.role(name).await {
        Ok(role) if role.trust.contains("cloudfront.amazonaws.com") => {
            Ok(Verdict::pass(role.arn.clone()))
        }
        Ok(role) => Ok(Verdict::fail(
            format!("{} does not trust cloudfront.amazonaws.com", role.arn),
            format!(
                "change the trust policy of role {name}: sts:AssumeRole for cloudfront.amazonaws.com"
            ),
        )),
        Err(Gap::Absent(_)) => Ok(Verdict::fail(
            format!("there is no role {name}"),
            format!(
                "make role {name} for cloudfront.amazonaws.com with kinesis:PutRecord(s) and DescribeStream"
            ),
        )),
        Err(gap) => Err(gap),
    }
}
