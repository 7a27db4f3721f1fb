//! One zone as a persistent map: a changed zone shares all that did not change with the one before.

use imbl::OrdMap;
use std::ops::Bound;
use std::sync::Arc;
use zone_model::{Content, Digest, Generation, Key, Name, RecordSet, RecordType, Serial, SetKey, Soa, with_serial};

/// The record sets of one name: at least one, ordered by type and covered type.
#[derive(Clone, Debug, Default)]
pub struct Node {
    sets: Vec<Arc<RecordSet>>,
}

impl Node {
    /// The set of this type; for RRSIG the first of them.
    #[must_use]
    pub fn set(&self, rtype: RecordType) -> Option<&Arc<RecordSet>> {
        self.sets.iter().find(|set| set.rtype() == rtype)
    }

    /// All sets of this type: one, or none, but for RRSIG, which has a set for each type that is signed.
    pub fn sets_of(&self, rtype: RecordType) -> impl Iterator<Item = &Arc<RecordSet>> {
        self.sets.iter().filter(move |set| set.rtype() == rtype)
    }

    /// All sets.
    #[must_use]
    pub fn sets(&self) -> &[Arc<RecordSet>] {
        &self.sets
    }

    fn place(&self, key: &SetKey) -> Result<usize, usize> {
        self.sets.binary_search_by(|set| (set.rtype(), set.key().covered()).cmp(&(key.rtype(), key.covered())))
    }
}

/// A serial that a plan has set, and the generation of that plan, from which it goes on by one a generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct SerialMark {
    serial: Serial,
    /// Not known until the plan's generation has been looked up.
    set_in: Option<Generation>,
}

/// A zone at some generation of its group. Cloning it is cheap, whatever its size.
#[derive(Clone, Debug)]
pub struct Zone {
    name: Name,
    nodes: OrdMap<Arc<Name>, Arc<Node>>,
    set_count: usize,
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
    soa: Arc<RecordSet>,
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
        let (nodes, guards, suspects) = (OrdMap::new(), OrdMap::new(), Vec::new());
        Self { name, nodes, set_count: 0, serial_mark: None, touched: None, guards, suspects, apex: None }
    }

    /// The zone's name, in lower case.
    #[must_use]
    pub const fn name(&self) -> &Name {
        &self.name
    }

    /// How many record sets there are.
    #[must_use]
    pub const fn set_count(&self) -> usize {
        self.set_count
    }

    /// The SOA set with the serial of this generation in it; none until [`Zone::finish`].
    #[must_use]
    pub fn soa(&self) -> Option<&Arc<RecordSet>> {
        self.apex.as_ref().map(|apex| &apex.soa)
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

    /// The record sets of exactly this name, whether or not a cut or a DNAME above it hides them.
    #[must_use]
    pub fn node(&self, name: &Name) -> Option<&Arc<Node>> {
        self.nodes.get(name)
    }

    /// Whether the name exists: it has record sets, or a name below it has (an empty non-terminal, RFC 4592 §2.2.2).
    #[must_use]
    pub fn exists(&self, name: &Name) -> bool {
        // Canonical order puts all that is below a name right behind it.
        let mut from = self.nodes.range::<_, Name>((Bound::Included(name), Bound::Unbounded));
        from.next().is_some_and(|(next, _)| next.is_within(name))
    }

    /// All names with their record sets, in canonical order.
    pub fn nodes(&self) -> impl Iterator<Item = (&Name, &Node)> {
        self.nodes.iter().map(|(name, node)| (&**name, &**node))
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
                let records = set.records().len();
                let before = self.put(key, set);
                if matches!(&before, Some(Content::Records(before)) if before.records().len() > records) {
                    self.suspects.push(key.clone());
                }
                before
            }
            (Key::Records(key), _) => {
                let before = self.take(key);
                if before.is_some() {
                    self.suspects.push(key.clone());
                }
                before
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

    fn put(&mut self, key: &SetKey, set: RecordSet) -> Option<Content> {
        if let Some(node) = self.nodes.get_mut(key.owner()) {
            let node = Arc::make_mut(node);
            return match node.place(key) {
                Ok(place) => {
                    let before = node.sets.get_mut(place).map(|old| std::mem::replace(old, Arc::new(set)));
                    before.map(into_content)
                }
                Err(place) => {
                    node.sets.insert(place, Arc::new(set));
                    self.set_count += 1;
                    None
                }
            };
        }
        self.nodes.insert(Arc::new(key.owner().clone()), Arc::new(Node { sets: vec![Arc::new(set)] }));
        self.set_count += 1;
        None
    }

    fn take(&mut self, key: &SetKey) -> Option<Content> {
        let node = self.nodes.get(key.owner())?;
        let place = node.place(key).ok()?;
        self.set_count -= 1;
        if node.sets.len() == 1 {
            let node = self.nodes.remove(key.owner())?;
            return node.sets.first().cloned().map(into_content);
        }
        let node = Arc::make_mut(self.nodes.get_mut(key.owner())?);
        Some(into_content(node.sets.remove(place)))
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
            let set = self.nodes.get(key.owner()).and_then(|node| node.set(key.rtype()));
            let records = set.map_or(0, |set| set.records().len());
            (records < usize::from(minimum)).then_some(BrokenGuard { key, minimum, records })
        };
        guarded.into_iter().find_map(broken)
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
        let at_apex = self.nodes.get(&self.name);
        let Some(stored) = at_apex.and_then(|node| node.set(RecordType::SOA)) else {
            return match self.set_count {
                0 => Ok(Standing::Ended),
                sets => Err(ZoneError::NoSoa { zone: self.name, sets }),
            };
        };
        if at_apex.and_then(|node| node.set(RecordType::NS)).is_none() {
            return Err(ZoneError::NoNs(self.name));
        }
        let touched = self.touched.ok_or_else(|| ZoneError::NoTouched(self.name.clone()))?;
        let serial = match self.serial_mark {
            None => Serial(low_bits(touched.get())),
            Some(SerialMark { serial, set_in: Some(set_in) }) => serial.plus(low_bits(touched.get() - set_in.get())),
            Some(SerialMark { set_in: None, .. }) => return Err(ZoneError::NoTouched(self.name)),
        };
        let bad = |what: String| ZoneError::BadSoa(self.name.clone(), what);
        let (soa, _) = with_serial(stored, serial).map_err(&bad)?;
        let data = soa.records().first().ok_or_else(|| bad("no SOA record".to_owned()))?;
        let fields = Soa::from_data(data).map_err(|error| bad(error.to_string()))?;
        let negative_ttl = soa.ttl().min(fields.minimum);
        self.apex = Some(Apex { soa: Arc::new(soa), serial, negative_ttl });
        Ok(Standing::Stands(self))
    }
}

fn into_content(set: Arc<RecordSet>) -> Content {
    Content::Records(Arc::unwrap_or_clone(set))
}

/// Serials count modulo 2^32 (RFC 1982).
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the low 32 bits are what is wanted")]
const fn low_bits(number: i64) -> u32 {
    number as u32
}
