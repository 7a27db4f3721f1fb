//! Traces of moves: with `HOLDFAST_TRACE_MOVES=FILE`, each program appends what it does to the history as a line of JSON.
//! Without, nothing is made and nothing is written.
//!
//! A program can be killed between a write to the database and the line that tells of it. So whoever writes tells it twice,
//! before and after; a line "about to" that nothing follows is a write that may have happened. Lines are appended in one
//! write each, so the file's order is the order in which they were told, and no clock is needed:
//!
//! 1. what was told as done before another was told as about to be, came before it;
//! 2. everything else may have happened in either order.

use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::sync::LazyLock;
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
    },
    /// Heads may move again.
    Thaw {
        /// In this group; in all.
        group: Option<String>,
        /// In this ring; in all.
        ring: Option<String>,
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

/// Where this program's moves are told.
#[derive(Debug)]
struct Trace {
    file: File,
    program: String,
    instance: Uuid,
}

static TRACE: LazyLock<Option<Trace>> = LazyLock::new(|| {
    let path = std::env::var_os(VARIABLE).filter(|path| !path.is_empty())?;
    match Trace::open(Path::new(&path)) {
        Ok(trace) => Some(trace),
        Err(error) => {
            eprintln!("{VARIABLE}: cannot append to {}: {error}; moves are not traced", path.display());
            None
        }
    }
});

/// Whether moves are told at all.
#[must_use]
pub fn is_on() -> bool {
    TRACE.is_some()
}

/// Tells of moves, if anybody listens.
pub fn tell(when: When, moves: impl IntoIterator<Item = Move>) {
    let Some(trace) = &*TRACE else { return };
    for one in moves {
        trace.tell(when, one);
    }
}

impl Trace {
    fn open(path: &Path) -> std::io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        let mut words = std::env::args();
        let program = words.next().unwrap_or_default();
        let program = Path::new(&program).file_name().map(|name| name.to_string_lossy().into_owned());
        // `holdfast-control-plane` is many programs: the first word says which.
        let which = words.next().filter(|word| !word.starts_with('-'));
        let program = program.into_iter().chain(which).collect::<Vec<_>>().join(" ");
        Ok(Self { file, program, instance: Uuid::new_v4() })
    }

    /// One write, so that lines of several programs never mingle and a killed one leaves no half line.
    fn tell(&self, when: When, what: Move) {
        let line = Line { program: self.program.clone(), instance: self.instance, when, what };
        if let Ok(mut text) = serde_json::to_vec(&line) {
            text.push(b'\n');
            if let Err(error) = (&self.file).write_all(&text) {
                eprintln!("{VARIABLE}: {error}; a move was not traced");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn lines_are_appended_and_read_back_as_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("moves.jsonl");
        let to = At { generation: 3, id: "ab".repeat(32) };
        let told = [
            Move::Admit { group: "shop".into(), base: 2, to: to.clone(), through_freeze: false },
            Move::Install { group: "shop".into(), ring: "fleet".into(), from: None, to },
            Move::Freeze { group: None, ring: None },
        ];
        for one in &told {
            // Each a program of its own: nothing is written over.
            Trace::open(&path).unwrap().tell(When::About, one.clone());
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let read: Vec<Line> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(read.iter().map(|line| line.what.clone()).collect::<Vec<_>>(), told);
        assert!(
            read.iter().all(|line| line.when == When::About && line.instance != read[0].instance || *line == read[0])
        );
    }
}
