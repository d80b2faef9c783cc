//! Carries out a change that is in the ledger: for each resource read, plan, write under its
//! version, and on a conflict do all of that again, until it lands or the time is up. The old body
//! is never sent again, and a write whose answer was lost is looked for before anyone else is blamed.

mod web_acl;

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use crate::clock::Clock;
use crate::cloud::{Approved, Cloud, CloudError};
use crate::event::cidr::{Cidr, Family};
use crate::ledger::body::{Body, End, PartOutcome, Verdict};
use crate::ledger::turn::{self, Turn};
use crate::ledger::view::View;
use crate::ledger::{EntryId, Ledger};
use crate::observe::{self, ObserveError};
use crate::plan::geo::{Wish, plan_geo};
use crate::plan::ip_set::{Demand, SET_LIMIT, TooMany, plan_set};
use crate::plan::keys::{Batch, KeyPlan, KeyWish, plan_keys};
use crate::plan::meant::Meant;
use crate::ui::Interrupt;

/// AWS WAF takes one update a second of an account and region, all callers together (WAF Developer
/// Guide, quotas). A little more, for what the network adds to one call and not to the next.
const WAF_WRITE_INTERVAL: Duration = Duration::from_millis(1_100);

/// CloudFront and the KVS publish no rate; conflicts are retried after a pause of up to this, doubled
/// at each further one and drawn anew, so that writers do not march in step.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// One thing in the cloud that a change touches.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Resource {
    IpSet { family: Family, name: String },
    Distribution { name: String, id: String },
    Store { name: String },
    WebAcl { name: String },
}

impl std::fmt::Display for Resource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::IpSet { name, .. } => write!(f, "ip-set {name}"),
            Self::Distribution { name, id } => write!(f, "distribution {name} ({id})"),
            Self::Store { name } => write!(f, "key-value-store {name}"),
            Self::WebAcl { name } => write!(f, "web-acl {name}"),
        }
    }
}

/// What carrying out needs besides the change.
pub(crate) struct Applier<'a> {
    pub(crate) cloud: &'a Cloud,
    pub(crate) ledger: &'a Ledger<Body>,
    pub(crate) clock: &'a Clock,
    pub(crate) interrupt: &'a Interrupt,
    /// Where processes of this machine take turns.
    pub(crate) turns: PathBuf,
    pub(crate) account: String,
    /// When no further attempt is made.
    pub(crate) deadline: Timestamp,
    /// What the runbook says by now: what an end goes to.
    pub(crate) meant: Meant<'a>,
    /// Turns an entry's end into the value of a revocation key.
    pub(crate) key_value: Box<dyn Fn(End) -> String + 'a>,
    /// Whether updates keep to AWS's published rates.
    pub(crate) paced: bool,
    /// Ids learned while planning, so that nothing is looked up twice.
    pub(crate) known: Known,
}

/// Identifiers that the plan's reads found.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    pub(crate) sets: BTreeMap<String, String>,
    pub(crate) stores: BTreeMap<String, String>,
    /// What the plan read; the first attempt goes by it.
    pub(crate) observed_sets: BTreeMap<String, observe::ObservedSet>,
    pub(crate) observed_distributions: BTreeMap<String, observe::ObservedDistribution>,
    pub(crate) observed_stores: BTreeMap<String, observe::ObservedStore>,
    pub(crate) observed_acls: BTreeMap<String, observe::ObservedAcl>,
}

/// Told while a change is carried out.
#[derive(Debug, Clone)]
pub(crate) enum Progress {
    Waiting { resource: String },
    Conflict { resource: String, attempt: u32 },
    Keys { done: u64, of: u64 },
    Done { resource: String, changed: bool },
}

/// Why a resource could not be brought to what is meant.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum ApplyError {
    #[error(transparent)]
    Observe(#[from] ObserveError),
    #[error("{0}")]
    Cloud(#[from] CloudError),
    #[error("the ledger could not be read: {0}")]
    Ledger(String),
    #[error(
        "{} set would need {} addresses, and AWS WAF holds {SET_LIMIT}; merged they would be {}",
        .0.family, .0.needed, .0.after_merging
    )]
    TooMany(TooMany),
    #[error("{0}")]
    Geo(#[from] crate::plan::geo::GeoImpossible),
    #[error("a conflict outlasted the timeout after {attempts} attempts")]
    Conflict { attempts: u32 },
    #[error("throttled until the timeout after {attempts} attempts")]
    Throttled { attempts: u32 },
    #[error("interrupted")]
    Interrupted,
}

impl Applier<'_> {
    /// Brings every resource to what the change `id` means. Nothing here fails as a whole: each
    /// resource has its outcome.
    pub(crate) async fn carry_out(
        &self,
        approved: &Approved,
        id: &EntryId,
        resources: &[Resource],
        tell: &mut dyn FnMut(Progress),
    ) -> Vec<(PartOutcome, Option<ApplyError>)> {
        let writing = self.interrupt.writing();
        let mut outcomes = Vec::new();
        for resource in resources {
            if self.interrupt.is_requested() {
                outcomes.push(part(
                    resource,
                    Err(Stopped::before(ApplyError::Interrupted)),
                ));
                continue;
            }
            let result = match resource {
                Resource::IpSet { family, name } => {
                    self.ip_set(approved, id, *family, name, tell).await
                }
                Resource::Distribution {
                    id: distribution, ..
                } => {
                    self.distribution(approved, id, resource, distribution, tell)
                        .await
                }
                Resource::Store { name } => self.store(approved, id, name, tell).await,
                Resource::WebAcl { name } => self.web_acl(approved, id, name, tell).await,
            };
            if let Ok(done) = &result {
                tell(Progress::Done {
                    resource: resource.to_string(),
                    changed: done.changed,
                });
            }
            outcomes.push(part(resource, result));
        }
        drop(writing);
        outcomes
    }

    async fn view(&self) -> Result<View, ApplyError> {
        crate::ledger::read_view(self.ledger)
            .await
            .map(|read| read.view)
            .map_err(|error| ApplyError::Ledger(error.to_string()))
    }

    /// Waits for this machine's turn at the resource. Says whether it had to wait: then what was
    /// read before is stale for certain.
    async fn turn(&self, resource: &str, tell: &mut dyn FnMut(Progress)) -> (Option<Turn>, bool) {
        let asked = self.clock.now();
        let left = self
            .deadline
            .duration_since(self.clock.now())
            .max(SignedDuration::ZERO)
            .unsigned_abs();
        tell(Progress::Waiting {
            resource: resource.to_owned(),
        });
        let name = format!("{}-{resource}", self.account);
        // Turns are an aid: without one the version check still loses nothing.
        let turn = Turn::take(&self.turns, &name, left, self.clock).await.ok();
        let waited = self.clock.now().duration_since(asked) > SignedDuration::from_millis(5);
        (turn, waited)
    }

    /// Waits until this machine may write again. Says whether it had to.
    async fn pace(&self, what: &str, interval: Duration) -> bool {
        if !self.paced {
            return false;
        }
        let name = format!("{}-{what}", self.account);
        match turn::pace(&self.turns, &name, interval, self.clock).await {
            Ok(waited) => !waited.is_zero(),
            Err(error) => {
                tracing::debug!(%error, "no shared pace");
                false
            }
        }
    }

    async fn ip_set(
        &self,
        approved: &Approved,
        id: &EntryId,
        family: Family,
        name: &str,
        tell: &mut dyn FnMut(Progress),
    ) -> Result<Done, Stopped> {
        let (_turn, waited) = self.turn(&format!("ip-set-{name}"), tell).await;
        let mut tries = Tries::new(self);
        // What the plan read serves the first attempt: the lock token tells if it is stale.
        let mut first_read = self
            .known
            .observed_sets
            .get(name)
            .filter(|_| !waited)
            .cloned();
        let mut slot = false;
        let mut missing_at_first: Option<HashSet<Cidr>> = None;
        let planned_by = self.known.observed_sets.get(name);
        let mut found_late: HashSet<Cidr> = HashSet::new();
        let mut writes = 0;
        let mut before_digest = None;
        let mut sent_before: Option<(Vec<Cidr>, Vec<Cidr>)> = None;
        loop {
            // The set first and the ledger after it: an intent written before what the set shows
            // is then always seen.
            let observed = if let Some(observed) = first_read.take() {
                observed
            } else {
                let read = match self.known.sets.get(name) {
                    Some(set_id) => observe::ip_set(self.cloud, name, set_id).await,
                    None => {
                        observe::ip_sets(self.cloud, &BTreeMap::from([(family, name.to_owned())]))
                            .await
                            .map(|mut sets| {
                                sets.remove(&family)
                                    .expect("the one set that was asked for")
                            })
                    }
                };
                match read {
                    Ok(observed) => observed,
                    Err(ObserveError::Cloud(error)) => {
                        tries.again(error, writes, tell, name).await?;
                        continue;
                    }
                    Err(error) => return Err(Stopped::after(error.into(), writes)),
                }
            };
            let view = self
                .view()
                .await
                .map_err(|error| Stopped::after(error, writes))?;
            let mut demand = Demand::of(&view, Some(id), family);
            before_digest.get_or_insert_with(|| digest(observed.addresses.iter()));

            // What we miss at the first look and find later, without a write of ours that may have
            // landed, someone else put there: our end must leave it.
            let present: HashSet<Cidr> = observed.addresses.iter().copied().collect();
            if let Some(change) = view.get(id) {
                let own = change
                    .intent()
                    .opens
                    .prefixes
                    .iter()
                    .copied()
                    .filter(|one| one.family() == family);
                // The first look was the plan's, also when what it read is stale by now.
                if missing_at_first.is_none() {
                    let first =
                        planned_by.map_or(&observed.addresses, |planned| &planned.addresses);
                    let first: HashSet<&Cidr> = first.iter().collect();
                    missing_at_first = Some(own.filter(|one| !first.contains(one)).collect());
                }
                match &missing_at_first {
                    Some(missing) if !tries.may_have_landed => {
                        let appeared = missing.iter().copied().filter(|one| present.contains(one));
                        found_late
                            .extend(appeared.filter(|one| !demand.is_explained_by_others(*one)));
                    }
                    Some(_) | None => {}
                }
            }
            demand.leave(&found_late);
            let plan = plan_set(&observed.addresses, &demand, family)
                .map_err(|error| Stopped::after(ApplyError::TooMany(error), writes))?;
            let nothing_to_do = !plan.changes_something() && !plan.must_write;
            if nothing_to_do {
                let (added, removed) = match &sent_before {
                    Some(sent) if tries.may_have_landed => sent.clone(),
                    _ => (Vec::new(), Vec::new()),
                };
                return Ok(Done {
                    changed: !added.is_empty() || !removed.is_empty(),
                    writes,
                    added: words(&added),
                    removed: words(&removed),
                    merged: plan.merged,
                    already_there: found_late.into_iter().collect(),
                    before: before_digest,
                    after: Some(digest(observed.addresses.iter())),
                });
            }
            if !slot {
                slot = true;
                // What was read before a wait would be stale after it; the write follows the slot
                // at once, so that writes keep their distance.
                if self.pace("wafv2-update-ip-set", WAF_WRITE_INTERVAL).await {
                    continue;
                }
            }
            slot = false;
            let target: Vec<String> = plan
                .target
                .iter()
                .map(ToString::to_string)
                .chain(observed.unread.iter().cloned())
                .collect();
            writes += 1;
            match self
                .cloud
                .update_ip_set(approved, &observed.identity, &target, &observed.lock_token)
                .await
            {
                Ok(_) => {
                    return Ok(Done {
                        changed: plan.changes_something(),
                        writes,
                        added: words(&plan.added),
                        removed: words(&plan.removed),
                        merged: plan.merged,
                        already_there: found_late.into_iter().collect(),
                        before: before_digest,
                        after: Some(digest(plan.target.iter())),
                    });
                }
                Err(error) => {
                    sent_before = Some((plan.added, plan.removed));
                    tries.again(error, writes, tell, name).await?;
                }
            }
        }
    }

    async fn distribution(
        &self,
        approved: &Approved,
        id: &EntryId,
        resource: &Resource,
        distribution: &str,
        tell: &mut dyn FnMut(Progress),
    ) -> Result<Done, Stopped> {
        let shown = resource.to_string();
        let (_turn, waited) = self
            .turn(&format!("distribution-{distribution}"), tell)
            .await;
        let mut tries = Tries::new(self);
        let mut first_read = self
            .known
            .observed_distributions
            .get(distribution)
            .filter(|_| !waited)
            .cloned();
        let mut writes = 0;
        let mut before_digest = None;
        let mut sent: Option<(Vec<String>, Vec<String>)> = None;
        loop {
            let observed = match first_read.take() {
                Some(observed) => observed,
                None => match observe::distribution(self.cloud, distribution).await {
                    Ok(observed) => observed,
                    Err(ObserveError::Cloud(error)) => {
                        tries.again(error, writes, tell, &shown).await?;
                        continue;
                    }
                    Err(error) => return Err(Stopped::after(error.into(), writes)),
                },
            };
            let view = self
                .view()
                .await
                .map_err(|error| Stopped::after(error, writes))?;
            let wish = Wish::of(&view, id, distribution, &self.meant);
            let plan = plan_geo(&observed.geo, observed.unread.len(), &wish)
                .map_err(|error| Stopped::after(error.into(), writes))?;
            let whole = hex::encode(Sha256::digest(observed.document.bytes()));
            let before = before_digest.get_or_insert_with(|| whole.clone()).clone();
            if !plan.changes_something() && !plan.must_write {
                let (added, removed) = match sent.take() {
                    Some(sent) if tries.may_have_landed => sent,
                    _ => (Vec::new(), Vec::new()),
                };
                return Ok(Done {
                    changed: !added.is_empty() || !removed.is_empty(),
                    writes,
                    added,
                    removed,
                    before: Some(before),
                    after: Some(whole),
                    ..Done::default()
                });
            }
            let document = observed
                .document
                .with_geo(&observe::restriction(&plan.after, &observed.unread))
                .map_err(|error| {
                    let error = ObserveError::Document {
                        id: distribution.to_owned(),
                        message: error.to_string(),
                    };
                    Stopped::after(error.into(), writes)
                })?;
            let added: Vec<String> = plan
                .newly_blocked
                .iter()
                .map(|country| format!("{country} blocked"))
                .collect();
            let removed: Vec<String> = plan
                .newly_allowed
                .iter()
                .map(|country| format!("{country} allowed"))
                .collect();
            writes += 1;
            match self
                .cloud
                .update_distribution(approved, distribution, &document, &observed.etag)
                .await
            {
                Ok(_) => {
                    return Ok(Done {
                        changed: plan.changes_something(),
                        writes,
                        added,
                        removed,
                        before: Some(before),
                        after: Some(hex::encode(Sha256::digest(document.bytes()))),
                        ..Done::default()
                    });
                }
                Err(error) => {
                    sent = Some((added, removed));
                    tries.again(error, writes, tell, &shown).await?;
                }
            }
        }
    }

    async fn store(
        &self,
        approved: &Approved,
        id: &EntryId,
        name: &str,
        tell: &mut dyn FnMut(Progress),
    ) -> Result<Done, Stopped> {
        let (_turn, waited) = self.turn(&format!("store-{name}"), tell).await;
        let arn = match self.known.stores.get(name) {
            Some(arn) => arn.clone(),
            None => {
                observe::find_store(self.cloud, name)
                    .await
                    .map_err(|error| Stopped::after(error.into(), 0))?
                    .arn
            }
        };
        let mut first_read = self
            .known
            .observed_stores
            .get(name)
            .filter(|_| !waited)
            .cloned();
        let mut tries = Tries::new(self);
        let mut writes = 0;
        let mut done = Done::default();
        loop {
            let view = self
                .view()
                .await
                .map_err(|error| Stopped::after(error, writes))?;
            let named: Vec<String> = KeyWish::of(&view, id, &*self.key_value)
                .keys
                .into_keys()
                .collect();
            let observed = match first_read.take() {
                Some(observed) => observed,
                None => match observe::store(self.cloud, &arn, &named).await {
                    Ok(observed) => observed,
                    Err(ObserveError::Cloud(error)) => {
                        tries.again(error, writes, tell, name).await?;
                        continue;
                    }
                    Err(error) => return Err(Stopped::after(error.into(), writes)),
                },
            };
            // The ledger once more, after the store, for the reason given at the IP set.
            let view = self
                .view()
                .await
                .map_err(|error| Stopped::after(error, writes))?;
            let plan = plan_keys(&observed.values, &KeyWish::of(&view, id, &*self.key_value));
            if plan.is_empty() || (writes > 0 && done.holds(&plan, &observed.values)) {
                done.changed = !done.added.is_empty() || !done.removed.is_empty();
                done.writes = writes;
                return Ok(done);
            }
            let total = (plan.puts.len() + plan.deletes.len()) as u64;
            let mut etag = observed.etag;
            let mut written = 0;
            let mut failed = None;
            let mut maybe: Option<Batch> = None;
            for batch in plan.batches() {
                if self.interrupt.is_requested() && writes > 0 {
                    return Err(Stopped::partly(ApplyError::Interrupted, done, writes));
                }
                tell(Progress::Keys {
                    done: written,
                    of: total,
                });
                writes += 1;
                match self
                    .cloud
                    .update_store(approved, &arn, &etag, &batch.puts, &batch.deletes)
                    .await
                {
                    Ok(next) => {
                        etag = next;
                        written += (batch.puts.len() + batch.deletes.len()) as u64;
                        done.note(&batch);
                    }
                    Err(error) => {
                        // The re-read tells whether it landed; what it finds as meant is then ours.
                        maybe = error.may_have_landed().then_some(batch);
                        failed = Some(error);
                        break;
                    }
                }
            }
            match failed {
                None => {
                    tell(Progress::Keys {
                        done: total,
                        of: total,
                    });
                    done.changed = true;
                    done.writes = writes;
                    return Ok(done);
                }
                Some(error) => {
                    if let Err(stopped) = tries.again(error, writes, tell, name).await {
                        return Err(Stopped::partly(stopped.error, done, writes));
                    }
                    if let Some(batch) = maybe {
                        done.note(&batch);
                    }
                }
            }
        }
    }
}

/// What was done to one resource.
#[derive(Debug, Default)]
struct Done {
    changed: bool,
    writes: u32,
    added: Vec<String>,
    removed: Vec<String>,
    merged: Vec<Cidr>,
    already_there: Vec<Cidr>,
    before: Option<String>,
    after: Option<String>,
}

impl Done {
    /// Notes that the keys of `batch` are as meant.
    fn note(&mut self, batch: &Batch) {
        self.added
            .extend(batch.puts.iter().map(|(key, _)| key.clone()));
        self.removed.extend(batch.deletes.iter().cloned());
    }

    /// Whether all that `plan` would still write has been written by us with these very values: a
    /// key that must be written although nothing changes is written once.
    fn holds(&self, plan: &KeyPlan, observed: &BTreeMap<String, String>) -> bool {
        plan.deletes.is_empty()
            && plan
                .puts
                .iter()
                .all(|(key, value)| observed.get(key) == Some(value) && self.added.contains(key))
    }
}

/// A resource was left before it was as meant.
#[derive(Debug)]
struct Stopped {
    error: ApplyError,
    writes: u32,
    done: Option<Done>,
}

impl Stopped {
    fn before(error: ApplyError) -> Self {
        Self::after(error, 0)
    }

    fn after(error: ApplyError, writes: u32) -> Self {
        Self {
            error,
            writes,
            done: None,
        }
    }

    fn partly(error: ApplyError, done: Done, writes: u32) -> Self {
        Self {
            error,
            writes,
            done: Some(done),
        }
    }
}

/// The attempts at one resource.
struct Tries<'a> {
    applier: &'a Applier<'a>,
    attempts: u32,
    pause: Duration,
    /// A write of this change was sent and may have landed although its answer said otherwise.
    may_have_landed: bool,
}

impl<'a> Tries<'a> {
    fn new(applier: &'a Applier<'a>) -> Self {
        Self {
            applier,
            attempts: 0,
            pause: FIRST_PAUSE,
            may_have_landed: false,
        }
    }

    /// Decides whether to look again after `error`, and waits with full jitter; else says why not.
    async fn again(
        &mut self,
        error: CloudError,
        writes: u32,
        tell: &mut dyn FnMut(Progress),
        resource: &str,
    ) -> Result<(), Stopped> {
        self.attempts += 1;
        self.may_have_landed |= error.may_have_landed();
        let retry = matches!(
            error,
            CloudError::Conflict { .. }
                | CloudError::Throttled { .. }
                | CloudError::Lost { .. }
                | CloudError::Server { .. }
        );
        if !retry {
            return Err(Stopped::after(error.into(), writes));
        }
        tell(Progress::Conflict {
            resource: resource.to_owned(),
            attempt: self.attempts,
        });
        if self.applier.interrupt.is_requested() {
            return Err(Stopped::after(ApplyError::Interrupted, writes));
        }
        let now = self.applier.clock.now();
        let left = self.applier.deadline.duration_since(now);
        if left <= SignedDuration::ZERO {
            let attempts = self.attempts;
            let error = match error {
                CloudError::Conflict { .. } => ApplyError::Conflict { attempts },
                CloudError::Throttled { .. } => ApplyError::Throttled { attempts },
                other => other.into(),
            };
            return Err(Stopped {
                error,
                writes,
                done: self.may_have_landed.then(Done::default),
            });
        }
        let longest = self.pause.min(left.unsigned_abs());
        let pause = longest.mul_f64(fastrand::f64());
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        self.applier.clock.wait(pause).await;
        Ok(())
    }
}

fn part(resource: &Resource, result: Result<Done, Stopped>) -> (PartOutcome, Option<ApplyError>) {
    let mut outcome = PartOutcome {
        resource: resource.to_string(),
        result: Verdict::Applied,
        changed: false,
        writes: 0,
        added: Vec::new(),
        removed: Vec::new(),
        merged: Vec::new(),
        already_there: Vec::new(),
        before: None,
        after: None,
        error: None,
    };
    let mut fill = |done: Done, writes: u32| {
        outcome.changed = done.changed;
        outcome.writes = writes;
        outcome.added = done.added;
        outcome.removed = done.removed;
        // A batch whose answer was lost may have been noted twice.
        outcome.added.sort_unstable();
        outcome.added.dedup();
        outcome.removed.sort_unstable();
        outcome.removed.dedup();
        outcome.merged = done.merged;
        outcome.already_there = done.already_there;
        outcome.before = done.before;
        outcome.after = done.after;
    };
    match result {
        Ok(done) => {
            let writes = done.writes;
            fill(done, writes);
            (outcome, None)
        }
        Err(stopped) => {
            let lost = matches!(stopped.error, ApplyError::Cloud(CloudError::Lost { .. }));
            outcome.result = match &stopped.done {
                Some(done) if !done.added.is_empty() || !done.removed.is_empty() => Verdict::Partly,
                Some(_) => Verdict::Unknown,
                None if lost => Verdict::Unknown,
                None => Verdict::Failed,
            };
            let writes = stopped.writes;
            fill(stopped.done.unwrap_or_default(), writes);
            outcome.error = Some(stopped.error.to_string());
            (outcome, Some(stopped.error))
        }
    }
}

fn words(prefixes: &[Cidr]) -> Vec<String> {
    prefixes.iter().map(ToString::to_string).collect()
}

/// SHA-256 over the sorted elements, one a line.
fn digest<'a>(elements: impl Iterator<Item = &'a Cidr>) -> String {
    let mut sorted: Vec<&Cidr> = elements.collect();
    sorted.sort_unstable();
    let mut hasher = Sha256::new();
    for element in sorted {
        hasher.update(element.to_string());
        hasher.update(b"\n");
    }
    hex::encode(hasher.finalize())
}
