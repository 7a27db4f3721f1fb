//! Every guard between what the database says and what is served. Without the guard, its test fails.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod support;

use server::install::{Load, Refusal};
use server::replica::build::Wanted;
use server::snapshot::{Directory, ZoneNumber};
use std::sync::Arc;
use support::{Change, History, build, changes_of, gone, install, name_of, put};
use zone_model::{Content, Digest, Key, RecordType, Serial, SetKey, Setting, SettingValue};

const ZONE: &str = "$TTL 300\n@ SOA ns1 hostmaster 40 3600 600 86400 60\n@ NS ns1\nns1 A 192.0.2.53\nwww A 192.0.2.1\n";

fn history() -> History {
    let mut history = History::new(1, &[(1, "example.")]);
    history.admit(changes_of(ZoneNumber(1), &name_of("example."), ZONE));
    history
}

fn word(result: Result<Arc<Directory>, Refusal>) -> &'static str {
    result.err().map_or("installed", |why| why.as_str())
}

fn serial(directory: &Directory, zone: &str) -> u32 {
    directory.zone(&name_of(zone)).unwrap().serial().unwrap().0
}

#[test]
fn a_row_that_is_missing_is_noticed() {
    let history = history();
    let (touched, mut rows, generations) = history.changes(0, 1);
    rows.retain(|row| row.owner != "www");
    let wanted = Wanted { head: history.head(1), held: None, load: Load::Increment };
    assert_eq!(word(build(&Arc::default(), wanted, touched, rows, &generations)), "wrong-digest");
}

#[test]
fn nothing_at_all_is_no_zone() {
    let history = history();
    let (touched, _, generations) = history.changes(0, 1);
    let wanted = Wanted { head: history.head(1), held: None, load: Load::Increment };
    assert_eq!(word(build(&Arc::default(), wanted.clone(), Vec::new(), Vec::new(), &generations)), "wrong-digest");
    // Even where somebody says that nothing is what there should be.
    let mut head = history.head(1);
    head.digest = Digest::EMPTY;
    head.version.id = zone_model::Id::of(&head.parent, head.version.generation, &Digest::EMPTY);
    let held = install(&Arc::default(), &history, 1, true).unwrap();
    let forged = || Wanted { head: head.clone(), held: held.group(history.group).cloned(), load: Load::Drifted };
    assert_eq!(word(build(&held, forged(), touched, Vec::new(), &generations)), "vanished-zone");
    assert_eq!(word(build(&held, forged(), Vec::new(), Vec::new(), &generations)), "vanished-zone");
}

#[test]
fn another_id_is_refused() {
    let history = history();
    let (touched, rows, generations) = history.changes(0, 1);
    let mut head = history.head(1);
    head.parent = head.version.id;
    assert_eq!(
        word(build(&Arc::default(), Wanted { head, held: None, load: Load::Increment }, touched, rows, &generations)),
        "wrong-id"
    );
}

#[test]
fn an_increment_onto_something_else_is_noticed() {
    let mut ours = history();
    let mut theirs = History::new(1, &[(1, "example.")]);
    theirs.admit(changes_of(ZoneNumber(1), &name_of("example."), &ZONE.replace("192.0.2.1\n", "192.0.2.7\n")));
    let held = install(&Arc::default(), &theirs, 1, true).unwrap();
    ours.admit(vec![put(1, "mail.example.", RecordType::A, 300, &["192.0.2.8"])]);
    assert_eq!(word(install(&held, &ours, 2, false)), "wrong-digest");
    assert_eq!(word(install(&held, &ours, 2, true)), "installed");
}

#[test]
fn f32_a_damaged_row_is_named_and_refused_and_not_left_out() {
    let history = history();
    for spoil in ["value", "type", "owner"] {
        let (touched, mut rows, generations) = history.changes(0, 1);
        let row = rows.iter_mut().find(|row| row.owner == "www").unwrap();
        match spoil {
            "value" => row.value.as_mut().unwrap().push(0),
            "type" => row.rtype = 255,
            _ => row.owner = "www..".to_owned(),
        }
        let wanted = Wanted { head: history.head(1), held: None, load: Load::Increment };
        let why = build(&Arc::default(), wanted, touched, rows, &generations).err().unwrap();
        assert!(matches!(&why, Refusal::PoisonedRow { zone, .. } if zone.to_string() == "example."), "{spoil}: {why}");
    }
}

#[test]
fn a_zone_without_soa_or_ns_is_refused_and_a_zone_that_ended_is_gone() {
    for (missing, expected) in [(RecordType::SOA, "broken-zone"), (RecordType::NS, "broken-zone")] {
        let mut history = history();
        history.admit(vec![gone(1, "example.", missing)]);
        let held = install(&Arc::default(), &history, 1, true).unwrap();
        assert_eq!(word(install(&held, &history, 2, false)), expected, "{missing}");
    }
    let mut history = history();
    let all = history.content().keys().map(|(zone, key)| (*zone, key.clone(), None)).collect();
    history.admit(all);
    let held = install(&Arc::default(), &history, 1, true).unwrap();
    let after = install(&held, &history, 2, false).unwrap();
    assert!(after.is_loaded() && after.zone_count() == 0);
    assert_eq!(install(&Arc::default(), &history, 2, true).unwrap().zone_count(), 0);
}

#[test]
fn a_zone_of_another_group_is_not_taken_over() {
    let first = history();
    let held = install(&Arc::default(), &first, 1, true).unwrap();
    let mut second = History::new(2, &[(9, "example.")]);
    second.admit(changes_of(ZoneNumber(9), &name_of("example."), ZONE));
    assert_eq!(word(install(&held, &second, 1, true)), "zone-of-another-group");
}

#[test]
fn the_serial_goes_on_with_the_generations_that_change_the_zone() {
    let mut history = History::new(1, &[(1, "example."), (2, "example.org.")]);
    let mut first = changes_of(ZoneNumber(1), &name_of("example."), ZONE);
    let mut without = changes_of(ZoneNumber(2), &name_of("example.org."), ZONE);
    without.retain(|(_, key, _)| *key != Key::Serial);
    first.append(&mut without);
    history.admit(first);
    let one = install(&Arc::default(), &history, 1, true).unwrap();
    assert_eq!((serial(&one, "example."), serial(&one, "example.org.")), (40, 1));
    // A generation that changes the other zone leaves this one's serial alone.
    history.admit(vec![put(2, "x.example.org.", RecordType::A, 300, &["192.0.2.8"])]);
    history.admit(vec![put(1, "x.example.", RecordType::A, 300, &["192.0.2.8"])]);
    let three = install(&one, &history, 3, false).unwrap();
    assert_eq!((serial(&three, "example."), serial(&three, "example.org.")), (42, 2));
    // A serial that is set goes on from there, and past the end.
    let set = |serial| (ZoneNumber(1), Key::Serial, Some(Content::Serial(Serial(serial))));
    history.admit(vec![set(u32::MAX)]);
    history.admit(vec![gone(1, "x.example.", RecordType::A)]);
    let five = install(&three, &history, 5, false).unwrap();
    assert_eq!(serial(&five, "example."), 0);
    assert_eq!(serial(&install(&Arc::default(), &history, 5, true).unwrap(), "example."), 0);
}

/// A guard on a set, to be put in place or (0) ended.
fn guard(zone: i64, owner: &str, rtype: RecordType, minimum: u16) -> Change {
    let content = (minimum > 0).then_some(Content::Minimum(minimum));
    (ZoneNumber(zone), Key::Guarded(SetKey::new(&name_of(owner), rtype)), content)
}

fn www(addresses: &[&str]) -> Change {
    put(1, "www.example.", RecordType::A, 300, addresses)
}

fn guarded_history() -> History {
    let mut history = history();
    history.admit(vec![www(&["192.0.2.1", "192.0.2.2"]), guard(1, "www.example.", RecordType::A, 2)]);
    history
}

#[test]
fn f15_a_guarded_set_is_neither_absent_nor_too_small() {
    let history = guarded_history();
    let held = install(&Arc::default(), &history, 2, true).unwrap();
    let end = || guard(1, "www.example.", RecordType::A, 0);
    let gone = || gone(1, "www.example.", RecordType::A);
    for (changes, expected) in [
        (vec![gone()], "guarded"),
        (vec![www(&["192.0.2.1"])], "guarded"),
        (vec![guard(1, "www.example.", RecordType::A, 3)], "guarded"),
        (vec![guard(1, "www.example.", RecordType::AAAA, 1)], "guarded"),
        (vec![www(&["192.0.2.8", "192.0.2.9"])], "installed"),
        // Whoever ends the guard in the same generation may do both.
        (vec![gone(), end()], "installed"),
        (vec![end()], "installed"),
    ] {
        let mut history = history.clone();
        history.admit(changes.clone());
        assert_eq!(word(install(&held, &history, 3, false)), expected, "{changes:?}");
        // A server without memory judges the new content alone, and comes to the same.
        assert_eq!(word(install(&Arc::default(), &history, 3, true)), expected, "{changes:?}");
        assert_eq!(word(install(&held, &history, 3, true)), expected, "{changes:?}");
    }
    // A zone does not end while a name in it is guarded.
    let mut ended = history.clone();
    let all = |with_guards: bool| {
        let keys = history.content().keys().filter(move |(_, key)| with_guards || !matches!(key, Key::Guarded(_)));
        keys.map(|(zone, key)| (*zone, key.clone(), None)).collect::<Vec<_>>()
    };
    ended.admit(all(false));
    assert_eq!(word(install(&held, &ended, 3, false)), "guarded");
    assert_eq!(word(install(&Arc::default(), &ended, 3, true)), "guarded");
    let mut ended = history.clone();
    ended.admit(all(true));
    assert_eq!(install(&held, &ended, 3, false).unwrap().zone_count(), 0);
}

#[test]
fn f15_a_guard_ends_by_a_positive_fact_only() {
    let held = install(&Arc::default(), &guarded_history(), 2, true).unwrap();
    // Somebody took the guard's row and the guarded records out of the database, and made the sums right.
    let mut poisoned = history();
    poisoned.admit(vec![www(&["192.0.2.1", "192.0.2.2"])]);
    poisoned.admit(vec![gone(1, "www.example.", RecordType::A)]);
    assert_eq!(word(install(&held, &poisoned, 3, false)), "wrong-digest");
    assert_eq!(word(install(&held, &poisoned, 3, true)), "vanished-guard");
    // The same where what led here is retired is all there is to know.
    let (touched, rows, generations) = poisoned.changes(0, 3);
    let group = held.group(poisoned.group).cloned();
    let wanted = Wanted { head: poisoned.head(3), held: group, load: Load::BelowFloor };
    assert_eq!(word(build(&held, wanted, touched, rows, &generations)), "installed");
}

#[test]
fn settings_of_a_group_are_kept_and_counted() {
    let set =
        |setting, value: Option<SettingValue>| (ZoneNumber(-1), Key::Setting(setting), value.map(Content::Setting));
    let mut history = history();
    history.admit(vec![
        set(Setting::References, Some(SettingValue::Switch(false))),
        set(Setting::Closed, Some(SettingValue::Closed("rolled back".into()))),
    ]);
    let two = install(&Arc::default(), &history, 2, true).unwrap();
    assert_eq!(two.group(history.group).unwrap().settings.len(), 2);
    history.admit(vec![set(Setting::Closed, None), www(&["192.0.2.3"])]);
    let three = install(&two, &history, 3, false).unwrap();
    assert_eq!(three.group(history.group).unwrap().settings.len(), 1);
    assert_eq!(word(install(&Arc::default(), &history, 3, true)), "installed");

    let (touched, mut rows, generations) = history.changes(0, 3);
    rows.iter_mut().find(|row| row.rtype == 65_543).unwrap().value = Some(vec![2]);
    let wanted = Wanted { head: history.head(3), held: None, load: Load::Increment };
    assert_eq!(word(build(&Arc::default(), wanted, touched, rows, &generations)), "poisoned-row");
}
