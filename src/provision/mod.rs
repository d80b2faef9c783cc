//! Brings the event's resources to the runbook plus the ledger's open entries, and takes down what
//! was made. Each kind of resource is a [`Part`]; `run` carries the parts' steps out stage by
//! stage, and knows nothing of any service.
//!
//! Whoever adds a part: implement [`Part`] in a file of your own and add one line to `parts::all`.

mod alarms;
pub(crate) mod cloudfront;
mod dashboard;
pub(crate) mod iac;
pub(crate) mod logs;
mod parts;
mod run;
mod scene;
mod step;
#[cfg(test)]
mod tests;
mod waf;

use async_trait::async_trait;

use crate::cloud::{Approved, CloudError};

pub(crate) use parts::all;
pub(crate) use run::{
    Applied, Choice, Found, Holder, Progress, apply, find, holders, plan, take_down,
};
pub(crate) use scene::Scene;
pub(crate) use step::{
    Action, Difference, Done, Iac, Made, Managed, Owned, Stage, Step, fingerprint,
};

/// One kind of resource that provisioning looks after.
///
/// Parts of one stage run side by side, the steps of one part one after the other. All calls of one
/// part see the same [`Scene`].
#[async_trait(?Send)]
pub(crate) trait Part {
    /// The kind's stable name, such as `ip-set`: it is in the JSON answer, in the ledger's claims
    /// and what `--only` and `--skip` take.
    fn kind(&self) -> &'static str;

    /// When its steps run; teardown goes through the stages backwards.
    fn stage(&self) -> Stage;

    /// Reads what is there and holds it against the runbook plus the ledger's open entries. Changes
    /// nothing. One step for each resource that the runbook asks for, also for those that are as they
    /// should be ([`Action::Keep`]); no step when the runbook asks for none.
    ///
    /// A resource of an earlier stage may not exist yet: say so in words (`made by this run`).
    async fn plan(&self, scene: &Scene<'_>) -> Result<Vec<Step>, PartError>;

    /// Brings one resource to what it should be. Called for [`Action::Create`], [`Action::Change`] and
    /// [`Action::Remove`] steps only, after all earlier stages.
    ///
    /// Reads again first. When what it finds is as meant already, it writes nothing and returns
    /// [`Done::unchanged`]. When the fingerprint is not [`Step::fingerprint`] any more, somebody else
    /// wrote in between: [`Scene::check_unmoved`] makes the error. A lost answer need not be handled
    /// here: the runner plans the part again and takes a `Keep` for success.
    async fn carry_out(
        &self,
        scene: &Scene<'_>,
        step: &Step,
        approved: &Approved,
    ) -> Result<Done, PartError>;

    /// Everything in the account that carries this event's mark: [`Scene::tags`] where the API has
    /// tags, else [`Scene::prefix`] at the start of its name; and what is attached to things that are
    /// not the event's and refers to the event's (as [`Owned::attachment`]).
    /// Whether the ledger says that we made it is not the part's to judge.
    async fn owned(&self, scene: &Scene<'_>) -> Result<Vec<Owned>, PartError>;

    /// What refers to one of [`Part::owned`] and keeps the service from deleting it, if anything does.
    async fn holder(&self, _scene: &Scene<'_>, _owned: &Owned) -> Result<Option<Owned>, PartError> {
        Ok(None)
    }

    /// Removes (or detaches) one of [`Part::owned`]. Called only for what the ledger says we made, and
    /// after everything of later stages is gone. What is gone already is no error. An attachment
    /// returns when it is rolled out, so that what it held can be deleted next.
    async fn remove(
        &self,
        scene: &Scene<'_>,
        owned: &Owned,
        approved: &Approved,
    ) -> Result<(), PartError>;
}

/// Why a part could not plan or carry out.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum PartError {
    #[error(transparent)]
    Cloud(#[from] CloudError),
    /// Somebody else wrote since the plan was made: exit 5.
    #[error("{resource} has changed since the plan was made: {moved}")]
    Moved {
        resource: String,
        /// What moved, in words.
        moved: String,
    },
    /// It cannot be done as things are, such as a foreign function in the way: exit 4.
    #[error("{message}")]
    Refused {
        message: String,
        /// What to type or check next.
        hint: String,
    },
    /// It did not become ready in time; a further run goes on from there.
    #[error("{resource} is not ready after {waited}: {state}")]
    NotReady {
        resource: String,
        waited: String,
        state: String,
    },
    #[error("interrupted")]
    Interrupted,
    /// Anything else that keeps it from being done.
    #[error("{0}")]
    Other(String),
}

impl PartError {
    /// It cannot be done as things are.
    pub(crate) fn refused(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Refused {
            message: message.into(),
            hint: hint.into(),
        }
    }
}
