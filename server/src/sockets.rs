//! Opens sockets, and says in plain words which option to change when one cannot be opened.

use datagrams::{Batch, Local};
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use std::io;
use std::net::SocketAddr;

/// Room for bursts while a worker is busy. The kernel may give less.
const UDP_BUFFER_SIZE: usize = 4 << 20;
/// Connections that wait to be accepted.
const TCP_BACKLOG: i32 = 1024;

/// An address that cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}/{protocol}: {why}; choose another address with {option}")]
pub struct ListenError {
    address: SocketAddr,
    protocol: &'static str,
    option: &'static str,
    why: String,
}

impl ListenError {
    fn new(address: SocketAddr, protocol: &'static str, option: &'static str, error: &io::Error) -> Self {
        let why = match error.kind() {
            io::ErrorKind::AddrInUse => "the port is in use by another program".to_owned(),
            io::ErrorKind::PermissionDenied => "ports below 1024 need the right CAP_NET_BIND_SERVICE".to_owned(),
            io::ErrorKind::AddrNotAvailable => "this machine has no such address".to_owned(),
            _ => error.to_string(),
        };
        Self { address, protocol, option, why }
    }
}

/// The sockets of one DNS address.
#[derive(Debug)]
pub struct DnsSockets {
    /// One for each UDP worker; the kernel spreads clients over them.
    pub udp: Vec<std::net::UdpSocket>,
    /// For TCP.
    pub tcp: std::net::TcpListener,
    /// Where they are, with the port that was chosen if 0 was asked for.
    pub address: SocketAddr,
}

/// Opens `workers` UDP sockets and a TCP listener on one address.
///
/// # Errors
/// Which one cannot be opened, and what to do about it.
pub fn open_dns(address: SocketAddr, workers: usize) -> Result<DnsSockets, ListenError> {
    const OPTION: &str = "--dns (HOLDFAST_DNS)";
    // TCP and UDP need the same port, so a port that is chosen freely may have to be chosen again.
    const TRIES: usize = 20;
    let mut tries = 0;
    loop {
        tries += 1;
        let tcp = open_tcp(address).map_err(|error| ListenError::new(address, "tcp", OPTION, &error))?;
        let bound = tcp.local_addr().map_err(|error| ListenError::new(address, "tcp", OPTION, &error))?;
        match open_udp(bound, workers) {
            Ok(udp) => return Ok(DnsSockets { udp, tcp, address: bound }),
            Err(error) if address.port() == 0 && error.kind() == io::ErrorKind::AddrInUse && tries < TRIES => {}
            Err(error) => return Err(ListenError::new(bound, "udp", OPTION, &error)),
        }
    }
}

/// Opens the admin address.
///
/// # Errors
/// Why not, and what to do about it.
pub fn open_admin(address: SocketAddr) -> Result<std::net::TcpListener, ListenError> {
    open_tcp(address).map_err(|error| ListenError::new(address, "tcp", "--admin (HOLDFAST_ADMIN)", &error))
}

fn open_tcp(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = open(address, Type::STREAM, Protocol::TCP)?;
    // A restart need not wait for the old connections' last packets.
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(TCP_BACKLOG)?;
    Ok(socket.into())
}

fn open_udp(address: SocketAddr, workers: usize) -> io::Result<Vec<std::net::UdpSocket>> {
    // With SO_REUSEPORT a second server would silently take half of the first one's queries. Without it the port has to
    // be free, so that is asked first.
    let probe = open(address, Type::DGRAM, Protocol::UDP)?;
    probe.bind(&address.into())?;
    drop(probe);
    (0..workers.max(1)).map(|_| open_udp_worker(address)).collect()
}

fn open_udp_worker(address: SocketAddr) -> io::Result<std::net::UdpSocket> {
    let socket = open(address, Type::DGRAM, Protocol::UDP)?;
    socket.set_reuse_port(true)?;
    // Less room is no reason not to serve.
    let _ = socket.set_recv_buffer_size(UDP_BUFFER_SIZE);
    let _ = socket.set_send_buffer_size(UDP_BUFFER_SIZE);
    let socket = std::net::UdpSocket::from(socket);
    // Before the first datagram can come: of one that was there already, nobody could say which address was asked.
    Batch::prepare(&socket, local_of(address))?;
    SockRef::from(&socket).bind(&address.into())?;
    Ok(socket)
}

/// Where replies of a socket that is bound there come from.
#[must_use]
pub fn local_of(bound: SocketAddr) -> Local {
    if bound.ip().is_unspecified() { Local::Asked } else { Local::Bound }
}

fn open(address: SocketAddr, kind: Type, protocol: Protocol) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), kind, Some(protocol))?;
    if address.is_ipv6() {
        // `[::]` beside `0.0.0.0`, and no v4 clients in v6 dress.
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    Ok(socket)
}
