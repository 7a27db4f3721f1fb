//! Every promise, in every order of moves within each walk. The number of states is pinned, so that a walk cannot quietly
//! become shorter.

use model::{Setup, setups};
use stateright::{Checker, Model};

/// Walks all of it.
fn walk(setup: Setup, states: usize) {
    let checker = setup.clone().checker().threads(2).spawn_bfs().join();
    for (name, path) in checker.discoveries() {
        if checker.model().properties().iter().any(|one| one.name == name && one.expectation.discovery_is_failure()) {
            panic!("{name}:\n{}", model::story::told(&setup, path));
        }
    }
    checker.assert_properties();
    assert_eq!(checker.unique_state_count(), states, "the walk has another length than before");
}

#[test]
fn f05_admission() {
    walk(setups::admission(), 31_271);
}

#[test]
fn f23_enactment() {
    walk(setups::enactment().sized(3, 3), 81_726);
}

#[test]
fn f11_retirement() {
    walk(setups::retirement().sized(1, 3), 158_780);
}

#[test]
fn f52_rings() {
    walk(setups::rings().sized(1, 3), 21_540);
}
