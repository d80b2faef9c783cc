//! The list of keys and values that CMCD is, decoded: cut into items, and the values read. Tolerant:
//! any order, unknown keys, quotes that are missing. Nothing is allocated but for what is asked for.

use std::borrow::Cow;

use crate::number;

/// An item as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Item<'a> {
    pub(crate) key: &'a [u8],
    /// None: the key alone, which is to say true.
    pub(crate) value: Option<&'a [u8]>,
    /// Where in the list the value is.
    pub(crate) from: usize,
}

/// The items of a list.
pub(crate) fn items(list: &[u8]) -> Items<'_> {
    Items {
        length: list.len(),
        rest: list,
        strings_end: true,
        lists_end: true,
    }
}

pub(crate) struct Items<'a> {
    length: usize,
    rest: &'a [u8],
    // Once a quote or a bracket is found not to be closed, none after it is looked at as an opening
    // one: that keeps reading linear, whatever is sent.
    strings_end: bool,
    lists_end: bool,
}

impl<'a> Iterator for Items<'a> {
    type Item = Item<'a>;

    fn next(&mut self) -> Option<Item<'a>> {
        loop {
            if self.rest.is_empty() {
                return None;
            }
            let end = memchr::memchr2(b'=', b',', self.rest).unwrap_or(self.rest.len());
            let (key, after) = self.rest.split_at(end);
            let key = key.trim_ascii();
            let (value, from) = if let Some((b'=', value)) = after.split_first() {
                let value = value.trim_ascii_start();
                let end = self.value_end(value);
                self.rest = value.get(end + 1..).unwrap_or_default();
                (
                    Some(value[..end].trim_ascii_end()),
                    self.length - value.len(),
                )
            } else {
                self.rest = after.get(1..).unwrap_or_default();
                (None, 0)
            };
            if !key.is_empty() {
                return Some(Item { key, value, from });
            }
        }
    }
}

impl Items<'_> {
    /// Where a value ends: at the next comma that is in no string and no inner list.
    fn value_end(&mut self, value: &[u8]) -> usize {
        let closed = match value.first() {
            Some(b'"') if self.strings_end => {
                let end = string_end(value);
                self.strings_end = end.is_some();
                end
            }
            Some(b'(') if self.lists_end => {
                let end = list_end(value);
                self.lists_end = end.is_some();
                end
            }
            _ => None,
        };
        let from = closed.unwrap_or(0);
        memchr::memchr(b',', &value[from..]).map_or(value.len(), |comma| from + comma)
    }
}

/// After the closing quote of a string that begins here.
fn string_end(text: &[u8]) -> Option<usize> {
    let mut from = 1;
    loop {
        let found = from + memchr::memchr2(b'"', b'\\', text.get(from..)?)?;
        if text[found] == b'"' {
            return Some(found + 1);
        }
        from = found + 2;
    }
}

/// After the closing bracket of an inner list that begins here.
fn list_end(text: &[u8]) -> Option<usize> {
    let mut from = 1;
    loop {
        let found = from + memchr::memchr2(b'"', b')', text.get(from..)?)?;
        if text[found] == b')' {
            return Some(found + 1);
        }
        from = found + string_end(&text[found..])?;
    }
}

/// A value's members: those of an inner list, else the value itself. Each with its parameters, as in
/// `5000;v`.
pub(crate) fn members(value: &[u8]) -> Members<'_> {
    match value.strip_prefix(b"(") {
        Some(inner) => {
            let end = list_end(value).map_or(inner.len(), |end| end - 2);
            Members {
                rest: &inner[..end],
                is_list: true,
            }
        }
        None => Members {
            rest: value,
            is_list: false,
        },
    }
}

pub(crate) struct Members<'a> {
    rest: &'a [u8],
    is_list: bool,
}

impl<'a> Iterator for Members<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if !self.is_list {
            return Some(std::mem::take(&mut self.rest)).filter(|member| !member.is_empty());
        }
        let rest = self.rest.trim_ascii_start();
        if rest.is_empty() {
            return None;
        }
        let from = match rest.first() {
            Some(b'"') => string_end(rest).unwrap_or(0),
            _ => 0,
        };
        let end = rest[from..]
            .iter()
            .position(u8::is_ascii_whitespace)
            .map_or(rest.len(), |blank| from + blank);
        let (member, rest) = rest.split_at(end);
        self.rest = rest;
        Some(member)
    }
}

/// A member and its parameters.
pub(crate) fn parameters(member: &[u8]) -> (&[u8], &[u8]) {
    let from = match member.first() {
        Some(b'"') => string_end(member).unwrap_or(0),
        _ => 0,
    };
    match memchr::memchr(b';', &member[from..]) {
        Some(mark) => (&member[..from + mark], &member[from + mark + 1..]),
        None => (member, &[]),
    }
}

/// What numbers of an inner list come down to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reduced {
    /// The video's, else the highest.
    Video,
    /// Their sum.
    Sum,
}

/// A whole number.
pub(crate) fn integer(value: &[u8], reduced: Reduced) -> Option<i64> {
    let add = match reduced {
        Reduced::Video => i64::max,
        Reduced::Sum => i64::saturating_add,
    };
    reduce(value, reduced, number::integer, add)
}

/// A number.
pub(crate) fn double(value: &[u8], reduced: Reduced) -> Option<f64> {
    let add = match reduced {
        Reduced::Video => f64::max,
        Reduced::Sum => |one: f64, other: f64| one + other,
    };
    reduce(value, reduced, number::double, add)
}

fn reduce<Number: Copy>(
    value: &[u8],
    reduced: Reduced,
    read: impl Fn(&[u8]) -> Option<Number>,
    add: impl Fn(Number, Number) -> Number,
) -> Option<Number> {
    let mut all = None;
    for member in members(value) {
        let (member, parameters) = parameters(member);
        let Some(number) = read(unquoted(member)) else {
            continue;
        };
        let is_video = parameters
            .split(|byte| *byte == b';')
            .any(|name| name == b"v");
        if is_video && reduced == Reduced::Video {
            return Some(number);
        }
        all = Some(all.map_or(number, |all| add(all, number)));
    }
    all
}

/// True or false.
pub(crate) fn boolean(value: Option<&[u8]>) -> Option<bool> {
    match value.map(unquoted) {
        None | Some(b"?1" | b"1" | b"true") => Some(true),
        Some(b"?0" | b"0" | b"false") => Some(false),
        Some(_) => None,
    }
}

/// A text: without quotes and escapes; the members of an inner list with commas between.
pub(crate) fn text(value: &[u8]) -> Cow<'_, [u8]> {
    if !value.starts_with(b"(") {
        return unescaped(value);
    }
    let mut all = Vec::new();
    for (place, member) in members(value).enumerate() {
        if place > 0 {
            all.push(b',');
        }
        all.extend_from_slice(&unescaped(parameters(member).0));
    }
    Cow::Owned(all)
}

/// Without the quotes around it, be one of them missing.
fn unquoted(value: &[u8]) -> &[u8] {
    let value = value.strip_prefix(b"\"").unwrap_or(value);
    value.strip_suffix(b"\"").unwrap_or(value)
}

/// Without quotes and their escapes.
pub(crate) fn unescaped(value: &[u8]) -> Cow<'_, [u8]> {
    let Some(inner) = value.strip_prefix(b"\"") else {
        return Cow::Borrowed(unquoted(value));
    };
    let inner = match string_end(value) {
        Some(end) => &value[1..end - 1],
        None => inner,
    };
    if memchr::memchr(b'\\', inner).is_none() {
        return Cow::Borrowed(inner);
    }
    let mut plain = Vec::with_capacity(inner.len());
    let mut bytes = inner.iter();
    while let Some(byte) = bytes.next() {
        let byte = if *byte == b'\\' {
            bytes.next()
        } else {
            Some(byte)
        };
        plain.extend(byte);
    }
    Cow::Owned(plain)
}
