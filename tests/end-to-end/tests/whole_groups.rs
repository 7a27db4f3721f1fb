//! A group's zones change together: nobody ever sees half a plan.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::json;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use test_support::{Holdfast, ask_udp, query};

/// How many plans flip both zones.
const FLIPS: u32 = 300;

fn contents(zone: &str, records: &serde_json::Value) -> serde_json::Value {
    let mut all = vec![
        json!({"name": "@", "type": "SOA", "ttl": 60, "records": [format!("ns.{zone} h.{zone} 1 60 60 60 60")]}),
        json!({"name": "@", "type": "NS", "ttl": 60, "records": [format!("ns.{zone}")]}),
        json!({"name": "ns", "type": "A", "ttl": 60, "records": ["192.0.2.53"]}),
    ];
    all.extend(records.as_array().unwrap().iter().cloned());
    json!({ "replace": all })
}

/// The alias is in one zone and its target in the other, and both carry the number of the plan as their TTL: an answer that
/// follows the alias holds both, so two unlike numbers in it are half a plan.
#[test]
fn f03_a_newer_plan_in_the_middle_never_makes_a_mixed_group() {
    let holdfast = Holdfast::start();
    let alias = |number: u32| json!({"name": "www", "type": "CNAME", "ttl": number, "records": ["www.target.test."]});
    let target = |number: u32| json!({"name": "www", "type": "A", "ttl": number, "records": ["192.0.2.1"]});
    let first = json!({"base": 0, "zones": {
        "alias.test.": contents("alias.test.", &json!([alias(1)])),
        "target.test.": contents("target.test.", &json!([target(1)])),
    }});
    let begun = holdfast.post("/v1/groups/both/plans?wait=served", &first);
    assert_eq!(begun.status, 201, "{}", begun.body);
    let done = AtomicBool::new(false);
    let seen = std::thread::scope(|scope| {
        let readers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let (mut seen, mut newest) = (BTreeSet::new(), 0);
                    while !done.load(Ordering::SeqCst) {
                        let answer = ask_udp(holdfast.dns(), &query("www.alias.test.", "A")).unwrap();
                        let numbers: Vec<u32> = answer.answers.iter().map(|record| record.ttl).collect();
                        assert_eq!(numbers.len(), 2, "the alias and its target: {answer:?}");
                        assert_eq!(numbers[0], numbers[1], "half a plan");
                        assert!(numbers[0] >= newest, "{} after {newest}", numbers[0]);
                        newest = numbers[0];
                        seen.insert(newest);
                    }
                    seen.len()
                })
            })
            .collect();
        for number in 2..=FLIPS {
            let plan = json!({"base": number - 1, "zones": {
                "alias.test.": {"upsert": [alias(number)]},
                "target.test.": {"upsert": [target(number)]},
            }});
            let admitted = holdfast.post("/v1/groups/both/plans", &plan);
            if admitted.status != 201 {
                done.store(true, Ordering::SeqCst);
            }
            assert_eq!(admitted.status, 201, "{}", admitted.body);
        }
        test_support::eventually("the last flip is served", std::time::Duration::from_secs(10), || {
            holdfast.ask("www.alias.test.", "A").answers.first().is_some_and(|record| record.ttl == FLIPS)
        });
        done.store(true, Ordering::SeqCst);
        readers.into_iter().map(|reader| reader.join().unwrap()).max().unwrap()
    });
    assert!(seen > 10, "only {seen} of {FLIPS} flips were seen while they happened");
}
