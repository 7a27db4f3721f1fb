//! The contract of the database's doors: what a call answers, and what everybody sees afterwards. The simulation plays its
//! schedules on a database in memory; here the same calls go to that one and to a real Postgres, and after each of them
//! both must have answered the same, and show the same. So the one in memory cannot drift into something kinder.

mod decide;
mod memory;
mod postgres;
mod random;

pub use decide::{Bend, decide, decide_unguarded, on_the_tip};
pub use memory::Memory;
pub use postgres::Postgres;
pub use random::random_story;

use plan_rules::{Admission, Ring, RingName};
use simulation::database::{Judge, Move, Stops};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use zone_model::{Generation, Version};

/// What a story is played on, besides the groups with their first four generations.
#[derive(Clone, Debug)]
pub struct Layout {
    /// The rings.
    pub rings: Vec<(RingName, Ring)>,
    /// The ring of each server.
    pub servers: Vec<usize>,
}

/// A call of a door; or a moment that no door brings about (the last two).
#[derive(Clone, Debug)]
pub enum Call {
    /// Draws a number for a plan that is admitted later, and writes its rows.
    Stage {
        /// What the number is called in this story.
        handle: usize,
        /// The group.
        group: usize,
        /// The plan, as it was decided.
        admission: Rc<Admission>,
    },
    /// `call admit(…)` of one plan.
    Admit {
        /// The group.
        group: usize,
        /// The plan, as it was decided.
        admission: Rc<Admission>,
        /// The idempotency key.
        key: Option<u32>,
        /// Under which number it was staged.
        staged: Option<usize>,
    },
    /// `call enact(…)`.
    Move(Move),
    /// `call judge(…)`.
    Judge(Judge),
    /// `call freeze(…)` and `call thaw(…)`.
    Stops(Stops),
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
    /// A server starts, and says so.
    Start {
        /// Which server.
        server: usize,
        /// Which start of it.
        instance: u32,
    },
    /// Retirement has raised a floor.
    Floor {
        /// The group.
        group: usize,
        /// The oldest generation that can still be read.
        floor: Generation,
    },
}

/// What a door answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A number was drawn.
    Staged,
    /// Committed as this generation.
    Admitted(Version),
    /// The idempotency key has its result already.
    KeyKnown,
    /// Somebody was first, or what was decided on is not there: nothing is written.
    LostRace,
    /// Whether the row is the caller's.
    Moved(bool),
    /// Done.
    Done,
    /// Refused, with this SQLSTATE.
    Refused(String),
}

impl Outcome {
    /// A word for it, without figures.
    #[must_use]
    pub fn word(&self) -> String {
        match self {
            Self::Staged => "staged".to_owned(),
            Self::Admitted(_) => "admitted".to_owned(),
            Self::KeyKnown => "key-known".to_owned(),
            Self::LostRace => "lost-race".to_owned(),
            Self::Moved(true) => "moved".to_owned(),
            Self::Moved(false) => "was-there".to_owned(),
            Self::Done => "done".to_owned(),
            Self::Refused(code) => code.clone(),
        }
    }
}

/// All that committed and can be seen, one fact a line, in words that have nothing to do with how either database keeps it.
pub type Visible = BTreeSet<String>;

/// A database behind its doors.
pub trait Doors {
    /// As it was after the groups began, with these rings and servers.
    fn begin_anew(&mut self, layout: &Layout);
    /// Calls a door, and waits until it has answered.
    fn call(&mut self, call: &Call) -> Outcome;
    /// What everybody sees now.
    fn visible(&mut self) -> Visible;
}

/// Where the two were unlike.
#[derive(Debug)]
pub struct Difference(String);

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Both databases, and what was called so far.
pub struct Both {
    /// The one in memory: what is to be called next is decided on it.
    pub memory: Memory,
    postgres: Postgres,
    called: Vec<String>,
    /// How often each outcome was met.
    pub met: BTreeMap<String, u32>,
}

impl Both {
    /// Two databases, in which the groups begin by the same calls.
    ///
    /// # Panics
    /// When Postgres cannot be had, or the two differ already.
    #[must_use]
    pub fn start() -> Self {
        let (memory, postgres) = (Memory::default(), Postgres::start());
        let mut both = Self { memory, postgres, called: Vec::new(), met: BTreeMap::new() };
        for (group, wish) in decide::beginning() {
            let Some(admission) = decide(both.memory.database(), &on_the_tip(both.memory.database(), group, wish))
            else {
                unreachable!("these are plans")
            };
            let call = Call::Admit { group, admission: Rc::new(admission), key: None, staged: None };
            both.call(&call).unwrap_or_else(|difference| panic!("{difference}"));
        }
        both.memory.keep_beginning();
        both
    }

    /// A new story.
    pub fn begin_anew(&mut self, layout: &Layout) {
        self.memory.begin_anew(layout);
        self.postgres.begin_anew(layout);
        self.called.clear();
    }

    /// Calls a door of both.
    ///
    /// # Errors
    /// When they answer unlike, or show something else afterwards.
    pub fn call(&mut self, call: &Call) -> Result<Outcome, Difference> {
        let (in_memory, in_postgres) = (self.memory.call(call), self.postgres.call(call));
        self.called.push(format!("{} -> {}", told(call), in_postgres.word()));
        if in_memory != in_postgres {
            return Err(self.difference(&format!("memory answers {in_memory:?}, Postgres {in_postgres:?}")));
        }
        let (here, there) = (self.memory.visible(), self.postgres.visible());
        if here != there {
            let lines = |one: &Visible, other: &Visible, place: &str| {
                one.difference(other).map(|line| format!("\n  only in {place}: {line}")).collect::<String>()
            };
            let shown = lines(&here, &there, "memory") + &lines(&there, &here, "Postgres");
            return Err(self.difference(&format!("they show something else:{shown}")));
        }
        *self.met.entry(in_memory.word()).or_default() += 1;
        Ok(in_memory)
    }

    fn difference(&self, what: &str) -> Difference {
        Difference(format!("{what}\nafter these calls:\n  {}", self.called.join("\n  ")))
    }
}

fn told(call: &Call) -> String {
    let plan = |admission: &Admission| {
        let Admission { version, parent, base, kind, deletes_spent, .. } = admission;
        let changes: Vec<String> = admission.changes.iter().map(|change| format!("{:?}", change.key)).collect();
        let reads = admission.reads.len();
        format!(
            "{kind:?} as {} of id {} on {base} after {parent}, {deletes_spent} spent, {reads} reads, changes {changes:?}",
            version.generation, version.id
        )
    };
    match call {
        Call::Stage { handle, group, admission } => format!("stage {handle} in {group}: {}", plan(admission)),
        Call::Admit { group, admission, key, staged } => {
            format!("admit in {group} (key {key:?}, staged {staged:?}): {}", plan(admission))
        }
        other => format!("{other:?}"),
    }
}
