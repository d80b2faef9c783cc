//! Percent-decoding of logged fields. CloudFront encodes bytes to 32 and from 127 on, and
//! `<>"#%{}|\^~[]` with backtick, quote and blank; since `%` itself becomes `%25`, what came encoded
//! is logged encoded twice. So fields are decoded twice: what is encoded once is not changed by the
//! second time. A `+` is no blank.

use std::borrow::Cow;

/// Decodes once, to the end of `out`. What is no `%XX` stays as it is.
pub fn once(text: &[u8], out: &mut Vec<u8>) {
    let mut rest = text;
    while let Some(percent) = memchr::memchr(b'%', rest) {
        out.extend_from_slice(&rest[..percent]);
        if let Some(byte) = hex(&rest[percent + 1..]) {
            out.push(byte);
            rest = &rest[percent + 3..];
        } else {
            out.push(b'%');
            rest = &rest[percent + 1..];
        }
    }
    out.extend_from_slice(rest);
}

/// Decodes twice, in place of what `out` held. `between` is room to work in.
pub fn twice(text: &[u8], between: &mut Vec<u8>, out: &mut Vec<u8>) {
    out.clear();
    if in_one_pass(text, out).is_none() {
        between.clear();
        once(text, between);
        out.clear();
        once(between, out);
    }
}

/// Both times at once, which goes as long as every `%25` has two digits behind it that stand for
/// themselves. None: it does not go.
fn in_one_pass(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut rest = text;
    while let Some(percent) = memchr::memchr(b'%', rest) {
        out.extend_from_slice(&rest[..percent]);
        let escape = &rest[percent + 1..];
        if let Some(inner) = escape.strip_prefix(b"25") {
            out.push(hex(inner)?);
            rest = &inner[2..];
        } else {
            out.push(hex(escape)?);
            rest = &escape[2..];
        }
    }
    out.extend_from_slice(rest);
    Some(())
}

/// A field as text: decoded twice, invalid UTF-8 replaced.
pub fn text(field: &str) -> Cow<'_, str> {
    if !field.contains('%') {
        return Cow::Borrowed(field);
    }
    let (mut between, mut out) = (Vec::new(), Vec::new());
    twice(field.as_bytes(), &mut between, &mut out);
    Cow::Owned(String::from_utf8_lossy(&out).into_owned())
}

fn hex(digits: &[u8]) -> Option<u8> {
    let [high, low, ..] = *digits else {
        return None;
    };
    Some(nibble(high)? << 4 | nibble(low)?)
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn decoding_in_one_pass_is_decoding_twice(text in "(%25|%|2|5|4|1|[a-f]|x){0,20}") {
            let (mut between, mut out) = (Vec::new(), Vec::new());
            twice(text.as_bytes(), &mut between, &mut out);
            let (mut first, mut second) = (Vec::new(), Vec::new());
            once(text.as_bytes(), &mut first);
            once(&first, &mut second);
            prop_assert_eq!(out, second);
        }
    }

    #[test]
    fn decodes_at_most_twice_and_keeps_what_is_no_escape() {
        for (logged, expected) in [
            ("curl/7.53.1", "curl/7.53.1"),
            ("Mozilla/5.0%20(X11)", "Mozilla/5.0 (X11)"),
            ("Mozilla/5.0%2520(X11)", "Mozilla/5.0 (X11)"),
            ("a%252520b", "a%20b"),
            ("100%", "100%"),
            ("%zz%4", "%zz%4"),
            ("%%41", "%A"),
            ("a+b", "a+b"),
            ("%C3%A4%e2%82%ac", "ä€"),
            ("%ff", "\u{fffd}"),
            ("", ""),
        ] {
            assert_eq!(text(logged), expected, "{logged}");
        }
    }
}
