//! Traces of moves: with `HOLDFAST_TRACE_MOVES=FILE`, each program appends what it does to the history as a line of JSON.
//! Without, nothing is made and nothing is written.
//!
//! A program can be killed between a write to the database and the line that tells of it. So whoever writes tells it twice,
//! before and after; a line "about to" that nothing follows is a write that may have happened. Lines are appended in one
//! write each, so the file's order is the order in which they were told, and no clock is needed:
//!
//! 1. what was told as done before another was told as about to be, came before it;
//! 2. everything else may have happened in either order.
//!
//! A line that cannot be written stops nobody: the program says so in its log, once, and goes on. But each run numbers its
//! lines, so that whoever judges the trace sees the hole.

mod tell;

pub use tell::{About, about, begin, done, is_on};

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zone_model::Version;

/// The variable that names the file.
pub const VARIABLE: &str = "HOLDFAST_TRACE_MOVES";

/// A line of a trace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The program, by the words that it was started with.
    pub program: String,
    /// One run of it.
    pub instance: Uuid,
    /// Which line of that run it is, from 1. A number that is missing is a line that could not be written.
    pub number: u64,
    /// The number of the line that told of it before; none on that line itself, and where nothing was told before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<u64>,
    /// Whether it is about to be, or done.
    pub when: When,
    /// What.
    #[serde(flatten)]
    pub what: Move,
}

/// Whether a move is about to be made, or how it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// It is written next.
    About,
    /// It is done, by whoever tells.
    Done,
    /// It had been done by another, or is refused: whoever tells changed nothing.
    Without,
}

/// A generation, and what it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct At {
    /// The number.
    pub generation: i64,
    /// The id, in hex.
    pub id: String,
}

impl From<Version> for At {
    fn from(version: Version) -> Self {
        Self { generation: version.generation.get(), id: version.id.to_string() }
    }
}

/// What a ring is to the others, as who moves its head sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// There is no other.
    Alone,
    /// It proves.
    First,
    /// It follows verdicts.
    Later,
}

/// What the programs do to the history, and to what is in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "move", rename_all = "kebab-case")]
pub enum Move {
    /// A run of a program begins to tell: the first line of each.
    Begin,
    /// From here on the database is another: a backup that somebody restored. Programs do not notice; whoever restores tells.
    Restore,
    /// A plan becomes a generation.
    Admit {
        /// The group.
        group: String,
        /// What its author had read.
        base: i64,
        /// The generation.
        to: At,
        /// Whether it may go through a freeze.
        through_freeze: bool,
    },
    /// A head moves.
    MoveHead {
        /// The group.
        group: String,
        /// The ring.
        ring: String,
        /// What the ring is to the others.
        role: Role,
        /// The head that was read before.
        head: Option<At>,
        /// Where to.
        to: At,
        /// Whether a person chose it: then the database is the first to judge it.
        by_hand: bool,
    },
    /// A generation is judged.
    Judge {
        /// The group.
        group: String,
        /// The generation.
        generation: i64,
        /// Passed or failed.
        passed: bool,
    },
    /// Heads are stopped.
    Freeze {
        /// In this group; in all.
        group: Option<String>,
        /// In this ring; in all.
        ring: Option<String>,
        /// Whether it ends by itself at some time.
        ends: bool,
    },
    /// Heads may move again.
    Thaw {
        /// In this group; in all.
        group: Option<String>,
        /// In this ring; in all.
        ring: Option<String>,
    },
    /// A ring ends: its head holds no floor any more.
    EndRing {
        /// The ring.
        ring: String,
    },
    /// A floor rises.
    RaiseFloor {
        /// The group.
        group: String,
        /// Where to.
        floor: i64,
    },
    /// A server swaps a group's snapshot in.
    Install {
        /// The group.
        group: String,
        /// The ring that the server follows.
        ring: String,
        /// What it held before.
        from: Option<At>,
        /// What it holds now.
        to: At,
    },
}
