//! What is in the database, and what it refuses: a faithful small copy of the schema's part in each promise.
//!
//! Every method is one statement, so it happens at once; the time between two of them is the caller's to lose.

use crate::numbers::{Number, Numbers};
use crate::setup::{Guard, Setup};
use crate::wish::{Wish, ZONES, guarded};
use plan_rules::{Admission, Change};
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use zone_model::{Content, Digest, Key, Name, RecordType, SetKey, Version};

/// What the rules made of a plan. Known by its id, which says where it stands and what it comes to.
#[derive(Clone, Debug)]
pub struct Judged(pub Arc<Admission>);

impl PartialEq for Judged {
    fn eq(&self, other: &Self) -> bool {
        self.0.version == other.0.version
    }
}
impl Eq for Judged {}
impl Hash for Judged {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.version.id.hash(state);
    }
}

/// A row of `generation`, with its plan and the rows of that.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Row {
    /// What was wished.
    pub wish: Wish,
    /// The plan's number.
    pub plan: u8,
    /// The base, as written down with the plan.
    pub base: Number,
    /// What the plan's author had really read.
    pub read: Number,
    /// What the rules made of it.
    pub judged: Judged,
}

impl Row {
    /// The generation and its id.
    #[must_use]
    pub fn version(&self) -> Version {
        self.judged.0.version
    }

    /// Whether it changes one of these names.
    #[must_use]
    pub fn changes_a_name_of(&self, footprint: &Footprint) -> bool {
        self.judged.0.changes.iter().any(|change| footprint.contains(&owner_of(change)))
    }
}

/// Names (zone, owner).
pub type Footprint = BTreeSet<(Name, Name)>;

fn owner_of(change: &Change) -> (Name, Name) {
    let owner = match &change.key {
        Key::Records(set) | Key::Guarded(set) => set.owner().clone(),
        Key::Serial | Key::Setting(_) => change.zone.clone(),
    };
    (change.zone.clone(), owner)
}

/// The names that a plan changes.
#[must_use]
pub fn footprint(admission: &Admission) -> Footprint {
    admission.changes.iter().map(owner_of).collect()
}

/// What stands, by zone and key.
pub type State<'a> = BTreeMap<(&'a Name, &'a Key), &'a Content>;

/// What changed, by zone and key; none for what is gone.
pub type Difference<'a> = BTreeMap<(&'a Name, &'a Key), Option<&'a Content>>;

fn standing(newest: Difference<'_>) -> State<'_> {
    newest.into_iter().filter_map(|(key, content)| Some((key, content?))).collect()
}

/// The digest of what stands.
#[must_use]
pub fn digest(state: &State<'_>) -> Digest {
    state.iter().fold(Digest::EMPTY, |sum, ((zone, key), content)| sum.plus(key.digest(zone, content)))
}

/// The digest of what stands at the tip, with these changes made.
#[must_use]
pub fn digest_after(world: &World, admission: &Admission) -> Digest {
    let mut state = world.state_at(world.tip());
    for change in &admission.changes {
        match &change.content {
            Some(content) => state.insert((&change.zone, &change.key), content),
            None => state.remove(&(&change.zone, &change.key)),
        };
    }
    digest(&state)
}

/// What became of a write that others may have made first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// The row is ours.
    Ours,
    /// There was one already.
    Theirs,
    /// A trigger said no.
    Refused,
}

/// The database.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct World {
    /// Every generation that was ever admitted, the first one first.
    pub generations: Vec<Row>,
    /// Rows of `change` that were retired: the generation, and the place in its plan.
    pub retired: BTreeSet<(Number, u8)>,
    /// Rows of `generation` that were retired.
    pub forgotten: Numbers,
    /// How many plans have drawn a number.
    pub numbers_drawn: u8,
    /// The oldest generation that can be read.
    pub floor: Number,
    /// The moves of each ring.
    pub moves: Vec<Numbers>,
    /// Where a guard was taken out, and heads are written over: what each zone of each ring points to.
    pub overwritten: Option<Vec<[Number; 2]>>,
    /// Passed verdicts.
    pub passed: Numbers,
    /// Those that are older than the delay of the last ring.
    pub passed_long_ago: Numbers,
    /// Failed verdicts.
    pub failed: Numbers,
    /// Whether everything is stopped.
    pub frozen: bool,
    /// Pinned generations.
    pub pinned: Numbers,
}

impl World {
    /// The newest generation.
    #[must_use]
    pub fn tip(&self) -> Number {
        self.generations.len() as Number
    }

    /// A generation's row, whether or not it was retired.
    #[must_use]
    pub fn row(&self, number: Number) -> &Row {
        &self.generations[usize::from(number) - 1]
    }

    /// Whether the generation is there.
    #[must_use]
    pub fn has(&self, number: Number) -> bool {
        (1..=self.tip()).contains(&number) && !self.forgotten.contains(number)
    }

    /// A ring's head: its greatest move, zone by zone.
    #[must_use]
    pub fn head(&self, ring: usize) -> [Number; 2] {
        match &self.overwritten {
            Some(heads) => heads[ring],
            None => [self.moves[ring].greatest().unwrap_or(0); 2],
        }
    }

    /// The rows of `change` that are left, those of older generations first.
    pub fn changes(&self) -> impl Iterator<Item = (Number, u8, &Change)> {
        self.changes_ever().filter(|(number, place, _)| {
            !self.retired.contains(&(*number, *place)) && !self.forgotten.contains(*number)
        })
    }

    fn changes_ever(&self) -> impl Iterator<Item = (Number, u8, &Change)> {
        self.generations.iter().zip(1..).flat_map(|(row, number)| {
            row.judged.0.changes.iter().zip(0..).map(move |(change, place)| (number, place, change))
        })
    }

    /// State at a generation: per key, the greatest plan among those of the generations up to it, that is not "gone".
    #[must_use]
    pub fn state_at(&self, number: Number) -> State<'_> {
        standing(self.difference(0, number))
    }

    /// What stood at a generation when it was admitted, retired rows included. Nobody in the world can read this.
    #[must_use]
    pub fn state_as_admitted(&self, number: Number) -> State<'_> {
        let rows = self.changes_ever().filter(|(generation, ..)| *generation <= number);
        let newest = rows.map(|(_, _, change)| ((&change.zone, &change.key), change.content.as_ref()));
        standing(newest.collect())
    }

    /// Change from one generation to another: per key, the greatest plan among those between.
    #[must_use]
    pub fn difference(&self, above: Number, upto: Number) -> Difference<'_> {
        let mut newest: BTreeMap<(&Name, &Key), (u8, Option<&Content>)> = BTreeMap::new();
        for (generation, _, change) in self.changes() {
            if above < generation && generation <= upto {
                let plan = self.row(generation).plan;
                let of_key = newest.entry((&change.zone, &change.key)).or_insert((plan, change.content.as_ref()));
                if plan >= of_key.0 {
                    *of_key = (plan, change.content.as_ref());
                }
            }
        }
        newest.into_iter().map(|(key, (_, content))| (key, content)).collect()
    }

    /// Whether all that stood at a generation when it was admitted can still be read.
    #[must_use]
    pub fn can_be_read(&self, number: Number) -> bool {
        // Where nothing was deleted, there is nothing to look for.
        let all_is_there = self.retired.is_empty() && self.forgotten == Numbers::default();
        self.has(number) && (all_is_there || digest(&self.state_at(number)) == self.row(number).judged.0.digest)
    }

    /// A plan draws its number: after its base was read.
    pub fn draw_number(&mut self) -> u8 {
        self.numbers_drawn += 1;
        self.numbers_drawn
    }

    /// The door: the generation's row, under the key (group, tip + 1), and what its trigger judges again.
    pub fn admit(&mut self, row: Row) -> Written {
        let number = self.tip() + 1;
        if i64::from(number) != row.version().generation.get() {
            return Written::Theirs;
        }
        let footprint = footprint(&row.judged.0);
        let is_stale = self.generations[usize::from(row.base)..].iter().any(|one| one.changes_a_name_of(&footprint));
        let is_drawn_too_early = self.generations[..usize::from(row.base)].iter().any(|one| one.plan > row.plan);
        if is_stale || is_drawn_too_early || (self.floor > 1 && row.base < self.floor) {
            return Written::Refused;
        }
        self.generations.push(row);
        if !self.guarded_names_stand(number) {
            self.generations.pop();
            return Written::Refused;
        }
        Written::Ours
    }

    /// Whether `api` stands in both zones.
    #[must_use]
    pub fn guarded_names_stand(&self, number: Number) -> bool {
        answers(&self.state_at(number))
    }

    /// Whether no server can bear that generation.
    #[must_use]
    pub fn is_poison(&self, number: Number) -> bool {
        let www = self.generations[..usize::from(number)].iter().rev().find(|row| row.changes_a_name_of(&www()));
        www.is_some_and(|row| row.wish == Wish::Poison)
    }

    /// What the triggers of `head_move` say: of the floor, the stops, the verdicts.
    #[must_use]
    pub fn may_move(&self, setup: &Setup, ring: usize, to: Number) -> bool {
        let lacks_its_old_self = setup.lacks(Guard::MovesNeedNothing) && !self.can_be_read(self.head(ring)[0]);
        let long_enough = if ring == 2 { self.passed_long_ago } else { self.passed };
        let is_proved = ring == 0 || long_enough.contains(to) || setup.lacks(Guard::Verdicts);
        let is_stopped = self.frozen && !self.goes_through_freezes(to);
        let is_kept = setup.lacks(Guard::ReachedIsKept) || to >= self.floor;
        self.has(to) && is_kept && is_proved && !is_stopped && !self.failed.contains(to) && !lacks_its_old_self
    }

    /// Whether a generation is a rollback that was made for that.
    #[must_use]
    pub fn goes_through_freezes(&self, number: Number) -> bool {
        self.row(number).wish == Wish::RollBack { through_freeze: true }
    }

    /// Inserts a move, unless it is there. `zone`: that zone alone, where groups do not move as a whole.
    pub fn move_head(&mut self, setup: &Setup, ring: usize, to: Number, zone: Option<usize>) -> Written {
        if let Some(heads) = &mut self.overwritten {
            for place in zone.map_or(0..2, |zone| zone..zone + 1) {
                let head = &mut heads[ring][place];
                *head = if setup.lacks(Guard::GreatestMove) { to } else { to.max(*head) };
            }
        }
        if self.moves[ring].insert(to) || zone == Some(1) { Written::Ours } else { Written::Theirs }
    }

    /// Inserts a verdict, unless it is there.
    pub fn judge(&mut self, number: Number, passed: bool) -> Written {
        if passed && !self.moves[0].contains(number) {
            return Written::Refused;
        }
        let of_kind = if passed { &mut self.passed } else { &mut self.failed };
        if of_kind.insert(number) { Written::Ours } else { Written::Theirs }
    }
}

/// Whether `api` stands in both zones.
#[must_use]
pub fn answers(state: &State<'_>) -> bool {
    ZONES.iter().all(|zone| state.contains_key(&(zone, &Key::Records(guarded(zone)))))
}

fn www() -> Footprint {
    let zone = &ZONES[0];
    [(zone.clone(), SetKey::new(&Name::parse_relative("www", zone).expect("a name"), RecordType::A).owner().clone())]
        .into()
}
