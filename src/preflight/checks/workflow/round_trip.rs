//! Contribution over SRT: whether the latency of the sources holds the round trips that are measured.

use std::rc::Rc;

use jiff::SignedDuration;

use super::flows::flow;
use super::{each, shown};
use crate::cloud::media::{FlowStatus, MediaFlow};
use crate::cloud::metrics::{Metric, MetricQuery, MetricSource};
use crate::event::phase::Phase;
use crate::preflight::{Check, Facts, Gap, Outcome, Severity, Verdict, asking};
use crate::runbook::Arn;

const METRICS: &str = "cloudwatch.GetMetricData";
/// How far back the round trip is looked at.
const RECENT: SignedDuration = SignedDuration::from_mins(15);
const PERIOD_SECONDS: u32 = 60;
/// Round trips that a latency should hold, so that a lost packet can be asked for again more than once.
/// A rule of thumb of SRT's users; AWS gives none.
const ROUND_TRIPS: f64 = 4.0;

pub(super) const CHECKS: &[Check] = &[Check {
    id: "workflow.flow-round-trip",
    title: "the SRT latency holds four of the measured round trips",
    severity: Severity::Warning,
    from: Phase::Rehearsal,
    source: "cloudwatch.GetMetricData: SourceRoundTripTime of the last 15 minutes",
    run: asking!(round_trip),
}];

/// A flow and the longest round trip of its sources, where CloudWatch has one.
struct Measured {
    flow: Rc<MediaFlow>,
    longest: Option<f64>,
}

async fn round_trip(facts: &Facts<'_>) -> Outcome {
    let flows = &facts.runbook.workflow.flows;
    let arns = flows.iter().map(|flow| &flow.arn);
    let judge = |_: &Arn, measured: &Measured| judge(&measured.flow, measured.longest);
    each(facts, arns, measured, judge, "the runbook names no flows").await
}

async fn measured(facts: &Facts<'_>, arn: &Arn) -> Result<Rc<Measured>, Gap> {
    let flow = flow(facts, arn).await?;
    if flow.status != FlowStatus::Active {
        // A flow at rest measures nothing, which another check says.
        return Err(Gap::Absent(format!("{} does not run", shown(&flow.name))));
    }
    let query = MetricQuery {
        id: "round_trip".to_owned(),
        source: MetricSource::Statistic {
            metric: Metric::new(
                "AWS/MediaConnect",
                "SourceRoundTripTime",
                &[("FlowARN", arn.0.as_str())],
            ),
            statistic: "Maximum".to_owned(),
            period: PERIOD_SECONDS,
        },
        label: None,
        is_returned: true,
    };
    let region = arn.region().to_owned();
    let (from, to) = (facts.now.saturating_sub(RECENT), facts.now);
    let from = from.map_err(|error| Gap::Unknown(error.to_string()))?;
    let read = facts
        .read(METRICS, &arn.0, |cloud| async move {
            cloud.metric_data(Some(&region), &[query], from, to).await
        })
        .await?;
    let points = read.iter().flat_map(|series| &series.points);
    let longest = points
        .map(|(_, milliseconds)| *milliseconds)
        .max_by(f64::total_cmp);
    Ok(Rc::new(Measured { flow, longest }))
}

fn judge(flow: &MediaFlow, longest: Option<f64>) -> Verdict {
    let name = shown(&flow.name);
    let latencies = flow
        .sources
        .iter()
        .filter_map(|source| source.min_latency_ms);
    let Some(latency) = latencies.min() else {
        return Verdict::not_applicable(format!("{name} has no source with a latency"));
    };
    // CloudWatch has no zeros of what does not exist: nothing measured is nothing known, and no fault.
    let Some(longest) = longest.filter(|milliseconds| *milliseconds > 0.0) else {
        return Verdict::not_applicable(format!(
            "CloudWatch has no round trip of {name} in the last 15 min"
        ));
    };
    let needed = (longest * ROUND_TRIPS).ceil();
    let words = format!("{name}: {latency} ms, and a round trip takes up to {longest:.0} ms");
    if f64::from(latency) >= needed {
        Verdict::pass(words)
    } else {
        Verdict::fail(
            words,
            format!(
                "aws mediaconnect update-flow-source --min-latency {needed:.0}, and as much at the encoder"
            ),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::media::FlowSource;

    #[test]
    fn a_latency_holds_four_round_trips_or_more_is_asked_for() {
        let flow = |latency: Option<u32>| MediaFlow {
            arn: "arn".to_owned(),
            name: "stadium".to_owned(),
            status: FlowStatus::Active,
            sources: vec![FlowSource {
                arn: String::new(),
                name: "a".to_owned(),
                protocol: Some("srt-listener".to_owned()),
                min_latency_ms: latency,
                encrypted: true,
                allowed: Vec::new(),
                peer: None,
            }],
            failover: None,
            maintenance: None,
            errors: Vec::new(),
            outputs: 1,
        };
        let verdict = |latency, longest| judge(&flow(latency), longest);
        assert!(matches!(
            verdict(Some(400), Some(100.0)),
            Verdict::Pass { .. }
        ));
        match verdict(Some(399), Some(100.0)) {
            Verdict::Fail { fix, .. } => assert!(fix.contains("--min-latency 400,"), "{fix}"),
            other => panic!("{other:?}"),
        }
        for (latency, longest) in [
            (None, Some(100.0)),
            (Some(120), None),
            (Some(120), Some(0.0)),
        ] {
            let verdict = verdict(latency, longest);
            assert!(
                matches!(verdict, Verdict::NotApplicable { .. }),
                "{verdict:?}"
            );
        }
    }
}
