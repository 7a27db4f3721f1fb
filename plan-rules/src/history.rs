//! What a decision is made on: the part of a group's history that a plan touches, read in one snapshot.

use crate::admit::{Admission, Change};
use crate::leans::targets;
use std::collections::{BTreeMap, BTreeSet};
use zone_model::{
    Content, Digest, Generation, GroupName, Id, Key, Limit, Name, Plan, RecordSet, RecordType, Serial, SetKey, Setting,
    SettingValue, Version, ZoneChange,
};

/// The newest generation of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tip {
    /// Its number and id.
    pub version: Version,
    /// The digest of all that stands at it.
    pub digest: Digest,
    /// The digest of all that is answered at it: record sets alone.
    pub answers: Digest,
    /// How many record sets planners have deleted in this group's history.
    pub deletes_spent: u64,
}

/// A group's history, as far as a plan has to do with it.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// The tip; none for a group that does not exist yet.
    pub tip: Option<Tip>,
    /// The id of the plan's base; none when the base is 0, or no generation of the group has its number.
    pub base_id: Option<Id>,
    /// The oldest generation that can be read; none for a group that does not exist yet.
    pub floor: Option<Generation>,
    /// [`Tip::deletes_spent`] as it was an hour ago. Read for plans that delete.
    pub deletes_spent_before: u64,
    /// The newest version of every setting that was ever made; none for one that went back to its default.
    pub settings: BTreeMap<Setting, (Option<SettingValue>, Generation)>,
    /// Every zone that the plan changes or reads, and every other zone of the group in which something was looked up.
    pub zones: BTreeMap<Name, ZoneHistory>,
    /// For each target that was asked for by [`leans`](crate::leans): the group's zone that it is in, by its name; none for a
    /// target outside. The names on the way to it, see [`names_on_the_way`](crate::names_on_the_way), are in
    /// [`History::zones`].
    pub target_zones: BTreeMap<Name, Option<Name>>,
    /// For each name that was asked for by [`leans`](crate::leans): what stands at the tip and points to it.
    pub pointers: BTreeMap<Name, BTreeSet<Pointer>>,
    /// For each zone that was asked for by [`leans`](crate::leans): what other groups have around it.
    pub around: BTreeMap<Name, Around>,
}

/// A record set that points to a name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pointer {
    /// Its zone.
    pub zone: Name,
    /// The record set.
    pub key: SetKey,
}

/// What other groups have above and below a zone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Around {
    /// The zone that encloses it most closely, if that is another group's.
    pub above: Option<Above>,
    /// Names at or below it that other groups guard; a few are enough.
    pub guarded_below: Vec<Name>,
    /// Zones of other groups that it encloses most closely; a few are enough.
    pub zones_below: Vec<Name>,
}

/// A zone of another group, with this one below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Above {
    /// The zone.
    pub zone: Name,
    /// Whether it has NS at this one's name.
    pub delegates: bool,
}

impl History {
    /// The history after `admission`, so that another plan can be judged on it before either is written. Whoever writes
    /// them writes both, or none.
    pub fn admitted(&mut self, admission: &Admission) {
        let generation = admission.version.generation;
        self.tip = Some(Tip {
            version: admission.version,
            digest: admission.digest,
            answers: admission.answers,
            deletes_spent: admission.deletes_spent,
        });
        for (zone, record_sets) in &admission.record_sets {
            if let Some(of_zone) = self.zones.get_mut(zone) {
                let grown = of_zone.record_sets.saturating_add_signed(record_sets.growth);
                of_zone.record_sets = record_sets.after.unwrap_or(grown);
            }
        }
        for change in &admission.changes {
            if let Key::Setting(_) = &change.key {
                self.set(&change.key, change.content.as_ref(), generation);
                continue;
            }
            self.points_elsewhere(change);
            if let Some(of_zone) = self.zones.get_mut(&change.zone) {
                of_zone.owner = ZoneOwner::ThisGroup;
                of_zone.touched = Some(generation);
                of_zone.stands(&change.key, change.content.as_ref(), generation);
            }
        }
    }
}

impl History {
    /// Takes in that a setting of the group has this value, or its default, since `generation`, which is newer than all that
    /// is known of it. Other keys are a zone's, see [`ZoneHistory::stands`].
    pub fn set(&mut self, key: &Key, content: Option<&Content>, generation: Generation) {
        let Key::Setting(setting) = key else { return };
        let value = match content {
            Some(Content::Setting(value)) => Some(value.clone()),
            _ => None,
        };
        self.settings.insert(*setting, (value, generation));
    }

    /// Takes in that a record set points elsewhere than before, or nowhere.
    fn points_elsewhere(&mut self, change: &Change) {
        let Key::Records(key) = &change.key else { return };
        let targets = match &change.content {
            Some(Content::Records(set)) => targets(set),
            _ => BTreeSet::new(),
        };
        let pointer = Pointer { zone: change.zone.clone(), key: key.clone() };
        for (name, pointers) in &mut self.pointers {
            if targets.contains(name) {
                pointers.insert(pointer.clone());
            } else {
                pointers.remove(&pointer);
            }
        }
    }

    /// The limit that a guard goes by.
    pub(crate) fn limit(&self, setting: Setting) -> Option<Limit> {
        match self.settings.get(&setting) {
            Some((Some(SettingValue::Limit(limit)), _)) => Some(*limit),
            _ => setting.default_limit(),
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
    /// How many record sets stand in the zone at the tip.
    pub record_sets: u64,
    /// The newest version of every record set that ever stood within the footprint, or at a name that was looked up.
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
    /// Whether the zone lives at the tip: its SOA stands. Known when its apex or all of it was read.
    #[must_use]
    pub fn lives(&self, zone: &Name) -> bool {
        let soa = self.sets.get(&SetKey::new(zone, RecordType::SOA));
        soa.is_some_and(|standing| standing.set.is_some())
    }

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
    /// The id that the tip of the decision has now, [`Id::GENESIS`] where there is none of its number. In a database that
    /// was restored meanwhile it may be another one's, or gone: then nothing here tells what is new.
    pub decided_on: Id,
    /// Names (zone, owner) within the footprint that changed after the tip of the decision, and in which generation.
    pub changed: Vec<(Name, Name, Generation)>,
    /// Whether a setting of the group changed after the tip of the decision.
    pub settings_changed: bool,
    /// Every record set that changed after the tip of the decision; none when those are too many to look through.
    pub meanwhile: Option<Vec<Meanwhile>>,
}

impl News {
    /// Whether something changed at, above or below `zone`, or may have: then whoever begins it decides anew.
    #[must_use]
    pub fn is_around(&self, zone: &Name) -> bool {
        let around = |one: &Meanwhile| one.name.is_within(zone) || zone.is_within(&one.name);
        self.meanwhile.as_ref().is_none_or(|meanwhile| meanwhile.iter().any(around))
    }
}

/// A record set that another plan changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meanwhile {
    /// The zone.
    pub zone: Name,
    /// The owner.
    pub name: Name,
    /// What it points to now.
    pub points_to: Vec<Name>,
}
