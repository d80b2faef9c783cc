//! The event's alarms, each in its metric's region. Steps and claims name them `REGION/NAME`.

use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::try_join_all;

use super::step::{Difference, Done, Made, Owned, Stage, Step, fingerprint};
use super::{Part, PartError, Scene};
use crate::cloud::metrics::{Alarm, AlarmRule, Metric, MetricSource, Watched};
use crate::cloud::{Approved, CloudError};
use crate::dashboard::alarms::{alarms, prefix, regions};

const KIND: &str = "alarm";
/// No source of ours confirms the price.
const COSTS: &str = "about 0.10 USD a month for each metric";
/// `PutMetricAlarm` and `DeleteAlarms` are limited to three a second (CloudWatch quotas).
const PACE: Duration = Duration::from_millis(340);

pub(crate) struct AlarmPart;

fn full_name(rule: &AlarmRule) -> String {
    format!("{}/{}", rule.region, rule.name)
}

fn wanted(scene: &Scene<'_>) -> Vec<AlarmRule> {
    let runbook = scene.runbook;
    let dashboard = runbook.dashboard.as_ref();
    dashboard.map_or_else(Vec::new, |dashboard| alarms(runbook, dashboard))
}

/// The alarms of the event's name in all of its regions.
async fn there(scene: &Scene<'_>) -> Result<Vec<Alarm>, PartError> {
    let prefix = prefix(scene.runbook);
    let regions = regions(scene.runbook);
    let reads = regions
        .iter()
        .map(|region| scene.cloud.alarms(region, &prefix));
    Ok(try_join_all(reads).await?.into_iter().flatten().collect())
}

/// What differs, in words; the order of dimensions says nothing.
fn changes(stored: &Alarm, rule: &AlarmRule) -> Vec<Difference> {
    let (is, want) = (&stored.rule, rule);
    let mut changes = Vec::new();
    let mut field = |name: &str, from: String, to: String| {
        if from != to {
            changes.push(Difference::new(name, Some(from), Some(to)));
        }
    };
    field("watches", watched(&is.watched), watched(&want.watched));
    let threshold =
        |rule: &AlarmRule| format!("{:?} {}", rule.comparison, rule.threshold).to_lowercase();
    field("threshold", threshold(is), threshold(want));
    let periods = |rule: &AlarmRule| format!("{} of {}", rule.datapoints, rule.evaluation_periods);
    field("datapoints", periods(is), periods(want));
    let missing = |rule: &AlarmRule| format!("{:?}", rule.missing).to_lowercase();
    field("missing data", missing(is), missing(want));
    field("tells", is.actions.join(" "), want.actions.join(" "));
    field(
        "description",
        is.description.clone(),
        want.description.clone(),
    );
    let on = |is_on: bool| if is_on { "on" } else { "off" }.to_owned();
    field("actions", on(stored.actions_enabled), on(true));
    changes
}

fn watched(watched: &Watched) -> String {
    let metric = |metric: &Metric, statistic: &str, period: u32| {
        let mut dimensions: Vec<String> = metric
            .dimensions
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        dimensions.sort();
        format!(
            "{} {} {} {statistic} of {period} s",
            metric.namespace,
            metric.name,
            dimensions.join(" ")
        )
    };
    match watched {
        Watched::Metric {
            metric: of,
            statistic,
            period,
        } => metric(of, statistic, *period),
        Watched::Math(queries) => {
            let mut texts: Vec<String> = queries
                .iter()
                .map(|query| match &query.source {
                    MetricSource::Statistic {
                        metric: of,
                        statistic,
                        period,
                    } => format!("{} = {}", query.id, metric(of, statistic, *period)),
                    MetricSource::Expression { text } => format!("{} = {text}", query.id),
                })
                .collect();
            texts.sort();
            texts.join("; ")
        }
    }
}

/// All that a write would replace.
fn observed(alarm: &Alarm) -> String {
    fingerprint(format!("{:?} {}", alarm.rule, alarm.actions_enabled))
}

#[async_trait(?Send)]
impl Part for AlarmPart {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn stage(&self) -> Stage {
        Stage::Watching
    }

    async fn plan(&self, scene: &Scene<'_>) -> Result<Vec<Step>, PartError> {
        let wanted = wanted(scene);
        if scene.runbook.dashboard.is_none() {
            return Ok(Vec::new());
        }
        let there = there(scene).await?;
        let mut steps = Vec::new();
        for rule in &wanted {
            let name = full_name(rule);
            let stored = there.iter().find(|alarm| full_name(&alarm.rule) == name);
            steps.push(match stored {
                None => Step::create(KIND, name).costing(COSTS),
                Some(stored) => Step::existing(KIND, name, changes(stored, rule), observed(stored)),
            });
        }
        // What the runbook asks for no more, and we made.
        for alarm in &there {
            let name = full_name(&alarm.rule);
            let is_wanted = wanted.iter().any(|rule| full_name(rule) == name);
            if !is_wanted && scene.claims(KIND, &name) {
                let mut step = Step::existing(KIND, name, Vec::new(), observed(alarm));
                step.action = super::Action::Remove;
                steps.push(step.noting("the runbook asks for it no more"));
            }
        }
        Ok(steps)
    }

    async fn carry_out(
        &self,
        scene: &Scene<'_>,
        step: &Step,
        approved: &Approved,
    ) -> Result<Done, PartError> {
        let there = there(scene).await?;
        let stored = there
            .iter()
            .find(|alarm| full_name(&alarm.rule) == step.name);
        if let Some(stored) = stored {
            scene.check_unmoved(step, &observed(stored), || {
                "somebody changed its settings".to_owned()
            })?;
        }
        let wanted = wanted(scene);
        let rule = wanted.iter().find(|rule| full_name(rule) == step.name);
        match (rule, stored) {
            (None, None) => Ok(Done::unchanged()),
            (None, Some(stored)) => {
                delete(scene, approved, &stored.rule.region, &stored.rule.name).await?;
                Ok(Done::changed(1))
            }
            (Some(rule), Some(stored)) if changes(stored, rule).is_empty() => Ok(Done::unchanged()),
            (Some(rule), stored) => {
                scene.pace("cloudwatch-put-metric-alarm", PACE).await;
                let tags = scene.tags();
                let borrowed: Vec<(&str, &str)> = tags
                    .iter()
                    .map(|(key, value)| (key.as_str(), value.as_str()))
                    .collect();
                // Tags go with the first put alone; an existing alarm keeps those that it has.
                let borrowed = if stored.is_none() {
                    borrowed
                } else {
                    Vec::new()
                };
                scene.cloud.put_alarm(approved, rule, &borrowed).await?;
                let made = Made {
                    kind: KIND.to_owned(),
                    name: step.name.clone(),
                    id: Some(arn(scene, rule)),
                    tags,
                };
                Ok(if stored.is_none() {
                    Done::made(1, made)
                } else {
                    Done::changed(1)
                })
            }
        }
    }

    async fn owned(&self, scene: &Scene<'_>) -> Result<Vec<Owned>, PartError> {
        let mut owned = Vec::new();
        for alarm in there(scene).await? {
            let region = alarm.rule.region.as_str();
            let marked = match scene.cloud.cloudwatch_tags(Some(region), &alarm.arn).await {
                Ok(tags) => scene.marks(
                    tags.iter()
                        .map(|(key, value)| (key.as_str(), value.as_str())),
                ),
                Err(CloudError::NotFound { .. }) => continue,
                Err(error) => return Err(error.into()),
            };
            owned.push(
                Owned::new(KIND, full_name(&alarm.rule), marked)
                    .with_id(alarm.arn)
                    .costing(COSTS),
            );
        }
        Ok(owned)
    }

    async fn remove(
        &self,
        scene: &Scene<'_>,
        owned: &Owned,
        approved: &Approved,
    ) -> Result<(), PartError> {
        let (region, name) = owned
            .name
            .split_once('/')
            .ok_or_else(|| PartError::Other(format!("{} is not REGION/NAME", owned.name)))?;
        delete(scene, approved, region, name).await
    }
}

/// Deletes one alarm; one that is gone is no error.
async fn delete(
    scene: &Scene<'_>,
    approved: &Approved,
    region: &str,
    name: &str,
) -> Result<(), PartError> {
    scene.pace("cloudwatch-delete-alarms", PACE).await;
    let names = [name.to_owned()];
    match scene.cloud.delete_alarms(approved, region, &names).await {
        Ok(()) | Err(CloudError::NotFound { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn arn(scene: &Scene<'_>, rule: &AlarmRule) -> String {
    format!(
        "arn:aws:cloudwatch:{}:{}:alarm:{}",
        rule.region, scene.account, rule.name
    )
}
