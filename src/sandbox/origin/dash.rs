//! The presentation as a DASH manifest: one period, numbered segments with a timeline.

use std::fmt::Write as _;

use super::{Presentation, WINDOW_SECONDS, date_time, hls};

/// The manifest.
pub(super) fn manifest(presentation: &Presentation<'_>) -> String {
    let milliseconds = presentation.milliseconds;
    let seconds = |milliseconds: u64| {
        let (whole, rest) = (milliseconds / 1000, milliseconds % 1000);
        format!("PT{whole}.{rest:03}S")
    };
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" profiles=\"urn:mpeg:dash:profile:isoff-live:2011\" \
         type=\"dynamic\" availabilityStartTime=\"1970-01-01T00:00:00Z\" publishTime=\"{}\" \
         minimumUpdatePeriod=\"{}\" minBufferTime=\"{}\" timeShiftBufferDepth=\"PT{WINDOW_SECONDS}S\" \
         suggestedPresentationDelay=\"{}\" maxSegmentDuration=\"{}\">\n\
         <Period id=\"1\" start=\"PT0S\">\n\
         <AdaptationSet id=\"1\" contentType=\"video\" mimeType=\"video/mp4\" segmentAlignment=\"true\" startWithSAP=\"1\">\n\
         <SegmentTemplate timescale=\"1000\" startNumber=\"{}\" media=\"$RepresentationID$/segment-$Number%06d$.m4s\" \
         initialization=\"$RepresentationID$/{}\"><SegmentTimeline><S t=\"{}\" d=\"{milliseconds}\" r=\"{}\"/></SegmentTimeline></SegmentTemplate>\n",
        date_time(presentation.published),
        seconds(milliseconds / 2),
        seconds(milliseconds * 2),
        seconds(milliseconds * 3),
        seconds(milliseconds),
        presentation.first,
        hls::INIT,
        presentation.first * milliseconds,
        (presentation.next - presentation.first).saturating_sub(1),
    );
    for rendition in &presentation.site.serves.ladder {
        let name = quick_xml::escape::escape(rendition.name.as_str());
        let bandwidth = rendition.bandwidth;
        write!(
            text,
            "<Representation id=\"{name}\" bandwidth=\"{bandwidth}\" codecs=\"avc1.640028\" frameRate=\"50\""
        )
        .expect("a string takes all");
        if let Some((width, height)) = hls::size(&rendition.name) {
            write!(text, " width=\"{width}\" height=\"{height}\"").expect("a string takes all");
        }
        text.push_str("/>\n");
    }
    text.push_str("</AdaptationSet>\n</Period>\n</MPD>\n");
    text
}
