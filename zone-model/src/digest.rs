//! The digest of contents: a sum of hashes, so that a change costs what the change costs.

use std::fmt;

/// Sum modulo 2^256 of BLAKE3(canonical change) over all that stands at a generation. It finds faults, not attackers
/// (the id does). Also the difference between two such sums.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of nothing.
    pub const EMPTY: Self = Self([0; 32]);

    /// The digest of one thing, already in canonical form.
    #[must_use]
    pub fn of(canonical: &[u8]) -> Self {
        Self(*blake3::hash(canonical).as_bytes())
    }

    /// A digest as stored; none unless 32 bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The 32 bytes, the least significant first.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The sum with something added.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        let (mut sum, mut carry) = ([0; 32], false);
        for (place, byte) in sum.iter_mut().enumerate() {
            let (half, first) = self.0[place].overflowing_add(other.0[place]);
            let (whole, second) = half.overflowing_add(u8::from(carry));
            (*byte, carry) = (whole, first || second);
        }
        Self(sum)
    }

    /// The sum with something taken away.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        let (mut rest, mut borrow) = ([0; 32], false);
        for (place, byte) in rest.iter_mut().enumerate() {
            let (half, first) = self.0[place].overflowing_sub(other.0[place]);
            let (whole, second) = half.overflowing_sub(u8::from(borrow));
            (*byte, borrow) = (whole, first || second);
        }
        Self(rest)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", &hex::encode(&self.0[..6]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn sums_do_not_depend_on_order_and_differences_undo_them(a: [u8; 32], b: [u8; 32], c: [u8; 32]) {
            let (a, b, c) = (Digest(a), Digest(b), Digest(c));
            prop_assert_eq!(a.plus(b).plus(c), c.plus(a).plus(b));
            prop_assert_eq!(a.plus(b).minus(b), a);
            prop_assert_eq!(Digest::EMPTY.minus(a).plus(a), Digest::EMPTY);
        }
    }

    #[test]
    fn carries_run_through_and_fall_off_the_end() {
        let mut one = [0; 32];
        one[0] = 1;
        assert_eq!(Digest([0xff; 32]).plus(Digest(one)), Digest::EMPTY);
        assert_eq!(Digest::EMPTY.minus(Digest(one)), Digest([0xff; 32]));
    }
}
