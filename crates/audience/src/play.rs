//! What a player asks in a minute.

use crate::Scene;
use crate::answer::{Fetch, HEADERS};
use crate::devices::Telling;
use crate::incident::Trouble;
use crate::random::{Draw, mix, part, whole, whole_32};
use crate::request::{Agent, Cmcd, Note, Object, ObjectKind, Request, Two};
use crate::seat::{Kind, Sitter};

pub(crate) const MINUTE: i64 = 60_000;
/// Between the requests of one segment, milliseconds.
const PACE: i64 = 40;
/// Kilobits a second of the sound.
const SOUND: u32 = 128;
/// What players aim at and what they begin with, milliseconds.
const FULL_BUFFER: u32 = 20_000;
/// Players leave room between what they measure and what they choose.
const HEADROOM: f64 = 1.4;

/// Somebody on a seat, for a minute.
pub(crate) struct Player<'a, 'b> {
    pub(crate) scene: &'a Scene,
    pub(crate) trouble: &'b Trouble,
    pub(crate) minute: i64,
    pub(crate) distribution: &'a str,
    pub(crate) host: &'a str,
    pub(crate) sitter: &'b Sitter<'a>,
    pub(crate) draw: Draw,
    pub(crate) requests: &'b mut Vec<Request<'a>>,
}

impl<'a> Player<'a, '_> {
    pub(crate) fn play(&mut self) {
        match self.sitter.kind {
            Kind::Outsider { by_function } => self.knock(by_function),
            Kind::Viewer | Kind::Puller => self.watch(),
        }
    }

    /// Somebody without rights tries a few times a minute, and is refused.
    fn knock(&mut self, by_function: bool) {
        let begin = self.minute * MINUTE;
        for _ in 0..3 + self.draw.below(3) {
            let at = begin + signed(self.draw.below(58_000));
            let object = self.object(ObjectKind::Master, "", 0);
            let mut request = self.bare(at, object);
            request.taken = whole(self.sitter.place.distance / 2.0) + 1;
            request.first_byte = request.taken;
            if by_function {
                request.status = 451;
                request.bytes = 380;
                request.result = "FunctionGeneratedResponse";
                request.response_result = "FunctionGeneratedResponse";
                request.detailed_result = "FunctionGeneratedResponse";
                request.note = Some(Note {
                    refused: Some("country"),
                    keys: self.sitter.keys,
                });
            } else {
                request.status = 403;
                request.bytes = 1_040;
                request.result = "Error";
                request.response_result = "Error";
                request.detailed_result = "ClientGeoBlocked";
                request.content_length = Some(915);
                request.note = None;
            }
            self.requests.push(request);
        }
    }

    fn watch(&mut self) {
        let begin = self.minute * MINUTE;
        let segment = i64::from(self.scene.segment.max(1));
        let phase = signed(self.sitter.phase);
        let joins = if self.sitter.is_new {
            begin + signed(self.draw.below(50_000))
        } else {
            begin
        };
        let gives_up = part(mix(&[self.sitter.luck, 20])) < 0.02;
        if gives_up && !self.sitter.is_new {
            return;
        }
        let first = (joins - phase + segment - 1).div_euclid(segment);
        let last = (begin + MINUTE - 1 - phase).div_euclid(segment);
        if self.sitter.is_new {
            self.start(joins);
            if gives_up {
                return;
            }
        }
        if self.trouble.is_break && begin.rem_euclid(15 * MINUTE) == 0 {
            self.ads(begin + phase);
        }
        let throughput = self.throughput();
        let rung = self.rung(throughput);
        for number in first..=last {
            let age = if self.sitter.is_new {
                u64::try_from(number - first).unwrap_or_default()
            } else {
                u64::MAX
            };
            self.segment(number, number * segment + phase, rung, throughput, age);
            if self.trouble.is_break && number % 4 == 0 {
                self.ads(number * segment + phase);
            }
        }
    }

    /// What a player asks before the first segment.
    fn start(&mut self, at: i64) {
        let luck = part(mix(&[self.sitter.luck, 21]));
        let manifest = self.object(ObjectKind::Master, "", 0);
        if self.sitter.device.is_web {
            self.preflight(at, manifest);
        }
        if luck < 0.03 {
            // The token from before: refused until the page gets a new one.
            let reason = if luck < 0.02 { "expired" } else { "signature" };
            for again in 0..2 {
                self.refuse(at + again * 900, manifest, reason);
            }
        }
        let manifest = if self.sitter.device.is_dash {
            self.object(ObjectKind::Dash, "", 0)
        } else {
            manifest
        };
        self.fetch(at + PACE, manifest, 2_600, None);
        let rendition = self.rendition(self.rung(self.throughput()));
        let begin = at + 2 * PACE;
        self.fetch(
            begin,
            self.object(ObjectKind::Init, rendition, 0),
            1_180,
            Some("i"),
        );
        self.fetch(
            begin + 20,
            self.object(ObjectKind::Init, "audio", 0),
            890,
            Some("i"),
        );
        if !self.sitter.device.is_dash {
            self.fetch(
                begin + 60,
                self.object(ObjectKind::Key, "", 0),
                16,
                Some("k"),
            );
        }
    }

    fn preflight(&mut self, at: i64, object: Object<'a>) {
        let mut request = self.bare(at, object);
        request.method = "OPTIONS";
        request.status = 200;
        request.bytes = 460;
        request.request_bytes = 310;
        request.taken = whole(self.sitter.place.distance / 2.0) + 1;
        request.first_byte = request.taken;
        request.cmcd = None;
        request.note = None;
        request.result = "Miss";
        request.response_result = "Miss";
        request.detailed_result = "Miss";
        self.requests.push(request);
    }

    fn refuse(&mut self, at: i64, object: Object<'a>, reason: &'static str) {
        let mut request = self.bare(at, object);
        request.status = 401;
        request.bytes = 350;
        request.taken = whole(self.sitter.place.distance / 2.0) + 2;
        request.first_byte = request.taken;
        request.result = "FunctionGeneratedResponse";
        request.response_result = "FunctionGeneratedResponse";
        request.detailed_result = "FunctionGeneratedResponse";
        request.note = Some(Note {
            refused: Some(reason),
            keys: self.sitter.keys,
        });
        self.requests.push(request);
    }

    fn ads(&mut self, at: i64) {
        let object = self.object(ObjectKind::AdManifest, "", 0);
        self.fetch(at + 10, object, 3_400, Some("m"));
    }

    fn segment(&mut self, number: i64, at: i64, rung: usize, throughput: f64, age: u64) {
        let segment = self.scene.segment;
        let bitrate = self.scene.ladder.get(rung).copied().unwrap_or(2_000);
        let rendition = self.rendition(rung);
        let number = u64::try_from(number).unwrap_or_default();
        let is_starting = age < 2;
        let is_slow = self.is_slow();
        let starved = !is_starting && self.draw.chance(if is_slow { 0.14 } else { 0.001_5 });
        let full = if is_slow {
            FULL_BUFFER / 4
        } else {
            FULL_BUFFER
        };
        let filled = u32::try_from(age.saturating_mul(u64::from(segment)))
            .unwrap_or(full)
            .min(full);
        let swing = whole_32(f64::from(segment) * self.draw.part());
        let buffer = match (starved, is_starting) {
            (true, _) => 0,
            (false, true) => filled,
            (false, false) => filled.saturating_sub(swing) / 100 * 100,
        };
        let measured = whole_32(throughput * (0.8 + 0.4 * self.draw.part())) / 100 * 100;
        let manifest = if self.sitter.device.is_dash {
            self.object(ObjectKind::Dash, "", 0)
        } else {
            self.object(ObjectKind::Playlist, rendition, 0)
        };
        let bytes = 1_900 + self.draw.below(300);
        self.fetch(at, manifest, bytes, Some("m"));
        let is_muxed = self.sitter.device.telling == Telling::Silent && !self.sitter.device.is_dash;
        if !is_muxed {
            let object = self.object(ObjectKind::Audio, "audio", number);
            let bytes = self.size(SOUND);
            let cmcd = self.cmcd("a", |cmcd| {
                cmcd.bitrate = Some(SOUND);
                cmcd.top_bitrate = Some(SOUND);
                cmcd.duration = Some(segment);
                cmcd.buffer = Some(buffer);
                cmcd.throughput = Some(measured);
                cmcd.startup = is_starting;
            });
            self.fetch_with(
                at + PACE,
                &Fetch {
                    object,
                    bytes,
                    cmcd,
                },
            );
        }
        let object = self.object(ObjectKind::Video, rendition, number);
        let next = self.object(ObjectKind::Video, rendition, number + 1);
        let two = self.two(number, starved, is_starting, age);
        let tells_next = self.sitter.device.is_dash;
        let cmcd = self.cmcd(if is_muxed { "av" } else { "v" }, |cmcd| {
            cmcd.bitrate = Some(bitrate);
            cmcd.top_bitrate = self.scene.ladder.last().copied();
            cmcd.duration = Some(segment);
            cmcd.buffer = Some(buffer);
            cmcd.throughput = Some(measured);
            cmcd.requested_throughput = tells_next.then_some(bitrate * 4 / 100 * 100);
            cmcd.starved = starved;
            cmcd.startup = is_starting || starved;
            cmcd.next = tells_next.then_some(next);
            cmcd.two = two;
        });
        let bytes = self.size(bitrate);
        self.fetch_with(
            at + 2 * PACE,
            &Fetch {
                object,
                bytes,
                cmcd,
            },
        );
        if self.sitter.has_captions {
            let object = self.object(ObjectKind::Caption, "captions-de", number);
            self.fetch(at + 3 * PACE, object, 240, Some("c"));
        }
    }

    /// What version 2 tells besides.
    fn two(&self, number: u64, starved: bool, is_starting: bool, age: u64) -> Two {
        let segment = u64::from(self.scene.segment);
        let began = self.sitter.since * MINUTE;
        let first = u64::try_from(began).unwrap_or_default() / segment.max(1);
        let sequence = number.saturating_sub(first);
        let is_failing = self.trouble.players && self.sitter.luck.is_multiple_of(3);
        let dropped = if is_failing {
            sequence * 7
        } else {
            sequence / 40
        };
        Two {
            starvations: u32::from(starved),
            starvation: starved.then_some(400 + self.scene.segment / 4),
            dropped_frames: u32::try_from(dropped).unwrap_or(u32::MAX),
            error_code: (is_failing && number.is_multiple_of(5)).then_some("decoder-3016"),
            latency: 11_000 + whole_32(6_000.0 * part(self.sitter.luck)),
            start_delay: (age == 0).then(|| 600 + whole_32(1_900.0 * part(self.sitter.luck))),
            playhead: sequence * segment,
            sequence,
            state: match (is_starting, starved) {
                (true, _) => "s",
                (false, true) => "r",
                (false, false) => "p",
            },
        }
    }

    fn size(&mut self, kilobits: u32) -> u64 {
        let mean = f64::from(kilobits) * f64::from(self.scene.segment) / 8.0;
        whole(mean * (0.82 + 0.36 * self.draw.part()))
    }

    pub(crate) fn is_slow(&self) -> bool {
        self.trouble.network == Some(self.sitter.place.network)
    }

    pub(crate) fn throughput(&self) -> f64 {
        if self.is_slow() {
            (self.sitter.throughput * 0.12).max(700.0)
        } else {
            self.sitter.throughput
        }
    }

    /// The highest rung that fits.
    fn rung(&self, throughput: f64) -> usize {
        self.scene
            .ladder
            .iter()
            .rposition(|bitrate| f64::from(*bitrate) * HEADROOM <= throughput)
            .unwrap_or_default()
    }

    /// A rung's folder, named after the picture's height.
    fn rendition(&self, rung: usize) -> &'static str {
        match self.scene.ladder.get(rung).copied().unwrap_or_default() {
            9_000.. => "2160p",
            5_000.. => "1080p",
            2_800.. => "720p",
            1_500.. => "540p",
            700.. => "360p",
            _ => "240p",
        }
    }

    fn object(&self, kind: ObjectKind, rendition: &'static str, number: u64) -> Object<'a> {
        Object {
            folder: &self.scene.folder,
            kind,
            rendition,
            number,
        }
    }

    fn cmcd(
        &self,
        object_type: &'static str,
        fill: impl FnOnce(&mut Cmcd<'a>),
    ) -> Option<Cmcd<'a>> {
        let device = self.sitter.device;
        if device.telling == Telling::Silent {
            return None;
        }
        let mut cmcd = Cmcd {
            telling: device.telling,
            session: self.sitter.session,
            content: self.scene.folder.trim_start_matches('/'),
            object_type,
            format: if device.is_dash { "d" } else { "h" },
            bitrate: None,
            top_bitrate: None,
            duration: None,
            buffer: None,
            throughput: None,
            next: None,
            requested_throughput: None,
            starved: false,
            startup: false,
            two: Two {
                state: "p",
                latency: 12_000,
                ..Two::default()
            },
        };
        fill(&mut cmcd);
        Some(cmcd)
    }

    fn fetch(
        &mut self,
        at: i64,
        object: Object<'a>,
        bytes: u64,
        object_type: Option<&'static str>,
    ) {
        let startup = self.sitter.is_new && object_type.is_none();
        let cmcd = self.cmcd(object_type.unwrap_or("m"), |cmcd| cmcd.startup = startup);
        self.fetch_with(
            at,
            &Fetch {
                object,
                bytes,
                cmcd,
            },
        );
    }

    /// A request as it begins: everything but the answer.
    pub(crate) fn bare(&mut self, at: i64, object: Object<'a>) -> Request<'a> {
        let sitter = self.sitter;
        Request {
            at,
            distribution: self.distribution,
            host: self.host,
            by_own_name: sitter.by_own_name,
            edge: sitter.place.edge,
            address: sitter.place.address,
            port: sitter.port,
            country: sitter.place.country,
            network: sitter.place.network,
            method: "GET",
            protocol_version: sitter.device.protocol_version,
            object,
            argument: None,
            agent: Agent::Device(sitter.device),
            has_referer: sitter.device.is_web,
            status: 200,
            bytes: HEADERS,
            request_bytes: 180 + self.draw.below(200),
            content_length: None,
            result: "Hit",
            response_result: "Hit",
            detailed_result: "Hit",
            taken: 0,
            first_byte: 0,
            origin: None,
            cmcd: None,
            note: Some(Note {
                refused: None,
                keys: sitter.keys,
            }),
            connection: mix(&[sitter.luck, self.minute.div_euclid(10).cast_unsigned()]),
            id: self.draw.next(),
        }
    }
}

pub(crate) fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
