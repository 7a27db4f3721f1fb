//! What must always hold, and what must happen sometimes. The judges look at what is there, and ask no rule.

use crate::client::{Client, Told};
use crate::progress;
use crate::setup::Setup;
use crate::system::System;
use crate::world::{World, footprint};
use stateright::Property;

/// The names of the promises.
pub mod name {
    /// Heads and servers never go back.
    pub const NEVER_BACKWARDS: &str = "never backwards";
    /// A server that is ready answers the guarded names.
    pub const NEVER_EMPTY: &str = "never empty";
    /// What a head, a pin or a server's read points at can be read.
    pub const NEVER_DANGLING: &str = "never dangling";
    /// The zones of a group are of one generation.
    pub const NEVER_TORN: &str = "never torn";
    /// What is served under a number is what was admitted under it.
    pub const SAME_NUMBER_SAME_CONTENT: &str = "same number, same content";
    /// Nobody's plan overwrites what its author had not read.
    pub const NO_UPDATE_IS_LOST: &str = "no update is lost";
    /// The greatest plan number is the newest version of a name.
    pub const NUMBERS_RISE: &str = "plan numbers rise with generations";
    /// What the rules let in on a tip, the database lets in on that tip.
    pub const BOTH_AGREE: &str = "rules and database agree";
    /// After a freeze was acknowledged no head moves.
    pub const FROZEN_MEANS_FROZEN: &str = "frozen means frozen";
    /// Later rings are where the first has proved.
    pub const LATER_RINGS_FOLLOW: &str = "later rings follow verdicts";
    /// From here any one enactor brings the newest plan in force.
    pub const NEWEST_WINS: &str = "the newest plan gets in force";
}

/// All promises, and what must be seen on the way for the walk to mean anything.
#[must_use]
pub fn all(setup: &Setup) -> Vec<Property<Setup>> {
    let mut all = vec![
        Property::always(name::NEVER_BACKWARDS, |_, system: &System| never_backwards(system)),
        Property::always(name::NEVER_EMPTY, |_, system: &System| {
            held(system).all(|(_, held)| held.answers) && guarded_names_stand(&system.world)
        }),
        Property::always(name::NEVER_DANGLING, |_, system: &System| never_dangling(&system.world)),
        Property::always(name::NEVER_TORN, |_, system: &System| {
            held(system).all(|(_, held)| held.zones[0] == held.zones[1])
        }),
        Property::always(name::SAME_NUMBER_SAME_CONTENT, |_, system: &System| held(system).all(|(_, held)| held.whole)),
        Property::always(name::NO_UPDATE_IS_LOST, |_, system: &System| no_update_is_lost(&system.world)),
        Property::always(name::NUMBERS_RISE, |_, system: &System| numbers_rise(&system.world)),
        Property::always(name::BOTH_AGREE, |_, system: &System| !told(system, |one| *one == Told::Disagreed)),
        Property::always(name::FROZEN_MEANS_FROZEN, |_, system: &System| !system.moved_while_frozen),
        Property::always(name::LATER_RINGS_FOLLOW, |_, system: &System| later_rings_follow(system)),
        Property::always(name::NEWEST_WINS, |setup: &Setup, system: &System| progress::closing(setup, system).is_ok()),
    ];
    if setup.clients_pause && setup.without.is_empty() {
        all.push(Property::sometimes("a loser tries again", |_, system: &System| {
            system.clients.iter().any(|one| matches!(one, Client::Decided(posted, ..) if posted.tried_again))
        }));
        all.push(Property::sometimes("a stale plan is told so", |_, system: &System| {
            told(system, |one| *one == Told::Stale)
        }));
    }
    all
}

fn held(system: &System) -> impl Iterator<Item = (usize, crate::server::Held)> {
    system.servers.iter().enumerate().filter_map(|(ring, server)| Some((ring, server.held?)))
}

fn told(system: &System, is_so: impl Fn(&Told) -> bool) -> bool {
    system.clients.iter().any(|one| matches!(one, Client::Told(told) if is_so(told)))
}

fn never_backwards(system: &System) -> bool {
    let heads = system.world.moves.iter().enumerate().all(|(ring, moves)| {
        let head = system.world.head(ring);
        Some(head[0].max(head[1])) == moves.greatest()
    });
    let served = system.servers.iter().all(|server| server.held.is_none_or(|held| held.zones[0] == server.greatest));
    heads && served
}

/// At the tip; what is below was the tip before.
fn guarded_names_stand(world: &World) -> bool {
    crate::world::answers(&world.state_as_admitted(world.tip()))
}

fn never_dangling(world: &World) -> bool {
    let heads = (0..world.moves.len()).flat_map(|ring| world.head(ring));
    heads.chain(world.pinned.iter()).all(|number| world.can_be_read(number))
        && (world.floor..=world.tip()).all(|number| world.can_be_read(number))
}

/// Of the tip's plan, as of every one when it was the tip's.
fn no_update_is_lost(world: &World) -> bool {
    let tip = world.row(world.tip());
    let unread = &world.generations[usize::from(tip.read)..usize::from(world.tip()) - 1];
    let footprint = footprint(&tip.judged.0);
    !unread.iter().any(|one| one.changes_a_name_of(&footprint))
}

/// Of the tip's plan, as of every one when it was the tip's.
fn numbers_rise(world: &World) -> bool {
    let tip = world.row(world.tip());
    let footprint = footprint(&tip.judged.0);
    let mut older = world.generations[..usize::from(world.tip()) - 1].iter();
    older.all(|one| one.plan < tip.plan || !one.changes_a_name_of(&footprint))
}

fn later_rings_follow(system: &System) -> bool {
    let world = &system.world;
    (1..world.moves.len()).all(|ring| {
        let long_enough = if ring == 2 { world.passed_long_ago } else { world.passed };
        world.moves[ring].iter().all(|number| long_enough.contains(number) && !world.is_poison(number))
    })
}
