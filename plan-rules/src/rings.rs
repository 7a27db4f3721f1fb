//! Rings: where a ring's head is to go. The first ring proves a generation, and the others follow its verdicts.
//!
//! Durations are ages, measured by the database's clock in the snapshot that was read; nothing here knows what time it
//! is. What was read may leave out generations that decide nothing, as long as it holds the heads, the newest
//! generation that may be moved to, and for each ring the greatest one that passed long enough ago.

mod trial;

pub use trial::{Awaited, HEARTBEAT_EVERY, HEARTBEATS, LIVE_FOR, REPORTS_WITHIN, Trial, WATCHED_MIN};

use crate::stops::{Stop, StopKind};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;
use zone_model::{Generation, GroupName, Id, Version};

/// The name of a ring: spelled as groups are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RingName(GroupName);

impl RingName {
    /// Reads a name; none when it has other characters than `a-z`, `0-9`, `.`, `_` and `-`, or too many.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        GroupName::parse(text).ok().map(Self)
    }

    /// The text.
    #[must_use]
    pub const fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Display for RingName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How a ring follows the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ring {
    /// Whether it proves generations for the others.
    pub first: bool,
    /// For how long servers must live on a generation to prove it; at least [`HEARTBEATS`] heartbeats in any case.
    pub soak: Duration,
    /// How long after its verdict a generation comes to this ring.
    pub delay: Duration,
    /// How many servers it takes to prove a generation.
    pub servers_min: usize,
}

/// A server, by its newest instance.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Server {
    /// The ring that it follows.
    pub ring: RingName,
    /// How long ago its last heartbeat was.
    pub seen: Duration,
    /// How long ago this instance started.
    pub started: Duration,
    /// An operator said that it comes no more.
    pub forgotten: bool,
    /// Two live instances bear its name: what they say proves nothing.
    pub doubled: bool,
}

/// What a server says of one group.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Report {
    /// What it serves.
    pub version: Version,
    /// How long ago it said so.
    pub age: Duration,
    /// What is wrong with this group at this server.
    pub fault: Option<String>,
}

/// The rings that have not ended, who follows them, and what is stopped: the same for every group of one look.
#[derive(Clone, Debug, Default)]
pub struct Rings {
    /// The rings.
    pub rings: BTreeMap<RingName, Ring>,
    /// The servers of all rings, by name.
    pub servers: BTreeMap<String, Server>,
    /// The stops that are not over.
    pub stops: Vec<Stop>,
    /// For how long this enactor has looked without a gap. While nobody could write to the database no server could
    /// give a sign of life, and that is no fault of theirs.
    pub watched: Duration,
}

/// A generation that may decide something.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Known {
    /// Its id.
    pub id: Id,
    /// Failed is for ever, whatever else was found.
    pub failed: bool,
    /// How long ago it passed, if it did.
    pub passed: Option<Duration>,
    /// What it answers is what a generation answers that passed and has not failed.
    pub answers_passed: bool,
    /// A newer generation rolls back to one before this.
    pub rolled_back: bool,
    /// It is a rollback that goes through a freeze.
    pub through_freeze: bool,
}

impl Known {
    /// Whether no head may go here any more.
    #[must_use]
    pub const fn is_out(&self) -> bool {
        self.failed || self.rolled_back
    }
}

/// A ring's head: its greatest move.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Head {
    /// Where it is.
    pub version: Version,
    /// How long ago it moved there.
    pub age: Duration,
    /// The servers that were live then, and must prove it.
    pub expected: BTreeSet<String>,
}

/// A group's history, as far as enacting has to do with it.
#[derive(Clone, Debug)]
pub struct Course {
    /// The group.
    pub group: GroupName,
    /// Admitted generations, the tip among them.
    pub generations: BTreeMap<Generation, Known>,
    /// The head of each ring that has one.
    pub heads: BTreeMap<RingName, Head>,
    /// What servers report of this group.
    pub reports: BTreeMap<String, Report>,
}

/// Where a ring's head may go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// Here.
    Go(Version),
    /// It would move, and is stopped.
    Stopped,
    /// Nowhere that is allowed now.
    Nowhere(Option<Duration>),
}

impl Rings {
    /// Whether a ring takes the tip at once, because there is nobody to prove anything for.
    #[must_use]
    pub fn is_alone(&self, ring: &RingName) -> bool {
        self.rings.len() == 1 && self.rings.contains_key(ring)
    }

    /// The servers that are live now and belong to `ring`: those who are to prove what its head moves to.
    #[must_use]
    pub fn live_servers(&self, ring: &RingName) -> BTreeSet<String> {
        let live = self.servers.iter().filter(|(_, server)| server.ring == *ring && server.is_live());
        live.map(|(name, _)| name.clone()).collect()
    }

    pub(crate) fn history_is_behind(&self, group: &GroupName, ring: &RingName) -> bool {
        self.stops.iter().any(|stop| stop.kind == StopKind::HistoryBehind && stop.covers(group, ring))
    }

    /// Where a ring goes that waits for nobody's verdict: to the newest generation that may be moved to.
    pub(crate) fn newest(&self, course: &Course, ring: &RingName) -> Target {
        let head = course.heads.get(ring).map(|head| head.version.generation);
        self.choose(course, ring, course.candidates().rev().filter(|(number, _)| Some(*number) > head))
    }

    /// Where a ring goes that follows verdicts: to the greatest generation that passed at least its delay ago.
    pub(crate) fn proved(&self, course: &Course, ring: &RingName) -> Target {
        let delay = self.rings.get(ring).map_or(Duration::ZERO, |ring| ring.delay);
        let is_due = |known: &Known| known.passed.is_some_and(|age| age >= delay);
        if let Some(head) = course.heads.get(ring) {
            let above = |number: Generation| number > head.version.generation;
            let due = course.candidates().rev().filter(|(number, known)| above(*number) && is_due(known));
            return match self.choose(course, ring, due) {
                Target::Nowhere(_) => Target::Nowhere(
                    course
                        .candidates()
                        .filter(|(number, _)| above(*number))
                        .filter_map(|(_, known)| known.passed)
                        .map(|age| delay.saturating_sub(age))
                        .min(),
                ),
                found => found,
            };
        }
        // The head was lost: what its servers serve, else where earlier rings are, else as any other step.
        let known_and_due = |version: Version| {
            let known = course.generations.get(&version.generation)?;
            (known.id == version.id && !known.is_out() && is_due(known)).then_some((version.generation, known))
        };
        let live = self.live_servers(ring);
        let served = course.reports.iter().filter(|(server, _)| live.contains(*server));
        let lowest_served =
            served.filter_map(|(_, report)| known_and_due(report.version)).min_by_key(|(number, _)| *number);
        let earlier = course.heads.iter().filter(|(other, _)| self.is_earlier(other, ring));
        let lowest_earlier =
            earlier.filter_map(|(_, head)| known_and_due(head.version)).min_by_key(|(number, _)| *number);
        match lowest_served.or(lowest_earlier) {
            Some(one) => self.choose(course, ring, std::iter::once(one)),
            None => self.choose(course, ring, course.candidates().rev().filter(|(_, known)| is_due(known))),
        }
    }

    fn is_earlier(&self, other: &RingName, ring: &RingName) -> bool {
        let order = |name: &RingName| self.rings.get(name).map(|ring| (!ring.first, ring.delay));
        matches!((order(other), order(ring)), (Some(other), Some(own)) if other < own)
    }

    /// The first of the generations offered whose move nothing stops.
    fn choose<'a>(
        &self,
        course: &Course,
        ring: &RingName,
        offered: impl Iterator<Item = (Generation, &'a Known)>,
    ) -> Target {
        let stops: Vec<&Stop> = self.stops.iter().filter(|stop| stop.covers(&course.group, ring)).collect();
        let mut nothing = Target::Nowhere(None);
        for (generation, known) in offered {
            if stops.iter().any(|stop| stop.holds(known.through_freeze)) {
                nothing = Target::Stopped;
            } else {
                return Target::Go(Version { generation, id: known.id });
            }
        }
        nothing
    }
}

impl Course {
    /// The newest generation.
    #[must_use]
    pub fn tip(&self) -> Option<Version> {
        self.generations.last_key_value().map(|(generation, known)| Version { generation: *generation, id: known.id })
    }

    fn candidates(&self) -> impl DoubleEndedIterator<Item = (Generation, &Known)> {
        self.generations.iter().filter(|(_, known)| !known.is_out()).map(|(generation, known)| (*generation, known))
    }
}
