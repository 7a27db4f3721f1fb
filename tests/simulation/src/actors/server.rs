//! DNS servers: the real decision, the real builder and the real directory; only what carries rows from Postgres to them
//! is played here.

use crate::database::{Answer, Work};
use crate::events::{Actor, Event, Who};
use crate::fault::Fault;
use crate::ledger::{Broken, Promise, Served, Verdict};
use crate::words::{DEADLY, FAULTY, KEYS, PLACES, Place, Stamp};
use crate::world::{Life, World};
use server::install::{Decision, Head, Known, Load, Refusal, decide};
use server::replica::build::{Build, Built, Row, TouchedZone, Wanted};
use server::snapshot::{Directory, GroupNumber, ZoneNumber};
use std::collections::HashMap;
use std::sync::Arc;
use zone_model::{Generation, Version};

/// How often a server looks, whether it hears anything or not.
const TICK_MS: u64 = 2_000;

/// What a server has built aside.
#[derive(Debug)]
pub(crate) struct Building {
    built: Vec<Built>,
}

/// A DNS server.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) life: Life,
    pub(crate) ring: usize,
    directory: Arc<Directory>,
    is_building: bool,
    reported: Vec<Option<Version>>,
    /// It has one connection for what it says, so it says one thing after the other.
    is_reporting: bool,
    /// What was last seen of each group, and by which start of it.
    shown: Vec<Option<(Served, u32)>>,
    fault: Option<(usize, Version)>,
}

impl Server {
    pub(crate) fn new(ring: usize, groups: usize) -> Self {
        Self {
            life: Life::default(),
            ring,
            directory: Arc::default(),
            is_building: false,
            reported: vec![None; groups],
            is_reporting: false,
            shown: vec![None; groups],
            fault: None,
        }
    }

    /// What it serves of a group now.
    pub(crate) fn serves(&self, group: usize) -> Option<Version> {
        self.directory.group(GroupNumber(group as i64 + 1)).map(|group| group.version)
    }
}

impl World {
    /// A server looks at the heads of its ring, and builds aside what changed, all out of one snapshot.
    pub(crate) fn server_looks(&mut self, who: Who, is_tick: bool) -> Verdict {
        let Actor::Server(number) = who.actor else { return Ok(()) };
        if !self.may(who, || Event::Follow(who, is_tick)) {
            return Ok(());
        }
        if is_tick {
            self.after(TICK_MS, TICK_MS, Event::Follow(who, true));
        }
        if self.servers[number].is_building || !self.database.is_up || self.is_lost() {
            return Ok(());
        }
        let mut built = Vec::new();
        for group in 0..self.layout.groups {
            match self.server_builds(number, group) {
                Ok(one) => built.extend(one),
                Err(refusal @ (Refusal::Older { .. } | Refusal::Fork { .. } | Refusal::UnknownHistory { .. })) => {
                    self.figures.count("installs refused");
                    self.tell(|| format!("server {number} refuses: {refusal}"));
                    // What is served instead is said again: the database may not know it any more.
                    self.servers[number].reported[group] = None;
                    self.server_reports(who);
                }
                Err(damage) => {
                    let how = format!("server {number} cannot read a head of group {group}: {damage}");
                    return Err(Broken { promise: Promise::NothingNeededIsGone, how });
                }
            }
        }
        if !built.is_empty() {
            self.servers[number].is_building = true;
            let ms = self.message_ms();
            self.after(ms, ms, Event::Install(who, Box::new(Building { built })));
        }
        Ok(())
    }

    fn server_builds(&mut self, number: usize, group: usize) -> Result<Option<Built>, Refusal> {
        let server = &self.servers[number];
        let rows = &self.database.tables.groups[group];
        let Some(head) = self.database.head(group, server.ring) else { return Ok(None) };
        let Some(row) = rows.generation(head.generation) else { return Ok(None) };
        let held = server.serves(group);
        let known = held.map_or(Known::Nothing, |held| match rows.generation(held.generation) {
            Some(one) => Known::As(one.version.id),
            None if rows.floor > held.generation => Known::Forgotten,
            None => Known::Nothing,
        });
        let mut decision = decide(held, known, rows.floor.get(), row.version);
        match decision {
            Decision::Refuse(Refusal::Older { .. }) if self.has(Fault::InstallsOlder) => {
                decision = Decision::Install(Load::Raised);
            }
            Decision::Refuse(Refusal::UnknownHistory { .. }) if self.has(Fault::InstallsFork) => {
                decision = Decision::Install(Load::Raised);
            }
            _ => {}
        }
        let load = match decision {
            Decision::Keep => return Ok(None),
            Decision::Refuse(why) => return Err(why),
            Decision::Install(load) => load,
        };
        if load == Load::BelowFloor {
            self.figures.count("loads from below the floor");
        }
        let number = GroupNumber(group as i64 + 1);
        let name = self.words.groups[group].name.as_str().into();
        let (version, digest, parent) = (row.version, row.digest, rows.parent(head.generation));
        let head = Head { group: number, name, version, digest, parent };
        let wanted = Wanted { head, held: server.directory.group(number).cloned(), load };
        let directory = server.directory.clone();
        match self.fetch(group, &directory, wanted.clone()) {
            Err(Refusal::WrongDigest { .. }) if wanted.base().is_some() => {
                self.figures.count("drifted increments");
                self.fetch(group, &directory, Wanted { load: Load::Drifted, ..wanted }).map(Some)
            }
            other => other.map(Some),
        }
    }

    /// Carries rows to the builder.
    fn fetch(&mut self, group: usize, directory: &Arc<Directory>, wanted: Wanted) -> Result<Built, Refusal> {
        self.figures.count(if wanted.base().is_some() { "increments" } else { "loads in full" });
        let (words, rows) = (&self.words.groups[group], &self.database.tables.groups[group]);
        let upto = wanted.head.version.generation;
        let within = |generation: Generation| generation.get() > wanted.above() && generation <= upto;
        let generations = rows.generations.iter().filter(|one| within(one.version.generation));
        let (mut newest, mut touched) = ([None; KEYS], [None; 2]);
        for one in generations {
            for row in &one.rows {
                newest[row.key] = Some((one, row));
            }
            for (zone, at) in touched.iter_mut().enumerate().filter(|(zone, _)| one.touches[*zone]) {
                *at = Some((zone, one.version.generation));
            }
        }
        let number = wanted.head.group;
        let zones = touched.into_iter().flatten().map(|(zone, generation)| TouchedZone {
            zone: ZoneNumber(words.zones[zone].number),
            name: words.zones[zone].name.clone(),
            group: number,
            generation,
        });
        let mut build = Build::new(directory, vec![wanted], zones.collect());
        let mut made = HashMap::new();
        for (one, row) in newest.into_iter().flatten() {
            let columns = row.change.key.to_columns(&row.change.zone);
            let zone = row.place.map_or(-number.0, |place| words.zones[place.zone()].number);
            let (plan, value) = (one.plan as i64, row.change.content.as_ref().map(zone_model::Content::to_value));
            made.insert(plan, one.version.generation);
            let (owner, rtype, covered) = (columns.owner, columns.rtype, columns.covered);
            build.apply(Row { zone, owner, rtype, covered, plan, value });
        }
        build.serial_plans_made(&made);
        match build.finish().pop() {
            Some((_, built)) => built,
            None => Err(Refusal::DamagedHead("nothing was built".to_owned())),
        }
    }

    /// A server swaps in what it has built; if that is deadly, it does not live to tell.
    pub(crate) fn server_installs(&mut self, who: Who, building: Box<Building>) -> Verdict {
        let Actor::Server(number) = who.actor else { return Ok(()) };
        match self.awake(who) {
            Ok(()) => {}
            Err(Some(later)) => {
                self.queue.push(later, Event::Install(who, building));
                return Ok(());
            }
            Err(None) => return Ok(()),
        }
        self.servers[number].is_building = false;
        let mut next = Directory::clone(&self.servers[number].directory);
        for mut built in building.built {
            let group = built.number.0 as usize - 1;
            let poison = self.poison(&built);
            if poison & FAULTY != 0 {
                self.figures.count("faulty installs");
                self.server_says_its_fault(number, Some((group, built.group.version)));
                continue;
            }
            if poison & DEADLY != 0 {
                self.figures.count("deadly installs");
                if self.random.percent(50) {
                    self.server_dies(who);
                    return Ok(());
                }
                self.after(200, 2_000, Event::Dies(who));
            }
            self.tell(|| {
                format!("server {number} installs group {group}, generation {}", built.group.version.generation)
            });
            let late =
                if self.has(Fault::InstallsByZone) && built.changed.len() > 1 { built.changed.pop() } else { None };
            let (version, zone_group) = (built.group.version, built.group.clone());
            next.install(built.number, built.group, built.changed);
            self.servers[number].directory = Arc::new(next.clone());
            if poison == 0 && self.servers[number].fault.is_some_and(|(of, _)| of == group) {
                self.server_says_its_fault(number, None);
            }
            self.figures.count("installs");
            self.is_served(number, group, version)?;
            next.install(built.number, zone_group, late.into_iter().collect());
            self.servers[number].directory = Arc::new(next.clone());
        }
        self.server_reports(who);
        Ok(())
    }

    fn poison(&self, built: &Built) -> Stamp {
        let group = &self.words.groups[built.number.0 as usize - 1];
        let mut poison = 0;
        for (name, zone) in &built.changed {
            let (Some(of), Some(zone)) = (group.zone(name), zone) else { continue };
            for (nth, owner) in group.zones[of].owners.iter().enumerate().skip(1) {
                let node = zone.node(owner);
                let sets = node.iter().flat_map(server::snapshot::Node::sets);
                let stamps = sets.filter_map(|set| group.zones[of].stamp(nth, set));
                poison |= stamps.fold(0, |poison, stamp| poison | (stamp & (DEADLY | FAULTY)));
            }
        }
        poison
    }

    /// What can be seen of a server from outside.
    fn is_served(&mut self, number: usize, group: usize, version: Version) -> Verdict {
        let words = &self.words.groups[group];
        let directory = &self.servers[number].directory;
        let mut served = Served { version, state: [Some(0); PLACES], serials: [None; 2] };
        for (zone, of) in words.zones.iter().enumerate() {
            let Some(standing) = directory.zone(&of.name) else { continue };
            served.serials[zone] = standing.serial();
            for (nth, owner) in of.owners.iter().enumerate() {
                let node = standing.node(owner);
                for set in node.iter().flat_map(server::snapshot::Node::sets) {
                    served.state[Place::of(zone, nth).0 as usize] = of.stamp(nth, set);
                }
            }
        }
        let incarnation = self.servers[number].life.incarnation;
        let before = self.servers[number].shown[group].as_ref();
        // A server that starts with nothing takes what there is; and after a restore that may be older, or a fork.
        let before = before.filter(|(_, of)| *of == incarnation || self.restores == 0);
        let before = before.map(|(served, _)| *served);
        self.servers[number].shown[group] = Some((served, incarnation));
        self.ledgers[group].served(before.as_ref(), &served)?;
        let is_later = !self.layout.rings[self.servers[number].ring].1.first;
        if is_later && self.ledgers[group].is_poison(version) {
            let how = format!("server {number} of a later ring serves the poisoned generation {}", version.generation);
            return Err(Broken { promise: Promise::FailedStaysBehind, how });
        }
        Ok(())
    }

    fn server_says_its_fault(&mut self, number: usize, fault: Option<(usize, Version)>) {
        self.servers[number].fault = fault;
        if let Some(row) = self.database.tables.servers[number].as_mut().filter(|_| self.database.is_up) {
            let said = |version: Version| format!("generation {} cannot be installed", version.generation);
            row.fault = fault.map(|(group, version)| (group, said(version)));
        }
    }

    /// A server says that it lives: after a start, a pause, or a database that was away.
    pub(crate) fn server_connects(&mut self, who: Who) {
        let Actor::Server(number) = who.actor else { return };
        if !self.may(who, || Event::Connect(who)) {
            return;
        }
        if !self.database.is_up {
            return self.after(200, 1_500, Event::Connect(who));
        }
        let (now, ring) = (self.now, self.servers[number].ring);
        match &mut self.database.tables.servers[number] {
            Some(row) if row.instance == who.incarnation => row.speaks_again(now),
            _ => self.database.server_starts(number, who.incarnation, ring, now),
        }
        let fault = self.servers[number].fault;
        self.server_says_its_fault(number, fault);
        self.servers[number].reported.fill(None);
        self.server_reports(who);
    }

    fn server_reports(&mut self, who: Who) {
        let Actor::Server(server) = who.actor else { return };
        if self.servers[server].is_reporting {
            return;
        }
        let says = (0..self.layout.groups).find_map(|group| {
            let version = self.servers[server].serves(group)?;
            (self.servers[server].reported[group] != Some(version)).then_some((group, version))
        });
        if let Some((group, version)) = says {
            self.servers[server].is_reporting = true;
            self.send(who, 0, Work::Report { server, instance: who.incarnation, group, version });
        }
    }

    /// The database has answered a report.
    pub(crate) fn server_is_answered(&mut self, who: Who, work: &Work, answer: &Answer) {
        let (Actor::Server(number), Work::Report { group, version, .. }) = (who.actor, work) else { return };
        self.servers[number].is_reporting = false;
        if *answer == Answer::Done {
            self.servers[number].reported[*group] = Some(*version);
            self.server_reports(who);
        } else {
            // Lost, or the database does not know this start of it: it connects again, and says all of it.
            self.after(100, 1_000, Event::Connect(who));
        }
    }

    /// A server is gone, with all that it held.
    pub(crate) fn server_dies(&mut self, who: Who) {
        let Actor::Server(number) = who.actor else { return };
        if self.servers[number].life.is_dead || self.servers[number].life.incarnation != who.incarnation {
            return;
        }
        self.tell(|| format!("server {number} dies"));
        self.server_falls_silent(number);
        let server = &mut self.servers[number];
        (server.life.is_dead, server.is_building, server.is_reporting, server.fault) = (true, false, false, None);
        server.directory = Arc::default();
        self.after(300, 2_500, Event::Start(who.actor));
    }

    /// No more heartbeats, for now.
    pub(crate) fn server_falls_silent(&mut self, number: usize) {
        let now = self.now;
        if let Some(row) = self.database.tables.servers[number].as_mut().filter(|_| self.database.is_up) {
            row.falls_silent(now);
        }
    }

    /// A notice to all servers that heads have moved.
    pub(crate) fn notify_servers(&mut self) {
        for server in 0..self.servers.len() {
            let who = self.who(Actor::Server(server));
            for _ in 0..self.notices() {
                let ms = self.message_ms();
                self.after(ms, ms, Event::Follow(who, false));
            }
        }
    }
}
