//! Retirement: raises the floor, and forgets what is below it. Each step is a statement of its own, and it may be killed
//! after any of them; what is left to forget, the next one finds.

use crate::numbers::{Number, Numbers};
use crate::setup::{Guard, Setup};
use crate::world::World;
use std::collections::BTreeSet;

/// The floor that it would raise to: as high as heads, pins and the generations that are kept allow.
#[must_use]
pub fn choose(setup: &Setup, world: &World) -> Option<Number> {
    let kept = setup.keeps.and_then(|keeps| world.tip().checked_sub(keeps))? + 1;
    let reached = (0..world.moves.len()).map(|ring| world.head(ring)[0]).chain(world.pinned.iter()).min()?;
    let floor = if setup.lacks(Guard::ReachedIsKept) { kept } else { kept.min(reached) };
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

    /// The rows of a plan that nobody reads any more: of whose key there is a newer one at or below the floor, or a "gone"
    /// there with nothing older.
    #[must_use]
    pub fn superseded_changes(&self, setup: &Setup, of: Number) -> BTreeSet<(Number, u8)> {
        let rows = || self.changes().filter(|(number, ..)| *number <= self.floor);
        let mine =
            rows().filter(|(number, ..)| *number == of && (of < self.floor || !setup.lacks(Guard::ReachedIsKept)));
        let superseded = mine.filter(|(_, _, change)| {
            let same_key = |other: &&(Number, u8, &plan_rules::Change)| {
                other.0 != of && (&other.2.zone, &other.2.key) == (&change.zone, &change.key)
            };
            let (mut newer, mut older) = (false, false);
            rows().filter(|one| same_key(&one)).for_each(|one| if one.0 > of { newer = true } else { older = true });
            setup.lacks(Guard::ReachedIsKept) || newer || (change.content.is_none() && !older)
        });
        superseded.map(|(number, place, _)| (number, place)).collect()
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
