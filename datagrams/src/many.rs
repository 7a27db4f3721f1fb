//! `recvmmsg` and `sendmmsg`, and all that is unsafe about them.
#![allow(
    unsafe_code,
    reason = "the two calls take raw pointers, and have no safe wrapper that keeps its memory from call to call"
)]
#![allow(clippy::unnecessary_cast, reason = "lengths and flags are of other types in other C libraries")]

use crate::{Local, PLACES, REPLY_SIZE, REQUEST_SIZE};
use libc::{c_int, c_uint, iovec, mmsghdr, msghdr, sockaddr_in, sockaddr_in6};
use std::cell::UnsafeCell;
use std::fmt;
use std::io;
use std::mem::{offset_of, size_of};
use std::net::{Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6, UdpSocket};
use std::os::fd::AsRawFd as _;
use std::ptr;

/// Room for one control message, the longest of which is an `in6_pktinfo`; in words, because control messages are aligned.
const CONTROL_WORDS: usize = 6;
const CONTROL_SIZE: usize = size_of::<[u64; CONTROL_WORDS]>();
// SAFETY: arithmetic on constants.
const _: () = assert!(unsafe { libc::CMSG_SPACE(size_of::<libc::in6_pktinfo>() as c_uint) } as usize <= CONTROL_SIZE);

/// Somebody's address as the kernel writes it. All octets are always set: by `PEER_UNSET` at first, by the kernel or by us since.
#[repr(C)]
#[derive(Clone, Copy)]
union Peer {
    v4: sockaddr_in,
    v6: sockaddr_in6,
}

const PEER_UNSET: Peer = Peer {
    v6: sockaddr_in6 {
        sin6_family: libc::AF_UNSPEC as u16,
        sin6_port: 0,
        sin6_flowinfo: 0,
        sin6_addr: libc::in6_addr { s6_addr: [0; 16] },
        sin6_scope_id: 0,
    },
};

impl Peer {
    fn new(address: SocketAddr) -> (Self, u32) {
        let mut peer = PEER_UNSET;
        match address {
            SocketAddr::V4(address) => {
                peer.v4 = sockaddr_in {
                    sin_family: libc::AF_INET as u16,
                    sin_port: address.port().to_be(),
                    sin_addr: libc::in_addr { s_addr: u32::from_ne_bytes(address.ip().octets()) },
                    sin_zero: [0; 8],
                };
                (peer, size_of::<sockaddr_in>() as u32)
            }
            SocketAddr::V6(address) => {
                peer.v6 = sockaddr_in6 {
                    sin6_family: libc::AF_INET6 as u16,
                    sin6_port: address.port().to_be(),
                    sin6_flowinfo: address.flowinfo(),
                    sin6_addr: libc::in6_addr { s6_addr: address.ip().octets() },
                    sin6_scope_id: address.scope_id(),
                };
                (peer, size_of::<sockaddr_in6>() as u32)
            }
        }
    }

    fn address(&self) -> Option<SocketAddr> {
        // SAFETY: every octet is set, every pattern is a value of both, and the family is at the same place in both.
        let (v4, v6) = unsafe { (self.v4, self.v6) };
        match c_int::from(v6.sin6_family) {
            libc::AF_INET => {
                let address = v4.sin_addr.s_addr.to_ne_bytes().into();
                Some(SocketAddrV4::new(address, u16::from_be(v4.sin_port)).into())
            }
            libc::AF_INET6 => {
                let (address, port) = (Ipv6Addr::from(v6.sin6_addr.s6_addr), u16::from_be(v6.sin6_port));
                Some(SocketAddrV6::new(address, port, v6.sin6_flowinfo, v6.sin6_scope_id).into())
            }
            _ => None,
        }
    }

    fn port(&self) -> u16 {
        const _: () = assert!(offset_of!(sockaddr_in, sin_port) == offset_of!(sockaddr_in6, sin6_port));
        // SAFETY: as above; and the port is at the same place in both.
        u16::from_be(unsafe { self.v6.sin6_port })
    }
}

/// One datagram, and what goes back.
#[repr(C, align(64))]
struct Place {
    peer: Peer,
    control: [u64; CONTROL_WORDS],
    reply: [u8; REPLY_SIZE],
    request: [u8; REQUEST_SIZE],
}

// The beginnings of all places are used far more than their ends. An odd number of cache lines between them spreads them over
// all sets of the cache, where a round number would have them push each other out.
const _: () = assert!(size_of::<Place>() / 64 % 2 == 1);

/// Datagrams that arrived together, and the replies to them.
pub struct Batch {
    local: Local,
    /// In cells, because the headers below point into them for as long as they live. Nothing else keeps a pointer.
    places: Vec<UnsafeCell<Place>>,
    incoming: Vec<mmsghdr>,
    outgoing: Vec<mmsghdr>,
    /// One for each header, in both directions; pointed to by these.
    _buffers: Vec<UnsafeCell<iovec>>,
    received: usize,
    queued: usize,
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch").field("received", &self.received).field("queued", &self.queued).finish_non_exhaustive()
    }
}

impl Batch {
    /// An empty batch, for a socket whose replies come from `local`.
    #[must_use]
    pub fn new(local: Local) -> Self {
        let unset = || Place {
            peer: PEER_UNSET,
            control: [0; CONTROL_WORDS],
            reply: [0; REPLY_SIZE],
            request: [0; REQUEST_SIZE],
        };
        let places: Vec<UnsafeCell<Place>> = (0..PLACES).map(|_| UnsafeCell::new(unset())).collect();
        let buffer = |base: *mut u8, length: usize| UnsafeCell::new(iovec { iov_base: base.cast(), iov_len: length });
        // SAFETY: only addresses are taken.
        let requests = places.iter().map(|place| unsafe { &raw mut (*place.get()).request });
        let requests = requests.map(|request| buffer(request.cast(), REQUEST_SIZE));
        // SAFETY: the same.
        let replies = places.iter().map(|place| unsafe { &raw mut (*place.get()).reply });
        let replies = replies.map(|reply| buffer(reply.cast(), 0));
        let buffers: Vec<UnsafeCell<iovec>> = requests.chain(replies).collect();
        let header = |buffer: &UnsafeCell<iovec>| mmsghdr {
            msg_hdr: {
                // SAFETY: plain data, of which zeros are a value; some systems have padding in it that cannot be named.
                let mut header: msghdr = unsafe { std::mem::zeroed() };
                header.msg_iov = buffer.get();
                header.msg_iovlen = 1;
                header
            },
            msg_len: 0,
        };
        let (incoming, outgoing) = buffers.split_at(PLACES);
        let (incoming, outgoing) = (incoming.iter().map(header).collect(), outgoing.iter().map(header).collect());
        let mut batch = Self { local, places, incoming, outgoing, _buffers: buffers, received: 0, queued: 0 };
        (0..PLACES).for_each(|place| batch.clear(place));
        batch
    }

    /// Has the kernel tell with each datagram what [`Local`] needs. Before the socket is bound: of datagrams that are there already it
    /// does not.
    ///
    /// # Errors
    /// The system does not have it.
    pub fn prepare(socket: &UdpSocket, local: Local) -> io::Result<()> {
        if local == Local::Bound {
            return Ok(());
        }
        let (level, option) = match socket.local_addr()? {
            SocketAddr::V4(_) => (libc::IPPROTO_IP, libc::IP_PKTINFO),
            SocketAddr::V6(_) => (libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO),
        };
        let on: c_int = 1;
        // SAFETY: the socket is open, and the value is as long as we say.
        let set = unsafe {
            libc::setsockopt(socket.as_raw_fd(), level, option, (&raw const on).cast(), size_of::<c_int>() as u32)
        };
        if set == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    /// Forgets what is there; waits for a datagram for as long as the socket does, and takes all that are there by then. None:
    /// the wait is over.
    ///
    /// # Errors
    /// The socket's.
    pub fn receive(&mut self, socket: &UdpSocket) -> io::Result<usize> {
        // The kernel has written how long addresses and control messages are.
        (0..self.received).for_each(|place| self.clear(place));
        (self.received, self.queued) = (0, 0);
        // SAFETY: there are PLACES headers; each points to a place and to buffers that live as long as `self`, are as long as it
        // says, and are borrowed by nobody while we have `&mut self`.
        let received = unsafe {
            let flags = libc::MSG_WAITFORONE;
            // The type of the flags differs from one C library to the next.
            libc::recvmmsg(
                socket.as_raw_fd(),
                self.incoming.as_mut_ptr(),
                PLACES as c_uint,
                flags as _,
                ptr::null_mut(),
            )
        };
        match usize::try_from(received) {
            Ok(received) => {
                self.received = received.min(PLACES);
                Ok(self.received)
            }
            Err(_) => match io::Error::last_os_error() {
                error if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => Ok(0),
                error => Err(error),
            },
        }
    }

    /// Readies a place for the next datagram.
    fn clear(&mut self, place: usize) {
        let (header, cell) = (&mut self.incoming[place].msg_hdr, &self.places[place]);
        // SAFETY: only addresses are taken.
        let (peer, control) = unsafe { (&raw mut (*cell.get()).peer, &raw mut (*cell.get()).control) };
        header.msg_name = peer.cast();
        header.msg_namelen = size_of::<Peer>() as u32;
        header.msg_control = control.cast();
        header.msg_controllen = if self.local == Local::Asked { CONTROL_SIZE as _ } else { 0 };
    }

    /// What was received in this place.
    ///
    /// # Panics
    /// Nothing was.
    #[must_use]
    #[inline]
    pub fn request(&self, place: usize) -> &[u8] {
        let length = self.incoming[..self.received][place].msg_len as usize;
        &self.at(place).request[..length.min(REQUEST_SIZE)]
    }

    /// What was received in this place, and room for the reply to it.
    ///
    /// # Panics
    /// Nothing was.
    #[inline]
    pub fn exchange(&mut self, place: usize) -> (&[u8], &mut [u8]) {
        let length = self.incoming[..self.received][place].msg_len as usize;
        let Place { request, reply, .. } = self.at_mut(place);
        (&request[..length.min(REQUEST_SIZE)], reply)
    }

    /// Who sent what was received in this place; none if it is of no family that we know.
    #[must_use]
    #[inline]
    pub fn peer(&self, place: usize) -> Option<SocketAddr> {
        self.at(place).peer.address()
    }

    /// The port of who sent it.
    #[must_use]
    #[inline]
    pub fn peer_port(&self, place: usize) -> u16 {
        self.at(place).peer.port()
    }

    #[inline]
    fn at(&self, place: usize) -> &Place {
        // SAFETY: nobody has it mutably: for that `&mut self` is needed.
        unsafe { &*self.places[place].get() }
    }

    #[inline]
    fn at_mut(&mut self, place: usize) -> &mut Place {
        // SAFETY: nobody else has it: we have `&mut self`. Through the cell, so that what the headers point to stays theirs.
        unsafe { &mut *self.places[place].get() }
    }

    /// Takes what a later reply needs, beside the reply.
    #[must_use]
    pub fn envelope(&self, place: usize) -> Envelope {
        let (Place { peer, control, .. }, header) = (self.at(place), &self.incoming[place].msg_hdr);
        let mut envelope = Envelope {
            peer: *peer,
            peer_length: header.msg_namelen,
            control: *control,
            control_length: header.msg_controllen as usize,
        };
        forget_interface(&mut envelope.control, envelope.control_length);
        envelope
    }

    /// Puts the first `length` octets of this place's reply among what is sent next, to whom it was received from.
    #[inline]
    pub fn reply(&mut self, place: usize, length: usize) {
        let header = &self.incoming[..self.received][place].msg_hdr;
        let (name_length, control_length) = (header.msg_namelen, header.msg_controllen);
        if control_length > 0 {
            forget_interface(&mut self.at_mut(place).control, control_length as usize);
        }
        self.queue(place, length, (name_length, control_length as usize));
    }

    /// Puts the first `length` octets of what was written into this place's reply among what is sent next, to `peer`; none: to
    /// whom the socket is connected.
    pub fn send_later(&mut self, place: usize, length: usize, peer: Option<SocketAddr>) {
        let mut name_length = 0;
        if let Some(peer) = peer {
            (self.at_mut(place).peer, name_length) = Peer::new(peer);
        }
        self.queue(place, length, (name_length, 0));
    }

    /// Room for what [`Self::send_later`] sends.
    pub fn room(&mut self, place: usize) -> &mut [u8] {
        &mut self.at_mut(place).reply
    }

    #[inline]
    fn queue(&mut self, place: usize, length: usize, (name_length, control_length): (u32, usize)) {
        let Some(header) = self.outgoing.get_mut(self.queued) else { return };
        let (header, cell) = (&mut header.msg_hdr, &self.places[place]);
        // SAFETY: only addresses are taken.
        let (peer, control, reply) = unsafe {
            let place = cell.get();
            (&raw mut (*place).peer, &raw mut (*place).control, &raw mut (*place).reply)
        };
        header.msg_name = if name_length == 0 { ptr::null_mut() } else { peer.cast() };
        header.msg_namelen = name_length;
        header.msg_control = if control_length == 0 { ptr::null_mut() } else { control.cast() };
        header.msg_controllen = control_length as _;
        // SAFETY: each header's buffer description lives as long as `self`, and is used by nobody but this header.
        unsafe { *header.msg_iov = iovec { iov_base: reply.cast(), iov_len: length.min(REPLY_SIZE) } };
        self.queued += 1;
    }

    /// Sends what is queued, and returns how many datagrams could not be sent: one that cannot keeps no other back, and a socket
    /// that takes nothing for as long as it waits keeps us no longer.
    pub fn send(&mut self, socket: &UdpSocket) -> usize {
        let (mut first, mut failed) = (0, 0);
        while let Some(rest) = self.outgoing.get_mut(first..self.queued).filter(|rest| !rest.is_empty()) {
            // SAFETY: each of these headers points to a place and to a buffer that live as long as `self`, are as long as it
            // says, and are borrowed by nobody while we have `&mut self`.
            let sent = unsafe { libc::sendmmsg(socket.as_raw_fd(), rest.as_mut_ptr(), rest.len() as c_uint, 0) };
            match usize::try_from(sent) {
                Ok(sent) if sent > 0 => first += sent,
                _ => match io::Error::last_os_error().kind() {
                    io::ErrorKind::Interrupted => {}
                    io::ErrorKind::WouldBlock => {
                        failed += self.queued - first;
                        break;
                    }
                    _ => {
                        // The error is the first one's: of the others we do not know.
                        failed += 1;
                        first += 1;
                    }
                },
            }
        }
        self.queued = 0;
        failed
    }
}

/// Leaves the way back to the routes: what came in by one interface may have to go out by another. The source address stays.
fn forget_interface(control: &mut [u64; CONTROL_WORDS], length: usize) {
    if length < size_of::<libc::cmsghdr>() {
        return;
    }
    let control: *mut [u64; CONTROL_WORDS] = control;
    // SAFETY: `control` is aligned and longer than a header and whatever of the two it is followed by.
    unsafe {
        let header: *mut libc::cmsghdr = control.cast();
        let data = control.cast::<u8>().add(libc::CMSG_LEN(0) as usize);
        match ((*header).cmsg_level, (*header).cmsg_type) {
            (libc::IPPROTO_IP, libc::IP_PKTINFO) => (*data.cast::<libc::in_pktinfo>()).ipi_ifindex = 0,
            (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => (*data.cast::<libc::in6_pktinfo>()).ipi6_ifindex = 0,
            _ => {}
        }
    }
}

/// To whom a reply goes, and from which of our addresses.
#[derive(Clone, Copy)]
pub struct Envelope {
    peer: Peer,
    peer_length: u32,
    control: [u64; CONTROL_WORDS],
    control_length: usize,
}

impl fmt::Debug for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Envelope").field("peer", &self.peer.address()).finish_non_exhaustive()
    }
}

impl Envelope {
    /// To whom it goes; none if that is of no family that we know.
    #[must_use]
    pub fn peer(&self) -> Option<SocketAddr> {
        self.peer.address()
    }

    /// Sends one datagram.
    ///
    /// # Errors
    /// The socket's.
    pub fn send(&self, socket: &UdpSocket, datagram: &[u8]) -> io::Result<()> {
        let Self { mut peer, peer_length, mut control, control_length } = *self;
        let mut buffer = iovec { iov_base: datagram.as_ptr().cast_mut().cast(), iov_len: datagram.len() };
        // SAFETY: plain data, of which zeros are a value.
        let mut header: msghdr = unsafe { std::mem::zeroed() };
        header.msg_name = (&raw mut peer).cast();
        header.msg_namelen = peer_length;
        header.msg_iov = &raw mut buffer;
        header.msg_iovlen = 1;
        if control_length > 0 {
            header.msg_control = (&raw mut control).cast();
            header.msg_controllen = control_length as _;
        }
        // SAFETY: all that the header points to is alive and as long as it says; the datagram is only read.
        let sent = unsafe { libc::sendmsg(socket.as_raw_fd(), &raw const header, 0) };
        if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }
}
