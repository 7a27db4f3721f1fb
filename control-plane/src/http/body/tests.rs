use super::*;
use proptest::prelude::*;
use zone_model::Guard;

fn envelope() -> Envelope {
    Envelope { group: GroupName::parse("example.com").unwrap(), if_match: None }
}

/// What is wrong with a body, as lines of `place [rule]: message`.
fn violations_of(body: &str) -> Vec<String> {
    match parse_plan(body.as_bytes(), envelope()) {
        Err(Problem::InvalidPlan { violations }) => violations
            .listed()
            .iter()
            .map(|one| match one.rule {
                Some(rule) => {
                    let rule = serde_json::to_value(rule).unwrap();
                    format!("{} [{}]: {}", one.place, rule.as_str().unwrap(), one.message)
                }
                None => format!("{}: {}", one.place, one.message),
            })
            .collect(),
        Ok(_) => Vec::new(),
        Err(other) => panic!("{other:?}"),
    }
}

/// What is wrong with one zone's change.
fn violations_of_change(change: &str) -> Vec<String> {
    violations_of(&format!(r#"{{"base":1,"zones":{{"example.com.":{change}}}}}"#))
        .into_iter()
        .map(|line| line.replace(r#"zones["example.com."]"#, "Z"))
        .collect()
}

fn check(found: &[String], expected: &[&str]) {
    for (index, expected) in expected.iter().enumerate() {
        let line = found.get(index).map_or("", String::as_str);
        assert!(line.starts_with(expected), "expected `{expected}`, found `{line}` in {found:#?}");
    }
    assert_eq!(found.len(), expected.len(), "{found:#?}");
}

#[test]
fn the_plan_of_the_design_page_is_read() {
    let body = r#"{ "base": 41, "base_id": "00000000000000000000000000000000000000000000000000000000000000ff",
        "reason": "move api to the new balancers",
        "zones": { "example.com.": { "upsert": [ {"name":"api","type":"A","ttl":60,"records":["192.0.2.1","192.0.2.2"]} ],
                                     "delete": [ {"name":"old","type":"A"}, {"name":"older"} ] },
                   "example.org.": { "replace": [ {"name":"@","type":"SOA","ttl":60,"records":["ns1 h 7 1 1 1 1"]},
                                                  {"name":"example.org.","type":"NS","ttl":60,"records":["ns1.example.com."]} ] } },
        "reads": [ {"zone":"example.com.","name":"backup"} ],  "rebase": false,
        "acknowledge": [ {"guard":"serial-range","reason":"taken over"} ] }"#;
    let plan = parse_plan(body.as_bytes(), envelope()).unwrap();
    assert_eq!((plan.base.get(), plan.rebase), (41, false));
    assert_eq!(plan.reason.as_deref(), Some("move api to the new balancers"));
    assert_eq!(plan.acknowledged.get(&Guard::SerialRange).map(String::as_str), Some("taken over"));
    let name = |text: &str| Name::parse(text).unwrap();
    assert!(plan.reads.contains(&(name("example.com."), name("backup.example.com."))));
    match &plan.zones[&name("example.com.")] {
        ZoneChange::Edit(edit) => {
            assert_eq!((edit.upserts().len(), edit.deletes().len()), (1, 2));
            let (key, placed) = edit.upserts().first_key_value().unwrap();
            assert_eq!(key.owner().to_string(), "api.example.com.");
            assert_eq!(
                (placed.value.records().len(), placed.place.as_str()),
                (2, r#"zones["example.com."].upsert[0]"#)
            );
        }
        other => panic!("an edit was read as {other:?}"),
    }
    match &plan.zones[&name("example.org.")] {
        ZoneChange::Replace(contents) => assert_eq!((contents.sets().len(), contents.serial().0), (2, 7)),
        other => panic!("a replacement was read as {other:?}"),
    }
}

#[test]
fn what_is_left_out_has_its_default_and_null_is_left_out() {
    for body in [
        r#"{"base":0,"zones":{".":{"delete":[{"name":"a"}]}}}"#,
        r#"{"base":0,"reason":null,"reads":null,"rebase":null,"acknowledge":null,"base_id":null,"zones":{".":{"delete":[{"name":"a","type":null}],"upsert":null}}}"#,
    ] {
        let plan = parse_plan(body.as_bytes(), envelope()).unwrap();
        assert!(plan.rebase && plan.reason.is_none() && plan.reads.is_empty() && plan.acknowledged.is_empty());
    }
}

#[test]
fn fields_of_the_plan_are_known_once_each_and_of_their_type() {
    let cases: &[(&str, &[&str])] = &[
        ("[]", &["the whole body [wrong-type]: expected an object, found a list"]),
        ("{}", &["base [missing-field]", "zones [missing-field]"]),
        (
            r#"{"base":"1","zones":[],"reason":1,"reads":{},"rebase":"no","acknowledge":true,"base_id":"12"}"#,
            &[
                "base [wrong-type]: expected a whole number, found a string",
                "base_id: an id is 64 hexadecimal digits",
                "reason [wrong-type]",
                "zones [wrong-type]: expected an object of zones by name, found a list",
                "reads [wrong-type]",
                "rebase [wrong-type]",
                "acknowledge [wrong-type]",
            ],
        ),
        (
            r#"{"base":1.5,"zones":{}}"#,
            &["base: expected a whole number from 0", "zones: a plan changes at least one zone"],
        ),
        (r#"{"base":-1,"zones":{".":{"delete":[]}}}"#, &["base: expected a whole number from 0"]),
        (r#"{"base":99999999999999999999,"zones":{".":{"delete":[]}}}"#, &["base: expected a whole number from 0"]),
        (
            r#"{"base":1,"base":2,"dry_run":true,"zones":{".":{"delete":[]}}}"#,
            &["base [given-twice]", "dry_run [unknown-field]: there is no such field here; known are base, "],
        ),
    ];
    for (body, expected) in cases {
        check(&violations_of(body), expected);
    }
}

#[test]
fn zones_are_absolute_and_given_once_whatever_their_case() {
    let change = r#"{"delete":[{"name":"a"}]}"#;
    let body = format!(
        r#"{{"base":1,"zones":{{"example.com":{change},"a..b.":{change},"Example.ORG.":{change},"example.org.":{change}}}}}"#
    );
    check(
        &violations_of(&body),
        &[
            r#"zones["example.com"]: a zone's name is absolute; write "example.com.""#,
            r#"zones["a..b."]: not a zone's name: a label cannot be empty"#,
            r#"zones["example.org."] [given-twice]: the zone was given before, at zones["Example.ORG."]"#,
        ],
    );
}

#[test]
fn a_change_is_an_edit_or_a_replacement() {
    let cases: &[(&str, &[&str])] = &[
        ("{}", &["Z: say what changes"]),
        ("7", &["Z [wrong-type]: expected an object, found a number"]),
        (r#"{"end":true}"#, &[]),
        (r#"{"upsert":[]}"#, &[]),
        (r#"{"upserts":[]}"#, &["Z.upserts [unknown-field]", "Z: say what changes"]),
        (r#"{"replace":[],"delete":[]}"#, &["Z: `replace` gives the zone's whole contents"]),
        (r#"{"replace":[]}"#, &["the whole zone: a zone needs SOA", "the whole zone: a zone needs NS"]),
    ];
    for (change, expected) in cases {
        check(&violations_of_change(change), expected);
    }
}

#[test]
fn record_sets_are_checked_to_the_last_record() {
    let cases: &[(&str, &[&str])] = &[
        (r#"[7]"#, &["Z.upsert[0] [wrong-type]: expected an object"]),
        (
            r#"[{}]"#,
            &[
                "Z.upsert[0].name [missing-field]",
                "Z.upsert[0].type [missing-field]",
                "Z.upsert[0].ttl [missing-field]",
                "Z.upsert[0].records [missing-field]",
            ],
        ),
        (
            r#"[{"name":"a","type":"A","ttl":60,"records":["192.0.2.1","192.0.2.300",7]}]"#,
            &["Z.upsert[0].records[1]: record data, column 1: ", "Z.upsert[0].records[2] [wrong-type]"],
        ),
        (
            r#"[{"name":"a","type":"A","ttl":60,"records":[]}]"#,
            &["Z.upsert[0]: a record set needs at least one record"],
        ),
        (r#"[{"name":"a","type":"ANY","ttl":60,"records":["\\# 0"]}]"#, &["Z.upsert[0]"]),
        (
            r#"[{"name":"a","type":"A","ttl":2147483648,"records":["192.0.2.1"]}]"#,
            &["Z.upsert[0].ttl: expected a whole number"],
        ),
        (r#"[{"name":"a b","type":"A","ttl":1,"records":["192.0.2.1"]}]"#, &["Z.upsert[0].name: not an owner's name"]),
        (
            r#"[{"name":"a","type":"CNAME","ttl":1,"records":["b","c"]}]"#,
            &["Z.upsert[0]: a name has at most one CNAME record"],
        ),
        (
            r#"[{"name":"www.example.org.","type":"A","ttl":1,"records":["192.0.2.1"]}]"#,
            &["Z.upsert[0].name: www.example.org. is not in the zone example.com."],
        ),
        (
            r#"[{"name":"a","type":"A","ttl":1,"records":["192.0.2.1"]},{"name":"A.example.com.","type":"TYPE1","ttl":1,"records":["192.0.2.2"]}]"#,
            &[r#"Z.upsert[1]: this record set was given before, at Z.upsert[0]"#],
        ),
    ];
    for (sets, expected) in cases {
        check(&violations_of_change(&format!(r#"{{"upsert":{sets}}}"#)), expected);
    }
}

#[test]
fn deletes_name_a_set_or_a_whole_name_and_never_more_than_was_meant() {
    let cases: &[(&str, &[&str])] = &[
        (r#"[{"name":"a"},{"name":"@","type":"TXT"}]"#, &[]),
        // A type that cannot be read does not make it the whole name.
        (r#"[{"name":"a","type":"AAAAA"}]"#, &["Z.delete[0].type: `AAAAA` is not a record type"]),
        (r#"[{"name":"a","type":7}]"#, &["Z.delete[0].type [wrong-type]"]),
        (r#"[{"type":"A"}]"#, &["Z.delete[0].name [missing-field]"]),
        (r#"[{"name":"a","ttl":1}]"#, &["Z.delete[0].ttl [unknown-field]"]),
    ];
    for (deletes, expected) in cases {
        check(&violations_of_change(&format!(r#"{{"delete":{deletes}}}"#)), expected);
    }
    let both = r#"{"upsert":[{"name":"a","type":"A","ttl":1,"records":["192.0.2.1"]}],"delete":[{"name":"a"}]}"#;
    check(&violations_of_change(both), &["Z.delete[0]: the same record set is put in place, at Z.upsert[0]"]);
}

#[test]
fn a_relative_name_that_ends_in_the_zone_s_own_name_is_refused() {
    let owner = |name: &str, zone: &str| {
        let body = format!(r#"{{"base":1,"zones":{{"{zone}":{{"delete":[{{"name":"{name}"}}]}}}}}}"#);
        violations_of(&body)
    };
    for (name, zone) in [
        ("www.example.com", "example.com."),
        ("example.com", "example.com."),
        ("a.EXAMPLE.com", "Example.com."),
        ("com", "com."),
    ] {
        let found = owner(name, zone);
        check(&found, &[&format!(r#"zones["{zone}"].delete[0].name [looks-absolute]"#)]);
    }
    for (name, zone) in [
        ("www", "example.com."),
        ("www.example", "example.com."),
        ("notexample.com", "example.com."),
        ("www.example.com.", "example.com."),
        ("www.example.com.example.com.", "example.com."),
        ("@", "example.com."),
        ("www", "."),
        ("www.example.com", "."),
    ] {
        assert_eq!(owner(name, zone), Vec::<String>::new(), "{name} in {zone}");
    }
}

#[test]
fn acknowledgements_name_a_guard_and_a_reason() {
    let acknowledge =
        |list: &str| violations_of(&format!(r#"{{"base":1,"zones":{{".":{{"delete":[]}}}},"acknowledge":{list}}}"#));
    check(&acknowledge(r#"[{"guard":"signed-zone","reason":"x"}]"#), &[]);
    check(
        &acknowledge(
            r#"[{"guard":"deleted-chare","reason":""},{"guard":"signed-zone"},{"guard":"signed-zone","reason":" "}]"#,
        ),
        &[
            "acknowledge[0].reason: an acknowledgement needs a reason",
            "acknowledge[0].guard [unknown-guard]: there is no such guard; known are serial-range, signed-zone",
            "acknowledge[1].reason [missing-field]",
            "acknowledge[2].reason: an acknowledgement needs a reason",
        ],
    );
    let twice = r#"[{"guard":"signed-zone","reason":"x"},{"guard":"signed-zone","reason":"y"}]"#;
    check(&acknowledge(twice), &["acknowledge[1].guard [given-twice]"]);
}

#[test]
fn reasons_fit_into_a_terminal() {
    let reason = |reason: &str| {
        let reason = quoted(reason);
        violations_of(&format!(r#"{{"base":1,"reason":{reason},"zones":{{".":{{"delete":[]}}}}}}"#))
    };
    check(&reason("ünïcode\nand a second line"), &[]);
    check(&reason(&"x".repeat(1_000)), &[]);
    check(&reason(&"x".repeat(1_001)), &["reason: a reason has at most 1000 characters, and this one has 1001"]);
    check(&reason("\u{1b}[31m"), &["reason: a reason has no control characters"]);
    check(&reason("a\0b"), &["reason: a reason has no control characters"]);
}

#[test]
fn a_million_violations_are_counted_and_a_thousand_listed() {
    let body = format!(r#"{{"base":1,"zones":{{".":{{"delete":[{}7]}}}}}}"#, "7,".repeat(99_999));
    match parse_plan(body.as_bytes(), envelope()) {
        Err(Problem::InvalidPlan { violations }) => {
            assert_eq!((violations.count(), violations.listed().len()), (100_000, 1_000));
        }
        other => panic!("{other:?}"),
    }
}

proptest! {
    #[test]
    fn no_body_panics(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse_plan(&body, envelope());
    }

    #[test]
    fn no_field_panics(zone in ".{0,20}", name in ".{0,20}", rtype in "[A-Z0-9]{0,8}", ttl in any::<i64>(), record in ".{0,40}") {
        let set = serde_json::json!({"name": name, "type": rtype, "ttl": ttl, "records": [record]});
        let body = serde_json::json!({"base": ttl, "reason": name, "zones": {
            zone.clone(): {"upsert": [set.clone()], "delete": [{"name": name, "type": rtype}]},
            format!("{zone}."): {"replace": [set]},
            "example.": {"delete": [{"name": record}]}}});
        let _ = parse_plan(body.to_string().as_bytes(), envelope());
    }

    #[test]
    fn what_is_read_is_within_its_zone(name in "[a-c@.]{1,12}") {
        let body = serde_json::json!({"base": 1, "zones": {"a.b.": {"delete": [{"name": name}]}}}).to_string();
        if let Ok(plan) = parse_plan(body.as_bytes(), envelope()) {
            let zone = Name::parse("a.b.").unwrap();
            match &plan.zones[&zone] {
                ZoneChange::Edit(edit) => prop_assert!(edit.owners().iter().all(|owner| owner.is_within(&zone))),
                _ => prop_assert!(false),
            }
        }
    }
}
