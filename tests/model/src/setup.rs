//! What a walk of the model comprises: who takes part, what may go wrong, and which guards are taken out.

use crate::wish::Wish;

/// One walk: every order of moves that these can make is visited.
#[derive(Clone, Debug)]
pub struct Setup {
    /// How many rings: the first alone, or the first proving for one or two others.
    pub rings: usize,
    /// How many enactors, all equal.
    pub enactors: usize,
    /// One client for each, who wishes it once.
    pub wishes: Vec<Wish>,
    /// Whether clients pause between reading, drawing a number, deciding and writing; else they post at once.
    pub clients_pause: bool,
    /// How many freezes there are, each with its thaw.
    pub freezes: u8,
    /// Whether enactors and servers may be killed and start again, at any point.
    pub restarts: bool,
    /// Whether servers follow the heads; else nobody looks at what is in force.
    pub servers: bool,
    /// Whether old generations are retired, and how many are kept.
    pub keeps: Option<u8>,
    /// Whether somebody pins a generation, and lets go of it.
    pub pins: bool,
    /// The guards that are taken out, to see that the walk would notice.
    pub without: &'static [Guard],
}

/// What keeps a promise, and can be taken out: in the rules and in the database alike, where it is kept in both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// The head is the greatest move; without: the one written last.
    GreatestMove,
    /// A plan is written as the generation after the tip that it was decided on, or not at all; without: after any.
    TipUnchanged,
    /// Conflicts are judged against the plan's own base; without: against the tip as the handler finds it.
    BaseOfThePlan,
    /// Nothing is retired that a head or a pin reaches; without: what is old goes.
    ReachedIsKept,
    /// Who loses a race reads again; without: it takes its work for done.
    ReadAgain,
    /// A group moves as a whole; without: zone after zone, all on one look.
    WholeGroups,
    /// A freeze waits for the moves in flight; without: it is acknowledged at once.
    FreezeWaits,
    /// Later rings follow verdicts; without: they follow the first ring.
    Verdicts,
    /// A server refuses what is older, and what does not add up; without: it takes what it finds.
    ServersOwnSay,
    /// A move needs nothing but its row; without: what was in force must still be there, to be kept for a rollback.
    MovesNeedNothing,
}

impl Setup {
    /// One ring, one enactor, and nothing else.
    #[must_use]
    pub const fn new(wishes: Vec<Wish>) -> Self {
        Self {
            rings: 1,
            enactors: 1,
            wishes,
            clients_pause: false,
            freezes: 0,
            restarts: false,
            servers: true,
            keeps: None,
            pins: false,
            without: &[],
        }
    }

    /// The same with so many enactors, and the first so many of its plans.
    #[must_use]
    pub fn sized(mut self, enactors: usize, plans: usize) -> Self {
        self.enactors = enactors;
        self.wishes.truncate(plans);
        self
    }

    /// Whether `guard` was taken out.
    #[must_use]
    pub fn lacks(&self, guard: Guard) -> bool {
        self.without.contains(&guard)
    }
}
