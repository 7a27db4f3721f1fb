//! What can be set, on the command line or as variables.

use crate::tcp::Limits;
use clap::Parser;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::time::Duration;

/// Holdfast's authoritative DNS server: follows the history and answers from a snapshot.
///
/// Every option can be given as a HOLDFAST_… variable instead.
#[derive(Clone, Debug, Parser)]
#[command(name = "holdfast-server", version)]
pub struct Settings {
    /// Addresses for DNS over UDP and TCP. May be given several times, or separated by commas. Name each address of the
    /// machine rather than 0.0.0.0 or [::], so that replies come from where the client asked
    #[arg(
        long,
        env = "HOLDFAST_DNS",
        value_name = "ADDRESS:PORT",
        value_delimiter = ',',
        default_value = "127.0.0.1:5300"
    )]
    pub dns: Vec<SocketAddr>,

    /// Address for /health/live, /health/ready and /metrics
    #[arg(long, env = "HOLDFAST_ADMIN", value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8054")]
    pub admin: SocketAddr,

    /// The database with the history, as postgres://LOGIN@HOST:PORT/NAME; the login needs the role holdfast_serve
    #[arg(long, env = "HOLDFAST_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub database_url: String,

    /// The ring whose heads are followed
    #[arg(long, env = "HOLDFAST_RING", value_name = "RING", default_value = "fleet")]
    pub ring: String,

    /// This server's name in reports, the same after every restart [default: the name of the machine]
    #[arg(long, env = "HOLDFAST_NAME", value_name = "NAME")]
    pub name: Option<String>,

    /// How long to wait for a hint before looking for new heads anyway, in milliseconds
    #[arg(long, env = "HOLDFAST_POLL_INTERVAL_MS", value_name = "MS", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(10..=60_000))]
    pub poll_interval_ms: u64,

    /// UDP sockets for each DNS address [default: as many as there are cores]
    #[arg(long, env = "HOLDFAST_UDP_SOCKETS", value_name = "COUNT")]
    pub udp_sockets: Option<NonZeroUsize>,

    /// TCP connections at once
    #[arg(long, env = "HOLDFAST_TCP_CONNECTIONS_MAX", value_name = "COUNT", default_value_t = 2000)]
    pub tcp_connections_max: usize,

    /// TCP connections at once from one client (an IPv4 address, or an IPv6 /64)
    #[arg(long, env = "HOLDFAST_TCP_CONNECTIONS_PER_CLIENT_MAX", value_name = "COUNT", default_value_t = 100)]
    pub tcp_connections_per_client_max: usize,

    /// How long a TCP connection may be silent, in milliseconds
    #[arg(long, env = "HOLDFAST_TCP_IDLE_TIMEOUT_MS", value_name = "MS", default_value_t = 10_000)]
    pub tcp_idle_timeout_ms: u64,

    /// What is logged: a level, or targets with levels such as info,server::replica=debug [default: RUST_LOG, or info]
    #[arg(long, env = "HOLDFAST_LOG", value_name = "FILTER")]
    pub log: Option<String>,
}

impl Settings {
    /// The limits of TCP.
    #[must_use]
    pub const fn tcp_limits(&self) -> Limits {
        Limits {
            connections_max: self.tcp_connections_max,
            connections_per_client_max: self.tcp_connections_per_client_max,
            idle_timeout: Duration::from_millis(self.tcp_idle_timeout_ms),
        }
    }

    /// How many UDP sockets there are for each address.
    #[must_use]
    pub fn udp_sockets(&self) -> usize {
        let cores = std::thread::available_parallelism();
        self.udp_sockets.or(cores.ok()).map_or(1, NonZeroUsize::get)
    }

    /// The name in reports.
    #[must_use]
    pub fn server_name(&self) -> String {
        let of_machine = || rustix::system::uname().nodename().to_string_lossy().into_owned();
        self.name.clone().filter(|name| !name.is_empty()).unwrap_or_else(of_machine)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn every_option_has_its_variable_and_its_help() {
        let command = Settings::command();
        command.clone().debug_assert();
        for option in command.get_arguments().filter(|option| !["help", "version"].contains(&option.get_id().as_str()))
        {
            let long = option.get_long().unwrap();
            let variable = format!("HOLDFAST_{}", long.to_uppercase().replace('-', "_"));
            assert_eq!(option.get_env().and_then(|name| name.to_str()), Some(&*variable), "--{long}");
            assert!(option.get_help().is_some(), "--{long}");
        }
    }
}
