//! What follows from a request's fields: [`object_kind`], [`is_hit`], [`is_abandoned`]. Each rule is
//! also told as SQL, since views on Athena must have the same. Fields are None where they are NULL.

/// Endings of media segments. What is named so and has `init` in the name is an init segment.
const SEGMENTS: [&[u8]; 17] = [
    b"ts", b"m4s", b"mp4", b"m4v", b"m4a", b"m4f", b"m4i", b"cmfv", b"cmfa", b"cmfi", b"aac",
    b"ac3", b"ec3", b"mp3", b"webm", b"dash", b"m2ts",
];

/// What a path names: `manifest`, `segment`, `init`, `key`, `caption` or `other`.
///
/// As SQL, over `lower(cs_uri_stem)`, the first that holds:
/// - `\.(m3u8|mpd)$`: manifest
/// - `\.(vtt|webvtt|srt|ttml|dfxp|imsc|cmft)$`: caption
/// - `\.key$`: key
/// - `\.cmfi$|\.m4i$|init[^/]*\.(ts|m4s|mp4|m4v|m4a|m4f|cmfv|cmfa|aac|ac3|ec3|mp3|webm|dash|m2ts)$`: init
/// - `\.(ts|m4s|mp4|m4v|m4a|m4f|cmfv|cmfa|aac|ac3|ec3|mp3|webm|dash|m2ts)$`: segment
/// - else other
pub fn object_kind(path: &[u8]) -> &'static str {
    let name = memchr::memrchr(b'/', path).map_or(path, |slash| &path[slash + 1..]);
    let Some(point) = memchr::memrchr(b'.', name) else {
        return "other";
    };
    let (stem, ending) = (&name[..point], &name[point + 1..]);
    let is = |known: &[u8]| ending.eq_ignore_ascii_case(known);
    let any = |known: &[&[u8]]| known.iter().any(|known| is(known));
    // Segments first: they are nearly all there is.
    if any(&SEGMENTS) {
        let named_init = stem
            .windows(4)
            .any(|window| window.eq_ignore_ascii_case(b"init"));
        if named_init || is(b"cmfi") || is(b"m4i") {
            "init"
        } else {
            "segment"
        }
    } else if any(&[b"m3u8", b"mpd"]) {
        "manifest"
    } else if any(&[
        b"vtt", b"webvtt", b"srt", b"ttml", b"dfxp", b"imsc", b"cmft",
    ]) {
        "caption"
    } else if is(b"key") {
        "key"
    } else {
        "other"
    }
}

/// Whether the origin was spared. `OriginShieldHit` counts: the edge missed, the shield had it.
/// Layouts before 2015 lack the result before sending; the one after it stands in.
///
/// As SQL: `CASE WHEN coalesce(response, result, detailed) IS NOT NULL THEN
/// coalesce(coalesce(response, result) IN ('Hit', 'RefreshHit'), false) OR
/// coalesce(detailed = 'OriginShieldHit', false) END`.
pub fn is_hit(
    response: Option<&[u8]>,
    result: Option<&[u8]>,
    detailed: Option<&[u8]>,
) -> Option<bool> {
    let sent = response.or(result);
    sent.or(detailed)?;
    let at_the_edge = matches!(sent, Some(b"Hit" | b"RefreshHit"));
    Some(at_the_edge || detailed == Some(b"OriginShieldHit"))
}

/// Whether the viewer hung up, which is no fault of a server: status 0, or a result of `Error` that
/// was no error before sending (where that is not logged: under a status below 400).
///
/// As SQL: `CASE WHEN coalesce(result, response, CAST(status AS varchar)) IS NOT NULL THEN
/// coalesce(status = 0, false) OR coalesce(result = 'Error' AND coalesce(response <> 'Error', status
/// < 400), false) END`.
pub fn is_abandoned(
    status: Option<i64>,
    response: Option<&[u8]>,
    result: Option<&[u8]>,
) -> Option<bool> {
    if status.is_none() && response.is_none() && result.is_none() {
        return None;
    }
    let was_fine = match response {
        Some(response) => response != b"Error",
        None => status.is_some_and(|status| status < 400),
    };
    Some(status == Some(0) || (result == Some(b"Error") && was_fine))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_tell_what_they_name() {
        for (path, expected) in [
            ("/cup-final/master.m3u8", "manifest"),
            ("/cup-final/manifest.MPD", "manifest"),
            ("/cup-final/1080p/segment-000001.m4s", "segment"),
            ("/a/b.ts", "segment"),
            ("/a/init.mp4", "init"),
            ("/a/video_1_Init.mp4", "init"),
            ("/init/video_1.mp4", "segment"),
            ("/a/video.cmfi", "init"),
            ("/keys/main.key", "key"),
            ("/c/en.vtt", "caption"),
            ("/favicon.ico", "other"),
            ("/", "other"),
            ("", "other"),
            ("/a.ts/", "other"),
            ("/nothing", "other"),
        ] {
            assert_eq!(object_kind(path.as_bytes()), expected, "{path}");
        }
    }

    #[test]
    fn a_hit_at_the_edge_or_the_shield_spares_the_origin() {
        let some = |text: &'static str| (!text.is_empty()).then_some(text.as_bytes());
        for (response, result, detailed, expected) in [
            ("Hit", "Hit", "Hit", Some(true)),
            ("RefreshHit", "RefreshHit", "RefreshHit", Some(true)),
            ("Miss", "Miss", "Miss", Some(false)),
            ("Miss", "Miss", "OriginShieldHit", Some(true)),
            ("Hit", "Error", "ClientCommError", Some(true)),
            ("Miss", "Hit", "", Some(false)),
            ("", "Hit", "", Some(true)),
            ("", "", "Miss", Some(false)),
            ("", "", "", None),
        ] {
            let hit = is_hit(some(response), some(result), some(detailed));
            assert_eq!(hit, expected, "{response} {result} {detailed}");
        }
    }

    #[test]
    fn hanging_up_is_told_from_errors() {
        let some = |text: &'static str| (!text.is_empty()).then_some(text.as_bytes());
        for (status, response, result, expected) in [
            (Some(0), "Error", "Error", Some(true)),
            (Some(0), "", "", Some(true)),
            (Some(200), "Hit", "Error", Some(true)),
            (Some(200), "Error", "Error", Some(false)),
            (Some(502), "Error", "Error", Some(false)),
            (Some(200), "", "Error", Some(true)),
            (Some(404), "", "Error", Some(false)),
            (None, "", "Error", Some(false)),
            (Some(200), "Hit", "Hit", Some(false)),
            (None, "", "", None),
        ] {
            let abandoned = is_abandoned(status, some(response), some(result));
            assert_eq!(abandoned, expected, "{status:?} {response} {result}");
        }
    }
}
