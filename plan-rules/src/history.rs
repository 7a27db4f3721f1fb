//! What a decision is made on: the part of a group's history that a plan touches, read in one snapshot.

use crate::admit::Admission;
use std::collections::{BTreeMap, BTreeSet};
use zone_model::{
    Content, Digest, Generation, GroupName, Id, Key, Name, Plan, RecordSet, RecordType, Serial, SetKey, Version,
    ZoneChange,
};

/// The newest generation of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tip {
    /// Its number and id.
    pub version: Version,
    /// The digest of all that stands at it.
    pub digest: Digest,
}

/// A group's history, as far as a plan has to do with it.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// The tip; none for a group that does not exist yet.
    pub tip: Option<Tip>,
    /// The id of the plan's base; none when the base is 0, or no generation of the group has its number.
    pub base_id: Option<Id>,
    /// Every zone that the plan changes or reads.
    pub zones: BTreeMap<Name, ZoneHistory>,
}

impl History {
    /// The history after `admission`, so that another plan can be judged on it before either is written. Whoever writes
    /// them writes both, or none.
    pub fn admitted(&mut self, admission: &Admission) {
        let generation = admission.version.generation;
        self.tip = Some(Tip { version: admission.version, digest: admission.digest });
        for change in &admission.changes {
            if let Some(of_zone) = self.zones.get_mut(&change.zone) {
                of_zone.owner = ZoneOwner::ThisGroup;
                of_zone.touched = Some(generation);
                of_zone.stands(&change.key, change.content.as_ref(), generation);
            }
        }
    }
}

/// Whose a zone is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ZoneOwner {
    /// Nobody's: no plan has begun it.
    #[default]
    Nobody,
    /// The plan's group's.
    ThisGroup,
    /// Another group's, for ever.
    Another(GroupName),
}

/// A zone's history within the plan's footprint.
#[derive(Clone, Debug, Default)]
pub struct ZoneHistory {
    /// Whose the zone is.
    pub owner: ZoneOwner,
    /// The newest version of every record set that ever stood within the footprint.
    pub sets: BTreeMap<SetKey, Standing>,
    /// The newest version of every guard that ever stood within the footprint: the fewest records, or none when it ended.
    pub guarded: BTreeMap<SetKey, (Option<u16>, Generation)>,
    /// The serial that was last set, and in which generation. Read when the plan gives one.
    pub serial: Option<(Serial, Generation)>,
    /// The generation that last changed the zone, where the plan gives a serial or replaces the zone; elsewhere any that
    /// changed it.
    pub touched: Option<Generation>,
}

/// The newest version of a record set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The generation that made it so.
    pub generation: Generation,
    /// The record set; none when it is gone.
    pub set: Option<RecordSet>,
}

impl ZoneHistory {
    /// The record sets that stand at `owner`.
    pub fn standing_at<'a>(&'a self, owner: &Name) -> impl Iterator<Item = (&'a SetKey, &'a RecordSet)> {
        self.changed_at(owner).filter_map(|(key, standing)| Some((key, standing.set.as_ref()?)))
    }

    /// The newest version of every record set that ever stood at `owner`.
    pub fn changed_at<'a>(&'a self, owner: &Name) -> impl Iterator<Item = (&'a SetKey, &'a Standing)> {
        let owner = owner.to_lowercase();
        let first = SetKey::new(&owner, RecordType(0));
        self.sets.range(first..).take_while(move |(key, _)| *key.owner() == owner)
    }

    /// Takes in that `content` has stood under `key`, or has been gone, since `generation`, which is newer than all that
    /// is known of the key.
    pub fn stands(&mut self, key: &Key, content: Option<&Content>, generation: Generation) {
        match (key, content) {
            (Key::Records(key), Some(Content::Records(set))) => {
                self.sets.insert(key.clone(), Standing { generation, set: Some(set.clone()) });
            }
            (Key::Records(key), _) => {
                self.sets.insert(key.clone(), Standing { generation, set: None });
            }
            (Key::Serial, Some(Content::Serial(serial))) => self.serial = Some((*serial, generation)),
            (Key::Serial, _) => self.serial = None,
            (Key::Guarded(key), content) => {
                let minimum = match content {
                    Some(Content::Minimum(minimum)) => Some(*minimum),
                    _ => None,
                };
                self.guarded.insert(key.clone(), (minimum, generation));
            }
            // A setting is the group's, and stands in no zone.
            (Key::Setting(_), _) => {}
        }
    }

    /// The serial that the zone has at the tip: the one last set, and one more for each generation up to the one that
    /// last changed the zone (the group's numbers count, so a zone's serial may jump, and never stands still).
    #[must_use]
    pub fn serial_at_tip(&self) -> Option<Serial> {
        let touched = self.touched?.get();
        let (serial, set_in) = self.serial.map_or((Serial(0), 0), |(serial, generation)| (serial, generation.get()));
        // Serials live modulo 2^32 (RFC 1982), so the low half of the distance is all of it.
        Some(serial.plus((touched.wrapping_sub(set_in) & i64::from(u32::MAX)) as u32))
    }
}

/// What of a zone a decision depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Footprint {
    /// All of it.
    WholeZone,
    /// These owners, in lower case.
    Names(BTreeSet<Name>),
}

/// What the plan changes and what it lists as `reads`, by zone.
#[must_use]
pub fn footprint(plan: &Plan) -> BTreeMap<Name, Footprint> {
    let mut all = BTreeMap::new();
    for (zone, change) in &plan.zones {
        let of_zone = match change {
            ZoneChange::Edit(edit) => Footprint::Names(edit.owners()),
            ZoneChange::Replace(_) | ZoneChange::End => Footprint::WholeZone,
        };
        all.insert(zone.clone(), of_zone);
    }
    for (zone, owner) in &plan.reads {
        if let Footprint::Names(names) = all.entry(zone.clone()).or_insert_with(|| Footprint::Names(BTreeSet::new())) {
            names.insert(owner.to_lowercase());
        }
    }
    all
}

/// What happened since a decision was made: the tip now, and what changed within the plan's footprint meanwhile.
#[derive(Clone, Debug)]
pub struct News {
    /// The tip now.
    pub tip: Tip,
    /// Names (zone, owner) within the footprint that changed after the tip of the decision, and in which generation.
    pub changed: Vec<(Name, Name, Generation)>,
}
