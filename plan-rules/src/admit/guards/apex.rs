//! `apex`: NS and SOA of a zone change only with a word. That they cannot go is no guard: a zone without them is none.

use super::super::refusal::Objection;
use super::Judged;
use zone_model::{Guard, RecordType};

pub(super) fn judge(judged: &Judged<'_>, objections: &mut Vec<Objection>) {
    for (zone, key, after) in judged.after.changed() {
        let is_apex = key.owner() == zone && matches!(key.rtype(), RecordType::SOA | RecordType::NS);
        // A zone that begins has none yet, and one that ends is a plan of its own kind. The serial is no part of the SOA here.
        if is_apex && after.is_some() && judged.after.stood(zone, key) {
            let rtype = key.rtype();
            let message = format!(
                "the plan changes the {rtype} at the apex of {zone}; acknowledge the guard `apex` with a reason if it must"
            );
            objections.push(Objection {
                guard: Guard::Apex,
                limit: 0,
                actual: 1,
                zone: Some(zone.clone()),
                name: Some(zone.clone()),
                message,
            });
        }
    }
}
