//! Rolling back and raising the epoch: both are new generations.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod world;

use plan_rules::{
    Decision, Former, History, News, Refusal, RollbackRequest, admit, admit_on_newer_tip, raise, rollback,
};
use std::collections::BTreeSet;
use world::{World, address, contents, edit, generation, name, operator, placed, plan, planner, set, tip_of, upsert};
use zone_model::{
    Base, Content, Edit, GroupName, Guard, Key, Plan, PlanKind, RecordType, Serial, SetKey, Setting, SettingValue,
    Version, ZoneChange,
};

fn request(to: i64, base: i64, through_freeze: bool) -> RollbackRequest {
    RollbackRequest {
        group: GroupName::parse("example").unwrap(),
        to: generation(to),
        base: Base::new(base).unwrap(),
        base_id: None,
        reason: "it was better before".to_owned(),
        through_freeze,
    }
}

/// Every record set that changed after `to`, as it stood then.
fn formers(world: &World, to: i64) -> Vec<Former> {
    let count = usize::try_from(to).unwrap();
    let changed: BTreeSet<_> =
        world.generations.iter().skip(count).flat_map(|one| &one.changes).map(|one| (&one.zone, &one.key)).collect();
    let then = world.state(count);
    let former = |(zone, key): (&zone_model::Name, &Key)| {
        let Key::Records(set_key) = key else { return None };
        let set = match then.get(&(zone.clone(), key.clone())) {
            Some(Content::Records(set)) => Some(set.clone()),
            _ => None,
        };
        Some(Former { zone: zone.clone(), key: set_key.clone(), set })
    };
    changed.into_iter().filter_map(former).collect()
}

fn rolled_back(world: &World, request: &RollbackRequest) -> Plan {
    rollback(request, world.tip().unwrap(), formers(world, request.to.get())).unwrap()
}

fn admitted(decision: Result<Decision, Refusal>) -> plan_rules::Admission {
    match decision {
        Ok(Decision::Admit(admission)) => *admission,
        other => panic!("expected an admission, got {other:?}"),
    }
}

#[test]
fn f04_a_rollback_is_a_new_generation_with_the_answers_of_the_old() {
    let signatures = |covered: &str| {
        let text = format!("{covered} 13 2 60 20300101000000 20200101000000 1 example. AAAA");
        set("www.example.", RecordType::RRSIG, &[&text])
    };
    let mut world = World::with_example(vec![address("www.example.", 1), signatures("A")]);
    admitted(world.post(&upsert(1, "www.example.", 2)));
    let change = edit("example.", vec![signatures("TXT")], vec![("ns1.example.", None)]);
    let mut other = plan(2, vec![("example.", change)]);
    other.acknowledged.insert(Guard::References, "to be taken back".to_owned());
    admitted(world.post(&other));
    let back = rolled_back(&world, &request(1, 3, false));
    assert_eq!(back.kind, PlanKind::Rollback { to: generation(1), through_freeze: false });
    assert!(matches!(world.post_as(&planner(), &back), Err(Refusal::Forbidden(_))));
    let admission = admitted(world.post(&back));
    assert_eq!(admission.version.generation, generation(4));
    assert_eq!(admission.answers, world.generations[0].answers);
    assert_eq!(admission.digest, world.digest(4));
    assert_eq!(world.standing("www.example.", RecordType::A), Some(address("www.example.", 1)));
    // Once more is nothing.
    let again = rolled_back(&world, &request(1, 4, false));
    assert!(matches!(world.post(&again), Ok(Decision::NoOp { .. })));
}

#[test]
fn f57_a_rollback_is_not_held_up_by_budgets_and_closes_the_group() {
    let mut world = World::with_example(vec![]);
    let many = (1..=50).map(|number| address(&format!("a{number}.example."), number)).collect();
    admitted(world.post(&plan(1, vec![("example.", edit("example.", many, vec![]))])));
    let back = rolled_back(&world, &request(1, 2, true));
    let admission = admitted(world.post(&back));
    assert_eq!(admission.counts.deleted, 50);
    let closed = SettingValue::Closed("it was better before".into());
    let expected = (Key::Setting(Setting::Closed), Some(Content::Setting(closed)));
    assert!(admission.changes.iter().any(|change| (change.key.clone(), change.content.clone()) == expected));
    // The automation posts again, and is told.
    assert!(matches!(world.post_as(&planner(), &upsert(3, "www.example.", 1)), Err(Refusal::Guarded(_))));
}

#[test]
fn a_rollback_keeps_guards_and_what_they_guard() {
    let mut world = World::with_example(vec![]);
    let www = SetKey::new(&name("www.example."), RecordType::A);
    let guarded = Edit::new(&name("example."), placed(vec![address("www.example.", 1)]), vec![]).unwrap();
    let guarded = guarded.with_guards(&name("example."), placed(vec![(www, 1)]), vec![]).unwrap();
    admitted(world.post(&plan(1, vec![("example.", ZoneChange::Edit(guarded))])));
    match world.post(&rolled_back(&world, &request(1, 2, false))) {
        Err(Refusal::Guarded(objections)) => assert_eq!(objections[0].guard, Guard::GuardedNames),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_rollback_is_refused_when_it_was_decided_on_less_than_what_stands() {
    let mut world = World::with_example(vec![address("www.example.", 1)]);
    admitted(world.post(&upsert(1, "www.example.", 2)));
    let back = rolled_back(&world, &request(1, 2, false));
    admitted(world.post(&upsert(2, "www.example.", 3)));
    assert!(matches!(world.post(&back), Err(Refusal::StaleBase { conflict_count: 1, .. })));
    let future = rollback(&request(9, 3, false), world.tip().unwrap(), vec![]);
    assert!(matches!(future, Err(Refusal::UnknownBase { .. })));
}

/// Retirement has taken what `www` was, and left what `other` is: it looks as if nothing had stood at `www`.
#[test]
fn nobody_goes_back_to_what_is_below_the_floor() {
    let mut world = World::with_example(vec![address("www.example.", 1)]);
    admitted(world.post(&upsert(1, "www.example.", 2)));
    admitted(world.post(&upsert(2, "www.example.", 3)));
    let back = |to| rolled_back(&world, &request(to, 3, false));
    let with_floor = |plan: &Plan, floor| {
        let history = History { floor: Some(generation(floor)), ..world.history_for(plan) };
        admit(plan, &operator(), &history)
    };
    let retired = Refusal::Retired { generation: generation(1), floor: generation(2) };
    assert_eq!(with_floor(&back(1), 2).unwrap_err(), retired);
    assert!(with_floor(&back(2), 2).is_ok());
    assert!(with_floor(&back(1), 1).is_ok());
}

#[test]
fn a_zone_that_began_later_is_not_ended_by_going_back() {
    let mut world = World::with_example(vec![]);
    admitted(world.post(&plan(1, vec![("other.", ZoneChange::Replace(contents("other.", 5, vec![])))])));
    let back = rollback(&request(1, 2, false), world.tip().unwrap(), formers(&world, 1));
    assert!(matches!(back, Err(Refusal::Invalid(violations)) if violations[0].message.contains("end it first")));
}

#[test]
fn f08_a_raise_is_above_all_that_was_known_or_reported_and_serials_go_on() {
    let mut world = World::with_example(vec![]);
    admitted(world.post(&upsert(1, "www.example.", 1)));
    let before = world.serial();
    let whole = plan(2, vec![("example.", ZoneChange::Replace(contents("example.", 0, vec![])))]);
    let zones = world.history_for(&whole).zones;
    let tip = world.tip().unwrap();
    let raised = raise(tip, Some(generation(60)), &zones).unwrap();
    assert_eq!(raised.version.generation, generation(1_000_000_000));
    assert_eq!((raised.kind, raised.answers), (PlanKind::Raise, tip.answers));
    world.generations.push(raised);
    // A server that had 60 answered with 58 more than this tip's serial.
    assert_eq!(world.serial(), before.plus(58).plus(1));
    assert_eq!(world.tip().unwrap().digest, world.digest(3));
    // A base of the old line needs its id; and the epoch can be raised twice in a row.
    assert!(matches!(world.post(&upsert(2, "www.example.", 2)), Err(Refusal::UnknownBase { .. })));
    let zones = world.history_for(&whole).zones;
    let twice = raise(tip_of(&world.generations[2]), Some(generation(1_000_000_007)), &zones).unwrap();
    assert_eq!(twice.version.generation, generation(2_000_000_000));
    assert_ne!(twice.version, Version { generation: generation(2_000_000_000), id: world.generations[2].version.id });
}

#[test]
fn f08_a_zone_that_rested_goes_on_above_all_that_it_may_have_answered() {
    let mut world = World::with_example(vec![]);
    admitted(world.post(&plan(1, vec![("other.", ZoneChange::Replace(contents("other.", 5, vec![])))])));
    admitted(world.post(&upsert(2, "www.example.", 1)));
    let whole = plan(3, vec![("other.", ZoneChange::Replace(contents("other.", 0, vec![])))]);
    let raised = raise(world.tip().unwrap(), Some(generation(60)), &world.history_for(&whole).zones).unwrap();
    // It rested since 2, and may have been touched in the 60 that was lost: 58 more than it had.
    assert_eq!(raised.changes[0].content, Some(Content::Serial(Serial(5 + 58 + 1))));
}

#[test]
fn a_rollback_that_lost_a_race_is_decided_anew() {
    let mut world = World::with_example(vec![address("www.example.", 1)]);
    admitted(world.post(&upsert(1, "www.example.", 2)));
    let back = rolled_back(&world, &request(1, 2, false));
    let decided = admitted(admit(&back, &operator(), &world.history_for(&back)));
    // Somebody adds a name that the rollback does not know of. Together they would answer what never was answered.
    admitted(world.post(&upsert(2, "other.example.", 9)));
    let (tip, meanwhile) = (world.tip().unwrap(), Some(Vec::new()));
    let news = News { tip, decided_on: decided.parent, changed: Vec::new(), settings_changed: false, meanwhile };
    assert_eq!(admit_on_newer_tip(decided, &news), Ok(None));
}
