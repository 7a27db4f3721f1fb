//! The walks: each exhausts one combination, and together they cover what is worth combining.

use crate::setup::Setup;
use crate::wish::Wish;

/// Four clients with a pause wherever others may come between: reading, drawing a number, deciding, writing, trying again.
#[must_use]
pub fn admission() -> Setup {
    Setup {
        enactors: 0,
        clients_pause: true,
        servers: false,
        ..Setup::new(vec![Wish::Api(2), Wish::Www(3), Wish::Api(4), Wish::RollBack { through_freeze: false }])
    }
}

/// Three enactors and a server in one ring, all of whom may be stopped or killed anywhere, while four plans land, an
/// operator freezes and thaws, and a rollback goes through the freeze.
#[must_use]
pub fn enactment() -> Setup {
    Setup {
        enactors: 3,
        freezes: 1,
        restarts: true,
        ..Setup::new(vec![Wish::Api(2), Wish::Www(3), Wish::Old(4), Wish::RollBack { through_freeze: true }])
    }
}

/// Retirement, killed between any two of its statements, beside two enactors, a server that reads late, and pins; with a name
/// that goes and comes back.
#[must_use]
pub fn retirement() -> Setup {
    Setup {
        enactors: 2,
        restarts: true,
        keeps: Some(1),
        pins: true,
        ..Setup::new(vec![Wish::DropOld, Wish::Api(3), Wish::Old(4)])
    }
}

/// Three rings and two enactors: a plan, a poison, what repairs it, and a rollback, in any order.
#[must_use]
pub fn rings() -> Setup {
    Setup {
        rings: 3,
        enactors: 2,
        ..Setup::new(vec![Wish::Api(2), Wish::Poison, Wish::RollBack { through_freeze: false }])
    }
}

/// All of it at once, with four plans: for a machine that has an evening.
#[must_use]
pub fn everything() -> Setup {
    Setup {
        rings: 2,
        enactors: 3,
        clients_pause: true,
        freezes: 1,
        restarts: true,
        keeps: Some(1),
        pins: true,
        ..Setup::new(vec![Wish::Api(2), Wish::DropOld, Wish::Poison, Wish::RollBack { through_freeze: true }])
    }
}

/// Every walk, by name.
#[must_use]
pub fn all() -> Vec<(&'static str, Setup)> {
    vec![
        ("admission", admission()),
        ("enactment", enactment()),
        ("retirement", retirement()),
        ("rings", rings()),
        ("everything", everything()),
    ]
}
