//! What the programs of the control plane are told: flags, and the same as `HOLDFAST_…` variables.

use clap::{Args, Parser, Subcommand};
use std::net::SocketAddr;
use std::time::Duration;

/// The control plane of Holdfast: it admits plans into the history, and moves heads forward along it.
#[derive(Debug, Parser)]
#[command(name = "holdfast-control-plane", version, arg_required_else_help = true)]
pub struct Settings {
    /// The program to run.
    #[command(subcommand)]
    pub program: Program,
}

/// The programs.
#[derive(Debug, Subcommand)]
pub enum Program {
    /// Serves the REST API: admits plans, and tells what is in force
    Api(ApiSettings),
    /// Moves the heads of all rings forward; run two or more, they are equal
    Enactor(EnactorSettings),
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
