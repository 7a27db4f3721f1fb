//! All zones that the server answers from, at one moment.

use super::Zone;
use imbl::OrdMap;
use std::sync::Arc;
use zone_model::{Digest, Name, Setting, SettingValue, Version};

/// A group's number in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupNumber(pub i64);

/// A zone's number in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ZoneNumber(pub i64);

/// A group as installed.
#[derive(Clone, Debug)]
pub struct Group {
    /// Its name, for logs and metrics.
    pub name: Arc<str>,
    /// The generation, and what it is.
    pub version: Version,
    /// The sum over all of its content.
    pub digest: Digest,
    /// Its zones that stand, by number.
    pub zones: OrdMap<ZoneNumber, Name>,
    /// Its settings: in the digest, and in no answer.
    pub settings: OrdMap<Setting, SettingValue>,
}

/// All zones and groups at one moment. Immutable in use; cloning it is cheap, and so is changing a clone.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    zones: OrdMap<Name, Held>,
    groups: OrdMap<GroupNumber, Arc<Group>>,
}

/// A zone, and whose it is.
#[derive(Clone, Debug)]
struct Held {
    zone: Arc<Zone>,
    group: GroupNumber,
}

impl Directory {
    /// Whether there ever was data: a server without any knows nothing, not even that a zone is not its own.
    #[must_use]
    pub fn is_loaded(&self) -> bool {
        !self.groups.is_empty()
    }

    /// The zone of exactly this name.
    #[must_use]
    pub fn zone(&self, name: &Name) -> Option<&Arc<Zone>> {
        self.zones.get(name).map(|held| &held.zone)
    }

    /// The zone that `name` is in: the one of the longest matching name (RFC 1034 §4.3.2, step 2).
    #[must_use]
    pub fn closest_zone(&self, name: &Name) -> Option<&Arc<Zone>> {
        if let Some(zone) = self.zone(name) {
            return Some(zone);
        }
        let mut above = name.parent();
        while let Some(candidate) = above {
            if let Some(zone) = self.zone(&candidate) {
                return Some(zone);
            }
            above = candidate.parent();
        }
        None
    }

    /// All zones, in canonical order.
    pub fn zones(&self) -> impl Iterator<Item = &Arc<Zone>> {
        self.zones.values().map(|held| &held.zone)
    }

    /// How many zones there are.
    #[must_use]
    pub fn zone_count(&self) -> usize {
        self.zones.len()
    }

    /// The group of this number.
    #[must_use]
    pub fn group(&self, number: GroupNumber) -> Option<&Arc<Group>> {
        self.groups.get(&number)
    }

    /// The group that the zone of exactly this name is in.
    #[must_use]
    pub fn group_of(&self, zone: &Name) -> Option<&Arc<Group>> {
        self.groups.get(&self.zones.get(zone)?.group)
    }

    /// All groups.
    pub fn groups(&self) -> impl Iterator<Item = (GroupNumber, &Arc<Group>)> {
        self.groups.iter().map(|(number, group)| (*number, group))
    }

    /// Puts a group's new version in place, with those of its zones that changed: `None` is a zone that has ended.
    /// The caller swaps the whole directory afterwards, so nobody sees half of it.
    pub fn install(&mut self, number: GroupNumber, group: Group, changed: Vec<(Name, Option<Zone>)>) {
        for (name, zone) in changed {
            match zone {
                Some(zone) => self.zones.insert(name, Held { zone: Arc::new(zone), group: number }),
                None => self.zones.remove(&name),
            };
        }
        self.groups.insert(number, Arc::new(group));
    }
}
