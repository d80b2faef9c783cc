//! HLS playlists (RFC 8216).

use jiff::{SignedDuration, Timestamp};
use m3u8_rs::{KeyMethod, MediaPlaylist, Playlist};

use super::{Manifest, Rendition, Timeline, Unreadable};

pub(super) fn read(text: &str) -> Result<Manifest, Unreadable> {
    // The parser's error holds the rest of the text, and says little else.
    let playlist = m3u8_rs::parse_playlist_res(text.as_bytes())
        .map_err(|_| Unreadable::Hls("a tag or its attributes are malformed".to_owned()))?;
    Ok(match playlist {
        Playlist::MasterPlaylist(master) => Manifest::Multivariant(
            master
                .variants
                .into_iter()
                .filter(|variant| !variant.is_i_frame)
                .map(|variant| Rendition {
                    bandwidth: variant.bandwidth,
                    average: variant.average_bandwidth,
                    height: variant.resolution.map(|size| size.height),
                    uri: Some(variant.uri),
                })
                .collect(),
        ),
        Playlist::MediaPlaylist(media) => Manifest::Media(timeline(&media)),
    })
}

fn timeline(media: &MediaPlaylist) -> Timeline {
    let segments = &media.segments;
    let mut lengths: Vec<f64> = segments
        .iter()
        .map(|segment| f64::from(segment.duration))
        .filter(|length| length.is_finite())
        .collect();
    lengths.sort_by(f64::total_cmp);
    let mut keys: Vec<String> = Vec::new();
    for key in segments.iter().filter_map(|segment| segment.key.as_ref()) {
        // Keys of DRM systems have addresses that no HTTP client fetches, such as `skd:`.
        let plain = key.method != KeyMethod::None
            && key
                .keyformat
                .as_deref()
                .is_none_or(|format| format == "identity");
        if let Some(uri) = key.uri.as_ref().filter(|uri| plain && !keys.contains(uri)) {
            keys.push(uri.clone());
        }
    }
    Timeline {
        live: !media.end_list,
        #[expect(clippy::cast_precision_loss, reason = "seconds, far below 2^52")]
        target: Some(media.target_duration as f64),
        longest: lengths.last().copied().unwrap_or_default(),
        usual: lengths.get(lengths.len() / 2).copied().unwrap_or_default(),
        edge: edge(media),
        dated: segments
            .iter()
            .any(|segment| segment.program_date_time.is_some()),
        segments: segments.len(),
        sequence: media.media_sequence,
        discontinuities: segments
            .iter()
            .filter(|segment| segment.discontinuity)
            .count(),
        first: segments.first().map(|segment| segment.uri.clone()),
        last: segments.last().map(|segment| segment.uri.clone()),
        keys,
    }
}

/// The last program date-time, and what comes after it.
fn edge(media: &MediaPlaylist) -> Option<Timestamp> {
    let dated = media
        .segments
        .iter()
        .rposition(|segment| segment.program_date_time.is_some())?;
    let begins = media.segments[dated].program_date_time?;
    let begins = Timestamp::from_millisecond(begins.timestamp_millis()).ok()?;
    let rest: f64 = media.segments[dated..]
        .iter()
        .map(|segment| f64::from(segment.duration))
        .filter(|length| length.is_finite() && *length >= 0.0)
        .sum();
    let rest = SignedDuration::try_from_secs_f64(rest).ok()?;
    begins.checked_add(rest).ok()
}
