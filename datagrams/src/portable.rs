//! One datagram at a time, by what every system has. It is built everywhere, so that it is tested everywhere.

use crate::{Local, REPLY_SIZE, REQUEST_SIZE};
use std::io;
use std::net::{SocketAddr, UdpSocket};

/// As the batch of many, with one place.
#[derive(Debug)]
pub struct Batch {
    request: Vec<u8>,
    length: usize,
    peer: Option<SocketAddr>,
    reply: Vec<u8>,
    queued: Option<(usize, Option<SocketAddr>)>,
}

impl Batch {
    /// An empty batch.
    #[must_use]
    pub fn new(_local: Local) -> Self {
        Self { request: vec![0; REQUEST_SIZE], length: 0, peer: None, reply: vec![0; REPLY_SIZE], queued: None }
    }

    /// Refuses what this system cannot do: it does not tell which of several addresses was asked.
    ///
    /// # Errors
    /// Replies have to come from the address that was asked.
    pub fn prepare(_socket: &UdpSocket, local: Local) -> io::Result<()> {
        match local {
            Local::Bound => Ok(()),
            Local::Asked => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// Waits for a datagram for as long as the socket does. None: the wait is over.
    ///
    /// # Errors
    /// The socket's.
    pub fn receive(&mut self, socket: &UdpSocket) -> io::Result<usize> {
        (self.length, self.peer, self.queued) = (0, None, None);
        match socket.recv_from(&mut self.request) {
            Ok((length, peer)) => {
                (self.length, self.peer) = (length, Some(peer));
                Ok(1)
            }
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted => Ok(0),
                _ => Err(error),
            },
        }
    }

    /// What was received.
    #[must_use]
    pub fn request(&self, _place: usize) -> &[u8] {
        &self.request[..self.length]
    }

    /// What was received, and room for the reply to it.
    pub fn exchange(&mut self, _place: usize) -> (&[u8], &mut [u8]) {
        (&self.request[..self.length], &mut self.reply)
    }

    /// Who sent it.
    #[must_use]
    pub fn peer(&self, _place: usize) -> Option<SocketAddr> {
        self.peer
    }

    /// The port of who sent it.
    #[must_use]
    pub fn peer_port(&self, _place: usize) -> u16 {
        self.peer.map_or(0, |peer| peer.port())
    }

    /// Takes what a later reply needs, beside the reply.
    #[must_use]
    pub fn envelope(&self, _place: usize) -> Envelope {
        Envelope { peer: self.peer }
    }

    /// Has the first `length` octets of the reply sent next, to whom it was received from.
    pub fn reply(&mut self, _place: usize, length: usize) {
        self.queued = Some((length.min(REPLY_SIZE), self.peer));
    }

    /// Sends what is queued, and returns how many datagrams could not be sent.
    pub fn send(&mut self, socket: &UdpSocket) -> usize {
        let Some((length, peer)) = self.queued.take() else { return 0 };
        let sent = peer.map(|peer| socket.send_to(&self.reply[..length], peer));
        usize::from(!matches!(sent, Some(Ok(_))))
    }
}

/// To whom a reply goes.
#[derive(Clone, Copy, Debug)]
pub struct Envelope {
    peer: Option<SocketAddr>,
}

impl Envelope {
    /// To whom it goes.
    #[must_use]
    pub fn peer(&self) -> Option<SocketAddr> {
        self.peer
    }

    /// Sends one datagram.
    ///
    /// # Errors
    /// The socket's.
    pub fn send(&self, socket: &UdpSocket, datagram: &[u8]) -> io::Result<()> {
        let peer = self.peer.ok_or(io::ErrorKind::NotConnected)?;
        socket.send_to(datagram, peer).map(drop)
    }
}
