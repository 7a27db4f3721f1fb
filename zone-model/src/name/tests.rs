use super::*;

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

#[test]
fn case_is_kept_and_not_compared() {
    let upper = name("WWW.Example.");
    assert_eq!(upper, name("www.example."));
    assert_eq!(upper.to_string(), "WWW.Example.");
    assert!(!upper.is_spelled_like(&name("www.example.")));
}

#[test]
fn order_is_canonical() {
    // The list of RFC 4034 §6.1.
    let sorted = [
        "example.",
        "a.example.",
        "yljkjljk.a.example.",
        "Z.a.example.",
        "zABC.a.EXAMPLE.",
        "z.example.",
        r"\001.z.example.",
        "*.z.example.",
        r"\200.z.example.",
    ];
    for pair in sorted.windows(2) {
        assert!(name(pair[0]) < name(pair[1]), "{pair:?}");
    }
}

#[test]
fn escapes_go_both_ways() {
    for text in [r"a\.b.example.", r"\000\255.example.", r"\@.example.", r"\;\(\).example.", r"a\032b.example."] {
        let once = name(text);
        assert_eq!(name(&once.to_string()).as_wire(), once.as_wire());
    }
    assert_eq!(name(r"\097.").as_wire(), b"\x01a\0");
}

#[test]
fn a_label_that_is_an_at_sign_is_not_the_origin() {
    let zone = name("example.");
    let odd = name(r"\@.example.");
    let text = odd.relative_to(&zone).unwrap();
    assert_eq!(text, r"\@");
    assert_eq!(Name::parse_relative(&text, &zone).unwrap(), odd);
    assert_eq!(Name::parse_relative("@", &zone).unwrap(), zone);
}

#[test]
fn bad_names_are_refused() {
    for (text, error) in [
        ("", NameError::Empty),
        ("..", NameError::EmptyLabel),
        (".a.", NameError::EmptyLabel),
        ("a..b.", NameError::EmptyLabel),
        ("a", NameError::NotAbsolute),
        (r"a\", NameError::BadEscape),
        (r"a\25.", NameError::BadEscape),
        (r"a\256.", NameError::BadEscape),
        ("a b.", NameError::BadCharacter(' ')),
        ("ä.", NameError::BadCharacter('ä')),
    ] {
        assert_eq!(Name::parse(text), Err(error), "{text}");
    }
    assert_eq!(Name::parse(&format!("{}.", "a".repeat(64))), Err(NameError::LabelTooLong));
    assert!(Name::parse(&format!("{}.", "a".repeat(63))).is_ok());
    assert_eq!(Name::parse(&"a.".repeat(128)), Err(NameError::TooLong));
    assert!(Name::parse(&"a.".repeat(127)).is_ok());
    assert_eq!(Name::from_wire(b"\x03www\xc0\x0c"), Err(NameError::LabelTooLong));
    assert_eq!(Name::from_wire(b"\x03ww"), Err(NameError::BadWire));
    assert_eq!(Name::from_wire(b"\0\0"), Err(NameError::BadWire));
}

#[test]
fn within_goes_by_labels_not_by_text() {
    assert!(name("a.example.").is_within(&name("EXAMPLE.")));
    assert!(name("example.").is_within(&name("example.")));
    assert!(!name("badexample.").is_within(&name("example.")));
    assert!(name("example.").is_within(&Name::root()));
    assert!(!Name::root().is_within(&name("example.")));
    // The octets of `example.` inside a label are no suffix of labels.
    assert!(!Name::from_wire(b"\x0a.\x07example\x01x\0").is_ok_and(|odd| odd.is_within(&name("example."))));
}
