//! The origins: shielded, doubled, fast to give up, and open to CloudFront alone.

use crate::cloud::{DistributionView, OriginView};
use crate::event::phase::Phase;
use crate::preflight::reads::sampled;
use crate::preflight::{Check, Facts, Gap, Outcome, Severity, Verdict, asking};
use crate::runbook::{Distribution, OriginAccess};

const CONFIG: &str = "cloudfront.GetDistributionConfig";

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "origin.shield",
        title: "Origin Shield is on, in the runbook's region",
        severity: Severity::Error,
        from: Phase::Setup,
        source: CONFIG,
        run: asking!(shield),
    },
    Check {
        id: "origin.groups",
        title: "the runbook's origin groups are there and serve the sample paths",
        severity: Severity::Error,
        from: Phase::Setup,
        source: CONFIG,
        run: asking!(groups),
    },
    Check {
        id: "origin.failover-codes",
        title: "the groups fail over on the runbook's statuses",
        severity: Severity::Error,
        from: Phase::Setup,
        source: CONFIG,
        run: asking!(failover_codes),
    },
    Check {
        id: "origin.budget",
        title: "an origin that hangs is given up within the budget",
        severity: Severity::Error,
        from: Phase::Setup,
        source: "cloudfront.GetDistributionConfig: attempts x (connection + response timeout)",
        run: asking!(budget),
    },
    Check {
        id: "origin.media-quality",
        title: "CloudFront chooses by media quality, and can",
        severity: Severity::Error,
        from: Phase::Setup,
        source: "CloudFront Developer Guide, media quality-aware resiliency",
        run: asking!(media_quality),
    },
    Check {
        id: "origin.quality-behaviors",
        title: "scores of different channels do not mix",
        severity: Severity::Warning,
        from: Phase::Setup,
        source: "CloudFront keeps the score per cache behavior: one behavior a channel",
        run: asking!(quality_behaviors),
    },
    Check {
        id: "origin.access",
        title: "the origins know CloudFront from everybody else",
        severity: Severity::Error,
        from: Phase::Setup,
        source: "cloudfront.GetDistributionConfig, GetOriginAccessControl, GetVpcOrigin",
        run: asking!(access),
    },
    Check {
        id: "origin.https",
        title: "CloudFront asks the origins by HTTPS",
        severity: Severity::Error,
        from: Phase::Setup,
        source: CONFIG,
        run: asking!(https),
    },
];

/// The origins that the sample paths can be served from; all without samples.
fn serving<'v>(one: &Distribution, view: &'v DistributionView) -> Vec<&'v OriginView> {
    let targets: Vec<&str> = sampled(one, view)
        .iter()
        .map(|(_, _, behavior)| behavior.target.as_str())
        .collect();
    let serves = |origin: &&OriginView| {
        targets.is_empty()
            || targets.iter().any(|target| {
                *target == origin.id
                    || view
                        .groups
                        .iter()
                        .any(|group| group.id == *target && group.members.contains(&origin.id))
            })
    };
    view.origins.iter().filter(serves).collect()
}

fn change(origin: &OriginView, one: &Distribution, what: &str) -> String {
    format!("change origin {} of {}: {what}", origin.id, one.id)
}

async fn shield(facts: &Facts<'_>) -> Outcome {
    let Some(region) = shield_region(facts) else {
        return Ok(Verdict::not_applicable("the runbook expects no shield"));
    };
    facts
        .each_distribution(|one, view| async move {
            let verdicts = serving(one, &view).into_iter().map(|origin| {
                let fix = change(origin, one, &format!("Origin Shield in {region}"));
                match &origin.shield {
                    Some(found) if found == region => Verdict::pass(format!("in {region}")),
                    Some(found) => Verdict::fail(
                        format!("{} has it in {found}, not {region}", origin.id),
                        fix,
                    ),
                    None => Verdict::fail(format!("{} has none", origin.id), fix),
                }
            });
            Ok(Verdict::across(verdicts, "no origin"))
        })
        .await
}

fn shield_region<'f>(facts: &'f Facts<'_>) -> Option<&'f str> {
    facts
        .runbook
        .origins
        .as_ref()
        .and_then(|origins| origins.shield_region.as_deref())
}

async fn groups(facts: &Facts<'_>) -> Outcome {
    let wanted = match &facts.runbook.origins {
        Some(origins) if !origins.groups.is_empty() => &origins.groups,
        _ => return Ok(Verdict::not_applicable("the runbook names no origin group")),
    };
    facts
        .each_distribution(|one, view| async move {
            let mut verdicts = Vec::new();
            for group in wanted {
                let fix = format!(
                    "give distribution {} the origin group {} (primary {}, secondary {})",
                    one.id,
                    group.id,
                    group.primary.as_deref().unwrap_or("any"),
                    group.secondary.as_deref().unwrap_or("any")
                );
                let Some(found) = view.groups.iter().find(|found| found.id == group.id) else {
                    verdicts.push(Verdict::fail(
                        format!("there is no group {}", group.id),
                        fix,
                    ));
                    continue;
                };
                let wrong = [(0, &group.primary), (1, &group.secondary)]
                    .into_iter()
                    .find(|(place, wanted)| {
                        wanted
                            .as_ref()
                            .is_some_and(|wanted| found.members.get(*place) != Some(wanted))
                    });
                verdicts.push(match wrong {
                    Some(_) => Verdict::fail(
                        format!("{} has the members {}", group.id, found.members.join(", ")),
                        fix,
                    ),
                    None => Verdict::pass(format!("{}: {}", group.id, found.members.join(", "))),
                });
            }
            let alone: Vec<&str> = sampled(one, &view)
                .into_iter()
                .filter(|(_, _, behavior)| {
                    view.groups.iter().all(|group| group.id != behavior.target)
                })
                .map(|(_, _, behavior)| behavior.name())
                .collect();
            if !alone.is_empty() {
                verdicts.push(Verdict::fail(
                    format!("{} goes to a single origin", alone.join(", ")),
                    format!(
                        "change distribution {}: target the origin group there",
                        one.id
                    ),
                ));
            }
            Ok(Verdict::across(verdicts, "no group"))
        })
        .await
}

async fn failover_codes(facts: &Facts<'_>) -> Outcome {
    let wanted = match &facts.runbook.origins {
        Some(origins) if !origins.groups.is_empty() => &origins.groups,
        _ => return Ok(Verdict::not_applicable("the runbook names no origin group")),
    };
    facts
        .each_distribution(|one, view| async move {
            let verdicts = wanted.iter().filter_map(|group| {
                let found = view.groups.iter().find(|found| found.id == group.id)?;
                let mut codes = found.codes.clone();
                codes.sort_unstable();
                let words = |codes: &[u16]| {
                    let codes: Vec<String> = codes.iter().map(u16::to_string).collect();
                    codes.join(", ")
                };
                Some(if codes == group.failover_codes {
                    Verdict::pass(words(&codes))
                } else {
                    Verdict::fail(
                        format!(
                            "{} fails over on {}, not on {}",
                            group.id,
                            words(&codes),
                            words(&group.failover_codes)
                        ),
                        format!(
                            "change group {} of {}: status codes {}",
                            group.id,
                            one.id,
                            words(&group.failover_codes)
                        ),
                    )
                })
            });
            Ok(Verdict::across(verdicts, "no such group"))
        })
        .await
}

async fn budget(facts: &Facts<'_>) -> Outcome {
    let Some(origins) = &facts.runbook.origins else {
        return Ok(Verdict::not_applicable("the runbook has no [origins]"));
    };
    let budget = origins.budget_seconds;
    facts
        .each_distribution(|one, view| async move {
            let verdicts = serving(one, &view).into_iter().map(|origin| {
                let each = origin.connect_seconds + origin.read_seconds.unwrap_or(30);
                let spent = origin.attempts * each;
                let words = format!(
                    "{} attempts x ({} s + {} s) = {spent} s",
                    origin.attempts,
                    origin.connect_seconds,
                    origin.read_seconds.unwrap_or(30)
                );
                if f64::from(spent) <= budget {
                    Verdict::pass(words)
                } else {
                    Verdict::fail(
                        format!("{}: {words}, over the budget of {budget} s", origin.id),
                        change(origin, one, "fewer attempts, or shorter timeouts"),
                    )
                }
            });
            Ok(Verdict::across(verdicts, "no origin"))
        })
        .await
}

async fn media_quality(facts: &Facts<'_>) -> Outcome {
    let wanted: Vec<_> = facts
        .runbook
        .origins
        .iter()
        .flat_map(|origins| &origins.groups)
        .filter(|group| group.media_quality)
        .collect();
    if wanted.is_empty() {
        return Ok(Verdict::not_applicable("the runbook does not ask for it"));
    }
    let wanted = &wanted;
    facts
        .each_distribution(|one, view| async move {
            let verdicts = wanted.iter().filter_map(|group| {
                let found = view.groups.iter().find(|found| found.id == group.id)?;
                let foreign: Vec<&str> = view
                    .origins
                    .iter()
                    .filter(|origin| found.members.contains(&origin.id))
                    .filter(|origin| !origin.domain.contains(".mediapackagev2."))
                    .map(|origin| origin.id.as_str())
                    .collect();
                let lambda = view
                    .behaviors
                    .iter()
                    .filter(|behavior| behavior.target == group.id)
                    .find(|behavior| {
                        behavior
                            .lambdas
                            .iter()
                            .any(|event| event.starts_with("origin-"))
                    });
                Some(if found.selection != "media-quality-based" {
                    Verdict::fail(
                        format!("{} chooses by {}", group.id, found.selection),
                        format!(
                            "change group {} of {}: SelectionCriteria = media-quality-based",
                            group.id, one.id
                        ),
                    )
                } else if !foreign.is_empty() {
                    Verdict::fail(
                        format!("{} is no MediaPackage v2 origin", foreign.join(", ")),
                        format!(
                            "give group {} of {} MediaPackage v2 origins",
                            group.id, one.id
                        ),
                    )
                } else if let Some(behavior) = lambda {
                    Verdict::fail(
                        format!("{} runs Lambda@Edge on origin events", behavior.name()),
                        format!(
                            "change distribution {}: detach it from {}",
                            one.id,
                            behavior.name()
                        ),
                    )
                } else {
                    Verdict::pass(format!("{} by score", group.id))
                })
            });
            Ok(Verdict::across(verdicts, "no such group"))
        })
        .await
}

async fn quality_behaviors(facts: &Facts<'_>) -> Outcome {
    let asks = facts
        .runbook
        .origins
        .iter()
        .flat_map(|origins| &origins.groups)
        .any(|group| group.media_quality);
    let channels: std::collections::BTreeSet<&str> = facts
        .runbook
        .workflow
        .endpoints
        .iter()
        .filter_map(|endpoint| endpoint.resource().split("/originEndpoint/").next())
        .collect();
    if !asks {
        return Ok(Verdict::not_applicable(
            "the runbook does not ask for media quality",
        ));
    }
    if channels.len() <= 1 {
        return Ok(Verdict::pass("one channel"));
    }
    let channels = channels.len();
    facts
        .each_distribution(|one, view| async move {
            let wide: Vec<&str> = sampled(one, &view)
                .into_iter()
                .map(|(_, _, behavior)| behavior)
                .filter(|behavior| {
                    behavior
                        .pattern
                        .as_deref()
                        .is_none_or(|pattern| pattern.starts_with('*'))
                })
                .map(crate::cloud::BehaviorView::name)
                .collect();
            Ok(if wide.is_empty() {
                Verdict::pass("behaviors by path")
            } else {
                Verdict::fail(
                    format!("{} serves all {channels} channels", wide.join(", ")),
                    format!(
                        "give distribution {} a behavior for each channel's path",
                        one.id
                    ),
                )
            })
        })
        .await
}

async fn access(facts: &Facts<'_>) -> Outcome {
    let Some(origins) = &facts.runbook.origins else {
        return Ok(Verdict::not_applicable("the runbook has no [origins]"));
    };
    let wanted = &origins.access;
    if *wanted == OriginAccess::Open {
        return Ok(Verdict::not_applicable(
            "the runbook says that they are open",
        ));
    }
    facts
        .each_distribution(|one, view| async move {
            let mut verdicts = Vec::new();
            for origin in serving(one, &view) {
                verdicts.push(closed(facts, one, origin, wanted).await?);
            }
            Ok(Verdict::across(verdicts, "no origin"))
        })
        .await
}

async fn closed(
    facts: &Facts<'_>,
    one: &Distribution,
    origin: &OriginView,
    wanted: &OriginAccess,
) -> Outcome {
    let fail = |evidence: String, what: &str| Verdict::fail(evidence, change(origin, one, what));
    Ok(match wanted {
        OriginAccess::Open => Verdict::pass("open"),
        OriginAccess::Oac => {
            let what = "an origin access control that always signs";
            let Some(id) = &origin.access_control else {
                return Ok(fail(
                    format!("{} has no origin access control", origin.id),
                    what,
                ));
            };
            let control = match facts.access_control(id).await {
                Ok(control) => control,
                Err(Gap::Absent(_)) => {
                    return Ok(fail(format!("access control {id} is not there"), what));
                }
                Err(gap) => return Err(gap),
            };
            let fits = !origin.domain.contains(".mediapackagev2.")
                || control.origin_type == "mediapackagev2";
            if control.signing != "always" {
                fail(format!("{} signs {}", control.name, control.signing), what)
            } else if !fits {
                fail(
                    format!("{} is made for {}", control.name, control.origin_type),
                    "an origin access control of type mediapackagev2",
                )
            } else {
                Verdict::pass("signed")
            }
        }
        OriginAccess::Vpc => {
            let Some(id) = &origin.vpc_origin else {
                return Ok(fail(
                    format!("{} is no VPC origin", origin.id),
                    "a VPC origin",
                ));
            };
            let wanted = id.clone();
            let status = facts
                .read("cloudfront.GetVpcOrigin", id, |cloud| async move {
                    cloud.vpc_origin_status(&wanted).await
                })
                .await?;
            if *status == "Deployed" {
                Verdict::pass("in the VPC")
            } else {
                fail(
                    format!("{id} is {status}"),
                    "wait until the VPC origin is deployed",
                )
            }
        }
        OriginAccess::SecretHeader(name) => {
            let sent = origin
                .header_names
                .iter()
                .any(|header| header.eq_ignore_ascii_case(name));
            if sent {
                Verdict::pass(format!("with {name}"))
            } else {
                fail(
                    format!("{} is not sent {name}", origin.id),
                    &format!("a custom header {name} with the secret"),
                )
            }
        }
    })
}

async fn https(facts: &Facts<'_>) -> Outcome {
    facts
        .each_distribution(|one, view| async move {
            let verdicts = serving(one, &view).into_iter().filter_map(|origin| {
                let protocol = origin.protocol.as_deref()?;
                Some(if protocol == "https-only" {
                    Verdict::pass("HTTPS")
                } else {
                    Verdict::fail(
                        format!("{} is asked by {protocol}", origin.id),
                        change(origin, one, "OriginProtocolPolicy = https-only"),
                    )
                })
            });
            Ok(Verdict::across(verdicts, "no custom origin"))
        })
        .await
}
