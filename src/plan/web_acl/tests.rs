use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::*;
use crate::event::cidr::Family;
use crate::event::country::Country;
use crate::event::duration::Lasting;
use crate::runbook::{GeoMode, RuleAction, StateRights, Waf};

const EVENT: &str = "home-game";

fn arn(name: &str) -> String {
    format!("arn:aws:wafv2:us-east-1:111122223333:global/ipset/{name}/id")
}

fn waf() -> Waf {
    Waf {
        web_acl: "viewers".to_owned(),
        ip_set_v4: "v4".to_owned(),
        ip_set_v6: "v6".to_owned(),
        never_block: Vec::new(),
        widest_v4: 16,
        widest_v6: 32,
        default_duration: Lasting::Event,
        audience_cap: None,
        blocklist: RuleAction::Block,
        managed: vec![crate::runbook::ManagedRules {
            group: "AWSManagedRulesAnonymousIpList".to_owned(),
            action: RuleAction::Count,
        }],
        rate: Some(crate::runbook::RateRule {
            limit: 3000,
            window_seconds: 300,
            action: RuleAction::Count,
        }),
    }
}

fn states(mode: GeoMode, codes: &[&str]) -> Vec<StateRights> {
    vec![StateRights {
        country: Country::parse("US").unwrap(),
        mode,
        states: codes.iter().map(|code| (*code).to_owned()).collect(),
    }]
}

fn wanted() -> Vec<WantedRule> {
    let sets = [(Family::V4, arn("v4")), (Family::V6, arn("v6"))];
    wanted_rules(
        EVENT,
        &waf(),
        &states(GeoMode::Allow, &["MA", "NH"]),
        &sets.into(),
    )
}

fn basis(wanted: &[WantedRule]) -> Basis<'_> {
    Basis {
        prefix: prefix(EVENT),
        wanted,
        ..Basis::default()
    }
}

fn foreign(name: &str, priority: u64) -> Value {
    json!({
        "Name": name, "Priority": priority, "Action": {"Allow": {}},
        "Statement": {"QuantumMatchStatement": {"Depth": priority}},
        "VisibilityConfig": {"MetricName": name, "MemberOfTomorrow": [priority, null]},
    })
}

fn acl(rules: &[Value]) -> Value {
    json!({"Name": "viewers", "Capacity": 10, "Rules": rules, "MemberOfTomorrow": {"kept": [1.5]}})
}

fn lines(plan: &AclPlan) -> String {
    let mut text = String::new();
    for change in &plan.changes {
        for one in &change.differences {
            let line = format!(
                "{:?} {} {}: {} -> {}\n",
                change.kind, change.rule, one.field, one.from, one.to
            );
            text.push_str(&line);
        }
    }
    for note in &plan.notes {
        text.push_str(&format!("note: {note}\n"));
    }
    text.push_str(&format!("capacity: {:?}\n", plan.capacity));
    text
}

#[test]
fn an_empty_web_acl_gets_all_rules_in_their_order() {
    let wanted = wanted();
    let plan = plan_acl(&acl(&[]), &basis(&wanted));
    insta::assert_snapshot!(lines(&plan), @r"
    Create onair-home-game-block-v4 action: (none) -> block
    Create onair-home-game-block-v4 priority: (none) -> 0
    Create onair-home-game-block-v6 action: (none) -> block
    Create onair-home-game-block-v6 priority: (none) -> 1
    Create onair-home-game-geo-labels action: (none) -> count
    Create onair-home-game-geo-labels priority: (none) -> 2
    Create onair-home-game-rights-US action: (none) -> block
    Create onair-home-game-rights-US priority: (none) -> 3
    Create onair-home-game-AWSManagedRulesAnonymousIpList action: (none) -> count
    Create onair-home-game-AWSManagedRulesAnonymousIpList priority: (none) -> 4
    Create onair-home-game-rate action: (none) -> count
    Create onair-home-game-rate priority: (none) -> 5
    capacity: (10, Some(68))
    ");
}

#[test]
fn rights_are_rules_that_match_the_labels_of_a_rule_before_them() {
    let statement = |mode, codes: &[&str]| {
        let rules = wanted_rules(EVENT, &waf(), &states(mode, codes), &BTreeMap::new());
        assert_eq!(rules[0].name, "onair-home-game-geo-labels");
        assert_eq!(rules[0].action, json!({"Action": {"Count": {}}}));
        rules[1].statement.to_string()
    };
    insta::assert_snapshot!(statement(GeoMode::Block, &["MA"]), @r#"{"LabelMatchStatement":{"Scope":"LABEL","Key":"awswaf:clientip:geo:region:US-MA"}}"#);
    insta::assert_snapshot!(statement(GeoMode::Allow, &["MA", "NH"]), @r#"{"AndStatement":{"Statements":[{"GeoMatchStatement":{"CountryCodes":["US"]}},{"NotStatement":{"Statement":{"OrStatement":{"Statements":[{"LabelMatchStatement":{"Scope":"LABEL","Key":"awswaf:clientip:geo:region:US-MA"}},{"LabelMatchStatement":{"Scope":"LABEL","Key":"awswaf:clientip:geo:region:US-NH"}}]}}}}]}}"#);
}

#[test]
fn others_move_up_only_as_far_as_they_must() {
    let wanted = wanted();
    let rules = [foreign("team-allow", 0), foreign("team-late", 90)];
    let plan = plan_acl(&acl(&rules), &basis(&wanted));
    insta::assert_snapshot!(lines(&plan), @r"
    Create onair-home-game-block-v4 action: (none) -> block
    Create onair-home-game-block-v4 priority: (none) -> 0
    Create onair-home-game-block-v6 action: (none) -> block
    Create onair-home-game-block-v6 priority: (none) -> 1
    Create onair-home-game-geo-labels action: (none) -> count
    Create onair-home-game-geo-labels priority: (none) -> 2
    Create onair-home-game-rights-US action: (none) -> block
    Create onair-home-game-rights-US priority: (none) -> 3
    Renumber team-allow priority: 0 -> 4
    Create onair-home-game-AWSManagedRulesAnonymousIpList action: (none) -> count
    Create onair-home-game-AWSManagedRulesAnonymousIpList priority: (none) -> 91
    Create onair-home-game-rate action: (none) -> count
    Create onair-home-game-rate priority: (none) -> 92
    note: there is no room before the first rule, so others move up, their order kept
    capacity: (10, Some(68))
    ");
}

#[test]
fn a_rule_that_an_operator_moved_is_not_set_back() {
    let wanted = wanted();
    let name = format!("{}rate", prefix(EVENT));
    let there = plan_acl(&acl(&[]), &basis(&wanted)).after;
    let mut moves = basis(&wanted);
    moves.moves.insert(name.clone(), RuleMove::Block);
    let mut live = there.clone();
    let rules = live["Rules"].as_array_mut().unwrap();
    set_action(
        find(rules, &name).unwrap(),
        &json!({"Action": {"Block": {}}}),
    );
    assert!(!plan_acl(&live, &moves).changes_something());
    // Without the entry it goes back to what the runbook says, and nothing else changes.
    let back = plan_acl(&live, &basis(&wanted));
    assert_eq!(back.changes.len(), 1);
    assert_eq!(back.after, there);
}

#[test]
fn rules_that_were_there_before_us_are_adopted_by_what_they_refer_to() {
    let wanted = wanted();
    let mut theirs = foreign("anonymous", 40);
    theirs["Statement"] = json!({"ManagedRuleGroupStatement": {
        "VendorName": "AWS", "Name": "AWSManagedRulesAnonymousIpList", "ScopeDownStatement": {"Of": "theirs"}}});
    set_action(&mut theirs, &json!({"OverrideAction": {"None": {}}}));
    let plan = plan_acl(&acl(&[theirs.clone()]), &basis(&wanted));
    let names: Vec<&str> = plan.changes.iter().map(|one| one.rule.as_str()).collect();
    assert!(names.contains(&"anonymous"));
    assert!(!names.iter().any(|name| name.ends_with("AnonymousIpList")));
    let mut expected = theirs;
    set_action(&mut expected, &json!({"OverrideAction": {"Count": {}}}));
    let rules = plan.after["Rules"].as_array().unwrap();
    assert_eq!(
        rules.iter().find(|rule| rule["Name"] == "anonymous"),
        Some(&expected)
    );
}

#[test]
fn only_what_the_ledger_says_we_made_is_removed() {
    let wanted = wanted();
    let full = plan_acl(&acl(&[foreign("team", 50)]), &basis(&wanted)).after;
    let kept = without_ours(&full, &basis(&wanted));
    assert!(!kept.changes_something());
    assert_eq!(kept.notes.len(), wanted.len());
    let mut ours = basis(&wanted);
    ours.made = wanted.iter().map(|one| one.name.clone()).collect();
    let gone = without_ours(&full, &ours);
    assert_eq!(gone.after, acl(&[foreign("team", 50)]));
}

#[test]
fn a_hand_edit_is_exactly_what_the_plan_shows() {
    let wanted = wanted();
    let mut there = plan_acl(&acl(&[]), &basis(&wanted)).after;
    let rate = format!("{}rate", prefix(EVENT));
    let rules = there["Rules"].as_array_mut().unwrap();
    let rule = find(rules, &rate).unwrap();
    rule["Statement"]["RateBasedStatement"]["Limit"] = 9.into();
    rule["VisibilityConfig"]["SampledRequestsEnabled"] = false.into();
    let plan = plan_acl(&there, &basis(&wanted));
    assert_eq!(plan.changes.len(), 1);
    let fields: Vec<&str> = plan.changes[0]
        .differences
        .iter()
        .map(|one| one.field)
        .collect();
    assert_eq!(fields, ["statement", "visibility"]);
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 300,
        rng_seed: RngSeed::Fixed(20_260_614),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn others_keep_every_byte_but_their_number_and_a_second_plan_is_empty(
        priorities in prop::collection::btree_set(0..12_u64, 0..8),
        shuffled in any::<prop::sample::Index>(),
        ours_first in any::<bool>(),
    ) {
        let wanted = wanted();
        let mut rules: Vec<Value> = priorities
            .iter()
            .enumerate()
            .map(|(at, priority)| foreign(&format!("team-{at}"), *priority))
            .collect();
        if !rules.is_empty() {
            let by = shuffled.index(rules.len());
            rules.rotate_left(by);
        }
        let mut before = acl(&rules);
        if ours_first {
            // As if some of ours were there already, and others were put in front of them since.
            before = plan_acl(&before, &basis(&wanted[..2])).after;
            before["Rules"].as_array_mut().unwrap().push(foreign("late", 400));
        }
        let plan = plan_acl(&before, &basis(&wanted));
        prop_assert!(!plan_acl(&plan.after, &basis(&wanted)).changes_something());
        let theirs = |document: &Value| -> Vec<Value> {
            crate::plan::rules::by_priority(document)
                .into_iter()
                .filter(|rule| !rule["Name"].as_str().unwrap().starts_with("onair-"))
                .map(|rule| {
                    let mut rule = rule.clone();
                    rule["Priority"] = 0.into();
                    rule
                })
                .collect()
        };
        prop_assert_eq!(theirs(&plan.after), theirs(&before), "their order and all else stays");
        let mut rest = plan.after.clone();
        rest["Rules"] = before["Rules"].clone();
        prop_assert_eq!(rest, before);
        // No priority twice, and ours that lead before all others.
        let order = crate::plan::rules::by_priority(&plan.after);
        let numbers: Vec<u64> = order.iter().filter_map(|rule| rule["Priority"].as_u64()).collect();
        prop_assert!(numbers.windows(2).all(|two| two[0] < two[1]));
        for (at, leading) in wanted.iter().filter(|one| one.purpose.leads()).enumerate() {
            prop_assert_eq!(order[at]["Name"].as_str(), Some(leading.name.as_str()));
        }
    }
}
