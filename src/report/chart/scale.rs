//! Round numbers for axes, and their labels. Pure.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::report::figures::Unit;

/// The value axis: from, to, and the step between its lines.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Values {
    pub(super) least: f64,
    pub(super) most: f64,
    pub(super) step: f64,
}

/// Lines of a value axis, about.
const LINES: f64 = 4.0;

impl Values {
    /// An axis that holds all of `values`; from zero unless they are close together far from it and
    /// `from_zero` is off.
    pub(super) fn of(
        values: impl Iterator<Item = f64>,
        from_zero: bool,
        ceiling: Option<f64>,
    ) -> Self {
        let (mut least, mut most) = values
            .filter(|value| value.is_finite())
            .fold((f64::MAX, f64::MIN), |(least, most), value| {
                (least.min(value), most.max(value))
            });
        if least > most {
            (least, most) = (0.0, 1.0);
        }
        if from_zero {
            least = least.min(0.0);
        }
        if most <= least {
            most = least + if least == 0.0 { 1.0 } else { least.abs() * 0.1 };
        }
        let step = round_step((most - least) / LINES);
        let least = (least / step).floor() * step;
        let mut most = (most / step).ceil() * step;
        if let Some(ceiling) = ceiling {
            most = most.min(ceiling).max(least + step);
        }
        Self { least, most, step }
    }

    /// The values of its lines.
    pub(super) fn lines(self) -> Vec<f64> {
        let mut lines = Vec::new();
        let mut line = self.least;
        while line <= self.most + self.step * 0.01 && lines.len() < 12 {
            lines.push(line);
            line += self.step;
        }
        lines
    }

    /// The part (0 to 1) of the axis below `value`.
    pub(super) fn part(self, value: f64) -> f64 {
        ((value - self.least) / (self.most - self.least)).clamp(0.0, 1.0)
    }
}

/// 1, 2, 2.5 or 5 times a power of ten, at least `wanted`.
fn round_step(wanted: f64) -> f64 {
    let power = 10_f64.powf(wanted.log10().floor());
    [1.0, 2.0, 2.5, 5.0, 10.0]
        .into_iter()
        .map(|step| step * power)
        .find(|step| *step >= wanted * 0.999_999)
        .unwrap_or(wanted)
}

/// A line's value in a few characters, with its unit.
pub(super) fn label(value: f64, step: f64, unit: Unit) -> String {
    let (scale, prefix) = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")]
        .into_iter()
        .find(|(scale, _)| value != 0.0 && step.max(value.abs()) >= *scale)
        .unwrap_or((1.0, ""));
    let digits = if value == 0.0 {
        0
    } else {
        let smallest = step / scale;
        if smallest >= 1.0 && (smallest - smallest.round()).abs() < 1e-9 {
            0
        } else if (smallest * 10.0 - (smallest * 10.0).round()).abs() < 1e-9 {
            1
        } else if smallest >= 0.01 {
            2
        } else {
            3
        }
    };
    let number = format!("{:.digits$}", value / scale);
    match unit {
        Unit::Percent => format!("{value:.digits$}%"),
        Unit::Milliseconds if step < 1e3 && value < 1e4 => format!("{value:.digits$} ms"),
        Unit::Milliseconds => format!("{:.1} s", value / 1e3),
        Unit::BitsPerSecond => format!("{number} {prefix}bit/s"),
        Unit::Bytes => format!("{number} {prefix}B"),
        _ => format!("{number}{prefix}"),
    }
}

/// Steps of a time axis, minutes.
const TIME_STEPS: [i64; 11] = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720];

/// Whole local times between two points, so that at most `most` of them stand side by side.
pub(super) fn times(
    from: Timestamp,
    until: Timestamp,
    zone: &TimeZone,
    most: usize,
) -> Vec<(Timestamp, String)> {
    let span = until.as_second() - from.as_second();
    let most = i64::try_from(most.max(1)).unwrap_or(1);
    let step = TIME_STEPS
        .into_iter()
        .map(|minutes| minutes * 60)
        .find(|step| span / step <= most)
        .unwrap_or(86_400);
    // Whole hours of the event's zone, not of UTC, where they differ by half an hour.
    let offset = i64::from(from.to_zoned(zone.clone()).offset().seconds());
    let first = (from.as_second() + offset + step - 1).div_euclid(step) * step - offset;
    let mut found = Vec::new();
    let mut second = first;
    while second <= until.as_second() {
        if let Ok(at) = Timestamp::from_second(second) {
            let clock = at.to_zoned(zone.clone());
            found.push((at, clock.strftime("%H:%M").to_string()));
        }
        second += step;
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn axes_are_round() {
        let axis = Values::of([0.0, 173_000.0].into_iter(), true, None);
        assert_eq!(
            (axis.least, axis.most, axis.step),
            (0.0, 200_000.0, 50_000.0)
        );
        let ratio = Values::of([92.3, 97.9, 95.0].into_iter(), false, Some(100.0));
        assert_eq!((ratio.least, ratio.most), (92.0, 98.0));
        assert_eq!(label(0.0, 50_000.0, Unit::Count), "0");
        assert_eq!(label(50_000.0, 50_000.0, Unit::Count), "50k");
        assert_eq!(label(0.05, 0.05, Unit::Percent), "0.05%");
        assert_eq!(label(2.5e9, 5e8, Unit::BitsPerSecond), "2.5 Gbit/s");
    }

    proptest! {
        #[test]
        fn every_value_is_on_the_axis(values in proptest::collection::vec(-1e9..1e12f64, 0..20)) {
            let axis = Values::of(values.iter().copied(), true, None);
            prop_assert!(axis.least <= axis.most && axis.step > 0.0);
            prop_assert!(axis.lines().len() <= 12);
            for value in values {
                prop_assert!(value >= axis.least - axis.step && value <= axis.most + axis.step);
            }
        }
    }
}
