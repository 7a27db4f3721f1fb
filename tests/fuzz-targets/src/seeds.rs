//! What the fuzzer begins with: for each target, inputs that are as they should be, or nearly.

use crate::answer::{DIRECTORIES, TCP};
use crate::snapshot_file::RING;
use crate::support::random::Numbers;
use crate::support::random_zones::{Story, ZONES};
use crate::support::wire::{ASKS_FOR_GENERATION, Question, from_hex};
use crate::support::{History, changes_of, directory_of, install, name_of};
use server::disk::write;
use server::snapshot::{Directory, ZoneNumber};
use std::sync::Arc;
use zone_model::{Content, Key, RecordType, SetKey, Setting, SettingValue};

/// An input and what it is called.
pub type Seed = (String, Vec<u8>);

/// All inputs to begin with.
#[must_use]
pub fn of(target: &str) -> Vec<Seed> {
    match target {
        "answer" => packets(),
        "snapshot_file" => files(),
        "zone_text" => zones(),
        "record_wire" => records(),
        "plan_body" => plans(),
        _ => Vec::new(),
    }
}

fn packets() -> Vec<Seed> {
    let lines = [
        "z. SOA",
        "z. NS edns",
        "Ns.Z. A rd",
        "a.z. A do",
        "x.l.z. CNAME",
        "d.d.z. A tcp",
        "label-that-is-long.and-another.and-one-more.e.z. A",
        "any.w.z. A size=512",
        "4.z. A",
        "x.m.x.z. MX",
        "m.z. MX edns",
        "s.z. DS",
        "a.s.z. A",
        "x.f.z. A size=1232",
        "g.z. A",
        "_s.z. SRV cd",
        "r.z. RRSIG",
        "u.z. ANY",
        "nothing.z. TXT generation",
        "elsewhere. A",
        "z. AXFR tcp",
        "z. SOA class=3 version=1",
        "z. SOA opcode=4",
        "z. A options=000a00080102030405060708",
    ];
    let mut seeds: Vec<Seed> =
        (1..).zip(lines).map(|(number, line)| packet(&format!("written-{number}"), 1, line)).collect();
    seeds.push(packet("nothing-loaded", 0, "z. A edns"));
    for directory in 2..DIRECTORIES {
        let mut numbers = Numbers::new(u64::from(directory));
        let story = Story::begin(&mut Numbers::new(u64::from(directory) - 1), 1, ZONES[0], 60);
        for number in 0..3 {
            let question = story.question(&mut numbers);
            seeds.push(asked(&format!("random-{directory}-{number}"), directory, &question));
        }
    }
    seeds
}

fn packet(name: &str, directory: u8, line: &str) -> Seed {
    asked(name, directory, &Question::parse(line))
}

fn asked(name: &str, directory: u8, question: &Question) -> Seed {
    let mut input = vec![directory | if question.tcp { TCP } else { 0 }];
    input.extend(question.to_wire());
    (name.to_owned(), input)
}

fn files() -> Vec<Seed> {
    let text = "$TTL 300\n@ SOA ns1 h 40 3600 600 86400 60\n@ NS ns1\nns1 A 192.0.2.53\n";
    let long = "$TTL 300\n@ SOA ns1 h 40 3600 600 86400 60\n@ NS ns1\nns1 A 192.0.2.53\nWwW A 192.0.2.1\n\
                a.b.c TXT \"deep\"\n*.w A 192.0.2.9\nsub NS ns.sub\nns.sub A 192.0.2.8\nd DNAME z.\nr RRSIG A 8 2 300 20300101000000 20200101000000 1 z. AAAA\n";
    let mut all = History::new(7, &[(1, "z."), (2, "y.")]);
    let mut changes = changes_of(ZoneNumber(1), &name_of("z."), long);
    changes.extend(changes_of(ZoneNumber(2), &name_of("y."), text));
    let guarded = Key::Guarded(SetKey::new(&name_of("www.z."), RecordType::A));
    changes.push((ZoneNumber(1), guarded, Some(Content::Minimum(1))));
    let setting = (Key::Setting(Setting::References), Some(Content::Setting(SettingValue::Switch(true))));
    changes.push((ZoneNumber(-7), setting.0, setting.1));
    all.admit(changes);
    let everything = install(&Arc::default(), &all, 1, true).unwrap_or_else(|why| panic!("{why:?}"));
    let mut seeds = vec![
        ("small".to_owned(), file_of(&directory_of(&[("z.", text)]))),
        ("root".to_owned(), file_of(&directory_of(&[(".", text)]))),
        ("everything".to_owned(), file_of(&everything)),
    ];
    for seed in 1..4 {
        let story = Story::begin(&mut Numbers::new(seed), 1, ZONES[1], 16).history;
        let directory = install(&Arc::default(), &story, story.tip(), true).unwrap_or_else(|why| panic!("{why:?}"));
        seeds.push((format!("random-{seed}"), file_of(&directory)));
    }
    seeds
}

fn file_of(directory: &Directory) -> Vec<u8> {
    let mut file = Vec::new();
    for (number, group) in directory.groups() {
        write(&mut file, (RING, 3), (number, group), directory).unwrap_or_else(|why| panic!("{why}"));
    }
    file
}

/// The zone files that zone-model's tests read, and the traps that answers stumble over.
fn zones() -> Vec<Seed> {
    let written = [
        ("faults", include_str!("../../../zone-model/tests/golden/zone_files/faults.zone")),
        ("generate", include_str!("../../../zone-model/tests/golden/zone_files/generate.zone")),
        ("plain", include_str!("../../../zone-model/tests/golden/zone_files/plain.zone")),
        ("soa-in-the-middle", include_str!("../../../zone-model/tests/golden/zone_files/soa_in_the_middle.zone")),
        ("transfer", include_str!("../../../zone-model/tests/golden/zone_files/transfer.zone")),
        ("ttl", include_str!("../../../zone-model/tests/golden/zone_files/ttl.zone")),
        ("traps", crate::answer::TRAPS),
    ];
    let mut seeds: Vec<Seed> = written.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec())).into();
    seeds.push((
        "byte-order-mark".to_owned(),
        "\u{feff}$TTL 1h30m\r\n@ IN 5 A 192.0.2.1 ; grün\r\n".as_bytes().to_vec(),
    ));
    seeds.extend(
        golden_records()
            .enumerate()
            .filter(|(number, _)| number.is_multiple_of(8))
            .map(|(number, (text, _))| (format!("record-{number}"), format!("@ 300 {text}\n").into_bytes())),
    );
    seeds
}

/// Records as text, with their data.
fn golden_records() -> impl Iterator<Item = (&'static str, &'static str)> {
    let golden = include_str!("../../../zone-model/tests/golden/record_text.txt");
    golden.split("\n\n").filter_map(|case| {
        let mut lines = case.lines();
        Some((lines.next()?, lines.next()?.trim()))
    })
}

/// One record of each type, as octets and as text.
fn records() -> Vec<Seed> {
    let (mut seeds, mut seen) = (Vec::new(), std::collections::BTreeSet::new());
    for (line, hex) in golden_records() {
        let Some((rtype, text)) = line.split_once(' ') else { continue };
        let Ok(number) = rtype.parse::<RecordType>() else { continue };
        if !seen.insert(number) || !hex.bytes().all(|octet| octet.is_ascii_hexdigit()) {
            continue;
        }
        let typed = |data: &[u8]| [&number.0.to_be_bytes(), data].concat();
        seeds.push((format!("{rtype}-wire"), typed(&from_hex(hex))));
        seeds.push((format!("{rtype}-text"), typed(text.as_bytes())));
    }
    seeds.push(("generation".to_owned(), ASKS_FOR_GENERATION.to_vec()));
    seeds
}

fn plans() -> Vec<Seed> {
    let bodies = [
        r#"{"base":41,"base_id":"00000000000000000000000000000000000000000000000000000000000000ff","reason":"move","zones":{"z.":{"upsert":[{"name":"api","type":"A","ttl":60,"records":["192.0.2.1","192.0.2.2"]}],"delete":[{"name":"old","type":"A"},{"name":"older"}]}},"reads":[{"zone":"z.","name":"backup"}],"rebase":false,"acknowledge":[{"guard":"serial-range","reason":"taken over"}]}"#,
        r#"{"base":0,"zones":{"z.":{"replace":[{"name":"@","type":"SOA","ttl":60,"records":["ns h 7 1 1 1 1"]},{"name":"z.","type":"NS","ttl":60,"records":["ns.z."]}]},"y.":{"end":true}}}"#,
        r#"{"base":1,"zones":{"z.":{"guard":[{"name":"a","type":"A","minimum":2}],"unguard":[{"name":"b","type":"MX"}]}},"settings":{"references":true}}"#,
        r#"{"base":1,"base":2,"zones":{".":{"delete":[]},"Z.":{},"z.":{"upsert":[{"name":"a.z","type":"MX","ttl":-1,"records":[]}]}},"x":null}"#,
        r#"{"base":1e3,"zones":[],"reason":1,"reads":{},"rebase":"no","acknowledge":true,"base_id":"12"}"#,
        r#"{"base":1,"zones":{"\u007a.":{"upsert":[{"name":"\\000\ud83d\ude00","type":"TYPE65280","ttl":2147483647,"records":["\\# 3 010203"]}]}}}"#,
        r#"[{},[[]],1.5,-0,"\n",true,null]"#,
        "",
    ];
    (1..).zip(bodies).map(|(number, body)| (format!("written-{number}"), body.as_bytes().to_vec())).collect()
}
