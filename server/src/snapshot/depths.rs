//! At how many labels there is something, so that nobody looks where there is nothing.

/// How often each number of labels was counted.
#[derive(Clone, Debug, Default)]
pub(super) struct Depths {
    counts: Vec<u32>,
    /// A bit for each count that is not zero. A name has at most 127 labels.
    mask: u128,
}

impl Depths {
    /// Counts one more at this depth.
    pub(super) fn add(&mut self, depth: usize) {
        if self.counts.len() <= depth {
            self.counts.resize(depth + 1, 0);
        }
        self.counts[depth] += 1;
        self.mask |= 1 << depth;
    }

    /// Counts one less.
    pub(super) fn remove(&mut self, depth: usize) {
        let Some(count) = self.counts.get_mut(depth) else { return };
        *count = count.saturating_sub(1);
        if *count == 0 {
            self.mask &= !(1 << depth);
        }
    }

    /// The depths up to this one at which there is something, the least first.
    #[inline]
    pub(super) fn upwards(&self, to: usize) -> impl Iterator<Item = usize> + use<> {
        let mut mask = self.mask & upto(to);
        std::iter::from_fn(move || {
            let depth = mask.trailing_zeros();
            mask &= mask.wrapping_sub(1);
            (depth < u128::BITS).then_some(depth as usize)
        })
    }

    /// The same, the greatest first.
    #[inline]
    pub(super) fn downwards(&self, from: usize) -> impl Iterator<Item = usize> + use<> {
        let mut mask = self.mask & upto(from);
        std::iter::from_fn(move || {
            let depth = u128::BITS.checked_sub(1 + mask.leading_zeros())?;
            mask &= !(1 << depth);
            Some(depth as usize)
        })
    }
}

#[inline]
const fn upto(depth: usize) -> u128 {
    if depth >= 127 { u128::MAX } else { (1 << (depth + 1)) - 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depths_are_met_from_both_ends_while_they_are_counted() {
        let mut depths = Depths::default();
        for depth in [0, 3, 3, 127, 5] {
            depths.add(depth);
        }
        let both = |depths: &Depths, end| {
            let down: Vec<_> = depths.downwards(end).collect();
            let mut up: Vec<_> = depths.upwards(end).collect();
            up.reverse();
            assert_eq!(up, down);
            down
        };
        assert_eq!(both(&depths, 127), [127, 5, 3, 0]);
        assert_eq!(both(&depths, 4), [3, 0]);
        depths.remove(3);
        assert_eq!(both(&depths, 4), [3, 0]);
        depths.remove(3);
        depths.remove(0);
        depths.remove(9);
        assert_eq!(both(&depths, 126), [5]);
    }
}
