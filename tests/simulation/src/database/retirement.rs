//! Retirement and pins: the doors of `0016_retirement.sql`, and what its triggers refuse.

use super::rows::{Group, PinRow, Row, Sweep};
use super::{Answer, Database, Work, Write};
use crate::fault::Fault;
use crate::words::{APEX, KEYS};
use plan_rules::{KeyVersion, obsolete};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use zone_model::{Generation, Key, RecordType};

/// Of how many generations plan and id are remembered, although their changes are forgotten. `generations_remembered` has
/// a hundred thousand of them: more than any schedule has.
pub const REMEMBERED: usize = 10;

/// A step of the retirement, at its door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retire {
    /// The group.
    pub group: usize,
    /// What is to be done.
    pub step: Step,
}

/// What one transaction of the retirement does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// `call raise_floor(…)`, so that so many generations are kept.
    RaiseFloor(Generation, usize),
    /// `call retire_moves(…)`, so many of each ring, and verdicts.
    Moves(usize),
    /// `call retire_changes(…)`, so many at a time.
    Changes(usize),
    /// `call forget_generations(…)`, so many at a time.
    Forget(usize),
}

/// What a step takes away.
#[derive(Clone, Debug, Default)]
pub(super) struct Gone {
    floor: Option<Generation>,
    moves: Vec<(usize, Generation)>,
    verdicts: Vec<Generation>,
    /// Rows of content, by generation and key.
    rows: BTreeSet<(Generation, usize)>,
    /// `touched` rows, by generation and zone.
    touches: BTreeSet<(Generation, usize)>,
    generations: Vec<Generation>,
    sweep: Option<Sweep>,
    done: bool,
}

impl Database {
    pub(super) fn judge_retirement(&mut self, retire: &Retire) -> Result<Write, &'static str> {
        let group = &self.tables.groups[retire.group];
        let nothing = || Ok(Write::Nothing(Answer::Retired { removed: 0, done: true }));
        let gone = match retire.step {
            Step::RaiseFloor(to, keep) if to <= group.floor || !keeps(group, to, keep) => {
                return Ok(Write::Nothing(Answer::Raised(false)));
            }
            Step::RaiseFloor(to, _) => {
                self.judge_floor(retire.group, to)?;
                Gone { floor: Some(to), ..Gone::default() }
            }
            Step::Moves(rows) => moves_below_the_floor(group, rows),
            Step::Changes(_) | Step::Forget(_) if self.is_swept_by_another(retire) => return nothing(),
            Step::Changes(rows) => match self.obsolete_changes(group, rows) {
                Some(gone) => gone,
                None => return nothing(),
            },
            Step::Forget(rows) => match unreached_generations(group, rows) {
                Some(gone) => gone,
                None => return nothing(),
            },
        };
        let is_unguarded = self.has(Fault::RetiresByAge) || self.has(Fault::TombstonesGoFirst);
        if !is_unguarded {
            changes_may_go(group, &gone)?;
        }
        generations_may_go(group, &gone)?;
        Ok(Write::Retired(Box::new(gone)))
    }

    /// `floor_only_rises`.
    fn judge_floor(&self, number: usize, to: Generation) -> Result<(), &'static str> {
        let group = &self.tables.groups[number];
        if group.generation(to).is_none() {
            return Err("HF034");
        }
        let head = |ring| self.head(number, ring).map(|head| head.generation);
        let is_below = |ring: usize| head(ring).is_none_or(|head| head < to);
        let by_a_head = !self.has(Fault::FloorPassesHeads) && (0..self.tables.rings.len()).any(is_below);
        let by_a_pin = !self.has(Fault::PinsIgnored) && group.pins.iter().any(|pin| pin.generation < to);
        if by_a_head || by_a_pin { Err("HF035") } else { Ok(()) }
    }

    /// `for update skip locked`: whoever comes second leaves it to the first.
    fn is_swept_by_another(&self, retire: &Retire) -> bool {
        self.open.iter().any(|open| match open.work {
            Work::Retire(other) => {
                other.group == retire.group && matches!(other.step, Step::Changes(_) | Step::Forget(_))
            }
            _ => false,
        })
    }

    /// `retire_changes`: some whole generations, or some keys of one that is larger than a batch.
    fn obsolete_changes(&self, group: &Group, rows: usize) -> Option<Gone> {
        let Sweep { swept, middle, forgotten } = group.sweep;
        if group.floor == Generation::FIRST || swept >= Some(group.floor) {
            return None;
        }
        let unswept = |one: &&Rc<super::GenerationRow>| {
            Some(one.version.generation) > swept && one.version.generation <= group.floor
        };
        let mut total = 0;
        let fits = group.generations.iter().filter(unswept).take_while(|one| {
            total += 1 + one.rows.len();
            total <= rows
        });
        let whole = fits.last().map(|one| one.version.generation).filter(|_| middle.is_none());
        let upto = whole.or_else(|| group.generations.iter().find(unswept).map(|one| one.version.generation))?;
        let batch = group.generations.iter().filter(unswept).take_while(|one| one.version.generation <= upto);
        let (mut keys, mut touched) = (BTreeSet::new(), [None; 2]);
        for one in batch {
            keys.extend(one.rows.iter().map(|row| row.key).filter(|key| middle.is_none_or(|middle| *key > middle)));
            for (zone, newest) in touched.iter_mut().enumerate().filter(|(zone, _)| one.touches[*zone]) {
                *newest = Some((zone, one.version.generation));
            }
        }
        let is_cut_off = whole.is_none() && keys.len() > rows;
        let keys: BTreeSet<usize> = if is_cut_off { keys.into_iter().take(rows).collect() } else { keys };
        let mut gone = Gone { done: upto == group.floor && !is_cut_off, ..Gone::default() };
        gone.rows = self.obsolete_rows(group, &keys, upto);
        for (zone, newest) in touched.into_iter().flatten() {
            let older = group.generations.iter().take_while(|one| one.version.generation < newest);
            gone.touches.extend(older.filter(|one| one.touches[zone]).map(|one| (one.version.generation, zone)));
        }
        let (swept, middle) = if is_cut_off { (swept, keys.last().copied()) } else { (Some(upto), None) };
        gone.sweep = Some(Sweep { swept, middle, forgotten });
        let hit: BTreeSet<Generation> =
            gone.rows.iter().chain(&gone.touches).map(|(generation, _)| *generation).collect();
        gone.generations = forget(group, &gone, hit.into_iter().filter(|number| Some(*number) <= forgotten));
        Some(gone)
    }

    fn obsolete_rows(&self, group: &Group, keys: &BTreeSet<usize>, upto: Generation) -> BTreeSet<(Generation, usize)> {
        let mut versions: BTreeMap<usize, BTreeSet<KeyVersion>> = BTreeMap::new();
        for one in group.generations.iter().take_while(|one| one.version.generation <= upto) {
            for row in one.rows.iter().filter(|row| keys.contains(&row.key)) {
                let version = KeyVersion { generation: one.version.generation, gone: row.change.content.is_none() };
                versions.entry(row.key).or_default().insert(version);
            }
        }
        let mut going = BTreeSet::new();
        for (key, versions) in versions {
            let mut of_key = obsolete(&versions, upto, is_for_ever(key));
            if self.has(Fault::RetiresByAge) {
                of_key = versions.into_iter().filter(|version| version.generation < group.floor).collect();
            } else if self.has(Fault::TombstonesGoFirst) && of_key.iter().any(|version| version.gone) {
                of_key.retain(|version| version.gone);
            }
            going.extend(of_key.into_iter().map(|version| (version.generation, key)));
        }
        going
    }

    pub(super) fn write_retirement(&mut self, work: &Work, gone: &Gone) -> Answer {
        let Work::Retire(retire) = work else { return Answer::Lost };
        let group = &mut self.tables.groups[retire.group];
        if let Some(floor) = gone.floor {
            group.floor = floor.max(group.floor);
            return Answer::Raised(true);
        }
        let mut removed = gone.rows.len() + gone.touches.len();
        for one in &mut group.generations {
            let number = one.version.generation;
            let is_hit = |of: &(Generation, usize)| of.0 == number;
            if gone.rows.iter().chain(&gone.touches).any(is_hit) {
                let row = Rc::make_mut(one);
                row.rows.retain(|row| !gone.rows.contains(&(number, row.key)));
                row.changes = row.rows.iter().fold(crate::words::Mask::default(), |mask, row| mask.with(row.mask()));
                for (zone, touches) in row.touches.iter_mut().enumerate() {
                    *touches &= !gone.touches.contains(&(number, zone));
                }
            }
        }
        let moves = group.moves.iter().map(Vec::len).sum::<usize>() + group.verdicts.len();
        for (ring, moves) in group.moves.iter_mut().enumerate() {
            moves.retain(|row| !gone.moves.contains(&(ring, row.generation)));
        }
        group.verdicts.retain(|row| !gone.verdicts.contains(&row.generation));
        removed += moves - group.moves.iter().map(Vec::len).sum::<usize>() - group.verdicts.len();
        let is_forgotten = |number: Generation| gone.generations.contains(&number);
        group.generations.retain(|one| !is_forgotten(one.version.generation));
        group.keys.retain(|(_, version)| !is_forgotten(version.generation));
        group.sweep = gone.sweep.unwrap_or(group.sweep);
        Answer::Retired { removed: removed + gone.generations.len(), done: gone.done }
    }

    /// `pin_is_above_the_floor`, and the foreign key.
    pub(super) fn judge_pin(&mut self, number: usize, generation: Generation) -> Result<Write, &'static str> {
        let group = &self.tables.groups[number];
        if group.generation(generation).is_none() {
            return Err("23503");
        }
        if generation < group.floor {
            return Err("HF009");
        }
        // A sequence gives no number back, whatever becomes of it.
        self.tables.pin_number += 1;
        Ok(Write::Pin(number, PinRow { number: self.tables.pin_number, generation }))
    }
}

/// Whether so many generations are at or above a floor: a database that was restored meanwhile may have fewer.
fn keeps(group: &Group, floor: Generation, many: usize) -> bool {
    group.generations.iter().filter(|one| one.version.generation >= floor).count() >= many
}

/// `retire_moves`.
fn moves_below_the_floor(group: &Group, rows: usize) -> Gone {
    let below = |number: Generation| number < group.floor;
    let mut gone = Gone::default();
    for (ring, moves) in group.moves.iter().enumerate() {
        // Only what a greater one has superseded (`move_is_superseded`).
        let head = moves.iter().map(|row| row.generation).max();
        let old = moves.iter().map(|row| row.generation).filter(|number| below(*number) && Some(*number) < head);
        gone.moves.extend(old.take(rows).map(|number| (ring, number)));
    }
    gone.verdicts =
        group.verdicts.iter().map(|row| row.generation).filter(|number| below(*number)).take(rows).collect();
    gone
}

/// `forget_generations`.
fn unreached_generations(group: &Group, rows: usize) -> Option<Gone> {
    let numbers = || group.generations.iter().map(|one| one.version.generation);
    let old_enough = numbers().rev().nth(REMEMBERED)?;
    let parent = numbers().filter(|number| *number < group.floor).max()?;
    let is_old = |number: &Generation| *number < parent && *number <= old_enough && Some(*number) <= group.sweep.swept;
    let upto = numbers().filter(is_old).max()?;
    let looked = numbers().filter(|number| Some(*number) > group.sweep.forgotten && *number <= upto).take(rows);
    let looked: Vec<Generation> = looked.collect();
    let last = *looked.last()?;
    let mut gone = Gone { done: last == upto, ..Gone::default() };
    gone.sweep = Some(Sweep { forgotten: Some(last), ..group.sweep });
    gone.generations = forget(group, &gone, looked);
    Some(gone)
}

/// Those of these generations of which nothing stands any more.
fn forget(group: &Group, gone: &Gone, numbers: impl IntoIterator<Item = Generation>) -> Vec<Generation> {
    let is_named = |number: &Generation| {
        let moved = group.moves.iter().flatten().any(|row| row.generation == *number);
        moved || group.verdicts.iter().any(|row| row.generation == *number)
    };
    let nothing_stands = |number: &Generation| group.generation(*number).is_some_and(|one| is_empty_after(one, gone));
    numbers.into_iter().filter(|number| nothing_stands(number) && !is_named(number)).collect()
}

fn is_empty_after(one: &super::GenerationRow, gone: &Gone) -> bool {
    let number = one.version.generation;
    one.rows.iter().all(|row| gone.rows.contains(&(number, row.key)))
        && (0..2).all(|zone| !one.touches[zone] || gone.touches.contains(&(number, zone)))
}

/// `change_may_go`: judged is what stays when the statement is done.
fn changes_may_go(group: &Group, gone: &Gone) -> Result<(), &'static str> {
    let numbers = gone.rows.iter().chain(&gone.touches).map(|(number, _)| *number);
    if numbers.max().is_some_and(|newest| group.floor == Generation::FIRST || newest > group.floor) {
        return Err("HF003");
    }
    let mut newest: [Option<(Generation, &Row)>; KEYS] = [None; KEYS];
    for one in &group.generations {
        let number = one.version.generation;
        for row in one.rows.iter().filter(|row| gone.rows.contains(&(number, row.key))) {
            newest[row.key] = Some((number, row));
        }
    }
    let stays = |key: usize, within: &dyn Fn(Generation) -> bool| {
        group.generations.iter().any(|one| {
            let number = one.version.generation;
            within(number) && one.rows.iter().any(|row| row.key == key && !gone.rows.contains(&(number, key)))
        })
    };
    for (number, row) in newest.into_iter().flatten() {
        let is_superseded = stays(row.key, &|other| other > number && other <= group.floor);
        let says_nothing =
            row.change.content.is_none() && !is_soa(&row.change.key) && !stays(row.key, &|other| other < number);
        if !is_superseded && !says_nothing {
            return Err("HF036");
        }
    }
    for (number, zone) in &gone.touches {
        let is_newer = |one: &&Rc<super::GenerationRow>| {
            one.version.generation > *number && one.version.generation <= group.floor && one.touches[*zone]
        };
        let mut newer = group.generations.iter().filter(is_newer).map(|one| one.version.generation);
        if newer.all(|newer| gone.touches.contains(&(newer, *zone))) {
            return Err("HF036");
        }
    }
    Ok(())
}

/// `generation_may_go`.
fn generations_may_go(group: &Group, gone: &Gone) -> Result<(), &'static str> {
    let Some(newest) = gone.generations.iter().max() else { return Ok(()) };
    let newer = || group.generations.iter().map(|one| one.version.generation).filter(|number| number > newest);
    let stands = |number: &Generation| group.generation(*number).is_some_and(|one| !is_empty_after(one, gone));
    let is_parent_gone = !newer().any(|number| number < group.floor);
    if is_parent_gone || newer().count() < REMEMBERED || gone.generations.iter().any(stands) {
        return Err("HF037");
    }
    let pinned = group.pins.iter().any(|pin| gone.generations.contains(&pin.generation));
    if pinned { Err("23503") } else { Ok(()) }
}

fn is_soa(key: &Key) -> bool {
    matches!(key, Key::Records(set) if set.rtype() == RecordType::SOA)
}

/// A zone ends by a fact, and not by a row that is missing.
fn is_for_ever(key: usize) -> bool {
    (0..crate::words::ZONES).any(|zone| key == usize::from(crate::words::Place::of(zone, APEX).0) * 4)
}
