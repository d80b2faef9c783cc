//! The live workflow: contribution (MediaConnect), encoding (MediaLive), packaging (MediaPackage
//! v2), ads (MediaTailor) and the DRM license server. What a healthy one looks like is from the
//! services' APIs and guides, 2026.

mod ads;
mod channels;
mod endpoints;
mod flows;
mod round_trip;

use futures_util::future::join_all;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::cloud::fetch::Fetch;
use crate::cloud::media::Maintenance;
use crate::event::phase::Phase;
use crate::event::text::printable;
use crate::preflight::{Check, Facts, Gap, Outcome, Severity, Verdict, asking};
use crate::runbook::Arn;

/// How long a maintenance window is: MediaLive and MediaConnect restart within two hours of it.
const MAINTENANCE_HOURS: i64 = 2;
/// Bytes of a license server's answer that are read at most.
const LICENSE_LIMIT: usize = 1024 * 1024;
/// How long a license server may take.
const LICENSE_SECONDS: u64 = 5;

/// All checks of the workflow.
pub(super) fn checks() -> Vec<Check> {
    [
        flows::CHECKS,
        round_trip::CHECKS,
        channels::CHECKS,
        endpoints::CHECKS,
        ads::CHECKS,
        &[LICENSE],
    ]
    .concat()
}

const LICENSE: Check = Check {
    id: "workflow.drm-license",
    title: "the DRM license server answers",
    severity: Severity::Error,
    from: Phase::Rehearsal,
    source: "a request to workflow.drm-probe",
    run: asking!(license),
};

async fn license(facts: &Facts<'_>) -> Outcome {
    let Some(url) = facts.runbook.workflow.drm_probe.clone() else {
        return Ok(Verdict::not_applicable("the runbook names no drm-probe"));
    };
    let host = crate::playback::url::host(&url).unwrap_or_default();
    let fetch = Fetch {
        url,
        headers: Vec::new(),
        limit: LICENSE_LIMIT,
        timeout: std::time::Duration::from_secs(LICENSE_SECONDS),
    };
    let answer = facts
        .read("fetch.license", &host, |cloud| async move {
            cloud.fetch(fetch).await
        })
        .await?;
    let status = answer.status;
    let host = printable(&host).into_owned();
    // Whatever it says to a request without a license challenge, it is up.
    Ok(if status < 500 {
        Verdict::pass(format!("{host} answered {status}"))
    } else {
        Verdict::fail(
            format!("{host} answered {status}: players cannot get licenses"),
            "call the DRM vendor; then run `onair preflight --only workflow.drm-license`",
        )
    })
}

/// Reads a resource for each ARN side by side and judges each; `nothing` says that there are none.
async fn each<'a, T: 'static, F>(
    facts: &Facts<'_>,
    arns: impl IntoIterator<Item = &'a Arn>,
    read: F,
    judge: impl Fn(&Arn, &T) -> Verdict,
    nothing: &str,
) -> Outcome
where
    F: AsyncFn(&Facts<'_>, &Arn) -> Result<std::rc::Rc<T>, Gap>,
{
    let verdicts = arns
        .into_iter()
        .map(async |arn| match read(facts, arn).await {
            Ok(value) => judge(arn, &value),
            Err(gap) => gap.into(),
        });
    Ok(Verdict::across(join_all(verdicts).await, nothing))
}

/// The same for the one check of a kind that reports a resource which is not there.
async fn each_there<'a, T: 'static, F>(
    facts: &Facts<'_>,
    arns: impl IntoIterator<Item = &'a Arn>,
    read: F,
    judge: impl Fn(&Arn, &T) -> Verdict,
    nothing: &str,
    section: &str,
) -> Outcome
where
    F: AsyncFn(&Facts<'_>, &Arn) -> Result<std::rc::Rc<T>, Gap>,
{
    let verdicts = arns
        .into_iter()
        .map(async |arn| match read(facts, arn).await {
            Ok(value) => judge(arn, &value),
            Err(Gap::Absent(why)) => Verdict::fail(
                why,
                format!("mend {section} in the runbook, or make the resource"),
            ),
            Err(gap) => gap.into(),
        });
    Ok(Verdict::across(join_all(verdicts).await, nothing))
}

/// Judges a weekly maintenance window against the time from doors to the end.
fn maintenance(facts: &Facts<'_>, name: &str, window: Option<&Maintenance>, fix: &str) -> Verdict {
    let Some(window) = window else {
        return Verdict::not_applicable(format!("{name} has no maintenance window"));
    };
    let times = &facts.state.times;
    let (doors, ends) = (times.doors, facts.closes());
    let day = format!("{:?}", window.day);
    let hour = window.hour;
    if overlaps(window, doors, ends) {
        Verdict::fail(
            format!("{name} may be restarted on {day} from {hour:02}:00 UTC, during the event"),
            fix,
        )
    } else {
        Verdict::pass(format!("{name}: {day} {hour:02}:00 UTC"))
    }
}

/// Whether a window of the week, or the one that is scheduled, is open between two times.
fn overlaps(window: &Maintenance, from: Timestamp, until: Timestamp) -> bool {
    let hours = jiff::SignedDuration::from_hours(MAINTENANCE_HOURS);
    let during = |starts: Timestamp| {
        starts < until && starts.checked_add(hours).is_ok_and(|ends| ends > from)
    };
    if window.scheduled.is_some_and(during) {
        return true;
    }
    let mut day = from.to_zoned(TimeZone::UTC).date();
    // One day before, for a window that began on the evening of the day before.
    day = day.yesterday().unwrap_or(day);
    loop {
        let starts = day.at(window.hour, 0, 0, 0).to_zoned(TimeZone::UTC);
        let Ok(starts) = starts.map(|starts| starts.timestamp()) else {
            return false;
        };
        if starts >= until {
            return false;
        }
        if day.weekday() == window.day && during(starts) {
            return true;
        }
        match day.tomorrow() {
            Ok(next) => day = next,
            Err(_) => return false,
        }
    }
}

/// A text of the service, safe to show.
fn shown(text: &str) -> String {
    printable(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::Weekday;

    #[test]
    fn a_weekly_window_meets_the_event_or_not() {
        // A Sunday evening.
        let doors: Timestamp = "2026-06-14T17:00:00Z".parse().unwrap();
        let ends: Timestamp = "2026-06-15T00:30:00Z".parse().unwrap();
        for (day, hour, meets) in [
            (Weekday::Sunday, 20, true),
            (Weekday::Sunday, 16, true),
            (Weekday::Sunday, 15, false),
            (Weekday::Monday, 0, true),
            (Weekday::Monday, 1, false),
            (Weekday::Wednesday, 20, false),
        ] {
            let window = Maintenance {
                day,
                hour,
                scheduled: None,
            };
            assert_eq!(overlaps(&window, doors, ends), meets, "{day:?} {hour}");
        }
        let window = Maintenance {
            day: Weekday::Wednesday,
            hour: 3,
            scheduled: Some("2026-06-14T18:00:00Z".parse().unwrap()),
        };
        assert!(overlaps(&window, doors, ends));
    }
}
