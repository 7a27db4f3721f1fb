//! Enactment: moving a head forward, and never back.
//!
//! A small state machine says what it wants to know or do, and is told what happened. The gap between reading and
//! writing is a visible state:
//!
//! 1. E1 reads: head 5, target 6. E1 is stopped.
//! 2. 200 plans land; E2 moves the head to 206.
//! 3. E1 goes on and writes its move to 6. The head is the *greatest* move, so 206 stays; E1's row has no effect.
//! 4. E1 reads again, and sees that it was superseded.

use crate::rings::{Course, Head, Known, RingName, Rings, Target, Trial};
use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;
use zone_model::{Generation, Succession, Version, succession};

/// How an attempt to enact ended. The same words in logs, metrics and the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// This enactor moved the head.
    Enacted,
    /// The head is at the target already.
    AlreadyEnacted,
    /// The head is beyond the target.
    Superseded,
    /// Another enactor made the same move first; it reads again.
    LostRace,
    /// The head has the target's number with another id (a fork, which is never enacted), or the database refused.
    Refused,
    /// A stop covers the head.
    Frozen,
}

impl Outcome {
    /// All outcomes.
    pub const ALL: &[Self] =
        &[Self::Enacted, Self::AlreadyEnacted, Self::Superseded, Self::LostRace, Self::Refused, Self::Frozen];

    /// The word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enacted => "enacted",
            Self::AlreadyEnacted => "already-enacted",
            Self::Superseded => "superseded",
            Self::LostRace => "lost-race",
            Self::Refused => "refused",
            Self::Frozen => "frozen",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What an enactment asks for next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Read all of it again, in one snapshot.
    Read,
    /// Write the move, with the servers that are to prove it.
    Move {
        /// Where to.
        version: Version,
        /// The servers of a proving ring that are live now; none where nothing is proved.
        expected: Option<BTreeSet<String>>,
    },
    /// Write the verdict.
    Judge {
        /// On which generation.
        generation: Generation,
        /// Passed or failed.
        passed: bool,
        /// Why, for people.
        why: String,
    },
    /// Nothing to be done before something else happens.
    Wait(Waiting),
    /// It is over.
    Stop(Outcome),
}

/// What a head waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// The servers that are to prove it.
    Trial(Trial),
    /// The first ring's verdict on something newer.
    Verdict,
    /// A generation passed, and its delay is over after this.
    Delay(Duration),
    /// All that is newer has failed: a newer plan repairs it.
    NewerPlan,
}

/// One ring's head of one group.
#[derive(Clone, Copy, Debug, Default)]
pub struct Enactment;

impl Enactment {
    /// Everything was read in one snapshot: what to do with the head of `ring`.
    #[must_use]
    pub fn read(self, rings: &Rings, course: &Course, ring: &RingName) -> Next {
        let (Some(of), Some(tip)) = (rings.rings.get(ring), course.tip()) else {
            return Next::Wait(Waiting::NewerPlan);
        };
        if rings.history_is_behind(&course.group, ring) {
            return Next::Stop(Outcome::Frozen);
        }
        let head = course.heads.get(ring);
        if let Some(head) = head {
            let same_number = course.generations.get(&head.version.generation);
            if same_number.is_some_and(|known| known.id != head.version.id) {
                return Next::Stop(Outcome::Refused);
            }
            if succession(Some(head.version), tip) == Succession::Older {
                return Next::Stop(Outcome::Superseded);
            }
        }
        if rings.is_alone(ring) {
            return go(rings.newest(course, ring), head, tip, None, Waiting::NewerPlan);
        }
        if of.first {
            first(rings, course, ring, head, tip)
        } else {
            go(rings.proved(course, ring), head, tip, None, Waiting::Verdict)
        }
    }

    /// The move was written, or its row was there already. Losing a race must not cost progress: read again.
    #[must_use]
    pub fn written(self, row_is_ours: bool) -> Next {
        if row_is_ours { Next::Stop(Outcome::Enacted) } else { Next::Read }
    }

    /// A verdict was written, by this enactor or another: heads may move by it.
    #[must_use]
    pub fn judged(self) -> Next {
        Next::Read
    }
}

/// The first ring stays until there is a verdict, and then goes to the newest generation, so that a stream of plans
/// starves nobody.
fn first(rings: &Rings, course: &Course, ring: &RingName, head: Option<&Head>, tip: Version) -> Next {
    // What was rolled back has failed, also where it had passed and waits for a ring's delay.
    let proved_then_rolled_back = course.generations.iter().rev().find(|(number, known)| {
        let is_proved_or_proving =
            known.passed.is_some() || head.is_some_and(|head| head.version.generation == **number);
        known.rolled_back && !known.failed && is_proved_or_proving
    });
    if let Some((generation, _)) = proved_then_rolled_back {
        return Next::Judge { generation: *generation, passed: false, why: "it was rolled back".to_owned() };
    }
    let mut unproved = None;
    if let Some(head) = head
        && let Some(known) = course.generations.get(&head.version.generation)
        && !known.failed
        && known.passed.is_none()
    {
        let judge = |passed, why| Next::Judge { generation: head.version.generation, passed, why };
        if known.answers_passed {
            return judge(true, "what it answers has passed before".to_owned());
        }
        match rings.trial(course, ring, head) {
            Trial::Passed(why) => return judge(true, why),
            Trial::Failed(why) => return judge(false, why),
            trial @ Trial::Held(_) => return Next::Wait(Waiting::Trial(trial)),
            trial @ Trial::TooFew { .. } => unproved = Some(trial),
        }
    }
    let expected = rings.live_servers(ring);
    let next = go(rings.newest(course, ring), head, tip, Some(expected), Waiting::NewerPlan);
    if !matches!(next, Next::Stop(Outcome::AlreadyEnacted) | Next::Wait(_)) {
        return next;
    }
    let is_out = head.and_then(|head| course.generations.get(&head.version.generation)).is_some_and(Known::is_out);
    match unproved {
        Some(trial) => Next::Wait(Waiting::Trial(trial)),
        None if is_out => Next::Wait(Waiting::NewerPlan),
        None => next,
    }
}

fn go(
    target: Target,
    head: Option<&Head>,
    tip: Version,
    expected: Option<BTreeSet<String>>,
    otherwise: Waiting,
) -> Next {
    match target {
        Target::Go(version) => match succession(head.map(|head| head.version), version) {
            Succession::Newer => Next::Move { version, expected },
            Succession::Same => Next::Stop(Outcome::AlreadyEnacted),
            Succession::Older => Next::Stop(Outcome::Superseded),
            Succession::Fork => Next::Stop(Outcome::Refused),
        },
        Target::Stopped => Next::Stop(Outcome::Frozen),
        Target::Nowhere(_) if head.is_some_and(|head| head.version == tip) => Next::Stop(Outcome::AlreadyEnacted),
        Target::Nowhere(Some(left)) => Next::Wait(Waiting::Delay(left)),
        Target::Nowhere(None) => Next::Wait(otherwise),
    }
}
