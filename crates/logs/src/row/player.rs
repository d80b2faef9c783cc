//! The columns of CMCD. A field of real-time logs wins where it has a value; else the query string's
//! argument, else the headers that are logged.

use super::{Places, Slot, optional, text};
use crate::cmcd::list::{self, Reduced};
use crate::cmcd::{self, Cmcd, Seeker, Sought};
use crate::fields;
use crate::scan::Sink;
use crate::schema::Kind;

/// So many keys are looked for one by one; more are read in one pass over the whole.
const SOUGHT: usize = 2;

/// What is known of the player in the rows of a layout.
#[derive(Debug, Clone, Default)]
pub(super) struct Player {
    wanted: Vec<Wanted>,
    query: Option<Slot>,
    /// The path of real-time logs, which may have the query behind it.
    path: Option<Slot>,
    headers: Option<Slot>,
    /// All fields of CMCD, where it matters whether any has a value.
    any: Vec<Slot>,
    seekers: Vec<Seeker>,
    /// Of the row at hand.
    is_read: bool,
    has_list: bool,
    found: Vec<Found>,
    list: Vec<u8>,
    between: Vec<u8>,
}

#[derive(Debug, Clone, Copy)]
struct Wanted {
    key: &'static str,
    /// The same as a number.
    number: u64,
    kind: Kind,
    field: Option<Slot>,
}

#[derive(Debug, Clone, Copy)]
enum Found {
    Nothing,
    Flag,
    /// From and to in the list.
    Value(usize, usize),
}

impl Player {
    /// One more column; its place among those of CMCD.
    pub(super) fn want(
        &mut self,
        (key, kind, field): (&'static str, Kind, &str),
        is_realtime: bool,
        places: &mut Places,
    ) -> usize {
        if self.wanted.is_empty() {
            self.query = places.slot("cs-uri-query");
            if is_realtime {
                self.path = places.slot("cs-uri-stem");
                self.headers = places.slot("cs-headers");
            }
        }
        if is_realtime && self.any.is_empty() && (kind == Kind::Boolean || key == "v") {
            let fields = fields::REALTIME
                .iter()
                .filter(|name| name.starts_with("cmcd-"));
            self.any = fields.filter_map(|name| places.slot(name)).collect();
        }
        let field = is_realtime.then(|| places.slot(field)).flatten();
        self.wanted.push(Wanted {
            key,
            number: number_of(key.as_bytes()),
            kind,
            field,
        });
        self.found.push(Found::Nothing);
        self.seekers = match self.wanted.len() {
            0..=SOUGHT => self
                .wanted
                .iter()
                .map(|wanted| Seeker::new(wanted.key))
                .collect(),
            _ => Vec::new(),
        };
        self.wanted.len() - 1
    }

    /// Forgets the row before.
    pub(super) fn begin(&mut self) {
        self.is_read = false;
    }

    /// Tells the sink a column.
    pub(super) fn tell<'cells>(
        &mut self,
        column: usize,
        slot: usize,
        cell: &impl Fn(Slot) -> Option<&'cells [u8]>,
        sink: &mut impl Sink,
    ) {
        let Wanted {
            key, kind, field, ..
        } = self.wanted[column];
        let of_field = field.and_then(cell);
        let value = match of_field {
            // Which form it has is not documented; the key's own name may stand for true.
            Some(name) if kind == Kind::Boolean && name == key.as_bytes() => None,
            Some(value) => Some(value),
            None => {
                self.read(cell);
                match self.found[column] {
                    Found::Flag => None,
                    Found::Value(from, to) => Some(&self.list[from..to]),
                    Found::Nothing => {
                        let has_any =
                            self.has_list || self.any.iter().any(|slot| cell(*slot).is_some());
                        return match kind {
                            _ if !has_any => sink.null(slot),
                            Kind::Boolean => sink.boolean(slot, false),
                            _ if key == "v" => sink.integer(slot, 1),
                            _ => sink.null(slot),
                        };
                    }
                }
            }
        };
        match (kind, value) {
            (Kind::Boolean, value) => optional(sink, slot, list::boolean(value)),
            (Kind::Integer, Some(value)) => {
                let reduced = if key == "bsd" {
                    Reduced::Sum
                } else {
                    Reduced::Video
                };
                match list::integer(value, reduced) {
                    Some(value) => sink.integer(slot, value),
                    None => sink.null(slot),
                }
            }
            (Kind::Double, Some(value)) => match list::double(value, Reduced::Video) {
                Some(value) => sink.double(slot, value),
                None => sink.null(slot),
            },
            (_, Some(value)) => text(sink, slot, Some(&list::text(value))),
            (_, None) => sink.null(slot),
        }
    }

    /// Reads the row's list, once.
    fn read<'cells>(&mut self, cell: &impl Fn(Slot) -> Option<&'cells [u8]>) {
        if std::mem::replace(&mut self.is_read, true) {
            return;
        }
        self.found.fill(Found::Nothing);
        let maybe = |slot: Option<Slot>| slot.and_then(cell);
        let of_path = || maybe(self.path).and_then(|path| super::apart(path).1);
        let query = maybe(self.query).or_else(of_path);
        let argument = query.and_then(cmcd::argument);
        self.has_list = argument.is_some();
        match (argument, maybe(self.headers)) {
            (Some(argument), _) if self.seek(argument) => {}
            (Some(argument), _) => {
                crate::decode::twice(argument, &mut self.between, &mut self.list);
                self.note();
            }
            (None, Some(headers)) => {
                self.has_list = cmcd::of_headers(headers, &mut self.between, &mut self.list);
                if self.has_list {
                    self.note();
                }
            }
            (None, None) => {}
        }
    }

    /// Finds a key or two without reading the list; whether that is certain.
    fn seek(&mut self, argument: &[u8]) -> bool {
        if self.seekers.is_empty() {
            return false;
        }
        self.list.clear();
        for (seeker, found) in self.seekers.iter().zip(&mut self.found) {
            *found = match seeker.seek(argument) {
                Sought::Unsure => return false,
                Sought::Absent => Found::Nothing,
                Sought::Flag => Found::Flag,
                Sought::Value(value) => {
                    self.between.clear();
                    crate::decode::once(value, &mut self.between);
                    let from = self.list.len();
                    crate::decode::once(&self.between, &mut self.list);
                    Found::Value(from, self.list.len())
                }
            };
        }
        true
    }

    /// Notes where the wanted keys are in the list.
    fn note(&mut self) {
        self.found.fill(Found::Nothing);
        if self.list.starts_with(b"{")
            && let Some(cmcd) = Cmcd::of_json(&String::from_utf8_lossy(&self.list))
        {
            self.list = cmcd.to_list().into_bytes();
        }
        for item in list::items(&self.list) {
            let found = match item.value {
                None => Found::Flag,
                Some(value) => Found::Value(item.from, item.from + value.len()),
            };
            let number = number_of(item.key);
            for (wanted, slot) in self.wanted.iter().zip(&mut self.found) {
                if wanted.number == number && matches!(slot, Found::Nothing) {
                    *slot = found;
                }
            }
        }
    }
}

/// A key as a number, since numbers are compared fast. Those of the schema are short; all that are too
/// long are the same number, which is none of theirs.
fn number_of(key: &[u8]) -> u64 {
    if key.len() > 7 {
        return u64::MAX;
    }
    key.iter()
        .fold(1, |number, byte| number << 8 | u64::from(*byte))
}
