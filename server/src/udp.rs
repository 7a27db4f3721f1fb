//! Answers datagrams: receive, answer, send, with nothing between them that waits on anybody else.

use crate::answer::{Transport, Verdict, answer};
use crate::counters::Counters;
use crate::snapshot::Directory;
use arc_swap::ArcSwap;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio_util::sync::CancellationToken;

/// More than any query needs. What is longer arrives cut off, and is answered as malformed.
const RECEIVE_SIZE: usize = 4096;
/// The pause after an error on receiving, lest one that stays makes the loop spin.
const ERROR_PAUSE: Duration = Duration::from_millis(10);

/// Ports whose owners answer whatever they are sent, so a forged query from there starts a game without end: echo,
/// daytime, quote of the day, character generator; and 0, to which nothing can be sent. DNS itself (53) is no such port:
/// resolvers ask from there, and a server drops what is a response.
const PORTS_NOT_ANSWERED: [u16; 5] = [0, 7, 13, 17, 19];

/// Serves one socket until told to stop.
///
/// A socket is bound to one address, so that is where replies come from. Bound to all addresses (`0.0.0.0`), the kernel
/// chooses, and on machines with several addresses may choose another than the client asked.
///
/// # Errors
/// When the socket cannot be used at all.
pub async fn serve(
    socket: std::net::UdpSocket,
    directory: Arc<ArcSwap<Directory>>,
    counters: Arc<Counters>,
    stop: CancellationToken,
) -> io::Result<()> {
    let socket = UdpSocket::from_std(socket)?;
    let mut request = vec![0; RECEIVE_SIZE];
    let mut reply = Vec::with_capacity(RECEIVE_SIZE);
    loop {
        let received = tokio::select! {
            received = socket.recv_from(&mut request) => received,
            () = stop.cancelled() => return Ok(()),
        };
        let (length, client) = match received {
            Ok(received) => received,
            Err(_) => {
                // Such as an ICMP message about an earlier reply. It says nothing about this socket.
                counters.socket_errors.add();
                tokio::time::sleep(ERROR_PAUSE).await;
                continue;
            }
        };
        if PORTS_NOT_ANSWERED.contains(&client.port()) {
            counters.dropped.add();
            continue;
        }
        let verdict = answer(&directory.load(), &request[..length], Transport::Udp, &mut reply);
        match verdict {
            Verdict::Drop => counters.dropped.add(),
            Verdict::Reply(rcode) => {
                counters.replied(rcode);
                if socket.send_to(&reply, client).await.is_err() {
                    counters.socket_errors.add();
                }
            }
        }
    }
}
