//! The database, in memory: what commits, what waits, and what is refused, as the schema in `migrations/` has it.
//!
//! A call of a door is two moments, as in Postgres: its statements run, judge what is committed by then and hold their
//! locks ([`Database::begin`]); later it commits, and everybody sees it ([`Database::commit`]). What another open
//! transaction holds is waited for. Readers never wait, and see what is committed.

mod admission;
mod contents;
mod enactment;
mod reading;
mod retirement;
mod rows;
mod stops;

pub use admission::Admit;
pub use contents::Contents;
pub use enactment::{Judge, Move};
pub use reading::tip_of;
pub use retirement::{REMEMBERED, Retire, Step};
pub use rows::{GenerationRow, Group, HeadMove, PinRow, Row, ServerRow, Staged, StopRow, Tables, VerdictRow};
pub use stops::Stops;

use crate::fault::Fault;
use crate::time::Time;
use crate::words::Words;
use retirement::Gone;
use std::rc::Rc;
use zone_model::{Generation, Version};

/// Moves hold it shared, whoever stops them exclusively; 7310 in the schema.
const MOVES: usize = 0;
/// Admissions hold it shared, whoever says that a history is behind exclusively; 7311 in the schema.
const ADMISSIONS: usize = 1;

/// How a transaction holds a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hold {
    Not,
    Shared,
    Exclusive,
}

/// A call of a door.
#[derive(Clone, Debug)]
pub enum Work {
    /// Draws a number for a plan that is admitted later.
    Stage(Staged),
    /// `call admit(…)`.
    Admit(Rc<Admit>),
    /// `call enact(…)`.
    Move(Rc<Move>),
    /// `call judge(…)`, or a person's `fail`.
    Judge(Judge),
    /// `call freeze(…)` and `call thaw(…)`.
    Stops(Stops),
    /// A step of the retirement.
    Retire(Retire),
    /// `call pin_generation(…)`.
    Pin(usize, Generation),
    /// `call unpin_generation(…)`, by the pin's number.
    Unpin(usize, u64),
    /// A server says what it serves.
    Report {
        /// Which server.
        server: usize,
        /// Which start of it.
        instance: u32,
        /// The group.
        group: usize,
        /// What it serves of it.
        version: Version,
    },
}

/// What a door answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The plan's number.
    Staged(u64),
    /// Committed as this generation.
    Admitted(Version),
    /// The idempotency key has its result already.
    KeyKnown(Version),
    /// Somebody took the number: nothing is written.
    LostRace,
    /// The row is ours, or was there.
    Moved(bool),
    /// The floor rose, or was there already.
    Raised(bool),
    /// So many rows went; whether that was all.
    Retired {
        /// How many.
        removed: usize,
        /// Whether nothing is left to do.
        done: bool,
    },
    /// Done.
    Done,
    /// Refused, with a SQLSTATE.
    Refused(&'static str),
    /// The connection broke. Perhaps it was done, perhaps not.
    Lost,
}

/// How far a call got at once.
#[derive(Debug)]
pub enum Begun {
    /// It is over.
    Over(Answer),
    /// Somebody holds what it needs.
    Waits,
    /// It holds what it needs, and commits later.
    Open(u64),
}

/// A transaction that has not committed.
#[derive(Debug)]
struct Open {
    number: u64,
    holds: [Hold; 2],
    work: Work,
    write: Write,
}

/// What it will have written.
#[derive(Debug)]
enum Write {
    Nothing(Answer),
    Staged(u64, Staged),
    Generation { row: Rc<GenerationRow>, ends_behind: bool },
    Move(HeadMove),
    Verdict(VerdictRow),
    Stop(StopRow),
    Thaw(Vec<u64>),
    Retired(Box<Gone>),
    Pin(usize, PinRow),
    Unpin(usize, u64),
    Report { behind: bool },
}

/// The database.
#[derive(Debug)]
pub struct Database {
    /// What is committed.
    pub tables: Tables,
    /// Whether it answers.
    pub is_up: bool,
    /// The words of its names.
    pub words: Rc<Words>,
    /// What is broken.
    pub fault: Option<Fault>,
    open: Vec<Open>,
    opened: u64,
}

impl Database {
    /// An empty one.
    #[must_use]
    pub fn new(words: Rc<Words>, tables: Tables, fault: Option<Fault>) -> Self {
        Self { tables, is_up: true, words, fault, open: Vec::new(), opened: 0 }
    }

    /// Runs a call up to its commit. `waited_ms` is for how long it has waited already.
    pub fn begin(&mut self, work: &Work, waited_ms: u64, now: Time) -> Begun {
        if !self.is_up {
            return Begun::Over(Answer::Lost);
        }
        let holds = self.needs(work);
        // A report goes on without the locks after a second: it must not be lost behind whoever holds them.
        let insists = !matches!(work, Work::Report { .. }) || waited_ms < 1_000;
        if insists && (self.is_held(holds) || self.waits_for_a_row(work)) {
            // Nobody waits long for the retirement, nor it for others: what is held is tried again later.
            let gives_up = matches!(work, Work::Retire(_)) && waited_ms >= 1_000;
            return if gives_up { Begun::Over(Answer::Refused("55P03")) } else { Begun::Waits };
        }
        let write = match work {
            Work::Stage(staged) => self.stage(*staged),
            Work::Admit(admit) => self.judge_admission(admit, now),
            Work::Move(one) => self.judge_move(one, now),
            Work::Judge(judge) => self.judge_verdict(judge, now),
            Work::Stops(stops) => Ok(self.judge_stops(stops)),
            Work::Retire(retire) => self.judge_retirement(retire),
            Work::Pin(group, generation) => self.judge_pin(*group, *generation),
            Work::Unpin(group, pin) => Ok(Write::Unpin(*group, *pin)),
            Work::Report { group, version, .. } => {
                Ok(Write::Report { behind: !self.tables.groups[*group].knows(*version) })
            }
        };
        match write {
            Ok(Write::Nothing(answer)) => Begun::Over(answer),
            Ok(write) => {
                self.opened += 1;
                self.open.push(Open { number: self.opened, holds, work: work.clone(), write });
                Begun::Open(self.opened)
            }
            Err(code) => Begun::Over(Answer::Refused(code)),
        }
    }

    /// Commits. A transaction that is not open any more was lost in a restart.
    pub fn commit(&mut self, number: u64, now: Time) -> Answer {
        let Some(place) = self.open.iter().position(|open| open.number == number) else { return Answer::Lost };
        let open = self.open.remove(place);
        match open.write {
            Write::Nothing(answer) => answer,
            Write::Staged(plan, staged) => {
                self.tables.staged.insert(plan, staged);
                Answer::Staged(plan)
            }
            Write::Generation { row, ends_behind } => self.write_generation(&open.work, row, ends_behind, now),
            Write::Move(row) => self.write_move(&open.work, row, now),
            Write::Verdict(row) => self.write_verdict(&open.work, row, now),
            Write::Stop(row) => {
                self.tables.stops.push(row);
                Answer::Done
            }
            Write::Thaw(numbers) => {
                self.tables.stops.retain(|stop| !numbers.contains(&stop.number));
                Answer::Done
            }
            Write::Retired(gone) => self.write_retirement(&open.work, &gone),
            Write::Pin(group, pin) => {
                self.tables.groups[group].pins.push(pin);
                Answer::Done
            }
            Write::Unpin(group, pin) => {
                self.tables.groups[group].pins.retain(|row| row.number != pin);
                Answer::Done
            }
            Write::Report { behind } => self.write_report(&open.work, behind, now),
        }
    }

    /// Whether the transaction is the one that commits such a call: what an observer is told with a commit.
    #[must_use]
    pub fn work_of(&self, number: u64) -> Option<&Work> {
        self.open.iter().find(|open| open.number == number).map(|open| &open.work)
    }

    /// Everything that was open is gone, and nobody can write until it is up again.
    pub fn goes_down(&mut self, now: Time) {
        self.is_up = false;
        self.open.clear();
        for server in self.tables.servers.iter_mut().flatten() {
            server.falls_silent(now);
        }
    }

    /// It is up, with what was committed, or as it was at an earlier moment.
    pub fn comes_up(&mut self, restored: Option<Tables>) {
        self.is_up = true;
        if let Some(tables) = restored {
            self.tables = tables;
        }
    }

    /// All that is committed now. Nobody speaks in a backup.
    #[must_use]
    pub fn backup(&self, now: Time) -> Tables {
        let mut tables = self.tables.clone();
        for server in tables.servers.iter_mut().flatten() {
            server.falls_silent(now);
        }
        tables
    }

    fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    /// The locks that a call takes before it looks.
    fn needs(&self, work: &Work) -> [Hold; 2] {
        let mut holds = [Hold::Not; 2];
        match work {
            Work::Stage(..) | Work::Retire(_) | Work::Pin(..) | Work::Unpin(..) => {}
            Work::Admit(admit) if admit.is_raise() => holds = [Hold::Exclusive; 2],
            Work::Admit(_) => holds[ADMISSIONS] = Hold::Shared,
            Work::Move(_) => holds[MOVES] = Hold::Shared,
            Work::Judge(judge) if judge.passed => {}
            Work::Stops(_) if self.has(Fault::FreezeWithoutLock) => {}
            Work::Judge(_) | Work::Stops(_) => holds[MOVES] = Hold::Exclusive,
            Work::Report { group, version, .. } => {
                if !self.tables.groups[*group].knows(*version) {
                    holds = [Hold::Exclusive; 2];
                }
            }
        }
        holds
    }

    fn is_held(&self, wanted: [Hold; 2]) -> bool {
        self.open.iter().any(|open| open.holds.iter().zip(wanted).any(|(held, wanted)| excludes(*held, wanted)))
    }

    /// Whether an open transaction has inserted a row of the same key: the unique index waits to see what becomes of it.
    fn waits_for_a_row(&self, work: &Work) -> bool {
        self.open.iter().any(|open| match (&open.work, work) {
            (Work::Admit(one), Work::Admit(other)) => !self.has(Fault::NoCompareAndSwap) && one.meets(other),
            (Work::Move(one), Work::Move(other)) => one.is_same_row(other),
            (Work::Judge(one), Work::Judge(other)) => one == other,
            (one, other) => match (self.holds_its_group(one), self.holds_its_group(other)) {
                (Some((group, held)), Some((of, wanted))) => group == of && excludes(held, wanted),
                _ => false,
            },
        })
    }

    /// How a call holds the row of its group: moves and pins wait for a floor that is rising, and it for them.
    fn holds_its_group(&self, work: &Work) -> Option<(usize, Hold)> {
        match work {
            Work::Move(one) => Some((one.group, Hold::Shared)),
            Work::Pin(group, _) => Some((*group, Hold::Shared)),
            Work::Retire(Retire { group, step: Step::RaiseFloor(..) }) if !self.has(Fault::FloorWithoutLock) => {
                Some((*group, Hold::Exclusive))
            }
            _ => None,
        }
    }
}

/// Whether two cannot hold the same lock so.
const fn excludes(held: Hold, wanted: Hold) -> bool {
    match (held, wanted) {
        (Hold::Not, _) | (_, Hold::Not) => false,
        (held, wanted) => matches!(held, Hold::Exclusive) || matches!(wanted, Hold::Exclusive),
    }
}
