//! What every part may use: the runbook, the cloud, what the ledger says, the time; with memory for
//! what several parts read.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::PartError;
use super::step::Step;
use crate::clock::Clock;
use crate::cloud::{
    Cloud, CloudError, DistributionDocument, StoreSummary, Versioned, WebAclSummary,
};
use crate::context::Session;
use crate::event::duration::compact;
use crate::ledger::body::Claim;
use crate::ledger::turn::{self, Turn};
use crate::ledger::view::View;
use crate::runbook::Runbook;
use crate::ui::{Interrupt, Ui};

/// A wait that is longer than this says what it waits for, again and again.
const SAYS_EVERY: SignedDuration = SignedDuration::from_secs(15);

/// What parts may use. Reads that several parts need are made once and kept until a write.
pub(crate) struct Scene<'a> {
    pub(crate) runbook: &'a Runbook,
    pub(crate) cloud: &'a Cloud,
    pub(crate) clock: &'a Clock,
    /// The ledger: its open entries are part of what should be there.
    pub(crate) view: View,
    pub(crate) now: Timestamp,
    /// The account's 12 digits.
    pub(crate) account: String,
    /// No wait for readiness goes on past this.
    pub(crate) deadline: Timestamp,
    pub(crate) interrupt: Interrupt,
    /// Who is told of a long wait; none: nobody watches.
    ui: Option<Ui>,
    /// Where processes of this machine take turns and share a pace; none: not paced.
    turns: Option<PathBuf>,
    documents: RefCell<HashMap<String, Rc<Versioned<DistributionDocument>>>>,
    stores: RefCell<Option<Rc<Vec<StoreSummary>>>>,
    web_acls: RefCell<Option<Rc<Vec<WebAclSummary>>>>,
    /// Fingerprints that our own steps of this run left behind, by resource.
    written: RefCell<BTreeMap<String, String>>,
}

impl<'a> Scene<'a> {
    /// The scene of a command.
    pub(crate) fn new(session: &'a Session, view: View, deadline: Timestamp) -> Self {
        Self {
            runbook: &session.runbook,
            cloud: &session.cloud,
            clock: &session.clock,
            view,
            now: session.clock.now(),
            account: session.runbook.aws.account.clone(),
            deadline,
            interrupt: session.ui().interrupt().clone(),
            ui: Some(session.ui().clone()),
            turns: session.paces().then(|| session.turns.clone()),
            documents: RefCell::default(),
            stores: RefCell::default(),
            web_acls: RefCell::default(),
            written: RefCell::default(),
        }
    }

    /// The scene of a fresh rehearsal's account: nothing in the ledger, no pace.
    pub(crate) fn unattended(runbook: &'a Runbook, cloud: &'a Cloud, clock: &'a Clock) -> Self {
        let now = clock.now();
        Self {
            runbook,
            cloud,
            clock,
            view: View::default(),
            now,
            account: runbook.aws.account.clone(),
            deadline: now
                .saturating_add(SignedDuration::from_mins(1))
                .unwrap_or(Timestamp::MAX),
            interrupt: Interrupt::default(),
            ui: None,
            turns: None,
            documents: RefCell::default(),
            stores: RefCell::default(),
            web_acls: RefCell::default(),
            written: RefCell::default(),
        }
    }

    /// The event's id, a slug.
    pub(crate) fn event(&self) -> &str {
        self.runbook.event.id.as_str()
    }

    /// The tags that everything we make carries, where the API has tags.
    pub(crate) fn tags(&self) -> Vec<(String, String)> {
        vec![
            (EVENT_TAG.to_owned(), self.event().to_owned()),
            (OWNER_TAG.0.to_owned(), OWNER_TAG.1.to_owned()),
        ]
    }

    /// Whether `tags` mark a resource as this event's.
    pub(crate) fn marks<'t>(&self, tags: impl IntoIterator<Item = (&'t str, &'t str)>) -> bool {
        let (mut event, mut owner) = (false, false);
        for (key, value) in tags {
            event |= key == EVENT_TAG && value == self.event();
            owner |= (key, value) == OWNER_TAG;
        }
        event && owner
    }

    /// The start of the names that mark a resource as this event's where the API has no tags.
    pub(crate) fn prefix(&self) -> String {
        format!("onair-{}-", self.event())
    }

    /// Whether the ledger says that we made (or are making) this resource and have not removed it.
    pub(crate) fn claims(&self, kind: &str, name: &str) -> bool {
        self.view.claims().contains(&Claim::new(kind, name))
    }

    /// A distribution's document, read once until [`Scene::forget_distribution`].
    pub(crate) async fn document(
        &self,
        id: &str,
    ) -> Result<Rc<Versioned<DistributionDocument>>, CloudError> {
        if let Some(known) = self.documents.borrow().get(id) {
            return Ok(Rc::clone(known));
        }
        let read = Rc::new(self.cloud.distribution_document(id).await?);
        self.documents
            .borrow_mut()
            .insert(id.to_owned(), Rc::clone(&read));
        Ok(read)
    }

    /// Makes the next [`Scene::document`] read again.
    pub(crate) fn forget_distribution(&self, id: &str) {
        self.documents.borrow_mut().remove(id);
    }

    /// The account's key value stores, read once until [`Scene::forget_stores`].
    pub(crate) async fn stores(&self) -> Result<Rc<Vec<StoreSummary>>, CloudError> {
        if let Some(known) = self.stores.borrow().as_ref() {
            return Ok(Rc::clone(known));
        }
        let read = Rc::new(self.cloud.stores().await?);
        *self.stores.borrow_mut() = Some(Rc::clone(&read));
        Ok(read)
    }

    /// The account's web ACLs of scope CLOUDFRONT, read once until [`Scene::forget`].
    pub(crate) async fn web_acls(&self) -> Result<Rc<Vec<WebAclSummary>>, CloudError> {
        if let Some(known) = self.web_acls.borrow().as_ref() {
            return Ok(Rc::clone(known));
        }
        let read = Rc::new(self.cloud.web_acls().await?);
        *self.web_acls.borrow_mut() = Some(Rc::clone(&read));
        Ok(read)
    }

    /// Makes the next [`Scene::web_acls`] read again: for whoever makes one.
    pub(crate) fn forget_web_acls(&self) {
        *self.web_acls.borrow_mut() = None;
    }

    /// Whether the services are far away: AWS itself, or a cloud that keeps to its rates.
    pub(crate) fn is_paced(&self) -> bool {
        self.turns.is_some()
    }

    pub(crate) fn forget_stores(&self) {
        *self.stores.borrow_mut() = None;
    }

    /// Forgets every read: what comes next looks at the cloud as it is.
    pub(crate) fn forget(&self) {
        self.documents.borrow_mut().clear();
        self.forget_stores();
        self.forget_web_acls();
    }

    /// Notes what our own write left behind, so that a later step on the same resource does not take
    /// it for somebody else's.
    pub(crate) fn wrote(&self, resource: &str, fingerprint: String) {
        self.written
            .borrow_mut()
            .insert(resource.to_owned(), fingerprint);
    }

    /// Stops a step whose resource somebody else changed since the plan was made. `moved` says in
    /// words what differs.
    pub(crate) fn check_unmoved(
        &self,
        step: &Step,
        observed: &str,
        moved: impl FnOnce() -> String,
    ) -> Result<(), PartError> {
        let resource = step.resource();
        let ours = self.written.borrow().get(&resource).cloned();
        if observed == step.fingerprint || ours.as_deref() == Some(observed) {
            return Ok(());
        }
        Err(PartError::Moved {
            resource,
            moved: moved(),
        })
    }

    /// Waits until this machine may write again at the service's published rate; `what` names the
    /// quota, such as `wafv2-update-web-acl`. Says whether it had to wait.
    pub(crate) async fn pace(&self, what: &str, interval: Duration) -> bool {
        let Some(turns) = &self.turns else {
            return false;
        };
        let name = format!("{}-{what}", self.account);
        match turn::pace(turns, &name, interval, self.clock).await {
            Ok(waited) => !waited.is_zero(),
            Err(error) => {
                tracing::debug!(%error, "no shared pace");
                false
            }
        }
    }

    /// This machine's turn at a resource; without one the service's own locking still protects it.
    pub(crate) async fn turn(&self, resource: &str) -> Option<Turn> {
        let left = self.deadline.duration_since(self.clock.now());
        let left = left.max(SignedDuration::ZERO).unsigned_abs();
        let name = format!("{}-{resource}", self.account);
        Turn::take(self.turns.as_ref()?, &name, left, self.clock)
            .await
            .ok()
    }

    /// Asks `state` every `every` until it says ready (`None`), the deadline passes or Ctrl-C. What it
    /// says while it is not ready is shown when it never becomes so.
    pub(crate) async fn wait_until(
        &self,
        resource: &str,
        every: Duration,
        mut state: impl AsyncFnMut() -> Result<Option<String>, PartError>,
    ) -> Result<(), PartError> {
        let began = self.clock.now();
        let mut told = began;
        loop {
            let Some(state) = state().await? else {
                return Ok(());
            };
            if self.interrupt.is_requested() {
                return Err(PartError::Interrupted);
            }
            let now = self.clock.now();
            if now >= self.deadline {
                return Err(PartError::NotReady {
                    resource: resource.to_owned(),
                    waited: compact(now.duration_since(began)),
                    state,
                });
            }
            tracing::info!(resource, state, "waiting");
            if let Some(ui) = &self.ui
                && now.duration_since(told) >= SAYS_EVERY
            {
                told = now;
                ui.say(&format!(
                    "  … {resource}: {state}, for {} now; Ctrl-C stops waiting, and a further run goes on",
                    compact(now.duration_since(began))
                ));
            }
            self.clock.wait(every).await;
        }
    }
}

const EVENT_TAG: &str = "onair:event";
const OWNER_TAG: (&str, &str) = ("onair:owner", "onair");
