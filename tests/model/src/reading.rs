//! What the rules are told: the same pictures that SQL reads, taken from the world in one moment.

use crate::numbers::{Number, generation};
use crate::server::Server;
use crate::wish::{GROUP, Wish, ZONES};
use crate::world::{World, footprint};
use plan_rules::{
    Admission, Change, Course, Footprint, Former, Head, History, Known, Meanwhile, News, Pointer, Report, Ring,
    RingName, Rings, RollbackRequest, Stop, StopKind, Tip, ZoneHistory, ZoneOwner, leans, names_on_the_way, rollback,
    targets,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;
use std::time::Duration;
use zone_model::{Base, Content, Key, Name, Plan, PlanKind};

/// The rings: the first proves where it is not alone, the last waits.
pub static RINGS: LazyLock<[RingName; 3]> =
    LazyLock::new(|| ["canary", "fleet", "delayed"].map(|name| RingName::parse(name).expect("a name")));

/// How long the last ring waits.
const DELAY: Duration = Duration::from_secs(60);
/// As long ago as no rule asks for more.
const LONG: Duration = Duration::from_secs(100);
/// Long enough to prove a generation, and not so long that silence would fail it.
const SOAKED: Duration = Duration::from_secs(10);

/// The tip, as decisions take it.
#[must_use]
pub fn tip(world: &World) -> Tip {
    let Admission { version, digest, answers, deletes_spent, .. } = *world.row(world.tip()).judged.0;
    Tip { version, digest, answers, deletes_spent }
}

/// The plan of somebody who wishes that, and had read `base`. A rollback is made from what is read now.
#[must_use]
pub fn plan(world: &World, wish: Wish, base: Number) -> Option<Plan> {
    let Wish::RollBack { through_freeze } = wish else { return wish.plan(base) };
    let to = base - 1;
    let then = world.state_at(to);
    let changed = world.difference(to, world.tip());
    let formers = changed.keys().filter_map(|(zone, key)| {
        let Key::Records(set_key) = key else { return None };
        let set = match then.get(&(*zone, *key)) {
            Some(Content::Records(set)) => Some(set.clone()),
            _ => None,
        };
        Some(Former { zone: (*zone).clone(), key: set_key.clone(), set })
    });
    let request = RollbackRequest {
        group: GROUP.clone(),
        to: generation(to),
        base: Base::from(generation(base)),
        base_id: None,
        reason: "it was better before".to_owned(),
        through_freeze,
    };
    rollback(&request, tip(world), formers.collect()).ok()
}

/// What a plan is decided on: its footprint, and what it leans on.
#[must_use]
pub fn history(world: &World, plan: &Plan) -> History {
    let mut history = History::default();
    if world.tip() > 0 {
        history.tip = Some(tip(world));
        history.floor = Some(generation(world.floor));
    }
    let base = Number::try_from(plan.base.get()).unwrap_or(0);
    history.base_id = world.has(base).then(|| world.row(base).version().id);
    for (number, _, change) in world.changes() {
        if let Key::Setting(setting) = change.key {
            let value = match &change.content {
                Some(Content::Setting(value)) => Some(value.clone()),
                _ => None,
            };
            history.settings.insert(setting, (value, generation(number)));
        }
    }
    for (zone, part) in plan_rules::footprint(plan) {
        let read = zone_history(world, &zone, &part);
        history.zones.insert(zone, read);
    }
    let leans = leans(plan, &history);
    for target in leans.targets {
        let zone = ZONES.iter().find(|zone| world.tip() > 0 && target.is_within(zone));
        for name in zone.iter().flat_map(|zone| names_on_the_way(&target, zone)) {
            let read = zone_history(world, zone.expect("it is in one"), &Footprint::Names([name].into()));
            history.zones.entry(zone.expect("it is in one").clone()).or_default().sets.extend(read.sets);
        }
        history.target_zones.insert(target, zone.cloned());
    }
    for name in leans.pointed_to {
        let standing = world.state_at(world.tip());
        let pointing = standing.iter().filter_map(|((zone, key), content)| match (key, content) {
            (Key::Records(key), Content::Records(set)) if targets(set).contains(&name) => {
                Some(Pointer { zone: (*zone).clone(), key: key.clone() })
            }
            _ => None,
        });
        let pointing: BTreeSet<Pointer> = pointing.collect();
        history.pointers.insert(name, pointing);
    }
    history.around = leans.around.into_iter().map(|zone| (zone, plan_rules::Around::default())).collect();
    history
}

fn zone_history(world: &World, zone: &Name, part: &Footprint) -> ZoneHistory {
    let mut of_zone = ZoneHistory::default();
    let mine = |change: &Change| change.zone == *zone && !matches!(change.key, Key::Setting(_));
    for (number, _, change) in world.changes().filter(|(_, _, change)| mine(change)) {
        of_zone.owner = ZoneOwner::ThisGroup;
        of_zone.touched = Some(generation(number));
        let within = match (&change.key, part) {
            (Key::Records(key) | Key::Guarded(key), Footprint::Names(names)) => names.contains(key.owner()),
            _ => true,
        };
        if within {
            of_zone.stands(&change.key, change.content.as_ref(), generation(number));
        }
    }
    let standing = world.state_at(world.tip());
    let records = standing.keys().filter(|(in_zone, key)| *in_zone == zone && matches!(key, Key::Records(_)));
    of_zone.record_sets = records.count() as u64;
    of_zone
}

/// What is new to somebody who decided on the tip `decided_on`, and lost the race.
#[must_use]
pub fn news(world: &World, admission: &Admission, decided_on: Number) -> News {
    let footprint = footprint(admission);
    let mut changed = BTreeMap::new();
    let mut meanwhile = Vec::new();
    for (number, _, change) in world.changes().filter(|(number, ..)| *number > decided_on) {
        let (Key::Records(set) | Key::Guarded(set)) = &change.key else { continue };
        let name = (change.zone.clone(), set.owner().clone());
        if footprint.contains(&name) {
            changed.insert(name.clone(), generation(number));
        }
        let points_to = match &change.content {
            Some(Content::Records(set)) => targets(set).into_iter().collect(),
            _ => Vec::new(),
        };
        meanwhile.push(Meanwhile { zone: name.0, name: name.1, points_to });
    }
    let changed = changed.into_iter().map(|((zone, name), number)| (zone, name, number)).collect();
    let settings = world.changes().any(|(number, _, one)| number > decided_on && matches!(one.key, Key::Setting(_)));
    News {
        tip: tip(world),
        decided_on: admission.parent,
        changed,
        settings_changed: settings,
        meanwhile: Some(meanwhile),
    }
}

/// The rings, their servers and what is stopped, as one look of an enactor shows them.
#[must_use]
pub fn rings(world: &World, servers: &[Server]) -> Rings {
    let count = world.moves.len();
    let ring = |place: usize| Ring {
        first: place == 0,
        soak: Duration::ZERO,
        delay: if place == 2 { DELAY } else { Duration::ZERO },
        servers_min: 1,
    };
    let server = |place: usize| plan_rules::Server {
        ring: RINGS[place].clone(),
        seen: Duration::ZERO,
        started: LONG,
        forgotten: false,
        doubled: false,
    };
    let stop = Stop { kind: StopKind::Freeze, group: None, ring: None };
    Rings {
        rings: (0..count).map(|place| (RINGS[place].clone(), ring(place))).collect(),
        servers: (0..servers.len()).map(|place| (RINGS[place].to_string(), server(place))).collect(),
        stops: world.frozen.then_some(stop).into_iter().collect(),
        watched: LONG,
    }
}

/// The group, as one look of an enactor shows it.
#[must_use]
pub fn course(world: &World, servers: &[Server]) -> Course {
    let known = |number: Number| {
        let row = world.row(number);
        let same_answers = |other: Number| world.row(other).judged.0.answers == row.judged.0.answers;
        let newer = (number + 1..=world.tip()).map(|newer| world.row(newer).judged.0.kind);
        Known {
            id: row.version().id,
            failed: world.failed.contains(number),
            passed: world
                .passed
                .contains(number)
                .then(|| if world.passed_long_ago.contains(number) { LONG } else { Duration::ZERO }),
            answers_passed: world.passed.iter().any(|other| !world.failed.contains(other) && same_answers(other)),
            rolled_back: newer
                .into_iter()
                .any(|kind| matches!(kind, PlanKind::Rollback { to, .. } if to < generation(number))),
            through_freeze: matches!(row.judged.0.kind, PlanKind::Rollback { through_freeze: true, .. }),
        }
    };
    let soaked = servers.first().is_some_and(|server| server.soaked);
    let head = |ring: usize| {
        let number = world.head(ring)[0];
        let expected = if ring == 0 && world.moves.len() > 1 { [RINGS[0].to_string()].into() } else { BTreeSet::new() };
        let age = if soaked { SOAKED } else { Duration::ZERO };
        (RINGS[ring].clone(), Head { version: world.row(number).version(), age, expected })
    };
    let report = |(place, server): (usize, &Server)| {
        let version = world.row(server.held?.zones[0]).version();
        let age = if server.soaked { SOAKED } else { Duration::ZERO };
        let fault = server.fault.then(|| "it cannot be borne".to_owned());
        Some((RINGS[place].to_string(), Report { version, age, fault }))
    };
    Course {
        group: GROUP.clone(),
        generations: (1..=world.tip())
            .filter(|number| world.has(*number))
            .map(|number| (generation(number), known(number)))
            .collect(),
        heads: (0..world.moves.len()).map(head).collect(),
        reports: servers.iter().enumerate().filter_map(report).collect(),
    }
}
