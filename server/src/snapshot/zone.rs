//! One zone: a changed one shares all that did not change with the one before.

use super::HashedName;
use super::entry::{EncodedSet, Entry, encode};
use super::names::{Names, Node};
use super::page::Page;
use super::tree::Walk;
use super::whole::Whole;
use imbl::OrdMap;
use std::sync::Arc;
use zone_model::{Content, Digest, Generation, Key, Name, RecordType, Serial, SetKey, Soa, with_serial};

/// A serial that a plan has set, and the generation of that plan, from which it goes on by one a generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SerialMark {
    /// The serial.
    pub serial: Serial,
    /// Not known until the plan's generation has been looked up.
    pub set_in: Option<Generation>,
}

/// A zone at some generation of its group. Cloning it is cheap, whatever its size.
#[derive(Clone, Debug)]
pub struct Zone {
    name: Name,
    names: Names,
    serial_mark: Option<SerialMark>,
    touched: Option<Generation>,
    /// The fewest records that guarded sets may have: in the digest, and in no answer.
    guards: OrdMap<SetKey, u16>,
    /// Sets that changes have made smaller, or put under guard: to be looked at before this is served.
    suspects: Vec<SetKey>,
    /// Made by [`Zone::finish`] from what is above.
    apex: Option<Apex>,
}

/// What negative answers and SOA questions need, with the serial in place.
#[derive(Clone, Debug)]
struct Apex {
    soa: Arc<[u8]>,
    serial: Serial,
    negative_ttl: u32,
}

/// A guarded set that is absent or too small.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenGuard {
    /// The set.
    pub key: SetKey,
    /// The fewest records that it may have.
    pub minimum: u16,
    /// How many it has.
    pub records: usize,
}

/// What is left of a zone when all changes have been applied.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one at a time, and it is taken apart at once")]
pub enum Standing {
    /// It stands, and can be answered from.
    Stands(Zone),
    /// It has ended: its SOA is gone, and so is everything else.
    Ended,
}

/// Why applied changes leave nothing that may be served.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ZoneError {
    /// Rows without a SOA: neither a zone nor an ended one.
    #[error("zone {zone} has {sets} record sets, but no SOA at its apex")]
    NoSoa {
        /// The zone.
        zone: Name,
        /// How many record sets it has.
        sets: usize,
    },
    /// A SOA, but no name servers.
    #[error("zone {0} has no NS at its apex")]
    NoNs(Name),
    /// A SOA that cannot be read.
    #[error("zone {0}: {1}")]
    BadSoa(Name, String),
    /// The generation that goes with the serial is not known.
    #[error("zone {0}: nothing says in which generation it was changed last")]
    NoTouched(Name),
}

impl Zone {
    /// A zone with nothing in it yet, which is not a zone that can be served.
    #[must_use]
    pub fn empty(name: &Name) -> Self {
        let name = name.to_lowercase();
        let (names, guards, suspects) = (Names::new(&name), OrdMap::new(), Vec::new());
        Self { name, names, serial_mark: None, touched: None, guards, suspects, apex: None }
    }

    /// A zone of all of its names at once, which was changed last in `touched`.
    #[must_use]
    pub fn of_whole(
        name: &Name,
        names: Whole,
        guards: impl IntoIterator<Item = (SetKey, u16)>,
        (serial_mark, touched): (Option<SerialMark>, Generation),
    ) -> Self {
        let name = name.to_lowercase();
        let guards: OrdMap<SetKey, u16> = guards.into_iter().collect();
        let suspects = guards.keys().cloned().collect();
        let names = Names::of(&name, names);
        Self { name, names, serial_mark, touched: Some(touched), guards, suspects, apex: None }
    }

    /// The zone's name, in lower case.
    #[must_use]
    pub const fn name(&self) -> &Name {
        &self.name
    }

    /// How many labels the zone's name has.
    #[inline]
    #[must_use]
    pub const fn label_count(&self) -> usize {
        self.names.zone_labels()
    }

    /// How many record sets there are.
    #[must_use]
    pub const fn set_count(&self) -> usize {
        self.names.set_count()
    }

    /// The SOA set with the serial of this generation in it; none until [`Zone::finish`].
    #[inline]
    #[must_use]
    pub fn soa(&self) -> Option<EncodedSet<'_>> {
        EncodedSet::read(&self.apex.as_ref()?.soa).map(|(soa, _)| soa)
    }

    /// The serial of this generation.
    #[must_use]
    pub fn serial(&self) -> Option<Serial> {
        self.apex.as_ref().map(|apex| apex.serial)
    }

    /// How long absence may be cached: the lesser of the SOA's TTL and its minimum (RFC 2308 §3).
    #[must_use]
    pub fn negative_ttl(&self) -> u32 {
        self.apex.as_ref().map_or(0, |apex| apex.negative_ttl)
    }

    /// The end of `name` that has so many labels, which is within the zone, if it exists: it has record sets, or a name below it
    /// has (an empty non-terminal, RFC 4592 §2.2.2), whether or not a cut or a DNAME above hides them.
    #[inline]
    #[must_use]
    pub fn entry(&self, name: &HashedName, labels: usize) -> Option<Entry<'_>> {
        self.names.entry(name, labels)
    }

    /// The same of the asterisk right below that end.
    #[must_use]
    pub fn wildcard(&self, name: &HashedName, labels: usize) -> Option<Entry<'_>> {
        self.names.wildcard(name, labels)
    }

    /// The numbers of labels, up to this one, with which names have NS (but for the apex) or DNAME; the least first.
    #[inline]
    pub fn stops(&self, to: usize) -> impl Iterator<Item = usize> + use<> {
        self.names.stops(to)
    }

    /// The way to the page that the name of this hash is in.
    #[inline]
    pub(super) const fn walk(&self, hash: u64) -> Walk<'_, Page> {
        self.names.walk(hash)
    }

    /// The record sets of exactly this name as the history has them, the SOA's serial being 0. Made anew for every call.
    #[must_use]
    pub fn node(&self, name: &Name) -> Option<Node> {
        self.names.node(name)
    }

    /// All names with their record sets, in no order.
    pub fn nodes(&self) -> impl Iterator<Item = Node> {
        self.names.nodes()
    }

    /// Puts content in the place of what stands under `key`, or takes it away, and says by how much the digest changes.
    /// For [`Key::Serial`] the generation that set it has to follow, see [`Zone::serial_was_set_in`].
    pub fn apply(&mut self, key: &Key, content: Option<Content>) -> Digest {
        let added = content.as_ref().map_or(Digest::EMPTY, |content| key.digest(&self.name, content));
        self.apex = None;
        let before = match (key, content) {
            (Key::Serial, content) => {
                let before = self.serial_mark.map(|mark| Content::Serial(mark.serial));
                self.serial_mark = match content {
                    Some(Content::Serial(serial)) => Some(SerialMark { serial, set_in: None }),
                    _ => None,
                };
                before
            }
            (Key::Records(key), Some(Content::Records(set))) => {
                let before = self.names.replace(key, Some(&set));
                if before.as_ref().is_some_and(|before| before.records().len() > set.records().len()) {
                    self.suspects.push(key.clone());
                }
                before.map(Content::Records)
            }
            (Key::Records(key), _) => {
                let before = self.names.replace(key, None);
                if before.is_some() {
                    self.suspects.push(key.clone());
                }
                before.map(Content::Records)
            }
            (Key::Guarded(key), Some(Content::Minimum(minimum))) => {
                self.suspects.push(key.clone());
                self.guards.insert(key.clone(), minimum).map(Content::Minimum)
            }
            (Key::Guarded(key), _) => self.guards.remove(key).map(Content::Minimum),
            // Of the group, and not of a zone. Counted here all the same, it would make the digest wrong.
            (Key::Setting(_), _) => return Digest::EMPTY,
        };
        added.minus(before.map_or(Digest::EMPTY, |content| key.digest(&self.name, &content)))
    }

    /// Whether the serial was set by changes just applied, so that the generation of their plan is still wanted.
    #[must_use]
    pub fn wants_serial_generation(&self) -> bool {
        self.serial_mark.is_some_and(|mark| mark.set_in.is_none())
    }

    /// Says which generation set the serial.
    pub const fn serial_was_set_in(&mut self, generation: Generation) {
        if let Some(mark) = &mut self.serial_mark {
            mark.set_in = Some(generation);
        }
    }

    /// Says which generation changed the zone last.
    pub fn was_touched_in(&mut self, generation: Generation) {
        self.touched = Some(generation);
        self.apex = None;
    }

    /// A guarded set that is absent or too small, if there is any: of those that the changes just applied could have
    /// made so. Costs what they cost, and not what the zone does.
    #[must_use]
    pub fn broken_guard(&mut self) -> Option<BrokenGuard> {
        let suspects = std::mem::take(&mut self.suspects);
        let guarded = suspects.into_iter().filter_map(|key| self.guards.get(&key).map(|minimum| (key, *minimum)));
        let broken = |(key, minimum): (SetKey, u16)| {
            let records = self.encoded(&key).map_or(0, |set| usize::from(set.count()));
            (records < usize::from(minimum)).then_some(BrokenGuard { key, minimum, records })
        };
        guarded.into_iter().find_map(broken)
    }

    /// The serial that a plan has set, if any has.
    #[must_use]
    pub const fn serial_mark(&self) -> Option<SerialMark> {
        self.serial_mark
    }

    /// The generation that changed it last.
    #[must_use]
    pub const fn touched(&self) -> Option<Generation> {
        self.touched
    }

    /// The guarded sets, each with the fewest records that it may have.
    pub fn minimums(&self) -> impl Iterator<Item = (&SetKey, u16)> {
        self.guards.iter().map(|(key, minimum)| (key, *minimum))
    }

    /// The guarded sets.
    pub fn guards(&self) -> impl Iterator<Item = &SetKey> {
        self.guards.keys()
    }

    /// Whether this set is guarded.
    #[must_use]
    pub fn is_guarded(&self, key: &SetKey) -> bool {
        self.guards.contains_key(key)
    }

    /// Judges what the changes have left, and puts the serial into the SOA.
    ///
    /// # Errors
    /// When it is neither a whole zone nor an ended one.
    pub fn finish(mut self) -> Result<Standing, ZoneError> {
        let stored = self.encoded(&SetKey::new(&self.name, RecordType::SOA));
        let Some(stored) = stored.and_then(|soa| soa.decode(self.name.as_wire())) else {
            return match self.set_count() {
                0 => Ok(Standing::Ended),
                sets => Err(ZoneError::NoSoa { zone: self.name, sets }),
            };
        };
        if self.encoded(&SetKey::new(&self.name, RecordType::NS)).is_none() {
            return Err(ZoneError::NoNs(self.name));
        }
        let touched = self.touched.ok_or_else(|| ZoneError::NoTouched(self.name.clone()))?;
        let serial = match self.serial_mark {
            None => Serial(low_bits(touched.get())),
            Some(SerialMark { serial, set_in: Some(set_in) }) => serial.plus(low_bits(touched.get() - set_in.get())),
            Some(SerialMark { set_in: None, .. }) => return Err(ZoneError::NoTouched(self.name)),
        };
        let bad = |what: String| ZoneError::BadSoa(self.name.clone(), what);
        let (soa, _) = with_serial(&stored, serial).map_err(&bad)?;
        let data = soa.records().first().ok_or_else(|| bad("no SOA record".to_owned()))?;
        let fields = Soa::from_data(data).map_err(|error| bad(error.to_string()))?;
        let negative_ttl = soa.ttl().min(fields.minimum);
        self.apex = Some(Apex { soa: encode(&soa).into(), serial, negative_ttl });
        Ok(Standing::Stands(self))
    }

    /// The set under this key; for RRSIG the first of its owner.
    fn encoded(&self, key: &SetKey) -> Option<EncodedSet<'_>> {
        let name = HashedName::of(key.owner());
        self.entry(&name, name.label_count())?.set(key.rtype())
    }
}

/// Serials count modulo 2^32 (RFC 1982).
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the low 32 bits are what is wanted")]
const fn low_bits(number: i64) -> u32 {
    number as u32
}
