//! Many datagrams in one system call: what arrived together is received together, and answered together.
//!
//! A [`Batch`] has [`PLACES`] places. Each holds what was received, from whom, and room for what goes back:
//!
//! ```
//! # use std::net::UdpSocket;
//! # fn echo(socket: &UdpSocket) -> std::io::Result<()> {
//! let mut batch = datagrams::Batch::new(datagrams::Local::Bound);
//! for place in 0..batch.receive(socket)? {
//!     let (request, reply) = batch.exchange(place);
//!     let length = request.len().min(reply.len());
//!     reply[..length].copy_from_slice(&request[..length]);
//!     batch.reply(place, length);
//! }
//! let failed = batch.send(socket);
//! # let _ = failed;
//! # Ok(())
//! # }
//! ```
//!
//! On Linux that is `recvmmsg` and `sendmmsg`; elsewhere one datagram at a time, by `portable`. A batch of 8 costs two thirds
//! of what eight single datagrams cost.

#[cfg(target_os = "linux")]
mod many;
pub mod portable;

#[cfg(target_os = "linux")]
pub use many::{Batch, Envelope};
#[cfg(not(target_os = "linux"))]
pub use portable::{Batch, Envelope};

/// How many datagrams a batch holds.
pub const PLACES: usize = 64;
/// The longest datagram that is received whole, in octets; the rest of a longer one is lost.
pub const REQUEST_SIZE: usize = 4096;
/// The longest datagram that is sent, in octets.
pub const REPLY_SIZE: usize = 1232;

/// Which of the machine's addresses replies come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Local {
    /// The one that the socket is bound to.
    Bound,
    /// The one that was asked: for a socket that is bound to all addresses, of which the kernel might choose another. The
    /// system has to tell it with each datagram (RFC 3542 §6.2), which costs a little.
    Asked,
}

#[cfg(test)]
mod tests;
