//! One player's tour of a presentation through one distribution: its manifest, a playlist of each
//! rendition, the first and the last segment. Made once a run, whichever checks look at it.

use std::rc::Rc;
use std::time::Duration;

use futures_util::future::join_all;

use super::token::{Pass, USER_AGENT};
use crate::cloud::CloudError;
use crate::cloud::fetch::{Fetch, Fetched};
use crate::event::text::printable;
use crate::playback::url::{host, resolve};
use crate::playback::{self, Manifest, Rendition, Timeline};
use crate::preflight::fetches::Fetches;
use crate::preflight::{Facts, Gap};
use crate::runbook::Distribution;

/// How long each request may take: players give up about then.
const LIMIT_SECONDS: u64 = 6;
/// Bytes of a segment at most: half a minute at 8 Mbit/s, should a server ignore the range.
const SEGMENT_LIMIT: usize = 32 * 1024 * 1024;
/// Renditions whose playlists are read: more is no ladder, but somebody's mischief.
const MOST_RENDITIONS: usize = 24;
/// Redirects that are followed, on the same host alone.
const REDIRECTS: usize = 3;

/// An answer and where it came from.
#[derive(Debug, Clone)]
pub(super) struct Reply {
    /// Without the query, which may hold a token: safe to show.
    pub(super) place: String,
    pub(super) answer: Fetched,
}

impl Reply {
    pub(super) fn is_good(&self) -> bool {
        matches!(self.answer.status, 200 | 206)
    }

    /// Refused by a guard, of which other checks speak.
    pub(super) fn is_refused(&self) -> bool {
        matches!(self.answer.status, 401 | 403 | 451)
    }

    /// A response header, safe to show.
    pub(super) fn header(&self, name: &str) -> Option<String> {
        self.answer
            .header(name)
            .map(|value| printable(value).into_owned())
    }

    /// Seconds that the answer may be kept by shared caches; none when nothing says.
    pub(super) fn max_age(&self) -> Option<u64> {
        let header = self.answer.header("cache-control")?;
        let directive = |wanted: &str| {
            header.split(',').find_map(|part| {
                let (name, value) = part.trim().split_once('=')?;
                let fits = name.trim().eq_ignore_ascii_case(wanted);
                fits.then(|| value.trim().trim_matches('"').parse().ok())?
            })
        };
        let never = header.split(',').any(|part| {
            let part = part.trim();
            part.eq_ignore_ascii_case("no-store") || part.eq_ignore_ascii_case("no-cache")
        });
        if never {
            return Some(0);
        }
        directive("s-maxage").or_else(|| directive("max-age"))
    }
}

/// What a player found.
#[derive(Debug, Clone)]
pub(super) struct Tour {
    pub(super) manifest: Reply,
    /// Why the manifest is none.
    pub(super) read: Result<Presentation, String>,
    /// First and last segments of the renditions that were looked at.
    pub(super) segments: Vec<Result<Reply, String>>,
}

/// A presentation as its manifests have it.
#[derive(Debug, Clone)]
pub(super) struct Presentation {
    pub(super) renditions: Vec<Rendition>,
    /// By rendition: where its playlist is, and what it says or why it could not be read.
    pub(super) timelines: Vec<(String, Result<Timeline, String>)>,
    /// The playlists as they came; empty for DASH.
    pub(super) playlists: Vec<Reply>,
}

/// The tour of a distribution's presentation from a sample path, made once a run.
pub(super) async fn tour(
    facts: &Facts<'_>,
    distribution: &Distribution,
    path: &str,
) -> Result<Rc<Tour>, Gap> {
    let url = format!("https://{}{path}", distribution.domain);
    let key = url.clone();
    let pass = super::token::pass(facts).await?;
    let fetches = Rc::clone(&facts.fetches);
    let made = facts
        .read("fetch.presentation", &key, |_| async move {
            make(&fetches, &url, &pass).await.map_err(Gap::from)
        })
        .await?;
    if made.manifest.is_refused() {
        let status = made.manifest.answer.status;
        return Err(Gap::Unknown(format!(
            "{} refuses this machine with {status}: no key for a token at hand (tokens.key in the runbook), or it is outside the rights",
            made.manifest.place
        )));
    }
    Ok(made)
}

/// One request of a player, following redirects on the same host.
pub(super) async fn get(
    fetches: &Fetches,
    url: &str,
    pass: &Pass,
    limit: usize,
    range: bool,
) -> Result<Reply, CloudError> {
    let mut url = url.to_owned();
    for _ in 0..=REDIRECTS {
        let place = printable(url.split(['?', '#']).next().unwrap_or_default()).into_owned();
        let with_token = pass.on(&url);
        let mut headers = vec![("user-agent".to_owned(), USER_AGENT.to_owned())];
        headers.extend(pass.headers());
        if range {
            headers.push(("range".to_owned(), "bytes=0-1023".to_owned()));
        }
        let fetch = Fetch {
            url: with_token,
            headers,
            limit,
            timeout: Duration::from_secs(LIMIT_SECONDS),
        };
        let answer = fetches.fetch(fetch).await?;
        let next = answer
            .header("location")
            .filter(|_| (300..400).contains(&answer.status))
            .and_then(|location| resolve(&url, location))
            .filter(|next| host(next) == host(&url));
        let Some(next) = next else {
            let answer = Fetched::clone(&answer);
            return Ok(Reply { place, answer });
        };
        url = next;
    }
    Err(CloudError::Unreadable {
        operation: "fetch".to_owned(),
        message: format!("{} redirects in a circle", host(&url).unwrap_or_default()),
    })
}

async fn make(fetches: &Fetches, url: &str, pass: &Pass) -> Result<Tour, CloudError> {
    let manifest = get(fetches, url, pass, playback::LIMIT, false).await?;
    if !manifest.is_good() {
        let read = Err(format!(
            "{} answers {}",
            manifest.place, manifest.answer.status
        ));
        return Ok(Tour {
            manifest,
            read,
            segments: Vec::new(),
        });
    }
    let read = playback::read(&manifest.answer.body);
    let presentation = match read {
        Err(error) => Err(format!("{}: {error}", manifest.place)),
        Ok(Manifest::Dash(renditions, timeline)) => Ok(Presentation {
            renditions,
            timelines: vec![(url.to_owned(), Ok(timeline))],
            playlists: Vec::new(),
        }),
        Ok(Manifest::Media(timeline)) => Ok(Presentation {
            renditions: Vec::new(),
            timelines: vec![(url.to_owned(), Ok(timeline))],
            playlists: Vec::new(),
        }),
        Ok(Manifest::Multivariant(renditions)) => {
            Ok(playlists(fetches, url, pass, renditions).await)
        }
    };
    let segments = match &presentation {
        Ok(presentation) => segments(fetches, pass, presentation).await,
        Err(_) => Vec::new(),
    };
    Ok(Tour {
        manifest,
        read: presentation,
        segments,
    })
}

async fn playlists(
    fetches: &Fetches,
    url: &str,
    pass: &Pass,
    renditions: Vec<Rendition>,
) -> Presentation {
    let asked = renditions.iter().take(MOST_RENDITIONS).map(async |one| {
        let reference = one.uri.as_deref().unwrap_or_default();
        let Some(playlist) = resolve(url, reference) else {
            let reference = printable(reference).into_owned();
            let why = format!("`{reference}` is no address that a player can fetch");
            return (reference, None, Err(why));
        };
        // A token is for the event's own hosts, and for no stranger's.
        let stranger = Pass::default();
        let pass = if host(&playlist) == host(url) {
            pass
        } else {
            &stranger
        };
        match get(fetches, &playlist, pass, playback::LIMIT, false).await {
            Err(error) => (playlist, None, Err(error.to_string())),
            Ok(reply) => {
                let read = read_media(&reply);
                (playlist, Some(reply), read)
            }
        }
    });
    let mut timelines = Vec::new();
    let mut replies = Vec::new();
    for (playlist, reply, read) in join_all(asked).await {
        timelines.push((playlist, read));
        replies.extend(reply);
    }
    Presentation {
        renditions,
        timelines,
        playlists: replies,
    }
}

fn read_media(reply: &Reply) -> Result<Timeline, String> {
    if !reply.is_good() {
        return Err(format!("{} answers {}", reply.place, reply.answer.status));
    }
    match playback::read(&reply.answer.body) {
        Ok(Manifest::Media(timeline)) => Ok(timeline),
        Ok(_) => Err(format!("{} is no media playlist", reply.place)),
        Err(error) => Err(format!("{}: {error}", reply.place)),
    }
}

/// First and last segment of every timeline.
async fn segments(
    fetches: &Fetches,
    pass: &Pass,
    presentation: &Presentation,
) -> Vec<Result<Reply, String>> {
    let mut urls: Vec<(String, String)> = Vec::new();
    for (base, timeline) in &presentation.timelines {
        let Ok(timeline) = timeline else { continue };
        for reference in [&timeline.first, &timeline.last].into_iter().flatten() {
            if let Some(url) = resolve(base, reference) {
                urls.push((base.clone(), url));
            }
        }
    }
    let asked = urls.into_iter().map(async |(base, url)| {
        let stranger = Pass::default();
        let pass = if host(&base) == host(&url) {
            pass
        } else {
            &stranger
        };
        let reply = get(fetches, &url, pass, SEGMENT_LIMIT, true).await;
        reply.map_err(|error| error.to_string())
    });
    join_all(asked).await
}
