//! How long until the newest plan is in force when enactors come back: with a million plans queued, and with one.
//!
//!     cargo xtask bench queue
//!
//! Real programs on one machine. The two enactors are stopped (SIGSTOP); a group's head is set back by taking away its
//! greatest move; the enactors are told that there is something to do, and go on (SIGCONT): the clock runs from there
//! until the API shows the head at the tip. The million plans are written past the API and past the triggers, as rows
//! that it and they would have let through (each gives one name another address), because admitting them is another
//! benchmark; the enactors, their doors and what these refuse are the real ones.

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot run should say where")]

use serde_json::json;
use std::time::{Duration, Instant};
use test_support::{Holdfast, Options, Signal};

/// Pairs measured.
const PAIRS: usize = 15;
const ENACTORS: [&str; 2] = ["enactor-1", "enactor-2"];

fn main() {
    let queued: i64 =
        std::env::var("HOLDFAST_BENCH_PLANS").map_or(1_000_000, |text| text.trim().parse().expect("a number of plans"));
    let holdfast = Holdfast::start_with(Options { untraced: true, ..Options::default() });
    for group in ["empty", "full"] {
        let zone =
            "$TTL 60\n@ SOA ns1 hostmaster 1 3600 900 604800 300\n@ NS ns1\nns1 A 192.0.2.1\nprobe A 192.0.2.1\n";
        let path = format!("/v1/groups/{group}/import?zone={group}.example.&base=0&wait=enacted");
        let imported = holdfast.post_text(&path, zone);
        assert_eq!(imported.status, 201, "{}", imported.body);
    }
    // Two addresses by turns, so that the rows that are written past the API have digests that add up.
    for base in 1..=2 {
        post(&holdfast, "full", base);
    }
    post(&holdfast, "empty", 1);
    for enactor in ENACTORS {
        holdfast.signal(enactor, Signal::STOP);
    }
    let began = Instant::now();
    let queue = queue(queued);
    holdfast.execute_as_superuser(&queue).unwrap();
    holdfast.execute_as_superuser("analyze").unwrap();
    let tip = tip(&holdfast, "full");
    println!("{queued} plans queued, written in {:.1} s; the tip is {tip}", began.elapsed().as_secs_f64());
    println!("enactors go on → the newest is in force, {PAIRS} pairs, milliseconds");
    let (mut empty, mut full) = (Vec::new(), Vec::new());
    for _ in 0..PAIRS {
        empty.push(measure(&holdfast, "empty", 1));
        full.push(measure(&holdfast, "full", 3));
    }
    let mut ratios: Vec<f64> =
        empty.iter().zip(&full).map(|(empty, full)| full.as_secs_f64() / empty.as_secs_f64()).collect();
    ratios.sort_by(f64::total_cmp);
    let median = |of: &mut Vec<Duration>| {
        of.sort();
        of[of.len() / 2].as_secs_f64() * 1e3
    };
    println!("{:>24} {:>8.2}", "one plan queued", median(&mut empty));
    println!("{:>24} {:>8.2}", format!("{queued} plans queued"), median(&mut full));
    println!("{:>24} {:>8.2}   (to reach: 2.00 at most)", "median of ratios", ratios[ratios.len() / 2]);
    for enactor in ENACTORS {
        holdfast.signal(enactor, Signal::CONT);
    }
}

fn post(holdfast: &Holdfast, group: &str, base: i64) {
    let plan = json!({ "base": base, "zones": { format!("{group}.example."): { "upsert": [
        { "name": "probe", "type": "A", "ttl": 60, "records": [format!("203.0.113.{base}")] } ] } } });
    let posted = holdfast.post(&format!("/v1/groups/{group}/plans?wait=enacted"), &plan);
    assert_eq!(posted.status, 201, "{}", posted.body);
}

fn tip(holdfast: &Holdfast, group: &str) -> i64 {
    holdfast.get(&format!("/v1/groups/{group}")).json()["tip"].as_i64().unwrap()
}

/// Generations on top of the third, each like the one before the last.
fn queue(plans: i64) -> String {
    format!(
        "set session_replication_role = replica;
         create temporary table like_these as
             select g.generation % 2 as turn, g.zone_group, g.digest, g.plan from generation g join zone_group z using (zone_group)
             where z.name = 'full' and g.generation in (2, 3);
         create temporary table queued as
             select i as generation, nextval('plan_number') as plan, i % 2 as turn from generate_series(4::bigint, 3 + {plans}::bigint) i;
         insert into plan (plan, zone_group, base, digest_delta, changes, added, replaced, deleted, absent)
             select q.plan, l.zone_group, q.generation - 1, p.digest_delta, 1, 0, 1, 0, 0
             from queued q join like_these l using (turn) join plan p on p.plan = l.plan;
         insert into change (zone, owner, type, covered, plan, value)
             select c.zone, c.owner, c.type, c.covered, q.plan, c.value
             from queued q join like_these l using (turn) join change c on c.plan = l.plan;
         insert into generation (zone_group, generation, plan, id, digest)
             select l.zone_group, q.generation, q.plan, sha256(q.generation::text::bytea), l.digest
             from queued q join like_these l using (turn) order by q.generation;"
    )
}

/// The head is put back to `to`, and the enactors go on.
fn measure(holdfast: &Holdfast, group: &str, to: i64) -> Duration {
    for enactor in ENACTORS {
        holdfast.signal(enactor, Signal::STOP);
    }
    let tip = tip(holdfast, group);
    let back = format!(
        "set session_replication_role = replica;
         delete from head_move m using zone_group z where z.zone_group = m.zone_group and z.name = '{group}' and m.generation > {to};
         select pg_notify('holdfast_admitted', '');"
    );
    holdfast.execute_as_superuser(&back).unwrap();
    let path = format!("/v1/groups/{group}");
    let started = Instant::now();
    for enactor in ENACTORS {
        holdfast.signal(enactor, Signal::CONT);
    }
    loop {
        let head = holdfast.get(&path).json()["heads"]["fleet"]["generation"].as_i64();
        if head == Some(tip) {
            return started.elapsed();
        }
        assert!(
            started.elapsed() < Duration::from_secs(60),
            "the newest never got in force: {head:?} instead of {tip}"
        );
    }
}
