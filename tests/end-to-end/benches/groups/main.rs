//! Ten thousand zones in ten thousand groups: how long a server takes to load them from Postgres and from disk, what following and
//! being asked about costs when only one of them changes, and what all programs take at rest.
//!
//!     cargo xtask bench groups
//!
//! The real programs. The same with few groups beside it, because what matters is how costs grow. HOLDFAST_BENCH_GROUPS asks for other
//! numbers of groups (`100,10000`), HOLDFAST_BENCH_PLANS for another number of changes.

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot run should say where")]

#[allow(dead_code, reason = "shared with the benchmark of answers over UDP")]
#[path = "../udp/contents.rs"]
mod contents;
#[allow(dead_code, reason = "shared with the benchmark of answers over UDP")]
#[path = "../udp/cpu.rs"]
mod cpu;
#[allow(dead_code, reason = "shared with the benchmark of answers over UDP")]
#[path = "../udp/served.rs"]
mod served;

use contents::Contents;
use serde_json::json;
use served::Served;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use test_support::{AnotherServer, Holdfast};

/// Names in each zone.
const NAMES: usize = 10;
/// Nobody listens there.
const NO_DATABASE: &str = "postgres://nobody@127.0.0.1:1/none";
/// How long the programs are watched at rest.
const AT_REST: Duration = Duration::from_secs(10);
const PROGRAMS: [&str; 6] = ["server", "postgres", "enactor-1", "enactor-2", "api", "auditor"];

fn main() {
    let groups = std::env::var("HOLDFAST_BENCH_GROUPS").unwrap_or_else(|_| "100,10000".to_owned());
    let plans = std::env::var("HOLDFAST_BENCH_PLANS").map_or(200, |text| text.parse().unwrap());
    for groups in groups.split(',') {
        measure(groups.trim().parse().unwrap(), plans);
    }
}

fn measure(groups: usize, plans: usize) {
    let contents = Contents { zones: groups, names_each: NAMES };
    println!("\n{}", contents.words());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let began = Instant::now();
    let served = Served::start(&contents, cores - 1);
    tell("all imported through the API, and served", began.elapsed());
    let holdfast = served.holdfast();
    all_answer(holdfast.dns(), &contents);
    following(holdfast, &contents, plans);
    let began = Instant::now();
    let metrics = holdfast.get_admin("/metrics").unwrap().body.len();
    tell(&format!("/metrics, {} kB", metrics / 1_000), began.elapsed());
    at_rest(holdfast);

    let folder = TempDir::new().unwrap();
    let on_disk = ("HOLDFAST_SNAPSHOT_DIR", folder.path().to_str().unwrap());
    let began = Instant::now();
    let server = holdfast.another_server_with("bench", "fleet", &[on_disk]);
    until_all(&server, &contents);
    tell("loaded from Postgres", began.elapsed());
    let is_file = |name: &str| name.ends_with(".snapshot");
    let files = || {
        let all = std::fs::read_dir(folder.path()).unwrap();
        all.filter(|file| is_file(&file.as_ref().unwrap().file_name().to_string_lossy())).count()
    };
    test_support::eventually("everything is on disk", Duration::from_secs(600), || files() == groups);
    tell("all written to disk by then", began.elapsed());
    drop(server);
    for (what, variables) in [
        ("loaded from disk, and Postgres is there", &[on_disk][..]),
        ("loaded from disk, without a database", &[on_disk, ("HOLDFAST_DATABASE_URL", NO_DATABASE)]),
    ] {
        let began = Instant::now();
        let server = holdfast.another_server_with("bench", "fleet", variables);
        until_all(&server, &contents);
        tell(what, began.elapsed());
        all_answer(server.dns(), &contents);
    }
}

fn tell(what: &str, took: Duration) {
    println!("{what:<50} {:>12.1} ms", took.as_secs_f64() * 1e3);
}

/// Waits until a server has all zones.
fn until_all(server: &AnotherServer, contents: &Contents) {
    let last = contents.zone(contents.zones - 1);
    let began = Instant::now();
    // A load comes in one swap: who has the last zone has them all, as `all_answer` sees.
    while !server.ask(&format!("n0000000.{last}"), "A").is_ok_and(|answer| !answer.answers.is_empty()) {
        assert!(began.elapsed() < Duration::from_secs(300), "not loaded:\n{}", server.said());
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Asks every zone.
fn all_answer(server: SocketAddr, contents: &Contents) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(server).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut reply = [0; 512];
    let began = Instant::now();
    for zone in 0..contents.zones {
        socket.send(&question(&format!("n0000003.{}", contents.zone(zone)))).unwrap();
        let length = socket.recv(&mut reply).unwrap();
        assert!(
            reply[3] & 15 == 0 && reply[..length].ends_with(&[198, 51, 0, 3]),
            "zone {zone}: {:?}",
            &reply[..length]
        );
    }
    tell("each of them asked, one after the other", began.elapsed());
}

fn question(name: &str) -> Vec<u8> {
    let mut packet = vec![0, 7, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split_terminator('.') {
        packet.push(label.len() as u8);
        packet.extend_from_slice(label.as_bytes());
    }
    packet.extend_from_slice(&[0, 0, 1, 0, 1]);
    packet
}

/// One-record plans, each to another group: from the POST to the first new answer.
fn following(holdfast: &Holdfast, contents: &Contents, plans: usize) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(holdfast.dns()).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut times: Vec<Duration> = (0..plans)
        .map(|plan| {
            // A prime, so that each group comes once before any comes twice.
            let (group, turn) = (plan * 7_919 % contents.zones, plan / contents.zones);
            let zone = contents.zone(group);
            let address = [203, 0, (plan >> 8) as u8, plan as u8];
            let text = std::net::Ipv4Addr::from(address).to_string();
            let body = json!({ "base": 1 + turn, "zones": { &zone: { "upsert": [
                { "name": "n0000000", "type": "A", "ttl": 60, "records": [text] } ] } } });
            let (question, mut reply) = (question(&format!("n0000000.{zone}")), [0; 512]);
            let began = Instant::now();
            let posted = holdfast.post(&format!("/v1/groups/g{group}/plans"), &body);
            assert_eq!(posted.status, 201, "{}", posted.body);
            loop {
                socket.send(&question).unwrap();
                let length = socket.recv(&mut reply).unwrap();
                if reply[..length].ends_with(&address) {
                    break began.elapsed();
                }
                assert!(began.elapsed() < Duration::from_secs(30), "the new answer never came");
                std::thread::sleep(Duration::from_micros(200));
            }
        })
        .collect();
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share).round() as usize];
    tell(&format!("one record changed → first new answer, p50 of {plans}"), at(0.5));
    tell("the same, p99", at(0.99));
}

/// What everybody takes while nothing happens: looks at all heads, ticks, heartbeats.
fn at_rest(holdfast: &Holdfast) {
    std::thread::sleep(Duration::from_secs(2));
    let all = || PROGRAMS.map(|name| holdfast.pid(name).map_or(0, cpu::nanoseconds_of));
    let before = all();
    std::thread::sleep(AT_REST);
    let after = all();
    for ((name, before), after) in PROGRAMS.iter().zip(before).zip(after) {
        let share = after.saturating_sub(before) as f64 / AT_REST.as_nanos() as f64;
        println!("{:<50} {:>12.2} % of a core", format!("at rest, {name}"), share * 100.0);
    }
}
