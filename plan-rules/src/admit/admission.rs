//! What becomes of a plan that is let in.

use crate::history::{News, Tip};
use std::collections::{BTreeMap, BTreeSet};
use zone_model::{Base, Content, Digest, Id, Key, Name, PlanKind, Version};

/// What becomes of a plan that is not refused.
#[derive(Clone, Debug)]
pub enum Decision {
    /// It makes a generation, if nobody took the number meanwhile.
    Admit(Box<Admission>),
    /// All is already as wished at the tip: no generation.
    NoOp {
        /// The tip.
        tip: Tip,
        /// Deletes of what was not there.
        absent: u32,
    },
}

/// A plan that may be written as the generation after the tip it was judged on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admission {
    /// The generation that it makes, and its id.
    pub version: Version,
    /// The id of the generation that it follows, [`Id::GENESIS`] for a group's first. A number alone does not tell what
    /// was decided on: a database that was restored meanwhile may have come to the same number anew.
    pub parent: Id,
    /// The digest of all that stands then.
    pub digest: Digest,
    /// What the plan adds to the digest, on whatever tip it lands.
    pub digest_delta: Digest,
    /// The digest of all that is answered then: record sets alone.
    pub answers: Digest,
    /// What the plan adds to that, on whatever tip it lands.
    pub answers_delta: Digest,
    /// How many record sets planners have deleted in this group's history, this plan included.
    pub deletes_spent: u64,
    /// The kind of plan.
    pub kind: PlanKind,
    /// The base, from the plan.
    pub base: Base,
    /// Whether it lands on a tip above its base.
    pub rebased: bool,
    /// What changes, in order of zone and key; at least one. A [`Key::Setting`] stands under the root's name.
    pub changes: Vec<Change>,
    /// How many record sets change in which way.
    pub counts: Counts,
    /// How many record sets stand afterwards in each zone that changes.
    pub record_sets: BTreeMap<Name, RecordSets>,
    /// What the decision leaned on besides the names it changes, and may not change after the plan's base.
    pub reads: Vec<(Name, Option<Name>)>,
    /// Zones that this plan begins.
    pub begins: Vec<Name>,
    pub(super) leaned: Leaned,
    pub(super) own_deletes_spent: u64,
}

/// What the decision was made on beyond the plan's footprint: the tip's, not the base's. Whoever writes on another tip
/// asks whether it is still so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Leaned {
    /// A serial was compared with the tip's.
    pub(super) on_a_serial: bool,
    /// Names (zone, owner) that were looked up, because something will point there.
    pub(super) names: BTreeSet<(Name, Name)>,
    /// Names that go, and nothing that stays points there.
    pub(super) gone: BTreeSet<Name>,
}

impl Leaned {
    /// Whether nothing of it has changed since.
    pub(super) fn stands(&self, news: &News) -> bool {
        if self.names.is_empty() && self.gone.is_empty() {
            return true;
        }
        // Too much is new to be looked through.
        let Some(meanwhile) = &news.meanwhile else { return false };
        meanwhile.iter().all(|new| {
            !self.names.contains(&(new.zone.clone(), new.name.clone()))
                && !new.points_to.iter().any(|target| self.gone.contains(target))
        })
    }
}

/// How many record sets stand in a zone after a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordSets {
    /// How many; none when the plan lands on another tip than it was judged on.
    pub after: Option<u64>,
    /// By how many that is more than before, or fewer, below 0.
    pub growth: i64,
}

/// One row of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The zone; the root for a setting of the group.
    pub zone: Name,
    /// What changes.
    pub key: Key,
    /// What stands from now on; none for gone.
    pub content: Option<Content>,
}

/// How many record sets a plan changes in which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Were not there.
    pub added: u32,
    /// Were otherwise.
    pub replaced: u32,
    /// Are gone.
    pub deleted: u32,
    /// Deletes of what was not there.
    pub absent: u32,
}

/// Changes while they are gathered.
#[derive(Default)]
pub(super) struct ChangeSum {
    pub(super) changes: Vec<Change>,
    pub(super) counts: Counts,
    pub(super) of_zones: BTreeMap<Name, Counts>,
    pub(super) digest_delta: Digest,
    pub(super) answers_delta: Digest,
    pub(super) sets_serial_by_edit: bool,
}

impl ChangeSum {
    /// Something else stands under `key` from now on.
    pub(super) fn change(&mut self, zone: &Name, key: Key, before: Option<&Content>, after: Option<Content>) {
        let mut delta = Digest::EMPTY;
        if let Some(before) = before {
            delta = delta.minus(key.digest(zone, before));
        }
        if let Some(after) = &after {
            delta = delta.plus(key.digest(zone, after));
        }
        self.digest_delta = self.digest_delta.plus(delta);
        if let Key::Records(_) = &key {
            self.answers_delta = self.answers_delta.plus(delta);
            let was_one = |content: Option<&Content>| u32::from(content.is_some());
            let counts = match (was_one(before), was_one(after.as_ref())) {
                (0, _) => Counts { added: 1, ..Counts::default() },
                (_, 0) => Counts { deleted: 1, ..Counts::default() },
                _ => Counts { replaced: 1, ..Counts::default() },
            };
            self.counts.add(counts);
            self.of_zones.entry(zone.clone()).or_default().add(counts);
        } else if !matches!(key, Key::Setting(_)) {
            self.of_zones.entry(zone.clone()).or_default();
        }
        self.changes.push(Change { zone: zone.clone(), key, content: after });
    }
}

impl Counts {
    fn add(&mut self, other: Self) {
        self.added += other.added;
        self.replaced += other.replaced;
        self.deleted += other.deleted;
        self.absent += other.absent;
    }

    /// How many more record sets there are afterwards; below 0, how many fewer.
    #[must_use]
    pub fn growth(self) -> i64 {
        i64::from(self.added) - i64::from(self.deleted)
    }
}
