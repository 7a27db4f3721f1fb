//! All zones that the server answers from, at one moment.

use super::depths::Depths;
use super::tree::{Leaf, Tree};
use super::{HashedName, Zone};
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
#[derive(Clone, Debug)]
pub struct Directory {
    zones: Tree<Zones>,
    zone_count: usize,
    /// With how many labels there are zones.
    depths: Depths,
    groups: OrdMap<GroupNumber, Arc<Group>>,
}

impl Default for Directory {
    fn default() -> Self {
        let (zones, depths) = (Tree::new(Zones(Arc::new([]))), Depths::default());
        Self { zones, zone_count: 0, depths, groups: OrdMap::new() }
    }
}

/// A zone, and whose it is.
#[derive(Clone, Debug)]
pub struct Held {
    hash: u64,
    /// The zone.
    pub zone: Arc<Zone>,
    /// The group that it is in.
    pub group: GroupNumber,
}

/// Some of the zones.
#[derive(Clone, Debug)]
struct Zones(Arc<[Held]>);

impl Zones {
    #[inline]
    fn find(&self, hash: u64, name: &[u8]) -> Option<&Held> {
        self.0.iter().find(|held| held.hash == hash && held.zone.name().as_wire() == name)
    }

    /// The same zones with `held` in the place of the one of its name, or without that.
    fn with(&self, hash: u64, name: &Name, held: Option<Held>) -> Self {
        let others = self.0.iter().filter(|other| other.hash != hash || other.zone.name() != name);
        Self(others.cloned().chain(held).collect())
    }
}

impl Leaf for Zones {
    type Of = ();

    fn is_overfull(&self) -> bool {
        const ZONES_MAX: usize = 8;
        self.0.len() > ZONES_MAX
    }

    fn split(&self, bit: u32, (): &()) -> [Self; 2] {
        let (set, clear): (Vec<Held>, Vec<Held>) = self.0.iter().cloned().partition(|held| held.hash << bit >> 63 == 1);
        [Self(clear.into()), Self(set.into())]
    }
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
        let name = HashedName::of(name);
        self.held(&name, name.label_count()).map(|held| &held.zone)
    }

    #[inline]
    fn held(&self, name: &HashedName, labels: usize) -> Option<&Held> {
        let hash = name.hash_of(labels);
        self.zones.leaf(hash)?.find(hash, name.end(labels))
    }

    /// The zone that the end of `name` with so many labels is in: the one of the longest matching name (RFC 1034 §4.3.2, step
    /// 2).
    #[inline]
    #[must_use]
    pub fn closest(&self, name: &HashedName, labels: usize) -> Option<&Held> {
        self.depths.downwards(labels).find_map(|labels| self.held(name, labels))
    }

    /// All zones, in no order.
    pub fn zones(&self) -> impl Iterator<Item = &Arc<Zone>> {
        self.zones.leaves().flat_map(|zones| zones.0.iter()).map(|held| &held.zone)
    }

    /// How many zones there are.
    #[must_use]
    pub const fn zone_count(&self) -> usize {
        self.zone_count
    }

    /// The group of this number.
    #[must_use]
    pub fn group(&self, number: GroupNumber) -> Option<&Arc<Group>> {
        self.groups.get(&number)
    }

    /// All groups.
    pub fn groups(&self) -> impl Iterator<Item = (GroupNumber, &Arc<Group>)> {
        self.groups.iter().map(|(number, group)| (*number, group))
    }

    /// Puts a group's new version in place, with those of its zones that changed: `None` is a zone that has ended.
    /// The caller swaps the whole directory afterwards, so nobody sees half of it.
    pub fn install(&mut self, number: GroupNumber, group: Group, changed: Vec<(Name, Option<Zone>)>) {
        for (name, zone) in changed {
            let hashed = HashedName::of(&name);
            let labels = hashed.label_count();
            let hash = hashed.hash_of(labels);
            let was_held = self.held(&hashed, labels).is_some();
            match (was_held, zone.is_some()) {
                (false, true) => {
                    self.depths.add(labels);
                    self.zone_count += 1;
                }
                (true, false) => {
                    self.depths.remove(labels);
                    self.zone_count -= 1;
                }
                _ => {}
            }
            let held = zone.map(|zone| Held { hash, zone: Arc::new(zone), group: number });
            self.zones.edit(hash, &(), |zones| zones.with(hash, &name, held));
        }
        self.groups.insert(number, Arc::new(group));
    }
}
