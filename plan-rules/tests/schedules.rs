//! Random schedules of stale, overlapping and disjoint plans: what is admitted never loses anybody's update.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod world;

use plan_rules::{Decision, Footprint, footprint};
use proptest::prelude::*;
use std::collections::BTreeMap;
use world::{World, address, contents, edit, name, plan};
use zone_model::{Base, Guard, Key, Name, Plan, ZoneChange};

#[derive(Clone, Debug)]
struct Posted {
    age: usize,
    upserts: Vec<(u8, u8)>,
    deletes: Vec<u8>,
    reads: Vec<u8>,
    replaces: bool,
}

fn posted() -> impl Strategy<Value = Posted> {
    let owners = 0_u8..6;
    let upserts = prop::collection::vec((owners.clone(), 1_u8..4), 0..3);
    let deletes = prop::collection::vec(owners.clone(), 0..2);
    let reads = prop::collection::vec(owners, 0..2);
    (0_usize..4, upserts, deletes, reads, prop::bool::weighted(0.1))
        .prop_map(|(age, upserts, deletes, reads, replaces)| Posted { age, upserts, deletes, reads, replaces })
}

fn as_plan(posted: &Posted, tip: i64) -> Plan {
    let owner = |number: &u8| format!("n{number}.example.");
    let base = (tip - i64::try_from(posted.age).unwrap()).max(1);
    let upserts: BTreeMap<u8, u8> = posted.upserts.iter().copied().collect();
    let sets: Vec<_> = upserts.iter().map(|(number, last)| address(&owner(number), *last)).collect();
    let change = if posted.replaces {
        ZoneChange::Replace(contents("example.", 1, sets))
    } else {
        let deletes: Vec<String> = posted.deletes.iter().filter(|one| !upserts.contains_key(one)).map(owner).collect();
        edit("example.", sets, deletes.iter().map(|owner| (owner.as_str(), None)).collect())
    };
    let mut plan = plan(base, vec![("example.", change)]);
    // This is about what is stale; how much may go at once is another matter.
    for guard in [Guard::DeletedShare, Guard::ChangedShare] {
        plan.acknowledged.insert(guard, "tried".to_owned());
    }
    plan.reads = posted.reads.iter().map(|number| (name("example."), name(&owner(number)))).collect();
    plan
}

/// Whether generation `index` of the world changed something in the footprint.
fn touches(world: &World, index: usize, footprint: &BTreeMap<Name, Footprint>) -> bool {
    world.generations[index].changes.iter().any(|change| match (&change.key, &footprint[&change.zone]) {
        (_, Footprint::WholeZone) => true,
        (Key::Records(key), Footprint::Names(names)) => names.contains(key.owner()),
        (_, Footprint::Names(_)) => false,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_update_is_lost_and_digests_are_sums(schedule in prop::collection::vec(posted(), 1..25)) {
        let mut world = World::with_example(vec![]);
        for posted in &schedule {
            let before = world.generations.len();
            let plan = as_plan(posted, world.tip_number());
            let footprint = footprint(&plan);
            let first_unseen = usize::try_from(plan.base.get()).unwrap();
            let stale = (first_unseen..before).any(|index| touches(&world, index, &footprint));
            match world.post(&plan) {
                Ok(Decision::Admit(admission)) => {
                    prop_assert!(!stale, "a stale plan was admitted: {posted:?}");
                    prop_assert_eq!(admission.rebased, Base::new(i64::try_from(before).unwrap()).unwrap() != plan.base);
                    prop_assert_eq!(admission.digest, world.digest(world.generations.len()));
                }
                Ok(Decision::NoOp { .. }) => prop_assert_eq!(world.generations.len(), before),
                Err(refusal) => prop_assert!(stale, "refused although nothing in the footprint changed: {refusal:?}"),
            }
        }
    }
}
