//! Generations, their ids, and how one follows another.

use crate::digest::Digest;
use std::fmt;

/// A plan's place in its group's history. Starts at 1, rises by one (only raising the epoch skips numbers), and
/// fits the database's signed 64 bits. Never the SOA serial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation(i64);

/// How many generations an epoch has room for: `epoch = generation div GENERATIONS_PER_EPOCH`.
pub const GENERATIONS_PER_EPOCH: i64 = 1_000_000_000;

impl Generation {
    /// The first generation of a group.
    pub const FIRST: Self = Self(1);

    /// A number from outside; none below 1.
    #[must_use]
    pub const fn new(number: i64) -> Option<Self> {
        if number >= 1 { Some(Self(number)) } else { None }
    }

    /// The number, at least 1.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The generation that a plan admitted on this one makes; none when the numbers are used up.
    #[must_use]
    pub const fn next(self) -> Option<Self> {
        match self.0.checked_add(1) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// The first generation of the epoch after this one's; none when the numbers are used up.
    #[must_use]
    pub const fn first_of_next_epoch(self) -> Option<Self> {
        match (self.epoch() + 1).checked_mul(GENERATIONS_PER_EPOCH) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// The epoch that this generation belongs to.
    #[must_use]
    pub const fn epoch(self) -> i64 {
        self.0 / GENERATIONS_PER_EPOCH
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The generation that a plan's author had read when they made it: 0 for a group that did not exist yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Base(i64);

impl Base {
    /// The base of the first plan of a group.
    pub const NOTHING: Self = Self(0);

    /// A number from outside; none below 0.
    #[must_use]
    pub const fn new(number: i64) -> Option<Self> {
        if number >= 0 { Some(Self(number)) } else { None }
    }

    /// The number, at least 0.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The generation meant, if any.
    #[must_use]
    pub const fn generation(self) -> Option<Generation> {
        Generation::new(self.0)
    }
}

impl From<Generation> for Base {
    fn from(generation: Generation) -> Self {
        Self(generation.0)
    }
}

impl fmt::Display for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a generation *is*: BLAKE3 of its parent's id, its number and its digest. Equal numbers with unlike ids are a
/// fork.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Id([u8; 32]);

impl Id {
    /// The id that stands for "no generation yet", the parent of a group's first generation.
    pub const GENESIS: Self = Self([0; 32]);

    /// The id of `generation` with contents of `digest`, that follows the generation with the id `parent`.
    #[must_use]
    pub fn of(parent: &Self, generation: Generation, digest: &Digest) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("holdfast 2026 generation id");
        hasher.update(&parent.0);
        hasher.update(&generation.0.to_be_bytes());
        hasher.update(digest.as_bytes());
        Self(*hasher.finalize().as_bytes())
    }

    /// An id as stored; none unless 32 bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Reads 64 hex digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        Some(Self(bytes))
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", &hex::encode(&self.0[..6]))
    }
}

/// A generation and its id: what a head is at, what a server holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Version {
    /// The number.
    pub generation: Generation,
    /// What it is.
    pub id: Id,
}

/// How what is offered relates to what is in force. Used by the enactor and by the server alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Succession {
    /// A greater number, or anything where nothing was.
    Newer,
    /// The same number and the same id.
    Same,
    /// A smaller number.
    Older,
    /// The same number with another id.
    Fork,
}

/// Compares what is offered with what is in force.
#[must_use]
pub fn succession(in_force: Option<Version>, offered: Version) -> Succession {
    match in_force {
        None => Succession::Newer,
        Some(held) if offered.generation > held.generation => Succession::Newer,
        Some(held) if offered.generation < held.generation => Succession::Older,
        Some(held) if offered.id == held.id => Succession::Same,
        Some(_) => Succession::Fork,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(number: i64, seed: u8) -> Version {
        Version { generation: Generation::new(number).unwrap(), id: Id([seed; 32]) }
    }

    #[test]
    fn an_offer_is_judged_by_number_then_by_id() {
        assert_eq!(succession(None, version(1, 1)), Succession::Newer);
        assert_eq!(succession(Some(version(2, 1)), version(3, 9)), Succession::Newer);
        assert_eq!(succession(Some(version(2, 1)), version(2, 1)), Succession::Same);
        assert_eq!(succession(Some(version(2, 1)), version(2, 2)), Succession::Fork);
        assert_eq!(succession(Some(version(2, 1)), version(1, 1)), Succession::Older);
    }

    #[test]
    fn an_id_depends_on_parent_number_and_digest() {
        let digest = Digest::EMPTY;
        let one = Id::of(&Id::GENESIS, Generation::FIRST, &digest);
        assert_ne!(one, Id::of(&one, Generation::FIRST, &digest));
        assert_ne!(one, Id::of(&Id::GENESIS, Generation::new(2).unwrap(), &digest));
        assert_eq!(Id::parse(&one.to_string()), Some(one));
    }

    #[test]
    fn numbers_below_the_first_do_not_exist() {
        assert_eq!(Generation::new(0), None);
        assert_eq!(Base::new(-1), None);
        assert_eq!(Base::NOTHING.generation(), None);
        assert_eq!(Generation::new(3_000_000_001).unwrap().epoch(), 3);
        assert_eq!(Generation::new(3_000_000_001).unwrap().first_of_next_epoch(), Generation::new(4_000_000_000));
        assert_eq!(Generation::new(i64::MAX).unwrap().first_of_next_epoch(), None);
    }
}
