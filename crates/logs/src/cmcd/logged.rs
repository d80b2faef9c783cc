//! CMCD where it is found in logs: in the query string, encoded once by the player and once more by
//! CloudFront; or among the headers that real-time logs may have.

use memchr::memmem::Finder;

use crate::decode;

const ARGUMENT: &[u8] = b"CMCD=";

/// The argument in a logged query string, as logged.
pub fn argument(query: &[u8]) -> Option<&[u8]> {
    let from = if query.starts_with(ARGUMENT) {
        ARGUMENT.len()
    } else {
        // Not a searcher for the whole: most queries have few ampersands.
        memchr::memchr_iter(b'&', query)
            .map(|ampersand| ampersand + 1)
            .find(|from| query[*from..].starts_with(ARGUMENT))?
            + ARGUMENT.len()
    };
    let argument = &query[from..];
    let end = memchr::memchr(b'&', argument).unwrap_or(argument.len());
    Some(&argument[..end])
}

/// The list in a logged query string, decoded to `list`; whether there is one.
pub(crate) fn of_query(query: &[u8], between: &mut Vec<u8>, list: &mut Vec<u8>) -> bool {
    let Some(argument) = argument(query) else {
        return false;
    };
    decode::twice(argument, between, list);
    true
}

/// Whether a header is one of the four of CMCD.
pub(crate) fn is_header(name: &[u8]) -> bool {
    [
        b"CMCD-Object".as_slice(),
        b"CMCD-Request",
        b"CMCD-Session",
        b"CMCD-Status",
    ]
    .iter()
    .any(|known| known.eq_ignore_ascii_case(name))
}

/// Real-time logs cut `cs-headers` after 800 bytes.
const CUT: usize = 780;

/// The lists of the four headers in the field `cs-headers` (`Name:value%0A…`), joined in `list`;
/// whether there are any. Of a header that was cut off, the last item goes: half a number is another
/// number.
pub(crate) fn of_headers(field: &[u8], between: &mut Vec<u8>, list: &mut Vec<u8>) -> bool {
    between.clear();
    decode::once(field, between);
    list.clear();
    let is_cut = field.len() >= CUT && !between.ends_with(b"\n");
    let mut lines = between.split(|byte| *byte == b'\n').peekable();
    let mut has_any = false;
    while let Some(line) = lines.next() {
        let Some(colon) = memchr::memchr(b':', line) else {
            continue;
        };
        if !is_header(line[..colon].trim_ascii()) {
            continue;
        }
        has_any = true;
        if !list.is_empty() {
            list.push(b',');
        }
        let from = list.len();
        decode::once(line[colon + 1..].trim_ascii(), list);
        if is_cut && lines.peek().is_none() {
            let whole = memchr::memrchr(b',', &list[from..]).map_or(from, |comma| from + comma);
            list.truncate(whole);
        }
    }
    has_any
}

/// Finds one key in a logged argument without decoding the whole. It is a plain search for the key and
/// a look at what stands around it; where that leaves a doubt, it says so.
#[derive(Debug, Clone)]
pub struct Seeker {
    key: Finder<'static>,
}

/// What a [`Seeker`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sought<'a> {
    /// There is no such key.
    Absent,
    /// The key alone, which is to say true.
    Flag,
    /// Its value as logged, without quotes. To decode it twice is all that is left to do.
    Value(&'a [u8]),
    /// Quotes in quotes, brackets, JSON: the list must be read.
    Unsure,
}

impl Seeker {
    /// Of a key such as `sid`.
    pub fn new(key: &str) -> Self {
        Self {
            key: Finder::new(key).into_owned(),
        }
    }

    /// Looks for the key in what [`argument`] gives.
    pub fn seek<'a>(&self, argument: &'a [u8]) -> Sought<'a> {
        if skip(argument, b'{').is_some() {
            return Sought::Unsure;
        }
        let mut from = 0;
        while let Some(found) = self.key.find(&argument[from..]).map(|found| from + found) {
            let (before, after) = (
                &argument[..found],
                &argument[found + self.key.needle().len()..],
            );
            from = found + 1;
            let begins = before.is_empty() || ends_with_comma(before);
            if !begins {
                // A blank after the comma, or before the key, is no regular list.
                if ends_with_blank(before) {
                    return Sought::Unsure;
                }
                continue;
            }
            let value = match skip(after, b'=') {
                Some(value) => value,
                None if after.is_empty() || skip(after, b',').is_some() => {
                    return if quotes_are_even(before) {
                        Sought::Flag
                    } else {
                        Sought::Unsure
                    };
                }
                None => continue,
            };
            if !quotes_are_even(before) {
                return Sought::Unsure;
            }
            return plain_value(value);
        }
        Sought::Absent
    }
}

/// A value that is in quotes or bare, without escapes and brackets.
fn plain_value(value: &[u8]) -> Sought<'_> {
    let quoted = skip(value, b'"');
    let value = quoted.unwrap_or(value);
    let mut from = 0;
    while let Some(found) = memchr::memchr3(b'%', b'"', b',', &value[from..]) {
        let at = from + found;
        let rest = &value[at..];
        if let Some(after) = skip(rest, b'"') {
            let is_end = after.is_empty() || skip(after, b',').is_some();
            return match quoted {
                Some(_) if is_end => sound(&value[..at]),
                _ => Sought::Unsure,
            };
        }
        if quoted.is_none() && skip(rest, b',').is_some() {
            return sound(&value[..at]);
        }
        from = at + 1;
    }
    match quoted {
        Some(_) => Sought::Unsure,
        None => sound(value),
    }
}

/// The value, unless something in it needs a second look.
fn sound(value: &[u8]) -> Sought<'_> {
    let is_list = skip(value, b'(').is_some();
    let has_escape = memchr::memchr(b'\\', value).is_some()
        || memchr::memchr_iter(b'%', value).any(|at| skip(&value[at..], b'\\').is_some());
    if is_list || has_escape || skip(value, b' ').is_some() || ends_with_blank(value) {
        return Sought::Unsure;
    }
    Sought::Value(value)
}

/// Whether every string that begins in `text` ends in it, and none has escapes.
fn quotes_are_even(text: &[u8]) -> bool {
    let mut is_even = true;
    let mut rest = text;
    while let Some(found) = memchr::memchr3(b'%', b'"', b'\\', rest) {
        let after = &rest[found + 1..];
        match rest[found] {
            b'"' => is_even = !is_even,
            b'\\' => return false,
            _ => match after.strip_prefix(b"25").unwrap_or(after) {
                [b'2', b'2', ..] => is_even = !is_even,
                [b'5', b'C' | b'c', ..] => return false,
                _ => {}
            },
        }
        rest = after;
    }
    is_even
}

/// What follows a character at the beginning: as it is, encoded (`%2C`), or encoded twice (`%252C`).
fn skip(text: &[u8], character: u8) -> Option<&[u8]> {
    match text {
        [first, rest @ ..] if *first == character => Some(rest),
        [b'%', b'2', b'5', high, low, rest @ ..] if is_hex(*high, *low, character) => Some(rest),
        [b'%', high, low, rest @ ..] if is_hex(*high, *low, character) => Some(rest),
        _ => None,
    }
}

fn is_hex(high: u8, low: u8, character: u8) -> bool {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    high == DIGITS[usize::from(character >> 4)]
        && low.to_ascii_uppercase() == DIGITS[usize::from(character & 15)]
}

fn ends_with_comma(text: &[u8]) -> bool {
    [b",".as_slice(), b"%2C", b"%2c", b"%252C", b"%252c"]
        .iter()
        .any(|comma| text.ends_with(comma))
}

fn ends_with_blank(text: &[u8]) -> bool {
    [b" ".as_slice(), b"%20", b"%2520"]
        .iter()
        .any(|blank| text.ends_with(blank))
}
