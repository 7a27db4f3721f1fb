//! What the programs read, each in one snapshot: what is committed at that moment.

use super::rows::Group;
use super::{Database, GenerationRow};
use crate::fault::Fault;
use crate::time::Time;
use crate::words::{GroupWords, Mask, Place, as_set};
use plan_rules::{
    Around, Course, Footprint, Former, Head, History, Known, Meanwhile, News, Pointer, Report, Rings, Server, Stop,
    Tip, ZoneHistory, ZoneOwner, footprint, leans, names_on_the_way, targets,
};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;
use zone_model::{Base, Content, Generation, Id, Key, Name, Plan, PlanKind};

/// A generation's row as a tip.
#[must_use]
pub fn tip_of(row: &GenerationRow) -> Tip {
    Tip { version: row.version, digest: row.digest, answers: row.answers, deletes_spent: row.deletes_spent }
}

impl Database {
    /// What a plan's decision is made on, as far as the plan itself tells: the first of two reads.
    #[must_use]
    pub fn footprint_of(&self, group: usize, plan: &Plan) -> History {
        let (words, rows) = (&self.words.groups[group], &self.tables.groups[group]);
        let base_id = plan.base.generation().and_then(|base| rows.generation(base)).map(|row| row.version.id);
        let mut history = History {
            tip: rows.tip().map(|tip| tip_of(tip)),
            base_id,
            floor: rows.tip().map(|_| rows.floor),
            ..History::default()
        };
        for one in &rows.generations {
            for row in one.rows.iter().filter(|row| row.place.is_none()) {
                let Key::Setting(setting) = row.change.key else { continue };
                let value = match &row.change.content {
                    Some(Content::Setting(value)) => Some(value.clone()),
                    _ => None,
                };
                history.settings.insert(setting, (value, one.version.generation));
            }
        }
        for (zone, part) in footprint(plan) {
            let Some(number) = words.zone(&zone) else { continue };
            let mask = match part {
                Footprint::WholeZone => Mask::zone(number),
                Footprint::Names(names) => names_mask(words, &zone, &names),
            };
            history.zones.insert(zone, zone_history(rows, number, mask));
        }
        history
    }

    /// What the decision leans on besides: the second read, perhaps of a later moment.
    pub fn lean(&self, group: usize, plan: &Plan, history: &mut History) {
        let (words, rows) = (&self.words.groups[group], &self.tables.groups[group]);
        let leans = leans(plan, history);
        for target in leans.targets {
            let zone = (0..words.zones.len()).find(|zone| target.is_within(&words.zones[*zone].name));
            let zone = zone.filter(|zone| rows.generations.iter().any(|one| one.touches[*zone]));
            if let Some(number) = zone {
                let name = &words.zones[number].name;
                let names = names_on_the_way(&target, name);
                let read = zone_history(rows, number, names_mask(words, name, &names));
                let of_zone = history.zones.entry(name.clone()).or_default();
                of_zone.owner = ZoneOwner::ThisGroup;
                of_zone.record_sets = read.record_sets;
                of_zone.sets.extend(read.sets);
            }
            history.target_zones.insert(target, zone.map(|zone| words.zones[zone].name.clone()));
        }
        for name in leans.pointed_to {
            let newest = (0..2).filter_map(|zone| {
                let row = rows.newest(usize::from(Place::of(zone, crate::words::ALIAS).0) * 4, greatest())?;
                let Key::Records(key) = &row.change.key else { return None };
                let set = row.change.content.as_ref().and_then(as_set)?;
                targets(set).contains(&name).then(|| Pointer { zone: row.change.zone.clone(), key: key.clone() })
            });
            let pointers = newest.collect();
            history.pointers.insert(name, pointers);
        }
        for zone in leans.around {
            history.around.insert(zone, Around::default());
        }
    }

    /// What the loser of a race judges again: what is new above the tip that it had decided on.
    #[must_use]
    pub fn news_for(&self, group: usize, plan: &Plan, judged_on: Base) -> Option<News> {
        let (words, rows) = (&self.words.groups[group], &self.tables.groups[group]);
        let tip = tip_of(rows.tip()?);
        let decided_on = judged_on.generation().and_then(|number| rows.generation(number));
        let decided_on = decided_on.map_or(Id::GENESIS, |row| row.version.id);
        let footprint = footprint(plan);
        let (mut changed, mut meanwhile, mut settings_changed) = (Vec::new(), Vec::new(), false);
        let above = rows.generations.iter().filter(|one| Base::from(one.version.generation) > judged_on);
        for (one, row) in above.flat_map(|one| one.rows.iter().map(move |row| (one, row))) {
            let Some(place) = row.place else {
                settings_changed = true;
                continue;
            };
            let zone = row.change.zone.clone();
            let name = words.zones[place.zone()].owners[place.nth()].clone();
            let within = match footprint.get(&zone) {
                Some(Footprint::WholeZone) => true,
                Some(Footprint::Names(names)) => names.contains(&name),
                None => false,
            };
            if within {
                changed.push((zone.clone(), name.clone(), one.version.generation));
            }
            if matches!(row.change.key, Key::Records(_)) {
                let points_to = row.change.content.as_ref().and_then(as_set).map(targets).unwrap_or_default();
                meanwhile.push(Meanwhile { zone, name, points_to: points_to.into_iter().collect() });
            }
        }
        Some(News { tip, decided_on, changed, settings_changed, meanwhile: Some(meanwhile) })
    }

    /// What a rollback takes back: every record set that changed after a generation, and what stood there at it.
    #[must_use]
    pub fn formers(&self, group: usize, to: Generation) -> Vec<Former> {
        let rows = &self.tables.groups[group];
        let after = rows.generations.iter().filter(|one| one.version.generation > to);
        let mut formers: BTreeMap<usize, Former> = BTreeMap::new();
        for row in after.flat_map(|one| &one.rows) {
            if let Key::Records(key) = &row.change.key {
                formers.entry(row.key).or_insert_with(|| {
                    let stood = rows.newest(row.key, to).and_then(|row| row.change.content.as_ref()).and_then(as_set);
                    Former { zone: row.change.zone.clone(), key: key.clone(), set: stood.cloned() }
                });
            }
        }
        formers.into_values().collect()
    }

    /// All zones of a group, each with its apex and its serial: what a raise is made of.
    #[must_use]
    pub fn zones_of(&self, group: usize) -> BTreeMap<Name, ZoneHistory> {
        let (words, rows) = (&self.words.groups[group], &self.tables.groups[group]);
        let zone = |(number, zone): (usize, &crate::words::ZoneWords)| {
            (zone.name.clone(), zone_history(rows, number, Place::apex(number).bit()))
        };
        words.zones.iter().enumerate().map(zone).collect()
    }

    /// The greatest generation that a server was ever heard to serve.
    #[must_use]
    pub fn greatest_reported(&self, group: usize) -> Option<Generation> {
        self.tables.groups[group].reports.iter().flatten().map(|(_, version, _)| version.generation).max()
    }

    /// Rings, servers and stops, for one look of an enactor that has watched for so long.
    #[must_use]
    pub fn rings(&self, server_names: &[String], watched: Duration, now: Time) -> Rings {
        let tables = &self.tables;
        let servers = tables.servers.iter().zip(server_names).filter_map(|(row, name)| {
            let row = row.as_ref()?;
            let ring = tables.rings[row.ring].0.clone();
            let (seen, started) = (now.since(row.seen(now)), now.since(row.started));
            Some((name.clone(), Server { ring, seen, started, forgotten: false, doubled: false }))
        });
        let stops = tables.stops.iter().map(|stop| Stop {
            kind: stop.kind,
            group: stop.group.map(|group| self.words.groups[group].name.clone()),
            ring: stop.ring.map(|ring| tables.rings[ring].0.clone()),
        });
        Rings {
            rings: tables.rings.iter().cloned().collect(),
            servers: servers.collect(),
            stops: stops.collect(),
            watched,
        }
    }

    /// A group's history, as far as enacting has to do with it.
    #[must_use]
    pub fn course(&self, group: usize, server_names: &[String], now: Time) -> Course {
        let rows = &self.tables.groups[group];
        let known = |one: &Rc<GenerationRow>| {
            let generation = one.version.generation;
            let known = Known {
                id: one.version.id,
                failed: rows.failed(generation) && !self.has(Fault::FailedIsForgotten),
                passed: rows.passed(generation, now),
                answers_passed: rows.answers_have_passed(one),
                rolled_back: rows.is_rolled_back(generation),
                through_freeze: matches!(one.kind, PlanKind::Rollback { through_freeze: true, .. }),
            };
            (generation, known)
        };
        let heads = (0..self.tables.rings.len()).filter_map(|ring| {
            let head = self.head(group, ring)?;
            let version = rows.generation(head.generation)?.version;
            let expected = head.expected.clone().unwrap_or_default();
            let age = now.since(head.at) + self.pretended();
            Some((self.tables.rings[ring].0.clone(), Head { version, age, expected }))
        });
        let report = |(server, report): (usize, &Option<(u32, zone_model::Version, Time)>)| {
            let (instance, version, at) = (*report)?;
            let row = self.tables.servers[server].as_ref().filter(|row| row.instance == instance)?;
            let fault = row.fault.as_ref().filter(|(of, _)| *of == group).map(|(_, fault)| fault.clone());
            let report = Report { version, age: now.since(at) + self.pretended(), fault };
            Some((server_names[server].clone(), report))
        };
        Course {
            group: self.words.groups[group].name.clone(),
            generations: rows.generations.iter().map(known).collect(),
            heads: heads.collect(),
            reports: rows.reports.iter().enumerate().filter_map(report).collect(),
        }
    }

    /// By how much everything is older than it is, in a world that does not wait.
    fn pretended(&self) -> Duration {
        Duration::from_secs(if self.has(Fault::SoakIgnored) { 10 } else { 0 })
    }
}

fn greatest() -> Generation {
    Generation::new(i64::MAX).unwrap_or(Generation::FIRST)
}

fn names_mask<'a>(words: &GroupWords, zone: &Name, names: impl IntoIterator<Item = &'a Name>) -> Mask {
    names
        .into_iter()
        .filter_map(|name| words.place(zone, name))
        .fold(Mask::default(), |mask, place| mask.with(place.bit()))
}

fn zone_history(rows: &Group, zone: usize, mask: Mask) -> ZoneHistory {
    let mut of_zone = ZoneHistory { record_sets: rows.record_sets[zone], ..ZoneHistory::default() };
    for one in &rows.generations {
        let generation = one.version.generation;
        if one.touches[zone] {
            of_zone.owner = ZoneOwner::ThisGroup;
            of_zone.touched = Some(generation);
        }
        for row in one.rows.iter().filter(|row| row.place.is_some_and(|place| place.zone() == zone)) {
            if row.change.key == Key::Serial || row.place.is_some_and(|place| mask.has(place)) {
                of_zone.stands(&row.change.key, row.change.content.as_ref(), generation);
            }
        }
    }
    of_zone
}
