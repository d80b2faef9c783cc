//! Reading one log object: what is asked for, where rows go, and what was found.

mod text;

use std::io::Read;
use std::ops::ControlFlow;

use jiff::civil::DateTime;

use self::text::Layout;
use crate::lines;
use crate::row::Became;

/// What is to be read from an object.
#[derive(Debug, Clone, Default)]
pub struct Scan {
    /// Columns wanted, as places in [`crate::schema::REQUESTS`], in the order that the sink gets them.
    pub columns: Vec<usize>,
    /// Rows of this window alone: from, and until (exclusive), UTC.
    pub window: Option<(DateTime, DateTime)>,
    /// The fields of lines that no `#Fields` line declares, in their order; empty: told by the number
    /// of fields (12, 19, 24, 26 or 33), or, for JSON and Parquet, by the object itself.
    pub fields: Vec<String>,
    /// Real-time names where the two kinds of logs differ. None: told by the fields' names.
    pub is_realtime: Option<bool>,
    /// What the object's path says of its distribution; the name of a standard log's object does too.
    pub distribution: Option<String>,
}

/// Takes rows, column by column. `slot` counts in the order of [`Scan::columns`]; each slot of a row
/// is told once, in any order.
pub trait Sink {
    /// No value.
    fn null(&mut self, slot: usize);
    /// A text.
    fn text(&mut self, slot: usize, value: &str);
    /// An integer.
    fn integer(&mut self, slot: usize, value: i64);
    /// A double.
    fn double(&mut self, slot: usize, value: f64);
    /// A boolean.
    fn boolean(&mut self, slot: usize, value: bool);
    /// Milliseconds since 1970, UTC.
    fn timestamp(&mut self, slot: usize, milliseconds: i64);
    /// The row is whole. To break off is to stop reading.
    fn end_row(&mut self) -> ControlFlow<()>;
}

/// A line that could not be read as a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLine {
    /// Counted from 1, of the text as it is unpacked.
    pub line: u64,
    /// What is wrong, in words.
    pub reason: String,
    /// The line's beginning, 200 bytes at most, invalid UTF-8 replaced. Hostile until escaped.
    pub excerpt: String,
}

/// What reading an object came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scanned {
    /// Rows handed over.
    pub rows: u64,
    /// Rows outside of the window.
    pub outside: u64,
    /// Lines that could not be read.
    pub bad: u64,
    /// Lines that are no rows: those that begin with `#`, and empty ones.
    pub skipped: u64,
    /// Lines, which is the sum of these four.
    pub lines: u64,
    /// The first of them.
    pub samples: Vec<BadLine>,
    /// Why the object ended before its end: a gzip that was cut off or is damaged. What came before was
    /// handed over.
    pub truncated: Option<String>,
    /// Bytes of the object as it lies there.
    pub bytes: u64,
}

impl Scanned {
    /// Samples that are kept.
    pub const SAMPLES: usize = 20;
    /// Bytes of a sample's excerpt.
    pub const EXCERPT: usize = 200;

    fn bad(&mut self, line: u64, reason: impl Into<String>, text: &[u8]) {
        self.bad += 1;
        if self.samples.len() < Self::SAMPLES {
            let beginning = &text[..text.len().min(Self::EXCERPT)];
            self.samples.push(BadLine {
                line,
                reason: reason.into(),
                excerpt: String::from_utf8_lossy(beginning).into_owned(),
            });
        }
    }
}

/// Reads an object, gzip or not, of any text format. Its kind is told by its first bytes.
///
/// # Errors
/// The object cannot be read at all, such as for want of rights. What is wrong with its content is
/// told in [`Scanned`].
pub fn scan(
    object: impl Read,
    name: &str,
    asked: &Scan,
    sink: &mut impl Sink,
) -> std::io::Result<Scanned> {
    let mut scanned = Scanned::default();
    let mut lines = Lines::new(name, asked);
    let ended = lines::each(object, |line| {
        if line.is_too_long {
            scanned.bad(line.number, "the line is longer than 1 MiB", line.text);
            return ControlFlow::Continue(());
        }
        match lines.read(line.text, sink) {
            Ok(None) => scanned.skipped += 1,
            Ok(Some(Became::Outside)) => scanned.outside += 1,
            Ok(Some(Became::Bad(reason))) => scanned.bad(line.number, reason, line.text),
            Err(reason) => scanned.bad(line.number, reason, line.text),
            Ok(Some(Became::Row(flow))) => {
                scanned.rows += 1;
                return flow;
            }
        }
        ControlFlow::Continue(())
    })?;
    scanned.lines = ended.lines;
    scanned.bytes = ended.bytes;
    scanned.truncated = ended.truncated;
    Ok(scanned)
}

/// The lines of an object, and what is known of their layout so far.
struct Lines<'a> {
    object: &'a str,
    asked: &'a Scan,
    layout: Option<Layout>,
    /// The layout was declared: a line with another number of fields is bad.
    is_declared: bool,
    is_first: bool,
}

impl<'a> Lines<'a> {
    fn new(object: &'a str, asked: &'a Scan) -> Self {
        let is_declared = !asked.fields.is_empty();
        Self {
            object,
            asked,
            layout: is_declared.then(|| Layout::new(asked.fields.clone(), object, asked)),
            is_declared,
            is_first: true,
        }
    }

    /// One line; None: it is no row and was not meant to be one.
    fn read(&mut self, line: &[u8], sink: &mut impl Sink) -> Result<Option<Became>, String> {
        let mut line = line;
        if std::mem::take(&mut self.is_first) {
            line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        }
        match line.first() {
            None => return Ok(None),
            Some(b'#') => {
                if let Some(names) = declared(line) {
                    self.layout = Some(Layout::new(names, self.object, self.asked));
                    self.is_declared = true;
                }
                return Ok(None);
            }
            Some(_) => {}
        }
        if !self.is_declared {
            let fits =
                |layout: &Layout| layout.count() == memchr::memchr_iter(b'\t', line).count() + 1;
            if !self.layout.as_ref().is_some_and(fits) {
                self.layout = Some(Layout::of_line(line, self.object, self.asked)?);
            }
        }
        match &mut self.layout {
            Some(layout) => layout.read(line, sink).map(Some),
            None => Ok(None),
        }
    }
}

/// The fields that a `#Fields:` line declares.
fn declared(line: &[u8]) -> Option<Vec<String>> {
    const NAME: &[u8] = b"#fields:";
    let (name, list) = line.split_at_checked(NAME.len())?;
    if !name.eq_ignore_ascii_case(NAME) {
        return None;
    }
    let list = String::from_utf8_lossy(list);
    let is_between =
        |character: char| character.is_whitespace() || matches!(character, ',' | ';' | '|');
    let names: Vec<String> = list
        .split(is_between)
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect();
    (!names.is_empty()).then_some(names)
}

#[cfg(test)]
mod tests;
