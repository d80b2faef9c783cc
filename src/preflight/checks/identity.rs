//! Who asks: the account, the clock, the credentials, what they may do.

use jiff::SignedDuration;

use crate::cloud::CloudError;
use crate::event::duration::human;
use crate::event::phase::Phase;
use crate::preflight::{Check, Facts, Gap, Outcome, Severity, Verdict, asking};

/// A request whose time is off by more than five minutes is refused (SigV4); ends and tokens are off
/// long before that.
const MOST_SKEW: SignedDuration = SignedDuration::from_secs(60);

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "identity.account",
        title: "the credentials are for the runbook's account",
        severity: Severity::Error,
        from: Phase::Setup,
        source: "sts.GetCallerIdentity",
        run: asking!(account),
    },
    Check {
        id: "identity.clock",
        title: "this machine's clock agrees with AWS",
        severity: Severity::Error,
        from: Phase::Setup,
        source: "the Date header of AWS's answers",
        run: asking!(clock),
    },
    Check {
        id: "identity.credentials",
        title: "the credentials outlive the event",
        severity: Severity::Warning,
        from: Phase::Freeze,
        source: "the expiry that the credentials carry",
        run: asking!(credentials),
    },
    Check {
        id: "identity.permissions",
        title: "the caller may do what the event needs",
        severity: Severity::Error,
        from: Phase::Setup,
        source: "iam.SimulatePrincipalPolicy",
        run: asking!(permissions),
    },
];

async fn account(facts: &Facts<'_>) -> Outcome {
    let caller = facts.caller()?;
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

async fn clock(facts: &Facts<'_>) -> Outcome {
    facts.caller()?;
    let Some(skew) = facts.session.cloud.skew() else {
        return Err(Gap::Unknown("no answer carried a date".to_owned()));
    };
    // The header counts in whole seconds, and the answer was under way.
    let words = format!("AWS's clock is {} s ahead of this one", skew.as_secs());
    if skew.abs() <= MOST_SKEW {
        return Ok(Verdict::pass(words));
    }
    Ok(Verdict::fail(
        words,
        "set this machine's clock by NTP: `timedatectl set-ntp true`",
    ))
}

async fn credentials(facts: &Facts<'_>) -> Outcome {
    let expiry = facts
        .read("credentials", "", |cloud| async move {
            cloud.credentials_expiry().await
        })
        .await?;
    let ends = facts.state.times.ends;
    let Some(expiry) = *expiry else {
        return Ok(Verdict::pass("they carry no expiry"));
    };
    let left = human(expiry.duration_since(facts.now));
    if expiry > ends {
        return Ok(Verdict::pass(format!("they hold for {left}, past the end")));
    }
    Ok(Verdict::fail(
        format!("they end in {left}, before the event does"),
        "log in again shortly before doors (`aws sso login`), or use a role with longer sessions",
    ))
}

/// What the crew's commands cannot do without.
const NEEDED: [&str; 12] = [
    "cloudfront:GetDistribution",
    "cloudfront:GetDistributionConfig",
    "cloudfront:UpdateDistribution",
    "cloudfront:ListKeyValueStores",
    "cloudfront-keyvaluestore:DescribeKeyValueStore",
    "cloudfront-keyvaluestore:GetKey",
    "cloudfront-keyvaluestore:UpdateKeys",
    "wafv2:GetIPSet",
    "wafv2:GetWebACL",
    "wafv2:ListIPSets",
    "wafv2:ListWebACLs",
    "wafv2:UpdateIPSet",
];

async fn permissions(facts: &Facts<'_>) -> Outcome {
    let caller = facts.caller()?;
    let principal = match assumed_role(&caller.arn) {
        None => caller.arn.clone(),
        Some(role) => facts.role(role).await?.arn.clone(),
    };
    let actions: Vec<String> = NEEDED.map(str::to_owned).to_vec();
    let simulated =
        facts
            .read(
                "iam.SimulatePrincipalPolicy",
                &principal.clone(),
                |cloud| async move {
                    Ok::<_, CloudError>(cloud.simulate(&principal, &actions, &[]).await?)
                },
            )
            .await?;
    let denied: Vec<&str> = simulated
        .iter()
        .filter(|one| !one.allowed)
        .map(|one| one.action.as_str())
        .collect();
    if denied.is_empty() {
        return Ok(Verdict::pass(format!(
            "{} actions allowed",
            simulated.len()
        )));
    }
    Ok(Verdict::fail(
        format!("not allowed: {}", denied.join(", ")),
        "grant them: `onair iam-policy --role operator` prints the policy",
    ))
}

/// The role behind `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`.
fn assumed_role(arn: &str) -> Option<&str> {
    let (_, rest) = arn.split_once(":assumed-role/")?;
    Some(rest.split('/').next().unwrap_or(rest))
}
