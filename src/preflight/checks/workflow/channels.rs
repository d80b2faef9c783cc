//! Encoding: MediaLive channels.

use std::collections::BTreeSet;
use std::rc::Rc;

use futures_util::future::join_all;

use super::{each, each_there, maintenance, shown};
use crate::cloud::media::{Channel, ChannelAlert, ChannelState, MediaInput};
use crate::event::phase::Phase;
use crate::preflight::{Check, Facts, Gap, Outcome, Severity, Verdict, asking};
use crate::runbook::Arn;

const NONE: &str = "the runbook names no channels";
const DESCRIBE: &str = "medialive.DescribeChannel";

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "workflow.channel-running",
        title: "every MediaLive channel runs",
        severity: Severity::Error,
        from: Phase::Rehearsal,
        source: DESCRIBE,
        run: asking!(running),
    },
    Check {
        id: "workflow.channel-pipelines",
        title: "every channel runs both pipelines on an active input",
        severity: Severity::Error,
        from: Phase::Rehearsal,
        source: DESCRIBE,
        run: asking!(pipelines),
    },
    Check {
        id: "workflow.channel-alerts",
        title: "no channel has an alert",
        severity: Severity::Error,
        from: Phase::Rehearsal,
        source: "medialive.ListAlerts",
        run: asking!(alerts),
    },
    Check {
        id: "workflow.channel-inputs",
        title: "the channels' inputs are attached, for both pipelines",
        severity: Severity::Error,
        from: Phase::Setup,
        source: "medialive.DescribeInput",
        run: asking!(inputs),
    },
    Check {
        id: "workflow.channel-locking",
        title: "regions cut the same segments: epoch locking and a shared timecode",
        severity: Severity::Error,
        from: Phase::Setup,
        source: "medialive.DescribeChannel; MediaLive guide, output locking",
        run: asking!(locking),
    },
    Check {
        id: "workflow.channel-outputs",
        title: "the channels feed every packaging channel, by CMAF ingest",
        severity: Severity::Error,
        from: Phase::Setup,
        source: DESCRIBE,
        run: asking!(outputs),
    },
    Check {
        id: "workflow.channel-maintenance",
        title: "no channel is restarted for maintenance during the event",
        severity: Severity::Error,
        from: Phase::Setup,
        source: DESCRIBE,
        run: asking!(window),
    },
    Check {
        id: "workflow.channel-logs",
        title: "the channels write logs",
        severity: Severity::Warning,
        from: Phase::Setup,
        source: DESCRIBE,
        run: asking!(logs),
    },
];

/// Reads a channel, once a run.
async fn channel(facts: &Facts<'_>, arn: &Arn) -> Result<Rc<Channel>, Gap> {
    let arn = arn.clone();
    let key = arn.0.clone();
    facts
        .read(DESCRIBE, &key, |cloud| async move {
            cloud.media_channel(&arn).await
        })
        .await
}

async fn judged(facts: &Facts<'_>, judge: impl Fn(&Arn, &Channel) -> Verdict) -> Outcome {
    let channels = &facts.runbook.workflow.channels;
    each(facts, channels, channel, judge, NONE).await
}

/// The channel in words: its name and id.
fn named(channel: &Channel) -> String {
    format!("{} ({})", shown(&channel.name), shown(&channel.id))
}

async fn running(facts: &Facts<'_>) -> Outcome {
    let channels = &facts.runbook.workflow.channels;
    let judge = |arn: &Arn, channel: &Channel| {
        let name = named(channel);
        let state = shown(channel.state.word());
        if channel.state == ChannelState::Running {
            return Verdict::pass(format!("{name} is RUNNING"));
        }
        Verdict::fail(
            format!("{name} is {state}"),
            format!(
                "aws medialive start-channel --channel-id {} --region {}",
                arn.id(),
                arn.region()
            ),
        )
    };
    let section = "workflow.channels";
    each_there(facts, channels, channel, judge, NONE, section).await
}

async fn pipelines(facts: &Facts<'_>) -> Outcome {
    judged(facts, |_, channel| {
        let name = named(channel);
        if channel.standard == Some(false) {
            return Verdict::fail(
                format!("{name} has one pipeline: nothing takes over when it fails"),
                format!(
                    "aws medialive update-channel-class --channel-class STANDARD --channel-id {}",
                    shown(&channel.id)
                ),
            );
        }
        if channel.state != ChannelState::Running {
            return Verdict::not_applicable(format!("{name} does not run"));
        }
        let count = channel.pipelines_running;
        if count < 2 {
            return Verdict::fail(
                format!("{name} runs {count} of 2 pipelines"),
                format!(
                    "aws medialive restart-channel-pipelines --channel-id {}",
                    shown(&channel.id)
                ),
            );
        }
        let without: Vec<String> = channel
            .pipelines
            .iter()
            .filter(|(_, input)| input.is_none())
            .map(|(id, _)| shown(id))
            .collect();
        if without.is_empty() {
            Verdict::pass(format!("{name}: {count} pipelines"))
        } else {
            Verdict::fail(
                format!(
                    "{name}: pipeline {} has no active input",
                    without.join(" and ")
                ),
                "look at the channel's schedule and input attachments",
            )
        }
    })
    .await
}

async fn alerts(facts: &Facts<'_>) -> Outcome {
    let read = async |facts: &Facts<'_>, arn: &Arn| {
        let channel = channel(facts, arn).await?;
        if channel.state != ChannelState::Running {
            return Err(Gap::Absent(format!("{} does not run", named(&channel))));
        }
        let arn = arn.clone();
        let key = arn.0.clone();
        facts
            .read("medialive.ListAlerts", &key, |cloud| async move {
                cloud.media_channel_alerts(&arn).await
            })
            .await
    };
    let judge = |arn: &Arn, alerts: &Vec<ChannelAlert>| {
        let id = arn.id();
        if alerts.is_empty() {
            return Verdict::pass(format!("{id}: none set"));
        }
        let texts: Vec<String> = alerts
            .iter()
            .map(|alert| {
                let pipeline = alert
                    .pipeline
                    .as_deref()
                    .map_or_else(String::new, |one| format!(" (pipeline {})", shown(one)));
                format!(
                    "{}{pipeline}: {}",
                    shown(&alert.kind),
                    shown(&alert.message)
                )
            })
            .collect();
        Verdict::fail(
            format!("{id}: {}", texts.join(", ")),
            format!("aws medialive list-alerts --state-filter SET --channel-id {id}"),
        )
    };
    each(facts, &facts.runbook.workflow.channels, read, judge, NONE).await
}

async fn inputs(facts: &Facts<'_>) -> Outcome {
    let verdicts = facts.runbook.workflow.channels.iter().map(async |arn| {
        let channel = match channel(facts, arn).await {
            Ok(channel) => channel,
            Err(gap) => return vec![gap.into()],
        };
        if channel.inputs.is_empty() {
            return vec![Verdict::fail(
                format!("{} has no input", named(&channel)),
                "attach an input to the channel",
            )];
        }
        let ids: BTreeSet<&String> = channel
            .inputs
            .iter()
            .flat_map(|input| [Some(&input.id), input.secondary.as_ref()])
            .flatten()
            .collect();
        join_all(
            ids.into_iter()
                .map(async |id| match input(facts, arn.region(), id).await {
                    Ok(input) => judge_input(facts, &channel, &input),
                    Err(Gap::Absent(why)) => Verdict::fail(why, "attach an input that is there"),
                    Err(gap) => gap.into(),
                }),
        )
        .await
    });
    let verdicts = join_all(verdicts).await.into_iter().flatten();
    Ok(Verdict::across(verdicts, NONE))
}

async fn input(facts: &Facts<'_>, region: &str, id: &str) -> Result<Rc<MediaInput>, Gap> {
    let (region, id) = (region.to_owned(), id.to_owned());
    let key = format!("{region}/{id}");
    facts
        .read("medialive.DescribeInput", &key, |cloud| async move {
            cloud.media_input(&region, &id).await
        })
        .await
}

fn judge_input(facts: &Facts<'_>, channel: &Channel, input: &MediaInput) -> Verdict {
    let name = format!("{}: input {}", named(channel), shown(&input.name));
    if input.state != "ATTACHED" {
        return Verdict::fail(
            format!("{name} is {}", shown(&input.state)),
            "attach the input to the channel",
        );
    }
    if channel.standard == Some(true) && input.standard == Some(false) {
        return Verdict::fail(
            format!("{name} feeds one pipeline alone"),
            "make the input of class STANDARD, with two sources",
        );
    }
    let known = &facts.runbook.workflow.flows;
    let strange = input
        .flows
        .iter()
        .find(|flow| !known.is_empty() && known.iter().all(|one| one.arn.0 != **flow));
    if let Some(flow) = strange {
        return Verdict::fail(
            format!(
                "{name} takes flow {}, which is not of this event",
                shown(flow)
            ),
            "name the flow in workflow.flows of the runbook, or attach the right one",
        );
    }
    Verdict::pass(format!("{name}, {}", shown(&input.kind)))
}

/// Regions that package the event.
fn regions(facts: &Facts<'_>) -> BTreeSet<String> {
    let endpoints = &facts.runbook.workflow.endpoints;
    endpoints
        .iter()
        .map(|arn| arn.region().to_owned())
        .collect()
}

async fn locking(facts: &Facts<'_>) -> Outcome {
    let (regions, channels) = (regions(facts).len(), facts.runbook.workflow.channels.len());
    if regions < 2 && channels < 2 {
        return Ok(Verdict::not_applicable("one channel and one region"));
    }
    judged(facts, |_, channel| {
        let name = named(channel);
        let locking = channel.locking.as_deref();
        if locking != Some("EPOCH_LOCKING") {
            let found = locking.map_or_else(|| "the default locking".to_owned(), shown);
            return Verdict::fail(
                format!("{name} uses {found}: segments of two regions do not match"),
                "set OutputLockingMode to EPOCH_LOCKING in the channel's GlobalConfiguration",
            );
        }
        let timecode = channel.timecode.as_deref().unwrap_or("none");
        if matches!(timecode, "EMBEDDED" | "SYSTEMCLOCK") {
            Verdict::pass(format!("{name}: epoch locking, timecode {timecode}"))
        } else {
            Verdict::fail(
                format!("{name} counts time from zero: epoch locking needs the time of day"),
                "set TimecodeConfig.Source to EMBEDDED or SYSTEMCLOCK",
            )
        }
    })
    .await
}

async fn outputs(facts: &Facts<'_>) -> Outcome {
    let endpoints = &facts.runbook.workflow.endpoints;
    if endpoints.is_empty() {
        return Ok(Verdict::not_applicable("the runbook names no endpoints"));
    }
    let channels = &facts.runbook.workflow.channels;
    if channels.is_empty() {
        return Ok(Verdict::not_applicable(NONE));
    }
    let read = join_all(
        channels
            .iter()
            .map(async |arn| (arn, channel(facts, arn).await)),
    )
    .await;
    let mut verdicts: Vec<Verdict> = Vec::new();
    let mut fed: BTreeSet<(String, String, String)> = BTreeSet::new();
    for (arn, channel) in read {
        let channel = match channel {
            Ok(channel) => channel,
            Err(gap) => {
                verdicts.push(gap.into());
                continue;
            }
        };
        let name = named(&channel);
        if channel.cmaf_groups.is_empty() {
            verdicts.push(Verdict::fail(
                format!(
                    "{name}: none of its {} output groups sends CMAF ingest",
                    channel.output_groups
                ),
                "add a CMAF ingest output group for MediaPackage v2",
            ));
        } else {
            verdicts.push(Verdict::pass(format!(
                "{name}: {} CMAF ingest groups",
                channel.cmaf_groups.len()
            )));
        }
        for one in &channel.packagers {
            let region = one.region.as_deref().unwrap_or_else(|| arn.region());
            fed.insert((region.to_owned(), one.group.clone(), one.channel.clone()));
        }
    }
    // Destinations by URL name no channel; then there is nothing to compare.
    if !fed.is_empty() {
        for endpoint in endpoints {
            let parts: Vec<&str> = endpoint.resource().split('/').collect();
            let [_, group, _, channel, ..] = parts[..] else {
                continue;
            };
            let key = (
                endpoint.region().to_owned(),
                group.to_owned(),
                channel.to_owned(),
            );
            if !fed.contains(&key) {
                verdicts.push(Verdict::fail(
                    format!(
                        "no channel feeds {group}/{channel} in {}",
                        endpoint.region()
                    ),
                    "add that MediaPackage channel to the destinations of a MediaLive channel",
                ));
            }
        }
    }
    Ok(Verdict::across(verdicts, NONE))
}

async fn window(facts: &Facts<'_>) -> Outcome {
    judged(facts, |arn, channel| {
        let fix = format!(
            "aws medialive update-channel --channel-id {} --maintenance MaintenanceDay=…,MaintenanceStartTime=…",
            arn.id()
        );
        maintenance(facts, &named(channel), channel.maintenance.as_ref(), &fix)
    })
    .await
}

async fn logs(facts: &Facts<'_>) -> Outcome {
    judged(facts, |arn, channel| {
        let name = named(channel);
        match channel.log_level.as_deref() {
            Some("DISABLED") | None => Verdict::fail(
                format!("{name} writes no logs"),
                format!(
                    "aws medialive update-channel --channel-id {} --log-level WARNING",
                    arn.id()
                ),
            ),
            Some(level) => Verdict::pass(format!("{name}: {}", shown(level))),
        }
    })
    .await
}
