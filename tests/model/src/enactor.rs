//! An enactor: the real [`Enactment`], with the time between looking and writing as a state that it can be left in.

use crate::numbers::{Number, number};
use crate::reading::{RINGS, course, rings};
use crate::server::Server;
use crate::setup::{Guard, Setup};
use crate::world::{World, Written};
use plan_rules::{Enactment, Next};

/// Where an enactor is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Enactor {
    /// It will look again.
    #[default]
    Idle,
    /// It looked, and is about to write a move.
    Moving {
        /// The ring.
        ring: u8,
        /// Where to.
        to: Number,
    },
    /// Its move is written, and not committed: the triggers have had their say, the lock is held.
    InFlight {
        /// The ring.
        ring: u8,
        /// Where to.
        to: Number,
    },
    /// It moved the first zone of a group, and is about to move the second. Only where groups do not move as a whole.
    BetweenZones {
        /// The ring.
        ring: u8,
        /// Where to.
        to: Number,
    },
    /// It looked, and is about to write a verdict.
    Judging {
        /// On what.
        generation: Number,
        /// Which.
        passed: bool,
    },
    /// It takes its work for done, for good. Only where losers do not read again.
    GaveUp,
}

impl Enactor {
    /// Looks at the whole truth of one ring, in one snapshot, and decides.
    pub fn look(&mut self, setup: &Setup, world: &World, servers: &[Server], ring: usize) {
        let mut course = course(world, servers);
        let rings = rings(world, servers);
        if setup.lacks(Guard::Verdicts) && ring > 0 {
            course.generations.values_mut().for_each(|known| known.passed = Some(std::time::Duration::MAX));
        }
        *self = match Enactment.read(&rings, &course, &RINGS[ring]) {
            Next::Move { version, .. } => Self::Moving { ring: ring as u8, to: number(version.generation) },
            Next::Judge { generation, passed, .. } => Self::Judging { generation: number(generation), passed },
            Next::Read | Next::Wait(_) | Next::Stop(_) => Self::Idle,
        };
    }

    /// Writes what it was about to write; by the answer, it is done, or reads again.
    pub fn write(&mut self, setup: &Setup, world: &mut World) {
        *self = match *self {
            Self::Moving { ring, to } if !world.may_move(setup, usize::from(ring), to) => Self::Idle,
            Self::Moving { ring, to } if setup.freezes > 0 => Self::InFlight { ring, to },
            Self::Moving { ring, to } if setup.lacks(Guard::WholeGroups) => {
                world.move_head(setup, usize::from(ring), to, Some(0));
                Self::BetweenZones { ring, to }
            }
            Self::BetweenZones { ring, to } => {
                world.move_head(setup, usize::from(ring), to, Some(1));
                Self::Idle
            }
            Self::Moving { ring, to } | Self::InFlight { ring, to } => {
                let ours = world.move_head(setup, usize::from(ring), to, None) == Written::Ours;
                match Enactment.written(ours) {
                    Next::Read if setup.lacks(Guard::ReadAgain) => Self::GaveUp,
                    _ => Self::Idle,
                }
            }
            Self::Judging { generation, passed } => {
                world.judge(generation, passed);
                Self::Idle
            }
            Self::Idle | Self::GaveUp => *self,
        };
    }
}
