//! A hundred names or so of one zone, packed into one piece of memory: a table of slots, then the entries.
//!
//! A slot has four octets: a tag of 16 bits, and the entry's place in units from the start of the page, 0 for none. An entry
//! is in the slot that the low bits of its tag say, or in the next that is free. So a look-up reads one line of slots and one
//! entry, and whatever bits say, the whole name is compared in the end.

use super::HashedName;
use super::entry::Entry;
use super::tree::Leaf;
use std::sync::Arc;
use zone_model::Name;

/// More names than this are cut in two: with so many, three of four among 128 slots are taken.
const NAMES_MAX: usize = 96;
/// More octets than this are cut in two, so that large sets do not make every change near them dear.
const SIZE_MAX: usize = 16 << 10;
/// A page with so few names is left as it is, whatever its size: it could need many cuts to make it smaller.
const NAMES_MIN: usize = 8;

const SLOT_LENGTH: usize = 4;

/// A page. Cloning it is cheap, and shares it.
#[derive(Clone, Debug)]
pub(super) struct Page {
    /// The slots, then the entries.
    octets: Arc<[u8]>,
    names: u16,
    /// How many slots there are, as a power of two.
    slot_bits: u8,
    /// In what units places are counted, as a power of two.
    unit_bits: u8,
}

impl Page {
    /// A page without names.
    pub(super) fn empty() -> Self {
        Self::of(&[])
    }

    /// A page of entries, each with its hash.
    pub(super) fn of_hashed<'e>(entries: impl Iterator<Item = (u64, &'e [u8])>) -> Self {
        let entries: Vec<(u16, &[u8])> = entries.map(|(hash, entry)| (tag_of(hash), entry)).collect();
        Self::of(&entries)
    }

    /// A page of entries, each with its tag.
    fn of(entries: &[(u16, &[u8])]) -> Self {
        // At least one slot in four is free, or it would take long to find that something is not there.
        let slots = (entries.len() * 4).div_ceil(3).next_power_of_two();
        let slots_end = slots * SLOT_LENGTH;
        let sum = |unit: usize| entries.iter().map(|(_, entry)| entry.len().next_multiple_of(unit)).sum::<usize>();
        let size = |unit: u8| slots_end.next_multiple_of(1 << unit) + sum(1 << unit);
        let mut unit_bits = 0;
        while size(unit_bits) >> unit_bits > usize::from(u16::MAX) {
            unit_bits += 1;
        }
        let mut octets = vec![0; size(unit_bits)];
        let mut at = slots_end.next_multiple_of(1 << unit_bits);
        for (tag, entry) in entries {
            let place = (at >> unit_bits) as u16;
            let mut slot = usize::from(*tag) & (slots - 1);
            while octets[slot * SLOT_LENGTH..][2..4] != [0, 0] {
                slot = (slot + 1) & (slots - 1);
            }
            let slot = &mut octets[slot * SLOT_LENGTH..];
            slot[..2].copy_from_slice(&tag.to_le_bytes());
            slot[2..4].copy_from_slice(&place.to_le_bytes());
            octets[at..at + entry.len()].copy_from_slice(entry);
            at += entry.len().next_multiple_of(1 << unit_bits);
        }
        // No hash is so unkind as to put 65,536 names on one page.
        let (names, slot_bits) = (entries.len() as u16, slots.trailing_zeros() as u8);
        Self { octets: octets.into(), names, slot_bits, unit_bits }
    }

    /// The entry of the name of this hash, whose labels before the zone's name are `front` and `back`.
    #[inline]
    pub(super) fn find(&self, hash: u64, front: &[u8], back: &[u8]) -> Option<Entry<'_>> {
        let is_it = |entry: &Entry<'_>| entry.relative.strip_prefix(front).is_some_and(|rest| rest == back);
        self.tagged(hash).filter_map(Entry::read).find(is_it)
    }

    /// What begins at the places of entries with this tag.
    #[inline]
    fn tagged(&self, hash: u64) -> impl Iterator<Item = &[u8]> {
        let (octets, unit_bits) = (&*self.octets, self.unit_bits);
        let mask = self.mask();
        let tag = tag_of(hash);
        let mut slot = usize::from(tag);
        std::iter::from_fn(move || {
            loop {
                slot &= mask;
                let &[t1, t2, p1, p2] = octets.get(slot * SLOT_LENGTH..)?.first_chunk()?;
                let place = usize::from(u16::from_le_bytes([p1, p2])) << unit_bits;
                if place == 0 {
                    return None;
                }
                slot += 1;
                if u16::from_le_bytes([t1, t2]) == tag {
                    return octets.get(place..);
                }
            }
        })
    }

    #[inline]
    const fn mask(&self) -> usize {
        (1 << self.slot_bits) - 1
    }

    /// Where a look-up reads first.
    #[inline]
    pub(super) fn slot(&self, hash: u64) -> Option<*const u8> {
        self.octets.get((usize::from(tag_of(hash)) & self.mask()) * SLOT_LENGTH).map(std::ptr::from_ref)
    }

    /// Where it reads next, most likely.
    #[inline]
    pub(super) fn place(&self, hash: u64) -> Option<*const u8> {
        self.tagged(hash).next().map(<[u8]>::as_ptr)
    }

    /// All entries, each with its tag and its octets.
    fn tagged_entries(&self) -> impl Iterator<Item = (u16, Entry<'_>, &[u8])> {
        let slots = self.octets.chunks_exact(SLOT_LENGTH).take(1 << self.slot_bits);
        slots.filter_map(|slot| {
            let place = usize::from(u16::from_le_bytes([slot[2], slot[3]])) << self.unit_bits;
            let octets = self.octets.get(place..).filter(|_| place > 0)?;
            let entry = Entry::read(octets)?;
            Some((u16::from_le_bytes([slot[0], slot[1]]), entry, &octets[..entry.length(octets)]))
        })
    }

    /// All entries.
    pub(super) fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.tagged_entries().map(|(_, entry, _)| entry)
    }

    /// A page that has `entry` in the place of that of the same name, or does not have it any more.
    #[must_use]
    pub(super) fn with(&self, hash: u64, relative: &[u8], entry: Option<&[u8]>) -> Self {
        let others = self.tagged_entries().filter(|(_, other, _)| other.relative != relative);
        let mut entries: Vec<_> = others.map(|(tag, _, octets)| (tag, octets)).collect();
        entries.extend(entry.map(|entry| (tag_of(hash), entry)));
        Self::of(&entries)
    }

    #[cfg(test)]
    pub(super) fn is_same_as(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.octets, &other.octets)
    }
}

/// Of the other end of the hash than what finds the page.
#[inline]
const fn tag_of(hash: u64) -> u16 {
    hash as u16
}

impl Leaf for Page {
    /// The zone's name, without which the names in a page have no hash.
    type Of = Name;

    fn is_overfull(&self) -> bool {
        let names = usize::from(self.names);
        names > NAMES_MAX || (self.octets.len() > SIZE_MAX && names > NAMES_MIN)
    }

    fn split(&self, bit: u32, zone: &Name) -> [Self; 2] {
        let mut name = HashedName::default();
        let mut wire = Vec::with_capacity(zone_model::NAME_LENGTH_MAX);
        let mut is_set = |entry: &Entry<'_>| {
            wire.clear();
            wire.extend_from_slice(entry.relative);
            wire.extend_from_slice(zone.as_wire());
            let _ = name.read(&wire);
            name.hash_of(name.label_count()) << bit >> 63 == 1
        };
        let (mut clear, mut set) = (Vec::new(), Vec::new());
        for (tag, entry, octets) in self.tagged_entries() {
            if is_set(&entry) {
                set.push((tag, octets));
            } else {
                clear.push((tag, octets));
            }
        }
        [Self::of(&clear), Self::of(&set)]
    }
}

#[cfg(test)]
mod tests {
    use super::super::entry::{EncodedSet, encode, write_entry};
    use super::*;
    use zone_model::{RecordData, RecordSet, RecordType};

    fn relative(number: usize) -> Vec<u8> {
        let label = format!("n{number}");
        [&[label.len() as u8], label.as_bytes()].concat()
    }

    fn entry(number: usize, length: usize) -> Vec<u8> {
        let rtype = RecordType(65_280);
        let data = RecordData::from_wire(rtype, &vec![number as u8; length]).unwrap();
        let set = encode(&RecordSet::new(Name::root(), rtype, 60, vec![data]).unwrap());
        write_entry(&relative(number), 0, [EncodedSet::read(&set).unwrap().0].into_iter())
    }

    /// Hashes that meet in few slots and, by twos, in one tag.
    fn hash(number: usize) -> u64 {
        (number as u64 / 2) << 13 & 0xffff
    }

    #[test]
    fn names_are_found_however_they_meet_and_however_large_they_are() {
        for (count, length) in [(0, 0), (1, 5), (7, 60_000), (95, 20), (300, 64_000)] {
            let mut page = Page::empty();
            for number in 0..count {
                page = page.with(hash(number), &relative(number), Some(&entry(number, 3)));
            }
            for number in (0..count).rev() {
                page = page.with(hash(number), &relative(number), Some(&entry(number, length)));
            }
            for number in 0..count {
                let found = page.find(hash(number), &[], &relative(number)).unwrap();
                let data = found.set(RecordType(65_280)).unwrap().data().next().unwrap();
                assert!(data.len() == length && data.iter().all(|octet| *octet == number as u8), "{number}");
                assert!(page.find(hash(number), b"\x01*", &relative(number)).is_none());
            }
            assert!(page.find(hash(count), &[], &relative(count)).is_none());
            assert_eq!(page.entries().count(), count);
            for number in 0..count {
                page = page.with(hash(number), &relative(number), None);
                assert!(page.find(hash(number), &[], &relative(number)).is_none());
            }
            assert_eq!(page.octets.len(), Page::empty().octets.len());
        }
    }
}
