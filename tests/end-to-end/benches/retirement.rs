//! What retirement costs those who admit: one-record plans a second over HTTP by 8 clients, with and without a retirement
//! that works through a million obsolete changes meanwhile.
//!
//!     cargo xtask bench retirement
//!
//! Each of nine rounds measures without and with, in turns which comes first, and gives a ratio; the median counts.
//! HOLDFAST_BENCH_NAMES (1,000,000): how many changes there are to retire. HOLDFAST_BENCH_ROUNDS (9), HOLDFAST_BENCH_SECONDS
//! (5): more of them show whether the history stays bounded, by the rows that are told.

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot run should say where")]

use serde_json::json;
use std::fmt::Write as _;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use test_support::{Holdfast, Options};

const CLIENTS: usize = 8;

fn main() {
    let setting = |name: &str, default: u64| std::env::var(name).map_or(default, |text| text.parse().unwrap());
    let names = setting("HOLDFAST_BENCH_NAMES", 1_000_000);
    let rounds = setting("HOLDFAST_BENCH_ROUNDS", 9);
    let seconds = Duration::from_secs(setting("HOLDFAST_BENCH_SECONDS", 5));
    let holdfast = Holdfast::start_with(Options { untraced: true, ..Options::default() });
    import(&holdfast, "small", 0, 10, 0);
    // What the first import says of each name is obsolete since the second.
    let first = import(&holdfast, "bulk", 0, names, 1);
    let second = import(&holdfast, "bulk", first, names, 2);
    let url = holdfast.database_url();
    count(&url, &format!("update zone_group set floor = {second} where name = 'bulk' returning floor"));

    println!(
        "one-record plans over HTTP by {CLIENTS} clients, {} s a run; {names} changes to retire",
        seconds.as_secs()
    );
    println!(
        "{:>6} {:>12} {:>12} {:>8} {:>12} {:>12}",
        "round", "without/s", "with/s", "ratio", "obsolete", "rows of small"
    );
    let mut ratios = Vec::new();
    for round in 1..=rounds {
        let with_retirement = || {
            let retirement = Retirement::start(&url);
            let rate = plans_a_second(&holdfast, seconds);
            drop(retirement);
            rate
        };
        let (without, with) = if round % 2 == 0 {
            let with = with_retirement();
            (plans_a_second(&holdfast, seconds), with)
        } else {
            (plans_a_second(&holdfast, seconds), with_retirement())
        };
        let left = count(
            &url,
            "select count(*) - (select count(*) from zone_at((select zone from zone where name = 'bulk.example.'), 9000000000)) \
                                from change where zone = (select zone from zone where name = 'bulk.example.')",
        );
        let small = count(
            &url,
            "select count(*) from change where zone = (select zone from zone where name = 'small.example.')",
        );
        println!("{round:>6} {without:>12.0} {with:>12.0} {:>8.3} {left:>12} {small:>12}", with / without);
        ratios.push(with / without);
    }
    ratios.sort_by(f64::total_cmp);
    println!("median: {:.3} of the plans without retirement", ratios[ratios.len() / 2]);
}

/// A zone of so many names as a whole. The generation.
fn import(holdfast: &Holdfast, group: &str, base: u64, names: u64, octet: u8) -> u64 {
    let mut zone = "$TTL 60\n@ SOA ns1 hostmaster 1 3600 900 604800 300\n@ NS ns1\nns1 A 192.0.2.1\n".to_owned();
    for name in 0..names {
        writeln!(zone, "n{name} A 10.{octet}.{}.{}", name / 250 % 250, name % 250).unwrap();
    }
    let query =
        format!("zone={group}.example.&base={base}&wait=enacted&timeout_s=60&acknowledge=changed-share:benchmark");
    let answer = holdfast.post_text(&format!("/v1/groups/{group}/import?{query}"), &zone);
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.json()["generation"].as_u64().unwrap()
}

fn count(url: &str, query: &str) -> i64 {
    let output = Command::new("psql").arg(url).args(["-qXAtc", query]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.trim().parse().unwrap_or_else(|_| panic!("{query}: {text}{}", String::from_utf8_lossy(&output.stderr)))
}

/// The real program, with its settings as shipped except that it keeps few generations.
struct Retirement(Child);

impl Retirement {
    fn start(url: &str) -> Self {
        let program = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join("holdfast-control-plane");
        let mut command = Command::new(program);
        command.args(["retirement", "--keep", "100", "--every-ms", "1000"]).env("HOLDFAST_DATABASE_URL", url);
        Self(command.stdin(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Retirement {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// Eight clients, each with a name of its own and a connection of its own, each posting as soon as it has its answer.
fn plans_a_second(holdfast: &Holdfast, seconds: Duration) -> f64 {
    let (stop, admitted) = (AtomicBool::new(false), AtomicU64::new(0));
    let started = Instant::now();
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (stop, admitted) = (&stop, &admitted);
            scope.spawn(move || {
                let mut base = holdfast.get("/v1/groups/small").json()["tip"].as_u64().unwrap();
                let mut round = u32::try_from(base).unwrap().wrapping_mul(97);
                while !stop.load(Ordering::Relaxed) {
                    round = round.wrapping_add(1);
                    let [_, b, c, d] = round.to_be_bytes();
                    let set = json!({"name": format!("n{client}"), "type": "A", "ttl": 60, "records": [format!("10.{b}.{c}.{d}")]});
                    let plan = json!({"base": base, "zones": {"small.example.": {"upsert": [set]}}});
                    let posted = holdfast.post("/v1/groups/small/plans", &plan);
                    assert!(matches!(posted.status, 200 | 201), "{}", posted.body);
                    base = posted.json()["generation"].as_u64().unwrap_or(base);
                    admitted.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        std::thread::sleep(seconds);
        stop.store(true, Ordering::Relaxed);
    });
    admitted.load(Ordering::Relaxed) as f64 / started.elapsed().as_secs_f64()
}
