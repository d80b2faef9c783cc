//! Lines of fields with a delimiter between: W3C text, version 2's plain text, real-time logs.

use crate::fields;
use crate::row::{Became, Rows};
use crate::scan::{Scan, Sink};

/// What delimiters are tried where neither a declaration nor the line's date tells it.
const DELIMITERS: [&[u8]; 6] = [b"\t", b",", b";", b"|", b" ", b"\x01"];
/// Longest delimiter of a delivery (`fieldDelimiter`), CloudWatch Logs API, `CreateDelivery`.
const LONGEST_DELIMITER: usize = 5;

/// Lines of one layout.
#[derive(Debug)]
pub(super) struct Layout {
    rows: Rows,
    names: Vec<String>,
    delimiter: Vec<u8>,
    /// A line with the right number of fields was there: what one odd line looks like must not decide
    /// for all others.
    is_certain: bool,
    /// Place in the line and slot of each field that is needed, by place.
    order: Vec<(usize, usize)>,
    cells: Vec<(usize, usize)>,
}

impl Layout {
    /// Of fields that are declared, in their order.
    pub(super) fn new(names: Vec<String>, object: &str, asked: &Scan) -> Self {
        let rows = Rows::new(&names, object, asked);
        let mut order: Vec<(usize, usize)> = rows
            .needed()
            .iter()
            .enumerate()
            .map(|(slot, place)| (*place, slot))
            .collect();
        order.sort_unstable();
        Self {
            cells: vec![(0, 0); order.len()],
            rows,
            names,
            delimiter: b"\t".to_vec(),
            is_certain: false,
            order,
        }
    }

    /// Of a line that nothing declares: by the number of its fields.
    pub(super) fn of_line(line: &[u8], object: &str, asked: &Scan) -> Result<Self, String> {
        let count = memchr::memchr_iter(b'\t', line).count() + 1;
        let Some(names) = fields::layout(count) else {
            return Err(format!(
                "{count} fields, and no #Fields line declares them: only 12, 19, 24, 26, 33 (standard), 69 and 71 (real-time) are known"
            ));
        };
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        Ok(Self {
            is_certain: true,
            ..Self::new(names, object, asked)
        })
    }

    /// Whether they are those of real-time logs.
    pub(super) fn is_realtime(&self) -> bool {
        self.rows.is_realtime()
    }

    /// How many fields its lines have.
    pub(super) fn count(&self) -> usize {
        self.names.len()
    }

    /// One line.
    pub(super) fn read(&mut self, line: &[u8], sink: &mut impl Sink) -> Result<Became, String> {
        if !self.is_certain {
            self.delimiter = delimiter(&self.names, line);
        }
        let Self { order, cells, .. } = self;
        let found = match self.delimiter.as_slice() {
            [one] => cut(line, memchr::memchr_iter(*one, line), 1, order, cells),
            several => {
                let delimiters = memchr::memmem::find_iter(line, several);
                cut(line, delimiters, several.len(), order, cells)
            }
        };
        if found != self.names.len() {
            return Err(format!("{found} fields instead of {}", self.names.len()));
        }
        self.is_certain = true;
        let cells = &self.cells;
        Ok(self.rows.row(
            |slot| {
                let (from, to) = cells[slot];
                Some(&line[from..to])
            },
            sink,
        ))
    }
}

/// Notes where the needed fields are (`order`: place and slot, by place); how many fields there are.
fn cut(
    line: &[u8],
    mut delimiters: impl Iterator<Item = usize>,
    width: usize,
    order: &[(usize, usize)],
    cells: &mut [(usize, usize)],
) -> usize {
    let mut start = 0;
    let mut place = 0;
    for (wanted, slot) in order {
        loop {
            let Some(end) = delimiters.next() else {
                if place == *wanted {
                    cells[*slot] = (start, line.len());
                }
                return place + 1;
            };
            let from = std::mem::replace(&mut start, end + width);
            place += 1;
            if place > *wanted {
                cells[*slot] = (from, end);
                break;
            }
        }
    }
    place + 1 + delimiters.count()
}

/// What is between the fields of a line. Where it begins with date and time, it is what is between
/// these; else the first candidate that gives the right number of fields.
fn delimiter(names: &[String], line: &[u8]) -> Vec<u8> {
    let gives =
        |delimiter: &[u8]| memchr::memmem::find_iter(line, delimiter).count() + 1 == names.len();
    let first = |place: usize| names.get(place).map(|name| fields::canonical(name));
    if first(0).as_deref() == Some("date") && first(1).as_deref() == Some("time") {
        let is_time = |text: &[u8]| matches!(text, [_, _, b':', _, _, b':', _, _, ..]);
        for width in 1..=LONGEST_DELIMITER {
            if let Some((delimiter, time)) =
                line.get(10..).and_then(|rest| rest.split_at_checked(width))
                && is_time(time)
                && gives(delimiter)
            {
                return delimiter.to_vec();
            }
        }
    }
    let found = DELIMITERS.into_iter().find(|delimiter| gives(delimiter));
    found.unwrap_or(b"\t").to_vec()
}
