//! CloudFront's additional metrics (hit ratio, errors by code, origin latency), which the dashboard,
//! the alarms and the completeness of logs go by.

use async_trait::async_trait;
use futures_util::future::join_all;

use crate::cloud::Approved;
use crate::provision::{Difference, Done, Made, Owned, Part, PartError, Scene, Stage, Step};

const KIND: &str = "additional-metrics";
const COSTS: &str = "a monthly fee for each metric of the distribution";

pub(crate) struct MetricsPart;

fn word(state: Option<bool>) -> String {
    match state {
        None => "none",
        Some(true) => "on",
        Some(false) => "off",
    }
    .to_owned()
}

#[async_trait(?Send)]
impl Part for MetricsPart {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn stage(&self) -> Stage {
        Stage::Ground
    }

    async fn plan(&self, scene: &Scene<'_>) -> Result<Vec<Step>, PartError> {
        let ids = scene
            .runbook
            .distributions
            .iter()
            .map(|one| one.id.as_str());
        let read = join_all(ids.map(async |id| (id, scene.cloud.additional_metrics(id).await)));
        let mut steps = Vec::new();
        for (id, state) in read.await {
            steps.push(match state? {
                None => Step::create(KIND, id).costing(COSTS),
                Some(true) => Step::existing(KIND, id, Vec::new(), word(Some(true))),
                Some(false) => {
                    let change = Difference::new(
                        "RealtimeMetricsSubscriptionStatus",
                        Some("Disabled"),
                        Some("Enabled"),
                    );
                    Step::existing(KIND, id, vec![change], word(Some(false))).costing(COSTS)
                }
            });
        }
        Ok(steps)
    }

    async fn carry_out(
        &self,
        scene: &Scene<'_>,
        step: &Step,
        approved: &Approved,
    ) -> Result<Done, PartError> {
        let cloud = scene.cloud;
        let mut writes = 1;
        match cloud.additional_metrics(&step.name).await? {
            Some(true) => return Ok(Done::unchanged()),
            // There is no update: a subscription that is off is ended and made anew.
            Some(false) => {
                cloud
                    .delete_additional_metrics(approved, &step.name)
                    .await?;
                writes += 1;
            }
            None => {}
        }
        cloud
            .create_additional_metrics(approved, &step.name)
            .await?;
        if !step.claims {
            return Ok(Done::changed(writes));
        }
        let made = Made {
            kind: KIND.to_owned(),
            name: step.name.clone(),
            id: None,
            tags: Vec::new(),
        };
        Ok(Done::made(writes, made))
    }

    /// A subscription has neither tags nor a name: the ledger alone tells ours.
    async fn owned(&self, scene: &Scene<'_>) -> Result<Vec<Owned>, PartError> {
        let claims = scene.view.claims();
        let ids = claims.iter().filter(|claim| claim.kind == KIND);
        let mut owned = Vec::new();
        for id in ids.map(|claim| claim.name.as_str()) {
            if scene.cloud.additional_metrics(id).await?.is_some() {
                owned.push(Owned::new(KIND, id, true).costing(COSTS));
            }
        }
        Ok(owned)
    }

    async fn remove(
        &self,
        scene: &Scene<'_>,
        owned: &Owned,
        approved: &Approved,
    ) -> Result<(), PartError> {
        scene
            .cloud
            .delete_additional_metrics(approved, &owned.name)
            .await?;
        Ok(())
    }
}
