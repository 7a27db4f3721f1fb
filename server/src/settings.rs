//! What can be set, on the command line or as variables.

mod options;

use crate::access::{Access, Networks};
use crate::rate_limit::{PER_SECOND_MAX, RateLimit};
use crate::tcp::Limits;
use clap::Parser;
use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

/// Holdfast's authoritative DNS server: follows the history and answers from a snapshot.
///
/// Every option can be given as a HOLDFAST_… variable instead.
#[derive(Clone, Debug, Parser)]
#[command(name = "holdfast-server", version)]
pub struct Settings {
    /// Addresses for DNS over UDP and TCP. May be given several times, or separated by commas. Replies come from the address
    /// that was asked, also with 0.0.0.0 or [::]; to name each address of the machine costs a little less
    #[arg(
        long,
        env = "HOLDFAST_DNS",
        value_name = "ADDRESS:PORT",
        value_delimiter = ',',
        default_value = "127.0.0.1:5300"
    )]
    pub dns: Vec<SocketAddr>,

    /// Where others reach this server for DNS, such as the auditor [default: the first of --dns; if that is every address, the
    /// one by which this machine reaches others]
    #[arg(long, env = "HOLDFAST_ADVERTISE", value_name = "ADDRESS:PORT")]
    pub advertise: Option<SocketAddr>,

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

    /// A folder for what is served, so that this server can start without the database; made if it is not there [default: none, and
    /// a start needs the database]
    #[arg(long, env = "HOLDFAST_SNAPSHOT_DIR", value_name = "FOLDER")]
    pub snapshot_dir: Option<PathBuf>,

    /// How long to wait for a hint before looking for new heads anyway, in milliseconds
    #[arg(long, env = "HOLDFAST_POLL_INTERVAL_MS", value_name = "MS", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(10..=60_000))]
    pub poll_interval_ms: u64,

    /// UDP sockets for each DNS address [default: as many as there are cores]
    #[arg(long, env = "HOLDFAST_UDP_SOCKETS", value_name = "COUNT")]
    pub udp_sockets: Option<NonZeroUsize>,

    /// Whether each UDP socket's thread stays on a core of its own, if there are enough cores
    #[arg(long, env = "HOLDFAST_UDP_PINNED", value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set)]
    pub udp_pinned: bool,

    /// TCP connections at once
    #[arg(long, env = "HOLDFAST_TCP_CONNECTIONS_MAX", value_name = "COUNT", default_value_t = 2000)]
    pub tcp_connections_max: usize,

    /// TCP connections at once from one client (an IPv4 address, or an IPv6 /64)
    #[arg(long, env = "HOLDFAST_TCP_CONNECTIONS_PER_CLIENT_MAX", value_name = "COUNT", default_value_t = 100)]
    pub tcp_connections_per_client_max: usize,

    /// How long a TCP connection may be silent, in milliseconds
    #[arg(long, env = "HOLDFAST_TCP_IDLE_TIMEOUT_MS", value_name = "MS", default_value_t = 10_000)]
    pub tcp_idle_timeout_ms: u64,

    /// What this server tells of itself.
    #[command(flatten)]
    pub options: options::OptionSettings,
    /// Replies over UDP a second to one network about one name (one zone, where there is no such name; errors together); what is
    /// beyond is dropped or truncated. 0: no limit
    #[arg(long, env = "HOLDFAST_RRL_PER_SECOND", value_name = "COUNT", default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=i64::from(PER_SECOND_MAX)))]
    pub rrl_per_second: u32,

    /// One limited reply in so many goes out truncated, for real clients to come back over TCP. 1: all; 0: none
    #[arg(long, env = "HOLDFAST_RRL_SLIP", value_name = "COUNT", default_value_t = 2, value_parser = clap::value_parser!(u32).range(..=100))]
    pub rrl_slip: u32,

    /// How many bits of an IPv4 address are one network to the rate limit
    #[arg(long, env = "HOLDFAST_RRL_IPV4_PREFIX", value_name = "BITS", default_value_t = 24, value_parser = clap::value_parser!(u8).range(1..=32))]
    pub rrl_ipv4_prefix: u8,

    /// How many bits of an IPv6 address are one network to the rate limit
    #[arg(long, env = "HOLDFAST_RRL_IPV6_PREFIX", value_name = "BITS", default_value_t = 56, value_parser = clap::value_parser!(u8).range(1..=128))]
    pub rrl_ipv6_prefix: u8,

    /// Who is told more than plain answers (their generation; what this server does not know): networks, separated by commas,
    /// `any` or `none`. The auditor has to be among them
    #[arg(long, env = "HOLDFAST_ALLOW_DIAGNOSTICS", value_name = "NETWORK,…", default_value = "any")]
    pub allow_diagnostics: Networks,

    /// What is logged: a level, or targets with levels such as info,server::replica=debug [default: RUST_LOG, or info]
    #[arg(long, env = "HOLDFAST_LOG", value_name = "FILTER")]
    pub log: Option<String>,

    /// A file that each install is told to, for tests and investigations: a line of JSON, beside those of other programs that have
    /// the same file [default: none]
    #[arg(long, env = "HOLDFAST_TRACE_MOVES", value_name = "FILE")]
    pub trace_moves: Option<OsString>,
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

    /// The limit of replies over UDP.
    #[must_use]
    pub const fn rate_limit(&self) -> RateLimit {
        RateLimit {
            per_second: self.rrl_per_second,
            slip: self.rrl_slip,
            ipv4_prefix: self.rrl_ipv4_prefix,
            ipv6_prefix: self.rrl_ipv6_prefix,
        }
    }

    /// Who may ask for what.
    #[must_use]
    pub fn access(&self) -> Access {
        Access { diagnostics: self.allow_diagnostics.clone() }
    }

    /// How many UDP sockets there are for each address.
    #[must_use]
    pub fn udp_sockets(&self) -> usize {
        let cores = std::thread::available_parallelism();
        self.udp_sockets.or(cores.ok()).map_or(1, NonZeroUsize::get)
    }

    /// Where others reach this server, which listens on `bound`.
    #[must_use]
    pub fn answers_at(&self, bound: Option<SocketAddr>) -> Option<SocketAddr> {
        self.advertise.or_else(|| bound.map(reachable))
    }

    /// The name in reports.
    #[must_use]
    pub fn server_name(&self) -> String {
        let of_machine = || rustix::system::uname().nodename().to_string_lossy().into_owned();
        self.name.clone().filter(|name| !name.is_empty()).unwrap_or_else(of_machine)
    }
}

/// Where a listener is reached: one that listens everywhere, at the address by which this machine reaches others, else
/// from this machine alone.
fn reachable(bound: SocketAddr) -> SocketAddr {
    if !bound.ip().is_unspecified() {
        return bound;
    }
    // To connect a datagram socket chooses its own address, and sends nothing. The others are for documentation (RFC
    // 5737, RFC 3849): nobody.
    let (anywhere, others, own): (IpAddr, IpAddr, IpAddr) = match bound {
        SocketAddr::V4(_) => {
            (Ipv4Addr::UNSPECIFIED.into(), Ipv4Addr::new(192, 0, 2, 1).into(), Ipv4Addr::LOCALHOST.into())
        }
        SocketAddr::V6(_) => (
            Ipv6Addr::UNSPECIFIED.into(),
            Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into(),
            Ipv6Addr::LOCALHOST.into(),
        ),
    };
    let chosen = UdpSocket::bind((anywhere, 0)).and_then(|socket| {
        socket.connect((others, 9))?;
        socket.local_addr()
    });
    SocketAddr::new(chosen.map_or(own, |chosen| chosen.ip()), bound.port())
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

    #[test]
    fn who_listens_everywhere_is_reached_somewhere() {
        let bound: SocketAddr = "127.0.0.1:5300".parse().unwrap();
        assert_eq!(reachable(bound), bound);
        for everywhere in ["0.0.0.0:5300", "[::]:5300"] {
            let everywhere: SocketAddr = everywhere.parse().unwrap();
            let reached = reachable(everywhere);
            assert!(!reached.ip().is_unspecified() && reached.port() == 5300, "{reached}");
            assert_eq!(reached.is_ipv4(), everywhere.is_ipv4());
        }
        let settings = ["holdfast-server", "--database-url", "x", "--advertise", "192.0.2.7:53"];
        let settings = Settings::parse_from(settings);
        assert_eq!(settings.answers_at(Some(bound)).unwrap().to_string(), "192.0.2.7:53");
    }
}
