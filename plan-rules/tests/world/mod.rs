//! A group's history in memory: plans in the order in which they were admitted, and nothing derived.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "test helpers: each file uses its own part, and panics are how a test fails"
)]

use plan_rules::{
    Admission, Author, Decision, Footprint, History, Refusal, Role, Scope, Standing, Tip, ZoneHistory, ZoneOwner,
    admit, footprint,
};
use std::collections::BTreeMap;
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

/// All admitted plans, the first one first.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) generations: Vec<Admission>,
}

impl World {
    /// A group with the zone `example.` at generation 1.
    pub(crate) fn with_example(others: Vec<RecordSet>) -> Self {
        let mut world = Self::default();
        world.post(&plan(0, vec![("example.", ZoneChange::Replace(contents("example.", 1, others)))])).unwrap();
        world
    }

    pub(crate) fn tip(&self) -> Option<Tip> {
        self.generations.last().map(|last| Tip { version: last.version, digest: last.digest })
    }

    pub(crate) fn tip_number(&self) -> i64 {
        self.tip().map_or(0, |tip| tip.version.generation.get())
    }

    /// Decides, and appends what is admitted.
    pub(crate) fn post(&mut self, plan: &Plan) -> Result<Decision, Refusal> {
        let decision = admit(plan, &operator(), &self.history_for(plan))?;
        if let Decision::Admit(admission) = &decision {
            self.generations.push((**admission).clone());
        }
        Ok(decision)
    }

    pub(crate) fn history_for(&self, plan: &Plan) -> History {
        let mut history = History { tip: self.tip(), ..History::default() };
        history.base_id = self.version(plan.base).map(|version| version.id);
        for (zone, part) in footprint(plan) {
            let mut of_zone = ZoneHistory::default();
            for generation in &self.generations {
                let number = generation.version.generation;
                for change in generation.changes.iter().filter(|change| change.zone == zone) {
                    of_zone.owner = ZoneOwner::ThisGroup;
                    of_zone.touched = Some(number);
                    match (&change.key, &change.content) {
                        (Key::Serial, Some(Content::Serial(serial))) => of_zone.serial = Some((*serial, number)),
                        (Key::Records(key), content) => {
                            let within = match &part {
                                Footprint::WholeZone => true,
                                Footprint::Names(names) => names.contains(key.owner()),
                            };
                            let set = match content {
                                Some(Content::Records(set)) => Some(set.clone()),
                                _ => None,
                            };
                            if within {
                                of_zone.sets.insert(key.clone(), Standing { generation: number, set });
                            }
                        }
                        (key, content) => of_zone.stands(key, content.as_ref(), number),
                    }
                }
            }
            history.zones.insert(zone, of_zone);
        }
        history
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
