//! Turns the fields of a row into the columns that are wanted. Text, JSON and Parquet all come through
//! here, so that a value is the same whatever it was written as.

mod player;

use std::ops::ControlFlow;

use self::player::Player;

use crate::scan::{Scan, Sink};
use crate::schema::{Kind, Origin, REQUESTS};
use crate::time::{self, Clock};
use crate::{decode, fields, number, rules};

/// What became of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Became {
    /// It is in the sink; or to break off.
    Row(ControlFlow<()>),
    /// It is not of the window.
    Outside,
    /// It cannot be read, for a reason in words.
    Bad(&'static str),
}

/// Turns rows of certain fields into rows of certain columns.
#[derive(Debug, Clone)]
pub struct Rows {
    needed: Vec<usize>,
    moment: Moment,
    window: Option<(i64, i64)>,
    makers: Vec<Maker>,
    player: Player,
    distribution: Option<String>,
    is_realtime: bool,
    clock: Clock,
    between: Vec<u8>,
    decoded: Vec<u8>,
}

/// The place of a field among those that are needed.
type Slot = usize;

/// Where the time of a request is.
#[derive(Debug, Clone, Copy)]
enum Moment {
    Nowhere,
    /// `timestamp(ms)`, `date`, `time`.
    Standard(Option<Slot>, Option<(Slot, Slot)>),
    Realtime(Slot),
}

/// How a column is made.
#[derive(Debug, Clone, Copy)]
enum Maker {
    Null,
    Text(Slot),
    Decoded(Slot),
    Integer(Slot),
    Double(Slot),
    Boolean(Slot),
    At,
    Distribution(Option<Slot>),
    Stem(Slot),
    /// The path, to where the query begins.
    StemOfTwo(Slot),
    Query(Option<Slot>, Option<Slot>),
    ObjectKind(Slot),
    IsHit([Option<Slot>; 3]),
    IsAbandoned([Option<Slot>; 3]),
    /// A column of CMCD, by its place among these.
    Player(usize),
}

impl Rows {
    /// For rows of `names`, in their order; `object` is the object's name.
    pub fn new<Name: AsRef<str>>(names: &[Name], object: &str, asked: &Scan) -> Self {
        let is_realtime = asked
            .is_realtime
            .unwrap_or_else(|| fields::are_realtime(names));
        let mut places = Places {
            names: names
                .iter()
                .map(|name| fields::canonical(name.as_ref()))
                .collect(),
            needed: Vec::new(),
        };
        let moment = if is_realtime {
            places
                .slot("timestamp")
                .map_or(Moment::Nowhere, Moment::Realtime)
        } else {
            let civil = match (places.slot("date"), places.slot("time")) {
                (Some(date), Some(time)) => Some((date, time)),
                _ => None,
            };
            match (places.slot("timestamp(ms)"), civil) {
                (None, None) => Moment::Nowhere,
                (milliseconds, civil) => Moment::Standard(milliseconds, civil),
            }
        };
        let mut player = Player::default();
        let makers = asked
            .columns
            .iter()
            .map(|column| maker(*column, is_realtime, &mut places, &mut player))
            .collect();
        Self {
            needed: places.needed,
            moment,
            window: asked
                .window
                .map(|(from, until)| (time::milliseconds(from), time::milliseconds(until))),
            makers,
            player,
            distribution: asked
                .distribution
                .clone()
                .or_else(|| fields::distribution_of(object)),
            is_realtime,
            clock: Clock::default(),
            between: Vec::new(),
            decoded: Vec::new(),
        }
    }

    /// Whether the names are those of real-time logs.
    pub fn is_realtime(&self) -> bool {
        self.is_realtime
    }

    /// The fields that are read, as places in the names that were given. What [`Rows::row`] asks for
    /// counts in their order.
    pub fn needed(&self) -> &[usize] {
        &self.needed
    }

    /// One row. `cell` gives the text of a needed field; None and `-` are no value.
    pub fn row<'cells>(
        &mut self,
        cell: impl Fn(usize) -> Option<&'cells [u8]>,
        sink: &mut impl Sink,
    ) -> Became {
        let cell = |slot: Slot| cell(slot).filter(|text| !text.is_empty() && *text != b"-");
        let maybe = |slot: Option<Slot>| slot.and_then(cell);
        let at = match self.moment {
            Moment::Nowhere => None,
            Moment::Realtime(slot) => cell(slot).and_then(time::epoch),
            Moment::Standard(milliseconds, civil) => {
                maybe(milliseconds).and_then(time::epoch).or_else(|| {
                    let (date, time) = civil?;
                    self.clock.read(cell(date)?, cell(time)?)
                })
            }
        };
        match (at, self.window) {
            (None, _) if !matches!(self.moment, Moment::Nowhere) => {
                return Became::Bad("its date or time cannot be read");
            }
            (None, Some(_)) => {
                return Became::Bad("its fields have no date, and a window is asked for");
            }
            (Some(at), Some((from, until))) if at < from || at >= until => return Became::Outside,
            _ => {}
        }
        self.player.begin();
        for (slot, maker) in self.makers.iter().enumerate() {
            match *maker {
                Maker::Null => sink.null(slot),
                Maker::Text(field) | Maker::Stem(field) => text(sink, slot, cell(field)),
                Maker::Decoded(field) => match cell(field) {
                    Some(value) if memchr::memchr(b'%', value).is_some() => {
                        decode::twice(value, &mut self.between, &mut self.decoded);
                        text(sink, slot, Some(&self.decoded));
                    }
                    value => text(sink, slot, value),
                },
                Maker::Integer(field) => integer(sink, slot, cell(field)),
                Maker::Double(field) => double(sink, slot, cell(field)),
                Maker::Boolean(field) => boolean(sink, slot, cell(field)),
                Maker::At => match at {
                    Some(at) => sink.timestamp(slot, at),
                    None => sink.null(slot),
                },
                Maker::Distribution(field) => match (maybe(field), &self.distribution) {
                    (Some(value), _) => text(sink, slot, Some(value)),
                    (None, Some(of_object)) => sink.text(slot, of_object),
                    (None, None) => sink.null(slot),
                },
                Maker::StemOfTwo(field) => text(sink, slot, cell(field).map(|path| apart(path).0)),
                Maker::Query(query, path) => {
                    let of_path = || maybe(path).and_then(|path| apart(path).1);
                    text(sink, slot, maybe(query).or_else(of_path));
                }
                Maker::ObjectKind(path) => match cell(path) {
                    Some(path) => sink.text(slot, rules::object_kind(apart(path).0)),
                    None => sink.null(slot),
                },
                Maker::IsHit([response, result, detailed]) => {
                    let is_hit = rules::is_hit(maybe(response), maybe(result), maybe(detailed));
                    optional(sink, slot, is_hit);
                }
                Maker::IsAbandoned([status, response, result]) => {
                    let status = maybe(status).and_then(number::integer);
                    let is_abandoned = rules::is_abandoned(status, maybe(response), maybe(result));
                    optional(sink, slot, is_abandoned);
                }
                Maker::Player(column) => self.player.tell(column, slot, &cell, sink),
            }
        }
        Became::Row(sink.end_row())
    }
}

/// The fields of a row, and which of them are needed so far.
struct Places {
    names: Vec<String>,
    needed: Vec<usize>,
}

impl Places {
    fn slot(&mut self, name: &str) -> Option<Slot> {
        if name.is_empty() {
            return None;
        }
        let wanted = fields::canonical(name);
        let place = self.names.iter().position(|name| *name == wanted)?;
        let known = self.needed.iter().position(|needed| *needed == place);
        Some(known.unwrap_or_else(|| {
            self.needed.push(place);
            self.needed.len() - 1
        }))
    }
}

fn maker(column: usize, is_realtime: bool, places: &mut Places, player: &mut Player) -> Maker {
    let Some(column) = REQUESTS.get(column) else {
        return Maker::Null;
    };
    match column.origin {
        Origin::Field { standard, realtime } => {
            let Some(slot) = places.slot(if is_realtime { realtime } else { standard }) else {
                return Maker::Null;
            };
            match (column.name, column.kind) {
                ("cs_user_agent" | "cs_referer", _) => Maker::Decoded(slot),
                (_, Kind::Text | Kind::Timestamp) => Maker::Text(slot),
                (_, Kind::Integer) => Maker::Integer(slot),
                (_, Kind::Double) => Maker::Double(slot),
                (_, Kind::Boolean) => Maker::Boolean(slot),
            }
        }
        Origin::Cmcd { key, realtime } => {
            let wanted = (key, column.kind, realtime);
            Maker::Player(player.want(wanted, is_realtime, places))
        }
        Origin::Derived => derived(column.name, is_realtime, places),
    }
}

fn derived(name: &str, is_realtime: bool, places: &mut Places) -> Maker {
    match name {
        "at" => Maker::At,
        "distribution_id" => Maker::Distribution(places.slot("primary-distribution-id")),
        "cs_uri_stem" => match places.slot("cs-uri-stem") {
            Some(slot) if is_realtime => Maker::StemOfTwo(slot),
            Some(slot) => Maker::Stem(slot),
            None => Maker::Null,
        },
        "cs_uri_query" => {
            let query = places.slot("cs-uri-query");
            let path = is_realtime.then(|| places.slot("cs-uri-stem")).flatten();
            Maker::Query(query, path)
        }
        "object_kind" => places
            .slot("cs-uri-stem")
            .map_or(Maker::Null, Maker::ObjectKind),
        "is_hit" => Maker::IsHit([
            places.slot("x-edge-response-result-type"),
            places.slot("x-edge-result-type"),
            places.slot("x-edge-detailed-result-type"),
        ]),
        "is_abandoned" => Maker::IsAbandoned([
            places.slot("sc-status"),
            places.slot("x-edge-response-result-type"),
            places.slot("x-edge-result-type"),
        ]),
        _ => Maker::Null,
    }
}

/// A path and the query that real-time logs put behind it.
fn apart(path: &[u8]) -> (&[u8], Option<&[u8]>) {
    match memchr::memchr(b'?', path) {
        Some(mark) => (
            &path[..mark],
            Some(&path[mark + 1..]).filter(|query| !query.is_empty()),
        ),
        None => (path, None),
    }
}

fn text(sink: &mut impl Sink, slot: usize, value: Option<&[u8]>) {
    match value.map(std::str::from_utf8) {
        None => sink.null(slot),
        Some(Ok(value)) => sink.text(slot, value),
        Some(Err(_)) => sink.text(slot, &String::from_utf8_lossy(value.unwrap_or_default())),
    }
}

fn integer(sink: &mut impl Sink, slot: usize, value: Option<&[u8]>) {
    match value.and_then(number::integer) {
        Some(value) => sink.integer(slot, value),
        None => sink.null(slot),
    }
}

fn double(sink: &mut impl Sink, slot: usize, value: Option<&[u8]>) {
    match value.and_then(number::double) {
        Some(value) => sink.double(slot, value),
        None => sink.null(slot),
    }
}

fn boolean(sink: &mut impl Sink, slot: usize, value: Option<&[u8]>) {
    optional(
        sink,
        slot,
        match value {
            Some(b"true" | b"1" | b"?1") => Some(true),
            Some(b"false" | b"0" | b"?0") => Some(false),
            _ => None,
        },
    );
}

fn optional(sink: &mut impl Sink, slot: usize, value: Option<bool>) {
    match value {
        Some(value) => sink.boolean(slot, value),
        None => sink.null(slot),
    }
}
