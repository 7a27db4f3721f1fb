//! How often something was of which size.

use super::{Count, Tally};

/// Counts of values up to each of `N` bounds, which whoever adds and whoever reads give, and of those above the last.
#[derive(Debug)]
pub struct Histogram<const N: usize> {
    counts: [Count; N],
    above: Count,
    sum: Count,
}

impl<const N: usize> Default for Histogram<N> {
    fn default() -> Self {
        Self { counts: std::array::from_fn(|_| Count::default()), above: Count::default(), sum: Count::default() }
    }
}

impl<const N: usize> Histogram<N> {
    /// Adds a value.
    #[inline]
    pub(super) fn add(&self, tally: &(impl Tally + ?Sized), bounds: &[u64; N], value: u64) {
        let below = bounds.iter().filter(|bound| value > **bound).count();
        tally.add_to(self.counts.get(below).unwrap_or(&self.above), 1);
        tally.add_to(&self.sum, value);
    }

    /// How many values were not above each bound, but above the one before; and last, how many were above all.
    #[must_use]
    pub fn counts(&self) -> Vec<u64> {
        self.counts.iter().chain([&self.above]).map(Count::get).collect()
    }

    /// The sum of all values.
    #[must_use]
    pub fn sum(&self) -> u64 {
        self.sum.get()
    }
}
