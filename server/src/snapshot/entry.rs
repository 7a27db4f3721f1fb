//! One name of a zone, and its record sets as octets that can go into an answer as they are.
//!
//! An entry is: flags (1), the length (1) and the octets of the labels before the zone's name, in lower case; where names
//! below it are in the table, how many are right below (4); the record sets, ordered by type and covered type; and an octet that
//! ends them. A set is: flags (1), the number of records (2), the length of its body (2); where the owner is not spelled
//! in lower case, the length (1) and the octets of its spelling in full; and the body.
//!
//! The body is the records as they stand in a message that asks for the owner: `C0 0C`, type, class, TTL, length, data. Names
//! in the data are not compressed, since they may stand in any message; types that have names to be compressed say so in
//! their flags, and are compressed on their way out.

use zone_model::{EmbeddedName, Name, RecordData, RecordSet, RecordType};

/// Before the data of each record in a body.
pub(crate) const RECORD_HEAD_LENGTH: usize = 12;

/// The record sets of a name: which of them decide where a look-up goes.
const HAS_NS: u8 = 1;
const HAS_DNAME: u8 = 2;
const HAS_CHILDREN: u8 = 4;

const IS_COMPRESSIBLE: u8 = 1;
const IS_SPELLED: u8 = 2;
/// In the place of a set's flags: there are no more.
const END: u8 = 0xff;

/// The Internet.
const CLASS_IN: u16 = 1;

/// A name in a zone.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'z> {
    flags: u8,
    /// The labels before the zone's name, in lower case.
    pub(super) relative: &'z [u8],
    /// How many names that are right below it are in the table.
    pub(super) children: u32,
    sets: EncodedSets<'z>,
}

impl<'z> Entry<'z> {
    /// Reads the entry at the front of `octets`.
    #[inline]
    pub(super) fn read(octets: &'z [u8]) -> Option<Self> {
        let (&[flags, length], rest) = octets.split_first_chunk()?;
        let (relative, mut rest) = rest.split_at_checked(usize::from(length))?;
        let mut children = 0;
        if flags & HAS_CHILDREN != 0 {
            let (count, after) = rest.split_first_chunk()?;
            (children, rest) = (u32::from_le_bytes(*count), after);
        }
        Some(Self { flags, relative, children, sets: EncodedSets(rest) })
    }

    /// All sets, ordered by type and covered type; none for an empty non-terminal.
    #[inline]
    pub const fn sets(&self) -> EncodedSets<'z> {
        self.sets
    }

    /// Whether there are servers here that a zone below may be left to.
    #[inline]
    pub const fn has_ns(&self) -> bool {
        self.flags & HAS_NS != 0
    }

    /// Whether all names below are somewhere else.
    #[inline]
    pub const fn has_dname(&self) -> bool {
        self.flags & HAS_DNAME != 0
    }

    /// The set of this type; for RRSIG the first of them.
    #[inline]
    #[must_use]
    pub fn set(&self, rtype: RecordType) -> Option<EncodedSet<'z>> {
        self.sets().find(|set| set.rtype() == rtype)
    }

    /// How many octets it has, given what it was read from.
    pub(super) fn length(&self, octets: &[u8]) -> usize {
        let mut sets = self.sets;
        while sets.next().is_some() {}
        octets.len() - sets.0.len() + 1
    }
}

/// Writes an entry.
pub(super) fn write_entry<'s>(relative: &[u8], children: u32, sets: impl Iterator<Item = EncodedSet<'s>>) -> Vec<u8> {
    let mut entry = Vec::new();
    append_entry(&mut entry, relative, children, sets);
    entry
}

/// Writes an entry behind what is there.
pub(super) fn append_entry<'s>(
    octets: &mut Vec<u8>,
    relative: &[u8],
    children: u32,
    sets: impl Iterator<Item = EncodedSet<'s>>,
) {
    let start = octets.len();
    let flags = if children > 0 { HAS_CHILDREN } else { 0 };
    // A name has 255 octets at most.
    octets.extend_from_slice(&[flags, relative.len() as u8]);
    octets.extend_from_slice(relative);
    if children > 0 {
        octets.extend_from_slice(&children.to_le_bytes());
    }
    for set in sets {
        match set.rtype() {
            RecordType::NS => octets[start] |= HAS_NS,
            RecordType::DNAME => octets[start] |= HAS_DNAME,
            _ => {}
        }
        octets.extend_from_slice(set.octets);
    }
    octets.push(END);
}

/// Record sets, one after the other.
#[derive(Clone, Copy, Debug)]
pub struct EncodedSets<'z>(&'z [u8]);

impl EncodedSets<'_> {
    /// None at all.
    pub const NONE: Self = Self(&[]);
}

impl<'z> Iterator for EncodedSets<'z> {
    type Item = EncodedSet<'z>;

    #[inline]
    fn next(&mut self) -> Option<EncodedSet<'z>> {
        let (set, rest) = EncodedSet::read(self.0)?;
        self.0 = rest;
        Some(set)
    }
}

/// A record set as octets.
#[derive(Clone, Copy, Debug)]
pub struct EncodedSet<'z> {
    octets: &'z [u8],
    flags: u8,
    count: u16,
    spelled: &'z [u8],
    body: &'z [u8],
}

impl<'z> EncodedSet<'z> {
    /// Reads the set at the front of `octets`; the second part is what follows it.
    #[inline]
    pub(super) fn read(octets: &'z [u8]) -> Option<(Self, &'z [u8])> {
        let (&[flags, c1, c2, l1, l2], mut rest) = octets.split_first_chunk()?;
        if flags == END {
            return None;
        }
        let mut spelled = &[][..];
        if flags & IS_SPELLED != 0 {
            let (&length, after) = rest.split_first()?;
            (spelled, rest) = after.split_at_checked(usize::from(length))?;
        }
        let (body, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes([l1, l2])))?;
        let octets = octets.get(..octets.len() - rest.len())?;
        Some((Self { octets, flags, count: u16::from_le_bytes([c1, c2]), spelled, body }, rest))
    }

    /// The type.
    #[inline]
    #[must_use]
    pub fn rtype(&self) -> RecordType {
        RecordType(self.body.get(2..).and_then(<[u8]>::first_chunk).map_or(0, |octets| u16::from_be_bytes(*octets)))
    }

    /// The time to live, in seconds.
    #[must_use]
    pub fn ttl(&self) -> u32 {
        self.body.get(6..).and_then(<[u8]>::first_chunk).map_or(0, |octets| u32::from_be_bytes(*octets))
    }

    /// The type that an RRSIG set covers, 0 for every other set.
    pub(super) fn covered(&self) -> RecordType {
        let data = self.data().next().filter(|_| self.rtype() == RecordType::RRSIG);
        RecordType(data.and_then(<[u8]>::first_chunk).map_or(0, |octets| u16::from_be_bytes(*octets)))
    }

    /// How many records there are.
    #[inline]
    #[must_use]
    pub const fn count(&self) -> u16 {
        self.count
    }

    /// Whether names in the data are to be compressed (RFC 3597 §4).
    #[inline]
    #[must_use]
    pub const fn is_compressible(&self) -> bool {
        self.flags & IS_COMPRESSIBLE != 0
    }

    /// The owner as spelled, which is `lower` but for the case of its letters.
    #[inline]
    #[must_use]
    pub const fn owner<'n>(&self, lower: &'n [u8]) -> &'n [u8]
    where
        'z: 'n,
    {
        if self.spelled.is_empty() { lower } else { self.spelled }
    }

    /// All records, as they stand in a message that asks for their owner.
    #[inline]
    #[must_use]
    pub const fn body(&self) -> &'z [u8] {
        self.body
    }

    /// The data of each record.
    pub fn data(&self) -> impl Iterator<Item = &'z [u8]> + use<'z> {
        let mut rest = self.body;
        std::iter::from_fn(move || {
            let (head, after) = rest.split_first_chunk::<RECORD_HEAD_LENGTH>()?;
            let (data, after) = after.split_at_checked(usize::from(u16::from_be_bytes([head[10], head[11]])))?;
            rest = after;
            Some(data)
        })
    }

    /// The record set that this is, of the owner `lower`.
    pub(super) fn decode(&self, lower: &[u8]) -> Option<RecordSet> {
        let owner = Name::from_wire(self.owner(lower)).ok()?;
        let records = self.data().map(|data| RecordData::from_wire(self.rtype(), data).ok());
        RecordSet::new(owner, self.rtype(), self.ttl(), records.collect::<Option<_>>()?).ok()
    }
}

/// Encodes a record set. Its records take at most [`zone_model::RECORD_SET_SIZE_MAX`] octets, which 16 bits can count.
pub(super) fn encode(set: &RecordSet) -> Vec<u8> {
    let mut octets = Vec::new();
    append_encoded(&mut octets, set);
    octets
}

/// Encodes a record set behind what is there.
pub(super) fn append_encoded(octets: &mut Vec<u8>, set: &RecordSet) {
    let has_names = |data: &RecordData| EmbeddedName::all_in(set.rtype(), data.as_wire()).any(|name| name.compressible);
    let mut flags = if set.records().iter().any(has_names) { IS_COMPRESSIBLE } else { 0 };
    let spelled = set.owner().as_wire();
    let is_spelled = spelled.iter().any(u8::is_ascii_uppercase);
    if is_spelled {
        flags |= IS_SPELLED;
    }
    let length: usize = set.records().iter().map(|data| RECORD_HEAD_LENGTH + data.as_wire().len()).sum();
    octets.reserve(6 + spelled.len() + length);
    octets.push(flags);
    octets.extend_from_slice(&(set.records().len() as u16).to_le_bytes());
    octets.extend_from_slice(&(length as u16).to_le_bytes());
    if is_spelled {
        octets.push(spelled.len() as u8);
        octets.extend_from_slice(spelled);
    }
    for data in set.records() {
        octets.extend_from_slice(&[0xc0, 0x0c]);
        octets.extend_from_slice(&set.rtype().0.to_be_bytes());
        octets.extend_from_slice(&CLASS_IN.to_be_bytes());
        octets.extend_from_slice(&set.ttl().to_be_bytes());
        octets.extend_from_slice(&(data.as_wire().len() as u16).to_be_bytes());
        octets.extend_from_slice(data.as_wire());
    }
}
