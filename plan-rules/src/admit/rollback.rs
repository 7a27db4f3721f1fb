//! Rolling back is a plan like others: its changes are the old values. A head never moves back.

use super::refusal::Refusal;
use crate::history::{History, Tip};
use std::collections::{BTreeMap, BTreeSet};
use zone_model::{
    Base, Edit, Generation, GroupName, Id, Name, Plan, PlanKind, RecordSet, RecordType, SetKey, Setting, SettingValue,
    Violation, ZoneChange,
};

/// What an operator asks for.
#[derive(Clone, Debug)]
pub struct RollbackRequest {
    /// The group.
    pub group: GroupName,
    /// The generation whose answers are wished back.
    pub to: Generation,
    /// What the operator had read. What changed after it and would be taken back is a conflict.
    pub base: Base,
    /// The id of `base`, where the operator knows it.
    pub base_id: Option<Id>,
    /// Why; it is recorded, and with `through_freeze` it is what planners are told.
    pub reason: String,
    /// Whether it may get in force through a freeze. The same generation closes the group to planners.
    pub through_freeze: bool,
}

/// A record set that changed after the generation that is wished back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Former {
    /// The zone.
    pub zone: Name,
    /// The record set.
    pub key: SetKey,
    /// What stood at that generation; none for nothing.
    pub set: Option<RecordSet>,
}

/// What stood below the floor cannot be read any more: what seems to have stood there is what retirement has left of it.
/// Decided on the floor that is read with the rest of the history, and so after what the plan was made of.
pub(super) fn readable(plan: &Plan, history: &History) -> Result<(), Refusal> {
    match (plan.kind, history.floor) {
        (PlanKind::Rollback { to, .. }, Some(floor)) if to < floor => Err(Refusal::Retired { generation: to, floor }),
        _ => Ok(()),
    }
}

/// The plan that restores what was answered at `request.to`: records, and neither guards nor serials nor limits. `formers`
/// is every record set that changed after it, up to the tip.
///
/// # Errors
/// When the generation is not below the tip, or when a zone began or ended after it and so has no former self to go back
/// to.
pub fn rollback(request: &RollbackRequest, tip: Tip, formers: Vec<Former>) -> Result<Plan, Refusal> {
    if request.to > tip.version.generation {
        return Err(Refusal::UnknownBase {
            tip: Some(tip.version),
            why: format!("there is no generation {} to go back to: the tip is {}", request.to, tip.version.generation),
        });
    }
    let mut of_zones: BTreeMap<Name, (Vec<RecordSet>, BTreeSet<SetKey>)> = BTreeMap::new();
    let mut violations = Vec::new();
    for Former { zone, key, set } in formers {
        let (upserts, removals) = of_zones.entry(zone.clone()).or_default();
        match set {
            Some(set) => upserts.push(set),
            None if key.rtype() == RecordType::SOA && *key.owner() == zone => violations.push(Violation {
                place: "to".to_owned(),
                message: format!(
                    "the zone {zone} began after generation {}; end it first, by a plan of its own",
                    request.to
                ),
                name: None,
                rtype: None,
                zone,
            }),
            None => drop(removals.insert(key)),
        }
    }
    if !violations.is_empty() {
        return Err(Refusal::Invalid(violations));
    }
    let edits = of_zones
        .into_iter()
        .map(|(zone, (upserts, removals))| (zone, ZoneChange::Edit(Edit::restoring(upserts, removals))));
    let closed = SettingValue::Closed(request.reason.as_str().into());
    Ok(Plan {
        base_id: request.base_id,
        reason: Some(request.reason.clone()),
        kind: PlanKind::Rollback { to: request.to, through_freeze: request.through_freeze },
        zones: edits.collect(),
        settings: request.through_freeze.then_some((Setting::Closed, Some(closed))).into_iter().collect(),
        ..Plan::new(request.group.clone(), request.base)
    })
}
