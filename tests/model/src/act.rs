//! Everything that can happen next, and what then is.

use crate::client::Client;
use crate::enactor::Enactor;
use crate::numbers::Number;
use crate::retirement;
use crate::setup::{Guard, Setup};
use crate::system::System;
use std::fmt;

/// One thing that happens, at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Act {
    /// A client's author reads the tip.
    Read(usize),
    /// A client posts its plan, which draws a number.
    Draw(usize),
    /// Its handler reads the history, and asks the rules.
    Decide(usize),
    /// Its handler writes what was decided.
    Write(usize),
    /// A client does all of that without a pause.
    Post(usize),
    /// An enactor looks at a ring.
    Look(usize, usize),
    /// An enactor goes on with what it was about to write.
    GoOn(usize),
    /// An enactor is killed, and started again.
    Kill(usize),
    /// A server reads and builds.
    Fetch(usize),
    /// A server swaps in what it built.
    Install(usize),
    /// A server loses what it built: the connection broke.
    Lose(usize),
    /// A server is killed, and started again.
    Restart(usize),
    /// The first ring's server lives on, for as long as a proof takes.
    Soak,
    /// Time passes, for as long as the last ring waits.
    Pass,
    /// An operator freezes everything, and is told so.
    Freeze,
    /// An operator thaws it.
    Thaw,
    /// Retirement looks how far it may go.
    Choose,
    /// Retirement raises the floor, as far as it had found.
    Raise,
    /// Retirement deletes a plan's obsolete rows.
    ForgetChanges(Number),
    /// Retirement deletes superseded moves.
    ForgetMoves,
    /// Retirement deletes generations to which nothing holds on.
    ForgetGenerations,
    /// Somebody pins a generation.
    Pin(Number),
    /// Somebody lets go of it.
    Unpin(Number),
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(client) => write!(f, "client {client} reads the tip"),
            Self::Draw(client) => write!(f, "client {client} posts its plan, which draws its number"),
            Self::Decide(client) => write!(f, "client {client}'s handler reads the history, and decides"),
            Self::Write(client) => write!(f, "client {client}'s handler writes the generation"),
            Self::Post(client) => write!(f, "client {client} posts its plan"),
            Self::Look(enactor, ring) => write!(f, "enactor {enactor} looks at ring {ring}"),
            Self::GoOn(enactor) => write!(f, "enactor {enactor} goes on"),
            Self::Kill(enactor) => write!(f, "enactor {enactor} is killed, and started again"),
            Self::Fetch(server) => write!(f, "server {server} reads and builds"),
            Self::Install(server) => write!(f, "server {server} swaps in what it built"),
            Self::Lose(server) => write!(f, "server {server} loses what it built"),
            Self::Restart(server) => write!(f, "server {server} is killed, and started again"),
            Self::Soak => f.write_str("server 0 lives on it for as long as a proof takes"),
            Self::Pass => f.write_str("time passes, for as long as the last ring waits"),
            Self::Freeze => f.write_str("an operator freezes everything, and is told so"),
            Self::Thaw => f.write_str("an operator thaws it"),
            Self::Choose => f.write_str("retirement looks how far it may go"),
            Self::Raise => f.write_str("retirement raises the floor, as far as it had found"),
            Self::ForgetChanges(of) => write!(f, "retirement deletes rows of generation {of}'s plan"),
            Self::ForgetMoves => f.write_str("retirement deletes superseded moves"),
            Self::ForgetGenerations => f.write_str("retirement deletes old generations"),
            Self::Pin(number) => write!(f, "somebody pins generation {number}"),
            Self::Unpin(number) => write!(f, "somebody lets go of generation {number}"),
        }
    }
}

/// All that can happen next.
pub fn possible(setup: &Setup, system: &System, acts: &mut Vec<Act>) {
    let world = &system.world;
    for (place, client) in system.clients.iter().enumerate() {
        acts.extend(match client {
            Client::Wishing if !setup.clients_pause => Some(Act::Post(place)),
            Client::Wishing => Some(Act::Read(place)),
            Client::Read(_) => Some(Act::Draw(place)),
            Client::Drawn(_) | Client::Lost(..) => Some(Act::Decide(place)),
            Client::Decided(..) => Some(Act::Write(place)),
            Client::Told(_) => None,
        });
    }
    let a_move_is_in_flight = system.enactors.iter().any(|one| matches!(one, Enactor::InFlight { .. }));
    for (place, enactor) in system.enactors.iter().enumerate() {
        // Enactors are equal: of those in the same state one is enough.
        if place > 0 && system.enactors[place - 1] == *enactor {
            continue;
        }
        match enactor {
            Enactor::Idle => acts.extend((0..setup.rings).map(|ring| Act::Look(place, ring))),
            Enactor::GaveUp => {}
            // A failed verdict waits for the moves in flight.
            Enactor::Judging { passed: false, .. } if a_move_is_in_flight => {}
            _ => acts.push(Act::GoOn(place)),
        }
        if setup.restarts && *enactor != Enactor::Idle {
            acts.push(Act::Kill(place));
        }
    }
    for (place, server) in system.servers.iter().enumerate() {
        acts.push(Act::Fetch(place));
        if server.built.is_some() {
            acts.extend([Act::Install(place), Act::Lose(place)]);
        }
        if setup.restarts {
            acts.push(Act::Restart(place));
        }
    }
    if setup.rings > 1 {
        acts.push(Act::Soak);
    }
    if setup.rings > 2 {
        acts.push(Act::Pass);
    }
    let freeze_waits = a_move_is_in_flight && !setup.lacks(Guard::FreezeWaits);
    if system.freezes < setup.freezes && !world.frozen && !freeze_waits {
        acts.push(Act::Freeze);
    }
    if world.frozen && !freeze_waits {
        acts.push(Act::Thaw);
    }
    if setup.keeps.is_some() {
        acts.push(if system.floor_chosen.is_some() { Act::Raise } else { Act::Choose });
        acts.extend((1..=world.floor).map(Act::ForgetChanges));
        acts.extend([Act::ForgetMoves, Act::ForgetGenerations]);
    }
    if setup.pins {
        match world.pinned.least() {
            Some(pinned) => acts.push(Act::Unpin(pinned)),
            None => acts.extend((world.floor..=world.tip()).map(Act::Pin)),
        }
    }
}

/// What is after that. The same as before, where it comes to nothing.
pub fn step(setup: &Setup, system: &mut System, act: Act) {
    let System { world, clients, enactors, servers, .. } = system;
    match act {
        Act::Read(place) => clients[place].read(world),
        Act::Draw(place) => clients[place].draw(world),
        Act::Decide(place) => clients[place].decide(setup, world, setup.wishes[place]),
        Act::Write(place) => clients[place].write(setup, world, setup.wishes[place]),
        Act::Post(place) => clients[place].post(setup, world, setup.wishes[place]),
        Act::Look(place, ring) if enactors[place] == Enactor::Idle => enactors[place].look(setup, world, servers, ring),
        Act::Look(..) => {}
        Act::GoOn(place) => {
            if let Enactor::InFlight { to, .. } = enactors[place] {
                system.moved_while_frozen |= world.frozen && !world.goes_through_freezes(to);
            }
            enactors[place].write(setup, world);
        }
        Act::Kill(place) => enactors[place] = Enactor::Idle,
        Act::Fetch(place) => servers[place].fetch(setup, world, place),
        Act::Install(place) => servers[place].install(),
        Act::Lose(place) => servers[place].built = None,
        Act::Restart(place) => servers[place].restart(),
        Act::Soak => servers[0].soaked = servers[0].held.is_some(),
        Act::Pass => world.passed_long_ago = world.passed,
        Act::Freeze => (world.frozen, system.freezes) = (true, system.freezes + 1),
        Act::Thaw => world.frozen = false,
        Act::Choose => system.floor_chosen = retirement::choose(setup, world),
        Act::Raise => {
            if let Some(floor) = system.floor_chosen.take() {
                world.raise_floor(setup, floor);
            }
        }
        Act::ForgetChanges(of) => {
            let obsolete = world.obsolete_changes(setup, of);
            world.retired.extend(obsolete);
        }
        Act::ForgetMoves => {
            for (ring, number) in world.superseded_moves() {
                world.moves[ring].remove(number);
            }
        }
        Act::ForgetGenerations => {
            for number in world.unreached_generations(setup) {
                world.forgotten.insert(number);
            }
        }
        Act::Pin(number) => {
            if number >= world.floor {
                world.pinned.insert(number);
            }
        }
        Act::Unpin(number) => world.pinned.remove(number),
    }
    // Which of equal enactors is which makes no difference.
    system.enactors.sort_unstable();
}
