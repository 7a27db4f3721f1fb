//! `deleted-share`, `changed-share` and `velocity`: not too much at once, nor a little every minute.

use super::super::admission::Counts;
use super::super::refusal::Objection;
use super::Judged;
use crate::author::{Author, Role};
use zone_model::{Guard, Name, Setting, ZoneChange};

/// What a plan takes from the deletes that planners have in an hour. An operator's take nothing.
pub(in super::super) fn spent(author: &Author, counts: Counts) -> u64 {
    if author.role < Role::Operator { u64::from(counts.deleted) } else { 0 }
}

pub(super) fn judge(judged: &Judged<'_>, objections: &mut Vec<Objection>) {
    let mut standing_in_all = 0;
    for (zone, counts) in &judged.sum.of_zones {
        let standing = judged.history.zones.get(zone).map_or(0, |of_zone| of_zone.record_sets);
        standing_in_all += standing;
        if matches!(judged.plan.zones.get(zone), Some(ZoneChange::End)) {
            continue;
        }
        let (deleted, changed) = (u64::from(counts.deleted), u64::from(counts.replaced) + u64::from(counts.deleted));
        let shares = [
            (Guard::DeletedShare, Setting::DeletedShare, deleted, "deletes"),
            (Guard::ChangedShare, Setting::ChangedShare, changed, "changes"),
        ];
        for (guard, setting, actual, does) in shares {
            let limit = judged.history.limit(setting).map_or(u64::MAX, |limit| limit.of(standing));
            if actual > limit {
                let what = format!("{does} {actual} of the {standing} record sets of {zone}, and one plan may {limit}");
                objections.push(objection(guard, limit, actual, Some(zone), &what));
            }
        }
    }
    let spends = spent(judged.author, judged.sum.counts);
    if spends > 0 {
        let so_far = judged.history.tip.map_or(0, |tip| tip.deletes_spent);
        let actual = so_far.saturating_sub(judged.history.deletes_spent_before) + spends;
        let limit = judged.history.limit(Setting::Velocity).map_or(u64::MAX, |limit| limit.of(standing_in_all));
        if actual > limit {
            let what = format!("makes {actual} deletes by planners within an hour, and the group has {limit} of them");
            objections.push(objection(Guard::Velocity, limit, actual, None, &what));
        }
    }
}

fn objection(guard: Guard, limit: u64, actual: u64, zone: Option<&Name>, what: &str) -> Objection {
    let name = guard.as_str();
    let message = format!("the plan {what}; acknowledge the guard `{name}` with a reason if it must");
    Objection { guard, limit, actual, zone: zone.cloned(), name: None, message }
}
