//! What a trace tells, put in order.

use move_trace::{At, Line, Move, When};
use std::collections::{BTreeMap, HashMap, HashSet};
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
    /// Rings that ended, or may have, and from when on.
    pub(super) ended: Vec<(String, usize)>,
    /// For each line of a server or an enactor, the one before of the same run about the same head, and what it told.
    pub(super) before: HashMap<usize, (usize, At)>,
    /// For each line that tells the end of something, the line that told of it before.
    pub(super) about: HashMap<usize, usize>,
    /// Where the database was replaced by another.
    restores: Vec<usize>,
}

impl Told {
    /// Puts lines in order. What was about to be and then came to nothing ([`When::Without`]) is left out.
    pub(super) fn of(lines: &[(usize, Line)]) -> Self {
        let mut told = Self::default();
        let mut open: HashMap<(Uuid, u64), usize> = HashMap::new();
        let mut held: HashMap<(Uuid, &String, &String), (usize, At)> = HashMap::new();
        for (number, line) in lines {
            match (line.when, line.of) {
                (When::About, _) => {
                    open.insert((line.instance, line.number), *number);
                }
                (When::Done | When::Without, Some(of)) => {
                    told.about.extend(open.remove(&(line.instance, of)).map(|about| (*number, about)));
                }
                (When::Done | When::Without, None) => {}
            }
            if let Move::Install { group, ring, to, .. } | Move::MoveHead { group, ring, to, .. } = &line.what {
                let head = (line.instance, group, ring);
                told.before.extend(held.get(&head).map(|before| (*number, before.clone())));
                if line.when == When::Done {
                    held.insert(head, (*number, to.clone()));
                }
            }
        }
        let may_have_happened: HashSet<usize> = open.into_values().collect();
        for (number, line) in lines {
            match line.when {
                When::Done => {
                    let about = told.about.get(number).copied().unwrap_or(*number);
                    told.take(&line.what, Span { about, done: Some(*number) });
                }
                When::About if may_have_happened.contains(number) => {
                    told.take(&line.what, Span { about: *number, done: None });
                }
                When::About | When::Without => {}
            }
        }
        told.thaw(lines, &may_have_happened);
        told
    }

    /// How often the database was replaced before that line.
    pub(super) fn era(&self, line: usize) -> usize {
        self.restores.partition_point(|restore| *restore < line)
    }

    /// In which database it happened; none where that is not clear.
    pub(super) fn era_of(&self, span: Span) -> Option<usize> {
        let about = self.era(span.about);
        (span.done.map(|done| self.era(done)) == Some(about)).then_some(about)
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
            Move::EndRing { ring } => self.ended.push((ring.clone(), span.about)),
            Move::Restore => self.restores.push(span.about),
            Move::Begin | Move::Freeze { .. } | Move::Thaw { .. } | Move::Install { .. } => {}
        }
    }

    /// A freeze holds from when it was acknowledged, up to when a thaw was about to be that may have come after it. One that
    /// ends by itself is left out: there is no clock here.
    fn thaw(&mut self, lines: &[(usize, Line)], may_have_happened: &HashSet<usize>) {
        let about = |number: &usize| self.about.get(number).copied().unwrap_or(*number);
        let thaws: Vec<_> = lines
            .iter()
            .filter_map(|(number, line)| {
                let Move::Thaw { group, ring } = &line.what else { return None };
                match line.when {
                    When::Done => Some(((group, ring), about(number), *number)),
                    When::About => may_have_happened.contains(number).then_some(((group, ring), *number, usize::MAX)),
                    When::Without => None,
                }
            })
            .collect();
        let mut stops = Vec::new();
        for (number, line) in lines.iter().filter(|(_, line)| line.when == When::Done) {
            let Move::Freeze { group, ring, ends: false } = &line.what else { continue };
            let may_end_it = thaws.iter().filter(|(of, _, done)| *of == (group, ring) && *done > about(number));
            let until = may_end_it.map(|(_, about, _)| *about.max(number)).min().unwrap_or(usize::MAX);
            stops.push(Stop { group: group.clone(), ring: ring.clone(), since: *number, until });
        }
        self.stops = stops;
    }
}
