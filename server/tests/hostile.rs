//! Packets as only somebody sends them who means harm, or whose program is broken: family by family, with what is said to them.
//! Single ones, with whole answers, stand in `answers/requests_that_are_none.txt`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod support;

use server::answer::Transport;
use server::snapshot::Directory;
use std::io::Write as _;
use std::net::TcpStream;
use std::sync::Arc;
use support::program::Program;
use support::wire::Question;
use support::{directory_of, name_of, reply};
use zone_model::RecordType;

const ZONE: &str = "$TTL 300\n@ SOA ns h 1 3600 600 86400 60\n@ NS ns\nns A 192.0.2.53\n";
/// An OPT record that says nothing.
const OPT: [u8; 11] = [0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0];

const SILENCE: &str = "silence";
const NOERROR: &str = "NOERROR";
const FORMERR: &str = "FORMERR";
const NXDOMAIN: &str = "NXDOMAIN";
const NOTIMP: &str = "NOTIMP";
const REFUSED: &str = "REFUSED";

/// What is sent, what is said to it, and the packets.
type Family = (&'static str, &'static str, Vec<Vec<u8>>);

fn directory() -> Arc<Directory> {
    directory_of(&[("z.", ZONE)])
}

/// The code of what is said.
fn said(directory: &Directory, packet: &[u8], transport: Transport) -> &'static str {
    let Some(reply) = reply(directory, packet, transport) else { return SILENCE };
    assert_eq!(reply[..2], packet[..2], "{packet:02x?}");
    assert_eq!(reply[2] & 0x78, packet[2] & 0x78, "another opcode to {packet:02x?}");
    [NOERROR, FORMERR, "SERVFAIL", NXDOMAIN, NOTIMP, REFUSED][usize::from(reply[3] & 15)]
}

/// `ns.z. A` with these counts, and this behind the question.
fn with(counts: [u16; 4], behind: &[u8]) -> Vec<u8> {
    asking(name_of("ns.z.").as_wire(), counts, behind)
}

/// The same for this name, whatever it is.
fn asking(name: &[u8], counts: [u16; 4], behind: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x12, 0x34, 0, 0];
    packet.extend(counts.iter().flat_map(|count| count.to_be_bytes()));
    packet.extend_from_slice(name);
    packet.extend_from_slice(&[0, 1, 0, 1]);
    packet.extend_from_slice(behind);
    packet
}

/// A record of type A without an address, behind the question of [`with`], with this owner.
fn record(owner: &[u8]) -> Vec<u8> {
    [owner, &[0, 1, 0, 1, 0, 0, 0, 0, 0, 0]].concat()
}

/// Where a record behind the question of [`with`] begins.
const BEHIND: usize = 12 + 6 + 4;

fn pointer(to: usize) -> [u8; 2] {
    (0xc000 | u16::try_from(to).unwrap()).to_be_bytes()
}

/// A name of so many octets below `z.`, in labels of at most 63.
fn name_of_length(octets: usize) -> Vec<u8> {
    let mut wire = Vec::new();
    let mut left = octets - 3;
    while left > 0 {
        let label = (left - 1).min(63);
        // No octet may be left alone: a label of one octet has none to say.
        let label = if left - 1 - label == 1 { label - 1 } else { label };
        wire.push(label as u8);
        wire.resize(wire.len() + label, b'a');
        left -= 1 + label;
    }
    wire.extend_from_slice(b"\x01z\0");
    assert_eq!(wire.len(), octets);
    wire
}

/// A TXT record of so many octets of data that each point at what is before them, and at the question's name at last; then so
/// many records whose names begin at the end of it.
fn pointers_to_pointers(pointers: usize, records: usize) -> Vec<u8> {
    let data_at = BEHIND + 1 + 10;
    let mut behind = vec![0, 0, 16, 0, 1, 0, 0, 0, 0];
    behind.extend_from_slice(&u16::try_from(2 * pointers).unwrap().to_be_bytes());
    for number in 0..pointers {
        behind.extend_from_slice(&pointer(if number == 0 { 12 } else { data_at + 2 * (number - 1) }));
    }
    let owner = pointer(data_at + 2 * (pointers - 1));
    (0..records).for_each(|_| behind.extend(record(&owner)));
    with([1, 0, 0, u16::try_from(1 + records).unwrap()], &behind)
}

fn families() -> Vec<Family> {
    let plain = with([1, 0, 0, 0], &[]);
    let with_option = with([1, 0, 0, 1], &[&OPT[..10], &[5, 0xfd, 0xe9, 0, 1, 7]].concat());
    let other_octets = |from: u8, upto: u8| from..=upto;
    let opt_of = |owner: &[u8]| [owner, &OPT[1..]].concat();
    let changed = |at: usize, value: u8| {
        let mut packet = plain.clone();
        packet[at] = value;
        packet
    };
    vec![
        (
            "nothing at all, and up to a header that is cut",
            SILENCE,
            (0..12).map(|end| with_option[..end].to_vec()).collect(),
        ),
        (
            "cut anywhere behind the header",
            FORMERR,
            (12..with_option.len()).map(|end| with_option[..end].to_vec()).collect(),
        ),
        ("the same, whole", NOERROR, vec![plain.clone(), with_option.clone()]),
        ("octets left over", FORMERR, (1..40).map(|more| with([1, 0, 0, 0], &vec![0; more])).collect()),
        (
            "a question that is a pointer: to the header, to itself, forward",
            FORMERR,
            (0..64).map(|to| asking(&pointer(to), [1, 0, 0, 0], &[])).collect(),
        ),
        (
            "a question that ends in a pointer",
            FORMERR,
            (0..64).map(|to| asking(&[&b"\x02ns"[..], &pointer(to)].concat(), [1, 0, 0, 0], &[])).collect(),
        ),
        (
            "a record whose name points into the header, at itself, or forward",
            FORMERR,
            (0..12).chain(BEHIND..BEHIND + 40).map(|to| with([1, 0, 0, 1], &record(&pointer(to)))).collect(),
        ),
        (
            "two names that point at each other",
            FORMERR,
            vec![with([1, 0, 0, 2], &[record(&pointer(BEHIND + 12)), record(&pointer(BEHIND))].concat())],
        ),
        (
            "a name that goes on in itself",
            FORMERR,
            vec![with([1, 0, 0, 1], &record(&[&b"\x01a"[..], &pointer(BEHIND)].concat()))],
        ),
        (
            "a record whose name points at the question's",
            NOERROR,
            vec![with([1, 0, 0, 1], &record(&pointer(12))), with([1, 0, 0, 1], &record(&pointer(15)))],
        ),
        ("as many pointers to pointers as a name may have labels", NOERROR, vec![pointers_to_pointers(100, 4)]),
        (
            "more of them",
            FORMERR,
            vec![pointers_to_pointers(128, 1), pointers_to_pointers(8_000, 2), pointers_to_pointers(8_000, 4_000)],
        ),
        (
            "any number of questions but one",
            FORMERR,
            [0, 2, 3, 255, 256, u16::MAX].map(|count| with([count, 0, 0, 0], &[])).into(),
        ),
        ("answers that are promised", FORMERR, [1, 2, 255, u16::MAX].map(|count| with([1, count, 0, 0], &[])).into()),
        (
            "authorities that are promised",
            FORMERR,
            [1, 2, 255, u16::MAX].map(|count| with([1, 0, count, 0], &[])).into(),
        ),
        (
            "additional records that are promised",
            FORMERR,
            [1, 2, 255, u16::MAX].map(|count| with([1, 0, 0, count], &[])).into(),
        ),
        ("everything that is promised", FORMERR, vec![with([u16::MAX; 4], &OPT)]),
        (
            "responses, of whatever opcode and code",
            SILENCE,
            other_octets(0x80, 0xff).map(|flags| changed(2, flags)).collect(),
        ),
        ("opcodes that are none of a query's", NOTIMP, (1..16).map(|opcode| changed(2, opcode << 3)).collect()),
        (
            "the same, and malformed",
            NOTIMP,
            (1..16)
                .map(|opcode| [&[1, 2, opcode << 3, 0, 255, 255, 0, 0, 0, 0, 0, 0][..], &[0xc0; 9]].concat())
                .collect(),
        ),
        (
            "flags that a query has no use for",
            NOERROR,
            (0..=255).map(|flags| changed(3, flags)).chain((0..8).map(|flags| changed(2, flags))).collect(),
        ),
        (
            "classes but IN and ANY",
            REFUSED,
            (0..=u16::MAX)
                .filter(|class| ![1, 255].contains(class))
                .map(|class| [&plain[..plain.len() - 2], &class.to_be_bytes()].concat())
                .collect(),
        ),
        (
            "two OPT records, or many",
            FORMERR,
            [2, 3, 100].map(|count| with([1, 0, 0, count], &OPT.repeat(usize::from(count)))).into(),
        ),
        (
            "an OPT record that is not the root's",
            FORMERR,
            [&b"\x01z\0"[..], &pointer(12), &pointer(17)[..]].map(|owner| with([1, 0, 0, 1], &opt_of(owner))).into(),
        ),
        (
            "an OPT record among the answers, or the authorities",
            FORMERR,
            vec![with([1, 1, 0, 0], &OPT), with([1, 0, 1, 0], &OPT)],
        ),
        (
            "options that are longer than their record, or cut",
            FORMERR,
            (1..4)
                .map(|length| with([1, 0, 0, 1], &[&OPT[..10], &[length][..], &vec![0; usize::from(length)]].concat()))
                .chain([with([1, 0, 0, 1], &[&OPT[..10], &[4, 0, 9, 0, 1]].concat())])
                .collect(),
        ),
        (
            "labels of 64 to 191 octets, which are types of old",
            FORMERR,
            other_octets(64, 191)
                .map(|length| {
                    asking(&[&[length][..], &vec![b'a'; usize::from(length)], &[0]].concat(), [1, 0, 0, 0], &[])
                })
                .collect(),
        ),
        (
            "names of 256 octets, and more",
            FORMERR,
            [256, 257, 300, 1_000, 4_000].map(|length| asking(&name_of_length(length), [1, 0, 0, 0], &[])).into(),
        ),
        (
            "names of 254 and 255 octets",
            NXDOMAIN,
            [254, 255].map(|length| asking(&name_of_length(length), [1, 0, 0, 0], &[])).into(),
        ),
        (
            "a name of 127 labels",
            NXDOMAIN,
            vec![asking(&[&b"\x01a".repeat(126)[..], b"\x01z\0"].concat(), [1, 0, 0, 0], &[])],
        ),
        (
            "a name of 128 labels",
            FORMERR,
            vec![asking(&[&b"\x01a".repeat(127)[..], b"\x01z\0"].concat(), [1, 0, 0, 0], &[])],
        ),
    ]
}

#[test]
fn every_family_of_hostile_packets_gets_what_it_deserves() {
    let directory = directory();
    for (what, expected, packets) in families() {
        assert!(!packets.is_empty());
        for packet in packets {
            for transport in [Transport::Udp, Transport::Tcp] {
                assert_eq!(said(&directory, &packet, transport), expected, "{what}: {packet:02x?}");
            }
        }
    }
}

/// As long as a message over TCP can be.
fn longest() -> [(&'static str, Vec<u8>); 5] {
    let filled = |mut packet: Vec<u8>, octet| {
        packet.resize(usize::from(u16::MAX), octet);
        packet
    };
    let room = usize::from(u16::MAX) - BEHIND;
    let txt = [&[0, 0, 16, 0, 1, 0, 0, 0, 0][..], &u16::try_from(room - 11).unwrap().to_be_bytes()].concat();
    let records = room / 12;
    let many: Vec<u8> = record(&pointer(12)).repeat(records);
    [
        (FORMERR, filled(with([1, 0, 0, 0], &[]), 0)),
        (FORMERR, filled(with([1, 0, 0, 1], &OPT), 0xff)),
        (FORMERR, filled(asking(&[], [1, 0, 0, 0], &[]), 0x3f)),
        (NOERROR, filled(with([1, 0, 0, 1], &txt), 7)),
        (NOERROR, with([1, 0, 0, u16::try_from(records).unwrap()], &many)),
    ]
}

#[test]
fn messages_as_long_as_they_can_be_get_what_they_deserve() {
    let directory = directory();
    for (expected, packet) in longest() {
        assert_eq!(said(&directory, &packet, Transport::Tcp), expected, "{:02x?}", &packet[..60]);
    }
}

/// The same over a real connection, to a server that has no data yet, so that what is no fault is SERVFAIL.
#[test]
fn long_messages_over_tcp_are_answered_and_the_connection_goes_on() {
    let program = Program::start("postgres://nobody@127.0.0.1:1/none", "one");
    let question = Question::new(&name_of("ns.z."), RecordType::A).to_wire();
    for (expected, packet) in longest() {
        let replies = program.ask_tcp(&[packet, question.clone()]);
        let codes = [&replies[0], &replies[1]].map(|reply| reply[3] & 15);
        assert_eq!(codes, [if expected == FORMERR { 1 } else { 2 }, 2]);
    }
    // Messages of no octets, many; and a length without its message.
    let mut stream = TcpStream::connect(program.dns[0]).unwrap();
    stream.write_all(&[0; 2_000]).unwrap();
    TcpStream::connect(program.dns[0]).unwrap().write_all(&[0xff, 0xff, 1, 2, 3]).unwrap();
    assert_eq!(program.ask_tcp(std::slice::from_ref(&question))[0][3] & 15, 2);
}
