//! Retirement: how far a group's floor may rise, and which versions nobody sees from there on.

use crate::rings::RingName;
use std::collections::{BTreeMap, BTreeSet};
use zone_model::Generation;

/// What decides how far a group's floor may rise, read in one snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Retirement {
    /// The oldest generation that can be read.
    pub floor: Generation,
    /// The oldest of the newest generations that are kept in any case; none while there are not so many. Counted in
    /// generations of this group, of which some numbers may be skipped.
    pub oldest_kept: Option<Generation>,
    /// The head of every ring that has not ended; none where a ring has not moved yet.
    pub heads: BTreeMap<RingName, Option<Generation>>,
    /// The generations that people hold on to.
    pub pins: BTreeSet<Generation>,
}

/// Where a floor may be.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Floor {
    /// The generation; never below the floor that was.
    pub at: Generation,
    /// What holds it below the generations that are kept in any case, if something does.
    pub held_by: Option<Holder>,
}

/// What holds a floor.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Holder {
    /// A ring whose head this is.
    Head(Generation, RingName),
    /// A pin of this generation.
    Pin(Generation),
    /// A ring without a head: where it begins is not known yet.
    NoHead(RingName),
}

impl Holder {
    /// The greatest floor that it allows, if any above the present one.
    const fn limit(&self) -> Option<Generation> {
        match self {
            Self::Head(generation, _) | Self::Pin(generation) => Some(*generation),
            Self::NoHead(_) => None,
        }
    }
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Head(generation, ring) => write!(f, "ring {ring}, whose head is {generation}"),
            Self::Pin(generation) => write!(f, "a pin of generation {generation}"),
            Self::NoHead(ring) => write!(f, "ring {ring}, which has no head yet"),
        }
    }
}

impl Retirement {
    /// Where the floor may be: below no pin, no head and none of the generations that are kept, and never below where it
    /// was.
    #[must_use]
    pub fn floor(&self) -> Floor {
        let Some(kept) = self.oldest_kept.filter(|kept| *kept > self.floor) else {
            return Floor { at: self.floor, held_by: None };
        };
        let heads = self.heads.iter().map(|(ring, head)| match head {
            Some(generation) => Holder::Head(*generation, ring.clone()),
            None => Holder::NoHead(ring.clone()),
        });
        let holders = heads.chain(self.pins.iter().copied().map(Holder::Pin));
        let held_by = holders.filter(|holder| holder.limit().is_none_or(|limit| limit < kept));
        // A ring without a head has no limit, which is the least of all.
        let held_by = held_by.min_by_key(Holder::limit);
        let at = held_by.as_ref().map_or(kept, |holder| holder.limit().unwrap_or(self.floor));
        Floor { at: at.max(self.floor), held_by }
    }
}

/// A version of one key: what one generation made of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyVersion {
    /// The generation.
    pub generation: Generation,
    /// It says that nothing stands any more.
    pub gone: bool,
}

/// Which of a key's versions may be deleted, because from the floor on the same is seen without them: all that are older
/// than the newest one at or below the floor; and that one too if it says "gone", unless it has to say so `for_ever` (the
/// SOA of a zone that ended does: a zone ends by a fact, not by a row that is missing).
///
/// They may go all at once or the oldest first. A tombstone that goes before what it ended brings it back.
#[must_use]
pub fn obsolete(versions: &BTreeSet<KeyVersion>, floor: Generation, for_ever: bool) -> BTreeSet<KeyVersion> {
    // At the first floor nothing was retired ever, and a plan that was made on nothing still counts on it.
    if floor == Generation::FIRST {
        return BTreeSet::new();
    }
    let below: BTreeSet<KeyVersion> = versions.iter().copied().filter(|version| version.generation <= floor).collect();
    let seen = below.last().copied().filter(|newest| !newest.gone || for_ever);
    below.into_iter().filter(|version| Some(*version) != seen).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn at(number: i64) -> Generation {
        Generation::new(number).unwrap()
    }

    fn ring(name: &str) -> RingName {
        RingName::parse(name).unwrap()
    }

    fn retirement(heads: &[(&str, Option<i64>)], pins: &[i64]) -> Floor {
        let heads = heads.iter().map(|(name, head)| (ring(name), head.map(at))).collect();
        let pins = pins.iter().copied().map(at).collect();
        Retirement { floor: at(10), oldest_kept: Some(at(90)), heads, pins }.floor()
    }

    #[test]
    fn what_is_kept_is_kept() {
        assert_eq!(retirement(&[("fleet", Some(100))], &[]), Floor { at: at(90), held_by: None });
        let few = Retirement { floor: at(1), oldest_kept: None, heads: BTreeMap::new(), pins: BTreeSet::new() };
        assert_eq!(few.floor(), Floor { at: at(1), held_by: None });
    }

    #[test]
    fn heads_and_pins_hold_the_floor() {
        let held = |at_number, holder| Floor { at: at(at_number), held_by: Some(holder) };
        let delayed = Holder::Head(at(50), ring("delayed"));
        assert_eq!(retirement(&[("fleet", Some(100)), ("delayed", Some(50))], &[95]), held(50, delayed));
        assert_eq!(retirement(&[("fleet", Some(100))], &[95, 60]), held(60, Holder::Pin(at(60))));
        assert_eq!(retirement(&[("fleet", Some(90))], &[90]), Floor { at: at(90), held_by: None });
    }

    #[test]
    fn a_ring_that_may_begin_anywhere_holds_the_floor_where_it_is() {
        let held = Floor { at: at(10), held_by: Some(Holder::NoHead(ring("new"))) };
        assert_eq!(retirement(&[("fleet", Some(100)), ("new", None)], &[20]), held);
    }

    #[test]
    fn a_floor_never_falls() {
        // A restored database may hold such a pin; nothing is done about it here.
        assert_eq!(retirement(&[("fleet", Some(5))], &[]).at, at(10));
    }

    fn versions(all: &[(i64, bool)]) -> BTreeSet<KeyVersion> {
        all.iter().map(|(number, gone)| KeyVersion { generation: at(*number), gone: *gone }).collect()
    }

    #[test]
    fn what_is_seen_from_the_floor_on_stays() {
        let history = [(2, false), (4, false), (6, true), (8, false)];
        let going = |floor| obsolete(&versions(&history), at(floor), false);
        assert_eq!(going(1), versions(&[]));
        assert_eq!(going(3), versions(&[]));
        assert_eq!(going(5), versions(&history[..1]));
        assert_eq!(going(6), versions(&history[..3]), "the tombstone goes with what it ended");
        assert_eq!(going(9), versions(&history[..3]));
        assert_eq!(obsolete(&versions(&history), at(7), true), versions(&history[..2]), "some tombstones stay");
    }
}
