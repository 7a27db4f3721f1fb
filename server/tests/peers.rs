//! The same zones and the same questions for other people's name servers. What they all agree on and we do not is our
//! mistake; where they are known to differ, it says so below. The oracle that judges everything else is judged here as well: its
//! replies are ours to the last octet.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod support;

use server::answer::Transport;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Read as _;
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use support::oracle::Zones;
use support::random::{Numbers, QUESTION_TYPES, question_name, zone};
use support::wire::{Question, sections, to_text};
use support::{directory_and_histories_of, directory_of, name_of};
use zone_model::RecordType;

struct Peer {
    name: &'static str,
    child: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Drop for Peer {
    fn drop(&mut self) {
        // NSD has children of its own, which a signal to their parent ends.
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
    }
}

fn program(name: &str) -> Option<PathBuf> {
    ["/usr/sbin", "/usr/local/sbin", "/usr/bin"]
        .iter()
        .map(|folder| Path::new(folder).join(name))
        .find(|path| path.is_file())
}

/// Its program, how its settings are written, and its arguments before their file.
type Known = (&'static str, fn(&Path, u16, &[(String, String)]) -> String, &'static [&'static str]);

/// Every peer that is installed, serving these zones.
fn peers(zones: &[(String, String)]) -> Vec<Peer> {
    let known: [Known; 2] = [("knotd", knot_settings, &["-c"]), ("nsd", nsd_settings, &["-d", "-c"])];
    let start = |(name, settings, arguments): &Known| {
        let program = program(name)?;
        let folder = tempfile::tempdir().unwrap();
        let port = support::free_port();
        for (number, (_, text)) in zones.iter().enumerate() {
            std::fs::write(folder.path().join(format!("zone-{number}")), text).unwrap();
        }
        let file = folder.path().join("settings");
        std::fs::write(&file, settings(folder.path(), port, zones)).unwrap();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let mut command = Command::new(program);
        command.args(*arguments).arg(file).stdout(Stdio::null()).stderr(log);
        let peer = Peer { name, child: command.spawn().unwrap(), port, _folder: folder };
        let end = Instant::now() + Duration::from_secs(60);
        while peer
            .ask(&Question::new(&name_of(&zones[0].0), RecordType::SOA).to_wire())
            .is_none_or(|reply| reply[3] & 15 != 0)
        {
            assert!(
                Instant::now() < end,
                "{name} does not answer: {:?}",
                std::fs::read_to_string(peer._folder.path().join("log"))
            );
            std::thread::sleep(Duration::from_millis(100));
        }
        Some(peer)
    };
    known.iter().filter_map(start).collect()
}

fn knot_settings(folder: &Path, port: u16, zones: &[(String, String)]) -> String {
    let folder = folder.display();
    let mut text = format!(
        "server:\n  listen: 127.0.0.1@{port}\n  rundir: {folder}\n  udp-workers: 1\n  tcp-workers: 1\n  background-workers: 1\n\
         database:\n  storage: {folder}\nlog:\n  - target: stderr\n    any: error\n\
         template:\n  - id: default\n    storage: {folder}\n    semantic-checks: off\n    zonefile-sync: -1\n    journal-content: none\nzone:\n"
    );
    for (number, (name, _)) in zones.iter().enumerate() {
        writeln!(text, "  - domain: {name}\n    file: zone-{number}").unwrap();
    }
    text
}

fn nsd_settings(folder: &Path, port: u16, zones: &[(String, String)]) -> String {
    let folder = folder.display();
    let mut text = format!(
        "server:\n  ip-address: 127.0.0.1@{port}\n  do-ip6: no\n  zonesdir: \"{folder}\"\n  database: \"\"\n  username: \"\"\n  \
         pidfile: \"{folder}/pid\"\n  xfrdfile: \"{folder}/xfrd\"\n  zonelistfile: \"{folder}/list\"\n  xfrdir: \"{folder}\"\n  \
         minimal-responses: yes\n  rrl-ratelimit: 0\n  server-count: 1\nremote-control:\n  control-enable: no\n"
    );
    for (number, (name, _)) in zones.iter().enumerate() {
        writeln!(text, "zone:\n  name: {name}\n  zonefile: zone-{number}").unwrap();
    }
    text
}

impl Peer {
    fn ask(&self, request: &[u8]) -> Option<Vec<u8>> {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
        socket.send_to(request, ("127.0.0.1", self.port)).ok()?;
        let mut reply = vec![0; 65_535];
        let length = socket.recv(&mut reply).ok()?;
        reply.truncate(length);
        Some(reply)
    }
}

/// What two right servers have to agree on: code, AA, and both sections as sets, spelling aside. A positive answer may
/// have NS in its authority section or not.
fn gist(reply: &[u8], is_any: bool) -> String {
    let mut sections = sections(reply).into_iter().map(|(_, mut lines)| {
        lines.iter_mut().for_each(|line| line.make_ascii_lowercase());
        lines.sort();
        lines.dedup();
        lines.join("\n  ")
    });
    let (answer, authority) = (sections.next().unwrap(), sections.next().unwrap());
    if is_any && !answer.is_empty() {
        // RFC 8482 leaves it to each server which of the sets it shows.
        return format!("rcode {} aa {} something", reply[3] & 15, reply[2] >> 2 & 1);
    }
    format!("rcode {} aa {}\n  {answer}\n--\n  {authority}", reply[3] & 15, reply[2] >> 2 & 1)
}

/// Compares, and says which questions are answered in another way than by every peer.
fn compare(zones: &[(String, String)], questions: &[Question]) {
    let borrowed: Vec<_> = zones.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let (directory, histories) = directory_and_histories_of(&borrowed);
    let oracle = Zones::of(&histories.iter().collect::<Vec<_>>(), &directory);
    let peers = peers(zones);
    if peers.is_empty() {
        println!("skipped: no peer name server installed (knot, nsd)");
        return;
    }
    let mut agreed: BTreeMap<String, usize> = BTreeMap::new();
    let mut differences = String::new();
    for question in questions {
        let request = question.to_wire();
        let ours = support::reply(&directory, &request, Transport::Udp).unwrap();
        assert!(oracle.answer(question) == ours, "{} {}: not as the oracle says", question.name, question.rtype);
        let gist = |reply: &[u8]| gist(reply, question.rtype == RecordType::ANY);
        let gist_of_ours = gist(&ours);
        let theirs: Vec<_> = peers.iter().filter_map(|peer| Some((peer.name, peer.ask(&request)?))).collect();
        // A peer that did not take the zone has nothing to say.
        let theirs: Vec<_> = theirs.into_iter().filter(|(_, reply)| !matches!(reply[3] & 15, 2 | 5)).collect();
        if theirs.is_empty() || theirs.iter().any(|(_, reply)| gist(reply) == gist_of_ours) {
            let with = theirs.iter().filter(|(_, reply)| gist(reply) == gist_of_ours).map(|(name, _)| *name);
            if std::env::var_os("SHOW").is_some() && !theirs.is_empty() {
                for (name, reply) in theirs.iter().filter(|(_, reply)| gist(reply) != gist_of_ours) {
                    let text = zones
                        .iter()
                        .filter(|(zone, _)| question.name.is_within(&name_of(zone)))
                        .map(|(_, text)| text.as_str());
                    println!(
                        "#### {} {}\n{}ours:   {}{name}: {}",
                        question.name,
                        question.rtype,
                        text.collect::<String>(),
                        to_text(&ours),
                        to_text(reply)
                    );
                }
            }
            *agreed.entry(with.collect::<Vec<_>>().join("+")).or_default() += 1;
            continue;
        }
        let text =
            zones.iter().filter(|(zone, _)| question.name.is_within(&name_of(zone))).map(|(_, text)| text.as_str());
        writeln!(
            differences,
            "==== {} {}\n{}ours:   {}",
            question.name,
            question.rtype,
            text.collect::<String>(),
            to_text(&ours)
        )
        .unwrap();
        theirs.iter().for_each(|(name, reply)| writeln!(differences, "{name}: {}", to_text(reply)).unwrap());
    }
    println!("{} questions, agreeing with {agreed:?}", questions.len());
    let count = differences.matches("==== ").count();
    assert!(count == 0, "{count} differences\n{differences}");
}

#[test]
fn random_zones_are_answered_as_by_knot_or_nsd() {
    let seed = std::env::var("HOLDFAST_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    println!("HOLDFAST_SEED={seed}");
    let mut numbers = Numbers::new(seed);
    let zones: Vec<_> =
        (0..60).map(|number| format!("z{number}.")).map(|name| (name.clone(), zone(&mut numbers, &name))).collect();
    let mut zones = zones;
    // One without traps, to ask whether a peer is there.
    zones.insert(
        0,
        (
            "plain.".to_owned(),
            "$TTL 300\nplain. SOA ns.plain. h.plain. 1 2 3 4 5\nplain. NS ns.plain.\nns.plain. A 192.0.2.1\n"
                .to_owned(),
        ),
    );
    let mut questions = Vec::new();
    for (name, _) in &zones {
        for _ in 0..120 {
            let rtype = *numbers.one_of(&QUESTION_TYPES);
            questions.push(Question { size: Some(1232), ..Question::new(&question_name(&mut numbers, name), rtype) });
        }
    }
    compare(&zones, &questions);
}

/// Every trap by name, and around each what a server would answer that had fallen into it.
const TRAPS: &str = "\
$TTL 300
@ SOA ns1 hostmaster 1 3600 900 604800 60
@ NS ns1
@ NS ns.sub
@ MX 10 mail
ns1 A 192.0.2.1
mail A 192.0.2.2
mail AAAA 2001:db8::2
; An empty non-terminal, with a wildcard above it that does not reach below it.
*.wild A 192.0.2.3
*.wild TXT \"wild\"
deep.there.wild A 192.0.2.4
; A wildcard that is an empty non-terminal, and one that is an alias.
x.*.empty A 192.0.2.5
*.alias CNAME mail
*.chain CNAME y.alias
; An asterisk within a name, and as a label that is not the first.
a*b A 192.0.2.6
sub.*.wild A 192.0.2.7
; Cuts: with glue, with glue below another cut, with a DS, without any address, and what is hidden behind one.
sub NS ns.sub
sub NS ns.other
sub DS 1 8 2 0000000000000000000000000000000000000000000000000000000000000000
ns.sub A 192.0.2.8
hidden.sub TXT \"hidden\"
other NS ns.other
ns.other A 192.0.2.9
bare NS ns.far.away.
*.cut NS ns1
; A name that leads all below it elsewhere, and aliases that lead there, nowhere, out, into a cut and round.
under DNAME target
a.target A 192.0.2.11
to CNAME a.under
dangling CNAME nothing.target
outside CNAME far.away.
into CNAME www.sub
loop1 CNAME loop2
loop2 CNAME loop1
; Names inside of data that may not be compressed, and one set with a signature for each type.
srv SRV 0 0 80 mail
mail RRSIG A 8 2 300 20300101000000 20200101000000 1 z00traps. AAAA
mail RRSIG AAAA 8 2 300 20300101000000 20200101000000 1 z00traps. AAAA
; A type that nobody knows.
odd TYPE65280 \\# 3 010203
";

#[test]
fn a_zone_of_traps_is_answered_as_by_knot_or_nsd() {
    let zone = "z00traps.";
    let zones = [(zone.to_owned(), TRAPS.replacen('@', &format!("$ORIGIN {zone}\n@"), 1))];
    let directory = directory_of(&[(zone, &zones[0].1)]);
    let mut names = support::names_in(&directory);
    for name in names.clone() {
        // Beside, below and two below everything that is there; and what an asterisk stands for, spelled as one.
        names.extend([&b"x"[..], b"*", b"www", b"a"].iter().filter_map(|label| name.child(label).ok()));
        names.extend(name.child(b"there").and_then(|below| below.child(b"deep")).ok());
        names.extend(name.parent().and_then(|above| above.child(b"beside").ok()));
    }
    let types = QUESTION_TYPES.iter().copied().collect::<BTreeSet<_>>();
    let questions: Vec<_> = names
        .iter()
        .filter(|name| name.is_within(&name_of(zone)))
        .flat_map(|name| types.iter().map(|rtype| Question { size: Some(1232), ..Question::new(name, *rtype) }))
        .collect();
    compare(&zones, &questions);
}

#[test]
fn the_root_zone_is_answered_as_by_knot_or_nsd() {
    let Some(folder) = std::env::var_os("HOLDFAST_ZONES").filter(|folder| !folder.is_empty()) else {
        eprintln!("skipped: HOLDFAST_ZONES names no folder with root-NN.zone.gz");
        return;
    };
    let packed = std::fs::File::open(Path::new(&folder).join("root-01.zone.gz")).unwrap();
    let mut text = String::new();
    flate2::read::GzDecoder::new(packed).read_to_string(&mut text).unwrap();
    // As transferred, it ends with the SOA that it began with, which NSD does not take.
    text.truncate(text.trim_end().rfind('\n').unwrap() + 1);
    let zones = [(".".to_owned(), text)];
    let directory = directory_of(&[(".", &zones[0].1)]);
    let mut questions = Vec::new();
    let types = [RecordType::A, RecordType::NS, RecordType::DS, RecordType::AAAA, RecordType::SOA];
    for (place, name) in support::names_in(&directory).into_iter().enumerate() {
        let rtype = types[place % types.len()];
        questions.push(Question { size: Some(1232), ..Question::new(&name, rtype) });
        let below = name.child(b"www").unwrap();
        questions.push(Question { size: Some(1232), ..Question::new(&below, types[(place / 5) % types.len()]) });
        let beside = name_of(&format!("no-such-{place}."));
        questions.push(Question { size: Some(1232), ..Question::new(&beside, rtype) });
    }
    compare(&zones, &questions);
}
