//! What a request gets: from which cache or origin, how fast, and what goes wrong with it.

use crate::play::{MINUTE, Player, signed};
use crate::random::{float, whole};
use crate::request::{Cmcd, Object, ObjectKind, Origin, Request};

/// Headers of an answer, bytes.
pub(crate) const HEADERS: u64 = 420;
/// What the two origins are called.
const ORIGINS: [&str; 2] = [
    "package-a.origin.example.net",
    "package-b.origin.example.net",
];

/// An object on its way: what it costs and how it is cached.
#[derive(Clone, Copy)]
pub(crate) struct Fetch<'a> {
    pub(crate) object: Object<'a>,
    pub(crate) bytes: u64,
    pub(crate) cmcd: Option<Cmcd<'a>>,
}

/// Where an answer came from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    Edge,
    Refreshed,
    Shield,
    Origin,
}

impl<'a> Player<'a, '_> {
    fn source(&mut self, kind: ObjectKind) -> Source {
        // Of the origin, of the shield, and what the origin said is still good.
        let (origin, shield, refreshed) = match kind {
            ObjectKind::AdManifest => (1.0, 0.0, 0.0),
            ObjectKind::Master | ObjectKind::Playlist | ObjectKind::Dash => (0.018, 0.03, 0.05),
            ObjectKind::Key => (0.3, 0.2, 0.0),
            _ => (0.006, 0.014, 0.001),
        };
        let colder = 1.0 + 2.5 * self.trouble.rush + if self.trouble.origin { 3.0 } else { 0.0 };
        let luck = self.draw.part();
        if luck < origin * colder {
            Source::Origin
        } else if luck < (origin + shield) * colder {
            Source::Shield
        } else if luck < (origin + shield) * colder + refreshed {
            Source::Refreshed
        } else {
            Source::Edge
        }
    }

    pub(crate) fn fetch_with(&mut self, at: i64, fetch: &Fetch<'a>) {
        let mut request = self.bare(at, fetch.object);
        request.cmcd = fetch.cmcd;
        let kind = fetch.object.kind;
        let source = self.source(kind);
        let is_slow = self.is_slow();
        let near = self.sitter.place.distance / 2.0 * if is_slow { 6.0 } else { 1.0 };
        let mut first_byte = near + 1.0 + self.draw.tailed(if is_slow { 320.0 } else { 7.0 });
        let name = match source {
            Source::Edge => "Hit",
            Source::Refreshed => "RefreshHit",
            Source::Shield | Source::Origin => "Miss",
        };
        request.result = name;
        request.response_result = name;
        request.detailed_result = if source == Source::Shield {
            "OriginShieldHit"
        } else {
            name
        };
        match source {
            Source::Edge => {}
            Source::Shield => first_byte += 22.0 + self.draw.tailed(16.0),
            Source::Refreshed | Source::Origin => {
                let wait = 48.0 + self.draw.tailed(55.0) + 120.0 * self.trouble.rush;
                first_byte += wait;
                request.origin = Some(Origin {
                    host: ORIGINS[0],
                    first_byte: whole(wait),
                    last_byte: whole(wait) + 4 + fetch.bytes / 40_000,
                    failover: None,
                    quality: 94 + u8::try_from(self.draw.below(7)).unwrap_or_default(),
                });
            }
        }
        request.content_length = Some(fetch.bytes);
        request.bytes = fetch.bytes + HEADERS;
        first_byte += self.fail_over(&mut request);
        let luck = self.draw.part();
        match kind {
            ObjectKind::AdManifest if luck < 0.004 => {
                fail(&mut request, 504, "OriginCommError", 560);
            }
            ObjectKind::Video if luck < 0.000_6 => fail(&mut request, 404, "Error", 340),
            _ => {}
        }
        request.first_byte = whole(first_byte).max(1);
        // Kilobits a second are bits a millisecond.
        let throughput = self.throughput().max(300.0) * (0.8 + 0.5 * self.draw.part());
        let transfer = whole(float(request.bytes) * 8.0 / throughput);
        request.taken = request.first_byte + transfer;
        if request.status == 200 && kind == ObjectKind::Video {
            self.hang_up(&mut request, luck, transfer);
        }
        let end = at + signed(request.taken);
        let begin = self.minute * MINUTE;
        // An answer belongs to the minute it ends in: what would end later ends with it.
        request.at = end.clamp(begin, begin + MINUTE - 1);
        self.requests.push(request);
    }

    /// While the first origin fails the second one is asked; now and then it is too late for that.
    /// Milliseconds that this costs.
    fn fail_over(&mut self, request: &mut Request<'a>) -> f64 {
        let Some(origin) = &mut request.origin else {
            return 0.0;
        };
        if !self.trouble.origin || request.object.kind == ObjectKind::AdManifest {
            return 0.0;
        }
        origin.host = ORIGINS[1];
        origin.failover = Some(self.draw.one_of(&[502, 503, 504, 504]));
        origin.quality -= 4;
        let cost = 1_050.0 + self.draw.tailed(220.0);
        if self.draw.chance(0.4) {
            let (status, cause) = self.draw.one_of(&[
                (502, "OriginConnectError"),
                (502, "OriginConnectError"),
                (504, "OriginCommError"),
                (503, "OriginError"),
            ]);
            fail(request, status, cause, 620);
        }
        cost
    }

    /// Some do not wait for the end.
    fn hang_up(&self, request: &mut Request<'a>, luck: f64, transfer: u64) {
        let (leaves_early, leaves) = if self.is_slow() {
            (0.006, 0.02)
        } else {
            (0.000_5, 0.001_2)
        };
        if luck > 1.0 - leaves_early {
            // Gone before the answer.
            request.status = 0;
            request.bytes = 0;
            request.content_length = None;
            request.taken = request.first_byte;
            request.result = "Error";
            request.response_result = "Error";
            request.detailed_result = "ClientHungUpRequest";
        } else if luck > 1.0 - leaves {
            // Gone in the middle of it: no error of anybody's.
            request.bytes = request.bytes / 3 + HEADERS;
            request.taken = request.first_byte + transfer / 3;
            request.result = "Error";
            request.detailed_result = "ClientCommError";
        }
    }
}

fn fail(request: &mut Request<'_>, status: u16, cause: &'static str, length: u64) {
    request.status = status;
    request.content_length = Some(length);
    request.bytes = length + HEADERS;
    request.result = "Error";
    request.response_result = "Error";
    request.detailed_result = cause;
}
