//! What a trace tells, put in order.

use move_trace::{At, Line, Move, When};
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

/// From which line on something may have happened, and by which it had. None: it was about to be, and nothing more is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) about: usize,
    pub(super) done: Option<usize>,
}

/// A generation, as somebody made it.
#[derive(Clone, Debug)]
pub(super) struct Admission {
    pub(super) at: At,
    pub(super) through_freeze: bool,
    pub(super) span: Span,
}

/// A move of a head.
#[derive(Clone, Debug)]
pub(super) struct HeadMove {
    pub(super) ring: String,
    pub(super) to: At,
    pub(super) span: Span,
}

/// All that happened, or may have, to one group.
#[derive(Debug, Default)]
pub(super) struct OfGroup {
    pub(super) admissions: Vec<Admission>,
    pub(super) moves: Vec<HeadMove>,
    /// Generation, passed or not.
    pub(super) verdicts: Vec<(i64, bool, Span)>,
    pub(super) floors: Vec<(i64, Span)>,
}

/// A freeze, and by which line it may have been thawed.
#[derive(Debug)]
pub(super) struct Stop {
    pub(super) group: Option<String>,
    pub(super) ring: Option<String>,
    pub(super) since: usize,
    pub(super) until: usize,
}

/// A whole trace.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) groups: BTreeMap<String, OfGroup>,
    pub(super) stops: Vec<Stop>,
    /// For each line of a server or an enactor, the one before of the same run about the same head.
    pub(super) before: HashMap<usize, At>,
}

impl Told {
    /// Puts lines in order. What was about to be and then came to nothing ([`When::Without`]) is left out.
    pub(super) fn of(lines: &[(usize, Line)]) -> Self {
        let mut told = Self::default();
        let mut open: HashMap<(Uuid, String), usize> = HashMap::new();
        let mut held: HashMap<(Uuid, String, String), At> = HashMap::new();
        for (number, line) in lines {
            let which = (line.instance, name(&line.what));
            match line.when {
                When::About => {
                    open.insert(which, *number);
                }
                When::Without => {
                    open.remove(&which);
                }
                When::Done => {
                    let about = open.remove(&which).unwrap_or(*number);
                    told.take(&line.what, Span { about, done: Some(*number) });
                }
            }
            if let Move::Install { group, ring, to, .. } | Move::MoveHead { group, ring, to, .. } = &line.what {
                let head = (line.instance, group.clone(), ring.clone());
                told.before.extend(held.get(&head).map(|at| (*number, at.clone())));
                if line.when == When::Done {
                    held.insert(head, to.clone());
                }
            }
        }
        for (number, line) in lines {
            if line.when == When::About && open.get(&(line.instance, name(&line.what))) == Some(number) {
                told.take(&line.what, Span { about: *number, done: None });
            }
        }
        told
    }

    fn group(&mut self, group: &str) -> &mut OfGroup {
        self.groups.entry(group.to_owned()).or_default()
    }

    fn take(&mut self, what: &Move, span: Span) {
        match what {
            Move::Admit { group, to, through_freeze, .. } => {
                self.group(group).admissions.push(Admission { at: to.clone(), through_freeze: *through_freeze, span });
            }
            Move::MoveHead { group, ring, to, .. } => {
                self.group(group).moves.push(HeadMove { ring: ring.clone(), to: to.clone(), span });
            }
            Move::Judge { group, generation, passed } => self.group(group).verdicts.push((*generation, *passed, span)),
            Move::RaiseFloor { group, floor } => self.group(group).floors.push((*floor, span)),
            // A freeze holds from when it was acknowledged, up to when a thaw was about to be.
            Move::Freeze { group, ring } => {
                let since = span.done.unwrap_or(usize::MAX);
                self.stops.push(Stop { group: group.clone(), ring: ring.clone(), since, until: usize::MAX });
            }
            Move::Thaw { group, ring } => {
                for stop in self.stops.iter_mut().filter(|stop| (&stop.group, &stop.ring) == (group, ring)) {
                    stop.until = stop.until.min(span.about.max(stop.since));
                }
            }
            Move::Install { .. } => {}
        }
    }
}

/// What makes a line the second of two: all of the move but how it was seen before.
fn name(what: &Move) -> String {
    match what {
        Move::Admit { group, to, .. } => format!("admit {group} {to:?}"),
        Move::MoveHead { group, ring, to, .. } => format!("move {group} {ring} {to:?}"),
        other => format!("{other:?}"),
    }
}
