//! What a plan changes in one zone, compared with what stands, and whether the result is valid.

use super::admission::ChangeSum;
use crate::history::ZoneHistory;
use std::collections::{BTreeMap, BTreeSet};
use zone_model::{
    Content, Edit, Guard, Key, Name, Plan, RecordSet, RecordType, Serial, SetKey, Violation, ZoneChange, ZoneContents,
    check_name,
};

pub(super) fn changes_of_zone(
    plan: &Plan,
    zone: &Name,
    change: &ZoneChange,
    history: &ZoneHistory,
    sum: &mut ChangeSum,
    violations: &mut Vec<Violation>,
) {
    let mut result = ZoneResult { plan, zone, history, sum, violations };
    match change {
        ZoneChange::Edit(edit) => result.edit(edit),
        ZoneChange::Replace(contents) => result.replace(contents),
        ZoneChange::End => result.end(),
    }
}

struct ZoneResult<'a> {
    plan: &'a Plan,
    zone: &'a Name,
    history: &'a ZoneHistory,
    sum: &'a mut ChangeSum,
    violations: &'a mut Vec<Violation>,
}

impl ZoneResult<'_> {
    fn edit(&mut self, edit: &Edit) {
        for (key, placed) in edit.upserts() {
            self.put(key, &placed.value);
        }
        for delete in edit.deletes().keys() {
            let standing: Vec<SetKey> = self
                .history
                .standing_at(&delete.owner)
                .filter(|(key, _)| delete.rtype.is_none_or(|rtype| rtype == key.rtype()))
                .map(|(key, _)| key.clone())
                .collect();
            if standing.is_empty() {
                self.sum.counts.absent += 1;
            }
            for key in standing {
                self.take_away(&key);
            }
        }
        for key in edit.removals() {
            self.take_away(key);
        }
        for (key, placed) in edit.guards() {
            self.guard(key, Some(placed.value));
        }
        for key in edit.unguards().keys() {
            self.guard(key, None);
        }
        if let Some(serial) = edit.serial() {
            let place = edit.upserts().get(&SetKey::new(self.zone, RecordType::SOA)).map_or("", |soa| &soa.place);
            self.declare_serial(serial, place);
            self.sum.sets_serial_by_edit = true;
        }
        for owner in edit.owners() {
            self.check_edited_name(edit, &owner);
        }
    }

    /// A replacement is stored as its differences: a zone of a million names with ten differences is ten rows.
    fn replace(&mut self, contents: &ZoneContents) {
        for (key, set) in contents.sets() {
            self.put(key, set);
        }
        let gone: Vec<SetKey> = self
            .history
            .sets
            .iter()
            .filter(|(key, standing)| standing.set.is_some() && !contents.sets().contains_key(*key))
            .map(|(key, _)| key.clone())
            .collect();
        for key in gone {
            self.take_away(&key);
        }
        self.declare_serial(contents.serial(), "the SOA record");
        let mut apex = contents.sets().range(SetKey::new(self.zone, RecordType::RRSIG)..);
        if apex.next().is_some_and(|(key, _)| key.owner() == self.zone && key.rtype() == RecordType::RRSIG) {
            self.signed("the zone's apex");
        }
    }

    /// Everything goes. The rows that say so stay, and are what ends the zone.
    fn end(&mut self) {
        let standing = self.history.sets.iter().filter(|(_, standing)| standing.set.is_some());
        for key in standing.map(|(key, _)| key.clone()).collect::<Vec<_>>() {
            self.take_away(&key);
        }
        if let Some((serial, _)) = self.history.serial {
            self.change(Key::Serial, Some(Content::Serial(serial)), None);
        }
    }

    fn put(&mut self, key: &SetKey, set: &RecordSet) {
        let standing = self.history.sets.get(key).and_then(|standing| standing.set.as_ref());
        if standing != Some(set) {
            let before = standing.map(|set| Content::Records(set.clone()));
            self.change(Key::Records(key.clone()), before, Some(Content::Records(set.clone())));
        }
    }

    fn take_away(&mut self, key: &SetKey) {
        if let Some(set) = self.history.sets.get(key).and_then(|standing| standing.set.as_ref()) {
            self.change(Key::Records(key.clone()), Some(Content::Records(set.clone())), None);
        }
    }

    fn guard(&mut self, key: &SetKey, minimum: Option<u16>) {
        let standing = self.history.guarded.get(key).and_then(|(minimum, _)| *minimum);
        if standing != minimum {
            let (before, after) = (standing.map(Content::Minimum), minimum.map(Content::Minimum));
            self.change(Key::Guarded(key.clone()), before, after);
        }
    }

    fn change(&mut self, key: Key, before: Option<Content>, after: Option<Content>) {
        self.sum.change(self.zone, key, before.as_ref(), after);
    }

    /// A serial that comes after the zone's own is taken over; an equal, older or incomparable one is not, and the
    /// zone's serial goes on by itself.
    fn declare_serial(&mut self, declared: Serial, place: &str) {
        let current = self.history.serial_at_tip();
        if current.is_some_and(|current| !declared.is_after(current)) {
            return;
        }
        if declared.0 >= Serial::SIGNED_END.0 && !self.plan.acknowledged.contains_key(&Guard::SerialRange) {
            let message = format!(
                "the serial {declared} is 2147483648 or more, which some clients read as negative; acknowledge the guard `{}` with a reason if it must be",
                Guard::SerialRange.as_str()
            );
            self.violation(Some(RecordType::SOA), place, message);
        }
        let before = self.history.serial.map(|(serial, _)| Content::Serial(serial));
        self.change(Key::Serial, before, Some(Content::Serial(declared)));
    }

    /// All that stands at an edited name afterwards has to go together. Only edited names can become invalid, since
    /// no rule of [`check_name`] spans two names.
    fn check_edited_name(&mut self, edit: &Edit, owner: &Name) {
        let deleted = |key: &SetKey| {
            edit.deletes()
                .range(zone_model::Delete { owner: owner.clone(), rtype: None }..)
                .take_while(|(delete, _)| delete.owner == *owner)
                .any(|(delete, _)| delete.rtype.is_none_or(|rtype| rtype == key.rtype()))
                || edit.removals().contains(key)
        };
        let mut after: BTreeMap<&SetKey, &str> = BTreeMap::new();
        for (key, _) in self.history.standing_at(owner) {
            if !deleted(key) {
                after.insert(key, "already in the zone");
            }
        }
        let upserts = edit.upserts().range(SetKey::new(owner, RecordType(0))..);
        for (key, placed) in upserts.take_while(|(key, _)| key.owner() == owner) {
            after.insert(key, &placed.place);
        }
        let of_name: Vec<(RecordType, &str)> = after.iter().map(|(key, place)| (key.rtype(), *place)).collect();
        check_name(self.zone, owner, &of_name, self.violations);
        if owner != self.zone {
            return;
        }
        let types: BTreeSet<RecordType> = of_name.iter().map(|(rtype, _)| *rtype).collect();
        for needed in [RecordType::SOA, RecordType::NS] {
            if !types.contains(&needed) {
                let place = edit.deletes().iter().find(|(delete, _)| delete.owner == *owner);
                let place = place.map_or("the zone's apex", |(_, place)| place.as_str());
                self.violation(Some(needed), place, format!("a zone cannot lose the {needed} at its apex"));
            }
        }
        let upserts_rrsig =
            edit.upserts().iter().find(|(key, _)| key.owner() == owner && key.rtype() == RecordType::RRSIG);
        if let Some((_, placed)) = upserts_rrsig {
            self.signed(&placed.place);
        }
    }

    /// Proofs of absence are not given yet, so a validating resolver would take a signed zone for bogus.
    fn signed(&mut self, place: &str) {
        if !self.plan.acknowledged.contains_key(&Guard::SignedZone) {
            let message = format!(
                "RRSIG at the apex makes a signed zone, whose proofs are not served yet; acknowledge the guard `{}` with a reason to store it all the same",
                Guard::SignedZone.as_str()
            );
            self.violation(Some(RecordType::RRSIG), place, message);
        }
    }

    fn violation(&mut self, rtype: Option<RecordType>, place: &str, message: String) {
        let (zone, name, place) = (self.zone.clone(), Some(self.zone.clone()), place.to_owned());
        self.violations.push(Violation { zone, name, rtype, place, message });
    }
}
