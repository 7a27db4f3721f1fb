//! Whether what the history offers may be installed. Pure decisions; whoever fetches and swaps asks here.

use crate::snapshot::{GroupNumber, ZoneError};
use std::sync::Arc;
use zone_model::{Digest, Id, Name, RecordType, Succession, Version, succession};

/// The generation in force of one group in this server's ring, as the history says.
#[derive(Clone, Debug)]
pub struct Head {
    /// The group.
    pub group: GroupNumber,
    /// The group's name.
    pub name: Arc<str>,
    /// The generation, and what it is.
    pub version: Version,
    /// The sum over the content at that generation.
    pub digest: Digest,
    /// The id of the generation before, [`Id::GENESIS`] before the first.
    pub parent: Id,
}

/// What to do about a head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Fetch, check, and swap in.
    Install(Load),
    /// It is what is held already.
    Keep,
    /// Go on serving what is held, and raise the alarm.
    Refuse(Refusal),
}

/// How much is fetched for an install, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Load {
    /// What changed since what is held; everything, where nothing is held.
    Increment,
    /// Everything, because an increment did not fit what is held.
    Drifted,
    /// Everything, because what led here from what is held can no longer be read in this history.
    BelowFloor,
    /// Everything, because somebody raised the epoch: an operator's word that this history goes on, whatever was held.
    Raised,
}

/// What the history knows of the generation that is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// It has a generation of this number, with this id.
    As(Id),
    /// It has none of this number, and never had one.
    Nothing,
    /// It has none of this number any more: the number is below the floor, where generations are retired in the end.
    Forgotten,
}

/// Why a head is not installed. What is held stays in force.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A head never moves backwards; if this one seems to, the database went back in time.
    #[error("the history offers generation {offered}, which is older than the {held} that is held")]
    Older {
        /// The generation held.
        held: i64,
        /// The generation offered.
        offered: i64,
    },
    /// The same number, but not the same thing.
    #[error("generation {generation} is {offered} in the history, and {held} here: a fork")]
    Fork {
        /// The generation.
        generation: i64,
        /// The id held.
        held: Id,
        /// The id offered.
        offered: Id,
    },
    /// The history does not know what is held, so it is another history, whatever its numbers are.
    #[error("the history does not know generation {} with id {}, which is held: a fork", held.generation, held.id)]
    UnknownHistory {
        /// What is held.
        held: Version,
    },
    /// The content does not add up to the head's digest, not even when fetched in full.
    #[error("the content adds up to {computed}, and the head says {expected}")]
    WrongDigest {
        /// The digest in the head.
        expected: Digest,
        /// The digest of what was fetched.
        computed: Digest,
    },
    /// The id is not that of this generation with this digest after its parent.
    #[error("the id should be {computed}, and the head says {expected}")]
    WrongId {
        /// The id in the head.
        expected: Id,
        /// The id of what was fetched.
        computed: Id,
    },
    /// A head that Holdfast never wrote.
    #[error("the head cannot be read: {0}")]
    DamagedHead(String),
    /// A row that Holdfast never wrote.
    #[error("zone {zone}, owner `{owner}`, type {rtype} (covering {covered}), plan {plan}: {why}")]
    PoisonedRow {
        /// The zone.
        zone: Name,
        /// The owner column.
        owner: String,
        /// The type column.
        rtype: i32,
        /// The covered type column.
        covered: i32,
        /// The plan that the row belongs to.
        plan: i64,
        /// What is wrong with it.
        why: String,
    },
    /// A zone of the group is neither whole nor ended.
    #[error(transparent)]
    Zone(#[from] ZoneError),
    /// A zone that is held is not mentioned any more. An absent row never ends anything.
    #[error("zone {0} is held, and the history says nothing about it")]
    Vanished(Name),
    /// A guarded record set is absent or too small. The server looks by itself, whoever else has looked before.
    #[error("{name} {rtype} in zone {zone} is guarded: at least {minimum} records, and here are {records}")]
    Guarded {
        /// The zone.
        zone: Name,
        /// The guarded name.
        name: Name,
        /// The guarded type.
        rtype: RecordType,
        /// The fewest records that it may have.
        minimum: u16,
        /// How many it has.
        records: usize,
    },
    /// A guard that is held is not mentioned any more. An absent row never ends anything.
    #[error("{name} {rtype} in zone {zone} is guarded here, and the history does not say that the guard has ended")]
    GuardVanished {
        /// The zone.
        zone: Name,
        /// The guarded name.
        name: Name,
        /// The guarded type.
        rtype: RecordType,
    },
    /// The zone's name is in use by another group.
    #[error("zone {0} belongs to another group that is held")]
    ZoneOfAnotherGroup(Name),
}

impl Refusal {
    /// One word for metrics.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Older { .. } => "older",
            Self::Fork { .. } | Self::UnknownHistory { .. } => "fork",
            Self::WrongDigest { .. } => "wrong-digest",
            Self::WrongId { .. } => "wrong-id",
            Self::DamagedHead(_) => "damaged-head",
            Self::PoisonedRow { .. } => "poisoned-row",
            Self::Zone(_) => "broken-zone",
            Self::Vanished(_) => "vanished-zone",
            Self::Guarded { .. } => "guarded",
            Self::GuardVanished { .. } => "vanished-guard",
            Self::ZoneOfAnotherGroup(_) => "zone-of-another-group",
        }
    }
}

/// Decides about a head. `floor` is the oldest generation of the group that can still be read.
///
/// Comparing numbers is not enough:
///   1. the server holds generation 60 of a history;
///   2. the database is restored to generation 50, and goes on: its 51 to 61 are other things;
///   3. the head 61 is newer than 60, but its 60 is not the one held: an increment from there would mix two histories,
///      and a full load would take an answer back without anybody having asked for it.
///
/// Only a raised epoch ends that: a generation of a later epoch is made by an operator who was told of the fork.
#[must_use]
pub fn decide(held: Option<Version>, known: Known, floor: i64, offered: Version) -> Decision {
    let Some(held) = held else { return Decision::Install(Load::Increment) };
    match succession(Some(held), offered) {
        Succession::Same => Decision::Keep,
        Succession::Older => {
            Decision::Refuse(Refusal::Older { held: held.generation.get(), offered: offered.generation.get() })
        }
        Succession::Fork => {
            Decision::Refuse(Refusal::Fork { generation: held.generation.get(), held: held.id, offered: offered.id })
        }
        Succession::Newer => match known {
            Known::As(id) if id == held.id && held.generation.get() >= floor => Decision::Install(Load::Increment),
            Known::As(id) if id == held.id => Decision::Install(Load::BelowFloor),
            _ if offered.generation.epoch() > held.generation.epoch() => Decision::Install(Load::Raised),
            Known::Forgotten => Decision::Install(Load::BelowFloor),
            Known::As(_) | Known::Nothing => Decision::Refuse(Refusal::UnknownHistory { held }),
        },
    }
}

/// Checks that what was fetched is what the head names.
///
/// # Errors
/// The digest or the id is not the head's.
pub fn verify(head: &Head, computed: Digest) -> Result<(), Refusal> {
    if computed != head.digest {
        return Err(Refusal::WrongDigest { expected: head.digest, computed });
    }
    let id = Id::of(&head.parent, head.version.generation, &computed);
    if id != head.version.id {
        return Err(Refusal::WrongId { expected: head.version.id, computed: id });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use zone_model::Generation;

    fn version(number: i64, seed: u8) -> Version {
        Version { generation: Generation::new(number).unwrap(), id: Id::from_bytes(&[seed; 32]).unwrap() }
    }

    fn refusal(held: Version, known: Known, offered: Version) -> &'static str {
        match decide(Some(held), known, 1, offered) {
            Decision::Refuse(why) => why.as_str(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_newer_generation_of_the_known_history_is_installed() {
        let held = version(3, 3);
        let increment = Decision::Install(Load::Increment);
        assert_eq!(decide(None, Known::Nothing, 1, held), increment);
        assert_eq!(decide(Some(held), Known::As(held.id), 3, version(9, 9)), increment);
        assert_eq!(decide(Some(held), Known::As(held.id), 1, held), Decision::Keep);
        assert_eq!(decide(Some(held), Known::Nothing, 1, held), Decision::Keep);
    }

    #[test]
    fn below_the_floor_everything_is_loaded() {
        let held = version(3, 3);
        let in_full = Decision::Install(Load::BelowFloor);
        assert_eq!(decide(Some(held), Known::As(held.id), 4, version(9, 9)), in_full);
        assert_eq!(decide(Some(held), Known::Forgotten, 400_000, version(500_000, 9)), in_full);
        // A known number with another id is a fork, however old it is.
        assert_eq!(
            decide(Some(held), Known::As(version(3, 4).id), 4, version(9, 9)),
            Decision::Refuse(Refusal::UnknownHistory { held })
        );
    }

    #[test]
    fn an_older_generation_is_refused() {
        let held = version(3, 3);
        assert_eq!(refusal(held, Known::As(held.id), version(2, 2)), "older");
        assert_eq!(refusal(held, Known::Nothing, version(2, 2)), "older");
    }

    #[test]
    fn f07_a_fork_is_refused_at_the_same_number_and_above() {
        let (held, other) = (version(3, 3), version(3, 4));
        assert_eq!(refusal(held, Known::As(other.id), other), "fork");
        assert_eq!(refusal(held, Known::As(other.id), version(4, 5)), "fork");
        assert_eq!(refusal(held, Known::Nothing, version(4, 5)), "fork");
    }

    #[test]
    fn f08_a_raised_epoch_ends_a_fork_and_is_an_increment_where_there_is_none() {
        let (held, other) = (version(60, 3), version(60, 4));
        let raised = version(1_000_000_000, 5);
        for known in [Known::As(other.id), Known::Nothing, Known::Forgotten] {
            assert_eq!(decide(Some(held), known, 1, raised), Decision::Install(Load::Raised));
        }
        assert_eq!(decide(Some(held), Known::As(held.id), 1, raised), Decision::Install(Load::Increment));
        // Not within an epoch, however far ahead; nor back into an earlier one.
        assert_eq!(refusal(held, Known::Nothing, version(999_999_999, 5)), "fork");
        assert_eq!(refusal(raised, Known::Nothing, held), "older");
        assert_eq!(refusal(raised, Known::Nothing, version(1_000_000_009, 6)), "fork");
    }

    #[test]
    fn what_does_not_add_up_is_refused() {
        let digest = Digest::of(b"content");
        let generation = Generation::new(2).unwrap();
        let parent = version(1, 1).id;
        let id = Id::of(&parent, generation, &digest);
        let head =
            Head { group: GroupNumber(1), name: "example".into(), version: Version { generation, id }, digest, parent };
        assert_eq!(verify(&head, digest), Ok(()));
        assert_eq!(verify(&head, Digest::EMPTY).unwrap_err().as_str(), "wrong-digest");
        let forged = Head { parent: Id::GENESIS, ..head };
        assert_eq!(verify(&forged, digest).unwrap_err().as_str(), "wrong-id");
    }
}
