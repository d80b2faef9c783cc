//! A sketch of a distribution: exact for a few hundred numbers, then centroids that are fine at both
//! ends (a merging t-digest, Dunning and Ertl 2019).

/// Numbers that are kept as they are before they are merged.
const KEPT: usize = 512;

/// The finer the more centroids: one holds at most 4·q·(1-q)/200 of all, a half percent at the median.
const FINENESS: f64 = 200.0;

/// A sketch of the numbers seen.
#[derive(Debug, Clone, Default)]
pub(super) struct Digest {
    /// Not yet merged, each once.
    fresh: Vec<f64>,
    /// Mean and weight, in the order of their means, but for those that came from another sketch.
    centroids: Vec<(f64, f64)>,
    /// How many of `centroids` are merged and in order.
    merged: usize,
}

impl Digest {
    /// Adds a number.
    pub(super) fn add(&mut self, number: f64) {
        self.fresh.push(number);
        if self.fresh.len() >= KEPT {
            self.merge();
        }
    }

    /// Adds a number that counts more, or less, than once; nothing where it does not count.
    pub(super) fn add_weighted(&mut self, number: f64, weight: f64) {
        #[expect(
            clippy::float_cmp,
            reason = "a weight of exactly one is the plain case"
        )]
        if weight == 1.0 {
            self.add(number);
        } else if weight > 0.0 {
            self.centroids.push((number, weight));
            if self.centroids.len() - self.merged >= KEPT {
                self.merge();
            }
        }
    }

    /// All that there is, as means and weights.
    pub(super) fn parts(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        self.centroids
            .iter()
            .copied()
            .chain(self.fresh.iter().map(|number| (*number, 1.0)))
    }

    /// Bytes on the heap.
    pub(super) fn size(&self) -> usize {
        self.fresh.capacity() * size_of::<f64>()
            + self.centroids.capacity() * size_of::<(f64, f64)>()
    }

    fn sort(&mut self) {
        self.centroids
            .extend(self.fresh.drain(..).map(|number| (number, 1.0)));
        self.centroids
            .sort_by(|left, right| left.0.total_cmp(&right.0));
    }

    fn merge(&mut self) {
        self.sort();
        let total: f64 = self.centroids.iter().map(|(_, weight)| weight).sum();
        let mut merged: Vec<(f64, f64)> = Vec::with_capacity(self.centroids.len());
        let mut before = 0.0;
        for (mean, weight) in self.centroids.drain(..) {
            if let Some(last) = merged.last_mut() {
                let together = last.1 + weight;
                let middle = (before + together / 2.0) / total;
                if together <= 4.0 * total * middle * (1.0 - middle) / FINENESS {
                    last.0 += (mean - last.0) * weight / together;
                    last.1 = together;
                    continue;
                }
                before += last.1;
            }
            merged.push((mean, weight));
        }
        self.merged = merged.len();
        self.centroids = merged;
    }

    /// The numbers at some percentiles from 0 to 1; none where no number was seen. What was seen few
    /// times is a number that was seen; else it lies between two centroids.
    pub(super) fn percentiles(&mut self, wanted: &[f64]) -> Option<Vec<f64>> {
        self.sort();
        self.merged = self.centroids.len();
        if self.centroids.is_empty() {
            return None;
        }
        let total: f64 = self.centroids.iter().map(|(_, weight)| weight).sum();
        Some(
            wanted
                .iter()
                .map(|percentile| self.at(percentile * total))
                .collect(),
        )
    }

    fn at(&self, place: f64) -> f64 {
        let mut before = 0.0;
        for (index, (mean, weight)) in self.centroids.iter().enumerate() {
            if place < before + weight || index + 1 == self.centroids.len() {
                if *weight <= 1.0 {
                    return *mean;
                }
                return self.within(index, place - before);
            }
            before += weight;
        }
        f64::NAN
    }

    /// Between the borders that a centroid shares with its neighbors.
    fn within(&self, index: usize, place: f64) -> f64 {
        let (mean, weight) = self.centroids[index];
        let border = |left: (f64, f64), right: (f64, f64)| {
            left.0 + (right.0 - left.0) * left.1 / (left.1 + right.1)
        };
        let low = match index.checked_sub(1) {
            Some(before) => border(self.centroids[before], (mean, weight)),
            None => mean,
        };
        let high = match self.centroids.get(index + 1) {
            Some(after) => border((mean, weight), *after),
            None => mean,
        };
        let part = (place / weight).clamp(0.0, 1.0);
        if part < 0.5 {
            low + (mean - low) * part * 2.0
        } else {
            mean + (high - mean) * (part - 0.5) * 2.0
        }
    }
}

#[cfg(test)]
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "small numbers"
)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rank(sorted: &[f64], number: f64) -> (f64, f64) {
        let count = sorted.len() as f64;
        let below = sorted.partition_point(|other| *other < number) as f64;
        let until = sorted.partition_point(|other| *other <= number) as f64;
        (below / count, until / count)
    }

    proptest! {
        #[test]
        fn is_exact_for_few(mut numbers in prop::collection::vec(-1e6_f64..1e6, 1..400), percentile in 0.0_f64..=1.0) {
            let mut digest = Digest::default();
            for number in &numbers { digest.add(*number); }
            numbers.sort_by(f64::total_cmp);
            let place = (percentile * numbers.len() as f64) as usize;
            prop_assert_eq!(
                digest.percentiles(&[percentile]),
                Some(vec![numbers[place.min(numbers.len() - 1)]])
            );
        }

        #[test]
        fn is_near_for_many(seed in 1_u64..1000, parts in 1_usize..5, percentile in 0.0_f64..=1.0, power in 1_i32..5) {
            // Skewed, as times to the first byte are.
            let mut state = seed;
            let mut numbers: Vec<f64> = (0..20_000).map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                ((state >> 33) as f64 / f64::from(u32::MAX)).powi(power)
            }).collect();
            let mut whole = Digest::default();
            for chunk in numbers.chunks(numbers.len().div_ceil(parts)) {
                let mut part = Digest::default();
                for number in chunk { part.add(*number); }
                part.parts().for_each(|(mean, weight)| whole.add_weighted(mean, weight));
            }
            let found = whole.percentiles(&[percentile]).unwrap()[0];
            numbers.sort_by(f64::total_cmp);
            let (low, high) = rank(&numbers, found);
            let error = 0.005 + 1e-3 * percentile * (1.0 - percentile);
            prop_assert!(low - error <= percentile && percentile <= high + error, "{low} {high} for {percentile}");
        }
    }

    #[test]
    fn holds_little_of_much() {
        let mut digest = Digest::default();
        (0..1_000_000).for_each(|number| {
            digest.add(f64::from(number % 1_009) * 1e3 + f64::from(number / 1_009));
        });
        assert!(digest.size() < 64 * 1024, "{}", digest.size());
        assert_eq!(Digest::default().percentiles(&[0.5]), None);
    }

    #[test]
    fn weights_count() {
        let mut digest = Digest::default();
        digest.add_weighted(1.0, 9.0);
        digest.add_weighted(2.0, 1.0);
        digest.add_weighted(3.0, 0.0);
        assert_eq!(digest.percentiles(&[0.95]), Some(vec![2.0]));
    }
}
