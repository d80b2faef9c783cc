//! Checks the rules that `[waf]` expects of the web ACL.

use crate::event::duration::parse_duration;
use crate::event::text::{did_you_mean, shortened};
use crate::runbook::check::{Notes, unique};
use crate::runbook::model::{ManagedRulesSection, RateSection, RuleAction};
use crate::runbook::note::{Note, Problem};
use crate::runbook::resolved::{ManagedRules, RateRule};

/// The managed rule groups that a live event is likely to use; others are taken as they stand.
const USUAL_GROUPS: &[&str] = &[
    "AWSManagedRulesAmazonIpReputationList",
    "AWSManagedRulesAnonymousIpList",
    "AWSManagedRulesAntiDDoSRuleSet",
    "AWSManagedRulesBotControlRuleSet",
    "AWSManagedRulesCommonRuleSet",
    "AWSManagedRulesKnownBadInputsRuleSet",
];

/// The requests that a rate rule may take; WAF's `RateLimit` of `RateBasedStatement`.
const RATE_LIMITS: std::ops::RangeInclusive<u32> = 10..=2_000_000_000;
/// The windows of a rate rule in seconds; WAF's `EvaluationWindowSec`.
const RATE_WINDOWS: [u32; 4] = [60, 120, 300, 600];

pub(super) fn managed(sections: &[ManagedRulesSection], notes: &mut Notes) -> Vec<ManagedRules> {
    let groups = sections.iter().zip(0..);
    let groups = groups.map(|(section, index)| {
        (
            format!("waf.managed[{index}].group"),
            section.group.as_str(),
        )
    });
    unique("rule group", groups, notes);
    for (section, index) in sections.iter().zip(0..) {
        let group = section.group.as_str();
        let is_group = group.strip_prefix("AWSManagedRules").is_some_and(|name| {
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
        });
        if !is_group {
            let written = format!("AWSManagedRules{group}");
            let nearest = did_you_mean(group, USUAL_GROUPS.iter().copied())
                .or_else(|| did_you_mean(&written, USUAL_GROUPS.iter().copied()));
            let path = format!("waf.managed[{index}].group");
            let problem = Problem::ManagedGroup(shortened(group, 80));
            notes.0.push(Note::error(path, problem).nearest(nearest));
        }
    }
    sections
        .iter()
        .map(|section| ManagedRules {
            group: section.group.clone(),
            action: section.action.unwrap_or(RuleAction::Count),
        })
        .collect()
}

pub(super) fn rate(section: &RateSection, notes: &mut Notes) -> Option<RateRule> {
    if !RATE_LIMITS.contains(&section.limit) {
        let (least, most) = (*RATE_LIMITS.start(), *RATE_LIMITS.end());
        notes.error("waf.rate.limit", Problem::Range { least, most });
    }
    let window = section.window.as_deref().unwrap_or("5m");
    let parsed = notes.take("waf.rate.window", parse_duration(window), Problem::Duration)?;
    let seconds = u32::try_from(parsed.as_secs())
        .ok()
        .filter(|seconds| RATE_WINDOWS.contains(seconds));
    let Some(window_seconds) = seconds else {
        notes.error("waf.rate.window", Problem::RateWindow);
        return None;
    };
    Some(RateRule {
        limit: section.limit.into(),
        window_seconds,
        action: section.action.unwrap_or(RuleAction::Count),
    })
}
