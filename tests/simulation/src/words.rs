//! The few names that every schedule is about, and what may stand at them. Small numbers stand for both, so that a
//! million schedules are cheap.
//!
//! A group has two zones, a zone has seven *places*: its apex, `www` (guarded), `a`, `b`, `c`, `alias` (a CNAME to one
//! of those three) and `pair` (the same in both zones, or somebody saw half a plan). What stands at a place is a
//! *stamp*, which no two plans share, as addresses.

use std::fmt;
use zone_model::{
    Content, GroupName, Key, Name, Placed, RecordData, RecordSet, RecordType, SetKey, Setting, ZoneContents,
};

/// How many groups there are at most.
pub const GROUPS_MAX: usize = 2;
/// How many zones a group has.
pub const ZONES: usize = 2;
/// How many places a zone has.
pub const PLACES_OF_ZONE: usize = 7;
/// How many places a group has.
pub const PLACES: usize = ZONES * PLACES_OF_ZONE;

/// A name in a zone of a group, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place(pub u8);

impl Place {
    /// The apex of zone `zone`, 0 or 1; the other places of a zone follow it.
    #[must_use]
    pub const fn apex(zone: usize) -> Self {
        Self((zone * PLACES_OF_ZONE) as u8)
    }

    /// Place `nth` of a zone, see the module.
    #[must_use]
    pub const fn of(zone: usize, nth: usize) -> Self {
        Self((zone * PLACES_OF_ZONE + nth) as u8)
    }

    /// The zone that it is in.
    #[must_use]
    pub const fn zone(self) -> usize {
        self.0 as usize / PLACES_OF_ZONE
    }

    /// Which of its zone's places it is.
    #[must_use]
    pub const fn nth(self) -> usize {
        self.0 as usize % PLACES_OF_ZONE
    }

    /// Its bit in a [`Mask`].
    #[must_use]
    pub const fn bit(self) -> Mask {
        Mask(1 << self.0)
    }

    /// All places of a group.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..PLACES).map(|place| Self(place as u8))
    }
}

/// The apex, as place of a zone.
pub const APEX: usize = 0;
/// `www`, guarded: two addresses at least.
pub const WWW: usize = 1;
/// `a`; `b` and `c` come after it.
pub const A: usize = 2;
/// `alias`.
pub const ALIAS: usize = 5;
/// `pair`.
pub const PAIR: usize = 6;
/// How they are spelled, in order.
const SPELLED: [&str; PLACES_OF_ZONE] = ["@", "www", "a", "b", "c", "alias", "pair"];

/// A set of places; the settings of the group count as one more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mask(pub u16);

impl Mask {
    /// The group's settings.
    pub const SETTINGS: Self = Self(1 << PLACES);

    /// All places of a zone.
    #[must_use]
    pub const fn zone(zone: usize) -> Self {
        Self(((1 << PLACES_OF_ZONE) - 1) << (zone * PLACES_OF_ZONE))
    }

    /// Both.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in both.
    #[must_use]
    pub const fn common(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether nothing is in it.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether the place is in it.
    #[must_use]
    pub const fn has(self, place: Place) -> bool {
        self.0 & place.bit().0 != 0
    }
}

/// What stands at a place: 0 for nothing. At `alias` it is the place of the target within the zone, at the apex 1; at all
/// others a stamp, whose lowest bit says whether there are two addresses or one.
pub type Stamp = u16;

/// A server that serves this dies, and again after each start.
pub const DEADLY: Stamp = 0x8000;
/// A server that meets this refuses it, and says so.
pub const FAULTY: Stamp = 0x4000;

/// How many records stand where the stamp does.
#[must_use]
pub const fn records(place: Place, stamp: Stamp) -> u8 {
    match (stamp, place.nth()) {
        (0, _) => 0,
        (_, APEX | ALIAS) => 1,
        (stamp, _) => 1 + (stamp & 1) as u8,
    }
}

/// A group's words.
#[derive(Debug)]
pub struct GroupWords {
    /// Its name.
    pub name: GroupName,
    /// Its zones.
    pub zones: [ZoneWords; ZONES],
}

/// A zone's words.
#[derive(Debug)]
pub struct ZoneWords {
    /// Its name.
    pub name: Name,
    /// Its number in the database.
    pub number: i64,
    /// The names of its places, in order.
    pub owners: Vec<Name>,
    soa: RecordSet,
    ns: RecordSet,
}

/// All words of a simulation.
#[derive(Debug)]
pub struct Words {
    /// The groups.
    pub groups: Vec<GroupWords>,
}

/// How many numbers keys have within a group: four for each place, and the settings.
pub const KEYS: usize = PLACES * 4 + 5;

impl Default for Words {
    fn default() -> Self {
        let groups = (0..GROUPS_MAX).map(|group| {
            let zones = std::array::from_fn(|zone| ZoneWords::new(group, zone));
            GroupWords { name: parsed(GroupName::parse(["shop", "blog"][group])), zones }
        });
        Self { groups: groups.collect() }
    }
}

/// Words are spelled in this file, so they can be read.
fn parsed<T, E: fmt::Debug>(read: Result<T, E>) -> T {
    read.unwrap_or_else(|error| unreachable!("{error:?}"))
}

impl ZoneWords {
    fn new(group: usize, zone: usize) -> Self {
        let spelled = [["s.", "t."], ["u.", "v."]][group][zone];
        let name = parsed(Name::parse(spelled));
        let owners = SPELLED.iter().map(|owner| parsed(Name::parse_relative(owner, &name))).collect();
        let one = |rtype, text: &str| {
            parsed(RecordSet::new(name.clone(), rtype, 60, vec![parsed(RecordData::parse(rtype, text, &Name::root()))]))
        };
        let soa = one(RecordType::SOA, "ns.else. hostmaster.else. 1 3600 900 604800 300");
        let ns = one(RecordType::NS, "ns.else.");
        Self { name, number: (group * ZONES + zone + 1) as i64, owners, soa, ns }
    }

    /// The place of a name in this zone, of zone `zone` of its group.
    #[must_use]
    pub fn place(&self, zone: usize, owner: &Name) -> Option<Place> {
        self.owners.iter().position(|one| one == owner).map(|nth| Place::of(zone, nth))
    }

    /// The record set that a stamp stands for.
    #[must_use]
    pub fn record_set(&self, nth: usize, stamp: Stamp) -> RecordSet {
        let owner = self.owners[nth].clone();
        if nth == ALIAS {
            let target = parsed(RecordData::from_wire(RecordType::CNAME, self.owners[stamp as usize].as_wire()));
            return parsed(RecordSet::new(owner, RecordType::CNAME, 60, vec![target]));
        }
        let [high, low] = stamp.to_be_bytes();
        let address = |last| parsed(RecordData::from_wire(RecordType::A, &[10, high, low, last]));
        parsed(RecordSet::new(owner, RecordType::A, 60, (0..=(stamp & 1) as u8).map(address).collect()))
    }

    /// The stamp that a record set stands for; none for one that no plan of ours has made.
    #[must_use]
    pub fn stamp(&self, nth: usize, set: &RecordSet) -> Option<Stamp> {
        let data = set.records();
        match (nth, set.rtype()) {
            (APEX, RecordType::SOA | RecordType::NS) => Some(1),
            (ALIAS, RecordType::CNAME) => {
                let target = data.first()?.target(RecordType::CNAME)?;
                self.owners.iter().position(|owner| *owner == target).map(|nth| nth as Stamp)
            }
            (_, RecordType::A) => match *data.first()?.as_wire() {
                [10, high, low, 0] => {
                    let stamp = Stamp::from_be_bytes([high, low]);
                    (data.len() == 1 + usize::from(stamp & 1)).then_some(stamp)
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// The whole contents of the zone, with these stamps at its places after the apex.
    #[must_use]
    pub fn contents(&self, stamps: &[Stamp]) -> ZoneContents {
        let others = stamps.iter().enumerate().filter(|(_, stamp)| **stamp != 0);
        let sets = others.map(|(index, stamp)| self.record_set(index + 1, *stamp));
        let all = [self.soa.clone(), self.ns.clone()].into_iter().chain(sets);
        let placed = all.map(|value| Placed { place: String::new(), value });
        parsed(ZoneContents::new(self.name.clone(), placed.collect()))
    }
}

impl GroupWords {
    /// The zone of this name.
    #[must_use]
    pub fn zone(&self, name: &Name) -> Option<usize> {
        self.zones.iter().position(|zone| zone.name == *name)
    }

    /// The place of a name.
    #[must_use]
    pub fn place(&self, zone: &Name, owner: &Name) -> Option<Place> {
        let zone = self.zone(zone)?;
        self.zones[zone].place(zone, owner)
    }

    /// The key of the record set at a place: the address or the alias; at the apex the SOA.
    #[must_use]
    pub fn key(&self, place: Place) -> SetKey {
        let rtype = match place.nth() {
            APEX => RecordType::SOA,
            ALIAS => RecordType::CNAME,
            _ => RecordType::A,
        };
        SetKey::new(&self.zones[place.zone()].owners[place.nth()], rtype)
    }
}

/// The number of a key among those of its place: two keys of one group are the same if place and this are.
#[must_use]
pub fn key_number(place: Option<Place>, key: &Key) -> usize {
    let Some(place) = place else {
        let index = Setting::ALL.iter().position(|setting| *key == Key::Setting(*setting));
        return PLACES * 4 + index.unwrap_or(0);
    };
    let kind = match key {
        Key::Records(set) if set.rtype() == RecordType::NS => 1,
        Key::Serial => 2,
        Key::Guarded(_) => 3,
        Key::Records(_) | Key::Setting(_) => 0,
    };
    usize::from(place.0) * 4 + kind
}

/// The record set that stands, if the content is one.
#[must_use]
pub const fn as_set(content: &Content) -> Option<&RecordSet> {
    match content {
        Content::Records(set) => Some(set),
        _ => None,
    }
}
