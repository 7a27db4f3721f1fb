//! All names of a zone in packed pages: those with record sets, and the empty non-terminals above them (RFC 4592 §2.2.2).

use super::HashedName;
use super::depths::Depths;
use super::entry::{EncodedSet, Entry, encode, write_entry};
use super::page::Page;
use super::tree::{Tree, Walk};
use super::whole::Whole;
use zone_model::{Name, RecordSet, RecordType, SetKey};

/// The record sets of one name: at least one, ordered by type and covered type. Made out of the pages for whoever wants to
/// see them as they came; answers are not made of it.
#[derive(Clone, Debug)]
pub struct Node {
    name: Name,
    sets: Vec<RecordSet>,
}

impl Node {
    /// The name, in lower case.
    #[must_use]
    pub const fn name(&self) -> &Name {
        &self.name
    }

    /// The set of this type; for RRSIG the first of them.
    #[must_use]
    pub fn set(&self, rtype: RecordType) -> Option<&RecordSet> {
        self.sets.iter().find(|set| set.rtype() == rtype)
    }

    /// All sets.
    #[must_use]
    pub fn sets(&self) -> &[RecordSet] {
        &self.sets
    }
}

/// The names of one zone. Cloning it is cheap, and a changed clone shares all pages that did not change.
///
/// Nothing in an entry depends on another name but the number of names right below it, so a change touches the page of its
/// own name, and where a name comes or goes, those of the empty non-terminals above.
#[derive(Clone, Debug)]
pub(super) struct Names {
    zone: Name,
    zone_labels: usize,
    pages: Tree<Page>,
    set_count: usize,
    /// Where there are cuts and DNAMEs, which hide what is below them.
    stops: Depths,
    /// How many entries have an asterisk as their first label.
    wildcards: usize,
}

impl Names {
    /// No names yet. The zone's own name is in lower case.
    pub(super) fn new(zone: &Name) -> Self {
        let (zone, pages) = (zone.clone(), Tree::new(Page::empty()));
        Self { zone_labels: zone.label_count(), zone, pages, set_count: 0, stops: Depths::default(), wildcards: 0 }
    }

    /// All names of a zone at once.
    pub(super) fn of(zone: &Name, whole: Whole) -> Self {
        let Whole { pages, set_count, stops, wildcards } = whole;
        Self { zone_labels: zone.label_count(), zone: zone.clone(), pages, set_count, stops, wildcards }
    }

    /// How many labels the zone's name has.
    pub(super) const fn zone_labels(&self) -> usize {
        self.zone_labels
    }

    /// How many record sets there are.
    pub(super) const fn set_count(&self) -> usize {
        self.set_count
    }

    /// The entry of the end of `name` that has so many labels, which is within the zone.
    #[inline]
    pub(super) fn entry(&self, name: &HashedName, labels: usize) -> Option<Entry<'_>> {
        let hash = name.hash_of(labels);
        self.pages.leaf(hash)?.find(hash, &[], name.relative(labels, self.zone.as_wire().len()))
    }

    /// The entry of the asterisk right below the end of `name` that has so many labels.
    pub(super) fn wildcard(&self, name: &HashedName, labels: usize) -> Option<Entry<'_>> {
        if self.wildcards == 0 {
            return None;
        }
        let hash = name.hash_of_wildcard(labels);
        self.pages.leaf(hash)?.find(hash, b"\x01*", name.relative(labels, self.zone.as_wire().len()))
    }

    /// The numbers of labels from the zone's own up to this one with which there are cuts or DNAMEs, the least first.
    #[inline]
    pub(super) fn stops(&self, to: usize) -> impl Iterator<Item = usize> + use<> {
        self.stops.upwards(to)
    }

    /// The way to the page of what has this hash.
    #[inline]
    pub(super) const fn walk(&self, hash: u64) -> Walk<'_, Page> {
        self.pages.walk(hash)
    }

    /// The record sets of exactly this name.
    pub(super) fn node(&self, name: &Name) -> Option<Node> {
        let name = HashedName::of(name);
        let is_within = name.label_count() >= self.zone_labels && name.end(self.zone_labels) == self.zone.as_wire();
        let entry = self.entry(&name, name.label_count()).filter(|_| is_within)?;
        self.decode(&entry)
    }

    /// All names that have record sets, in no order.
    pub(super) fn nodes(&self) -> impl Iterator<Item = Node> {
        self.pages.leaves().flat_map(Page::entries).filter_map(|entry| self.decode(&entry))
    }

    fn decode(&self, entry: &Entry<'_>) -> Option<Node> {
        let name = Name::from_wire(&[entry.relative, self.zone.as_wire()].concat()).ok()?;
        let sets: Vec<_> = entry.sets().filter_map(|set| set.decode(name.as_wire())).collect();
        (!sets.is_empty()).then_some(Node { name, sets })
    }

    /// Puts a set in the place of the one under this key, or takes that away, and says what stood there.
    pub(super) fn replace(&mut self, key: &SetKey, set: Option<&RecordSet>) -> Option<RecordSet> {
        if !key.owner().is_within(&self.zone) {
            return None;
        }
        let name = HashedName::of(key.owner());
        let labels = name.label_count();
        let found = self.entry(&name, labels);
        let mut sets: Vec<_> = found.iter().flat_map(Entry::sets).collect();
        let encoded = set.map(encode);
        let new = encoded.as_deref().and_then(EncodedSet::read).map(|(new, _)| new);
        let place = sets.binary_search_by(|set| (set.rtype(), set.covered()).cmp(&(key.rtype(), key.covered())));
        let mut count = self.set_count;
        let before = match (place, new) {
            (Ok(place), Some(new)) => Some(std::mem::replace(&mut sets[place], new)),
            (Ok(place), None) => {
                count -= 1;
                Some(sets.remove(place))
            }
            (Err(place), Some(new)) => {
                count += 1;
                sets.insert(place, new);
                None
            }
            (Err(_), None) => return None,
        };
        let before = before.and_then(|before| before.decode(name.wire()));
        let children = found.map_or(0, |entry| entry.children);
        let entry = written(name.relative(labels, self.zone.as_wire().len()), children, &sets);
        let (was, is) = (found.is_some(), entry.is_some());
        self.set_count = count;
        self.put(&name, labels, entry.as_deref());
        if was != is {
            self.count_child(&name, labels, is);
        }
        before
    }

    /// Counts a name that has come or gone in the entry above it, and so on as far as entries come and go by that.
    fn count_child(&mut self, name: &HashedName, mut labels: usize, has_come: bool) {
        // The apex is there without being counted.
        while labels > self.zone_labels + 1 {
            labels -= 1;
            let found = self.entry(name, labels);
            let sets: Vec<_> = found.iter().flat_map(Entry::sets).collect();
            let children = found.map_or(0, |entry| entry.children);
            let children = if has_come { children.saturating_add(1) } else { children.saturating_sub(1) };
            let entry = written(name.relative(labels, self.zone.as_wire().len()), children, &sets);
            let (was, is) = (found.is_some(), entry.is_some());
            self.put(name, labels, entry.as_deref());
            if was == is {
                return;
            }
        }
    }

    /// Puts an entry in the place of the one of the same name, or takes that away.
    fn put(&mut self, name: &HashedName, labels: usize, entry: Option<&[u8]>) {
        let is_stop = |entry: Entry<'_>| entry.has_dname() || (entry.has_ns() && labels > self.zone_labels);
        let before = self.entry(name, labels).map(is_stop);
        let after = entry.and_then(Entry::read).map(is_stop);
        match (before == Some(true), after == Some(true)) {
            (false, true) => self.stops.add(labels),
            (true, false) => self.stops.remove(labels),
            _ => {}
        }
        let relative = name.relative(labels, self.zone.as_wire().len());
        if relative.starts_with(b"\x01*") {
            self.wildcards = self.wildcards + usize::from(after.is_some()) - usize::from(before.is_some());
        }
        let hash = name.hash_of(labels);
        self.pages.edit(hash, &self.zone, |page| page.with(hash, relative, entry));
    }

    /// How many pages there are, and how many of them another version has as well.
    #[cfg(test)]
    fn pages_shared_with(&self, other: &Self) -> (usize, usize) {
        let (pages, others): (Vec<_>, Vec<_>) = (self.pages.leaves().collect(), other.pages.leaves().collect());
        let shared = pages.iter().filter(|page| others.iter().any(|other| page.is_same_as(other)));
        (pages.len(), shared.count())
    }
}

/// An entry, unless there is nothing at a name and nothing below it.
fn written(relative: &[u8], children: u32, sets: &[EncodedSet<'_>]) -> Option<Vec<u8>> {
    (children > 0 || !sets.is_empty()).then(|| write_entry(relative, children, sets.iter().copied()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use zone_model::RecordData;

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    fn put(names: &mut Names, owner: &str, rtype: RecordType, text: &str) {
        let data = RecordData::parse(rtype, text, &Name::root()).unwrap();
        let set = RecordSet::new(name(owner), rtype, 60, vec![data]).unwrap();
        names.replace(&set.key(), Some(&set));
    }

    fn take(names: &mut Names, owner: &str, rtype: RecordType) {
        assert!(names.replace(&SetKey::new(&name(owner), rtype), None).is_some());
    }

    fn exists(names: &Names, owner: &str) -> bool {
        let owner = HashedName::of(&name(owner));
        names.entry(&owner, owner.label_count()).is_some()
    }

    #[test]
    fn empty_non_terminals_come_and_go_with_what_is_below_them() {
        let mut names = Names::new(&name("z."));
        put(&mut names, "a.b.*.c.z.", RecordType::A, "192.0.2.1");
        put(&mut names, "d.b.*.c.z.", RecordType::A, "192.0.2.1");
        put(&mut names, "*.c.z.", RecordType::A, "192.0.2.1");
        assert_eq!(names.wildcards, 1);
        for there in ["a.b.*.c.z.", "b.*.c.z.", "*.c.z.", "c.z."] {
            assert!(exists(&names, there), "{there}");
        }
        assert!(names.node(&name("b.*.c.z.")).is_none());
        take(&mut names, "a.b.*.c.z.", RecordType::A);
        assert!(exists(&names, "b.*.c.z.") && !exists(&names, "a.b.*.c.z."));
        take(&mut names, "d.b.*.c.z.", RecordType::A);
        assert!(!exists(&names, "b.*.c.z.") && exists(&names, "*.c.z."));
        take(&mut names, "*.c.z.", RecordType::A);
        assert!(!exists(&names, "c.z."));
        assert_eq!((names.wildcards, names.set_count, names.pages.leaves().flat_map(Page::entries).count()), (0, 0, 0));
    }

    #[test]
    fn cuts_and_dnames_are_counted_where_they_are() {
        let mut names = Names::new(&name("z."));
        put(&mut names, "z.", RecordType::NS, "ns.z.");
        assert_eq!(names.stops(127).count(), 0);
        put(&mut names, "z.", RecordType::DNAME, "y.");
        put(&mut names, "b.a.z.", RecordType::NS, "ns.z.");
        put(&mut names, "b.a.z.", RecordType::A, "192.0.2.1");
        assert_eq!(names.stops(127).collect::<Vec<_>>(), [1, 3]);
        take(&mut names, "b.a.z.", RecordType::NS);
        take(&mut names, "z.", RecordType::DNAME);
        assert_eq!(names.stops(127).count(), 0);
        assert_eq!(names.node(&name("B.a.z.")).unwrap().sets().len(), 1);
    }

    #[test]
    fn a_change_copies_its_page_and_shares_the_others() {
        let mut before = Names::new(&name("z."));
        for number in 0..20_000 {
            put(&mut before, &format!("N{number}.z."), RecordType::A, "192.0.2.1");
        }
        let mut after = before.clone();
        put(&mut after, "n77.z.", RecordType::A, "192.0.2.2");
        let (pages, shared) = after.pages_shared_with(&before);
        assert!(pages > 200 && shared + 1 == pages, "{shared} of {pages}");
        let address = |names: &Names| {
            let data = names.node(&name("n77.z.")).unwrap().sets()[0].records()[0].to_text(RecordType::A);
            (data, names.node(&name("n78.z.")).unwrap().sets()[0].owner().to_string())
        };
        assert_eq!(address(&before), ("192.0.2.1".to_owned(), "N78.z.".to_owned()));
        assert_eq!(address(&after), ("192.0.2.2".to_owned(), "N78.z.".to_owned()));
        assert_eq!(after.nodes().count(), 20_000);
    }
}
