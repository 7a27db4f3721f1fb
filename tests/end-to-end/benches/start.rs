//! How long a server takes from its start to its first right answer, with a million names: from Postgres, from disk, and from disk
//! while there is no database; and the memory that it has then, and had at most.
//!
//!     cargo xtask bench start
//!
//! Medians of 5 starts each. What the server wrote is in the page cache, as after a restart of the program; after one of the machine it
//! is read from the disk first. HOLDFAST_BENCH_NAMES asks for another number of names, HOLDFAST_BENCH_ROUNDS for another number of starts.

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot run should say where")]

use std::fmt::Write as _;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use test_support::{AnotherServer, Holdfast, Options};

/// Nobody listens there.
const NO_DATABASE: &str = "postgres://nobody@127.0.0.1:1/none";

fn main() {
    let number = |name: &str, default: usize| std::env::var(name).map_or(default, |text| text.parse().unwrap());
    let (names, rounds) = (number("HOLDFAST_BENCH_NAMES", 1_000_000), number("HOLDFAST_BENCH_ROUNDS", 5));
    let holdfast = Holdfast::start_with(Options { untraced: true, ..Options::default() });
    let mut zone = String::from("$TTL 60\n@ SOA ns1 hostmaster 1 3600 900 604800 300\n@ NS ns1\nns1 A 192.0.2.1\n");
    for host in 0..names {
        writeln!(zone, "h{host} A 198.51.{}.{}", host >> 8 & 255, host & 255).unwrap();
    }
    let begun =
        holdfast.post_text("/v1/groups/bench/import?zone=bench.example.&base=0&wait=served&timeout_s=60", &zone);
    assert_eq!(begun.status, 201, "{}", begun.body);
    drop(zone);
    let folder = TempDir::new().unwrap();
    let folder = folder.path().to_str().unwrap();

    println!("from the start of a server with {names} names to its first answer, medians of {rounds} starts");
    println!("{:<28} {:>10} {:>10} {:>14} {:>14}", "from", "median s", "slowest s", "resident MB", "at most MB");
    let on_disk = ("HOLDFAST_SNAPSHOT_DIR", folder);
    show("Postgres", rounds, || holdfast.another_server_with("bench", "fleet", &[]));
    {
        let writer = holdfast.another_server_with("bench", "fleet", &[on_disk]);
        answers(&writer);
        let began = Instant::now();
        while std::fs::read_dir(folder)
            .unwrap()
            .all(|file| !file.unwrap().path().to_string_lossy().ends_with(".snapshot"))
        {
            assert!(began.elapsed() < Duration::from_secs(120), "nothing is on disk");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    show("disk, and Postgres is there", rounds, || holdfast.another_server_with("bench", "fleet", &[on_disk]));
    show("disk, without a database", rounds, || {
        holdfast.another_server_with("bench", "fleet", &[on_disk, ("HOLDFAST_DATABASE_URL", NO_DATABASE)])
    });
    let octets: u64 = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().metadata().unwrap().len()).sum();
    println!("on disk: {} MB", octets / 1_000_000);
}

fn show(what: &str, rounds: usize, start: impl Fn() -> AnotherServer) {
    let mut times = Vec::new();
    let mut memory = Vec::new();
    for _ in 0..rounds {
        let began = Instant::now();
        let server = start();
        answers(&server);
        times.push(began.elapsed().as_secs_f64());
        // What was needed to load is given back soon after.
        std::thread::sleep(Duration::from_millis(500));
        memory.push((kilobytes(&server, "VmRSS"), kilobytes(&server, "VmHWM")));
    }
    times.sort_by(f64::total_cmp);
    memory.sort_unstable();
    let (resident, most) = memory[memory.len() / 2];
    let (median, slowest) = (times[times.len() / 2], times[times.len() - 1]);
    println!("{what:<28} {median:>10.2} {slowest:>10.2} {:>14.0} {:>14.0}", resident as f64 / 1e3, most as f64 / 1e3);
}

/// Waits for a right answer.
fn answers(server: &AnotherServer) {
    let began = Instant::now();
    while !server.ask("h77.bench.example.", "A").is_ok_and(|answer| !answer.answers.is_empty()) {
        assert!(began.elapsed() < Duration::from_secs(120), "no answer:\n{}", server.said());
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn kilobytes(server: &AnotherServer, what: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with(what)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
