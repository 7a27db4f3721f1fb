//! Guards, one by one: what each refuses, what it lets through, and what its refusal says.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod world;

use plan_rules::{Above, Around, Author, Decision, News, Objection, Refusal, admit, admit_on_newer_tip};
use world::{World, address, contents, edit, name, placed, plan, planner, set, soa, upsert};
use zone_model::{
    Delete, Edit, Guard, Key, Limit, Plan, RecordSet, RecordType, SetKey, Setting, SettingValue, ZoneChange,
};

fn objections(decision: Result<Decision, Refusal>) -> Vec<Objection> {
    match decision {
        Err(Refusal::Guarded(objections)) => objections,
        other => panic!("expected a guard's refusal, got {other:?}"),
    }
}

fn only(decision: Result<Decision, Refusal>, guard: Guard) -> Objection {
    let mut objections = objections(decision);
    assert_eq!(objections.iter().map(|one| one.guard).collect::<Vec<_>>(), [guard], "{objections:?}");
    objections.remove(0)
}

fn admitted(decision: Result<Decision, Refusal>) -> plan_rules::Admission {
    match decision {
        Ok(Decision::Admit(admission)) => *admission,
        other => panic!("expected an admission, got {other:?}"),
    }
}

fn change(base: i64, upserts: Vec<RecordSet>, deletes: Vec<&str>) -> Plan {
    let deletes = deletes.into_iter().map(|owner| (owner, None)).collect();
    plan(base, vec![("example.", edit("example.", upserts, deletes))])
}

fn acknowledging(mut plan: Plan, guard: Guard) -> Plan {
    plan.acknowledged.insert(guard, "decided in the change meeting".to_owned());
    plan
}

/// `example.` with as many names beside its apex as asked for: a1, a2 …
fn of_names(count: u8) -> World {
    World::with_example((1..=count).map(|number| address(&format!("a{number}.example."), number)).collect())
}

fn names(numbers: std::ops::RangeInclusive<u8>) -> Vec<String> {
    numbers.map(|number| format!("a{number}.example.")).collect()
}

fn deleting(base: i64, numbers: std::ops::RangeInclusive<u8>) -> Plan {
    let names = names(numbers);
    change(base, vec![], names.iter().map(String::as_str).collect())
}

fn setting(base: i64, setting: Setting, value: Option<SettingValue>) -> Plan {
    let mut plan = plan(base, vec![]);
    plan.settings.insert(setting, value);
    plan
}

#[test]
fn f20_ns_and_soa_of_the_apex_change_with_a_word_and_never_go() {
    let mut world = World::with_example(vec![address("ns2.example.", 2)]);
    let ns = change(1, vec![set("example.", RecordType::NS, &["ns2.example."])], vec![]);
    let objection = only(world.post(&ns), Guard::Apex);
    assert_eq!((objection.limit, objection.actual, objection.name), (0, 1, Some(name("example."))));
    admitted(world.post(&acknowledging(ns, Guard::Apex)));
    // A serial is no change of the SOA.
    admitted(world.post(&change(2, vec![soa("example.", 77)], vec![])));
    let other = set("example.", RecordType::SOA, &["ns1.example. someone.else. 78 3600 900 604800 300"]);
    only(world.post(&change(3, vec![other], vec![])), Guard::Apex);
    let gone = plan(3, vec![("example.", edit("example.", vec![], vec![("example.", Some(RecordType::NS))]))]);
    assert!(matches!(world.post(&acknowledging(gone, Guard::Apex)), Err(Refusal::Invalid(_))));
}

#[test]
fn f18_a_pointer_to_nothing_is_refused() {
    let mut world = World::with_example(vec![address("web.example.", 1)]);
    for (rtype, dangling, standing) in [
        (RecordType::CNAME, "gone.example.", "web.example."),
        (RecordType::MX, "10 gone.example.", "10 web.example."),
        (RecordType::SRV, "0 0 80 gone.example.", "0 0 80 web.example."),
    ] {
        let base = world.tip_number();
        let to_nothing = change(base, vec![set("www.example.", rtype, &[dangling])], vec![]);
        let objection = only(world.post(&to_nothing), Guard::References);
        assert_eq!((objection.limit, objection.actual), (0, 1));
        assert!(objection.message.contains("gone.example."), "{}", objection.message);
        admitted(world.post(&change(base, vec![set("www.example.", rtype, &[standing])], vec![])));
        admitted(world.post(&change(base + 1, vec![], vec!["www.example."])));
    }
    // Outside of the group nobody here can say; the root as a target means "none".
    let elsewhere = set("www.example.", RecordType::CNAME, &["www.example.net."]);
    admitted(world.post(&change(7, vec![elsewhere, set("n.example.", RecordType::MX, &["0 ."])], vec![])));
}

#[test]
fn f18_what_something_points_to_does_not_go() {
    let alias = set("www.example.", RecordType::CNAME, &["web.example."]);
    let mut world = World::with_example(vec![address("web.example.", 1), alias]);
    let delete = change(1, vec![], vec!["web.example."]);
    let objection = only(world.post(&delete), Guard::References);
    assert_eq!(objection.name, Some(name("www.example.")));
    // Both together, or the alias turned elsewhere in the same plan, leave nothing dangling.
    let mut both = change(1, vec![], vec!["web.example.", "www.example."]);
    both.acknowledged.insert(Guard::DeletedShare, "both".to_owned());
    admitted(
        World::with_example(vec![
            address("web.example.", 1),
            set("www.example.", RecordType::CNAME, &["web.example."]),
        ])
        .post(&both),
    );
    let turned = change(1, vec![set("www.example.", RecordType::CNAME, &["ns1.example."])], vec!["web.example."]);
    admitted(world.post(&turned));
}

#[test]
fn a_target_below_a_delegation_or_under_a_wildcard_or_dname_is_fine() {
    let mut world = World::with_example(vec![
        set("sub.example.", RecordType::NS, &["ns.elsewhere.test."]),
        set("*.pool.example.", RecordType::A, &["192.0.2.7"]),
        set("old.example.", RecordType::DNAME, &["new.test."]),
        address("x.pool.example.", 1),
    ]);
    let point = |base, target: &str| change(base, vec![set("www.example.", RecordType::CNAME, &[target])], vec![]);
    for (base, target) in [(1, "a.sub.example."), (2, "sub.example."), (3, "any.pool.example."), (4, "a.old.example.")]
    {
        admitted(world.post(&point(base, target)));
    }
    // RFC 4592: x.pool exists, so the wildcard does not stand in below it.
    only(world.post(&point(5, "y.x.pool.example.")), Guard::References);
}

#[test]
fn references_can_be_switched_off_for_the_group() {
    let mut world = World::with_example(vec![]);
    admitted(world.post(&setting(1, Setting::References, Some(SettingValue::Switch(false)))));
    admitted(world.post(&change(2, vec![set("www.example.", RecordType::CNAME, &["gone.example."])], vec![])));
    admitted(world.post(&setting(3, Setting::References, None)));
    only(
        world.post(&change(4, vec![set("w2.example.", RecordType::CNAME, &["gone.example."])], vec![])),
        Guard::References,
    );
}

#[test]
fn f21_one_plan_deletes_one_record_set_or_a_tenth() {
    // 40 names, SOA, NS and the name server's address: a tenth of 43 is 4.
    let mut world = of_names(40);
    let objection = only(world.post(&deleting(1, 1..=5)), Guard::DeletedShare);
    assert_eq!((objection.limit, objection.actual, objection.zone), (4, 5, Some(name("example."))));
    admitted(world.post(&deleting(1, 1..=4)));
    // A zone of 8 record sets is protected as well: one at a time.
    let mut small = of_names(5);
    assert_eq!(only(small.post(&deleting(1, 1..=2)), Guard::DeletedShare).limit, 1);
    admitted(small.post(&acknowledging(deleting(1, 1..=2), Guard::DeletedShare)));
    admitted(small.post(&deleting(2, 3..=3)));
    let replace = plan(3, vec![("example.", ZoneChange::Replace(contents("example.", 9, vec![])))]);
    assert_eq!(only(small.post(&replace), Guard::DeletedShare).actual, 2);
}

#[test]
fn f21_one_plan_changes_four_record_sets_or_a_half() {
    let again = |numbers: std::ops::RangeInclusive<u8>| {
        numbers.map(|number| address(&format!("a{number}.example."), 200)).collect::<Vec<_>>()
    };
    let mut world = of_names(8);
    let objection = only(world.post(&change(1, again(1..=6), vec![])), Guard::ChangedShare);
    assert_eq!((objection.limit, objection.actual), (5, 6));
    admitted(world.post(&change(1, again(1..=5), vec![])));
    // Additions do not count.
    let new = (1..=50).map(|number| address(&format!("b{number}.example."), number)).collect();
    admitted(world.post(&change(2, new, vec![])));
}

#[test]
fn f21_planners_delete_a_little_an_hour_over_all_plans() {
    let mut world = of_names(8);
    let one = |base: i64, number: u8| deleting(base, number..=number);
    admitted(world.post_as(&planner(), &one(1, 1)));
    admitted(world.post_as(&planner(), &one(2, 2)));
    let objection = only(world.post_as(&planner(), &one(3, 3)), Guard::Velocity);
    assert_eq!((objection.limit, objection.actual, objection.zone), (2, 3, None));
    // Operators are exempt, and take nothing from it.
    admitted(world.post(&one(3, 4)));
    assert_eq!(world.tip().unwrap().deletes_spent, 2);
    // An hour later the first two count no more.
    world.deletes_spent_before = 2;
    admitted(world.post_as(&planner(), &one(4, 3)));
    // The limit is the group's to set.
    world.deletes_spent_before = 0;
    let limit = SettingValue::Limit(Limit::new(10, 0).unwrap());
    admitted(world.post(&setting(5, Setting::Velocity, Some(limit))));
    admitted(world.post_as(&planner(), &one(6, 5)));
}

#[test]
fn f21_the_loser_of_a_race_sees_what_others_spent_meanwhile() {
    let mut world = of_names(8);
    let slow = deleting(1, 1..=1);
    let Ok(Decision::Admit(decided)) = admit(&slow, &planner(), &world.history_for(&slow)) else { panic!() };
    admitted(world.post_as(&planner(), &deleting(1, 2..=2)));
    let tip = world.tip().unwrap();
    // Nothing in its footprint is new, but the budget is: so all is judged anew.
    let news =
        News { tip, decided_on: decided.parent, changed: vec![], settings_changed: false, meanwhile: Some(vec![]) };
    assert_eq!(admit_on_newer_tip(*decided, &news), Ok(None));
}

fn guarding(base: i64, owner: &str, minimum: u16) -> Plan {
    let guards = placed(vec![(SetKey::new(&name(owner), RecordType::A), minimum)]);
    let edit = Edit::default().with_guards(&name("example."), guards, vec![]).unwrap();
    plan(base, vec![("example.", ZoneChange::Edit(edit))])
}

#[test]
fn f15_a_guarded_record_set_is_never_emptied() {
    let two = || set("www.example.", RecordType::A, &["192.0.2.1", "192.0.2.2"]);
    let mut world = World::with_example(vec![two()]);
    // A guard has to hold at once.
    assert_eq!(only(world.post(&guarding(1, "www.example.", 3)), Guard::GuardedNames).actual, 2);
    admitted(world.post(&guarding(1, "www.example.", 2)));
    let gone = acknowledging(change(2, vec![], vec!["www.example."]), Guard::DeletedShare);
    let objection = only(world.post(&gone), Guard::GuardedNames);
    assert_eq!((objection.limit, objection.actual, objection.name), (2, 0, Some(name("www.example."))));
    assert_eq!(only(world.post(&change(2, vec![address("www.example.", 9)], vec![])), Guard::GuardedNames).actual, 1);
    let replace = plan(2, vec![("example.", ZoneChange::Replace(contents("example.", 9, vec![])))]);
    only(world.post(&replace), Guard::GuardedNames);
    let end = plan(2, vec![("example.", ZoneChange::End)]);
    only(world.post(&end), Guard::GuardedNames);
    // Another type of the name is not what is guarded.
    admitted(world.post(&change(2, vec![set("www.example.", RecordType::TXT, &["hello"])], vec![])));
    // Ending the guard and deleting the name may be one plan.
    let delete = placed(vec![Delete { owner: name("www.example."), rtype: None }]);
    let key = SetKey::new(&name("www.example."), RecordType::A);
    let both = Edit::new(&name("example."), vec![], delete).unwrap();
    let both = both.with_guards(&name("example."), vec![], placed(vec![key.clone()])).unwrap();
    let both = acknowledging(plan(3, vec![("example.", ZoneChange::Edit(both))]), Guard::DeletedShare);
    assert!(matches!(world.post_as(&planner(), &both), Err(Refusal::Forbidden(_))));
    let admission = admitted(world.post(&both));
    assert!(admission.changes.iter().any(|change| change.key == Key::Guarded(key.clone()) && change.content.is_none()));
    admitted(world.post(&upsert(4, "www.example.", 1)));
}

#[test]
fn a_closed_group_takes_plans_of_operators_only() {
    let mut world = World::with_example(vec![]);
    admitted(world.post(&setting(1, Setting::Closed, Some(SettingValue::Closed("incident 7".into())))));
    let objection = only(world.post_as(&planner(), &upsert(2, "www.example.", 1)), Guard::Closed);
    assert!(objection.message.ends_with("incident 7"), "{}", objection.message);
    admitted(world.post(&upsert(2, "www.example.", 1)));
    let planners: Author = planner();
    assert!(matches!(world.post_as(&planners, &setting(3, Setting::Closed, None)), Err(Refusal::Forbidden(_))));
    admitted(world.post(&setting(3, Setting::Closed, None)));
    admitted(world.post_as(&planners, &upsert(4, "www.example.", 2)));
    // Two who change settings from one base: the second is told.
    let limit = |at_least| Some(SettingValue::Limit(Limit::new(at_least, 1).unwrap()));
    admitted(world.post(&setting(5, Setting::Velocity, limit(3))));
    assert!(matches!(world.post(&setting(5, Setting::Velocity, limit(4))), Err(Refusal::StaleBase { .. })));
}

#[test]
fn f55_a_child_zone_covers_no_name_that_another_group_guards() {
    let begin = || plan(1, vec![("a.example.", ZoneChange::Replace(contents("a.example.", 1, vec![])))]);
    let around = |above: Option<Above>, guarded: Vec<&str>| Around {
        above,
        guarded_below: guarded.into_iter().map(name).collect(),
        zones_below: vec![],
    };
    let parent = |delegates| Some(Above { zone: name("test."), delegates });
    let post = |around: Around| {
        let mut world = World::with_example(vec![]);
        world.around.insert(name("a.example."), around);
        world.post(&begin())
    };
    only(post(around(parent(false), vec![])), Guard::OtherGroups);
    let objection = only(post(around(parent(true), vec!["www.a.example."])), Guard::OtherGroups);
    assert_eq!(objection.name, Some(name("www.a.example.")));
    admitted(post(around(parent(true), vec![])));
}

#[test]
fn a_zone_ends_by_a_plan_of_its_own_and_may_begin_again() {
    let mut world = of_names(3);
    let mut more = plan(1, vec![("example.", ZoneChange::End)]);
    assert!(matches!(world.post_as(&planner(), &more), Err(Refusal::Forbidden(_))));
    more.settings.insert(Setting::References, Some(SettingValue::Switch(false)));
    assert!(matches!(world.post(&more), Err(Refusal::Invalid(_))));
    let ended = admitted(world.post(&plan(1, vec![("example.", ZoneChange::End)])));
    assert!(ended.changes.iter().all(|change| change.content.is_none()));
    assert_eq!(world.state(2).len(), 0);
    assert_eq!((ended.digest, ended.answers), (zone_model::Digest::EMPTY, zone_model::Digest::EMPTY));
    // Nothing but the whole can be put into what has ended.
    assert!(matches!(world.post(&upsert(2, "www.example.", 1)), Err(Refusal::Invalid(_))));
    let again = plan(2, vec![("example.", ZoneChange::Replace(contents("example.", 500, vec![])))]);
    assert!(matches!(world.post_as(&planner(), &again), Err(Refusal::Forbidden(_))));
    admitted(world.post(&again));
}
