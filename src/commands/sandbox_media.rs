//! The live workflow that a fresh embedded cloud holds, made from a runbook: all that `[workflow]`
//! names, healthy, and what the distributions serve.

use crate::runbook::{Forecast, Runbook};
use crate::sandbox::media::{SeedFlow, SeedMedia};
use crate::sandbox::origin::{SeedRendition, SeedSite};

/// Of a segment, where the forecast does not say.
const SEGMENT_SECONDS: f64 = 4.0;
/// The media quality score that a healthy encoder reaches.
const QUALITY: u8 = 100;
/// The SRT latency of a flow for which the runbook asks for none: a usual choice, milliseconds.
const LATENCY: u32 = 500;

/// The workflow of `runbook`.
pub(super) fn seed(runbook: &Runbook) -> SeedMedia {
    let workflow = &runbook.workflow;
    let account = &runbook.aws.account;
    let texts = |list: &[crate::runbook::Arn]| list.iter().map(|arn| arn.0.clone()).collect();
    let times = runbook.event.times();
    let probes = runbook.origins.iter().flat_map(|one| &one.direct_probes);
    SeedMedia {
        event: runbook.event.id.as_str().to_owned(),
        flows: workflow
            .flows
            .iter()
            .map(|flow| SeedFlow {
                arn: flow.arn.0.clone(),
                sources: flow.sources,
                latency: flow.min_latency_ms.unwrap_or(LATENCY),
            })
            .collect(),
        channels: texts(&workflow.channels),
        endpoints: texts(&workflow.endpoints),
        ads: texts(&workflow.ads),
        distributions: runbook
            .distributions
            .iter()
            .map(|one| format!("arn:aws:cloudfront::{account}:distribution/{}", one.id))
            .collect(),
        cdn: runbook
            .distributions
            .first()
            .map_or_else(String::new, |one| one.domain.clone()),
        doors: times.doors,
        closes: times.closes(),
        segment_seconds: whole_seconds(runbook.forecast.as_ref()),
        sites: runbook
            .distributions
            .iter()
            .map(|one| (one.id.clone(), site(runbook, &one.samples)))
            .collect(),
        origin_hosts: probes.filter_map(|url| host(url)).collect(),
        drm_host: workflow.drm_probe.as_deref().and_then(host),
    }
}

fn site(runbook: &Runbook, samples: &crate::runbook::model::SamplesSection) -> SeedSite {
    let forecast = runbook.forecast.as_ref();
    let by_quality = runbook
        .origins
        .as_ref()
        .is_some_and(|origins| origins.groups.iter().any(|group| group.media_quality));
    SeedSite {
        manifest: samples.manifest.clone(),
        dash: samples.dash.clone(),
        segment: samples.segment.clone(),
        key: samples.key.clone(),
        ad_manifest: samples.ad_manifest.clone(),
        segment_milliseconds: milliseconds(forecast),
        ladder: forecast.map_or_else(usual_ladder, |forecast| {
            forecast
                .ladder
                .iter()
                .map(|rung| SeedRendition {
                    name: rung.name.clone(),
                    bandwidth: bits(rung.megabits),
                })
                .collect()
        }),
        quality: by_quality.then_some(QUALITY),
    }
}

fn usual_ladder() -> Vec<SeedRendition> {
    [("1080p", 6.0), ("720p", 3.0), ("360p", 0.8)]
        .map(|(name, megabits)| SeedRendition {
            name: name.to_owned(),
            bandwidth: bits(megabits),
        })
        .to_vec()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "bitrates and lengths of a sound runbook are positive and small"
)]
fn bits(megabits: f64) -> u64 {
    (megabits * 1e6).round() as u64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "bitrates and lengths of a sound runbook are positive and small"
)]
fn milliseconds(forecast: Option<&Forecast>) -> u64 {
    let seconds = forecast.map_or(SEGMENT_SECONDS, |forecast| forecast.segment_seconds);
    (seconds * 1000.0).round() as u64
}

/// MediaPackage's segments are whole seconds.
fn whole_seconds(forecast: Option<&Forecast>) -> u32 {
    u32::try_from(milliseconds(forecast).div_ceil(1000)).unwrap_or(1)
}

fn host(url: &str) -> Option<String> {
    let uri: http::Uri = url.parse().ok()?;
    uri.host().map(str::to_ascii_lowercase)
}
