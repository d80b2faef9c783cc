//! Who sits on a seat in a minute: the viewer, the session, where and on what.

use crate::Scene;
use crate::devices::{self, Device};
use crate::places::{self, Place};
use crate::random::{Draw, below, mix, part};

/// What somebody is after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Watches.
    Viewer,
    /// Would watch, from a country without rights.
    Outsider {
        /// Refused by the edge function (451) rather than by the geo restriction (403).
        by_function: bool,
    },
    /// Pulls the stream to send it on, with a session or a token that others use as well.
    Puller,
}

/// Who sits there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sitter<'a> {
    pub(crate) kind: Kind,
    pub(crate) device: &'static Device,
    pub(crate) place: Place<'a>,
    pub(crate) session: u128,
    /// Made of the session too, for what is decided once a session.
    pub(crate) luck: u64,
    /// The minute in which the session began, if nobody was away since.
    pub(crate) since: i64,
    /// The session begins in this minute.
    pub(crate) is_new: bool,
    /// The account, the session and the token.
    pub(crate) keys: [u64; 3],
    /// Kilobits a second, this minute.
    pub(crate) throughput: f64,
    /// Milliseconds by which the player's segments are off those of the clock.
    pub(crate) phase: u64,
    pub(crate) port: u16,
    pub(crate) has_captions: bool,
    /// Asks by the distribution's own name.
    pub(crate) by_own_name: bool,
}

/// A scene's numbers that every seat needs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hall<'a> {
    pub(crate) scene: &'a Scene,
    /// The place of the distribution that is asked about, and the sum of all parts.
    wanted: Option<(f64, f64)>,
    countries: f64,
    /// Viewers that share an address of a carrier's, about.
    pools: u64,
}

/// Sessions that a viewer has before somebody else takes the seat.
const SESSIONS: i64 = 3;
/// Who stays for fewer minutes than this does not come back.
const SHORT: u64 = 20;
/// Viewers on one of a carrier's addresses.
const SHARING: u64 = 12;
/// Minutes for which a puller stays on one machine.
const PULLER_MINUTES: i64 = 6;
/// Machines of a ring of pullers.
const MACHINES: u64 = 40;
/// Seats whose pullers belong together.
const RING: u64 = 4000;

impl<'a> Hall<'a> {
    pub(crate) fn new(scene: &'a Scene, distribution: &str) -> Self {
        let mut from = 0.0;
        let mut wanted = None;
        for (id, _, part) in &scene.distributions {
            if id == distribution {
                wanted = Some((from, from + part));
            }
            from += part;
        }
        Self {
            scene,
            wanted: wanted.map(|(begin, end)| (begin / from, end / from)),
            countries: scene.countries.iter().map(|(_, part)| part).sum(),
            pools: (scene.viewers / 40 / SHARING).max(1),
        }
    }

    /// Who sits on a seat, when that is somebody who asks the distribution.
    pub(crate) fn sitter(&self, seat: u64, minute: i64, before: u64) -> Option<Sitter<'a>> {
        let scene = self.scene;
        let own = mix(&[scene.seed, seat]);
        // From a quarter of the usual time to seven quarters.
        let stay = u64::from(scene.stay);
        let length = (stay / 4 + below(own, stay * 3 / 2 + 1)).max(1);
        let length = i64::try_from(length).unwrap_or(60);
        let sessions = if stay < SHORT { 1 } else { SESSIONS };
        let offset = i64::try_from(mix(&[own, 1]) >> 40).unwrap_or_default();
        let epoch = (minute + offset).div_euclid(length);
        let viewer = mix(&[own, epoch.div_euclid(sessions).cast_unsigned(), 2]);
        let (begin, end) = self.wanted?;
        let asks = part(mix(&[viewer, 3]));
        if asks < begin || asks >= end {
            return None;
        }
        let since = epoch * length - offset;
        let is_new = seat >= before || since == minute;
        let session = mix(&[viewer, epoch.cast_unsigned(), 4]);
        let kind = self.kind(seat, own);
        let mut draw = Draw::of(&[viewer, 5]);
        let device = match kind {
            Kind::Puller => &devices::PULLER,
            _ => devices::by_share(draw.below(1000)),
        };
        let is_mobile = device.is_mobile && draw.chance(0.7);
        let place = self.place(kind, viewer, session, minute, is_mobile, &mut draw);
        let place = match kind {
            Kind::Puller => self.machine(seat, minute),
            _ => place,
        };
        let throughput = if is_mobile {
            2_500.0 + draw.tailed(14_000.0)
        } else {
            9_000.0 + draw.tailed(45_000.0)
        };
        let swing = part(mix(&[viewer, minute.cast_unsigned(), 7]));
        let (identity, keys) = self.identity(kind, seat, viewer, session, minute);
        Some(Sitter {
            kind,
            device,
            place,
            session: identity,
            luck: session,
            since,
            is_new,
            keys,
            throughput: throughput * (0.7 + 0.6 * swing),
            phase: draw.below(u64::from(scene.segment.max(1))),
            port: 1024 + u16::try_from(below(mix(&[session, 8]), 64_000)).unwrap_or_default(),
            has_captions: kind == Kind::Viewer && draw.chance(0.07),
            by_own_name: kind == Kind::Puller && seat % 8 != 7,
        })
    }

    /// A few seats are for who should not be there; of the first, so that small audiences have them.
    fn kind(&self, seat: u64, own: u64) -> Kind {
        let luck = part(mix(&[own, 9]));
        if seat == 7 || seat == 19 || (seat > 40 && luck < 0.004) {
            Kind::Puller
        } else if (seat == 5 || (seat > 40 && luck > 0.982))
            && !self.scene.without_rights.is_empty()
        {
            Kind::Outsider {
                by_function: own & 1 == 1,
            }
        } else {
            Kind::Viewer
        }
    }

    fn place(
        &self,
        kind: Kind,
        viewer: u64,
        session: u64,
        minute: i64,
        is_mobile: bool,
        draw: &mut Draw,
    ) -> Place<'a> {
        let country = match kind {
            Kind::Outsider { .. } => {
                let list = &self.scene.without_rights;
                let count = u64::try_from(list.len()).unwrap_or(1);
                let place = usize::try_from(draw.below(count)).unwrap_or_default();
                list.get(place).map_or("US", String::as_str)
            }
            _ => self.country(draw.part()),
        };
        let network_place = places::network_place(draw.next());
        // Some leave the house in the middle of a session: their address changes once.
        let has_left = draw.chance(0.04) && minute.rem_euclid(60) >= 30;
        let is_shared = (is_mobile && draw.chance(0.75)) || has_left;
        let network = if is_shared {
            places::network(country, 3)
        } else {
            places::network(country, network_place)
        };
        let address = if is_shared {
            places::shared(network, self.pools, viewer)
        } else if draw.chance(0.38) {
            places::home_six(viewer, session)
        } else {
            places::home(viewer)
        };
        let (edges, distance) = places::edges(country);
        Place {
            address,
            country,
            network,
            edge: draw.one_of(edges),
            distance: if is_mobile { distance + 25.0 } else { distance },
        }
    }

    fn country(&self, luck: f64) -> &'a str {
        let mut left = luck * self.countries;
        for (country, part) in &self.scene.countries {
            left -= part;
            if left < 0.0 {
                return country;
            }
        }
        self.scene
            .countries
            .last()
            .map_or("ZZ", |(country, _)| country)
    }

    /// Where a puller is for a few minutes: a machine that anyone can rent.
    fn machine(&self, seat: u64, minute: i64) -> Place<'a> {
        let ring = mix(&[self.scene.seed, seat / RING, 10]);
        let turn = minute.div_euclid(PULLER_MINUTES).cast_unsigned();
        let machine = mix(&[ring, below(mix(&[seat, turn, 11]), MACHINES)]);
        let (address, network) = places::data_center(machine);
        let country = self.country(part(mix(&[ring, 12])));
        let (edges, distance) = places::edges(country);
        Place {
            address,
            country,
            network,
            edge: edges[0],
            distance,
        }
    }

    /// The session's id and the token's keys. Pullers share one token, and half of them the session.
    fn identity(
        &self,
        kind: Kind,
        seat: u64,
        viewer: u64,
        session: u64,
        minute: i64,
    ) -> (u128, [u64; 3]) {
        let id = |of: u64| {
            let (upper, lower) = (mix(&[of, 13]), mix(&[of, 14]));
            // Version 4, variant 1, as random GUIDs have it.
            let upper = (upper & !0xf000) | 0x4000;
            let lower = (lower & !(3 << 62)) | (2 << 62);
            (u128::from(upper) << 64) | u128::from(lower)
        };
        let keys = |account: u64, session: u64| {
            [
                mix(&[account, 15]),
                mix(&[session, 16]),
                mix(&[session, 17]),
            ]
        };
        match kind {
            Kind::Puller => {
                let ring = mix(&[self.scene.seed, seat / RING, 18]);
                let shift = mix(&[ring, minute.div_euclid(180).cast_unsigned()]);
                let own = if seat % 8 == 7 { shift } else { session };
                (id(own), keys(ring, shift))
            }
            _ => (id(session), keys(viewer, session)),
        }
    }
}
