//! Lines, and Hive's `LazySimpleSerDe` over them: fields between delimiters, by their place.

use std::collections::BTreeMap;
use std::io::Read;

use super::HiveTable;
use super::provider::Row;

/// The lines of an object, unpacked as its name says: Hive goes by the ending alone.
pub(super) fn unpacked(key: &str, bytes: Vec<u8>) -> Result<Vec<u8>, String> {
    let ending = key.rsplit('.').next().unwrap_or_default();
    match ending.to_ascii_lowercase().as_str() {
        "gz" => {
            let mut text = Vec::new();
            flate2::read::MultiGzDecoder::new(bytes.as_slice())
                .read_to_end(&mut text)
                .map_err(|error| format!("it is no whole gzip file: {error}"))?;
            Ok(text)
        }
        "bz2" | "lz4" | "snappy" | "zst" => Err(format!("{ending} is not unpacked here")),
        _ => Ok(bytes),
    }
}

/// Walks over lines, which end with a newline, with or without a carriage return before it.
#[derive(Debug)]
pub(super) struct Lines {
    text: Vec<u8>,
    at: usize,
}

impl Lines {
    pub(super) fn new(text: Vec<u8>, skipped: usize) -> Self {
        let mut lines = Self { text, at: 0 };
        for _ in 0..skipped {
            lines.next_line();
        }
        lines
    }

    /// The next line, without its end.
    pub(super) fn next_line(&mut self) -> Option<&[u8]> {
        let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
        let length = rest.iter().position(|byte| *byte == b'\n');
        self.at += length.map_or(rest.len(), |length| length + 1);
        let line = &rest[..length.unwrap_or(rest.len())];
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }
}

/// How many lines each file begins with that are no rows.
pub(super) fn head_lines(table: &HiveTable) -> usize {
    let lines = table.parameters.get("skip.header.line.count");
    lines.and_then(|lines| lines.parse().ok()).unwrap_or(0)
}

/// Reads rows of delimited fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LazySimple {
    delimiter: u8,
    /// The text that stands for NULL.
    null: String,
}

impl LazySimple {
    pub(super) fn new(settings: &BTreeMap<String, String>) -> Self {
        let delimiter = settings
            .get("field.delim")
            .or_else(|| settings.get("serialization.format"))
            .map_or("\u{1}", String::as_str);
        let null = settings.get("serialization.null.format");
        Self {
            delimiter: match delimiter {
                // As the console and DDL write it.
                "\\t" => b'\t',
                text => text.bytes().next().unwrap_or(1),
            },
            null: null.map_or_else(|| "\\N".to_owned(), Clone::clone),
        }
    }

    /// Hands the fields at `places` over. Fields too many are ignored, fields too few are NULL.
    pub(super) fn read(&self, line: &[u8], places: &[usize], row: &mut Row<'_>) {
        let mut fields = line.split(|byte| *byte == self.delimiter).enumerate();
        // Places rise, so that one walk along the line is enough.
        for (slot, place) in places.iter().enumerate() {
            let field = fields.find(|(at, _)| at == place).map(|(_, field)| field);
            match field {
                None => row.push(slot, None),
                Some(field) => {
                    let text = String::from_utf8_lossy(field);
                    row.push(slot, Some(&*text).filter(|text| **text != self.null));
                }
            }
        }
    }
}
