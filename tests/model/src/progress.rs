//! Progress: from every state, any one enactor that goes on alone brings the newest plan in force, in a bounded number of
//! steps, whatever the others were about to do.
//!
//! A model checker's "eventually" looks for an end of every path, and takes a circle for one. So each state is asked by
//! itself: everybody stops for good where they are (their connections break), whatever is frozen is thawed, and one
//! enactor and the servers take turns.

use crate::act::{Act, step};
use crate::enactor::Enactor;
use crate::numbers::Number;
use crate::setup::Setup;
use crate::system::System;

/// How many rounds of one enactor's turn and the servers' turns are enough.
pub const ROUNDS_MAX: usize = 10;

/// How many rounds it took, whoever the enactor was.
///
/// # Errors
/// What was not in force after [`ROUNDS_MAX`] rounds.
pub fn closing(setup: &Setup, system: &System) -> Result<usize, String> {
    let mut most = 0;
    for (place, enactor) in system.enactors.iter().enumerate() {
        if place == 0 || system.enactors[place - 1] != *enactor {
            most = most.max(alone(setup, system, *enactor)?);
        }
    }
    Ok(most)
}

fn alone(setup: &Setup, system: &System, enactor: Enactor) -> Result<usize, String> {
    let mut system = System { enactors: vec![enactor], ..system.clone() };
    system.world.frozen = false;
    let mut lacks = in_force(&system);
    for round in 0..ROUNDS_MAX {
        if lacks.is_ok() {
            return Ok(round);
        }
        for ring in 0..setup.rings {
            step(setup, &mut system, Act::Look(0, ring));
            while !matches!(system.enactors[0], Enactor::Idle | Enactor::GaveUp) {
                step(setup, &mut system, Act::GoOn(0));
            }
        }
        for server in 0..system.servers.len() {
            step(setup, &mut system, Act::Fetch(server));
            step(setup, &mut system, Act::Install(server));
        }
        if setup.rings > 1 && !system.servers.is_empty() {
            step(setup, &mut system, Act::Soak);
        }
        step(setup, &mut system, Act::Pass);
        lacks = in_force(&system);
    }
    lacks.map(|()| ROUNDS_MAX)
}

/// Whether nothing newer than what is in force could be.
fn in_force(system: &System) -> Result<(), String> {
    let world = &system.world;
    let tip_stands = !world.failed.contains(world.tip());
    for ring in 0..world.moves.len() {
        let newest_proved = world.passed.iter().filter(|number| !world.failed.contains(*number)).last();
        let wanted: Number = if tip_stands { world.tip() } else { newest_proved.unwrap_or(0) };
        let head = world.head(ring);
        if head[0] < wanted || head[1] < wanted {
            return Err(format!("ring {ring} is at {head:?}, and {wanted} is to be in force"));
        }
        let Some(server) = system.servers.get(ring) else { continue };
        let held = server.held.map_or([0; 2], |held| held.zones);
        if held != head && !world.is_poison(head[0]) {
            return Err(format!("server {ring} serves {held:?}, and its head is {head:?}"));
        }
    }
    Ok(())
}
