//! Zone files read and written. The cases are zone files in `golden/zone_files/`, each with what it is read as.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod golden;

use flate2::read::GzDecoder;
use proptest::prelude::*;
use std::fmt::Write;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::time::Instant;
use zone_model::zone_file::{Limits, Reader, ZoneFileFault, ZoneFileRecord, read, write};
use zone_model::{Name, RecordData, RecordType};

fn origin() -> Name {
    Name::parse("zone.example.").unwrap()
}

fn read_with(text: impl BufRead, limits: Limits) -> (Vec<ZoneFileRecord>, Vec<ZoneFileFault>) {
    let mut records = Vec::new();
    let faults = read(text, &origin(), limits, &mut |record| records.push(record)).err().unwrap_or_default();
    (records, faults)
}

fn read_all(text: &[u8]) -> (Vec<ZoneFileRecord>, Vec<ZoneFileFault>) {
    read_with(text, Limits::default())
}

fn messages(faults: &[ZoneFileFault]) -> Vec<String> {
    faults.iter().map(ToString::to_string).collect()
}

/// All but the lines, which a file written anew has others of.
fn content(records: &[ZoneFileRecord]) -> Vec<(&[u8], u32, RecordType, &RecordData)> {
    records.iter().map(|record| (record.owner.as_wire(), record.ttl, record.rtype, &record.data)).collect()
}

fn written(origin: &Name, records: &[ZoneFileRecord]) -> String {
    let mut text = String::new();
    let records = records.iter().map(|record| (&record.owner, record.ttl, record.rtype, &record.data));
    write(&mut text, origin, records).unwrap();
    text
}

#[test]
fn zone_files_are_read_as_expected() {
    let mut names: Vec<_> = std::fs::read_dir(golden::path("zone_files"))
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().to_str()?.strip_suffix(".zone").map(str::to_owned))
        .collect();
    names.sort();
    assert!(names.len() >= 7, "{names:?}");
    for name in names {
        let (records, faults) = read_all(golden::read(&format!("zone_files/{name}.zone")).as_bytes());
        let mut actual = String::new();
        for ZoneFileRecord { line, owner, ttl, rtype, data } in records {
            writeln!(actual, "line {line}: {owner} {ttl} {rtype} {}", data.to_text(rtype)).unwrap();
        }
        for fault in faults {
            writeln!(actual, "{fault}").unwrap();
        }
        golden::check(&format!("zone_files/{name}.txt"), &actual);
    }
}

#[test]
fn a_file_written_is_read_the_same() {
    let (records, faults) = read_all(golden::read("zone_files/plain.zone").as_bytes());
    assert_eq!(messages(&faults), [""; 0]);
    for origin in ["ISI.EDU.", "isi.edu.", "edu.", ".", "example."] {
        let text = written(&Name::parse(origin).unwrap(), &records);
        let (again, faults) = read_all(text.as_bytes());
        assert_eq!(messages(&faults), [""; 0]);
        assert_eq!(content(&again), content(&records), "below {origin}");
    }
    golden::check("zone_files_written.txt", &written(&Name::parse("ISI.EDU.").unwrap(), &records));
}

#[test]
fn pieces_of_any_size_are_read_the_same() {
    let text = golden::read("zone_files/faults.zone") + &golden::read("zone_files/plain.zone");
    let whole = read_all(text.as_bytes());
    for size in [1, 2, 3, 7, 64, 1_000] {
        let (mut records, mut reader) = (Vec::new(), Reader::new(&origin(), Limits::default()));
        for chunk in text.as_bytes().chunks(size) {
            reader.push(chunk, &mut |record| records.push(record));
        }
        let faults = reader.finish(&mut |record| records.push(record)).unwrap_err();
        assert_eq!((records, faults), whole, "in pieces of {size}");
    }
    assert_eq!(read_with(BufReader::with_capacity(5, text.as_bytes()), Limits::default()), whole);
}

#[test]
fn ends_of_lines_and_of_files_do_not_matter() {
    let text = "\u{feff}$TTL 300\n@ A 192.0.2.1\n\n@ TXT ( a\n b )";
    let (records, faults) = read_all(text.as_bytes());
    assert_eq!((records.len(), messages(&faults)), (2, vec![]));
    assert_eq!(read_all(text.replace('\n', "\r\n").as_bytes()), (records.clone(), faults.clone()));
    assert_eq!(read_all(format!("{text}\n").as_bytes()), (records, faults));
    assert_eq!(read_all(b""), (vec![], vec![]));
}

#[test]
fn octets_that_are_no_text_are_faults_but_not_in_comments() {
    let (records, faults) =
        read_all(b"$TTL 300\n; gr\xfcn\na A 192.0.2.1 ; gr\xfcn\n b\xfc A 192.0.2.1\n@ TXT \"\xff\"\n@ TXT a\0b");
    assert_eq!(records.len(), 1);
    assert_eq!(
        messages(&faults),
        [
            "line 4, column 2: not UTF-8; other octets are written as `\\DDD`, in decimal",
            "line 5, column 7: not UTF-8; other octets are written as `\\DDD`, in decimal",
            "line 6, column 7: a control character; it is written as `\\DDD`, in decimal",
        ]
    );
}

#[test]
fn after_a_hundred_faults_reading_ends() {
    let text = "@ 300 A x\n".repeat(1_000) + "@ 300 A 192.0.2.1\n";
    let (records, faults) = read_all(text.as_bytes());
    assert_eq!((records.len(), faults.len()), (0, 101));
    assert_eq!(faults[100].to_string(), "line 101, column 9: and more: only the first 100 faults are told");
}

#[test]
fn limits_hold() {
    let records = Limits { records: 10, ..Limits::default() };
    let text = b"$TTL 1\n@ A 192.0.2.1\n$GENERATE 1-65536 a$ A 192.0.2.1\n@ A x\n";
    let (read, faults) = read_with(text.as_slice(), records);
    assert_eq!(read.len(), 10);
    assert_eq!(messages(&faults), ["line 3, column 19: more than 10 records or 1073741824 octets, which is the limit"]);
    let octets = Limits { octets: 100, ..Limits::default() };
    let (read, faults) = read_with(text.as_slice(), octets);
    assert_eq!((read.len(), faults.len()), (4, 1));
    assert_eq!(read_all(b"$TTL 1\n$GENERATE 0-65535 a$ A 192.0.2.1\n").0.len(), 65_536);
}

#[test]
fn lines_and_entries_have_a_longest() {
    let long = format!("$TTL 1\n{}\n@ A 192.0.2.1\n", "a".repeat(3 << 20));
    for text in [long.clone(), long.replace("aaa", "a a"), long.replace("aaa", "(\n ")] {
        let (records, faults) = read_with(BufReader::new(text.as_bytes()), Limits::default());
        assert!(faults[0].to_string().contains("longer than 1048576 octets"), "{}", faults[0]);
        assert!(faults.len() <= 4 && records.len() <= 1, "{}", faults.len());
    }
    let generate = format!("$TTL 1\n$GENERATE 1-2 a$ TXT {}\n", "\"a\" ".repeat(5_000));
    assert_eq!(messages(&read_all(generate.as_bytes()).1), ["line 2, column 11: a $GENERATE of more than 4096 octets"]);
}

/// Gives some text, then fails.
struct Broken(&'static [u8]);

impl Read for Broken {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.0.is_empty() {
            return Err(std::io::Error::other("the line went dead"));
        }
        self.0.read(buffer)
    }
}

#[test]
fn a_file_cut_off_is_no_file() {
    let (records, faults) = read_with(BufReader::new(Broken(b"$TTL 1\n@ A 192.0.2.1\nb A 192.0.2")), Limits::default());
    assert_eq!(records.len(), 1);
    assert_eq!(messages(&faults), ["line 3, column 1: reading failed: the line went dead"]);
}

#[test]
fn the_root_zone_goes_both_ways() {
    let Some(folder) = std::env::var_os("HOLDFAST_ZONES").filter(|folder| !folder.is_empty()).map(PathBuf::from) else {
        eprintln!("skipped: HOLDFAST_ZONES names no folder with root-NN.zone.gz");
        return;
    };
    let mut text = Vec::new();
    GzDecoder::new(std::fs::File::open(folder.join("root-01.zone.gz")).unwrap()).read_to_end(&mut text).unwrap();
    let start = Instant::now();
    let (records, faults) = read_all(&text);
    let reading = start.elapsed();
    assert_eq!(messages(&faults), [""; 0]);
    // The SOA stands first and last, and is one.
    let lines = text.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()).count();
    assert_eq!(records.len(), lines - 1);
    assert_eq!(records.len(), 19_576);
    let start = Instant::now();
    let anew = written(&Name::root(), &records);
    let writing = start.elapsed();
    let (again, faults) = read_all(anew.as_bytes());
    assert_eq!(messages(&faults), [""; 0]);
    assert_eq!(content(&again), content(&records));
    eprintln!("{} octets read in {reading:?}, {} written in {writing:?}", text.len(), anew.len());
}

/// Pieces that mean something in a zone file.
fn soup() -> impl Strategy<Value = String> {
    let pieces = [
        "@",
        " ",
        " ",
        " ",
        "\t",
        "\n",
        "\n",
        "a",
        "b.c",
        "IN",
        "CH",
        "300",
        "1h",
        "A",
        "TXT",
        "SOA",
        "MX",
        "NS",
        "SVCB",
        "192.0.2.1",
        "\"",
        "\"x y\"",
        "(",
        ")",
        ";",
        "\\",
        "\\#",
        "\\000",
        "$",
        "$ORIGIN",
        "$TTL",
        "$GENERATE",
        "$INCLUDE",
        "1-3",
        "0-9/2",
        "${0,3,x}",
        "${",
        "}",
        "x$",
        "alpn=\"h2\"",
        "key",
        "=",
        "10",
        "\r",
        "é",
        "ns h 1 2 3 4 5",
    ];
    let separator = proptest::sample::select(vec![" ", " ", " ", "", "\n"]);
    proptest::collection::vec((proptest::sample::select(pieces.to_vec()), separator), 0..40)
        .prop_map(|pieces| pieces.into_iter().map(|(piece, separator)| format!("{piece}{separator}")).collect())
}

fn check_anything(text: &[u8]) -> Result<(), TestCaseError> {
    let (records, faults) = read_all(text);
    let lines = u32::try_from(text.iter().filter(|&&byte| byte == b'\n').count() + 1).unwrap();
    prop_assert!(faults.iter().all(|fault| (1..=lines).contains(&fault.line) && fault.column > 0));
    // A last SOA like the first would be dropped once more.
    if records.iter().filter(|record| record.rtype == RecordType::SOA).count() < 2 {
        let (again, faults) = read_all(written(&origin(), &records).as_bytes());
        prop_assert_eq!(messages(&faults), [""; 0]);
        prop_assert_eq!(content(&again), content(&records));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_octets_are_records_or_faults(text in proptest::collection::vec(any::<u8>(), 0..200)) {
        check_anything(&text)?;
    }

    #[test]
    fn any_pieces_are_records_or_faults(text in soup()) {
        check_anything(text.as_bytes())?;
    }

    #[test]
    fn any_owner_and_data_go_both_ways(
        labels in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..10), 0..4),
        octets in proptest::collection::vec(any::<u8>(), 0..50),
        below in any::<bool>(),
        ttl in 0..=0x7fff_ffff_u32,
        rtype in prop_oneof![Just(RecordType::TXT), Just(RecordType(65_280))],
    ) {
        let zone = origin();
        let tail: Vec<_> = if below { zone.labels().collect() } else { vec![] };
        let owner = Name::from_labels(labels.iter().map(Vec::as_slice).chain(tail)).unwrap();
        let wire = if rtype == RecordType::TXT { [vec![octets.len() as u8], octets].concat() } else { octets };
        let data = RecordData::from_wire(rtype, &wire).unwrap();
        let record = ZoneFileRecord { line: 2, owner, ttl, rtype, data };
        let (records, faults) = read_all(written(&zone, std::slice::from_ref(&record)).as_bytes());
        prop_assert_eq!(messages(&faults), [""; 0]);
        prop_assert_eq!(content(&records), content(std::slice::from_ref(&record)));
    }
}
