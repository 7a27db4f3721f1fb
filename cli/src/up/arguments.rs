//! What `holdfast up` can be told.

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::PathBuf;

use super::Addresses;

/// Everything on one machine: a private Postgres, the API, two enactors, the DNS server and the auditor.
///
/// Ctrl-C stops everything, a second Ctrl-C at once. A second start goes on where it was.
#[derive(Clone, Debug, clap::Args)]
pub struct UpArguments {
    /// Where everything is kept: data, logs, passwords, the administrator's token.
    #[arg(long, value_name = "DIR", env = "HOLDFAST_DATA_DIR", default_value = "./.holdfast")]
    pub data_dir: PathBuf,
    /// Where DNS is answered, over UDP and TCP; may be given several times.
    #[arg(long, value_name = "ADDR", env = "HOLDFAST_DNS", default_value = "127.0.0.1:5300", value_delimiter = ',', value_parser = address)]
    pub dns: Vec<SocketAddr>,
    /// Where the REST API listens.
    #[arg(long, value_name = "ADDR", env = "HOLDFAST_API", default_value = "127.0.0.1:8053", value_parser = address)]
    pub api: SocketAddr,
    /// Where the DNS server's metrics and health are.
    #[arg(long, value_name = "ADDR", env = "HOLDFAST_ADMIN", default_value = "127.0.0.1:8054", value_parser = address)]
    pub admin: SocketAddr,
    /// Your own Postgres instead of a private one, as the database's owner.
    #[arg(long, value_name = "URL", env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// Do not load the demo zones.
    #[arg(long, env = "HOLDFAST_NO_DEMO", value_parser = clap::builder::FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    pub no_demo: bool,
}

impl UpArguments {
    pub(super) fn addresses(&self) -> Addresses {
        Addresses { dns: self.dns.clone(), api: self.api, admin: self.admin }
    }
}

/// `IP:PORT`, or a name that means one; the API's may be written as the address that clients take.
fn address(text: &str) -> Result<SocketAddr, String> {
    let bare = text.strip_prefix("http://").unwrap_or(text).trim_end_matches('/');
    let unclear = "an address is written IP:PORT, for example 127.0.0.1:5300 or [::1]:5300";
    bare.to_socket_addrs().ok().and_then(|mut found| found.next()).ok_or_else(|| unclear.to_owned())
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn addresses_are_read_in_every_common_form() {
        for (text, expected) in [
            ("127.0.0.1:5300", Some("127.0.0.1:5300")),
            ("[::1]:53", Some("[::1]:53")),
            ("http://127.0.0.1:8053/", Some("127.0.0.1:8053")),
            ("5300", None),
            ("127.0.0.1", None),
        ] {
            assert_eq!(address(text).ok().map(|found| found.to_string()).as_deref(), expected, "{text}");
        }
    }
}
