//! How long `answer` takes by itself, without sockets; what a name takes in memory; and how soon one changed name is served.
//!
//!     cargo xtask bench answer
//!
//! Zones of single-address names; questions in an order that no cache knows, in groups that are looked at ahead as the UDP
//! workers do. Two mixes: 90 % hits, 5 % no data, 5 % no such name; and 60, 20, 20. HOLDFAST_BENCH_SIZES chooses the sizes;
//! HOLDFAST_BENCH_ONLY=changes leaves the answers out.

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot run should say where")]

use arc_swap::ArcSwap;
use server::access::Rights;
use server::answer::{Context, Cookies, GROUP_SIZE, Options, Scratch, Secret, Transport, UDP_REPLY_SIZE, Verdict};
use server::install::{Head, Load};
use server::replica::build::{Build, Row, TouchedZone, Wanted};
use server::snapshot::{Directory, GroupNumber, ZoneNumber};
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};
use zone_model::{Content, Digest, Generation, Id, Key, Name, RecordData, RecordSet, RecordType, SetKey, Version};

const ZONE: &str = "bench.example.";
/// Packets asked in turn: more than caches hold, so that even the small zone is asked for unlike names.
const PACKETS: usize = 1 << 18;
/// How often all of them are asked; the median counts.
const ROUNDS: usize = 9;
/// Changes of one name.
const CHANGES: usize = 2_000;

fn main() {
    let sizes: Vec<usize> = match std::env::var("HOLDFAST_BENCH_SIZES") {
        Ok(text) => text.split(',').map(|size| size.trim().parse().unwrap()).collect(),
        Err(_) => vec![100_000, 1_000_000],
    };
    println!(
        "nanoseconds an answer (prefetch on / off), octets a name, and microseconds from a changed row to the swap"
    );
    println!(
        "{:>9} {:>15} {:>15} {:>8} {:>8} {:>8} {:>8} {:>9}",
        "names", "90/5/5", "60/20/20", "octets", "p50", "p99", "max", "load"
    );
    for size in sizes {
        measure(size);
    }
}

fn measure(size: usize) {
    let before = resident();
    let began = Instant::now();
    let mut history = History::of_size(size);
    let directory = ArcSwap::new(history.load());
    let load = began.elapsed();
    let octets = resident().saturating_sub(before) / size;
    let only_changes = std::env::var("HOLDFAST_BENCH_ONLY").is_ok_and(|only| only == "changes");
    let mixes = [[90, 5], [60, 20]].map(|[hits, no_data]| {
        if only_changes {
            return "-".to_owned();
        }
        let packets = packets(size, hits, no_data);
        let with = time(&directory.load(), &packets, true);
        let without = time(&directory.load(), &packets, false);
        format!("{with:.0} / {without:.0}")
    });
    let mut changes: Vec<Duration> = (0..CHANGES).map(|change| history.change(&directory, size, change)).collect();
    changes.sort();
    let at = |share: f64| changes[((changes.len() - 1) as f64 * share).round() as usize].as_secs_f64() * 1e6;
    println!(
        "{size:>9} {:>15} {:>15} {octets:>8} {:>8.1} {:>8.1} {:>8.1} {:>7.2} s",
        mixes[0],
        mixes[1],
        at(0.5),
        at(0.99),
        at(1.0),
        load.as_secs_f64()
    );
}

/// Octets of this process in memory.
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    text.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

/// Numbers in an order that looks random.
fn mixed(number: usize) -> usize {
    let mut mixed = number as u64 ^ 0x5851_f42d_4c95_7f2d;
    for _ in 0..3 {
        mixed = (mixed ^ mixed >> 31).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
    (mixed >> 20) as usize
}

fn packets(size: usize, hits: usize, no_data: usize) -> Vec<Vec<u8>> {
    let packet = |number: usize| {
        let (name, kind) = (mixed(number) % size, mixed(number + PACKETS) % 100);
        let (label, rtype) = match kind {
            kind if kind < hits => (format!("n{name:07}"), RecordType::A),
            kind if kind < hits + no_data => (format!("n{name:07}"), RecordType::AAAA),
            _ => (format!("x{name:07}"), RecordType::A),
        };
        let name = Name::parse(&format!("{label}.{ZONE}")).unwrap();
        let mut packet = vec![0x12, 0x34, 0, 0, 0, 1, 0, 0, 0, 0, 0, (number % 2) as u8];
        packet.extend_from_slice(name.as_wire());
        packet.extend_from_slice(&rtype.0.to_be_bytes());
        packet.extend_from_slice(&[0, 1]);
        if number % 2 == 1 {
            packet.extend_from_slice(&[0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0]);
        }
        packet
    };
    (0..PACKETS).map(packet).collect()
}

/// The median of what an answer takes.
fn time(directory: &Directory, packets: &[Vec<u8>], ahead: bool) -> f64 {
    let (mut scratch, mut out) = (Scratch::default(), vec![0; UDP_REPLY_SIZE]);
    let options = Options { cookies: Some(Cookies::new(Secret::new(&[7; 16]), Vec::new())), ..Options::default() };
    let peer = std::net::Ipv4Addr::LOCALHOST.into();
    let context = Context { transport: Transport::Udp, peer, now: 0, options: &options, rights: Rights::Plain };
    let mut round = |_| {
        let began = Instant::now();
        for group in packets.chunks(GROUP_SIZE) {
            if ahead {
                scratch.look_ahead(directory, group.iter().map(Vec::as_slice));
            }
            for (place, packet) in group.iter().enumerate() {
                let verdict = if ahead {
                    scratch.answer_next(directory, (place, packet), &context, &mut out)
                } else {
                    server::answer::answer(directory, &mut scratch, packet, &context, &mut out)
                };
                assert!(matches!(black_box(verdict), Verdict::Reply(..)));
            }
        }
        began.elapsed().as_secs_f64() * 1e9 / packets.len() as f64
    };
    let mut rounds: Vec<f64> = (0..ROUNDS).map(&mut round).collect();
    rounds.sort_by(f64::total_cmp);
    rounds[ROUNDS / 2]
}

/// As much of a group's history as a load and then changes of one name need.
struct History {
    version: Option<Version>,
    parent: Id,
    digest: Digest,
    zone: Name,
    size: usize,
}

fn address(zone: &Name, owner: &str, last: usize) -> (Key, Content) {
    let [.., a, b, c] = last.to_be_bytes();
    let data = RecordData::from_wire(RecordType::A, &[10, a, b, c]).unwrap();
    set(zone, owner, RecordType::A, data)
}

fn set(zone: &Name, owner: &str, rtype: RecordType, data: RecordData) -> (Key, Content) {
    let owner = Name::parse_relative(owner, zone).unwrap();
    (Key::Records(SetKey::new(&owner, rtype)), Content::Records(RecordSet::new(owner, rtype, 300, vec![data]).unwrap()))
}

impl History {
    fn of_size(size: usize) -> Self {
        let zone = Name::parse(ZONE).unwrap();
        let mut history = Self { version: None, parent: Id::GENESIS, digest: Digest::EMPTY, zone, size };
        let digest =
            history.content().fold(Digest::EMPTY, |sum, (key, content)| sum.plus(key.digest(&history.zone, &content)));
        history.go_on(digest);
        history
    }

    fn content(&self) -> impl Iterator<Item = (Key, Content)> {
        let text = |rtype, text: &str| RecordData::parse(rtype, text, &self.zone).unwrap();
        let apex = [
            set(&self.zone, "@", RecordType::SOA, text(RecordType::SOA, "ns1 hostmaster 0 3600 600 86400 60")),
            set(&self.zone, "@", RecordType::NS, text(RecordType::NS, "ns1")),
            address(&self.zone, "ns1", 53),
        ];
        apex.into_iter().chain((0..self.size).map(|number| address(&self.zone, &format!("n{number:07}"), number)))
    }

    /// The next generation, after which everything adds up to `digest`.
    fn go_on(&mut self, digest: Digest) -> Head {
        let number = self.version.map_or(1, |version| version.generation.get() + 1);
        let generation = Generation::new(number).unwrap();
        let parent = self.version.map_or(Id::GENESIS, |version| version.id);
        let version = Version { generation, id: Id::of(&parent, generation, &digest) };
        (self.version, self.parent, self.digest) = (Some(version), parent, digest);
        self.head()
    }

    fn head(&self) -> Head {
        let (version, digest, parent) = (self.version.unwrap(), self.digest, self.parent);
        Head { group: GroupNumber(1), name: "bench".into(), version, digest, parent }
    }

    fn build(&self, directory: &Arc<Directory>) -> Build {
        let wanted =
            Wanted { head: self.head(), held: directory.group(GroupNumber(1)).cloned(), load: Load::Increment };
        let (zone, name, group) = (ZoneNumber(1), self.zone.clone(), GroupNumber(1));
        let touched = TouchedZone { zone, name, group, generation: self.version.unwrap().generation };
        Build::new(directory, vec![wanted], vec![touched])
    }

    fn row(&self, key: &Key, content: &Content) -> Row {
        let columns = key.to_columns(&self.zone);
        let (owner, rtype, covered) = (columns.owner, columns.rtype, columns.covered);
        Row { zone: 1, owner, rtype, covered, plan: 1, value: Some(content.to_value()) }
    }

    fn load(&self) -> Arc<Directory> {
        let directory = Arc::default();
        let mut build = self.build(&directory);
        self.content().for_each(|(key, content)| build.apply(self.row(&key, &content)));
        installed(&directory, build)
    }

    /// Changes one name, and says how long it took from the row to the swap.
    fn change(&mut self, directory: &ArcSwap<Directory>, size: usize, change: usize) -> Duration {
        // Each name once.
        let number = (change * 7919 + 13) % size;
        let owner = format!("n{number:07}");
        let (key, before) = address(&self.zone, &owner, number);
        let (_, after) = address(&self.zone, &owner, number + size);
        let digest = self.digest.plus(key.digest(&self.zone, &after)).minus(key.digest(&self.zone, &before));
        self.go_on(digest);
        let row = self.row(&key, &after);
        let held = directory.load_full();
        let began = Instant::now();
        let mut build = self.build(&held);
        build.apply(row);
        let last = directory.swap(installed(&held, build));
        let took = began.elapsed();
        // As in the server, where somebody else frees what nobody reads any more.
        drop(held);
        drop(last);
        took
    }
}

fn installed(directory: &Arc<Directory>, build: Build) -> Arc<Directory> {
    let (_, built) = build.finish().pop().unwrap();
    let built = built.unwrap();
    let mut next = Directory::clone(directory);
    next.install(built.number, built.group, built.changed);
    Arc::new(next)
}
