//! Whether what the history offers may be installed. Pure decisions; whoever fetches and swaps asks here.

use crate::snapshot::{GroupNumber, ZoneError};
use std::sync::Arc;
use zone_model::{Digest, Id, Name, Succession, Version, succession};

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
    /// Fetch what changed since what is held (everything, where nothing is), check it, and swap it in.
    Install,
    /// It is what is held already.
    Keep,
    /// Go on serving what is held, and raise the alarm.
    Refuse(Refusal),
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
            Self::ZoneOfAnotherGroup(_) => "zone-of-another-group",
        }
    }
}

/// Decides about a head. `known` is the id that the history has for the number that is held, if it has any.
///
/// Comparing numbers is not enough:
///   1. the server holds generation 60 of a history;
///   2. the database is restored to generation 50, and goes on: its 51 to 61 are other things;
///   3. the head 61 is newer than 60, but its 60 is not the one held: an increment from there would mix two histories,
///      and a full load would take an answer back without anybody having asked for it.
#[must_use]
pub fn decide(held: Option<Version>, known: Option<Id>, offered: Version) -> Decision {
    match (succession(held, offered), held) {
        (Succession::Same, _) => Decision::Keep,
        (Succession::Newer, Some(held)) if known != Some(held.id) => Decision::Refuse(Refusal::UnknownHistory { held }),
        (Succession::Newer, _) | (_, None) => Decision::Install,
        (Succession::Older, Some(held)) => {
            Decision::Refuse(Refusal::Older { held: held.generation.get(), offered: offered.generation.get() })
        }
        (Succession::Fork, Some(held)) => {
            Decision::Refuse(Refusal::Fork { generation: held.generation.get(), held: held.id, offered: offered.id })
        }
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

    fn refusal(held: Version, known: Option<Id>, offered: Version) -> &'static str {
        match decide(Some(held), known, offered) {
            Decision::Refuse(why) => why.as_str(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_newer_generation_of_the_known_history_is_installed() {
        let held = version(3, 3);
        assert_eq!(decide(None, None, held), Decision::Install);
        assert_eq!(decide(Some(held), Some(held.id), version(9, 9)), Decision::Install);
        assert_eq!(decide(Some(held), Some(held.id), held), Decision::Keep);
        assert_eq!(decide(Some(held), None, held), Decision::Keep);
    }

    #[test]
    fn an_older_generation_is_refused() {
        let held = version(3, 3);
        assert_eq!(refusal(held, Some(held.id), version(2, 2)), "older");
        assert_eq!(refusal(held, None, version(2, 2)), "older");
    }

    #[test]
    fn a_fork_is_refused_at_the_same_number_and_above() {
        let (held, other) = (version(3, 3), version(3, 4));
        assert_eq!(refusal(held, Some(other.id), other), "fork");
        assert_eq!(refusal(held, Some(other.id), version(4, 5)), "fork");
        assert_eq!(refusal(held, None, version(4, 5)), "fork");
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
