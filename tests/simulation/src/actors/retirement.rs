//! Two retirements, equal, and at the same things: each reads how far a floor may rise, asks the real rules, and then takes
//! away in small steps what nobody sees any more. Between any two of them it may be stopped, or killed for good.

use crate::database::{Answer, Retire, Step, Work};
use crate::events::{Actor, Event, Who};
use crate::fault::Fault;
use crate::world::{Life, World};
use plan_rules::Retirement;
use zone_model::Generation;

/// How long it rests between two looks at all groups, at most.
const EVERY_MS: u64 = 4_000;

/// The program.
#[derive(Clone, Debug, Default)]
pub(crate) struct Retiring {
    pub(crate) life: Life,
    doing: Doing,
}

/// What it is about to do, or waits for.
#[derive(Clone, Copy, Debug, Default)]
enum Doing {
    /// It looks at all groups, from the first one on.
    #[default]
    Rests,
    /// It looks at this group, if there is one.
    Looks(usize),
    /// It has read floor and tip of a group, and goes on to heads and pins.
    Reads(Group),
    /// It asks for a step, or waits for its answer.
    Takes(Group, Step),
}

#[derive(Clone, Copy, Debug)]
struct Group {
    number: usize,
    floor: Generation,
    oldest_kept: Option<Generation>,
    is_unswept: bool,
}

impl Retiring {
    /// Nothing outlives a start of the program.
    pub(crate) fn begins_anew(&mut self) {
        *self = Self { life: self.life, ..Self::default() };
    }
}

impl World {
    /// Its next step.
    pub(crate) fn retiring_steps(&mut self, who: Who) {
        let Actor::Retirement(number) = who.actor else { return };
        if !self.may(who, || Event::Retire(who)) {
            return;
        }
        if !self.database.is_up {
            return self.retiring_rests(number, who);
        }
        match self.retiring[number].doing {
            Doing::Rests => self.retiring_looks(number, who, 0),
            Doing::Looks(group) => self.retiring_looks(number, who, group),
            Doing::Reads(group) => self.retiring_decides(number, who, group),
            Doing::Takes(group, step) => self.send(who, 0, Work::Retire(Retire { group: group.number, step })),
        }
    }

    fn retiring_rests(&mut self, number: usize, who: Who) {
        self.retiring[number].doing = Doing::Rests;
        self.after(EVERY_MS / 4, EVERY_MS, Event::Retire(who));
    }

    /// A moment later, and somewhat longer if there is time to go wrong.
    fn retiring_does(&mut self, number: usize, who: Who, doing: Doing) {
        self.retiring[number].doing = doing;
        let ms = if self.is_calm { 5 } else { self.message_ms() + self.random.between(0, 120) };
        self.after(ms, ms, Event::Retire(who));
    }

    /// Finds the next group in which there is something to do.
    fn retiring_looks(&mut self, number: usize, who: Who, from: usize) {
        let keep = self.layout.keep;
        let found = (from..self.layout.groups).find_map(|group| {
            let rows = &self.database.tables.groups[group];
            let numbers = rows.generations.iter().rev().map(|one| one.version.generation);
            let oldest_kept = numbers.skip(keep - 1).find(|_| true).filter(|kept| *kept > rows.floor);
            let is_unswept = rows.floor > Generation::FIRST && rows.sweep.swept < Some(rows.floor);
            let group = Group { number: group, floor: rows.floor, oldest_kept, is_unswept };
            (oldest_kept.is_some() || is_unswept).then_some(group)
        });
        match found {
            Some(group) => self.retiring_does(number, who, Doing::Reads(group)),
            None => self.retiring_rests(number, who),
        }
    }

    fn retiring_decides(&mut self, number: usize, who: Who, group: Group) {
        let rows = &self.database.tables.groups[group.number];
        let rings = self.database.tables.rings.iter().enumerate();
        let head = |ring| self.database.head(group.number, ring).map(|head| head.generation);
        let mut retirement = Retirement {
            floor: group.floor,
            oldest_kept: group.oldest_kept,
            heads: rings.map(|(ring, (name, _))| (name.clone(), head(ring))).collect(),
            pins: rows.pins.iter().map(|pin| pin.generation).collect(),
        };
        if self.has(Fault::FloorPassesHeads) {
            retirement.heads.clear();
        }
        if self.has(Fault::PinsIgnored) {
            retirement.pins.clear();
        }
        let to = retirement.floor().at;
        if to > group.floor {
            self.retiring_does(number, who, Doing::Takes(group, Step::RaiseFloor(to, self.layout.keep)));
        } else if group.is_unswept {
            self.retiring_takes(number, who, group, Step::Moves);
        } else {
            self.retiring_does(number, who, Doing::Looks(group.number + 1));
        }
    }

    /// Steps are small here, so that there are many moments between them.
    fn retiring_takes(&mut self, number: usize, who: Who, group: Group, step: fn(usize) -> Step) {
        let rows = self.random.between(1, 8) as usize;
        self.retiring_does(number, who, Doing::Takes(group, step(rows)));
    }

    /// The database has answered.
    pub(crate) fn retiring_is_answered(&mut self, number: usize, who: Who, answer: &Answer) {
        let Doing::Takes(group, step) = self.retiring[number].doing else { return };
        match (step, answer) {
            (Step::RaiseFloor(..), Answer::Raised(is_ours)) if *is_ours || group.is_unswept => {
                self.retiring_takes(number, who, group, Step::Moves);
            }
            (Step::Moves(_), Answer::Retired { removed: 0, .. }) => {
                self.retiring_takes(number, who, group, Step::Changes);
            }
            (Step::Moves(_), Answer::Retired { .. }) => self.retiring_takes(number, who, group, Step::Moves),
            (Step::Changes(_), Answer::Retired { done: false, .. }) => {
                self.retiring_takes(number, who, group, Step::Changes);
            }
            (Step::Changes(_), Answer::Retired { .. }) => self.retiring_takes(number, who, group, Step::Forget),
            (Step::Forget(_), Answer::Retired { done: false, .. }) => {
                self.retiring_takes(number, who, group, Step::Forget);
            }
            // Done; or refused, or lost: then the next look tries again.
            _ => self.retiring_does(number, who, Doing::Looks(group.number + 1)),
        }
    }
}
