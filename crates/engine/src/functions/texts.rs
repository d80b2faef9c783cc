//! Functions of text. <https://trino.io/docs/current/functions/string.html>

use std::borrow::Cow;

use datafusion::arrow::array::ArrayRef;
use datafusion::common::{Result, ScalarValue, exec_datafusion_err, exec_err};
use datafusion::logical_expr::ScalarUDF;

use super::number_of;
use super::scalar::Takes::{Any, Bigint, Binary, List, Text};
use super::scalar::{Call, Scalar, array_of, bigint, boolean, text, texts};
use super::{arrays, maps};

/// The functions of this file.
pub(super) fn functions() -> Vec<ScalarUDF> {
    vec![
        Scalar::new(
            "split",
            &[&[Text, Text], &[Text, Text, Bigint]],
            texts,
            split,
        ),
        Scalar::new("split_part", &[&[Text, Text, Bigint]], text, split_part),
        Scalar::new(
            "split_to_map",
            &[&[Text, Text, Text]],
            maps::of_texts,
            split_to_map,
        ),
        Scalar::new(
            "split_to_multimap",
            &[&[Text, Text, Text]],
            maps::of_text_lists,
            split_to_multimap,
        ),
        Scalar::new(
            "substr",
            &[&[Text, Bigint], &[Text, Bigint, Bigint]],
            text,
            substr,
        ),
        Scalar::new(
            "substring",
            &[&[Text, Bigint], &[Text, Bigint, Bigint]],
            text,
            substr,
        ),
        Scalar::new(
            "strpos",
            &[&[Text, Text], &[Text, Text, Bigint]],
            bigint,
            strpos,
        ),
        Scalar::new("length", &[&[Text], &[Binary]], bigint, length),
        Scalar::new("lower", &[&[Text]], text, |call| each(call, lower)),
        Scalar::new("upper", &[&[Text]], text, |call| each(call, upper)),
        Scalar::new("trim", &[&[Text], &[Text, Text]], text, |call| {
            trimmed(call, true, true)
        }),
        Scalar::new("ltrim", &[&[Text], &[Text, Text]], text, |call| {
            trimmed(call, true, false)
        }),
        Scalar::new("rtrim", &[&[Text], &[Text, Text]], text, |call| {
            trimmed(call, false, true)
        }),
        Scalar::new("lpad", &[&[Text, Bigint, Text]], text, |call| {
            padded(call, true)
        }),
        Scalar::new("rpad", &[&[Text, Bigint, Text]], text, |call| {
            padded(call, false)
        }),
        Scalar::new(
            "reverse",
            &[&[Text], &[List]],
            super::scalar::as_first,
            reverse,
        ),
        Scalar::new(
            "replace",
            &[&[Text, Text], &[Text, Text, Text]],
            text,
            replace,
        ),
        Scalar::new("starts_with", &[&[Text, Text]], boolean, |call| {
            two(call, |text, with| text.starts_with(with))
        }),
        Scalar::new("ends_with", &[&[Text, Text]], boolean, |call| {
            two(call, |text, with| text.ends_with(with))
        }),
        Scalar::new("chr", &[&[Bigint]], text, chr),
        Scalar::new("codepoint", &[&[Text]], bigint, codepoint),
        Scalar::new("translate", &[&[Text, Text, Text]], text, translate),
        Scalar::new(
            "levenshtein_distance",
            &[&[Text, Text]],
            bigint,
            levenshtein,
        ),
        Scalar::new(
            "concat_ws",
            &[&[Text, List], &[Text, Text]],
            text,
            concat_ws,
        )
        .repeating(),
        Scalar::new(
            "concat",
            &[&[Text], &[List]],
            super::scalar::as_first,
            concat,
        )
        .repeating(),
        Scalar::new("luhn_check", &[&[Text]], boolean, luhn),
        Scalar::new("typeof", &[&[Any]], text, kind_of),
    ]
    .into_iter()
    .map(Scalar::into_function)
    .collect()
}

fn each(call: &Call<'_>, change: fn(&str) -> Cow<'_, str>) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    call.each_text(|row| Ok(texts.get(row).map(change)))
}

fn lower(text: &str) -> Cow<'_, str> {
    if text
        .bytes()
        .all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase())
    {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.to_lowercase())
    }
}

fn upper(text: &str) -> Cow<'_, str> {
    if text
        .bytes()
        .all(|byte| byte.is_ascii() && !byte.is_ascii_lowercase())
    {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.to_uppercase())
    }
}

fn two(call: &Call<'_>, test: fn(&str, &str) -> bool) -> Result<ArrayRef> {
    let (left, right) = (call.texts(0)?, call.texts(1)?);
    call.each_boolean(|row| Ok(left.get(row).zip(right.get(row)).map(|(l, r)| test(l, r))))
}

/// A delimiter may not be empty.
fn delimiter<'a>(delimiter: &'a str, function: &str) -> Result<&'a str> {
    if delimiter.is_empty() {
        exec_err!("the delimiter of {function} is empty")
    } else {
        Ok(delimiter)
    }
}

fn split(call: &Call<'_>) -> Result<ArrayRef> {
    let (values, by) = (call.texts(0)?, call.texts(1)?);
    let limits = (call.len() > 2).then(|| call.integers(2)).transpose()?;
    call.each_texts(|row| {
        let (Some(value), Some(by)) = (values.get(row), by.get(row)) else {
            return Ok(None);
        };
        let by = delimiter(by, "split")?;
        match &limits {
            None => Ok(Some(value.split(by).collect())),
            Some(limits) => match limits.get(row) {
                None => Ok(None),
                Some(limit) if limit > 0 => Ok(Some(
                    value
                        .splitn(usize::try_from(limit).unwrap_or(usize::MAX), by)
                        .collect(),
                )),
                Some(_) => exec_err!("the limit of split is positive"),
            },
        }
    })
}

/// Counts from 1; past the last field is NULL.
fn split_part(call: &Call<'_>) -> Result<ArrayRef> {
    let (values, by, places) = (call.texts(0)?, call.texts(1)?, call.integers(2)?);
    call.each_text(|row| {
        let (Some(value), Some(by), Some(place)) = (values.get(row), by.get(row), places.get(row))
        else {
            return Ok(None);
        };
        if place < 1 {
            return exec_err!("split_part counts from 1, not {place}");
        }
        let place = usize::try_from(place - 1).unwrap_or(usize::MAX);
        if by.is_empty() {
            // Trino gives the character at the place.
            return Ok(value
                .char_indices()
                .nth(place)
                .map(|(at, c)| &value[at..at + c.len_utf8()]));
        }
        Ok(value.split(by).nth(place))
    })
}

fn pairs<'a>(value: &'a str, entries: &str, pair: &str) -> Result<Vec<(&'a str, &'a str)>> {
    delimiter(entries, "split_to_map")?;
    delimiter(pair, "split_to_map")?;
    if entries == pair {
        return exec_err!("the two delimiters of split_to_map are the same");
    }
    if value.is_empty() {
        return Ok(Vec::new());
    }
    value
        // A trailing delimiter ends the last entry.
        .strip_suffix(entries)
        .unwrap_or(value)
        .split(entries)
        .map(|entry| {
            entry
                .split_once(pair)
                .ok_or_else(|| exec_datafusion_err!("split_to_map: an entry has no {pair:?} in it"))
        })
        .collect()
}

fn split_to_map(call: &Call<'_>) -> Result<ArrayRef> {
    let (values, entries, pair) = (call.texts(0)?, call.texts(1)?, call.texts(2)?);
    maps::each_text_map(call.rows, |row| {
        let (Some(value), Some(entries), Some(pair)) =
            (values.get(row), entries.get(row), pair.get(row))
        else {
            return Ok(None);
        };
        let pairs = pairs(value, entries, pair)?;
        for (place, (key, _)) in pairs.iter().enumerate() {
            if pairs[..place].iter().any(|(other, _)| other == key) {
                return exec_err!(
                    "split_to_map: the key {key:?} comes twice; split_to_multimap takes it"
                );
            }
        }
        Ok(Some(pairs))
    })
}

fn split_to_multimap(call: &Call<'_>) -> Result<ArrayRef> {
    let (values, entries, pair) = (call.texts(0)?, call.texts(1)?, call.texts(2)?);
    maps::each_text_multimap(call.rows, |row| {
        let (Some(value), Some(entries), Some(pair)) =
            (values.get(row), entries.get(row), pair.get(row))
        else {
            return Ok(None);
        };
        let mut map: Vec<(&str, Vec<&str>)> = Vec::new();
        for (key, value) in pairs(value, entries, pair)? {
            match map.iter_mut().find(|(other, _)| *other == key) {
                Some((_, values)) => values.push(value),
                None => map.push((key, vec![value])),
            }
        }
        Ok(Some(map))
    })
}

/// Counts characters from 1, or from the end where negative; 0 and what is past an end give ''.
fn cut(text: &str, start: i64, length: Option<i64>) -> &str {
    let count = || number_of(text.chars().count());
    let start = match start {
        0 => return "",
        positive if positive > 0 => positive - 1,
        negative => {
            let start = count() + negative;
            if start < 0 {
                return "";
            }
            start
        }
    };
    let at = |characters: i64| {
        let characters = usize::try_from(characters).unwrap_or(0);
        if text.is_ascii() {
            return characters.min(text.len());
        }
        text.char_indices()
            .nth(characters)
            .map_or(text.len(), |(place, _)| place)
    };
    let from = at(start);
    match length {
        None => &text[from..],
        Some(length) if length <= 0 => "",
        Some(length) => &text[from..at(start.saturating_add(length))],
    }
}

fn substr(call: &Call<'_>) -> Result<ArrayRef> {
    let (values, starts) = (call.texts(0)?, call.integers(1)?);
    let lengths = (call.len() > 2).then(|| call.integers(2)).transpose()?;
    call.each_text(|row| {
        let (Some(value), Some(start)) = (values.get(row), starts.get(row)) else {
            return Ok(None);
        };
        let length = match &lengths {
            None => None,
            Some(lengths) => match lengths.get(row) {
                None => return Ok(None),
                length => length,
            },
        };
        Ok(Some(cut(value, start, length)))
    })
}

/// The place from 1 of the n-th occurrence, from the end where negative; 0: not there.
fn strpos(call: &Call<'_>) -> Result<ArrayRef> {
    let (values, parts) = (call.texts(0)?, call.texts(1)?);
    let which = (call.len() > 2).then(|| call.integers(2)).transpose()?;
    call.each_integer(|row| {
        let which = which.as_ref().map_or(Some(1), |which| which.get(row));
        let (Some(value), Some(part), Some(which)) = (values.get(row), parts.get(row), which)
        else {
            return Ok(None);
        };
        if which == 0 {
            return exec_err!("strpos counts occurrences from 1 or -1, not 0");
        }
        if part.is_empty() {
            return Ok(Some(1));
        }
        let place = usize::try_from(which.unsigned_abs() - 1).unwrap_or(usize::MAX);
        let found = if which > 0 {
            // Occurrences may overlap: the next begins one character after this one began.
            let mut from = 0;
            let mut found = None;
            for _ in 0..=place {
                found = value[from..].find(part).map(|at| at + from);
                match found {
                    None => break,
                    Some(at) => from = at + value[at..].chars().next().map_or(1, char::len_utf8),
                }
            }
            found
        } else {
            value.rmatch_indices(part).nth(place).map(|(at, _)| at)
        };
        Ok(Some(found.map_or(0, |at| {
            number_of(value[..at].chars().count() + 1)
        })))
    })
}

fn length(call: &Call<'_>) -> Result<ArrayRef> {
    if call.kind(0) == datafusion::arrow::datatypes::DataType::BinaryView {
        let bytes = call.bytes(0)?;
        return call.each_integer(|row| Ok(bytes.get(row).map(|bytes| number_of(bytes.len()))));
    }
    let texts = call.texts(0)?;
    call.each_integer(|row| Ok(texts.get(row).map(|text| number_of(text.chars().count()))))
}

fn trimmed(call: &Call<'_>, start: bool, end: bool) -> Result<ArrayRef> {
    let values = call.texts(0)?;
    let which = (call.len() > 1).then(|| call.texts(1)).transpose()?;
    call.each_text(|row| {
        let Some(mut value) = values.get(row) else {
            return Ok(None);
        };
        let which = match &which {
            None => None,
            Some(which) => match which.get(row) {
                None => return Ok(None),
                which => which,
            },
        };
        let goes = |c: char| which.map_or_else(|| c.is_whitespace(), |which| which.contains(c));
        if start {
            value = value.trim_start_matches(goes);
        }
        if end {
            value = value.trim_end_matches(goes);
        }
        Ok(Some(value))
    })
}

/// The most that padding makes, characters; Trino's limit is higher, but so is its memory.
const PADDED: i64 = 1_000_000;

fn padded(call: &Call<'_>, left: bool) -> Result<ArrayRef> {
    let (values, sizes, pads) = (call.texts(0)?, call.integers(1)?, call.texts(2)?);
    call.each_text(|row| {
        let (Some(value), Some(size), Some(pad)) = (values.get(row), sizes.get(row), pads.get(row))
        else {
            return Ok(None);
        };
        if !(0..=PADDED).contains(&size) {
            return exec_err!("padding to {size} characters: 0 to {PADDED} can be");
        }
        if pad.is_empty() {
            return exec_err!("what is padded with is empty");
        }
        let size = usize::try_from(size).unwrap_or(0);
        let length = value.chars().count();
        if length >= size {
            return Ok(Some(value.chars().take(size).collect::<String>()));
        }
        let padding = pad.chars().cycle().take(size - length);
        Ok(Some(if left {
            padding.chain(value.chars()).collect()
        } else {
            value.chars().chain(padding).collect()
        }))
    })
}

fn reverse(call: &Call<'_>) -> Result<ArrayRef> {
    if matches!(
        call.kind(0),
        datafusion::arrow::datatypes::DataType::List(_)
    ) {
        return arrays::reverse(call);
    }
    let texts = call.texts(0)?;
    call.each_text(|row| {
        Ok(texts
            .get(row)
            .map(|text| text.chars().rev().collect::<String>()))
    })
}

fn replace(call: &Call<'_>) -> Result<ArrayRef> {
    let (values, parts) = (call.texts(0)?, call.texts(1)?);
    let with = (call.len() > 2).then(|| call.texts(2)).transpose()?;
    call.each_text(|row| {
        let with = with.as_ref().map_or(Some(""), |with| with.get(row));
        let (Some(value), Some(part), Some(with)) = (values.get(row), parts.get(row), with) else {
            return Ok(None);
        };
        Ok(Some(if value.contains(part) {
            Cow::Owned(value.replace(part, with))
        } else {
            Cow::Borrowed(value)
        }))
    })
}

fn chr(call: &Call<'_>) -> Result<ArrayRef> {
    let numbers = call.integers(0)?;
    call.each_text(|row| {
        numbers
            .get(row)
            .map(|number| {
                u32::try_from(number)
                    .ok()
                    .and_then(char::from_u32)
                    .map(String::from)
                    .ok_or_else(|| exec_datafusion_err!("there is no character {number}"))
            })
            .transpose()
    })
}

fn codepoint(call: &Call<'_>) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    call.each_integer(|row| {
        let Some(text) = texts.get(row) else {
            return Ok(None);
        };
        let mut characters = text.chars();
        if let (Some(character), None) = (characters.next(), characters.next()) {
            Ok(Some(i64::from(u32::from(character))))
        } else {
            exec_err!("codepoint takes one character")
        }
    })
}

fn translate(call: &Call<'_>) -> Result<ArrayRef> {
    let (values, from, to) = (call.texts(0)?, call.texts(1)?, call.texts(2)?);
    call.each_text(|row| {
        let (Some(value), Some(from), Some(to)) = (values.get(row), from.get(row), to.get(row))
        else {
            return Ok(None);
        };
        let to: Vec<char> = to.chars().collect();
        Ok(Some(
            value
                .chars()
                .filter_map(|c| match from.chars().position(|other| other == c) {
                    Some(place) => to.get(place).copied(),
                    None => Some(c),
                })
                .collect::<String>(),
        ))
    })
}

/// Characters of both texts together beyond which the distance is refused: it costs their product.
const COMPARED: usize = 10_000;

fn levenshtein(call: &Call<'_>) -> Result<ArrayRef> {
    let (left, right) = (call.texts(0)?, call.texts(1)?);
    call.each_integer(|row| {
        let (Some(left), Some(right)) = (left.get(row), right.get(row)) else {
            return Ok(None);
        };
        let right: Vec<char> = right.chars().collect();
        if left.len() + right.len() > COMPARED {
            return exec_err!("levenshtein_distance takes {COMPARED} characters together");
        }
        let mut costs: Vec<usize> = (0..=right.len()).collect();
        for (row, character) in left.chars().enumerate() {
            let mut diagonal = std::mem::replace(&mut costs[0], row + 1);
            for (place, other) in right.iter().enumerate() {
                let changed = diagonal + usize::from(character != *other);
                diagonal = costs[place + 1];
                costs[place + 1] = changed.min(diagonal + 1).min(costs[place] + 1);
            }
        }
        Ok(Some(number_of(costs[right.len()])))
    })
}

/// The separator between all that is not NULL.
fn concat_ws(call: &Call<'_>) -> Result<ArrayRef> {
    let separators = call.texts(0)?;
    if matches!(
        call.kind(1),
        datafusion::arrow::datatypes::DataType::List(_)
    ) {
        let lists = call.lists(1)?;
        return call.each_text(|row| {
            let (Some(separator), Some(list)) = (separators.get(row), lists.get(row)) else {
                return Ok(None);
            };
            let list = datafusion::arrow::compute::cast(
                &list,
                &datafusion::arrow::datatypes::DataType::Utf8View,
            )?;
            let list = datafusion::arrow::array::AsArray::as_string_view(&list);
            Ok(Some(
                list.iter().flatten().collect::<Vec<_>>().join(separator),
            ))
        });
    }
    let parts = (1..call.len())
        .map(|place| call.texts(place))
        .collect::<Result<Vec<_>>>()?;
    call.each_text(|row| {
        Ok(separators.get(row).map(|separator| {
            parts
                .iter()
                .filter_map(|part| part.get(row))
                .collect::<Vec<_>>()
                .join(separator)
        }))
    })
}

/// NULL where any part is.
fn concat(call: &Call<'_>) -> Result<ArrayRef> {
    if matches!(
        call.kind(0),
        datafusion::arrow::datatypes::DataType::List(_)
    ) {
        return arrays::concat(call);
    }
    let parts = (0..call.len())
        .map(|place| call.texts(place))
        .collect::<Result<Vec<_>>>()?;
    call.each_text(|row| {
        Ok(parts
            .iter()
            .map(|part| part.get(row))
            .collect::<Option<Vec<_>>>()
            .map(|parts| parts.concat()))
    })
}

fn luhn(call: &Call<'_>) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    call.each_boolean(|row| {
        let Some(text) = texts.get(row) else {
            return Ok(None);
        };
        let Some(digits) = text
            .chars()
            .map(|c| c.to_digit(10))
            .collect::<Option<Vec<_>>>()
        else {
            return exec_err!("luhn_check takes digits");
        };
        let sum: u32 = digits
            .iter()
            .rev()
            .enumerate()
            .map(|(place, digit)| match (place % 2, digit * 2) {
                (0, _) => *digit,
                (_, twice) if twice > 9 => twice - 9,
                (_, twice) => twice,
            })
            .sum();
        Ok(Some(!digits.is_empty() && sum.is_multiple_of(10)))
    })
}

fn kind_of(call: &Call<'_>) -> Result<ArrayRef> {
    let name = super::types::name(&call.kind(0));
    array_of(
        vec![ScalarValue::Utf8View(Some(name)); call.rows],
        call.returns,
    )
}
