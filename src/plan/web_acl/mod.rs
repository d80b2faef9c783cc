//! What the event's web ACL should hold: the runbook's rules brought into WAF's own document, with
//! moves that an open ledger entry asks for left standing. Only our rules change; of the others at
//! most the priority, where there is no room in front of them. Pure.

mod capacity;
mod place;
mod wanted;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

pub(crate) use capacity::{CAPACITY_INCLUDED, CAPACITY_LIMIT, cost};
pub(crate) use wanted::{Purpose, WantedRule, prefix, wanted_rules};

use super::rules::{action_of, moved, set_action, without_nulls, word_of};
use crate::ledger::body::RuleMove;
use place::{Placed, place};

/// What a plan of the web ACL's rules goes by.
#[derive(Debug, Clone, Default)]
pub(crate) struct Basis<'a> {
    /// The event's rules start so; see [`prefix`].
    pub(crate) prefix: String,
    pub(crate) wanted: &'a [WantedRule],
    /// Rules that open ledger entries move, by name: these actions stand.
    pub(crate) moves: BTreeMap<String, RuleMove>,
    /// Names of the rules that the ledger says we made: only these are ever removed.
    pub(crate) made: BTreeSet<String>,
}

/// What to write to the web ACL.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AclPlan {
    /// The `WebACL` member with our rules as wanted; the rest as it was.
    pub(crate) after: Value,
    /// One for each rule that changes, in the order of the rules.
    pub(crate) changes: Vec<RuleChange>,
    /// Worth knowing, and no reason to stop.
    pub(crate) notes: Vec<String>,
    /// WCU before and after; none after where only WAF knows.
    pub(crate) capacity: (u64, Option<u64>),
}

/// One rule that changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RuleChange {
    pub(crate) rule: String,
    pub(crate) kind: ChangeKind,
    pub(crate) differences: Vec<Difference>,
}

/// How a rule changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChangeKind {
    Create,
    Change,
    /// A rule that is not ours gets another priority, its order among the others kept.
    Renumber,
    Remove,
}

/// One field of a rule that changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Difference {
    pub(crate) field: &'static str,
    pub(crate) from: String,
    pub(crate) to: String,
}

impl AclPlan {
    pub(crate) fn changes_something(&self) -> bool {
        !self.changes.is_empty()
    }
}

/// Which rule of the document serves a wanted one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Served {
    /// The rule of our name.
    Ours,
    /// Another rule with the same statement, by its name: only its action is brought to what the
    /// runbook says, and it is never removed.
    Adopted(String),
    Missing,
}

/// Finds the rule that does what `wanted` is for.
pub(crate) fn served(document: &Value, wanted: &WantedRule) -> Served {
    let rules = || document["Rules"].as_array().into_iter().flatten();
    if rules().any(|rule| rule["Name"] == wanted.name.as_str()) {
        return Served::Ours;
    }
    rules()
        .find(|rule| does_the_same(rule, wanted))
        .and_then(|rule| rule["Name"].as_str())
        .map_or(Served::Missing, |name| Served::Adopted(name.to_owned()))
}

/// Lists and IP sets are the same whoever refers to them. Rights and rates of others are not
/// compared: they are that team's own.
fn does_the_same(rule: &Value, wanted: &WantedRule) -> bool {
    let statement = without_nulls(&rule["Statement"]);
    match &wanted.purpose {
        Purpose::Blocklist(_) => statement == wanted.statement,
        Purpose::Managed(group) => {
            let list = &statement["ManagedRuleGroupStatement"];
            list["Name"] == group.as_str() && list["VendorName"] == "AWS"
        }
        Purpose::Labels | Purpose::Rights(_) | Purpose::Rate => false,
    }
}

/// Plans the rules of the web ACL that now is `document` (the `WebACL` member of `GetWebACL`).
pub(crate) fn plan_acl(document: &Value, basis: &Basis<'_>) -> AclPlan {
    let mut notes = Vec::new();
    let mut rules: Vec<Value> = document["Rules"].as_array().cloned().unwrap_or_default();
    let mut changes: BTreeMap<String, RuleChange> = BTreeMap::new();
    let mut leading = Vec::new();
    let mut created = Vec::new();
    let mut ours = BTreeSet::new();
    for wanted in basis.wanted {
        match served(document, wanted) {
            Served::Ours => {
                let rule = find(&mut rules, &wanted.name).expect("served says that it is there");
                let differences = bring(rule, wanted, basis, true);
                note_change(&mut changes, &wanted.name, ChangeKind::Change, differences);
                ours.insert(wanted.name.clone());
                if wanted.purpose.leads() {
                    leading.push(Placed {
                        name: wanted.name.clone(),
                        priority: rule["Priority"].as_u64(),
                    });
                }
            }
            Served::Adopted(name) => {
                let rule = find(&mut rules, &name).expect("served says that it is there");
                let differences = bring(rule, wanted, basis, false);
                note_change(&mut changes, &name, ChangeKind::Change, differences);
                notes.push(format!(
                    "{name} was there before onair and does what {} would: its action follows the runbook, its place and the rest stay",
                    wanted.name
                ));
            }
            Served::Missing => {
                let rule = made(wanted, basis);
                let to = word_of(&action_of(&rule)).to_owned();
                note_change(
                    &mut changes,
                    &wanted.name,
                    ChangeKind::Create,
                    vec![Difference {
                        field: "action",
                        from: "(none)".to_owned(),
                        to,
                    }],
                );
                created.push(rule);
                ours.insert(wanted.name.clone());
                if wanted.purpose.leads() {
                    leading.push(Placed {
                        name: wanted.name.clone(),
                        priority: None,
                    });
                }
            }
        }
    }
    remove_obsolete(&mut rules, basis, &ours, &mut changes, &mut notes);

    let placed = placed(&rules, &created, &leading);
    renumber(&mut rules, &placed, &ours, &mut changes);
    if changes
        .values()
        .any(|change| change.kind == ChangeKind::Renumber)
    {
        notes.push(
            "there is no room before the first rule, so others move up, their order kept"
                .to_owned(),
        );
    }
    for mut rule in created {
        let name = rule["Name"].as_str().unwrap_or_default().to_owned();
        let priority = placed.get(&name).copied().unwrap_or_default();
        rule["Priority"] = priority.into();
        if let Some(change) = changes.get_mut(&name) {
            change
                .differences
                .push(difference("priority", "(none)", &priority.to_string()));
        }
        let at = rules
            .iter()
            .position(|other| other["Priority"].as_u64().is_some_and(|its| its > priority))
            .unwrap_or(rules.len());
        rules.insert(at, rule);
    }

    let capacity = capacity_of(document, &rules);
    if let (before, Some(after)) = capacity
        && after > CAPACITY_INCLUDED
        && after > before
    {
        notes.push(format!(
            "{after} WCU: above {CAPACITY_INCLUDED} every request costs extra, and {CAPACITY_LIMIT} is the limit"
        ));
    }
    let mut after = document.clone();
    if !after.is_object() {
        after = Value::Object(Map::new());
    }
    if !changes.is_empty() {
        after["Rules"] = rules.into();
    }
    let mut changes: Vec<RuleChange> = changes.into_values().collect();
    changes.sort_by_key(|change| placed.get(&change.rule).copied().unwrap_or(u64::MAX));
    AclPlan {
        after,
        changes,
        notes,
        capacity,
    }
}

/// The document without the event's rules that the ledger says we made, for a teardown.
pub(crate) fn without_ours(document: &Value, basis: &Basis<'_>) -> AclPlan {
    let nothing = Basis {
        wanted: &[],
        ..basis.clone()
    };
    plan_acl(document, &nothing)
}

fn remove_obsolete(
    rules: &mut Vec<Value>,
    basis: &Basis<'_>,
    ours: &BTreeSet<String>,
    changes: &mut BTreeMap<String, RuleChange>,
    notes: &mut Vec<String>,
) {
    rules.retain(|rule| {
        let name = rule["Name"].as_str().unwrap_or_default();
        if !name.starts_with(&basis.prefix) || ours.contains(name) {
            return true;
        }
        if !basis.made.contains(name) {
            notes.push(format!(
                "{name} has this event's prefix, but no ledger entry says that onair made it: it stays"
            ));
            return true;
        }
        let word = word_of(&action_of(rule));
        note_change(
            changes,
            name,
            ChangeKind::Remove,
            vec![difference("action", word, "(none)")],
        );
        false
    });
}

fn placed(rules: &[Value], created: &[Value], leading: &[Placed]) -> BTreeMap<String, u64> {
    let in_front: BTreeSet<&str> = leading.iter().map(|rule| rule.name.as_str()).collect();
    let others: Vec<Placed> = rules
        .iter()
        .map(|rule| (rule, rule["Priority"].as_u64()))
        .chain(created.iter().map(|rule| (rule, None)))
        .filter_map(|(rule, priority)| {
            let name = rule["Name"].as_str()?.to_owned();
            (!in_front.contains(name.as_str())).then_some(Placed { name, priority })
        })
        .collect();
    place(leading, &others)
}

/// Gives the rules that are there their priorities.
fn renumber(
    rules: &mut [Value],
    placed: &BTreeMap<String, u64>,
    ours: &BTreeSet<String>,
    changes: &mut BTreeMap<String, RuleChange>,
) {
    for rule in rules {
        let name = rule["Name"].as_str().unwrap_or_default().to_owned();
        let (Some(priority), Some(present)) = (placed.get(&name), rule["Priority"].as_u64()) else {
            continue;
        };
        if *priority == present {
            continue;
        }
        rule["Priority"] = (*priority).into();
        let kind = if ours.contains(&name) {
            ChangeKind::Change
        } else {
            ChangeKind::Renumber
        };
        let moved = difference("priority", &present.to_string(), &priority.to_string());
        note_change(changes, &name, kind, vec![moved]);
    }
}

fn note_change(
    changes: &mut BTreeMap<String, RuleChange>,
    rule: &str,
    kind: ChangeKind,
    differences: Vec<Difference>,
) {
    if differences.is_empty() {
        return;
    }
    changes
        .entry(rule.to_owned())
        .or_insert_with(|| RuleChange {
            rule: rule.to_owned(),
            kind,
            differences: Vec::new(),
        })
        .differences
        .extend(differences);
}

fn find<'a>(rules: &'a mut [Value], name: &str) -> Option<&'a mut Value> {
    rules.iter_mut().find(|rule| rule["Name"] == name)
}

/// The action wanted of the rule `name`: what an open entry asks for, else what the runbook says.
fn action_for(name: &str, wanted: &WantedRule, basis: &Basis<'_>) -> Value {
    match basis.moves.get(name) {
        Some(open) => moved(&wanted.action, *open),
        None => wanted.action.clone(),
    }
}

/// Brings a rule to what is wanted, in the fields that are ours: of an adopted rule the action only.
fn bring(rule: &mut Value, wanted: &WantedRule, basis: &Basis<'_>, whole: bool) -> Vec<Difference> {
    let mut differences = Vec::new();
    let name = rule["Name"].as_str().unwrap_or_default().to_owned();
    let action = action_for(&name, wanted, basis);
    let present = action_of(rule);
    // Of an adopted rule the word counts: its custom response is its owner's.
    let same = if whole {
        present == action
    } else {
        word_of(&present) == word_of(&action)
    };
    if !same {
        let words = (word_of(&present), word_of(&action));
        differences.push(if words.0 == words.1 {
            difference("action", &brief(&present), &brief(&action))
        } else {
            difference("action", words.0, words.1)
        });
        set_action(rule, &action);
    }
    if !whole {
        return differences;
    }
    if without_nulls(&rule["Statement"]) != wanted.statement {
        differences.push(difference(
            "statement",
            &brief(&rule["Statement"]),
            &brief(&wanted.statement),
        ));
        rule["Statement"] = wanted.statement.clone();
    }
    let visibility = visibility(&wanted.name);
    for (member, value) in visibility.as_object().into_iter().flatten() {
        let present = &rule["VisibilityConfig"][member];
        if present == value {
            continue;
        }
        differences.push(difference("visibility", &brief(present), &brief(value)));
        rule["VisibilityConfig"][member] = value.clone();
    }
    differences
}

fn made(wanted: &WantedRule, basis: &Basis<'_>) -> Value {
    let mut rule = json!({
        "Name": wanted.name,
        "Priority": 0,
        "Statement": wanted.statement,
        "VisibilityConfig": visibility(&wanted.name),
    });
    set_action(&mut rule, &action_for(&wanted.name, wanted, basis));
    rule
}

/// Samples and metrics are on: proofs and `rule list` go by the one, dashboards by the other.
pub(crate) fn visibility(metric: &str) -> Value {
    json!({
        "SampledRequestsEnabled": true,
        "CloudWatchMetricsEnabled": true,
        "MetricName": metric,
    })
}

/// The WCU before, as WAF says, and after: what is known of the rules that come and go.
fn capacity_of(document: &Value, rules: &[Value]) -> (u64, Option<u64>) {
    let sum = |rules: &[Value]| -> Option<u64> {
        rules.iter().map(|rule| cost(&rule["Statement"])).sum()
    };
    let present: &[Value] = document["Rules"].as_array().map_or(&[], Vec::as_slice);
    let before = document["Capacity"].as_u64().or_else(|| sum(present));
    let before = before.unwrap_or_default();
    let same = |one: &Value, other: &Value| {
        one["Name"] == other["Name"] && one["Statement"] == other["Statement"]
    };
    let only = |these: &[Value], those: &[Value]| -> Vec<Value> {
        these
            .iter()
            .filter(|one| !those.iter().any(|other| same(one, other)))
            .cloned()
            .collect()
    };
    let after = sum(&only(rules, present))
        .zip(sum(&only(present, rules)))
        .map(|(added, removed)| (before + added).saturating_sub(removed));
    (before, after)
}

fn difference(field: &'static str, from: &str, to: &str) -> Difference {
    Difference {
        field,
        from: from.to_owned(),
        to: to.to_owned(),
    }
}

/// JSON in one short line.
fn brief(value: &Value) -> String {
    const LONGEST: usize = 160;
    let text = without_nulls(value).to_string();
    if text.chars().count() <= LONGEST {
        return text;
    }
    let start: String = text.chars().take(LONGEST).collect();
    format!("{start}…")
}

#[cfg(test)]
mod tests;
