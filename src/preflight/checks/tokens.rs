//! The edge function and its key value store.

use crate::cloud::FunctionStage;
use crate::event::phase::Phase;
use crate::preflight::reads::sampled;
use crate::preflight::{Check, Facts, Gap, Outcome, Severity, Verdict, asking};
use crate::runbook::Tokens;

/// Bytes of a function's code (CloudFront Developer Guide, "Quotas on CloudFront Functions").
const MOST_CODE: usize = 10_240;
/// Bytes of a key value store.
const MOST_STORE: u64 = 5_000_000;
/// Bytes of one revocation: the event's id, a claim, a value or a digest, and ten digits. The store's
/// own overhead per item is not documented.
const REVOCATION: u64 = 120;

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "function.live",
        title: "the edge function is published",
        severity: Severity::Error,
        from: Phase::Setup,
        source: "cloudfront.DescribeFunction, stage LIVE",
        run: asking!(live),
    },
    Check {
        id: "function.published",
        title: "what is published is what was written last",
        severity: Severity::Error,
        from: Phase::Rehearsal,
        source: "cloudfront.GetFunction, both stages",
        run: asking!(published),
    },
    Check {
        id: "function.associated",
        title: "the function sees every request for a sample path",
        severity: Severity::Error,
        from: Phase::Setup,
        source: "cloudfront.GetDistributionConfig",
        run: asking!(associated),
    },
    Check {
        id: "function.store",
        title: "the function reads the event's key value store",
        severity: Severity::Error,
        from: Phase::Setup,
        source: "cloudfront.DescribeFunction, stage LIVE",
        run: asking!(store),
    },
    Check {
        id: "function.runtime",
        title: "the function runs on runtime 2.0",
        severity: Severity::Error,
        from: Phase::Setup,
        source: "cloudfront.DescribeFunction; key value stores need cloudfront-js-2.0",
        run: asking!(runtime),
    },
    Check {
        id: "function.size",
        title: "the function's code is within 10 KB",
        severity: Severity::Error,
        from: Phase::Setup,
        source: "cloudfront.GetFunction",
        run: asking!(size),
    },
    Check {
        id: "tokens.store",
        title: "the key value store is there and ready",
        severity: Severity::Error,
        from: Phase::Setup,
        source: "cloudfront.ListKeyValueStores",
        run: asking!(ready),
    },
    Check {
        id: "tokens.store-space",
        title: "the store has room for the revocations of the forecast",
        severity: Severity::Error,
        from: Phase::Setup,
        source: "cloudfront-keyvaluestore.DescribeKeyValueStore; 5 MB",
        run: asking!(space),
    },
];

pub(super) fn section<'f>(facts: &'f Facts<'_>) -> Result<&'f Tokens, Gap> {
    facts
        .runbook
        .tokens
        .as_ref()
        .ok_or_else(|| Gap::Absent("the runbook has no [tokens]".to_owned()))
}

async fn live(facts: &Facts<'_>) -> Outcome {
    let tokens = section(facts)?;
    match facts.stage(&tokens.function, FunctionStage::Live).await {
        Ok(stage) => Ok(Verdict::pass(format!(
            "{}{}",
            tokens.function,
            stage
                .value
                .modified
                .map(|at| format!(" of {at}"))
                .unwrap_or_default()
        ))),
        Err(Gap::Absent(_)) => Ok(Verdict::fail(
            format!("function {} is not published", tokens.function),
            "onair provision",
        )),
        Err(gap) => Err(gap),
    }
}

async fn published(facts: &Facts<'_>) -> Outcome {
    let tokens = section(facts)?;
    let live = facts.code(&tokens.function, FunctionStage::Live).await?;
    let development = facts
        .code(&tokens.function, FunctionStage::Development)
        .await?;
    Ok(if live == development {
        Verdict::pass("both stages are equal")
    } else {
        Verdict::fail(
            format!("{} was changed and not published", tokens.function),
            "onair provision",
        )
    })
}

async fn associated(facts: &Facts<'_>) -> Outcome {
    let tokens = section(facts)?;
    facts
        .each_distribution(|one, view| async move {
            let verdicts = sampled(one, &view).into_iter().map(|(kind, _, behavior)| {
                let found = behavior
                    .viewer_request()
                    .map(|arn| arn.rsplit('/').next().unwrap_or(arn));
                match found {
                    Some(name) if name == tokens.function => {
                        Verdict::pass(format!("{} by {}", kind.word(), behavior.name()))
                    }
                    Some(other) => Verdict::fail(
                        format!("{} runs {other}", behavior.name()),
                        format!(
                            "change behavior {} of {}: viewer-request = {}",
                            behavior.name(),
                            one.id,
                            tokens.function
                        ),
                    ),
                    None => Verdict::fail(
                        format!("{} runs no function", behavior.name()),
                        "onair provision",
                    ),
                }
            });
            Ok(Verdict::across(verdicts, "no sample paths"))
        })
        .await
}

async fn store(facts: &Facts<'_>) -> Outcome {
    let tokens = section(facts)?;
    let stage = facts.stage(&tokens.function, FunctionStage::Live).await?;
    let store = facts.store().await?;
    Ok(if stage.value.stores.contains(&store.arn) {
        Verdict::pass(store.name)
    } else {
        let has = stage.value.stores.first().map_or("none", String::as_str);
        Verdict::fail(
            format!("{} reads {has}, not {}", tokens.function, store.name),
            "onair provision",
        )
    })
}

async fn runtime(facts: &Facts<'_>) -> Outcome {
    let tokens = section(facts)?;
    let stage = facts.stage(&tokens.function, FunctionStage::Live).await?;
    Ok(if stage.value.runtime == "cloudfront-js-2.0" {
        Verdict::pass(stage.value.runtime.clone())
    } else {
        Verdict::fail(stage.value.runtime.clone(), "onair provision")
    })
}

async fn size(facts: &Facts<'_>) -> Outcome {
    let tokens = section(facts)?;
    let code = facts
        .code(&tokens.function, FunctionStage::Live)
        .await?
        .len();
    Ok(if code <= MOST_CODE {
        Verdict::pass(format!("{code} of {MOST_CODE} bytes"))
    } else {
        Verdict::fail(
            format!("{code} bytes; {MOST_CODE} are allowed"),
            "take claims or states out of [tokens.gate] and [geo] in the runbook",
        )
    })
}

async fn ready(facts: &Facts<'_>) -> Outcome {
    section(facts)?;
    match facts.store().await {
        Ok(store) if store.status == "READY" => Ok(Verdict::pass(store.name)),
        Ok(store) => Ok(Verdict::fail(
            format!("{} is {}", store.name, store.status),
            "wait until it is READY, then run `onair preflight` again",
        )),
        Err(Gap::Absent(why)) => Ok(Verdict::fail(why, "onair provision")),
        Err(gap) => Err(gap),
    }
}

async fn space(facts: &Facts<'_>) -> Outcome {
    section(facts)?;
    let summary = facts.store().await?;
    let arn = summary.arn.clone();
    let store = facts
        .read(
            "cloudfront-keyvaluestore.DescribeKeyValueStore",
            &summary.arn,
            |cloud| async move { cloud.store(&arn).await },
        )
        .await?;
    let forecast = facts.runbook.forecast.as_ref();
    let expected = forecast.map_or(0, |forecast| forecast.revocations) * REVOCATION;
    let used = store.value.bytes;
    let words = format!("{used} of {MOST_STORE} bytes used, about {expected} expected");
    Ok(if used + expected <= MOST_STORE {
        Verdict::pass(words)
    } else {
        Verdict::fail(
            words,
            "onair tend --once, and forecast.revocations in the runbook",
        )
    })
}
