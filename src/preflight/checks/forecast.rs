//! The forecast against quotas: arithmetic on the runbook, nothing is asked.

use crate::event::phase::Phase;
use crate::preflight::{Check, Facts, Gap, Outcome, Severity, Verdict, asking};
use crate::runbook::Forecast;

/// Of one distribution, unless raised (CloudFront Developer Guide, "Quotas").
const MOST_BITS: f64 = 150e9;
const MOST_REQUESTS: f64 = 250_000.0;
/// Origin Shield and the regional caches ask the packager for each object about this often.
const ASKED_PER_OBJECT: f64 = 2.0;
/// Without a shield, each regional edge cache asks for itself (CloudFront Developer Guide).
const REGIONAL_CACHES: f64 = 13.0;
/// Requests a second that a packager should not see from a cache that works; MediaPackage's own
/// quota is not in the documents at hand.
const MOST_ORIGIN_REQUESTS: f64 = 200.0;

const SOURCE: &str = "the runbook's forecast against CloudFront's default quotas";

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "forecast.bandwidth",
        title: "the audience fits the distributions' 150 Gbps",
        severity: Severity::Error,
        from: Phase::Setup,
        source: SOURCE,
        run: asking!(bandwidth),
    },
    Check {
        id: "forecast.requests",
        title: "the audience fits the distributions' 250,000 requests a second",
        severity: Severity::Error,
        from: Phase::Setup,
        source: SOURCE,
        run: asking!(requests),
    },
    Check {
        id: "forecast.shares",
        title: "the forecast gives every viewer a distribution",
        severity: Severity::Warning,
        from: Phase::Setup,
        source: "the runbook",
        run: asking!(shares),
    },
    Check {
        id: "forecast.packager",
        title: "the caches spare the packager",
        severity: Severity::Warning,
        from: Phase::Setup,
        source: "the runbook: renditions, segments, Origin Shield",
        run: asking!(packager),
    },
    Check {
        id: "forecast.ads",
        title: "the ad decision server takes a break's requests",
        severity: Severity::Error,
        from: Phase::Setup,
        source: "the runbook: viewers over the spread of a break",
        run: asking!(ads),
    },
    Check {
        id: "rights.forecast",
        title: "countries of the forecast are let in",
        severity: Severity::Warning,
        from: Phase::Setup,
        source: "the runbook: [forecast] against [geo]",
        run: asking!(rights),
    },
];

fn section<'f>(facts: &'f Facts<'_>) -> Result<&'f Forecast, Gap> {
    facts
        .runbook
        .forecast
        .as_ref()
        .ok_or_else(|| Gap::Absent("the runbook has no [forecast]".to_owned()))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "an audience has far fewer digits"
)]
fn viewers(forecast: &Forecast) -> f64 {
    forecast.peak_viewers as f64
}

async fn bandwidth(facts: &Facts<'_>) -> Outcome {
    let forecast = section(facts)?;
    let verdicts = facts.runbook.distributions.iter().map(|one| {
        let part = forecast.part_of(&one.name);
        let bits = viewers(forecast) * part * forecast.bits_per_viewer();
        let words = format!("{}: {:.0} Gbps", one.name, bits / 1e9);
        if bits <= MOST_BITS {
            Verdict::pass(words)
        } else {
            Verdict::fail(
                format!("{words}, over the default quota of 150"),
                format!(
                    "have the quota of {} raised (Service Quotas, CloudFront: data transfer rate) and waive forecast.bandwidth in the runbook, or share the audience over more distributions",
                    one.id
                ),
            )
        }
    });
    Ok(Verdict::across(verdicts, "no distribution"))
}

async fn requests(facts: &Facts<'_>) -> Outcome {
    let forecast = section(facts)?;
    let verdicts = facts.runbook.distributions.iter().map(|one| {
        let part = forecast.part_of(&one.name);
        let requests = viewers(forecast) * part * forecast.requests_per_viewer();
        let words = format!("{}: {requests:.0} requests/s", one.name);
        if requests <= MOST_REQUESTS {
            Verdict::pass(words)
        } else {
            Verdict::fail(
                format!("{words}, over the default quota of 250,000"),
                format!(
                    "have the quota of {} raised (Service Quotas, CloudFront: requests) and waive forecast.requests in the runbook, or share the audience over more distributions",
                    one.id
                ),
            )
        }
    });
    Ok(Verdict::across(verdicts, "no distribution"))
}

async fn shares(facts: &Facts<'_>) -> Outcome {
    let forecast = section(facts)?;
    let percent: f64 = facts
        .runbook
        .distributions
        .iter()
        .map(|one| forecast.part_of(&one.name) * 100.0)
        .sum();
    Ok(if (percent - 100.0).abs() <= 0.5 {
        Verdict::pass(format!("{percent:.0}%"))
    } else {
        Verdict::fail(
            format!("{percent:.0}% of the viewers"),
            "mend forecast.distributions in the runbook: the shares add up to 100",
        )
    })
}

#[expect(clippy::cast_precision_loss, reason = "a ladder has a dozen rungs")]
async fn packager(facts: &Facts<'_>) -> Outcome {
    let forecast = section(facts)?;
    let shielded = facts
        .runbook
        .origins
        .as_ref()
        .is_some_and(|origins| origins.shield_region.is_some());
    let objects = (forecast.ladder.len() as f64) * forecast.requests_per_segment;
    let caches = if shielded { 1.0 } else { REGIONAL_CACHES };
    let distributions = facts.runbook.distributions.len() as f64;
    let requests = objects / forecast.segment_seconds * ASKED_PER_OBJECT * caches * distributions;
    let words = format!("about {requests:.0} requests/s reach it");
    Ok(if requests <= MOST_ORIGIN_REQUESTS {
        Verdict::pass(words)
    } else {
        Verdict::fail(
            words,
            "set origins.shield-region in the runbook, and Origin Shield with it",
        )
    })
}

async fn ads(facts: &Facts<'_>) -> Outcome {
    let forecast = section(facts)?;
    let Some(agreed) = forecast.ad_requests_per_second else {
        return Ok(Verdict::not_applicable(
            "forecast.ad-requests-per-second is not set",
        ));
    };
    let requests = viewers(forecast) / forecast.ad_break_spread_seconds.max(1.0);
    let words = format!("{requests:.0} requests/s at a break, {agreed} agreed");
    #[expect(clippy::cast_precision_loss, reason = "a rate has far fewer digits")]
    let fits = requests <= agreed as f64;
    Ok(if fits {
        Verdict::pass(words)
    } else {
        Verdict::fail(
            words,
            "prefetch the breaks' ads (MediaTailor prefetch schedules) or spread them: forecast.ad-break-spread",
        )
    })
}

async fn rights(facts: &Facts<'_>) -> Outcome {
    let forecast = section(facts)?;
    let Some(geo) = &facts.runbook.geo else {
        return Ok(Verdict::not_applicable("the runbook has no [geo]"));
    };
    let out: Vec<String> = forecast
        .countries
        .iter()
        .filter(|(country, _)| geo.blocks(*country))
        .map(|(country, percent)| format!("{country} ({percent}%)"))
        .collect();
    Ok(if out.is_empty() {
        Verdict::pass(format!("all {}", forecast.countries.len()))
    } else {
        Verdict::fail(
            format!("kept out: {}", out.join(", ")),
            "mend geo.countries or forecast.countries in the runbook",
        )
    })
}
