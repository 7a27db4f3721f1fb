//! `references`: what CNAME, NS, MX and SRV point to inside the group exists. It costs what the change costs: new targets
//! are looked up, and of names that go it is asked who points to them.

use super::super::admission::Leaned;
use super::super::refusal::Objection;
use super::Judged;
use crate::leans::{names_on_the_way, new_targets, targets};
use std::collections::BTreeSet;
use zone_model::{Guard, Name, RecordType, SetKey, Setting, SettingValue, ZoneChange};

pub(super) fn judge(judged: &Judged<'_>, objections: &mut Vec<Objection>, leaned: &mut Leaned) {
    if let Some((Some(SettingValue::Switch(false)), _)) = judged.history.settings.get(&Setting::References) {
        return;
    }
    if judged.plan.acknowledged.contains_key(&Guard::References) {
        return;
    }
    let mut dangling = BTreeSet::new();
    for (zone, key, after) in judged.after.changed() {
        let Some(after) = after else { continue };
        let before = judged.history.zones.get(zone).and_then(|of_zone| of_zone.sets.get(key)?.set.as_ref());
        for target in new_targets(before, after) {
            if !judged.exists(&target, leaned) {
                dangling.insert((zone.clone(), key.clone(), target));
            }
        }
    }
    for name in judged.gone() {
        let Some(pointers) = judged.history.pointers.get(&name.1) else {
            dangling.insert((name.0.clone(), SetKey::new(&name.1, RecordType(0)), name.1.clone()));
            continue;
        };
        leaned.gone.insert(name.1.clone());
        for pointer in pointers {
            // What the plan changes itself was judged above, or points elsewhere now, or nowhere.
            let still = match judged.after.set(&pointer.zone, &pointer.key) {
                Some(set) if judged.after.changes(&pointer.zone, &pointer.key) => targets(set).contains(&name.1),
                None if judged.after.changes(&pointer.zone, &pointer.key) => false,
                _ => true,
            };
            if still && !judged.exists(&name.1, leaned) {
                dangling.insert((pointer.zone.clone(), pointer.key.clone(), name.1.clone()));
            }
        }
    }
    let actual = dangling.len() as u64;
    for (zone, key, target) in dangling {
        let (owner, rtype) = (key.owner().clone(), key.rtype());
        objections.push(Objection {
            guard: Guard::References,
            limit: 0,
            actual,
            zone: Some(zone),
            message: format!(
                "{owner} {rtype} would point to {target}, where nothing stands; put something there, or acknowledge the \
                 guard `references` with a reason"
            ),
            name: Some(owner),
        });
    }
}

impl Judged<'_> {
    /// Names (zone, owner) that the plan leaves without any record set.
    fn gone(&self) -> BTreeSet<(Name, Name)> {
        let taken = self.after.changed().filter(|(_, _, after)| after.is_none());
        let names: BTreeSet<(&Name, &Name)> = taken.map(|(zone, key, _)| (zone, key.owner())).collect();
        let gone = names.into_iter().filter(|(zone, owner)| !self.after.has_any(zone, owner));
        gone.map(|(zone, owner)| (zone.clone(), owner.clone())).collect()
    }

    /// Whether `target` has something to answer with after the plan, or is not for this group to say.
    fn exists(&self, target: &Name, leaned: &mut Leaned) -> bool {
        let Some(zone) = self.zone_of(target) else { return true };
        let whole = matches!(self.plan.zones.get(&zone), Some(ZoneChange::Replace(_) | ZoneChange::End));
        let names = names_on_the_way(target, &zone);
        if !whole {
            leaned.names.extend(names.iter().map(|name| (zone.clone(), name.clone())));
        }
        if !self.after.has(&zone, &zone, RecordType::SOA) {
            // Not a living zone, so names in it are not the group's; of one that ends with this plan they go.
            return !matches!(self.plan.zones.get(&zone), Some(ZoneChange::End));
        }
        // The target first, the apex last.
        let way: Vec<Name> = names.into_iter().filter(|name| target.is_within(name)).collect();
        let cut = |name: &Name| *name != zone && self.after.has(&zone, name, RecordType::NS);
        let redirects = |name: &Name| name != target && self.after.has(&zone, name, RecordType::DNAME);
        // Below a delegation names are another's.
        if way.iter().any(|name| cut(name) || redirects(name)) || self.after.has_any(&zone, target) {
            return true;
        }
        // RFC 4592 §3.3.1: the wildcard of the closest encloser stands in, and no other.
        for above in way.iter().skip(1) {
            if above.child(b"*").is_ok_and(|wildcard| self.after.has_any(&zone, &wildcard)) {
                return true;
            }
            if self.after.has_any(&zone, above) {
                return false;
            }
        }
        false
    }

    /// The zone of this group that the name is in.
    fn zone_of(&self, target: &Name) -> Option<Name> {
        let own = self.plan.zones.keys().filter(|zone| target.is_within(zone)).max_by_key(|zone| zone.label_count());
        let asked = self.history.target_zones.get(target).and_then(Option::as_ref);
        own.into_iter().chain(asked).max_by_key(|zone| zone.label_count()).cloned()
    }
}
