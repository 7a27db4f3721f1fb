//! Some thousands of schedules in the test run, and each broken world found out. The million is a command:
//! `cargo run --release -p simulation -- --schedules 1000000`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use simulation::{Fault, Figures, Promise, Template, run};

/// Runs so many schedules from a seed on. A broken promise fails the test, with the command that shows it.
fn all_promises_are_kept(first: u64, many: u64) -> Figures {
    let template = Template::default();
    let mut figures = Figures::default();
    for seed in first..first + many {
        let ended = run(&template, seed, None, false);
        figures.take_in(&ended.figures);
        if let Some(broken) = ended.broken {
            let command = format!("cargo run --release -p simulation -- --seed {seed} --schedules 1 --trace");
            panic!("seed {seed} breaks a promise: {broken}\nto see it move by move: {command}");
        }
    }
    figures
}

#[test]
fn no_schedule_breaks_a_promise() {
    let figures = all_promises_are_kept(1, 2_000);
    // What never happens proves nothing: each of these has to be met, or the schedules have become tame.
    for what in [
        "plans admitted",
        "plans rebased",
        "stale plans",
        "plans refused by guards",
        "races lost by plans",
        "moved to a newer tip",
        "retries with a key",
        "repeated by their key",
        "rollbacks admitted",
        "zones ended",
        "epochs raised",
        "restores",
        "moves",
        "races lost by enactors",
        "moves that came too late",
        "verdicts passed",
        "verdicts failed",
        "freezes",
        "deadly installs",
        "installs refused",
        "floors raised",
        "batches of changes retired",
        "batches of generations forgotten",
        "pins",
        "pins taken away",
        "loads from below the floor",
        "readers overtaken by a floor",
        "rollbacks to what was retired",
        "HF009",
        "HF032",
        "HF035",
        "HF022",
        "HF023",
    ] {
        assert!(figures.of(what) > 0, "{what} never happened:\n{figures}");
    }
}

#[test]
fn a_seed_repeats_its_schedule() {
    let template = Template::default();
    for seed in [3, 8, 1_000_003] {
        let (once, again) = (run(&template, seed, None, true), run(&template, seed, None, true));
        assert!(once.trace.len() > 20);
        assert_eq!(once.trace, again.trace);
    }
}

/// A broken world is found within so many schedules, and by the promise that it breaks.
fn is_found(fault: Fault, within: u64, by: &[Promise]) {
    let template = Template::default();
    let found = (1..=within).find_map(|seed| run(&template, seed, Some(fault), false).broken);
    let found = found.unwrap_or_else(|| panic!("{fault} was not found within {within} schedules"));
    assert!(by.contains(&found.promise), "{fault} was found as something else: {found}");
}

#[test]
fn a_world_without_compare_and_swap_is_found() {
    is_found(Fault::NoCompareAndSwap, 2_000, &[Promise::NoLostUpdate, Promise::NeverDangling, Promise::RetriesAreOne]);
}

#[test]
fn f08_a_door_that_looks_at_the_number_alone_is_found() {
    is_found(Fault::ParentIgnored, 4_000, &[Promise::NoLostUpdate, Promise::NothingNeededIsGone, Promise::NewestWins]);
}

#[test]
fn f05_a_guard_that_compares_the_wrong_base_is_found() {
    is_found(Fault::WrongBase, 2_000, &[Promise::NoLostUpdate]);
}

#[test]
fn f01_a_head_that_is_written_in_place_is_found() {
    is_found(Fault::HeadWrittenInPlace, 4_000, &[Promise::NeverBackwards]);
}

#[test]
fn f48_a_freeze_that_waits_for_nobody_is_found() {
    is_found(Fault::FreezeWithoutLock, 4_000, &[Promise::FrozenMeansFrozen]);
}

#[test]
fn f02_an_enactor_that_gives_up_is_found() {
    is_found(Fault::LoserGivesUp, 500, &[Promise::NewestWins]);
}

#[test]
fn f33_a_ring_that_waits_for_no_verdict_is_found() {
    is_found(Fault::VerdictIgnored, 2_000, &[Promise::FailedStaysBehind]);
}

#[test]
fn f33_a_trial_without_a_soak_is_found() {
    is_found(Fault::SoakIgnored, 2_000, &[Promise::FailedStaysBehind]);
}

#[test]
fn a_failure_that_does_not_last_is_found() {
    is_found(Fault::FailedIsForgotten, 4_000, &[Promise::FailedStaysBehind, Promise::NewestWins]);
}

#[test]
fn f15_guards_that_sleep_are_found() {
    is_found(Fault::GuardsIgnored, 1_000, &[Promise::NeverEmpty]);
}

#[test]
fn f18_pointers_to_nothing_are_found() {
    is_found(Fault::ReferencesIgnored, 1_000, &[Promise::NeverDangling]);
}

#[test]
fn f56_write_skew_is_found() {
    is_found(Fault::ReadsIgnored, 4_000, &[Promise::NoLostUpdate]);
}

#[test]
fn a_server_that_installs_what_is_older_is_found() {
    is_found(Fault::InstallsOlder, 4_000, &[Promise::NeverBackwards]);
}

#[test]
fn f08_a_server_that_installs_a_fork_is_found() {
    is_found(Fault::InstallsFork, 4_000, &[Promise::OneLine]);
}

#[test]
fn f30_a_server_that_swaps_zone_by_zone_is_found() {
    is_found(Fault::InstallsByZone, 1_000, &[Promise::NeverTorn, Promise::NoLostUpdate]);
}

#[test]
fn f09_a_retry_that_is_a_new_plan_is_found() {
    is_found(Fault::KeysIgnored, 2_000, &[Promise::RetriesAreOne]);
}

#[test]
fn f01_a_floor_that_passes_heads_is_found() {
    is_found(Fault::FloorPassesHeads, 500, &[Promise::NothingNeededIsGone]);
}

#[test]
fn a_floor_that_passes_pins_is_found() {
    is_found(Fault::PinsIgnored, 500, &[Promise::NothingNeededIsGone]);
}

#[test]
fn f49_a_floor_that_waits_for_nobody_is_found() {
    is_found(Fault::FloorWithoutLock, 4_000, &[Promise::NothingNeededIsGone]);
}

#[test]
fn retirement_by_age_is_found() {
    is_found(Fault::RetiresByAge, 500, &[Promise::NothingNeededIsGone]);
}

#[test]
fn tombstones_that_go_first_are_found() {
    is_found(Fault::TombstonesGoFirst, 500, &[Promise::NothingNeededIsGone]);
}

#[test]
fn f49_a_reader_that_does_not_look_again_is_found() {
    is_found(Fault::ReaderLooksBefore, 2_000, &[Promise::NothingNeededIsGone]);
}
