//! A packet, and a server that has to do something with it.
//!
//! The first octet says which directory is asked, and over which transport; the rest is the packet.

use crate::support::oracle::Zones;
use crate::support::random::Numbers;
use crate::support::random_zones::{Story, ZONES};
use crate::support::wire::{Question, sections};
use crate::support::{History, changes_of, install, name_of, reply};
use domain::base::Message;
use server::answer::{EDNS_PAYLOAD_SIZE, Transport};
use server::snapshot::{Directory, ZoneNumber};
use std::sync::{Arc, LazyLock};
use zone_model::{Name, RecordType};

/// Over TCP, where it is set in the first octet.
pub(crate) const TCP: u8 = 0x80;
/// How many directories there are: none loaded yet, one written by hand, and random ones.
pub(crate) const DIRECTORIES: u8 = 8;
/// What UDP carries to a client that says nothing about itself (RFC 1035 §4.2.1).
const PLAIN_UDP_SIZE: usize = 512;

/// Everything that an answer can stumble over, in labels so short that they are met by chance.
pub(crate) const TRAPS: &str = "$TTL 300\n@ SOA ns h 1 3600 600 86400 60\n@ NS ns\n@ NS n.w\nns A 192.0.2.53\nns AAAA 2001:db8::53\n\
    a CNAME b\nb CNAME c\nc CNAME a\nl CNAME d.d\nd DNAME z.\ne DNAME a.very.long.name.that.is.there.to.make.names.too.long.z.\n\
    * TXT \"w\"\n*.w A 192.0.2.1\nn.w A 192.0.2.2\n*.x CNAME m\nm MX 0 ns\nm MX 1 n.w\nm MX 2 far.away.\n\
    s NS ns.s\ns NS ns\ns NS n.w\nns.s A 192.0.2.3\ns DS 1 8 2 0000000000000000000000000000000000000000000000000000000000000000\n\
    1.2.3.4 A 192.0.2.4\n_s SRV 0 0 1 ns\n_s SRV 0 0 2 .\nh HTTPS 0 ns\nr RRSIG A 8 2 300 20300101000000 20200101000000 1 z. AAAA\n\
    r RRSIG MX 8 2 300 20300101000000 20200101000000 1 z. AAAA\nr A 192.0.2.5\nu TYPE65280 \\# 3 010203\n\\000 A 192.0.2.6\n";

struct Asked {
    directory: Arc<Directory>,
    oracle: Zones,
}

impl Asked {
    fn of(histories: &[History]) -> Self {
        let mut directory = Arc::default();
        for history in histories {
            directory = install(&directory, history, history.tip(), true).unwrap_or_else(|why| panic!("{why:?}"));
        }
        let oracle = Zones::of(&histories.iter().collect::<Vec<_>>(), &directory);
        Self { directory, oracle }
    }

    /// Two zones, the one below a cut of the other.
    fn written() -> Self {
        // Sets that fit into no datagram, and a referral that does only without its addresses.
        let large: String = (0..30)
            .map(|host| format!("g A 198.51.100.{host}\nf NS n{host}.f\nn{host}.f AAAA 2001:db8::{host:x}\n"))
            .collect();
        let child = "$TTL 9\n@ SOA ns h 1 1 1 1 1\n@ NS ns\nns A 192.0.2.9\na A 192.0.2.10\n";
        let mut history = History::new(1, &[(1, "z."), (2, "s.z.")]);
        let mut changes = changes_of(ZoneNumber(1), &name_of("z."), &format!("{TRAPS}{large}"));
        changes.extend(changes_of(ZoneNumber(2), &name_of("s.z."), child));
        history.admit(changes);
        Self::of(&[history])
    }

    /// Several zones of many kinds of names.
    fn random(seed: u64) -> Self {
        let mut numbers = Numbers::new(seed);
        let stories = (1..).zip(ZONES).map(|(number, zone)| Story::begin(&mut numbers, number, zone, 60).history);
        Self::of(&stories.collect::<Vec<_>>())
    }
}

static ASKED: LazyLock<Vec<Asked>> = LazyLock::new(|| {
    let nothing = Asked { directory: Arc::default(), oracle: Zones::default() };
    let random = (1..u64::from(DIRECTORIES) - 1).map(Asked::random);
    [nothing, Asked::written()].into_iter().chain(random).collect()
});

/// Answers a packet, and looks at the answer from all sides.
///
/// # Panics
/// The answer is not as it must be.
pub fn check(input: &[u8]) {
    let Some((&head, packet)) = input.split_first() else { return };
    // Longer ones come over no transport.
    if packet.len() > usize::from(u16::MAX) {
        return;
    }
    let transport = if head & TCP == 0 { Transport::Udp } else { Transport::Tcp };
    let asked = &ASKED[usize::from(head % DIRECTORIES)];
    // By both doors, which say the same.
    let reply = |packet: &[u8]| reply(&asked.directory, packet, transport);
    let is_silent = packet.len() < 12 || packet[2] & 0x80 != 0;
    let Some(said) = reply(packet) else {
        assert!(is_silent, "no reply to a request");
        return;
    };
    assert!(!is_silent, "a reply to what may have none");
    assert!(reply(&said).is_none(), "a reply to a reply");
    check_form(packet, &said, transport);
    if head % DIRECTORIES > 0
        && let Some(question) = plain_question(packet, transport == Transport::Tcp)
    {
        let expected = asked.oracle.answer(&question);
        // The oracle does not know of ids.
        assert!(said[2..] == expected[2..], "{question:?}\nis answered {said:02x?}\nand not     {expected:02x?}");
    }
}

/// A message that belongs to the request, no longer than it may be, and every record of it can be read.
fn check_form(packet: &[u8], said: &[u8], transport: Transport) {
    assert_eq!(said[..2], packet[..2], "another id");
    assert_eq!(said[2] & 0xf9, packet[2] & 0x79 | 0x80, "QR, opcode and RD");
    assert_eq!(said[3] & 0xf0, packet[3] & 0x10, "RA and AD are clear, and CD is copied");
    let message = Message::from_octets(said).unwrap_or_else(|why| panic!("{why}"));
    if transport == Transport::Udp {
        let most = if message.opt().is_some() { usize::from(EDNS_PAYLOAD_SIZE) } else { PLAIN_UDP_SIZE };
        assert!(said.len() <= most, "{} octets over UDP", said.len());
    }
    let counts = message.header_counts();
    let read: usize = sections(said).iter().map(|(_, records)| records.len()).sum();
    let promised = counts.ancount() + counts.nscount() + counts.arcount();
    assert_eq!(read + usize::from(message.opt().is_some()), usize::from(promised), "records that are promised");
}

/// The question, if it is one that the oracle knows the answer of: of class IN, for data, with no options.
fn plain_question(packet: &[u8], tcp: bool) -> Option<Question> {
    let (name, rest) = Name::split_wire(packet.get(12..)?).ok()?;
    let (&[t1, t2, _, _], rest) = rest.split_first_chunk::<4>()?;
    let rtype = RecordType(u16::from_be_bytes([t1, t2]));
    if !rtype.is_data() && rtype != RecordType::ANY {
        return None;
    }
    let size = match rest {
        [] => None,
        [0, 0, 41, s1, s2, _, 0, ..] => Some(u16::from_be_bytes([*s1, *s2])),
        _ => return None,
    };
    let dnssec_ok = rest.get(7).is_some_and(|flags| flags & 0x80 != 0);
    let (rd, cd) = (packet[2] & 1 != 0, packet[3] & 0x10 != 0);
    let question = Question { rd, cd, tcp, size, dnssec_ok, ..Question::new(&name, rtype) };
    // Of a query, the flags that are not copied change nothing; and nothing else may be in there.
    (packet[2] & 0x78 == 0 && question.to_wire()[4..] == packet[4..]).then_some(question)
}
