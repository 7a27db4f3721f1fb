//! What installing costs those who ask meanwhile: a server at half of its full load, with a thousand changes a second and without,
//! by turns; and how soon a change of a million record sets is served.
//!
//!     cargo xtask bench install
//!
//! The real programs, the server's one UDP thread on the first core, the client on the second, the rest where there is room. Changes
//! are one record each, written to the history beforehand with ids and digests that are right; while it is measured, the head moves
//! every 5 ms as an enactor would move it, and the enactors are stopped. HOLDFAST_BENCH_ROUNDS (pairs), HOLDFAST_BENCH_SECONDS (of
//! each run), HOLDFAST_BENCH_RATE (changes a second), HOLDFAST_BENCH_ZONES (`1k`, `100k`, `1m`) and HOLDFAST_BENCH_CHANGES (of the
//! large change) make it smaller. What building and swapping one changed name takes by itself is measured
//! afterwards, by a part of `cargo xtask bench answer`.

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot run should say where")]

#[allow(dead_code, reason = "shared with the benchmark of answers over UDP")]
#[path = "../udp/contents.rs"]
mod contents;
#[allow(dead_code, reason = "shared with the benchmark of answers over UDP")]
#[path = "../udp/cpu.rs"]
mod cpu;
mod feed;
#[allow(dead_code, reason = "shared with the benchmark of answers over UDP")]
#[path = "../udp/load.rs"]
mod load;
#[allow(dead_code, reason = "shared with the benchmark of answers over UDP")]
#[path = "../udp/served.rs"]
mod served;

use contents::Contents;
use feed::Feed;
use load::{Load, Mix};
use served::Served;
use std::fmt::Write as _;
use std::time::{Duration, Instant};
use test_support::{Holdfast, Signal};

const SERVER_CORE: usize = 0;
const CLIENT_CORE: usize = 1;
const PORTS: usize = 128;
/// So that nobody else moves heads.
const ENACTORS: [&str; 2] = ["enactor-1", "enactor-2"];
/// How long the large change may take before this gives up.
const LARGE_WITHIN: Duration = Duration::from_secs(300);

fn main() {
    let number = |name: &str, default: usize| std::env::var(name).map_or(default, |text| text.parse().unwrap());
    let (rounds, seconds) = (number("HOLDFAST_BENCH_ROUNDS", 15), number("HOLDFAST_BENCH_SECONDS", 4));
    let (rate, changes) = (number("HOLDFAST_BENCH_RATE", 1_000), number("HOLDFAST_BENCH_CHANGES", 1_000_000));
    let zones = std::env::var("HOLDFAST_BENCH_ZONES").unwrap_or_else(|_| "100k".to_owned());
    let contents = Contents::named(&zones).unwrap_or_else(|| panic!("HOLDFAST_BENCH_ZONES does not know {zones}"));
    cpu::stay_on(CLIENT_CORE);
    let served = Served::start(&contents, SERVER_CORE);
    let holdfast = served.holdfast();
    let mut feed = Feed::of(holdfast, &contents.zone(0), contents.names_each);
    for enactor in ENACTORS {
        holdfast.signal(enactor, Signal::STOP);
    }
    feed.admit(holdfast, rounds * seconds * rate);

    let run = Duration::from_secs(seconds as u64);
    let mut load = Load::new(&contents, Mix::Mostly, PORTS);
    load.run(served.dns(), run / 4, None);
    let full = load.run(served.dns(), run, None);
    let half = full.answered as f64 / full.took.as_secs_f64() / 2.0;
    println!("{}: {half:.0} queries/s, half of full load; {rounds} pairs of {seconds} s", contents.words());
    println!("{:<28} {:>10} {:>10} {:>10} {:>12}", "latency of answers", "p50 us", "p99 us", "p99.9 us", "answered");
    load.measure_latencies();
    let (mut without, mut with, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..rounds {
        // Each comes first as often as the other.
        let quiet = |load: &mut Load<'_>| measured(load, &served, run, half);
        let first = if round % 2 == 0 { Some(quiet(&mut load)) } else { None };
        let fed = std::thread::scope(|scope| {
            let feeding = scope.spawn(|| feed.move_on(holdfast, seconds * rate, rate));
            let measured = measured(&mut load, &served, run, half);
            feeding.join().unwrap();
            measured
        });
        until_served(holdfast, feed.head());
        let quiet = first.unwrap_or_else(|| quiet(&mut load));
        ratios.push(fed[1] / quiet[1]);
        without.push(quiet);
        with.push(fed);
    }
    show("without changes", &without);
    show(&format!("with {rate} changes/s"), &with);
    println!("{:<28} {:>21.2}", "median of p99 ratios", median(&ratios));
    large(holdfast, changes);
    for enactor in ENACTORS {
        holdfast.signal(enactor, Signal::CONT);
    }
}

/// p50, p99, p99.9 in microseconds, and how many were answered.
fn measured(load: &mut Load<'_>, served: &Served, run: Duration, rate: f64) -> [f64; 4] {
    let answered = load.run(served.dns(), run, Some(rate)).answered;
    let latencies = load.latencies();
    let at = |share: f64| latencies[((latencies.len() - 1) as f64 * share).round() as usize].as_secs_f64() * 1e6;
    [at(0.5), at(0.99), at(0.999), answered as f64]
}

fn show(what: &str, runs: &[[f64; 4]]) {
    let of = |place: usize| median(&runs.iter().map(|run| run[place]).collect::<Vec<_>>());
    println!("{what:<28} {:>10.0} {:>10.0} {:>10.0} {:>12.0}", of(0), of(1), of(2), of(3));
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// Waits until the server has a generation of the first group.
fn until_served(holdfast: &Holdfast, generation: i64) {
    let line = format!("holdfast_server_group_generation{{group=\"g0\"}} {generation}");
    test_support::eventually("the last change is served", Duration::from_secs(60), || {
        holdfast.get_admin("/metrics").is_some_and(|answer| answer.body.lines().any(|one| one == line))
    });
}

/// A zone of so many names, at first out of nothing and then with all of it changed: from the move of the head to the first
/// new answer.
fn large(holdfast: &Holdfast, changes: usize) {
    println!("a change of {changes} record sets, from the move of the head to its first answer");
    for (round, told) in ["a new zone", "all of it changed"].iter().enumerate() {
        let mut zone = String::from("$TTL 60\n@ SOA ns1 hostmaster 1 3600 900 604800 300\n@ NS ns1\nns1 A 192.0.2.1\n");
        for host in 0..changes.saturating_sub(3) {
            writeln!(zone, "h{host} A 1{round}.{}.{}.{}", host >> 16 & 255, host >> 8 & 255, host & 255).unwrap();
        }
        let path = format!("/v1/groups/large/import?zone=large.example.&base={round}&acknowledge=changed-share:bench");
        let posted = holdfast.post_text(&path, &zone);
        assert_eq!(posted.status, 201, "{}", posted.body);
        drop(zone);
        let began = Instant::now();
        let moved = "insert into head_move (zone_group, ring, generation, by)
            select zone_group, 'fleet', max(generation), 'bench' from generation join zone_group z using (zone_group) where z.name = 'large' group by 1;
            notify holdfast_moved";
        holdfast.execute(moved).unwrap();
        let expected = [10 + round as u8, 0, 0, 0];
        while !answered(holdfast, expected) {
            assert!(began.elapsed() < LARGE_WITHIN, "the large change is not served:\n{}", holdfast.said());
            std::thread::sleep(Duration::from_millis(2));
        }
        println!("{told:<28} {:>10.2} s   (to reach: 5.00 at most)", began.elapsed().as_secs_f64());
    }
}

fn answered(holdfast: &Holdfast, address: [u8; 4]) -> bool {
    let answer = holdfast.ask("h0.large.example.", "A");
    answer.answers.iter().any(|record| record.data.to_string() == std::net::Ipv4Addr::from(address).to_string())
}
