//! DASH manifests (ISO/IEC 23009-1).

use dash_mpd_core::{AdaptationSet, MPD, Period, Representation, SegmentTemplate};
use jiff::{SignedDuration, Timestamp};

use super::{Manifest, Rendition, Timeline, Unreadable};
use crate::event::text::printable;

/// Segments that one timeline may stand for: a day of half seconds. A repeat count is a number
/// that somebody wrote, and nothing is built from it.
const MOST_SEGMENTS: u64 = 172_800;

pub(super) fn read(text: &str) -> Result<Manifest, Unreadable> {
    let mpd = dash_mpd_core::parse(text).map_err(|error| {
        let words: String = error.to_string().chars().take(120).collect();
        Unreadable::Dash(printable(&words).into_owned())
    })?;
    // The last period is the one that is on.
    let period = mpd.periods.last();
    let renditions = period
        .into_iter()
        .flat_map(videos)
        .flat_map(|set| &set.representations)
        .map(|one| Rendition {
            bandwidth: one.bandwidth.unwrap_or_default(),
            average: None,
            uri: None,
            height: one.height,
        })
        .collect();
    Ok(Manifest::Dash(renditions, timeline(&mpd, period)))
}

fn videos(period: &Period) -> impl Iterator<Item = &AdaptationSet> {
    period.adaptations.iter().filter(|set| {
        let says = |text: Option<&String>| text.is_some_and(|text| text.starts_with("video"));
        says(set.contentType.as_ref())
            || says(set.mimeType.as_ref())
            || set
                .representations
                .iter()
                .any(|one| says(one.mimeType.as_ref()) || one.height.is_some())
    })
}

fn timeline(mpd: &MPD, period: Option<&Period>) -> Timeline {
    let live = mpd.mpdtype.as_deref() == Some("dynamic");
    let mut read = Timeline {
        live,
        dated: live && mpd.availabilityStartTime.is_some(),
        discontinuities: mpd.periods.len().saturating_sub(1),
        ..Timeline::default()
    };
    let Some(period) = period else { return read };
    let Some(set) = videos(period).next() else {
        return read;
    };
    let Some(representation) = set.representations.first() else {
        return read;
    };
    let template = representation
        .SegmentTemplate
        .as_ref()
        .or(set.SegmentTemplate.as_ref())
        .or(period.SegmentTemplate.as_ref());
    if let Some(template) = template {
        by_template(&mut read, mpd, period, representation, template);
    }
    read
}

#[expect(
    clippy::cast_precision_loss,
    reason = "times of a broadcast in ticks are far below 2^52 or judged as absurd all the same"
)]
fn by_template(
    read: &mut Timeline,
    mpd: &MPD,
    period: &Period,
    representation: &Representation,
    template: &SegmentTemplate,
) {
    let scale = template.timescale.filter(|scale| *scale > 0).unwrap_or(1) as f64;
    let start = template.startNumber.unwrap_or(1);
    let Some(list) = template.SegmentTimeline.as_ref() else {
        // Numbers follow from the clock: there is always a newest one, whatever is behind it.
        let length = template.duration.unwrap_or_default() / scale;
        read.longest = length;
        read.usual = length;
        read.segments = usize::from(length > 0.0);
        read.sequence = start;
        return;
    };
    let (mut at, mut count) = (0_u64, 0_u64);
    let (mut first_time, mut last_time) = (None, 0);
    let mut lengths = Vec::new();
    for (index, one) in list.segments.iter().enumerate() {
        at = one.t.unwrap_or(at);
        let next = list.segments.get(index + 1).and_then(|next| next.t);
        let times = match one.r {
            Some(repeat) if repeat >= 0 => u64::try_from(repeat).unwrap_or_default() + 1,
            // To the next one, or to the end of the period: open-ended.
            Some(_) => next.map_or(1, |next| next.saturating_sub(at) / one.d.max(1)),
            None => 1,
        };
        let times = times.clamp(1, MOST_SEGMENTS);
        first_time.get_or_insert(at);
        last_time = at.saturating_add(one.d.saturating_mul(times - 1));
        at = last_time.saturating_add(one.d);
        count = count.saturating_add(times);
        lengths.push(one.d as f64 / scale);
    }
    lengths.sort_by(f64::total_cmp);
    read.longest = lengths.last().copied().unwrap_or_default();
    read.usual = lengths.get(lengths.len() / 2).copied().unwrap_or_default();
    read.segments = usize::try_from(count).unwrap_or(usize::MAX);
    read.sequence = start;
    let offset = template.presentationTimeOffset.unwrap_or_default();
    read.edge = edge(mpd, period, at.saturating_sub(offset) as f64 / scale);
    if let Some(first_time) = first_time {
        let media = template.media.as_deref();
        let url = |number: u64, time: u64| filled(media?, representation, number, time);
        read.first = url(start, first_time);
        let last = start.saturating_add(count.saturating_sub(1));
        read.last = url(last, last_time);
    }
}

/// The time at which what is `seconds` into the period was live.
fn edge(mpd: &MPD, period: &Period, seconds: f64) -> Option<Timestamp> {
    let origin = mpd.availabilityStartTime?.timestamp_millis();
    let origin = Timestamp::from_millisecond(origin).ok()?;
    let start = period.start.unwrap_or_default();
    origin
        .checked_add(SignedDuration::try_from(start).ok()?)
        .ok()?
        .checked_add(SignedDuration::try_from_secs_f64(seconds).ok()?)
        .ok()
}

/// A template with its identifiers filled in (5.3.9.4.4); none when it has others, or base URLs
/// that would have to be walked.
fn filled(
    template: &str,
    representation: &Representation,
    number: u64,
    time: u64,
) -> Option<String> {
    let mut parts = template.split('$');
    let mut text = parts.next()?.to_owned();
    while let Some(identifier) = parts.next() {
        let (name, width) = match identifier.split_once("%0") {
            Some((name, format)) => (name, format.trim_end_matches('d').parse().ok()?),
            None => (identifier, 0_usize),
        };
        let width = width.min(20);
        match name {
            "" => text.push('$'),
            "RepresentationID" => text.push_str(representation.id.as_deref()?),
            "Number" => text.push_str(&format!("{number:0width$}")),
            "Time" => text.push_str(&format!("{time:0width$}")),
            "Bandwidth" => text.push_str(&format!("{:0width$}", representation.bandwidth?)),
            _ => return None,
        }
        text.push_str(parts.next()?);
    }
    Some(text)
}
