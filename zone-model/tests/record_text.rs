//! Record data between text and wire form. The cases are text, in `golden/`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod golden;

use domain::base::iana::Rtype;
use domain::base::rdata::ComposeRecordData;
use domain::zonefile::inplace::{Entry, Zonefile};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::fmt::Write;
use zone_model::{Name, RecordData, RecordType};

fn origin() -> Name {
    Name::parse("zone.example.").unwrap()
}

/// The cases of a golden file: `TYPE text`, each at the start of a line; what is expected of it is indented below.
fn cases(file: &str) -> Vec<(RecordType, String)> {
    let text = golden::read(file);
    let cases = text.lines().filter(|line| !line.is_empty() && !line.starts_with([' ', '#']));
    cases
        .map(|case| {
            let (rtype, text) = case.split_once(' ').unwrap_or((case, ""));
            (rtype.parse().unwrap(), text.to_owned())
        })
        .collect()
}

fn known_types() -> Vec<RecordType> {
    // No known type has empty data, and a type that is not known takes any.
    let is_known = |rtype: &RecordType| rtype.is_data() && RecordData::from_wire(*rtype, &[]).is_err();
    RecordType::NAMED.iter().copied().filter(is_known).collect()
}

#[test]
fn text_becomes_wire_form_and_text_again() {
    let mut actual = String::new();
    for (rtype, text) in cases("record_text.txt") {
        let data = RecordData::parse(rtype, &text, &origin()).unwrap_or_else(|error| panic!("{rtype} {text}: {error}"));
        let written = data.to_text(rtype);
        assert_eq!(RecordData::from_wire(rtype, data.as_wire()).as_ref(), Ok(&data), "{rtype} {text}");
        assert_eq!(RecordData::parse(rtype, &written, &Name::root()).as_ref(), Ok(&data), "{rtype} {written}");
        assert_eq!(RecordData::parse(rtype, &generic(&data), &Name::root()).as_ref(), Ok(&data), "{rtype} {text}");
        writeln!(actual, "{rtype} {text}\n  {}\n  {written}\n", hex::encode(data.as_wire())).unwrap();
    }
    golden::check("record_text.txt", &actual);
}

/// RFC 3597 §5, which every type may be written in.
fn generic(data: &RecordData) -> String {
    format!("\\# {} {}", data.as_wire().len(), hex::encode(data.as_wire()))
}

#[test]
fn every_known_type_has_a_case() {
    let tried: BTreeSet<_> = cases("record_text.txt").into_iter().map(|(rtype, _)| rtype).collect();
    let missing: Vec<_> = known_types().into_iter().filter(|rtype| !tried.contains(rtype)).collect();
    assert_eq!(missing, []);
    assert_eq!(known_types().len(), 39);
}

#[test]
fn faults_say_what_is_expected_and_where() {
    let mut actual = String::new();
    for (rtype, text) in cases("record_faults.txt") {
        let error = RecordData::parse(rtype, &text, &origin()).expect_err(&format!("{rtype} {text}"));
        assert!(error.column().is_some(), "{rtype} {text}: {error}");
        writeln!(actual, "{}\n  {error}\n", format!("{rtype} {text}").trim_end()).unwrap();
    }
    golden::check("record_faults.txt", &actual);
}

#[test]
fn wire_faults_say_what_is_expected_and_where() {
    let mut actual = String::new();
    for (rtype, text) in cases("wire_faults.txt") {
        let error = RecordData::from_wire(rtype, &hex::decode(&text).unwrap()).expect_err(&format!("{rtype} {text}"));
        writeln!(actual, "{}\n  {error}\n", format!("{rtype} {text}").trim_end()).unwrap();
    }
    golden::check("wire_faults.txt", &actual);
}

/// Another reading of the same RFCs.
fn by_domain(rtype: RecordType, text: &str) -> Result<Vec<u8>, String> {
    let line = format!("$ORIGIN zone.example.\nowner 3600 IN {rtype} {text}\n");
    let mut file = Zonefile::load(&mut line.as_bytes()).map_err(|error| error.to_string())?;
    match file.next_entry().map_err(|error| error.to_string())? {
        Some(Entry::Record(record)) => {
            assert_eq!(record.rtype(), Rtype::from_int(rtype.0));
            let mut wire = Vec::new();
            record.data().compose_rdata(&mut wire).map_err(|error| error.to_string())?;
            Ok(wire)
        }
        other => Err(format!("{other:?}")),
    }
}

#[test]
fn the_domain_crate_reads_the_same() {
    let (mut same, mut types, mut differing) = (0, BTreeSet::new(), Vec::new());
    for (rtype, text) in cases("record_text.txt") {
        let ours = RecordData::parse(rtype, &text, &origin()).unwrap();
        for text in [text, ours.to_text(rtype)] {
            match by_domain(rtype, &text) {
                Ok(theirs) if theirs == ours.as_wire() => {
                    same += 1;
                    types.insert(rtype);
                }
                Ok(theirs) => differing.push(format!("{rtype} {text}: {}", hex::encode(theirs))),
                // It lacks some types and forms.
                Err(error) => eprintln!("domain does not read: {rtype} {text}: {error}"),
            }
        }
    }
    let known = [
        // It takes `@` for a label, against RFC 1035 §5.1.
        "NS @: 0140047a6f6e65076578616d706c6500",
        // It reads the octets of `key1="\\002h2"` as if they were those of `alpn=`, against RFC 9460 §2.1.
        r#"HTTPS 1 svc key7=/q{?dns} key1="\002h2": 000103737663047a6f6e65076578616d706c65000001000403026832000700082f717b3f646e737d"#,
    ];
    assert_eq!(differing, known);
    eprintln!("{same} texts of {} types read alike", types.len());
    assert!(same >= 100 && types.len() >= 20, "the oracle hardly knows anything: {same} texts, {} types", types.len());
}

#[test]
fn text_may_span_lines_in_parentheses_only() {
    let soa = "ns hostmaster (\n  1\n  3600 900\r\n  604800\n  300 )\n";
    assert!(RecordData::parse(RecordType::SOA, soa, &origin()).is_ok());
    let error = RecordData::parse(RecordType::SOA, "ns hostmaster (\n 1\n 2 x 4 5)", &origin()).unwrap_err();
    assert_eq!((error.line(), error.column()), (Some(3), Some(4)));
    assert!(error.to_string().contains("line 3, column 4: expected seconds"), "{error}");
    let error = RecordData::parse(RecordType::TXT, "one\ntwo", &origin()).unwrap_err();
    assert!(error.to_string().contains("one record is expected"), "{error}");
    let error = RecordData::parse(RecordType::TXT, "\"one\ntwo\"", &origin()).unwrap_err();
    assert!(error.to_string().contains("not closed"), "{error}");
}

#[test]
fn names_are_found_and_folded_by_type() {
    let check = |rtype: RecordType, text: &str, ranges: &[(usize, usize)], compressible: bool, folded: bool| {
        let data = RecordData::parse(rtype, text, &Name::root()).unwrap();
        let found: Vec<_> = data.name_ranges(rtype).iter().map(|range| (range.start, range.end)).collect();
        assert_eq!(found, ranges, "{rtype}");
        assert!(data.embedded_names(rtype).all(|name| name.compressible == compressible), "{rtype}");
        let is_folded = !data.canonical(rtype).iter().any(u8::is_ascii_uppercase);
        assert_eq!(is_folded, folded, "{rtype}");
    };
    check(RecordType::NS, "A.Example.", &[(0, 11)], true, true);
    check(RecordType::MX, "10 A.", &[(2, 5)], true, true);
    check(RecordType::SOA, "A. B. 1 2 3 4 5", &[(0, 3), (3, 6)], true, true);
    check(RecordType::SRV, "1 2 3 A.", &[(6, 9)], false, true);
    check(RecordType::DNAME, "A.", &[(0, 3)], false, true);
    check(RecordType::RP, "A. B.", &[(0, 3), (3, 6)], false, true);
    check(RecordType::NAPTR, "1 2 u a b C.", &[(10, 13)], false, true);
    check(RecordType::RRSIG, "A 5 3 0 1 1 0 A. AAAA", &[(18, 21)], false, true);
    check(RecordType::NSEC, "A. NS", &[(0, 3)], false, false);
    check(RecordType::HTTPS, "1 A. alpn=h2", &[(2, 5)], false, false);
    check(RecordType::TXT, "ABC", &[], false, false);
}

#[test]
fn targets_and_covered_types() {
    let target = |rtype: RecordType, text: &str| {
        RecordData::parse(rtype, text, &origin()).unwrap().target(rtype).map(|name| name.to_string())
    };
    for rtype in [RecordType::CNAME, RecordType::DNAME, RecordType::NS, RecordType::PTR] {
        assert_eq!(target(rtype, "To").as_deref(), Some("To.zone.example."));
    }
    for rtype in [RecordType::MX, RecordType::KX, RecordType::AFSDB, RecordType::SVCB, RecordType::HTTPS] {
        assert_eq!(target(rtype, "1 To").as_deref(), Some("To.zone.example."));
    }
    assert_eq!(target(RecordType::SRV, "1 2 3 ."), Some(".".to_owned()));
    assert_eq!(target(RecordType::TXT, "x"), None);
    assert_eq!(target(RecordType::SOA, "a b 1 2 3 4 5"), None);
    let rrsig = RecordData::parse(RecordType::RRSIG, "AAAA 5 3 86400 1 1 2642 . AAAA", &origin()).unwrap();
    assert_eq!(rrsig.covered_type(), Some(RecordType::AAAA));
}

#[test]
fn data_of_another_type_is_written_as_octets() {
    let data = RecordData::from_wire(RecordType::A, &[192, 0, 2, 1]).unwrap();
    assert_eq!(data.to_text(RecordType::MX), "\\# 4 C0000201");
    assert_eq!(data.name_ranges(RecordType::SOA), []);
    assert_eq!(data.target(RecordType::CNAME), None);
}

#[test]
fn the_longest_data_go_both_ways() {
    let longest = [vec![0xff; 65_535 - 65_535 % 256], vec![254; 255]].concat();
    for rtype in [RecordType(65_280), RecordType::TXT, RecordType::OPENPGPKEY] {
        let data = RecordData::from_wire(rtype, &longest).unwrap();
        assert_eq!(RecordData::parse(rtype, &data.to_text(rtype), &origin()), Ok(data));
    }
    let bitmap = (0..=255).flat_map(|window| [vec![window, 32], vec![0xff; 32]].concat());
    let all_types: Vec<u8> = std::iter::once(0).chain(bitmap).collect();
    let data = RecordData::from_wire(RecordType::NSEC, &all_types).unwrap();
    assert_eq!(RecordData::parse(RecordType::NSEC, &data.to_text(RecordType::NSEC), &origin()), Ok(data));
    let error = RecordData::from_wire(RecordType(65_280), &[0; 65_536]).unwrap_err();
    assert_eq!(error.to_string(), "record data, octet 65536: expected at most 65535 octets, found 65536");
    assert!(RecordData::parse(RecordType::TXT, &" ".repeat(2_000_000), &origin()).is_err());
}

/// Words that mean something somewhere, in any order.
fn soup() -> impl Strategy<Value = String> {
    let words = cases("record_text.txt")
        .iter()
        .flat_map(|(_, text)| text.split(' ').map(str::to_owned).collect::<Vec<_>>())
        .chain(["(", ")", ";", "\"", "\\", "\\#", "\\25", "=", "@", "\n", "\u{e9}", ""].map(str::to_owned))
        .collect::<Vec<_>>();
    proptest::collection::vec(proptest::sample::select(words), 0..12).prop_map(|words| words.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_octets_are_data_or_an_error(
        rtype in proptest::sample::select(known_types()),
        octets in proptest::collection::vec(any::<u8>(), 0..80),
    ) {
        // Small numbers are lengths more often, which leads further in.
        for octets in [octets.clone(), octets.iter().map(|octet| octet % 5).collect()] {
            if let Ok(data) = RecordData::from_wire(rtype, &octets) {
                prop_assert_eq!(RecordData::parse(rtype, &data.to_text(rtype), &Name::root()), Ok(data));
            }
        }
    }

    #[test]
    fn any_text_is_data_or_an_error(rtype in proptest::sample::select(known_types()), text in any::<String>()) {
        let _ = RecordData::parse(rtype, &text, &origin());
    }

    #[test]
    fn any_words_are_data_or_an_error(rtype in proptest::sample::select(known_types()), text in soup()) {
        if let Ok(data) = RecordData::parse(rtype, &text, &origin()) {
            prop_assert_eq!(RecordData::from_wire(rtype, data.as_wire()), Ok(data.clone()));
            prop_assert_eq!(RecordData::parse(rtype, &data.to_text(rtype), &Name::root()), Ok(data));
        }
    }
}
