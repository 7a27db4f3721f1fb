//! Enactors: they look at the whole truth, ask the real rules for each ring of each group, and write one row. They take
//! no orders: a notice only makes them look sooner.

use crate::database::{Answer, Judge, Move, Work};
use crate::events::{Actor, Event, Who};
use crate::fault::Fault;
use crate::time::Time;
use crate::world::{Life, World};
use plan_rules::{Enactment, Next};
use std::rc::Rc;

/// How often an enactor looks, whether it hears anything or not.
const TICK_MS: u64 = 1_800;
/// After such a gap an enactor has watched nothing.
const GAP_MS: u64 = 5_000;

/// One of several equal enactors.
#[derive(Clone, Debug, Default)]
pub(crate) struct Enactor {
    pub(crate) life: Life,
    looked: Time,
    watches_since: Time,
    outstanding: u32,
    again: bool,
}

impl Enactor {
    /// Nothing outlives a start of the program.
    pub(crate) fn begins_anew(&mut self) {
        *self = Self { life: self.life, ..Self::default() };
    }
}

impl World {
    /// An enactor looks, and sends off what is to be written.
    pub(crate) fn enactor_looks(&mut self, who: Who, is_tick: bool) {
        let Actor::Enactor(number) = who.actor else { return };
        if !self.may(who, || Event::Look(who, is_tick)) {
            return;
        }
        if is_tick && !self.has(Fault::LoserGivesUp) {
            self.after(TICK_MS, TICK_MS, Event::Look(who, true));
        }
        let now = self.now;
        let is_up = self.database.is_up;
        let enactor = &mut self.enactors[number];
        // What was sent and never answered is given up after a while, as a broken connection is.
        if enactor.outstanding > 0 && now.0 - enactor.looked.0 < GAP_MS {
            enactor.again = true;
            return;
        }
        if !is_up || now.0 - enactor.looked.0 > GAP_MS {
            enactor.watches_since = now;
        }
        (enactor.looked, enactor.outstanding, enactor.again) = (now, 0, false);
        if is_up {
            let watched = now.since(enactor.watches_since);
            self.enactor_decides(number, who, watched);
        }
    }

    fn enactor_decides(&mut self, number: usize, who: Who, watched: std::time::Duration) {
        let rings = self.database.rings(&self.server_names, watched, self.now);
        for group in 0..self.layout.groups {
            let course = self.database.course(group, &self.server_names, self.now);
            for (ring, (name, _)) in self.layout.rings.clone().iter().enumerate() {
                let next = if self.has(Fault::VerdictIgnored) && ring > 0 {
                    let mut alone = rings.clone();
                    alone.rings.retain(|other, _| other == name);
                    Enactment.read(&alone, &course, name)
                } else {
                    Enactment.read(&rings, &course, name)
                };
                let work = match next {
                    Next::Move { version: to, expected } => Work::Move(Rc::new(Move { group, ring, to, expected })),
                    Next::Judge { generation, passed, why } => {
                        self.tell(|| format!("enactor {number}: group {group}, generation {generation}: {why}"));
                        let id = course.generations.get(&generation).map(|known| known.id);
                        Work::Judge(Judge { group, generation, id, passed })
                    }
                    Next::Wait(_) | Next::Stop(_) | Next::Read => continue,
                };
                self.enactors[number].outstanding += 1;
                self.send(who, 0, work);
            }
        }
    }

    /// The database has answered an enactor.
    pub(crate) fn enactor_is_answered(&mut self, number: usize, who: Who, work: &Work, answer: &Answer) {
        let next = match (answer, work) {
            (Answer::Moved(is_ours), _) => Enactment.written(*is_ours),
            (Answer::Done, Work::Judge(_)) => Enactment.judged(),
            _ => Next::Stop(plan_rules::Outcome::Refused),
        };
        let reads_again = matches!(next, Next::Read) && !self.has(Fault::LoserGivesUp);
        if *answer == Answer::Moved(false) {
            self.figures.count("races lost by enactors");
        }
        let enactor = &mut self.enactors[number];
        enactor.outstanding = enactor.outstanding.saturating_sub(1);
        enactor.again |= reads_again;
        if enactor.outstanding == 0 && enactor.again {
            enactor.again = false;
            self.after(5, 30, Event::Look(who, false));
        }
    }

    /// A notice to all enactors: late, or never, or twice.
    pub(crate) fn notify_enactors(&mut self) {
        for enactor in 0..self.enactors.len() {
            let who = self.who(Actor::Enactor(enactor));
            for _ in 0..self.notices() {
                let ms = self.message_ms();
                self.after(ms, ms, Event::Look(who, false));
            }
        }
    }

    /// How often a notice comes.
    pub(crate) fn notices(&mut self) -> u32 {
        match self.random.below(20) {
            0..2 if !self.is_calm => 0,
            2 if !self.is_calm => 2,
            _ => 1,
        }
    }
}
