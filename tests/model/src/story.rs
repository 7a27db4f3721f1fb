//! A walk's finding, told as moves.

use crate::act::Act;
use crate::client::Client;
use crate::enactor::Enactor;
use crate::progress::closing;
use crate::setup::Setup;
use crate::system::System;
use stateright::Path;
use std::fmt::Write as _;

/// What led there, move by move: what happens, and what is different afterwards.
#[must_use]
pub fn told(setup: &Setup, path: Path<System, Act>) -> String {
    let mut story = String::new();
    let moves = path.into_vec();
    for (place, (before, act)) in moves.iter().enumerate() {
        let Some(act) = act else { break };
        let after = &moves[place + 1].0;
        let _fits = writeln!(story, "{:>3}. {act}{}", place + 1, difference(setup, before, after));
    }
    if let Some((last, _)) = moves.last()
        && let Err(why) = closing(setup, last)
    {
        let _fits = writeln!(story, "     from here on: {why}");
    }
    story
}

/// What changed, in words.
#[must_use]
pub fn difference(setup: &Setup, before: &System, after: &System) -> String {
    let mut changes = Vec::new();
    let (old, new) = (&before.world, &after.world);
    for (place, row) in new.generations.iter().enumerate().skip(old.generations.len()) {
        changes.push(format!("generation {} is {} (plan {}, base {})", place + 1, row.wish, row.plan, row.base));
    }
    for (wish, (was, is)) in setup.wishes.iter().zip(before.clients.iter().zip(&after.clients)) {
        if was != is {
            changes.push(match is {
                Client::Wishing => String::new(),
                Client::Read(read) => format!("{wish} will be based on {read}"),
                Client::Drawn(posted) => format!("plan {}", posted.plan),
                Client::Decided(_, on, _) => format!("let in on tip {on}"),
                Client::Lost(..) => "the number is taken: lost the race".to_owned(),
                Client::Told(told) => format!("told {told:?}"),
            });
        }
    }
    for ring in 0..new.moves.len() {
        let (was, is) = (old.head(ring), new.head(ring));
        if was != is {
            let name = |head: [u8; 2]| if head[0] == head[1] { head[0].to_string() } else { format!("{head:?}") };
            changes.push(format!("the head of ring {ring} goes from {} to {}", name(was), name(is)));
        }
    }
    // Enactors stand in no order, so who it was is told by what they are up to.
    for enactor in after.enactors.iter().filter(|one| !before.enactors.contains(one)) {
        changes.push(match enactor {
            Enactor::Idle => "it will look again".to_owned(),
            Enactor::Moving { to, .. } => format!("is about to move it to {to}"),
            Enactor::InFlight { to, .. } => format!("its move to {to} is written, not committed"),
            Enactor::BetweenZones { to, .. } => format!("the second zone is still to go to {to}"),
            Enactor::Judging { generation, passed } => {
                format!("is about to say that {generation} {}", if *passed { "passed" } else { "failed" })
            }
            Enactor::GaveUp => "takes its work for done".to_owned(),
        });
    }
    for number in new.passed.iter().filter(|one| !old.passed.contains(*one)) {
        changes.push(format!("{number} has passed"));
    }
    for number in new.failed.iter().filter(|one| !old.failed.contains(*one)) {
        changes.push(format!("{number} has failed"));
    }
    if new.floor != old.floor {
        changes.push(format!("the floor is {}", new.floor));
    }
    if new.retired.len() + new.forgotten.iter().count() != old.retired.len() + old.forgotten.iter().count() {
        changes.push("rows are gone".to_owned());
    }
    if after.floor_chosen != before.floor_chosen && after.floor_chosen.is_some() {
        changes.push(format!("it would raise the floor to {}", after.floor_chosen.unwrap_or_default()));
    }
    for (place, (was, is)) in before.servers.iter().zip(&after.servers).enumerate() {
        if was.held != is.held {
            changes.push(match is.held {
                None => format!("server {place} holds nothing, and is not ready"),
                Some(held) if !held.answers => format!("server {place} answers {:?} with NOTHING", held.zones),
                Some(held) => format!("server {place} answers generation {:?}", held.zones),
            });
        }
    }
    if changes.is_empty() { String::new() } else { format!(": {}", changes.join("; ")) }
}
