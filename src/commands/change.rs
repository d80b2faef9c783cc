//! The one story that every change follows: read, plan, guard, confirm, write the intent down,
//! apply, prove, write the outcome down, say what happened.

use std::collections::{BTreeMap, HashSet};

use futures_util::future::{join_all, try_join_all};
use futures_util::join;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::apply::{Applier, ApplyError, Known, Progress, Resource};
use crate::cloud::Approved;
use crate::context::{Neighbor, Session};
use crate::error::{Exit, Failure};
use crate::event::cidr::{Cidr, Family};
use crate::event::text::printable;
use crate::ledger::body::{Body, End, Intent, Kind, Outcome, PartOutcome, Verdict};
use crate::ledger::clock::EventState;
use crate::ledger::view::{Change, Standing, View};
use crate::ledger::{Entry, EntryId, Where};
use crate::observe::{
    self, ObserveError, ObservedAcl, ObservedDistribution, ObservedSet, ObservedStore,
};
use crate::plan::change::{Draft, Touched};
use crate::plan::geo::{Wish, plan_geo};
use crate::plan::guard::{self, Finding};
use crate::plan::ip_set::{Demand, SET_LIMIT, plan_set};
use crate::plan::keys::{KeyWish, STORE_LIMIT_BYTES, plan_keys};
use crate::plan::meant::Meant;
use crate::plan::rules;
use crate::render::{Answer, Sheet};
use crate::ui::Question;

/// What a command reads before it can say what it means.
#[derive(Debug, Clone, Default)]
pub(crate) struct Needs {
    pub(crate) families: Vec<Family>,
    pub(crate) distributions: Vec<String>,
    pub(crate) keys: Vec<String>,
    /// Names of web ACLs.
    pub(crate) web_acls: Vec<String>,
    /// Names of web ACLs that tell whether the change is felt. Not being able to read one stops nothing.
    pub(crate) felt_by: Vec<String>,
    pub(crate) own_address: bool,
}

/// What a command knows before it reads the cloud.
pub(crate) struct Basis<'a> {
    pub(crate) session: &'a Session,
    pub(crate) view: View,
    pub(crate) state: EventState,
    pub(crate) operator: String,
    pub(crate) now: Timestamp,
    pub(crate) neighbors: Vec<Neighbor>,
}

/// What was read of the cloud.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) sets: BTreeMap<Family, ObservedSet>,
    pub(crate) distributions: BTreeMap<String, Result<ObservedDistribution, ObserveError>>,
    pub(crate) store: Option<ObservedStore>,
    /// By name.
    pub(crate) web_acls: BTreeMap<String, ObservedAcl>,
    /// By name, like `felt_by` of the needs.
    pub(crate) felt_by: BTreeMap<String, Result<ObservedAcl, ObserveError>>,
    pub(crate) own_address: Option<Result<std::net::IpAddr, String>>,
}

/// A change that a command means to make.
pub(crate) trait Intention {
    /// The command's name as in the contract, such as `ip block`.
    fn command(&self) -> &'static str;
    /// Whether it goes on when the ledger's store is away (contract, section 9).
    fn goes_on_without_store(&self) -> bool;
    fn needs(&self, basis: &Basis<'_>) -> Result<Needs, Failure>;
    fn draft(&self, basis: &Basis<'_>, seen: &Seen) -> Result<Draft, Failure>;
}

/// One resource's part of the plan.
#[derive(Debug, Clone)]
struct Step {
    resource: Resource,
    words: String,
    pending: bool,
    data: Value,
}

/// Runs the whole story for `intention`.
pub(crate) async fn run(session: &Session, intention: &dyn Intention) -> Result<Answer, Failure> {
    let command = intention.command();
    let basis = basis(session, intention.goes_on_without_store()).await?;
    let mut planned = plan(session, &basis, intention).await?;
    let head = session.head(Some(&basis.state), Some(&basis.operator));
    let text = plan_text(session, &basis, &planned);

    if let Some(failure) = refusal(session, &planned, command) {
        let mut failure = failure;
        let mut data = planned.data(false);
        // What a guard counted stands beside the plan.
        if let Some(counted) = failure.data.take() {
            data["limits"] = counted;
        }
        let mut failure = failure.with_data(data);
        failure.text = Some(text);
        return Err(failure);
    }
    let pending = planned.pending();
    if session.options().dry_run {
        let data = planned.data(pending);
        let answer = Answer::new(
            command,
            data,
            format!("{text}dry run: nothing was changed\n"),
        )
        .with_head(head)
        .with_sheet(planned.sheet());
        let answer = Answer {
            warnings: planned.draft.warnings.clone(),
            ..answer
        };
        return Ok(if pending {
            answer.exiting(
                Exit::Difference,
                "difference",
                "a run without --dry-run would change this",
            )
        } else {
            answer
        });
    }
    if let Some(why) = &planned.draft.nothing_to_do
        && !planned.steps.iter().any(|step| step.pending)
    {
        let mut answer = Answer::new(
            command,
            planned.data(false),
            format!("{text}nothing to do: {why}\n"),
        )
        .with_head(head)
        .with_sheet(planned.sheet());
        answer.warnings.clone_from(&planned.draft.warnings);
        return Ok(answer);
    }

    let question = question(&basis, &planned);
    let mut accepted = planned.draft.typed.clone();
    accepted.push(session.runbook.event.id.to_string());
    let asked = session.ui().is_interactive()
        && !session.options().answers.yes
        && session.options().answers.confirm.is_none();
    if asked {
        session.ui().say(text.trim_end());
    }
    let approved = session
        .ui()
        .approve(&question, &session.options().answers, &accepted)
        .await
        .map_err(|failure| {
            let mut failure = failure.with_data(planned.data(pending));
            if !asked {
                failure.text = Some(text.clone());
            }
            failure
        })?;
    if asked {
        // The prompt may have stood for minutes: what was there before us is decided by a fresh look.
        planned = plan(session, &basis, intention).await?;
        if let Some(failure) = refusal(session, &planned, command) {
            return Err(failure.with_data(planned.data(false)));
        }
    }

    // From here to the outcome a Ctrl-C waits for the step in hand: nothing is left unrecorded.
    let writing = session.ui().interrupt().writing();
    let (entry, place) = write_intent(
        session,
        &planned.draft.intent,
        intention.goes_on_without_store(),
    )
    .await?;
    if let Where::Spool { reason } = &place {
        session.ui().warn(&format!(
            "the ledger's store is away ({reason}); the change is written down on this machine, `onair ledger sync` uploads it"
        ));
        planned.draft.warnings.push(format!(
            "the ledger's store is away ({reason}); spooled on this machine"
        ));
    }
    // While the store is away this keeps the wish for a handle, which a sync grants.
    let handle = match session.ledger.claim_handle(&basis.operator, entry.id).await {
        Ok(handle) => handle,
        Err(error) => {
            tracing::debug!(%error, "no handle");
            None
        }
    };
    let name = handle.clone().unwrap_or_else(|| entry.id.to_string());
    let finished = finish(
        session,
        &approved,
        &entry,
        &planned.resources(),
        planned.known.clone(),
        &basis.state,
    )
    .await?;
    drop(writing);
    let mut answer = finished.answer(
        command,
        &name,
        &planned,
        if asked { String::new() } else { text },
    );
    answer.head = head;
    if finished.changed() {
        // Beside "done", so that nobody takes it for felt.
        for unfelt in &planned.draft.unfelt {
            answer.text.push_str(&format!("  ! NOT FELT: {unfelt}\n"));
        }
    }
    answer
        .warnings
        .splice(0..0, planned.draft.warnings.iter().cloned());
    Ok(answer)
}

/// Reads the ledger and who acts.
pub(crate) async fn basis(session: &Session, without_store: bool) -> Result<Basis<'_>, Failure> {
    let (ledger, account, operator) = join!(
        session.read_ledger(),
        session.check_account(),
        session.operator()
    );
    let operator = operator?;
    account?;
    let view = match ledger {
        Ok(read) => {
            for corrupt in &read.corrupt {
                session.ui().warn(&format!(
                    "ledger entry {} is unreadable: {}",
                    corrupt.key, corrupt.reason
                ));
            }
            read.view
        }
        Err(failure) if without_store => {
            session.ui().warn(&format!(
                "the ledger cannot be read ({}); going on with what this machine has",
                failure.causes.first().unwrap_or(&failure.message)
            ));
            crate::ledger::read_local(&session.ledger)
        }
        Err(failure) => return Err(failure),
    };
    let state = session.state(&view);
    Ok(Basis {
        state,
        view,
        operator,
        now: session.clock.now(),
        neighbors: session.neighbors(),
        session,
    })
}

/// A draft held against the cloud.
pub(crate) struct Planned {
    pub(crate) draft: Draft,
    steps: Vec<Step>,
    known: Known,
    impossible: Vec<Failure>,
}

impl Planned {
    fn resources(&self) -> Vec<Resource> {
        self.steps
            .iter()
            .map(|step| step.resource.clone())
            .collect()
    }

    fn pending(&self) -> bool {
        self.steps.iter().any(|step| step.pending)
            || (self.draft.nothing_to_do.is_none() && !self.steps.is_empty())
    }

    fn data(&self, pending: bool) -> Value {
        let intent = &self.draft.intent;
        json!({
            "pending": pending,
            "summary": intent.summary,
            "effect": self.draft.effect,
            "level": self.draft.level,
            "until": end_json(intent.end),
            "reason": intent.reason,
            "values": self.draft.values,
            "notes": self.draft.notes,
            "steps": self.steps.iter().map(|step| step.data.clone()).collect::<Vec<_>>(),
        })
    }

    fn sheet(&self) -> Sheet {
        let mut sheet = Sheet::new(&["resource", "change", "pending"]);
        for step in &self.steps {
            sheet.push([
                step.resource.to_string(),
                step.words.clone(),
                step.pending.to_string(),
            ]);
        }
        sheet
    }
}

fn end_json(end: End) -> Value {
    match end {
        End::Never => json!(null),
        End::Event => json!("event"),
        End::At(at) => json!(at.to_string()),
    }
}

async fn plan(
    session: &Session,
    basis: &Basis<'_>,
    intention: &dyn Intention,
) -> Result<Planned, Failure> {
    let needs = intention.needs(basis)?;
    let mut known = Known::default();
    let seen = observe_needs(session, &needs, &mut known).await?;
    let mut draft = intention.draft(basis, &seen)?;
    draft.intent.reason = draft
        .intent
        .reason
        .or_else(|| session.options().reason.clone());
    mark_already_there(&mut draft.intent, &basis.view, &seen);
    if is_marked(&draft.intent)
        && let Ok(read) = crate::ledger::read_view(&session.ledger).await
    {
        // The ledger was read before the cloud: what a colleague blocked in between is no one else's.
        mark_already_there(&mut draft.intent, &read.view, &seen);
    }
    draft
        .findings
        .extend(phase_finding(session, basis, intention.command()));
    let used = draft
        .findings
        .iter()
        .filter_map(|finding| finding.lifted_by);
    let used: HashSet<guard::Override> = used
        .filter(|one| session.options().overrides.contains(one))
        .collect();
    let mut names: Vec<String> = used.iter().map(|one| one.name().to_owned()).collect();
    names.sort();
    draft.intent.overrides = names;
    note_neighbors(basis, &mut draft);

    if !session.elsewhere.is_empty() {
        // Most likely the wrong event: the one on air is another.
        draft.level = 2;
        let id = session.runbook.event.id.to_string();
        draft.typed.retain(|one| *one == id);
        if draft.typed.is_empty() {
            draft.typed.push(id);
        }
        draft.warnings.push(format!(
            "{} is outside its window, and {} is in it now",
            session.runbook.event.id,
            session.elsewhere.join(", ")
        ));
    }

    let (view, id) = basis
        .view
        .with_draft(&draft.intent, basis.now, &basis.operator);
    let touched = Touched::by(&view, &draft.intent);
    let mut steps = Vec::new();
    let mut impossible = Vec::new();
    for family in &touched.families {
        if let Some(set) = seen.sets.get(family) {
            match set_step(&view, &id, *family, set) {
                Ok((step, notes)) => {
                    draft.notes.extend(notes);
                    steps.push(step);
                }
                Err(failure) => impossible.push(failure),
            }
        }
    }
    for distribution in &touched.distributions {
        let resource = session.distribution(distribution);
        match seen.distributions.get(distribution) {
            Some(Ok(observed)) => {
                match geo_step(session, &view, &id, distribution, resource, observed) {
                    Ok((step, notes)) => {
                        draft.notes.extend(notes);
                        steps.push(step);
                    }
                    Err(failure) => impossible.push(failure),
                }
            }
            Some(Err(error)) => impossible.push(Failure::from(error.clone())),
            None => {}
        }
    }
    if !touched.keys.is_empty()
        && let Some(store) = &seen.store
    {
        match key_step(session, &view, &id, store) {
            Ok(step) => steps.push(step),
            Err(failure) => impossible.push(failure),
        }
    }
    for name in &touched.web_acls {
        if let Some(observed) = seen.web_acls.get(name) {
            let (step, notes) = rule_step(session, &view, &id, name, observed);
            draft.notes.extend(notes);
            steps.push(step);
        }
    }
    Ok(Planned {
        draft,
        steps,
        known,
        impossible,
    })
}

async fn observe_needs(
    session: &Session,
    needs: &Needs,
    known: &mut Known,
) -> Result<Seen, Failure> {
    let sets = async {
        if needs.families.is_empty() {
            return Ok(BTreeMap::new());
        }
        let mut names = session.sets()?;
        names.retain(|family, _| needs.families.contains(family));
        observe::ip_sets(&session.cloud, &names)
            .await
            .map_err(Failure::from)
    };
    let store = async {
        if needs.keys.is_empty() {
            return Ok(None);
        }
        let name = session.store_name()?;
        let found = observe::find_store(&session.cloud, name)
            .await
            .map_err(Failure::from)?;
        let read = observe::store(&session.cloud, &found.arn, &needs.keys)
            .await
            .map_err(Failure::from)?;
        Ok::<_, Failure>(Some((name.to_owned(), read)))
    };
    let address = async {
        if needs.own_address {
            Some(session.own_address().await)
        } else {
            None
        }
    };
    let distributions = observe::distributions(&session.cloud, &needs.distributions);
    let acls = try_join_all(needs.web_acls.iter().map(|name| async move {
        let acl = observe::web_acl(&session.cloud, name).await?;
        Ok::<_, ObserveError>((name.clone(), acl))
    }));
    let felt_by =
        join_all(needs.felt_by.iter().map(|name| async move {
            (name.clone(), observe::web_acl(&session.cloud, name).await)
        }));
    let (sets, store, own_address, distributions, acls, felt_by) =
        join!(sets, store, address, distributions, acls, felt_by);
    let (sets, store) = (sets?, store?);
    let web_acls: BTreeMap<String, ObservedAcl> =
        acls.map_err(Failure::from)?.into_iter().collect();
    known.observed_acls.clone_from(&web_acls);
    for set in sets.values() {
        known
            .sets
            .insert(set.identity.name.clone(), set.identity.id.clone());
        known
            .observed_sets
            .insert(set.identity.name.clone(), set.clone());
    }
    for (id, read) in &distributions {
        if let Ok(read) = read {
            known
                .observed_distributions
                .insert(id.clone(), read.clone());
        }
    }
    if let Some((name, read)) = &store {
        known.stores.insert(name.clone(), read.arn.clone());
        known.observed_stores.insert(name.clone(), read.clone());
    }
    Ok(Seen {
        sets,
        distributions,
        store: store.map(|(_, read)| read),
        web_acls,
        felt_by: felt_by.into_iter().collect(),
        own_address,
    })
}

fn is_marked(intent: &Intent) -> bool {
    let opens = &intent.opens;
    !opens.already_there.is_empty()
        || !opens.rules.is_empty()
        || opens.keys.iter().any(|ask| ask.already_there.is_some())
        || opens.countries.iter().any(|ask| ask.already)
}

/// Marks what was there before us and what nothing of ours explains: our end must leave it.
fn mark_already_there(intent: &mut Intent, view: &View, seen: &Seen) {
    intent.opens.already_there.clear();
    for (family, set) in &seen.sets {
        let explained = Demand::of(view, None, *family);
        let own: Vec<Cidr> = intent
            .opens
            .prefixes
            .iter()
            .copied()
            .filter(|one| one.family() == *family)
            .collect();
        let theirs = explained.not_ours_within(&own, &set.addresses);
        intent.opens.already_there.extend(theirs);
    }
    if let Some(store) = &seen.store {
        let asked = crate::plan::keys::standing_keys(view);
        for ask in &mut intent.opens.keys {
            let theirs = store
                .values
                .get(&ask.key)
                .filter(|_| !asked.contains_key(&ask.key));
            ask.already_there = theirs.cloned();
        }
    }
    for ask in &mut intent.opens.rules {
        let rule = seen
            .web_acls
            .get(&ask.web_acl)
            .and_then(|acl| rules::rule_of(&acl.document.json, &ask.rule));
        if let Some(rule) = rule {
            ask.before = rules::base_action(view, &ask.web_acl, &ask.rule, rule);
        }
    }
    for ask in &mut intent.opens.countries {
        if let Some(Ok(observed)) = seen.distributions.get(&ask.distribution) {
            let explained = view.changes().iter().any(|change| {
                view.countries(change).iter().any(|(other, standing)| {
                    other.country == ask.country
                        && other.distribution == ask.distribution
                        && other.wanted == ask.wanted
                        && !other.already
                        && *standing != Standing::Closing
                })
            });
            ask.already = !explained && observed.geo.access(ask.country) == ask.wanted;
        }
    }
}

/// Marks in an intent that nobody was asked about what the cloud has already: its end leaves that.
/// A distribution that cannot be read is left unmarked; applying will say why.
pub(crate) async fn mark_countries(session: &Session, view: &View, intent: &mut Intent) {
    let mut ids: Vec<String> = intent
        .opens
        .countries
        .iter()
        .map(|ask| ask.distribution.clone())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    let seen = Seen {
        distributions: observe::distributions(&session.cloud, &ids).await,
        ..Seen::default()
    };
    mark_already_there(intent, view, &seen);
}

fn phase_finding(session: &Session, basis: &Basis<'_>, command: &str) -> Option<Finding> {
    let current = session
        .runbook
        .phases
        .iter()
        .find(|one| one.phase == basis.state.phase)?;
    guard::phase(command, current.phase, &current.allow)
}

/// Names the other events behind the same resources; one that is live asks for level 2.
fn note_neighbors(basis: &Basis<'_>, draft: &mut Draft) {
    let touched = Touched::by(&basis.view, &draft.intent);
    for neighbor in &basis.neighbors {
        let shared: Vec<&str> = neighbor
            .distributions
            .iter()
            .filter(|id| touched.distributions.contains(*id))
            .map(String::as_str)
            .chain(
                neighbor
                    .web_acl
                    .as_deref()
                    .filter(|acl| !touched.families.is_empty() || touched.web_acls.contains(*acl)),
            )
            .collect();
        if shared.is_empty() {
            continue;
        }
        let live = if neighbor.live {
            ", which is in its window NOW"
        } else {
            ""
        };
        draft.warnings.push(format!(
            "{} also serves event {}{live}",
            shared.join(" and "),
            neighbor.event
        ));
        if neighbor.live {
            draft.level = 2;
            if draft.typed.is_empty() {
                draft.typed.push(basis.session.runbook.event.id.to_string());
            }
        }
    }
}

fn set_step(
    view: &View,
    id: &EntryId,
    family: Family,
    set: &ObservedSet,
) -> Result<(Step, Vec<String>), Failure> {
    let name = &set.identity.name;
    let demand = Demand::of(view, Some(id), family);
    let plan = plan_set(&set.addresses, &demand, family).map_err(|error| {
        let freed = error.needed.saturating_sub(error.after_merging);
        Failure::refused(
            "guard.capacity",
            format!(
                "{name} would need {} addresses, {} more than the {SET_LIMIT} that an IP set holds",
                error.needed,
                error.needed - SET_LIMIT
            ),
        )
        .hint(if freed == 0 {
            "merging adjacent prefixes saves nothing; split the list, or end entries with `onair ip list`".to_owned()
        } else {
            format!(
                "merging adjacent prefixes saves {freed}, to {} still: {} too many; split the list",
                error.after_merging,
                error.after_merging - SET_LIMIT
            )
        })
        .with_data(json!({
            "needed": error.needed,
            "limit": SET_LIMIT,
            "after-merging": error.after_merging,
            "saved-by-merging": freed,
        }))
    })?;
    let mut notes = Vec::new();
    if !plan.missing.is_empty() {
        notes.push(format!(
            "{name}: {} that the ledger says are blocked were missing from the set and come back",
            crate::plan::change::some_of(&plan.missing)
        ));
    }
    if !plan.merged.is_empty() {
        notes.push(format!("{name}: {} adjacent prefixes are sent as wider ones that hold exactly the same addresses", plan.merged.len()));
    }
    let words = format!(
        "{} → {} of {SET_LIMIT} addresses (+{} −{})",
        set.addresses.len(),
        plan.target.len(),
        plan.added.len(),
        plan.removed.len()
    );
    let step = Step {
        resource: Resource::IpSet {
            family,
            name: name.clone(),
        },
        pending: plan.changes_something(),
        data: json!({
            "resource": format!("ip-set {name}"),
            "pending": plan.changes_something(),
            "before": set.addresses.len(),
            "after": plan.target.len(),
            "added": plan.added,
            "removed": plan.removed,
            "merged": plan.merged,
            "foreign": plan.foreign.len(),
        }),
        words,
    };
    Ok((step, notes))
}

fn geo_step(
    session: &Session,
    view: &View,
    id: &EntryId,
    distribution: &str,
    resource: Resource,
    observed: &ObservedDistribution,
) -> Result<(Step, Vec<String>), Failure> {
    let wish = Wish::of(view, id, distribution, &Meant::of(&session.runbook));
    let Resource::Distribution { name, .. } = &resource else {
        unreachable!("a geo restriction is a distribution's")
    };
    let notes = wish.notes(name);
    let plan = plan_geo(&observed.geo, observed.unread.len(), &wish).map_err(|error| {
        Failure::refused("guard.empty-allow-list", format!("{resource}: {error}"))
            .hint("to stop serving everyone, disable the distribution instead")
    })?;
    let step = Step {
        words: format!(
            "{} → {}",
            super::geo::state_words(&plan.before),
            super::geo::state_words(&plan.after)
        ),
        pending: plan.changes_something(),
        data: json!({
            "resource": resource.to_string(),
            "pending": plan.changes_something(),
            "before": plan.before,
            "after": plan.after,
            "newly-blocked": plan.newly_blocked,
            "newly-allowed": plan.newly_allowed,
        }),
        resource,
    };
    Ok((step, notes))
}

fn key_step(
    session: &Session,
    view: &View,
    id: &EntryId,
    store: &ObservedStore,
) -> Result<Step, Failure> {
    let name = session.store_name()?.to_owned();
    let wish = KeyWish::of(view, id, &*key_value(session, view));
    let plan = plan_keys(&store.values, &wish);
    let bytes = store.bytes + plan.bytes();
    if bytes > STORE_LIMIT_BYTES {
        return Err(Failure::refused(
            "guard.capacity",
            format!(
                "{name} would hold {bytes} bytes, {} more than the {STORE_LIMIT_BYTES} that a key value store holds",
                bytes - STORE_LIMIT_BYTES
            ),
        )
        .hint("`onair tend --once` removes what has ended; shorter ends free it sooner"));
    }
    let calls = plan.batches().len();
    Ok(Step {
        words: format!(
            "{} keys, +{} −{}, {} update call{}",
            store.items,
            plan.puts.len(),
            plan.deletes.len(),
            calls,
            if calls == 1 { "" } else { "s" }
        ),
        pending: !plan.is_empty(),
        data: json!({
            "resource": format!("key-value-store {name}"),
            "pending": !plan.is_empty(),
            "before": store.items,
            "puts": plan.puts.len(),
            "deletes": plan.deletes.len(),
            "update-calls": calls,
            "bytes": store.bytes,
        }),
        resource: Resource::Store { name },
    })
}

fn rule_step(
    session: &Session,
    view: &View,
    id: &EntryId,
    name: &str,
    observed: &ObservedAcl,
) -> (Step, Vec<String>) {
    let wish = rules::RuleWish::of(view, id, name);
    let document = &observed.document.json;
    let meant = Meant::of(&session.runbook).rules(name, document);
    let plan = rules::plan_rules(document, &wish, &meant);
    let mut notes = Vec::new();
    for (rule, before, now) in &plan.meant {
        notes.push(format!(
            "{}: it did {before} before; it goes to {now}, as the runbook says now",
            printable(rule)
        ));
    }
    for rule in &plan.left {
        notes.push(format!(
            "{rule}: another tool has changed its action since, which stands"
        ));
    }
    for rule in &plan.missing {
        notes.push(format!("{rule}: {name} has no such rule any more"));
    }
    let words: Vec<String> = plan
        .moved
        .iter()
        .map(|moved| format!("{}: {} → {}", printable(&moved.rule), moved.from, moved.to))
        .collect();
    let moved: Vec<Value> = plan
        .moved
        .iter()
        .map(|moved| json!({ "rule": moved.rule, "from": moved.from, "to": moved.to }))
        .collect();
    let step = Step {
        resource: Resource::WebAcl {
            name: name.to_owned(),
        },
        words: if words.is_empty() {
            "no rule changes".to_owned()
        } else {
            words.join(", ")
        },
        pending: plan.changes_something(),
        data: json!({
            "resource": format!("web-acl {name}"),
            "pending": plan.changes_something(),
            "rules": moved,
        }),
    };
    (step, notes)
}

/// Turns an end into the value of a revocation key: seconds since the epoch, past which the edge
/// ignores it. Ends that follow the event reach a day past it, so that overtime expires nothing.
pub(crate) fn key_value<'a>(session: &'a Session, view: &View) -> Box<dyn Fn(End) -> String + 'a> {
    let ends = session.state(view).times.ends;
    let grace = session.runbook.event.grace;
    Box::new(move |end| {
        let at = match end {
            End::At(at) => at,
            End::Event => {
                let day = jiff::SignedDuration::from_hours(24);
                ends.saturating_add(grace)
                    .and_then(|at| at.saturating_add(day))
                    .unwrap_or(Timestamp::MAX)
            }
            End::Never => Timestamp::MAX,
        };
        crate::token::revocation_value(at)
    })
}

/// The first reason to refuse that is not given up.
fn refusal(session: &Session, planned: &Planned, command: &str) -> Option<Failure> {
    if let Some(failure) = planned.impossible.first() {
        return Some(failure.clone());
    }
    let given_up = &session.options().overrides;
    let standing: Vec<&Finding> = planned
        .draft
        .findings
        .iter()
        .filter(|finding| finding.lifted_by.is_none_or(|one| !given_up.contains(&one)))
        .collect();
    if let Some(first) = standing.first() {
        let mut failure = Failure::refused(first.code, &first.message);
        for finding in &standing[1..] {
            failure.causes.push(finding.message.clone());
        }
        for finding in &standing {
            failure.hints.extend(finding.hint.clone());
        }
        let flags: Vec<&str> = standing
            .iter()
            .filter_map(|finding| finding.lifted_by)
            .map(guard::Override::flag)
            .collect();
        if flags.len() == standing.len() {
            let mut unique = flags.clone();
            unique.dedup();
            failure.hints.push(format!(
                "to do it all the same: {} -m REASON",
                unique.join(" ")
            ));
        }
        return Some(failure);
    }
    if !planned.draft.intent.overrides.is_empty() && planned.draft.intent.reason.is_none() {
        return Some(
            Failure::refused(
                "guard.reason",
                format!("`{command}` gives up a guard, and the ledger keeps why"),
            )
            .hint("add the reason: -m TEXT"),
        );
    }
    None
}

fn question(basis: &Basis<'_>, planned: &Planned) -> Question {
    let typed = || {
        let first = planned.draft.typed.first().cloned();
        first.unwrap_or_else(|| basis.session.runbook.event.id.to_string())
    };
    match planned.draft.level {
        0 | 1 if planned.draft.opens_a_door => Question::TypedOrYes(typed()),
        0 => Question::Enter,
        1 => Question::Yes,
        _ => Question::Typed(typed()),
    }
}

fn plan_text(session: &Session, basis: &Basis<'_>, planned: &Planned) -> String {
    let mut text = super::header(session, &basis.state, Some(&basis.operator));
    for line in &planned.draft.effect {
        text.push_str(line);
        text.push('\n');
    }
    for step in &planned.steps {
        let quiet = if step.pending { "" } else { " (as it is)" };
        text.push_str(&format!("  {}: {}{quiet}\n", step.resource, step.words));
    }
    for note in &planned.draft.notes {
        text.push_str(&format!("  note: {note}\n"));
    }
    for warning in &planned.draft.warnings {
        text.push_str(&format!("  warning: {warning}\n"));
    }
    text
}

/// Writes the intent down before anything is touched.
pub(crate) async fn write_intent(
    session: &Session,
    intent: &Intent,
    goes_on: bool,
) -> Result<(std::sync::Arc<Entry<Body>>, Where), Failure> {
    let mut intent = intent.clone();
    intent.deadline = session
        .clock
        .now()
        .saturating_add(session.options().timeout)
        .and_then(|at| at.saturating_add(jiff::SignedDuration::from_secs(30)))
        .unwrap_or(Timestamp::MAX);
    let body = Body::Intent(Box::new(intent));
    let written = if goes_on {
        session.ledger.append_or_spool(body).await
    } else {
        session
            .ledger
            .append(body)
            .await
            .map(|entry| (entry, Where::Store))
    };
    written.map_err(|error| {
        Failure::failed(
            "ledger.write",
            "write the intent to the ledger; nothing was changed",
        )
        .caused_by(&error)
        .hint("check the ledger's store; block, revoke and undo go on without it")
    })
}

/// What came of carrying a change out.
pub(crate) struct Finished {
    pub(crate) outcome: Outcome,
    pub(crate) exit: Exit,
    pub(crate) proof: Option<crate::ledger::body::Proof>,
    errors: Vec<ApplyError>,
    warnings: Vec<String>,
    entry: EntryId,
}

/// Applies the change `entry`, writes its outcome down, and proves it when asked.
pub(crate) async fn finish(
    session: &Session,
    approved: &Approved,
    entry: &Entry<Body>,
    resources: &[Resource],
    known: Known,
    state: &EventState,
) -> Result<Finished, Failure> {
    attempt(session, approved, entry, resources, known, state, None).await
}

/// Carries out once more a change that is in the ledger: one that was cut off, or one whose ends
/// have moved. What an earlier attempt did stays true when this one fails.
pub(crate) async fn finish_again(
    session: &Session,
    approved: &Approved,
    change: &Change,
    resources: &[Resource],
    state: &EventState,
) -> Result<Finished, Failure> {
    let earlier: Vec<&PartOutcome> = change
        .outcomes()
        .flat_map(|outcome| &outcome.parts)
        .collect();
    let landed = earlier
        .iter()
        .any(|part| matches!(part.result, Verdict::Applied | Verdict::Partly));
    let at_least = if landed {
        Verdict::Partly
    } else {
        Verdict::Unknown
    };
    attempt(
        session,
        approved,
        change.entry(),
        resources,
        Known::default(),
        state,
        Some(at_least),
    )
    .await
}

/// One attempt; `at_least` is what is true of the change even when the attempt fails altogether.
async fn attempt(
    session: &Session,
    approved: &Approved,
    entry: &Entry<Body>,
    resources: &[Resource],
    known: Known,
    state: &EventState,
    at_least: Option<Verdict>,
) -> Result<Finished, Failure> {
    let writing = session.ui().interrupt().writing();
    let started = session.clock.now();
    let deadline = started
        .saturating_add(session.options().timeout)
        .unwrap_or(Timestamp::MAX);
    let account = session.known_caller().map_or_else(
        || session.runbook.aws.account.clone(),
        |caller| caller.account.clone(),
    );
    let view = crate::ledger::read_view(&session.ledger)
        .await
        .map(|read| read.view)
        .unwrap_or_default();
    let applier = Applier {
        cloud: &session.cloud,
        ledger: &session.ledger,
        clock: &session.clock,
        interrupt: session.ui().interrupt(),
        turns: session.turns.clone(),
        account,
        deadline,
        meant: Meant::of(&session.runbook),
        key_value: key_value(session, &view),
        paced: session.paces(),
        known,
    };
    let ui = session.ui().clone();
    let mut bar: Option<crate::ui::Progress> = None;
    let mut tell = |progress: Progress| match progress {
        Progress::Waiting { resource } => tracing::debug!(%resource, "taking a turn"),
        Progress::Conflict { resource, attempt } => {
            tracing::info!(%resource, attempt, "someone else wrote; reading again");
        }
        Progress::Keys { done, of } => {
            if of > 50 {
                bar.get_or_insert_with(|| ui.progress(of, "revocation keys"))
                    .set(done);
            }
        }
        Progress::Done { resource, changed } => tracing::info!(%resource, changed, "done"),
    };
    let carried = applier
        .carry_out(approved, &entry.id, resources, &mut tell)
        .await;
    drop(bar);
    let (parts, errors): (Vec<PartOutcome>, Vec<Option<ApplyError>>) = carried.into_iter().unzip();
    let errors: Vec<ApplyError> = errors.into_iter().flatten().collect();
    let result = match (overall(&parts), at_least) {
        (Verdict::Failed, Some(at_least)) => at_least,
        (result, _) => result,
    };
    let exit = exit_of(result, &errors);
    let outcome = Outcome {
        intent: entry.id,
        result,
        error: errors.first().map(ToString::to_string),
        parts,
        made: Vec::new(),
        removed: Vec::new(),
    };
    let mut warnings = Vec::new();
    match session.ledger.append_or_spool(Body::Outcome(outcome.clone())).await {
        Ok((_, Where::Store)) => {}
        Ok((_, Where::Spool { reason })) => {
            warnings.push(format!("the outcome is written down on this machine only ({reason}); `onair ledger sync` uploads it"));
        }
        Err(error) => warnings.push(format!(
            "the outcome could not be written to the ledger ({error}); `onair ledger resume` finds it out again"
        )),
    }
    let mut finished = Finished {
        outcome,
        exit,
        proof: None,
        errors,
        warnings,
        entry: entry.id,
    };
    let Body::Intent(intent) = &entry.body else {
        return Ok(finished);
    };
    if finished.exit == Exit::Done && session.verifies(state) && intent.kind != Kind::End {
        let landed = session.clock.now();
        if !session.ui().is_json() {
            // The answer comes at once, the proof as it arrives.
            for part in &finished.outcome.parts {
                session.ui().say(&format!("  ✓ done: {}", part.resource));
            }
            session
                .ui()
                .say("  proving that viewers feel it · Ctrl-C stops watching, the change stands");
        }
        let proof = crate::prove::prove(session, &entry.id, landed, session.waits(state)).await;
        if let Some(proof) = proof {
            if proof.state == crate::ledger::body::ProofState::NotYet {
                finished.exit = Exit::NotYet;
            }
            if session.ui().interrupt().is_requested() {
                finished.exit = Exit::Interrupted;
            }
            if let Err(error) = session
                .ledger
                .append_or_spool(Body::Proof(proof.clone()))
                .await
            {
                finished.warnings.push(format!(
                    "the proof could not be written to the ledger ({error})"
                ));
            }
            finished.proof = Some(proof);
        }
    }
    drop(writing);
    Ok(finished)
}

fn overall(parts: &[PartOutcome]) -> Verdict {
    let all = |verdict: Verdict| parts.iter().all(|part| part.result == verdict);
    if all(Verdict::Applied) {
        Verdict::Applied
    } else if all(Verdict::Failed) {
        Verdict::Failed
    } else if parts.iter().any(|part| part.result == Verdict::Unknown)
        && !parts.iter().any(|part| part.result == Verdict::Applied)
    {
        Verdict::Unknown
    } else {
        Verdict::Partly
    }
}

fn exit_of(result: Verdict, errors: &[ApplyError]) -> Exit {
    let mut exit = match result {
        Verdict::Applied => Exit::Done,
        Verdict::Partly | Verdict::Unknown => Exit::Partly,
        Verdict::Failed => Exit::Failed,
    };
    for error in errors {
        let other = match error {
            ApplyError::Interrupted => Exit::Interrupted,
            ApplyError::Conflict { .. } | ApplyError::Throttled { .. } => Exit::Conflict,
            ApplyError::TooMany(_) | ApplyError::Geo(_) => Exit::Refused,
            ApplyError::Observe(_) | ApplyError::Cloud(_) | ApplyError::Ledger(_) => Exit::Failed,
        };
        exit = match (exit, other) {
            // Nothing was changed: the reason decides.
            (Exit::Failed, Exit::Refused) => Exit::Refused,
            (exit, other) => exit.or_graver(other),
        };
    }
    exit
}

impl Finished {
    /// What came of a change that other code carried out; its outcome is in the ledger already.
    pub(crate) fn of(outcome: Outcome, exit: Exit, entry: EntryId, warnings: Vec<String>) -> Self {
        Self {
            outcome,
            exit,
            proof: None,
            errors: Vec::new(),
            warnings,
            entry,
        }
    }

    /// The entry that was carried out.
    pub(crate) fn entry(&self) -> &EntryId {
        &self.entry
    }

    /// Whether this run changed the cloud.
    pub(crate) fn changed(&self) -> bool {
        self.outcome.parts.iter().any(|part| part.changed)
    }

    fn answer(&self, command: &str, name: &str, planned: &Planned, mut text: String) -> Answer {
        let mut data = planned.data(false);
        data["pending"] = json!(self.exit == Exit::Partly);
        data["entry"] = json!({ "id": self.entry.to_string(), "name": name });
        data["outcomes"] = json!(self.outcome.parts);
        data["proof"] = self.proof_json();
        text.push_str(&self.words(name));
        let mut answer = Answer::new(command, data, text).with_sheet(self.sheet(name));
        answer.changed = self.changed();
        answer.warnings.clone_from(&self.warnings);
        if self.exit != Exit::Done {
            let (code, message) = self.error();
            answer = answer.exiting(self.exit, &code, &message);
            answer.hints = self.hints(name);
        }
        answer
    }

    pub(crate) fn proof_json(&self) -> Value {
        match &self.proof {
            None => Value::Null,
            Some(proof) => json!({
                "kind": proof.kind,
                "state": proof.state,
                "seconds": proof.seconds,
                "evidence": proof.evidence,
            }),
        }
    }

    /// The stable code and the message of what kept it from being done.
    pub(crate) fn error(&self) -> (String, String) {
        let code = match self.exit {
            Exit::NotYet => "not-yet",
            Exit::Interrupted => "interrupted",
            Exit::Partly if self.outcome.result == Verdict::Unknown => "unknown",
            Exit::Partly => "partly",
            Exit::Conflict
                if self
                    .errors
                    .iter()
                    .any(|error| matches!(error, ApplyError::Throttled { .. })) =>
            {
                "throttled"
            }
            Exit::Conflict => "conflict",
            Exit::Refused => "guard.impossible",
            Exit::Failed | Exit::Usage | Exit::Difference | Exit::Done => "failed",
        };
        let message = match (self.exit, self.errors.first()) {
            (Exit::NotYet, _) => {
                "applied, but requests that it should refuse are still served".to_owned()
            }
            (Exit::Interrupted, None) => {
                "stopped watching; the change stands and is in the ledger".to_owned()
            }
            (_, Some(error)) => error.to_string(),
            (_, None) => "not applied".to_owned(),
        };
        (code.to_owned(), message)
    }

    /// What to type next.
    pub(crate) fn hints(&self, name: &str) -> Vec<String> {
        let hint = match self.exit {
            Exit::Interrupted if self.outcome.result == Verdict::Applied => return Vec::new(),
            Exit::Partly | Exit::Interrupted => format!("`onair ledger resume {name}` finishes it"),
            Exit::Conflict => "run it again; a longer --timeout tries longer".to_owned(),
            Exit::NotYet => "`onair status` follows it to the edges".to_owned(),
            Exit::Failed | Exit::Refused | Exit::Usage | Exit::Difference | Exit::Done => {
                return Vec::new();
            }
        };
        vec![hint]
    }

    /// What happened, in words.
    pub(crate) fn words(&self, name: &str) -> String {
        let mut text = String::new();
        for part in &self.outcome.parts {
            let words = match (part.result, part.changed) {
                (Verdict::Applied, true) => "✓ done",
                (Verdict::Applied, false) => "✓ as meant already",
                (Verdict::Partly, _) => "✗ partly done",
                (Verdict::Failed, _) => "✗ not done",
                (Verdict::Unknown, _) => "? not known",
            };
            let why = part
                .error
                .as_ref()
                .map(|error| format!(": {error}"))
                .unwrap_or_default();
            text.push_str(&format!("  {words}: {}{why}\n", part.resource));
        }
        match self.outcome.result {
            Verdict::Applied => text.push_str(&format!(
                "{name} is in the ledger · take it back: onair undo {name}\n"
            )),
            Verdict::Partly | Verdict::Unknown => {
                text.push_str(&format!(
                    "{name} is not finished · finish it: onair ledger resume {name}\n"
                ));
            }
            Verdict::Failed => text.push_str(&format!("{name} changed nothing\n")),
        }
        if let Some(proof) = &self.proof {
            let mark = match proof.state {
                crate::ledger::body::ProofState::Proved => "✓ proved",
                crate::ledger::body::ProofState::NotYet => "… not yet",
                crate::ledger::body::ProofState::NoTraffic => "… no traffic to prove it by",
                crate::ledger::body::ProofState::Unavailable => "? cannot be proved from here",
            };
            text.push_str(&format!("  {mark}: {}\n", proof.evidence));
        }
        text
    }

    fn sheet(&self, name: &str) -> Sheet {
        let mut sheet = Sheet::new(&["entry", "resource", "result", "changed", "writes"]);
        for part in &self.outcome.parts {
            sheet.push([
                name.to_owned(),
                part.resource.clone(),
                format!("{:?}", part.result).to_lowercase(),
                part.changed.to_string(),
                part.writes.to_string(),
            ]);
        }
        sheet
    }
}

/// The resources of a change that is in the ledger.
pub(crate) fn resources_of(
    session: &Session,
    view: &View,
    change: &Change,
) -> Result<Vec<Resource>, Failure> {
    let touched = Touched::by(view, change.intent());
    let mut resources = Vec::new();
    if !touched.families.is_empty() {
        let names = session.sets()?;
        resources.extend(touched.families.iter().map(|family| Resource::IpSet {
            family: *family,
            name: names[family].clone(),
        }));
    }
    resources.extend(
        touched
            .distributions
            .iter()
            .map(|id| session.distribution(id)),
    );
    if !touched.keys.is_empty() {
        resources.push(Resource::Store {
            name: session.store_name()?.to_owned(),
        });
    }
    resources.extend(
        touched
            .web_acls
            .iter()
            .map(|name| Resource::WebAcl { name: name.clone() }),
    );
    Ok(resources)
}

impl From<ObserveError> for Failure {
    fn from(error: ObserveError) -> Self {
        match error {
            ObserveError::Cloud(error) => error.into(),
            ObserveError::NoSuchSet { .. }
            | ObserveError::NoSuchStore(_)
            | ObserveError::NoSuchAcl(_) => Self::failed("not-provisioned", &error)
                .hint("check the name in the runbook and the account"),
            ObserveError::Document { .. } => Self::failed("document", &error),
        }
    }
}
