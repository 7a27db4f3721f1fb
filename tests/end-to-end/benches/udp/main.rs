//! What an answer over UDP costs: the server's CPU time a query, as a ratio to a bare batched echo whose replies are as long, and
//! beside the peers that are installed (Knot, NSD, PowerDNS with Postgres).
//!
//!     cargo xtask bench udp
//!
//! Server on the first core, client on the second, in a network namespace of their own where we may make one, because the packet
//! filter of a container engine would make the floor dearer and flatter every ratio. Every run of a server stands between two
//! runs of the echo, and is compared with their mean; medians, with quartiles. HOLDFAST_BENCH_ZONES chooses among `100k`, `1m` and
//! `10k-zones`, HOLDFAST_BENCH_ROUNDS the number of rounds, HOLDFAST_BENCH_PORTS the client's ports.

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot run should say where")]

mod contents;
mod cpu;
mod echo;
mod load;
mod peers;
mod served;

use contents::Contents;
use load::{Load, Mix, Run};
use peers::Peer;
use served::Served;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::time::Duration;

/// Set in the namespace.
const INSIDE: &str = "HOLDFAST_BENCH_INSIDE";
/// The core that servers run on.
const SERVER_CORE: usize = 0;
/// The core that the client runs on.
const CLIENT_CORE: usize = 1;
/// How long one run is measured.
const RUN: Duration = Duration::from_secs(1);

fn main() {
    if let Ok(port) = std::env::var(echo::PORT) {
        echo::run(port.parse().unwrap());
    }
    if std::env::var_os(INSIDE).is_none() {
        go_inside();
    }
    let number = |name: &str, default: usize| std::env::var(name).map_or(default, |text| text.parse().unwrap());
    let (rounds, ports) = (number("HOLDFAST_BENCH_ROUNDS", 30), number("HOLDFAST_BENCH_PORTS", 128));
    let zones = std::env::var("HOLDFAST_BENCH_ZONES").unwrap_or_else(|_| "100k,1m,10k-zones".to_owned());
    println!(
        "CPU time of a query over UDP on one core, {rounds} rounds of {RUN:?}, {ports} client ports; medians, with quartiles"
    );
    for zones in zones.split(',') {
        let contents = Contents::named(zones).unwrap_or_else(|| panic!("HOLDFAST_BENCH_ZONES does not know {zones}"));
        measure(&contents, rounds, ports);
    }
}

/// Runs this program again where nobody else's packets are. Returns where that is not possible.
fn go_inside() {
    let itself = std::env::current_exe().unwrap();
    let with_loopback = "ip link set lo up && exec \"$0\" \"$@\"";
    let tried = Command::new("unshare").args(["--net", "--", "sh", "-c", "ip link set lo up"]).output();
    if tried.is_ok_and(|tried| tried.status.success()) {
        let mut command = Command::new("unshare");
        command.args(["--net", "--", "sh", "-c", with_loopback]).arg(itself).args(std::env::args_os().skip(1));
        panic!("{}", command.env(INSIDE, "1").exec());
    }
    println!(
        "without a network namespace of its own: a packet filter may make every figure dearer, and every ratio better"
    );
}

/// What was measured of one server in one mix.
#[derive(Default)]
struct Measured {
    /// Nanoseconds of CPU a query.
    cost: Vec<f64>,
    /// To the mean of the echoes before and after.
    ratio: Vec<f64>,
    /// Queries a second.
    rate: Vec<f64>,
}

fn measure(contents: &Contents, rounds: usize, ports: usize) {
    println!("\n{}", contents.words());
    println!(
        "\n| mix | server | ns a query | to the echo | to Holdfast | queries/s |\n| --- | --- | --- | --- | --- | --- |"
    );
    cpu::stay_on(CLIENT_CORE);
    let holdfast = Served::start(contents, SERVER_CORE);
    let mut servers: Vec<(&str, Peer)> = vec![("Holdfast", Peer::of(holdfast.pid(), holdfast.dns()))];
    servers.extend(peers::start(contents, SERVER_CORE));
    for mix in [Mix::Mostly, Mix::Mixed] {
        let mut load = Load::new(contents, mix, ports);
        // How long our replies are, the echo's are as well.
        let extra = load.run(servers[0].1.address, RUN, None).octets_more;
        let echo = echo::start(extra, SERVER_CORE);
        let mut all: Vec<Measured> = servers.iter().map(|_| Measured::default()).collect();
        let mut floor = Measured::default();
        for _ in 0..rounds {
            let mut before = one(&mut load, &echo);
            for ((_, server), measured) in servers.iter().zip(&mut all) {
                let (run, after) = (one(&mut load, server), one(&mut load, &echo));
                measured.cost.push(run.0);
                measured.ratio.push(run.0 / ((before.0 + after.0) / 2.0));
                measured.rate.push(run.1);
                floor.cost.push(after.0);
                floor.rate.push(after.1);
                before = after;
            }
        }
        let ours = quartiles(&all[0].cost)[1];
        let show = |name: &str, measured: &Measured| {
            let ratio = match quartiles(&measured.ratio) {
                [low, median, high] if median.is_finite() => format!("{median:.3} ({low:.3} to {high:.3})"),
                _ => "1".to_owned(),
            };
            let (cost, rate) = (quartiles(&measured.cost)[1], quartiles(&measured.rate)[1]);
            println!("| {} | {name} | {cost:.0} | {ratio} | {:.2} | {rate:.0} |", mix.name(), cost / ours);
        };
        show("echo", &floor);
        servers.iter().zip(&all).for_each(|((name, _), measured)| show(name, measured));
    }
}

/// Nanoseconds of the server's CPU a query, and queries a second.
fn one(load: &mut Load<'_>, server: &Peer) -> (f64, f64) {
    // What comes first is not measured.
    let _ = load.run(server.address, RUN / 10, None);
    let cost = || server.pids.iter().map(|pid| cpu::nanoseconds_of(*pid)).sum::<u64>();
    let before = cost();
    let Run { answered, took, .. } = load.run(server.address, RUN, None);
    let after = cost();
    assert!(answered > 0, "no answers");
    ((after - before) as f64 / answered as f64, answered as f64 / took.as_secs_f64())
}

/// Lower quartile, median, upper quartile.
fn quartiles(values: &[f64]) -> [f64; 3] {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    [0.25, 0.5, 0.75].map(|share| {
        sorted.get(((sorted.len().max(1) - 1) as f64 * share).round() as usize).copied().unwrap_or(f64::NAN)
    })
}
