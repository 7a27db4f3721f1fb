//! Whether a plan's author had read what counts: the base, and what changed in the plan's footprint after it.

use super::refusal::{CONFLICTS_LISTED_MAX, Conflict, Refusal};
use crate::history::{Footprint, History, footprint};
use std::collections::BTreeMap;
use zone_model::{Base, Generation, Name, Plan, Version};

pub(super) fn known_base(plan: &Plan, history: &History) -> Result<(), Refusal> {
    let tip = history.tip.map(|tip| tip.version);
    let unknown = |why: String| Err(Refusal::UnknownBase { tip, why });
    let tip_number = tip.map_or(Base::NOTHING, |tip| Base::from(tip.generation));
    if plan.base > tip_number {
        return unknown(format!("the base {} is above the tip {tip_number}", plan.base));
    }
    // Below the floor, deletions are forgotten: that nothing seems to have changed since would prove nothing.
    if let Some(floor) = history.floor.filter(|floor| *floor > Generation::FIRST && plan.base < Base::from(*floor)) {
        return unknown(format!(
            "the base {} is below the floor {floor}, before which nothing is kept; read again",
            plan.base
        ));
    }
    if plan.base.generation().is_some() && history.base_id.is_none() {
        return unknown(format!("no generation of this group has the number {}", plan.base));
    }
    match plan.base_id {
        Some(claimed) if history.base_id != Some(claimed) => {
            unknown(format!("generation {} of this group has another id than the plan's base", plan.base))
        }
        // Before its epoch was raised, this history may have had another generation of that number.
        None if plan
            .base
            .generation()
            .is_some_and(|base| tip.is_some_and(|tip| base.epoch() < tip.generation.epoch())) =>
        {
            unknown(format!("the base {} is of an older epoch; give its `base_id`", plan.base))
        }
        _ => Ok(()),
    }
}

pub(super) fn insisted_tip(plan: &Plan, history: &History) -> Result<(), Refusal> {
    let Some(tip) = history.tip else {
        return match plan.if_match {
            Some(_) => Err(Refusal::UnknownBase { tip: None, why: "the group does not exist".to_owned() }),
            None => Ok(()),
        };
    };
    let other_tip = plan.if_match.is_some_and(|id| id != tip.version.id);
    let other_base = (!plan.rebase || plan.if_match.is_some()) && plan.base != Base::from(tip.version.generation);
    if other_tip || other_base {
        return Err(Refusal::StaleBase { tip: tip.version, conflicts: Vec::new(), conflict_count: 0 });
    }
    Ok(())
}

/// What in the footprint changed after the plan's own base.
pub(super) fn conflicts(plan: &Plan, history: &History) -> Vec<Conflict> {
    let mut newest: BTreeMap<(&Name, &Name), Generation> = BTreeMap::new();
    let footprint = footprint(plan);
    for (zone, of_zone) in &history.zones {
        let Some(names) = footprint.get(zone) else { continue };
        let records = of_zone.sets.iter().map(|(key, standing)| (key.owner(), standing.generation));
        let guards = of_zone.guarded.iter().map(|(key, (_, generation))| (key.owner(), *generation));
        // A serial is set at the apex.
        let serial = of_zone.serial.map(|(_, generation)| (zone, generation));
        for (owner, generation) in records.chain(guards).chain(serial) {
            let within = match names {
                Footprint::WholeZone => true,
                Footprint::Names(names) => names.contains(owner),
            };
            if within && Base::from(generation) > plan.base {
                let changed_in = newest.entry((zone, owner)).or_insert(generation);
                *changed_in = generation.max(*changed_in);
            }
        }
        // A replacement compares serials as well, and a generation may have set nothing else.
        if let (Footprint::WholeZone, Some(touched)) = (names, of_zone.touched)
            && Base::from(touched) > plan.base
        {
            newest.entry((zone, zone)).or_insert(touched);
        }
    }
    let conflict = |((zone, name), changed_in): ((&Name, &Name), _)| Conflict {
        zone: zone.clone(),
        name: name.clone(),
        changed_in,
    };
    let mut all: Vec<Conflict> = newest.into_iter().map(conflict).collect();
    let settings = history.settings.values().map(|(_, generation)| *generation).max();
    if let Some(changed_in) =
        settings.filter(|changed_in| !plan.settings.is_empty() && Base::from(*changed_in) > plan.base)
    {
        all.push(Conflict { zone: Name::root(), name: Name::root(), changed_in });
    }
    all
}

pub(super) fn refuse_stale(tip: Version, mut conflicts: Vec<Conflict>) -> Result<(), Refusal> {
    let conflict_count = conflicts.len();
    if conflict_count == 0 {
        return Ok(());
    }
    conflicts.truncate(CONFLICTS_LISTED_MAX);
    Err(Refusal::StaleBase { tip, conflicts, conflict_count })
}
