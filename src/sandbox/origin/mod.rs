//! What stands behind the embedded cloud's edges: a live presentation that slides with the clock,
//! its segments and keys, origins that refuse whoever is not CloudFront, and a license server.
//!
//! A site's members are its faults, too: a rendition taken out of the ladder is missing, a site
//! that is `behind-seconds` is stale.

mod dash;
mod hls;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::media::SeedMedia;
use super::service::Answer;

/// Seconds of the live window of manifests.
const WINDOW_SECONDS: u64 = 60;

/// What the origins hold.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct State {
    /// By distribution id.
    sites: BTreeMap<String, Site>,
    /// The status that a request straight at an origin's host gets.
    direct: BTreeMap<String, u16>,
    /// The status that a license server's host answers with.
    licenses: BTreeMap<String, u16>,
}

/// What a fresh distribution serves.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(crate) struct SeedSite {
    /// Paths that begin with `/`: a multivariant HLS playlist or a DASH manifest.
    pub(crate) manifest: Option<String>,
    /// A DASH manifest beside it.
    pub(crate) dash: Option<String>,
    pub(crate) segment: Option<String>,
    pub(crate) key: Option<String>,
    pub(crate) ad_manifest: Option<String>,
    pub(crate) segment_milliseconds: u64,
    /// Highest bitrate first.
    pub(crate) ladder: Vec<SeedRendition>,
    /// The media quality score that goes out in CMSD headers.
    pub(crate) quality: Option<u8>,
}

/// A rendition.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SeedRendition {
    /// Also its folder: `1080p`.
    pub(crate) name: String,
    /// Bits a second on average.
    pub(crate) bandwidth: u64,
}

/// What a distribution serves at the moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Site {
    serves: SeedSite,
    /// How far the live edge lags behind the clock.
    behind_seconds: u64,
    /// Playlists say when their segments were made.
    date_time: bool,
    /// What playlists claim as target duration, where that is not the segments'.
    target_seconds: Option<u64>,
    /// The status that segments are answered with.
    segment_status: u16,
    /// The status that manifests are answered with.
    manifest_status: u16,
    manifest_cache: String,
    segment_cache: String,
    /// The content type of manifests, where that is not the right one.
    manifest_type: Option<String>,
}

/// One thing out of a site.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Object {
    status: u16,
    kind: String,
    cache: String,
    body: Vec<u8>,
    /// CMSD's object type: manifest, video, key.
    cmsd_type: &'static str,
}

impl Site {
    fn new(serves: SeedSite) -> Self {
        let fresh = (serves.segment_milliseconds / 2000).max(1);
        Self {
            behind_seconds: 0,
            date_time: true,
            target_seconds: None,
            segment_status: 200,
            manifest_status: 200,
            manifest_cache: format!("max-age={fresh}"),
            // Two weeks, as MediaPackage lets segments be kept.
            segment_cache: "max-age=1209600".to_owned(),
            manifest_type: None,
            serves,
        }
    }

    /// The presentation as of `now`.
    fn presentation(&self, now: Timestamp) -> Presentation<'_> {
        let milliseconds = self.serves.segment_milliseconds.max(1000);
        let clock = u64::try_from(now.as_millisecond()).unwrap_or_default();
        let clock = clock.saturating_sub(self.behind_seconds * 1000);
        // The segment that the clock is in is not complete yet.
        let next = clock / milliseconds;
        let count = (WINDOW_SECONDS * 1000 / milliseconds).max(6);
        Presentation {
            site: self,
            milliseconds,
            first: next.saturating_sub(count),
            next,
            published: clock,
        }
    }

    fn manifest(&self, kind: &str, body: String) -> Object {
        Object {
            status: self.manifest_status,
            kind: self
                .manifest_type
                .clone()
                .unwrap_or_else(|| kind.to_owned()),
            cache: self.manifest_cache.clone(),
            body: body.into_bytes(),
            cmsd_type: "m",
        }
    }

    fn media(&self) -> Object {
        // The smallest thing that begins like a CMAF segment: its type box and nothing more.
        let body = b"\0\0\0\x18stypmsdh\0\0\0\0msdhmsix".to_vec();
        Object {
            status: self.segment_status,
            kind: "video/mp4".to_owned(),
            cache: self.segment_cache.clone(),
            body,
            cmsd_type: "v",
        }
    }

    /// What is at a path; none when the path is not of this presentation.
    fn find(&self, path: &str, now: Timestamp) -> Option<Object> {
        const HLS: &str = "application/vnd.apple.mpegurl";
        const DASH: &str = "application/dash+xml";
        let is = |sample: &Option<String>| sample.as_deref() == Some(path);
        let serves = &self.serves;
        let presentation = self.presentation(now);
        let is_dash = has_extension(path, "mpd");
        if is(&serves.dash) || (is(&serves.manifest) && is_dash) {
            return Some(self.manifest(DASH, dash::manifest(&presentation)));
        }
        if is(&serves.manifest) {
            return Some(self.manifest(HLS, hls::multivariant(&presentation, "")));
        }
        if is(&serves.ad_manifest) {
            let folder = self.folder();
            return Some(if is_dash {
                self.manifest(DASH, dash::manifest(&presentation))
            } else {
                self.manifest(HLS, hls::multivariant(&presentation, folder))
            });
        }
        if is(&serves.key) {
            return Some(Object {
                status: 200,
                kind: "application/octet-stream".to_owned(),
                cache: "no-store".to_owned(),
                // Rehearsals encrypt nothing: sixteen zeros are no secret.
                body: vec![0; 16],
                cmsd_type: "k",
            });
        }
        if is(&serves.segment) {
            return Some(self.media());
        }
        let inside = path.strip_prefix(self.folder())?;
        let (rendition, file) = inside.split_once('/')?;
        let known = serves.ladder.iter().any(|one| one.name == rendition);
        let missing = || Object {
            status: 404,
            kind: "text/plain".to_owned(),
            cache: self.manifest_cache.clone(),
            body: b"not found\n".to_vec(),
            cmsd_type: "o",
        };
        if !known {
            // Folders that never were a rendition belong to somebody else.
            return (file.starts_with("segment-") || file == hls::PLAYLIST).then(missing);
        }
        if file == hls::PLAYLIST {
            return Some(self.manifest(HLS, hls::media(&presentation)));
        }
        if file == hls::INIT {
            return Some(self.media());
        }
        let number = file.strip_prefix("segment-")?.split('.').next()?;
        let number: u64 = number.parse().ok()?;
        // Players may ask again for what just left the manifest.
        let oldest = presentation.first.saturating_sub(30);
        Some(if (oldest..presentation.next).contains(&number) {
            self.media()
        } else {
            missing()
        })
    }

    /// The folder of the presentation, with a slash at its end.
    fn folder(&self) -> &str {
        let manifest = self.serves.manifest.as_deref().unwrap_or("/");
        manifest.rfind('/').map_or("/", |end| &manifest[..=end])
    }
}

/// A site at one moment.
#[derive(Debug, Clone, Copy)]
struct Presentation<'a> {
    site: &'a Site,
    /// Of a segment.
    milliseconds: u64,
    /// The number of the first segment in manifests; a segment's number is its start in epoch time
    /// divided by its length, so that two regions that are locked to the epoch agree.
    first: u64,
    /// The number of the first segment that is not there yet.
    next: u64,
    /// Epoch milliseconds.
    published: u64,
}

impl Presentation<'_> {
    /// The UTC time at which a segment begins.
    fn starts(&self, number: u64) -> String {
        date_time(number * self.milliseconds)
    }
}

/// `2026-06-14T18:30:00.000Z`.
fn date_time(milliseconds: u64) -> String {
    let milliseconds = i64::try_from(milliseconds).unwrap_or_default();
    let time = Timestamp::from_millisecond(milliseconds).unwrap_or_default();
    format!("{time:.3}")
}

fn has_extension(path: &str, extension: &str) -> bool {
    path.rsplit_once('.')
        .is_some_and(|(_, found)| found.eq_ignore_ascii_case(extension))
}

impl State {
    /// What a fresh account's origins hold.
    pub(super) fn new(seed: &SeedMedia) -> Self {
        let sites = seed.sites.iter();
        Self {
            sites: sites
                .map(|(id, site)| (id.clone(), Site::new(site.clone())))
                .collect(),
            direct: seed
                .origin_hosts
                .iter()
                .map(|host| (host.clone(), 403))
                .collect(),
            licenses: seed
                .drm_host
                .iter()
                .map(|host| (host.clone(), 200))
                .collect(),
        }
    }

    /// Puts what the origin has under `path` (its query is not looked at) into an answer that lets
    /// the viewer in; other paths stay as they are.
    pub(super) fn fill(
        &self,
        distribution: &str,
        method: &str,
        path: &str,
        now: Timestamp,
        answer: &mut Answer,
    ) {
        let path = path.split('?').next().unwrap_or_default();
        let Some(site) = self.sites.get(distribution) else {
            return;
        };
        let Some(object) = site.find(path, now) else {
            return;
        };
        answer.status = object.status;
        if object.status >= 400 {
            set(answer, "x-cache", "Error from cloudfront".to_owned());
        }
        set(answer, "content-type", object.kind);
        set(answer, "cache-control", object.cache);
        set(answer, "age", "1".to_owned());
        if let Some(quality) = site.serves.quality.filter(|_| object.cmsd_type != "k") {
            let kind = object.cmsd_type;
            set(answer, "cmsd-static", format!("ot={kind},st=l,v=1"));
            // The key under which AWS sends the score is not documented.
            let score = format!("\"MediaPackage\";com.amazonaws-mqcs={quality}");
            set(answer, "cmsd-dynamic", score);
        }
        answer.body = if method == "HEAD" {
            Vec::new()
        } else {
            object.body
        };
    }

    /// The answer of a host that is no service and no distribution: an origin asked past
    /// CloudFront, or the license server.
    pub(super) fn host(&self, host: &str) -> Option<Answer> {
        let (status, body) = if let Some(status) = self.direct.get(host) {
            (*status, "origin\n")
        } else {
            (*self.licenses.get(host)?, "license server\n")
        };
        Some(Answer {
            status,
            headers: vec![("content-type", "text/plain".to_owned())],
            body: body.as_bytes().to_vec(),
            changed: false,
        })
    }
}

fn set(answer: &mut Answer, name: &'static str, value: String) {
    match answer.headers.iter_mut().find(|(known, _)| *known == name) {
        Some((_, known)) => *known = value,
        None => answer.headers.push((name, value)),
    }
}
