//! Clients, enactors and servers that meet, stop and go on.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;
use test_support::{Answer, Holdfast, Method, Options, Signal, eventually};

fn with_demo() -> Holdfast {
    Holdfast::start_with(Options { demo: true, ..Options::default() })
}

/// A plan that gives `name` one address, which tells its number.
fn address(base: i64, name: &str, number: i64) -> Value {
    let text = format!("10.{}.{}.{}", number >> 16 & 255, number >> 8 & 255, number & 255);
    json!({ "base": base, "zones": { "shop.example.": { "upsert": [
        { "name": name, "type": "A", "ttl": 1, "records": [text] } ] } } })
}

fn post(holdfast: &Holdfast, plan: &Value) -> Answer {
    holdfast.post("/v1/groups/demo/plans", plan)
}

fn tip(holdfast: &Holdfast) -> i64 {
    holdfast.get("/v1/groups/demo").json()["tip"].as_i64().unwrap()
}

/// The number that [`address`] has put there, or 0.
fn served(holdfast: &Holdfast, name: &str) -> i64 {
    let answer = holdfast.ask(&format!("{name}.shop.example."), "A");
    let Some(record) = answer.answers.first() else { return 0 };
    let text = record.data.to_string();
    text.split('.').skip(1).fold(0, |sum, octet| sum << 8 | octet.parse::<i64>().unwrap())
}

#[test]
fn two_clients_from_one_base() {
    let holdfast = with_demo();
    let base = tip(&holdfast);
    assert_eq!(post(&holdfast, &address(base, "one", 1)).status, 201);
    let disjoint = post(&holdfast, &address(base, "two", 2));
    assert_eq!((disjoint.status, &disjoint.json()["rebased"]), (201, &json!(true)));
    let overlapping = post(&holdfast, &address(base, "one", 3));
    assert_eq!((overlapping.status, overlapping.problem().as_str()), (409, "stale-base"));
    let problem = overlapping.json();
    assert_eq!(problem["tip"]["generation"], base + 2);
    assert_eq!(problem["conflicts"][0]["name"], "one.shop.example.");
    assert_eq!(problem["conflicts"][0]["changed_in"], base + 1);
    eventually("the first of both is served", Duration::from_secs(5), || served(&holdfast, "one") == 1);
}

#[test]
fn f01_enactors_that_were_stopped_put_the_newest_in_force() {
    let holdfast = with_demo();
    let first = tip(&holdfast);
    let stale = served(&holdfast, "probe");
    for enactor in ["enactor-1", "enactor-2"] {
        holdfast.signal(enactor, Signal::STOP);
    }
    for number in 1..=200 {
        let admitted = post(&holdfast, &address(first + number - 1, "probe", number));
        assert_eq!(admitted.status, 201, "admission needs no enactor: {}", admitted.body);
    }
    assert_eq!(tip(&holdfast), first + 200);
    assert_eq!(served(&holdfast, "probe"), stale, "nobody moved the head, so answers stay");
    assert_eq!(holdfast.get("/v1/groups/demo").json()["heads"]["fleet"]["generation"], first);
    // One alone is enough; the other comes later, and changes nothing.
    holdfast.signal("enactor-2", Signal::CONT);
    let took = eventually("the newest is in force", Duration::from_secs(5), || served(&holdfast, "probe") == 200);
    println!("in force {took:?} after the enactor went on");
    holdfast.signal("enactor-1", Signal::CONT);
    for _ in 0..50 {
        assert_eq!(served(&holdfast, "probe"), 200);
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn nothing_is_lost_and_nothing_older_is_served_whoever_is_killed() {
    let holdfast = with_demo();
    let (done, confirmed) = (AtomicBool::new(false), AtomicI64::new(0));
    std::thread::scope(|scope| {
        let _done = Done(&done);
        // A client that retries under one key until it knows: what it was told is admitted must be there in the end.
        scope.spawn(|| {
            let mut number = 0;
            while !done.load(Ordering::SeqCst) {
                number += 1;
                post_until_known(&holdfast, number);
                confirmed.store(number, Ordering::SeqCst);
            }
        });
        // A resolver: what it sees never goes back, whatever dies. No answer at all is what a dead server gives.
        scope.spawn(|| {
            let mut last = 0;
            while !done.load(Ordering::SeqCst) {
                let question = test_support::query("probe.shop.example.", "A");
                let Ok(answer) = test_support::ask_udp(holdfast.dns(), &question) else { continue };
                let Some(record) = answer.answers.first() else { continue };
                let text = record.data.to_string();
                let seen = text.split('.').skip(1).fold(0, |sum, octet| sum << 8 | octet.parse::<i64>().unwrap());
                assert!(seen >= last, "{seen} was served after {last}");
                last = seen;
            }
        });
        for round in 0..3 {
            for name in ["api", "enactor-1", "enactor-2", "server", "postgres"] {
                std::thread::sleep(Duration::from_millis(300));
                let before = confirmed.load(Ordering::SeqCst);
                let Some(pid) = holdfast.pid(name) else { continue };
                holdfast.signal(name, Signal::KILL);
                eventually("it is started again", Duration::from_secs(20), || {
                    holdfast.pid(name).is_some_and(|now| now != pid)
                });
                eventually(
                    &format!("plans land after {name} was killed (round {round})"),
                    Duration::from_secs(30),
                    || confirmed.load(Ordering::SeqCst) > before,
                );
            }
        }
    });
    let last = confirmed.load(Ordering::SeqCst);
    eventually("the newest is served", Duration::from_secs(10), || served(&holdfast, "probe") == last);
    // Each confirmed plan is one generation, once.
    let plans = holdfast.rows("select count(*) as plans, count(distinct k.key) as keys from idempotency_key k join generation g on g.plan = k.plan where k.key like 'probe-%'");
    assert_eq!((plans[0]["plans"].as_i64(), plans[0]["keys"].as_i64()), (Some(last), Some(last)));
}

/// Ends the other threads also when a test fails.
struct Done<'a>(&'a AtomicBool);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

fn post_until_known(holdfast: &Holdfast, number: i64) {
    let key = format!("probe-{number}");
    let headers = [("Content-Type", "application/json"), ("Idempotency-Key", key.as_str())];
    // The base stays that of the first try: it is part of what the key stands for.
    let mut base = None;
    loop {
        if base.is_none() {
            let group = holdfast.try_request(Method::GET, "/v1/groups/demo", &[], "").ok();
            base = group.filter(|answer| answer.status == 200).and_then(|answer| answer.json()["tip"].as_i64());
        }
        let answer = base.and_then(|base| {
            let body = address(base, "probe", number).to_string();
            holdfast.try_request(Method::POST, "/v1/groups/demo/plans", &headers, &body).ok()
        });
        match answer {
            Some(answer) if matches!(answer.status, 200 | 201) => return,
            Some(answer) if answer.status < 500 => panic!("{}: {}", answer.status, answer.body),
            _ => std::thread::sleep(Duration::from_millis(50)),
        }
    }
}
