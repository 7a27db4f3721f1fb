//! Retirement: raises the floor, and forgets what is below it. Each step is a statement of its own, and it may be killed
//! after any of them; what is left to forget, the next one finds.

use crate::numbers::{Number, Numbers, generation, number};
use crate::reading::RINGS;
use crate::setup::{Guard, Setup};
use crate::world::World;
use plan_rules::{Change, KeyVersion, Retirement, obsolete};
use std::collections::BTreeSet;

/// The floor that the rules would have it raise to.
#[must_use]
pub fn choose(setup: &Setup, world: &World) -> Option<Number> {
    let kept = setup.keeps.and_then(|keeps| world.tip().checked_sub(keeps))? + 1;
    let heads = (0..world.moves.len()).map(|ring| (RINGS[ring].clone(), Some(generation(world.head(ring)[0]))));
    let reached = Retirement {
        floor: generation(world.floor),
        oldest_kept: Some(generation(kept)),
        heads: heads.collect(),
        pins: world.pinned.iter().map(generation).collect(),
    };
    let floor = if setup.lacks(Guard::ReachedIsKept) { kept } else { number(reached.floor().at) };
    (floor > world.floor).then_some(floor)
}

impl World {
    /// Raises the floor, as long as no head and no pin is below it.
    pub fn raise_floor(&mut self, setup: &Setup, floor: Number) {
        let reached = (0..self.moves.len()).map(|ring| self.head(ring)[0]).chain(self.pinned.iter()).min();
        if floor > self.floor && (reached >= Some(floor) || setup.lacks(Guard::ReachedIsKept)) {
            self.floor = floor;
        }
    }

    /// The rows of a plan that the rules call obsolete, and that the trigger lets go: there is a newer one of the key at or
    /// below the floor, or it says "gone" and nothing older is left that it would bring back.
    #[must_use]
    pub fn obsolete_changes(&self, setup: &Setup, of: Number) -> BTreeSet<(Number, u8)> {
        let by_age = setup.lacks(Guard::ReachedIsKept) && of < self.floor;
        let mine = self.changes().filter(|(number, ..)| *number == of);
        let going = mine.filter(|(_, _, change)| by_age || self.may_go(of, change));
        going.map(|(number, place, _)| (number, place)).collect()
    }

    fn may_go(&self, of: Number, change: &Change) -> bool {
        let same_key = self.changes().filter(|(.., other)| (&other.zone, &other.key) == (&change.zone, &change.key));
        let versions = same_key
            .map(|(number, _, other)| KeyVersion { generation: generation(number), gone: other.content.is_none() });
        let versions: BTreeSet<KeyVersion> = versions.collect();
        let own = KeyVersion { generation: generation(of), gone: change.content.is_none() };
        let floor = generation(self.floor);
        let newer = versions.iter().any(|one| own.generation < one.generation && one.generation <= floor);
        let nothing_older = versions.first() == Some(&own);
        obsolete(&versions, floor, false).contains(&own) && (newer || (own.gone && nothing_older))
    }

    /// Moves below the floor that are not heads.
    #[must_use]
    pub fn superseded_moves(&self) -> Vec<(usize, Number)> {
        let of_ring = |(ring, moves): (usize, &Numbers)| {
            let (moves, head) = (*moves, moves.greatest());
            moves
                .iter()
                .filter(move |one| *one < self.floor && Some(*one) != head)
                .map(move |one| (ring, one))
                .collect::<Vec<_>>()
        };
        self.moves.iter().enumerate().flat_map(of_ring).collect()
    }

    /// Generations below the floor to which nothing holds on any more.
    #[must_use]
    pub fn unreached_generations(&self, setup: &Setup) -> Vec<Number> {
        let is_held = |number: Number| {
            self.moves.iter().any(|moves| moves.contains(number))
                || self.pinned.contains(number)
                || self.changes().any(|(of, ..)| of == number)
        };
        let all = (1..self.floor).filter(|number| self.has(*number));
        all.filter(|number| setup.lacks(Guard::ReachedIsKept) || !is_held(*number)).collect()
    }
}
