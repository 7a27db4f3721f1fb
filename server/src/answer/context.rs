//! What an answer depends on beside the snapshot and the packet.

use super::cookies::Cookies;
use crate::access::Rights;
use std::net::IpAddr;

/// What carried the question, and so how long its answer may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Datagrams.
    Udp,
    /// Everything with a connection and a length before each message.
    Tcp,
}

/// How a packet came, and what its sender may be told.
#[derive(Clone, Copy, Debug)]
pub struct Context<'c> {
    /// What carried it.
    pub transport: Transport,
    /// Whose it is: a cookie is good for one address.
    pub peer: IpAddr,
    /// The time by which cookies are told to be old: seconds since 1970, as far as 32 bits hold them (RFC 9018 §4.3).
    pub now: u32,
    /// What may be told.
    pub options: &'c Options,
    /// What its sender may ask for beyond plain questions.
    pub rights: Rights,
}

/// What the operator lets this server tell of itself. By default nothing.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Makes and knows DNS cookies; without it they are ignored.
    pub cookies: Option<Cookies>,
    /// Who this server is, for those who ask by NSID (RFC 5001).
    pub nsid: Option<Box<[u8]>>,
    /// How long a TCP connection may be silent, in units of 100 ms, for those who ask (RFC 7828).
    pub keepalive: Option<u16>,
    /// The text at `id.server` and `hostname.bind` in class CH (RFC 4892); of more than 255 octets there is none.
    pub chaos_id: Option<Box<[u8]>>,
    /// The text at `version.server` and `version.bind` in class CH.
    pub chaos_version: Option<Box<[u8]>>,
}
