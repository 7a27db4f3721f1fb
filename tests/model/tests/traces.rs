//! The checker of traces: what the programs may do passes, and each kind of violation is refused, with its place.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use model::trace::{Held, Summary, check, untold};
use move_trace::{At, Line, Move, Role, When};
use std::collections::HashMap;
use uuid::Uuid;

fn at(generation: i64) -> At {
    At { generation, id: format!("{generation:064x}") }
}

fn line(program: &str, when: When, what: Move) -> Line {
    let instance = Uuid::from_u128(program.bytes().fold(0, |sum, byte| sum * 31 + u128::from(byte)));
    // Numbered in `text`.
    Line { program: program.to_owned(), instance, number: 0, of: None, when, what }
}

fn admit(generation: i64) -> Move {
    Move::Admit { group: "shop".into(), base: generation - 1, to: at(generation), through_freeze: false }
}

fn head(ring: &str, role: Role, from: i64, to: i64) -> Move {
    let head = (from > 0).then(|| at(from));
    Move::MoveHead { group: "shop".into(), ring: ring.into(), role, head, to: at(to), by_hand: false }
}

fn install(ring: &str, from: i64, to: i64) -> Move {
    Move::Install { group: "shop".into(), ring: ring.into(), from: (from > 0).then(|| at(from)), to: at(to) }
}

fn judge(generation: i64, passed: bool) -> Move {
    Move::Judge { group: "shop".into(), generation, passed }
}

fn floor(floor: i64) -> Move {
    Move::RaiseFloor { group: "shop".into(), floor }
}

/// Both lines of a move that went well.
fn both(program: &str, what: Move) -> [Line; 2] {
    [line(program, When::About, what.clone()), line(program, When::Done, what)]
}

/// Three plans through two rings, and a floor.
fn sound() -> Vec<Line> {
    let programs = ["api", "api 2", "enactor 1", "enactor 2", "server 1", "server 2", "retirement", "person"];
    let mut lines: Vec<Line> = programs.iter().map(|program| line(program, When::Done, Move::Begin)).collect();
    for number in 1..=3 {
        lines.extend(both("api", admit(number)));
        lines.extend(both("enactor 1", head("canary", Role::First, number - 1, number)));
        lines.push(line("server 1", When::Done, install("canary", number - 1, number)));
        lines.extend(both("enactor 2", judge(number, true)));
        lines.extend(both("enactor 2", head("fleet", Role::Later, number - 1, number)));
        lines.push(line("server 2", When::Done, install("fleet", number - 1, number)));
    }
    lines.extend(both("retirement", floor(3)));
    lines
}

/// The lines as their programs number them: the end of a move is that of the last that was about to be.
fn text(lines: &[Line]) -> String {
    let mut last: HashMap<Uuid, u64> = HashMap::new();
    let mut open: HashMap<(Uuid, String), u64> = HashMap::new();
    let mut text = String::new();
    for line in lines {
        let mut line = line.clone();
        let number = last.entry(line.instance).or_default();
        *number += 1;
        line.number = *number;
        let what = (line.instance, format!("{:?}", line.what));
        match line.when {
            When::About => {
                open.insert(what, line.number);
            }
            When::Done | When::Without => line.of = open.remove(&what),
        }
        text += &(serde_json::to_string(&line).unwrap() + "\n");
    }
    text
}

/// The sound trace with more after it: refused, because of that.
#[track_caller]
fn refused(more: &[Line], why: &str) {
    let mut lines = sound();
    let sound_lines = lines.len();
    lines.extend(more.iter().cloned());
    let violations = check(&text(&lines)).unwrap_err();
    assert!(violations.iter().any(|one| one.why.contains(why) && one.line > sound_lines), "{violations:?}");
}

#[test]
fn what_the_programs_may_do_passes() {
    let summary = Summary { runs: 8, admitted: 3, moved: 6, judged: 3, raised: 1, stops: 0, installed: 6 };
    assert_eq!(check(&text(&sound())), Ok(summary));
}

#[test]
fn a_program_killed_between_its_write_and_its_word_is_believed() {
    let mut lines = sound();
    lines.push(line("api", When::About, admit(4)));
    lines.push(line("enactor 1", When::About, head("canary", Role::First, 3, 4)));
    lines.push(line("server 1", When::Done, install("canary", 3, 4)));
    let mut text = text(&lines);
    assert!(check(&text).is_ok(), "{:?}", check(&text));
    text.push_str(r#"{"program":"en"#);
    assert!(check(&text).is_ok(), "a line that was cut off tells nothing");
    text.push('\n');
    assert!(check(&text).unwrap_err()[0].why.contains("cannot be read"));
}

#[test]
fn a_lost_race_is_no_move() {
    let mut lines = sound();
    let other = Move::Admit {
        group: "shop".into(),
        base: 2,
        to: At { generation: 4, id: "ee".repeat(32) },
        through_freeze: false,
    };
    lines.extend([line("api", When::About, other.clone()), line("api", When::Without, other)]);
    lines.extend(both("api 2", admit(4)));
    assert!(check(&text(&lines)).is_ok());
}

#[test]
fn f47_a_head_at_a_generation_that_was_never_admitted_is_refused() {
    refused(&both("enactor 1", head("canary", Role::First, 3, 9)), "never admitted");
    refused(
        &[
            line("api", When::About, admit(4)),
            line("api", When::Without, admit(4)),
            line("enactor 1", When::About, head("canary", Role::First, 3, 4)),
        ],
        "never admitted",
    );
}

#[test]
fn f47_a_move_back_is_refused() {
    refused(&both("enactor 1", head("canary", Role::First, 3, 2)), "back, from 3 to 2");
    let mut more = Vec::from(both("api", admit(4)));
    more.extend(both("enactor 1", head("canary", Role::First, 2, 4)));
    refused(&more, "the head has fallen");
}

#[test]
fn f47_an_install_below_or_beside_is_refused() {
    refused(&[line("server 1", When::Done, install("canary", 3, 2))], "back, from 3 to 2");
    refused(&[line("server 1", When::Done, install("canary", 3, 3))], "to where it is");
    refused(&[line("server 2", When::Done, install("fleet", 2, 3))], "held something else");
    let fork = Move::Install {
        group: "shop".into(),
        ring: "canary".into(),
        from: Some(at(3)),
        to: At { generation: 3, id: "ee".repeat(32) },
    };
    refused(&[line("server 1", When::Done, fork)], "a fork");
}

#[test]
fn f47_an_install_of_what_was_not_enacted_or_not_proved_is_refused() {
    let mut more = Vec::from(both("api", admit(4)));
    more.push(line("server 2", When::Done, install("fleet", 3, 4)));
    refused(&more, "nobody moved the head of ring fleet");
    let mut more = Vec::from(both("api", admit(4)));
    more.extend(both("enactor 1", head("canary", Role::First, 3, 4)));
    more.extend(both("enactor 1", head("fleet", Role::Later, 3, 4)));
    refused(&more, "which has not passed");
    refused(&both("enactor 1", judge(4, true)), "no ring had it");
}

#[test]
fn f47_a_move_to_what_had_failed_is_refused() {
    let mut more = Vec::from(both("api", admit(4)));
    more.extend(both("enactor 1", judge(4, false)));
    more.extend(both("enactor 2", head("canary", Role::First, 3, 4)));
    refused(&more, "had failed before");
}

#[test]
fn f47_a_floor_above_a_head_is_refused() {
    let mut more = Vec::from(both("api", admit(4)));
    more.extend(both("enactor 1", head("canary", Role::First, 3, 4)));
    more.extend(both("retirement", floor(4)));
    refused(&more, "above the head of ring fleet");
    refused(&both("retirement", floor(2)), "the floor falls");
    refused(&both("retirement", floor(7)), "no generation that was admitted");
}

#[test]
fn f47_two_things_under_one_number_are_refused() {
    let other = Move::Admit {
        group: "shop".into(),
        base: 2,
        to: At { generation: 3, id: "ee".repeat(32) },
        through_freeze: false,
    };
    refused(&both("api 2", other), "the same number with another id");
    refused(&both("api", admit(6)), "5 was not admitted");
}

#[test]
fn f47_a_move_through_a_freeze_is_refused() {
    let freeze = Move::Freeze { group: None, ring: Some("canary".into()), ends: false };
    let thaw = Move::Thaw { group: None, ring: Some("canary".into()) };
    let mut more = Vec::from(both("api", admit(4)));
    more.extend(both("api", freeze.clone()));
    more.extend(both("enactor 1", head("canary", Role::First, 3, 4)));
    refused(&more, "after a freeze was acknowledged");
    // One that began before, or ended after, may have gone through in time.
    let mut lines = sound();
    lines.extend(both("api", admit(4)));
    lines.push(line("enactor 1", When::About, head("canary", Role::First, 3, 4)));
    lines.extend(both("api", freeze.clone()));
    lines.push(line("enactor 1", When::Done, head("canary", Role::First, 3, 4)));
    lines.extend(both("api", thaw.clone()));
    assert!(check(&text(&lines)).is_ok());
    // Nor is there a clock for one that ends by itself; and a thaw that was on its way meanwhile may have come after it.
    let ends = Move::Freeze { group: None, ring: Some("canary".into()), ends: true };
    let across = [
        line("api", When::About, freeze.clone()),
        line("api 2", When::About, thaw.clone()),
        line("api 2", When::Done, thaw),
        line("api", When::Done, freeze),
    ];
    for stop in [both("api", ends).to_vec(), across.to_vec()] {
        let mut lines = sound();
        lines.extend(both("api", admit(4)));
        lines.extend(stop);
        lines.extend(both("enactor 1", head("canary", Role::First, 3, 4)));
        assert!(check(&text(&lines)).is_ok(), "{:?}", check(&text(&lines)));
    }
}

#[test]
fn f47_what_was_tried_twice_may_have_happened_the_first_time() {
    // 1. The database admits it, and nobody hears.
    // 2. It is tried again, and was there.
    let mut lines = sound();
    lines.push(line("api", When::About, admit(4)));
    lines.extend([line("api", When::About, admit(4)), line("api", When::Without, admit(4))]);
    lines.extend(both("enactor 1", head("canary", Role::First, 3, 4)));
    assert!(check(&text(&lines)).is_ok(), "{:?}", check(&text(&lines)));
}

#[test]
fn f47_a_trace_with_a_hole_is_refused() {
    let says = |text: &str, why: &str| {
        let violations = check(text).unwrap_err();
        assert!(violations.iter().any(|one| one.why.contains(why)), "{violations:?}");
    };
    says("", "nothing is told");
    let whole = text(&sound());
    let lines: Vec<&str> = whole.lines().collect();
    // Each line but the last of its run is missed by its number, whatever it told.
    let mut is_last = HashMap::new();
    for (place, line) in sound().iter().enumerate() {
        is_last.insert(line.instance, place);
    }
    for missing in (0..lines.len()).filter(|place| !is_last.values().any(|last| last == place)) {
        let others = lines.iter().enumerate().filter(|(place, _)| *place != missing);
        let text: String = others.map(|(_, line)| format!("{line}\n")).collect();
        says(&text, "of this run comes after");
    }
    let mut lines = sound();
    lines.push(line("somebody", When::Done, floor(3)));
    says(&text(&lines), "this run never began to tell");
}

#[test]
fn f47_what_a_database_holds_and_nobody_told_is_found() {
    let held = |ring: Option<&str>, at: At| Held { group: "shop".into(), ring: ring.map(str::to_owned), at };
    let text = text(&sound());
    let told = [held(None, at(1)), held(None, at(3)), held(Some("fleet"), at(3))];
    assert_eq!(untold(&text, &told), Vec::<&Held>::new());
    let other = At { generation: 3, id: "ee".repeat(32) };
    let untold_ones = [held(None, at(4)), held(None, other), held(Some("late"), at(3))];
    assert_eq!(untold(&text, &untold_ones), untold_ones.iter().collect::<Vec<_>>());
}

#[test]
fn f47_what_a_person_asks_for_is_judged_when_it_is_done() {
    let by_hand = Move::MoveHead {
        group: "shop".into(),
        ring: "fleet".into(),
        role: Role::Later,
        head: Some(at(3)),
        to: at(4),
        by_hand: true,
    };
    let mut lines = sound();
    lines.extend(both("api", admit(4)));
    lines.extend([line("person", When::About, by_hand.clone()), line("person", When::Without, by_hand.clone())]);
    assert!(check(&text(&lines)).is_ok(), "{:?}", check(&text(&lines)));
    let mut more = Vec::from(both("api", admit(4)));
    more.extend(both("person", by_hand));
    refused(&more, "which has not passed");
}

#[test]
fn f47_a_ring_that_ended_holds_no_floor() {
    let mut lines = Vec::from(both("api", admit(4)));
    lines.extend(both("enactor 1", head("canary", Role::First, 3, 4)));
    let mut ended = sound();
    ended.extend(lines.clone());
    ended.extend(both("api", Move::EndRing { ring: "fleet".into() }));
    ended.extend(both("retirement", floor(4)));
    assert!(check(&text(&ended)).is_ok(), "{:?}", check(&text(&ended)));
    lines.extend(both("retirement", floor(4)));
    refused(&lines, "above the head of ring fleet");
}

/// The database is restored from before generation 3, and another 3 and a 4 grow on it.
fn restored() -> Vec<Line> {
    let mut lines = vec![line("person", When::Done, Move::Restore)];
    let other = |generation: i64| At { generation, id: format!("{:064x}", 0xee00 + generation) };
    for generation in [3, 4] {
        let admit =
            Move::Admit { group: "shop".into(), base: generation - 1, to: other(generation), through_freeze: false };
        lines.extend(both("api", admit));
        let head = Move::MoveHead {
            group: "shop".into(),
            ring: "canary".into(),
            role: Role::First,
            head: Some(if generation == 3 { at(2) } else { other(3) }),
            to: other(generation),
            by_hand: false,
        };
        lines.extend(both("enactor 1", head));
    }
    lines
}

#[test]
fn f47_a_restored_database_is_another_history_and_its_fork_is_no_servers() {
    let mut lines = sound();
    lines.extend(restored());
    assert!(check(&text(&lines)).is_ok(), "{:?}", check(&text(&lines)));
    let without = lines.iter().filter(|line| line.what != Move::Restore).cloned().collect::<Vec<_>>();
    let violations = check(&text(&without)).unwrap_err();
    assert!(violations.iter().any(|one| one.why.contains("the same number with another id")), "{violations:?}");
    assert!(violations.iter().any(|one| one.why.contains("the head has fallen")), "{violations:?}");

    // Whoever held the lost 3 goes neither to the other one nor beyond it; a raised epoch is above all.
    let installed = |to: At| {
        let mut more = restored();
        more.push(line(
            "server 1",
            When::Done,
            Move::Install { group: "shop".into(), ring: "canary".into(), from: Some(at(3)), to },
        ));
        more
    };
    let other = |generation: i64| At { generation, id: format!("{:064x}", 0xee00 + generation) };
    refused(&installed(other(3)), "a fork");
    refused(&installed(other(4)), "of a history with another 3: a fork");
    let raised = zone_model::GENERATIONS_PER_EPOCH;
    let mut lines = sound();
    lines.extend(restored());
    let raise = Move::Admit { group: "shop".into(), base: 4, to: at(raised), through_freeze: false };
    lines.extend(both("api", raise));
    let head = Move::MoveHead {
        group: "shop".into(),
        ring: "canary".into(),
        role: Role::First,
        head: Some(other(4)),
        to: at(raised),
        by_hand: false,
    };
    lines.extend(both("enactor 1", head));
    lines.push(line("server 1", When::Done, install("canary", 3, raised)));
    assert!(check(&text(&lines)).is_ok(), "{:?}", check(&text(&lines)));
}
