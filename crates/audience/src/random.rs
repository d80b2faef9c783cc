//! Numbers that look random and follow from what they are about alone: a minute, a viewer, a segment
//! can each be asked for by itself, in any order.

/// Mixes a few numbers into one.
pub(crate) fn mix(parts: &[u64]) -> u64 {
    parts
        .iter()
        .fold(0x243f_6a88_85a3_08d3, |state, part| step(state ^ *part))
}

/// The finalizer of `SplitMix64`: every bit of the input reaches every bit of the output.
fn step(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// A stream of such numbers, begun anew for each thing that is told about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Draw(u64);

impl Draw {
    /// The stream that belongs to these numbers.
    pub(crate) fn of(parts: &[u64]) -> Self {
        Self(mix(parts))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        step(self.0)
    }

    /// From 0 to 1, 1 not included.
    pub(crate) fn part(&mut self) -> f64 {
        part(self.next())
    }

    /// Whether something happens that does in this part of the cases.
    pub(crate) fn chance(&mut self, part: f64) -> bool {
        self.part() < part
    }

    /// From 0 to `end`, which is not included and not zero.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        below(self.next(), end)
    }

    /// One of a list that is not empty.
    pub(crate) fn one_of<T: Copy>(&mut self, list: &[T]) -> T {
        let place = self.below(u64::try_from(list.len()).unwrap_or(1).max(1));
        list[usize::try_from(place).unwrap_or_default()]
    }

    /// Around `mean`, with a long tail to the right, as waiting times have it.
    pub(crate) fn tailed(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.part()).ln()
    }
}

/// A number's place between 0 and 1.
pub(crate) fn part(number: u64) -> f64 {
    let upper = u32::try_from(number >> 32).unwrap_or(u32::MAX);
    f64::from(upper) / 4_294_967_296.0
}

/// A number's place below `end`.
pub(crate) fn below(number: u64, end: u64) -> u64 {
    let scaled = (u128::from(number) * u128::from(end)) >> 64;
    u64::try_from(scaled).unwrap_or_default()
}

/// A number rounded to a whole one; what is below zero is zero.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float's cast stops at the type's ends"
)]
pub(crate) fn whole(value: f64) -> u64 {
    value.round() as u64
}

/// The same for what fits 32 bits.
pub(crate) fn whole_32(value: f64) -> u32 {
    u32::try_from(whole(value)).unwrap_or(u32::MAX)
}

/// A whole number as a float; those of a scene are far below 2^52.
#[expect(clippy::cast_precision_loss, reason = "see above")]
pub(crate) fn float(value: u64) -> f64 {
    value as f64
}
