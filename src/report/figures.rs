//! Numbers as people read them: thousands apart, few digits, the unit beside.

/// The unit of a figure, which says how it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Unit {
    /// A plain count.
    Count,
    /// 0 to 100.
    Percent,
    Milliseconds,
    /// Decimal.
    Bytes,
    BitsPerSecond,
    /// US dollars.
    Dollars,
    /// US dollars, so few that cents are too coarse.
    SmallDollars,
    Hours,
    /// A small count of something an hour.
    Rate,
}

/// Stands where a figure is not known.
pub(crate) const UNKNOWN: &str = "unknown";

/// The figure with its unit, such as `1,204,331`, `97.8%`, `182 ms`, `1.24 TB`, `3.10 Mbit/s`.
pub(crate) fn figure(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Count => grouped(value, 0),
        Unit::Percent => percent(value),
        Unit::Milliseconds => format!("{} ms", grouped(value, 0)),
        Unit::Bytes => scaled(value, "B"),
        Unit::BitsPerSecond => scaled(value, "bit/s"),
        Unit::Dollars => {
            let digits = if value.abs() < 1_000.0 { 2 } else { 0 };
            format!("{} USD", grouped(value, digits))
        }
        Unit::SmallDollars => format!("{} USD", grouped(value, 4)),
        Unit::Rate => grouped(value, if value.abs() < 10.0 { 3 } else { 1 }),
        Unit::Hours => format!("{} h", grouped(value, usize::from(value.abs() < 100.0))),
    }
}

/// The same, or that it is not known.
pub(crate) fn known(value: Option<f64>, unit: Unit) -> String {
    value
        .filter(|value| value.is_finite())
        .map_or_else(|| UNKNOWN.to_owned(), |value| figure(value, unit))
}

/// Small shares keep more digits: 0.04% is not 0.0%.
fn percent(value: f64) -> String {
    let digits = match value.abs() {
        0.0 => 0,
        small if small < 0.1 => 3,
        small if small < 1.0 => 2,
        // Close to 100 the rest is what matters: 99.96% is not 100%.
        large if large > 99.0 && large < 100.0 => 2,
        _ => 1,
    };
    let text = grouped(value, digits);
    // A target is as round as it was written: 95%, not 95.0%.
    let short = text.trim_end_matches('0').trim_end_matches('.');
    let is_whole = text.contains('.') && short.parse() == Ok(value);
    format!("{}%", if is_whole { short } else { &text })
}

/// With a decimal prefix and three digits: `1.24 TB`.
fn scaled(value: f64, unit: &str) -> String {
    let prefixes = [(1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")];
    let (scale, prefix) = prefixes
        .into_iter()
        .find(|(scale, _)| value.abs() >= *scale)
        .unwrap_or((1.0, ""));
    let number = value / scale;
    let digits = match number.abs() {
        _ if prefix.is_empty() => 0,
        large if large >= 100.0 => 0,
        middle if middle >= 10.0 => 1,
        _ => 2,
    };
    format!("{number:.digits$} {prefix}{unit}")
}

/// A number with so many digits after the point and commas between thousands.
pub(crate) fn grouped(value: f64, digits: usize) -> String {
    let text = format!("{:.digits$}", value.abs());
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let is_zero = text
        .bytes()
        .all(|byte| !byte.is_ascii_digit() || byte == b'0');
    let mut grouped = String::new();
    if value.is_sign_negative() && !is_zero {
        grouped.push('−');
    }
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped.push_str(rest);
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_carry_units_and_few_digits() {
        for (value, unit, shown) in [
            (1_204_331.0, Unit::Count, "1,204,331"),
            (0.0, Unit::Count, "0"),
            (-0.4, Unit::Count, "0"),
            (-1_234.0, Unit::Count, "−1,234"),
            (97.84, Unit::Percent, "97.8%"),
            (99.964, Unit::Percent, "99.96%"),
            (100.0, Unit::Percent, "100%"),
            (0.5, Unit::Percent, "0.5%"),
            (0.1, Unit::Percent, "0.1%"),
            (0.101, Unit::Percent, "0.10%"),
            (0.04, Unit::Percent, "0.04%"),
            (0.0, Unit::Percent, "0%"),
            (181.6, Unit::Milliseconds, "182 ms"),
            (1.24e12, Unit::Bytes, "1.24 TB"),
            (999.0, Unit::Bytes, "999 B"),
            (4.3e11, Unit::BitsPerSecond, "430 Gbit/s"),
            (12.5, Unit::Dollars, "12.50 USD"),
            (79_303.6, Unit::Dollars, "79,304 USD"),
            (1_234.4, Unit::Hours, "1,234 h"),
            (3.25, Unit::Hours, "3.2 h"),
        ] {
            assert_eq!(figure(value, unit), shown);
        }
        assert_eq!(known(None, Unit::Count), "unknown");
        assert_eq!(known(Some(f64::NAN), Unit::Count), "unknown");
    }
}
