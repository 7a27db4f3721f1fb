//! What happens next, and to whom.

use crate::actors::{Building, Reading};
use crate::database::{Answer, Work};
use crate::time::Time;
use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

/// A program, or a person at one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Actor {
    /// An API, which carries admissions out.
    Api(usize),
    /// An enactor.
    Enactor(usize),
    /// A DNS server.
    Server(usize),
    /// A retirement.
    Retirement(usize),
    /// The operator's own connection.
    Operator,
}

/// One start of an actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Who {
    /// The actor.
    pub(crate) actor: Actor,
    /// Which start of it.
    pub(crate) incarnation: u32,
}

/// A call of a door, on its way.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// Who called.
    pub(crate) who: Who,
    /// For which task of an API.
    pub(crate) task: usize,
    /// What is asked.
    pub(crate) work: Work,
    /// Since when it has waited at the database.
    pub(crate) arrived: Option<Time>,
    /// Whether anybody listens to the answer: not to that of a call that came twice.
    pub(crate) is_heard: bool,
}

/// Something that happens.
#[derive(Debug)]
pub(crate) enum Event {
    /// An actor sends a call, unless it is stopped.
    Send(Box<Call>),
    /// A call reaches the database, or has waited there for a moment.
    Arrive(Box<Call>),
    /// A transaction commits.
    Commit(u64, Box<Call>),
    /// An answer reaches whoever called.
    Reply(Box<Call>, Answer),
    /// A client thinks.
    Client(usize),
    /// A client hears what became of its plan, or has waited long enough.
    Told(usize, u32, Told),
    /// An admission's next step.
    Task(usize, Who),
    /// The operator does something.
    Operator,
    /// An enactor looks: by its tick, or woken.
    Look(Who, bool),
    /// A server looks: by its tick, or woken.
    Follow(Who, bool),
    /// A server swaps in what it has built.
    Install(Who, Box<Building>),
    /// A server says that it lives, and what it serves.
    Connect(Who),
    /// A server that serves something deadly dies of it.
    Dies(Who),
    /// A retirement's next step.
    Retire(Who),
    /// A reader asks for a generation, or goes on reading.
    Reader(Option<Box<Reading>>),
    /// A program is started again.
    Start(Actor),
    /// A stopped server goes on.
    Resume(Who),
    /// The database is up again, perhaps restored from this backup.
    Up(Option<usize>),
    /// Something goes wrong.
    Chaos,
    /// All faults are over.
    Calm,
    /// In the calm: has the newest got everywhere?
    Check,
}

/// What a client is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// It is in the history, or was wished already.
    Admitted,
    /// This try of it was refused; and whether it was in the history by then. (Later a retry may have got in, before whoever asked has
    /// heard of this.)
    Refused(bool),
    /// Nothing.
    Silence,
}

#[derive(Debug)]
struct Scheduled {
    at: Time,
    sequence: u64,
    event: Event,
}

impl PartialEq for Scheduled {
    fn eq(&self, other: &Self) -> bool {
        self.sequence == other.sequence
    }
}

impl Eq for Scheduled {}

impl PartialOrd for Scheduled {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Scheduled {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.sequence).cmp(&(other.at, other.sequence))
    }
}

/// What is to come, in order.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    heap: BinaryHeap<Reverse<Scheduled>>,
    sequence: u64,
}

impl Queue {
    /// Something will happen.
    pub(crate) fn push(&mut self, at: Time, event: Event) {
        self.sequence += 1;
        self.heap.push(Reverse(Scheduled { at, sequence: self.sequence, event }));
    }

    /// What happens next, and when.
    pub(crate) fn pop(&mut self) -> Option<(Time, Event)> {
        self.heap.pop().map(|Reverse(next)| (next.at, next.event))
    }
}
