//! How a program tells its moves.

use crate::{Line, Move, VARIABLE, When};
use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};
use uuid::Uuid;

static TRACE: OnceLock<Trace> = OnceLock::new();

/// Begins to append to `file`, if there is one; said once, where the program starts. One that cannot be opened is told to
/// people, and stops nobody: the trace lacks this run's first line.
pub fn begin(file: Option<&OsStr>) {
    let Some(path) = file.filter(|path| !path.is_empty()).map(Path::new) else { return };
    if is_on() {
        return;
    }
    match Trace::open(path) {
        Ok(trace) => {
            trace.tell(None, When::Done, Move::Begin);
            let _somebody_was_faster = TRACE.set(trace);
        }
        Err(error) => eprintln!("{VARIABLE}: cannot append to {}: {error}; moves are not traced", path.display()),
    }
}

/// Whether moves are told at all.
#[must_use]
pub fn is_on() -> bool {
    TRACE.get().is_some()
}

/// Tells of moves that are about to be made. How they end is told by what this gives; if nothing is, because the outcome is not
/// known or the program ends, they may have happened.
pub fn about<M: IntoIterator<Item = Move>>(moves: impl FnOnce() -> M) -> About {
    let Some(trace) = TRACE.get() else { return About { told: Vec::new() } };
    let told = moves().into_iter().map(|one| (trace.tell(None, When::About, one.clone()), one));
    About { told: told.collect() }
}

/// Tells of moves that are made and were not told before: those that a kill takes back.
pub fn done<M: IntoIterator<Item = Move>>(moves: impl FnOnce() -> M) {
    if let Some(trace) = TRACE.get() {
        for one in moves() {
            trace.tell(None, When::Done, one);
        }
    }
}

/// Moves that were told as about to be made.
#[derive(Debug)]
#[must_use = "dropped, it says that nobody knows how it ended"]
pub struct About {
    told: Vec<(u64, Move)>,
}

impl About {
    /// All are done.
    pub fn done(self) {
        self.end(std::iter::repeat(When::Done));
    }

    /// None is done: refused, or another had done it.
    pub fn without(self) {
        self.end(std::iter::repeat(When::Without));
    }

    /// Which are done, in the order in which they were told.
    pub fn each(self, done: impl IntoIterator<Item = bool>) {
        self.end(done.into_iter().map(|done| if done { When::Done } else { When::Without }));
    }

    fn end(self, ends: impl Iterator<Item = When>) {
        let Some(trace) = TRACE.get() else { return };
        for ((number, what), when) in self.told.into_iter().zip(ends) {
            trace.tell(Some(number), when, what);
        }
    }
}

/// Where this program's moves are told.
#[derive(Debug)]
struct Trace {
    program: String,
    instance: Uuid,
    /// One line at a time, so that their numbers are in the order of the file.
    lines: Mutex<Lines>,
}

#[derive(Debug)]
struct Lines {
    file: File,
    last: u64,
    has_complained: bool,
}

impl Trace {
    fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        let mut words = std::env::args();
        let program = words.next().unwrap_or_default();
        let program = Path::new(&program).file_name().map(|name| name.to_string_lossy().into_owned());
        // `holdfast-control-plane` is many programs: the first word says which.
        let which = words.next().filter(|word| !word.starts_with('-'));
        let program = program.into_iter().chain(which).collect::<Vec<_>>().join(" ");
        let lines = Mutex::new(Lines { file, last: 0, has_complained: false });
        Ok(Self { program, instance: Uuid::new_v4(), lines })
    }

    /// Tells a line; its number, which is used up even if the line cannot be written.
    fn tell(&self, of: Option<u64>, when: When, what: Move) -> u64 {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.last += 1;
        let number = lines.last;
        let (program, instance) = (self.program.clone(), self.instance);
        if let Err(error) = lines.append(&Line { program, instance, number, of, when, what })
            && !std::mem::replace(&mut lines.has_complained, true)
        {
            eprintln!("{VARIABLE}: {error}; lines are missing in the trace from here on");
        }
        number
    }
}

impl Lines {
    /// One write, so that lines of several programs never mingle and a killed one leaves no half line.
    fn append(&mut self, line: &Line) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        let written = self.file.write(&text)?;
        if written == text.len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::At;

    #[test]
    fn lines_are_appended_and_read_back_as_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("moves.jsonl");
        let to = At { generation: 3, id: "ab".repeat(32) };
        let told = [
            Move::Begin,
            Move::Admit { group: "shop".into(), base: 2, to: to.clone(), through_freeze: false },
            Move::Install { group: "shop".into(), ring: "fleet".into(), from: None, to },
            Move::Freeze { group: None, ring: None, ends: false },
        ];
        for one in &told {
            // Each a program of its own: nothing is written over.
            let trace = Trace::open(&path).unwrap();
            assert_eq!(trace.tell(None, When::About, one.clone()), 1);
            assert_eq!(trace.tell(Some(1), When::Done, one.clone()), 2);
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let read: Vec<Line> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(read.iter().step_by(2).map(|line| line.what.clone()).collect::<Vec<_>>(), told);
        for two in read.chunks(2) {
            assert_eq!((two[0].number, two[0].of, two[0].when), (1, None, When::About));
            assert_eq!((two[1].number, two[1].of, two[1].when), (2, Some(1), When::Done));
            assert_eq!((two[0].instance, &two[0].what), (two[1].instance, &two[1].what));
        }
        let runs: std::collections::BTreeSet<Uuid> = read.iter().map(|line| line.instance).collect();
        assert_eq!(runs.len(), told.len());
    }

    #[test]
    fn a_line_that_cannot_be_written_uses_up_its_number() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("moves.jsonl");
        let trace = Trace::open(&path).unwrap();
        assert_eq!(trace.tell(None, When::Done, Move::Begin), 1);
        // A file that is open for reading takes nothing.
        let writable = std::mem::replace(&mut trace.lines.lock().unwrap().file, File::open(&path).unwrap());
        assert_eq!(trace.tell(None, When::Done, Move::Restore), 2);
        trace.lines.lock().unwrap().file = writable;
        assert_eq!(trace.tell(None, When::Done, Move::Restore), 3);
        let text = std::fs::read_to_string(&path).unwrap();
        let numbers = text.lines().map(|line| serde_json::from_str::<Line>(line).unwrap().number);
        assert_eq!(numbers.collect::<Vec<_>>(), [1, 3]);
    }

    #[test]
    fn without_a_file_nothing_is_made() {
        begin(None);
        begin(Some(OsStr::new("")));
        assert!(!is_on());
        about(|| -> [Move; 0] { unreachable!("nobody listens") }).done();
        done(|| -> [Move; 0] { unreachable!("nobody listens") });
    }
}
