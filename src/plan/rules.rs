//! Which action single rules of a web ACL should have while the ledger's entries move them between
//! count and block. Only the action of the rules that a change names is ever touched; rules are
//! told apart by name, so moves of different rules commute.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::ledger::body::{RuleAsk, RuleMove, What};
use crate::ledger::entry::EntryId;
use crate::ledger::view::{Change, Progress, Standing, View};

/// What one change means for the rules of one web ACL.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct RuleWish {
    /// By the rule's name.
    rules: BTreeMap<String, Wanted>,
    /// A colleague's change of the same rule is on its way: write even when nothing changes.
    must_write: bool,
}

/// What a rule's action should be.
#[derive(Debug, Clone, PartialEq)]
struct Wanted {
    /// What the newest open entry asks for; none when none is left.
    moved: Option<RuleMove>,
    /// The action before any entry, in wire form.
    before: Value,
}

/// What to write to one web ACL.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RulePlan {
    /// The `WebACL` member with the named actions changed and nothing else.
    pub(crate) after: Value,
    pub(crate) moved: Vec<Moved>,
    /// Rules that no entry moves any more and that do not go back to what they did, since the
    /// runbook says otherwise by now: with what they did, and what it says.
    pub(crate) meant: Vec<(String, &'static str, &'static str)>,
    /// Rules that another tool changed since: they are left as they are.
    pub(crate) left: Vec<String>,
    /// Rules that the web ACL no longer has.
    pub(crate) missing: Vec<String>,
    pub(crate) must_write: bool,
}

/// One rule whose action changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Moved {
    pub(crate) rule: String,
    pub(crate) from: &'static str,
    pub(crate) to: &'static str,
}

impl RulePlan {
    pub(crate) fn changes_something(&self) -> bool {
        !self.moved.is_empty()
    }
}

impl RuleWish {
    /// What the change `own` of the ledger means for the web ACL of this name.
    pub(crate) fn of(view: &View, own: &EntryId, web_acl: &str) -> Self {
        let Some(change) = view.get(own) else {
            return Self::default();
        };
        let mut named: BTreeMap<String, Value> = BTreeMap::new();
        name(view, change, web_acl, &mut named);
        let after = view.assuming(own, Progress::Settled);
        let before = view.assuming(own, Progress::Void);
        let mut wish = Self::default();
        for (rule, base) in named {
            // What is on its way out counts as gone: of two who end it at once, either restores.
            let newest = standing(&after, web_acl, &rule)
                .into_iter()
                .rfind(|(_, _, standing)| *standing != Standing::Closing);
            let moved = match newest {
                // A colleague's newer change of the same rule is on its way: it decides.
                Some((_, by, Standing::Opening)) if by != own => continue,
                Some((ask, _, _)) => Some(ask.wanted),
                None => None,
            };
            wish.must_write |= standing(&before, web_acl, &rule)
                .iter()
                .any(|(_, by, standing)| *by != own && *standing != Standing::Open);
            wish.rules.insert(
                rule,
                Wanted {
                    moved,
                    before: base,
                },
            );
        }
        wish
    }
}

/// The rules that `change` opens, ends or takes back, each with its action before any entry.
fn name(view: &View, change: &Change, web_acl: &str, named: &mut BTreeMap<String, Value>) {
    let intent = change.intent();
    for ask in &intent.opens.rules {
        if ask.web_acl == web_acl {
            named.insert(ask.rule.clone(), ask.before.clone());
        }
    }
    let closed = intent
        .closes
        .iter()
        .filter(|part| matches!(part.what, What::All))
        .map(|part| &part.entry);
    for target in closed
        .chain(&intent.undoes)
        .filter_map(|entry| view.get(entry))
    {
        name(view, target, web_acl, named);
    }
}

/// Every entry's standing ask for a rule, oldest first.
fn standing<'a>(
    view: &'a View,
    web_acl: &str,
    rule: &str,
) -> Vec<(&'a RuleAsk, &'a EntryId, Standing)> {
    let mut found = Vec::new();
    for change in view.changes() {
        for (ask, standing) in view.rules(change) {
            if ask.web_acl == web_acl && ask.rule == rule {
                found.push((ask, change.id(), standing));
            }
        }
    }
    found
}

/// What the ledger's entries ask of a web ACL's rules now: the newest ask of each rule, with the
/// change that asks. What is on its way out is left out.
pub(crate) fn open_moves<'a>(
    view: &'a View,
    web_acl: &str,
) -> BTreeMap<String, (&'a RuleAsk, &'a Change)> {
    let mut moves = BTreeMap::new();
    for change in view.changes() {
        for (ask, standing) in view.rules(change) {
            if ask.web_acl == web_acl && standing != Standing::Closing {
                moves.insert(ask.rule.clone(), (ask, change));
            }
        }
    }
    moves
}

/// The action of a rule before anything of ours: what an entry that still stands found there, else
/// what is there now.
pub(crate) fn base_action(view: &View, web_acl: &str, rule: &str, observed: &Value) -> Value {
    standing(view, web_acl, rule)
        .first()
        .map_or_else(|| action_of(observed), |(ask, _, _)| ask.before.clone())
}

/// Plans the document of a web ACL that now is `document` (the `WebACL` member). `meant` has the
/// actions that the runbook names, by rule: where no entry moves a rule any more, that is what returns.
pub(crate) fn plan_rules(
    document: &Value,
    wish: &RuleWish,
    meant: &BTreeMap<String, Value>,
) -> RulePlan {
    let mut plan = RulePlan {
        after: document.clone(),
        moved: Vec::new(),
        meant: Vec::new(),
        left: Vec::new(),
        missing: Vec::new(),
        must_write: wish.must_write,
    };
    for (name, wanted) in &wish.rules {
        let rule = plan.after["Rules"]
            .as_array_mut()
            .into_iter()
            .flatten()
            .find(|rule| rule["Name"] == name.as_str());
        let Some(rule) = rule else {
            plan.missing.push(name.clone());
            continue;
        };
        let present = action_of(rule);
        let target = match wanted.moved {
            Some(wanted_move) if move_of(&present) == Some(wanted_move) => present.clone(),
            Some(wanted_move) => moved(&wanted.before, wanted_move),
            // Only what we set is taken back; another tool's later word stands.
            None if is_ours(&present, &wanted.before) => match meant.get(name) {
                Some(action) if word_of(action) != word_of(&wanted.before) => {
                    let words = (word_of(&wanted.before), word_of(action));
                    plan.meant.push((name.clone(), words.0, words.1));
                    action.clone()
                }
                _ => wanted.before.clone(),
            },
            None => {
                plan.left.push(name.clone());
                continue;
            }
        };
        if target == present {
            continue;
        }
        plan.moved.push(Moved {
            rule: name.clone(),
            from: word_of(&present),
            to: word_of(&target),
        });
        set_action(rule, &target);
    }
    plan
}

/// Whether an action is one that a move away from `before` sets, or `before` itself.
fn is_ours(present: &Value, before: &Value) -> bool {
    present == before
        || [RuleMove::Count, RuleMove::Block]
            .into_iter()
            .any(|wanted| moved(before, wanted) == *present)
}

/// The action of a rule, in wire form, with its member: `Action`, or `OverrideAction` for a list.
pub(crate) fn action_of(rule: &Value) -> Value {
    let mut action = Map::new();
    for member in ["Action", "OverrideAction"] {
        if !rule[member].is_null() {
            action.insert(member.to_owned(), without_nulls(&rule[member]));
        }
    }
    Value::Object(action)
}

/// Gives a rule this action; what the rule holds beside it stays.
pub(crate) fn set_action(rule: &mut Value, action: &Value) {
    let Some(rule) = rule.as_object_mut() else {
        return;
    };
    for member in ["Action", "OverrideAction"] {
        match action.get(member) {
            Some(value) => {
                rule.insert(member.to_owned(), value.clone());
            }
            None => {
                rule.remove(member);
            }
        }
    }
}

/// The action that counts or blocks in the place of `before`. Where `before` does so already it
/// comes back as it was, with its custom response.
pub(crate) fn moved(before: &Value, wanted: RuleMove) -> Value {
    if move_of(before) == Some(wanted) {
        return before.clone();
    }
    let is_list = before.get("OverrideAction").is_some();
    match (is_list, wanted) {
        (true, RuleMove::Count) => json!({"OverrideAction": {"Count": {}}}),
        (true, RuleMove::Block) => json!({"OverrideAction": {"None": {}}}),
        (false, RuleMove::Count) => json!({"Action": {"Count": {}}}),
        (false, RuleMove::Block) => json!({"Action": {"Block": {}}}),
    }
}

/// Whether an action counts or blocks; none for others, such as allow.
pub(crate) fn move_of(action: &Value) -> Option<RuleMove> {
    match word_of(action) {
        "count" => Some(RuleMove::Count),
        "block" => Some(RuleMove::Block),
        _ => None,
    }
}

/// Whether an action inserts headers into the requests it passes on. Those may be secrets between the
/// edge and the origin, so such an action is neither moved nor written down.
pub(crate) fn inserts_headers(action: &Value) -> bool {
    action["Action"]
        .as_object()
        .into_iter()
        .flatten()
        .any(|(_, settings)| !settings["CustomRequestHandling"].is_null())
}

/// An action in one word; a managed list that does what its own rules say is `block`.
pub(crate) fn word_of(action: &Value) -> &'static str {
    let own = action["Action"].as_object();
    let list = action["OverrideAction"].as_object();
    let has = |action: Option<&Map<String, Value>>, name: &str| {
        action
            .and_then(|members| members.get(name))
            .is_some_and(|value| !value.is_null())
    };
    let words = [
        ("Block", "block"),
        ("Count", "count"),
        ("Allow", "allow"),
        ("Captcha", "captcha"),
        ("Challenge", "challenge"),
    ];
    if let Some((_, word)) = words.into_iter().find(|(name, _)| has(own, name)) {
        return word;
    }
    if has(list, "Count") {
        "count"
    } else if has(list, "None") {
        "block"
    } else {
        "unknown"
    }
}

/// A value without members that are null, as WAF's answers may or may not spell them out.
pub(crate) fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members
                .iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(name, value)| (name.clone(), without_nulls(value)))
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.iter().map(without_nulls).collect()),
        other => other.clone(),
    }
}

/// The rule of this name.
pub(crate) fn rule_of<'a>(document: &'a Value, name: &str) -> Option<&'a Value> {
    document["Rules"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|rule| rule["Name"] == name)
}

/// The names of all rules of a web ACL, in the order in which WAF asks them.
pub(crate) fn by_priority(document: &Value) -> Vec<&Value> {
    let mut rules: Vec<&Value> = document["Rules"].as_array().into_iter().flatten().collect();
    rules.sort_by_key(|rule| rule["Priority"].as_u64().unwrap_or(u64::MAX));
    rules
}

/// The rule that an operator means by `text`: its name, a managed list's group, or the name without
/// the event's prefix. Fails with the names there are.
pub(crate) fn find_rule<'a>(
    document: &'a Value,
    prefix: &str,
    text: &str,
) -> Result<&'a Value, BTreeSet<String>> {
    let rules = by_priority(document);
    let named = |wanted: &str| rules.iter().copied().find(|rule| rule["Name"] == wanted);
    if let Some(rule) = named(text).or_else(|| named(&format!("{prefix}{text}"))) {
        return Ok(rule);
    }
    let mut lists = rules
        .iter()
        .copied()
        .filter(|rule| rule["Statement"]["ManagedRuleGroupStatement"]["Name"] == text);
    if let (Some(one), None) = (lists.next(), lists.next()) {
        return Ok(one);
    }
    Err(rules
        .iter()
        .filter_map(|rule| rule["Name"].as_str().map(str::to_owned))
        .collect())
}
