//! Who asks: the account, the clock, the credentials, what they may do.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;

use crate::event::duration::human;
use crate::event::phase::Phase;
use crate::permissions::{Role, needed};
use crate::preflight::{Check, Facts, Gap, Outcome, Severity, Verdict, asking};

/// A request whose time is off by more than five minutes is refused (`SigV4`); ends and tokens are off
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

/// Operators are judged by what operators need. Whoever is none of the runbook's may be a pipeline, and
/// is right with all of what either role needs.
async fn permissions(facts: &Facts<'_>) -> Outcome {
    let caller = facts.caller()?;
    let principal = match assumed_role(&caller.arn) {
        None => caller.arn.clone(),
        Some(role) => facts.role(role).await?.arn.clone(),
    };
    let operator = facts.session.operator().await.unwrap_or_default();
    let operators = &facts.runbook.event.operators;
    let roles: &[Role] = if operators.contains(&operator) {
        &[Role::Operator]
    } else {
        &[Role::Ci, Role::Operator]
    };
    let mut least: Option<(Role, Vec<String>)> = None;
    for role in roles {
        let (asked, denied) = denied(facts, &principal, *role).await?;
        if denied.is_empty() {
            return Ok(Verdict::pass(format!(
                "all {asked} actions of the {} role",
                role.name()
            )));
        }
        if least
            .as_ref()
            .is_none_or(|(_, known)| denied.len() < known.len())
        {
            least = Some((*role, denied));
        }
    }
    let (role, denied) = least.unwrap_or((Role::Operator, Vec::new()));
    Ok(Verdict::fail(
        format!("not allowed: {}", denied.join(", ")),
        format!(
            "grant them: `onair iam-policy --role {}` prints the policy",
            role.name()
        ),
    ))
}

/// How many actions a role needs, and which of them the principal is denied, each on the resources
/// that it is needed for. Handing on a role hangs on a condition that a simulation without context
/// never meets: it is left out.
async fn denied(
    facts: &Facts<'_>,
    principal: &str,
    role: Role,
) -> Result<(usize, Vec<String>), Gap> {
    let mut groups: BTreeMap<Vec<String>, BTreeSet<String>> = BTreeMap::new();
    for permission in needed(facts.runbook, role) {
        if permission.passed_to.is_none() {
            let actions = groups.entry(permission.resources).or_default();
            actions.insert(permission.action.to_owned());
        }
    }
    let asked = groups.values().flatten().collect::<BTreeSet<_>>().len();
    let simulations = groups.into_iter().map(|(resources, actions)| {
        let actions: Vec<String> = actions.into_iter().collect();
        let key = format!("{principal} {} {}", actions.join(" "), resources.join(" "));
        let principal = principal.to_owned();
        async move {
            facts
                .read("iam.SimulatePrincipalPolicy", &key, |cloud| async move {
                    cloud.simulate(&principal, &actions, &resources).await
                })
                .await
        }
    });
    let mut denied = BTreeSet::new();
    for simulated in futures_util::future::try_join_all(simulations).await? {
        let refused = simulated.iter().filter(|one| !one.allowed);
        denied.extend(refused.map(|one| one.action.clone()));
    }
    Ok((asked, denied.into_iter().collect()))
}

/// The role behind `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`.
fn assumed_role(arn: &str) -> Option<&str> {
    let (_, rest) = arn.split_once(":assumed-role/")?;
    Some(rest.split('/').next().unwrap_or(rest))
}
