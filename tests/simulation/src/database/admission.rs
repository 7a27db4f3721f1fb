//! The door of the history: what `admit` and the trigger `generation_is_next` do.

use super::rows::{GenerationRow, Group, Row, Staged};
use super::{Answer, Database, Work, Write};
use crate::fault::Fault;
use crate::time::Time;
use crate::words::{GroupWords, Mask, PLACES_OF_ZONE, Place, as_set, key_number};
use plan_rules::{Admission, StopKind};
use std::rc::Rc;
use zone_model::{Base, Content, GENERATIONS_PER_EPOCH, Generation, Id, Key, PlanKind, RecordType, Version};

/// A plan at the door.
#[derive(Debug)]
pub struct Admit {
    /// Its group.
    pub group: usize,
    /// What the rules decided.
    pub admission: Admission,
    /// The idempotency key, if its author gave one.
    pub key: Option<u32>,
    /// The number that it was staged under.
    pub staged: Option<u64>,
    rows: Vec<Row>,
    footprint: Mask,
    whole: [bool; 2],
}

impl Admit {
    /// What an admission comes to in rows.
    #[must_use]
    pub fn new(words: &GroupWords, group: usize, admission: Admission, key: Option<u32>, staged: Option<u64>) -> Self {
        let rows: Vec<Row> = admission
            .changes
            .iter()
            .map(|change| {
                let owner = match &change.key {
                    Key::Records(set) | Key::Guarded(set) => Some(set.owner()),
                    Key::Serial => Some(&change.zone),
                    Key::Setting(_) => None,
                };
                let place = owner.and_then(|owner| words.place(&change.zone, owner));
                Row { place, key: key_number(place, &change.key), change: change.clone() }
            })
            .collect();
        let mut footprint = rows.iter().fold(Mask::default(), |mask, row| mask.with(row.mask()));
        let mut whole = [false; 2];
        for (zone, owner) in &admission.reads {
            match (words.zone(zone), owner) {
                (Some(zone), None) => whole[zone] = true,
                (_, Some(owner)) => footprint = footprint.with(words.place(zone, owner).map_or(Mask(0), Place::bit)),
                (None, None) => {}
            }
        }
        Self { group, admission, key, staged, rows, footprint, whole }
    }

    /// Whether it begins an epoch.
    #[must_use]
    pub fn is_raise(&self) -> bool {
        self.admission.kind == PlanKind::Raise
    }

    /// Whether both insert a row of the same key.
    #[must_use]
    pub fn meets(&self, other: &Self) -> bool {
        self.group == other.group
            && (self.admission.version.generation == other.admission.version.generation
                || (self.key.is_some() && self.key == other.key))
    }
}

impl Database {
    pub(super) fn stage(&mut self, staged: Staged) -> Result<Write, &'static str> {
        self.tables.groups[staged.group].judge_plan(staged.base, staged.kind)?;
        // A sequence gives no number back, whatever becomes of it.
        self.tables.plan_number += 1;
        Ok(Write::Staged(self.tables.plan_number, staged))
    }

    pub(super) fn judge_admission(&mut self, admit: &Admit, now: Time) -> Result<Write, &'static str> {
        let group = &self.tables.groups[admit.group];
        let number = admit.admission.version.generation;
        // Before all else, as the door does it: a plan that is in the history already; then the plan's own row.
        if let Some(plan) = admit.staged {
            if let Some(there) = group.generations.iter().find(|one| one.plan == plan) {
                let known = group.keys.iter().find(|known| admit.key == Some(known.0) && known.1 == there.version);
                let (_, version) = known.ok_or("HF003")?;
                return Ok(Write::Nothing(Answer::KeyKnown(*version)));
            }
            if self.tables.staged.get(&plan).is_some_and(|staged| *staged != Staged::of(admit.group, &admit.admission))
            {
                return Err("HF038");
            }
        } else {
            group.judge_plan(admit.admission.base, admit.admission.kind)?;
        }
        let known = group.keys.iter().find(|(key, _)| admit.key == Some(*key));
        if let (Some((_, version)), false) = (known, self.has(Fault::KeysIgnored)) {
            return Ok(Write::Nothing(Answer::KeyKnown(*version)));
        }
        let is_given_up = admit.staged.is_some_and(|plan| !self.tables.staged.contains_key(&plan));
        if is_given_up && admit.key.is_some() {
            return Err("HF015");
        }
        let is_parent = self.has(Fault::ParentIgnored) || group.parent(number) == admit.admission.parent;
        if (group.generation(number).is_some() || !is_parent) && !self.has(Fault::NoCompareAndSwap) {
            return Ok(Write::Nothing(Answer::LostRace));
        }
        let plan = match admit.staged {
            Some(_) if is_given_up => return Err("HF015"),
            Some(plan) => plan,
            None => self.tables.plan_number + 1,
        };
        let behind = self.tables.stops.iter();
        let behind = behind.clone().any(|stop| stop.kind == StopKind::HistoryBehind && stop.group == Some(admit.group));
        if behind && !admit.is_raise() {
            return Err("HF023");
        }
        // The raise ends the stop, unless a server still serves what is unknown.
        if behind
            && !group.reports.iter().flatten().all(|(_, served, _)| group.will_know(admit.admission.version, *served))
        {
            return Err("HF024");
        }
        if !self.has(Fault::NoCompareAndSwap) {
            self.judge_generation(group, admit, plan)?;
        }
        self.tables.plan_number = self.tables.plan_number.max(plan);
        let row = GenerationRow::new(&admit.admission, plan, admit.rows.clone(), now);
        Ok(Write::Generation { row: Rc::new(row), ends_behind: behind })
    }

    fn judge_generation(&self, group: &Group, admit: &Admit, plan: u64) -> Result<(), &'static str> {
        let admission = &admit.admission;
        let number = admission.version.generation;
        let tip = group.tip().map(|tip| tip.version.generation);
        let tip_number = tip.map_or(Base::NOTHING, Base::from);
        if admit.is_raise() {
            if tip.is_none() || number.get() % GENERATIONS_PER_EPOCH != 0 || tip.is_some_and(|tip| tip >= number) {
                return Err("HF006");
            }
            if admission.base != tip_number {
                return Err("HF004");
            }
        } else if number.get() != tip_number.get() + 1 {
            return Err("HF006");
        }
        if admission.base > tip_number {
            return Err("HF005");
        }
        if group.is_below_floor(admission) {
            return Err("HF032");
        }
        if group.tip().is_some_and(|tip| admission.deletes_spent < tip.deletes_spent) {
            return Err("HF031");
        }
        let at_base = |one: &&Rc<GenerationRow>| Base::from(one.version.generation) <= admission.base;
        if group.generations.iter().filter(at_base).any(|one| one.plan > plan) {
            return Err("HF018");
        }
        if !admit.is_raise() && admit.rows.is_empty() {
            return Err("HF012");
        }
        let ignores_conflicts = self.has(Fault::WrongBase) || self.has(Fault::ReadsIgnored);
        if !ignores_conflicts && group.changed_since(admission.base, admit.footprint, admit.whole) {
            return Err("HF004");
        }
        self.judge_result(group, admit)
    }

    /// A zone has SOA and NS or ends, and guarded names stand.
    fn judge_result(&self, group: &Group, admit: &Admit) -> Result<(), &'static str> {
        let after = |key: usize| {
            let own = admit.rows.iter().find(|row| row.key == key);
            own.or_else(|| group.newest(key, Generation::new(i64::MAX)?)).and_then(|row| row.change.content.as_ref())
        };
        let zones = &self.words.groups[admit.group].zones;
        for (zone, words) in zones.iter().enumerate() {
            let apex = Place::apex(zone);
            let touched = admit.rows.iter().any(|row| row.place.is_some_and(|place| place.zone() == zone));
            let apex_key = |rtype| Key::Records(zone_model::SetKey::new(&words.name, rtype));
            let stands = |rtype| after(key_number(Some(apex), &apex_key(rtype))).is_some();
            let keys = || {
                (0..PLACES_OF_ZONE)
                    .flat_map(|nth| (0..4).map(move |kind| usize::from(Place::of(zone, nth).0) * 4 + kind))
            };
            let stood = |key, at| group.newest(key, at).is_some_and(|row| row.change.content.is_some());
            let may_end = match admit.admission.kind {
                PlanKind::EndZone => true,
                PlanKind::Rollback { to, .. } => !keys().any(|key| stood(key, to)),
                PlanKind::Change | PlanKind::Raise => false,
            };
            let ends = may_end && keys().all(|key| after(key).is_none());
            if touched && !ends && !(stands(RecordType::SOA) && stands(RecordType::NS)) {
                return Err("HF008");
            }
        }
        if self.has(Fault::GuardsIgnored) {
            return Ok(());
        }
        for place in admit.rows.iter().filter_map(|row| row.place) {
            let guard = usize::from(place.0) * 4 + 3;
            if let Some(Content::Minimum(minimum)) = after(guard) {
                let set = after(usize::from(place.0) * 4).and_then(as_set);
                if set.map_or(0, |set| set.records().len()) < usize::from(*minimum) {
                    return Err("HF030");
                }
            }
        }
        Ok(())
    }

    pub(super) fn write_generation(
        &mut self,
        work: &Work,
        mut row: Rc<GenerationRow>,
        ends_behind: bool,
        now: Time,
    ) -> Answer {
        let Work::Admit(admit) = work else { return Answer::Lost };
        if self.has(Fault::NoCompareAndSwap) && !admit.is_raise() {
            row = next_whatever_it_was_decided_on(&self.tables.groups[admit.group], &row);
        }
        let group = &mut self.tables.groups[admit.group];
        for (zone, sets) in &admit.admission.record_sets {
            if let Some(zone) = self.words.groups[admit.group].zone(zone) {
                group.record_sets[zone] = group.record_sets[zone].saturating_add_signed(sets.growth);
            }
        }
        let version = row.version;
        if let Some(key) = admit.key {
            group.keys.push((key, version));
        }
        let mut row = Rc::unwrap_or_clone(row);
        row.at = now;
        self.tables.staged.remove(&row.plan);
        group.generations.push(Rc::new(row));
        if ends_behind {
            let behind =
                |stop: &super::StopRow| stop.kind == StopKind::HistoryBehind && stop.group == Some(admit.group);
            self.tables.stops.retain(|stop| !behind(stop));
        }
        Answer::Admitted(version)
    }
}

/// What a world without compare-and-swap does: the number is whatever comes next, and the sums are patched up so that
/// nobody notices.
fn next_whatever_it_was_decided_on(group: &Group, row: &GenerationRow) -> Rc<GenerationRow> {
    let tip = group.tip();
    let generation =
        tip.map_or(Some(Generation::FIRST), |tip| tip.version.generation.next()).unwrap_or(Generation::FIRST);
    let mut row = row.clone();
    let everything = |digest: zone_model::Digest, one: &Row| {
        let before = group.newest(one.key, generation).and_then(|row| row.change.content.as_ref());
        let of = |content: Option<&Content>| {
            content.map_or(zone_model::Digest::EMPTY, |content| one.change.key.digest(&one.change.zone, content))
        };
        digest.plus(of(one.change.content.as_ref())).minus(of(before))
    };
    row.digest = row.rows.iter().fold(tip.map_or(zone_model::Digest::EMPTY, |tip| tip.digest), everything);
    let parent = tip.map_or(Id::GENESIS, |tip| tip.version.id);
    row.version = Version { generation, id: Id::of(&parent, generation, &row.digest) };
    Rc::new(row)
}

impl Group {
    /// What a plan's row says by itself (`plan_is_numbered`).
    fn judge_plan(&self, base: Base, kind: PlanKind) -> Result<(), &'static str> {
        let tip = self.tip().map_or(Base::NOTHING, |tip| Base::from(tip.version.generation));
        let is_there = |to: Generation| Base::from(to) <= base && self.generation(to).is_some();
        let has_target = match kind {
            PlanKind::Rollback { to, .. } => is_there(to),
            PlanKind::Change | PlanKind::Raise | PlanKind::EndZone => true,
        };
        if base <= tip && has_target { Ok(()) } else { Err("HF005") }
    }

    /// Whether a plan was made on what nobody can read any more, or goes back to it.
    fn is_below_floor(&self, admission: &Admission) -> bool {
        let tip = self.tip().map_or(Base::NOTHING, |tip| Base::from(tip.version.generation));
        let (oldest, looks_back) = match admission.kind {
            PlanKind::Rollback { to, .. } => (admission.base.min(to.into()), true),
            _ => (admission.base, admission.base < tip),
        };
        looks_back && self.floor > Generation::FIRST && oldest < self.floor.into()
    }

    /// Whether a generation above `base` changed something of a footprint (`first_conflict`).
    fn changed_since(&self, base: Base, footprint: Mask, whole: [bool; 2]) -> bool {
        let above = self.generations.iter().rev().take_while(|one| Base::from(one.version.generation) > base);
        above
            .into_iter()
            .any(|one| !one.changes.common(footprint).is_empty() || (0..2).any(|zone| whole[zone] && one.touches[zone]))
    }
}
