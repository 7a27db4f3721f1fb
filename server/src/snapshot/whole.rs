//! All names of a zone at once: sets are made ready in any order, by any number of threads, and each page is written once. One
//! by one, every set would copy the page that it comes into.

use super::HashedName;
use super::depths::Depths;
use super::entry::{EncodedSet, Entry, append_encoded, append_entry};
use super::page::Page;
use super::tree::{Hashed, Tree};
use std::collections::{HashMap, HashSet};
use zone_model::{Name, RecordSet, RecordType, SetKey};

/// Sets of one zone, made ready.
#[derive(Debug, Default)]
pub struct Prepared {
    /// The labels of each before the zone's name, and the set.
    octets: Vec<u8>,
    sets: Vec<Set>,
}

#[derive(Clone, Copy, Debug)]
struct Set {
    hash: u64,
    start: usize,
    relative_length: u8,
    rtype: RecordType,
    covered: RecordType,
}

impl Prepared {
    /// Makes a set ready. Its owner has to be within `zone`; `name` is room to work in.
    pub fn add(&mut self, zone: &Name, key: &SetKey, set: &RecordSet, name: &mut HashedName) {
        let _ = name.read(key.owner().as_wire());
        let relative = name.relative(name.label_count(), zone.as_wire().len());
        let (hash, start) = (name.hash_of(name.label_count()), self.octets.len());
        self.octets.extend_from_slice(relative);
        append_encoded(&mut self.octets, set);
        let relative_length = relative.len() as u8;
        self.sets.push(Set { hash, start, relative_length, rtype: key.rtype(), covered: key.covered() });
    }

    fn relative(&self, set: &Set) -> &[u8] {
        &self.octets[set.start..][..usize::from(set.relative_length)]
    }

    fn encoded(&self, set: &Set) -> Option<EncodedSet<'_>> {
        EncodedSet::read(&self.octets[set.start + usize::from(set.relative_length)..]).map(|(set, _)| set)
    }
}

/// All names of a zone, in pages.
#[derive(Debug)]
pub struct Whole {
    pub(super) pages: Tree<Page>,
    pub(super) set_count: usize,
    pub(super) stops: Depths,
    pub(super) wildcards: usize,
}

/// Two sets under one key: what this was read from is damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Twice;

/// An entry among the octets of all.
struct Written<'o> {
    hash: u64,
    octets: &'o [u8],
}

impl Hashed for Written<'_> {
    fn hash(&self) -> u64 {
        self.hash
    }
}

impl Whole {
    /// Puts all sets of `zone` into pages.
    ///
    /// # Errors
    /// A set is there twice.
    pub fn of(zone: &Name, prepared: &[Prepared]) -> Result<Self, Twice> {
        let mut sets: Vec<(&Prepared, &Set)> =
            prepared.iter().flat_map(|part| part.sets.iter().map(move |set| (part, set))).collect();
        sets.sort_unstable_by(|(a_part, a), (b_part, b)| {
            let by_name = a.hash.cmp(&b.hash).then_with(|| a_part.relative(a).cmp(b_part.relative(b)));
            by_name.then_with(|| (a.rtype, a.covered).cmp(&(b.rtype, b.covered)))
        });
        let is_same_name = |(a_part, a): &(&Prepared, &Set), (b_part, b): &(&Prepared, &Set)| {
            a.hash == b.hash && a_part.relative(a) == b_part.relative(b)
        };
        let is_twice = |pair: &[(&Prepared, &Set)]| {
            let [a, b] = pair else { return false };
            is_same_name(a, b) && (a.1.rtype, a.1.covered) == (b.1.rtype, b.1.covered)
        };
        if sets.windows(2).any(is_twice) {
            return Err(Twice);
        }
        let relatives = sets.chunk_by(is_same_name).map(|sets| sets[0].0.relative(sets[0].1));
        let mut above = NamesAbove::of(relatives);
        let mut whole =
            Self { pages: Tree::new(Page::empty()), set_count: sets.len(), stops: Depths::default(), wildcards: 0 };
        // Places first, because the octets still move.
        let (mut octets, mut places) = (Vec::new(), Vec::new());
        for sets in sets.chunk_by(is_same_name) {
            let (part, first) = sets[0];
            let relative = part.relative(first);
            places.push((first.hash, octets.len()));
            let encoded = sets.iter().filter_map(|(part, set)| part.encoded(set));
            append_entry(&mut octets, relative, above.children_of(relative), encoded);
        }
        // Those that are left have nothing but names below them.
        for (relative, children) in above.rest() {
            places.push((hash_of(zone, &relative), octets.len()));
            append_entry(&mut octets, &relative, children, std::iter::empty());
        }
        let ends = places.iter().skip(1).map(|(_, start)| *start).chain([octets.len()]);
        let mut entries: Vec<Written<'_>> = places
            .iter()
            .zip(ends)
            .map(|((hash, start), end)| Written { hash: *hash, octets: &octets[*start..end] })
            .collect();
        for entry in entries.iter().filter_map(|entry| Entry::read(entry.octets)) {
            let labels = zone.label_count() + label_count(entry.relative);
            if entry.has_dname() || (entry.has_ns() && !entry.relative.is_empty()) {
                whole.stops.add(labels);
            }
            whole.wildcards += usize::from(entry.relative.starts_with(b"\x01*"));
        }
        entries.sort_unstable_by_key(|entry| entry.hash);
        whole.pages =
            Tree::of(&entries, |entries| Page::of_hashed(entries.iter().map(|entry| (entry.hash, entry.octets))));
        Ok(whole)
    }
}

/// How many names are right below others.
struct NamesAbove(HashMap<Vec<u8>, u32>);

impl NamesAbove {
    fn of<'n>(relatives: impl Iterator<Item = &'n [u8]> + Clone) -> Self {
        let mut children: HashMap<Vec<u8>, u32> = HashMap::new();
        // Most zones have all their names right below the apex.
        if relatives.clone().all(|relative| above(relative).is_empty()) {
            return Self(children);
        }
        let with_sets: HashSet<&[u8]> = relatives.clone().collect();
        for mut relative in relatives {
            loop {
                let parent = above(relative);
                // The apex is there without being counted.
                if parent.is_empty() {
                    break;
                }
                let count = children.entry(parent.to_vec()).or_default();
                *count = count.saturating_add(1);
                // It was there before: by its own sets, or since another name below it was met.
                if *count > 1 || with_sets.contains(parent) {
                    break;
                }
                relative = parent;
            }
        }
        Self(children)
    }

    fn children_of(&mut self, relative: &[u8]) -> u32 {
        if self.0.is_empty() { 0 } else { self.0.remove(relative).unwrap_or(0) }
    }

    fn rest(self) -> impl Iterator<Item = (Vec<u8>, u32)> {
        self.0.into_iter()
    }
}

/// The labels after the first.
fn above(relative: &[u8]) -> &[u8] {
    relative.split_first().and_then(|(length, rest)| rest.get(usize::from(*length)..)).unwrap_or_default()
}

fn label_count(mut relative: &[u8]) -> usize {
    let mut count = 0;
    while !relative.is_empty() {
        relative = above(relative);
        count += 1;
    }
    count
}

fn hash_of(zone: &Name, relative: &[u8]) -> u64 {
    let mut name = HashedName::default();
    let _ = name.read(&[relative, zone.as_wire()].concat());
    name.hash_of(name.label_count())
}
