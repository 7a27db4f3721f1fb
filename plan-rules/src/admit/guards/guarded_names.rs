//! `guarded-names`: a guarded record set stands, with its minimum of records. Nobody acknowledges it away: whoever wants
//! it gone ends the guard, in the same plan or before.

use super::super::refusal::Objection;
use super::Judged;
use std::collections::BTreeMap;
use zone_model::{Content, Guard, Key, Name, SetKey};

pub(super) fn judge(judged: &Judged<'_>, objections: &mut Vec<Objection>) {
    // The guards as they are after the plan, of what it changes: those that stood at its names, and its own.
    let mut guards: BTreeMap<(&Name, &SetKey), Option<u16>> = BTreeMap::new();
    for (zone, key, _) in judged.after.changed() {
        let guarded = judged.history.zones.get(zone).and_then(|of_zone| of_zone.guarded.get(key));
        if let Some((minimum, _)) = guarded {
            guards.insert((zone, key), *minimum);
        }
    }
    for change in &judged.sum.changes {
        if let Key::Guarded(key) = &change.key {
            let minimum = match change.content {
                Some(Content::Minimum(minimum)) => Some(minimum),
                _ => None,
            };
            guards.insert((&change.zone, key), minimum);
        }
    }
    for ((zone, key), minimum) in guards {
        let Some(minimum) = minimum else { continue };
        let records = judged.after.set(zone, key).map_or(0, |set| set.records().len());
        if records < usize::from(minimum) {
            let (owner, rtype) = (key.owner(), key.rtype());
            objections.push(Objection {
                guard: Guard::GuardedNames,
                limit: u64::from(minimum),
                actual: records as u64,
                zone: Some(zone.clone()),
                name: Some(owner.clone()),
                message: format!(
                    "{owner} {rtype} is guarded: it keeps at least {minimum} of its records, and the plan leaves {records}; \
                     end the guard with `unguard` if it has to go"
                ),
            });
        }
    }
}
