//! Zones with everything in them that an encoder could get wrong, and changes of them, one after the other.

use super::random::Numbers;
use super::wire::Question;
use super::{Change, History, name_of};
use server::snapshot::ZoneNumber;
use std::collections::BTreeMap;
use zone_model::{Content, Key, Name, Placed, RecordData, RecordSet, RecordType as T, SetKey, ZoneContents};

/// Few, so that names meet; with asterisks where they mean something and where they mean nothing, dots and octets that are
/// none of text, and a long one.
const LABELS: [&str; 14] = [
    "a",
    "b",
    "c",
    "*",
    "w",
    "a",
    "b",
    "*",
    "sub",
    "a*b",
    "*a",
    r"\.",
    r"\000\255",
    "a-label-that-is-as-long-as-labels-may-be-and-not-an-octet-more-",
];

/// The zones: one in another, two that have nothing in common, and maybe the root.
pub const ZONES: [&str; 4] = ["z.", "sub.z.", "Y.w.", "."];

/// Types that sets are made of, the frequent ones first.
const TYPES: [T; 22] = [
    T::A,
    T::A,
    T::A,
    T::AAAA,
    T::CNAME,
    T::CNAME,
    T::CNAME,
    T::NS,
    T::NS,
    T::DNAME,
    T::MX,
    T::SRV,
    T::TXT,
    T::PTR,
    T::DS,
    T::RRSIG,
    T::RRSIG,
    T::NSEC,
    T::HTTPS,
    T::AFSDB,
    T(65_280),
    T::HINFO,
];

const QUESTION_TYPES: [T; 20] = [
    T::A,
    T::A,
    T::A,
    T::AAAA,
    T::CNAME,
    T::NS,
    T::NS,
    T::DNAME,
    T::MX,
    T::SRV,
    T::TXT,
    T::PTR,
    T::DS,
    T::DS,
    T::RRSIG,
    T::NSEC,
    T::HTTPS,
    T::SOA,
    T::ANY,
    T(65_280),
];

/// Upper and lower case at random, in one of four names.
fn respelled(numbers: &mut Numbers, name: Name) -> Name {
    if numbers.below(4) > 0 {
        return name;
    }
    let mut wire = name.as_wire().to_vec();
    // A length octet is no letter, for labels here are not so long; but for one, whose length is a question mark.
    for octet in &mut wire {
        if numbers.below(2) == 0 {
            octet.make_ascii_uppercase();
        }
    }
    Name::from_wire(&wire).unwrap()
}

pub fn name(numbers: &mut Numbers, below: &str, labels_max: usize) -> Name {
    let mut name = name_of(below);
    for _ in 0..numbers.below(labels_max + 1) {
        let label = name_of(&format!("{}.", numbers.one_of(&LABELS)));
        name = name.child(&label.as_wire()[1..label.as_wire().len() - 1]).unwrap_or(name);
    }
    respelled(numbers, name)
}

fn target(numbers: &mut Numbers) -> Name {
    let zone = *numbers.one_of(&ZONES[..]);
    if numbers.below(8) == 0 { name_of("far.away.") } else { name(numbers, zone, 3) }
}

fn data(numbers: &mut Numbers, rtype: T) -> RecordData {
    let octet = numbers.below(4);
    let text = match rtype {
        T::A => format!("192.0.{octet}.{}", numbers.below(200)),
        T::AAAA => format!("2001:db8::{octet}:{}", numbers.below(200)),
        T::CNAME | T::NS | T::DNAME | T::PTR => target(numbers).to_string(),
        T::MX | T::AFSDB => format!("{octet} {}", target(numbers)),
        T::SRV => format!("{octet} 0 {} {}", numbers.below(3), target(numbers)),
        T::TXT => format!("\"{}\"", "t".repeat(1 + numbers.below(250))),
        T::DS => format!("{octet} 8 2 {}", "00".repeat(32)),
        T::RRSIG => format!("A 8 2 300 20300101000000 20200101000000 {octet} {} AAAA", target(numbers)),
        T::NSEC => format!("{} A TXT", target(numbers)),
        T::HTTPS => format!("{octet} {}", target(numbers)),
        T::HINFO => format!("h{octet} o"),
        _ => format!("\\# 3 0102{octet:02x}"),
    };
    let data = RecordData::parse(rtype, &text, &Name::root()).unwrap();
    // RRSIG of any type.
    let covered = [1_u8, 2, 5, 15][numbers.below(4)];
    match rtype {
        T::RRSIG => RecordData::from_wire(rtype, &[&[0, covered], &data.as_wire()[2..]].concat()).unwrap(),
        _ => data,
    }
}

fn set(numbers: &mut Numbers, owner: Name) -> RecordSet {
    let rtype = *numbers.one_of(&TYPES);
    let count = match (rtype, numbers.below(12)) {
        (T::CNAME | T::DNAME | T::RRSIG, _) => 1,
        (_, 0) => 30 + numbers.below(60),
        (_, 1..4) => 2 + numbers.below(12),
        _ => 1 + numbers.below(2),
    };
    let data = (0..count).map(|_| data(numbers, rtype)).collect();
    RecordSet::new(owner, rtype, [60, 300, 86_400][numbers.below(3)], data).unwrap()
}

/// What a zone holds now.
pub type Sets = BTreeMap<SetKey, RecordSet>;

/// The least that makes a zone.
fn first_sets(numbers: &mut Numbers, zone: &Name) -> Sets {
    let texts =
        [(T::SOA, format!("{} h.z. 1 3600 600 86400 60", target(numbers))), (T::NS, target(numbers).to_string())];
    let sets = texts.map(|(rtype, text)| {
        let data = RecordData::parse(rtype, &text, &Name::root()).unwrap();
        let set = RecordSet::new(respelled(numbers, zone.clone()), rtype, 100, vec![data]).unwrap();
        (set.key(), set)
    });
    sets.into()
}

fn is_zone(zone: &Name, sets: &Sets) -> bool {
    let placed = sets.values().map(|set| Placed { place: String::new(), value: set.clone() });
    ZoneContents::new(zone.clone(), placed.collect()).is_ok()
}

/// A history of one zone, and what it holds.
pub struct Story {
    pub history: History,
    number: i64,
    zone: Name,
    sets: Sets,
}

impl Story {
    /// A zone at its first generation.
    pub fn begin(numbers: &mut Numbers, number: i64, zone: &str, size: usize) -> Self {
        let history = History::new(number, &[(number, zone)]);
        let zone = name_of(zone);
        let mut story = Self { history, number, sets: first_sets(numbers, &zone), zone };
        let first: Vec<_> = story.sets.values().cloned().map(Some).collect();
        let changes = first.into_iter().flatten().map(|set| story.change(set.key(), Some(set))).collect();
        story.history.admit(changes);
        for _ in 0..size.div_ceil(8) {
            story.go_on(numbers, 8);
        }
        story
    }

    fn change(&self, key: SetKey, set: Option<RecordSet>) -> Change {
        // A SOA stands in the history with serial 0, as ZoneContents would have it.
        let set = set.map(|set| {
            if set.rtype() == T::SOA { zone_model::with_serial(&set, zone_model::Serial(0)).unwrap().0 } else { set }
        });
        (ZoneNumber(self.number), Key::Records(key), set.map(Content::Records))
    }

    /// Adds a generation of up to so many changes that leave a zone.
    pub fn go_on(&mut self, numbers: &mut Numbers, changes_max: usize) {
        let before = self.sets.clone();
        for _ in 0..1 + numbers.below(changes_max) {
            let mut next = self.sets.clone();
            let keys: Vec<_> = next.keys().cloned().collect();
            if numbers.below(3) == 0 {
                next.remove(numbers.one_of(&keys));
            } else {
                let zone = self.zone.to_string();
                let owner =
                    if numbers.below(3) == 0 { numbers.one_of(&keys).owner().clone() } else { name(numbers, &zone, 4) };
                let set = set(numbers, owner);
                next.insert(set.key(), set);
            }
            if is_zone(&self.zone, &next) {
                self.sets = next;
            }
        }
        let gone = before.keys().filter(|key| !self.sets.contains_key(key)).map(|key| self.change(key.clone(), None));
        let put = self.sets.iter().filter(|(key, set)| before.get(key) != Some(set));
        let put = put.map(|(key, set)| self.change(key.clone(), Some(set.clone())));
        let mut changes: Vec<_> = gone.chain(put).collect();
        if changes.is_empty() {
            let (key, set) = self.sets.first_key_value().unwrap();
            changes.push(self.change(key.clone(), Some(set.clone())));
        }
        self.history.admit(changes);
    }

    /// A question that could be about this zone.
    pub fn question(&self, numbers: &mut Numbers) -> Question {
        let keys: Vec<_> = self.sets.keys().collect();
        let near = numbers.one_of(&keys).owner().clone();
        let (zone, label) = (self.zone.to_string(), *numbers.one_of(&["x", "*", "a", "b"]));
        let asked = match numbers.below(6) {
            0 => name(numbers, &zone, 5),
            1 => near.child(label.as_bytes()).unwrap_or(near),
            2 => near.parent().unwrap_or(near),
            _ => near,
        };
        let asked = respelled(numbers, asked);
        let size = [None, Some(512), Some(1232), Some(u16::try_from(numbers.below(1500)).unwrap())][numbers.below(4)];
        let mut flag = || numbers.below(2) == 0;
        let (rd, cd, dnssec_ok, tcp) = (flag(), flag(), flag() && size.is_some(), flag());
        Question { size, rd, cd, dnssec_ok, tcp, ..Question::new(&asked, *numbers.one_of(&QUESTION_TYPES)) }
    }
}
