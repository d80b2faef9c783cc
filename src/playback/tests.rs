//! Manifests as they come, and one fact changed at a time.

use super::*;
use crate::runbook::Forecast;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn forecast() -> Forecast {
    let rung = |name: &str, megabits: f64, share: f64| crate::runbook::Rung {
        name: name.to_owned(),
        megabits,
        share,
    };
    Forecast {
        peak_viewers: 1000,
        segment_seconds: 4.0,
        requests_per_segment: 3.0,
        ladder: vec![rung("1080p", 6.0, 60.0), rung("720p", 3.0, 40.0)],
        countries: Vec::new(),
        distributions: Vec::new(),
        revocations: 0,
        ad_requests_per_second: None,
        ad_break_spread_seconds: 15.0,
    }
}

const MEDIA: &str = "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:7\n\
    #EXT-X-PROGRAM-DATE-TIME:2026-06-14T18:30:00.000Z\n#EXTINF:4.000,\na.m4s\n#EXTINF:4.000,\nb.m4s\n";

const MULTIVARIANT: &str = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=6600000,AVERAGE-BANDWIDTH=6000000\n1080p.m3u8\n\
    #EXT-X-STREAM-INF:BANDWIDTH=3300000,AVERAGE-BANDWIDTH=3000000\n720p.m3u8\n";

#[test]
fn one_thing_wrong_is_the_one_thing_said() {
    let now = at("2026-06-14T18:30:10Z");
    let forecast = forecast();
    let said = |text: &str, now: Timestamp| {
        judge(text.as_bytes(), now, Some(&forecast))
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    assert_eq!(said(MEDIA, now), [""; 0]);
    assert_eq!(said(MULTIVARIANT, now), [""; 0]);
    for (text, expected) in [
        (
            MEDIA.to_owned() + "#EXT-X-ENDLIST\n",
            "it is not live: players stop at its end",
        ),
        (
            MEDIA.replace("#EXT-X-PROGRAM-DATE-TIME:2026-06-14T18:30:00.000Z\n", ""),
            "it has no program date-time",
        ),
        (
            MEDIA.replace("TARGETDURATION:4", "TARGETDURATION:8"),
            "segments of 8 s, not of 4 s",
        ),
        (
            MEDIA.replacen("#EXTINF:4.000", "#EXTINF:5.700", 1),
            "a segment of 5.699999809265137 s under a target duration of 4 s",
        ),
        (
            MULTIVARIANT
                .replace("3000000", "1000000")
                .replace("3300000", "1100000"),
            "720p (3 Mbit/s) is missing",
        ),
    ] {
        assert_eq!(said(&text, now).first().map(String::as_str), Some(expected));
    }
    let late = at("2026-06-14T18:31:00Z");
    assert_eq!(said(MEDIA, late), ["its newest segment ended 52 s ago"]);
    let early = at("2026-06-14T18:29:00Z");
    assert_eq!(
        said(MEDIA, early),
        ["its newest segment ends 68 s from now"]
    );
}

#[test]
fn what_is_no_manifest_is_said_to_be_none() {
    for (text, expected) in [
        (
            "served\n",
            "it is neither an HLS playlist nor a DASH manifest; it begins with `served\\n`",
        ),
        (
            "<html><body>no</body></html>",
            "it is neither an HLS playlist nor a DASH manifest; it begins with `<html><body>no</body`",
        ),
        (
            "<MPD type=\"dynamic\"><Period start=\"soon\"></Period></MPD>",
            "the DASH manifest cannot be parsed",
        ),
    ] {
        let error = read(text.as_bytes()).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
    assert_eq!(read(&[0xff, 0xfe]), Err(Unreadable::NotText));
    let long = vec![b'#'; LIMIT + 1];
    assert_eq!(read(&long), Err(Unreadable::TooLong(LIMIT + 1)));
}

#[test]
fn a_dash_timeline_ends_where_its_repeats_do() {
    let text = r#"<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="dynamic" profiles="x" minBufferTime="PT4S"
        availabilityStartTime="2026-06-14T18:00:00Z"><Period id="1" start="PT60S">
        <AdaptationSet contentType="video" mimeType="video/mp4"><SegmentTemplate timescale="1000" startNumber="5"
        media="$RepresentationID$/$Number%06d$-$Time$.m4s" presentationTimeOffset="1000">
        <SegmentTimeline><S t="1000" d="4000" r="2"/></SegmentTimeline></SegmentTemplate>
        <Representation id="hd" bandwidth="6000000" height="1080"/></AdaptationSet></Period></MPD>"#;
    let Manifest::Dash(renditions, timeline) = read(text.as_bytes()).unwrap() else {
        panic!("it is DASH")
    };
    assert_eq!(renditions.len(), 1);
    assert_eq!(timeline.segments, 3);
    assert_eq!(timeline.edge, Some(at("2026-06-14T18:01:12Z")));
    assert_eq!(timeline.first.as_deref(), Some("hd/000005-1000.m4s"));
    assert_eq!(timeline.last.as_deref(), Some("hd/000007-9000.m4s"));
}

#[test]
fn a_repeat_count_of_a_stranger_fills_no_memory() {
    let text = r#"<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="dynamic" profiles="x" minBufferTime="PT4S"
        availabilityStartTime="2026-06-14T18:00:00Z"><Period id="1" start="PT0S">
        <AdaptationSet contentType="video"><SegmentTemplate timescale="1" media="$Number$">
        <SegmentTimeline><S t="0" d="18446744073709551615" r="9223372036854775807"/></SegmentTimeline></SegmentTemplate>
        <Representation id="hd" bandwidth="1"/></AdaptationSet></Period></MPD>"#;
    assert!(read(text.as_bytes()).is_ok());
}

proptest::proptest! {
    /// Whatever comes, nothing panics.
    #[test]
    fn cut_and_altered_manifests_never_panic(at in 0_usize..400, byte in 0_u8..=255, cut in 0_usize..400) {
        let now = "2026-06-14T18:30:10Z".parse().unwrap();
        for text in [MEDIA, MULTIVARIANT] {
            let mut bytes = text.as_bytes().to_vec();
            let index = at % bytes.len();
            bytes[index] = byte;
            bytes.truncate(bytes.len() - cut % bytes.len());
            drop(judge(&bytes, now, Some(&forecast())));
        }
    }
}

/// Every real manifest gets a verdict.
#[cfg(feature = "shared-data")]
#[test]
fn real_manifests_are_judged() {
    let folder = std::env::var_os("ONAIR_SHARED_DATA").expect("ONAIR_SHARED_DATA names a folder");
    let folder = std::path::Path::new(&folder).join("manifests");
    // Its first line is a comment, and must be `#EXTM3U` (RFC 8216, 4.3.1.1).
    let malformed = ["eyevinn-master-with-hlsv7.m3u8"];
    let mut refused: Vec<String> = Vec::new();
    let mut judged = 0;
    for kind in ["hls", "dash"] {
        for entry in std::fs::read_dir(folder.join(kind)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let bytes = std::fs::read(&path).unwrap();
            let verdict = judge(&bytes, at("2026-06-14T18:30:00Z"), Some(&forecast()));
            println!("{name}: {verdict:?}");
            assert_eq!(
                verdict.is_err(),
                malformed.contains(&name.as_str()),
                "{name}: {verdict:?}"
            );
            judged += 1;
        }
    }
    assert!(judged > 40, "{judged} manifests");
}
