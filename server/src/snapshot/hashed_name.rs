//! A name made ready for look-ups: in lower case, with the hash of every end of it.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;
use zone_model::{LABEL_LENGTH_MAX, NAME_LENGTH_MAX, Name};

/// As many labels as 255 octets can hold, the root's not counted.
const LABELS_MAX: usize = 127;
/// Words of 8 octets may begin at a name's last octet.
const SPARE: usize = 8;

/// Drawn anew by each process: names are chosen by others, and nobody may know beforehand which of them will meet in a
/// table. No answer depends on it.
static SEED: LazyLock<[u64; 2]> = LazyLock::new(|| {
    let random = RandomState::new();
    [random.hash_one(0_u8), random.hash_one(1_u8)]
});

/// A name in lower case and wire form, with a hash of each of its ends: `www.example.`, `example.` and `.`. Made once for a
/// question, it is enough to find the zone, the name, and all that is above it.
#[derive(Clone, Debug)]
pub struct HashedName {
    wire: [u8; NAME_LENGTH_MAX + SPARE],
    length: usize,
    /// Where the labels start, from the left.
    starts: [u8; LABELS_MAX + 1],
    labels: usize,
    /// The hash of the end that has so many labels.
    hashes: [u64; LABELS_MAX + 1],
}

impl Default for HashedName {
    /// The root, not hashed yet: room for names to be read.
    fn default() -> Self {
        let (wire, starts, hashes) = ([0; NAME_LENGTH_MAX + SPARE], [0; LABELS_MAX + 1], [0; LABELS_MAX + 1]);
        Self { wire, length: 1, starts, labels: 0, hashes }
    }
}

impl HashedName {
    /// The same name, made ready.
    #[must_use]
    pub fn of(name: &Name) -> Self {
        let mut this = Self::default();
        // A name is never too long, nor cut short.
        let _ = this.read(name.as_wire());
        this
    }

    /// Reads an uncompressed name from the front of `wire`, in the place of what was here, and says how many octets it has;
    /// none if there is no such name, and what is here then is of no use.
    pub fn read(&mut self, wire: &[u8]) -> Option<usize> {
        let (mut at, mut labels) = (0, 0);
        loop {
            let length = usize::from(*wire.get(at)?);
            if length == 0 {
                break;
            }
            if length > LABEL_LENGTH_MAX {
                return None;
            }
            *self.starts.get_mut(labels)? = at as u8;
            labels += 1;
            at += 1 + length;
            if at >= NAME_LENGTH_MAX {
                return None;
            }
        }
        (self.length, self.labels) = (at + 1, labels);
        let lower = self.wire.get_mut(..=at)?;
        lower.copy_from_slice(wire.get(..=at)?);
        // Length octets are at most 63, below every ASCII letter, so they pass unharmed.
        lower.make_ascii_lowercase();
        self.hash();
        Some(self.length)
    }

    /// From the right, so that the hash of each end is met on the way.
    fn hash(&mut self) {
        let mut state = SipHash::keyed(*SEED);
        self.hashes[0] = state.finish();
        let mut end = self.length - 1;
        for (start, hash) in self.starts[..self.labels].iter().rev().zip(&mut self.hashes[1..]) {
            state.label(&self.wire, usize::from(*start), end);
            *hash = state.finish();
            end = usize::from(*start);
        }
    }

    /// The hash of an asterisk right below the end of so many labels.
    pub(super) fn hash_of_wildcard(&self, labels: usize) -> u64 {
        let mut state = SipHash::keyed(*SEED);
        let mut end = self.length - 1;
        for start in self.starts[..self.labels].iter().rev().take(labels) {
            state.label(&self.wire, usize::from(*start), end);
            end = usize::from(*start);
        }
        state.word(u64::from_le_bytes(*b"\x01*\0\0\0\0\0\0"));
        state.finish()
    }

    /// The whole name, in lower case.
    #[must_use]
    pub fn wire(&self) -> &[u8] {
        &self.wire[..self.length]
    }

    /// How many labels there are, the root's not counted.
    #[must_use]
    pub const fn label_count(&self) -> usize {
        self.labels
    }

    /// The end that has so many labels, in lower case; all of the name if it has no more.
    #[must_use]
    pub fn end(&self, labels: usize) -> &[u8] {
        &self.wire[self.start_of(labels)..self.length]
    }

    /// What the end of so many labels has before the end of a zone's length: labels without an end.
    pub(super) fn relative(&self, labels: usize, zone_length: usize) -> &[u8] {
        self.wire.get(self.start_of(labels)..self.length.saturating_sub(zone_length)).unwrap_or_default()
    }

    fn start_of(&self, labels: usize) -> usize {
        match self.labels.checked_sub(labels) {
            Some(left) if labels > 0 => usize::from(self.starts[left]),
            Some(_) => self.length - 1,
            None => 0,
        }
    }

    /// The hash of the end of so many labels.
    pub(crate) fn hash_of(&self, labels: usize) -> u64 {
        self.hashes[labels.min(LABELS_MAX)]
    }
}

/// SipHash-1-3 over the labels of a name from the right, each filled up with zeros to words of 8 octets. Every label begins
/// with its length, so unlike names are unlike words.
#[derive(Clone, Copy)]
struct SipHash([u64; 4]);

impl SipHash {
    const fn keyed([k0, k1]: [u64; 2]) -> Self {
        Self([
            k0 ^ 0x736f_6d65_7073_6575,
            k1 ^ 0x646f_7261_6e64_6f6d,
            k0 ^ 0x6c79_6765_6e65_7261,
            k1 ^ 0x7465_6462_7974_6573,
        ])
    }

    #[inline]
    fn label(&mut self, wire: &[u8; NAME_LENGTH_MAX + SPARE], start: usize, end: usize) {
        for at in (start..end).step_by(8) {
            let Some(octets) = wire.get(at..).and_then(<[u8]>::first_chunk) else { return };
            let beyond = (at + 8).saturating_sub(end) as u32;
            self.word(u64::from_le_bytes(*octets) & (u64::MAX >> (8 * beyond)));
        }
    }

    #[inline]
    const fn word(&mut self, word: u64) {
        self.0[3] ^= word;
        self.round();
        self.0[0] ^= word;
    }

    #[inline]
    const fn finish(mut self) -> u64 {
        self.0[2] ^= 0xff;
        self.round();
        self.round();
        self.round();
        let [v0, v1, v2, v3] = self.0;
        v0 ^ v1 ^ v2 ^ v3
    }

    #[inline]
    const fn round(&mut self) {
        let [mut v0, mut v1, mut v2, mut v3] = self.0;
        v0 = v0.wrapping_add(v1);
        v2 = v2.wrapping_add(v3);
        v1 = v1.rotate_left(13) ^ v0;
        v3 = v3.rotate_left(16) ^ v2;
        v0 = v0.rotate_left(32).wrapping_add(v3);
        v2 = v2.wrapping_add(v1);
        v3 = v3.rotate_left(21) ^ v0;
        v1 = v1.rotate_left(17) ^ v2;
        v2 = v2.rotate_left(32);
        self.0 = [v0, v1, v2, v3];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words of a label are what the reference hashes, but for its last word, which holds the length.
    #[test]
    fn rounds_are_those_of_siphash() {
        #[expect(deprecated, reason = "it is SipHash-2-4 with a known key, made of the same rounds")]
        let mut reference = std::hash::SipHasher::new_with_keys(3, 5);
        std::hash::Hasher::write(&mut reference, b"abcdefgh");
        let mut ours = SipHash::keyed([3, 5]);
        for word in [u64::from_le_bytes(*b"abcdefgh"), 8 << 56] {
            ours.0[3] ^= word;
            ours.round();
            ours.round();
            ours.0[0] ^= word;
        }
        ours.0[2] ^= 0xff;
        (0..4).for_each(|_| ours.round());
        let [v0, v1, v2, v3] = ours.0;
        assert_eq!(v0 ^ v1 ^ v2 ^ v3, std::hash::Hasher::finish(&reference));
    }

    #[test]
    fn every_end_has_the_hash_of_the_name_that_it_is() {
        let name = HashedName::of(&Name::parse("www.A-label-of-many-octets.Example.").unwrap());
        for (labels, end) in [".", "example.", "a-label-of-many-octets.example."].iter().enumerate() {
            let end = HashedName::of(&Name::parse(end).unwrap());
            assert_eq!(name.hash_of(labels), end.hash_of(labels));
            assert_eq!(name.end(labels), end.wire());
            let wildcard = Name::from_wire(end.wire()).unwrap().child(b"*").unwrap();
            assert_eq!(name.hash_of_wildcard(labels), HashedName::of(&wildcard).hash_of(labels + 1));
        }
        assert_eq!(name.relative(2, 9), b"\x16a-label-of-many-octets");
        assert_eq!(name.relative(3, name.wire().len()), b"");
    }

    #[test]
    fn what_is_left_from_a_longer_name_does_not_count() {
        let mut name = HashedName::of(&Name::parse("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.bbbbbbbbbbbb.").unwrap());
        assert_eq!(name.read(b"\x01c\0rest"), Some(3));
        assert_eq!(name.hash_of(1), HashedName::of(&Name::parse("C.").unwrap()).hash_of(1));
        for none in [&b"\x01"[..], b"", b"\x01c", b"\xc0\x0c", &[1; 300]] {
            assert_eq!(name.read(none), None);
        }
    }
}
