//! Ads: MediaTailor playback configurations and their prefetch schedules.

use std::rc::Rc;

use super::{each, each_there, shown};
use crate::cloud::media::{AdAlert, AdConfiguration, PrefetchSchedule};
use crate::event::phase::Phase;
use crate::playback::url::host;
use crate::preflight::{Check, Facts, Gap, Outcome, Severity, Verdict, asking};
use crate::runbook::Arn;

const NONE: &str = "the runbook names no ads";
const CONFIGURATION: &str = "mediatailor.GetPlaybackConfiguration";
const SCHEDULES: &str = "mediatailor.ListPrefetchSchedules";
const ALERTS: &str = "mediatailor.ListAlerts";

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "workflow.ads-source",
        title: "MediaTailor has an ad server, and takes the video from the CDN or the packager",
        severity: Severity::Error,
        from: Phase::Setup,
        source: CONFIGURATION,
        run: asking!(source),
    },
    Check {
        id: "workflow.ads-segments",
        title: "ad and content segments come through the CDN",
        severity: Severity::Error,
        from: Phase::Setup,
        source: CONFIGURATION,
        run: asking!(segments),
    },
    Check {
        id: "workflow.ads-slate",
        title: "an ad break that cannot be filled shows a slate",
        severity: Severity::Error,
        from: Phase::Setup,
        source: CONFIGURATION,
        run: asking!(slate),
    },
    Check {
        id: "workflow.ads-logs",
        title: "MediaTailor writes logs",
        severity: Severity::Warning,
        from: Phase::Setup,
        source: CONFIGURATION,
        run: asking!(logs),
    },
    Check {
        id: "workflow.ads-alerts",
        title: "MediaTailor has nothing to complain of",
        severity: Severity::Warning,
        from: Phase::Rehearsal,
        source: ALERTS,
        run: asking!(alerts),
    },
    Check {
        id: "workflow.ads-prefetch",
        title: "prefetch schedules cover the event",
        severity: Severity::Error,
        from: Phase::Rehearsal,
        source: SCHEDULES,
        run: asking!(prefetch),
    },
    Check {
        id: "workflow.ads-leftovers",
        title: "no prefetch schedule of an earlier event is left",
        severity: Severity::Warning,
        from: Phase::Setup,
        source: SCHEDULES,
        run: asking!(leftovers),
    },
];

async fn configuration(facts: &Facts<'_>, arn: &Arn) -> Result<Rc<AdConfiguration>, Gap> {
    let arn = arn.clone();
    let key = arn.0.clone();
    facts
        .read(CONFIGURATION, &key, |cloud| async move {
            cloud.ad_configuration(&arn).await
        })
        .await
}

async fn schedules(facts: &Facts<'_>, arn: &Arn) -> Result<Rc<Vec<PrefetchSchedule>>, Gap> {
    // Of a configuration that is not there, another check speaks.
    configuration(facts, arn).await?;
    let arn = arn.clone();
    let key = arn.0.clone();
    facts
        .read(SCHEDULES, &key, |cloud| async move {
            cloud.prefetch_schedules(&arn).await
        })
        .await
}

async fn judged(facts: &Facts<'_>, judge: impl Fn(&AdConfiguration) -> Verdict) -> Outcome {
    let ads = &facts.runbook.workflow.ads;
    each(facts, ads, configuration, |_, read| judge(read), NONE).await
}

/// Whether an address is on one of the event's distributions.
fn on_cdn(facts: &Facts<'_>, url: &str) -> bool {
    let Some(host) = host(url) else { return false };
    host.ends_with(".cloudfront.net")
        || facts
            .runbook
            .distributions
            .iter()
            .any(|one| one.domain.eq_ignore_ascii_case(&host))
}

async fn source(facts: &Facts<'_>) -> Outcome {
    let ads = &facts.runbook.workflow.ads;
    let judge = |_: &Arn, read: &AdConfiguration| {
        let name = shown(&read.name);
        let fix = "aws mediatailor put-playback-configuration";
        if read.decision_server.is_none() {
            return Verdict::fail(format!("{name} has no ad decision server"), fix);
        }
        let Some(url) = &read.content_source else {
            return Verdict::fail(format!("{name} has no content source"), fix);
        };
        let from = host(url).unwrap_or_default();
        let from_packager = from.contains(".mediapackage");
        if on_cdn(facts, url) || from_packager {
            Verdict::pass(format!("{name}: from {}", shown(&from)))
        } else {
            Verdict::fail(
                format!(
                    "{name} takes the video from {}, which is no distribution of the event",
                    shown(&from)
                ),
                fix,
            )
        }
    };
    each_there(facts, ads, configuration, judge, NONE, "workflow.ads").await
}

async fn segments(facts: &Facts<'_>) -> Outcome {
    judged(facts, |read| {
        let name = shown(&read.name);
        for (what, prefix) in [
            ("ad", &read.ad_segment_prefix),
            ("content", &read.content_segment_prefix),
        ] {
            let good = prefix.as_deref().is_some_and(|url| on_cdn(facts, url));
            if !good {
                let found = prefix.as_deref().map_or("no prefix".to_owned(), shown);
                return Verdict::fail(
                    format!("{name}: {what} segments do not come through the CDN ({found})"),
                    "set CdnConfiguration of the playback configuration to the main distribution",
                );
            }
        }
        Verdict::pass(format!("{name}: both prefixes"))
    })
    .await
}

async fn slate(facts: &Facts<'_>) -> Outcome {
    judged(facts, |read| {
        let name = shown(&read.name);
        match &read.slate {
            Some(url) => Verdict::pass(format!("{name}: {}", shown(url))),
            None => Verdict::fail(
                format!("{name} has no slate: breaks that are not filled show what is underneath"),
                "set SlateAdUrl of the playback configuration",
            ),
        }
    })
    .await
}

async fn logs(facts: &Facts<'_>) -> Outcome {
    judged(facts, |read| {
        let name = shown(&read.name);
        let percent = read.log_percent;
        if percent == 0 {
            Verdict::fail(
                format!("{name} logs no session"),
                format!(
                    "aws mediatailor configure-logs-for-playback-configuration --percent-enabled 100 --playback-configuration-name {name}"
                ),
            )
        } else {
            Verdict::pass(format!("{name}: {percent}% of the sessions"))
        }
    })
    .await
}

async fn prefetch(facts: &Facts<'_>) -> Outcome {
    let (starts, ends) = (facts.state.times.starts, facts.state.times.ends);
    let zone = &facts.runbook.event.zone;
    let judge = |arn: &Arn, schedules: &Vec<PrefetchSchedule>| {
        let name = arn.id();
        match uncovered(schedules, starts, ends) {
            None => Verdict::pass(format!("{name}: {} schedules", schedules.len())),
            Some(from) => Verdict::fail(
                format!(
                    "{name}: no prefetch from {}",
                    crate::event::time::rfc3339(from, zone)
                ),
                format!(
                    "aws mediatailor create-prefetch-schedule --playback-configuration-name {name}"
                ),
            ),
        }
    };
    each(facts, &facts.runbook.workflow.ads, schedules, judge, NONE).await
}

/// The first moment of the event that no schedule covers.
fn uncovered(
    schedules: &[PrefetchSchedule],
    starts: jiff::Timestamp,
    ends: jiff::Timestamp,
) -> Option<jiff::Timestamp> {
    let mut sorted: Vec<&PrefetchSchedule> = schedules.iter().collect();
    sorted.sort_by_key(|one| one.from);
    let mut until = starts;
    for one in sorted {
        if one.from.is_none_or(|from| from <= until) {
            until = until.max(one.until);
        }
    }
    (until < ends).then_some(until)
}

async fn alerts(facts: &Facts<'_>) -> Outcome {
    let read = async |facts: &Facts<'_>, arn: &Arn| {
        configuration(facts, arn).await?;
        let (arn, key) = (arn.clone(), arn.0.clone());
        facts
            .read(
                ALERTS,
                &key,
                |cloud| async move { cloud.ad_alerts(&arn).await },
            )
            .await
    };
    let judge = |arn: &Arn, alerts: &Vec<AdAlert>| {
        let name = arn.id();
        if alerts.is_empty() {
            return Verdict::pass(format!("{name}: none"));
        }
        let words: Vec<String> = alerts
            .iter()
            .take(3)
            .map(|alert| format!("{} ({})", shown(&alert.message), shown(&alert.code)))
            .collect();
        Verdict::fail(
            format!("{name}: {}", words.join("; ")),
            format!("aws mediatailor list-alerts --resource-arn {}", arn.0),
        )
    };
    each(facts, &facts.runbook.workflow.ads, read, judge, NONE).await
}

async fn leftovers(facts: &Facts<'_>) -> Outcome {
    let opens = facts.state.times.opens().min(facts.now);
    let judge = |arn: &Arn, schedules: &Vec<PrefetchSchedule>| {
        let name = arn.id();
        let old: Vec<String> = schedules
            .iter()
            .filter(|one| one.until < opens)
            .map(|one| shown(&one.name))
            .collect();
        match old.first() {
            None => Verdict::pass(format!("{name}: none in the past")),
            Some(first) => Verdict::fail(
                format!("{name}: {} ended before the event", old.join(", ")),
                format!(
                    "aws mediatailor delete-prefetch-schedule --playback-configuration-name {name} --name {first}"
                ),
            ),
        }
    };
    each(facts, &facts.runbook.workflow.ads, schedules, judge, NONE).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_between_schedules_are_found() {
        let at = |hour: i64| jiff::Timestamp::from_second(hour * 3600).unwrap();
        let schedule = |from, until| PrefetchSchedule {
            name: "breaks".to_owned(),
            from: Some(at(from)),
            until: at(until),
            recurring: false,
        };
        for (schedules, expected) in [
            (vec![], Some(10)),
            (vec![schedule(9, 14)], None),
            (vec![schedule(12, 15), schedule(8, 12)], None),
            (vec![schedule(8, 11), schedule(12, 15)], Some(11)),
            (vec![schedule(8, 12)], Some(12)),
            (vec![schedule(8, 9)], Some(10)),
        ] {
            let found = uncovered(&schedules, at(10), at(14));
            assert_eq!(found, expected.map(at), "{schedules:?}");
        }
    }
}
