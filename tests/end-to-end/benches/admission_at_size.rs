//! What the admission of a one-record plan costs in a group with a thousand record sets, and in one with a million.
//!
//!     cargo xtask bench admission-at-size
//!
//! Both groups stand in one database. One client posts a one-record plan to the one, then to the other, and so on: pairs, so that whatever
//! else the machine does hits both. HOLDFAST_BENCH_SIZES are the two sizes.

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot run should say where")]

use serde_json::json;
use std::time::{Duration, Instant};
use test_support::{Holdfast, Options};

const PAIRS: usize = 1_000;
const WARM_UP: usize = 100;

fn main() {
    let sizes = std::env::var("HOLDFAST_BENCH_SIZES").unwrap_or_else(|_| "1000,1000000".to_owned());
    let sizes: Vec<u32> = sizes.split(',').map(|size| size.trim().parse().unwrap()).collect();
    let holdfast = Holdfast::start_with(Options { untraced: true, ..Options::default() });
    let mut bases: Vec<i64> = Vec::new();
    for size in &sizes {
        let mut zone = String::from(
            "$TTL 60\n@ SOA ns1 hostmaster 1 3600 900 604800 300\n@ NS ns1\nns1 A 192.0.2.1\nprobe A 192.0.2.1\n",
        );
        for host in 0..size.saturating_sub(4) {
            zone.push_str(&format!("h{host} A 198.51.{}.{}\n", host >> 8 & 255, host & 255));
        }
        let begun = holdfast.post_text(
            &format!("/v1/groups/g{size}/import?zone=g{size}.example.&base=0&wait=enacted&timeout_s=60"),
            &zone,
        );
        assert_eq!(begun.status, 201, "{}", begun.body);
        bases.push(begun.json()["generation"].as_i64().unwrap());
    }
    let mut times: Vec<Vec<Duration>> = vec![Vec::new(); sizes.len()];
    for round in 0..WARM_UP + PAIRS {
        for (place, size) in sizes.iter().enumerate() {
            let address = format!("203.0.{}.{}", round >> 8 & 255, round & 255);
            let plan = json!({"base": bases[place], "zones": { format!("g{size}.example."): {"upsert": [
                {"name": "probe", "type": "A", "ttl": 60, "records": [address]}]}}});
            let started = Instant::now();
            let posted = holdfast.post(&format!("/v1/groups/g{size}/plans"), &plan);
            let took = started.elapsed();
            assert_eq!(posted.status, 201, "{}", posted.body);
            bases[place] = posted.json()["generation"].as_i64().unwrap();
            if round >= WARM_UP {
                times[place].push(took);
            }
        }
    }
    println!("POST of a one-record plan → its admission, {PAIRS} pairs, milliseconds");
    println!("{:>12} {:>8} {:>8} {:>8}", "record sets", "p50", "p90", "p99");
    let mut medians = Vec::new();
    for (size, times) in sizes.iter().zip(&mut times) {
        times.sort_unstable();
        let at = |share: f64| times[((times.len() - 1) as f64 * share).round() as usize].as_secs_f64() * 1e3;
        println!("{size:>12} {:>8.2} {:>8.2} {:>8.2}", at(0.5), at(0.9), at(0.99));
        medians.push(at(0.5));
    }
    println!("ratio of the last median to the first: {:.2}", medians[medians.len() - 1] / medians[0]);
}
