//! Regular expressions: `regexp_like`, `regexp_extract` and their kin.
//! <https://trino.io/docs/current/functions/regexp.html>
//!
//! Patterns are those of the crate `regex`: Trino's (Java's) without look-around and
//! back-references, in linear time whatever a viewer sends.

use std::borrow::Cow;
use std::cell::RefCell;

use datafusion::common::{Result, exec_datafusion_err, exec_err};
use datafusion::logical_expr::ScalarUDF;
use regex::{CaptureLocations, Regex};

use super::scalar::Takes::{Bigint, Text};
use super::scalar::{Call, Scalar, bigint, boolean, text, texts};

/// The functions of this file.
pub(super) fn functions() -> Vec<ScalarUDF> {
    vec![
        Scalar::new("regexp_like", &[&[Text, Text]], boolean, like),
        Scalar::new(
            "regexp_extract",
            &[&[Text, Text], &[Text, Text, Bigint]],
            text,
            extract,
        ),
        Scalar::new(
            "regexp_extract_all",
            &[&[Text, Text], &[Text, Text, Bigint]],
            texts,
            extract_all,
        ),
        Scalar::new(
            "regexp_replace",
            &[&[Text, Text], &[Text, Text, Text]],
            text,
            replace,
        ),
        Scalar::new("regexp_count", &[&[Text, Text]], bigint, count),
        Scalar::new("regexp_split", &[&[Text, Text]], texts, split),
        Scalar::new(
            "regexp_position",
            &[
                &[Text, Text],
                &[Text, Text, Bigint],
                &[Text, Text, Bigint, Bigint],
            ],
            bigint,
            position,
        ),
    ]
    .into_iter()
    .map(Scalar::into_function)
    .collect()
}

/// Patterns that a thread keeps compiled: a query has a few, in each batch again.
const KEPT: usize = 16;

thread_local! {
    static COMPILED: RefCell<Vec<(String, Regex)>> = const { RefCell::new(Vec::new()) };
}

fn compiled(pattern: &str) -> Result<Regex> {
    COMPILED.with_borrow_mut(|kept| {
        if let Some(place) = kept.iter().position(|(text, _)| text == pattern) {
            return Ok(kept[place].1.clone());
        }
        let regex = Regex::new(pattern).map_err(|error| {
            exec_datafusion_err!(
                "the regular expression {pattern:?} cannot be read: {}",
                error.to_string().lines().last().unwrap_or_default()
            )
        })?;
        if kept.len() == KEPT {
            kept.remove(0);
        }
        kept.push((pattern.to_owned(), regex.clone()));
        Ok(regex)
    })
}

/// Each row's text and pattern; a constant pattern is compiled once.
struct Matches {
    texts: super::scalar::Rows<datafusion::arrow::array::StringViewArray>,
    patterns: super::scalar::Rows<datafusion::arrow::array::StringViewArray>,
    same: Option<Regex>,
}

impl Matches {
    fn new(call: &Call<'_>) -> Result<Self> {
        let patterns = call.texts(1)?;
        let same = patterns.same().map(compiled).transpose()?;
        Ok(Self {
            texts: call.texts(0)?,
            patterns,
            same,
        })
    }

    fn get(&self, row: usize) -> Result<Option<(&str, Cow<'_, Regex>)>> {
        let Some(text) = self.texts.get(row) else {
            return Ok(None);
        };
        if let Some(regex) = &self.same {
            return Ok(Some((text, Cow::Borrowed(regex))));
        }
        match self.patterns.get(row) {
            Some(pattern) => Ok(Some((text, Cow::Owned(compiled(pattern)?)))),
            None => Ok(None),
        }
    }
}

fn like(call: &Call<'_>) -> Result<datafusion::arrow::array::ArrayRef> {
    let matches = Matches::new(call)?;
    call.each_boolean(|row| Ok(matches.get(row)?.map(|(text, regex)| regex.is_match(text))))
}

/// The number of a group, checked against the pattern.
fn group(regex: &Regex, number: i64) -> Result<usize> {
    usize::try_from(number)
        .ok()
        .filter(|number| *number < regex.captures_len())
        .ok_or_else(|| {
            exec_datafusion_err!(
                "the pattern {:?} has {} groups, not group {number}",
                regex.as_str(),
                regex.captures_len() - 1
            )
        })
}

fn found<'t>(
    regex: &Regex,
    locations: &mut Option<CaptureLocations>,
    text: &'t str,
    group: usize,
) -> Option<&'t str> {
    if group == 0 {
        return regex.find(text).map(|found| found.as_str());
    }
    let locations = locations.get_or_insert_with(|| regex.capture_locations());
    regex.captures_read(locations, text)?;
    locations.get(group).map(|(from, until)| &text[from..until])
}

fn extract(call: &Call<'_>) -> Result<datafusion::arrow::array::ArrayRef> {
    let matches = Matches::new(call)?;
    let groups = if call.len() > 2 {
        Some(call.integers(2)?)
    } else {
        None
    };
    let mut kept = None;
    let is_same = matches.same.is_some();
    call.each_text(|row| {
        let number = match &groups {
            Some(groups) => match groups.get(row) {
                Some(number) => number,
                None => return Ok(None),
            },
            None => 0,
        };
        let Some((text, regex)) = matches.get(row)? else {
            return Ok(None);
        };
        let number = group(&regex, number)?;
        if !is_same {
            kept = None;
        }
        Ok(found(&regex, &mut kept, text, number))
    })
}

fn extract_all(call: &Call<'_>) -> Result<datafusion::arrow::array::ArrayRef> {
    let matches = Matches::new(call)?;
    let groups = if call.len() > 2 {
        Some(call.integers(2)?)
    } else {
        None
    };
    call.each_value(|row| {
        let number = match &groups {
            Some(groups) => groups.get(row),
            None => Some(0),
        };
        let (Some(number), Some((text, regex))) = (number, matches.get(row)?) else {
            return datafusion::common::ScalarValue::try_from(call.returns);
        };
        let number = group(&regex, number)?;
        // A group that took no part is NULL in the array.
        let all: datafusion::arrow::array::StringViewArray = regex
            .captures_iter(text)
            .map(|captures| captures.get(number).map(|found| found.as_str()))
            .collect();
        Ok(super::arrays::list_value(std::sync::Arc::new(all)))
    })
}

fn count(call: &Call<'_>) -> Result<datafusion::arrow::array::ArrayRef> {
    let matches = Matches::new(call)?;
    call.each_integer(|row| {
        Ok(matches
            .get(row)?
            .map(|(text, regex)| super::number_of(regex.find_iter(text).count())))
    })
}

fn split(call: &Call<'_>) -> Result<datafusion::arrow::array::ArrayRef> {
    let matches = Matches::new(call)?;
    call.each_texts(|row| {
        Ok(matches
            .get(row)?
            .map(|(text, regex)| regex.split(text).map(str::to_owned).collect::<Vec<_>>()))
    })
}

/// The first character's place from 1, or -1.
fn position(call: &Call<'_>) -> Result<datafusion::arrow::array::ArrayRef> {
    let matches = Matches::new(call)?;
    let from = (call.len() > 2).then(|| call.integers(2)).transpose()?;
    let which = (call.len() > 3).then(|| call.integers(3)).transpose()?;
    call.each_integer(|row| {
        let from = from.as_ref().map_or(Some(1), |from| from.get(row));
        let which = which.as_ref().map_or(Some(1), |which| which.get(row));
        let (Some(from), Some(which), Some((text, regex))) = (from, which, matches.get(row)?)
        else {
            return Ok(None);
        };
        let (Ok(from), Ok(which)) = (usize::try_from(from - 1), usize::try_from(which - 1)) else {
            return exec_err!("the start and the occurrence of regexp_position count from 1");
        };
        let Some((start, _)) = text
            .char_indices()
            .chain(std::iter::once((text.len(), ' ')))
            .nth(from)
        else {
            return Ok(Some(-1));
        };
        let found = regex.find_iter(&text[start..]).nth(which);
        Ok(Some(found.map_or(-1, |found| {
            super::number_of(text[..start + found.start()].chars().count() + 1)
        })))
    })
}

/// A piece of a replacement, in Java's way of writing it.
#[derive(Debug, PartialEq)]
enum Piece {
    Text(String),
    Group(usize),
    Named(String),
}

/// `$1` is a group, with as many digits as there are groups for; `${name}` too; `\` takes what
/// follows as it is.
fn pieces(replacement: &str, regex: &Regex) -> Result<Vec<Piece>> {
    let groups = regex.captures_len();
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let mut rest = replacement.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '\\' => match rest.next() {
                Some(next) => plain.push(next),
                None => return exec_err!("the replacement {replacement:?} ends in a backslash"),
            },
            '$' => {
                if !plain.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut plain)));
                }
                if rest.peek() == Some(&'{') {
                    let name: String = rest.by_ref().skip(1).take_while(|c| *c != '}').collect();
                    if !regex.capture_names().flatten().any(|other| other == name) {
                        return exec_err!(
                            "the replacement {replacement:?} names no group: {name:?}"
                        );
                    }
                    pieces.push(Piece::Named(name));
                    continue;
                }
                let Some(first) = rest.next_if(char::is_ascii_digit) else {
                    return exec_err!(
                        "the replacement {replacement:?} has a $ without a group: write \\$"
                    );
                };
                let digit = |c: char| c.to_digit(10).map_or(0, |digit| digit as usize);
                let mut number = digit(first);
                if number >= groups {
                    return exec_err!(
                        "the replacement {replacement:?} names group {number}: there are {}",
                        groups - 1
                    );
                }
                while let Some(next) = rest.peek().copied().filter(char::is_ascii_digit) {
                    let longer = number * 10 + digit(next);
                    if longer >= groups {
                        break;
                    }
                    number = longer;
                    rest.next();
                }
                pieces.push(Piece::Group(number));
            }
            other => plain.push(other),
        }
    }
    if !plain.is_empty() {
        pieces.push(Piece::Text(plain));
    }
    Ok(pieces)
}

fn replaced<'t>(regex: &Regex, text: &'t str, pieces: &[Piece]) -> Cow<'t, str> {
    if let [] | [Piece::Text(_)] = pieces {
        let with = match pieces {
            [Piece::Text(with)] => with.as_str(),
            _ => "",
        };
        return regex.replace_all(text, regex::NoExpand(with));
    }
    regex.replace_all(text, |captures: &regex::Captures<'_>| {
        let mut out = String::new();
        for piece in pieces {
            let group = match piece {
                Piece::Text(plain) => {
                    out.push_str(plain);
                    continue;
                }
                Piece::Group(number) => captures.get(*number),
                Piece::Named(name) => captures.name(name),
            };
            out.push_str(group.map_or("", |group| group.as_str()));
        }
        out
    })
}

fn replace(call: &Call<'_>) -> Result<datafusion::arrow::array::ArrayRef> {
    let matches = Matches::new(call)?;
    let with = (call.len() > 2).then(|| call.texts(2)).transpose()?;
    let same = match (&matches.same, with.as_ref().map(super::scalar::Rows::same)) {
        (Some(_), None) => Some(Vec::new()),
        (Some(regex), Some(Some(with))) => Some(pieces(with, regex)?),
        _ => None,
    };
    call.each_text(|row| {
        let Some((text, regex)) = matches.get(row)? else {
            return Ok(None);
        };
        if let Some(same) = &same {
            return Ok(Some(replaced(&regex, text, same)));
        }
        let with = match &with {
            None => "",
            Some(with) => match with.get(row) {
                Some(with) => with,
                None => return Ok(None),
            },
        };
        let pieces = pieces(with, &regex)?;
        Ok(Some(replaced(&regex, text, &pieces)))
    })
}
