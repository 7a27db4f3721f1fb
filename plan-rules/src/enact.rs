//! Enactment: moving a head forward, and never back.
//!
//! A small state machine says what it wants to know or do, and is told what happened. The gap between reading and
//! writing is a visible state:
//!
//! 1. E1 reads: head 5, target 6. E1 is stopped.
//! 2. 200 plans land; E2 moves the head to 206.
//! 3. E1 goes on and writes its move to 6. The head is the *greatest* move, so 206 stays; E1's row has no effect.
//! 4. E1 reads again, and sees that it was superseded.

use std::fmt;
use zone_model::{Succession, Version, succession};

/// How an attempt to enact ended. The same words in logs, metrics and the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// This enactor moved the head.
    Enacted,
    /// The head is at the target already.
    AlreadyEnacted,
    /// The head is beyond the target.
    Superseded,
    /// Another enactor made the same move first; it reads again.
    LostRace,
    /// The head has the target's number with another id: a fork, which is never enacted.
    Refused,
}

impl Outcome {
    /// The word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enacted => "enacted",
            Self::AlreadyEnacted => "already-enacted",
            Self::Superseded => "superseded",
            Self::LostRace => "lost-race",
            Self::Refused => "refused",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What an enactment asks for next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Read the head and the target, together.
    Read,
    /// Write the move.
    Move(Version),
    /// It is over.
    Stop(Outcome),
}

/// One head on its way to one target.
#[derive(Clone, Copy, Debug, Default)]
pub struct Enactment;

impl Enactment {
    /// Head and target were read in one snapshot. The first ring, alone, has the tip as its target.
    #[must_use]
    pub fn read(self, head: Option<Version>, target: Version) -> Next {
        match succession(head, target) {
            Succession::Newer => Next::Move(target),
            Succession::Same => Next::Stop(Outcome::AlreadyEnacted),
            Succession::Older => Next::Stop(Outcome::Superseded),
            Succession::Fork => Next::Stop(Outcome::Refused),
        }
    }

    /// The move was written, or its row was there already. Losing a race must not cost progress: read again.
    #[must_use]
    pub fn written(self, row_is_ours: bool) -> Next {
        if row_is_ours { Next::Stop(Outcome::Enacted) } else { Next::Read }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zone_model::{Generation, Id};

    fn version(number: i64, seed: u8) -> Version {
        Version { generation: Generation::new(number).unwrap(), id: Id::from_bytes(&[seed; 32]).unwrap() }
    }

    #[test]
    fn a_head_moves_forward_only() {
        let read = |head, target| Enactment.read(head, target);
        assert_eq!(read(None, version(1, 1)), Next::Move(version(1, 1)));
        assert_eq!(read(Some(version(5, 1)), version(206, 2)), Next::Move(version(206, 2)));
        assert_eq!(read(Some(version(206, 2)), version(206, 2)), Next::Stop(Outcome::AlreadyEnacted));
        assert_eq!(read(Some(version(206, 2)), version(6, 1)), Next::Stop(Outcome::Superseded));
        assert_eq!(read(Some(version(6, 1)), version(6, 2)), Next::Stop(Outcome::Refused));
    }

    #[test]
    fn whoever_loses_the_race_reads_again() {
        assert_eq!(Enactment.written(false), Next::Read);
        assert_eq!(Enactment.written(true), Next::Stop(Outcome::Enacted));
    }
}
