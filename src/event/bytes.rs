//! How much: amounts of data as people write and read them.

use crate::event::text::shortened;

/// Why a text is not an amount of data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an amount of data such as 500 MB, 200 GB or 1 TiB")]
pub(crate) struct BytesError(String);

/// The units, each group from the largest: names in lower case, and bytes.
const UNITS: &[(&str, u64)] = &[
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("B", 1),
];

/// Parses a whole number with a unit, in any case: `200 GB`, `64MiB`, `1000 B`.
pub(crate) fn parse_bytes(text: &str) -> Result<u64, BytesError> {
    let error = || BytesError(shortened(text.trim(), 40));
    let text = text.trim();
    let digits = text
        .find(|character: char| !character.is_ascii_digit() && character != '_')
        .ok_or_else(error)?;
    let amount: u64 = text[..digits]
        .replace('_', "")
        .parse()
        .map_err(|_| error())?;
    let unit = text[digits..].trim();
    UNITS
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(unit))
        .and_then(|(_, bytes)| amount.checked_mul(*bytes))
        .ok_or_else(error)
}

/// Writes an amount the way [`parse_bytes`] reads it, without loss: `200 GB`.
pub(crate) fn exact_bytes(bytes: u64) -> String {
    UNITS
        .iter()
        .find(|(_, unit)| bytes >= *unit && bytes.is_multiple_of(*unit))
        .map_or_else(
            || format!("{bytes} B"),
            |(name, unit)| format!("{} {name}", bytes / unit),
        )
}

/// Writes an amount for people, to three digits: `1.25 GB`.
pub(crate) fn short_bytes(bytes: u64) -> String {
    const NAMES: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let mut unit = 0;
    let mut size = 1;
    while unit + 1 < NAMES.len() && bytes / size >= 1_000 {
        size *= 1_000;
        unit += 1;
    }
    // In whole hundredths, so that no float rounds up to the next unit.
    let hundredths = u128::from(bytes) * 100 / u128::from(size);
    let (whole, rest) = (hundredths / 100, hundredths % 100);
    match (unit, whole) {
        (0, _) | (_, 100..) => format!("{whole} {}", NAMES[unit]),
        (_, 10..) => format!("{whole}.{} {}", rest / 10, NAMES[unit]),
        _ => format!("{whole}.{rest:02} {}", NAMES[unit]),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn units_are_read_in_any_case() {
        assert_eq!(parse_bytes("200 GB"), Ok(200_000_000_000));
        assert_eq!(parse_bytes("64mib"), Ok(64 << 20));
        assert_eq!(parse_bytes("1_000 B"), Ok(1_000));
        for bad in ["", "200", "GB", "1.5 GB", "-1 GB", "99999999999 TB", "1 XB"] {
            assert!(parse_bytes(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn amounts_have_three_digits_for_people() {
        for (bytes, expected) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.00 kB"),
            (12_345, "12.3 kB"),
            (1_250_000_000, "1.25 GB"),
            (999_999, "999 kB"),
            (5_000_000_000_000_000, "5000 TB"),
        ] {
            assert_eq!(short_bytes(bytes), expected);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(bytes: u64) {
            prop_assert_eq!(parse_bytes(&exact_bytes(bytes)), Ok(bytes));
        }
    }
}
