//! Retirement, by properties: what can be read from the floor on is the same before and after, in whatever order and steps
//! things go; and clean-up by age, which is not this, loses what is in force.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use plan_rules::{KeyVersion, Retirement, RingName, obsolete};
use proptest::prelude::*;
use std::collections::BTreeSet;
use zone_model::Generation;

fn at(number: i64) -> Generation {
    Generation::new(number).unwrap()
}

/// What stands at a generation.
fn seen(versions: &BTreeSet<KeyVersion>, generation: i64) -> Option<Generation> {
    let newest = versions.iter().rfind(|version| version.generation.get() <= generation)?;
    (!newest.gone).then_some(newest.generation)
}

fn versions() -> impl Strategy<Value = BTreeSet<KeyVersion>> {
    prop::collection::btree_map(1..40_i64, any::<bool>(), 0..12)
        .prop_map(|all| all.into_iter().map(|(number, gone)| KeyVersion { generation: at(number), gone }).collect())
}

proptest! {
    #[test]
    fn f10_what_is_seen_from_the_floor_on_is_the_same(
        before in versions(), mut floors in prop::collection::vec(1..40_i64, 1..5), for_ever: bool
    ) {
        floors.sort_unstable();
        let mut after = before.clone();
        for floor in floors {
            let going = obsolete(&after, at(floor), for_ever);
            // Cut off anywhere, oldest first.
            for (count, version) in going.iter().enumerate() {
                after.remove(version);
                for generation in floor..41 {
                    prop_assert_eq!(seen(&before, generation), seen(&after, generation), "{} of {:?} gone", count, &going);
                }
            }
            // It is thorough: at most one version stays at or below the floor.
            if floor > 1 {
                prop_assert!(after.iter().filter(|version| version.generation <= at(floor)).count() <= 1);
            }
        }
    }

    #[test]
    fn f11_the_floor_passes_nothing_that_is_held(
        floor in 1..50_i64, kept in prop::option::of(1..100_i64), heads in prop::collection::vec(prop::option::of(1..100_i64), 0..4),
        pins in prop::collection::btree_set(1..100_i64, 0..4)
    ) {
        let named = |place: usize| RingName::parse(&format!("ring-{place}")).unwrap();
        let retirement = Retirement {
            floor: at(floor),
            oldest_kept: kept.map(at),
            heads: heads.iter().enumerate().map(|(place, head)| (named(place), head.map(at))).collect(),
            pins: pins.iter().copied().map(at).collect(),
        };
        let risen = retirement.floor();
        prop_assert!(risen.at >= at(floor));
        if risen.at > at(floor) {
            prop_assert!(kept.is_some_and(|kept| risen.at <= at(kept)));
            prop_assert!(heads.iter().all(|head| head.is_some_and(|head| risen.at <= at(head))));
            prop_assert!(pins.iter().all(|pin| risen.at <= at(*pin)));
        }
        // Nor does it lag behind without somebody who holds it.
        let unheld = kept.is_none_or(|kept| risen.at >= at(kept));
        prop_assert!(unheld || risen.held_by.is_some());
    }
}

/// The clean-up of October 2025: what is old goes, in force or not.
#[test]
fn f10_clean_up_by_age_is_found_out() {
    let history: BTreeSet<_> = [KeyVersion { generation: at(3), gone: false }].into();
    let by_age: BTreeSet<_> = history.iter().filter(|version| version.generation.get() < 20).copied().collect();
    assert_eq!(seen(&(&history - &by_age), 20), None);
    assert_eq!(seen(&(&history - &obsolete(&history, at(20), false)), 20), Some(at(3)));
}
