//! Stops: which heads may not move, and what passes them.

use crate::rings::RingName;
use zone_model::GroupName;

/// Why something is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StopKind {
    /// An operator's word.
    Freeze,
    /// A server reported what the history does not know: the database went back in time.
    HistoryBehind,
    /// The auditor met the same disagreement several times.
    Auditor,
}

impl StopKind {
    /// The word in the database and in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Freeze => "freeze",
            Self::HistoryBehind => "history-behind",
            Self::Auditor => "auditor",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Freeze, Self::HistoryBehind, Self::Auditor].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// No head moves in one group, one ring, both, or anywhere. Stops that are over are not read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Stop {
    /// Why.
    pub kind: StopKind,
    /// The group; none for all groups.
    pub group: Option<GroupName>,
    /// The ring; none for all rings.
    pub ring: Option<RingName>,
}

impl Stop {
    /// Whether the heads of `group` in `ring` are meant.
    #[must_use]
    pub fn covers(&self, group: &GroupName, ring: &RingName) -> bool {
        self.group.as_ref().is_none_or(|of| of == group) && self.ring.as_ref().is_none_or(|of| of == ring)
    }

    /// Whether the move to a generation is stopped. A rollback that was made to go `through_freeze` passes what people
    /// and the auditor stopped; nothing passes a history that is behind, because its numbers mean nothing.
    #[must_use]
    pub fn holds(&self, through_freeze: bool) -> bool {
        self.kind == StopKind::HistoryBehind || !through_freeze
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stop(kind: StopKind, group: Option<&str>, ring: Option<&str>) -> Stop {
        let group = group.map(|name| GroupName::parse(name).unwrap());
        Stop { kind, group, ring: ring.map(|name| RingName::parse(name).unwrap()) }
    }

    #[test]
    fn a_stop_covers_what_it_names_and_everything_where_it_names_nothing() {
        let (shop, blog) = (GroupName::parse("shop").unwrap(), GroupName::parse("blog").unwrap());
        let (canary, fleet) = (RingName::parse("canary").unwrap(), RingName::parse("fleet").unwrap());
        let covered = |stop: &Stop| {
            [(&shop, &canary), (&shop, &fleet), (&blog, &canary), (&blog, &fleet)].map(|(g, r)| stop.covers(g, r))
        };
        assert_eq!(covered(&stop(StopKind::Freeze, None, None)), [true; 4]);
        assert_eq!(covered(&stop(StopKind::Freeze, Some("shop"), None)), [true, true, false, false]);
        assert_eq!(covered(&stop(StopKind::Freeze, None, Some("fleet"))), [false, true, false, true]);
        assert_eq!(covered(&stop(StopKind::Freeze, Some("blog"), Some("canary"))), [false, false, true, false]);
    }

    #[test]
    fn a_rollback_passes_a_freeze_but_no_history_that_is_behind() {
        for kind in [StopKind::Freeze, StopKind::Auditor, StopKind::HistoryBehind] {
            assert!(stop(kind, None, None).holds(false));
            assert_eq!(StopKind::parse(kind.as_str()), Some(kind));
        }
        assert!(!stop(StopKind::Freeze, None, None).holds(true));
        assert!(!stop(StopKind::Auditor, None, None).holds(true));
        assert!(stop(StopKind::HistoryBehind, None, None).holds(true));
    }
}
