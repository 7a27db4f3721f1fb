//! Traces of real runs, held against the model: every move must be one that the model allows, in some order that the trace
//! leaves open. Told "done" before another was told "about to be" is before; all else is either way (see `move_trace`).
//!
//! There is no clock in it: groups are ordered by their generations, programs by their own lines. A database that was restored
//! begins another history with the same groups; what was told of the one before is not held against it, but servers, who live
//! on, are still held to what they had.
//!
//! A trace with holes is not sound, whatever it tells: see [`check`] and [`untold`].

mod told;
mod verdicts;

use move_trace::{At, Line, Move, When};
use std::collections::HashMap;
use std::fmt;
use told::Told;
use uuid::Uuid;

/// A move that the model does not allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub why: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.why)
    }
}

/// What a sound trace tells of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Runs of programs that told.
    pub runs: usize,
    /// Plans that became generations.
    pub admitted: usize,
    /// Heads that moved.
    pub moved: usize,
    /// Verdicts.
    pub judged: usize,
    /// Floors that rose.
    pub raised: usize,
    /// Freezes, thaws and rings that ended.
    pub stops: usize,
    /// Snapshots that were swapped in.
    pub installed: usize,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { runs, admitted, moved, judged, raised, stops, installed } = self;
        write!(
            f,
            "{runs} runs of programs: {admitted} plans admitted, {moved} heads moved, {judged} verdicts, {raised} floors raised, {stops} freezes, thaws and ends of rings, \
             {installed} snapshots installed: all as the model allows"
        )
    }
}

/// Judges a trace.
///
/// # Errors
/// Every line that the model does not allow, and every hole: a trace that tells nothing is none, each run begins with its first
/// line, and no number is missing from then on.
pub fn check(text: &str) -> Result<Summary, Vec<Violation>> {
    let (lines, mut violations) = read(text);
    if lines.is_empty() {
        violations.push(Violation { line: 1, why: "nothing is told".to_owned() });
    }
    violations.extend(holes(&lines));
    let told = Told::of(&lines);
    for (number, line) in &lines {
        let objections = verdicts::judge(&told, *number, line);
        violations.extend(objections.into_iter().map(|why| Violation { line: *number, why }));
    }
    violations.sort_by_key(|one| one.line);
    if violations.is_empty() { Ok(summary(&lines)) } else { Err(violations) }
}

/// Something that a database holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The group.
    pub group: String,
    /// The ring whose head moved there; none: the generation itself.
    pub ring: Option<String>,
    /// The generation.
    pub at: At,
}

/// What a database holds although nobody told of it: so somebody writes without telling, or could not tell.
#[must_use]
pub fn untold<'a>(text: &str, held: impl IntoIterator<Item = &'a Held>) -> Vec<&'a Held> {
    let told = Told::of(&read(text).0);
    let is_told = |one: &Held| {
        told.groups.get(&one.group).is_some_and(|of| match &one.ring {
            Some(ring) => of.moves.iter().any(|told| told.ring == *ring && told.to == one.at),
            None => of.admissions.iter().any(|told| told.at == one.at),
        })
    };
    held.into_iter().filter(|one| !is_told(one)).collect()
}

fn read(text: &str) -> (Vec<(usize, Line)>, Vec<Violation>) {
    let (mut lines, mut violations) = (Vec::new(), Vec::new());
    let mut rest = text.lines().zip(1..).peekable();
    while let Some((line, number)) = rest.next() {
        match serde_json::from_str::<Line>(line) {
            Ok(read) => lines.push((number, read)),
            // The disk was full, or the machine stopped: a line that ends with the file has told nothing.
            Err(_) if rest.peek().is_none() && !text.ends_with('\n') => {}
            Err(error) => violations.push(Violation { line: number, why: format!("cannot be read: {error}") }),
        }
    }
    (lines, violations)
}

fn holes(lines: &[(usize, Line)]) -> Vec<Violation> {
    let mut last: HashMap<Uuid, u64> = HashMap::new();
    let mut holes = Vec::new();
    for (number, line) in lines {
        let before = last.insert(line.instance, line.number).unwrap_or(0);
        let why = if line.number != before + 1 {
            format!("{}: line {} of this run comes after {before}", line.program, line.number)
        } else if before == 0 && line.what != Move::Begin {
            format!("{}: this run never began to tell", line.program)
        } else {
            continue;
        };
        holes.push(Violation { line: *number, why });
    }
    holes
}

fn summary(lines: &[(usize, Line)]) -> Summary {
    let mut summary = Summary::default();
    for (_, line) in lines.iter().filter(|(_, line)| line.when == When::Done) {
        *match line.what {
            Move::Begin => &mut summary.runs,
            Move::Admit { .. } => &mut summary.admitted,
            Move::MoveHead { .. } => &mut summary.moved,
            Move::Judge { .. } => &mut summary.judged,
            Move::RaiseFloor { .. } => &mut summary.raised,
            Move::Freeze { .. } | Move::Thaw { .. } | Move::EndRing { .. } => &mut summary.stops,
            Move::Install { .. } => &mut summary.installed,
            Move::Restore => continue,
        } += 1;
    }
    summary
}
