//! Who asks: the account, the clock, the credentials, what they may do.

use crate::event::phase::Phase;
use crate::preflight::{Check, Facts, Outcome, Severity, Verdict, asking};

pub(super) const CHECKS: &[Check] = &[Check {
    id: "identity.account",
    title: "the credentials are for the runbook's account",
    severity: Severity::Error,
    from: Phase::Setup,
    source: "sts.GetCallerIdentity",
    run: asking!(account),
}];

async fn account(facts: &Facts<'_>) -> Outcome {
    let caller = facts
        .read("sts.GetCallerIdentity", "", |cloud| async move {
            cloud.caller().await
        })
        .await?;
    let wanted = &facts.runbook.aws.account;
    if caller.account == *wanted {
        return Ok(Verdict::pass(format!("{} in {wanted}", caller.arn)));
    }
    Ok(Verdict::fail(
        format!(
            "the credentials are for account {}, the runbook is for {wanted}",
            caller.account
        ),
        "choose the profile with --profile, or mend aws.account in the runbook",
    ))
}
