//! What the checks know: the runbook, the ledger, and whatever they read from the cloud, each
//! resource at most once a run.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::{LocalBoxFuture, Shared};
use jiff::Timestamp;
use tokio::sync::{OnceCell, Semaphore};

use super::Gap;
use super::fetches::Fetches;
use crate::cloud::{Caller, Cloud, CloudError};
use crate::context::Session;
use crate::ledger::ReadLedger;
use crate::ledger::clock::EventState;
use crate::ledger::view::View;
use crate::provision::{Scene, Step};
use crate::runbook::Runbook;

/// Reads that are under way at the same time. AWS publishes no rate for most of them; this stays
/// far below the throttling that is seen, and the SDK retries what is throttled all the same.
const AT_ONCE: usize = 16;

/// A read that several checks wait for.
type Pending<T> = Shared<LocalBoxFuture<'static, Result<Rc<T>, Gap>>>;

/// A kind's provisioning plan, made once.
type Plan = Rc<OnceCell<Result<Rc<Vec<Step>>, Gap>>>;

/// What was read, by operation and what was asked for.
type Reads = HashMap<(&'static str, String), Rc<dyn Any>>;

/// What all checks share.
pub(crate) struct Facts<'a> {
    pub(crate) session: &'a Session,
    pub(crate) runbook: &'a Runbook,
    /// When the run began.
    pub(crate) now: Timestamp,
    /// Where the event stands, by the ledger or, where that cannot be read, by plan.
    pub(crate) state: EventState,
    /// The ledger, or why it could not be read.
    pub(crate) ledger: Result<ReadLedger, String>,
    pub(super) caller: Result<Caller, Gap>,
    reads: RefCell<Reads>,
    count: Cell<u32>,
    /// What the player has fetched.
    pub(crate) fetches: Rc<Fetches>,
    permits: Arc<Semaphore>,
    /// What provisioning plans by; none where the ledger could not be read.
    scene: Option<Scene<'a>>,
    plans: RefCell<HashMap<&'static str, Plan>>,
}

impl<'a> Facts<'a> {
    pub(crate) fn new(
        session: &'a Session,
        state: EventState,
        ledger: Result<ReadLedger, String>,
        caller: Result<Caller, Gap>,
    ) -> Self {
        let scene = ledger.as_ref().ok().map(|ledger| {
            let view = ledger.view.clone();
            Scene::new(session, view, session.clock.now())
        });
        Self {
            session,
            runbook: &session.runbook,
            now: session.clock.now(),
            state,
            ledger,
            caller,
            reads: RefCell::default(),
            count: Cell::new(0),
            fetches: Rc::new(Fetches::new(session.cloud.clone())),
            permits: Arc::new(Semaphore::new(AT_ONCE)),
            scene,
            plans: RefCell::default(),
        }
    }

    /// Reads `resource` by `operation` (any stable name) once, whoever asks and however often.
    /// `ask` runs for the first; all others wait for its answer, also when the first gives up.
    pub(crate) async fn read<T, E, F>(
        &self,
        operation: &'static str,
        resource: &str,
        ask: impl FnOnce(Cloud) -> F,
    ) -> Result<Rc<T>, Gap>
    where
        T: 'static,
        E: Into<Gap>,
        F: Future<Output = Result<T, E>> + 'static,
    {
        let key = (operation, resource.to_owned());
        let known = self.reads.borrow().get(&key).cloned();
        let pending: Pending<T> = if let Some(known) = known {
            known
                .downcast_ref::<Pending<T>>()
                .expect("an operation has one type of answer")
                .clone()
        } else {
            let asked = ask(self.session.cloud.clone());
            let permits = Arc::clone(&self.permits);
            let pending: Pending<T> = async move {
                let permit = permits.acquire_owned().await;
                let answered = asked.await;
                drop(permit);
                answered.map(Rc::new).map_err(Into::into)
            }
            .boxed_local()
            .shared();
            self.count.set(self.count.get() + 1);
            self.reads
                .borrow_mut()
                .insert(key, Rc::new(pending.clone()));
            pending
        };
        pending.await
    }

    /// What provisioning by the runbook and the ledger goes by.
    pub(crate) fn scene(&self) -> Result<&Scene<'a>, Gap> {
        self.scene.as_ref().ok_or_else(|| match self.view() {
            Err(gap) => gap,
            Ok(_) => Gap::Unknown("the ledger".to_owned()),
        })
    }

    /// What `onair provision` would do to resources of this kind, planned once. Only for kinds whose
    /// resources no check reads by itself: nothing is read twice.
    pub(crate) async fn planned(&self, kind: &'static str) -> Result<Rc<Vec<Step>>, Gap> {
        let scene = self.scene()?;
        let plan = Rc::clone(self.plans.borrow_mut().entry(kind).or_default());
        plan.get_or_init(async || {
            let parts = crate::provision::all();
            let part = parts
                .iter()
                .find(|part| part.kind() == kind)
                .expect("checks name kinds of provisioning");
            self.count.set(self.count.get() + 1);
            let steps = part.plan(scene).await;
            steps
                .map(Rc::new)
                .map_err(|error| Gap::Unknown(error.to_string()))
        })
        .await
        .clone()
    }

    /// How many different resources were read.
    pub(crate) fn count(&self) -> u32 {
        self.count.get()
    }

    /// The ledger's view; a gap where it could not be read.
    pub(crate) fn view(&self) -> Result<&View, Gap> {
        match &self.ledger {
            Ok(ledger) => Ok(&ledger.view),
            Err(why) => Err(Gap::Unknown(format!("the ledger: {why}"))),
        }
    }

    /// The end of the event, with what the crew moved, and its grace: until when things must hold.
    pub(crate) fn closes(&self) -> Timestamp {
        self.state.times.closes()
    }
}

impl From<CloudError> for Gap {
    fn from(error: CloudError) -> Self {
        match error {
            CloudError::NotFound { .. } => Self::Absent(error.to_string()),
            other => Self::Unknown(other.to_string()),
        }
    }
}
