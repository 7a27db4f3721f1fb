//! Stops: freezes and thaws, and what a server's report stops.

use super::rows::{ServerRow, StopRow};
use super::{Answer, Database, Work, Write};
use crate::time::Time;
use plan_rules::StopKind;

/// What is to be stopped or let go; none is "every".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stops {
    /// Freeze, or thaw.
    pub freezes: bool,
    /// The group.
    pub group: Option<usize>,
    /// The ring.
    pub ring: Option<usize>,
}

impl Database {
    pub(super) fn judge_stops(&mut self, stops: &Stops) -> Write {
        let Stops { freezes, group, ring } = *stops;
        if freezes {
            self.tables.stop_number += 1;
            return Write::Stop(StopRow { number: self.tables.stop_number, kind: StopKind::Freeze, group, ring });
        }
        let is_meant = |stop: &&StopRow| stop.group == group && stop.ring == ring && !self.is_still_behind(stop);
        let numbers: Vec<u64> = self.tables.stops.iter().filter(is_meant).map(|stop| stop.number).collect();
        if numbers.is_empty() { Write::Nothing(Answer::Done) } else { Write::Thaw(numbers) }
    }

    /// Whether a stop says that a history is behind, and servers still serve what it does not know.
    fn is_still_behind(&self, stop: &StopRow) -> bool {
        let Some(group) = stop.group.filter(|_| stop.kind == StopKind::HistoryBehind) else { return false };
        let group = &self.tables.groups[group];
        group.reports.iter().flatten().any(|(_, version, _)| !group.knows(*version))
    }

    /// A server's new start says that it lives. Earlier ones serve nothing any more, so what they reported goes.
    pub fn server_starts(&mut self, server: usize, instance: u32, ring: usize, now: Time) {
        self.tables.servers[server] = Some(ServerRow::speaks(instance, ring, now));
        for group in &mut self.tables.groups {
            group.reports[server].take_if(|(of, ..)| *of != instance);
        }
    }

    pub(super) fn write_report(&mut self, work: &Work, behind: bool, now: Time) -> Answer {
        let Work::Report { server, instance, group, version } = *work else { return Answer::Lost };
        // Of an instance that was forgotten, or of a database that was restored since: it says that it lives first.
        if self.tables.servers[server].as_ref().is_none_or(|row| row.instance != instance) {
            return Answer::Refused("23503");
        }
        let report = &mut self.tables.groups[group].reports[server];
        let since = report.filter(|(of, same, _)| *of == instance && *same == version).map_or(now, |(_, _, at)| at);
        *report = Some((instance, version, since));
        let is_stopped =
            self.tables.stops.iter().any(|stop| stop.kind == StopKind::HistoryBehind && stop.group == Some(group));
        if behind && !is_stopped {
            self.tables.stop_number += 1;
            let (number, kind) = (self.tables.stop_number, StopKind::HistoryBehind);
            self.tables.stops.push(StopRow { number, kind, group: Some(group), ring: None });
        }
        Answer::Done
    }
}
