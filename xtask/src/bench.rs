//! `cargo xtask bench`: how fast, measured on the real programs in release.

use clap::ValueEnum;

use crate::cargo::{cargo, run as run_to_the_end};
use crate::{Failure, tools};

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Bench {
    /// POST of a one-record plan → first new answer on the wire, at 1,000 and 100,000 record sets.
    Propagation,
    /// One-record plans a second over HTTP by 8 clients, against pgbench on the same Postgres.
    Admission,
    /// How long until the newest plan is in force when enactors come back: a million plans queued, against one.
    Queue,
    /// The same with and without a retirement that works through a million obsolete changes.
    Retirement,
    /// Admission of a one-record plan in a group with 1,000 record sets, and in one with 1,000,000.
    AdmissionAtSize,
    /// A plan of 1,000,000 changes, while one-record plans go on to another zone of its group.
    LargePlan,
    /// One-record plans a second while a snapshot is open for half a minute, and without one.
    OldSnapshot,
    /// `answer` alone, without sockets, at 100,000 and 1,000,000 names; memory a name; how soon one changed name is served.
    Answer,
    /// What an answer over UDP costs: the server's CPU a query, against a bare batched echo and the peers that are installed; one
    /// zone of 100,000 names, one of 1,000,000, and 10,000 zones.
    Udp,
    /// How long a server with 1,000,000 names takes from its start to its first answer: from disk, from disk without a database, and from
    /// Postgres; and its memory.
    Start,
    /// 10,000 zones in 10,000 groups: loaded from Postgres and from disk, one of them changed, each of them asked, all programs at rest.
    Groups,
    /// A thousand changes a second installed while the server answers at half of its load; a change of 1,000,000 record sets; one name.
    Install,
}

/// Builds in release, and measures.
pub(crate) fn run(bench: Bench, install_peers: bool) -> Result<(), Failure> {
    if install_peers {
        if bench != Bench::Udp {
            return Err(
                "--install-peers is for `cargo xtask bench udp`: nothing else is measured against peers".to_owned()
            );
        }
        tools::need_peers()?;
    }
    if bench == Bench::Answer {
        return run_to_the_end(&mut cargo(&["bench", "--quiet", "-p", "server", "--bench", "answer"]));
    }
    tools::need_postgres()?;
    println!("building in release");
    run_to_the_end(&mut cargo(&["build", "--release", "-p", "holdfast", "-p", "control-plane", "-p", "server"]))?;
    let name = match bench {
        Bench::Propagation => "propagation",
        Bench::Admission => "admission",
        Bench::Queue => "queue",
        Bench::Retirement => "retirement",
        Bench::AdmissionAtSize => "admission_at_size",
        Bench::LargePlan => "large_plan",
        Bench::OldSnapshot => "old_snapshot",
        Bench::Answer => "answer",
        Bench::Udp => "udp",
        Bench::Start => "start",
        Bench::Groups => "groups",
        Bench::Install => "install",
    };
    run_to_the_end(&mut cargo(&["bench", "--quiet", "-p", "end-to-end", "--bench", name]))?;
    if bench == Bench::Install {
        println!("\none changed name, built and swapped by itself");
        let mut one_name = cargo(&["bench", "--quiet", "-p", "server", "--bench", "answer"]);
        return run_to_the_end(one_name.env("HOLDFAST_BENCH_ONLY", "changes"));
    }
    Ok(())
}
