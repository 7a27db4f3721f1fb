//! Type bitmaps of NSEC, NSEC3 and CSYNC (RFC 4034 §4.1.2).

use super::wire::Wrong;
use crate::RecordType;

/// The most octets of bits in one window.
const WINDOW_LENGTH_MAX: usize = 32;

/// Whether `wire` is blocks of window number, length and bits: windows ascending, bits without zero octets at the end.
pub(super) fn check(wire: &[u8]) -> Result<(), Wrong> {
    let (mut at, mut rest, mut lowest) = (0, wire, 0);
    while let [window, length, bits @ ..] = rest {
        let (window, length) = (usize::from(*window), usize::from(*length));
        if window < lowest {
            return Err((at, "expected the windows of the type bitmap in ascending order".to_owned()));
        }
        if !(1..=WINDOW_LENGTH_MAX).contains(&length) {
            return Err((at + 1, format!("expected a window of 1 to {WINDOW_LENGTH_MAX} octets, found {length}")));
        }
        let Some((bits, after)) = bits.split_at_checked(length) else {
            return Err((at + 1, format!("expected a window of {length} octets, found {}", bits.len())));
        };
        if bits.last() == Some(&0) {
            return Err((at + 1 + length, "expected a window without zero octets at its end".to_owned()));
        }
        (at, rest, lowest) = (at + 2 + length, after, window + 1);
    }
    if rest.is_empty() { Ok(()) } else { Err((at, "expected the length of a window in the type bitmap".to_owned())) }
}

/// The types in a well-formed bitmap, ascending.
pub(super) fn types(wire: &[u8]) -> Vec<RecordType> {
    let (mut types, mut rest) = (Vec::new(), wire);
    while let [window, length, bits @ ..] = rest {
        let Some((bits, after)) = bits.split_at_checked(usize::from(*length)) else { break };
        for (octet, bits) in (0_u8..).zip(bits) {
            for bit in (0..8_u8).filter(|bit| bits & (0x80 >> bit) != 0) {
                types.push(RecordType(u16::from_be_bytes([*window, octet.wrapping_mul(8).wrapping_add(bit)])));
            }
        }
        rest = after;
    }
    types
}

/// Writes the types as a bitmap; order and repetition do not matter.
pub(super) fn push(mut types: Vec<RecordType>, wire: &mut Vec<u8>) {
    types.sort_unstable();
    for window in types.chunk_by(|left, right| left.0 >> 8 == right.0 >> 8) {
        let mut bits = [0_u8; WINDOW_LENGTH_MAX];
        let (mut number, mut length) = (0, 0_u8);
        for rtype in window {
            let [high, low] = rtype.0.to_be_bytes();
            if let Some(octet) = bits.get_mut(usize::from(low / 8)) {
                *octet |= 0x80 >> (low % 8);
            }
            (number, length) = (high, low / 8 + 1);
        }
        wire.extend_from_slice(&[number, length]);
        wire.extend(bits.iter().take(usize::from(length)));
    }
}
