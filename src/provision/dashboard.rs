//! The event's CloudWatch dashboard. What people changed in it by hand is kept, and annotations that
//! are behind the ledger are no reason to write: `onair dashboard apply` draws them.

use async_trait::async_trait;
use serde_json::Value;

use super::step::{Difference, Done, Made, Owned, Stage, Step, fingerprint};
use super::{Part, PartError, Scene};
use crate::cloud::metrics::PutDashboard;
use crate::cloud::{Approved, CloudError};
use crate::dashboard::body::{Drawing, body, to_text};
use crate::dashboard::marks::marks;
use crate::dashboard::merge::{Comparison, Edits, Kind, compare};
use crate::ledger::clock::EventState;
use crate::runbook::Dashboard;

const KIND: &str = "dashboard";
/// No source of ours confirms the price; the first three of an account are free.
const COSTS: &str = "about 3 USD a month, beyond the account's first three dashboards";

pub(crate) struct DashboardPart;

/// What is stored, and how it compares.
struct Seen {
    text: Option<String>,
    comparison: Comparison,
}

async fn look(scene: &Scene<'_>, dashboard: &Dashboard) -> Result<Seen, PartError> {
    let text = match scene.cloud.dashboard(&dashboard.name).await {
        Ok(stored) => Some(stored.body),
        Err(CloudError::NotFound { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let stored: Option<Value> = text
        .as_ref()
        .map(|text| serde_json::from_str(text))
        .transpose()
        .map_err(|error| {
            PartError::Other(format!("dashboard {} is not JSON: {error}", dashboard.name))
        })?;
    let runbook = scene.runbook;
    let planned: Vec<_> = runbook
        .phases
        .iter()
        .map(|phase| (phase.phase, phase.from))
        .collect();
    let state = EventState::at(&runbook.event.times(), &planned, &scene.view, scene.now);
    let marks = marks(&runbook.event.kickoff_label, &scene.view, &state);
    let wanted = body(Drawing {
        runbook,
        dashboard,
        state: &state,
        marks: &marks,
    });
    Ok(Seen {
        comparison: compare(stored.as_ref(), &wanted, Edits::Keep),
        text,
    })
}

/// What applying changes, by widget.
fn changes(comparison: &Comparison) -> Vec<Difference> {
    if !comparison.is_pending {
        return Vec::new();
    }
    let mut changes: Vec<Difference> = comparison
        .differences
        .iter()
        .filter(|one| one.is_pending)
        .map(|one| {
            let (from, to) = match one.kind {
                Kind::Missing | Kind::Deleted => (None, Some("as the runbook has it")),
                Kind::Obsolete => (Some("there"), None),
                Kind::Outdated | Kind::Edited | Kind::Foreign => {
                    (Some("as it was made before"), Some("as the runbook has it"))
                }
            };
            Difference::new(format!("widget {}", one.widget), from, to)
        })
        .collect();
    if changes.is_empty() {
        changes.push(Difference::new(
            "record of how it was made",
            Some("out of date"),
            Some("up to date"),
        ));
    }
    changes
}

fn kept(comparison: &Comparison) -> Option<String> {
    let kept = comparison
        .differences
        .iter()
        .filter(|one| matches!(one.kind, Kind::Edited | Kind::Deleted))
        .count();
    let plural = if kept == 1 { "" } else { "s" };
    (kept > 0).then(|| {
        format!("{kept} widget{plural} changed by hand stay so; `onair dashboard diff` shows them")
    })
}

#[async_trait(?Send)]
impl Part for DashboardPart {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn stage(&self) -> Stage {
        Stage::Watching
    }

    async fn plan(&self, scene: &Scene<'_>) -> Result<Vec<Step>, PartError> {
        let Some(dashboard) = &scene.runbook.dashboard else {
            return Ok(Vec::new());
        };
        let seen = look(scene, dashboard).await?;
        let step = match &seen.text {
            None => Step::create(KIND, &dashboard.name).costing(COSTS),
            Some(text) => Step::existing(
                KIND,
                &dashboard.name,
                changes(&seen.comparison),
                fingerprint(text),
            ),
        };
        Ok(vec![match kept(&seen.comparison) {
            Some(note) => step.noting(note),
            None => step,
        }])
    }

    async fn carry_out(
        &self,
        scene: &Scene<'_>,
        step: &Step,
        approved: &Approved,
    ) -> Result<Done, PartError> {
        let Some(dashboard) = &scene.runbook.dashboard else {
            return Ok(Done::unchanged());
        };
        let seen = look(scene, dashboard).await?;
        if !seen.comparison.is_pending {
            return Ok(Done::unchanged());
        }
        if let Some(text) = &seen.text {
            scene.check_unmoved(step, &fingerprint(text), || {
                "somebody stored another body".to_owned()
            })?;
        }
        let tags = scene.tags();
        let borrowed: Vec<(&str, &str)> = tags
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect();
        let text = to_text(&seen.comparison.merged);
        let name = &dashboard.name;
        match scene
            .cloud
            .put_dashboard(approved, name, &text, &borrowed)
            .await?
        {
            PutDashboard::Saved { warnings } => {
                let made = Made {
                    kind: KIND.to_owned(),
                    name: name.clone(),
                    id: Some(arn(scene, name)),
                    tags,
                };
                let mut done = if seen.text.is_none() {
                    Done::made(1, made)
                } else {
                    Done::changed(1)
                };
                done.notes = warnings
                    .iter()
                    .map(|warning| {
                        format!("CloudWatch says of {}: {}", warning.path, warning.message)
                    })
                    .collect();
                Ok(done)
            }
            PutDashboard::Invalid { message, problems } => {
                let problems: Vec<String> = problems
                    .iter()
                    .map(|problem| format!("{} at {}", problem.message, problem.path))
                    .collect();
                Err(PartError::Other(format!(
                    "CloudWatch refused the dashboard: {message}: {}",
                    problems.join("; ")
                )))
            }
        }
    }

    async fn owned(&self, scene: &Scene<'_>) -> Result<Vec<Owned>, PartError> {
        let prefix = format!("onair-{}", scene.event());
        let own = scene
            .runbook
            .dashboard
            .as_ref()
            .map(|one| one.name.as_str());
        let mut found = scene.cloud.dashboards(&prefix).await?;
        if let Some(own) = own.filter(|own| !own.starts_with(&prefix)) {
            let named = scene.cloud.dashboards(own).await?;
            found.extend(named.into_iter().filter(|one| one.name == own));
        }
        let mut owned = Vec::new();
        for one in found {
            let marked = match scene.cloud.cloudwatch_tags(None, &one.arn).await {
                Ok(tags) => scene.marks(
                    tags.iter()
                        .map(|(key, value)| (key.as_str(), value.as_str())),
                ),
                // Where dashboards have no tags the name is the mark.
                Err(CloudError::Refused { .. } | CloudError::NotFound { .. }) => {
                    one.name == prefix || one.name.starts_with(&scene.prefix())
                }
                Err(error) => return Err(error.into()),
            };
            if marked || own == Some(one.name.as_str()) {
                owned.push(
                    Owned::new(KIND, &one.name, marked)
                        .with_id(one.arn)
                        .costing(COSTS),
                );
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
        match scene.cloud.delete_dashboard(approved, &owned.name).await {
            Ok(()) | Err(CloudError::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

fn arn(scene: &Scene<'_>, name: &str) -> String {
    format!("arn:aws:cloudwatch::{}:dashboard/{name}", scene.account)
}
