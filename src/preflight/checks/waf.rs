//! The web ACL and the blocklists.

use crate::edge::acl::{Action, Rule, Statement, WebAcl};
use crate::event::cidr::{Cidr, Family};
use crate::event::phase::Phase;
use crate::plan::ip_set::Demand;
use crate::plan::rules::open_moves;
use crate::plan::web_acl::{Basis, ChangeKind, Purpose, plan_acl, prefix, wanted_rules};
use crate::preflight::{Check, Facts, Gap, Outcome, Severity, Verdict, asking};
use crate::runbook::Waf;
use crate::runbook::model::RuleAction;

/// Addresses of one IP set (AWS WAF Developer Guide, "AWS WAF quotas").
const MOST_ADDRESSES: usize = 10_000;
/// Room that a night of blocking should find.
const HEADROOM: usize = 500;
/// Web ACL capacity units in the price, and at most.
const FREE_CAPACITY: u64 = 1_500;
/// Viewers behind one address that a rate rule must not cut off: a student home, a carrier's NAT.
const VIEWERS_BEHIND_ONE: f64 = 20.0;

const ACL: &str = "wafv2.GetWebACL";
const SETS: &str = "wafv2.GetIPSet";

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "waf.web-acl",
        title: "the web ACL is there and lets in whom no rule names",
        severity: Severity::Error,
        from: Phase::Setup,
        source: ACL,
        run: asking!(web_acl),
    },
    Check {
        id: "waf.ip-sets",
        title: "both blocklists are there, for IPv4 and IPv6",
        severity: Severity::Error,
        from: Phase::Setup,
        source: "wafv2.ListIPSets, GetIPSet",
        run: asking!(ip_sets),
    },
    Check {
        id: "waf.blocklist",
        title: "rules look both blocklists up and act as the runbook says",
        severity: Severity::Error,
        from: Phase::Setup,
        source: "wafv2.GetWebACL; a set that no rule names blocks nothing",
        run: asking!(blocklist),
    },
    Check {
        id: "waf.blocklist-first",
        title: "nothing lets viewers in before the blocklists",
        severity: Severity::Error,
        from: Phase::Setup,
        source: ACL,
        run: asking!(blocklist_first),
    },
    Check {
        id: "waf.headroom",
        title: "the blocklists have room for the night",
        severity: Severity::Error,
        from: Phase::Rehearsal,
        source: "wafv2.GetIPSet; 10,000 addresses a set",
        run: asking!(headroom),
    },
    Check {
        id: "waf.never-block",
        title: "nobody of never-block is on a blocklist",
        severity: Severity::Error,
        from: Phase::Setup,
        source: SETS,
        run: asking!(never_block),
    },
    Check {
        id: "waf.drift",
        title: "the ledger explains every address on the blocklists",
        severity: Severity::Warning,
        from: Phase::Rehearsal,
        source: "wafv2.GetIPSet and the ledger",
        run: asking!(drift),
    },
    Check {
        id: "waf.managed",
        title: "the managed lists are there and act as the runbook says",
        severity: Severity::Error,
        from: Phase::Setup,
        source: ACL,
        run: asking!(managed),
    },
    Check {
        id: "waf.rate",
        title: "the rate rule is as the runbook has it",
        severity: Severity::Error,
        from: Phase::Setup,
        source: ACL,
        run: asking!(rate),
    },
    Check {
        id: "waf.rate-forecast",
        title: "no rate rule cuts off a household's viewers",
        severity: Severity::Warning,
        from: Phase::Setup,
        source: "wafv2.GetWebACL against the forecast's requests of one viewer",
        run: asking!(rate_forecast),
    },
    Check {
        id: "waf.states",
        title: "the rules of states and provinces are as the rights are",
        severity: Severity::Error,
        from: Phase::Setup,
        source: "wafv2.GetWebACL against [[geo.states]]",
        run: asking!(states),
    },
    Check {
        id: "waf.capacity",
        title: "the web ACL's capacity is within the price",
        severity: Severity::Warning,
        from: Phase::Setup,
        source: "wafv2.GetWebACL; above 1,500 WCU each request costs more",
        run: asking!(capacity),
    },
    Check {
        id: "waf.metrics",
        title: "every rule counts its matches",
        severity: Severity::Warning,
        from: Phase::Setup,
        source: "wafv2.GetWebACL: VisibilityConfig",
        run: asking!(metrics),
    },
];

const FAMILIES: [Family; 2] = [Family::V4, Family::V6];

/// The runbook's section and the ACL as the edge reads it.
async fn acl<'f>(facts: &'f Facts<'_>) -> Result<(&'f Waf, WebAcl), Gap> {
    let waf = section(facts)?;
    let document = facts.web_acl(&waf.web_acl).await?;
    let acl = WebAcl::from_json(&document.json)
        .map_err(|error| Gap::Unknown(format!("web ACL {}: {error}", waf.web_acl)))?;
    Ok((waf, acl))
}

fn section<'f>(facts: &'f Facts<'_>) -> Result<&'f Waf, Gap> {
    facts
        .runbook
        .waf
        .as_ref()
        .ok_or_else(|| Gap::Absent("the runbook has no [waf]".to_owned()))
}

async fn web_acl(facts: &Facts<'_>) -> Outcome {
    let waf = section(facts)?;
    match acl(facts).await {
        Ok((_, acl)) if acl.default_allow => Ok(Verdict::pass(format!(
            "{}, {} rules",
            acl.name,
            acl.rules.len()
        ))),
        Ok(_) => Ok(Verdict::fail(
            "its default action refuses everybody",
            format!("change web ACL {}: default action Allow", waf.web_acl),
        )),
        Err(Gap::Absent(_)) => Ok(Verdict::fail(
            format!("there is no web ACL {} of scope CLOUDFRONT", waf.web_acl),
            "mend waf.web-acl in the runbook, or `onair provision`",
        )),
        Err(gap) => Err(gap),
    }
}

async fn ip_sets(facts: &Facts<'_>) -> Outcome {
    let waf = section(facts)?;
    let mut verdicts = Vec::new();
    for family in FAMILIES {
        let name = waf.ip_set(family);
        verdicts.push(match facts.ip_set(family).await {
            Ok(set) => {
                let fits = matches!(
                    (set.family, family),
                    (crate::cloud::IpSetFamily::V4, Family::V4)
                        | (crate::cloud::IpSetFamily::V6, Family::V6)
                );
                if fits {
                    Verdict::pass(format!("{name}: {} addresses", set.addresses.len()))
                } else {
                    Verdict::fail(
                        format!("{name} is for the other address family"),
                        "name another set in the runbook: a set's family cannot change",
                    )
                }
            }
            Err(Gap::Absent(_)) => {
                Verdict::fail(format!("there is no IP set {name}"), "onair provision")
            }
            Err(gap) => gap.into(),
        });
    }
    Ok(Verdict::across(verdicts, "no sets"))
}

/// Whether a statement looks this set up, alone or among others of which one must match.
fn looks_up(statement: &Statement, name: &str) -> bool {
    match statement {
        Statement::IpSet { arn, forwarded } => !forwarded && crate::layers::set_name(arn) == name,
        Statement::Or(statements) => statements.iter().any(|one| looks_up(one, name)),
        _ => false,
    }
}

/// The first rule that looks a set up.
fn rule_of<'r>(acl: &'r WebAcl, name: &str) -> Option<&'r Rule> {
    acl.rules
        .iter()
        .find(|rule| looks_up(&rule.statement, name))
}

async fn blocklist(facts: &Facts<'_>) -> Outcome {
    let (waf, acl) = acl(facts).await?;
    let verdicts = FAMILIES.map(|family| {
        let name = waf.ip_set(family);
        let Some(rule) = rule_of(&acl, name) else {
            return Verdict::fail(
                format!("no rule of {} looks {name} up", waf.web_acl),
                "onair provision",
            );
        };
        match (rule.action, waf.blocklist) {
            (Action::Block { .. }, RuleAction::Block) | (Action::Count, RuleAction::Count) => {
                Verdict::pass(format!("{} by rule {}", name, rule.name))
            }
            (found, wanted) => Verdict::fail(
                format!(
                    "rule {} is {} where the runbook says {}",
                    rule.name,
                    action_word(found),
                    wanted_word(wanted)
                ),
                // What the crew moved stays so, whatever provision is asked.
                "onair rule list, which says who moved it; onair provision where nobody did",
            ),
        }
    });
    Ok(Verdict::across(verdicts, "no sets"))
}

fn action_word(action: Action) -> &'static str {
    match action {
        Action::Allow => "allow",
        Action::Block { .. } | Action::OverrideNone => "block",
        Action::Count | Action::OverrideCount => "count",
        Action::Challenge => "challenge",
        Action::Captcha => "captcha",
    }
}

fn wanted_word(action: RuleAction) -> &'static str {
    match action {
        RuleAction::Block => "block",
        RuleAction::Count => "count",
    }
}

async fn blocklist_first(facts: &Facts<'_>) -> Outcome {
    let (waf, acl) = acl(facts).await?;
    let verdicts = FAMILIES.map(|family| {
        let name = waf.ip_set(family);
        let Some(rule) = rule_of(&acl, name) else {
            return Verdict::not_applicable(format!("no rule for {name}"));
        };
        let before = acl
            .rules
            .iter()
            .find(|other| other.priority < rule.priority && other.action == Action::Allow);
        match before {
            None => Verdict::pass(format!("{} at priority {}", rule.name, rule.priority)),
            Some(other) => Verdict::fail(
                format!("rule {} lets viewers in before {}", other.name, rule.name),
                format!(
                    "change web ACL {}: a priority for {} below {}",
                    waf.web_acl, rule.name, other.priority
                ),
            ),
        }
    });
    Ok(Verdict::across(verdicts, "no sets"))
}

async fn headroom(facts: &Facts<'_>) -> Outcome {
    let waf = section(facts)?;
    let mut verdicts = Vec::new();
    for family in FAMILIES {
        let name = waf.ip_set(family);
        let held = facts.ip_set(family).await?.addresses.len();
        let left = MOST_ADDRESSES.saturating_sub(held);
        verdicts.push(if left >= HEADROOM {
            Verdict::pass(format!("{name}: {left} left"))
        } else {
            Verdict::fail(
                format!("{name} holds {held} of {MOST_ADDRESSES}"),
                "onair tend --once, and `onair ip list` for prefixes that could be merged",
            )
        });
    }
    Ok(Verdict::across(verdicts, "no sets"))
}

async fn never_block(facts: &Facts<'_>) -> Outcome {
    let waf = section(facts)?;
    if waf.never_block.is_empty() {
        return Ok(Verdict::not_applicable("never-block is empty"));
    }
    let mut hit = Vec::new();
    for family in FAMILIES {
        for text in &facts.ip_set(family).await?.addresses {
            let Ok(cidr) = text.parse::<Cidr>() else {
                continue;
            };
            let protected = waf.never_block.iter().find(|one| one.cidr.overlaps(cidr));
            if let Some(protected) = protected {
                hit.push((cidr, protected.name.clone()));
            }
        }
    }
    if hit.is_empty() {
        return Ok(Verdict::pass(format!(
            "none of {} networks",
            waf.never_block.len()
        )));
    }
    let evidence: Vec<String> = hit
        .iter()
        .map(|(cidr, name)| format!("{cidr} blocks {name}"))
        .collect();
    let list: Vec<String> = hit.iter().map(|(cidr, _)| cidr.to_string()).collect();
    Ok(Verdict::fail(
        evidence.join(", "),
        format!("onair unblock {}", list.join(" ")),
    ))
}

async fn drift(facts: &Facts<'_>) -> Outcome {
    let view = facts.view()?;
    let mut foreign = Vec::new();
    for family in FAMILIES {
        let asked = Demand::of(view, None, family);
        for text in &facts.ip_set(family).await?.addresses {
            match text.parse::<Cidr>() {
                Ok(cidr) if asked.explains(cidr) => {}
                _ => foreign.push(text.clone()),
            }
        }
    }
    if foreign.is_empty() {
        return Ok(Verdict::pass("all of them"));
    }
    let shown: Vec<&str> = foreign.iter().take(5).map(String::as_str).collect();
    Ok(Verdict::fail(
        format!(
            "{} addresses are somebody else's: {}",
            foreign.len(),
            shown.join(", ")
        ),
        "onair ip list; then `onair unblock` what should not be there",
    ))
}

async fn managed(facts: &Facts<'_>) -> Outcome {
    let (waf, acl) = acl(facts).await?;
    let verdicts = waf.managed.iter().map(|wanted| {
        let found = acl.rules.iter().find(|rule| {
            matches!(&rule.statement, Statement::Managed { name, .. } if *name == wanted.group)
        });
        let Some(rule) = found else {
            return Verdict::fail(
                format!("{} is not in web ACL {}", wanted.group, waf.web_acl),
                "onair provision",
            );
        };
        let counts = rule.action == Action::OverrideCount;
        if counts == (wanted.action == RuleAction::Count) {
            Verdict::pass(format!("{}: {}", wanted.group, action_word(rule.action)))
        } else {
            Verdict::fail(
                format!(
                    "{} is {} where the runbook says {}",
                    wanted.group,
                    action_word(rule.action),
                    wanted_word(wanted.action)
                ),
                format!("onair rule {} {}", wanted_word(wanted.action), rule.name),
            )
        }
    });
    Ok(Verdict::across(
        verdicts,
        "the runbook names no managed list",
    ))
}

/// The limit, the window in seconds and the action of each rate rule, as WAF wrote them.
fn rate_rules(json: &serde_json::Value) -> Vec<(String, u64, u64, &'static str)> {
    let rules = json["Rules"].as_array().map_or(&[][..], Vec::as_slice);
    rules
        .iter()
        .filter_map(|rule| {
            let statement = rule["Statement"].get("RateBasedStatement")?;
            let action = if rule["Action"].get("Count").is_some() {
                "count"
            } else {
                "block"
            };
            Some((
                rule["Name"].as_str()?.to_owned(),
                statement["Limit"].as_u64()?,
                statement["EvaluationWindowSec"].as_u64().unwrap_or(300),
                action,
            ))
        })
        .collect()
}

async fn rate(facts: &Facts<'_>) -> Outcome {
    let waf = section(facts)?;
    let Some(wanted) = &waf.rate else {
        return Ok(Verdict::not_applicable("the runbook has no rate rule"));
    };
    let document = facts.web_acl(&waf.web_acl).await?;
    let rules = rate_rules(&document.json);
    let words = |limit: u64, window: u64, action: &str| format!("{limit} in {window} s, {action}");
    let expected = words(
        wanted.limit,
        u64::from(wanted.window_seconds),
        wanted_word(wanted.action),
    );
    let found: Vec<String> = rules
        .iter()
        .map(|(_, limit, window, action)| words(*limit, *window, action))
        .collect();
    if found.contains(&expected) {
        return Ok(Verdict::pass(expected));
    }
    let found = if found.is_empty() {
        "there is none".to_owned()
    } else {
        format!("it is {}", found.join("; "))
    };
    Ok(Verdict::fail(
        format!("{found}, not {expected}"),
        "onair provision",
    ))
}

#[expect(clippy::cast_precision_loss, reason = "limits and windows are small")]
async fn rate_forecast(facts: &Facts<'_>) -> Outcome {
    let waf = section(facts)?;
    let Some(forecast) = &facts.runbook.forecast else {
        return Ok(Verdict::not_applicable("the runbook has no [forecast]"));
    };
    let document = facts.web_acl(&waf.web_acl).await?;
    let verdicts = rate_rules(&document.json)
        .into_iter()
        .map(|(name, limit, window, _)| {
            let one = forecast.requests_per_viewer() * window as f64;
            let viewers = limit as f64 / one;
            if viewers >= VIEWERS_BEHIND_ONE {
                Verdict::pass(format!("{name}: {viewers:.0} viewers behind one address"))
            } else {
                Verdict::fail(
                    format!(
                        "{name} allows {limit} in {window} s; one viewer makes {one:.0}, so {viewers:.0} viewers share an address at most"
                    ),
                    format!(
                        "raise waf.rate.limit in the runbook to {:.0} or more",
                        one * VIEWERS_BEHIND_ONE
                    ),
                )
            }
        });
    Ok(Verdict::across(verdicts, "there is no rate rule"))
}

/// What provisioning would change of the rules that keep states out.
async fn states(facts: &Facts<'_>) -> Outcome {
    let waf = section(facts)?;
    let states = facts.runbook.geo.as_ref().map(|geo| geo.states.as_slice());
    let Some(states) = states.filter(|states| !states.is_empty()) else {
        return Ok(Verdict::not_applicable("the runbook has no [[geo.states]]"));
    };
    let view = facts.view()?;
    let document = facts.web_acl(&waf.web_acl).await?;
    let listed = facts.ip_sets().await?;
    let arns = FAMILIES
        .into_iter()
        .filter_map(|family| {
            let set = listed.iter().find(|set| set.name == waf.ip_set(family))?;
            Some((family, set.arn.clone()))
        })
        .collect();
    let event = facts.runbook.event.id.as_str();
    let wanted = wanted_rules(event, waf, states, &arns);
    let plan = plan_acl(
        &document.json,
        &Basis {
            prefix: prefix(event),
            wanted: &wanted,
            moves: open_moves(view, &waf.web_acl)
                .into_iter()
                .map(|(rule, (ask, _))| (rule, ask.wanted))
                .collect(),
            made: std::collections::BTreeSet::new(),
        },
    );
    let verdicts = wanted
        .iter()
        .filter(|rule| matches!(rule.purpose, Purpose::Labels | Purpose::Rights(_)))
        .map(|rule| {
            let change = plan.changes.iter().find(|change| change.rule == rule.name);
            let Some(change) = change else {
                return Verdict::pass(rule.name.clone());
            };
            let differences: Vec<String> = change
                .differences
                .iter()
                .map(|one| format!("{}: {} → {}", one.field, one.from, one.to))
                .collect();
            let evidence = match change.kind {
                ChangeKind::Create => format!("there is no rule {}", rule.name),
                _ => format!("{}: {}", rule.name, differences.join(", ")),
            };
            Verdict::fail(evidence, "onair provision --only web-acl-rule")
        });
    Ok(Verdict::across(verdicts, "no rules"))
}

async fn capacity(facts: &Facts<'_>) -> Outcome {
    let waf = section(facts)?;
    let document = facts.web_acl(&waf.web_acl).await?;
    let capacity = document.json["Capacity"]
        .as_u64()
        .ok_or_else(|| Gap::Unknown("the web ACL has no Capacity".to_owned()))?;
    Ok(if capacity <= FREE_CAPACITY {
        Verdict::pass(format!("{capacity} of {FREE_CAPACITY} WCU"))
    } else {
        Verdict::fail(
            format!("{capacity} WCU; the price covers {FREE_CAPACITY}"),
            format!(
                "take rules out of web ACL {} that the event does not need",
                waf.web_acl
            ),
        )
    })
}

async fn metrics(facts: &Facts<'_>) -> Outcome {
    let waf = section(facts)?;
    let document = facts.web_acl(&waf.web_acl).await?;
    let rules = document.json["Rules"].as_array();
    let blind: Vec<&str> = rules
        .map_or(&[][..], Vec::as_slice)
        .iter()
        .filter(|rule| {
            let visibility = &rule["VisibilityConfig"];
            visibility["CloudWatchMetricsEnabled"] == false
                || visibility["SampledRequestsEnabled"] == false
        })
        .filter_map(|rule| rule["Name"].as_str())
        .collect();
    Ok(if blind.is_empty() {
        Verdict::pass("metrics and samples are on")
    } else {
        Verdict::fail(
            format!("no metrics or samples of {}", blind.join(", ")),
            format!(
                "change web ACL {}: VisibilityConfig of these rules",
                waf.web_acl
            ),
        )
    })
}
