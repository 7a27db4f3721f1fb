//! A plan of a million changes through the API, while one-record plans go on to another zone of its group.
//!
//!     cargo xtask bench large-plan
//!
//! Three plans of so many changes each, from posting to the answer: one that begins the zone, one that changes every record set of it
//! (a replacement, as all that large come), and one that is for a zone of another group, with nothing else going on. Meanwhile a client
//! posts twenty one-record plans a second to another zone of the same group; their longest time is what somebody was held for. Then how
//! long it takes until the generation is in force, for the large plan and for one-record plans. HOLDFAST_BENCH_CHANGES makes it smaller.

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot run should say where")]

use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use test_support::{Holdfast, Options};

/// One-record plans begin so far apart.
const APART: Duration = Duration::from_millis(50);
/// Moves of one-record plans that are measured.
const SMALL_PLANS: i64 = 20;

fn main() {
    let changes: u32 = std::env::var("HOLDFAST_BENCH_CHANGES").map_or(1_000_000, |text| text.parse().unwrap());
    let holdfast = Holdfast::start_with(Options { untraced: true, ..Options::default() });
    let small = "$TTL 60\n@ SOA ns1 hostmaster 1 3600 900 604800 300\n@ NS ns1\nns1 A 192.0.2.1\n";
    let begun = holdfast.post_text("/v1/groups/bench/import?zone=small.example.&base=0&wait=served", small);
    assert_eq!(begun.status, 201, "{}", begun.body);

    println!(
        "a plan of {changes} changes; one-record plans to another zone of its group meanwhile, one each {} ms",
        APART.as_millis()
    );
    println!("{:<34} {:>10} {:>8} {:>10} {:>10} {:>10}", "", "admitted s", "small", "p50 ms", "p99 ms", "max ms");
    for (round, told) in ["begins a zone", "changes all of it"].iter().enumerate() {
        let file = zone(changes, round);
        let path = format!(
            "/v1/groups/bench/import?zone=large.example.&base={}&acknowledge=changed-share:bench",
            tip(&holdfast)
        );
        let done = AtomicBool::new(false);
        let (posted, took, mut small) = std::thread::scope(|scope| {
            let others = scope.spawn(|| small_plans(&holdfast, &done));
            std::thread::sleep(Duration::from_secs(1));
            let started = Instant::now();
            let posted = holdfast.post_text(&path, &file);
            let took = started.elapsed();
            done.store(true, Ordering::Relaxed);
            (posted, took, others.join().unwrap())
        });
        assert_eq!(posted.status, 201, "{}", posted.body);
        let generation = posted.json()["generation"].as_i64().unwrap();
        small.sort_unstable();
        let at = |share: f64| small[((small.len() - 1) as f64 * share).round() as usize].as_secs_f64() * 1e3;
        println!(
            "{told:<34} {:>10.1} {:>8} {:>10.1} {:>10.1} {:>10.1}",
            took.as_secs_f64(),
            small.len(),
            at(0.5),
            at(0.99),
            at(1.0)
        );
        eventually_served(&holdfast, generation);
    }
    let file = zone(changes, 0);
    let started = Instant::now();
    let posted = holdfast.post_text("/v1/groups/alone/import?zone=large.test.&base=0", &file);
    println!("{:<34} {:>10.1}", "begins a zone, nothing else going on", started.elapsed().as_secs_f64());
    assert_eq!(posted.status, 201, "{}", posted.body);
    enacting(&holdfast);
}

/// From the admission to the move, by the database's clock: of the large plans, and of the last one-record plans.
fn enacting(holdfast: &Holdfast) {
    let mut base = tip(holdfast);
    for number in 0..SMALL_PLANS {
        let posted = holdfast.post("/v1/groups/bench/plans?wait=enacted", &address(base, number));
        assert_eq!(posted.status, 201, "{}", posted.body);
        base = posted.json()["generation"].as_i64().unwrap();
    }
    let query = "select case when p.changes > 1000 then 'large' else 'small' end, percentile_cont(0.5) within group (order by extract(epoch from m.at - g.committed) * 1000)
        from head_move m join (select g.*, greatest(g.at, p.at) as committed from generation g join plan p using (plan)) g using (zone_group, generation) join plan p using (plan)
        where p.changes > 1000 or g.generation > (select max(generation) - 20 from generation) group by 1 order by 1";
    let output = std::process::Command::new("psql")
        .arg(holdfast.database_url())
        .args(["-qXAtF", " ", "-c", query])
        .output()
        .unwrap();
    println!(
        "from the beginning of the admission's transaction to that of the move, median ms:\n{}",
        String::from_utf8_lossy(&output.stdout)
    );
}

fn small_plans(holdfast: &Holdfast, done: &AtomicBool) -> Vec<Duration> {
    let (mut base, mut times) = (tip(holdfast), Vec::new());
    let started = Instant::now();
    for number in 0.. {
        if done.load(Ordering::Relaxed) {
            break;
        }
        let due = started + APART * number;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let begun = Instant::now();
        let posted = holdfast.post("/v1/groups/bench/plans", &address(base, number.into()));
        times.push(begun.elapsed());
        assert_eq!(posted.status, 201, "{}", posted.body);
        base = posted.json()["generation"].as_i64().unwrap();
    }
    times
}

fn address(base: i64, number: i64) -> Value {
    let text = format!("10.{}.{}.{}", number >> 16 & 255, number >> 8 & 255, number & 255);
    json!({"base": base, "zones": {"small.example.": {"upsert": [{"name": "probe", "type": "A", "ttl": 60, "records": [text]}]}}})
}

fn zone(changes: u32, round: usize) -> String {
    let mut zone = String::from("$TTL 60\n@ SOA ns1 hostmaster 1 3600 900 604800 300\n@ NS ns1\nns1 A 192.0.2.1\n");
    for host in 0..changes.saturating_sub(3) {
        zone.push_str(&format!("h{host} A 1{round}.{}.{}.{}\n", host >> 16 & 255, host >> 8 & 255, host & 255));
    }
    zone
}

fn tip(holdfast: &Holdfast) -> i64 {
    holdfast.get("/v1/groups/bench").json()["tip"].as_i64().unwrap()
}

fn eventually_served(holdfast: &Holdfast, generation: i64) {
    let path = format!("/v1/groups/bench/plans?limit=1&after={}", generation + 1);
    test_support::eventually("the large plan is served", Duration::from_secs(300), || {
        let state = &holdfast.get(&path).json()["items"][0]["states"]["fleet"];
        *state == "served" || *state == "superseded"
    });
}
