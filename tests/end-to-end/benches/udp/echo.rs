//! The floor: receives datagrams and sends them back, as many at a time as we do, a little longer, and does nothing else.

use crate::cpu;
use crate::peers::Peer;
use datagrams::{Batch, Local};
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

/// With this variable, this program is the echo on that port.
pub(crate) const PORT: &str = "HOLDFAST_BENCH_ECHO";
/// How many octets are added to what was received.
const EXTRA: &str = "HOLDFAST_BENCH_ECHO_EXTRA";

/// Is the echo, until it is killed.
pub(crate) fn run(port: u16) -> ! {
    let extra: usize = std::env::var(EXTRA).unwrap().parse().unwrap();
    let socket = UdpSocket::bind(("127.0.0.1", port)).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let mut batch = Batch::new(Local::Bound);
    loop {
        for place in 0..batch.receive(&socket).unwrap() {
            let (request, reply) = batch.exchange(place);
            let length = request.len().min(reply.len());
            reply[..length].copy_from_slice(&request[..length]);
            let whole = (length + extra).min(reply.len());
            batch.reply(place, whole);
        }
        batch.send(&socket);
    }
}

/// Starts it on a core.
pub(crate) fn start(extra: usize, core: usize) -> Peer {
    let address = free_address();
    let mut command = cpu::on_core(core, std::env::current_exe().unwrap().to_str().unwrap());
    command.env(PORT, address.port().to_string()).env(EXTRA, extra.to_string());
    Peer::start(command, address, None)
}

/// An address of this machine that nobody uses.
pub(crate) fn free_address() -> SocketAddr {
    UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}
