//! Laws of moved rules: whatever the order in which operators move rules and take that back, each rule
//! ends as the newest standing entry has it, and nothing else of the web ACL changes by a byte.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::{Value, json};

use super::laws::{Book, blank};
use super::rules::{
    RuleWish, action_of, base_action, move_of, moved, plan_rules, rule_of, set_action, word_of,
};
use crate::ledger::EntryId;
use crate::ledger::body::{Asks, Intent, Kind, RuleAsk, RuleMove};
use crate::ledger::view::{Progress, Standing, View};

const ACL: &str = "cup-final-viewers";
const RULES: [&str; 4] = ["list", "rate", "limited", "challenged"];

/// A web ACL with members that no SDK knows, in it and in its rules.
fn document() -> Value {
    let actions = [
        json!({"OverrideAction": {"None": {}}}),
        json!({"Action": {"Count": {}}}),
        json!({"Action": {"Block": {"CustomResponse": {"ResponseCode": 429}}}}),
        json!({"Action": {"Challenge": {}}}),
    ];
    let rules: Vec<Value> = RULES
        .iter()
        .zip(actions)
        .enumerate()
        .map(|(at, (name, action))| {
            let mut rule = json!({
                "Name": name, "Priority": at * 10, "Statement": {"OfTomorrow": {"At": at}},
                "RuleLabels": [{"Name": "team:label"}], "MemberOfTomorrow": [1, 2.5, null],
            });
            set_action(&mut rule, &action);
            rule
        })
        .collect();
    json!({"Name": ACL, "Id": "i", "Rules": rules, "ElsewhereOfTomorrow": {"a": null}})
}

/// The document with every action taken out: what no change may touch.
fn rest(document: &Value) -> String {
    let mut rest = document.clone();
    for rule in rest["Rules"].as_array_mut().unwrap() {
        set_action(rule, &json!({}));
    }
    rest.to_string()
}

#[derive(Debug, Clone)]
enum Deed {
    Move(usize, RuleMove),
    Undo(usize),
}

fn deed() -> impl Strategy<Value = Deed> {
    let wanted = prop_oneof![Just(RuleMove::Count), Just(RuleMove::Block)];
    prop_oneof![
        3 => (0..RULES.len(), wanted).prop_map(|(rule, wanted)| Deed::Move(rule, wanted)),
        2 => (0..8_usize).prop_map(Deed::Undo),
    ]
}

/// How far one operator is.
#[derive(Debug, Clone)]
enum Stage {
    /// `idle` is the version at which there was nothing to do.
    Read {
        idle: Option<u64>,
    },
    Plan {
        read: Value,
        version: u64,
        idle: Option<u64>,
    },
    Write {
        after: Value,
        version: u64,
    },
    Tell,
}

struct World {
    book: Book,
    document: Value,
    version: u64,
    busy: Vec<(EntryId, Stage)>,
}

impl World {
    fn new() -> Self {
        Self {
            book: Book::default(),
            document: document(),
            version: 0,
            busy: Vec::new(),
        }
    }

    /// Writes an intent down, as a command does that has read the web ACL and then the ledger.
    fn begin(&mut self, deed: &Deed) {
        let view = self.book.view();
        let intent = match deed {
            Deed::Move(rule, wanted) => {
                let rule = RULES[*rule];
                let observed = rule_of(&self.document, rule).unwrap();
                let ask = RuleAsk {
                    web_acl: ACL.to_owned(),
                    rule: rule.to_owned(),
                    wanted: *wanted,
                    before: base_action(&view, ACL, rule, observed),
                };
                Intent {
                    opens: Asks {
                        rules: vec![ask],
                        ..Asks::default()
                    },
                    ..blank(Kind::Change)
                }
            }
            Deed::Undo(pick) => {
                let open: Vec<_> = view
                    .open()
                    .filter(|change| change.progress() == Progress::Settled)
                    .map(|change| *change.id())
                    .collect();
                if open.is_empty() {
                    return;
                }
                Intent {
                    undoes: Some(open[pick % open.len()]),
                    ..blank(Kind::Undo)
                }
            }
        };
        let id = self.book.intent(intent);
        self.busy.push((id, Stage::Read { idle: None }));
    }

    /// One step of one operator; whoever is refused reads again.
    fn step(&mut self, pick: usize) -> Result<(), TestCaseError> {
        if self.busy.is_empty() {
            return Ok(());
        }
        let at = pick % self.busy.len();
        let (id, stage) = self.busy[at].clone();
        self.busy[at].1 = match stage {
            Stage::Read { idle } => Stage::Plan {
                read: self.document.clone(),
                version: self.version,
                idle,
            },
            Stage::Plan {
                read,
                version,
                idle,
            } => {
                let wish = RuleWish::of(&self.book.view(), &id, ACL);
                let meant = std::collections::BTreeMap::new();
                let plan = plan_rules(&read, &wish, &meant);
                prop_assert_eq!(
                    rest(&plan.after),
                    rest(&read),
                    "more than an action changed"
                );
                prop_assert_eq!(&plan, &plan_rules(&read, &wish, &meant));
                prop_assert!(!plan_rules(&plan.after, &wish, &meant).changes_something());
                if plan.changes_something() || plan.must_write {
                    Stage::Write {
                        after: plan.after,
                        version,
                    }
                } else if idle == Some(version) {
                    Stage::Tell
                } else {
                    Stage::Read {
                        idle: Some(version),
                    }
                }
            }
            Stage::Write { after, version } if version == self.version => {
                self.document = after;
                self.version += 1;
                Stage::Tell
            }
            Stage::Write { .. } => Stage::Read { idle: None },
            Stage::Tell => {
                self.book.applied(id, Vec::new(), Vec::new());
                self.busy.remove(at);
                return Ok(());
            }
        };
        Ok(())
    }

    fn settle(&mut self) -> Result<(), TestCaseError> {
        for round in 0..400 {
            if self.busy.is_empty() {
                return Ok(());
            }
            self.step(round)?;
        }
        prop_assert!(false, "operators never finish");
        Ok(())
    }
}

/// The word that the newest standing entry, or the document before all of them, has for a rule.
fn expected(view: &View, rule: &str) -> &'static str {
    let base = action_of(rule_of(&document(), rule).unwrap());
    view.changes()
        .iter()
        .flat_map(|change| view.rules(change))
        .rfind(|(ask, standing)| ask.rule == rule && *standing == Standing::Open)
        .map_or_else(|| word_of(&base), |(ask, _)| ask.wanted.word())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 400,
        rng_seed: RngSeed::Fixed(20_260_614),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_rule_ends_as_its_newest_entry_has_it(
        script in prop::collection::vec((deed(), 0..5_usize, 0..7_usize), 1..14),
    ) {
        let mut world = World::new();
        let before = rest(&world.document);
        for (deed, steps, pick) in script {
            world.begin(&deed);
            for step in 0..steps {
                world.step(pick + step)?;
            }
        }
        world.settle()?;
        let view = world.book.view();
        for rule in RULES {
            let action = action_of(rule_of(&world.document, rule).unwrap());
            prop_assert_eq!(word_of(&action), expected(&view, rule), "{}", rule);
        }
        prop_assert_eq!(rest(&world.document), before);

        // When all is taken back, the web ACL is what it was, to the byte.
        loop {
            let open = world.book.view().open().map(|change| *change.id()).next();
            let Some(open) = open else { break };
            let undo = world.book.intent(Intent { undoes: Some(open), ..blank(Kind::Undo) });
            world.busy.push((undo, Stage::Read { idle: None }));
            world.settle()?;
        }
        prop_assert_eq!(world.document.to_string(), document().to_string());
    }
}

#[test]
fn what_another_tool_changed_since_stands_when_our_move_ends() {
    let mut world = World::new();
    world.begin(&Deed::Move(2, RuleMove::Count));
    world.settle().unwrap();
    let theirs = json!({"Action": {"Captcha": {}}});
    let rule = world.document["Rules"]
        .as_array_mut()
        .unwrap()
        .iter_mut()
        .find(|rule| rule["Name"] == RULES[2])
        .unwrap();
    set_action(rule, &theirs);
    world.version += 1;
    world.begin(&Deed::Undo(0));
    world.settle().unwrap();
    assert_eq!(
        action_of(rule_of(&world.document, RULES[2]).unwrap()),
        theirs
    );
}

#[test]
fn moves_keep_what_an_action_says_beside_the_word() {
    let limited = json!({"Action": {"Block": {"CustomResponse": {"ResponseCode": 429}}}});
    assert_eq!(moved(&limited, RuleMove::Block), limited);
    assert_eq!(
        moved(&limited, RuleMove::Count),
        json!({"Action": {"Count": {}}})
    );
    let list = json!({"OverrideAction": {"None": {}}});
    assert_eq!(move_of(&list), Some(RuleMove::Block));
    assert_eq!(
        moved(&list, RuleMove::Count),
        json!({"OverrideAction": {"Count": {}}})
    );
    assert_eq!(move_of(&json!({"Action": {"Allow": {}}})), None);
}
