//! Stories that a seed draws: plans, honest and bent, moves, verdicts, stops and reports, in any order.

use crate::{Bend, Both, Call, Difference, Layout, Outcome, decide, decide_unguarded};
use plan_rules::{Admission, Ring, RingName};
use simulation::database::{Judge, Move, Stops};
use simulation::intent::{Intent, Wish};
use simulation::random::Random;
use simulation::words::{A, ALIAS, GROUPS_MAX, Mask, PAIR, Place, WWW};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;
use zone_model::{GENERATIONS_PER_EPOCH, Generation, Id, Version};

/// How many calls a story has.
const CALLS: u64 = 40;

/// What was decided, and not admitted yet.
struct Decided {
    group: usize,
    admission: Rc<Admission>,
    key: Option<u32>,
    handle: Option<usize>,
}

struct Story {
    random: Random,
    layout: Layout,
    decided: Vec<Decided>,
    handles: usize,
    tags: u32,
    instances: Vec<u32>,
}

/// Plays the story of a seed on both.
///
/// # Errors
/// When the two are unlike.
pub fn random_story(both: &mut Both, seed: u64) -> Result<(), Difference> {
    let mut random = Random::new(seed);
    let layout = draw_layout(&mut random);
    both.begin_anew(&layout);
    let instances = vec![1; layout.servers.len()];
    let mut story = Story { random, layout, decided: Vec::new(), handles: 0, tags: 0, instances };
    for server in 0..story.layout.servers.len() {
        both.call(&Call::Start { server, instance: 1 })?;
    }
    for _ in 0..CALLS {
        story.step(both)?;
    }
    Ok(())
}

fn draw_layout(random: &mut Random) -> Layout {
    let ring = |name: &str, first, delay_s, servers_min| {
        let name = RingName::parse(name).unwrap_or_else(|| unreachable!("{name} is a name"));
        (name, Ring { first, soak: Duration::ZERO, delay: Duration::from_secs(delay_s), servers_min })
    };
    let least = if random.percent(70) { 1 } else { 2 };
    match random.below(3) {
        0 => Layout { rings: vec![ring("fleet", true, 0, least)], servers: vec![0, 0] },
        1 => Layout { rings: vec![ring("canary", true, 0, least), ring("fleet", false, 0, 1)], servers: vec![0, 0, 1] },
        _ => {
            let rings = vec![ring("canary", true, 0, least), ring("fleet", false, 0, 1), ring("slow", false, 3_600, 1)];
            Layout { rings, servers: vec![0, 1, 2] }
        }
    }
}

impl Story {
    fn step(&mut self, both: &mut Both) -> Result<(), Difference> {
        // Mostly the first group: what is spread thin meets nothing.
        let group = if self.random.percent(85) { 0 } else { self.random.below(GROUPS_MAX) };
        match self.random.below(100) {
            0..30 => self.decides(both, group),
            30..48 => return self.admits(both),
            48..54 => return self.stages(both),
            54..70 => return both.call(&self.moves(both, group)).map(drop),
            70..80 => {
                let (generation, passed) = (self.generation(both, group), self.random.percent(70));
                // Of a number that is not there, or that another history has; or, by a person, whichever is there.
                let there = both.memory.id_of(group, generation).filter(|_| !self.random.percent(5));
                let by_a_person = !passed && self.random.percent(30);
                let id = (!by_a_person).then(|| there.unwrap_or(Id::GENESIS));
                let judge = Judge { group, generation, id, passed };
                return both.call(&Call::Judge(judge)).map(drop);
            }
            80..86 => {
                let of = |random: &mut Random, many| random.percent(60).then(|| random.below(many));
                let ring = of(&mut self.random, self.layout.rings.len());
                let group = self.random.percent(80).then_some(group);
                let stops = Stops { freezes: self.random.percent(30), group, ring };
                return both.call(&Call::Stops(stops)).map(drop);
            }
            86..95 => return self.reports(both, group),
            95..98 => {
                let server = self.random.below(self.layout.servers.len());
                self.instances[server] += 1;
                return both.call(&Call::Start { server, instance: self.instances[server] }).map(drop);
            }
            _ => {
                let (floor, tip) = (self.generation(both, group), tip(both, group).generation);
                let floor = floor.min(tip).max(both.memory.database().tables.groups[group].floor);
                return both.call(&Call::Floor { group, floor }).map(drop);
            }
        }
        // What was decided is mostly at the door at once.
        if self.random.percent(75) { self.admits(both) } else { Ok(()) }
    }

    fn decides(&mut self, both: &Both, group: usize) {
        let database = both.memory.database();
        self.tags += 1;
        let wish = self.wish(both, group);
        let is_late = self.random.percent(25) && !matches!(wish, Wish::Raise);
        let base = if is_late { Some(self.version(both, group)) } else { Some(tip(both, group)) };
        let reads =
            if self.random.percent(25) { Mask(self.random.bits() as u16).common(Mask::zone(0)) } else { Mask(0) };
        let by_operator = self.random.percent(60);
        let intent = Intent {
            tag: self.tags,
            group,
            base,
            says_id: false,
            wish,
            reads,
            by_operator,
            may_dangle: by_operator,
            keyed: false,
        };
        let decide = if self.random.percent(80) { decide } else { decide_unguarded };
        let Some(mut admission) = decide(database, &intent) else { return };
        if self.random.percent(20) {
            admission = self.bend().bend(database, group, admission);
        }
        let key = self.random.percent(25).then(|| group as u32 * 100 + self.random.below(4) as u32);
        self.decided.push(Decided { group, admission: Rc::new(admission), key, handle: None });
    }

    fn wish(&mut self, both: &Both, group: usize) -> Wish {
        let zone = self.random.below(2);
        let stamp = |random: &mut Random| random.between(1, 60) as u16;
        match self.random.below(100) {
            0..55 => {
                let nth = self.random.one_of(&[WWW, A, A + 1, PAIR, ALIAS]);
                let stamp = match nth {
                    ALIAS => (A + self.random.below(3)) as u16,
                    _ if self.random.percent(25) => 0,
                    _ => stamp(&mut self.random),
                };
                Wish::Set(vec![(Place::of(zone, nth), stamp)])
            }
            55..65 => {
                let mut stamps = [1; 7];
                stamps[WWW] = stamp(&mut self.random) | 1;
                stamps[ALIAS] = A as u16;
                Wish::Replace(zone, stamps)
            }
            65..70 => Wish::End(1),
            70..80 => Wish::Guard(Place::of(zone, self.random.one_of(&[WWW, A])), self.random.below(3) as u8),
            80..85 => Wish::Close(self.random.percent(50)),
            85..94 => Wish::Rollback(self.generation(both, group), self.random.percent(50)),
            _ => Wish::Raise,
        }
    }

    fn bend(&mut self) -> Bend {
        let to = Generation::new(self.random.between(1, 6) as i64).unwrap_or(Generation::FIRST);
        let by = self.random.one_of(&[-1, 1, 2, GENERATIONS_PER_EPOCH]);
        self.random.one_of(&[
            Bend::Number(by),
            Bend::Parent,
            Bend::Base(by),
            Bend::Unspent,
            Bend::Empty,
            Bend::WithoutTheLast,
            Bend::AsTheEnd,
            Bend::AsARaise,
            Bend::AsARollback(to),
            Bend::WithoutReads,
        ])
    }

    fn stages(&mut self, both: &mut Both) -> Result<(), Difference> {
        if self.decided.is_empty() {
            return Ok(());
        }
        let at = self.random.below(self.decided.len());
        self.handles += 1;
        let one = &mut self.decided[at];
        // A raise has no rows, and is never staged.
        let call = Call::Stage { handle: self.handles, group: one.group, admission: one.admission.clone() };
        if both.call(&call)? == Outcome::Staged {
            one.handle = Some(self.handles);
        }
        Ok(())
    }

    /// One of those that were decided: the newest mostly, or one that is late.
    fn admits(&mut self, both: &mut Both) -> Result<(), Difference> {
        let Some(newest) = self.decided.len().checked_sub(1) else { return Ok(()) };
        let at = if self.random.percent(60) { newest } else { self.random.below(newest + 1) };
        let one = &self.decided[at];
        let Decided { group, key, mut handle, .. } = *one;
        let mut admission = one.admission.clone();
        let is_late = admission.parent != tip(both, group).id;
        if is_late && self.random.percent(50) {
            let mut onto = Bend::OntoTheTip.bend(both.memory.database(), group, Admission::clone(&admission));
            // A staged plan's own row says its base.
            if handle.is_none() && self.random.percent(60) {
                onto = Bend::FromTheTip.bend(both.memory.database(), group, onto);
            }
            admission = Rc::new(onto);
        }
        if self.random.percent(2) {
            handle = Some(usize::MAX);
        }
        let outcome = both.call(&Call::Admit { group, admission, key, staged: handle })?;
        if matches!(outcome, Outcome::Admitted(_)) && self.random.percent(85) {
            self.decided.remove(at);
        }
        Ok(())
    }

    fn moves(&mut self, both: &Both, group: usize) -> Call {
        let ring = self.random.below(self.layout.rings.len());
        let to = if self.random.percent(60) { tip(both, group) } else { self.version(both, group) };
        let expected = match self.random.below(4) {
            0 => None,
            many => Some((0..many - 1).map(|server| format!("server-{server}")).collect::<BTreeSet<_>>()),
        };
        Call::Move(Move { group, ring, to, expected })
    }

    fn reports(&mut self, both: &mut Both, group: usize) -> Result<(), Difference> {
        let server = self.random.below(self.layout.servers.len());
        let mut version = self.version(both, group);
        let unlike = Id::of(&version.id, version.generation, &zone_model::Digest::EMPTY);
        match self.random.below(20) {
            0 => version.id = unlike,
            1 => version = Version { generation: following(tip(both, group).generation, 1), id: unlike },
            2 => {
                version =
                    Version { generation: following(tip(both, group).generation, GENERATIONS_PER_EPOCH), id: unlike }
            }
            _ => {}
        }
        let stale = u32::from(self.random.percent(5));
        both.call(&Call::Report { server, instance: self.instances[server] - stale, group, version }).map(drop)
    }

    /// One of the group's, mostly a new one.
    fn version(&mut self, both: &Both, group: usize) -> Version {
        let generations = &both.memory.database().tables.groups[group].generations;
        let back = self.random.below(generations.len()).min(self.random.below(generations.len()));
        generations[generations.len() - 1 - back].version
    }

    /// The number of one, or one that is not there.
    fn generation(&mut self, both: &Both, group: usize) -> Generation {
        let there = self.version(both, group).generation;
        if self.random.percent(5) { following(there, 3) } else { there }
    }
}

fn tip(both: &Both, group: usize) -> Version {
    let tip = both.memory.database().tables.groups[group].tip();
    tip.map_or_else(|| unreachable!("every group has begun"), |tip| tip.version)
}

fn following(generation: Generation, by: i64) -> Generation {
    Generation::new(generation.get().saturating_add(by)).unwrap_or(Generation::FIRST)
}
