//! One-record plans a second while a snapshot is open for half a minute (a backup, a reader that was stopped), and without one.
//!
//!     cargo xtask bench old-snapshot
//!
//! Eight clients, each with a name of its own, post into one group and then into eight, for thirty seconds: without, with, without. What
//! counts is the last third of each run, since such a snapshot hurts more the older it is. HOLDFAST_BENCH_SECONDS makes it shorter.

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot run should say where")]

use serde_json::json;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use test_support::{Holdfast, Options};

const CLIENTS: usize = 8;
const PARTS: u64 = 3;

fn main() {
    let seconds: u64 = std::env::var("HOLDFAST_BENCH_SECONDS").map_or(30, |text| text.parse().unwrap());
    let holdfast = Holdfast::start_with(Options { untraced: true, ..Options::default() });
    let groups: Vec<String> = (0..CLIENTS).map(|number| format!("bench{number}")).collect();
    for group in &groups {
        let zone = "$TTL 60\n@ SOA ns1 hostmaster 1 3600 900 604800 300\n@ NS ns1\nns1 A 192.0.2.1\n";
        let begun =
            holdfast.post_text(&format!("/v1/groups/{group}/import?zone={group}.example.&base=0&wait=served"), zone);
        assert_eq!(begun.status, 201, "{}", begun.body);
    }
    println!("one-record plans a second over HTTP by {CLIENTS} clients, in each third of {seconds} s");
    println!("{:<12} {:<22} {:>8} {:>8} {:>8}", "into", "old snapshot", "first", "second", "third");
    for (told, groups) in [("one group", &groups[..1]), ("eight groups", &groups[..])] {
        let before = run(&holdfast, groups, seconds, (told, "none"));
        let snapshot = OldSnapshot::open(&holdfast);
        let with = run(&holdfast, groups, seconds, (told, "open"));
        drop(snapshot);
        let after = run(&holdfast, groups, seconds, (told, "none"));
        println!("{told}: with / without, last thirds: {:.2}", with / ((before + after) / 2.0));
    }
}

/// A transaction that reads, and never ends.
struct OldSnapshot(Child);

impl OldSnapshot {
    fn open(holdfast: &Holdfast) -> Self {
        let statements =
            "begin isolation level repeatable read; select count(*) from generation; select pg_sleep(3600);";
        let child = Command::new("psql")
            .arg(holdfast.database_url())
            .args(["-qXAt", "-c", statements])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_secs(1));
        Self(child)
    }
}

impl Drop for OldSnapshot {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
        // Postgres finds out when it looks for the client, or at the end of the sleep.
        std::thread::sleep(Duration::from_secs(1));
    }
}

/// Plans a second in the last third.
fn run(holdfast: &Holdfast, groups: &[String], seconds: u64, (into, snapshot): (&str, &str)) -> f64 {
    let (stop, admitted) = (AtomicBool::new(false), AtomicU64::new(0));
    let started = Instant::now();
    let rates = std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (group, stop, admitted) = (&groups[client % groups.len()], &stop, &admitted);
            scope.spawn(move || {
                let mut base = holdfast.get(&format!("/v1/groups/{group}")).json()["tip"].as_i64().unwrap();
                let mut round = started.elapsed().as_nanos() as u32;
                while !stop.load(Ordering::Relaxed) {
                    round = round.wrapping_add(1);
                    let [_, b, c, d] = round.to_be_bytes();
                    let plan = json!({ "base": base, "zones": { format!("{group}.example."): { "upsert": [
                        { "name": format!("client{client}"), "type": "A", "ttl": 60, "records": [format!("10.{b}.{c}.{d}")] } ] } } });
                    let posted = holdfast.post(&format!("/v1/groups/{group}/plans"), &plan);
                    assert_eq!(posted.status, 201, "{}", posted.body);
                    base = posted.json()["generation"].as_i64().unwrap();
                    admitted.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let mut rates = Vec::new();
        for _ in 0..PARTS {
            let (began, before) = (Instant::now(), admitted.load(Ordering::Relaxed));
            std::thread::sleep(Duration::from_secs(seconds) / PARTS as u32);
            rates.push((admitted.load(Ordering::Relaxed) - before) as f64 / began.elapsed().as_secs_f64());
        }
        stop.store(true, Ordering::Relaxed);
        rates
    });
    println!("{into:<12} {snapshot:<22} {:>8.0} {:>8.0} {:>8.0}", rates[0], rates[1], rates[2]);
    rates[2]
}
