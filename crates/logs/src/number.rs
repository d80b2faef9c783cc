//! Numbers of log fields. What is no number is NULL to a query, as Athena's readers have it.

/// A whole number. Lengths with a fraction of zero (`1045.0`) were seen in real files.
pub(crate) fn integer(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text.split_first()? {
        (b'-', rest) => (true, rest),
        _ => (false, text),
    };
    let whole = digits
        .iter()
        .position(|byte| *byte == b'.')
        .unwrap_or(digits.len());
    let fraction = digits.get(whole + 1..).unwrap_or_default();
    if whole == 0 || fraction.iter().any(|byte| *byte != b'0') {
        return None;
    }
    let mut value: i64 = 0;
    for byte in &digits[..whole] {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        // Counted down, so that the lowest number of all fits.
        value = value.checked_mul(10)?.checked_sub(i64::from(digit))?;
    }
    if negative {
        Some(value)
    } else {
        value.checked_neg()
    }
}

/// Powers of ten that a double has exactly.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// A finite number, such as `0.034` or `1e-3`.
pub(crate) fn double(text: &[u8]) -> Option<f64> {
    plain_decimal(text).or_else(|| any_decimal(text))
}

/// Digits with at most one point. Mantissa and power of ten are both exact, so that their quotient is
/// the nearest double.
fn plain_decimal(text: &[u8]) -> Option<f64> {
    if text.is_empty() || text.len() > 16 {
        return None;
    }
    let mut mantissa: u32 = 0;
    let mut decimals = None;
    for (place, byte) in text.iter().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit <= 9 {
            mantissa = mantissa.checked_mul(10)?.checked_add(u32::from(digit))?;
        } else if *byte == b'.' && decimals.is_none() && place > 0 {
            decimals = Some(text.len() - place - 1);
        } else {
            return None;
        }
    }
    match decimals {
        None => Some(f64::from(mantissa)),
        Some(0) => None,
        Some(decimals) => Some(f64::from(mantissa) / POWERS[decimals]),
    }
}

fn any_decimal(text: &[u8]) -> Option<f64> {
    let is_numeric = |byte: &u8| matches!(byte, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E');
    if !text.iter().all(is_numeric) {
        return None;
    }
    let value: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    value.is_finite().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_may_have_a_fraction_of_zero() {
        for (text, expected) in [
            ("0", Some(0)),
            ("000", Some(0)),
            ("200", Some(200)),
            ("-12", Some(-12)),
            ("1045.0", Some(1045)),
            ("1045.", Some(1045)),
            ("9223372036854775807", Some(i64::MAX)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9223372036854775808", None),
            ("570129.7648412298", None),
            (".5", None),
            (" 5", None),
            (" -", None),
            ("-", None),
            ("", None),
            ("12a", None),
            ("1e3", None),
        ] {
            assert_eq!(integer(text.as_bytes()), expected, "{text:?}");
        }
    }

    #[test]
    fn doubles_are_the_nearest_of_their_text() {
        for text in [
            "0.034",
            "0.001",
            "4294967295",
            "1.1000590226167435",
            "123456.789",
            "12.",
            "-0.5",
            "1e-3",
            "98765432109876.25",
        ] {
            assert_eq!(double(text.as_bytes()), text.parse().ok(), "{text}");
        }
        for text in ["", "-", ".", "nan", "inf", "infinity", "1e999", "0,5", "1 "] {
            assert_eq!(double(text.as_bytes()), None, "{text}");
        }
    }
}
