//! How long from the POST of a one-record plan to the first new answer on the wire: at 1,000 and at 100,000 record sets.
//!
//!     cargo xtask bench propagation
//!
//! Real programs on one machine: API, Postgres with fsync, two enactors, server. The clock starts before the request is
//! sent, and stops when a UDP answer with the new address arrives; it is asked for without a pause.

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot run should say where")]

use serde_json::json;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};
use test_support::{Holdfast, Options};

/// Plans measured at each size.
const PLANS: u32 = 300;
/// Plans before that, so that caches and pools are warm.
const WARM_UP: u32 = 30;

fn main() {
    let sizes: Vec<u32> = match std::env::var("HOLDFAST_BENCH_SIZES") {
        Ok(text) => text.split(',').map(|size| size.trim().parse().unwrap()).collect(),
        Err(_) => vec![1_000, 100_000],
    };
    println!("POST of a one-record plan → first new answer on the wire, {PLANS} plans each, milliseconds");
    println!("{:>12} {:>8} {:>8} {:>8} {:>8}", "record sets", "p50", "p90", "p99", "max");
    let mut medians = Vec::new();
    for size in sizes {
        let mut times = measure(size);
        times.sort();
        let at = |share: f64| times[((times.len() - 1) as f64 * share).round() as usize].as_secs_f64() * 1e3;
        println!("{size:>12} {:>8.2} {:>8.2} {:>8.2} {:>8.2}", at(0.5), at(0.9), at(0.99), at(1.0));
        medians.push(at(0.5));
    }
    if let [first, .., last] = medians[..] {
        println!("ratio of the last median to the first: {:.2}", last / first);
    }
}

fn measure(record_sets: u32) -> Vec<Duration> {
    let holdfast = Holdfast::start_with(Options { untraced: true, ..Options::default() });
    let mut zone = String::from(
        "$TTL 60\n@ SOA ns1 hostmaster 1 3600 900 604800 300\n@ NS ns1\nns1 A 192.0.2.1\nprobe A 192.0.2.1\n",
    );
    for host in 0..record_sets.saturating_sub(4) {
        zone.push_str(&format!("h{host} A 198.51.{}.{}\n", host >> 8 & 255, host & 255));
    }
    let imported =
        holdfast.post_text("/v1/groups/bench/import?zone=bench.example.&base=0&wait=served&timeout_s=60", &zone);
    assert_eq!(imported.status, 201, "{}", imported.body);
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    let mut base = imported.json()["generation"].as_i64().unwrap();
    let mut times = Vec::new();
    for round in 0..WARM_UP + PLANS {
        let address = [203, 0, (round >> 8) as u8, round as u8];
        let text = address.map(|octet| octet.to_string()).join(".");
        let plan = json!({ "base": base, "zones": { "bench.example.": { "upsert": [
            { "name": "probe", "type": "A", "ttl": 60, "records": [text] } ] } } });
        let started = Instant::now();
        // The answer is watched from another thread, since it may come before the API's own.
        let dns = holdfast.dns();
        let watcher = socket.try_clone().unwrap();
        let watching = std::thread::spawn(move || first_answer(&watcher, dns, address));
        let posted = holdfast.post("/v1/groups/bench/plans", &plan);
        assert_eq!(posted.status, 201, "{}", posted.body);
        base = posted.json()["generation"].as_i64().unwrap();
        let answered = watching.join().unwrap();
        if round >= WARM_UP {
            times.push(answered - started);
        }
    }
    times
}

/// Asks for `probe.bench.example A` until the answer holds `address`.
fn first_answer(socket: &UdpSocket, dns: SocketAddr, address: [u8; 4]) -> Instant {
    let mut question = vec![0, 7, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    question.extend_from_slice(b"\x05probe\x05bench\x07example\0\0\x01\0\x01");
    let mut reply = [0; 512];
    let deadline = Instant::now() + Duration::from_secs(20);
    while Instant::now() < deadline {
        socket.send_to(&question, dns).unwrap();
        if let Ok(length) = socket.recv(&mut reply)
            && reply[..length].ends_with(&address)
        {
            return Instant::now();
        }
        // Four thousand questions a second are enough to see a fifth of a millisecond, and leave the cores to the others.
        std::thread::sleep(Duration::from_micros(200));
    }
    panic!("the new answer never came");
}
