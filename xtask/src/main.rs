//! Build automation: `cargo xtask up`, `cargo xtask test`, `cargo xtask bench`, `cargo xtask fuzz`, `cargo xtask mutants`,
//! `cargo xtask sqlx-prepare`.

mod bench;
mod cargo;
mod fuzz;
mod mutants;
mod scratch_postgres;
mod sqlx_prepare;
mod steps;
mod test;
mod tools;
mod up;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Build automation.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Gets what is missing, builds in release, and runs everything on this machine with demo zones.
    Up {
        /// Passed on to `holdfast up`: --data-dir DIR, --dns ADDR, --api ADDR, --admin ADDR, --no-demo, …
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "OPTIONS")]
        options: Vec<String>,
    },
    /// Everything that must hold: format, lints, queries, builds, tests, dependencies.
    Test {
        /// Leave out what takes long and seldom fails: the check of `.sqlx` and of the dependencies.
        #[arg(long)]
        fast: bool,
    },
    /// Measures the real programs in release; the machine should have nothing else to do.
    Bench {
        /// What is measured.
        #[arg(value_enum)]
        bench: bench::Bench,
        /// For `udp`: get the peers that are missing (Knot, NSD, PowerDNS), so that they are measured as well.
        #[arg(long)]
        install_peers: bool,
    },
    /// Makes up input for every door (packets, files, zone files, record data, plans) for so long, and fails if some of it does harm.
    Fuzz(fuzz::Options),
    /// Takes out guards, one at a time, in a copy of the tree, and fails if a test that must object does not.
    Mutants(mutants::Options),
    /// Asks a private Postgres with all migrations about every query, and writes the answers to `.sqlx`.
    SqlxPrepare {
        /// Write nothing: fail if the answers in `.sqlx` are not these.
        #[arg(long)]
        check: bool,
    },
}

/// Why something could not be done, in sentences.
type Failure = String;

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Up { options } => up::run(&options),
        Command::Test { fast } => return test::run(fast),
        Command::Bench { bench, install_peers } => bench::run(bench, install_peers),
        Command::Fuzz(options) => fuzz::run(&options),
        Command::Mutants(options) => mutants::run(&options),
        Command::SqlxPrepare { check } => sqlx_prepare::run(check),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}
