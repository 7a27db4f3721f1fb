//! What an author wishes: told to the checkers as it is, and to Holdfast as a plan.

use crate::words::{APEX, GroupWords, Mask, PLACES, PLACES_OF_ZONE, Place, Stamp, ZONES};
use std::collections::BTreeMap;
use zone_model::{
    Base, Delete, Edit, Generation, Guard, Limit, Placed, Plan, Setting, SettingValue, Version, ZoneChange,
};

/// What stands at the places of a group; 0 is nothing.
pub type State = [Stamp; PLACES];

/// What an author wishes to be so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// These places so; 0 takes away.
    Set(Vec<(Place, Stamp)>),
    /// All of a zone so.
    Replace(usize, [Stamp; PLACES_OF_ZONE]),
    /// A zone ends.
    End(usize),
    /// A place keeps at least so many records from now on; 0 ends that.
    Guard(Place, u8),
    /// The group is closed to planners, or open again.
    Close(bool),
    /// Planners may delete as often as they like.
    Loosen,
    /// What was answered at this generation, perhaps through a freeze.
    Rollback(Generation, bool),
    /// A new epoch.
    Raise,
}

/// A plan as its author means it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// Which attempt of which author; no two are alike.
    pub tag: u32,
    /// The group.
    pub group: usize,
    /// What the author had read; none for a group that did not exist.
    pub base: Option<Version>,
    /// Whether the plan says the base's id; people may leave it out.
    pub says_id: bool,
    /// What is wished.
    pub wish: Wish,
    /// Places that it leans on.
    pub reads: Mask,
    /// Whether the author is an operator.
    pub by_operator: bool,
    /// Whether a dangling pointer is acknowledged.
    pub may_dangle: bool,
    /// Whether the author gave it an idempotency key: its tag.
    pub keyed: bool,
}

impl Intent {
    /// The plan, unless it is one that is made of what is read: a rollback or a raise.
    #[must_use]
    pub fn plan(&self, words: &GroupWords) -> Option<Plan> {
        let mut plan = self.empty_plan(words);
        match &self.wish {
            Wish::Set(stamps) => {
                for zone in 0..ZONES {
                    let of_zone: Vec<_> = stamps.iter().filter(|(place, _)| place.zone() == zone).collect();
                    if !of_zone.is_empty() {
                        plan.zones.insert(words.zones[zone].name.clone(), edit(words, zone, &of_zone));
                    }
                }
            }
            Wish::Replace(zone, stamps) => {
                let words = &words.zones[*zone];
                let contents = words.contents(&stamps[1..]);
                plan.zones.insert(words.name.clone(), ZoneChange::Replace(contents));
            }
            Wish::End(zone) => drop(plan.zones.insert(words.zones[*zone].name.clone(), ZoneChange::End)),
            Wish::Guard(place, minimum) => {
                let zone = &words.zones[place.zone()].name;
                let key = words.key(*place);
                let placed = Placed { place: String::new(), value: (key.clone(), u16::from(*minimum)) };
                let unguard = Placed { place: String::new(), value: key };
                let (guards, unguards) = if *minimum > 0 { (vec![placed], vec![]) } else { (vec![], vec![unguard]) };
                let edit = Edit::default().with_guards(zone, guards, unguards).ok()?;
                plan.zones.insert(zone.clone(), ZoneChange::Edit(edit));
            }
            Wish::Close(closed) => {
                let value = closed.then(|| SettingValue::Closed("tried".into()));
                plan.settings.insert(Setting::Closed, value);
            }
            Wish::Loosen => {
                let limit = Limit::new(1_000, 100).map(SettingValue::Limit);
                plan.settings.insert(Setting::Velocity, limit);
            }
            Wish::Rollback(..) | Wish::Raise => return None,
        }
        Some(plan)
    }

    /// A plan with all but its changes.
    #[must_use]
    pub fn empty_plan(&self, words: &GroupWords) -> Plan {
        let base = self.base.map_or(Base::NOTHING, |version| Base::from(version.generation));
        let owner = |place: Place| {
            let zone = &words.zones[place.zone()];
            (zone.name.clone(), zone.owners[place.nth()].clone())
        };
        let mut acknowledged = BTreeMap::new();
        if self.by_operator {
            for guard in [Guard::DeletedShare, Guard::ChangedShare] {
                acknowledged.insert(guard, "tried".to_owned());
            }
        }
        if self.may_dangle {
            acknowledged.insert(Guard::References, "tried".to_owned());
        }
        Plan {
            base_id: self.base.filter(|_| self.says_id).map(|version| version.id),
            reads: Place::all().filter(|place| self.reads.has(*place)).map(owner).collect(),
            acknowledged,
            ..Plan::new(words.name.clone(), base)
        }
    }

    /// The places that it changes or leans on, as its author sees it.
    #[must_use]
    pub fn footprint(&self) -> Mask {
        let wished = match &self.wish {
            Wish::Set(stamps) => stamps.iter().fold(Mask::default(), |mask, (place, _)| mask.with(place.bit())),
            Wish::Replace(zone, _) | Wish::End(zone) => Mask::zone(*zone),
            Wish::Guard(place, _) => place.bit(),
            Wish::Close(_) | Wish::Loosen => Mask::SETTINGS,
            Wish::Rollback(..) | Wish::Raise => Mask::default(),
        };
        wished.with(self.reads)
    }

    /// What stands after it, where `before` stood, and `restored` at the generation that a rollback goes to.
    #[must_use]
    pub fn after(&self, before: &State, restored: Option<&State>) -> State {
        let mut after = *before;
        match &self.wish {
            Wish::Set(stamps) => stamps.iter().for_each(|(place, stamp)| after[place.0 as usize] = *stamp),
            Wish::Replace(zone, stamps) => {
                let first = zone * PLACES_OF_ZONE;
                after[first..first + PLACES_OF_ZONE].copy_from_slice(stamps);
                after[first + APEX] = 1;
            }
            Wish::End(zone) => {
                let first = zone * PLACES_OF_ZONE;
                after[first..first + PLACES_OF_ZONE].fill(0);
            }
            Wish::Rollback(..) => after = restored.copied().unwrap_or(after),
            Wish::Guard(..) | Wish::Close(_) | Wish::Loosen | Wish::Raise => {}
        }
        after
    }
}

fn edit(words: &GroupWords, zone: usize, stamps: &[&(Place, Stamp)]) -> ZoneChange {
    let words = &words.zones[zone];
    let (mut upserts, mut deletes) = (Vec::new(), Vec::new());
    for (place, stamp) in stamps {
        if *stamp == 0 {
            let owner = words.owners[place.nth()].clone();
            deletes.push(Placed { place: String::new(), value: Delete { owner, rtype: None } });
        } else {
            upserts.push(Placed { place: String::new(), value: words.record_set(place.nth(), *stamp) });
        }
    }
    match Edit::new(&words.name, upserts, deletes) {
        Ok(edit) => ZoneChange::Edit(edit),
        Err(violations) => unreachable!("places of one zone, each once: {violations:?}"),
    }
}
