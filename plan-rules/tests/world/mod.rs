//! A group's history in memory: plans in the order in which they were admitted, and nothing derived.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "test helpers: each file uses its own part, and panics are how a test fails"
)]

use plan_rules::{
    Admission, Around, Author, Change, Decision, Footprint, History, Pointer, Refusal, Role, Scope, Tip, ZoneHistory,
    ZoneOwner, admit, footprint, leans, names_on_the_way, targets,
};
use std::collections::{BTreeMap, BTreeSet};
use zone_model::{
    Base, Content, Delete, Digest, Edit, Generation, GroupName, Key, Name, Placed, Plan, RecordData, RecordSet,
    RecordType, Serial, SetKey, Version, ZoneChange, ZoneContents,
};

pub(crate) fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

pub(crate) fn set(owner: &str, rtype: RecordType, records: &[&str]) -> RecordSet {
    let data = records.iter().map(|text| RecordData::parse(rtype, text, &Name::root()).unwrap()).collect();
    RecordSet::new(name(owner), rtype, 60, data).unwrap()
}

pub(crate) fn address(owner: &str, last: u8) -> RecordSet {
    set(owner, RecordType::A, &[&format!("192.0.2.{last}")])
}

pub(crate) fn placed<T>(values: Vec<T>) -> Vec<Placed<T>> {
    values.into_iter().enumerate().map(|(index, value)| Placed { place: format!("[{index}]"), value }).collect()
}

pub(crate) fn soa(zone: &str, serial: u32) -> RecordSet {
    set(zone, RecordType::SOA, &[&format!("ns1.example. hostmaster.example. {serial} 3600 900 604800 300")])
}

pub(crate) fn contents(zone: &str, serial: u32, others: Vec<RecordSet>) -> ZoneContents {
    let mut sets = vec![soa(zone, serial), set(zone, RecordType::NS, &["ns1.example."])];
    if zone == "example." && !others.iter().any(|set| *set.owner() == name("ns1.example.")) {
        sets.push(address("ns1.example.", 1));
    }
    sets.extend(others);
    ZoneContents::new(name(zone), placed(sets)).unwrap()
}

pub(crate) fn plan(base: i64, zones: Vec<(&str, ZoneChange)>) -> Plan {
    Plan {
        zones: zones.into_iter().map(|(zone, change)| (name(zone), change)).collect(),
        ..Plan::new(GroupName::parse("example").unwrap(), Base::new(base).unwrap())
    }
}

pub(crate) fn edit(zone: &str, upserts: Vec<RecordSet>, deletes: Vec<(&str, Option<RecordType>)>) -> ZoneChange {
    let deletes = deletes.into_iter().map(|(owner, rtype)| Delete { owner: name(owner), rtype }).collect();
    ZoneChange::Edit(Edit::new(&name(zone), placed(upserts), placed(deletes)).unwrap())
}

pub(crate) fn upsert(base: i64, owner: &str, last: u8) -> Plan {
    plan(base, vec![("example.", edit("example.", vec![address(owner, last)], vec![]))])
}

pub(crate) fn operator() -> Author {
    Author { role: Role::Operator, scope: Scope::default() }
}

pub(crate) fn planner() -> Author {
    Author { role: Role::Planner, scope: Scope::default() }
}

pub(crate) fn tip_of(admission: &Admission) -> Tip {
    Tip {
        version: admission.version,
        digest: admission.digest,
        answers: admission.answers,
        deletes_spent: admission.deletes_spent,
    }
}

/// All admitted plans, the first one first.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) generations: Vec<Admission>,
    /// What other groups have around a zone, where that is not nothing.
    pub(crate) around: BTreeMap<Name, Around>,
    /// How many deletes planners had spent an hour ago.
    pub(crate) deletes_spent_before: u64,
}

impl World {
    /// A group with the zone `example.` at generation 1.
    pub(crate) fn with_example(others: Vec<RecordSet>) -> Self {
        let mut world = Self::default();
        world.post(&plan(0, vec![("example.", ZoneChange::Replace(contents("example.", 1, others)))])).unwrap();
        world
    }

    pub(crate) fn tip(&self) -> Option<Tip> {
        self.generations.last().map(tip_of)
    }

    pub(crate) fn tip_number(&self) -> i64 {
        self.tip().map_or(0, |tip| tip.version.generation.get())
    }

    /// Decides, and appends what is admitted.
    pub(crate) fn post(&mut self, plan: &Plan) -> Result<Decision, Refusal> {
        self.post_as(&operator(), plan)
    }

    /// The same, for another author.
    pub(crate) fn post_as(&mut self, author: &Author, plan: &Plan) -> Result<Decision, Refusal> {
        let decision = admit(plan, author, &self.history_for(plan))?;
        if let Decision::Admit(admission) = &decision {
            self.generations.push((**admission).clone());
        }
        Ok(decision)
    }

    /// What the plan is decided on: its footprint, and what it leans on.
    pub(crate) fn history_for(&self, plan: &Plan) -> History {
        let mut history = self.footprint_of(plan);
        let leans = leans(plan, &history);
        for target in leans.targets {
            let zone = self.zones().into_iter().filter(|zone| target.is_within(zone)).max_by_key(Name::label_count);
            for name in zone.iter().flat_map(|zone| names_on_the_way(&target, zone)) {
                let zone = zone.clone().unwrap();
                let read = self.zone_history(&zone, &Footprint::Names(BTreeSet::from([name])));
                let of_zone = history.zones.entry(zone).or_default();
                of_zone.owner = ZoneOwner::ThisGroup;
                of_zone.record_sets = read.record_sets;
                of_zone.sets.extend(read.sets);
            }
            history.target_zones.insert(target, zone);
        }
        for name in leans.pointed_to {
            let standing = self.state(self.generations.len());
            let pointing = standing.iter().filter_map(|((zone, key), content)| match (key, content) {
                (Key::Records(key), Content::Records(set)) if targets(set).contains(&name) => {
                    Some(Pointer { zone: zone.clone(), key: key.clone() })
                }
                _ => None,
            });
            let pointing = pointing.collect();
            history.pointers.insert(name, pointing);
        }
        for zone in leans.around {
            let around = self.around.get(&zone).cloned().unwrap_or_default();
            history.around.insert(zone, around);
        }
        history
    }

    fn zones(&self) -> BTreeSet<Name> {
        let keys = self.generations.iter().flat_map(|one| &one.changes);
        keys.filter(|change| !matches!(change.key, Key::Setting(_))).map(|change| change.zone.clone()).collect()
    }

    fn footprint_of(&self, plan: &Plan) -> History {
        let mut history = History { tip: self.tip(), floor: Some(generation(1)), ..History::default() };
        history.base_id = self.version(plan.base).map(|version| version.id);
        history.deletes_spent_before = self.deletes_spent_before;
        for one in &self.generations {
            for change in &one.changes {
                if let Key::Setting(setting) = change.key {
                    let value = match &change.content {
                        Some(Content::Setting(value)) => Some(value.clone()),
                        _ => None,
                    };
                    history.settings.insert(setting, (value, one.version.generation));
                }
            }
        }
        for (zone, part) in footprint(plan) {
            let of_zone = self.zone_history(&zone, &part);
            history.zones.insert(zone, of_zone);
        }
        history
    }

    fn zone_history(&self, zone: &Name, part: &Footprint) -> ZoneHistory {
        let mut of_zone = ZoneHistory::default();
        for generation in &self.generations {
            let number = generation.version.generation;
            let mine = |change: &&Change| change.zone == *zone && !matches!(change.key, Key::Setting(_));
            for change in generation.changes.iter().filter(mine) {
                of_zone.owner = ZoneOwner::ThisGroup;
                of_zone.touched = Some(number);
                let within = |key: &SetKey| match part {
                    Footprint::WholeZone => true,
                    Footprint::Names(names) => names.contains(key.owner()),
                };
                match &change.key {
                    Key::Records(key) | Key::Guarded(key) if !within(key) => {}
                    key => of_zone.stands(key, change.content.as_ref(), number),
                }
            }
        }
        let standing = self.state(self.generations.len());
        let records = standing.keys().filter(|(in_zone, key)| in_zone == zone && matches!(key, Key::Records(_)));
        of_zone.record_sets = records.count() as u64;
        of_zone
    }

    pub(crate) fn version(&self, base: Base) -> Option<Version> {
        let found = self.generations.iter().find(|one| Base::from(one.version.generation) == base);
        found.map(|one| one.version)
    }

    /// What stands after the first `count` generations.
    pub(crate) fn state(&self, count: usize) -> BTreeMap<(Name, Key), Content> {
        let mut state = BTreeMap::new();
        for change in self.generations.iter().take(count).flat_map(|one| &one.changes) {
            let key = (change.zone.clone(), change.key.clone());
            match &change.content {
                Some(content) => state.insert(key, content.clone()),
                None => state.remove(&key),
            };
        }
        state
    }

    pub(crate) fn digest(&self, count: usize) -> Digest {
        let state = self.state(count);
        state.iter().fold(Digest::EMPTY, |sum, ((zone, key), content)| sum.plus(key.digest(zone, content)))
    }

    pub(crate) fn standing(&self, owner: &str, rtype: RecordType) -> Option<RecordSet> {
        let key = (name("example."), Key::Records(SetKey::new(&name(owner), rtype)));
        match self.state(self.generations.len()).remove(&key) {
            Some(Content::Records(set)) => Some(set),
            _ => None,
        }
    }

    pub(crate) fn serial(&self) -> Serial {
        let any = plan(0, vec![("example.", edit("example.", vec![], vec![("example.", None)]))]);
        let history = self.history_for(&any);
        history.zones[&name("example.")].serial_at_tip().unwrap()
    }
}

pub(crate) fn generation(number: i64) -> Generation {
    Generation::new(number).unwrap()
}
