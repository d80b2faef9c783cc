//! Playback: what a player gets through the CDN, and what nobody gets past it.

mod judge;
mod token;
mod tour;

use std::rc::Rc;
use std::time::Duration;

use futures_util::future::join_all;

use crate::cloud::fetch::Fetch;
use crate::event::phase::Phase;
use crate::event::text::printable;
use crate::playback::url::host;
use crate::preflight::{Check, Facts, Gap, Outcome, Severity, Verdict, asking};
use crate::runbook::Distribution;
use crate::runbook::model::Role;
use tour::{Tour, tour};

const SOURCE: &str = "requests for the sample paths, as a player makes them";

macro_rules! check {
    ($id:literal, $title:literal, $severity:ident, $from:ident, $source:expr, $run:path) => {
        Check {
            id: $id,
            title: $title,
            severity: Severity::$severity,
            from: Phase::$from,
            source: $source,
            run: asking!($run),
        }
    };
}

pub(super) const CHECKS: &[Check] = &[
    check!(
        "playback.manifest",
        "the manifest comes through every distribution and can be parsed",
        Error,
        Rehearsal,
        SOURCE,
        manifest
    ),
    check!(
        "playback.fresh",
        "the manifest is live and its newest segment is recent",
        Error,
        Rehearsal,
        SOURCE,
        fresh
    ),
    check!(
        "playback.durations",
        "target duration and segments are as the forecast has them",
        Error,
        Rehearsal,
        "the playlists; RFC 8216, 4.3.3.1",
        durations
    ),
    check!(
        "playback.ladder",
        "the renditions are the forecast's ladder",
        Error,
        Rehearsal,
        "the manifest; forecast.ladder",
        ladder
    ),
    check!(
        "playback.renditions",
        "every rendition's playlist can be read",
        Error,
        Rehearsal,
        SOURCE,
        renditions
    ),
    check!(
        "playback.date-time",
        "playlists have program date-time",
        Error,
        Rehearsal,
        "the playlists; RFC 8216, 4.3.2.6",
        date_time
    ),
    check!(
        "playback.discontinuities",
        "the live window has no breaks",
        Warning,
        Rehearsal,
        SOURCE,
        discontinuities
    ),
    check!(
        "playback.segments",
        "the first and the last segment of every rendition can be had",
        Error,
        Rehearsal,
        SOURCE,
        segments
    ),
    check!(
        "playback.content-types",
        "players are told what they get",
        Warning,
        Rehearsal,
        "content-type headers",
        content_types
    ),
    check!(
        "playback.manifest-cache",
        "manifests are kept for less than a segment's time",
        Error,
        Rehearsal,
        "cache-control headers",
        manifest_cache
    ),
    check!(
        "playback.segment-cache",
        "segments may be kept for minutes",
        Error,
        Rehearsal,
        "cache-control headers",
        segment_cache
    ),
    check!(
        "playback.media-quality",
        "segments carry a media quality score",
        Warning,
        Rehearsal,
        "CMSD headers (CTA-5006)",
        media_quality
    ),
    check!(
        "playback.key",
        "the key is handed out with a token alone, and is not cached in public",
        Error,
        Rehearsal,
        SOURCE,
        key
    ),
    check!(
        "playback.dash",
        "the DASH manifest is as fresh and complete as the HLS one",
        Error,
        Rehearsal,
        SOURCE,
        dash
    ),
    check!(
        "playback.ads",
        "the manifest with ads comes and can be played",
        Error,
        Rehearsal,
        SOURCE,
        ads
    ),
    check!(
        "playback.same",
        "all distributions serve the same presentation",
        Error,
        Rehearsal,
        SOURCE,
        same
    ),
    check!(
        "origin.direct",
        "the origins refuse whoever is not CloudFront",
        Error,
        Setup,
        "requests to origins.direct-probes",
        direct
    ),
];

/// How long an origin may take to refuse.
const DIRECT_SECONDS: u64 = 5;
/// Bytes of what an origin says that are read at most.
const DIRECT_LIMIT: usize = 4 * 1024 * 1024;

/// Distributions that serve viewers video.
fn serving<'a>(facts: &Facts<'a>) -> Vec<&'a Distribution> {
    let distributions = facts.runbook.distributions.iter();
    distributions
        .filter(|one| matches!(one.role, Role::Video | Role::Backup))
        .collect()
}

/// Judges the tours from a sample path through all distributions that have one.
async fn toured<'a>(
    facts: &Facts<'a>,
    sample: impl Fn(&'a Distribution) -> Option<&'a String>,
    judge: impl Fn(&Tour) -> Verdict,
) -> Outcome {
    let tours = serving(facts)
        .into_iter()
        .filter_map(|one| Some((one, sample(one)?)))
        .map(async |(one, path)| match tour(facts, one, path).await {
            Ok(tour) => named(one, judge(&tour)),
            Err(gap) => gap.into(),
        });
    let nothing = "no distribution has such a sample path";
    Ok(Verdict::across(join_all(tours).await, nothing))
}

/// A verdict with its distribution's name before it.
fn named(distribution: &Distribution, verdict: Verdict) -> Verdict {
    let name = &distribution.name;
    match verdict {
        Verdict::Pass { evidence } => Verdict::pass(format!("{name}: {evidence}")),
        Verdict::Fail { evidence, fix } => Verdict::fail(format!("{name}: {evidence}"), fix),
        other => other,
    }
}

async fn main(facts: &Facts<'_>, judge: impl Fn(&Tour) -> Verdict) -> Outcome {
    toured(facts, |one| one.samples.manifest.as_ref(), judge).await
}

async fn manifest(facts: &Facts<'_>) -> Outcome {
    main(facts, judge::manifest).await
}

async fn fresh(facts: &Facts<'_>) -> Outcome {
    // Packaging goes on while checks run: the clock is read when the answers are there.
    main(facts, |tour| judge::fresh(tour, facts.session.clock.now())).await
}

async fn durations(facts: &Facts<'_>) -> Outcome {
    let forecast = facts.runbook.forecast.as_ref();
    main(facts, |tour| judge::durations(tour, forecast)).await
}

async fn ladder(facts: &Facts<'_>) -> Outcome {
    let Some(forecast) = &facts.runbook.forecast else {
        return Ok(Verdict::not_applicable("the runbook has no forecast"));
    };
    main(facts, |tour| judge::ladder(tour, forecast)).await
}

async fn renditions(facts: &Facts<'_>) -> Outcome {
    main(facts, judge::renditions).await
}

async fn date_time(facts: &Facts<'_>) -> Outcome {
    main(facts, judge::date_time).await
}

async fn discontinuities(facts: &Facts<'_>) -> Outcome {
    main(facts, judge::discontinuities).await
}

async fn segments(facts: &Facts<'_>) -> Outcome {
    main(facts, judge::segments).await
}

async fn content_types(facts: &Facts<'_>) -> Outcome {
    main(facts, judge::content_types).await
}

async fn manifest_cache(facts: &Facts<'_>) -> Outcome {
    let forecast = facts.runbook.forecast.as_ref();
    main(facts, |tour| judge::manifest_cache(tour, forecast)).await
}

async fn segment_cache(facts: &Facts<'_>) -> Outcome {
    main(facts, judge::segment_cache).await
}

async fn media_quality(facts: &Facts<'_>) -> Outcome {
    let origins = facts.runbook.origins.as_ref();
    if !origins.is_some_and(|origins| origins.groups.iter().any(|group| group.media_quality)) {
        return Ok(Verdict::not_applicable(
            "no origin group uses media quality",
        ));
    }
    main(facts, judge::media_quality).await
}

async fn dash(facts: &Facts<'_>) -> Outcome {
    let forecast = facts.runbook.forecast.as_ref();
    toured(
        facts,
        |one| one.samples.dash.as_ref(),
        |tour| judge::whole(tour, facts.session.clock.now(), forecast),
    )
    .await
}

async fn ads(facts: &Facts<'_>) -> Outcome {
    toured(
        facts,
        |one| one.samples.ad_manifest.as_ref(),
        |tour| judge::whole(tour, facts.session.clock.now(), None),
    )
    .await
}

async fn same(facts: &Facts<'_>) -> Outcome {
    let serving: Vec<(&Distribution, &String)> = serving(facts)
        .into_iter()
        .filter_map(|one| Some((one, one.samples.manifest.as_ref()?)))
        .collect();
    if serving.len() < 2 {
        return Ok(Verdict::not_applicable(
            "one distribution alone serves video",
        ));
    }
    let made = join_all(serving.iter().map(async |(one, path)| {
        let tour = tour(facts, one, path).await?;
        Ok::<(&str, Rc<Tour>), Gap>((one.name.as_str(), tour))
    }))
    .await;
    let made: Vec<(&str, Rc<Tour>)> = made.into_iter().collect::<Result<_, Gap>>()?;
    Ok(judge::same(&made))
}

async fn key(facts: &Facts<'_>) -> Outcome {
    let serving = serving(facts)
        .into_iter()
        .filter_map(|one| Some((one, one.samples.key.as_ref()?)));
    let enforced = facts
        .runbook
        .tokens
        .as_ref()
        .is_some_and(|tokens| tokens.mode == crate::runbook::TokenMode::Enforce);
    let verdicts = serving.map(async |(one, path)| {
        let url = format!("https://{}{path}", one.domain);
        let refused = match ask_for_key(facts, &url, None).await {
            Ok(reply) => named(one, judge::key(&reply, enforced)),
            Err(gap) => gap.into(),
        };
        let viewer = match token::pass(facts).await {
            Ok(pass) if pass.has_token() => ask_for_key(facts, &url, Some(pass)).await,
            // Without a token at hand there is nothing more to try.
            Ok(_) | Err(Gap::Absent(_)) => return vec![refused],
            Err(gap) => Err(gap),
        };
        let served = match viewer {
            Ok(reply) => named(one, judge::key_with_token(&reply)),
            Err(gap) => gap.into(),
        };
        vec![refused, served]
    });
    let nothing = "no distribution has a key among its samples";
    let verdicts = join_all(verdicts).await;
    Ok(Verdict::across(verdicts.into_iter().flatten(), nothing))
}

/// Asks for a key as a viewer with this pass, or as a stranger.
async fn ask_for_key(
    facts: &Facts<'_>,
    url: &str,
    pass: Option<token::Pass>,
) -> Result<Rc<tour::Reply>, Gap> {
    let operation = match &pass {
        Some(_) => "fetch.key-with-token",
        None => "fetch.key",
    };
    let pass = pass.unwrap_or_else(|| token::Pass::without_token(facts));
    let (wanted, fetches) = (url.to_owned(), Rc::clone(&facts.fetches));
    facts
        .read(operation, url, |_| async move {
            tour::get(&fetches, &wanted, &pass, DIRECT_LIMIT, false).await
        })
        .await
}

async fn direct(facts: &Facts<'_>) -> Outcome {
    let Some(origins) = &facts.runbook.origins else {
        return Ok(Verdict::not_applicable("the runbook has no origins"));
    };
    let verdicts = origins.direct_probes.iter().map(async |url| {
        let fetch = Fetch {
            url: url.clone(),
            headers: Vec::new(),
            limit: DIRECT_LIMIT,
            timeout: Duration::from_secs(DIRECT_SECONDS),
        };
        let read = facts.read("fetch.direct", url, |cloud| async move {
            cloud.fetch(fetch).await
        });
        let name = host(url).unwrap_or_default();
        let name = printable(&name).into_owned();
        match read.await {
            Ok(answer) => judge::direct(&name, answer.status),
            // A closed door is closed, too; but from here it looks like a network that is down.
            Err(gap) => gap.into(),
        }
    });
    let nothing = "the runbook names no direct-probes";
    Ok(Verdict::across(join_all(verdicts).await, nothing))
}
