//! Each guard taken out: the walk must find what it is there for, and tell it move by move.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use model::promises::name;
use model::wish::Wish;
use model::{Act, Guard, Setup, System, progress, setups, story};
use stateright::{Checker, HasDiscoveries, Model};
use std::fmt::Write as _;

/// The shortest way to break `promise` without that guard, told. Shown with `--nocapture`, or when the test fails.
fn found(setup: Setup, without: &'static [Guard], promise: &'static str) -> String {
    let setup = Setup { without, ..setup };
    let broken = HasDiscoveries::AnyOf([promise].into());
    let checker = setup.clone().checker().finish_when(broken).spawn_bfs().join();
    let path =
        checker.discovery(promise).unwrap_or_else(|| panic!("without {without:?}, `{promise}` holds all the same"));
    let story = story::told(&setup, path);
    println!("without {without:?}, not {promise}:\n{story}");
    story
}

/// One ring and nothing that is frozen, where that has nothing to do with it.
fn enactment() -> Setup {
    Setup { enactors: 2, freezes: 0, restarts: false, ..setups::enactment() }
}

#[test]
fn f01_without_the_greatest_move_a_delayed_enactor_moves_a_head_back() {
    let story = found(enactment(), &[Guard::GreatestMove], name::NEVER_BACKWARDS);
    assert!(story.contains("goes from 4 to 3"), "{story}");
}

#[test]
fn f05_a_fresh_tip_in_place_of_the_plans_base_loses_an_update() {
    found(setups::admission(), &[Guard::BaseOfThePlan], name::NO_UPDATE_IS_LOST);
}

#[test]
fn f01_a_plan_written_after_any_tip_loses_an_update() {
    found(setups::admission(), &[Guard::TipUnchanged], name::NO_UPDATE_IS_LOST);
}

#[test]
fn f10_clean_up_by_age_takes_what_is_in_force() {
    found(setups::retirement(), &[Guard::ReachedIsKept], name::NEVER_DANGLING);
}

#[test]
fn f23_a_loser_that_gives_up_leaves_the_newest_plan_waiting() {
    let story = found(enactment(), &[Guard::ReadAgain], name::NEWEST_WINS);
    assert!(story.contains("is to be in force"), "{story}");
}

#[test]
fn f03_one_check_for_many_names_shows_half_a_plan() {
    found(enactment(), &[Guard::WholeGroups], name::NEVER_TORN);
}

#[test]
fn f48_a_freeze_that_waits_for_nobody_is_acknowledged_too_early() {
    found(setups::enactment(), &[Guard::FreezeWaits], name::FROZEN_MEANS_FROZEN);
}

#[test]
fn f52_a_later_ring_that_asks_for_no_verdict_takes_the_poison() {
    found(setups::rings(), &[Guard::Verdicts], name::LATER_RINGS_FOLLOW);
}

/// What was missing on that day: nothing compares what is written with what is there, clean-up goes by age, servers take
/// what they get, and a move has to read what was in force before.
const THAT_DAY: &[Guard] = &[Guard::GreatestMove, Guard::ReachedIsKept, Guard::ServersOwnSay, Guard::MovesNeedNothing];

fn that_day(without: &'static [Guard]) -> Setup {
    Setup { enactors: 2, keeps: Some(1), without, ..Setup::new(vec![Wish::Api(2), Wish::Api(3), Wish::Api(4)]) }
}

/// Move for move. The same moves come to nothing where the guards stand.
const MOVES: &[Act] = &[
    Act::Post(0),
    Act::Look(0, 0), // The first enactor has checked that plan 3 is newer, and is delayed.
    Act::Post(1),
    Act::Post(2),
    Act::Look(0, 0), // The second enactor, up to date,
    Act::GoOn(1),    // applies plan 5,
    Act::Fetch(0),
    Act::Install(0),
    Act::Choose,  // and begins to clean up.
    Act::GoOn(1), // The first goes on: the old plan over the newer one.
    Act::Fetch(0),
    Act::Install(0),
    Act::Raise,
    Act::ForgetChanges(1),
    Act::ForgetChanges(2),
    Act::ForgetChanges(3),
    Act::ForgetChanges(4),
    Act::ForgetMoves,
    Act::ForgetGenerations,
    Act::Fetch(0),
    Act::Install(0),
];

fn play(setup: &Setup) -> (System, String) {
    let mut system = System::begin(setup);
    let mut told = String::new();
    for (place, act) in MOVES.iter().enumerate() {
        let next = system.after(setup, *act);
        writeln!(told, "{:>3}. {act}{}", place + 1, story::difference(setup, &system, &next)).unwrap();
        system = next;
    }
    (system, told)
}

#[test]
fn the_twentieth_of_october_2025_move_for_move() {
    let setup = that_day(THAT_DAY);
    let (system, told) = play(&setup);
    println!("{told}");
    assert!(told.contains("goes from 5 to 3"), "the old plan over the newer one:\n{told}");
    let held = system.servers[0].held.unwrap();
    assert!(!held.answers, "the name is empty:\n{told}");
    let why = progress::closing(&setup, &system).unwrap_err();
    assert!(why.contains("5 is to be in force"), "nothing repairs it: {why}");
}

#[test]
fn the_same_moves_with_the_guards_in_place() {
    let setup = that_day(&[]);
    let (system, told) = play(&setup);
    println!("{told}");
    let held = system.servers[0].held.unwrap();
    assert_eq!((held.zones, held.whole, held.answers), ([5, 5], true, true), "{told}");
    progress::closing(&setup, &system).unwrap();
}

#[test]
fn that_day_is_found_without_being_told() {
    let story = found(that_day(&[]), THAT_DAY, name::NEVER_EMPTY);
    assert!(story.contains("NOTHING"), "{story}");
}
