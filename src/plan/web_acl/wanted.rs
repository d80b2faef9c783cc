//! The rules that a runbook asks of its web ACL, in WAF's wire form.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::event::cidr::Family;
use crate::event::country::Country;
use crate::runbook::{GeoMode, RuleAction, StateRights, Waf};

/// Codes in one geo match statement (aws-facts 3.4).
const COUNTRIES_A_STATEMENT: usize = 50;

/// The status that a rights rule answers. 451 would say it best, and the edge function does; WAF's
/// custom responses do not take it (WAF Developer Guide, "Supported status codes for custom
/// responses").
const RIGHTS_STATUS: u16 = 403;

/// The header that tells players and support why a request was refused; the edge function has the
/// same one.
const RIGHTS_HEADER: &str = "x-onair-gate";

/// One rule that the runbook asks for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct WantedRule {
    /// The name it is made under, and its metric's.
    pub(crate) name: String,
    pub(crate) purpose: Purpose,
    pub(crate) statement: Value,
    /// The action with its member, such as `{"Action":{"Block":{}}}`.
    pub(crate) action: Value,
}

/// What a rule of ours is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Purpose {
    Blocklist(Family),
    /// Labels viewers with their region, so that a later rule can match it.
    Labels,
    Rights(Country),
    /// A managed rule group, by its name.
    Managed(String),
    Rate,
}

impl Purpose {
    /// Whether the rule must come before every rule that is not ours: an earlier rule that allows
    /// would let in whom it refuses. Lists and rates may come anywhere after.
    pub(super) fn leads(&self) -> bool {
        matches!(self, Self::Blocklist(_) | Self::Labels | Self::Rights(_))
    }
}

/// How the names of an event's rules begin.
pub(crate) fn prefix(event: &str) -> String {
    format!("onair-{event}-")
}

/// The rules that the runbook asks for, in their order.
///
/// The blocklist is two rules, one a family: each counts for itself in samples and metrics, and
/// where one was there before us only the other is made. `sets` has the IP sets' ARNs.
pub(crate) fn wanted_rules(
    event: &str,
    waf: &Waf,
    states: &[StateRights],
    sets: &BTreeMap<Family, String>,
) -> Vec<WantedRule> {
    let prefix = prefix(event);
    let mut rules = Vec::new();
    for (family, word) in [(Family::V4, "v4"), (Family::V6, "v6")] {
        if let Some(arn) = sets.get(&family) {
            rules.push(WantedRule {
                name: format!("{prefix}block-{word}"),
                purpose: Purpose::Blocklist(family),
                statement: json!({"IPSetReferenceStatement": {"ARN": arn}}),
                action: own_action(waf.blocklist),
            });
        }
    }
    if !states.is_empty() {
        rules.push(WantedRule {
            name: format!("{prefix}geo-labels"),
            purpose: Purpose::Labels,
            statement: countries(states),
            action: json!({"Action": {"Count": {}}}),
        });
    }
    for rights in states {
        rules.push(WantedRule {
            name: format!("{prefix}rights-{}", rights.country.code()),
            purpose: Purpose::Rights(rights.country),
            statement: outside(rights),
            action: refusing_for_rights(),
        });
    }
    for list in &waf.managed {
        rules.push(WantedRule {
            name: format!("{prefix}{}", list.group),
            purpose: Purpose::Managed(list.group.clone()),
            statement: json!({
                "ManagedRuleGroupStatement": {"VendorName": "AWS", "Name": list.group},
            }),
            action: match list.action {
                RuleAction::Count => json!({"OverrideAction": {"Count": {}}}),
                RuleAction::Block => json!({"OverrideAction": {"None": {}}}),
            },
        });
    }
    if let Some(rate) = &waf.rate {
        rules.push(WantedRule {
            name: format!("{prefix}rate"),
            purpose: Purpose::Rate,
            statement: json!({
                "RateBasedStatement": {
                    "Limit": rate.limit,
                    "EvaluationWindowSec": rate.window_seconds,
                    "AggregateKeyType": "IP",
                },
            }),
            action: own_action(rate.action),
        });
    }
    rules
}

fn own_action(action: RuleAction) -> Value {
    match action {
        RuleAction::Count => json!({"Action": {"Count": {}}}),
        RuleAction::Block => json!({"Action": {"Block": {}}}),
    }
}

fn refusing_for_rights() -> Value {
    json!({"Action": {"Block": {"CustomResponse": {
        "ResponseCode": RIGHTS_STATUS,
        "ResponseHeaders": [
            {"Name": RIGHTS_HEADER, "Value": "region"},
            {"Name": "cache-control", "Value": "no-store"},
        ],
    }}}})
}

/// Matches viewers in the countries whose regions matter. WAF labels every request that a geo match
/// inspects, so that the rules after it can tell the region (aws-facts 3.4).
fn countries(states: &[StateRights]) -> Value {
    let codes: Vec<&str> = states.iter().map(|one| one.country.code()).collect();
    let statements = codes
        .chunks(COUNTRIES_A_STATEMENT)
        .map(|codes| json!({"GeoMatchStatement": {"CountryCodes": codes}}))
        .collect();
    any_of(statements)
}

/// Matches the viewers of a country that have no rights.
///
/// A viewer whose region WAF does not know (`US-XX`) is in no list: an allow list refuses them, a
/// block list serves them, as CloudFront's own lists of countries do with unknown countries.
fn outside(rights: &StateRights) -> Value {
    let country = rights.country.code();
    let listed = rights
        .states
        .iter()
        .map(|state| {
            let key = format!("awswaf:clientip:geo:region:{country}-{state}");
            json!({"LabelMatchStatement": {"Scope": "LABEL", "Key": key}})
        })
        .collect();
    let listed = any_of(listed);
    match rights.mode {
        GeoMode::Block => listed,
        GeoMode::Allow => json!({"AndStatement": {"Statements": [
            {"GeoMatchStatement": {"CountryCodes": [country]}},
            {"NotStatement": {"Statement": listed}},
        ]}}),
    }
}

/// An `OrStatement` takes two statements or more.
fn any_of(mut statements: Vec<Value>) -> Value {
    if statements.len() == 1 {
        statements.remove(0)
    } else {
        json!({"OrStatement": {"Statements": statements}})
    }
}
