//! What a player would make of a manifest: HLS and DASH, read by the crates made for them, into
//! the few facts that say whether a live presentation is healthy. Pure: fetching is others'.
//!
//! Manifests come from the network. A manifest is at most [`LIMIT`] bytes, and every text in it is
//! escaped before it is shown.

mod dash;
mod hls;
pub(crate) mod url;

use jiff::Timestamp;

use crate::event::text::printable;
use crate::runbook::Forecast;

/// Bytes of a manifest at most: MediaTailor's own limit for a manifest is 2 MB (its quotas), and
/// no healthy one comes near it.
pub(crate) const LIMIT: usize = 2 * 1024 * 1024;
/// The latest complete segment may end this many segments ago: packaging takes one, the edge's
/// copy another, a pipeline's own delay the third.
const BEHIND_SEGMENTS: f64 = 3.0;
/// Clocks of encoder and reader may differ by this much, in seconds.
const AHEAD_SECONDS: f64 = 10.0;
/// How far a rendition's bitrate may be from the forecast's: rate control and audio.
const BITRATE_TOLERANCE: f64 = 0.25;

/// A manifest, read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Manifest {
    /// HLS's list of renditions, whose timelines are in playlists of their own.
    Multivariant(Vec<Rendition>),
    /// HLS's playlist of one rendition.
    Media(Timeline),
    /// DASH has both in one.
    Dash(Vec<Rendition>, Timeline),
}

/// One bitrate of the presentation's video.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rendition {
    /// Bits a second at the peak (HLS), or as DASH has it.
    pub(crate) bandwidth: u64,
    /// Bits a second on average, where HLS says.
    pub(crate) average: Option<u64>,
    /// Its playlist, as written; none in DASH.
    pub(crate) uri: Option<String>,
    pub(crate) height: Option<u64>,
}

/// The segments of a rendition that can be asked for now.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Timeline {
    /// It goes on: no end list (HLS), type dynamic (DASH).
    pub(crate) live: bool,
    /// HLS's target duration, in seconds.
    pub(crate) target: Option<f64>,
    /// Seconds of the longest segment.
    pub(crate) longest: f64,
    /// Seconds of the segment of the middle length.
    pub(crate) usual: f64,
    /// When the last segment ends, by program date-times, or by DASH's clock.
    pub(crate) edge: Option<Timestamp>,
    /// HLS says when segments were made; always in a DASH manifest that is dynamic.
    pub(crate) dated: bool,
    pub(crate) segments: usize,
    pub(crate) sequence: u64,
    pub(crate) discontinuities: usize,
    /// URIs as written, first and last of the window, resolved against the manifest by the caller.
    pub(crate) first: Option<String>,
    pub(crate) last: Option<String>,
    /// URIs of keys that a player would fetch.
    pub(crate) keys: Vec<String>,
}

/// Why a text is no manifest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unreadable {
    #[error("it has {0} bytes, and more than {LIMIT} are not read")]
    TooLong(usize),
    #[error("it is not text")]
    NotText,
    #[error("it is neither an HLS playlist nor a DASH manifest; it begins with `{0}`")]
    Neither(String),
    #[error("the HLS playlist cannot be parsed: {0}")]
    Hls(String),
    #[error("the DASH manifest cannot be parsed: {0}")]
    Dash(String),
}

/// What is wrong with a manifest.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Problem {
    /// It ended, or never was live.
    NotLive,
    /// Nothing can be played.
    Empty,
    /// Its live edge is this many seconds old.
    Stale(f64),
    /// Its live edge is this many seconds in the future.
    Ahead(f64),
    /// No program date-time.
    #[cfg(test)]
    Undated,
    /// The target duration, or the usual length of a segment, is not the forecast's.
    Length { found: f64, expected: f64 },
    /// A segment is longer than the target duration lets it be.
    TooLong { longest: f64, target: f64 },
    /// A rung of the forecast's ladder is not there.
    Missing { name: String, megabits: f64 },
    /// A rendition that the forecast does not have, in bits a second.
    Unexpected(u64),
}

impl std::fmt::Display for Problem {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotLive => formatter.write_str("it is not live: players stop at its end"),
            Self::Empty => formatter.write_str("it has no segments"),
            Self::Stale(seconds) => {
                write!(formatter, "its newest segment ended {seconds:.0} s ago")
            }
            Self::Ahead(seconds) => {
                write!(formatter, "its newest segment ends {seconds:.0} s from now")
            }
            #[cfg(test)]
            Self::Undated => formatter.write_str("it has no program date-time"),
            Self::Length { found, expected } => {
                write!(formatter, "segments of {found} s, not of {expected} s")
            }
            Self::TooLong { longest, target } => {
                write!(
                    formatter,
                    "a segment of {longest} s under a target duration of {target} s"
                )
            }
            Self::Missing { name, megabits } => {
                write!(formatter, "{name} ({megabits} Mbit/s) is missing")
            }
            Self::Unexpected(bits) => {
                #[expect(clippy::cast_precision_loss, reason = "a figure to look at")]
                let megabits = *bits as f64 / 1e6;
                write!(formatter, "{megabits:.1} Mbit/s is not in the forecast")
            }
        }
    }
}

/// Reads a manifest of either kind.
pub(crate) fn read(bytes: &[u8]) -> Result<Manifest, Unreadable> {
    if bytes.len() > LIMIT {
        return Err(Unreadable::TooLong(bytes.len()));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Unreadable::NotText)?;
    let text = text.trim_start_matches('\u{feff}').trim_start();
    if text.starts_with("#EXTM3U") {
        hls::read(text)
    } else if is_mpd(text) {
        dash::read(text)
    } else {
        let start: String = text.chars().take(20).collect();
        Err(Unreadable::Neither(printable(&start).into_owned()))
    }
}

/// Whether a text is XML whose root element is DASH's.
fn is_mpd(text: &str) -> bool {
    let mut reader = quick_xml::Reader::from_str(text);
    loop {
        match reader.read_event() {
            Ok(quick_xml::events::Event::Start(start)) => {
                return start.local_name().as_ref() == "MPD";
            }
            Ok(quick_xml::events::Event::Eof) | Err(_) => return false,
            Ok(_) => {}
        }
    }
}

/// What is wrong with what a manifest says of its time.
pub(crate) fn freshness(timeline: &Timeline, now: Timestamp) -> Vec<Problem> {
    if timeline.segments == 0 {
        return vec![Problem::Empty];
    }
    if !timeline.live {
        return vec![Problem::NotLive];
    }
    let Some(edge) = timeline.edge else {
        return Vec::new();
    };
    let age = now.duration_since(edge).as_secs_f64();
    let length = timeline.longest.max(timeline.target.unwrap_or_default());
    if age > length * BEHIND_SEGMENTS {
        vec![Problem::Stale(age)]
    } else if -age > AHEAD_SECONDS + length {
        vec![Problem::Ahead(-age)]
    } else {
        Vec::new()
    }
}

/// What is wrong with the length of a manifest's segments.
pub(crate) fn lengths(timeline: &Timeline, forecast: Option<&Forecast>) -> Vec<Problem> {
    let mut problems = Vec::new();
    if let Some(target) = timeline.target {
        // RFC 8216, 4.3.3.1: each duration, rounded to the nearest integer, is at most the target.
        if timeline.longest.round() > target {
            problems.push(Problem::TooLong {
                longest: timeline.longest,
                target,
            });
        }
    }
    if let Some(forecast) = forecast.filter(|_| timeline.segments > 0) {
        let expected = forecast.segment_seconds;
        // HLS's target duration is whole; a segment may be cut a few frames off.
        let claimed = timeline
            .target
            .filter(|target| (target - expected).abs() >= 1.0);
        let usual = Some(timeline.usual).filter(|usual| (usual - expected).abs() > expected * 0.1);
        if let Some(found) = claimed.or(usual) {
            problems.push(Problem::Length { found, expected });
        }
    }
    problems
}

/// Which rungs of the forecast's ladder are not there, and which renditions are not in it. Each
/// rendition stands for one rung.
pub(crate) fn ladder(renditions: &[Rendition], forecast: &Forecast) -> Vec<Problem> {
    let mut left: Vec<&Rendition> = renditions.iter().collect();
    let mut problems = Vec::new();
    for rung in &forecast.ladder {
        let wanted = rung.megabits * 1e6;
        let closest = left
            .iter()
            .enumerate()
            .map(|(index, rendition)| (index, distance(rendition, wanted)))
            .filter(|(_, distance)| *distance <= BITRATE_TOLERANCE)
            .min_by(|left, right| left.1.total_cmp(&right.1));
        match closest {
            Some((index, _)) => {
                left.remove(index);
            }
            None => problems.push(Problem::Missing {
                name: rung.name.clone(),
                megabits: rung.megabits,
            }),
        }
    }
    let unexpected = left.iter().map(|one| one.average.unwrap_or(one.bandwidth));
    problems.extend(unexpected.map(Problem::Unexpected));
    problems
}

/// How far a rendition's bitrate is from the one wanted, as a part of that one.
#[expect(clippy::cast_precision_loss, reason = "bitrates are far below 2^52")]
fn distance(rendition: &Rendition, wanted: f64) -> f64 {
    [Some(rendition.bandwidth), rendition.average]
        .into_iter()
        .flatten()
        .map(|bits| (bits as f64 - wanted).abs() / wanted)
        .fold(f64::INFINITY, f64::min)
}

/// Everything that is wrong with a manifest by itself.
#[cfg(test)]
pub(crate) fn judge(
    bytes: &[u8],
    now: Timestamp,
    forecast: Option<&Forecast>,
) -> Result<Vec<Problem>, Unreadable> {
    let manifest = read(bytes)?;
    let mut problems = Vec::new();
    let (renditions, timeline) = match &manifest {
        Manifest::Multivariant(renditions) => (Some(renditions), None),
        Manifest::Media(timeline) => (None, Some(timeline)),
        Manifest::Dash(renditions, timeline) => (Some(renditions), Some(timeline)),
    };
    if let (Some(renditions), Some(forecast)) = (renditions, forecast) {
        problems.extend(ladder(renditions, forecast));
    }
    if let Some(timeline) = timeline {
        problems.extend(freshness(timeline, now));
        problems.extend(lengths(timeline, forecast));
        if !timeline.dated {
            problems.push(Problem::Undated);
        }
    }
    Ok(problems)
}

#[cfg(test)]
mod tests;
