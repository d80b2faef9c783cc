//! The Kinesis stream that the real-time logs go to, with as many shards as the forecast needs.

use std::time::Duration;

use async_trait::async_trait;

use super::{gone, is_marked, made, not_now, tags, there, words};
use crate::cloud::{Approved, CloudError, Stream, Tags};
use crate::plan::shards;
use crate::provision::{
    Action, Difference, Done, Owned, Part, PartError, Scene, Stage, Step, fingerprint,
};
use crate::runbook::RealtimeLogs;

const KIND: &str = "stream";

/// Between two looks at a stream that is not active yet.
const POLL: Duration = Duration::from_secs(2);

pub(super) struct StreamPart;

/// A stream and its tags.
struct Observed {
    stream: Stream,
    tags: Tags,
}

#[async_trait(?Send)]
impl Part for StreamPart {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn stage(&self) -> Stage {
        Stage::Ground
    }

    async fn plan(&self, scene: &Scene<'_>) -> Result<Vec<Step>, PartError> {
        let Some(logs) = &scene.runbook.logs.realtime else {
            return Ok(Vec::new());
        };
        let observed = observe(scene, logs).await?;
        Ok(vec![step(scene, logs, observed.as_ref())])
    }

    async fn carry_out(
        &self,
        scene: &Scene<'_>,
        planned: &Step,
        approved: &Approved,
    ) -> Result<Done, PartError> {
        let Some(logs) = &scene.runbook.logs.realtime else {
            return Ok(Done::unchanged());
        };
        let (cloud, region, name) = (scene.cloud, logs.region.as_str(), logs.stream.as_str());
        let observed = observe(scene, logs).await?;
        let now = step(scene, logs, observed.as_ref());
        match (now.action, observed) {
            (Action::Keep, _) => Ok(Done::unchanged()),
            (Action::Refused, _) => Err(not_now(&now)),
            (_, Some(observed)) => {
                scene.check_unmoved(planned, &now.fingerprint, || words(&now))?;
                let mut writes = 0;
                if !is_marked(scene, &observed.tags) {
                    cloud
                        .tag_stream(approved, region, name, &tags(scene))
                        .await?;
                    writes += 1;
                }
                writes += grow(scene, logs, &observed.stream, approved).await?;
                Ok(Done::changed(writes))
            }
            (_, None) => {
                wait_gone(scene, logs).await?;
                let shards = wanted(scene, logs);
                cloud
                    .create_stream(approved, region, name, shards, &tags(scene))
                    .await?;
                let stream = wait_active(scene, logs).await?;
                Ok(Done::made(1, made(scene, planned, Some(stream.arn))))
            }
        }
    }

    async fn owned(&self, scene: &Scene<'_>) -> Result<Vec<Owned>, PartError> {
        let mut regions = vec!["us-east-1"];
        if let Some(logs) = &scene.runbook.logs.realtime {
            regions = vec![logs.region.as_str()];
        }
        let mut owned = Vec::new();
        for region in regions {
            let prefix = scene.prefix();
            let asked = scene.runbook.logs.realtime.as_ref();
            for name in scene.cloud.streams(region).await? {
                if !name.starts_with(&prefix) && asked.is_none_or(|logs| logs.stream != name) {
                    continue;
                }
                let Some(stream) = there(scene.cloud.stream(region, &name).await)? else {
                    continue;
                };
                if stream.status == "DELETING" {
                    continue;
                }
                let Some(tags) = there(scene.cloud.stream_tags(region, &name).await)? else {
                    continue;
                };
                let is_marked = is_marked(scene, &tags);
                if is_marked || scene.claims(KIND, &name) {
                    owned.push(
                        Owned::new(KIND, name, is_marked)
                            .with_id(&stream.arn)
                            .costing(costs(&stream)),
                    );
                }
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
        let region = owned
            .id
            .as_deref()
            .and_then(|arn| arn.split(':').nth(3))
            .unwrap_or("us-east-1");
        gone(
            scene
                .cloud
                .delete_stream(approved, region, &owned.name)
                .await,
        )?;
        Ok(())
    }
}

async fn observe(scene: &Scene<'_>, logs: &RealtimeLogs) -> Result<Option<Observed>, CloudError> {
    let found = there(scene.cloud.stream(&logs.region, &logs.stream).await)?;
    // What is being deleted is as good as gone; a new one of its name comes when it is.
    let Some(stream) = found.filter(|stream| stream.status != "DELETING") else {
        return Ok(None);
    };
    let tags = there(scene.cloud.stream_tags(&logs.region, &logs.stream).await)?;
    Ok(Some(Observed {
        stream,
        tags: tags.unwrap_or_default(),
    }))
}

/// The shards that the forecast asks for; none without a forecast: capacity on demand.
fn wanted(scene: &Scene<'_>, logs: &RealtimeLogs) -> Option<u32> {
    let forecast = scene.runbook.forecast.as_ref()?;
    Some(shards::needed(forecast, logs))
}

fn step(scene: &Scene<'_>, logs: &RealtimeLogs, observed: Option<&Observed>) -> Step {
    let wanted = wanted(scene, logs);
    let name = logs.stream.as_str();
    let Some(Observed { stream, tags }) = observed else {
        return Step::create(KIND, name)
            .noting(match wanted {
                Some(shards) => format!("{shards} shards in {}, from the forecast", logs.region),
                None => format!("on demand in {}: the runbook has no forecast", logs.region),
            })
            .costing(match wanted {
                Some(shards) => format!("{shards} shard hours an hour"),
                None => "stream hours and data written".to_owned(),
            });
    };
    let is_marked = is_marked(scene, tags);
    let is_ours = is_marked || scene.claims(KIND, name);
    let lacks = wanted.filter(|wanted| stream.on_demand || stream.open_shards < *wanted);
    let mut changes = Vec::new();
    if is_ours {
        if !is_marked {
            changes.push(Difference::new("tags", None::<String>, Some(event(scene))));
        }
        if let Some(wanted) = lacks {
            changes.push(Difference::new(
                "capacity",
                Some(capacity(stream)),
                Some(format!("{wanted} shards")),
            ));
        }
    }
    let observed = format!("{}/{}/{tags:?}", stream.on_demand, stream.open_shards);
    let step = Step::existing(KIND, name, changes, fingerprint(observed)).costing(costs(stream));
    match (is_ours, lacks, wanted) {
        (false, Some(wanted), _) => step.noting(format!(
            "adopted with {}, and the forecast needs {wanted} shards: who made it must resize it, \
             or name another in [logs.realtime] stream",
            capacity(stream)
        )),
        (false, None, _) => step.noting("adopted: it was not made by onair"),
        (true, None, Some(wanted)) if stream.open_shards > wanted.saturating_mul(2) => {
            step.noting(format!(
                "more than twice the {wanted} shards that the forecast needs; onair takes none away"
            ))
        }
        _ => step,
    }
}

fn event(scene: &Scene<'_>) -> String {
    format!("onair:event={}", scene.event())
}

fn capacity(stream: &Stream) -> String {
    if stream.on_demand {
        "on demand".to_owned()
    } else {
        format!("{} shards", stream.open_shards)
    }
}

fn costs(stream: &Stream) -> String {
    if stream.on_demand {
        "stream hours and data written".to_owned()
    } else {
        format!("{} shard hours an hour", stream.open_shards)
    }
}

/// Gives a stream the shards that it lacks, doubling as often as it takes. Returns the writes.
async fn grow(
    scene: &Scene<'_>,
    logs: &RealtimeLogs,
    stream: &Stream,
    approved: &Approved,
) -> Result<u32, PartError> {
    let lacks =
        wanted(scene, logs).filter(|wanted| stream.on_demand || stream.open_shards < *wanted);
    let Some(wanted) = lacks else {
        return Ok(0);
    };
    let mut writes = 0;
    let mut stream = wait_active(scene, logs).await?;
    if stream.on_demand {
        scene
            .cloud
            .update_stream_mode(approved, &logs.region, &stream.arn, false)
            .await?;
        writes += 1;
        stream = wait_active(scene, logs).await?;
    }
    if stream.open_shards < wanted {
        for shards in shards::steps(stream.open_shards, wanted) {
            scene
                .cloud
                .update_shard_count(approved, &logs.region, &logs.stream, shards)
                .await?;
            writes += 1;
            wait_active(scene, logs).await?;
        }
    }
    Ok(writes)
}

async fn wait_active(scene: &Scene<'_>, logs: &RealtimeLogs) -> Result<Stream, PartError> {
    let mut found = None;
    let resource = format!("{KIND} {}", logs.stream);
    scene
        .wait_until(&resource, POLL, async || {
            let stream = scene.cloud.stream(&logs.region, &logs.stream).await?;
            let state = (!stream.is_active()).then(|| stream.status.clone());
            found = Some(stream);
            Ok(state)
        })
        .await?;
    Ok(found.expect("the wait ends well with a stream that is active"))
}

/// Waits until a stream of this name that is being deleted is gone.
async fn wait_gone(scene: &Scene<'_>, logs: &RealtimeLogs) -> Result<(), PartError> {
    let resource = format!("{KIND} {}", logs.stream);
    scene
        .wait_until(&resource, POLL, async || {
            let stream = there(scene.cloud.stream(&logs.region, &logs.stream).await)?;
            Ok(stream.map(|stream| stream.status))
        })
        .await
}
