//! Traces of real runs, held against the model: every move must be one that the model allows, in some order that the trace
//! leaves open. Told "done" before another was told "about to be" is before; all else is either way (see `move_trace`).
//!
//! There is no clock in it: groups are ordered by their generations, programs by their own lines.

mod told;
mod verdicts;

use move_trace::{Line, Move, When};
use std::fmt;
use told::Told;

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
    /// Plans that became generations.
    pub admitted: usize,
    /// Heads that moved.
    pub moved: usize,
    /// Verdicts.
    pub judged: usize,
    /// Floors that rose.
    pub raised: usize,
    /// Freezes and thaws.
    pub stops: usize,
    /// Snapshots that were swapped in.
    pub installed: usize,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { admitted, moved, judged, raised, stops, installed } = self;
        write!(
            f,
            "{admitted} plans admitted, {moved} heads moved, {judged} verdicts, {raised} floors raised, {stops} freezes and thaws, \
             {installed} snapshots installed: all as the model allows"
        )
    }
}

/// Judges a trace.
///
/// # Errors
/// Every line that the model does not allow.
pub fn check(text: &str) -> Result<Summary, Vec<Violation>> {
    let mut violations = Vec::new();
    let mut lines = Vec::new();
    let mut rest = text.lines().zip(1..).peekable();
    while let Some((line, number)) = rest.next() {
        match serde_json::from_str::<Line>(line) {
            Ok(read) => lines.push((number, read)),
            // The disk was full, or the machine stopped: a line that ends with the file has told nothing.
            Err(_) if rest.peek().is_none() && !text.ends_with('\n') => {}
            Err(error) => violations.push(Violation { line: number, why: format!("cannot be read: {error}") }),
        }
    }
    let told = Told::of(&lines);
    for (number, line) in &lines {
        let objections = verdicts::judge(&told, *number, line);
        violations.extend(objections.into_iter().map(|why| Violation { line: *number, why }));
    }
    if violations.is_empty() { Ok(summary(&lines)) } else { Err(violations) }
}

fn summary(lines: &[(usize, Line)]) -> Summary {
    let mut summary = Summary::default();
    for (_, line) in lines.iter().filter(|(_, line)| line.when == When::Done) {
        *match line.what {
            Move::Admit { .. } => &mut summary.admitted,
            Move::MoveHead { .. } => &mut summary.moved,
            Move::Judge { .. } => &mut summary.judged,
            Move::RaiseFloor { .. } => &mut summary.raised,
            Move::Freeze { .. } | Move::Thaw { .. } => &mut summary.stops,
            Move::Install { .. } => &mut summary.installed,
        } += 1;
    }
    summary
}
