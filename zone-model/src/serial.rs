//! SOA serials, ordered only partially (RFC 1982).

use std::cmp::Ordering;
use std::fmt;

/// The SOA serial that the DNS world sees. It wraps, so it has no total order and `max()` on it does not compile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Serial(pub u32);

impl Serial {
    /// The first serial that clients which read it as a signed number see as negative.
    pub const SIGNED_END: Self = Self(1 << 31);

    /// The serial `steps` further on (RFC 1982 §3.1; at most 2^31 - 1 steps keep it comparable).
    #[must_use]
    pub const fn plus(self, steps: u32) -> Self {
        Self(self.0.wrapping_add(steps))
    }

    /// Whether this one comes after `other` (RFC 1982 §3.2); false where the two cannot be compared.
    #[must_use]
    pub fn is_after(self, other: Self) -> bool {
        self.partial_cmp(&other) == Some(Ordering::Greater)
    }
}

impl PartialOrd for Serial {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match self.0.wrapping_sub(other.0) {
            0 => Some(Ordering::Equal),
            0x8000_0000 => None,
            ahead if ahead < 0x8000_0000 => Some(Ordering::Greater),
            _ => Some(Ordering::Less),
        }
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_wraps() {
        assert!(Serial(1).is_after(Serial(0)));
        assert!(Serial(0).is_after(Serial(u32::MAX)));
        assert!(!Serial(u32::MAX).is_after(Serial(0)));
        assert_eq!(Serial(0).partial_cmp(&Serial(1 << 31)), None);
        assert!(!Serial(1 << 31).is_after(Serial(0)));
        assert_eq!(Serial(u32::MAX).plus(2), Serial(1));
    }
}
