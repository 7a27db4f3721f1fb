//! What the programs of the control plane are told: flags, and the same as `HOLDFAST_…` variables.

use crate::retirement::Gently;
use clap::{Args, Parser, Subcommand};
use std::ffi::OsString;
use std::net::SocketAddr;
use std::time::Duration;

/// The control plane of Holdfast: it admits plans into the history, and moves heads forward along it.
#[derive(Debug, Parser)]
#[command(name = "holdfast-control-plane", version, arg_required_else_help = true)]
pub struct Settings {
    /// The program to run.
    #[command(subcommand)]
    pub program: Program,
    /// A file that each move is told to, for tests and investigations: a line of JSON before it is made and one after, from all
    /// programs that have the same file [default: none]
    #[arg(long, global = true, env = "HOLDFAST_TRACE_MOVES", value_name = "FILE")]
    pub trace_moves: Option<OsString>,
}

/// The programs.
#[derive(Debug, Subcommand)]
pub enum Program {
    /// Serves the REST API: admits plans, and tells what is in force
    Api(ApiSettings),
    /// Moves the heads of all rings forward; run two or more, they are equal
    Enactor(EnactorSettings),
    /// Raises the floors of groups, and forgets what is below them; one is enough, two do no harm
    Retirement(RetirementSettings),
    /// Asks servers over the wire whether they answer what the history says, freezes groups where they do not, and raises the alarm
    Auditor(AuditorSettings),
}

/// How to reach Postgres.
#[derive(Args, Clone)]
pub struct DatabaseSettings {
    /// Postgres, as a URL; the login needs the roles of this program and no more
    #[arg(long = "database-url", env = "HOLDFAST_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub url: String,
}

/// Without the URL, which may hold a password.
impl std::fmt::Debug for DatabaseSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DatabaseSettings")
    }
}

/// Settings of the API.
#[derive(Args, Clone, Debug)]
pub struct ApiSettings {
    /// How to reach Postgres.
    #[command(flatten)]
    pub database: DatabaseSettings,
    /// Where to listen for HTTP
    #[arg(long, env = "HOLDFAST_LISTEN", value_name = "ADDR", default_value = "127.0.0.1:8053")]
    pub listen: SocketAddr,
    /// The most connections to Postgres
    #[arg(long, env = "HOLDFAST_DATABASE_CONNECTIONS_MAX", value_name = "N", default_value_t = 12, value_parser = clap::value_parser!(u32).range(2..=200))]
    pub database_connections_max: u32,
}

/// Settings of an enactor.
#[derive(Args, Clone, Debug)]
pub struct EnactorSettings {
    /// How to reach Postgres.
    #[command(flatten)]
    pub database: DatabaseSettings,
    /// This enactor's name, for people
    #[arg(long, env = "HOLDFAST_NAME", value_name = "NAME", default_value = "enactor-1")]
    pub name: String,
    /// How often to look when no notice comes, in milliseconds
    #[arg(long, env = "HOLDFAST_TICK_MS", value_name = "MS", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(10..=2000))]
    pub tick_ms: u64,
}

impl EnactorSettings {
    /// How often to look when no notice comes.
    #[must_use]
    pub const fn tick(&self) -> Duration {
        Duration::from_millis(self.tick_ms)
    }
}

/// Settings of the retirement.
#[derive(Args, Clone, Debug)]
pub struct RetirementSettings {
    /// How to reach Postgres.
    #[command(flatten)]
    pub database: DatabaseSettings,
    /// How many generations of each group stay readable, at least; heads and pins hold more
    #[arg(long, env = "HOLDFAST_KEEP", value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(i64).range(1..=1_000_000_000))]
    pub keep: i64,
    /// How many changes one step looks at, at most; steps that take long become smaller by themselves
    #[arg(long, env = "HOLDFAST_BATCH", value_name = "ROWS", default_value_t = 2_000, value_parser = clap::value_parser!(i32).range(1..=100_000))]
    pub batch: i32,
    /// How long a step should take, at most, in milliseconds
    #[arg(long, env = "HOLDFAST_STEP_MS", value_name = "MS", default_value_t = 40, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub step_ms: u64,
    /// How long to wait after a step, at least, in milliseconds
    #[arg(long, env = "HOLDFAST_PAUSE_MS", value_name = "MS", default_value_t = 20, value_parser = clap::value_parser!(u64).range(0..=60_000))]
    pub pause_ms: u64,
    /// How long to wait after a step, in times that the step took
    #[arg(long, env = "HOLDFAST_REST", value_name = "TIMES", default_value_t = 4, value_parser = clap::value_parser!(u32).range(0..=1_000))]
    pub rest: u32,
    /// How long to wait between two looks at all groups, in milliseconds
    #[arg(long, env = "HOLDFAST_EVERY_MS", value_name = "MS", default_value_t = 5_000, value_parser = clap::value_parser!(u64).range(1..=3_600_000))]
    pub every_ms: u64,
    /// Look once, do all that is to be done, and end
    #[arg(long)]
    pub once: bool,
}

impl RetirementSettings {
    /// What is kept, and how gently.
    #[must_use]
    pub const fn gently(&self) -> Gently {
        Gently {
            keep: self.keep,
            batch_max: self.batch,
            pause: Duration::from_millis(self.pause_ms),
            step: Duration::from_millis(self.step_ms),
            rest: self.rest,
            every: Duration::from_millis(self.every_ms),
        }
    }
}

/// Settings of the auditor.
#[derive(Args, Clone, Debug)]
pub struct AuditorSettings {
    /// How to reach Postgres.
    #[command(flatten)]
    pub database: DatabaseSettings,
    /// This auditor's name, for people
    #[arg(long, env = "HOLDFAST_NAME", value_name = "NAME", default_value = "auditor")]
    pub name: String,
    /// How long to wait between two rounds, in milliseconds
    #[arg(long = "every-ms", env = "HOLDFAST_AUDITOR_EVERY_MS", value_name = "MS", default_value_t = 2000, value_parser = clap::value_parser!(u64).range(10..=600_000))]
    pub every_ms: u64,
    /// Where to answer /metrics and /health/live; nowhere, if not given
    #[arg(long, env = "HOLDFAST_AUDITOR_LISTEN", value_name = "ADDR")]
    pub listen: Option<SocketAddr>,
}

impl AuditorSettings {
    /// How long to wait between two rounds.
    #[must_use]
    pub const fn every(&self) -> Duration {
        Duration::from_millis(self.every_ms)
    }
}
