//! Checks `[forecast]`, `[origins]` and `[workflow]`.

use crate::event::country::Country;
use crate::event::duration::parse_milliseconds;
use crate::event::text::{did_you_mean, shortened};
use crate::runbook::check::arn::{self, arn};
use crate::runbook::check::{
    Notes, ROUNDING, https_url, is_percentage, percentages, region, unique,
};
use crate::runbook::model::{
    AccessSection, AccessWord, FlowSection, ForecastSection, OriginGroupSection, OriginsSection,
    RungSection, WorkflowSection,
};
use crate::runbook::note::{Note, Problem};
use crate::runbook::resolved::{
    Arn, Aws, Distribution, Flow, Forecast, OriginAccess, OriginGroup, Origins, Rung, Workflow,
};

/// Video, audio, and a manifest of one of them.
const DEFAULT_REQUESTS: f64 = 3.0;
const DEFAULT_REVOCATIONS: u32 = 1_000;
const DEFAULT_AD_SPREAD: &str = "10s";
const DEFAULT_BUDGET: &str = "8s";
/// CloudFront's `FailoverCriteria`; aws-facts, section 1.5.
const FAILOVER_CODES: [u16; 9] = [400, 403, 404, 416, 429, 500, 502, 503, 504];
const DEFAULT_FAILOVER_CODES: [u16; 4] = [500, 502, 503, 504];

/// A short time in seconds.
fn seconds(path: &str, text: &str, notes: &mut Notes) -> Option<f64> {
    let milliseconds = notes.take(path, parse_milliseconds(text), Problem::Duration)?;
    Some(f64::from(milliseconds) / 1_000.0)
}

pub(super) fn forecast(
    section: &ForecastSection,
    distributions: &[Distribution],
    notes: &mut Notes,
) -> Option<Forecast> {
    if section.peak_viewers == 0 {
        notes.error("forecast.peak-viewers", Problem::NotPositive);
    }
    let segment_seconds = seconds("forecast.segment", &section.segment, notes);
    let requests_per_segment = section.requests_per_segment.unwrap_or(DEFAULT_REQUESTS);
    if requests_per_segment <= 0.0 {
        notes.error("forecast.requests-per-segment", Problem::NotPositive);
    }
    let spread = section.ad_break_spread.as_deref();
    let spread = spread.unwrap_or(DEFAULT_AD_SPREAD);
    let ad_break_spread_seconds = seconds("forecast.ad-break-spread", spread, notes);
    if section.ad_requests_per_second == Some(0) {
        notes.error("forecast.ad-requests-per-second", Problem::NotPositive);
    }
    Some(Forecast {
        peak_viewers: section.peak_viewers.into(),
        segment_seconds: segment_seconds?,
        requests_per_segment,
        ladder: ladder(&section.ladder, notes),
        countries: countries(section, notes),
        distributions: parts(section, distributions, notes),
        revocations: section.revocations.unwrap_or(DEFAULT_REVOCATIONS).into(),
        ad_requests_per_second: section.ad_requests_per_second.map(u64::from),
        ad_break_spread_seconds: ad_break_spread_seconds?,
    })
}

fn ladder(sections: &[RungSection], notes: &mut Notes) -> Vec<Rung> {
    if sections.is_empty() {
        notes.error("forecast.ladder", Problem::Empty);
        return Vec::new();
    }
    let names = sections.iter().enumerate();
    let names =
        names.map(|(index, rung)| (format!("forecast.ladder[{index}].name"), rung.name.as_str()));
    unique("rendition", names, notes);
    let mut sum = 0.0;
    for (section, index) in sections.iter().zip(0..) {
        let path = |key: &str| format!("forecast.ladder[{index}].{key}");
        if section.megabits <= 0.0 {
            notes.error(path("megabits"), Problem::NotPositive);
        }
        if !is_percentage(section.share) {
            notes.error(path("share"), Problem::Percentage);
        }
        sum += section.share;
    }
    if (sum - 100.0).abs() > ROUNDING {
        notes.error("forecast.ladder", Problem::SharesNotWhole(sum));
    }
    let mut ladder: Vec<Rung> = sections
        .iter()
        .map(|section| Rung {
            name: section.name.clone(),
            megabits: section.megabits,
            share: section.share,
        })
        .collect();
    ladder.sort_by(|one, other| other.megabits.total_cmp(&one.megabits));
    ladder
}

fn countries(section: &ForecastSection, notes: &mut Notes) -> Vec<(Country, f64)> {
    let path = "forecast.countries";
    let shares = section.countries.iter().flatten();
    percentages(path, shares.clone(), notes);
    let mut countries: Vec<(Country, f64)> = Vec::new();
    for (text, share) in shares {
        let place = format!("{path}.{text}");
        let Some(country) = notes.take(place.clone(), Country::parse(text), Problem::Country)
        else {
            continue;
        };
        if countries.iter().any(|(known, _)| *known == country) {
            let name = country.to_string();
            let what = "country";
            notes.error(place, Problem::Duplicate { what, name });
        }
        countries.push((country, *share));
    }
    countries.sort_by_key(|(country, _)| *country);
    countries
}

/// The distributions' parts in the runbook's order.
fn parts(
    section: &ForecastSection,
    distributions: &[Distribution],
    notes: &mut Notes,
) -> Vec<(String, f64)> {
    let path = "forecast.distributions";
    let Some(parts) = &section.distributions else {
        let main = distributions.first();
        return main
            .map(|main| (main.name.clone(), 100.0))
            .into_iter()
            .collect();
    };
    let sum = percentages(path, parts.iter(), notes);
    if sum < 100.0 - ROUNDING {
        notes.error(path, Problem::SharesNotWhole(sum));
    }
    let names = || distributions.iter().map(|one| one.name.as_str());
    for name in parts.keys() {
        if !names().any(|known| known == name) {
            let nearest = did_you_mean(name, names());
            let problem = Problem::UnknownDistribution(shortened(name, 60));
            let place = format!("{path}.{name}");
            notes.0.push(Note::error(place, problem).nearest(nearest));
        }
    }
    distributions
        .iter()
        .filter_map(|one| Some((one.name.clone(), *parts.get(&one.name)?)))
        .collect()
}

pub(super) fn origins(section: &OriginsSection, notes: &mut Notes) -> Option<Origins> {
    if let Some(shield) = &section.shield_region {
        region("origins.shield-region", shield, notes);
    }
    let budget = section.budget.as_deref().unwrap_or(DEFAULT_BUDGET);
    let budget_seconds = seconds("origins.budget", budget, notes);
    let direct_probes = section.direct_probes.clone().unwrap_or_default();
    for (url, index) in direct_probes.iter().zip(0..) {
        https_url(format!("origins.direct-probes[{index}]"), url, notes);
    }
    let access = match &section.access {
        None | Some(AccessSection::Word(AccessWord::Oac)) => OriginAccess::Oac,
        Some(AccessSection::Word(AccessWord::Vpc)) => OriginAccess::Vpc,
        Some(AccessSection::Word(AccessWord::Open)) => OriginAccess::Open,
        Some(AccessSection::Header(header)) => {
            let name = header.secret_header.as_str();
            let is_name = !name.is_empty()
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
            if !is_name {
                let problem = Problem::HeaderName(shortened(name, 60));
                notes.error("origins.access.secret-header", problem);
            }
            OriginAccess::SecretHeader(name.to_ascii_lowercase())
        }
    };
    Some(Origins {
        shield_region: section.shield_region.clone(),
        groups: groups(section.groups.as_deref().unwrap_or_default(), notes),
        access,
        budget_seconds: budget_seconds?,
        direct_probes,
    })
}

fn groups(sections: &[OriginGroupSection], notes: &mut Notes) -> Vec<OriginGroup> {
    let ids = sections.iter().enumerate();
    let ids = ids.map(|(index, group)| (format!("origins.groups[{index}].id"), group.id.as_str()));
    unique("origin group", ids, notes);
    let mut groups = Vec::new();
    for (section, index) in sections.iter().zip(0..) {
        let path = |key: &str| format!("origins.groups[{index}].{key}");
        if section.id.is_empty() {
            notes.error(path("id"), Problem::Empty);
        }
        if let (Some(primary), Some(secondary)) = (&section.primary, &section.secondary)
            && primary == secondary
        {
            let (what, name) = ("origin", shortened(secondary, 60));
            notes.error(path("secondary"), Problem::Duplicate { what, name });
        }
        let mut failover_codes = Vec::new();
        for (code, number) in section.failover_codes.iter().flatten().zip(0..) {
            let known = FAILOVER_CODES
                .iter()
                .find(|known| u32::from(**known) == *code);
            if let Some(code) = known {
                failover_codes.push(*code);
            } else {
                let allowed: Vec<String> = FAILOVER_CODES.iter().map(u16::to_string).collect();
                let problem = Problem::FailoverCode {
                    found: *code,
                    allowed: allowed.join(", "),
                };
                notes.error(path(&format!("failover-codes[{number}]")), problem);
            }
        }
        match &section.failover_codes {
            None => failover_codes.extend(DEFAULT_FAILOVER_CODES),
            Some(codes) if codes.is_empty() => {
                notes.error(path("failover-codes"), Problem::Empty);
            }
            Some(_) => {}
        }
        failover_codes.sort_unstable();
        failover_codes.dedup();
        groups.push(OriginGroup {
            id: section.id.clone(),
            primary: section.primary.clone(),
            secondary: section.secondary.clone(),
            failover_codes,
            media_quality: section.media_quality.unwrap_or(false),
        });
    }
    groups
}

pub(super) fn workflow(section: &WorkflowSection, aws: &Aws, notes: &mut Notes) -> Workflow {
    let flows = section.flows.as_deref().unwrap_or_default();
    let flows: Vec<Flow> = flows
        .iter()
        .zip(0..)
        .filter_map(|(section, index)| flow(section, index, aws, notes))
        .collect();
    let arns = flows.iter().enumerate();
    let arns =
        arns.map(|(index, flow)| (format!("workflow.flows[{index}].arn"), flow.arn.0.as_str()));
    unique("flow", arns, notes);
    if let Some(url) = &section.drm_probe {
        https_url("workflow.drm-probe".to_owned(), url, notes);
    }
    let mut listed = |key: &str, what, texts: &Option<Vec<String>>, kind: &arn::Kind| {
        let path = |index: usize| format!("workflow.{key}[{index}]");
        let arns: Vec<Arn> = texts
            .iter()
            .flatten()
            .enumerate()
            .map(|(index, text)| arn(&path(index), text, kind, aws, notes))
            .collect();
        let places = arns.iter().enumerate();
        unique(
            what,
            places.map(|(index, arn)| (path(index), arn.0.as_str())),
            notes,
        );
        arns
    };
    Workflow {
        flows,
        channels: listed("channels", "channel", &section.channels, &arn::CHANNEL),
        endpoints: listed("endpoints", "endpoint", &section.endpoints, &arn::ENDPOINT),
        ads: listed("ads", "configuration", &section.ads, &arn::ADS),
        drm_probe: section.drm_probe.clone(),
    }
}

fn flow(section: &FlowSection, index: usize, aws: &Aws, notes: &mut Notes) -> Option<Flow> {
    let path = |key: &str| format!("workflow.flows[{index}].{key}");
    let arn = arn(&path("arn"), &section.arn, &arn::FLOW, aws, notes);
    let sources = section.sources.unwrap_or(2);
    if !(1..=2).contains(&sources) {
        notes.error(path("sources"), Problem::Range { least: 1, most: 2 });
    }
    let min_latency_ms = match &section.min_latency {
        None => None,
        Some(text) => Some(notes.take(
            path("min-latency"),
            parse_milliseconds(text),
            Problem::Duration,
        )?),
    };
    Some(Flow {
        arn,
        min_latency_ms,
        encrypted: section.encrypted.unwrap_or(true),
        sources,
    })
}
