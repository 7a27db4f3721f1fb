//! The checker of traces: what the programs may do passes, and each kind of violation is refused, with its place.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use model::trace::{Summary, check};
use move_trace::{At, Line, Move, Role, When};
use uuid::Uuid;

fn at(generation: i64) -> At {
    At { generation, id: format!("{generation:064x}") }
}

fn line(program: &str, when: When, what: Move) -> Line {
    let instance = Uuid::from_u128(program.bytes().fold(0, |sum, byte| sum * 31 + u128::from(byte)));
    Line { program: program.to_owned(), instance, when, what }
}

fn admit(generation: i64) -> Move {
    Move::Admit { group: "shop".into(), base: generation - 1, to: at(generation), through_freeze: false }
}

fn head(ring: &str, role: Role, from: i64, to: i64) -> Move {
    let head = (from > 0).then(|| at(from));
    Move::MoveHead { group: "shop".into(), ring: ring.into(), role, head, to: at(to) }
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
    let mut lines = Vec::new();
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

fn text(lines: &[Line]) -> String {
    lines.iter().map(|line| serde_json::to_string(line).unwrap() + "\n").collect()
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
    let summary = Summary { admitted: 3, moved: 6, judged: 3, raised: 1, stops: 0, installed: 6 };
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
    let freeze = Move::Freeze { group: None, ring: Some("canary".into()) };
    let thaw = Move::Thaw { group: None, ring: Some("canary".into()) };
    let mut more = Vec::from(both("api", admit(4)));
    more.extend(both("api", freeze.clone()));
    more.extend(both("enactor 1", head("canary", Role::First, 3, 4)));
    refused(&more, "after a freeze was acknowledged");
    // One that began before, or ended after, may have gone through in time.
    let mut lines = sound();
    lines.extend(both("api", admit(4)));
    lines.push(line("enactor 1", When::About, head("canary", Role::First, 3, 4)));
    lines.extend(both("api", freeze));
    lines.push(line("enactor 1", When::Done, head("canary", Role::First, 3, 4)));
    lines.extend(both("api", thaw));
    assert!(check(&text(&lines)).is_ok());
}
