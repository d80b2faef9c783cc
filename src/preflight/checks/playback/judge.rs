//! What a player found, judged. Pure.

use std::rc::Rc;

use jiff::Timestamp;

use super::tour::{Presentation, Reply, Tour};
use crate::playback::{self, Problem, Timeline};
use crate::preflight::Verdict;
use crate::runbook::Forecast;

/// Seconds that segments should be kept: a viewer a minute behind is still served by the edge.
const SEGMENT_SECONDS: u64 = 60;
/// Seconds of a segment, where no forecast says.
const USUAL_SECONDS: f64 = 4.0;

const LOOK: &str = "look at the packager's endpoint: `onair preflight --only 'workflow.*'`";
const CACHING: &str = "look at the behaviors' cache policies: `onair preflight --only 'caching.*'`";

/// The presentation; a manifest that cannot be read is what `playback.manifest` reports.
fn presentation(tour: &Tour) -> Result<&Presentation, Verdict> {
    tour.read
        .as_ref()
        .map_err(|why| Verdict::not_applicable(why.clone()))
}

/// The timelines that could be read; the others are what `playback.renditions` reports.
fn timelines(tour: &Tour) -> Result<Vec<&Timeline>, Verdict> {
    let timelines = &presentation(tour)?.timelines;
    Ok(timelines
        .iter()
        .filter_map(|(_, timeline)| timeline.as_ref().ok())
        .collect())
}

/// Problems, each once, as a failure; none are a pass with this evidence.
fn verdict(problems: &[Problem], evidence: String, fix: &str) -> Verdict {
    let mut texts: Vec<String> = Vec::new();
    for text in problems.iter().map(ToString::to_string) {
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    if texts.is_empty() {
        Verdict::pass(evidence)
    } else {
        Verdict::fail(texts.join(", "), fix)
    }
}

pub(super) fn manifest(tour: &Tour) -> Verdict {
    match &tour.read {
        Ok(presentation) => {
            let bytes = tour.manifest.answer.body.len();
            let count = presentation.renditions.len();
            let cache = tour
                .manifest
                .header("x-cache")
                .map_or_else(String::new, |cache| format!(", {cache}"));
            Verdict::pass(format!("{count} renditions, {bytes} bytes{cache}"))
        }
        Err(why) => Verdict::fail(why.clone(), LOOK),
    }
}

pub(super) fn fresh(tour: &Tour, now: Timestamp) -> Verdict {
    let timelines = match timelines(tour) {
        Ok(timelines) => timelines,
        Err(verdict) => return verdict,
    };
    if timelines.is_empty() {
        return Verdict::not_applicable("no playlist could be read");
    }
    let problems: Vec<Problem> = timelines
        .iter()
        .flat_map(|timeline| playback::freshness(timeline, now))
        .collect();
    // The oldest of all stands for them; ages differ by fractions.
    let worst = problems.into_iter().max_by(|left, right| {
        let age = |problem: &Problem| match problem {
            Problem::Stale(age) | Problem::Ahead(age) => *age,
            _ => f64::INFINITY,
        };
        age(left).total_cmp(&age(right))
    });
    if let Some(worst) = worst {
        return Verdict::fail(worst.to_string(), LOOK);
    }
    let Some(edge) = timelines.iter().filter_map(|one| one.edge).min() else {
        // That they have none is what `playback.date-time` reports.
        return Verdict::not_applicable("without program date-time its age is unknown");
    };
    let age = now.duration_since(edge).as_secs();
    Verdict::pass(format!("the newest segment ended {age} s ago"))
}

pub(super) fn durations(tour: &Tour, forecast: Option<&Forecast>) -> Verdict {
    let timelines = match timelines(tour) {
        Ok(timelines) => timelines,
        Err(verdict) => return verdict,
    };
    let problems: Vec<Problem> = timelines
        .iter()
        .flat_map(|timeline| playback::lengths(timeline, forecast))
        .collect();
    let Some(first) = timelines.first() else {
        return Verdict::not_applicable("no playlist could be read");
    };
    let evidence = format!("segments of {:.1} s", first.usual);
    verdict(&problems, evidence, LOOK)
}

pub(super) fn ladder(tour: &Tour, forecast: &Forecast) -> Verdict {
    let presentation = match presentation(tour) {
        Ok(presentation) => presentation,
        Err(verdict) => return verdict,
    };
    if presentation.renditions.is_empty() {
        return Verdict::not_applicable("the manifest has no list of renditions");
    }
    let problems = playback::ladder(&presentation.renditions, forecast);
    let evidence = format!("{} renditions", presentation.renditions.len());
    let fix = "mend the encoder's outputs or the endpoint's filter, or forecast.ladder";
    verdict(&problems, evidence, fix)
}

pub(super) fn renditions(tour: &Tour) -> Verdict {
    let presentation = match presentation(tour) {
        Ok(presentation) => presentation,
        Err(verdict) => return verdict,
    };
    let mut broken = presentation
        .timelines
        .iter()
        .filter_map(|(_, timeline)| timeline.as_ref().err());
    match broken.next() {
        None => Verdict::pass(format!("{} playlists", presentation.timelines.len())),
        Some(first) => {
            let more = broken.count();
            let more = if more == 0 {
                String::new()
            } else {
                format!(" (and {more} more)")
            };
            Verdict::fail(format!("{first}{more}"), LOOK)
        }
    }
}

pub(super) fn date_time(tour: &Tour) -> Verdict {
    let timelines = match timelines(tour) {
        Ok(timelines) => timelines,
        Err(verdict) => return verdict,
    };
    if timelines.is_empty() {
        return Verdict::not_applicable("no playlist could be read");
    }
    let undated = timelines.iter().filter(|timeline| !timeline.dated).count();
    if undated == 0 {
        Verdict::pass(format!("{} playlists", timelines.len()))
    } else {
        Verdict::fail(
            format!("{undated} of {} playlists have none", timelines.len()),
            "set ProgramDateTimeIntervalSeconds of the endpoint's HLS manifests",
        )
    }
}

pub(super) fn discontinuities(tour: &Tour) -> Verdict {
    let timelines = match timelines(tour) {
        Ok(timelines) => timelines,
        Err(verdict) => return verdict,
    };
    let most = timelines.iter().map(|one| one.discontinuities).max();
    match most.unwrap_or_default() {
        0 => Verdict::pass("none"),
        count => Verdict::fail(
            format!("{count} discontinuities in the live window"),
            "look for input losses: `onair preflight --only 'workflow.flow-*'`",
        ),
    }
}

pub(super) fn segments(tour: &Tour) -> Verdict {
    if tour.segments.is_empty() {
        return Verdict::not_applicable("no segment is named by what could be read");
    }
    let mut broken = tour.segments.iter().filter_map(|segment| match segment {
        Err(why) => Some(why.clone()),
        Ok(reply) if !reply.is_good() => {
            Some(format!("{} answers {}", reply.place, reply.answer.status))
        }
        Ok(reply) if reply.answer.body.is_empty() => Some(format!("{} is empty", reply.place)),
        Ok(_) => None,
    });
    match broken.next() {
        None => Verdict::pass(format!("{} segments", tour.segments.len())),
        Some(first) => {
            let others = broken.count();
            let more = if others == 0 {
                String::new()
            } else {
                format!(" (and {others} more)")
            };
            Verdict::fail(format!("{first}{more}"), LOOK)
        }
    }
}

pub(super) fn content_types(tour: &Tour) -> Verdict {
    if let Err(verdict) = presentation(tour) {
        return verdict;
    }
    let manifest = tour.manifest.header("content-type").unwrap_or_default();
    let plain = manifest.to_ascii_lowercase();
    let is_manifest = ["mpegurl", "dash+xml"]
        .iter()
        .any(|one| plain.contains(one));
    if !is_manifest {
        return Verdict::fail(
            format!("the manifest is sent as `{manifest}`"),
            "let the origin's content type through",
        );
    }
    let odd = good(tour).find_map(|reply| {
        let kind = reply.header("content-type").unwrap_or_default();
        let plain = kind.to_ascii_lowercase();
        let is_media = ["video/", "audio/", "application/octet-stream", "binary/"]
            .iter()
            .any(|one| plain.starts_with(one));
        (!is_media).then(|| format!("{} is sent as `{kind}`", reply.place))
    });
    match odd {
        Some(odd) => Verdict::fail(odd, "let the origin's content type through"),
        None => Verdict::pass(manifest),
    }
}

/// Segments that came.
fn good(tour: &Tour) -> impl Iterator<Item = &Reply> {
    let replies = tour
        .segments
        .iter()
        .filter_map(|segment| segment.as_ref().ok());
    replies.filter(|reply| reply.is_good())
}

pub(super) fn manifest_cache(tour: &Tour, forecast: Option<&Forecast>) -> Verdict {
    let presentation = match presentation(tour) {
        Ok(presentation) => presentation,
        Err(verdict) => return verdict,
    };
    let segment = forecast.map_or(USUAL_SECONDS, |forecast| forecast.segment_seconds);
    // Media playlists change with every segment; the list of renditions hardly ever does.
    let live = if presentation.playlists.is_empty() {
        std::slice::from_ref(&tour.manifest)
    } else {
        presentation.playlists.as_slice()
    };
    let mut longest = 0;
    for reply in live.iter().filter(|reply| reply.is_good()) {
        #[expect(clippy::cast_precision_loss, reason = "seconds, far below 2^52")]
        match reply.max_age() {
            None => {}
            Some(age) if age as f64 >= segment => {
                return Verdict::fail(
                    format!(
                        "{} may be kept for {age} s; a segment lasts {segment} s",
                        reply.place
                    ),
                    CACHING,
                );
            }
            Some(age) => longest = longest.max(age),
        }
    }
    Verdict::pass(format!("at most {longest} s"))
}

pub(super) fn segment_cache(tour: &Tour) -> Verdict {
    let mut shortest: Option<u64> = None;
    for reply in good(tour) {
        if let Some(age) = reply.max_age() {
            if age < SEGMENT_SECONDS {
                return Verdict::fail(format!("{} may be kept for {age} s", reply.place), CACHING);
            }
            shortest = Some(shortest.map_or(age, |known| known.min(age)));
        }
    }
    match shortest {
        Some(age) => Verdict::pass(format!("at least {age} s")),
        None => Verdict::not_applicable("no segment that came says how long it may be kept"),
    }
}

pub(super) fn media_quality(tour: &Tour) -> Verdict {
    let mut replies = good(tour).peekable();
    if replies.peek().is_none() {
        return Verdict::not_applicable("no segment came");
    }
    let mut some = false;
    for reply in replies {
        for name in ["cmsd-static", "cmsd-dynamic"] {
            let Some(header) = reply.header(name) else {
                continue;
            };
            some = true;
            // How AWS names the score's key is not documented: any that says so is taken.
            if let Some(entry) = header
                .split([',', ';'])
                .find(|part| part.to_ascii_lowercase().contains("mqcs"))
            {
                return Verdict::pass(entry.trim().to_owned());
            }
        }
    }
    let found = if some {
        "CMSD headers, and no score in them"
    } else {
        "no CMSD header"
    };
    Verdict::fail(
        format!("segments come with {found}"),
        "set PublishMQCS of the MediaPackage channel, and let CMSD headers through",
    )
}

/// A key that was asked for without a token.
pub(super) fn key(reply: &Reply, enforced: bool) -> Verdict {
    let status = reply.answer.status;
    let place = &reply.place;
    if reply.is_refused() {
        return Verdict::pass(format!("without a token {place} answers {status}"));
    }
    if !reply.is_good() {
        return Verdict::fail(
            format!("{place} answers {status}"),
            "look at the key server",
        );
    }
    if reply.max_age().is_some_and(|age| age > 0)
        && reply
            .answer
            .header("cache-control")
            .is_some_and(|text| text.contains("public"))
    {
        return Verdict::fail(
            format!("{place} may be kept by any cache"),
            "answer keys with cache-control: no-store",
        );
    }
    if enforced {
        return Verdict::fail(
            format!("{place} is handed out without a token"),
            "onair token mode enforce",
        );
    }
    Verdict::not_applicable("tokens are not enforced")
}

/// What a key's address answers to a viewer with a valid token.
pub(super) fn key_with_token(reply: &Reply) -> Verdict {
    let (place, status) = (&reply.place, reply.answer.status);
    if reply.is_good() && !reply.answer.body.is_empty() {
        return Verdict::pass(format!("{place} with a token: {status}"));
    }
    if reply.is_refused() {
        return Verdict::could_not_ask(format!(
            "{place} refuses this machine's token with {status}: it is outside the rights, or the gate has another key"
        ));
    }
    let evidence = if reply.is_good() {
        format!("{place} is empty, with a valid token")
    } else {
        format!("{place} answers {status} to a valid token: players show no picture")
    };
    Verdict::fail(evidence, "mend the behavior or the origin that serves keys")
}

/// Everything that is wrong with a presentation, for one that has a single check.
pub(super) fn whole(tour: &Tour, now: Timestamp, forecast: Option<&Forecast>) -> Verdict {
    let mut verdicts = vec![manifest(tour)];
    if tour.read.is_ok() {
        verdicts.extend([
            fresh(tour, now),
            renditions(tour),
            segments(tour),
            durations(tour, forecast),
        ]);
        verdicts.extend(forecast.map(|forecast| ladder(tour, forecast)));
    }
    Verdict::across(verdicts, "")
}

/// Whether all distributions serve the same.
pub(super) fn same(tours: &[(&str, Rc<Tour>)]) -> Verdict {
    let shape = |tour: &Tour| {
        let read = tour.read.as_ref().ok()?;
        let mut rates: Vec<u64> = read.renditions.iter().map(|one| one.bandwidth).collect();
        rates.sort_unstable();
        Some(rates)
    };
    let edge = |tour: &Tour| {
        let read = tour.read.as_ref().ok()?;
        let timelines = read
            .timelines
            .iter()
            .filter_map(|(_, one)| one.as_ref().ok());
        timelines
            .filter_map(|one| Some((one.edge?, one.longest)))
            .max_by_key(|(edge, _)| *edge)
    };
    let Some((first_name, first)) = tours.first() else {
        return Verdict::not_applicable("no distribution serves video");
    };
    for (name, other) in &tours[1..] {
        let (Some(left), Some(right)) = (shape(first), shape(other)) else {
            return Verdict::not_applicable("a manifest could not be read");
        };
        if left != right {
            return Verdict::fail(
                format!(
                    "{first_name} has {} renditions, {name} {}, or others",
                    left.len(),
                    right.len()
                ),
                LOOK,
            );
        }
        if let (Some((left, length)), Some((right, _))) = (edge(first), edge(other)) {
            let apart = left.duration_since(right).as_secs_f64().abs();
            if apart > length * 3.0 {
                return Verdict::fail(
                    format!("{first_name} and {name} are {apart:.0} s apart"),
                    LOOK,
                );
            }
        }
    }
    Verdict::pass(format!("{} distributions", tours.len()))
}

/// What an origin answered to a request that did not come through CloudFront.
pub(super) fn direct(host: &str, status: u16) -> Verdict {
    match status {
        401 | 403 | 451 => Verdict::pass(format!("{host} answers {status}")),
        200..=399 => Verdict::fail(
            format!("{host} answers {status} to anybody"),
            "close the origin: an origin access control and an endpoint policy, a VPC origin, or a secret header",
        ),
        // Neither refused nor served: perhaps the path is wrong, and the door open.
        other => Verdict::could_not_ask(format!(
            "{host} answers {other}: the probe's path may be wrong"
        )),
    }
}
