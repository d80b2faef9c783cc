//! Contribution: MediaConnect flows.

use std::rc::Rc;

use super::{each, each_there, maintenance, shown};
use crate::cloud::media::{FlowContent, FlowSource, FlowStatus, MediaFlow};
use crate::event::phase::Phase;
use crate::preflight::{Check, Facts, Gap, Outcome, Severity, Verdict, asking};
use crate::runbook::{Arn, Flow};

const NONE: &str = "the runbook names no flows";
const DESCRIBE: &str = "mediaconnect.DescribeFlow";
/// Seconds that a flow's report of its content may be old; it is made every few seconds.
const CONTENT_AGE: i64 = 120;

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "workflow.flow-active",
        title: "every MediaConnect flow runs without errors",
        severity: Severity::Error,
        from: Phase::Rehearsal,
        source: DESCRIBE,
        run: asking!(active),
    },
    Check {
        id: "workflow.flow-sources",
        title: "every source of the flows is there and connected",
        severity: Severity::Error,
        from: Phase::Rehearsal,
        source: DESCRIBE,
        run: asking!(sources),
    },
    Check {
        id: "workflow.flow-failover",
        title: "a flow with two sources survives the loss of one",
        severity: Severity::Error,
        from: Phase::Setup,
        source: DESCRIBE,
        run: asking!(failover),
    },
    Check {
        id: "workflow.flow-encryption",
        title: "the contribution is encrypted",
        severity: Severity::Error,
        from: Phase::Setup,
        source: DESCRIBE,
        run: asking!(encryption),
    },
    Check {
        id: "workflow.flow-latency",
        title: "the SRT latency leaves time to send lost packets again",
        severity: Severity::Error,
        from: Phase::Setup,
        source: "mediaconnect.DescribeFlow; min-latency of the runbook",
        run: asking!(latency),
    },
    Check {
        id: "workflow.flow-senders",
        title: "nobody but the sender may feed a flow",
        severity: Severity::Warning,
        from: Phase::Setup,
        source: DESCRIBE,
        run: asking!(senders),
    },
    Check {
        id: "workflow.flow-content",
        title: "the flows carry video and audio",
        severity: Severity::Error,
        from: Phase::Rehearsal,
        source: "mediaconnect.DescribeFlowSourceMetadata",
        run: asking!(content),
    },
    Check {
        id: "workflow.flow-maintenance",
        title: "no flow is restarted for maintenance during the event",
        severity: Severity::Error,
        from: Phase::Setup,
        source: DESCRIBE,
        run: asking!(window),
    },
];

/// Reads a flow, once a run.
pub(super) async fn flow(facts: &Facts<'_>, arn: &Arn) -> Result<Rc<MediaFlow>, Gap> {
    let arn = arn.clone();
    let key = arn.0.clone();
    facts
        .read(DESCRIBE, &key, |cloud| async move {
            cloud.media_flow(&arn).await
        })
        .await
}

async fn judged(facts: &Facts<'_>, judge: impl Fn(&Flow, &MediaFlow) -> Verdict) -> Outcome {
    let flows = &facts.runbook.workflow.flows;
    let arns = flows.iter().map(|flow| &flow.arn);
    let judge = |arn: &Arn, read: &MediaFlow| {
        let meant = flows.iter().find(|flow| flow.arn == *arn);
        judge(meant.expect("it was asked for by the runbook's list"), read)
    };
    each(facts, arns, flow, judge, NONE).await
}

async fn active(facts: &Facts<'_>) -> Outcome {
    let flows = &facts.runbook.workflow.flows;
    let arns = flows.iter().map(|flow| &flow.arn);
    let judge = |_: &Arn, flow: &MediaFlow| {
        let name = shown(&flow.name);
        let arn = &flow.arn;
        if flow.status != FlowStatus::Active {
            let status = shown(flow.status.word());
            return Verdict::fail(
                format!("{name} is {status}"),
                format!("aws mediaconnect start-flow --flow-arn {}", shown(arn)),
            );
        }
        if let Some(error) = flow.errors.first() {
            return Verdict::fail(
                format!("{name} reports: {}", shown(error)),
                format!("aws mediaconnect describe-flow --flow-arn {}", shown(arn)),
            );
        }
        Verdict::pass(format!("{name} is ACTIVE, {} outputs", flow.outputs))
    };
    each_there(facts, arns, flow, judge, NONE, "workflow.flows").await
}

async fn sources(facts: &Facts<'_>) -> Outcome {
    judged(facts, judge_sources).await
}

fn judge_sources(meant: &Flow, flow: &MediaFlow) -> Verdict {
    let name = shown(&flow.name);
    let (found, wanted) = (flow.sources.len(), meant.sources as usize);
    if found < wanted {
        return Verdict::fail(
            format!("{name} has {found} of {wanted} sources"),
            format!(
                "aws mediaconnect add-flow-sources --flow-arn {}",
                shown(&flow.arn)
            ),
        );
    }
    if flow.status != FlowStatus::Active {
        return Verdict::not_applicable(format!("{name} does not run"));
    }
    // The sender's address is told for these protocols alone.
    let silent: Vec<String> = flow
        .sources
        .iter()
        .filter(|source| tells_peer(source) && source.peer.is_none())
        .map(|source| shown(&source.name))
        .collect();
    if silent.is_empty() {
        Verdict::pass(format!("{name}: {found} sources"))
    } else {
        Verdict::fail(
            format!("{name}: nobody sends to {}", silent.join(" and ")),
            "start the encoder on site, and check its address and passphrase",
        )
    }
}

fn tells_peer(source: &FlowSource) -> bool {
    matches!(
        source.protocol.as_deref(),
        Some("srt-listener" | "srt-caller" | "rist")
    )
}

async fn failover(facts: &Facts<'_>) -> Outcome {
    judged(facts, |meant, flow| {
        let name = shown(&flow.name);
        if meant.sources < 2 && flow.sources.len() < 2 {
            return Verdict::not_applicable(format!("{name} is meant to have one source"));
        }
        match &flow.failover {
            Some(failover) if failover.enabled => {
                let mode = failover.mode.as_deref().map_or_else(String::new, shown);
                Verdict::pass(format!("{name}: {mode}"))
            }
            _ => Verdict::fail(
                format!("{name} does not fail over between its sources"),
                format!(
                    "aws mediaconnect update-flow --flow-arn {} --source-failover-config State=ENABLED,FailoverMode=MERGE",
                    shown(&flow.arn)
                ),
            ),
        }
    })
    .await
}

async fn encryption(facts: &Facts<'_>) -> Outcome {
    judged(facts, |meant, flow| {
        let name = shown(&flow.name);
        if !meant.encrypted {
            return Verdict::not_applicable(format!("{name} need not be encrypted"));
        }
        let open: Vec<String> = flow
            .sources
            .iter()
            .filter(|source| !source.encrypted)
            .map(|source| shown(&source.name))
            .collect();
        if open.is_empty() {
            Verdict::pass(format!("{name}: all sources"))
        } else {
            Verdict::fail(
                format!("{name} takes {} unencrypted", open.join(" and ")),
                format!(
                    "aws mediaconnect update-flow-source --flow-arn {} with a Decryption, or encrypted = false in the runbook",
                    shown(&flow.arn)
                ),
            )
        }
    })
    .await
}

async fn latency(facts: &Facts<'_>) -> Outcome {
    judged(facts, |meant, flow| {
        let name = shown(&flow.name);
        let Some(least) = meant.min_latency_ms else {
            return Verdict::not_applicable(format!("the runbook asks for no latency of {name}"));
        };
        let known: Vec<(&FlowSource, u32)> = flow
            .sources
            .iter()
            .filter_map(|source| Some((source, source.min_latency_ms?)))
            .collect();
        let Some(lowest) = known.iter().map(|(_, latency)| *latency).min() else {
            return Verdict::not_applicable(format!("{name} has no source with a latency"));
        };
        if lowest >= least {
            return Verdict::pass(format!("{name}: {lowest} ms, at least {least} ms"));
        }
        let low: Vec<String> = known
            .iter()
            .filter(|(_, latency)| *latency < least)
            .map(|(source, latency)| format!("{} {latency} ms", shown(&source.name)))
            .collect();
        Verdict::fail(
            format!("{name}: {}, and {least} ms are needed", low.join(", ")),
            format!("aws mediaconnect update-flow-source --min-latency {least}"),
        )
    })
    .await
}

async fn senders(facts: &Facts<'_>) -> Outcome {
    judged(facts, |_, flow| {
        let name = shown(&flow.name);
        let open: Vec<String> = flow
            .sources
            .iter()
            .filter(|source| {
                source
                    .allowed
                    .iter()
                    .any(|cidr| cidr == "0.0.0.0/0" || cidr == "::/0")
            })
            .map(|source| shown(&source.name))
            .collect();
        if open.is_empty() {
            Verdict::pass(format!("{name}: senders are limited"))
        } else {
            Verdict::fail(
                format!("{name} takes {} from any address", open.join(" and ")),
                "aws mediaconnect update-flow-source --whitelist-cidr with the sender's network",
            )
        }
    })
    .await
}

async fn content(facts: &Facts<'_>) -> Outcome {
    let flows = &facts.runbook.workflow.flows;
    let arns: Vec<&Arn> = flows.iter().map(|flow| &flow.arn).collect();
    let read = async |facts: &Facts<'_>, arn: &Arn| {
        let described = flow(facts, arn).await?;
        if described.status != FlowStatus::Active {
            // A flow at rest carries nothing, which another check says.
            return Err(Gap::Absent(format!(
                "{} does not run",
                shown(&described.name)
            )));
        }
        let arn = arn.clone();
        let key = arn.0.clone();
        facts
            .read(
                "mediaconnect.DescribeFlowSourceMetadata",
                &key,
                |cloud| async move { cloud.media_flow_content(&arn).await },
            )
            .await
    };
    let now = facts.now;
    let judge = |arn: &Arn, content: &FlowContent| judge_content(arn.id(), content, now);
    each(facts, arns, read, judge, NONE).await
}

fn judge_content(name: &str, content: &FlowContent, now: jiff::Timestamp) -> Verdict {
    let name = shown(name);
    let fix = "look at the encoder on site and its outputs";
    if let Some(message) = content.messages.first() {
        return Verdict::fail(format!("{name}: {}", shown(message)), fix);
    }
    let has = |kind: &str| {
        let mut streams = content.streams.iter();
        streams.any(|(found, _)| found.eq_ignore_ascii_case(kind))
    };
    for kind in ["video", "audio"] {
        if !has(kind) {
            return Verdict::fail(format!("{name} carries no {kind}"), fix);
        }
    }
    if let Some(at) = content.at {
        let age = now.duration_since(at).as_secs();
        if age > CONTENT_AGE {
            return Verdict::fail(format!("{name}: the last look at it is {age} s old"), fix);
        }
    }
    let codecs: Vec<String> = content
        .streams
        .iter()
        .filter_map(|(_, codec)| codec.as_deref().map(shown))
        .collect();
    Verdict::pass(format!("{name}: {}", codecs.join(", ")))
}

async fn window(facts: &Facts<'_>) -> Outcome {
    judged(facts, |_, flow| {
        let fix = format!(
            "aws mediaconnect update-flow --flow-arn {} --maintenance MaintenanceDay=…,MaintenanceStartHour=…",
            shown(&flow.arn)
        );
        maintenance(facts, &shown(&flow.name), flow.maintenance.as_ref(), &fix)
    })
    .await
}
