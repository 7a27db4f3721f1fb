//! What the server's tests share: histories made of zone files, built by the server's own builder.
#![allow(dead_code, unreachable_pub, reason = "every test takes what it needs")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

pub mod oracle;
// Left out where the fuzzer's targets share the rest.
#[cfg(test)]
pub mod postgres;
#[cfg(test)]
pub mod program;
pub mod random;
pub mod random_zones;
pub mod wire;

use server::access::Rights;
use server::answer::{Context, Options, Scratch, TCP_REPLY_SIZE, Transport, Verdict, answer, answer_slowly};
use server::install::{Head, Load, Refusal};
use server::replica::build::{Build, Row, TouchedZone, Wanted};
use server::snapshot::{Directory, GroupNumber, ZoneNumber};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, LazyLock};
use zone_model::{
    Content, Digest, Generation, Id, Key, Name, Placed, RecordSet, RecordType, SetKey, Version, ZoneContents, zone_file,
};

/// A change of one key: a zone, a key, and what stands there afterwards.
pub type Change = (ZoneNumber, Key, Option<Content>);

/// The history of one group, kept in memory.
#[derive(Clone)]
pub struct History {
    pub group: GroupNumber,
    pub name: String,
    zones: Vec<(ZoneNumber, Name)>,
    plans: Vec<Vec<Change>>,
    versions: Vec<(Version, Digest)>,
    content: BTreeMap<(ZoneNumber, Key), Content>,
    nowhere: Name,
}

impl History {
    pub fn new(group: i64, zones: &[(i64, &str)]) -> Self {
        let name = format!("group-{group}");
        let zones = zones.iter().map(|(number, zone)| (ZoneNumber(*number), name_of(zone))).collect();
        let (plans, versions, content) = (Vec::new(), Vec::new(), BTreeMap::new());
        Self { group: GroupNumber(group), name, zones, plans, versions, content, nowhere: Name::root() }
    }

    /// Adds the next generation.
    pub fn admit(&mut self, changes: Vec<Change>) -> Version {
        let next = self.versions.last().map_or(1, |(version, _)| version.generation.get() + 1);
        self.admit_as(next, changes)
    }

    /// Adds a generation of this number: the first of a raised epoch, unless it is the next one.
    pub fn admit_as(&mut self, number: i64, changes: Vec<Change>) -> Version {
        let (parent, mut digest) = self.versions.last().map_or((Id::GENESIS, Digest::EMPTY), |(v, d)| (v.id, *d));
        for (zone, key, content) in &changes {
            let place = (*zone, key.clone());
            let name = self.zone_name(*zone).clone();
            let before = match content {
                Some(content) => self.content.insert(place, content.clone()),
                None => self.content.remove(&place),
            };
            let digest_of = |content: &Content| key.digest(&name, content);
            digest = digest.plus(content.as_ref().map_or(Digest::EMPTY, digest_of));
            digest = digest.minus(before.as_ref().map_or(Digest::EMPTY, digest_of));
        }
        self.plans.push(changes);
        let generation = Generation::new(number).unwrap();
        let version = Version { generation, id: Id::of(&parent, generation, &digest) };
        self.versions.push((version, digest));
        version
    }

    pub fn zone_name(&self, zone: ZoneNumber) -> &Name {
        // A group's settings, which are of no zone.
        if zone.0 < 0 {
            return &self.nowhere;
        }
        &self.zones.iter().find(|(number, _)| *number == zone).unwrap().1
    }

    pub fn content(&self) -> &BTreeMap<(ZoneNumber, Key), Content> {
        &self.content
    }

    pub fn tip(&self) -> usize {
        self.plans.len()
    }

    /// The head at the generation of this place, counted from 1.
    pub fn head(&self, place: usize) -> Head {
        let (version, digest) = self.versions[place - 1];
        let parent = if place == 1 { Id::GENESIS } else { self.versions[place - 2].0.id };
        Head { group: self.group, name: self.name.as_str().into(), version, digest, parent }
    }

    /// What the database would say has changed in the generations of the places (above, upto].
    pub fn changes(&self, above: usize, upto: usize) -> (Vec<TouchedZone>, Vec<Row>, BTreeMap<i64, Generation>) {
        let (mut newest, mut touched) = (BTreeMap::new(), BTreeMap::new());
        for (plan, changes) in self.plans.iter().enumerate().take(upto).skip(above) {
            let number = i64::try_from(plan + 1).unwrap();
            for (zone, key, content) in changes {
                newest.insert((*zone, key.clone()), (number, content.clone()));
                if zone.0 > 0 {
                    touched.insert(*zone, self.versions[plan].0.generation);
                }
            }
        }
        let rows = newest.into_iter().map(|((zone, key), (plan, content))| {
            let columns = key.to_columns(self.zone_name(zone));
            let value = content.map(|content| content.to_value());
            Row { zone: zone.0, owner: columns.owner, rtype: columns.rtype, covered: columns.covered, plan, value }
        });
        let touched = touched.into_iter().map(|(zone, generation)| TouchedZone {
            zone,
            name: self.zone_name(zone).clone(),
            group: self.group,
            generation,
        });
        let generations = (1..).zip(&self.versions).map(|(plan, (version, _))| (plan, version.generation)).collect();
        (touched.collect(), rows.collect(), generations)
    }
}

/// Brings `directory` to a generation: by the increment from what it holds, or in full.
pub fn install(
    directory: &Arc<Directory>,
    history: &History,
    upto: usize,
    in_full: bool,
) -> Result<Arc<Directory>, Refusal> {
    let load = if in_full { Load::Drifted } else { Load::Increment };
    let wanted = Wanted { head: history.head(upto), held: directory.group(history.group).cloned(), load };
    let (touched, rows, generations) = history.changes(usize::try_from(wanted.above()).unwrap(), upto);
    build(directory, wanted, touched, rows, &generations)
}

/// Builds one group from rows and puts it into a copy of `directory`.
pub fn build(
    directory: &Arc<Directory>,
    wanted: Wanted,
    touched: Vec<TouchedZone>,
    rows: Vec<Row>,
    generations: &BTreeMap<i64, Generation>,
) -> Result<Arc<Directory>, Refusal> {
    let mut build = Build::new(directory, vec![wanted], touched);
    rows.into_iter().for_each(|row| build.apply(row));
    build.serial_plans_made(&generations.iter().map(|(plan, generation)| (*plan, *generation)).collect());
    let (_, built) = build.finish().pop().unwrap();
    let built = built?;
    let mut next = Directory::clone(directory);
    next.install(built.number, built.group, built.changed);
    Ok(Arc::new(next))
}

/// A directory of zones, each in a group of its own at generation 1, with the serials that their files give.
pub fn directory_of(zones: &[(&str, &str)]) -> Arc<Directory> {
    directory_and_histories_of(zones).0
}

/// The same, and the histories that it is made of.
pub fn directory_and_histories_of(zones: &[(&str, &str)]) -> (Arc<Directory>, Vec<History>) {
    let (mut directory, mut histories) = (Arc::<Directory>::default(), Vec::new());
    for (number, (zone, text)) in (1..).zip(zones) {
        let mut history = History::new(number, &[(number, zone)]);
        history.admit(changes_of(ZoneNumber(number), &name_of(zone), text));
        directory = install(&directory, &history, 1, false).unwrap();
        histories.push(history);
    }
    (directory, histories)
}

static NOTHING_TOLD: LazyLock<Options> = LazyLock::new(Options::default);
/// A server that tells nothing of itself, asked from nearby.
pub static SILENT: LazyLock<Context<'static>> = LazyLock::new(|| Context {
    transport: Transport::Udp,
    peer: IpAddr::V4(Ipv4Addr::LOCALHOST),
    now: 0,
    options: &NOTHING_TOLD,
    rights: Rights::Diagnostics,
});

/// The whole reply of such a server to a packet.
pub fn reply(directory: &Directory, packet: &[u8], transport: Transport) -> Option<Vec<u8>> {
    reply_in(directory, packet, &Context { transport, ..*SILENT })
}

/// The whole reply to a packet, by whichever door it comes in; none is silence. What is answered by the fast door is answered
/// by the slow one alike, to the last octet.
pub fn reply_in(directory: &Directory, packet: &[u8], context: &Context<'_>) -> Option<Vec<u8>> {
    reply_and_cookie(directory, packet, context).map(|(reply, _)| reply)
}

/// The same, and whether there was a valid cookie.
pub fn reply_and_cookie(directory: &Directory, packet: &[u8], context: &Context<'_>) -> Option<(Vec<u8>, bool)> {
    thread_local!(static ROOM: RefCell<(Scratch, Vec<u8>)> = RefCell::new((Scratch::default(), vec![0; TCP_REPLY_SIZE])));
    ROOM.with_borrow_mut(|(scratch, out)| {
        let mut left_over = 0;
        let mut by = |door: fn(&Directory, &mut Scratch, &[u8], &Context<'_>, &mut [u8]) -> Verdict| {
            // What is left in there from other replies changes nothing.
            out[..512].fill(left_over);
            left_over += 1;
            let verdict = door(directory, scratch, packet, context, out);
            let reply = if let Verdict::Reply(length, _) = verdict { out[..length].to_vec() } else { Vec::new() };
            (verdict, reply, scratch.had_valid_cookie())
        };
        let (fast, slow) = (by(answer), by(answer_slowly));
        assert!(slow.0 != Verdict::Slow && (fast.0 == Verdict::Slow || fast == slow), "{packet:?}: {fast:?} {slow:?}");
        if let Verdict::Reply(_, rcode) = slow.0 {
            assert_eq!(u16::from(slow.1[3] & 15), rcode.0 & 15);
        }
        (slow.0 != Verdict::Drop).then_some((slow.1, slow.2))
    })
}

/// The changes that make a zone out of nothing.
pub fn changes_of(number: ZoneNumber, zone: &Name, text: &str) -> Vec<Change> {
    let contents = contents_of(zone, text);
    let serial = (number, Key::Serial, Some(Content::Serial(contents.serial())));
    let sets = contents.into_sets().into_iter();
    sets.map(|(key, set)| (number, Key::Records(key), Some(Content::Records(set)))).chain([serial]).collect()
}

/// The contents that a zone file says.
pub fn contents_of(zone: &Name, text: &str) -> ZoneContents {
    ZoneContents::new(zone.clone(), sets_of(zone, text)).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

/// The record sets that a zone file says.
pub fn sets_of(zone: &Name, text: &str) -> Vec<Placed<RecordSet>> {
    let mut records: BTreeMap<SetKey, (Name, u32, Vec<_>)> = BTreeMap::new();
    let read = zone_file::read(text.as_bytes(), zone, zone_file::Limits::default(), &mut |record| {
        let covered = record.data.covered_type().filter(|_| record.rtype == RecordType::RRSIG);
        let key = SetKey::covering(&record.owner, record.rtype, covered.unwrap_or(RecordType(0)));
        records.entry(key).or_insert_with(|| (record.owner, record.ttl, Vec::new())).2.push(record.data);
    });
    read.unwrap_or_else(|faults| panic!("{faults:?} in\n{text}"));
    let sets = records.into_iter().map(|(key, (owner, ttl, data))| {
        let value = RecordSet::new(owner, key.rtype(), ttl, data).unwrap();
        Placed { place: key.owner().to_string(), value }
    });
    sets.collect()
}

/// A set under its key, to be put in place.
pub fn put(zone: i64, owner: &str, rtype: RecordType, ttl: u32, texts: &[&str]) -> Change {
    let records = texts.iter().map(|text| zone_model::RecordData::parse(rtype, text, &Name::root()).unwrap());
    let set = RecordSet::new(name_of(owner), rtype, ttl, records.collect()).unwrap();
    (ZoneNumber(zone), Key::Records(set.key()), Some(Content::Records(set)))
}

/// A key, to be taken away.
pub fn gone(zone: i64, owner: &str, rtype: RecordType) -> Change {
    (ZoneNumber(zone), Key::Records(SetKey::new(&name_of(owner), rtype)), None)
}

pub fn name_of(text: &str) -> Name {
    Name::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// All names of a directory's zones, and some that are not there.
pub fn names_in(directory: &Directory) -> BTreeSet<Name> {
    let zones = directory.zones();
    zones.flat_map(|zone| zone.nodes().map(|node| node.name().clone())).collect()
}

/// A port on which nobody listens, by UDP or TCP, below the range that systems hand out by themselves.
pub(crate) fn free_port() -> u16 {
    loop {
        let random = std::hash::BuildHasher::hash_one(&std::collections::hash_map::RandomState::new(), 0_u8);
        let port = 10_000 + u16::try_from(random % 22_000).unwrap();
        let address = (Ipv4Addr::LOCALHOST, port);
        if std::net::TcpListener::bind(address).is_ok() && std::net::UdpSocket::bind(address).is_ok() {
            return port;
        }
    }
}
