//! The addresses that programs will listen on, tried before anything is started.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket};

use super::UpError;

/// Where everything listens.
#[derive(Clone, Debug)]
pub struct Addresses {
    /// DNS, over UDP and TCP.
    pub dns: Vec<SocketAddr>,
    /// The REST API.
    pub api: SocketAddr,
    /// The server's metrics and health.
    pub admin: SocketAddr,
}

impl Addresses {
    /// Tries each, and lets it go again.
    ///
    /// # Errors
    /// Names the first that cannot be had, with the option that changes it.
    pub fn try_all(&self) -> Result<(), UpError> {
        let tcp = self.dns.iter().map(|dns| (*dns, "--dns")).chain([(self.api, "--api"), (self.admin, "--admin")]);
        let mut given = BTreeMap::new();
        let mut held = Vec::new();
        for (address, option) in tcp {
            if address.port() == 0 {
                return Err(UpError::AddressesUnclear(format!("{option} {address}: name a port, 0 is none")));
            }
            if let Some(other) = given.insert(address, option) {
                return Err(UpError::AddressesUnclear(format!(
                    "{other} and {option} both ask for {address}: give one of them another address"
                )));
            }
            held.push(TcpListener::bind(address).map_err(|cause| unusable("TCP", address, option, cause))?);
        }
        for address in &self.dns {
            UdpSocket::bind(address).map_err(|cause| unusable("UDP", *address, "--dns", cause))?;
        }
        Ok(())
    }

    /// How the API is reached from this machine.
    #[must_use]
    pub fn api_url(&self) -> String {
        format!("http://{}", reachable(self.api))
    }

    /// How the server's health is reached from this machine.
    #[must_use]
    pub fn admin_url(&self) -> String {
        format!("http://{}", reachable(self.admin))
    }
}

/// Where a listener is reached from the same machine: one that listens everywhere, at the loopback address.
#[must_use]
pub(super) fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

fn unusable(protocol: &'static str, address: SocketAddr, option: &'static str, cause: io::Error) -> UpError {
    if cause.kind() == io::ErrorKind::AddrInUse {
        UpError::AddressInUse { protocol, address, option }
    } else {
        UpError::AddressUnusable { protocol, address, option, cause }
    }
}

#[cfg(test)]
mod tests {
    use super::{Addresses, reachable};
    use std::collections::hash_map::RandomState;
    use std::hash::{BuildHasher as _, Hasher as _};
    use std::net::{SocketAddr, TcpListener, UdpSocket};

    /// An address that nobody uses, below the range that systems hand out to anybody's sockets.
    fn local() -> SocketAddr {
        let random = || RandomState::new().build_hasher().finish() % 22_000;
        std::iter::repeat_with(|| SocketAddr::from(([127, 0, 0, 1], 10_000 + u16::try_from(random()).unwrap_or(0))))
            .find(|address| TcpListener::bind(address).is_ok() && UdpSocket::bind(address).is_ok())
            .expect("a port is free")
    }

    #[test]
    fn an_address_in_use_is_named_with_its_option() {
        let address = local();
        let _taken = TcpListener::bind(address).expect("it is free");
        let addresses = Addresses { dns: vec![local()], api: address, admin: local() };
        let said = addresses.try_all().expect_err("it is taken").to_string();
        assert!(said.contains(&format!("TCP {address} is in use")) && said.contains("--api"), "{said}");
    }

    #[test]
    fn dns_needs_udp_as_well() {
        let address = local();
        let _taken = UdpSocket::bind(address).expect("it is free");
        let said =
            Addresses { dns: vec![address], api: local(), admin: local() }.try_all().expect_err("taken").to_string();
        assert!(said.contains("UDP") && said.contains("--dns"), "{said}");
    }

    #[test]
    fn one_address_for_two_is_unclear() {
        let address = local();
        let said =
            Addresses { dns: vec![local()], api: address, admin: address }.try_all().expect_err("twice").to_string();
        assert!(said.contains("--api and --admin both ask for"), "{said}");
    }

    #[test]
    fn who_listens_everywhere_is_reached_at_the_loopback_address() {
        assert_eq!(reachable("0.0.0.0:53".parse().expect("an address")).to_string(), "127.0.0.1:53");
        assert_eq!(reachable("[::]:53".parse().expect("an address")).to_string(), "[::1]:53");
    }
}
