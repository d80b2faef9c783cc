//! Text as the logs have it: numbers, percent-encoding, GUIDs, without an allocation.

/// Appends a whole number.
pub(crate) fn number(out: &mut Vec<u8>, mut value: u64) {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + u8::try_from(value % 10).unwrap_or_default();
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// Appends a number with zeros before it.
pub(crate) fn padded(out: &mut Vec<u8>, value: u64, width: usize) {
    let mut digits = [b'0'; 20];
    let mut rest = value;
    for digit in digits.iter_mut().rev().take(width) {
        *digit = b'0' + u8::try_from(rest % 10).unwrap_or_default();
        rest /= 10;
    }
    out.extend_from_slice(&digits[digits.len() - width.min(digits.len())..]);
}

/// Appends milliseconds as seconds with three decimals.
pub(crate) fn seconds(out: &mut Vec<u8>, milliseconds: u64) {
    number(out, milliseconds / 1000);
    out.push(b'.');
    padded(out, milliseconds % 1000, 3);
}

/// Appends a number as hexadecimal digits.
pub(crate) fn hexadecimal(out: &mut Vec<u8>, value: u64, digits: u32) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for place in (0..digits).rev() {
        let nibble = (value >> (place * 4)) & 15;
        out.push(DIGITS[usize::try_from(nibble).unwrap_or_default()]);
    }
}

/// Appends a GUID in its usual form.
pub(crate) fn guid(out: &mut Vec<u8>, value: u128) {
    let upper = u64::try_from(value >> 64).unwrap_or_default();
    let lower = u64::try_from(value & u128::from(u64::MAX)).unwrap_or_default();
    hexadecimal(out, upper >> 32, 8);
    out.push(b'-');
    hexadecimal(out, upper >> 16, 4);
    out.push(b'-');
    hexadecimal(out, upper, 4);
    out.push(b'-');
    hexadecimal(out, lower >> 48, 4);
    out.push(b'-');
    hexadecimal(out, lower, 12);
}

/// Appends the characters that Base64 for URLs has for the bits of `value`, 10 of them.
pub(crate) fn base64(out: &mut Vec<u8>, value: u64) {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = [0_u8; 10];
    let mut rest = value;
    for letter in &mut text {
        *letter = LETTERS[usize::try_from(rest & 63).unwrap_or_default()];
        rest >>= 6;
    }
    out.extend_from_slice(&text);
}

/// Appends a text as `CloudFront` writes it to its logs: bytes to 32 and from 127, and a list of
/// characters, are percent-encoded (Developer Guide, standard logging; aws-facts 1.10).
pub(crate) fn escaped(out: &mut Vec<u8>, text: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for &byte in text {
        if byte <= 32 || byte >= 127 || b"<>\"#%{}|\\^~[]`'".contains(&byte) {
            out.push(b'%');
            out.push(DIGITS[usize::from(byte >> 4)]);
            out.push(DIGITS[usize::from(byte & 15)]);
        } else {
            out.push(byte);
        }
    }
}

/// Appends a date, `2026-06-14`, of days since 1970.
pub(crate) fn date(out: &mut Vec<u8>, days: i64) {
    // Days to a civil date, by eras of 400 years; for dates after 0000-03-01.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let unsigned = |value: i64| u64::try_from(value).unwrap_or_default();
    padded(out, unsigned(year), 4);
    out.push(b'-');
    padded(out, unsigned(month), 2);
    out.push(b'-');
    padded(out, unsigned(day), 2);
}

/// Appends a time of day, `18:30:00`, of seconds.
pub(crate) fn time_of_day(out: &mut Vec<u8>, seconds: i64) {
    let seconds = u64::try_from(seconds).unwrap_or_default();
    padded(out, seconds / 3600, 2);
    out.push(b':');
    padded(out, seconds / 60 % 60, 2);
    out.push(b':');
    padded(out, seconds % 60, 2);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn values_look_as_in_logs() {
        assert_eq!(text(|out| number(out, 0)), "0");
        assert_eq!(text(|out| number(out, u64::MAX)), u64::MAX.to_string());
        assert_eq!(text(|out| padded(out, 42, 6)), "000042");
        assert_eq!(text(|out| seconds(out, 12_034)), "12.034");
        assert_eq!(
            text(|out| guid(out, 0x0123_4567_89ab_cdef_0011_2233_4455_6677)),
            "01234567-89ab-cdef-0011-223344556677"
        );
        assert_eq!(
            text(|out| escaped(out, "a b\t\"ü\" 50%".as_bytes())),
            "a%20b%09%22%C3%BC%22%2050%25"
        );
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        for day in (-3000..60_000).step_by(17) {
            let date_there = jiff::civil::date(1970, 1, 1) + jiff::Span::new().days(day);
            assert_eq!(text(|out| date(out, day)), date_there.to_string());
        }
    }
}
