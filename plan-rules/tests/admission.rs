//! Admission, case by case: who gets in, on what tip, and what the others are told.

mod world;

use plan_rules::{Author, Conflict, Decision, Meanwhile, News, Refusal, Role, Scope, admit, admit_on_newer_tip};
use world::{World, address, contents, edit, generation, name, operator, plan, set, soa, upsert};
use zone_model::{Base, Guard, Id, Key, RecordType, Serial, ZoneChange};

fn admitted(decision: Result<Decision, Refusal>) -> plan_rules::Admission {
    match decision {
        Ok(Decision::Admit(admission)) => *admission,
        other => panic!("expected an admission, got {other:?}"),
    }
}

fn violations(decision: Result<Decision, Refusal>) -> Vec<String> {
    match decision {
        Err(Refusal::Invalid(violations)) => {
            violations.into_iter().map(|one| format!("{}: {}", one.place, one.message)).collect()
        }
        other => panic!("expected violations, got {other:?}"),
    }
}

#[test]
fn a_plan_on_the_tip_becomes_the_next_generation() {
    let mut world = World::with_example(vec![]);
    let first = admitted(world.post(&upsert(1, "www.example.", 1)));
    assert_eq!(first.version.generation, generation(2));
    assert!(!first.rebased);
    assert_eq!(first.version.id, Id::of(&world.generations[0].version.id, generation(2), &first.digest));
    assert_eq!((first.counts.added, first.counts.replaced, first.counts.deleted), (1, 0, 0));
}

#[test]
fn disjoint_plans_from_one_base_both_land() {
    let mut world = World::with_example(vec![]);
    admitted(world.post(&upsert(1, "a.example.", 1)));
    let second = admitted(world.post(&upsert(1, "b.example.", 2)));
    assert_eq!(second.version.generation, generation(3));
    assert!(second.rebased);
}

#[test]
fn f05_guard_compares_the_plans_base() {
    let mut world = World::with_example(vec![]);
    admitted(world.post(&upsert(1, "www.example.", 1)));
    // The history is read freshly, and the tip is 2; the plan's own base is 1, and that is what counts.
    let stale = upsert(1, "WWW.example.", 2);
    let tip = world.tip().unwrap().version;
    let conflict = Conflict { zone: name("example."), name: name("www.example."), changed_in: generation(2) };
    let refused = Refusal::StaleBase { tip, conflicts: vec![conflict], conflict_count: 1 };
    assert_eq!(world.post(&stale).unwrap_err(), refused);
    admitted(world.post(&upsert(2, "www.example.", 2)));
}

#[test]
fn f50_a_stale_upsert_does_not_resurrect_what_was_deleted() {
    let mut world = World::with_example(vec![address("www.example.", 1)]);
    let delete = plan(1, vec![("example.", edit("example.", vec![], vec![("www.example.", None)]))]);
    assert_eq!(admitted(world.post(&delete)).counts.deleted, 1);
    assert!(matches!(world.post(&upsert(1, "www.example.", 2)), Err(Refusal::StaleBase { .. })));
}

#[test]
fn f50_a_base_below_the_floor_is_unknown() {
    let mut world = World::with_example(vec![]);
    for base in 1..=3 {
        admitted(world.post(&upsert(base, "busy.example.", u8::try_from(base).unwrap())));
    }
    // What was deleted below 3 is forgotten: that nothing seems to have changed since 2 proves nothing.
    for (base, is_known) in [(1, false), (2, false), (3, true), (4, true)] {
        let plan = upsert(base, "www.example.", 1);
        let history = plan_rules::History { floor: Some(generation(3)), ..world.history_for(&plan) };
        match admit(&plan, &operator(), &history) {
            Ok(Decision::Admit(_)) => assert!(is_known, "{base}"),
            Err(Refusal::UnknownBase { .. }) => assert!(!is_known, "{base}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn f56_reads_stop_write_skew() {
    let mut world = World::with_example(vec![address("x.example.", 1), address("y.example.", 1)]);
    let mut without_x = plan(1, vec![("example.", edit("example.", vec![], vec![("x.example.", None)]))]);
    without_x.reads.insert((name("example."), name("y.example.")));
    let mut without_y = plan(1, vec![("example.", edit("example.", vec![], vec![("y.example.", None)]))]);
    without_y.reads.insert((name("example."), name("x.example.")));
    admitted(world.post(&without_x));
    assert!(matches!(world.post(&without_y), Err(Refusal::StaleBase { .. })));
}

#[test]
fn what_is_as_wished_is_a_no_op_unless_what_was_read_changed() {
    let mut world = World::with_example(vec![address("www.example.", 1)]);
    let again = upsert(1, "www.example.", 1);
    assert!(matches!(world.post(&again), Ok(Decision::NoOp { absent: 0, .. })));
    let nothing_there = plan(1, vec![("example.", edit("example.", vec![], vec![("gone.example.", None)]))]);
    assert!(matches!(world.post(&nothing_there), Ok(Decision::NoOp { absent: 1, .. })));
    // Somebody else brought about the same: as wished, so it does not matter that the base is stale.
    admitted(world.post(&upsert(1, "www.example.", 2)));
    assert!(matches!(world.post(&upsert(1, "www.example.", 2)), Ok(Decision::NoOp { .. })));
    let mut leaning = upsert(1, "www.example.", 2);
    leaning.reads.insert((name("example."), name("b.example.")));
    admitted(world.post(&upsert(2, "b.example.", 1)));
    assert!(matches!(world.post(&leaning), Err(Refusal::StaleBase { .. })));
}

#[test]
fn a_change_of_spelling_is_a_change() {
    let mut world = World::with_example(vec![address("www.example.", 1)]);
    admitted(world.post(&upsert(1, "WWW.example.", 1)));
    assert_eq!(world.standing("www.example.", RecordType::A).unwrap().owner().to_string(), "WWW.example.");
}

#[test]
fn a_base_that_never_was_is_unknown() {
    let mut world = World::with_example(vec![]);
    assert!(matches!(world.post(&upsert(2, "www.example.", 1)), Err(Refusal::UnknownBase { .. })));
    let mut other_line = upsert(1, "www.example.", 1);
    other_line.base_id = Id::from_bytes(&[7; 32]);
    assert!(matches!(world.post(&other_line), Err(Refusal::UnknownBase { .. })));
    other_line.base_id = world.version(Base::new(1).unwrap()).map(|version| version.id);
    admitted(world.post(&other_line));
    assert!(matches!(World::default().post(&upsert(1, "www.example.", 1)), Err(Refusal::UnknownBase { .. })));
}

#[test]
fn a_base_of_an_older_epoch_needs_its_id() {
    let mut world = World::with_example(vec![]);
    let mut raised = admitted(world.post(&upsert(1, "www.example.", 1)));
    world.generations.pop();
    let parent = world.generations[0].version.id;
    raised.version.generation = generation(1_000_000_000);
    raised.version.id = Id::of(&parent, raised.version.generation, &raised.digest);
    world.generations.push(raised);
    let mut old = upsert(1, "b.example.", 1);
    assert!(matches!(world.post(&old), Err(Refusal::UnknownBase { .. })));
    old.base_id = Some(parent);
    admitted(world.post(&old));
    // A number that the raise skipped is no generation.
    assert!(matches!(world.post(&upsert(77, "c.example.", 1)), Err(Refusal::UnknownBase { .. })));
}

#[test]
fn who_insists_on_the_tip_is_refused_on_any_other() {
    let mut world = World::with_example(vec![]);
    admitted(world.post(&upsert(1, "a.example.", 1)));
    let mut plan = upsert(1, "b.example.", 1);
    plan.rebase = false;
    assert!(matches!(world.post(&plan), Err(Refusal::StaleBase { conflict_count: 0, .. })));
    let mut plan = upsert(2, "b.example.", 1);
    plan.if_match = Some(world.generations[0].version.id);
    assert!(matches!(world.post(&plan), Err(Refusal::StaleBase { conflict_count: 0, .. })));
    plan.if_match = Some(world.generations[1].version.id);
    admitted(world.post(&plan));
}

#[test]
fn a_replacement_is_stored_as_its_differences() {
    let many: Vec<_> = (1..=200).map(|last| address(&format!("h{last}.example."), last)).collect();
    let mut world = World::with_example(many.clone());
    let mut wished = many;
    wished[9] = address("h10.example.", 250);
    wished.truncate(199);
    wished.push(address("new.example.", 1));
    let replace = plan(1, vec![("example.", ZoneChange::Replace(contents("example.", 1, wished)))]);
    let admission = admitted(world.post(&replace));
    assert_eq!((admission.counts.added, admission.counts.replaced, admission.counts.deleted), (1, 1, 1));
    assert_eq!(admission.changes.len(), 3);
    assert_eq!(admission.reads, [(name("example."), None)]);
    assert!(matches!(world.post(&replace), Ok(Decision::NoOp { .. })));
}

#[test]
fn a_replacement_is_stale_when_anything_in_its_zone_changed() {
    let mut world = World::with_example(vec![]);
    admitted(world.post(&upsert(1, "www.example.", 1)));
    let replace = plan(1, vec![("example.", ZoneChange::Replace(contents("example.", 1, vec![])))]);
    match world.post(&replace).unwrap_err() {
        Refusal::StaleBase { conflicts, .. } => assert!(conflicts.iter().any(|one| one.name == name("www.example."))),
        other => panic!("{other:?}"),
    }
}

#[test]
fn f20_soa_and_ns_of_the_apex_cannot_be_removed() {
    let mut world = World::with_example(vec![]);
    let whole_apex = plan(1, vec![("example.", edit("example.", vec![], vec![("example.", None)]))]);
    assert_eq!(violations(world.post(&whole_apex)).len(), 2);
    for rtype in [RecordType::SOA, RecordType::NS] {
        let delete = plan(1, vec![("example.", edit("example.", vec![], vec![("example.", Some(rtype))]))]);
        assert_eq!(violations(world.post(&delete)), [format!("[0]: a zone cannot lose the {rtype} at its apex")]);
    }
}

#[test]
fn the_result_is_valid_beside_what_stands() {
    let mut world = World::with_example(vec![address("www.example.", 1)]);
    let alias = set("www.example.", RecordType::CNAME, &["ns1.example."]);
    let beside = plan(1, vec![("example.", edit("example.", vec![alias.clone()], vec![]))]);
    assert_eq!(violations(world.post(&beside)), ["[0]: a CNAME stands alone, and here is A beside it"]);
    let instead =
        plan(1, vec![("example.", edit("example.", vec![alias], vec![("www.example.", Some(RecordType::A))]))]);
    let admission = admitted(world.post(&instead));
    assert_eq!((admission.counts.added, admission.counts.deleted), (1, 1));
    let beside = upsert(2, "www.example.", 1);
    assert_eq!(violations(world.post(&beside)), ["already in the zone: a CNAME stands alone, and here is A beside it"]);
}

#[test]
fn a_zone_begins_with_its_contents_by_an_operator() {
    let mut world = World::with_example(vec![]);
    let other = plan(1, vec![("other.", edit("other.", vec![address("a.other.", 1)], vec![]))]);
    assert_eq!(violations(world.post(&other)).len(), 1);
    let begin = plan(1, vec![("other.", ZoneChange::Replace(contents("other.", 9, vec![])))]);
    let planner = Author { role: Role::Planner, scope: Scope::default() };
    assert!(matches!(admit(&begin, &planner, &world.history_for(&begin)), Err(Refusal::Forbidden(_))));
    assert_eq!(admitted(world.post(&begin)).begins, [name("other.")]);
}

#[test]
fn scope_bounds_groups_and_names() {
    let world = World::with_example(vec![]);
    let refused = |scope: Scope, plan: &zone_model::Plan| {
        let author = Author { role: Role::Planner, scope };
        matches!(admit(plan, &author, &world.history_for(plan)), Err(Refusal::Forbidden(_)))
    };
    let suffixes = |text: &str| Scope { groups: None, suffixes: Some(vec![name(text)]) };
    assert!(!refused(suffixes("a.example."), &upsert(1, "x.a.example.", 1)));
    assert!(refused(suffixes("a.example."), &upsert(1, "xa.example.", 1)));
    let replace = plan(1, vec![("example.", ZoneChange::Replace(contents("example.", 2, vec![])))]);
    assert!(refused(suffixes("a.example."), &replace));
    assert!(refused(Scope { groups: Some(vec![]), suffixes: None }, &upsert(1, "a.example.", 1)));
    let mut acknowledging = upsert(1, "a.example.", 1);
    acknowledging.acknowledged.insert(Guard::SerialRange, "why".to_owned());
    assert!(refused(Scope::default(), &acknowledging));
}

#[test]
fn a_serial_goes_on_with_every_generation_that_touches_the_zone() {
    let mut world = World::default();
    admitted(
        world.post(&plan(0, vec![("example.", ZoneChange::Replace(contents("example.", 2_018_013_101, vec![])))])),
    );
    assert_eq!(world.serial(), Serial(2_018_013_101));
    admitted(world.post(&upsert(1, "www.example.", 1)));
    assert_eq!(world.serial(), Serial(2_018_013_102));
    // A greater serial is taken over, exactly.
    let replace = |base, serial| {
        plan(
            base,
            vec![("example.", ZoneChange::Replace(contents("example.", serial, vec![address("www.example.", 1)])))],
        )
    };
    let taken = admitted(world.post(&replace(2, 2_018_020_100)));
    assert_eq!(taken.changes.len(), 1);
    assert_eq!(taken.changes[0].key, Key::Serial);
    assert_eq!(world.serial(), Serial(2_018_020_100));
    // The same or an older one changes nothing by itself.
    assert!(matches!(world.post(&replace(3, 2_018_020_100)), Ok(Decision::NoOp { .. })));
    assert!(matches!(world.post(&replace(3, 5)), Ok(Decision::NoOp { .. })));
    let edit_soa = plan(3, vec![("example.", edit("example.", vec![soa("example.", 2_018_020_101)], vec![]))]);
    admitted(world.post(&edit_soa));
    assert_eq!(world.serial(), Serial(2_018_020_101));
}

#[test]
fn a_serial_that_some_read_as_negative_needs_a_word() {
    let mut world = World::with_example(vec![]);
    // From serial 1, 2^31 - 1 steps ahead is as far as RFC 1982 looks.
    let mut far = plan(1, vec![("example.", edit("example.", vec![soa("example.", 1 << 31)], vec![]))]);
    assert_eq!(violations(world.post(&far)).len(), 1);
    far.acknowledged.insert(Guard::SerialRange, "taken over from elsewhere".to_owned());
    admitted(world.post(&far));
    assert_eq!(world.serial(), Serial(1 << 31));
}

#[test]
fn a_signed_zone_needs_a_word() {
    let mut world = World::with_example(vec![]);
    let signature = "SOA 13 1 3600 20300101000000 20200101000000 1 example. AAAA";
    let mut signed =
        plan(1, vec![("example.", edit("example.", vec![set("example.", RecordType::RRSIG, &[signature])], vec![]))]);
    assert_eq!(violations(world.post(&signed)).len(), 1);
    signed.acknowledged.insert(Guard::SignedZone, "stored for later".to_owned());
    admitted(world.post(&signed));
}

#[test]
fn the_loser_of_a_race_judges_only_what_is_new() {
    let mut world = World::with_example(vec![]);
    let slow = upsert(1, "slow.example.", 1);
    let Ok(Decision::Admit(decided)) = admit(&slow, &operator(), &world.history_for(&slow)) else { panic!() };
    admitted(world.post(&upsert(1, "fast.example.", 1)));
    let tip = world.tip().unwrap();
    let decided_on = decided.parent;
    let news = |changed| News { tip, decided_on, changed, settings_changed: false, meanwhile: Some(vec![]) };
    let again = admit_on_newer_tip((*decided).clone(), &news(vec![])).unwrap().unwrap();
    let mut anew = admitted(world.post(&slow));
    anew.record_sets.values_mut().for_each(|of_zone| of_zone.after = None);
    assert_eq!(again, anew);
    // A database that was restored meanwhile: what it calls 1 is another one, or there is none, and what came after tells nothing.
    for decided_on in [world.tip().unwrap().version.id, Id::GENESIS] {
        assert_eq!(admit_on_newer_tip((*decided).clone(), &News { decided_on, ..news(vec![]) }), Ok(None));
    }
    let clash = vec![(name("example."), name("slow.example."), generation(2))];
    assert!(matches!(admit_on_newer_tip(*decided, &news(clash)), Err(Refusal::StaleBase { conflict_count: 1, .. })));
}

#[test]
fn who_begins_a_zone_is_not_held_up_by_plans_elsewhere_in_its_group() {
    let mut world = World::with_example(vec![]);
    let begin = plan(1, vec![("other.", ZoneChange::Replace(contents("other.", 9, vec![])))]);
    let Ok(Decision::Admit(decided)) = admit(&begin, &operator(), &world.history_for(&begin)) else { panic!() };
    admitted(world.post(&upsert(1, "fast.example.", 1)));
    let tip = world.tip().unwrap();
    let news = |changed: Option<&str>| {
        let one = |at| Meanwhile { zone: name("example."), name: name(at), points_to: vec![] };
        let decided_on = decided.parent;
        News { tip, decided_on, changed: vec![], settings_changed: false, meanwhile: changed.map(|at| vec![one(at)]) }
    };
    let again = admit_on_newer_tip((*decided).clone(), &news(Some("fast.example."))).unwrap().unwrap();
    let mut anew = admitted(world.post(&begin));
    anew.record_sets.values_mut().for_each(|of_zone| of_zone.after = None);
    assert_eq!(again, anew);
    // At it, above it and below it, or who knows where: all is judged anew.
    for near in [Some("other."), Some("."), Some("a.other."), None] {
        assert_eq!(admit_on_newer_tip((*decided).clone(), &news(near)), Ok(None), "{near:?}");
    }
}
