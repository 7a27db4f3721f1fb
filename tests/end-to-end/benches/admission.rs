//! One-record plans a second over HTTP by 8 clients, into one group and into eight, against pgbench on the same Postgres.
//!
//!     cargo xtask bench admission
//!
//! pgbench: 8 clients, one-row updates without notify, the same synchronous_commit. Each of nine rounds runs pgbench, one
//! group, eight groups, and gives a ratio; the medians of the rounds count.

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot run should say where")]

use serde_json::json;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use test_support::{Holdfast, Options};

const CLIENTS: usize = 8;
const ROUNDS: usize = 9;
const SECONDS: u64 = 4;

fn main() {
    let rounds = std::env::var("HOLDFAST_BENCH_ROUNDS").map_or(ROUNDS, |text| text.parse().unwrap());
    let holdfast = Holdfast::start_with(Options { untraced: true, ..Options::default() });
    let groups: Vec<String> = (0..CLIENTS).map(|number| format!("bench{number}")).collect();
    for group in &groups {
        let zone = "$TTL 60\n@ SOA ns1 hostmaster 1 3600 900 604800 300\n@ NS ns1\nns1 A 192.0.2.1\n";
        let begun =
            holdfast.post_text(&format!("/v1/groups/{group}/import?zone={group}.example.&base=0&wait=served"), zone);
        assert_eq!(begun.status, 201, "{}", begun.body);
    }
    let pgbench = Pgbench::prepare(&holdfast);
    println!("one-record plans over HTTP by {CLIENTS} clients, {SECONDS} s a run");
    println!(
        "{:>6} {:>12} {:>12} {:>8} {:>12} {:>8}",
        "round", "pgbench/s", "one group/s", "ratio", "8 groups/s", "ratio"
    );
    let (mut one, mut eight) = (Vec::new(), Vec::new());
    for round in 1..=rounds {
        let floor = pgbench.run();
        let into_one = plans_a_second(&holdfast, &groups[..1]);
        let into_eight = plans_a_second(&holdfast, &groups);
        println!(
            "{round:>6} {floor:>12.0} {into_one:>12.0} {:>8.3} {into_eight:>12.0} {:>8.3}",
            into_one / floor,
            into_eight / floor
        );
        one.push(into_one / floor);
        eight.push(into_eight / floor);
    }
    println!("medians: one group {:.3}, eight groups {:.3} of pgbench", median(&mut one), median(&mut eight));
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Eight clients, each with a name of its own and a connection of its own, each posting as soon as it has its answer.
fn plans_a_second(holdfast: &Holdfast, groups: &[String]) -> f64 {
    let (stop, admitted) = (AtomicBool::new(false), AtomicU64::new(0));
    let started = Instant::now();
    std::thread::scope(|scope| {
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
        std::thread::sleep(Duration::from_secs(SECONDS));
        stop.store(true, Ordering::Relaxed);
    });
    admitted.load(Ordering::Relaxed) as f64 / started.elapsed().as_secs_f64()
}

/// One-row updates of eight clients, each in a table of its own making.
struct Pgbench {
    url: String,
    script: tempfile::NamedTempFile,
}

impl Pgbench {
    fn prepare(holdfast: &Holdfast) -> Self {
        let script = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(
            script.path(),
            "\\set id random(1, 1000)\nupdate bench_row set value = value + 1 where id = :id;\n",
        )
        .unwrap();
        let url = holdfast.database_url();
        let made = Command::new("psql")
            .arg(&url)
            .args(["-qc", "create table bench_row (id int primary key, value int not null)"])
            .args(["-qc", "insert into bench_row select g, 0 from generate_series(1, 1000) g"])
            .status()
            .unwrap();
        assert!(made.success());
        Self { url, script }
    }

    /// Debian keeps it beside the server, out of `PATH`.
    fn program(&self) -> PathBuf {
        let beside = private_postgres::Installation::all().first().map(|installation| installation.program("pgbench"));
        beside.filter(|path| path.exists()).unwrap_or_else(|| "pgbench".into())
    }

    fn run(&self) -> f64 {
        let clients = CLIENTS.to_string();
        let output = Command::new(self.program())
            .args(["-n", "-M", "prepared", "-c", &clients, "-j", "2", "-T", &SECONDS.to_string(), "-f"])
            .arg(self.script.path())
            .arg(&self.url)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let tps = text.lines().find_map(|line| line.strip_prefix("tps = ")).unwrap_or_else(|| panic!("{text}"));
        tps.split_whitespace().next().unwrap().parse().unwrap()
    }
}
