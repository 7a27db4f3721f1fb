//! What becomes visible, told to the checkers: generations, heads, and at last that the newest is served everywhere.

use crate::database::{Answer, Step, Work};
use crate::events::{Call, Event};
use crate::ledger::{Broken, Promise, Verdict, ensure};
use crate::world::{World, shown};
use plan_rules::StopKind;
use zone_model::{Generation, PlanKind, Version};

/// For how long the newest plan may take to everywhere, in milliseconds of the calm. A poisoned generation may hold the
/// first ring for 36 seconds, and the last ring waits for four after the verdict.
const SERVED_WITHIN_MS: u64 = 120_000;

/// What was visible before a commit.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Before {
    /// The tip of the group.
    Tip(Option<Version>),
    /// The head of the ring.
    Head(Option<Generation>),
    /// Nothing that matters.
    Nothing,
}

impl World {
    pub(crate) fn seen_before(&self, work: &Work) -> Before {
        match work {
            Work::Admit(admit) => Before::Tip(self.database.tables.groups[admit.group].tip().map(|tip| tip.version)),
            Work::Move(one) => Before::Head(self.database.head(one.group, one.ring).map(|head| head.generation)),
            _ => Before::Nothing,
        }
    }

    /// A call was answered, and everybody sees what it wrote.
    pub(crate) fn seen(&mut self, call: &Call, answer: &Answer, before: Before) -> Verdict {
        if *answer != Answer::Lost {
            self.tell(|| format!("{:?} {}: {answer:?}", call.who.actor, shown(&call.work)));
        }
        match (&call.work, answer, before) {
            (Work::Admit(admit), Answer::Admitted(version), Before::Tip(parent)) => {
                self.figures.count(match admit.admission.kind {
                    PlanKind::Change => "plans admitted",
                    PlanKind::Rollback { .. } => "rollbacks admitted",
                    PlanKind::Raise => "epochs raised",
                    PlanKind::EndZone => "zones ended",
                });
                if admit.admission.rebased {
                    self.figures.count("plans rebased");
                }
                self.notify_enactors();
                let task = &self.tasks[call.task];
                self.ledgers[admit.group].admitted(parent, *version, &task.intent, task.reported)
            }
            (Work::Move(one), Answer::Moved(true), Before::Head(before)) => {
                self.notify_servers();
                self.head_is_seen(one.group, one.ring, before)
            }
            (Work::Judge(judge), Answer::Done, _) => {
                self.figures.count(if judge.passed { "verdicts passed" } else { "verdicts failed" });
                self.notify_enactors();
                Ok(())
            }
            (Work::Retire(retire), Answer::Raised(true), _) => {
                self.figures.count("floors raised");
                self.everything_needed_stands(retire.group)
            }
            (Work::Retire(retire), Answer::Retired { removed: 1.., .. }, _) => {
                self.figures.count(match retire.step {
                    Step::Changes(_) => "batches of changes retired",
                    Step::Forget(_) => "batches of generations forgotten",
                    Step::Moves(_) | Step::RaiseFloor(..) => "batches of moves retired",
                });
                self.everything_needed_stands(retire.group)
            }
            (Work::Pin(group, _), Answer::Done, _) => {
                self.figures.count("pins");
                self.everything_needed_stands(*group)
            }
            (Work::Unpin(..), Answer::Done, _) => {
                self.figures.count("pins taken away");
                Ok(())
            }
            (Work::Stops(stops), Answer::Done, _) => {
                self.figures.count(if stops.freezes { "freezes" } else { "thaws" });
                self.notify_enactors();
                Ok(())
            }
            (Work::Report { .. }, Answer::Done, _) => {
                self.notify_enactors();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn head_is_seen(&mut self, group: usize, ring: usize, before: Option<Generation>) -> Verdict {
        let now = self.database.head(group, ring).map(|head| head.generation);
        ensure(now >= before, Promise::NeverBackwards, || {
            format!("the head of ring {ring} went from {before:?} to {now:?}")
        })?;
        let Some(now) = now.filter(|_| now != before) else {
            self.figures.count("moves that came too late");
            return Ok(());
        };
        self.figures.count("moves");
        let rows = &self.database.tables.groups[group];
        let through =
            rows.generation(now).is_some_and(|row| matches!(row.kind, PlanKind::Rollback { through_freeze: true, .. }));
        let covers = |stop: &&crate::database::StopRow| {
            stop.group.is_none_or(|of| of == group) && stop.ring.is_none_or(|of| of == ring)
        };
        let frozen = self.database.tables.stops.iter().filter(covers).any(|stop| stop.kind == StopKind::Freeze);
        ensure(through || !frozen, Promise::FrozenMeansFrozen, || {
            format!("ring {ring} moved to {now} after a freeze was acknowledged")
        })?;
        let is_later = !self.layout.rings[ring].1.first;
        let failed = rows.verdicts.iter().any(|row| row.generation == now && !row.passed);
        ensure(!is_later || !failed, Promise::FailedStaysBehind, || {
            format!("ring {ring} moved to {now}, which had failed")
        })
    }

    /// In the calm: whether the last plan is served by all, and nothing is kept for nothing.
    pub(crate) fn is_everything_served(&mut self) -> Result<bool, Broken> {
        let groups = 0..self.layout.groups;
        let is_served = |group: usize| {
            let last = self.last_plan(group);
            last.is_some() && self.servers.iter().all(|server| server.serves(group) == last)
        };
        let is_all_served = groups.clone().all(is_served);
        let kept = is_all_served.then(|| groups.clone().find_map(|group| self.kept_for_nothing(group))).flatten();
        if is_all_served && kept.is_none() {
            return Ok(true);
        }
        let calm_ms = self.now.0 - self.layout.chaos_ms;
        if calm_ms >= SERVED_WITHIN_MS {
            let after = format!("after {} s without a fault", calm_ms / 1_000);
            if let Some(kept) = kept {
                return Err(Broken { promise: Promise::HistoryStaysBounded, how: format!("{after}: {kept}") });
            }
            let of =
                |group| self.servers.iter().map(move |server| server.serves(group).map(|one| one.generation.get()));
            let all = groups
                .map(|group| (self.last_plan(group).map(|one| one.generation.get()), of(group).collect::<Vec<_>>()));
            let how = format!("{after}, the last plans and what servers serve are {:?}", all.collect::<Vec<_>>());
            return Err(Broken { promise: Promise::NewestWins, how });
        }
        self.after(500, 500, Event::Check);
        Ok(false)
    }
}
