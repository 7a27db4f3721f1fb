//! A server: reads the head of its ring and what changed, all in one moment; builds aside; swaps in later.

use crate::numbers::{Number, generation};
use crate::setup::{Guard, Setup};
use crate::world::{World, answers};
use server::install::{Decision, Known, Load, decide};
use zone_model::Version;

/// What a server answers from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Held {
    /// The generation of each zone.
    pub zones: [Number; 2],
    /// Whether that is what stood at that generation.
    pub whole: bool,
    /// Whether the guarded names are answered.
    pub answers: bool,
}

/// One server, the only one of its ring.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Server {
    /// What it answers from; none after a start, when it is not ready.
    pub held: Option<Held>,
    /// What it has built aside, from a moment that may be long over.
    pub built: Option<Held>,
    /// Whether it reports a fault.
    pub fault: bool,
    /// Whether it has lived on what it holds for as long as a proof takes.
    pub soaked: bool,
    /// The greatest generation that it ever answered from. It does not know; we watch.
    pub greatest: Number,
}

impl Server {
    /// Serves that generation.
    #[must_use]
    pub const fn at(number: Number) -> Self {
        let held = Held { zones: [number; 2], whole: true, answers: true };
        Self { held: Some(held), built: None, fault: false, soaked: true, greatest: number }
    }

    /// Reads the head and the rows, in one snapshot, and builds.
    pub fn fetch(&mut self, setup: &Setup, world: &World, ring: usize) {
        let zones = world.head(ring);
        self.built = None;
        if zones == [0; 2] {
            return;
        }
        if setup.lacks(Guard::ServersOwnSay) || world.overwritten.is_some() {
            let held = Held { zones, ..found(world, zones[0]) };
            self.built = (self.held != Some(held)).then_some(held);
            return;
        }
        let (to, held) = (zones[0], self.held.map(|held| held.zones[0]));
        let version = |number: Number| Version { ..world.row(number).version() };
        let known = match held {
            Some(held) if world.has(held) => Known::As(version(held).id),
            Some(held) if world.floor > held => Known::Forgotten,
            _ => Known::Nothing,
        };
        match decide(held.map(version), known, generation(world.floor).get(), version(to)) {
            Decision::Keep => self.fault = false,
            Decision::Refuse(_) => self.fault = true,
            Decision::Install(_) if world.is_poison(to) => self.report_fault(),
            Decision::Install(load) => {
                let increment = (load == Load::Increment).then_some(held).flatten();
                let fits = increment.is_some_and(|from| adds_up(world, from, to));
                let built = found(world, to);
                // What drifted is loaded in full; what does not add up then is refused.
                if fits {
                    self.built = Some(Held { zones, whole: true, answers: true });
                } else if built.whole && built.answers {
                    self.built = Some(built);
                } else {
                    self.report_fault();
                }
            }
        }
    }

    fn report_fault(&mut self) {
        self.fault = true;
        self.soaked = false;
    }

    /// Swaps in what was built.
    pub fn install(&mut self) {
        if let Some(built) = self.built.take() {
            self.held = Some(built);
            self.fault = false;
            self.soaked = false;
            self.greatest = self.greatest.max(built.zones[0]);
        }
    }

    /// Killed, and started again with nothing.
    pub fn restart(&mut self) {
        *self = Self { held: None, built: None, fault: false, soaked: false, greatest: self.greatest };
    }
}

/// What a full load at that generation finds.
fn found(world: &World, number: Number) -> Held {
    let state = if world.has(number) { world.state_at(number) } else { Default::default() };
    Held { zones: [number; 2], whole: world.can_be_read(number), answers: answers(&state) }
}

/// Whether what changed since `from` leads from that to what stood at `to`.
fn adds_up(world: &World, from: Number, to: Number) -> bool {
    let mut state = world.state_as_admitted(from);
    for (key, content) in world.difference(from, to) {
        match content {
            Some(content) => state.insert(key, content),
            None => state.remove(&key),
        };
    }
    state == world.state_as_admitted(to) && answers(&state)
}
