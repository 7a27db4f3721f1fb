//! What one look comes to: the rules are asked about every head, and nothing is written yet.

use super::look::{Look, OpenGroup};
use move_trace::Role;
use plan_rules::{Awaited, Enactment, Next, Outcome, RingName, Rings, Trial, Waiting};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;
use zone_model::{Generation, Version};

/// A trial ends with a heartbeat, so nothing is missed by looking less often than this.
const TRIAL_LOOKS_APART_MIN: Duration = Duration::from_millis(100);
/// How many heads an enactor tells people about.
const WAITING_TOLD_MAX: usize = 8;

/// A head to be moved.
#[derive(Clone, Debug)]
pub(super) struct Move {
    pub group: HeadOf,
    pub version: Version,
    /// Who is to prove it, in the first of several rings.
    pub expected: Option<BTreeSet<String>>,
    /// Where the head was found.
    pub head: Option<Version>,
    /// What its ring is to the others.
    pub role: Role,
}

/// A verdict to be written.
#[derive(Clone, Debug)]
pub(super) struct Verdict {
    pub group: HeadOf,
    /// The number alone does not tell: a database that is restored meanwhile may come to the same number anew.
    pub version: Version,
    pub passed: bool,
    pub why: String,
}

/// One ring's head of one group.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct HeadOf {
    pub number: i64,
    pub name: String,
    pub ring: RingName,
}

/// What is to be done, told and waited for.
#[derive(Debug, Default)]
pub(super) struct Steps {
    /// By ring, the first one first.
    pub moves: Vec<(RingName, Vec<Move>)>,
    pub verdicts: Vec<Verdict>,
    /// How many generations those moves take in, over all heads.
    pub takes_in: u64,
    /// How heads stand that nothing is to be done about, each with its tip.
    pub stopped: Vec<(HeadOf, Outcome, Option<Generation>)>,
    /// What heads wait for.
    pub waiting: Vec<(HeadOf, Waiting)>,
    /// Groups that nobody can decide about, and why.
    pub damaged: Vec<(i64, String, String)>,
}

impl Steps {
    /// Asks the rules about every head of every group.
    pub(super) fn of(look: &Look) -> Self {
        let mut steps = Self::default();
        let rings = look.rings_in_order();
        let mut moves: BTreeMap<&RingName, Vec<Move>> = BTreeMap::new();
        for OpenGroup { number, name, course } in &look.groups {
            let course = match course {
                Ok(course) => course,
                Err(why) => {
                    steps.damaged.push((*number, name.clone(), why.clone()));
                    continue;
                }
            };
            for ring in &rings {
                let group = HeadOf { number: *number, name: name.clone(), ring: ring.clone() };
                match Enactment.read(&look.rings, course, ring) {
                    Next::Move { version, expected } => {
                        let head = course.heads.get(ring).map(|head| head.version);
                        let takes_in = head.map_or(1, |head| version.generation.get().abs_diff(head.generation.get()));
                        steps.takes_in = steps.takes_in.saturating_add(takes_in);
                        let role = role(&look.rings, ring);
                        moves.entry(ring).or_default().push(Move { group, version, expected, head, role });
                    }
                    Next::Judge { generation, passed, why } => {
                        // What was read to judge it has its id.
                        let known = course.generations.get(&generation).map(|known| known.id);
                        let head = course.heads.get(ring).map(|head| head.version);
                        let head = head.filter(|head| head.generation == generation).map(|head| head.id);
                        let version = known.or(head).map(|id| Version { generation, id });
                        steps.verdicts.extend(version.map(|version| Verdict { group, version, passed, why }));
                    }
                    Next::Wait(waiting) => steps.waiting.push((group, waiting)),
                    Next::Stop(outcome) => {
                        steps.stopped.push((group, outcome, course.tip().map(|tip| tip.generation)));
                    }
                    // Everything was read just now.
                    Next::Read => {}
                }
            }
        }
        steps.moves = rings.iter().filter_map(|ring| Some((ring.clone(), moves.remove(ring)?))).collect();
        steps
    }

    /// Whether nothing is to be written.
    pub(super) fn is_rest(&self) -> bool {
        self.moves.is_empty() && self.verdicts.is_empty()
    }

    /// How soon something may be due that no notice tells of.
    pub(super) fn due_after(&self) -> Option<Duration> {
        let due = self.waiting.iter().filter_map(|(_, waiting)| match waiting {
            Waiting::Delay(left) => Some(*left),
            Waiting::Trial(Trial::Held(awaited)) => {
                let left = awaited.iter().filter_map(|one| match one {
                    Awaited::Heartbeats(_, left) => Some(*left),
                    Awaited::Report(_) | Awaited::Doubled(_) => None,
                });
                left.min().map(|left| left.max(TRIAL_LOOKS_APART_MIN))
            }
            Waiting::Trial(_) | Waiting::Verdict | Waiting::NewerPlan => None,
        });
        due.min()
    }

    /// What heads wait for, for people; none where nothing waits.
    pub(super) fn waits_for(&self) -> Option<String> {
        let mut text = String::new();
        for (head, waiting) in self.waiting.iter().take(WAITING_TOLD_MAX) {
            let _never_fails = writeln!(text, "group {} in ring {}: {}", head.name, head.ring, describe(waiting));
        }
        let frozen = self.stopped.iter().filter(|(_, outcome, _)| *outcome == Outcome::Frozen).count();
        if frozen > 0 {
            let _never_fails = writeln!(text, "{frozen} heads are frozen");
        }
        if let Some(more) = self.waiting.len().checked_sub(WAITING_TOLD_MAX).filter(|more| *more > 0) {
            let _never_fails = writeln!(text, "and {more} heads more");
        }
        text.truncate(text.trim_end().len());
        (!text.is_empty()).then_some(text)
    }
}

fn role(rings: &Rings, ring: &RingName) -> Role {
    if rings.is_alone(ring) {
        return Role::Alone;
    }
    if rings.rings.get(ring).is_some_and(|ring| ring.first) { Role::First } else { Role::Later }
}

/// What a head waits for, in words.
pub(super) fn describe(waiting: &Waiting) -> String {
    match waiting {
        Waiting::Trial(Trial::Held(awaited)) => {
            let words: Vec<String> = awaited.iter().map(ToString::to_string).collect();
            words.join("; ")
        }
        Waiting::Trial(Trial::TooFew { proving, needed }) => {
            format!("{proving} servers prove it, and it takes {needed}")
        }
        // A verdict is a step, and nothing to wait for.
        Waiting::Trial(Trial::Passed(why) | Trial::Failed(why)) => why.clone(),
        Waiting::Verdict => "the first ring's verdict on something newer".to_owned(),
        Waiting::Delay(left) => format!("its delay is over in {} ms", left.as_millis()),
        Waiting::NewerPlan => "all that is newer has failed: a newer plan repairs it".to_owned(),
    }
}
