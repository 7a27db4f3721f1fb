//! `other-groups`: zones of different groups may enclose each other, but none takes names from another's unseen.

use super::super::refusal::Objection;
use super::Judged;
use zone_model::{Guard, Name, ZoneChange};

pub(super) fn judge(judged: &Judged<'_>, objections: &mut Vec<Objection>) {
    let mut object = |zone: &Name, name: &Name, actual: usize, message: String| {
        objections.push(Objection {
            guard: Guard::OtherGroups,
            limit: 0,
            actual: actual as u64,
            zone: Some(zone.clone()),
            name: Some(name.clone()),
            message,
        });
    };
    let ends = judged.plan.zones.iter().filter(|(_, change)| matches!(change, ZoneChange::End)).map(|(zone, _)| zone);
    for zone in judged.begins.iter().chain(ends) {
        let Some(around) = judged.history.around.get(zone) else {
            object(zone, zone, 1, format!("what is around the zone {zone} was not read"));
            continue;
        };
        let begins = judged.begins.contains(zone);
        if let Some(above) = around.above.as_ref().filter(|above| begins && !above.delegates) {
            let above = &above.zone;
            let message = format!(
                "{zone} is within {above}, a zone of another group, which has to delegate it first: NS at {zone}"
            );
            object(zone, above, 1, message);
        }
        if let Some(guarded) = around.guarded_below.first().filter(|_| begins) {
            let message = format!("the zone {zone} would cover {guarded}, which another group guards");
            object(zone, guarded, around.guarded_below.len(), message);
        }
        if let Some(below) = around.zones_below.first().filter(|_| !begins) {
            let message = format!("{zone} encloses {below}, a zone of another group, which would lose its delegation");
            object(zone, below, around.zones_below.len(), message);
        }
    }
}
