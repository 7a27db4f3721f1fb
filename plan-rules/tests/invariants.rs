//! Random plans against judges who look at everything that stands: what is let in keeps every promise, and what a guard
//! refuses would have broken one.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod world;

use plan_rules::{
    Decision, Footprint, Meanwhile, News, Objection, Refusal, admit, admit_on_newer_tip, footprint, targets,
};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use world::{World, address, contents, name, operator, placed, plan, set};
use zone_model::{Content, Delete, Edit, Guard, Id, Key, Name, Plan, RecordSet, RecordType, SetKey, ZoneChange};

type State = BTreeMap<(Name, Key), Content>;

/// What a plan does to one of six names.
#[derive(Clone, Debug)]
enum Act {
    Address,
    Alias(u8),
    Delete,
    Guard(u16),
    Unguard,
}

#[derive(Clone, Debug)]
struct Posted {
    acts: Vec<(u8, Act)>,
    replaces: bool,
}

fn posted() -> impl Strategy<Value = Posted> {
    let act = prop_oneof![
        4 => Just(Act::Address),
        3 => (0_u8..7).prop_map(Act::Alias),
        4 => Just(Act::Delete),
        1 => (1_u16..3).prop_map(Act::Guard),
        1 => Just(Act::Unguard),
    ];
    let acts = prop::collection::btree_map(0_u8..6, act, 1..4).prop_map(|acts| acts.into_iter().collect());
    (acts, prop::bool::weighted(0.1)).prop_map(|(acts, replaces)| Posted { acts, replaces })
}

fn owner(number: u8) -> String {
    format!("n{number}.example.")
}

fn alias(number: u8, target: u8) -> RecordSet {
    set(&owner(number), RecordType::CNAME, &[&owner(target)])
}

fn as_plan(posted: &Posted, base: i64) -> Plan {
    let (mut upserts, mut deletes, mut guards, mut unguards) = (vec![], vec![], vec![], vec![]);
    for (number, act) in &posted.acts {
        let key = SetKey::new(&name(&owner(*number)), RecordType::A);
        match act {
            Act::Address => {
                upserts.push(address(&owner(*number), *number));
                deletes.push(Delete { owner: name(&owner(*number)), rtype: Some(RecordType::CNAME) });
            }
            Act::Alias(target) => {
                upserts.push(alias(*number, *target));
                deletes.push(Delete { owner: name(&owner(*number)), rtype: Some(RecordType::A) });
            }
            Act::Delete => deletes.push(Delete { owner: name(&owner(*number)), rtype: None }),
            Act::Guard(minimum) => guards.push((key, *minimum)),
            Act::Unguard => unguards.push(key),
        }
    }
    let change = if posted.replaces {
        ZoneChange::Replace(contents("example.", 1, upserts))
    } else {
        let edit = Edit::new(&name("example."), placed(upserts), placed(deletes)).unwrap();
        ZoneChange::Edit(edit.with_guards(&name("example."), placed(guards), placed(unguards)).unwrap())
    };
    let mut plan = plan(base, vec![("example.", change)]);
    for guard in [Guard::DeletedShare, Guard::ChangedShare] {
        plan.acknowledged.insert(guard, "how much is not the question".to_owned());
    }
    plan
}

/// What would stand, by the plainest reading of what the plan says.
fn naively(state: &State, posted: &Posted) -> State {
    let mut next = state.clone();
    let zone = name("example.");
    let key = |number: u8, rtype| (zone.clone(), Key::Records(SetKey::new(&name(&owner(number)), rtype)));
    if posted.replaces {
        next.retain(|(_, key), _| match key {
            Key::Records(set) => !set.owner().to_string().starts_with('n') || set.owner().to_string().starts_with("ns"),
            _ => true,
        });
    }
    for (number, act) in &posted.acts {
        let guard = (zone.clone(), Key::Guarded(SetKey::new(&name(&owner(*number)), RecordType::A)));
        match act {
            Act::Address => {
                next.remove(&key(*number, RecordType::CNAME));
                next.insert(key(*number, RecordType::A), Content::Records(address(&owner(*number), *number)));
            }
            Act::Alias(target) => {
                next.remove(&key(*number, RecordType::A));
                next.insert(key(*number, RecordType::CNAME), Content::Records(alias(*number, *target)));
            }
            Act::Delete => {
                next.remove(&key(*number, RecordType::A));
                next.remove(&key(*number, RecordType::CNAME));
            }
            Act::Guard(minimum) if !posted.replaces => drop(next.insert(guard, Content::Minimum(*minimum))),
            Act::Unguard if !posted.replaces => drop(next.remove(&guard)),
            Act::Guard(_) | Act::Unguard => {}
        }
    }
    next
}

fn records(state: &State) -> impl Iterator<Item = &RecordSet> {
    state.values().filter_map(|content| match content {
        Content::Records(set) => Some(set),
        _ => None,
    })
}

/// Pointers at names where nothing stands.
fn dangling(state: &State) -> BTreeSet<Name> {
    let standing: BTreeSet<Name> = records(state).map(|set| set.owner().to_lowercase()).collect();
    records(state).flat_map(targets).filter(|target| !standing.contains(target)).collect()
}

/// Guarded sets with fewer records than they must have.
fn broken_guards(state: &State) -> usize {
    let broken = state.iter().filter(|((zone, key), content)| {
        let (Key::Guarded(set), Content::Minimum(minimum)) = (key, content) else { return false };
        match state.get(&(zone.clone(), Key::Records(set.clone()))) {
            Some(Content::Records(set)) => set.records().len() < usize::from(*minimum),
            _ => true,
        }
    });
    broken.count()
}

fn objects(objections: &[Objection], guard: Guard) -> bool {
    objections.iter().any(|one| one.guard == guard)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_let_in_keeps_every_promise_and_what_is_refused_would_break_one(
        schedule in prop::collection::vec(posted(), 1..25),
    ) {
        let mut world = World::with_example(vec![]);
        for posted in &schedule {
            let before = world.state(world.generations.len());
            let wished = naively(&before, posted);
            match world.post(&as_plan(posted, world.tip_number())) {
                Ok(Decision::Admit(_)) => {
                    let after = world.state(world.generations.len());
                    prop_assert_eq!(dangling(&after), BTreeSet::new(), "{:?}", posted);
                    prop_assert_eq!(broken_guards(&after), 0, "{:?}", posted);
                    let of = |state: &State| records(state).cloned().collect::<Vec<_>>();
                    prop_assert_eq!(of(&after), of(&wished));
                }
                Ok(Decision::NoOp { .. }) => prop_assert_eq!(before, wished),
                Err(Refusal::Guarded(objections)) => {
                    prop_assert_eq!(objects(&objections, Guard::References), !dangling(&wished).is_empty());
                    prop_assert_eq!(objects(&objections, Guard::GuardedNames), broken_guards(&wished) > 0);
                    prop_assert!(objections.iter().all(|one| matches!(one.guard, Guard::References | Guard::GuardedNames)));
                }
                Err(other) => prop_assert!(false, "{other:?}"),
            }
        }
    }
}

/// What the loser of a race reads: all that was admitted after the first `judged` generations.
fn news(world: &World, plan: &Plan, judged: usize) -> News {
    let mut changed = BTreeMap::new();
    let mut meanwhile = Vec::new();
    let footprint = footprint(plan);
    for generation in &world.generations[judged..] {
        for change in &generation.changes {
            let owner = match &change.key {
                Key::Records(set) | Key::Guarded(set) => set.owner().clone(),
                Key::Serial | Key::Setting(_) => change.zone.clone(),
            };
            let within = match footprint.get(&change.zone) {
                Some(Footprint::WholeZone) => true,
                Some(Footprint::Names(names)) => names.contains(&owner),
                None => false,
            };
            if within {
                changed.insert((change.zone.clone(), owner.clone()), generation.version.generation);
            }
            let points_to = match &change.content {
                Some(Content::Records(set)) => targets(set).into_iter().collect(),
                _ => Vec::new(),
            };
            meanwhile.push(Meanwhile { zone: change.zone.clone(), name: owner, points_to });
        }
    }
    let changed = changed.into_iter().map(|((zone, name), generation)| (zone, name, generation)).collect();
    let decided_on = world.generations[..judged].last().map_or(Id::GENESIS, |generation| generation.version.id);
    News { tip: world.tip().unwrap(), decided_on, changed, settings_changed: false, meanwhile: Some(meanwhile) }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whoever lost a race judges only what is new: that must never let in what judging everything anew would not.
    #[test]
    fn the_loser_of_a_race_gets_no_further_than_by_deciding_anew(
        before in prop::collection::vec(posted(), 0..8),
        slow in posted(),
        meanwhile in prop::collection::vec(posted(), 1..4),
    ) {
        let mut world = World::with_example(vec![]);
        for posted in &before {
            drop(world.post(&as_plan(posted, world.tip_number())));
        }
        let judged = world.generations.len();
        let plan = as_plan(&slow, world.tip_number());
        let Ok(Decision::Admit(decided)) = admit(&plan, &operator(), &world.history_for(&plan)) else { return Ok(()) };
        for posted in &meanwhile {
            drop(world.post(&as_plan(posted, world.tip_number())));
        }
        if world.generations.len() == judged {
            return Ok(());
        }
        let anew = admit(&plan, &operator(), &world.history_for(&plan));
        match (admit_on_newer_tip(*decided, &news(&world, &plan, judged)), anew) {
            // Another plan that wished the same is a conflict to the loser, and its author looks again.
            (Ok(None), _) | (Err(Refusal::StaleBase { .. }), Err(Refusal::StaleBase { .. }) | Ok(Decision::NoOp { .. })) => {}
            (Ok(Some(again)), Ok(Decision::Admit(mut anew))) => {
                anew.record_sets.values_mut().for_each(|of_zone| of_zone.after = None);
                prop_assert_eq!(again.version, anew.version);
                prop_assert_eq!((again.digest, again.answers), (anew.digest, anew.answers));
                prop_assert_eq!(again.changes, anew.changes);
            }
            (again, anew) => prop_assert!(false, "{again:?} where deciding anew gives {anew:?}"),
        }
    }
}

#[test]
fn the_judges_see_what_they_are_there_for() {
    let mut state: State = BTreeMap::new();
    let key = |rtype| (name("example."), Key::Records(SetKey::new(&name("n1.example."), rtype)));
    state.insert(key(RecordType::CNAME), Content::Records(alias(1, 2)));
    assert_eq!(dangling(&state), BTreeSet::from([name("n2.example.")]));
    let guard = (name("example."), Key::Guarded(SetKey::new(&name("n1.example."), RecordType::A)));
    state.insert(guard, Content::Minimum(1));
    assert_eq!(broken_guards(&state), 1);
}

#[test]
fn f18_a_pointer_that_comes_while_its_target_goes_is_seen_by_the_loser() {
    let act = |number, act| Posted { acts: vec![(number, act)], replaces: false };
    let mut world = World::with_example(vec![address("n4.example.", 4)]);
    let plan = as_plan(&act(4, Act::Delete), 1);
    let Ok(Decision::Admit(decided)) = admit(&plan, &operator(), &world.history_for(&plan)) else { panic!() };
    assert!(matches!(world.post(&as_plan(&act(1, Act::Alias(4)), 1)), Ok(Decision::Admit(_))));
    assert!(matches!(admit_on_newer_tip(*decided, &news(&world, &plan, 1)), Ok(None)));
    assert!(matches!(world.post(&plan), Err(Refusal::Guarded(_))));
}
