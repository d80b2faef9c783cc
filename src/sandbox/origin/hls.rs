//! The presentation as HLS playlists.

use std::fmt::Write as _;

use super::Presentation;

/// The file name of a rendition's media playlist.
pub(super) const PLAYLIST: &str = "index.m3u8";
/// The file name of a rendition's initialization section.
pub(super) const INIT: &str = "init.mp4";

/// The playlist of all renditions, whose folders are relative to `base`.
pub(super) fn multivariant(presentation: &Presentation<'_>, base: &str) -> String {
    let mut text = "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-INDEPENDENT-SEGMENTS\n".to_owned();
    for rendition in &presentation.site.serves.ladder {
        let average = rendition.bandwidth;
        let peak = average + average / 10;
        write!(
            text,
            "#EXT-X-STREAM-INF:BANDWIDTH={peak},AVERAGE-BANDWIDTH={average},CODECS=\"avc1.640028,mp4a.40.2\",FRAME-RATE=50.000"
        )
        .expect("a string takes all");
        if let Some((width, height)) = size(&rendition.name) {
            write!(text, ",RESOLUTION={width}x{height}").expect("a string takes all");
        }
        writeln!(text, "\n{base}{}/{PLAYLIST}", rendition.name).expect("a string takes all");
    }
    text
}

/// Width and height of `1080p`, at 16:9.
pub(super) fn size(name: &str) -> Option<(u64, u64)> {
    let height: u64 = name.trim_end_matches(['p', 'P']).parse().ok()?;
    (100..=4320)
        .contains(&height)
        .then_some((height * 16 / 9, height))
}

/// A rendition's playlist: all are alike, since names are relative.
pub(super) fn media(presentation: &Presentation<'_>) -> String {
    let site = presentation.site;
    let target = site
        .target_seconds
        .unwrap_or_else(|| presentation.milliseconds.div_ceil(1000));
    let first = presentation.first;
    let mut text = format!(
        "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-TARGETDURATION:{target}\n#EXT-X-MEDIA-SEQUENCE:{first}\n"
    );
    if let Some(key) = &site.serves.key {
        writeln!(
            text,
            "#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"{key}\",KEYFORMAT=\"identity\""
        )
        .expect("a string takes all");
    }
    writeln!(text, "#EXT-X-MAP:URI=\"{INIT}\"").expect("a string takes all");
    let whole = presentation.milliseconds / 1000;
    let rest = presentation.milliseconds % 1000;
    for number in first..presentation.next {
        if site.date_time {
            let starts = presentation.starts(number);
            writeln!(text, "#EXT-X-PROGRAM-DATE-TIME:{starts}").expect("a string takes all");
        }
        writeln!(text, "#EXTINF:{whole}.{rest:03},\nsegment-{number:06}.m4s")
            .expect("a string takes all");
    }
    text
}
