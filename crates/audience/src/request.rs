//! A viewer's request and the answer to it, with typed fields.

use std::net::IpAddr;

use crate::devices::{Device, Telling};

/// A request that was answered, or given up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Request<'a> {
    /// When the answer ended, milliseconds since 1970, UTC.
    pub at: i64,
    /// The distribution's id.
    pub distribution: &'a str,
    /// The host that viewers are to ask for.
    pub host: &'a str,
    /// Asked by the distribution's own name instead, around what the event's name leads to.
    pub by_own_name: bool,
    /// The edge that answered.
    pub edge: &'static str,
    /// The viewer's address.
    pub address: IpAddr,
    /// The viewer's port.
    pub port: u16,
    /// The viewer's country.
    pub country: &'a str,
    /// The number of the viewer's network.
    pub network: u32,
    /// The method.
    pub method: &'static str,
    /// Such as `HTTP/2.0`.
    pub protocol_version: &'static str,
    /// What was asked for.
    pub object: Object<'a>,
    /// An argument that no player sends, as it was sent.
    pub argument: Option<&'static [u8]>,
    /// What it was asked with.
    pub agent: Agent,
    /// Runs in a page of the event's site, which the Referer then names.
    pub has_referer: bool,
    /// The status; 0: the viewer left before the answer.
    pub status: u16,
    /// Bytes to the viewer, headers included.
    pub bytes: u64,
    /// Bytes from the viewer.
    pub request_bytes: u64,
    /// The answer's Content-Length.
    pub content_length: Option<u64>,
    /// After the last byte.
    pub result: &'static str,
    /// Before the answer was sent.
    pub response_result: &'static str,
    /// With the cause of an error.
    pub detailed_result: &'static str,
    /// Milliseconds from the request to the answer's end.
    pub taken: u64,
    /// Milliseconds to the answer's first byte.
    pub first_byte: u64,
    /// What the origin had to do with it.
    pub origin: Option<Origin>,
    /// What the player said of itself.
    pub cmcd: Option<Cmcd<'a>>,
    /// What the edge function noted.
    pub note: Option<Note>,
    /// The connection, and the request on it: their ids are made of these.
    pub connection: u64,
    /// See `connection`.
    pub id: u64,
}

/// What was asked with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Agent {
    /// A player.
    Device(&'static Device),
    /// Anything, as it was sent.
    Raw(&'static [u8]),
}

/// What was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Object<'a> {
    /// Before everything, such as `/cup-final`.
    pub folder: &'a str,
    /// What it is.
    pub kind: ObjectKind,
    /// The rendition's folder, where it has one.
    pub rendition: &'static str,
    /// The segment's number, where it has one.
    pub number: u64,
}

/// What an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectKind {
    /// The multivariant playlist.
    Master,
    /// A rendition's playlist.
    Playlist,
    /// The DASH manifest.
    Dash,
    /// A video segment, or a muxed one.
    Video,
    /// An audio segment.
    Audio,
    /// A rendition's header.
    Init,
    /// The key of the segments.
    Key,
    /// A segment of captions.
    Caption,
    /// A manifest with ads, made for one viewer.
    AdManifest,
    /// What the broadcaster's probe asks for.
    Health,
    /// A path that is not the event's, as it was sent.
    Stray(&'static [u8]),
}

impl Object<'_> {
    /// Appends the path, as it is logged.
    pub fn write_path(&self, out: &mut Vec<u8>) {
        if !matches!(self.kind, ObjectKind::Health | ObjectKind::Stray(_)) {
            out.extend_from_slice(self.folder.as_bytes());
            out.push(b'/');
        }
        self.write_name(out);
    }

    /// Appends the path within the folder.
    pub(crate) fn write_name(&self, out: &mut Vec<u8>) {
        let mut segment = |end: &[u8]| {
            out.extend_from_slice(self.rendition.as_bytes());
            out.extend_from_slice(b"/segment-");
            crate::encode::padded(out, self.number, 9);
            out.extend_from_slice(end);
        };
        match self.kind {
            ObjectKind::Video | ObjectKind::Audio => segment(b".m4s"),
            ObjectKind::Caption => segment(b".vtt"),
            ObjectKind::Master => out.extend_from_slice(b"master.m3u8"),
            ObjectKind::Dash => out.extend_from_slice(b"manifest.mpd"),
            ObjectKind::Key => out.extend_from_slice(b"keys/main.key"),
            ObjectKind::AdManifest => out.extend_from_slice(b"ads/master.m3u8"),
            ObjectKind::Health => out.extend_from_slice(b"/health"),
            ObjectKind::Playlist => {
                out.extend_from_slice(self.rendition.as_bytes());
                out.extend_from_slice(b"/index.m3u8");
            }
            ObjectKind::Init => {
                out.extend_from_slice(self.rendition.as_bytes());
                out.extend_from_slice(b"/init.mp4");
            }
            ObjectKind::Stray(path) => crate::encode::escaped(out, path),
        }
    }

    /// The media type of a good answer.
    pub(crate) fn media_type(&self) -> &'static str {
        match self.kind {
            ObjectKind::Master | ObjectKind::Playlist | ObjectKind::AdManifest => {
                "application/vnd.apple.mpegurl"
            }
            ObjectKind::Dash => "application/dash+xml",
            ObjectKind::Video | ObjectKind::Init => "video/mp4",
            ObjectKind::Audio => "audio/mp4",
            ObjectKind::Key => "application/octet-stream",
            ObjectKind::Caption => "text/vtt",
            ObjectKind::Health => "text/plain",
            ObjectKind::Stray(_) => "text/html",
        }
    }

    /// What follows the folder in the pattern of the behavior that serves it.
    pub(crate) fn pattern(&self) -> &'static str {
        match self.kind {
            ObjectKind::Master | ObjectKind::Playlist => "/*.m3u8",
            ObjectKind::Dash => "/*.mpd",
            ObjectKind::Video | ObjectKind::Audio => "/*.m4s",
            ObjectKind::Key => "/keys/*",
            ObjectKind::AdManifest => "/ads/*",
            ObjectKind::Init | ObjectKind::Caption => "/*",
            ObjectKind::Health | ObjectKind::Stray(_) => "",
        }
    }
}

/// A request's way to the origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// The origin's host.
    pub host: &'static str,
    /// Milliseconds to the origin's first byte.
    pub first_byte: u64,
    /// Milliseconds to its last.
    pub last_byte: u64,
    /// The status of the first origin for which this, the second one, was asked.
    pub failover: Option<u16>,
    /// The picture's quality score.
    pub quality: u8,
}

/// What the edge function notes of a request (`event-templates/edge/gate.js`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Note {
    /// Why it was refused; none: it was not.
    pub refused: Option<&'static str>,
    /// The account, the session and the token: their digests are made of these.
    pub keys: [u64; 3],
}

/// Common Media Client Data of a request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cmcd<'a> {
    /// How it is sent, and in which version.
    pub telling: Telling,
    /// `sid`, as a GUID.
    pub session: u128,
    /// `cid`.
    pub content: &'a str,
    /// `ot`.
    pub object_type: &'static str,
    /// `sf`.
    pub format: &'static str,
    /// `br`, kbit/s.
    pub bitrate: Option<u32>,
    /// `tb`, kbit/s.
    pub top_bitrate: Option<u32>,
    /// `d`, milliseconds.
    pub duration: Option<u32>,
    /// `bl`, milliseconds.
    pub buffer: Option<u32>,
    /// `mtp`, kbit/s.
    pub throughput: Option<u32>,
    /// `nor`: the segment after this one, of the same rendition.
    pub next: Option<Object<'a>>,
    /// `rtp`, kbit/s.
    pub requested_throughput: Option<u32>,
    /// `bs`.
    pub starved: bool,
    /// `su`.
    pub startup: bool,
    /// What version 2 has besides.
    pub two: Two,
}

/// What CMCD's version 2 has besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Two {
    /// `bsa`, how often it starved so far.
    pub starvations: u32,
    /// `bsd`, milliseconds of the last starvation.
    pub starvation: Option<u32>,
    /// `dfa`, frames dropped so far.
    pub dropped_frames: u32,
    /// `ec`.
    pub error_code: Option<&'static str>,
    /// `ltc`, milliseconds.
    pub latency: u32,
    /// `msd`, milliseconds, told once.
    pub start_delay: Option<u32>,
    /// `pt`, milliseconds.
    pub playhead: u64,
    /// `sn`.
    pub sequence: u64,
    /// `sta`.
    pub state: &'static str,
}
