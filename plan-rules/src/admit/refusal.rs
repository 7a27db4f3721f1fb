//! Why a plan is not let in.

use crate::author::Forbidden;
use zone_model::{Generation, Guard, Name, Version, Violation};

/// How many conflicts a refusal lists; a stale replacement of a large zone could have a million.
pub const CONFLICTS_LISTED_MAX: usize = 100;
/// How many objections of guards a refusal lists.
pub const OBJECTIONS_LISTED_MAX: usize = 100;

/// A name in the plan's footprint that changed after its base.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The zone; the root for the group's settings.
    pub zone: Name,
    /// The owner.
    pub name: Name,
    /// The newest generation that changed it.
    pub changed_in: Generation,
}

/// What a guard has against a plan's result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objection {
    /// The guard.
    pub guard: Guard,
    /// What it allows.
    pub limit: u64,
    /// What the plan comes to.
    pub actual: u64,
    /// The zone, where it is about one.
    pub zone: Option<Name>,
    /// The name, where it is about one.
    pub name: Option<Name>,
    /// What is wrong, and what to do, in a sentence.
    pub message: String,
}

/// Why a plan is not admitted. Nothing was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The author may not do this.
    Forbidden(Forbidden),
    /// The base is above the tip, below the floor, of another line of history, or of an older epoch without an id to
    /// prove it.
    UnknownBase {
        /// The tip; none for a group that does not exist.
        tip: Option<Version>,
        /// What is wrong with the base.
        why: String,
    },
    /// A rollback goes back to what is below the floor: only what was superseded later is left of that.
    Retired {
        /// Where it goes back to.
        generation: Generation,
        /// The floor.
        floor: Generation,
    },
    /// Something in the footprint changed after the base; or the plan insists on a tip that is no longer.
    StaleBase {
        /// The tip.
        tip: Version,
        /// What changed, at most [`CONFLICTS_LISTED_MAX`]; empty when the plan insisted on its base or tip.
        conflicts: Vec<Conflict>,
        /// How many there are in all.
        conflict_count: usize,
    },
    /// The result would not be valid.
    Invalid(Vec<Violation>),
    /// Guards object, each in an objection of its own; at least one, at most [`OBJECTIONS_LISTED_MAX`].
    Guarded(Vec<Objection>),
    /// No generation number is left.
    HistoryFull,
}

impl From<Forbidden> for Refusal {
    fn from(forbidden: Forbidden) -> Self {
        Self::Forbidden(forbidden)
    }
}
