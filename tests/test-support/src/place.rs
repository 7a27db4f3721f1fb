//! Where this test's build stands, and ports that nobody uses.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};

/// Below the range that systems hand out by themselves.
const PORTS: std::ops::Range<u64> = 10_000..32_000;

/// The folder of the built programs: that of this test, or the one above its `deps`.
pub(crate) fn programs() -> PathBuf {
    let own = std::env::current_exe().expect("a test has a path");
    let folder = own.parent().expect("a file is in a folder");
    if folder.ends_with("deps") { folder.parent().map_or(folder.to_owned(), Path::to_owned) } else { folder.to_owned() }
}

/// The folder that cargo builds in.
pub(crate) fn target() -> PathBuf {
    let programs = programs();
    programs.parent().map_or(programs.clone(), Path::to_owned)
}

/// An address on which nobody listens, by UDP or TCP.
///
/// # Panics
/// When the ports to choose from are none.
#[must_use]
pub fn free_address() -> SocketAddr {
    loop {
        let random = RandomState::new().build_hasher().finish();
        let port = PORTS.start + random % (PORTS.end - PORTS.start);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, u16::try_from(port).expect("the range is of ports")));
        if TcpListener::bind(address).is_ok() && UdpSocket::bind(address).is_ok() {
            return address;
        }
    }
}
