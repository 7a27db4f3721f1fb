//! The database of the simulation, behind its doors.

use crate::{Call, Doors, Layout, Outcome, Visible};
use plan_rules::Admission;
use simulation::Time;
use simulation::database::{Admit, Answer, Begun, Database, Group, Staged, Tables, Work};
use simulation::words::{GROUPS_MAX, Words};
use std::collections::BTreeMap;
use std::rc::Rc;
use zone_model::{Content, Generation, Id, ROW_TYPE_TOUCHED};

/// A number that nobody draws.
pub(crate) const NEVER_DRAWN: u64 = 1_000_000;

/// The database in memory.
pub struct Memory {
    database: Database,
    beginning: Tables,
    staged: BTreeMap<usize, u64>,
    servers: Vec<usize>,
    now: Time,
}

impl Default for Memory {
    fn default() -> Self {
        let mut tables = Tables::default();
        tables.groups.resize(GROUPS_MAX, Group::new(0, 0));
        let database = Database::new(Rc::new(Words::default()), tables, None);
        Self { database, beginning: Tables::default(), staged: BTreeMap::new(), servers: Vec::new(), now: Time(1) }
    }
}

impl Memory {
    /// What decisions are made on.
    #[must_use]
    pub fn database(&self) -> &Database {
        &self.database
    }

    pub(crate) fn keep_beginning(&mut self) {
        self.beginning = self.database.tables.clone();
    }

    /// The id of the generation of this number, if there is one.
    #[must_use]
    pub fn id_of(&self, group: usize, generation: Generation) -> Option<Id> {
        self.database.tables.groups[group].generation(generation).map(|row| row.version.id)
    }

    fn work(&self, call: &Call) -> Option<Work> {
        let number = |handle: &usize| self.staged.get(handle).copied().unwrap_or(NEVER_DRAWN);
        Some(match call {
            Call::Stage { group, admission, .. } => Work::Stage(Staged::of(*group, admission)),
            Call::Admit { group, admission, key, staged } => {
                let words = &self.database.words.groups[*group];
                let staged = staged.as_ref().map(number);
                Work::Admit(Rc::new(Admit::new(words, *group, Admission::clone(admission), *key, staged)))
            }
            Call::Move(one) => Work::Move(Rc::new(one.clone())),
            Call::Judge(judge) => Work::Judge(*judge),
            Call::Stops(stops) => Work::Stops(*stops),
            Call::Report { server, instance, group, version } => {
                Work::Report { server: *server, instance: *instance, group: *group, version: *version }
            }
            Call::Start { .. } | Call::Floor { .. } => return None,
        })
    }
}

impl Doors for Memory {
    fn begin_anew(&mut self, layout: &Layout) {
        let mut tables = self.beginning.clone();
        for group in &mut tables.groups {
            group.moves = vec![Vec::new(); layout.rings.len()];
            group.reports = vec![None; layout.servers.len()];
        }
        tables.rings = layout.rings.clone();
        tables.servers = vec![None; layout.servers.len()];
        self.database = Database::new(self.database.words.clone(), tables, None);
        self.staged.clear();
        self.servers = layout.servers.clone();
    }

    fn call(&mut self, call: &Call) -> Outcome {
        self.now = Time(self.now.0 + 1);
        match call {
            Call::Start { server, instance } => {
                self.database.server_starts(*server, *instance, self.servers[*server], self.now);
                return Outcome::Done;
            }
            Call::Floor { group, floor } => {
                self.database.tables.groups[*group].floor = *floor;
                return Outcome::Done;
            }
            _ => {}
        }
        let Some(work) = self.work(call) else { unreachable!("the others are no work") };
        let answer = match self.database.begin(&work, 0, self.now) {
            Begun::Over(answer) => answer,
            Begun::Open(number) => self.database.commit(number, self.now),
            Begun::Waits => unreachable!("nobody else is there"),
        };
        match answer {
            Answer::Staged(number) => {
                if let Call::Stage { handle, .. } = call {
                    self.staged.insert(*handle, number);
                }
                Outcome::Staged
            }
            Answer::Admitted(version) => Outcome::Admitted(version),
            Answer::KeyKnown(_) => Outcome::KeyKnown,
            Answer::LostRace => Outcome::LostRace,
            Answer::Moved(ours) => Outcome::Moved(ours),
            Answer::Done => Outcome::Done,
            Answer::Refused(code) => Outcome::Refused(code.to_owned()),
            Answer::Raised(_) | Answer::Retired { .. } => unreachable!("nothing is retired here"),
            Answer::Lost => unreachable!("the database is up"),
        }
    }

    fn visible(&mut self) -> Visible {
        let tables = &self.database.tables;
        let mut lines = Visible::new();
        let ring = |ring: usize| tables.rings[ring].0.as_str().to_owned();
        let named = |number: Option<String>| number.unwrap_or_else(|| "*".to_owned());
        for (number, group) in (1..).zip(&tables.groups) {
            let words = &self.database.words.groups[number - 1];
            for row in &group.generations {
                let version = row.version;
                lines.insert(format!(
                    "generation {number} {} id {} after {} digest {} answers {} spent {} base {} kind {}",
                    version.generation,
                    hex(version.id.as_bytes()),
                    if group.generations[0].version == version {
                        String::new()
                    } else {
                        hex(group.parent(version.generation).as_bytes())
                    },
                    hex(row.digest.as_bytes()),
                    hex(row.answers.as_bytes()),
                    row.deletes_spent,
                    row.base,
                    row.kind.as_str()
                ));
                for row in &row.rows {
                    let columns = row.change.key.to_columns(&row.change.zone);
                    debug_assert_ne!(columns.rtype, ROW_TYPE_TOUCHED);
                    let zone = row.place.map_or(-(number as i64), |place| words.zones[place.zone()].number);
                    let value = row.change.content.as_ref().map(Content::to_value);
                    let value = value.map_or_else(|| "gone".to_owned(), |value| hex(&value));
                    lines.insert(format!(
                        "change {number} {} zone {zone} {} {} {} {value}",
                        version.generation, columns.owner, columns.rtype, columns.covered
                    ));
                }
            }
            for (zone, sets) in words.zones.iter().zip(group.record_sets) {
                lines.insert(format!("zone {} holds {sets}", zone.number));
            }
            for (of, moves) in group.moves.iter().enumerate() {
                for row in moves {
                    let expected =
                        row.expected.as_ref().map(|names| names.iter().cloned().collect::<Vec<_>>().join(","));
                    lines.insert(format!("move {number} {} {} expects {}", ring(of), row.generation, named(expected)));
                }
            }
            for row in &group.verdicts {
                lines.insert(format!(
                    "verdict {number} {} {}",
                    row.generation,
                    if row.passed { "passed" } else { "failed" }
                ));
            }
            for (server, report) in group.reports.iter().enumerate() {
                if let Some((instance, version, _)) = report {
                    let id = hex(version.id.as_bytes());
                    lines.insert(format!("report server-{server} {instance} {number} {} {id}", version.generation));
                }
            }
            for (key, version) in &group.keys {
                lines.insert(format!("key {key} {number} {}", version.generation));
            }
        }
        // Of two equal stops both are there: their place in the order of their numbers tells them apart.
        for (place, stop) in (1..).zip(&tables.stops) {
            let group = named(stop.group.map(|group| (group + 1).to_string()));
            lines.insert(format!("stop {place} {} {group} {}", stop.kind.as_str(), named(stop.ring.map(ring))));
        }
        lines
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
