//! Moves and verdicts: the doors `enact` and `judge`, and what the triggers refuse.

use super::rows::{GenerationRow, Group, HeadMove, VerdictRow};
use super::{Answer, Database, Work, Write};
use crate::fault::Fault;
use crate::time::Time;
use plan_rules::StopKind;
use std::collections::BTreeSet;
use zone_model::{Generation, Id, PlanKind, Version};

/// A move at the door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// The group.
    pub group: usize,
    /// The ring.
    pub ring: usize,
    /// Where to.
    pub to: Version,
    /// The servers that are to prove it.
    pub expected: Option<BTreeSet<String>>,
}

impl Move {
    /// Whether both are the same row.
    #[must_use]
    pub fn is_same_row(&self, other: &Self) -> bool {
        (self.group, self.ring, self.to.generation) == (other.group, other.ring, other.to.generation)
    }
}

/// A verdict at the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judge {
    /// The group.
    pub group: usize,
    /// On which generation.
    pub generation: Generation,
    /// On which of that number; people mean the one that is there.
    pub id: Option<Id>,
    /// Passed or failed.
    pub passed: bool,
}

impl Database {
    pub(super) fn judge_move(&mut self, one: &Move, now: Time) -> Result<Write, &'static str> {
        let group = &self.tables.groups[one.group];
        let generation = one.to.generation;
        if group.moves[one.ring].iter().any(|row| row.generation == generation) {
            return Ok(Write::Nothing(Answer::Moved(false)));
        }
        let Some(target) = group.generation(generation) else { return Err("23503") };
        if generation < group.floor {
            return Err("HF009");
        }
        let through = matches!(target.kind, PlanKind::Rollback { through_freeze: true, .. });
        let covers = |stop: &&super::StopRow| {
            stop.group.is_none_or(|of| of == one.group) && stop.ring.is_none_or(|of| of == one.ring)
        };
        let holds = |stop: &super::StopRow| !(through && stop.kind != StopKind::HistoryBehind);
        if self.tables.stops.iter().filter(covers).any(holds) {
            return Err("HF022");
        }
        self.judge_proof(group, one, now)?;
        Ok(Write::Move(HeadMove { generation, at: now, expected: one.expected.clone() }))
    }

    /// `move_is_proved`.
    fn judge_proof(&self, group: &Group, one: &Move, now: Time) -> Result<(), &'static str> {
        let generation = one.to.generation;
        let has_failed = group.failed(generation) || group.is_rolled_back(generation);
        if has_failed && !self.has(Fault::FailedIsForgotten) {
            return Err("HF026");
        }
        let (_, ring) = &self.tables.rings[one.ring];
        let is_alone = self.tables.rings.len() == 1;
        if is_alone || self.has(Fault::VerdictIgnored) {
            return Ok(());
        }
        if ring.first {
            return if one.expected.is_none() { Err("HF025") } else { Ok(()) };
        }
        let is_due = group.passed(generation, now).is_some_and(|age| age >= ring.delay);
        if is_due || self.may_begin_with(group, one) { Ok(()) } else { Err("HF025") }
    }

    /// `ring_may_begin_with`.
    fn may_begin_with(&self, group: &Group, one: &Move) -> bool {
        if !group.moves[one.ring].is_empty() {
            return false;
        }
        let generation = one.to.generation;
        let is_first = |ring: usize| self.tables.rings[ring].1.first;
        let reached = |ring: usize| group.moves[ring].iter().any(|row| row.generation >= generation);
        let others = (0..self.tables.rings.len()).filter(|ring| *ring != one.ring && !is_first(*ring));
        let in_ring = |server: usize| {
            let row = self.tables.servers[server].as_ref();
            row.is_some_and(|row| row.ring == one.ring)
        };
        let served = group
            .reports
            .iter()
            .enumerate()
            .any(|(server, report)| report.is_some_and(|(_, version, _)| in_ring(server) && version == one.to));
        let proving = (0..self.tables.rings.len()).find(|ring| is_first(*ring));
        let proving = proving.and_then(|ring| group.moves[ring].iter().map(|row| row.generation).max());
        group.passed(generation, Time(u64::MAX)).is_some()
            || others.into_iter().any(reached)
            || (served && proving != Some(generation))
    }

    pub(super) fn write_move(&mut self, work: &Work, row: HeadMove, now: Time) -> Answer {
        let Work::Move(one) = work else { return Answer::Lost };
        self.tables.groups[one.group].moves[one.ring].push(HeadMove { at: now, ..row });
        Answer::Moved(true)
    }

    pub(super) fn judge_verdict(&mut self, judge: &Judge, now: Time) -> Result<Write, &'static str> {
        let group = &self.tables.groups[judge.group];
        let Judge { generation, passed, .. } = *judge;
        if group.verdicts.iter().any(|row| row.generation == generation && row.passed == passed) {
            return Ok(Write::Nothing(Answer::Done));
        }
        let judged = group.generation(generation);
        // A database that was restored meanwhile may have come to the same number anew, or not yet.
        if judge.id.is_some_and(|id| judged.is_none_or(|judged| id != judged.version.id)) {
            return Ok(Write::Nothing(Answer::Done));
        }
        let judged = judged.ok_or("23503")?;
        if passed && !self.is_founded(group, judged) {
            return Err("HF027");
        }
        Ok(Write::Verdict(VerdictRow { generation, passed, at: now }))
    }

    /// `verdict_is_founded`: the first ring moved there, with enough servers to prove it, then or now.
    fn is_founded(&self, group: &Group, judged: &GenerationRow) -> bool {
        let Some(proving) = self.tables.rings.iter().position(|(_, ring)| ring.first) else { return false };
        let needed = self.tables.rings[proving].1.servers_min;
        let number = judged.version.generation;
        let Some(moved) = group.moves[proving].iter().find(|row| row.generation == number) else { return false };
        let serve_it = group.reports.iter().enumerate().filter(|(server, report)| {
            let row = self.tables.servers[*server].as_ref();
            row.is_some_and(|row| {
                row.ring == proving
                    && report.is_some_and(|(of, version, _)| of == row.instance && version == judged.version)
            })
        });
        moved.expected.as_ref().is_none_or(|expected| expected.len() >= needed)
            || serve_it.count() >= needed
            || group.answers_have_passed(judged)
    }

    pub(super) fn write_verdict(&mut self, work: &Work, row: VerdictRow, now: Time) -> Answer {
        let Work::Judge(judge) = work else { return Answer::Lost };
        self.tables.groups[judge.group].verdicts.push(VerdictRow { at: now, ..row });
        Answer::Done
    }

    /// A ring's head: its greatest move.
    #[must_use]
    pub fn head(&self, group: usize, ring: usize) -> Option<&HeadMove> {
        let moves = &self.tables.groups[group].moves[ring];
        if self.has(Fault::HeadWrittenInPlace) {
            return moves.last();
        }
        moves.iter().max_by_key(|row| row.generation)
    }
}
