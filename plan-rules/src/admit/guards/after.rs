//! What stands after a plan: the history with the plan's changes laid over it.

use super::super::admission::ChangeSum;
use crate::history::History;
use std::collections::BTreeMap;
use zone_model::{Content, Key, Name, RecordSet, RecordType, SetKey};

pub(super) struct After<'a> {
    history: &'a History,
    changed: BTreeMap<(&'a Name, &'a SetKey), Option<&'a RecordSet>>,
}

impl<'a> After<'a> {
    pub(super) fn new(history: &'a History, sum: &'a ChangeSum) -> Self {
        let records = sum.changes.iter().filter_map(|change| match (&change.key, &change.content) {
            (Key::Records(key), Some(Content::Records(set))) => Some(((&change.zone, key), Some(set))),
            (Key::Records(key), _) => Some(((&change.zone, key), None)),
            _ => None,
        });
        Self { history, changed: records.collect() }
    }

    /// The record set that stands, as far as its name was read.
    pub(super) fn set(&self, zone: &Name, key: &SetKey) -> Option<&'a RecordSet> {
        match self.changed.get(&(zone, key)) {
            Some(changed) => *changed,
            None => self.history.zones.get(zone)?.sets.get(key)?.set.as_ref(),
        }
    }

    /// Whether the plan changes the record set.
    pub(super) fn changes(&self, zone: &Name, key: &SetKey) -> bool {
        self.changed.contains_key(&(zone, key))
    }

    /// Whether the record set stood before the plan.
    pub(super) fn stood(&self, zone: &Name, key: &SetKey) -> bool {
        let before = self.history.zones.get(zone).and_then(|of_zone| of_zone.sets.get(key));
        before.is_some_and(|standing| standing.set.is_some())
    }

    /// Whether a record set of this type stands.
    pub(super) fn has(&self, zone: &Name, owner: &Name, rtype: RecordType) -> bool {
        self.set(zone, &SetKey::new(owner, rtype)).is_some()
    }

    /// Whether anything stands at the name, which is in lower case.
    pub(super) fn has_any(&self, zone: &Name, owner: &Name) -> bool {
        let first = SetKey::new(owner, RecordType(0));
        let mut put = self
            .changed
            .range((zone, &first)..)
            .take_while(|((in_zone, key), _)| *in_zone == zone && key.owner() == owner);
        put.any(|(_, set)| set.is_some())
            || self
                .history
                .zones
                .get(zone)
                .is_some_and(|of_zone| of_zone.standing_at(owner).any(|(key, _)| !self.changes(zone, key)))
    }

    /// What the plan changes, in order of zone and key.
    pub(super) fn changed(&self) -> impl Iterator<Item = (&'a Name, &'a SetKey, Option<&'a RecordSet>)> {
        self.changed.iter().map(|((zone, key), set)| (*zone, *key, *set))
    }
}
