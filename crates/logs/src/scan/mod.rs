//! Reading one log object: what is asked for, where rows go, and what was found.

mod document;
mod json;
mod text;

use std::io::Read;
use std::ops::ControlFlow;

use jiff::civil::DateTime;

use self::document::Document;
use self::json::Objects;
use self::text::Layout;
use crate::lines::{self, Line};
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
    /// The line's beginning, 200 bytes at most, invalid UTF-8 replaced and what may be a token cut
    /// short. Hostile until escaped.
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
    /// The first of them.
    pub samples: Vec<BadLine>,
    /// Lines that are no rows: those that begin with `#`, and empty ones. With rows, those outside and
    /// bad ones these are all lines; of a JSON document, all its objects.
    pub skipped: u64,
    /// Why the object ended before its end: a gzip that was cut off or is damaged. What came before was
    /// handed over.
    pub truncated: Option<String>,
    /// Bytes of the object as it lies there.
    pub bytes: u64,
    /// The object is one of another table's logs: nothing of it was read.
    pub is_other: bool,
    /// Its lines are real-time logs.
    pub is_realtime: bool,
}

impl Scanned {
    /// Samples that are kept.
    pub const SAMPLES: usize = 20;
    /// Bytes of a sample's excerpt.
    pub const EXCERPT: usize = 200;

    /// Counts a bad line, and keeps it while there is room for samples.
    pub fn note_bad(&mut self, line: u64, reason: impl Into<String>, text: &[u8]) {
        self.bad += 1;
        if self.samples.len() < Self::SAMPLES {
            self.samples.push(BadLine {
                line,
                reason: reason.into(),
                excerpt: excerpt(text),
            });
        }
    }
}

/// A run of letters and digits that is longer may be a token.
const LONGEST_WORD: usize = 40;

/// A line's beginning, fit to be shown.
fn excerpt(text: &[u8]) -> String {
    let beginning = String::from_utf8_lossy(&text[..text.len().min(Scanned::EXCERPT)]);
    let mut shown = String::with_capacity(Scanned::EXCERPT);
    let is_inside = |character: char| {
        character.is_ascii_alphanumeric()
            || matches!(character, '-' | '_' | '.' | '+' | '=' | '%' | '~')
    };
    for part in beginning.split_inclusive(|character| !is_inside(character)) {
        let end = part
            .find(|character| !is_inside(character))
            .unwrap_or(part.len());
        let (word, after) = part.split_at(end);
        if word.len() > LONGEST_WORD {
            shown.push_str(&word[..8]);
            shown.push('…');
        } else {
            shown.push_str(word);
        }
        shown.push_str(after);
    }
    shown.truncate(shown.floor_char_boundary(Scanned::EXCERPT));
    shown
}

/// Reads an object, gzip or not, of any text format. Its kind is told by its first bytes; one of AWS
/// WAF's logs is left, see [`Scanned::is_other`].
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
    let mut reader = Reader::new(name, asked);
    let mut is_other = false;
    let ended = lines::each(object, |line| {
        if !reader.has_begun && crate::waf::is_record(line.text) {
            is_other = true;
            return ControlFlow::Break(());
        }
        reader.take(&line, sink)
    })?;
    Ok(Scanned {
        bytes: ended.bytes,
        truncated: ended.truncated,
        is_other,
        ..reader.finish()
    })
}

/// Reads lines as they come, such as the records of a stream: what [`scan`] is for an object.
#[derive(Debug)]
pub struct Reader<'a> {
    object: &'a str,
    asked: &'a Scan,
    layout: Option<Layout>,
    /// The layout was declared: a line with another number of fields is bad.
    is_declared: bool,
    /// Lines so far.
    lines: u64,
    /// Whether a line with content was there.
    has_begun: bool,
    objects: Objects,
    document: Option<Document>,
    scanned: Scanned,
}

impl<'a> Reader<'a> {
    /// Of the lines of an object of this name; it may be empty.
    pub fn new(object: &'a str, asked: &'a Scan) -> Self {
        let is_declared = !asked.fields.is_empty();
        Self {
            object,
            asked,
            layout: is_declared.then(|| Layout::new(asked.fields.clone(), object, asked)),
            is_declared,
            lines: 0,
            has_begun: false,
            objects: Objects::default(),
            document: None,
            scanned: Scanned::default(),
        }
    }

    /// One line, without its end. A `#Fields` line changes how those after it are read.
    pub fn line(&mut self, text: &[u8], sink: &mut impl Sink) -> ControlFlow<()> {
        let line = Line {
            text: &text[..text.len().min(lines::LONGEST)],
            is_too_long: text.len() > lines::LONGEST,
        };
        self.take(&line, sink)
    }

    /// What came of the lines so far.
    pub fn scanned(&self) -> &Scanned {
        &self.scanned
    }

    /// What came of all lines.
    pub fn finish(mut self) -> Scanned {
        self.scanned.is_realtime =
            self.objects.is_realtime() || self.layout.as_ref().is_some_and(Layout::is_realtime);
        if let Some(document) = self.document
            && let Some((line, text)) = document.unfinished()
        {
            self.scanned.note_bad(line, "JSON: it ends too early", text);
        }
        self.scanned
    }

    fn take(&mut self, line: &Line<'_>, sink: &mut impl Sink) -> ControlFlow<()> {
        self.lines += 1;
        if line.is_too_long {
            self.scanned
                .note_bad(self.lines, "the line is longer than 1 MiB", line.text);
            return ControlFlow::Continue(());
        }
        let mut text = line.text;
        if self.lines == 1 {
            text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        }
        if let Some(mut document) = self.document.take() {
            let flow = self.part(&mut document, text, sink);
            self.document = Some(document);
            return flow;
        }
        let became = match text.first() {
            None => None,
            Some(b'#') => {
                if let Some(names) = declared(text) {
                    self.layout = Some(Layout::new(names, self.object, self.asked));
                    self.is_declared = true;
                }
                None
            }
            Some(first) => {
                let has_begun = std::mem::replace(&mut self.has_begun, true);
                if !has_begun && (*first == b'[' || text.trim_ascii() == b"{") {
                    let mut document = Document::default();
                    let flow = self.part(&mut document, text, sink);
                    self.document = Some(document);
                    return flow;
                }
                if *first != b'{' {
                    Some(self.delimited(text, sink))
                } else if memchr::memmem::find(text, b"}{").is_none() {
                    Some(self.objects.read(text, (self.object, self.asked), sink))
                } else {
                    return self.several(text, sink);
                }
            }
        };
        if let Some(became) = became {
            self.count(became, text)
        } else {
            self.scanned.skipped += 1;
            ControlFlow::Continue(())
        }
    }

    /// Objects that a stream put into one line.
    fn several(&mut self, text: &[u8], sink: &mut impl Sink) -> ControlFlow<()> {
        let mut document = Document::default();
        self.part(&mut document, text, sink)?;
        if let Some((_, text)) = document.unfinished() {
            self.scanned
                .note_bad(self.lines, "JSON: it ends too early", text);
        }
        ControlFlow::Continue(())
    }

    /// A line of a JSON document.
    fn part(
        &mut self,
        document: &mut Document,
        text: &[u8],
        sink: &mut impl Sink,
    ) -> ControlFlow<()> {
        let mut rest = text;
        while let Some(part) = document.next(self.lines, &mut rest) {
            match part {
                Ok(object) => {
                    let became = self.objects.read(object, (self.object, self.asked), sink);
                    self.count(became, object)?;
                }
                Err(reason) => self.scanned.note_bad(self.lines, reason, text),
            }
        }
        ControlFlow::Continue(())
    }

    fn delimited(&mut self, line: &[u8], sink: &mut impl Sink) -> Result<Became, String> {
        if !self.is_declared {
            let count = memchr::memchr_iter(b'\t', line).count() + 1;
            let fits = self
                .layout
                .as_ref()
                .is_some_and(|layout| layout.count() == count);
            if !fits {
                self.layout = Some(Layout::of_line(line, self.object, self.asked)?);
            }
        }
        match &mut self.layout {
            Some(layout) => layout.read(line, sink),
            None => Err("no layout".to_owned()),
        }
    }

    fn count(&mut self, became: Result<Became, String>, text: &[u8]) -> ControlFlow<()> {
        match became {
            Ok(Became::Row(flow)) => {
                self.scanned.rows += 1;
                return flow;
            }
            Ok(Became::Outside) => self.scanned.outside += 1,
            Ok(Became::Bad(reason)) => self.scanned.note_bad(self.lines, reason, text),
            Err(reason) => self.scanned.note_bad(self.lines, reason, text),
        }
        ControlFlow::Continue(())
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
