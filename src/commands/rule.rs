//! `onair rule …`: the rules of the event's web ACL, and one of them between count and block.

use std::collections::BTreeMap;

use futures_util::join;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::change::{self, Basis, Intention, Needs, Seen};
use crate::context::{Context, Session};
use crate::error::{Exit, Failure};
use crate::event::cidr::Family;
use crate::event::duration::Lasting;
use crate::event::text::{did_you_mean, printable};
use crate::ledger::body::{End, Kind, RuleAsk, RuleMove};
use crate::ledger::view::{Change, View};
use crate::observe::{self, ObservedAcl};
use crate::plan::change::{Draft, empty_intent};
use crate::plan::guard::Finding;
use crate::plan::meant::Meant;
use crate::plan::rules::{
    action_of, by_priority, find_rule, inserts_headers, move_of, open_moves, word_of,
};
use crate::plan::web_acl::{self, Served, WantedRule, served, wanted_rules};
use crate::render::{Answer, Sheet};
use crate::runbook::Waf;

/// How far back matches are counted: enough to see what a move did, and few samples a call.
const RECENT: SignedDuration = SignedDuration::from_mins(10);

/// Looking for samples delays the list by this at most (contract, section 8: plans by 1.5 s).
const PATIENCE: SignedDuration = SignedDuration::from_millis(1_500);

/// Show the web ACL's rules, and move one between count and block
#[derive(Debug, clap::Subcommand)]
pub(crate) enum RuleCommand {
    /// Let a rule or a managed list block what it matches
    ///
    /// Until the event ends, or as --for and --until say; then the rule does what the runbook says by
    /// then, or again what it did where the runbook does not name it. A managed list that blocks does
    /// what its own rules say. Viewers are refused within seconds to
    /// minutes: the rule's name or the event's id is typed.
    ///
    /// Example: onair rule block rate --for 2h --confirm cup-final
    Block(RuleArgs),
    /// Let a rule or a managed list only count what it matches
    ///
    /// Until the event ends, or as --for and --until say; then the rule does what the runbook says by
    /// then, or again what it did where the runbook does not name it.
    ///
    /// Example: onair rule count rate --for 30m -m "a stadium behind one address"
    Count(RuleArgs),
    List(ListArgs),
}

/// A rule of the event's web ACL.
#[derive(Debug, clap::Args)]
pub(crate) struct RuleArgs {
    /// The rule's name (without onair-EVENT- will do), or the managed list's
    #[arg(value_name = "RULE")]
    rule: String,
}

/// Show the web ACL's rules in the order in which WAF asks them
///
/// With what each does now, what the runbook expects of it, what open entries move, and how many
/// sampled requests matched in the last ten minutes.
///
/// Example: onair rule list
#[derive(Debug, clap::Args)]
pub(crate) struct ListArgs {}

/// The command's name as in the contract.
pub(crate) fn name(command: &RuleCommand) -> &'static str {
    match command {
        RuleCommand::Block(_) => "rule block",
        RuleCommand::Count(_) => "rule count",
        RuleCommand::List(_) => "rule list",
    }
}

pub(crate) async fn run(command: &RuleCommand, context: &Context) -> Result<Answer, Failure> {
    let (args, wanted) = match command {
        RuleCommand::Block(args) => (args, RuleMove::Block),
        RuleCommand::Count(args) => (args, RuleMove::Count),
        RuleCommand::List(_) => return list(&context.session().await?).await,
    };
    let session = context.session().await?;
    let intention = Move {
        rule: args.rule.clone(),
        wanted,
    };
    change::run(&session, &intention).await
}

fn section(session: &Session) -> Result<&Waf, Failure> {
    session.runbook.waf.as_ref().ok_or_else(|| {
        Failure::usage("the runbook has no [waf] section, which names the web ACL")
            .hint("add [waf] with web-acl; `onair runbook schema` tells what it holds")
    })
}

/// One rule that is to count or block.
struct Move {
    rule: String,
    wanted: RuleMove,
}

impl Intention for Move {
    fn command(&self) -> &'static str {
        match self.wanted {
            RuleMove::Count => "rule count",
            RuleMove::Block => "rule block",
        }
    }

    fn goes_on_without_store(&self) -> bool {
        false
    }

    fn needs(&self, basis: &Basis<'_>) -> Result<Needs, Failure> {
        Ok(Needs {
            web_acls: vec![section(basis.session)?.web_acl.clone()],
            ..Needs::default()
        })
    }

    fn draft(&self, basis: &Basis<'_>, seen: &Seen) -> Result<Draft, Failure> {
        let session = basis.session;
        let web_acl = &section(session)?.web_acl;
        let acl = seen
            .web_acls
            .get(web_acl)
            .expect("the web ACL that `needs` names has been read");
        let prefix = web_acl::prefix(session.runbook.event.id.as_str());
        let rule = find_rule(&acl.document.json, &prefix, &self.rule)
            .map_err(|known| unknown(&self.rule, web_acl, &known, &prefix))?;
        let name = rule["Name"].as_str().unwrap_or_default().to_owned();
        let present = action_of(rule);
        let summary = format!("{} {}", self.wanted.word().to_uppercase(), printable(&name));
        let mut intent = empty_intent(self.command(), &summary, Kind::Change, basis.now);
        let (end, asked) = super::end_of(session, basis, Lasting::Event)?;
        intent.end = end;
        let before = crate::plan::rules::base_action(&basis.view, web_acl, &name, rule);
        intent.opens.rules.push(RuleAsk {
            web_acl: web_acl.clone(),
            rule: name.clone(),
            wanted: self.wanted,
            before: before.clone(),
        });
        let headline = format!(
            "{summary} · {} now · {}",
            word_of(&present),
            super::until_words(session, &basis.state, end)
        );
        let mut draft = Draft::new(intent, headline);
        draft.effect.push(self.effect(rule, &present));
        let meant = Meant::of(&session.runbook).rules(web_acl, &acl.document.json);
        draft.notes.push(match meant.get(&name) {
            Some(action) => format!(
                "then it does what the runbook says by then: {} now",
                word_of(action)
            ),
            None => format!(
                "then it does again what it did before: {}",
                word_of(&before)
            ),
        });
        draft.findings.extend(impossible(&name, &before));
        let owner = Owner::of(&name, &prefix);
        self.confirmation(&mut draft, basis, web_acl, &name, &owner);
        if self.wanted == RuleMove::Count
            && move_of(&present) == Some(RuleMove::Block)
            && looks_up_blocklist(rule, section(session)?)
        {
            // Level 1 by the contract, and in effect an unblock of everybody: typed at a terminal.
            draft.opens_a_door = true;
            draft.typed.insert(0, session.runbook.event.id.to_string());
            draft.warnings.push(format!(
                "{} is the event's own blocklist: EVERYBODY WHO IS BLOCKED by it is let in {}; back: onair rule block {}",
                printable(&name),
                super::until_words(session, &basis.state, end),
                printable(name.strip_prefix(&prefix).unwrap_or(&name))
            ));
        }
        draft.values = vec![json!({
            "rule": name,
            "web-acl": web_acl,
            "from": word_of(&present),
            "to": self.wanted.word(),
            "owner": owner.word(),
        })];
        draft.nothing_to_do = self.nothing_to_do(basis, web_acl, &name, &present, asked);
        Ok(draft)
    }
}

impl Move {
    /// What viewers feel, in words.
    fn effect(&self, rule: &Value, present: &Value) -> String {
        let list = &rule["Statement"]["ManagedRuleGroupStatement"]["Name"];
        if move_of(present) == Some(self.wanted) {
            return format!(
                "  it {} already: for viewers nothing changes, and until then no run sets it back",
                self.wanted.verb()
            );
        }
        match (self.wanted, list.as_str()) {
            (RuleMove::Count, _) => {
                "  what it blocks now is let in and counted, within seconds to minutes".to_owned()
            }
            (RuleMove::Block, None) => {
                "  what it matches is refused, within seconds to minutes".to_owned()
            }
            (RuleMove::Block, Some(list)) => format!(
                "  {} does what its own rules say: most refuse, some may only count",
                printable(list)
            ),
        }
    }

    /// How much is asked of the operator: contract, section 8.
    fn confirmation(
        &self,
        draft: &mut Draft,
        basis: &Basis<'_>,
        web_acl: &str,
        name: &str,
        owner: &Owner<'_>,
    ) {
        let event = basis.session.runbook.event.id.to_string();
        if draft.intent.end == End::Never {
            draft.level = 1;
        }
        match owner {
            Owner::Event => {}
            Owner::OtherEvent(other) => {
                draft.level = 2;
                draft
                    .warnings
                    .push(format!("{} is event {other}'s rule", printable(name)));
            }
            Owner::Foreign => {
                draft.level = draft.level.max(1);
                draft.warnings.push(format!(
                    "{} is not onair's rule: whoever manages it may set it back",
                    printable(name)
                ));
            }
        }
        let shared = basis
            .neighbors
            .iter()
            .any(|neighbor| neighbor.web_acl.as_deref() == Some(web_acl));
        if self.wanted == RuleMove::Block || shared {
            draft.level = 2;
        }
        if draft.level == 2 {
            let short = name.strip_prefix(&web_acl::prefix(&event));
            let short = short.map(str::to_owned);
            draft.typed.extend([name.to_owned(), event]);
            draft.typed.extend(short);
        }
    }

    /// Nothing at all to do when the rule does so already, and as long as is asked.
    fn nothing_to_do(
        &self,
        basis: &Basis<'_>,
        web_acl: &str,
        name: &str,
        present: &Value,
        asked: bool,
    ) -> Option<String> {
        if move_of(present) != Some(self.wanted) {
            return None;
        }
        let moves = open_moves(&basis.view, web_acl);
        let Some((ask, by)) = moves.get(name) else {
            let verb = self.wanted.verb();
            return Some(format!("{} {verb} already", printable(name)));
        };
        let session = basis.session;
        let until = super::until_words(session, &basis.state, by.intent().end);
        let (end, _) = super::end_of(session, basis, Lasting::Event).ok()?;
        let longer = asked && lasts(end) > lasts(by.intent().end);
        (ask.wanted == self.wanted && !longer).then(|| {
            format!(
                "{} ({}) keeps it so already, {until}; `onair undo {}` lifts it",
                by.name(),
                by.operator(),
                by.name()
            )
        })
    }
}

/// Whether a rule looks up one of the event's blocklists, alone or among others.
fn looks_up_blocklist(rule: &Value, waf: &Waf) -> bool {
    let is_ours = |arn: &str| {
        let name = crate::layers::set_name(arn);
        name == waf.ip_set_v4 || name == waf.ip_set_v6
    };
    match rule {
        Value::Object(members) => members.iter().any(|(name, value)| {
            (name == "ARN" && value.as_str().is_some_and(is_ours)) || looks_up_blocklist(value, waf)
        }),
        Value::Array(items) => items.iter().any(|item| looks_up_blocklist(item, waf)),
        _ => false,
    }
}

/// Ends in the order in which they come, as far as that can be told.
fn lasts(end: End) -> (u8, Timestamp) {
    match end {
        End::At(at) => (0, at),
        End::Event => (1, Timestamp::MIN),
        End::Never => (2, Timestamp::MIN),
    }
}

/// Actions that are neither count nor block in kind, or that say more than that.
fn impossible(name: &str, before: &Value) -> Option<Finding> {
    let word = word_of(before);
    let why = if matches!(word, "allow" | "unknown") {
        format!("its action is {word}, and only rules that count, block or challenge are moved")
    } else if inserts_headers(before) {
        "its action inserts headers into requests, which a move would drop".to_owned()
    } else {
        return None;
    };
    Some(Finding {
        code: "guard.impossible",
        message: format!("{} cannot be moved: {why}", printable(name)),
        hint: Some("change it where it is managed".to_owned()),
        lifted_by: None,
    })
}

fn unknown(
    text: &str,
    web_acl: &str,
    known: &std::collections::BTreeSet<String>,
    prefix: &str,
) -> Failure {
    let short = known.iter().filter_map(|name| name.strip_prefix(prefix));
    let nearest = did_you_mean(text, known.iter().map(String::as_str).chain(short));
    let nearest = nearest
        .map(|name| format!("; did you mean `{}`?", printable(name)))
        .unwrap_or_default();
    Failure::new(
        Exit::Usage,
        "rule.unknown",
        format!(
            "web ACL {web_acl} has no rule `{}`{nearest}",
            printable(text)
        ),
    )
    .hint("`onair rule list` shows them")
}

/// Whose a rule is, by its name.
enum Owner<'a> {
    Event,
    /// Another event's, by its id.
    OtherEvent(&'a str),
    Foreign,
}

impl<'a> Owner<'a> {
    fn of(name: &'a str, prefix: &str) -> Self {
        if name.starts_with(prefix) {
            return Self::Event;
        }
        let other = name.strip_prefix("onair-").and_then(|rest| {
            ["-block-v4", "-block-v6", "-rate", "-geo-labels"]
                .iter()
                .find_map(|end| rest.strip_suffix(end))
        });
        other.map_or(Self::Foreign, Self::OtherEvent)
    }

    fn word(&self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::OtherEvent(_) => "other-event",
            Self::Foreign => "foreign",
        }
    }
}

async fn list(session: &Session) -> Result<Answer, Failure> {
    let waf = section(session)?;
    let (read, acl, sets) = join!(
        session.read_ledger(),
        observe::web_acl(&session.cloud, &waf.web_acl),
        session.cloud.ip_sets()
    );
    let (view, acl) = (read?.view, acl?);
    let arns: BTreeMap<Family, String> = sets
        .unwrap_or_default()
        .into_iter()
        .filter_map(|set| {
            [Family::V4, Family::V6]
                .into_iter()
                .find(|family| waf.ip_set(*family) == set.name)
                .map(|family| (family, set.arn))
        })
        .collect();
    let states = session
        .runbook
        .geo
        .as_ref()
        .map_or(&[][..], |geo| &geo.states);
    let event = session.runbook.event.id.as_str();
    let wanted = wanted_rules(event, waf, states, &arns);
    let matches = matches(session, &acl).await;
    Ok(shown(session, &view, &acl, &wanted, &matches))
}

/// Sampled requests that matched each rule lately, by metric. What did not answer in time is missing:
/// it is unknown, not zero.
async fn matches(session: &Session, acl: &ObservedAcl) -> BTreeMap<String, usize> {
    let now = session.clock.now();
    let window = (now - RECENT, now);
    let limit = now.saturating_add(PATIENCE).unwrap_or(Timestamp::MAX);
    let mut matches = BTreeMap::new();
    for rule in by_priority(&acl.document.json) {
        let Some(metric) = rule["VisibilityConfig"]["MetricName"].as_str() else {
            continue;
        };
        if session.clock.now() >= limit {
            break;
        }
        let arn = &acl.document.arn;
        let asked = session.cloud.sampled_requests(arn, metric, window, 500);
        let left = limit.duration_since(session.clock.now()).unsigned_abs();
        let timeout = session.clock.wait(left);
        match futures_util::future::select(Box::pin(asked), Box::pin(timeout)).await {
            futures_util::future::Either::Left((Ok(samples), _)) => {
                matches.insert(metric.to_owned(), samples.len());
            }
            futures_util::future::Either::Left((Err(error), _)) => {
                tracing::debug!(%error, metric, "no samples");
            }
            futures_util::future::Either::Right(_) => break,
        }
    }
    matches
}

/// What the runbook expects of a rule, by the rule's name in the web ACL.
fn expectations<'a>(
    document: &Value,
    wanted: &'a [WantedRule],
) -> (BTreeMap<String, &'static str>, Vec<&'a WantedRule>) {
    let mut expected = BTreeMap::new();
    let mut missing = Vec::new();
    for one in wanted {
        let word = word_of(&one.action);
        match served(document, one) {
            Served::Ours => drop(expected.insert(one.name.clone(), word)),
            Served::Adopted(name) => drop(expected.insert(name, word)),
            Served::Missing => missing.push(one),
        }
    }
    (expected, missing)
}

fn shown(
    session: &Session,
    view: &View,
    acl: &ObservedAcl,
    wanted: &[WantedRule],
    matches: &BTreeMap<String, usize>,
) -> Answer {
    let state = session.state(view);
    let document = &acl.document.json;
    let prefix = web_acl::prefix(session.runbook.event.id.as_str());
    let moves = open_moves(view, &acl.document.name);
    let (expected, missing) = expectations(document, wanted);
    let mut sheet = Sheet::new(&[
        "priority", "rule", "action", "owner", "runbook", "matches", "moved by",
    ]);
    let mut rules = Vec::new();
    let mut differing = 0;
    for rule in by_priority(document) {
        let name = rule["Name"].as_str().unwrap_or_default();
        let action = word_of(&action_of(rule));
        let owner = Owner::of(name, &prefix);
        let metric = rule["VisibilityConfig"]["MetricName"].as_str();
        let matched = metric.and_then(|metric| matches.get(metric)).copied();
        let open = moves.get(name);
        let expects = expected.get(name).copied();
        let holds = open.map_or(expects, |(ask, _)| Some(ask.wanted.word()));
        differing += usize::from(holds.is_some_and(|holds| holds != action));
        let list = rule["Statement"]["ManagedRuleGroupStatement"]["Name"].as_str();
        sheet.push([
            rule["Priority"].to_string(),
            name.to_owned(),
            action.to_owned(),
            match owner {
                Owner::Event => "onair".to_owned(),
                Owner::OtherEvent(other) => format!("event {other}"),
                Owner::Foreign => "foreign".to_owned(),
            },
            expects.unwrap_or("-").to_owned(),
            matched.map_or_else(|| "unknown".to_owned(), |count| format!("{count} sampled")),
            open.map_or_else(String::new, |(ask, by)| {
                format!(
                    "{} ({}): {} {}",
                    by.name(),
                    by.operator(),
                    ask.wanted.word(),
                    super::until_words(session, &state, by.intent().end)
                )
            }),
        ]);
        rules.push(json!({
            "priority": rule["Priority"],
            "name": name,
            "action": action,
            "managed": list,
            "owner": owner.word(),
            "expected": expects,
            "sampled-matches": matched,
            "move": open.map(|(ask, by)| move_json(ask, by)),
        }));
    }
    let mut text = super::header(session, &state, None);
    text.push_str(&sheet.table(session.ui().width()));
    for one in &missing {
        text.push_str(&format!(
            "  missing: {} ({}), which the runbook asks for · onair provision\n",
            one.name,
            word_of(&one.action)
        ));
    }
    if differing > 0 {
        text.push_str(&format!(
            "  {differing} not as the runbook or an open entry has it · onair provision --dry-run\n"
        ));
    }
    let capacity = document["Capacity"].as_u64();
    let default = document["DefaultAction"]["Block"].is_object();
    let default = if default { "block" } else { "allow" };
    text.push_str(&format!(
        "  what no rule decides: {default} · {} of {} WCU · matches are WAF's samples of the last 10 min\n",
        capacity.map_or_else(|| "?".to_owned(), |used| used.to_string()),
        web_acl::CAPACITY_LIMIT
    ));
    let missing: Vec<Value> = missing
        .iter()
        .map(|one| json!({ "name": one.name, "expected": word_of(&one.action) }))
        .collect();
    let data = json!({
        "web-acl": acl.document.name,
        "default-action": default,
        "capacity": capacity,
        "capacity-limit": web_acl::CAPACITY_LIMIT,
        "rules": rules,
        "missing": missing,
    });
    Answer::new("rule list", data, text)
        .with_head(session.head(Some(&state), None))
        .with_sheet(sheet)
}

fn move_json(ask: &RuleAsk, by: &Change) -> Value {
    json!({
        "entry": by.name(),
        "operator": by.operator(),
        "wanted": ask.wanted.word(),
        "back-to": word_of(&ask.before),
        "until": super::end_value(by.intent().end),
        "reason": by.intent().reason,
    })
}
