use super::*;

fn read(pieces: &[&str]) -> Result<ZoneContents, Vec<String>> {
    let mut reader = FileReader::new(&Name::parse("example.com.").unwrap());
    for piece in pieces {
        reader.push(piece.as_bytes());
    }
    reader.finish().map_err(|problem| match problem {
        Problem::InvalidPlan { violations } => {
            violations.listed().iter().map(|one| format!("{}: {}", one.place, one.message)).collect()
        }
        other => panic!("{other:?}"),
    })
}

const HEAD: &str = "$TTL 60\n@ SOA ns1 hostmaster 7 3600 900 604800 300\n@ NS ns1\n";

#[test]
fn records_of_one_name_and_type_are_one_set_wherever_they_stand() {
    let contents =
        read(&[HEAD, "a A 192.0.2.1\nb A 192.0.2.9\nA.example", ".com. A 192.0.2.2\na A 192.0.2.2"]).unwrap();
    let sets: Vec<(String, usize)> = contents
        .sets()
        .iter()
        .map(|(key, set)| (format!("{} {}", key.owner(), key.rtype()), set.records().len()))
        .collect();
    assert_eq!(
        sets,
        [
            ("example.com. NS".to_owned(), 1),
            ("example.com. SOA".to_owned(), 1),
            ("a.example.com. A".to_owned(), 2),
            ("b.example.com. A".to_owned(), 1)
        ]
    );
    assert_eq!(contents.serial().0, 7);
}

#[test]
fn every_fault_has_its_line() {
    let found =
        read(&[HEAD, "a A 192.0.2.300\nb BOGUS x\nc A 192.0.2.1\nc 61 A 192.0.2.2\n$INCLUDE other\n"]).unwrap_err();
    let places: Vec<&str> = found.iter().map(|line| line.split_once(": ").unwrap().0).collect();
    assert_eq!(places, ["line 7", "line 4, column 5", "line 5, column 3", "line 8, column 1"], "{found:#?}");
}

#[test]
fn what_is_no_zone_is_told_by_line() {
    let found =
        read(&[HEAD, "www.example.org. A 192.0.2.1\na CNAME b\na A 192.0.2.1\nb CNAME c\nb CNAME d\n"]).unwrap_err();
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].starts_with("line 7: a name has at most one CNAME"), "{found:#?}");
    let found = read(&[HEAD, "www.example.org. A 192.0.2.1\na CNAME b\na A 192.0.2.1\n"]).unwrap_err();
    let places: Vec<&str> = found.iter().map(|line| line.split_once(": ").unwrap().0).collect();
    assert_eq!(places.iter().filter(|place| **place == "line 4" || **place == "line 5").count(), 2, "{found:#?}");
}

#[test]
fn an_empty_file_is_no_zone() {
    for pieces in [&[][..], &[""], &["; nothing\n"]] {
        let found = read(pieces).unwrap_err();
        assert_eq!(
            found,
            ["the whole zone: a zone needs SOA at its apex", "the whole zone: a zone needs NS at its apex"]
        );
    }
}
