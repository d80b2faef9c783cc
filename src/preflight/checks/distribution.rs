//! The distributions: switched on, everywhere, found by viewers, and as the runbook has them.

use crate::cloud::DistributionStatus;
use crate::event::cidr::Cidr;
use crate::event::country::Country;
use crate::event::phase::Phase;
use crate::event::time;
use crate::ledger::body::{Access, GeoMode as Mode};
use crate::ledger::view::Standing;
use crate::plan::cloudfront_ranges;
use crate::preflight::reads::{named, sampled};
use crate::preflight::{Check, Facts, Gap, Outcome, Severity, Verdict, asking};

const CONFIG: &str = "cloudfront.GetDistributionConfig";

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "distribution.enabled",
        title: "every distribution is there and enabled",
        severity: Severity::Error,
        from: Phase::Setup,
        source: CONFIG,
        run: asking!(enabled),
    },
    Check {
        id: "distribution.deployed",
        title: "the newest configuration is at all edges",
        severity: Severity::Error,
        from: Phase::Rehearsal,
        source: "cloudfront.GetDistribution",
        run: asking!(deployed),
    },
    Check {
        id: "distribution.staging",
        title: "no distribution is a staging one",
        severity: Severity::Error,
        from: Phase::Setup,
        source: CONFIG,
        run: asking!(staging),
    },
    Check {
        id: "distribution.continuous-deployment",
        title: "no continuous deployment sends viewers elsewhere",
        severity: Severity::Error,
        from: Phase::Rehearsal,
        source: "cloudfront.GetContinuousDeploymentPolicy; an edit then hits a part of the traffic",
        run: asking!(continuous_deployment),
    },
    Check {
        id: "distribution.alias",
        title: "the viewers' name is an alias",
        severity: Severity::Error,
        from: Phase::Setup,
        source: CONFIG,
        run: asking!(alias),
    },
    Check {
        id: "distribution.dns",
        title: "the viewers' name leads to CloudFront",
        severity: Severity::Error,
        from: Phase::Rehearsal,
        source: "DNS, against AWS's published ip-ranges.json",
        run: asking!(dns),
    },
    Check {
        id: "distribution.certificate",
        title: "the certificate is good for the name, beyond the event's end",
        severity: Severity::Error,
        from: Phase::Setup,
        source: "acm.DescribeCertificate",
        run: asking!(certificate),
    },
    Check {
        id: "distribution.tls",
        title: "viewers get TLS 1.2 or newer",
        severity: Severity::Warning,
        from: Phase::Rehearsal,
        source: CONFIG,
        run: asking!(tls),
    },
    Check {
        id: "distribution.http-versions",
        title: "HTTP/2 and HTTP/3 are on",
        severity: Severity::Warning,
        from: Phase::Rehearsal,
        source: CONFIG,
        run: asking!(http_versions),
    },
    Check {
        id: "distribution.ipv6",
        title: "IPv6 is on",
        severity: Severity::Warning,
        from: Phase::Rehearsal,
        source: CONFIG,
        run: asking!(ipv6),
    },
    Check {
        id: "distribution.https",
        title: "the sampled paths are served by HTTPS only",
        severity: Severity::Warning,
        from: Phase::Rehearsal,
        source: CONFIG,
        run: asking!(https),
    },
    Check {
        id: "distribution.web-acl",
        title: "the event's web ACL is attached",
        severity: Severity::Error,
        from: Phase::Setup,
        source: CONFIG,
        run: asking!(web_acl),
    },
    Check {
        id: "distribution.geo",
        title: "the geo restriction is the runbook's and the open entries'",
        severity: Severity::Error,
        from: Phase::Setup,
        source: "cloudfront.GetDistributionConfig and the ledger",
        run: asking!(geo),
    },
    Check {
        id: "distribution.metrics",
        title: "additional metrics are on",
        severity: Severity::Warning,
        from: Phase::Setup,
        source: "cloudfront.GetMonitoringSubscription; hit ratio and origin latency need it",
        run: asking!(metrics),
    },
    Check {
        id: "distribution.shared",
        title: "no other event uses the distributions at that time",
        severity: Severity::Warning,
        from: Phase::Setup,
        source: "the runbooks beside this one",
        run: asking!(shared),
    },
];

/// A line for the distribution of this id: what to change there.
fn change(id: &str, what: &str) -> String {
    format!("change distribution {id}: {what}")
}

async fn enabled(facts: &Facts<'_>) -> Outcome {
    let verdicts = facts.runbook.distributions.iter().map(|one| async {
        let verdict = match facts.view_of(&one.id).await {
            Ok(view) if view.enabled => Verdict::pass("enabled"),
            Ok(_) => Verdict::fail("it is disabled", change(&one.id, "Enabled = true")),
            Err(Gap::Absent(_)) => Verdict::fail(
                format!("there is no distribution {}", one.id),
                format!("mend the id of distribution `{}` in the runbook", one.name),
            ),
            Err(gap) => gap.into(),
        };
        named(&one.name, verdict)
    });
    let verdicts = futures_util::future::join_all(verdicts).await;
    Ok(Verdict::across(verdicts, "there is no distribution"))
}

async fn deployed(facts: &Facts<'_>) -> Outcome {
    let verdicts = facts.runbook.distributions.iter().map(|one| async {
        let verdict = match facts.state_of(&one.id).await {
            Ok(state) if state.status == DistributionStatus::Deployed => Verdict::pass("deployed"),
            Ok(state) => Verdict::fail(
                format!(
                    "changed at {} and still on its way",
                    time::local(state.last_modified, &facts.runbook.event.zone)
                ),
                "wait some minutes, then run `onair preflight` again",
            ),
            Err(gap) => gap.into(),
        };
        named(&one.name, verdict)
    });
    let verdicts = futures_util::future::join_all(verdicts).await;
    Ok(Verdict::across(verdicts, "there is no distribution"))
}

async fn staging(facts: &Facts<'_>) -> Outcome {
    facts
        .each_distribution(|one, view| async move {
            Ok(if view.staging {
                Verdict::fail(
                    "it is a staging distribution, which serves a part of the viewers at most",
                    format!(
                        "name its primary distribution as `{}` in the runbook",
                        one.name
                    ),
                )
            } else {
                Verdict::pass("primary")
            })
        })
        .await
}

async fn continuous_deployment(facts: &Facts<'_>) -> Outcome {
    facts
        .each_distribution(|one, view| async move {
            let Some(policy) = view.continuous_deployment_policy else {
                return Ok(Verdict::pass("none"));
            };
            let wanted = policy.clone();
            let is_on = facts
                .read(
                    "cloudfront.GetContinuousDeploymentPolicy",
                    &policy,
                    |cloud| async move { cloud.continuous_deployment_is_on(&wanted).await },
                )
                .await?;
            Ok(if *is_on {
                Verdict::fail(
                    format!(
                        "policy {policy} sends a part of the viewers to a staging distribution"
                    ),
                    change(
                        &one.id,
                        "promote the staging distribution, or disable the policy",
                    ),
                )
            } else {
                Verdict::pass("a policy, disabled")
            })
        })
        .await
}

/// Whether a name, possibly with a wildcard, is good for a host.
fn covers(name: &str, host: &str) -> bool {
    let (name, host) = (name.to_ascii_lowercase(), host.to_ascii_lowercase());
    match name.strip_prefix("*.") {
        Some(parent) => host.split_once('.').is_some_and(|(_, rest)| rest == parent),
        None => name == host,
    }
}

async fn alias(facts: &Facts<'_>) -> Outcome {
    facts
        .each_distribution(|one, view| async move {
            if view.aliases.iter().any(|alias| covers(alias, &one.domain)) {
                return Ok(Verdict::pass(one.domain.clone()));
            }
            let state = facts.state_of(&one.id).await?;
            if state.domain.eq_ignore_ascii_case(&one.domain) {
                return Ok(Verdict::pass("CloudFront's own name"));
            }
            let has = if view.aliases.is_empty() {
                "none".to_owned()
            } else {
                view.aliases.join(", ")
            };
            Ok(Verdict::fail(
                format!("{} is none of its aliases ({has})", one.domain),
                change(&one.id, &format!("add the alias {}", one.domain)),
            ))
        })
        .await
}

async fn dns(facts: &Facts<'_>) -> Outcome {
    let verdicts = facts.runbook.distributions.iter().map(|one| async {
        let host = one.domain.clone();
        let found = facts
            .read("dns.Resolve", &one.domain, |cloud| async move {
                cloud.resolve(&host).await
            })
            .await;
        let fix = format!(
            "point {} at the distribution's CloudFront name (CNAME or ALIAS)",
            one.domain
        );
        let verdict = match found {
            Ok(addresses) => {
                let strange = addresses.iter().find(|address| {
                    let range = cloudfront_ranges::index();
                    range.covering(Cidr::single(**address)).is_none()
                });
                match strange {
                    Some(address) => Verdict::fail(
                        format!("{} leads to {address}, which is not CloudFront", one.domain),
                        fix,
                    ),
                    None => Verdict::pass(format!("{} addresses of CloudFront", addresses.len())),
                }
            }
            Err(Gap::Absent(_)) => Verdict::fail(format!("{} has no address", one.domain), fix),
            Err(gap) => gap.into(),
        };
        named(&one.name, verdict)
    });
    let verdicts = futures_util::future::join_all(verdicts).await;
    Ok(Verdict::across(verdicts, "there is no distribution"))
}

async fn certificate(facts: &Facts<'_>) -> Outcome {
    facts
        .each_distribution(|one, view| async move {
            let Some(arn) = &view.certificate.acm else {
                return Ok(if one.domain.ends_with(".cloudfront.net") {
                    Verdict::pass("CloudFront's own")
                } else if view.aliases.is_empty() {
                    Verdict::not_applicable("no alias, so no certificate of its own")
                } else {
                    Verdict::fail(
                        format!("no certificate for {}", one.domain),
                        change(
                            &one.id,
                            "attach a certificate of Certificate Manager, us-east-1",
                        ),
                    )
                });
            };
            let certificate = match facts.certificate(arn).await {
                Ok(certificate) => certificate,
                Err(Gap::Absent(_)) => {
                    return Ok(Verdict::fail(
                        format!("certificate {arn} is not there"),
                        change(
                            &one.id,
                            "attach a certificate of Certificate Manager, us-east-1",
                        ),
                    ));
                }
                Err(gap) => return Err(gap),
            };
            let zone = &facts.runbook.event.zone;
            let closes = facts.closes();
            let until = certificate.not_after.map(|at| time::local(at, zone));
            let mut wrong = Vec::new();
            if certificate.status != "ISSUED" {
                wrong.push(format!("its status is {}", certificate.status));
            }
            if certificate.not_after.is_none_or(|at| at <= closes) {
                let until = until
                    .clone()
                    .unwrap_or_else(|| "an unknown time".to_owned());
                wrong.push(format!(
                    "it ends at {until}, before the event's window closes"
                ));
            }
            if !certificate
                .names
                .iter()
                .any(|name| covers(name, &one.domain))
            {
                wrong.push(format!(
                    "it is for {} and not for {}",
                    certificate.names.join(", "),
                    one.domain
                ));
            }
            Ok(if wrong.is_empty() {
                Verdict::pass(format!("until {}", until.unwrap_or_default()))
            } else {
                Verdict::fail(
                    wrong.join(" and "),
                    format!("renew or replace {arn} in Certificate Manager, us-east-1"),
                )
            })
        })
        .await
}

async fn tls(facts: &Facts<'_>) -> Outcome {
    facts
        .each_distribution(|one, view| async move {
            let minimum = &view.certificate.minimum_protocol;
            Ok(if view.certificate.acm.is_none() {
                Verdict::not_applicable("CloudFront's own certificate sets it")
            } else if minimum.starts_with("TLSv1.2") || minimum.starts_with("TLSv1.3") {
                Verdict::pass(minimum.clone())
            } else {
                Verdict::fail(
                    format!("{minimum} is the least it takes"),
                    change(&one.id, "MinimumProtocolVersion = TLSv1.2_2021"),
                )
            })
        })
        .await
}

async fn http_versions(facts: &Facts<'_>) -> Outcome {
    facts
        .each_distribution(|one, view| async move {
            Ok(if view.http_version == "http2and3" {
                Verdict::pass("HTTP/2 and HTTP/3")
            } else {
                Verdict::fail(
                    format!("only {}", view.http_version),
                    change(&one.id, "HttpVersion = http2and3"),
                )
            })
        })
        .await
}

async fn ipv6(facts: &Facts<'_>) -> Outcome {
    facts
        .each_distribution(|one, view| async move {
            Ok(if view.ipv6 {
                Verdict::pass("on")
            } else {
                Verdict::fail("off", change(&one.id, "IsIPV6Enabled = true"))
            })
        })
        .await
}

async fn https(facts: &Facts<'_>) -> Outcome {
    facts
        .each_distribution(|one, view| async move {
            let sampled = sampled(one, &view);
            let open: Vec<&str> = sampled
                .iter()
                .filter(|(_, _, behavior)| behavior.viewer_protocol == "allow-all")
                .map(|(_, _, behavior)| behavior.name())
                .collect();
            Ok(if sampled.is_empty() {
                Verdict::not_applicable("no sample paths")
            } else if open.is_empty() {
                Verdict::pass("HTTPS")
            } else {
                Verdict::fail(
                    format!("plain HTTP is served by {}", open.join(", ")),
                    change(&one.id, "ViewerProtocolPolicy = redirect-to-https"),
                )
            })
        })
        .await
}

async fn web_acl(facts: &Facts<'_>) -> Outcome {
    let Some(waf) = &facts.runbook.waf else {
        return Ok(Verdict::not_applicable("the runbook has no [waf]"));
    };
    facts
        .each_distribution(|one, view| async move {
            let fix = "onair provision";
            let attached = view.web_acl.as_deref();
            let name = attached
                .and_then(crate::cloud::WebAclSummary::from_arn)
                .map(|acl| acl.name);
            Ok(match (attached, name) {
                (None, _) => Verdict::fail("no web ACL is attached", fix),
                (Some(_), Some(name)) if name == waf.web_acl => Verdict::pass(name),
                (Some(other), _) => Verdict::fail(
                    format!("{other} is attached to {}, not {}", one.id, waf.web_acl),
                    fix,
                ),
            })
        })
        .await
}

async fn geo(facts: &Facts<'_>) -> Outcome {
    let Some(geo) = &facts.runbook.geo else {
        return Ok(Verdict::not_applicable("the runbook has no [geo]"));
    };
    let view = facts.view()?;
    let verdicts = facts.runbook.distributions.iter().map(|one| async {
        let expected = |country: Country| {
            let asked = view
                .open()
                .flat_map(|change| view.countries(change))
                .filter(|(ask, standing)| {
                    ask.distribution == one.id
                        && ask.country == country
                        && *standing == Standing::Open
                })
                .map(|(ask, _)| ask.wanted)
                .last();
            asked.unwrap_or(if geo.blocks(country) {
                Access::Blocked
            } else {
                Access::Allowed
            })
        };
        let verdict = match facts.observed(&one.id).await {
            Ok(observed) => {
                let off: Vec<String> = Country::all()
                    .filter(|country| observed.geo.access(*country) != expected(*country))
                    .map(|country| {
                        let word = match observed.geo.access(country) {
                            Access::Allowed => "let in",
                            Access::Blocked => "kept out",
                        };
                        format!("{country} {word}")
                    })
                    .collect();
                if off.is_empty() {
                    let mode = match observed.geo.mode {
                        Mode::None => "no restriction".to_owned(),
                        Mode::Allow => format!("{} countries let in", observed.geo.countries.len()),
                        Mode::Block => {
                            format!("{} countries kept out", observed.geo.countries.len())
                        }
                    };
                    Verdict::pass(mode)
                } else {
                    let more = off.len().saturating_sub(8);
                    let mut words = off[..off.len() - more].join(", ");
                    if more > 0 {
                        words.push_str(&format!(" and {more} more"));
                    }
                    Verdict::fail(
                        format!("not as the runbook and the open entries have it: {words}"),
                        "onair geo reset --to runbook",
                    )
                }
            }
            Err(gap) => gap.into(),
        };
        named(&one.name, verdict)
    });
    let verdicts = futures_util::future::join_all(verdicts).await;
    Ok(Verdict::across(verdicts, "there is no distribution"))
}

async fn metrics(facts: &Facts<'_>) -> Outcome {
    facts
        .each_distribution(|one, _| async move {
            let id = one.id.clone();
            let is_on = facts
                .read(
                    "cloudfront.GetMonitoringSubscription",
                    &one.id,
                    |cloud| async move { cloud.additional_metrics(&id).await },
                )
                .await?;
            Ok(if *is_on == Some(true) {
                Verdict::pass("on")
            } else {
                Verdict::fail("off", "onair provision")
            })
        })
        .await
}

async fn shared(facts: &Facts<'_>) -> Outcome {
    let live: Vec<String> = facts
        .session
        .neighbors()
        .into_iter()
        .filter(|neighbor| neighbor.live)
        .map(|neighbor| neighbor.event)
        .collect();
    if live.is_empty() {
        return Ok(Verdict::pass("no other runbook's event is on"));
    }
    Ok(Verdict::fail(
        format!("also serving: {}", live.join(", ")),
        "agree with that crew on changes, or use a distribution of its own",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_is_good_for_one_label() {
        for (name, host, good) in [
            ("live.example.com", "LIVE.example.com", true),
            ("*.example.com", "live.example.com", true),
            ("*.example.com", "a.live.example.com", false),
            ("*.example.com", "example.com", false),
        ] {
            assert_eq!(covers(name, host), good, "{name} {host}");
        }
    }
}
